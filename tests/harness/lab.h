/*
 * lab.h: how a unit test of a lesson is written.
 *
 * A test says, next to its body, what it is worth and where the student should read on:
 *
 *     LAB_TEST(read_exact, returns_the_count_at_end_of_stream,
 *              .points = 4, .task = 1, .read = "One read is not one message", .man = "2 recv",
 *              .likely = "recv() returned 0, the end of the stream: stop there and return the count")
 *     {
 *         int fds[2];
 *         lab_tcp_pair(fds);
 *         lab_peer("sent \"hel\" and ended its stream");
 *         ...
 *         ssize_t n = read_exact(fds[0], buf, 5);
 *         lab_expect(n == 3, "3", "returned %zd", n);
 *     }
 *
 * Each test runs in a child process of its own (Check forks it). It passes when it reaches its end with every
 * expectation met, no descriptor or child process left over, no leak, and no sanitizer report. The first
 * expectation that fails ends the test. Never call lab_expect() in a thread or in a process that the test forked.
 */
#ifndef LAB_H
#define LAB_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct lab_test {
    const char *group; /* the function tested; heads a block of the verdict */
    const char *name;  /* the claim, in words joined by underscores */
    int points;        /* the test's weight in the lesson's 100 points */
    int task;          /* number of the TODO, and of the section in hints.md */
    const char *
        needs; /* "group" or "group/name" that must pass for this test to mean anything; NULL: nothing */
    const char *read; /* heading of the lesson's README.md to read when it fails */
    const char *man;  /* man page, as "2 accept"; NULL: none */
    const char
        *likely; /* the most likely mistake, in one sentence; lab_likely() overrides it */
    const char
        *requires; /* what the kernel must offer: "ipv6", "sctp", "root", "not root"; NULL: nothing */
    const TTest *check; /* Check's own record of the test */
};

/* Pointers in a section of their own must stand close together: clang's AddressSanitizer would put gaps between. */
#ifdef __clang__
#define LAB_NO_GAPS __attribute__((no_sanitize("address")))
#else
#define LAB_NO_GAPS
#endif

#define LAB_TEST(group_, name_, ...)                                           \
    static void group_##_##name_(int lab_loop_index);                          \
    static const TTest group_##_##name_##_check = {.name = #group_ "_" #name_, \
                                                   .fn = group_##_##name_,     \
                                                   .file = __FILE__,           \
                                                   .line = __LINE__};          \
    static const struct lab_test group_##_##name_##_test = {                   \
        .group = #group_,                                                      \
        .name = #name_,                                                        \
        .check = &group_##_##name_##_check,                                    \
        __VA_ARGS__};                                                          \
    static const struct lab_test *const group_##_##name_##_entry               \
        __attribute__((used, section("lab_tests"))) LAB_NO_GAPS =              \
            &group_##_##name_##_test;                                          \
    static void group_##_##name_(int lab_loop_index __attribute__((unused)))

/*
 * The story of a failure, told in the verdict as
 *     the peer   sent "hello" as 5 segments          lab_peer()
 *     you        returned 1 and "h"                  lab_expect(), third argument
 *     expected   5 and "hello"                       lab_expect(), second argument
 *     likely     recv() returns what has arrived ... .likely of the test, or lab_likely()
 * lab_peer() adds to the line ("; " between); lab_likely() replaces it for the expectations that follow, NULL
 * goes back to the test's own. Arguments as printf's; the text is copied; at most 500 bytes are kept.
 */
void lab_peer(const char *format, ...) __attribute__((format(printf, 1, 2)));
void lab_likely(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * lab_expect: end the test as failed unless ok.
 *
 * expected  what a right program does, as in "expected   5 and \"hello\""
 * you       printf format: what the student's function did, as in "returned %zd"
 * errno is kept over the call.
 */
void lab_expect(bool ok, const char *expected, const char *you, ...)
    __attribute__((format(printf, 3, 4)));

/* lab_skip: end the test as skipped; what: the thing this machine lacks ("IPv6 on loopback"). */
_Noreturn void lab_skip(const char *what);

/*
 * lab_error: end the test as "could not check": the test's own preparation failed (never the student's fault).
 * what: the call that failed; errno is added.
 */
_Noreturn void lab_error(const char *what);

/*
 * Text for messages. Each returns a pointer to one of 8 static buffers, used in turn: do not free, do not keep.
 * lab_quote:  n bytes as a C string literal; past 60 bytes cut, with the count: "abc..." (4096 bytes)
 * lab_errno:  the symbol: "ECONNREFUSED"; unknown numbers as "errno 4242"
 * lab_result: a call's result: "5", or for -1 "-1 and errno EINTR" (error: errno as it was after the call)
 */
const char *lab_quote(const void *bytes, size_t n);
const char *lab_errno(int error);
const char *lab_result(long result, int error);

/* Random data. The sequence depends on the run's seed and the test's name only; SEED=n repeats it. */
uint64_t lab_random(void);
uint32_t lab_random_below(uint32_t limit); /* 0 to limit - 1; limit 0 gives 0 */
void lab_random_bytes(void *buf, size_t n);

/*
 * Sockets of the test's own. Each ends the test with lab_error() if the system refuses. The test closes them.
 * lab_listener:     a TCP listener on loopback (family AF_INET or AF_INET6), port chosen by the kernel
 * lab_port:         the local port of fd, in host byte order
 * lab_port_text:    the same as decimal text (a static buffer, as lab_quote)
 * lab_tcp_pair:     two ends of one TCP connection over 127.0.0.1; fds[0] for the student, fds[1] for the peer
 * lab_closed_port:  a loopback port on which nobody listens: bound by a socket of the harness and never listened on
 *                   until the test ends, so that no other program can take it. Not counted as a leak.
 */
int lab_listener(int family);
uint16_t lab_port(int fd);
const char *lab_port_text(int fd);
void lab_tcp_pair(int fds[2]);
uint16_t lab_closed_port(int family);

/* lab_close: close(fd) of the test's own descriptors. One that is closed already was closed by the
 * student: the test fails. */
void lab_close(int fd);

/* lab_is_open: does fd name an open descriptor? */
bool lab_is_open(int fd);

#endif
