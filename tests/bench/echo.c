/* What the echo servers of the comparison share; see echo.h. */
#define _GNU_SOURCE
#include "echo.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

struct arguments arguments_of(int argc, char *argv[])
{
    struct arguments arguments = {0};
    int at = 1;
    if (argc > at && strcmp(argv[at], "--frames") == 0) {
        arguments.frames = true;
        at++;
    }
    if (argc - at < 1 || argc - at > 2) {
        fprintf(stderr, "usage: %s [--frames] HOST PORT | PATH\n", argv[0]);
        exit(2);
    }
    arguments.host = argv[at];
    arguments.service = argv[at + 1];
    return arguments;
}

static int listen_local(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof address) == -1 ||
        listen(fd, SOMAXCONN) == -1)
        fail(path);
    printf("listening on %s\n", path);
    return fd;
}

static int listen_tcp(const char *host, const char *service)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    int on = 1;
    if (getaddrinfo(host, service, &hints, &found) != 0)
        fail(host);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd == -1 || bind(fd, found->ai_addr, found->ai_addrlen) == -1 ||
        listen(fd, SOMAXCONN) == -1 ||
        getsockname(fd, found->ai_addr, &found->ai_addrlen) == -1)
        fail("listen");
    char port[NI_MAXSERV];
    getnameinfo(found->ai_addr, found->ai_addrlen, NULL, 0, port, sizeof port,
                NI_NUMERICSERV);
    printf("listening on %s:%s\n", host, port);
    freeaddrinfo(found);
    return fd;
}

int listener_of(const struct arguments *arguments)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_IGN);
    int fd = arguments->service == NULL ? listen_local(arguments->host)
                                        : listen_tcp(arguments->host, arguments->service);
    fflush(stdout);
    return fd;
}

size_t frame_of(const unsigned char *bytes, size_t size, size_t most)
{
    if (size < 4)
        return 0;
    size_t body = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 |
                  (size_t)bytes[2] << 8 | bytes[3];
    if (body > most - 4) {
        fprintf(stderr, "a frame of %zu bytes\n", body);
        exit(1);
    }
    return size < 4 + body ? 0 : 4 + body;
}
