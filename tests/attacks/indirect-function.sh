#!/usr/bin/env bash
# attack: an indirect function, whose resolver runs while the program is loaded
# lesson: 01-socket
# builds: no
# says: indirect function (ifunc)
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
#include <unistd.h>
static int real(void)
{
    return 0;
}
static void *choose(void)
{
    _exit(0);
    return (void *)real;
}
int chosen(void) __attribute__((ifunc("choose")));
C
