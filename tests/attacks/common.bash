# What the attacks share. Each is called with the folder that holds the submission, NN-topic/*.c: the starter's files, which it
# makes hostile. $WORLD, if set, is the folder that holds the course and things that an attack must not reach; $CANARY the abstract
# name of a socket that listens outside.
# shellcheck shell=bash disable=SC2034 # its variables are for the scripts that source it
set -euo pipefail
lesson=$(sed -n 's/^# lesson: //p' "$0")
cd "$1"
one=01-socket/endpoint.c
WORLD=${WORLD:-/tmp} CANARY=${CANARY:-lab-attack}

# top FILE: standard input goes to the file's beginning, below what it will need.
top() {
    {
        printf '#define _GNU_SOURCE\n#include <stdio.h>\n'
        cat - "$1"
    } >"$1.new"
    mv "$1.new" "$1"
}

# bottom FILE: and to its end.
bottom() {
    cat >>"$1"
}

# starts FILE FUNCTION...: standard input, C statements, goes to the beginning of each function's body. (The functions'
# last line before the body begins with their type.)
starts() {
    local file=$1 code
    shift
    code=$(cat)
    code=$code awk -v names=" $* " '
        { print }
        match($0, /[a-z_0-9]+\(/) && /^[a-z]/ { name = substr($0, RSTART, RLENGTH - 1) }
        /^{/ && index(names, " " name " ") { print ENVIRON["code"] }' "$file" >"$file.new"
    if cmp -s "$file" "$file.new"; then echo "$file has no such function" >&2 && exit 1; fi
    mv "$file.new" "$file"
}

# solved LESSON FILE...: these files are the solution's.
solved() {
    local folder=$1
    shift
    (cd "$OLDPWD/solutions/$folder" && cp "$@" "$folder_of_class/$folder/")
}
folder_of_class=$PWD
