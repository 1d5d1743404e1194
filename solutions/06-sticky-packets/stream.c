#define _POSIX_C_SOURCE 200809L
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { FOR_EVER = -1 }; /* as a time limit of poll() */

/* After a call that failed: is it to be made again? A non-blocking socket says EAGAIN where
   a blocking one waits: then we do the waiting. */
static bool is_to_be_repeated(int fd, short event)
{
    struct pollfd stream = {.fd = fd, .events = event};
    if (errno == EAGAIN)
        return poll(&stream, 1, FOR_EVER) == 1 || errno == EINTR;
    return errno == EINTR;
}

ssize_t read_exact(int fd, void *buf, size_t n)
{
    unsigned char *bytes = buf;
    size_t done = 0;

    while (done < n) {
        ssize_t came = recv(fd, bytes + done, n - done, 0);
        if (came == 0)
            break;
        if (came != -1)
            done += (size_t)came;
        else if (!is_to_be_repeated(fd, POLLIN))
            return -1;
    }
    return (ssize_t)done;
}

ssize_t write_all(int fd, const void *buf, size_t n)
{
    const unsigned char *bytes = buf;
    size_t done = 0;

    while (done < n) {
        ssize_t left = send(fd, bytes + done, n - done, MSG_NOSIGNAL);
        if (left != -1)
            done += (size_t)left;
        else if (!is_to_be_repeated(fd, POLLOUT))
            return -1;
    }
    return (ssize_t)n;
}
