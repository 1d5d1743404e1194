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

/* A datagram socket whose peer is the server, and which the server can answer. Or -1. */
static int connect_datagram(const char *path)
{
    struct sockaddr_un server;
    socklen_t length;
    if (local_address(path, &server, &length) != 0)
        return -1;
    int fd = local_bind_datagram(NULL);
    if (fd != -1 && connect(fd, (struct sockaddr *)&server, length) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int open_client(int type, const char *path)
{
    switch (type) {
    case SOCK_STREAM: return local_connect(path);
    case SOCK_SEQPACKET: return local_connect_packets(path);
    default: return connect_datagram(path);
    }
}

/* Send n bytes: a message at once, a stream's in what pieces it takes. */
static bool send_all(int server, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(server, bytes, n, MSG_NOSIGNAL);
        if (sent == -1)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* Write the echo of n bytes: one message of that size, or a stream's in what pieces they come. */
static bool show_echo(int server, int type, size_t n)
{
    char bytes[MESSAGE_MAX + 1]; /* one more tells a message that is too long */
    while (n > 0) {
        ssize_t got = recv(server, bytes, type == SOCK_STREAM ? n : sizeof bytes, 0);
        if (got <= 0 || (type != SOCK_STREAM && (size_t)got != n))
            return false;
        fwrite(bytes, 1, (size_t)got, stdout);
        n -= (size_t)got;
    }
    return fflush(stdout) == 0;
}

/* True: each line of the input came back. */
static bool converse(int server, int type)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    bool good = true;
    while (good && (length = getline(&line, &capacity, stdin)) != -1)
        for (size_t from = 0, n; good && from < (size_t)length; from += n) {
            n = (size_t)length - from;
            if (n > MESSAGE_MAX)
                n = MESSAGE_MAX;
            good = send_all(server, line + from, n) && show_echo(server, type, n);
        }
    free(line);
    return good && feof(stdin);
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
