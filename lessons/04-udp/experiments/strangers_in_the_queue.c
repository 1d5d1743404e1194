/*
 * claim: A connected UDP socket receives from its peer alone.
 * predict: A stranger sends "early", the socket is connected to its server, the stranger sends "late",
 *   the server sends "true". What does recv() return, first and second?
 * why: connect() tells the kernel whom to let in from now on: it compares the sender of each datagram
 *   that arrives. What has arrived already is in the queue, and stays there. So does the answer to an
 *   earlier question: only an id in the message tells.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(struct sockaddr_in *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    *name = (struct sockaddr_in){AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bind(fd, (struct sockaddr *)name, sizeof *name);
    getsockname(fd, (struct sockaddr *)name, &(socklen_t){sizeof *name});
    return fd;
}

static void send_and_tell(const char *who, int fd, const char *text,
                          const struct sockaddr_in *to)
{
    ssize_t n =
        sendto(fd, text, strlen(text), 0, (const struct sockaddr *)to, sizeof *to);
    printf("%s: sendto(\"%s\") = %zd\n", who, text, n);
}

int main(void)
{
    struct sockaddr_in here, there, elsewhere;
    int ours = open_socket(&here), server = open_socket(&there);
    int stranger = open_socket(&elsewhere);
    char first[8] = "", second[8] = "";
    send_and_tell("stranger", stranger, "early", &here);
    int result = connect(ours, (struct sockaddr *)&there, sizeof there);
    printf("ours: connect() = %d\n", result);
    send_and_tell("stranger", stranger, "late", &here);
    send_and_tell("server", server, "true", &here);
    ssize_t n = recv(ours, first, sizeof first - 1, MSG_DONTWAIT);
    printf("ours: recv() = %zd \"%s\"\n", n, first);
    n = recv(ours, second, sizeof second - 1, MSG_DONTWAIT);
    printf("ours: recv() = %zd \"%s\"\n", n, second);
    printf("so: what a stranger sent before connect() is %s, what it sent after is %s\n",
           strcmp(first, "early") == 0 ? "read" : "thrown away",
           strcmp(first, "late") == 0 || strcmp(second, "late") == 0 ? "read"
                                                                     : "kept out");
    return 0;
}
