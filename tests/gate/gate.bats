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

@test "snippets: functions that the text names, in a header, in the lesson's code, and nowhere" {
    mkdir -p tests/harness
    printf 'Call `go()`, `recv(fd, ...)`, `helper()`.\n```c\nint helper(void);\n```\n' >lessons/01-first/README.md
    run -0 tests/gate/snippets 01-first lessons/01-first/README.md
    printf 'Then `went()`.\n' >>lessons/01-first/README.md
    run -1 tests/gate/snippets 01-first lessons/01-first/README.md
    assert_output "lessons/01-first/README.md: there is no function went()"
}

# A stand-in for the command that plays a scenario.
plays() { # LADDER
    printf '#!/bin/sh\n[ -z "$SAVE" ] || printf "<svg>\\n<desc>\\n%%s\\n</desc>\\n</svg>\\n" "%s" >"$SAVE"\n[ "$RUN" = one ] && echo "%s"\n' "$1" "$1" >tests/tools/wire
    chmod +x tests/tools/wire
}

@test "pictures: missing, out of date, of an older source, used nowhere; a ladder in the text that no run gives" {
    unshare -Urn true 2>/dev/null || unshare -n true 2>/dev/null || skip "no network namespaces here"
    touch README.md
    mkdir -p slides/pictures
    plays "send -> FIN"
    printf '![make wire-01 RUN=one FROM=send](pictures/01-one.svg)\n' >slides/01-first.md
    printf '```text\n$ make wire-01 RUN=one PLAIN=1\nsend -> FIN\n```\n' >>lessons/01-first/README.md
    run -1 tests/gate/pictures 01-first
    assert_output "slides/pictures/01-one.svg is missing: make pictures"
    (cd "$BATS_TEST_TMPDIR" && SAVE=slides/pictures/01-one.svg RUN=one tests/tools/wire)
    run -0 tests/gate/pictures 01-first
    echo 'digraph { a }' >slides/pictures/01-drawn.dot
    echo '<!-- drawn from slides/pictures/01-drawn.dot, SHA-256 00 -->' >slides/pictures/01-drawn.svg
    plays "send -> RST"
    run -1 tests/gate/pictures 01-first
    assert_line --partial "01-one.svg is not what make wire-01 RUN=one FROM=send draws now"
    assert_line --partial "README.md: this is not what make wire-01 RUN=one PLAIN=1 prints:"
    assert_line --partial "01-drawn.svg was not drawn from slides/pictures/01-drawn.dot as it is"
    assert_line "slides/pictures/01-drawn.svg is used nowhere"
}

@test "slides: too few, too much, too small, too pale, a picture that is not there" {
    (source "$BATS_TEST_DIRNAME/../tools/marp.bash" && cd "$BATS_TEST_DIRNAME/../.." && install_marp) || skip "Marp cannot be installed from npm"
    ln -s "$BATS_TEST_DIRNAME/../../build/marp" build/marp
    cp "$BATS_TEST_DIRNAME/../../slides"/{theme.css,package.json,package-lock.json} slides/
    mkdir slides/pictures
    printf '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 100" width="1000" height="100"><rect width="1000" height="100" fill="#eee"/><text y="50" font-size="9" fill="#ddd">pale</text></svg>' >slides/pictures/pale.svg
    {
        printf -- '---\nmarp: true\n---\n# One\n![a](pictures/none.svg)\n\n---\n\n![b](pictures/pale.svg)\n\n---\n'
        printf '\n<style scoped>p {font-size: 12px; color: #f4f4f4}</style>\n\nsmall\n\n---\n'
        printf -- '- line\n%.0s' {1..20}
    } >slides/01-first.md
    run -1 tests/gate/slides 01-first
    assert_line "4 slides, where 15 to 25 are asked"
    assert_line --partial "slide 1: no picture pictures/none.svg"
    assert_line --partial "light, slide 2: pictures/pale.svg: letters of"
    assert_line --partial "dark, slide 2: pictures/pale.svg: contrast 1."
    assert_line --partial "slide 3: text of 12px: small"
    assert_line --partial "light, slide 3: contrast 1."
    assert_line --partial "slide 4: overflows"
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
