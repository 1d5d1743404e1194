#define _GNU_SOURCE /* SOCK_CLOEXEC: in POSIX since 2024 */
#include "udp.h"

#include <errno.h>
#include <unistd.h>

int udp_bind(const char *host, const char *service)
{
    /* TODO 3: tcp_listen() of lesson 02 without its last call, and with another type. What else
       was right for a listener, and is wrong here? */
    (void)host, (void)service; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int udp_connect(const char *host, const char *service)
{
    /* TODO 4: the same walk along the addresses, with connect(). */
    (void)host, (void)service; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

ssize_t udp_receive(int fd, void *buf, size_t size, struct sockaddr_storage *peer,
                    socklen_t *peer_length, bool *truncated)
{
    /* TODO 5: take one datagram. Which call tells how long it was, from whom, and whether all of it
       fitted? */
    (void)fd, (void)buf, (void)size, (void)peer; /* delete these lines and the next two */
    (void)peer_length, (void)truncated;
    errno = ENOSYS;
    return -1;
}

int udp_reply(int fd, const void *buf, size_t size, const struct sockaddr_storage *peer,
              socklen_t peer_length)
{
    /* TODO 6: send one datagram back. */
    (void)fd, (void)buf, (void)size, (void)peer,
        (void)peer_length; /* delete this line ... */
    errno = ENOSYS;        /* ... and these two */
    return -1;
}

ssize_t udp_request(int fd, const void *request, size_t request_size, void *reply,
                    size_t reply_size, int timeout_ms, int tries)
{
    /*
     * TODO 7: send the request, wait for its answer, send it again if none comes.
     * Begin with one try and any answer. Then the right answer alone: what else can be in the queue?
     * Then the deadline, which no other datagram may move. Then the tries, each twice as patient.
     */
    (void)fd, (void)request, (void)request_size, (void)reply; /* delete these lines ... */
    (void)reply_size, (void)timeout_ms, (void)tries;
    errno = ENOSYS; /* ... and these two */
    return -1;
}
