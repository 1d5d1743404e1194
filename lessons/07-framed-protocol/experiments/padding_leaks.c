/*
 * claim: a padded struct's padding is zero.
 * predict: A buffer held a password. It is used again for a message whose every member is then
 *   set, and all 24 bytes are sent. What does the peer find between the length and the age?
 * why: Setting the members sets the members. The bytes between them keep what was in that memory
 *   before: here a password, elsewhere a key, an address, another user's text. Compilers may or
 *   may not touch them: nothing is promised. Encode field by field into a buffer of bytes, and
 *   there are no bytes that you did not write.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct message {
    uint32_t length;
    struct {
        long age;
        double score;
    } body;
};

union buffer {
    char line[sizeof(struct message)];
    struct message message;
};

int main(void)
{
    union buffer buffer = {.line = "user:SECRET"};
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return 1;
    printf("the buffer holds \"%s\"\n", buffer.line);

    buffer.message.length = 16;
    buffer.message.body.age = 30;
    buffer.message.body.score = 1.5;
    printf("ours: send(%zu bytes) = %zd\n", sizeof buffer.message,
           send(fds[0], &buffer.message, sizeof buffer.message, 0));

    unsigned char got[sizeof buffer];
    printf("peer: recv() = %zd\npeer:", recv(fds[1], got, sizeof got, 0));
    for (size_t i = 0; i < sizeof got; i++)
        printf("%s%02x", i % 4 == 0 ? "  " : " ", got[i]);
    const size_t from = sizeof(uint32_t);
    printf("\npeer: bytes %zu to %zu: \"%.4s\"\n", from, from + 3,
           (const char *)got + from);
    printf("so: the padding is %s\n", memcmp(got + from, "\0\0\0", 4) == 0
                                          ? "zero, this time"
                                          : "what was in the memory before");
    close(fds[0]);
    close(fds[1]);
    return 0;
}
