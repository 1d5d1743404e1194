#!/usr/bin/env bash
# attack: output without an end
# lesson: 01-socket
# only: family_name/names_every_family_of_the_list
# says: still running
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <unistd.h>'
starts $one family_name <<'C'
    static char line[65536] = "more ";
    for (;;)
        (void)!(write(1, line, sizeof line) + write(2, line, sizeof line));
C
