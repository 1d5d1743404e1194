#define _POSIX_C_SOURCE 200809L
#include "closing.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000 * 1000 };

int stream_end(int fd)
{
    return shutdown(fd, SHUT_WR);
}

/* Not the time of day: that one jumps whenever somebody sets the clock. */
static long long milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

/* True when it is time to try again: there is something to read, or a signal came. The
   deadline is for timeouts above 0; the others mean here what they mean to poll(). */
static bool wait_for_peer(int fd, int timeout_ms, long long deadline)
{
    struct pollfd peer = {.fd = fd, .events = POLLIN};
    long long now = milliseconds_now();
    int ready = 0;

    if (timeout_ms <= 0)
        ready = poll(&peer, 1, timeout_ms);
    else if (now < deadline)
        ready = poll(&peer, 1, (int)(deadline - now));
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0 || errno == EINTR;
}

ssize_t stream_drain(int fd, size_t limit_bytes, int timeout_ms)
{
    long long deadline = milliseconds_now() + timeout_ms;
    char unwanted[BUFSIZ];
    size_t drained = 0;
    ssize_t n;

    while ((n = recv(fd, unwanted, sizeof unwanted, MSG_DONTWAIT)) != 0) {
        if (n != -1)
            drained += (size_t)n;
        else if (errno != EAGAIN && errno != EINTR)
            return -1;
        if (drained > limit_bytes) {
            errno = EMSGSIZE;
            return -1;
        }
        if (!wait_for_peer(fd, timeout_ms, deadline))
            return -1;
    }
    return (ssize_t)drained;
}

/* Whatever close() says, fd is gone: a second try could close somebody else's. */
static void close_and_keep_errno(int fd)
{
    int reason = errno;
    close(fd);
    errno = reason;
}

int stream_close(int fd)
{
    int result = stream_end(fd);
    if (result == 0 &&
        stream_drain(fd, STREAM_CLOSE_LIMIT_BYTES, STREAM_CLOSE_TIMEOUT_MS) == -1)
        result = -1;
    close_and_keep_errno(fd);
    return result;
}

int stream_abort(int fd)
{
    struct linger no_farewell = {.l_onoff = true, .l_linger = 0}; /* RST, not FIN */
    int result = setsockopt(fd, SOL_SOCKET, SO_LINGER, &no_farewell, sizeof no_farewell);
    close_and_keep_errno(fd);
    return result;
}
