#!/usr/bin/env bash
# attack: close every descriptor
# lesson: 01-socket
# says: 0 of 60 passed
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <unistd.h>'
starts $one socket_open socket_describe family_name type_name protocol_name socket_close_all <<'C'
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
C
