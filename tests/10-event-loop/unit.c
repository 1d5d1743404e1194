/*
 * Unit tests of lesson 10: what loop.h and server_loop.h promise.
 *
 * A loop runs in a thread of the test's; its clients are plain sockets. The callbacks write down what they see, and
 * a test waits for that, or for bytes, never for time. What a callback does is told by the message: "echo WORD" sends
 * WORD back, "all WORD" broadcasts it, "bye" is answered and closed, "hold" waits for release().
 */
#define _GNU_SOURCE
#include "calls.h"
#include "lab.h"
#include "loop.h"
#include "server_loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- callbacks that write down what they see ------------------------------------- */

enum { MOST_EVENTS = 4096, TEXT = 32, CROWD = 200 };

struct event {
    char
        kind; /* '+' on_connection, '=' on_message, 'w' on_write_complete, '-' on_close, 't' a timer */
    unsigned long number;
    size_t length;
    char text[TEXT];
    int end;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct event events[MOST_EVENTS];
    size_t count;
    bool held, released, ended;
    struct loop_connection *last; /* that came */
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int context;
static atomic_size_t delivered; /* bytes, by on_message */
static atomic_int send_result, send_error;
static atomic_size_t reached;

static void note(char kind, unsigned long number, const void *text, size_t n, int end)
{
    pthread_mutex_lock(&seen.lock);
    if (seen.count < MOST_EVENTS) {
        struct event *event = &seen.events[seen.count++];
        *event = (struct event){.kind = kind, .number = number, .length = n, .end = end};
        memcpy(event->text, text, n < TEXT ? n : TEXT);
    }
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

static void hold(void)
{
    pthread_mutex_lock(&seen.lock);
    seen.held = true;
    pthread_cond_broadcast(&seen.changed);
    while (!seen.released)
        pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
}

static void release(void)
{
    pthread_mutex_lock(&seen.lock);
    seen.released = true;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

static void wait_until_held(void)
{
    pthread_mutex_lock(&seen.lock);
    while (!seen.held && !seen.ended)
        pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
}

static void came(struct loop_connection *connection)
{
    pthread_mutex_lock(&seen.lock);
    seen.last = connection;
    pthread_mutex_unlock(&seen.lock);
    note('+', connection->number, connection->name, strlen(connection->name), 0);
}

static bool begins(const char *message, size_t n, const char *word)
{
    return n >= strlen(word) && memcmp(message, word, strlen(word)) == 0;
}

static void said(struct loop_connection *connection, const void *message, size_t n)
{
    const char *text = message;
    atomic_fetch_add(&delivered, n);
    note('=', connection->number, message, n, 0);
    if (begins(text, n, "echo "))
        loop_send(connection, text + 5, n - 5);
    if (begins(text, n, "all "))
        atomic_store(&reached,
                     loop_broadcast(connection->loop, connection, text + 4, n - 4));
    if (begins(text, n, "hold"))
        hold();
    if (begins(text, n, "bye")) {
        loop_send(connection, "bye", 3);
        loop_close(connection);
        atomic_store(&send_result, loop_send(connection, "too late", 8));
        atomic_store(&send_error, errno);
    }
    if (begins(text, n, "stop"))
        loop_stop(connection->loop);
}

static void returns(struct loop_connection *connection, const void *message, size_t n)
{
    atomic_fetch_add(&delivered, n);
    loop_send(connection, message, n);
}

static void wrote(struct loop_connection *connection)
{
    note('w', connection->number, "", 0, 0);
}

static void went(struct loop_connection *connection, enum loop_end end)
{
    note('-', connection->number, "", 0, (int)end);
}

static const char *const end_texts[] = {
    [LOOP_END_CLIENT] = "LOOP_END_CLIENT", [LOOP_END_CLOSED] = "LOOP_END_CLOSED",
    [LOOP_END_IDLE] = "LOOP_END_IDLE",     [LOOP_END_SLOW] = "LOOP_END_SLOW",
    [LOOP_END_BAD] = "LOOP_END_BAD",
};

/* ---- a loop in a thread ---------------------------------------------------------- */

static struct loop *loop;
static pthread_t thread;
static int result, result_error,
    over = -1; /* over: readable when loop_run() has returned */
static uint16_t port;

static struct loop_settings plain(enum loop_backend backend)
{
    return (struct loop_settings){.backend = backend,
                                  .high_water = 64UL * 1024,
                                  .low_water = 16UL * 1024,
                                  .max_output = 1024UL * 1024,
                                  .linger_ms = 60000,
                                  .on_connection = came,
                                  .on_message = said,
                                  .on_close = went,
                                  .context = &context};
}

static void make(const struct loop_settings *settings)
{
    loop = loop_new(settings);
    lab_expect(loop != NULL, "a loop", "loop_new() returned NULL with errno %s",
               lab_errno(errno));
}

static void listen_here(void)
{
    int listener = lab_listener(AF_INET), small = 64 * 1024;
    setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    port = lab_port(listener);
    lab_expect(loop_listen(loop, listener) == 0, "0",
               "loop_listen() returned -1 with errno %s", lab_errno(errno));
}

static int pipe_ends[2];

static void *run(void *unused)
{
    (void)unused;
    result = loop_run(loop);
    result_error = errno;
    pthread_mutex_lock(&seen.lock);
    seen.ended = true;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
    if (write(pipe_ends[1], "", 1) == -1)
        return NULL;
    return NULL;
}

static void begin_to_run(void)
{
    if (pipe(pipe_ends) == -1 || pthread_create(&thread, NULL, run, NULL) != 0)
        lab_error("pthread_create()");
    over = pipe_ends[0];
}

static void start(struct loop_settings settings)
{
    make(&settings);
    listen_here();
    begin_to_run();
}

/* The loop has been told to stop, or should stop by itself. */
static void join(void)
{
    pthread_join(thread, NULL);
    lab_expect(result == 0, "0", "loop_run() returned %s",
               lab_result(result, result_error));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    loop_free(loop);
}

static void stop(void)
{
    loop_stop(loop);
    join();
}

static void expect_running(void)
{
    lab_expect(!seen.ended, "a loop that goes on", "loop_run() returned %s",
               lab_result(result, result_error));
}

/* The nth event of this kind, of this client or (0) of any. */
static const struct event *wait_for(char kind, unsigned long number, size_t nth)
{
    const struct event *found = NULL;
    pthread_mutex_lock(&seen.lock);
    while (found == NULL) {
        size_t left = nth;
        for (size_t i = 0; i < seen.count && found == NULL; i++)
            if (seen.events[i].kind == kind &&
                (number == 0 || seen.events[i].number == number) && --left == 0)
                found = &seen.events[i];
        if (found == NULL && seen.ended)
            break;
        if (found == NULL)
            pthread_cond_wait(&seen.changed, &seen.lock);
    }
    pthread_mutex_unlock(&seen.lock);
    if (found == NULL) {
        expect_running();
        lab_error("wait_for()"); /* not reached */
    }
    return found;
}

static size_t count(char kind)
{
    size_t n = 0;
    pthread_mutex_lock(&seen.lock);
    for (size_t i = 0; i < seen.count; i++)
        n += seen.events[i].kind == kind;
    pthread_mutex_unlock(&seen.lock);
    return n;
}

static void expect_end(unsigned long number, enum loop_end end)
{
    const struct event *event = wait_for('-', number, 1);
    lab_expect(event->end == (int)end, end_texts[end], "called on_close with %s",
               end_texts[event->end]);
}

static void expect_message(unsigned long number, size_t nth, const char *text, size_t n)
{
    const struct event *event = wait_for('=', number, nth);
    lab_expect(event->length == n && memcmp(event->text, text, n < TEXT ? n : TEXT) == 0,
               lab_quote(text, n), "gave on_message %s",
               lab_quote(event->text, event->length < TEXT ? event->length : TEXT));
}

/* ---- clients --------------------------------------------------------------------- */

static int client(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 64 * 1024;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    if (fd == -1 || connect(fd, (struct sockaddr *)&in, sizeof in) == -1)
        lab_error("connect()");
    return fd;
}

static void say_bytes(int fd, const void *bytes, size_t n)
{
    if (send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
        lab_expect(false, "a server that takes what a client sends",
                   "ended the connection: send() says %s", lab_errno(errno));
}

static void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

/* One recv(), as long as the loop runs. */
static ssize_t hear_some(int fd, void *bytes, size_t n)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = over, .events = POLLIN}};
    poll(fds, 2, -1);
    ssize_t got = recv(fd, bytes, n, MSG_DONTWAIT);
    if (got == -1 && errno == EAGAIN)
        expect_running();
    return got;
}

static void expect_bytes(int fd, const void *expected, size_t n)
{
    char *bytes = malloc(n + 1);
    size_t have = 0;
    ssize_t got = 1;
    while (have < n && (got = hear_some(fd, bytes + have, n - have)) > 0)
        have += (size_t)got;
    bool same = have == n && memcmp(bytes, expected, n) == 0;
    const char *quoted = lab_quote(bytes, have);
    free(bytes);
    lab_expect(same, lab_quote(expected, n), "sent %s%s", quoted,
               got == 0 ? ", and ended the stream" : "");
}

static void expect(int fd, const char *text)
{
    expect_bytes(fd, text, strlen(text));
}

static void expect_stream_end(int fd)
{
    char bytes[64];
    ssize_t got = hear_some(fd, bytes, sizeof bytes);
    lab_expect(got == 0, "the end of the stream", "sent %s",
               got > 0 ? lab_quote(bytes, (size_t)got) : lab_errno(errno));
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    lab_close(fd);
}

static uint16_t port_in(const char *address)
{
    const char *colon = address != NULL ? strrchr(address, ':') : NULL;
    if (colon == NULL)
        lab_error("a server that says HOST:PORT");
    return (uint16_t)atoi(colon + 1);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define SERVES "loop_run/serves_a_client"

/* ---- a loop ---------------------------------------------------------------------- */

static void expect_refused(struct loop_settings settings, const char *what)
{
    lab_peer("loop_new() was called with %s", what);
    errno = 0;
    struct loop *made = loop_new(&settings);
    int error = errno;
    loop_free(made);
    lab_expect(made == NULL && error == EINVAL, "NULL and errno EINVAL", "returned %s",
               made != NULL ? "a loop" : lab_errno(error));
}

LAB_TEST(
    loop_new, refuses_what_makes_no_sense, .points = 3, .task = 1, .read = "A loop",
    .man = "3 errno",
    .likely = "compare each setting with the header's list before anything is opened")
{
    static const struct splitter_rule rule = {.mode = SPLIT_FIXED, .max_length = 5},
                                      right = {SPLIT_NONE, 5, 0, 0, ""};
    static const struct frame_format format = {.max_length = 5};
    struct loop_settings good = plain(LOOP_POLL), bad = good;
    bad.high_water = bad.max_output = bad.low_water = 1;
    make(&bad);
    loop_free(loop);
    bad.rule = &right, bad.format = frame_format_named("length32be");
    expect_refused(bad, "a rule and a format");
    bad = good, bad.rule = &rule;
    expect_refused(bad, "messages of 0 bytes");
    bad = good, bad.format = &format;
    expect_refused(bad, "a format without a length");
    bad = good, bad.backend = (enum loop_backend)77;
    expect_refused(bad, "backend 77");
    bad = good, bad.low_water = bad.high_water + 1;
    expect_refused(bad, "low_water above high_water");
    bad = good, bad.high_water = bad.max_output + 1;
    expect_refused(bad, "high_water above max_output");
    bad = good, bad.max_output = bad.high_water = bad.low_water = 0;
    expect_refused(bad, "max_output 0");
    bad = good, bad.idle_ms = -1;
    expect_refused(bad, "idle_ms -1");
    bad = good, bad.linger_ms = -1;
    expect_refused(bad, "linger_ms -1");
}

static void serve_a_client(enum loop_backend backend)
{
    start(plain(backend));
    int fd = client();
    struct sockaddr_in here = {.sin_family = AF_INET};
    char name[TEXT + 1] = "";
    getsockname(fd, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    snprintf(name, sizeof name, "127.0.0.1:%d", ntohs(here.sin_port));
    lab_peer("connected, and sent \"echo one\", \"echo two\"");
    const struct event *event = wait_for('+', 1, 1);
    lab_expect(strcmp(event->text, name) == 0, name,
               "called on_connection with the name %s",
               lab_quote(event->text, event->length));
    lab_expect(seen.last->context == &context && seen.last->user == NULL &&
                   seen.last->loop == loop && loop_count(loop) == 1,
               "the settings' context, user NULL, the loop, and one client",
               "gave on_connection something else, or counted %lu clients",
               loop_count(loop));
    say(fd, "echo one");
    expect(fd, "one");
    say(fd, "echo two");
    expect(fd, "two");
    lab_close(fd);
    expect_end(1, LOOP_END_CLIENT);
    lab_expect(loop_count(loop) == 0 && loop_served(loop) == 1,
               "no client now, and one that was", "counts %lu now, and %lu that were",
               loop_count(loop), loop_served(loop));
    stop();
    lab_expect(count('-') == 1, "one call of on_close", "called on_close %zu times",
               count('-'));
}

LAB_TEST(
    loop_run, serves_a_client, .points = 4, .task = 2, .needs = "loop_new",
    .read = "One call that waits", .man = "2 poll",
    .likely =
        "wait, call handle() of each watch that is ready, take arrivals: on_connection; read: on_message; settle: send, on_close")
{
    serve_a_client(LOOP_POLL);
}

LAB_TEST(loop_run, serves_a_client_by_epoll, .points = 3, .task = 6, .needs = SERVES,
         .read = "epoll", .man = "7 epoll",
         .likely =
             "epoll_ctl() with ADD, MOD and the watch in data.ptr; then epoll_wait() "
             "instead of poll()")
{
    serve_a_client(LOOP_EPOLL);
}

static void serve_a_crowd(enum loop_backend backend)
{
    int fds[CROWD];
    char word[TEXT];
    struct loop_settings settings = plain(backend);
    make(&settings);
    listen_here();
    for (int i = 0; i < CROWD; i++)
        fds[i] = client();
    lab_peer("%d clients are connected before loop_run() is called", CROWD);
    begin_to_run();
    wait_for('+', 0, CROWD);
    for (int i = 0; i < CROWD; i++) {
        snprintf(word, sizeof word, "echo %d", i);
        say(fds[i], word);
    }
    for (int i = 0; i < CROWD; i++) {
        snprintf(word, sizeof word, "%d", i);
        expect(fds[i], word);
    }
    for (int i = 0; i < CROWD; i += 2)
        lab_close(fds[i]);
    wait_for('-', 0, CROWD / 2);
    for (int i = 1; i < CROWD; i += 2) {
        say(fds[i], "echo again");
        expect(fds[i], "again");
        lab_close(fds[i]);
    }
    stop();
}

LAB_TEST(loop_run, serves_a_crowd, .points = 2, .task = 2, .needs = SERVES,
         .read = "One call that waits", .man = "2 poll",
         .likely =
             "make more room when the places are full; and when one is taken out, the "
             "last takes its place, and is told so")
{
    serve_a_crowd(LOOP_POLL);
}

LAB_TEST(loop_run, serves_a_crowd_by_epoll, .points = 2, .task = 6,
         .needs = "loop_run/serves_a_client_by_epoll", .read = "epoll", .man = "7 epoll",
         .likely = "epoll_wait() fills as many places as it is told that there are")
{
    serve_a_crowd(LOOP_EPOLL);
}

static void ring(void *bell)
{
    note('t', *(unsigned long *)bell, "", 0, 0);
}

LAB_TEST(loop_run, sleeps_while_nothing_happens, .points = 3, .task = 2, .needs = SERVES,
         .read = "One call that waits", .man = "2 poll",
         .likely =
             "the time to wait is that to the first thing due, rounded up, and -1 if "
             "there is none; POLLOUT only while something waits to be sent")
{
    static unsigned long bell = 1;
    struct loop_settings settings = plain(LOOP_POLL);
    make(&settings);
    listen_here();
    loop_after(loop, 40, ring, &bell);
    begin_to_run();
    int fd = client();
    lab_peer("a client was served, and was silent; so was one that was closed; a timer "
             "after 40 ms");
    say(fd, "echo one");
    expect(fd, "one");
    int other = client();
    say(other, "bye");
    expect(other, "bye");
    wait_for('t', 1, 1);
    unsigned waits = calls_made(CALLS_WAIT);
    lab_expect(waits < 40, "some ten calls that wait", "made %u in 40 ms", waits);
    lab_close(fd);
    lab_close(other);
    stop();
}

LAB_TEST(
    loop_listen, lives_without_a_descriptor, .points = 3, .task = 2, .needs = SERVES,
    .read = "One call that waits", .man = "2 accept",
    .likely =
        "when accept() fails with EMFILE wait for nothing from the listeners for a while (rest()), and then try again")
{
    start(plain(LOOP_POLL));
    int fd = client();
    say(fd, "echo one");
    expect(fd, "one");
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int waiting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), free_one = dup(waiting);
    struct rlimit before, now;
    getrlimit(RLIMIT_NOFILE, &before);
    now = before;
    now.rlim_cur = (rlim_t)free_one;
    close(free_one);
    setrlimit(RLIMIT_NOFILE, &now);
    lab_peer(
        "a client waits, and no descriptor is free (EMFILE); another one sent \"echo "
        "two\" meanwhile");
    unsigned waits = calls_made(CALLS_WAIT);
    if (connect(waiting, (struct sockaddr *)&in, sizeof in) == -1)
        lab_error("connect()");
    int64_t begun = now_ms();
    int trips = 0;
    for (; now_ms() < begun + 30; trips++) {
        say(fd, "echo two");
        expect(fd, "two");
        struct pollfd nothing = {.fd = -1};
        poll(&nothing, 1, 2);
    }
    waits = calls_made(CALLS_WAIT) - waits;
    lab_expect(waits < 4 * (unsigned)trips + 20, "a wait or two for each of its messages",
               "made %u calls that wait for %d messages", waits, trips);
    setrlimit(RLIMIT_NOFILE, &before);
    lab_peer("then there are descriptors again");
    say(waiting, "echo me");
    expect(waiting, "me");
    lab_close(waiting);
    lab_close(fd);
    stop();
}

LAB_TEST(loop_add, takes_any_stream, .points = 2, .task = 2, .needs = SERVES,
         .read = "A loop", .man = "2 socketpair",
         .likely =
             "after loop_stop() the answer is ECANCELED, and the descriptor is still "
             "the caller's")
{
    int fds[2], more[2], file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, more) == -1)
        lab_error("socketpair()");
    start(plain(LOOP_POLL));
    lab_peer("loop_add() in another thread: a UNIX socket, no socket, and one too late");
    int no = loop_add(loop, file), error = errno;
    lab_expect(no == -1 && error == ENOTSOCK, "-1 and errno ENOTSOCK", "returned %s",
               lab_result(no, error));
    lab_close(file);
    int yes = loop_add(loop, fds[0]);
    lab_expect(yes == 0, "0", "returned %s", lab_result(yes, errno));
    say(fds[1], "stop");
    expect_end(1, LOOP_END_CLOSED);
    no = loop_add(loop, more[0]), error = errno;
    lab_expect(no == -1 && error == ECANCELED, "-1 and errno ECANCELED", "returned %s",
               lab_result(no, error));
    lab_close(fds[1]);
    join();
    lab_close(more[0]);
    lab_close(more[1]);
}

/* ---- messages -------------------------------------------------------------------- */

static const struct splitter_rule lines = {SPLIT_DELIMITER, 1000, 0, 1, "\n"};

LAB_TEST(
    on_message, gives_each_line_once, .points = 3, .task = 3, .needs = SERVES,
    .read = "From bytes to messages", .man = "2 recv",
    .likely =
        "a read may bring several messages, and half of one: what is left stays in the client's own unpacker, and a clean one is handed on")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.rule = &lines;
    start(settings);
    int a = client(), b;
    wait_for('+', 1, 1);
    b = client();
    wait_for('+', 2, 1);
    lab_peer(
        "sent \"a\\n\\nec\"; another client \"x\\nech\", \"o b\\n\"; and the first \"ho a\\n\"");
    say(a, "a\n\nec");
    expect_message(1, 2, "", 0);
    say(b, "x\nech");
    expect_message(2, 1, "x", 1);
    say(b, "o b\n");
    expect_message(2, 2, "echo b", 6);
    say(a, "ho a\n");
    expect_message(1, 3, "echo a", 6);
    expect(a, "a");
    expect(b, "b");
    lab_peer(
        "then the first sent \"a\\nhal\" and ended its stream, the second 1001 bytes without an end");
    say(a, "a\nhal");
    lab_close(a);
    expect_end(1, LOOP_END_CLIENT);
    lab_expect(count('=') == 6, "six messages, and half a one that is none", "gave %zu",
               count('='));
    char many[1001];
    memset(many, 'm', sizeof many);
    say(b, "echo !\n");
    say_bytes(b, many, sizeof many);
    expect_end(2, LOOP_END_BAD);
    expect(b, "!");
    expect_stream_end(b);
    lab_close(b);
    stop();
}

LAB_TEST(
    on_message, gives_each_frame_once, .points = 3, .task = 3, .needs = SERVES,
    .read = "From bytes to messages", .man = "2 recv",
    .likely =
        "count the bytes that are fed, less those of the frames found: only at 0 can another client go on with this decoder")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.format = frame_format_named("length32be");
    start(settings);
    int a = client(), b;
    wait_for('+', 1, 1);
    b = client();
    wait_for('+', 2, 1);
    lab_peer("sent two frames and a half; another client a frame and a cut length; then "
             "both the rest; then one a length of 4 GiB");
    say_bytes(a, "\0\0\0\1a\0\0\0\0\0\0\0\6echo", 17);
    expect_message(1, 2, "", 0);
    say_bytes(b, "\0\0\0\1x\0\0", 7);
    expect_message(2, 1, "x", 1);
    say_bytes(b, "\0\6echo b", 8);
    expect_message(2, 2, "echo b", 6);
    say_bytes(a, " a", 2);
    expect_message(1, 3, "echo a", 6);
    expect(a, "a");
    expect(b, "b");
    say_bytes(b, "\0\0\0\6echo !\377\377\377\377", 14);
    expect_end(2, LOOP_END_BAD);
    expect(b, "!");
    expect_stream_end(b);
    say_bytes(a, "\0\0\0\6echo ?", 10);
    expect(a, "?");
    lab_close(a);
    lab_close(b);
    stop();
}

/* ---- what is sent ---------------------------------------------------------------- */

LAB_TEST(
    loop_send, gathers_the_answers_to_one_read, .points = 4, .task = 4,
    .needs = "on_message/gives_each_line_once", .read = "One write a read",
    .man = "2 send",
    .likely =
        "loop_send() puts the bytes behind those that wait; send() is called when all messages of the read have been given to on_message")
{
    char all[50 * 7 + 1] = "", answers[51] = "";
    struct loop_settings settings = plain(LOOP_POLL);
    settings.rule = &lines;
    settings.on_write_complete = wrote;
    for (int i = 0; i < 50; i++) {
        memcpy(all + 7L * i, "echo x\n", 7);
        answers[i] = 'x';
    }
    start(settings);
    int fd = client();
    lab_peer("sent 50 lines of \"echo x\" at once, three times");
    for (int i = 0; i < 3; i++) {
        say_bytes(fd, all, sizeof all - 1);
        expect(fd, answers);
        wait_for('w', 1, (size_t)i + 1);
    }
    unsigned sends = calls_made(CALLS_SEND), reads = calls_made(CALLS_RECEIVE);
    lab_expect(sends <= reads, "a write for each read", "made %u writes and %u reads",
               sends, reads);
    lab_close(fd);
    stop();
}

/* A client that sends, from a thread: 3 MB of lines' bytes. */
enum { MUCH = 3 * 1024 * 1024 };

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 7 + i / 251);
}

static void *send_much(void *argument)
{
    int fd = *(int *)argument;
    unsigned char bytes[8192];
    for (size_t at = 0; at < MUCH; at += sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = pattern(at + i);
        size_t done = 0;
        ssize_t n = 1;
        while (done < sizeof bytes &&
               (n = send(fd, bytes + done, sizeof bytes - done, MSG_NOSIGNAL)) > 0)
            done += (size_t)n;
        if (n <= 0)
            return argument; /* cut */
    }
    shutdown(fd, SHUT_WR);
    return NULL;
}

/* Can it send no more, although the loop goes round and round for another client? */
static bool stands_still(int fd, int other)
{
    size_t before = atomic_load(&delivered);
    for (int i = 0; i < 5; i++) {
        say(other, "x");
        expect(other, "x");
    }
    struct pollfd full = {.fd = fd, .events = POLLOUT};
    return atomic_load(&delivered) == before + 5 &&
           (poll(&full, 1, 0) == 0 || full.revents & (POLLERR | POLLHUP));
}

static void press_back(enum loop_backend backend)
{
    struct loop_settings settings = plain(backend);
    settings.on_message = returns;
    settings.high_water = 128UL * 1024;
    settings.low_water = 1024;
    settings.max_output = 1024UL * 1024;
    start(settings);
    int pair[2], room = 64 * 1024;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
        lab_error("socketpair()");
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    lab_expect(loop_add(loop, pair[0]) == 0, "0", "loop_add() returned -1");
    wait_for('+', 1, 1);
    int fd = pair[1], other = client();
    lab_peer(
        "sent 3 MB, all of which is to be sent back, and read nothing; another client "
        "sent a byte at a time");
    pthread_t sender;
    if (pthread_create(&sender, NULL, send_much, &fd) != 0)
        lab_error("pthread_create()");
    while (count('-') == 0 && !stands_still(fd, other))
        ;
    lab_expect(count('-') == 0, "a client that is not read from until it reads",
               "called on_close");
    size_t taken = atomic_load(&delivered);
    lab_expect(taken < 1024UL * 1024, "some 128 KB read, and no more",
               "read %zu bytes from a client that reads nothing", taken);
    struct pollfd nothing = {.fd = -1};
    unsigned waits = calls_made(CALLS_WAIT);
    poll(&nothing, 1, 20); /* a loop that spins makes thousands */
    waits = calls_made(CALLS_WAIT) - waits;
    lab_likely(backend == LOOP_EPOLL
                   ? "EPOLL_CTL_MOD tells epoll what is waited for now"
                   : "while a client is not read from, wait for its POLLOUT alone");
    lab_expect(waits < 40, "hardly a call that waits", "made %u in 20 ms", waits);
    lab_likely(NULL);
    lab_peer("then it read all, and ended its stream");
    static unsigned char bytes[65536];
    size_t have = 0;
    ssize_t got;
    while ((got = hear_some(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < got; i++, have++)
            if (bytes[i] != pattern(have))
                lab_expect(false, "the same bytes", "sent a wrong byte at %zu", have);
    pthread_join(sender, NULL);
    lab_expect(have == MUCH, "3145728 bytes, and the end", "sent %zu bytes, and then %s",
               have, got == 0 ? "the end of the stream" : lab_errno(errno));
    expect_end(1, LOOP_END_CLIENT);
    lab_close(fd);
    lab_close(other);
    stop();
}

LAB_TEST(
    loop_send, presses_back, .points = 4, .task = 4, .needs = SERVES,
    .read = "Back-pressure", .man = "2 poll",
    .likely =
        "more than high_water waiting: do not wait for POLLIN; low_water or fewer: do again. What send() did not take is kept, in its order")
{
    press_back(LOOP_POLL);
}

LAB_TEST(loop_send, presses_back_by_epoll, .points = 2, .task = 6,
         .needs = "loop_run/serves_a_client_by_epoll, loop_send/presses_back",
         .read = "epoll", .man = "2 epoll_ctl",
         .likely = "EPOLL_CTL_MOD tells epoll what is waited for now")
{
    press_back(LOOP_EPOLL);
}

static char large[1024 * 1024];

static void flood(struct loop_connection *connection, const void *message, size_t n)
{
    said(connection, message, n);
    if (!begins(message, n, "flood"))
        return;
    int sent = 0;
    for (int i = 0; i < 16 && sent == 0; i++)
        sent = loop_send(connection, large, sizeof large);
    atomic_store(&send_error, errno);
    atomic_store(&send_result, sent);
}

LAB_TEST(
    loop_send, cuts_off_who_is_too_slow, .points = 3, .task = 4, .needs = SERVES,
    .read = "Back-pressure", .man = "3 errno",
    .likely =
        "first give the kernel what it takes; if then more than max_output bytes would wait: ENOBUFS, LOOP_END_SLOW, and the connection is closed at once")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.on_message = flood;
    start(settings);
    int fd = client(), other = client();
    lab_peer("16 MB are sent to a client that does not read");
    say(fd, "flood");
    const struct event *event = wait_for('-', 0, 1);
    lab_expect(event->end == LOOP_END_SLOW, "LOOP_END_SLOW", "called on_close with %s",
               end_texts[event->end]);
    lab_expect(atomic_load(&send_result) == -1 && atomic_load(&send_error) == ENOBUFS,
               "-1 and errno ENOBUFS", "loop_send() returned %s",
               lab_result(atomic_load(&send_result), atomic_load(&send_error)));
    say(other, "echo one");
    expect(other, "one");
    lab_peer("then 1 MB to one that reads all");
    settings.on_message = flood;
    char *all = malloc(sizeof large);
    memset(all, 0, sizeof large);
    loop_send(seen.last, "", 0);
    int sent = loop_send(seen.last, large, sizeof large);
    lab_expect(sent == 0, "0: max_output bytes may wait", "loop_send() returned %s",
               lab_result(sent, errno));
    expect_bytes(other, all, sizeof large);
    free(all);
    lab_close(fd);
    lab_close(other);
    stop();
}

static int complete_left = 20;

static void send_again(struct loop_connection *connection)
{
    wrote(connection);
    if (connection->number == 1 && complete_left-- > 0)
        loop_send(connection, large, 40000);
}

LAB_TEST(
    on_write_complete, comes_when_nothing_waits, .points = 3, .task = 4,
    .needs = "loop_send/presses_back", .read = "Back-pressure", .man = "2 send",
    .likely =
        "when something was sent and nothing is left waiting: call on_write_complete, once, outside of the lock")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.on_write_complete = send_again;
    start(settings);
    int fd = client();
    lab_peer(
        "sent \"echo x\", and 40000 bytes more with each on_write_complete, 20 times");
    say(fd, "echo x");
    size_t have = 0, all = 1 + 20 * 40000;
    ssize_t got = 1;
    static char bytes[65536];
    while (have < all && (got = hear_some(fd, bytes, sizeof bytes)) > 0)
        have += (size_t)got;
    lab_expect(have == all, "800001 bytes", "sent %zu", have);
    wait_for('w', 1, 21);
    int other = client();
    say(other, "echo y");
    expect(other, "y");
    wait_for('w', 2, 1);
    lab_close(fd);
    lab_close(other);
    stop();
    lab_expect(count('w') == 22, "22 calls of on_write_complete", "made %zu", count('w'));
}

LAB_TEST(
    loop_broadcast, tells_all_but_one, .points = 3, .task = 4, .needs = SERVES,
    .read = "From any thread", .man = "3 pthread_mutex_lock",
    .likely =
        "as loop_send(), to each client that is open, but not to `except`; count those "
        "for which it returned 0")
{
    start(plain(LOOP_POLL));
    int fds[4];
    for (int i = 0; i < 4; i++) {
        fds[i] = client();
        wait_for('+', (unsigned long)i + 1, 1);
    }
    say(fds[3], "bye");
    expect(fds[3], "bye");
    wait_for('-', 4, 1);
    lab_peer("three clients are open, and one was closed; the first said \"all hello\"");
    say(fds[0], "all hello");
    expect(fds[1], "hello");
    expect(fds[2], "hello");
    wait_for('=', 1, 1);
    size_t all = loop_broadcast(loop, NULL, "!", 1);
    expect(fds[0], "!");
    lab_expect(atomic_load(&reached) == 2 && all == 3, "2, and without `except` 3",
               "returned %zu and %zu", atomic_load(&reached), all);
    expect_stream_end(fds[3]);
    for (int i = 0; i < 4; i++)
        lab_close(fds[i]);
    stop();
}

static void *send_words(void *word)
{
    for (int i = 0; i < 200; i++)
        loop_send(seen.last, word, 10);
    return NULL;
}

LAB_TEST(loop_send, may_be_called_in_any_thread, .points = 3, .task = 4, .needs = SERVES,
         .read = "From any thread", .man = "2 eventfd",
         .likely = "what other threads reach is changed under the lock; and a loop that "
                   "sleeps is woken")
{
    start(plain(LOOP_POLL));
    int fd = client();
    wait_for('+', 1, 1);
    lab_peer("two threads send 200 times \"aaaaaaaaaa\" and \"bbbbbbbbbb\"");
    pthread_t threads[2];
    char *words[] = {"aaaaaaaaaa", "bbbbbbbbbb"};
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, send_words, words[i]) != 0)
            lab_error("pthread_create()");
    char bytes[4000];
    size_t have = 0;
    ssize_t got = 1;
    while (have < sizeof bytes &&
           (got = hear_some(fd, bytes + have, sizeof bytes - have)) > 0)
        have += (size_t)got;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    bool whole = have == sizeof bytes;
    for (size_t i = 0; whole && i < sizeof bytes; i++)
        whole = bytes[i] == bytes[i / 10 * 10];
    lab_expect(whole, "4000 bytes, ten of the same letter at a time", "sent %s",
               lab_quote(bytes, have));
    lab_peer("then one byte at a time is sent, when the last has come");
    for (int i = 0; i < 50; i++) {
        loop_send(seen.last, "x", 1);
        expect(fd, "x");
    }
    loop_close(seen.last);
    expect_end(1, LOOP_END_CLOSED);
    lab_close(fd);
    stop();
}

/* ---- the end of a connection ----------------------------------------------------- */

LAB_TEST(
    loop_close, delivers_what_was_sent, .points = 3, .task = 5, .needs = SERVES,
    .read = "How a connection ends", .man = "2 shutdown",
    .likely =
        "send what waits, then shutdown(SHUT_WR), and read (and throw away) until the client has ended its stream; then close()")
{
    start(plain(LOOP_POLL));
    int fd = client();
    lab_peer("sent \"bye\", and then \"echo x\" again and again; only then it read");
    say(fd, "bye");
    expect_end(1, LOOP_END_CLOSED);
    for (int i = 0; i < 1000; i++)
        say(fd, "echo xxxxxxxxxxxxxxxx");
    expect(fd, "bye");
    expect_stream_end(fd);
    say(fd, "echo y");
    lab_expect(atomic_load(&send_result) == -1 && atomic_load(&send_error) == EPIPE,
               "-1 and errno EPIPE", "loop_send() after loop_close() returned %s",
               lab_result(atomic_load(&send_result), atomic_load(&send_error)));
    lab_close(fd);
    stop();
    lab_expect(count('=') == 1, "no message after loop_close()", "gave on_message %zu",
               count('='));
}

LAB_TEST(loop_close, lingers_not_for_ever, .points = 3, .task = 5,
         .needs = "loop_close/delivers_what_was_sent", .read = "How a connection ends",
         .man = "2 close",
         .likely =
             "when linger_ms are over the connection is closed, whatever the client does")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.linger_ms = 30;
    start(settings);
    int fd = client();
    lab_peer("sent \"bye\", read the answer and the end, and keeps its own stream open");
    int64_t begun = now_ms();
    say(fd, "bye");
    expect(fd, "bye");
    expect_stream_end(fd);
    struct pollfd reset_comes = {.fd = fd};
    while (poll(&reset_comes, 1, 2) == 0)
        send(fd, "x", 1, MSG_NOSIGNAL);
    int64_t took = now_ms() - begun;
    lab_expect(took >= 30, "a reset after 30 ms", "reset the connection after %d ms",
               (int)took);
    lab_close(fd);
    stop();
}

LAB_TEST(loop_run, outlives_a_client_that_resets, .points = 2, .task = 5, .needs = SERVES,
         .read = "How a connection ends", .man = "2 recv",
         .likely = "ECONNRESET and EPIPE are the end of one client: LOOP_END_CLIENT")
{
    start(plain(LOOP_POLL));
    int fd = client();
    wait_for('+', 1, 1);
    int other = client();
    lab_peer(
        "a client reset its connection; then recv() was interrupted (EINTR), and said EAGAIN");
    reset(fd);
    expect_end(1, LOOP_END_CLIENT);
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_RECEIVE, 2, (struct fault){.error = EAGAIN});
    fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_SEND, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_SEND, 2, (struct fault){.at_most = 1});
    say(other, "echo one");
    expect(other, "one");
    lab_close(other);
    expect_end(2, LOOP_END_CLIENT);
    stop();
}

/* ---- time ------------------------------------------------------------------------ */

static unsigned long bells[] = {0, 1, 2, 3, 4, 5};
static struct loop_timer *doomed;

static void ring_and_cancel(void *bell)
{
    ring(bell);
    loop_cancel(loop, doomed);
    loop_after(loop, 0, ring, &bells[5]);
}

LAB_TEST(
    loop_after, calls_back_in_order, .points = 3, .task = 7, .needs = "loop_new",
    .read = "Time", .man = "2 poll",
    .likely =
        "a list sorted by time; a timer is out of it before its callback is called; and the wait is cut short for the first")
{
    struct loop_settings settings = plain(LOOP_POLL);
    make(&settings);
    int64_t begun;
    lab_peer(
        "timers for 30 ms (4), 10 ms (1), 10 ms (2), 20 ms (which cancels one of 20 ms, "
        "and starts one of 0 ms), one of 50 s that is forgotten");
    struct loop_timer *timers[4];
    bool late;
    do { /* once more where this machine let 8 ms pass between the first and the last */
        begun = now_ms();
        timers[0] = loop_after(loop, 30, ring, &bells[4]);
        timers[1] = loop_after(loop, 10, ring, &bells[1]);
        timers[2] = loop_after(loop, 10, ring, &bells[2]);
        timers[3] = loop_after(loop, 20, ring_and_cancel, &bells[3]);
        doomed = loop_after(loop, 20, ring, &bells[0]);
        lab_expect(doomed != NULL, "a timer", "returned NULL");
        late = now_ms() - begun > 8;
        for (size_t i = 0; late && i < 4; i++)
            loop_cancel(loop, timers[i]);
        if (late)
            loop_cancel(loop, doomed);
    } while (late);
    loop_after(loop, 50000, ring, &bells[0]);
    loop_cancel(loop, loop_after(loop, 5, ring, &bells[0]));
    begin_to_run();
    wait_for('t', 4, 1);
    int64_t took = now_ms() - begun;
    char order[16] = "";
    for (size_t i = 0; i < seen.count && i < 15; i++)
        order[i] = (char)('0' + seen.events[i].number);
    lab_expect(strcmp(order, "12354") == 0 || strcmp(order, "12345") == 0,
               "1, 2, 3, 5, 4 (on a slow machine 4 and 5 may change places)", "called %s",
               order);
    lab_expect(took >= 30, "30 ms at least", "called the last after %d ms", (int)took);
    stop();
}

LAB_TEST(
    loop_run, ends_who_is_idle, .points = 3, .task = 7, .needs = SERVES, .read = "Time",
    .man = "2 poll",
    .likely =
        "whoever was active goes to the end of the queue: the first of it is the next to be late")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.idle_ms = 60;
    settings.on_message = returns;
    start(settings);
    int64_t begun = now_ms();
    int fd = client(), other = client();
    unsigned long number = 2;
    wait_for('+', 2, 1);
    lab_peer("is silent; another client talks");
    bool ended;
    do { /* once more when it has ended */
        ended = count('-') >= number - 1;
        int64_t last = now_ms();
        char byte;
        if (send(other, "x", 1, MSG_NOSIGNAL) == 1 && hear_some(other, &byte, 1) == 1)
            continue;
        lab_expect(now_ms() - last >= 60, "a client that talks is not idle",
                   "ended its connection");
        lab_close(other); /* this machine is very busy */
        other = client();
        wait_for('+', ++number, 1);
    } while (!ended);
    expect_end(1, LOOP_END_IDLE);
    int64_t took = now_ms() - begun;
    lab_expect(took >= 60, "60 ms of patience", "ended it after %d ms", (int)took);
    expect_stream_end(fd);
    lab_close(fd);
    lab_close(other);
    stop();
}

/* ---- the end of all -------------------------------------------------------------- */

LAB_TEST(
    loop_stop, answers_what_has_come, .points = 4, .task = 8,
    .needs = "on_message/gives_each_line_once, loop_close/delivers_what_was_sent",
    .read = "Stopping", .man = "2 ioctl",
    .likely =
        "for each client: read as many bytes as there are (FIONREAD), give the messages to on_message; and only then end all")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.rule = &lines;
    start(settings);
    int a = client(), b;
    wait_for('+', 1, 1);
    b = client();
    wait_for('+', 2, 1);
    say(a, "hold\necho a\n");
    wait_until_held();
    say(a, "all z\n");
    say(b, "echo b\nall c\necho d\nhalf");
    lab_peer(
        "while a callback waits, two clients sent lines; then loop_stop() was called");
    loop_stop(loop);
    release();
    char heard[4] = "";
    expect(a, "a");
    expect(a, "c");
    for (size_t have = 0; have < 3;) {
        ssize_t got = hear_some(b, heard + have, 3 - have);
        lab_expect(got > 0, "\"b\", \"d\", and \"z\" from the other client",
                   "sent only %s", lab_quote(heard, have));
        have += (size_t)got;
    }
    lab_expect(strcmp(heard, "bdz") == 0 || strcmp(heard, "zbd") == 0,
               "\"b\", \"d\", and \"z\" from the other client", "sent %s",
               lab_quote(heard, 3));
    expect_end(1, LOOP_END_CLOSED);
    expect_end(2, LOOP_END_CLOSED);
    expect_stream_end(a);
    expect_stream_end(b);
    lab_close(a);
    lab_close(b);
    join();
    for (size_t i = 0, ended = 0; i < seen.count; i++) {
        ended += seen.events[i].kind == '-';
        lab_expect(ended == 0 || seen.events[i].kind == '-',
                   "all messages, and then on_close of each",
                   "called on_message after an on_close");
    }
}

LAB_TEST(
    loop_stop, waits_for_no_client, .points = 3, .task = 8,
    .needs = "loop_send/presses_back, loop_close/lingers_not_for_ever",
    .read = "Stopping", .man = "2 poll",
    .likely = "no client is read from without end, and after linger_ms all is closed")
{
    struct loop_settings settings = plain(LOOP_EPOLL);
    settings.backend = LOOP_POLL;
    settings.on_message = returns;
    settings.linger_ms = 20;
    make(&settings);
    lab_peer("loop_stop() was called before loop_run()");
    loop_stop(loop);
    begin_to_run();
    join();
    seen.ended = false;
    start(settings);
    int fd = client(), silent;
    wait_for('+', 1, 1);
    silent = client();
    wait_for('+', 2, 1);
    lab_peer("then one client sends without end and never reads, another is silent");
    pthread_t sender;
    if (pthread_create(&sender, NULL, send_much, &fd) != 0)
        lab_error("pthread_create()");
    while (atomic_load(&delivered) < 100000)
        expect_running();
    stop();
    pthread_join(sender, NULL);
    lab_close(fd);
    lab_close(silent);
    lab_expect(count('-') == 2, "two calls of on_close", "made %zu", count('-'));
}

/* ---- several loops --------------------------------------------------------------- */

static struct loops *loops;

static void start_loops(int n, enum loop_balance balance)
{
    struct loops_settings settings = {.loop = plain(LOOP_POLL),
                                      .n = n,
                                      .balance = balance,
                                      .host = "127.0.0.1",
                                      .service = "0"};
    loops = loops_start(&settings);
    lab_expect(loops != NULL, "several loops",
               "loops_start() returned NULL with errno %s", lab_errno(errno));
    port = port_in(loops_tcp(loops));
}

static unsigned long served(int i)
{
    return loop_served(loops_get(loops, i));
}

LAB_TEST(
    loops_start, deals_clients_round, .points = 3, .task = 9, .needs = SERVES,
    .read = "Several loops", .man = "7 socket",
    .likely =
        "choose() is asked for each client that any of the loops accepts: it counts them all, with an atomic number")
{
    int fds[9];
    start_loops(3, LOOP_ROUND_ROBIN);
    for (int i = 0; i < 9; i++) {
        fds[i] = client();
        say(fds[i], "echo x");
        expect(fds[i], "x");
    }
    lab_peer("9 clients came to 3 loops");
    lab_expect(served(0) == 3 && served(1) == 3 && served(2) == 3, "3, 3 and 3",
               "gave the loops %lu, %lu and %lu", served(0), served(1), served(2));
    for (int i = 0; i < 9; i++)
        lab_close(fds[i]);
    loops_stop(loops);
    loops_free(loops);
}

LAB_TEST(loops_start, gives_the_next_to_who_has_least, .points = 3, .task = 9,
         .needs = SERVES, .read = "Several loops", .man = "7 socket",
         .likely = "the loop with the smallest loop_count(), and of several the first")
{
    int fds[4] = {-1, -1, -1, -1};
    start_loops(2, LOOP_LEAST);
    for (int i = 0; i < 4; i++) {
        fds[i] = client();
        wait_for('+', 0, (size_t)i + 1);
    }
    lab_peer("four clients came to two loops; those of the second left; two more came");
    lab_expect(served(0) == 2 && served(1) == 2, "2 and 2", "gave the loops %lu and %lu",
               served(0), served(1));
    lab_close(fds[1]);
    wait_for('-', 0, 1);
    lab_close(fds[3]);
    wait_for('-', 0, 2);
    fds[1] = client();
    wait_for('+', 0, 5);
    fds[3] = client();
    wait_for('+', 0, 6);
    lab_expect(served(0) == 2 && served(1) == 4, "2 and 4 in all",
               "gave the loops %lu and %lu in all", served(0), served(1));
    for (int i = 0; i < 4; i++)
        lab_close(fds[i]);
    loops_stop(loops);
    loops_free(loops);
}

LAB_TEST(
    loops_start, shares_its_port_with_no_stranger, .points = 2, .task = 9,
    .needs = SERVES, .read = "Several loops", .man = "7 socket",
    .likely =
        "SO_REUSEPORT on each listener before bind(); and first one without it, which tells whether somebody listens there")
{
    int fds[8], on = 1, stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    start_loops(2, LOOP_RANDOM);
    for (int i = 0; i < 8; i++) {
        fds[i] = client();
        say(fds[i], "echo x");
        expect(fds[i], "x");
    }
    lab_peer("eight clients came to two loops, as the kernel chose");
    lab_expect(served(0) + served(1) == 8, "8 in all", "gave the loops %lu and %lu",
               served(0), served(1));
    for (int i = 0; i < 8; i++)
        lab_close(fds[i]);
    loops_stop(loops);
    loops_free(loops);
    lab_peer("then a stranger listens with SO_REUSEPORT, where two loops are to listen");
    setsockopt(stranger, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(stranger, (struct sockaddr *)&in, sizeof in) == -1 ||
        listen(stranger, 5) == -1)
        lab_error("listen()");
    struct loops_settings settings = {.loop = plain(LOOP_POLL),
                                      .n = 2,
                                      .host = "127.0.0.1",
                                      .service = lab_port_text(stranger)};
    errno = 0;
    struct loops *shared = loops_start(&settings);
    int error = errno;
    lab_expect(shared == NULL && error == EADDRINUSE, "NULL and errno EADDRINUSE",
               "returned %s", shared != NULL ? "several loops" : lab_errno(error));
    settings.n = 0;
    errno = 0;
    shared = loops_start(&settings);
    lab_expect(shared == NULL && errno == EINVAL, "NULL and errno EINVAL for no loops",
               "returned %s", shared != NULL ? "something" : lab_errno(errno));
    lab_close(stranger);
}

/* ---- lesson 09's programs -------------------------------------------------------- */

static void server_came(struct connection *connection)
{
    note('+', connection->number, connection->name, strlen(connection->name), 0);
    connection->user = connection->context;
}

static void server_said(struct connection *connection, const void *message, size_t n)
{
    note('=', connection->number, message, n, connection->user == &context);
    server_loop.send(connection, "you: ", 5);
    server_loop.send(connection, message, n);
    atomic_store(&reached, server_loop.broadcast(connection, message, n));
    if (begins(message, n, "bye"))
        server_loop.close(connection);
}

static void server_went(struct connection *connection, enum server_end end)
{
    note('-', connection->number, "", 0, (int)end);
}

LAB_TEST(
    server_loop, keeps_the_promises_of_server_h, .points = 5, .task = 10,
    .needs = "loop_stop/answers_what_has_come", .read = "The chat server on a loop",
    .man = "3 calloc",
    .likely =
        "for each connection of the loop one of server.h's, with a number of its own; who is one too many gets the refusal and no callback")
{
    struct server_settings settings = {.host = "127.0.0.1",
                                       .service = "0",
                                       .max_connections = 2,
                                       .refusal = "full",
                                       .max_output = 100000,
                                       .linger_ms = 60000,
                                       .rule = lines,
                                       .on_connection = server_came,
                                       .on_message = server_said,
                                       .on_close = server_went,
                                       .context = &context};
    struct server *server = server_loop.start(&settings);
    lab_expect(server != NULL, "a server", "start() returned NULL with errno %s",
               lab_errno(errno));
    port = port_in(server->tcp);
    int a = client();
    wait_for('+', 1, 1);
    int b = client();
    wait_for('+', 2, 1);
    int c = client();
    lab_peer("two clients may be there; a third one came");
    expect(c, "full");
    expect_stream_end(c);
    lab_close(c);
    say(a, "hi\n");
    expect(a, "you: hi");
    expect(b, "hi");
    lab_expect(wait_for('=', 1, 1)->end && atomic_load(&reached) == 1,
               "user as the program left it, and 1 from broadcast()",
               "gave another user, or returned %zu", atomic_load(&reached));
    lab_peer("one said \"bye\", and another one came");
    say(b, "bye\n");
    expect(b, "you: bye");
    expect_stream_end(b);
    lab_expect(wait_for('-', 2, 1)->end == SERVER_END_CLOSED, "SERVER_END_CLOSED",
               "called on_close with %d", wait_for('-', 2, 1)->end);
    lab_close(b);
    b = client();
    wait_for('+', 3, 1);
    lab_close(b);
    lab_expect(wait_for('-', 3, 1)->end == SERVER_END_CLIENT, "SERVER_END_CLIENT",
               "called on_close with %d", wait_for('-', 3, 1)->end);
    lab_close(a);
    wait_for('-', 1, 1);
    server_loop.stop(server);
    settings.max_connections = 0;
    errno = 0;
    server = server_loop.start(&settings);
    lab_expect(server == NULL && errno == EINVAL, "NULL and errno EINVAL",
               "start() with max_connections 0 returned %s",
               server != NULL ? "a server" : lab_errno(errno));
}
