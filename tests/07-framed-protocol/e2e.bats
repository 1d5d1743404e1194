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
    bytes 1000 <got || :
}

# tells BYTES CLIENT: the same on an open connection, without an end.
tells() {
    # shellcheck disable=SC2059 # the bytes are a format
    printf "$1" >&"$2"
}

# hears N CLIENT: read so many bytes of the answer; sets $output.
hears() {
    bytes "$1" <&"$2" || you "sent less than $1 bytes within $LAB_PATIENCE s"
}

# serve_by_hand: a server of the test's own: each client is served by what $commands then says, in the words of the shell.
# Sets $host, $port and $pid.
serve_by_hand() {
    start socat -d -d -lf /dev/stdout TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:'bash commands',nofork
    until [[ $line == *"listening on "* ]]; do next_line; done
    host=127.0.0.1 port=${line##*:}
}

# answers COMMANDS: this is how the next client is served; at their end its stream ends. In them "hear N" reads so many bytes,
# and "taken" waits until the client has read all that was sent to it.
# shellcheck disable=SC2016 # for the shell that serves
answers() {
    printf '%s\n' 'LC_ALL=C
        hear() {
            local left=$1 piece
            while ((left > 0)) && IFS= read -r -d "" -n "$left" piece; do
                left=$((left - ${#piece}))
                ((left == 0)) || left=$((left - 1)) # a NUL
            done
        }
        taken() {
            local all rx idle tries=0
            exec {idle}<> <(:) # a pipe that stays empty
            printf -v rx ":%04X 0100007F:%04X 01 [0-9A-F]{8}:00000000 " "$SOCAT_PEERPORT" "$SOCAT_SOCKPORT"
            while IFS= read -r -d "" all </proc/net/tcp || ! [[ $all =~ $rx ]] && ((tries++ < 200)); do
                read -rt 0.002 -u "$idle"
            done
        }' "$1" >commands
}

# For answers: answer ten requests, one after another, with 2, 4, 8 ... 1024, in bodies of $size bytes, where 16 are right; the
# id is the request's, or always $id.
# shellcheck disable=SC2016 # for the shell that serves
ten_answers='for i in {0..9}; do
    hear 20
    printf -v bytes "\\x%02x" "$size" 0 0 0 $((${id:-i * 100} & 255)) $((${id:-i * 100} >> 8)) 0 0 0 0 0 0 0 0 0 0 0 0 $((i * 16)) 64 0
    printf "${bytes:0:4 * (4 + size)}" || break
done'

# said_why: the program that ran last ended with status 1, and a line on standard error.
said_why() {
    assert_equal "status $status" "status 1"
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
}

# to_full PROGRAM ARG...: with a standard output that takes nothing
to_full() {
    "$@" >/dev/full
}

# asks_in_vain [PROGRAM ARG...]: frame-client (as that program starts it) ends with status 1 and a line on standard error, and takes no answer for one.
asks_in_vain() {
    attempt "$@" frame-client --format length32le "$host" "$port"
    ((status != 124)) || you "did not end within $LAB_PATIENCE s"
    said_why
    [[ -z $output ]] || expected "no answer printed"
    assert_output ""
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

# lab: points=6 task=5 needs="frame_encode, frame_decoder_next/finds_all_frames_of_one_piece, frame_decoder_next/finds_frames_cut_anywhere" requires="python3" read="Your tasks" man="3 byteorder" likely="the body of a length32be frame goes back as it came, be it empty or full of NULs: it is bytes, and no text"
@test "echoes any body" {
    start frame-server --format length32be 127.0.0.1 0
    peer "nc sent the frames of \"Hello\", of \"\" and of \"\\0\\n\\377\", at once"
    sends '\0\0\0\5Hello\0\0\0\0\0\0\0\3\0\n\377'
    assert_output "00 00 00 05 48 65 6c 6c 6f 00 00 00 00 00 00 00 03 00 0a ff"
    { printf '\0\37\377\374' && head -c 2097148 /dev/zero; } >largest
    peer "then the largest frame, of 2097152 bytes"
    nc -N "$host" "$port" <largest >got
    same largest got
    peer "then python3 sent frames made by struct.pack('!I', len(message)), one after another"
    likely "struct.pack('!I', n) is the length32be that you know: 4 bytes, the byte of greatest weight first"
    open_client # its standard input
    attempt python3 -I -S -c "
import os, struct

def exactly(n):
    data = b''
    while len(data) < n:
        part = os.read(0, n - len(data))
        if not part:
            raise SystemExit('the server ended its stream')
        data += part
    return data

for message in 'Hello', 'This is a test message', 'x' * 128, '':
    data = message.encode()
    os.write(0, struct.pack('!I', len(data)) + data)
    (n,) = struct.unpack('!I', exactly(4))
    print(exactly(n).decode())
" <&"$client"
    assert_success
    printf -v long %0128d 0
    assert_output "Hello"$'\n'"This is a test message"$'\n'"${long//0/x}"
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
    open_client
    tells '\21\0\0\0abcdefghijklmnopq' "$client"
    hear_end
    assert_output ""
    hang_up
    peer "the next one's has none"
    open_client
    tells '\0\0\0\0' "$client"
    hear_end
    assert_output ""
    hang_up
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

# is_stuck CLIENT SERVER: the client has begun to send the file "greedy", and now its socket takes no more, while the server
# waits for something else (or it has sent all).
is_stuck() {
    local fd value before
    lab_ended "$1" && return
    for fd in "/proc/$1/fd"/*; do
        [[ $fd -ef greedy ]] || continue
        read -r _ value <"/proc/$1/fdinfo/${fd##*/}" || return # "pos: 8192"
        ((value > 0)) && sleeps "$1" && measure "$1" || return
        before=$worked
        sleeps "$2" && sleeps "$1" && measure "$1" && ((worked == before))
        return
    done 2>/dev/null
    return 1
}

# lab: points=5 task=5 needs="end to end/echoes any body, end to end/keeps half a frame and serves the others" read="Who does not read is not heard" man="2 send" likely="one argument is the path of a UNIX socket: the same server with another listener, whose file main() removes"
@test "a client that reads no answers keeps nobody waiting" {
    start frame-server --format length32be "$PWD/socket"
    server=$pid
    { printf '\0\20\0\0' && head -c 1048576 /dev/zero; } >large
    cat large large >greedy
    peer "over a UNIX socket one client sends frames of 1 MiB and reads no answer; others sent a small one each"
    likely "an answer that does not fit into the socket waits for its client, and no other client waits for it"
    launch socat -u OPEN:greedy UNIX-CONNECT:socket
    until is_stuck "$pid" "$server"; do breathe; done
    for client in 1 2 3; do
        nc -N -U socket < <(printf '\0\0\0\5Hello') >got
        bytes 1000 <got || :
        assert_output "00 00 00 05 48 65 6c 6c 6f"
    done
    peer "the server was killed, and left its file: another one starts"
    likely "one argument is the path of a UNIX socket: the same server with another listener, whose file main() removes"
    stop TERM # what a child of the server's would go on with
    stop KILL "$server"
    start frame-server --format length32be "$PWD/socket"
    { cat large && printf '\0\0\0\5World\0\4\223\340' && head -c 300000 /dev/zero && printf '\0\0\0\2hi'; } >frames
    peer "the next client sent a frame of 1 MiB, a small one, one of 300000 bytes, a small one: answers that the socket takes in several pieces"
    likely "when the whole answer that waited is sent, and not before, go on with the frames that have come meanwhile, and read only then"
    nc -N -U socket <frames >got
    same frames got
    likely "SIGINT and SIGTERM end the server with status 0, and main() removes the socket's file: leave both as they are"
    stop INT
    assert_success
    refute [ -e socket ]
}

# lab: points=4 task=6 needs="frame_encode, frame_decoder_next/finds_frames_cut_anywhere, end to end/answers requests with ten times their value, end to end/echoes any body" read="Your tasks" likely="encode, write_all(), and read until frame_decoder_next() says 1; then print as the TODO says"
@test "the client asks and prints" {
    start frame-server --format length32le 127.0.0.1 0
    peer "frame-server answered ten requests"
    attempt frame-client --format length32le "$host" "$port"
    assert_success
    assert_output "$(printf 'id %d: %s -> %s\n' 0 0 0 100 10.1 101 200 20.2 202 300 30.3 303 400 40.4 404 500 50.5 505 \
        600 60.6 606 700 70.7 707 800 80.8 808 900 90.9 909)"
    start frame-server --format length32be "$PWD/socket"
    peer "then lines, over a UNIX socket: one of text, one with a NUL in it, one empty, one of 100000 bytes, and one without a newline"
    printf -v long %0100000d 7
    printf 'Hello\nto\0you\n\n%s\nend\n' "$long" >expected
    printf 'Hello\nto\0you\n\n%s\nend' "$long" >lines
    likely "a line is bytes too, and its answer: count them by getline() and body_size; a NUL ends no line"
    attempt frame-client --format length32be socket <lines
    assert_success
    same printed expected
}

# lab: points=2 task=6 needs="end to end/the client asks and prints" read="A cut anywhere" man="2 recv" likely="an answer may come in several pieces: as long as frame_decoder_next() says 0, read on and feed"
@test "the client waits for the whole answer" {
    serve_by_hand
    answers 'hear 6
        printf "\0\0" && taken
        printf "\0\2o" && taken
        printf w
        cat'
    peer "sent the answer to the frame \"hi\", which is \"ow\", in three pieces: half a length, the rest and half a body, the rest"
    attempt frame-client --format length32be "$host" "$port" <<<$'hi\nyou'
    assert_success
    [[ $output != hi* ]] || likely "print the body that came back, and not the line that was sent"
    assert_output $'ow\nyou'
    peer "another server answered 2, 4, 8 ... 1024 to the ten requests"
    likely "print the value in the response, and not one that the client has computed itself"
    answers "size=16; $ten_answers"
    attempt frame-client --format length32le "$host" "$port"
    assert_success
    assert_output "$(printf 'id %d: %s -> %s\n' 0 0 2 100 10.1 4 200 20.2 8 300 30.3 16 400 40.4 32 500 50.5 64 \
        600 60.6 128 700 70.7 256 800 80.8 512 900 90.9 1024)"
}

# lab: points=3 task=6 needs="end to end/the client asks and prints" read="Never trust a length" man="3 perror" likely="each of these is status 1 and a line on standard error: a bad frame, another id, a body that is no response, the end of the stream"
@test "the client takes no bad answer and the programs say what is wrong" {
    local answer
    serve_by_hand
    for answer in '\20\0\0\0\0\0\0\0\0\0' ''; do
        peer "answered to the first request with \"$answer\", and ended its stream"
        answers "hear 20; printf '$answer'"
        asks_in_vain
    done
    for answer in "size=16 id=7" "size=17"; do
        peer "answered all ten requests, with $answer (a response has 16 bytes)"
        answers "$answer; $ten_answers"
        asks_in_vain
    done
    peer "answered to the first request with a frame of 4 GiB, and did not end its stream"
    likely "no read can mend a stream after frame_decoder_next() said -1: a bad frame is the end, status 1"
    answers "hear 20; printf '\377\377\377\377\0\0\0\0'; read -r"
    asks_in_vain timeout "$LAB_PATIENCE"
    likely "check each call's result: status 1 and a line on standard error when one fails"
    peer "the input is a folder, which read() refuses"
    answers cat
    attempt frame-client --format length32be "$host" "$port" <.
    said_why
    peer "standard output is full"
    attempt to_full frame-client --format length32be "$host" "$port" <<<text
    said_why
    peer "frame-server was to listen where another server does"
    attempt frame-server --format length32be "$host" "$port"
    said_why
    peer "nobody listens any more"
    stop TERM
    attempt frame-client --format length32be "$host" "$port"
    said_why
    peer "there is no such format"
    for program in frame-server frame-client; do
        ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 attempt "$program" --format length32 "$host" "$port"
        assert_failure 2
        assert_regex "$stderr" "[Uu]sage"
    done
}
