# The commands, tried on a course of two small lessons with a grader that only looks for the word "right".

bats_require_minimum_version 1.5.0

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
    lab=$BATS_TEST_TMPDIR/lab
    mkdir -p "$lab/tests" "$lab/build/bin"
    cp -r "$BATS_TEST_DIRNAME" "$lab/tests/tools"
    cd "$lab" || exit
    lesson 01-first one.c "first steps"
    lesson 02-closing-time two.c "when to close"
    cat >build/bin/grade <<'END'
#!/usr/bin/env bash
results='' lesson='' folder=lessons
for argument; do
    case $argument in
    --results=*) results=${argument#*=} ;;
    --submission=*) folder=${argument#*=} ;;
    --solution) folder=solutions ;;
    --*) ;;
    *) lesson=$argument ;;
    esac
done
echo "$@" >>graded
result=fail passed=0 task=1
grep -q half "$folder/$lesson"/*.c && task=2 passed=1
grep -q right "$folder/$lesson"/*.c && result=pass passed=2 task=0
[ -z "$results" ] || { mkdir -p "$results" && cat >"$results/lesson-${lesson%%-*}.json"; } <<JSON
{
  "tests": [
    {
      "output": "you printed \"first_failing_task\": 9,",
      "extra_data": {
        "result": "skip"
      }
    }
  ],
  "extra_data": {
    "result": "$result",
    "passed": $passed,
    "failed": $((2 - passed)),
    "skipped": 0,
    "first_failing_task": $task
  }
}
JSON
echo "verdict: $result"
[ "$result" = pass ]
END
    chmod +x build/bin/grade
    unset RESULTS SUBMISSION FORCE RUN SEED LINK SANDBOX NO_INSTALL NO_COLOR
}

# lesson FOLDER FILE TITLE: a lesson with a starter, a solution and hints.
lesson() {
    mkdir -p "tests/$1" "lessons/$1/experiments" "solutions/$1"
    printf 'title   %s\nmodule  %s   # the only one\nfunctions go_%s\n' "$3" "$2" "${2%.c}" >"tests/$1/contract"
    echo "starter" >"lessons/$1/$2"
    echo "right" >"solutions/$1/$2"
    printf '## Task %s: so\n### Nudge\nnudge %s\n### Concept\nconcept %s\n### Nearly the code\ncode %s\n' \
        1 1 1 1 2 2 2 2 >"lessons/$1/hints.md"
}

commit() {
    git init -q . 2>/dev/null
    git add -A
    git -c user.name=a -c user.email=a@b.invalid commit -qm "$1"
}

@test "progress of a fresh clone is none, and names the first file to edit" {
    run -0 tests/tools/progress
    assert_line --partial "0 of 2 lessons"
    assert_line "Next: read lessons/01-first/README.md"
    assert_line "      edit lessons/01-first/one.c, then: make lesson-01"
}

@test "progress follows the last results" {
    echo right >lessons/01-first/one.c
    run -0 tests/tools/grade 01
    run -0 tests/tools/progress
    assert_line --partial "1 of 2 lessons"
    assert_line --regexp "01 +first steps +passed"
}

@test "progress does not count the reference solution's result" {
    run -0 tests/tools/grade --solution 01
    run -0 tests/tools/progress
    assert_line --partial "0 of 2 lessons"
}

@test "a lesson is found by its number with or without the zero, and by its name" {
    for word in 2 02 02-closing-time; do
        run -1 tests/tools/grade "$word"
        assert_output "verdict: fail"
    done
}

@test "a lesson that does not exist: the error lists those that do" {
    run -2 tests/tools/grade 99
    assert_line 'There is no lesson "99".'
    assert_line --regexp "make lesson-01 +first steps"
    assert_line --regexp "make lesson-02 +when to close"
}

@test "a lesson called by a word is suggested" {
    run -2 tests/tools/grade closing
    assert_line "Did you mean lesson-02 (when to close)?"
    run -2 tests/tools/hint go_one
    assert_line "Did you mean hint-01 (first steps)?"
}

@test "the command's variables reach the grader" {
    mkdir -p other/01-first && echo right >other/01-first/one.c
    SUBMISSION=other LINK=mine SEED=7 SANDBOX=limits RESULTS=elsewhere run -0 tests/tools/grade 1
    run -0 cat graded
    assert_output -- "--submission=other --link=mine --seed=7 --sandbox=limits --results=elsewhere 01-first"
}

@test "a SUBMISSION that is no folder is an error, not a bad mark" {
    SUBMISSION=nowhere run -2 tests/tools/grade 1
    assert_output --partial "SUBMISSION=nowhere is not a folder"
}

@test "hints go one level deeper each time, then show all" {
    for level in nudge concept code; do
        run -0 tests/tools/hint 1
        assert_line "Task 1: so"
        assert_line "  $level 1"
    done
    assert_line --partial "last hint"
    run -0 tests/tools/hint 1
    assert_line "  nudge 1"
    assert_line "  code 1"
}

@test "hints start again at the next task's nudge, and stop when all passes" {
    run -0 tests/tools/hint 1
    sleep_past_mtime lessons/01-first/one.c half
    run -0 tests/tools/hint 1
    assert_line "Task 2: so"
    assert_line "  nudge 2"
    sleep_past_mtime lessons/01-first/one.c right
    run -0 tests/tools/hint 1
    assert_output --partial "no hint is needed"
}

@test "hints are about your own files, though a submission was graded since" {
    mkdir -p other/01-first && echo right >other/01-first/one.c
    SUBMISSION=other run -0 tests/tools/grade 1
    run -0 tests/tools/hint 1
    assert_line "Task 1: so"
}

# An edit, newer than the last result by the clock.
sleep_past_mtime() {
    echo "$2" >"$1"
    touch -d '+2 seconds' "$1"
}

@test "diff refuses until the lesson passes, and FORCE=1 shows it" {
    run -2 tests/tools/solution-diff 1
    assert_output --partial "does not pass yet"
    FORCE=1 run -0 tests/tools/solution-diff 1
    assert_line "+right"
}

@test "diff of a lesson that passes" {
    echo "right, in my words" >lessons/01-first/one.c
    run -0 tests/tools/solution-diff 1
    assert_line "-right, in my words"
}

@test "reset puts back the starter and keeps each file under a number" {
    commit course
    for n in 1 2; do
        echo "mine $n" >lessons/01-first/one.c
        run -0 tests/tools/reset 1
        assert_line "kept   your lessons/01-first/one.c as lessons/01-first/one.c.bak.$n"
        assert_equal "$(cat "lessons/01-first/one.c.bak.$n")" "mine $n"
        assert_equal "$(cat lessons/01-first/one.c)" starter
    done
    run -0 tests/tools/reset 1
    assert_output --partial "nothing was changed"
}

@test "reset finds the starter though the student committed work" {
    commit course
    echo mine >lessons/01-first/one.c
    commit "my work"
    run -0 tests/tools/reset 1
    assert_equal "$(cat lessons/01-first/one.c)" starter
    assert_equal "$(cat lessons/01-first/one.c.bak.1)" mine
}

@test "reset brings back a file that was deleted" {
    commit course
    rm lessons/01-first/one.c
    run -0 tests/tools/reset 1
    assert_equal "$(cat lessons/01-first/one.c)" starter
}

@test "reset without git uses the starters that the first command kept" {
    export GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR
    tests/tools/keep-starters
    echo mine >lessons/01-first/one.c
    tests/tools/keep-starters
    run -0 tests/tools/reset 1
    assert_equal "$(cat lessons/01-first/one.c)" starter
}

@test "reset with no starter anywhere changes nothing" {
    export GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR
    echo mine >lessons/01-first/one.c
    run -2 tests/tools/reset 1
    assert_output --partial "Nothing was changed"
    assert_equal "$(cat lessons/01-first/one.c)" mine
}

experiments() {
    mkdir -p build/experiments/01-first
    printf '/*\n * claim: water is wet\n *   all over.\n * predict: Is it?\n * why: it is\n *   water\n */\n' >lessons/01-first/experiments/wet.c
    printf '#!/bin/sh\necho so: it is\n' >build/experiments/01-first/wet
    chmod +x build/experiments/01-first/wet
}

@test "experiments are listed with their claims" {
    experiments
    run -0 tests/tools/experiment 1
    assert_line "  wet"
    assert_line "    water is wet all over."
}

@test "an experiment shows claim, question, what happened and why, and waits for nobody without a terminal" {
    experiments
    RUN=wet run -0 tests/tools/experiment 1
    assert_output "claim    water is wet all over.

predict  Is it?

so: it is

why      it is water"
}

@test "an unknown experiment: the error names those that exist" {
    experiments
    RUN=dry run -2 tests/tools/experiment 1
    assert_line 'Lesson 01 has no experiment "dry". It has:'
    assert_line "  wet"
}

# watching N: wait until the watch has graded N times.
watching() {
    until [[ $(grep -c "q quits" seen) -ge $1 ]]; do read -rt 0.01 <> <(:) || true; done
}

@test "watch grades at each save, also of a file that was replaced, and quits on q" {
    printf 'lesson-%%:\n\t@tests/tools/grade $*\n' >Makefile
    mkfifo keys
    tests/tools/watch 1 <keys >seen 2>&1 3>&- &
    watch=$!
    exec 7>keys
    watching 1
    echo half >lessons/01-first/one.c
    watching 2
    echo right >lessons/01-first/new
    mv lessons/01-first/new lessons/01-first/one.c
    watching 3
    printf q >&7
    wait "$watch"
    assert_equal "$(grep verdict seen | tail -n 1)" "verdict: pass"
    run -1 pgrep -g "$$" -f "inotifywait.*01-first"
}

# A machine that has only the base system: its commands by name, and a sudo that does not ask.
bare_machine() {
    mkdir -p bin
    for command in ln bash env sed grep cat tail sort mkdir flock uname tr cut awk mktemp rm; do
        ln -s "$(command -v "$command")" "bin/$command"
    done
    printf '#!/bin/bash\n[ "$1" = -v ] || [ "$1 $2" = "-n true" ] || exec "$@"\n' >bin/sudo
    chmod +x bin/sudo
}

@test "missing tools with NO_INSTALL=1: packages for four managers, status 2" {
    bare_machine
    PATH=$PWD/bin NO_INSTALL=1 run -2 tests/tools/setup lessons
    assert_line --regexp "^Missing: .*\bgcc\b.*\bbwrap\b"
    assert_line --regexp "apt-get install .*\bbubblewrap\b"
    assert_line --regexp "dnf install .*\bbubblewrap\b"
    assert_line --regexp "pacman -S .*\bbubblewrap\b"
    assert_line --regexp "brew install .*\bsocat\b"
}

@test "missing tools without apt-get: the same" {
    bare_machine
    PATH=$PWD/bin run -2 tests/tools/setup lessons
    assert_line --partial "There is no apt-get here"
}

@test "missing tools are installed, and only those" {
    bare_machine
    for tool in gcc objcopy bwrap pkg-config python3 curl socat inotifywait diff nc; do
        ln -s "$(command -v "$tool")" "bin/$tool"
    done
    rm bin/socat
    printf '#!/bin/bash\necho Bats 1.8.2\n' >bin/bats
    chmod +x bin/bats
    printf '#!/bin/bash\necho "$@" >>asked\n[[ "$*" != *install* ]] || ln -s %q bin/socat\n' "$(command -v socat)" >bin/apt-get
    chmod +x bin/apt-get
    PATH=$PWD/bin run -0 tests/tools/setup lessons
    assert_line --partial "Missing: socat. Installing"
    run -0 grep install asked
    assert_output --regexp "--no-install-recommends socat$"
}

@test "a failed installation shows the log's end and the packages" {
    bare_machine
    printf '#!/bin/bash\necho "E: no such luck"\nexit 100\n' >bin/apt-get
    chmod +x bin/apt-get
    PATH=$PWD/bin run -2 tests/tools/setup lessons
    assert_line --partial "E: no such luck"
    assert_line --partial "pacman -S"
}
