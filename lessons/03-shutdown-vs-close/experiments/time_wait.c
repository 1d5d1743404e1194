/*
 * claim: After close() a connection is gone.
 * predict: Both sides close in order, we first. Is the connection still in our kernel,
 *   and in which state? May a server bind to that port? And after an abort (RST)?
 * why: Whoever ends first keeps TIME_WAIT for a minute: the last acknowledgement might be
 *   lost, and old segments must not meet a new connection of the same addresses. It is
 *   the protocol at work, not a leak. SO_REUSEADDR lets a server bind all the same. An
 *   RST leaves no state, and none of these guarantees.
 */
#define _GNU_SOURCE /* strerrorname_np(), POLLRDHUP */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
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

/* The state of the connection from our port, as /proc/net/tcp has it; 0: it is not
   there. */
static unsigned state_of(struct sockaddr_in ours)
{
    char line[512];
    unsigned port, peer, state, found = 0;
    FILE *table = fopen("/proc/net/tcp", "r");
    while (table != NULL && fgets(line, sizeof line, table) != NULL)
        if (sscanf(line, "%*d: %*8x:%x %*8x:%x %x", &port, &peer, &state) == 3 &&
            port == ntohs(ours.sin_port) && peer != 0)
            found = state;
    return table == NULL || fclose(table) == EOF ? 0 : found;
}

static unsigned try(struct linger linger)
{
    int ours, peer;
    struct sockaddr_in here;
    connect_pair(&peer, &ours);
    getsockname(ours, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    setsockopt(ours, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    printf("%s: close() = %d\n", linger.l_onoff ? "by RST" : "in order", close(ours));
    poll(&(struct pollfd){.fd = peer, .events = POLLIN}, 1, -1); /* FIN or RST has come */
    close(peer);
    unsigned state;
    while ((state = state_of(here)) != 0 && state != TCP_TIME_WAIT)
        poll(NULL, 0, 1); /* until the peer's FIN has come */
    int again = socket(AF_INET, SOCK_STREAM, 0);
    int result = bind(again, (struct sockaddr *)&here, sizeof here);
    printf("state %u (%d is TIME_WAIT, 0 none), bind(our port) = %d %s\n", state,
           TCP_TIME_WAIT, result, result == -1 ? strerrorname_np(errno) : "");
    close(again);
    return state;
}

int main(void)
{
    unsigned orderly = try((struct linger){0, 0}), aborted = try((struct linger){1, 0});
    printf("so: who ended first %s TIME_WAIT; after an abort there is %s\n",
           orderly == TCP_TIME_WAIT ? "is in" : "has no",
           aborted ? "a state too" : "none");
    return 0;
}
