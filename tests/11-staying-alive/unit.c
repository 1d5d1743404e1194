/*
 * Unit tests of lesson 11: peers that say nothing, and times that nobody waits for.
 *
 * A server that says nothing at all, not even RST, is a listener whose queue is full: Linux drops the SYN of who comes
 * next. Names are ours: getaddrinfo() below knows "two.test" and "none.test", and hands every other question to the
 * real one. So is the clock that people set: clock_gettime() below. The pure functions are compared with a plain model
 * of the test's own.
 */
#define _GNU_SOURCE
#include "alive.h"
#include "calls.h"
#include "lab.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* ---- names whose addresses the tests decide -------------------------------------- */

static struct addrinfo *our_list; /* handed out and not yet freed */

static struct addrinfo *our_address(const char *address, const char *service,
                                    int socktype)
{
    struct sockaddr_in *in = calloc(1, sizeof *in);
    struct addrinfo *info = calloc(1, sizeof *info);
    if (in == NULL || info == NULL)
        lab_error("calloc");
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)(service == NULL ? 0 : atoi(service)));
    inet_pton(AF_INET, address, &in->sin_addr);
    *info = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = socktype,
                              .ai_addr = (struct sockaddr *)in,
                              .ai_addrlen = sizeof *in};
    return info;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    if (host != NULL && strcmp(host, "none.test") == 0)
        return EAI_NONAME;
    if (host == NULL || strcmp(host, "two.test") != 0) {
        int (*real)(const char *, const char *, const struct addrinfo *,
                    struct addrinfo **);
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        return real(host, service, hints, list);
    }
    /* as the real one: to who asks for no type, each address once for each type */
    const int every[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW},
              types = hints == NULL || hints->ai_socktype == 0 ? 3 : 1;
    struct addrinfo **end = list;
    for (int i = 0; i < 2 * types; i++) {
        *end = our_address(i < types ? "127.0.0.2" : "127.0.0.1", service,
                           types == 1 ? hints->ai_socktype : every[i % types]);
        end = &(*end)->ai_next;
    }
    our_list = *list;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    if (list == our_list && list != NULL) {
        our_list = NULL;
        for (struct addrinfo *next; list != NULL; list = next) {
            next = list->ai_next;
            free(list->ai_addr);
            free(list);
        }
        errno = EXDEV; /* nothing promises that errno is kept here */
        return;
    }
    void (*real)(struct addrinfo *);
    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    real(list);
}

/* ---- a clock that somebody sets -------------------------------------------------- */

static bool clock_is_set; /* it goes on by an hour at each look */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static time_t hours;
    int (*real)(clockid_t, struct timespec *);
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock_is_set && clock == CLOCK_REALTIME)
        now->tv_sec += 3600 * ++hours;
    return result;
}

/* ---- what the tests are made of -------------------------------------------------- */

static void expect_failure(int result, int error)
{
    int found = errno;
    const char *calls = calls_text(6);
    char expected[64];
    snprintf(expected, sizeof expected, "-1 and errno %s", lab_errno(error));
    if (result == -1 && found == EXDEV)
        lab_likely(
            "freeaddrinfo() changed errno: keep it in a variable first, and put it back after");
    lab_expect(result == -1 && found == error, expected, "returned %s%s%s",
               result == -1 && found == 0 ? "-1, and left errno as it was"
                                          : lab_result(result, found),
               *calls ? " after " : "", calls);
    errno = 0; /* so that the next call has to set it */
}

static void expect_zero(int result)
{
    int error = errno;
    lab_expect(result == 0, "0", "returned %s", lab_result(result, error));
}

static void expect_descriptor(int fd, const char *expected)
{
    int error = errno;
    const char *calls = calls_text(6);
    lab_expect(fd >= 0, expected, "returned %s%s%s", lab_result(fd, error),
               *calls ? " after " : "", calls);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(fd, level, name, &value, &length);
    return value;
}

static void set_option(int fd, int level, int name, int value)
{
    if (setsockopt(fd, level, name, &value, sizeof value) == -1)
        lab_error("setsockopt");
}

/* backlog -1: bound, and it does not listen. */
static int listener_at(const char *address, int port, int backlog)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &in.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        lab_error("socket");
    if (bind(fd, (struct sockaddr *)&in, sizeof in) == -1 ||
        (backlog != -1 && listen(fd, backlog) == -1)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* -1: this machine has no IPv6. */
static int local_listener6(void)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 ||
        (bind(fd, (struct sockaddr *)&in, sizeof in) == 0 && listen(fd, 5) == 0))
        return fd;
    close(fd);
    return -1;
}

/* A listener that says nothing to whoever comes now: its queue is full. */
enum { FILLERS = 4 };
struct silent {
    int listener, fillers[FILLERS];
};

static struct silent silent_of(int listener)
{
    struct silent silent = {.listener = listener};
    struct sockaddr_in in;
    socklen_t length = sizeof in;
    if (listener == -1 || getsockname(listener, (struct sockaddr *)&in, &length) == -1)
        lab_error("listen");
    for (int i = 0; i < FILLERS; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd == -1 ||
            (connect(fd, (struct sockaddr *)&in, length) == -1 && errno != EINPROGRESS))
            lab_error("connect");
        silent.fillers[i] = fd;
    }
    struct pollfd last = {.fd = silent.fillers[FILLERS - 1], .events = POLLOUT};
    if (poll(&last, 1, 0) != 0) /* it is in the queue, although that was full */
        lab_skip("a queue of connections that can be full");
    return silent;
}

static struct silent silent_at(const char *address)
{
    return silent_of(listener_at(address, 0, 0));
}

static void silent_close(const struct silent *silent)
{
    for (int i = 0; i < FILLERS; i++)
        lab_close(silent->fillers[i]);
    lab_close(silent->listener);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- connect_within -------------------------------------------------------------- */

LAB_TEST(
    connect_within, gives_a_connection_that_blocks, .points = 4, .task = 1,
    .read = "A connection, or an error, in time", .man = "2 connect",
    .likely =
        "O_NONBLOCK is for the time of connecting: take it off again with fcntl(F_SETFL), and keep SOCK_CLOEXEC")
{
    int listener = lab_listener(AF_INET);
    lab_peer("listens at 127.0.0.1");
    lab_likely("poll() for POLLOUT: that is ready when the connection is there");
    int fd = connect_within("127.0.0.1", lab_port_text(listener), 60 * 1000);
    expect_descriptor(fd, "a connection");
    lab_likely(NULL);
    struct pollfd waits = {.fd = listener, .events = POLLIN};
    lab_expect(poll(&waits, 1, 1000) == 1,
               "a connection to the host and service asked for", "returned another one");
    int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    char byte = 0;
    ssize_t sent = send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    lab_expect(sent == 1 && recv(server, &byte, 1, MSG_DONTWAIT) == 1 && byte == 'x',
               "a byte sent at one end arrives at the other",
               "returned a descriptor that carries none");
    lab_expect((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0, "a descriptor that blocks",
               "returned one with O_NONBLOCK");
    lab_expect((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a close-on-exec descriptor",
               "returned one that every program started from here inherits");
    lab_close(fd);
    lab_close(server);
    lab_close(listener);
    listener = local_listener6();
    if (listener == -1)
        return;
    lab_peer("listens at ::1");
    lab_likely("IPv4 and IPv6: AF_UNSPEC in the hints, and the family that is found");
    fd = connect_within("::1", lab_port_text(listener), 60 * 1000);
    expect_descriptor(fd, "a connection");
    lab_close(fd);
    lab_close(listener);
}

LAB_TEST(
    connect_within, gives_up_in_time, .points = 4, .task = 1,
    .needs = "connect_within/gives_a_connection_that_blocks",
    .read = "A connection, or an error, in time", .man = "2 connect",
    .likely =
        "connect() on a blocking socket waits two minutes: SOCK_NONBLOCK, and when connect() says EINPROGRESS, poll() for POLLOUT with the time")
{
    enum { TIMEOUT_MS = 60, TRIES = 4, MOST_CALLS = 200 };
    struct silent silent = silent_at("127.0.0.1");
    lab_peer("answers nothing, and the time is %d ms; somebody sets the machine's clock",
             TIMEOUT_MS);
    clock_is_set = true;
    double took = INFINITY;
    for (int i = 0; i < TRIES && took > 8 * TIMEOUT_MS; i++) { /* busy, or wrong? */
        double start = now_ms();
        int result =
            connect_within("127.0.0.1", lab_port_text(silent.listener), TIMEOUT_MS);
        int error = errno;
        took = now_ms() - start;
        errno = error;
        expect_failure(result, ETIMEDOUT);
        if (i == 0) {
            unsigned calls = calls_made(CALLS_WAIT) + calls_made(CALLS_CONNECT) +
                             calls_made(CALLS_OPTION);
            lab_likely(
                "wait asleep: poll() with the time that is left, not in a loop with 0");
            lab_expect(calls < MOST_CALLS, "a wait in the kernel",
                       "made %u calls meanwhile", calls);
        }
        lab_likely(
            "the time is in milliseconds, and all of it is waited for; it comes from CLOCK_MONOTONIC, which nobody sets");
        lab_expect(took > TIMEOUT_MS - 3, "to wait for that time",
                   "gave up after %.1f ms", took);
    }
    lab_expect(took <= 8 * TIMEOUT_MS, "no longer than that time",
               "gave up after %.1f ms, the %dth time", took, TRIES);
    clock_is_set = false;
    silent_close(&silent);
}

LAB_TEST(
    connect_within, tells_a_refusal_from_silence, .points = 3, .task = 1,
    .needs = "connect_within/gives_a_connection_that_blocks",
    .read = "A connection, or an error, in time", .man = "7 socket",
    .likely =
        "a socket that is ready for writing may have failed: getsockopt(SO_ERROR) says how it ended")
{
    lab_peer("nobody listens on that port: RST");
    char port[8];
    snprintf(port, sizeof port, "%d", lab_closed_port(AF_INET));
    expect_failure(connect_within("127.0.0.1", port, 60 * 1000), ECONNREFUSED);
    lab_peer("none.test does not resolve");
    lab_likely("getaddrinfo() failed: EADDRNOTAVAIL, and there is no list to free");
    expect_failure(connect_within("none.test", "7", 1000), EADDRNOTAVAIL);
}

static volatile sig_atomic_t signals;

static void quick_handler(int number)
{
    (void)number;
    signals++;
}

static void slow_handler(int number)
{
    (void)number;
    struct timespec pause = {.tv_nsec = 80 * 1000000L};
    nanosleep(&pause, NULL); /* until the time is long over */
    signals++;
}

/* Signals from 10 ms on, every interval_ms; 0: only one. Those that come while it is handled are put together. */
static void signals_come(void (*handler)(int), int interval_ms)
{
    struct sigaction action = {.sa_handler = handler}; /* no SA_RESTART */
    struct itimerval timer = {.it_value.tv_usec = 10 * 1000L,
                              .it_interval.tv_usec = interval_ms * 1000L};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void signals_end(void)
{
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 0}, NULL);
    signal(SIGALRM, SIG_DFL);
}

LAB_TEST(
    connect_within, signals_neither_end_it_nor_make_it_longer, .points = 3, .task = 1,
    .needs = "connect_within/gives_up_in_time",
    .read = "A connection, or an error, in time", .man = "2 poll",
    .likely =
        "note once when the time will be over, and after EINTR poll() for what is left of it: never less than 0, which would be for ever")
{
    struct silent silent = silent_at("127.0.0.1");
    lab_peer("answers nothing, a signal comes every 10 ms, and the time is 40 ms");
    double start = now_ms();
    signals_come(quick_handler, 10);
    int result = connect_within("127.0.0.1", lab_port_text(silent.listener), 40);
    int error = errno;
    signals_end();
    double took = now_ms() - start;
    errno = error;
    expect_failure(result, ETIMEDOUT);
    lab_expect(took > 37, "to wait for 40 ms, in spite of the signals",
               "gave up after %.1f ms", took);
    lab_peer("again, and one signal comes, whose handler needs 80 ms");
    signals_come(slow_handler, 0);
    result = connect_within("127.0.0.1", lab_port_text(silent.listener), 40);
    error = errno;
    signals_end();
    errno = error;
    expect_failure(result, ETIMEDOUT);
    silent_close(&silent);
    int listener = lab_listener(AF_INET);
    lab_peer("then a server that listens, and connect() is interrupted");
    lab_likely(
        "EINTR of connect() is as EINPROGRESS: the kernel goes on; wait for the end");
    fault_once(CALLS_CONNECT, 1, (struct fault){.error = EINTR, .after = true});
    int fd = connect_within("127.0.0.1", lab_port_text(listener), 60 * 1000);
    expect_descriptor(fd, "the connection, which the kernel went on opening");
    lab_close(fd);
    lab_close(listener);
}

LAB_TEST(
    connect_within, tries_each_address, .points = 2, .task = 1,
    .needs = "connect_within/gives_up_in_time",
    .read = "A connection, or an error, in time", .man = "3 getaddrinfo",
    .likely =
        "each address has a socket and a time of its own; the first that is connected is returned, and the list is freed in any case")
{
    struct silent silent;
    int listener = -1;
    for (int tries = 0; listener == -1 && tries < 3; tries++) {
        silent = silent_at("127.0.0.2");
        listener = listener_at("127.0.0.1", lab_port(silent.listener), 0);
        if (listener == -1)
            silent_close(&silent); /* another program has that port: rare */
    }
    if (listener == -1)
        lab_error("listen");
    lab_peer(
        "two.test is 127.0.0.2, which answers nothing, and 127.0.0.1, which listens");
    int fd = connect_within("two.test", lab_port_text(listener), 20);
    expect_descriptor(fd, "a connection to 127.0.0.1");
    lab_expect(our_list == NULL, "freeaddrinfo() of the list", "left it");
    lab_expect(calls_made(CALLS_SOCKET) == 2, "one new socket for each of the two",
               "made %u calls of socket()", calls_made(CALLS_SOCKET));
    lab_close(fd);
    struct silent second = silent_of(listener);
    lab_peer("then 127.0.0.1 answers nothing either; the time is 20 ms");
    double start = now_ms();
    int result = connect_within("two.test", lab_port_text(listener), 20);
    int error = errno;
    double took = now_ms() - start;
    errno = error;
    expect_failure(result, ETIMEDOUT);
    lab_expect(took > 2 * 20 - 3, "to wait 20 ms for each of the two",
               "gave up after %.1f ms", took);
    lab_peer("then 127.0.0.1 is closed");
    lab_likely("of several errors the last one is told");
    silent_close(&second);
    expect_failure(connect_within("two.test", lab_port_text(silent.listener), 20),
                   ECONNREFUSED);
    lab_expect(our_list == NULL, "freeaddrinfo() of the list", "left it");
    silent_close(&silent);
}

LAB_TEST(
    connect_within, tries_the_next_one_after_a_refusal, .points = 2, .task = 1,
    .needs = "connect_within/tells_a_refusal_from_silence",
    .read = "A connection, or an error, in time", .man = "3 getaddrinfo",
    .likely =
        "whatever the error of an address was, the next one is tried; getaddrinfo() finds each of them once if the hints ask for SOCK_STREAM")
{
    int listener = lab_listener(AF_INET);
    int nobody = listener_at("127.0.0.2", lab_port(listener), -1);
    if (nobody == -1)
        lab_error("bind"); /* another program has that port: rare */
    lab_peer(
        "two.test is 127.0.0.2, where nobody listens, and 127.0.0.1, where somebody does");
    int fd = connect_within("two.test", lab_port_text(listener), 60 * 1000);
    expect_descriptor(fd, "a connection to 127.0.0.1");
    lab_expect(calls_made(CALLS_SOCKET) == 2, "one new socket for each of the two",
               "made %u calls of socket()", calls_made(CALLS_SOCKET));
    lab_close(fd);
    lab_close(nobody);
    lab_close(listener);
}

LAB_TEST(
    connect_within, fails_when_one_of_its_calls_fails, .points = 2, .task = 1,
    .needs = "connect_within/tells_a_refusal_from_silence",
    .read = "A connection, or an error, in time", .man = "3 errno",
    .likely =
        "look at each result; on failure close the socket, and keep the errno of the call that failed")
{
    int listener = lab_listener(AF_INET);
    const char *port = lab_port_text(listener);
    lab_peer("no descriptor is free: socket() fails");
    fault_each(CALLS_SOCKET, (struct fault){.error = EMFILE});
    expect_failure(connect_within("127.0.0.1", port, 1000), EMFILE);
    fault_none();
    lab_peer("no route leads there: connect() says ENETUNREACH, and close() EIO");
    fault_each(CALLS_CONNECT, (struct fault){.error = ENETUNREACH});
    fault_each(CALLS_CLOSE, (struct fault){.error = EIO, .after = true});
    expect_failure(connect_within("127.0.0.1", port, 1000), ENETUNREACH);
    fault_none();
    lab_peer("all goes well, but fcntl() fails: the connection would not block");
    unsigned before = calls_made(CALLS_CONTROL);
    fault_each(CALLS_CONTROL, (struct fault){.error = EINVAL});
    int fd = connect_within("127.0.0.1", port, 60 * 1000);
    fault_none();
    if (calls_made(CALLS_CONTROL) > before) {
        expect_failure(fd, EINVAL);
    } else { /* one that blocks from its beginning, and gives up by SO_SNDTIMEO, say */
        expect_descriptor(fd, "a connection");
        lab_close(fd);
    }
    lab_close(listener);
}

/* ---- keepalive_set --------------------------------------------------------------- */

LAB_TEST(keepalive_set, sets_all_of_it, .points = 4, .task = 2,
         .read = "TCP's own question", .man = "7 tcp",
         .likely = "five calls of setsockopt(): SO_KEEPALIVE is at SOL_SOCKET, "
                   "TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and TCP_USER_TIMEOUT are at "
                   "IPPROTO_TCP")
{
    int fds[2];
    lab_tcp_pair(fds);
    const struct keepalive wanted = {.idle_s = 10 + (int)lab_random_below(1000),
                                     .interval_s = 2000 + (int)lab_random_below(1000),
                                     .probes = 2 + (int)lab_random_below(100),
                                     .user_timeout_ms = 5000 + (int)lab_random_below(99)};
    lab_peer("{idle_s %d, interval_s %d, probes %d, user_timeout_ms %d}", wanted.idle_s,
             wanted.interval_s, wanted.probes, wanted.user_timeout_ms);
    expect_zero(keepalive_set(fds[0], &wanted));
    lab_expect(option(fds[0], SOL_SOCKET, SO_KEEPALIVE) == 1, "SO_KEEPALIVE on",
               "left it off");
    lab_expect(option(fds[0], IPPROTO_TCP, TCP_KEEPIDLE) == wanted.idle_s,
               "TCP_KEEPIDLE of idle_s", "set %d",
               option(fds[0], IPPROTO_TCP, TCP_KEEPIDLE));
    lab_expect(option(fds[0], IPPROTO_TCP, TCP_KEEPINTVL) == wanted.interval_s,
               "TCP_KEEPINTVL of interval_s", "set %d",
               option(fds[0], IPPROTO_TCP, TCP_KEEPINTVL));
    lab_expect(option(fds[0], IPPROTO_TCP, TCP_KEEPCNT) == wanted.probes,
               "TCP_KEEPCNT of probes", "set %d",
               option(fds[0], IPPROTO_TCP, TCP_KEEPCNT));
    lab_expect(option(fds[0], IPPROTO_TCP, TCP_USER_TIMEOUT) == wanted.user_timeout_ms,
               "TCP_USER_TIMEOUT of user_timeout_ms", "set %d",
               option(fds[0], IPPROTO_TCP, TCP_USER_TIMEOUT));
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(keepalive_set, reports_what_the_kernel_does_not_take, .points = 2, .task = 2,
         .needs = "keepalive_set/sets_all_of_it", .read = "TCP's own question",
         .man = "2 setsockopt",
         .likely = "look at the result of each setsockopt(): -1 is yours too")
{
    int fds[2], local[2];
    lab_tcp_pair(fds);
    const struct keepalive cases[] = {
        {0, 5, 3, 100}, {5, 0, 3, 100}, {5, 5, 0, 100}, {5, 5, 3, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int result = keepalive_set(fds[0], &cases[i]), error = errno;
        if (result != -1 || error != EINVAL)
            lab_peer("{idle_s %d, interval_s %d, probes %d, user_timeout_ms %d}",
                     cases[i].idle_s, cases[i].interval_s, cases[i].probes,
                     cases[i].user_timeout_ms);
        errno = error;
        expect_failure(result, EINVAL);
    }
    lab_close(fds[0]);
    lab_close(fds[1]);
    const struct keepalive good = {5, 5, 3, 100};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, local) == -1)
        lab_error("socketpair");
    lab_peer("a UNIX socket, and then -1");
    expect_failure(keepalive_set(local[0], &good), EOPNOTSUPP);
    expect_failure(keepalive_set(-1, &good), EBADF);
    lab_close(local[0]);
    lab_close(local[1]);
}

/* ---- socket_options -------------------------------------------------------------- */

static const char *const names[SOCKET_OPTIONS] = {
    "SO_RCVBUF",        "SO_SNDBUF", "SO_KEEPALIVE", "TCP_NODELAY",
    "TCP_USER_TIMEOUT", "SO_LINGER", "SO_ERROR"};

static void expect_table(int fd, const char *const values[SOCKET_OPTIONS])
{
    struct socket_option table[SOCKET_OPTIONS];
    memset(table, 'x', sizeof table);
    expect_zero(socket_options(fd, table));
    for (size_t i = 0; i < SOCKET_OPTIONS; i++) {
        char expected[100];
        snprintf(expected, sizeof expected, "row %zu: %s \"%s\"", i, names[i], values[i]);
        lab_expect(strcmp(table[i].name, names[i]) == 0 &&
                       memchr(table[i].value, '\0', sizeof table[i].value) != NULL &&
                       strcmp(table[i].value, values[i]) == 0,
                   expected, "filled in %.30s \"%.15s\"", table[i].name, table[i].value);
    }
}

LAB_TEST(
    socket_options, tells_what_is_set, .points = 5, .task = 2,
    .read = "What the kernel says of a socket", .man = "2 getsockopt",
    .likely =
        "one getsockopt() a row, with the size set anew before each; SO_LINGER fills a struct linger, all others an int")
{
    char receive[16], sending[16], timeout[16], linger[16];
    int fds[2], seconds = (int)lab_random_below(1000);
    lab_tcp_pair(fds);
    snprintf(receive, sizeof receive, "%d", option(fds[0], SOL_SOCKET, SO_RCVBUF));
    snprintf(sending, sizeof sending, "%d", option(fds[0], SOL_SOCKET, SO_SNDBUF));
    lab_peer("a TCP socket as it comes");
    expect_table(fds[0],
                 (const char *const[]){receive, sending, "off", "off", "0", "off", "0"});
    int milliseconds = 1 + (int)lab_random_below(1u << 30);
    set_option(fds[0], SOL_SOCKET, SO_RCVBUF, 5000 + (int)lab_random_below(5000));
    set_option(fds[0], SOL_SOCKET, SO_SNDBUF, 15000 + (int)lab_random_below(5000));
    set_option(fds[0], IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fds[0], IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds);
    struct linger on = {.l_onoff = 1, .l_linger = seconds};
    setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &on, sizeof on);
    snprintf(receive, sizeof receive, "%d", option(fds[0], SOL_SOCKET, SO_RCVBUF));
    snprintf(sending, sizeof sending, "%d", option(fds[0], SOL_SOCKET, SO_SNDBUF));
    snprintf(timeout, sizeof timeout, "%d", milliseconds);
    snprintf(linger, sizeof linger, "%d s", seconds);
    lab_peer("then buffers, TCP_NODELAY, TCP_USER_TIMEOUT %s, SO_LINGER %s were set",
             timeout, linger);
    expect_table(fds[0], (const char *const[]){receive, sending, "off", "on", timeout,
                                               linger, "0"});
    set_option(fds[0], SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fds[0], IPPROTO_TCP, TCP_NODELAY, 0);
    on.l_linger = 0;
    setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &on, sizeof on);
    lab_peer("then SO_KEEPALIVE on, TCP_NODELAY off, SO_LINGER on with 0 s");
    lab_likely("SO_LINGER is on when l_onoff says so: on with 0 s is what aborts");
    expect_table(fds[0], (const char *const[]){receive, sending, "on", "off", timeout,
                                               "0 s", "0"});
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(socket_options, takes_the_error_that_waits, .points = 2, .task = 2,
         .needs = "socket_options/tells_what_is_set",
         .read = "What the kernel says of a socket", .man = "7 socket",
         .likely = "SO_ERROR in a number; the kernel forgets it when it has told it once")
{
    int fds[2];
    lab_tcp_pair(fds);
    struct linger abort = {.l_onoff = 1};
    setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    lab_close(fds[1]);
    lab_peer("sent an RST, and nobody has read");
    char number[16];
    snprintf(number, sizeof number, "%d", ECONNRESET);
    struct socket_option table[SOCKET_OPTIONS];
    expect_zero(socket_options(fds[0], table));
    lab_expect(strcmp(table[6].value, number) == 0, "SO_ERROR, the number of ECONNRESET",
               "filled in \"%.15s\"", table[6].value);
    expect_zero(socket_options(fds[0], table));
    lab_expect(strcmp(table[6].value, "0") == 0, "SO_ERROR \"0\" when asked again",
               "filled in \"%.15s\"", table[6].value);
    lab_close(fds[0]);
}

LAB_TEST(
    socket_options, knows_what_a_socket_has_not, .points = 2, .task = 2,
    .needs = "socket_options/tells_what_is_set",
    .read = "What the kernel says of a socket", .man = "7 tcp",
    .likely =
        "ENOPROTOOPT and EOPNOTSUPP are \"-\", and on with the next row; any other error is -1")
{
    char receive[16], sending[16];
    int local[2], datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (datagrams == -1 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, local) == -1)
        lab_error("socketpair");
    for (int i = 0; i < 2; i++) {
        int fd = i == 0 ? local[0] : datagrams;
        lab_peer(i == 0 ? "a UNIX socket" : "then a UDP socket");
        snprintf(receive, sizeof receive, "%d", option(fd, SOL_SOCKET, SO_RCVBUF));
        snprintf(sending, sizeof sending, "%d", option(fd, SOL_SOCKET, SO_SNDBUF));
        expect_table(
            fd, (const char *const[]){receive, sending, "off", "-", "-", "off", "0"});
    }
    lab_peer("then -1, and a file");
    struct socket_option table[SOCKET_OPTIONS];
    expect_failure(socket_options(-1, table), EBADF);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    expect_failure(socket_options(file, table), ENOTSOCK);
    lab_close(file);
    lab_close(datagrams);
    lab_close(local[0]);
    lab_close(local[1]);
}

/* ---- messages -------------------------------------------------------------------- */

LAB_TEST(
    alive_format, is_what_the_header_draws, .points = 2, .task = 3, .read = "A heartbeat",
    .man = NULL,
    .likely = "the type is a fifth byte of the head, which the length does not count")
{
    const struct frame_format *f = alive_format();
    lab_expect(f != NULL && frame_format_valid(f), "a valid format", "returned %s",
               f == NULL ? "NULL" : "one that is not");
    lab_expect(f->max_length == ALIVE_MOST_FRAME && f->body_offset == ALIVE_HEAD &&
                   f->length_field_offset == 0 && f->length_field_bytes == 4 &&
                   f->byte_order == FRAME_BIG_ENDIAN && f->length_adjustment == 0,
               "a length of 4 bytes, big-endian, a type of 1, a body of up to 4096",
               "returned {max_length %zu, body_offset %zu, length_field_offset %zu, "
               "length_field_bytes %d, byte_order %d, length_adjustment %d}",
               f->max_length, f->body_offset, f->length_field_offset,
               f->length_field_bytes, (int)f->byte_order, f->length_adjustment);
}

LAB_TEST(
    alive_encode, puts_the_type_behind_the_length, .points = 2, .task = 3,
    .needs = "alive_format", .read = "A heartbeat", .man = NULL,
    .likely =
        "frame_encode() makes the frame, and sets what is not the length to 0: put the "
        "type into out[4], if it did not fail")
{
    static const unsigned char body[ALIVE_MOST_BODY + 1] = "hi";
    unsigned char out[ALIVE_MOST_FRAME + 1];
    for (int type = ALIVE_DATA; type <= ALIVE_PONG; type++)
        for (size_t n = 0; n <= 2; n += 2) {
            const unsigned char expected[] = {
                0, 0, 0, (unsigned char)n, (unsigned char)type, 'h', 'i'};
            memset(out, 'x', sizeof out);
            ssize_t size =
                alive_encode((enum alive_type)type, n ? body : NULL, n, out, 5 + n);
            int error = errno;
            lab_expect(size == (ssize_t)(5 + n) && memcmp(out, expected, 5 + n) == 0,
                       lab_quote(expected, 5 + n), "returned %s and %s",
                       lab_result(size, error), lab_quote(out, 5 + n));
        }
    lab_peer("the longest body, then one byte more, then room for one byte less");
    ssize_t size = alive_encode(ALIVE_DATA, body, ALIVE_MOST_BODY, out, sizeof out);
    lab_expect(size == ALIVE_MOST_FRAME, "4101", "returned %zd", size);
    memset(out, 'x', sizeof out);
    expect_failure(
        (int)alive_encode(ALIVE_PONG, body, ALIVE_MOST_BODY + 1, out, sizeof out),
        EMSGSIZE);
    expect_failure((int)alive_encode(ALIVE_PONG, body, 2, out, 6), ENOSPC);
    lab_expect(out[4] == 'x', "nothing written where it fails", "wrote the type");
}

LAB_TEST(alive_type, tells_the_three_and_no_other, .points = 2, .task = 3,
         .read = "A heartbeat", .man = NULL,
         .likely = "the fifth byte of the head; what is above ALIVE_PONG is EBADMSG")
{
    unsigned char head[ALIVE_HEAD] = {9, 9, 9, 9, 0};
    const struct frame frame = {head, sizeof head, head + ALIVE_HEAD, 0};
    for (int type = 0; type <= 255; type++) {
        head[4] = (unsigned char)type;
        errno = 0;
        int result = alive_type(&frame), error = errno;
        char expected[60];
        snprintf(expected, sizeof expected,
                 type <= 2 ? "%d" : "-1 and errno EBADMSG, for type %d", type);
        lab_expect(type <= 2 ? result == type : result == -1 && error == EBADMSG,
                   expected, "returned %s", lab_result(result, error));
    }
}

/* ---- heartbeats ------------------------------------------------------------------ */

static const char *action_text(int action)
{
    return action == HEARTBEAT_WAIT   ? "HEARTBEAT_WAIT"
           : action == HEARTBEAT_ASK  ? "HEARTBEAT_ASK"
           : action == HEARTBEAT_DEAD ? "HEARTBEAT_DEAD"
                                      : "none of the three";
}

static void expect_check(struct heartbeat *h, int64_t begin, int64_t ms, int expected)
{
    int action = (int)heartbeat_check(h, begin + ms);
    char text[60];
    snprintf(text, sizeof text, "%s at %lld ms", action_text(expected), (long long)ms);
    lab_expect(action == expected, text, "returned %s", action_text(action));
}

/* The time that a test brings along: two lines in a file, and then none. */
static void expect_ticks(void)
{
    struct ticks ticks;
    char path[64];
    int file = memfd_create("time", MFD_CLOEXEC);
    if (file == -1 || write(file, "40\n2\n", 5) != 5)
        lab_error("memfd_create");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    lab_peer("the time comes from a file with the lines 40 and 2");
    lab_likely("the ticks functions are given: they are to stay as they were");
    expect_zero(ticks_open(&ticks, path));
    int64_t before = ticks_now(&ticks);
    ticks_read(&ticks);
    int64_t between = ticks_now(&ticks) - before;
    ticks_read(&ticks);
    int64_t after = ticks_now(&ticks) - before;
    lab_expect(between == 40 && after == 42, "40 and then 42 ms later",
               "returned %lld and %lld", (long long)between, (long long)after);
    lab_expect(ticks_wait(&ticks, 7) == -1, "-1 from ticks_wait()", "returned %d",
               ticks_wait(&ticks, 7));
    lab_close(ticks.fd);
    lab_close(file);
    lab_peer("the time comes from the machine; then from a file that is not there");
    expect_zero(ticks_open(&ticks, NULL));
    lab_expect(ticks_wait(&ticks, 7) == 7, "7 from ticks_wait()", "returned %d",
               ticks_wait(&ticks, 7));
    expect_failure(ticks_open(&ticks, "/nowhere/at/all"), ENOENT);
    lab_likely(NULL);
}

/* When a connection begins: the machine may have been up for 30 years. */
static const int64_t begins[] = {0, 5, (int64_t)1 << 40};

LAB_TEST(heartbeat_check, says_when_the_peer_is_dead, .points = 3, .task = 4,
         .read = "When to believe that nobody is there",
         .likely =
             "compare now with when something was heard last: timeout_ms later, and "
             "from then on, the peer is dead")
{
    for (size_t i = 0; i < 3; i++) {
        struct heartbeat h;
        heartbeat_init(&h, 0, 3000, begins[i]);
        lab_peer("timeout 3000 ms, no interval; begun at %lld", (long long)begins[i]);
        expect_check(&h, begins[i], 0, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 2999, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 3000, HEARTBEAT_DEAD);
        expect_check(&h, begins[i], 3001, HEARTBEAT_DEAD);
        lab_peer("another: heard at 2000 ms");
        heartbeat_init(&h, 0, 3000, begins[i]);
        heartbeat_heard(&h, begins[i] + 2000);
        expect_check(&h, begins[i], 3000, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 4999, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 5500, HEARTBEAT_DEAD);
    }
}

LAB_TEST(heartbeat_check, asks_again_and_again, .points = 4, .task = 4,
         .needs = "heartbeat_check/says_when_the_peer_is_dead",
         .read = "When to believe that nobody is there",
         .likely =
             "a question is due interval_ms after what was heard and after the last "
             "question, whichever was later; a question is no sign of life")
{
    for (size_t i = 0; i < 3; i++) {
        struct heartbeat h;
        heartbeat_init(&h, 1000, 3000, begins[i]);
        lab_peer("interval 1000 ms, timeout 3000 ms; begun at %lld",
                 (long long)begins[i]);
        expect_check(&h, begins[i], 999, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 1000, HEARTBEAT_ASK);
        expect_check(&h, begins[i], 1000, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 1999, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 2300, HEARTBEAT_ASK);
        expect_check(&h, begins[i], 2999, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 3000, HEARTBEAT_DEAD);
        lab_peer("another: asked at 1000 ms, heard at 1200");
        heartbeat_init(&h, 1000, 3000, begins[i]);
        expect_check(&h, begins[i], 1000, HEARTBEAT_ASK);
        heartbeat_heard(&h, begins[i] + 1200);
        expect_check(&h, begins[i], 2199, HEARTBEAT_WAIT);
        expect_check(&h, begins[i], 2200, HEARTBEAT_ASK);
        expect_check(&h, begins[i], 4200, HEARTBEAT_DEAD);
        lab_peer("another: no timeout");
        heartbeat_init(&h, 1000, 0, begins[i]);
        expect_check(&h, begins[i], 1000000, HEARTBEAT_ASK);
        lab_peer("another: neither interval nor timeout");
        heartbeat_init(&h, 0, 0, begins[i]);
        expect_check(&h, begins[i], (int64_t)1 << 50, HEARTBEAT_WAIT);
    }
}

LAB_TEST(heartbeat_wait, says_how_long_to_sleep, .points = 3, .task = 4,
         .needs = "heartbeat_check/asks_again_and_again",
         .read = "When to believe that nobody is there", .man = "2 poll",
         .likely =
             "the earlier of the next question and the end, less now; 0 when that is "
             "past, and -1 when there is neither")
{
    static const struct {
        int interval, timeout, now, wait;
    } cases[] = {{1000, 3000, 0, 1000},    {1000, 3000, 400, 600},
                 {1000, 3000, 1000, 0},    {1000, 3000, 9000, 0},
                 {0, 3000, 1, 2999},       {0, 3000, 3000, 0},
                 {1000, 0, 5, 995},        {0, 0, 77, -1},
                 {5000, 3000, 1000, 2000}, {INT_MAX, 0, 0, INT_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t b = 0; b < 3; b++) {
            struct heartbeat h;
            heartbeat_init(&h, cases[i].interval, cases[i].timeout, begins[b]);
            int wait = heartbeat_wait(&h, begins[b] + cases[i].now);
            char expected[20];
            snprintf(expected, sizeof expected, "%d", cases[i].wait);
            if (wait != cases[i].wait)
                lab_peer("interval %d, timeout %d, begun at %lld; now %d ms later",
                         cases[i].interval, cases[i].timeout, (long long)begins[b],
                         cases[i].now);
            lab_expect(wait == cases[i].wait, expected, "returned %d", wait);
        }
    expect_ticks();
}

LAB_TEST(
    heartbeat_wait, agrees_with_heartbeat_check, .points = 3, .task = 4,
    .needs = "heartbeat_wait/says_how_long_to_sleep",
    .read = "When to believe that nobody is there",
    .likely =
        "after so long heartbeat_check() has something to say, and not a millisecond "
        "before; remember when it asked and when it was heard, for each connection")
{
    struct heartbeat both[2];
    int64_t heard[2] = {0}, asked[2] = {0}, now = (int64_t)lab_random_below(1000);
    int interval[2] = {1 + (int)lab_random_below(20), 1 + (int)lab_random_below(20)};
    int timeout[2] = {20 + (int)lab_random_below(20), 20 + (int)lab_random_below(20)};
    lab_peer(
        "two connections: interval %d, timeout %d; interval %d, timeout %d; heard now "
        "and then",
        interval[0], timeout[0], interval[1], timeout[1]);
    for (int k = 0; k < 2; k++) {
        heartbeat_init(&both[k], interval[k], timeout[k], now);
        heard[k] = asked[k] = now;
    }
    for (int step = 0; step < 2000; step++) {
        int k = (int)lab_random_below(2);
        now += lab_random_below(8);
        if (lab_random_below(4) == 0) {
            heartbeat_heard(&both[k], now);
            heard[k] = now;
        }
        int64_t last = heard[k] > asked[k] ? heard[k] : asked[k];
        int64_t next = last + interval[k] < heard[k] + timeout[k] ? last + interval[k]
                                                                  : heard[k] + timeout[k];
        int wait = heartbeat_wait(&both[k], now);
        char expected[60];
        snprintf(expected, sizeof expected, "%d", next > now ? (int)(next - now) : 0);
        lab_expect(wait == (next > now ? next - now : 0), expected,
                   "returned %d at %lld ms", wait, (long long)now);
        int right = now >= heard[k] + timeout[k] ? HEARTBEAT_DEAD
                    : now >= last + interval[k]  ? HEARTBEAT_ASK
                                                 : HEARTBEAT_WAIT;
        int action = (int)heartbeat_check(&both[k], now);
        lab_expect(action == right, action_text(right), "returned %s at %lld ms",
                   action_text(action), (long long)now);
        if (right == HEARTBEAT_ASK)
            asked[k] = now;
    }
}

/* ---- the next attempt ------------------------------------------------------------ */

static void expect_delay(struct reconnect *r, int expected)
{
    int delay = reconnect_delay(r, (uint32_t)lab_random());
    char text[20];
    snprintf(text, sizeof text, "%d", expected);
    lab_expect(delay == expected, text, "returned %d", delay);
}

LAB_TEST(
    reconnect_delay, doubles_up_to_the_maximum, .points = 4, .task = 5,
    .read = "Not all at once, and not for ever",
    .likely = "return what is remembered, and remember twice as much, at most max_ms")
{
    const int delays[] = {1000, 2000, 4000, 8000, 10000, 10000, 10000};
    struct reconnect r;
    lab_peer("minimum 1000, maximum 10000, no jitter");
    expect_zero(reconnect_init(&r, 1000, 10000, 0));
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++)
        expect_delay(&r, delays[i]);
    lab_peer("then the connection was good");
    reconnect_reset(&r);
    expect_delay(&r, 1000);
    expect_delay(&r, 2000);
    lab_peer("another: minimum 7, maximum 7");
    expect_zero(reconnect_init(&r, 7, 7, 0));
    expect_delay(&r, 7);
    expect_delay(&r, 7);
    lab_peer("another: minimum 3, maximum 24");
    expect_zero(reconnect_init(&r, 3, 24, 0));
    for (int delay = 3; delay <= 24; delay *= 2)
        expect_delay(&r, delay);
    expect_delay(&r, 24);
}

LAB_TEST(reconnect_delay, never_overflows, .points = 2, .task = 5,
         .needs = "reconnect_delay/doubles_up_to_the_maximum",
         .read = "Not all at once, and not for ever",
         .likely = "compare with half of the maximum before you double; a shift by the "
                   "number of attempts is over after 31 of them")
{
    struct reconnect r;
    lab_peer("minimum 1, maximum INT_MAX, jitter 100, and 100 attempts");
    expect_zero(reconnect_init(&r, 1, INT_MAX, 100));
    for (int i = 0; i < 100; i++) {
        int delay = reconnect_delay(&r, 0), right = i < 31 ? 1 << i : INT_MAX;
        char text[20];
        snprintf(text, sizeof text, "%d", right);
        lab_expect(delay == right, text, "returned %d, the %dth time", delay, i + 1);
    }
    int delay = reconnect_delay(&r, UINT32_MAX);
    lab_expect(delay >= 0 && delay <= 2, "0: all of it taken off", "returned %d", delay);
}

LAB_TEST(reconnect_delay, jitter_takes_off_its_part, .points = 3, .task = 5,
         .needs = "reconnect_delay/doubles_up_to_the_maximum",
         .read = "Not all at once, and not for ever",
         .likely =
             "delay - delay * jitter_percent / 100 * random / UINT32_MAX, in 64 bits; "
             "and the next delay is twice the one before jitter")
{
    for (int percent = 0; percent <= 100; percent += 25) {
        struct reconnect r;
        expect_zero(reconnect_init(&r, 1000, 64000, percent));
        for (int i = 0; i < 8; i++) {
            uint32_t random = i == 0 ? UINT32_MAX : i == 3 ? 0 : (uint32_t)lab_random();
            int whole = i < 6 ? 1000 << i : 64000;
            double right = whole - whole * (percent / 100.0) * (random / 4294967295.0);
            int delay = reconnect_delay(&r, random);
            char expected[40];
            snprintf(expected, sizeof expected, "%.0f, give or take 2", right);
            if (delay < right - 2 || delay > right + 2)
                lab_peer("jitter %d, the delay without it %d, random %u", percent, whole,
                         random);
            lab_expect(delay >= right - 2 && delay <= right + 2 && delay <= whole,
                       expected, "returned %d", delay);
        }
    }
}

LAB_TEST(reconnect_init, refuses_what_makes_no_sense, .points = 1, .task = 5,
         .read = "Not all at once, and not for ever",
         .likely = "the list in the header: at least 1, at least min_ms, 0 to 100")
{
    static const struct {
        int min, max, jitter;
    } cases[] = {{0, 10, 0},  {-1, 10, 0}, {10, 9, 0},  {1, 1, -1},
                 {1, 1, 101}, {1, 1, 0},   {1, 1, 100}, {5, 9, 50}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reconnect r;
        errno = 0;
        int result = reconnect_init(&r, cases[i].min, cases[i].max, cases[i].jitter);
        int error = errno;
        if (i >= 5 ? result != 0 : result != -1 || error != EINVAL)
            lab_peer("minimum %d, maximum %d, jitter %d", cases[i].min, cases[i].max,
                     cases[i].jitter);
        errno = error;
        if (i < 5)
            expect_failure(result, EINVAL);
        else
            expect_zero(result);
    }
}
