/*
 * tcp.c: open, accept and name TCP connections. What each function promises is in tcp.h.
 */
#define _GNU_SOURCE /* accept4(): in POSIX since 2024 */
#include "tcp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

int tcp_listen(const char *host, const char *service, int backlog)
{
    /* TODO 1: ask getaddrinfo() for the addresses of host and service. For each of them in turn:
       socket(), setsockopt(), bind(), listen(). Return the first socket for which all went well. */
    (void)host, (void)service, (void)backlog; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int tcp_accept(int listener, struct sockaddr_storage *address, socklen_t *length)
{
    /* TODO 2: accept() the next connection, close-on-exec. Which errors are no reason to stop? */
    (void)listener, (void)address, (void)length; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int tcp_connect(const char *host, const char *service)
{
    /* TODO 3: go over the addresses as in task 1, with connect(). What is EINTR here? */
    (void)host, (void)service; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int address_text(const struct sockaddr *address, socklen_t length, char *text,
                 size_t size)
{
    /* TODO 4: write the address for people; see the table in tcp.h. */
    (void)address, (void)length, (void)text,
        (void)size; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

const char *connect_error_means(int error)
{
    /* TODO 5: say what the error tells about the network. */
    (void)error;
    return "";
}
