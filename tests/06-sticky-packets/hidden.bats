# Hidden end-to-end tests of lesson 06: the programs with other messages than in e2e.bats.

setup() {
    load ../lib/lab
    lab_setup
}
teardown() { lab_teardown; }

# lab: points=3 task=7 needs="end to end/messages stick and a splitter finds them again" read="A delimiter in two pieces" man="2 recv" likely="the rule is what the arguments say, whatever the delimiter's length is, and each message is printed with its own length"
@test "any delimiter and any length between the two programs" {
    for delimiter in '#' $'\t\n' '===' 'aab' '<end-of>'; do
        start splitter-receiver --unpack "delimiter:$delimiter" 127.0.0.1 0
        receiver=$pid messages=() due=()
        for ((i = 0; i < 25; i++)); do
            printf -v message '%0*d' "$((1 + RANDOM % 700))" "$i"
            messages+=("$message")
            due+=("${#message} \"$message\"")
        done
        attempt burst-sender --delimiter "$delimiter" "$host" "$port" "${messages[@]}"
        assert_success
        for message in "${due[@]}" end; do
            next_line "$receiver"
            assert_equal "$line" "$message"
        done
        stop TERM "$receiver"
    done
}

# lab: points=2 task=7 needs="end to end/the receiver prints the messages of a stream, end to end/the sender sends each message and nothing else" read="Three ways to cut a stream" man="2 recv" likely="a message of fixed length may need many reads, and one read may bring many messages"
@test "messages of a fixed length however they were sent" {
    for length in 1 4 2500; do
        start splitter-receiver --unpack "fixed:$length" 127.0.0.1 0
        receiver=$pid
        printf -v message '%0*d' "$length" 7
        attempt burst-sender "$host" "$port" "$message$message" "$message" "$message$message$message"
        assert_success
        for ((i = 0; i < 6; i++)); do
            next_line "$receiver"
            assert_equal "$line" "$length \"$message\""
        done
        next_line "$receiver"
        assert_equal "$line" end
        stop TERM "$receiver"
    done
}
