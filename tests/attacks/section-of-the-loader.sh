#!/usr/bin/env bash
# attack: the section that names the program's loader, and one of the linker's
# lesson: 01-socket
# builds: no
# says: it holds a section of a kind that C code has no use for
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<<'__asm__(".section .interp, \"a\"\n.asciz \"/bin/true\"\n.section .got, \"aw\"\n.quad 0\n.text");'
