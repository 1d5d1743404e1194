/*
 * claim: A server must know its port before it calls bind().
 * predict: What does getsockname() say of a new socket, of one that was bound to port 0, and of one
 *   on which listen() was called without any bind()?
 * why: Port 0 means "any that is free": bind() chooses, and getsockname() tells. Without bind(),
 *   listen() chooses in the same way, at every interface. Tests love this: no two servers ever
 *   want the same port.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int port_of(const char *what, int fd)
{
    struct sockaddr_in address = {.sin_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &length);
    printf("%-28s getsockname(%d) = %s:%d\n", what, fd, inet_ntoa(address.sin_addr),
           ntohs(address.sin_port));
    return ntohs(address.sin_port);
}

int main(void)
{
    struct sockaddr_in zero = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int bound = socket(AF_INET, SOCK_STREAM, 0),
        unbound = socket(AF_INET, SOCK_STREAM, 0);
    int before = port_of("socket()", bound);
    bind(bound, (struct sockaddr *)&zero, sizeof zero);
    int after = port_of("bind(127.0.0.1, port 0)", bound);
    listen(unbound, 5);
    int by_listen = port_of("listen() without bind()", unbound);
    printf("so: bind() to port 0 %s a port; listen() alone %s one\n",
           before == 0 && after != 0 ? "chose" : "did not choose",
           by_listen != 0 ? "chose" : "did not choose");
    close(bound), close(unbound);
    return 0;
}
