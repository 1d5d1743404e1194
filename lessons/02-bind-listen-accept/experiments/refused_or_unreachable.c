/*
 * claim: "Connection refused" means that the destination cannot be reached.
 * predict: Three calls of connect(): to a port of this machine on which nobody listens, to an
 *   address that TCP has no route to, and to a server that is too busy to answer. Which fails
 *   with ECONNREFUSED? Which takes longest?
 * why: Refused is an answer: the host was reached, and sent an RST. Unreachable is a judgement of
 *   this machine's, or of a router's: no route. Silence is no answer at all, and takes as long as
 *   TCP goes on asking: about two minutes on Linux, unless TCP_USER_TIMEOUT says less, as here.
 *   (No packet leaves this machine: Linux refuses TCP to the broadcast address by itself, and the
 *   silent server is a listener on loopback whose queue is full.)
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int bound_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bind(fd, (struct sockaddr *)address, sizeof *address);
    getsockname(fd, (struct sockaddr *)address, &(socklen_t){sizeof *address});
    return fd;
}

static int try(const char *where, const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), error = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){500}, sizeof(unsigned));
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == -1)
        error = errno;
    clock_gettime(CLOCK_MONOTONIC, &end);
    long ms =
        (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    printf("%-15s connect(%d, %s:%d) = %s after %ld ms: %s\n", where, fd,
           inet_ntoa(address->sin_addr), ntohs(address->sin_port), error ? "-1" : "0", ms,
           error ? strerrorname_np(error) : "connected");
    close(fd);
    return error;
}

int main(void)
{
    struct sockaddr_in closed, busy;
    struct sockaddr_in broadcast = {.sin_family = AF_INET,
                                    .sin_port = htons(7),
                                    .sin_addr.s_addr = htonl(INADDR_BROADCAST)};
    int unused = bound_socket(&closed), listener = bound_socket(&busy);
    listen(listener, 0);
    int first = socket(AF_INET, SOCK_STREAM, 0);
    connect(first, (struct sockaddr *)&busy, sizeof busy); /* fills the queue */
    int refused = try("nobody listens", &closed);
    int unreachable = try("no route", &broadcast);
    int silent = try("no answer", &busy);
    printf("so: refused is %s, unreachable is %s, silence is %s%s\n",
           strerrorname_np(refused), strerrorname_np(unreachable),
           strerrorname_np(silent),
           refused != unreachable && refused != silent ? ": three different things" : "");
    close(first), close(listener), close(unused);
    return 0;
}
