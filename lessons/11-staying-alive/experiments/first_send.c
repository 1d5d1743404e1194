/*
 * claim: what is sent right after connect() arrives.
 * predict: connect() on a non-blocking socket said EINPROGRESS, and the server is slow to answer.
 *   The program goes on with send("hello"). What does send() say, and does the hello arrive?
 * why: there is no connection to send on yet: EAGAIN, and nothing is kept for later. Who does not
 *   look at send()'s result has lost its first message. Wait for POLLOUT and SO_ERROR, or put the
 *   message into a queue of your own. (The server here has a full queue, and drops the SYN.)
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 4 };

int main(void)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), clients[CLIENTS], result = 0;
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 0);
    getsockname(listener, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    for (int i = 0; i < CLIENTS; i++) { /* the first ones fill the queue */
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        result = connect(clients[i], (struct sockaddr *)&here, sizeof here);
    }
    int ours = clients[CLIENTS - 1];
    printf("connect() = %d %s\n", result, strerrorname_np(errno));
    ssize_t n = send(ours, "hello", 5, MSG_NOSIGNAL);
    const char *error = n == -1 ? strerrorname_np(errno) : "";
    printf("send(\"hello\") = %zd %s\n", n, error);
    for (int i = 0; i < CLIENTS - 1; i++) {
        int fd = accept(listener, NULL, NULL);
        close(fd);
        if (poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, 0) == 0)
            break;
    }
    struct pollfd wait = {.fd = ours, .events = POLLOUT};
    printf("the server accepts others; poll(POLLOUT) = %d\n", poll(&wait, 1, 5000));
    int peer = accept(listener, NULL, NULL);
    char text[16];
    n = recv(peer, text, sizeof text, MSG_DONTWAIT);
    printf("the server: recv() = %zd %s\n", n, n == -1 ? strerrorname_np(errno) : "");
    printf("so: %s\n",
           n == -1 ? "connected at last, and the hello is lost" : "it arrived");
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    close(peer);
    close(listener);
    return 0;
}
