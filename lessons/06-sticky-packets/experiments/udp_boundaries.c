/*
 * claim: There is no sticky-packet problem in UDP.
 * predict: "Hello" and "World" are sent as two datagrams and read with a buffer of 64 bytes,
 *   then "Hello" again with one of 3. What does each recv() return, and what the one after
 *   the short one?
 * why: UDP keeps boundaries: one recv() is one datagram, and two never come together. The
 *   other side of it: what does not fit into the buffer is thrown away, and recv() returns
 *   as if nothing had happened. Only MSG_TRUNC tells. (They may get lost, too: lesson 04.)
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t receive(int fd, size_t size, int flags)
{
    char text[64] = "";
    ssize_t n = recv(fd, text, size, flags | MSG_DONTWAIT);
    printf("recv(%zu bytes%s) = %zd %s\n", size, flags ? ", MSG_TRUNC" : "", n,
           n == -1 ? strerrorname_np(errno) : text);
    return n;
}

int main(void)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int ours = socket(AF_INET, SOCK_DGRAM, 0), peer = socket(AF_INET, SOCK_DGRAM, 0);
    const char *texts[] = {"Hello", "World", "Hello", "Hello"};
    bind(ours, (struct sockaddr *)&here, sizeof here);
    getsockname(ours, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    connect(peer, (struct sockaddr *)&here, sizeof here);
    for (int i = 0; i < 4; i++)
        printf("send(\"%s\") = %zd\n", texts[i], send(peer, texts[i], 5, 0));
    ssize_t first = receive(ours, 64, 0);
    receive(ours, 64, 0);
    ssize_t cut = receive(ours, 3, 0);
    ssize_t told = receive(ours, 3, MSG_TRUNC);
    ssize_t rest = receive(ours, 64, 0);
    printf("so: boundaries %s; a short buffer %s, %s\n", first == 5 ? "hold" : "are lost",
           cut == 3 && rest == -1 ? "loses the rest in silence" : "leaves the rest",
           told == 5 ? "unless asked with MSG_TRUNC" : "even with MSG_TRUNC");
    close(ours);
    close(peer);
    return 0;
}
