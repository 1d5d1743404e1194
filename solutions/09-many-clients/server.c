#define _GNU_SOURCE /* Linux: eventfd(2) */
#include "server.h"
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/*
 * Who does what. The keeper, one thread of each server, accepts, sends what had to wait, and sees
 * connections off. Messages are read and given to the program by the client's own thread
 * (server_threads), or by the next worker that is free (server_pool: the keeper sees which client has
 * sent something). So nobody waits for one client but its own thread.
 *
 * One lock guards all that they share. It is never held while something waits, and never in a callback.
 */

enum { CHUNK = 16 * 1024 }; /* bytes of one read */
enum { LEAVING = 64 };      /* connections on their way out, beside those served */
/* The first places of what the keeper waits for. */
enum { TCP, LOCAL, WAKE, LISTENERS = WAKE };
enum { SOON_MS = 20 }; /* when to try again to accept */
enum { NONE = -1 };    /* instead of a descriptor */

struct client {
    struct connection
        seen; /* by the program; first, so that a pointer to it is one to all */
    struct hub *hub;
    int fd;
    struct splitter *splitter; /* its thread's, or its worker's */
    pthread_t thread;          /* server_threads: its own */
    bool has_thread;
    bool greeted; /* on_connection has been called */

    /* under the lock */
    bool served; /* it has a place: until on_close */
    bool open;   /* messages may be begun, and bytes be sent */
    bool busy;   /* server_pool: it is in the queue, or with a worker */
    bool
        heard; /* nothing is waited for: the server stops, and what had come from it has been
                  given to the program; or it has gone */
    bool over;  /* no callback is to come: the keeper sees it off */
    bool deaf;  /* it takes no more bytes */
    bool ended; /* we have ended our stream */
    enum server_end end;
    int64_t
        deadline; /* when everything is over, in milliseconds; NEVER while it is open, and
                     once it has passed and see_off() has acted on it */
    unsigned char *output;
    size_t from, to,
        room; /* what lies between from and to in output waits for the client */
    struct client *next; /* server_pool: behind it in the queue */
};

struct hub {
    struct server seen;
    struct server_settings settings;
    char *path, *refusal;
    int listeners[LISTENERS];
    int wake; /* an eventfd: the keeper is to look again */
    int stop; /* an eventfd: readable once the server stops */
    pthread_t keeper;
    pthread_t *workers; /* server_pool; NULL: a thread for each client */
    int working;        /* how many of them run */
    bool resting;       /* the keeper's: a client could not be accepted just now */
    struct pollfd *waits;

    pthread_mutex_t lock;
    struct client **clients; /* the keeper alone adds and removes */
    size_t count, most;
    int served, unheard; /* how many of the clients are */
    unsigned long number;
    bool stopping;
    bool idle_no_more; /* the workers are to end */
    pthread_cond_t job, all_heard;
    struct client *first, *last; /* the queue of those that a worker is to look at */
};

static const int64_t NEVER = INT64_MAX;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wake_keeper(struct hub *hub)
{
    eventfd_write(hub->wake, 1); /* it fails only where the keeper is woken already */
}

/* ---- what is sent (under the lock) ----------------------------------------------- */

/* From now on there is an end in sight. */
static void set_deadline(struct client *client)
{
    if (client->deadline == NEVER)
        client->deadline = now_ms() + client->hub->settings.linger_ms;
}

static void end_client(struct client *client, enum server_end end)
{
    if (!client->open)
        return;
    client->open = false;
    client->end = end;
    set_deadline(client);
    wake_keeper(client->hub);
}

static void drop_output(struct client *client)
{
    client->deaf = true;
    client->from = client->to;
}

/* Not a byte more, in either direction: whoever waits for this client sees the end of the stream. */
static void cut(struct client *client)
{
    shutdown(client->fd, SHUT_RDWR);
    end_client(client, SERVER_END_SLOW);
}

/* Send what the kernel takes now. Returns how many bytes; a client that has gone takes none. */
static size_t send_now(struct client *client, const void *bytes, size_t n)
{
    ssize_t sent = send(client->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == -1 && errno != EAGAIN && errno != EINTR)
        drop_output(client);
    return sent == -1 ? 0 : (size_t)sent;
}

static void send_output(struct client *client)
{
    client->from +=
        send_now(client, client->output + client->from, client->to - client->from);
}

/* Make room for n more bytes behind those that wait. */
static bool make_room(struct client *client, size_t n)
{
    size_t waiting = client->to - client->from;
    if (client->from > 0)
        memmove(client->output, client->output + client->from, waiting);
    client->from = 0;
    client->to = waiting;
    if (waiting + n <= client->room)
        return true;
    size_t room = 2 * (waiting + n);
    unsigned char *larger = realloc(client->output, room);
    if (larger == NULL)
        return false;
    client->output = larger;
    client->room = room;
    return true;
}

static int keep(struct client *client, const unsigned char *bytes, size_t n)
{
    int error = 0;
    if (n > client->hub->settings.max_output - (client->to - client->from))
        error = ENOBUFS;
    else if (client->to + n > client->room && !make_room(client, n))
        error = ENOMEM;
    if (error != 0) {
        cut(client);
        errno = error;
        return -1;
    }
    memcpy(client->output + client->to, bytes, n);
    client->to += n;
    wake_keeper(client->hub);
    return 0;
}

static int send_locked(struct client *client, const void *bytes, size_t n)
{
    size_t sent = 0;
    if (client->open && !client->deaf && client->from == client->to)
        sent = send_now(client, bytes, n);
    if (!client->open || client->deaf) {
        errno = EPIPE;
        return -1;
    }
    return sent == n ? 0 : keep(client, (const unsigned char *)bytes + sent, n - sent);
}

/* ---- the engine's functions ------------------------------------------------------ */

static int engine_send(struct connection *connection, const void *bytes, size_t n)
{
    struct client *client = (struct client *)connection;
    pthread_mutex_lock(&client->hub->lock);
    int result = send_locked(client, bytes, n);
    pthread_mutex_unlock(&client->hub->lock);
    return result;
}

static size_t engine_broadcast(struct connection *sender, const void *bytes, size_t n)
{
    struct hub *hub = ((struct client *)sender)->hub;
    size_t reached = 0;
    pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < hub->count; i++) {
        struct client *client = hub->clients[i];
        if (&client->seen != sender && client->served &&
            send_locked(client, bytes, n) == 0)
            reached++;
    }
    pthread_mutex_unlock(&hub->lock);
    return reached;
}

static void engine_close(struct connection *connection)
{
    struct client *client = (struct client *)connection;
    pthread_mutex_lock(&client->hub->lock);
    end_client(client, SERVER_END_CLOSED);
    pthread_mutex_unlock(&client->hub->lock);
}

/* ---- what is read (in the client's thread, or a worker) -------------------------- */

static bool is_open(struct client *client)
{
    pthread_mutex_lock(&client->hub->lock);
    bool open = client->open;
    pthread_mutex_unlock(&client->hub->lock);
    return open;
}

static void end_input(struct client *client, enum server_end end)
{
    pthread_mutex_lock(&client->hub->lock);
    end_client(client, end);
    pthread_mutex_unlock(&client->hub->lock);
}

/* Give the program all messages that have come whole. */
static void give_messages(struct client *client)
{
    const struct server_settings *settings = &client->hub->settings;
    const void *message;
    size_t length;
    int result = 0;
    while (is_open(client) &&
           (result = splitter_next(client->splitter, &message, &length)) == 1)
        if (settings->on_message != NULL)
            settings->on_message(&client->seen, message, length);
    if (result == -1)
        end_input(client, SERVER_END_LONG);
}

/* Read once, at most *left bytes; those that came are taken from it. */
static void read_once(struct client *client, size_t *left)
{
    unsigned char bytes[CHUNK];
    ssize_t got = recv(client->fd, bytes, *left < CHUNK ? *left : CHUNK, MSG_DONTWAIT);
    if (got > 0) {
        *left -= (size_t)got;
        if (splitter_feed(client->splitter, bytes, (size_t)got) == -1)
            end_input(client, SERVER_END_LONG);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        end_input(client, SERVER_END_CLIENT);
    }
    give_messages(client);
}

/* The lock is held. The server stops when all clients have been heard, and not before. */
static void count_heard(struct client *client)
{
    if (!client->heard)
        client->hub->unheard--;
    client->heard = true;
    if (client->hub->unheard == 0)
        pthread_cond_broadcast(&client->hub->all_heard);
}

/* The server stops: what has come until now is still read, and not what comes meanwhile. */
static void read_the_rest(struct client *client)
{
    int come = 0;
    ioctl(client->fd, FIONREAD, &come);
    size_t left = (size_t)come;
    while (left > 0 && is_open(client))
        read_once(client, &left);
    pthread_mutex_lock(&client->hub->lock);
    count_heard(client);
    pthread_mutex_unlock(&client->hub->lock);
}

static bool is_stopping(struct hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    bool stopping = hub->stopping;
    pthread_mutex_unlock(&hub->lock);
    return stopping;
}

/* Something may have happened to this client. False: its connection is over. */
static bool attend(struct client *client)
{
    if (!client->greeted) {
        client->greeted = true;
        if (client->hub->settings.on_connection != NULL)
            client->hub->settings.on_connection(&client->seen);
    }
    size_t most = CHUNK;
    if (!is_stopping(client->hub))
        read_once(client, &most);
    else if (!client->heard)
        read_the_rest(client);
    else
        end_input(client, SERVER_END_CLOSED);
    return is_open(client);
}

/* The last callback; then the client is the keeper's. */
static void say_goodbye(struct client *client)
{
    struct hub *hub = client->hub;
    pthread_mutex_lock(&hub->lock);
    client->served = false;
    hub->served--;
    count_heard(client);
    enum server_end end = client->end;
    pthread_mutex_unlock(&hub->lock);
    if (hub->settings.on_close != NULL)
        hub->settings.on_close(&client->seen, end);
    pthread_mutex_lock(&hub->lock);
    client->over = true;
    wake_keeper(hub);
    pthread_mutex_unlock(&hub->lock);
}

/* server_threads: until there may be something to do. */
static void wait_for(struct client *client)
{
    struct hub *hub = client->hub;
    struct pollfd waits[] = {{.fd = client->fd, .events = POLLIN},
                             {.fd = hub->stop, .events = POLLIN}};
    if (!client->heard) {
        poll(waits, 2, -1);
        return;
    }
    pthread_mutex_lock(&hub->lock);
    while (hub->unheard > 0)
        pthread_cond_wait(&hub->all_heard, &hub->lock);
    pthread_mutex_unlock(&hub->lock);
}

/* The life of one client's thread. */
static void *run_client(void *argument)
{
    struct client *client = argument;
    while (attend(client))
        wait_for(client);
    say_goodbye(client);
    return NULL;
}

/* server_pool: wait for a client that is to be looked at; NULL: there will be none. */
static struct client *next_job(struct hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    while (hub->first == NULL && !hub->idle_no_more)
        pthread_cond_wait(&hub->job, &hub->lock);
    struct client *client = hub->first;
    if (client != NULL)
        hub->first = client->next;
    pthread_mutex_unlock(&hub->lock);
    return client;
}

static void *run_worker(void *argument)
{
    struct hub *hub = argument;
    struct client *client;
    while ((client = next_job(hub)) != NULL) {
        if (!attend(client)) {
            say_goodbye(client);
            continue;
        }
        pthread_mutex_lock(&hub->lock);
        client->busy = false;
        wake_keeper(hub);
        pthread_mutex_unlock(&hub->lock);
    }
    return NULL;
}

/* ---- the keeper ------------------------------------------------------------------ */

/* server_pool, under the lock: the next worker that is free is to look at this client. */
static void queue_client(struct client *client)
{
    struct hub *hub = client->hub;
    client->busy = true;
    client->next = NULL;
    if (hub->first == NULL)
        hub->first = client;
    else
        hub->last->next = client;
    hub->last = client;
    pthread_cond_signal(&hub->job);
}

static bool start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
    errno = pthread_create(thread, NULL, run, argument);
    return errno == 0;
}

/* The lock is held. Hand the client to a thread. */
static bool hand_over(struct client *client)
{
    if (client->hub->workers != NULL) {
        queue_client(client);
        return true;
    }
    client->has_thread = start_thread(&client->thread, run_client, client);
    return client->has_thread;
}

static void free_client(struct client *client)
{
    close(client->fd);
    splitter_free(client->splitter);
    free(client->output);
    free(client);
}

static struct client *new_client(struct hub *hub, int fd,
                                 const struct sockaddr_storage *address, socklen_t length)
{
    struct splitter *splitter = splitter_new(&hub->settings.rule);
    struct client *client = splitter == NULL ? NULL : calloc(1, sizeof *client);
    if (client == NULL) {
        splitter_free(splitter);
        return NULL;
    }
    *client = (struct client){.seen.context = hub->settings.context,
                              .hub = hub,
                              .fd = fd,
                              .open = true,
                              .deadline = NEVER,
                              .splitter = splitter};
    address_text((const struct sockaddr *)address, length, client->seen.name,
                 sizeof client->seen.name);
    return client;
}

/* The lock is held. A server that stops has no place, either. */
static bool is_full(const struct hub *hub)
{
    return hub->served == hub->settings.max_connections || hub->stopping;
}

/* The lock is held. Told, and seen off as any other. */
static void refuse(struct client *client)
{
    send_locked(client, client->hub->refusal, strlen(client->hub->refusal));
    end_client(client, SERVER_END_CLOSED);
    client->over = true;
}

/* The lock is held. Give the client a place, or refuse it. False: no thread could be had for it. */
static bool admit(struct client *client)
{
    struct hub *hub = client->hub;
    if (is_full(hub)) {
        refuse(client);
        return true;
    }
    client->seen.number = hub->number + 1;
    client->served = true;
    if (!hand_over(client))
        return false;
    hub->number++;
    hub->served++;
    hub->unheard++;
    return true;
}

/* Accept one client. False: there is none, or (and then the keeper rests) it cannot be done now. */
static bool accept_one(struct hub *hub, int listener)
{
    struct sockaddr_storage address;
    socklen_t length;
    int fd = tcp_accept(listener, &address, &length); /* of any family */
    if (fd == -1) {
        hub->resting = errno != EAGAIN;
        return false;
    }
    struct client *client = new_client(hub, fd, &address, length);
    if (client == NULL) {
        hub->resting = true;
        close(fd);
        return false;
    }
    pthread_mutex_lock(&hub->lock);
    hub->resting = !admit(client);
    if (!hub->resting)
        hub->clients[hub->count++] = client;
    pthread_mutex_unlock(&hub->lock);
    if (hub->resting)
        free_client(client);
    return !hub->resting;
}

/* Is there anything that this client is waited for? */
static short events_of(const struct client *client)
{
    short events = 0;
    if (client->from < client->to)
        events |= POLLOUT;
    if (client->over || (client->hub->workers != NULL && !client->busy && !client->heard))
        events |= POLLIN;
    return events;
}

/* Under the lock: what is to be waited for, and how long. */
static int prepare(struct hub *hub)
{
    int64_t deadline = hub->resting ? now_ms() + SOON_MS : NEVER;
    bool accepting = !hub->stopping && !hub->resting && hub->count < hub->most;
    for (int i = 0; i < LISTENERS; i++)
        hub->waits[i] =
            (struct pollfd){.fd = accepting ? hub->listeners[i] : -1, .events = POLLIN};
    hub->waits[WAKE] = (struct pollfd){.fd = hub->wake, .events = POLLIN};
    for (size_t i = 0; i < hub->count; i++) {
        struct client *client = hub->clients[i];
        short events = events_of(client);
        /* without an event an fd is left out: poll() would still tell of its errors, at once, always */
        hub->waits[WAKE + 1 + i] =
            (struct pollfd){.fd = events ? client->fd : -1, .events = events};
        if (client->deadline < deadline)
            deadline = client->deadline;
    }
    if (deadline == NEVER)
        return -1;
    int64_t left = deadline - now_ms();
    return left > 0 ? (int)left : 0;
}

/*
 * Read what the client still sends, and throw it away. True: it has ended its stream, or is gone: an
 * error is told once, and then the end.
 */
static bool drain(struct client *client)
{
    unsigned char bytes[CHUNK];
    return recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT) == 0;
}

/* The lock is held. A connection that is over, or soon will be. True: it can be closed. */
static bool see_off(struct client *client)
{
    if (client->deadline <= now_ms()) {
        client->deadline = NEVER; /* once is enough */
        drop_output(client);
        shutdown(client->fd, SHUT_RDWR); /* if its thread still waits, this wakes it */
    }
    if (!client->deaf && !client->ended && client->from == client->to) {
        shutdown(client->fd, SHUT_WR);
        client->ended = true;
    }
    return client->over && (client->deaf || (client->ended && drain(client)));
}

/* server_pool, the lock is held: is there something that a worker is to do for this client? */
static bool is_due(const struct client *client, short revents)
{
    const struct hub *hub = client->hub;
    if (client->busy || client->over)
        return false;
    if (hub->stopping && (!client->heard || hub->unheard == 0))
        return true;
    return (revents & ~POLLOUT) || !client->open;
}

/* The lock is held. Look after one client. True: it is to be removed. */
static bool look_after(struct client *client, short revents)
{
    if (client->from < client->to && revents)
        send_output(client);
    if (client->hub->workers != NULL && is_due(client, revents))
        queue_client(client);
    return !client->open && see_off(client);
}

static void remove_client(struct hub *hub, size_t i)
{
    struct client *client = hub->clients[i];
    hub->clients[i] = hub->clients[--hub->count];
    if (client->has_thread)
        pthread_join(client->thread,
                     NULL); /* it has let go of the lock for the last time */
    free_client(client);
}

/* False: the server has stopped, and all clients are gone. */
static bool look_after_all(struct hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    for (size_t i = hub->count; i-- > 0;)
        if (look_after(hub->clients[i], hub->waits[WAKE + 1 + i].revents))
            remove_client(hub, i);
    bool more = !hub->stopping || hub->count > 0;
    pthread_mutex_unlock(&hub->lock);
    return more;
}

static void *run_keeper(void *argument)
{
    struct hub *hub = argument;
    do {
        pthread_mutex_lock(&hub->lock);
        int timeout = prepare(hub);
        pthread_mutex_unlock(&hub->lock);
        poll(hub->waits, WAKE + 1 + hub->count, timeout);
        eventfd_t times;
        if (hub->waits[WAKE].revents)
            eventfd_read(hub->wake, &times);
        hub->resting = false;
        for (int i = 0; i < LISTENERS; i++)
            while (hub->waits[i].revents && hub->count < hub->most &&
                   accept_one(hub, hub->listeners[i]))
                ;
    } while (look_after_all(hub));
    return NULL;
}

/* ---- beginning and end ----------------------------------------------------------- */

static bool is_valid(const struct server_settings *settings, bool pool)
{
    bool valid = (settings->service != NULL || settings->path != NULL) &&
                 settings->max_connections >= 1 && settings->max_output >= 1 &&
                 settings->linger_ms >= 0 && (!pool || settings->workers >= 1);
    struct splitter *splitter = valid ? splitter_new(&settings->rule) : NULL;
    splitter_free(splitter);
    if (!valid)
        errno = EINVAL;
    return splitter != NULL;
}

static struct hub *new_hub(const struct server_settings *settings)
{
    struct hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL)
        return NULL;
    *hub = (struct hub){.settings = *settings,
                        .listeners = {NONE, NONE},
                        .most = (size_t)settings->max_connections + LEAVING,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .job = PTHREAD_COND_INITIALIZER,
                        .all_heard = PTHREAD_COND_INITIALIZER,
                        .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                        .stop = eventfd(0, EFD_CLOEXEC)};
    hub->path = strdup(settings->path != NULL ? settings->path : "");
    hub->refusal = strdup(settings->refusal != NULL ? settings->refusal : "");
    hub->clients = calloc(hub->most, sizeof *hub->clients);
    hub->waits = calloc(WAKE + 1 + hub->most, sizeof *hub->waits);
    return hub;
}

/* Close and free all that there is of it. No thread runs any more. */
static void free_hub(struct hub *hub)
{
    int fds[] = {hub->listeners[TCP], hub->listeners[LOCAL], hub->wake, hub->stop};
    if (hub->listeners[LOCAL] != NONE && hub->path[0] != '@')
        unlink(hub->path); /* best effort: whoever took it away has done our work */
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] != NONE)
            close(fds[i]);
    pthread_mutex_destroy(&hub->lock);
    pthread_cond_destroy(&hub->job);
    pthread_cond_destroy(&hub->all_heard);
    free(hub->workers);
    free(hub->clients);
    free(hub->waits);
    free(hub->path);
    free(hub->refusal);
    free(hub);
}

/* Write where a listener listens. Non-blocking: a client that poll() has seen may be gone. */
static bool make_ready(int listener, char text[ADDRESS_TEXT_SIZE])
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    return listener != -1 && fcntl(listener, F_SETFL, O_NONBLOCK) == 0 &&
           getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
           address_text((struct sockaddr *)&address, length, text, ADDRESS_TEXT_SIZE) ==
               0;
}

static bool listen_everywhere(struct hub *hub)
{
    if (hub->settings.service != NULL) {
        hub->listeners[TCP] =
            tcp_listen(hub->settings.host, hub->settings.service, SOMAXCONN);
        if (!make_ready(hub->listeners[TCP], hub->seen.tcp))
            return false;
    }
    if (hub->settings.path == NULL)
        return true;
    if (local_unlink_stale(hub->path) == -1)
        return false;
    hub->listeners[LOCAL] = local_listen(hub->path, SOMAXCONN);
    return make_ready(hub->listeners[LOCAL], hub->seen.local);
}

static bool start_workers(struct hub *hub)
{
    int n = hub->settings.workers;
    hub->workers = calloc((size_t)n, sizeof *hub->workers);
    if (hub->workers == NULL)
        return false;
    while (hub->working < n && start_thread(&hub->workers[hub->working], run_worker, hub))
        hub->working++;
    return hub->working == n;
}

static void join_workers(struct hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    hub->idle_no_more = true;
    pthread_cond_broadcast(&hub->job);
    pthread_mutex_unlock(&hub->lock);
    while (hub->working > 0)
        pthread_join(hub->workers[--hub->working], NULL);
}

static bool has_all(const struct hub *hub)
{
    return hub->wake != NONE && hub->stop != NONE && hub->path != NULL &&
           hub->refusal != NULL && hub->clients != NULL && hub->waits != NULL;
}

static struct server *start(const struct server_settings *settings, bool pool)
{
    struct hub *hub = is_valid(settings, pool) ? new_hub(settings) : NULL;
    if (hub == NULL)
        return NULL;
    if (has_all(hub) && listen_everywhere(hub) && (!pool || start_workers(hub)) &&
        start_thread(&hub->keeper, run_keeper, hub))
        return &hub->seen;
    int error = errno;
    join_workers(hub);
    free_hub(hub);
    errno = error;
    return NULL;
}

static struct server *start_with_threads(const struct server_settings *settings)
{
    return start(settings, false);
}

static struct server *start_with_pool(const struct server_settings *settings)
{
    return start(settings, true);
}

static void engine_stop(struct server *server)
{
    struct hub *hub = (struct hub *)server;
    pthread_mutex_lock(&hub->lock);
    hub->stopping = true;
    pthread_mutex_unlock(&hub->lock);
    eventfd_write(hub->stop, 1); /* never read: it stays readable, for every thread */
    wake_keeper(hub);
    pthread_join(hub->keeper, NULL);
    join_workers(hub);
    free_hub(hub);
}

const struct server_engine server_threads = {.start = start_with_threads,
                                             .stop = engine_stop,
                                             .send = engine_send,
                                             .broadcast = engine_broadcast,
                                             .close = engine_close};

const struct server_engine server_pool = {.start = start_with_pool,
                                          .stop = engine_stop,
                                          .send = engine_send,
                                          .broadcast = engine_broadcast,
                                          .close = engine_close};
