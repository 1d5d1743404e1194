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

/* TODO 6: wait for the next frame, however many reads it takes. False: there is none, and errno says
   why: ECONNRESET where the server has ended its stream. */
static bool receive(struct conversation *c, struct frame *frame)
{
    (void)c, (void)frame; /* delete this line and the next two */
    errno = ENOSYS;
    return false;
}

/* Send a message in a frame, and wait for the answer. */
static bool ask(struct conversation *c, const void *body, size_t n, struct frame *reply)
{
    const struct frame_format *format = &c->decoder.format;
    ssize_t size = frame_encode(format, body, n, c->output, format->max_length);
    return size != -1 && write_all(c->server, c->output, (size_t)size) == size &&
           receive(c, reply);
}

/* TODO 6, second: ask the ten requests, and print each response: "id %d: %g -> %g\n". A response with
   another id than its request's is an error (EBADMSG), as is a body that is no response. */
static bool ask_requests(struct conversation *c)
{
    (void)c, (void)ask; /* delete this line and the next two */
    errno = ENOSYS;
    return false;
}

/* TODO 6, third: ask with each line of standard input, without its newline, and print the body of each
   answer, with one. (getline() reads lines of any length.) */
static bool ask_lines(struct conversation *c)
{
    (void)c; /* delete this line and the next two */
    errno = ENOSYS;
    return false;
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
