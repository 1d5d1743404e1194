/*
 * claim: poll() and epoll are the same, with other names.
 * predict: 1,000 connections are idle, and one has sent a byte. How much longer does poll() take to say so
 *   than epoll_wait()? And if only one is idle?
 * why: poll() is given the whole list at each call, and asks each socket of it. epoll was given the list
 *   once; a socket to which something comes puts itself on the list of those that are ready, and
 *   epoll_wait() reads that. With a few connections poll() is as good.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 1000, ROUNDS = 300 };

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds for one wait, n pipes being open and one of them ready. */
static void measure(int n, double *by_poll, double *by_epoll)
{
    static struct pollfd fds[MANY];
    static int ends[MANY][2];
    int epoll = epoll_create1(0);
    for (int i = 0; i < n && pipe(ends[i]) == 0; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        fds[i] = (struct pollfd){.fd = ends[i][0], .events = POLLIN};
        epoll_ctl(epoll, EPOLL_CTL_ADD, ends[i][0], &event);
    }
    if (write(ends[n / 2][1], "x", 1) != 1)
        perror("write()");
    double begin = now_ns();
    for (int i = 0; i < ROUNDS; i++)
        poll(fds, (nfds_t)n, -1);
    double middle = now_ns();
    for (int i = 0; i < ROUNDS; i++)
        epoll_wait(epoll, &(struct epoll_event){0}, 1, -1);
    *by_poll = (middle - begin) / (double)ROUNDS;
    *by_epoll = (now_ns() - middle) / (double)ROUNDS;
    for (int i = 0; i < n; i++)
        close(ends[i][0]), close(ends[i][1]);
    close(epoll);
}

int main(void)
{
    struct rlimit most;
    double by_poll, by_epoll;
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    int many = most.rlim_cur < 2 * MANY + 10 ? (int)(most.rlim_cur - 10) / 2 : MANY;
    measure(2, &by_poll, &by_epoll);
    printf("   2 open: poll() %6.0f ns, epoll_wait() %6.0f ns\n", by_poll, by_epoll);
    measure(many, &by_poll, &by_epoll);
    printf("%4d open: poll() %6.0f ns, epoll_wait() %6.0f ns\n", many, by_poll, by_epoll);
    printf("so: with a crowd poll() takes %s\n",
           by_poll > 5 * by_epoll ? "many times longer" : "about as long here");
    return 0;
}
