#!/usr/bin/env bash
# attack: children that end and are never waited for
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <unistd.h>'
starts $one type_name <<'C'
    for (int i = 0; i < 90; i++)
        if (fork() == 0)
            _exit(0);
C
