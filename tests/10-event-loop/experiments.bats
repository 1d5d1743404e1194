# The experiments of lesson 10 show what README.md says of them. Where machines differ, so may the answer.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "write_per_frame: 8000 calls against 500" {
    run -0 "$LAB_BIN/write_per_frame"
    assert_line --regexp '^a write a frame: 8000 calls of send\(\), [0-9]+ ns a frame$'
    assert_line --regexp '^a write a read:  500 calls of send\(\), [0-9]+ ns a frame$'
    assert_line --regexp '^so: gathering makes it (faster|no faster here)$'
}

@test "edge_or_level: level tells again, edge does not" {
    run -0 "$LAB_BIN/edge_or_level"
    assert_line "level: 0 bytes are left"
    assert_line "edge : 5 bytes are left"
    assert_line "so: level tells 2 times, edge 1"
}

@test "idle_crowd: poll() asks each, epoll_wait() those that are ready" {
    run -0 "$LAB_BIN/idle_crowd"
    assert_line --regexp '^   2 open: poll\(\) +[0-9]+ ns, epoll_wait\(\) +[0-9]+ ns$'
    assert_line --regexp '^so: with a crowd poll\(\) takes (many times longer|about as long here)$'
}

@test "two_on_a_port: a hash shares, and a third one is refused" {
    run -0 "$LAB_BIN/two_on_a_port"
    assert_line --regexp '^the first accepted [0-9]+ clients, the second [0-9]+$'
    assert_line "a third without the option: bind() says Address already in use"
    assert_line "so: 100 clients in all, as the hash would have it"
}
