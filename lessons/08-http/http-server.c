/*
 * http-server: answer HTTP requests, over TCP or a UNIX socket.
 *
 * usage: http-server --socket tcp [--host HOST] [--port PORT] [--timeout SECONDS]
 *        http-server --socket unix [--path FILE] [--timeout SECONDS]
 *
 *   --host     localhost if not given
 *   --port     8080 if not given; 0: the kernel chooses
 *   --path     /tmp/local_server.sock if not given
 *   --timeout  5 if not given; parts of a second count: 0.5
 *
 * It prints where it listens, the number of the listening descriptor, and a line for each connection:
 *
 *     listening on 127.0.0.1:8080
 *     Server running. File descriptor: 3
 *     New TCP connection from: ('127.0.0.1', 54321)
 *
 * or, for each connection to a UNIX socket, "New Unix domain socket connection".
 *
 * A request is answered when it is whole, its body too (what that says is of no interest):
 *   GET     200, text/plain, "running"
 *   HEAD    the same without the body
 *   other   405, Allow: GET, HEAD, and "Method not allowed"
 *   no HTTP the status that http_parser_next() tells, and its reason as the text
 * A request with the field Expect is answered when its head is whole, and its body is not taken.
 * Requests may follow each other without waiting; the answers come in their order. After an answer
 * the connection stays open if the request's keep_alive says so, and the answer says the same.
 * After the last one the server ends its stream, and takes what the client still sends, without
 * looking at it, until the client ends its own, or for --timeout: so the answer is not lost to a
 * reset. A client that ends its stream in half a request gets no answer to that.
 *
 * Times: a head must be whole --timeout after its first byte, each piece of a body, and each part of
 * an answer that the client takes, gives the request that long again. Who is late is told 408, which
 * is a last answer like any other, or is closed where it is the answer that is not taken. A connection without a request is closed after
 * that time, without a word. One client's silence costs no other client anything. At most MOST_CLIENTS
 * are served at once; more wait in the queue.
 *
 * SIGINT and SIGTERM: no new connections; those that wait in the queue are taken; each request that
 * has begun is answered, with "Connection: close". A connection without a request has GRACE_MS for
 * one, as it may be on its way, and a client that has its last answer as long to end. No longer than
 * --timeout in all. A socket file is removed.
 *
 * Exit status: 0 when it was told to stop; 1, with a line on standard error, when it cannot listen;
 * 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "http.h"
#include "local.h"
#include "tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CLIENTS = 512, GRACE_MS = 100, SOON_MS = 100 };

/* As a descriptor: poll() passes over it. */
enum { NOTHING = -1 };

/* What is read at once; what waits to be sent at most; and room for any answer of ours. */
enum { CHUNK = 8192, OUTPUT = 8192, ANSWER_MAX = 512 };

enum stage {
    IDLE,     /* nothing of a request has come */
    IN_HEAD,  /* a part of a head has */
    IN_BODY,  /* a head has, and not all of its body */
    CLOSING,  /* the last answer is given, and not all of it sent */
    LINGERING /* all is sent, and our stream ended: until the client ends its own */
};

/* What a request and its answer need; see serve_client(). */
struct work {
    struct http_parser parser;
    char received[CHUNK], output[OUTPUT];
};

struct client {
    const struct server *server;
    int fd;
    enum stage stage;
    int64_t deadline;        /* see expire() */
    struct http_bytes input; /* of received: what has not been taken yet */
    size_t from, to;         /* what lies between them in output is not sent yet */
    struct work *work;       /* NULL: the client is at rest. Most are, and cost little. */
};

struct server {
    int listener, stop;
    const char *path; /* NULL: TCP */
    int64_t timeout_ms;
    bool stopping;
    size_t count;
    struct client *clients[MOST_CLIENTS];
};

/* ---- time ------------------------------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Is nothing to be done for this client? */
static bool at_rest(const struct client *client)
{
    return client->stage == LINGERING ||
           (client->stage == IDLE && client->from == client->to);
}

/* Something has begun, or gone on: it has the whole time again. */
static void renew(struct client *client)
{
    bool hurry = client->server->stopping && at_rest(client);
    client->deadline = now_ms() + (hurry ? GRACE_MS : client->server->timeout_ms);
}

/* ---- requests and answers -------------------------------------------------------- */

/*
 * TODO 4: put an answer behind what waits in output already (client->to says where): text/plain, and
 * body is a text. The connection goes on as response.keep_alive says, unless the server is stopping. What
 * stage is the client in then?
 */
static void answer(struct client *client, struct http_response response)
{
    (void)client, (void)response; /* delete this line */
}

/* An answer to what cannot be understood, or is late: the status and its words, and the last one. */
static void answer_error(struct client *client, int status)
{
    answer(client, (struct http_response){.status = status, .body = http_reason(status)});
}

/* TODO 4, second: the answer to the request in client->work->parser.head: GET, HEAD, or another method. */
static void answer_request(struct client *client, bool keep_alive)
{
    (void)keep_alive; /* delete this line and the next */
    answer_error(client, 0);
}

/*
 * TODO 4, third: go through client->input, event by event, while the stage is before CLOSING and
 * output has room for ANSWER_MAX bytes more. What is not taken waits until some output is sent.
 *   HTTP_MORE  done; if a head has just begun (IDLE, and there were bytes before this event), the
 *              stage says so, and its time begins: renew()
 *   HTTP_HEAD  the stage; and who expects to be asked for the body is answered now (and for good)
 *   HTTP_END   answer_request()
 *   HTTP_BAD   answer_error()
 * With each but the first the client has the whole time again: renew().
 */
static void take_requests(struct client *client)
{
    answer_request(client, false); /* delete this line */
}

/* ---- a connection ---------------------------------------------------------------- */

/*
 * TODO 5: the last answer is sent. End our stream, so that the client sees an end behind the answer, and
 * go on reading until its stream ends too: a close() now, with unread bytes, would send a reset.
 * False: the connection is to be closed.
 */
static bool end_output(struct client *client)
{
    (void)client; /* delete this line */
    return false;
}

/* Did a call that may not wait fail for now only? */
static bool try_again(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/*
 * Send what the kernel takes, and go on with what waited for that. False: the connection is to be
 * closed.
 */
static bool send_output(struct client *client)
{
    while (client->from < client->to) {
        ssize_t n = send(client->fd, client->work->output + client->from,
                         client->to - client->from, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n == -1)
            return try_again();
        client->from += (size_t)n;
        renew(client);
        if (client->from == client->to) {
            client->from = client->to = 0;
            take_requests(client);
        }
    }
    return client->stage == CLOSING ? end_output(client) : true;
}

/*
 * TODO 4, fourth: there is something to read, and all that was read before has been taken. Read once,
 * take_requests(), send_output(). At the end of the client's stream, in half a request too: false.
 * recv() = -1: try_again(); if not, the client has gone. Once it is LINGERING, nobody looks at what it
 * sends.
 * False: the connection is to be closed.
 */
static bool read_input(struct client *client)
{
    (void)take_requests, (void)send_output, (void)client; /* delete this line */
    return false;
}

static bool begin_work(struct client *client)
{
    client->work = malloc(sizeof *client->work);
    if (client->work != NULL)
        http_parser_init(&client->work->parser, HTTP_REQUEST);
    return client->work != NULL;
}

static void end_work(struct client *client)
{
    free(client->work);
    client->work = NULL;
}

/* poll() says that the client is ready. False: the connection is to be closed. */
static bool serve_client(struct client *client)
{
    if (client->work == NULL && !begin_work(client))
        return false;
    bool stays = client->from < client->to ? send_output(client) : read_input(client);
    if (at_rest(client))
        end_work(client);
    return stays;
}

/*
 * TODO 5, second: its time is over. Who has sent a part of a request, head or body, and has no output
 * waiting, is told 408, and then has the time of any last answer: send_output() sees to that.
 * False: the connection is to be closed.
 */
static bool expire(struct client *client)
{
    (void)client; /* delete this line */
    return false;
}

/* ---- many clients ---------------------------------------------------------------- */

/* As Python writes an address: ('127.0.0.1', 54321). */
static void report(const struct server *server, const struct sockaddr_storage *address,
                   socklen_t length)
{
    char host[ADDRESS_TEXT_SIZE], port[ADDRESS_TEXT_SIZE];
    if (server->path != NULL)
        puts("New Unix domain socket connection");
    else if (getnameinfo((const struct sockaddr *)address, length, host, sizeof host,
                         port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        printf("New TCP connection from: ('%s', %s)\n", host, port);
    fflush(stdout); /* a log that nobody reads is no reason to stop */
}

/* Take the next client from the queue. False: not now (there is none, or no descriptor is free). */
static bool accept_client(struct server *server)
{
    struct sockaddr_storage address;
    socklen_t length;
    int fd = tcp_accept(server->listener, &address, &length); /* of any family */
    if (fd == -1)
        return false;
    struct client *client = malloc(sizeof *client);
    if (client == NULL) {
        close(fd);
        return false;
    }
    client->server = server;
    client->fd = fd;
    client->stage = IDLE;
    client->from = client->to = 0;
    client->work = NULL;
    renew(client);
    /* Or an answer waits for the client to acknowledge the one before. (A UNIX socket says no.) */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    server->clients[server->count++] = client;
    report(server, &address, length);
    return true;
}

/* The last one moves into its place. */
static void remove_client(struct server *server, size_t place)
{
    close(server->clients[place]->fd);
    end_work(server->clients[place]);
    free(server->clients[place]);
    server->clients[place] = server->clients[--server->count];
}

/* How long poll() may wait: until the first deadline. */
static int wait_ms(const struct server *server, bool rest)
{
    int64_t now = now_ms(), least = rest ? SOON_MS : INT_MAX;
    for (size_t i = 0; i < server->count; i++)
        if (server->clients[i]->deadline - now < least)
            least = server->clients[i]->deadline - now;
    return least < 0 ? 0 : (int)least;
}

/*
 * Wait for all of them at once: a client whose answer is not sent yet until it takes more, the others
 * until they send. The listener is left out while there is no place, or (rest) for a moment when a
 * client could not be accepted.
 */
static void wait_for_all(const struct server *server, bool rest,
                         struct pollfd wait[MOST_CLIENTS + 2])
{
    bool full = server->count == MOST_CLIENTS;
    wait[0] = (struct pollfd){.fd = server->stopping ? NOTHING : server->stop,
                              .events = POLLIN};
    wait[1] = (struct pollfd){.fd = full || rest ? NOTHING : server->listener,
                              .events = POLLIN};
    for (size_t i = 0; i < server->count; i++) {
        const struct client *client = server->clients[i];
        wait[i + 2] = (struct pollfd){
            .fd = client->fd, .events = client->from < client->to ? POLLOUT : POLLIN};
    }
    poll(wait, server->count + 2, wait_ms(server, rest)); /* -1: revents is 0 in all */
}

/*
 * TODO 5, third: no new connections but those that wait already; and no next request but one that is on
 * its way. From now on server->stopping is true, no file is there (server->path, if it is no abstract
 * name), and server->listener is closed and NOTHING. Whoever is at rest has GRACE_MS: renew().
 */
static void begin_to_stop(struct server *server)
{
    server->stopping = true;
}

/* From the last to the first, so that who moves into a free place has had its turn. */
static void serve_clients(struct server *server, const struct pollfd wait[])
{
    int64_t now = now_ms();
    for (size_t i = server->count; i-- > 0;) {
        struct client *client = server->clients[i];
        bool stays = true;
        if (wait[i].revents)
            stays = serve_client(client);
        else if (client->deadline <= now)
            stays = expire(client);
        if (!stays)
            remove_client(server, i);
    }
}

static void serve(struct server *server)
{
    struct pollfd wait[MOST_CLIENTS + 2];
    int64_t end = INT64_MAX;
    bool rest = false;
    while (!server->stopping || (server->count > 0 && now_ms() < end)) {
        wait_for_all(server, rest, wait);
        if (wait[0].revents) {
            begin_to_stop(server);
            end = now_ms() + server->timeout_ms;
            continue;
        }
        serve_clients(server, wait + 2);
        rest = wait[1].revents && !accept_client(server);
    }
    while (server->count > 0)
        remove_client(server, 0);
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
    printf("Server running. File descriptor: %d\n", listener);
    return fflush(stdout) == 0;
}

/* A descriptor that becomes readable when SIGINT or SIGTERM, blocked, has come (Linux: signalfd(2)). */
static int stop_descriptor(const sigset_t *signals)
{
    return signalfd(-1, signals, SFD_CLOEXEC);
}

/* A client that poll() has seen may be gone when it is accepted: not to wait for the next one. */
static int open_listener(const struct server *server, const char *host, const char *port)
{
    int listener = -1;
    if (server->path == NULL)
        listener = tcp_listen(host, port, SOMAXCONN);
    else if (local_unlink_stale(server->path) == 0)
        listener = local_listen(server->path, SOMAXCONN);
    if (listener != -1 && fcntl(listener, F_SETFL, O_NONBLOCK) == -1) {
        close(listener);
        return -1;
    }
    return listener;
}

struct options {
    const char *socket, *host, *port, *path, *timeout;
};

/* False: wrong arguments. */
static bool read_options(int argc, char *argv[], struct options *options)
{
    static const struct option known[] = {
        {"socket", required_argument, NULL, 's'},  {"host", required_argument, NULL, 'h'},
        {"port", required_argument, NULL, 'p'},    {"path", required_argument, NULL, 'f'},
        {"timeout", required_argument, NULL, 't'}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (option) {
        case 's': options->socket = optarg; break;
        case 'h': options->host = optarg; break;
        case 'p': options->port = optarg; break;
        case 'f': options->path = optarg; break;
        case 't': options->timeout = optarg; break;
        default: return false;
        }
    return optind == argc &&
           (strcmp(options->socket, "tcp") == 0 || strcmp(options->socket, "unix") == 0);
}

/* "0.5" -> 500; 0 if that is no time of at least a millisecond, and at most a day. */
static int64_t parse_ms(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    return *end == '\0' && seconds >= 0.001 && seconds <= 86400
               ? (int64_t)(seconds * 1000)
               : 0;
}

int main(int argc, char *argv[])
{
    struct options options = {"", "localhost", "8080", "/tmp/local_server.sock", "5"};
    bool understood = read_options(argc, argv, &options);
    static struct server server;
    server.timeout_ms = parse_ms(options.timeout);
    if (!understood || server.timeout_ms == 0) {
        fprintf(stderr, "usage: http-server --socket tcp [--host HOST] [--port PORT] "
                        "[--timeout SECONDS]\n"
                        "       http-server --socket unix [--path FILE] "
                        "[--timeout SECONDS]\n");
        return 2;
    }
    if (strcmp(options.socket, "unix") == 0)
        server.path = options.path;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    server.listener = open_listener(&server, options.host, options.port);
    server.stop = stop_descriptor(&signals);
    if (server.listener == -1 || server.stop == -1 || !announce(server.listener)) {
        perror("http-server");
        return 1;
    }
    serve(&server);
    return 0;
}
