#!/usr/bin/env bats
# What the Containerfile says, done in a clean root: the machine that comes of it gives the same verdicts as this one. (The image
# itself is built where there is an engine.)

bats_require_minimum_version 1.5.0

setup() {
    load root
    bats_load_library bats-support
    bats_load_library bats-assert
    unset MAKEFLAGS LESSONS SANDBOX LINK SEED
    T=$BATS_TEST_TMPDIR
    ((EUID == 0)) || skip "a container's root needs root"
    chmod -R o+x "$BATS_RUN_TMPDIR"
}

# verdicts FILE: each test's name and result.
verdicts() {
    jq -r '.score, (.tests[] | .extra_data.id + " " + .extra_data.result)' "$1"
}

@test "the container's steps, and its verdicts: of the solution, the starter, and what does not compile" {
    cd "$BATS_TEST_DIRNAME/../.." || exit
    mkdir -p "$T/lab" "$T/broken/01-socket"
    { git ls-files -z 2>/dev/null || find Makefile lessons solutions tests -type f -print0; } | tar -c --null -T - | tar -x -C "$T/lab"
    echo 'int oops(' >"$T/broken/01-socket/endpoint.c"
    cp -r "$T/broken" "$T/lab/"
    mapfile -t steps < <(sed -n 's/^RUN //p' tests/class/Containerfile)
    [[ ${#steps[@]} = 2 && ${steps[0]} == *"apt-get install"*make* ]] # what is installed is here already
    ONLY=01-socket
    run -0 in_root "$T/lab" /lab env ONLY=$ONLY sh -c "${steps[1]}"
    for submission in solutions lessons broken; do
        run in_root "$T/lab" /lab build/bin/grade --quiet --seed=1 --submission=$submission --json=/lab/there.json 01-socket
        build/bin/grade --quiet --seed=1 --submission="$T/lab/$submission" --json="$T/here.json" 01-socket || true
        [[ $(jq -r .extra_data.sandbox "$T/lab/there.json") != limits ]]
        diff <(verdicts "$T/here.json") <(verdicts "$T/lab/there.json")
    done
}
