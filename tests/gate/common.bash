# What the gate's checks share. A check is a program: its arguments say what to check; it prints why it fails, and exits with
# 0 passed, 1 failed, 77 skipped.
# shellcheck source=../tools/common.bash
source "${BASH_SOURCE[0]%/*}/../tools/common.bash"

SUBMISSION='' RESULTS=build/gate/results
submission=''
unset LINK SEED RUN FORCE HIDDEN MAKEFLAGS

# fail MESSAGE...: the check failed.
fail() {
    printf '%s\n' "$@"
    exit 1
}

# The strict flags: what the course's own C is held to, by both compilers.
strict=(-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -O1 -c -o /dev/null)
include=(-Itests/harness)
for folder in lessons/[0-9][0-9]-*; do
    include+=("-I$folder")
done

# strictly FILE...: each compiles without a warning.
strictly() {
    local compiler file
    for file; do
        for compiler in gcc clang; do
            # -x c: headers too must compile by themselves
            "$compiler" "${strict[@]}" "${include[@]}" -x c "$file" 2>&1 || fail "$compiler, strict flags: $file is not clean"
        done
    done
}

# scratch: a folder that goes away with the check.
scratch() {
    mkdir -p build/gate
    work=$(mktemp -d "$PWD/build/gate/${0##*/}.XXXXXX")
    trap 'rm -rf "$work"' EXIT
}

# graded STATUS LESSON OPTION...: grade, keep the record in $work/record.json, expect STATUS. When the grader itself could
# not check, what it said is shown.
graded() {
    local expected=$1 lesson=$2 status=0
    shift 2
    build/bin/grade "$@" --json="$work/record.json" "$lesson" </dev/null >"$work/verdict" 2>&1 || status=$?
    ((status == expected)) || {
        sed '/^    pass/d; s/^/    /' "$work/verdict" | cat -s
        fail "the grader's status is $status, not $expected"
    }
}

# from_record FILTER [ARGUMENT...]: ask the record, by jq.
from_record() {
    local filter=$1
    shift
    jq -r "$@" "$filter" "$work/record.json"
}

# patched LESSON PATCH: the solution with the patch applied, as a submission in $work/submission.
patched() {
    mkdir -p "$work/submission"
    cp -r "solutions/$1" "$work/submission/"
    patch -p1 -s -F0 --no-backup-if-mismatch -d "$work/submission/$1" <"$2" >&2 || fail "the patch does not apply to solutions/$1"
}

# head_of PATCH KEY: the value of a head line.
head_of() {
    sed -n "/^---/q; s/^$2: *//p" "$1"
}
