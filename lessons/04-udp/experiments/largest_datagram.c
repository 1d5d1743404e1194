/*
 * claim: A UDP datagram holds up to 65535 bytes.
 * predict: send() is tried with 65507, 65508, 65527 and 65528 bytes, over IPv4 and over IPv6. Which of
 *   them does it take? Is the rest sent as a second datagram?
 * why: Both length fields count heads: UDP's own its 8 bytes, and IPv4's the 20 of IP as well, so 65507
 *   bytes are left (IPv6 does not count its own head: 65527). More is EMSGSIZE, and nothing is sent:
 *   half a datagram would be another message. Beyond the path's MTU it travels in fragments, and
 *   is lost when one of them is: 1200 bytes or so are what people dare to send.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The largest size that went through, whole. */
static size_t try(const char *kind, struct sockaddr *here, socklen_t length)
{
    static const size_t sizes[] = {65507, 65508, 65527, 65528};
    static char bytes[1 << 16];
    size_t largest = 0;
    int to = socket(here->sa_family, SOCK_DGRAM, 0);
    int from = socket(here->sa_family, SOCK_DGRAM, 0);
    bind(to, here, length);
    getsockname(to, here, &length);
    connect(from, here, length);
    for (int i = 0; i < 4; i++) {
        ssize_t n = send(from, bytes, sizes[i], 0);
        printf("%s: send(%zu bytes) = %zd%s%s\n", kind, sizes[i], n, n == -1 ? " " : "",
               n == -1 ? strerrorname_np(errno) : "");
        ssize_t came = recv(to, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0 && came == n)
            largest = sizes[i];
    }
    close(to);
    close(from);
    return largest;
}

int main(void)
{
    struct sockaddr_in v4 = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    size_t four = try("IPv4", (struct sockaddr *)&v4, sizeof v4);
    size_t six = try("IPv6", (struct sockaddr *)&v6, sizeof v6);
    printf(
        "so: the largest over IPv4 is %zu bytes, over IPv6 %zu (0: there is no IPv6)\n",
        four, six);
    return 0;
}
