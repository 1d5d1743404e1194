# End to end: loop-echo-server, with nc, socat and bash at the other end.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# talk TEXT: say it on $client, and hear it again.
talk() {
    say "$1"
    hear
    assert_output "$1"
}

# same FILE FILE
same() {
    cmp "$@" >difference 2>&1 && return
    you "$(<difference)"
    return 1
}

# lab: points=3 task=11 needs="loop_run/serves_a_client_by_epoll, loop_send/presses_back_by_epoll" read="The echo server" likely="each message goes back by loop_send(): three functions of a line or two"
@test "sends back what comes" {
    for backend in epoll poll; do
        start loop-echo-server --backend "$backend" 127.0.0.1 0
        assert_equal "$line" "listening on 127.0.0.1:$port"
        seq 50000 >input
        peer "nc sent 288 KB, and ended its stream"
        nc -N "$host" "$port" <input >output
        same input output
        open_client
        peer "another client sent \"one\", and \"two\" when it had that back"
        talk "one"
        talk "two"
        hang_up
        peer "SIGTERM"
        stop TERM
        assert_success
        assert_output "loop 1 served 2 clients"
    done
}

# lab: points=3 task=11 needs="on_message, end to end/sends back what comes" read="The echo server" likely="a line goes back with its newline, a frame with its length in front, in the order of bytes in which it came"
@test "sends back lines and frames" {
    start loop-echo-server --unpack lines ::1 0
    open_client
    peer "sent half a line, and heard nothing; then the rest, and an empty one, and half a line"
    printf 'hel' >&"$client"
    printf 'lo\n\nhalf' >&"$client"
    hear
    assert_output "hello"
    hear
    assert_output ""
    hang_up
    for order in length32be '\0\0\1\4' '\0\0\0\0' length32le '\4\1\0\0' '\0\0\0\0'; do
        if [[ $order == length* ]]; then
            format=$order
            start loop-echo-server --unpack "$format" "$PWD/socket"
            : >frames
            continue
        fi
        # shellcheck disable=SC2059 # the bytes are a format
        printf "$order" >>frames
        [[ $order == '\0\0\0\0' ]] || printf '%0260d' 7 >>frames
        peer "a client of --unpack $format sent a frame of 260 bytes, or that and an empty one, and half of one"
        { cat frames && printf '\0\0'; } | nc -N -U "$path" >output
        same frames output
        [[ $order != '\0\0\0\0' ]] || stop TERM
    done
}

# lab: points=3 task=11 needs="end to end/sends back what comes" read="Back-pressure" likely="nothing waits for one client: what send() does not take is kept, and half a message too"
@test "keeps nobody waiting for a slow client" {
    start loop-echo-server --linger 20 --unpack lines "$PWD/socket"
    server=$pid
    peer "one client sends 8 MB of lines and reads nothing; another one sends a byte, and waits"
    yes "a line that is to come back" 2>/dev/null | head -c 8000000 >greedy || :
    launch socat -u OPEN:greedy UNIX-CONNECT:socket
    launch socat -u - UNIX-CONNECT:socket
    tell "a"
    for turn in 1 2 3; do
        nc -N -U socket <<<"hello $turn" >output
        assert_equal "$(<output)" "hello $turn"
    done
    read -r _ memory _ < <(grep VmRSS "/proc/$server/status")
    you "took $memory KB of memory"
    expected "a bounded piece of memory for each client"
    ((memory < 200000))
    stop TERM "$server"
    assert_success
    refute [ -e socket ]
}

# lab: points=2 task=11 needs="loops_start/deals_clients_round, end to end/sends back what comes" read="Several loops" likely="--loops and --balance go into struct loops_settings; how many clients each loop has had is printed at the end"
@test "shares its clients between several loops" {
    start loop-echo-server --linger 20 --loops 3 --balance round-robin 127.0.0.1 0
    for turn in 1 2 3 4 5 6; do
        open_client
        talk "hello $turn"
    done
    peer "six clients came to three loops"
    stop INT
    assert_success
    assert_output $'loop 1 served 2 clients\nloop 2 served 2 clients\nloop 3 served 2 clients'
    start loop-echo-server --loops 2 --balance least "$PWD/socket"
    nc -N -U socket <<<"hello" >output
    assert_equal "$(<output)" "hello"
    start loop-echo-server --linger 20 --loops 2 --balance random 127.0.0.1 0
    open_client
    talk "hello"
}

# lab: points=3 task=11 needs="loop_stop/answers_what_has_come, end to end/sends back what comes" read="Stopping" likely="what had come before SIGTERM is answered, the streams are ended, and the clients have --linger to read"
@test "answers all that has come before it stops" {
    start loop-echo-server --unpack lines --linger 60000 127.0.0.1 0
    open_client
    talk "ready"
    kill -STOP "$pid"
    peer "sent 2000 lines while the server slept; then SIGTERM came, and the server woke"
    seq 2000 >input
    cat input >&"$client"
    kill -TERM "$pid"
    kill -CONT "$pid"
    cat <&"$client" >output
    same input output
    hang_up
    finish
    assert_success
    assert_output "loop 1 served 1 clients"
}

# lab: points=2 task=11 needs="loop_run/ends_who_is_idle, end to end/sends back what comes" read="Time" likely="--idle is idle_ms of the loop: a client that says nothing for so long is closed"
@test "ends who is idle and says what is wrong" {
    start loop-echo-server --idle 30 --linger 20 127.0.0.1 0
    open_client
    peer "connected, with --idle 30, and said nothing"
    hear_end
    assert_output ""
    likely "status 1 and a line on standard error when it cannot listen, 2 and the usage when the arguments make no sense"
    for wrong in "" "--loops 0 $host 0" "--unpack no $host 0" "--backend no $host 0" "--balance no $host 0" "--linger" "--new 1 $host 0" "a b c"; do
        code=0
        # shellcheck disable=SC2086 # arguments
        ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 loop-echo-server $wrong >printed 2>complaints || code=$?
        you "loop-echo-server $wrong: status $code"
        expected "status 2, and the usage"
        assert_equal "$code" 2
        assert_regex "$(<complaints)" "usage"
    done
    code=0
    loop-echo-server --loops 2 "$host" "$port" >printed 2>complaints || code=$?
    you "status $code where another server listens"
    expected "status 1, and a line on standard error"
    assert_equal "$code" 1
    refute [ ! -s complaints ]
}
