/*
 * Why does a process not go on? Read from /proc (proc(5)), from outside the sandbox: the
 * call it is in, the descriptor it waits on, and what the kernel knows of the connection
 * behind it.
 */
#define _GNU_SOURCE
#include "grade.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static size_t children_of(pid_t pid, pid_t *found, size_t most)
{
    size_t n = 0;
    char *folder = text_format("/proc/%d/task", (int)pid);
    DIR *tasks = opendir(folder);
    for (struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;) {
        char *path = text_format("%s/%s/children", folder, entry->d_name);
        FILE *children =
            isdigit((unsigned char)entry->d_name[0]) ? fopen(path, "re") : NULL;
        int child;
        while (children != NULL && n < most && fscanf(children, "%d", &child) == 1)
            found[n++] = child;
        if (children != NULL)
            fclose(children);
        free(path);
    }
    if (tasks != NULL)
        closedir(tasks);
    free(folder);
    errno = 0;
    return n;
}

size_t descendants(pid_t pid, pid_t *found, size_t most)
{
    size_t n = 0;
    found[n++] = pid;
    for (size_t i = 0; i < n; i++)
        n += children_of(found[i], found + n, most - n);
    return n;
}

bool process_runs(pid_t pid, const char *part_of_path)
{
    char *path = text_format("/proc/%d/exe", (int)pid), target[4096];
    ssize_t n = readlink(path, target, sizeof target - 1);
    free(path);
    errno = 0;
    if (n < 0)
        return false;
    target[n] = '\0';
    return strstr(target, part_of_path) != NULL;
}

struct call {
    long number;
    const char *name;
    bool on_descriptor; /* its first argument is the descriptor that it waits on */
};

static const struct call calls[] = {
    {SYS_read, "read", true},
    {SYS_readv, "readv", true},
    {SYS_recvfrom, "recv", true},
    {SYS_recvmsg, "recvmsg", true},
    {SYS_write, "write", true},
    {SYS_writev, "writev", true},
    {SYS_sendto, "send", true},
    {SYS_sendmsg, "sendmsg", true},
    {SYS_accept, "accept", true},
    {SYS_accept4, "accept", true},
    {SYS_connect, "connect", true},
    {SYS_ppoll, "poll", false},
    {SYS_pselect6, "select", false},
    {SYS_epoll_pwait, "epoll_wait", false},
    {SYS_futex, "a lock or a thread's end (futex)", false},
    {SYS_wait4, "wait", false},
    {SYS_waitid, "wait", false},
    {SYS_clock_nanosleep, "sleep", false},
    {SYS_nanosleep, "sleep", false},
    {SYS_rt_sigtimedwait, "sigwait", false},
    {SYS_rt_sigsuspend, "sigsuspend", false},
    {SYS_close, "close", true},
#ifdef SYS_poll /* calls that newer architectures lack */
    {SYS_poll, "poll", false},
    {SYS_select, "select", false},
    {SYS_epoll_wait, "epoll_wait", false},
    {SYS_pause, "pause", false},
#endif
};

static const struct call *call_of(long number)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* The inode of the socket behind a descriptor, or 0. */
static unsigned long socket_inode(pid_t pid, long fd)
{
    char *path = text_format("/proc/%d/fd/%ld", (int)pid, fd), target[256];
    unsigned long inode = 0;
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n > 0) {
        target[n] = '\0';
        sscanf(target, "socket:[%lu]", &inode);
    }
    free(path);
    errno = 0;
    return inode;
}

/* State and unread bytes of a TCP socket, looked up in the network namespace of the
 * process. */
static bool tcp_state(pid_t pid, const char *table, unsigned long inode, unsigned *state,
                      unsigned *unread)
{
    char *path = text_format("/proc/%d/net/%s", (int)pid, table), line[512];
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        unsigned long listed;
        found = sscanf(line, " %*d: %*s %*s %x %*x:%x %*s %*s %*s %*s %lu", state, unread,
                       &listed) == 3 &&
                listed == inode;
    }
    if (file != NULL)
        fclose(file);
    free(path);
    errno = 0;
    return found;
}

/* The numbers are those of include/net/tcp_states.h, as /proc/net/tcp shows them
 * (proc(5)). */
static const char *peer_had(unsigned state)
{
    switch (state) {
    case 0x01: return "the peer's end was open, and it had sent nothing more";
    case 0x02: return "nobody had answered the request to connect";
    case 0x04:
    case 0x05: return "you had ended your side, and the peer's was still open";
    case 0x08: return "the peer had closed its end";
    case 0x0a: return "no client was waiting";
    case 0x06:
    case 0x07: return "the connection was over";
    default: return NULL;
    }
}

static char *peer_text(pid_t pid, long fd)
{
    unsigned long inode = socket_inode(pid, fd);
    unsigned state, unread;
    if (inode == 0 || (!tcp_state(pid, "tcp", inode, &state, &unread) &&
                       !tcp_state(pid, "tcp6", inode, &state, &unread)))
        return text_copy("");
    const char *peer = peer_had(state);
    if (unread > 0 && state != 0x0a)
        return text_format("; %u bytes were waiting to be read%s%s", unread,
                           peer != NULL && state == 0x08 ? ", and " : "",
                           state == 0x08 ? peer : "");
    return peer == NULL ? text_copy("") : text_format("; %s", peer);
}

char *diagnose(pid_t pid)
{
    char *path = text_format("/proc/%d/syscall", (int)pid), *text = file_read(path, 1024),
         *made = NULL;
    long number = -1;
    unsigned long long first = 0;
    free(path);
    errno = 0;
    if (text != NULL && strncmp(text, "running", 7) == 0)
        made = text_copy("was still running, in its own code (an endless loop?)");
    else if (text == NULL || sscanf(text, "%ld %llx", &number, &first) < 1 || number < 0)
        made = text_copy("had not ended");
    free(text);
    if (made != NULL)
        return made;
    const struct call *call = call_of(number);
    if (call == NULL)
        return text_format("was in system call %ld", number);
    if (!call->on_descriptor)
        return text_format("was blocked in %s%s", call->name,
                           strchr(call->name, ' ') == NULL ? "()" : "");
    char *peer = peer_text(pid, (long)first);
    made =
        text_format("was blocked in %s() on descriptor %llu%s", call->name, first, peer);
    free(peer);
    return made;
}

struct load load_now(void)
{
    struct load load = {.stalled_us = ~0ULL, .at = seconds_now()};
    char *pressure = file_read("/proc/pressure/cpu", 4096);
    const char *total = pressure == NULL ? NULL : strstr(pressure, "total=");
    if (total != NULL)
        load.stalled_us = strtoull(total + 6, NULL, 10);
    free(pressure);
    errno = 0;
    return load;
}

static bool more_running_than_cores(void)
{
    char *text = file_read("/proc/loadavg", 256);
    int running = 0;
    bool known = text != NULL && sscanf(text, "%*s %*s %*s %d/", &running) == 1;
    free(text);
    errno = 0;
    return !known || running > sysconf(_SC_NPROCESSORS_ONLN);
}

bool load_was_high(struct load since)
{
    struct load now = load_now();
    if (now.stalled_us == ~0ULL || since.stalled_us == ~0ULL)
        return more_running_than_cores();
    return (double)(now.stalled_us - since.stalled_us) / 1e6 > 0.2 * (now.at - since.at);
}

/* Adds up the context switches of all threads of a process; -1 if one of them is not
 * asleep. */
static long long switches_if_asleep(pid_t pid)
{
    long long sum = 0;
    char *folder = text_format("/proc/%d/task", (int)pid);
    DIR *tasks = opendir(folder);
    for (struct dirent *entry;
         tasks != NULL && sum >= 0 && (entry = readdir(tasks)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        char *path = text_format("%s/%s/status", folder, entry->d_name),
             *status = file_read(path, 16384);
        const char *state = status == NULL ? NULL : strstr(status, "\nState:\t");
        const char *voluntary =
            status == NULL ? NULL : strstr(status, "\nvoluntary_ctxt_switches:\t");
        if (state == NULL || voluntary == NULL || strchr("SDZXT", state[8]) == NULL)
            sum = -1;
        else
            sum += strtoll(voluntary + 26, NULL, 10);
        free(status);
        free(path);
    }
    if (tasks != NULL)
        closedir(tasks);
    free(folder);
    errno = 0;
    return sum;
}

static long long switches_of_all(const pid_t *pids, size_t n)
{
    long long sum = 0;
    for (size_t i = 0; i < n; i++) {
        long long one = switches_if_asleep(pids[i]);
        if (one < 0)
            return -1;
        sum += one;
    }
    return sum;
}

bool all_asleep(const pid_t *pids, size_t n)
{
    long long before = switches_of_all(pids, n);
    if (before < 0)
        return false;
    nanosleep(&(struct timespec){.tv_nsec = 50000000},
              NULL); /* the observation itself: nothing may move in it */
    return switches_of_all(pids, n) == before;
}

/* utime, stime, cutime and cstime are the fields 14 to 17 of /proc/PID/stat (proc(5)), after the name in brackets. */
static double cpu_of(pid_t pid)
{
    char *path = text_format("/proc/%d/stat", (int)pid), *text = file_read(path, 4096);
    char *name_end = text == NULL ? NULL : strrchr(text, ')');
    unsigned long user = 0, system = 0, children_user = 0, children_system = 0;
    if (name_end != NULL)
        sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu",
               &user, &system, &children_user, &children_system);
    free(text);
    free(path);
    return (double)(user + system + children_user + children_system) /
           (double)sysconf(_SC_CLK_TCK);
}

double cpu_seconds(const pid_t *pids, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += cpu_of(pids[i]);
    errno = 0;
    return sum;
}

/* The value in bytes of a line of /proc/PID/status, "RssAnon:	     160 kB"; 0 if there is none. */
static size_t kilobytes(const char *status, const char *name)
{
    const char *line = strstr(status, name);
    return line == NULL ? 0 : strtoul(line + strlen(name), NULL, 10) << 10;
}

/* What a process holds open without a name: memfd_create(2), or a file that was removed. Mapped or not, it takes memory
 * (or disk) until it is closed. */
static size_t nameless_bytes(pid_t pid)
{
    size_t sum = 0;
    char *folder = text_format("/proc/%d/fd", (int)pid);
    DIR *open = opendir(folder);
    for (struct dirent *entry; open != NULL && (entry = readdir(open)) != NULL;) {
        struct stat status;
        if (fstatat(dirfd(open), entry->d_name, &status, 0) == 0 &&
            S_ISREG(status.st_mode) && status.st_nlink == 0)
            sum += (size_t)status.st_blocks * 512;
    }
    if (open != NULL)
        closedir(open);
    free(folder);
    return sum;
}

size_t held_bytes(const pid_t *pids, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        char *path = text_format("/proc/%d/status", (int)pids[i]),
             *text = file_read(path, 16384);
        if (text != NULL)
            sum += kilobytes(text, "\nRssAnon:") + kilobytes(text, "\nRssShmem:") +
                   nameless_bytes(pids[i]);
        free(text);
        free(path);
    }
    errno = 0;
    return sum;
}
