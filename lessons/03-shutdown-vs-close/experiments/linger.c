/*
 * claim: With SO_LINGER, close() waits until the peer has read everything.
 * predict: SO_LINGER is 5 seconds. We send 10 bytes, which the peer does not read yet,
 *   and close(). Does it wait? And what does the peer see if a byte of its own is unread
 *   at our side?
 * why: SO_LINGER lets close() wait for the peer's kernel to acknowledge, not for its
 *   program to read. And it does not touch the other rule: unread bytes turn FIN into
 *   RST. To know that the peer's program has everything, end the stream and read on to
 *   its end: shutdown(SHUT_WR), then drain.
 */
#define _GNU_SOURCE /* strerrorname_np(), POLLRDHUP */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
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

static void wait_for(int fd, short event)
{
    poll(&(struct pollfd){.fd = fd, .events = event}, 1, -1);
}

/* How many bytes were unread when close() returned; *end: what comes after them. */
static int try(int unread, ssize_t *end)
{
    int ours, peer, left = 0;
    char bytes[16];
    struct linger five_seconds = {.l_onoff = 1, .l_linger = 5};
    connect_pair(&ours, &peer);
    setsockopt(ours, SOL_SOCKET, SO_LINGER, &five_seconds, sizeof five_seconds);
    if (unread && send(peer, "?", 1, MSG_NOSIGNAL) == 1)
        wait_for(ours, POLLIN);
    if (send(ours, "ten bytes!", 10, MSG_NOSIGNAL) == 10)
        wait_for(peer, POLLIN);
    printf("ours: close() = %d%s\n", close(ours), unread ? ", with a byte unread" : "");
    ioctl(peer, FIONREAD, &left);
    printf("peer: %d bytes are there, and not read yet\n", left);
    wait_for(peer, POLLRDHUP); /* FIN or RST has come */
    printf("peer: recv() = %zd", recv(peer, bytes, sizeof bytes, 0));
    *end = recv(peer, bytes, sizeof bytes, 0);
    printf(", recv() = %zd %s\n", *end, *end == -1 ? strerrorname_np(errno) : "");
    close(peer);
    return left;
}

int main(void)
{
    ssize_t read, unread;
    int left = try(0, &read);
    try(1, &unread);
    printf("so: close() %s for the peer's program, and with unread bytes it %s\n",
           left == 10 ? "did not wait" : "waited",
           unread == 0 ? "ends in order" : "resets");
    return 0;
}
