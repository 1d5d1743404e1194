# End to end: count-server and count-client, beside netcat and socat.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# lab: points=4 task=5 needs="stream_close" read="Your tasks" man="1 wc" likely="one counter is kept from the client before, or one byte is taken for another: white space is what isspace() says"
@test "counts what each client sends" {
    start count-server 127.0.0.1 0
    peer 'nc -N sent "one two\nthree\n" and ended its stream'
    run -0 nc -N "$host" "$port" <<<$'one two\nthree'
    assert_output "2 3 14"
    peer 'nc -N sent "\n \ta\0b c\f\v\rd", and ended its stream'
    run -0 nc -N "$host" "$port" < <(printf '\n \ta\0b c\f\v\rd')
    assert_output "1 3 12"
}

# lab: points=4 task=5 needs="end to end/counts what each client sends" read="Hear the peer out" man="2 recv" likely="one recv() is not the whole text: count until it returns 0, keep in mind whether a word goes on, and answer once"
@test "answers a long text once and at its end" {
    start count-server 127.0.0.1 0
    peer "nc -N sent 588895 bytes, the numbers from 1 to 100000, and ended its stream"
    run -0 nc -N "$host" "$port" < <(seq 100000)
    assert_output "100000 100000 588895"
}

# lab: points=5 task=5 needs="end to end/counts what each client sends" read="EPIPE and SIGPIPE" man="2 send" likely="sending to a client that has gone raises SIGPIPE, which kills: send() with MSG_NOSIGNAL, and go on to the next client"
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

# lab: points=3 task=5 needs="end to end/counts what each client sends" read="Who holds the connection" man="2 close" likely="each client costs a descriptor: stream_close() it when it is served, and also when it failed"
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

# lab: points=2 task=5 needs="end to end/counts what each client sends" read="Your tasks" man="7 signal-safety" likely="the signal must end the program whatever call it is in, with status 0: leave what is given in main() as it is"
@test "SIGTERM and SIGINT stop the server" {
    start count-server 127.0.0.1 0
    open_client
    peer "a client is connected, and has not ended its stream"
    stop TERM
    assert_success
    hang_up
    peer "one client was served, and no other is there"
    start count-server 127.0.0.1 0
    run -0 nc -N "$host" "$port" <<<"text"
    assert_output "1 1 5"
    stop INT
    assert_success
}

# lab: points=4 task=6 needs="stream_end" read="Two directions" man="2 shutdown" likely="the server answers at the end of the stream: stream_end() says it, close() would also give up reading the answer"
@test "the client gets its answer" {
    start count-server 127.0.0.1 0
    run -0 count-client "$host" "$port" < <(printf x)
    assert_output "0 1 1"
    run -0 count-client "$host" "$port" < <(seq 100000)
    assert_output "100000 100000 588895"
    run -0 count-client "$host" "$port" </dev/null
    assert_output "0 0 0"
}

# lab: points=2 task=6 read="Your tasks" man="3 perror" likely="check each call's result: status 1 and a line on standard error when one fails"
@test "the programs say what is wrong" {
    start count-server 127.0.0.1 0
    peer "the input is a folder, which read() refuses"
    run -1 --separate-stderr count-client "$host" "$port" <.
    assert_regex "$stderr" "count-client: .*irectory"
    peer "standard output is full"
    run -1 bash -c 'count-client "$1" "$2" <<<text >/dev/full' _ "$host" "$port"
    peer "nobody listens there any more"
    stop TERM
    run -1 --separate-stderr count-client "$host" "$port" </dev/null
    assert_regex "$stderr" "count-client: .*refused"
    run -1 --separate-stderr count-server 192.0.2.1 0
    assert_regex "$stderr" "count-server: .*assign"
    run -2 --separate-stderr count-server
    assert_regex "$stderr" "usage: count-server HOST PORT"
    run -2 --separate-stderr count-client "$host"
    assert_regex "$stderr" "usage: count-client HOST PORT"
}
