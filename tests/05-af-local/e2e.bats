#!/usr/bin/env bats
# local-echo-server and local-echo-client as whole programs, with nc, socat and python3 at the other end.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    [[ -z ${BATS_TEST_COMPLETED-} ]] || likely "all was served, and then something was wrong: the report above says what, and where"
    lab_teardown
}

# One line there and back, from a client of its own.
talk() { # TEXT [PATH]
    run -0 nc -N -U "${2:-./echo.sock}" <<<"$1"
    assert_output "$1"
}

# Does program PID sleep, with all its threads?
sleeps() {
    local task state
    for task in "/proc/$1/task"/*; do
        read -r _ _ state _ 2>/dev/null <"$task/stat" || return
        [[ $state == S ]] || return
    done
}

# How often program PID went to sleep, and how much processor time it has had, in nanoseconds, with all its threads.
measure() {
    local task key value
    slept=0 worked=0
    for task in "/proc/$1/task"/*; do
        while read -r key value; do
            [[ $key != voluntary* ]] || slept=$((slept + value))
        done <"$task/status" || continue # it has ended meanwhile
        read -r value _ <"$task/schedstat" || continue
        worked=$((worked + value))
    done 2>/dev/null
}

# Did it sleep all the time from one look to the next?
rests() {
    sleeps "$1" && measure "$1" || return
    local before=$worked
    sleeps "$1" && measure "$1" && ((worked == before))
}

# Wait until a condition holds, and no longer than program $pid lives.
await() {
    until "$@"; do
        breathe
        ! lab_ended "$pid" || fail "the program has ended"
    done
}

# Does a socket listen at PATH? A file may be there before its socket listens.
listens() { # PATH, as it was given to bind()
    local flags path
    while read -r _ _ _ flags _ _ _ path; do
        [[ $path != "$1" || $flags != 00010000 ]] || return 0
    done </proc/net/unix
    return 1
}

# Prints the path of each socket that program PID has, if it is a file's.
socket_files() { # PID
    local fd inode path
    for fd in "/proc/$1/fd"/*; do
        fd=$(readlink "$fd")
        while read -r _ _ _ _ _ _ inode path; do
            [[ $fd != "socket:[$inode]" || -z $path || $path == @* ]] || printf '%s\n' "$path"
        done </proc/net/unix
    done
}

# Has the server gone to sleep again since $before?
has_worked() {
    measure "$server" && ((slept > before))
}

# lab: points=5 task=9 needs="local_listen/listens, local_unlink_stale/is_content_with_nothing" read="The echo server" man="2 accept" likely="send back every byte that recv() gave, until it gives 0; then close that client and accept the next"
@test "serves one client after another" {
    likely "the server does not start: if it says that a function is not implemented, this is the starter's answer"
    start local-echo-server ./echo.sock
    assert_equal "$line" "listening on ./echo.sock"
    likely "no echo came: send back what recv() gave as soon as it comes"
    launch nc -N -U ./echo.sock
    peer "sent \"one\", and \"two\" when it had that back"
    tell "one"
    next_line
    assert_equal "$line" "one"
    tell "two"
    next_line
    assert_equal "$line" "two"
    end_input
    likely "the connection is not closed when its client is done"
    finish
    likely "the server ends with its first client, or closes the listener with it"
    talk "three"
    peer "sent 300 KB, and began to read when it had sent the first part"
    likely "send() may take fewer bytes than it was given: send the rest too"
    seq 50000 >input
    socat -t 60 - UNIX-CONNECT:echo.sock <input >output
    run -0 cmp input output
}

# lab: points=4 task=9 needs="local_listen_packets/listens_for_packets, end to end/serves one client after another" read="Messages that keep apart" man="7 unix" requires="python3" likely="a packet is received by one recv(), and has to go back by one send()"
@test "keeps packets apart" {
    start local-echo-server --type seqpacket ./echo.sock
    cat >packets.py <<'END'
import socket
for turn in range(2):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(3)
    s.connect('echo.sock')
    s.send(b'one')
    s.send(b'two')
    print(s.recv(100).decode(), s.recv(100).decode())
s.send(b'x' * 65536)
print(len(s.recv(100000)))
s.send(b'y' * 65537)
s.send(b'after')
print(s.recv(100000)[:5].decode())
END
    peer "sent \"one\" and \"two\" before it read; so did the next one, then 65536 bytes, 65537 bytes, and \"after\""
    run python3 packets.py
    assert_line --index 0 "one two"
    likely "the first client's connection is not closed, or the server ends with it"
    assert_line --index 1 "one two"
    likely "a message of 65536 bytes comes back whole; a longer one is cut by recv(), and must not come back: one more byte of room tells"
    assert_line --index 2 "65536"
    assert_line --index 3 "after"
    assert_success
    stop TERM
    assert_success
    likely "a message that does not come back: standard error says so"
    refute [ -z "$stderr" ]
}

# lab: points=5 task=10 needs="local_bind_datagram/binds_to_the_path, local_unlink_stale/is_content_with_nothing" read="Datagrams that come back" man="2 recvfrom" requires="python3" likely="recvfrom() tells who sent it: sendto() the same bytes there, with the length that came with the address; set length before every recvfrom()"
@test "answers each datagram" {
    likely "the server does not start: if it says that a function is not implemented, this is the starter's answer"
    start local-echo-server --type datagram ./echo.sock
    cat >datagrams.py <<'END'
import os, socket, sys
def told():
    return os.path.getsize(sys.argv[1])
def client(name):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.settimeout(3)
    if name:
        s.bind(name)
    return s
a, b, nobody = client('a.sock'), client(b'\0lab\0%d\0' % os.getpid()), client(None)
def ask(s, data):
    s.sendto(data, 'echo.sock')
def heard(s):
    data, server = s.recvfrom(100000)
    return data[:5].decode() + ' ' + str(len(data)) + ' ' + str(server)
ask(a, b'one')
ask(b, b'two')
print(heard(b))
print(heard(a))
silent = told()
ask(nobody, b'lost')
ask(a, b'')
print(heard(a))
nameless = told()
ask(a, b'x' * 65536)
print(heard(a))
ask(a, b'y' * 65537)
ask(b, b'ok')
b.recv(2)
cut = told()
many = int(sys.argv[2])
for i in range(many):
    ask(a, b'%d' % i)
ask(b, b'after')
print(heard(b))
if not many:
    ask(a, b'0')
    ask(a, b'1')
print(heard(a))
print(heard(a))
print(0 == silent < nameless < cut and (cut < told() or not many))
END
    # More than the kernel holds for one who does not read. Only where that is little: those of a long queue fill the
    # server's send buffer, and then nobody is answered.
    local qlen=10
    read -r qlen </proc/sys/net/unix/max_dgram_qlen || :
    local many=0
    [[ qlen -le 64 ]] && many=$((qlen + 5))
    likely "recvfrom() tells who sent it: sendto() the same bytes there, with the length that came with the address; set length before every recvfrom()"
    peer "\"one\" came from a file's name, \"two\" from an abstract one with NUL bytes; then one from a socket without a name, an empty one, 65536 bytes, 65537 bytes; $many from one who does not read, and \"after\" from another"
    run python3 datagrams.py "${lab_err[$pid]}" "$many"
    assert_line --index 0 "two 3 ./echo.sock"
    assert_line --index 1 "one 3 ./echo.sock"
    likely "a datagram of 0 bytes is a datagram; and one that cannot be answered is no reason to stop"
    assert_line --index 2 " 0 ./echo.sock"
    likely "a datagram of 65536 bytes comes back whole"
    assert_line --index 3 "xxxxx 65536 ./echo.sock"
    likely "a client that does not read makes sendto() wait, and with it all others: send with MSG_DONTWAIT"
    assert_line --index 4 "after 5 ./echo.sock"
    likely "a datagram of more than 65536 bytes is cut by recvfrom(), and must not come back; the others come in their order"
    assert_line --index 5 "0 1 ./echo.sock"
    assert_line --index 6 "1 1 ./echo.sock"
    likely "a datagram that has no answer, for want of a name or of room, or as it was cut: standard error tells of each, and of nothing else"
    assert_line --index 7 "True"
    assert_success
    stop INT
    assert_success
}

# lab: points=4 task=9 needs="local_unlink_stale, end to end/serves one client after another" read="The file that stays" man="2 unlink" likely="local_unlink_stale() first; if it fails, say why on standard error, and return 1"
@test "takes a dead server's place and no other" {
    start local-echo-server ./echo.sock
    peer "a server was killed, and its file stayed"
    kill -KILL "$pid"
    finish
    for type in seqpacket stream; do
        likely "the file of a dead server is in the way of bind(): local_unlink_stale() first, whatever the type"
        start local-echo-server --type "$type" ./echo.sock
        [[ $type == stream ]] || { kill -KILL "$pid" && finish; }
    done
    peer "a server runs there already"
    likely "where a server runs, local_unlink_stale() says EADDRINUSE: say so on standard error, and return 1"
    for type in stream datagram; do
        run -1 --separate-stderr local-echo-server --type "$type" ./echo.sock
        assert_equal "$output" ""
        refute [ -z "$stderr" ]
    done
    likely "the second server took the name away from the first"
    talk "still here"
    peer "a file is there that is no socket"
    echo "mine" >file
    run -1 --separate-stderr local-echo-server ./file
    assert_equal "$output$(<file)" "mine"
}

# lab: points=4 task=11 needs="end to end/serves one client after another" read="Stopping" man="2 unlink" likely="SIGINT or SIGTERM must end every wait, the program return 0, and the file go with it"
@test "stops when told and takes its file along" {
    for signal in TERM INT; do
        likely "SIGINT or SIGTERM must end the wait for a client, and the program return 0"
        start local-echo-server ./echo.sock
        peer "nobody is there"
        stop "$signal"
        assert_success
        likely "the file stays when its server ends: remove it"
        refute [ -e echo.sock ]
    done
    likely "recv() and send() wait too: the signal must end these waits as well"
    start local-echo-server ./echo.sock
    server=$pid
    launch nc -U ./echo.sock
    tell "hello"
    next_line
    peer "was answered, and is silent"
    stop TERM "$server"
    assert_success
    refute [ -e echo.sock ]

    start local-echo-server ./echo.sock
    server=$pid
    peer "sends without end and reads nothing"
    await rests "$server"
    measure "$server"
    before=$slept
    socat -u OPEN:/dev/zero UNIX-CONNECT:echo.sock 2>/dev/null 3>&- &
    client=$!
    await has_worked # it has seen the client, who from now on only sleeps when its send() waits
    until rests "$client" && rests "$server"; do breathe; done
    stop INT "$server"
    assert_success
    refute [ -e echo.sock ]
}

# lab: points=2 task=11 needs="local_unlink_stale, end to end/stops when told and takes its file along" read="Stopping" man="2 unlink" likely="the file at the path may be another server's by now: close your own socket, and remove what is then stale"
@test "leaves another server's file alone" {
    start local-echo-server ./echo.sock
    old=$pid
    rm echo.sock
    start local-echo-server ./echo.sock
    peer "another server has taken the path, after somebody removed the file"
    stop TERM "$old"
    assert_success
    assert [ -S echo.sock ]
    talk "still here"
}

# lab: points=3 task=9 needs="end to end/serves one client after another" read="The echo server" man="2 send" likely="a client that has gone must cost one connection, not the server: send with MSG_NOSIGNAL, and look at every result"
@test "outlives clients that break off" {
    start local-echo-server ./echo.sock
    await sleeps "$pid"
    kill -STOP "$pid"
    peer "sent 20000 bytes and closed without reading any"
    head -c 20000 /dev/zero | socat -u - UNIX-CONNECT:echo.sock
    kill -CONT "$pid"
    talk "still here"
    likely "while no descriptor is free wait a moment before the next accept(): the listener stays readable, and a loop would spin"
    await sleeps "$pid"
    limit=$(prlimit --pid "$pid" --nofile --noheadings --output SOFT)
    measure "$pid"
    sleeps=$slept time=$worked server=$pid
    prlimit --pid "$server" --nofile=4:
    launch nc -N -U ./echo.sock
    tell "thank you for waiting"
    peer "the server may open no more descriptors"
    until measure "$server" && ((slept > sleeps + 1)); do
        breathe
        ! lab_ended "$server" || fail "the server has ended"
        ((worked < time + 100000000)) || fail "the server has tried for 0.1 s of processor time, without a pause"
    done
    prlimit --pid "$server" --nofile="${limit// /}":
    peer "now it may"
    next_line
    assert_equal "$line" "thank you for waiting"
}

# lab: points=4 task=12 needs="local_connect/connects" read="The echo client" man="3 getline" likely="for each line: send it, receive until as many bytes have come back, write them, flush"
@test "the client shows each echo" {
    server=./server.$BASHPID.sock
    socat "UNIX-LISTEN:$server,fork" EXEC:cat 3>&- &
    socat=$!
    until listens "$server"; do breathe; done
    peer "echoes each line as it comes"
    likely "if it ended at once, this is the starter's answer; if not: send the line, receive as many bytes, write them, flush"
    launch local-echo-client "$server"
    client=$pid
    tell "hello"
    next_line
    assert_equal "$line" "hello"
    tell "world"
    next_line
    assert_equal "$line" "world"
    likely "at the end of the input return 0, with all memory freed: getline()'s line too"
    end_input
    finish "$client"
    assert_success
    peer "echoes a line with NUL bytes"
    likely "a NUL is a byte like any other: the length of the line is what getline() returned, not strlen()"
    printf '\0one\0two\n\0\n' >input
    local-echo-client "$server" <input >output
    run -0 cmp input output
    peer "echoes a line of 150000 bytes, and one without an end, in pieces of at most 8192 bytes"
    likely "a line that is longer than the echo's pieces comes back by several recv(): go on until as many bytes as were sent have come back"
    { head -c 150000 /dev/zero | tr '\0' x && printf '\nthe end'; } >input
    local-echo-client --type stream "$server" <input >output
    run -0 cmp input output
    kill "$socat"

    server=./answers.$BASHPID.sock
    launch nc -lU "$server"
    nc=$pid
    until listens "$server"; do breathe; done
    peer "answers \"HELLO\" to \"hello\", and to the next line nothing: it closes"
    likely "write what came back, not what was sent, and as it came: only its size is looked at"
    launch local-echo-client "$server"
    client=$pid
    tell "hello"
    next_line "$nc"
    printf 'HELLO\n' >&"${lab_in[$nc]}"
    next_line "$client"
    assert_equal "$line" "HELLO"
    likely "recv() returned 0, and the echo is not whole: return 1, and free the line before that too"
    tell "again"
    next_line "$nc"
    end_input
    stop TERM "$nc"
    finish "$client"
    assert_equal "$status" 1
}

# lab: points=4 task=12 needs="local_connect_packets/connects, local_bind_datagram/lets_the_kernel_choose_a_name, end to end/the client shows each echo, end to end/takes a dead server's place and no other" read="Datagrams that come back" man="7 unix" likely="the client's datagram socket has no name, so the server cannot answer: local_bind_datagram(NULL), then connect()"
@test "the client speaks every type" {
    { seq 3 && head -c 65536 /dev/zero && printf '\nend'; } >input
    for type in seqpacket datagram; do
        start local-echo-server --type "$type" ./echo.sock
        peer "is local-echo-server --type $type"
        [[ $type == datagram ]] || likely "one line is one message, or several where it is longer than 65536 bytes: each comes back as it went"
        launch local-echo-client --type "$type" ./echo.sock
        client=$pid
        tell "hello"
        next_line
        assert_equal "$line" "hello"
        files=$(socket_files "$client")
        end_input
        finish "$client"
        assert_success
        likely "a datagram socket that has a file as its name leaves it: remove it at the end, or let the kernel choose a name, local_bind_datagram(NULL)"
        while read -r file; do
            refute [ -S "$file" ]
        done < <(grep -vxF ./echo.sock <<<"$files")
        local-echo-client --type "$type" ./echo.sock <input >output
        run -0 cmp input output
        stop TERM "${lab_pids[-2]}"
        assert_equal "$status$stderr" 0
        likely "the client's datagram socket has no name, so the server cannot answer: local_bind_datagram(NULL), then connect()"
    done
    start local-echo-server "@lab.$$.$RANDOM"
    peer "is local-echo-server at an abstract name"
    likely "give connect() the length that local_address() gave you"
    run -0 local-echo-client "$path" <<<"hello"
    assert_output "hello"
}

# lab: points=3 task=12 needs="local_connect/tells_no_file_from_no_server, end to end/the client shows each echo, end to end/the client speaks every type" read="The echo client" man="3 errno" likely="when something is wrong say so on standard error, and return 2 for wrong arguments, 1 for anything else"
@test "the client says what is wrong" {
    for wrong in "local-echo-client" "local-echo-client --type tcp x" "local-echo-server --kind stream x"; do
        # shellcheck disable=SC2086 # a command and its arguments
        run -2 --separate-stderr $wrong </dev/null
        assert_regex "$output$stderr" "[Uu]sage"
    done
    fails() {
        run -1 --separate-stderr "$@"
        assert_equal "$output" ""
        refute [ -z "$stderr" ]
    }
    peer "does not exist"
    for type in stream datagram; do
        fails local-echo-client --type "$type" ./nobody.sock </dev/null
        fails local-echo-client --type "$type" "./$(printf '%0108d' 0)" </dev/null
    done
    start local-echo-server --type datagram ./dead.sock
    kill -KILL "$pid"
    finish
    peer "was killed, and its file stayed"
    likely "connect() says ECONNREFUSED where a file is and no server: that is status 1, before the first line"
    fails local-echo-client --type datagram ./dead.sock </dev/null
    start local-echo-server ./echo.sock
    server=$pid
    peer "is there; standard input is a folder, then standard output is /dev/full"
    likely "getline() returns -1 at the end and for an error: ask feof(); and look at what fflush() returns. All memory is freed (the line) before status 1 too"
    fails local-echo-client ./echo.sock <.
    fails bash -c 'local-echo-client ./echo.sock <<<"hello" >/dev/full'
    likely "a server that has ended is an end of the stream, or EPIPE: return 1, free the line before that, and let no SIGPIPE kill you"
    launch local-echo-client ./echo.sock
    client=$pid
    tell "hello"
    next_line
    stop TERM "$server"
    peer "was told to stop when it had answered one line"
    tell "are you there"
    finish "$client"
    assert_equal "$status" 1
    refute [ -z "$stderr" ]
}

# lab: points=3 task=12 needs="end to end/the client shows each echo, end to end/serves one client after another" read="Programs of others" man="7 unix" requires="python3" likely="bytes are all that two programs share: no length, no NUL, no newline more than was sent"
@test "speaks with programs in Python" {
    cat >server.py <<'END'
import socket
def listener(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(path)
    s.listen(1)
    return s
first, second = listener('unix_socket'), listener('xxx.sock')
print('listening on ./unix_socket', flush=True)
for server in first, second:
    connection, address = server.accept()
    assert address == ''
    while data := connection.recv(1024):
        connection.sendall(data)
        print(data.decode(), end='', flush=True)
    connection.close()
END
    start python3 server.py
    python=$pid
    peer "a Python server echoes what it reads, at most 1024 bytes at a time"
    printf 'Hello\nWorld\nThis is a UNIX socket test\n' >input
    run -0 local-echo-client ./unix_socket <input
    assert_output "$(<input)"
    run -0 local-echo-client ./xxx.sock < <(printf data)
    assert_output "data"
    finish "$python"
    assert_output "$(<input)"$'\ndata'

    start local-echo-server ./echo.sock
    cat >client.py <<'END'
import os, signal, socket, sys
for messages in [b'Hello', b'World', b'This is a UNIX socket test'], [b'data']:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(3)
        client.connect('echo.sock')
        for message in messages:
            client.sendall(message)
            print(client.recv(1024).decode(), flush=True)
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
    client.settimeout(3)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 200000)
    client.connect('echo.sock')
    os.kill(int(sys.argv[1]), signal.SIGSTOP)
    try:
        client.sendall(b'x' * 100000)
    finally:
        os.kill(int(sys.argv[1]), signal.SIGCONT)
    echo = b''
    while len(echo) < 100000 and (data := client.recv(100000)):
        echo += data
    print(len(echo))
END
    peer "a Python client sends without newlines, and waits for each echo; then 100000 bytes, all before the server reads"
    run python3 client.py "$pid"
    assert_line --index 3 "data"
    likely "MESSAGE_MAX is for messages: a stream has none, and all its bytes come back, however many came at once"
    assert_success
    assert_output "$(<input)"$'\ndata\n100000'
}
