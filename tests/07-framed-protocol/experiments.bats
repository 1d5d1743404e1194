# The experiments of lesson 07 show what README.md says of them. Where machines differ, so may the answer.

setup() {
    load ../lib/lab
    lab_setup
}

teardown() {
    lab_teardown
}

@test "struct_padding: 20 bytes of members, and a struct of 24, 20 or 16" {
    run -0 "$LAB_BIN/struct_padding"
    assert_line --regexp '^packed: .* sizeof = 20$'
    assert_line --regexp '^on i386: .* sizeof = 16$'
    if [[ $(uname -m) == x86_64 ]]; then
        assert_line "here:    length at 0, age at 8, score at 16: sizeof = 24"
        assert_line "so: the members have 20 bytes, the struct here has 24: 4 are padding"
    fi
}

@test "padding_leaks: a password in the gap" {
    run -0 "$LAB_BIN/padding_leaks"
    if [[ $(uname -m) == x86_64 ]]; then
        assert_line 'peer: bytes 4 to 7: ":SEC"'
        assert_line "so: the padding is what was in the memory before"
    fi
}

@test "cut_length: three bytes of a length, and a wrong number" {
    run -0 "$LAB_BIN/cut_length"
    assert_line 'ours: recv(4) = 3: 00 00 01 ee, "a body of 494 bytes"'
    assert_line "ours: recv(1) = 1: now it is 256"
    assert_line "so: the length came in two pieces"
}

@test "byte_order: 16 becomes 268435456" {
    run -0 "$LAB_BIN/byte_order"
    assert_line "least weight first:     10 00 00 00"
    assert_line "greatest weight first:  00 00 00 10"
    assert_line "16, read in the other order: 268435456"
    assert_line --regexp '^so: this machine is (little|big)-endian, and the wrong order makes 16 into 268435456$'
}

@test "length_overflow: a sum that wraps lets ff ff ff ff in" {
    run -0 "$LAB_BIN/length_overflow"
    assert_line "length 4294967295: head + length =          3: accepted;  length <= max - head: refused"
    assert_line "so: the sum lets 1 absurd length in, the difference 0"
}
