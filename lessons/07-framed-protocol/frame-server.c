/*
 * frame-server: answer frames, for many clients at once.
 *
 * usage: frame-server --format length32le|length32be HOST PORT      PORT 0: the kernel chooses
 *        frame-server --format length32le|length32be PATH           a UNIX socket
 *
 * length32le: each body is a request of measure.h; its answer is the response with that id and ten
 * times the value. length32be: each body is sent back as it came, whatever it is.
 *
 * The first line it prints says where: "listening on 127.0.0.1:41233". A bad frame (too long, no
 * frame of this format, a body that is no request, a stream that ends inside a frame) is one line on
 * standard error, and the end of that connection; frames before it have been answered, and the other
 * clients notice nothing. A client costs a fixed piece of memory, however much it sends, and however
 * little of the answers it reads. At most MOST_CLIENTS are served at once; more wait in the queue.
 *
 * Exit status: 0 when SIGINT or SIGTERM stopped it (a socket file is removed); 1, with a line on
 * standard error, when it cannot listen; 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "frame.h"
#include "local.h"
#include "measure.h"
#include "tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long poll() waits, and when to look for a free descriptor again. */
enum { FOREVER = -1, SOON_MS = 100 };

enum { MOST_CLIENTS = 64, CHUNK = 16 * 1024 };

struct client {
    int fd;
    char name[ADDRESS_TEXT_SIZE];
    struct frame_decoder decoder;
    unsigned char input[CHUNK]; /* what was read last: the decoder looks at it */
    size_t from, to;            /* what lies between them in output is not sent yet */
    unsigned char *output;      /* room for one frame */
    unsigned char storage[];    /* the decoder's, and then the output's */
};

/* ---- the protocol ---------------------------------------------------------------- */

/* One line for each bad frame. */
static void complain(const struct client *client, const char *reason)
{
    fprintf(stderr, "frame-server: %s: bad frame: %s\n", client->name, reason);
}

/*
 * TODO 5: put the answer to one frame into client->output, and say so by client->from and
 * client->to. The format's byte_order tells the two protocols apart: length32le is a request and
 * its response, length32be an echo. False, with errno set: there is no answer to this.
 */
static bool answer(struct client *client, const struct frame *frame)
{
    (void)client, (void)frame; /* delete this line and the next two */
    errno = ENOSYS;
    return false;
}

/* Send of the output what the kernel takes. False: the client has gone. */
static bool send_output(struct client *client)
{
    ssize_t n = send(client->fd, client->output + client->from, client->to - client->from,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        client->from += (size_t)n;
    return n != -1 || errno == EAGAIN;
}

/*
 * TODO 5, second: answer the frames that have come, one after another: take it, answer(), and
 * send_output(). Stop when there are no more (true), or when an answer did not fit into the socket
 * (true: it waits, and the frames behind it too). This is called again after each send, which may
 * have been of a part only: begin by looking whether something still waits. A bad frame: complain(),
 * and false: the connection is to be closed.
 */
static bool answer_frames(struct client *client)
{
    (void)client, (void)answer, (void)send_output; /* delete this line and the next */
    return false;
}

/*
 * TODO 5, third: there is something to read, and all that was read before has been answered. Read
 * once, feed, answer_frames(). False: the connection is to be closed; at its end, too, and if that
 * was within a frame, complain(). recv() = -1: EAGAIN: true; any other: the client has gone, no
 * complaint needed.
 */
static bool read_input(struct client *client)
{
    (void)complain; /* delete this line */
    return answer_frames(client);
}

/* poll() says that the client is ready. False: the connection is to be closed. */
static bool serve_client(struct client *client)
{
    if (client->from == client->to)
        return read_input(client);
    return send_output(client) && answer_frames(client);
}

/* ---- many clients ---------------------------------------------------------------- */

struct server {
    int listener, stop;
    const struct frame_format *format;
    struct client *clients[MOST_CLIENTS]; /* NULL: a free place */
};

static void remove_client(struct server *server, size_t place)
{
    close(server->clients[place]->fd);
    free(server->clients[place]);
    server->clients[place] = NULL;
}

/* All the memory that this client will ever cost: two frames, and what is read at once. */
static struct client *new_client(int fd, const struct frame_format *format)
{
    struct client *client = malloc(sizeof *client + 2 * format->max_length);
    if (client == NULL)
        return NULL;
    *client = (struct client){.fd = fd, .output = client->storage + format->max_length};
    frame_decoder_init(&client->decoder, format, client->storage, format->max_length);
    return client;
}

/* Put the next client into the free place. False: not now (no descriptor is free, say). */
static bool accept_client(struct server *server, size_t place)
{
    struct sockaddr_storage address;
    socklen_t length;
    int fd = tcp_accept(server->listener, &address, &length); /* of any family */
    if (fd == -1)
        return false;
    struct client *client = new_client(fd, server->format);
    if (client == NULL) {
        close(fd);
        return false;
    }
    address_text((struct sockaddr *)&address, length, client->name, sizeof client->name);
    server->clients[place] = client;
    return true;
}

/*
 * Wait for all of them at once. A client with an answer that is not sent yet is waited for until it
 * takes it, and not read from: who does not read is not heard. The listener is left out while there
 * is no place, or (rest) for a moment when a client could not be accepted.
 */
static void wait_for_all(const struct server *server, bool rest,
                         struct pollfd wait[MOST_CLIENTS + 2], size_t *place)
{
    *place = MOST_CLIENTS;
    for (size_t i = 0; i < MOST_CLIENTS; i++) {
        const struct client *client = server->clients[i];
        wait[i] = (struct pollfd){.fd = -1};
        if (client == NULL)
            *place = i;
        else
            wait[i] = (struct pollfd){
                .fd = client->fd, .events = client->from < client->to ? POLLOUT : POLLIN};
    }
    bool full = *place == MOST_CLIENTS;
    wait[MOST_CLIENTS] =
        (struct pollfd){.fd = full || rest ? -1 : server->listener, .events = POLLIN};
    wait[MOST_CLIENTS + 1] = (struct pollfd){.fd = server->stop, .events = POLLIN};
    if (poll(wait, MOST_CLIENTS + 2, rest ? SOON_MS : FOREVER) == -1)
        for (size_t i = 0; i < MOST_CLIENTS + 2; i++)
            wait[i].revents = 0; /* nothing is ready, and it is asked again */
}

static void serve(struct server *server)
{
    struct pollfd wait[MOST_CLIENTS + 2];
    size_t place;
    bool rest = false;
    do {
        wait_for_all(server, rest, wait, &place);
        for (size_t i = 0; i < MOST_CLIENTS; i++) {
            struct client *client = server->clients[i];
            if (client != NULL && wait[i].revents && !serve_client(client))
                remove_client(server, i);
        }
        rest = wait[MOST_CLIENTS].revents && !accept_client(server, place);
    } while (!wait[MOST_CLIENTS + 1].revents);
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

/* Non-blocking: a client that poll() has seen may be gone when it is accepted. */
static int open_listener(int argc, char *argv[])
{
    int listener = -1;
    if (argc == 5)
        listener = tcp_listen(argv[3], argv[4], SOMAXCONN);
    else if (local_unlink_stale(argv[3]) == 0)
        listener = local_listen(argv[3], SOMAXCONN);
    if (listener != -1)
        fcntl(listener, F_SETFL, O_NONBLOCK);
    return listener;
}

int main(int argc, char *argv[])
{
    const struct frame_format *format = NULL;
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "--format") == 0)
        format = frame_format_named(argv[2]);
    if (format == NULL) {
        fprintf(stderr, "usage: frame-server --format length32le|length32be "
                        "HOST PORT | PATH\n");
        return 2;
    }
    struct server server = {.format = format, .stop = stop_descriptor()};
    server.listener = open_listener(argc, argv);
    if (server.stop == -1 || server.listener == -1 || !announce(server.listener)) {
        perror("frame-server");
        return 1;
    }
    serve(&server);
    if (argc == 4)
        unlink(argv[3]); /* an abstract name has no file */
    return 0;
}
