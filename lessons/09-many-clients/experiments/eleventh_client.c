/*
 * claim: a server with a maximum of 10 connections refuses the eleventh.
 * predict: A server serves 10 clients and then closes each new connection as soon as it has accepted
 *   it, unread. The eleventh client does connect(), send(), recv(). What does each of the three say?
 * why: The kernel completes a connection before the program hears of it: connect() succeeds, whatever
 *   the server will do. And close() with unread bytes is a reset, which says nothing to a person. So
 *   a server that is full says so, ends its stream, reads what still comes, and only then closes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 10 };

static struct sockaddr_in here = {.sin_family = AF_INET};

static int connected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int result = connect(fd, (struct sockaddr *)&here, sizeof here);
    if (result != 0)
        printf("connect() = %d, %s\n", result, strerror(errno));
    return fd;
}

int main(void)
{
    int served[MOST], clients[MOST];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 16);
    getsockname(listener, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    for (int i = 0; i < MOST; i++) {
        clients[i] = connected();
        served[i] = accept(listener, NULL, NULL);
    }
    int eleventh = connected();
    printf("the eleventh: connect() succeeded\n");
    printf("the eleventh: send() = %zd\n", send(eleventh, "hello", 5, MSG_NOSIGNAL));
    int refused = accept(listener, NULL, NULL);
    recv(refused, &(char){0}, 1, MSG_PEEK); /* it has come */
    close(refused);
    char bytes[8];
    ssize_t n = recv(eleventh, bytes, sizeof bytes, 0);
    printf("the eleventh: recv() = %zd, %s\n", n, n == -1 ? strerror(errno) : "no error");
    printf("so: it was accepted, and then %s\n", n == -1 ? "reset" : "ended");
    for (int i = 0; i < MOST; i++) {
        close(clients[i]);
        close(served[i]);
    }
    close(eleventh);
    close(listener);
    return 0;
}
