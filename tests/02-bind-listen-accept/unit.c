/*
 * unit.c: what tcp.h promises.
 *
 * Nothing here needs a network, a name server, a privilege or a fixed port. Names are ours: getaddrinfo() below knows
 * "one.test" and "two.test", and hands every other question to the real one.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "lab.h"
#include "tcp.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Names whose addresses the tests decide. */

static struct addrinfo *our_lists[8]; /* handed out and not yet freed */

static struct addrinfo *our_address(const char *address, const char *service,
                                    const struct addrinfo *hints)
{
    struct sockaddr_in *in = calloc(1, sizeof *in);
    struct addrinfo *info = calloc(1, sizeof *info);
    if (in == NULL || info == NULL)
        lab_error("calloc");
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)(service == NULL ? 0 : atoi(service)));
    inet_pton(AF_INET, address, &in->sin_addr);
    *info = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = hints == NULL || hints->ai_socktype == 0
                                                 ? SOCK_STREAM
                                                 : hints->ai_socktype,
                              .ai_protocol = IPPROTO_TCP,
                              .ai_addr = (struct sockaddr *)in,
                              .ai_addrlen = sizeof *in};
    return info;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    bool two = host != NULL && strcmp(host, "two.test") == 0;
    if (!two && (host == NULL || strcmp(host, "one.test") != 0)) {
        int (*real)(const char *, const char *, const struct addrinfo *,
                    struct addrinfo **);
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        return real(host, service, hints, list);
    }
    if (hints != NULL && hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET)
        return EAI_NONAME;
    *list = our_address(two ? "127.0.0.2" : "127.0.0.1", service, hints);
    if (two)
        (*list)->ai_next = our_address("127.0.0.1", service, hints);
    for (size_t i = 0; i < sizeof our_lists / sizeof *our_lists; i++)
        if (our_lists[i] == NULL) {
            our_lists[i] = *list;
            return 0;
        }
    return EAI_MEMORY;
}

void freeaddrinfo(struct addrinfo *list)
{
    for (size_t i = 0; i < sizeof our_lists / sizeof *our_lists; i++)
        if (our_lists[i] != NULL && our_lists[i] == list) {
            our_lists[i] = NULL;
            for (struct addrinfo *next; list != NULL; list = next) {
                next = list->ai_next;
                free(list->ai_addr);
                free(list);
            }
            errno = EXDEV; /* nothing promises that errno is kept here */
            return;
        }
    void (*real)(struct addrinfo *);
    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    real(list);
}

static int lists_not_freed(void)
{
    int n = 0;
    for (size_t i = 0; i < sizeof our_lists / sizeof *our_lists; i++)
        n += our_lists[i] != NULL;
    return n;
}

static void one_test_is_one_address(void)
{
    lab_peer("one.test is 127.0.0.1");
}

static void two_test_is_two_addresses(void)
{
    lab_peer("two.test is 127.0.0.2 and, next, 127.0.0.1");
}

/* What the kernel says of a socket. */

static struct sockaddr_storage name_of(int fd,
                                       int (*ask)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof name;
    ask(fd, (struct sockaddr *)&name, &length);
    return name;
}

static const char *text_of(const struct sockaddr_storage *name)
{
    static char texts[4][INET6_ADDRSTRLEN + 10];
    static unsigned turn;
    char *text = texts[turn++ % 4], host[INET6_ADDRSTRLEN] = "no address";
    const struct sockaddr_in *in = (const struct sockaddr_in *)name;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)name;
    if (name->ss_family == AF_INET)
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    if (name->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    snprintf(text, sizeof *texts, name->ss_family == AF_INET6 ? "[%s]:%d" : "%s:%d", host,
             ntohs(in->sin_port));
    return text;
}

static const char *local_text(int fd)
{
    struct sockaddr_storage name = name_of(fd, getsockname);
    return text_of(&name);
}

static const char *remote_text(int fd)
{
    struct sockaddr_storage name = name_of(fd, getpeername);
    return text_of(&name);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(fd, level, name, &value, &length);
    return value;
}

/* The last two steps of many tests: a descriptor came back; it failed as it should. */

#define STARTERS_ANSWER "this is the starter's answer: the TODO says what to write"

/* "returned -1 and errno EINVAL after socket() = 5, listen(5) = -1 EINVAL" */
static const char *outcome(int result, int error)
{
    static char text[600];
    const char *calls = calls_text(6);
    if (result == -1 && error == ENOSYS)
        lab_likely(STARTERS_ANSWER);
    if (result == -1 && error == EXDEV)
        lab_likely(
            "freeaddrinfo() changed errno: keep it in a variable first, and put it back after");
    snprintf(text, sizeof text, "returned %s%s%s", lab_result(result, error),
             *calls ? " after " : "", calls);
    return text;
}

static void expect_descriptor(int fd, const char *expected)
{
    lab_expect(fd >= 0, expected, "%s", outcome(fd, errno));
}

static void expect_failure(int result, int error)
{
    int found = errno;
    char expected[64];
    snprintf(expected, sizeof expected, "-1 and errno %s", lab_errno(error));
    lab_expect(result == -1 && found == error, expected, "%s", outcome(result, found));
    errno = 0; /* so that the next call has to set it */
}

static void expect_bytes_pass(int from, int to)
{
    char sent[16], received[16] = "";
    lab_random_bytes(sent, sizeof sent);
    ssize_t n = send(from, sent, sizeof sent, MSG_NOSIGNAL);
    if (n == (ssize_t)sizeof sent)
        n = recv(to, received, sizeof received, MSG_DONTWAIT | MSG_WAITALL);
    lab_expect(n == (ssize_t)sizeof sent && memcmp(sent, received, sizeof sent) == 0,
               "16 bytes sent at one end arrive at the other",
               "returned a descriptor through which %s came",
               n > 0 ? lab_quote(received, (size_t)n) : "nothing");
}

static int client_of(int listener)
{
    struct sockaddr_storage name = name_of(listener, getsockname);
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 ||
        connect(fd, (struct sockaddr *)&name,
                name.ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                          : sizeof(struct sockaddr_in6)) == -1)
        lab_error("connect");
    lab_peer("connected from %s", local_text(fd));
    return fd;
}

/* tcp_listen */

LAB_TEST(
    tcp_listen, lets_the_kernel_choose_a_port, .points = 2, .task = 1,
    .read = "The four calls of a server", .man = "2 listen",
    .likely =
        "bind() to the address that getaddrinfo() found, then listen(), and return that socket")
{
    int fd = tcp_listen("127.0.0.1", "0", 5);
    expect_descriptor(fd, "a listener");
    lab_expect(option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1, "a socket that listens",
               "returned a socket that does not listen");
    lab_expect(lab_port(fd) != 0, "a port chosen by the kernel",
               "returned a listener at %s", local_text(fd));
    lab_close(fd);
}

LAB_TEST(
    tcp_listen, listens_only_on_the_address_asked_for, .points = 2, .task = 1,
    .read = "Where a server is", .man = "3 getaddrinfo",
    .likely =
        "the listener is bound to every interface: pass host to getaddrinfo(), and its address to bind()")
{
    int fd = tcp_listen("127.0.0.2", "0", 5);
    expect_descriptor(fd, "a listener at 127.0.0.2");
    lab_expect(strncmp(local_text(fd), "127.0.0.2:", 10) == 0, "a listener at 127.0.0.2",
               "returned a listener at %s", local_text(fd));
    lab_close(fd);
}

LAB_TEST(
    tcp_listen, listens_on_the_port_asked_for, .points = 1, .task = 1,
    .read = "Where a server is", .man = "3 getaddrinfo",
    .likely =
        "pass service to getaddrinfo(): it puts the port, in network byte order, into the address for bind()")
{
    int fd = -1, port = 0;
    for (int tries = 0; tries < 3 && fd == -1;
         tries++) { /* another program may be quicker to take a free port */
        int free_port = lab_listener(AF_INET);
        port = lab_port(free_port);
        char service[8];
        snprintf(service, sizeof service, "%d", port);
        lab_close(free_port);
        fd = tcp_listen("127.0.0.1", service, 5);
    }
    expect_descriptor(fd, "a listener on the port asked for");
    lab_expect(lab_port(fd) == port, "a listener on the port asked for",
               "asked for port %d, returned a listener at %s", port, local_text(fd));
    lab_close(fd);
}

LAB_TEST(
    tcp_listen, listens_on_every_interface_for_NULL, .points = 1, .task = 1,
    .read = "Where a server is", .man = "3 getaddrinfo",
    .likely = "without AI_PASSIVE, getaddrinfo(NULL) means loopback: set it in the hints")
{
    int fd = tcp_listen(NULL, "0", 5);
    expect_descriptor(fd, "a listener");
    const char *text = local_text(fd);
    lab_expect(strncmp(text, "0.0.0.0:", 8) == 0 || strncmp(text, "[::]:", 5) == 0,
               "a listener at 0.0.0.0 or [::]", "returned a listener at %s", text);
    lab_close(fd);
}

LAB_TEST(
    tcp_listen, listens_on_ipv6, .points = 1, .task = 1,
    .needs = "tcp_listen/listens_only_on_the_address_asked_for",
    .read = "Where a server is", .man = "7 ipv6", .requires = "ipv6",
    .likely =
        "AF_INET is written into the code: ask getaddrinfo() for AF_UNSPEC, and give its ai_family to socket()")
{
    int fd = tcp_listen("::1", "0", 5);
    expect_descriptor(fd, "a listener at [::1]");
    lab_expect(strncmp(local_text(fd), "[::1]:", 6) == 0, "a listener at [::1]",
               "returned a listener at %s", local_text(fd));
    lab_close(fd);
}

LAB_TEST(
    tcp_listen, leaves_ipv4_to_others, .points = 1, .task = 1,
    .needs = "tcp_listen/listens_on_ipv6, tcp_listen/starts_again_at_once",
    .read = "Two families, one port", .man = "7 ipv6", .requires = "ipv6",
    .likely =
        "an IPv6 listener at :: takes IPv4 clients too: set IPV6_V6ONLY before bind()")
{
    int fd = tcp_listen("::", "0", 5);
    expect_descriptor(fd, "a listener at [::]");
    lab_expect(option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1, "IPV6_V6ONLY set",
               "returned a listener that takes IPv4 clients too");
    lab_close(fd);
    fault_once(CALLS_OPTION, 2, (struct fault){.error = ENOBUFS});
    lab_likely("setsockopt() can fail: look at its result, each time");
    expect_failure(tcp_listen("::1", "0", 5), ENOBUFS);
}

LAB_TEST(
    tcp_listen, starts_again_at_once, .points = 2, .task = 1,
    .needs = "tcp_listen/listens_on_the_port_asked_for", .read = "Starting again at once",
    .man = "7 socket",
    .likely = "a connection in TIME_WAIT keeps the port: set SO_REUSEADDR before bind()")
{
    int fd = -1;
    for (int tries = 0; tries < 3 && fd == -1; tries++) { /* as above */
        int before = tcp_listen("127.0.0.1", "0", 5);
        expect_descriptor(before, "a listener");
        int client = client_of(before), server = accept(before, NULL, NULL);
        char service[8];
        snprintf(service, sizeof service, "%d", lab_port(before));
        lab_close(server); /* who closes first keeps the port in TIME_WAIT */
        lab_close(client);
        lab_close(before);
        fd = tcp_listen("127.0.0.1", service, 5);
    }
    expect_descriptor(
        fd, "a listener, although an old connection of that port is in TIME_WAIT");
    lab_close(fd);
}

LAB_TEST(
    tcp_listen, reports_a_port_in_use, .points = 1, .task = 1,
    .needs = "tcp_listen/listens_only_on_the_address_asked_for", .read = "When it fails",
    .man = "2 bind",
    .likely =
        "bind()'s result is ignored, or SO_REUSEPORT is set, which lets two servers share the port")
{
    int first = tcp_listen("127.0.0.1", "0", 5);
    expect_descriptor(first, "a listener");
    lab_peer("a first listener is at %s", local_text(first));
    int second = tcp_listen("127.0.0.1", lab_port_text(first), 5);
    if (second >= 0)
        lab_close(second);
    expect_failure(second, EADDRINUSE);
    lab_close(first);
}

LAB_TEST(tcp_listen, passes_the_backlog_on, .points = 1, .task = 1, .read = "The queue",
         .man = "2 listen", .likely = "give backlog to listen() as it is")
{
    int backlog = 1 + (int)lab_random_below(100);
    int fd = tcp_listen("127.0.0.1", "0", backlog);
    expect_descriptor(fd, "a listener");
    struct tcp_info info = {
        .tcpi_sacked = 0}; /* of a listener: the length its queue may have (Linux) */
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == -1)
        lab_error("getsockopt TCP_INFO");
    char expected[32];
    snprintf(expected, sizeof expected, "a backlog of %d", backlog);
    lab_expect((int)info.tcpi_sacked == backlog, expected,
               "returned a listener with a backlog of %u", info.tcpi_sacked);
    lab_close(fd);
}

LAB_TEST(tcp_listen, closes_on_exec, .points = 1, .task = 1, .read = "When it fails",
         .man = "2 socket", .likely = "add SOCK_CLOEXEC to the socket's type")
{
    int fd = tcp_listen("127.0.0.1", "0", 5);
    expect_descriptor(fd, "a listener");
    lab_expect((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a close-on-exec descriptor",
               "returned one that every program started from here inherits");
    lab_close(fd);
}

LAB_TEST(
    tcp_listen, tries_each_address, .points = 2, .task = 1,
    .needs = "tcp_listen/listens_only_on_the_address_asked_for",
    .read = "A name has many addresses", .man = "3 getaddrinfo",
    .likely =
        "only the first address is tried: go on to ai_next until one listens, then stop")
{
    two_test_is_two_addresses();
    int fd = tcp_listen("two.test", "0", 5);
    expect_descriptor(fd, "a listener at the first address, 127.0.0.2");
    lab_expect(strncmp(local_text(fd), "127.0.0.2:", 10) == 0,
               "a listener at the first address, 127.0.0.2", "returned a listener at %s",
               local_text(fd));
    lab_close(fd);
    lab_peer("the first is not an address of this machine");
    fault_once(CALLS_BIND, 1, (struct fault){.error = EADDRNOTAVAIL});
    fd = tcp_listen("two.test", "0", 5);
    expect_descriptor(fd, "a listener at the second address, 127.0.0.1");
    lab_expect(strncmp(local_text(fd), "127.0.0.1:", 10) == 0,
               "a listener at the second address, 127.0.0.1", "returned a listener at %s",
               local_text(fd));
    lab_close(fd);
}

LAB_TEST(
    tcp_listen, reports_the_error_of_the_last_address, .points = 1, .task = 1,
    .needs = "tcp_listen/tries_each_address", .read = "A name has many addresses",
    .man = "3 errno",
    .likely =
        "the error of the first address is reported: let each failure replace the one before")
{
    two_test_is_two_addresses();
    fault_once(CALLS_BIND, 1, (struct fault){.error = EADDRNOTAVAIL});
    fault_once(CALLS_BIND, 2, (struct fault){.error = EACCES});
    expect_failure(tcp_listen("two.test", "0", 5), EACCES);
}

LAB_TEST(
    tcp_listen, fails_when_any_of_its_calls_fails, .points = 1, .task = 1,
    .needs =
        "tcp_listen/starts_again_at_once, tcp_listen/listens_only_on_the_address_asked_for",
    .read = "When it fails", .man = "2 bind",
    .likely =
        "one of the calls fails unseen: look at the result of each, close the socket, return -1")
{
    const enum call_family calls[] = {CALLS_SOCKET, CALLS_OPTION, CALLS_BIND,
                                      CALLS_LISTEN};
    const int errors[] = {EMFILE, ENOBUFS, EACCES, EADDRINUSE};
    const char *names[] = {"socket()", "setsockopt()", "bind()", "listen()"};
    for (int i = 0; i < 4; i++) {
        fault_none();
        fault_once(calls[i], 1, (struct fault){.error = errors[i]});
        lab_likely("%s fails unseen: look at its result, close the socket, return -1",
                   names[i]);
        expect_failure(tcp_listen("127.0.0.1", "0", 5), errors[i]);
    }
}

LAB_TEST(
    tcp_listen, keeps_errno_while_it_cleans_up, .points = 1, .task = 1,
    .needs = "tcp_listen/listens_only_on_the_address_asked_for", .read = "When it fails",
    .man = "3 errno",
    .likely =
        "close() or freeaddrinfo() changed errno: keep it in a variable first, and put it back after")
{
    one_test_is_one_address();
    fault_once(CALLS_BIND, 1, (struct fault){.error = EACCES});
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EINTR, .after = 1});
    expect_failure(tcp_listen("one.test", "0", 5), EACCES);
}

LAB_TEST(tcp_listen, frees_the_addresses, .points = 1, .task = 1,
         .needs = "tcp_listen/listens_only_on_the_address_asked_for",
         .read = "A name has many addresses", .man = "3 getaddrinfo",
         .likely = "freeaddrinfo() is missing on one of the ways out, success among them")
{
    one_test_is_one_address();
    int fd = tcp_listen("one.test", "0", 5);
    expect_descriptor(fd, "a listener");
    lab_close(fd);
    lab_expect(lists_not_freed() == 0, "the list from getaddrinfo() freed",
               "returned a listener and kept the list");
    fault_once(CALLS_BIND, 1, (struct fault){.error = EACCES});
    expect_failure(tcp_listen("one.test", "0", 5), EACCES);
    lab_expect(lists_not_freed() == 0, "the list from getaddrinfo() freed",
               "failed and kept the list");
}

/* A label of more than 63 letters: no resolver sends such a name anywhere. */
static const char no_name[] =
    "a-name-that-is-longer-than-the-sixty-three-letters-which-one-label-may-have";

LAB_TEST(
    tcp_listen, refuses_what_does_not_resolve, .points = 1, .task = 1,
    .needs = "tcp_listen/listens_only_on_the_address_asked_for", .read = "When it fails",
    .man = "3 getaddrinfo",
    .likely =
        "getaddrinfo() returns its error and leaves errno alone: set errno to EADDRNOTAVAIL")
{
    expect_failure(tcp_listen(no_name, "0", 5), EADDRNOTAVAIL);
    expect_failure(tcp_listen("127.0.0.1", "no such service", 5), EADDRNOTAVAIL);
}

LAB_TEST(
    tcp_listen, refuses_a_port_above_65535, .points = 1, .task = 1,
    .needs = "tcp_listen/listens_only_on_the_address_asked_for",
    .read = "Where a server is", .man = "3 getaddrinfo",
    .likely =
        "glibc's getaddrinfo() takes 65536 for 0 and 70000 for 4464: check the number yourself")
{
    const char *ports[] = {"65536", "70000", "99999999999999999999"};
    for (int i = 0; i < 3; i++)
        expect_failure(tcp_listen("127.0.0.1", ports[i], 5), EINVAL);
    fault_once(CALLS_BIND, 1, (struct fault){.error = EACCES});
    lab_likely("65535 is a port: only what is above it is refused");
    expect_failure(tcp_listen("127.0.0.1", "65535", 5), EACCES);
}

/* tcp_accept */

LAB_TEST(
    tcp_accept, returns_the_connection, .points = 2, .task = 2,
    .read = "The four calls of a server", .man = "2 accept",
    .likely =
        "return what accept() returned: the new socket is the connection, the listener goes on listening")
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int listener = lab_listener(AF_INET), client = client_of(listener);
    int fd = tcp_accept(listener, &address, &length);
    expect_descriptor(fd, "the connection");
    expect_bytes_pass(client, fd);
    expect_bytes_pass(fd, client);
    lab_close(fd);
    lab_close(client);
    lab_close(listener);
}

static void tells_the_address(int family)
{
    struct sockaddr_storage address;
    memset(&address, 0xA5, sizeof address);
    socklen_t length = 1;
    int listener = lab_listener(family), client = client_of(listener);
    int fd = tcp_accept(listener, &address, &length);
    expect_descriptor(fd, "the connection");
    socklen_t whole =
        family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    char expected[100];
    snprintf(expected, sizeof expected, "length %u and the address %s", whole,
             local_text(client));
    lab_expect(length == whole && strcmp(text_of(&address), local_text(client)) == 0,
               expected, "gave length %u and the address %s", length, text_of(&address));
    lab_close(fd);
    lab_close(client);
    lab_close(listener);
}

LAB_TEST(
    tcp_accept, tells_the_clients_address, .points = 2, .task = 2,
    .read = "Who is calling", .man = "2 accept",
    .likely =
        "accept() reads length before it writes it: set it to the size of the address first")
{
    tells_the_address(AF_INET);
}

LAB_TEST(
    tcp_accept, tells_an_ipv6_clients_address, .points = 1, .task = 2,
    .needs = "tcp_accept/tells_the_clients_address", .read = "Who is calling",
    .man = "7 ipv6", .requires = "ipv6",
    .likely =
        "length is set to the size of an IPv4 address: an IPv6 one needs sizeof(struct sockaddr_storage) or so")
{
    tells_the_address(AF_INET6);
}

LAB_TEST(tcp_accept, needs_no_address, .points = 1, .task = 2, .read = "Who is calling",
         .man = "2 accept",
         .likely = "address and length may be NULL: do not write through them then")
{
    int listener = lab_listener(AF_INET), client = client_of(listener);
    int fd = tcp_accept(listener, NULL, NULL);
    expect_descriptor(fd, "the connection");
    lab_close(fd);
    lab_close(client);
    lab_close(listener);
}

static void goes_on_after(int error)
{
    int listener = lab_listener(AF_INET), client = client_of(listener);
    fault_once(CALLS_ACCEPT, 1, (struct fault){.error = error});
    fault_once(CALLS_ACCEPT, 2, (struct fault){.error = error});
    struct sockaddr_storage address;
    socklen_t length = 0;
    int fd = tcp_accept(listener, &address, &length);
    expect_descriptor(fd, "the connection");
    lab_close(fd);
    lab_close(client);
    lab_close(listener);
}

LAB_TEST(
    tcp_accept, goes_on_after_a_signal, .points = 2, .task = 2, .read = "When it fails",
    .man = "7 signal",
    .likely = "EINTR means that a signal came, not that accept() failed: call it again")
{
    goes_on_after(EINTR);
}

LAB_TEST(
    tcp_accept, goes_on_after_a_client_gave_up, .points = 2, .task = 2,
    .read = "When it fails", .man = "2 accept",
    .likely =
        "ECONNABORTED is one client's trouble, not the listener's: call accept() again")
{
    goes_on_after(ECONNABORTED);
}

LAB_TEST(
    tcp_accept, reports_that_no_descriptor_is_free, .points = 2, .task = 2,
    .read = "When it fails", .man = "2 accept",
    .likely =
        "the loop tries again after every error: EMFILE would make it spin; only EINTR and ECONNABORTED go on")
{
    int listener = lab_listener(AF_INET), client = client_of(listener);
    const int errors[] = {EMFILE, ENFILE};
    for (int i = 0; i < 2; i++) {
        fault_once(CALLS_ACCEPT, 1, (struct fault){.error = errors[i]});
        int fd = tcp_accept(listener, NULL, NULL);
        if (fd >= 0)
            lab_close(fd);
        expect_failure(fd, errors[i]);
    }
    int fd = tcp_accept(listener, NULL, NULL);
    lab_likely(
        "after EMFILE the connection is still in the queue, and the listener must be as it was");
    expect_descriptor(fd, "the connection, which stayed in the queue");
    lab_close(fd);
    lab_close(client);
    lab_close(listener);
}

LAB_TEST(
    tcp_accept, reports_every_other_error, .points = 1, .task = 2,
    .read = "When it fails", .man = "2 accept",
    .likely =
        "the loop goes on after an error that will not pass: only after EINTR and ECONNABORTED is it right to call accept() again")
{
    int listener = lab_listener(AF_INET), client = client_of(listener);
    const int errors[] = {EINVAL, ENOBUFS, ENOMEM};
    for (int i = 0; i < 3; i++) {
        fault_once(CALLS_ACCEPT, 1, (struct fault){.error = errors[i]});
        int fd = tcp_accept(listener, NULL, NULL);
        if (fd >= 0)
            lab_close(fd);
        expect_failure(fd, errors[i]);
    }
    lab_close(client);
    lab_close(listener);
}

LAB_TEST(
    tcp_accept, does_not_wait_on_a_non_blocking_listener, .points = 1, .task = 2,
    .read = "When it fails", .man = "2 accept",
    .likely =
        "EAGAIN is the answer of a non-blocking listener whose queue is empty: return it")
{
    int listener = lab_listener(AF_INET);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    expect_failure(tcp_accept(listener, NULL, NULL), EAGAIN);
    lab_close(listener);
}

LAB_TEST(
    tcp_accept, closes_on_exec, .points = 1, .task = 2, .read = "When it fails",
    .man = "2 accept",
    .likely =
        "the connection does not inherit close-on-exec from the listener: use accept4() with SOCK_CLOEXEC, or fcntl()")
{
    int listener = lab_listener(AF_INET), client = client_of(listener);
    int fd = tcp_accept(listener, NULL, NULL);
    expect_descriptor(fd, "the connection");
    lab_expect((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a close-on-exec descriptor",
               "returned one that every program started from here inherits");
    lab_close(fd);
    lab_close(client);
    lab_close(listener);
}

/* tcp_connect */

static void connects(int family, const char *host)
{
    int listener = lab_listener(family);
    lab_peer("listens at %s", local_text(listener));
    int fd = tcp_connect(host, lab_port_text(listener));
    expect_descriptor(fd, "the connection");
    lab_expect(strcmp(remote_text(fd), local_text(listener)) == 0, local_text(listener),
               "returned a socket connected to %s", remote_text(fd));
    lab_expect((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0, "a blocking socket",
               "returned a non-blocking one");
    int server = accept(listener, NULL, NULL);
    expect_bytes_pass(server, fd);
    expect_bytes_pass(fd, server);
    lab_close(server);
    lab_close(fd);
    lab_close(listener);
}

LAB_TEST(
    tcp_connect, connects, .points = 2, .task = 3, .read = "The two calls of a client",
    .man = "2 connect",
    .likely =
        "connect() a new socket to the address that getaddrinfo() found, and return that socket")
{
    connects(AF_INET, "127.0.0.1");
}

LAB_TEST(
    tcp_connect, connects_over_ipv6, .points = 1, .task = 3,
    .read = "The two calls of a client", .man = "7 ipv6", .requires = "ipv6",
    .likely =
        "AF_INET is written into the code: ask getaddrinfo() for AF_UNSPEC, and give its ai_family to socket()")
{
    connects(AF_INET6, "::1");
}

LAB_TEST(tcp_connect, closes_on_exec, .points = 1, .task = 3, .read = "When it fails",
         .man = "2 socket", .likely = "add SOCK_CLOEXEC to the socket's type")
{
    int listener = lab_listener(AF_INET);
    int fd = tcp_connect("127.0.0.1", lab_port_text(listener));
    expect_descriptor(fd, "the connection");
    lab_expect((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a close-on-exec descriptor",
               "returned one that every program started from here inherits");
    lab_close(fd);
    lab_close(listener);
}

static const char *closed_port(void)
{
    static char service[8];
    snprintf(service, sizeof service, "%d", lab_closed_port(AF_INET));
    return service;
}

LAB_TEST(
    tcp_connect, reports_that_nobody_listens, .points = 2, .task = 3,
    .read = "Refused, silent, unreachable", .man = "2 connect",
    .likely =
        "connect()'s result is ignored, or its errno lost: close the socket, keep errno, return -1")
{
    lab_peer("answers with RST: nobody listens on that port");
    expect_failure(tcp_connect("127.0.0.1", closed_port()), ECONNREFUSED);
    fault_once(CALLS_SOCKET, 1, (struct fault){.error = EMFILE});
    lab_likely("socket() can fail too: look at its result");
    expect_failure(tcp_connect("127.0.0.1", closed_port()), EMFILE);
}

LAB_TEST(
    tcp_connect, tries_each_address, .points = 2, .task = 3,
    .read = "A name has many addresses", .man = "3 getaddrinfo",
    .likely =
        "only the first address is tried: go on to ai_next, with a new socket, until one answers")
{
    two_test_is_two_addresses();
    int listener = lab_listener(AF_INET);
    lab_peer("only %s listens", local_text(listener));
    int fd = tcp_connect("two.test", lab_port_text(listener));
    expect_descriptor(fd, "a connection to the second address");
    lab_expect(strcmp(remote_text(fd), local_text(listener)) == 0, local_text(listener),
               "returned a socket connected to %s", remote_text(fd));
    lab_close(fd);
    fault_once(CALLS_SOCKET, 1, (struct fault){.error = EAFNOSUPPORT});
    lab_peer("the kernel lacks the family of the first address");
    lab_likely(
        "socket() failed for one address: the next may be of a family that the kernel has");
    fd = tcp_connect("two.test", lab_port_text(listener));
    expect_descriptor(fd, "a connection to the second address");
    lab_close(fd);
    lab_close(listener);
}

LAB_TEST(tcp_connect, stops_at_the_first_that_answers, .points = 1, .task = 3,
         .needs = "tcp_connect/connects", .read = "A name has many addresses",
         .man = "3 getaddrinfo",
         .likely = "once connected, leave the loop over the addresses")
{
    two_test_is_two_addresses();
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET};
    if (bind(listener, (struct sockaddr *)&any, sizeof any) == -1 ||
        listen(listener, 5) == -1)
        lab_error("listen");
    lab_peer("both listen");
    int fd = tcp_connect("two.test", lab_port_text(listener));
    expect_descriptor(fd, "a connection to the first address, 127.0.0.2");
    lab_expect(strncmp(remote_text(fd), "127.0.0.2:", 10) == 0,
               "a connection to the first address, 127.0.0.2",
               "returned a socket connected to %s", remote_text(fd));
    lab_close(fd);
    lab_close(listener);
}

LAB_TEST(
    tcp_connect, reports_the_error_of_the_last_address, .points = 1, .task = 3,
    .needs = "tcp_connect/reports_that_nobody_listens, tcp_connect/tries_each_address",
    .read = "A name has many addresses", .man = "3 errno",
    .likely =
        "the error of the first address is reported: let each failure replace the one before")
{
    two_test_is_two_addresses();
    lab_peer("the first answers with RST, the second with nothing");
    fault_once(CALLS_CONNECT, 1, (struct fault){.error = ECONNREFUSED});
    fault_once(CALLS_CONNECT, 2, (struct fault){.error = ETIMEDOUT});
    expect_failure(tcp_connect("two.test", closed_port()), ETIMEDOUT);
}

LAB_TEST(
    tcp_connect, keeps_errno_while_it_cleans_up, .points = 1, .task = 3,
    .needs = "tcp_connect/reports_that_nobody_listens", .read = "When it fails",
    .man = "3 errno",
    .likely =
        "close() or freeaddrinfo() changed errno: keep it in a variable first, and put it back after")
{
    one_test_is_one_address();
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EIO, .after = 1});
    expect_failure(tcp_connect("one.test", closed_port()), ECONNREFUSED);
}

LAB_TEST(tcp_connect, frees_the_addresses, .points = 1, .task = 3,
         .read = "A name has many addresses", .man = "3 getaddrinfo",
         .likely = "freeaddrinfo() is missing on one of the ways out, success among them")
{
    one_test_is_one_address();
    int listener = lab_listener(AF_INET);
    int fd = tcp_connect("one.test", lab_port_text(listener));
    expect_descriptor(fd, "the connection");
    lab_close(fd);
    lab_close(listener);
    lab_expect(lists_not_freed() == 0, "the list from getaddrinfo() freed",
               "returned a connection and kept the list");
    expect_failure(tcp_connect("one.test", closed_port()), ECONNREFUSED);
    lab_expect(lists_not_freed() == 0, "the list from getaddrinfo() freed",
               "failed and kept the list");
}

/* connect() is interrupted, and the waiting for its end too or not: the connection opened is the one returned. */
static void expect_the_same_connection(bool wait_too)
{
    int listener = lab_listener(AF_INET);
    lab_peer("listens at %s; a signal interrupts connect()%s", local_text(listener),
             wait_too ? ", and then the waiting" : "");
    fault_once(CALLS_CONNECT, 1, (struct fault){.error = EINTR, .after = 1});
    if (wait_too)
        fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    int fd = tcp_connect("127.0.0.1", lab_port_text(listener));
    fault_none();
    expect_descriptor(fd, "the connection");
    lab_expect(calls_made(CALLS_WAIT) > 0 || calls_made(CALLS_CONNECT) > 1,
               "to wait until the connection is there",
               "returned at once, though connect() had been interrupted");
    int server = accept(listener, NULL, NULL);
    lab_likely("a second connection was opened: the first one was not lost");
    lab_expect(strcmp(remote_text(server), local_text(fd)) == 0, "the same connection",
               "returned another connection than the one interrupted");
    lab_likely(NULL);
    lab_close(server);
    lab_close(fd);
    lab_close(listener);
}

LAB_TEST(
    tcp_connect, waits_on_after_a_signal, .points = 2, .task = 3,
    .needs = "tcp_connect/connects", .read = "A signal in the middle of connect()",
    .man = "2 connect",
    .likely =
        "after EINTR the kernel goes on connecting: wait until the socket is writable, do not call connect() again")
{
    expect_the_same_connection(true);
    expect_the_same_connection(false);
}

static int breaks =
    -1; /* the listener whose next connection is interrupted, and then broken */

/*
 * Every connect(), the student's too. After the one to `breaks` the connection has failed, and who asks is told that it
 * goes on: by EINTR, or, of a non-blocking socket, by EINPROGRESS.
 */
int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    int result = (int)syscall(SYS_connect, fd, to, length);
    if (breaks == -1 || (result == -1 && errno != EINPROGRESS))
        return result;
    int server = accept(breaks, NULL, NULL);
    breaks = -1;
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(server, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(server);
    poll(&(struct pollfd){.fd = fd}, 1, -1); /* until the RST is here */
    errno = fcntl(fd, F_GETFL) & O_NONBLOCK ? EINPROGRESS : EINTR;
    return -1;
}

LAB_TEST(
    tcp_connect, reports_how_an_interrupted_connection_ended, .points = 1, .task = 3,
    .needs = "tcp_connect/waits_on_after_a_signal",
    .read = "A signal in the middle of connect()", .man = "2 connect",
    .likely =
        "writable does not mean connected: ask getsockopt() for SO_ERROR, and fail if it is not 0")
{
    int listener = lab_listener(AF_INET);
    lab_peer(
        "took the connection and reset it, after a signal had interrupted connect()");
    breaks = listener;
    fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    int fd = tcp_connect("127.0.0.1", lab_port_text(listener)), error = errno;
    lab_expect(fd == -1 && error != EINTR, "-1 and the error of the connection", "%s",
               outcome(fd, error));
    lab_close(listener);
}

LAB_TEST(
    tcp_connect, refuses_what_does_not_resolve, .points = 1, .task = 3,
    .read = "When it fails", .man = "3 getaddrinfo",
    .likely =
        "getaddrinfo() returns its error and leaves errno alone: set errno to EADDRNOTAVAIL")
{
    expect_failure(tcp_connect(no_name, "80"), EADDRNOTAVAIL);
    expect_failure(tcp_connect("127.0.0.1", "no such service"), EADDRNOTAVAIL);
    lab_likely("glibc's getaddrinfo() takes 70000 for 4464: check the number yourself");
    expect_failure(tcp_connect("127.0.0.1", "70000"), EINVAL);
}

/* address_text */

/* The text of an address that ends where its memory ends, written to memory that ends with the text. */
static void expect_text(const void *address, socklen_t length, const char *expected)
{
    void *exact = malloc(length);
    memcpy(exact, address, length);
    size_t size = strlen(expected) + 1;
    char *text = malloc(size);
    int result = address_text(exact, length, text, size), error = errno;
    lab_expect(result == 0, expected, "%s, for a buffer of %zu bytes",
               outcome(result, error), size);
    lab_expect(strnlen(text, size) == size - 1 && strcmp(text, expected) == 0, expected,
               "wrote %s", lab_quote(text, strnlen(text, size)));
    free(text);
    free(exact);
}

static void expect_no_room(const void *address, socklen_t length, size_t size)
{
    char *text = malloc(size == 0 ? 1 : size);
    expect_failure(address_text(address, length, text, size), ENOSPC);
    free(text);
}

static struct sockaddr_in in4(const char *address, int port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &in.sin_addr);
    return in;
}

static struct sockaddr_in6 in6(const char *address, int port)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6,
                              .sin6_port = htons((uint16_t)port)};
    inet_pton(AF_INET6, address, &in.sin6_addr);
    return in;
}

static const socklen_t path_at = offsetof(struct sockaddr_un, sun_path);

LAB_TEST(address_text, writes_an_ipv4_address, .points = 1, .task = 4,
         .read = "Who is calling", .man = "3 getnameinfo",
         .likely =
             "the port is in network byte order: 8080 comes out as 36895 without ntohs()")
{
    struct sockaddr_in fixed = in4("127.0.0.1", 8080);
    expect_text(&fixed, sizeof fixed, "127.0.0.1:8080");
    char host[INET_ADDRSTRLEN], expected[INET_ADDRSTRLEN + 6];
    snprintf(host, sizeof host, "10.%u.0.%u", lab_random_below(256),
             lab_random_below(256));
    int port = (int)lab_random_below(65536);
    snprintf(expected, sizeof expected, "%s:%d", host, port);
    struct sockaddr_in random = in4(host, port);
    expect_text(&random, sizeof random, expected);
}

LAB_TEST(
    address_text, writes_an_ipv6_address_in_brackets, .points = 1, .task = 4,
    .needs = "address_text/writes_an_ipv4_address", .read = "Who is calling",
    .man = "3 getnameinfo",
    .likely =
        "an IPv6 address has colons of its own: brackets tell them from the one before the port")
{
    struct sockaddr_in6 loopback = in6("::1", 8080), other = in6("2001:db8::beef", 443);
    expect_text(&loopback, sizeof loopback, "[::1]:8080");
    expect_text(&other, sizeof other, "[2001:db8::beef]:443");
}

LAB_TEST(address_text, writes_a_path, .points = 1, .task = 4, .read = "Who is calling",
         .man = "7 unix",
         .likely = "a path of 108 bytes has no NUL in sun_path: stop at length too")
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/tmp/lab.sock"};
    expect_text(&un, path_at + 14, "/tmp/lab.sock");
    expect_text(&un, sizeof un, "/tmp/lab.sock");
    expect_text(&un, path_at + 8, "/tmp/lab");
    char longest[sizeof un.sun_path + 1];
    memset(longest, 'p', sizeof un.sun_path);
    longest[0] = '/';
    longest[sizeof un.sun_path] = '\0';
    memcpy(un.sun_path, longest, sizeof un.sun_path);
    expect_text(&un, sizeof un, longest);
}

LAB_TEST(
    address_text, says_unnamed, .points = 1, .task = 4, .read = "Who is calling",
    .man = "7 unix",
    .likely =
        "a socket without a name has an address of the family alone: look at length before sun_path")
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    expect_text(&un, path_at, "unnamed");
    expect_text(&un, 0, "unnamed");
}

LAB_TEST(
    address_text, writes_an_abstract_name, .points = 1, .task = 4,
    .read = "Who is calling", .man = "7 unix",
    .likely =
        "an abstract name begins with a NUL byte and ends at length: write '@' for each NUL")
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "\0lab\0two"};
    expect_text(&un, path_at + 4, "@lab");
    expect_text(&un, path_at + 8, "@lab@two");
}

LAB_TEST(
    address_text, reports_that_the_text_does_not_fit, .points = 1, .task = 4,
    .read = "Who is calling", .man = "3 snprintf",
    .likely =
        "snprintf() returns the length the text would have: compare it with size; the NUL needs a byte too")
{
    struct sockaddr_in fixed = in4("127.0.0.1", 8080);
    struct sockaddr_in6 loopback = in6("::1", 8080);
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/tmp/lab.sock"};
    for (size_t size = 0; size <= strlen("127.0.0.1:8080"); size++)
        expect_no_room(&fixed, sizeof fixed, size);
    expect_no_room(&loopback, sizeof loopback, strlen("[::1]:8080"));
    expect_no_room(&un, sizeof un, strlen("/tmp/lab.sock"));
    expect_no_room(&un, sizeof un, 0);
    expect_no_room(&un, path_at, strlen("unnamed"));
}

LAB_TEST(
    address_text, refuses_what_it_does_not_know, .points = 1, .task = 4,
    .read = "Who is calling", .man = "3 getnameinfo",
    .likely = "look at the family and at length before reading the rest of the address")
{
    char text[ADDRESS_TEXT_SIZE];
    struct sockaddr_storage other = {.ss_family = AF_UNSPEC};
    expect_failure(
        address_text((struct sockaddr *)&other, sizeof other, text, sizeof text),
        EAFNOSUPPORT);
    other.ss_family = 4242;
    expect_failure(
        address_text((struct sockaddr *)&other, sizeof other, text, sizeof text),
        EAFNOSUPPORT);
    struct sockaddr_in cut = in4("127.0.0.1", 8080);
    expect_failure(
        address_text((struct sockaddr *)&cut, sizeof cut / 2, text, sizeof text),
        EAFNOSUPPORT);
    expect_failure(
        address_text((struct sockaddr *)&cut, sizeof(sa_family_t), text, sizeof text),
        EAFNOSUPPORT);
    struct sockaddr_in6 cut6 = in6("::1", 8080);
    expect_failure(address_text((struct sockaddr *)&cut6, sizeof cut, text, sizeof text),
                   EAFNOSUPPORT);
}

/* connect_error_means */

static const int four[] = {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH};

static void expect_word(int error, const char *word, bool due)
{
    const char *text = connect_error_means(error);
    char expected[64];
    if (text == NULL || text[0] == '\0')
        lab_likely(STARTERS_ANSWER);
    snprintf(expected, sizeof expected, "for %s, a text %s \"%s\"", lab_errno(error),
             due ? "with" : "without", word);
    lab_expect(text != NULL && (strstr(text, word) != NULL) == due, expected,
               "returned %s", text == NULL ? "NULL" : lab_quote(text, strlen(text)));
}

LAB_TEST(
    connect_error_means, tells_the_four_apart, .points = 2, .task = 5,
    .read = "Refused, silent, unreachable", .man = "2 connect",
    .likely =
        "refused: an RST came. Timed out: nothing came. Unreachable: no route to the network, or no way to the host")
{
    expect_word(ECONNREFUSED, "refused", true);
    expect_word(ETIMEDOUT, "timed out", true);
    expect_word(ENETUNREACH, "unreachable", true);
    expect_word(ENETUNREACH, "network", true);
    expect_word(EHOSTUNREACH, "unreachable", true);
    expect_word(EHOSTUNREACH, "host", true);
}

LAB_TEST(connect_error_means, gives_each_its_own_words, .points = 1, .task = 5,
         .needs = "connect_error_means/tells_the_four_apart",
         .read = "Refused, silent, unreachable", .man = "2 connect",
         .likely = "one text has to do for two errors that mean different things")
{
    for (int i = 0; i < 4; i++) {
        expect_word(four[i], "refused", four[i] == ECONNREFUSED);
        expect_word(four[i], "timed out", four[i] == ETIMEDOUT);
        expect_word(four[i], "unreachable",
                    four[i] == ENETUNREACH || four[i] == EHOSTUNREACH);
    }
    char network[256];
    snprintf(network, sizeof network, "%s", connect_error_means(ENETUNREACH));
    lab_expect(strcmp(network, connect_error_means(EHOSTUNREACH)) != 0,
               "two texts for ENETUNREACH and EHOSTUNREACH", "returned %s for both",
               lab_quote(network, strlen(network)));
}

LAB_TEST(connect_error_means, has_words_for_any_number, .points = 1, .task = 5,
         .read = "Refused, silent, unreachable", .man = "3 strerror",
         .likely = "a switch without a default returns nothing: give strerror()'s text")
{
    const int errors[] = {EMFILE, EINVAL, EADDRNOTAVAIL, 0, -1, 4242};
    for (int i = 0; i < 6; i++) {
        const char *text = connect_error_means(errors[i]);
        const char *refused = connect_error_means(ECONNREFUSED);
        if (refused == NULL || refused[0] == '\0')
            lab_likely(STARTERS_ANSWER);
        lab_expect(text != NULL && text[0] != '\0', "some text",
                   "returned %s for the error %d",
                   text == NULL ? "NULL" : "an empty text", errors[i]);
        lab_likely(
            "every other error has these words too: by default give strerror()'s text");
        expect_word(errors[i], "refused", false);
        expect_word(errors[i], "timed out", false);
        expect_word(errors[i], "unreachable", false);
        lab_likely(NULL);
    }
}
