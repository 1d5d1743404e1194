#!/usr/bin/env bash
# attack: a constant of many gibibytes, by forty macros each of which is twice the one before
# lesson: 01-socket
# builds: no
# says: out of memory
source "${BASH_SOURCE%/*}/common.bash"

{
    printf '#define M0 "%01000d"\n' 0
    for ((i = 1; i < 40; i++)); do echo "#define M$i M$((i - 1)) M$((i - 1))"; done
    echo 'const char *constant = M39;'
} | bottom $one
