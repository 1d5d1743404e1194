/*
 * claim: The path of a UNIX socket has at most 14 characters.
 * predict: How long may it be? And two servers, whose paths of 120 bytes differ in the last byte
 *   alone, both copied with strncpy() into sun_path: what does the second bind() say?
 * why: 14 bytes is sa_data of struct sockaddr, which is only a common head. sun_path has 108 here
 *   (104 on BSD and macOS): 107 and the NUL. Linux also takes 108 without one, which others
 *   then cannot read. A path that was cut is another path: two servers meet at one file that
 *   neither has asked for. Refuse what does not fit, or chdir() and use a relative path.
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

/* bind() to the first n bytes of path; the file is removed again unless it is to be kept. */
static int bind_to(const char *path, size_t n, int keep)
{
    char room[200] = "";
    struct sockaddr_un *address = (struct sockaddr_un *)room;
    address->sun_family = AF_UNIX;
    memcpy(room + offsetof(struct sockaddr_un, sun_path), path, n);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int result = bind(fd, (struct sockaddr *)room,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    printf("bind(%d, a path of %zu bytes) = %d %s\n", fd, n, result,
           result == -1 ? strerrorname_np(errno) : "");
    if (result == 0 && !keep)
        unlink(room + offsetof(struct sockaddr_un, sun_path));
    close(fd);
    return result;
}

int main(void)
{
    char folder[] = "/tmp/lab.XXXXXX", path[121] = "";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        return 1;
    memset(path, 'p', 120);
    size_t longest = 0;
    for (size_t n = 13; n <= 120; n += n < 15 || (n > 105 && n < 110) ? 1 : 91)
        if (bind_to(path, n, 0) == 0)
            longest = n;
    printf("sizeof sa_data = %zu, sizeof sun_path = %zu\n",
           sizeof((struct sockaddr *)0)->sa_data,
           sizeof((struct sockaddr_un *)0)->sun_path);
    puts("two paths of 120 bytes, cut to 107:");
    bind_to(path, 107, 1);
    path[119] = 'q';
    int met = bind_to(path, 107, 1) == -1 && errno == EADDRINUSE;
    printf(
        "so: the longest path that bind() took has %zu bytes; two paths that were cut %s\n",
        longest, met ? "are one" : "are still two");
    path[107] = '\0';
    unlink(path);
    return chdir("/") + rmdir(folder);
}
