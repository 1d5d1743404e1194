/*
 * sockets: ask this kernel for a socket of every kind, and show what it answered.
 *
 * usage: sockets               prints the table, then closes what it opened
 *        sockets COMMAND ...   prints it, then becomes COMMAND without closing anything:
 *                              `sockets ls -l /proc/self/fd` shows what exec lets by
 *
 * Exit status: 0 when the table is complete, whatever the kernel answered; 1 when a
 * socket could not be described or closed; 127 when COMMAND could not be run.
 */
#define _GNU_SOURCE
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct kind {
    int family;
    int type;
    int protocol;
};

/* Each refusal says something else; README.md, "What an error tells you". */
static void print_refusal(int error)
{
    static const struct {
        int number;
        const char *name;
        const char *meaning;
    } errors[] = {
        {EAFNOSUPPORT, "EAFNOSUPPORT", "no such family here"},
        {ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT", "no such type in family"},
        {EPROTONOSUPPORT, "EPROTONOSUPPORT", "no such protocol for it"},
        {EINVAL, "EINVAL", "not a possible number"},
        {EPERM, "EPERM", "needs a privilege"},
        {EACCES, "EACCES", "your group may not"},
        {EMFILE, "EMFILE", "no descriptor left"},
        {ENFILE, "ENFILE", "none left in the system"},
        {ENOSYS, "ENOSYS", "is TODO 1 done?"},
    };
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].number == error) {
            printf("%-15s %s\n", errors[i].name, errors[i].meaning);
            return;
        }
    }
    printf("%-15s %s\n", "another error", strerror(error));
}

/* The rest of the row of a socket that was opened: its number, and what it is. */
static int print_answer(int fd)
{
    struct socket_info info;
    if (socket_describe(fd, &info) == -1) {
        printf("%-15d not to be described\n", fd);
        return -1;
    }
    char name[SOCKET_NAME_SIZE];
    protocol_name(info.family, info.protocol, name, sizeof name);
    const char *flaw = info.close_on_exec ? "" : ", not close-on-exec";
    printf("%-15d protocol %s%s\n", fd, name, flaw);
    return 0;
}

static void print_question(struct kind kind)
{
    char family[SOCKET_NAME_SIZE], type[SOCKET_NAME_SIZE], protocol[SOCKET_NAME_SIZE];
    printf("%-9s %-14s %-14s ", family_name(kind.family, family, sizeof family),
           type_name(kind.type, type, sizeof type),
           protocol_name(kind.family, kind.protocol, protocol, sizeof protocol));
}

int main(int argc, char *argv[])
{
    const struct kind kinds[] = {
        {AF_INET, SOCK_STREAM, 0},                /* TCP */
        {AF_INET6, SOCK_STREAM, 0},               /* TCP */
        {AF_INET, SOCK_DGRAM, 0},                 /* UDP */
        {AF_INET6, SOCK_DGRAM, 0},                /* UDP */
        {AF_UNIX, SOCK_STREAM, 0},                /* local; lesson 05 */
        {AF_UNIX, SOCK_DGRAM, 0},                 /* local */
        {AF_UNIX, SOCK_SEQPACKET, 0},             /* local */
        {AF_INET, SOCK_RAW, IPPROTO_ICMP},        /* raw: IP packets */
        {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},     /* raw */
        {AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)},  /* packet: frames of the network card */
        {AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)}, /* packet, without the frame's head */
        {AF_INET, SOCK_STREAM, IPPROTO_SCTP},     /* SCTP one-to-one; lesson 15 */
        {AF_INET6, SOCK_STREAM, IPPROTO_SCTP},    /* SCTP one-to-one */
        {AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP},  /* SCTP one-to-many */
        {AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP}, /* SCTP one-to-many */
        {AF_RDS, SOCK_SEQPACKET, 0},              /* RDS: reliable datagrams */
        {AF_INET, SOCK_DGRAM, IPPROTO_ICMP},      /* ping: some groups may */
        /* and what no kernel has */
        {AF_INET, SOCK_STREAM, IPPROTO_UDP}, /* a stream of datagrams */
        {AF_INET, SOCK_SEQPACKET, 0},        /* packets in order, and no SCTP */
        {AF_INET, 99, 0},                    /* a type that is none */
        {99, SOCK_STREAM, 0},                /* a family that is none */
    };
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    int fds[KINDS];
    int status = 0;

    printf("family    type           protocol       answer          meaning\n");
    for (size_t i = 0; i < KINDS; i++) {
        fds[i] = socket_open(kinds[i].family, kinds[i].type, kinds[i].protocol);
        int error = errno;
        print_question(kinds[i]);
        if (fds[i] == -1)
            print_refusal(error);
        else if (print_answer(fds[i]) == -1)
            status = 1;
    }

    if (argc > 1) {
        fflush(stdout); /* what is in the buffer does not survive exec */
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        return 127;
    }
    if (socket_close_all(fds, KINDS) == -1) {
        perror("socket_close_all");
        status = 1;
    }
    return status;
}
