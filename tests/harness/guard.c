/* guard.c: what keeps a test's process away from the runner. */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Landlock, as in <linux/landlock.h>; said here because that header is often older than the kernel. */
#define RULESET_VERSION        1U
#define FS_MAKE_BLOCK          (UINT64_C(1) << 11) /* making block devices: nothing a test needs */
#define SCOPE_ABSTRACT_SOCKETS (UINT64_C(1) << 0)
#define SCOPE_SIGNALS          (UINT64_C(1) << 1)
#define ABI_WITH_SCOPES        6

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self  446
#endif

struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

static pid_t runner;
static int control_fd = -1;
static int pid_pipe[2] = {-1, -1};
static void (*told)(pid_t pid);

void *guard_secret(size_t n)
{
    void *secret =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (secret == MAP_FAILED || madvise(secret, n, MADV_WIPEONFORK) == -1)
        return NULL;
    return secret;
}

/* ---- fork: the child loses the control channel first, and tells its number ------------------------------ */

static void in_child(void)
{
    if (getppid() != runner || pid_pipe[1] == -1)
        return; /* a process that a test forked */
    if (control_fd != -1)
        close(control_fd);
    close(pid_pipe[0]);
    control_fd = pid_pipe[0] = -1;
}

/*
 * Not before Check has written what it writes in the child: it gives up when a process that was killed, as one may be
 * from here on, has written nothing.
 */
static void tell_number(void)
{
    pid_t self = getpid();

    while (write(pid_pipe[1], &self, sizeof(self)) == -1 && errno == EINTR)
        ;
    close(pid_pipe[1]);
    pid_pipe[1] = -1;
}

static void in_parent(void)
{
    pid_t child = 0;

    if (getpid() != runner || !told)
        return;
    close(pid_pipe[1]);
    while (read(pid_pipe[0], &child, sizeof(child)) == -1 && errno == EINTR)
        ;
    close(pid_pipe[0]);
    pid_pipe[0] = pid_pipe[1] = -1;
    told(child);
    told = NULL;
}

void guard_watch_fork(void (*started)(pid_t pid))
{
    if (pipe2(pid_pipe, O_CLOEXEC) == -1) {
        perror("pipe2");
        _exit(2);
    }
    told = started;
}

void guard_runner(int control)
{
    runner = getpid();
    control_fd = control;
    if (control != -1)
        fcntl(control, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);  /* a grader that is gone: the write fails, and so do we */
    prctl(PR_SET_DUMPABLE, 0); /* no ptrace, no /proc/PID/mem, no /proc/PID/fd */
    prctl(PR_SET_CHILD_SUBREAPER,
          1); /* orphans of a test come to us, see guard_sweep() */
    pthread_atfork(NULL, in_parent, in_child);
}

/* ---- the test's process ------------------------------------------------------------------------- */

static void close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
#endif
    for (int fd = first; fd < 4096; fd++)
        close(fd);
}

static void standard_descriptors(int output)
{
    int empty = open("/dev/null", O_RDWR);

    dup2(empty, STDIN_FILENO);
    dup2(output == -1 ? empty : output, STDOUT_FILENO);
    dup2(output == -1 ? empty : output, STDERR_FILENO);
    close_from(3);
}

/*
 * Refused where the kernel cannot do it: signals to the runner and to the grader, and, because a process may trace
 * and read only processes in its own Landlock domain, everything that ptrace governs.
 */
static void landlock(void)
{
    struct ruleset rules = {.handled_access_fs = FS_MAKE_BLOCK};
    size_t size = sizeof(rules.handled_access_fs);
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    long fd;

    if (abi < 1)
        return;
    if (abi >= ABI_WITH_SCOPES) {
        rules.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
        size = sizeof(rules);
    }
    fd = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (fd == -1)
        return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        syscall(SYS_landlock_restrict_self, (int)fd, 0);
    close((int)fd);
}

/* A fault of the program itself: AddressSanitizer's handlers tell where it was. */
static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
}

/* As a program finds them that was just started: Check's own handlers are for the runner. */
static void fresh_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < SIGRTMIN; number++)
        if (!is_fault(number))
            sigaction(number, &standard,
                      NULL); /* refused for SIGKILL and SIGSTOP: fine */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void guard_test(int output)
{
    struct rlimit no_core = {0, 0};

    tell_number();
    standard_descriptors(output);
    fresh_signals();
    setrlimit(RLIMIT_CORE, &no_core);
    landlock();
    prctl(PR_SET_DUMPABLE, 1); /* for LeakSanitizer, which traces its own process */
}

/* ---- after a test -------------------------------------------------------------------------------- */

static int kill_listed(void)
{
    char text[4096], path[64];
    char *at = text, *end;
    ssize_t n;
    int killed = 0, fd;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)runner);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return -1;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (long pid; (pid = strtol(at, &end, 10)) > 0; at = end, killed++)
        kill((pid_t)pid, SIGKILL);
    return killed;
}

int guard_sweep(void)
{
    int swept = 0;
    pid_t pid;

    /* Each one that is waited for may hand us its own children, so ask until there is none. */
    while ((pid = waitpid(-1, NULL, WNOHANG)) != -1) {
        if (pid == 0 && kill_listed() < 1)
            return swept + 1; /* it cannot be found: the sandbox's end will be its end */
        if (pid == 0)
            pid = waitpid(-1, NULL, 0);
        swept += pid > 0;
    }
    return swept;
}
