/*
 * claim: When no server is there, UDP blocks, and TCP returns an error.
 * predict: Nobody receives at the port. connect() on a UDP socket, send(), recv(); then the same with
 *   sendto() on a socket that is not connected. Which calls fail, and which would wait for ever?
 * why: The host answers with an ICMP message, "port unreachable". It names the two addresses, so the
 *   kernel finds the socket that is connected to that port, and the next call there fails. A socket
 *   that is not connected may have sent to a hundred servers: it is not told (Linux: IP_RECVERR asks).
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char *say(const char *call, ssize_t result)
{
    const char *error = result == -1 ? strerrorname_np(errno) : "";
    printf("%s = %zd%s%s\n", call, result, result == -1 ? " " : "", error);
    return error;
}

static int open_socket(int type)
{
    struct timeval patience = {.tv_usec = 100000}; /* so that "for ever" ends */
    int fd = socket(AF_INET, type, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

int main(void)
{
    struct sockaddr_in nobody = {AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char byte;
    int taken = open_socket(SOCK_DGRAM); /* a port that is ours, so nobody else's ... */
    bind(taken, (struct sockaddr *)&nobody, sizeof nobody);
    getsockname(taken, (struct sockaddr *)&nobody, &(socklen_t){sizeof nobody});
    connect(taken, (struct sockaddr *)&nobody, sizeof nobody); /* ... and hears nobody */

    int tcp = open_socket(SOCK_STREAM), fd = open_socket(SOCK_DGRAM);
    puts("TCP:");
    say("connect()", connect(tcp, (struct sockaddr *)&nobody, sizeof nobody));
    puts("UDP, connected:");
    say("connect()", connect(fd, (struct sockaddr *)&nobody, sizeof nobody));
    say("send()", send(fd, "?", 1, 0));
    const char *connected = say("recv()", recv(fd, &byte, 1, 0));
    puts("UDP, not connected (recv() with a limit of 100 ms):");
    int free_one = open_socket(SOCK_DGRAM);
    say("sendto()",
        sendto(free_one, "?", 1, 0, (struct sockaddr *)&nobody, sizeof nobody));
    const char *unconnected = say("recv()", recv(free_one, &byte, 1, 0));
    printf("so: a connected UDP socket %s; one that is not connected %s\n",
           strcmp(connected, "ECONNREFUSED") == 0 ? "is refused" : "is not told",
           strcmp(unconnected, "EAGAIN") == 0 ? "waits for ever" : "is told");
    return 0;
}
