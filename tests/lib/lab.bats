# lab.bash does what its head says. The programs started are small shells; socat echoes.

setup() {
    load lab
    lab_setup
    mkdir bin
    PATH=$PWD/bin:$PATH
    program echoes 'exec socat -d -d TCP-LISTEN:0,bind=127.0.0.1 PIPE 2>&1'
    program talks 'echo first; while read -r text; do echo "heard $text"; done; echo last; exit 3'
    program waits 'trap "echo told; exit 5" TERM; echo "listening on ${1-127.0.0.1:8080}"; while :; do sleep 0.02; done'
}

teardown() {
    lab_teardown
}

program() { # NAME SCRIPT
    printf '#!/bin/bash\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}

# inner SCRIPT: a test with this body, run by a bats of its own; $status and $output tell how it went
inner() {
    printf '%s\n' "setup() { load '$BATS_TEST_DIRNAME/lab'; PATH=$PWD/bin:\$PATH; lab_setup; }" 'teardown() { lab_teardown; }' \
        '@test "inner" {' "$1" '}' >inner.bats
    run env -u BATS_TEST_NAME LAB_PATIENCE="${2:-4}" bats --tap inner.bats
}

@test "start reads the first line, and where the program listens" {
    start waits
    assert_equal "$line" "listening on 127.0.0.1:8080"
    assert_equal "$host $port $path" "127.0.0.1 8080 "
    start waits "[::1]:90"
    assert_equal "$host $port $path" "::1 90 "
    start waits /tmp/socket:1
    assert_equal "$host $port $path" "  /tmp/socket:1"
    start waits @hidden
    assert_equal "$path" "@hidden"
}

@test "start opens nothing but 0, 1 and 2, and input is empty" {
    exec {extra}</dev/null
    start waits
    assert_equal "$(fd_count)" 4 # and 255, the script
    program copies 'echo ready; cat'
    start copies
    finish
    assert_output ""
    exec {extra}<&-
}

@test "stop sends the signal, waits, and gives status, output, lines and standard error" {
    program complains 'echo one; echo two; echo three; echo "oh no" >&2; kill -STOP $$; exit 7'
    start complains
    until [[ $(<"/proc/$pid/stat") == *") T "* ]]; do :; done
    stop CONT
    assert_failure 7
    assert_output $'two\nthree'
    assert_line --index 1 "three"
    assert_equal "$stderr" "oh no"
}

@test "stop asks with TERM; a death by a signal is 128 and its number" {
    start waits
    stop
    assert_failure 5
    assert_output "told"
    start waits
    stop KILL
    assert_failure 137
}

@test "several programs run at once, each by its number" {
    start waits
    local server=$pid
    launch talks
    next_line
    assert_equal "$line" "first"
    stop TERM "$server"
    assert_failure 5
    tell "hello"
    wait_for_line "^heard"
    assert_equal "$line" "heard hello"
    end_input
    finish
    assert_failure 3
    assert_output "last"
}

@test "a plain client speaks and hears" {
    start echoes
    open_client 127.0.0.1 "${line##*:}"
    say "one"
    hear
    assert_output "one"
    say "two"
    hang_up
    finish
}

@test "speaking to a server that is gone kills nobody" {
    start echoes
    open_client 127.0.0.1 "${line##*:}"
    stop KILL
    say "one"
    say "two"
    run -1 hear
    hang_up
}

@test "who writes to a pipe that nobody reads is told so" {
    open_unread
    run -1 bash -c 'trap "" PIPE; echo one 2>/dev/null >&"$1"' - "$unread"
    exec {unread}>&-
    open_unread
    run -141 bash -c 'echo one >&"$1"' - "$unread"
}

@test "fd_count counts" {
    start waits
    assert [ "$(fd_count)" -ge 3 ]
    stop
}

@test "a program that says nothing before its end fails start, with its words" {
    program dies 'echo "no such host" >&2; exit 9'
    inner 'start dies'
    assert_failure
    assert_output --partial "lab you: dies ended with status 9 and printed no such line"
    assert_output --partial "no such host"
}

@test "a program that is not there fails start" {
    inner 'start no-such-program'
    assert_failure
    assert_output --partial "lab you: no-such-program ended with status 127"
}

@test "a program that is silent fails start in the end" {
    program silent 'sleep 60'
    inner 'start silent' 0.2
    assert_failure
    assert_output --partial "lab you: silent printed no line within 0.2 s"
}

@test "a program that will not end is killed, and fails the test" {
    program stubborn 'trap "" TERM; echo ready; while :; do sleep 0.02; done'
    inner 'start stubborn; stop' 0.2
    assert_failure
    assert_output --partial "lab you: stubborn did not end within 0.2 s"
}

@test "a program that will not end takes no other reason's place" {
    program stubborn 'trap "" TERM; echo ready; while :; do sleep 0.02; done'
    inner 'start stubborn; you "returned 1"; false'
    assert_failure
    assert_output --partial "lab you: returned 1"
    refute_output --partial "did not end"
}

@test "a child left behind fails the test, and is ended" {
    program leaves 'sleep 60 >/dev/null 2>&1 & echo $!; exit 0'
    inner 'start leaves; echo "$line" >../child; finish; cp ../child "'"$PWD"'/child"'
    assert_failure
    assert_output --partial "lab you: leaves left a child process behind"
    until lab_ended "$(<child)"; do :; done
}

@test "a child left behind that holds the output fails the test" {
    program leaves 'sleep 60 & echo ready; exit 0'
    inner 'start leaves; finish' 0.2
    assert_failure
    assert_output --partial "lab you: leaves left a child process behind"
}

@test "a sanitizer's report fails the test" {
    program leaks 'echo ready; echo "==1==ERROR: LeakSanitizer: detected memory leaks" >&2; echo "SUMMARY: AddressSanitizer: 5 byte(s) leaked" >&2'
    inner 'start leaks; finish'
    assert_failure
    assert_output --partial "lab you: leaks drew a report of the sanitizer's"
    assert_output --partial "5 byte(s)"
}

@test "what a test forgets to stop is ended" {
    inner 'start waits; echo "$pid" >"'"$PWD"'/forgotten"'
    assert_success
    until lab_ended "$(<forgotten)"; do :; done
}

@test "a failed test tells its story" {
    inner 'peer "sent hello"; likely "a typing mistake"; you "returned 1"; expected "2"; false'
    assert_failure
    assert_line "# lab peer: sent hello"
    assert_line "# lab likely: a typing mistake"
    assert_line "# lab you: returned 1"
    assert_line "# lab expected: 2"
}

@test "attempt sets status, output and stderr, without their last newlines" {
    inner 'attempt bash -c "printf \"a\n\nb\n\n\"; echo c >&2; exit 3"; [[ $status = 3 && $output = $'"'a\n\nb'"' && $stderr = c ]]; [[ $(wc -c <printed) = 6 ]]'
    assert_success
}

@test "same tells where two files differ" {
    inner 'echo one >a; echo two >b; same a a && same a b'
    assert_failure
    assert_line --regexp '^# lab you: a b differ: '
}

@test "await ends with the program" {
    inner 'launch sleep 0; await false'
    assert_failure
    assert_output --partial "the program has ended"
}

@test "bytes reads any byte, and says that fewer came" {
    inner 'bytes 4 < <(printf "a\0\377\n"); [[ $output = "61 00 ff 0a" ]]; if bytes 3 < <(printf ab); then false; fi; [[ $output = "61 62" ]]'
    assert_success
}
