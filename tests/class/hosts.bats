#!/usr/bin/env bats
# A class graded on other machines: two hosts with sshd, each in network, mount and process namespaces of its own, so that they
# share neither network nor home; and a third one that does not exist.

bats_require_minimum_version 1.5.0

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
    ((EUID == 0)) || skip "making networks needs root"
    T=$BATS_TEST_TMPDIR
    cd "$BATS_TEST_DIRNAME/../.." || exit
    unset LESSONS STUDENT JOBS SHARD SANDBOX LINK SEED MAKEFLAGS
    mkdir "$T/class"
    for name in Ada Bo Cy Di Eva Fay; do
        mkdir "$T/class/$name"
        cp solutions/01-socket/endpoint.c "$T/class/$name"
    done
    cp lessons/01-socket/endpoint.c "$T/class/Fay"
    ssh-keygen -q -t ed25519 -N '' -f "$T/key"
    dropbearkey -t ed25519 -f "$T/hostkey" >/dev/null 2>&1
    printf 'IdentityFile %s\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n' "$T/key" >"$T/config"
    printf '2/root@10.9.1.2\n# the fast one\n2/root@10.9.2.2\n\nroot@10.9.3.2\n' >"$T/hosts"
}

# desk COMMAND: run in a network of its own that is linked to two hosts; they end with it.
desk() {
    export T
    timeout 280 unshare --net --mount --pid --fork --kill-child bash -c "mount -t proc proc /proc; ip link set lo up; $(declare -f host); host 1; host 2; $1" 3>&-
}

# host N: start one. It has a home of its own, with the key in it, and says when its sshd listens.
host() {
    mkfifo "$T/go$1" "$T/said$1"
    # shellcheck disable=SC2016 # for the shell in there
    unshare --net --mount --pid --fork --kill-child bash -c '
        mount -t proc proc /proc
        mount -t tmpfs -o mode=700 tmpfs /root
        mkdir -m 700 /root/.ssh
        cp "$T/key.pub" /root/.ssh/authorized_keys
        read -r <"$T/go$1"
        ip link set lo up
        ip address add "10.9.$1.2/24" dev eth0
        ip link set eth0 up
        exec dropbear -F -E -s -r "$T/hostkey" -p "10.9.$1.2:22" -P "$T/pid$1"' host "$1" >"$T/said$1" 2>&1 &
    machine[$1]=$!
    local said line=''
    exec {said}<>"$T/said$1"
    until [[ -e /proc/${machine[$1]}/ns/net && ! /proc/${machine[$1]}/ns/net -ef /proc/self/ns/net ]]; do :; done
    ip link add "to$1" type veth peer name eth0 netns "${machine[$1]}"
    ip address add "10.9.$1.1/24" dev "to$1"
    ip link set "to$1" up
    echo go >"$T/go$1"
    until [[ $line == *"Not backgrounding"* ]]; do read -r -u "$said" line; done
}

grades_here() {
    CLASS=$T/class CLASS_OUT=$T/here SEED=7 tests/tools/grade-class
}

@test "hosts grade what one machine grades alike; one that does not answer is named; the course is copied once" {
    run -0 desk 'export SSH="ssh -F $T/config" CLASS=$T/class CLASS_OUT=$T/there SEED=7 HOSTS=$T/hosts
        tests/tools/grade-class && rm -r "$T/there/results" && tests/tools/grade-class &&
        for n in 1 2; do $SSH root@10.9.$n.2 "ls .cache/socket-lab | wc -l; find .cache -name submissions -o -name results | wc -l"; done'
    assert_output --partial 'root@10.9.3.2 is left out: ssh: connect to host 10.9.3.2'
    assert_output --partial '6 graded in'
    refute_output --partial 'graded here'
    [[ ${lines[-4]} = 1 && ${lines[-3]} = 0 && ${lines[-2]} = 1 && ${lines[-1]} = 0 ]] # one course; no submission stays
    run cut -f2 "$T/there/jobs.log"
    assert_line --partial 10.9.1.2
    assert_line --partial 10.9.2.2
    grades_here
    cmp "$T/here/grades.csv" "$T/there/grades.csv"
}

@test "what a machine had that died is done by another" {
    run -0 desk 'export SSH="ssh -F $T/config" CLASS=$T/class CLASS_OUT=$T/there SEED=7 HOSTS=$T/hosts
        tests/tools/grade-class 2>&1 >/dev/null | while read -r line; do
            echo "$line"
            [[ $line != *" graded, "* || -e $T/killed ]] || { kill -KILL "${machine[2]}"; ip link delete to2; : >"$T/killed"; }
        done'
    assert_output --partial '6 graded in'
    [[ -e $T/killed ]]
    grades_here
    cmp "$T/here/grades.csv" "$T/there/grades.csv"
}

@test "no machine answers: all is done here" {
    run -0 desk 'printf "root@10.9.3.2\n" >"$T/hosts"
        SSH="ssh -F $T/config" CLASS=$T/class CLASS_OUT=$T/there SEED=7 HOSTS=$T/hosts tests/tools/grade-class'
    assert_output --partial '6 were not done there: they are graded here'
    assert_output --partial '6 graded in'
}
