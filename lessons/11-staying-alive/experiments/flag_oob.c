/*
 * claim: MSG_OOB sends a message past the others, on a channel of its own.
 * predict: The peer sends "abc" with MSG_OOB, then "de" without. What does recv() give, what
 *   recv(MSG_OOB), and how many bytes went "out of band"?
 * why: TCP has one byte of urgent data, not a second channel: of "abc" the last byte is urgent, and
 *   of two urgent sends the later one alone. It stands in the same stream; SO_OOBINLINE leaves it
 *   there. Boxes on the way drop or move it. RFC 6093: new programs should not use it. A message
 *   with a type, as alive.h has it, does the same and more.
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
    ssize_t n = recv(fd, text, sizeof text, flags | MSG_DONTWAIT);
    printf("ours: %s = %zd %s%.*s\n", call, n, n == -1 ? strerrorname_np(errno) : "",
           n > 0 ? (int)n : 0, text);
}

int main(void)
{
    int ours, peer;
    connect_pair(&ours, &peer);
    send(peer, "abc", 3, MSG_OOB);
    send(peer, "de", 2, 0);
    puts("peer: send(\"abc\", MSG_OOB), send(\"de\")");
    show("recv()", ours, 0);
    show("recv(MSG_OOB)", ours, MSG_OOB);
    show("recv()", ours, 0);
    show("recv(MSG_OOB)", ours, MSG_OOB);
    puts("so: one byte was urgent, the last of the three");
    close(ours);
    close(peer);
    return 0;
}
