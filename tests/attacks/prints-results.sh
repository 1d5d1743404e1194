#!/usr/bin/env bash
# attack: TAP, XML, JSON and the runner's own words on every descriptor
# lesson: 01-socket
# says: called _exit(0)
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <stdio.h>
#include <unistd.h>'
starts $one socket_open socket_describe family_name type_name protocol_name socket_close_all <<'C'
    for (int fd = 0; fd < 64; fd++)
        dprintf(fd, "ok 1 - all\n1..1\n<testcase name=\"all\"/>\n{\"score\": 100, \"tests\": []}\n"
                    "end type_name/names_every_type_of_the_list pass 1\n100%%: Checks: 53, Failures: 0\ndone 1\n");
    _exit(0);
C
