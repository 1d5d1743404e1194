#!/usr/bin/env bash
# attack: an assembler's macro turns the constructor that every sanitized object has into one that answers for the runner
# lesson: 01-socket
# says: ended with status 0 before the test was over
source "${BASH_SOURCE%/*}/common.bash"

bottom $one <<'C'
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void early(void);
void early(void) /* in the runner: read the orders, report each test as passed */
{
    static char orders[65536], arguments[256], nonce[40], id[200];
    static int once;
    int self = open("/proc/self/cmdline", O_RDONLY);
    ssize_t n = read(self, arguments, sizeof arguments - 1);
    const char *first = arguments + strlen(arguments) + 1;
    if (once++ || n < 20 || strcmp(first, "--control") != 0)
        return;
    int to = atoi(first + strlen(first) + 1);
    if (read(0, orders, sizeof orders - 1) > 0)
        sscanf(orders, "nonce %39s", nonce);
    for (char *at = orders; (at = strstr(at, "\nrun ")) != NULL; at += 5) {
        sscanf(at, "\nrun %199s", id);
        dprintf(to, "%s begin %s 1\n%s end %s pass 1\n", nonce, id, nonce, id);
    }
    dprintf(to, "%s done 1\n", nonce);
    _exit(0);
}
__asm__(".macro call name:vararg\n.byte 0xe8\n.long early - . - 4\n.endm");
C
