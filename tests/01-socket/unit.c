/* Unit tests of lesson 01: each follows from a sentence of endpoint.h. */
#define _GNU_SOURCE
#include "calls.h"
#include "census.h"
#include "endpoint.h"
#include "lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- what the tests share ------------------------------------------------------------ */

static int test_socket(int family, int type, int protocol)
{
    int fd = socket(family, type, protocol);
    if (fd == -1)
        lab_error("socket()");
    return fd;
}

static int lowest_free(void)
{
    int fd = open("/dev/null", O_RDONLY);
    if (fd == -1)
        lab_error("open(/dev/null)");
    lab_close(fd);
    return fd;
}

/* The option's value, -1 if fd has none: no option asked for here is ever -1. */
static int option_of(int fd, int option)
{
    int value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &(socklen_t){sizeof value}) == -1
               ? -1
               : value;
}

static bool is_close_on_exec(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static bool is_nonblocking(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static const char *yes(bool value)
{
    return value ? "true" : "false";
}

/* Puts fd in the place of descriptor 0; returns a copy of what was there. */
static int put_at_0(int fd)
{
    int kept = fcntl(0, F_DUPFD_CLOEXEC, 3);
    if (kept == -1 || (fd == -1 ? close(0) : dup2(fd, 0)) == -1)
        lab_error("moving descriptor 0");
    return kept;
}

static void put_back_0(int kept)
{
    if (dup2(kept, 0) == -1)
        lab_error("dup2(kept, 0)");
    lab_close(kept);
}

/* What a test prints goes to a file, on descriptors 1 and 2: how long it is by now. */
static off_t printed(void)
{
    fflush(NULL);
    off_t length = lseek(STDERR_FILENO, 0, SEEK_CUR);
    return length == -1 ? 0 : length;
}

static void expect_nothing_printed_since(off_t before, const char *when)
{
    off_t now = printed();
    char text[80];
    size_t n =
        (size_t)(now - before) < sizeof text ? (size_t)(now - before) : sizeof text;
    ssize_t got = pread(STDERR_FILENO, text, n, before);
    lab_expect(now == before, "nothing printed", "printed %s when %s",
               lab_quote(text, got > 0 ? (size_t)got : 0), when);
}

/* ---- two threads that meet ----------------------------------------------------------- */

/*
 * The first thread's call is stopped midway, and a second thread makes the whole of its own
 * before the first goes on. What the two share, the first then finds changed.
 */
static struct {
    void (*act)(void *);
    void *second;
    sem_t met, done;
    unsigned at_getsockopt; /* how many calls from now; 0: not there */
    void *place; /* read-only memory: at the first write to it; NULL: not there */
    size_t size;
    struct sigaction before;
} meeting;

static void *second_thread(void *unused)
{
    (void)unused;
    sem_wait(&meeting.met);
    meeting.act(meeting.second);
    sem_post(&meeting.done);
    return NULL;
}

static void meet(void)
{
    sem_post(&meeting.met);
    /* Where the first holds a lock, the second cannot end: then go on without it. */
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 250000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    sem_timedwait(&meeting.done, &until);
}

/* Act on first, and in the midst of it on second. True if the midst was reached. */
static bool act_both(void (*act)(void *), void *first, void *second)
{
    meeting.act = act;
    meeting.second = second;
    sem_init(&meeting.met, 0, 0);
    sem_init(&meeting.done, 0, 0);
    pthread_t thread;
    errno = pthread_create(&thread, NULL, second_thread, NULL);
    if (errno != 0)
        lab_error("pthread_create()");
    bool wanted = meeting.at_getsockopt > 0;
    act(first);
    bool met = wanted && meeting.at_getsockopt == 0;
    sem_post(&meeting.met); /* in case they did not meet */
    pthread_join(thread, NULL);
    return met;
}

/* In the place of the C library's, for all of this program. */
int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    int result = (int)syscall(SYS_getsockopt, fd, level, option, value, length);
    int error = errno;
    if (meeting.at_getsockopt > 0 && --meeting.at_getsockopt == 0)
        meet();
    errno = error;
    return result;
}

static void on_write(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    int error = errno;
    sigaction(SIGSEGV, &meeting.before, NULL); /* the next one is a crash */
    char *place = meeting.place, *at = info->si_addr;
    if (at < place || at >= place + meeting.size)
        return; /* so is this one: it comes again at once */
    meet();
    mprotect(meeting.place, meeting.size, PROT_READ | PROT_WRITE);
    errno = error;
}

static void *place_to_meet(void)
{
    meeting.size = (size_t)sysconf(_SC_PAGESIZE);
    meeting.place =
        mmap(NULL, meeting.size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (meeting.place == MAP_FAILED)
        lab_error("mmap()");
    struct sigaction action = {.sa_sigaction = on_write, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, &meeting.before);
    return meeting.place;
}

static void leave_the_place(void)
{
    sigaction(SIGSEGV, &meeting.before, NULL);
    munmap(meeting.place, meeting.size);
}

/* ---- socket_open --------------------------------------------------------------------- */

/* The tests name constants; so do their messages: "socket_open(AF_INET, SOCK_STREAM, 0)". */
#define EXPECT_KIND(family, type, protocol, got)                                    \
    expect_kind("socket_open(" #family ", " #type ", " #protocol ")", family, type, \
                protocol, got)

static void expect_kind(const char *call, int family, int type, int protocol,
                        int protocol_got)
{
    int fd = socket_open(family, type, protocol);
    int error = errno;
    lab_expect(fd >= 0, "a descriptor", "%s returned %s", call, lab_result(fd, error));
    lab_expect(lab_is_open(fd), "an open descriptor", "%s returned %d, which is not open",
               call, fd);
    lab_likely("fd = socket(...) < 0 gives fd the result of the comparison, 0 or 1: put "
               "parentheses around (fd = socket(...)), or compare in a line of its own");
    lab_expect(option_of(fd, SO_TYPE) != -1, "a socket",
               "%s returned %d, which is no socket: %s", call, fd, census_fd_text(fd));
    lab_likely(NULL);
    char expected[80];
    snprintf(expected, sizeof expected, "family %d, type %d, protocol %d", family, type,
             protocol_got);
    lab_expect(option_of(fd, SO_DOMAIN) == family && option_of(fd, SO_TYPE) == type &&
                   option_of(fd, SO_PROTOCOL) == protocol_got,
               expected, "%s opened family %d, type %d, protocol %d", call,
               option_of(fd, SO_DOMAIN), option_of(fd, SO_TYPE),
               option_of(fd, SO_PROTOCOL));
    lab_close(fd);
}

LAB_TEST(socket_open, opens_the_kind_that_was_asked_for, .points = 3, .task = 1,
         .read = "A socket is a descriptor", .man = "2 socket",
         .likely = "pass family, type and protocol on to socket(), each in its place")
{
    EXPECT_KIND(AF_INET, SOCK_STREAM, 0, IPPROTO_TCP);
    EXPECT_KIND(AF_INET, SOCK_DGRAM, 0, IPPROTO_UDP);
    EXPECT_KIND(AF_INET, SOCK_STREAM, IPPROTO_TCP, IPPROTO_TCP);
    EXPECT_KIND(AF_UNIX, SOCK_STREAM, 0, 0);
    EXPECT_KIND(AF_UNIX, SOCK_DGRAM, 0, 0);
    EXPECT_KIND(AF_UNIX, SOCK_SEQPACKET, 0, 0);
}

LAB_TEST(socket_open, opens_IPv6_sockets_too, .points = 2, .task = 1,
         .needs = "socket_open/opens_the_kind_that_was_asked_for",
         .read = "A socket is a descriptor", .man = "7 ipv6", .requires = "ipv6",
         .likely = "the family is the caller's to choose: pass it on")
{
    EXPECT_KIND(AF_INET6, SOCK_STREAM, 0, IPPROTO_TCP);
    EXPECT_KIND(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, IPPROTO_UDP);
}

#define EXPECT_THE_KERNELS_ANSWER(family, type, protocol)                           \
    expect_the_kernels_answer("socket_open(" #family ", " #type ", " #protocol ")", \
                              family, type, protocol)

static void expect_the_kernels_answer(const char *call, int family, int type,
                                      int protocol)
{
    int wanted = socket(family, type, protocol);
    int expected = errno;
    if (wanted != -1)
        lab_error("a socket() that no kernel has succeeded");
    int fd = socket_open(family, type, protocol);
    int error = errno;
    lab_expect(fd == -1 && error == expected, lab_result(-1, expected), "%s returned %s",
               call, lab_result(fd, error));
}

LAB_TEST(socket_open, returns_minus_1_with_the_errno_of_socket, .points = 3, .task = 1,
         .needs = "socket_open/opens_the_kind_that_was_asked_for",
         .read = "What an error tells you", .man = "2 socket",
         .likely = "-1, and errno as socket() left it: make no other call in between")
{
    EXPECT_THE_KERNELS_ANSWER(4000, SOCK_STREAM, 0);
    EXPECT_THE_KERNELS_ANSWER(AF_INET, SOCK_RDM, 0);
    EXPECT_THE_KERNELS_ANSWER(AF_INET, 99, 0);
}

LAB_TEST(socket_open, passes_the_protocol_on, .points = 3, .task = 1,
         .needs = "socket_open/returns_minus_1_with_the_errno_of_socket",
         .read = "A socket is a descriptor", .man = "2 socket",
         .likely = "the third argument of socket() is the caller's protocol, not 0")
{
    EXPECT_THE_KERNELS_ANSWER(AF_INET, SOCK_STREAM, IPPROTO_UDP);
    EXPECT_THE_KERNELS_ANSWER(AF_INET, SOCK_DGRAM, IPPROTO_TCP);
    EXPECT_THE_KERNELS_ANSWER(AF_INET, SOCK_STREAM, -1);
}

LAB_TEST(
    socket_open, is_close_on_exec, .points = 3, .task = 1,
    .needs = "socket_open/opens_the_kind_that_was_asked_for", .read = "Two kinds of flag",
    .man = "2 fcntl",
    .likely = "add SOCK_CLOEXEC to the type, or every program you exec keeps the socket")
{
    int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    for (size_t i = 0; i < 3; i++) {
        int fd = socket_open(AF_UNIX, types[i], 0);
        lab_expect(fd >= 0, "a descriptor", "returned %d", fd);
        lab_expect(is_close_on_exec(fd), "FD_CLOEXEC set",
                   "opened %d with FD_CLOEXEC unset", fd);
        lab_close(fd);
    }
}

LAB_TEST(
    socket_open, is_close_on_exec_from_the_first_moment, .points = 4, .task = 1,
    .needs = "socket_open/is_close_on_exec", .read = "Two kinds of flag",
    .man = "2 socket",
    .likely =
        "socket() and then fcntl() leaves a gap in which another thread may fork and "
        "exec: ask for SOCK_CLOEXEC in socket() itself")
{
    /* fcntl() is made to fail, and so is close(), so that a socket once made stays to be
     * looked at, whatever the function returns. */
    int lowest = lowest_free();
    fault_each(CALLS_CONTROL, (struct fault){.error = EPERM});
    fault_each(CALLS_CLOSE, (struct fault){.error = EIO});
    int fd = socket_open(AF_INET, SOCK_STREAM, 0);
    int error = errno;
    fault_none();
    lab_expect(lab_is_open(lowest), "a socket, even if fcntl() should fail",
               "returned %s and made no socket", lab_result(fd, error));
    lab_expect(is_close_on_exec(lowest),
               "a socket that socket() itself made close-on-exec",
               "made a socket without, and returned %s when fcntl() was made to fail",
               lab_result(fd, error));
    lab_close(lowest);
}

LAB_TEST(
    socket_open, keeps_the_flags_in_type, .points = 4, .task = 1,
    .needs = "socket_open/opens_the_kind_that_was_asked_for", .read = "Two kinds of flag",
    .man = "2 socket",
    .likely = "add your flag to the caller's with |, which leaves the others as they are")
{
    static const struct {
        int flags;
        const char *type;
    } asked[] = {
        {0, "SOCK_DGRAM"},
        {SOCK_NONBLOCK, "SOCK_DGRAM | SOCK_NONBLOCK"},
        {SOCK_CLOEXEC, "SOCK_DGRAM | SOCK_CLOEXEC"},
        {SOCK_NONBLOCK | SOCK_CLOEXEC, "SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC"},
    };
    for (size_t i = 0; i < 4; i++) {
        int fd = socket_open(AF_INET, SOCK_DGRAM | asked[i].flags, 0);
        int error = errno;
        bool nonblocking = (asked[i].flags & SOCK_NONBLOCK) != 0;
        lab_expect(fd >= 0, "a descriptor", "returned %s for the type %s",
                   lab_result(fd, error), asked[i].type);
        lab_expect(is_nonblocking(fd) == nonblocking,
                   nonblocking ? "a non-blocking socket" : "a blocking socket",
                   "opened a %s socket for the type %s",
                   is_nonblocking(fd) ? "non-blocking" : "blocking", asked[i].type);
        lab_expect(is_close_on_exec(fd), "close-on-exec in any case",
                   "opened a socket without FD_CLOEXEC for the type %s", asked[i].type);
        lab_close(fd);
    }
}

LAB_TEST(socket_open, returns_the_lowest_free_descriptor, .points = 2, .task = 1,
         .needs = "socket_open/opens_the_kind_that_was_asked_for",
         .read = "A socket is a descriptor", .man = "2 open",
         .likely = "return what socket() returned: the kernel already chose the lowest")
{
    int low = test_socket(AF_UNIX, SOCK_STREAM, 0);
    int high = test_socket(AF_UNIX, SOCK_STREAM, 0);
    lab_close(low);
    int fd = socket_open(AF_INET, SOCK_STREAM, 0);
    int error = errno;
    char expected[16];
    snprintf(expected, sizeof expected, "%d", low);
    lab_expect(fd == low, expected, "returned %s when %d was free and %d was open",
               lab_result(fd, error), low, high);
    lab_close(fd);
    lab_close(high);
}

LAB_TEST(socket_open, may_return_descriptor_0, .points = 2, .task = 1,
         .needs = "socket_open/opens_the_kind_that_was_asked_for",
         .read = "A socket is a descriptor", .man = "2 socket",
         .likely = "0 is a descriptor like any other: only -1 is an error")
{
    int kept = put_at_0(-1);
    int fd = socket_open(AF_INET, SOCK_STREAM, 0);
    int error = errno;
    put_back_0(kept);
    lab_expect(fd == 0, "0", "returned %s when 0 was the lowest free descriptor",
               lab_result(fd, error));
}

LAB_TEST(socket_open, says_EMFILE_when_no_descriptor_is_left, .points = 2, .task = 1,
         .needs = "socket_open/opens_the_kind_that_was_asked_for",
         .read = "What an error tells you", .man = "2 getrlimit",
         .likely = "-1, and errno as socket() left it")
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        lab_error("getrlimit()");
    struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int fd = socket_open(AF_INET, SOCK_STREAM, 0);
    int error = errno;
    setrlimit(RLIMIT_NOFILE, &limit);
    lab_expect(fd == -1 && error == EMFILE, "-1 and errno EMFILE",
               "returned %s when RLIMIT_NOFILE was 0", lab_result(fd, error));
}

LAB_TEST(socket_open, prints_nothing, .points = 1, .task = 1,
         .needs = "socket_open/returns_minus_1_with_the_errno_of_socket",
         .read = "What an error tells you", .man = "3 errno",
         .likely = "-1 and errno say it all: main() alone decides what the user is told")
{
    off_t before = printed();
    lab_close(socket_open(AF_INET, SOCK_STREAM, 0));
    expect_nothing_printed_since(before, "a socket was opened");
    socket_open(4000, SOCK_STREAM, 0);
    expect_nothing_printed_since(before, "socket() failed");
}

/* ---- socket_describe ------------------------------------------------------------------ */

static const struct socket_info untouched = {-4, -5, -6, true, false, true};

static bool is_untouched(const struct socket_info *info)
{
    return info->family == -4 && info->type == -5 && info->protocol == -6 &&
           info->listening && !info->nonblocking && info->close_on_exec;
}

static void expect_success(int fd, const char *what, struct socket_info *info)
{
    *info = untouched;
    int result = socket_describe(fd, info);
    int error = errno;
    if (result == -1 && error == EINVAL)
        lab_likely("set length to sizeof of the answer before each getsockopt(): it says "
                   "how much room there is");
    lab_expect(result == 0, "0", "returned %s for %s", lab_result(result, error), what);
    lab_likely(NULL);
}

#define EXPECT_DESCRIBED(family, type, protocol) \
    expect_described("socket(" #family ", " #type ", 0)", family, type, protocol)

static bool is_one_of(int number, const int list[3])
{
    return number == list[0] || number == list[1] || number == list[2];
}

static void expect_described(const char *made, int family, int type, int protocol)
{
    int fd = test_socket(family, type, 0);
    struct socket_info info;
    expect_success(fd, made, &info);
    char expected[80];
    snprintf(expected, sizeof expected, "family %d, type %d, protocol %d", family, type,
             protocol);
    const int right[] = {family, type, protocol};
    if (!is_one_of(info.family, right) || !is_one_of(info.type, right) ||
        !is_one_of(info.protocol, right))
        lab_likely(
            "no option gave one of these numbers: socklen_t length = sizeof answer "
            "before each getsockopt(), which writes no more than length says");
    lab_expect(info.family == family && info.type == type && info.protocol == protocol,
               expected, "said family %d, type %d, protocol %d of %s", info.family,
               info.type, info.protocol, made);
    lab_likely(NULL);
    lab_expect(!info.listening && !info.nonblocking && !info.close_on_exec,
               "not listening, not non-blocking, not close-on-exec",
               "said listening %s, nonblocking %s, close_on_exec %s of %s",
               yes(info.listening), yes(info.nonblocking), yes(info.close_on_exec), made);
    lab_close(fd);
}

LAB_TEST(socket_describe, tells_family_type_and_protocol, .points = 5, .task = 2,
         .read = "Ask the kernel", .man = "7 socket",
         .likely =
             "getsockopt(fd, SOL_SOCKET, ...) with SO_DOMAIN, SO_TYPE and SO_PROTOCOL, "
             "each into its own member")
{
    EXPECT_DESCRIBED(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    EXPECT_DESCRIBED(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    EXPECT_DESCRIBED(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_DESCRIBED(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_DESCRIBED(AF_UNIX, SOCK_SEQPACKET, 0);
}

LAB_TEST(socket_describe, tells_IPv6_from_IPv4, .points = 2, .task = 2,
         .needs = "socket_describe/tells_family_type_and_protocol",
         .read = "Ask the kernel", .man = "7 socket", .requires = "ipv6",
         .likely = "the family is what SO_DOMAIN says, not AF_INET")
{
    EXPECT_DESCRIBED(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    EXPECT_DESCRIBED(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
}

static void expect_listening(int fd, bool expected, const char *what)
{
    struct socket_info info;
    expect_success(fd, what, &info);
    lab_expect(info.listening == expected,
               expected ? "listening true" : "listening false", "said listening %s of %s",
               yes(info.listening), what);
}

LAB_TEST(
    socket_describe, tells_a_listener_from_a_connection, .points = 4, .task = 2,
    .needs = "socket_describe/tells_family_type_and_protocol", .read = "Ask the kernel",
    .man = "7 socket",
    .likely = "SO_ACCEPTCONN is not 0 once listen() was called, and 0 for all others")
{
    int listener = lab_listener(AF_INET);
    expect_listening(listener, true, "a TCP listener");
    int pair[2];
    lab_tcp_pair(pair);
    expect_listening(pair[0], false, "a TCP connection");

    int local = test_socket(AF_UNIX, SOCK_SEQPACKET, 0);
    struct sockaddr_un any = {.sun_family = AF_UNIX}; /* the kernel chooses a name */
    if (bind(local, (struct sockaddr *)&any, sizeof any.sun_family) == -1)
        lab_error("bind()");
    expect_listening(local, false, "a UNIX socket that is bound only");
    if (listen(local, 1) == -1)
        lab_error("listen()");
    expect_listening(local, true, "a UNIX listener");

    int fds[] = {listener, pair[0], pair[1], local};
    for (size_t i = 0; i < 4; i++)
        lab_close(fds[i]);
}

LAB_TEST(socket_describe, tells_nonblocking_and_close_on_exec_apart, .points = 5,
         .task = 2, .needs = "socket_describe/tells_family_type_and_protocol",
         .read = "Two kinds of flag", .man = "2 fcntl",
         .likely =
             "O_NONBLOCK is in what F_GETFL returns, FD_CLOEXEC in what F_GETFD returns: "
             "test each with &, for other flags may be set beside it")
{
    int flags[] = {0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC};
    for (size_t i = 0; i < 4; i++) {
        int fd = test_socket(AF_UNIX, SOCK_STREAM | flags[i], 0);
        bool nonblocking = is_nonblocking(fd), close_on_exec = is_close_on_exec(fd);
        struct socket_info info;
        expect_success(fd, "a UNIX stream socket", &info);
        char expected[60];
        snprintf(expected, sizeof expected, "nonblocking %s, close_on_exec %s",
                 yes(nonblocking), yes(close_on_exec));
        lab_expect(info.nonblocking == nonblocking && info.close_on_exec == close_on_exec,
                   expected, "said nonblocking %s, close_on_exec %s",
                   yes(info.nonblocking), yes(info.close_on_exec));
        lab_expect(is_nonblocking(fd) == nonblocking &&
                       is_close_on_exec(fd) == close_on_exec,
                   "the socket left as it is", "changed the socket's flags");
        lab_expect(info.type == SOCK_STREAM, "SOCK_STREAM, without flags", "said type %d",
                   info.type);
        lab_close(fd);
    }
}

LAB_TEST(socket_describe, describes_descriptor_0, .points = 2, .task = 2,
         .needs = "socket_describe/tells_family_type_and_protocol",
         .read = "A socket is a descriptor", .man = "2 getsockopt",
         .likely = "0 is a descriptor like any other: let the kernel judge the number")
{
    int fd = test_socket(AF_INET, SOCK_DGRAM, 0);
    int kept = put_at_0(fd);
    struct socket_info info = untouched;
    int result = socket_describe(0, &info);
    int error = errno;
    put_back_0(kept);
    lab_close(fd);
    lab_expect(result == 0 && info.protocol == IPPROTO_UDP, "0 and protocol 17",
               "returned %s and said protocol %d of a UDP socket at descriptor 0",
               lab_result(result, error), info.protocol);
}

static void expect_untouched(const struct socket_info *info, const char *when)
{
    lab_likely(
        "collect the six answers in variables of your own, and write to *info once, "
        "after the last of the calls");
    lab_expect(is_untouched(info), "*info untouched",
               "returned -1 for %s, and changed *info", when);
    lab_likely(NULL);
}

static void expect_refusal(int fd, int expected, const char *what)
{
    struct socket_info info = untouched;
    int result = socket_describe(fd, &info);
    int error = errno;
    lab_expect(result == -1 && error == expected, lab_result(-1, expected),
               "returned %s for %s", lab_result(result, error), what);
    expect_untouched(&info, what);
}

LAB_TEST(
    socket_describe, refuses_what_is_not_open, .points = 2, .task = 2,
    .read = "What an error tells you", .man = "2 getsockopt",
    .likely = "check each call for -1 at once, and return -1 with errno as it left it")
{
    expect_refusal(-1, EBADF, "-1");
    expect_refusal(lowest_free(), EBADF, "a number that is not open");
}

LAB_TEST(socket_describe, refuses_what_is_no_socket, .points = 3, .task = 2,
         .read = "What an error tells you", .man = "2 getsockopt",
         .likely = "getsockopt() says ENOTSOCK: return -1 then, with errno as it left it")
{
    int ends[2];
    if (pipe(ends) == -1)
        lab_error("pipe()");
    expect_refusal(ends[0], ENOTSOCK, "a pipe's reading end");
    expect_refusal(ends[1], ENOTSOCK, "a pipe's writing end");
    lab_close(ends[0]);
    lab_close(ends[1]);
}

/* Fails the first call of the family, then the second, ... until all have been failed once. */
static void expect_every_error_passed_on(enum call_family family, int error)
{
    int fd = test_socket(AF_INET, SOCK_STREAM, 0);
    for (unsigned nth = 1; nth <= 16; nth++) {
        unsigned before = faults_taken();
        struct socket_info info = untouched;
        fault_once(family, nth, (struct fault){.error = error});
        int result = socket_describe(fd, &info);
        int got = errno;
        fault_none();
        if (faults_taken() == before) {
            lab_expect(result == 0, "0 once nothing fails", "returned %s",
                       lab_result(result, got));
            break;
        }
        lab_expect(result == -1 && got == error, lab_result(-1, error),
                   "returned %s when call number %u was made to fail with %s",
                   lab_result(result, got), nth, lab_errno(error));
        char when[60];
        snprintf(when, sizeof when, "a socket of which call number %u failed", nth);
        expect_untouched(&info, when);
    }
    lab_close(fd);
}

LAB_TEST(socket_describe, passes_on_every_error_of_getsockopt, .points = 3, .task = 2,
         .needs = "socket_describe/tells_family_type_and_protocol",
         .read = "What an error tells you", .man = "2 getsockopt",
         .likely = "check every getsockopt() for -1, and not only the first")
{
    expect_every_error_passed_on(CALLS_OPTION, ENOBUFS);
}

LAB_TEST(
    socket_describe, passes_on_every_error_of_fcntl, .points = 3, .task = 2,
    .needs = "socket_describe/tells_family_type_and_protocol",
    .read = "What an error tells you", .man = "2 fcntl",
    .likely =
        "fcntl() can fail too (another thread may close the descriptor meanwhile): -1 "
        "is no set of flags")
{
    expect_every_error_passed_on(CALLS_CONTROL, EBADF);
}

LAB_TEST(socket_describe, leaves_a_pending_error_alone, .points = 2, .task = 2,
         .needs = "socket_describe/tells_family_type_and_protocol",
         .read = "Ask the kernel", .man = "7 socket",
         .likely = "SO_ERROR is cleared by reading it: it is none of the six questions")
{
    int fds[2];
    lab_tcp_pair(fds);
    setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
               sizeof(struct linger));
    lab_close(fds[1]);
    poll(&(struct pollfd){.fd = fds[0]}, 1, -1); /* the error always counts */
    lab_peer("reset the connection, which leaves ECONNRESET for the next call to report");
    struct socket_info info;
    expect_success(fds[0], "a connection that was reset", &info);
    int pending = option_of(fds[0], SO_ERROR);
    lab_expect(pending == ECONNRESET, "ECONNRESET still there for the next recv()",
               "took it away: %s is left",
               pending == 0 ? "no error" : lab_errno(pending));
    lab_close(fds[0]);
}

LAB_TEST(socket_describe, prints_nothing, .points = 1, .task = 2,
         .needs = "socket_describe/tells_family_type_and_protocol",
         .read = "What an error tells you", .man = "3 errno",
         .likely = "-1 and errno say it all: main() alone decides what the user is told")
{
    struct socket_info info;
    int fd = test_socket(AF_INET, SOCK_STREAM, 0);
    off_t before = printed();
    socket_describe(fd, &info);
    expect_nothing_printed_since(before, "a socket was described");
    socket_describe(-1, &info);
    expect_nothing_printed_since(before, "getsockopt() failed");
    fault_each(CALLS_CONTROL, (struct fault){.error = EBADF});
    socket_describe(fd, &info);
    fault_none();
    expect_nothing_printed_since(before, "fcntl() failed");
    lab_close(fd);
}

struct question {
    int fd;
    struct socket_info *info;
    int result, error;
};

static void ask_question(void *question)
{
    struct question *q = question;
    q->result = socket_describe(q->fd, q->info);
    q->error = errno;
}

static void expect_answer(const struct question *q, const char *which,
                          const struct socket_info *right)
{
    const struct socket_info *info = q->info;
    lab_expect(q->result == 0, "0", "returned %s to the %s thread",
               lab_result(q->result, q->error), which);
    char expected[100];
    snprintf(expected, sizeof expected, "family %d, type %d, protocol %d, listening %s",
             right->family, right->type, right->protocol, yes(right->listening));
    lab_expect(
        info->family == right->family && info->type == right->type &&
            info->protocol == right->protocol && info->listening == right->listening,
        expected, "told the %s thread: family %d, type %d, protocol %d, listening %s",
        which, info->family, info->type, info->protocol, yes(info->listening));
}

LAB_TEST(socket_describe, two_threads_may_ask_at_once, .points = 2, .task = 2,
         .needs = "socket_describe/tells_a_listener_from_a_connection",
         .read = "Names for numbers", .man = "7 pthreads",
         .likely =
             "a static variable is shared by every thread: keep the answers in plain "
             "local ones")
{
    int listener = lab_listener(AF_INET);
    int local = test_socket(AF_UNIX, SOCK_DGRAM, 0);
    lab_peer("two threads asked at once, one of a TCP listener, one of a UNIX socket");
    bool met = true;
    for (unsigned nth = 1; met && nth <= 16; nth++) {
        struct socket_info answers[2] = {untouched, untouched};
        struct question first = {.fd = listener, .info = &answers[0]};
        struct question second = {.fd = local, .info = &answers[1]};
        meeting.at_getsockopt = nth;
        met = act_both(ask_question, &first, &second);
        meeting.at_getsockopt = 0;
        expect_answer(&first, "first",
                      &(struct socket_info){.family = AF_INET,
                                            .type = SOCK_STREAM,
                                            .protocol = IPPROTO_TCP,
                                            .listening = true});
        expect_answer(&second, "second",
                      &(struct socket_info){.family = AF_UNIX, .type = SOCK_DGRAM});
    }
    lab_close(listener);
    lab_close(local);
}

/* ---- family_name, type_name, protocol_name -------------------------------------------- */

enum { ROOM = 64, FILL = 'x' };

static bool only_fill(const char *from, const char *end)
{
    while (from < end && *from == FILL)
        from++;
    return from == end;
}

/*
 * room was filled with FILL before the call, which was told of size bytes of it.
 * likely: for a wrong text; NULL for what the test says.
 */
static void expect_name(const char *call, const char *returned, const char *room,
                        size_t size, const char *expected, const char *likely)
{
    lab_likely(
        "write into buf, which is the caller's, and return it: a static buffer would be "
        "shared by every thread");
    lab_expect(returned == room, "a pointer to buf", "%s returned %s", call,
               returned == NULL ? "NULL" : "a pointer to something else");
    lab_likely(
        "snprintf(buf, size, ...) cuts and ends in NUL; strcpy() and sprintf() know "
        "nothing of size");
    lab_expect(only_fill(room + size, room + ROOM), "nothing written past buf[size - 1]",
               "%s with size %zu wrote past it", call, size);
    lab_expect(memchr(room, '\0', size) != NULL, "a text that ends in NUL",
               "%s with size %zu wrote %s and no NUL", call, size, lab_quote(room, size));
    size_t length = strlen(room);
    bool fits = strlen(expected) < size;
    if (fits && length > 0 && length < strlen(expected) &&
        strncmp(room, expected, length) == 0)
        lab_likely(
            "there is room for all of it: the room is size; sizeof buf is the size "
            "of a pointer");
    else if (likely != NULL)
        lab_likely("%s", likely);
    else
        lab_likely(NULL);
    lab_expect(strcmp(room, expected) == 0, lab_quote(expected, strlen(expected)),
               "%s with size %zu wrote %s", call, size, lab_quote(room, length));
    lab_likely(NULL);
}

#define EXPECT_FAMILY(family, size, expected) \
    expect_family(#family, family, size, expected)
#define EXPECT_TYPE(type, size, expected) expect_type(#type, type, size, expected)
#define EXPECT_PROTOCOL(family, protocol, size, expected) \
    expect_protocol(#family ", " #protocol, family, protocol, size, expected)

static void expect_family(const char *argument, int family, size_t size,
                          const char *expected)
{
    char room[ROOM], call[100];
    memset(room, FILL, sizeof room);
    snprintf(call, sizeof call, "family_name(%s)", argument);
    expect_name(call, family_name(family, room, size), room, size, expected, NULL);
}

static void expect_type(const char *argument, int type, size_t size, const char *expected)
{
    char room[ROOM], call[100];
    memset(room, FILL, sizeof room);
    snprintf(call, sizeof call, "type_name(%s)", argument);
    expect_name(call, type_name(type, room, size), room, size, expected, NULL);
}

static const char *decimal(int number)
{
    static char text[4][16];
    static unsigned next;
    char *here = text[next++ % 4];
    snprintf(here, sizeof text[0], "%d", number);
    return here;
}

static void expect_protocol(const char *arguments, int family, int protocol, size_t size,
                            const char *expected)
{
    char room[ROOM], call[100];
    memset(room, FILL, sizeof room);
    snprintf(call, sizeof call, "protocol_name(%s)", arguments);
    char *returned = protocol_name(family, protocol, room, size);
    const char *turned = decimal(ntohs((uint16_t)protocol));
    bool is_turned = family == AF_PACKET && strncmp(room, turned, size) == 0;
    expect_name(call, returned, room, size, expected,
                is_turned ? "ntohs() is for the search only: a number without a name is "
                            "printed as it was given"
                          : NULL);
}

/* A number that is in no list, random as a rule. */
static void expect_other_family(int number)
{
    expect_family(decimal(number), number, SOCKET_NAME_SIZE, decimal(number));
}

static void expect_other_protocol(const char *name, int family, int number)
{
    char arguments[60];
    snprintf(arguments, sizeof arguments, "%s, %d", name, number);
    expect_protocol(arguments, family, number, SOCKET_NAME_SIZE, decimal(number));
}

/* errno, and what was printed, before calls of one of the three. */
struct quiet {
    int error;
    off_t printed;
};

static struct quiet be_quiet(void)
{
    struct quiet before = {.error = 1 + (int)lab_random_below(100), .printed = printed()};
    errno = before.error;
    return before;
}

static void expect_quiet(struct quiet before)
{
    lab_expect(errno == before.error, lab_errno(before.error), "errno was changed to %s",
               lab_errno(errno));
    expect_nothing_printed_since(before.printed, "it had to write to buf only");
}

struct naming {
    char *(*name)(int number, char *buf, size_t size);
    int number;
    char *buf;
};

static void name_number(void *naming)
{
    struct naming *n = naming;
    n->name(n->number, n->buf, SOCKET_NAME_SIZE);
}

/* Two threads have name() write the texts of two numbers at once. */
static void expect_both(char *(*name)(int, char *, size_t), int number, const char *text,
                        int other, const char *other_text)
{
    char buf[ROOM];
    struct naming first = {name, number, place_to_meet()}, second = {name, other, buf};
    act_both(name_number, &first, &second);
    lab_expect(strcmp(first.buf, text) == 0, lab_quote(text, strlen(text)),
               "wrote %s for one thread, while another had %s written",
               lab_quote(first.buf, strnlen(first.buf, ROOM)),
               lab_quote(other_text, strlen(other_text)));
    lab_expect(strcmp(buf, other_text) == 0, lab_quote(other_text, strlen(other_text)),
               "wrote %s for one thread, while another had %s written",
               lab_quote(buf, strnlen(buf, ROOM)), lab_quote(text, strlen(text)));
    leave_the_place();
}

LAB_TEST(family_name, names_every_family_of_the_list, .points = 2, .task = 3,
         .read = "Names for numbers", .man = "7 address_families",
         .likely =
             "compare with each constant of the list in endpoint.h, spelt as it is there")
{
    EXPECT_FAMILY(AF_UNIX, SOCKET_NAME_SIZE, "AF_UNIX");
    EXPECT_FAMILY(AF_INET, SOCKET_NAME_SIZE, "AF_INET");
    EXPECT_FAMILY(AF_INET6, SOCKET_NAME_SIZE, "AF_INET6");
    EXPECT_FAMILY(AF_PACKET, SOCKET_NAME_SIZE, "AF_PACKET");
    EXPECT_FAMILY(AF_RDS, SOCKET_NAME_SIZE, "AF_RDS");
}

LAB_TEST(family_name, writes_other_numbers_in_decimal, .points = 2, .task = 3,
         .read = "Names for numbers", .man = "3 snprintf",
         .likely = "a number that is not in the list is printed with \"%d\"")
{
    int unknown = 1000 + (int)lab_random_below(100000);
    expect_other_family(unknown);
    expect_other_family(0);
    expect_other_family(-1);
    expect_other_family(INT_MIN);
}

LAB_TEST(family_name, cuts_what_does_not_fit, .points = 2, .task = 3,
         .needs = "family_name/names_every_family_of_the_list",
         .read = "Names for numbers", .man = "3 snprintf",
         .likely =
             "snprintf(buf, size, ...) cuts and ends in NUL; strcpy() and sprintf() know "
             "nothing of size")
{
    EXPECT_FAMILY(AF_INET6, sizeof "AF_INET6", "AF_INET6");
    EXPECT_FAMILY(AF_INET6, sizeof "AF_INET6" - 1, "AF_INET");
    EXPECT_FAMILY(123456, 4, "123");
    EXPECT_FAMILY(AF_UNIX, 1, "");
}

LAB_TEST(family_name, leaves_errno_alone_and_prints_nothing, .points = 1, .task = 3,
         .needs = "family_name/names_every_family_of_the_list",
         .read = "Names for numbers", .man = "3 errno",
         .likely =
             "look the name up in a list of your own, and write to buf: nothing else "
             "is needed, and a text that is cut is no error")
{
    char buf[SOCKET_NAME_SIZE];
    struct quiet before = be_quiet();
    family_name(AF_INET, buf, sizeof buf);
    family_name(12345, buf, sizeof buf);
    family_name(AF_INET, buf, 2);
    family_name(12345, buf, 2);
    expect_quiet(before);
}

LAB_TEST(family_name, two_threads_may_write_at_once, .points = 1, .task = 3,
         .needs = "family_name/names_every_family_of_the_list",
         .read = "Names for numbers", .man = "7 pthreads",
         .likely =
             "a static buffer is shared by every thread, even if its text is copied "
             "to buf at once: write into buf")
{
    expect_both(family_name, AF_UNIX, "AF_UNIX", AF_INET6, "AF_INET6");
    expect_both(family_name, 1234, "1234", 56789, "56789");
}

LAB_TEST(type_name, names_every_type_of_the_list, .points = 2, .task = 3,
         .read = "Names for numbers", .man = "2 socket",
         .likely =
             "compare with each constant of the list in endpoint.h, spelt as it is there")
{
    EXPECT_TYPE(SOCK_STREAM, SOCKET_NAME_SIZE, "SOCK_STREAM");
    EXPECT_TYPE(SOCK_DGRAM, SOCKET_NAME_SIZE, "SOCK_DGRAM");
    EXPECT_TYPE(SOCK_RAW, SOCKET_NAME_SIZE, "SOCK_RAW");
    EXPECT_TYPE(SOCK_RDM, SOCKET_NAME_SIZE, "SOCK_RDM");
    EXPECT_TYPE(SOCK_SEQPACKET, SOCKET_NAME_SIZE, "SOCK_SEQPACKET");
}

/* Without a flag in it. */
static void expect_other_type(int number)
{
    expect_type(decimal(number), number, SOCKET_NAME_SIZE, decimal(number));
}

LAB_TEST(
    type_name, takes_the_flags_off_first, .points = 3, .task = 3,
    .needs = "type_name/names_every_type_of_the_list", .read = "Names for numbers",
    .man = "2 socket",
    .likely = "type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC) is the type alone; other bits stay")
{
    int other = 100 + (int)lab_random_below(900); /* below the flags' bits */
    EXPECT_TYPE(SOCK_DGRAM | SOCK_NONBLOCK, SOCKET_NAME_SIZE, "SOCK_DGRAM");
    EXPECT_TYPE(SOCK_RAW | SOCK_CLOEXEC, SOCKET_NAME_SIZE, "SOCK_RAW");
    EXPECT_TYPE(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, SOCKET_NAME_SIZE,
                "SOCK_STREAM");
    int given = other | SOCK_NONBLOCK | SOCK_CLOEXEC;
    char text[60];
    snprintf(text, sizeof text, "%d | SOCK_NONBLOCK | SOCK_CLOEXEC", other);
    expect_type(text, given, SOCKET_NAME_SIZE, decimal(other));
    expect_other_type(SOCK_STREAM | 1 << 12);
    expect_other_type(SOCK_STREAM | 1 << 24);
}

LAB_TEST(type_name, writes_other_numbers_in_decimal, .points = 1, .task = 3,
         .read = "Names for numbers", .man = "3 snprintf",
         .likely = "a number that is not in the list is printed with \"%d\"")
{
    int unknown = 100 + (int)lab_random_below(900);
    expect_other_type(unknown);
    expect_other_type(SOCK_STREAM + 16);
    expect_other_type(0);
    expect_other_type(INT_MIN);
    int negative = -1 & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    expect_type("-1, every flag among its bits", -1, SOCKET_NAME_SIZE, decimal(negative));
}

LAB_TEST(type_name, cuts_what_does_not_fit, .points = 1, .task = 3,
         .needs = "type_name/names_every_type_of_the_list", .read = "Names for numbers",
         .man = "3 snprintf",
         .likely =
             "snprintf(buf, size, ...) cuts and ends in NUL; strcpy() and sprintf() know "
             "nothing of size")
{
    EXPECT_TYPE(SOCK_SEQPACKET, sizeof "SOCK_SEQPACKET", "SOCK_SEQPACKET");
    EXPECT_TYPE(SOCK_SEQPACKET, 9, "SOCK_SEQ");
    EXPECT_TYPE(987, 2, "9");
}

LAB_TEST(type_name, leaves_errno_alone_and_prints_nothing, .points = 1, .task = 3,
         .needs = "type_name/names_every_type_of_the_list", .read = "Names for numbers",
         .man = "3 errno",
         .likely =
             "look the name up in a list of your own, and write to buf: nothing else "
             "is needed, and a text that is cut is no error")
{
    char buf[SOCKET_NAME_SIZE];
    struct quiet before = be_quiet();
    type_name(SOCK_STREAM, buf, sizeof buf);
    type_name(12345, buf, sizeof buf);
    type_name(SOCK_STREAM, buf, 2);
    type_name(12345, buf, 2);
    expect_quiet(before);
}

LAB_TEST(type_name, two_threads_may_write_at_once, .points = 1, .task = 3,
         .needs = "type_name/names_every_type_of_the_list", .read = "Names for numbers",
         .man = "7 pthreads",
         .likely =
             "a static buffer is shared by every thread, even if its text is copied "
             "to buf at once: write into buf")
{
    expect_both(type_name, SOCK_RAW, "SOCK_RAW", SOCK_DGRAM, "SOCK_DGRAM");
    expect_both(type_name, 123, "123", 456, "456");
}

LAB_TEST(protocol_name, names_every_internet_protocol_of_the_list, .points = 2, .task = 4,
         .read = "Names for numbers", .man = "5 protocols",
         .likely = "compare with each of the six constants of the list in endpoint.h, "
                   "spelt as it is there")
{
    EXPECT_PROTOCOL(AF_INET, IPPROTO_ICMP, SOCKET_NAME_SIZE, "IPPROTO_ICMP");
    EXPECT_PROTOCOL(AF_INET, IPPROTO_TCP, SOCKET_NAME_SIZE, "IPPROTO_TCP");
    EXPECT_PROTOCOL(AF_INET, IPPROTO_UDP, SOCKET_NAME_SIZE, "IPPROTO_UDP");
    EXPECT_PROTOCOL(AF_INET, IPPROTO_ICMPV6, SOCKET_NAME_SIZE, "IPPROTO_ICMPV6");
    EXPECT_PROTOCOL(AF_INET, IPPROTO_SCTP, SOCKET_NAME_SIZE, "IPPROTO_SCTP");
    EXPECT_PROTOCOL(AF_INET, IPPROTO_RAW, SOCKET_NAME_SIZE, "IPPROTO_RAW");
}

LAB_TEST(protocol_name, names_the_same_for_AF_INET6, .points = 2, .task = 4,
         .needs = "protocol_name/names_every_internet_protocol_of_the_list",
         .read = "Names for numbers", .man = "7 ipv6",
         .likely = "the same six names for AF_INET and for AF_INET6")
{
    EXPECT_PROTOCOL(AF_INET6, IPPROTO_ICMP, SOCKET_NAME_SIZE, "IPPROTO_ICMP");
    EXPECT_PROTOCOL(AF_INET6, IPPROTO_TCP, SOCKET_NAME_SIZE, "IPPROTO_TCP");
    EXPECT_PROTOCOL(AF_INET6, IPPROTO_UDP, SOCKET_NAME_SIZE, "IPPROTO_UDP");
    EXPECT_PROTOCOL(AF_INET6, IPPROTO_ICMPV6, SOCKET_NAME_SIZE, "IPPROTO_ICMPV6");
    EXPECT_PROTOCOL(AF_INET6, IPPROTO_SCTP, SOCKET_NAME_SIZE, "IPPROTO_SCTP");
    EXPECT_PROTOCOL(AF_INET6, IPPROTO_RAW, SOCKET_NAME_SIZE, "IPPROTO_RAW");
}

LAB_TEST(protocol_name, names_a_number_by_its_family, .points = 3, .task = 4,
         .needs = "protocol_name/names_every_internet_protocol_of_the_list",
         .read = "Names for numbers", .man = "7 packet",
         .likely =
             "6 is TCP in AF_INET and AF_INET6 only: choose the list by the family first")
{
    EXPECT_PROTOCOL(AF_UNIX, IPPROTO_TCP, SOCKET_NAME_SIZE, "6");
    EXPECT_PROTOCOL(AF_RDS, IPPROTO_UDP, SOCKET_NAME_SIZE, "17");
    EXPECT_PROTOCOL(AF_PACKET, IPPROTO_TCP, SOCKET_NAME_SIZE, "6");
    EXPECT_PROTOCOL(4000, IPPROTO_SCTP, SOCKET_NAME_SIZE, "132");
    EXPECT_PROTOCOL(AF_INET, htons(ETH_P_IP), SOCKET_NAME_SIZE, decimal(htons(ETH_P_IP)));
}

LAB_TEST(
    protocol_name, takes_ethernet_protocols_in_network_byte_order, .points = 3, .task = 4,
    .read = "Names for numbers", .man = "7 packet",
    .likely =
        "compare with htons(ETH_P_IP): AF_PACKET's numbers are in network byte order")
{
    EXPECT_PROTOCOL(AF_PACKET, htons(ETH_P_ALL), SOCKET_NAME_SIZE, "ETH_P_ALL");
    EXPECT_PROTOCOL(AF_PACKET, htons(ETH_P_IP), SOCKET_NAME_SIZE, "ETH_P_IP");
    EXPECT_PROTOCOL(AF_PACKET, htons(ETH_P_ARP), SOCKET_NAME_SIZE, "ETH_P_ARP");
    EXPECT_PROTOCOL(AF_PACKET, htons(ETH_P_IPV6), SOCKET_NAME_SIZE, "ETH_P_IPV6");
    if (htons(ETH_P_IP) != ETH_P_IP)
        EXPECT_PROTOCOL(AF_PACKET, ETH_P_IP, SOCKET_NAME_SIZE, decimal(ETH_P_IP));
}

LAB_TEST(protocol_name, looks_at_all_bits_of_the_number, .points = 1, .task = 4,
         .needs = "protocol_name/takes_ethernet_protocols_in_network_byte_order",
         .read = "Names for numbers", .man = "3 htons",
         .likely = "ntohs() takes 16 bits, and drops the others of protocol: turn the "
                   "constants with htons(), and compare the whole number")
{
    EXPECT_PROTOCOL(AF_PACKET, 0x10000 | htons(ETH_P_IP), SOCKET_NAME_SIZE,
                    decimal(0x10000 | htons(ETH_P_IP)));
    EXPECT_PROTOCOL(AF_INET, 0x100 | IPPROTO_TCP, SOCKET_NAME_SIZE,
                    decimal(0x100 | IPPROTO_TCP));
}

LAB_TEST(protocol_name, writes_other_numbers_in_decimal, .points = 2, .task = 4,
         .read = "Names for numbers", .man = "3 snprintf",
         .likely =
             "0 is \"0\" in every family, and a number without a name is printed with "
             "\"%d\"")
{
    int unknown = 100000 + (int)lab_random_below(100000);
    EXPECT_PROTOCOL(AF_UNIX, 0, SOCKET_NAME_SIZE, "0");
    expect_other_protocol("AF_UNIX", AF_UNIX, unknown);
    EXPECT_PROTOCOL(AF_INET, 0, SOCKET_NAME_SIZE, "0");
    expect_other_protocol("AF_INET", AF_INET, unknown);
    EXPECT_PROTOCOL(AF_INET6, 0, SOCKET_NAME_SIZE, "0");
    expect_other_protocol("AF_INET6", AF_INET6, unknown);
    EXPECT_PROTOCOL(AF_PACKET, 0, SOCKET_NAME_SIZE, "0");
    expect_other_protocol("AF_PACKET", AF_PACKET, unknown);
    EXPECT_PROTOCOL(AF_RDS, 0, SOCKET_NAME_SIZE, "0");
    expect_other_protocol("AF_RDS", AF_RDS, unknown);
    EXPECT_PROTOCOL(AF_INET, -1, SOCKET_NAME_SIZE, "-1");
}

LAB_TEST(protocol_name, cuts_what_does_not_fit, .points = 1, .task = 4,
         .needs = "protocol_name/names_every_internet_protocol_of_the_list",
         .read = "Names for numbers", .man = "3 snprintf",
         .likely =
             "snprintf(buf, size, ...) cuts and ends in NUL; strcpy() and sprintf() know "
             "nothing of size")
{
    EXPECT_PROTOCOL(AF_INET6, IPPROTO_ICMPV6, sizeof "IPPROTO_ICMPV6", "IPPROTO_ICMPV6");
    EXPECT_PROTOCOL(AF_INET6, IPPROTO_ICMPV6, sizeof "IPPROTO_ICMPV6" - 1,
                    "IPPROTO_ICMPV");
    EXPECT_PROTOCOL(AF_UNIX, 54321, 3, "54");
}

LAB_TEST(protocol_name, leaves_errno_alone_and_prints_nothing, .points = 1, .task = 4,
         .needs = "protocol_name/names_every_internet_protocol_of_the_list",
         .read = "Names for numbers", .man = "3 errno",
         .likely =
             "look the name up in a list of your own, and write to buf: nothing else "
             "is needed, and a text that is cut is no error")
{
    char buf[SOCKET_NAME_SIZE];
    struct quiet before = be_quiet();
    protocol_name(AF_INET, IPPROTO_TCP, buf, sizeof buf);
    protocol_name(AF_INET, 12345, buf, sizeof buf);
    protocol_name(AF_INET, IPPROTO_TCP, buf, 2);
    protocol_name(AF_PACKET, 12345, buf, 2);
    protocol_name(AF_UNIX, 12345, buf, 2);
    expect_quiet(before);
}

static char *internet_name(int protocol, char *buf, size_t size)
{
    return protocol_name(AF_INET, protocol, buf, size);
}

LAB_TEST(protocol_name, two_threads_may_write_at_once, .points = 1, .task = 4,
         .needs = "protocol_name/names_every_internet_protocol_of_the_list",
         .read = "Names for numbers", .man = "7 pthreads",
         .likely =
             "a static buffer is shared by every thread, even if its text is copied "
             "to buf at once: write into buf")
{
    expect_both(internet_name, IPPROTO_TCP, "IPPROTO_TCP", IPPROTO_RAW, "IPPROTO_RAW");
    expect_both(internet_name, 1234, "1234", 56789, "56789");
}

/* ---- socket_close_all ----------------------------------------------------------------- */

static void open_three(int fds[3])
{
    fds[0] = test_socket(AF_INET, SOCK_STREAM, 0);
    fds[1] = test_socket(AF_INET, SOCK_DGRAM, 0);
    fds[2] = test_socket(AF_UNIX, SOCK_STREAM, 0);
}

static void expect_closed(int fd, const char *which)
{
    lab_expect(!lab_is_open(fd), "each descriptor closed", "left the %s open", which);
}

static void expect_result(int result, int error, int expected_error, const char *when)
{
    bool right =
        expected_error == 0 ? result == 0 : result == -1 && error == expected_error;
    lab_expect(right, expected_error == 0 ? "0" : lab_result(-1, expected_error),
               "returned %s %s", lab_result(result, error), when);
}

LAB_TEST(socket_close_all, closes_every_descriptor, .points = 3, .task = 5,
         .read = "Close once", .man = "2 close",
         .likely = "for each i below n: close(fds[i])")
{
    int fds[3];
    open_three(fds);
    int copy[] = {fds[0], fds[1], fds[2], -1}; /* one more: another test is about n */
    int result = socket_close_all(copy, 3);
    int error = errno;
    expect_result(result, error, 0, "for three sockets");
    expect_closed(fds[0], "first");
    expect_closed(fds[1], "second");
    expect_closed(fds[2], "third");
}

LAB_TEST(
    socket_close_all, leaves_minus_1_in_every_entry, .points = 2, .task = 5,
    .needs = "socket_close_all/closes_every_descriptor", .read = "Close once",
    .man = "2 close",
    .likely = "set fds[i] = -1 after its close(), so that nothing can close it again")
{
    int fds[3];
    open_three(fds);
    socket_close_all(fds, 3);
    lab_expect(fds[0] == -1 && fds[1] == -1 && fds[2] == -1, "-1, -1, -1",
               "left %d, %d, %d in fds", fds[0], fds[1], fds[2]);
    int result = socket_close_all(fds, 3);
    int error = errno;
    lab_likely(
        "every entry is -1 by now, and close(-1) is EBADF: pass over what is negative");
    expect_result(result, error, 0, "when called again with the same entries");
}

LAB_TEST(socket_close_all, passes_over_negative_entries, .points = 2, .task = 5,
         .needs = "socket_close_all/closes_every_descriptor", .read = "Close once",
         .man = "2 close", .likely = "close(-1) is EBADF: ask fds[i] >= 0 first")
{
    int fd = test_socket(AF_INET, SOCK_STREAM, 0);
    int fds[] = {-1, fd, -2};
    int result = socket_close_all(fds, 3);
    int error = errno;
    expect_result(result, error, 0, "for the entries -1, a socket, -2");
    expect_closed(fd, "second");
    lab_likely("a negative entry stays as it is, or becomes -1");
    lab_expect(fds[0] == -1 && (fds[2] == -2 || fds[2] == -1), "-1 and -2, or -1 and -1",
               "turned the negative entries -1 and -2 into %d and %d", fds[0], fds[2]);
}

LAB_TEST(socket_close_all, closes_descriptor_0, .points = 2, .task = 5,
         .needs = "socket_close_all/closes_every_descriptor",
         .read = "A socket is a descriptor", .man = "2 close",
         .likely = "0 is a descriptor like any other: >= 0, not > 0")
{
    int fd = test_socket(AF_INET, SOCK_STREAM, 0);
    int kept = put_at_0(fd);
    lab_close(fd);
    int fds[] = {0};
    int result = socket_close_all(fds, 1);
    int error = errno;
    bool closed = !lab_is_open(0);
    put_back_0(kept);
    expect_result(result, error, 0, "for descriptor 0");
    lab_expect(closed, "descriptor 0 closed", "left 0 open");
}

LAB_TEST(socket_close_all, closes_the_rest_after_an_error, .points = 3, .task = 5,
         .needs = "socket_close_all/closes_every_descriptor", .read = "Close once",
         .man = "2 close",
         .likely = "remember the first errno and go on: no return inside the loop")
{
    int fds[3];
    open_three(fds);
    lab_close(fds[1]);
    int copy[] = {fds[0], fds[1], fds[2]};
    int result = socket_close_all(copy, 3);
    int error = errno;
    expect_closed(fds[0], "first");
    expect_closed(fds[2], "third");
    expect_result(result, error, EBADF, "when the second was closed already");
    lab_expect(copy[0] == -1 && copy[1] == -1 && copy[2] == -1, "-1, -1, -1",
               "left %d, %d, %d in fds", copy[0], copy[1], copy[2]);
}

LAB_TEST(
    socket_close_all, reports_the_first_error, .points = 3, .task = 5,
    .needs = "socket_close_all/closes_the_rest_after_an_error", .read = "Close once",
    .man = "2 close",
    .likely = "store errno the first time only; a later close() overwrites errno itself")
{
    int fds[3];
    open_three(fds);
    lab_close(fds[1]);
    /* the first close() is made to say EIO; the second says EBADF of itself */
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EIO, .after = 1});
    int copy[] = {fds[0], fds[1], fds[2]};
    int result = socket_close_all(copy, 3);
    int error = errno;
    expect_result(result, error, faults_taken() > 0 ? EIO : EBADF,
                  "when the first close() said EIO and the second EBADF");
    expect_closed(fds[2], "third");
}

LAB_TEST(socket_close_all, never_closes_twice, .points = 4, .task = 5,
         .needs = "socket_close_all/closes_every_descriptor", .read = "Close once",
         .man = "2 close",
         .likely =
             "the descriptor is gone after EINTR: do not call close() again, and do not "
             "call it an error")
{
    for (unsigned nth = 1; nth <= 3; nth++) {
        int fds[3];
        open_three(fds);
        unsigned before = calls_made(CALLS_CLOSE);
        fault_once(CALLS_CLOSE, nth, (struct fault){.error = EINTR, .after = 1});
        int copy[] = {fds[0], fds[1], fds[2]};
        int result = socket_close_all(copy, 3);
        int error = errno;
        fault_none();
        expect_closed(fds[0], "first");
        expect_closed(fds[1], "second");
        expect_closed(fds[2], "third");
        unsigned made = calls_made(CALLS_CLOSE) - before;
        char when[60];
        snprintf(when, sizeof when, "when a signal interrupted close() number %u", nth);
        lab_expect(made <= 3, "one close() for each of 3 descriptors",
                   "called close() %u times %s: %s", made, when, calls_text(made));
        expect_result(result, error, 0, when);
    }
}

LAB_TEST(socket_close_all, reports_an_error_after_EINTR, .points = 2, .task = 5,
         .needs = "socket_close_all/never_closes_twice", .read = "Close once",
         .man = "2 close",
         .likely =
             "EINTR is no error: do not keep it, for then the first true error finds "
             "its place taken")
{
    int fds[3];
    open_three(fds);
    lab_close(fds[1]);
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EINTR, .after = 1});
    int copy[] = {fds[0], fds[1], fds[2]};
    int result = socket_close_all(copy, 3);
    int error = errno;
    expect_result(
        result, error, EBADF,
        "when a signal interrupted the first close() and the second said EBADF");
}

LAB_TEST(socket_close_all, prints_nothing, .points = 1, .task = 5,
         .needs = "socket_close_all/closes_every_descriptor",
         .read = "What an error tells you", .man = "3 errno",
         .likely = "-1 and errno say it all: main() alone decides what the user is told")
{
    off_t before = printed();
    int fds[] = {test_socket(AF_INET, SOCK_STREAM, 0)};
    socket_close_all(fds, 1);
    expect_nothing_printed_since(before, "a socket was closed");
    int closed[] = {lowest_free()};
    socket_close_all(closed, 1);
    expect_nothing_printed_since(before, "close() failed");
}

LAB_TEST(socket_close_all, touches_only_the_first_n, .points = 2, .task = 5,
         .needs = "socket_close_all/closes_every_descriptor", .read = "Close once",
         .man = "2 close", .likely = "the last index is n - 1; with n = 0 there is none")
{
    int fds[3];
    open_three(fds);
    int third = fds[2];
    socket_close_all(fds, 2);
    lab_expect(lab_is_open(third) && fds[2] == third,
               "the third left as it was when n is 2", "%s, and fds[2] is %d",
               lab_is_open(third) ? "left it open" : "closed it", fds[2]);
    int result = socket_close_all(NULL, 0);
    int error = errno;
    expect_result(result, error, 0, "for NULL and n = 0");
    lab_close(third);
}
