# What real clients see of the reference solution's http-server: a load generator, a stop in the middle of the load, and a
# client in Python.

setup() {
    load ../lib/lab
    lab_setup
    cd "$BATS_TEST_DIRNAME/../.." || return
    local includes=(-Ilessons/02-bind-listen-accept -Ilessons/05-af-local -Ilessons/08-http)
    gcc -O1 "${includes[@]}" -o "$BATS_TEST_TMPDIR/http-server" solutions/08-http/http-server.c solutions/08-http/http.c \
        solutions/02-bind-listen-accept/tcp.c solutions/05-af-local/local.c
    cd "$BATS_TEST_TMPDIR" || return
    start ./http-server --socket tcp --host 127.0.0.1 --port 0
}

teardown() {
    lab_teardown
}

@test "wrk counts no error" {
    command -v wrk || skip "there is no wrk here"
    run -0 wrk -t 1 -c 50 -d 1 "http://$host:$port/"
    assert_line --regexp '[0-9]+ requests in '
    refute_line --partial "Socket errors"
    refute_line --partial "Non-2xx"
    stop TERM
    assert_success
}

@test "100 keep-alive clients lose no answer when the server is stopped" {
    # Each sends its next request as soon as it has an answer, until one says close. A connection that is closed before a
    # request is lost to nobody: the server had none then.
    run -0 python3 -I -S -c "
import os, selectors, signal, socket, sys
host, port, pid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
request = b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
sent = received = 0
told = False
wait = selectors.DefaultSelector()
for _ in range(100):
    s = socket.create_connection((host, port))
    s.sendall(request)
    sent += 1
    wait.register(s, selectors.EVENT_READ)
while wait.get_map():
    for key, _ in wait.select():
        answer = key.fileobj.recv(1000)
        assert answer.startswith(b'HTTP/1.1 200 OK') and answer.endswith(b'running'), answer
        received += 1
        if b'Connection: close' in answer:
            wait.unregister(key.fileobj)
            key.fileobj.close()
        else:
            key.fileobj.sendall(request)
            sent += 1
    if received >= 2000 and not told:
        os.kill(pid, signal.SIGTERM)
        told = True
print('sent', sent, 'received', received)
assert sent == received and told
" "$host" "$port" "$pid"
    assert_regex "$output" '^sent [0-9]+ received [0-9]+$'
    finish
    assert_success
}

@test "a client in Python is answered, at an abstract name too" {
    local name="@lab-$$-$EPOCHREALTIME"
    stop TERM
    start ./http-server --socket unix --path "$name"
    # Of sockets alone, without a library of HTTP: a request as text, and all up to the end of the stream; then another
    # one, and one read.
    run -0 python3 -I -S -c "
import socket, sys
def request(more):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect('\\0' + sys.argv[1])
    s.sendall(('GET / HTTP/1.1\r\nHost: localhost\r\n' + more + '\r\n').encode())
    return s
s, data = request('Connection: close\r\n'), b''
while part := s.recv(1024):
    data += part
print('[+] Response:', data.decode())
print('[+] Response:', request('').recv(1024).decode())
" "${name:1}"
    assert_regex "$output" "Response: HTTP/1.1 200 OK.*running.*Response: HTTP/1.1 200 OK.*running"
    stop TERM
    assert_success
}
