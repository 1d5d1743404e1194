# End to end: chat-server and chat-client, beside netcat, socat, bash and (for packets) Python.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# said_why: the program that ran last ended with status 1, and a line on standard error.
said_why() {
    assert_equal "status $status" "status 1"
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
}

# comes NUMBER: a plain client connects, and is told that number. Sets $client.
comes() {
    open_client
    hear
    assert_output "* you are $1"
}

# lab: points=3 task=9 needs="server_threads/tells_all_but_the_sender" read="Your tasks" likely="snprintf() the number, then the line, byte by byte (memcpy), then a newline: one broadcast() of all of it"
@test "what one says the others hear" {
    start chat-server 127.0.0.1 0 "$PWD/socket"
    server=$pid
    [[ $line == "listening on 127.0.0.1:"* ]] || expected "listening on 127.0.0.1:PORT"
    assert_regex "$line" '^listening on 127\.0\.0\.1:[1-9][0-9]*$'
    next_line
    assert_equal "$line" "listening on $PWD/socket"
    peer "two clients connected to HOST and PORT, nc to PATH; the first one said \"hello\""
    comes 1
    first=$client
    likely "\"1 came from ...\" is printed, and then fflush(stdout): whoever reads it is waiting"
    next_line
    assert_regex "$line" '^1 came from 127\.0\.0\.1:[1-9][0-9]*$'
    comes 2
    second=$client
    next_line "$server"
    launch nc -U "$PWD/socket"
    third=$pid
    next_line
    assert_equal "$line" "* you are 3"
    next_line "$server"
    assert_equal "$line" "3 came from unnamed"
    say "hello" "$first"
    hear "$second"
    assert_output "1: hello"
    next_line "$third"
    assert_equal "$line" "1: hello"
    peer "then the second one said \"you\""
    likely "the sender does not hear what it has said: broadcast() leaves it out, and nothing else is sent to it"
    say "you" "$second"
    hear "$first"
    assert_output "2: you"
    peer "then the second one said bytes that are no text, of which one is 0"
    likely "a line is bytes, as many as length says: memcpy(), not snprintf() or strlen()"
    printf '\377\200\0end\n\nlast\n' >&"$second"
    local LC_ALL=C
    IFS= read -r -t "$LAB_PATIENCE" -u "$first" -d '' output
    assert_output $'2: \377\200'
    IFS= read -r -t "$LAB_PATIENCE" -u "$first" output
    assert_output "end"
    hear "$first"
    assert_output "2: "
    hear "$first"
    assert_output "2: last"
    peer "then the third one said something"
    likely "the sender does not hear what it has said"
    tell "and I" # nc's input
    hear "$first"
    assert_output "3: and I"
    hear "$second"
    assert_output "3: and I"
    hang_up "$first"
    hang_up "$second"
    likely "the server ends with status 0, and has given back all that it allocated: each malloc() has its free()"
    stop TERM "$third"
    stop TERM "$server"
    assert_success
}

# lab: points=2 task=9 needs="end to end/what one says the others hear" read="How a connection ends" requires="python3" likely="\"/quit\" is answered \"* bye\", and then close(); report() prints why a client went"
@test "the server says who comes and who goes" {
    start chat-server --most 2 127.0.0.1 0
    kill -URG "$pid" # a signal that means nothing to it
    comes 1
    first=$client
    comes 2
    second=$client
    next_line
    next_line
    assert_regex "$line" '^2 came from 127\.0\.0\.1:'
    peer "--most 2, two clients are there, and a third one connected"
    open_client
    hear
    assert_output "* full"
    hear_end
    assert_output ""
    hang_up
    peer "the second one said \"/quite\", \"/qui\" and \"/quit\""
    likely "\"/quit\" is the whole line: 5 bytes, and those"
    printf '/quite\n/qui\n/quit\nmore\n' >&"$second"
    hear "$first"
    assert_output "2: /quite"
    hear "$first"
    assert_output "2: /qui"
    hear "$second"
    assert_output "* bye"
    hear_end "$second"
    assert_output ""
    hang_up "$second"
    likely "report() prints, and then fflush(stdout): whoever reads it is waiting"
    next_line
    assert_equal "$line" "2 went: closed"
    peer "the next one said \"here\""
    comes 3
    next_line
    likely "\"/quit\" is answered, and not passed on"
    say "here"
    hear "$first"
    assert_output "3: here"
    peer "then it sent a line of 65537 bytes"
    likely "LONGEST is 65536: that many bytes are a line, one more is too many"
    printf -v long %065536d 0
    printf '%s\n' "$long" >&"$client"
    assert_equal "$(head -c 65540 <&"$first" | wc -c) bytes" "65540 bytes" # bash would read them one by one
    printf '%s0\n' "$long" >&"$client"
    hear_end
    hang_up
    next_line
    assert_equal "$line" "3 went: long"
    peer "the first one closed its connection"
    likely "report() has a word for each enum server_end"
    hang_up "$first"
    next_line
    assert_equal "$line" "1 went: ended"
    peer "two others came (Python); one said \"hello\", the other one counted the segments that brought \"4: hello\" or \"5: hello\""
    likely "number, line and newline are one message: one broadcast() of all of it, or another client's line might come between"
    run -0 python3 -I -S -c "
import socket, struct, sys
def come():
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    f = s.makefile('rb')
    f.readline()
    return s, f
def segments(s): # with data, as tcp(7) counts them (Linux 4.6)
    s.setsockopt(socket.IPPROTO_TCP, 12, 1) # TCP_QUICKACK: nothing waits for an acknowledgement
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return struct.unpack_from('I', info, 152)[0] if len(info) >= 156 else 0
(one, _), (two, heard) = come(), come()
fewest = 9
for i in range(5): # one that is sent again for want of time counts twice
    before = segments(two)
    one.sendall(b'hello\n')
    heard.readline()
    fewest = min(fewest, segments(two) - before)
print(fewest, 'segments')
" "$host" "$port"
    [[ $output == [01]" segments" ]] || you "sent it in $output"
    assert_regex "$output" '^[01] segments$'
    stop INT
    assert_success
}

# lab: points=2 task=9 needs="end to end/what one says the others hear" read="Who does not read" likely="MOST_WAITING bytes wait for a client at the most; chat-server has nothing to do for it but to print \"slow\""
@test "a client that does not read is cut off" {
    local all='' i n
    start chat-server 127.0.0.1 0 "$PWD/socket"
    server=$pid
    next_line
    launch nc -U "$PWD/socket"
    next_line
    kill -STOP "$pid"
    deaf=$pid
    comes 2
    wait_for_line '^2 came' "$server"
    peer "client 1 does not read (nc, stopped); three others said 4 lines of 60000 bytes each, and client 2 heard them"
    printf -v lines '%060000d\n' {1..4}
    for i in 3 4 5; do
        nc -N -U "$PWD/socket" < <(printf '%s' "$lines") >/dev/null
        head -c 240016 <&"$client" >heard # less than MOST_WAITING
        n=$(grep -c "^$i: 0*[0-9]*$" heard || :)
        you "sent $n whole lines to client 2"
        expected "all 4 lines for the one that reads"
        assert_equal "$n" 4
    done
    for i in {1..7}; do # three come and go, one goes: in what order is not asked
        next_line "$server"
        all+="$line;"
    done
    you "printed \"$all\""
    expected "1 went: slow"
    [[ ";$all" == *";1 went: slow;"* ]]
    kill -CONT "$deaf"
    hang_up
    stop TERM "$server"
    assert_success
}

# lab: points=2 task=9 needs="end to end/what one says the others hear, server_threads/stops_when_all_is_said" read="Stop, and lose nothing" likely="sigwait() in main(), then stop(); the signals are blocked before start(), so that no thread takes them"
@test "a stop loses no line" {
    start chat-server --linger 3000 127.0.0.1 0
    server=$pid
    comes 1
    first=$client
    comes 2
    peer "client 2 said 500 lines at once, and SIGTERM came when client 1 had heard the first"
    printf '%s\n' {1..500} >lines
    cat lines >&"$client" # one write, one segment
    hear "$first"
    assert_output "2: 1"
    kill -TERM "$server"
    hear_end "$first"
    you "sent client 1 the lines up to \"${output##*$'\n'}\""
    expected "all lines up to \"2: 500\""
    assert [ "$output" = "$(printf '2: %s\n' {2..500})" ]
    hear_end
    assert_output ""
    hang_up "$first"
    hang_up
    finish "$server"
    assert_success
    peer "another one has a client that does not end its stream, --linger 10, and SIGTERM"
    start chat-server --linger 10 127.0.0.1 0
    comes 1
    stop TERM
    assert_success
}

# lab: points=3 task=10 needs="end to end/what one says the others hear" read="Your tasks" man="2 poll" likely="poll() for both at once: standard input and the connection; at the end of the input shutdown(SHUT_WR), and go on until the server's end"
@test "the client says and hears at the same time" {
    start chat-server 127.0.0.1 0 "$PWD/socket"
    server=$pid
    next_line
    launch chat-client "$host" "$port"
    one=$pid
    next_line
    assert_equal "$line" "* you are 1"
    comes 2
    peer "client 2 said \"hello\", chat-client's standard input \"you\" and an empty line"
    say "hello"
    next_line "$one"
    assert_equal "$line" "2: hello"
    tell "you"
    hear
    assert_output "1: you"
    tell "" # a newline: one byte
    hear
    assert_output "1: "
    peer "then client 2 went, and chat-client said one more line, which was its last"
    say "/quit"
    hear_end
    assert_output "* bye"
    hang_up
    tell "one more"
    end_input
    finish "$one"
    assert_success
    assert_output ""
    peer "chat-client spoke to the path, with its input from a file of 2000 lines"
    comes 3
    printf '%07d\n' {1..2000} >lines
    attempt chat-client "$PWD/socket" <lines
    assert_success
    assert_output "* you are 4"
    kill -TERM "$server"
    cat <&"$client" >heard
    hang_up
    finish "$server"
    assert_success
    printf '4: %07d\n' {1..2000} >lines
    same heard lines || fail "$(grep -c '^4: ' heard || :) of the 2000 lines were heard"
    peer "another server (socat) answered when chat-client's input had ended"
    echo 'read -r line; [ "$line" != early ] || { echo early; cat; echo late; }' >commands
    start socat -d -d -lf /dev/stdout TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:'sh commands',nofork
    until [[ $line == *"listening on "* ]]; do next_line; done
    attempt chat-client 127.0.0.1 "${line##*:}" <<<"early"
    assert_success
    assert_output $'early\nlate'
    peer "it closed with bytes unread: a reset"
    likely "read() of the connection says -1: that is no end of the stream, but an error"
    attempt chat-client 127.0.0.1 "${line##*:}" <<<$'reset\nunread'
    said_why
}

# lab: points=1 task=10 needs="end to end/the client says and hears at the same time" read="Your tasks" man="3 perror" likely="check each call's result: status 1 and a line on standard error when one fails, 2 for wrong arguments"
@test "the programs say what is wrong" {
    start chat-server --linger 2147483647 127.0.0.1 0
    server=$pid
    peer "another server listens there already"
    attempt chat-server "$host" "$port"
    said_why
    launch chat-client "$host" "$port"
    client=$pid
    next_line
    peer "standard input cannot be read (a folder)"
    attempt chat-client "$host" "$port" <.
    said_why
    peer "nobody reads standard output: a pipe whose other end is closed"
    likely "without signal(SIGPIPE, SIG_IGN) nobody hears why it ended"
    open_unread
    status=0
    chat-client "$host" "$port" 1>&"$unread" 2>complaints || status=$?
    stderr=$(<complaints)
    exec {unread}>&-
    said_why
    peer "the server stopped: the end of its stream is no error"
    likely "check each call's result: status 1 and a line on standard error when one fails, 2 for wrong arguments"
    kill -TERM "$server"
    finish "$client"
    assert_success
    peer "nobody listens any more"
    finish "$server"
    attempt chat-client "$host" "$port"
    said_why
    for arguments in "--most 1" "--most 0 127.0.0.1 0" "--linger -1 127.0.0.1 0" "--linger 1a 127.0.0.1 0" "--least 1 127.0.0.1 0" "127.0.0.1 0 a b"; do
        peer "chat-server's arguments were \"$arguments\""
        # shellcheck disable=SC2086 # several arguments
        attempt chat-server $arguments
        assert_failure 2
        assert_regex "$stderr" "[Uu]sage"
    done
    attempt chat-client
    assert_failure 2
    assert_regex "$stderr" "[Uu]sage"
}
