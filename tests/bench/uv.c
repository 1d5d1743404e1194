/*
 * uv: an echo server on libuv, written as its guide writes one: a buffer for each read is
 * allocated, uv_write() takes it, and the write's callback frees it. With --frames each
 * frame is a uv_write() of its own.
 */
#define _GNU_SOURCE
#include "echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { ROOM = 1 << 16 };

static bool frames;

union handle {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct connection {
    union handle handle; /* first: its address is the connection's */
    size_t left;         /* bytes of a frame that is not whole */
    unsigned char *kept;
};

struct writing {
    uv_write_t request;
    char bytes[];
};

static bool local;

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    buffer->base = malloc(suggested);
    buffer->len = buffer->base == NULL ? 0 : suggested;
}

static void gone(uv_handle_t *handle)
{
    free(((struct connection *)handle)->kept);
    free(handle);
}

static void written(uv_write_t *request, int status)
{
    (void)status; /* the next read tells */
    free(request);
}

static void write_copy(uv_stream_t *stream, const void *bytes, size_t size)
{
    struct writing *writing = malloc(sizeof *writing + size);
    if (writing == NULL)
        return;
    memcpy(writing->bytes, bytes, size);
    uv_buf_t buffer = uv_buf_init(writing->bytes, (unsigned)size);
    if (uv_write(&writing->request, stream, &buffer, 1, written) != 0)
        free(writing);
}

/* Keeps what is left of the last read, and answers each whole frame. */
static void answer_frames(struct connection *c, const char *bytes, size_t size)
{
    size_t at = 0, one;
    if (size > ROOM - c->left)
        exit(1);
    memcpy(c->kept + c->left, bytes, size);
    size += c->left;
    while ((one = frame_of(c->kept + at, size - at, ROOM)) > 0) {
        write_copy(&c->handle.stream, c->kept + at, one);
        at += one;
    }
    c->left = size - at;
    memmove(c->kept, c->kept + at, c->left);
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    if (n < 0)
        uv_close((uv_handle_t *)stream, gone);
    else if (frames)
        answer_frames((struct connection *)stream, buffer->base, (size_t)n);
    else if (n > 0)
        write_copy(stream, buffer->base, (size_t)n);
    free(buffer->base);
}

static void connected(uv_stream_t *listener, int status)
{
    struct connection *c = calloc(1, sizeof *c);
    if (status < 0 || c == NULL || (frames && (c->kept = malloc(ROOM)) == NULL))
        exit(1);
    if (local)
        uv_pipe_init(listener->loop, &c->handle.pipe, 0);
    else
        uv_tcp_init(listener->loop, &c->handle.tcp);
    if (uv_accept(listener, &c->handle.stream) != 0) {
        uv_close(&c->handle.any, gone);
        return;
    }
    if (!local)
        uv_tcp_nodelay(&c->handle.tcp, 1);
    uv_read_start(&c->handle.stream, allocate, received);
}

int main(int argc, char *argv[])
{
    struct arguments arguments = arguments_of(argc, argv);
    int fd = listener_of(&arguments);
    uv_loop_t *loop = uv_default_loop();
    union handle listener;
    frames = arguments.frames;
    local = arguments.service == NULL;
    if (local) {
        uv_pipe_init(loop, &listener.pipe, 0);
        uv_pipe_open(&listener.pipe, fd);
    } else {
        uv_tcp_init(loop, &listener.tcp);
        uv_tcp_open(&listener.tcp, fd);
    }
    if (uv_listen(&listener.stream, SOMAXCONN, connected) != 0) {
        fputs("uv: cannot listen\n", stderr);
        return 1;
    }
    return uv_run(loop, UV_RUN_DEFAULT);
}
