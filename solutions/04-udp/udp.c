/*
 * udp.c: send and receive datagrams.
 */
#define _POSIX_C_SOURCE 200809L
#define _GNU_SOURCE     /* SOCK_CLOEXEC: in POSIX since 2024 */
#include "udp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000 * 1000 };

/* The addresses of host and service, for freeaddrinfo(), or NULL with errno set. */
static struct addrinfo *resolve(const char *host, const char *service, int flags)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = flags};
    struct addrinfo *list;
    char *end;
    if (strtoul(service, &end, 10) > 65535 && *end == '\0') {
        errno = EINVAL; /* glibc would take 70000 for 70000 - 65536 */
        return NULL;
    }
    if (getaddrinfo(host, service, &hints, &list) != 0) {
        errno = EADDRNOTAVAIL;
        return NULL;
    }
    return list;
}

/* What is done with a new socket: bind it, or connect it. False: it failed, see errno. */
typedef bool attempt(int fd, const struct addrinfo *address);

/* Try each address with a new socket. The first socket that worked, or -1 and the last errno. */
static int open_first(const char *host, const char *service, int flags, attempt *try)
{
    struct addrinfo *list = resolve(host, service, flags);
    if (list == NULL)
        return -1;
    int fd = -1, error = errno;
    for (const struct addrinfo *a = list; a != NULL && fd == -1; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd == -1) {
            error = errno;
        } else if (!try(fd, a)) {
            error = errno; /* before close() can change it */
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    errno = error;
    return fd;
}

static bool bind_to(int fd, const struct addrinfo *address)
{
    const int on = true;
    return (address->ai_family != AF_INET6 ||
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
           bind(fd, address->ai_addr, address->ai_addrlen) == 0;
}

int udp_bind(const char *host, const char *service)
{
    return open_first(host, service, AI_PASSIVE, bind_to);
}

static bool connect_to(int fd, const struct addrinfo *address)
{
    return connect(fd, address->ai_addr, address->ai_addrlen) == 0;
}

int udp_connect(const char *host, const char *service)
{
    return open_first(host, service, 0, connect_to);
}

/* udp_receive(), with flags. */
static ssize_t receive(int fd, void *buf, size_t size, int flags,
                       struct sockaddr_storage *peer, socklen_t *peer_length,
                       bool *truncated)
{
    struct iovec room = {.iov_base = buf, .iov_len = size};
    struct msghdr message;
    ssize_t n;
    do {
        message = (struct msghdr){.msg_name = peer,
                                  .msg_namelen = peer == NULL ? 0 : sizeof *peer,
                                  .msg_iov = &room,
                                  .msg_iovlen = 1};
        n = recvmsg(fd, &message, flags);
    } while (n < 0 && errno == EINTR);
    if (peer_length != NULL)
        *peer_length = message.msg_namelen;
    *truncated = (message.msg_flags & MSG_TRUNC) != 0;
    return n;
}

ssize_t udp_receive(int fd, void *buf, size_t size, struct sockaddr_storage *peer,
                    socklen_t *peer_length, bool *truncated)
{
    return receive(fd, buf, size, 0, peer, peer_length, truncated);
}

int udp_reply(int fd, const void *buf, size_t size, const struct sockaddr_storage *peer,
              socklen_t peer_length)
{
    ssize_t n;
    do
        n = sendto(fd, buf, size, 0, (const struct sockaddr *)peer, peer_length);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0; /* a datagram is never sent in part */
}

/* What udp_request() asks, of whom, and where the answer goes. */
struct question {
    int fd;
    const void *request;
    size_t request_size;
    void *reply;
    size_t reply_size;
    struct sockaddr_storage peer;
    socklen_t peer_length;
};

static bool send_request(const struct question *q)
{
    ssize_t n;
    do
        n = send(q->fd, q->request, q->request_size, 0);
    while (n == -1 && errno == EINTR);
    return n == (ssize_t)q->request_size;
}

/* The size of the answer, if that is the next datagram; or -1: EAGAIN says that it is not, or that
   there is none. */
static ssize_t receive_answer(const struct question *q)
{
    struct sockaddr_storage from;
    socklen_t length;
    bool truncated;
    ssize_t n =
        receive(q->fd, q->reply, q->reply_size, MSG_DONTWAIT, &from, &length, &truncated);
    if (n == -1)
        return -1;
    /* The kernel fills an address to its last byte: comparing bytes compares addresses. */
    bool right = n >= UDP_ID_SIZE && memcmp(q->reply, q->request, UDP_ID_SIZE) == 0 &&
                 length == q->peer_length && memcmp(&from, &q->peer, length) == 0;
    if (right && !truncated)
        return n;
    errno = right ? EMSGSIZE : EAGAIN;
    return -1;
}

/* Not the time of day: that one jumps whenever somebody sets the clock. */
static long long milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

/* True when it is time to look again: something has come, or a signal. */
static bool wait_for_datagram(int fd, long long deadline)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    long long left = deadline - milliseconds_now();
    int ready = left > 0 ? poll(&readable, 1, (int)left) : 0;
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0 || errno == EINTR;
}

/* The size of the answer, or -1; ETIMEDOUT when it has not come by the deadline. Other datagrams do
   not move the deadline: else a peer that sends rubbish would keep us here. */
static ssize_t await_answer(const struct question *q, long long deadline)
{
    ssize_t n;
    while ((n = receive_answer(q)) == -1 && errno == EAGAIN)
        if (!wait_for_datagram(q->fd, deadline))
            return -1;
    return n;
}

ssize_t udp_request(int fd, const void *request, size_t request_size, void *reply,
                    size_t reply_size, int timeout_ms, int tries)
{
    struct question q = {.fd = fd,
                         .request = request,
                         .request_size = request_size,
                         .reply = reply,
                         .reply_size = reply_size,
                         .peer_length = sizeof q.peer};
    if (request_size < UDP_ID_SIZE || reply_size < UDP_ID_SIZE || timeout_ms < 1 ||
        timeout_ms > UDP_TIMEOUT_MAX_MS || tries < 1 || tries > UDP_TRIES_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (getpeername(fd, (struct sockaddr *)&q.peer, &q.peer_length) != 0)
        return -1;
    long long wait_ms = timeout_ms;
    ssize_t n;
    do {
        if (!send_request(&q))
            return -1;
        n = await_answer(&q, milliseconds_now() + wait_ms);
        wait_ms += wait_ms;
    } while (n == -1 && errno == ETIMEDOUT && --tries > 0);
    return n;
}
