/*
 * claim: A socket is exactly what socket() was asked for.
 * predict: Ask for (AF_INET, SOCK_STREAM, 0): which protocol has it afterwards? Ask for
 *   (AF_UNIX, SOCK_RAW, 0): of which type is it?
 * why: Protocol 0 means "the usual one", and SO_PROTOCOL tells which that was. In
 *   AF_UNIX, Linux accepts SOCK_RAW because BSD did, and makes it a SOCK_DGRAM. What was
 *   asked for is not what there is: ask the descriptor.
 */
#define _GNU_SOURCE /* SO_DOMAIN, SO_PROTOCOL */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int option(int fd, int name)
{
    int value = -1;
    getsockopt(fd, SOL_SOCKET, name, &value, &(socklen_t){sizeof value});
    return value;
}

int main(void)
{
    const struct {
        const char *text;
        int family, type;
    } asked[] = {
        {"AF_INET, SOCK_STREAM, 0", AF_INET, SOCK_STREAM},
        {"AF_INET, SOCK_DGRAM, 0", AF_INET, SOCK_DGRAM},
        {"AF_UNIX, SOCK_STREAM, 0", AF_UNIX, SOCK_STREAM},
        {"AF_UNIX, SOCK_RAW, 0", AF_UNIX, SOCK_RAW},
    };
    int other_type = 0, other_protocol = 0;
    printf("SOCK_STREAM is %d, SOCK_DGRAM %d, SOCK_RAW %d\n", SOCK_STREAM, SOCK_DGRAM,
           SOCK_RAW);
    puts("IPPROTO_TCP is 6, IPPROTO_UDP 17");
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        int fd = socket(asked[i].family, asked[i].type, 0);
        printf("socket(%s) = %d", asked[i].text, fd);
        if (fd == -1) {
            puts(", refused here");
            continue;
        }
        int type = option(fd, SO_TYPE), protocol = option(fd, SO_PROTOCOL);
        printf(": SO_TYPE %d, SO_PROTOCOL %d\n", type, protocol);
        other_type += type != asked[i].type;
        other_protocol += protocol != 0;
        close(fd);
    }
    printf(
        "so: of 4 sockets, %d got a protocol that was not named, and %d another type\n",
        other_protocol, other_type);
    return 0;
}
