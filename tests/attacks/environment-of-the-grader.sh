#!/usr/bin/env bash
# attack: not in the submission but around it: variables that steer Check, bats, make, the shell and the loader
# lesson: 01-socket
# says: 0 of 60 passed
# set: CK_RUN_CASE=none
# set: CK_RUN_SUITE=none
# set: CK_FORK=no
# set: CK_DEFAULT_TIMEOUT=0
# set: BASH_ENV=/tmp/world/class/start
# set: ENV=/tmp/world/class/start
# set: BATS_TEST_FILTER=none
# set: BATS_LIB_PATH=/tmp/world/class
# set: MAKEFLAGS=-n
# set: GCC_EXEC_PREFIX=/tmp/world/class/
# set: C_INCLUDE_PATH=/tmp/world/class
# set: LD_LIBRARY_PATH=/tmp/world/class
# set: ASAN_OPTIONS=exitcode=0:detect_leaks=0
source "${BASH_SOURCE%/*}/common.bash"

echo 'echo BROKE-OUT; exit 0' >start
