# Lesson 09's chat-server on lesson 10's loop, by changing one line: the solution against the tests of lesson 09 that are about
# the program, and under ThreadSanitizer. And 10,000 clients. Run from anywhere: bats tests/10-event-loop/chat.bats. Not graded.

bats_require_minimum_version 1.5.0

setup_file() {
    export ROOT=$BATS_TEST_DIRNAME/../..
    cd "$BATS_FILE_TMPDIR" || return
    mkdir bin
    sed 's/= &server_threads;/= \&server_loop;/' "$ROOT/solutions/09-many-clients/chat-server.c" >chat-server.c
    [[ $(diff "$ROOT/solutions/09-many-clients/chat-server.c" chat-server.c | grep -c '^>') = 1 ]]
    build bin/chat-server chat-server.c -fsanitize=address,undefined
    build bin/chat-client "$ROOT/solutions/09-many-clients/chat-client.c" -fsanitize=address,undefined
    build bin/loop-echo-server "$ROOT/solutions/10-event-loop/loop-echo-server.c" -O2
    gcc -std=gnu17 -O1 -Wall -Wextra -o crowd "$BATS_TEST_DIRNAME/crowd.c"
    echo 'int main(void) { return 0; }' >probe.c
    if gcc -fsanitize=thread -o probe probe.c 2>/dev/null && ./probe 2>/dev/null; then
        build thread-chat chat-server.c -fsanitize=thread
        build thread-echo "$ROOT/solutions/10-event-loop/loop-echo-server.c" -fsanitize=thread
    fi
}

# build NAME FILE FLAG: with all that a program may need. Only the program itself is told of server_loop.h.
build() {
    local s=$ROOT/solutions l=$ROOT/lessons
    local include=(-I"$l/02-bind-listen-accept" -I"$l/05-af-local" -I"$l/06-sticky-packets" -I"$l/07-framed-protocol"
        -I"$l/09-many-clients" -I"$l/10-event-loop")
    gcc -std=gnu17 -g -O1 "$3" -include "$l/10-event-loop/server_loop.h" "${include[@]}" -c -o program.o "$2"
    gcc -std=gnu17 -g -O1 "$3" -pthread "${include[@]}" -o "$1" program.o "$s/10-event-loop/loop.c" "$s/10-event-loop/loops.c" \
        "$s/10-event-loop/server_loop.c" "$s/02-bind-listen-accept/tcp.c" "$s/05-af-local/local.c" \
        "$s/06-sticky-packets/splitter.c" "$s/06-sticky-packets/stream.c" "$s/07-framed-protocol/frame.c"
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return
}

teardown() {
    [[ -z ${pid-} ]] || kill -KILL "$pid" 2>/dev/null || :
}

# serve PROGRAM ARGUMENT...: sets $pid and $port. What it prints after its first line comes from descriptor 8.
serve() {
    rm -f out
    mkfifo out
    "$@" >out 2>err 3>&- &
    pid=$!
    exec 8<out
    read -rt 60 -u 8 line
    port=${line##*:}
}

@test "chat-server on the loop passes the end-to-end tests of lesson 09" {
    LAB_BIN=$BATS_FILE_TMPDIR/bin LAB_PATIENCE=10 run bats "$ROOT/tests/09-many-clients/e2e.bats" 3>&-
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "10,000 idle clients cost a few megabytes, and one that speaks is heard" {
    ulimit -n 10500 || skip "no more than $(ulimit -Hn) descriptors"
    for backend in epoll poll; do
        clients=10000
        [[ $backend = epoll ]] || clients=1000 # poll() asks each of them at each turn
        serve bin/loop-echo-server --backend "$backend" --unpack length32be --linger 100 127.0.0.1 0
        read -r _ before _ < <(grep VmRSS "/proc/$pid/status")
        mkfifo "go-$backend" "crowd-$backend"
        ./crowd "$clients" "$port" <"go-$backend" >"crowd-$backend" 3>&- 8<&- &
        crowd=$!
        exec 9>"go-$backend" 7<"crowd-$backend"
        read -rt 60 -u 7 line # all are connected
        read -r _ after _ < <(grep VmRSS "/proc/$pid/status")
        exec 9>&-
        wait "$crowd"
        echo "$backend: $(((after - before) * 1024 / clients)) bytes for each of $clients clients"
        ((after - before < 12000)) # KB
        kill -TERM "$pid"
        wait "$pid"
        read -rt 60 -u 8 line
        [[ $line = "loop 1 served $clients clients" ]]
    done
}

@test "nothing for ThreadSanitizer to say" {
    [[ -x thread-echo ]] || skip "ThreadSanitizer does not work here"
    serve ./thread-echo --loops 3 --balance least --linger 100 127.0.0.1 0
    ./crowd 300 "$port" </dev/null
    kill -TERM "$pid"
    wait "$pid"
    [ ! -s err ]
    serve ./thread-chat --linger 100 127.0.0.1 0
    for _ in 1 2 3 4; do
        seq 500 | nc -N 127.0.0.1 "$port" >/dev/null &
    done
    seq 500 | nc -N 127.0.0.1 "$port" >/dev/null
    kill -TERM "$pid"
    wait "$pid"
    [ ! -s err ]
}
