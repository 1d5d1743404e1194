/*
 * local-echo-server [--type stream|datagram|seqpacket] PATH: send back what comes. (Without
 * --type: stream.)
 *
 * stream, seqpacket  one client after another
 * datagram           each datagram to the address that it came from
 *
 * The first line of output says where it listens. A file that a dead server left at PATH is
 * replaced; where a server lives, or a file is no socket, all stays as it is, and the status is
 * 1. SIGINT and SIGTERM stop it at any moment, with status 0, and its file goes with it; never
 * another server's.
 *
 * A message (datagram, seqpacket) of up to MESSAGE_MAX bytes comes back whole and alone; a longer
 * one, which would be cut, does not come back. A packet of 0 bytes reads as the end does, and ends
 * the connection; a datagram of 0 bytes comes back. A datagram's answer that finds no room, or
 * nobody, is dropped, never waited for (MSG_DONTWAIT): its sender has no name, or is gone, or does
 * not read. Answers that the kernel holds for one client count against the server's send buffer:
 * if its queue is long (net.unix.max_dgram_qlen), those of others find no room either. Standard
 * error tells of each message that does not come back, and of nothing else. No client that breaks
 * off, or is silent, or does not read makes the others wait for more than their turn.
 */
#define _POSIX_C_SOURCE 200809L
#include "local.h"
#include "tcp.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* How long poll() waits, the longest message, and when to look for a free descriptor. */
enum { FOREVER = -1, MESSAGE_MAX = 64 * 1024, SOON_MS = 100 };

static void complain(const char *about, const char *what)
{
    fprintf(stderr, "local-echo-server: %s: %s\n", about, what);
}

/*
 * A descriptor that becomes readable when SIGINT or SIGTERM comes (Linux: signalfd(2)), so
 * that the wait for a client and the wait for a signal are one.
 */
static int stop_descriptor(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Wait until fd is ready for events. False: it is time to stop. */
static bool ready(int fd, short events, int stop)
{
    struct pollfd wait[] = {{.fd = fd, .events = events}, {.fd = stop, .events = POLLIN}};
    while (wait[0].revents == 0 && wait[1].revents == 0)
        poll(wait, 2, FOREVER); /* if it fails, nothing is ready, and it is asked again */
    return wait[1].revents == 0;
}

/* Send all n bytes: a message at once, a stream's in what pieces it takes. False: give it up. */
static bool send_back(int client, const char *bytes, size_t n, int stop)
{
    while (n > 0) {
        if (!ready(client, POLLOUT, stop))
            return false;
        ssize_t sent = send(client, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent == -1 && errno != EAGAIN)
            return false;
        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
        }
    }
    return true;
}

/* Send back what the client sends, until it ends or breaks off, or it is time to stop. */
static void echo(int client, int type, int stop)
{
    char bytes[MESSAGE_MAX + 1]; /* one more tells a message that is too long */
    while (ready(client, POLLIN, stop)) {
        ssize_t n = recv(client, bytes, sizeof bytes, 0);
        if (n <= 0)
            return;
        if (type == SOCK_SEQPACKET && n > MESSAGE_MAX)
            complain("no echo", strerror(EMSGSIZE));
        else if (!send_back(client, bytes, (size_t)n, stop))
            return;
    }
}

/* One client after another; those who come meanwhile wait in the listener's queue. */
static void serve_connections(int listener, int type, int stop)
{
    while (ready(listener, POLLIN, stop)) {
        int client =
            tcp_accept(listener, NULL, NULL); /* takes connections of any family */
        if (client ==
            -1) { /* no descriptor is free: the client waits, and we do not spin */
            poll(&(struct pollfd){.fd = stop, .events = POLLIN}, 1, SOON_MS);
            continue;
        }
        echo(client, type, stop);
        close(client);
    }
}

/* Each datagram goes back where it came from; who cannot be answered at once is not waited for. */
static void serve_datagrams(int fd, int stop)
{
    char bytes[MESSAGE_MAX + 1];
    struct sockaddr_un client;
    while (ready(fd, POLLIN, stop)) {
        socklen_t length = sizeof client;
        ssize_t n =
            recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&client, &length);
        if (n > MESSAGE_MAX)
            complain("no echo", strerror(EMSGSIZE));
        else if (n == -1 || sendto(fd, bytes, (size_t)n, MSG_DONTWAIT,
                                   (struct sockaddr *)&client, length) == -1)
            complain("no echo", strerror(errno)); /* without a name: ENOTCONN */
    }
}

/* The listener, or the datagram socket, at path; a dead server's file gives way. Or -1. */
static int open_server(int type, const char *path)
{
    if (local_unlink_stale(path) != 0)
        return -1;
    switch (type) {
    case SOCK_STREAM: return local_listen(path, SOMAXCONN);
    case SOCK_SEQPACKET: return local_listen_packets(path, SOMAXCONN);
    default: return local_bind_datagram(path);
    }
}

static void serve(int fd, int type, int stop)
{
    if (type == SOCK_DGRAM)
        serve_datagrams(fd, stop);
    else
        serve_connections(fd, type, stop);
}

/* Once closed, our own file is a dead server's too; what another has put in its place is not. */
static void close_server(int fd, const char *path)
{
    close(fd);
    local_unlink_stale(path);
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
                "usage: local-echo-server [--type stream|datagram|seqpacket] PATH\n");
        return 2;
    }
    const char *path = argv[argc - 1];
    int stop = stop_descriptor();
    int fd = open_server(type, path);
    if (stop == -1 || fd == -1) {
        complain(path, strerror(errno));
        return 1;
    }
    printf("listening on %s\n", path); /* whoever started us may be waiting for it */
    bool announced = fflush(stdout) == 0;
    if (announced)
        serve(fd, type, stop);
    close_server(fd, path);
    return announced ? 0 : 1;
}
