/*
 * claim: A UNIX server starts the eleventh time as it did the first.
 * predict: A server binds x.sock and ends, without a word. It starts again. What does bind() say? And
 *   with an abstract name?
 * why: The kernel closes the sockets of a process that ends, but a file stays until somebody removes
 *   it, and bind() never takes one over: EADDRINUSE, although nobody uses it. (SO_REUSEADDR
 *   changes nothing here.) An abstract name has no file, and goes with its socket.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Start a server and end it. The errno of its bind(), or 0. */
static int run(const char *name, size_t n)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, name, n);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), error = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == -1)
        error = errno;
    printf("bind(%d, \"%s%s\") = %d %s\n", fd, *name ? "" : "\\0",
           *name ? name : name + 1, error ? -1 : 0, error ? strerrorname_np(error) : "");
    close(fd);
    return error;
}

int main(void)
{
    char folder[] = "/tmp/lab.XXXXXX", name[40] = "";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    run("x.sock", 7);
    int again = run("x.sock", 7);
    printf("unlink(\"x.sock\") = %d\n", unlink("x.sock"));
    int removed = run("x.sock", 7);
    size_t n = 1 + (size_t)snprintf(name + 1, sizeof name - 1, "%s", folder + 5);
    run(name, n);
    int abstract = run(name, n);
    printf("so: the second start says %s, after unlink() %s; with an abstract name %s\n",
           again ? strerrorname_np(again) : "0", removed ? strerrorname_np(removed) : "0",
           abstract ? strerrorname_np(abstract) : "0");
    unlink("x.sock");
    return chdir("/") + rmdir(folder);
}
