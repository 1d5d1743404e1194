#!/usr/bin/env bash
# attack: a daemon, forked twice and in a session of its own, that goes on without the test, environment and name
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: FAIL
# sandbox: namespaces uid limits
source "${BASH_SOURCE%/*}/common.bash"

top $one <<<'#include <signal.h>
#include <stdlib.h>
#include <unistd.h>'
starts $one type_name <<'C'
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            for (int fd = 0; fd < 1024; fd++)
                close(fd);
            clearenv();
            signal(SIGTERM, SIG_IGN);
            execle("/bin/sleep", "systemd", "1000", NULL, (char *[]){NULL});
        }
        _exit(0);
    }
C
