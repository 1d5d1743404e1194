/*
 * alive.h: peers that go without a word, and how to notice, give up, and come back.
 *
 *     connect_within     a connection to a server, or an error, in a time that you choose
 *     keepalive_set      let TCP itself ask whether the peer's machine is there
 *     socket_options     what the kernel says of a socket: a table
 *     alive_format       messages with a type: data, "are you there?", "I am"
 *     alive_encode         make one
 *     alive_type           which one is it?
 *     heartbeat_init     when to ask, and when to believe that nobody is there
 *     heartbeat_heard      something has come
 *     heartbeat_check      what is to be done now?
 *     heartbeat_wait       and when is the next time?
 *     ticks_open         the time, from the machine or from a test
 *       ticks_now, ticks_wait, ticks_read
 *     reconnect_init     how long to wait before the next attempt
 *     reconnect_delay      so long
 *     reconnect_reset      it went well: begin at the shortest delay
 *
 * What begins with heartbeat or reconnect is pure: it reads no clock. Time is a number of milliseconds that the caller
 * brings along, from 0 to 2^62, and that never goes back. So a test of an hour takes no time.
 */
#ifndef ALIVE_H
#define ALIVE_H

#include "frame.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- sockets --------------------------------------------------------------------- */

/*
 * connect_within: open a TCP connection to a server, and wait no longer than that for it.
 *
 * host        numeric address or name
 * service     port number from 0 to 65535, or service name
 * timeout_ms  for each address that getaddrinfo() finds for host; at least 1
 *
 * Tries each address, IPv4 or IPv6, in getaddrinfo()'s order, once, with one new socket and all
 * of timeout_ms: until one is connected. Waits asleep. A signal (EINTR) neither ends the attempt
 * nor makes its time longer, and nor does somebody who sets the machine's clock.
 * Returns a connection, blocking and close-on-exec, which the caller closes; or -1 with errno
 * set (that of the last address), and nothing is left open:
 *   ETIMEDOUT      nothing came back within timeout_ms
 *   ECONNREFUSED, ENETUNREACH, EHOSTUNREACH    as tcp_connect() of lesson 02, as soon as known
 *   EADDRNOTAVAIL  host or service does not resolve
 *   others         what socket(), connect() or fcntl() reported
 *
 * POSIX.1-2017: getaddrinfo(), connect(), poll(), getsockopt() of SO_ERROR. Linux: connect(2),
 * EINPROGRESS.
 */
int connect_within(const char *host, const char *service, int timeout_ms);

/* What TCP does when nothing comes, and when what it sends is not acknowledged. */
struct keepalive {
    int idle_s;     /* TCP_KEEPIDLE: silence before the first probe, in seconds */
    int interval_s; /* TCP_KEEPINTVL: between probes, in seconds */
    int probes;     /* TCP_KEEPCNT: so many without an answer are the end: ETIMEDOUT */
    int user_timeout_ms; /* TCP_USER_TIMEOUT: for what is not acknowledged, in milliseconds;
                            0: as long as the system likes (a quarter of an hour).
                            If it is not 0, it decides for the probes too, not their number */
};

/*
 * keepalive_set: switch SO_KEEPALIVE on for a TCP socket, and set those four.
 *
 * Returns 0, or -1 with errno set, and some of them may be set then:
 *   EBADF, ENOTSOCK  fd is not a socket
 *   EINVAL           a number that the kernel does not take: idle_s 0, for instance
 *   others           what setsockopt() reported: EOPNOTSUPP of a UNIX socket
 *
 * Linux: tcp(7), socket(7).
 */
int keepalive_set(int fd, const struct keepalive *keepalive);

/* Rows of the table, and room for the text of one value. */
enum { SOCKET_OPTIONS = 7, OPTION_TEXT_SIZE = 16 };

struct socket_option {
    const char *name;             /* "SO_RCVBUF": a constant, never freed */
    char value[OPTION_TEXT_SIZE]; /* its value as text, as below */
};

/*
 * socket_options: fill a table with what getsockopt() says.
 *
 * The rows, in this order, and the text of the value:
 *   SO_RCVBUF         bytes of the receive buffer, decimal: "131072"
 *   SO_SNDBUF         bytes of the send buffer
 *   SO_KEEPALIVE      "on" or "off"
 *   TCP_NODELAY       "on" or "off"
 *   TCP_USER_TIMEOUT  milliseconds, decimal; "0" is the system's own
 *   SO_LINGER         "off", or the seconds, as in "5 s"
 *   SO_ERROR          the error that waits, as its number: "0" is none. To ask is to take it.
 * An option that this kind of socket does not have (getsockopt() says ENOPROTOOPT or EOPNOTSUPP)
 * has the value "-".
 * Returns 0, or -1 with errno set (what the table then holds is not defined):
 *   EBADF, ENOTSOCK  fd is not a socket
 *
 * POSIX.1-2017: getsockopt(). Linux: socket(7), tcp(7).
 */
int socket_options(int fd, struct socket_option table[SOCKET_OPTIONS]);

/* ---- messages -------------------------------------------------------------------- */

/*
 *     0         4      5
 *     | length  | type | body ... |
 *
 * The length (4 bytes, big-endian) counts the body alone: from 0 to ALIVE_MOST_BODY bytes.
 */
enum { ALIVE_HEAD = 5, ALIVE_MOST_BODY = 4096 };
enum { ALIVE_MOST_FRAME = ALIVE_HEAD + ALIVE_MOST_BODY };

enum alive_type {
    ALIVE_DATA = 0, /* a message. The server answers with the same. */
    ALIVE_PING = 1, /* "are you there?" To be answered by a pong with the same body. */
    ALIVE_PONG = 2  /* "I am." Never answered. */
};

/*
 * alive_format: the format above, for lesson 07's decoder.
 *
 * Returns a pointer to a constant that is always there.
 */
const struct frame_format *alive_format(void);

/*
 * alive_encode: make the frame of one message.
 *
 * type        one of the three
 * body, n     n may be 0, and body is then not looked at
 * out, size   where the frame goes, and the bytes there are for it; apart from body
 *
 * Returns the bytes of the frame, or -1 with errno set, as frame_encode() does: EMSGSIZE if the
 * body is too long, ENOSPC if out is too small.
 */
ssize_t alive_encode(enum alive_type type, const void *body, size_t n, void *out,
                     size_t size);

/*
 * alive_type: the type of a message that a decoder of this format has found.
 *
 * Returns one of the three, or -1 with errno set:
 *   EBADMSG  it is none of them
 */
int alive_type(const struct frame *frame);

/* ---- is anybody there? ----------------------------------------------------------- */

/* What a heartbeat remembers; one for each connection. Its members are for alive.c alone. */
struct heartbeat {
    int64_t heard; /* when something came last, or when the connection began */
    int64_t asked; /* when heartbeat_check() said HEARTBEAT_ASK last */
    int interval_ms, timeout_ms;
};

enum heartbeat_action {
    HEARTBEAT_WAIT = 1, /* nothing is due */
    HEARTBEAT_ASK,      /* send a ping now */
    HEARTBEAT_DEAD      /* nothing has come for too long: close the connection */
};

/*
 * heartbeat_init: a connection begins, now.
 *
 * interval_ms  ask when nothing has come for so long; 0: never ask
 * timeout_ms   the peer is taken for dead when nothing has come for so long; 0: never.
 *              Without an interval this is a plain idle timer.
 *
 * Neither is negative.
 */
void heartbeat_init(struct heartbeat *heartbeat, int interval_ms, int timeout_ms,
                    int64_t now);

/* heartbeat_heard: something has come from the peer, now. */
void heartbeat_heard(struct heartbeat *heartbeat, int64_t now);

/*
 * heartbeat_check: what is to be done now?
 *
 * Returns
 *   HEARTBEAT_DEAD  if nothing has come for timeout_ms or longer;
 *   HEARTBEAT_ASK   else if nothing has come for interval_ms or longer, and it has not said so
 *                   for interval_ms either. The caller asks, and it is remembered when;
 *   HEARTBEAT_WAIT  else.
 */
enum heartbeat_action heartbeat_check(struct heartbeat *heartbeat, int64_t now);

/*
 * heartbeat_wait: how long may poll() sleep?
 *
 * Returns the milliseconds until heartbeat_check() will say something other than HEARTBEAT_WAIT
 * if nothing comes: 0 if it would now; -1 if it never will.
 */
int heartbeat_wait(const struct heartbeat *heartbeat, int64_t now);

/* ---- where the time comes from --------------------------------------------------- */

/*
 * These four are given. The programs have the time from the machine; or, with --clock PATH, from
 * whoever writes to PATH, a FIFO: it then stands still, and goes on by N milliseconds for each line
 * "N". So a test that says "3 seconds have passed" does not wait for them, and is right on a busy
 * machine too.
 */
struct ticks {
    int fd;      /* time comes from there; -1: from the machine */
    int64_t now; /* milliseconds, where it comes from fd */
};

/* ticks_open: path is that of the FIFO, or NULL. Returns 0, or -1 with open()'s errno. */
int ticks_open(struct ticks *ticks, const char *path);

/* ticks_now: milliseconds, since whenever. */
int64_t ticks_now(const struct ticks *ticks);

/* ticks_wait: what to give poll() in place of ms: -1 where it waits for fd instead. */
int ticks_wait(const struct ticks *ticks, int ms);

/* ticks_read: poll() says that fd is ready: take one line, and the time goes on. */
void ticks_read(struct ticks *ticks);

/* ---- the next attempt ------------------------------------------------------------ */

/* Its members are for alive.c alone. */
struct reconnect {
    int min_ms, max_ms, jitter_percent;
    int next_ms; /* the next delay, before jitter */
};

/*
 * reconnect_init: no attempt has failed yet.
 *
 * min_ms          the first delay; at least 1
 * max_ms          the longest; at least min_ms
 * jitter_percent  0 to 100: up to so many hundredths of a delay are taken off, by chance
 *
 * Returns 0, or -1 with errno EINVAL.
 */
int reconnect_init(struct reconnect *reconnect, int min_ms, int max_ms,
                   int jitter_percent);

/*
 * reconnect_delay: an attempt has failed. How many milliseconds until the next?
 *
 * random  by chance, any uint32_t alike; without jitter it does not matter
 *
 * The first delay is min_ms, each further one twice the one before, and none more than max_ms:
 * with 1000 and 10000 that is 1000, 2000, 4000, 8000, 10000, 10000 ... for as long as it takes.
 * Of that, jitter takes off: delay * jitter_percent / 100 * random / UINT32_MAX, give or take 2 ms
 * of rounding, and never more than the delay. The next delay does not depend on it.
 */
int reconnect_delay(struct reconnect *reconnect, uint32_t random);

/* reconnect_reset: the connection was good. The next delay is min_ms again. */
void reconnect_reset(struct reconnect *reconnect);

#endif
