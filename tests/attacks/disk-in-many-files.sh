#!/usr/bin/env bash
# attack: files by the hundred thousand, in one folder, unreadable ones among them
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>'
starts $one type_name <<'C'
    if (chdir(getenv("TMPDIR")) == 0 && mkdir("closed", 0) == 0)
        for (int i = 0; i < 100000; i++) {
            char name[32];
            snprintf(name, sizeof name, "%d", i);
            close(open(name, O_CREAT | O_WRONLY, 0));
        }
C
