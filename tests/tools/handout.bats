#!/usr/bin/env bats
# The handout, made once from a copy of the course without git, as it stands here; and what a class does with it.

bats_require_minimum_version 1.5.0

setup_file() {
    export TOP=$PWD LAB=$BATS_FILE_TMPDIR/lab CLASS=$BATS_FILE_TMPDIR/class NO_INSTALL=1 SOURCE_DATE_EPOCH=1700000000
    unset SUBMISSION LINK RUN HIDDEN WIRE RESULTS SANDBOX
    mkdir -p "$LAB" "$CLASS"
    chmod o+x "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR" # an ordinary user will work below it
    tar -c --exclude=./build --exclude=./.git . | tar -x -C "$LAB"
    (cd "$LAB" && tests/tools/handout) >"$BATS_FILE_TMPDIR/said" 2>&1
    tar -xzf "$LAB/build/handout/socket-lab.tar.gz" -C "$CLASS"
}

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
    cd "$CLASS/socket-lab" || exit
}

# mine COMMAND...: in a copy of the handout of this test's own.
own_copy() {
    cp -a "$CLASS/socket-lab" "$BATS_TEST_TMPDIR/"
    cd "$BATS_TEST_TMPDIR/socket-lab" || return
}

@test "it holds no line of an answer, and nothing that looks like one" {
    run -0 python3 "$TOP/tests/tools/leaks.py" "$TOP" .
    run find . -name '*.patch' -o -name 'hidden.[b]*' -o -path '*solution*' -o -path '*mutant*' -o -path '*variant*' -o \
        -path '*attack*' -o -name corpus -o -path './tests/gate*' -o -path './tests/bench*' -o -path './tests/class*' -o -name '*.bats' \! -name e2e.bats
    assert_output ""
    run -0 find tests/[0-9]* -name 'hidden*'
    assert_output ""
    run grep -rlE 'solutions/' . --include='*.md' --include='*.c' --include='*.h'
    refute_output --partial lessons
    own_copy # and it would be seen:
    head -n 60 "$TOP/solutions/02-bind-listen-accept/tcp.c" >slides/a.txt
    run -1 python3 "$TOP/tests/tools/leaks.py" "$TOP" .
    assert_output --partial 'slides/a.txt has of solutions/02-bind-listen-accept/tcp.c'
}

@test "the objects of the reference tell no names and no lines" {
    for object in tests/*/reference/"$(uname -m)"/*.o; do
        [[ -s $object ]]
        run -0 readelf -SsW "$object"
        refute_output --partial .debug
        refute_output --regexp ' (FUNC|OBJECT) +LOCAL .*[A-Za-z0-9_]'
        refute_output --regexp '__(asan|ubsan|isoc23)_'
    done
}

@test "the tarball is the folder, and the same tarball every time" {
    run -0 diff -r "$LAB/build/handout/socket-lab" .
    cp "$LAB/build/handout/socket-lab.tar.gz" "$BATS_TEST_TMPDIR/first"
    cd "$LAB"
    touch lessons/*/*.c
    run -0 tests/tools/handout
    run -0 cmp "$BATS_TEST_TMPDIR/first" build/handout/socket-lab.tar.gz
    run -0 tar --numeric-owner -tvzf build/handout/socket-lab.tar.gz
    refute_line --regexp '^.{10} (0/[1-9]|[1-9])'
    assert_line --regexp '^drwxr-xr-x 0/0 .* 2023-11-1[45] .*socket-lab/$'
}

@test "from git it holds what was committed, with the commit's time, and starters that nobody has worked in" {
    unset SOURCE_DATE_EPOCH
    cp -a "$LAB" "$BATS_TEST_TMPDIR/git"
    cd "$BATS_TEST_TMPDIR/git"
    rm -r build
    git init -q . && git add -A
    GIT_COMMITTER_DATE='2024-02-03T04:05:06Z' git -c user.name=a -c user.email=a@b.invalid commit -qm one
    cp solutions/02-bind-listen-accept/tcp.c lessons/02-bind-listen-accept/
    git -c user.name=a -c user.email=a@b.invalid commit -qam 'worked in' --date=2024-02-03T04:05:06Z
    cp solutions/01-socket/endpoint.c lessons/01-socket/
    echo secret >lessons/01-socket/notes.c
    run -0 tests/tools/handout
    assert_output --partial 'Not committed, and so not in it: 1 changed files'
    for file in 01-socket/endpoint.c 02-bind-listen-accept/tcp.c; do
        cmp "build/handout/socket-lab/lessons/$file" "$LAB/lessons/$file"
    done
    [[ ! -e build/handout/socket-lab/lessons/01-socket/notes.c ]]
    [[ $(stat -c %Y build/handout/socket-lab/Makefile) = $(git log -1 --format=%ct) ]]
}

@test "a starter that is the solution stops it" {
    cp -a "$LAB" "$BATS_TEST_TMPDIR/solved"
    cd "$BATS_TEST_TMPDIR/solved"
    rm -r build
    cp solutions/01-socket/endpoint.c lessons/01-socket/
    run -2 tests/tools/handout
    assert_output --partial 'lessons/01-socket/endpoint.c is the solution'
    [[ ! -e build/handout/socket-lab ]]
}

@test "what GitHub reads names every lesson, and its workflow tells the points" {
    run -0 jq -r '.tests[].run' .github/classroom/autograding.json
    assert_output "$(for lesson in tests/[0-9]*; do echo "make lesson-${lesson:6:2}"; done)"
    grep -q '^name: Autograding Tests$' .github/workflows/classroom.yml
    own_copy
    mkdir -p build/results
    echo '{"tests":[{"tags":["g","01-socket"],"score":40,"max_score":50,"status":"passed","name":"a"},{"tags":["g","01-socket"],"score":0,"max_score":50,"status":"failed","name":"b|c"}],
        "extra_data":{"lesson":"01-socket"}}' >build/results/grade.json
    GITHUB_STEP_SUMMARY=$PWD/summary run -0 tests/tools/classroom
    assert_line '::notice title=Autograding complete::Points 40/100'
    assert_line '::notice title=Autograding report::{"totalPoints": 40, "maxPoints": 100}'
    grep -q '| 01-socket | 40 | b' summary
}

@test "links lead somewhere and each command that the texts name exists" {
    own_copy
    mkdir tests/gate
    cp "$TOP/tests/gate/"{texts,common.bash} tests/gate/
    run -0 tests/gate/texts README.md lessons/*/README.md lessons/*/hints.md slides/*.md
    sed -i 's/make lesson-01/make diff-01/' README.md # and it would be seen
    run -1 tests/gate/texts README.md
}

@test "what it comes without is said in one line, and not listed" {
    run -0 make -s
    refute_output --regexp 'make (test|test-NN|solution-NN|diff-NN|bench|pictures|handout|grade-class|gradescope) |solution|HIDDEN'
    assert_output --partial 'make lesson-NN'
    for command in test test-02 solution-02 diff-02 bench pictures handout grade-class gradescope; do
        run -2 --separate-stderr make -s "$command"
        assert_output ""
        assert_equal "${stderr_lines[0]}" "There is no \"make $command\" here: this copy of the course comes without what it takes."
        [[ ${stderr_lines[1]} = 'make: '* && ${#stderr_lines[@]} = 2 ]]
    done
    run -2 env HIDDEN=1 tests/tools/grade 01
    assert_output --partial 'There are no hidden tests here'
    run -2 env WIRE=solution RUN=half-close tests/tools/wire 03
    assert_output --partial 'there are no solutions here'
}

@test "a lesson is graded, the starters fail, and a right program passes with the reference linked" {
    run -2 make -s lesson-01
    assert_output --partial "this is the starter's answer"
    own_copy
    cp "$TOP"/solutions/07-framed-protocol/*.c lessons/07-framed-protocol/
    run -0 make -s lesson-07
    assert_output --partial '100/100 points'
    run -0 make -s
    refute_output --partial diff-
    # A buffer of the student's that is too small for what the reference writes into it.
    sed -i 's/text\[ADDRESS_TEXT_SIZE\]/text[4]/; s/text, sizeof text/text, ADDRESS_TEXT_SIZE/' lessons/07-framed-protocol/frame-server.c
    run -2 make -s lesson-07
    assert_output --partial 'stack-buffer-overflow'
    assert_output --regexp 'in [a-z_]+\(\), frame-server.c:[0-9]'
}

@test "without the reference for this machine it says that LINK=mine is needed" {
    own_copy
    rm -r tests/*/reference build/lessons/*/reference 2>/dev/null || true
    for lesson in 02-bind-listen-accept 06-sticky-packets; do
        cp "$TOP/solutions/$lesson"/*.c "lessons/$lesson/"
    done
    run -2 make -s lesson-06
    assert_output --partial 'LINK=mine is needed here'
    run -2 make -s wire-06 RUN="$(basename -s .sh lessons/06-sticky-packets/wire/*.sh | head -n 1)"
    assert_output --partial 'LINK=mine is needed here'
    run -0 make -s lesson-06 LINK=mine
    assert_output --partial '100/100 points'
}

@test "where no other compiler is, it says for whom there are no objects" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    for file in /usr/bin/* /bin/*; do
        [[ ${file##*/} = aarch64-* || ${file##*/} = x86_64-linux-gnu-* ]] || ln -sf "$file" "$BATS_TEST_TMPDIR/bin/"
    done
    cp -a "$LAB" "$BATS_TEST_TMPDIR/lab"
    cd "$BATS_TEST_TMPDIR/lab"
    PATH=$BATS_TEST_TMPDIR/bin run -0 tests/tools/handout
    [[ $(uname -m) = aarch64 ]] && other=x86_64 said=x86_64 || other=aarch64 said=arm64
    assert_output --partial "no $said objects: no $other-linux-gnu-gcc here; on $said students need LINK=mine"
    [[ -s build/handout/socket-lab/tests/02-bind-listen-accept/reference/$(uname -m)/tcp.o ]]
    [[ ! -e build/handout/socket-lab/tests/02-bind-listen-accept/reference/$other ]]
}

@test "an ordinary user works in it, with git and without" {
    own_copy
    as=()
    if ((EUID == 0)); then
        as=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$BATS_TEST_TMPDIR")
        chmod o+x "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}"
        chown -R 65534:65534 .
    fi
    run -2 "${as[@]}" make -s lesson-01
    assert_output --partial '0/100 points'
    run -0 "${as[@]}" make -s hint-01
    assert_output --partial 'Task 1'
    run -0 "${as[@]}" make -s experiment-01 RUN=pf_and_af
    assert_output --partial 'so: they are the same numbers'
    cp lessons/01-socket/endpoint.c "$BATS_TEST_TMPDIR/starter.c"
    cp "$TOP/solutions/01-socket/endpoint.c" lessons/01-socket/
    run -0 "${as[@]}" make -s lesson-01
    assert_output --partial '100/100 points'
    run -0 "${as[@]}" make -s reset-01
    cmp lessons/01-socket/endpoint.c "$BATS_TEST_TMPDIR/starter.c"
    # As a repository made from the template: the starter is what came with it, whatever the student commits.
    rm -rf build/starters
    "${as[@]}" git init -q .
    "${as[@]}" git add -A
    "${as[@]}" git ls-files --error-unmatch tests/02-bind-listen-accept/reference/"$(uname -m)"/tcp.o
    "${as[@]}" git -c user.name=a -c user.email=a@b.invalid commit -qm template
    cp "$TOP/solutions/01-socket/endpoint.c" lessons/01-socket/
    "${as[@]}" git -c user.name=s -c user.email=s@b.invalid commit -qam 'lesson 01'
    run -0 "${as[@]}" make -s reset-01
    cmp lessons/01-socket/endpoint.c "$BATS_TEST_TMPDIR/starter.c"
}

@test "a handout is made from no handout" {
    own_copy
    cp "$TOP/tests/tools/handout" tests/tools/
    run -2 tests/tools/handout
    assert_output --partial 'This is a handout already'
}
