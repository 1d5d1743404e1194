#!/usr/bin/env bash
# attack: a program writes the files of the test: what is compared, what others printed, the tests themselves
# lesson: 02-bind-listen-accept
# only: end to end/says what is wrong
# says: FAIL
# sandbox: namespaces uid limits
source "${BASH_SOURCE%/*}/common.bash"

cat >"$lesson/echo-server.c" <<'C'
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
    static const char *const places[] = {"*", "../*", "../../*", "/tmp/*", "/tmp/bats-run-*/*", "/lab/*", "/dev/shm"};
    if (open("mine", O_CREAT | O_WRONLY, 0600) >= 0 || symlink("input", "output") == 0)
        fputs("BROKE-" "OUT: a new file\n", stderr);
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        glob_t found;
        for (size_t j = 0; glob(places[i], 0, NULL, &found) == 0 && j < found.gl_pathc; j++)
            if (open(found.gl_pathv[j], O_WRONLY | O_APPEND | O_NONBLOCK) >= 0)
                fprintf(stderr, "BROKE-" "OUT: %s\n", found.gl_pathv[j]);
    }
    fflush(stderr);
    _exit(1); /* with no report of a sanitizer's, which would be told in place of this */
}
C
