# The experiments of lesson 11 show what README.md says of them. Where machines differ, so may the answer.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "half_open: send() succeeds, and the error comes later" {
    run -0 "$LAB_BIN/half_open"
    [[ $output != *"no network of its own"* ]] || skip "no network of its own can be made here"
    assert_line --index 3 "ours: send() = 5"
    assert_line "ours: recv() = -1 ETIMEDOUT"
    assert_line "peer: recv() = -1 EAGAIN"
    assert_line "so: send() succeeds; TCP_USER_TIMEOUT tells us later: ETIMEDOUT; the peer is not told"
}

@test "keepalive_and_idle: the kernel answers for a program that hangs" {
    run -0 "$LAB_BIN/keepalive_and_idle"
    assert_line --regexp "^as it comes: TCP_KEEPIDLE [0-9]+ s, TCP_KEEPINTVL [0-9]+ s, TCP_KEEPCNT [0-9]+$"
    assert_line "ours: recv() = -1 EAGAIN"
    assert_line "ours: the last acknowledgement is younger than 1.9 s: a probe was answered"
    assert_line "so: the peer's kernel answers for a program that hangs"
}

@test "who_sees_the_end: who asks is told, once" {
    run -0 "$LAB_BIN/who_sees_the_end"
    assert_line --regexp "^ours: poll\(\) = 1:.* POLLHUP$"
    assert_line "ours: TCP_INFO says closed"
    assert_line "ours: recv() = -1 ECONNRESET"
    assert_line "ours: recv(), again = 0 "
    assert_line "ours: send() = -1 EPIPE"
}

@test "first_send: lost before there is a connection" {
    run -0 "$LAB_BIN/first_send"
    assert_line "connect() = -1 EINPROGRESS"
    assert_line 'send("hello") = -1 EAGAIN'
    assert_line "so: connected at last, and the hello is lost"
}

@test "timer_of_a_number: the wrong client is closed" {
    run -0 "$LAB_BIN/timer_of_a_number"
    assert_line --regexp "^3500 ms: descriptor [0-9]+ is closed: idle for 3000 ms$"
    assert_line "so: the timer hit a client that was not idle"
}

@test "flag_peek: the same bytes again" {
    run -0 "$LAB_BIN/flag_peek"
    assert_line "ours: recv(5, MSG_PEEK) = 2 he"
    assert_line "ours: recv(5, MSG_PEEK) = 5 hello"
    assert_line "ours: recv(5) = 5 hello"
    assert_line "ours: recv(5) = -1 EAGAIN"
}

@test "flag_oob: one byte, the last" {
    run -0 "$LAB_BIN/flag_oob"
    assert_line "ours: recv() = 2 ab"
    assert_line "ours: recv(MSG_OOB) = 1 c"
    assert_line "so: one byte was urgent, the last of the three"
}

@test "flag_dontroute: near, and mostly not far" {
    run -0 "$LAB_BIN/flag_dontroute"
    assert_line "sendto(127.0.0.1, MSG_DONTROUTE) = 1 "
    assert_line --regexp "^so: a network of our own is reached without a router, another one (too|not at all)$"
}

@test "flag_waitall: not always all" {
    run -0 "$LAB_BIN/flag_waitall"
    assert_line "so: it gave 5, 3 and 2 bytes, where 5 were asked for"
}

@test "flag_more: held back, and sent together" {
    run -0 "$LAB_BIN/flag_more"
    assert_line "send(5, MSG_MORE): 0 segments; then send(5): 1"
    assert_line "send(5), send(5): 2 segments"
    assert_line "so: with MSG_MORE 1 segment, without 2"
}
