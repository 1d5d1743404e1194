#!/usr/bin/env bash
# attack: the same, as a pointer put into the linker's list by hand
# lesson: 01-socket
# builds: no
# says: endpoint.c is refused: it holds a constructor
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
#include <unistd.h>
static void early(void)
{
    _exit(0);
}
static void (*const entry)(void) __attribute__((used, section(".init_array"))) = early;
C
