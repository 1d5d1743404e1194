# The experiments of lesson 06 show what README.md says of them. Where kernels differ, so may the answer.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "unix_stream: no boundaries on SOCK_STREAM, boundaries on SOCK_SEQPACKET" {
    run -0 "$LAB_BIN/unix_stream"
    assert_line 'recv() = 10 "HelloWorld"'
    assert_line 'recv() = 5 "Hello"'
    assert_line "so: a UNIX stream keeps no boundaries, SOCK_SEQPACKET keeps them"
}

@test "longer_sleep: a busy reader gets both at once" {
    run -0 "$LAB_BIN/longer_sleep"
    assert_line 'a busy reader: recv() = 6 "onetwo"'
    assert_line --regexp '^so: .* a busy one 6: the sleep cures nothing$'
}

@test "nodelay: two segments, one recv()" {
    run -0 "$LAB_BIN/nodelay"
    assert_line 'recv() = 2 "ab"'
    assert_line "so: 2 segments were read by one recv() as 2 bytes: TCP_NODELAY cures nothing"
}

@test "udp_boundaries: they hold, and a short buffer cuts" {
    run -0 "$LAB_BIN/udp_boundaries"
    assert_line 'recv(3 bytes) = 3 Hel'
    assert_line 'recv(3 bytes, MSG_TRUNC) = 5 Hel'
    assert_line "so: boundaries hold; a short buffer loses the rest in silence, unless asked with MSG_TRUNC"
}

@test "send_takes_a_part: of a megabyte, on a non-blocking socket" {
    run -0 "$LAB_BIN/send_takes_a_part"
    assert_line 'send(1048576 bytes) = -1 EAGAIN'
    assert_line "so: the first send() took a part, and returned before anything was read"
}

@test "one_send_many_reads: messages split, and stick" {
    run -0 "$LAB_BIN/one_send_many_reads"
    assert_line 'recv(5 bytes) = 5 "aaaab"'
    assert_line "so: 1 send() was read by 3 calls of recv(), 3 by 3"
}

@test "half_a_letter: a character cut in two is no UTF-8" {
    run -0 "$LAB_BIN/half_a_letter"
    assert_line --regexp '^so: (the pieces cannot be decoded, the whole is 4 characters|this machine has no locale)'
}
