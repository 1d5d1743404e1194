/*
 * claim: with TCP_NODELAY each send() is a segment.
 * predict: TCP_NODELAY is on. We send a head of 5 bytes with MSG_MORE, and then a body of 5 without.
 *   How many segments leave, and when? And without MSG_MORE?
 * why: MSG_MORE says "wait, there is more": the kernel holds the bytes back (for up to 200 ms) until a
 *   send() without it. Head and body leave together, although they lie in two buffers. TCP_CORK is
 *   the same as a switch on the socket, sendmsg() with two pieces the same without a switch.
 */
#include <arpa/inet.h>
#include <linux/tcp.h> /* the whole of struct tcp_info */
#include <netinet/in.h>
#include <stdio.h>
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

static unsigned segments(int fd)
{
    struct tcp_info info = {.tcpi_state = 0};
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info});
    return info.tcpi_data_segs_out;
}

int main(void)
{
    int ours, peer, on = 1;
    connect_pair(&ours, &peer);
    setsockopt(ours, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    unsigned before = segments(ours);
    send(ours, "head:", 5, MSG_MORE);
    unsigned held = segments(ours) - before;
    send(ours, "body.", 5, 0);
    unsigned together = segments(ours) - before;
    printf("send(5, MSG_MORE): %u segments; then send(5): %u\n", held, together);
    before = segments(ours);
    send(ours, "head:", 5, 0);
    send(ours, "body.", 5, 0);
    unsigned apart = segments(ours) - before;
    printf("send(5), send(5): %u segments\n", apart);
    printf("so: with MSG_MORE %u segment%s, without %u\n", together,
           together == 1 ? "" : "s", apart);
    close(ours);
    close(peer);
    return 0;
}
