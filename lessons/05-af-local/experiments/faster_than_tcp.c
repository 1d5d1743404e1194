/*
 * claim: 127.0.0.1 goes through the whole TCP/IP stack, and so is slower than AF_UNIX.
 * predict: A child sends back 64 bytes, thousands of times. How many microseconds does one round trip
 *   take by TCP over 127.0.0.1, and how many by AF_UNIX? Twice as many, ten times?
 * why: By loopback a segment is built, numbered, routed and acknowledged, though it meets no wire.
 *   AF_UNIX moves the bytes to the other's queue, and that is all. But a large part of a round
 *   trip is waking the other process, which both have to do: so the factor is small. (Both ends
 *   run on one processor here, and the best of 20 turns counts, or other programs decide.)
 */
#define _GNU_SOURCE /* sched_setaffinity() */
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 20, ROUNDS = 200, SIZE = 64 };

/* A child that sends back what comes to `there`. */
static void start_echo(int there)
{
    char data[SIZE] = "";
    if (fork() == 0) {
        while (recv(there, data, SIZE, MSG_WAITALL) == SIZE)
            send(there, data, SIZE, MSG_NOSIGNAL);
        _exit(0);
    }
}

/* Microseconds for a round trip, if that is less than best. */
static double round_trip(int fd, double best)
{
    struct timespec from, to;
    char data[SIZE] = "";
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < ROUNDS; i++)
        send(fd, data, SIZE, MSG_NOSIGNAL), recv(fd, data, SIZE, MSG_WAITALL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double us = difftime(to.tv_sec, from.tv_sec) * 1e6;
    us = (us + (double)(to.tv_nsec - from.tv_nsec) / 1e3) / (double)ROUNDS;
    return us < best ? us : best;
}

int main(void)
{
    int tcp[2], local[2], listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    listen(listener, 1); /* at 0.0.0.0, which as a destination is this machine */
    getsockname(listener, (struct sockaddr *)&address, &length);
    tcp[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(tcp[0], (struct sockaddr *)&address, length) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, local) != 0)
        return 1;
    tcp[1] = accept(listener, NULL, NULL);
    cpu_set_t one = {{0}};
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one); /* where it may not be, it is as it is */
    start_echo(tcp[1]);
    start_echo(local[1]);
    double by_tcp = 1e9, by_local = 1e9;
    for (int i = 0; i < TURNS; i++) {
        by_tcp = round_trip(tcp[0], by_tcp);
        by_local = round_trip(local[0], by_local);
    }
    printf("TCP over 127.0.0.1: %5.1f us a round trip\nAF_UNIX stream:     %5.1f us\n",
           by_tcp, by_local);
    printf("so: here, in this run, AF_UNIX is %s: TCP takes %.1f times as long\n",
           by_local < by_tcp ? "faster" : "not faster", by_tcp / by_local);
    shutdown(tcp[0], SHUT_RDWR), shutdown(local[0], SHUT_RDWR);
    wait(NULL), wait(NULL);
    return 0;
}
