/*
 * claim: SOCK_SEQPACKET is SCTP's, and uncommon.
 * predict: socketpair(AF_UNIX, SOCK_SEQPACKET): does this kernel have it? Are boundaries kept, and the
 *   order? Does a reader see the end? And socket(AF_INET, SOCK_SEQPACKET)?
 * why: For AF_INET it is SCTP's, which is often a module that is not loaded. For AF_UNIX every Linux
 *   since 2.6.4 has it (macOS has not): a connection that keeps messages apart, in order, and
 *   tells of its end. Short reads cannot happen, only a buffer that is too short: it cuts.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int fds[2], sctp = socket(AF_INET, SOCK_SEQPACKET, 0);
    printf("socket(AF_INET, SOCK_SEQPACKET) = %d %s\n", sctp,
           sctp == -1 ? strerrorname_np(errno) : "");
    int made = socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds);
    printf("socketpair(AF_UNIX, SOCK_SEQPACKET) = %d %s\n", made,
           made == -1 ? strerrorname_np(errno) : "");
    if (made == -1) {
        puts("so: this kernel has no SOCK_SEQPACKET for AF_UNIX");
        return 0;
    }
    const char *words[] = {"first", "second", "third"};
    for (int i = 0; i < 3; i++)
        printf("send(\"%s\") = %zd\n", words[i],
               send(fds[0], words[i], strlen(words[i]), 0));
    close(fds[0]);
    int kept = 0;
    ssize_t n;
    char text[100];
    while ((n = recv(fds[1], text, sizeof text, 0)) > 0) {
        printf("recv(100) = %zd \"%.*s\"\n", n, (int)n, text);
        kept += kept < 3 && (size_t)n == strlen(words[kept]) &&
                memcmp(text, words[kept], (size_t)n) == 0;
    }
    printf("recv(100) = %zd\n", n);
    printf("so: AF_UNIX has it: %d of 3 messages whole and in order, and %s\n", kept,
           n == 0 ? "then the end" : "no end");
    close(fds[1]);
    if (sctp != -1)
        close(sctp);
    return 0;
}
