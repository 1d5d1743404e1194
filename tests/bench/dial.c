/* Connections for what plays the clients; see dial.h. */
#define _GNU_SOURCE
#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connected(int fd, const struct sockaddr *address, socklen_t size)
{
    if (fd == -1 || connect(fd, address, size) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int dial_local(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return errno = ENAMETOOLONG, -1;
    memcpy(address.sun_path, path, strlen(path));
    return connected(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                     (struct sockaddr *)&address, sizeof address);
}

/* The address is looked up once: a program dials one server only. */
int dial(const char *host, const char *service)
{
    static struct addrinfo *found;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (service == NULL)
        return dial_local(host);
    if (found == NULL && getaddrinfo(host, service, &hints, &found) != 0)
        return errno = EADDRNOTAVAIL, -1;
    int fd = connected(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0),
                       found->ai_addr, found->ai_addrlen);
    if (fd != -1)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

void allow_descriptors(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
