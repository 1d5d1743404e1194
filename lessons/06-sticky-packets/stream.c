#define _POSIX_C_SOURCE 200809L
#include "stream.h"

#include <errno.h>
#include <sys/socket.h>

ssize_t read_exact(int fd, void *buf, size_t n)
{
    /*
     * TODO 1: recv() may return fewer bytes than asked. Loop until n bytes have come, the
     * peer's stream has ended, or an error is one. (EINTR is none; EAGAIN is "wait for me".)
     */
    (void)fd, (void)buf, (void)n; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

ssize_t write_all(int fd, const void *buf, size_t n)
{
    /* TODO 2: send() may take fewer bytes than it is given. And beware of SIGPIPE. */
    (void)fd, (void)buf, (void)n; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}
