# The experiments of lesson 01 show what README.md says of them. Where kernels differ, so may the answer.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "pf_and_af: every PF_ is its AF_" {
    run -0 "$LAB_BIN/pf_and_af"
    assert_line "PF_INET   =  2   AF_INET   =  2"
    assert_line "PF_INET6  = 10   AF_INET6  = 10"
    assert_line "so: they are the same numbers under two names: write AF_ everywhere"
}

@test "rds_by_any_name: Linux has no AF_BYPASS, and AF_RDS only with its module" {
    run -0 "$LAB_BIN/rds_by_any_name"
    assert_line "AF_BYPASS is not defined in <sys/socket.h>"
    assert_line --regexp '^socket\(AF_RDS, SOCK_SEQPACKET, 0\) = ([0-9]+|-1 .+)$'
    assert_line --regexp '^so: AF_BYPASS is unknown here, and '
}

@test "asked_and_given: protocol 0 becomes TCP or UDP, SOCK_RAW in AF_UNIX SOCK_DGRAM" {
    run -0 "$LAB_BIN/asked_and_given"
    assert_line --regexp '^socket\(AF_INET, SOCK_STREAM, 0\) = [0-9]+: SO_TYPE 1, SO_PROTOCOL 6$'
    assert_line --regexp '^socket\(AF_INET, SOCK_DGRAM, 0\) = [0-9]+: SO_TYPE 2, SO_PROTOCOL 17$'
    assert_line --regexp '^socket\(AF_UNIX, SOCK_RAW, 0\) = [0-9]+: SO_TYPE 2, SO_PROTOCOL 0$'
    assert_line "so: of 4 sockets, 2 got a protocol that was not named, and 1 another type"
}

@test "lowest_free_descriptor: a closed number comes back first" {
    run -0 "$LAB_BIN/lowest_free_descriptor"
    assert_line --regexp '^so: [0-9]+ was used again at once, then came the next free number, [0-9]+$'
}

@test "nothing_is_connected: no address, no peer, no data" {
    run -0 "$LAB_BIN/nothing_is_connected"
    assert_line --regexp '^getsockname\([0-9]+\) = 0: 0\.0\.0\.0, port 0$'
    assert_line --regexp '^getpeername\([0-9]+\) = -1 ENOTCONN$'
    assert_line --regexp '^send\([0-9]+, "hello"\) on TCP = -1 EPIPE$'
    assert_line --regexp '^send\([0-9]+, "hello"\) on UDP = -1 EDESTADDRREQ$'
    assert_line "so: it has no address, no peer, and takes no data: only an endpoint"
}

@test "fork_dup_exec: dup()'s copy gets through exec, O_NONBLOCK is shared" {
    run -0 "$LAB_BIN/fork_dup_exec"
    assert_line "child, after fork: 2 of the two descriptors are open"
    assert_line "after exec: 1 of the two descriptors are open"
    assert_line "parent: its socket is non-blocking now"
    assert_line "so: 1 of the 2 descriptors got through exec; O_NONBLOCK is shared by all"
}

@test "emfile: the fourth of three, and room again after one close()" {
    run -0 "$LAB_BIN/emfile"
    assert_line "socket(AF_INET, SOCK_STREAM, 0) = -1 EMFILE"
    assert_line "so: the fourth was refused, and after one close() there was room again"
}

@test "raw_needs_privilege: EPERM without CAP_NET_RAW; a user namespace gives it where allowed" {
    run -0 "$LAB_BIN/raw_needs_privilege"
    assert_line "without privileges: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) = -1 EPERM"
    assert_line --regexp '^so: (not root but CAP_NET_RAW is needed, and a user namespace gives it|this system lets ordinary users make no namespace, so no raw socket|here it was refused before and refused in the namespace)$'
}
