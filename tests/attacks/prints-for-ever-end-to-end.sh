#!/usr/bin/env bash
# attack: a program that prints for ever, without a newline
# lesson: 02-bind-listen-accept
# only: end to end/says what is wrong
# says: FAIL
source "${BASH_SOURCE%/*}/common.bash"

cat >"$lesson/echo-server.c" <<'C'
#include <string.h>
#include <unistd.h>
int main(void)
{
    static char line[1 << 20];
    memset(line, 'x', sizeof line);
    for (;;)
        (void)!(write(1, line, sizeof line) + write(2, line, sizeof line));
}
C
