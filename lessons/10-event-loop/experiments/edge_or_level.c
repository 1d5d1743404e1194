/*
 * claim: epoll says that there is something to read.
 * predict: Ten bytes come. A program reads five of them, and asks epoll_wait() again, with a time-out
 *   of 0. What does it say: by default (level-triggered), and with EPOLLET (edge-triggered)?
 * why: Level: "is there something to read?". Edge: "has something come since I told you?". After an edge
 *   one must read until EAGAIN, or what is left lies there until more comes: for ever, perhaps. The
 *   edge saves a few calls where many threads wait for one epoll; for the rest level is the safe choice.
 */
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(int epoll)
{
    struct epoll_event event;
    return epoll_wait(epoll, &event, 1, 0);
}

/* Returns how often epoll told of ten bytes that were read five at a time. */
static int play(const char *name, unsigned flag)
{
    int fds[2], epoll = epoll_create1(0), told = 0;
    char bytes[5];
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    struct epoll_event event = {.events = EPOLLIN | flag};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event);

    send(fds[1], "0123456789", 10, 0);
    for (int turn = 1; turn <= 3; turn++) {
        int ready = ask(epoll);
        told += ready;
        printf("%s: epoll_wait() = %d", name, ready);
        if (ready)
            printf(", and recv(5) = %zd", recv(fds[0], bytes, sizeof bytes, 0));
        printf("\n");
    }
    ssize_t left = recv(fds[0], bytes, sizeof bytes, MSG_DONTWAIT);
    printf("%s: %zd bytes are left\n", name, left > 0 ? left : 0);
    close(fds[0]);
    close(fds[1]);
    close(epoll);
    return told;
}

int main(void)
{
    int level = play("level", 0), edge = play("edge ", EPOLLET);
    printf("so: level tells %d times, edge %d\n", level, edge);
    return 0;
}
