/*
 * event: an echo server on libevent, with its bufferevents: what was read moves from the
 * input's buffer to the output's without a copy. With --frames each frame is a
 * bufferevent_write_buffer() of its own (libevent gathers what is written in one callback).
 */
#define _GNU_SOURCE
#include "echo.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ROOM = 1 << 16 };

static bool frames;

static void received(struct bufferevent *connection, void *context)
{
    struct evbuffer *input = bufferevent_get_input(connection);
    struct evbuffer *output = bufferevent_get_output(connection);
    unsigned char head[4];
    size_t body;
    (void)context;
    if (!frames) {
        evbuffer_add_buffer(output, input);
        return;
    }
    while (evbuffer_copyout(input, head, 4) == 4) {
        body = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 |
               head[3];
        if (body > ROOM)
            exit(1);
        if (evbuffer_get_length(input) < 4 + body)
            return;
        evbuffer_remove_buffer(input, output, 4 + body);
    }
}

static void ended(struct bufferevent *connection, short what, void *context)
{
    (void)what, (void)context;
    bufferevent_free(connection);
}

static void connected(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *address, int length, void *context)
{
    struct event_base *base = evconnlistener_get_base(listener);
    int on = 1;
    (void)address, (void)length, (void)context;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    evutil_make_socket_nonblocking(fd);
    struct bufferevent *connection =
        bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (connection == NULL)
        exit(1);
    bufferevent_setcb(connection, received, NULL, ended, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int main(int argc, char *argv[])
{
    struct arguments arguments = arguments_of(argc, argv);
    int fd = listener_of(&arguments);
    struct event_base *base = event_base_new();
    frames = arguments.frames;
    if (base == NULL || evconnlistener_new(base, connected, NULL, LEV_OPT_CLOSE_ON_FREE,
                                           -1, fd) == NULL) {
        fputs("event: cannot listen\n", stderr);
        return 1;
    }
    return event_base_dispatch(base);
}
