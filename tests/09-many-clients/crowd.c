/*
 * crowd: many clients from one process, for threads.bats.
 *
 * usage: crowd CLIENTS SPEAKERS LINES PORT PATH
 *
 * Half of the clients come by TCP, half by the path. Each hears its greeting; then the first SPEAKERS say LINES lines each, while
 * all hear. Two in a hundred do not read at all, one in a hundred resets its connection, and up to fifty in a hundred say "/quit"
 * in the middle of it: with none of these, the others have heard every line. Prints how many lines were said, and how many
 * of them the others did not hear.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct client {
    int fd;
    int said;        /* lines */
    long heard;      /* lines */
    bool deaf, gone; /* does not read; has reset its connection, or said that it goes */
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_client(int i, int port, const char *path)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    bool local = i % 2 == 1;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    if (fd == -1 || (local ? connect(fd, (struct sockaddr *)&un, sizeof un)
                           : connect(fd, (struct sockaddr *)&in, sizeof in)) == -1)
        fail("connect");
    return fd;
}

/* Count the lines that have come. */
static void hear(struct client *client)
{
    char bytes[65536];
    ssize_t n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0 || (n == -1 && errno != EAGAIN))
        fail("a client was sent away");
    for (ssize_t i = 0; i < n; i++)
        client->heard += bytes[i] == '\n';
}

/* At every second line that is said, the next one in each hundred goes. */
static void some_quit(struct client *clients, int n, int speakers, int turn)
{
    for (int i = speakers; i < n; i++)
        if (i % 100 < 96 && i % 100 - 46 == turn / 2 && !clients[i].gone) {
            clients[i].gone = true;
            if (send(clients[i].fd, "/quit\n", 6, MSG_NOSIGNAL) != 6)
                fail("send");
        }
}

static void hear_all(struct client *clients, struct pollfd *waits, int n, int timeout)
{
    for (int i = 0; i < n; i++)
        waits[i] =
            (struct pollfd){.fd = clients[i].deaf || clients[i].gone ? -1 : clients[i].fd,
                            .events = POLLIN};
    if (poll(waits, (nfds_t)n, timeout) == -1)
        fail("poll");
    for (int i = 0; i < n; i++)
        if (waits[i].revents)
            hear(&clients[i]);
}

int main(int argc, char *argv[])
{
    struct rlimit files;
    if (argc != 6 || getrlimit(RLIMIT_NOFILE, &files) == -1)
        return 2;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int n = atoi(argv[1]), speakers = atoi(argv[2]), lines = atoi(argv[3]);
    struct client *clients = calloc((size_t)n, sizeof *clients);
    struct pollfd *waits = calloc((size_t)n, sizeof *waits);
    if (clients == NULL || waits == NULL)
        fail("calloc");
    for (int i = 0; i < n; i++) {
        char byte = 0;
        clients[i].fd = open_client(i, atoi(argv[4]), argv[5]);
        while (byte != '\n') /* its greeting */
            if (recv(clients[i].fd, &byte, 1, 0) != 1)
                fail("greeting");
    }
    for (int i = speakers; i < n; i++) {
        clients[i].deaf = i % 100 >= 97;
        clients[i].gone = i % 100 == 96;
        struct linger none = {.l_onoff = 1};
        if (clients[i].gone &&
            (setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &none, sizeof none) == -1 ||
             close(clients[i].fd) == -1))
            fail("close");
    }
    for (int said = 0; said < lines; said++)
        for (int i = 0; i < speakers; i++) {
            if (send(clients[i].fd, "hello, all of you\n", 18, MSG_NOSIGNAL) != 18)
                fail("send");
            some_quit(clients, n, speakers, said * speakers + i);
            hear_all(clients, waits, n, 0);
        }
    for (bool all = false; !all;) {
        hear_all(clients, waits, n, 1000);
        all = true;
        for (int i = 0; i < n; i++) {
            long due = (long)lines * (speakers - (i < speakers));
            if (!clients[i].deaf && !clients[i].gone && clients[i].heard != due)
                all = clients[i].heard > due;
        }
    }
    long wrong = 0;
    for (int i = 0; i < n; i++)
        wrong += !clients[i].deaf && !clients[i].gone &&
                 clients[i].heard != (long)lines * (speakers - (i < speakers));
    printf("%d lines said, %ld clients heard another number\n", lines * speakers, wrong);
    free(clients);
    free(waits);
    return wrong != 0;
}
