# End to end: heartbeat-server and patient-client, with a clock that the test moves on, and peers that say nothing.

setup() {
    load ../lib/lab
    lab_setup
    mkfifo time said
    exec {clock}<>"time" {said}<>"said"
}
# The last one first: what socat has started ends when its client does.
teardown() {
    local id
    local -a last_first=()
    for id in "${lab_pids[@]}"; do last_first=("$id" "${last_first[@]}"); done
    lab_pids=("${last_first[@]}")
    lab_teardown
}

# passes MS [PID]: so much time passes for the program that has --clock time. Sets $meanwhile: what it printed, a line each.
passes() {
    local id=${2:-$pid}
    echo "$1" >&"$clock"
    meanwhile=''
    while next_line "$id" && [[ $line != "time "* ]]; do meanwhile+=$line$'\n'; done
    meanwhile=${meanwhile%$'\n'}
    [[ $line == "time "* ]]
}

# tells BYTES [CLIENT]: send these (as printf understands them). A server that is gone is no error.
tells() {
    # shellcheck disable=SC2059 # the bytes are a format
    (printf "$1" >&"${2:-$client}") 2>/dev/null || :
}

# hears N [CLIENT]: read so many bytes of the answer; sets $output.
hears() {
    bytes "$1" <&"${2:-$client}" || you "sent less than $1 bytes within $LAB_PATIENCE s"
}

# hears_the_end [CLIENT]: the stream ends, and no byte comes before. (hear_end ends at a NUL.)
hears_the_end() {
    local code=0
    bytes 1 <&"${1:-$client}" || code=$?
    ((code == 0 || code > 128)) || [[ -n $output ]] || return 0
    [[ -n $output ]] || output="no end within $LAB_PATIENCE s"
    you "sent $output"
    expected "the end of the stream"
    return 1
}

# serve_by_hand: a server of the test's own: each client is served by what $commands then says, in the words of the shell.
# Sets $host, $port and $pid.
serve_by_hand() {
    start socat -d -d -lf /dev/stdout TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:'bash commands',nofork
    until [[ $line == *"listening on "* ]]; do next_line; done
    host=127.0.0.1 port=${line##*:}
}

# answers COMMANDS: this is how the next client is served; at their end its stream ends. In them "heard N" reads so many bytes and
# tells the test, and "taken" waits until the client has read all that was sent to it, and tells the test.
# shellcheck disable=SC2016 # for the shell that serves
answers() {
    {
        echo "LAB_PATIENCE=$LAB_PATIENCE"
        declare -f bytes
        printf '%s\n' 'heard() {
            bytes "$1"
            echo "$output" >said
        }
        taken() {
            local all rx idle tries=0
            exec {idle}<> <(:) # a pipe that stays empty
            printf -v rx ":%04X 0100007F:%04X 01 [0-9A-F]{8}:00000000 " "$SOCAT_PEERPORT" "$SOCAT_SOCKPORT"
            while IFS= read -r -d "" all </proc/net/tcp || ! [[ $all =~ $rx ]] && ((tries++ < 200)); do
                read -rt 0.002 -u "$idle"
            done
            echo taken >said
        }' "$1"
    } >commands.new
    mv commands.new commands # a shell that serves the last one may still read the old one
}

# the_server_says: the next line of the server by hand; sets $output.
the_server_says() {
    output=''
    IFS= read -r -t "$LAB_PATIENCE" -u "$said" output || you "sent nothing within $LAB_PATIENCE s"
}

# rests_or_fails: wait until the program sleeps, and does so again without having worked; at most 0.2 s of processor time.
rests_or_fails() {
    measure "$pid"
    local most=$((worked + 200000000))
    until rests "$pid"; do
        breathe
        ! lab_ended "$pid" || fail "the program has ended"
        measure "$pid"
        ((worked < most)) || fail "the program has worked for 0.2 s of processor time, without a pause"
    done
}

# attempt PROGRAM ARG...: as run --separate-stderr does, without its five processes. Sets $status, $output and $stderr; what
# the program printed is also in the file "printed".
attempt() {
    status=0
    "$@" >printed 2>complaints || status=$?
    IFS= read -r -d '' output <printed || :
    IFS= read -r -d '' stderr <complaints || :
    output=${output%"${output##*[!$'\n']}"}
    stderr=${stderr%"${stderr##*[!$'\n']}"}
}

# lab: points=4 task=6 needs="alive_encode, alive_type" read="A heartbeat" likely="a ping comes back as a pong with the same body, a message as it is, and a pong is not answered: else two programs greet each other for ever"
@test "the server answers pings and messages" {
    start heartbeat-server 127.0.0.1 0
    server=$pid
    open_client
    peer "sent a ping with the body \"ab\", cut within its length"
    tells '\0\0\0'
    tells '\2\1ab'
    hears 7
    assert_output "00 00 00 02 02 61 62"
    peer "then at once a message \"hi\", a pong, an empty ping, an empty message"
    tells '\0\0\0\2\0hi\0\0\0\1\2x\0\0\0\0\1\0\0\0\0\0'
    hears 17
    assert_output "00 00 00 02 00 68 69 00 00 00 00 02 00 00 00 00 00"
    peer "another one sends messages of 4096 bytes, and reads no answer, until its connection is ended"
    likely "send() with MSG_DONTWAIT: who leaves no room for an answer is closed, and nobody waits for it"
    printf '\0\0\20\0\0' >longest
    head -c 4096 /dev/zero >>longest
    cat longest longest longest longest longest longest longest longest >some
    cat some some some some some some some some >many
    launch socat -u SYSTEM:'while cat many; do :; done 2>/dev/null' "TCP:$host:$port,rcvbuf=65536"
    finish
    tells '\0\0\0\0\1'
    hears 5
    assert_output "00 00 00 00 02"
    peer "a third one sent two pings, and was gone before the answers came"
    likely "who sends to a connection that is gone gets SIGPIPE, and is ended by it, if MSG_NOSIGNAL does not say otherwise"
    kill -STOP "$server"
    lively=$client
    open_client
    tells '\0\0\0\0\1\0\0\0\0\1'
    hang_up
    kill -CONT "$server"
    tells '\0\0\0\0\1' "$lively"
    hears 5 "$lively"
    assert_output "00 00 00 00 02"
    stop INT "$server"
    assert_success
}

# lab: points=4 task=6 needs="heartbeat_check/says_when_the_peer_is_dead, end to end/the server answers pings and messages" read="When to believe that nobody is there" likely="each whole message is a sign of life, and nothing else is; what heartbeat_check() says is asked each time round, for each client"
@test "the server closes who says nothing" {
    start heartbeat-server --clock time 127.0.0.1 0
    peer "one client says nothing, three sent a ping at 0 ms"
    open_client
    never=$client
    clients=()
    for _ in {1..3}; do
        open_client
        tells '\0\0\0\0\1'
        hears 5
        clients+=("$client")
    done
    quiet=${clients[0]} slow=${clients[1]} lively=${clients[2]}
    passes 1500
    peer "at 1500 ms one of them sent half a ping, and one a pong and a message"
    tells '\0\0\0' "$slow"
    tells '\0\0\0\0\2\0\0\0\0\0' "$lively"
    hears 5 "$lively"
    passes 1499
    peer "at 2999 ms all of them are still connected"
    tells '\0\0\0\0\1' "$lively"
    hears 5 "$lively"
    passes 1
    peer "at 3000 ms the one that said nothing, the one that said nothing more, and the one that said only half a message are closed"
    for client in "$never" "$quiet" "$slow"; do
        hears_the_end "$client"
    done
    passes 2998
    peer "at 5998 ms the one that sent a ping at 2999 sent another"
    tells '\0\0\0\0\1' "$lively"
    hears 5 "$lively"
    assert_output "00 00 00 00 02"
    passes 2999
    peer "and is still connected at 8997 ms; at 8998 it is closed, and a new one comes, on the same descriptor perhaps"
    tells '\0\0\0\0\7' "$lively" # a bad type, when it comes back, so that nothing is heard
    hears_the_end "$lively"
    open_client
    tells '\0\0\0\0\1'
    hears 5
    passes 2999
    likely "a client's timer goes with the client: who gets its descriptor next has one of its own"
    tells '\0\0\0\0\1'
    hears 5
    assert_output "00 00 00 00 02"
    stop TERM
    assert_success
    you "wrote $(grep -c . <<<"$stderr") lines on standard error"
    expected "one for each of the four connections that the server ended"
    likely "each connection that the server ends is a line on standard error"
    assert [ "$(grep -c . <<<"$stderr")" -eq 4 ]
}

# lab: points=3 task=6 needs="end to end/the server answers pings and messages" read="A heartbeat" likely="what frame_decoder_next() or alive_type() refuses is the end of that connection, and of no other"
@test "a bad message ends its connection and no other" {
    start heartbeat-server --idle 0 --clock time 127.0.0.1 0
    open_client
    other=$client
    for bad in '\0\0\0\0\3' '\0\0\0\0\377' '\0\0\20\1\0' '\377\377\377\377\1'; do
        peer "sent a ping, and then \"$bad\" and a ping"
        open_client
        tells '\0\0\0\0\1'"$bad"'\0\0\0\0\1'
        hears 5
        assert_output "00 00 00 00 02"
        hears_the_end
    done
    peer "another one sent the longest message that may be, after a long time, as --idle is 0"
    likely "--idle 0: nobody is too idle"
    passes 100000000
    printf '\0\0\20\0\0' >longest
    head -c 4096 /dev/zero >>longest
    cat longest >&"$other"
    head -c 4101 <&"$other" >got
    assert cmp longest got
    stop TERM
    assert_success
}

# lab: points=3 task=6 needs="end to end/the server answers pings and messages" read="A heartbeat" man="2 accept" likely="one place for each client, from the first to the 64th, and free again when it has gone"
@test "who finds no place waits in the queue" {
    start heartbeat-server --idle 0 127.0.0.1 0
    limit=$(prlimit --pid "$pid" --nofile --noheadings --output SOFT)
    prlimit --pid "$pid" --nofile=68:
    peer "66 clients sent a ping each, and the server may open no descriptor above 67"
    clients=()
    for _ in {1..66}; do
        open_client
        tells '\0\0\0\0\1'
        clients+=("$client")
    done
    hears 5 "${clients[49]}"
    likely "when accept() fails, the listener stays readable: wait a moment before the next one, or the loop spins"
    rests_or_fails
    likely "who could not be accepted is accepted when there is a descriptor again; and the -1 of accept() is no client, that would take a place"
    prlimit --pid "$pid" --nofile="${limit// /}":
    peer "now it may open as many as it likes: 64 clients are served"
    hears 5 "${clients[63]}"
    hears 5 "${clients[0]}"
    likely "no place is free: the listener is left out, or the loop spins"
    rests_or_fails
    peer "the first two hung up, and the 66th has waited"
    hang_up "${clients[0]}"
    hang_up "${clients[1]}"
    hears 5 "${clients[65]}"
    assert_output "00 00 00 00 02"
    stop TERM
    assert_success
}

# lab: points=3 task=6 needs="heartbeat_wait, end to end/the server closes who says nothing, end to end/the client asks and gives up and comes back" read="When to believe that nobody is there" man="2 poll" likely="poll() may sleep only until the next thing is due: heartbeat_wait(), the least of all clients'"
@test "time passes while nothing happens" {
    start heartbeat-server --idle 60 127.0.0.1 0
    server=$pid
    peer "connected, and says nothing, by the machine's clock"
    open_client
    open_client
    hears_the_end
    stop TERM "$server"
    serve_by_hand
    answers 'cat >/dev/null; echo ended >said'
    peer "a server that never answers"
    launch patient-client --interval 20 --timeout 60 --min-delay 20 "$host" "$port"
    next_line
    wait_for_line '^lost: .*; again in 20 ms$'
    wait_for_line '^connected to '
    the_server_says
    assert_output ended
    stop TERM
    the_server_says
}

# lab: points=4 task=7 needs="connect_within, keepalive_set, socket_options, end to end/the server answers pings and messages" read="What the kernel says of a socket" likely="connect_within(), keepalive_set(), report(), then heartbeat_init() and frame_decoder_init(): a new connection, a new beginning"
@test "the client sends lines and prints what comes back" {
    start heartbeat-server 127.0.0.2 0
    printf -v long %05000d 7
    printf 'Hello\n\nto\0you\n%s\nend' "$long" >lines
    printf 'connected to %s:%s\necho Hello\necho \necho to\0you\necho %s\necho %s\necho end\n' "$host" "$port" "${long:0:4096}" \
        "${long:4096}" >expected
    peer "heartbeat-server answers a line of text, an empty one, one with a NUL, one of 5000 bytes, and one without a newline"
    attempt patient-client --options off --connect-timeout 60000 --tries 1 "$host" "$port" <lines
    assert_success
    assert cmp printed expected
    peer "heartbeat-server, and --options on --timeout 4321"
    likely "TCP's own keep-alive is on, and TCP_USER_TIMEOUT is --timeout; the table is socket_options()'s, a row a line"
    attempt patient-client "$host" "$port" </dev/null
    assert_output "connected to $host:$port"
    attempt patient-client --options on --timeout 4321 "$host" "$port" </dev/null
    assert_success
    assert_regex "$output" "^connected to [^"$'\n'"]*
SO_RCVBUF [0-9]+
SO_SNDBUF [0-9]+
SO_KEEPALIVE on
TCP_NODELAY (on|off)
TCP_USER_TIMEOUT 4321
SO_LINGER off
SO_ERROR 0\$"
}

# lab: points=5 task=7 needs="reconnect_delay, end to end/the client sends lines and prints what comes back" read="Not all at once, and not for ever" likely="after an attempt that failed, the next one is due reconnect_delay() from now; nothing is read from standard input until there is a connection"
@test "the client tries again after 1 2 4 8 10 10 seconds" {
    start heartbeat-server 127.0.0.1 0
    stop TERM
    peer "nobody listens there"
    launch patient-client --clock time "$host" "$port"
    patient=$pid
    tell "early"
    next_line
    for delay in 1000 2000 4000 8000 10000 10000; do
        assert_regex "$line" "^lost: .*; again in $delay ms\$"
        passes $((delay - 1))
        assert_equal "$meanwhile" ""
        echo 1 >&"$clock"
        next_line
        last=$line
        next_line
        assert_regex "$line" "^time "
        line=$last
    done
    peer "heartbeat-server listens now"
    likely "a line that was typed meanwhile is sent when the connection is there: nothing is lost"
    start heartbeat-server 127.0.0.1 "$port"
    passes 10000 "$patient"
    assert_equal "$meanwhile" "connected to $host:$port"
    next_line "$patient"
    assert_equal "$line" "echo early"
    pid=$patient
    end_input
    finish
    assert_success
}

# lab: points=5 task=7 needs="heartbeat_check, end to end/the client sends lines and prints what comes back" read="When to believe that nobody is there" likely="HEARTBEAT_ASK: send a ping; HEARTBEAT_DEAD: lose the connection; and each message that comes is heard"
@test "the client asks and gives up and comes back" {
    serve_by_hand
    answers 'heard 7; heard 5; printf "\0\0\0\0\2"; taken; heard 5; heard 5; cat >/dev/null'
    launch patient-client --clock time "$host" "$port"
    next_line
    assert_equal "$line" "connected to $host:$port"
    passes 999
    tell "hi"
    peer "got the line \"hi\" at 999 ms, and did not answer"
    the_server_says
    assert_output "00 00 00 02 00 68 69"
    passes 1
    peer "got a ping at 1000 ms"
    the_server_says
    assert_output "00 00 00 00 01"
    peer "answered with a pong"
    the_server_says
    passes 1000
    peer "got the next ping at 2000 ms, and says nothing from now on"
    the_server_says
    assert_output "00 00 00 00 01"
    passes 1000
    the_server_says
    assert_output "00 00 00 00 01"
    passes 999
    assert_equal "$meanwhile" ""
    peer "had said nothing for 3000 ms at 4000 ms"
    answers 'heard 7; printf "\0\0\0\0\1\0\0\0\1\1p"; heard 11; printf "\0\0\0\2\0ho"; cat >/dev/null; echo ended >said'
    passes 1
    assert_regex "$meanwhile" '^lost: .*; again in 1000 ms$'
    passes 999
    assert_equal "$meanwhile" ""
    passes 1
    assert_equal "$meanwhile" "connected to $host:$port"
    peer "was there again at 5000 ms, and got the line again"
    likely "a line that has not come back is sent again on the next connection"
    the_server_says
    assert_output "00 00 00 02 00 68 69"
    peer "sent two pings itself, at once"
    likely "who is asked answers: a ping comes back as a pong with the same body"
    the_server_says
    assert_output "00 00 00 00 02 00 00 00 01 02 70"
    next_line
    assert_equal "$line" "echo ho"
    end_input
    finish
    assert_success
    the_server_says
}

# lab: points=3 task=7 needs="reconnect_delay, end to end/the client asks and gives up and comes back" read="Not all at once, and not for ever" likely="that it is connected proves little: reconnect_reset() when a message has come"
@test "a connection alone is no success" {
    serve_by_hand
    answers ':'
    launch patient-client --clock time --tries 4 "$host" "$port"
    for delay in 1000 2000 4000; do
        peer "accepted the connection, and ended it"
        wait_for_line '^lost: '
        assert_regex "$line" "; again in $delay ms\$"
        ((delay < 4000)) || answers 'printf "\0\0\0\0\2\0\0\0\1"; taken'
        echo "$delay" >&"$clock"
    done
    peer "sent a pong and the length of a message, and then ended the connection"
    likely "that it is connected proves little: when a message has come, reconnect_reset(), and --tries counts those in a row from 0; and a new connection begins with an empty decoder"
    the_server_says
    wait_for_line '^lost: '
    assert_regex "$line" "; again in 1000 ms\$"
    answers 'printf "\0\0\0\0\7\0\0\0\0\2"; cat >/dev/null; echo ended >said'
    peer "sent a message of type 7, and then a pong"
    echo 1000 >&"$clock"
    wait_for_line '^lost: '
    likely "a message of no known type is the end of the connection"
    assert_regex "$line" "; again in 2000 ms\$"
    the_server_says
    assert_output ended
    peer "accepted the next one, and ended it"
    likely "what comes behind a message of no known type is not looked at"
    answers ':'
    echo 2000 >&"$clock"
    wait_for_line '^lost: '
    assert_regex "$line" "; again in 4000 ms\$"
    stop TERM
}

# lab: points=2 task=7 needs="end to end/the client tries again after 1 2 4 8 10 10 seconds" read="Not all at once, and not for ever" man="3 perror" likely="count what was lost in a row, up to --tries; 0 is for ever"
@test "the client gives up when it is told to, and the programs say what is wrong" {
    start heartbeat-server 127.0.0.1 0
    peer "heartbeat-server was to listen where another server does"
    attempt heartbeat-server "$host" "$port"
    assert_failure 1
    refute [ -z "$stderr" ]
    peer "there is no FIFO for --clock"
    attempt patient-client --clock nowhere "$host" "$port" </dev/null
    assert_failure 1
    refute [ -z "$stderr" ]
    attempt heartbeat-server --clock nowhere "$host" 0
    assert_failure 1
    refute [ -z "$stderr" ]
    stop TERM
    peer "nobody listens, and --tries is 3"
    attempt patient-client --tries 3 --min-delay 1 --max-delay 1 "$host" "$port" </dev/null
    assert_failure 1
    refute [ -z "$stderr" ]
    assert_equal "$(grep -c '^lost: .*; again in 1 ms$' printed)" 2
    peer "nobody listens, and --jitter is 50"
    likely "jitter needs a number drawn by chance for each delay"
    launch patient-client --clock time --jitter 50 --min-delay 1000000 --max-delay 1000000 "$host" "$port"
    next_line
    assert_regex "$line" '; again in [5-9][0-9]{5} ms$'
    stop TERM
    likely "wrong arguments are status 2, and the usage on standard error"
    peer "called wrongly"
    # "nothing" is an empty word
    for arguments in "heartbeat-server 127.0.0.1" "heartbeat-server --clock 127.0.0.1 0" "heartbeat-server --idle x 127.0.0.1 0" \
        "heartbeat-server --idle -1 127.0.0.1 0" "heartbeat-server --idle nothing 127.0.0.1 0" \
        "patient-client --jitter 101 127.0.0.1 1" "patient-client --tries -1 127.0.0.1 1" "patient-client --tries nothing 127.0.0.1 1" \
        "patient-client --connect-timeout 0 127.0.0.1 1" "patient-client --idle 1 127.0.0.1 1" "patient-client --clock 127.0.0.1 1"; do
        read -ra words <<<"$arguments"
        ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 attempt "${words[@]/#nothing/}" </dev/null
        assert_failure 2
        assert_regex "$stderr" "[Uu]sage"
    done
}
