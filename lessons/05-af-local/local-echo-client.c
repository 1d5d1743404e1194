/*
 * local-echo-client [--type stream|datagram|seqpacket] PATH: send each line of standard input,
 * its newline included, to an echo server; wait for its echo; write that to standard output; and
 * so on with the next. (Without --type: stream.)
 *
 * A line of more than MESSAGE_MAX bytes goes in pieces of that many. What comes back is written as
 * it came, be it what was sent or not: only its size is looked at. Status 0: as many bytes as the
 * input has came back and were written. 1: not so, or no server was there; stderr says why. A
 * server that ends is noticed, with datagrams at the next line only; an answer that is lost is
 * waited for (lesson 04 knows what to do). No file is left, and all memory is freed, whatever the
 * status.
 */
#define _POSIX_C_SOURCE 200809L
#include "local.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The longest message. It fits into the socket's own buffer, so that no send() waits for a reader. */
enum { MESSAGE_MAX = 64 * 1024 };

/* A socket of this type, connected to the server. Or -1. */
static int open_client(int type, const char *path)
{
    /* TODO 12: the function for the type. With datagrams: a socket that can be answered, and then
       connect() to what local_address() makes of path. */
    (void)type, (void)path; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* True: each line of the input came back. */
static bool converse(int server, int type)
{
    /* TODO 12: getline(), send(), recv(), fwrite(), fflush(). How much makes an echo whole? And
       free() the line on every way out, also before status 1. */
    (void)server, (void)type; /* delete this line */
    return false;
}

/* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET; or 0 if the arguments are wrong. */
static int type_asked_for(int argc, char *argv[])
{
    if (argc == 2)
        return SOCK_STREAM;
    if (argc != 4 || strcmp(argv[1], "--type") != 0)
        return 0;
    return strcmp(argv[2], "stream") == 0      ? SOCK_STREAM
           : strcmp(argv[2], "datagram") == 0  ? SOCK_DGRAM
           : strcmp(argv[2], "seqpacket") == 0 ? SOCK_SEQPACKET
                                               : 0;
}

int main(int argc, char *argv[])
{
    int type = type_asked_for(argc, argv);
    if (type == 0) {
        fprintf(stderr,
                "usage: local-echo-client [--type stream|datagram|seqpacket] PATH\n");
        return 2;
    }
    const char *path = argv[argc - 1];
    int server = open_client(type, path);
    if (server == -1) {
        fprintf(stderr, "local-echo-client: %s: %s\n", path, strerror(errno));
        return 1;
    }
    if (!converse(server, type)) {
        fprintf(stderr, "local-echo-client: not all of the input came back\n");
        return 1;
    }
    return 0;
}
