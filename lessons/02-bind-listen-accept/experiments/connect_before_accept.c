/*
 * claim: connect() may come before accept(), but not before listen().
 * predict: A server has called listen() and never accept(). A client calls connect(), then send().
 *   Which of the two waits for the server's accept()?
 * why: The kernel shakes hands by itself, and queues the connection (up to the backlog) and what
 *   comes over it (up to the receive buffer). accept() only takes from the queue what is there
 *   already. So a connect() that succeeds does not say that the server has noticed, or ever will.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0),
        client = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, length);
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("listen(%d) = %d\n", listener, listen(listener, 5));

    int connected = connect(client, (struct sockaddr *)&address, length);
    printf("connect(%d) = %d\n", client, connected);
    ssize_t sent = send(client, "hello", 5, MSG_NOSIGNAL);
    printf("send(%d, \"hello\") = %zd\n", client, sent);
    printf("close(%d) = %d\n", client, close(client));

    int server = accept(listener, NULL, NULL);
    printf("accept(%d) = %d\n", listener, server);
    char text[16];
    ssize_t received = recv(server, text, sizeof text, 0);
    printf("recv(%d) = %zd \"%.*s\"\n", server, received,
           received > 0 ? (int)received : 0, text);

    printf("so: %s\n", connected == 0 && sent == 5 && received == 5
                           ? "connect(), send() and even close() came before accept(), "
                             "and nothing was lost"
                           : "here the client had to wait for accept()");
    close(server), close(listener);
    return 0;
}
