/*
 * claim: One send() is one recv().
 * predict: A message of 10 bytes is sent by one send(). The reader has a buffer of 4. How
 *   many recv() calls, and is anything lost? Then 3 messages of 4 bytes, and a buffer of 5.
 * why: That messages stick is one half; the other is that they split. recv() gives as many
 *   bytes as the buffer holds, and leaves the rest for the next call: nothing is lost, and
 *   no boundary is seen. A message can come in pieces also because it was longer than a
 *   segment, or than the room that was left in a buffer on its way.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read until the end with a buffer of so many bytes; how many calls brought something. */
static int read_all(int fd, size_t size)
{
    char text[64];
    int calls = 0;
    ssize_t n = 0;
    while ((n = recv(fd, text, size, 0)) > 0) {
        printf("recv(%zu bytes) = %zd \"%.*s\"\n", size, n, (int)n, text);
        calls++;
    }
    return calls;
}

static int send_and_read(const char *const messages[], size_t size)
{
    int fds[2] = {-1, -1};
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    for (; *messages != NULL; messages++)
        printf("send(\"%s\") = %zd\n", *messages,
               send(fds[0], *messages, strlen(*messages), MSG_NOSIGNAL));
    close(fds[0]);
    int calls = read_all(fds[1], size);
    close(fds[1]);
    return calls;
}

int main(void)
{
    int split = send_and_read((const char *const[]){"0123456789", NULL}, 4);
    int stuck = send_and_read((const char *const[]){"aaaa", "bbbb", "cccc", NULL}, 5);
    printf("so: 1 send() was read by %d calls of recv(), 3 by %d\n", split, stuck);
    return 0;
}
