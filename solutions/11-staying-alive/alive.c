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
    clock_gettime(CLOCK_MONOTONIC, &now); /* not CLOCK_REALTIME, which people set */
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

/* Wait until the connection is there or has failed. False: it failed, see errno. */
static bool finish_connecting(int fd, int timeout_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int64_t end = clock_ms() + timeout_ms;
    int ready = -1, error = ETIMEDOUT;
    while (ready == -1) {
        int64_t left = end - clock_ms();
        ready = poll(&wait, 1, left > 0 ? (int)left : 0);
    }
    if (ready == 1)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    errno = error;
    return error == 0;
}

/* A socket that is not blocking as long as it connects. */
static bool connect_to(int fd, const struct addrinfo *address, int timeout_ms)
{
    if (connect(fd, address->ai_addr, address->ai_addrlen) == -1 &&
        errno != EINPROGRESS && errno != EINTR)
        return false;
    return finish_connecting(fd, timeout_ms) && fcntl(fd, F_SETFL, 0) != -1;
}

int connect_within(const char *host, const char *service, int timeout_ms)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    if (getaddrinfo(host, service, &hints, &list) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = -1, error = errno; /* kept where nothing fails */
    for (const struct addrinfo *a = list; a != NULL && fd == -1; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd == -1) {
            error = errno;
        } else if (!connect_to(fd, a, timeout_ms)) {
            error = errno; /* before close() can change it */
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    errno = error;
    return fd;
}

int keepalive_set(int fd, const struct keepalive *keepalive)
{
    const struct {
        int level, option, value;
    } settings[] = {{SOL_SOCKET, SO_KEEPALIVE, true},
                    {IPPROTO_TCP, TCP_KEEPIDLE, keepalive->idle_s},
                    {IPPROTO_TCP, TCP_KEEPINTVL, keepalive->interval_s},
                    {IPPROTO_TCP, TCP_KEEPCNT, keepalive->probes},
                    {IPPROTO_TCP, TCP_USER_TIMEOUT, keepalive->user_timeout_ms}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (setsockopt(fd, settings[i].level, settings[i].option, &settings[i].value,
                       sizeof settings[i].value) == -1)
            return -1;
    return 0;
}

enum option_kind { OPTION_NUMBER, OPTION_FLAG, OPTION_LINGER };

static void option_text(enum option_kind kind, const struct linger *value,
                        char text[OPTION_TEXT_SIZE])
{
    int first = value->l_onoff; /* of an int, all there is */
    if (kind == OPTION_NUMBER)
        snprintf(text, OPTION_TEXT_SIZE, "%d", first);
    else if (kind == OPTION_LINGER && first)
        snprintf(text, OPTION_TEXT_SIZE, "%d s", value->l_linger);
    else
        snprintf(text, OPTION_TEXT_SIZE, "%s", first ? "on" : "off");
}

int socket_options(int fd, struct socket_option table[SOCKET_OPTIONS])
{
    static const struct {
        const char *name;
        int level, option;
        enum option_kind kind;
    } rows[SOCKET_OPTIONS] = {
        {"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, OPTION_NUMBER},
        {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, OPTION_NUMBER},
        {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, OPTION_FLAG},
        {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, OPTION_FLAG},
        {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, OPTION_NUMBER},
        {"SO_LINGER", SOL_SOCKET, SO_LINGER, OPTION_LINGER},
        {"SO_ERROR", SOL_SOCKET, SO_ERROR, OPTION_NUMBER}};
    for (size_t i = 0; i < SOCKET_OPTIONS; i++) {
        struct linger value;
        socklen_t size = sizeof value;
        table[i] = (struct socket_option){.name = rows[i].name, .value = "-"};
        if (getsockopt(fd, rows[i].level, rows[i].option, &value, &size) == 0)
            option_text(rows[i].kind, &value, table[i].value);
        else if (errno != ENOPROTOOPT && errno != EOPNOTSUPP)
            return -1;
    }
    return 0;
}

/* ---- messages -------------------------------------------------------------------- */

/* Where the type is: behind the length. */
enum { TYPE_OFFSET = 4 };

const struct frame_format *alive_format(void)
{
    static const struct frame_format format = {.max_length = ALIVE_MOST_FRAME,
                                               .body_offset = ALIVE_HEAD,
                                               .length_field_bytes = TYPE_OFFSET,
                                               .byte_order = FRAME_BIG_ENDIAN};
    return &format;
}

ssize_t alive_encode(enum alive_type type, const void *body, size_t n, void *out,
                     size_t size)
{
    ssize_t bytes = frame_encode(alive_format(), body, n, out, size);
    if (bytes != -1)
        ((unsigned char *)out)[TYPE_OFFSET] = (unsigned char)type;
    return bytes;
}

int alive_type(const struct frame *frame)
{
    int type = frame->head[TYPE_OFFSET];
    if (type <= ALIVE_PONG)
        return type;
    errno = EBADMSG;
    return -1;
}

/* ---- is anybody there? ----------------------------------------------------------- */

void heartbeat_init(struct heartbeat *heartbeat, int interval_ms, int timeout_ms,
                    int64_t now)
{
    *heartbeat = (struct heartbeat){
        .heard = now, .interval_ms = interval_ms, .timeout_ms = timeout_ms};
}

void heartbeat_heard(struct heartbeat *heartbeat, int64_t now)
{
    heartbeat->heard = now;
}

/* When the next question is due, and when the end is. */
static int64_t ask_at(const struct heartbeat *heartbeat)
{
    int64_t last =
        heartbeat->heard > heartbeat->asked ? heartbeat->heard : heartbeat->asked;
    return heartbeat->interval_ms == 0 ? INT64_MAX : last + heartbeat->interval_ms;
}

static int64_t dead_at(const struct heartbeat *heartbeat)
{
    return heartbeat->timeout_ms == 0 ? INT64_MAX
                                      : heartbeat->heard + heartbeat->timeout_ms;
}

enum heartbeat_action heartbeat_check(struct heartbeat *heartbeat, int64_t now)
{
    if (now >= dead_at(heartbeat))
        return HEARTBEAT_DEAD;
    if (now < ask_at(heartbeat))
        return HEARTBEAT_WAIT;
    heartbeat->asked = now;
    return HEARTBEAT_ASK;
}

int heartbeat_wait(const struct heartbeat *heartbeat, int64_t now)
{
    int64_t ask = ask_at(heartbeat), dead = dead_at(heartbeat);
    int64_t next = ask < dead ? ask : dead;
    if (next == INT64_MAX)
        return -1;
    return next > now ? (int)(next - now) : 0;
}

/* ---- the next attempt ------------------------------------------------------------ */

int reconnect_init(struct reconnect *reconnect, int min_ms, int max_ms,
                   int jitter_percent)
{
    if (min_ms < 1 || max_ms < min_ms || jitter_percent < 0 || jitter_percent > 100) {
        errno = EINVAL;
        return -1;
    }
    *reconnect = (struct reconnect){min_ms, max_ms, jitter_percent, min_ms};
    return 0;
}

int reconnect_delay(struct reconnect *reconnect, uint32_t random)
{
    int delay = reconnect->next_ms;
    /* twice as long, without a sum that could overflow */
    reconnect->next_ms = delay > reconnect->max_ms / 2 ? reconnect->max_ms : 2 * delay;
    int64_t most = (int64_t)delay * reconnect->jitter_percent / 100;
    return delay - (int)(most * random / UINT32_MAX);
}

void reconnect_reset(struct reconnect *reconnect)
{
    reconnect->next_ms = reconnect->min_ms;
}
