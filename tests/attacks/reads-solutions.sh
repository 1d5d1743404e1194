#!/usr/bin/env bash
# attack: read the solutions, the tests, the hidden ones and the compiler's left-overs while it runs
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid limits
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <glob.h>
#include <unistd.h>'
starts $one type_name <<C
    static const char *const places[] = {
        "../solutions/*/*.c", "../../solutions/*/*.c", "$WORLD/course/solutions/*/*.c", "$WORLD/course/tests/*/unit.c",
        "$WORLD/course/build/lessons/*/*.o", "/proc/[0-9]*/root/$WORLD/course/solutions/*/*.c", "$WORLD/next/*/*.c",
        "/proc/[0-9]*/cwd/solutions/*/*.c", "/proc/[0-9]*/fd/*/solutions/*/*.c", "../aside/*", "$WORLD/class/../course/LICENSE",
        "/tmp/lab-*/aside/*", "tests/*/hidden*", "tests/*/unit.c", "tests/*/mutants/*"};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        glob_t found;
        for (size_t j = 0; glob(places[i], 0, NULL, &found) == 0 && j < found.gl_pathc; j++)
            if (open(found.gl_pathv[j], O_RDONLY) >= 0)
                printf("BROKE" "-OUT %s\n", found.gl_pathv[j]);
    }
C
