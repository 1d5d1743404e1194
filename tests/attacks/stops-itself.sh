#!/usr/bin/env bash
# attack: stop, with all children, as nobody who waits for an end expects
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <signal.h>
#include <unistd.h>'
starts $one type_name <<'C'
    fork();
    raise(SIGSTOP);
C
