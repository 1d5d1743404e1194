/*
 * loop-echo-server: what a client sends, it gets back; on one loop, or on several.
 *
 * usage: loop-echo-server [OPTION VALUE]... HOST PORT      PORT 0: the kernel chooses
 *        loop-echo-server [OPTION VALUE]... PATH           a UNIX socket
 *
 *   --unpack none         send back what each read has brought (this if the option is not given)
 *   --unpack lines        each line of at most LONGEST bytes, when it has come whole
 *   --unpack length32be   each frame of lesson 07, when it has come whole
 *   --unpack length32le   the same
 *   --backend epoll|poll  what waits for the sockets (epoll)
 *   --loops N             how many loops, each in a thread (1)
 *   --balance round-robin|random|least   which of them is to have a new client (round-robin)
 *   --idle MS             end the connection of a client that is silent for so long (0: never)
 *   --linger MS           what a client has, at its end and at ours, to take what waits for it (1000)
 *
 * The first line it prints says where: "listening on 127.0.0.1:41233". The answers to all messages of one
 * read leave in one write. A client that does not read its answers is not read from, and the memory
 * for it is bounded; the others notice nothing. A line or a frame that is too long is the end of that
 * connection, after the answers to those before it.
 *
 * Exit status: 0 when SIGINT or SIGTERM stopped it: what had come by then has been answered, a socket
 * file is removed; and it has printed how many clients each loop has had, in the order of the loops: "loop 1 served 3
 * clients". 1, with a line on standard error, when it cannot listen; 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "loop.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST = 64 * 1024,
    LOW_WATER = 64 * 1024,
    HIGH_WATER = 256 * 1024,
    MOST_WAITING =
        4 * 1024 * 1024, /* high water, and the answers to one read or one frame */
    HEAD = 4
};

static const struct splitter_rule lines = {.mode = SPLIT_DELIMITER,
                                           .max_length = LONGEST,
                                           .delimiter_length = 1,
                                           .delimiter = "\n"};

/* ---- the protocol ---------------------------------------------------------------- */

static void echo_bytes(struct loop_connection *connection, const void *bytes, size_t n)
{
    loop_send(connection, bytes, n); /* whoever has gone gets no answer */
}

static void echo_line(struct loop_connection *connection, const void *line, size_t length)
{
    if (loop_send(connection, line, length) == 0)
        loop_send(connection, "\n", 1);
}

/* The head first, and then the body, from where it lies: the loop gathers them. */
static void echo_frame(struct loop_connection *connection, const void *body,
                       size_t length)
{
    const struct frame_format *format = connection->context;
    bool little = format->byte_order == FRAME_LITTLE_ENDIAN;
    unsigned char head[HEAD];
    for (int i = 0; i < HEAD; i++)
        head[little ? i : HEAD - 1 - i] = (unsigned char)(length >> 8 * i);
    if (loop_send(connection, head, sizeof head) == 0)
        loop_send(connection, body, length);
}

/* ---- arguments ------------------------------------------------------------------- */

static bool set_unpack(struct loop_settings *settings, const char *name)
{
    settings->rule = NULL;
    settings->format = frame_format_named(name);
    settings->context = (void *)settings->format;
    settings->on_message = echo_frame;
    if (settings->format != NULL)
        return true;
    bool is_lines = strcmp(name, "lines") == 0;
    if (is_lines)
        settings->rule = &lines;
    settings->on_message = is_lines ? echo_line : echo_bytes;
    return is_lines || strcmp(name, "none") == 0;
}

/* Which of the names it is; -1: none of them. */
static int choice(const char *name, const char *const names[], int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

static int number_of(const char *text, int least)
{
    char *end;
    long number = strtol(text, &end, 10);
    return *text == '\0' || *end != '\0' || number < least || number > INT_MAX
               ? -1
               : (int)number;
}

static bool set_option(struct loops_settings *settings, const char *name,
                       const char *value)
{
    static const char *const backends[] = {[LOOP_EPOLL] = "epoll", [LOOP_POLL] = "poll"};
    static const char *const balances[] = {[LOOP_ROUND_ROBIN] = "round-robin",
                                           [LOOP_RANDOM] = "random",
                                           [LOOP_LEAST] = "least"};
    int number = -1;
    if (strcmp(name, "--unpack") == 0)
        return set_unpack(&settings->loop, value);
    if (strcmp(name, "--backend") == 0)
        settings->loop.backend = (enum loop_backend)(number = choice(value, backends, 2));
    else if (strcmp(name, "--balance") == 0)
        settings->balance = (enum loop_balance)(number = choice(value, balances, 3));
    else if (strcmp(name, "--loops") == 0)
        settings->n = number = number_of(value, 1);
    else if (strcmp(name, "--idle") == 0)
        settings->loop.idle_ms = number = number_of(value, 0);
    else if (strcmp(name, "--linger") == 0)
        settings->loop.linger_ms = number = number_of(value, 0);
    return number != -1;
}

/* Fill in what the arguments say. False: they make no sense. */
static bool read_arguments(int argc, char *argv[], struct loops_settings *settings)
{
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        if (!set_option(settings, argv[at], argv[at + 1]))
            return false;
    if (at < argc && strncmp(argv[at], "--", 2) == 0)
        return false; /* an option without a value */
    if (argc - at == 1)
        settings->path = argv[at];
    if (argc - at == 2) {
        settings->host = argv[at];
        settings->service = argv[at + 1];
    }
    return argc - at == 1 || argc - at == 2;
}

/* ---- beginning and end ----------------------------------------------------------- */

/* Whoever started it may be waiting for this line. */
static bool announce(const struct loops *loops)
{
    const char *tcp = loops_tcp(loops);
    printf("listening on %s\n", *tcp != '\0' ? tcp : loops_local(loops));
    return fflush(stdout) == 0;
}

int main(int argc, char *argv[])
{
    struct loops_settings settings = {.n = 1,
                                      .loop = {.high_water = HIGH_WATER,
                                               .low_water = LOW_WATER,
                                               .max_output = MOST_WAITING,
                                               .linger_ms = 1000,
                                               .on_message = echo_bytes}};
    if (!read_arguments(argc, argv, &settings)) {
        fprintf(
            stderr,
            "usage: loop-echo-server [--unpack none|lines|length32be|length32le]\n"
            "           [--backend epoll|poll] [--loops N] [--idle MS] [--linger MS]\n"
            "           [--balance round-robin|random|least] HOST PORT | PATH\n");
        return 2;
    }
    sigset_t signals; /* blocked before any thread begins: all of them inherit it */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    struct loops *loops = loops_start(&settings);
    if (loops == NULL || !announce(loops)) {
        perror("loop-echo-server");
        return 1;
    }
    int signal;
    sigwait(&signals, &signal);
    loops_stop(loops);
    for (int i = 0; i < settings.n; i++)
        printf("loop %d served %lu clients\n", i + 1, loop_served(loops_get(loops, i)));
    loops_free(loops);
    return 0;
}
