#!/usr/bin/env bash
# attack: a destructor, which would run after the verdict
# lesson: 01-socket
# builds: no
# says: endpoint.c is refused: it holds a constructor or destructor
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
#include <unistd.h>
__attribute__((destructor)) static void late(void)
{
    _exit(0);
}
C
