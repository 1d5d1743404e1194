/*
 * claim: With a backlog of 3, the fourth client is refused.
 * predict: A server calls listen(fd, 3) and never accept(). Eight clients connect. How many are
 *   connected, how many refused, and what happens to the rest?
 * why: Linux queues backlog + 1 connections. When the queue is full it drops the SYN of the next
 *   client: no RST, just silence. The client's TCP asks again after 1, 2, 4 ... seconds, so that a
 *   server that catches up loses nobody. (Other kernels may count differently; with
 *   net.ipv4.tcp_abort_on_overflow Linux sends an RST in some cases.)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 3, CLIENTS = 8 };

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, length);
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("listen(%d, %d) = %d\n", listener, BACKLOG, listen(listener, BACKLOG));

    int client[CLIENTS], connected = 0, refused = 0, waiting = 0;
    for (int i = 0; i < CLIENTS; i++) {
        client[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(client[i], (struct sockaddr *)&address, length);
        struct pollfd ready = {.fd = client[i], .events = POLLOUT};
        const char *state;
        if (poll(&ready, 1, 0) == 0)
            state = "no answer yet", waiting++;
        else if (ready.revents & POLLERR)
            state = "refused", refused++;
        else
            state = "connected", connected++;
        printf("client %d: connect(%d): %s\n", i + 1, client[i], state);
    }
    printf("so: backlog %d: %d connected, %d refused, %d left to wait\n", BACKLOG,
           connected, refused, waiting);
    for (int i = 0; i < CLIENTS; i++)
        close(client[i]);
    close(listener);
    return 0;
}
