#!/usr/bin/env bats
# echo-server and echo-client as whole programs, with nc, socat and bash at the other end.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() {
    [[ -z ${socat-} ]] || kill "$socat"
    [[ -z ${BATS_TEST_COMPLETED-} ]] || likely "all was served, and then something was wrong: the report above says what, and where"
    lab_teardown
}

# Say something to the server, and hear it again.
talk() {
    say "$1"
    hear
    assert_output "$1"
}

# Does program PID sleep although the server has input that it has not read? Of the server, and of a client that has
# more to say, this means that it is waiting to send: it slept all the time from before the look until after it.
waits_to_send() {
    local place name status queues before unread=''
    measure "$1"
    before=$worked
    printf -v place ':%04X' "$port"
    while read -r _ name _ status queues _; do
        [[ $status != 01 || $name != *"$place" || ${queues#*:} == 00000000 ]] || unread=yes
    done </proc/net/tcp
    [[ -n $unread ]] && sleeps "$1" && measure "$1" && ((worked == before))
}

# Is the client PID asleep, and nothing on its way to the server? Then it can send no more, or waits for an answer. The
# kernel's timer for the connection tells: 00 none, 04 it asks now and then whether a full window has opened (proc(5)).
at_standstill() {
    local place remote status timer still=''
    measure "$1"
    before=$worked
    printf -v place ':%04X' "$port"
    while read -r _ _ remote status _ timer _; do
        [[ $remote != *"$place" || $status != 01 || $timer != 0[04]:* ]] || still=yes
    done </proc/net/tcp
    [[ -n $still ]] && sleeps "$1" && measure "$1" && ((worked == before))
}

# Wait until the client that was told of the end of its input sleeps or has ended.
comes_to_rest() {
    likely "at the end of its input read() returns 0, for ever: tell the server with shutdown(SHUT_WR), or stop when all has come back; and poll() standard input no more"
    measure "$pid"
    local begin=$worked
    until lab_ended "$pid" || sleeps "$pid"; do
        breathe
        measure "$pid"
        ((worked < begin + 200000000)) || fail "the client works on, for 0.2 s of processor time, after the end of its input"
    done
}

# Wait until socat has written to FILE at which port it listens.
port_of() {
    host=127.0.0.1
    until [[ -e $1 && $(<"$1") =~ listening\ on\ [^$'\n']*" $host:"([0-9]+) ]]; do breathe; done
    port=${BASH_REMATCH[1]}
}

# A peer with small segments and a small window: the kernel gives the other side a small buffer too, so that its send(),
# where it does not wait, takes only a part of what it is given.
small=mss=1400,rcvbuf=4096

# lab: points=6 task=6 needs="tcp_listen/lets_the_kernel_choose_a_port, tcp_listen/frees_the_addresses, tcp_listen/listens_only_on_the_address_asked_for, tcp_accept/returns_the_connection, address_text/writes_an_ipv4_address" read="One client after another" man="2 recv" likely="send back every byte that recv() gave, until it gives 0; then close that client and accept the next"
@test "serves one client after another" {
    start echo-server 127.0.0.1 0
    assert_equal "$line" "listening on 127.0.0.1:$port"
    open_client
    peer "sent \"one\", and \"two\" when it had that back"
    likely "no echo came: if the server ended at once, this is the starter's answer; if not, send back what recv() gave as soon as it comes"
    talk "one"
    likely "send back every byte that recv() gave, until it gives 0; then close that client and accept the next"
    talk "two"
    descriptors=$(fd_count)
    hang_up
    likely "the server ends with its first client, or closes the listener with it: close that client's connection only, and accept the next"
    open_client
    peer "the next one sent \"three\""
    talk "three"
    likely "close the connection when its client is done"
    assert_equal "$(fd_count) descriptors" "$descriptors descriptors"
    hang_up
    likely "send back every byte that recv() gave, until it gives 0; then close that client and accept the next"
    peer "nc sent one byte, \"4\", and ended its stream"
    run -0 nc -N "$host" "$port" < <(printf 4)
    assert_output "4"
    peer "socat sent \"five\" and ended its stream"
    run -0 socat -t 60 - "TCP:$host:$port" <<<"five"
    assert_output "five"
}

# lab: points=2 task=6 needs="tcp_listen/listens_on_ipv6, address_text/writes_an_ipv6_address_in_brackets, end to end/serves one client after another" read="Where a server is" man="7 ipv6" likely="the program knows only IPv4: leave the family to getaddrinfo()" requires="ipv6"
@test "serves over IPv6" {
    start echo-server ::1 0
    assert_equal "$line" "listening on [::1]:$port"
    run -0 nc -N ::1 "$port" <<<"six"
    assert_output "six"
}

# lab: points=3 task=6 needs="tcp_listen/reports_a_port_in_use, end to end/serves one client after another" read="When it fails" man="2 bind" likely="when something is wrong say so on standard error, and return 2 for wrong arguments, 1 for anything else"
@test "says what is wrong" {
    for wrong in "echo-server 127.0.0.1" "echo-client ::1 7 7"; do
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

# lab: points=4 task=7 needs="end to end/serves one client after another" read="Stopping" man="7 signal" likely="SIGINT or SIGTERM must end the wait for a client, and the program return 0"
@test "stops when told while it waits for a client" {
    for signal in TERM INT; do
        start echo-server 127.0.0.1 0
        open_client
        talk "one"
        hang_up
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
    await waits_to_send "$pid"
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
    until waits_to_send $! && waits_to_send $! && waits_to_send $!; do breathe; done
    kill -STOP $!
    kill -CONT "$pid"
    await sleeps "$pid"
    kill -CONT $!
    wait $!
    run -0 cmp input output
}

# lab: points=3 task=6 needs="end to end/serves one client after another" read="Clients that break off" man="2 send" likely="a client that has gone must cost one connection, not the server: send with MSG_NOSIGNAL, and look at every result"
@test "outlives a client that breaks off" {
    start echo-server 127.0.0.1 0
    open_client
    talk "one"
    say "two"
    peer "sent \"one\" and read it again; sent \"two\", and closed when that had come back, without reading it (RST)"
    until read -r -t 0 -u "$client"; do
        ! lab_ended "$pid" || fail "the program has ended"
    done
    hang_up
    open_client
    likely "recv() returned -1, as the client had reset the connection: that ends this client, not the server"
    talk "three"
    hang_up
    likely "a client that has gone must cost one connection, not the server: send with MSG_NOSIGNAL, and look at every result"
    kill -STOP "$pid"
    peer "socat sent 100000 bytes and closed without reading any"
    head -c 100000 /dev/zero | socat -u - "TCP:$host:$port"
    kill -CONT "$pid"
    run -0 nc -N "$host" "$port" <<<"still here"
    assert_output "still here"
}

# lab: points=3 task=6 needs="tcp_accept/reports_that_no_descriptor_is_free, end to end/serves one client after another" read="When no descriptor is free" man="2 accept" likely="after EMFILE wait a moment before the next accept(): the listener stays readable, and a loop would spin"
@test "keeps a client waiting while no descriptor is free" {
    start echo-server 127.0.0.1 0
    await sleeps "$pid"
    limit=$(prlimit --pid "$pid" --nofile --noheadings --output SOFT)
    measure "$pid"
    sleeps=$slept time=$worked
    prlimit --pid "$pid" --nofile=4:
    open_client
    peer "the server may open no more descriptors"
    until measure "$pid" && ((slept > sleeps)); do
        breathe
        if lab_ended "$pid"; then
            likely "EMFILE is no reason to end the server: wait a moment, and accept() again"
            fail "the server has ended"
        fi
        ((worked < time + 200000000)) || fail "the server has tried for 0.2 s of processor time, without a pause"
    done
    prlimit --pid "$pid" --nofile="${limit// /}":
    peer "now it may"
    talk "thank you for waiting"
}

# lab: points=4 task=8 needs="tcp_connect/connects, tcp_connect/frees_the_addresses" read="Both ways at once" man="2 shutdown" likely="at the end of its input read() returns 0, for ever: tell the server with shutdown(SHUT_WR), or stop when all has come back"
@test "echo-client ends after the end of its input" {
    socat -d -d "TCP-LISTEN:0,bind=127.0.0.1,fork" EXEC:cat >socat.log 2>&1 3>&- &
    socat=$!
    port_of socat.log
    peer "echoes"
    launch echo-client "$host" "$port"
    tell "hello"
    end_input
    comes_to_rest
    likely "it ended before all had come back: if that was at once, this is the starter's answer"
    finish
    assert_success
    assert_output "hello"
    peer "echoes a single byte, \"1\""
    run -0 echo-client "$host" "$port" < <(printf 1)
    assert_output "1"
    peer "has nothing to echo"
    run -0 echo-client "$host" "$port" </dev/null
    assert_output ""
}

# lab: points=4 task=8 needs="end to end/echo-client ends after the end of its input" read="Both ways at once" man="2 poll" likely="the client sends all its input before it reads any echo: both sides then wait for the other to read"
@test "echo-client carries a large input" {
    socat -d -d "TCP-LISTEN:0,bind=127.0.0.1,fork,$small" EXEC:cat >socat.log 2>&1 3>&- &
    socat=$!
    port_of socat.log
    peer "echoes each line as it comes"
    launch echo-client "$host" "$port"
    tell "hello"
    next_line
    assert_equal "$line" "hello"
    end_input
    finish
    assert_success
    peer "echoes 2 MB"
    seq 300000 >input
    printf "the last line has no end" >>input
    echo-client "$host" "$port" <input >output
    run -0 cmp input output
}

# lab: points=2 task=8 needs="end to end/echo-client ends after the end of its input" read="Both ways at once" man="2 recv" likely="the end of the server's stream is no success by itself: count what you sent and what came back"
@test "echo-client says that not all came back" {
    launch socat -d -d -t 60 TCP-LISTEN:0,bind=127.0.0.1 STDIO
    server=$pid
    port_of err.0
    launch echo-client "$host" "$port"
    client=$pid
    tell "hello"
    next_line "$server"
    assert_equal "$line" "hello"
    end_input
    comes_to_rest
    pid=$server
    tell "hell"
    end_input
    peer "received 6 bytes and the end, sent 5 bytes back and ended its stream"
    likely "the end of the server's stream is no success by itself: count what you sent and what came back"
    finish "$client"
    assert_failure 1
    refute [ -z "$stderr" ]
    start echo-server 127.0.0.1 0
    peer "echoes; standard output is /dev/full"
    likely "a write() to standard output that fails is a failure of the client's: look at its result, and at fflush()'s"
    run -1 bash -c 'echo-client "$@" <<<"hello" >/dev/full' - "$host" "$port"
}

# lab: points=2 task=8 needs="tcp_connect/reports_that_nobody_listens, connect_error_means/tells_the_four_apart, tcp_listen/listens_only_on_the_address_asked_for, address_text/writes_an_ipv4_address" read="Refused, silent, unreachable" man="2 connect" likely="when tcp_connect() fails, say connect_error_means(errno) on standard error and return 1"
@test "echo-client says why it cannot connect" {
    start echo-server 127.0.0.1 0
    kill -KILL "$pid" 2>/dev/null || : # a server that does not serve yet has gone
    finish
    peer "nobody listens on that port any more"
    run -1 --separate-stderr echo-client "$host" "$port" </dev/null
    assert_equal "$output" ""
    assert_regex "$stderr" "refused"
}

# lab: points=2 task=8 needs="end to end/stops when told while it serves a client, end to end/echo-client says that not all came back" read="Both ways at once" man="2 poll" likely="the client waits for its input alone: wait for the server's end as well, and return 1 when it comes too early"
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

    launch socat -b 4096 -d -d -t 60 "TCP-LISTEN:0,bind=127.0.0.1,$small" STDIO
    server=$pid
    port_of err.2
    truncate -s 64M input
    lab_begin input echo-client "$host" "$port"
    until at_standstill "$pid" && sleeps "$server" && at_standstill "$pid"; do breathe; done
    client=$pid pid=$server
    end_input
    peer "reads no more; when the client rested, it ended its own stream"
    likely "with bytes left to send, wait for POLLIN as well as for POLLOUT: the server may end meanwhile"
    finish "$client"
    assert_failure 1
    refute [ -z "$stderr" ]
}
