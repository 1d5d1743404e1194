/*
 * claim: close() only lowers a reference count; shutdown() does not know of it.
 * predict: Our socket has a duplicate, by dup(). We close() it: what does the peer's read
 *   say? Then shutdown(SHUT_WR) on the duplicate: and now? What if the duplicate is a
 *   child's, which knows nothing of it?
 * why: dup() and fork() make more names for one open socket. close() takes one name
 *   away, and only the last one ends the connection. shutdown() speaks of the connection
 *   itself, whoever holds it. A child that keeps a descriptor by accident keeps the peer
 *   waiting: hence close-on-exec.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

/* The peer's read: 0 at the end of the stream; -1 (EAGAIN): it has not ended. */
static ssize_t look(int peer, int wait)
{
    char byte;
    ssize_t n = recv(peer, &byte, 1, wait ? 0 : MSG_DONTWAIT);
    printf("peer: recv() = %zd %s\n", n, n == -1 ? strerrorname_np(errno) : "");
    return n;
}

int main(void)
{
    int ours, peer;
    connect_pair(&ours, &peer);
    int copy = dup(ours);
    printf("ours: dup(%d) = %d, close(%d) = %d\n", ours, copy, ours, close(ours));
    ssize_t after_close = look(peer, 0);
    printf("ours: shutdown(%d, SHUT_WR) = %d\n", copy, shutdown(copy, SHUT_WR));
    ssize_t after_shutdown = look(peer, 1);
    close(copy);
    close(peer);

    connect_pair(&ours, &peer);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause(); /* and keeps its copy */
    printf("ours: fork(), close(%d) = %d\n", ours, close(ours));
    ssize_t with_child = look(peer, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    puts("the child has ended");
    ssize_t without_child = look(peer, 1);
    close(peer);
    printf(
        "so: close() beside a duplicate %s the stream, shutdown() %s it; a child's copy "
        "%s\n",
        after_close == -1 ? "leaves" : "ends", after_shutdown == 0 ? "ends" : "leaves",
        with_child == -1 && without_child == 0 ? "counts" : "does not count");
    return 0;
}
