/*
 * claim: After shutdown(SHUT_RD) buffered data is discarded, and every read returns the
 *   end of the stream.
 * predict: The peer sends "one". We call shutdown(SHUT_RD), then the peer sends "later".
 *   What do our reads return, over TCP? And over AF_UNIX?
 * why: TCP has no word for "I read no more": SHUT_RD sends nothing. Linux only notes
 *   that reads shall not wait any longer; bytes that are there, or that come later, are
 *   read as ever. AF_UNIX is one kernel at both ends, and can tell the sender: EPIPE.
 *   Other kernels treat SHUT_RD in other ways: do not build on it.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
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

static ssize_t said(const char *call, ssize_t n)
{
    printf("%s = %zd%s%s\n", call, n, n == -1 ? " " : "",
           n == -1 ? strerrorname_np(errno) : "");
    return n;
}

/* What the last read returns, after shutdown(SHUT_RD); -1: the peer could not send. */
static ssize_t try(int ours, int peer)
{
    int under_way = 1;
    char bytes[16];
    said("peer: send(\"one\")", send(peer, "one", 3, MSG_NOSIGNAL));
    poll(&(struct pollfd){.fd = ours, .events = POLLIN}, 1, -1);
    said("ours: shutdown(SHUT_RD)", shutdown(ours, SHUT_RD));
    said("ours: recv()", recv(ours, bytes, sizeof bytes, 0));
    said("ours: recv()", recv(ours, bytes, sizeof bytes, 0));
    ssize_t n = said("peer: send(\"later\")", send(peer, "later", 5, MSG_NOSIGNAL));
    while (n > 0 && ioctl(peer, TIOCOUTQ, &under_way) == 0 && under_way > 0)
        poll(NULL, 0, 1); /* until our kernel has acknowledged it */
    ssize_t last = said("ours: recv()", recv(ours, bytes, sizeof bytes, 0));
    close(ours);
    close(peer);
    return n == -1 ? -1 : last;
}

int main(void)
{
    int ours, peer, local[2];
    puts("TCP:");
    connect_pair(&ours, &peer);
    ssize_t tcp = try(ours, peer);
    puts("AF_UNIX:");
    socketpair(AF_UNIX, SOCK_STREAM, 0, local);
    int told = try(local[0], local[1]) == -1;
    printf("so: after SHUT_RD, TCP %s; AF_UNIX %s\n",
           tcp > 0 ? "still reads what comes" : "reads nothing more",
           told ? "tells the sender" : "lets the sender go on");
    return 0;
}
