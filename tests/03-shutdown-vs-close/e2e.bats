# End to end: count-server and count-client, beside netcat and socat.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# answers LINE: what the server sends to nc, which sends its own standard input and ends its stream, is this line and no
# byte more.
answers() {
    nc -N "$host" "$port" >answer 2>/dev/null || : # what nc thinks of an RST is its own business
    run -0 cat -v answer                           # a NUL is ^@
    [[ -n $output ]] || likely "no answer came: recv() until it returns 0, answer then, and close in order"
    if [[ $output == "$1"$'\n'^@ ]]; then
        you "sent \"$1\\n\\0\""
        likely "send as many bytes as snprintf() returned: the NUL behind them is no part of the text"
    fi
    assert_output "$1"
}

# With these options socat ends a connection by an RST and no FIN before it.
reset=,linger=0,shut-none,end-close

# serve_with ARGUMENT...: a server of the test's own for one client: socat with these arguments. Sets $host, $port and $pid.
serve_with() {
    start bash -c 'exec socat -d -d -t 60 "$@" 2>&1' _ "$@"
    until [[ $line == *"listening on "* ]]; do next_line; done
    host=127.0.0.1 port=${line##*:}
}
listener=TCP-LISTEN:0,bind=127.0.0.1

# has_read: has the server accepted (an inode) and read (no queue on either side) what was said?
has_read() {
    local name remote status queues inode place accepted=1
    printf -v place ':%04X' "$port"
    while read -r _ name remote status queues _ _ _ _ inode _; do
        [[ $status == 01 && $name$remote == *"$place"* ]] || continue
        [[ $queues == 00000000:00000000 ]] || return 1
        [[ $name != *"$place" || $inode == 0 ]] || accepted=0
    done </proc/net/tcp
    return "$accepted"
}

# client FILE: run count-client; the file is its input, and its output is put into the file got.
client() {
    # shellcheck disable=SC2016 # the inner bash expands them
    run --separate-stderr bash -c 'count-client "$1" "$2" <"$3" >got' _ "$host" "$port" "$1"
    [[ $stderr != *"not implemented"* ]] || likely "this is the starter's answer: the TODO says what to write"
}

# said_why: the program that ran last ended with status 1, and a line on standard error.
said_why() {
    assert_equal "status $status" "status 1"
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
}

# lab: points=4 task=5 needs="stream_close" read="Your tasks" man="1 wc" likely="one counter is kept from the client before, or one byte is taken for another: white space is what isspace() says"
@test "counts what each client sends" {
    start count-server 127.0.0.1 0
    peer 'nc -N sent "one two\nthree\n" and ended its stream'
    answers "2 3 14" <<<$'one two\nthree'
    peer 'the next one sent "\n \ta\0b c\f\v\rd" and ended its stream'
    answers "1 3 12" < <(printf '\n \ta\0b c\f\v\rd')
}

# lab: points=3 task=5 needs="end to end/counts what each client sends" read="Hear the peer out" man="2 recv" likely="one recv() is not the whole text: count until it returns 0, keep in mind whether a word goes on, and answer once"
@test "answers a long text once and at its end" {
    start count-server 127.0.0.1 0
    peer "nc -N sent 588895 bytes, the numbers from 1 to 100000, and ended its stream"
    run -0 nc -N "$host" "$port" < <(seq 100000)
    assert_output "100000 100000 588895"
}

# lab: points=3 task=5 needs="end to end/counts what each client sends" read="EPIPE and SIGPIPE" man="2 send" likely="sending to a client that has gone raises SIGPIPE, which kills: send() with MSG_NOSIGNAL, and go on to the next client"
@test "survives a client that closes too early" {
    start count-server 127.0.0.1 0
    peer "one client kept you busy, while another sent its text, ended its stream and reset the connection; then the first one ended"
    open_client
    socat -t0 - "TCP:$host:$port,linger=0" <<<"and gone"
    hang_up
    run -0 nc -N "$host" "$port" <<<"still there?"
    assert_output "1 2 13"
    stop TERM
    assert_success
}

# lab: points=2 task=5 needs="end to end/counts what each client sends" read="Who holds the connection" man="2 close" likely="each client costs a descriptor: stream_close() it when it is served, and also when it failed"
@test "keeps no descriptor of a client that was served" {
    start count-server 127.0.0.1 0
    run -0 nc -N "$host" "$port" <<<"first"
    assert_output "1 1 6"
    before=$(fd_count)
    peer "three clients were served after the first"
    for client in 1 2 3; do
        run -0 nc -N "$host" "$port" <<<"$client"
    done
    assert [ "$(fd_count)" -le $((before + 1)) ] # the last one may be about to be closed
}

# lab: points=2 task=5 needs="end to end/survives a client that closes too early, end to end/keeps no descriptor of a client that was served" read="FIN and RST" man="2 recv" likely="recv() says -1 when a client resets the connection: no answer for that one, but serve the next"
@test "survives clients that reset in mid-stream" {
    start count-server 127.0.0.1 0
    run -0 nc -N "$host" "$port" <<<"first"
    assert_output "1 1 6"
    before=$(fd_count)
    peer "three clients sent a text and then an RST, without ending the stream; the next one was polite"
    for client in 1 2 3; do
        socat -u - "TCP:$host:$port$reset" <<<"half a te"
    done
    run -0 nc -N "$host" "$port" <<<"still there?"
    assert_output "1 2 13"
    left=$(($(fd_count) - before - 1)) # the last one may be about to be closed
    if ((left > 0)); then
        you "had $left descriptors more than before"
        expected "all of them closed"
        likely "a client that has gone costs a descriptor too: close it on every path"
        return 1
    fi
    stop TERM
    assert_success
}

# lab: points=2 task=5 needs="end to end/counts what each client sends" read="Your tasks" man="7 signal-safety" likely="the signal must end the program at once, whatever call it is in, with status 0: leave what is given in main() as it is"
@test "SIGTERM and SIGINT stop the server" {
    start count-server 127.0.0.1 0
    open_client
    say "half a text"
    peer "a client has sent half a text, and not ended its stream"
    until has_read; do breathe; done
    kill -TERM "$pid"
    wait "$pid" || : # for its own end: a child may serve the client on; a server that stays meets the test's limit
    hang_up
    finish
    assert_success
    peer "one client was served, and no other is there"
    start count-server 127.0.0.1 0
    run -0 nc -N "$host" "$port" <<<"text"
    assert_output "1 1 5"
    stop INT
    assert_success
}

# lab: points=1 task=5 needs="end to end/counts what each client sends" read="Your tasks" man="3 perror" likely="check the result of tcp_listen(): status 1 and a line on standard error when it fails"
@test "the server says what is wrong" {
    start count-server 127.0.0.1 0
    run -0 nc -N "$host" "$port" <<<"text"
    assert_output "1 1 5"
    peer "another count-server listens there already"
    run --separate-stderr count-server "$host" "$port"
    said_why
    peer "then no port was given"
    run -2 --separate-stderr count-server 127.0.0.1
    assert_regex "$stderr" "[Uu]sage"
}

# lab: points=3 task=6 needs="stream_end" read="Two directions" man="2 shutdown" likely="the server answers at the end of the stream: stream_end() says it, close() would also give up reading the answer"
@test "the client gets its answer" {
    printf x >one
    : >none
    start count-server 127.0.0.1 0
    peer "count-server answers when the client, which has one byte to send, has ended its stream"
    client one
    assert_success
    run -0 cat got
    assert_output "0 1 1"
    peer "then to one that sends nothing"
    client none
    assert_success
    run -0 cat got
    assert_output "0 0 0"
    peer "then to one that sends 588895 bytes"
    seq 100000 >many
    client many
    assert_success
    run -0 cat got
    assert_output "100000 100000 588895"
}

# lab: points=2 task=6 needs="end to end/the client gets its answer" read="Hear the peer out" man="2 recv" likely="one recv() is not the whole answer: go on until it returns 0"
@test "the client prints all that the server sends" {
    seq 100000 >answer
    echo text >input
    serve_with "$listener" SYSTEM:"cat >/dev/null; cat answer"
    peer "read up to the end of the client's stream, sent 588895 bytes and ended its own"
    client input
    assert_success
    you "printed $(wc -c <got) bytes"
    run -0 cmp answer got
}

# lab: points=1 task=6 needs="end to end/the client prints all that the server sends" read="FIN and RST" man="2 recv" likely="-1 is not the end of the stream: when recv() fails the answer may be cut, and the status is 1"
@test "the client takes no reset for the end" {
    echo text >input
    serve_with "$listener$reset" SYSTEM:"cat >/dev/null; printf 1"
    peer "read up to the end of the client's stream, sent \"1\" and reset the connection"
    client input
    said_why
}

# lab: points=1 task=6 needs="end to end/the client gets its answer" read="EPIPE and SIGPIPE" man="2 send" likely="sending to a server that has gone raises SIGPIPE, which kills: send() with MSG_NOSIGNAL, and say what happened"
@test "the client survives a server that goes away" {
    echo text >input
    serve_with "$listener" SYSTEM:"cat >/dev/null; echo 1 1 5"
    peer "one server answered"
    client input
    assert_success
    serve_with -u /dev/null "$listener,linger=0"
    server=$pid
    launch count-client "$host" "$port"
    finish "$server"
    printf -v place ':%04X ' "$port"
    while grep -q "$place" /proc/net/tcp; do breathe; done # until the RST has come
    peer "the next one accepted, ended its stream and reset the connection; then the client got its input"
    tell "text"
    end_input
    finish
    said_why
}

# lab: points=1 task=6 needs="end to end/the client gets its answer" read="Your tasks" man="3 perror" likely="check each call's result, write() too: status 1 and a line on standard error when one fails"
@test "the client says what is wrong" {
    start count-server 127.0.0.1 0
    peer "the input is a folder, which read() refuses"
    client .
    said_why
    peer "then standard output is full"
    run --separate-stderr bash -c 'count-client "$1" "$2" <<<text >/dev/full' _ "$host" "$port"
    said_why
    peer "then nobody listens any more"
    stop TERM
    client /dev/null
    said_why
    peer "then no port was given"
    run -2 --separate-stderr count-client "$host"
    assert_regex "$stderr" "[Uu]sage"
}
