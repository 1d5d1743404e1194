/*
 * claim: A program can open as many sockets as it likes.
 * predict: The limit of open files is lowered to leave room for three. What does the
 *   fourth socket() say? One is closed: what does the next socket() say?
 * why: RLIMIT_NOFILE (`ulimit -n`) is one more than the highest number a descriptor may
 *   have. EMFILE says that this process has none left; ENFILE would be the whole system.
 *   It says nothing about sockets: open() fails the same way. A server meets it in
 *   accept().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_one(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        printf("socket(AF_INET, SOCK_STREAM, 0) = -1 %s\n",
               errno == EMFILE ? "EMFILE" : strerror(errno));
    else
        printf("socket(AF_INET, SOCK_STREAM, 0) = %d\n", fd);
    return fd;
}

int main(void)
{
    int probe[3]; /* the three lowest free numbers: the limit goes just above them */
    for (int i = 0; i < 3; i++)
        probe[i] = dup(STDOUT_FILENO);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)probe[2] + 1;
    for (int i = 0; i < 3; i++)
        close(probe[i]);
    int result = setrlimit(RLIMIT_NOFILE, &limit);
    printf("setrlimit(RLIMIT_NOFILE, %d) = %d\n", (int)limit.rlim_cur, result);

    int fds[4];
    for (int i = 0; i < 4; i++)
        fds[i] = open_one();
    int refused = fds[3] == -1;
    printf("close(%d) = %d\n", fds[1], close(fds[1]));
    fds[1] = open_one();
    printf("so: the fourth was %s, and after one close() there was %s\n",
           refused ? "refused" : "opened", fds[1] == -1 ? "still no room" : "room again");
    for (int i = 0; i < 4; i++)
        if (fds[i] != -1)
            close(fds[i]);
    return 0;
}
