#!/usr/bin/env bash
# attack: the same in a program, with processes that leave their session and forget their signals
# lesson: 02-bind-listen-accept
# only: end to end/says what is wrong
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

cat >"$lesson/echo-server.c" <<'C'
#include <signal.h>
#include <unistd.h>
int main(void)
{
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    for (;;) {
        fork();
        setsid();
    }
}
C
