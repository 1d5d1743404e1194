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

# halted: does it sleep, by SIGSTOP, with all its threads?
halted() {
    local task state
    for task in "/proc/$pid/task"/*; do
        read -r _ _ state _ <"$task/stat"
        [[ $state == T ]] || return
    done
}

# arrived N: do so many bytes lie in the kernel for the server?
arrived() {
    local here state queues
    while read -r _ here _ state queues _; do
        [[ $state != 01 || $((16#${here#*:})) -ne $port ]] || ((16#${queues#*:} < $1)) || return 0
    done < <(tail -n +2 /proc/net/tcp)
    return 1
}

# lab: points=6 task=11 needs="on_message, loop_run/serves_by_epoll, loop_send/presses_back_by_epoll, loops_start/deals_clients_round" read="The echo server" likely="each message goes back by loop_send(): three functions of a line or two"
@test "sends back what comes" {
    start loop-echo-server --unpack none --linger 20 --loops 3 --balance round-robin --idle 60000 127.0.0.1 0
    assert_equal "$line" "listening on 127.0.0.1:$port"
    seq 30000 >input
    peer "nc sent 169 KB, and ended its stream"
    nc -N "$host" "$port" <input >output
    same input output
    for turn in 2 3 4; do
        open_client
        peer "client $turn sent \"one\", and \"two\" when it had that back"
        talk "one"
        talk "two"
    done
    peer "SIGTERM"
    stop TERM
    assert_success
    assert_output $'loop 1 served 2 clients\nloop 2 served 1 clients\nloop 3 served 1 clients'
    likely "a frame goes back with its length in front, in the order of bytes in which it came"
    for order in length32be length32le; do
        head='\0\0\1\4'
        [[ $order = length32be ]] || head='\4\1\0\0'
        # shellcheck disable=SC2059 # the bytes are a format
        printf "$head%0260d\0\0\0\0" 7 >frames
        start loop-echo-server --unpack "$order" --balance random "$PWD/$order"
        peer "a client of --unpack $order sent a frame of 260 bytes, an empty one, and half of one"
        { cat frames && printf '\0\0'; } | nc -N -U "$path" >output
        same frames output
        stop TERM
    done
}

# lab: points=2 task=11 needs="end to end/sends back what comes" read="Back-pressure" likely="nothing waits for one client: what send() does not take is kept, and half a message too"
@test "keeps nobody waiting for a slow client" {
    start loop-echo-server --linger 20 --unpack lines "$PWD/socket"
    server=$pid
    peer "one client sends 6 MB of lines and reads nothing; another one says \"hello\""
    seq 100000100 100700000 >greedy
    launch socat -u OPEN:greedy UNIX-CONNECT:socket
    nc -N -U socket <<<"hello" >output
    assert_equal "$(<output)" "hello"
    read -r _ memory _ < <(grep VmRSS "/proc/$server/status")
    you "took $memory KB of memory"
    expected "a bounded piece of memory for each client"
    ((memory < 200000))
    stop TERM "$server"
    assert_success
    refute [ -e socket ]
}

# lab: points=3 task=11 needs="loop_stop/answers_what_has_come, end to end/sends back what comes" read="Stopping" likely="a line goes back with its newline; what had come before SIGTERM is answered, the streams are ended, and the clients have --linger to read"
@test "answers all that has come before it stops" {
    start loop-echo-server --backend poll --unpack lines --linger 60000 127.0.0.1 0
    open_client
    peer "sent half a line, and heard nothing; then the rest, and an empty one"
    printf 'hel' >&"$client"
    printf 'lo\n\n' >&"$client"
    hear
    assert_output "hello"
    hear
    assert_output ""
    kill -STOP "$pid"
    await halted
    peer "sent 2000 lines while the server slept; then SIGTERM came, and the server woke"
    seq 2000 >input
    cat input >&"$client"
    await arrived 8893
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
    start loop-echo-server --idle 30 --linger 20 --backend epoll --balance least 127.0.0.1 0
    open_client
    peer "connected, with --idle 30, and said nothing"
    hear_end
    assert_output ""
    likely "status 1 and a line on standard error when it cannot listen, 2 and the usage when the arguments make no sense"
    for wrong in "--loops 0 $host 0" "--unpack no $host 0" "--idle 3x $host 0" "--linger" "--nonsense 3 $host 0" "a b c"; do
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
