/*
 * claim: Every server should set SO_REUSEADDR.
 * predict: A UDP server sets it and binds a port. Then a second one does the same, with the same port.
 *   Which call fails? And who gets the datagrams?
 * why: For a TCP listener the option means "bind over TIME_WAIT" (lesson 02). UDP has no TIME_WAIT, and
 *   there it means "I share this port", for multicast. What is sent to one address goes to one of
 *   the sockets: on Linux the one bound last. The first server hears nothing more, and is not told.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_server(bool reuse)
{
    int on = reuse, fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return fd;
}

static bool bind_and_tell(const char *who, int fd, const struct sockaddr_in *here)
{
    bool bound = bind(fd, (const struct sockaddr *)here, sizeof *here) == 0;
    printf("%s: bind() = %s\n", who, bound ? "0" : strerrorname_np(errno));
    return bound;
}

/* Was the second server let in? heard: how many datagrams each got. */
static bool try(bool reuse, int heard[2])
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int servers[2] = {open_server(reuse), open_server(reuse)};
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    char byte;
    printf("%s SO_REUSEADDR:\n", reuse ? "with" : "without");
    bind_and_tell("first", servers[0], &here);
    getsockname(servers[0], (struct sockaddr *)&here, &(socklen_t){sizeof here});
    bool second = bind_and_tell("second", servers[1], &here);
    for (int i = 0; i < 10; i++)
        sendto(client, "x", 1, 0, (struct sockaddr *)&here, sizeof here);
    for (int i = 0; i < 2; i++) {
        for (heard[i] = 0; recv(servers[i], &byte, 1, MSG_DONTWAIT) == 1;)
            heard[i]++;
        close(servers[i]);
    }
    printf("of 10 datagrams the first got %d, the second %d\n", heard[0], heard[1]);
    close(client);
    return second;
}

int main(void)
{
    int heard[2];
    bool without = try(false, heard), with = try(true, heard);
    printf("so: without SO_REUSEADDR a second server %s; with it, it %s\n",
           without ? "gets in" : "is refused",
           !with           ? "is refused too"
           : heard[0] == 0 ? "takes everything"
                           : "does not take everything");
    return 0;
}
