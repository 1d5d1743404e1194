/*
 * echo-server HOST PORT: send back to each client what it sends, one client after another.
 *
 * PORT 0 lets the kernel choose. The first line of output says where the server listens.
 * SIGINT and SIGTERM stop it at any moment, with status 0. A client that breaks off costs nobody
 * else anything. While no descriptor is free, clients wait in the queue, and the server looks again
 * several times a second without spinning.
 */
#define _POSIX_C_SOURCE 200809L
#include "tcp.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Say where the server listens. Whoever started it may be waiting for this line. */
static bool announce(int listener)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[ADDRESS_TEXT_SIZE];
    return getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
           address_text((struct sockaddr *)&address, length, text, sizeof text) == 0 &&
           printf("listening on %s\n", text) > 0 && fflush(stdout) == 0;
}

/*
 * A descriptor that becomes readable when SIGINT or SIGTERM comes (Linux: signalfd(2)). A signal
 * that can be polled for cannot slip in between a look at a flag and the call that blocks.
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
 * TODO 6: send back what the client sends, until it ends its stream or breaks off.
 * TODO 7: or until `stop` is readable, whatever this waits for just then.
 */
static void echo(int client, int stop)
{
    (void)client, (void)stop; /* delete this line */
}

/* One client after another; those who come meanwhile wait in the listener's queue. */
static void serve(int listener, int stop)
{
    /* TODO 6: accept a client, echo(), close, and again. What if no descriptor is free?
       TODO 7: wait for the listener and for `stop` at once, with poll(). Return when it is `stop`. */
    (void)listener, (void)stop, (void)echo; /* delete this line */
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: echo-server HOST PORT\n");
        return 2;
    }
    int stop = stop_descriptor();
    int listener = tcp_listen(argv[1], argv[2], SOMAXCONN);
    if (stop == -1 || listener == -1 || !announce(listener)) {
        perror("echo-server");
        return 1;
    }
    serve(listener, stop);
    return 0;
}
