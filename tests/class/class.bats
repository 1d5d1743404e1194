#!/usr/bin/env bats
# A class of lesson 01, graded whole: by the commands that an instructor gives.

bats_require_minimum_version 1.5.0

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
    cd "$BATS_TEST_DIRNAME/../.." || exit
    unset LESSONS STUDENT HOSTS JOBS SHARD SANDBOX LINK SEED MAKEFLAGS
    export CLASS=$BATS_TEST_TMPDIR/class CLASS_OUT=$BATS_TEST_TMPDIR/out TZ=UTC
    mkdir "$CLASS"
    hand_in "Ada Right" solutions/01-socket/endpoint.c
    hand_in "Bo Starter" lessons/01-socket/endpoint.c
    mkdir "$CLASS/Cy Empty"
    printf 'PK\3\4 cut' >"$CLASS/Di Cut.zip"
}

# hand_in NAME FILE
hand_in() {
    mkdir -p "$CLASS/$1"
    cp "$2" "$CLASS/$1/endpoint.c"
    touch -d '2026-11-01 10:00' "$CLASS/$1/endpoint.c"
}

grade_class() {
    tests/tools/grade-class
}

# row NAME: the student's line of the grades.
row() {
    tr -d '\r' <"$CLASS_OUT/grades.csv" | grep -a "$1"
}

@test "right, starter, nothing and a cut archive: each has its row, and the reason stands beside" {
    JOBS=2 run -0 grade_class
    run -0 row "Ada Right"
    assert_output --partial ,100.00,
    run -0 row "Bo Starter"
    assert_output --partial ,0.00,
    run -0 row "Cy Empty"
    assert_output --partial ,0.00,
    run -0 row "Di Cut"
    assert_output --partial ,0.00,
    grep -q "Ada Right" "$CLASS_OUT/report.html"
    [[ -s $CLASS_OUT/students/di-cut.html ]]
}

@test "a run that was killed is resumed: the same grades, and what was done is not done again" {
    for i in 1 2 3 4 5 6; do
        hand_in "Many $i" solutions/01-socket/endpoint.c
    done
    grade_class
    cp "$CLASS_OUT/grades.csv" "$BATS_TEST_TMPDIR/whole.csv"
    seed=$(<"$CLASS_OUT/seed")
    rm -r "$CLASS_OUT"
    # Killed when the first result has come, with all that it started.
    mkfifo "$BATS_TEST_TMPDIR/said"
    SEED=$seed JOBS=1 setsid tests/tools/grade-class >/dev/null 2>"$BATS_TEST_TMPDIR/said" 3>&- &
    victim=$!
    exec {said}<"$BATS_TEST_TMPDIR/said"
    until [[ ${line:-} == *" graded, "* ]]; do
        read -r -u "$said" line
    done
    pkill -KILL -s "$victim"
    wait "$victim" || true
    exec {said}<&-
    [[ ! -e $CLASS_OUT/grades.csv ]]
    run -0 grade_class
    assert_output --partial "have a result from the same files and tests: kept"
    cmp "$CLASS_OUT/grades.csv" "$BATS_TEST_TMPDIR/whole.csv"
    run -0 grade_class # nothing is left to do
    refute_output --partial "graded in"
}

@test "two shares and a report give what one run gives" {
    grade_class
    cp "$CLASS_OUT/grades.csv" "$BATS_TEST_TMPDIR/whole.csv"
    seed=$(<"$CLASS_OUT/seed")
    rm -r "$CLASS_OUT"
    SEED=$seed SHARD=1/2 grade_class
    SHARD=2/2 grade_class
    [[ ! -e $CLASS_OUT/grades.csv ]]
    SHARD=report run -0 grade_class
    cmp "$CLASS_OUT/grades.csv" "$BATS_TEST_TMPDIR/whole.csv"
}

@test "one student is graded again, and a new submission is told as the reason of a new score" {
    grade_class
    hand_in "Bo Starter" solutions/01-socket/endpoint.c
    STUDENT="bo" run -0 grade_class
    assert_output --partial "1 graded in"
    run -0 row "Bo Starter"
    assert_output --partial ,100.00,
    run -0 cat "$CLASS_OUT/changes.txt"
    assert_output --partial "Bo Starter"
    refute_output --partial "Ada Right"
}

@test "without a sandbox that holds strangers nothing is graded, unless it is asked for" {
    ((EUID == 0)) || skip "taking bubblewrap away needs root"
    # shellcheck disable=SC2016 # for the shell in there
    run -2 unshare --mount bash -c 'mount --bind /bin/false "$(command -v bwrap)" && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' - \
        build/bin/grade --strangers --quiet --submission=lessons 01-socket
    assert_output --partial "give SANDBOX=limits"
}

@test "wrong commands are refused, and nothing is written" {
    CLASS='' run -2 grade_class
    assert_output --partial "Which class?"
    CLASS=$BATS_TEST_TMPDIR/none run -2 grade_class
    assert_output --partial "is not a folder"
    JOBS=0 run -2 grade_class
    SHARD=3/2 run -2 grade_class
    HOSTS=$BATS_TEST_TMPDIR/none run -2 grade_class
    LESSONS=99 run -2 grade_class
    [[ ! -e $CLASS_OUT/grades.csv ]]
    printf '01 ten\n' >"$CLASS/weights"
    run -2 grade_class
    assert_output --partial "weights"
    mkdir -p "$CLASS_OUT"
    exec {held}>"$CLASS_OUT/lock"
    flock "$held"
    rm "$CLASS/weights"
    run -2 grade_class
    assert_output --partial "Another grade-class"
}
