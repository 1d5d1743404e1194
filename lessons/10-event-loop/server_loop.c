#define _POSIX_C_SOURCE 200809L
#include "server_loop.h"
#include "loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A server of lesson 09 on one loop: all that is here runs in that loop's thread, but for send(),
   broadcast() and close(), which pass on what they are told. */

struct hub {
    struct server seen; /* first, so that a pointer to it is one to all */
    struct server_settings settings;
    struct loops *loops;
    char *refusal;
    int served;
    unsigned long number;
};

struct client {
    struct connection seen; /* first */
    struct loop_connection *link;
};

static struct loop_connection *link_of(struct connection *connection)
{
    return ((struct client *)connection)->link;
}

/* ---- from the loop to the program ------------------------------------------------ */

/* TODO 10, second: one too many: it is sent the refusal, and closed. The program never hears of it: its user stays NULL. */
static void refuse(struct loop_connection *link, const struct hub *hub)
{
    (void)link, (void)hub; /* delete this line */
}

/*
 * TODO 10: make a struct client for this connection, if there is a place and memory (otherwise refuse()). Its link, the
 * number, the context and the name must be in it, and it be the link's user, before the program is called back
 * (each callback may be NULL).
 */
static void begin(struct loop_connection *link)
{
    (void)link, (void)refuse; /* delete this line */
}

/* TODO 10, third: the program's on_message, if it has one. */
static void pass_on(struct loop_connection *link, const void *message, size_t length)
{
    (void)link, (void)message, (void)length; /* delete this line */
}

/* TODO 10, fourth: its place is free, the program hears why (a table: SERVER_END_LONG for LOOP_END_BAD), the client is freed. */
static void end(struct loop_connection *link, enum loop_end why)
{
    (void)link, (void)why; /* delete this line */
}

/* ---- from the program to the loop ------------------------------------------------ */

static int engine_send(struct connection *connection, const void *bytes, size_t n)
{
    return loop_send(link_of(connection), bytes, n);
}

static size_t engine_broadcast(struct connection *sender, const void *bytes, size_t n)
{
    struct loop_connection *link = link_of(sender);
    return loop_broadcast(link->loop, link, bytes, n);
}

static void engine_close(struct connection *connection)
{
    loop_close(link_of(connection));
}

/* ---- beginning and end ----------------------------------------------------------- */

/* A client that is slow is cut, and never left unread: the water marks are where the output ends. */
static struct loops *start_loop(struct hub *hub)
{
    const struct server_settings *settings = &hub->settings;
    struct loops_settings one = {.n = 1,
                                 .host = settings->host,
                                 .service = settings->service,
                                 .path = settings->path,
                                 .loop = {.rule = &settings->rule,
                                          .high_water = settings->max_output,
                                          .low_water = settings->max_output,
                                          .max_output = settings->max_output,
                                          .linger_ms = settings->linger_ms,
                                          .on_connection = begin,
                                          .on_message = pass_on,
                                          .on_close = end,
                                          .context = hub}};
    return loops_start(&one);
}

static void free_hub(struct hub *hub)
{
    free(hub->refusal);
    free(hub);
}

static struct server *engine_start(const struct server_settings *settings)
{
    if (settings->max_connections < 1) {
        errno = EINVAL;
        return NULL;
    }
    struct hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL)
        return NULL;
    hub->settings = *settings;
    hub->refusal = strdup(settings->refusal != NULL ? settings->refusal : "");
    if (hub->refusal != NULL && (hub->loops = start_loop(hub)) != NULL) {
        memcpy(hub->seen.tcp, loops_tcp(hub->loops), sizeof hub->seen.tcp);
        memcpy(hub->seen.local, loops_local(hub->loops), sizeof hub->seen.local);
        return &hub->seen;
    }
    int error = errno;
    free_hub(hub);
    errno = error;
    return NULL;
}

static void engine_stop(struct server *server)
{
    struct hub *hub = (struct hub *)server;
    loops_stop(hub->loops);
    loops_free(hub->loops);
    free_hub(hub);
}

const struct server_engine server_loop = {.start = engine_start,
                                          .stop = engine_stop,
                                          .send = engine_send,
                                          .broadcast = engine_broadcast,
                                          .close = engine_close};
