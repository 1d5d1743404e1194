/*
 * crowd: many clients from one process, for chat.bats.
 *
 * usage: crowd CLIENTS PORT
 *
 * Connects them all, has a frame echoed by the first and the last, and prints "ready". At the end of its input each of them has a frame
 * echoed, and all leave. Status 1, with a line on standard error, if anything was not as it should be.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void talk(int fd)
{
    static const char frame[] = "\0\0\0\5hello";
    char answer[sizeof frame];
    if (send(fd, frame, sizeof frame - 1, MSG_NOSIGNAL) != sizeof frame - 1)
        fail("send");
    if (recv(fd, answer, sizeof frame - 1, MSG_WAITALL) != sizeof frame - 1 ||
        memcmp(frame, answer, sizeof frame - 1) != 0)
        fail("recv");
}

int main(int argc, char *argv[])
{
    if (argc != 3)
        return 2;
    int n = atoi(argv[1]);
    struct rlimit most = {.rlim_cur = (rlim_t)n + 50, .rlim_max = (rlim_t)n + 50};
    int *fds = calloc((size_t)n, sizeof *fds);
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    for (int i = 0; i < n; i++) {
        /* a host has 28,000 ports for its own connections, and a few may be in use */
        struct sockaddr_in in = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)atoi(argv[2])),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (fds[i] == -1 || connect(fds[i], (struct sockaddr *)&in, sizeof in) == -1)
            fail("connect");
    }
    talk(fds[0]);
    talk(fds[n - 1]);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    for (int i = 0; i < n; i++)
        talk(fds[i]);
    for (int i = 0; i < n; i++)
        close(fds[i]);
    free(fds);
    return 0;
}
