/*
 * claim: MSG_DONTROUTE keeps a message on this machine.
 * predict: A UDP socket sends with MSG_DONTROUTE: to 127.0.0.1, and to 192.0.2.1, an address that
 *   belongs to no network (RFC 5737). What does sendto() say?
 * why: the flag says "to hosts on a network that this machine is directly connected to, without a
 *   router". Loopback is such a network. For other addresses no router is asked: mostly that is
 *   ENETUNREACH, but where the default route names an interface and no router (a VPN, some virtual
 *   machines) every address is near. It is for diagnosis; a firewall it is not.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool try(int fd, const char *host)
{
    struct sockaddr_in to = {AF_INET, htons(9), .sin_addr.s_addr = inet_addr(host)};
    ssize_t n = sendto(fd, "x", 1, MSG_DONTROUTE, (struct sockaddr *)&to, sizeof to);
    printf("sendto(%s, MSG_DONTROUTE) = %zd %s\n", host, n,
           n == -1 ? strerrorname_np(errno) : "");
    return n == 1;
}

int main(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool near = try(fd, "127.0.0.1"), far = try(fd, "192.0.2.1");
    printf("so: a network of our own is reached %s a router, another one %s\n",
           near ? "without" : "not even with", far ? "too" : "not at all");
    close(fd);
    return 0;
}
