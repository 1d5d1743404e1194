/*
 * endpoint.h: make a socket, ask it what it is, call things by their names, and close.
 *
 *     socket_open                              one call to the kernel, done right
 *     socket_describe                          what the kernel says a descriptor is
 *     family_name, type_name, protocol_name    numbers as a person writes them
 *     socket_close_all                         many descriptors, each closed once
 *
 * Nothing here prints, exits, or keeps anything between two calls: safe in any thread.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * socket_open: make a socket.
 *
 * family    AF_INET, AF_INET6, AF_UNIX ...
 * type      SOCK_STREAM, SOCK_DGRAM ...; SOCK_NONBLOCK, SOCK_CLOEXEC may be added with |
 * protocol  IPPROTO_TCP ...; 0 for the one that is usual for the family and type
 *
 * The socket is close-on-exec from the moment it exists: there is no instant in which
 * another thread's fork() and exec could carry it into another program. It is
 * non-blocking only if type says so.
 * Returns the lowest descriptor that was free (0 is one), which the caller closes, or -1
 * with the errno of socket():
 *   EAFNOSUPPORT     this kernel has no such family
 *   ESOCKTNOSUPPORT  the family has no such type
 *   EPROTONOSUPPORT  the family and type have no such protocol
 *   EINVAL           a number that can be no type, flag or protocol
 *   EPERM, EACCES    you may not: you lack a privilege, or the right group
 *   EMFILE, ENFILE   this process, or the whole system, has no descriptor left
 *   ENOBUFS, ENOMEM  the kernel has no memory left
 *
 * POSIX.1-2017: socket(). Linux: socket(2) (SOCK_CLOEXEC, SOCK_NONBLOCK).
 */
int socket_open(int family, int type, int protocol);

struct socket_info {
    int family;         /* SO_DOMAIN: AF_INET ... */
    int type;           /* SO_TYPE: SOCK_STREAM ..., without flags */
    int protocol;       /* SO_PROTOCOL: IPPROTO_TCP ...; 0 where there is no choice */
    bool listening;     /* SO_ACCEPTCONN: listen() was called on it */
    bool nonblocking;   /* O_NONBLOCK */
    bool close_on_exec; /* FD_CLOEXEC */
};

/*
 * socket_describe: what the kernel says of fd, which may be any socket, whoever made it.
 *
 * Changes nothing about the socket: a pending error, for one, is still pending after it.
 * Returns 0 with *info filled, or -1 with errno set and *info exactly as it was:
 *   EBADF     fd is not open
 *   ENOTSOCK  fd is open, and is no socket
 *   others    what getsockopt() or fcntl() reported: every error of theirs is passed on
 *
 * Linux: socket(7) (SO_DOMAIN, SO_TYPE, SO_PROTOCOL, SO_ACCEPTCONN), fcntl(2).
 */
int socket_describe(int fd, struct socket_info *info);

/* Room for every text that the next three functions write, the NUL at its end counted. */
enum { SOCKET_NAME_SIZE = 16 };

/*
 * family_name, type_name, protocol_name: a number as a person writes it: "AF_INET6".
 *
 * buf   the caller's; the text goes there
 * size  of buf in bytes, 1 or more. A longer text is cut to size - 1 characters; it
 *       always ends in NUL.
 *
 * A number that is not in these lists is written in decimal, with its sign:
 *   family_name    AF_UNIX AF_INET AF_INET6 AF_PACKET AF_RDS
 *   type_name      SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET
 *                  SOCK_NONBLOCK and SOCK_CLOEXEC, which socket() takes in the same
 *                  number, are taken off first: SOCK_RAW | SOCK_CLOEXEC is "SOCK_RAW",
 *                  99 | SOCK_CLOEXEC is "99". All other bits count.
 *   protocol_name  A protocol's number means something in its own family only.
 *                  AF_INET and AF_INET6: IPPROTO_ICMP IPPROTO_TCP IPPROTO_UDP
 *                      IPPROTO_ICMPV6 IPPROTO_SCTP IPPROTO_RAW
 *                  AF_PACKET: ETH_P_ALL ETH_P_IP ETH_P_ARP ETH_P_IPV6, the number being
 *                      in network byte order, as socket() takes it: htons(ETH_P_IP)
 *                      is "ETH_P_IP"
 *                  Other families have no names. 0, the usual one, is "0" in all.
 *
 * Each returns buf, so that a call can stand among printf()'s arguments. They cannot
 * fail, and leave errno alone, also where they cut.
 */
char *family_name(int family, char *buf, size_t size);
char *type_name(int type, char *buf, size_t size);
char *protocol_name(int family, int protocol, char *buf, size_t size);

/*
 * socket_close_all: close n descriptors.
 *
 * fds  the descriptors, none of them twice. The entry of each is -1 afterwards, so that
 *      calling again does no harm. A negative entry (never opened, or closed already) is
 *      passed over: it stays as it is, or becomes -1.
 * n    how many; with 0, fds may be NULL
 *
 * Each descriptor is closed once, in any order, whatever happened to those before it. A
 * close() that failed is not repeated: on Linux the number is free again even so, and may
 * be another thread's by now. One that a signal interrupted (EINTR) counts as closed.
 * Returns 0, or -1 with the errno of the close() that failed first, EINTR not counted:
 *   EBADF  an entry was not open
 *   EIO    the kernel had trouble on the way; the descriptor is gone all the same
 *
 * POSIX.1-2017: close(). Linux: close(2), "Dealing with error returns from close()".
 */
int socket_close_all(int fds[], size_t n);

#endif
