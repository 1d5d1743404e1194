#!/usr/bin/env bash
# attack: stop the runner and the grader, so that no limit is ever looked at
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <signal.h>
#include <unistd.h>'
starts $one type_name <<'C'
    for (pid_t pid = 1; pid < 4000; pid++)
        if (pid != getpid())
            kill(pid, SIGSTOP), kill(-pid, SIGSTOP);
C
