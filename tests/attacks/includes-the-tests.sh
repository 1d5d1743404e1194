#!/usr/bin/env bash
# attack: include the tests, their object and the secrets of the machine, so that the compiler prints them
# lesson: 01-socket
# builds: no
# says: fatal error
source "${BASH_SOURCE%/*}/common.bash"

top $one <<C
_Pragma("GCC dependency \"$WORLD/private/canary\"")
#include "/etc/shadow"
#include "$WORLD/private/canary"
#include "$WORLD/course/tests/01-socket/unit.c"
C
