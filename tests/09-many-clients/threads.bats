# The solution under ThreadSanitizer, on both engines: many clients, some of which do not read, reset their connection or quit, and a
# stop with clients connected. Run from anywhere: bats tests/09-many-clients/threads.bats. Not graded.

bats_require_minimum_version 1.5.0

setup_file() {
    export ROOT=$BATS_TEST_DIRNAME/../..
    cd "$BATS_FILE_TMPDIR" || return
    echo 'int main(void) { return 0; }' >probe.c
    if ! gcc -fsanitize=thread -o probe probe.c 2>/dev/null || ! ./probe 2>/dev/null; then
        return 0 # setup() says so
    fi
    build "$ROOT/solutions/09-many-clients/chat-server.c" server_threads
    sed 's/= &server_threads;/= \&server_pool;/' "$ROOT/solutions/09-many-clients/chat-server.c" >pool.c
    ! cmp -s pool.c "$ROOT/solutions/09-many-clients/chat-server.c"
    build pool.c server_pool
    gcc -std=gnu17 -O1 -Wall -Wextra -o crowd "$BATS_TEST_DIRNAME/crowd.c"
}

# build FILE NAME
build() {
    local s=$ROOT/solutions l=$ROOT/lessons
    gcc -std=gnu17 -g -O1 -Wall -Wextra -fsanitize=thread -pthread -I"$l/02-bind-listen-accept" -I"$l/05-af-local" \
        -I"$l/06-sticky-packets" -I"$l/09-many-clients" -o "$2" "$1" "$s/09-many-clients/server.c" \
        "$s/02-bind-listen-accept/tcp.c" "$s/05-af-local/local.c" "$s/06-sticky-packets/splitter.c"
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return
    [[ -x server_pool ]] || skip "ThreadSanitizer does not work here"
}

teardown() {
    [[ -z ${pid-} ]] || kill -KILL "$pid" 2>/dev/null || :
}

# play ENGINE CLIENTS SPEAKERS LINES: start, let them talk, stop while all are connected.
play() {
    ulimit -n "$(ulimit -Hn)"
    rm -f "out-$1"
    mkfifo "out-$1"
    TSAN_OPTIONS="exitcode=66" "./$1" --most 1000 --linger 100 127.0.0.1 0 "$1.sock" >"out-$1" 2>"err-$1" 3>&- &
    pid=$!
    exec {out}<"out-$1"
    read -r _ _ address <&"$out"
    cat <&"$out" >"lines-$1" 3>&- &
    run -0 timeout 200 ./crowd "$2" "$3" "$4" "${address##*:}" "$1.sock"
    [[ $output == "$(($3 * $4)) lines said, 0 clients heard another number" ]]
    kill -TERM "$pid"
    wait "$pid" || { cat "err-$1" && false; }
    pid=''
    [[ ! -s err-$1 ]] || { cat "err-$1" && false; }
    wait
    [[ $(grep -c ' came from ' "lines-$1") == "$2" && $(grep -c ' went: ' "lines-$1") == "$2" ]]
    [[ ! -e $1.sock ]]
}

@test "a thread for each client: 200 clients, 8 of which speak, no race" {
    play server_threads 200 8 50
}

@test "a pool: 200 clients, 8 of which speak, no race" {
    play server_pool 200 8 50
}

@test "a thread for each client: 1,000 clients on loopback" {
    play server_threads 1000 2 5
}

@test "a pool: 1,000 clients on loopback" {
    play server_pool 1000 2 5
}
