#!/usr/bin/env bats
# The archive for Gradescope, set up and run in a clean root that has its folder layout: the system's programs, nothing of this
# checkout, nothing else in /etc.

bats_require_minimum_version 1.5.0

setup_file() {
    load root
    export T=$BATS_FILE_TMPDIR TOP=$PWD
    unset MAKEFLAGS LESSONS SANDBOX LINK SEED
    chmod -R o+x "$BATS_RUN_TMPDIR"
    LESSONS="01" tests/tools/gradescope >"$T/said" 2>&1
    mkdir -p "$T/autograder"/{source,results}
    (cd "$T/autograder/source" && python3 -m zipfile -e "$TOP/build/gradescope/autograder.zip" .)
    cp "$T/autograder/source/run_autograder" "$T/autograder/"
    in_root "$T/autograder" /autograder bash /autograder/source/setup.sh >"$T/setup.log" 2>&1 || { cat "$T/setup.log" && false; }
}

setup() {
    load root
    bats_load_library bats-support
    bats_load_library bats-assert
    rm -rf "$T/autograder/submission" "$T/autograder/results"/*
    mkdir "$T/autograder/submission"
    submission=$T/autograder/submission
    results=$T/autograder/results/results.json
}

run_autograder() {
    in_root "$T/autograder" /autograder chmod 755 /autograder/run_autograder
    run -0 in_root "$T/autograder" /autograder /autograder/run_autograder
    /usr/bin/jsonschema -i "$results" "$TOP/tests/class/gradescope/results.schema.json"
}

ask() {
    jq -r "$1" "$results"
}

@test "the archive has setup.sh and run_autograder at its root, and no answer is left after setup" {
    run -0 cat "$T/said"
    assert_output --partial 'autograder.zip'
    [[ -s $T/autograder/source/setup.sh && -s $T/autograder/source/tests/class/gradescope/lessons ]]
    [[ ! -e $T/autograder/source/solutions ]]
    run find "$T/autograder/source" -name '*.patch'
    assert_output ""
}

@test "a right submission in a folder within a folder: 100 points, each test with its fields" {
    mkdir -p "$submission/my lab/src"
    sed 's/$/\r/' "$TOP/solutions/01-socket/endpoint.c" >"$submission/my lab/src/endpoint.c"
    run_autograder
    [[ $(ask .score) = 100 ]]
    [[ $(ask '.tests | length') -gt 50 && $(ask '[.tests[] | select(.status != "passed")] | length') = 0 ]]
    [[ $(ask .stdout_visibility) = hidden ]]
    run -0 ask .output
    assert_output --partial 'endpoint.c' # what was done to it
}

@test "a wrong one: the story of each failure; one that does not compile: the compiler's words" {
    cp "$TOP/lessons/01-socket/endpoint.c" "$submission"
    run_autograder
    [[ $(ask .score) = 0 ]]
    run -0 ask '[.tests[] | select(.status == "failed")][0].output'
    assert_output --partial expected
    echo 'int oops(' >>"$submission/endpoint.c"
    run_autograder
    [[ $(ask .score) = 0 ]]
    run -0 ask .output
    assert_output --partial 'does not compile'
}

@test "nothing to grade, and a grader that breaks: a result all the same, and it says so" {
    echo hello >"$submission/notes.txt"
    run_autograder
    [[ $(ask .score) = 0 ]]
    mv "$T/autograder/source/build/bin/grade" "$T/grade"
    cp "$TOP/solutions/01-socket/endpoint.c" "$submission"
    run_autograder
    mv "$T/grade" "$T/autograder/source/build/bin/grade"
    [[ $(ask .score) = 0 ]]
    run -0 ask .output
    assert_output --partial 'could not check'
}
