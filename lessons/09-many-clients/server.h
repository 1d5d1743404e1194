/*
 * server.h: many clients, one program.
 *
 * A program says what is to be done with a message. An engine does all the rest: it listens, accepts,
 * reads, cuts the stream into messages, calls the program back, and sends what the program says.
 *
 *     server_threads    an engine: a thread for each client
 *     server_pool       another: a fixed number of threads for all of them
 *
 * Both keep the same promises, those of this header, so a program chooses one in one line:
 *
 *     static const struct server_engine *const engine = &server_threads;
 *     ...
 *     struct server *server = engine->start(&settings);
 *     ... wait for a signal ...
 *     engine->stop(server);
 *
 * Nothing here asks for threads: an engine may call back from one thread or from a hundred. Whatever it
 * waits for, a client or a callback, the wait takes no processor time.
 */
#ifndef SERVER_H
#define SERVER_H

#include "splitter.h"
#include "tcp.h"

#include <stddef.h>

/*
 * A client, as the program sees it. The engine makes it (and has more behind it), the program may
 * write to `user` alone. A pointer to it is good from the call of on_connection until on_close
 * returns, in any thread.
 */
struct connection {
    unsigned long
        number; /* 1, 2, 3 ... in the order in which they were accepted; one that is refused, or
                   closed for want of memory or a thread, has none */
    char name[ADDRESS_TEXT_SIZE]; /* the client's address, as address_text() writes it */
    void *context;                /* the settings' */
    void *user;                   /* the program's own, NULL at first */
};

/* Why a connection is over. Where several are true, any of them. */
enum server_end {
    SERVER_END_CLIENT, /* the client ended its stream, or is gone */
    SERVER_END_CLOSED, /* close() of the engine, or stop() */
    SERVER_END_SLOW,   /* more than max_output bytes would have waited for it */
    SERVER_END_LONG /* a message longer than rule.max_length, or than there is memory for */
};

/* What a server is to be. start() copies it: the texts too, and whatever the pointers lead to. */
struct server_settings {
    const char *host,
        *service;        /* TCP, as tcp_listen() takes them; service NULL: not on TCP */
    const char *path;    /* a UNIX socket, as local_listen() takes it; NULL: on none */
    int max_connections; /* clients served at once: 1 or more */
    const char *refusal; /* all that the one too many is told; NULL: nothing */
    size_t max_output;   /* bytes that may wait for one client in our memory: 1 or more */
    int linger_ms; /* milliseconds that a client has to take what waits for it and to end its
                      stream, once the connection is over for us: 0 or more */
    int workers; /* server_pool: how many threads call back: 1 or more. Others ignore it. */
    struct splitter_rule
        rule; /* how a client's messages are told apart: see splitter.h */

    /*
     * The callbacks, each of which may be NULL. For one connection they come one after the other,
     * never two at a time: on_connection, on_message for each message in the order in which they
     * were sent, on_close. Those of different connections may run at the same time: what they
     * share, the program must guard. No lock of the engine's is held meanwhile: they may call
     * send(), broadcast() and close(), of this connection and of others. They may take their time:
     * one that waits holds up its own client (and in an engine of n threads, n of them hold up
     * all), nobody else.
     *
     * message, length  one message, as splitter_next() gives it: valid until the callback returns
     */
    void (*on_connection)(struct connection *connection);
    void (*on_message)(struct connection *connection, const void *message, size_t length);
    void (*on_close)(struct connection *connection, enum server_end end);
    void *context; /* for the program: connection->context */
};

/* A server that runs. There is more behind it, the engine's. */
struct server {
    char tcp
        [ADDRESS_TEXT_SIZE]; /* where it listens: "127.0.0.1:41233"; "" if not on TCP */
    char local
        [ADDRESS_TEXT_SIZE]; /* where else: the path, as address_text() writes it, or "" */
};

struct server_engine {
    /*
     * start: listen, and serve from now on.
     *
     * Listens on TCP and on the path at once, where both are given. The file that a dead server left
     * at the path is taken away before (local_unlink_stale()). Returns when clients can connect.
     *
     * Of the clients that connect, max_connections are served at a time, whichever way they come. One
     * too many is accepted, sent the refusal, and its connection ended as by close(), without a
     * callback: at least 60 of them can be on their way out at a time, and who comes then may have to wait.
     * A client's place is free again from the call of its on_close on.
     * When no descriptor (EMFILE, ENFILE) or no memory or thread is left for a new client, the others
     * do not notice; it is accepted later or closed, and the wait for that takes no processor time.
     *
     * Returns the server, for stop(); or NULL with errno set, and then nothing is left behind, no
     * thread, no descriptor, no file:
     *   EINVAL  neither service nor path; max_connections or max_output or (server_pool) workers
     *           below 1; linger_ms below 0; a rule that splitter_new() refuses
     *   others  what tcp_listen(), local_unlink_stale(), local_listen() or the system reported
     */
    struct server *(*start)(const struct server_settings *settings);

    /*
     * stop: end it, and wait until it has ended. Not to be called from a callback.
     *
     * No client is accepted any more. First the messages that had come whole before, from all clients,
     * are given to on_message, and what is sent meanwhile is sent. (What comes later is not waited for: a
     * client that never ceases to send does not put the end off.) Then on_close is called for each
     * connection, SERVER_END_CLOSED, and they end as with close(): what was sent is delivered. After at
     * most linger_ms (and the callbacks' own time) everything is closed, whatever the clients do. When
     * stop() returns, no callback runs or will run, every thread has been joined, every descriptor
     * closed, the socket file removed, and server is no more.
     */
    void (*stop)(struct server *server);

    /*
     * send: send these n bytes to a client, behind those that were sent before.
     *
     * bytes, n  copied; n may be 0. Nothing is added: what is a message is the program's business.
     *
     * Never waits. What the kernel does not take at once is kept, and sent when the client makes room;
     * if more than max_output bytes would have to be kept, the client is too slow: the connection is
     * cut, on_close is called, SERVER_END_SLOW, and what was kept is gone.
     * The bytes of one call stay together, whichever threads send at the same time. The caller may be
     * in any thread, in a callback or not.
     * Returns 0; or -1 with errno set:
     *   EPIPE    the connection is over (close(), stop(), on_close, or the client has gone)
     *   ENOBUFS  this client is too slow, as above
     *   ENOMEM   no memory to keep the bytes: the connection is cut likewise
     */
    int (*send)(struct connection *connection, const void *bytes, size_t n);

    /*
     * broadcast: send to all clients but this one. (It may be called in its on_close.)
     *
     * A client is one of all from the call of its on_connection on (or a little earlier), until its
     * on_close is called. For each of them it is as with send(), and one that is too slow is cut
     * likewise: the others get it.
     * Returns how many it was sent to: those for which send() would have returned 0.
     */
    size_t (*broadcast)(struct connection *sender, const void *bytes, size_t n);

    /*
     * close: end this connection. Returns at once.
     *
     * No message of it is begun any more, and send() says EPIPE. What was sent before is still
     * delivered; then the client sees the end of the stream, and has linger_ms, from the call of close()
     * on, to read it and to end its own: until then what it sends is read and thrown away, so that no
     * reset destroys what is under way to it. on_close is called when the callback that runs (this
     * call's, perhaps) has returned: at once, or when the client has ended its stream, and at the latest
     * when linger_ms are over. Does nothing if the connection is over already.
     */
    void (*close)(struct connection *connection);
};

extern const struct server_engine server_threads;
extern const struct server_engine server_pool;

#endif
