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

/* How long poll() waits, how much recv() takes at once, and when to look for a free descriptor. */
enum { FOREVER = -1, CHUNK = 64 * 1024, SOON_MS = 100 };

/* Say where the server listens. Whoever started it may be waiting for this line. */
static bool announce(int listener)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[ADDRESS_TEXT_SIZE];
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        address_text((struct sockaddr *)&address, length, text, sizeof text) != 0)
        return false;
    printf("listening on %s\n", text);
    return fflush(stdout) == 0;
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

/* Wait until fd is ready for events. False: it is time to stop. */
static bool ready(int fd, short events, int stop)
{
    struct pollfd wait[] = {{.fd = fd, .events = events}, {.fd = stop, .events = POLLIN}};
    while (wait[0].revents == 0 && wait[1].revents == 0)
        poll(wait, 2, FOREVER); /* if it fails, nothing is ready, and it is asked again */
    return wait[1].revents == 0;
}

/* Send all n bytes. False: the connection broke, or it is time to stop. */
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

/* Send back what the client sends, until it ends its stream or breaks off, or it is time to stop. */
static void echo(int client, int stop)
{
    char bytes[CHUNK];
    ssize_t n;
    do {
        if (!ready(client, POLLIN, stop))
            return;
        n = recv(client, bytes, sizeof bytes, 0);
    } while (n > 0 && send_back(client, bytes, (size_t)n, stop));
}

/* One client after another; those who come meanwhile wait in the listener's queue. */
static void serve(int listener, int stop)
{
    while (ready(listener, POLLIN, stop)) {
        int client = tcp_accept(listener, NULL, NULL);
        if (client == -1) {
            /* No descriptor is free (EMFILE). The client stays in the queue and the listener
               ready: to ask again at once would be to ask a million times. */
            poll(&(struct pollfd){.fd = stop, .events = POLLIN}, 1, SOON_MS);
            continue;
        }
        echo(client, stop);
        close(client);
    }
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
