# Building a lesson's solution outside the grader, for the checks that run it in another way.
# shellcheck disable=SC2154 # include and work are common.bash's

plain_flags=(-std=gnu17 -g -O1 -fno-omit-frame-pointer -Wall -Wextra "${include[@]}")

# sources_of LESSON: the solution's modules, and those of earlier lessons that it uses.
sources_of() {
    contract "$1" module | sed "s|^|solutions/$1/|"
    contract "$1" uses | sed 's|^\([^ ]*\)  *|solutions/\1/|'
}

# programs_of LESSON: sources of its programs, given ones too.
programs_of() {
    contract "$1" program | sed "s|^|solutions/$1/|"
    contract "$1" given | sed "s|^|lessons/$1/|"
}

# build_programs LESSON FLAG...: into $work/bin
build_programs() {
    local lesson=$1 source name modules
    shift
    mkdir -p "$work/bin"
    mapfile -t modules < <(sources_of "$lesson")
    for source in $(programs_of "$lesson"); do
        name=${source##*/}
        gcc "${plain_flags[@]}" "$@" -o "$work/bin/${name%.c}" "$source" "${modules[@]}" 2>&1 || fail "$source does not build"
    done
}
