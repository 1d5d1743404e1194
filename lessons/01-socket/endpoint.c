/*
 * endpoint.c: yours to write. The contract of each function is in endpoint.h; the TODOs
 * are the tasks of README.md. It compiles as it stands, and nothing works yet:
 * `make lesson-01` says what to do next.
 */
#define _GNU_SOURCE /* SO_DOMAIN, SO_PROTOCOL and SOCK_CLOEXEC */
#include "endpoint.h"

#include <errno.h>
#include <stdio.h>

int socket_open(int family, int type, int protocol)
{
    /* TODO 1: ask socket() for it, close-on-exec in the same call. */
    (void)family, (void)type, (void)protocol; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int socket_describe(int fd, struct socket_info *info)
{
    /* TODO 2: four questions with getsockopt(), two with fcntl(). Fill *info only when
     * all six were answered. */
    (void)fd, (void)info; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

char *family_name(int family, char *buf, size_t size)
{
    /* TODO 3: the name if family is in the list of endpoint.h, else the number in
     * decimal; at most size bytes of it. */
    (void)family; /* delete this line and the next */
    snprintf(buf, size, "TODO 3");
    return buf;
}

char *type_name(int type, char *buf, size_t size)
{
    /* TODO 3: the same for types, after SOCK_NONBLOCK and SOCK_CLOEXEC are taken off. */
    (void)type; /* delete this line and the next */
    snprintf(buf, size, "TODO 3");
    return buf;
}

char *protocol_name(int family, int protocol, char *buf, size_t size)
{
    /* TODO 4: the same for protocols. The family says which list to look in; mind the
     * byte order of AF_PACKET. */
    (void)family, (void)protocol; /* delete this line and the next */
    snprintf(buf, size, "TODO 4");
    return buf;
}

int socket_close_all(int fds[], size_t n)
{
    /* TODO 5: close each descriptor once, go on after an error, report the first one. */
    (void)fds, (void)n; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}
