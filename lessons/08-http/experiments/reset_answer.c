/*
 * claim: what a server has sent before close() arrives.
 * predict: A client sends a head that is too long, 100000 bytes. The server reads 8192 of them, sends
 *   its answer, and closes. What does the client's next recv() give: the answer, or an error? And
 *   if the server calls shutdown(SHUT_WR) instead, and reads the rest before it closes?
 * why: close() with unread bytes in the buffer sends a reset (RFC 9293, 3.10.4): this data was lost, says
 *   the reset. A client that is sending gets EPIPE or ECONNRESET, and many then give up and never
 *   read. Linux keeps what has arrived before the reset readable for who still tries; other systems
 *   throw it away, and on a network the reset may overtake an answer that must be sent again.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void connect_pair(int *client, int *server)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    *client = socket(AF_INET, SOCK_STREAM, 0);
    connect(*client, (struct sockaddr *)&here, sizeof here);
    *server = accept(listener, NULL, NULL);
    close(listener);
}

/* Returns whether the client can send and read all without an error. */
static int try(int politely)
{
    static char head[100000], bytes[8192];
    int client, server, ok;
    connect_pair(&client, &server);
    send(client, head, sizeof head, MSG_DONTWAIT);
    printf("server: recv() = %zd, send(\"431 ...\"), %s\n", recv(server, bytes, 8192, 0),
           politely ? "shutdown(SHUT_WR), recv() to the end" : "close()");
    send(server, "431 ...", 7, 0);
    if (politely)
        shutdown(server, SHUT_WR);
    else
        close(server);
    ssize_t n = send(client, "more", 4, MSG_NOSIGNAL);
    ok = n == 4;
    printf("client: send(\"more\") = %zd%s", n, n == -1 ? " " : "");
    printf("%s\n", n == -1 ? strerrorname_np(errno) : "");
    while ((n = recv(client, bytes, sizeof bytes, 0)) > 0)
        printf("client: recv() = %zd: \"%.*s\"\n", n, (int)n, bytes);
    printf("client: recv() = %zd%s%s\n", n, n == -1 ? " " : "",
           n == -1 ? strerrorname_np(errno) : "");
    ok = ok && n == 0;
    close(client);
    while (politely && recv(server, bytes, sizeof bytes, 0) > 0)
        ;
    if (politely)
        close(server);
    return ok;
}

int main(void)
{
    int closed = try(0);
    int ended = try(1);
    printf("so: after close() the client sees %s, after shutdown() %s\n",
           closed ? "no error" : "an error", ended ? "none" : "an error");
    return 0;
}
