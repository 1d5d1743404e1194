/*
 * Unit tests of lesson 09: what server.h promises, of both engines.
 *
 * Each test runs a server in this process; its clients are plain sockets of the test's own. The callbacks write down
 * what they see, and a test waits for that, never for time. What a callback does is told by the message: "echo WORD"
 * sends it back, "all WORD" broadcasts it, "hold" waits for release().
 */
#define _GNU_SOURCE
#include "calls.h"
#include "lab.h"
#include "local.h"
#include "server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- threads, counted and refused ------------------------------------------------ */

static atomic_int threads_made, threads_joined;
static atomic_int thread_that_fails; /* the nth from now, alone; 0: none */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*run)(void *), void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (atomic_load(&thread_that_fails) > 0 &&
        atomic_fetch_sub(&thread_that_fails, 1) == 1)
        return EAGAIN;
    int result = real(thread, attributes, run, argument);
    if (result == 0)
        atomic_fetch_add(&threads_made, 1);
    return result;
}

int pthread_join(pthread_t thread, void **value)
{
    int (*real)(pthread_t, void **);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_join");
    int result = real(thread, value);
    if (result == 0)
        atomic_fetch_add(&threads_joined, 1);
    return result;
}

/* A lock that is given back was taken, by the same thread. */
static _Thread_local int locks_held;
static atomic_bool unlocked_too_often;

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    static int (*_Atomic real)(pthread_mutex_t *);
    if (real == NULL)
        real =
            (int (*)(pthread_mutex_t *))(uintptr_t)dlsym(RTLD_NEXT, "pthread_mutex_lock");
    locks_held++;
    return real(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    static int (*_Atomic real)(pthread_mutex_t *);
    if (real == NULL)
        real = (int (*)(pthread_mutex_t *))(uintptr_t)dlsym(RTLD_NEXT,
                                                            "pthread_mutex_trylock");
    int result = real(mutex);
    locks_held += result == 0;
    return result;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    static int (*_Atomic real)(pthread_mutex_t *);
    if (real == NULL)
        real = (int (*)(pthread_mutex_t *))(uintptr_t)dlsym(RTLD_NEXT,
                                                            "pthread_mutex_unlock");
    if (--locks_held < 0) {
        atomic_store(&unlocked_too_often, true);
        locks_held = 0;
    }
    return real(mutex);
}

/* Every other wait ends without a reason, as POSIX allows: whoever waits looks again. */
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    static int (*_Atomic real)(pthread_cond_t *, pthread_mutex_t *);
    static _Thread_local bool without_reason;
    if (real == NULL)
        real = (int (*)(pthread_cond_t *, pthread_mutex_t *))(uintptr_t)dlsym(
            RTLD_NEXT, "pthread_cond_wait");
    without_reason = !without_reason;
    if (!without_reason)
        return real(condition, mutex);
    pthread_mutex_unlock(mutex);
    sched_yield();
    pthread_mutex_lock(mutex);
    return 0;
}

static int threads_now(void)
{
    return atomic_load(&threads_made) - atomic_load(&threads_joined);
}

/* ---- the program: callbacks that write down what they see ------------------------ */

enum { MOST_EVENTS = 1024, MOST_CLIENTS = 256, TEXT = 64 };

struct event {
    char kind; /* '+' on_connection, '=' on_message, '-' on_close */
    unsigned long number;
    size_t length;
    char text[TEXT];
    enum server_end end;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct event events[MOST_EVENTS];
    size_t count;
    struct connection *connections[MOST_CLIENTS]; /* by number */
    bool inside[MOST_CLIENTS];                    /* a callback of it runs */
    bool overlap, held, released;
    size_t reached;       /* what the last broadcast returned */
    int late, late_error; /* what send() said when it was too late */
    int again;            /* how often a client said "again" */
    unsigned long holds;  /* the client whose on_close waits for release() */
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static const struct server_engine *engine;
static int context;

static void note(struct connection *connection, char kind, const void *text, size_t n,
                 enum server_end end)
{
    pthread_mutex_lock(&seen.lock);
    if (seen.count < MOST_EVENTS) {
        struct event *event = &seen.events[seen.count++];
        *event = (struct event){
            .kind = kind, .number = connection->number, .length = n, .end = end};
        memcpy(event->text, text, n < TEXT ? n : TEXT);
    }
    unsigned long number = connection->number < MOST_CLIENTS ? connection->number : 0;
    if (seen.inside[number])
        seen.overlap = true;
    seen.inside[number] = true;
    seen.connections[number] = connection;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

static void leave(struct connection *connection)
{
    pthread_mutex_lock(&seen.lock);
    seen.inside[connection->number < MOST_CLIENTS ? connection->number : 0] = false;
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

static void came(struct connection *connection)
{
    note(connection, '+', "", 0, 0);
    leave(connection);
}

enum { OFTEN = 1000 };

static int talker =
    -1; /* a client that never ceases: for each "again" that is read it says one more */

static void say_again(void)
{
    pthread_mutex_lock(&seen.lock);
    bool more = ++seen.again < OFTEN;
    pthread_mutex_unlock(&seen.lock);
    if (more) /* the client may be gone */
        (void)!send(talker, "\nagain\n", 7, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* To a connection that is over. */
static void send_late(struct connection *connection)
{
    int result = engine->send(connection, "too late", 8);
    int error = errno;
    pthread_mutex_lock(&seen.lock);
    seen.late = result;
    seen.late_error = error;
    pthread_mutex_unlock(&seen.lock);
}

static bool begins(const char *message, size_t n, const char *word)
{
    return n >= strlen(word) && memcmp(message, word, strlen(word)) == 0;
}

static void said(struct connection *connection, const void *message, size_t n)
{
    note(connection, '=', message, n, 0);
    const char *text = message;
    if (begins(text, n, "echo "))
        engine->send(connection, text + 5, n - 5);
    if (begins(text, n, "all ")) {
        size_t reached = engine->broadcast(connection, text + 4, n - 4);
        pthread_mutex_lock(&seen.lock);
        seen.reached = reached;
        pthread_mutex_unlock(&seen.lock);
    }
    if (begins(text, n, "hold"))
        hold();
    if (begins(text, n, "again"))
        say_again();
    if (begins(text, n, "bye")) {
        engine->send(connection, "bye", 3);
        engine->close(connection);
        send_late(connection);
    }
    leave(connection);
}

static void went(struct connection *connection, enum server_end end)
{
    note(connection, '-', "", 0, end);
    if (connection->number == seen.holds)
        hold();
    leave(connection);
}

/* The callbacks of a program in which each client's end is told to the others, and the client itself. */
static void went_and_told(struct connection *connection, enum server_end end)
{
    send_late(connection);
    engine->broadcast(connection, "gone", 4);
    went(connection, end);
}

static const char *const end_texts[] = {
    [SERVER_END_CLIENT] = "SERVER_END_CLIENT",
    [SERVER_END_CLOSED] = "SERVER_END_CLOSED",
    [SERVER_END_SLOW] = "SERVER_END_SLOW",
    [SERVER_END_LONG] = "SERVER_END_LONG",
};

/* ---- waiting for what they see --------------------------------------------------- */

/* The lock is held. The nth event of this kind, of this client or (0) of any. */
static const struct event *find(char kind, unsigned long number, size_t nth)
{
    for (size_t i = 0; i < seen.count; i++) {
        const struct event *event = &seen.events[i];
        if (event->kind == kind && (number == 0 || event->number == number) && --nth == 0)
            return event;
    }
    return NULL;
}

static const struct event *wait_for(char kind, unsigned long number, size_t nth)
{
    const struct event *event;
    pthread_mutex_lock(&seen.lock);
    while ((event = find(kind, number, nth)) == NULL)
        pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
    return event;
}

static void wait_until_held(void)
{
    pthread_mutex_lock(&seen.lock);
    while (!seen.held)
        pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
}

static size_t count(char kind)
{
    size_t n = 0;
    pthread_mutex_lock(&seen.lock);
    while (find(kind, 0, n + 1) != NULL)
        n++;
    pthread_mutex_unlock(&seen.lock);
    return n;
}

static struct connection *connection_of(unsigned long number)
{
    wait_for('+', number, 1);
    return seen.connections[number];
}

static void expect_message(unsigned long number, size_t nth, const char *text, size_t n)
{
    const struct event *event = wait_for('=', number, nth);
    lab_expect(event->length == n && memcmp(event->text, text, n < TEXT ? n : TEXT) == 0,
               lab_quote(text, n), "gave on_message %s",
               lab_quote(event->text, event->length < TEXT ? event->length : TEXT));
}

static void expect_end(unsigned long number, enum server_end end)
{
    const struct event *event = wait_for('-', number, 1);
    lab_expect(event->end == end, end_texts[end], "called on_close with %s",
               (unsigned)event->end > SERVER_END_LONG ? "another number"
                                                      : end_texts[event->end]);
}

/* No test asks for it alone: it is what no run may show. */
static void expect_order(void)
{
    lab_likely("a client is in the hands of one thread at a time: whoever looks for the "
               "next one with a message leaves out those that are busy");
    lab_expect(!seen.overlap, "one callback of a connection at a time",
               "called two callbacks of one connection at the same time");
    lab_likely(
        "each pthread_mutex_unlock() has its pthread_mutex_lock() before it, in the same thread");
    lab_expect(!atomic_load(&unlocked_too_often), "no unlock without a lock",
               "unlocked what it had not locked");
    lab_likely(NULL);
}

/* ---- the server ------------------------------------------------------------------ */

static struct server_settings plain(void)
{
    return (struct server_settings){.host = "127.0.0.1",
                                    .service = "0",
                                    .max_connections = 250,
                                    .refusal = "full",
                                    .max_output = 1 << 20,
                                    .linger_ms = 60000, /* no test waits for that */
                                    .workers = 3,
                                    .rule = {.mode = SPLIT_DELIMITER,
                                             .max_length = 1000,
                                             .delimiter_length = 1,
                                             .delimiter = "\n"},
                                    .on_connection = came,
                                    .on_message = said,
                                    .on_close = went,
                                    .context = &context};
}

/* An abstract name that no other test has, whatever runs beside this one. */
static const char *abstract_name(void)
{
    static char name[40];
    snprintf(name, sizeof name, "@lab-09.%d.%llx", getpid(),
             (unsigned long long)lab_random());
    return name;
}

static struct server *started(struct server_settings settings)
{
    struct server *server = engine->start(&settings);
    lab_expect(server != NULL, "a server", "start() returned NULL, errno %s",
               lab_errno(errno));
    if (server == NULL)
        lab_error("start()"); /* not reached, which static analysis does not know */
    return server;
}

/* stop(): nothing may be left of it. The runner counts the descriptors. */
static void stop(struct server *server)
{
    lab_peer("then stop() was called");
    engine->stop(server);
    lab_likely(
        "each pthread_create() has its pthread_join(): the keeper's, the workers', "
        "and each client's when its thread has ended");
    lab_expect(threads_now() == 0, "no thread left after stop(): all joined",
               "made %d threads, and joined %d", atomic_load(&threads_made),
               atomic_load(&threads_joined));
    expect_order();
}

/* ---- clients --------------------------------------------------------------------- */

static int open_tcp(const struct server *server)
{
    const char *colon = strrchr(server->tcp, ':');
    struct sockaddr_in address = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)(colon == NULL ? 0 : atoi(colon + 1)));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        lab_error("socket()");
    lab_expect(connect(fd, (struct sockaddr *)&address, sizeof address) == 0,
               "a server that takes connections at server->tcp",
               "listens at \"%s\": connect() said %s", server->tcp, lab_errno(errno));
    return fd;
}

static int open_local(const char *path)
{
    int fd = local_connect(path);
    lab_expect(fd != -1, "a server that takes connections at the path",
               "does not: local_connect() said %s", lab_errno(errno));
    return fd;
}

static void tell(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        lab_error("send() of the test's own");
}

/* Read so many bytes, or fewer up to the end of the stream; how many, or -1. */
static ssize_t hear_bytes(int fd, char *bytes, size_t n)
{
    size_t got = 0;
    while (got < n) {
        ssize_t result = recv(fd, bytes + got, n - got, 0);
        if (result == 0)
            break;
        if (result == -1)
            return -1;
        got += (size_t)result;
    }
    return (ssize_t)got;
}

static void hear(int fd, const char *text)
{
    char bytes[256] = "";
    ssize_t n = hear_bytes(fd, bytes, strlen(text));
    lab_expect(n == (ssize_t)strlen(text) && memcmp(bytes, text, strlen(text)) == 0,
               lab_quote(text, strlen(text)), "sent %s%s",
               lab_quote(bytes, n > 0 ? (size_t)n : 0),
               n == -1 ? ", and a reset" : ", and no more");
}

static void hear_end(int fd)
{
    char bytes[64];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    int error = errno;
    lab_expect(n == 0, "the end of the stream (FIN), and nothing before it",
               n == -1 ? "ended it: %s" : "sent %s",
               n == -1 ? lab_errno(error) : lab_quote(bytes, (size_t)n));
}

static void end_stream(int fd)
{
    if (shutdown(fd, SHUT_WR) == -1)
        lab_error("shutdown() of the test's own");
}

static void reset(int fd)
{
    struct linger none = {.l_onoff = 1};
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none) == -1)
        lab_error("SO_LINGER");
    lab_close(fd);
}

/* Numbers are given in the order of accepting: one after the other is certain. */
static int open_numbered(const struct server *server, unsigned long number)
{
    int fd = open_tcp(server);
    wait_for('+', number, 1);
    return fd;
}

/* The lowest descriptor that is free. */
static int first_free(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    lab_close(fd);
    return fd;
}

/* Many bytes: what is missing, twice there or out of order shows. */
static void fill_pattern(char *bytes, size_t n)
{
    enum { PERIOD = 4093 }; /* a prime */
    for (size_t i = 0; i < n && i < PERIOD; i++)
        bytes[i] = (char)(i * 7 + (i >> 8) * 13);
    for (size_t i = PERIOD; i < n; i += PERIOD)
        memcpy(bytes + i, bytes, n - i < PERIOD ? n - i : PERIOD);
}

static char *allocated(size_t n)
{
    char *bytes = calloc(n, 1);
    if (bytes == NULL)
        lab_error("calloc()");
    return bytes;
}

/* ---- a folder of the test's own -------------------------------------------------- */

static char folder[PATH_MAX];

static void enter_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/lab.XXXXXX", parent == NULL ? "/tmp" : parent);
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        lab_error("mkdtemp");
}

static void leave_folder(void)
{
    if (chdir("/") != 0)
        lab_error("chdir");
    lab_expect(rmdir(folder) == 0, "no file left after stop()",
               "left the socket's file behind");
}

/*
 * One body, a test of each engine. The pool's is asked when that of the threads holds, and when the pool gives a client's
 * messages to the program at all.
 */
#define POOL_SERVES ", server_pool/gives_the_program_each_message"
#define BOTH(name_, task_, points_, pool_points_, needs_, ...)            \
    static void name_(void);                                              \
    LAB_TEST(server_threads, name_, .task = (task_), .points = (points_), \
             .needs = (needs_), __VA_ARGS__)                              \
    {                                                                     \
        engine = &server_threads;                                         \
        name_();                                                          \
    }                                                                     \
    LAB_TEST(server_pool, name_, .task = 8, .points = (pool_points_),     \
             .needs = "server_threads/" #name_ POOL_SERVES, __VA_ARGS__)  \
    {                                                                     \
        engine = &server_pool;                                            \
        name_();                                                          \
    }                                                                     \
    static void name_(void)

#define SERVES "server_threads/gives_the_program_each_message"

/* ---- start ----------------------------------------------------------------------- */

static void expect_refused(struct server_settings settings, int error, const char *what)
{
    lab_peer("start() was called with %s", what);
    struct server *server = engine->start(&settings);
    int got = errno;
    char expected[64];
    snprintf(expected, sizeof expected, "NULL and errno %s", lab_errno(error));
    lab_expect(server == NULL && got == error, expected, "returned %s, errno %s",
               server == NULL ? "NULL" : "a server", lab_errno(got));
    lab_expect(threads_now() == 0, "no thread left", "left a thread behind");
}

BOTH(
    listens_on_both_at_once, 1, 3, 1, NULL, .read = "Two doors", .man = "7 unix",
    .likely =
        "listen on both, then write where into server->tcp and server->local: getsockname(), address_text()")
{
    enter_folder();
    struct server_settings settings = plain();
    char path[] = "server.sock";
    settings.path = path;
    int old = local_listen("server.sock", 1); /* and its server dies */
    if (old == -1)
        lab_error("local_listen");
    lab_close(old);
    lab_peer(
        "start() was called for 127.0.0.1, port 0, and for server.sock, where a dead server left its file");
    struct server *server = started(settings);
    strcpy(path, "gone"); /* it was copied */
    lab_expect(strncmp(server->tcp, "127.0.0.1:", 10) == 0 &&
                   strcmp(server->tcp, "127.0.0.1:0") != 0,
               "127.0.0.1 and the port that the kernel chose", "server->tcp is \"%s\"",
               server->tcp);
    lab_expect(strcmp(server->local, "server.sock") == 0, "server.sock",
               "server->local is \"%s\"", server->local);
    int clients[] = {open_tcp(server), open_local("server.sock")};
    lab_close(clients[0]);
    lab_close(clients[1]);
    stop(server);
    lab_likely("stop() removes the file that local_listen() made");
    lab_expect(access("server.sock", F_OK) == -1, "no file left after stop()",
               "left the socket's file behind");
    settings = plain();
    settings.service = NULL;
    settings.path = abstract_name();
    lab_close(open(settings.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    lab_peer("then for an abstract name alone; there is a file that is called so");
    lab_likely("service NULL is not on TCP: server->tcp is \"\"");
    server = started(settings);
    lab_expect(server->tcp[0] == '\0' && strcmp(server->local, settings.path) == 0,
               "\"\" and the name", "server->tcp and server->local are \"%s\" and \"%s\"",
               server->tcp, server->local);
    stop(server);
    lab_likely("an abstract name is no file: the file that is called so is another's");
    lab_expect(unlink(settings.path) == 0, "that file left alone", "took it away");
    leave_folder();
}

BOTH(refuses_what_makes_no_sense, 1, 2, 1, "server_threads/listens_on_both_at_once",
     .read = "Two doors", .man = "3 errno",
     .likely = "compare each setting with the header's list before anything is opened")
{
    struct server_settings settings = plain();
    settings.service = NULL;
    expect_refused(settings, EINVAL, "neither service nor path");
    settings = plain(), settings.max_connections = 0;
    expect_refused(settings, EINVAL, "max_connections 0");
    settings = plain(), settings.max_output = 0;
    expect_refused(settings, EINVAL, "max_output 0");
    settings = plain(), settings.linger_ms = -1;
    expect_refused(settings, EINVAL, "linger_ms -1");
    settings = plain(), settings.rule.delimiter_length = 0;
    expect_refused(settings, EINVAL, "a delimiter of no bytes");
    settings = plain(), settings.workers = 0;
    if (engine == &server_pool)
        expect_refused(settings, EINVAL, "no workers");
    lab_peer("start() was called with each setting as small as it may be");
    settings = (struct server_settings){.host = "127.0.0.1",
                                        .service = "0",
                                        .max_connections = 1,
                                        .max_output = 1,
                                        .workers = engine == &server_pool,
                                        .rule = {.mode = SPLIT_NONE, .max_length = 1}};
    struct server *server = started(settings);
    lab_likely("a callback may be NULL, and the refusal too");
    int first = open_tcp(server), second = open_tcp(server);
    tell(first, "hello");
    hear_end(second);
    end_stream(first);
    hear_end(first);
    lab_close(first);
    lab_close(second);
    stop(server);
}

BOTH(
    leaves_nothing_behind_when_it_fails, 1, 2, 1,
    "server_threads/listens_on_both_at_once", .read = "Two doors", .man = "2 close",
    .likely =
        "one label (or function) that closes, joins and frees whatever there is, and keeps errno over it")
{
    enter_folder();
    struct server_settings settings = plain();
    int busy = lab_listener(AF_INET);
    settings.service = lab_port_text(busy);
    settings.path = "server.sock";
    expect_refused(settings, EADDRINUSE, "a port on which another server listens");
    settings = plain(), settings.path = "nowhere/server.sock";
    expect_refused(settings, ENOENT, "a path in a folder that does not exist");
    int living = local_listen("living.sock", 1);
    settings.path = "living.sock";
    expect_refused(settings, EADDRINUSE, "the path of a server that lives");
    lab_close(living);
    unlink("living.sock");
    int plain_file = open("plain", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    lab_close(plain_file);
    settings.path = "plain";
    lab_likely("local_unlink_stale() says -1: that is start()'s error, too");
    expect_refused(settings, ENOTSOCK, "the path of a file that is no socket");
    lab_expect(unlink("plain") == 0, "that file left alone", "took it away");
    lab_likely(NULL);
    settings.path = "server.sock";
    unsigned before = calls_made(CALLS_ALLOCATE);
    int threads = atomic_load(&threads_made);
    stop(started(settings));
    unsigned made = calls_made(CALLS_ALLOCATE) - before;
    threads = atomic_load(&threads_made) - threads;
    lab_likely(
        "each thread that cannot be had is the end of start(), and those that could are "
        "joined: working counts them");
    for (int nth = 1; nth <= threads; nth++) {
        atomic_store(&thread_that_fails, nth);
        expect_refused(settings, EAGAIN,
                       "everything right, but one of the threads could not be had");
    }
    lab_likely(NULL);
    for (unsigned nth = 1; nth <= made; nth++) {
        fault_once(CALLS_ALLOCATE, nth, (struct fault){.error = ENOMEM});
        expect_refused(settings, ENOMEM,
                       "everything right, but there is no memory to be had");
    }
    lab_close(busy);
    leave_folder();
}

/* ---- messages -------------------------------------------------------------------- */

#undef POOL_SERVES
#define POOL_SERVES ""
BOTH(
    gives_the_program_each_message, 2, 6, 2, "server_threads/listens_on_both_at_once",
    .read = "A thread for each client", .man = "3 pthread_create",
    .likely =
        "read, splitter_feed(), and on_message for each message that splitter_next() has; on_connection before, on_close after")
{
    struct server_settings settings = plain();
    struct server *server = started(settings);
    int client = open_tcp(server);
    struct connection *connection = connection_of(1);
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    char text[ADDRESS_TEXT_SIZE];
    if (getsockname(client, (struct sockaddr *)&name, &length) == -1)
        lab_error("getsockname");
    address_text((struct sockaddr *)&name, length, text, sizeof text);
    lab_peer("the first client connected");
    lab_expect(connection->number == 1 && connection->user == NULL &&
                   connection->context == &context && strcmp(connection->name, text) == 0,
               "number 1, its address, the settings' context, and user NULL",
               "called on_connection with number %lu, name \"%s\", %s context, user %p",
               connection->number, connection->name,
               connection->context == &context ? "the" : "another", connection->user);
    lab_peer("sent \"one\\ntwo\\nth\" at once");
    tell(client, "one\ntwo\nth");
    expect_message(1, 1, "one", 3);
    expect_message(1, 2, "two", 3);
    lab_peer(
        "then \"ree\", \"\\n\\n\", \"a\\0b\\n\", each when the one before had been seen");
    tell(client, "ree\nx\n");
    expect_message(1, 3, "three", 5);
    expect_message(1, 4, "x", 1);
    if (send(client, "\na\0b\n", 5, 0) != 5)
        lab_error("send");
    expect_message(1, 5, "", 0);
    expect_message(1, 6, "a\0b", 3);
    lab_peer(
        "then \"echo hello\\necho you\\nlost\" without a newline, and ended its stream");
    tell(client, "echo hello\necho you\nlost");
    end_stream(client);
    lab_likely("what was sent to a client is delivered before its connection is closed");
    hear(client, "helloyou");
    hear_end(client);
    lab_likely(
        "at the end of the stream: on_close, once, with SERVER_END_CLIENT; bytes without their end are no message");
    expect_end(1, SERVER_END_CLIENT);
    lab_close(client);
    stop(server);
    lab_expect(count('+') == 1 && count('=') == 8 && count('-') == 1,
               "1 on_connection, 8 on_message, 1 on_close",
               "called them %zu, %zu and %zu times", count('+'), count('='), count('-'));
}

#undef POOL_SERVES
#define POOL_SERVES ", server_pool/gives_the_program_each_message"
BOTH(
    waits_for_no_client, 2, 5, 2, SERVES, .read = "A thread for each client",
    .man = "7 pthreads",
    .likely =
        "a client that says nothing, half a message, or whose callback takes its time keeps nobody waiting but itself")
{
    struct server *server = started(plain());
    int silent = open_numbered(server, 1), half = open_numbered(server, 2),
        slow = open_numbered(server, 3), quick = open_numbered(server, 4);
    lab_peer(
        "client 1 sent nothing, client 2 half a message, client 3 one whose callback waits; client 4 sent \"echo hello\"");
    tell(half, "ec");
    tell(slow, "hold\n");
    wait_until_held();
    tell(slow, "echo after\n");
    for (int i = 0; i < 5; i++) {
        tell(quick, "echo hello\n");
        hear(quick, "hello");
    }
    expect_order();
    lab_peer("then client 2 sent the rest");
    tell(half, "ho rest\n");
    hear(half, "rest");
    lab_peer("then the callback returned");
    release();
    hear(slow, "after");
    int fds[] = {silent, half, slow, quick};
    for (size_t i = 0; i < 4; i++) {
        end_stream(fds[i]);
        hear_end(fds[i]);
        lab_close(fds[i]);
    }
    wait_for('-', 0, 4);
    stop(server);
}

BOTH(
    ends_who_sends_too_much, 2, 2, 1, SERVES, .read = "A thread for each client",
    .man = "2 shutdown",
    .likely =
        "splitter_next() said -1: SERVER_END_LONG, for this client alone; a reset (recv() says ECONNRESET) is SERVER_END_CLIENT")
{
    struct server *server = started(plain());
    int third = open_numbered(server, 1);
    lab_peer("client 1 sent \"echo hello\", and reading was interrupted by a signal");
    lab_likely("EINTR is no error, and no end: read again");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR});
    tell(third, "echo hello\n");
    hear(third, "hello");
    lab_likely(NULL);
    int first = open_numbered(server, 2), second = open_numbered(server, 3);
    char text[1200];
    memset(text, 'x', sizeof text);
    memcpy(text, "echo first\n", 11);
    text[sizeof text - 1] = '\0';
    lab_peer(
        "client 2 sent \"echo first\", and a message of more than rule.max_length bytes");
    tell(first, text);
    expect_end(2, SERVER_END_LONG);
    hear(first, "first");
    hear_end(first);
    lab_peer("client 3 reset its connection");
    reset(second);
    expect_end(3, SERVER_END_CLIENT);
    lab_peer("client 1 sent another message");
    tell(third, "echo you\n");
    hear(third, "you");
    lab_close(first);
    lab_close(third);
    stop(server);
}

BOTH(
    serves_a_hundred_and_loses_nothing, 2, 4, 2, SERVES,
    .read = "A thread for each client", .man = "3 pthread_join",
    .likely =
        "what a client costs (thread, descriptor, memory) is given back when it goes, and not at stop()")
{
    enum { CROWD = 100 };
    struct server_settings settings = plain();
    settings.path = abstract_name();
    struct server *server = started(settings);
    int alone = threads_now(), clients[CROWD];
    lab_peer(
        "100 clients connected, half of them over the path, and each sent a message");
    for (int i = 0; i < CROWD; i++) {
        clients[i] = i % 2 ? open_tcp(server) : open_local(settings.path);
        tell(clients[i], "echo hello\n");
    }
    for (int i = 0; i < CROWD; i++)
        hear(clients[i], "hello");
    if (engine == &server_pool)
        lab_likely("server_pool has its workers, however many clients there are");
    lab_expect(threads_now() == alone || engine == &server_threads,
               "no thread more than without a client", "made %d threads more",
               threads_now() - alone);
    lab_expect(alone <= settings.workers + 8, "a few threads", "has %d threads", alone);
    lab_likely(NULL);
    lab_peer("and went");
    for (int i = 0; i < CROWD; i++) {
        end_stream(clients[i]);
        hear_end(clients[i]);
        lab_close(clients[i]);
    }
    wait_for('-', 0, CROWD);
    lab_likely(
        "what a client costs (thread, descriptor, memory) is given back when it goes, and not at stop()");
    while (threads_now() > alone ||
           first_free() > CROWD) /* soon: and if never, it hangs here */
        poll(NULL, 0, 1);
    stop(server);
    lab_expect(count('=') == CROWD, "100 messages", "gave %zu to on_message", count('='));
}

/* ---- send ------------------------------------------------------------------------ */

static void expect_send(struct connection *connection, const void *bytes, size_t n,
                        int error)
{
    int result = engine->send(connection, bytes, n), got = errno;
    if (error == 0)
        lab_expect(result == 0, "0", "send() returned %s", lab_result(result, got));
    else
        lab_expect(result == -1 && got == error,
                   error == EPIPE     ? "-1 and errno EPIPE"
                   : error == ENOBUFS ? "-1 and errno ENOBUFS"
                                      : "-1 and errno ENOMEM",
                   "send() returned %s", lab_result(result, got));
}

BOTH(
    keeps_what_a_client_does_not_take, 3, 6, 1, SERVES, .read = "Who does not read",
    .man = "2 send",
    .likely =
        "MSG_DONTWAIT: what send() did not take is kept, behind what is kept already, and sent when poll() says POLLOUT")
{
    enum { MUCH = 500 * 1000 };
    struct server_settings settings = plain();
    settings.max_output = MUCH + 100;
    settings.path = abstract_name();
    struct server *server = started(settings);
    int client = open_local(settings.path);
    wait_for('+', 1, 1);
    char *bytes = allocated(MUCH), *got = allocated(MUCH);
    fill_pattern(bytes, MUCH);
    lab_peer(
        "client 1 did not read for a while; it was sent 500000 bytes, then \"hello\"");
    expect_send(connection_of(1), bytes, MUCH, 0);
    expect_send(connection_of(1), "", 0, 0);
    expect_send(connection_of(1), "hello", 5, 0);
    ssize_t n = hear_bytes(client, got, MUCH);
    lab_expect(n == MUCH && memcmp(bytes, got, MUCH) == 0, "all bytes, in their order",
               "sent %zd bytes%s", n, n == MUCH ? ", but other ones" : "");
    hear(client, "hello");
    lab_peer("then the kernel took 7 bytes at a time, or none for a while");
    fault_each(CALLS_SEND, (struct fault){.at_most = 7});
    fault_once(CALLS_SEND, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_SEND, 5, (struct fault){.error = EAGAIN});
    expect_send(connection_of(1), bytes, 1000, 0);
    ssize_t first = hear_bytes(client, got, 7); /* so some of them are gone */
    expect_send(connection_of(1), bytes + 1000, 1500, 0);
    n = first == 7 ? 7 + hear_bytes(client, got + 7, 2493) : first;
    lab_expect(n == 2500 && memcmp(bytes, got, 2500) == 0, "all bytes, in their order",
               "sent %zd bytes%s", n, n == 2500 ? ", but other ones" : "");
    fault_none();
    free(bytes);
    free(got);
    lab_close(client);
    stop(server);
}

BOTH(
    cuts_off_who_is_too_slow, 3, 4, 1, SERVES, .read = "Who does not read",
    .man = "2 send",
    .likely =
        "max_output bytes may wait, and not one more: then on_close with SERVER_END_SLOW, and send() says ENOBUFS")
{
    struct server_settings settings = plain();
    settings.max_output = 1000;
    settings.path = abstract_name();
    struct server *server = started(settings);
    int client = open_numbered(server, 1), other = open_local(settings.path);
    wait_for('+', 2, 1);
    int third = open_numbered(server, 3);
    char bytes[1001], got[1000];
    fill_pattern(bytes, sizeof bytes);
    lab_peer(
        "max_output is 1000; the kernel took nothing, and client 1 was sent 101 bytes, of which it took 1 at last, and 600 and 300 more");
    fault_each(CALLS_SEND, (struct fault){.error = EAGAIN});
    expect_send(connection_of(1), bytes, 101, 0);
    fault_once(CALLS_SEND, 1, (struct fault){.at_most = 1});
    ssize_t n = hear_bytes(client, got, 1);
    lab_expect(n == 1 && got[0] == bytes[0], "the first byte", "sent %zd", n);
    expect_send(connection_of(1), bytes + 101, 600, 0);
    expect_send(connection_of(1), bytes + 701, 300, 0);
    lab_peer("then the kernel took them");
    fault_none();
    n = hear_bytes(client, got, sizeof got);
    lab_expect(n == sizeof got && memcmp(bytes + 1, got, sizeof got) == 0, "all of them",
               "sent %zd bytes%s", n, n == sizeof got ? ", but other ones" : "");
    lab_peer(
        "then again nothing: 1000 bytes, of which it took 400 at last, 400, then all; again nothing: 1000, and 1");
    fault_each(CALLS_SEND, (struct fault){.error = EAGAIN});
    expect_send(connection_of(1), bytes, 1000, 0);
    fault_once(CALLS_SEND, 1, (struct fault){.at_most = 400});
    n = hear_bytes(client, got, 400);
    lab_expect(n == 400 && memcmp(bytes, got, 400) == 0, "400 bytes", "sent %zd", n);
    expect_send(connection_of(1), bytes, 400, 0);
    fault_none();
    n = hear_bytes(client, got, sizeof got);
    lab_expect(n == sizeof got && memcmp(bytes + 400, got, 600) == 0 &&
                   memcmp(bytes, got + 600, 400) == 0,
               "the other 600, then the 400", "sent %zd bytes%s", n,
               n == sizeof got ? ", but other ones" : "");
    fault_each(CALLS_SEND, (struct fault){.error = EAGAIN});
    expect_send(connection_of(1), bytes, 1000, 0);
    expect_send(connection_of(1), bytes, 1, ENOBUFS);
    fault_none();
    expect_end(1, SERVER_END_SLOW);
    hear_end(client);
    lab_peer(
        "client 2 closed its socket, and was sent something before its end was noticed");
    lab_likely(
        "MSG_NOSIGNAL: an error of send() is the end of this client's output; SIGPIPE would be the end of the program");
    struct connection *connection = connection_of(2);
    tell(other, "hold\n");
    wait_until_held();
    lab_close(other);
    int result = 0, error = 0;
    for (int i = 0; i < 1000 && result == 0;
         i++) { /* who keeps all it sends learns it later */
        result = engine->send(connection, "hello", 5);
        error = errno;
        if (result == 0)
            poll(NULL, 0, 1);
    }
    lab_expect(result == -1 && error == EPIPE, "-1 and errno EPIPE", "send() returned %s",
               lab_result(result, error));
    lab_likely(
        "a client that send() has once found gone is deaf: from then on -1, errno EPIPE");
    expect_send(connection, "hello", 5, EPIPE);
    release();
    expect_end(2, SERVER_END_CLIENT);
    lab_likely(NULL);
    lab_peer("for client 3 the kernel took nothing, and there was no memory");
    lab_likely(
        "realloc() returned NULL: the connection cannot go on with a piece missing");
    fault_each(CALLS_SEND, (struct fault){.error = EAGAIN});
    connection = connection_of(3);
    expect_send(connection, bytes, 100, 0); /* what keeps these must not be lost either */
    fault_each(CALLS_ALLOCATE, (struct fault){.error = ENOMEM});
    if (engine->send(connection, bytes, 500) ==
        -1) { /* it may have had the memory all the time */
        lab_expect(errno == ENOMEM, "-1 and errno ENOMEM",
                   "send() returned -1 and errno %s", lab_errno(errno));
        fault_none();
        wait_for('-', 3, 1);
    }
    fault_none();
    lab_close(client);
    lab_close(third);
    stop(server);
}

/* ---- broadcast and close --------------------------------------------------------- */

BOTH(
    tells_all_but_the_sender, 4, 5, 1, SERVES, .read = "To all but one",
    .man = "3 pthread_mutex_lock",
    .likely =
        "under the lock, for each client that is served and is not the sender: what send() does, and count; callbacks run without it")
{
    struct server_settings settings = plain();
    settings.path = abstract_name();
    settings.on_close = went_and_told;
    struct server *server = started(settings);
    int first = open_numbered(server, 1), second = open_local(settings.path);
    wait_for('+', 2, 1);
    int third = open_numbered(server, 3);
    lab_peer("three clients; client 1 sent \"all hello\"");
    tell(first, "all hello\necho done\n");
    hear(second, "hello");
    hear(third, "hello");
    lab_likely("the sender is left out: compare the addresses");
    hear(first, "done");
    lab_likely("broadcast() returns how many clients it was sent to");
    lab_expect(seen.reached == 2, "2", "broadcast() returned %zu", seen.reached);
    lab_peer(
        "client 2 ended its stream; its on_close called send() for it, and broadcast() \"gone\"");
    end_stream(second);
    lab_likely(
        "on_close is called without the lock, when the client is no longer one of all");
    hear(first, "gone");
    hear(third, "gone");
    hear_end(second);
    wait_for('-', 2, 1);
    lab_likely("from on_close on the connection is over: send() says EPIPE");
    lab_expect(seen.late == -1 && seen.late_error == EPIPE, "-1 and errno EPIPE",
               "send() in on_close returned %s", lab_result(seen.late, seen.late_error));
    lab_peer("client 3 sent \"all you\"");
    lab_likely("who has gone is no longer one of all");
    tell(third, "all you\necho done\n");
    hear(first, "you");
    hear(third, "done");
    lab_expect(seen.reached == 1, "1", "broadcast() returned %zu", seen.reached);
    lab_close(second);
    lab_close(first);
    wait_for('-', 1, 1);
    lab_close(third);
    stop(server);
}

BOTH(
    broadcasts_past_a_slow_client, 4, 3, 1,
    "server_threads/tells_all_but_the_sender, server_threads/cuts_off_who_is_too_slow",
    .read = "Who does not read", .man = "2 send",
    .likely =
        "a client that does not read is cut off when max_output is passed; the loop goes on to the next one")
{
    struct server_settings settings = plain();
    settings.path = abstract_name();
    settings.max_output = 100000;
    struct server *server = started(settings);
    int first = open_numbered(server, 1), slow = open_local(settings.path);
    wait_for('+', 2, 1);
    int third = open_numbered(server, 3);
    char bytes[50000], got[50000];
    fill_pattern(bytes, sizeof bytes);
    lab_peer(
        "client 2 read nothing; 50000 bytes were broadcast, again and again, and client 3 read them");
    size_t reached = 2, times = 0;
    struct connection *sender = connection_of(1);
    for (; reached == 2 && times < 1000; times++) {
        reached = engine->broadcast(sender, bytes, sizeof bytes);
        ssize_t n = hear_bytes(third, got, sizeof got);
        lab_expect(n == sizeof got && memcmp(bytes, got, sizeof got) == 0,
                   "50000 bytes for client 3", "sent %zd", n);
    }
    lab_expect(reached == 1, "1, once client 2 is too slow",
               "broadcast() returned %zu after %zu times", reached, times);
    expect_end(2, SERVER_END_SLOW);
    lab_expect(engine->broadcast(sender, "on", 2) == 1, "1",
               "sent to another number of clients");
    hear(third, "on");
    lab_peer(
        "then client 1 was closed while its callback ran, and client 3 was the sender");
    lab_likely(
        "broadcast() counts those for which send() would return 0: not who is closed");
    tell(first, "hold\n");
    wait_until_held();
    engine->close(sender);
    lab_expect(engine->broadcast(connection_of(3), "no", 2) == 0, "0",
               "counted a client whose connection is over");
    release();
    lab_close(first);
    lab_close(slow);
    lab_close(third);
    stop(server);
}

/* The client has read all, and the server's stream has ended: what it sends now is read, and not answered by a reset. */
static void expect_no_reset(int fd)
{
    lab_likely(
        "end the stream by shutdown(SHUT_WR), read what still comes, and close() only at its end (lesson 03)");
    ssize_t first = send(fd, "more", 4, MSG_NOSIGNAL),
            second = send(fd, "more", 4, MSG_NOSIGNAL);
    lab_expect(first == 4 && second == 4, "no reset within linger_ms",
               "answered to what came after the end with a reset: %s", lab_errno(errno));
    lab_likely(NULL);
}

BOTH(
    closes_without_loss, 5, 5, 1, SERVES, .read = "How a connection ends",
    .man = "2 shutdown",
    .likely =
        "close(): no message any more; what was sent is delivered, then the stream ends, and what the client still sends is thrown away")
{
    enum { MUCH = 500 * 1000 };
    struct server_settings settings = plain();
    settings.max_output = MUCH;
    settings.path = abstract_name();
    struct server *server = started(settings);
    int first = open_numbered(server, 1), second = open_local(settings.path);
    wait_for('+', 2, 1);
    lab_peer(
        "client 1 sent \"bye\\necho more\\n\", for which the program calls send() and close()");
    tell(first, "bye\necho more\n");
    hear(first, "bye");
    hear_end(first);
    expect_end(1, SERVER_END_CLOSED);
    lab_likely("a client that is not open gets nothing: -1, errno EPIPE");
    lab_expect(seen.late == -1 && seen.late_error == EPIPE, "-1 and errno EPIPE",
               "send() after close() returned %s",
               lab_result(seen.late, seen.late_error));
    lab_likely(
        "look before each message whether the client is still open: the callback of the "
        "one before may have closed it");
    lab_expect(count('=') == 1, "no message after close()", "gave on_message %zu",
               count('='));
    expect_no_reset(first);
    lab_close(first);
    lab_peer(
        "client 2 did not read at first; it was sent 500000 bytes, and close() was called in another thread");
    char *bytes = allocated(MUCH), *got = allocated(MUCH);
    fill_pattern(bytes, MUCH);
    struct connection *connection = connection_of(2);
    expect_send(connection, bytes, MUCH, 0);
    engine->close(connection);
    tell(second, "echo more\n");
    ssize_t n = hear_bytes(second, got, MUCH);
    lab_expect(n == MUCH && memcmp(bytes, got, MUCH) == 0, "all bytes", "sent %zd", n);
    hear_end(second);
    expect_no_reset(second);
    end_stream(second);
    expect_end(2, SERVER_END_CLOSED);
    lab_expect(count('=') == 1, "no message after close()", "gave on_message %zu",
               count('='));
    lab_peer("client 3 said nothing, and close() was called in another thread");
    int third = open_numbered(server, 3);
    engine->close(connection_of(3));
    hear_end(third);
    lab_close(third);
    expect_end(3, SERVER_END_CLOSED);
    lab_peer(
        "client 4 was sent 500000 bytes, ended its stream, and began to read when on_close had been called");
    lab_likely(
        "a client that has ended its stream may still read: close(2) only when all that "
        "was kept is sent and our stream is ended, too");
    int fourth = open_local(settings.path);
    wait_for('+', 4, 1);
    expect_send(connection_of(4), bytes, MUCH, 0);
    end_stream(fourth);
    expect_end(4, SERVER_END_CLIENT);
    n = hear_bytes(fourth, got, MUCH);
    lab_expect(n == MUCH && memcmp(bytes, got, MUCH) == 0, "all bytes", "sent %zd", n);
    hear_end(fourth);
    lab_close(fourth);
    free(bytes);
    free(got);
    lab_close(second);
    stop(server);
}

/* In 30 ms: a server that waits makes a few calls, one that does not, thousands. */
enum { PATIENCE_MS = 30, FEW_CALLS = 60 };

static void expect_rest(void)
{
    unsigned made = calls_made(CALLS_WAIT);
    poll(NULL, 0, PATIENCE_MS);
    made = calls_made(CALLS_WAIT) - made;
    lab_expect(made < FEW_CALLS, "a few calls while it waits",
               "called poll() or its like %u times within %d ms", made, PATIENCE_MS);
}

BOTH(
    lingers_not_for_ever, 5, 3, 1, "server_threads/closes_without_loss",
    .read = "How a connection ends", .man = "2 poll",
    .likely =
        "a connection that is over has a deadline: then it is closed, whether the client has read all and ended its stream or not")
{
    struct server_settings settings = plain();
    settings.path = abstract_name();
    settings.linger_ms = 5;
    settings.max_output = 500000;
    struct server *server = started(settings);
    int first = open_local(settings.path);
    wait_for('+', 1, 1);
    int second = open_local(settings.path);
    wait_for('+', 2, 1);
    char *bytes = allocated((size_t)500 * 1000);
    lab_peer(
        "client 1 is to be closed, and does not end its stream; nor does client 2, which does not read 500000 bytes either");
    tell(first, "bye\n");
    hear(first, "bye");
    hear_end(first);
    expect_send(connection_of(2), bytes, (size_t)500 * 1000, 0);
    engine->close(connection_of(2));
    expect_end(1, SERVER_END_CLOSED);
    expect_end(2, SERVER_END_CLOSED);
    struct pollfd gone[] = {{.fd = first}, {.fd = second}};
    poll(&gone[0], 1,
         -1); /* POLLHUP: the other side has closed. If never, it hangs here */
    poll(&gone[1], 1, -1);
    free(bytes);
    lab_peer(
        "client 3 reads no more (shutdown(SHUT_RD)), was sent something, and close() was called");
    lab_likely(
        "the deadline is for a client that is deaf, too: its thread may still wait for it");
    int third = open_local(settings.path);
    wait_for('+', 3, 1);
    if (shutdown(third, SHUT_RD) == -1)
        lab_error("shutdown() of the test's own");
    (void)!engine->send(connection_of(3), "hello", 5); /* EPIPE, now or later */
    engine->close(connection_of(3));
    wait_for('-', 3, 1); /* if never, it hangs here */
    lab_peer(
        "client 4 has a callback that waits; close() was called, and linger_ms passed");
    lab_likely(
        "past the deadline do what is to be done once, and set it to NEVER: or the keeper does not sleep any more");
    int fourth = open_local(settings.path);
    wait_for('+', 4, 1);
    tell(fourth, "hold\n");
    wait_until_held();
    engine->close(connection_of(4));
    poll(NULL, 0, 2 * settings.linger_ms);
    expect_rest();
    lab_likely(NULL);
    release();
    expect_end(4, SERVER_END_CLOSED);
    lab_close(fourth);
    lab_close(first);
    lab_close(second);
    lab_close(third);
    stop(server);
}

/* ---- the one too many ------------------------------------------------------------ */

BOTH(
    tells_the_one_too_many, 6, 5, 1, SERVES, .read = "The one too many",
    .man = "2 accept",
    .likely =
        "max_connections are served, and not one more or less; the next one is sent the refusal, and seen off like any other; a place is free again when its client goes")
{
    struct server_settings settings = plain();
    settings.path = abstract_name();
    settings.max_connections = 2;
    char refusal[] = "full";
    settings.refusal = refusal;
    struct server *server = started(settings);
    strcpy(refusal, "?"); /* it was copied */
    int first = open_numbered(server, 1), second = open_local(settings.path);
    wait_for('+', 2, 1);
    int refused[2] = {open_tcp(server), open_local(settings.path)};
    lab_peer(
        "max_connections is 2; two are connected, and two more connect, one on TCP and one at the path");
    for (int i = 0; i < 2; i++) {
        (void)!send(refused[i], "echo hello\n", 11, MSG_NOSIGNAL);
        hear(refused[i], "full");
        hear_end(refused[i]);
        expect_no_reset(refused[i]);
    }
    tell(first, "all hello\necho done\n");
    hear(second, "hello");
    hear(first, "done");
    lab_expect(seen.reached == 1, "1: who is refused is not one of all",
               "broadcast() returned %zu", seen.reached);
    lab_peer(
        "then client 2 went, and another one came while on_close of client 2 still ran");
    lab_likely(
        "the place of a client that goes is free again, before its on_close is called");
    seen.holds = 2;
    lab_close(second);
    wait_until_held();
    int third = open_numbered(server, 3);
    tell(third, "echo here\n");
    hear(third, "here");
    release();
    lab_expect(
        count('+') == 3 && count('-') == 1, "no callback for those that were refused",
        "called on_connection %zu times, on_close %zu times", count('+'), count('-'));
    lab_close(refused[0]);
    lab_close(refused[1]);
    lab_peer("then 70 more connected, and ended their streams late");
    lab_likely("those on their way out have places, too, and no more than there are: "
               "the next ones wait in the queue");
    enum { LATE = 70, SOON = 60 };
    int late[LATE];
    for (int i = 0; i < LATE; i++)
        late[i] = open_local(settings.path);
    for (int i = 0; i < SOON; i++)
        hear(late[i], "full");
    for (int i = 0; i < LATE - SOON; i++)
        lab_close(late[i]);
    for (int i = SOON; i < LATE; i++)
        hear(late[i], "full");
    for (int i = LATE - SOON; i < LATE; i++)
        lab_close(late[i]);
    lab_close(first);
    lab_close(third);
    stop(server);
}

/* Who connects and asks now is answered, at last, or its connection is closed. */
static void ask_in_need(const struct server *server)
{
    int client = open_tcp(server);
    (void)!send(client, "echo hello\n", 11, MSG_NOSIGNAL);
    char answer[5];
    (void)!hear_bytes(client, answer, sizeof answer);
    lab_close(client);
}

BOTH(
    lives_without_a_descriptor, 6, 4, 1, SERVES, .read = "The one too many",
    .man = "2 accept",
    .likely =
        "EMFILE: the connection stays in the queue, so poll() tells of it again at once: leave the listener out for a moment, and go on; a client that no thread could be had for is not counted (number, served)")
{
    struct server *server = started(plain());
    int first = open_numbered(server, 1);
    lab_peer("client 1 was connected, and nothing happened");
    lab_likely(
        "poll() with -1 waits for ever: a time-out is for when there is a deadline, and only while it is in sight");
    expect_rest();
    lab_likely(NULL);
    int client = open_tcp(server);
    wait_for('+', 2, 1);
    lab_close(client);
    wait_for('-', 2, 1);
    struct rlimit all, few;
    getrlimit(RLIMIT_NOFILE, &all);
    while (first_free() > client) /* the server closes its side soon */
        poll(NULL, 0, 1);
    few = (struct rlimit){(rlim_t)client + 1, all.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &few) == -1)
        lab_error("setrlimit");
    client = open_tcp(server);
    lab_peer("client 3 connected, and no descriptor was left");
    expect_rest();
    tell(first, "echo hello\n");
    hear(first, "hello");
    lab_peer("then there were descriptors again");
    setrlimit(RLIMIT_NOFILE, &all);
    tell(client, "echo hello\n");
    hear(client, "hello");
    lab_close(client);
    lab_likely("what cannot be had for a new client is the end of that client alone");
    lab_peer("another one connected, and one thread could not be had");
    atomic_store(&thread_that_fails, 1);
    ask_in_need(server);
    atomic_store(&thread_that_fails, 0);
    lab_peer("another one connected, and one piece of memory could not be had");
    fault_once(CALLS_ALLOCATE, 1, (struct fault){.error = ENOMEM});
    ask_in_need(server);
    fault_none();
    tell(first, "echo hello\n");
    hear(first, "hello");
    lab_peer("then there were threads and memory again, and another one connected");
    client = open_tcp(server);
    tell(client, "echo hello\n");
    hear(client, "hello");
    lab_close(client);
    lab_close(first);
    stop(server);
    lab_likely(
        "count a client (number, served) when its thread runs, and not before: one "
        "that no thread could be had for is not counted");
    for (unsigned long number = 1; number <= count('+'); number++)
        lab_expect(find('+', number, 1) != NULL, "numbers without a gap",
                   "gave number %lu to no client", number);
}

/* ---- stop ------------------------------------------------------------------------ */

struct stopper {
    pthread_t thread;
    struct server *server;
    _Atomic pid_t id;
};

static void *run_stop(void *argument)
{
    struct stopper *stopper = argument;
    atomic_store(&stopper->id, (pid_t)syscall(SYS_gettid));
    engine->stop(stopper->server);
    return NULL;
}

static bool is_asleep(pid_t thread)
{
    char path[64], text[256] = "", state = '?';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file == -1 || read(file, text, sizeof text - 1) <= 0)
        lab_error("/proc/self/task");
    close(file);
    const char *name_ends = strrchr(text, ')');
    if (name_ends != NULL)
        sscanf(name_ends, ") %c", &state);
    return state == 'S';
}

/* Call stop() in a thread of its own, and return when it waits there. */
static void begin_stop(struct stopper *stopper, struct server *server)
{
    stopper->server = server;
    if (pthread_create(&stopper->thread, NULL, run_stop, stopper) != 0)
        lab_error("pthread_create");
    while (atomic_load(&stopper->id) == 0 || !is_asleep(atomic_load(&stopper->id)))
        poll(NULL, 0, 1);
}

static void end_stop(struct stopper *stopper)
{
    pthread_join(stopper->thread, NULL);
    lab_likely("stop() returns when no thread of the server's is left");
    lab_expect(threads_now() == 0, "no thread left after stop(): all joined", "left %d",
               threads_now());
    expect_order();
}

BOTH(
    stops_when_all_is_said, 7, 5, 2,
    "server_threads/closes_without_loss, server_threads/tells_all_but_the_sender",
    .read = "Stop, and lose nothing", .man = "2 eventfd",
    .likely =
        "first read what has come from all of them (FIONREAD says how much), then call on_close for the first one")
{
    enum { MUCH = 500 * 1000 };
    struct server_settings settings = plain();
    settings.max_output = MUCH + 1000;
    settings.workers = 1;
    settings.path =
        abstract_name(); /* what is sent over a path has come when send() returns */
    struct server *server = started(settings);
    int first = open_local(settings.path);
    wait_for('+', 1, 1);
    int second = open_numbered(server, 2), third = open_local(settings.path);
    wait_for('+', 3, 1);
    char *bytes = allocated(MUCH), *got = allocated(MUCH);
    lab_peer(
        "client 1 sent \"hold\", whose callback waits, then 20 messages to echo and one to broadcast, and one more each time that one of these was read; client 2 nothing; client 3 did not read; client 4 sent a newline while nobody could read it");
    expect_send(connection_of(3), bytes, MUCH, 0);
    int fourth = open_local(settings.path);
    wait_for('+', 4, 1);
    tell(first, "hold\n");
    wait_until_held();
    if (engine == &server_threads) { /* the pool has no other worker */
        tell(fourth, "hold\n");
        wait_for('=', 4, 1);
    }
    tell(fourth, "\n");
    char text[20 * 1000 + 1] = "";
    talker = first;
    tell(first, "again\n");
    for (int i = 0; i < 20; i++) {
        memset(text + (size_t)i * 1000, 'x', 1000);
        memcpy(text + (size_t)i * 1000, "echo ", 5);
        text[i * 1000 + 999] = '\n';
    }
    tell(first, text);
    tell(first, "all hello\ncut");
    lab_peer("then stop() was called, and then the callback returned");
    struct stopper stopper = {.id = 0};
    begin_stop(&stopper, server);
    release();
    hear(second, "hello");
    hear_end(second);
    ssize_t n = hear_bytes(first, got, 19880);
    lab_expect(n == 19880, "the answers to all 20 messages",
               "sent %zd bytes of their 19880", n);
    hear_end(first);
    hear(third, "");
    n = hear_bytes(third, got, MUCH);
    lab_expect(n == MUCH, "500000 bytes for client 3", "sent %zd", n);
    hear(third, "hello");
    hear_end(third);
    expect_no_reset(first);
    lab_likely("on_close comes once for each, SERVER_END_CLOSED, before stop() returns");
    free(bytes);
    free(got);
    lab_close(first);
    lab_close(second);
    lab_close(third);
    lab_close(fourth);
    end_stop(&stopper);
    lab_likely(
        "what had come is what FIONREAD says, once: read no byte more than that, or a "
        "client that never ceases to send keeps the server from its end");
    lab_expect(seen.again < OFTEN, "an end to the reading",
               "gave %d messages that came later", seen.again);
    lab_likely("what had come is what FIONREAD says, to the last byte");
    lab_expect(find('=', 4, engine == &server_threads ? 2 : 1) != NULL,
               "the empty message of client 4, one byte", "lost it");
    lab_likely("on_close comes once for each, SERVER_END_CLOSED, before stop() returns");
    lab_expect(count('-') == 4, "4", "called on_close %zu times", count('-'));
    for (unsigned long number = 1; number <= 4; number++)
        expect_end(number, SERVER_END_CLOSED);
}

BOTH(stops_whatever_clients_do, 7, 2, 1, "server_threads/lingers_not_for_ever",
     .read = "Stop, and lose nothing", .man = "2 eventfd",
     .likely = "linger_ms after stop() was called every connection is closed")
{
    struct server_settings settings = plain();
    settings.linger_ms = 5;
    settings.max_connections = 3;
    struct server *server = started(settings);
    int fds[] = {open_numbered(server, 1), open_numbered(server, 2),
                 open_numbered(server, 3), open_tcp(server)};
    char *bytes = allocated(1 << 20);
    lab_peer(
        "client 1 said nothing, client 2 did not read 1 MiB, client 3 was in the middle of a message, client 4 was refused; none ends its stream");
    expect_send(connection_of(2), bytes, 1 << 20, 0);
    tell(fds[2], "half a mess");
    hear(fds[3], "full");
    stop(server); /* if it does not return, it hangs here */
    for (unsigned long number = 1; number <= 3; number++)
        expect_end(number, SERVER_END_CLOSED);
    lab_expect(count('=') == 0, "no message", "gave on_message %zu", count('='));
    free(bytes);
    for (int i = 0; i < 4; i++)
        lab_close(fds[i]);
}
