#!/usr/bin/env bash
# attack: an object file of 1 TiB, of one line
# lesson: 01-socket
# builds: no
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<<'char bomb[1L << 40] = {1};
__asm__(".data\n.fill 0x10000000000, 1, 7\n.text");'
