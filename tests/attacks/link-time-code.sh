#!/usr/bin/env bash
# attack: a section for link-time optimization, which the linker would compile into code past every inspection
# lesson: 01-socket
# builds: no
# says: it holds a section of a kind that C code has no use for
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<<'__asm__(".section .gnu.lto_.inline.0, \"e\"\n.quad 0\n.text");'
