/*
 * claim: MSG_PEEK is a way to see whether a whole message is there.
 * predict: The peer sends "he", we peek for 5 bytes; it sends "llo", we peek again; then recv()
 *   twice. What do the four calls give?
 * why: MSG_PEEK copies and takes nothing: the next call sees the same bytes again, however often. It
 *   does not wait for all 5 of them either. A loop that peeks until enough is there is a busy loop,
 *   as poll() says "readable" each time. A buffer of your own costs less.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
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

static void show(const char *call, int fd, int flags)
{
    char text[8];
    ssize_t n = recv(fd, text, 5, flags | MSG_DONTWAIT);
    printf("ours: %s = %zd %s%.*s\n", call, n, n == -1 ? strerrorname_np(errno) : "",
           n > 0 ? (int)n : 0, text);
}

int main(void)
{
    int ours, peer;
    connect_pair(&ours, &peer);
    send(peer, "he", 2, 0);
    puts("peer: send(\"he\")");
    show("recv(5, MSG_PEEK)", ours, MSG_PEEK);
    send(peer, "llo", 3, 0);
    puts("peer: send(\"llo\")");
    show("recv(5, MSG_PEEK)", ours, MSG_PEEK);
    show("recv(5)", ours, 0);
    show("recv(5)", ours, 0);
    puts("so: a peek takes nothing, and waits for nothing");
    close(ours);
    close(peer);
    return 0;
}
