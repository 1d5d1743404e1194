#define _GNU_SOURCE /* SO_REUSEPORT */
#include "local.h"
#include "loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct loops {
    enum loop_balance balance;
    int n, running;
    char *path; /* of our socket file; NULL: there is none */
    char tcp[ADDRESS_TEXT_SIZE], local[ADDRESS_TEXT_SIZE];
    atomic_uint turn; /* LOOP_ROUND_ROBIN: how many clients there were */
    struct member {
        struct loop *loop;
        pthread_t thread;
    } members[];
};

/* ---- which loop ------------------------------------------------------------------ */

/* TODO 9, second: the loop with the smallest loop_count(); of several the first. */
static struct loop *least_loaded(struct loops *loops)
{
    return loops->members[0].loop; /* and that is all that the starter does */
}

/* TODO 9: which loop is to have the next client? Several loops may ask at the same time. (LOOP_RANDOM never asks.) */
static struct loop *choose(struct loop *loop, void *chooser)
{
    struct loops *loops = chooser;
    (void)loop;
    return least_loaded(loops);
}

/* ---- listeners ------------------------------------------------------------------- */

struct address {
    struct sockaddr_storage storage;
    socklen_t length;
};

static bool ask_address(int fd, struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    address->length = sizeof address->storage;
    struct sockaddr *name = (struct sockaddr *)&address->storage;
    return getsockname(fd, name, &address->length) == 0 &&
           address_text(name, address->length, text, ADDRESS_TEXT_SIZE) == 0;
}

/* The loop owns the listener from now on; or it is closed. */
static bool hand_over(struct loop *loop, int listener)
{
    if (listener != -1 && loop_listen(loop, listener) == 0)
        return true;
    int error = errno;
    if (listener != -1)
        close(listener);
    errno = error;
    return false;
}

/*
 * TODO 9, third: one more listener at an address that others share: as tcp_listen() makes one (socket() of the address's
 * family, close-on-exec; SO_REUSEADDR; IPV6_V6ONLY, if it is AF_INET6; bind(), listen()), and SO_REUSEPORT before
 * bind(). On failure nothing stays open.
 */
static int share_address(const struct address *address)
{
    (void)address; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/*
 * A listener for each loop. The first is one without SO_REUSEPORT: it finds out whether somebody else
 * listens there, who would otherwise share his clients with us. For one loop it is the last, too.
 */
static bool listen_on_tcp(struct loops *loops, const struct loops_settings *settings)
{
    struct address address;
    int first = tcp_listen(settings->host, settings->service, SOMAXCONN);
    if (first == -1)
        return false;
    bool named = ask_address(first, &address, loops->tcp);
    if (named && loops->n == 1)
        return hand_over(loops->members[0].loop, first);
    close(first);
    for (int i = 0; named && i < loops->n; i++)
        if (!hand_over(loops->members[i].loop, share_address(&address)))
            return false;
    return named;
}

static bool listen_on_path(struct loops *loops, const char *path)
{
    struct address address;
    if (local_unlink_stale(path) == -1)
        return false;
    char *file = strdup(path);
    int listener = file != NULL ? local_listen(path, SOMAXCONN) : -1;
    if (listener != -1 && path[0] != '@')
        loops->path = file; /* ours, to be removed */
    else
        free(file);
    return hand_over(loops->members[0].loop, listener) &&
           ask_address(listener, &address, loops->local);
}

/* ---- threads --------------------------------------------------------------------- */

/* Want of memory passes: a loop that ended for it would leave its clients waiting for ever. */
static void *run(void *loop)
{
    while (loop_run(loop) == -1 && errno == ENOMEM)
        poll(NULL, 0, 100);
    return NULL;
}

/* Signals are for the program's own threads. */
static bool start_threads(struct loops *loops)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = 0;
    while (error == 0 && loops->running < loops->n) {
        struct member *member = &loops->members[loops->running];
        error = pthread_create(&member->thread, NULL, run, member->loop);
        if (error == 0)
            loops->running++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return error == 0;
}

void loops_stop(struct loops *loops)
{
    for (int i = 0; i < loops->running; i++)
        loop_stop(loops->members[i].loop);
    while (loops->running > 0)
        pthread_join(loops->members[--loops->running].thread, NULL);
    if (loops->path != NULL)
        unlink(loops->path); /* best effort: whoever took it away has done our work */
    free(loops->path);
    loops->path = NULL;
}

/* ---- beginning and end ----------------------------------------------------------- */

static bool make_loops(struct loops *loops, const struct loop_settings *wanted)
{
    struct loop_settings settings = *wanted;
    settings.choose = loops->balance != LOOP_RANDOM ? choose : NULL;
    settings.chooser = loops;
    for (int i = 0; i < loops->n; i++)
        if ((loops->members[i].loop = loop_new(&settings)) == NULL)
            return false;
    return true;
}

struct loops *loops_start(const struct loops_settings *settings)
{
    if (settings->n < 1 || settings->balance < LOOP_ROUND_ROBIN ||
        settings->balance > LOOP_LEAST ||
        (settings->service == NULL && settings->path == NULL)) {
        errno = EINVAL;
        return NULL;
    }
    struct loops *loops =
        calloc(1, sizeof *loops + (size_t)settings->n * sizeof(struct member));
    if (loops == NULL)
        return NULL;
    loops->balance = settings->balance;
    loops->n = settings->n;
    if (make_loops(loops, &settings->loop) &&
        (settings->service == NULL || listen_on_tcp(loops, settings)) &&
        (settings->path == NULL || listen_on_path(loops, settings->path)) &&
        start_threads(loops))
        return loops;
    int error = errno;
    loops_stop(loops);
    loops_free(loops);
    errno = error;
    return NULL;
}

struct loop *loops_get(struct loops *loops, int i)
{
    return loops->members[i].loop;
}

const char *loops_tcp(const struct loops *loops)
{
    return loops->tcp;
}

const char *loops_local(const struct loops *loops)
{
    return loops->local;
}

void loops_free(struct loops *loops)
{
    for (int i = 0; i < loops->n; i++)
        loop_free(loops->members[i].loop);
    free(loops);
}
