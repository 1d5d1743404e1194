#!/usr/bin/env bash
# attack: a program writes TAP to every descriptor of every process, and kills its parents
# lesson: 02-bind-listen-accept
# only: end to end/serves one client after another
# says: FAIL
# sandbox: namespaces uid
source "${BASH_SOURCE%/*}/common.bash"

cat >"$lesson/echo-server.c" <<'C'
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
    glob_t all;
    glob("/proc/[0-9]*/fd/*", 0, NULL, &all);
    for (size_t i = 0; i < all.gl_pathc; i++) {
        int fd = open(all.gl_pathv[i], O_WRONLY | O_NONBLOCK);
        for (int n = 1; n < 20; n++)
            dprintf(fd, "ok %d serves one client after another\n", n);
    }
    kill(getppid(), SIGKILL);
    kill(-1, SIGKILL);
    return 0;
}
C
