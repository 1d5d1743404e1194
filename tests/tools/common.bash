# What the commands share. Each starts with:  source "${BASH_SOURCE%/*}/common.bash"
# The working directory is the project's root from here on.
# shellcheck disable=SC2034 # its variables are for the scripts that source it

set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/../.."
unset MAKEFLAGS MAKELEVEL MFLAGS CDPATH
shopt -s nullglob

submission=${SUBMISSION:-}
submission=${submission/#\~\//$HOME/}
submission=${submission%/}
# Somebody else's results are not the progress that `make` shows: they go into a folder of their own.
results=${RESULTS:-build/results${submission:+/${submission##*/}}}

# Colour only on a terminal; the words carry the meaning.
bold='' dim='' red='' green='' yellow='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
fi

# fail MESSAGE...: one line each on standard error, and out with status 2 (nothing was checked).
fail() {
    printf '%s\n' "$@" >&2
    exit 2
}

# contract LESSON KEY: the values of KEY, one a line.
contract() {
    sed -n "s/[[:space:]]*#.*//; s/^$2[[:space:]]\{1,\}//p" "tests/$1/contract"
}

title() {
    contract "$1" title
}

lessons() {
    local contract
    for contract in tests/[0-9][0-9]-*/contract; do
        contract=${contract%/contract}
        echo "${contract#tests/}"
    done
}

# find_lesson WORD COMMAND: the folder of the lesson whose number (02, 2) or whole name is WORD; or an error that helps.
find_lesson() {
    local lesson suggestion=''
    for lesson in $(lessons); do
        case $lesson in "$1" | "$1"-* | "0$1"-*) echo "$lesson" && return ;; esac
    done
    for lesson in $(lessons); do
        if [[ -n $1 && "$lesson $(title "$lesson") $(student_files "$lesson") $(contract "$lesson" functions)" == *"${1,,}"* ]]; then
            suggestion+="Did you mean $2-${lesson%%-*} ($(title "$lesson"))?"$'\n'
        fi
    done
    {
        echo "There is no lesson \"$1\"."
        printf '%s' "$suggestion"
        echo "The lessons:"
        for lesson in $(lessons); do
            printf '  make %s-%s   %s\n' "$2" "${lesson%%-*}" "$(title "$lesson")"
        done
    } >&2
    return 2
}

# student_files LESSON: the names of the files that are the student's.
student_files() {
    contract "$1" module
    contract "$1" program
}

# student_folder LESSON: where they are.
student_folder() {
    echo "${submission:-lessons}/$1"
}

# fact LESSON KEY: a number or a word of the last result's top-level record; nothing if the lesson was not graded.
# (In a test's output every quote is escaped, so only the record's own keys match.)
fact() {
    local file=$results/lesson-${1%%-*}.json
    [[ -e $file ]] || return 0
    sed -n "s/^.*\"$2\": *\"\{0,1\}\([^\",}]*[^\",} ]\).*$/\1/p" "$file" | tail -n 1
}

# grader_options: the command's variables as options of the grader, in the array of that name.
grader_options() {
    options=()
    [[ -z $submission ]] || options+=("--submission=$submission")
    [[ -z ${LINK:-} ]] || options+=("--link=$LINK")
    [[ -z ${SEED:-} ]] || options+=("--seed=$SEED")
    [[ ${HIDDEN:-0} = 0 ]] || options+=(--hidden)
    [[ ${ALL:-0} = 0 ]] || options+=(--all)
    [[ ${BRIEF:-0} = 0 ]] || options+=(--brief)
    [[ -z ${SANDBOX:-} ]] || options+=("--sandbox=$SANDBOX")
}

# up_to_date LESSON: grade the student's files quietly, unless the last result is newer than all of them.
up_to_date() {
    local file record=$results/lesson-${1%%-*}.json
    for file in $(student_files "$1"); do
        if [[ ! -e $record || $(student_folder "$1")/$file -nt $record ]]; then
            grader_options
            mkdir -p "$results"
            build/bin/grade "${options[@]}" --results="$results" --quiet "$1" >&2 || [[ $? = 1 ]] ||
                fail "The lesson could not be graded: see make lesson-${1%%-*}"
            return 0
        fi
    done
}
