# End to end: splitter-receiver and burst-sender, beside netcat and socat.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# receive MODE [OPTION...]: start a receiver with --unpack MODE
receive() {
    start splitter-receiver --unpack "$@" 127.0.0.1 0
}

# send_all FORMAT: send what printf makes of it, and end the stream. Returns when the receiver has closed.
send_all() {
    # shellcheck disable=SC2059 # a format is what it is
    printf -- "$1" | nc -N "$host" "$port" >/dev/null 2>&1 || :
}

# send_piece FORMAT: to the client that is open
send_piece() {
    # shellcheck disable=SC2059
    (printf -- "$1" >&"$client") 2>/dev/null || :
}

# prints LINE...: the receiver's next lines are these
prints() {
    local all
    for all; do
        expected "$all"
        next_line "$receiver" || return
        [[ $line == "$all" ]] || you "printed $line"
        [[ $line != "error: Function not implemented" ]] || likely "this is the starter's answer: the TODO says what to write"
        assert_equal "$line" "$all"
    done
}

# listen ARGUMENT...: a receiver of the test's own for one sender: socat with these arguments. Sets $host, $port and $pid.
listen() {
    start socat -d -d -lf /dev/stdout "$@"
    until [[ $line == *"listening on "* ]]; do next_line; done
    host=127.0.0.1 port=${line##*:}
}
listener=TCP-LISTEN:0,bind=127.0.0.1

# sends FILE ARGUMENT...: a burst-sender with these arguments sends what the file holds.
sends() {
    local file=$1
    shift
    listen -u "$listener" CREATE:got
    attempt "${@//PORT/$port}"
    [[ $stderr != *"not implemented"* ]] || likely "this is the starter's answer: the TODO says what to write"
    ((status != 124)) || you "were still asleep after 2 s"
    assert_success
    finish
    same got "$file" && return
    (($(wc -c <got) > 200)) || you "sent $(cat -v got)"
    return 1
}

# said_why: the program that ran last ended with status 1, and a line on standard error.
said_why() {
    assert_equal "status $status" "status 1"
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
}

# misused PROGRAM ARG...: the program ends with status 2, and says how it is used. (What it had then is of no interest.)
misused() {
    peer "then the arguments were ${*:2}"
    ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 attempt "$@"
    assert_failure 2
    assert_regex "$stderr" "[Uu]sage"
}

# lab: points=5 task=7 needs="splitter_next, splitter_end" read="Three ways to cut a stream" man="2 recv" likely="after each read take out every message that is there, not only the first; at recv() = 0 ask splitter_end()"
@test "the receiver prints the messages of a stream" {
    receive fixed:5
    receiver=$pid
    peer 'nc -N sent "HelloWorld" and ended its stream'
    send_all HelloWorld
    prints '5 "Hello"' '5 "World"' end
    peer 'the next one sent "again!!"'
    send_all 'again!!'
    prints '5 "again"' 'end, 2 left over: "!!"'
    peer 'the next one sent nothing'
    send_all ''
    prints end
}

# lab: points=4 task=7 needs="end to end/the receiver prints the messages of a stream" read="A delimiter in two pieces" man="3 fflush" likely="feed what recv() returned, n bytes and no more, and fflush(stdout) before the next read: whoever watches sees each message when it comes"
@test "the receiver prints a message as soon as it is whole" {
    receive delimiter:--
    receiver=$pid
    open_client
    peer 'sent "one--two-"'
    send_piece 'one--two-'
    prints '3 "one"'
    peer 'then "-"'
    send_piece '-'
    prints '3 "two"'
    peer 'then "---a\0\"\\~ \n\377---"'
    send_piece '---a\0"\\~ \n\377---'
    prints '0 ""' '9 "-a\x00\x22\x5c~ \x0a\xff"'
    peer 'then a message of 300 bytes, and "-\0-"'
    likely "a message has any length, and any bytes: a size_t is printed by %zu, what is in the quotes by print_quoted(), also at the end"
    send_piece "$(printf '%0299d' 7)--"'-\0-'
    prints "300 \"-$(printf '%0299d' 7)\""
    peer 'then ended its stream'
    hang_up
    prints 'end, 3 left over: "-\x00-"'
}

# lab: points=3 task=7 needs="end to end/the receiver prints the messages of a stream" read="One read is not one message" man="2 recv" likely="one recv() is not the whole stream: go on until it returns 0"
@test "the receiver prints a long stream" {
    receive delimiter:$'\n'
    receiver=$pid
    printf '%011d\n' {1..1000} >stream # more than a read brings
    printf -v all '11 "%011d"\n' {1..1000}
    peer "sent 12000 bytes, 1000 messages"
    nc -N "$host" "$port" <stream >/dev/null
    stop
    if [[ $output != "${all}end" ]]; then
        you "printed ${#lines[@]} lines, the last one ${lines[-1]}"
        expected "1001 lines, the last one end"
        return 1
    fi
}

# lab: points=4 task=7 needs="end to end/the receiver prints the messages of a stream" read="A limit for a stranger" man="2 recv" likely="return false, with errno as it was set, as soon as a call fails: serve() tells it, closes, and the next client is served"
@test "the receiver lives on after a stream that makes no sense" {
    receive 'delimiter:;' --max 5
    receiver=$pid
    open_client
    peer 'sent "ok;12345;123456;ok;" and did not end its stream'
    send_piece 'ok;12345;123456;ok;'
    prints '2 "ok"' '5 "12345"' 'error: Message too long'
    before=$(fd_count "$receiver")
    peer 'the next one sent "half" and reset the connection'
    printf 'half' | socat -u - "TCP:$host:$port,linger=0,shut-none,end-close"
    prints 'error: Connection reset by peer'
    peer 'the next one sent "whole;"'
    send_all 'whole;'
    prints '5 "whole"' end
    hang_up
    left=$(($(fd_count "$receiver") - before - 1)) # the last one may be about to be closed
    if ((left > 0)); then
        you "had $left descriptors more than before"
        expected "all of them closed"
        return 1
    fi
}

# lab: points=2 task=7 needs="end to end/the receiver prints a message as soon as it is whole" read="Your tasks" man="7 signal-safety" likely="leave what is given in main() as it is: SIGINT and SIGTERM end the program with status 0, and wrong arguments with 2"
@test "the receiver can be stopped and says what is wrong" {
    receive none
    receiver=$pid
    open_client
    peer 'sent "half" and did not end its stream'
    send_piece half
    prints '4 "half"'
    stop INT
    assert_success
    hang_up
    peer "then the receiver was started again, and another one was to listen there"
    receive none
    attempt splitter-receiver "$host" "$port"
    said_why
    peer "then it was stopped at once"
    stop TERM
    assert_success
    misused splitter-receiver --unpack fixed:6 --max 5 127.0.0.1 0
    misused splitter-receiver --unpack fixed:5x 127.0.0.1 0
    misused splitter-receiver --unpack other 127.0.0.1 0
    misused splitter-receiver --min 5 127.0.0.1 0
    misused splitter-receiver 127.0.0.1 0 more
    misused splitter-receiver --max
}

# lab: points=4 task=8 needs="write_all" read="One write is not one message" man="3 snprintf" likely="each message once, its delimiter behind it, and nothing else: no NUL, no newline"
@test "the sender sends each message and nothing else" {
    printf 'one;\n\n;\nthree;\n;\n' >delimited
    peer 'reads what "one", "" (with a newline), "three", "" become, with the delimiter ";\n"'
    sends delimited burst-sender --nodelay --delimiter $';\n' 127.0.0.1 PORT one $'\n' three ''
}

# lab: points=2 task=8 needs="end to end/the sender sends each message and nothing else" read="Your tasks" man="3 nanosleep" likely="between two messages sleep for the gap: sleep_for() takes microseconds"
@test "the sender leaves a gap between messages" {
    printf 'onetwothree' >bare
    peer "reads what comes with a gap of 40000 microseconds between two of three messages, without a delimiter"
    begin=${EPOCHREALTIME/./}
    sends bare burst-sender --gap 40000 127.0.0.1 PORT one two three
    took=$((${EPOCHREALTIME/./} - begin))
    if ((took < 80000)); then
        you "took $took microseconds"
        expected "two gaps: 80000 microseconds at least"
        return 1
    fi
    peer "reads what one message of 100000 bytes becomes, with a gap of 10 minutes between two"
    printf -v long '%0100000d' 7
    printf %s "$long" >long
    likely "the gap is between two messages, none before the first, and none behind the last; and a message may be of any length: take as much memory as it and the delimiter need"
    sends long timeout 2 burst-sender --gap 600000000 127.0.0.1 PORT "$long"
}

# lab: points=2 task=8 needs="end to end/the sender sends each message and nothing else" read="The calls" man="2 send" likely="write_all() says that it failed: then stop, and return false with errno as it was set"
@test "the sender says what is wrong" {
    peer "accepted, and reset the connection, while 50 messages were to be sent, one every 2 ms"
    listen -u /dev/null "$listener,linger=0"
    attempt burst-sender --gap 2000 127.0.0.1 "$port" {1..50}
    said_why
    finish
    peer "then nobody listens any more"
    attempt burst-sender 127.0.0.1 "$port" one
    said_why
    misused burst-sender --gap -1 127.0.0.1 "$port" one
    misused burst-sender --gap 1x 127.0.0.1 "$port" one
    misused burst-sender --other 1 127.0.0.1 "$port" one
    misused burst-sender --delimiter
    misused burst-sender 127.0.0.1 "$port"
}

# lab: points=4 task=8 needs="end to end/the sender sends each message and nothing else, end to end/the receiver prints the messages of a stream" read="The packet is not sticky" man="7 tcp" likely="none: recv() brings all that has come; with a delimiter the splitter finds the messages again"
@test "messages stick and a splitter finds them again" {
    for mode in none 'delimiter:;'; do
        receive "$mode"
        receiver=$pid
        peer 'sent "one;two;;three;" with TCP_NODELAY and a gap, while the receiver was busy with another client'
        open_client
        attempt burst-sender --nodelay --gap 1000 --delimiter ';' "$host" "$port" one two '' three
        assert_success
        hang_up
        prints end
        if [[ $mode == none ]]; then
            prints '15 "one;two;;three;"' end
        else
            prints '3 "one"' '3 "two"' '0 ""' '5 "three"' end
        fi
        stop
    done
}
