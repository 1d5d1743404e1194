/* peer.c: a thread that acts the other end of a connection. */
#define _GNU_SOURCE
#include "peer.h"
#include "census.h"
#include "lab.h"
#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS 64

struct peer {
    pthread_t thread;
    int fd;
    int listener; /* -1: none */
    struct peer_step steps[STEPS];
    struct peer_report report;
};

static atomic_int running;

/* What peer_join() and peer_observe() hand out: one storage, as peer.h says. */
static struct peer_report last_report;

int peers_running(void)
{
    return atomic_load(&running);
}

/* ---- descriptors: hidden from the census as long as the peer owns them ------------------------------- */

static void own(int fd)
{
    census_lock();
    census_hide_locked(fd, true);
    census_unlock();
}

static void disown(int *fd)
{
    if (*fd == -1)
        return;
    census_lock();
    close(*fd); /* a peer closes what it has, error or not */
    census_hide_locked(*fd, false);
    census_unlock();
    *fd = -1;
}

/* ---- one step ----------------------------------------------------------------------------------- */

static void saw_error(struct peer_report *report)
{
    report->error = errno;
    report->end = errno == ECONNRESET || errno == EPIPE ? PEER_SAW_RESET : PEER_SAW_ERROR;
}

static bool send_all(struct peer *peer, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(peer->fd, bytes, n, MSG_NOSIGNAL);

        if (sent == -1 && errno == EINTR)
            continue;
        if (sent == -1) {
            saw_error(&peer->report);
            return false;
        }
        peer->report.sent += (size_t)sent;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static void keep(struct peer_report *report, const char *bytes, size_t n)
{
    if (report->received < PEER_KEEPS) {
        size_t room = PEER_KEEPS - report->received;

        memcpy(report->bytes + report->received, bytes, n < room ? n : room);
    }
    report->received += n;
}

/* Receive n bytes at most, up to the end of the stream. False: an end came, or an error. */
static bool receive(struct peer_report *report, int fd, size_t n)
{
    char bytes[16384];

    while (n > 0) {
        ssize_t got = recv(fd, bytes, n < sizeof(bytes) ? n : sizeof(bytes), 0);

        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1) {
            saw_error(report);
            return false;
        }
        if (got == 0) {
            report->end = PEER_SAW_END;
            return false;
        }
        keep(report, bytes, (size_t)got);
        n -= (size_t)got;
    }
    return true;
}

/*
 * A descriptor that appears in this thread must not be seen by a census before it is hidden: accept() with the
 * census locked, which must then not block.
 */
static int accept_hidden(int listener)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    int flags = fcntl(listener, F_GETFL);
    int fd;

    fcntl(listener, F_SETFL, flags | O_NONBLOCK);
    do {
        while (poll(&ready, 1, -1) == -1 && errno == EINTR)
            ;
        census_lock();
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd != -1)
            census_hide_locked(fd, true);
        census_unlock();
    } while (fd == -1 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED));
    fcntl(listener, F_SETFL, flags);
    return fd;
}

static bool accept_one(struct peer *peer)
{
    peer->listener = peer->fd;
    peer->fd = accept_hidden(peer->listener);
    if (peer->fd == -1)
        saw_error(&peer->report);
    return peer->fd != -1;
}

static bool step_end(struct peer *peer)
{
    if (shutdown(peer->fd, SHUT_WR) == 0)
        return true;
    peer->report.error = errno;
    return false;
}

static void step_reset(struct peer *peer)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)) == -1)
        peer->report.error = errno;
    disown(&peer->fd);
}

static bool take_step(struct peer *peer, const struct peer_step *step)
{
    switch (step->action) {
    case PEER_ACTION_SEND: return send_all(peer, step->bytes, step->n);
    case PEER_ACTION_EXPECT: return receive(&peer->report, peer->fd, step->n);
    case PEER_ACTION_DRAIN: return receive(&peer->report, peer->fd, SIZE_MAX);
    case PEER_ACTION_END: return step_end(peer);
    case PEER_ACTION_CLOSE: disown(&peer->fd); return true;
    case PEER_ACTION_RESET: step_reset(peer); return true;
    case PEER_ACTION_ACCEPT: return accept_one(peer);
    case PEER_ACTION_STOP: break;
    }
    return false;
}

/* ---- telling ------------------------------------------------------------------------------------ */

static bool receives(const struct peer_step *step)
{
    return step->action == PEER_ACTION_EXPECT || step->action == PEER_ACTION_DRAIN;
}

static void tell(const struct peer *peer, const struct peer_step *step, size_t received)
{
    size_t got = peer->report.received - received;
    size_t kept = received > PEER_KEEPS ? 0 : PEER_KEEPS - received;
    const char *bytes =
        lab_quote(peer->report.bytes + (kept ? received : 0), got < kept ? got : kept);
    const char *end =
        peer->report.end == PEER_SAW_NOTHING ? "" : peer_end_text(&peer->report);
    char text[LAB_TEXT];

    switch (step->action) {
    case PEER_ACTION_SEND:
        snprintf(text, sizeof(text), "sent %s", lab_quote(step->bytes, step->n));
        break;
    case PEER_ACTION_EXPECT:
    case PEER_ACTION_DRAIN:
        snprintf(text, sizeof(text), "received %s%s%s", got ? bytes : "",
                 got && *end ? " and " : "", *end || got ? end : "nothing");
        break;
    case PEER_ACTION_END: snprintf(text, sizeof(text), "ended its stream"); break;
    case PEER_ACTION_CLOSE: snprintf(text, sizeof(text), "closed"); break;
    case PEER_ACTION_RESET: snprintf(text, sizeof(text), "reset the connection"); break;
    default: snprintf(text, sizeof(text), "accepted"); break;
    }
    lab_peer_told(text);
}

static void tell_failure(const struct peer *peer, const struct peer_step *step)
{
    char text[LAB_TEXT];

    snprintf(text, sizeof(text), "could not %s: %s",
             step->action == PEER_ACTION_SEND  ? "send"
             : step->action == PEER_ACTION_END ? "end its stream"
                                               : "accept",
             lab_errno(peer->report.error));
    lab_peer_told(text);
}

static void waits(const struct peer_step *step)
{
    char *text = lab_page->waits;

    switch (step->action) {
    case PEER_ACTION_SEND: snprintf(text, LAB_TEXT, "to send %zu bytes", step->n); break;
    case PEER_ACTION_EXPECT: snprintf(text, LAB_TEXT, "for %zu bytes", step->n); break;
    case PEER_ACTION_DRAIN: snprintf(text, LAB_TEXT, "for the end of the stream"); break;
    case PEER_ACTION_ACCEPT: snprintf(text, LAB_TEXT, "for a connection"); break;
    default: text[0] = '\0'; break;
    }
}

/* ---- the thread --------------------------------------------------------------------------------- */

static void *act(void *argument)
{
    struct peer *peer = argument;

    for (const struct peer_step *step = peer->steps; step->action != PEER_ACTION_STOP;
         step++) {
        size_t received = peer->report.received;

        waits(step);
        if (peer->fd == -1)
            break;
        if (!take_step(peer, step) && peer->report.error && !receives(step)) {
            tell_failure(peer, step);
            break;
        }
        tell(peer, step, received);
        if (peer->report.error)
            break;
    }
    lab_page->waits[0] = '\0';
    return NULL;
}

static void copy_steps(struct peer *peer, const struct peer_step *steps)
{
    size_t n = 0;

    while (n < STEPS - 1 && steps[n].action != PEER_ACTION_STOP) {
        peer->steps[n] = steps[n];
        n++;
    }
    peer->steps[n].action = PEER_ACTION_STOP;
    if (steps[n].action != PEER_ACTION_STOP) {
        errno = E2BIG;
        lab_error("a peer's script without an end");
    }
}

struct peer *peer_start(int fd, const struct peer_step *steps)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    sigset_t all, old;
    int error;

    if (!peer)
        lab_error("calloc() of a peer");
    peer->fd = fd;
    peer->listener = -1;
    copy_steps(peer, steps);
    own(fd);
    sigfillset(&all); /* signals are the student's thread's business */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&peer->thread, NULL, act, peer);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error) {
        errno = error;
        lab_error("pthread_create() of a peer");
    }
    atomic_fetch_add(&running, 1);
    return peer;
}

const struct peer_report *peer_join(struct peer *peer)
{
    int error = errno;

    pthread_join(peer->thread, NULL);
    disown(&peer->fd);
    disown(&peer->listener);
    last_report = peer->report;
    free(peer);
    atomic_fetch_sub(&running, 1);
    errno = error;
    return &last_report;
}

const struct peer_report *peer_observe(int fd)
{
    int error = errno;

    memset(&last_report, 0, sizeof(last_report));
    receive(&last_report, fd, SIZE_MAX);
    errno = error;
    return &last_report;
}

const char *peer_end_text(const struct peer_report *report)
{
    switch (report->end) {
    case PEER_SAW_END: return "the end of the stream (FIN)";
    case PEER_SAW_RESET: return "a reset (RST)";
    case PEER_SAW_ERROR: return lab_errno(report->error);
    case PEER_SAW_NOTHING: break;
    }
    return "nothing yet";
}
