/*
 * epoll: an echo server that does nothing but what the kernel asks for: the limit that the
 * others are measured against. A read, a write; what the write does not take waits for
 * EPOLLOUT, and nothing is read meanwhile. With --frames as well: the answers to one read
 * leave by one write.
 */
#define _GNU_SOURCE
#include "echo.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 16, AT_ONCE = 256, MOST = 1 << 16 };

/* What is left of one read: bytes that the peer did not take, or a frame that is not whole. */
struct connection {
    int fd;
    bool blocked;
    size_t left, whole; /* bytes kept; of these so many are to be sent */
    unsigned char *kept;
};

static int epoll;
static bool frames;
static struct connection connections[MOST]; /* by descriptor */

static void forget(struct connection *c)
{
    close(c->fd);
    free(c->kept);
    c->kept = NULL;
}

static void wait_for(struct connection *c, bool room)
{
    struct epoll_event event = {.events = room ? EPOLLOUT : EPOLLIN, .data.fd = c->fd};
    if (c->blocked != room)
        epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->blocked = room;
}

/* Sends the first `whole` of `size` bytes and keeps the rest. False: the connection is over. */
static bool answer(struct connection *c, const unsigned char *bytes, size_t whole,
                   size_t size)
{
    ssize_t n = whole == 0 ? 0 : send(c->fd, bytes, whole, MSG_NOSIGNAL);
    if (n == -1 && errno != EAGAIN)
        return false;
    size_t sent = n > 0 ? (size_t)n : 0;
    c->left = size - sent;
    c->whole = whole - sent;
    if (c->left > 0 && c->kept == NULL && (c->kept = malloc(ROOM)) == NULL)
        return false;
    if (c->left > 0)
        memmove(c->kept, bytes + sent, c->left);
    if (c->left == 0) {
        free(c->kept);
        c->kept = NULL;
    }
    wait_for(c, c->whole > 0);
    return true;
}

static bool serve(struct connection *c)
{
    static unsigned char buffer[ROOM];
    if (c->whole > 0)
        return answer(c, c->kept, c->whole, c->left);
    if (c->kept != NULL)
        memcpy(buffer, c->kept, c->left);
    ssize_t n = recv(c->fd, buffer + c->left, ROOM - c->left, 0);
    if (n <= 0)
        return n == -1 && errno == EAGAIN;
    size_t size = c->left + (size_t)n, whole = frames ? 0 : size, one;
    while (frames && (one = frame_of(buffer + whole, size - whole, ROOM)) > 0)
        whole += one;
    return answer(c, buffer, whole, size);
}

static void take(int listener)
{
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= MOST)
            exit(1);
        connections[fd] = (struct connection){.fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char *argv[])
{
    struct arguments arguments = arguments_of(argc, argv);
    int listener = listener_of(&arguments);
    struct epoll_event events[AT_ONCE], event = {.events = EPOLLIN, .data.fd = listener};
    frames = arguments.frames;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(epoll, events, AT_ONCE, -1);
        for (int i = 0; i < count; i++)
            if (events[i].data.fd == listener)
                take(listener);
            else if (!serve(&connections[events[i].data.fd]))
                forget(&connections[events[i].data.fd]);
    }
}
