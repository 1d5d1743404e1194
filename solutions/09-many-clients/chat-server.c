/*
 * chat-server: what one client says, all the others hear.
 *
 * usage: chat-server [--most N] [--linger MS] HOST PORT [PATH]      PORT 0: the kernel chooses
 *        chat-server [--most N] [--linger MS] PATH                  a UNIX socket alone
 *
 * The first lines it prints say where: "listening on 127.0.0.1:41233", and where there is a path,
 * "listening on PATH". Then a line for each client that comes, "3 came from 127.0.0.1:50044", and
 * for each that goes, "3 went: ended", where the word may be "closed", "slow" or "long" as well.
 *
 * To a client, a line is any bytes up to a newline, at most LONGEST of them.
 *   it comes:                 it is told its number: "* you are 3"
 *   it sends a line:          all the others get it, with the number in front: "3: hello"
 *   it sends "/quit":         it is told "* bye", and its connection is ended
 *   it sends a longer line:   its connection is ended
 *   a last line without a newline is no line.
 * At most N clients (1000) are served at once. One too many is told "* full", and its connection ended.
 * A client for which more than MOST_WAITING bytes would have to be kept is cut off: the others never
 * wait for it.
 *
 * Exit status: 0 when SIGINT or SIGTERM stopped it: every line that had come by then has been sent to
 * the others; they have MS milliseconds (1000) to take what waits for them. A socket file is removed.
 * 1, with a line on standard error, when it cannot listen; 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "server.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How clients are served: this line decides. */
static const struct server_engine *const engine = &server_threads;

enum { LONGEST = 64 * 1024, MOST_WAITING = 256 * 1024, WORKERS = 4 };

/* Room for "3: " in front of a line. */
enum { NUMBER_SIZE = 32 };

static void greet(struct connection *connection)
{
    char text[NUMBER_SIZE];
    int n = snprintf(text, sizeof text, "* you are %lu\n", connection->number);
    printf("%lu came from %s\n", connection->number, connection->name);
    fflush(stdout);
    engine->send(connection, text, (size_t)n); /* if it has gone, on_close will tell */
}

/* In one piece: two broadcasts are two messages, and another client's might come between. */
static void pass_on(struct connection *connection, const void *line, size_t length)
{
    char number[NUMBER_SIZE];
    size_t n = (size_t)snprintf(number, sizeof number, "%lu: ", connection->number);
    char *text = malloc(n + length + 1);
    if (text == NULL)
        return; /* nobody hears this line; the next one, perhaps */
    memcpy(text, number, n);
    memcpy(text + n, line, length);
    text[n + length] = '\n';
    engine->broadcast(connection, text, n + length + 1);
    free(text);
}

static void take_line(struct connection *connection, const void *line, size_t length)
{
    static const char quit[] = "/quit", bye[] = "* bye\n";
    if (length != sizeof quit - 1 || memcmp(line, quit, length) != 0) {
        pass_on(connection, line, length);
        return;
    }
    engine->send(connection, bye, sizeof bye - 1);
    engine->close(connection);
}

static void report(struct connection *connection, enum server_end end)
{
    static const char *const words[] = {[SERVER_END_CLIENT] = "ended",
                                        [SERVER_END_CLOSED] = "closed",
                                        [SERVER_END_SLOW] = "slow",
                                        [SERVER_END_LONG] = "long"};
    printf("%lu went: %s\n", connection->number, words[end]);
    fflush(stdout);
}

/* ---- beginning and end ----------------------------------------------------------- */

static int number_of(const char *text, int least)
{
    char *end;
    long number = strtol(text, &end, 10);
    return *text == '\0' || *end != '\0' || number < least || number > INT_MAX
               ? -1
               : (int)number;
}

/* Fill in what the arguments say. 0, or -1: they make no sense. */
static int read_arguments(int argc, char *argv[], struct server_settings *settings)
{
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        if (strcmp(argv[at], "--most") == 0)
            settings->max_connections = number_of(argv[at + 1], 1);
        else if (strcmp(argv[at], "--linger") == 0)
            settings->linger_ms = number_of(argv[at + 1], 0);
        else
            return -1;
    int left = argc - at;
    if (left < 1 || left > 3 || settings->max_connections == -1 ||
        settings->linger_ms == -1)
        return -1;
    settings->host = argv[at];
    settings->service = argv[at + 1]; /* NULL where the path stands alone */
    if (left != 2)
        settings->path = argv[argc - 1];
    return 0;
}

/* Where it listens. Whoever started it may be waiting for these lines. */
static int announce(const struct server *server)
{
    if (server->tcp[0] != '\0')
        printf("listening on %s\n", server->tcp);
    if (server->local[0] != '\0')
        printf("listening on %s\n", server->local);
    return fflush(stdout);
}

int main(int argc, char *argv[])
{
    struct server_settings settings = {
        .max_connections = 1000,
        .refusal = "* full\n",
        .max_output = MOST_WAITING,
        .linger_ms = 1000,
        .workers = WORKERS,
        .rule = {.mode = SPLIT_DELIMITER,
                 .max_length = LONGEST,
                 .delimiter_length = 1,
                 .delimiter = "\n"},
        .on_connection = greet,
        .on_message = take_line,
        .on_close = report,
    };
    if (read_arguments(argc, argv, &settings) == -1) {
        fprintf(stderr, "usage: chat-server [--most N] [--linger MS] "
                        "HOST PORT [PATH] | PATH\n");
        return 2;
    }
    sigset_t signals; /* blocked before any thread begins: all of them inherit it */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    struct server *server = engine->start(&settings);
    if (server == NULL || announce(server) != 0) {
        perror("chat-server");
        return 1;
    }
    int signal;
    sigwait(&signals, &signal);
    engine->stop(server);
    return 0;
}
