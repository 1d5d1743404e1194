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

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* On a blocking socket, in a program without signal handlers, send() takes all of it or
   fails. Lesson 06 does without that luck. */
static bool send_input(int server)
{
    char bytes[BUFSIZ];
    ssize_t n;

    while ((n = read(STDIN_FILENO, bytes, sizeof bytes)) > 0 &&
           send(server, bytes, (size_t)n, MSG_NOSIGNAL) == n)
        continue;
    return n == 0;
}

static bool print_answer(int server)
{
    char bytes[BUFSIZ];
    ssize_t n;

    while ((n = recv(server, bytes, sizeof bytes, 0)) > 0 &&
           write(STDOUT_FILENO, bytes, (size_t)n) == n)
        continue;
    return n == 0;
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: count-client HOST PORT\n");
        return 2;
    }
    int server = tcp_connect(argv[1], argv[2]);
    if (server == -1 || !send_input(server) || stream_end(server) != 0 ||
        !print_answer(server)) {
        perror("count-client");
        return 1;
    }
    return 0; /* both sides have said all: nothing is lost when exit closes */
}
