/*
 * claim: unlink() before bind() is safe.
 * predict: A server runs at x.sock. A second one starts with unlink("x.sock"), bind(), listen(), as
 *   most examples do. Which of these calls fails? Which of the two does the next client reach?
 * why: None fails. The file was the first server's only name; its socket lives on without one, and
 *   waits for clients who cannot find it any more, for ever, and without an error. So ask first:
 *   connect() says ECONNREFUSED where a file is left and nobody is. That is what
 *   local_unlink_stale() does.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "x.sock"};

static int serve(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
    printf("bind(%d, \"x.sock\") = %d, listen(%d) = %d\n", fd, bound, fd, listen(fd, 5));
    return fd;
}

static int knock(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), error = 0;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == -1)
        error = errno;
    printf("connect(%d, \"x.sock\") = %d %s\n", fd, error ? -1 : 0,
           error ? strerrorname_np(error) : "");
    close(fd);
    return error;
}

int main(void)
{
    char folder[] = "/tmp/lab.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    int first = serve();
    printf("unlink(\"x.sock\") = %d\n", unlink("x.sock"));
    int second = serve();
    knock();
    int a = accept(first, NULL, NULL), b = accept(second, NULL, NULL);
    printf("accept(%d) of the first = %d, accept(%d) of the second = %d\n", first, a,
           second, b);
    int alive = knock();
    close(first), close(second), close(a), close(b);
    int dead = knock();
    printf(
        "so: the client reached the %s server, and no call failed; connect() tells: %s "
        "while one runs, %s after\n",
        b != -1 ? "second" : "first", alive ? strerrorname_np(alive) : "0",
        dead ? strerrorname_np(dead) : "0");
    unlink("x.sock");
    return chdir("/") + rmdir(folder);
}
