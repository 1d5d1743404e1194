#!/usr/bin/env bash
# attack: die, with a core as large as may be
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>'
starts $one type_name <<'C'
    setrlimit(RLIMIT_CORE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    prctl(PR_SET_DUMPABLE, 1);
    signal(SIGQUIT, SIG_DFL);
    kill(getpid(), SIGQUIT);
C
