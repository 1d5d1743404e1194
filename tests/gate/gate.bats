# The gate's checks must be able to fail: each is tried on a small course in which one thing is wrong. The grader is a stand-in
# that reads each test's result from the code ("claim one pass").

bats_require_minimum_version 1.5.0

setup() {
    bats_load_library bats-support
    bats_load_library bats-assert
    cd "$BATS_TEST_TMPDIR" || exit
    mkdir -p tests/01-first/{mutants,variants} lessons/01-first/experiments solutions/01-first build/bin build/lessons/01-first slides
    cp -r "$BATS_TEST_DIRNAME" "$BATS_TEST_DIRNAME/../tools" tests/
    cp "$BATS_TEST_DIRNAME/../../Makefile" .
    printf 'title first steps\nmodule one.c\nfunctions go\n' >tests/01-first/contract
    printf 'int go(void);\n' >lessons/01-first/one.h
    printf '#include "one.h"\nint go(void)\n{\n    return 0; /* TODO 1: claim one fail, claim two skip */\n}\n' >lessons/01-first/one.c
    printf '#include "one.h"\nint go(void)\n{\n    return 1; /* claim one pass, claim two pass */\n}\n' >solutions/01-first/one.c
    printf 'go\tone\t50\t1\t\tOne thing\t2 socket\ttake the one thing\t\ngo\ttwo\t50\t1\tgo/one\tOne thing\t\ttake two\t\n' >build/lessons/01-first/unit.list
    printf '# Hints\n## Task 1: go\n### Nudge\n### Concept\n### Nearly the code\n' >lessons/01-first/hints.md
    printf '# First\n## One thing\nWrite `go`. Then `make lesson-01`.\n' >lessons/01-first/README.md
    touch slides/01-first.md tests/01-first/{e2e,experiments}.bats
    cat >build/bin/grade <<'END'
#!/usr/bin/env bash
folder=lessons status=0
for argument; do
    case $argument in
    --json=*) json=${argument#*=} ;;
    --submission=*) folder=${argument#*=} ;;
    --solution) folder=solutions ;;
    esac
done
tests=''
for test in one two; do
    result=$(grep -o "claim $test [a-z]*" "$folder/01-first/one.c" | cut -d' ' -f3)
    [ "$result" = pass ] || status=1
    tests+="${tests:+,}{\"name\": \"go: $test\", \"max_score\": 50, \"output\": \"$(grep -o blocked.in "$folder/01-first/one.c")\",
        \"extra_data\": {\"id\": \"go/$test\", \"result\": \"$result\", \"likely\": \"Take the $test thing\"}}"
done
echo "{\"tests\": [$tests]}" >"$json"
exit $status
END
    chmod +x build/bin/grade
    mutant "go/one" "the one thing" fail
}

# mutant TEST HINT RESULT: tests/01-first/mutants/wrong.patch, in whose code claim one has RESULT
mutant() {
    {
        printf 'mistake: a thing\ntest: %s\nhint: %s\n' "$1" "$2"
        diff -u --label a/one.c --label b/one.c solutions/01-first/one.c <(sed "s/claim one pass/claim one $3/" solutions/01-first/one.c) || true
    } >tests/01-first/mutants/wrong.patch
}

@test "all is well" {
    run -0 tests/gate/starter 01-first
    run -0 tests/gate/solution 01-first
    run -0 tests/gate/mutant 01-first wrong
    run -0 tests/gate/texts lessons/01-first/README.md
    run -0 tests/gate/snippets 01-first lessons/01-first/README.md
}

@test "a starter that passes a test" {
    sed -i 's/claim one fail/claim one pass/' lessons/01-first/one.c
    run -1 tests/gate/starter 01-first
    assert_line "pass: go: one"
}

@test "a starter that hangs" {
    sed -i 's/fail/fail blocked in/' lessons/01-first/one.c
    run -1 tests/gate/starter 01-first
    assert_output --partial "crashes or hangs"
}

@test "a starter with a warning" {
    sed -i 's/return 0;/int unused; return 0;/' lessons/01-first/one.c
    run -1 tests/gate/starter 01-first
    assert_output --partial "unused variable"
}

@test "a solution that fails, or has a file too many" {
    touch solutions/01-first/two.c
    run -1 tests/gate/solution 01-first
    assert_output --partial "< two.c"
    rm solutions/01-first/two.c
    sed -i 's/claim two pass/claim two fail/' solutions/01-first/one.c
    run -1 tests/gate/solution 01-first
    assert_output --partial "status is 1, not 0"
}

@test "a mutant that passes, fails elsewhere, is called by a wrong name, or has another likely line" {
    mutant go/one "the one thing" pass
    run -1 tests/gate/mutant 01-first wrong
    mutant go/two "two" fail
    run -1 tests/gate/mutant 01-first wrong
    assert_output --partial '"go/two" must fail, but: pass'
    mutant go/three "three" fail
    run -1 tests/gate/mutant 01-first wrong
    assert_output --partial 'no test "go/three"'
    mutant go/one "another thing" fail
    run -1 tests/gate/mutant 01-first wrong
    assert_output --partial 'lacks "another thing"'
}

@test "a patch that no longer applies" {
    sed -i 's/return 1/return 2/' solutions/01-first/one.c
    run -1 tests/gate/mutant 01-first wrong
    assert_output --partial "does not apply"
}

@test "a variant that fails" {
    sed '1,3c idea: no other' tests/01-first/mutants/wrong.patch >tests/01-first/variants/other.patch
    run -1 tests/gate/variant 01-first other
    assert_output --partial "status is 1, not 0"
}

@test "texts: dead links, commands and experiments that do not exist" {
    cat >lessons/01-first/README.md <<'END'
See [this](nowhere.md), [that](#no-heading), `make it-so`, `make lesson-07` and
```
$ make experiment-01 RUN=nothing
```
END
    run -1 tests/gate/texts lessons/01-first/README.md
    assert_line --partial "the link nowhere.md leads nowhere"
    assert_line --partial "no heading #no-heading"
    assert_line --partial 'no command "make it-so"'
    assert_line --partial '"make lesson-07": there is no such lesson'
    assert_line --partial 'RUN=nothing": there is no lessons/01-first/experiments/nothing.c'
}

@test "snippets: whole files and statements pass, what does not compile is shown with its line" {
    printf 'text\n```c\nint f(void) { return go(); }\n```\n```c\nn = read(fd, buf, size);\n```\n' >lessons/01-first/README.md
    run -0 tests/gate/snippets 01-first lessons/01-first/README.md
    printf '```c\nn = reed(fd);\n```\n' >>lessons/01-first/README.md
    run -1 tests/gate/snippets 01-first lessons/01-first/README.md
    assert_line --partial "lessons/01-first/README.md:9: this C compiles neither"
}

@test "docs: what README, header, starter, hints and tests say must agree" {
    run -1 tests/gate/docs 01-first
    assert_output "1 mutants, not 4
0 variants, not 2"
    sed -i 's/One thing/Another thing/' lessons/01-first/README.md
    sed -i 's/Task 1/Task 2/' lessons/01-first/hints.md
    sed -i 's/\bgo\b/gone/' lessons/01-first/one.h
    touch lessons/01-first/experiments/unsung.c
    run -1 tests/gate/docs 01-first
    assert_line --partial 'has no heading "One thing"'
    assert_line "TODOs 1, but hints for tasks 2"
    assert_line --partial "does not speak of go"
    assert_line --partial "does not name the experiment unsung"
}
