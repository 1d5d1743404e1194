/*
 * claim: A stream loses nothing.
 * predict: We send "precious", it arrives, and we abort the connection (RST). Can the
 *   peer still read it? And if we send until neither kernel takes more, and abort: does
 *   the peer get all of it?
 * why: TCP repeats what is lost as long as the connection lives, and an RST ends its
 *   life. What our kernel had not yet delivered is thrown away. What had arrived can
 *   still be read on Linux, before the error; other kernels may throw that away too.
 *   After an RST nothing is promised.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two ends of one TCP connection over loopback. */
static void connect_pair(int *ours, int *peer)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    *ours = socket(AF_INET, SOCK_STREAM, 0);
    connect(*ours, (struct sockaddr *)&here, sizeof here);
    *peer = accept(listener, NULL, NULL);
    close(listener);
}

static size_t send_all_that_fits(int fd)
{
    static const char bytes[4096];
    size_t sent = 0;
    ssize_t n;
    while ((n = send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
        sent += (size_t)n;
    return sent;
}

/* Aborts, and lets the peer read on. How many bytes it got. */
static size_t abort_after(size_t sent, int ours, int peer)
{
    static char bytes[65536];
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    size_t got = 0;
    ssize_t n;
    setsockopt(ours, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    printf("ours: sent %zu bytes, SO_LINGER {1, 0}, close() = %d\n", sent, close(ours));
    poll(&(struct pollfd){.fd = peer}, 1, -1); /* until the RST has come */
    while ((n = recv(peer, bytes, sizeof bytes, 0)) > 0)
        got += (size_t)n;
    printf("peer: read %zu bytes, then recv() = %zd %s\n", got, n,
           n == -1 ? strerrorname_np(errno) : "");
    close(peer);
    return got;
}

int main(void)
{
    int ours, peer;
    connect_pair(&ours, &peer);
    ssize_t few = send(ours, "precious", 8, MSG_NOSIGNAL);
    poll(&(struct pollfd){.fd = peer, .events = POLLIN}, 1, -1); /* it has arrived */
    int kept = abort_after((size_t)few, ours, peer) == 8;
    connect_pair(&ours, &peer);
    size_t sent = send_all_that_fits(ours);
    int lost = abort_after(sent, ours, peer) < sent;
    printf("so: what had arrived %s, what was under way %s\n",
           kept ? "could be read" : "was lost", lost ? "was lost" : "still came");
    return 0;
}
