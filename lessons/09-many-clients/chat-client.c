/*
 * chat-client: say lines, hear lines, both at a time.
 *
 * usage: chat-client HOST PORT
 *        chat-client PATH          a UNIX socket
 *
 * What comes on standard input goes to the server, what the server sends to standard output, as soon as
 * it is there. At the end of the input our stream is ended too (a half-close), and what the server
 * still sends is printed, up to the end of its stream.
 *
 * Exit status: 0 when the server ended its stream; 1, with a line on standard error, when the
 * connection cannot be made or breaks, or input or output fails; 2 when called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "local.h"
#include "stream.h"
#include "tcp.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024 };

/*
 * Carry what is there from one descriptor to the other. 1: something, 0: the end of from, or the server
 * takes no more, -1: an error.
 */
static int carry(int from, int to, int server)
{
    char bytes[CHUNK];
    ssize_t n = read(from, bytes, sizeof bytes);
    if (n <= 0)
        return (int)n;
    if (to == server && write_all(to, bytes, (size_t)n) == n)
        return 1;
    if (to == server) /* gone? the server may have said why: it is heard to its end */
        return errno == EPIPE || errno == ECONNRESET ? 0 : -1;
    size_t written = fwrite(bytes, 1, (size_t)n, stdout);
    return written == (size_t)n && fflush(stdout) == 0 ? 1 : -1;
}

/*
 * TODO 10: wait for standard input and for the server at once, and carry() what is there. At the
 * end of the input: end our stream (shutdown(SHUT_WR)), and wait for the server alone. 0 when
 * the server has ended its stream, or -1: an error.
 */
static int chat(int server)
{
    (void)server, (void)carry; /* delete this and the next two */
    errno = ENOSYS;
    return -1;
}

int main(int argc, char *argv[])
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: chat-client HOST PORT | PATH\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* nobody reads our output? an error, not our end */
    int server = argc == 3 ? tcp_connect(argv[1], argv[2]) : local_connect(argv[1]);
    if (server == -1 || chat(server) == -1) {
        perror("chat-client");
        return 1;
    }
    close(server);
    return 0;
}
