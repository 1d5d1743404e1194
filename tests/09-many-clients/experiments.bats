# The experiments of lesson 09 show what README.md says of them. Where machines differ, so may the answer.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "eleventh_client: its connect() succeeds, and then it is reset" {
    run -0 "$LAB_BIN/eleventh_client"
    assert_line "the eleventh: connect() succeeded"
    assert_line "the eleventh: send() = 5"
    assert_line "the eleventh: recv() = -1, Connection reset by peer"
    assert_line "so: it was accepted, and then reset"
}

@test "stack_per_thread: a stack is mostly addresses" {
    run -0 "$LAB_BIN/stack_per_thread"
    assert_line --regexp '^addresses: [0-9]{3,} kB more a thread$'
    assert_line --regexp '^memory: +-?[0-9]{1,3} kB more a thread$'
    assert_line "so: a stack is mostly addresses"
}

@test "close_wakes_nobody: recv() waits on after close()" {
    run -0 "$LAB_BIN/close_wakes_nobody"
    assert_line --regexp '^close\([0-9]+\): recv\(\) still waits$'
    assert_line "shutdown(): recv() returned"
    assert_line "so: close() wakes nobody"
}

@test "lost_update: with a lock nothing is lost" {
    run -0 "$LAB_BIN/lost_update"
    assert_line "with a lock:    2000000 of 2000000"
    assert_line --regexp '^so: [0-9]+ were lost without a lock, 0 with one$'
}
