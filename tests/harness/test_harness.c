/*
 * test_harness.c: the harness does what its headers say. Every test here passes.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "census.h"
#include "lab.h"
#include "peer.h"
#include "test_student.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void expect_text(const char *got, const char *wanted)
{
    lab_expect(strcmp(got, wanted) == 0, wanted, "%s", got);
}

static void expect_number(long got, long wanted)
{
    char text[32];

    snprintf(text, sizeof(text), "%ld", wanted);
    lab_expect(got == wanted, text, "%ld (errno %s)", got, lab_errno(errno));
}

static void expect_failure(long got, int error)
{
    lab_expect(got == -1 && errno == error, lab_result(-1, error), "%s",
               lab_result(got, errno));
}

static void close_pair(int fds[2])
{
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/* ---- lab.h ---------------------------------------------------------------------------------------- */

LAB_TEST(lab_quote, is_a_c_literal, .points = 1)
{
    expect_text(lab_quote("a\"b\\\n\r\t\0x\x7f\xff", 11),
                "\"a\\\"b\\\\\\n\\r\\t\\0x\\177\\377\"");
    expect_text(lab_quote("\0"
                          "1",
                          2),
                "\"\\0001\"");
    expect_text(lab_quote("", 0), "\"\"");
    expect_text(lab_quote(NULL, 3), "NULL");
}

LAB_TEST(lab_quote, cuts_after_60_bytes_and_says_the_count, .points = 1)
{
    char many[4096], wanted[100];

    memset(many, 'a', sizeof(many));
    snprintf(wanted, sizeof(wanted), "\"%.60s...\" (4096 bytes)", many);
    expect_text(lab_quote(many, sizeof(many)), wanted);
    snprintf(wanted, sizeof(wanted), "\"%.60s\"", many);
    expect_text(lab_quote(many, 60), wanted);
}

LAB_TEST(lab_quote, keeps_8_texts, .points = 1)
{
    const char *first = lab_quote("first", 5);

    for (int i = 0; i < 7; i++)
        lab_quote("other", 5);
    expect_text(first, "\"first\"");
}

LAB_TEST(lab_errno, names_errors, .points = 1)
{
    expect_text(lab_errno(ECONNREFUSED), "ECONNREFUSED");
    expect_text(lab_errno(4242), "errno 4242");
    expect_text(lab_result(5, EINTR), "5");
    expect_text(lab_result(-1, EINTR), "-1 and errno EINTR");
}

LAB_TEST(lab_random, stays_below_its_limit, .points = 1)
{
    unsigned seen[3] = {0};

    for (int i = 0; i < 300; i++)
        seen[lab_random_below(3)]++;
    lab_expect(seen[0] > 50 && seen[1] > 50 && seen[2] > 50, "each about 100 times",
               "%u %u %u", seen[0], seen[1], seen[2]);
    expect_number(lab_random_below(0), 0);
    expect_number(lab_random_below(1), 0);
}

LAB_TEST(lab_sockets, are_a_pair, .points = 1)
{
    char byte = 0;
    int fds[2];

    lab_tcp_pair(fds);
    expect_number(write(fds[0], "x", 1), 1);
    expect_number(read(fds[1], &byte, 1), 1);
    expect_number(byte, 'x');
    close_pair(fds);
    lab_expect(!lab_is_open(fds[0]), "closed", "open");
}

LAB_TEST(lab_sockets, listen_and_tell_their_port, .points = 1, .requires = "ipv6")
{
    int four = lab_listener(AF_INET), six = lab_listener(AF_INET6);
    char wanted[16];

    lab_expect(lab_port(four) && lab_port(six), "ports", "0");
    snprintf(wanted, sizeof(wanted), "%d", lab_port(six));
    expect_text(lab_port_text(six), wanted);
    lab_close(four);
    lab_close(six);
}

LAB_TEST(lab_sockets, a_closed_port_refuses_and_is_no_leak, .points = 1)
{
    uint16_t port = lab_closed_port(AF_INET);
    int fd = student_socket();

    expect_failure(student_connect(fd, port), ECONNREFUSED);
    lab_close(fd);
}

LAB_TEST(process, has_only_the_standard_descriptors, .points = 1)
{
    struct census census;
    char byte;

    census_take(&census);
    expect_number(census.fds, 3);
    expect_number(census.open[0], 7);
    expect_number(census.children, 0);
    expect_number(read(0, &byte, 1), 0);
}

LAB_TEST(process, has_signals_as_a_new_program, .points = 1)
{
    const int numbers[] = {SIGPIPE, SIGINT, SIGTERM, SIGCHLD, SIGALRM};
    sigset_t mask;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction now;

        sigaction(numbers[i], NULL, &now);
        lab_expect(now.sa_handler == SIG_DFL, "SIG_DFL", "SIG%s is not",
                   sigabbrev_np(numbers[i]));
    }
    sigprocmask(SIG_SETMASK, NULL, &mask);
    lab_expect(sigisemptyset(&mask), "no signal blocked", "some are");
}

/* ---- calls.h: faults -------------------------------------------------------------------------------- */

LAB_TEST(faults, fail_the_nth_call_only, .points = 1)
{
    char byte;
    int fds[2];

    lab_tcp_pair(fds);
    expect_number(write(fds[1], "abc", 3), 3);
    fault_once(CALLS_RECEIVE, 2, (struct fault){.error = ECONNRESET});
    expect_number(student_read(fds[0], &byte, 1), 1);
    expect_number(faults_taken(), 0);
    expect_failure(student_recv(fds[0], &byte, 1, 0), ECONNRESET);
    expect_number(student_syscall_read(fds[0], &byte, 1), 1);
    expect_number(byte, 'b');
    expect_number(faults_taken(), 1);
    expect_number(calls_made(CALLS_RECEIVE), 3);
    close_pair(fds);
}

LAB_TEST(faults, go_by_family, .points = 1)
{
    int fds[2];

    lab_tcp_pair(fds);
    fault_once(CALLS_SEND, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_WAIT, 1, (struct fault){.error = ENOMEM});
    fault_once(CALLS_SOCKET, 1, (struct fault){.error = EMFILE});
    fault_once(CALLS_CONTROL, 1, (struct fault){.error = EBADF});
    fault_once(CALLS_ACCEPT, 1, (struct fault){.error = ECONNABORTED});
    expect_failure(student_accept(fds[0]), ECONNABORTED);
    expect_failure(student_poll(fds[0], 0), ENOMEM);
    expect_failure(student_write(fds[0], "x", 1), EINTR);
    expect_failure(student_socket(), EMFILE);
    lab_expect(student_fcntl_flags(fds[0]) == -1, "-1", "flags");
    lab_expect(student_fcntl_flags(fds[0]) & O_NONBLOCK, "flags, O_NONBLOCK among them",
               "none");
    expect_number(faults_taken(), 5);
    close_pair(fds);
}

LAB_TEST(faults, each_lasts_until_none, .points = 1)
{
    int fds[2];

    lab_tcp_pair(fds);
    fault_each(CALLS_SEND, (struct fault){.error = EAGAIN});
    fault_once(CALLS_SEND, 1, (struct fault){.error = EPIPE});
    expect_failure(student_write(fds[0], "x", 1), EPIPE);
    expect_failure(student_write(fds[0], "x", 1), EAGAIN);
    expect_failure(student_writev(fds[0], "x", 1, "y", 1), EAGAIN);
    fault_none();
    expect_number(student_write(fds[0], "x", 1), 1);
    close_pair(fds);
}

LAB_TEST(faults, do_not_touch_the_test_itself, .points = 1)
{
    char byte;
    int fds[2];

    lab_tcp_pair(fds);
    fault_each(CALLS_SEND, (struct fault){.error = EINTR});
    fault_each(CALLS_RECEIVE, (struct fault){.error = EINTR});
    expect_number(write(fds[0], "x", 1), 1);
    expect_number(read(fds[1], &byte, 1), 1);
    expect_number(calls_made(CALLS_SEND), 0);
    close_pair(fds);
}

LAB_TEST(faults, make_streams_short, .points = 1)
{
    char one[4] = "", two[4] = "";
    int fds[2];

    lab_tcp_pair(fds);
    expect_number(write(fds[1], "abcdefghij", 10), 10);
    fault_each(CALLS_RECEIVE, (struct fault){.at_most = 2});
    fault_each(CALLS_SEND, (struct fault){.at_most = 3});
    expect_number(student_read(fds[0], one, 3), 2);
    expect_number(student_recvmsg(fds[0], one, 3, 0), 2);
    expect_number(student_readv(fds[0], one, 1, two, 3), 2);
    expect_number(two[0], 'f');
    expect_number(student_read(fds[0], one, 1), 1);
    expect_number(student_write(fds[0], "abcdef", 6), 3);
    expect_number(student_writev(fds[0], "ab", 2, "cdef", 4), 3);
    close_pair(fds);
}

LAB_TEST(faults, leave_msg_waitall_its_promise, .points = 1)
{
    char bytes[4];
    int fds[2];

    lab_tcp_pair(fds);
    expect_number(write(fds[1], "abcdefgh", 8), 8);
    fault_each(CALLS_RECEIVE, (struct fault){.at_most = 1});
    expect_number(student_recv(fds[0], bytes, 4, MSG_WAITALL), 4);
    expect_number(student_recvmsg(fds[0], bytes, 3, MSG_WAITALL), 3);
    expect_number(faults_taken(), 2);
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR});
    expect_failure(student_recv(fds[0], bytes, 1, MSG_WAITALL), EINTR);
    close_pair(fds);
}

LAB_TEST(faults, leave_datagrams_whole, .points = 1)
{
    char bytes[4];
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == -1)
        lab_error("socketpair()");
    fault_each(CALLS_RECEIVE, (struct fault){.at_most = 1});
    fault_each(CALLS_SEND, (struct fault){.at_most = 1});
    expect_number(student_write(fds[1], "abcd", 4), 4);
    expect_number(student_read(fds[0], bytes, 4), 4);
    close_pair(fds);
}

LAB_TEST(faults, may_come_after_the_call, .points = 1)
{
    int listener = lab_listener(AF_INET), fd = student_socket(), peer;

    fault_once(CALLS_CONNECT, 1, (struct fault){.error = EINTR, .after = 1});
    expect_failure(student_connect(fd, lab_port(listener)), EINTR);
    peer = student_accept(listener);
    lab_expect(peer != -1, "a connection all the same", "-1");
    lab_close(peer);
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EINTR, .after = 1});
    expect_failure(student_close(fd), EINTR);
    lab_expect(!lab_is_open(fd), "closed all the same", "open");
    lab_close(listener);
}

LAB_TEST(faults, take_memory_away, .points = 1)
{
    void *memory;

    fault_once(CALLS_ALLOCATE, 1, (struct fault){.error = ENOMEM});
    fault_once(CALLS_ALLOCATE, 2, (struct fault){.error = ENOMEM});
    errno = 0;
    lab_expect(student_malloc(5) == NULL && errno == ENOMEM, "NULL", "memory");
    lab_expect(student_strdup("x") == NULL, "NULL", "memory");
    memory = student_malloc(5);
    lab_expect(memory != NULL, "memory", "NULL");
    student_free(memory);
    memory = malloc(3);
    free(memory);
    expect_number(calls_made(CALLS_ALLOCATE), 3);
}

LAB_TEST(locks, pass_where_they_are_right, .points = 1)
{
    expect_number((unsigned)student_lock_rightly(), 0);
}

LAB_TEST(faults, reach_forked_children_but_not_the_record, .points = 1)
{
    pid_t child;
    char byte;
    int status;

    fault_each(CALLS_RECEIVE, (struct fault){.error = EIO});
    child = fork();
    if (child == 0)
        _exit(student_read(0, &byte, 1) == -1 && errno == EIO ? 0 : 1);
    expect_number(waitpid(child, &status, 0), child);
    expect_number(status, 0);
    expect_number(calls_made(CALLS_RECEIVE), 0);
}

/* ---- calls.h: the record ---------------------------------------------------------------------------- */

LAB_TEST(record, says_the_last_calls, .points = 1)
{
    char byte, wanted[128];
    int fds[2];

    lab_tcp_pair(fds);
    expect_text(calls_text(6), "");
    fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR});
    student_read(fds[0], &byte, 1);
    student_write(fds[0], "x", 1);
    student_poll(fds[0], 0);
    snprintf(wanted, sizeof(wanted), "write(%d) = 1, poll(%d) = 0", fds[0], fds[0]);
    expect_text(calls_text(2), wanted);
    snprintf(wanted, sizeof(wanted), "read(%d) = -1 EINTR, write(%d) = 1, poll(%d) = 0",
             fds[0], fds[0], fds[0]);
    expect_text(calls_text(6), wanted);
    lab_expect(calls_blocked() == NULL, "not in a call", "%s", calls_blocked());
    close_pair(fds);
}

LAB_TEST(record, keeps_16_calls, .points = 1)
{
    for (int i = 0; i < 40; i++)
        student_close(-1);
    expect_number(calls_made(CALLS_CLOSE), 40);
    expect_number((long)strlen(calls_text(99)),
                  16 * (long)strlen("close() = -1 EBADF, ") - 2);
}

/* ---- census.h --------------------------------------------------------------------------------------- */

LAB_TEST(census, says_what_was_left_open, .points = 1)
{
    struct census before, after;
    char wanted[128];
    int fd;

    census_take(&before);
    fd = lab_listener(AF_INET);
    census_take(&after);
    snprintf(wanted, sizeof(wanted), "left open: %d (TCP socket 127.0.0.1:%d, listening)",
             fd, lab_port(fd));
    expect_text(census_difference(&before, &after), wanted);
    lab_close(fd);
    snprintf(wanted, sizeof(wanted), "closed %d, which is the caller's", fd);
    expect_text(census_difference(&after, &before), wanted);
    census_take(&after);
    lab_expect(!census_difference(&before, &after), "no difference", "one");
}

LAB_TEST(census, sees_children, .points = 1)
{
    struct census before, after;
    pid_t child;

    census_take(&before);
    child = fork();
    if (child == 0)
        _exit(0);
    census_take(&after);
    expect_number(after.children, 1);
    expect_number(after.child[0], child);
    expect_text(census_difference(&before, &after),
                "left a child process that was not waited for");
    waitpid(child, NULL, 0);
}

LAB_TEST(census, counts_the_highest_descriptors, .points = 1)
{
    struct census before, after;
    int fd;

    census_take(&before);
    fd = fcntl(0, F_DUPFD, 1500);
    if (fd == -1)
        lab_skip("room for descriptor 1500");
    census_take(&after);
    expect_text(census_difference(&before, &after),
                "left open: 4 descriptors in place of 3");
    lab_close(fd);
}

LAB_TEST(census, leaves_out_what_is_hidden, .points = 1)
{
    struct census before, after;
    int fd;

    census_take(&before);
    fd = lab_listener(AF_INET);
    census_hide(fd);
    census_take(&after);
    lab_expect(!census_difference(&before, &after), "no difference", "one");
}

LAB_TEST(census, knows_kinds, .points = 1)
{
    int pipes[2], pair[2], udp = socket(AF_INET, SOCK_DGRAM, 0);

    if (pipe(pipes) == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
        lab_error("pipe()");
    expect_text(census_fd_text(pipes[0]), "pipe");
    expect_text(census_fd_text(pair[0]), "local stream socket, connected");
    expect_text(census_fd_text(udp), "UDP socket 0.0.0.0:0");
    expect_text(census_fd_text(0), "file /dev/null");
    expect_text(census_fd_text(999), "not open");
    close_pair(pipes);
    close_pair(pair);
    lab_close(udp);
}

/* ---- peer.h ----------------------------------------------------------------------------------------- */

LAB_TEST(peer, acts_its_script, .points = 1)
{
    const struct peer_report *report;
    struct peer *peer;
    char bytes[8];
    int fds[2];

    lab_tcp_pair(fds);
    peer = peer_start(fds[1], (struct peer_step[]){PEER_EXPECT(5), PEER_SEND("answer", 6),
                                                   PEER_END, PEER_DRAIN, PEER_STOP});
    expect_number(student_write(fds[0], "hello, and more", 15), 15);
    expect_number(student_recv(fds[0], bytes, 6, MSG_WAITALL), 6);
    expect_number(student_read(fds[0], bytes, 1), 0);
    lab_close(fds[0]);
    report = peer_join(peer);
    expect_number(report->end, PEER_SAW_END);
    expect_number((long)report->received, 15);
    expect_number((long)report->sent, 6);
    expect_number(memcmp(report->bytes, "hello, and more", 15), 0);
    expect_text(peer_end_text(report), "the end of the stream (FIN)");
}

LAB_TEST(peer, tells_a_reset_from_an_end, .points = 1)
{
    struct linger now = {1, 0};
    const struct peer_report *report;
    struct peer *peer;
    int fds[2];

    lab_tcp_pair(fds);
    peer = peer_start(fds[1], (struct peer_step[]){PEER_DRAIN, PEER_STOP});
    setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    lab_close(fds[0]);
    report = peer_join(peer);
    expect_number(report->end, PEER_SAW_RESET);
    expect_number(report->error, ECONNRESET);
    expect_text(peer_end_text(report), "a reset (RST)");
}

LAB_TEST(peer, resets, .points = 1)
{
    char byte;
    int fds[2];

    lab_tcp_pair(fds);
    peer_join(peer_start(fds[1], (struct peer_step[]){PEER_RESET, PEER_STOP}));
    expect_failure(student_read(fds[0], &byte, 1), ECONNRESET);
    lab_close(fds[0]);
}

LAB_TEST(peer, accepts_out_of_sight_of_a_census, .points = 1)
{
    struct census before, after;
    struct peer *peer;
    int fd = student_socket(), listener = lab_listener(AF_INET),
        port = lab_port(listener);
    char byte;

    peer = peer_start(listener,
                      (struct peer_step[]){PEER_ACCEPT, PEER_SEND("x", 1), PEER_STOP});
    census_take(&before);
    expect_number(student_connect(fd, port), 0);
    expect_number(student_read(fd, &byte, 1), 1);
    census_take(&after);
    lab_expect(!census_difference(&before, &after), "no difference", "%s",
               census_difference(&before, &after));
    peer_join(peer);
    lab_close(fd);
}

LAB_TEST(peer, observes_without_a_thread, .points = 1)
{
    const struct peer_report *report;
    int fds[2];

    lab_tcp_pair(fds);
    expect_number(student_write(fds[0], "bye", 3), 3);
    lab_close(fds[0]);
    report = peer_observe(fds[1]);
    expect_number(report->end, PEER_SAW_END);
    expect_number((long)report->received, 3);
    lab_close(fds[1]);
}

LAB_TEST(peer, is_not_hit_by_signals, .points = 1)
{
    struct peer *peer;
    sigset_t set;
    int fds[2], got;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    lab_tcp_pair(fds);
    peer = peer_start(fds[1], (struct peer_step[]){PEER_DRAIN, PEER_STOP});
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    expect_number(sigwait(&set, &got), 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    lab_close(fds[0]);
    expect_number(peer_join(peer)->end, PEER_SAW_END);
}

/* ---- what a test's process cannot do ------------------------------------------------------------------ */

#define LANDLOCK_CREATE_RULESET 444

static void require_landlock(int abi)
{
    if (syscall(LANDLOCK_CREATE_RULESET, NULL, 0, 1U) < abi)
        lab_skip("Landlock that is new enough");
}

LAB_TEST(guard, runner_cannot_be_killed, .points = 1)
{
    require_landlock(6);
    expect_failure(student_kill_runner(), EPERM);
}

LAB_TEST(guard, runner_cannot_be_traced_or_read, .points = 1)
{
    require_landlock(1);
    expect_failure(student_trace_runner(), EPERM);
    expect_failure(student_open_runner("mem"), EACCES);
    expect_failure(student_open_runner("fd/0"), EACCES);
}

LAB_TEST(guard, own_children_can_be_killed, .points = 1)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        for (;;)
            pause();
    expect_number(kill(child, SIGTERM), 0);
    expect_number(waitpid(child, &status, 0), child);
    expect_number(WTERMSIG(status), SIGTERM);
}

LAB_TEST(guard, own_abstract_sockets_can_be_reached, .points = 1)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = sizeof(sa_family_t), all = sizeof(address);

    expect_number(bind(listener, (struct sockaddr *)&address, size),
                  0); /* the kernel names it */
    expect_number(listen(listener, 1), 0);
    expect_number(getsockname(listener, (struct sockaddr *)&address, &all), 0);
    expect_number(connect(fd, (struct sockaddr *)&address, all), 0);
    lab_close(fd);
    lab_close(listener);
}
