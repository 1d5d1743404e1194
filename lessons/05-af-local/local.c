/*
 * local.c: sockets that never leave the machine. What each function promises is in local.h.
 */
#define _GNU_SOURCE /* struct ucred, MSG_CMSG_CLOEXEC */
#include "local.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int local_address(const char *path, struct sockaddr_un *address, socklen_t *length)
{
    /* TODO 1: copy path into the address, and say how long the address is. What if it does not fit?
       What is different with a name that begins with '@'? */
    (void)path, (void)address, (void)length; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int local_listen(const char *path, int backlog)
{
    /* TODO 2: socket(), bind(), listen(). What has to go if the last of them fails? */
    (void)path, (void)backlog; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int local_listen_packets(const char *path, int backlog)
{
    /* TODO 2: the same, with another type. (A function that both of them call?) */
    (void)path, (void)backlog; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int local_connect(const char *path)
{
    /* TODO 3: socket(), connect(). What is EINTR here? */
    (void)path; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int local_connect_packets(const char *path)
{
    /* TODO 3: the same, with another type. */
    (void)path; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int local_bind_datagram(const char *path)
{
    /* TODO 4: socket(), bind(). With which address does the kernel choose a name? */
    (void)path; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int local_unlink_stale(const char *path)
{
    /* TODO 5: remove the file if it is a socket, and nobody is there. How can one tell, without
       waiting? */
    (void)path; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int local_pair(int fds[2])
{
    /* TODO 6: one call does it. */
    (void)fds; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid)
{
    /* TODO 6: ask for SO_PEERCRED. What does it say of a socket that has no peer? */
    (void)fd, (void)pid, (void)uid, (void)gid; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int fd_send(int fd, int passed)
{
    /* TODO 7: sendmsg() one byte, with a control message of the type SCM_RIGHTS. */
    (void)fd, (void)passed; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int fd_receive(int fd)
{
    /* TODO 8: recvmsg() one byte. Take the descriptor out of the control message; what if there
       is none, or more than one, or MSG_CTRUNC in msg_flags? */
    (void)fd; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}
