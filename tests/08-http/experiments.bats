# The experiments of lesson 08 show what README.md says of them. Where machines differ, so may the answer.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "one_recv: half a request is no GET, and two are one" {
    run -0 "$LAB_BIN/one_recv"
    assert_line 'naive: recv() = 2: "GE": answers 405 Method Not Allowed'
    assert_line "so: 3 requests, 3 answers, 2 of them wrong"
}

@test "two_lengths: two ends of one request" {
    run -0 "$LAB_BIN/two_lengths"
    assert_line 'the proxy : a body of 6 bytes, and the next request is "GET /account HTTP/1.1"'
    assert_line 'the server: a body of 5 bytes, and the next request is "GGET /account HTTP/1.1"'
    assert_line "so: the two disagree where the request ends: refuse it"
}

@test "reset_answer: close() is a reset, shutdown() is an end" {
    run -0 "$LAB_BIN/reset_answer"
    assert_line --regexp '^client: send\("more"\) = -1 (EPIPE|ECONNRESET)$'
    assert_line "so: after close() the client sees an error, after shutdown() none"
}

@test "unix_or_tcp: the faster one, and the one with rights" {
    run -0 "$LAB_BIN/unix_or_tcp"
    assert_line --regexp '^TCP: [0-9.]+ us a request; UNIX socket: [0-9.]+ us$'
    assert_line "rights of the file: 600, of the port: none"
    assert_line --regexp '^so: TCP takes [0-9.]+ times as long, and only the file says who may connect$'
}
