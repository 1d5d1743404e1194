/*
 * load: messages to an echo server and back, counted, timed and compared.
 *
 * usage: load [--connections=N] [--depth=N] [--size=N] [--frames] [--rate=N] [--seconds=S]
 *             [--process=PID] HOST PORT | PATH
 *
 *     --connections  how many (1)
 *     --depth        messages under way on each (1); with --rate as many as it takes
 *     --size         bytes of a message (64); with --frames of its body, behind 4 bytes of
 *                    length, big-endian
 *     --rate         messages a second in all, by the clock; 0 (the default): as many as
 *                    come back
 *     --seconds      how long to measure (1), after a tenth of that to warm up; without
 *                    --rate not before each connection has had an answer
 *     --process      the server's, whose processor time is to be told
 *
 * Prints one line: answers a second, and the time that a message took in microseconds, at
 * the 50th, 99th and 99.9th percentile and at most; the server's processor time for one
 * answer in nanoseconds (0: not asked for); and the errors:
 *
 *     rate 151310 p50 61 p99 120 p999 240 max 900 cpu 3412 errors 0
 *
 * All messages that were due while it measured count for the times, those too that were
 * answered after its end. With --rate a message's time begins when it was due, not when it
 * could be sent: a server that stops for a second makes all the messages of that second
 * late, and not one alone (G. Tene calls the other way "coordinated omission").
 *
 * An error is: a connection that could not be had, or ended, or brought other bytes than
 * were sent on it; and each message that got no answer, PATIENCE after the end at the latest.
 * Exit status: 1 if there were errors, and then the figures mean nothing; 2 when called
 * wrongly.
 */
#define _GNU_SOURCE
#include "dial.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DUE = 1 << 12, AT_ONCE = 256, CHUNK = 1 << 16, PATTERNS = 8, PARTS = 256 };

static const int64_t NEVER = INT64_MAX, SECOND = 1000000000, PATIENCE = 5 * SECOND;

struct options {
    size_t connections, depth, size;
    bool frames;
    double rate, seconds;
    pid_t process; /* 0: none */
    const char *host, *service;
};

struct connection {
    int fd;               /* -1: it has failed */
    const char *expected; /* what is sent on it, and has to come back, over and over */
    size_t out, in;       /* bytes of the message that is half sent, half received */
    int64_t *due;         /* a ring: when each message under way was due */
    size_t first, count;
    size_t waiting; /* due and not sent */
    bool blocked, met;
};

/* Times, each right to a part in PARTS. */
struct histogram {
    uint64_t bucket[64 * PARTS], count, most;
};

struct load {
    struct options options;
    size_t size, places; /* of a message with its head; of each ring */
    struct connection *connection;
    int epoll;
    int64_t begin, measure, end; /* ns */
    uint64_t made;               /* messages that the clock has made due */
    uint64_t under_way, received, errors;
    size_t met,
        alive;    /* connections: that have had an answer, or failed; that have not */
    int64_t busy; /* the server's processor time while measuring */
    struct histogram times;
    char *chunk, *patterns[PATTERNS];
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) == -1)
        fail("clock_gettime");
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* The processor time of all threads of the server, until now. */
static int64_t busy_time(const struct load *load)
{
    clockid_t clock;
    if (load->options.process == 0)
        return 0;
    if ((errno = clock_getcpuclockid(load->options.process, &clock)) != 0)
        fail("the server's process");
    return read_clock(clock);
}

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("memory");
    return memory;
}

/* ---- times --------------------------------------------------------------------------- */

static size_t bucket_of(uint64_t value)
{
    if (value < PARTS)
        return (size_t)value;
    int shift = 63 - __builtin_clzll(value) - __builtin_ctz(PARTS);
    return (size_t)shift * PARTS + (size_t)(value >> shift);
}

/* The largest value that goes there. */
static uint64_t value_of(size_t bucket)
{
    if (bucket < PARTS)
        return bucket;
    size_t shift = bucket / PARTS - 1;
    return ((uint64_t)(bucket % PARTS + PARTS + 1) << shift) - 1;
}

static void note(struct histogram *times, int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 0;
    times->bucket[bucket_of(value)]++;
    times->count++;
    if (value > times->most)
        times->most = value;
}

/* In microseconds: the least time that so large a share of the messages did not exceed. */
static double percentile(const struct histogram *times, double share)
{
    double wanted = (double)times->count * share;
    uint64_t seen = 0;
    for (size_t i = 0; i < sizeof times->bucket / sizeof *times->bucket; i++) {
        seen += times->bucket[i];
        if (seen > 0 && (double)seen >= wanted)
            return (double)(value_of(i) < times->most ? value_of(i) : times->most) / 1000;
    }
    return 0;
}

/* ---- connections ----------------------------------------------------------------------- */

/* It counts, the first one is told, and the connection is given up with all that was under way. */
static void give_up(struct load *load, struct connection *c, const char *what)
{
    if (load->errors == 0)
        fprintf(stderr, "load: connection %zu: %s: %s\n",
                (size_t)(c - load->connection) + 1, what, strerror(errno));
    load->errors += 1 + c->count;
    load->under_way -= c->count;
    load->met += !c->met;
    load->alive--;
    if (c->fd != -1)
        close(c->fd);
    *c = (struct connection){.fd = -1, .due = c->due, .met = true};
}

static void open_all(struct load *load)
{
    const struct options *options = &load->options;
    allow_descriptors();
    load->alive = options->connections;
    for (size_t i = 0; i < options->connections; i++) {
        struct connection *c = &load->connection[i];
        c->expected = load->patterns[i % PATTERNS];
        c->due = room(load->places, sizeof *c->due);
        c->fd = dial(options->host, options->service);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (c->fd == -1 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) == -1)
            give_up(load, c, "connect");
    }
}

static void listen_for(struct load *load, struct connection *c, bool room_too)
{
    struct epoll_event event = {.events = EPOLLIN | (room_too ? EPOLLOUT : 0U),
                                .data.ptr = c};
    if (c->blocked != room_too &&
        epoll_ctl(load->epoll, EPOLL_CTL_MOD, c->fd, &event) == -1)
        fail("epoll_ctl");
    c->blocked = room_too;
}

/* ---- messages -------------------------------------------------------------------------- */

/* Sends what is due, in as few calls as can be. */
static void send_due(struct load *load, struct connection *c)
{
    while (c->waiting > 0) {
        size_t want = c->waiting * load->size - c->out, most = CHUNK - c->out;
        ssize_t n = send(c->fd, c->expected + c->out, want < most ? want : most,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n == -1 && errno == EAGAIN)
            break;
        if (n == -1) {
            give_up(load, c, "send");
            return;
        }
        c->out += (size_t)n;
        c->waiting -= c->out / load->size;
        c->out %= load->size;
    }
    listen_for(load, c, c->waiting > 0);
}

static void make_due(struct load *load, struct connection *c, int64_t when)
{
    if (c->fd != -1 && c->count == load->places) {
        errno = ETIMEDOUT;
        give_up(load, c, "so late that nothing can be said");
    }
    if (c->fd == -1) {
        load->errors++;
        return;
    }
    c->due[(c->first + c->count++) % load->places] = when;
    c->waiting++;
    load->under_way++;
}

static void answered(struct load *load, struct connection *c, int64_t at)
{
    int64_t due = c->due[c->first];
    c->first = (c->first + 1) % load->places;
    c->count--;
    load->under_way--;
    load->met += !c->met;
    c->met = true;
    if (at >= load->measure && at < load->end)
        load->received++;
    if (due >= load->measure)
        note(&load->times, at - due);
    if (load->options.rate == 0 && at < load->end)
        make_due(load, c, at);
}

static void receive(struct load *load, struct connection *c)
{
    ssize_t n = recv(c->fd, load->chunk, CHUNK - load->size, MSG_DONTWAIT);
    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        errno = n == 0 ? ECONNRESET : errno;
        give_up(load, c, "receive");
        return;
    }
    size_t asked = c->count * load->size - (c->waiting * load->size - c->out);
    if ((size_t)n > asked - c->in ||
        memcmp(load->chunk, c->expected + c->in, (size_t)n) != 0) {
        errno = EBADMSG;
        give_up(load, c, "not what was sent");
        return;
    }
    int64_t at = now();
    for (c->in += (size_t)n; c->in >= load->size; c->in -= load->size)
        answered(load, c, at);
}

/* ---- the clock ------------------------------------------------------------------------- */

/* Makes due what the rate says, round robin; returns how long until the next, in whole ms:
   the rest of the time is not slept, so that no message is late because of us. */
static int by_rate(struct load *load, int64_t at)
{
    double interval = (double)SECOND / load->options.rate;
    for (;;) {
        int64_t when = load->begin + (int64_t)((double)load->made * interval);
        if (when >= load->end)
            return 100;
        if (when > at)
            return (int)((when - at) / (SECOND / 1000));
        struct connection *c =
            &load->connection[load->made++ % load->options.connections];
        make_due(load, c, when);
        if (c->waiting > 0 && !c->blocked)
            send_due(load, c);
    }
}

/* Measures from when on? With a rate known before; without one, when all have been met. */
static void begin_to_measure(struct load *load, int64_t at)
{
    const struct options *options = &load->options;
    int64_t warm = load->begin + (int64_t)(options->seconds * 1e8);
    bool ready = at >= warm && load->met == options->connections;
    if (options->rate > 0)
        load->measure = warm;
    else if (ready || at >= warm + PATIENCE)
        load->measure = at;
    if (load->measure != NEVER)
        load->end = load->measure + (int64_t)(options->seconds * (double)SECOND);
}

/* The server's time at the beginning and the end of what is measured. */
static void keep_books(struct load *load, int64_t before, int64_t at)
{
    if (before < load->measure && at >= load->measure)
        load->busy -= busy_time(load);
    if (before < load->end && at >= load->end)
        load->busy += busy_time(load);
}

static void wait_and_serve(struct load *load, int wait)
{
    struct epoll_event events[AT_ONCE];
    int count = epoll_wait(load->epoll, events, AT_ONCE, wait);
    if (count == -1 && errno != EINTR)
        fail("epoll_wait");
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            receive(load, c);
        if (c->waiting > 0)
            send_due(load, c);
    }
}

/* Until the time is over, and what is under way has come back or is lost. */
static void work(struct load *load)
{
    const struct options *options = &load->options;
    int64_t at = load->begin = now();
    load->measure = load->end = NEVER;
    begin_to_measure(load, at);
    for (size_t i = 0; options->rate == 0 && i < options->connections; i++) {
        struct connection *c = &load->connection[i];
        for (size_t k = 0; c->fd != -1 && k < options->depth; k++)
            make_due(load, c, at);
        send_due(load, c);
    }
    while (load->alive > 0 &&
           (at < load->end || (load->under_way > 0 && at < load->end + PATIENCE))) {
        int64_t before = at;
        wait_and_serve(load, options->rate > 0 ? by_rate(load, at) : 100);
        at = now();
        if (load->measure == NEVER)
            begin_to_measure(load, at);
        keep_books(load, before, at);
    }
    if (load->under_way > 0)
        fprintf(stderr, "load: %llu messages got no answer\n",
                (unsigned long long)load->under_way);
    load->errors += load->under_way;
}

/* ---- the command ----------------------------------------------------------------------- */

/* What comes on one connection can hardly be taken for what comes on another. */
static char *pattern_of(const struct load *load, size_t number)
{
    size_t body = load->options.size, head = load->size - body;
    char *bytes = room(CHUNK + load->size, 1);
    for (size_t i = 0; i < CHUNK + load->size; i++) {
        size_t at = i % load->size;
        bytes[i] = at < head ? (char)(body >> (8 * (head - 1 - at)))
                             : (char)('a' + (at - head + number) % 26);
    }
    return bytes;
}

static void prepare(struct load *load)
{
    const struct options *options = &load->options;
    load->size = (options->frames ? 4 : 0) + options->size;
    load->places = options->rate > 0 ? MOST_DUE : options->depth;
    load->chunk = room(CHUNK, 1);
    for (size_t i = 0; i < PATTERNS; i++)
        load->patterns[i] = pattern_of(load, i);
    load->connection = room(options->connections, sizeof *load->connection);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll == -1)
        fail("epoll_create1");
}

static _Noreturn void usage(void)
{
    fputs("usage: load [--connections=N] [--depth=N] [--size=N] [--frames] [--rate=N] "
          "[--seconds=S] [--process=PID] HOST PORT | PATH\n",
          stderr);
    exit(2);
}

static double number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 0))
        usage();
    return value;
}

static struct options options_of(int argc, char *argv[])
{
    static const struct option known[] = {{"connections", required_argument, NULL, 'c'},
                                          {"depth", required_argument, NULL, 'd'},
                                          {"size", required_argument, NULL, 's'},
                                          {"frames", no_argument, NULL, 'f'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"seconds", required_argument, NULL, 't'},
                                          {"process", required_argument, NULL, 'p'},
                                          {0}};
    struct options options = {.connections = 1, .depth = 1, .size = 64, .seconds = 1};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case 'c': options.connections = (size_t)number(optarg); break;
        case 'd': options.depth = (size_t)number(optarg); break;
        case 's': options.size = (size_t)number(optarg); break;
        case 'f': options.frames = true; break;
        case 'r': options.rate = number(optarg); break;
        case 't': options.seconds = number(optarg); break;
        case 'p': options.process = (pid_t)number(optarg); break;
        default: usage();
        }
    bool right = options.connections > 0 && options.depth > 0 &&
                 options.depth <= MOST_DUE && options.size > 0 &&
                 options.size <= CHUNK / 4 && options.seconds > 0;
    if (!right || argc - optind < 1 || argc - optind > 2)
        usage();
    options.host = argv[optind];
    options.service = argv[optind + 1];
    return options;
}

int main(int argc, char *argv[])
{
    static struct load load;
    load.options = options_of(argc, argv);
    prepare(&load);
    open_all(&load);
    work(&load);
    const struct histogram *times = &load.times;
    printf("rate %.0f p50 %.1f p99 %.1f p999 %.1f max %.1f cpu %.0f errors %llu\n",
           (double)load.received / load.options.seconds, percentile(times, 0.5),
           percentile(times, 0.99), percentile(times, 0.999), (double)times->most / 1000,
           load.received == 0 ? 0 : (double)load.busy / (double)load.received,
           (unsigned long long)load.errors);
    return fflush(stdout) == 0 && load.errors == 0 ? 0 : 1;
}
