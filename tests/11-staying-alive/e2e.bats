# End to end: heartbeat-server and patient-client, with a clock that the test moves on, and peers that say nothing.

setup() {
    load ../lib/lab
    lab_setup
    mkfifo time said out.{0..3} # those of lab.bash too: one process in place of two
    exec {clock}<>"time" {said}<>"said"
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # see looks_for_leaks
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

# prints REGEX MS: so much time passes, and what is printed meanwhile is like that: '' is nothing.
prints() {
    passes "$2" || return
    [[ $meanwhile =~ ^${1:-}$ ]] || differs "${meanwhile:-nothing}" "${1:-nothing}"
}

# line_is REGEX: the line read last is like that.
line_is() {
    [[ $line =~ ^$1$ ]] || differs "$line" "$1"
}

# tries_again_after MS: that is what the last line says, and then it does so: not a millisecond before, and $line says of it.
tries_again_after() {
    local said_then
    line_is "lost: .*; again in $1 ms" && prints '' $(($1 - 1)) || return
    echo 1 >&"$clock"
    next_line && said_then=$line && next_line && line_is "time .*" && line=$said_then
}

differs() { # PRINTED EXPECTED
    you "printed ${1//$'\n'/, }"
    expected "$2"
    return 1
}

# complaints N [N]: so many lines were on standard error.
complaints() {
    local -a all=()
    [[ -z $stderr ]] || mapfile -t all <<<"$stderr"
    ((${#all[@]} >= $1 && ${#all[@]} <= ${2:-$1})) && return
    you "wrote ${#all[@]} lines on standard error"
    expected "$1, one for each connection that the server ended"
    return 1
}

# fails_with STATUS REGEX: so ended what was attempted last, with such a line on standard error.
fails_with() {
    ((status == $1)) && [[ $stderr =~ $2 ]] && return
    you "ended with status $status and \"$stderr\" on standard error"
    expected "status $1, and a line"
    return 1
}

# refuses COMMAND...: each is called wrongly. "nothing" is an empty word.
refuses() {
    local arguments
    local -a words
    for arguments; do
        read -ra words <<<"$arguments"
        attempt "${words[@]/#nothing/}" </dev/null
        fails_with 2 "[Uu]sage" || {
            peer "the last call was $arguments"
            return 1
        }
    done
}

ping='\0\0\0\0\1'
pong='00 00 00 00 02'

# tells BYTES [CLIENT]: send these (as printf understands them). A server that is gone is no error.
tells() {
    trap '' PIPE # for this shell alone: nothing is started meanwhile
    # shellcheck disable=SC2059 # the bytes are a format
    printf "$1" >&"${2:-$client}" || :
    trap - PIPE
} 2>/dev/null

# asks CLIENT...: a ping of each, and each is answered.
asks() {
    local one
    for one; do
        tells "$ping" "$one" && hears "$pong" "$one" || return
    done
}

# come N: so many clients, in $clients, each of which sends a ping.
come() {
    clients=()
    while ((${#clients[@]} < $1)); do
        open_client
        tells "$ping"
        clients+=("$client")
    done
}

# hears BYTES [CLIENT]: just these are the next bytes of the answer, in hexadecimal.
hears() {
    local code=0
    bytes $(((${#1} + 1) / 3)) <&"${2:-$client}" || code=$?
    [[ $code != 0 || $output != "$1" ]] || return 0
    expected "$1"
    case $code in
    0) you "sent $output" ;;
    1) you "sent ${output:-nothing}, and then the end of the stream" ;;
    *) you "sent ${output:-nothing}, and nothing more within $LAB_PATIENCE s" ;;
    esac
    return 1
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

# ends_at BYTES...: a client sends a ping, these, and a ping: the first one is answered, and the stream ends.
ends_at() {
    local bad
    for bad; do
        open_client
        tells "$ping$bad$ping"
        hears "$pong" && hears_the_end && continue
        peer "the message was \"$bad\""
        return 1
    done
}

# floods: the client sends messages of 4096 bytes and reads nothing, until its connection is ended. No buffers hold 64 MB.
floods() {
    local i
    local -a all
    for ((i = 0; i < 64; i++)); do printf '\0\0\20\0\0%s' "$longest"; done >many
    for ((i = 0; i < 256; i++)); do all+=(many); done
    (cat "${all[@]}" >&"$client") 2>/dev/null || return 0
    you "took 64 MB of messages from a client that reads no answer"
    expected "the end of its connection"
    return 1
}

# in_order MS: with that --idle, who is silent is closed, and who spoke later is not, yet.
in_order() {
    local wait
    local -a four=()
    start heartbeat-server --idle "$1" 127.0.0.1 0
    while ((${#four[@]} < 4)); do
        open_client
        four+=("$client")
    done
    asks "${four[3]}" || return # each has its place now
    hang_up "${four[0]}"
    printf -v wait '%d.%03d' $(($1 / 2000)) $(($1 / 2 % 1000))
    # shellcheck disable=SC2154 # of lab.bash
    IFS= read -rt "$wait" -u "$lab_idle" || : # there is no sign to wait for: time itself is tested
    asks "${four[1]}" "${four[3]}" && hears_the_end "${four[2]}" && asks "${four[1]}" "${four[3]}"
}

# serve_by_hand: a server of the test's own: each client is served by what $commands then says, in the words of the shell.
# Sets $host, $port and $pid.
serve_by_hand() {
    echo 'source ./answer' >commands # the whole of it at once: then the next answer may be written
    start socat -d -d -lf /dev/stdout TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:'bash commands',nofork
    until [[ $line == *"listening on "* ]]; do next_line; done
    host=127.0.0.1 port=${line##*:}
}

looks_for_leaks() { # in what is started from now on: 3 ms at each end
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=1
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
    } >answer
}

# the_server_says TEXT: that is the next line of the server by hand.
the_server_says() {
    local said_last=''
    IFS= read -r -t "$LAB_PATIENCE" -u "$said" said_last
    [[ $said_last != "$1" ]] || return 0
    you "sent ${said_last:-nothing}"
    expected "$1"
    return 1
}

# rests_or_fails: wait until the program sleeps, and does so again without having worked; at most 0.2 s of processor time.
rests_or_fails() {
    measure "$pid"
    # shellcheck disable=SC2154 # of lab.bash
    local most=$((worked + 200000000))
    until rests "$pid"; do
        breathe
        ! lab_ended "$pid" || fail "the program has ended"
        measure "$pid"
        ((worked < most)) || fail "the program has worked for 0.2 s of processor time, without a pause"
    done
}

# by_chance: two clients, each of which tells a delay of half to all of 2000000000 ms; they differ.
by_chance() {
    local i
    local -a told=()
    for i in 0 1; do
        launch patient-client --jitter 50 --min-delay 2000000000 --max-delay 2000000000 "$host" "$port"
        next_line && line_is 'lost: .*; again in (1[0-9]{9}|2000000000) ms' || return
        told[i]=$line
    done
    [[ ${told[0]} != "${told[1]}" ]] || differs "twice $line" "two delays that differ"
}

# tells_options: $table is, behind its first line, what it is to be.
tells_options() {
    local row text=''
    for row in "${table[@]:1}"; do
        [[ ! $row =~ ^(SO_RCVBUF|SO_SNDBUF)\ [0-9]+$ ]] || row="${BASH_REMATCH[1]} N"
        [[ $row != "TCP_NODELAY off" ]] || row="TCP_NODELAY on" # either will do
        text+=", $row"
    done
    row="SO_RCVBUF N, SO_SNDBUF N, SO_KEEPALIVE on, TCP_NODELAY on, TCP_USER_TIMEOUT 4321, SO_LINGER off, SO_ERROR 0"
    [[ $text == ", $row" ]] || differs "${text#, }" "$row"
}

# lab: points=6 task=6 needs="alive_encode, alive_type, heartbeat_check" read="A heartbeat" likely="a ping comes back as a pong with the same body, a message as it is"
@test "the server answers pings and messages" {
    looks_for_leaks
    start heartbeat-server --idle 0 --clock time 127.0.0.1 0
    server=$pid
    open_client
    peer "sent a ping with the body \"ab\", cut within its length"
    tells '\0\0\0'
    tells '\2\1ab'
    hears "00 00 00 02 02 61 62"
    peer "then at once a message \"hi\", a pong, an empty ping, an empty message"
    likely "each message of a read is answered (while, not if), but never a pong: or two programs greet each other for ever"
    tells '\0\0\0\2\0hi\0\0\0\1\2x\0\0\0\0\1\0\0\0\0\0'
    hears "00 00 00 02 00 68 69 00 00 00 00 02 00 00 00 00 00"
    lively=$client
    peer "four others sent a ping, then a bad message, and a ping"
    likely "what frame_decoder_next() or alive_type() refuses is the end of that connection, and of no other"
    ends_at '\0\0\0\0\3' '\0\0\0\0\377' '\0\0\20\1\0' '\377\377\377\377\1'
    peer "the first one sent a ping after a long time, as --idle is 0"
    likely "--idle 0: nobody is too idle"
    passes 100000000
    asks "$lively"
    peer "and then the longest message that may be"
    likely "an answer may be as long as a message: ALIVE_MOST_FRAME bytes"
    printf -v longest %4096s ''
    tells '\0\0\20\0\0'"$longest" "$lively"
    hears "00 00 10 00 00" "$lively"
    IFS= read -rN 4096 answer <&"$lively"
    assert [ "$answer" = "$longest" ]
    peer "another one sends messages of 4096 bytes, and reads no answer, until its connection is ended"
    likely "send() with MSG_DONTWAIT: who leaves no room for an answer is closed, and nobody waits for it"
    open_client
    floods
    asks "$lively"
    peer "a third one sent a hundred pings, and was gone before the answers came"
    likely "who sends to a connection that is gone gets SIGPIPE, and is ended by it, if MSG_NOSIGNAL does not say otherwise"
    kill -STOP "$server"
    open_client
    printf -v pings %100s ''
    tells "${pings// /$ping}"
    hang_up
    kill -CONT "$server"
    asks "$lively" "$lively" "$lively" # the third time round at the latest, those pings have been answered
    peer "a fourth one was answered, and gone with RST, as it had not read that"
    likely "a connection that has failed is at its end: its client is removed, and no other; this part is given"
    open_client
    tells "$ping"
    asks "$lively"
    hang_up
    asks "$lively"
    stop INT "$server"
    assert_success
    likely "each connection that the server ends is a line on standard error: complain()"
    complaints 5 6 # the third one may have been gone before
}

# lab: points=6 task=6 needs="heartbeat_wait, end to end/the server answers pings and messages" read="When to believe that nobody is there" likely="each whole message is a sign of life, and nothing else is; what heartbeat_check() says is asked each time round, for each client"
@test "the server closes who says nothing" {
    start heartbeat-server --clock time 127.0.0.1 0
    peer "one client says nothing, five sent a ping at 0 ms"
    open_client
    never=$client
    come 5
    quiet=${clients[0]} slow=${clients[1]} ponged=${clients[2]} spoke=${clients[3]} lively=${clients[4]}
    for one in "${clients[@]}"; do hears "$pong" "$one"; done
    passes 1500
    peer "at 1500 ms one of them sent half a ping, one a pong, and one a message"
    tells '\0\0\0' "$slow"
    tells '\0\0\0\0\2' "$ponged"
    tells '\0\0\0\0\0' "$spoke"
    hears "00 00 00 00 00" "$spoke"
    passes 1499
    peer "at 2999 ms one sent a ping"
    asks "$lively"
    passes 1
    peer "at 3000 ms the one that said nothing, the one that said nothing more, and the one that said only half a message are closed"
    for one in "$never" "$quiet" "$slow"; do hears_the_end "$one"; done
    peer "the others are not: they sent a ping"
    asks "$ponged" "$spoke"
    passes 2998
    peer "at 5998 ms the one that sent a ping at 2999 sent another"
    asks "$lively"
    passes 2
    peer "and two that sent one at 3000 are closed at 6000"
    for one in "$ponged" "$spoke"; do hears_the_end "$one"; done
    passes 2997
    peer "it is still connected at 8997 ms, and sends a message of type 7; a new one comes, on the same descriptor perhaps"
    tells "$ping"'\0\0\0\0\7' "$lively"
    hears "$pong" "$lively"
    hears_the_end "$lively"
    open_client
    asks "$client"
    passes 2999
    likely "a client's timer goes with the client: who gets its descriptor next has one of its own"
    asks "$client"
    stop TERM
    assert_success
    likely "each connection that the server ends is a line on standard error"
    complaints 6
    peer "by the machine's clock: one client hung up, one says nothing and is closed, and those before and behind it have spoken later"
    likely "poll() may sleep only until the next thing is due: time_left(), which is heartbeat_wait(), the least of all clients'"
    for idle in 150 600 2000; do # a busy machine may be late: then with more time
        ! in_order "$idle" || break
        ((idle < 2000))
        stop TERM
    done
    stop TERM
}

# lab: points=3 task=6 needs="heartbeat_wait, end to end/the server answers pings and messages" read="A heartbeat" man="2 accept" likely="one place for each client, from the first to the 64th, and free again when it has gone"
@test "who finds no place waits in the queue" {
    start heartbeat-server --idle 3600000 127.0.0.1 0
    limit=$(ulimit -Sn)
    prlimit --pid "$pid" --nofile=68:
    peer "66 clients sent a ping each, and the server may open no descriptor above 67"
    come 66
    hears "$pong" "${clients[49]}"
    likely "when accept() fails, the listener stays readable: wait a moment before the next one, or the loop spins"
    rests_or_fails
    likely "who could not be accepted is accepted when there is a descriptor again; and the -1 of accept() is no client, that would take a place"
    prlimit --pid "$pid" --nofile="$limit:"
    peer "now it may open as many as it likes: 64 clients are served, and --idle is an hour"
    hears "$pong" "${clients[63]}"
    hears "$pong" "${clients[0]}"
    likely "nothing is due for an hour, and poll() may sleep: time_left(); and no place is free: the listener is left out, or the loop spins"
    rests_or_fails
    peer "the first two hung up, and the 66th has waited"
    hang_up "${clients[0]}"
    hang_up "${clients[1]}"
    hears "$pong" "${clients[65]}"
    stop TERM
    assert_success
}

# lab: points=4 task=7 needs="connect_within, keepalive_set, socket_options, heartbeat_wait, end to end/the server answers pings and messages" read="What the kernel says of a socket" likely="connect_within(), keepalive_set(), report(), then heartbeat_init() and frame_decoder_init(): a new connection, a new beginning"
@test "the client sends lines and prints what comes back" {
    start heartbeat-server --idle 0 127.0.0.2 0
    server=$pid
    printf -v longest %04096d 7
    printf 'Hello\n\nto\0you\n%s\n%s8\nend' "$longest" "$longest" >lines
    printf 'echo Hello\necho \necho to\0you\necho %s\necho %s\necho 8\necho end\n' "$longest" "$longest" >expected
    peer "heartbeat-server answers a line of text, an empty one, one with a NUL, two of 4096 and 4097 bytes, and one without a newline"
    attempt patient-client --options on --timeout 4321 --connect-timeout 60000 --tries 1 "$host" "$port" <lines
    assert_success
    { mapfile -tn 8 table && cat >echoes; } <printed
    assert_equal "${table[0]}" "connected to $host:$port"
    same echoes expected
    peer "which --options on --timeout 4321 has begun with a table"
    likely "TCP's own keep-alive is on, and TCP_USER_TIMEOUT is --timeout; the table is socket_options()'s, a row a line"
    tells_options
    peer "heartbeat-server, and --interval and --min-delay of an hour: the client sleeps"
    likely "poll() may sleep until something is due, and does not return at once: time_left()"
    launch patient-client --interval 3600000 --timeout 0 --options off --min-delay 3600000 --max-delay 3600000 "$host" "$port"
    next_line
    line_is "connected to $host:$port"
    rests_or_fails
    peer "then the server ends, and the client waits"
    stop TERM "$server"
    likely "lose() says so, and fflush(stdout): what goes to a pipe is kept back; then poll() may sleep until the next attempt: time_left()"
    next_line
    line_is "lost: .*; again in 3600000 ms"
    rests_or_fails
    stop TERM
}

# lab: points=5 task=7 needs="reconnect_delay, end to end/the client sends lines and prints what comes back" read="Not all at once, and not for ever" likely="after an attempt that failed, the next one is due reconnect_delay() from now (and what is printed to a pipe is kept back until fflush()); nothing is read from standard input until there is a connection"
@test "the client tries again after 1 2 4 8 10 10 seconds" {
    start heartbeat-server 127.0.0.1 0
    stop TERM
    peer "nobody listens there"
    launch patient-client --clock time "$host" "$port"
    patient=$pid
    tell "early"
    next_line
    for delay in 1000 2000 4000 8000 10000 10000; do
        tries_again_after "$delay"
    done
    peer "heartbeat-server listens now"
    likely "a line that was typed meanwhile is sent when the connection is there: nothing is lost"
    start heartbeat-server 127.0.0.1 "$port"
    passes 10000 "$patient"
    assert_equal "$meanwhile" "connected to $host:$port"
    next_line "$patient"
    line_is "echo early"
    pid=$patient
    peer "then a line as long as the first one was typed, without a newline"
    likely "the rest of standard input is a line too; this part is given"
    # shellcheck disable=SC2154 # of lab.bash
    printf later >&"${lab_in[$pid]}"
    end_input
    finish
    assert_success
    assert_output "echo later"
}

# lab: points=7 task=7 needs="heartbeat_check, end to end/the client sends lines and prints what comes back" read="When to believe that nobody is there" likely="HEARTBEAT_ASK: send a ping; HEARTBEAT_DEAD: lose the connection; and each message that comes is heard"
@test "the client asks and gives up and comes back" {
    serve_by_hand
    answers 'heard 7; heard 5; printf "\0\0\0\0\2"; taken; heard 5; heard 5; cat >/dev/null'
    looks_for_leaks
    launch patient-client --clock time "$host" "$port"
    next_line
    line_is "connected to $host:$port"
    passes 999
    tell "hi"
    peer "got the line \"hi\" at 999 ms, and did not answer"
    the_server_says "00 00 00 02 00 68 69"
    passes 1
    peer "got a ping at 1000 ms"
    the_server_says "00 00 00 00 01"
    peer "answered with a pong"
    the_server_says taken
    passes 1000
    peer "got the next ping at 2000 ms, and says nothing from now on"
    the_server_says "00 00 00 00 01"
    passes 1000
    the_server_says "00 00 00 00 01"
    prints '' 999
    peer "had said nothing for 3000 ms at 4000 ms"
    answers 'heard 7; heard 5; printf "\0\0\0\0\1\0\0\0\1\1p"; heard 11; heard 5; printf "\0\0\0\2\0ho"; heard 5; heard 5; cat >/dev/null
        echo ended >said'
    prints 'lost: .*; again in 1000 ms' 1
    likely "the next attempt is due so long after now"
    prints '' 999
    prints "connected to $host:$port" 1
    peer "was there again at 5000 ms, and got the line again"
    likely "a line that has not come back is sent again on the next connection"
    the_server_says "00 00 00 02 00 68 69"
    peer "got a ping at 6000 ms"
    likely "a new connection, a new heartbeat: heartbeat_init() each time"
    prints '' 1000
    the_server_says "00 00 00 00 01"
    peer "sent two pings itself, at once"
    likely "who is asked answers: a ping comes back as a pong with the same body"
    the_server_says "00 00 00 00 02 00 00 00 01 02 70"
    peer "answered the next ping, at 7000 ms, with the line that it had got, and no other"
    likely "any message is a sign of life: a pong, a ping, data; and then --timeout begins anew"
    prints '' 1000
    the_server_says "00 00 00 00 01"
    next_line
    line_is "echo ho"
    prints '' 1000
    the_server_says "00 00 00 00 01"
    prints '' 1000
    the_server_says "00 00 00 00 01"
    prints '' 999
    peer "had said nothing for 3000 ms at 10000 ms"
    likely "any message is a success: a pong, a ping, data; reconnect_reset()"
    answers 'printf "\0\0\0\1\0u"; taken; cat >/dev/null; echo ended >said'
    prints 'lost: .*; again in 1000 ms' 1
    likely "close() the connection that is lost: the server learns of it, and the descriptor is free"
    the_server_says ended
    passes 1000
    peer "was there again, and sent a message that nobody waits for"
    likely "data is a line's echo while a line is under way, and else nothing: it is not printed"
    the_server_says taken
    end_input
    finish
    assert_success
    assert_output ""
    the_server_says ended
    answers 'cat >/dev/null; echo ended >said'
    peer "by the machine's clock: never answers"
    likely "poll() may sleep only until the next thing is due: time_left(), with heartbeat_wait() or the next attempt"
    launch patient-client --interval 20 --timeout 60 --min-delay 20 "$host" "$port"
    next_line
    wait_for_line '^lost: .*; again in 20 ms$'
    wait_for_line '^connected to '
    the_server_says ended
    stop TERM
    the_server_says ended
}

# lab: points=3 task=7 needs="reconnect_delay, end to end/the client asks and gives up and comes back" read="Not all at once, and not for ever" likely="that it is connected proves little: reconnect_reset() when a message has come"
@test "a connection alone is no success" {
    serve_by_hand
    answers ':'
    launch patient-client --clock time --tries 4 "$host" "$port"
    for delay in 1000 2000 4000; do
        peer "accepted the connection, and ended it"
        wait_for_line '^lost: '
        line_is "lost: .*; again in $delay ms"
        ((delay < 4000)) || answers 'printf "\0\0\0\0\2\0\0\0\1"; taken'
        echo "$delay" >&"$clock"
    done
    peer "sent a pong and the length of a message, and then ended the connection"
    likely "that it is connected proves little: when a message has come, reconnect_reset(), and --tries counts those in a row from 0; and a new connection begins with an empty decoder"
    the_server_says taken
    wait_for_line '^lost: '
    line_is "lost: .*; again in 1000 ms"
    answers 'printf "\0\0\0\0\7\0\0\0\0\2"; cat >/dev/null; echo ended >said'
    peer "sent a message of type 7, and then a pong"
    likely "a new connection begins with an empty decoder; and a message of no known type is its end, and no success: alive_type() first, then reconnect_reset()"
    echo 1000 >&"$clock"
    wait_for_line '^lost: '
    line_is "lost: .*; again in 2000 ms"
    likely "close() the connection that is lost: the server learns of it, and the descriptor is free"
    the_server_says ended
    peer "accepted the next one, got one byte of a line, and ended it with RST"
    likely "what comes behind a message of no known type is not looked at"
    answers 'heard 1'
    tell "hi"
    echo 2000 >&"$clock"
    wait_for_line '^lost: '
    line_is "lost: .*; again in 4000 ms"
    the_server_says 00
    peer "sent a message of type 7 on the next one: that was lost for the fourth time in a row, and --tries is 4"
    likely "a connection alone is no success for --tries either: a message that comes begins the count anew"
    answers 'heard 7; printf "\0\0\0\0\7"; cat >/dev/null'
    echo 4000 >&"$clock"
    the_server_says "00 00 00 02 00 68 69"
    finish
    assert_failure 1
}

# lab: points=2 task=7 needs="end to end/the client tries again after 1 2 4 8 10 10 seconds" read="Not all at once, and not for ever" man="3 perror" likely="count what was lost in a row, up to --tries; 0 is for ever"
@test "the client gives up when it is told to, and the programs say what is wrong" {
    start heartbeat-server 127.0.0.1 0
    peer "heartbeat-server was to listen where another server does"
    attempt heartbeat-server "$host" "$port"
    fails_with 1 .
    peer "there is no FIFO for --clock"
    attempt patient-client --clock nowhere "$host" "$port" </dev/null
    fails_with 1 .
    attempt heartbeat-server --clock nowhere "$host" 0
    fails_with 1 .
    peer "standard input is a directory; then standard output is a pipe that nobody reads"
    likely "what cannot be read or written is status 1 and a line on standard error; this part is given"
    attempt patient-client "$host" "$port" <.
    fails_with 1 .
    open_unread
    status=0
    patient-client "$host" "$port" </dev/null 1>&"$unread" 2>complaints || status=$?
    stderr=$(<complaints)
    fails_with 1 .
    stop TERM
    peer "nobody listens, and --tries is 3"
    likely "count what was lost in a row, up to --tries, and say on standard error that this is the end"
    attempt patient-client --connect-timeout 1 --tries 3 --min-delay 1 --max-delay 1 "$host" "$port" </dev/null
    fails_with 1 .
    rest=${output//; again in 1 ms/}
    expected "two attempts that are lost, and again in 1 ms"
    assert_equal $((${#output} - ${#rest})) $((2 * 15))
    peer "nobody listens, and two clients have --jitter 50"
    likely "jitter needs a number drawn by chance for each delay (getentropy(3)), and another one in each program: or they all come back in the same moment"
    by_chance
    likely "wrong arguments are status 2, and the usage on standard error"
    peer "called wrongly"
    refuses "heartbeat-server --clock 127.0.0.1 0" "heartbeat-server --idle x 127.0.0.1 0" \
        "heartbeat-server --idle -1 127.0.0.1 0" "heartbeat-server --idle nothing 127.0.0.1 0" \
        "patient-client --jitter 101 127.0.0.1 1" "patient-client --tries -1 127.0.0.1 1" "patient-client --tries nothing 127.0.0.1 1" \
        "patient-client --connect-timeout 0 127.0.0.1 1" "patient-client --idle 1 127.0.0.1 1" "patient-client --clock 127.0.0.1 1" \
        "patient-client --options maybe 127.0.0.1 1" "patient-client 127.0.0.1 65536"
}
