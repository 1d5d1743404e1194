/*
 * local.c: sockets that never leave the machine. What each function promises is in local.h.
 */
#define _GNU_SOURCE /* struct ucred, MSG_CMSG_CLOEXEC */
#include "local.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_abstract(const char *path)
{
    return path[0] == '@';
}

int local_address(const char *path, struct sockaddr_un *address, socklen_t *length)
{
    size_t n = strlen(path);
    if (n == 0) {
        errno = ENOENT; /* the kernel would take it for a wish to be given a name */
        return -1;
    }
    if (!is_abstract(path))
        n++; /* a path ends at its NUL, an abstract name where the length says */
    if (n > sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    address->sun_family = AF_UNIX;
    for (size_t i = 0; i < n; i++)
        address->sun_path[i] = is_abstract(path) && path[i] == '@' ? '\0' : path[i];
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return 0;
}

/* Close fd. Returns -1, with errno as it was. */
static int give_up(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A socket with the name that path stands for; NULL: that the kernel chooses. Or -1. */
static int bound_socket(int type, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length =
        sizeof address.sun_family; /* an address without a name: autobind */
    if (path != NULL && local_address(path, &address, &length) != 0)
        return -1;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, length) != 0)
        return give_up(fd);
    return fd;
}

static int listening_socket(int type, const char *path, int backlog)
{
    int fd = bound_socket(type, path);
    if (fd == -1)
        return -1;
    if (listen(fd, backlog) != 0) {
        int error = errno;
        if (!is_abstract(path))
            unlink(path); /* bind() made it, so it is ours. Best effort. */
        errno = error;
        return give_up(fd);
    }
    return fd;
}

int local_listen(const char *path, int backlog)
{
    return listening_socket(SOCK_STREAM, path, backlog);
}

int local_listen_packets(const char *path, int backlog)
{
    return listening_socket(SOCK_SEQPACKET, path, backlog);
}

static int connected_socket(int type, const char *path)
{
    struct sockaddr_un address;
    socklen_t length;
    if (local_address(path, &address, &length) != 0)
        return -1;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    while (connect(fd, (struct sockaddr *)&address, length) != 0)
        if (errno != EINTR) /* nothing goes on behind our back, as it would with TCP */
            return give_up(fd);
    return fd;
}

int local_connect(const char *path)
{
    return connected_socket(SOCK_STREAM, path);
}

int local_connect_packets(const char *path)
{
    return connected_socket(SOCK_SEQPACKET, path);
}

int local_bind_datagram(const char *path)
{
    return bound_socket(SOCK_DGRAM, path);
}

/*
 * Does no open socket have this address? 0 if none has, or -1 with errno set.
 *
 * Asked with a datagram socket: to connect one is to look the address up, and no more. It
 * never waits, and a server of another type (EPROTOTYPE) hears nothing of it.
 */
static int find_nobody(const struct sockaddr_un *address, socklen_t length)
{
    int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe == -1)
        return -1;
    if (connect(probe, (const struct sockaddr *)address, length) == 0)
        errno = EADDRINUSE; /* it takes datagrams */
    give_up(probe);
    if (errno == ECONNREFUSED)
        return 0;
    if (errno == EPROTOTYPE || errno == EPERM) /* EPERM: it takes datagrams, of another */
        errno = EADDRINUSE;
    return -1;
}

int local_unlink_stale(const char *path)
{
    struct sockaddr_un address;
    socklen_t length;
    struct stat file;
    if (local_address(path, &address, &length) != 0)
        return -1;
    if (is_abstract(path))
        return 0;
    if (lstat(path, &file) != 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISSOCK(file.st_mode)) {
        errno = ENOTSOCK;
        return -1;
    }
    if (find_nobody(&address, length) != 0)
        return -1;
    return unlink(path);
}

int local_pair(int fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
}

int peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return -1;
    if (peer.uid == (uid_t)-1) { /* how the kernel says "nobody" */
        errno = ENOTCONN;
        return -1;
    }
    if (pid != NULL)
        *pid = peer.pid;
    if (uid != NULL)
        *uid = peer.uid;
    if (gid != NULL)
        *gid = peer.gid;
    return 0;
}

/*
 * What a control message with one descriptor takes. CMSG_LEN and not CMSG_SPACE is the room for a
 * received one: what CMSG_SPACE adds for alignment is enough for a second descriptor on a 64-bit
 * machine, and the kernel would fill it.
 */
union one_descriptor {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr head; /* for its alignment */
};

int fd_send(int fd, int passed)
{
    struct iovec byte = {.iov_base = "", .iov_len = 1};
    union one_descriptor control = {.head = {.cmsg_level = SOL_SOCKET,
                                             .cmsg_type = SCM_RIGHTS,
                                             .cmsg_len = CMSG_LEN(sizeof passed)}};
    memcpy(CMSG_DATA(&control.head), &passed, sizeof passed);
    struct msghdr message = {.msg_iov = &byte,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    while (sendmsg(fd, &message, MSG_NOSIGNAL) == -1)
        if (errno != EINTR)
            return -1;
    return 0;
}

/* The descriptor that a message brought, or -1. There was room for one. */
static int descriptor_in(struct msghdr *message)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    int passed = -1;
    if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(&passed, CMSG_DATA(head), sizeof passed);
    return passed;
}

int fd_receive(int fd)
{
    char byte;
    union one_descriptor control;
    struct iovec data = {.iov_base = &byte, .iov_len = sizeof byte};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t n;
    do {
        n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    } while (n == -1 && errno == EINTR);
    if (n == -1)
        return -1;
    int passed = descriptor_in(&message);
    errno = n == 0 ? ENODATA : EBADMSG; /* unless a descriptor is returned */
    if (passed != -1 && (n == 0 || (message.msg_flags & MSG_CTRUNC) != 0))
        return give_up(passed);
    return passed;
}
