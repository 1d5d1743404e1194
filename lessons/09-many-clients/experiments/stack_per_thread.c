/*
 * claim: a thousand threads cost 8 GB of memory, as each has a stack of 8 MiB.
 * predict: This process starts 100 threads, which wait. By how much grow its addresses (VmSize), and by
 *   how much the memory that it has really been given (VmRSS)?
 * why: A stack is addresses that are set aside. The kernel finds memory for a page when it is first
 *   written, and a thread that waits has written two or three. What a thread costs is these pages,
 *   some more within the kernel, and the time to switch to it.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 100 };

static pthread_barrier_t all_here, all_gone;

static void *wait_here(void *argument)
{
    pthread_barrier_wait(&all_here);
    pthread_barrier_wait(&all_gone);
    return argument;
}

/* A number of kB out of /proc/self/status. */
static long kilobytes(const char *name)
{
    char line[128];
    long number = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), ": %ld", &number);
    if (file != NULL)
        fclose(file);
    return number;
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&all_here, NULL, THREADS + 1);
    pthread_barrier_init(&all_gone, NULL, THREADS + 1);
    long size = kilobytes("VmSize"), resident = kilobytes("VmRSS");
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, wait_here, NULL) != 0)
            return 1;
    pthread_barrier_wait(&all_here);
    size = kilobytes("VmSize") - size;
    resident = kilobytes("VmRSS") - resident;
    pthread_barrier_wait(&all_gone);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("addresses: %ld kB more a thread\n", size / THREADS);
    printf("memory:    %ld kB more a thread\n", resident / THREADS);
    printf("so: a stack is %s\n", resident < size / 10 ? "mostly addresses" : "memory");
    return 0;
}
