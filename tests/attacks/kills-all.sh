#!/usr/bin/env bash
# attack: kill the runner, the grader and every process in reach
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid limits
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <signal.h>
#include <unistd.h>'
starts $one type_name <<'C'
    kill(getppid(), SIGKILL);
    kill(-1, SIGKILL);
    for (pid_t pid = 1; pid < 4000; pid++)
        if (pid != getpid())
            kill(pid, SIGKILL), kill(-pid, SIGKILL);
    kill(0, SIGKILL);
C
