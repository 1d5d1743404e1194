#!/usr/bin/env bats
# The experiments of lesson 04 show, on Linux, what README.md says of them.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "boundaries: no datagram sticks to another, and one that is too long is cut" {
    run -0 "$LAB_BIN/boundaries"
    assert_line 'recvmsg() = 5 "a lon", MSG_TRUNC'
    assert_line 'recvmsg() = 0 ""'
    assert_line 'recv(MSG_TRUNC) = 12'
    assert_line "so: datagrams do not stick together; what does not fit is cut off, and MSG_TRUNC tells"
}

@test "nobody_there: only a connected socket is told" {
    run -0 "$LAB_BIN/nobody_there"
    assert_line "so: a connected UDP socket is refused; one that is not connected waits for ever"
}

@test "order_and_delivery: UDP loses, AF_UNIX makes the sender wait" {
    run -0 "$LAB_BIN/order_and_delivery"
    assert_line --regexp '^UDP: send\(\) took 5000 of 5000 \(none refused\), [0-9]+ arrived, in order$'
    assert_line --regexp '^AF_UNIX: send\(\) took [0-9]+ of 5000 \(EAGAIN\), [0-9]+ arrived, in order$'
    assert_line "so: of what send() took, UDP lost some and AF_UNIX delivered all"
}

@test "strangers_in_the_queue: what came before connect() stays" {
    run -0 "$LAB_BIN/strangers_in_the_queue"
    assert_line "so: what a stranger sent before connect() is read, what it sent after is kept out"
}

@test "shared_port: SO_REUSEADDR gives the port away" {
    run -0 "$LAB_BIN/shared_port"
    assert_line "so: without SO_REUSEADDR a second server is refused; with it, it takes everything"
}

@test "struct_in_memory: padding, and what it held" {
    run -0 "$LAB_BIN/struct_in_memory"
    assert_line --regexp '^so: [0-9]+ bytes of (24|16) are padding, '
}

@test "largest_datagram: 65507 bytes, or nothing" {
    run -0 "$LAB_BIN/largest_datagram"
    assert_line "IPv4: send(65508 bytes) = -1 EMSGSIZE"
    assert_line --regexp '^so: the largest over IPv4 is 65507 bytes, over IPv6 (65527|0) '
}

@test "broadcast: everybody, with permission" {
    run -0 "$LAB_BIN/broadcast"
    assert_line "so: without SO_BROADCAST EACCES; with it, 2 of 2 sockets heard the one datagram"
}
