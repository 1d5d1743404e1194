/*
 * claim: After EINTR, connect() goes on: wait until the socket is writable, and ask for SO_ERROR.
 * predict: A local server's queue is full, so connect() waits; a signal interrupts it. Then poll() for
 *   POLLOUT, then SO_ERROR, as is right with TCP. Is the socket connected?
 * why: With TCP the SYN is on its way, and the kernel goes on without the caller. A local connect()
 *   has sent nothing while it waits for a place in the queue: interrupted, it leaves no trace. The
 *   socket is as writable, and as free of errors, as any new one, and connected to nobody. Call
 *   connect() again.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static void ignore(int signal)
{
    (void)signal;
}

int main(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = offsetof(struct sockaddr_un, sun_path); /* autobind: any name */
    int listener = socket(AF_UNIX, SOCK_STREAM, 0),
        first = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0),
        error = -1;
    bind(listener, (struct sockaddr *)&address, length);
    length = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &length);
    listen(listener, 0);
    connect(first, (struct sockaddr *)&address, length); /* the queue is full now */

    sigaction(SIGALRM, &(struct sigaction){.sa_handler = ignore}, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 5000}, {0, 5000}},
              NULL); /* every 5 ms */
    int result = connect(fd, (struct sockaddr *)&address, length);
    printf("connect(%d) = %d %s\n", fd, result,
           result == -1 ? strerrorname_np(errno) : "");
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int ready = poll(&wait, 1, 0);
    printf("poll(%d, POLLOUT) = %d\n", fd, ready);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    printf("getsockopt(%d, SO_ERROR): %d\n", fd, error);
    int peer = getpeername(fd, (struct sockaddr *)&address, &length);
    printf("getpeername(%d) = %d %s\n", fd, peer,
           peer == -1 ? strerrorname_np(errno) : "");
    printf("so: writable %s, error %d, and %s\n", ready == 1 ? "yes" : "no", error,
           peer == -1 ? "not connected: connect() has to be called again" : "connected");
    close(first), close(fd), close(listener);
    return 0;
}
