/*
 * claim: The client's address on a UNIX socket is empty.
 * predict: A client connects; another calls bind() first, and then connects. What address does
 *   accept() give for each, and how long is it?
 * why: connect() gives a TCP socket an address, as replies need one to travel to. A local
 *   connection needs none. So a client has the name that it gave itself: none, mostly, and then
 *   the length is 2, the size of sun_family alone. To know who it is ask for SO_PEERCRED.
 */
#define _POSIX_C_SOURCE 200809L
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void)
{
    char folder[] = "/tmp/lab.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    struct sockaddr_un server = {.sun_family = AF_UNIX, .sun_path = "server.sock"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&server, sizeof server);
    listen(listener, 5);

    size_t room[2];
    for (int bound = 0; bound < 2; bound++) {
        struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "client.sock"}, seen;
        socklen_t length = sizeof seen;
        int client = socket(AF_UNIX, SOCK_STREAM, 0);
        if (bound)
            printf("bind(%d, \"client.sock\") = %d\n", client,
                   bind(client, (struct sockaddr *)&own, sizeof own));
        printf("connect(%d, \"server.sock\") = %d\n", client,
               connect(client, (struct sockaddr *)&server, sizeof server));
        int fd = accept(listener, (struct sockaddr *)&seen, &length);
        room[bound] = length - offsetof(struct sockaddr_un, sun_path);
        printf("accept(%d) = %d, the client's address has length %u: \"%.*s\"\n",
               listener, fd, length, (int)room[bound], seen.sun_path);
        close(fd), close(client);
    }
    printf("so: the address of a client is %s, unless it was bound: then it is %s\n",
           room[0] == 0 ? "empty" : "not empty", room[1] == 0 ? "empty too" : "its path");
    close(listener);
    unlink("server.sock"), unlink("client.sock");
    return chdir("/") + rmdir(folder);
}
