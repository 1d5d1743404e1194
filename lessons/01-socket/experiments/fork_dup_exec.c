/*
 * claim: A close-on-exec socket never gets into another program.
 * predict: A socket is made with SOCK_CLOEXEC, and copied with dup(). A child is forked:
 *   how many of the two has it? The child sets O_NONBLOCK on one: is the parent's
 *   non-blocking? Then it runs another program: how many of the two are open there?
 * why: fork() copies every descriptor. exec closes those with FD_CLOEXEC, a flag of the
 *   descriptor, which dup() does not copy: dup()'s result stays open. O_NONBLOCK belongs
 *   to the open file behind, and that is one and the same for all of them.
 */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_of(const char *who, int original, int copy)
{
    int open = (fcntl(original, F_GETFD) != -1) + (fcntl(copy, F_GETFD) != -1);
    printf("%s: %d of the two descriptors are open\n", who, open);
    fflush(stdout);
    return open;
}

int main(int argc, char *argv[])
{
    if (argc == 3) /* the program that the child becomes: this one again */
        return open_of("after exec", atoi(argv[1]), atoi(argv[2]));

    int original = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int copy = dup(original);
    printf("socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) = %d\n", original);
    printf("dup(%d) = %d\n", original, copy);
    fflush(stdout);

    pid_t child = fork();
    if (child == 0) {
        open_of("child, after fork", original, copy);
        fcntl(original, F_SETFL, O_NONBLOCK);
        char first[12], second[12];
        snprintf(first, sizeof first, "%d", original);
        snprintf(second, sizeof second, "%d", copy);
        execl("/proc/self/exe", "again", first, second, (char *)NULL);
        _exit(9);
    }
    int status;
    waitpid(child, &status, 0);
    int shared = (fcntl(original, F_GETFL) & O_NONBLOCK) != 0;
    printf("parent: %s is non-blocking now\n", shared ? "its socket" : "nothing");
    close(original);
    close(copy);
    if (WEXITSTATUS(status) == 9)
        puts("so: no exec here (is /proc mounted?)");
    else
        printf("so: %d of the 2 descriptors got through exec; O_NONBLOCK is %s by all\n",
               WEXITSTATUS(status), shared ? "shared" : "not shared");
    return 0;
}
