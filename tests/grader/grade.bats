#!/usr/bin/env bats
# The grader as its users meet it: right programs pass, wrong and hostile ones fail for a stated reason, and nothing
# is left behind. Each test makes a submission from the reference solution and changes it.

bats_require_minimum_version 1.5.0

setup_file() {
    export TOP=$PWD GRADE=$PWD/build/bin/grade
}

setup() {
    for folder in /usr/lib/bats /usr/share/bats /usr/lib /usr/share /usr/local/lib; do
        [[ ! -e $folder/bats-assert/load.bash ]] || break
    done
    source "$folder/bats-support/load.bash"
    source "$folder/bats-assert/load.bash"
    cd "$TOP" || return
    export TMPDIR=$BATS_TEST_TMPDIR/tmp S=$BATS_TEST_TMPDIR/class/ann
    mkdir -p "$TMPDIR" "$S"
    chmod 755 "$BATS_TEST_TMPDIR" "$TMPDIR"
    cp -r solutions/01-socket solutions/02-bind-listen-accept "$S"
    E=$S/01-socket/endpoint.c
    # A workspace must be reachable for the user that a grading by root gives to its sandboxes.
    local folder=$BATS_TEST_TMPDIR
    while [[ $folder != / && $EUID = 0 ]]; do
        chmod o+x "$folder"
        folder=$(dirname "$folder")
    done
}

# Nothing a submission started is alive, no workspace is left.
teardown() {
    [[ -z $(ls -A "$TMPDIR") ]] || { echo "left in TMPDIR: $(ls "$TMPDIR")" && false; }
    ! grep -lsz "LAB_BIN=$TMPDIR" /proc/[0-9]*/environ || { echo "left running" && false; }
}

# in_function NAME LINE: puts LINE at the start of the function's body in $E.
in_function() {
    awk -v name="$1" -v line="$2" '{ print } $0 ~ "(^|[ *])" name "\\(" { seen = 1 } seen && /^{/ { print "    " line; seen = 0 }' "$E" >"$E.new"
    ! cmp -s "$E" "$E.new"
    mv "$E.new" "$E"
}

# at_top LINE...: adds lines at the top and the bottom of $E.
at_top() { printf '%s\n' "$@" | cat - "$E" >"$E.new" && mv "$E.new" "$E"; }
at_bottom() { printf '%s\n' "$@" >>"$E"; }

grade() { "$GRADE" --submission="$S" "$@"; }

@test "a right submission passes with 100 points and status 0" {
    run -0 grade 01-socket
    assert_line --regexp '^  [0-9]+ of [0-9]+ passed   100/100 points'
    refute_output --partial FAIL
}

@test "a starter fails with status 1, and no test of it is an error" {
    run -1 "$GRADE" --all 01-socket
    assert_output --partial FAIL
    refute_output --partial ERROR
}

@test "exit(0) in a function fails and is named" {
    at_top '#include <stdlib.h>'
    in_function socket_open 'exit(0);'
    run -1 grade 01-socket
    assert_output --partial 'exit(0)'
    refute_line --regexp '^    pass  returns the lowest'
}

@test "_exit with any status fails" {
    at_top '#include <unistd.h>' '#include <stdlib.h>' '#include <time.h>'
    in_function socket_open 'struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); _exit((int)(t.tv_nsec & 255));'
    run -1 grade 01-socket
    assert_output --partial 'exit'
}

@test "a constructor is refused" {
    at_bottom '#include <stdlib.h>' '__attribute__((constructor)) static void early(void) { exit(0); }'
    run -1 grade 01-socket
    assert_output --partial 'constructor'
    assert_output --partial '0/100 points'
}

@test "an indirect function is refused" {
    at_bottom '#include <stdlib.h>' 'static int real_thing(void) { return 0; }' \
        'static void *choose(void) { return (void *)real_thing; }' 'int thing(void) __attribute__((ifunc("choose")));'
    run -1 grade 01-socket
    assert_output --partial 'ifunc'
    assert_output --partial '0/100 points'
}

@test "an entry in the tests' own list is refused" {
    at_bottom 'static const void *const entry __attribute__((used, section("lab_tests"))) = 0;'
    run -1 grade 01-socket
    assert_output --partial 'belongs to the tests'
}

@test "results printed on every descriptor count for nothing" {
    at_top '#include <unistd.h>'
    in_function socket_open 'for (int i = 0; i < 64; i++) dprintf(i, "ok 1 - all\n1..1\nend socket_open/x pass 0\ndone\n"); _exit(0);'
    at_top '#include <stdio.h>'
    run -1 grade 01-socket
    refute_line --regexp '100/100'
}

@test "variables that steer Check, bats or the loader change nothing" {
    CK_RUN_CASE=none CK_FORK=no CK_RUN_SUITE=none BASH_ENV=/dev/null LD_PRELOAD="" BATS_TEST_FILTER=none run -0 grade 01-socket
    assert_output --partial '100/100'
}

@test "a helper that has the name of a library function replaces nothing" {
    at_bottom 'int puts(const char *s);' 'int puts(const char *s) { (void)s; for (;;) { } }' \
        'int open64(const char *p, int f, ...);' 'int open64(const char *p, int f, ...) { (void)p; (void)f; return -1; }' \
        'int main(void);' 'int main(void) { return 0; }'
    run -0 grade 01-socket
    assert_output --partial '100/100'
}

@test "an endless loop costs its tests their limit, and no other test anything" {
    in_function type_name 'volatile int forever = 1; while (forever) { }'
    run -1 grade --all 01-socket
    assert_output --partial 'still running, in its own code'
    assert_output --regexp 'an end within [0-9]+ s'
    assert_line --regexp '^    pass '
    refute_output --partial ERROR
}

@test "what waited for a test that only a busy machine made late is run after all" {
    # The first seconds after its compilation socket_open dawdles; later it is right, but in the program.
    at_top '#define _GNU_SOURCE' '#include <errno.h>' '#include <stdlib.h>' '#include <string.h>' '#include <time.h>' '#include <unistd.h>'
    in_function socket_open 'if (strcmp(program_invocation_short_name, "sockets") == 0) return -1;'
    in_function socket_open 'for (;;) { time_t now = time(NULL); struct tm *tm = localtime(&now); int past = tm->tm_hour * 3600 + tm->tm_min * 60 + tm->tm_sec - atoi(__TIME__) * 3600 - atoi(&__TIME__[3]) * 60 - atoi(&__TIME__[6]); if (past < 0 || past >= 6) break; usleep(1000); }'
    local hogs=() i
    for ((i = 0; i < 2 * $(nproc); i++)); do
        timeout 120 yes >/dev/null 3>&- & # ends by itself, should this test be killed
        hogs+=($!)
    done
    run grade --all 01-socket
    kill "${hogs[@]}"
    assert_failure 1
    assert_line --regexp '^    pass  opens the kind'
    assert_line --regexp '^    FAIL  sockets shows'
    refute_output --partial '100/100'
}

@test "a function that sleeps for ever, with signals blocked, is ended" {
    at_top '#include <signal.h>' '#include <unistd.h>'
    in_function type_name 'sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0); for (;;) pause();'
    run -1 grade 01-socket
    assert_output --partial 'was blocked in'
}

@test "a fork bomb is contained" {
    at_top '#include <unistd.h>'
    in_function type_name 'for (;;) fork();'
    run -1 grade 01-socket
    assert_output --partial FAIL
}

@test "a process that leaves its session is found and ended" {
    at_top '#include <unistd.h>'
    in_function type_name 'if (fork() == 0) { setsid(); if (fork() == 0) for (;;) pause(); _exit(0); }'
    run -1 grade 01-socket
    assert_output --partial FAIL
}

@test "memory without end is ended" {
    at_top '#define _GNU_SOURCE' '#include <sys/mman.h>'
    in_function type_name 'for (;;) mmap(0, 1 << 26, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);'
    run -1 grade --only=type_name/names_every_type_of_the_list 01-socket
    assert_output --partial 'MiB of memory'
}

@test "killing every process in reach harms nobody" {
    sleep 1000 3>&- &
    local bystander=$! level
    at_top '#include <signal.h>' '#include <unistd.h>'
    in_function socket_open 'kill(getppid(), SIGKILL); kill(-1, SIGKILL);'
    for level in namespaces limits; do
        run grade --sandbox="$level" 01-socket
        assert_output --partial ' of '
    done
    kill "$bystander" # still there
}

@test "a compile error is shown once, as the compiler gives it, and no test is run" {
    in_function socket_open 'int x = ;'
    run -1 grade 01-socket
    assert_output --partial "$S/01-socket/endpoint.c:"
    assert_output --partial 'it does not compile'
    assert_output --partial '0/100 points'
    run grep -c "error: expected expression before" <<<"$output"
    assert_output 1
}

@test "a warning is shown and costs nothing" {
    in_function socket_open 'int unused_number;'
    run -0 grade 01-socket
    assert_output --partial 'unused variable'
    assert_output --partial '100/100'
}

@test "a function that is missing is named" {
    sed -i 's/socket_close_all(/another_name(/' "$E"
    run -1 grade 01-socket
    assert_output --partial 'socket_close_all'
}

@test "what is no regular file of the student's is refused" {
    rm "$E" && ln -s "$TOP/solutions/01-socket/endpoint.c" "$E"
    run -1 grade 01-socket
    assert_output --partial 'symbolic link'
    rm "$E" && mkfifo "$E"
    run -1 grade 01-socket
    assert_output --partial 'not a regular file'
    rm "$E"
    run -1 grade 01-socket
    assert_output --partial 'is missing'
    head -c 2000000 /dev/zero >"$E"
    run -1 grade 01-socket
    assert_output --partial 'larger than 1 MiB'
}

@test "files of its own beside the student's are not looked at" {
    echo '#error mine' >"$S/01-socket/endpoint.h"
    printf 'all:\n\tfalse\n' >"$S/01-socket/Makefile"
    run -0 grade 01-socket
}

@test "solutions and files of the machine cannot be included" {
    at_top "#include \"$TOP/solutions/01-socket/endpoint.c\"" '#if 0'
    at_bottom '#endif'
    run -1 grade 01-socket
    assert_output --partial '0/100'
    cp solutions/01-socket/endpoint.c "$E"
    at_top '#include "/dev/zero"'
    run -1 grade 01-socket
    assert_output --partial '0/100'
    cp solutions/01-socket/endpoint.c "$E"
    at_bottom "__asm__(\".incbin \\\"$TOP/solutions/01-socket/endpoint.c\\\"\");"
    run -1 grade 01-socket
    assert_output --partial '0/100'
}

@test "a sanitizer's report is cut to the student's own lines" {
    at_top '#include <stdlib.h>'
    at_top '#include <stdio.h>'
    in_function family_name 'char *volatile small = malloc(4); volatile size_t n = 6; snprintf(small, n, "12345"); free(small);'
    run -1 grade 01-socket
    assert_output --partial 'AddressSanitizer: heap-buffer-overflow'
    assert_output --partial 'endpoint.c:'
    refute_output --partial 'Shadow bytes'
}

@test "memory that is lost is told" {
    at_top '#include <stdlib.h>'
    in_function family_name 'void *volatile lost = malloc(24); (void)lost;'
    run -1 grade 01-socket
    assert_output --regexp 'lost|leak'
}

@test "every level of sandbox gives the same verdict" {
    local level levels='namespaces limits'
    [[ $EUID != 0 ]] || levels+=' uid'
    for level in $levels; do
        run -0 grade --sandbox="$level" 01-socket
        assert_output --partial "sandbox: $level"
        run -1 "$GRADE" --sandbox="$level" --json="$BATS_TEST_TMPDIR/$level.json" 01-socket
        jq -S '[.tests[] | {name, status}]' "$BATS_TEST_TMPDIR/$level.json" >"$BATS_TEST_TMPDIR/$level.verdict"
        cmp "$BATS_TEST_TMPDIR/namespaces.verdict" "$BATS_TEST_TMPDIR/$level.verdict"
    done
}

@test "on the lower levels too nothing outside is read, written or killed" {
    local level levels='limits' secret=$BATS_TEST_TMPDIR/secret
    [[ $EUID != 0 ]] || levels+=' uid'
    echo hidden >"$secret"
    sleep 1000 3>&- &
    local bystander=$!
    at_top '#include <fcntl.h>' '#include <signal.h>' '#include <unistd.h>' '#include <sys/types.h>'
    in_function socket_open "if (open(\"$secret\", O_RDONLY) >= 0 || open(\"$secret.new\", O_CREAT | O_WRONLY, 0600) >= 0 || kill($bystander, SIGKILL) == 0) _exit(0);"
    for level in $levels; do
        run -0 grade --sandbox="$level" 01-socket
    done
    kill "$bystander"
    wait "$bystander" || true
    [[ ! -e $secret.new ]]
}

@test "brief: a line for each group; the first failure whole, the rest of its group by name" {
    in_function type_name 'return "wrong";'
    run -1 grade --brief 01-socket
    assert_line --regexp '^  type_name +[1-9][0-9]* FAIL'
    assert_line --regexp '^  family_name +[1-9][0-9]* pass$'
    run -0 grep -c '^            likely ' <<<"$output"
    assert_output 1
}

@test "what this machine lacks is skipped by name, and takes no points away" {
    unshare -Urmn true 2>/dev/null || skip "no namespaces here"
    cat >"$BATS_TEST_TMPDIR/poorer" <<'SCRIPT'
echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6 || exit 3
build/bin/wire up || exit 3
exec "$@"
SCRIPT
    run -0 unshare -Urn bash "$BATS_TEST_TMPDIR/poorer" \
        "$GRADE" --sandbox=limits --json="$BATS_TEST_TMPDIR/json" --submission="$S" 02-bind-listen-accept
    assert_output --regexp 'serves over IPv6\s+this machine has no IPv6 on loopback'
    assert_output --regexp '[0-9]+ of [0-9]+ passed, [1-9][0-9]* skipped +100/100 points'
    run -0 jq -r '.tests[] | select(.extra_data.result == "skip") | .max_score' "$BATS_TEST_TMPDIR/json"
    assert_line 0
    # a command: hidden behind what cannot be executed
    run -0 unshare -Urm sh -c 'mount --bind /dev/null "$(PATH=/usr/local/bin:/usr/bin:/bin; readlink -f "$(command -v python3)")" && exec "$@"' - \
        "$GRADE" --solution 07-framed-protocol
    assert_output --regexp 'python3 is not installed'
    assert_output --regexp 'passed, [1-9] skipped +100/100 points'
}

@test "an interrupted grading leaves nothing" {
    in_function type_name 'volatile int forever = 1; while (forever) { }'
    "$GRADE" --submission="$S" 01-socket >/dev/null 2>&1 3>&- &
    local pid=$!
    until compgen -G "$TMPDIR/lab-*/tree/out/unit" >/dev/null; do read -rt 0.01 <> <(:) || true; done
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    assert_equal "$status" 143
}

@test "two gradings at once give the same verdict" {
    grade --quiet --json="$BATS_TEST_TMPDIR/a.json" 01-socket 3>&- &
    grade --quiet --json="$BATS_TEST_TMPDIR/b.json" 01-socket
    wait $!
    diff <(jq '.tests[].status' "$BATS_TEST_TMPDIR/a.json") <(jq '.tests[].status' "$BATS_TEST_TMPDIR/b.json")
}

@test "the record is whole in JSON, JUnit XML and TAP" {
    in_function socket_open 'return -1;'
    run -1 grade --table --results="$BATS_TEST_TMPDIR" 01-socket 02-bind-listen-accept
    assert_line --regexp '^  01 socket '
    local n
    n=$(jq '.tests | length' "$BATS_TEST_TMPDIR/grade.json")
    jq -e '(.score < 100) and (.execution_time > 0) and ([.tests[] | .max_score] | add | . > 199.9 and . < 200.1)' "$BATS_TEST_TMPDIR/grade.json"
    jq -e 'all(.tests[]; has("score") and has("max_score") and has("name") and has("number") and has("output") and has("visibility") and (.status == "passed" or .status == "failed"))' "$BATS_TEST_TMPDIR/grade.json"
    jq -e '.extra_data.result == "fail" and .extra_data.first_failing_task == 1' "$BATS_TEST_TMPDIR/lesson-01.json"
    assert_equal "$(xmllint --xpath 'count(//testcase)' "$BATS_TEST_TMPDIR/grade.xml")" "$n"
    assert_equal "$(xmllint --xpath 'count(//failure)' "$BATS_TEST_TMPDIR/grade.xml")" "$(jq '[.tests[].extra_data | select(.result == "fail")] | length' "$BATS_TEST_TMPDIR/grade.json")"
    assert_equal "$(grep -cE '^(not )?ok ' "$BATS_TEST_TMPDIR/grade.tap")" "$n"
}

@test "what a submission prints cannot steer the terminal or break the record" {
    at_top '#include <stdio.h>' '#include <stdlib.h>'
    in_function family_name 'fputs("\033[2J\xff\xfe<script>&\001", stderr); fflush(stderr); abort();'
    run -1 grade --all --table --results="$BATS_TEST_TMPDIR" 01-socket
    run -1 grade --all 01-socket
    refute_output --partial $'\033'
    xmllint --noout "$BATS_TEST_TMPDIR/grade.xml"
    jq . "$BATS_TEST_TMPDIR/grade.json" >/dev/null
}

@test "a server that answers nobody is told where it is blocked" {
    E=$S/02-bind-listen-accept/echo-server.c
    sed -i 's/\(recv\|read\)(\([^)]*\))/(pause(), (ssize_t)0)/' "$E"
    at_top '#include <unistd.h>'
    run -1 grade --only="end to end/serves one client after another" 02-bind-listen-accept
    assert_output --partial 'echo-server was blocked in'
    assert_output --partial 'sent "one"' # what the test had told before it hung
    assert_output --partial 'no echo came'
}

@test "a program that looks for the tests' own descriptors forges nothing" {
    E=$S/02-bind-listen-accept/echo-server.c
    at_top '#include <fcntl.h>' '#include <glob.h>' '#include <signal.h>' '#include <stdio.h>' '#include <stdlib.h>' '#include <unistd.h>'
    in_function main 'glob_t all; glob("/proc/[0-9]*/fd/*", 0, NULL, &all); for (size_t i = 0; i < all.gl_pathc; i++) { int fd = open(all.gl_pathv[i], O_WRONLY | O_NONBLOCK); for (int n = 1; n < 20; n++) dprintf(fd, "ok %d serves one client after another\\n", n); } kill(getppid(), SIGKILL); exit(0);'
    run -1 grade --all 02-bind-listen-accept
    refute_line --regexp '^    pass  serves'
}

@test "wrong arguments are refused with status 2" {
    run -2 "$GRADE"
    run -2 "$GRADE" --seed=x 01-socket
    run -2 "$GRADE" --link=other 01-socket
    run -2 "$GRADE" --sandbox=none 01-socket
    run -2 "$GRADE" 99-nothing
}

# A copy of the course whose lesson 01 has hidden tests: of a type that no visible test asks about, with a canary in all that
# a test holds. Its working folder from then on.
course_with_hidden_tests() {
    local C=$BATS_TEST_TMPDIR/course
    mkdir -p "$C/build"
    cp -a Makefile lessons solutions tests "$C"
    cp -a build/bin build/harness build/lessons build/flags "$C/build"
    cat >"$C/tests/01-socket/hidden.c" <<'END'
#include "endpoint.h"
#include "lab.h"
#include <stdio.h>
#include <string.h>
static void ask(int type)
{
    char buf[64] = "canary-data";
    lab_peer("canary-peer");
    lab_likely("canary-said");
    printf("canary-printed\n");
    type_name(type, buf, sizeof buf);
    lab_expect(strcmp(buf, "canary-data") != 0, "canary-expected", "canary-you %s", buf);
}
#define ASKS(name, type) LAB_TEST(type_name, name, .points = 10, .task = 3, .read = "The heading", .likely = "the likely line") { ask(type); }
ASKS(gives_another_answer, 4241)
ASKS(overflows, 4242)
ASKS(exits, 4243)
ASKS(forges_a_report, 4244)
ASKS(hangs, 4245)
ASKS(forges_an_answer, 4246)
END
    sed 's/^@TEST/@test/' >"$C/tests/01-socket/hidden.bats" <<'END'
setup() { load ../lib/lab; lab_setup; }
teardown() { lab_teardown; }
# lab: points=10 task=3 read="The heading" likely="the likely line"
@TEST "the table is another" {
    peer canary-peer
    likely canary-said
    echo canary-printed
    attempt sockets
    you canary-you
    assert_equal canary-data "$output"
}
END
    cd "$C" || return
    make -s NO_INSTALL=1 build/lessons/01-socket/hidden.list 2>/dev/null
}

# misbehaves_hidden: a submission that does wrong only what the hidden tests ask about.
misbehaves_hidden() {
    at_top '#include <stdio.h>' '#include <stdlib.h>' '#include <unistd.h>' '#include <string.h>'
    in_function type_name 'if (type > 4240 && type < 4247) { fprintf(stderr, "x: %s\\n", buf); fflush(stderr); }
    if (type == 4242) { volatile char *p = malloc(4); p[type - 4238] = 0; }
    if (type == 4243) exit(buf[0]);
    if (type == 4244) { fprintf(stderr, "==1==ERROR: AddressSanitizer: %s on %s\\n    #0 0x0 in %s lessons/%s.c:1\\nx: runtime error: %s\\n", buf, buf, buf, buf, buf); abort(); }
    if (type == 4245) for (;;) pause();
    if (type == 4246) { strcpy(buf, "canary-forged"); _exit(7); }
    if (type > 4240 && type < 4247) return buf;'
}

@test "a hidden test's failure tells why, and nothing of its data, in every view" {
    misbehaves_hidden
    course_with_hidden_tests
    for run in --all --brief --table; do
        run -1 grade --hidden "$run" --results="$BATS_TEST_TMPDIR" 01-socket
        refute_output --partial canary
        [[ $run != --all ]] || cp <(echo "$output") "$BATS_TEST_TMPDIR/verdict"
    done
    for view in grade.json grade.xml grade.tap lesson-01.json; do
        [[ -s $BATS_TEST_TMPDIR/$view ]]
        run -1 grep -c canary "$BATS_TEST_TMPDIR/$view"
    done
    run -0 cat "$BATS_TEST_TMPDIR/verdict"
    assert_line --regexp '^    FAIL  gives another answer \(hidden\)'
    assert_output --partial 'something else happened than was promised'
    assert_output --regexp 'heap-buffer-overflow, at endpoint.c:[0-9]'
    assert_output --partial 'ended the process'
    assert_output --partial 'did not come to an end in time'
    assert_output --partial 'a report of AddressSanitizer'
    assert_output --partial 'the likely line'
    assert_output --partial 'README.md, "The heading"'
    assert_line --regexp '^    FAIL  the table is another \(hidden\)'
    [[ $(jq '[.tests[] | select(.extra_data.hidden and .visibility == "visible")] | length' "$BATS_TEST_TMPDIR/grade.json") = 7 ]]
}

@test "hidden tests are run and counted with --hidden only" {
    misbehaves_hidden
    course_with_hidden_tests
    run -0 grade 01-socket
    refute_output --partial hidden
    run -2 make -s NO_INSTALL=1 lesson-01 SUBMISSION="$S" HIDDEN=1
    assert_output --partial '(hidden)'
    run -0 make -s NO_INSTALL=1 lesson-01 SUBMISSION="$S"
    refute_output --partial hidden
    visible=$(cut -f3 build/lessons/01-socket/unit.list | paste -sd+)+$(sed -n 's/^# lab: points=\([0-9]*\).*/\1/p' tests/01-socket/e2e.bats | paste -sd+)
    run -1 grade --hidden 01-socket
    assert_output --partial "   $((100 * (visible) / (visible + 70)))/100 points"
    sed -i '/^# lab:/s/needs="[^"]*"/needs="type_name\/exits"/' tests/01-socket/e2e.bats
    run -2 grade 01-socket # a visible test without its meaning
}

@test "a submission cannot find the hidden tests while its output is shown" {
    at_top '#include <stdlib.h>' '#include <string.h>'
    in_function type_name 'if (system("grep -rqs [c]anary-data . ../aside ../../*/aside /tmp/lab-*") == 0) { strcpy(buf, "LEAKED"); return buf; }'
    course_with_hidden_tests
    for sandbox in namespaces uid limits; do
        "$GRADE" --sandbox="$sandbox" --solution --quiet 01-socket || continue # this machine cannot
        run -1 grade --hidden --all --sandbox="$sandbox" 01-socket
        refute_output --partial 'does not compile'
        refute_output --partial LEAKED
    done
    at_bottom '__asm__(".section .rodata\n.incbin \"out/hidden.o\"\n");'
    run -1 grade --hidden 01-socket
    assert_output --partial 'does not compile'
}

@test "a global array that is overrun is found in unit tests too, whose objects are set up in the test's process" {
    at_bottom 'static char small[4], *volatile where = small;' 'char *overrun(int i) { return &where[i]; }'
    at_top 'char *overrun(int i);'
    in_function family_name '*overrun(4) = 1;'
    run -1 grade --only="family_name/names_every_family_of_the_list" 01-socket
    assert_output --partial 'global-buffer-overflow'
}
