#!/usr/bin/env bats
# echo-server and echo-client as whole programs, with nc, socat and bash at the other end.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() {
    [[ -z ${socat-} ]] || kill "$socat"
    lab_teardown
}

# Say something to the server, and hear it again.
talk() {
    say "$1"
    hear
    assert_output "$1"
}

# Does program PID sleep?
sleeps() {
    local state
    read -r _ _ state _ <"/proc/$1/stat"
    [[ $state == S ]]
}

# Does program PID sleep although the server has input that it has not read? Of the server, and of a client that has
# more to say, this means that it is waiting to send (or is about to be woken).
waits_to_send() {
    local place name status queues
    sleeps "$1" || return
    printf -v place ':%04X' "$port"
    while read -r _ name _ status queues _; do
        [[ $status == 01 && $name == *"$place" && ${queues#*:} != 00000000 ]] && return 0
    done </proc/net/tcp
    return 1
}

# How often the server went to sleep (of its own will), and how much processor time a program has had, in nanoseconds.
server_sleeps() { awk '/^voluntary/ { print $2 }' "/proc/$pid/status"; }
time_of() { cut -d ' ' -f 1 "/proc/$1/schedstat" 2>/dev/null || echo 0; }

# A peer with small segments and a small window: the kernel gives the other side a small buffer too, so that its send(),
# where it does not wait, takes only a part of what it is given.
small=mss=200,rcvbuf=1024

# lab: points=6 task=6 needs="tcp_listen/lets_the_kernel_choose_a_port" read="One client after another" man="2 recv" likely="send back every byte that recv() gave, until it gives 0; then close that client and accept the next"
@test "serves one client after another" {
    start echo-server 127.0.0.1 0
    assert_equal "$line" "listening on 127.0.0.1:$port"
    open_client
    peer "sent \"one\", and \"two\" when it had that back"
    talk "one"
    talk "two"
    descriptors=$(fd_count)
    hang_up
    open_client
    peer "the next one sent \"three\""
    talk "three"
    likely "close the connection when its client is done"
    assert_equal "$(fd_count) descriptors" "$descriptors descriptors"
    hang_up
    peer "nc sent one byte, \"4\", and ended its stream"
    run -0 nc -N "$host" "$port" < <(printf 4)
    assert_output "4"
    peer "socat sent \"five\" and ended its stream"
    run -0 socat -t 60 - "TCP:$host:$port" <<<"five"
    assert_output "five"
}

# lab: points=2 task=6 needs="tcp_listen/listens_on_ipv6" read="Where a server is" man="7 ipv6" likely="the program knows only IPv4: leave the family to getaddrinfo()" requires="ipv6"
@test "serves over IPv6" {
    start echo-server ::1 0
    assert_equal "$line" "listening on [::1]:$port"
    run -0 nc -N ::1 "$port" <<<"six"
    assert_output "six"
}

# lab: points=3 task=6 needs="tcp_listen/reports_a_port_in_use" read="When it fails" man="2 bind" likely="when something is wrong say so on standard error, and return 2 for wrong arguments, 1 for anything else"
@test "says what is wrong" {
    for wrong in "echo-server 127.0.0.1" "echo-server 127.0.0.1 0 0" "echo-client ::1" "echo-client ::1 7 7"; do
        # shellcheck disable=SC2086 # a command and its arguments
        run -2 --separate-stderr $wrong </dev/null
        assert_equal "$output" ""
        assert_regex "$stderr" "[Uu]sage"
    done
    start echo-server 127.0.0.1 0
    peer "listens there already"
    run -1 --separate-stderr echo-server "$host" "$port"
    assert_equal "$output" ""
    refute [ -z "$stderr" ]
}

# lab: points=4 task=7 needs="tcp_listen/lets_the_kernel_choose_a_port" read="Stopping" man="7 signal" likely="SIGINT or SIGTERM must end the wait for a client, and the program return 0"
@test "stops when told while it waits for a client" {
    for signal in TERM INT; do
        start echo-server 127.0.0.1 0
        run -0 nc -N "$host" "$port" <<<"one"
        assert_output "one"
        peer "was served and has gone"
        stop "$signal"
        assert_success
        assert_output ""
    done
}

# lab: points=4 task=7 needs="end to end/stops when told while it waits for a client" read="Stopping" man="2 poll" likely="only the wait for a client hears the signal: recv() and send() can wait for ever too"
@test "stops when told while it serves a client" {
    start echo-server 127.0.0.1 0
    open_client
    talk "are you there"
    peer "is silent"
    stop TERM
    assert_success

    start echo-server 127.0.0.1 0
    peer "sends without end and reads nothing"
    yes 2>/dev/null 3>&- | socat -u - "TCP:$host:$port,$small" 2>/dev/null 3>&- &
    until waits_to_send "$pid"; do :; done
    stop INT
    assert_success
}

# lab: points=3 task=6 needs="end to end/serves one client after another" read="One client after another" man="2 send" likely="send() may take fewer bytes than it was given: send the rest too"
@test "sends every byte to a client that reads late" {
    start echo-server 127.0.0.1 0
    peer "sent 230 KB and began to read when the server could send no more"
    kill -STOP "$pid"
    seq 40000 >input
    socat -t 60 - "TCP:$host:$port,$small" <input >output 3>&- &
    until waits_to_send $! && waits_to_send $! && waits_to_send $!; do :; done
    kill -STOP $!
    kill -CONT "$pid"
    until sleeps "$pid"; do :; done
    kill -CONT $!
    wait $!
    run -0 cmp input output
}

# lab: points=3 task=6 needs="end to end/serves one client after another" read="Clients that break off" man="2 send" likely="a client that has gone must cost one connection, not the server: send with MSG_NOSIGNAL, and look at every result"
@test "outlives a client that breaks off" {
    start echo-server 127.0.0.1 0
    kill -STOP "$pid"
    peer "socat sent 100000 bytes and closed without reading any"
    head -c 100000 /dev/zero | socat -u - "TCP:$host:$port"
    kill -CONT "$pid"
    run -0 nc -N "$host" "$port" <<<"still here"
    assert_output "still here"
    stop TERM
    assert_success
}

# lab: points=3 task=6 needs="tcp_accept/reports_that_no_descriptor_is_free" read="When no descriptor is free" man="2 accept" likely="after EMFILE wait a moment before the next accept(): the listener stays readable, and a loop would spin"
@test "keeps a client waiting while no descriptor is free" {
    start echo-server 127.0.0.1 0
    until sleeps "$pid"; do :; done
    limit=$(prlimit --pid "$pid" --nofile --noheadings --output SOFT)
    sleeps=$(server_sleeps) time=$(time_of "$pid")
    prlimit --pid "$pid" --nofile=4:
    open_client
    peer "the server may open no more descriptors"
    until (($(server_sleeps) > sleeps)); do
        (($(time_of "$pid") < time + 200000000)) || fail "the server has tried for 0.2 s of processor time, without a pause"
    done
    prlimit --pid "$pid" --nofile="${limit// /}":
    peer "now it may"
    talk "thank you for waiting"
}

# lab: points=6 task=8 needs="tcp_connect/connects" read="Both ways at once" man="2 poll" likely="the client sends all its input before it reads any echo: both sides then wait for the other to read"
@test "echo-client carries a large input and none" {
    host=127.0.0.1
    socat -d -d "TCP-LISTEN:0,bind=$host,fork,$small" EXEC:cat >socat.log 2>&1 3>&- &
    socat=$!
    until port=$(grep -oP "listening on .* $host:\K\d+" socat.log 2>/dev/null); do :; done
    peer "echoes"
    launch echo-client "$host" "$port"
    tell "hello"
    next_line
    assert_equal "$line" "hello"
    time=$(time_of "$pid")
    end_input
    likely "at the end of its input read() returns 0, for ever: tell the server with shutdown(SHUT_WR), or stop when all has come back"
    until lab_ended "$pid"; do
        (($(time_of "$pid") < time + 200000000)) || fail "the client works on, for 0.2 s of processor time, after the end of its input"
    done
    finish
    assert_success
    run -0 echo-client "$host" "$port" < <(printf 1)
    assert_output "1"
    run -0 echo-client "$host" "$port" </dev/null
    assert_output ""
    peer "echoes 3 MB"
    likely "the client sends all its input before it reads any echo: both sides then wait for the other to read"
    seq 450000 >input
    echo-client "$host" "$port" <input >output
    run -0 cmp input output
}

# lab: points=2 task=8 needs="tcp_connect/reports_that_nobody_listens" read="Refused, silent, unreachable" man="2 connect" likely="when tcp_connect() fails, say connect_error_means(errno) on standard error and return 1"
@test "echo-client says why it cannot connect" {
    start echo-server 127.0.0.1 0
    stop TERM
    peer "nobody listens on that port any more"
    run -1 --separate-stderr echo-client "$host" "$port" </dev/null
    assert_equal "$output" ""
    assert_regex "$stderr" "refused"
}

# lab: points=2 task=8 needs="end to end/stops when told while it serves a client" read="Both ways at once" man="2 poll" likely="the client waits for its input alone: wait for the server's end as well, and return 1 when it comes too early"
@test "echo-client notices that the server has ended" {
    start echo-server 127.0.0.1 0
    server=$pid
    launch echo-client "$host" "$port"
    tell "hello"
    next_line
    assert_equal "$line" "hello"
    peer "was told to stop"
    stop TERM "$server"
    finish
    assert_failure 1
    refute [ -z "$stderr" ]
}
