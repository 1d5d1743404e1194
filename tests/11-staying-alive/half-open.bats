# A link that is cut: two network namespaces, a pair of virtual interfaces, and one of them taken down. Run from the project's root,
# or by anybody from anywhere: bats tests/11-staying-alive/half-open.bats. Needs iproute2 and unshare (util-linux), and a machine
# where an ordinary user may make namespaces; no privilege, and nothing of the machine's own network is touched.

bats_require_minimum_version 1.5.0

setup() {
    command -v ip >/dev/null || skip "ip (iproute2) is not installed"
    unshare -Urnpf --mount-proc --kill-child true 2>/dev/null || skip "namespaces cannot be made here"
    root=$BATS_TEST_DIRNAME/../..
    cd "$BATS_TEST_TMPDIR" || return
    for program in heartbeat-server patient-client; do
        cc -o "$program" -I"$root/lessons/02-bind-listen-accept" -I"$root/lessons/07-framed-protocol" \
            -I"$root/lessons/11-staying-alive" "$root/solutions/11-staying-alive/$program.c" \
            "$root"/solutions/{02-bind-listen-accept/tcp,07-framed-protocol/frame,11-staying-alive/alive}.c
    done
    # What follows runs in a namespace of its own: it ends with all that is in it.
    cat >world <<'END'
set -e
ip link set lo up
unshare -n sleep infinity & # who holds the second namespace; it ends with the first
there=$!
until [ "$(readlink /proc/$there/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add near type veth peer name far netns $there
ip addr add 10.77.0.1/24 dev near
ip link set near up
at() { nsenter -t $there -n "$@"; }
at ip link set lo up
at ip addr add 10.77.0.2/24 dev far
at ip link set far up
at ./heartbeat-server --idle 9000 10.77.0.2 7011 >server.out 2>server.err &
until grep -q listening server.out 2>/dev/null; do :; done
END
}

# in_world COMMANDS
in_world() {
    echo "$1" >>world
    run --separate-stderr timeout 20 unshare -Urnpf --mount-proc --kill-child bash world 3>&-
    echo "$output"
    echo "${stderr-}" "status $status" >&2
    [ "$status" -eq 0 ]
}

@test "a heartbeat notices that the link was cut, and the client comes back" {
    # shellcheck disable=SC2016 # for the shell in there
    in_world '
mkfifo in
exec 5<>in
coproc client { exec ./patient-client --interval 300 --timeout 1500 --connect-timeout 1000 --min-delay 100 10.77.0.2 7011 <in; }
read -r line <&${client[0]}; echo "$line"
echo before >&5
read -r line <&${client[0]}; echo "$line"
at ip link set far down
echo meanwhile >&5
read -r line <&${client[0]}; echo "$line"
at ip link set far up
until [[ $line == "echo meanwhile" ]]; do read -r line <&${client[0]}; echo "$line"; done
exit 0'
    [ "${lines[0]}" = "connected to 10.77.0.2:7011" ]
    [ "${lines[1]}" = "echo before" ]
    [[ ${lines[2]} == "lost: "*"; again in 100 ms" ]]
    [[ $output == *$'\nconnected to 10.77.0.2:7011\necho meanwhile'* ]]
}
