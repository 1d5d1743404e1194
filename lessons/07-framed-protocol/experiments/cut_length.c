/*
 * claim: a 4-byte length always arrives whole.
 * predict: The peer sends the frame 00 00 01 00 | 256 bytes, and a slow network brings it in two
 *   segments, the first of which has 3 bytes. A program does recv(fd, &length, 4, 0) and believes
 *   it. What length does it see?
 * why: recv() gives what is there. TCP may cut its bytes anywhere: where a segment was full, where
 *   the sender's buffer was, where your last read ended. With 4-byte lengths it goes well for a
 *   long time, as small frames mostly come whole; under load, once in a while, it does not.
 */
#include <arpa/inet.h>
#include <stdint.h>
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

int main(void)
{
    int ours, peer;
    unsigned char frame[4 + 256] = {0, 0, 1, 0};
    connect_pair(&ours, &peer);

    printf("peer: send(00 00 01) = %zd\n", send(peer, frame, 3, 0));
    unsigned char length[4] = {0xee, 0xee, 0xee, 0xee}; /* what was there before */
    ssize_t first = recv(ours, length, 4, 0);
    uint32_t believed;
    memcpy(&believed, length, 4);
    believed = ntohl(believed);
    printf("ours: recv(4) = %zd: %02x %02x %02x %02x, \"a body of %u bytes\"\n", first,
           length[0], length[1], length[2], length[3], believed);

    printf("peer: send(00 and the body) = %zd\n", send(peer, frame + 3, 257, 0));
    ssize_t rest = recv(ours, length + 3, 1, 0);
    memcpy(&believed, length, 4);
    printf("ours: recv(1) = %zd: now it is %u\n", rest, ntohl(believed));
    printf("so: the length %s\n", first < 4 ? "came in two pieces" : "came whole");
    close(ours);
    close(peer);
    return 0;
}
