/*
 * Hidden unit tests of lesson 02: what tcp.h promises, with other data than unit.c's.
 */
#define _GNU_SOURCE
#include "lab.h"
#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static void expect_failure(int result, int error)
{
    int found = errno;
    lab_expect(result == -1 && found == error, lab_errno(error), "returned %s",
               lab_result(result, found));
}

/* ---- tcp_listen ------------------------------------------------------------------ */

LAB_TEST(
    tcp_listen, listens_on_whichever_address_is_asked_for, .points = 2, .task = 1,
    .needs = "tcp_listen/listens_only_on_the_address_asked_for",
    .read = "Where a server is", .man = "3 getaddrinfo",
    .likely =
        "every address of this machine will do, all of 127.0.0.0/8 too: give host to getaddrinfo() as it is, and its answer to bind()")
{
    for (int i = 0; i < 5; i++) {
        char host[INET_ADDRSTRLEN], found[INET_ADDRSTRLEN];
        struct sockaddr_in name;
        socklen_t length = sizeof name;
        snprintf(host, sizeof host, "127.%u.%u.%u", lab_random_below(256),
                 lab_random_below(256), 1 + lab_random_below(254));
        int fd = tcp_listen(host, "0", 1 + (int)lab_random_below(9));
        lab_expect(fd >= 0, host, "returned %s", lab_result(fd, errno));
        getsockname(fd, (struct sockaddr *)&name, &length);
        inet_ntop(AF_INET, &name.sin_addr, found, sizeof found);
        lab_expect(strcmp(found, host) == 0 && name.sin_port != 0, host, "listens at %s",
                   found);
        lab_close(fd);
    }
}

LAB_TEST(
    tcp_listen, refuses_every_number_above_65535, .points = 2, .task = 1,
    .needs = "tcp_listen/refuses_a_port_above_65535", .read = "Where a server is",
    .man = "3 strtol",
    .likely =
        "the number itself may overflow: after strtol(), look at ERANGE, and compare before you make it narrower")
{
    static const char *const ports[] = {"65537",
                                        "131152",
                                        "2147483727",
                                        "4294967376",
                                        "8589934672",
                                        "9223372036854775887",
                                        "18446744073709551696"};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        int fd = tcp_listen("127.0.0.1", ports[i], 5);
        if (fd >= 0)
            close(fd);
        expect_failure(fd, EINVAL);
    }
}

/* ---- tcp_accept ------------------------------------------------------------------ */

enum { WAITING = 7 };

static void takes_the_queue_in_order(int family)
{
    int listener = lab_listener(family), clients[WAITING];
    struct sockaddr_storage names[WAITING], address;
    socklen_t length, lengths[WAITING];
    length = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &length);
    for (int i = 0; i < WAITING; i++) {
        clients[i] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (clients[i] == -1 ||
            connect(clients[i], (struct sockaddr *)&address, length) == -1)
            lab_error("connect()");
        lengths[i] = sizeof names[i];
        getsockname(clients[i], (struct sockaddr *)&names[i], &lengths[i]);
    }
    for (int i = 0; i < WAITING; i++) {
        struct sockaddr_storage from;
        socklen_t n = lab_random_below(200); /* what it holds does not matter */
        int fd = tcp_accept(listener, &from, &n);
        lab_expect(fd >= 0, "a connection", "returned %s", lab_result(fd, errno));
        lab_expect(n == lengths[i], "the length of the client's address",
                   "said %u and not %u", n, lengths[i]);
        lab_expect(memcmp(&from, &names[i], offsetof(struct sockaddr_in, sin_zero)) == 0,
                   "the client that waits longest", "gave another address");
        lab_close(fd);
        lab_close(clients[i]);
    }
    lab_close(listener);
}

LAB_TEST(
    tcp_accept, takes_the_queue_in_order, .points = 2, .task = 2,
    .needs = "tcp_accept/tells_the_clients_address", .read = "The queue",
    .man = "2 accept",
    .likely =
        "one call, one connection, and its own address: set *length to the room before each accept()")
{
    takes_the_queue_in_order(AF_INET);
}

LAB_TEST(
    tcp_accept, takes_an_ipv6_queue_in_order, .points = 1, .task = 2,
    .needs = "tcp_accept/tells_an_ipv6_clients_address", .read = "The queue",
    .man = "2 accept", .requires = "ipv6",
    .likely =
        "one call, one connection, and its own address: set *length to the room before each accept()")
{
    takes_the_queue_in_order(AF_INET6);
}

/* ---- address_text ---------------------------------------------------------------- */

/* In memory of exactly these bytes, so that AddressSanitizer sees one read or written past them; and in every room up to the
 * one that does. */
static void expect_text(const void *address, socklen_t length, const char *due)
{
    void *exact = malloc(length);
    size_t enough = strlen(due) + 1;
    if (exact == NULL)
        lab_error("malloc()");
    memcpy(exact, address, length);
    for (size_t size = 1; size <= enough; size++) {
        char *text = malloc(size);
        if (text == NULL)
            lab_error("malloc()");
        int result = address_text(exact, length, text, size);
        if (size < enough)
            expect_failure(result, ENOSPC);
        else
            lab_expect(result == 0 && strcmp(text, due) == 0, due, "returned %s",
                       lab_result(result, errno));
        free(text);
    }
    free(exact);
}

LAB_TEST(
    address_text, writes_any_ip_address_into_any_room, .points = 2, .task = 4,
    .needs =
        "address_text/writes_an_ipv4_address, address_text/writes_an_ipv6_address_in_brackets",
    .read = "Who is calling", .man = "3 inet_ntop",
    .likely =
        "the closing NUL needs room as well; and no byte of the address past its length is there to be read")
{
    for (int i = 0; i < 4; i++) {
        struct sockaddr_in in = {.sin_family = AF_INET};
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
        char host[INET6_ADDRSTRLEN], due[ADDRESS_TEXT_SIZE];
        uint16_t port = (uint16_t)lab_random_below(65536);
        in.sin_port = in6.sin6_port = htons(port);
        lab_random_bytes(&in.sin_addr, sizeof in.sin_addr);
        lab_random_bytes(&in6.sin6_addr, sizeof in6.sin6_addr);
        in6.sin6_addr.s6_addr[0] = 0x20; /* no link-local one, which has a scope */
        inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
        snprintf(due, sizeof due, "%s:%u", host, port);
        expect_text(&in, sizeof in, due);
        inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof host);
        snprintf(due, sizeof due, "[%s]:%u", host, port);
        expect_text(&in6, sizeof in6, due);
    }
}

LAB_TEST(
    address_text, writes_a_path_or_a_name_of_any_length, .points = 2, .task = 4,
    .needs = "address_text/writes_a_path, address_text/writes_an_abstract_name",
    .read = "Who is calling", .man = "7 unix",
    .likely =
        "length tells where the path ends, and it may fill all of sun_path without a NUL: never strlen() it")
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char due[ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < 6; i++) {
        size_t n = i == 0 ? sizeof un.sun_path : 1 + lab_random_below(sizeof un.sun_path);
        socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
        for (size_t k = 0; k < n; k++)
            un.sun_path[k] = due[k] = (char)('!' + lab_random_below('~' - '!'));
        due[n] = '\0';
        expect_text(&un, length, due);
        un.sun_path[0] = un.sun_path[n - 1] = '\0'; /* an abstract one with two NULs */
        due[0] = due[n - 1] = '@';
        expect_text(&un, length, due);
    }
}

/* ---- connect_error_means --------------------------------------------------------- */

static bool may_say(int error, const char *word)
{
    return (error == ECONNREFUSED && strcmp(word, "refused") == 0) ||
           (error == ETIMEDOUT && strcmp(word, "timed out") == 0) ||
           ((error == ENETUNREACH || error == EHOSTUNREACH) &&
            strcmp(word, "unreachable") == 0);
}

LAB_TEST(connect_error_means, says_of_no_other_error_what_is_true_of_four, .points = 1,
         .task = 5, .needs = "connect_error_means/has_words_for_any_number",
         .read = "Refused, silent, unreachable", .man = "3 strerror",
         .likely = "every number but the four has strerror()'s text, or one of its own")
{
    static const char *const words[] = {"refused", "timed out", "unreachable"};
    for (int error = -5; error < 200; error++)
        for (size_t i = 0; i < 3; i++) {
            const char *text = connect_error_means(error);
            lab_expect(text != NULL && *text != '\0', "a text", "has none for %d", error);
            lab_expect((strstr(text, words[i]) != NULL) == may_say(error, words[i]),
                       words[i], "said \"%s\" of %d", text, error);
        }
}
