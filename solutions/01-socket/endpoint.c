/* endpoint.c: the contract of each function is in endpoint.h. */
#define _GNU_SOURCE /* SO_DOMAIN, SO_PROTOCOL and SOCK_CLOEXEC */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int socket_open(int family, int type, int protocol)
{
    return socket(family, type | SOCK_CLOEXEC, protocol);
}

static int ask(int fd, int option, int *answer)
{
    socklen_t length = sizeof *answer;
    return getsockopt(fd, SOL_SOCKET, option, answer, &length);
}

int socket_describe(int fd, struct socket_info *info)
{
    int family, type, protocol, listening;
    if (ask(fd, SO_DOMAIN, &family) == -1 || ask(fd, SO_TYPE, &type) == -1 ||
        ask(fd, SO_PROTOCOL, &protocol) == -1 || ask(fd, SO_ACCEPTCONN, &listening) == -1)
        return -1;

    int status_flags =
        fcntl(fd, F_GETFL); /* the open file's: dup() and fork() share it */
    if (status_flags == -1)
        return -1;
    int descriptor_flags = fcntl(fd, F_GETFD); /* this descriptor's alone */
    if (descriptor_flags == -1)
        return -1;

    *info = (struct socket_info){
        .family = family,
        .type = type,
        .protocol = protocol,
        .listening = listening != 0,
        .nonblocking = (status_flags & O_NONBLOCK) != 0,
        .close_on_exec = (descriptor_flags & FD_CLOEXEC) != 0,
    };
    return 0;
}

struct name {
    int number;
    const char *text; /* NULL ends a list */
};

static char *name_in(const struct name *names, int number, char *buf, size_t size)
{
    while (names->text != NULL && names->number != number)
        names++;
    if (names->text != NULL)
        snprintf(buf, size, "%s", names->text);
    else
        snprintf(buf, size, "%d", number);
    return buf;
}

char *family_name(int family, char *buf, size_t size)
{
    static const struct name families[] = {
        {AF_UNIX, "AF_UNIX"},     {AF_INET, "AF_INET"}, {AF_INET6, "AF_INET6"},
        {AF_PACKET, "AF_PACKET"}, {AF_RDS, "AF_RDS"},   {.text = NULL},
    };
    return name_in(families, family, buf, size);
}

char *type_name(int type, char *buf, size_t size)
{
    static const struct name types[] = {
        {SOCK_STREAM, "SOCK_STREAM"},
        {SOCK_DGRAM, "SOCK_DGRAM"},
        {SOCK_RAW, "SOCK_RAW"},
        {SOCK_RDM, "SOCK_RDM"},
        {SOCK_SEQPACKET, "SOCK_SEQPACKET"},
        {.text = NULL},
    };
    return name_in(types, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), buf, size);
}

char *protocol_name(int family, int protocol, char *buf, size_t size)
{
    static const struct name internet[] = {
        {IPPROTO_ICMP, "IPPROTO_ICMP"},
        {IPPROTO_TCP, "IPPROTO_TCP"},
        {IPPROTO_UDP, "IPPROTO_UDP"},
        {IPPROTO_ICMPV6, "IPPROTO_ICMPV6"},
        {IPPROTO_SCTP, "IPPROTO_SCTP"},
        {IPPROTO_RAW, "IPPROTO_RAW"},
        {.text = NULL},
    };
    /* in network byte order, as socket() takes them */
    const struct name ethernet[] = {
        {htons(ETH_P_ALL), "ETH_P_ALL"},
        {htons(ETH_P_IP), "ETH_P_IP"},
        {htons(ETH_P_ARP), "ETH_P_ARP"},
        {htons(ETH_P_IPV6), "ETH_P_IPV6"},
        {.text = NULL},
    };
    static const struct name none[] = {{.text = NULL}};

    switch (family) {
    case AF_INET:
    case AF_INET6: return name_in(internet, protocol, buf, size);
    case AF_PACKET: return name_in(ethernet, protocol, buf, size);
    default: return name_in(none, protocol, buf, size);
    }
}

int socket_close_all(int fds[], size_t n)
{
    int first_error = 0;
    for (size_t i = 0; i < n; i++) {
        if (fds[i] >= 0 && close(fds[i]) == -1 && errno != EINTR && first_error == 0)
            first_error = errno;
        fds[i] = -1; /* closed even after an error: never try twice */
    }
    if (first_error == 0)
        return 0;
    errno = first_error;
    return -1;
}
