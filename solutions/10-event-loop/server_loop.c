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

/* One too many: the loop sees it off, and the program never hears of it: its user stays NULL. */
static void refuse(struct loop_connection *link, const struct hub *hub)
{
    loop_send(link, hub->refusal, strlen(hub->refusal));
    loop_close(link);
}

static void begin(struct loop_connection *link)
{
    struct hub *hub = link->context;
    bool full = hub->served == hub->settings.max_connections;
    struct client *client = full ? NULL : calloc(1, sizeof *client);
    if (client == NULL) {
        refuse(link, hub);
        return;
    }
    hub->served++;
    link->user = client;
    client->link = link;
    client->seen.number = ++hub->number;
    client->seen.context = hub->settings.context;
    memcpy(client->seen.name, link->name, sizeof link->name);
    if (hub->settings.on_connection != NULL)
        hub->settings.on_connection(&client->seen);
}

static void pass_on(struct loop_connection *link, const void *message, size_t length)
{
    struct hub *hub = link->context;
    struct client *client = link->user;
    if (hub->settings.on_message != NULL)
        hub->settings.on_message(&client->seen, message, length);
}

static void end(struct loop_connection *link, enum loop_end why)
{
    static const enum server_end ends[] = {[LOOP_END_CLIENT] = SERVER_END_CLIENT,
                                           [LOOP_END_CLOSED] = SERVER_END_CLOSED,
                                           [LOOP_END_SLOW] = SERVER_END_SLOW,
                                           [LOOP_END_BAD] = SERVER_END_LONG};
    struct hub *hub = link->context;
    struct client *client = link->user;
    if (client == NULL)
        return;
    hub->served--;
    if (hub->settings.on_close != NULL)
        hub->settings.on_close(&client->seen, ends[why]);
    free(client);
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
