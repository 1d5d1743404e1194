#!/usr/bin/env bash
# attack: write, or make beforehand, every result file that anybody may read later
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid limits
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>'
starts $one type_name <<C
    static const char *const places[] = {
        "results.json", "out/unit", "out/hidden", "pristine/keep", "tests/01-socket/e2e-0.bats", "/lab/out/unit",
        "/autograder/results/results.json", "/tmp/results.json", "$WORLD/door/lesson-01.json", "$WORLD/open",
        "$WORLD/course/build/results/lesson-01.json", "$WORLD/course/build/bin/grade", "$WORLD/log/record.json",
        "$WORLD/course/tests/01-socket/unit.c", "/dev/shm/results.json", "/var/tmp/results.json", "/run/x", "/etc/x"};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
        int file = open(places[i], O_CREAT | O_RDWR | O_TRUNC, 0666);
        if (file >= 0 && write(file, "{\"score\": 100}", 14) == 14 && places[i][0] != '/')
            printf("BROKE" "-OUT %s\n", places[i]);
        unlink(places[i]);
    }
C
