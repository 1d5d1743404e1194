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

# answer ID [CLIENT]: wait for the next datagram, which is the response to this id.
answer() {
    output=$(timeout "$LAB_PATIENCE" dd bs=70000 count=1 status=none <&"${2:-$client}" | od -An -v -tx1 | tr -d '\n')
    you "sent${output:- no datagram}"
    expected "$1$response"
    assert_equal "$output" " $1$response"
}

# said_why: the program that ran last ended with status 1, and a line on standard error.
said_why() {
    assert_equal "status $status" "status 1"
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
    [[ $stderr != *"not implemented"* ]] || likely "this is the starter's answer: the TODO says what to write"
}

# place_of PID: sets $host and $port of its UDP socket.
place_of() {
    local fd name inode
    host=127.0.0.1 port=''
    until [[ -n $port ]]; do
        for fd in "/proc/$1/fd"/*; do
            inode=$(readlink "$fd") || continue
            while read -r _ name _ _ _ _ _ _ _ number _; do
                [[ $inode != "socket:[$number]" ]] || port=$((16#${name#*:}))
            done </proc/net/udp
        done
        [[ -n $port ]] || breathe
    done
}

# waiting: how many bytes wait at the server's port
waiting() {
    local name queues place
    printf -v place ':%04X' "$port"
    while read -r _ name _ _ queues _; do
        [[ $name != *"$place" ]] || echo "$((16#${queues#*:}))"
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
    answer 64 "$first"
    answer 66 "$first"
}

# lab: points=2 task=8 needs="end to end/answers whoever asked" read="Cut without a word" man="2 recvmsg" likely="16 bytes and nothing else are a request: look at what udp_receive() says of the size and of truncation, and pass over the rest"
@test "passes over what is no request" {
    start udp-server 127.0.0.1 0
    open_sender
    peer "sent 15 bytes, 17 bytes and 1 byte, and then a request"
    datagram 61 "${request%'\x40'}"
    datagram 62 "$request\\x00"
    datagram 63 ""
    datagram 64 "$request"
    answer 64
}

# lab: points=2 task=8 needs="end to end/answers whoever asked" read="Boundaries hold" man="7 udp" likely="an empty datagram is no end and no error, and a reply that cannot be delivered is the client's loss: go on receiving"
@test "lives on after an empty datagram and a client that has gone" {
    start udp-server 127.0.0.1 0
    peer "sent an empty datagram"
    socat -t0 - "UDP4-SENDTO:$host:$port,shut-null" </dev/null
    peer "asked and was gone before the answer"
    kill -STOP "$pid"
    open_sender
    datagram 61 "$request"
    hang_up
    kill -CONT "$pid"
    open_sender
    peer "another one asked"
    datagram 64 "$request"
    answer 64
    peer "sent an empty datagram, and then asked again"
    likely "an empty datagram is no request: nothing goes back, and certainly no empty reply"
    socat -u -t0 /dev/null "FD:$client,shut-null"
    datagram 65 "$request"
    answer 65
}

# lab: points=1 task=8 needs="end to end/answers whoever asked" requires="ipv6" read="A socket without a connection" man="7 ipv6" likely="an IPv6 address is longer: udp_receive() gives its length, hand it on to udp_reply()"
@test "answers over IPv6" {
    start udp-server ::1 0
    open_sender
    peer "asked from ::1"
    datagram 64 "$request"
    answer 64
}

# lab: points=2 task=8 needs="end to end/answers whoever asked" read="Nobody there" man="7 signal" likely="leave what is given in main() as it is: SIGINT and SIGTERM end the server with status 0, and udp_bind()'s failure is said"
@test "the server stops when told and says what is wrong" {
    start udp-server 127.0.0.1 0
    first=$pid
    peer "another udp-server is there already"
    run --separate-stderr timeout "$LAB_PATIENCE" udp-server "$host" "$port"
    said_why
    peer "then SIGTERM came"
    stop TERM "$first"
    assert_success
    likely "0 is a descriptor like any other: only -1 is a failure"
    start bash -c 'exec udp-server 127.0.0.1 0 <&-'
    peer "then SIGINT came to another one, whose socket had number 0"
    stop INT
    assert_success
    peer "then no port was given"
    likely "with any other number of arguments: usage on standard error, and status 2"
    run -2 --separate-stderr udp-server 127.0.0.1
    assert_regex "$stderr" "[Uu]sage"
}

# lab: points=3 task=9 needs="udp_connect, udp_request, request_encode, response_decode, end to end/answers whoever asked" read="Your tasks" man="3 printf" likely="encode, udp_request(), decode, print: one line an answer, as the head of udp-client.c shows it"
@test "asks ten questions" {
    start udp-server 127.0.0.1 0
    peer "answered with ten times the value"
    # Its socket gets number 0, which is a descriptor like any other.
    run --separate-stderr bash -c 'exec udp-client "$1" "$2" <&-' _ "$host" "$port"
    [[ $stderr != *"not implemented"* ]] || likely "this is the starter's answer: the TODO says what to write"
    assert_success
    assert_output "$ten_answers"
    peer "another server answered with the values as they were"
    likely "print what the server answered: its value comes out of response_decode()"
    launch socat UDP4-LISTEN:0,bind=127.0.0.1 PIPE
    place_of "$pid"
    run --separate-stderr udp-client "$host" "$port"
    assert_success
    assert_output "$(sed -E 's/: (.*) -> .*/: \1 -> \1/' <<<"$ten_answers")"
}

# lab: points=3 task=9 needs="end to end/asks ten questions" read="Ask, wait, ask again" man="2 poll" likely="the time and the tries given to the program are those of udp_request(): pass them on"
@test "asks again until it is answered" {
    start udp-server 127.0.0.1 0
    server=$pid
    kill -STOP "$server"
    peer "was stopped until a request had come twice, then answered all of them"
    launch udp-client "$host" "$port" 1 16
    until first=$(waiting) && ((first > 0)) || lab_ended "$pid"; do breathe; done
    until (($(waiting) > first)) || lab_ended "$pid"; do breathe; done
    kill -CONT "$server"
    finish
    assert_success
    assert_output "$ten_answers"
}

# lab: points=2 task=9 needs="end to end/asks ten questions" read="Ask, wait, ask again" man="3 perror" likely="when udp_request() fails there is no answer to print: return false, main() says why"
@test "gives up when no answer comes" {
    start udp-server 127.0.0.1 0
    server=$pid
    kill -STOP "$server"
    peer "heard and did not answer"
    run --separate-stderr udp-client "$host" "$port" 1 3
    said_why
    assert_equal "$output" ""
    peer "then it was gone, and its port closed"
    kill -CONT "$server"
    stop TERM "$server"
    run --separate-stderr udp-client "$host" "$port"
    said_why
    assert_equal "$output" ""
}

# lab: points=1 task=9 needs="end to end/asks ten questions" read="Cut without a word" man="2 recvmsg" likely="an answer of another size is no response: response_decode() says so, look at its result"
@test "takes nothing but a response for an answer" {
    peer "answered with the first 15 bytes of the request"
    launch socat UDP4-RECVFROM:0,bind=127.0.0.1 'EXEC:head -c 15'
    place_of "$pid"
    run --separate-stderr udp-client "$host" "$port"
    said_why
    assert_equal "$output" ""
}

# lab: points=1 task=9 needs="end to end/asks ten questions" read="Your tasks" man="3 fflush" likely="printing can fail too: look at fflush(), or at what main() makes of it"
@test "the client says what is wrong" {
    start udp-server 127.0.0.1 0
    peer "standard output is full"
    run --separate-stderr bash -c 'udp-client "$1" "$2" >/dev/full' _ "$host" "$port"
    said_why
    peer "then a time of 0 was asked for, which udp_request() refuses"
    run --separate-stderr udp-client "$host" "$port" 0
    said_why
    peer "then the arguments were wrong"
    run -2 --separate-stderr udp-client "$host"
    assert_regex "$stderr" "[Uu]sage"
    run -2 --separate-stderr udp-client "$host" "$port" 1 1 1
    assert_regex "$stderr" "[Uu]sage"
}
