/*
 * claim: A longer sleep between the sends cures sticky packets.
 * predict: "one" and "two" are sent with 50 ms between them. The reader has something else to
 *   do meanwhile, and reads then. What does its first recv() return?
 * why: A sleep changes how often the reader is quick enough, and nothing about what a stream
 *   is. Bytes that nobody has read wait in the kernel, behind each other, whenever they came.
 *   A test on an idle machine passes; a busy one, or a slow network, shows what was wrong.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GAP_US = 50000 };

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

/* A process that sends "one" and, after the gap, "two". */
static pid_t start_sender(int fd)
{
    pid_t sender = fork();
    if (sender == 0) {
        send(fd, "one", 3, MSG_NOSIGNAL);
        usleep(GAP_US);
        send(fd, "two", 3, MSG_NOSIGNAL);
        _exit(0);
    }
    return sender;
}

/* The first recv() of a reader that waits for it, or one that is busy until all was sent. */
static ssize_t first_read(int busy)
{
    int ours = -1, peer = -1;
    char text[64];
    connect_pair(&ours, &peer);
    pid_t sender = start_sender(peer);
    if (busy)
        waitpid(sender, NULL, 0);
    ssize_t n = recv(ours, text, sizeof text, 0);
    printf("%s: recv() = %zd \"%.*s\"\n", busy ? "a busy reader" : "a waiting reader", n,
           (int)n, text);
    if (!busy)
        waitpid(sender, NULL, 0);
    close(ours);
    close(peer);
    return n;
}

int main(void)
{
    printf("send(\"one\"), sleep %d ms, send(\"two\")\n", GAP_US / 1000);
    ssize_t waiting = first_read(0);
    ssize_t busy = first_read(1);
    printf("so: with the same sleep, a waiting reader gets %zd bytes, a busy one %zd: "
           "the sleep %s\n",
           waiting, busy, busy == 6 ? "cures nothing" : "was enough here");
    return 0;
}
