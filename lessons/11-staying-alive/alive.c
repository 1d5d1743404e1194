#define _GNU_SOURCE /* TCP_USER_TIMEOUT and the TCP_KEEP... options: Linux, tcp(7) */
#include "alive.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- where the time comes from --------------------------------------------------- */

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int ticks_open(struct ticks *ticks, const char *path)
{
    *ticks = (struct ticks){.fd = -1};
    if (path != NULL)
        ticks->fd = open(path, O_RDONLY | O_CLOEXEC);
    return path == NULL || ticks->fd != -1 ? 0 : -1;
}

int64_t ticks_now(const struct ticks *ticks)
{
    return ticks->fd == -1 ? clock_ms() : ticks->now;
}

int ticks_wait(const struct ticks *ticks, int ms)
{
    return ticks->fd == -1 ? ms : -1;
}

void ticks_read(struct ticks *ticks)
{
    char line[16] = "";
    size_t n = 0;
    while (n < sizeof line - 1 && read(ticks->fd, line + n, 1) == 1 && line[n] != '\n')
        n++;
    ticks->now += atoi(line);
}

/* ---- sockets --------------------------------------------------------------------- */

/* TODO 1: for each address that getaddrinfo() finds: a socket with SOCK_NONBLOCK, and connect(). EINPROGRESS
   is no failure: poll() for POLLOUT, for as long as is left of timeout_ms. Ready is not connected: SO_ERROR
   says how it ended. Then take O_NONBLOCK off. */
int connect_within(const char *host, const char *service, int timeout_ms)
{
    (void)host, (void)service, (void)timeout_ms; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* TODO 2: five options, five calls of setsockopt(). */
int keepalive_set(int fd, const struct keepalive *keepalive)
{
    (void)fd, (void)keepalive; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* TODO 2, second: fill the table, a getsockopt() a row. Which rows are a number, which "on" or "off", and
   which one is a struct linger? */
int socket_options(int fd, struct socket_option table[SOCKET_OPTIONS])
{
    (void)fd, (void)table; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* ---- messages -------------------------------------------------------------------- */

/* TODO 3: the format that the header draws, as a static const struct frame_format. */
const struct frame_format *alive_format(void)
{
    return NULL;
}

/* TODO 3, second: frame_encode(), and then the type into its place. */
ssize_t alive_encode(enum alive_type type, const void *body, size_t n, void *out,
                     size_t size)
{
    (void)type, (void)body, (void)n, (void)out,
        (void)size; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* TODO 3, third: look at the head. */
int alive_type(const struct frame *frame)
{
    (void)frame; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* ---- is anybody there? ----------------------------------------------------------- */

/* TODO 4: remember the two times, and that something was heard now: there is nobody to blame yet. */
void heartbeat_init(struct heartbeat *heartbeat, int interval_ms, int timeout_ms,
                    int64_t now)
{
    (void)heartbeat, (void)interval_ms, (void)timeout_ms,
        (void)now; /* delete this line */
}

void heartbeat_heard(struct heartbeat *heartbeat, int64_t now)
{
    (void)heartbeat, (void)now; /* delete this line */
}

/* TODO 4, second: is the end due, or a question? When exactly are they due? */
enum heartbeat_action heartbeat_check(struct heartbeat *heartbeat, int64_t now)
{
    (void)heartbeat, (void)now; /* delete this line and the next */
    return (enum heartbeat_action)0;
}

/* TODO 4, third: the earlier of the two, less now. */
int heartbeat_wait(const struct heartbeat *heartbeat, int64_t now)
{
    (void)heartbeat, (void)now; /* delete this line and the next */
    return INT_MIN;
}

/* ---- the next attempt ------------------------------------------------------------ */

/* TODO 5: check, and remember. */
int reconnect_init(struct reconnect *reconnect, int min_ms, int max_ms,
                   int jitter_percent)
{
    (void)reconnect, (void)min_ms, (void)max_ms,
        (void)jitter_percent; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* TODO 5, second: what is remembered, less what chance takes off; and remember twice as much, without a
   number that is too great for an int. */
int reconnect_delay(struct reconnect *reconnect, uint32_t random)
{
    (void)reconnect, (void)random; /* delete this line and the next */
    return INT_MIN;
}

void reconnect_reset(struct reconnect *reconnect)
{
    (void)reconnect; /* delete this line */
}
