/*
 * count-server: count the lines, words and bytes that each client sends, and answer when
 * the client has ended its stream.
 *
 * usage: count-server HOST PORT        PORT 0 lets the kernel choose
 *
 * The first line it prints says where: "listening on 127.0.0.1:41233". Clients are served
 * one after another. The answer is one line as wc prints it, without a name: "2 3 14". A
 * line is a newline character; a word is a run of bytes between white space (isspace() in
 * the C locale). A client that goes away, by an RST at any moment for instance, gets no
 * answer and costs nothing: the next one is served.
 *
 * Exit status: 0 when SIGINT or SIGTERM stopped it, at once and whatever call it is in; 1,
 * with a line on standard error, when it cannot listen or accept; 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "closing.h"
#include "tcp.h"

#include <ctype.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16, ANSWER_SIZE = 64 };

struct counts {
    unsigned long long lines, words, bytes;
    bool in_word; /* kept from one read to the next: a word can be cut anywhere */
};

static void count(struct counts *counts, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool space = isspace((unsigned char)bytes[i]);
        counts->lines += bytes[i] == '\n';
        counts->words += !space && !counts->in_word;
        counts->in_word = !space;
    }
    counts->bytes += n;
}

/* A line this short always fits into an empty send buffer: send() takes it whole or
   fails, and then there is nobody left to tell. */
static void answer(int client, const struct counts *counts)
{
    char text[ANSWER_SIZE];
    int length = snprintf(text, sizeof text, "%llu %llu %llu\n", counts->lines,
                          counts->words, counts->bytes);
    send(client, text, (size_t)length, MSG_NOSIGNAL);
}

static void serve(int client)
{
    struct counts counts = {0};
    char bytes[BUFSIZ];
    ssize_t n;

    while ((n = recv(client, bytes, sizeof bytes, 0)) > 0)
        count(&counts, bytes, (size_t)n);
    if (n == 0)
        answer(client, &counts);
    stream_close(client); /* a client that has gone is no reason to stop serving */
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

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: count-server HOST PORT\n");
        return 2;
    }
    struct sigaction stopping = {.sa_handler = stop};
    sigaction(SIGINT, &stopping, NULL);
    sigaction(SIGTERM, &stopping, NULL);

    int client = -1;
    int listener = tcp_listen(argv[1], argv[2], BACKLOG);
    if (listener != -1 && announce(listener))
        while ((client = tcp_accept(listener, NULL, NULL)) != -1)
            serve(client);
    perror("count-server");
    return 1;
}
