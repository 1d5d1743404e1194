/*
 * heartbeat-server: answer pings and messages, and close connections on which nothing comes.
 *
 * usage: heartbeat-server [--idle MS] [--clock PATH] HOST PORT      PORT 0: the kernel chooses
 *
 * --idle   close a connection when no whole message has come on it for so long: 3000 ms if it is
 *          not said, 0: never. A message is a frame of alive.h.
 * --clock  time comes from PATH: see alive.h; "time T" is printed when what is due then is done
 *
 * A message comes back as it is; a ping is answered with a pong that has the same body; a pong is
 * not answered. A bad frame or type is the end of its connection; messages before it have been
 * answered. So is it when a client leaves no room for an answer: it has not read for long.
 *
 * The first line it prints says where: "listening on 127.0.0.1:41233". Each connection that the
 * server ends is a line on standard error. At most MOST_CLIENTS (64) are served at once; more wait
 * in the queue, and so do those for whom no descriptor is free, until there is room for them.
 *
 * Exit status: 0 when SIGINT or SIGTERM stopped it; 1, with a line on standard error, when it
 * cannot listen or open PATH; 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "alive.h"
#include "tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEFAULT_IDLE_MS = 3000, MOST_CLIENTS = 64, CHUNK = 16 * 1024 };

/* How long poll() waits, and when to look for a free descriptor again. */
enum { FOREVER = -1, SOON_MS = 100 };

/* In place of a descriptor: poll() passes over it. */
enum { NONE = -1 };

struct client {
    int fd;
    char name[ADDRESS_TEXT_SIZE];
    struct heartbeat idle;
    struct frame_decoder decoder;
    unsigned char storage[ALIVE_MOST_FRAME]; /* the decoder's */
};

struct server {
    int listener, stop, idle_ms;
    struct ticks ticks;
    struct client *clients[MOST_CLIENTS]; /* NULL: a free place */
};

/* ---- one client ------------------------------------------------------------------ */

/* Why a connection is ended. Returns false, as those do that find a reason. */
static bool complain(const struct client *client, const char *reason)
{
    fprintf(stderr, "heartbeat-server: %s: %s\n", client->name, reason);
    return false;
}

/* Answer one message, if it is one that is answered. False: the connection is to be closed. */
static bool answer(struct client *client, const struct frame *frame)
{
    unsigned char output[ALIVE_MOST_FRAME];
    int type = alive_type(frame);
    if (type == -1)
        return complain(client, strerror(errno));
    if (type == ALIVE_PONG)
        return true;
    ssize_t size = alive_encode(type == ALIVE_PING ? ALIVE_PONG : ALIVE_DATA, frame->body,
                                frame->body_size, output, sizeof output);
    return send(client->fd, output, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL) == size ||
           complain(client, "it takes no more answers");
}

/* Answer the messages that have come. Each is a sign of life. False: the connection is to be closed. */
static bool answer_messages(struct client *client, int64_t now)
{
    struct frame frame;
    int result;
    while ((result = frame_decoder_next(&client->decoder, &frame)) == 1) {
        heartbeat_heard(&client->idle, now);
        if (!answer(client, &frame))
            return false;
    }
    return result == 0 || complain(client, strerror(errno));
}

/* There is something to read. False: the connection is to be closed. */
static bool read_input(struct client *client, int64_t now)
{
    unsigned char input[CHUNK];
    ssize_t n = recv(client->fd, input, sizeof input, MSG_DONTWAIT);
    if (n == -1)
        return true; /* a "ready" was taken back; or an error, and behind it comes the end */
    if (n == 0)
        return false;
    frame_decoder_feed(&client->decoder, input, (size_t)n);
    return answer_messages(client, now);
}

/* Has nothing come for too long? */
static bool is_idle(struct client *client, int64_t now)
{
    return heartbeat_check(&client->idle, now) == HEARTBEAT_DEAD &&
           !complain(client, "idle for too long");
}

/* ---- all of them ----------------------------------------------------------------- */

/* With the client goes its timer: what the descriptor's number means next is not its affair. */
static void remove_client(struct server *server, size_t place)
{
    close(server->clients[place]->fd);
    free(server->clients[place]);
    server->clients[place] = NULL;
}

/* Put the next client into the free place. False: not now (no descriptor is free, say). */
static bool accept_client(struct server *server, size_t place)
{
    struct sockaddr_storage address;
    socklen_t length;
    struct client *client = malloc(sizeof *client);
    if (client == NULL)
        return false;
    client->fd = tcp_accept(server->listener, &address, &length);
    if (client->fd == -1) {
        free(client);
        return false;
    }
    heartbeat_init(&client->idle, 0, server->idle_ms, ticks_now(&server->ticks));
    frame_decoder_init(&client->decoder, alive_format(), client->storage,
                       sizeof client->storage);
    address_text((struct sockaddr *)&address, length, client->name, sizeof client->name);
    server->clients[place] = client;
    return true;
}

/* The milliseconds until the first of the clients is idle for too long; FOREVER: none will be. */
static int time_left(const struct server *server)
{
    int least = FOREVER;
    for (size_t i = 0; i < MOST_CLIENTS; i++)
        if (server->clients[i] != NULL) {
            int left =
                heartbeat_wait(&server->clients[i]->idle, ticks_now(&server->ticks));
            if (least == FOREVER || left < least)
                least = left; /* without an idle time all are -1, and so is the least */
        }
    return least;
}

/* What poll() waits for: the clients, then these. */
enum { LISTENER = MOST_CLIENTS, STOP, CLOCK, WAITS };

/*
 * Wait for all of them at once, and for the time. The listener is left out while there is no place,
 * or (rest) for a moment when a client could not be accepted.
 */
static void wait_for_all(const struct server *server, bool rest,
                         struct pollfd wait[WAITS], size_t *place)
{
    *place = MOST_CLIENTS;
    for (size_t i = MOST_CLIENTS; i-- > 0;) {
        const struct client *client = server->clients[i];
        wait[i] = (struct pollfd){.fd = NONE};
        if (client == NULL)
            *place = i;
        else
            wait[i] = (struct pollfd){.fd = client->fd, .events = POLLIN};
    }
    bool full = *place == MOST_CLIENTS;
    wait[LISTENER] =
        (struct pollfd){.fd = full || rest ? NONE : server->listener, .events = POLLIN};
    wait[STOP] = (struct pollfd){.fd = server->stop, .events = POLLIN};
    wait[CLOCK] = (struct pollfd){.fd = server->ticks.fd, .events = POLLIN};
    int ms = ticks_wait(&server->ticks, time_left(server));
    poll(wait, WAITS, rest ? SOON_MS : ms); /* if it fails, all revents are still 0 */
}

static void serve(struct server *server)
{
    struct pollfd wait[WAITS];
    size_t place;
    bool rest = false;
    do {
        wait_for_all(server, rest, wait, &place);
        if (wait[CLOCK].revents)
            ticks_read(&server->ticks);
        int64_t now = ticks_now(&server->ticks);
        for (size_t i = 0; i < MOST_CLIENTS; i++) {
            struct client *client = server->clients[i];
            if (client != NULL &&
                ((wait[i].revents && !read_input(client, now)) || is_idle(client, now)))
                remove_client(server, i);
        }
        rest = wait[LISTENER].revents && !accept_client(server, place);
        if (wait[CLOCK].revents) {
            printf("time %" PRId64 "\n", now);
            fflush(stdout);
        }
    } while (!wait[STOP].revents);
    for (size_t i = 0; i < MOST_CLIENTS; i++)
        if (server->clients[i] != NULL)
            remove_client(server, i);
}

/* ---- beginning and end ----------------------------------------------------------- */

/* Say where the server listens. Whoever started it may be waiting for this line. */
static bool announce(int listener)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[ADDRESS_TEXT_SIZE];
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        address_text((struct sockaddr *)&address, length, text, sizeof text) != 0)
        return false;
    printf("listening on %s\n", text);
    return fflush(stdout) == 0;
}

/* A descriptor that becomes readable when SIGINT or SIGTERM comes (Linux: signalfd(2)). */
static int stop_descriptor(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* The options, in pairs, until HOST and PORT are left. False: called wrongly. */
static bool read_options(int argc, char *argv[], int *idle_ms, const char **clock)
{
    if (argc < 3 || argc % 2 == 0)
        return false;
    for (int i = 1; i != argc - 2; i += 2) {
        char *value = argv[i + 1], *end;
        long ms = strtol(value, &end, 10);
        if (strcmp(argv[i], "--clock") == 0)
            *clock = value;
        else if (strcmp(argv[i], "--idle") == 0 && *value != '\0' && *end == '\0' &&
                 ms >= 0 && ms <= INT_MAX)
            *idle_ms = (int)ms;
        else
            return false;
    }
    return true;
}

int main(int argc, char *argv[])
{
    struct server server = {.idle_ms = DEFAULT_IDLE_MS};
    const char *clock = NULL;
    if (!read_options(argc, argv, &server.idle_ms, &clock)) {
        fprintf(stderr, "usage: heartbeat-server [--idle MS] [--clock PATH] HOST PORT\n");
        return 2;
    }
    server.stop = stop_descriptor();
    server.listener = tcp_listen(argv[argc - 2], argv[argc - 1], SOMAXCONN);
    /* non-blocking: a client that poll() has seen may be gone when it is accepted */
    if (server.stop == -1 || server.listener == -1 ||
        fcntl(server.listener, F_SETFL, O_NONBLOCK) != 0 || !announce(server.listener) ||
        ticks_open(&server.ticks, clock) == -1) {
        perror("heartbeat-server");
        return 1;
    }
    serve(&server);
    return 0;
}
