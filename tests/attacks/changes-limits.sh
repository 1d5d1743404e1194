#!/usr/bin/env bash
# attack: limits, priorities, signal masks and alarms as they suit it
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>'
starts $one type_name <<'C'
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, now;
        getrlimit(resource, &now);
        if (now.rlim_max != RLIM_INFINITY && setrlimit(resource, &all) == 0)
            printf("BROKE" "-OUT of limit %d\n", resource);
    }
    sigset_t every;
    sigfillset(&every);
    sigprocmask(SIG_BLOCK, &every, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    alarm(0);
    mlockall(MCL_CURRENT | MCL_FUTURE);
    struct sched_param first = {.sched_priority = 99};
    if (sched_setscheduler(0, SCHED_FIFO, &first) == 0 || setpriority(PRIO_PROCESS, 0, -20) == 0)
        printf("BROKE" "-OUT of the order of processes\n");
    prctl(PR_SET_PDEATHSIG, 0), prctl(PR_SET_CHILD_SUBREAPER, 1);
C
