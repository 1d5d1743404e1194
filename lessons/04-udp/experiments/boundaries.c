/*
 * claim: There is no sticky-packet problem in UDP: one send is one receive.
 * predict: "one" and "a longer one" are sent, and an empty datagram. The reader has room for 5 bytes.
 *   What do its recv() calls return, and where is the rest of "a longer one"?
 * why: The boundary holds: two datagrams are never joined, and one is never split over two reads. So
 *   what does not fit is thrown away, and recv() says nothing of it. recvmsg() does, by MSG_TRUNC in
 *   msg_flags; on Linux, recv() with the flag MSG_TRUNC returns the whole length.
 */
#define _GNU_SOURCE /* MSG_TRUNC as a flag of recv() */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int receiver;

static void send_and_tell(int fd, const char *text)
{
    ssize_t n = send(fd, text, strlen(text), 0);
    printf("send(\"%s\") = %zd\n", text, n);
}

/* recvmsg() with room for 5 bytes; was the datagram cut? */
static bool receive(ssize_t *n)
{
    char bytes[5];
    struct iovec room = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1};
    *n = recvmsg(receiver, &message, 0);
    bool cut = (message.msg_flags & MSG_TRUNC) != 0;
    printf("recvmsg() = %zd \"%.*s\"%s\n", *n, (int)*n, bytes, cut ? ", MSG_TRUNC" : "");
    return cut;
}

int main(void)
{
    struct sockaddr_in here = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char bytes[5];
    ssize_t one, two, none;
    receiver = socket(AF_INET, SOCK_DGRAM, 0);
    bind(receiver, (struct sockaddr *)&here, sizeof here);
    getsockname(receiver, (struct sockaddr *)&here, &(socklen_t){sizeof here});
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    connect(fd, (struct sockaddr *)&here, sizeof here);
    send_and_tell(fd, "one");
    send_and_tell(fd, "a longer one");
    send_and_tell(fd, "");
    send_and_tell(fd, "a longer one");
    receive(&one);
    bool cut = receive(&two);
    receive(&none);
    ssize_t whole = recv(receiver, bytes, sizeof bytes, MSG_TRUNC);
    printf("recv(MSG_TRUNC) = %zd\n", whole);
    printf("so: %s stick together; what does not fit is %s, and %s tells\n",
           one == 3 && none == 0 ? "datagrams do not" : "datagrams do",
           two == 5 ? "cut off" : "kept", cut && whole == 12 ? "MSG_TRUNC" : "nothing");
    return 0;
}
