/*
 * peer: the other side of a scenario, which does one call for each line of its standard input.
 *
 * usage: peer listen HOST           "listening on HOST:PORT" is the first line it prints
 *        peer connect HOST PORT
 *        peer port                  prints a port of 127.0.0.1 where nobody listens
 *
 *     accept       take a connection (peer listen)
 *     send TEXT    line TEXT sends a newline too
 *     read N       one recv() of at most N bytes
 *     end          shutdown(SHUT_WR)
 *     close
 *     abort        close() with SO_LINGER {1, 0}: RST
 *
 * At the end of its input it ends. Exit status: 0; 1 when a call failed; 2 when called wrongly.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 65536 };

static struct addrinfo *resolve(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    return getaddrinfo(host, port, &hints, &found) == 0 ? found : NULL;
}

static bool announce(int listener, const char *host)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char port[8];
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        getnameinfo((struct sockaddr *)&address, length, NULL, 0, port, sizeof port,
                    NI_NUMERICSERV) != 0)
        return false;
    printf(strchr(host, ':') ? "listening on [%s]:%s\n" : "listening on %s:%s\n", host,
           port);
    return fflush(stdout) == 0;
}

static int open_socket(const char *host, const char *port, bool listens)
{
    struct addrinfo *at = resolve(host, port);
    int fd = at != NULL ? socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    bool done = fd != -1 && (listens ? bind(fd, at->ai_addr, at->ai_addrlen) == 0 &&
                                           listen(fd, 16) == 0
                                     : connect(fd, at->ai_addr, at->ai_addrlen) == 0);
    if (!done)
        fd = -1; /* the program ends with it */
    if (at != NULL)
        freeaddrinfo(at);
    return fd;
}

static bool send_text(int fd, char *text, bool newline)
{
    size_t n = strlen(text);
    if (newline)
        text[n++] = '\n';
    return send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool obey(const char *word, char *rest, int listener, int *fd)
{
    static char bytes[SIZE];
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (strcmp(word, "accept") == 0)
        return (*fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1;
    if (strcmp(word, "send") == 0 || strcmp(word, "line") == 0)
        return send_text(*fd, rest, word[0] == 'l');
    if (strcmp(word, "read") == 0) {
        size_t n = strtoul(rest, NULL, 10);
        return recv(*fd, bytes, n < sizeof bytes ? n : sizeof bytes, 0) >= 0;
    }
    if (strcmp(word, "end") == 0)
        return shutdown(*fd, SHUT_WR) == 0;
    if (strcmp(word, "abort") == 0)
        setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return close(*fd) == 0;
}

/* The kernel's choice for a socket that is closed again: nobody listens there. */
static int print_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) != 0)
        return 1;
    printf("%d\n", ntohs(at.sin_port));
    return close(fd) == 0 ? 0 : 1;
}

int main(int argc, char *argv[])
{
    static char line[SIZE];
    bool listens = argc == 3 && strcmp(argv[1], "listen") == 0;
    if (argc == 2 && strcmp(argv[1], "port") == 0)
        return print_port();
    if (!listens && !(argc == 4 && strcmp(argv[1], "connect") == 0)) {
        fputs("usage: peer listen HOST | peer connect HOST PORT | peer port\n", stderr);
        return 2;
    }
    int fd = open_socket(argv[2], listens ? "0" : argv[3], listens), listener = fd;
    if (fd == -1 || (listens && !announce(listener, argv[2]))) {
        perror("peer");
        return 1;
    }
    while (fgets(line, sizeof line - 1, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line + strcspn(line, " ");
        if (*rest != '\0')
            *rest++ = '\0';
        if (!obey(line, rest, listener, &fd)) {
            perror("peer");
            return 1;
        }
    }
    return 0;
}
