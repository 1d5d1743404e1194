# End to end: udp-server and udp-client, beside bash's own datagrams and socat's.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# open_sender: a UDP socket connected to the server. Sets $client.
open_sender() {
    exec {client}<>"/dev/udp/$host/$port"
}

# datagram ID BYTES [CLIENT]: one datagram: the id's lowest byte, and then these bytes, as printf takes them. (No \n
# among them: bash would cut the datagram there.)
datagram() {
    printf '%b' "\\x$1$2" >&"${3:-$client}"
}

# What is behind the lowest byte of a request and of its response, with the values 10.1 and 101. Bytes 4 to 7 are padding.
request='\0\0\0\xde\xad\xbe\xef\x33\x33\x33\x33\x33\x33\x24\x40'
response=' 00 00 00 00 00 00 00 00 00 00 00 00 40 59 40'

# answer ID [CLIENT]: wait for the next datagram, which is the response to this id, byte for byte.
answer() {
    local bytes
    you "sent no datagram"
    expected "$1$response"
    exec {bytes}< <(exec 3>&- && dd bs=70000 count=1 status=none <&"${2:-$client}" | od -An -v -tx1 -w99)
    IFS= read -rt "$LAB_PATIENCE" -u "$bytes" output || :
    exec {bytes}<&-
    you "sent${output:- no datagram}"
    assert_equal "$output" " $1$response"
}

# answered TEXT [CLIENT]: wait for the next datagram, whose first byte, the lowest of the id, is TEXT. (bash reads no more
# of a datagram, and the kernel drops the rest.)
answered() {
    output=''
    expected "an answer whose first byte is \"$1\""
    IFS= read -rN1 -t "$LAB_PATIENCE" -u "${2:-$client}" output || :
    you "sent ${output:+a datagram whose first byte is \"}${output:-no datagram, or an empty one}${output:+\"}"
    assert_equal "$output" "$1"
}

# fails STATUS PROGRAM ARG...: it ends with STATUS, prints nothing (to the file $to), and says why on standard error.
fails() {
    status=0
    "${@:2}" >"${to:=printed}" 2>said || status=$?
    IFS= read -rd '' stderr <said || :
    assert_equal "status $status" "status $1"
    refute [ -s "$to" ]
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
    [[ $stderr != *"not implemented"* ]] || likely "this is the starter's answer: the TODO says what to write"
}

# place_of PID: sets $host and $port of its UDP socket.
place_of() {
    local place inode
    host=127.0.0.1 port=''
    until [[ -n $port ]]; do
        mapfile -t links < <(readlink "/proc/$1/fd"/*)
        while read -r _ place _ _ _ _ _ _ _ inode _; do
            [[ " ${links[*]} " != *" socket:[$inode] "* ]] || port=$((16#${place#*:}))
        done </proc/net/udp
        [[ -n $port ]] || breathe
    done
}

# look: sets $waiting to how many bytes wait at the server's port.
look() {
    local name queues place
    printf -v place ':%04X' "$port"
    while read -r _ name _ _ queues _; do
        [[ $name != *"$place" ]] || waiting=$((16#${queues#*:}))
    done </proc/net/udp
}

ten_answers='id 0: 0 -> 0
id 100: 10.1 -> 101
id 200: 20.2 -> 202
id 300: 30.3 -> 303
id 400: 40.4 -> 404
id 500: 50.5 -> 505
id 600: 60.6 -> 606
id 700: 70.7 -> 707
id 800: 80.8 -> 808
id 900: 90.9 -> 909'

# lab: points=3 task=8 needs="udp_bind, udp_receive, udp_reply, request_decode, response_encode" read="Your tasks" man="2 recvmsg" likely="receive a datagram, decode it, and reply to the address that came with it: the same id, ten times the value"
@test "answers whoever asked" {
    start udp-server 127.0.0.1 0
    open_sender
    first=$client
    open_sender
    peer "two clients asked: id 0x64, value 10.1; then id 0x65, and 0x66 from the first again"
    datagram 64 "$request" "$first"
    datagram 65 "$request"
    datagram 66 "$request" "$first"
    answer 65
    answered d "$first"
    answered f "$first"
}

# lab: points=3 task=8 needs="end to end/answers whoever asked" read="Cut without a word" man="2 recvmsg" likely="16 bytes and nothing else are a request: look at what udp_receive() says of the size and of truncation, and pass over the rest"
@test "passes over what is no request" {
    likely "an IPv6 address is longer: udp_receive() gives its length, hand it on to udp_reply()"
    loopback=::1
    [[ $(</proc/net/if_inet6) == *00000000000000000000000000000001* ]] 2>/dev/null || loopback=127.0.0.1
    start udp-server "$loopback" 0
    open_sender
    peer "asked from $loopback"
    datagram 61 "$request"
    answered a
    likely "16 bytes and nothing else are a request: look at what udp_receive() says of the size and of truncation, and pass over the rest"
    peer "sent 15 bytes, 17 bytes and 1 byte, and then a request"
    datagram 62 "${request%'\x40'}"
    datagram 63 "$request\\x00"
    datagram 64 ""
    datagram 65 "$request"
    answered e
}

# lab: points=2 task=8 needs="end to end/answers whoever asked" read="Boundaries hold" man="7 udp" likely="an empty datagram is no end and no error, and a reply that cannot be delivered is the client's loss: go on receiving"
@test "lives on after an empty datagram and a client that has gone" {
    likely "0 is a descriptor like any other: only -1 is a failure"
    start bash -c 'exec udp-server 127.0.0.1 0 <&-'
    likely "an empty datagram is no end and no error, and a reply that cannot be delivered is the client's loss: go on receiving"
    open_sender
    first=$client
    peer "sent an empty datagram"
    socat -u -t0 /dev/null "FD:$first,shut-null"
    peer "asked and was gone before the answer"
    kill -STOP "$pid"
    open_sender
    datagram 61 "$request"
    hang_up
    kill -CONT "$pid"
    open_sender
    peer "another one asked"
    datagram 62 "$request"
    answered b
    peer "that had sent an empty datagram asked"
    likely "an empty datagram is no request: nothing goes back, and certainly no empty reply"
    datagram 63 "$request" "$first"
    answered c "$first"
    peer "then SIGINT came"
    likely "leave what is given in main() as it is: SIGINT and SIGTERM end the server with status 0"
    stop INT
    assert_success
}

# lab: points=4 task=9 needs="udp_connect, udp_request, request_encode, response_decode, end to end/answers whoever asked" read="Your tasks" man="3 printf" likely="encode, udp_request(), decode, print: one line an answer, as the head of udp-client.c shows it"
@test "asks ten questions" {
    start udp-server 127.0.0.1 0
    peer "answered with ten times the value"
    # Its socket gets number 0, which is a descriptor like any other.
    status=0
    udp-client "$host" "$port" <&- >printed 2>said || status=$?
    IFS= read -rd '' stderr <said || :
    [[ $stderr != *"not implemented"* ]] || likely "this is the starter's answer: the TODO says what to write"
    assert_equal "status $status" "status 0"
    assert_equal "$(<printed)" "$ten_answers"
    peer "another server answered with the values as they were"
    likely "print what the server answered: its value comes out of response_decode()"
    launch socat UDP4-LISTEN:0,bind=127.0.0.1 'SYSTEM:dd bs=16 count=9; dd bs=15 count=1'
    place_of "$pid"
    status=0
    udp-client "$host" "$port" 4000 1 >printed 2>said || status=$?
    IFS= read -rd '' stderr <said || :
    mapfile -t lines <printed
    assert_line --index 8 "id 800: 80.8 -> 80.8"
    peer "to the tenth question it answered with the first 15 bytes of the request"
    likely "an answer of another size is no response: response_decode() says so, look at its result"
    assert_equal "${#lines[@]} lines, status $status" "9 lines, status 1"
    refute [ -z "$stderr" ]
}

# lab: points=5 task=9 needs="end to end/asks ten questions" read="Ask, wait, ask again" man="2 poll" likely="the time and the tries given to the program are those of udp_request(): pass them on"
@test "asks again until it is answered or gives up" {
    start udp-server 127.0.0.1 0
    server=$pid
    kill -STOP "$server"
    peer "heard and did not answer"
    likely "when udp_request() fails there is no answer to print: return false, main() says why"
    fails 1 udp-client "$host" "$port" 1 3
    peer "was stopped until a request had come twice, then answered all of them"
    likely "the time and the tries given to the program are those of udp_request(): pass them on"
    look
    before=$waiting
    launch udp-client "$host" "$port" 1 16
    until look && ((waiting > before)) || lab_ended "$pid"; do breathe; done
    first=$waiting
    until look && ((waiting > first)) || lab_ended "$pid"; do breathe; done
    kill -CONT "$server"
    finish
    assert_success
    assert_output "$ten_answers"
    stop TERM "$server"
    peer "then it was gone, and its port closed"
    likely "when udp_request() fails there is no answer to print: return false, main() says why"
    fails 1 udp-client "$host" "$port"
}

# lab: points=3 task=9 needs="end to end/asks ten questions" read="Your tasks" man="3 fflush" likely="printing can fail too: look at fflush(), or at what main() makes of it"
@test "the programs say what is wrong" {
    start udp-server 127.0.0.1 0
    likely "leave what is given in main() as it is: the first line says where"
    assert_equal "$host" "127.0.0.1"
    likely "printing can fail too: look at fflush(), or at what main() makes of it"
    peer "standard output is full"
    to=/dev/full fails 1 udp-client "$host" "$port"
    peer "then a time of 0 was asked for, then 0 tries, which udp_request() refuses"
    likely "the time and the tries given to the program are those of udp_request(): pass them on"
    fails 1 udp-client "$host" "$port" 0
    fails 1 udp-client "$host" "$port" 1 0
    peer "is a second udp-server at the same port"
    likely "leave what is given in main() as it is: SIGINT and SIGTERM end the server with status 0, and udp_bind()'s failure is said"
    fails 1 timeout "$LAB_PATIENCE" udp-server "$host" "$port"
    peer "then SIGTERM came to the first one"
    stop TERM
    assert_success
    peer "then the arguments were wrong"
    likely "with any other number of arguments: usage on standard error, and status 2"
    for wrong in "udp-client $host" "udp-client $host $port 1 1 1" "udp-server $host"; do
        # shellcheck disable=SC2086 # a command and its arguments
        ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 fails 2 $wrong
        assert_regex "$stderr" "[Uu]sage"
    done
}
