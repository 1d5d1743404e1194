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
    start bash -c 'exec socat -d -d "$@" 2>&1' _ "$@"
    until [[ $line == *"listening on "* ]]; do next_line; done
    host=127.0.0.1 port=${line##*:}
}
listener=TCP-LISTEN:0,bind=127.0.0.1

# sends FILE ARGUMENT...: a burst-sender with these arguments sends what the file holds.
sends() {
    local file=$1
    shift
    listen -u "$listener" CREATE:got
    run --separate-stderr burst-sender "${@//PORT/$port}"
    [[ $stderr != *"not implemented"* ]] || likely "this is the starter's answer: the TODO says what to write"
    assert_success
    finish
    you "sent $(cat -v got)"
    expected "$(cat -v "$file")"
    run -0 cmp got "$file"
}

# said_why: the program that ran last ended with status 1, and a line on standard error.
said_why() {
    assert_equal "status $status" "status 1"
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
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
    seq 10001 12000 >stream # more than a read brings
    sed 's/.*/5 "&"/; $a end' stream >expected
    peer "sent $(wc -c <stream) bytes, 2000 messages"
    nc -N "$host" "$port" <stream >/dev/null
    stop
    printf '%s\n' "$output" >got
    you "printed $(wc -l <got) lines, the last one ${lines[-1]}"
    expected "2001 lines, the last one end"
    run -0 cmp got expected
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
    peer "then the receiver was started again, and stopped at once"
    receive none
    stop TERM
    assert_success
    peer "then another program listens there"
    listen -u "$listener" CREATE:got
    run --separate-stderr splitter-receiver "$host" "$port"
    said_why
    for arguments in "--unpack fixed:6 --max 5" "--unpack fixed:5x" "--unpack fixed:-5" "--max" "--unpack delimiter:123456789" \
        "--unpack other" "--min 5" "more"; do
        peer "then the arguments were $arguments 127.0.0.1 0"
        # shellcheck disable=SC2086 # several
        run -2 --separate-stderr splitter-receiver $arguments 127.0.0.1 0
        assert_regex "$stderr" "[Uu]sage"
    done
}

# lab: points=4 task=8 needs="write_all" read="One write is not one message" man="3 snprintf" likely="each message once, its delimiter behind it, and nothing else: no NUL, no newline"
@test "the sender sends each message and nothing else" {
    printf 'onetwothree' >bare
    printf 'one;\n\n;\nthree;\n;\n' >delimited
    peer "reads what one, two, three become"
    sends bare 127.0.0.1 PORT one two three
    peer 'then what "one", "" (with a newline), "three", "" become, with the delimiter ";\n"'
    sends delimited --nodelay --delimiter $';\n' 127.0.0.1 PORT one $'\n' three ''
}

# lab: points=2 task=8 needs="end to end/the sender sends each message and nothing else" read="Your tasks" man="3 nanosleep" likely="between two messages sleep for the gap: sleep_for() takes microseconds"
@test "the sender leaves a gap between messages" {
    printf 'onetwothree' >bare
    peer "reads what comes with a gap of 40000 microseconds between two of three messages"
    listen -u "$listener" CREATE:got
    begin=${EPOCHREALTIME/./}
    run -0 burst-sender --gap 40000 127.0.0.1 "$port" one two three
    took=$((${EPOCHREALTIME/./} - begin))
    finish
    run -0 cmp got bare
    if ((took < 80000)); then
        you "took $took microseconds"
        expected "two gaps: 80000 microseconds at least"
        return 1
    fi
    peer "reads what one message of 100000 bytes becomes, with a gap of 10 minutes between two"
    printf -v long '%0100000d' 7
    listen -u "$listener" CREATE:got
    run timeout 2 burst-sender --gap 600000000 127.0.0.1 "$port" "$long"
    if ((status == 124)); then
        likely "the gap is between two messages: none before the first, and none behind the last"
        you "were still asleep after 2 s"
        expected "the end, as soon as the message was sent"
    fi
    assert_success
    finish
    likely "a message may be of any length: take as much memory as it and the delimiter need"
    you "sent $(wc -c <got) bytes"
    expected "100000 bytes"
    printf %s "$long" >long
    run -0 cmp got long
}

# lab: points=2 task=8 needs="end to end/the sender sends each message and nothing else" read="The calls" man="2 send" likely="write_all() says that it failed: then stop, and return false with errno as it was set"
@test "the sender says what is wrong" {
    peer "accepted, and reset the connection, while 50 messages were to be sent, one every 2 ms"
    listen -u /dev/null "$listener,linger=0"
    # shellcheck disable=SC2046 # 50 words
    run --separate-stderr burst-sender --gap 2000 127.0.0.1 "$port" $(seq 50)
    said_why
    finish
    peer "then nobody listens any more"
    run --separate-stderr burst-sender 127.0.0.1 "$port" one
    said_why
    for arguments in "--gap x 127.0.0.1 $port one" "--gap -1 127.0.0.1 $port one" "--gap 1x 127.0.0.1 $port one" "--other 1 127.0.0.1 $port one" \
        "--delimiter" "127.0.0.1 $port"; do
        peer "then the arguments were $arguments"
        # shellcheck disable=SC2086 # several
        run -2 --separate-stderr burst-sender $arguments
        assert_regex "$stderr" "[Uu]sage"
    done
}

# lab: points=4 task=8 needs="end to end/the sender sends each message and nothing else, end to end/the receiver prints the messages of a stream" read="The packet is not sticky" man="7 tcp" likely="none: recv() brings all that has come; with a delimiter the splitter finds the messages again"
@test "messages stick and a splitter finds them again" {
    for mode in none 'delimiter:;'; do
        receive "$mode"
        receiver=$pid
        peer 'sent "one;two;;three;" with TCP_NODELAY and a gap, while the receiver was busy with another client'
        open_client
        run -0 burst-sender --nodelay --gap 1000 --delimiter ';' "$host" "$port" one two '' three
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
