/*
 * splitter-receiver: print the messages that come over a TCP connection, one a line, as a
 * splitter tells them apart.
 *
 * usage: splitter-receiver [--unpack MODE] [--max BYTES] HOST PORT
 *
 *   --unpack none            what each read has brought (this if the option is not given)
 *   --unpack fixed:N         messages of N bytes
 *   --unpack delimiter:TEXT  messages that end with TEXT, which has 1 to 8 bytes
 *   --max BYTES              the most that a message may have; 2097152 if not given
 *   PORT                     0 lets the kernel choose
 *
 * The first line it prints says where: "listening on 127.0.0.1:41233". Clients are served
 * one after another, by reads with room for 1024 bytes or more. What a client has sent is
 * told as it comes:
 *
 *   5 "hello"                a message, and its length
 *   end                      the client has ended its stream behind a message
 *   end, 3 left over: "wor"  it has ended its stream in the middle of one
 *   error: Message too long  or what else strerror() says: nothing more is read from this
 *                            client, its connection is closed, and the next one is served
 *
 * In the quotes, bytes other than printable ASCII, and " and \, are two hexadecimal digits:
 * \x0a.
 *
 * Exit status: 0 when SIGINT or SIGTERM stopped it, at once and whatever call it is in; 1,
 * with a line on standard error, when it cannot listen, accept or print; 2 when called
 * wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "splitter.h"
#include "tcp.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16, MAX_LENGTH = 2 * 1024 * 1024, DECIMAL = 10 };

/* The bytes of a stranger: they may hold NULs, and what a terminal would obey. */
static void print_quoted(const void *message, size_t length)
{
    const unsigned char *bytes = message;

    putchar('"');
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < ' ' || bytes[i] > '~' || bytes[i] == '"' || bytes[i] == '\\')
            printf("\\x%02x", bytes[i]);
        else
            putchar(bytes[i]);
    puts("\"");
}

/* Feed the n bytes of one read, and print the messages that they have completed. */
static bool print_messages(struct splitter *splitter, const void *bytes, size_t n)
{
    const void *message = NULL;
    size_t length = 0;
    int found = 0;

    if (splitter_feed(splitter, bytes, n) != 0)
        return false;
    while ((found = splitter_next(splitter, &message, &length)) == 1) {
        printf("%zu ", length);
        print_quoted(message, length);
    }
    bool shown = fflush(stdout) == 0; /* whoever watches sees what came when it came */
    return shown && found == 0;
}

/* True when the client's stream came to its end; false, with errno set, if something else
   stopped it. */
static bool print_stream(int client, struct splitter *splitter)
{
    char bytes[BUFSIZ];
    const void *leftover = NULL;
    size_t length = 0;
    ssize_t n = 0;

    while ((n = recv(client, bytes, sizeof bytes, 0)) > 0)
        if (!print_messages(splitter, bytes, (size_t)n))
            return false;
    if (n != 0)
        return false;
    if (splitter_end(splitter, &leftover, &length) == 1) {
        printf("end, %zu left over: ", length);
        print_quoted(leftover, length);
    } else {
        puts("end");
    }
    return true;
}

static void serve(int client, const struct splitter_rule *rule)
{
    struct splitter *splitter = splitter_new(rule); /* one for each connection */
    if (splitter == NULL || !print_stream(client, splitter))
        printf("error: %s\n", strerror(errno));
    fflush(stdout); /* before the close: who sees that knows that all has been told */
    splitter_free(splitter);
    close(client);
}

/* The kernel closes what is open, and there is nothing to save. _exit() is one of the few
   functions that a signal handler may call. */
static void stop(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

static bool announce(int listener)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char text[ADDRESS_TEXT_SIZE];

    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        address_text((struct sockaddr *)&address, length, text, sizeof text) != 0)
        return false;
    printf("listening on %s\n", text);
    return fflush(stdout) == 0; /* whoever started us may be waiting for this line */
}

/* A whole decimal number; 0, which no option here takes, for anything else. */
static size_t number(const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, DECIMAL);
    bool whole = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
    return whole && value <= SIZE_MAX ? (size_t)value : 0;
}

/* What follows the prefix in text, or NULL. */
static const char *after(const char *prefix, const char *text)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static bool parse_mode(const char *text, struct splitter_rule *rule)
{
    const char *rest = NULL;

    if (strcmp(text, "none") == 0) {
        rule->mode = SPLIT_NONE;
    } else if ((rest = after("fixed:", text)) != NULL) {
        rule->mode = SPLIT_FIXED;
        rule->fixed_length = number(rest);
    } else if ((rest = after("delimiter:", text)) != NULL) {
        rule->mode = SPLIT_DELIMITER;
        rule->delimiter_length = strlen(rest);
        memcpy(rule->delimiter, rest, strnlen(rest, sizeof rule->delimiter));
    } else {
        return false;
    }
    return true;
}

static bool set_option(const char *name, const char *value, struct splitter_rule *rule)
{
    if (value == NULL)
        return false;
    if (strcmp(name, "--unpack") == 0)
        return parse_mode(value, rule);
    rule->max_length = number(value);
    return strcmp(name, "--max") == 0;
}

/* The arguments behind the options, or NULL. */
static char **parse_options(char *argv[], struct splitter_rule *rule)
{
    for (argv++; *argv != NULL && after("--", *argv) != NULL; argv += 2)
        if (!set_option(argv[0], argv[1], rule))
            return NULL;
    return argv;
}

/* Does the rule make sense? The splitter knows. */
static bool is_refused(const struct splitter_rule *rule)
{
    struct splitter *splitter = splitter_new(rule);
    bool refused = splitter == NULL && errno == EINVAL;
    splitter_free(splitter);
    return refused;
}

int main(int argc, char *argv[])
{
    struct splitter_rule rule = {.mode = SPLIT_NONE, .max_length = MAX_LENGTH};
    char **address = parse_options(argv, &rule);

    if (address == NULL || argv + argc - address != 2 || is_refused(&rule)) {
        fprintf(stderr, "usage: splitter-receiver [--unpack none|fixed:N|delimiter:TEXT]"
                        " [--max BYTES] HOST PORT\n");
        return 2;
    }
    struct sigaction stopping = {.sa_handler = stop};
    sigaction(SIGINT, &stopping, NULL);
    sigaction(SIGTERM, &stopping, NULL);

    int client = -1;
    int listener = tcp_listen(address[0], address[1], BACKLOG);
    if (listener != -1 && announce(listener))
        while (!ferror(stdout) && (client = tcp_accept(listener, NULL, NULL)) != -1)
            serve(client, &rule);
    perror("splitter-receiver");
    return 1;
}
