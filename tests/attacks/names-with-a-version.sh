#!/usr/bin/env bash
# attack: a symbol version, in place of memcmp()
# lesson: 01-socket
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
int other(void);
int other(void)
{
    return 0;
}
__asm__(".symver other, memcmp@@GLIBC_2.2.5");
C
