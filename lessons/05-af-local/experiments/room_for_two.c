/*
 * claim: CMSG_SPACE(sizeof(int)) is room for one descriptor.
 * predict: The buffer for control messages is CMSG_SPACE(sizeof(int)) bytes; the peer sends two
 *   descriptors. How many are open here after recvmsg(), and does MSG_CTRUNC tell?
 * why: CMSG_SPACE rounds up to the next multiple of sizeof(long), so that another message could follow.
 *   On a 64-bit machine that leaves 4 bytes, and the kernel puts a second descriptor there. Who
 *   reads the first and forgets the second has one open for ever; a hostile peer does that a
 *   thousand times. Give CMSG_LEN(sizeof(int)) as msg_controllen, or look at cmsg_len.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    char bytes[CMSG_SPACE(2 * sizeof(int))];
    struct cmsghdr head;
};

/* How many descriptors of two come into a buffer of this size. */
static size_t receive(int fds[2], const char *name, size_t size)
{
    char byte = 0;
    union control control = {.head = {.cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS,
                                      .cmsg_len = CMSG_LEN(2 * sizeof(int))}};
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(2 * sizeof(int))};
    memcpy(CMSG_DATA(&control.head), fds, 2 * sizeof(int));
    sendmsg(fds[0], &message, 0);
    message.msg_controllen = size;
    recvmsg(fds[1], &message, 0);
    size_t n = (control.head.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    printf("recvmsg(), with msg_controllen = %s = %zu: %zu descriptors, MSG_CTRUNC %s\n",
           name, size, n, message.msg_flags & MSG_CTRUNC ? "set" : "not set");
    for (size_t i = 0; i < n; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(&control.head) + i * sizeof fd, sizeof fd);
        close(fd);
    }
    return n;
}

int main(void)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return 1;
    size_t space = receive(fds, "CMSG_SPACE(sizeof(int))", CMSG_SPACE(sizeof(int)));
    size_t length = receive(fds, "CMSG_LEN(sizeof(int))", CMSG_LEN(sizeof(int)));
    printf(
        "so: CMSG_SPACE(sizeof(int)) has room for %zu, CMSG_LEN(sizeof(int)) for %zu\n",
        space, length);
    close(fds[0]), close(fds[1]);
    return 0;
}
