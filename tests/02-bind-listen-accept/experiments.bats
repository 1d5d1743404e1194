#!/usr/bin/env bats
# The experiments of lesson 02 show, on Linux, what README.md says of them.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "refused_or_unreachable: three calls, three errors, and only silence takes time" {
    run -0 "$LAB_BIN/refused_or_unreachable"
    assert_line --regexp '^nobody listens  connect\(.*\) = -1 after [0-9]+ ms: ECONNREFUSED$'
    assert_line --regexp '^no route        connect\(.*\) = -1 after [0-9]+ ms: ENETUNREACH$'
    assert_line --regexp '^no answer       connect\(.*\) = -1 after [0-9]{3,} ms: ETIMEDOUT$'
    assert_line "so: refused is ECONNREFUSED, unreachable is ENETUNREACH, silence is ETIMEDOUT: three different things"
}

@test "accept_without_listen: EINVAL, and the port refuses" {
    run -0 "$LAB_BIN/accept_without_listen"
    assert_line "so: without listen(), accept() says EINVAL and connect() ECONNREFUSED; with it, both work"
}

@test "connect_before_accept: the kernel shakes hands by itself" {
    run -0 "$LAB_BIN/connect_before_accept"
    assert_line "so: connect(), send() and even close() came before accept(), and nothing was lost"
}

@test "full_queue: backlog + 1 connections, then silence" {
    run -0 "$LAB_BIN/full_queue"
    assert_line "so: backlog 3: 4 connected, 0 refused, 4 left to wait"
}

@test "port_zero: the kernel chooses, getsockname() tells" {
    run -0 "$LAB_BIN/port_zero"
    assert_line "so: bind() to port 0 chose a port; listen() alone chose one"
}

@test "reuse_address: SO_REUSEADDR is for TIME_WAIT, SO_REUSEPORT for sharing" {
    run -0 "$LAB_BIN/reuse_address"
    assert_line "so: two servers at once: no with SO_REUSEADDR, yes with SO_REUSEPORT; over TIME_WAIT: no without, yes with SO_REUSEADDR"
}

@test "accept_after_reset: Linux hands out the dead connection" {
    run -0 "$LAB_BIN/accept_after_reset"
    assert_line "so: accept() returns the connection that was reset; recv() tells of it: ECONNRESET"
}
