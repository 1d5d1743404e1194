/*
 * claim: UNIX stream sockets preserve message boundaries.
 * predict: Over a UNIX stream socket "Hello" and "World" are sent, each by a send() of its
 *   own. What does the first recv() return? And what on SOCK_SEQPACKET?
 * why: SOCK_STREAM means a stream of bytes, whatever carries it: no boundary is kept, and
 *   recv() gives all that is there. Of the UNIX sockets, SOCK_DGRAM and SOCK_SEQPACKET keep
 *   boundaries: that is their type's promise, not the family's.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the first recv() brings; also printed. */
static ssize_t two_sends(int type, const char *name, char *text, size_t size)
{
    int fds[2] = {-1, -1};
    printf("socketpair(AF_UNIX, %s) = %d\n", name, socketpair(AF_UNIX, type, 0, fds));
    printf("send(\"Hello\") = %zd\n", send(fds[0], "Hello", 5, MSG_NOSIGNAL));
    printf("send(\"World\") = %zd\n", send(fds[0], "World", 5, MSG_NOSIGNAL));
    ssize_t n = recv(fds[1], text, size, 0);
    printf("recv() = %zd \"%.*s\"\n", n, (int)n, text);
    close(fds[0]);
    close(fds[1]);
    return n;
}

int main(void)
{
    char text[64] = "";
    ssize_t stream = two_sends(SOCK_STREAM, "SOCK_STREAM", text, sizeof text);
    ssize_t packets = two_sends(SOCK_SEQPACKET, "SOCK_SEQPACKET", text, sizeof text);
    printf("so: a UNIX stream %s boundaries, SOCK_SEQPACKET %s them\n",
           stream == 5 ? "kept" : "keeps no", packets == 5 ? "keeps" : "does not keep");
    return 0;
}
