# End to end: frame-server and frame-client, beside netcat, socat and a Python client.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# The request (100, 10.1) in a frame, with 4 bytes of padding that are not zero, and what comes back for it.
request='\20\0\0\0\144\0\0\0\125\125\125\125\63\63\63\63\63\63\44\100'
# The request (-1, 0.01), whose answer no smaller number can hold.
precise='\20\0\0\0\377\377\377\377\125\125\125\125\173\24\256\107\341\172\204\77'
precisely='10 00 00 00 ff ff ff ff 00 00 00 00 9a 99 99 99 99 99 b9 3f'
response='10 00 00 00 64 00 00 00 00 00 00 00 00 00 00 00 00 40 59 40'

# sends BYTES: send these (as printf understands them), end the stream, and put what comes back into $output, in hexadecimal.
sends() {
    # shellcheck disable=SC2059 # the bytes are a format
    printf "$1" | nc -N "$host" "$port" >got 2>/dev/null || : # what nc thinks of an RST is its own business
    hex got
}

hex() { # FILE
    local -a bytes
    read -rd "" -a bytes < <(od -An -v -tx1 "$1") || : # one space between two
    output="${bytes[*]}"
}

# tells BYTES CLIENT: the same on an open connection, without an end.
tells() {
    # shellcheck disable=SC2059 # the bytes are a format
    printf "$1" >&"$2"
}

# hears N CLIENT: read so many bytes of the answer; sets $output.
hears() {
    timeout "$LAB_PATIENCE" head -c "$1" <&"$2" >got || you "sent less than $1 bytes within $LAB_PATIENCE s"
    hex got
}

# serve_with COMMANDS: a server of the test's own for one client: these commands of the shell's. Sets $host, $port and $pid.
serve_with() {
    echo "$1" >commands
    start bash -c 'exec socat -d -d -t 60 TCP-LISTEN:0,bind=127.0.0.1 EXEC:"bash commands" 2>&1'
    until [[ $line == *"listening on "* ]]; do next_line; done
    host=127.0.0.1 port=${line##*:}
}

# For serve_with: answer ten requests, one after another, with 2, 4, 8 ... 1024, in bodies of $size bytes, where 16 are right; the
# id is the request's, or always $id.
# shellcheck disable=SC2016 # for the shell that serves
ten_answers='for i in {0..9}; do
    head -c 20 >/dev/null
    printf -v bytes "\\\\x%02x" "$size" 0 0 0 $((${id:-i * 100} & 255)) $((${id:-i * 100} >> 8)) 0 0 0 0 0 0 0 0 0 0 0 0 $((i * 16)) 64 0
    printf "${bytes:0:4 * (4 + size)}" || break
done'

# said_why: the program that ran last ended with status 1, and a line on standard error.
said_why() {
    assert_equal "status $status" "status 1"
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
}

# lab: points=5 task=5 needs="frame_encode, frame_decoder_next/finds_all_frames_of_one_piece, frame_decoder_next/finds_frames_cut_anywhere" read="Field by field" likely="the body of a length32le frame is a request: request_decode(), ten times the value, response_encode(), and a frame again, for every frame that has come"
@test "answers requests with ten times their value" {
    start frame-server --format length32le 127.0.0.1 0
    peer 'nc sent a request (100, 10.1) whose padding is "UUUU"'
    sends "$request"
    assert_output "$response"
    peer "then three at once, the second of which is (-1, 0.01)"
    sends "$request$precise$request"
    [[ $output != "$response "*" $response" ]] || likely "an id has 32 bits and a sign, a value is a double: neither may lose a bit on its way"
    assert_output "$response $precisely $response"
}

# lab: points=3 task=5 needs="frame_encode, frame_decoder_next/finds_all_frames_of_one_piece, frame_decoder_next/finds_frames_cut_anywhere" read="Your tasks" likely="the body of a length32be frame goes back as it came, be it empty or full of NULs: it is bytes, and no text"
@test "echoes any body" {
    start frame-server --format length32be 127.0.0.1 0
    peer "nc sent the frames of \"Hello\", of \"\" and of \"\\0\\n\\377\", at once"
    sends '\0\0\0\5Hello\0\0\0\0\0\0\0\3\0\n\377'
    assert_output "00 00 00 05 48 65 6c 6c 6f 00 00 00 00 00 00 00 03 00 0a ff"
    { printf '\0\37\377\374' && head -c 2097148 /dev/zero; } >largest
    peer "then the largest frame, of 2097152 bytes"
    nc -N "$host" "$port" <largest >got
    you "sent $(wc -c <got) bytes"
    run -0 cmp largest got
}

# lab: points=4 task=5 needs="end to end/echoes any body" read="Bytes in, messages out" man="2 poll" likely="each connection has a decoder of its own, and the server waits for all of them at once, never for the rest of one frame"
@test "keeps half a frame and serves the others" {
    start frame-server --format length32be 127.0.0.1 0
    open_client
    first=$client
    open_client
    second=$client
    peer "one client sent half a length; another one a frame"
    tells '\0\0' "$first"
    tells '\0\0\0\2hi' "$second"
    hears 6 "$second"
    assert_output "00 00 00 02 68 69"
    peer "the first sent the rest of the length, and half a body; the other one half a frame"
    tells '\0\4ab' "$first"
    tells '\0\0\0\3xy' "$second"
    open_client
    tells '\0\0\0\0' "$client"
    hears 4 "$client"
    assert_output "00 00 00 00"
    peer "then both sent the rest"
    tells 'cd' "$first"
    tells 'z' "$second"
    hears 8 "$first"
    assert_output "00 00 00 04 61 62 63 64"
    hears 7 "$second"
    assert_output "00 00 00 03 78 79 7a"
    peer "the first sent a frame, and half of one, and closed before it had read all of the answer: an RST; then the second sent a frame"
    likely "recv() that says ECONNRESET is the end of that client, not of the server"
    tells '\0\0\0\2hi\0\0\0\2h' "$first"
    hears 1 "$first"
    hang_up "$first"
    tells '\0\0\0\2yo' "$second"
    hears 6 "$second"
    assert_output "00 00 00 02 79 6f"
    stop TERM
    assert_success
}

# lab: points=5 task=5 needs="end to end/answers requests with ten times their value" read="Never trust a length" man="2 close" likely="when frame_decoder_next() says -1, or request_decode() does, log it and close that connection; no other one"
@test "ends the connection of a bad frame and no other" {
    start frame-server --format length32le 127.0.0.1 0
    open_client
    peer "a client is connected, and waits; another one sent a request, and then a length of 2 GiB"
    sends "$request"'\0\0\0\200'
    assert_output "$response"
    waiting=$client
    peer "the next one's body has 15 bytes, where a request has 16, a good request is behind it, and the stream has not ended"
    open_client
    tells '\17\0\0\0abcdefghijklmno'"$request" "$client"
    hear_end
    assert_output ""
    hang_up
    peer "the next one's body has 17"
    sends '\21\0\0\0abcdefghijklmnopq'
    assert_output ""
    peer "the next one's has none"
    sends '\0\0\0\0'
    assert_output ""
    peer "the next one sent its length in the other order, and has not ended its stream"
    open_client
    tells '\0\0\0\20' "$client"
    hear_end
    assert_output ""
    hang_up
    peer "the next one ended its stream within a frame"
    sends "$request"'\20\0\0'
    assert_output "$response"
    peer "the one that waited sent a request"
    tells "$request" "$waiting"
    hears 20 "$waiting"
    assert_output "$response"
    peer "and ended its stream between two frames: nothing is wrong with that"
    hang_up "$waiting"
    sends ""
    stop TERM
    assert_success
    you "wrote $(grep -c . <<<"$stderr") lines on standard error"
    expected "one for each of the six connections that ended with a bad frame, or within one"
    likely "a bad frame is logged, and so is a stream that ends within one: a line on standard error"
    assert [ "$(grep -c . <<<"$stderr")" -eq 6 ]
}

# lab: points=3 task=5 needs="end to end/echoes any body" read="Your tasks" man="7 unix" likely="one argument is the path of a UNIX socket: the same server with another listener, whose file main() removes"
@test "serves a UNIX socket and removes its file" {
    start frame-server --format length32be "$PWD/socket"
    peer "a client came over a UNIX socket, and sent a frame"
    run -0 nc -N -U socket < <(printf '\0\0\0\5Hello')
    assert_output --partial "Hello"
    stop TERM
    assert_success
    assert [ ! -e socket ]
    peer "the second server was killed, and left its file: a third one starts"
    start frame-server --format length32be "$PWD/socket"
    kill -KILL "$pid"
    finish
    start frame-server --format length32be "$PWD/socket"
    { printf '\0\20\0\0' && head -c 1048576 /dev/zero && printf '\0\0\0\5World'; } >large
    { cat large && printf '\0\4\223\340' && head -c 300000 /dev/zero && printf '\0\0\0\2hi'; } >frames
    peer "the next client sent a frame of 1 MiB, a small one, one of 300000 bytes, a small one: answers that the socket takes in several pieces"
    likely "when the whole answer that waited is sent, and not before, go on with the frames that have come meanwhile, and read only then"
    nc -N -U socket <frames >got
    you "sent $(wc -c <got) bytes"
    run -0 cmp frames got
    stop INT
    assert_success
    assert [ ! -e socket ]
}

# lab: points=2 task=5 needs="end to end/serves a UNIX socket and removes its file, end to end/keeps half a frame and serves the others" read="Who does not read is not heard" man="2 send" likely="an answer that does not fit into the socket waits for its client, and no other client waits for it"
@test "a client that reads no answers keeps nobody waiting" {
    start frame-server --format length32be "$PWD/socket"
    server=$pid
    { printf '\0\20\0\0' && head -c 1048576 /dev/zero; } >large
    peer "one client sends frames of 1 MiB and reads no answer; others sent a small one each"
    launch bash -c 'cat large large large large - 2>/dev/null | socat -u - UNIX-CONNECT:socket 2>/dev/null'
    greedy=$pid
    for client in 1 2 3 4; do
        run -0 nc -N -U socket < <(printf '\0\0\0\5Hello')
        assert_output --partial "Hello"
    done
    stop TERM "$server"
    assert_success
    pid=$greedy
    end_input
    finish
}

# lab: points=3 task=5 needs="end to end/echoes any body" requires="python3" read="Your tasks" man="3 byteorder" likely="struct.pack('!I', n) is the length32be that you know: 4 bytes, the byte of greatest weight first"
@test "a client in Python is answered" {
    start frame-server --format length32be 127.0.0.1 0
    peer "python3 sent frames made by struct.pack('!I', len(message)), one after another"
    run -0 python3 -S - "$host" "$port" <<'END'
import socket, struct, sys

def exactly(n):
    data = b''
    while len(data) < n:
        part = connection.recv(n - len(data))
        if not part:
            raise SystemExit('the server ended its stream')
        data += part
    return data

connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
for message in 'Hello', 'World', 'This is a test message', 'x' * 128, '':
    data = message.encode()
    connection.sendall(struct.pack('!I', len(data)) + data)
    (n,) = struct.unpack('!I', exactly(4))
    print(exactly(n).decode())
END
    assert_output "Hello
World
This is a test message
$(printf 'x%.0s' {1..128})"
}

# lab: points=4 task=6 needs="frame_encode, frame_decoder_next/finds_frames_cut_anywhere, end to end/answers requests with ten times their value, end to end/echoes any body" read="Your tasks" likely="encode, write_all(), and read until frame_decoder_next() says 1; then print as the TODO says"
@test "the client asks and prints" {
    start frame-server --format length32le 127.0.0.1 0
    peer "frame-server answered ten requests"
    run -0 frame-client --format length32le "$host" "$port"
    assert_output "id 0: 0 -> 0
id 100: 10.1 -> 101
id 200: 20.2 -> 202
id 300: 30.3 -> 303
id 400: 40.4 -> 404
id 500: 50.5 -> 505
id 600: 60.6 -> 606
id 700: 70.7 -> 707
id 800: 80.8 -> 808
id 900: 90.9 -> 909"
    start frame-server --format length32be "$PWD/socket"
    peer "then lines, over a UNIX socket: one of text, one with a NUL in it, one empty, one of 100000 bytes, and one without a newline"
    { echo "Hello" && printf 'to\0you\n' && echo && head -c 100000 /dev/zero | tr '\0' x && echo && printf end; } >lines
    run -0 bash -c 'frame-client --format length32be socket <lines >got'
    you "printed $(wc -c <got) bytes"
    [[ $(wc -c <got) -lt 100000 ]] || likely "a line is bytes too, and its answer: count them by getline() and body_size; a NUL ends no line"
    run -0 cmp got <(cat lines && echo)
    peer "another server answered 2, 4, 8 ... 1024 to the ten requests"
    likely "print the value in the response, and not one that the client has computed itself"
    serve_with "size=16; $ten_answers"
    run -0 frame-client --format length32le "$host" "$port"
    assert_output "id 0: 0 -> 2
id 100: 10.1 -> 4
id 200: 20.2 -> 8
id 300: 30.3 -> 16
id 400: 40.4 -> 32
id 500: 50.5 -> 64
id 600: 60.6 -> 128
id 700: 70.7 -> 256
id 800: 80.8 -> 512
id 900: 90.9 -> 1024"
    finish
}

# lab: points=2 task=6 needs="end to end/the client asks and prints" read="A cut anywhere" man="2 recv" likely="an answer may come in several pieces: as long as frame_decoder_next() says 0, read on and feed"
@test "the client waits for the whole answer" {
    serve_with 'head -c 6 | tr hi ow >answer
        head -c 2 answer | cat
        head -c 5 answer | tail -c 3 | cat
        tail -c 1 answer | cat
        cat'
    peer "sent the answer to the frame \"hi\", which is \"ow\", in three pieces: half a length, the rest and half a body, the rest"
    server=$pid
    run -0 frame-client --format length32be "$host" "$port" <<<$'hi\nyou'
    [[ $output != hi* ]] || likely "print the body that came back, and not the line that was sent"
    assert_output $'ow\nyou'
    finish "$server" # not killed: what it has started would be left behind
}

# lab: points=2 task=6 needs="end to end/the client asks and prints" read="Never trust a length" man="3 perror" likely="each of these is status 1 and a line on standard error: a bad frame, another id, a body that is no response, the end of the stream"
@test "the client takes no bad answer" {
    printf '\377\377\377\377\0\0\0\0' >long
    printf '\20\0\0\0\0\0\0\0\0\0' >half
    : >none
    for answer in long half none; do
        serve_with "head -c 20 >/dev/null; cat $PWD/$answer"
        peer "answered to the first request: $(od -An -v -tx1 "$answer" | tr -d '\n')"
        run --separate-stderr frame-client --format length32le "$host" "$port"
        said_why
        finish
    done
    for answers in "size=16 id=7" "size=15" "size=17"; do
        serve_with "$answers; $ten_answers"
        peer "answered all ten requests, with $answers (a response has 16 bytes)"
        run --separate-stderr frame-client --format length32le "$host" "$port"
        said_why
        finish
    done
    serve_with "head -c 20 >/dev/null; cat $PWD/long -"
    peer "answered to the first request with a frame of 4 GiB, and did not end its stream"
    likely "no read can mend a stream after frame_decoder_next() said -1: a bad frame is the end, status 1"
    run --separate-stderr timeout "$LAB_PATIENCE" frame-client --format length32le "$host" "$port"
    ((status != 124)) || you "did not end within $LAB_PATIENCE s"
    said_why
    finish
}

# lab: points=1 task=6 needs="end to end/the client asks and prints" read="Your tasks" man="3 perror" likely="check each call's result: status 1 and a line on standard error when one fails"
@test "the programs say what is wrong" {
    start frame-server --format length32be 127.0.0.1 0
    peer "another server listens there already"
    run --separate-stderr frame-server --format length32be "$host" "$port"
    said_why
    peer "the input is a folder, which read() refuses"
    run --separate-stderr bash -c 'frame-client --format length32be "$0" "$1" <.' "$host" "$port"
    said_why
    peer "standard output is full"
    run --separate-stderr bash -c 'frame-client --format length32be "$0" "$1" <<<text >/dev/full' "$host" "$port"
    said_why
    peer "nobody listens any more"
    stop TERM
    run --separate-stderr frame-client --format length32be "$host" "$port"
    said_why
    peer "there is no such format"
    for program in frame-server frame-client; do
        run -2 --separate-stderr "$program" --format length32 "$host" "$port"
        assert_regex "$stderr" "[Uu]sage"
    done
}
