#!/usr/bin/env bats
# The load generator and the counter of memory, which `make bench` believes.

bats_require_minimum_version 1.7.0

setup_file() {
    cd "$BATS_TEST_DIRNAME" || return
    export built=$BATS_FILE_TMPDIR
    gcc -std=gnu17 -O1 -g -Wall -Wextra -fsanitize=address,undefined -o "$built/load" load.c dial.c
    gcc -std=gnu17 -O1 -g -Wall -Wextra -fsanitize=address,undefined -o "$built/test_load" test_load.c dial.c
    gcc -std=gnu17 -O1 -g -Wall -Wextra -o "$built/hold" hold.c dial.c
    gcc -std=gnu17 -O1 -g -Wall -Wextra -o "$built/epoll" epoll.c echo.c
}

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
}

teardown() {
    stop
}

stop() {
    [[ -n ${server:-} ]] || return 0
    kill -KILL "$server"
    wait "$server" 2>/dev/null || :
    server=''
    rm "$BATS_TEST_TMPDIR/said"
}

# start COMMAND...: sets $server, and $at, where it listens
start() {
    local line
    mkfifo "$BATS_TEST_TMPDIR/said"
    "$@" >"$BATS_TEST_TMPDIR/said" 2>/dev/null 3>&- &
    server=$!
    read -r line <"$BATS_TEST_TMPDIR/said"
    line=${line#listening on }
    at=("${line%:*}" "${line##*:}")
    [[ $line = *:* ]] || at=("$line")
}

strange() {
    start python3 "$BATS_TEST_DIRNAME/strange_server.py" "$1"
}

# figure NAME: of the last line that a load has printed, without its fraction
figure() {
    local words
    read -ra words <<<"${lines[-1]}"
    for ((i = 0; i < ${#words[@]}; i += 2)); do
        [[ ${words[i]} != "$1" ]] || echo "${words[i + 1]%.*}"
    done
}

@test "places of times and percentiles are right" {
    run -0 "$built/test_load"
    refute_output
}

@test "every answer is right: any depth and size, frames, TCP and UNIX" {
    start "$built/epoll" 127.0.0.1 0
    for options in "" "--connections=50 --depth=16" "--size=16384 --depth=64" "--size=1 --depth=4096" "--connections=3 --rate=900"; do
        # shellcheck disable=SC2086 # words
        run -0 "$built/load" --seconds=0.1 $options "${at[@]}"
        assert_line --regexp '^rate [1-9][0-9]* p50 .* errors 0$'
    done
    stop
    start "$built/epoll" --frames "$BATS_TEST_TMPDIR/local"
    run -0 "$built/load" --seconds=0.1 --frames --size=100 --depth=16 --connections=9 "${at[@]}"
    assert_line --regexp 'errors 0$'
}

@test "answers in pieces are put together" {
    strange chop
    run -0 "$built/load" --seconds=0.2 --size=1000 --depth=8 --connections=5 "${at[@]}"
    assert_line --regexp '^rate [1-9][0-9]* .* errors 0$'
}

@test "other bytes, too many, another's, or none: an error, and no figures to believe" {
    for fault in alter repeat exchange close; do
        strange "$fault"
        run -1 "$built/load" --seconds=0.2 --connections=2 --depth=2 "${at[@]}"
        assert_line --regexp 'errors [1-9][0-9]*$'
        stop
    done
    run -1 "$built/load" --connections=7 "${at[@]}"
    assert_line --regexp 'errors 7$'
}

@test "with a rate, all messages of a pause are late, and not one alone" {
    strange stop
    run -0 "$built/load" --seconds=1.8 --rate=500 --connections=2 "${at[@]}"
    (($(figure p50) > 20000)) # more than half were due in the second without an answer
    (($(figure p99) > 800000))
}

@test "messages that are answered after the end count too" {
    strange stop
    run -0 "$built/load" --seconds=0.8 --rate=500 "${at[@]}"
    (($(figure max) > 800000))
    (($(figure rate) < 400)) # but not as answers within the time
}

@test "messages that get no answer are errors" {
    strange mute
    run -1 "$built/load" --seconds=0.8 --rate=500 "${at[@]}"
    (($(figure errors) > 100))
}

@test "hold tells the memory of a server" {
    start "$built/epoll" 127.0.0.1 0
    run -0 "$built/hold" 1000 "$server" "${at[@]}"
    assert_output --regexp '^empty [0-9]+ idle [0-9]+ used [0-9]+$'
    (($(figure idle) > $(figure empty)))
}
