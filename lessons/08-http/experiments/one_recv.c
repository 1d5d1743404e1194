/*
 * claim: one recv() returns one HTTP request.
 * predict: A server does one recv() of 1024 bytes and looks whether "GET " stands in front. The
 *   client's request comes in two segments, "GE" and the rest; then two requests come in one
 *   segment. What does the server answer to each?
 * why: A stream has no messages. recv() gives what is there: a part of a request, or several. On
 *   one's own machine a small request mostly comes alone and whole, so the tutorial's server works
 *   until it meets a slow line, a large cookie, or a client that does not wait.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two ends of one TCP connection over loopback. */
static void connect_pair(int *ours, int *peer)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    *ours = socket(AF_INET, SOCK_STREAM, 0);
    connect(*ours, (struct sockaddr *)&here, sizeof here);
    *peer = accept(listener, NULL, NULL);
    close(listener);
}

/* The tutorial's server. */
static int answer(int fd)
{
    char bytes[1025] = "";
    ssize_t n = recv(fd, bytes, sizeof bytes - 1, 0);
    int status = strncmp(bytes, "GET ", 4) == 0 ? 200 : 405;
    printf("naive: recv() = %zd: \"%.*s\"%s: answers %d %s\n", n,
           (int)strcspn(bytes, "\r"), bytes, n > 30 ? " ..." : "", status,
           status == 200 ? "OK" : "Method Not Allowed");
    return status;
}

static void say(int fd, const char *name, const char *bytes)
{
    printf("peer: send(%s) = %zd\n", name, send(fd, bytes, strlen(bytes), 0));
}

int main(void)
{
    int ours, peer, wrong = 0, answers = 0;
    connect_pair(&ours, &peer);
    say(peer, "\"GE\"", "GE");
    wrong += answer(ours) != 200, answers++;
    say(peer, "the rest", "T / HTTP/1.1\r\nHost: a\r\n\r\n");
    wrong += answer(ours) != 200, answers++;
    say(peer, "two requests",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n");
    wrong += answer(ours) != 200, answers++;
    printf("so: 3 requests, %d answers, %d of them wrong\n", answers, wrong);
    close(ours);
    close(peer);
    return 0;
}
