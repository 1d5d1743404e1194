/*
 * claim: recv(MSG_WAITALL) is read_exact().
 * predict: The peer sends "hel", then "lo"; we recv(5, MSG_WAITALL) on a blocking socket. Then it sends
 *   "hel", and we do so without blocking. Then it sends "lo" and ends its stream, and we block again.
 *   What do the three give?
 * why: MSG_WAITALL waits for all of it, but not always: the end of the stream, an error, a signal
 *   handler, or O_NONBLOCK make it return less, without a word. So the result must be looked at, and
 *   the loop written after all. And it cannot be told to give up after 3 s.
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

static ssize_t show(const char *call, int fd, int flags)
{
    char text[8];
    ssize_t n = recv(fd, text, 5, flags | MSG_WAITALL);
    printf("ours: %s = %zd %s%.*s\n", call, n, n == -1 ? strerrorname_np(errno) : "",
           n > 0 ? (int)n : 0, text);
    return n;
}

int main(void)
{
    int ours, peer;
    connect_pair(&ours, &peer);
    send(peer, "hel", 3, 0);
    send(peer, "lo", 2, 0);
    puts("peer: send(\"hel\"), send(\"lo\")");
    ssize_t whole = show("recv(5, MSG_WAITALL)", ours, 0);
    send(peer, "hel", 3, 0);
    puts("peer: send(\"hel\")");
    ssize_t less = show("recv(5, MSG_WAITALL | MSG_DONTWAIT)", ours, MSG_DONTWAIT);
    send(peer, "lo", 2, 0);
    shutdown(peer, SHUT_WR);
    puts("peer: send(\"lo\"), and the end of its stream");
    ssize_t end = show("recv(5, MSG_WAITALL)", ours, 0);
    printf("so: it gave %zd, %zd and %zd bytes, where 5 were asked for\n", whole, less,
           end);
    close(ours);
    close(peer);
    return 0;
}
