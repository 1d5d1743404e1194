#!/usr/bin/env bash
# attack: a thread ends the process while the function waits
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: called _exit(0)
source "${BASH_SOURCE%/*}/common.bash"

top $one <<'C'
#include <pthread.h>
#include <unistd.h>
static void *leave(void *nothing)
{
    (void)nothing;
    _exit(0);
}
C
starts $one type_name <<'C'
    pthread_t thread;
    pthread_create(&thread, 0, leave, 0);
    pthread_join(thread, 0);
C
