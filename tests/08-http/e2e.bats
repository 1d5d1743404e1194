# End to end: http-server and http-client, beside curl, netcat and socat. (See load.bats for a client in Python.)

setup() {
    load ../lib/lab
    lab_setup
    trap : PIPE # a connection that is gone is an error here, and no end; the programs do not inherit it
}
teardown() { lab_teardown; }

# A request of HTTP/1.1, as printf understands it.
get='GET / HTTP/1.1\r\nHost: x\r\n\r\n'

# The same, and it says that it is the last one.
last='GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
# What follows the method in a request with a body of 3 bytes.
chunked=' / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'

# serve ARG...: start http-server, on TCP if nothing else is said; reads its two lines.
serve() {
    [[ $* == *--timeout* || $* == *--socket* ]] || set -- --timeout 3600 "$@" # who waits for it waits in vain
    [[ $* == *--socket* ]] || set -- --socket tcp --host 127.0.0.1 --port 0 "$@"
    start http-server "$@"
    next_line
}

# tells BYTES [CLIENT]: send these (as printf understands them): whole lines in one write, and what is behind them in another.
tells() {
    local text
    # shellcheck disable=SC2059 # the bytes are a format
    printf -v text "$1"
    printf %s "$text" 1>&"${2:-$client}" 2>/dev/null || you "ended the connection"
}

# hears_answer [CLIENT]: wait for one response. Sets $code, $head (its lines) and $body.
hears_answer() {
    local length=0
    head='' body=''
    while :; do
        hear "${1:-$client}" || return 1
        output=${output%$'\r'}
        [[ -n $output ]] || break
        head+=$output$'\n'
        [[ $output != "Content-Length: "* ]] || length=${output##* }
    done
    code=${head#HTTP/1.1 } && code=${code:0:3}
    ((length == 0)) || IFS= read -r -t "$LAB_PATIENCE" -N "$length" -u "${1:-$client}" body
}

# answered CODE CONNECTION BODY [CLIENT]: the next response is this one.
answered() {
    hears_answer "${4:-$client}"
    assert_equal "$code $body" "$1 $3"
    [[ $head == *$'\n'"Connection: $2"$'\n'* ]] || likely "the answer says what happens next: \"Connection: keep-alive\" if another request may come, \"close\" if not"
    assert_regex "$head" "(^|"$'\n'")Connection: $2"$'\n'
}

# ended [CLIENT]: the server has ended its stream, and said nothing more.
ended() {
    hear_end "${1:-$client}"
    assert_equal "then: $output" "then: "
}

# plain: take the CRs out of $output, and $lines
plain() {
    output=${output//$'\r'/}
    mapfile -t lines <<<"$output"
}

# codes: of the answers in $output, in their order
codes() {
    local left=$output
    codes=''
    while [[ $left =~ HTTP/1.1\ ([0-9]*)(.*) ]]; do
        codes+="${BASH_REMATCH[1]} " left=${BASH_REMATCH[2]}
    done
}

# answers COMMANDS: a server of the test's own answers the next client with what these write. Sets $host and $port.
answers() {
    [[ -n ${by_hand-} ]] || {
        start socat -d -d -lf /dev/stdout TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:'sh commands',nofork
        until [[ $line == *"listening on "* ]]; do next_line; done
        host=127.0.0.1 port=${line##*:} by_hand=$pid
    }
    printf '%s\n' 'while IFS= read -r line && [ "$line" != "'$'\r''" ]; do echo "$line" >>asked; done' "$1" >commands
    : >asked
}

# asks ARG...: http-client asks the server
asks() {
    attempt http-client --socket tcp --host "$host" --port "$port" "$@"
}

# said_why: the program that ran last ended with status 1, and a line on standard error.
said_why() {
    assert_equal "status $status" "status 1"
    [[ -n $stderr ]] || expected "a line on standard error"
    refute [ -z "$stderr" ]
}

# lab: points=4 task=4 needs="http_response_write, http_parser_next/finds_a_request" requires="curl" read="The server" man="1 curl" likely="at HTTP_END answer what the head asks for: compare the whole method, and write the answer with http_response_write()"
@test "answers GET and HEAD and no other method" {
    # listens FD: that descriptor of the server's is the listener
    listens() {
        local socket all
        socket=$(readlink "/proc/$pid/fd/$1") && socket=${socket//[!0-9]/}
        all=$(</proc/net/tcp)
        [[ -n $socket && $all =~ \ 0A\ [^$'\n']*\ $socket\  ]]
    }
    serve
    assert_regex "$line" '^Server running. File descriptor: [0-9]+$'
    likely "the number is that of the descriptor that listens"
    listens "${line##*: }"
    peer "curl sent GET, HEAD, DELETE, GETS, get and GET, on one connection"
    local url="http://$host:$port/any?thing" field port_of_curl
    likely "at HTTP_END answer what the head asks for: compare the whole method, and write the answer with http_response_write()"
    run -0 curl -si "$url" -w '%{local_port}\n' --next -sI "$url" --next -siX DELETE "$url" --next -siX GETS "$url" --next -siX get "$url" --next -s "$url"
    plain
    assert_regex "$output" "^HTTP/1.1 200 OK"$'\n'
    for field in "Content-Type: text/plain" "Content-Length: 7" "Connection: keep-alive"; do
        assert_line "$field"
    done
    [[ $output =~ running([0-9]+) ]]
    port_of_curl=${BASH_REMATCH[1]}
    codes
    assert_equal "$codes" "200 200 405 405 405 "
    assert_regex "$output" "Method not allowedrunning$"
    likely "405 says in the field Allow what is allowed: GET, HEAD"
    assert_line "Allow: GET, HEAD"
    likely "Allow belongs to 405, and to no other answer"
    refute_regex "${output%%running*}" "Allow:"
    likely "each connection is one line, with the client's address as tcp_accept() gave it"
    next_line
    assert_equal "$line" "New TCP connection from: ('127.0.0.1', $port_of_curl)"
    likely "SIGTERM ends the server with status 0, when all is answered: begin_to_stop()"
    stop TERM
    assert_success
    likely "all of these came on one connection: one line"
    assert_output ""
}

# lab: points=5 task=4 needs="end to end/answers GET and HEAD and no other method" read="The server" man="7 unix" likely="the same server, on another socket"
@test "serves a UNIX socket and removes its file" {
    serve --socket unix --path "$PWD/socket"
    peer "nc sent a request to the UNIX socket"
    run -0 nc -N -U socket < <(printf '%b' "$get")
    assert_regex "$output" "^HTTP/1.1 200 OK"
    assert_regex "$output" "running$"
    next_line
    assert_equal "$line" "New Unix domain socket connection"
    kill -KILL "$pid"
    finish
    peer "the server was killed, and another one started"
    serve --socket unix --path "$PWD/socket"
    attempt http-client --socket unix --path socket
    assert_success
    assert_regex "$output" "running$"
    likely "when each client has its answers and has ended its stream (recv() says 0: close, also when it is LINGERING) the server ends"
    stop INT
    assert_success
    likely "the socket file outlives the server: unlink() it when the server stops"
    assert [ ! -e socket ]
    local name="@lab-$$-$EPOCHREALTIME"
    : >"$name"
    peer "another one was started with an abstract name"
    serve --socket unix --path "$name"
    likely "SIGTERM ends the server with status 0, when all is answered: begin_to_stop()"
    stop TERM
    assert_success
    likely "an abstract name (\"@name\") is no file: the file that is called so is somebody else's"
    assert [ -e "$name" ]
}

# lab: points=4 task=4 needs="end to end/answers GET and HEAD and no other method" read="One read is not one request" man="2 recv" likely="a request comes in as many reads as it likes: answer at HTTP_END, and serve whoever else has something meanwhile"
@test "waits for a request that comes in pieces" {
    serve
    open_client
    local first=$client second
    peer "one client sent \"GE\", another one a request, in pieces; then the first one the rest, in pieces"
    tells 'GE'
    open_client
    second=$client
    tells 'GET / HTTP/1.1\r'
    open_client
    tells "$get"
    answered 200 keep-alive running
    tells '\nHost: x\r\n' "$second"
    tells 'T / HTTP/1.1\r\n' "$first"
    tells "$get"
    answered 200 keep-alive running
    hang_up
    tells '\r\n' "$second"
    answered 200 keep-alive running "$second"
    tells 'Host: x\r\n\r\n' "$first"
    answered 200 keep-alive running "$first"
    peer "then another one sent a request with a body, in pieces"
    open_client
    tells 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\na\n'
    tells "$get" "$second"
    answered 200 keep-alive running "$second"
    tells 'cd'
    answered 405 keep-alive "Method not allowed"
    hang_up
    peer "then the first one sent two requests, and reset the connection"
    tells "$get$get" "$first"
    hears_answer "$first"
    hang_up "$first"
    tells "$get" "$second"
    answered 200 keep-alive running "$second"
    hang_up "$second" # or the server waits for it when it is stopped
}

# lab: points=4 task=4 needs="end to end/waits for a request that comes in pieces" read="Two requests in one read" man="2 send" likely="answer all requests that a read has brought, in their order, before you read again; what does not fit into the output waits until that is sent"
@test "answers pipelined requests in their order" {
    # stuck: is there a connection on which the server can send no more, and does not read?
    stuck() {
        local all place
        printf -v place ':%04X' "$port"
        all=$(</proc/net/tcp)
        [[ $all =~ $place\ [0-9A-F:]+\ 01\ ([0-9A-F]+):([0-9A-F]+) ]] &&
            ((16#${BASH_REMATCH[1]} > 0 && 16#${BASH_REMATCH[2]} > 0))
    }
    # stays_stuck: wait until it is for three looks in a row; or for 400 looks, if the server goes on reading
    stays_stuck() {
        local still=0 tries=0
        while ((still < 3 && tries++ < 400)); do
            breathe
            if stuck; then still=$((still + 1)); else still=0; fi
        done
    }
    serve
    peer "one client sent GET, POST with a body in chunks, HEAD, HEADER, GET with \"Connection: close\", and one more, at once"
    open_client
    tells "${get}POST${chunked}HEAD${get:3}HEADER${get:3}$last$get"
    hear_end
    codes
    hang_up
    [[ $codes != "200 405 200 200 "* ]] || likely "compare the whole method: HEADER is not HEAD"
    assert_equal "$codes" "200 405 200 405 200 "
    peer "then nc sent 600 requests at once"
    # shellcheck disable=SC2059 # the bytes are a format
    printf "$get%.0s" {1..600} >requests
    nc -N "$host" "$port" <requests >got
    likely "when there is no room for another answer, stop taking requests; when the output is sent, go on with those that are there"
    attempt grep -c '^running' got
    assert_equal "$output answers" "600 answers"
    peer "one client sends requests without end and reads no answer; another one sent one"
    likely "an answer that does not fit into the socket waits for its client, and no other client waits for it"
    # shellcheck disable=SC2016 # expanded by that bash
    launch bash -c 'yes "$2" | socat -u - "TCP:$0:$1,mss=1400,rcvbuf=4096" 2>/dev/null' "$host" "$port" $'GET / HTTP/1.1\r\nHost: x\r\n\r'
    local greedy=$pid server=${lab_pids[0]}
    stays_stuck
    open_client
    for _ in 1 2 3; do
        tells "$get"
        answered 200 keep-alive running
    done
    hang_up
    kill -- "-$greedy"
    finish "$greedy"
    likely "when each client has its answers and has ended its stream (recv() says 0: close, also when it is LINGERING) the server ends"
    stop TERM "$server"
    assert_success
}

# lab: points=8 task=5 needs="end to end/waits for a request that comes in pieces" read="Once more, or the last time" likely="head.keep_alive says whether the connection goes on: the answer must say the same, and the server do it"
@test "keeps a connection or ends it as the request says" {
    local descriptors tries=0 bad
    local -A reason=([400]="Bad Request" [505]="HTTP Version Not Supported" [501]="Not Implemented")
    serve
    descriptors=$(fd_count)
    open_client
    peer "one connection: a request of HTTP/1.0 with \"Connection: keep-alive\", one of HTTP/1.1, one of HTTP/1.0, and nothing more"
    tells 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'
    answered 200 keep-alive running
    tells "$get"
    answered 200 keep-alive running
    tells 'GET / HTTP/1.0\r\n\r\n'
    answered 200 close running
    ended
    hang_up
    open_client
    peer "another one: \"Connection: close\""
    tells 'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    hear
    assert_equal "$output" $'HTTP/1.1 200 OK\r'
    hear_end
    assert_regex "$output" "Connection: close"
    hang_up
    open_client
    peer "another one: \"Expect: 100-continue\", and waits with the body"
    likely "who expects to be asked for the body waits: answer when the head is there, with \"Connection: close\""
    tells 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n'
    answered 200 close running
    tells 'abcd'
    ended
    hang_up
    likely "after the answer to what is no HTTP the server ends its stream"
    for bad in '400 GET / HTTP/1.1\nHost: x\n' '505 GET / HTTP/2.0\r\n\r\n' '501 GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n'; do
        open_client
        peer "sent a good request, then \"${bad:4}\", and waits"
        tells "$get${bad:4}"
        answered 200 keep-alive running
        hears_answer
        assert_regex "$code $head" "^${bad:0:3} .*"$'\n'"Connection: close"$'\n'
        [[ $body == "${reason[$code]}" ]] || likely "the text of such an answer says what is wrong in words: http_reason()"
        assert_equal "with the text $body" "with the text ${reason[$code]}"
        ended
        hang_up
    done
    peer "sent a head of 5 MB, and reads the answer when all of that is sent"
    likely "close() with unread bytes sends a reset, and the answer is lost: shutdown(SHUT_WR), then read until the client has ended its stream"
    open_client
    { printf 'GET / HTTP/1.1\r\nHost: x\r\nX: ' && head -c 5000000 /dev/zero | tr '\0' x; } >&"$client"
    hears_answer
    assert_equal "$code" "431"
    ended
    hang_up
    peer "all have gone"
    likely "when the client's stream is at its end close the connection: each costs a descriptor"
    until (($(fd_count) <= descriptors || tries++ > 500)); do breathe; done
    assert_equal "$(fd_count) descriptors" "$descriptors descriptors"
}

# lab: points=4 task=5 needs="end to end/keeps a connection or ends it as the request says" read="Who is late" man="2 poll" likely="a head has a time that begins with its first byte, and no byte gives it more: when it is over, 408"
@test "waits for a head no longer than its time" {
    # opens BYTES: connect, and send these, long before a connection without a request would be closed. Sets $since.
    opens() {
        local tries=0
        since=0
        while ((${EPOCHREALTIME/[.,]/} - since > 40000 && tries++ < 50)); do # the machine may be busy
            ((tries == 1)) || hang_up
            since=${EPOCHREALTIME/[.,]/}
            open_client
            tells "$1"
        done
    }
    # drips CLIENT: send a byte now and then, until a line comes back. Sets $output to the line, $longest to
    # the longest time between two bytes, in microseconds.
    drips() {
        local last=${EPOCHREALTIME/[.,]/} now piece code
        longest=0 output=''
        for _ in {1..200}; do
            printf x 1>&"$1" 2>/dev/null || return 0 # then the line will show that there was none
            now=${EPOCHREALTIME/[.,]/}
            ((now - last <= longest)) || longest=$((now - last))
            last=$now code=0
            IFS= read -rt 0.005 -u "$1" piece || code=$?
            output+=$piece # or a part of it
            ((code)) || return 0
        done
        you "waited longer than 200 bytes took to come"
        return 1
    }
    # drips_on CLIENT: send a byte now and then, until the connection is gone. Sets $gone to the time then.
    drips_on() {
        local tries
        for tries in {1..200}; do
            printf x 1>&"$1" 2>/dev/null || break
            read -rt 0.005 -u "$lab_idle" || :
        done
        gone=${EPOCHREALTIME/[.,]/}
        ((tries < 200))
    }
    serve --timeout 0.08
    local silent slow late since gone tries=0
    peer "one client sends a request and the first letter of the next, and nothing more"
    opens "${get}G"
    answered 200 keep-alive running
    local begun=$client
    opens 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab'
    late=$client
    peer "another one sends a head, a byte now and then"
    while ((tries++ < 5)); do # until each byte, and the answer, came in time: the machine may be busy
        opens 'GET / HTTP/1.1\r\nX: '
        slow=$client
        drips "$slow"
        ((longest > 60000 || ${EPOCHREALTIME/[.,]/} - since > 100000)) || break
    done
    assert_regex "$output" "^HTTP/1.1 408 "
    peer "the one that sent bytes has its 408, and goes on sending"
    likely "a client that goes on sending after its last answer has its time, too: then close() it"
    hear_end "$slow"
    drips_on "$slow" || fail "the connection is still there after 200 bytes"
    likely "408 is a last answer like any other: after it shutdown(SHUT_WR), and take what comes for the time, or the answer may be lost to a reset"
    ((gone - since > 120000)) || fail "the connection was closed at once"
    open_client
    silent=$client
    likely "a head has a time that begins with its first byte, and no byte gives it more: when it is over, 408"
    answered 408 close "Request Timeout" "$begun"
    ended "$begun"
    likely "who has sent a part of a body, and no more for its time, is told 408, too"
    peer "another one sent a head that promises 4 bytes, and 2 of them"
    answered 408 close "Request Timeout" "$late"
    ended "$late"
    peer "another one sent nothing; and nobody else sends anything any more"
    likely "a connection without a request is closed when its time is over, and nothing is said"
    ended "$silent"
    peer "one client is silent, another one has sent half a request, and sends no more; and the signal came"
    likely "a silent client may not keep the server from its end: no longer than --timeout"
    open_client
    open_client
    tells 'GET / HTTP/1.1\r\n'
    stop INT
    assert_success
}

# lab: points=5 task=5 needs="end to end/serves a UNIX socket and removes its file, end to end/keeps a connection or ends it as the request says" read="Stopping" man="2 signalfd" likely="a request that has come before the signal is answered after it: take who waits in the queue, read what is there, answer with \"Connection: close\", and only then end"
@test "stops when told and finishes what is in flight" {
    # served N: so many clients connect, and each has the answer to a request. Adds them to $served.
    served() {
        local i
        for ((i = 0; i < $1; i++)); do
            open_client
            served+=("$client")
            tells "$get"
            answered 200 keep-alive running || return
        done
    }
    # answered_and_ended CLIENT...: to each the answer to one request has come, and the end
    answered_and_ended() {
        local client
        for client in "$@"; do
            hears_answer || return
            assert_equal "$code $body" "200 running" || return
            ended || return
            hang_up
        done
    }
    local i served=() waiting=() begun half silent
    serve
    open_client # this one, the first, will not say a word
    silent=$client
    served 6
    peer "of 7 clients that are connected 4 sent a request, one a half, one a request with half its body, and one nothing; 4 more wait to be accepted, with a request; the signal came before the server could look at any of them"
    begun=${served[4]} half=${served[5]}
    kill -STOP "$pid"
    # whole lines: in one segment, which waits for no acknowledgement
    tells 'GET / HTTP/1.1\r\n' "$begun"
    tells 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\na\n' "$half"
    for i in {0..3}; do
        tells "$get" "${served[i]}"
        open_client
        waiting[i]=$client
        tells "$get"
    done
    kill -TERM "$pid"
    kill -CONT "$pid"
    answered_and_ended "${served[@]:0:4}" "${waiting[@]}"
    likely "while a request that has begun is finished, nobody new is let in: close the listener first"
    if (open_client) 2>/dev/null; then fail "a new connection was accepted"; fi
    likely "a request that has begun before the signal may be finished after it"
    ended "$silent" # a connection without a request has a moment; and a bit more
    read -rt 0.05 -u "$lab_idle" || :
    tells 'Host: x\r\n\r\n' "$begun"
    tells 'cd' "$half"
    answered 200 close running "$begun"
    ended "$begun"
    hang_up "$begun"
    answered 405 close "Method not allowed" "$half"
    ended "$half"
    hang_up "$half"
    likely "when all is answered, and each client has ended its stream (recv() says 0: close, also when it is LINGERING), return 0 from main"
    finish
    assert_success
    likely "each connection is one line, and nothing else is"
    assert_equal "${#lines[@]} lines" "11 lines"
}

# lab: points=3 task=6 needs="http_request_write, http_parser_next/reads_responses, http_parser_end, end to end/answers GET and HEAD and no other method" read="The client" likely="http_request_write(), write_all(), then recv() and http_parser_next() until HTTP_END; a head is printed line by line, a body as it comes"
@test "the client asks and prints" {
    serve
    peer "http-server was asked for GET, and for HEAD"
    asks
    assert_success
    mapfile -t lines <printed
    assert_regex "$output" '^\[\+\] Response: HTTP/1.1 200 OK'$'\n'
    assert_line "Content-Type: text/plain"
    assert_line "Content-Length: 7"
    assert_line "Connection: close"
    assert_regex "$output" $'\n\nrunning$'
    likely "the answer to HEAD has no body: HTTP_RESPONSE_TO_HEAD"
    asks --method HEAD
    assert_success
    mapfile -t lines <printed
    assert_line "Content-Length: 7"
    refute_line running
    likely "when each client has its answers and has ended its stream (recv() says 0: close, also when it is LINGERING) the server ends"
    stop TERM
    assert_success
    answers 'printf "HTTP/1.1 100 Continue\\r\\n\\r\\nHTTP/1.1 404 Not here\\r\\nA: b\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n3\\r\\na"
        printf "b\\n\\r\\n1\\r\\n\\0\\r\\n0\\r\\n\\r\\n"
        IFS= read -r line'
    peer "another server said 100, then 404 with a body in chunks, and did not end its stream"
    likely "100 to 199 are not the answer yet; the chunks' sizes are no part of the body; at HTTP_END the client ends"
    asks --method PUT --target "/a?b"
    assert_success
    printf '[+] Response: HTTP/1.1 404 Not here\nA: b\ntransfer-encoding: chunked\n\nab\n\0\n' >right
    same printed right || {
        you "printed $(od -An -c printed | tr -s ' \n' ' ')"
        [[ $(tail -c1 printed | od -An -c) == *"\n" ]] || likely "at the end of the response the client prints a newline"
        return 1
    }
    likely "the request is METHOD TARGET, and has Host: HOST:PORT and Connection: close"
    output=$(<asked)
    plain
    assert_line --index 0 'PUT /a?b HTTP/1.1'
    assert_line "Host: $host:$port"
    assert_line "Connection: close"
}

# lab: points=3 task=6 needs="end to end/the client asks and prints" read="The client" man="3 perror" likely="check each call's result: status 1 and a line on standard error when one fails, status 2 and the usage for wrong arguments"
@test "the client takes no bad answer and the programs say what is wrong" {
    local answer
    likely "each of these is status 1 and a line on standard error: no HTTP, a response that is cut short, no response"
    for answer in 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nrunning' '' 'SSH-2.0-OpenSSH_9.2\r\n'; do
        peer "answered \"$answer\", and ended its stream"
        answers "printf '$answer'"
        asks
        said_why
    done
    peer "answered in HTTP/1.0, without a length, and ended its stream"
    likely "a response without a length is whole at the end of the stream: http_parser_end() says 1"
    answers "printf 'HTTP/1.0 200\r\n\r\nrunning'"
    asks
    [[ $status != 0 || $output == *HTTP/1.0* ]] || likely "the version that is printed is the response's: head.minor_version"
    assert_regex "$status ${output//$'\n'/|}" '^0 \[\+\] Response: HTTP/1\.0 200 ?\|\|running$' # it has no reason
    likely "check each call's result: status 1 and a line on standard error when one fails, status 2 and the usage for wrong arguments"
    peer "standard output is full"
    status=0
    http-client --socket tcp --host "$host" --port "$port" >/dev/full 2>complaints || status=$?
    stderr=$(<complaints)
    said_why
    peer "the method is no token"
    asks --method 'GET /'
    said_why
    peer "another server listens there already"
    attempt http-server --socket tcp --host "$host" --port "$port"
    said_why
    peer "nobody listens any more"
    kill -TERM "$by_hand"
    lab_wait "$by_hand"
    asks
    said_why
    for wrong in "http-server --socket tcp --timeout never" "http-server --socket udp" "http-client --socket tcp more"; do
        peer "called as $wrong"
        # shellcheck disable=SC2086 # a command and its arguments
        attempt $wrong
        assert_failure 2
        assert_regex "$stderr" "[Uu]sage"
    done
}
