/* test_calls.c: a whole program that makes a few calls and prints their results, for LD_PRELOAD=liblabcalls.so. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print(const char *call, ssize_t result)
{
    if (result == -1)
        printf("%s -1 %s\n", call, strerrorname_np(errno));
    else
        printf("%s %zd\n", call, result);
}

int main(void)
{
    char byte;
    int fds[2];
    void *volatile memory = malloc(5); /* clang leaves out one that nobody uses */

    if (memory)
        printf("malloc\n");
    else
        printf("malloc NULL %s\n", strerrorname_np(errno));
    free(memory);
    if (pipe(fds) == -1)
        return 1;
    print("write", write(fds[1], "hello", 5));
    for (int i = 0; i < 3; i++)
        print("read", read(fds[0], &byte, 1));
    return 0;
}
