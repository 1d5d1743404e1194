/* census.c: which descriptors and child processes this process has. */
#define _GNU_SOURCE
#include "census.h"
#include "page.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_BYTES    512
#define ADDRESS_BYTES 160

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char hidden[CENSUS_FDS / 8];
static int hidden_above; /* hidden descriptors past the bits: only counted */

static bool bit(const unsigned char *bits, int fd)
{
    return bits[fd / 8] >> (fd % 8) & 1;
}

static void set_bit(unsigned char *bits, int fd, bool on)
{
    unsigned char mask = (unsigned char)(1U << (fd % 8));

    bits[fd / 8] = (unsigned char)(on ? bits[fd / 8] | mask : bits[fd / 8] & ~mask);
}

void census_lock(void)
{
    pthread_mutex_lock(&lock);
}

void census_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void census_hide_locked(int fd, bool on)
{
    if (fd >= 0 && fd < CENSUS_FDS)
        set_bit(hidden, fd, on);
    else
        hidden_above += on ? 1 : -1;
}

void census_hide(int fd)
{
    census_lock();
    census_hide_locked(fd, true);
    census_unlock();
}

/* ---- counting ----------------------------------------------------------------------------------- */

static void count_fd(struct census *census, int fd)
{
    if (fd < CENSUS_FDS && bit(hidden, fd))
        return;
    census->fds++;
    if (fd < CENSUS_FDS)
        set_bit(census->open, fd, true);
}

/* Without /proc, or without a descriptor left to open it with: ask for each number. */
static void count_fds_by_asking(struct census *census)
{
    for (int fd = 0; fd < CENSUS_FDS; fd++)
        if (fcntl(fd, F_GETFD) != -1)
            count_fd(census, fd);
}

/* getdents64() and not opendir(): a census allocates nothing, so a leak check may stand on either side of it. */
static void count_entries(struct census *census, const char *at, long n, int own)
{
    for (const char *end = at + n; at < end;) {
        const struct dirent64 *entry = (const struct dirent64 *)(const void *)at;

        if (entry->d_name[0] != '.' && atoi(entry->d_name) != own)
            count_fd(census, atoi(entry->d_name));
        at += entry->d_reclen;
    }
}

static void count_fds(struct census *census)
{
    _Alignas(struct dirent64) char entries[4096];
    int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long n;

    if (dir == -1) {
        count_fds_by_asking(census);
        return;
    }
    while ((n = syscall(SYS_getdents64, dir, entries, sizeof(entries))) > 0)
        count_entries(census, entries, n, dir);
    close(dir);
    census->fds -= hidden_above;
}

static void count_child(struct census *census, pid_t pid)
{
    if (census->children < CENSUS_CHILDREN)
        census->child[census->children] = pid;
    census->children++;
}

static void count_children_of(struct census *census, const char *task)
{
    char text[2048], path[64];
    char *at = text, *end;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/self/task/%.20s/children", task);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (long pid; (pid = strtol(at, &end, 10)) > 0; at = end)
        count_child(census, (pid_t)pid);
}

static void count_children_by_task(struct census *census)
{
    _Alignas(struct dirent64) char entries[4096];
    int dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long n;

    if (dir == -1)
        return;
    while ((n = syscall(SYS_getdents64, dir, entries, sizeof(entries))) > 0)
        for (long at = 0; at < n;) {
            const struct dirent64 *entry =
                (const struct dirent64 *)(void *)(entries + at);

            if (entry->d_name[0] != '.')
                count_children_of(census, entry->d_name);
            at += entry->d_reclen;
        }
    close(dir);
}

static void count_children(struct census *census)
{
    siginfo_t info = {0};

    /* The common case, at the price of one call: there is none. */
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD)
        return;
    count_children_by_task(census);
    if (census->children ==
        0) /* a kernel without the children file: one at least, number unknown */
        count_child(census, info.si_pid);
}

void census_take(struct census *census)
{
    int error = errno;

    *census = (struct census){0};
    census_lock();
    count_fds(census);
    census_unlock();
    count_children(census);
    errno = error;
}

/* ---- words -------------------------------------------------------------------------------------- */

static const char *unix_text(const struct sockaddr_un *un, socklen_t size, char *text)
{
    int n = (int)size - (int)offsetof(struct sockaddr_un, sun_path);

    if (n <= 0)
        return "";
    if (un->sun_path[0] == '\0')
        snprintf(text, ADDRESS_BYTES, " @%.*s", n - 1, un->sun_path + 1);
    else
        snprintf(text, ADDRESS_BYTES, " %.*s", n, un->sun_path);
    return text;
}

static const char *address_words(const struct sockaddr_storage *any, socklen_t size,
                                 char *text)
{
    const struct sockaddr_in *in4 = (const void *)any;
    const struct sockaddr_in6 *in6 = (const void *)any;
    char host[INET6_ADDRSTRLEN] = "?";

    switch (any->ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &in4->sin_addr, host, sizeof(host));
        snprintf(text, ADDRESS_BYTES, " %s:%u", host, ntohs(in4->sin_port));
        return text;
    case AF_INET6:
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(text, ADDRESS_BYTES, " [%s]:%u", host, ntohs(in6->sin6_port));
        return text;
    case AF_UNIX: return unix_text((const void *)any, size, text);
    default: return "";
    }
}

static int option(int fd, int name)
{
    int value = -1;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == -1 ? -1 : value;
}

static const char *kind_of_socket(int domain, int type)
{
    bool inet = domain == AF_INET || domain == AF_INET6;

    if (type == SOCK_STREAM)
        return inet ? "TCP" : domain == AF_UNIX ? "local stream" : "stream";
    if (type == SOCK_DGRAM)
        return inet ? "UDP" : domain == AF_UNIX ? "local datagram" : "datagram";
    return type == SOCK_SEQPACKET ? "seqpacket" : type == SOCK_RAW ? "raw" : "other";
}

static const char *socket_text(int fd, char *text)
{
    struct sockaddr_storage here = {0}, there = {0};
    socklen_t here_size = sizeof(here), there_size = sizeof(there);
    char from[ADDRESS_BYTES], to[ADDRESS_BYTES];
    bool connected = getpeername(fd, (struct sockaddr *)&there, &there_size) == 0;

    if (getsockname(fd, (struct sockaddr *)&here, &here_size) == -1)
        here_size = 0;
    snprintf(text, TEXT_BYTES, "%s socket%s%s%s%s",
             kind_of_socket(option(fd, SO_DOMAIN), option(fd, SO_TYPE)),
             here_size ? address_words(&here, here_size, from) : "",
             connected ? ", connected to" : "",
             connected ? address_words(&there, there_size, to) : "",
             option(fd, SO_ACCEPTCONN) == 1 ? ", listening" : "");
    if (connected &&
        text[strlen(text) - 1] == 'o') /* a peer without a name, as of socketpair() */
        text[strlen(text) - 3] = '\0';
    return text;
}

static const char *file_text(int fd, const struct stat *st, char *text)
{
    char link[32], name[256];
    ssize_t n;

    if (S_ISFIFO(st->st_mode))
        return "pipe";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, name, sizeof(name) - 1);
    if (n <= 0)
        return "file";
    name[n] = '\0';
    if (strncmp(name, "anon_inode:", 11) == 0)
        snprintf(text, TEXT_BYTES, "%.*s",
                 (int)strcspn(name + 11 + (name[11] == '['), "]"),
                 name + 11 + (name[11] == '['));
    else
        snprintf(text, TEXT_BYTES, "%s %s", S_ISDIR(st->st_mode) ? "directory" : "file",
                 name);
    return text;
}

const char *census_fd_text(int fd)
{
    static char text[TEXT_BYTES];
    int error = errno;
    struct stat st;
    const char *words;

    if (fstat(fd, &st) == -1)
        words = "not open";
    else if (S_ISSOCK(st.st_mode))
        words = socket_text(fd, text);
    else
        words = file_text(fd, &st, text);
    errno = error;
    return words;
}

/* ---- differences -------------------------------------------------------------------------------- */

struct sentence {
    char text[TEXT_BYTES * 2];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *to,
                                                      const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(to->text + to->used, sizeof(to->text) - to->used, format, args);
    va_end(args);
    if (n > 0)
        to->used += (size_t)n;
    if (to->used >= sizeof(to->text))
        to->used = sizeof(to->text) - 1;
}

static void say_left_open(struct sentence *to, const struct census *a,
                          const struct census *b)
{
    const char *join = to->used ? "; left open: " : "left open: ";

    for (int fd = 0; fd < CENSUS_FDS; fd++)
        if (!bit(a->open, fd) && bit(b->open, fd) && !bit(hidden, fd)) {
            say(to, "%s%d (%s)", join, fd, census_fd_text(fd));
            join = ", ";
        }
}

static void say_closed(struct sentence *to, const struct census *a,
                       const struct census *b)
{
    for (int fd = 0; fd < CENSUS_FDS; fd++)
        if (bit(a->open, fd) && !bit(b->open, fd) && !bit(hidden, fd))
            say(to, "%sclosed %d, which is the caller's", to->used ? "; " : "", fd);
}

static bool has_child(const struct census *census, pid_t pid)
{
    for (int i = 0; i < census->children && i < CENSUS_CHILDREN; i++)
        if (census->child[i] == pid)
            return true;
    return false;
}

static void say_children(struct sentence *to, const struct census *a,
                         const struct census *b)
{
    for (int i = 0; i < b->children && i < CENSUS_CHILDREN; i++)
        if (!has_child(a, b->child[i]))
            say(to, "%sleft a child process that was not waited for",
                to->used ? "; " : "");
    for (int i = 0; i < a->children && i < CENSUS_CHILDREN; i++)
        if (!has_child(b, a->child[i]))
            say(to, "%swaited for a child process that is the caller's",
                to->used ? "; " : "");
}

const char *census_difference(const struct census *before, const struct census *after)
{
    static struct sentence sentence;

    sentence.used = 0;
    say_closed(&sentence, before, after);
    say_left_open(&sentence, before, after);
    say_children(&sentence, before, after);
    if (!sentence.used &&
        before->fds != after->fds) /* past the bits, or one for another */
        say(&sentence, "%s open: %d descriptors in place of %d",
            after->fds > before->fds ? "left" : "did not leave", after->fds, before->fds);
    return sentence.used ? sentence.text : NULL;
}
