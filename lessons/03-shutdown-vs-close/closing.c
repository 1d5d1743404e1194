#define _POSIX_C_SOURCE 200809L
#include "closing.h"

#include <errno.h>
#include <unistd.h>

int stream_end(int fd)
{
    /* TODO 1: end the stream in the direction in which we send, and in no other. */
    (void)fd; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

ssize_t stream_drain(int fd, size_t limit_bytes, int timeout_ms)
{
    /*
     * TODO 2: read until the peer's end, count what came, and keep nothing of it.
     * Begin with the loop and the count. Then limit_bytes. Then the time: how long may
     * one wait last, if all of them together may last timeout_ms?
     */
    (void)fd, (void)limit_bytes, (void)timeout_ms; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int stream_close(int fd)
{
    /* TODO 3: end, drain with the bounds of closing.h, close. In every case: close. */
    (void)fd; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int stream_abort(int fd)
{
    /* TODO 4: have close() send RST and not FIN: a socket option decides. */
    (void)fd; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}
