#!/usr/bin/env bash
# attack: leave with every status, one after another, in the hope that it is the one that is waited for
# lesson: 01-socket
# says: called _exit(
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <stdlib.h>
#include <time.h>
#include <unistd.h>'
starts $one socket_open socket_describe family_name type_name protocol_name socket_close_all <<'C'
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    _exit((int)(now.tv_nsec / 1000 % 256));
C
