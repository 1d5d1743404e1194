/*
 * udp-server: answer each request with its value times ten.
 *
 * usage: udp-server HOST PORT        PORT 0 lets the kernel choose
 *
 * The first line it prints says where: "listening on 127.0.0.1:41233". Requests and responses are
 * those of measure.h, one a datagram. Anything that is no request, an empty datagram or one that is
 * too long, is passed over without an answer, and so is a client that cannot be reached.
 *
 * Exit status: 0 when SIGINT or SIGTERM stopped it; 1, with a line on standard error, when it cannot
 * listen, or cannot receive any more; 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "measure.h"
#include "tcp.h"
#include "udp.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* Answer what comes, until receiving fails. */
static void serve(int fd)
{
    unsigned char bytes[MEASURE_SIZE];
    struct sockaddr_storage peer;
    socklen_t length;
    bool cut;
    ssize_t n;
    while ((n = udp_receive(fd, bytes, sizeof bytes, &peer, &length, &cut)) >= 0) {
        struct request request;
        if (cut || request_decode(bytes, (size_t)n, &request) != 0)
            continue; /* no request: whoever sent it gets nothing */
        response_encode(&(struct response){request.id, request.raw_value * 10}, bytes);
        /* Best effort: who gets no answer will ask again. */
        (void)udp_reply(fd, bytes, sizeof bytes, &peer, length);
    }
}

/* The kernel closes what is open, and there is nothing to save. _exit() is one of the few
   functions that a signal handler may call. */
static void stop(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

static bool announce(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[ADDRESS_TEXT_SIZE];
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
        address_text((struct sockaddr *)&address, length, text, sizeof text) != 0)
        return false;
    printf("listening on %s\n", text);
    return fflush(stdout) == 0; /* whoever started it may be waiting for this line */
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: udp-server HOST PORT\n");
        return 2;
    }
    struct sigaction stops = {.sa_handler = stop};
    sigaction(SIGINT, &stops, NULL);
    sigaction(SIGTERM, &stops, NULL);
    int fd = udp_bind(argv[1], argv[2]);
    if (fd >= 0 && announce(fd))
        serve(fd);
    perror("udp-server");
    return 1;
}
