/*
 * Unit tests of lesson 03: what a peer gets when a stream is ended, drained, closed,
 * aborted.
 *
 * Where it can be, everything that the peer does is done before the student's function is
 * called, and the kernel is asked afterwards: no thread has to win a race, and a right
 * program cannot fail because the machine is busy. Time is measured from below; from above
 * only by a witness (see there), which looks at what the student's thread does.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "closing.h"
#include "lab.h"
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/*
 * LONG_MS    never used up by a right program: all that it waits for is there
 * SHORT_MS   meant to pass
 * COARSE_MS  by which a clock may be too coarse (CLOCK_MONOTONIC_COARSE ticks every 4 ms)
 * CALLS_PER_MS  a program that sleeps makes fewer calls, one that spins ten times as many
 */
enum {
    LONG_MS = 60000,
    SHORT_MS = 30,
    COARSE_MS = 5,
    CALLS_PER_MS = 20,
    STREAM_MAX = 100000
};

/* ---- streams, and what the peer does to them ------------------------------------- */

static void unix_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
        lab_error("socketpair()");
}

static void lab_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC) == -1)
        lab_error("pipe2()");
}

static void send_whole(int fd, const void *bytes, size_t n)
{
    if (send(fd, bytes, n, MSG_NOSIGNAL) != (ssize_t)n)
        lab_error("send() of the test's own");
}

/* n bytes that nobody reads yet; how the kernel cuts them is its own business. */
static void send_bytes(int fd, size_t n)
{
    static char bytes[1 << 18];
    if (n > sizeof bytes)
        lab_error("a test with too many bytes");
    send_whole(fd, bytes, n);
}

static void end_stream(int fd)
{
    if (shutdown(fd, SHUT_WR) == -1)
        lab_error("shutdown() of the test's own");
}

static void reset_connection(int fd)
{
    struct linger none = {.l_onoff = 1};
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none) == -1)
        lab_error("SO_LINGER");
    lab_close(fd);
}

/* Until the kernel has seen it: POLLIN for bytes, POLLRDHUP for a FIN, 0 for an RST. */
static void wait_until(int fd, short event)
{
    struct pollfd seen = {.fd = fd, .events = event};
    if (poll(&seen, 1, -1) != 1)
        lab_error("poll() of the test's own");
}

/* Send until the kernel takes no more on either side. The count of bytes. */
static size_t fill(int fd)
{
    static const char bytes[4096];
    size_t sent = 0;
    ssize_t n;
    int size = 65536; /* no megabytes, which the kernel would grant otherwise */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == -1)
        lab_error("SO_SNDBUF");
    while ((n = send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
        sent += (size_t)n;
    return sent;
}

/* ---- what the kernel says -------------------------------------------------------- */

/* Is our direction of the TCP connection still open? The kernel changes the state in
   shutdown() itself. */
static bool can_send(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1)
        lab_error("TCP_INFO");
    return info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT;
}

/* The state in /proc/net/tcp of the connection from port `local` to port `remote`, or 0:
   it is not there. */
static int state_in_kernel(uint16_t local, uint16_t remote)
{
    char line[512];
    unsigned from, to, state, found = 0;
    FILE *table = fopen("/proc/net/tcp", "re");
    if (table == NULL)
        lab_error("/proc/net/tcp");
    while (fgets(line, sizeof line, table) != NULL)
        if (sscanf(line, "%*d: %*8x:%x %*8x:%x %x", &from, &to, &state) == 3 &&
            from == local && to == remote)
            found = state;
    fclose(table);
    return (int)found;
}

/*
 * The clocks that the student's code reads, and the test: these stand in for the C
 * library's. While set_forward_by is not 0, somebody sets the time of day on by so many
 * seconds before each look at it.
 */
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

static void expect_passed(double start, int ms)
{
    double passed = milliseconds() - start;
    char expected[64];
    snprintf(expected, sizeof expected, "not before %d ms", ms);
    lab_expect(passed >= ms - COARSE_MS, expected, "returned after %.1f ms", passed);
}

static void expect_failure(long result, int error)
{
    char expected[64];
    int got = errno;
    snprintf(expected, sizeof expected, "-1 and errno %s", lab_errno(error));
    lab_expect(result == -1 && got == error, expected, "returned %s",
               lab_result(result, got));
}

static void expect_success(long result)
{
    lab_expect(result == 0, "0", "returned %s", lab_result(result, errno));
}

/* For the functions that leave the descriptor to the caller. */
static void expect_still_open(int fd)
{
    lab_likely(
        "the descriptor is the caller's, also when something failed: no close() here");
    lab_expect(lab_is_open(fd), "the descriptor still open", "closed it");
    lab_likely(NULL);
}

static void expect_count(ssize_t result, size_t n)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%zu", n);
    lab_expect(result == (ssize_t)n, expected, "returned %s", lab_result(result, errno));
}

/*
 * A witness: a thread that sees the student's function sleep after its time is over. No
 * load of the machine makes that happen to a right program. The time counts from a moment
 * when the function was seen asleep, so after it began; the two threads share a processor,
 * whose timers wake the student's before the witness, so that it may wait to run but does
 * not sleep; it must be asleep LATE_MS after its time, and at each of LOOKS looks. Then the
 * witness ends the peer's stream, so that the test ends too.
 */
enum { LATE_MS = 300, LOOKS = 5, LOOK_MS = 10 };

struct witness {
    pthread_t thread;
    pid_t of; /* the thread that it looks at */
    cpu_set_t processors;
    int peer, time_ms;
    atomic_bool returned, overslept;
    char call[64]; /* in which it slept */
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

static void *witness(void *argument)
{
    struct witness *witness = argument;
    double seen = 0;
    for (int looks = 0; looks < LOOKS; poll(NULL, 0, LOOK_MS)) {
        bool asleep = is_asleep(witness->of);
        if (atomic_load(&witness->returned))
            return NULL;
        if (asleep && seen == 0)
            seen = milliseconds();
        if (!asleep || milliseconds() < seen + witness->time_ms + LATE_MS)
            looks = 0;
        else
            looks++;
    }
    const char *call = calls_blocked();
    snprintf(witness->call, sizeof witness->call, "%s", call ? call : "no known call");
    atomic_store(&witness->overslept, true);
    shutdown(witness->peer, SHUT_WR);
    return NULL;
}

static void call_witness(struct witness *to, int peer, int time_ms)
{
    cpu_set_t one;
    int here = sched_getcpu();
    *to = (struct witness){.of = (pid_t)syscall(SYS_gettid)};
    to->peer = peer;
    to->time_ms = time_ms;
    CPU_ZERO(&to->processors);
    sched_getaffinity(0, sizeof to->processors, &to->processors);
    CPU_ZERO(&one);
    CPU_SET((size_t)(here == -1 ? 0 : here), &one);
    sched_setaffinity(0, sizeof one, &one); /* if it fails, LATE_MS must do */
    if (pthread_create(&to->thread, NULL, witness, to) != 0)
        lab_error("pthread_create()");
}

/* errno is kept over the call. */
static void dismiss_witness(struct witness *witness)
{
    int error = errno;
    atomic_store(&witness->returned, true);
    pthread_join(witness->thread, NULL);
    sched_setaffinity(0, sizeof witness->processors, &witness->processors);
    errno = error;
}

static void expect_no_oversleeping(const struct witness *witness)
{
    char expected[64];
    snprintf(expected, sizeof expected, "to wait for %d ms in all", witness->time_ms);
    lab_expect(!atomic_load(&witness->overslept), expected,
               "still slept %d ms after that, in %s", LATE_MS, witness->call);
}

/* ---- stream_end ------------------------------------------------------------------ */

LAB_TEST(
    stream_end, the_peer_reads_everything_and_then_the_end, .points = 4, .task = 1,
    .read = "Two directions", .man = "2 shutdown",
    .likely =
        "shutdown(fd, SHUT_WR) ends the direction in which we send: SHUT_RD is the other one")
{
    int fds[2];
    lab_tcp_pair(fds);
    lab_peer("got \"hello\" and has not read it yet");
    send_whole(fds[0], "hello", 5);
    expect_success(stream_end(fds[0]));
    lab_likely(
        "the descriptor is the caller's: shutdown() ends the stream, close() is another function's work");
    lab_expect(lab_is_open(fds[0]), "the descriptor still open", "closed it");
    lab_likely(NULL);
    lab_expect(!can_send(fds[0]), "our direction ended",
               "returned 0, and left our direction open");
    const struct peer_report *report = peer_observe(fds[1]);
    lab_expect(report->received == 5 && report->end == PEER_SAW_END,
               "\"hello\" and then the end of the stream", "sent %s and then %s",
               lab_quote(report->bytes, report->received), peer_end_text(report));
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    stream_end, the_answer_can_still_be_read, .points = 3, .task = 1,
    .needs = "stream_end/the_peer_reads_everything_and_then_the_end",
    .read = "Two directions", .man = "2 shutdown",
    .likely = "SHUT_RDWR ends the peer's direction too: its answer is reset. Use SHUT_WR")
{
    int fds[2];
    lab_tcp_pair(fds);
    expect_success(stream_end(fds[0]));
    wait_until(fds[1], POLLRDHUP);
    lab_peer("saw the end of your stream, sent \"answer\" and ended its own");
    send_whole(fds[1], "answer", 6);
    shutdown(fds[1], SHUT_WR); /* fails after a reset: what was read tells it better */
    const struct peer_report *read = peer_observe(fds[0]);
    lab_expect(read->received == 6 && read->end == PEER_SAW_END,
               "\"answer\" and then the end of the stream",
               "ended the stream, and could then read %s and %s",
               lab_quote(read->bytes, read->received), peer_end_text(read));
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    stream_end, ends_the_stream_for_every_duplicate, .points = 3, .task = 1,
    .needs = "stream_end/the_peer_reads_everything_and_then_the_end",
    .read = "Who holds the connection", .man = "2 shutdown",
    .likely =
        "close() lets go of one descriptor; shutdown() ends the connection's stream for all of them")
{
    int fds[2];
    lab_tcp_pair(fds);
    int copy = dup(fds[0]);
    lab_peer("is connected to a socket that two descriptors name");
    expect_success(stream_end(copy));
    lab_close(copy);
    lab_expect(!can_send(fds[0]), "the stream ended for both descriptors",
               "left it open for the other one");
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(stream_end, works_on_a_local_stream, .points = 2, .task = 1,
         .needs = "stream_end/the_answer_can_still_be_read", .read = "Two directions",
         .man = "2 shutdown",
         .likely = "nothing here needs TCP: shutdown(fd, SHUT_WR) works on every stream")
{
    int fds[2];
    char byte;
    unix_pair(fds);
    lab_peer("sent \"!\" on an AF_UNIX stream");
    send_whole(fds[1], "!", 1);
    expect_success(stream_end(fds[0]));
    ssize_t n = recv(fds[1], &byte, 1, MSG_DONTWAIT);
    lab_expect(n == 0, "the peer to see the end of the stream",
               "returned 0, and the peer's recv() %s", lab_result(n, errno));
    lab_expect(recv(fds[0], &byte, 1, MSG_DONTWAIT) == 1, "to read the peer's byte",
               "could not read any more");
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(stream_end, reports_a_connection_that_is_gone, .points = 2, .task = 1,
         .read = "FIN and RST", .man = "2 shutdown",
         .likely = "return what shutdown() returned, and leave its errno alone")
{
    int fds[2], file[2];
    lab_tcp_pair(fds);
    reset_connection(fds[1]);
    wait_until(fds[0], 0);
    lab_peer("reset the connection");
    expect_failure(stream_end(fds[0]), ENOTCONN);
    expect_still_open(fds[0]);
    lab_close(fds[0]);
    lab_peer("never was: this descriptor is a pipe's");
    lab_pipe(file);
    expect_failure(stream_end(file[1]), ENOTSOCK);
    expect_still_open(file[1]);
    lab_close(file[0]);
    lab_close(file[1]);
    lab_peer("never was: this descriptor is closed");
    expect_failure(stream_end(file[1]), EBADF);
}

/* ---- stream_drain ---------------------------------------------------------------- */

LAB_TEST(
    stream_drain, counts_the_bytes_up_to_the_end, .points = 3, .task = 2,
    .read = "Hear the peer out", .man = "2 recv",
    .likely =
        "one recv() takes what fits into the buffer: loop until it returns 0, and add up")
{
    int fds[2];
    char byte;
    size_t n = STREAM_MAX / 2 + lab_random_below(STREAM_MAX / 2);
    unix_pair(fds);
    send_bytes(fds[1], n);
    end_stream(fds[1]);
    lab_peer("sent %zu bytes and ended its stream", n);
    expect_count(stream_drain(fds[0], SIZE_MAX, LONG_MS), n);
    lab_likely("only read here: fd stays open, and our own direction too");
    lab_expect(lab_is_open(fds[0]), "the descriptor still open", "closed it");
    lab_expect(send(fds[0], "!", 1, MSG_NOSIGNAL) == 1 &&
                   recv(fds[1], &byte, 1, MSG_DONTWAIT) == 1,
               "to be able to send", "ended our own direction too");
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(stream_drain, the_end_alone_is_no_bytes, .points = 1, .task = 2,
         .read = "Hear the peer out", .man = "2 recv",
         .likely = "recv() returning 0 is the end that you wait for, and a success")
{
    int fds[2];
    lab_tcp_pair(fds);
    end_stream(fds[1]);
    wait_until(fds[0], POLLRDHUP);
    lab_peer("ended its stream without a byte");
    expect_count(stream_drain(fds[0], SIZE_MAX, LONG_MS), 0);
    expect_still_open(fds[0]);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/* A blocking descriptor and a non-blocking one; a drain that succeeds and one that fails. */
LAB_TEST(
    stream_drain, leaves_the_descriptor_as_it_was, .points = 1, .task = 2,
    .needs = "stream_drain/counts_the_bytes_up_to_the_end", .read = "Hear the peer out",
    .man = "2 fcntl",
    .likely =
        "MSG_DONTWAIT is for one call and changes nothing; what is set for the while must be put back on every way out")
{
    lab_peer("sent 10 bytes and ended its stream");
    for (int i = 0; i < 4; i++) {
        int fds[2];
        bool non_blocking = (i & 1) != 0, fails = (i & 2) != 0;
        struct timeval time;
        unix_pair(fds);
        fcntl(fds[0], F_SETFL, non_blocking ? O_NONBLOCK : 0);
        send_bytes(fds[1], 10);
        end_stream(fds[1]);
        stream_drain(fds[0], fails ? 1 : SIZE_MAX, LONG_MS);
        lab_expect(lab_is_open(fds[0]), "the descriptor still open", "closed it");
        lab_expect(((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0) == non_blocking,
                   non_blocking ? "the socket non-blocking as before"
                                : "the socket blocking as before",
                   "made it %s%s", non_blocking ? "blocking" : "non-blocking",
                   fails ? ", and failed as the limit was 1" : "");
        getsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, &(socklen_t){sizeof time});
        lab_expect(time.tv_sec == 0 && time.tv_usec == 0, "no SO_RCVTIMEO, as before",
                   "left one of %ld.%06ld s", (long)time.tv_sec, (long)time.tv_usec);
        lab_close(fds[0]);
        lab_close(fds[1]);
    }
}

LAB_TEST(
    stream_drain, takes_exactly_the_limit, .points = 2, .task = 2,
    .needs = "stream_drain/counts_the_bytes_up_to_the_end", .read = "Hear the peer out",
    .man = "2 recv",
    .likely =
        "limit_bytes is the most that is right: fail when there is more, not when there is as much")
{
    size_t sizes[] = {1 + lab_random_below(STREAM_MAX), 0};
    for (int i = 0; i < 2; i++) {
        int fds[2];
        unix_pair(fds);
        if (sizes[i] > 0)
            send_bytes(fds[1], sizes[i]);
        end_stream(fds[1]);
        lab_peer("%ssent as many bytes as the limit, %zu, and ended its stream",
                 i > 0 ? "then, on another stream, " : "", sizes[i]);
        expect_count(stream_drain(fds[0], sizes[i], LONG_MS), sizes[i]);
        lab_close(fds[0]);
        lab_close(fds[1]);
    }
}

LAB_TEST(stream_drain, at_zero_reads_what_has_come, .points = 2, .task = 2,
         .needs = "stream_drain/counts_the_bytes_up_to_the_end",
         .read = "Hear the peer out", .man = "2 poll",
         .likely = "a timeout of 0 says: do not wait. It does not say: do not read")
{
    int fds[2];
    size_t n = 3 * BUFSIZ + 1;
    unix_pair(fds);
    send_bytes(fds[1], n);
    end_stream(fds[1]);
    lab_peer(
        "sent %zu bytes and ended its stream, before you were called with a timeout of 0",
        n);
    expect_count(stream_drain(fds[0], SIZE_MAX, 0), n);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    stream_drain, refuses_one_byte_more, .points = 2, .task = 2,
    .needs = "stream_drain/at_zero_reads_what_has_come", .read = "Hear the peer out",
    .man = "2 recv",
    .likely =
        "compare what has been read so far with limit_bytes after every read, not at the end")
{
    int fds[2];
    size_t n = 2 + lab_random_below(STREAM_MAX);
    unix_pair(fds);
    send_bytes(fds[1], n);
    lab_peer("sent %zu bytes where %zu are the limit, and did not end its stream", n,
             n - 1);
    expect_failure(stream_drain(fds[0], n - 1, 0), EMSGSIZE);
    end_stream(fds[1]);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/*
 * A peer that sends without a pause. It can tell when stream_drain() is at work, because
 * then it can send more than the kernel holds, and counts the time from there, so that it
 * starts later than the student's. What it can send after the time is over, beyond what
 * the kernel holds, was read too late. A right program reads once more at most;
 * ENOUGH_LATE of it ends the flood, and the test, whatever the speed of the machine.
 */
struct flood {
    int fd;
    size_t held; /* bytes that the kernel takes without a reader */
    int timeout_ms;
};

static const size_t ENOUGH_LATE = 8 << 20;

static void *flooding(void *argument)
{
    static const char bytes[4096];
    struct flood *flood = argument;
    size_t sent = 0, late = 0;
    double over = 0;
    ssize_t n = 1;
    while (n > 0 && late <= flood->held + ENOUGH_LATE) {
        n = send(flood->fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        sent += sizeof bytes;
        if (over == 0 && sent > flood->held)
            over = milliseconds() + flood->timeout_ms + COARSE_MS;
        if (over != 0 && milliseconds() > over)
            late += sizeof bytes;
    }
    shutdown(flood->fd, SHUT_WR);
    return NULL;
}

static ssize_t drain_a_flood(int timeout_ms)
{
    int fds[2];
    pthread_t thread;
    unix_pair(fds);
    struct flood flood = {fds[1], fill(fds[1]) + 4096, timeout_ms};
    if (pthread_create(&thread, NULL, flooding, &flood) != 0)
        lab_error("pthread_create()");
    ssize_t result = stream_drain(fds[0], SIZE_MAX, timeout_ms);
    int error = errno;
    shutdown(fds[0], SHUT_RD);
    pthread_join(thread, NULL);
    lab_close(fds[0]);
    lab_close(fds[1]);
    errno = error;
    return result;
}

LAB_TEST(
    stream_drain, the_time_is_for_the_whole_call, .points = 3, .task = 2,
    .needs = "stream_drain/counts_the_bytes_up_to_the_end", .read = "Hear the peer out",
    .man = "2 clock_gettime",
    .likely =
        "the time must not start anew with every read: take the deadline once, look at the clock each time")
{
    lab_peer(
        "sent without a pause; no end was in sight when the time, 1 ms and then 30, was over");
    for (int i = 0; i < 3; i++) /* on a busy machine the flood may pause for 1 ms */
        expect_failure(drain_a_flood(1), ETIMEDOUT);
    double start = milliseconds();
    expect_failure(drain_a_flood(SHORT_MS), ETIMEDOUT);
    expect_passed(start, SHORT_MS);
}

LAB_TEST(
    stream_drain, waits_until_the_time_is_over, .points = 3, .task = 2,
    .needs = "stream_drain/the_time_is_for_the_whole_call", .read = "Hear the peer out",
    .man = "2 poll",
    .likely =
        "wait with poll() for what is left of the time; a recv() that blocks waits for ever")
{
    int fds[2];
    lab_tcp_pair(fds);
    send_whole(fds[1], "x", 1);
    lab_peer("sent one byte, and then neither another nor the end");
    double start = milliseconds();
    ssize_t result = stream_drain(fds[0], SIZE_MAX, SHORT_MS);
    double passed = milliseconds() - start;
    expect_failure(result, ETIMEDOUT);
    expect_passed(start, SHORT_MS);
    unsigned calls = calls_made(CALLS_RECEIVE) + calls_made(CALLS_WAIT);
    lab_likely(
        "a loop that asks recv() again and again takes the whole processor: sleep, in poll()");
    lab_expect(calls < CALLS_PER_MS * passed, "to sleep while nothing comes",
               "read or polled %u times in %.0f ms", calls, passed);
    lab_likely(NULL);
    lab_peer("was asked once more, with a timeout of 0");
    expect_failure(stream_drain(fds[0], SIZE_MAX, 0), ETIMEDOUT);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/*
 * An AF_UNIX stream whose reader asks for two bytes at least (SO_RCVLOWAT): with one byte
 * there poll() says that it is readable, and a recv() that may wait waits for the second.
 */
LAB_TEST(
    stream_drain, waits_nowhere_but_within_the_time, .points = 1, .task = 2,
    .needs =
        "stream_drain/waits_until_the_time_is_over, stream_drain/goes_on_after_EINTR",
    .read = "Hear the peer out", .man = "2 recv",
    .likely =
        "poll() may say readable where recv() then waits: with MSG_DONTWAIT it never does")
{
    int fds[2], two = 2;
    struct witness witness;
    unix_pair(fds);
    if (setsockopt(fds[0], SOL_SOCKET, SO_RCVLOWAT, &two, sizeof two) == -1)
        lab_error("SO_RCVLOWAT");
    send_whole(fds[1], "x", 1);
    lab_peer(
        "sent one byte, where SO_RCVLOWAT asks for two: poll() says readable, and recv() waits");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR}); /* on to the wait */
    call_witness(&witness, fds[1], SHORT_MS);
    double start = milliseconds();
    ssize_t result = stream_drain(fds[0], SIZE_MAX, SHORT_MS);
    dismiss_witness(&witness);
    expect_no_oversleeping(&witness);
    expect_failure(result, ETIMEDOUT);
    expect_passed(start, SHORT_MS);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    stream_drain, does_not_go_by_the_time_of_day, .points = 1, .task = 2,
    .needs = "stream_drain/waits_until_the_time_is_over", .read = "Hear the peer out",
    .man = "2 clock_gettime",
    .likely =
        "CLOCK_REALTIME is the time of day, which can be set: take the deadline by CLOCK_MONOTONIC")
{
    int fds[2];
    unix_pair(fds);
    lab_peer(
        "is silent; somebody sets the time of day on, by an hour each time you look");
    double start = milliseconds();
    set_forward_by = 3600;
    ssize_t result = stream_drain(fds[0], SIZE_MAX, SHORT_MS);
    set_forward_by = 0;
    expect_failure(result, ETIMEDOUT);
    expect_passed(start, SHORT_MS);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/*
 * Signals come every 2 ms, and after so many of them the handler ends the peer's stream.
 * They interrupt whatever waits at that moment.
 */
static int signals_left, end_by_signal;

static void count_signal(int number)
{
    (void)number;
    if (--signals_left == 0)
        shutdown(end_by_signal, SHUT_WR);
}

static ssize_t drain_with_signals(int fd, int peer, int signals, int timeout_ms)
{
    struct sigaction counting = {.sa_handler = count_signal};
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    signals_left = signals;
    end_by_signal = peer;
    sigaction(SIGALRM, &counting, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    ssize_t result = stream_drain(fd, SIZE_MAX, timeout_ms);
    int error = errno;
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    errno = error;
    return result;
}

LAB_TEST(
    stream_drain, goes_on_after_EINTR, .points = 2, .task = 2,
    .needs = "stream_drain/counts_the_bytes_up_to_the_end", .read = "Hear the peer out",
    .man = "7 signal",
    .likely =
        "EINTR, from recv() or from poll(), says that a signal came, and nothing about the stream: try again")
{
    int fds[2];
    unix_pair(fds);
    send_bytes(fds[1], 10);
    end_stream(fds[1]);
    lab_peer("sent 10 bytes and ended its stream; signals interrupted your first calls");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_WAIT, 1, (struct fault){.error = EINTR});
    expect_count(stream_drain(fds[0], SIZE_MAX, LONG_MS), 10);
    fault_none();
    lab_close(fds[0]);
    lab_close(fds[1]);
    unix_pair(fds);
    send_bytes(fds[1], 5);
    lab_peer(
        "then, on another stream, sent 5 bytes, was silent while signals came, and ended it");
    expect_count(drain_with_signals(fds[0], fds[1], 5, LONG_MS), 5);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/* A wait that starts anew with each signal would never end: hence the last signal's end
   of the stream. A right program looks at the clock between any two, and is out before. */
LAB_TEST(
    stream_drain, signals_do_not_start_the_time_anew, .points = 2, .task = 2,
    .needs =
        "stream_drain/the_time_is_for_the_whole_call, stream_drain/goes_on_after_EINTR",
    .read = "Hear the peer out", .man = "7 signal",
    .likely = "after EINTR wait for what is left of the time, not for all of it again")
{
    int fds[2];
    unix_pair(fds);
    lab_peer("is silent; a signal comes every 2 ms, and the time is 20 ms");
    double start = milliseconds();
    expect_failure(drain_with_signals(fds[0], fds[1], 100, 20), ETIMEDOUT);
    expect_passed(start, 20);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    stream_drain, waits_on_a_non_blocking_socket, .points = 2, .task = 2,
    .needs = "stream_drain/counts_the_bytes_up_to_the_end", .read = "Hear the peer out",
    .man = "2 recv",
    .likely =
        "EAGAIN says that nothing is there yet: wait with poll(), then read again; below 0 without a limit")
{
    int fds[2];
    unix_pair(fds);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    send_bytes(fds[1], 10);
    end_stream(fds[1]);
    lab_peer(
        "sent 10 bytes and its end, which came just after your first look (EAGAIN); the timeout is -1000");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EAGAIN});
    expect_count(stream_drain(fds[0], SIZE_MAX, -1000), 10);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    stream_drain, tells_a_reset_from_the_end, .points = 1, .task = 2,
    .read = "FIN and RST", .man = "2 recv",
    .likely =
        "a result of -1 is no end of the stream: return -1 and leave errno as recv() set it")
{
    int fds[2];
    lab_tcp_pair(fds);
    send_whole(fds[1], "lost", 4);
    reset_connection(fds[1]);
    wait_until(fds[0], 0);
    lab_peer("sent \"lost\" and reset the connection");
    expect_failure(stream_drain(fds[0], SIZE_MAX, LONG_MS), ECONNRESET);
    expect_still_open(fds[0]);
    lab_close(fds[0]);
}

LAB_TEST(
    stream_drain, reports_a_closed_descriptor, .points = 1, .task = 2,
    .read = "The calls", .man = "2 recv",
    .likely =
        "recv() says EBADF: return -1 at once and leave errno as it is. poll() says POLLNVAL instead, in revents")
{
    int fds[2];
    unix_pair(fds);
    lab_close(fds[0]);
    lab_close(fds[1]);
    lab_peer("never was: the descriptor is closed");
    expect_failure(stream_drain(fds[0], SIZE_MAX, SHORT_MS), EBADF);
}

LAB_TEST(
    stream_drain, reports_minus_1_as_a_descriptor, .points = 1, .task = 2,
    .needs = "stream_drain/reports_a_closed_descriptor", .read = "The calls",
    .man = "2 poll",
    .likely =
        "poll() passes over -1 in silence, and waits all the time: recv() is the call that says EBADF")
{
    lab_peer("never was: the descriptor is -1, as of a connection that failed");
    expect_failure(stream_drain(-1, SIZE_MAX, SHORT_MS), EBADF);
}

LAB_TEST(
    stream_drain, reports_a_wait_that_failed, .points = 1, .task = 2,
    .needs = "stream_drain/waits_until_the_time_is_over", .read = "Hear the peer out",
    .man = "2 poll",
    .likely =
        "poll() too can fail, and not only by EINTR: return -1 and leave errno as it set it")
{
    int fds[2];
    unix_pair(fds);
    lab_peer("is silent; the kernel has no memory left for your wait");
    fault_once(CALLS_WAIT, 1, (struct fault){.error = ENOMEM});
    unsigned before = faults_taken();
    ssize_t result = stream_drain(fds[0], SIZE_MAX, SHORT_MS);
    expect_failure(result, faults_taken() == before ? ETIMEDOUT : ENOMEM);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/* ---- stream_close ---------------------------------------------------------------- */

/* The result of a stream_close() that must succeed, and close. */
static void expect_closed(int result, int fd)
{
    if (result > 0)
        lab_likely(
            "what stream_drain() returned is a count: stream_close() says 0 or -1, and no more");
    expect_success(result);
    lab_likely(
        "stream_drain() and stream_end() leave the descriptor open: close it here");
    lab_expect(!lab_is_open(fd), "the descriptor closed", "returned 0 and left it open");
    lab_likely(NULL);
}

/* A peer that ends its stream when it sees the end of ours: by a signal, which the kernel
   sends when that end comes (O_ASYNC), so that no time passes between the two. */
static void end_too(int number)
{
    (void)number;
    shutdown(end_by_signal, SHUT_WR);
}

LAB_TEST(
    stream_close, ends_its_stream_before_it_drains, .points = 3, .task = 3,
    .needs =
        "stream_end/the_peer_reads_everything_and_then_the_end, stream_drain/counts_the_bytes_up_to_the_end",
    .read = "Questions", .man = "2 shutdown",
    .likely =
        "the peer waits for the end of your stream, and you for the end of its: end first, then drain")
{
    int fds[2];
    struct sigaction ending = {.sa_handler = end_too};
    unix_pair(fds);
    send_bytes(fds[1], 8);
    end_by_signal = fds[1];
    sigaction(SIGIO, &ending, NULL);
    if (fcntl(fds[1], F_SETOWN, getpid()) == -1 || fcntl(fds[1], F_SETFL, O_ASYNC) == -1)
        lab_error("F_SETOWN or O_ASYNC");
    lab_peer("sent 8 bytes, and ends its stream as soon as it reads the end of yours");
    int result = stream_close(fds[0]);
    int error = errno;
    fcntl(fds[1], F_SETFL, 0);
    signal(SIGIO, SIG_DFL);
    errno = error;
    expect_closed(result, fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    stream_close, the_peer_gets_every_byte, .points = 5, .task = 3,
    .needs = "stream_close/ends_its_stream_before_it_drains",
    .read = "Close with unread data", .man = "2 close",
    .likely =
        "close() with bytes unread sends RST, which throws away what is on its way: end, drain, and only then close")
{
    int fds[2];
    lab_tcp_pair(fds);
    send_whole(fds[1], "question", 8);
    end_stream(fds[1]);
    wait_until(fds[0], POLLRDHUP);
    size_t n = fill(fds[0]);
    lab_peer(
        "sent \"question\", which you have not read, ended its stream, and has yet to read the %zu bytes that you sent",
        n);
    expect_closed(stream_close(fds[0]), fds[0]);
    const struct peer_report *report = peer_observe(fds[1]);
    lab_expect(report->received == n && report->end == PEER_SAW_END,
               "every byte and then the end of the stream",
               "closed, and the peer got %zu of %zu bytes and then %s", report->received,
               n, peer_end_text(report));
    lab_close(fds[1]);
}

LAB_TEST(
    stream_close, ends_our_stream_for_every_duplicate, .points = 3, .task = 3,
    .needs = "stream_end/the_peer_reads_everything_and_then_the_end",
    .read = "Who holds the connection", .man = "2 shutdown",
    .likely = "close() is not enough while a duplicate is open: end the stream first")
{
    int fds[2];
    lab_tcp_pair(fds);
    int copy = dup(fds[0]);
    end_stream(fds[1]);
    wait_until(fds[0], POLLRDHUP);
    lab_peer(
        "ended its stream, and waits for the end of yours; another descriptor names your socket");
    expect_success(stream_close(copy));
    lab_expect(!lab_is_open(copy) && lab_is_open(fds[0]),
               "its own descriptor closed, and only that", "%s",
               lab_is_open(copy) ? "left it open" : "closed the other one");
    lab_expect(!can_send(fds[0]), "our stream ended",
               "left the stream open: the peer waits for ever");
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    stream_close, grants_the_peer_so_many_bytes, .points = 2, .task = 3,
    .needs = "stream_drain, stream_close/ends_its_stream_before_it_drains",
    .read = "Close with unread data", .man = "2 close",
    .likely =
        "drain with the bounds of closing.h, say what the drain said, and close the descriptor in every case")
{
    for (size_t more = 0; more <= 1; more++) {
        int fds[2];
        unix_pair(fds);
        send_bytes(fds[1], STREAM_CLOSE_LIMIT_BYTES + more);
        end_stream(fds[1]);
        lab_peer(
            "sent STREAM_CLOSE_LIMIT_BYTES%s, which you have not read, and ended its stream",
            more ? " + 1" : "");
        int result = stream_close(fds[0]);
        if (more)
            expect_failure(result, EMSGSIZE);
        else
            expect_success(result);
        lab_expect(!lab_is_open(fds[0]), "the descriptor closed",
                   "returned %d and left it open", result);
        lab_close(fds[1]);
    }
}

LAB_TEST(
    stream_close, waits_for_the_peer_so_long, .points = 3, .task = 3,
    .needs = "stream_close/grants_the_peer_so_many_bytes",
    .read = "Close with unread data", .man = "2 close",
    .likely =
        "drain with the bounds of closing.h, say what the drain said, and close the descriptor in every case")
{
    int fds[2];
    struct witness witness;
    lab_tcp_pair(fds);
    lab_peer("is silent, and does not end its stream");
    call_witness(&witness, fds[1], STREAM_CLOSE_TIMEOUT_MS);
    double start = milliseconds();
    int result = stream_close(fds[0]);
    dismiss_witness(&witness);
    expect_no_oversleeping(&witness);
    expect_failure(result, ETIMEDOUT);
    lab_expect(!lab_is_open(fds[0]), "the descriptor closed",
               "returned -1 and left it open");
    expect_passed(start, STREAM_CLOSE_TIMEOUT_MS);
    const struct peer_report *report = peer_observe(fds[1]);
    lab_expect(report->end == PEER_SAW_END, "the end of the stream", "sent %s",
               peer_end_text(report));
    lab_close(fds[1]);
}

LAB_TEST(
    stream_close, closes_in_every_case, .points = 3, .task = 3,
    .needs = "stream_close/ends_its_stream_before_it_drains",
    .read = "Close with unread data", .man = "2 close",
    .likely =
        "an early return on an error leaves the descriptor open: keep errno, close, put errno back")
{
    int fds[2], file[2];
    lab_tcp_pair(fds);
    reset_connection(fds[1]);
    wait_until(fds[0], 0);
    lab_peer("reset the connection");
    lab_likely("errno is that of what failed first, stream_end(): no drain after it");
    expect_failure(stream_close(fds[0]), ENOTCONN);
    lab_likely(NULL);
    lab_expect(!lab_is_open(fds[0]), "the descriptor closed",
               "returned -1 and left it open");
    lab_peer(
        "then never was: a descriptor of a pipe, whose close() a signal interrupted (EINTR)");
    lab_pipe(file);
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EINTR, .after = 1});
    int result = stream_close(file[1]);
    lab_likely(
        "close() sets errno too: keep that of what failed first, close, put errno back");
    expect_failure(result, ENOTSOCK);
    lab_likely(NULL);
    lab_expect(!lab_is_open(file[1]), "the descriptor closed",
               "returned -1 and left it open");
    lab_close(file[0]);
    expect_failure(stream_close(file[1]), EBADF);
}

/* How often the student's code closed fd, as far as the record goes back. */
static int times_closed(int fd)
{
    char call[32];
    int times = 0;
    snprintf(call, sizeof call, "close(%d)", fd);
    for (const char *at = calls_text(16); (at = strstr(at, call)) != NULL; at++)
        times++;
    return times;
}

LAB_TEST(
    stream_close, closes_only_once, .points = 2, .task = 3,
    .needs = "stream_close/ends_its_stream_before_it_drains",
    .read = "Close with unread data", .man = "2 close",
    .likely =
        "after EINTR the descriptor is gone (Linux): closing again may hit one that another thread just opened")
{
    int fds[2];
    lab_tcp_pair(fds);
    end_stream(fds[1]);
    wait_until(fds[0], POLLRDHUP);
    lab_peer(
        "ended its stream; a signal interrupted your close(), which had closed the descriptor");
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EINTR, .after = 1});
    expect_success(stream_close(fds[0]));
    lab_expect(!lab_is_open(fds[0]), "the descriptor closed", "left it open");
    lab_expect(times_closed(fds[0]) == 1, "to close it once", "closed it %d times",
               times_closed(fds[0]));
    lab_close(fds[1]);
}

/* ---- stream_abort ---------------------------------------------------------------- */

LAB_TEST(
    stream_abort, the_peer_sees_a_reset, .points = 4, .task = 4, .read = "FIN and RST",
    .man = "7 socket",
    .likely =
        "SO_LINGER with l_onoff 1 and l_linger 0 makes close() send RST; a shutdown() before it sends FIN")
{
    int fds[2];
    lab_tcp_pair(fds);
    lab_peer("waits for a byte, an end or an error");
    expect_success(stream_abort(fds[0]));
    lab_likely("setting SO_LINGER sends nothing yet: close() does");
    lab_expect(!lab_is_open(fds[0]), "the descriptor closed",
               "returned 0 and left it open");
    lab_likely(NULL);
    const struct peer_report *report = peer_observe(fds[1]);
    lab_expect(report->end == PEER_SAW_RESET, "a reset (RST)", "sent %s",
               peer_end_text(report));
    lab_close(fds[1]);
}

LAB_TEST(
    stream_abort, leaves_no_trace_in_the_kernel, .points = 3, .task = 4,
    .needs = "stream_abort/the_peer_sees_a_reset", .read = "TIME_WAIT", .man = "7 tcp",
    .likely =
        "an orderly end leaves TIME_WAIT with whoever ended first; only a reset leaves nothing")
{
    int fds[2];
    lab_tcp_pair(fds);
    uint16_t ours = lab_port(fds[0]), theirs = lab_port(fds[1]);
    lab_peer("ended nothing, and reads nothing");
    expect_success(stream_abort(fds[0]));
    int state = state_in_kernel(ours, theirs);
    lab_expect(state == 0, "no such connection in /proc/net/tcp",
               "left one there, in state %d", state);
    lab_close(fds[1]);
}

LAB_TEST(stream_abort, throws_away_what_was_not_sent, .points = 2, .task = 4,
         .needs = "stream_abort/the_peer_sees_a_reset", .read = "FIN and RST",
         .man = "7 socket",
         .likely =
             "with l_linger above 0 close() goes on sending: only 0 throws the rest away")
{
    int fds[2];
    lab_tcp_pair(fds);
    size_t n = fill(fds[0]);
    lab_peer(
        "has read nothing of the %zu bytes that you sent, until neither kernel took any more",
        n);
    expect_success(stream_abort(fds[0]));
    const struct peer_report *report = peer_observe(fds[1]);
    lab_expect(report->received < n && report->end == PEER_SAW_RESET,
               "a part of them, and then a reset (RST)",
               "aborted, and the peer got %zu of %zu bytes and then %s", report->received,
               n, peer_end_text(report));
    lab_close(fds[1]);
}

LAB_TEST(
    stream_abort, is_an_ordinary_close_of_a_local_stream, .points = 1, .task = 4,
    .read = "FIN and RST", .man = "7 unix",
    .likely =
        "AF_UNIX takes SO_LINGER and ignores it: nothing special is needed, and nothing has failed")
{
    int fds[2];
    unix_pair(fds);
    lab_peer("is connected by AF_UNIX, which has no reset");
    expect_success(stream_abort(fds[0]));
    lab_expect(!lab_is_open(fds[0]), "the descriptor closed",
               "returned 0 and left it open");
    const struct peer_report *report = peer_observe(fds[1]);
    lab_expect(report->end == PEER_SAW_END, "the end of the stream", "sent %s",
               peer_end_text(report));
    lab_close(fds[1]);
}

LAB_TEST(
    stream_abort, closes_in_every_case, .points = 2, .task = 4, .read = "FIN and RST",
    .man = "2 close",
    .likely =
        "an early return on an error leaves the descriptor open: keep errno, close, put errno back")
{
    int file[2];
    lab_pipe(file);
    lab_peer("never was: this descriptor is a pipe's");
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EINTR, .after = 1});
    expect_failure(stream_abort(file[1]), ENOTSOCK);
    lab_expect(!lab_is_open(file[1]), "the descriptor closed",
               "returned -1 and left it open");
    lab_close(file[0]);
    expect_failure(stream_abort(file[1]), EBADF);
}
