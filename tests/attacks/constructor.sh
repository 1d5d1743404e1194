#!/usr/bin/env bash
# attack: a constructor, which runs before main() and so in the runner of the tests
# lesson: 01-socket
# builds: no
# says: endpoint.c is refused: it holds a constructor
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
#include <unistd.h>
__attribute__((constructor)) static void early(void)
{
    _exit(0);
}
C
