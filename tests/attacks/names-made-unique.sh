#!/usr/bin/env bash
# attack: a symbol of the kind that is one for the whole program, in place of getpid(): the runner would call it
# lesson: 01-socket
# builds: no
# says: it holds a symbol that could take the place of another file's
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
__asm__(".text\n.globl getpid\n.type getpid, @gnu_unique_object\n"
        "getpid: xor %edi, %edi\nmov $231, %eax\nsyscall\n.size getpid, . - getpid");
C
