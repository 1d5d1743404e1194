/*
 * burst-sender: send small messages over a TCP connection, each by one write_all().
 *
 * usage: burst-sender [--gap MICROSECONDS] [--nodelay] [--delimiter TEXT] HOST PORT MESSAGE...
 *
 *   --gap MICROSECONDS  sleep so long between two messages; 0 if not given
 *   --nodelay           set TCP_NODELAY: the kernel sends small segments at once
 *   --delimiter TEXT    send TEXT behind each message, in the same write_all()
 *   MESSAGE             sent as it is: without the delimiter nothing tells the receiver
 *                       where one ends
 *
 * Exit status: 0 when the kernel has taken all of them; 1, with a line on standard error,
 * when something failed, be it that the receiver has gone; 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "stream.h"
#include "tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { DECIMAL = 10, US_PER_SECOND = 1000 * 1000, NS_PER_US = 1000 };

struct options {
    long gap_us;
    bool nodelay;
    const char *delimiter;
};

/* In one piece: a message and its delimiter in two calls would be two segments. */
static bool send_message(int receiver, const char *message, const char *delimiter)
{
    size_t length = strlen(message) + strlen(delimiter);
    char *bytes = malloc(length + 1);
    if (bytes == NULL)
        return false;
    snprintf(bytes, length + 1, "%s%s", message, delimiter);
    bool sent = write_all(receiver, bytes, length) != -1;
    free(bytes);
    return sent;
}

static void sleep_for(long microseconds)
{
    struct timespec gap = {.tv_sec = microseconds / US_PER_SECOND,
                           .tv_nsec = microseconds % US_PER_SECOND * NS_PER_US};
    nanosleep(&gap, NULL);
}

static bool send_burst(int receiver, char *messages[], const struct options *options)
{
    for (size_t i = 0; messages[i] != NULL; i++) {
        if (i > 0)
            sleep_for(options->gap_us);
        if (!send_message(receiver, messages[i], options->delimiter))
            return false;
    }
    return true;
}

static bool set_nodelay(int receiver, bool nodelay)
{
    int on = nodelay;
    return setsockopt(receiver, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

static bool parse_gap(const char *text, long *microseconds)
{
    char *end = NULL;
    *microseconds = strtol(text, &end, DECIMAL);
    return end != text && *end == '\0' && *microseconds >= 0;
}

static bool set_option(const char *name, const char *value, struct options *options)
{
    if (value == NULL)
        return false;
    if (strcmp(name, "--gap") == 0)
        return parse_gap(value, &options->gap_us);
    options->delimiter = value;
    return strcmp(name, "--delimiter") == 0;
}

/* The arguments behind the options, or NULL. */
static char **parse_options(char *argv[], struct options *options)
{
    for (argv++; *argv != NULL && strncmp(*argv, "--", 2) == 0; argv++)
        if (strcmp(*argv, "--nodelay") == 0)
            options->nodelay = true;
        else if (set_option(argv[0], argv[1], options))
            argv++;
        else
            return NULL;
    return argv;
}

int main(int argc, char *argv[])
{
    struct options options = {.delimiter = ""};
    char **rest = parse_options(argv, &options);

    if (rest == NULL || argv + argc - rest < 3) {
        fprintf(stderr, "usage: burst-sender [--gap MICROSECONDS] [--nodelay]"
                        " [--delimiter TEXT] HOST PORT MESSAGE...\n");
        return 2;
    }
    int receiver = tcp_connect(rest[0], rest[1]);
    if (receiver == -1 || !set_nodelay(receiver, options.nodelay) ||
        !send_burst(receiver, rest + 2, &options)) {
        perror("burst-sender");
        return 1;
    }
    return 0; /* nothing is unread: exit closes in order */
}
