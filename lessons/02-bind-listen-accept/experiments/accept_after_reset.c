/*
 * claim: A client that breaks off while it waits in the queue has gone from the queue.
 * predict: A client connects, sends 5 bytes, and resets the connection (RST), all before the server
 *   calls accept(). Does accept() return that connection, another error, or does it wait?
 * why: POSIX lets accept() say ECONNABORTED, and BSD systems do. Linux keeps the dead connection in
 *   its place: accept() returns it, and recv() then tells of the reset. Either way one client's
 *   trouble must not end the server: go on after ECONNABORTED, and look at every recv().
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    bind(listener, (struct sockaddr *)&address, length);
    getsockname(listener, (struct sockaddr *)&address, &length);
    listen(listener, 5);

    int client = socket(AF_INET, SOCK_STREAM, 0);
    printf("connect(%d) = %d\n", client,
           connect(client, (struct sockaddr *)&address, length));
    printf("send(%d, \"hello\") = %zd\n", client, send(client, "hello", 5, MSG_NOSIGNAL));
    setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
               sizeof(struct linger)); /* close() sends RST in place of FIN */
    printf("close(%d) = %d, with RST\n", client, close(client));

    int fd = accept(listener, NULL, NULL);
    printf("accept(%d) = %d%s%s\n", listener, fd, fd == -1 ? " " : "",
           fd == -1 ? strerrorname_np(errno) : "");
    if (fd == -1) {
        puts("so: accept() does not return the connection that was reset");
    } else {
        char text[16];
        ssize_t n;
        while ((n = recv(fd, text, sizeof text, 0)) > 0)
            printf("recv(%d) = %zd \"%.*s\"\n", fd, n, (int)n, text);
        const char *end = n == -1 ? strerrorname_np(errno) : "the end of the stream";
        printf("recv(%d) = %zd %s\n", fd, n, end);
        printf(
            "so: accept() returns the connection that was reset; recv() tells of it: %s\n",
            end);
        close(fd);
    }
    close(listener);
    return 0;
}
