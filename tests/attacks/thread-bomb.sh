#!/usr/bin/env bash
# attack: threads without end
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

top $one <<'C'
#include <pthread.h>
#include <unistd.h>
static void *rest(void *nothing)
{
    pause();
    return nothing;
}
C
starts $one type_name <<'C'
    pthread_t thread;
    for (;;)
        pthread_create(&thread, NULL, rest, NULL);
C
