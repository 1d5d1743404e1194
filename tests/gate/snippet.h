/* What snippets in the lessons' texts may take for granted. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The names that statements may use without declaring them. */
#define SNIPPET_NAMES                                                                                                  \
    int fd, int fds[2], int listener, int client, int server, int peer, char *buf, char *text, size_t size, ssize_t n, \
        const char *host, const char *service, int backlog, struct sockaddr *address, socklen_t length
