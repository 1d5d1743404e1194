#!/usr/bin/env bats
# Calls and packets side by side: known scenarios give the known ladder, nothing stands on the wrong side, and whatever a
# program does, there is a ladder up to there. As an ordinary user, too, where these tests are run by root.

bats_require_minimum_version 1.5.0

setup_file() {
    export TOP=$PWD
    export WIRE=solution NO_COLOR=1 PYTHON=/usr/bin/python3
    [[ -x $PYTHON ]] || PYTHON=$(command -v python3)
    # the programs once, so that no test has to wait for another's compiler
    RUN=refused tests/tools/wire 02 >/dev/null
    RUN=half-close tests/tools/wire 03 >/dev/null
    RUN=nobody-there tests/tools/wire 04 >/dev/null
    RUN=stream-echo tests/tools/wire 05 >/dev/null
    RUN=whole-again tests/tools/wire 06 >/dev/null
    RUN=request-response tests/tools/wire 07 >/dev/null
}

setup() {
    for folder in /usr/lib/bats /usr/share/bats /usr/lib /usr/share /usr/local/lib; do
        [[ ! -e $folder/bats-assert/load.bash ]] || break
    done
    source "$folder/bats-support/load.bash"
    source "$folder/bats-assert/load.bash"
    cd "$TOP" || return
    T=$BATS_TEST_TMPDIR
    chmod 755 "$T"
    local folder=$T # an ordinary user must get there
    while [[ $folder != / && $EUID = 0 ]]; do
        chmod o+x "$folder"
        folder=$(dirname "$folder")
    done
}

teardown() {
    ! grep -lsz "^WIRE_TEST=$T\$" /proc/[0-9]*/environ || { echo "left running" && false; }
}

may_capture() {
    unshare -Urn true 2>/dev/null || unshare -n true 2>/dev/null || skip "no network namespaces here"
}

trimmed() { printf '%s\n' "${lines[@]}" | sed 's/  *$//'; }

# ladder LESSON SCENARIO: its plain ladder, without the servers' first calls and without spaces that carry nothing.
ladder() {
    PLAIN=1 RUN=$2 run --separate-stderr -0 tests/tools/wire "$1"
    output=$(trimmed)
}

# play [OPTION...]: the scenario on standard input.
play() {
    cat >"$T/scenario.sh"
    local as=("${NAMESPACE[@]}") options
    ((${#NAMESPACE[@]})) || as=(unshare -Urn)
    ((EUID != 0)) || ((${#NAMESPACE[@]})) || as=(unshare -n)
    mkdir -p "$T/run"
    [[ -z ${OWNER-} ]] || chown "$OWNER" "$T/run"
    local programs
    programs=$(printf '%s:' "$PWD"/build/wire/solutions/*)
    WIRE_TEST=$T WIRE=build/bin/wire PATH=${STUDENT-}${STUDENT:+:}$programs$PWD/build/bin:$PATH \
        "${as[@]}" bash tests/wire/scenario.bash "$T/run" "$T/scenario.sh" 3>&- || :
    mapfile -t options <"$T/run/options"
    run -0 build/bin/wire draw "--script=$T/run/script" "${options[@]}" "$@"
}

python() { # NAME: a program on standard input
    { echo "#!$PYTHON" && cat; } >"$T/$1"
    chmod 755 "$T/$1"
}

# ---- known scenarios ----------------------------------------------------------------------------------------------

@test "half-close: FIN, and then the answer" {
    may_capture
    ladder 03 half-close
    assert_output - <<'LADDER'
count-client                                         count-server
                            |                      | socket(AF_INET,
                            |                      |   SOCK_STREAM) = 3
                            |                      | setsockopt(3, SO_REUSEADDR,
                            |                      |   [1]) = 0
                            |                      | bind(3, 127.0.0.1:0) = 0
                            |                      | listen(3, 16) = 0
socket(AF_INET,             |                      |
  SOCK_STREAM) = 3          |                      |
connect(3, 127.0.0.1:P1)    |                      |
  waits                     |                      |
                            -- SYN ---------------->
                            <- SYN ACK -------------
connect(3, 127.0.0.1:P1)    |                      |
  = 0                       |                      |
                            |                      | accept4(3) = 4
send(3, "one two\n") = 8    |                      |
                            -- "one two\n" -------->
                            |                      | recv(4, "one two\n") = 8
shutdown(3, SHUT_WR) = 0    |                      |
                            -- FIN ---------------->
                            |                      | recv(4) = 0
                            |                      | send(4, "1 2 8\n") = 6
                            <- "1 2 8\n" -----------
recv(3, "1 2 8\n") = 6      |                      |
                            |                      | shutdown(4, SHUT_WR) = 0
                            <- FIN -----------------
recv(3) = 0                 |                      |
exit(0)                     |                      |
                            |                      | recv(4, MSG_DONTWAIT) = 0
                            |                      | close(4) = 0
                            |                      | accept4(3) waits
LADDER
}

@test "close with unread data: an RST, and why" {
    may_capture
    EXPLAIN=1 ladder 03 close-with-unread-data
    assert_output --partial '                            |                      | close(4) = 0
                            <- RST -----------------
  ^ RST, because 8 bytes were unread when close() was called
recv(3) = -1 ECONNRESET     |                      |'
}

@test "abort: an RST, because of SO_LINGER; the next client is served" {
    may_capture
    EXPLAIN=1 ladder 03 abort
    assert_output --partial '-- a RST -------------->'
    assert_output --partial 'RST, because SO_LINGER {1, 0} throws the connection away'
    assert_output --partial '<- b "1 2 8\n" ---------'
}

@test "refused: the answer to the SYN is an RST" {
    may_capture
    EXPLAIN=1 ladder 02 refused
    assert_output --partial 'connect(3, 127.0.0.1:P1)    |                      |
  waits                     |                      |
                            -- SYN ---------------->
  ^ connect() asks for a connection
                            <- RST -----------------
  ^ RST, because nobody listens on port '
    assert_output --partial '= -1 ECONNREFUSED'
}

@test "FROM, TO and HIDE leave calls out; those that are left stand in the order that the others gave them" {
    may_capture
    FROM=send TO=shutdown HIDE=recv ladder 03 half-close
    assert_output - <<'LADDER'
count-client                                         count-server
send(3, "one two\n") = 8    |                      |
                            -- "one two\n" -------->
shutdown(3, SHUT_WR) = 0    |                      |
                            -- FIN ---------------->
                            |                      | send(4, "1 2 8\n") = 6
                            <- "1 2 8\n" -----------
                            |                      | shutdown(4, SHUT_WR) = 0
                            <- FIN -----------------
LADDER
}

@test "every scenario of every lesson gives the same plain ladder twice, with each side's calls on its side" {
    may_capture
    local file lesson name HIDE
    for file in lessons/[0-9][0-9]-*/wire/*.sh; do
        lesson=${file#lessons/} lesson=${lesson%%-*} name=${file##*/}
        # Calls that a program makes now more, now less often, as its threads happen to meet:
        HIDE=$(sed -n 's/^# Varies: //p' "$file")
        export HIDE
        ladder "$lesson" "${name%.sh}"
        first=$output
        refute_line --regexp '^[a-z].*(listen|accept4?)\('
        refute_output --partial 'within 10 s'
        ladder "$lesson" "${name%.sh}"
        assert_equal "$output" "$first"
    done
}

@test "every lesson that has scenarios says in one line what each shows" {
    local file
    for file in lessons/[0-9][0-9]-*/wire/*.sh; do
        assert_regex "$(head -n 1 "$file")" '^# [A-Z].{20,120}[.]$'
    done
}

@test "two clients: each packet is that of the client whose call sent it" {
    may_capture
    ladder 02 waits-in-the-queue
    assert_output --partial 'a send(3, "one\n",          |                      |
  MSG_DONTWAIT) = 4         |                      |
                            -- a "one\n" ---------->'
    assert_output --partial 'b send(3, "two\n",          |                      |
  MSG_DONTWAIT) = 4         |                      |
                            -- b "two\n" ---------->'
    assert_output --partial '<- b "two\n" -----------'
    refute_output --partial 'a "two'
    refute_output --partial 'b "one'
}

@test "what the client calls stands left, what the server calls right, in every scenario" {
    may_capture
    ladder 03 half-close
    refute_line --regexp '^[a-z].*(listen|accept4|bind)\('
    refute_line --regexp '\|  *\| +connect\('
}

@test "microseconds from the start, in order; a blocked call is drawn as blocked until it returns" {
    may_capture
    RUN=half-close run -0 --separate-stderr tests/tools/wire 03
    assert_line --regexp '^ +[0-9]+ +\| +\| accept4\(3\) waits$'
    assert_line --regexp '^ +[0-9]+   : +-- SYN -+>   :$'
    awk '/^ *[0-9]+ / { if ($1 + 0 < last) exit 1; last = $1 + 0 }' <<<"$output"
    local line
    for line in "${lines[@]}"; do
        ((${#line} <= 80)) || fail "wider than 80 columns: $line"
    done
}

# ---- other kinds of sockets ---------------------------------------------------------------------------------------

@test "AF_UNIX: the messages come from the calls" {
    may_capture
    python local-server <<'PROGRAM'
import socket
s = socket.socket(socket.AF_UNIX); s.bind("./sock"); s.listen()
print("listening on ./sock", flush=True)
while True:
    c, a = s.accept()
    while d := c.recv(100): c.send(d.upper())
    c.close()
PROGRAM
    python local-client <<'PROGRAM'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.send(b"one"); s.recv(100); s.shutdown(socket.SHUT_WR); s.recv(100); s.close()
PROGRAM
    PATH=$T:$PATH play --plain <<'SCENARIO'
server local-server
client local-client "$path"
SCENARIO
    assert_output --partial 'send(3, "one") = 3          |                      |
                            == "one" ==============>
                            |                      | recv(4, "one") = 3
                            |                      | send(4, "ONE") = 3
                            <= "ONE" ===============
recv(3, "ONE") = 3          |                      |
shutdown(3, SHUT_WR) = 0    |                      |
                            == end ================>
                            |                      | recv(4) = 0'
}

@test "UDP: datagrams on both sides, hostile bytes escaped, and one that is lost" {
    may_capture
    python datagram-server <<'PROGRAM'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 0))
print("listening on 127.0.0.1:%d" % s.getsockname()[1], flush=True)
while True:
    d, a = s.recvfrom(100); s.sendto(d[::-1], a)
PROGRAM
    python datagram-client <<'PROGRAM'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", int(sys.argv[1])))
try: s.send(b"\x1b]0;\0\n"); s.recv(100)
except OSError: pass
PROGRAM
    PATH=$T:$PATH play --plain --explain <<'SCENARIO'
server datagram-server
client datagram-client "$port"
client datagram-client "$(a_free_port)"
SCENARIO
    assert_output --partial '~~ a "\x1b]0;\0\n" ~~~~>'
    assert_output --partial '<~ a "\n\0;0]\x1b" ~~~~~'
    assert_output --partial '<~ b no such port ~~~~~~'
    assert_output --partial '= -1 ECONNREFUSED'
    refute_output --partial $'\e'
}

@test "IPv6" {
    may_capture
    play --plain <<'SCENARIO'
server count-server ::1 0
client count-client "$host" "$port" <<<"one"
SCENARIO
    assert_output --partial 'bind(3, [::1]:0) = 0'
    assert_output --partial '-- "one\n" ------------>'
    assert_output --partial '<- "1 1 4\n" -----------'
}

# ---- the lessons' own kinds of sockets ------------------------------------------------------------------------------

@test "two descriptors: the first close() sends nothing, the last sends FIN" {
    may_capture
    EXPLAIN=1 ladder 01 two-descriptors
    assert_output --partial 'dup(3) = 4                  |                      |
close(3) = 0                |                      |
  ^ another descriptor has the same socket: nothing is sent
send(4, "still here") = 10  |                      |
                            -- "still here" ------->
                            |                      | recv(4, "still here") = 10
close(4) = 0                |                      |
                            -- FIN ---------------->
  ^ FIN, because close() gave up the socket and nothing was unread
                            |                      | recv(4) = 0'
}

@test "UDP: a question and an answer, and nothing else" {
    may_capture
    ladder 04 question-and-answer
    assert_output - <<'LADDER'
peer                                                 udp-server
                            |                      | socket(AF_INET, SOCK_DGRAM)
                            |                      |   = 3
                            |                      | bind(3, 127.0.0.1:0) = 0
socket(AF_INET, SOCK_DGRAM) |                      |
  = 3                       |                      |
connect(3, 127.0.0.1:P1)    |                      |
  = 0                       |                      |
send(3, "d\0\0\0\0\0\0"...) |                      |
  = 16                      |                      |
                            ~~ "d\0\0\0"... 16 ~~~~>
                            |                      | recvmsg(3,
                            |                      |   "d\0\0\0\0\0\0"...) = 16
                            |                      | sendto(3,
                            |                      |   "d\0\0\0\0\0\0\0"...,
                            |                      |   127.0.0.1:P2) = 16
                            <~ "d\0\0\0"... 16 ~~~~~
                            |                      | recvmsg(3) waits
recv(3,                     |                      |
  "d\0\0\0\0\0\0\0"...)     |                      |
  = 16                      |                      |
exit(0)                     |                      |
LADDER
}

@test "UDP: nobody answers, the client asks again, and has twice the patience" {
    may_capture
    EXPLAIN=1 ladder 04 lost-datagram
    assert_output --partial 'poll(3:IN, 200 ms) = 0      |                      |
  (time is up)              |                      |
  ^ nothing came within '
    assert_output --partial ' ms
send(3,                     |                      |
  "\0\0\0\0\0\0\0"...) = 16 |                      |
  ^ the same once more: UDP itself repeats nothing
                            ~~ "\0\0\0"... 16 ~~~~~>'
    assert_output --partial '                            <~ "\0\0\0"... 16 ~~~~~~
poll(3:IN, 400 ms) = 1      |                      |
  (3:IN)                    |                      |
recvmsg(3,                  |                      |'
    assert_equal "$(grep -c '^  ^ the same once more' <<<"$output")" 1
}

@test "UDP: nobody is there: ICMP, and the error at the next call" {
    may_capture
    EXPLAIN=1 ladder 04 nobody-there
    assert_output --partial 'connect(3, 127.0.0.1:P1)    |                      |
  = 0                       |                      |
  ^ nothing is sent: it only says whom the socket talks with
send(3,                     |                      |
  "\0\0\0\0\0\0\0"...) = 16 |                      |
                            ~~ "\0\0\0"... 16 ~~~~~>
                            <~ no such port ~~~~~~~~
  ^ ICMP, port unreachable: no socket has that port, and the datagram is
    lost
recvmsg(3, MSG_DONTWAIT)    |                      |
  = -1 ECONNREFUSED         |                      |
  ^ so the ICMP message is told: at the next call on a connected socket'
}

@test "UDP: an empty datagram and a cut one, each taken by one call" {
    may_capture
    EXPLAIN=1 ladder 04 too-long-and-empty
    assert_output --partial '                            ~~ "" ~~~~~~~~~~~~~~~~~>
                            |                      | recvmsg(3) = 0
  ^ an empty datagram: 0 is not the end, as it is with a stream'
    assert_output --partial '                            ~~ "more th"... 23 ~~~~>
                            |                      | recvmsg(3, "more than
                            |                      |   sixtee") = 16 (MSG_TRUNC)
  ^ 23 bytes came, and there was room for 16: the other 7 are lost'
    refute_output --regexp '<~ "more'
}

@test "AF_UNIX datagrams: a name from the kernel, and an answer that finds it" {
    may_capture
    EXPLAIN=1 ladder 05 datagrams
    assert_output --partial 'bind(3, AF_UNIX) = 0        |                      |
  ^ a family and no name: the kernel chooses one
connect(3, ./echo) = 0      |                      |
  ^ nothing is sent: it only says whom the socket talks with
send(3, "hello\n") = 6      |                      |
                            == "hello\n" ==========>
                            |                      | poll(4:IN, 3:IN) = 1 (4:IN)
                            |                      | recvfrom(4, "hello\n", @N1)
                            |                      |   = 6
                            |                      | sendto(4, "hello\n",
                            |                      |   MSG_DONTWAIT, @N1) = 6
                            <= "hello\n" ===========
recv(3, "hello\n") = 6      |                      |'
    refute_output --partial '== end'
    refute_output --partial '== connect'
}

@test "AF_UNIX: packets of a connection, an empty one too" {
    may_capture
    play --plain <<'SCENARIO'
server local-echo-server --type seqpacket ./echo
client local-echo-client --type seqpacket "$path" <<<"one"
SCENARIO
    assert_output --partial '== connect ============>'
    assert_output --partial 'send(3, "one\n") = 4        |                      |
                            == "one\n" ============>'
    assert_output --partial '<= "one\n" =============
recv(3, "one\n") = 4        |                      |'
    assert_output --partial '== end ================>'
}

@test "a descriptor is passed: which one it is on each side, and what comes through it" {
    may_capture
    EXPLAIN=1 ladder 05 fd-passing
    assert_output --partial '                            |                      | sendmsg(4, "*", SCM_RIGHTS
                            |                      |   [6]) = 1
                            <= "*" + fd 6 ==========
recvmsg(3, "*", SCM_RIGHTS  |                      |
  [4]) = 1                  |                      |
  ^ descriptor 4 here is descriptor 6 there: two numbers for one open'
    assert_output --partial '                            <= "through"... 21 =====
recv(4, "through the        |                      |'
}

@test "a killed server: its file is there, nobody listens, and the next server takes the path" {
    may_capture
    EXPLAIN=1 ladder 05 stale-file
    assert_output --partial 'a connect(3, ./echo) = -1   |                      |
  ECONNREFUSED              |                      |
  ^ the file is there, but no socket listens at it any more'
    assert_output --partial '| b unlink(./echo) = 0
  ^ the path is free again: bind() would fail while the file is there'
    assert_output --partial 'b send(3, "hello\n") = 6    |                      |
                            == b "hello\n" ========>'
    refute_output --partial '== a '
    [[ -z $stderr ]]
}

@test "a stream has no packets: three are taken by one recv()" {
    may_capture
    EXPLAIN=1 ladder 06 coalesced
    assert_output --partial 'setsockopt(3, TCP_NODELAY,  |                      |
  [1]) = 0                  |                      |
  ^ from now on a small segment need not wait for the ACK of the one'
    assert_output --partial '-- "three" ------------>'
    assert_output --partial '| recv(4, "onetwothree") = 11
  ^ one call takes what 3 segments brought: a stream has no packets'
}

@test "with gaps each message has a recv() of its own; what the receiver prints is drawn" {
    may_capture
    ladder 06 with-gaps
    assert_output --partial '                            -- "two" -------------->
                            |                      | recv(4, "two") = 3
                            |                      | prints 3 "two"
send(3, "three") = 5        |                      |
                            -- "three" ------------>'
    refute_output --partial 'listening on'
}

@test "cut anywhere, and whole again" {
    may_capture
    ladder 06 whole-again
    assert_output --partial '                            -- "e;two;th" --------->
                            |                      | recv(4, "e;two;th") = 8
                            |                      | prints 3 "one"; 3 "two"'
}

@test "frames: one each way; half of one is not answered; a bad one ends its connection alone" {
    may_capture
    ladder 07 request-response
    assert_output --partial '-- "\0\0\0\x05hello" -->'
    assert_output --partial '<- "\0\0\0\x05hello" ---'
    ladder 07 split-frame
    assert_output --partial '|   MSG_DONTWAIT) = 10
send(3, "\0\x00333333$@")   |                      |
  = 10                      |                      |
                            -- "\0\x00333333$@" --->'
    assert_equal "$(grep -c '<- "' <<<"$output")" 1
    EXPLAIN=1 ladder 07 bad-frame
    assert_output --partial '|   MSG_DONTWAIT) = 4
                            |                      | close(6) = 0
                            <- b FIN ---------------
  ^ FIN, because close() gave up the socket and nothing was unread
b recv(3) = 0               |                      |'
    assert_output --partial '<- a "\0\0\0\x03two" ---'
}

# ---- what can go wrong --------------------------------------------------------------------------------------------

@test "a program that crashes: the ladder up to there" {
    may_capture
    python crash <<'PROGRAM'
import os, signal, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); s.send(b"last words")
os.kill(os.getpid(), signal.SIGSEGV)
PROGRAM
    PATH=$T:$PATH play --plain <<'SCENARIO'
server count-server 127.0.0.1 0
client crash "$host" "$port"
SCENARIO
    assert_output --partial '-- "last words" ------->'
    assert_output --partial 'killed by SIGSEGV'
}

@test "a program that hangs: the ladder up to there, and that it did not end" {
    may_capture
    WIRE_LIMIT=2 play <<'SCENARIO'
begin_server peer listen 127.0.0.1
client count-client "$host" "$port" <<<"hello"
SCENARIO
    assert_output --partial '-- "hello\n" ------->'
    assert_output --partial 'recv(3) waits'
    assert_output --partial 'count-client did not end within 2 s'
}

@test "a student's server that crashes on a datagram: the ladder up to there" {
    may_capture
    python udp-server <<'PROGRAM'
import os, signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print("listening on 127.0.0.1:%d" % s.getsockname()[1], flush=True)
s.recvfrom(100); os.kill(os.getpid(), signal.SIGSEGV)
PROGRAM
    STUDENT=$T WIRE_LIMIT=2 play --plain <lessons/04-udp/wire/question-and-answer.sh
    assert_output --partial '~~ "d\0\0\0"... 16 ~~~~>
                            |                      | recvfrom(3,'
    assert_output --partial '| killed by SIGSEGV'
    assert_output --partial 'recv(3) waits'
    assert_output --partial 'peer did not end within 2 s'
}

@test "a student's server that never rests: the ladder up to there" {
    may_capture
    python local-echo-server <<'PROGRAM'
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
print("listening on " + sys.argv[1], flush=True)
c, a = s.accept(); c.recv(100)
while True: pass
PROGRAM
    STUDENT=$T WIRE_LIMIT=2 play --plain <lessons/05-af-local/wire/stream-echo.sh
    assert_output --partial '== "hello\n" ==========>
                            |                      | recv(4, "hello\n") = 6'
    assert_output --partial 'The programs did not come to rest within 2 s'
}

@test "a student's frame-server that dies of a bad frame: both connections end, and the ladder says so" {
    may_capture
    python frame-server <<'PROGRAM'
import os, select, signal, socket, sys
s = socket.socket(); s.bind((sys.argv[3], 0)); s.listen()
print("listening on 127.0.0.1:%d" % s.getsockname()[1], flush=True)
a = s.accept()[0]; a.send(a.recv(100)); b = s.accept()[0]; b.recv(100)
os.kill(os.getpid(), signal.SIGABRT)
PROGRAM
    STUDENT=$T WIRE_LIMIT=3 play --plain <lessons/07-framed-protocol/wire/bad-frame.sh
    assert_output --partial '| killed by SIGABRT'
    assert_output --partial '<- a FIN'
    assert_output --partial '<- b FIN'
    assert_output --partial 'b recv(3) = 0'
}

@test "a server that does not say what is awaited" {
    may_capture
    WIRE_LIMIT=2 play --plain <<'SCENARIO'
begin_server peer udp 127.0.0.1
tell "say one thing"
await "another"
SCENARIO
    assert_output --partial 'peer did not say "another" within 2 s'
}

@test "a server that never says where it listens" {
    may_capture
    WIRE_LIMIT=2 play <<'SCENARIO'
server sleep 100
SCENARIO
    assert_output --partial 'sleep did not say "listening on" within 2 s'
}

@test "without a network namespace: the calls alone, and why" {
    local bin=$T/bin
    mkdir "$bin"
    printf '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2; exit 1\n' >"$bin/unshare"
    chmod 755 "$bin/unshare"
    PATH=$bin:$PATH PLAIN=1 RUN=half-close run -0 --separate-stderr tests/tools/wire 03
    assert_output --partial 'send(3, "one two\n") = 8'
    assert_output --partial 'recv(4, "one two\n") = 8'
    refute_output --partial 'SYN'
    assert_output --partial 'No packets: '
    assert_output --partial 'Operation not permitted'
}

reachable() {
    setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$PWD/build/bin/wire" || skip "an ordinary user may not enter $PWD"
}

@test "where packets may not be captured: the calls alone, and why" {
    ((EUID == 0)) || skip "this takes root"
    reachable
    NAMESPACE=(setpriv --reuid=65534 --regid=65534 --clear-groups) OWNER=65534
    play --plain <<'SCENARIO'
server count-server 127.0.0.1 0
client count-client "$host" "$port" <<<"one two"
SCENARIO
    assert_output --partial 'recv(4, "one two\n") = 8'
    assert_output --regexp 'No packets: .*permi'
}

@test "as an ordinary user: the same ladder" {
    ((EUID == 0)) || skip "the other tests are run by one"
    reachable
    setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urn true || skip "ordinary users make no namespaces here"
    chmod 777 "$T"
    ladder 03 half-close
    first=$output
    TMPDIR=$T PLAIN=1 RUN=half-close run -0 --separate-stderr \
        setpriv --reuid=65534 --regid=65534 --clear-groups tests/tools/wire 03
    assert_equal "$(trimmed)" "$first"
}

# ---- size, strangers' bytes, files --------------------------------------------------------------------------------

synthetic() { # PACKETS
    "$PYTHON" tests/wire/synthetic.py "$T" "$1"
    given=("--packets=$T/packets.pcapng" "--client=client=$T/client" "--server=server=$T/server")
}

@test "10,000 packets, in either order, as text and as a picture" {
    synthetic 10000
    run -0 timeout 60 build/bin/wire draw "${given[@]}" --explain
    assert_equal "$(grep -c -- '->$' <<<"$output")" 10000
    run -0 timeout 60 build/bin/wire draw "${given[@]}" --plain
    assert_equal "$(grep -c -- '->$' <<<"$output")" 10000
    timeout 60 build/bin/wire draw "${given[@]}" --svg="$T/many.svg" >/dev/null
    # Times of any length are inside the picture: what is left of 0 is theirs.
    grep -q 'viewBox="-9 0 ' "$T/many.svg" # the last one has six digits
}

@test "hostile bytes are shown escaped, in text and in the picture" {
    synthetic 20
    run -0 build/bin/wire draw "${given[@]}" --svg="$T/hostile.svg"
    refute_output --partial $'\e'
    assert_output --partial '"\x1b[31m\0\"<&'
    xmllint --noout "$T/hostile.svg"
    refute grep -q '"<&' "$T/hostile.svg"
}

@test "traces and packets that are cut anywhere do no harm" {
    synthetic 12
    for cut in 1 7 30 60 90 133 200 401 555 700; do
        mkdir "$T/$cut"
        head -c $((cut * 2)) "$T/packets.pcapng" >"$T/$cut/packets.pcapng"
        head -c "$cut" "$T/client.1" >"$T/$cut/client.1"
        head -c "$((cut + 3))" "$T/server.2" | tr '[' '"' >"$T/$cut/server.2"
        run -0 build/bin/wire draw "--packets=$T/$cut/packets.pcapng" "--client=c=$T/$cut/client" \
            "--server=s=$T/$cut/server" --explain --svg="$T/$cut.svg"
        xmllint --noout "$T/$cut.svg"
    done
}

@test "SAVE=file.svg: well-formed, real text, light and dark, nothing from elsewhere, the plain ladder inside" {
    may_capture
    SAVE=$T/ladder.svg RUN=half-close run -0 --separate-stderr tests/tools/wire 03
    xmllint --noout "$T/ladder.svg"
    run -0 cat "$T/ladder.svg"
    assert_output --partial 'prefers-color-scheme:dark'
    assert_output --partial '>send(3, "one two\n") = 8</text>'
    refute_output --regexp '(href|url\(|@import|<image|<script)'
    ladder 03 half-close
    assert_equal "$(sed -n '/<desc>/,/<\/desc>/p' "$T/ladder.svg" | sed '1d;$d;s/&lt;/</g;s/&gt;/>/g;s/&amp;/\&/g;s/  *$//')" "$output"
}

@test "SAVE=file.pcapng: tshark reads it, in nanoseconds" {
    may_capture
    command -v tshark >/dev/null || skip "tshark is not installed"
    SAVE=$T/packets.pcapng RUN=half-close run -0 --separate-stderr tests/tools/wire 03
    chmod 644 "$T/packets.pcapng"
    run -0 --separate-stderr tshark -r "$T/packets.pcapng" -Y 'tcp.flags.fin == 1' -T fields -e frame.time_epoch
    assert_equal "${#lines[@]}" 2
    assert_line --index 0 --regexp '\.[0-9]{9}$'
}

@test "the parts that take bytes apart: lines, packets, files, texts" {
    run -0 build/wire/test_wire
}

@test "the command: the list, a scenario that is not there, a name that cannot be saved" {
    run -0 tests/tools/wire 03
    assert_line '  half-close'
    RUN=nonsense run -2 tests/tools/wire 03
    assert_output --partial 'has no scenario "nonsense"'
    SAVE=x.jpg RUN=half-close run -2 tests/tools/wire 03
    assert_output --partial '.svg or .pcapng'
}

@test "no scenario sleeps or fixes a port" {
    refute grep -nE 'sleep|[^"$]\b(127\.0\.0\.1|::1|localhost) [1-9]' lessons/*/wire/*.sh
}
