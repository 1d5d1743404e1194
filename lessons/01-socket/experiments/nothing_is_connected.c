/*
 * claim: socket() makes a connection.
 * predict: A TCP socket, just made. What is its own address, what is its peer's, and what
 *   does send() on it say? And send() on a UDP socket just made?
 * why: socket() makes an endpoint: memory in the kernel and a number for it. No packet is
 *   sent; it has address 0.0.0.0, port 0 and no peer (ENOTCONN). TCP's send() says EPIPE,
 *   as on a broken connection, and would raise SIGPIPE; UDP asks where to: EDESTADDRREQ.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *name_of(int result, int error)
{
    if (result != -1)
        return "";
    return error == ENOTCONN       ? " ENOTCONN"
           : error == EPIPE        ? " EPIPE"
           : error == EDESTADDRREQ ? " EDESTADDRREQ"
                                   : strerror(error);
}

static int try_send(const char *kind, int fd)
{
    ssize_t n = send(fd, "hello", 5, MSG_NOSIGNAL);
    printf("send(%d, \"hello\") on %s = %zd%s\n", fd, kind, n, name_of((int)n, errno));
    return n != -1;
}

int main(void)
{
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    printf("socket(...) = %d (TCP), %d (UDP)\n", tcp, udp);

    struct sockaddr_in own = {.sin_port = 1};
    int result = getsockname(tcp, (struct sockaddr *)&own, &(socklen_t){sizeof own});
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &own.sin_addr, text, sizeof text);
    printf("getsockname(%d) = %d: %s, port %d\n", tcp, result, text, ntohs(own.sin_port));

    struct sockaddr_in peer;
    result = getpeername(tcp, (struct sockaddr *)&peer, &(socklen_t){sizeof peer});
    printf("getpeername(%d) = %d%s\n", tcp, result, name_of(result, errno));

    int sent = try_send("TCP", tcp) + try_send("UDP", udp);
    close(tcp);
    close(udp);
    if (result == -1 && sent == 0)
        puts("so: it has no address, no peer, and takes no data: only an endpoint");
    else
        puts("so: on this system a new socket is more than an endpoint");
    return 0;
}
