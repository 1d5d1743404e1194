/*
 * claim: Docker uses UNIX sockets for performance.
 * predict: Two processes ask and answer a small request 20000 times, over a UNIX socket and over TCP
 *   on loopback. How much longer does TCP take? And what can ls -l tell of each of the two?
 * why: A UNIX socket skips TCP's headers, sequence numbers and acknowledgements, so it is faster, here.
 *   But a tool that asks its daemon a few times a second would not notice. What Docker needs is the
 *   other difference: a file has an owner, a group and rights. Who may write to docker.sock is
 *   root; a port of localhost is open to everybody who has an account, and to every web page.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 20000, QUESTION = 80, ANSWER = 110 };

static double seconds(int listener, struct sockaddr *address, socklen_t length)
{
    char bytes[ANSWER] = "";
    struct timespec begin, end;
    if (fork() == 0) {
        int fd = accept(listener, NULL, NULL);
        while (recv(fd, bytes, QUESTION, MSG_WAITALL) == QUESTION)
            send(fd, bytes, ANSWER, 0);
        _exit(0);
    }
    int fd = socket(address->sa_family, SOCK_STREAM, 0);
    connect(fd, address, length);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < TIMES; i++)
        if (send(fd, bytes, QUESTION, 0) != QUESTION ||
            recv(fd, bytes, ANSWER, MSG_WAITALL) != ANSWER)
            perror("no answer");
    clock_gettime(CLOCK_MONOTONIC, &end);
    close(fd);
    close(listener);
    wait(NULL);
    return (double)(end.tv_sec - begin.tv_sec) +
           (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

int main(void)
{
    struct sockaddr_in port = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un file = {.sun_family = AF_UNIX};
    struct stat status = {0};
    int tcp = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(file.sun_path, sizeof file.sun_path, "/tmp/unix_or_tcp.%d", (int)getpid());
    bind(tcp, (struct sockaddr *)&port, sizeof port);
    getsockname(tcp, (struct sockaddr *)&port, &(socklen_t){sizeof port});
    bind(local, (struct sockaddr *)&file, sizeof file);
    chmod(file.sun_path, 0600);
    stat(file.sun_path, &status);
    listen(tcp, 1), listen(local, 1);
    double by_tcp = seconds(tcp, (struct sockaddr *)&port, sizeof port);
    double by_file = seconds(local, (struct sockaddr *)&file, sizeof file);
    unlink(file.sun_path);
    printf("TCP: %.1f us a request; UNIX socket: %.1f us\n", by_tcp * 1e6 / (double)TIMES,
           by_file * 1e6 / (double)TIMES);
    printf("rights of the file: %o, of the port: none\n", status.st_mode & 0777u);
    printf("so: TCP takes %.1f times as long, and only the file says who may connect\n",
           by_tcp / by_file);
    return 0;
}
