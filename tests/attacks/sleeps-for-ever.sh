#!/usr/bin/env bash
# attack: sleep for ever, with every signal blocked and ignored
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: was blocked in
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <signal.h>
#include <unistd.h>'
starts $one type_name <<'C'
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    for (;;)
        pause();
C
