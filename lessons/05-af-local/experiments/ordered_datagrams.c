/*
 * claim: SOCK_DGRAM gives no order and no delivery.
 * predict: A sender sends 5000 numbered datagrams as fast as it can, and nobody reads meanwhile. How
 *   many can be read after, by UDP over 127.0.0.1, and by AF_UNIX? What tells the sender?
 * why: Of UDP the claim is true: what finds the receiver's buffer full is thrown away, and send()
 *   still says that all is well. An AF_UNIX datagram is put into the receiver's queue by the sender
 *   itself: in order, and when the queue is full the sender waits (or is told EAGAIN). How long
 *   the queue is says net.unix.max_dgram_qlen.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 5000 };

struct count {
    int sent, refused, received, in_order;
};

static struct count flood(int from, int to)
{
    struct count n = {0, 0, 0, 1};
    char data[1000] = "";
    for (int i = 0; i < MANY; i++) {
        memcpy(data, &i, sizeof i);
        if (send(from, data, sizeof data, MSG_DONTWAIT) > 0)
            n.sent++;
        else
            n.refused++;
    }
    for (int last = -1, i; recv(to, data, sizeof data, MSG_DONTWAIT) > 0; last = i) {
        memcpy(&i, data, sizeof i);
        n.in_order = n.in_order && i > last;
        n.received++;
    }
    printf("send() took %d and refused %d, recv() gave %d%s\n", n.sent, n.refused,
           n.received, n.in_order ? ", in order" : "");
    return n;
}

int main(void)
{
    int local[2],
        udp[2] = {socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET, SOCK_DGRAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(udp[1], (struct sockaddr *)&address, length) != 0 ||
        getsockname(udp[1], (struct sockaddr *)&address, &length) != 0 ||
        connect(udp[0], (struct sockaddr *)&address, length) != 0 ||
        socketpair(AF_UNIX, SOCK_DGRAM, 0, local) != 0)
        return 1;
    printf("UDP      ");
    struct count u = flood(udp[0], udp[1]);
    printf("AF_UNIX  ");
    struct count l = flood(local[0], local[1]);
    printf("so: UDP %s; AF_UNIX %s\n",
           u.received < u.sent ? "lost datagrams and said nothing" : "lost nothing",
           l.received == l.sent && l.in_order ? "lost none that it took, in order"
                                              : "lost some or mixed them");
    close(udp[0]), close(udp[1]), close(local[0]), close(local[1]);
    return 0;
}
