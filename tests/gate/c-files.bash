# The course's own C, for the checks that lint it: files, those of them that are sources, and the libraries' flags.
# shellcheck disable=SC2034

mapfile -t files < <(find tests lessons solutions -name '*.[ch]' -not -path 'tests/gate/*' -not -path 'tests/attacks/*' | sort)
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.c$')
read -ra libraries < <(pkg-config --cflags jansson libxml-2.0 libelf libarchive)
libraries+=('-DSTYLE_HASH=""' '-DSCRIPT_HASH=""') # tests/class/assets.c: of no page

# choose FOLDER: sets chosen, the sources in it and below it.
choose() {
    # shellcheck disable=SC2034
    mapfile -t chosen < <(printf '%s\n' "${sources[@]}" | grep "^$1/")
    ((${#chosen[@]} > 0)) || fail "$1 has no sources"
}
