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

/*
 * TODO 7: read from client until its stream ends, each time with room for 1024 bytes or
 * more, feed the splitter with what each read has brought, and print every message that is
 * then whole: its length, a space, and print_quoted(). Whoever watches wants to see it
 * before the next read: fflush(stdout).
 *
 * At the end of the stream print "end", or, if something is left over, as in
 * "end, 3 left over: " and print_quoted(). Then return true. If something else stops you (a
 * read that fails, a message that is too long) return false, with errno saying what:
 * serve() tells it.
 */
static bool print_stream(int client, struct splitter *splitter)
{
    (void)client, (void)splitter, (void)print_quoted; /* delete this line, the next two */
    errno = ENOSYS;
    return false;
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
