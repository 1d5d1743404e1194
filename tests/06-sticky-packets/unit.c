/*
 * Unit tests of lesson 06: all the bytes, and messages out of bytes.
 *
 * The tests of stream.c speak to a socket whose other end is theirs, and have calls cut
 * short or refused (calls.h). The splitter needs no socket: what "the peer sent" is what it
 * was fed, a piece a read. What is expected of a stream cut at random is worked out by a
 * splitter of the test's own, which sees all of it at once and looks byte by byte.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "lab.h"
#include "peer.h"
#include "splitter.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- what a call did ------------------------------------------------------------- */

static void expect_failure(const char *call, long result, int error)
{
    char expected[64];
    int got = errno;
    snprintf(expected, sizeof expected, "-1 and errno %s", lab_errno(error));
    lab_expect(result == -1 && got == error, expected, "%s returned %s", call,
               lab_result(result, got));
}

/* What was fed is there, but the next call failed with errno set: it may be told. */
static void expect_zero(const char *call, long result)
{
    lab_expect(result == 0, "0", "%s returned %s", call, lab_result(result, errno));
}

static void expect_bytes(ssize_t result, const void *got, const void *bytes, size_t n)
{
    char expected[160];
    int error = errno;
    snprintf(expected, sizeof expected, "%zu and %s", n, lab_quote(bytes, n));
    if (result == -1)
        lab_expect(false, expected, "returned %s", lab_result(result, error));
    lab_expect(result == (ssize_t)n && memcmp(got, bytes, n) == 0, expected,
               "returned %zd and %s", result, lab_quote(got, n));
}

/* ---- streams, and what the peer does to them ------------------------------------- */

static void unix_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
        lab_error("socketpair()");
}

static void send_whole(int fd, const void *bytes, size_t n)
{
    if (send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
        lab_error("send() of the test's own");
}

static void end_stream(int fd)
{
    if (shutdown(fd, SHUT_WR) == -1)
        lab_error("shutdown() of the test's own");
}

static void make_non_blocking(int fd)
{
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        lab_error("O_NONBLOCK");
}

static void close_pair(const int fds[2])
{
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/* A TCP connection that the peer has reset, when the news has come. */
static int reset_connection(void)
{
    int fds[2];
    struct linger none = {.l_onoff = 1};
    lab_tcp_pair(fds);
    struct pollfd news = {.fd = fds[0]};
    if (setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &none, sizeof none) == -1)
        lab_error("SO_LINGER");
    lab_close(fds[1]);
    if (poll(&news, 1, -1) != 1)
        lab_error("poll() of the test's own");
    return fds[0];
}

/* So that a few bytes fill the kernel's buffers, and not a megabyte. */
static void keep_little(int fd)
{
    int size = 4096;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == -1)
        lab_error("SO_SNDBUF");
}

/*
 * A helper is a thread that makes a wait end: as soon as it sees the student's thread
 * asleep it sends "hello", or reads what is there. A program that does not sleep is let
 * go on for PATIENCE_MS, and has then made so many calls that it shows.
 */
enum { PATIENCE_MS = 50, FEW_CALLS = 100 };

struct helper {
    pthread_t thread;
    pid_t of; /* the thread that it looks at */
    int peer;
    size_t reads; /* so many bytes and no more; 0: it sends */
};

static bool is_asleep(pid_t thread)
{
    char path[64], text[256], state = '?';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = file == -1 ? -1 : read(file, text, sizeof text - 1);
    if (file != -1)
        close(file);
    text[n > 0 ? n : 0] = '\0';
    const char *name_ends = strrchr(text, ')');
    if (name_ends != NULL)
        sscanf(name_ends, ") %c", &state);
    return state == 'S';
}

static void *help(void *argument)
{
    struct helper *helper = argument;
    char bytes[4096];
    ssize_t n = 0;
    for (int ms = 0; ms < PATIENCE_MS && !is_asleep(helper->of); ms++)
        poll(NULL, 0, 1);
    if (helper->reads == 0)
        send(helper->peer, "hello", 5, MSG_NOSIGNAL);
    for (size_t left = helper->reads; left > 0 && n != -1; left -= (size_t)n)
        n = recv(helper->peer, bytes, left < sizeof bytes ? left : sizeof bytes, 0);
    return NULL;
}

static void call_helper(struct helper *helper, int peer, size_t reads)
{
    *helper =
        (struct helper){.of = (pid_t)syscall(SYS_gettid), .peer = peer, .reads = reads};
    if (pthread_create(&helper->thread, NULL, help, helper) != 0)
        lab_error("pthread_create()");
}

/* Send until the kernel takes no byte more; how many it took. */
static size_t fill(int fd)
{
    static const char bytes[4096];
    size_t sent = 0;
    ssize_t n = 0;
    keep_little(fd);
    for (size_t piece = sizeof bytes; piece > 0; piece /= 2)
        while ((n = send(fd, bytes, piece, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
            sent += (size_t)n;
    return sent;
}

/* errno is kept over the call. */
static void dismiss_helper(struct helper *helper)
{
    int error = errno;
    pthread_join(helper->thread, NULL);
    errno = error;
}

static void expect_sleep(void)
{
    unsigned calls =
        calls_made(CALLS_RECEIVE) + calls_made(CALLS_SEND) + calls_made(CALLS_WAIT);
    lab_likely(
        "a loop that asks again and again takes the whole processor: sleep, in poll()");
    lab_expect(calls < FEW_CALLS, "to sleep while it waits", "made %u calls meanwhile",
               calls);
    lab_likely(
        "a sleep of some length is too long, or too short: poll() sleeps until the "
        "socket is ready");
    lab_expect(calls_made(CALLS_WAIT) > 0,
               "to wait for the socket, with poll() or the like", "slept without it");
    lab_likely(NULL);
}

/* The first wait met EINTR. */
static void if_the_wait_ended_it(ssize_t result)
{
    if (result == -1 && errno == EINTR)
        lab_likely("poll() too may be interrupted by a signal: that is no error, go on");
}

/* After a wait that failed with ENOMEM. Whether it came before the call or behind it, and
   how many faults were met, is the program's business. */
static void expect_no_wait(const char *call, ssize_t result)
{
    lab_likely("poll() failed: return -1, and leave errno as poll() set it");
    expect_failure(call, result, ENOMEM);
    lab_likely(NULL);
}

static void expect_as_it_was(int fd, bool non_blocking)
{
    lab_likely("the descriptor is the caller's: neither closed nor changed here");
    lab_expect(lab_is_open(fd), "the descriptor still open", "closed it");
    lab_expect(((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) == non_blocking,
               non_blocking ? "the socket still non-blocking"
                            : "the socket still blocking",
               "changed that");
    lab_likely(NULL);
}

/* ---- read_exact ------------------------------------------------------------------ */

LAB_TEST(
    read_exact, returns_all_bytes_that_were_sent_at_once, .points = 1, .task = 1,
    .read = "One read is not one message", .man = "2 recv",
    .likely = "ask recv() for n bytes, put them into buf, and return how many there are")
{
    int fds[2];
    char buf[5] = "";
    unix_pair(fds);
    send_whole(fds[1], "hello", 5);
    lab_peer("sent \"hello\"");
    ssize_t result = read_exact(fds[0], buf, 5);
    expect_bytes(result, buf, "hello", 5);
    expect_as_it_was(fds[0], false);
    close_pair(fds);
}

LAB_TEST(
    read_exact, returns_all_bytes_that_arrive_one_at_a_time, .points = 3, .task = 1,
    .needs = "read_exact/returns_all_bytes_that_were_sent_at_once",
    .read = "One read is not one message", .man = "2 recv",
    .likely =
        "recv() returns what has arrived, not what was asked for: loop until n bytes or end of stream")
{
    int fds[2];
    char buf[5] = "";
    lab_tcp_pair(fds);
    send_whole(fds[1], "he\0lo", 5);
    lab_peer("sent \"he\\0lo\" as 5 segments");
    fault_each(CALLS_RECEIVE, (struct fault){.at_most = 1});
    ssize_t result = read_exact(fds[0], buf, 5);
    expect_bytes(result, buf, "he\0lo", 5);
    close_pair(fds);
}

LAB_TEST(
    read_exact, takes_not_a_byte_more, .points = 2, .task = 1,
    .needs = "read_exact/returns_all_bytes_that_were_sent_at_once",
    .read = "One read is not one message", .man = "2 recv",
    .likely =
        "ask each recv() for what is still missing: n minus what has come, not n, and not the buffer's size")
{
    int fds[2];
    char buf[8] = "........";
    unix_pair(fds);
    send_whole(fds[1], "helloworld", 10);
    lab_peer("sent \"helloworld\"; the first recv() brings 2 bytes");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.at_most = 2});
    ssize_t result = read_exact(fds[0], buf, 5);
    expect_bytes(result, buf, "hello", 5);
    lab_expect(memcmp(buf + 5, "...", 3) == 0, "nothing behind the 5 bytes",
               "left %s in the buffer", lab_quote(buf, 8));
    result = read_exact(fds[0], buf, 5);
    expect_bytes(result, buf, "world", 5);
    close_pair(fds);
}

LAB_TEST(
    read_exact, returns_the_count_at_an_end_within_the_bytes, .points = 2, .task = 1,
    .needs = "read_exact/returns_all_bytes_that_were_sent_at_once",
    .read = "Where the stream ends", .man = "2 recv",
    .likely =
        "recv() returned 0, the end of the stream: stop there and return the count so far")
{
    int fds[2];
    char buf[8] = "........";
    lab_tcp_pair(fds);
    send_whole(fds[1], "hel", 3);
    end_stream(fds[1]);
    lab_peer("sent \"hel\" and ended its stream");
    ssize_t result = read_exact(fds[0], buf, 5);
    expect_bytes(result, buf, "hel", 3);
    lab_likely("bytes are not text: no NUL belongs behind the last byte that came");
    lab_expect(memcmp(buf + 3, ".....", 5) == 0, "nothing behind the 3 bytes",
               "left %s in the buffer", lab_quote(buf, 8));
    lab_likely(NULL);
    expect_as_it_was(fds[0], false);
    close_pair(fds);
}

LAB_TEST(
    read_exact, returns_0_at_the_end, .points = 1, .task = 1,
    .read = "Where the stream ends", .man = "2 recv",
    .likely =
        "an end before the first byte is an end like any other: the count is 0, and no error")
{
    int fds[2];
    char buf[5] = "";
    unix_pair(fds);
    send_whole(fds[1], "hello", 5);
    end_stream(fds[1]);
    lab_peer("sent \"hello\" and ended its stream; \"hello\" has been read");
    ssize_t result = read_exact(fds[0], buf, 5);
    expect_bytes(result, buf, "hello", 5);
    expect_zero("read_exact()", read_exact(fds[0], buf, 5));
    close_pair(fds);
}

LAB_TEST(
    read_exact, reads_nothing_if_0_are_asked, .points = 1, .task = 1,
    .read = "One read is not one message", .man = "2 recv",
    .likely =
        "with n = 0 all bytes are there already: look whether any is missing before the first recv()")
{
    int fds[2];
    char buf[1] = "";
    lab_tcp_pair(fds);
    lab_peer("has sent nothing yet, and was asked for 0 bytes");
    expect_zero("read_exact()", read_exact(fds[0], buf, 0));
    close_pair(fds);
}

LAB_TEST(
    read_exact, goes_on_after_EINTR, .points = 1, .task = 1,
    .needs = "read_exact/returns_all_bytes_that_arrive_one_at_a_time",
    .read = "The calls", .man = "7 signal",
    .likely =
        "EINTR says that a signal came, and nothing about the stream: go on, from where you were")
{
    int fds[2];
    char buf[5] = "";
    unix_pair(fds);
    send_whole(fds[1], "hello", 5);
    lab_peer("sent \"hello\", of which 2 bytes came, then a signal, then the rest");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.at_most = 2});
    fault_once(CALLS_RECEIVE, 2, (struct fault){.error = EINTR});
    ssize_t result = read_exact(fds[0], buf, 5);
    expect_bytes(result, buf, "hello", 5);
    close_pair(fds);
}

LAB_TEST(
    read_exact, waits_on_a_non_blocking_socket, .points = 2, .task = 1,
    .needs = "read_exact/returns_all_bytes_that_arrive_one_at_a_time",
    .read = "The calls", .man = "2 poll",
    .likely =
        "EAGAIN says that nothing is there yet: wait with poll() for POLLIN, then go on")
{
    int fds[2];
    char buf[7] = "";
    struct helper helper;
    unix_pair(fds);
    make_non_blocking(fds[0]);
    send_whole(fds[1], "1:", 2);
    lab_peer("sent \"1:\", and \"hello\" when you slept; your socket is non-blocking, "
             "and a signal interrupted your first wait");
    fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    call_helper(&helper, fds[1], 0);
    ssize_t result = read_exact(fds[0], buf, 7);
    dismiss_helper(&helper);
    if_the_wait_ended_it(result);
    expect_bytes(result, buf, "1:hello", 7);
    expect_sleep();
    expect_as_it_was(fds[0], true);
    close_pair(fds);
}

LAB_TEST(
    read_exact, tells_an_error_from_the_end, .points = 1, .task = 1,
    .read = "Where the stream ends", .man = "2 recv",
    .likely = "-1 is no count: return -1 at once, and leave errno as the call set it")
{
    int fds[2];
    char buf[5] = "";
    int reset = reset_connection();
    lab_peer("reset the connection");
    expect_failure("read_exact()", read_exact(reset, buf, 5), ECONNRESET);
    expect_as_it_was(reset, false);
    lab_close(reset);
    lab_peer("then never was: the descriptor is closed");
    expect_failure("read_exact()", read_exact(reset, buf, 5), EBADF);
    unix_pair(fds);
    make_non_blocking(fds[0]);
    send_whole(fds[1], "hello", 5);
    lab_peer("then sent \"hello\" just after your first look (EAGAIN), and the kernel "
             "has no memory for your wait");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EAGAIN});
    fault_once(CALLS_WAIT, 1, (struct fault){.error = ENOMEM});
    unsigned before = calls_made(CALLS_WAIT);
    ssize_t result = read_exact(fds[0], buf, 5);
    if (calls_made(CALLS_WAIT) > before)
        expect_no_wait("read_exact()", result);
    else
        expect_bytes(result, buf, "hello", 5);
    fault_none();
    close_pair(fds);
    unix_pair(fds);
    send_whole(fds[1], "hello", 5);
    lab_peer(
        "then sent \"hello\", of which 2 bytes came before the connection was reset");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.at_most = 2});
    fault_once(CALLS_RECEIVE, 2, (struct fault){.error = ECONNRESET});
    before = calls_made(CALLS_RECEIVE);
    result = read_exact(fds[0], buf, 5);
    if (calls_made(CALLS_RECEIVE) > before + 1) /* with MSG_WAITALL one call brings all */
        expect_failure("read_exact()", result, ECONNRESET);
    else
        expect_bytes(result, buf, "hello", 5);
    close_pair(fds);
}

/* ---- write_all ------------------------------------------------------------------- */

/* Of "hello", or of five other bytes. */
static void expect_all_taken(ssize_t result)
{
    int error = errno;
    if (result == 0)
        lab_likely("the kernel has all of them: return n, and not 0");
    lab_expect(result == 5, "5", "returned %s", lab_result(result, error));
    lab_likely(NULL);
}

/* What lies in fd's buffer must be these n bytes (64 at most). */
static void expect_sent(int fd, const void *bytes, size_t n)
{
    char got[64], expected[160];
    ssize_t came = recv(fd, got, sizeof got, MSG_DONTWAIT);
    snprintf(expected, sizeof expected, "the peer to get %s", lab_quote(bytes, n));
    lab_expect(came == (ssize_t)n && memcmp(got, bytes, n) == 0, expected, "sent %s",
               came == -1 ? "nothing" : lab_quote(got, (size_t)came));
}

LAB_TEST(
    write_all, sends_all_bytes, .points = 1, .task = 2,
    .read = "One write is not one message", .man = "2 send",
    .likely = "n says how many bytes: a NUL is one of them, and strlen() stops there")
{
    int fds[2];
    unix_pair(fds);
    lab_peer("reads what \"he\\0lo\" becomes");
    ssize_t result = write_all(fds[0], "he\0lo", 5);
    expect_all_taken(result);
    expect_sent(fds[1], "he\0lo", 5);
    expect_as_it_was(fds[0], false);
    close_pair(fds);
}

LAB_TEST(
    write_all, sends_all_bytes_one_at_a_time, .points = 3, .task = 2,
    .needs = "write_all/sends_all_bytes", .read = "One write is not one message",
    .man = "2 send",
    .likely =
        "send() takes what there is room for, and says how many bytes that was: loop, from there on, until all are taken")
{
    int fds[2];
    lab_tcp_pair(fds);
    lab_peer("has room for one byte at a time, and reads what \"hello\" becomes");
    fault_each(CALLS_SEND, (struct fault){.at_most = 1});
    ssize_t result = write_all(fds[0], "hello", 5);
    expect_all_taken(result);
    fault_none();
    end_stream(fds[0]);
    const struct peer_report *report = peer_observe(fds[1]);
    lab_expect(report->received == 5 && memcmp(report->bytes, "hello", 5) == 0,
               "the peer to get \"hello\"", "sent %s",
               lab_quote(report->bytes, report->received));
    close_pair(fds);
}

LAB_TEST(
    write_all, goes_on_after_EINTR, .points = 1, .task = 2,
    .needs = "write_all/sends_all_bytes_one_at_a_time", .read = "The calls",
    .man = "7 signal",
    .likely =
        "EINTR says that a signal came, and nothing about the stream: go on, from where you were")
{
    int fds[2];
    unix_pair(fds);
    lab_peer("took 2 bytes of \"hello\"; then a signal came");
    fault_once(CALLS_SEND, 1, (struct fault){.at_most = 2});
    fault_once(CALLS_SEND, 2, (struct fault){.error = EINTR});
    ssize_t result = write_all(fds[0], "hello", 5);
    expect_all_taken(result);
    expect_sent(fds[1], "hello", 5);
    close_pair(fds);
}

LAB_TEST(
    write_all, waits_on_a_non_blocking_socket, .points = 2, .task = 2,
    .needs = "write_all/sends_all_bytes_one_at_a_time", .read = "The calls",
    .man = "2 poll",
    .likely =
        "EAGAIN says that there is no room yet: wait with poll() for POLLOUT, then go on")
{
    int fds[2];
    struct helper helper;
    unix_pair(fds);
    make_non_blocking(fds[0]);
    size_t filled = fill(fds[0]);
    lab_peer(
        "read nothing until the kernel had no room left, and then, when you slept, "
        "all; your socket is non-blocking, and a signal interrupted your first wait");
    fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    call_helper(&helper, fds[1], filled);
    ssize_t result = write_all(fds[0], "hello", 5);
    dismiss_helper(&helper);
    if_the_wait_ended_it(result);
    expect_all_taken(result);
    expect_sleep();
    expect_sent(fds[1], "hello", 5);
    expect_as_it_was(fds[0], true);
    close_pair(fds);
}

LAB_TEST(
    write_all, sends_more_than_the_kernel_holds, .points = 2, .task = 2,
    .needs = "write_all/waits_on_a_non_blocking_socket",
    .read = "One write is not one message", .man = "2 send",
    .likely =
        "send() took a part, often: go on behind what was taken, not from the beginning")
{
    static unsigned char bytes[PEER_KEEPS];
    int fds[2];
    unix_pair(fds);
    make_non_blocking(fds[0]);
    keep_little(fds[0]);
    lab_random_bytes(bytes, sizeof bytes);
    lab_peer("reads %zu bytes, of which the kernel holds a few at a time", sizeof bytes);
    struct peer *peer = peer_start(fds[1], (struct peer_step[]){PEER_DRAIN, PEER_STOP});
    ssize_t result = write_all(fds[0], bytes, sizeof bytes);
    int error = errno;
    end_stream(fds[0]);
    const struct peer_report *report = peer_join(peer);
    lab_expect(result == (ssize_t)sizeof bytes, "all of them", "returned %s",
               lab_result(result, error));
    lab_expect(report->received == sizeof bytes, "the peer to get as many bytes",
               "sent %zu", report->received);
    lab_expect(memcmp(report->bytes, bytes, sizeof bytes) == 0, "the same bytes",
               "sent others");
    lab_close(fds[0]);
}

static volatile sig_atomic_t sigpipes;

static void count_sigpipe(int number)
{
    (void)number;
    sigpipes = sigpipes + 1;
}

LAB_TEST(
    write_all, raises_no_SIGPIPE, .points = 2, .task = 2, .read = "The calls",
    .man = "2 send",
    .likely =
        "writing to a connection that is over raises SIGPIPE, which ends the program: send() with MSG_NOSIGNAL")
{
    int fds[2];
    struct sigaction counting = {.sa_handler = count_sigpipe}, now;
    sigaction(SIGPIPE, &counting, NULL);
    unix_pair(fds);
    lab_close(fds[1]);
    lab_peer("has closed its end");
    ssize_t result = write_all(fds[0], "hello", 5);
    int error = errno;
    lab_expect(sigpipes == 0, "no signal", "raised SIGPIPE");
    errno = error;
    expect_failure("write_all()", result, EPIPE);
    sigaction(SIGPIPE, NULL, &now);
    lab_likely(
        "what a signal does is the program's business: MSG_NOSIGNAL needs none of it");
    lab_expect(now.sa_handler == count_sigpipe,
               "the program's handler of SIGPIPE left alone", "changed it");
    lab_likely(NULL);
    signal(SIGPIPE, SIG_DFL);
    expect_as_it_was(fds[0], false);
    lab_close(fds[0]);
}

LAB_TEST(
    write_all, reports_an_error, .points = 1, .task = 2, .read = "The calls",
    .man = "2 send",
    .likely = "-1 is no count: return -1 at once, and leave errno as the call set it")
{
    int fds[2];
    int reset = reset_connection();
    lab_peer("reset the connection");
    expect_failure("write_all()", write_all(reset, "hello", 5), ECONNRESET);
    lab_close(reset);
    lab_peer("then never was: the descriptor is closed");
    expect_failure("write_all()", write_all(reset, "hello", 5), EBADF);
    unix_pair(fds);
    make_non_blocking(fds[0]);
    lab_peer("then had no room at your first look (EAGAIN), and the kernel has no memory "
             "for your wait");
    fault_once(CALLS_SEND, 1, (struct fault){.error = EAGAIN});
    fault_once(CALLS_WAIT, 1, (struct fault){.error = ENOMEM});
    unsigned before = calls_made(CALLS_WAIT);
    ssize_t result = write_all(fds[0], "hello", 5);
    if (calls_made(CALLS_WAIT) > before)
        expect_no_wait("write_all()", result);
    else
        expect_all_taken(result);
    fault_none();
    close_pair(fds);
    unix_pair(fds);
    lab_peer("then took 2 bytes of \"hello\", and the connection was over");
    fault_once(CALLS_SEND, 1, (struct fault){.at_most = 2});
    fault_once(CALLS_SEND, 2, (struct fault){.error = EPIPE});
    expect_failure("write_all()", write_all(fds[0], "hello", 5), EPIPE);
    close_pair(fds);
}

LAB_TEST(
    write_all, sends_nothing_if_n_is_0, .points = 1, .task = 2,
    .read = "One write is not one message", .man = "2 send",
    .likely =
        "with n = 0 all bytes are sent already: look whether any is left before the first send()")
{
    int fds[2];
    unix_pair(fds);
    lab_close(fds[1]);
    lab_peer("has closed its end, and is sent 0 bytes");
    expect_zero("write_all()", write_all(fds[0], "", 0));
    lab_close(fds[0]);
}

/* ---- splitters ------------------------------------------------------------------- */

static struct splitter_rule none(size_t max_length)
{
    return (struct splitter_rule){.mode = SPLIT_NONE, .max_length = max_length};
}

static struct splitter_rule fixed(size_t length, size_t max_length)
{
    return (struct splitter_rule){
        .mode = SPLIT_FIXED, .fixed_length = length, .max_length = max_length};
}

static struct splitter_rule delimiter(const char *text, size_t n, size_t max_length)
{
    struct splitter_rule rule = {
        .mode = SPLIT_DELIMITER, .delimiter_length = n, .max_length = max_length};
    memcpy(rule.delimiter, text, n);
    return rule;
}

static const char *rule_text(const struct splitter_rule *rule)
{
    static char text[160];
    if (rule->mode == SPLIT_NONE)
        snprintf(text, sizeof text, "nothing (SPLIT_NONE)");
    else if (rule->mode == SPLIT_FIXED)
        snprintf(text, sizeof text, "messages of %zu bytes", rule->fixed_length);
    else
        snprintf(text, sizeof text, "the delimiter %s",
                 lab_quote(rule->delimiter, rule->delimiter_length));
    if (rule->max_length != SIZE_MAX)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 ", at most %zu bytes each", rule->max_length);
    return text;
}

static struct splitter *made(struct splitter_rule rule)
{
    struct splitter *splitter = splitter_new(&rule);
    lab_expect(splitter != NULL, "a splitter",
               "splitter_new() (%s) returned NULL, errno %s", rule_text(&rule),
               lab_errno(errno));
    lab_peer("agreed on %s", rule_text(&rule));
    return splitter;
}

/* The bytes are in memory of their own, which is overwritten and freed after the call: a
   splitter that keeps the pointer and not the bytes shows it. */
static int feed_copy(struct splitter *splitter, const void *bytes, size_t n)
{
    char *copy = malloc(n);
    if (n > 0 && copy == NULL)
        lab_error("malloc()");
    if (n > 0)
        memcpy(copy, bytes, n);
    int result = splitter_feed(splitter, copy, n);
    int error = errno;
    if (n > 0)
        memset(copy, '#', n);
    free(copy);
    errno = error;
    return result;
}

static void feed_quietly(struct splitter *splitter, const void *bytes, size_t n)
{
    expect_zero("splitter_feed()", feed_copy(splitter, bytes, n));
}

static void feed_bytes(struct splitter *splitter, const void *bytes, size_t n)
{
    if (n > 0)
        lab_peer("sent %s", lab_quote(bytes, n));
    feed_quietly(splitter, bytes, n);
}

static void feed(struct splitter *splitter, const char *text)
{
    feed_bytes(splitter, text, strlen(text));
}

static void expect_result(const char *call, int result, const void *got, size_t length,
                          const void *bytes, size_t n)
{
    char expected[160];
    int error = errno;
    snprintf(expected, sizeof expected, "1 and %s", lab_quote(bytes, n));
    if (result != 1)
        lab_expect(false, expected, "%s returned %s", call, lab_result(result, error));
    lab_expect(length == n && (n == 0 || memcmp(got, bytes, n) == 0), expected,
               "%s returned 1 and %s", call, lab_quote(got, length));
}

static void expect_bytes_next(struct splitter *splitter, const void *bytes, size_t n)
{
    const void *message = NULL;
    size_t length = SIZE_MAX;
    int result = splitter_next(splitter, &message, &length);
    expect_result("splitter_next()", result, message, length, bytes, n);
}

static void expect_next(struct splitter *splitter, const char *text)
{
    expect_bytes_next(splitter, text, strlen(text));
}

static const char untouched;

static void expect_no_next(struct splitter *splitter)
{
    const void *message = &untouched;
    size_t length = 4242;
    int result = splitter_next(splitter, &message, &length);
    int error = errno;
    if (result == 1)
        lab_expect(false, "0: no whole message is there",
                   "splitter_next() returned 1 and %s", lab_quote(message, length));
    errno = error;
    expect_zero("splitter_next()", result);
    lab_likely("*message and *length are for a message: set them only together with 1");
    lab_expect(message == &untouched && length == 4242, "*message and *length untouched",
               "set them, and returned 0");
    lab_likely(NULL);
}

static void expect_leftover(struct splitter *splitter, const void *bytes, size_t n)
{
    const void *leftover = NULL;
    size_t length = SIZE_MAX;
    int result = splitter_end(splitter, &leftover, &length);
    expect_result("splitter_end()", result, leftover, length, bytes, n);
}

static void expect_no_leftover(struct splitter *splitter)
{
    const void *leftover = &untouched;
    size_t length = 4242;
    int result = splitter_end(splitter, &leftover, &length);
    int error = errno;
    if (result == 1)
        lab_expect(false, "0: nothing is left over", "splitter_end() returned 1 and %s",
                   length == 4242 ? "set nothing" : lab_quote(leftover, length));
    errno = error;
    expect_zero("splitter_end()", result);
    lab_likely("*leftover and *length are set only together with 1");
    lab_expect(leftover == &untouched && length == 4242,
               "*leftover and *length untouched", "set them, and returned 0");
    lab_likely(NULL);
}

static void expect_too_long(struct splitter *splitter)
{
    const void *message = &untouched;
    size_t length = 4242;
    int result = splitter_next(splitter, &message, &length);
    int error = errno;
    if (result == 1)
        lab_expect(false, "-1 and errno EMSGSIZE", "splitter_next() returned 1 and %s",
                   lab_quote(message, length));
    errno = error;
    expect_failure("splitter_next()", result, EMSGSIZE);
    lab_likely("*message and *length are for a message: set them only together with 1");
    lab_expect(message == &untouched && length == 4242, "*message and *length untouched",
               "set them, and returned -1");
    lab_likely(NULL);
}

/* ---- what it takes ---------------------------------------------------------------- */

/* AddressSanitizer knows what memory is taken and asked for; without it nobody asks. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                              void (*)(const volatile void *))
    __attribute__((weak));

static size_t memory_taken(void)
{
    return __sanitizer_get_current_allocated_bytes
               ? __sanitizer_get_current_allocated_bytes()
               : 0;
}

/* Twice what the header allows: the test's own memory is in it. */
static void expect_little(size_t before, const char *when)
{
    enum { LITTLE = 1 << 17 };
    size_t now = memory_taken();
    lab_expect(now <= before + LITTLE, "memory for what was fed, not for what may come",
               "had taken %zu bytes %s", now - before, when);
}

static size_t memory_asked;

static void count_memory(const volatile void *memory, size_t n)
{
    (void)memory;
    memory_asked += n;
}

static void ignore_memory(const volatile void *memory)
{
    (void)memory;
}

/* ---- splitter_new, splitter_free ------------------------------------------------- */

LAB_TEST(
    splitter_new, makes_a_splitter_for_every_mode, .points = 2, .task = 3,
    .read = "The rule", .man = "3 calloc",
    .likely =
        "the ends of a range are in it; and no memory is taken for what max_length allows, only for what comes")
{
    const struct splitter_rule rules[] = {
        none(1),
        none(SIZE_MAX),
        fixed(1, 1),
        fixed(24, SIZE_MAX),
        fixed(SIZE_MAX, SIZE_MAX),
        delimiter("\n", 1, 1),
        delimiter("12345678", 8, SIZE_MAX),
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        size_t before = memory_taken();
        struct splitter *splitter = made(rules[i]);
        expect_little(before, "before the first byte");
        splitter_feed(splitter, "x", 1); /* whether it works is not asked here */
        expect_little(before, "after one byte");
        splitter_free(splitter);
    }
}

static void expect_refusal(struct splitter_rule rule, const char *what)
{
    errno = 0;
    struct splitter *splitter = splitter_new(&rule);
    int error = errno;
    lab_expect(splitter == NULL && error == EINVAL, "NULL and errno EINVAL",
               "splitter_new() with %s returned %s %s", what,
               splitter ? "a splitter" : "NULL and errno",
               splitter ? "" : lab_errno(error));
}

LAB_TEST(
    splitter_new, refuses_what_makes_no_sense, .points = 2, .task = 3, .read = "The rule",
    .man = "3 errno",
    .likely = "each mode has its own field to look at, max_length they have in common")
{
    struct splitter_rule long_delimiter = delimiter("12345678", 8, 100);
    struct splitter_rule unknown = {.mode = (enum splitter_mode)(SPLIT_DELIMITER + 1),
                                    .max_length = 100,
                                    .fixed_length = 1,
                                    .delimiter_length = 1};
    long_delimiter.delimiter_length = SPLITTER_DELIMITER_MAX + 1;
    lab_peer("is not there yet");
    expect_refusal(none(0), "SPLIT_NONE and max_length 0");
    expect_refusal(delimiter(";", 1, 0), "SPLIT_DELIMITER and max_length 0");
    expect_refusal(fixed(0, 100), "SPLIT_FIXED and fixed_length 0");
    expect_refusal(fixed(0, 0), "SPLIT_FIXED, fixed_length 0 and max_length 0");
    expect_refusal(fixed(101, 100), "SPLIT_FIXED, fixed_length 101 and max_length 100");
    expect_refusal(delimiter("", 0, 100), "SPLIT_DELIMITER and delimiter_length 0");
    expect_refusal(long_delimiter, "SPLIT_DELIMITER and delimiter_length 9");
    expect_refusal(unknown, "a mode that there is not");
}

LAB_TEST(
    splitter_new, looks_only_at_the_fields_of_its_mode, .points = 1, .task = 3,
    .needs = "splitter_new/makes_a_splitter_for_every_mode", .read = "The rule",
    .man = "3 calloc",
    .likely = "what a mode has no use for may hold anything: neither check it nor use it")
{
    struct splitter_rule odd_none = none(1), odd_fixed = fixed(1, 1);
    struct splitter_rule odd_delimiter = delimiter(";", 1, 1);
    odd_none.fixed_length = odd_delimiter.fixed_length = 4242;
    odd_none.delimiter_length = odd_fixed.delimiter_length = 4242;
    splitter_free(made(odd_none));
    splitter_free(made(odd_fixed));
    splitter_free(made(odd_delimiter));
}

LAB_TEST(
    splitter_new, reports_a_lack_of_memory, .points = 1, .task = 3, .read = "The rule",
    .man = "3 calloc",
    .likely =
        "malloc() may return NULL: then return NULL too, give back what you have, and leave errno as it is")
{
    const struct splitter_rule rule = delimiter("\r\n", 2, 100);
    lab_peer("is not there yet; this machine has no memory left");
    for (unsigned nth = 1; nth <= 3; nth++) {
        unsigned before = faults_taken();
        fault_once(CALLS_ALLOCATE, nth, (struct fault){.error = ENOMEM});
        struct splitter *splitter = splitter_new(&rule);
        int error = errno;
        bool taken = faults_taken() != before;
        fault_none();
        lab_expect(taken ? splitter == NULL && error == ENOMEM : splitter != NULL,
                   taken ? "NULL and errno ENOMEM" : "a splitter",
                   "splitter_new() returned %s %s",
                   splitter ? "a splitter" : "NULL and errno",
                   splitter ? "" : lab_errno(error));
        splitter_free(splitter);
    }
}

/* ---- splitter_feed --------------------------------------------------------------- */

LAB_TEST(
    splitter_feed, takes_any_number_of_bytes, .points = 2, .task = 4,
    .needs = "splitter_new/makes_a_splitter_for_every_mode", .read = "The buffer between",
    .man = "3 memcpy",
    .likely =
        "make room for what comes behind what is there, then copy; 0 bytes add nothing")
{
    static const char many[100000];
    struct splitter *splitter = made(none(SIZE_MAX));
    feed_bytes(splitter, "", 0);
    feed_bytes(splitter, "x", 1);
    feed_bytes(splitter, many, sizeof many);
    for (int i = 0; i < 1000; i++)
        feed_quietly(splitter, "123", 3);
    feed_bytes(splitter, "", 0);
    lab_peer("sent nothing: bytes is NULL, and n is 0");
    expect_zero("splitter_feed()", splitter_feed(splitter, NULL, 0));
    splitter_free(splitter);
}

LAB_TEST(
    splitter_feed, reports_a_lack_of_memory, .points = 1, .task = 4,
    .needs =
        "splitter_feed/takes_any_number_of_bytes, splitter_next/a_delimiter_ends_a_message",
    .read = "The buffer between", .man = "3 realloc",
    .likely =
        "when memory cannot be had return -1 and change nothing: what was fed before is still there, and still to be freed")
{
    static const char many[100000];
    struct splitter *splitter = made(none(SIZE_MAX));
    unsigned refused = 0;
    lab_peer("sends, while this machine has no memory left");
    feed_quietly(splitter, "first", 5);
    for (int i = 0; i < 10; i++) {
        fault_each(CALLS_ALLOCATE, (struct fault){.error = ENOMEM});
        int result = feed_copy(splitter, many, sizeof many);
        int error = errno;
        fault_none();
        errno = error;
        if (result == -1) {
            expect_failure("splitter_feed()", result, ENOMEM);
            refused++;
            feed_quietly(splitter, many, sizeof many); /* there is memory again */
        } else
            expect_zero("splitter_feed()", result);
    }
    lab_expect(refused > 0, "-1 and errno ENOMEM once at least, for 1000000 bytes",
               "took all of them");
    splitter_free(splitter);
    splitter = made(delimiter(";", 1, SIZE_MAX));
    feed(splitter, "one;two;th");
    expect_next(splitter, "one");
    fault_each(CALLS_ALLOCATE, (struct fault){.error = ENOMEM});
    int result = feed_copy(splitter, many, sizeof many);
    fault_none();
    if (result == -1) {
        lab_peer("then sent %zu bytes more, for which there was no memory", sizeof many);
        expect_next(splitter, "two");
        expect_no_next(splitter);
        feed(splitter, "ree;");
        expect_next(splitter, "three");
    }
    splitter_free(splitter);
}

/* ---- splitter_next --------------------------------------------------------------- */

LAB_TEST(splitter_next, none_gives_what_was_fed, .points = 2, .task = 5,
         .needs = "splitter_feed/takes_any_number_of_bytes",
         .read = "Three ways to cut a stream", .man = "3 memcpy",
         .likely = "SPLIT_NONE: all that is there, and then it is taken out")
{
    struct splitter *splitter = made(none(100));
    expect_no_next(splitter);
    feed(splitter, "Hello");
    feed(splitter, "World");
    expect_next(splitter, "HelloWorld");
    expect_no_next(splitter);
    feed(splitter, "again");
    expect_next(splitter, "again");
    expect_no_next(splitter);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, none_gives_at_most_the_maximum, .points = 1, .task = 5,
    .needs = "splitter_next/none_gives_what_was_fed",
    .read = "Three ways to cut a stream", .man = "3 memcpy",
    .likely =
        "a message is never longer than max_length: the first bytes, and then the rest")
{
    struct splitter *splitter = made(none(4));
    feed(splitter, "123456");
    expect_next(splitter, "1234");
    feed(splitter, "78");
    expect_next(splitter, "5678");
    expect_no_next(splitter);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, fixed_gives_so_many_bytes, .points = 2, .task = 5,
    .needs = "splitter_next/none_gives_what_was_fed",
    .read = "Three ways to cut a stream", .man = "3 memcpy",
    .likely =
        "a message is there when fixed_length bytes are, be it exactly so many; one call takes one out and leaves the rest")
{
    struct splitter *splitter = made(fixed(5, 5));
    feed(splitter, "HelloWorldab");
    expect_next(splitter, "Hello");
    expect_next(splitter, "World");
    expect_no_next(splitter);
    feed(splitter, "cd");
    expect_no_next(splitter);
    feed(splitter, "e");
    expect_next(splitter, "abcde");
    expect_no_next(splitter);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, a_delimiter_ends_a_message, .points = 2, .task = 5,
    .needs = "splitter_next/none_gives_what_was_fed",
    .read = "Three ways to cut a stream", .man = "3 memmem",
    .likely =
        "look for the delimiter in what is there: the bytes before it are the message, it is taken out too, what is behind it stays")
{
    struct splitter *splitter = made(delimiter(";", 1, 100));
    feed(splitter, "one;two;th");
    expect_next(splitter, "one");
    expect_next(splitter, "two");
    expect_no_next(splitter);
    feed(splitter, "r");
    expect_no_next(splitter);
    feed(splitter, "ee;");
    expect_next(splitter, "three");
    expect_no_next(splitter);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, empty_messages_are_messages, .points = 2, .task = 5,
    .needs = "splitter_next/a_delimiter_ends_a_message",
    .read = "Three ways to cut a stream", .man = "3 strtok",
    .likely =
        "two delimiters in a row have an empty message between them: length 0 is a message, and no reason to stop or to skip")
{
    struct splitter *splitter = made(delimiter("\r\n", 2, 100));
    feed(splitter, "\r\n\r\na\r\n\r\n");
    expect_next(splitter, "");
    expect_next(splitter, "");
    expect_next(splitter, "a");
    expect_next(splitter, "");
    expect_no_next(splitter);
    splitter_free(splitter);
}

/* Does splitter_next() give this message? Without a word. */
static bool gives(struct splitter *splitter, const char *text)
{
    const void *message = NULL;
    size_t length = SIZE_MAX;
    return splitter_next(splitter, &message, &length) == 1 && length == strlen(text) &&
           memcmp(message, text, length) == 0;
}

static void tell_cut(struct splitter_rule rule, const char *stream, size_t cut,
                     const char *first, const char *second)
{
    size_t whole = strlen(first) + rule.delimiter_length;
    if (rule.mode == SPLIT_FIXED)
        whole = rule.fixed_length;
    struct splitter *splitter = made(rule);
    feed_bytes(splitter, stream, cut);
    if (cut >= whole)
        expect_next(splitter, first);
    if (cut < strlen(stream) && !(cut >= whole && second[0] == '\0'))
        expect_no_next(splitter);
    feed(splitter, stream + cut);
    if (cut < whole)
        expect_next(splitter, first);
    expect_next(splitter, second);
    expect_no_next(splitter);
    splitter_free(splitter);
}

/* Two messages behind each other, cut once, at every place: first tried, and told only
   where it fails, so that the story is of that cut alone. */
static void cut_everywhere(struct splitter_rule rule, const char *stream,
                           const char *first, const char *second)
{
    size_t n = strlen(stream);
    for (size_t cut = 0; cut <= n; cut++) {
        const void *message = NULL;
        size_t length = SIZE_MAX;
        struct splitter *splitter = splitter_new(&rule);
        bool right = splitter != NULL && feed_copy(splitter, stream, cut) == 0;
        int early = right ? splitter_next(splitter, &message, &length) : 0;
        right = right && early >= 0 &&
                (early == 0 ||
                 (length == strlen(first) && memcmp(message, first, length) == 0));
        right = right && feed_copy(splitter, stream + cut, n - cut) == 0 &&
                (early == 1 || gives(splitter, first)) && gives(splitter, second) &&
                splitter_next(splitter, &message, &length) == 0;
        splitter_free(splitter);
        if (right)
            continue;
        tell_cut(rule, stream, cut, first, second);
        lab_expect(false, "two messages, and no more", "cut at %zu, did otherwise", cut);
    }
}

LAB_TEST(
    splitter_next, a_delimiter_may_be_cut, .points = 2, .task = 5,
    .needs = "splitter_next/a_delimiter_ends_a_message",
    .read = "A delimiter in two pieces", .man = "3 memmem",
    .likely =
        "the delimiter may begin in one read and end in the next: search on from where it may have begun, delimiter_length - 1 bytes back")
{
    cut_everywhere(delimiter("\r\n", 2, 100), "one\r\ntwo\r\n", "one", "two");
    cut_everywhere(delimiter("12345678", 8, 100), "x12345678123456712345678", "x",
                   "1234567");
}

LAB_TEST(
    splitter_next, a_delimiter_may_begin_like_itself, .points = 2, .task = 5,
    .needs = "splitter_next/a_delimiter_may_be_cut", .read = "A delimiter in two pieces",
    .man = "3 memmem",
    .likely =
        "after a mismatch go back to the byte behind the one where the match began: in \"aaab\" the second a begins \"aab\"")
{
    cut_everywhere(delimiter("aab", 3, 100), "aaabaabb", "a", "");
    cut_everywhere(delimiter("abab", 4, 100), "aabaababcabab", "aaba", "c");
}

LAB_TEST(
    splitter_next, any_bytes_will_do, .points = 1, .task = 5,
    .needs = "splitter_next/a_delimiter_may_be_cut", .read = "Bytes, not text",
    .man = "3 memcmp",
    .likely =
        "strlen(), strstr() and %s stop at a NUL: compare bytes, as many as delimiter_length says")
{
    struct splitter *splitter = made(delimiter("\0\xff", 2, 100));
    feed_bytes(splitter, "a\0b\0\xff\xff\0\0\xff\0", 10);
    expect_bytes_next(splitter, "a\0b", 3);
    expect_bytes_next(splitter, "\xff\0", 2);
    expect_no_next(splitter);
    feed_bytes(splitter, "\xff", 1);
    expect_bytes_next(splitter, "", 0);
    expect_no_next(splitter);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, each_splitter_stands_for_itself, .points = 2, .task = 5,
    .needs = "splitter_next/a_delimiter_ends_a_message", .read = "The buffer between",
    .man = "3 calloc",
    .likely =
        "one connection's bytes turn up in another's: what a splitter keeps belongs into struct splitter, not into static variables; and the rule is copied")
{
    struct splitter_rule rule = delimiter(";", 1, 100);
    struct splitter *one = splitter_new(&rule);
    rule = delimiter("b", 1, 4);
    struct splitter *other = splitter_new(&rule);
    rule = fixed(1, 1);
    lab_expect(one != NULL && other != NULL, "two splitters", "could not make them");
    lab_peer(
        "agreed on the delimiter \";\" and sent \"ab\"; another one (delimiter \"b\") \"xxa\"; then "
        "the first one \"c;\", and the other one \"b\"");
    feed_quietly(one, "ab", 2);
    feed_quietly(other, "xxa", 3);
    expect_no_next(one);
    expect_no_next(other);
    feed_quietly(one, "c;", 2);
    feed_quietly(other, "b", 1);
    const void *message = NULL;
    size_t length = SIZE_MAX;
    int result = splitter_next(one, &message, &length);
    expect_next(other, "xxa"); /* the first one's message is valid all the while */
    expect_result("splitter_next()", result, message, length, "abc", 3);
    splitter_free(one);
    splitter_free(other);
}

/* ---- any cut gives the same ------------------------------------------------------ */

enum { STREAM = 240, ROUNDS = 200, ALL_AT_ONCE = 1, ONE_BY_ONE, PIECES };

struct expected {
    struct {
        size_t at, length;
    } message[STREAM + 1];
    size_t count, leftover;
    bool too_long, not_sure; /* not sure: it may be told now, or when more has come */
};

/* The whole stream is there, and each place is looked at anew: slow and plain. */
static void split_whole(const struct splitter_rule *rule, const char *stream, size_t n,
                        struct expected *expected)
{
    size_t at = 0, d = rule->mode == SPLIT_DELIMITER ? rule->delimiter_length : 0;
    *expected = (struct expected){0};
    for (;;) {
        size_t length = d == 0 ? rule->fixed_length : 0;
        while (d != 0 && at + length + d <= n &&
               memcmp(stream + at + length, rule->delimiter, d) != 0)
            length++;
        if (at + length + d > n) {
            expected->leftover = n - at;
            expected->too_long = d != 0 && n - at >= rule->max_length + d;
            expected->not_sure = d != 0 && n - at > rule->max_length;
            return;
        }
        expected->too_long = length > rule->max_length;
        if (expected->too_long)
            return;
        expected->message[expected->count].at = at;
        expected->message[expected->count++].length = length;
        at += length + d;
    }
}

static struct splitter_rule random_rule(void)
{
    char bytes[SPLITTER_DELIMITER_MAX];
    size_t max_length = lab_random_below(4) == 0 ? 1 + lab_random_below(12) : STREAM;
    if (lab_random_below(5) == 0)
        return fixed(1 + lab_random_below(12), STREAM);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = "aab"[lab_random_below(3)];
    return delimiter(bytes, 1 + lab_random_below(SPLITTER_DELIMITER_MAX), max_length);
}

/* Takes out what is there, and compares. False after a message that is too long. */
static bool take_out(struct splitter *splitter, const char *stream,
                     const struct expected *expected, size_t *taken)
{
    const void *message = NULL;
    size_t length = 0;
    int result = splitter_next(splitter, &message, &length);
    for (; result == 1; result = splitter_next(splitter, &message, &length)) {
        if (*taken == expected->count)
            lab_expect(false, "no message more", "took %zu messages out, and then got %s",
                       *taken, lab_quote(message, length));
        expect_result("splitter_next()", result, message, length,
                      stream + expected->message[*taken].at,
                      expected->message[*taken].length);
        ++*taken;
    }
    if (result == -1 && errno == EMSGSIZE && (expected->too_long || expected->not_sure)) {
        lab_expect(*taken == expected->count, "the messages before the one too long",
                   "reported EMSGSIZE after %zu of %zu messages", *taken,
                   expected->count);
        return false;
    }
    expect_zero("splitter_next()", result);
    return true;
}

static void cut_at_random(unsigned how)
{
    struct splitter_rule rule = random_rule();
    struct expected expected;
    char stream[STREAM];
    size_t n = lab_random_below(STREAM + 1), taken = 0, most = 1 + lab_random_below(9);
    for (size_t i = 0; i < n; i++)
        stream[i] = "aab"[lab_random_below(3)];
    split_whole(&rule, stream, n, &expected);
    struct splitter *splitter = splitter_new(&rule);
    lab_expect(splitter != NULL, "a splitter", "splitter_new() (%s) returned NULL",
               rule_text(&rule));
    bool sound = true;
    for (size_t fed = 0, piece; sound && fed < n; fed += piece) {
        piece = how == ALL_AT_ONCE  ? n
                : how == ONE_BY_ONE ? 1
                                    : lab_random_below((uint32_t)most + 1);
        piece = piece < n - fed ? piece : n - fed;
        feed_quietly(splitter, stream + fed, piece);
        if (how != PIECES || lab_random_below(3) != 0)
            sound = take_out(splitter, stream, &expected, &taken);
    }
    sound = sound && take_out(splitter, stream, &expected, &taken);
    lab_expect(taken == expected.count, "all messages", "gave %zu of %zu messages", taken,
               expected.count);
    lab_expect(!sound || !expected.too_long, "-1 and errno EMSGSIZE at the end",
               "did not report that the last message is too long");
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, any_cut_gives_the_same_messages, .points = 4, .task = 5,
    .needs =
        "splitter_next/fixed_gives_so_many_bytes, splitter_next/a_delimiter_may_begin_like_itself, splitter_next/refuses_a_longer_message",
    .read = "A delimiter in two pieces", .man = "3 memmem",
    .likely =
        "what splitter_feed() or splitter_next() keeps between two calls depends on how the stream was cut")
{
    lab_peer("sent random streams of a and b, cut at random");
    for (int round = 0; round < ROUNDS; round++)
        cut_at_random(PIECES);
    lab_peer("then random streams, one byte a read");
    for (int round = 0; round < ROUNDS / 4; round++)
        cut_at_random(ONE_BY_ONE);
    lab_peer("then random streams, all at once");
    for (int round = 0; round < ROUNDS / 4; round++)
        cut_at_random(ALL_AT_ONCE);
}

/* ---- the maximum ----------------------------------------------------------------- */

LAB_TEST(
    splitter_next, takes_a_message_of_the_maximum, .points = 2, .task = 5,
    .needs = "splitter_next/a_delimiter_may_be_cut", .read = "A limit for a stranger",
    .man = "3 errno",
    .likely =
        "max_length counts the message without its delimiter, and a message that has exactly so many bytes is right, also while its delimiter is still on its way")
{
    cut_everywhere(delimiter("\r\n", 2, 5), "12345\r\nabc\r\n", "12345", "abc");
    cut_everywhere(delimiter(";", 1, SIZE_MAX), "12345;abc;", "12345", "abc");
    cut_everywhere(fixed(3, 3), "123abc", "123", "abc");
}

LAB_TEST(
    splitter_next, refuses_a_longer_message, .points = 2, .task = 5,
    .needs = "splitter_next/a_delimiter_ends_a_message", .read = "A limit for a stranger",
    .man = "3 errno",
    .likely =
        "a delimiter that is found too late, or not among the first max_length + delimiter_length bytes, means EMSGSIZE: after the messages before it, and not before them")
{
    struct splitter *splitter = made(delimiter("\r\n", 2, 5));
    feed(splitter, "ok\r\n\r\n123456\r\nok\r\n");
    expect_next(splitter, "ok");
    expect_next(splitter, "");
    expect_too_long(splitter);
    splitter_free(splitter);
    splitter = made(delimiter("\r\n", 2, 5));
    feed(splitter, "ok\r\n12345");
    expect_next(splitter, "ok");
    expect_no_next(splitter);
    feed(splitter, "67");
    expect_too_long(splitter);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, stays_refused, .points = 1, .task = 5,
    .needs = "splitter_next/refuses_a_longer_message", .read = "A limit for a stranger",
    .man = "3 errno",
    .likely =
        "once the stream is lost it stays lost: remember that in struct splitter, and look there first in each function")
{
    const void *leftover = NULL;
    size_t length = 0;
    struct splitter *splitter = made(delimiter(";", 1, 3));
    feed(splitter, "1234;ok;");
    expect_too_long(splitter);
    lab_peer("was too long, and then sent \";ok;\"");
    expect_failure("splitter_feed()", splitter_feed(splitter, ";ok;", 4), EMSGSIZE);
    expect_too_long(splitter);
    expect_failure("splitter_end()", splitter_end(splitter, &leftover, &length),
                   EMSGSIZE);
    expect_too_long(splitter);
    splitter_free(splitter);
}

/* ---- what it costs --------------------------------------------------------------- */

/*
 * A right program needs 20 ms of the processor, or so, for each of these streams; one that
 * searches or moves everything again with each call, seconds. Looked at now and then, so
 * that the test says so and does not hang.
 */
enum { ENOUGH_MS = 400, LOOK_EVERY = 256 };

static double processor_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static void expect_quick(double start, size_t done, size_t all)
{
    if (done % LOOK_EVERY == 0 && processor_ms() - start > ENOUGH_MS)
        lab_expect(false, "a time proportional to the bytes: some 20 ms for all of them",
                   "needed more than %d ms for %zu of %zu steps", ENOUGH_MS, done, all);
}

/* Each piece of memory asked for may be filled with what was there before: all of them
   together are a measure of the bytes moved. Doubling makes it 2 to 4 times the bytes fed, a
   growth by an eighth 9 times. */
static void feed_much(void)
{
    enum { PIECE = 1000, PIECES_FED = 4000, TIMES = 16 };
    static const char piece[PIECE];
    static bool counting;
    struct splitter *splitter = made(none(SIZE_MAX));
    if (!counting && __sanitizer_install_malloc_and_free_hooks)
        counting = __sanitizer_install_malloc_and_free_hooks(count_memory, ignore_memory);
    memory_asked = 0;
    for (size_t i = 0; i < PIECES_FED; i++) {
        expect_zero("splitter_feed()", splitter_feed(splitter, piece, PIECE));
        if (memory_asked > (size_t)TIMES * PIECE * PIECES_FED)
            lab_expect(false,
                       "memory that grows by a factor, and not by a number of bytes",
                       "had asked for %zu bytes in all after %zu of %d reads",
                       memory_asked, i + 1, PIECES_FED);
    }
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, searches_no_byte_again, .points = 2, .task = 5,
    .needs = "splitter_next/a_delimiter_may_be_cut", .read = "What it costs",
    .man = "3 memmem",
    .likely =
        "each call searches, or moves, all that has come since the message began: keep in mind how far you were, and make room by doubling")
{
    enum { PIECE = 32, PIECES_FED = 25000 };
    char piece[PIECE];
    memset(piece, 'x', sizeof piece);
    lab_peer("sent 4000000 bytes, 1000 a read");
    feed_much();
    struct splitter *splitter = made(delimiter("\r\n", 2, SIZE_MAX));
    lab_peer("sent a message of %d bytes, %d a read", PIECE * PIECES_FED, PIECE);
    double start = processor_ms();
    for (size_t i = 0; i < PIECES_FED; i++) {
        const void *message = NULL;
        size_t length = 0;
        if (splitter_feed(splitter, piece, PIECE) != 0 ||
            splitter_next(splitter, &message, &length) != 0)
            lab_expect(false, "0 from both", "failed at read %zu, errno %s", i,
                       lab_errno(errno));
        expect_quick(start, i, PIECES_FED);
    }
    splitter_free(splitter);
}

enum { SHORT_MESSAGE = 31 };

static void take_one(struct splitter *splitter, size_t i)
{
    const void *message = NULL;
    size_t length = 0;
    if (splitter_next(splitter, &message, &length) != 1 || length != SHORT_MESSAGE)
        lab_expect(false, "each message", "lost message %zu", i);
}

LAB_TEST(
    splitter_next, moves_no_byte_again, .points = 2, .task = 5,
    .needs = "splitter_next/a_delimiter_ends_a_message", .read = "What it costs",
    .man = "3 memmove",
    .likely =
        "each message taken out moves all that are behind it: note where the next one begins, and move only when there is no room")
{
    const size_t n = 25000, more = 12500;
    const char message[] = "a message of one and thirty ...;";
    enum { EACH = sizeof message - 1 };
    struct splitter *splitter = made(delimiter(";", 1, SIZE_MAX));
    char *stream = malloc(EACH * n);
    if (stream == NULL)
        lab_error("malloc()");
    for (size_t i = 0; i < n; i++)
        memcpy(stream + EACH * i, message, EACH);
    lab_peer("sent %zu messages in one read, and then one more for each that was taken "
             "out",
             n);
    feed_quietly(splitter, stream, EACH * n);
    free(stream);
    double start = processor_ms();
    for (size_t i = 0; i < more; i++) {
        take_one(splitter, i);
        if (splitter_feed(splitter, message, EACH) != 0)
            lab_expect(false, "0", "splitter_feed() failed, errno %s", lab_errno(errno));
        expect_quick(start, i, more);
    }
    for (size_t i = 0; i < n; i++) {
        take_one(splitter, i);
        expect_quick(start, i, n);
    }
    expect_no_next(splitter);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_feed, uses_the_room_again, .points = 1, .task = 4,
    .needs = "splitter_next/fixed_gives_so_many_bytes", .read = "The buffer between",
    .man = "3 realloc",
    .likely =
        "what was taken out still takes up room: when there is none, move what is left to the front, or into new memory, before you ask for more")
{
    enum { PIECE = 1000, MESSAGE = 300, PIECES_FED = 2000, MUCH = 1 << 19 };
    static const char piece[PIECE];
    struct splitter *splitter = made(fixed(MESSAGE, MESSAGE));
    const void *message = NULL;
    size_t length = 0, before = memory_taken();
    lab_peer("sent 2000000 bytes, 1000 a read, and each message was taken out at once");
    for (int i = 0; i < PIECES_FED; i++) {
        feed_quietly(splitter, piece, PIECE);
        while (splitter_next(splitter, &message, &length) == 1)
            continue;
        size_t now = memory_taken();
        if (now > before + MUCH)
            lab_expect(false,
                       "memory for what was not taken out yet, here 1299 bytes at most",
                       "had taken %zu bytes after %d reads", now - before, i + 1);
    }
    splitter_free(splitter);
}

/* ---- splitter_end ---------------------------------------------------------------- */

LAB_TEST(
    splitter_end, nothing_is_left_over_between_messages, .points = 1, .task = 6,
    .needs =
        "splitter_next/fixed_gives_so_many_bytes, splitter_next/takes_a_message_of_the_maximum",
    .read = "Where the stream ends", .man = "3 memcpy",
    .likely = "when all that was fed has been taken out, delimiters too, nothing is left")
{
    struct splitter *splitter = made(fixed(5, 5));
    expect_no_leftover(splitter);
    feed(splitter, "HelloWorld");
    expect_next(splitter, "Hello");
    expect_next(splitter, "World");
    expect_no_leftover(splitter);
    splitter_free(splitter);
    splitter = made(delimiter("\r\n", 2, 5));
    feed(splitter, "Hello\r\n");
    expect_next(splitter, "Hello");
    expect_no_leftover(splitter);
    splitter_free(splitter);
    splitter = made(none(5));
    feed(splitter, "Hello");
    expect_next(splitter, "Hello");
    expect_no_leftover(splitter);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_end, a_cut_message_is_left_over, .points = 2, .task = 6,
    .needs =
        "splitter_end/nothing_is_left_over_between_messages, splitter_next/a_delimiter_ends_a_message",
    .read = "Where the stream ends", .man = "3 memcpy",
    .likely =
        "what is left over is all that was not taken out, the beginning of a delimiter too")
{
    struct splitter *splitter = made(fixed(5, 5));
    feed(splitter, "HelloWorl");
    expect_next(splitter, "Hello");
    expect_no_next(splitter);
    expect_leftover(splitter, "Worl", 4);
    lab_likely(
        "splitter_end() looks, and takes nothing out: a second call says the same");
    expect_leftover(splitter, "Worl", 4);
    lab_likely(NULL);
    splitter_free(splitter);
    splitter = made(delimiter("\r\n", 2, 5));
    feed(splitter, "Hello\r\nWo");
    feed(splitter, "r\r");
    expect_next(splitter, "Hello");
    expect_no_next(splitter);
    expect_leftover(splitter, "Wor\r", 4);
    splitter_free(splitter);
}

/* ---- splitter_free --------------------------------------------------------------- */

LAB_TEST(
    splitter_free, gives_everything_back, .points = 1, .task = 3,
    .needs = "splitter_new/makes_a_splitter_for_every_mode", .read = "The rule",
    .man = "3 free",
    .likely =
        "two things to free, the bytes and then the splitter itself; and NULL, as free() does, is nothing")
{
    splitter_free(NULL);
    splitter_free(made(delimiter(";", 1, 100)));
    struct splitter *splitter = made(fixed(5, 5));
    lab_peer("sent \"Hel\", and was never heard of again");
    splitter_feed(splitter, "Hel", 3); /* whether it works is not asked here */
    splitter_free(splitter);
}
