/* test_student.c: see test_student.h. */
#define _GNU_SOURCE
#include "test_student.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak" /* which is the point */
#pragma GCC diagnostic ignored "-Wanalyzer-possible-null-dereference"
#endif

ssize_t student_read(int fd, void *buf, size_t n)
{
    return read(fd, buf, n);
}

ssize_t student_recv(int fd, void *buf, size_t n, int flags)
{
    return recv(fd, buf, n, flags);
}

ssize_t student_recvmsg(int fd, void *buf, size_t n, int flags)
{
    struct iovec part = {buf, n};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    return recvmsg(fd, &message, flags);
}

ssize_t student_readv(int fd, void *one, size_t n_one, void *two, size_t n_two)
{
    struct iovec parts[] = {{one, n_one}, {two, n_two}};

    return readv(fd, parts, 2);
}

ssize_t student_write(int fd, const void *buf, size_t n)
{
    return write(fd, buf, n);
}

ssize_t student_writev(int fd, const void *one, size_t n_one, const void *two,
                       size_t n_two)
{
    struct iovec parts[] = {{(void *)one, n_one}, {(void *)two, n_two}};

    return writev(fd, parts, 2);
}

int student_accept(int fd)
{
    return accept(fd, NULL, NULL);
}

int student_connect(int fd, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

int student_close(int fd)
{
    return close(fd);
}

int student_poll(int fd, int timeout)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, timeout);
}

int student_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

int student_fcntl_flags(int fd)
{
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0 ? fcntl(fd, F_GETFL)
                                                                    : -1;
}

long student_syscall_read(int fd, void *buf, size_t n)
{
    return syscall(SYS_read, fd, buf, n);
}

void *student_malloc(size_t n)
{
    return malloc(n);
}

char *student_strdup(const char *text)
{
    return strdup(text);
}

void student_free(void *memory)
{
    free(memory);
}

void student_exit(int status)
{
    exit(status);
}

void student_underscore_exit(int status)
{
    _exit(status);
}

void student_quick_exit(int status)
{
    quick_exit(status);
}

void student_exit_group(int status)
{
    syscall(SYS_exit_group, status);
}

void student_bare_exit(void)
{
#ifdef __x86_64__
    __asm__ volatile("syscall" ::"a"(SYS_exit_group), "D"(0) : "rcx", "r11", "memory");
#else
    _exit(0);
#endif
}

void student_pthread_exit(void)
{
    pthread_exit(NULL);
}

void student_abort(void)
{
    abort();
}

void student_segfault(void)
{
    volatile int *volatile nowhere = (volatile int *)4096; /* never mapped */

    *nowhere = 1;
}

void student_leak(size_t n)
{
    static char *volatile kept;

    kept = malloc(n);
    kept[0] = 1;
    kept = NULL;
}

void student_leak_descriptor(int fd)
{
    if (dup(fd) == -1)
        perror("dup");
}

void student_leave_child(void)
{
    if (fork() == 0)
        for (;;)
            pause();
}

void student_leave_orphan(void)
{
    pid_t child = fork();

    if (child == 0) {
        if (fork() == 0) {
            setsid(); /* out of the process group that is killed */
            for (;;)
                pause();
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

void student_overflow(size_t n)
{
    int zeros = open("/dev/zero", O_RDONLY);
    char *room = malloc(8);

    if (read(zeros, room, n) == -1)
        perror("read");
    free(room);
    close(zeros);
}

int student_overflow_int(int n)
{
    return n + 1;
}

void student_ignore_sigpipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void student_block_sigint(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

void student_write_to_gone_reader(int fd)
{
    while (write(fd, "x", 1) != -1)
        ;
}

void student_loop(void)
{
    for (volatile unsigned n = 0;; n++)
        ;
}

void student_write_everywhere(const char *text)
{
    for (int fd = 3; fd < 64; fd++)
        if (write(fd, text, strlen(text)) == -1)
            continue; /* not open: as it should be */
}

void student_print_for_ever(void)
{
    static char line[4096];

    memset(line, 'x', sizeof(line) - 1);
    for (int i = 0; i < 4096; i++)
        printf("%s\n", line);
}

void student_close_everything(void)
{
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
}

int student_kill_runner(void)
{
    return kill(getppid(), SIGKILL);
}

int student_trace_runner(void)
{
    return (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

int student_open_runner(const char *file)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)getppid(), file);
    return open(path, O_RDWR);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER,
                       recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
                       checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void *lock_and_unlock(void *unused)
{
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    return unused;
}

int student_lock_rightly(void)
{
    pthread_t thread;
    int wrong = pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, lock_and_unlock, NULL);
    wrong += pthread_cond_wait(&condition, &mutex);
    wrong +=
        pthread_cond_timedwait(&condition, &mutex, &(struct timespec){0}) != ETIMEDOUT;
    pid_t child = fork();
    if (child == 0)
        _exit(pthread_mutex_unlock(&mutex)); /* what its parent had locked */
    wrong += waitpid(child, &wrong, 0) != child;
    wrong += pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    wrong += pthread_mutex_trylock(&mutex) + pthread_mutex_unlock(&mutex);
    wrong += pthread_mutex_lock(&recursive) + pthread_mutex_lock(&recursive);
    wrong += pthread_mutex_unlock(&recursive) + pthread_mutex_unlock(&recursive);
    wrong += pthread_mutex_unlock(&checked) != EPERM;
    wrong += pthread_mutex_lock(&checked) + (pthread_mutex_lock(&checked) != EDEADLK);
    return wrong + pthread_mutex_unlock(&checked);
}

void student_unlock_unlocked(void)
{
    pthread_mutex_unlock(&mutex);
}

void student_lock_twice(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

void student_wait_unlocked(void)
{
    pthread_cond_timedwait(&condition, &mutex, &(struct timespec){0});
}
