/*
 * count-client: send standard input to a count-server, and print its answer: all that it
 * sends, up to the end of its stream.
 *
 * usage: count-client HOST PORT
 *
 * Exit status: 0 when all was sent and the whole answer was printed; 1, with a line on
 * standard error, when something failed, be it that the server has gone; 2 when called
 * wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "closing.h"
#include "tcp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* TODO 6, first: send all that comes on standard input. True at its end, false if something
   failed. */
static bool send_input(int server)
{
    (void)server; /* delete this line and the next two */
    errno = ENOSYS;
    return false;
}

/* TODO 6, second: write to standard output what the server sends. True at the end of its
   stream, false if something failed. */
static bool print_answer(int server)
{
    (void)server; /* delete this line and the next two */
    errno = ENOSYS;
    return false;
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: count-client HOST PORT\n");
        return 2;
    }
    int server = tcp_connect(argv[1], argv[2]);
    /* TODO 6, last: something is missing between these two. When does the server answer? */
    if (server == -1 || !send_input(server) || !print_answer(server)) {
        perror("count-client");
        return 1;
    }
    return 0; /* both sides have said all: nothing is lost when exit closes */
}
