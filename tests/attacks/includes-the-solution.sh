#!/usr/bin/env bash
# attack: include the solution, wherever it may stand
# lesson: 01-socket
# builds: no
# says: No such file or directory
source "${BASH_SOURCE%/*}/common.bash"

cat >$one <<C
#if __has_include("../../solutions/01-socket/endpoint.c")
#include "../../solutions/01-socket/endpoint.c"
#elif __has_include("$WORLD/course/solutions/01-socket/endpoint.c")
#include "$WORLD/course/solutions/01-socket/endpoint.c"
#elif __has_include("$PWD/../course/solutions/01-socket/endpoint.c")
#include "$PWD/../course/solutions/01-socket/endpoint.c"
#else
#include "/proc/self/cwd/../../solutions/01-socket/endpoint.c"
#endif
C
