/*
 * claim: when the cable is cut, send() says so.
 * predict: Two ends of a connection, and the network between them goes away. We send "hello", and
 *   wait for an answer; TCP_USER_TIMEOUT is 200 ms. What do send(), and then recv(), say?
 * why: send() puts bytes into the kernel's buffer, and there they are sent again and again. Nothing
 *   comes back that could be an error. Without TCP_USER_TIMEOUT that goes on for some fifteen
 *   minutes; who only reads, and has no heartbeat, waits for ever. (This runs in a network of its
 *   own, made by unshare(). Where that is forbidden, it says so.)
 */
#define _GNU_SOURCE /* unshare(), strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int loopback(short flags)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = flags};
    return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &request) == 0;
}

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
    int ours, peer, limit = 200;
    char text[8];
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1 || !loopback(IFF_UP)) {
        printf("so: no network of its own can be made here (%s)\n",
               strerrorname_np(errno));
        return 0;
    }
    connect_pair(&ours, &peer);
    setsockopt(ours, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
    printf("ours: send() = %zd\n", send(ours, "hello", 5, MSG_NOSIGNAL));
    printf("peer: recv() = %zd\n", recv(peer, text, sizeof text, 0));
    loopback(0);
    printf("the network is gone\nours: send() = %zd\n",
           send(ours, "hello", 5, MSG_NOSIGNAL));
    struct pollfd wait = {.fd = ours, .events = POLLIN};
    printf("ours: poll() = %d, after up to 5 s\n", poll(&wait, 1, 5000));
    ssize_t n = recv(ours, text, sizeof text, MSG_DONTWAIT);
    const char *error = n == -1 ? strerrorname_np(errno) : "";
    printf("ours: recv() = %zd %s\n", n, error);
    n = recv(peer, text, sizeof text, MSG_DONTWAIT);
    printf("peer: recv() = %zd %s\n", n, n == -1 ? strerrorname_np(errno) : "");
    printf(
        "so: send() succeeds; TCP_USER_TIMEOUT tells us later: %s; the peer is not told\n",
        error);
    close(ours);
    close(peer);
    return 0;
}
