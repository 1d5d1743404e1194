/*
 * tcp.c: open, accept and name TCP connections.
 */
#define _GNU_SOURCE /* accept4(): in POSIX since 2024 */
#include "tcp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* How long poll() waits. */
enum { FOREVER = -1 };

/* The addresses of host and service, for freeaddrinfo(), or NULL with errno set. */
static struct addrinfo *resolve(const char *host, const char *service, int flags)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list;
    char *end;
    if (strtoul(service, &end, 10) > 65535 && *end == '\0') {
        errno = EINVAL; /* glibc would take 70000 for 70000 - 65536 */
        return NULL;
    }
    if (getaddrinfo(host, service, &hints, &list) != 0) {
        errno = EADDRNOTAVAIL;
        return NULL;
    }
    return list;
}

/* What is done with a new socket: listen at the address, or connect to it. False: it failed, see errno. */
typedef bool attempt(int fd, const struct addrinfo *address, int backlog);

/* Try each address with a new socket. The first socket that worked, or -1 and the last errno. */
static int open_first(const char *host, const char *service, int flags, attempt *try,
                      int backlog)
{
    struct addrinfo *list = resolve(host, service, flags);
    if (list == NULL)
        return -1;
    int fd = -1, error = errno;
    for (const struct addrinfo *a = list; a != NULL && fd == -1; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd == -1) {
            error = errno;
        } else if (!try(fd, a, backlog)) {
            error = errno; /* before close() can change it */
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    errno = error;
    return fd;
}

static bool listen_at(int fd, const struct addrinfo *address, int backlog)
{
    const int on = true;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           (address->ai_family != AF_INET6 ||
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
           bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
           listen(fd, backlog) == 0;
}

int tcp_listen(const char *host, const char *service, int backlog)
{
    return open_first(host, service, AI_PASSIVE, listen_at, backlog);
}

int tcp_accept(int listener, struct sockaddr_storage *address, socklen_t *length)
{
    int fd;
    do {
        if (length != NULL)
            *length = sizeof *address;
        fd = accept4(listener, (struct sockaddr *)address, length, SOCK_CLOEXEC);
    } while (fd == -1 && (errno == EINTR || errno == ECONNABORTED));
    return fd;
}

/*
 * connect() was interrupted, the connection was not. Wait until it is there or has failed: as often
 * as the wait is interrupted too. Should asking how it ended fail, that counts as a failure.
 */
static bool finish_connecting(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    while (poll(&wait, 1, FOREVER) != 1)
        continue;
    int error = EINTR;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    errno = error;
    return error == 0;
}

static bool connect_to(int fd, const struct addrinfo *address, int backlog)
{
    (void)backlog; /* a listener's affair */
    return connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
           (errno == EINTR && finish_connecting(fd));
}

int tcp_connect(const char *host, const char *service)
{
    return open_first(host, service, 0, connect_to, 0);
}

static int unix_text(const struct sockaddr_un *address, socklen_t length, char *text,
                     size_t size)
{
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    const char *name = length > head ? address->sun_path : "unnamed";
    size_t n = length > head ? length - head : strlen(name);
    if (name[0] != '\0') /* a path ends at its NUL, or where the address ends */
        n = strnlen(name, n);
    if (n >= size) {
        errno = ENOSPC;
        return -1;
    }
    for (size_t i = 0; i < n; i++)
        text[i] = name[i] == '\0' ? '@' : name[i];
    text[n] = '\0';
    return 0;
}

int address_text(const struct sockaddr *address, socklen_t length, char *text,
                 size_t size)
{
    if (length < sizeof address->sa_family || address->sa_family == AF_UNIX)
        return unix_text((const struct sockaddr_un *)address, length, text, size);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getnameinfo(address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    const char *format = address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s";
    if ((size_t)snprintf(text, size, format, host, port) >= size) {
        errno = ENOSPC;
        return -1;
    }
    return 0;
}

const char *connect_error_means(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return "refused: the host answered with RST, so it is there, but nobody listens on that port";
    case ETIMEDOUT: return "timed out: no answer came, neither yes nor no";
    case ENETUNREACH:
        return "network unreachable: no route leads there from this machine";
    case EHOSTUNREACH:
        return "host unreachable: the network is there, but it cannot deliver to that host";
    case EADDRNOTAVAIL: return "no such address: the name or the service is not known";
    default: return strerror(error);
    }
}
