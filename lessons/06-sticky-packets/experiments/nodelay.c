/*
 * claim: TCP_NODELAY cures sticky packets.
 * predict: With TCP_NODELAY set, "a" and "b" are sent, each in a segment of its own: the
 *   reader's kernel counts the segments. How many recv() calls does it take to get both?
 * why: TCP_NODELAY stops Nagle's algorithm, which keeps small segments back while others are
 *   not acknowledged. It decides when bytes leave. How they are read is another matter: the
 *   receiving kernel puts the bytes of all segments into one queue, and recv() empties it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/tcp.h> /* its struct tcp_info counts segments */
#include <netinet/in.h>
#include <stdio.h>
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

int main(void)
{
    int ours = -1, peer = -1, on = 1, waiting = 0;
    char text[64];
    struct tcp_info info = {0};
    connect_pair(&ours, &peer);
    int set = setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    printf("setsockopt(TCP_NODELAY) = %d\n", set);
    printf("send(\"a\") = %zd\n", send(peer, "a", 1, MSG_NOSIGNAL));
    printf("send(\"b\") = %zd\n", send(peer, "b", 1, MSG_NOSIGNAL));
    while (waiting < 2) /* until both have come */
        ioctl(ours, FIONREAD, &waiting);
    getsockopt(ours, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info});
    printf("%u segments with data have come\n", (unsigned)info.tcpi_data_segs_in);
    ssize_t n = recv(ours, text, sizeof text, 0);
    printf("recv() = %zd \"%.*s\"\n", n, (int)n, text);
    printf("so: %u segments were read by one recv() as %zd byte%s: TCP_NODELAY %s\n",
           (unsigned)info.tcpi_data_segs_in, n, n == 1 ? "" : "s",
           n == 2 ? "cures nothing" : "kept them apart here");
    close(ours);
    close(peer);
    return 0;
}
