/*
 * claim: SO_REUSEPORT shares connections evenly.
 * predict: Two sockets listen on one port, both with SO_REUSEPORT. 100 clients connect. How many does
 *   each get: 50 and 50? And what does a third one without the option hear from bind()?
 * why: The kernel computes a hash of the addresses and ports of both ends, and that chooses the listener: near
 *   half over many connections, but not each in turn, and not the one that has less to do. Every listener
 *   must have asked for it, or bind() says EADDRINUSE. But any program of the same user may ask:
 *   start a server twice by mistake, and each gets half of the clients.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 100 };

static int listen_at(struct sockaddr_in *here, int on)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)here, sizeof *here) == -1) {
        close(fd);
        return -1;
    }
    listen(fd, CLIENTS);
    getsockname(fd, (struct sockaddr *)here, &(socklen_t){sizeof *here});
    return fd;
}

int main(void)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int first = listen_at(&here, 1), second = listen_at(&here, 1), got[2] = {0, 0};
    for (int i = 0; i < CLIENTS; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        connect(client, (struct sockaddr *)&here, sizeof here);
        struct pollfd wait[] = {{first, POLLIN, 0}, {second, POLLIN, 0}};
        poll(wait, 2, -1);
        int which = wait[0].revents ? 0 : 1;
        got[which]++;
        close(accept(wait[which].fd, NULL, NULL));
        close(client);
    }
    printf("the first accepted %d clients, the second %d\n", got[0], got[1]);
    int third = listen_at(&here, 0);
    printf("a third without the option: bind() says %s\n",
           third == -1 ? strerror(errno) : "yes");
    printf("so: %d clients in all, as the hash would have it\n", got[0] + got[1]);
    close(first);
    close(second);
    return 0;
}
