/*
 * tcp.h: open, accept and name TCP connections.
 *
 *     tcp_listen              a server's first socket
 *     tcp_accept              a client of that server
 *     tcp_connect             a connection to a server
 *     address_text            an address as people read it
 *     connect_error_means     an error as people read it
 *
 * Every function works with IPv4 and IPv6, and with names as well as numbers. Every descriptor
 * returned is close-on-exec, and is the caller's to close. On failure nothing is left open, and
 * errno is that of the call that failed, whatever close() and freeaddrinfo() did to it after.
 */
#ifndef TCP_H
#define TCP_H

#include <stddef.h>
#include <sys/socket.h>

/*
 * tcp_listen: open a listening TCP socket.
 *
 * host     numeric address or name; NULL for every interface ("0.0.0.0" or "::", whichever
 *          getaddrinfo() puts first)
 * service  port number from 0 to 65535, or service name; "0" lets the kernel choose
 * backlog  connections that may wait to be accepted (a count, not bytes)
 *
 * Tries each address that getaddrinfo() finds for host, in its order, until one listens, with
 * SO_REUSEADDR set, so that a server can be started again at once. An IPv6 socket takes IPv6
 * only (IPV6_V6ONLY), so that "0.0.0.0" and "::" can share a port.
 * Returns the listener, or -1 with errno set; that of the last address if all of several failed:
 *   EADDRINUSE     another socket listens there
 *   EACCES         the port is privileged
 *   EADDRNOTAVAIL  host is not an address of this machine; or host or service does not resolve
 *   EINVAL         service is a number above 65535
 *   others         what socket(), setsockopt(), bind() or listen() reported: whichever of them
 *                  fails, that address has failed
 *
 * POSIX.1-2017: getaddrinfo(), setsockopt(), bind(), listen(). Linux: tcp(7), ipv6(7).
 */
int tcp_listen(const char *host, const char *service, int backlog);

/*
 * tcp_accept: take the next connection from the listener's queue; wait if there is none.
 *
 * address  where the client's address goes
 * length   where the length of that goes; what it holds before the call does not matter
 *          (give both, or NULL for both)
 *
 * Neither a signal (EINTR) nor a client that gave up while it waited in the queue
 * (ECONNABORTED) is a reason to stop: goes on to the next connection.
 * Returns the connection, or at any other error, at once, -1 with errno set:
 *   EMFILE, ENFILE  no descriptor is free; the connection stays in the queue, so that to call
 *                   again at once is to be told the same at once
 *   EAGAIN          the listener is non-blocking, and no connection waits
 *   EINVAL          the socket does not listen
 *   others          what accept() reported
 *
 * POSIX.1-2017: accept(). Linux: accept(2), accept4().
 */
int tcp_accept(int listener, struct sockaddr_storage *address, socklen_t *length);

/*
 * tcp_connect: open a connection to a server, and wait until it is established.
 *
 * host     numeric address or name
 * service  port number from 0 to 65535, or service name
 *
 * Tries each address that getaddrinfo() finds for host, in its order, each with a new socket,
 * until one answers. A signal interrupts connect() but not the connection, which the kernel
 * goes on opening: after EINTR, waits for that same connection to be established or to fail,
 * without a second connect() (which POSIX answers with EALREADY or EISCONN).
 * Returns the connection, a blocking one, or -1 with errno set; that of the last address if all
 * of several failed:
 *   ECONNREFUSED   a reset (RST) came back: the host is there, and nobody listens on the port
 *   ETIMEDOUT      nothing came back
 *   ENETUNREACH    no route leads to that network
 *   EHOSTUNREACH   a router, or this machine itself, says that the host cannot be reached
 *   EADDRNOTAVAIL  host or service does not resolve
 *   EINVAL         service is a number above 65535
 *   others         what socket() or connect() reported
 *
 * POSIX.1-2017: getaddrinfo(), connect(), poll(). Linux: connect(2), tcp(7).
 */
int tcp_connect(const char *host, const char *service);

/* Room for the text of any address, its closing NUL included. */
enum { ADDRESS_TEXT_SIZE = 128 };

/*
 * address_text: write an address as people read it.
 *
 * address, length  as accept(), getsockname() or getpeername() gave them; no byte of address
 *                  past length is read
 * text, size       where the text goes, and the bytes there are for it, its closing NUL included
 *
 *   AF_INET   "127.0.0.1:8080"
 *   AF_INET6  "[::1]:8080"
 *   AF_UNIX   the path, which ends at its NUL, or at length if it has none;
 *             "unnamed" if length leaves no room for a path;
 *             an abstract name, with '@' for its first and for any other NUL: "@lab"
 *   length 0 is "unnamed" too, of whatever family: the kernel gave no address.
 *
 * Returns 0, or -1 with errno set (what text then holds is not defined):
 *   ENOSPC        the text does not fit into size bytes
 *   EAFNOSUPPORT  any other family; or length cuts an AF_INET or AF_INET6 address short
 *
 * POSIX.1-2017: getnameinfo(), inet_ntop(). Linux: unix(7), unnamed and abstract addresses.
 */
int address_text(const struct sockaddr *address, socklen_t length, char *text,
                 size_t size);

/*
 * connect_error_means: what an error of tcp_connect() says of the network, in words for people.
 *
 * Four errors are told apart by these words, in small letters, in a text that is the error's own:
 *   ECONNREFUSED   "refused"
 *   ETIMEDOUT      "timed out"
 *   ENETUNREACH    "network" and "unreachable"
 *   EHOSTUNREACH   "host" and "unreachable"
 * No text has a "refused", "timed out" or "unreachable" that is not listed beside its error.
 * Any other number gets some text: strerror()'s will do.
 * Returns the text, never NULL or empty, which the caller does not free.
 *
 * Linux: connect(2).
 */
const char *connect_error_means(int error);

#endif
