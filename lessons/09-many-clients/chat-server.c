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

/*
 * TODO 9: print "3 came from 127.0.0.1:50044", and send the client "* you are 3", each a line.
 * Whoever reads what we print may be waiting: fflush().
 */
static void greet(struct connection *connection)
{
    (void)connection; /* delete this line */
}

/*
 * TODO 9, second: broadcast "3: ", the line, and a newline. In one piece: two broadcasts are two
 * messages, and another client's might come between. The line is bytes; one of them may be 0. If
 * there is no memory for it, nobody hears this line, and that is all.
 */
static void pass_on(struct connection *connection, const void *line, size_t length)
{
    (void)connection, (void)line, (void)length; /* delete this line */
}

/*
 * TODO 9, third: "/quit" is answered "* bye", and the connection closed; any other line is
 * passed on.
 */
static void take_line(struct connection *connection, const void *line, size_t length)
{
    (void)connection, (void)line, (void)length, (void)pass_on; /* delete this */
}

/* TODO 9, fourth: print "3 went: ended", or "closed", "slow", "long". */
static void report(struct connection *connection, enum server_end end)
{
    (void)connection, (void)end; /* delete this line */
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
