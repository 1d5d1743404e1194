/*
 * load: messages to an echo server and back, counted and timed.
 *
 * usage: load [--connections=N] [--depth=N] [--size=N] [--frames] [--rate=N] [--seconds=S] HOST PORT | PATH
 *
 *     --connections  how many (1)
 *     --depth        messages under way on each (1); with --rate as many as it takes
 *     --size         bytes of a message (64); with --frames of its body, behind 4 bytes of
 *                    length, big-endian
 *     --rate         messages a second in all, by the clock; 0 (the default): as many as
 *                    come back
 *     --seconds      how long to measure (1), after a tenth of that to warm up
 *
 * Prints one line: messages a second, and the time that a message took in microseconds, at
 * the 50th, 99th and 99.9th percentile and at most:
 *
 *     rate 151310 p50 61 p99 120 p999 240 max 900
 *
 * With --rate a message's time begins when it was due, not when it could be sent: a server
 * that stops for a second makes all the messages of that second late, and not one alone
 * (G. Tene calls the other way "coordinated omission"). Exit status 1: the server went
 * away, or sent other bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DUE = 1 << 12, AT_ONCE = 256, CHUNK = 1 << 16 };

struct options {
    size_t connections, depth, size;
    bool frames;
    double rate, seconds;
    const char *host, *service;
};

/* One message: its bytes are the same on every connection and in every message. */
struct message {
    unsigned char *bytes;
    size_t size;
};

struct connection {
    int fd;
    size_t out, in; /* bytes of the message that is half sent, half received */
    int64_t *due;   /* a ring: when each message under way was due */
    size_t first, count;
    size_t waiting; /* due and not sent */
    bool blocked;
};

/* Times in 1/32 of a power of two: 3 digits are right. */
struct histogram {
    uint64_t bucket[64 * 32], count, most;
};

struct load {
    struct options options;
    struct message message;
    struct connection *connection;
    int epoll;
    int64_t begin, measure, end; /* ns */
    uint64_t sent, received;     /* received: while measuring */
    struct histogram times;
    unsigned char *chunk, *expected;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
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
    if (value < 32)
        return (size_t)value;
    int top = 63 - __builtin_clzll(value);
    return (size_t)(top - 4) * 32 + (value >> (top - 5)) - 32;
}

static uint64_t value_of(size_t bucket)
{
    if (bucket < 32)
        return bucket;
    return (uint64_t)(bucket % 32 + 32) << (bucket / 32 - 1);
}

static void note(struct histogram *times, int64_t ns)
{
    uint64_t value = ns > 0 ? (uint64_t)ns : 0;
    times->bucket[bucket_of(value)]++;
    times->count++;
    if (value > times->most)
        times->most = value;
}

static double percentile(const struct histogram *times, double share)
{
    uint64_t seen = 0, wanted = (uint64_t)((double)times->count * share);
    for (size_t i = 0; i < sizeof times->bucket / sizeof *times->bucket; i++) {
        seen += times->bucket[i];
        if (seen > wanted)
            return (double)value_of(i) / 1000;
    }
    return (double)times->most / 1000;
}

/* ---- connections ----------------------------------------------------------------------- */

static int connect_local(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return errno = ENAMETOOLONG, -1;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    return -1;
}

static int connect_tcp(const struct options *options)
{
    static struct addrinfo *found;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (found == NULL &&
        getaddrinfo(options->host, options->service, &hints, &found) != 0)
        return errno = EADDRNOTAVAIL, -1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd == -1 || connect(fd, found->ai_addr, found->ai_addrlen) == -1)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void open_all(struct load *load)
{
    const struct options *options = &load->options;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (size_t i = 0; i < options->connections; i++) {
        struct connection *c = &load->connection[i];
        c->fd = options->service == NULL ? connect_local(options->host)
                                         : connect_tcp(options);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (c->fd == -1 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) == -1)
            fail("connect");
        c->due = room(MOST_DUE, sizeof *c->due);
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
    size_t size = load->message.size;
    while (c->waiting > 0) {
        size_t want = c->waiting * size - c->out, most = CHUNK - c->out;
        ssize_t n = send(c->fd, load->expected + c->out, want < most ? want : most,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n == -1 && errno == EAGAIN)
            break;
        if (n == -1)
            fail("send");
        c->out += (size_t)n;
        load->sent += c->out / size;
        c->waiting -= c->out / size;
        c->out %= size;
    }
    listen_for(load, c, c->waiting > 0);
}

static void make_due(struct load *load, struct connection *c, int64_t when)
{
    (void)load;
    if (c->count == MOST_DUE) {
        errno = ETIMEDOUT;
        fail("the server is so late that nothing can be said");
    }
    c->due[(c->first + c->count++) % MOST_DUE] = when;
    c->waiting++;
}

static void answered(struct load *load, struct connection *c, int64_t at)
{
    int64_t due = c->due[c->first];
    c->first = (c->first + 1) % MOST_DUE;
    c->count--;
    if (due >= load->measure) {
        load->received++;
        note(&load->times, at - due);
    }
    if (load->options.rate == 0 && at < load->end)
        make_due(load, c, at);
}

static void receive(struct load *load, struct connection *c)
{
    size_t size = load->message.size;
    ssize_t n = recv(c->fd, load->chunk, CHUNK - size, MSG_DONTWAIT);
    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        fail("receive");
    if (memcmp(load->chunk, load->expected + c->in, (size_t)n) != 0) {
        errno = EBADMSG;
        fail("the echo");
    }
    int64_t at = now();
    for (c->in += (size_t)n; c->in >= size && c->count > 0; c->in -= size)
        answered(load, c, at);
    if (c->in >= size) {
        errno = EBADMSG;
        fail("more came than was sent");
    }
}

/* ---- the clock ------------------------------------------------------------------------- */

/* Makes due what the rate says, round robin; returns how long until the next, in ms. */
static int by_rate(struct load *load, int64_t at)
{
    static uint64_t made;
    const struct options *options = &load->options;
    double interval = 1e9 / options->rate;
    while (load->begin + (int64_t)((double)made * interval) <= at) {
        int64_t when = load->begin + (int64_t)((double)made * interval);
        struct connection *c = &load->connection[made++ % options->connections];
        if (when < load->end)
            make_due(load, c, when);
        if (!c->blocked)
            send_due(load, c);
    }
    return interval > 2e6 ? 1 : 0;
}

static void work(struct load *load)
{
    struct epoll_event events[AT_ONCE];
    int64_t at = now();
    load->begin = at;
    load->measure = at + (int64_t)(load->options.seconds * 1e8);
    load->end = load->measure + (int64_t)(load->options.seconds * 1e9);
    for (size_t i = 0; load->options.rate == 0 && i < load->options.connections; i++) {
        for (size_t k = 0; k < load->options.depth; k++)
            make_due(load, &load->connection[i], at);
        send_due(load, &load->connection[i]);
    }
    while (at < load->end) {
        int wait = load->options.rate > 0 ? by_rate(load, at) : 100;
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
        at = now();
    }
}

/* ---- the command ----------------------------------------------------------------------- */

static void prepare(struct load *load)
{
    const struct options *options = &load->options;
    size_t head = options->frames ? 4 : 0, size = head + options->size;
    load->message = (struct message){room(size, 1), size};
    for (size_t i = 0; i < options->size; i++)
        load->message.bytes[head + i] = (unsigned char)('a' + i % 26);
    for (size_t i = 0; i < head; i++)
        load->message.bytes[i] = (unsigned char)(options->size >> (8 * (head - 1 - i)));
    load->chunk = room(CHUNK, 1);
    load->expected = room(CHUNK + size, 1);
    for (size_t i = 0; i < CHUNK + size; i++)
        load->expected[i] = load->message.bytes[i % size];
    load->connection = room(options->connections, sizeof *load->connection);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll == -1)
        fail("epoll_create1");
}

static _Noreturn void usage(void)
{
    fputs("usage: load [--connections=N] [--depth=N] [--size=N] [--frames] [--rate=N] "
          "[--seconds=S] HOST PORT | PATH\n",
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
    printf("rate %.0f p50 %.1f p99 %.1f p999 %.1f max %.1f\n",
           (double)load.received / load.options.seconds, percentile(&load.times, 0.5),
           percentile(&load.times, 0.99), percentile(&load.times, 0.999),
           (double)load.times.most / 1000);
    return fflush(stdout) == 0 ? 0 : 1;
}
