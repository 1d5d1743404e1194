/*
 * udp.h: send and receive datagrams.
 *
 *     udp_bind        a server's socket
 *     udp_connect     a client's socket, for one server
 *     udp_receive     one datagram: how long, from whom, and whether all of it
 *     udp_reply       one datagram, back to whoever asked
 *     udp_request     ask, wait, ask again: an answer out of a network that promises none
 *
 * Every function works with IPv4 and IPv6, and with names as well as numbers. Descriptors that are
 * returned are close-on-exec, blocking, and the caller's to close. On failure nothing is left open,
 * and errno is that of the call that failed. A signal (EINTR) is never a reason to stop. Nothing
 * here prints, exits, or keeps anything between two calls.
 */
#ifndef UDP_H
#define UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The most bytes that one datagram carries over IPv4: 65535 less the heads of IP (20) and UDP (8). */
enum { UDP_LARGEST = 65507 };

/*
 * udp_bind: open a UDP socket at an address, to receive what is sent there.
 *
 * host     numeric address or name; NULL for every interface ("0.0.0.0" or "::", whichever
 *          getaddrinfo() puts first)
 * service  port number from 0 to 65535, or service name; "0" lets the kernel choose
 *
 * Tries each address that getaddrinfo() finds for host, in its order, until one can be bound. Without
 * SO_REUSEADDR: with it a second server could take the port, and the first would hear nothing more.
 * An IPv6 socket takes IPv6 only (IPV6_V6ONLY), so that "0.0.0.0" and "::" can share a port.
 * SO_BROADCAST is not set.
 * Returns the socket, or -1 with errno set; that of the last address if all of several failed:
 *   EADDRINUSE     another socket is there
 *   EACCES         the port is privileged
 *   EADDRNOTAVAIL  host is not an address of this machine; or host or service does not resolve
 *   EINVAL         service is a number above 65535
 *   others         what socket(), setsockopt() or bind() reported: whichever of them fails, that
 *                  address has failed
 *
 * POSIX.1-2017: getaddrinfo(), bind(). Linux: udp(7), ip(7), ipv6(7).
 */
int udp_bind(const char *host, const char *service);

/*
 * udp_connect: open a UDP socket that speaks to one server only.
 *
 * host     numeric address or name
 * service  port number from 0 to 65535, or service name
 *
 * Tries each address that getaddrinfo() finds for host, in its order, until the kernel accepts one.
 * Nothing is sent: whether anybody is there, only a later send or receive can tell (ECONNREFUSED).
 * From then on the socket receives from this server alone. SO_BROADCAST is not set.
 * Returns the socket, or -1 with errno set; that of the last address if all of several failed:
 *   ENETUNREACH    no route leads to that network
 *   EACCES         the address is a broadcast address: that takes permission
 *   EADDRNOTAVAIL  host or service does not resolve
 *   EINVAL         service is a number above 65535
 *   others         what socket() or connect() reported
 *
 * POSIX.1-2017: connect(). Linux: connect(2), udp(7).
 */
int udp_connect(const char *host, const char *service);

/*
 * udp_receive: take the next datagram; wait if there is none.
 *
 * fd           a datagram socket, connected or not
 * buf, size    where its bytes go, and how many there is room for; may be 0
 * peer         where the sender's address goes
 * peer_length  where the length of that goes; what it holds before the call does not matter
 *              (give both, or NULL for both)
 * truncated    set to whether the datagram was longer than size, the rest of it lost; to false if
 *              it was not
 *
 * One call takes one datagram, whole or cut, never two.
 * Returns the number of bytes put into buf, at most size; 0 is an empty datagram, and no end of
 * anything. Or -1 with errno set:
 *   ECONNREFUSED  fd is connected, and what was sent before met nobody at that port
 *   EAGAIN        fd is non-blocking, and no datagram waits
 *   others        what the system said of receiving
 *
 * POSIX.1-2017: recvmsg(), MSG_TRUNC in msg_flags. Linux: recvmsg(2), udp(7).
 */
ssize_t udp_receive(int fd, void *buf, size_t size, struct sockaddr_storage *peer,
                    socklen_t *peer_length, bool *truncated);

/*
 * udp_reply: send one datagram of size bytes to peer. 0 bytes are a datagram too.
 *
 * peer, peer_length  as udp_receive() gave them
 *
 * Waits while the kernel has no room for it, unless fd is non-blocking.
 * Returns 0 when the kernel took all of it (which says nothing of whether it arrives), or -1 with
 * errno set:
 *   EMSGSIZE  size is more than a datagram can carry (UDP_LARGEST over IPv4): nothing was sent
 *   EAGAIN    fd is non-blocking, and the kernel has no room
 *   EACCES    peer is a broadcast address, and fd has no SO_BROADCAST (the caller's decision)
 *   others    what the system said of sending
 *
 * POSIX.1-2017: sendto(). Linux: udp(7), socket(7).
 */
int udp_reply(int fd, const void *buf, size_t size, const struct sockaddr_storage *peer,
              socklen_t peer_length);

/* Requests and answers begin with the same bytes, their id. */
enum { UDP_ID_SIZE = 4 };

/* The longest first wait, and the most tries: 60000 ms doubled 15 times still fits into an int. */
enum { UDP_TIMEOUT_MAX_MS = 60000, UDP_TRIES_MAX = 16 };

/*
 * udp_request: send a request, wait for its answer; send it again when none comes.
 *
 * fd                     a connected datagram socket, blocking or not
 * request, request_size  the request, as one datagram: at least UDP_ID_SIZE bytes
 * reply, reply_size      where the answer goes, and the room there: at least UDP_ID_SIZE bytes.
 *                        Request and reply must not overlap
 * timeout_ms             how long to wait after the first request: 1 to UDP_TIMEOUT_MAX_MS
 * tries                  how often to send it, at most: 1 to UDP_TRIES_MAX
 *
 * After each sending it waits twice as long as after the one before: with 100 ms and 3 tries, 100,
 * 200 and 400 ms. These times hold (CLOCK_MONOTONIC) however many other datagrams and signals come
 * meanwhile. Waiting is sleeping: it takes no processor time.
 * The answer is a datagram that begins with the UDP_ID_SIZE bytes with which request begins, and
 * comes after the request, from the peer to which fd is connected. All others are thrown away: answers
 * to other requests, late or twice; datagrams shorter than an id, empty ones too; and what strangers
 * sent before fd was connected, which still waits in its queue.
 * Returns the number of bytes put into reply; or -1 with errno set (what reply then holds is not
 * defined):
 *   ETIMEDOUT     no answer came, after all tries and all waits
 *   ECONNREFUSED  nobody is at that port. It is reported at once, be it an echo of what was sent
 *                 on fd before this call
 *   EMSGSIZE      request_size is more than a datagram can carry; or the answer is longer than
 *                 reply_size
 *   EINVAL        a size, timeout_ms or tries is out of its bounds; nothing was sent
 *   others        what the system said of fd, of sending, waiting or receiving; that fd is not
 *                 connected, for instance
 *
 * POSIX.1-2017: poll(), clock_gettime(). Linux: udp(7). RFC 8085, section 3.1.
 */
ssize_t udp_request(int fd, const void *request, size_t request_size, void *reply,
                    size_t reply_size, int timeout_ms, int tries);

#endif
