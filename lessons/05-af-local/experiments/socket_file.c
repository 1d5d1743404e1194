/*
 * claim: Data is written to the socket file.
 * predict: 100000 bytes wait in a connection made at x.sock. How large is the file x.sock? What does
 *   open() say to it, and connect() once the file is removed?
 * why: The file is a name, by which connect() finds a socket in the kernel, and nothing else. The
 *   bytes lie in the receiver's queue, in memory. So it makes no difference on which disk it
 *   is, and a connection goes on when its file is gone; only nobody new can find the server.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int main(void)
{
    char folder[] = "/tmp/lab.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "x.sock"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0),
        client = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 5);
    connect(client, (struct sockaddr *)&address, sizeof address);
    int server = accept(listener, NULL, NULL);

    static char data[100000];
    struct stat file = {.st_size = -1};
    ssize_t sent = send(client, data, sizeof data, 0);
    printf("send(%d, 100000 bytes) = %zd\n", client, sent);
    stat("x.sock", &file);
    printf("stat(\"x.sock\"): %s, size %lld\n",
           S_ISSOCK(file.st_mode) ? "a socket" : "no socket", (long long)file.st_size);
    int fd = open("x.sock", O_RDONLY);
    printf("open(\"x.sock\") = %d %s\n", fd, fd == -1 ? strerrorname_np(errno) : "");
    printf("unlink(\"x.sock\") = %d\n", unlink("x.sock"));
    ssize_t received = recv(server, data, sizeof data, MSG_WAITALL);
    printf("recv(%d, 100000 bytes) = %zd\n", server, received);
    int late = socket(AF_UNIX, SOCK_STREAM, 0);
    int again = connect(late, (struct sockaddr *)&address, sizeof address);
    printf("connect(%d, \"x.sock\") = %d %s\n", late, again,
           again == -1 ? strerrorname_np(errno) : "");
    printf(
        "so: the file holds %lld of %zd bytes; with the file gone, %zd bytes arrive, and "
        "%s\n",
        (long long)file.st_size, sent, received,
        again == -1 ? "nobody new can connect" : "others can still connect");
    close(listener), close(client), close(server), close(late);
    return chdir("/") + rmdir(folder);
}
