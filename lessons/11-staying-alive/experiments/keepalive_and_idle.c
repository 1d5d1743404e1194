/*
 * claim: SO_KEEPALIVE notices a peer that says nothing any more.
 * predict: The peer's program hangs: it neither reads nor writes. We have SO_KEEPALIVE on, with
 *   TCP_KEEPIDLE 1 s, TCP_KEEPINTVL 1 s, TCP_KEEPCNT 1. After 2.5 s: what does recv() say?
 * why: a probe is answered by the peer's kernel, which is well. Keep-alive asks whether the machine
 *   is there, a heartbeat whether the program is. An idle timer (heartbeat-server's 3 s) asks nobody:
 *   it is the program's own, and closes what has been silent. And without TCP_KEEPIDLE the first
 *   probe is sent after two hours.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

static int number(int fd, int option)
{
    int value = 0;
    getsockopt(fd, IPPROTO_TCP, option, &value, &(socklen_t){sizeof value});
    return value;
}

int main(void)
{
    int ours, peer, on = 1;
    char byte;
    connect_pair(&ours, &peer);
    printf("as it comes: TCP_KEEPIDLE %d s, TCP_KEEPINTVL %d s, TCP_KEEPCNT %d\n",
           number(ours, TCP_KEEPIDLE), number(ours, TCP_KEEPINTVL),
           number(ours, TCP_KEEPCNT));
    setsockopt(ours, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(ours, IPPROTO_TCP, TCP_KEEPIDLE, &on, sizeof on);
    setsockopt(ours, IPPROTO_TCP, TCP_KEEPINTVL, &on, sizeof on);
    setsockopt(ours, IPPROTO_TCP, TCP_KEEPCNT, &on, sizeof on);
    int ready = poll(&(struct pollfd){.fd = ours, .events = POLLIN}, 1, 2500);
    printf("ours: poll() = %d, after 2.5 s\n", ready);
    ssize_t n = recv(ours, &byte, 1, MSG_DONTWAIT);
    printf("ours: recv() = %zd %s\n", n, n == -1 ? strerrorname_np(errno) : "");
    struct tcp_info info = {.tcpi_state = 0};
    getsockopt(ours, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info});
    printf("ours: the last acknowledgement is %s\n",
           info.tcpi_last_ack_recv < 1900 ? "younger than 1.9 s: a probe was answered"
                                          : "as old as the connection");
    printf("so: %s\n", ready == 0 ? "the peer's kernel answers for a program that hangs"
                                  : "the connection has ended");
    close(ours);
    close(peer);
    return 0;
}
