/*
 * frame-client: talk to a frame-server.
 *
 * usage: frame-client --format length32le HOST PORT | PATH
 *            send ten requests, one after another: ids 0, 100, ... 900, values 0, 10.1, ... 90.9;
 *            print each response: "id 100: 10.1 -> 101"
 *        frame-client --format length32be HOST PORT | PATH
 *            send each line of standard input as a frame, without its newline, and print the body
 *            that comes back, with one
 *
 * Each frame is sent when the answer to the one before has come.
 *
 * Exit status: 0 when everything was answered; 1, with a line on standard error, when something
 * failed: a bad frame came, or a response with another id, or the server ended its stream; 2 when
 * called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "frame.h"
#include "local.h"
#include "measure.h"
#include "stream.h"
#include "tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { REQUESTS = 10, ID_STEP = 100, CHUNK = 16 * 1024 };

struct conversation {
    int server;
    struct frame_decoder decoder;
    unsigned char input[CHUNK];
    unsigned char *output; /* room for one frame */
};

/* Wait for the next frame, however many reads it takes. False: there is none, see errno. */
static bool receive(struct conversation *c, struct frame *frame)
{
    int result;
    while ((result = frame_decoder_next(&c->decoder, frame)) == 0) {
        ssize_t n = recv(c->server, c->input, sizeof c->input, 0);
        if (n == 0)
            errno =
                ECONNRESET; /* in the middle of the conversation: that is what it means */
        if (n <= 0)
            return false;
        frame_decoder_feed(&c->decoder, c->input, (size_t)n);
    }
    return result == 1;
}

/* Send a message in a frame, and wait for the answer. */
static bool ask(struct conversation *c, const void *body, size_t n, struct frame *reply)
{
    const struct frame_format *format = &c->decoder.format;
    ssize_t size = frame_encode(format, body, n, c->output, format->max_length);
    return size != -1 && write_all(c->server, c->output, (size_t)size) == size &&
           receive(c, reply);
}

static bool ask_requests(struct conversation *c)
{
    for (int i = 0; i < REQUESTS; i++) {
        struct request request = {.id = i * ID_STEP, .raw_value = i * 10.1};
        struct response response;
        unsigned char body[MEASURE_SIZE];
        struct frame reply;

        request_encode(&request, body);
        if (!ask(c, body, sizeof body, &reply) ||
            response_decode(reply.body, reply.body_size, &response) == -1)
            return false;
        if (response.id != request.id) {
            errno = EBADMSG;
            return false;
        }
        printf("id %d: %g -> %g\n", response.id, request.raw_value,
               response.processed_value);
    }
    return fflush(stdout) == 0;
}

static bool ask_lines(struct conversation *c)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    bool ok = true;
    while (ok && (n = getline(&line, &room, stdin)) != -1) {
        struct frame reply;
        if (line[n - 1] == '\n')
            n--;
        ok = ask(c, line, (size_t)n, &reply) &&
             fwrite(reply.body, 1, reply.body_size, stdout) == reply.body_size &&
             puts("") != EOF && fflush(stdout) == 0;
    }
    free(line);
    return ok && !ferror(stdin);
}

/* Memory for one frame each way, and never more. */
static bool converse(int server, const struct frame_format *format)
{
    struct conversation c = {.server = server};
    unsigned char *memory = malloc(2 * format->max_length);
    if (memory == NULL)
        return false;
    c.output = memory + format->max_length;
    frame_decoder_init(&c.decoder, format, memory, format->max_length);
    bool ok =
        format->byte_order == FRAME_LITTLE_ENDIAN ? ask_requests(&c) : ask_lines(&c);
    free(memory);
    return ok;
}

int main(int argc, char *argv[])
{
    const struct frame_format *format = NULL;
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "--format") == 0)
        format = frame_format_named(argv[2]);
    if (format == NULL) {
        fprintf(stderr, "usage: frame-client --format length32le|length32be "
                        "HOST PORT | PATH\n");
        return 2;
    }
    int server = argc == 5 ? tcp_connect(argv[3], argv[4]) : local_connect(argv[3]);
    if (server == -1 || !converse(server, format)) {
        perror("frame-client");
        return 1;
    }
    return 0;
}
