/*
 * Unit tests of lesson 10: what loop.h and server_loop.h promise.
 *
 * A loop runs in a thread of the test's; its clients are plain sockets. The callbacks write down what they see, and
 * a test waits for that, or for bytes, never for time. What a callback does is told by the message: "echo WORD" sends
 * WORD back, "all WORD" broadcasts it, "bye" is answered and closed, "hold" waits for release(), "ring" starts a timer.
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
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- callbacks that write down what they see ------------------------------------- */

enum { MOST_EVENTS = 4096, TEXT = 32, CROWD = 70 };

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
static atomic_size_t delivered; /* bytes of the first client, by on_message */
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

/* The test starts another loop: what the one before did is forgotten. */
static void forget(void)
{
    seen.count = 0;
    seen.held = seen.released = seen.ended = false;
}

static void ring(void *bell)
{
    note('t', *(unsigned long *)bell, "", 0, 0);
}

static unsigned long bells[] = {0, 1, 2, 3, 4, 5};

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
    if (begins(text, n, "ring"))
        loop_after(connection->loop, 20, ring, &bells[1]);
}

static void returns(struct loop_connection *connection, const void *message, size_t n)
{
    if (connection->number == 1)
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
    lab_expect(strstr(calls_text(16), "-1 EBADF") == NULL,
               "a descriptor is closed once, and then no more used", "called %s",
               calls_text(16));
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

/* The nth event of one of these kinds, of this client or (0) of any. */
static const struct event *wait_for_any(const char *kinds, unsigned long number,
                                        size_t nth)
{
    const struct event *found = NULL;
    pthread_mutex_lock(&seen.lock);
    while (found == NULL) {
        size_t left = nth;
        for (size_t i = 0; i < seen.count && found == NULL; i++)
            if (strchr(kinds, seen.events[i].kind) != NULL &&
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

static const struct event *wait_for(char kind, unsigned long number, size_t nth)
{
    return wait_for_any((char[]){kind, '\0'}, number, nth);
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
    if (fd == -1)
        lab_error("socket()");
    int no = connect(fd, (struct sockaddr *)&in, sizeof in), error = errno;
    if (no == -1)
        close(fd);
    lab_expect(no == 0, "a server that listens where it says that it does",
               "cannot be connected to: connect() says %s", lab_errno(error));
    return fd;
}

/* The other end of a UNIX socket that the loop looks after. This end takes so many bytes, the loop's fewer. */
static int added(int room)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
        lab_error("socketpair()");
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){32 * 1024}, sizeof(int));
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    int yes = loop_add(loop, pair[0]);
    lab_expect(yes == 0, "0", "loop_add() returned %s", lab_result(yes, errno));
    return pair[1];
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
    lab_expect(colon != NULL, "HOST:PORT", "listens on %s",
               address == NULL ? "NULL" : lab_quote(address, strlen(address)));
    return (uint16_t)atoi(colon + 1);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define SERVES "loop_send/answers"
#define TELLS  "loop_run/tells_who_comes_and_goes"
#define SLEEPS "loop_run/sleeps_while_nothing_happens"

static char large[1024 * 1024];

/* A loop that goes round for another client handles the others, too. */
static void turn(int other)
{
    say(other, "echo x");
    expect(other, "x");
}

/* Nothing happens for so long: a loop that spins makes thousands of calls. */
static void expect_sleep(int ms, unsigned most)
{
    struct pollfd nothing = {.fd = -1};
    unsigned waits = calls_made(CALLS_WAIT);
    poll(&nothing, 1, ms);
    waits = calls_made(CALLS_WAIT) - waits;
    lab_expect(waits <= most, "hardly a call that waits", "made %u in %d ms of silence",
               waits, ms);
}

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
    lab_peer("there was no memory for the first, the second, the third ... piece");
    for (unsigned nth = 1, taken = 0;; nth++, taken++) {
        fault_once(CALLS_ALLOCATE, nth, (struct fault){.error = ENOMEM});
        loop = loop_new(&good);
        int error = errno;
        bool fails = faults_taken() > taken;
        loop_free(loop);
        lab_expect(fails == (loop == NULL) && (!fails || error == ENOMEM),
                   "NULL and errno ENOMEM", "returned %s",
                   loop != NULL ? "a loop" : lab_errno(error));
        if (!fails)
            break;
    }
    fault_none();
}

/* Clients, half of which go and come again: who took a place must know it. */
static void serve_a_crowd(enum loop_backend backend)
{
    int fds[CROWD];
    struct loop_settings settings = plain(backend);
    make(&settings);
    listen_here();
    for (int i = 0; i < CROWD; i++)
        fds[i] = client();
    lab_peer("%d clients were connected before loop_run() was called", CROWD);
    begin_to_run();
    wait_for('+', 0, CROWD);
    lab_peer("every other one left, and then all");
    for (int i = 0; i < CROWD; i += 2)
        lab_close(fds[i]);
    wait_for('-', 0, CROWD / 2);
    for (int i = 1; i < CROWD; i += 2)
        lab_close(fds[i]);
    for (unsigned long i = 1; i <= CROWD; i++)
        expect_end(i, LOOP_END_CLIENT);
    lab_expect(loop_count(loop) == 0 && loop_served(loop) == CROWD,
               "no client now, and 70 that were", "counts %lu now, and %lu that were",
               loop_count(loop), loop_served(loop));
}

LAB_TEST(
    loop_run, tells_who_comes_and_goes, .points = 3, .task = 2, .needs = "loop_new",
    .read = "One call that waits", .man = "2 poll",
    .likely =
        "wait_by_poll(): each that has revents, with its owner; accept_one(): loop_add() for each that waits, and EAGAIN when nobody does")
{
    serve_a_crowd(LOOP_POLL);
    int64_t took;
    int tries = 0;
    do { /* again where this machine was slow: to rest after each takes 100 ms, every time */
        took = now_ms();
        for (size_t i = 1; i <= 5; i++) {
            int fd = client();
            struct sockaddr_in here = {.sin_family = AF_INET};
            char name[TEXT + 1] = "";
            getsockname(fd, (struct sockaddr *)&here, &(socklen_t){sizeof here});
            snprintf(name, sizeof name, "127.0.0.1:%d", ntohs(here.sin_port));
            const struct event *event = wait_for('+', 0, CROWD + (size_t)tries * 5 + i);
            lab_expect(strcmp(event->text, name) == 0, name,
                       "called on_connection with the name %s",
                       lab_quote(event->text, event->length));
            lab_expect(seen.last->context == &context && seen.last->user == NULL &&
                           seen.last->loop == loop && loop_count(loop) == 1,
                       "the settings' context, user NULL, the loop, and one client",
                       "gave on_connection something else, or counted %lu clients",
                       loop_count(loop));
            lab_close(fd);
            wait_for('-', 0, CROWD + (size_t)tries * 5 + i);
        }
        took = now_ms() - took;
    } while (took >= 300 && ++tries < 3);
    lab_peer("five came one after the other");
    lab_likely("rest() only where accept() cannot be done (EMFILE): EAGAIN is no reason");
    lab_expect(took < 300, "each accepted at once", "took %d ms for them", (int)took);
    stop();
    lab_expect(count('-') == count('+'), "one call of on_close for each",
               "called on_close %zu times for %zu", count('-'), count('+'));
}

static struct loop *stopped; /* for no client any more */

static struct loop *choose_the_stopped(struct loop *asking, void *chooser)
{
    (void)asking, (void)chooser;
    return stopped;
}

LAB_TEST(loop_add, takes_any_stream, .points = 2, .task = 2, .needs = TELLS,
         .read = "A loop", .man = "2 socketpair",
         .likely =
             "after loop_stop() the answer is ECANCELED, and the descriptor is still the "
             "caller's: accept_one() closes it")
{
    int more[2], file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, more) == -1)
        lab_error("socketpair()");
    start(plain(LOOP_POLL));
    lab_peer("loop_add() in another thread: a UNIX socket, no socket, and one too late");
    int no = loop_add(loop, file), error = errno;
    lab_expect(no == -1 && error == ENOTSOCK, "-1 and errno ENOTSOCK", "returned %s",
               lab_result(no, error));
    lab_close(file);
    int fd = added(65536);
    wait_for('+', 1, 1);
    loop_stop(loop);
    expect_end(1, LOOP_END_CLOSED);
    no = loop_add(loop, more[0]), error = errno;
    lab_expect(no == -1 && error == ECANCELED, "-1 and errno ECANCELED", "returned %s",
               lab_result(no, error));
    lab_close(fd);
    pthread_join(thread, NULL);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    stopped = loop;
    forget();
    lab_peer("then a client for which choose() named a loop that had stopped");
    struct loop_settings settings = plain(LOOP_POLL);
    settings.choose = choose_the_stopped;
    start(settings);
    fd = client();
    expect_stream_end(fd);
    lab_close(fd);
    stop();
    loop_free(stopped);
    lab_close(more[0]);
    lab_close(more[1]);
}

/* ---- messages -------------------------------------------------------------------- */

static const struct splitter_rule lines = {SPLIT_DELIMITER, 1000, 0, 1, "\n"};

LAB_TEST(
    on_message, gives_what_was_read, .points = 3, .task = 3, .needs = TELLS,
    .read = "From bytes to messages", .man = "2 recv",
    .likely =
        "EAGAIN and EINTR are no end of a client; 0 is, and so is any other error: LOOP_END_CLIENT")
{
    fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    start(plain(LOOP_POLL));
    int fd = client();
    wait_for('+', 1, 1);
    int other = client();
    wait_for('+', 2, 1);
    lab_peer(
        "sent \"one\", and \"two\", before which recv() said EINTR, and then EAGAIN");
    say(fd, "one");
    expect_message(1, 1, "one", 3);
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_RECEIVE, 2, (struct fault){.error = EAGAIN});
    fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    say(fd, "two");
    const struct event *event = wait_for_any("=-", 1, 2);
    lab_expect(event->kind == '=', "another message", "called on_close");
    expect_message(1, 2, "two", 3);
    lab_peer("another client reset its connection; the first ended its stream");
    reset(other);
    expect_end(2, LOOP_END_CLIENT);
    say(fd, "three");
    expect_message(1, 3, "three", 5);
    lab_close(fd);
    expect_end(1, LOOP_END_CLIENT);
    stop();
}

LAB_TEST(
    on_message, gives_each_line_once, .points = 3, .task = 3,
    .needs = "on_message/gives_what_was_read", .read = "From bytes to messages",
    .man = "2 recv",
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
    lab_peer(
        "then the first sent \"a\\nhal\" and ended its stream, the second 1001 bytes without an end");
    say(a, "a\nhal");
    lab_close(a);
    expect_end(1, LOOP_END_CLIENT);
    lab_expect(count('=') == 6, "six messages, and half a one that is none", "gave %zu",
               count('='));
    char many[1001];
    memset(many, 'm', sizeof many);
    say_bytes(b, many, sizeof many);
    lab_likely(
        "what is no message, or too long, ends that client as LOOP_END_BAD: splitter_next() says -1");
    expect_end(2, LOOP_END_BAD);
    lab_close(b);
    stop();
    forget();
    start(settings); /* which has no unpacker yet */
    lab_peer("then there was no memory when a client sent its first line");
    lab_likely(
        "no memory for a client's unpacker is the end of that client: LOOP_END_BAD");
    a = client();
    wait_for('+', 1, 1);
    fault_each(CALLS_ALLOCATE, (struct fault){.error = ENOMEM});
    say(a, "a\n");
    if (wait_for_any("=-", 1, 1)->kind == '-') /* it may have memory of its own */
        expect_end(1, LOOP_END_BAD);
    fault_none();
    lab_close(a);
    stop();
}

LAB_TEST(
    on_message, gives_each_frame_once, .points = 3, .task = 3,
    .needs = "on_message/gives_what_was_read", .read = "From bytes to messages",
    .man = "2 recv",
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
    say_bytes(b, "\0\0\0\6echo !\377\377\377\377", 14);
    expect_message(2, 3, "echo !", 6);
    expect_end(2, LOOP_END_BAD);
    say_bytes(a, "\0\0\0\6echo ?", 10);
    expect_message(1, 4, "echo ?", 6);
    lab_close(a);
    lab_close(b);
    stop();
}

/* The other end of this UNIX socket has been closed. */
static bool is_closed(int fd)
{
    struct pollfd one = {.fd = fd};
    return poll(&one, 1, 0) == 1 && one.revents & POLLHUP;
}

LAB_TEST(
    loop_free, closes_what_there_is, .points = 2, .task = 3, .needs = TELLS,
    .read = "A loop", .man = "2 poll",
    .likely =
        "when what waits fails, and it was no signal, loop_run() returns -1; loop_free() then closes and frees all")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.rule = &lines;
    start(settings);
    int open = added(65536), leaving = added(65536);
    wait_for('+', 2, 1);
    say(leaving, "bye\n");
    wait_for('-', 2, 1);
    lab_peer("one was closed, and had not ended its own stream; another one sent half a "
             "line, and then poll() had no memory (ENOMEM)");
    fault_once(CALLS_WAIT, 1, (struct fault){.error = ENOMEM});
    say(open, "half");
    pthread_join(thread, NULL);
    lab_expect(result == -1 && result_error == ENOMEM, "-1 and errno ENOMEM",
               "loop_run() returned %s", lab_result(result, result_error));
    lab_peer("a third one was added; then loop_free() was called");
    int arriving = added(65536);
    loop_free(loop);
    lab_expect(is_closed(open) && is_closed(leaving) && is_closed(arriving),
               "the end of all three connections", "closed only %d of them",
               is_closed(open) + is_closed(leaving) + is_closed(arriving));
    lab_close(open);
    lab_close(leaving);
    lab_close(arriving);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

/* ---- what is sent ---------------------------------------------------------------- */

static void answer(enum loop_backend backend)
{
    start(plain(backend));
    int fd = client();
    lab_peer(
        "sent \"echo one\", \"echo two\"; send() said EINTR, and then took a byte alone");
    say(fd, "echo one");
    expect(fd, "one");
    lab_likely(
        "what send() did not take is kept, and EPOLLOUT waited for as long as there is some: choose_events()");
    fault_once(CALLS_SEND, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_SEND, 2, (struct fault){.at_most = 1});
    say(fd, "echo two");
    expect(fd, "two");
    lab_close(fd);
    expect_end(1, LOOP_END_CLIENT);
    stop();
}

LAB_TEST(
    loop_send, answers, .points = 2, .task = 4, .needs = "on_message/gives_what_was_read",
    .read = "One write a read", .man = "2 send",
    .likely =
        "keep() puts the bytes behind those that wait, and touch() has settle() send them when the callback has returned")
{
    answer(LOOP_POLL);
}

LAB_TEST(
    loop_send, gathers_the_answers_to_one_read, .points = 3, .task = 4,
    .needs = "on_message/gives_each_line_once, " SERVES, .read = "One write a read",
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

/* A client that sends, from a thread: 1 MB of bytes that tell their place. */
enum { MUCH = 1024 * 1024 };

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

/* Read those bytes, from the one at `have` to before the one at `until`, or the end. */
static size_t hear_pattern(int fd, size_t have, size_t until, ssize_t *got)
{
    static unsigned char bytes[65536];
    *got = 1;
    while (have < until &&
           (*got = hear_some(fd, bytes,
                             until - have < sizeof bytes ? until - have : sizeof bytes)) >
               0)
        for (ssize_t i = 0; i < *got; i++, have++)
            if (bytes[i] != pattern(have))
                lab_expect(false, "the same bytes, in the same order",
                           "sent a wrong byte at %zu", have);
    return have;
}

/* The rest of `all` bytes, and then the end of the stream. */
static void expect_pattern(int fd, size_t have, size_t all)
{
    ssize_t got;
    have = hear_pattern(fd, have, SIZE_MAX, &got);
    lab_expect(have == all && got == 0, "all that was sent, and the end of the stream",
               "sent %zu bytes of %zu, and then %s", have, all,
               got == 0 ? "the end of the stream" : lab_errno(errno));
}

/* Is nothing delivered for anybody else while the loop goes round and round for another client? */
static bool is_paused(int other)
{
    size_t before = atomic_load(&delivered);
    for (int i = 0; i < 5; i++) {
        say(other, "x");
        expect(other, "x");
    }
    return atomic_load(&delivered) == before;
}

static bool is_full(int fd)
{
    struct pollfd full = {.fd = fd, .events = POLLOUT};
    return poll(&full, 1, 0) == 0 || full.revents & (POLLERR | POLLHUP);
}

static void press_back(enum loop_backend backend)
{
    struct loop_settings settings = plain(backend);
    settings.on_message = returns;
    settings.high_water = 128UL * 1024;
    settings.low_water = 0;
    settings.max_output = 512UL * 1024;
    start(settings);
    int fd = added(64 * 1024);
    wait_for('+', 1, 1);
    int other = client();
    lab_peer("sent 1 MB, all of which is to be sent back, and read nothing; another "
             "client sent a byte at a time");
    pthread_t sender;
    if (pthread_create(&sender, NULL, send_much, &fd) != 0)
        lab_error("pthread_create()");
    while (count('-') == 0 && !(is_full(fd) && is_paused(other) && is_full(fd)))
        ;
    lab_expect(count('-') == 0, "a client that is not read from until it reads",
               "called on_close");
    size_t taken = atomic_load(&delivered);
    int unread = 0;
    ioctl(fd, FIONREAD, &unread); /* of what the kernel took */
    lab_expect(taken < 900000 && taken - (size_t)unread > settings.high_water,
               "more than 128 KB kept, and then no more read",
               "read %zu bytes, of which the kernel took %d, from a client that reads "
               "nothing",
               taken, unread);
    lab_likely(backend == LOOP_EPOLL
                   ? "EPOLL_CTL_MOD tells epoll what is waited for now"
                   : "while a client is not read from, wait for its POLLOUT alone");
    expect_sleep(15, 20);
    lab_likely(NULL);
    lab_peer("then it read a part, but more than low_water bytes still wait");
    ssize_t got;
    size_t have = hear_pattern(fd, 0, 120000, &got);
    lab_expect(have == 120000, "the first 120000 bytes", "sent %zu", have);
    lab_likely("paused is set above high_water, taken back at low_water or below, and as "
               "it was in between");
    lab_expect(is_paused(other) && atomic_load(&delivered) == taken,
               "a client that is not read from yet", "read from it again");
    lab_likely(NULL);
    lab_peer("then it read all, and ended its stream");
    expect_pattern(fd, have, MUCH);
    pthread_join(sender, NULL);
    expect_end(1, LOOP_END_CLIENT);
    lab_close(fd);
    lab_close(other);
    stop();
}

LAB_TEST(
    loop_send, presses_back, .points = 3, .task = 4, .needs = SERVES,
    .read = "Back-pressure", .man = "2 poll",
    .likely =
        "more than high_water waiting: do not wait for POLLIN; low_water or fewer: do again. What send() did not take is kept, in its order")
{
    press_back(LOOP_POLL);
}

static void flood(struct loop_connection *connection, const void *message, size_t n)
{
    said(connection, message, n);
    bool no_memory = begins(message, n, "nomem");
    if (!no_memory && !begins(message, n, "flood"))
        return;
    int sent = 0;
    if (no_memory)
        fault_each(CALLS_ALLOCATE, (struct fault){.error = ENOMEM});
    for (int i = 0; i < 16 && sent == 0; i++)
        sent = loop_send(connection, large, sizeof large);
    atomic_store(&send_error, errno);
    atomic_store(&send_result, sent);
    fault_none();
}

static void expect_cut(int error, const char *expected)
{
    lab_expect(atomic_load(&send_result) == -1 && atomic_load(&send_error) == error,
               expected, "loop_send() returned %s",
               lab_result(atomic_load(&send_result), atomic_load(&send_error)));
}

LAB_TEST(
    loop_send, cuts_off_who_is_too_slow, .points = 3, .task = 4, .needs = SERVES,
    .read = "Back-pressure", .man = "3 errno",
    .likely =
        "first give the kernel what it takes; if then more than max_output bytes would wait: drop(), LOOP_END_SLOW, and then errno ENOBUFS")
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
    expect_cut(ENOBUFS, "-1 and errno ENOBUFS");
    turn(other);
    static char heard[65536];
    size_t have = 0;
    for (ssize_t n; (n = hear_some(fd, heard, sizeof heard)) > 0;)
        have += (size_t)n;
    lab_expect(have < sizeof large, "the end, and not what was kept", "sent %zu bytes",
               have);
    lab_peer("then 1 MB to one that reads all");
    char *all = calloc(1, sizeof large);
    loop_send(seen.last, "", 0);
    int sent = loop_send(seen.last, large, sizeof large);
    lab_expect(sent == 0, "0: max_output bytes may wait", "loop_send() returned %s",
               lab_result(sent, errno));
    expect_bytes(other, all, sizeof large);
    free(all);
    lab_peer("then there is no memory to keep the bytes");
    lab_likely(
        "make_room() says false: there is no memory: drop(), and then errno ENOMEM");
    say(other, "nomem");
    wait_for('-', 0, 2);
    expect_cut(ENOMEM, "-1 and errno ENOMEM");
    lab_close(fd);
    lab_close(other);
    stop();
}

static atomic_int results[4];
static atomic_int second_error;

static void send_in_pieces(struct loop_connection *connection, const void *message,
                           size_t n)
{
    (void)message, (void)n;
    static const char *const pieces[] = {"aaaaaaaa", "bbbbbbbb", "cccccccc",
                                         "ddddddddddddddddddddddddd"};
    for (int i = 0; i < 4; i++) {
        atomic_store(&results[i], loop_send(connection, pieces[i], strlen(pieces[i])));
        if (i == 1)
            atomic_store(&second_error, errno);
    }
}

LAB_TEST(
    loop_send, gives_the_kernel_what_it_takes, .points = 3, .task = 4, .needs = SERVES,
    .read = "Back-pressure", .man = "2 send",
    .likely =
        "more than high_water would wait, with these bytes: send_output(); if nothing waits then, send_now() these; keep what is left")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.on_message = send_in_pieces;
    settings.low_water = settings.high_water = settings.max_output = 10;
    start(settings);
    int fd = client();
    wait_for('+', 1, 1);
    lab_peer("10 bytes may wait; 8, 8, 8 and 25 are sent; the kernel takes 6, and then "
             "all that it is given");
    fault_once(CALLS_SEND, 1, (struct fault){.at_most = 6});
    say(fd, "go");
    expect(fd, "aaaaaaaabbbbbbbbccccccccddddddddddddddddddddddddd");
    for (int i = 0; i < 4; i++)
        lab_expect(atomic_load(&results[i]) == 0, "0 four times",
                   "loop_send() returned %d the %dth time", atomic_load(&results[i]),
                   i + 1);
    lab_peer("then the same, and the kernel says that the client is gone");
    lab_likely(
        "send_now() may find that the client is gone: it is over then, and the answer is EPIPE");
    fault_once(CALLS_SEND, 1, (struct fault){.error = ECONNRESET});
    say(fd, "go");
    expect_end(1, LOOP_END_CLIENT);
    lab_expect(atomic_load(&results[1]) == -1 && atomic_load(&second_error) == EPIPE,
               "-1 and errno EPIPE the second time", "loop_send() returned %s",
               lab_result(atomic_load(&results[1]), atomic_load(&second_error)));
    lab_close(fd);
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
    settings.low_water = settings.high_water = 0;
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
    turn(other);
    wait_for('w', 2, 1);
    lab_peer("then it sent \"echo x\" again (high_water is 0, and nothing waits)");
    turn(fd);
    wait_for('w', 1, 22);
    lab_peer("then it sent \"nothing\", and was sent nothing");
    say(fd, "nothing");
    wait_for('=', 1, 3);
    turn(other);
    wait_for('w', 2, 2);
    lab_close(fd);
    lab_close(other);
    stop();
    lab_expect(count('w') == 24, "24 calls of on_write_complete", "made %zu", count('w'));
}

LAB_TEST(
    loop_broadcast, tells_all_but_one, .points = 2, .task = 4, .needs = SERVES,
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
    size_t all = loop_broadcast(loop, NULL, "!", 1);
    expect(fds[0], "!");
    lab_expect(atomic_load(&reached) == 2 && all == 3, "2, and without `except` 3",
               "returned %zu and %zu", atomic_load(&reached), all);
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
    loop_close, delivers_what_was_sent, .points = 3, .task = 5,
    .needs = SERVES ", on_message/gives_each_frame_once", .read = "How a connection ends",
    .man = "2 shutdown",
    .likely =
        "send what waits, then shutdown(SHUT_WR), and read (and throw away) until the client has ended its stream; then close()")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.format = frame_format_named("length32be");
    start(settings);
    int fd = added(65536);
    lab_peer(
        "sent frames, \"bye\" and \"x\" at once, and then 1000 of \"echo xxx\"; only "
        "then it read");
    say_bytes(fd, "\0\0\0\3bye\0\0\0\1x", 12);
    expect_end(1, LOOP_END_CLOSED);
    for (int i = 0; i < 1000; i++)
        say_bytes(fd, "\0\0\0\10echo xxx", 12);
    expect(fd, "bye");
    expect_stream_end(fd);
    say_bytes(fd, "\0\0\0\6echo y", 10);
    lab_expect(atomic_load(&send_result) == -1 && atomic_load(&send_error) == EPIPE,
               "-1 and errno EPIPE", "loop_send() after loop_close() returned %s",
               lab_result(atomic_load(&send_result), atomic_load(&send_error)));
    lab_close(fd);
    lab_peer(
        "another one sent \"bye\", the last letter alone, and a third one \"echo z\" "
        "three times");
    lab_likely("an unpacker that has lent out a message, or half of one, stays with its "
               "client: it is given back only when next() has said 0");
    fd = added(65536);
    int third = client();
    say_bytes(fd, "\0\0\0\3by", 6);
    for (int i = 0; i < 2; i++) { /* the second time round those 6 bytes have been read */
        say_bytes(third, "\0\0\0\6echo z", 10);
        expect(third, "z");
    }
    say_bytes(fd, "e", 1);
    expect(fd, "bye");
    expect_end(2, LOOP_END_CLOSED);
    expect_stream_end(fd);
    say_bytes(third, "\0\0\0\6echo z", 10);
    expect(third, "z");
    lab_likely("the end of a client's stream is recv() == 0, and nothing else");
    lab_expect(!is_closed(fd), "to be waited for until it ends its stream, too",
               "was closed at once");
    lab_close(fd);
    lab_peer("and then no frame");
    lab_likely(
        "end_client(LOOP_END_BAD), not drop(): the answers before it still go out");
    say_bytes(third, "\0\0\0\6echo !\377\377\377\377", 14);
    expect_end(3, LOOP_END_BAD);
    expect(third, "!");
    expect_stream_end(third);
    lab_close(third);
    stop();
    lab_likely("a callback may close the client: no message is given to it after that");
    lab_expect(count('=') == 6,
               "\"bye\", \"bye\", \"echo z\" three times and \"echo !\", and no "
               "message after loop_close()",
               "gave on_message %zu", count('='));
}

enum { MORE = 450000, MOST = 900000 };

static void answers_much(struct loop_connection *connection, const void *message,
                         size_t n)
{
    said(connection, message, n);
    if (begins(message, n, "much"))
        loop_send(connection, large, MORE);
    if (!begins(message, n, "most"))
        return;
    loop_send(connection, large, MOST);
    loop_close(connection);
}

LAB_TEST(
    loop_close, waits_until_all_is_sent, .points = 3, .task = 5,
    .needs = "loop_send/presses_back, loop_close/delivers_what_was_sent",
    .read = "How a connection ends", .man = "2 shutdown",
    .likely =
        "as long as something waits for the client: no shutdown(), and no close(), though it has ended its own stream")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.on_message = answers_much;
    settings.high_water = 500000;
    start(settings);
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)pattern(i);
    int other = client(), fd;
    wait_for('+', 1, 1);
    fd = added(65536);
    lab_peer(
        "asked for 450000 bytes, ended its stream, and read when on_close had been called");
    say(fd, "much");
    shutdown(fd, SHUT_WR);
    expect_end(2, LOOP_END_CLIENT);
    turn(other);
    lab_likely(
        "do not wait for EPOLLIN of one that has ended its stream: it stays ready");
    expect_sleep(15, 20);
    lab_likely(NULL);
    expect_pattern(fd, 0, MORE);
    lab_close(fd);
    lab_peer(
        "another one was sent 900000 bytes, and closed; it sent 300000 more, and then read");
    lab_likely(
        "who is over is read from even if paused: otherwise its own send() waits, and "
        "it never comes to read");
    fd = added(65536);
    say(fd, "most");
    expect_end(3, LOOP_END_CLOSED);
    size_t done = 0;
    for (int turns = 0; done < 300000 && turns < 500; turns++) {
        ssize_t n = send(fd, large, 300000 - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        lab_expect(n > 0 || errno == EAGAIN, "a client that may still send",
                   "ended the connection: send() says %s", lab_errno(errno));
        done += n > 0 ? (size_t)n : 0;
        turn(other);
    }
    lab_expect(done == 300000, "all that it sends read and thrown away",
               "took %zu bytes, and then no more", done);
    lab_likely(NULL);
    expect_pattern(fd, 0, MOST);
    lab_close(fd);
    lab_close(other);
    stop();
    size_t told = 0;
    for (size_t i = 0; i < seen.count; i++)
        told += seen.events[i].kind == '=' && seen.events[i].number == 3;
    lab_likely("read_client(): what comes from one that is over is thrown away");
    lab_expect(told == 1, "no message after loop_close()", "gave on_message %zu", told);
}

/* ---- epoll ----------------------------------------------------------------------- */

LAB_TEST(loop_run, serves_by_epoll, .points = 3, .task = 6, .needs = SERVES,
         .read = "epoll", .man = "7 epoll",
         .likely =
             "epoll_ctl() with ADD, MOD and the watch in data.ptr; then epoll_wait() "
             "instead of poll()")
{
    answer(LOOP_EPOLL);
    forget();
    serve_a_crowd(LOOP_EPOLL);
    lab_peer("loop_listen() was given a file, which epoll cannot wait for (EPERM)");
    stop();
    struct loop_settings settings = plain(LOOP_EPOLL);
    make(&settings);
    int file = memfd_create("file", MFD_CLOEXEC);
    errno = 0;
    int no = loop_listen(loop, file), error = errno;
    lab_likely("tell_epoll() is false where epoll_ctl() has failed");
    lab_expect(no == -1 && error == EPERM, "-1 and errno EPERM", "returned %s",
               lab_result(no, error));
    lab_close(file);
    loop_free(loop);
}

LAB_TEST(loop_send, presses_back_by_epoll, .points = 2, .task = 6,
         .needs = "loop_run/serves_by_epoll, loop_send/presses_back", .read = "epoll",
         .man = "2 epoll_ctl",
         .likely = "EPOLL_CTL_MOD tells epoll what is waited for now")
{
    press_back(LOOP_EPOLL);
}

/* ---- time ------------------------------------------------------------------------ */

static struct loop_timer *doomed;

/* And so long that those that are due meanwhile are overdue. */
static void ring_and_cancel(void *bell)
{
    struct pollfd nothing = {.fd = -1};
    ring(bell);
    loop_cancel(loop, doomed);
    loop_after(loop, 0, ring, &bells[5]);
    poll(&nothing, 1, 8);
}

LAB_TEST(
    loop_after, calls_back_in_order, .points = 3, .task = 7,
    .needs = "on_message/gives_what_was_read", .read = "Time", .man = "2 poll",
    .likely =
        "a list sorted by time; a timer is out of it before its callback is called; and the wait is cut short for the first: 0 if that is overdue")
{
    struct loop_settings settings = plain(LOOP_POLL);
    make(&settings);
    int64_t begun;
    lab_peer("timers for 20 ms (4), 5 ms (1), 5 ms (2), 15 ms (3: cancels one of 15 ms, "
             "starts one of 0 ms (5), and takes 8 ms), one of 50 s that is forgotten, "
             "one of 30 s that is cancelled");
    struct loop_timer *timers[4];
    bool late;
    do { /* once more where this machine let 4 ms pass between the first and the last */
        begun = now_ms();
        timers[0] = loop_after(loop, 20, ring, &bells[4]);
        timers[1] = loop_after(loop, 5, ring, &bells[1]);
        timers[2] = loop_after(loop, 5, ring, &bells[2]);
        timers[3] = loop_after(loop, 15, ring_and_cancel, &bells[3]);
        doomed = loop_after(loop, 15, ring, &bells[0]);
        lab_expect(doomed != NULL, "a timer", "returned NULL");
        late = now_ms() - begun > 4;
        for (size_t i = 0; late && i < 4; i++)
            loop_cancel(loop, timers[i]);
        if (late)
            loop_cancel(loop, doomed);
    } while (late);
    loop_after(loop, 50000, ring, &bells[0]);
    loop_cancel(loop, loop_after(loop, 3, ring, &bells[0]));
    loop_cancel(loop, loop_after(loop, 30000, ring, &bells[0]));
    begin_to_run();
    wait_for('t', 4, 1);
    wait_for('t', 5, 1);
    int64_t took = now_ms() - begun;
    char order[16] = "";
    for (size_t i = 0; i < seen.count && i < 15; i++)
        order[i] = (char)('0' + seen.events[i].number);
    lab_expect(strcmp(order, "12354") == 0 || strcmp(order, "12345") == 0,
               "1, 2, 3, 5, 4 (on a slow machine 4 and 5 may change places)", "called %s",
               order);
    lab_expect(took >= 20, "20 ms at least", "called the last after %d ms", (int)took);
    stop();
}

LAB_TEST(loop_run, sleeps_while_nothing_happens, .points = 3, .task = 7,
         .needs = SERVES ", loop_after", .read = "Time", .man = "2 poll",
         .likely = "the time to wait is that to the first thing due, in milliseconds, "
                   "rounded up, and -1 if there is none")
{
    start(plain(LOOP_POLL));
    int fd = client();
    say(fd, "echo one");
    expect(fd, "one");
    lab_likely(
        "POLLOUT only while something waits to be sent; and wait_by_poll() tells of each that is ready, the first too");
    lab_peer("a client was served, was told something by another thread, and was silent");
    expect_sleep(5, 20);
    loop_broadcast(loop, NULL, "x", 1);
    expect(fd, "x");
    expect_sleep(10, 20);
    lab_peer("another one was closed, and keeps its stream open");
    int other = client();
    say(other, "bye");
    expect(other, "bye");
    expect_sleep(10, 20);
    lab_likely(NULL);
    expect_sleep(50, 2);
    lab_peer("a timer was set, of 20 ms");
    int64_t took;
    size_t tries = 0;
    do { /* again where this machine was late; who rounds to seconds is late each time */
        unsigned waits = calls_made(CALLS_WAIT);
        took = now_ms();
        say(fd, "ring");
        wait_for('t', 1, ++tries);
        took = now_ms() - took;
        waits = calls_made(CALLS_WAIT) - waits;
        lab_expect(waits < 20, "some calls that wait", "made %u in those 20 ms", waits);
    } while (took >= 800 && tries < 3);
    lab_expect(took < 800, "its callback soon after 20 ms", "called it after %d ms",
               (int)took);
    lab_close(fd);
    lab_close(other);
    stop();
}

LAB_TEST(
    loop_listen, lives_without_a_descriptor, .points = 2, .task = 7, .needs = SLEEPS,
    .read = "One call that waits", .man = "2 accept",
    .likely =
        "when accept() fails with EMFILE wait for nothing from the listeners for a while (rest()), and then try again")
{
    start(plain(LOOP_POLL));
    int fd = client();
    turn(fd);
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
        "x\" meanwhile");
    if (connect(waiting, (struct sockaddr *)&in, sizeof in) == -1)
        lab_error("connect()");
    turn(fd);
    turn(fd);
    expect_sleep(20, 5);
    setrlimit(RLIMIT_NOFILE, &before);
    lab_peer("then there are descriptors again");
    turn(waiting);
    lab_close(waiting);
    lab_close(fd);
    stop();
}

static struct loop_connection *taker; /* the second client, as long as it is there */

static void came_idle(struct loop_connection *connection)
{
    if (connection->number == 2)
        taker = connection;
    came(connection);
}

static void went_idle(struct loop_connection *connection, enum loop_end end)
{
    if (connection == taker)
        taker = NULL;
    went(connection, end);
}

static void give(struct loop_connection *connection, const void *message, size_t n)
{
    note('=', connection->number, message, n, 0);
    if (taker != NULL)
        loop_send(taker, "x", 1);
}

/* One client is silent, the second only takes, the third only sends. False: this machine was too slow for them. */
static bool idles_in_time(int idle_ms)
{
    int64_t begun = now_ms(), before = begun, last = begun;
    int silent = client(), takes, sends;
    wait_for('+', 1, 1);
    takes = client();
    wait_for('+', 2, 1);
    sends = client();
    wait_for('+', 3, 1);
    int64_t ended = 0; /* the silent one. The others are watched a little longer. */
    bool talked = true;
    for (size_t i = 1; talked && (ended == 0 || now_ms() < ended + idle_ms / 2); i++) {
        char byte;
        before = last;
        last = now_ms();
        send(sends, "x", 1, MSG_NOSIGNAL);
        talked = wait_for_any("=-", 3, i)->kind == '=' && hear_some(takes, &byte, 1) == 1;
        if (ended == 0 && count('-') > 0)
            ended = now_ms();
        poll(NULL, 0, 3);
    }
    bool slow = !talked && now_ms() - before >= idle_ms;
    lab_expect(talked || slow, "a client that sends, or takes, is not idle",
               "ended its connection");
    if (!slow) {
        expect_end(1, LOOP_END_IDLE);
        lab_expect(ended - begun >= idle_ms, "some patience", "ended it after %d ms",
                   (int)(ended - begun));
        expect_stream_end(silent);
    }
    lab_close(silent);
    lab_close(takes);
    lab_close(sends);
    return !slow;
}

LAB_TEST(
    loop_run, ends_who_is_idle, .points = 3, .task = 7, .needs = SLEEPS, .read = "Time",
    .man = "2 poll",
    .likely =
        "bytes that came, or were taken, make a client active: it goes to the end of the queue, the first of which is the next to be late")
{
    bool done = false;
    struct loop_settings settings = plain(LOOP_POLL);
    settings.on_connection = came_idle;
    settings.on_message = give;
    settings.on_close = went_idle;
    lab_peer("one client was silent, another one only read, a third one only sent");
    for (settings.idle_ms = 50; !done; settings.idle_ms *= 2) {
        forget();
        start(settings);
        done = idles_in_time(settings.idle_ms);
        stop();
    }
}

LAB_TEST(
    loop_close, lingers_not_for_ever, .points = 3, .task = 7,
    .needs = "loop_close/delivers_what_was_sent, " SLEEPS,
    .read = "How a connection ends", .man = "2 close",
    .likely =
        "when linger_ms are over the connection is closed, whatever the client does; "
        "the first of the queue is the first to be late")
{
    struct loop_settings settings = plain(LOOP_POLL);
    int64_t slack = -1;
    lab_peer("sent \"bye\", read the answer and the end, and keeps its own stream open; "
             "so does another one, a little later");
    for (settings.linger_ms = 30; slack < 0 && settings.linger_ms < 500;
         settings.linger_ms *= 4) {
        forget();
        start(settings); /* again where this machine was slow */
        int fd = added(65536), other = added(65536);
        wait_for('+', 0, 2);
        int64_t begun = now_ms();
        say(fd, "bye");
        expect(fd, "bye");
        expect_stream_end(fd);
        poll(NULL, 0, settings.linger_ms / 2);
        int64_t later = now_ms();
        say(other, "bye");
        expect(other, "bye");
        struct pollfd closed = {.fd = fd}; /* POLLHUP: both ways */
        poll(&closed, 1, -1);
        int64_t now = now_ms();
        lab_expect(now - begun >= settings.linger_ms, "linger_ms of patience",
                   "closed the connection after %d of %d ms", (int)(now - begun),
                   settings.linger_ms);
        slack = later + settings.linger_ms - 1 - now; /* before the other one's time */
        lab_close(fd);
        lab_close(other);
        stop();
    }
    lab_expect(slack >= 0, "the first one's end when its time is over",
               "waited until the other one's time was over, too");
}

/* ---- the end of all -------------------------------------------------------------- */

LAB_TEST(
    loop_stop, answers_what_has_come, .points = 3, .task = 8,
    .needs = "on_message/gives_each_line_once, loop_close/delivers_what_was_sent",
    .read = "Stopping", .man = "2 ioctl",
    .likely =
        "for each client: read as many bytes as there are (FIONREAD), give the messages to on_message; and only then end all")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.rule = &lines;
    start(settings);
    int a = added(65536), b = added(65536); /* what is sent there has come */
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

enum { COME = 190000 };
static int feeder, fed;

/* The first client's bytes are counted, and each message brings new ones; the second gets its own back. */
static void feed_more(struct loop_connection *connection, const void *message, size_t n)
{
    note('=', connection->number, message, n, 0);
    if (connection->number == 2)
        loop_send(connection, message, n);
    if (connection->number != 1)
        return;
    if (begins(message, n, "hold"))
        hold();
    else if (fed++ < 1000)
        send(feeder, large, 1000, MSG_DONTWAIT | MSG_NOSIGNAL);
    atomic_fetch_add(&delivered, n);
}

static void say_much(int fd)
{
    if (send(fd, large, COME, MSG_DONTWAIT) != COME)
        lab_error("send()");
}

LAB_TEST(
    loop_stop, reads_what_has_come_and_no_more, .points = 3, .task = 8,
    .needs = "loop_stop/answers_what_has_come, loop_close/lingers_not_for_ever",
    .read = "Stopping", .man = "2 ioctl",
    .likely =
        "ask once (FIONREAD) how many bytes there are, and read until so many have come: neither one read, nor as long as there are some")
{
    struct loop_settings settings = plain(LOOP_POLL);
    settings.on_message = feed_more;
    settings.high_water = settings.low_water = 1000;
    settings.max_output = 80000;
    settings.linger_ms = 10;
    make(&settings);
    lab_peer("loop_stop() was called before loop_run()");
    loop_stop(loop);
    begin_to_run();
    join();
    forget();
    start(settings);
    feeder = added(400000);
    int slow = added(400000), silent = client();
    wait_for('+', 0, 3);
    say(feeder, "hold");
    wait_until_held();
    lab_peer(
        "while a callback waits one client sent 190000 bytes, and 1000 more whenever "
        "some are read; then loop_stop() was called");
    say_much(feeder);
    say_much(slow);
    loop_stop(loop);
    release();
    join();
    lab_expect(atomic_load(&delivered) >= COME, "190000 bytes at least",
               "gave on_message %zu", atomic_load(&delivered));
    lab_expect(atomic_load(&delivered) < COME + 300000UL, "190000 bytes, and not all",
               "gave on_message %zu", atomic_load(&delivered));
    lab_peer(
        "another one sent 190000 bytes, which are to be sent back, and read nothing");
    lab_likely("settle() after each read: a client that is paused then is not read from");
    expect_end(2, LOOP_END_CLOSED);
    lab_likely(
        "on_close is called for each that is open, and linger_ms later all is closed");
    lab_expect(count('-') == 3, "three calls of on_close", "made %zu", count('-'));
    lab_close(feeder);
    lab_close(slow);
    lab_close(silent);
}

/* ---- several loops --------------------------------------------------------------- */

static struct loops *loops;

static void start_loops(int n, enum loop_balance balance, const char *host,
                        const char *service)
{
    struct loops_settings settings = {.loop = plain(LOOP_POLL),
                                      .n = n,
                                      .balance = balance,
                                      .host = host,
                                      .service = service};
    loops = loops_start(&settings);
    lab_expect(loops != NULL, "several loops",
               "loops_start() returned NULL with errno %s", lab_errno(errno));
    port = port_in(loops_tcp(loops));
}

static void stop_loops(void)
{
    loops_stop(loops);
    loops_free(loops);
}

static unsigned long served(int i)
{
    return loop_served(loops_get(loops, i));
}

LAB_TEST(
    loops_start, deals_clients_round, .points = 3, .task = 9, .needs = SERVES,
    .read = "Several loops", .man = "7 socket",
    .likely =
        "choose() is asked for each client that any of the loops accepts: it counts them all, from 0 on, with an atomic number")
{
    int fds[6], first_free = dup(0);
    close(first_free);
    lab_likely(
        "share_address(): socket(), SO_REUSEADDR and SO_REUSEPORT before bind(), and "
        "listen()");
    start_loops(3, LOOP_ROUND_ROBIN, "127.0.0.1", "0");
    int private = 0, all = 0;
    for (int fd = first_free; fd < first_free + 20; fd++) {
        int flags = fcntl(fd, F_GETFD);
        all += flags != -1;
        private += flags != -1 && flags & FD_CLOEXEC;
    }
    lab_likely(
        "SOCK_CLOEXEC: a program that is started meanwhile must not have our listeners");
    lab_expect(private == all, "close-on-exec descriptors", "opened %d, %d of them so",
               all, private);
    sigset_t mask, before;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &mask, &before);
    kill(getpid(), SIGUSR1); /* ends the test where a thread of theirs takes it */
    lab_likely(NULL);
    for (int i = 0; i < 6; i++) {
        fds[i] = client();
        wait_for('+', 0, (size_t)i + 1);
        turn(fds[i]);
        lab_peer("client %d came to 3 loops", i + 1);
        lab_expect(served(i % 3) == (unsigned long)i / 3 + 1, "1, 2, 3, 1, 2, 3",
                   "gave the loops %lu, %lu and %lu in all", served(0), served(1),
                   served(2));
        if (i != 2)
            continue;
        lab_close(fds[1]); /* round, wherever there are fewest */
        wait_for('-', 0, 1);
    }
    for (int i = 0; i < 6; i++)
        if (i != 1)
            lab_close(fds[i]);
    stop_loops();
    signal(SIGUSR1, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR1, SIG_DFL);
}

LAB_TEST(loops_start, gives_the_next_to_who_has_least, .points = 3, .task = 9,
         .needs = "loops_start/deals_clients_round", .read = "Several loops",
         .man = "7 socket",
         .likely = "the loop with the smallest loop_count(), and of several the first")
{
    int fds[6], more[2];
    start_loops(3, LOOP_LEAST, "127.0.0.1", "0");
    for (int i = 0; i < 6; i++) {
        fds[i] = client();
        wait_for('+', 0, (size_t)i + 1);
    }
    lab_peer("six clients came to three loops");
    lab_expect(served(0) == 2 && served(1) == 2 && served(2) == 2, "2, 2 and 2",
               "gave the loops %lu, %lu and %lu", served(0), served(1), served(2));
    lab_peer("both of the second left, and one of the third; two more came");
    static const int leave[] = {1, 4, 2};
    for (size_t i = 0; i < 3; i++) {
        lab_close(fds[leave[i]]);
        wait_for('-', 0, i + 1);
    }
    for (size_t i = 0; i < 2; i++) {
        more[i] = client();
        wait_for('+', 0, 7 + i);
    }
    lab_expect(served(0) == 2 && served(1) == 4 && served(2) == 2, "2, 4 and 2 in all",
               "gave the loops %lu, %lu and %lu in all", served(0), served(1), served(2));
    lab_close(fds[0]);
    lab_close(fds[3]);
    lab_close(fds[5]);
    lab_close(more[0]);
    lab_close(more[1]);
    stop_loops();
}

/* What cannot be had is told, and nothing stays open (which the end of each test looks at). */
static void start_without(enum call_family family, unsigned nth, const char *call)
{
    struct loops_settings settings = {
        .loop = plain(LOOP_POLL), .n = 2, .host = "127.0.0.1", .service = "0"};
    unsigned before = faults_taken();
    fault_once(family, nth, (struct fault){.error = ENOBUFS});
    errno = 0;
    struct loops *made = loops_start(&settings);
    int error = errno;
    bool taken = faults_taken() > before;
    fault_none();
    lab_peer("%s says ENOBUFS", call);
    if (made != NULL)
        loops_stop(made), loops_free(made);
    lab_expect(taken, "a listener of its own for each of two loops", "never called %s",
               call);
    lab_expect(made == NULL && error == ENOBUFS,
               "NULL and errno ENOBUFS, and nothing left open", "returned %s",
               made != NULL ? "several loops" : lab_errno(error));
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    bool has = fd != -1 && bind(fd, (struct sockaddr *)&here, sizeof here) == 0;
    if (fd != -1)
        close(fd);
    return has;
}

LAB_TEST(
    loops_start, listens_as_one_would, .points = 2, .task = 9,
    .needs = "loops_start/deals_clients_round", .read = "Several loops",
    .man = "7 socket",
    .likely =
        "each further listener is as tcp_listen()'s, and has SO_REUSEPORT before bind(); close() what has failed")
{
    start_without(CALLS_SOCKET, 1, "socket()");
    start_without(CALLS_OPTION, 1, "setsockopt()");
    start_without(CALLS_BIND, 1, "bind()");
    start_without(CALLS_LISTEN, 2, "listen()");
    lab_peer(
        "a server stopped first, and another one, with two loops, starts at its port");
    lab_likely(
        "SO_REUSEADDR, as in tcp_listen(): connections of the last server may still be known");
    start_loops(1, LOOP_RANDOM, "127.0.0.1", "0");
    int fd = client();
    turn(fd);
    loop_stop(loops_get(loops, 0));
    expect_stream_end(fd);
    lab_close(fd);
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    stop_loops();
    start_loops(2, LOOP_RANDOM, "127.0.0.1", service);
    stop_loops();
    if (!has_ipv6())
        return;
    lab_peer("host \"::1\", and then \"::\", with two loops");
    lab_likely(
        "socket() with the family of the address; and IPV6_V6ONLY, as tcp_listen() sets it");
    start_loops(2, LOOP_RANDOM, "::1", "0");
    stop_loops();
    start_loops(2, LOOP_RANDOM, "::", "0");
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int no = connect(fd, (struct sockaddr *)&in, sizeof in);
    lab_expect(no == -1, "\"::\" to take IPv6 clients alone", "took one by IPv4");
    lab_close(fd);
    stop_loops();
}

LAB_TEST(
    loops_start, shares_its_port_with_no_stranger, .points = 2, .task = 9,
    .needs = "loops_start/deals_clients_round", .read = "Several loops",
    .man = "7 socket",
    .likely =
        "SO_REUSEPORT on each listener before bind(); and first one without it, which tells whether somebody listens there")
{
    int fds[8], on = 1, stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    start_loops(2, LOOP_RANDOM, "127.0.0.1", "0");
    for (int i = 0; i < 8; i++) {
        fds[i] = client();
        turn(fds[i]);
    }
    lab_peer("eight clients came to two loops, as the kernel chose");
    lab_expect(served(0) + served(1) == 8, "8 in all", "gave the loops %lu and %lu",
               served(0), served(1));
    for (int i = 0; i < 8; i++)
        lab_close(fds[i]);
    stop_loops();
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
    settings = (struct loops_settings){.loop = plain(LOOP_POLL),
                                       .n = 1,
                                       .balance = LOOP_LEAST + 1,
                                       .host = "127.0.0.1",
                                       .service = "0"};
    errno = 0;
    shared = loops_start(&settings);
    lab_expect(shared == NULL && errno == EINVAL,
               "NULL and errno EINVAL for a balance that there is not", "returned %s",
               shared != NULL ? "something" : lab_errno(errno));
    lab_close(stranger);
}

/* ---- lesson 09's programs -------------------------------------------------------- */

static void server_came(struct connection *connection)
{
    note('+', connection->number, connection->name, strlen(connection->name),
         connection->context == &context && connection->user == NULL);
    connection->user = &reached;
    server_loop.send(connection, "hello", 5);
}

static void server_said(struct connection *connection, const void *message, size_t n)
{
    note('=', connection->number, message, n, connection->user == &reached);
    if (begins(message, n, "flood")) {
        for (int i = 0; i < 16; i++)
            server_loop.send(connection, large, sizeof large);
        return;
    }
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

static struct server_settings two_places(void)
{
    return (struct server_settings){.host = "127.0.0.1",
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
}

static struct server *start_server(const struct server_settings *settings)
{
    struct server *server = server_loop.start(settings);
    lab_expect(server != NULL, "a server", "start() returned NULL with errno %s",
               lab_errno(errno));
    port = port_in(server->tcp);
    return server;
}

static void expect_server_end(unsigned long number, enum server_end end, const char *name)
{
    int told = wait_for('-', number, 1)->end;
    lab_expect(told == (int)end, name, "called on_close with %d, not %d", told, (int)end);
}

static int greeted_client(unsigned long number)
{
    int fd = client();
    struct sockaddr_in here = {.sin_family = AF_INET};
    char name[TEXT + 1] = "";
    getsockname(fd, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    snprintf(name, sizeof name, "127.0.0.1:%d", ntohs(here.sin_port));
    const struct event *event = wait_for('+', number, 1);
    lab_likely(
        "context, name, number and link are in the connection before on_connection is called");
    lab_expect(event->end == 1, "the settings' context, and user NULL",
               "gave on_connection something else");
    lab_expect(strcmp(event->text, name) == 0, name,
               "called on_connection with the name %s",
               lab_quote(event->text, event->length));
    expect(fd, "hello");
    lab_likely(NULL);
    return fd;
}

LAB_TEST(
    server_loop, keeps_the_promises_of_server_h, .points = 3, .task = 10,
    .needs = "loop_stop/answers_what_has_come", .read = "The chat server on a loop",
    .man = "3 calloc",
    .likely =
        "for each connection of the loop one of server.h's, with a number of its own; who is one too many gets the refusal and no callback")
{
    struct server_settings settings = two_places();
    struct server *server = start_server(&settings);
    lab_peer("two clients may be there; a third one came");
    int a = greeted_client(1), b = greeted_client(2), c = client();
    expect(c, "full");
    expect_stream_end(c);
    lab_close(c);
    say(a, "hi\n");
    expect(a, "you: hi");
    expect(b, "hi");
    lab_likely("the program's user is in the connection that on_message gets again");
    lab_expect(wait_for('=', 1, 1)->end, "user as the program left it",
               "gave another user");
    lab_likely("broadcast() passes on what loop_broadcast() returns");
    lab_expect(atomic_load(&reached) == 1, "1 from broadcast()", "returned %zu",
               atomic_load(&reached));
    lab_likely(
        "end() makes its place free, and tells why: SERVER_END_CLOSED for LOOP_END_CLOSED");
    lab_peer("one said \"bye\", and another one came");
    say(b, "bye\n");
    expect(b, "you: bye");
    expect_stream_end(b);
    expect_server_end(2, SERVER_END_CLOSED, "SERVER_END_CLOSED");
    lab_close(b);
    b = greeted_client(3);
    lab_close(b);
    expect_server_end(3, SERVER_END_CLIENT, "SERVER_END_CLIENT");
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

LAB_TEST(
    server_loop, knows_every_end, .points = 2, .task = 10,
    .needs = "server_loop/keeps_the_promises_of_server_h",
    .read = "The chat server on a loop", .man = "3 calloc",
    .likely =
        "a table from loop.h's ends to server.h's: BAD is SERVER_END_LONG, SLOW is SERVER_END_SLOW")
{
    struct server_settings settings = two_places();
    struct server *server = start_server(&settings);
    char many[1001];
    memset(many, 'm', sizeof many);
    int fd = greeted_client(1);
    lab_peer("sent 1001 bytes without a newline");
    say_bytes(fd, many, sizeof many);
    expect_server_end(1, SERVER_END_LONG, "SERVER_END_LONG");
    lab_close(fd);
    fd = greeted_client(2);
    lab_peer("another one was sent 16 MB, and read nothing");
    say(fd, "flood\n");
    expect_server_end(2, SERVER_END_SLOW, "SERVER_END_SLOW");
    lab_close(fd);
    lab_peer("one came when there was no memory for it, and then another one");
    lab_likely("calloc() says NULL: that client is refused");
    fault_once(CALLS_ALLOCATE, 2,
               (struct fault){.error = ENOMEM}); /* the first is the loop's */
    fd = client();
    char byte;
    while (hear_some(fd, &byte, 1) == 1 &&
           byte != 'o') /* "full", and the end; or "hello" */
        ;
    fault_none();
    lab_close(fd);
    fd = client();
    expect(fd, "hello");
    lab_close(fd);
    server_loop.stop(server);
    lab_peer("a server has no callbacks, and a client sent a line");
    lab_likely("each of the callbacks may be NULL");
    settings.on_connection = NULL;
    settings.on_message = NULL;
    settings.on_close = NULL;
    server = start_server(&settings);
    fd = client();
    say(fd, "x\n");
    shutdown(fd, SHUT_WR);
    expect_stream_end(fd);
    lab_close(fd);
    server_loop.stop(server);
}
