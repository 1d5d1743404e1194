/*
 * Unit tests of lesson 04: what measure.h and udp.h promise.
 *
 * Where it can be, everything that the peer does is done before the student's function is called: over loopback a
 * datagram is in its queue when send() returns. Where the peer must act in between, a thread plays a script whose
 * steps wait for datagrams and never for time (see "A server and the network before it"). Time is measured from
 * below only, so that a right program cannot fail because the machine is busy.
 *
 * Names are ours: getaddrinfo() below knows "two.test", and hands every other question to the real one.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "lab.h"
#include "measure.h"
#include "udp.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/*
 * COARSE_MS     by which a clock may be too coarse, a wait (CLOCK_MONOTONIC_COARSE ticks every 4 ms)
 * CALLS_PER_MS  a program that sleeps makes fewer calls, one that spins ten times as many
 */
enum { COARSE_MS = 5, CALLS_PER_MS = 20 };

/* ---- names whose addresses the tests decide --------------------------------------- */

static struct addrinfo *our_list; /* handed out and not yet freed */

static struct addrinfo *our_address(const char *address, const char *service)
{
    struct sockaddr_in *in = calloc(1, sizeof *in);
    struct addrinfo *info = calloc(1, sizeof *info);
    if (in == NULL || info == NULL)
        lab_error("calloc");
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)(service == NULL ? 0 : atoi(service)));
    inet_pton(AF_INET, address, &in->sin_addr);
    *info = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = SOCK_DGRAM,
                              .ai_protocol = IPPROTO_UDP,
                              .ai_addr = (struct sockaddr *)in,
                              .ai_addrlen = sizeof *in};
    return info;
}

/* two.test is 127.0.0.2 and 127.0.0.1, in this order. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    if (host == NULL || strcmp(host, "two.test") != 0) {
        int (*real)(const char *, const char *, const struct addrinfo *,
                    struct addrinfo **);
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        return real(host, service, hints, list);
    }
    if (hints != NULL && hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET)
        return EAI_NONAME;
    *list = our_list = our_address("127.0.0.2", service);
    our_list->ai_next = our_address("127.0.0.1", service);
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    if (list == NULL || list != our_list) {
        void (*real)(struct addrinfo *);
        *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
        real(list);
        return;
    }
    our_list = NULL;
    for (struct addrinfo *next; list != NULL; list = next) {
        next = list->ai_next;
        free(list->ai_addr);
        free(list);
    }
    errno = EXDEV; /* nothing promises that errno is kept here */
}

/* ---- clocks ----------------------------------------------------------------------- */

/* The clocks that the student's code reads, and the test: these stand in for the C library's. While set_forward_by
   is not 0, somebody sets the time of day on by so many seconds before each look at it. */
static time_t set_forward_by;

static time_t seconds_set(void)
{
    static time_t ahead;
    return ahead += set_forward_by;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (set_forward_by != 0 && result == 0 &&
        (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += seconds_set();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int result = (int)syscall(SYS_gettimeofday, now, zone);
    if (set_forward_by != 0 && result == 0)
        now->tv_sec += seconds_set();
    return result;
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- sockets of the test's own ---------------------------------------------------- */

typedef struct sockaddr_storage name;

static socklen_t length_of(const name *n)
{
    return n->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                    : sizeof(struct sockaddr_in);
}

static name name_of(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
    name n = {.ss_family = AF_UNSPEC};
    ask(fd, (struct sockaddr *)&n, &(socklen_t){sizeof n});
    return n;
}

static const char *text_of(const name *n)
{
    static char texts[4][INET6_ADDRSTRLEN + 10];
    static unsigned turn;
    char *text = texts[turn++ % 4], host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *in = (const struct sockaddr_in *)n;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)n;
    if (n->ss_family != AF_INET && n->ss_family != AF_INET6)
        return "no address";
    if (n->ss_family == AF_INET)
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    else
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    snprintf(text, sizeof *texts, n->ss_family == AF_INET6 ? "[%s]:%d" : "%s:%d", host,
             ntohs(in->sin_port));
    return text;
}

static const char *local_text(int fd)
{
    name n = name_of(fd, getsockname);
    return text_of(&n);
}

static int option(int fd, int level, int what)
{
    int value = -1;
    getsockopt(fd, level, what, &value, &(socklen_t){sizeof value});
    return value;
}

/* A UDP socket on loopback at a port that the kernel chose. */
static int lab_socket(int family)
{
    name n = {.ss_family = (sa_family_t)family};
    if (family == AF_INET)
        ((struct sockaddr_in *)&n)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&n)->sin6_addr = in6addr_loopback;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || bind(fd, (struct sockaddr *)&n, length_of(&n)) == -1)
        lab_error("a UDP socket of the test's own");
    return fd;
}

static void lab_connect(int fd, int to)
{
    name n = name_of(to, getsockname);
    if (connect(fd, (struct sockaddr *)&n, length_of(&n)) == -1)
        lab_error("connect() of the test's own");
}

static void send_to(int from, int to, const void *bytes, size_t n)
{
    name there = name_of(to, getsockname);
    if (sendto(from, bytes, n, 0, (struct sockaddr *)&there, length_of(&there)) !=
        (ssize_t)n)
        lab_error("sendto() of the test's own");
}

/* One that is bound to a port and hears nobody: it is connected to itself. Who sends there is refused. */
static int lab_deaf_socket(void)
{
    int fd = lab_socket(AF_INET);
    lab_connect(fd, fd);
    return fd;
}

/* Datagrams that wait at the test's own socket; they are gone then. */
static int count_waiting(int fd)
{
    int n = 0;
    while (recv(fd, &(char){0}, 1, MSG_DONTWAIT) >= 0)
        n++;
    return n;
}

/* ---- what a test says ------------------------------------------------------------- */

/* "returned -1 and errno EINVAL after socket() = 5, bind(5) = -1 EINVAL" */
static const char *outcome(long result, int error)
{
    static char text[600];
    const char *calls = calls_text(6);
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

static void expect_failure(long result, int error)
{
    int found = errno;
    char expected[64];
    snprintf(expected, sizeof expected, "-1 and errno %s", lab_errno(error));
    lab_expect(result == -1 && found == error, expected, "%s", outcome(result, found));
    errno = 0; /* so that the next call has to set it */
}

static void expect_success(long result)
{
    lab_expect(result == 0, "0", "%s", outcome(result, errno));
}

static void expect_bytes(ssize_t n, const void *got, const char *wanted)
{
    int error = errno;
    char expected[64];
    snprintf(expected, sizeof expected, "%zu and %s", strlen(wanted),
             lab_quote(wanted, strlen(wanted)));
    lab_expect(n == (ssize_t)strlen(wanted) && memcmp(got, wanted, (size_t)n) == 0,
               expected, "returned %s%s%s", lab_result(n, error), n > 0 ? " and " : "",
               n > 0 ? lab_quote(got, (size_t)(n > 60 ? 60 : n)) : "");
}

static void expect_cut(bool truncated, bool wanted)
{
    lab_expect(truncated == wanted,
               wanted ? "truncated set to true" : "truncated set to false",
               "set it to %s", truncated ? "true" : "false");
}

static void expect_blocking_and_close_on_exec(int fd)
{
    lab_likely("descriptors are returned blocking: no SOCK_NONBLOCK, no O_NONBLOCK");
    lab_expect((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0, "a blocking descriptor",
               "returned a non-blocking one");
    lab_likely("SOCK_CLOEXEC in the type, or FD_CLOEXEC by fcntl(): see lesson 01");
    lab_expect((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a close-on-exec descriptor",
               "returned one that a program started later would keep");
    lab_likely(NULL);
}

/* ---- measure.h -------------------------------------------------------------------- */

static const unsigned char known[MEASURE_SIZE] = {
    0x64, 0, 0, 0, 0, 0, 0, 0, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x24, 0x40};

static const char *hex(const unsigned char *bytes)
{
    static char texts[2][MEASURE_SIZE * 3 + 1];
    static unsigned turn;
    char *text = texts[turn++ % 2];
    for (size_t i = 0; i < MEASURE_SIZE; i++)
        snprintf(text + 3 * i, sizeof texts[0] - 3 * i,
                 i + 1 < MEASURE_SIZE ? "%02x " : "%02x", bytes[i]);
    return text;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* 16 bytes as they come: any id, any value, and no signalling NaN (some processors cannot carry one). */
static void random_bytes(unsigned char bytes[MEASURE_SIZE])
{
    lab_random_bytes(bytes, MEASURE_SIZE);
    if (bytes[15] % 128 == 127)
        bytes[14] |= 0x08;
}

static void decode_by_hand(const unsigned char *bytes, int32_t *id, double *value)
{
    uint64_t bits = 0;
    uint32_t number = 0;
    for (int i = 0; i < 8; i++)
        bits |= (uint64_t)bytes[8 + i] << (8 * i);
    for (int i = 0; i < 4; i++)
        number |= (uint32_t)bytes[i] << (8 * i);
    memcpy(value, &bits, sizeof *value);
    memcpy(id, &number, sizeof *id);
}

/* What the structs of the tests have between their fields. */
enum { PADDING = 0x5E };

static void expect_wire(const unsigned char *bytes, const unsigned char *wanted,
                        int32_t id, double value)
{
    static const unsigned char padding[] = {PADDING, PADDING, PADDING, PADDING};
    if (memcmp(bytes + 4, padding, sizeof padding) == 0)
        lab_likely("bytes 4 to 7 are the struct's padding: write fields, not the struct");
    lab_expect(memcmp(bytes, wanted, MEASURE_SIZE) == 0, hex(wanted),
               "wrote %s for id %d and value %g", hex(bytes), (int)id, value);
}

LAB_TEST(
    request_encode, writes_the_bytes_that_the_header_shows, .points = 2, .task = 1,
    .read = "A struct is not a message", .man = "3 memcpy",
    .likely =
        "id at 0, zeros at 4, the value at 8, each with its byte of least weight first: shift by 8 times i, and mind where each field begins")
{
    unsigned char bytes[MEASURE_SIZE] = {0};
    request_encode(&(struct request){100, 10.1}, bytes);
    expect_wire(bytes, known, 100, 10.1);
}

LAB_TEST(
    request_encode, writes_the_padding_as_zeros, .points = 1, .task = 1,
    .needs = "request_encode/writes_the_bytes_that_the_header_shows",
    .read = "A struct is not a message", .man = "3 memset",
    .likely =
        "bytes 4 to 7 are left as they were: what the stack held goes out to strangers. Write zeros")
{
    unsigned char bytes[MEASURE_SIZE + 1];
    struct request request;
    memset(bytes, 0xAA, sizeof bytes);
    memset(&request, PADDING, sizeof request); /* as the stack may have left it */
    request.id = 100;
    request.raw_value = 10.1;
    request_encode(&request, bytes);
    expect_wire(bytes, known, 100, 10.1);
    lab_likely("MEASURE_SIZE bytes, and not one more");
    lab_expect(bytes[MEASURE_SIZE] == 0xAA, "16 bytes written", "wrote a 17th");
}

LAB_TEST(
    request_encode, writes_any_id_and_any_value, .points = 1, .task = 1,
    .needs = "request_encode/writes_the_padding_as_zeros",
    .read = "A struct is not a message", .man = "3 memcpy",
    .likely =
        "a field is cut, or changed on its way: convert id to uint32_t, copy the double's bits by memcpy() into a uint64_t, and shift those")
{
    for (int i = 0; i < 100; i++) {
        unsigned char room[MEASURE_SIZE + 7], wanted[MEASURE_SIZE];
        unsigned char *bytes = room + i % 8;
        struct request request;
        memset(&request, PADDING, sizeof request);
        random_bytes(wanted);
        decode_by_hand(wanted, &request.id, &request.raw_value);
        memset(wanted + 4, 0, 4);
        request_encode(&request, bytes);
        expect_wire(bytes, wanted, request.id, request.raw_value);
    }
}

LAB_TEST(response_encode, writes_the_same_bytes, .points = 1, .task = 1,
         .needs = "request_encode/writes_any_id_and_any_value",
         .read = "A struct is not a message", .man = "3 memcpy",
         .likely = "a response lies on the wire as a request does, its padding too: one "
                   "static function can write both")
{
    for (int i = 0; i < 20; i++) {
        unsigned char room[MEASURE_SIZE + 7], wanted[MEASURE_SIZE];
        unsigned char *bytes = room + i % 8;
        struct response response;
        memset(&response, PADDING, sizeof response);
        random_bytes(wanted);
        decode_by_hand(wanted, &response.id, &response.processed_value);
        memset(wanted + 4, 0, 4);
        memset(bytes, 0xAA, MEASURE_SIZE);
        response_encode(&response, bytes);
        expect_wire(bytes, wanted, response.id, response.processed_value);
    }
}

static void expect_fields(int result, const unsigned char *bytes, int32_t id,
                          double value)
{
    int error = errno, wanted_id;
    double wanted;
    char expected[80];
    decode_by_hand(bytes, &wanted_id, &wanted);
    bool right = result == 0 && id == wanted_id && bits_of(value) == bits_of(wanted);
    if (!right)
        lab_peer("sent %s", hex(bytes));
    snprintf(expected, sizeof expected, "0, id %d and value %g", wanted_id, wanted);
    lab_expect(right, expected, "returned %s, id %d and value %g",
               lab_result(result, error), (int)id, value);
}

LAB_TEST(
    request_decode, reads_the_bytes_that_the_header_shows, .points = 2, .task = 2,
    .read = "A struct is not a message", .man = "3 memcpy",
    .likely =
        "id at 0, the value at 8, each with its byte of least weight first: add up the bytes, each shifted by 8 times i")
{
    struct request request = {-1, -1};
    int result = request_decode(known, sizeof known, &request);
    expect_fields(result, known, request.id, request.raw_value);
}

LAB_TEST(
    request_decode, reads_any_bytes_at_any_address, .points = 2, .task = 2,
    .needs = "request_decode/reads_the_bytes_that_the_header_shows",
    .read = "A struct is not a message", .man = "3 memcpy",
    .likely =
        "no pointer to a struct or a double may point into the bytes: they need not be aligned. The padding may hold anything, and an id may be negative")
{
    for (int i = 0; i < 100; i++) {
        unsigned char room[MEASURE_SIZE + 7];
        unsigned char *bytes = room + i % 8;
        struct request request = {-1, -1};
        random_bytes(bytes);
        int result = request_decode(bytes, MEASURE_SIZE, &request);
        expect_fields(result, bytes, request.id, request.raw_value);
    }
}

/* The peer's line tells of the size that went wrong alone. */
static void expect_refusal(int result, size_t size)
{
    int error = errno;
    if (result != -1 || error != EBADMSG)
        lab_peer("sent %zu bytes", size);
    errno = error;
    expect_failure(result, EBADMSG);
}

LAB_TEST(
    request_decode, refuses_any_other_size, .points = 2, .task = 2,
    .needs = "request_decode/reads_the_bytes_that_the_header_shows",
    .read = "A struct is not a message", .man = "3 errno",
    .likely =
        "look at size first: anything but MEASURE_SIZE is EBADMSG, nothing is read and nothing written")
{
    static const size_t sizes[] = {0, 1, 4, 8, 12, 15, 17, 20, 24, 272, 65507};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *bytes = malloc(sizes[i] + (sizes[i] == 0)); /* no byte more */
        if (bytes == NULL)
            lab_error("malloc()");
        memset(bytes, 0, sizes[i]);
        struct request request = {7, 7.5};
        expect_refusal(request_decode(bytes, sizes[i], &request), sizes[i]);
        lab_expect(request.id == 7 && bits_of(request.raw_value) == bits_of(7.5),
                   "the request left alone", "changed it, though it failed");
        free(bytes);
    }
}

LAB_TEST(
    response_decode, reads_the_same_bytes, .points = 1, .task = 2,
    .needs = "request_decode/reads_any_bytes_at_any_address",
    .read = "A struct is not a message", .man = "3 memcpy",
    .likely =
        "a response lies on the wire as a request does: one static function can read both")
{
    for (int i = 0; i < 20; i++) {
        unsigned char room[MEASURE_SIZE + 7];
        unsigned char *bytes = room + i % 8;
        struct response response = {-1, -1};
        random_bytes(bytes);
        int result = response_decode(bytes, MEASURE_SIZE, &response);
        expect_fields(result, bytes, response.id, response.processed_value);
    }
}

LAB_TEST(response_decode, refuses_any_other_size, .points = 1, .task = 2,
         .needs = "response_decode/reads_the_same_bytes",
         .read = "A struct is not a message", .man = "3 errno",
         .likely = "only 16 bytes are a response: look at size before you read anything")
{
    static const unsigned char bytes[MEASURE_SIZE + 1];
    for (size_t size = 0; size <= MEASURE_SIZE + 1; size++) {
        struct response response = {7, 7.5};
        if (size == MEASURE_SIZE)
            continue;
        expect_refusal(response_decode(bytes, size, &response), size);
        lab_expect(response.id == 7 && bits_of(response.processed_value) == bits_of(7.5),
                   "the response left alone", "changed it, though it failed");
    }
}

/* ---- udp_bind --------------------------------------------------------------------- */

/* udp_bind() with the port of that socket, as text. */
static int bind_at_port_of(const char *host, int fd)
{
    return udp_bind(host, lab_port_text(fd));
}

LAB_TEST(
    udp_bind, lets_the_kernel_choose_a_port, .points = 2, .task = 3,
    .read = "A socket without a connection", .man = "2 bind",
    .likely =
        "socket() of type SOCK_DGRAM, then bind() to the address that getaddrinfo() found; no listen()")
{
    int fd = udp_bind("127.0.0.1", "0");
    expect_descriptor(fd, "a socket");
    lab_expect(option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM, "a datagram socket",
               "returned a socket of type %d", option(fd, SOL_SOCKET, SO_TYPE));
    lab_expect(lab_port(fd) != 0, "a port chosen by the kernel",
               "returned a socket at %s", local_text(fd));
    lab_likely("SO_BROADCAST is a permission: the program's to give, not the library's");
    lab_expect(option(fd, SOL_SOCKET, SO_BROADCAST) == 0, "SO_BROADCAST not set",
               "returned a socket that may broadcast");
    expect_blocking_and_close_on_exec(fd);
    lab_close(fd);
}

LAB_TEST(
    udp_bind, binds_the_address_and_the_port_asked_for, .points = 2, .task = 3,
    .needs = "udp_bind/lets_the_kernel_choose_a_port",
    .read = "A socket without a connection", .man = "3 getaddrinfo",
    .likely =
        "give host and service to getaddrinfo(), and what it finds to bind(): INADDR_ANY would hear on every interface")
{
    int other = lab_socket(AF_INET); /* nobody else takes its port at 127.0.0.2 */
    char expected[64];
    snprintf(expected, sizeof expected, "a socket at 127.0.0.2:%d", lab_port(other));
    int fd = bind_at_port_of("127.0.0.2", other);
    expect_descriptor(fd, expected);
    lab_expect(strcmp(local_text(fd), expected + strlen("a socket at ")) == 0, expected,
               "returned a socket at %s", local_text(fd));
    lab_close(fd);
    lab_close(other);
}

LAB_TEST(
    udp_bind, hears_on_every_interface_for_NULL, .points = 1, .task = 3,
    .needs = "udp_bind/lets_the_kernel_choose_a_port",
    .read = "A socket without a connection", .man = "3 getaddrinfo",
    .likely = "without AI_PASSIVE, getaddrinfo(NULL) means loopback: set it in the hints")
{
    int fd = udp_bind(NULL, "0");
    expect_descriptor(fd, "a socket");
    const char *text = local_text(fd);
    lab_expect(strncmp(text, "0.0.0.0:", 8) == 0 || strncmp(text, "[::]:", 5) == 0,
               "a socket at 0.0.0.0 or [::]", "returned a socket at %s", text);
    lab_close(fd);
}

LAB_TEST(
    udp_bind, binds_ipv6_and_leaves_ipv4_to_others, .points = 1, .task = 3,
    .needs = "udp_bind/binds_the_address_and_the_port_asked_for",
    .read = "A socket without a connection", .man = "7 ipv6", .requires = "ipv6",
    .likely =
        "ask getaddrinfo() for AF_UNSPEC, give its ai_family to socket(), and for AF_INET6 set IPV6_V6ONLY before bind()")
{
    int fd = udp_bind("::1", "0");
    expect_descriptor(fd, "a socket at [::1]");
    lab_expect(strncmp(local_text(fd), "[::1]:", 6) == 0, "a socket at [::1]",
               "returned a socket at %s", local_text(fd));
    lab_close(fd);
    fd = udp_bind("::", "0");
    expect_descriptor(fd, "a socket at [::]");
    lab_expect(option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1, "IPV6_V6ONLY set",
               "returned a socket that takes IPv4 datagrams too");
    lab_close(fd);
    lab_likely("setsockopt() can fail: look at its result");
    fault_each(CALLS_OPTION, (struct fault){.error = ENOBUFS});
    expect_failure(udp_bind("::1", "0"), ENOBUFS);
}

LAB_TEST(
    udp_bind, does_not_share_its_port, .points = 1, .task = 3,
    .needs = "udp_bind/binds_the_address_and_the_port_asked_for", .read = "Nobody there",
    .man = "7 socket",
    .likely =
        "SO_REUSEADDR, right for TCP listeners, lets a second UDP socket take the port in silence: leave it out")
{
    int fd = udp_bind("127.0.0.1", "0");
    expect_descriptor(fd, "a socket");
    lab_peer("you are at %s already", local_text(fd));
    int second = bind_at_port_of("127.0.0.1", fd);
    int error = errno;
    if (second >= 0)
        close(second);
    errno = error;
    expect_failure(second, EADDRINUSE);
    lab_close(fd);
}

LAB_TEST(
    udp_bind, tries_each_address, .points = 1, .task = 3,
    .needs = "udp_bind/binds_the_address_and_the_port_asked_for",
    .read = "A socket without a connection", .man = "3 getaddrinfo",
    .likely =
        "one address failing is no reason to stop: close that socket, go on to ai_next, and free the list at the end")
{
    int other = lab_socket(AF_INET); /* of 127.0.0.1; 127.0.0.2 has this port free */
    lab_peer("two.test is 127.0.0.2 and, next, 127.0.0.1");
    fault_once(CALLS_BIND, 1, (struct fault){.error = EADDRNOTAVAIL});
    int fd = udp_bind("two.test", "0");
    expect_descriptor(fd, "a socket at 127.0.0.1, as the first bind() failed");
    lab_expect(strncmp(local_text(fd), "127.0.0.1:", 10) == 0,
               "a socket at 127.0.0.1, as the first bind() failed",
               "returned a socket at %s", local_text(fd));
    lab_close(fd);
    lab_likely("the list of getaddrinfo() is yours: freeaddrinfo() it on every way out");
    lab_expect(our_list == NULL, "the list freed", "never freed it");
    lab_likely("with several addresses, the error is that of the last one tried");
    fault_once(CALLS_BIND, 1, (struct fault){.error = EADDRNOTAVAIL});
    expect_failure(bind_at_port_of("two.test", other), EADDRINUSE);
    lab_likely("socket() can fail as well: that address has failed then");
    fault_each(CALLS_SOCKET, (struct fault){.error = EMFILE});
    expect_failure(udp_bind("two.test", "0"), EMFILE);
    lab_expect(our_list == NULL, "the list freed", "never freed it");
    lab_close(other);
}

LAB_TEST(
    udp_bind, says_why_it_failed, .points = 1, .task = 3,
    .needs = "udp_bind/lets_the_kernel_choose_a_port",
    .read = "A socket without a connection", .man = "3 getaddrinfo",
    .likely =
        "getaddrinfo() does not set errno: a failure of its is EADDRNOTAVAIL; and it would take 65536 for port 0, so look at service first")
{
    expect_failure(udp_bind("no such name", "0"), EADDRNOTAVAIL);
    expect_failure(udp_bind("127.0.0.1", "no such service"), EADDRNOTAVAIL);
    expect_failure(udp_bind("127.0.0.1", "65536"), EINVAL);
    expect_failure(udp_bind("192.0.2.1", "0"), EADDRNOTAVAIL); /* RFC 5737: nobody's */
    int fd = udp_bind("127.0.0.1", "65535");
    if (fd >= 0)
        lab_close(fd);
    else
        expect_failure(fd, EADDRINUSE);
}

/* ---- udp_connect ------------------------------------------------------------------ */

LAB_TEST(
    udp_connect, speaks_to_the_server, .points = 2, .task = 4,
    .read = "connect() without a connection", .man = "2 connect",
    .likely =
        "socket() of type SOCK_DGRAM, then connect() to the address that getaddrinfo() found")
{
    int server = lab_socket(AF_INET);
    int fd = udp_connect("127.0.0.1", lab_port_text(server));
    expect_descriptor(fd, "a socket connected to the server");
    lab_peer("has heard nothing yet");
    lab_likely("connect() alone makes the acquaintance: nothing is sent");
    lab_expect(count_waiting(server) == 0, "nothing sent", "sent a datagram");
    lab_likely(NULL);
    send(fd, "hi", 2, MSG_NOSIGNAL);
    char bytes[8];
    ssize_t n = recv(server, bytes, sizeof bytes, MSG_DONTWAIT);
    lab_expect(n == 2, "what is sent on the socket to arrive",
               "returned a socket from which the server heard %s",
               n >= 0 ? lab_quote(bytes, (size_t)n) : "nothing");
    expect_blocking_and_close_on_exec(fd);
    lab_close(fd);
    lab_close(server);
}

LAB_TEST(
    udp_connect, hears_from_the_server_alone, .points = 1, .task = 4,
    .needs = "udp_connect/speaks_to_the_server", .read = "connect() without a connection",
    .man = "2 connect",
    .likely =
        "connect() is what keeps strangers out: a socket that only remembers the address hears everybody")
{
    int server = lab_socket(AF_INET), stranger = lab_socket(AF_INET);
    int fd = udp_connect("127.0.0.1", lab_port_text(server));
    expect_descriptor(fd, "a socket connected to the server");
    lab_peer("a stranger sent \"false\", then the server sent \"true\"");
    send_to(stranger, fd, "false", 5);
    send_to(server, fd, "true", 4);
    char bytes[8];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    lab_expect(n == 4, "to hear \"true\"", "returned a socket that heard %s",
               n >= 0 ? lab_quote(bytes, (size_t)n) : "nothing");
    lab_close(fd);
    lab_close(server);
    lab_close(stranger);
}

LAB_TEST(
    udp_connect, succeeds_where_nobody_is, .points = 1, .task = 4,
    .needs = "udp_connect/speaks_to_the_server", .read = "Nobody there", .man = "7 udp",
    .likely =
        "UDP's connect() sends nothing, so it cannot know: return the socket, and let the first answer tell")
{
    int deaf = lab_deaf_socket();
    lab_peer("nobody receives at %s", local_text(deaf));
    int fd = udp_connect("127.0.0.1", lab_port_text(deaf));
    expect_descriptor(fd, "a socket all the same");
    lab_close(fd);
    lab_close(deaf);
}

LAB_TEST(
    udp_connect, knows_ipv6, .points = 1, .task = 4,
    .needs = "udp_connect/speaks_to_the_server", .read = "connect() without a connection",
    .man = "7 ipv6", .requires = "ipv6",
    .likely =
        "AF_INET is written into the code: ask getaddrinfo() for AF_UNSPEC, and give its ai_family to socket()")
{
    int server = lab_socket(AF_INET6);
    int fd = udp_connect("::1", lab_port_text(server));
    expect_descriptor(fd, "a socket connected to the server at [::1]");
    send(fd, "hi", 2, MSG_NOSIGNAL);
    lab_expect(count_waiting(server) == 1, "what is sent on the socket to arrive",
               "returned a socket from which the server heard nothing");
    lab_close(fd);
    lab_close(server);
}

LAB_TEST(
    udp_connect, tries_each_address, .points = 1, .task = 4,
    .needs = "udp_connect/speaks_to_the_server", .read = "connect() without a connection",
    .man = "3 getaddrinfo",
    .likely =
        "one address failing is no reason to stop: close that socket, go on to ai_next, and free the list at the end")
{
    lab_peer("two.test is 127.0.0.2 and, next, 127.0.0.1");
    fault_once(CALLS_CONNECT, 1, (struct fault){.error = ENETUNREACH});
    int fd = udp_connect("two.test", "4004");
    expect_descriptor(fd, "a socket for 127.0.0.1, as the first connect() failed");
    name there = name_of(fd, getpeername);
    lab_expect(strcmp(text_of(&there), "127.0.0.1:4004") == 0,
               "a socket for 127.0.0.1:4004, as the first connect() failed",
               "returned a socket for %s", text_of(&there));
    lab_close(fd);
    lab_expect(our_list == NULL, "the list freed", "never freed it");
    lab_likely("with several addresses, the error is that of the last one tried");
    fault_once(CALLS_CONNECT, 1, (struct fault){.error = ENETUNREACH});
    fault_once(CALLS_CONNECT, 2, (struct fault){.error = ENOBUFS});
    expect_failure(udp_connect("two.test", "4004"), ENOBUFS);
    lab_expect(our_list == NULL, "the list freed", "never freed it");
}

LAB_TEST(
    udp_connect, says_why_it_failed, .points = 1, .task = 4,
    .needs = "udp_connect/speaks_to_the_server", .read = "To everybody",
    .man = "2 connect",
    .likely =
        "broadcast needs SO_BROADCAST, which is the caller's to set: hand on the errno of the call that failed")
{
    expect_failure(udp_connect("127.255.255.255", "4004"), EACCES);
    lab_likely(
        "getaddrinfo() does not set errno: a failure of its is EADDRNOTAVAIL; and it would take 65536 for port 0");
    expect_failure(udp_connect("no such name", "4004"), EADDRNOTAVAIL);
    expect_failure(udp_connect("127.0.0.1", "65536"), EINVAL);
}

/* ---- udp_receive ------------------------------------------------------------------ */

/* Two sockets of the test's own: ours is given to the student, the peer sends. */
struct two {
    int ours, peer;
};

static struct two two_sockets(int family)
{
    return (struct two){lab_socket(family), lab_socket(family)};
}

static void close_two(struct two s)
{
    lab_likely("the descriptor is the caller's: no close() here");
    lab_close(s.ours);
    lab_close(s.peer);
    lab_likely(NULL);
}

LAB_TEST(udp_receive, takes_one_datagram_at_a_time, .points = 2, .task = 5,
         .read = "Boundaries hold", .man = "2 recvmsg",
         .likely =
             "one recvmsg() is one datagram: return what it returned, and do not read on")
{
    struct two s = two_sockets(AF_INET);
    char buf[64];
    bool truncated = true;
    lab_peer("sent \"one\" and \"four\", two datagrams");
    send_to(s.peer, s.ours, "one", 3);
    send_to(s.peer, s.ours, "four", 4);
    expect_bytes(udp_receive(s.ours, buf, sizeof buf, NULL, NULL, &truncated), buf,
                 "one");
    expect_bytes(udp_receive(s.ours, buf, sizeof buf, NULL, NULL, &truncated), buf,
                 "four");
    lab_likely("false when the datagram was whole: set *truncated in every case");
    expect_cut(truncated, false);
    close_two(s);
}

LAB_TEST(
    udp_receive, an_empty_datagram_is_no_end, .points = 1, .task = 5,
    .needs = "udp_receive/takes_one_datagram_at_a_time", .read = "Boundaries hold",
    .man = "7 udp",
    .likely =
        "0 is a datagram without bytes: UDP has no end of stream. Return 0, and do not wait for another one")
{
    struct two s = two_sockets(AF_INET);
    char buf[64];
    bool truncated = true;
    name peer;
    socklen_t length = 0;
    lab_peer("sent an empty datagram and then \"more\"");
    send_to(s.peer, s.ours, "", 0);
    send_to(s.peer, s.ours, "more", 4);
    errno = EINTR; /* of an earlier call: it says something only after -1 */
    expect_success(udp_receive(s.ours, buf, sizeof buf, &peer, &length, &truncated));
    expect_cut(truncated, false);
    lab_expect(length == sizeof(struct sockaddr_in), "to say who sent it",
               "set peer_length to %u", (unsigned)length);
    expect_bytes(udp_receive(s.ours, buf, sizeof buf, NULL, NULL, &truncated), buf,
                 "more");
    close_two(s);
}

LAB_TEST(
    udp_receive, tells_of_a_datagram_that_was_cut, .points = 2, .task = 5,
    .needs = "udp_receive/takes_one_datagram_at_a_time", .read = "Cut without a word",
    .man = "2 recvmsg",
    .likely =
        "recv() cuts in silence: recvmsg() tells in msg_flags, by MSG_TRUNC. The rest is gone, and the result is what lies in buf")
{
    struct two s = two_sockets(AF_INET);
    char *buf = malloc(4); /* no byte more */
    bool truncated = false;
    lab_peer("sent \"too long\", then \"fits\"");
    send_to(s.peer, s.ours, "too long", 8);
    send_to(s.peer, s.ours, "fits", 4);
    expect_bytes(udp_receive(s.ours, buf, 4, NULL, NULL, &truncated), buf, "too ");
    expect_cut(truncated, true);
    expect_bytes(udp_receive(s.ours, buf, 4, NULL, NULL, &truncated), buf, "fits");
    lab_likely("false when the datagram was whole: set *truncated in every case");
    expect_cut(truncated, false);
    free(buf);
    close_two(s);
}

LAB_TEST(
    udp_receive, works_with_no_room_at_all, .points = 1, .task = 5,
    .needs = "udp_receive/tells_of_a_datagram_that_was_cut", .read = "Cut without a word",
    .man = "2 recvmsg",
    .likely = "a size of 0 is no error: the datagram is taken, and all of it is cut off")
{
    struct two s = two_sockets(AF_INET);
    char byte = 'x';
    bool truncated = false;
    lab_peer("sent \"a\", then an empty datagram; size is 0");
    send_to(s.peer, s.ours, "a", 1);
    send_to(s.peer, s.ours, "", 0);
    expect_success(udp_receive(s.ours, &byte, 0, NULL, NULL, &truncated));
    expect_cut(truncated, true);
    expect_success(udp_receive(s.ours, &byte, 0, NULL, NULL, &truncated));
    expect_cut(truncated, false);
    close_two(s);
}

LAB_TEST(udp_receive, takes_the_largest_datagram, .points = 1, .task = 5,
         .needs = "udp_receive/tells_of_a_datagram_that_was_cut", .read = "How much fits",
         .man = "7 udp", .likely = "a buffer of your own is too small: receive into buf")
{
    static char sent[UDP_LARGEST], got[UDP_LARGEST];
    struct two s = two_sockets(AF_INET);
    bool truncated = true;
    lab_random_bytes(sent, sizeof sent);
    lab_peer("sent %d bytes", UDP_LARGEST);
    send_to(s.peer, s.ours, sent, sizeof sent);
    ssize_t n = udp_receive(s.ours, got, sizeof got, NULL, NULL, &truncated);
    lab_expect(n == UDP_LARGEST && memcmp(sent, got, sizeof sent) == 0,
               "65507 and the bytes that were sent", "%s", outcome(n, errno));
    expect_cut(truncated, false);
    close_two(s);
}

static void expect_sender(int family)
{
    struct two s = two_sockets(family);
    char buf[64];
    bool truncated;
    name peer = {.ss_family = AF_UNSPEC}, wanted = name_of(s.peer, getsockname);
    socklen_t length = 1; /* what it holds before the call does not matter */
    lab_peer("sent \"who\" from %s", text_of(&wanted));
    send_to(s.peer, s.ours, "who", 3);
    expect_bytes(udp_receive(s.ours, buf, sizeof buf, &peer, &length, &truncated), buf,
                 "who");
    lab_expect(length == length_of(&wanted), "the length of its address",
               "set peer_length to %u, where it is %u", (unsigned)length,
               (unsigned)length_of(&wanted));
    lab_expect(strcmp(text_of(&peer), text_of(&wanted)) == 0, text_of(&wanted), "said %s",
               text_of(&peer));
    close_two(s);
}

LAB_TEST(
    udp_receive, says_who_sent_it, .points = 2, .task = 5,
    .needs = "udp_receive/takes_one_datagram_at_a_time",
    .read = "A socket without a connection", .man = "2 recvmsg",
    .likely =
        "msg_name and msg_namelen: the room for an address goes in, its length comes out")
{
    expect_sender(AF_INET);
}

LAB_TEST(udp_receive, says_who_sent_it_over_ipv6, .points = 1, .task = 5,
         .needs = "udp_receive/says_who_sent_it", .read = "A socket without a connection",
         .man = "7 ipv6", .requires = "ipv6",
         .likely =
             "an IPv6 address is longer: there is room for a sockaddr_storage, so say so")
{
    expect_sender(AF_INET6);
}

struct sender {
    pthread_t thread;
    struct two sockets;
    atomic_bool returned;
};

/* Sends when the student's thread has asked, or is back already. */
static void *send_when_asked(void *argument)
{
    struct sender *sender = argument;
    while (calls_blocked() == NULL && !atomic_load(&sender->returned))
        poll(NULL, 0, 1);
    send_to(sender->sockets.peer, sender->sockets.ours, "at last", 7);
    return NULL;
}

LAB_TEST(
    udp_receive, waits_for_a_datagram, .points = 1, .task = 5,
    .needs = "udp_receive/takes_one_datagram_at_a_time", .read = "Boundaries hold",
    .man = "2 recvmsg",
    .likely = "nothing there yet is no error on a blocking socket: no MSG_DONTWAIT here")
{
    struct sender sender = {.sockets = two_sockets(AF_INET)};
    char buf[64];
    bool truncated;
    lab_peer("sent \"at last\" when you waited");
    if (pthread_create(&sender.thread, NULL, send_when_asked, &sender) != 0)
        lab_error("pthread_create()");
    ssize_t n = udp_receive(sender.sockets.ours, buf, sizeof buf, NULL, NULL, &truncated);
    int error = errno;
    atomic_store(&sender.returned, true);
    pthread_join(sender.thread, NULL);
    errno = error;
    expect_bytes(n, buf, "at last");
    close_two(sender.sockets);
}

LAB_TEST(
    udp_receive, goes_on_after_a_signal, .points = 1, .task = 5,
    .needs = "udp_receive/says_who_sent_it", .read = "The calls", .man = "7 signal",
    .likely =
        "EINTR: a signal came, nothing else happened. Call again, with msg_namelen set again")
{
    struct two s = two_sockets(AF_INET);
    char buf[64];
    bool truncated;
    name peer;
    socklen_t length;
    lab_peer("sent \"two\"; two signals interrupted the call before it was read");
    send_to(s.peer, s.ours, "two", 3);
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_RECEIVE, 2, (struct fault){.error = EINTR});
    expect_bytes(udp_receive(s.ours, buf, sizeof buf, &peer, &length, &truncated), buf,
                 "two");
    lab_expect(length == sizeof(struct sockaddr_in), "to say who sent it",
               "set peer_length to %u", (unsigned)length);
    close_two(s);
}

LAB_TEST(
    udp_receive, says_why_it_failed, .points = 1, .task = 5,
    .needs = "udp_receive/takes_one_datagram_at_a_time", .read = "Nobody there",
    .man = "7 udp",
    .likely = "only EINTR is a reason to call again: hand on every other error, as it is")
{
    int deaf = lab_deaf_socket(), ours = lab_socket(AF_INET);
    char byte;
    bool truncated;
    lab_connect(ours, deaf);
    if (send(ours, "?", 1, 0) != 1)
        lab_error("send() of the test's own");
    lab_peer("nobody receives at the port to which the socket is connected");
    expect_failure(udp_receive(ours, &byte, 1, NULL, NULL, &truncated), ECONNREFUSED);
    lab_peer("the socket is non-blocking, and nothing came");
    fcntl(ours, F_SETFL, O_NONBLOCK);
    expect_failure(udp_receive(ours, &byte, 1, NULL, NULL, &truncated), EAGAIN);
    lab_close(ours);
    lab_peer("the descriptor is closed");
    expect_failure(udp_receive(ours, &byte, 1, NULL, NULL, &truncated), EBADF);
    lab_close(deaf);
}

/* ---- udp_reply -------------------------------------------------------------------- */

static int reply_to(int fd, int to, const void *bytes, size_t n)
{
    name there = name_of(to, getsockname);
    return udp_reply(fd, bytes, n, &there, length_of(&there));
}

/* What waits at the peer is this one datagram from that socket. */
static void expect_arrival(int peer, int from, const void *bytes, size_t n)
{
    static char got[UDP_LARGEST + 1];
    name sender = {.ss_family = AF_UNSPEC};
    ssize_t came = recvfrom(peer, got, sizeof got, MSG_DONTWAIT,
                            (struct sockaddr *)&sender, &(socklen_t){sizeof sender});
    char expected[64];
    snprintf(expected, sizeof expected, "one datagram of %zu bytes at the peer", n);
    lab_expect(came >= 0, expected, "returned 0, and none came");
    lab_expect((size_t)came == n && memcmp(got, bytes, n) == 0, expected,
               "sent %s (%zd bytes)", lab_quote(got, (size_t)(came < 60 ? came : 60)),
               came);
    name ours = name_of(from, getsockname);
    lab_expect(strcmp(text_of(&sender), text_of(&ours)) == 0,
               "it to come from the socket given", "sent it from %s", text_of(&sender));
    lab_expect(count_waiting(peer) == 0, "one datagram", "sent another one");
}

LAB_TEST(
    udp_reply, sends_one_datagram_to_whoever_asked, .points = 2, .task = 6,
    .read = "A socket without a connection", .man = "2 sendto",
    .likely =
        "sendto() with the peer's address and its length: one call, one datagram, and 0 for success")
{
    struct two s = two_sockets(AF_INET);
    int other = lab_socket(AF_INET);
    char bytes[1000];
    lab_random_bytes(bytes, sizeof bytes);
    lab_peer("asked, and another client asked after it");
    send_to(s.peer, s.ours, "?", 1);
    send_to(other, s.ours, "?", 1);
    expect_success(reply_to(s.ours, s.peer, bytes, sizeof bytes));
    expect_arrival(s.peer, s.ours, bytes, sizeof bytes);
    lab_expect(count_waiting(other) == 0, "nothing for the other client", "sent it some");
    lab_close(other);
    close_two(s);
}

LAB_TEST(
    udp_reply, sends_an_empty_datagram_too, .points = 1, .task = 6,
    .needs = "udp_reply/sends_one_datagram_to_whoever_asked", .read = "Boundaries hold",
    .man = "2 sendto",
    .likely =
        "0 bytes are a datagram: sendto() returns 0 then, which is as much as was asked")
{
    struct two s = two_sockets(AF_INET);
    errno = EINTR; /* of an earlier call: it says something only after -1 */
    expect_success(reply_to(s.ours, s.peer, "", 0));
    expect_arrival(s.peer, s.ours, "", 0);
    close_two(s);
}

LAB_TEST(udp_reply, knows_ipv6, .points = 1, .task = 6,
         .needs = "udp_reply/sends_one_datagram_to_whoever_asked",
         .read = "A socket without a connection", .man = "7 ipv6", .requires = "ipv6",
         .likely = "pass peer_length on: an IPv6 address is longer than an IPv4 one")
{
    struct two s = two_sockets(AF_INET6);
    expect_success(reply_to(s.ours, s.peer, "six", 3));
    expect_arrival(s.peer, s.ours, "six", 3);
    close_two(s);
}

LAB_TEST(
    udp_reply, sends_all_or_nothing, .points = 1, .task = 6,
    .needs = "udp_reply/sends_one_datagram_to_whoever_asked", .read = "How much fits",
    .man = "7 udp",
    .likely =
        "65507 bytes fit into one datagram. One more is EMSGSIZE: say so, and do not cut it in two, which would be two messages")
{
    static char bytes[UDP_LARGEST + 1];
    struct two s = two_sockets(AF_INET);
    lab_random_bytes(bytes, sizeof bytes);
    expect_success(reply_to(s.ours, s.peer, bytes, UDP_LARGEST));
    expect_arrival(s.peer, s.ours, bytes, UDP_LARGEST);
    expect_failure(reply_to(s.ours, s.peer, bytes, UDP_LARGEST + 1), EMSGSIZE);
    lab_expect(count_waiting(s.peer) == 0, "nothing sent", "sent some of it");
    close_two(s);
}

LAB_TEST(
    udp_reply, leaves_broadcasting_to_the_caller, .points = 1, .task = 6,
    .needs = "udp_reply/sends_one_datagram_to_whoever_asked", .read = "To everybody",
    .man = "7 socket",
    .likely =
        "EACCES says that nobody allowed this socket to broadcast: that is the program's decision, not the library's")
{
    struct two s = two_sockets(AF_INET);
    name all = name_of(s.peer, getsockname);
    ((struct sockaddr_in *)&all)->sin_addr.s_addr = htonl(0x7FFFFFFF);
    lab_peer("is %s, which is everybody", text_of(&all));
    expect_failure(udp_reply(s.ours, "all", 3, &all, length_of(&all)), EACCES);
    setsockopt(s.ours, SOL_SOCKET, SO_BROADCAST, &(int){1}, sizeof(int));
    lab_peer("now SO_BROADCAST is set");
    expect_success(udp_reply(s.ours, "all", 3, &all, length_of(&all)));
    close_two(s);
}

LAB_TEST(
    udp_reply, goes_on_after_a_signal_and_says_why_it_failed, .points = 1, .task = 6,
    .needs = "udp_reply/sends_one_datagram_to_whoever_asked", .read = "The calls",
    .man = "7 signal",
    .likely = "EINTR is a reason to call again, and no other error is: hand those on")
{
    struct two s = two_sockets(AF_INET);
    fault_once(CALLS_SEND, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_SEND, 2, (struct fault){.error = EINTR});
    expect_success(reply_to(s.ours, s.peer, "on", 2));
    expect_arrival(s.peer, s.ours, "on", 2);
    fault_once(CALLS_SEND, 1, (struct fault){.error = ENOBUFS});
    expect_failure(reply_to(s.ours, s.peer, "no", 2), ENOBUFS);
    name there = name_of(s.peer, getsockname);
    close_two(s);
    expect_failure(udp_reply(s.ours, "no", 2, &there, length_of(&there)), EBADF);
}

/* ---- a server and the network before it -------------------------------------------- */

/*
 * A thread that plays a script on the server's socket, one letter a step:
 *
 *     r  wait for the next request         a  answer the last request
 *     o  answer with another id            p  answer the one before it: late, and out of order
 *     s  send 3 bytes of the id            e  send an empty datagram
 *     l  answer with LONG bytes            L  the same with another id
 *     x  a stranger answers the last request
 *
 * So "rra" loses the first request (or its answer, which is the same to the client), "raa" answers twice. Each step
 * but r takes no time, and r waits for a datagram, so nothing depends on how busy the machine is.
 */
enum { ANSWER_SIZE = 12, REQUEST_SIZE = 9, LONG = 13, KEPT = 64, SCRIPT = 400 };

struct server {
    pthread_t thread;
    int fd, stranger, stop; /* a datagram from the socket stop ends the script */
    name client;
    const char *script;
    int requests, different; /* how many came; how many unlike the first */
    unsigned char first[KEPT], last[KEPT], before[KEPT];
    ssize_t first_size;
};

/* The answer to a request: its id, and then the same bytes each xored, so that it is not the request. */
static void make_answer(const unsigned char *request, unsigned char answer[LONG])
{
    memcpy(answer, request, UDP_ID_SIZE);
    for (int i = UDP_ID_SIZE; i < LONG; i++)
        answer[i] = (unsigned char)(request[i % UDP_ID_SIZE] ^ (0x55 + i));
}

/* False: the test is over. */
static bool take_request(struct server *s)
{
    name from, stop = name_of(s->stop, getsockname);
    socklen_t length = sizeof from;
    unsigned char bytes[KEPT] = {0};
    ssize_t n =
        recvfrom(s->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
    if (n < 0 || memcmp(&from, &stop, length) == 0)
        return false;
    if (s->requests == 0) {
        memcpy(s->first, bytes, sizeof bytes);
        s->first_size = n;
    }
    s->different += n != s->first_size || memcmp(s->first, bytes, sizeof bytes) != 0;
    s->requests++;
    memcpy(s->before, s->last, sizeof bytes);
    memcpy(s->last, bytes, sizeof bytes);
    s->client = from;
    return true;
}

static void *play(void *argument)
{
    struct server *s = argument;
    for (const char *step = s->script; *step != '\0'; step++) {
        unsigned char answer[LONG];
        size_t size = ANSWER_SIZE;
        if (*step == 'r') {
            if (!take_request(s))
                return NULL;
            continue;
        }
        make_answer(*step == 'p' ? s->before : s->last, answer);
        if (*step == 'o' || *step == 'L')
            answer[3] ^= 1;
        if (*step == 's' || *step == 'e')
            size = *step == 's' ? 3 : 0;
        if (*step == 'l' || *step == 'L')
            size = LONG;
        sendto(*step == 'x' ? s->stranger : s->fd, answer, size, 0,
               (struct sockaddr *)&s->client, length_of(&s->client));
    }
    while (take_request(s)) /* what the script does not wait for */
        continue;
    return NULL;
}

static void start_server(struct server *s, int family, const char *script)
{
    *s = (struct server){.fd = lab_socket(family),
                         .stranger = lab_socket(family),
                         .stop = lab_socket(family),
                         .script = script};
    if (pthread_create(&s->thread, NULL, play, s) != 0)
        lab_error("pthread_create()");
}

/* The thread sees all that was sent before, and ends. errno is kept over the call. */
static void end_server(struct server *s)
{
    int error = errno;
    send_to(s->stop, s->fd, "", 0);
    pthread_join(s->thread, NULL);
    close(s->fd);
    close(s->stranger);
    close(s->stop);
    errno = error;
}

/* A client of a server, and what it asks. */
struct client {
    int fd;
    unsigned char request[REQUEST_SIZE], reply[ANSWER_SIZE];
};

static struct client client_of(int server)
{
    struct client c = {.fd = lab_socket(name_of(server, getsockname).ss_family)};
    lab_connect(c.fd, server);
    lab_random_bytes(c.request, sizeof c.request);
    return c;
}

static ssize_t ask(struct client *c, int timeout_ms, int tries)
{
    return udp_request(c->fd, c->request, sizeof c->request, c->reply, sizeof c->reply,
                       timeout_ms, tries);
}

static void expect_answer(const struct client *c, ssize_t n)
{
    unsigned char answer[LONG];
    int error = errno;
    make_answer(c->request, answer);
    if (n == -1 && error == ETIMEDOUT)
        lab_expect(false, "the answer", "gave up: ETIMEDOUT");
    lab_expect(n == ANSWER_SIZE && memcmp(answer, c->reply, ANSWER_SIZE) == 0,
               "12 and the answer that has the request's id", "returned %s%s%s after %s",
               lab_result(n, error), n > 0 ? " and " : "",
               n > 0 ? lab_quote(c->reply, n < ANSWER_SIZE ? (size_t)n : ANSWER_SIZE)
                     : "",
               calls_text(6));
}

static void close_client(const struct client *c)
{
    lab_likely("the descriptor is the caller's: no close() here");
    lab_close(c->fd);
    lab_likely(NULL);
}

/* A wait that is long enough for a busy machine, and tries enough: within the bounds, which have a test of their own. */
enum { PATIENT_MS = 30000, MANY_TRIES = 15 };

/* One exchange with a server that plays the script. */
static struct server exchange(const char *script, int timeout_ms, int tries)
{
    struct server s;
    start_server(&s, AF_INET, script);
    struct client c = client_of(s.fd);
    ssize_t n = ask(&c, timeout_ms, tries);
    end_server(&s);
    expect_answer(&c, n);
    close_client(&c);
    return s;
}

LAB_TEST(
    udp_request, returns_the_answer, .points = 2, .task = 7,
    .read = "Ask, wait, ask again", .man = "2 poll",
    .likely =
        "send() the request, poll() for the answer, receive it, and return its size: as soon as it is there")
{
    struct server s;
    start_server(&s, AF_INET, "ra");
    struct client c = client_of(s.fd);
    lab_peer("answered the first request with 12 bytes");
    unsigned char reply[2 * ANSWER_SIZE] = {0};
    ssize_t n =
        udp_request(c.fd, c.request, sizeof c.request, reply, sizeof reply, 1000, 3);
    end_server(&s);
    memcpy(c.reply, reply, sizeof c.reply);
    expect_answer(&c, n == (ssize_t)sizeof reply ? ANSWER_SIZE : n);
    lab_likely("return what was received, not what there was room for");
    lab_expect(n == ANSWER_SIZE, "12, as there is room for more", "returned %zd", n);
    lab_likely("one request is one datagram: the request's bytes, all of them, once");
    lab_expect(s.requests == 1, "one datagram, as it was answered", "sent %d",
               s.requests);
    lab_expect(s.first_size == REQUEST_SIZE &&
                   memcmp(s.first, c.request, REQUEST_SIZE) == 0,
               "the request's 9 bytes at the peer", "sent %s",
               lab_quote(s.first, (size_t)s.first_size));
    close_client(&c);
}

LAB_TEST(
    udp_request, asks_again_when_no_answer_comes, .points = 3, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Ask, wait, ask again",
    .man = "2 poll",
    .likely =
        "a datagram can be lost, the request or its answer: when the wait is over, send the same request again")
{
    lab_peer("heard the first two requests, and answered the third");
    struct server s = exchange("rrra", 4, MANY_TRIES);
    lab_expect(s.requests >= 3, "at least three requests", "sent %d", s.requests);
    lab_likely("each try is the same request, with the same id: send it as it is");
    lab_expect(s.different == 0, "the same bytes each time", "sent other bytes");
}

/* A peer that hears and says nothing. Returns the milliseconds that it took. */
static double ask_in_vain(int timeout_ms, int tries)
{
    int server = lab_socket(AF_INET);
    struct client c = client_of(server);
    double start = milliseconds();
    ssize_t n = ask(&c, timeout_ms, tries);
    double passed = milliseconds() - start;
    int error = errno, heard = count_waiting(server);
    errno = error;
    expect_failure(n, ETIMEDOUT);
    char expected[64];
    snprintf(expected, sizeof expected, "%d request%s", tries, tries == 1 ? "" : "s");
    lab_likely(
        "tries counts every sending, the first one too; and after the last one is a wait, too");
    lab_expect(heard == tries, expected, "sent %d", heard);
    lab_likely(NULL);
    close_client(&c);
    lab_close(server);
    return passed;
}

LAB_TEST(
    udp_request, gives_up_after_the_last_try, .points = 2, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Ask, wait, ask again",
    .man = "2 poll",
    .likely =
        "poll() without a limit waits for ever on a lost answer: give it the time, and after the last try say ETIMEDOUT")
{
    lab_peer("never answered");
    ask_in_vain(1, 1);
    ask_in_vain(1, 4);
}

static void expect_passed(double passed, int ms, int waits)
{
    char expected[64];
    snprintf(expected, sizeof expected, "not before %d ms", ms);
    lab_expect(passed >= ms - waits * COARSE_MS, expected, "gave up after %.1f ms",
               passed);
}

LAB_TEST(
    udp_request, waits_twice_as_long_each_time, .points = 2, .task = 7,
    .needs = "udp_request/gives_up_after_the_last_try", .read = "Ask, wait, ask again",
    .man = "2 poll",
    .likely =
        "double the wait after each try, also before the last one: a network that loses datagrams wants fewer of them, not more")
{
    lab_peer("never answered a request that was tried 4 times, with 10 ms at first");
    expect_passed(ask_in_vain(10, 4), 10 + 20 + 40 + 80, 4);
}

LAB_TEST(
    udp_request, sleeps_while_it_waits, .points = 1, .task = 7,
    .needs = "udp_request/gives_up_after_the_last_try", .read = "Ask, wait, ask again",
    .man = "2 poll",
    .likely =
        "it asks again and again whether something has come: poll() with the time that is left sleeps until then")
{
    lab_peer("never answered, for 30 ms");
    double passed = ask_in_vain(30, 1);
    expect_passed(passed, 30, 1);
    unsigned calls = calls_made(CALLS_WAIT) + calls_made(CALLS_RECEIVE);
    lab_expect(calls < CALLS_PER_MS * passed, "a few calls", "made %u in %.0f ms", calls,
               passed);
}

LAB_TEST(udp_request, measures_time_with_a_clock_that_nobody_sets, .points = 1, .task = 7,
         .needs = "udp_request/sleeps_while_it_waits, udp_request/goes_on_after_signals",
         .read = "Ask, wait, ask again", .man = "2 clock_gettime",
         .likely = "CLOCK_REALTIME jumps when somebody sets it: take CLOCK_MONOTONIC")
{
    lab_peer("never answered, while somebody set the time of day on by minutes");
    set_forward_by = 60;
    fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    expect_passed(ask_in_vain(30, 1), 30, 1);
}

LAB_TEST(
    udp_request, passes_over_answers_to_other_requests, .points = 2, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Whose answer is it?",
    .man = "3 memcmp",
    .likely =
        "compare all UDP_ID_SIZE bytes of the id, zeros too (it is no string: memcmp()); another id is thrown away, and the wait goes on, without a new try")
{
    lab_peer("answered a request with another id, and then this one");
    struct server s = exchange("rooa", PATIENT_MS, 1);
    lab_expect(s.requests == 1, "one request", "sent %d", s.requests);
    lab_peer("did so again, for an id that begins with two zeros");
    start_server(&s, AF_INET, "roa");
    struct client c = client_of(s.fd);
    memset(c.request, 0, 2);
    ssize_t n = ask(&c, PATIENT_MS, 1);
    end_server(&s);
    expect_answer(&c, n);
    close_client(&c);
}

LAB_TEST(
    udp_request, passes_over_what_is_too_short, .points = 1, .task = 7,
    .needs = "udp_request/passes_over_answers_to_other_requests",
    .read = "Whose answer is it?", .man = "7 udp",
    .likely =
        "a datagram of fewer bytes than an id has none: do not compare what is not there. An empty one is no end")
{
    lab_peer("answered another id, then with its first 3 bytes, with none, and in full");
    exchange("rosesa", PATIENT_MS, 1);
    lab_peer("another one sent 3 bytes of the right id, when reply held the id already");
    struct server s;
    start_server(&s, AF_INET, "rsea");
    struct client c = client_of(s.fd);
    memcpy(c.reply, c.request, UDP_ID_SIZE); /* as after an earlier request */
    ssize_t n = ask(&c, PATIENT_MS, 1);
    end_server(&s);
    expect_answer(&c, n);
    close_client(&c);
}

/* From the server's port at 127.0.0.2, if nobody is there. */
static void send_from_another_host(int server, int to, const void *bytes, size_t n)
{
    struct sockaddr_in there = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1),
                                .sin_port = htons(lab_port(server))};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        lab_error("a UDP socket of the test's own");
    if (bind(fd, (struct sockaddr *)&there, sizeof there) == 0)
        send_to(fd, to, bytes, n);
    close(fd);
}

LAB_TEST(
    udp_request, listens_to_no_strangers, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Whose answer is it?",
    .man = "2 getpeername",
    .likely =
        "what came before connect() still waits in the queue: look at who sent it (getpeername() says who should have), or empty the queue first")
{
    struct server s;
    start_server(&s, AF_INET, "rxra");
    struct client c = {.fd = lab_socket(AF_INET)};
    unsigned char false_answer[ANSWER_SIZE];
    lab_random_bytes(c.request, sizeof c.request);
    memcpy(false_answer, c.request, UDP_ID_SIZE);
    memset(false_answer + UDP_ID_SIZE, '!', sizeof false_answer - UDP_ID_SIZE);
    send_to(s.stranger, c.fd, false_answer, sizeof false_answer);
    send_from_another_host(s.fd, c.fd, false_answer, sizeof false_answer);
    lab_connect(c.fd, s.fd);
    lab_peer(
        "strangers sent an answer with this id before the socket was connected (one "
        "of them from the peer's port at 127.0.0.2), and one after the first request; the peer answered the second");
    ssize_t n = ask(&c, 2, MANY_TRIES);
    end_server(&s);
    expect_answer(&c, n);
    close_client(&c);
}

LAB_TEST(
    udp_request, passes_over_late_answers_and_second_ones, .points = 2, .task = 7,
    .needs = "udp_request/passes_over_answers_to_other_requests",
    .read = "Whose answer is it?", .man = "7 udp",
    .likely =
        "an answer that comes late is still in the queue when the next request is sent: only the id tells")
{
    struct server s;
    start_server(&s, AF_INET, "raarap");
    struct client c = client_of(s.fd);
    lab_peer("answered the first request twice, the second once and the first again");
    expect_answer(&c, ask(&c, PATIENT_MS, 1));
    c.request[2] ^= 0x80;
    ssize_t n = ask(&c, PATIENT_MS, 1);
    int error = errno;
    end_server(&s);
    errno = error;
    expect_answer(&c, n);
    close_client(&c);
}

/* Sends datagrams with a wrong id, a new one when the last one was taken, until a second request comes: not for ever,
   if those were taken when the wait should long have been over. */
struct nuisance {
    pthread_t thread;
    int server, client;
    double over; /* when the first wait has ended for certain, if it ends */
    bool stretched;
};

enum { FIRST_WAIT_MS = 20, LATE_MS = 200, TAKEN_LATE = 20 };

static void *be_a_nuisance(void *argument)
{
    struct nuisance *it = argument;
    unsigned char bytes[ANSWER_SIZE];
    int taken_late = 0, waiting = 0;
    name client = {.ss_family = AF_UNSPEC};
    ssize_t n = recvfrom(it->server, bytes, sizeof bytes, 0, (struct sockaddr *)&client,
                         &(socklen_t){sizeof client});
    double over = milliseconds() + FIRST_WAIT_MS + LATE_MS;
    bytes[0] ^= 1;
    while (recv(it->server, &(char){0}, 1, MSG_DONTWAIT) < 0 && taken_late < TAKEN_LATE) {
        ioctl(it->client, FIONREAD, &waiting);
        if (n > 0 && waiting == 0) {
            taken_late += milliseconds() > over;
            sendto(it->server, bytes, (size_t)n, 0, (struct sockaddr *)&client,
                   length_of(&client));
        }
        poll(NULL, 0, 1);
    }
    it->stretched = taken_late == TAKEN_LATE;
    bytes[0] ^= 1;
    sendto(it->server, bytes, (size_t)n, 0, (struct sockaddr *)&client,
           length_of(&client));
    return NULL;
}

LAB_TEST(
    udp_request, is_not_kept_waiting_by_other_datagrams, .points = 1, .task = 7,
    .needs =
        "udp_request/passes_over_answers_to_other_requests, udp_request/asks_again_when_no_answer_comes",
    .read = "Whose answer is it?", .man = "2 clock_gettime",
    .likely =
        "each datagram starts the wait anew: take the deadline once a try, and wait for what is left of it")
{
    struct nuisance it = {.server = lab_socket(AF_INET)};
    struct client c = client_of(it.server);
    it.client = c.fd;
    lab_peer("sent answers to other requests without end, and heard no second request");
    if (pthread_create(&it.thread, NULL, be_a_nuisance, &it) != 0)
        lab_error("pthread_create()");
    ssize_t n = ask(&c, FIRST_WAIT_MS, MANY_TRIES);
    int error = errno;
    if (n < 0) /* so that the thread ends in any case */
        send(c.fd, c.request, sizeof c.request, 0);
    pthread_join(it.thread, NULL);
    lab_expect(!it.stretched, "a second request when 20 ms were over",
               "waited on for more than %d ms", LATE_MS);
    lab_expect(n > 0, "an answer", "returned %s", lab_result(n, error));
    close_client(&c);
    lab_close(it.server);
}

/*
 * The lossy network: for each request one of four things, drawn from the run's seed. SEED=n repeats it.
 * Lost, answered, answered twice, or answered together with the one before it, which so far had no answer or now gets
 * another one, out of order.
 */
static const char *lossy_network(void)
{
    static char script[SCRIPT * 3 + 1];
    static const char *const fates[] = {"r", "ra", "raa", "rap"};
    char *end = script;
    int lost = 0;
    for (int i = 0; i < SCRIPT; i++) {
        uint32_t fate = lab_random_below(4);
        if (fate == 0 && ++lost > 3) /* more in a row would only take time */
            fate = 1;
        if (fate != 0)
            lost = 0;
        end = stpcpy(end, fates[fate]);
    }
    return script;
}

LAB_TEST(
    udp_request, gets_every_answer_out_of_a_lossy_network, .points = 3, .task = 7,
    .needs =
        "udp_request/asks_again_when_no_answer_comes, udp_request/passes_over_late_answers_and_second_ones",
    .read = "Whose answer is it?", .man = "7 udp",
    .likely =
        "lost, doubled and reordered at once: send again on time, and take nothing but this id's answer")
{
    struct server s;
    start_server(&s, AF_INET, lossy_network());
    struct client c = client_of(s.fd);
    lab_peer("of 15 requests and their answers, some were lost, some came twice, some "
             "late");
    for (int i = 0; i < 15; i++) {
        memcpy(c.request, &i, UDP_ID_SIZE);
        lab_random_bytes(c.request + UDP_ID_SIZE, REQUEST_SIZE - UDP_ID_SIZE);
        ssize_t n = ask(&c, 1, MANY_TRIES);
        unsigned char answer[LONG];
        make_answer(c.request, answer);
        if (n == ANSWER_SIZE && memcmp(answer, c.reply, ANSWER_SIZE) == 0)
            continue;
        end_server(&s);
        expect_answer(&c, n);
    }
    end_server(&s);
    close_client(&c);
}

LAB_TEST(
    udp_request, works_over_ipv6, .points = 1, .task = 7,
    .needs = "udp_request/listens_to_no_strangers", .read = "Whose answer is it?",
    .man = "7 ipv6", .requires = "ipv6",
    .likely =
        "an IPv6 address is longer: room for it is a sockaddr_storage, and all of it is compared")
{
    struct server s;
    start_server(&s, AF_INET6, "ra");
    struct client c = client_of(s.fd);
    lab_peer("answered from %s", local_text(s.fd));
    ssize_t n = ask(&c, PATIENT_MS, 1);
    end_server(&s);
    expect_answer(&c, n);
    close_client(&c);
}

/* A timer interrupts what waits, whichever call that is. The signals end, so that a wait that each of them starts anew
   ends too: one that does not is over long before. */
enum { SIGNAL_US = 2000, SIGNALS_MOST = 200 };
static volatile sig_atomic_t signals_came;

static void count_signal(int number)
{
    int error = errno;
    (void)number;
    signals_came = signals_came + 1;
    if (signals_came == SIGNALS_MOST)
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    errno = error;
}

LAB_TEST(
    udp_request, goes_on_after_signals, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer, udp_request/gives_up_after_the_last_try",
    .read = "The calls", .man = "7 signal",
    .likely =
        "EINTR from send(), poll() or recv() says that a signal came: go on, with the same deadline and no new try")
{
    static const enum call_family families[] = {CALLS_SEND, CALLS_WAIT, CALLS_RECEIVE};
    for (int i = 0; i < 3; i++) {
        lab_peer("answered a request; a signal interrupted %s", i == 0 ? "the sending"
                                                                : i == 1
                                                                    ? "the waiting"
                                                                    : "the receiving");
        fault_once(families[i], 1, (struct fault){.error = EINTR});
        exchange("ra", PATIENT_MS, 1);
        fault_none();
        lab_likely(NULL);
    }
    struct sigaction count = {.sa_handler = count_signal}, before;
    struct itimerval every = {{0, SIGNAL_US}, {0, SIGNAL_US}}, never = {0};
    lab_peer("never answered, while a signal came every %d ms", SIGNAL_US / 1000);
    sigaction(SIGALRM, &count, &before);
    setitimer(ITIMER_REAL, &every, NULL);
    ask_in_vain(10, 2);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    lab_likely(
        "each signal starts the wait anew: take the deadline once a try, and wait for what is left of it");
    lab_expect(signals_came < SIGNALS_MOST, "an end after 30 ms",
               "waited on while %d signals came", (int)signals_came);
}

LAB_TEST(
    udp_request, does_not_trust_a_wakeup, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Ask, wait, ask again",
    .man = "2 select",
    .likely =
        "poll() may say that something is there, and then it is not (a bad checksum): receive with MSG_DONTWAIT, and on EAGAIN go on waiting")
{
    lab_peer("answered each request; the first two looks found nothing");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EAGAIN});
    fault_once(CALLS_RECEIVE, 2, (struct fault){.error = EAGAIN});
    struct server s = exchange("rararara", PATIENT_MS, MANY_TRIES);
    /* Where receiving itself waits (SO_RCVTIMEO), EAGAIN means that the time is over. */
    lab_expect(calls_made(CALLS_WAIT) == 0 || s.requests == 1, "one request, as before",
               "sent %d: a false wakeup is no end of the wait", s.requests);
}

LAB_TEST(
    udp_request, leaves_the_descriptor_as_it_was, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer, udp_request/gives_up_after_the_last_try",
    .read = "The calls", .man = "2 fcntl",
    .likely =
        "MSG_DONTWAIT is for one call and changes nothing; what is set for the while must be put back on every way out")
{
    for (int i = 0; i < 4; i++) {
        bool non_blocking = (i & 1) != 0, silent = (i & 2) != 0;
        struct timeval time;
        struct server s;
        start_server(&s, AF_INET, silent ? "rr" : "ra");
        struct client c = client_of(s.fd);
        fcntl(c.fd, F_SETFL, non_blocking ? O_NONBLOCK : 0);
        ssize_t n = ask(&c, silent ? 1 : PATIENT_MS, 1);
        end_server(&s);
        if (silent)
            expect_failure(n, ETIMEDOUT);
        else
            expect_answer(&c, n);
        lab_expect(((fcntl(c.fd, F_GETFL) & O_NONBLOCK) != 0) == non_blocking,
                   non_blocking ? "the socket non-blocking as before"
                                : "the socket blocking as before",
                   "made it %s", non_blocking ? "blocking" : "non-blocking");
        getsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &time, &(socklen_t){sizeof time});
        lab_expect(time.tv_sec == 0 && time.tv_usec == 0, "no SO_RCVTIMEO, as before",
                   "left one of %ld.%06ld s", (long)time.tv_sec, (long)time.tv_usec);
        close_client(&c);
    }
}

LAB_TEST(
    udp_request, knows_when_nobody_is_there, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Nobody there", .man = "7 udp",
    .likely =
        "ECONNREFUSED is an answer of its own: receiving fails with it, so return -1 at once")
{
    int deaf = lab_deaf_socket();
    struct client c = client_of(deaf);
    lab_peer("nobody receives at %s", local_text(deaf));
    expect_failure(ask(&c, 1000, 1), ECONNREFUSED);
    lab_likely(
        "send() reports ECONNREFUSED too, of a datagram before: return -1 at once");
    lab_peer("the news came before the call: something else was refused");
    if (send(c.fd, "?", 1, 0) != 1)
        lab_error("send() of the test's own");
    expect_failure(ask(&c, 100, 1), ECONNREFUSED);
    close_client(&c);
    lab_close(deaf);
}

LAB_TEST(
    udp_request, says_what_is_too_long, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Cut without a word",
    .man = "2 recvmsg",
    .likely =
        "an answer that is longer than reply_size is no whole answer: MSG_TRUNC tells, and the error is EMSGSIZE")
{
    static unsigned char huge[UDP_LARGEST + 1];
    struct server s;
    start_server(&s, AF_INET, "rl");
    struct client c = client_of(s.fd);
    lab_peer("answered with 13 bytes, where there is room for 12");
    ssize_t n = ask(&c, PATIENT_MS, 1);
    end_server(&s);
    expect_failure(n, EMSGSIZE);
    close_client(&c);
    int server = lab_socket(AF_INET);
    c = client_of(server);
    lab_peer("heard nothing: the request has 65508 bytes");
    lab_likely("send() says EMSGSIZE when a request is too long: return -1 at once");
    expect_failure(udp_request(c.fd, huge, sizeof huge, c.reply, sizeof c.reply, 1000, 2),
                   EMSGSIZE);
    lab_expect(count_waiting(server) == 0, "nothing sent", "sent some of it");
    lab_peer(
        "then sent a long answer to another request, 13 bytes, before the right one");
    close_client(&c);
    lab_likely("whose answer it is comes first, whether it is whole after that");
    lab_close(server);
    start_server(&s, AF_INET, "rLa");
    c = client_of(s.fd);
    n = ask(&c, PATIENT_MS, 1);
    end_server(&s);
    if (n == -1 && errno == EMSGSIZE)
        lab_expect(false, "12 and the answer that has the request's id",
                   "returned -1 and errno EMSGSIZE");
    expect_answer(&c, n);
    close_client(&c);
}

LAB_TEST(
    udp_request, refuses_what_is_out_of_bounds, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Ask, wait, ask again",
    .man = "3 errno",
    .likely =
        "look at the two sizes, the time and the tries before anything is sent: EINVAL when one is out of its bounds")
{
    static const struct {
        size_t request, reply;
        int timeout_ms, tries;
    } bad[] = {{3, 12, 1, 1}, {0, 12, 1, 1},  {9, 3, 1, 1},
               {9, 12, 0, 1}, {9, 12, -1, 1}, {9, 12, UDP_TIMEOUT_MAX_MS + 1, 1},
               {9, 12, 1, 0}, {9, 12, 1, -1}, {9, 12, 1, UDP_TRIES_MAX + 1}};
    struct server s;
    start_server(&s, AF_INET, "rara");
    struct client c = client_of(s.fd);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 0;
        ssize_t n = udp_request(c.fd, c.request, bad[i].request, c.reply, bad[i].reply,
                                bad[i].timeout_ms, bad[i].tries);
        if (n == -1 && errno == EINVAL)
            continue;
        int error = errno;
        end_server(&s);
        lab_expect(false, "-1 and errno EINVAL",
                   "returned %s with %zu bytes of request, %zu of reply, %d ms, %d tries",
                   lab_result(n, error), bad[i].request, bad[i].reply, bad[i].timeout_ms,
                   bad[i].tries);
    }
    lab_likely("nothing may be sent before the bounds have been looked at");
    end_server(&s);
    lab_expect(s.requests == 0, "nothing sent", "sent %d bytes", (int)s.first_size);
    close_client(&c);
}

LAB_TEST(
    udp_request, takes_what_lies_on_a_bound, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Ask, wait, ask again",
    .man = "3 errno",
    .likely =
        "what lies on a bound is within it: compare with < and >, and let the doubled wait fit into its type")
{
    static const struct {
        size_t request;
        int timeout_ms, tries;
    } good[] = {{UDP_ID_SIZE, 1000, 3},
                {REQUEST_SIZE, UDP_TIMEOUT_MAX_MS, 1},
                {REQUEST_SIZE, 1000, UDP_TRIES_MAX},
                {REQUEST_SIZE, UDP_TIMEOUT_MAX_MS, UDP_TRIES_MAX}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct server s;
        start_server(&s, AF_INET, "ra");
        struct client c = client_of(s.fd);
        ssize_t n = udp_request(c.fd, c.request, good[i].request, c.reply, ANSWER_SIZE,
                                good[i].timeout_ms, good[i].tries);
        end_server(&s);
        lab_expect(n == ANSWER_SIZE, "12",
                   "returned %s with %zu bytes of request, %d ms, %d tries",
                   lab_result(n, errno), good[i].request, good[i].timeout_ms,
                   good[i].tries);
        close_client(&c);
    }
}

LAB_TEST(
    udp_request, takes_an_answer_that_is_an_id_alone, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "Whose answer is it?",
    .man = "3 memcmp",
    .likely =
        "UDP_ID_SIZE bytes are enough, for the room and for the answer: compare with <")
{
    int server = lab_socket(AF_INET);
    struct client c = client_of(server);
    lab_connect(server, c.fd);
    lab_connect(c.fd, c.fd); /* what it sends comes back */
    lab_peer("is this socket itself: the request comes back as the answer");
    ssize_t n = udp_request(c.fd, c.request, UDP_ID_SIZE, c.reply, UDP_ID_SIZE, 1000, 1);
    lab_expect(n == UDP_ID_SIZE && memcmp(c.reply, c.request, UDP_ID_SIZE) == 0,
               "4 and the id", "returned %s", lab_result(n, errno));
    close_client(&c);
    lab_close(server);
}

LAB_TEST(
    udp_request, says_why_it_failed, .points = 1, .task = 7,
    .needs = "udp_request/returns_the_answer", .read = "The calls", .man = "2 send",
    .likely =
        "look at the result of each call; what is neither EINTR nor EAGAIN ends the request, with the errno of that call")
{
    struct server s;
    start_server(&s, AF_INET, "ra");
    struct client c = client_of(s.fd);
    lab_peer("answered a request, and receiving the answer failed");
    fault_each(CALLS_RECEIVE, (struct fault){.error = ENOMEM});
    ssize_t n = ask(&c, PATIENT_MS, 1);
    fault_none();
    end_server(&s);
    expect_failure(n, ENOMEM);
    lab_close(c.fd);
    int server = lab_socket(AF_INET), alone = lab_socket(AF_INET);
    c = client_of(server);
    lab_peer("another one did not answer, and sending or waiting failed");
    fault_once(CALLS_SEND, 1, (struct fault){.error = EPERM});
    expect_failure(ask(&c, 1, 1), EPERM);
    fault_each(CALLS_WAIT, (struct fault){.error = ENOMEM});
    unsigned taken = faults_taken();
    n = ask(&c, 1, 1);
    expect_failure(n, faults_taken() > taken ? ENOMEM : ETIMEDOUT);
    fault_none();
    lab_close(c.fd);
    lab_peer("then nobody is: the socket is not connected");
    int connected = c.fd;
    c.fd = alone;
    n = ask(&c, 1000, 1);
    lab_expect(n == -1 && (errno == ENOTCONN || errno == EDESTADDRREQ),
               "-1 and errno ENOTCONN or EDESTADDRREQ", "%s", outcome(n, errno));
    lab_peer("then the descriptor is closed");
    c.fd = connected;
    expect_failure(ask(&c, 1000, 1), EBADF);
    lab_close(alone);
    lab_close(server);
}
