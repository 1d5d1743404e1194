/*
 * claim: send() returns when all bytes have been sent.
 * predict: The peer reads nothing at all. Does send() of 5 bytes return? How many of
 *   32 MiB does a non-blocking send() take? And the next one?
 * why: send() copies into the kernel, and returns when the copy is made: the bytes wait
 *   in our send buffer and in the peer's receive buffer. It returns how many were copied,
 *   never how many were read. Only an answer of the peer's program tells that.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

static ssize_t try(int fd, const char *bytes, size_t n)
{
    ssize_t taken = send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    printf("ours: send(%zu bytes) = %zd %s\n", n, taken,
           taken == -1 ? strerrorname_np(errno) : "");
    return taken;
}

int main(void)
{
    const size_t much = 32 << 20;
    int ours, peer, waiting = 0;
    char *bytes = calloc(1, much);
    if (bytes == NULL)
        return 1;
    connect_pair(&ours, &peer);
    ssize_t five = try(ours, bytes, 5);
    ssize_t some = try(ours, bytes, much), last = some;
    while (last > 0) /* the kernels may find more room meanwhile */
        last = try(ours, bytes, much);
    ioctl(peer, FIONREAD, &waiting);
    printf("peer: has read 0 bytes; %d wait in its kernel, the others in ours\n",
           waiting);
    close(ours);
    close(peer);
    free(bytes);
    printf("so: send() returned %s the peer read, took %s, and at last %s\n",
           five == 5 ? "before" : "not before",
           some > 0 && (size_t)some < much ? "a part" : "all or nothing",
           last == -1 ? "nothing more" : "still more");
    return 0;
}
