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

/* The longest message. */
enum { MESSAGE_MAX = 64 * 1024 };

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

/*
 * TODO 9: send back what the client sends, until it ends or breaks off. A message comes back as
 * one. TODO 11: or until `stop` is readable, whatever this waits for just then.
 */
static void echo(int client, int type, int stop)
{
    (void)client, (void)type, (void)stop; /* delete this line */
}

/* One client after another; those who come meanwhile wait in the listener's queue. */
static void serve_connections(int listener, int type, int stop)
{
    /* TODO 9: tcp_accept() takes connections of any family. echo(), close, and again. What if no
       descriptor is free?
       TODO 11: wait for the listener and for `stop` at once, with poll(). Return when it is `stop`. */
    (void)listener, (void)type, (void)stop, (void)echo; /* delete this line */
}

/* Each datagram goes back where it came from; who cannot be answered at once is not waited for. */
static void serve_datagrams(int fd, int stop)
{
    /* TODO 10: recvfrom(), sendto(). Nothing is accepted, nobody takes turns.
       TODO 11: as above. */
    (void)fd, (void)stop, (void)complain; /* delete this line */
}

/* The listener, or the datagram socket, at path; a dead server's file gives way. Or -1. */
static int open_server(int type, const char *path)
{
    /* TODO 9: local_unlink_stale(), and then the function for this type.
       TODO 10: and the one for datagrams. */
    (void)type, (void)path; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

static void serve(int fd, int type, int stop)
{
    if (type == SOCK_DGRAM)
        serve_datagrams(fd, stop);
    else
        serve_connections(fd, type, stop);
}

/* The end: the file goes with its server. */
static void close_server(int fd, const char *path)
{
    close(fd);
    /* TODO 11: remove the file. What if another server has put its own there? */
    (void)path; /* delete this line */
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
