#!/usr/bin/env bats
# The experiments of lesson 05 show, on Linux, what README.md says of them.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "stream_boundaries: a stream has none, the others have" {
    run -0 "$LAB_BIN/stream_boundaries"
    assert_line --partial 'recv(100) = 10 "HelloWorld"'
    assert_line "so: of 2 messages, whole and alone came 0 by stream, 2 by datagram, 2 by seqpacket"
}

@test "seqpacket: boundaries, order, and an end" {
    run -0 "$LAB_BIN/seqpacket"
    assert_line "so: AF_UNIX has it: 3 of 3 messages whole and in order, and then the end"
}

@test "ordered_datagrams: AF_UNIX refuses what UDP loses" {
    run -0 "$LAB_BIN/ordered_datagrams"
    assert_line "so: UDP lost datagrams and said nothing; AF_UNIX lost none that it took, in order"
}

@test "client_address: empty, unless the client was bound" {
    run -0 "$LAB_BIN/client_address"
    assert_line "so: the address of a client is empty, unless it was bound: then it is its path"
}

@test "socket_file: the file is a name" {
    run -0 "$LAB_BIN/socket_file"
    assert_line --regexp '^open\("x.sock"\) = -1 ENXIO$'
    assert_line "so: the file holds 0 of 100000 bytes; with the file gone, 100000 bytes arrive, and nobody new can connect"
}

@test "path_length: 108 bytes on Linux, and a cut path is another path" {
    run -0 "$LAB_BIN/path_length"
    assert_line "sizeof sa_data = 14, sizeof sun_path = 108"
    assert_line "so: the longest path that bind() took has 108 bytes; two paths that were cut are one"
}

@test "file_outlives: EADDRINUSE, though nobody is there" {
    run -0 "$LAB_BIN/file_outlives"
    assert_line "so: the second start says EADDRINUSE, after unlink() 0; with an abstract name 0"
}

@test "unlink_steals: no call fails, and the first server is lost" {
    run -0 "$LAB_BIN/unlink_steals"
    assert_line "so: the client reached the second server, and no call failed; connect() tells: 0 while one runs, ECONNREFUSED after"
}

@test "four_errors: each says another thing" {
    run -0 "$LAB_BIN/four_errors"
    if [[ $output != *"can be nobody else"* ]]; then
        assert_line "so: no file ENOENT, dead server ECONNREFUSED, plain file ECONNREFUSED, no permission EACCES, in use EADDRINUSE"
    fi
}

@test "interrupted_connect: nothing goes on behind the caller's back" {
    run -0 "$LAB_BIN/interrupted_connect"
    assert_line "so: writable yes, error 0, and not connected: connect() has to be called again"
}

@test "room_for_two: alignment makes room for a second descriptor" {
    run -0 "$LAB_BIN/room_for_two"
    [[ $(getconf LONG_BIT) != 64 ]] || assert_line "so: CMSG_SPACE(sizeof(int)) has room for 2, CMSG_LEN(sizeof(int)) for 1"
}

@test "faster_than_tcp: measured, with its factor" {
    run -0 "$LAB_BIN/faster_than_tcp"
    assert_line --regexp '^so: here, in this run, AF_UNIX is (not )?faster: TCP takes [0-9]+\.[0-9] times as long$'
}
