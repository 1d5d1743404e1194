/*
 * claim: SO_REUSEADDR lets two servers share a port.
 * predict: Three pairs of sockets are bound to one port and listen: the first pair with
 *   SO_REUSEADDR, the second with SO_REUSEPORT, and in the third the first server has closed, its
 *   last connection is in TIME_WAIT, and only then comes the second, without any option and then
 *   with SO_REUSEADDR. Which of the four second servers gets the port?
 * why: On Linux SO_REUSEADDR forgives what is left of a server that has gone (TIME_WAIT, if its
 *   socket had the option too), never a socket that listens. SO_REUSEPORT is the one for sharing:
 *   the kernel spreads connections over all that listen. (Other kernels differ: on Windows
 *   SO_REUSEADDR does let two servers have one port.)
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address;

/* A listener at `address`, with the option (0: none), or -1. Port 0: whichever is free. */
static int server(int option, const char *name)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (option != 0)
        setsockopt(fd, SOL_SOCKET, option, &(int){1}, sizeof(int));
    const char *failed = bind(fd, (struct sockaddr *)&address, sizeof address) == -1
                             ? "bind"
                         : listen(fd, 5) == -1 ? "listen"
                                               : NULL;
    if (failed) {
        printf("with %-12s : %s(%d) = -1 %s\n", name, failed, fd, strerrorname_np(errno));
        close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&address, &(socklen_t){sizeof address});
    printf("with %-12s : bind(%d, 127.0.0.1:%d) = 0, listen(%d) = 0\n", name, fd,
           ntohs(address.sin_port), fd);
    return fd;
}

static int two_at_once(int option, const char *name)
{
    address.sin_port = 0;
    int first = server(option, name), second = server(option, name);
    close(first);
    return second == -1 ? 0 : close(second) == 0;
}

int main(void)
{
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int reuseaddr = two_at_once(SO_REUSEADDR, "SO_REUSEADDR");
    int reuseport = two_at_once(SO_REUSEPORT, "SO_REUSEPORT");

    address.sin_port = 0;
    int first = server(SO_REUSEADDR, "SO_REUSEADDR"),
        client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (struct sockaddr *)&address, sizeof address);
    close(accept(first, NULL, NULL)); /* who closes first has the TIME_WAIT */
    close(client), close(first);
    puts("the first server has gone; its last connection is in TIME_WAIT");
    int without = server(0, "no option"), with = server(SO_REUSEADDR, "SO_REUSEADDR");
    printf("so: two servers at once: %s with SO_REUSEADDR, %s with SO_REUSEPORT; "
           "over TIME_WAIT: %s without, %s with SO_REUSEADDR\n",
           reuseaddr ? "yes" : "no", reuseport ? "yes" : "no",
           without != -1 ? "yes" : "no", with != -1 ? "yes" : "no");
    close(without), close(with);
    return 0;
}
