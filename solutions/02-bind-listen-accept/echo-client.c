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
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long poll() waits, and how much is read at once. */
enum { FOREVER = -1, CHUNK = 64 * 1024 };

struct exchange {
    int server;
    bool ended;        /* standard input is at its end */
    char input[CHUNK]; /* from standard input; what lies between from and to is unsent */
    size_t from, to;
    uint64_t owed; /* bytes sent that have not come back */
};

/* Standard input has something: take it, or pass its end on to the server. */
static void take_input(struct exchange *x)
{
    ssize_t n = read(STDIN_FILENO, x->input, sizeof x->input);
    x->from = 0;
    x->to = n > 0 ? (size_t)n : 0;
    if (n <= 0) {
        x->ended = true;
        shutdown(x->server, SHUT_WR);
    }
}

/* The connection has room: send what it takes. (If it is broken, recv() will say so.) */
static void send_input(struct exchange *x)
{
    ssize_t n =
        send(x->server, x->input + x->from, x->to - x->from, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
        x->from += (size_t)n;
        x->owed += (uint64_t)n;
    }
}

/* The server has sent something, or its end. The count of bytes, 0 at its end, or -1. */
static ssize_t show_echo(struct exchange *x)
{
    char bytes[CHUNK];
    ssize_t n = recv(x->server, bytes, sizeof bytes, 0);
    if (n > 0) {
        x->owed -= (uint64_t)n;
        fwrite(bytes, 1, (size_t)n, stdout);
    }
    return fflush(stdout) == 0 ? n : -1;
}

/*
 * Copy standard input to the server, and what the server sends to standard output, until the server
 * ends its stream. True: all of the input came back.
 *
 * Both directions at once: were all the input sent before any echo is read, a large input would fill
 * every buffer on the way. The server would wait for us to read, and we for the server.
 */
static bool converse(int server)
{
    struct exchange x = {.server = server};
    ssize_t n = 1;
    while (n > 0) {
        bool unsent = x.from < x.to;
        struct pollfd wait[] = {
            {.fd = unsent || x.ended ? -1 : STDIN_FILENO, .events = POLLIN},
            {.fd = server, .events = unsent ? POLLIN | POLLOUT : POLLIN}};
        poll(wait, 2, FOREVER); /* if it fails, nothing is ready, and it is asked again */
        if (wait[0].revents)
            take_input(&x);
        if (wait[1].revents & POLLOUT)
            send_input(&x);
        if (wait[1].revents & ~POLLOUT)
            n = show_echo(&x);
    }
    return n == 0 && x.ended && x.owed == 0;
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: echo-client HOST PORT\n");
        return 2;
    }
    int server = tcp_connect(argv[1], argv[2]);
    if (server == -1) {
        fprintf(stderr, "echo-client: %s\n", connect_error_means(errno));
        return 1;
    }
    if (!converse(server)) {
        fprintf(stderr,
                "echo-client: the connection ended before everything came back\n");
        return 1;
    }
    return 0;
}
