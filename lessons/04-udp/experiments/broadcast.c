/*
 * claim: One datagram can go to everybody on a network.
 * predict: Two sockets listen at one port of every interface. A third sends to 127.255.255.255, the
 *   broadcast address of loopback: once as it is, once with SO_BROADCAST set. What do the calls say?
 * why: An address that was mistyped must not wake up a whole network, so the kernel asks for a promise:
 *   SO_BROADCAST. It takes no privilege, only the intention. IPv6 has no broadcast at all, only
 *   multicast. (Two sockets can share the port as both set SO_REUSEADDR: see shared_port.)
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *send_to_all(int fd, in_port_t port)
{
    struct sockaddr_in all = {AF_INET, port, .sin_addr.s_addr = htonl(0x7FFFFFFF)};
    ssize_t n = sendto(fd, "all", 3, 0, (struct sockaddr *)&all, sizeof all);
    const char *error = n == -1 ? strerrorname_np(errno) : "0";
    printf("sendto(127.255.255.255:%d) = %zd %s\n", ntohs(port), n, n == -1 ? error : "");
    return error;
}

int main(void)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    const int on = 1;
    char bytes[8];
    int heard = 0, servers[2];
    for (int i = 0; i < 2; i++) {
        servers[i] = socket(AF_INET, SOCK_DGRAM, 0);
        setsockopt(servers[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        bind(servers[i], (struct sockaddr *)&here, sizeof here);
        getsockname(servers[i], (struct sockaddr *)&here, &(socklen_t){sizeof here});
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const char *first = send_to_all(fd, here.sin_port);
    printf("setsockopt(SO_BROADCAST) = %d\n",
           setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on));
    send_to_all(fd, here.sin_port);
    for (int i = 0; i < 2; i++)
        heard += recv(servers[i], bytes, sizeof bytes, MSG_DONTWAIT) == 3;
    printf(
        "so: without SO_BROADCAST %s; with it, %d of 2 sockets heard the one datagram\n",
        strcmp(first, "EACCES") == 0 ? "EACCES" : "it is sent", heard);
    return 0;
}
