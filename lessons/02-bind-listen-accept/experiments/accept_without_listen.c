/*
 * claim: accept() fails if listen() was not called before.
 * predict: A socket that is bound, but does not listen. What do accept() on it, and connect() to
 *   it, say?
 * why: listen() makes a socket passive: only then has it a queue of connections, from which
 *   accept() takes one. Without listen() there is no queue (EINVAL), and to a client the port is
 *   as closed as any other (ECONNREFUSED), although it is taken.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int report(const char *call, int fd, int result)
{
    int error = result == -1 ? errno : 0;
    printf("%s(%d) = %d%s%s\n", call, fd, result, error ? " " : "",
           error ? strerrorname_np(error) : "");
    return error;
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0),
        client = socket(AF_INET, SOCK_STREAM, 0);
    report("bind", server, bind(server, (struct sockaddr *)&address, length));
    getsockname(server, (struct sockaddr *)&address, &length);

    int accepted = report("accept", server, accept(server, NULL, NULL));
    int refused =
        report("connect", client, connect(client, (struct sockaddr *)&address, length));
    report("listen", server, listen(server, 5));
    int connected =
        report("connect", client, connect(client, (struct sockaddr *)&address, length));
    int fd = accept(server, NULL, NULL);
    report("accept", server, fd);

    printf("so: without listen(), accept() says %s and connect() %s; with it, %s\n",
           accepted ? strerrorname_np(accepted) : "yes",
           refused ? strerrorname_np(refused) : "yes",
           connected == 0 && fd != -1 ? "both work" : "they still fail");
    close(fd), close(client), close(server);
    return 0;
}
