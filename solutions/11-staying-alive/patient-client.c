/*
 * patient-client: send lines to a heartbeat-server, and come back when the connection is lost.
 *
 * usage: patient-client [OPTION VALUE]... HOST PORT
 *
 * --connect-timeout MS  for an attempt to connect: 3000
 * --interval MS         ask whether the server is there when nothing has come for so long: 1000;
 *                         a question is a ping without a body
 * --timeout MS          give the connection up when nothing has come for so long: 3000; a message
 *                         of any known type is something
 * --min-delay MS        wait so long before the next attempt, the first time: 1000; then twice as
 * --max-delay MS          long each time, but never longer than that: 10000
 * --jitter PERCENT      up to so much less, by chance: 0
 * --tries N             give up when it was lost N times in a row, or not there at all, and no
 *                       message of a known type has come in between: 0, never
 * --options on          print the socket's options when it is connected (off)
 * --clock PATH          time comes from PATH: see alive.h; "time T" is printed
 *                         when what is due then is done
 *
 * Each line of standard input is sent as a message when the one before has come back. What is not
 * sent, or has not come back when the connection is lost, is sent again on the next one: no line
 * is lost (one may be seen twice by the server). A message that nobody waits for is not printed. A
 * message of no known type is the end of its connection. TCP's own keep-alive is on as well, with
 * --timeout as its user_timeout_ms.
 *
 * It prints
 *   connected to 127.0.0.1:41233
 *   SO_RCVBUF 131072            (and six more: NAME VALUE, with --options on)
 *   echo TEXT                   the line came back
 *   lost: REASON; again in 1000 ms
 * also for an attempt that failed. When a whole message of a known type has come on a connection, the
 * next delay is the shortest again: that it is connected proves little.
 *
 * Exit status: 0 when standard input has ended and each line has come back; 1, with a line on
 * standard error, when it gave up or something else failed (standard input cannot be read, or
 * standard output not written); 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "alive.h"
#include "tcp.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* A line and its newline have room in the text. */
enum { CHUNK = 16 * 1024, TEXT_SIZE = ALIVE_MOST_BODY + 1 };

/* In place of a descriptor: what connect_within() returns, and poll() passes over. */
enum { NONE = -1 };

/* What TCP's own keep-alive is told. */
enum { KEEPALIVE_IDLE_S = 10, KEEPALIVE_INTERVAL_S = 5, KEEPALIVE_PROBES = 3 };

/* The values of the options. */
struct settings {
    int connect_timeout, interval, timeout, min_delay, max_delay, jitter, tries, options;
    const char *clock, *host, *port;
};

struct client {
    const struct settings *settings;
    struct ticks ticks;
    struct heartbeat heartbeat;
    struct reconnect reconnect;
    int failures; /* attempts in a row from which nothing came */
    int fd;       /* NONE: not connected, */
    int64_t next; /*   and this is when to try again */
    char text
        [TEXT_SIZE]; /* from standard input: a line that has not come back, and more */
    size_t filled, line; /* bytes in it; of the line, where there is one */
    bool waiting, ended; /* there is a line; standard input has ended */
    struct frame_decoder decoder;
    unsigned char input[CHUNK], storage[ALIVE_MOST_FRAME];
};

/* ---- coming and going ------------------------------------------------------------ */

/* The connection is lost, or was none. False: that was once too often. */
static bool lose(struct client *c, const char *reason)
{
    if (c->fd != NONE)
        close(c->fd);
    c->fd = NONE;
    c->failures++;
    if (c->failures == c->settings->tries) {
        fprintf(stderr, "patient-client: gave up: %s\n", reason);
        return false;
    }
    uint32_t random;
    getentropy(&random, sizeof random); /* never fails for so little */
    int delay = reconnect_delay(&c->reconnect, random);
    c->next = ticks_now(&c->ticks) + delay;
    printf("lost: %s; again in %d ms\n", reason, delay);
    return fflush(stdout) == 0;
}

/* Send a message, all of it at once. A server that leaves no room for so little has stopped
   reading long ago. */
static bool send_message(struct client *c, enum alive_type type, const void *body,
                         size_t n)
{
    unsigned char frame[ALIVE_MOST_FRAME];
    ssize_t size = alive_encode(type, body, n, frame, sizeof frame);
    return send(c->fd, frame, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL) == size ||
           lose(c, "it takes no more");
}

/* Say that the connection is there, and what the kernel thinks of it. */
static bool report(const struct client *c)
{
    struct socket_option table[SOCKET_OPTIONS];
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[ADDRESS_TEXT_SIZE];
    if (getpeername(c->fd, (struct sockaddr *)&address, &length) != 0 ||
        address_text((struct sockaddr *)&address, length, text, sizeof text) != 0 ||
        socket_options(c->fd, table) != 0)
        return false;
    printf("connected to %s\n", text);
    for (size_t i = 0; c->settings->options && i < SOCKET_OPTIONS; i++)
        printf("%s %s\n", table[i].name, table[i].value);
    return fflush(stdout) == 0;
}

/* One attempt. False: it is time to end. */
static bool connect_now(struct client *c)
{
    const struct keepalive keepalive = {.idle_s = KEEPALIVE_IDLE_S,
                                        .interval_s = KEEPALIVE_INTERVAL_S,
                                        .probes = KEEPALIVE_PROBES,
                                        .user_timeout_ms = c->settings->timeout};
    c->fd = connect_within(c->settings->host, c->settings->port,
                           c->settings->connect_timeout);
    if (c->fd == NONE)
        return lose(c, connect_error_means(errno));
    if (keepalive_set(c->fd, &keepalive) != 0 || !report(c))
        return lose(c, strerror(errno));
    heartbeat_init(&c->heartbeat, c->settings->interval, c->settings->timeout,
                   ticks_now(&c->ticks));
    frame_decoder_init(&c->decoder, alive_format(), c->storage, sizeof c->storage);
    return !c->waiting || send_message(c, ALIVE_DATA, c->text, c->line);
}

/* ---- lines ----------------------------------------------------------------------- */

/* Is there a whole line in the text? Then it is sent. What is longer than a message goes in pieces. */
static bool next_line(struct client *c)
{
    const char *end = memchr(c->text, '\n', c->filled);
    if (c->waiting ||
        (end == NULL && c->filled < sizeof c->text && !(c->ended && c->filled > 0)))
        return true;
    size_t n = end == NULL ? c->filled : (size_t)(end - c->text);
    c->waiting = true;
    c->line = n < ALIVE_MOST_BODY ? n : ALIVE_MOST_BODY;
    return send_message(c, ALIVE_DATA, c->text, c->line);
}

/* Standard input has something. */
static bool read_lines(struct client *c)
{
    ssize_t n = read(STDIN_FILENO, c->text + c->filled, sizeof c->text - c->filled);
    if (n == -1) {
        perror("patient-client: standard input");
        return false;
    }
    c->filled += (size_t)n;
    c->ended = n == 0;
    return next_line(c);
}

/* The line has come back. */
static bool line_done(struct client *c, const struct frame *frame)
{
    printf("echo ");
    fwrite(frame->body, 1, frame->body_size, stdout);
    puts("");
    size_t n = c->line < c->filled && c->text[c->line] == '\n' ? c->line + 1 : c->line;
    c->filled -= n;
    memmove(c->text, c->text + n, c->filled);
    c->waiting = false;
    return fflush(stdout) == 0 && next_line(c);
}

/* ---- what comes from the server -------------------------------------------------- */

static bool handle(struct client *c, const struct frame *frame)
{
    int type = alive_type(frame);
    if (type == -1)
        return lose(c, strerror(errno));
    heartbeat_heard(&c->heartbeat, ticks_now(&c->ticks));
    reconnect_reset(&c->reconnect);
    c->failures = 0;
    if (type == ALIVE_PING)
        return send_message(c, ALIVE_PONG, frame->body, frame->body_size);
    return type == ALIVE_PONG || !c->waiting || line_done(c, frame);
}

static bool read_server(struct client *c)
{
    struct frame frame;
    int result = 1;
    bool going_on = true;
    ssize_t n = recv(c->fd, c->input, sizeof c->input, MSG_DONTWAIT);
    if (n == -1)
        return errno == EAGAIN || /* a "ready" may have been taken back */
               lose(c, strerror(errno));
    if (n == 0)
        return lose(c, "the server ended the connection");
    frame_decoder_feed(&c->decoder, c->input, (size_t)n);
    while (going_on && c->fd != NONE && result == 1) {
        result = frame_decoder_next(&c->decoder, &frame);
        if (result == 1)
            going_on = handle(c, &frame);
    }
    return going_on && (result != -1 || lose(c, strerror(errno)));
}

/* ---- time ------------------------------------------------------------------------ */

/* What is due now. */
static bool check_time(struct client *c)
{
    int64_t now = ticks_now(&c->ticks);
    if (c->fd == NONE)
        return now < c->next || connect_now(c);
    switch (heartbeat_check(&c->heartbeat, now)) {
    case HEARTBEAT_DEAD: return lose(c, "nothing has come from the server for too long");
    case HEARTBEAT_ASK: return send_message(c, ALIVE_PING, NULL, 0);
    default: return true;
    }
}

/* Until something is due. */
static int time_left(const struct client *c)
{
    int64_t now = ticks_now(&c->ticks);
    if (c->fd != NONE)
        return heartbeat_wait(&c->heartbeat, now);
    return c->next > now ? (int)(c->next - now) : 0;
}

enum { SERVER, INPUT, CLOCK, WAITS };

/* Standard input is read when there is room for it and somebody to send it to. */
static void wait_for_all(const struct client *c, struct pollfd wait[WAITS])
{
    bool wanted = c->fd != NONE && !c->waiting && !c->ended;
    wait[SERVER] = (struct pollfd){.fd = c->fd, .events = POLLIN};
    wait[INPUT] = (struct pollfd){.fd = wanted ? STDIN_FILENO : NONE, .events = POLLIN};
    wait[CLOCK] = (struct pollfd){.fd = c->ticks.fd, .events = POLLIN};
    poll(wait, WAITS, ticks_wait(&c->ticks, time_left(c))); /* fails: all revents are 0 */
}

/* True: all lines came back. */
static bool converse(struct client *c)
{
    struct pollfd wait[WAITS];
    if (!connect_now(c))
        return false;
    while (c->waiting || !c->ended) {
        wait_for_all(c, wait);
        if (wait[CLOCK].revents)
            ticks_read(&c->ticks);
        /* one a round: what is read first may lose the connection */
        bool ok =
            wait[INPUT].revents ? read_lines(c) : !wait[SERVER].revents || read_server(c);
        if (!ok || !check_time(c))
            return false;
        if (wait[CLOCK].revents) {
            printf("time %" PRId64 "\n", c->ticks.now);
            fflush(stdout);
        }
    }
    return true;
}

/* ---- beginning and end ----------------------------------------------------------- */

/* A number from 0 to INT_MAX, and nothing behind it. */
static bool read_number(const char *text, int *value)
{
    char *end;
    long n = strtol(text, &end, 10);
    *value = (int)n;
    return *text != '\0' && *end == '\0' && n >= 0 && n <= INT_MAX;
}

/* False: there is no such option, or it has no such value. */
static bool read_option(struct settings *s, const char *name, const char *value)
{
    const struct {
        const char *name;
        int *number;
    } numbers[] = {{"--connect-timeout", &s->connect_timeout},
                   {"--interval", &s->interval},
                   {"--timeout", &s->timeout},
                   {"--min-delay", &s->min_delay},
                   {"--max-delay", &s->max_delay},
                   {"--jitter", &s->jitter},
                   {"--tries", &s->tries}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return read_number(value, numbers[i].number);
    if (strcmp(name, "--clock") == 0)
        s->clock = value;
    else
        s->options = strcmp(value, "on") == 0;
    return strcmp(name, "--clock") == 0 ||
           (strcmp(name, "--options") == 0 && (s->options || strcmp(value, "off") == 0));
}

static bool read_settings(int argc, char *argv[], struct settings *s)
{
    if (argc < 3 || argc % 2 == 0)
        return false;
    for (int i = 1; i != argc - 2; i += 2)
        if (!read_option(s, argv[i], argv[i + 1]))
            return false;
    s->host = argv[argc - 2];
    s->port = argv[argc - 1];
    char *end;
    unsigned long number = strtoul(s->port, &end, 10);
    return s->connect_timeout > 0 && (*end != '\0' || number <= UINT16_MAX);
}

int main(int argc, char *argv[])
{
    struct settings settings = {.connect_timeout = 3000,
                                .interval = 1000,
                                .timeout = 3000,
                                .min_delay = 1000,
                                .max_delay = 10000};
    struct client c = {.settings = &settings, .fd = NONE};
    if (!read_settings(argc, argv, &settings) ||
        reconnect_init(&c.reconnect, settings.min_delay, settings.max_delay,
                       settings.jitter) == -1) {
        fprintf(stderr, "usage: patient-client [OPTION VALUE]... HOST PORT\n");
        return 2;
    }
    if (ticks_open(&c.ticks, settings.clock) == -1) {
        perror("patient-client");
        return 1;
    }
    signal(SIGPIPE, SIG_IGN); /* nobody reads standard output: an error, as any other */
    bool ok = converse(&c);
    if (ferror(stdout))
        fprintf(stderr, "patient-client: standard output cannot be written\n");
    return ok ? 0 : 1;
}
