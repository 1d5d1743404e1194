#!/usr/bin/env bash
# attack: include what never ends
# lesson: 01-socket
# builds: no
# says: it does not compile
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include "/dev/zero"
#include "/dev/stdin"
#include "/proc/self/environ"
#include "/proc/kmsg"'
