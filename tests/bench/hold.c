/*
 * hold: what memory a server has for its connections.
 *
 * usage: hold [--http] CONNECTIONS PID HOST PORT | PATH       PID: the server's process
 *
 * One connection comes, asks and goes, so that what is needed but once is there. Then so
 * many are opened; and then each of them asks once, and they stay. Asked is for 64 bytes to
 * come back, or with --http for an answer to GET that ends with "running".
 *
 * Prints one line: the server's own memory (Anonymous in /proc/PID/smaps_rollup: what it has
 * written, not its code, not what the kernel keeps for its sockets) in KiB, with no connection,
 * with all of them idle (but the last: its answer tells that all have been accepted), and when
 * each has asked:
 *
 *     empty 1312 idle 2104 used 2204
 *
 * Exit status: 1 when the server went away, answered something else, or not within 5 s.
 */
#define _GNU_SOURCE
#include "dial.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 64, ANSWER = 4096, PATIENCE_MS = 5000 };

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                  message[SIZE + 1] =
                      "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+-";

struct server {
    const char *process, *host, *service;
    bool http;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_one(const struct server *server)
{
    int fd = dial(server->host, server->service);
    if (fd == -1)
        fail("connect");
    return fd;
}

/* Is this all of the right answer? */
static bool is_whole(const struct server *server, const char *answer, size_t n)
{
    static const char end[] = "running";
    size_t least = sizeof end - 1;
    if (!server->http)
        return n == SIZE && memcmp(answer, message, SIZE) == 0;
    return n >= least && memcmp(answer + n - least, end, least) == 0 &&
           strncmp(answer, "HTTP/1.1 200 ", 13) == 0;
}

static void ask(const struct server *server, int fd)
{
    const char *text = server->http ? request : message;
    char answer[ANSWER];
    size_t size = strlen(text), n = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail("send");
    while (!is_whole(server, answer, n)) {
        errno = ETIMEDOUT;
        ssize_t more = poll(&wait, 1, PATIENCE_MS) == 1
                           ? recv(fd, answer + n, sizeof answer - n, 0)
                           : -1;
        if (more == 0)
            errno = ECONNRESET; /* or a long answer that is not right */
        if (more <= 0)
            fail("receive");
        n += (size_t)more;
    }
}

static long memory_of(const char *process)
{
    char line[256];
    long kib = -1;
    snprintf(line, sizeof line, "/proc/%s/smaps_rollup", process);
    FILE *file = fopen(line, "r");
    if (file == NULL)
        fail(line);
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Anonymous: %ld", &kib) == 1)
            break;
    fclose(file);
    if (kib == -1)
        fail("smaps_rollup");
    return kib;
}

static void hold(const struct server *server, size_t count)
{
    int *fds = calloc(count, sizeof *fds), first = open_one(server);
    if (fds == NULL)
        fail("memory");
    ask(server, first);
    close(first);
    long empty = memory_of(server->process);
    for (size_t i = 0; i < count; i++)
        fds[i] = open_one(server);
    ask(server, fds[count - 1]);
    long idle = memory_of(server->process);
    for (size_t i = 0; i < count; i++)
        ask(server, fds[i]);
    printf("empty %ld idle %ld used %ld\n", empty, idle, memory_of(server->process));
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    free(fds);
}

int main(int argc, char *argv[])
{
    int at = 1;
    struct server server = {.http = argc > 1 && strcmp(argv[1], "--http") == 0};
    at += server.http;
    long count = argc - at == 3 || argc - at == 4 ? strtol(argv[at], NULL, 10) : 0;
    if (count < 1) {
        fprintf(stderr, "usage: %s [--http] CONNECTIONS PID HOST PORT | PATH\n", argv[0]);
        return 2;
    }
    server.process = argv[at + 1];
    server.host = argv[at + 2];
    server.service = argv[at + 3];
    allow_descriptors();
    hold(&server, (size_t)count);
    return fflush(stdout) == 0 ? 0 : 1;
}
