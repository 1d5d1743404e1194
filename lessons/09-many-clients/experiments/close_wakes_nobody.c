/*
 * claim: to end a thread that waits in recv(), close its socket.
 * predict: A thread waits in recv(4). Another calls close(4), and then opens a file. Does recv() return?
 *   And which number has the file?
 * why: close() takes the number away, not the socket: the call that waits in the kernel holds that, and
 *   waits on. Worse, the number goes to the next who opens something, and the thread will read from
 *   that next time. shutdown() acts on the socket itself: whoever waits for it sees the end of the
 *   stream. So: shutdown(), join the thread, and then close().
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int thread_id, returned;
static int ends[2];

static void *wait_in_recv(void *argument)
{
    char byte;
    atomic_store(&thread_id, (int)syscall(SYS_gettid));
    recv(ends[0], &byte, 1, 0);
    atomic_store(&returned, 1);
    return argument;
}

/* Wait until the thread sleeps in the kernel. */
static void until_asleep(void)
{
    char path[64], text[256] = "";
    do {
        usleep(1000);
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", atomic_load(&thread_id));
        FILE *file = fopen(path, "r");
        if (file != NULL && fgets(text, sizeof text, file) == NULL)
            text[0] = '\0';
        if (file != NULL)
            fclose(file);
    } while (strstr(text, ") S ") == NULL);
}

int main(void)
{
    pthread_t thread;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    int socket = ends[0], again = dup(socket); /* another number for the same socket */
    pthread_create(&thread, NULL, wait_in_recv, NULL);
    until_asleep();
    close(socket);
    usleep(50000);
    int closed_woke = atomic_load(&returned);
    printf("close(%d): recv() %s\n", socket, closed_woke ? "returned" : "still waits");
    int file = open("/dev/null", O_RDONLY);
    printf("open(\"/dev/null\") = %d\n", file);
    shutdown(again, SHUT_RDWR);
    pthread_join(thread, NULL);
    printf("shutdown(): recv() returned\n");
    printf("so: close() %s\n", closed_woke ? "woke the thread" : "wakes nobody");
    close(file);
    close(again);
    close(ends[1]);
    return 0;
}
