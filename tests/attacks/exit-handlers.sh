#!/usr/bin/env bash
# attack: handlers for the end of the process, for forks and for signals, each of which would leave with 0
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<'C'
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
static void leave(void)
{
    _exit(0);
}
static void handle(int number)
{
    (void)number;
    _exit(0);
}
C
starts $one type_name <<'C'
    atexit(leave);
    at_quick_exit(leave);
    pthread_atfork(leave, leave, leave);
    for (int number = 1; number < NSIG; number++)
        signal(number, handle);
C
