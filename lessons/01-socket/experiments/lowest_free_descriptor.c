/*
 * claim: Each new socket gets the next higher number.
 * predict: Three sockets are opened: say 3, 4 and 5. The second is closed, and two more
 *   are opened. Which numbers do these get?
 * why: A descriptor is an index into the process's table of open files, and the kernel
 *   always takes the lowest free entry (POSIX promises it). A number is used again the
 *   moment it is closed: whoever closes it twice closes somebody else's socket.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_one(const char *name)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    printf("%s = socket(AF_INET, SOCK_STREAM, 0) = %d\n", name, fd);
    return fd;
}

int main(void)
{
    int a = open_one("a"), b = open_one("b"), c = open_one("c");
    printf("close(b) = %d\n", close(b));
    int d = open_one("d"), e = open_one("e");
    if (d == b && e > c)
        printf("so: %d was used again at once, then came the next free number, %d\n", d,
               e);
    else
        printf("so: d is %d, e is %d: were other numbers free (an inherited gap)?\n", d,
               e);

    int fds[] = {a, c, d, e};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        close(fds[i]);
    return 0;
}
