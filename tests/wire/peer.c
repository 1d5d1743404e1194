/*
 * peer: the other side of a scenario, which does one call for each line of its standard input.
 *
 * usage: peer listen HOST | PATH        "listening on HOST:PORT" is the first line it prints
 *        peer connect HOST PORT | PATH
 *        peer udp HOST [PORT]           a datagram socket: bound, with that line; or connected
 *        peer port                      prints a port of 127.0.0.1 where nobody listens
 *
 *     accept       take a connection (peer listen)
 *     send TEXT    line TEXT sends a newline too, hex 64 00 .. those bytes; an unconnected
 *                  socket answers whom it heard last
 *     read N       one recv() of at most N bytes
 *     end          shutdown(SHUT_WR)
 *     close
 *     abort        close() with SO_LINGER {1, 0}: RST
 *     dup          a second descriptor for the same socket
 *     pair         socketpair()
 *     pass N       send descriptor N over this UNIX socket, with one byte
 *     take         receive a descriptor; it is used from now on
 *     use N        descriptor N is used from now on
 *     say TEXT     a line to standard output: see await in scenario.bash
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
#include <sys/un.h>
#include <unistd.h>

enum { SIZE = 65536 };

struct peer {
    int listener, fd;
    bool remembers; /* an unconnected datagram socket: who was heard last */
    struct sockaddr_storage heard;
    socklen_t length; /* 0: nobody yet */
};

/* ---- its socket -------------------------------------------------------------------- */

static struct addrinfo *resolve(const char *host, const char *port, int type)
{
    const struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    return getaddrinfo(host, port, &hints, &found) == 0 ? found : NULL;
}

static bool announce(int fd, const char *host)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char port[8];
    if (strchr(host, '/') != NULL)
        printf("listening on %s\n", host);
    else if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
             getnameinfo((struct sockaddr *)&address, length, NULL, 0, port, sizeof port,
                         NI_NUMERICSERV) != 0)
        return false;
    else
        printf(strchr(host, ':') ? "listening on [%s]:%s\n" : "listening on %s:%s\n",
               host, port);
    return fflush(stdout) == 0;
}

/* Bound, and listening if it is a stream; or connected. */
static bool put_in_place(int fd, int type, const struct sockaddr *at, socklen_t length,
                         bool binds)
{
    if (!binds)
        return connect(fd, at, length) == 0;
    return bind(fd, at, length) == 0 && (type == SOCK_DGRAM || listen(fd, 16) == 0);
}

/* The socket, or -1: the program ends with it. */
static int open_local(const char *path, bool binds)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || strlen(path) >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, path, strlen(path) + 1);
    return put_in_place(fd, SOCK_STREAM, (struct sockaddr *)&at, sizeof at, binds) ? fd
                                                                                   : -1;
}

static int open_socket(const char *host, const char *port, int type, bool binds)
{
    if (strchr(host, '/') != NULL)
        return open_local(host, binds);
    struct addrinfo *at = resolve(host, port, type);
    int fd = at != NULL ? socket(at->ai_family, type | SOCK_CLOEXEC, 0) : -1;
    if (fd != -1 && !put_in_place(fd, type, at->ai_addr, at->ai_addrlen, binds))
        fd = -1;
    if (at != NULL)
        freeaddrinfo(at);
    return fd;
}

/* ---- its commands ------------------------------------------------------------------ */

static bool send_bytes(const struct peer *peer, const void *bytes, size_t n)
{
    if (peer->length == 0)
        return send(peer->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
    return sendto(peer->fd, bytes, n, MSG_NOSIGNAL, (const void *)&peer->heard,
                  peer->length) == (ssize_t)n;
}

static bool send_line(const struct peer *peer, char *text)
{
    size_t n = strlen(text);
    text[n++] = '\n'; /* where the NUL was: there is room, see main() */
    return send_bytes(peer, text, n);
}

/* "64 00 00": the bytes take less room than their text. */
static bool send_hex(const struct peer *peer, char *text)
{
    size_t n = 0;
    for (char *at = text, *end; *at != '\0'; at = end) {
        unsigned long byte = strtoul(at, &end, 16);
        if (end == at || byte > 0xff)
            return false;
        text[n++] = (char)byte;
    }
    return send_bytes(peer, text, n);
}

static bool receive(struct peer *peer, size_t n)
{
    static char bytes[SIZE];
    n = n < sizeof bytes ? n : sizeof bytes;
    if (!peer->remembers)
        return recv(peer->fd, bytes, n, 0) >= 0;
    peer->length = sizeof peer->heard;
    return recvfrom(peer->fd, bytes, n, 0, (struct sockaddr *)&peer->heard,
                    &peer->length) >= 0;
}

union one_descriptor {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr head; /* for its alignment */
};

static bool pass(const struct peer *peer, int passed)
{
    struct iovec byte = {.iov_base = "*", .iov_len = 1};
    union one_descriptor control = {.head = {.cmsg_level = SOL_SOCKET,
                                             .cmsg_type = SCM_RIGHTS,
                                             .cmsg_len = CMSG_LEN(sizeof passed)}};
    const struct msghdr message = {.msg_iov = &byte,
                                   .msg_iovlen = 1,
                                   .msg_control = &control,
                                   .msg_controllen = sizeof control};
    memcpy(CMSG_DATA(&control.head), &passed, sizeof passed);
    return sendmsg(peer->fd, &message, MSG_NOSIGNAL) == 1;
}

static bool take(struct peer *peer)
{
    char byte;
    union one_descriptor control = {.bytes = {0}};
    struct iovec room = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_LEN(sizeof(int))};
    if (recvmsg(peer->fd, &message, MSG_CMSG_CLOEXEC) != 1 ||
        CMSG_FIRSTHDR(&message) == NULL)
        return false;
    memcpy(&peer->fd, CMSG_DATA(&control.head), sizeof peer->fd);
    return true;
}

static bool give_up(int fd, bool at_once)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (at_once)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    return close(fd) == 0;
}

static bool is(const char *word, const char *command)
{
    return strcmp(word, command) == 0;
}

/* What is about descriptors rather than about what goes through them. */
static bool obey_descriptors(struct peer *peer, const char *word, int number)
{
    int pair[2];
    if (is(word, "accept"))
        return (peer->fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC)) != -1;
    if (is(word, "dup"))
        return dup(peer->fd) != -1;
    if (is(word, "pair"))
        return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
    if (is(word, "pass"))
        return pass(peer, number);
    if (is(word, "take"))
        return take(peer);
    if (is(word, "use"))
        peer->fd = number;
    return is(word, "use");
}

static bool obey(struct peer *peer, const char *word, char *rest)
{
    int number = (int)strtol(rest, NULL, 10);
    if (is(word, "send"))
        return send_bytes(peer, rest, strlen(rest));
    if (is(word, "line"))
        return send_line(peer, rest);
    if (is(word, "hex"))
        return send_hex(peer, rest);
    if (is(word, "read"))
        return receive(peer, (size_t)number);
    if (is(word, "say"))
        return puts(rest) != EOF && fflush(stdout) == 0;
    if (is(word, "end"))
        return shutdown(peer->fd, SHUT_WR) == 0;
    if (is(word, "close") || is(word, "abort"))
        return give_up(peer->fd, is(word, "abort"));
    return obey_descriptors(peer, word, number);
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

/* Socket and announcement, as the arguments say; or -1. */
static int begin(int argc, char *argv[])
{
    bool listens = strcmp(argv[1], "listen") == 0, udp = strcmp(argv[1], "udp") == 0;
    bool binds = listens || (udp && argc == 3);
    int fd = open_socket(argv[2], binds || argc == 3 ? "0" : argv[3],
                         udp ? SOCK_DGRAM : SOCK_STREAM, binds);
    return fd != -1 && binds && !announce(fd, argv[2]) ? -1 : fd;
}

static bool is_right(int argc, char *argv[])
{
    bool local = argc == 3 && strchr(argv[2], '/') != NULL;
    return (argc == 3 && strcmp(argv[1], "listen") == 0) ||
           ((local || argc == 4) && strcmp(argv[1], "connect") == 0) ||
           ((argc == 3 || argc == 4) && !local && strcmp(argv[1], "udp") == 0);
}

int main(int argc, char *argv[])
{
    static char line[SIZE];
    struct peer peer = {0};
    if (argc == 2 && strcmp(argv[1], "port") == 0)
        return print_port();
    if (!is_right(argc, argv)) {
        fputs("usage: peer listen HOST | PATH; peer connect HOST PORT | PATH;"
              " peer udp HOST [PORT]; peer port\n",
              stderr);
        return 2;
    }
    peer.fd = peer.listener = begin(argc, argv);
    peer.remembers = argc == 3 && strcmp(argv[1], "udp") == 0;
    bool good = peer.fd != -1;
    while (good && fgets(line, sizeof line - 1, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line + strcspn(line, " ");
        if (*rest != '\0')
            *rest++ = '\0';
        good = obey(&peer, line, rest);
    }
    if (!good)
        perror("peer");
    return good ? 0 : 1;
}
