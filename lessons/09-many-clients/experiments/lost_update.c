/*
 * claim: clients++ is one step, so two threads need no lock for it.
 * predict: Two threads do clients++ a million times each. What is in clients at the end?
 * why: It is three steps: read, add, write. Between them the other thread may do its own, and one of
 *   the two is lost. On one processor that is rare, so it passes every test, and happens on a busy day.
 *   A lock makes the three steps one for all who take it; -fsanitize=thread finds who does not.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>

enum { TIMES = 1000000 };

static volatile long
    clients; /* volatile: the compiler may not make one addition of them all */
static long locked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;

static void *count(void *argument)
{
    pthread_barrier_wait(&start);
    for (int i = 0; i < TIMES; i++)
        clients++;
    for (int i = 0; i < TIMES; i++) {
        pthread_mutex_lock(&lock);
        locked++;
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[2];
    pthread_barrier_init(&start, NULL, 2);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("without a lock: %ld of %d\n", clients, 2 * TIMES);
    printf("with a lock:    %ld of %d\n", locked, 2 * TIMES);
    printf("so: %ld were lost without a lock, %ld with one\n", 2L * TIMES - clients,
           2L * TIMES - locked);
    return 0;
}
