/*
 * claim: an idle timer may be set whenever a connection says something, at its end too.
 * predict: A program keeps its idle timers by descriptor, and sets one in each callback: in the one
 *   for the end of a connection as well. A client goes; another one comes, and talks. What happens
 *   3 s after the first one's end?
 * why: the lowest free number is given out again: the new client has the old one's descriptor. The
 *   timer was set for the number, and fires on whoever has it then. A timer belongs to a
 *   connection, and goes when it goes. (The time is a number here: nobody waits.)
 */
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_MS = 3000, MOST = 64 };

static int due[MOST]; /* by descriptor: when the timer fires; 0: there is none */

static void client_begins(int fd, int now)
{
    printf("%4d ms: a client has descriptor %d\n", now, fd);
}

static void client_ends(int fd, int now)
{
    printf("%4d ms: the client of descriptor %d has gone\n", now, fd);
    close(fd);
    due[fd] = now + IDLE_MS; /* the mistake */
}

int main(void)
{
    int first[2], second[2];
    bool innocent = false;
    socketpair(AF_UNIX, SOCK_STREAM, 0, first);
    client_begins(first[0], 0);
    client_ends(first[0], 500);
    close(first[1]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, second);
    client_begins(second[0], 600);
    for (int now = 1000; now <= 4000; now += 500) {
        if (due[second[0]] != 0 && now >= due[second[0]]) {
            innocent = true;
            printf("%4d ms: descriptor %d is closed: idle for 3000 ms\n", now, second[0]);
            break;
        }
        printf("%4d ms: descriptor %d says something\n", now, second[0]);
    }
    printf("so: the timer %s\n",
           innocent ? "hit a client that was not idle" : "hit nobody");
    close(second[0]);
    close(second[1]);
    return 0;
}
