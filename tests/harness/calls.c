/*
 * calls.c: the layer between the student's code and the C library.
 *
 * Each CALL() below stands in for one function. In a unit test it is called lab_call_NAME, and only the student's
 * objects are renamed to call it (calls.syms). Included by preload.c it has the function's own name, and the real
 * one is the next in the search order.
 *
 * Nothing here may allocate, print, or change errno other than as the call itself would.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "calls.h"
#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef CALLS_PRELOAD
#include <dlfcn.h>
#define EXPORTED(name) __asm__(#name) __attribute__((visibility("default")))
#define REAL(name)                          \
    (__extension__({                        \
        static void *real;                  \
        if (!real)                          \
            real = dlsym(RTLD_NEXT, #name); \
        (__typeof__(&name))real;            \
    }))
#else
#define EXPORTED(name)
#define REAL(name) name
#endif

/* The prototype first: it says the name that the linker sees. */
#define CALL(type, name, ...)                         \
    type lab_call_##name(__VA_ARGS__) EXPORTED(name); \
    type lab_call_##name(__VA_ARGS__)

/* ---- the calls that are known --------------------------------------------------------------------- */

/* clang-format off */
#define CALLS(X)                                                                         \
    X(read, RECEIVE) X(readv, RECEIVE) X(recv, RECEIVE) X(recvfrom, RECEIVE)             \
    X(recvmsg, RECEIVE) X(recvmmsg, RECEIVE)                                             \
    X(write, SEND) X(writev, SEND) X(send, SEND) X(sendto, SEND) X(sendmsg, SEND)        \
    X(sendmmsg, SEND) X(sendfile, SEND)                                                  \
    X(accept, ACCEPT) X(accept4, ACCEPT) X(connect, CONNECT)                             \
    X(poll, WAIT) X(ppoll, WAIT) X(select, WAIT) X(pselect, WAIT) X(epoll_wait, WAIT)    \
    X(epoll_pwait, WAIT)                                                                 \
    X(close, CLOSE) X(malloc, ALLOCATE) X(calloc, ALLOCATE) X(realloc, ALLOCATE)         \
    X(reallocarray, ALLOCATE) X(strdup, ALLOCATE) X(strndup, ALLOCATE)                   \
    X(socket, SOCKET) X(socketpair, SOCKET) X(bind, BIND) X(listen, LISTEN)              \
    X(shutdown, SHUTDOWN) X(getsockopt, OPTION) X(setsockopt, OPTION)                    \
    X(getsockname, NAME) X(getpeername, NAME)                                            \
    X(fcntl, CONTROL) X(ioctl, CONTROL) X(dup, CONTROL) X(dup2, CONTROL) X(dup3, CONTROL)
/* clang-format on */

enum call {
    CALL_none,
#define X(name, family) CALL_##name,
    CALLS(X)
#undef X
        CALL_exit,
    CALL__exit,
    CALL__Exit,
    CALL_quick_exit,
    CALL_abort,
    CALL_exit_group
};

static const struct {
    const char *name;
    enum call_family family;
} known[] = {[CALL_none] = {"?", CALLS_FAMILIES},
#define X(name, family) [CALL_##name] = {#name, CALLS_##family},
             CALLS(X)
#undef X
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* ---- faults ------------------------------------------------------------------------------------- */

#define PENDING 64

struct pending {
    enum call_family family;
    unsigned left; /* calls until it is due; 0: free */
    struct fault fault;
};

/* Recursive: a signal handler of the student's may make a call while its own thread is in here. */
static pthread_mutex_t fault_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct pending pending[PENDING];
static struct {
    bool on;
    struct fault fault;
} each[CALLS_FAMILIES];
static atomic_bool armed; /* false: no lock needed, there is nothing to look for */

static struct calls_record own_record;
static struct calls_record *record = &own_record;
static const struct calls_record *shown = &own_record;

void calls_share(struct calls_record *shared)
{
    record = shared;
    shown = shared;
}

void calls_of(const struct calls_record *copy)
{
    shown = copy;
}

void fault_once(enum call_family family, unsigned nth, struct fault fault)
{
    pthread_mutex_lock(&fault_lock);
    for (int i = 0; i < PENDING; i++)
        if (pending[i].left == 0) {
            pending[i] = (struct pending){family, nth ? nth : 1, fault};
            break;
        }
    atomic_store(&armed, true);
    pthread_mutex_unlock(&fault_lock);
}

void fault_each(enum call_family family, struct fault fault)
{
    pthread_mutex_lock(&fault_lock);
    each[family].on = true;
    each[family].fault = fault;
    atomic_store(&armed, true);
    pthread_mutex_unlock(&fault_lock);
}

void fault_none(void)
{
    pthread_mutex_lock(&fault_lock);
    memset(pending, 0, sizeof(pending));
    memset(each, 0, sizeof(each));
    atomic_store(&armed, false);
    pthread_mutex_unlock(&fault_lock);
}

/* Every pending fault of the family comes one call nearer; the first that is due is taken. */
static bool take_pending(enum call_family family, struct fault *fault)
{
    bool taken = false;

    for (int i = 0; i < PENDING; i++)
        if (pending[i].left && pending[i].family == family && --pending[i].left == 0 &&
            !taken) {
            *fault = pending[i].fault;
            taken = true;
        }
    return taken;
}

static bool take_fault(enum call_family family, struct fault *fault)
{
    bool taken;

    if (!atomic_load(&armed))
        return false;
    pthread_mutex_lock(&fault_lock);
    taken = take_pending(family, fault);
    if (!taken && each[family].on) {
        *fault = each[family].fault;
        taken = true;
    }
    pthread_mutex_unlock(&fault_lock);
    if (taken)
        atomic_fetch_add(&record->faulted, 1);
    return taken;
}

unsigned faults_taken(void)
{
    return atomic_load(&shown->faulted);
}

unsigned calls_made(enum call_family family)
{
    return family < CALLS_FAMILIES ? atomic_load(&shown->made[family]) : 0;
}

/* ---- the record --------------------------------------------------------------------------------- */

struct made {
    struct call_record *slot; /* NULL: this call is only counted */
    unsigned number;
    struct fault fault;
    bool refused;
};

static void put_call(struct made *made, enum call call, int fd)
{
    made->number = atomic_fetch_add(&record->count, 1) + 1;
    made->slot = &record->ring[made->number % CALLS_KEPT];
    made->slot->state = CALL_EMPTY;
    made->slot->number = made->number;
    made->slot->thread = (pid_t)syscall(SYS_gettid);
    made->slot->call = (unsigned char)call;
    made->slot->fd = fd;
    made->slot->state = CALL_RUNNING;
}

/* Processes that the student's code forked have their faults, but write nothing into the test's record. */
static bool recorded(void)
{
#ifdef CALLS_PRELOAD
    return true;
#else
    return record == &own_record || lab_page->pid == getpid();
#endif
}

static struct made begin(enum call call, int fd)
{
    struct made made = {0};
    enum call_family family = known[call].family;
    int error = errno;
    bool faulted = take_fault(family, &made.fault);

    made.refused = faulted && made.fault.error && !made.fault.after;
    if (recorded()) {
        atomic_fetch_add(&record->made[family], 1);
        /* Allocations are many: the last calls shall still be those to the kernel. */
        if (family != CALLS_ALLOCATE || faulted)
            put_call(&made, call, fd);
    }
    errno = error;
    return made;
}

static long end(struct made *made, long result)
{
    if (made->refused || (made->fault.error && made->fault.after)) {
        result = -1;
        errno = made->fault.error;
    }
    if (made->slot && made->slot->number == made->number) {
        made->slot->result = result;
        made->slot->error = result == -1 ? errno : 0;
        made->slot->state = CALL_DONE;
    }
    return result;
}

static void *end_pointer(struct made *made, void *result)
{
    end(made, result ? 0 : -1);
    return made->refused ? NULL : result;
}

static int add(char *text, size_t used, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int add(char *text, size_t used, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text + used, CALLS_LINE - used, format, args);
    va_end(args);
    return n < 0 ? 0 : (size_t)n >= CALLS_LINE - used ? (int)(CALLS_LINE - used - 1) : n;
}

static int add_call(char *text, size_t used, const struct call_record *call)
{
    const char *name = call->call < KNOWN ? known[call->call].name : "?";

    if (call->fd == -1)
        return add(text, used, "%s()", name);
    return add(text, used, "%s(%d)", name, call->fd);
}

static int add_result(char *text, size_t used, const struct call_record *call)
{
    bool allocates = call->call < KNOWN && known[call->call].family == CALLS_ALLOCATE;
    const char *error = strerrorname_np(call->error);

    if (call->state == CALL_RUNNING)
        return add(text, used, " ...");
    if (call->result != -1)
        return add(text, used, " = %ld", call->result);
    if (!error)
        return add(text, used, " = -1 errno %d", call->error);
    return add(text, used, " = %s %s", allocates ? "NULL" : "-1", error);
}

const char *calls_text(unsigned most)
{
    static char text[CALLS_LINE];
    unsigned last = atomic_load(&shown->count);
    unsigned n = most < CALLS_KEPT ? most : CALLS_KEPT;
    size_t used = 0;

    text[0] = '\0';
    for (unsigned number = last > n ? last - n + 1 : 1; number <= last && last;
         number++) {
        const struct call_record *call = &shown->ring[number % CALLS_KEPT];

        if (call->state == CALL_EMPTY || call->number != number)
            continue;
        if (used)
            used += (size_t)add(text, used, ", ");
        used += (size_t)add_call(text, used, call);
        used += (size_t)add_result(text, used, call);
    }
    return text;
}

const char *calls_blocked(void)
{
    static char text[CALLS_LINE];
    const struct call_record *found = NULL;

    for (int i = 0; i < CALLS_KEPT; i++) {
        const struct call_record *call = &shown->ring[i];

        if (call->state == CALL_RUNNING && (!found || call->number > found->number))
            found = call;
    }
    if (!found)
        return NULL;
    add_call(text, 0, found);
    return text;
}

const char *calls_exit_name(int call)
{
    static const char *const names[] = {"exit",       "_exit", "_Exit",
                                        "quick_exit", "abort", "exit_group"};

    return call >= CALL_exit && call <= CALL_exit_group ? names[call - CALL_exit] : NULL;
}

/* ---- shortening --------------------------------------------------------------------------------- */

/* A datagram is taken whole or lost in part: only a stream may come in smaller pieces. */
static bool is_stream(int fd)
{
    int error = errno, type = SOCK_STREAM;
    socklen_t size = sizeof(type);

    if (REAL(getsockopt)(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1)
        type = SOCK_STREAM; /* a pipe or a file */
    errno = error;
    return type == SOCK_STREAM;
}

static size_t at_most(const struct made *made, int fd, size_t n)
{
    size_t limit = made->fault.at_most;

    return limit && limit < n && is_stream(fd) ? limit : n;
}

struct short_vector {
    struct iovec parts[64];
    int count;
};

/* The first bytes of a vector, as many as the fault lets through; the vector itself if it is not shortened. */
static const struct iovec *short_parts(struct short_vector *to, const struct made *made,
                                       int fd, const struct iovec *parts, int *count)
{
    size_t left = made->fault.at_most;

    if (!left || !is_stream(fd))
        return parts;
    for (to->count = 0; to->count < *count && to->count < 64 && left; to->count++) {
        to->parts[to->count] = parts[to->count];
        if (to->parts[to->count].iov_len > left)
            to->parts[to->count].iov_len = left;
        left -= to->parts[to->count].iov_len;
    }
    *count = to->count;
    return to->parts;
}

static struct msghdr short_message(struct short_vector *to, const struct made *made,
                                   int fd, const struct msghdr *message)
{
    struct msghdr out = *message;
    int count = (int)message->msg_iovlen;

    out.msg_iov = (struct iovec *)short_parts(to, made, fd, message->msg_iov, &count);
    out.msg_iovlen = (size_t)count;
    return out;
}

/* MSG_WAITALL promises the whole of it. */
static void keep_promise(struct made *made, int flags)
{
    if (flags & MSG_WAITALL)
        made->fault.at_most = 0;
}

/* ---- receive ------------------------------------------------------------------------------------ */

CALL(ssize_t, read, int fd, void *buf, size_t n)
{
    struct made made = begin(CALL_read, fd);

    return end(&made, made.refused ? -1 : REAL(read)(fd, buf, at_most(&made, fd, n)));
}

CALL(ssize_t, readv, int fd, const struct iovec *parts, int count)
{
    struct made made = begin(CALL_readv, fd);
    struct short_vector to;

    parts = short_parts(&to, &made, fd, parts, &count);
    return end(&made, made.refused ? -1 : REAL(readv)(fd, parts, count));
}

CALL(ssize_t, recv, int fd, void *buf, size_t n, int flags)
{
    struct made made = begin(CALL_recv, fd);

    keep_promise(&made, flags);
    return end(&made,
               made.refused ? -1 : REAL(recv)(fd, buf, at_most(&made, fd, n), flags));
}

CALL(ssize_t, recvfrom, int fd, void *buf, size_t n, int flags, struct sockaddr *from,
     socklen_t *size)
{
    struct made made = begin(CALL_recvfrom, fd);

    keep_promise(&made, flags);
    if (made.refused)
        return end(&made, -1);
    return end(&made, REAL(recvfrom)(fd, buf, at_most(&made, fd, n), flags, from, size));
}

CALL(ssize_t, recvmsg, int fd, struct msghdr *message, int flags)
{
    struct made made = begin(CALL_recvmsg, fd);
    struct short_vector to;
    struct msghdr out;
    ssize_t n;

    keep_promise(&made, flags);
    if (made.refused)
        return end(&made, -1);
    out = short_message(&to, &made, fd, message);
    n = REAL(recvmsg)(fd, &out, flags);
    message->msg_namelen = out.msg_namelen;
    message->msg_controllen = out.msg_controllen;
    message->msg_flags = out.msg_flags;
    return end(&made, n);
}

CALL(int, recvmmsg, int fd, struct mmsghdr *messages, unsigned count, int flags,
     struct timespec *timeout)
{
    struct made made = begin(CALL_recvmmsg, fd);

    if (made.refused)
        return (int)end(&made, -1);
    return (int)end(&made, REAL(recvmmsg)(fd, messages, count, flags, timeout));
}

/* ---- send --------------------------------------------------------------------------------------- */

CALL(ssize_t, write, int fd, const void *buf, size_t n)
{
    struct made made = begin(CALL_write, fd);

    return end(&made, made.refused ? -1 : REAL(write)(fd, buf, at_most(&made, fd, n)));
}

CALL(ssize_t, writev, int fd, const struct iovec *parts, int count)
{
    struct made made = begin(CALL_writev, fd);
    struct short_vector to;

    parts = short_parts(&to, &made, fd, parts, &count);
    return end(&made, made.refused ? -1 : REAL(writev)(fd, parts, count));
}

CALL(ssize_t, send, int fd, const void *buf, size_t n, int flags)
{
    struct made made = begin(CALL_send, fd);

    return end(&made,
               made.refused ? -1 : REAL(send)(fd, buf, at_most(&made, fd, n), flags));
}

CALL(ssize_t, sendto, int fd, const void *buf, size_t n, int flags,
     const struct sockaddr *to, socklen_t size)
{
    struct made made = begin(CALL_sendto, fd);

    if (made.refused)
        return end(&made, -1);
    return end(&made, REAL(sendto)(fd, buf, at_most(&made, fd, n), flags, to, size));
}

CALL(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags)
{
    struct made made = begin(CALL_sendmsg, fd);
    struct short_vector to;
    struct msghdr out;

    if (made.refused)
        return end(&made, -1);
    out = short_message(&to, &made, fd, message);
    return end(&made, REAL(sendmsg)(fd, &out, flags));
}

CALL(int, sendmmsg, int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    struct made made = begin(CALL_sendmmsg, fd);

    return (int)end(&made,
                    made.refused ? -1 : REAL(sendmmsg)(fd, messages, count, flags));
}

CALL(ssize_t, sendfile, int to, int from, off_t *offset, size_t n)
{
    struct made made = begin(CALL_sendfile, to);

    if (made.refused)
        return end(&made, -1);
    return end(&made, REAL(sendfile)(to, from, offset, at_most(&made, to, n)));
}

/* ---- connections -------------------------------------------------------------------------------- */

CALL(int, accept, int fd, struct sockaddr *from, socklen_t *size)
{
    struct made made = begin(CALL_accept, fd);

    return (int)end(&made, made.refused ? -1 : REAL(accept)(fd, from, size));
}

CALL(int, accept4, int fd, struct sockaddr *from, socklen_t *size, int flags)
{
    struct made made = begin(CALL_accept4, fd);

    return (int)end(&made, made.refused ? -1 : REAL(accept4)(fd, from, size, flags));
}

CALL(int, connect, int fd, const struct sockaddr *to, socklen_t size)
{
    struct made made = begin(CALL_connect, fd);

    return (int)end(&made, made.refused ? -1 : REAL(connect)(fd, to, size));
}

CALL(int, socket, int domain, int type, int protocol)
{
    struct made made = begin(CALL_socket, -1);

    return (int)end(&made, made.refused ? -1 : REAL(socket)(domain, type, protocol));
}

CALL(int, socketpair, int domain, int type, int protocol, int fds[2])
{
    struct made made = begin(CALL_socketpair, -1);

    return (int)end(&made,
                    made.refused ? -1 : REAL(socketpair)(domain, type, protocol, fds));
}

CALL(int, bind, int fd, const struct sockaddr *to, socklen_t size)
{
    struct made made = begin(CALL_bind, fd);

    return (int)end(&made, made.refused ? -1 : REAL(bind)(fd, to, size));
}

CALL(int, listen, int fd, int backlog)
{
    struct made made = begin(CALL_listen, fd);

    return (int)end(&made, made.refused ? -1 : REAL(listen)(fd, backlog));
}

CALL(int, shutdown, int fd, int how)
{
    struct made made = begin(CALL_shutdown, fd);

    return (int)end(&made, made.refused ? -1 : REAL(shutdown)(fd, how));
}

CALL(int, close, int fd)
{
    struct made made = begin(CALL_close, fd);

    return (int)end(&made, made.refused ? -1 : REAL(close)(fd));
}

CALL(int, getsockopt, int fd, int level, int name, void *value, socklen_t *size)
{
    struct made made = begin(CALL_getsockopt, fd);

    return (int)end(&made,
                    made.refused ? -1 : REAL(getsockopt)(fd, level, name, value, size));
}

CALL(int, setsockopt, int fd, int level, int name, const void *value, socklen_t size)
{
    struct made made = begin(CALL_setsockopt, fd);

    return (int)end(&made,
                    made.refused ? -1 : REAL(setsockopt)(fd, level, name, value, size));
}

CALL(int, getsockname, int fd, struct sockaddr *address, socklen_t *size)
{
    struct made made = begin(CALL_getsockname, fd);

    return (int)end(&made, made.refused ? -1 : REAL(getsockname)(fd, address, size));
}

CALL(int, getpeername, int fd, struct sockaddr *address, socklen_t *size)
{
    struct made made = begin(CALL_getpeername, fd);

    return (int)end(&made, made.refused ? -1 : REAL(getpeername)(fd, address, size));
}

/* ---- control ------------------------------------------------------------------------------------ */

/* fcntl() and ioctl() take one argument at most; it is passed on as it came, whatever its type. */
CALL(int, fcntl, int fd, int command, ...)
{
    struct made made = begin(CALL_fcntl, fd);
    va_list args;
    void *argument;

    va_start(args, command);
    argument = va_arg(args, void *);
    va_end(args);
    return (int)end(&made, made.refused ? -1 : REAL(fcntl)(fd, command, argument));
}

CALL(int, ioctl, int fd, unsigned long request, ...)
{
    struct made made = begin(CALL_ioctl, fd);
    va_list args;
    void *argument;

    va_start(args, request);
    argument = va_arg(args, void *);
    va_end(args);
    return (int)end(&made, made.refused ? -1 : REAL(ioctl)(fd, request, argument));
}

CALL(int, dup, int fd)
{
    struct made made = begin(CALL_dup, fd);

    return (int)end(&made, made.refused ? -1 : REAL(dup)(fd));
}

CALL(int, dup2, int fd, int to)
{
    struct made made = begin(CALL_dup2, fd);

    return (int)end(&made, made.refused ? -1 : REAL(dup2)(fd, to));
}

CALL(int, dup3, int fd, int to, int flags)
{
    struct made made = begin(CALL_dup3, fd);

    return (int)end(&made, made.refused ? -1 : REAL(dup3)(fd, to, flags));
}

/* ---- waiting ------------------------------------------------------------------------------------ */

static int only_fd(const struct pollfd *fds, nfds_t n)
{
    return n == 1 && fds ? fds[0].fd : -1;
}

CALL(int, poll, struct pollfd *fds, nfds_t n, int timeout)
{
    struct made made = begin(CALL_poll, only_fd(fds, n));

    return (int)end(&made, made.refused ? -1 : REAL(poll)(fds, n, timeout));
}

CALL(int, ppoll, struct pollfd *fds, nfds_t n, const struct timespec *timeout,
     const sigset_t *mask)
{
    struct made made = begin(CALL_ppoll, only_fd(fds, n));

    return (int)end(&made, made.refused ? -1 : REAL(ppoll)(fds, n, timeout, mask));
}

CALL(int, select, int n, fd_set *in, fd_set *out, fd_set *other, struct timeval *timeout)
{
    struct made made = begin(CALL_select, -1);

    return (int)end(&made, made.refused ? -1 : REAL(select)(n, in, out, other, timeout));
}

CALL(int, pselect, int n, fd_set *in, fd_set *out, fd_set *other,
     const struct timespec *timeout, const sigset_t *mask)
{
    struct made made = begin(CALL_pselect, -1);

    if (made.refused)
        return (int)end(&made, -1);
    return (int)end(&made, REAL(pselect)(n, in, out, other, timeout, mask));
}

CALL(int, epoll_wait, int fd, struct epoll_event *events, int most, int timeout)
{
    struct made made = begin(CALL_epoll_wait, fd);

    return (int)end(&made,
                    made.refused ? -1 : REAL(epoll_wait)(fd, events, most, timeout));
}

CALL(int, epoll_pwait, int fd, struct epoll_event *events, int most, int timeout,
     const sigset_t *mask)
{
    struct made made = begin(CALL_epoll_pwait, fd);

    if (made.refused)
        return (int)end(&made, -1);
    return (int)end(&made, REAL(epoll_pwait)(fd, events, most, timeout, mask));
}

/* ---- memory ------------------------------------------------------------------------------------- */

/* Of a whole program only its own allocations count, not those that libraries make for themselves. */
#ifdef CALLS_PRELOAD
static bool from_program(const void *caller);
static bool resolving; /* dlsym() may itself allocate */

#define FOREIGN (resolving || !from_program(__builtin_return_address(0)))
#define REAL_ALLOCATOR(name)                                      \
    (__extension__({                                              \
        static void *real;                                        \
        if (!real && !resolving) {                                \
            resolving = true;                                     \
            real = dlsym(RTLD_NEXT, #name);                       \
            resolving = false;                                    \
        }                                                         \
        (__typeof__(&name))(real ? real : (void *)__libc_##name); \
    }))

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t n);
extern void *__libc_realloc(void *old, size_t n);
#else
#define FOREIGN              false
#define REAL_ALLOCATOR(name) name
#endif

CALL(void *, malloc, size_t n)
{
    struct made made;

    if (FOREIGN)
        return REAL_ALLOCATOR(malloc)(n);
    made = begin(CALL_malloc, -1);
    return end_pointer(&made, made.refused ? NULL : REAL_ALLOCATOR(malloc)(n));
}

CALL(void *, calloc, size_t count, size_t n)
{
    struct made made;

    if (FOREIGN)
        return REAL_ALLOCATOR(calloc)(count, n);
    made = begin(CALL_calloc, -1);
    return end_pointer(&made, made.refused ? NULL : REAL_ALLOCATOR(calloc)(count, n));
}

CALL(void *, realloc, void *old, size_t n)
{
    struct made made;

    if (FOREIGN)
        return REAL_ALLOCATOR(realloc)(old, n);
    made = begin(CALL_realloc, -1);
    return end_pointer(&made, made.refused ? NULL : REAL_ALLOCATOR(realloc)(old, n));
}

CALL(void *, reallocarray, void *old, size_t count, size_t n)
{
    struct made made = begin(CALL_reallocarray, -1);

    return end_pointer(&made, made.refused ? NULL : REAL(reallocarray)(old, count, n));
}

CALL(char *, strdup, const char *text)
{
    struct made made = begin(CALL_strdup, -1);

    return end_pointer(&made, made.refused ? NULL : REAL(strdup)(text));
}

CALL(char *, strndup, const char *text, size_t n)
{
    struct made made = begin(CALL_strndup, -1);

    return end_pointer(&made, made.refused ? NULL : REAL(strndup)(text, n));
}

#ifndef CALLS_PRELOAD

/* ---- ways out of the process: noted, and then really taken ------------------------------------------- */

static void note_exit(enum call call, int status)
{
    if (lab_page->exit_call || lab_page->pid != getpid())
        return; /* a process that the student's code forked ends as it likes */
    lab_page->exit_status = status;
    lab_page->exit_call = (int)call;
}

CALL(void, exit, int status)
{
    note_exit(CALL_exit, status);
    exit(status);
}

CALL(void, _exit, int status)
{
    note_exit(CALL__exit, status);
    _exit(status);
}

CALL(void, _Exit, int status)
{
    note_exit(CALL__Exit, status);
    _Exit(status);
}

CALL(void, quick_exit, int status)
{
    note_exit(CALL_quick_exit, status);
    quick_exit(status);
}

CALL(void, abort, void)
{
    note_exit(CALL_abort, 0);
    abort();
}

/* ---- mutexes: what POSIX leaves undefined is told, not tried ------------------------------------------- */

/* What is only a race, or a wait without end, with a mutex of the plain kinds. The others say it themselves (EPERM, EDEADLK).
 * glibc notes the owner of each, but of those with elision (256). */
static bool holds(const pthread_mutex_t *mutex)
{
    return mutex->__data.__owner == (pid_t)syscall(SYS_gettid);
}

static bool is_plain(const pthread_mutex_t *mutex)
{
    int kind = mutex->__data.__kind;
    return (kind == PTHREAD_MUTEX_NORMAL || kind == PTHREAD_MUTEX_ADAPTIVE_NP) &&
           lab_page->pid == getpid();
}

static void needs_lock(const pthread_mutex_t *mutex, const char *you)
{
    if (is_plain(mutex) && !holds(mutex))
        lab_fail("pthread_mutex_lock() first, on each path, in the same thread",
                 "another thread may hold it now, and both are where one alone may be",
                 you);
}

CALL(int, pthread_mutex_lock, pthread_mutex_t *mutex)
{
    if (is_plain(mutex) && holds(mutex))
        lab_fail(
            "a mutex that is locked once, and then unlocked, on each path",
            "a function that locks is called under the lock (a callback may call one: "
            "callbacks run without it), or a return goes past the unlock",
            "called pthread_mutex_lock() for a mutex that this thread holds: it "
            "would wait for itself for ever");
    return pthread_mutex_lock(mutex);
}

CALL(int, pthread_mutex_unlock, pthread_mutex_t *mutex)
{
    needs_lock(
        mutex,
        "called pthread_mutex_unlock() for a mutex that this thread does not hold");
    return pthread_mutex_unlock(mutex);
}

CALL(int, pthread_cond_wait, pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    needs_lock(mutex,
               "called pthread_cond_wait() with a mutex that this thread does not hold");
    return pthread_cond_wait(condition, mutex);
}

CALL(int, pthread_cond_timedwait, pthread_cond_t *condition, pthread_mutex_t *mutex,
     const struct timespec *end)
{
    needs_lock(
        mutex,
        "called pthread_cond_timedwait() with a mutex that this thread does not hold");
    return pthread_cond_timedwait(condition, mutex, end);
}

/* With large file offsets the headers say fcntl64. objcopy wants a name of its own for each. */
extern __typeof__(lab_call_fcntl) lab_call_fcntl64
    __attribute__((alias("lab_call_fcntl")));
extern __typeof__(lab_call_sendfile) lab_call_sendfile64
    __attribute__((alias("lab_call_sendfile")));

/* ---- what gcc makes of calls with -D_FORTIFY_SOURCE --------------------------------------------------- */

CALL(ssize_t, __read_chk, int fd, void *buf, size_t n, size_t room)
{
    return n > room ? (abort(), -1) : lab_call_read(fd, buf, n);
}

CALL(ssize_t, __recv_chk, int fd, void *buf, size_t n, size_t room, int flags)
{
    return n > room ? (abort(), -1) : lab_call_recv(fd, buf, n, flags);
}

CALL(ssize_t, __recvfrom_chk, int fd, void *buf, size_t n, size_t room, int flags,
     struct sockaddr *from, socklen_t *size)
{
    return n > room ? (abort(), -1) : lab_call_recvfrom(fd, buf, n, flags, from, size);
}

CALL(int, __poll_chk, struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
    return n > room / sizeof(*fds) ? (abort(), -1) : lab_call_poll(fds, n, timeout);
}

CALL(int, __ppoll_chk, struct pollfd *fds, nfds_t n, const struct timespec *timeout,
     const sigset_t *mask, size_t room)
{
    return n > room / sizeof(*fds) ? (abort(), -1)
                                   : lab_call_ppoll(fds, n, timeout, mask);
}

#endif

/* ---- syscall(): the same calls by number ---------------------------------------------------------- */

#define P(type, i) ((type)(a[i]))

static bool by_number(long number, const long a[6], long *result)
{
    switch (number) {
    case SYS_read:
        *result = lab_call_read(P(int, 0), P(void *, 1), P(size_t, 2));
        return true;
    case SYS_write:
        *result = lab_call_write(P(int, 0), P(void *, 1), P(size_t, 2));
        return true;
    case SYS_readv:
        *result = lab_call_readv(P(int, 0), P(void *, 1), P(int, 2));
        return true;
    case SYS_writev:
        *result = lab_call_writev(P(int, 0), P(void *, 1), P(int, 2));
        return true;
    case SYS_recvfrom:
        *result = lab_call_recvfrom(P(int, 0), P(void *, 1), P(size_t, 2), P(int, 3),
                                    P(void *, 4), P(void *, 5));
        return true;
    case SYS_sendto:
        *result = lab_call_sendto(P(int, 0), P(void *, 1), P(size_t, 2), P(int, 3),
                                  P(void *, 4), P(socklen_t, 5));
        return true;
    case SYS_recvmsg:
        *result = lab_call_recvmsg(P(int, 0), P(void *, 1), P(int, 2));
        return true;
    case SYS_sendmsg:
        *result = lab_call_sendmsg(P(int, 0), P(void *, 1), P(int, 2));
        return true;
    default: return false;
    }
}

static bool connection_by_number(long number, const long a[6], long *result)
{
    switch (number) {
    case SYS_close: *result = lab_call_close(P(int, 0)); return true;
    case SYS_accept4:
        *result = lab_call_accept4(P(int, 0), P(void *, 1), P(void *, 2), P(int, 3));
        return true;
#ifdef SYS_accept
    case SYS_accept:
        *result = lab_call_accept(P(int, 0), P(void *, 1), P(void *, 2));
        return true;
#endif
    case SYS_connect:
        *result = lab_call_connect(P(int, 0), P(void *, 1), P(socklen_t, 2));
        return true;
    case SYS_socket:
        *result = lab_call_socket(P(int, 0), P(int, 1), P(int, 2));
        return true;
    case SYS_bind:
        *result = lab_call_bind(P(int, 0), P(void *, 1), P(socklen_t, 2));
        return true;
    case SYS_listen: *result = lab_call_listen(P(int, 0), P(int, 1)); return true;
    case SYS_shutdown: *result = lab_call_shutdown(P(int, 0), P(int, 1)); return true;
#ifdef SYS_poll
    case SYS_poll:
        *result = lab_call_poll(P(void *, 0), P(nfds_t, 1), P(int, 2));
        return true;
#endif
    default: return false;
    }
}

CALL(long, syscall, long number, ...)
{
    long a[6], result;
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (by_number(number, a, &result) || connection_by_number(number, a, &result))
        return result;
#ifndef CALLS_PRELOAD
    if (number == SYS_exit_group)
        note_exit(CALL_exit_group, (int)a[0]);
#endif
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
