/*
 * claim: when the peer resets or closes the connection, the program is told.
 * predict: The peer sends an RST. Our program then does nothing for a while: no call fails. Later it
 *   asks: getsockopt(TCP_INFO), poll(), send(), recv(). Which of them know?
 * why: the kernel knows at once, and keeps it for who asks: poll() wakes for it, a read or a write
 *   takes the error, and takes it only once. A program that is busy elsewhere, or waits on a timer
 *   alone, learns nothing. (SIGPIPE is no message of the peer's: it comes of writing.)
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

static void show(const char *call, ssize_t n)
{
    printf("ours: %s = %zd %s\n", call, n, n == -1 ? strerrorname_np(errno) : "");
}

int main(void)
{
    int ours, peer;
    char byte;
    connect_pair(&ours, &peer);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
               sizeof(struct linger));
    close(peer);
    puts("peer: close(), with RST");
    struct pollfd wait = {.fd = ours, .events = POLLIN | POLLRDHUP};
    int ready = poll(&wait, 1, 1000);
    printf("ours: poll() = %d:%s%s%s%s\n", ready, wait.revents & POLLIN ? " POLLIN" : "",
           wait.revents & POLLRDHUP ? " POLLRDHUP" : "",
           wait.revents & POLLERR ? " POLLERR" : "",
           wait.revents & POLLHUP ? " POLLHUP" : "");
    struct tcp_info info = {.tcpi_state = 0};
    getsockopt(ours, IPPROTO_TCP, TCP_INFO, &info, &(socklen_t){sizeof info});
    printf("ours: TCP_INFO says %s\n", info.tcpi_state == TCP_CLOSE ? "closed" : "open");
    show("recv()", recv(ours, &byte, 1, MSG_DONTWAIT));
    ssize_t second = recv(ours, &byte, 1, MSG_DONTWAIT);
    show("recv(), again", second);
    show("send()", send(ours, "x", 1, MSG_NOSIGNAL));
    puts("so: nobody interrupted us; who asked was told, and of the error only once");
    close(ours);
    return 0;
}
