# The experiments of lesson 03 show what README.md says of them. Where kernels differ, so may the answer.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "shut_rd: TCP on Linux reads on, AF_UNIX tells the sender" {
    run -0 "$LAB_BIN/shut_rd"
    assert_line 'ours: recv() = 3'
    assert_line 'ours: recv() = 5'
    assert_line 'peer: send("later") = -1 EPIPE'
    assert_line "so: after SHUT_RD, TCP still reads what comes; AF_UNIX tells the sender"
}

@test "reference_count: close() leaves the stream to a duplicate, shutdown() ends it" {
    run -0 "$LAB_BIN/reference_count"
    assert_line --regexp '^peer: recv\(\) = -1 EAGAIN$'
    assert_line "so: close() beside a duplicate leaves the stream, shutdown() ends it; a child's copy counts"
}

@test "unread_data: close() with unread bytes resets" {
    run -0 "$LAB_BIN/unread_data"
    assert_line "peer: recv() = 6"
    assert_line "peer: recv() = -1 ECONNRESET"
    assert_line "so: close() after reading all ends in order, with unread bytes by a reset"
}

@test "write_after_close: the first succeeds, the second gets EPIPE and SIGPIPE" {
    run -0 "$LAB_BIN/write_after_close"
    assert_line 'ours: send("x", 0) = -1 EPIPE, and SIGPIPE'
    assert_line "so: the first write succeeds, the second fails with SIGPIPE; MSG_NOSIGNAL leaves the error alone"
}

@test "send_returns: when the bytes are copied, and as many as fit" {
    run -0 "$LAB_BIN/send_returns"
    assert_line --regexp '^ours: send\(5 bytes\) = 5 ?$'
    assert_line --regexp '^ours: send\(33554432 bytes\) = -1 EAGAIN$'
    assert_line "so: send() returned before the peer read, took a part, and at last nothing more"
}

@test "reset_loses: what had arrived is read on Linux, the rest is lost" {
    run -0 "$LAB_BIN/reset_loses"
    assert_line "peer: read 8 bytes, then recv() = -1 ECONNRESET"
    assert_line "so: what had arrived could be read, what was under way was lost"
}

@test "time_wait: with the side that ended first, and never after an abort" {
    run -0 "$LAB_BIN/time_wait"
    assert_line "state 6 (6 is TIME_WAIT, 0 none), bind(our port) = -1 EADDRINUSE"
    assert_line "so: who ended first is in TIME_WAIT; after an abort there is none"
}

@test "linger: close() does not wait for the peer's program" {
    run -0 "$LAB_BIN/linger"
    assert_line "peer: 10 bytes are there, and not read yet"
    assert_line "so: close() did not wait for the peer's program, and with unread bytes it resets"
}
