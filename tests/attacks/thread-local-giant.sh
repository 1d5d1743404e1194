#!/usr/bin/env bash
# attack: a thread-local variable of 64 GiB, so that the program with the tests cannot even be started
# lesson: 01-socket
# builds: yes | no
# says: the tests could not be started with your code in them | could not be linked
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<<'_Thread_local char giant[1L << 36];'
