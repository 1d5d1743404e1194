/*
 * claim: A UNIX stream socket keeps message boundaries.
 * predict: One end sends "Hello" and then "World". The other asks recv() for up to 100 bytes. What
 *   does it get from a stream, from datagrams, from SOCK_SEQPACKET?
 * why: A stream is a stream, in whatever family: the kernel remembers bytes and no more. A program
 *   that reads between the two sends never notices, until one day both are there first.
 *   Datagrams and SOCK_SEQPACKET keep each message apart.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How many messages came as they were sent. */
static int try(const char *name, int type)
{
    int fds[2], whole = 0;
    if (socketpair(AF_UNIX, type, 0, fds) != 0) {
        perror(name);
        return 0;
    }
    ssize_t hello = send(fds[0], "Hello", 5, 0), world = send(fds[0], "World", 5, 0);
    printf("%-14s send(\"Hello\") = %zd, send(\"World\") = %zd", name, hello, world);
    for (ssize_t n = 1; n > 0;) {
        char text[100];
        n = recv(fds[1], text, sizeof text, MSG_DONTWAIT);
        if (n > 0)
            printf(", recv(100) = %zd \"%.*s\"", n, (int)n, text);
        whole +=
            n == 5 && (memcmp(text, "Hello", 5) == 0 || memcmp(text, "World", 5) == 0);
    }
    puts("");
    close(fds[0]), close(fds[1]);
    return whole;
}

int main(void)
{
    int stream = try("SOCK_STREAM", SOCK_STREAM);
    int datagram = try("SOCK_DGRAM", SOCK_DGRAM);
    int packet = try("SOCK_SEQPACKET", SOCK_SEQPACKET);
    printf("so: of 2 messages, whole and alone came %d by stream, %d by datagram, %d by "
           "seqpacket\n",
           stream, datagram, packet);
    return 0;
}
