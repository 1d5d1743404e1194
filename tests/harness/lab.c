/* lab.c: the story of a failure, random data, and sockets for tests. */
#define _GNU_SOURCE
#include "lab.h"
#include "census.h"
#include "page.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXTS       8
#define TEXT_BYTES  320
#define QUOTE_BYTES 60
#define HIDDEN_FD \
    900 /* where the harness's own descriptors live: out of the way of the student's numbers */

/* Before the runner has set up the shared page, or in a program that has no runner. */
static struct lab_page own_page;
struct lab_page *lab_page = &own_page;

/* A peer's thread tells its steps while the test's own thread tells its story. */
static pthread_mutex_t story_lock = PTHREAD_MUTEX_INITIALIZER;
static bool story_of_test;
static const char *test_likely;
static uint64_t random_state;

/* ---- texts -------------------------------------------------------------------------------------- */

static char *next_text(void)
{
    static _Thread_local char texts[TEXTS][TEXT_BYTES];
    static _Thread_local unsigned next;

    return texts[next++ % TEXTS];
}

static bool starts_number(const char *bytes, size_t at, size_t n)
{
    return at < n && bytes[at] >= '0' && bytes[at] <= '7';
}

static char *put_byte(char *to, const char *bytes, size_t at, size_t n)
{
    static const char named[] = "\a\b\t\n\v\f\r\"\\";
    static const char letters[] = "abtnvfr\"\\";
    unsigned char c = (unsigned char)bytes[at];
    const char *known = c ? strchr(named, c) : NULL;

    if (known)
        return to + sprintf(to, "\\%c", letters[known - named]);
    if (c >= ' ' && c <= '~')
        return to + sprintf(to, "%c", c);
    /* "\0" and a digit would read as another number. */
    return to + sprintf(to, c || starts_number(bytes, at + 1, n) ? "\\%03o" : "\\%o", c);
}

const char *lab_quote(const void *bytes, size_t n)
{
    char *text = next_text();
    char *to = text;

    if (!bytes)
        return "NULL";
    *to++ = '"';
    for (size_t i = 0; i < n && i < QUOTE_BYTES; i++)
        to = put_byte(to, bytes, i, n);
    if (n > QUOTE_BYTES)
        sprintf(to, "...\" (%zu bytes)", n);
    else
        sprintf(to, "\"");
    return text;
}

const char *lab_errno(int error)
{
    const char *name = strerrorname_np(error);
    char *text;

    if (name && error)
        return name;
    text = next_text();
    snprintf(text, TEXT_BYTES, "errno %d", error);
    return text;
}

const char *lab_result(long result, int error)
{
    char *text = next_text();

    if (result == -1 && strerrorname_np(error))
        snprintf(text, TEXT_BYTES, "-1 and errno %s", lab_errno(error));
    else if (result == -1)
        snprintf(text, TEXT_BYTES, "-1 and errno %d", error);
    else
        snprintf(text, TEXT_BYTES, "%ld", result);
    return text;
}

void lab_copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* ---- the story ---------------------------------------------------------------------------------- */

static void story_add(const char *text)
{
    size_t used = strnlen(lab_page->peer, LAB_TEXT - 1);

    snprintf(lab_page->peer + used, LAB_TEXT - used, "%s%s", used ? "; " : "", text);
}

void lab_peer(const char *format, ...)
{
    char text[LAB_TEXT];
    int error = errno;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    pthread_mutex_lock(&story_lock);
    story_of_test = true;
    story_add(text);
    pthread_mutex_unlock(&story_lock);
    errno = error;
}

void lab_peer_told(const char *text)
{
    pthread_mutex_lock(&story_lock);
    if (!story_of_test)
        story_add(text);
    pthread_mutex_unlock(&story_lock);
}

void lab_likely(const char *format, ...)
{
    int error = errno;
    va_list args;

    if (!format) {
        lab_copy(lab_page->likely, LAB_TEXT, test_likely);
        return;
    }
    va_start(args, format);
    vsnprintf(lab_page->likely, LAB_TEXT, format, args);
    va_end(args);
    errno = error;
}

void lab_end(enum lab_verdict verdict)
{
    if (!lab_page->verdict)
        lab_page->verdict = (int)verdict;
    fflush(stdout);
    _exit(lab_page->status);
}

void lab_fail(const char *expected, const char *likely, const char *you)
{
    lab_copy(lab_page->you, LAB_TEXT, you);
    lab_copy(lab_page->expected, LAB_TEXT, expected);
    lab_copy(lab_page->likely, LAB_TEXT, likely);
    lab_end(VERDICT_FAIL);
}

void lab_expect(bool ok, const char *expected, const char *you, ...)
{
    va_list args;

    if (ok)
        return;
    va_start(args, you);
    vsnprintf(lab_page->you, LAB_TEXT, you, args);
    va_end(args);
    lab_copy(lab_page->expected, LAB_TEXT, expected);
    /* A hint at the solution is no help to somebody who has not begun. */
    if (strstr(lab_page->you, "ENOSYS"))
        lab_likely("this is the starter's answer: the TODO says what to write");
    lab_end(VERDICT_FAIL);
}

void lab_skip(const char *what)
{
    snprintf(lab_page->you, LAB_TEXT, "this machine has no %s", what);
    lab_end(VERDICT_SKIP);
}

void lab_error(const char *what)
{
    const char *error = lab_errno(errno);

    snprintf(lab_page->you, LAB_TEXT, "the test could not prepare itself: %s: %s", what,
             error);
    lab_end(VERDICT_ERROR);
}

/* ---- random data -------------------------------------------------------------------------------- */

static uint64_t hash(uint64_t state, const char *text)
{
    while (*text) /* FNV-1a */
        state = (state ^ (unsigned char)*text++) * UINT64_C(1099511628211);
    return state;
}

void lab_begin(const char *group, const char *name, uint64_t seed, const char *likely)
{
    random_state = hash(hash(hash(UINT64_C(14695981039346656037), group), "/"), name);
    random_state ^= seed * UINT64_C(0x9e3779b97f4a7c15);
    story_of_test = false;
    test_likely = likely;
    lab_copy(lab_page->likely, LAB_TEXT, likely);
}

uint64_t lab_random(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t lab_random_below(uint32_t limit)
{
    return (uint32_t)(((lab_random() >> 32) * limit) >> 32);
}

void lab_random_bytes(void *buf, size_t n)
{
    unsigned char *to = buf;

    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(lab_random() >> 56);
}

/* ---- sockets ------------------------------------------------------------------------------------ */

static int loopback_socket(int family)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const void *address = family == AF_INET6 ? (const void *)&in6 : (const void *)&in4;
    socklen_t size = family == AF_INET6 ? sizeof(in6) : sizeof(in4);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd == -1)
        lab_error("socket()");
    if (bind(fd, address, size) == -1)
        lab_error("bind() to a port of loopback");
    return fd;
}

int lab_listener(int family)
{
    int fd = loopback_socket(family);

    if (listen(fd, SOMAXCONN) == -1)
        lab_error("listen()");
    return fd;
}

uint16_t lab_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } address = {.in6 = {0}};
    socklen_t size = sizeof(address);

    if (getsockname(fd, &address.any, &size) == -1)
        lab_error("getsockname()");
    return ntohs(address.any.sa_family == AF_INET6 ? address.in6.sin6_port
                                                   : address.in4.sin_port);
}

const char *lab_port_text(int fd)
{
    char *text = next_text();

    snprintf(text, TEXT_BYTES, "%u", (unsigned)lab_port(fd));
    return text;
}

void lab_tcp_pair(int fds[2])
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    int listener = lab_listener(AF_INET);

    fds[0] = fds[1] = -1;
    if (getsockname(listener, (struct sockaddr *)&address, &size) == -1)
        lab_error("getsockname()");
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fds[0] == -1 || connect(fds[0], (struct sockaddr *)&address, size) == -1)
        lab_error("connect() to the test's own listener");
    fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fds[1] == -1)
        lab_error("accept() at the test's own listener");
    close(listener);
}

uint16_t lab_closed_port(int family)
{
    int fd = loopback_socket(family);
    uint16_t port = lab_port(fd);
    int hidden = fcntl(fd, F_DUPFD_CLOEXEC, HIDDEN_FD);

    if (hidden == -1)
        hidden = fd; /* a low limit of descriptors: stay where it is */
    else
        close(fd);
    census_hide(hidden);
    return port;
}

void lab_close(int fd)
{
    char text[64];

    if (fd >= 0 && !lab_is_open(fd)) {
        snprintf(text, sizeof(text), "closed %d, which is the caller's", fd);
        lab_fail("no descriptor of the caller's closed",
                 "close() only what you opened, and once: numbers are given out again",
                 text);
    }
    if (close(fd) == -1)
        lab_error("close() of the test's own descriptor");
}

bool lab_is_open(int fd)
{
    int error = errno;
    bool open = fcntl(fd, F_GETFD) != -1;

    errno = error;
    return open;
}
