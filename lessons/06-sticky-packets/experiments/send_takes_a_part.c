/*
 * claim: send() returns when all bytes have been sent.
 * predict: 1 MiB is to be sent over a non-blocking socket, and nobody reads yet. How many
 *   bytes does the first send() take? And when the reader reads in between, how many calls
 *   does it take to send all?
 * why: send() copies into the kernel as much as there is room for, and returns how much that
 *   was. A blocking socket waits until all are copied, unless a signal comes; a non-blocking
 *   one takes a part. The rest is the caller's business: write_all() is that loop. What has
 *   been copied has neither left the machine yet, nor been read.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    const size_t all = 1 << 20;
    int fds[2] = {-1, -1}, calls = 1;
    char read_now[65536], *bytes = calloc(1, all);
    if (bytes == NULL)
        return 1;
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    ssize_t first = send(fds[0], bytes, all, MSG_DONTWAIT | MSG_NOSIGNAL), n = 0;
    printf("send(%zu bytes) = %zd\n", all, first);
    ssize_t again = send(fds[0], bytes, all, MSG_DONTWAIT | MSG_NOSIGNAL);
    printf("send(%zu bytes) = %zd %s\n", all, again,
           again == -1 ? strerrorname_np(errno) : "");
    size_t done = first > 0 ? (size_t)first : 0;
    done += again > 0 ? (size_t)again : 0;
    while (done < all) {
        recv(fds[1], read_now, sizeof read_now, MSG_DONTWAIT);
        n = send(fds[0], bytes + done, all - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        done += n > 0 ? (size_t)n : 0;
        calls++;
    }
    printf("with a reader that reads %zu bytes now and then: %d calls for all\n",
           sizeof read_now, calls);
    printf("so: the first send() took %s, and returned before anything was read\n",
           first > 0 && (size_t)first < all ? "a part" : "all or nothing");
    free(bytes);
    close(fds[0]);
    close(fds[1]);
    return 0;
}
