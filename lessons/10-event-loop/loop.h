/*
 * loop.h: one thread, any number of connections.
 *
 *     loop_new, loop_free          a loop, and what it does when something happens
 *     loop_listen, loop_add        what it is to look after
 *     loop_run, loop_stop          wait, handle, wait, handle ... until told to stop
 *     loop_send, loop_broadcast    bytes for one client, or for all
 *     loop_close                   the end of one connection
 *     loop_after, loop_cancel      timers
 *     loop_count, loop_served      how many clients there are, and were
 *     loops_start, loops_stop      several loops, each in a thread, that share one address
 *
 * A loop waits for all of its sockets in one call, poll() or epoll_wait(), and then calls back for
 * what has happened. Nothing else waits: its sockets are non-blocking. All callbacks of a loop come
 * in the thread that is in loop_run(), one after the other, never one within another: what one loop's
 * callbacks share needs no lock. A callback that waits holds up all clients of its loop.
 *
 * loop_send(), loop_broadcast(), loop_close(), loop_add(), loop_stop(), loop_count() and loop_served()
 * may be called in any thread, in a callback or not. The others: before loop_run(), or in a callback
 * of this loop. No call waits, loop_run() and loops_stop() apart.
 */
#ifndef LOOP_H
#define LOOP_H

#include "frame.h"
#include "splitter.h"
#include "tcp.h"

#include <stddef.h>

/* What is in it is the business of loop.c alone. */
struct loop;
struct loops;
struct loop_timer;

/* What waits for all the sockets. Nobody sees a difference, but for the speed. */
enum loop_backend { LOOP_EPOLL, LOOP_POLL };

/* Why a connection is over. Where several are true, any of them. */
enum loop_end {
    LOOP_END_CLIENT, /* the client ended its stream, or is gone */
    LOOP_END_CLOSED, /* loop_close() or loop_stop() */
    LOOP_END_IDLE,   /* for idle_ms nothing came from it, and it took nothing */
    LOOP_END_SLOW, /* more than max_output bytes would have waited for it (or no memory) */
    LOOP_END_BAD   /* what it sent breaks the rule or the format: a message too long, say;
                        or there was no memory for it */
};

/*
 * A client, as the program sees it. The loop makes it (and has more behind it); the program may write
 * to `user` alone. A pointer to it is good from the call of on_connection until on_close returns.
 */
struct loop_connection {
    unsigned long number; /* of this loop's, 1, 2, 3 ... in the order of on_connection */
    char name[ADDRESS_TEXT_SIZE]; /* the client's address, as address_text() writes it */
    struct loop *loop;
    void *context; /* the settings' */
    void *user;    /* the program's own, NULL at first */
};

struct loop_settings {
    enum loop_backend backend;

    /* How messages are told apart: by the one that is given. Both NULL: a message is what a read brought. */
    const struct splitter_rule *rule;
    const struct frame_format *format;

    /*
     * Output that the kernel does not take at once is kept, at most max_output bytes for a client. While
     * more than high_water are kept, and from then on until low_water or fewer are left, nothing is read
     * from that client: one that does not read its answers can ask nothing more. Whoever is not in that
     * state is read from. (Messages that the last read has brought are still delivered.)
     */
    size_t high_water; /* low_water to max_output */
    size_t low_water;
    size_t max_output; /* 1 or more */

    int idle_ms; /* a client from which nothing comes and that takes nothing for so long is
                    closed, as by loop_close(); 0: never */
    int linger_ms; /* what a client has, from when its connection is over for us, to take what
                      waits for it and to end its stream: 0 or more */

    /*
     * Each may be NULL. For one connection: on_connection, then on_message for each message in the order
     * in which they were sent, on_write_complete now and then, on_close last, and once.
     *
     * message, length    a frame's body, what splitter_next() gives, or the bytes of a read: valid until
     *                    the callback returns. What is left of a message when the stream ends is
     *                    thrown away.
     * on_write_complete  the kernel has taken all that was sent to this client: called once after one or
     *                    more calls of loop_send(), when nothing waits any more. May send again, without
     *                    end: the other clients have their turn in between.
     */
    void (*on_connection)(struct loop_connection *connection);
    void (*on_message)(struct loop_connection *connection, const void *message,
                       size_t length);
    void (*on_write_complete)(struct loop_connection *connection);
    void (*on_close)(struct loop_connection *connection, enum loop_end end);
    void *context; /* for the program: connection->context */

    /* Which loop is to have a client that this one, `loop`, has accepted. NULL: this one. */
    struct loop *(*choose)(struct loop *loop, void *chooser);
    void *chooser;
};

/*
 * loop_new: make a loop that does nothing yet.
 *
 * settings  copied, and what rule and format point to as well
 *
 * Returns a loop that the caller hands to loop_free(), or NULL with errno set:
 *   EINVAL  both rule and format; a rule that splitter_new() or a format that frame_format_valid()
 *           refuses; no such backend; low_water above high_water, high_water above max_output;
 *           max_output 0; a time below 0
 *   others  what the system reported: no memory, no descriptor
 */
struct loop *loop_new(const struct loop_settings *settings);

/*
 * loop_free: close and free all that the loop has, without a callback. NULL is nothing, and is done.
 * Not while it runs.
 */
void loop_free(struct loop *loop);

/*
 * loop_listen: accept clients from now on.
 *
 * listener  a socket that listens. It is the loop's from now on, which makes it non-blocking, and closes
 *           it when it stops. (The file of a UNIX socket is the caller's to remove.)
 *
 * A client that comes is accepted at once; several that wait, all. When none can be (EMFILE, ENFILE, no
 * memory), it is tried again after a while that takes no processor time; the clients that are there do not
 * notice. One for which `choose` names a loop that stops, or has stopped, is closed.
 * Returns 0, or -1 with errno set, and the listener is still the caller's: what the system reported (EPERM, say:
 * this backend cannot wait for such a descriptor).
 */
int loop_listen(struct loop *loop, int listener);

/*
 * loop_add: look after this connection too.
 *
 * fd  a connected stream socket, which is the loop's from now on. on_connection is called for it in the
 *     loop's thread, soon.
 *
 * Returns 0, or -1 with errno set, and fd is still the caller's:
 *   ECANCELED  the loop stops, or has stopped
 *   others     what the system reported: fd is no socket, no memory
 */
int loop_add(struct loop *loop, int fd);

/*
 * loop_run: wait and call back, until loop_stop() has done its work.
 *
 * Takes no processor time while nothing happens. A signal (EINTR) is no reason to stop.
 * Once, for each loop. Returns 0; or -1 with errno set, if what waits for the sockets has failed; then
 * loop_free() closes what there is.
 */
int loop_run(struct loop *loop);

/*
 * loop_stop: end loop_run(), from any thread, a callback or a signal handler. Returns at once.
 *
 * The loop then accepts no client any more. The messages that had come whole before are given to
 * on_message, from all clients that are read from, and what is sent meanwhile is sent. Then on_close is
 * called for each connection, LOOP_END_CLOSED, and each ends as with loop_close(): what was sent is
 * delivered. When all are closed, after at most linger_ms (and the callbacks' own time), loop_run()
 * returns. Timers that are not due by then are forgotten. Before loop_run(): it returns soon.
 */
void loop_stop(struct loop *loop);

/*
 * loop_send: send these n bytes to a client, behind those that were sent before.
 *
 * bytes, n  copied; n may be 0. Nothing is added: no length, no delimiter.
 *
 * Never waits. What is sent in the callbacks of one read leaves in one write, where the kernel takes it:
 * writes cost more than bytes. (More than high_water bytes need not wait for that.) What the kernel does
 * not take at once is kept, and sent when the client makes room; if more than max_output bytes would
 * have to be kept, the client is too slow: the connection is cut, on_close is called, LOOP_END_SLOW, and
 * what was kept is gone. The bytes of one call stay together.
 * Returns 0; or -1 with errno set:
 *   EPIPE    the connection is over, or the client turns out to be gone
 *   ENOBUFS  this client is too slow, as above
 *   ENOMEM   no memory to keep the bytes: the connection is cut likewise, LOOP_END_SLOW
 */
int loop_send(struct loop_connection *connection, const void *bytes, size_t n);

/*
 * loop_broadcast: send to all clients of this loop but one.
 *
 * except  the one; NULL: to all. It may be of another loop, or one whose on_close runs.
 *
 * For each it is as with loop_send(), and one that is too slow is cut likewise: the others get it.
 * Returns how many it was sent to: those for which loop_send() would have returned 0.
 */
size_t loop_broadcast(struct loop *loop, const struct loop_connection *except,
                      const void *bytes, size_t n);

/*
 * loop_close: end this connection. Returns at once.
 *
 * No message of it is delivered any more, and loop_send() says EPIPE. What was sent before is still
 * delivered; on_close is called, soon; the client sees the end of the stream, and has linger_ms to read
 * up to it and to end its own. Until then what it sends is read and thrown away, so that no reset destroys
 * what is under way to it. Does nothing if the connection is over already.
 */
void loop_close(struct loop_connection *connection);

/*
 * loop_after: call back once, ms milliseconds from now: never earlier, and as soon after that as the loop is free. In
 * the order of their times; those of the same time in the order of their calls.
 *
 * Returns a timer for loop_cancel(), good until its callback is called; NULL with errno ENOMEM.
 */
struct loop_timer *loop_after(struct loop *loop, int ms, void (*callback)(void *context),
                              void *context);

/* loop_cancel: this callback is not to be called any more. */
void loop_cancel(struct loop *loop, struct loop_timer *timer);

/*
 * loop_count: how many clients the loop has now: those that were added, or accepted, and whose on_close
 * has not been called. loop_served: how many it has ever had.
 */
unsigned long loop_count(struct loop *loop);
unsigned long loop_served(struct loop *loop);

/* ---- several loops --------------------------------------------------------------- */

/* Which loop is to have a new client. */
enum loop_balance {
    LOOP_ROUND_ROBIN, /* each in turn: the first client goes to the first loop, the next to the next */
    LOOP_RANDOM, /* the kernel's choice among the listeners (SO_REUSEPORT: by a hash of the addresses) */
    LOOP_LEAST /* the one that has the fewest (loop_count()); of several the first */
};

struct loops_settings {
    struct loop_settings loop; /* of each of them */
    int n;                     /* how many: 1 or more */
    enum loop_balance balance;
    const char *host,
        *service;     /* TCP, as tcp_listen() takes them; service NULL: not on TCP */
    const char *path; /* a UNIX socket, as local_listen() takes it; NULL: on none */
};

/*
 * loops_start: n loops in n threads, at one address.
 *
 * On TCP each loop has a listener of its own at the same address and port (SO_REUSEPORT). A UNIX socket's
 * listener is the first loop's, which hands clients on (LOOP_RANDOM: to any of them). The file that
 * a dead server left at the path is taken away before (local_unlink_stale()). Signals are blocked in the
 * threads. Callbacks of connections of different loops may run at the same time. The listeners are as tcp_listen()
 * and local_listen() make them: close-on-exec, for IPv6 alone if the address is one, and at once again
 * where another server has just ended.
 *
 * Returns when clients can connect; or NULL with errno set, and then nothing is left behind:
 *   EINVAL      n below 1; no such balance; neither service nor path; or as loop_new()
 *   EADDRINUSE  somebody listens there, be it with SO_REUSEPORT
 *   others      what tcp_listen(), local_unlink_stale(), local_listen() or the system reported
 */
struct loops *loops_start(const struct loops_settings *settings);

/* The ith of them, from 0 on. */
struct loop *loops_get(struct loops *loops, int i);

/* Where they listen: "127.0.0.1:41233", the path as address_text() writes it; "" if not. */
const char *loops_tcp(const struct loops *loops);
const char *loops_local(const struct loops *loops);

/*
 * loops_stop: loop_stop() for all, and wait until all have ended. The threads are joined, and the socket
 * file is removed. loops_get(), loop_served() still work; loops_free() frees all.
 */
void loops_stop(struct loops *loops);
void loops_free(struct loops *loops);

#endif
