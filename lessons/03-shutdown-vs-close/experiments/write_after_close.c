/*
 * claim: The first write after the peer has closed fails.
 * predict: The peer closes, and we know it. We send() three times: what do the three
 *   return? How often does SIGPIPE come, if the third has MSG_NOSIGNAL?
 * why: FIN says only "I send no more": our kernel may not assume that nobody reads, and
 *   takes the first bytes. They come back as RST. From then on there is no connection:
 *   send() fails with EPIPE, and raises SIGPIPE, which kills a program that does not
 *   expect it. MSG_NOSIGNAL asks for the error alone.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
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

static volatile sig_atomic_t sigpipes;

static void count(int number)
{
    (void)number;
    sigpipes++;
}

static ssize_t try(int fd, int flags)
{
    sigpipes = 0;
    ssize_t n = send(fd, "x", 1, flags);
    printf("ours: send(\"x\", %s) = %zd %s%s\n", flags ? "MSG_NOSIGNAL" : "0", n,
           n == -1 ? strerrorname_np(errno) : "", sigpipes ? ", and SIGPIPE" : "");
    return n;
}

int main(void)
{
    int ours, peer;
    struct sigaction counting = {.sa_handler = count};
    sigaction(SIGPIPE, &counting, NULL);
    connect_pair(&ours, &peer);
    printf("peer: close() = %d\n", close(peer));
    poll(&(struct pollfd){.fd = ours, .events = POLLIN}, 1, -1);
    puts("ours: the FIN has come");
    ssize_t first = try(ours, 0);
    poll(&(struct pollfd){.fd = ours}, 1, -1); /* until the RST has come */
    ssize_t second = try(ours, 0);
    int killing = sigpipes > 0;
    ssize_t third = try(ours, MSG_NOSIGNAL);
    int quiet = third == -1 && sigpipes == 0;
    close(ours);
    printf("so: the first write %s, the second %s%s; MSG_NOSIGNAL %s\n",
           first == 1 ? "succeeds" : "fails", second == -1 ? "fails" : "succeeds",
           killing ? " with SIGPIPE" : "",
           quiet ? "leaves the error alone" : "does not help");
    return 0;
}
