/*
 * claim: close() ends a connection in order: FIN, as the books draw it.
 * predict: The peer asked "question". We send "answer" and close(), once after reading
 *   the question, once without. What does the peer read, besides the answer?
 * why: Bytes that nobody will ever read are lost, and TCP must not hide a loss. So
 *   close() with unread data sends RST at once, in place of FIN. Here the answer had
 *   arrived before; one that is still under way is lost (see reset_loses).
 */
#define _GNU_SOURCE /* strerrorname_np(), POLLRDHUP */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two ends of one TCP connection over loopback. */
static void connect_pair(int *ours, int *peer)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    *ours = socket(AF_INET, SOCK_STREAM, 0);
    connect(*ours, (struct sockaddr *)&here, sizeof here);
    *peer = accept(listener, NULL, NULL);
    close(listener);
}

static ssize_t said(const char *call, ssize_t n)
{
    printf("%s = %zd%s%s\n", call, n, n == -1 ? " " : "",
           n == -1 ? strerrorname_np(errno) : "");
    return n;
}

static void wait_for(int fd, short event)
{
    poll(&(struct pollfd){.fd = fd, .events = event}, 1, -1);
}

/* What the peer's read says after the answer: 0, or -1. */
static ssize_t try(int read_it)
{
    int ours, peer;
    char bytes[16];
    connect_pair(&ours, &peer);
    said("peer: send(\"question\")", send(peer, "question", 8, MSG_NOSIGNAL));
    wait_for(ours, POLLIN);
    if (read_it)
        said("ours: recv()", recv(ours, bytes, sizeof bytes, 0));
    said("ours: send(\"answer\")", send(ours, "answer", 6, MSG_NOSIGNAL));
    wait_for(peer, POLLIN);
    said("ours: close()", close(ours));
    wait_for(peer, POLLRDHUP); /* FIN or RST has come */
    said("peer: recv()", recv(peer, bytes, sizeof bytes, 0));
    ssize_t end = said("peer: recv()", recv(peer, bytes, sizeof bytes, 0));
    close(peer);
    return end;
}

int main(void)
{
    puts("the question was read:");
    const char *read = try(1) == 0 ? "in order" : "by a reset";
    puts("the question was not read:");
    const char *unread = try(0) == 0 ? "in order" : "by a reset";
    printf("so: close() after reading all ends %s, with unread bytes %s\n", read, unread);
    return 0;
}
