# The harness as a whole: LAB_HARNESS_TESTS names the folder with test_harness, test_misbehaving, test_calls and
# liblabcalls.so. The first must pass, each test of the second must fail in the way stated here.

setup_file() {
    bats_require_minimum_version 1.5.0
    local records=$BATS_FILE_TMPDIR/records
    orders "$records.1" "nonce 5ec4e7" "seed 7" "run leaves" "run dies" "run locks" "run leaves_behind" "run forges" "run prints" \
        "run says" "run needs" "run random"
    orders "$records.2" "nonce 5ec4e7" "limit 0.4" "run hangs"
    cat "$records.1" "$records.2" >"$records"
}

setup() {
    load ../lib/lab
    lab_setup
    records=$BATS_FILE_TMPDIR/records
}

# orders FILE ORDER...: have test_misbehaving carry them out; its records go to FILE
orders() {
    local file=$1
    shift
    printf '%s\n' "$@" | "$LAB_HARNESS_TESTS/test_misbehaving" --control 9 9>"$file" || :
}

# fields GROUP/NAME [FILE]: its record as "KEY: TEXT" lines, the result as "result: RESULT"
fields() {
    awk -v name="$1" '
        $1 == "5ec4e7" && $2 == "begin" { on = $3 == name; key = ""; next }
        $1 == "5ec4e7" && $2 == "field" { key = $3; next }
        $1 == "5ec4e7" && $2 == "end" && on { print "result: " $4 }
        $1 == "5ec4e7" { on = 0; next }
        on && key { print key ": " $0 }' "${2:-$records}"
}

# ends GROUP/NAME RESULT YOU: YOU is an extended regular expression for all of "you"
ends() {
    run -0 fields "$1"
    assert_line "result: $2"
    assert_line --regexp "^you: ($3)\$"
}

@test "all of test_harness passes" {
    run -0 "$LAB_HARNESS_TESTS/test_harness"
    refute_output --partial FAIL
    refute_output --partial ERROR
    assert_output --regexp '[0-9]+ of [0-9]+ passed'
}

@test "Check's environment does not leave tests out, nor run them without a fork" {
    run -1 env CK_RUN_CASE=x CK_RUN_SUITE=x CK_FORK=no CK_INCLUDE_TAGS=x "$LAB_HARNESS_TESTS/test_misbehaving" --only leaves
    assert_line --partial "0 of 8 passed"
}

@test "a way out of the process is no way to pass" {
    ends leaves/by_exit fail 'called exit\(0\)'
    assert_line "likely: a library function returns; only main decides to exit"
    ends leaves/by_exit_with_3 fail 'called exit\(3\)'
    ends leaves/by_underscore_exit fail 'called _exit\(0\)'
    ends leaves/by_quick_exit fail 'called quick_exit\(0\)'
    ends leaves/by_exit_group fail 'called exit_group\(0\)'
    ends leaves/by_the_bare_instruction fail ".* ended with status 0 before the test was over|called _exit\\(0\\)"
    ends leaves/by_pthread_exit fail ".* ended with status 0 before the test was over"
    ends leaves/by_abort fail 'called abort\(\)'
}

@test "a crash is told by its signal or the sanitizer's words" {
    ends dies/of_sigsegv crash 'died of SIGSEGV in student_segfault \(test_student.c:[0-9]+\)'
    ends dies/of_sigpipe crash 'died of SIGPIPE'
    assert_line --regexp '^likely: .*MSG_NOSIGNAL'
    ends dies/of_a_heap_overflow crash 'heap-buffer-overflow in student_overflow \(test_student.c:[0-9]+\)'
    assert_line --regexp '^output: .*AddressSanitizer'
    ends dies/of_undefined_behaviour fail 'undefined behaviour: signed integer overflow.*test_student.c:[0-9]+\)'
}

@test "a mutex that is locked twice, or not at all, is told at once" {
    ends locks/what_is_locked fail 'called pthread_mutex_lock\(\) for a mutex that this thread holds.*'
    ends locks/not_before_it_unlocks fail 'called pthread_mutex_unlock\(\) for a mutex that this thread does not hold'
    assert_line "expected: pthread_mutex_lock() first, on each path, in the same thread"
    ends locks/not_before_it_waits fail 'called pthread_cond_timedwait\(\) with a mutex that this thread does not hold'
}

@test "a hang is ended at the limit, and told by the call it is in" {
    ends hangs/in_a_call crash 'did not come to an end: stopped after [0-9.]+ s in recv\([0-9]+\)'
    assert_line --regexp '^blocked: recv\([0-9]+\)'
    assert_line "likely: wait for the end"
    ends hangs/in_a_loop crash '.*not in any call to the kernel'
    ends hangs/while_a_peer_waits crash '.*while the peer waited for 5 bytes'
}

@test "a test killed from outside is a crash, and the next one is run" {
    mkfifo records
    printf '%s\n' "nonce 5ec4e7" "run hangs/in_a_call" "run says/what_was_expected" >orders
    "$LAB_HARNESS_TESTS/test_misbehaving" --control 9 <orders 9>records 3>&- &
    runner=$!
    exec {seen}<records
    IFS= read -r -t 4 -u "$seen" begin
    id=${begin##* }
    kill -KILL -- "-$id"
    { echo "$begin" && cat <&"$seen"; } >all
    exec {seen}<&-
    wait "$runner" || :
    run -0 fields hangs/in_a_call all
    assert_line "result: crash"
    run -0 fields says/what_was_expected all
    assert_line "result: fail"
}

@test "what is left behind fails the test" {
    ends leaves_behind/memory fail 'lost 24 bytes that it had allocated in student_leak \(test_student.c:[0-9]+\)'
    assert_line --regexp '^output: .*LeakSanitizer'
    ends leaves_behind/a_descriptor fail 'left open: 3 \(TCP socket 127.0.0.1:[0-9]+, connected to 127.0.0.1:[0-9]+\)'
    ends leaves_behind/a_child fail 'left a child process that was not waited for'
    ends leaves_behind/an_orphan fail 'left a process running'
    ends leaves_behind/every_descriptor_closed fail "closed 0, which is the caller's; closed 1, .*"
    ends leaves_behind/an_ignored_signal fail 'changed what SIGPIPE does'
    ends leaves_behind/a_blocked_signal fail 'left SIGINT blocked'
}

@test "nothing that a test writes becomes a record" {
    ends forges/results fail 'wrote to every descriptor'
    run -0 grep -c '^5ec4e7 end forges/results' "$records"
    assert_output 1
}

@test "endless output is cut at 64 KiB" {
    ends prints/for_ever fail 'printed 16 MiB'
    run -0 awk '$2 == "begin" { name = $3 } $2 == "field" && $3 == "output" && name == "prints/for_ever" { print $4 }' "$records"
    assert_output 65536
}

@test "a failure tells its story" {
    ends says/what_was_expected fail 'returned 1'
    assert_line "peer: sent one; and two"
    assert_line "expected: 2"
    assert_line "likely: the test's own"
    ends says/another_likely_mistake fail 'returned 1'
    assert_line "likely: found at run time"
    ends says/its_own_mistake_again fail 'returned 1'
    assert_line "likely: the test's own"
}

@test "what could not be checked is an error, what is lacking a skip" {
    ends says/that_it_cannot_check error '.*EBADF'
    ends says/that_a_peer_was_not_joined error '.*joined.*'
    ends says/that_something_is_lacking skip 'this machine has no second moon'
    ends needs/another_system skip 'requires .*'
}

@test "a test that needs what has failed is not run" {
    ends needs/a_group skip 'needs dies'
    ends needs/one_test_of_two skip 'needs says/what_was_expected'
    orders alone "nonce 5ec4e7" "run needs/a_group"
    run -0 fields needs/a_group alone
    assert_output "result: pass"
}

@test "the seed and the test's name decide what is random" {
    orders first "nonce 5ec4e7" "seed 7" "run random/says_what_it_drew" "run random/draws_otherwise_in_another_test"
    orders again "nonce 5ec4e7" "seed 7" "run random/says_what_it_drew"
    orders other "nonce 5ec4e7" "seed 8" "run random/says_what_it_drew"
    drawn() { fields "random/$2" "$1" | sed -n 's/^you: drew //p'; }
    assert_equal "$(drawn first says_what_it_drew)" "$(drawn again says_what_it_drew)"
    assert_not_equal "$(drawn first says_what_it_drew)" "$(drawn other says_what_it_drew)"
    assert_not_equal "$(drawn first says_what_it_drew | cut -d' ' -f1)" "$(drawn first draws_otherwise_in_another_test)"
}

@test "an unknown name is an error, and every run ends with done" {
    orders unknown "nonce 5ec4e7" "run says/nothing"
    run -0 cat unknown
    assert_line "5ec4e7 end says/nothing error 0"
    assert_line "5ec4e7 done"
    run -0 tail -n 1 "$records"
    assert_output "5ec4e7 done"
}

@test "every test is listed once, and each listed has one end" {
    run -0 "$LAB_HARNESS_TESTS/test_misbehaving" --list
    printf '%s\n' "$output" | cut -f 1,2 | tr '\t' '/' | sort >listed
    sed -n 's/^5ec4e7 end \([^ ]*\) .*/\1/p' "$records" | sort >ended
    run -0 diff listed ended
    assert_equal "$(sort -u listed | wc -l)" "$(wc -l <listed)"
}

@test "a run leaves no process behind" {
    orders left "nonce 5ec4e7" "run leaves_behind/a_child" "run leaves_behind/an_orphan" "run hangs/in_a_loop" "limit 1"
    ids=$(sed -n 's/^5ec4e7 begin [^ ]* //p' left)
    for id in $ids; do
        run ! kill -0 -- "-$id"
    done
}

@test "the seed is told to a person, and SEED= repeats it" {
    run -1 env SEED=42 "$LAB_HARNESS_TESTS/test_misbehaving" --only random
    assert_line --partial "SEED=42"
    first=$output
    run -1 env SEED=42 "$LAB_HARNESS_TESTS/test_misbehaving" --only random
    assert_output "$first"
}

@test "liblabcalls.so puts faults into whole programs" {
    run -0 env LD_PRELOAD="$LAB_HARNESS_TESTS/liblabcalls.so" FAULTS="receive:2:EINTR,allocate:1:ENOMEM,send:each:max=2" \
        FAULTS_COUNT=count "$LAB_HARNESS_TESTS/test_calls"
    assert_output - <<'END'
malloc NULL ENOMEM
write 2
read 1
read -1 EINTR
read 1
END
    run -0 cat count
    assert_line "receive 3"
    assert_line "send 1"
    assert_line "allocate 1"
    assert_line "accept 0"
}

@test "FAULTS that cannot be read stop the program" {
    for faults in receive:2 recieve:2:EINTR receive:0:EINTR receive:2:EINTER receive:2:EINTR:afterwards; do
        run -125 env LD_PRELOAD="$LAB_HARNESS_TESTS/liblabcalls.so" FAULTS="$faults" "$LAB_HARNESS_TESTS/test_calls"
        assert_output --partial "FAULTS: not understood: $faults"
    done
}
