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
talk() { # TEXT
    output=$(nc -N -U ./echo.sock <<<"$1")
    assert_output "$1"
}

# The program has to end with STATUS, to print nothing (to the file $to), and to say why on standard error.
fails() { # STATUS PROGRAM ARG...
    status=0
    "${@:2}" >"${to:=printed}" 2>said || status=$?
    IFS= read -rd '' stderr <said || :
    assert_equal "$status" "$1"
    refute [ -s "$to" ]
    refute [ -z "$stderr" ]
}

# Has the server gone to sleep again since $before?
has_worked() {
    measure "$server" && ((slept > before))
}

# lab: points=6 task=9 needs="local_listen/listens, local_unlink_stale/is_content_with_nothing" read="The echo server" man="2 accept" requires="python3" likely="send back every byte that recv() gave, until it gives 0; then close that client and accept the next"
@test "serves one client after another" {
    likely "the server does not start: if it says that a function is not implemented, this is the starter's answer"
    start local-echo-server ./echo.sock
    server=$pid
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
    cat >clients.py <<'END'
import os, signal, socket, sys
server = int(sys.argv[1])
def client():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(3)
    s.connect('echo.sock')
    return s
with client() as s:
    for message in b'Hello', b'!', b'World', b'This is a UNIX socket test':
        s.sendall(message)
        print(s.recv(1024).decode(), flush=True)
data, sent, echo = bytes(range(250)) * 4000, 0, b''
with client() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 200000)
    s.setblocking(False)
    os.kill(server, signal.SIGSTOP)
    try:
        while True:
            sent += s.send(data[sent:sent + 10000])
    except BlockingIOError:
        os.kill(server, signal.SIGCONT)
    for look in range(50000): # no longer: one that never sleeps is served too
        if ') S' in open('/proc/%d/stat' % server).read():
            break
    s.settimeout(3)
    s.shutdown(socket.SHUT_WR)
    while more := s.recv(100000):
        echo += more
print(echo[:65536] == data[:65536])
print(echo == data[:sent])
END
    peer "a Python client sent without newlines, and waited for each echo; another one sent all that finds room before the server read, and read when the server could send no more"
    likely "the server ends with its first client, or closes the listener with it"
    run python3 -S clients.py "$server"
    assert_line --index 0 "Hello"
    likely "bytes are all that two programs share: no length, no NUL, no newline more than was sent"
    assert_line --index 1 "!"
    assert_line --index 2 "World"
    assert_line --index 3 "This is a UNIX socket test"
    likely "MESSAGE_MAX is for messages: a stream has none, and all its bytes come back, however many came at once"
    assert_line --index 4 "True"
    likely "send() may take fewer bytes than it was given: send the rest too"
    assert_line --index 5 "True"
}

# lab: points=4 task=9 needs="local_listen_packets/listens_for_packets, end to end/serves one client after another" read="Messages that keep apart" man="7 unix" requires="python3" likely="a packet is received by one recv(), and has to go back by one send()"
@test "keeps packets apart" {
    start local-echo-server --type seqpacket "@lab.$$.$RANDOM"
    cat >packets.py <<'END'
import socket, sys
for turn in range(2):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(3)
    s.connect('\0' + sys.argv[1][1:])
    s.send(b'one')
    s.send(b'two')
    print(s.recv(100).decode(), s.recv(100).decode())
s.send(b'x' * 65536)
print(len(s.recv(100000)))
s.send(b'y' * 65537)
s.send(b'after')
print(s.recv(100000)[:5].decode())
END
    peer "came to $path, sent \"one\" and \"two\" before it read; so did the next one, then 65536 bytes, 65537 bytes, and \"after\""
    run python3 -S packets.py "$path"
    assert_line --index 0 "one two"
    likely "the first client's connection is not closed, or the server ends with it"
    assert_line --index 1 "one two"
    likely "a message of 65536 bytes comes back whole; a longer one is cut by recv(), and must not come back: one more byte of room tells"
    assert_line --index 2 "65536"
    assert_line --index 3 "after"
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
    run python3 -S datagrams.py "${lab_err[$pid]}" "$many"
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
    start local-echo-server --type datagram ./echo.sock
    for type in seqpacket stream; do
        peer "a server was killed, and its file stayed"
        likely "the file of a dead server is in the way of bind(): local_unlink_stale() first, whatever the type"
        kill -KILL "$pid"
        finish
        start local-echo-server --type "$type" ./echo.sock
    done
    peer "a server runs there already"
    likely "where a server runs, local_unlink_stale() says EADDRINUSE: say so on standard error, and return 1"
    fails 1 local-echo-server --type datagram ./echo.sock
    likely "the second server took the name away from the first"
    talk "still here"
    peer "a file is there that is no socket"
    echo "mine" >file
    fails 1 local-echo-server ./file
    assert_equal "$(<file)" "mine"
}

# lab: points=6 task=11 needs="local_unlink_stale, end to end/serves one client after another" read="Stopping" man="2 unlink" likely="SIGINT or SIGTERM must end every wait, the program return 0, and the file go with it"
@test "stops when told and takes its file along" {
    start local-echo-server ./echo.sock
    old=$pid
    rm echo.sock
    start local-echo-server ./echo.sock
    server=$pid
    peer "nobody is there; another server has taken the path, after somebody removed the file"
    likely "SIGINT or SIGTERM must end the wait for a client, and the program return 0"
    stop TERM "$old"
    assert_success
    likely "the file at the path may be another server's by now: close your own socket, and remove what is then stale"
    assert [ -S echo.sock ]
    launch nc -U ./echo.sock
    tell "hello"
    next_line
    peer "was answered, and is silent"
    likely "recv() and send() wait too: the signal must end these waits as well"
    stop INT "$server"
    assert_success
    likely "the file stays when its server ends: remove it"
    refute [ -e echo.sock ]

    start local-echo-server ./echo.sock
    server=$pid
    peer "sends without end and reads nothing"
    likely "recv() and send() wait too: the signal must end these waits as well"
    await rests "$server"
    measure "$server"
    before=$slept
    socat -u OPEN:/dev/zero UNIX-CONNECT:echo.sock 2>/dev/null 3>&- &
    client=$!
    await has_worked # it has seen the client, who from now on only sleeps when its send() waits
    until rests "$client" && rests "$server"; do breathe; done
    stop TERM "$server"
    assert_success
    refute [ -e echo.sock ]
}

# lab: points=3 task=9 needs="end to end/serves one client after another" read="The echo server" man="2 send" likely="a client that has gone must cost one connection, not the server: send with MSG_NOSIGNAL, and look at every result"
@test "outlives clients that break off" {
    start local-echo-server ./echo.sock
    await sleeps "$pid"
    kill -STOP "$pid"
    peer "sent 20000 bytes and closed without reading any"
    socat -u OPEN:/dev/zero,readbytes=20000 UNIX-CONNECT:echo.sock
    kill -CONT "$pid"
    talk "still here"
    likely "while no descriptor is free wait a moment before the next accept(): the listener stays readable, and a loop would spin"
    await sleeps "$pid"
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
    prlimit --pid "$server" --nofile=100:
    peer "now it may"
    next_line
    assert_equal "$line" "thank you for waiting"
}

# lab: points=6 task=12 needs="local_connect/connects" read="The echo client" man="3 getline" requires="python3" likely="for each line: send it, receive until as many bytes have come back, write them, flush"
@test "the client shows each echo" {
    cat >server.py <<'END'
import fcntl, os, socket, termios, time
def listener(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind(path)
    s.listen(1)
    return s
first, second = listener('unix_socket'), listener('xxx.sock')
print('listening on ./unix_socket', flush=True)
connection, address = first.accept()
connection.sendall(connection.recv(1024))
connection.sendall(connection.recv(1024).upper())
connection.recv(1024)
connection.close()
connection, address = second.accept()
whole = False
while data := connection.recv(1024):
    if len(data) == 1024 and not whole: # the first piece of the long line comes alone: the rest when it was taken
        connection.sendall(data[:500])
        data, whole, patience = data[500:], True, time.monotonic() + 2
        while any(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))) and time.monotonic() < patience:
            os.sched_yield()
    connection.sendall(data)
END
    start python3 -S server.py
    peer "a Python server echoes \"hello\", answers \"WORLD\" to \"world\", and to the next line nothing: it closes"
    likely "if it ended at once, this is the starter's answer; if not: send the line, receive as many bytes, write them, flush"
    launch local-echo-client ./unix_socket
    tell "hello"
    next_line
    assert_equal "$line" "hello"
    likely "write what came back, not what was sent, and as it came: only its size is looked at"
    tell "world"
    next_line
    assert_equal "$line" "WORLD"
    likely "recv() returned 0, and the echo is not whole: return 1, and free the line before that too"
    tell "again"
    end_input
    finish
    assert_equal "$status" 1
    peer "echoes lines with NUL bytes, one of 150000 bytes, and one without an end, at most 1024 bytes at a time"
    printf '\0one\0two\n\0\n%0150000d\nthe end' 0 >input
    status=0
    local-echo-client --type stream ./xxx.sock <input >output || status=$?
    likely "a NUL is a byte like any other: the length of the line is what getline() returned, not strlen()"
    cmp -n 11 input output
    likely "a line that is longer than the echo's pieces comes back by several recv(): go on until as many bytes as were sent have come back"
    cmp input output
    likely "at the end of the input return 0, with all memory freed: getline()'s line too"
    assert_equal "$status" 0
}

# lab: points=4 task=12 needs="local_connect_packets/connects, local_bind_datagram/lets_the_kernel_choose_a_name, end to end/the client shows each echo" read="Datagrams that come back" man="7 unix" requires="python3" likely="the client's datagram socket has no name, so the server cannot answer: local_bind_datagram(NULL), then connect()"
@test "the client speaks every type" {
    cat >server.py <<'END'
import socket, sys
def bound(kind, name):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(name)
    return s
packets, datagrams = bound(socket.SOCK_SEQPACKET, '\0' + sys.argv[1][1:]), bound(socket.SOCK_DGRAM, 'datagram.sock')
packets.listen(1)
print('listening on ' + sys.argv[1], flush=True)
connection, address = packets.accept()
sizes = []
while data := connection.recv(100000):
    connection.send(data)
    sizes += [len(data)]
print(*sizes, flush=True)
sizes = []
while data != b'end':
    data, address = datagrams.recvfrom(100000)
    if not sizes: # bytes: an abstract name
        print('from', 'nobody' if not address else 'a name' if type(address) is bytes else address, flush=True)
    datagrams.sendto(data, address)
    sizes += [len(data)]
print(*sizes, flush=True)
END
    start python3 -S server.py "@lab.$$.$RANDOM"
    server=$pid
    printf '1\n2\n%065536d\nend' 0 >input
    peer "a Python server sends back each packet"
    likely "is it connected? local_connect_packets(), with the path as it is: an abstract name too"
    local-echo-client --type seqpacket "$path" <input >output
    likely "one line is one message, or several where it is longer than 65536 bytes: each comes back as it went"
    next_line "$server"
    assert_equal "$line" "2 2 65536 1 3"
    cmp input output
    peer "a Python server sends back each datagram"
    likely "the client's datagram socket has no name, so the server cannot answer: local_bind_datagram(NULL), then connect()"
    launch bash -c 'exec local-echo-client --type datagram ./datagram.sock <input >output'
    next_line "$server"
    name=$line
    refute [ "$name" = "from nobody" ]
    finish
    assert_success
    likely "a datagram socket that has a file as its name leaves it: remove it at the end, or let the kernel choose a name, local_bind_datagram(NULL)"
    refute [ -S "${name#from }" ]
    likely "one line is one message, or several where it is longer than 65536 bytes: each comes back as it went"
    next_line "$server"
    assert_equal "$line" "2 2 65536 1 3"
    cmp input output
}

# lab: points=3 task=12 needs="end to end/serves one client after another, end to end/the client speaks every type" read="The echo client" man="3 errno" likely="when something is wrong say so on standard error, and return 2 for wrong arguments, 1 for anything else"
@test "the client says what is wrong" {
    for wrong in "local-echo-client --kind stream x" "local-echo-client --type tcp x" "local-echo-server --kind stream x"; do
        # shellcheck disable=SC2086 # a command and its arguments
        ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 fails 2 $wrong
        assert_regex "$stderr" "[Uu]sage"
    done
    peer "has a path that is too long for a socket's name"
    fails 1 local-echo-client --type datagram "./$(printf '%0108d' 0)"
    start local-echo-server --type datagram ./dead.sock
    kill -KILL "$pid"
    finish
    peer "was killed, and its file stayed"
    likely "connect() says ECONNREFUSED where a file is and no server: that is status 1, before the first line"
    fails 1 local-echo-client --type datagram ./dead.sock </dev/null
    start local-echo-server ./echo.sock
    server=$pid
    peer "is there; standard input is a folder, then standard output is /dev/full"
    likely "getline() returns -1 at the end and for an error: ask feof(); and look at what fflush() returns. All memory is freed (the line) before status 1 too"
    fails 1 local-echo-client ./echo.sock <.
    to=/dev/full fails 1 local-echo-client ./echo.sock <<<"hello"
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
