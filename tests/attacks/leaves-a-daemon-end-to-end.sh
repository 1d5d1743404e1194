#!/usr/bin/env bash
# attack: a server that ends at once and leaves a daemon, which holds the test's output open
# lesson: 02-bind-listen-accept
# only: end to end/says what is wrong
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

cat >"$lesson/echo-server.c" <<'C'
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            for (;;)
                pause();
    }
    return 2;
}
C
