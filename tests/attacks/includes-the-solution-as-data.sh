#!/usr/bin/env bash
# attack: the same with the assembler
# lesson: 01-socket
# builds: no
# says: file not found
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<<"__asm__(\".data\\n.incbin \\\"$WORLD/course/solutions/01-socket/endpoint.c\\\"\\n.incbin \\\"/etc/shadow\\\"\\n.text\");"
