/*
 * claim: An error of a local socket says that the server is not there.
 * predict: connect() to a path where no file is; to the file of a dead server; to a plain file; to a
 *   running server's file that you may not write to. And bind() where a file is. Five calls: how
 *   many different errors?
 * why: Four things are told apart: no such name (ENOENT), a name and nobody behind it
 *   (ECONNREFUSED; Linux says so of a plain file as well), no permission (EACCES: to connect is
 *   to write; root always may, and so asks here as another user), and a name that is taken
 *   (EADDRINUSE).
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

static int last; /* the socket used last */

static const char *try(const char *what, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    last = socket(AF_UNIX, SOCK_STREAM, 0);
    int result = *what == 'b'
                     ? bind(last, (struct sockaddr *)&address, sizeof address)
                     : connect(last, (struct sockaddr *)&address, sizeof address);
    const char *error = result == -1 ? strerrorname_np(errno) : "0";
    printf("%s(%d, \"%s\") = %d %s\n", what, last, path, result,
           result == -1 ? error : "");
    return error;
}

int main(void)
{
    char folder[] = "/tmp/lab.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0 || chmod(".", 0777) != 0)
        return 1;
    try("bind", "dead.sock");
    close(last);
    try("bind", "running.sock");
    int server = last;
    listen(server, 5);
    chmod("running.sock", 0400);
    close(open("file", O_CREAT | O_WRONLY, 0600));
    puts("the first server is dead now, the second runs; its file may not be written to");
    const char *none = try("connect", "none.sock"), *dead = try("connect", "dead.sock"),
               *file = try("connect", "file");
    if (geteuid() == 0 && seteuid(65534) != 0)
        puts("this root can be nobody else: expect no EACCES");
    const char *rights = try("connect", "running.sock");
    if (getuid() == 0 && seteuid(0) != 0)
        return 1;
    const char *taken = try("bind", "dead.sock");
    printf("so: no file %s, dead server %s, plain file %s, no permission %s, in use %s\n",
           none, dead, file, rights, taken);
    close(server);
    unlink("dead.sock"), unlink("running.sock"), unlink("file");
    return chdir("/") + rmdir(folder);
}
