/*
 * echo-client HOST PORT: send standard input to an echo server, write to standard output what comes
 * back.
 *
 * Status 0: all of standard input was sent, came back and was written. 1: not so; stderr says why.
 */
#define _POSIX_C_SOURCE 200809L
#include "tcp.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Copy standard input to the server, and what the server sends to standard output, until the server
 * ends its stream. True: all of the input came back.
 */
static bool converse(int server)
{
    /* TODO 8: read, send, recv, write. Both directions at once: poll() says which of them can move.
       What tells the server that no more will come? */
    (void)server; /* delete this line */
    return false;
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: echo-client HOST PORT\n");
        return 2;
    }
    int server = tcp_connect(argv[1], argv[2]);
    if (server == -1) {
        fprintf(stderr, "echo-client: %s %s: %s\n", argv[1], argv[2],
                connect_error_means(errno));
        return 1;
    }
    if (!converse(server)) {
        fprintf(stderr,
                "echo-client: the connection ended before everything came back\n");
        return 1;
    }
    return 0;
}
