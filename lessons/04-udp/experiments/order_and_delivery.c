/*
 * claim: SOCK_DGRAM gives no order and no delivery.
 * predict: 5000 numbered datagrams of 1000 bytes are sent to a reader that reads later: over UDP on
 *   loopback, then between two AF_UNIX sockets. How many send() calls succeed, and how many arrive?
 * why: True of UDP: send() hands a datagram to the network, and a full queue at the other end throws it
 *   away; nobody is told. (Order is lost too, on a path with two ways; loopback has one.) It is no
 *   property of SOCK_DGRAM: AF_UNIX keeps the order, and when the queue is full the sender waits.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SENT = 5000, SIZE = 1000 };

/* Send all without waiting, then read what is there. Did every datagram that was taken arrive? */
static bool try(const char *kind, int from, int to)
{
    char bytes[SIZE] = {0};
    int taken = 0, arrived = 0, last = -1, number;
    bool in_order = true;
    const char *refusal = "none refused";
    for (int i = 0; i < SENT; i++) {
        memcpy(bytes, &i, sizeof i);
        if (send(from, bytes, sizeof bytes, MSG_DONTWAIT) == SIZE)
            taken++;
        else
            refusal = strerrorname_np(errno);
    }
    while (recv(to, bytes, sizeof bytes, MSG_DONTWAIT) == SIZE) {
        memcpy(&number, bytes, sizeof number);
        in_order = in_order && number > last;
        last = number;
        arrived++;
    }
    printf("%s: send() took %d of %d (%s), %d arrived, %s\n", kind, taken, SENT, refusal,
           arrived, in_order ? "in order" : "out of order");
    return taken == arrived;
}

int main(void)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int to = socket(AF_INET, SOCK_DGRAM, 0), from = socket(AF_INET, SOCK_DGRAM, 0);
    int pair[2];
    bind(to, (struct sockaddr *)&here, sizeof here);
    getsockname(to, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    connect(from, (struct sockaddr *)&here, sizeof here);
    bool udp = try("UDP", from, to);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    bool local = try("AF_UNIX", pair[0], pair[1]);
    printf("so: of what send() took, UDP %s and AF_UNIX %s\n",
           udp ? "delivered all" : "lost some", local ? "delivered all" : "lost some");
    return 0;
}
