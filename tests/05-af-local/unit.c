/*
 * unit.c: what local.h promises.
 *
 * Each test that needs a file works in a folder of its own, which it enters, so that every path is short. Nothing
 * here needs a privilege or a fixed name; what must fail for want of rights is tried without root's.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "lab.h"
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = offsetof(struct sockaddr_un, sun_path), ROOM = 108, NOBODY = 65534 };

/* The student's code and the test call this one. Nothing promises that a call that succeeds leaves errno as it was. */
int unlink(const char *path)
{
    int result = unlinkat(AT_FDCWD, path, 0);
    if (result == 0)
        errno = EXDEV;
    return result;
}

/* A folder of the test's own. */

static char folder[200];

static void enter_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.180s/lab.XXXXXX",
             parent == NULL || *parent == '\0' ? "/tmp" : parent);
    if (mkdtemp(folder) == NULL || chmod(folder, 0777) != 0 || chdir(folder) != 0)
        lab_error("mkdtemp");
}

static void leave_folder(void)
{
    DIR *files = opendir(".");
    for (const struct dirent *file; (file = readdir(files)) != NULL;)
        if (unlink(file->d_name) != 0)
            rmdir(file->d_name);
    closedir(files);
    if (chdir("/") != 0 || rmdir(folder) != 0)
        lab_error("rmdir");
}

/* The names in the folder, or "nothing". */
static const char *in_folder(void)
{
    static char names[300];
    names[0] = '\0';
    DIR *files = opendir(".");
    for (const struct dirent *file; (file = readdir(files)) != NULL;)
        if (strcmp(file->d_name, ".") != 0 && strcmp(file->d_name, "..") != 0)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
                     *names ? ", " : "", file->d_name);
    closedir(files);
    return *names ? names : "nothing";
}

static mode_t mode_of(const char *path)
{
    struct stat file = {.st_mode = 0};
    lstat(path, &file);
    return file.st_mode;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        lab_error("open");
    lab_close(fd);
}

/* Files are root's to read and write, whatever their mode: go on as somebody else. */
static void without_privilege(void)
{
    if (geteuid() == 0 && seteuid(NOBODY) != 0)
        lab_skip("a user without privileges");
}

static void as_before(void)
{
    if (getuid() == 0 && seteuid(0) != 0)
        lab_error("seteuid");
}

/* Sockets of the test's own. A name is given by its bytes, as in the address: "\0lab", 4. */

static socklen_t address_of(struct sockaddr_un *address, const void *name, size_t n)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, n);
    return (socklen_t)(HEAD + n);
}

static int new_socket(int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd == -1)
        lab_error("socket");
    return fd;
}

static int bound(int type, const char *name, size_t n)
{
    struct sockaddr_un address;
    int fd = new_socket(type);
    if (bind(fd, (struct sockaddr *)&address, address_of(&address, name, n)) != 0)
        lab_error("bind");
    return fd;
}

static int bound_at(int type, const char *path)
{
    return bound(type, path, strlen(path) + 1);
}

static int server_at(int type, const char *path, int backlog)
{
    int fd = bound_at(type, path);
    if (type != SOCK_DGRAM && listen(fd, backlog) != 0)
        lab_error("listen");
    return fd;
}

/* What a server leaves behind that was killed. */
static void dead_server_at(int type, const char *path)
{
    lab_close(server_at(type, path, 1));
}

/* A client, not waiting. Or -1. */
static int client_of(int type, const char *name, size_t n)
{
    struct sockaddr_un address;
    int fd = new_socket(type | SOCK_NONBLOCK);
    if (connect(fd, (struct sockaddr *)&address, address_of(&address, name, n)) == 0)
        return fd;
    int error = errno;
    lab_close(fd);
    errno = error;
    return -1;
}

static int taken_from(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd == -1)
        lab_error("accept4");
    return fd;
}

static void pair(int fds[2], int type)
{
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
        lab_error("socketpair");
}

static int option(int fd, int name)
{
    int value = -1;
    getsockopt(fd, SOL_SOCKET, name, &value, &(socklen_t){sizeof value});
    return value;
}

/* The name of a socket, as text: '@' for a NUL. */
static const char *name_of(int fd)
{
    static char text[ROOM + 1];
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &length);
    size_t n = length < HEAD ? 0 : length - HEAD;
    if (n > 0 && address.sun_path[0] != '\0')
        n = strnlen(address.sun_path, n);
    for (size_t i = 0; i < n; i++)
        text[i] = address.sun_path[i] == '\0' ? '@' : address.sun_path[i];
    text[n] = '\0';
    return n == 0 ? "no name" : text;
}

/* The last steps of many tests. */

static const char *outcome(int result, int error)
{
    static char text[600];
    const char *calls = calls_text(6);
    if (result == -1 && error == ENOSYS)
        lab_likely("this is the starter's answer: the TODO says what to write");
    snprintf(text, sizeof text, "returned %s%s%s", lab_result(result, error),
             *calls ? " after " : "", calls);
    return text;
}

static void expect_descriptor(int fd, const char *expected)
{
    lab_expect(fd >= 0, expected, "%s", outcome(fd, errno));
}

static void expect_success(int result)
{
    lab_expect(result == 0, "0", "%s", outcome(result, errno));
}

static void expect_failure(int result, int error)
{
    int found = errno;
    char expected[64];
    snprintf(expected, sizeof expected, "-1 and errno %s", lab_errno(error));
    lab_expect(result == -1 && found == error, expected, "%s", outcome(result, found));
    errno = 0; /* so that the next call has to set it */
}

static void expect_in_folder(const char *expected)
{
    lab_expect(strcmp(in_folder(), expected) == 0, expected, "left in the folder: %s",
               in_folder());
}

static void expect_type(int fd, int type, const char *expected)
{
    lab_expect(
        option(fd, SO_TYPE) == type, expected,
        "returned a socket of the type %d (SOCK_STREAM is %d, SOCK_DGRAM %d, SOCK_SEQPACKET %d)",
        option(fd, SO_TYPE), SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET);
}

static void expect_plain(int fd)
{
    lab_likely("add SOCK_CLOEXEC, and nothing else, to the socket's type");
    lab_expect((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a close-on-exec descriptor",
               "returned one that every program started from here inherits");
    lab_expect((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0, "a blocking socket",
               "returned a non-blocking one");
    lab_likely(NULL);
}

static void expect_bytes_pass(int from, int to)
{
    char sent[16], received[16] = "";
    lab_random_bytes(sent, sizeof sent);
    ssize_t n = send(from, sent, sizeof sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n == (ssize_t)sizeof sent)
        n = recv(to, received, sizeof received, MSG_DONTWAIT);
    lab_expect(n == (ssize_t)sizeof sent && memcmp(sent, received, sizeof sent) == 0,
               "16 bytes sent at one end arrive at the other",
               "returned a socket through which %s came",
               n > 0 ? lab_quote(received, (size_t)n) : "nothing");
}

static void expect_messages_apart(int from, int to)
{
    char text[8] = "";
    send(from, "one", 3, MSG_NOSIGNAL | MSG_DONTWAIT);
    send(from, "two", 3, MSG_NOSIGNAL | MSG_DONTWAIT);
    ssize_t n = recv(to, text, sizeof text, MSG_DONTWAIT);
    lab_expect(n == 3, "\"one\" and \"two\" as two messages",
               "returned a socket through which %s came first",
               n > 0 ? lab_quote(text, (size_t)n) : "nothing");
}

#define CHECK_ERRNO \
    "close() changed errno: keep it in a variable first, and put it back after"

/* local_address */

/* The path in memory of exactly its size, so that AddressSanitizer sees a read past its end. */
static int address_for(const char *path, struct sockaddr_un *address, socklen_t *length)
{
    char *copy = strdup(path);
    memset(address, 0xA5, sizeof *address);
    *length = 0;
    errno = 0;
    int result = local_address(copy, address, length);
    int error = errno;
    free(copy);
    errno = error;
    return result;
}

static const char *path_of(size_t n, char first)
{
    static char path[400];
    memset(path, 'p', n);
    path[0] = first;
    path[n] = '\0';
    return path;
}

static void writes_a_path(const char *path)
{
    struct sockaddr_un address;
    socklen_t length;
    size_t n = strlen(path);
    expect_success(address_for(path, &address, &length));
    lab_expect(address.sun_family == AF_UNIX, "sun_family AF_UNIX", "set it to %d",
               address.sun_family);
    lab_expect(strnlen(address.sun_path, ROOM) == n &&
                   memcmp(address.sun_path, path, n) == 0,
               "the path, and a NUL after it", "wrote %s",
               lab_quote(address.sun_path, n < ROOM ? n + 1 : ROOM));
    lab_expect(length >= HEAD + n && length <= sizeof address,
               "a length that reaches to the path's end, and not past the structure's",
               "gave length %u for a path of %zu bytes", length, n);
}

LAB_TEST(local_address, writes_the_path_of_a_file, .points = 1, .task = 1,
         .read = "The address", .man = "7 unix",
         .likely = "set sun_family, copy the path with its NUL, and add up the length")
{
    writes_a_path("x.sock");
    writes_a_path("/run/lab/x@y.sock");
    writes_a_path("x");
}

LAB_TEST(
    local_address, takes_a_path_of_107_bytes, .points = 1, .task = 1,
    .needs = "local_address/writes_the_path_of_a_file", .read = "The address",
    .man = "7 unix",
    .likely =
        "sun_path holds 108 bytes: 107 and a NUL fit (14 is the size of sa_data, which is another structure's)")
{
    writes_a_path(path_of(14, '/'));
    writes_a_path(path_of(107, '/'));
}

LAB_TEST(
    local_address, refuses_a_longer_path, .points = 2, .task = 1,
    .needs = "local_address/writes_the_path_of_a_file", .read = "The address",
    .man = "7 unix",
    .likely =
        "a path of 108 bytes or more leaves no room for its NUL: refuse it, never cut it")
{
    struct sockaddr_un address;
    socklen_t length;
    for (size_t n = 108; n < 400; n += n < 112 ? 1 : 96)
        expect_failure(address_for(path_of(n, '/'), &address, &length), ENAMETOOLONG);
}

LAB_TEST(
    local_address, refuses_the_empty_path, .points = 1, .task = 1, .read = "The address",
    .man = "7 unix",
    .likely =
        "\"\" names no file: to the kernel it is a wish for any name, so refuse it with ENOENT")
{
    struct sockaddr_un address;
    socklen_t length;
    expect_failure(address_for("", &address, &length), ENOENT);
}

static void writes_a_name(const char *path, const char *name)
{
    struct sockaddr_un address;
    socklen_t length;
    size_t n = strlen(path);
    char expected[60];
    expect_success(address_for(path, &address, &length));
    snprintf(expected, sizeof expected, "a length of %zu + %d", n, HEAD);
    lab_expect(length == HEAD + n, expected, "gave %d + %d", (int)length - HEAD, HEAD);
    lab_expect(address.sun_family == AF_UNIX,
               "sun_family AF_UNIX, for an abstract name too", "set it to %d",
               address.sun_family);
    lab_expect(memcmp(address.sun_path, name, n) == 0, lab_quote(name, n), "wrote %s",
               lab_quote(address.sun_path, n));
}

LAB_TEST(
    local_address, writes_an_abstract_name, .points = 1, .task = 1,
    .read = "Abstract names", .man = "7 unix",
    .likely =
        "'@' at the start stands for a NUL, and each byte that the length counts is part of the name: count no closing NUL")
{
    writes_a_name("@lab", "\0lab");
    writes_a_name("@", "\0");
    lab_likely("an abstract name may hold more NUL bytes: each '@' in it stands for one");
    writes_a_name("@lab@@1@", "\0lab\0\0"
                              "1\0");
}

LAB_TEST(local_address, takes_an_abstract_name_of_108_bytes, .points = 1, .task = 1,
         .needs = "local_address/writes_an_abstract_name", .read = "Abstract names",
         .man = "7 unix",
         .likely = "an abstract name needs no closing NUL: 108 bytes fit, and no more")
{
    struct sockaddr_un address;
    socklen_t length;
    char name[ROOM];
    memcpy(name, path_of(ROOM, '\0'), ROOM);
    writes_a_name(path_of(ROOM, '@'), name);
    expect_failure(address_for(path_of(ROOM + 1, '@'), &address, &length), ENAMETOOLONG);
}

/* local_listen, local_listen_packets */

typedef int listens(const char *path, int backlog);

static void listens_at_a_path(listens *function, int type, const char *kind)
{
    enter_folder();
    int fd = function("x.sock", 5);
    expect_descriptor(fd, "a listener");
    expect_type(fd, type, kind);
    lab_expect(option(fd, SO_ACCEPTCONN) == 1, "a socket that listens",
               "returned a socket that does not listen");
    lab_expect(S_ISSOCK(mode_of("x.sock")), "a socket file at the path",
               "returned a listener, and in the folder is %s", in_folder());
    expect_plain(fd);
    int client = client_of(type, "x.sock", 7);
    if (client == -1)
        lab_error("connect");
    int server = taken_from(fd);
    expect_bytes_pass(client, server);
    if (type == SOCK_SEQPACKET)
        expect_messages_apart(client, server);
    lab_close(server);
    lab_close(client);
    lab_close(fd);
    leave_folder();
}

static void leaves_what_is_there(listens *function)
{
    enter_folder();
    write_file("file", "mine");
    lab_peer("at the path is a file");
    expect_failure(function("file", 5), EADDRINUSE);
    struct stat file;
    lab_expect(lstat("file", &file) == 0 && S_ISREG(file.st_mode) && file.st_size == 4,
               "the file as it was", "changed or removed it");
    int server = server_at(SOCK_STREAM, "server", 5);
    lab_peer("at the path is a server's socket");
    expect_failure(function("server", 5), EADDRINUSE);
    int client = client_of(SOCK_STREAM, "server", 7);
    lab_expect(client != -1, "the other server as it was", "cut it off from its clients");
    lab_close(client);
    lab_close(server);
    leave_folder();
}

static void leaves_nothing_when_listen_fails(listens *function)
{
    enter_folder();
    fault_once(CALLS_LISTEN, 1, (struct fault){.error = ENOBUFS});
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EIO, .after = true});
    expect_failure(function("x.sock", 5), ENOBUFS);
    expect_in_folder("nothing");
    fault_none();
    write_file("@lab", "mine");
    fault_once(CALLS_LISTEN, 1, (struct fault){.error = ENOBUFS});
    lab_likely(
        "an abstract name has no file: what bears its name in this folder is somebody's");
    expect_failure(function("@lab", 5), ENOBUFS);
    expect_in_folder("@lab");
    leave_folder();
}

LAB_TEST(
    local_listen, listens, .points = 2, .task = 2, .read = "A socket that is a file",
    .man = "7 unix",
    .likely =
        "socket() with SOCK_STREAM | SOCK_CLOEXEC, bind() to what local_address() wrote, listen()")
{
    listens_at_a_path(local_listen, SOCK_STREAM, "a stream socket");
}

static void passes_the_backlog_on(listens *function, int type)
{
    enter_folder();
    int clients[10], n = 0, backlog = 2 + (int)lab_random_below(5);
    int fd = function("x.sock", backlog);
    expect_descriptor(fd, "a listener");
    while (n < 10 && (clients[n] = client_of(type, "x.sock", 7)) != -1)
        n++;
    lab_expect(n == backlog + 1, "a queue as long as asked for (Linux: one more)",
               "was asked for a backlog of %d, and %d clients found a place", backlog, n);
    while (n > 0)
        lab_close(clients[--n]);
    lab_close(fd);
    leave_folder();
}

static void leaves_the_rights_to_the_umask(listens *function)
{
    const mode_t masks[] = {0, 077, 0117};
    enter_folder();
    for (int i = 0; i < 3; i++) {
        mode_t before = umask(masks[i]);
        int fd = function("x.sock", 5);
        int error = errno;
        mode_t after = umask(before);
        char expected[40];
        errno = error;
        expect_descriptor(fd, "a listener");
        snprintf(expected, sizeof expected, "the rights 0%o", 0777 & ~masks[i]);
        lab_expect((mode_of("x.sock") & 0777) == (0777 & ~masks[i]), expected,
                   "with the umask 0%o, made a file with the rights 0%o", masks[i],
                   mode_of("x.sock") & 0777);
        lab_expect(after == masks[i], "the umask as it was", "left it at 0%o", after);
        lab_close(fd);
        unlink("x.sock");
    }
    leave_folder();
}

LAB_TEST(local_listen, passes_the_backlog_on, .points = 1, .task = 2,
         .needs = "local_listen/listens", .read = "A socket that is a file",
         .man = "2 listen", .likely = "give backlog to listen() as it is")
{
    passes_the_backlog_on(local_listen, SOCK_STREAM);
}
LAB_TEST(
    local_listen, leaves_the_rights_to_the_umask, .points = 1, .task = 2,
    .needs = "local_listen/listens", .read = "Who may connect", .man = "2 umask",
    .likely =
        "who may connect is decided by the umask of the program: neither chmod() nor umask() is the library's to call")
{
    leaves_the_rights_to_the_umask(local_listen);
}

LAB_TEST(
    local_listen, leaves_what_is_there, .points = 1, .task = 2,
    .needs = "local_listen/listens", .read = "The file that stays", .man = "2 bind",
    .likely =
        "unlink() before bind() takes away whatever is there, a running server's name too: leave that to local_unlink_stale()")
{
    leaves_what_is_there(local_listen);
}

LAB_TEST(
    local_listen, listens_at_an_abstract_name, .points = 1, .task = 2,
    .needs = "local_listen/listens, local_address/writes_an_abstract_name",
    .read = "Abstract names", .man = "7 unix",
    .likely =
        "give bind() the length that local_address() gave you: with the size of the structure the name has NUL bytes up to its end")
{
    enter_folder();
    char name[40];
    snprintf(name, sizeof name, "@lab.%d.%llx", getpid(),
             (unsigned long long)lab_random());
    size_t n = strlen(name);
    int fd = local_listen(name, 5);
    expect_descriptor(fd, "a listener");
    lab_expect(strcmp(name_of(fd), name) == 0, name,
               "returned a listener with the name %s", name_of(fd));
    expect_in_folder("nothing");
    expect_failure(local_listen(name, 5), EADDRINUSE);
    name[0] = '\0';
    int client = client_of(SOCK_STREAM, name, n);
    lab_expect(client != -1, "a server that is found by that name", "is not found");
    lab_close(client);
    lab_close(fd);
    leave_folder();
}

LAB_TEST(
    local_listen, leaves_nothing_when_listen_fails, .points = 1, .task = 2,
    .needs = "local_listen/listens", .read = "When it fails", .man = "2 listen",
    .likely =
        "when bind() has made the file and listen() fails, the file has to go, and the socket; and errno to stay")
{
    leaves_nothing_when_listen_fails(local_listen);
}

LAB_TEST(
    local_listen, reports_each_failure, .points = 1, .task = 2,
    .needs = "local_listen/listens", .read = "When it fails", .man = "2 bind",
    .likely =
        "one of the calls fails unseen: look at the result of each, close the socket, return -1")
{
    enter_folder();
    lab_likely("a path that is too long is refused: look at local_address()'s result");
    expect_failure(local_listen(path_of(108, 'x'), 5), ENAMETOOLONG);
    lab_likely("bind() fails unseen: look at its result, close the socket, return -1");
    expect_failure(local_listen("no/x.sock", 5), ENOENT);
    lab_likely("socket() fails unseen: look at its result, return -1");
    fault_once(CALLS_SOCKET, 1, (struct fault){.error = EMFILE});
    expect_failure(local_listen("x.sock", 5), EMFILE);
    lab_likely(CHECK_ERRNO);
    fault_once(CALLS_BIND, 1, (struct fault){.error = EACCES});
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EIO, .after = true});
    expect_failure(local_listen("x.sock", 5), EACCES);
    expect_in_folder("nothing");
    leave_folder();
}

LAB_TEST(local_listen, reports_that_it_may_not, .points = 1, .task = 2,
         .needs = "local_listen/listens", .read = "Who may connect", .man = "7 unix",
         .likely = "bind() says EACCES where a file may not be made: pass it on")
{
    enter_folder();
    if (mkdir("closed", 0500) != 0)
        lab_error("mkdir");
    lab_peer("the folder may be searched, and not written to");
    without_privilege();
    int fd = local_listen("closed/x.sock", 5), error = errno;
    as_before();
    errno = error;
    expect_failure(fd, EACCES);
    leave_folder();
}

LAB_TEST(local_listen_packets, listens_for_packets, .points = 1, .task = 2,
         .read = "Messages that keep apart", .man = "7 unix",
         .likely = "as local_listen(), with SOCK_SEQPACKET in place of SOCK_STREAM")
{
    listens_at_a_path(local_listen_packets, SOCK_SEQPACKET, "a socket for packets");
}

LAB_TEST(
    local_listen_packets, fails_as_local_listen_does, .points = 1, .task = 2,
    .needs = "local_listen_packets/listens_for_packets", .read = "When it fails",
    .man = "2 bind",
    .likely =
        "what is there is not ours; what bind() made is, and has to go when listen() fails")
{
    leaves_what_is_there(local_listen_packets);
    leaves_nothing_when_listen_fails(local_listen_packets);
}

LAB_TEST(
    local_listen_packets, leaves_backlog_and_rights_to_the_caller, .points = 1, .task = 2,
    .needs = "local_listen_packets/listens_for_packets", .read = "Who may connect",
    .man = "2 listen",
    .likely =
        "give backlog to listen() as it is, and leave the file's rights to the umask: no chmod()")
{
    passes_the_backlog_on(local_listen_packets, SOCK_SEQPACKET);
    leaves_the_rights_to_the_umask(local_listen_packets);
}

/* local_connect, local_connect_packets */

typedef int connects(const char *path);

static void connects_to_a_path(connects *function, int type, const char *kind)
{
    enter_folder();
    int listener = server_at(type, "x.sock", 5);
    lab_peer("listens at x.sock");
    int fd = function("x.sock");
    expect_descriptor(fd, "a connection");
    expect_type(fd, type, kind);
    expect_plain(fd);
    int server = taken_from(listener);
    expect_bytes_pass(server, fd);
    expect_bytes_pass(fd, server);
    if (type == SOCK_SEQPACKET)
        expect_messages_apart(fd, server);
    lab_close(server);
    lab_close(fd);
    lab_close(listener);
    leave_folder();
}

static void goes_on_after_a_signal(connects *function, int type)
{
    enter_folder();
    int listener = server_at(type, "x.sock", 5);
    lab_peer("listens at x.sock; two signals come while connect() waits");
    fault_once(CALLS_CONNECT, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_CONNECT, 2, (struct fault){.error = EINTR});
    int fd = function("x.sock");
    expect_descriptor(fd, "a connection");
    int server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (server == -1) {
        int unconnected = fd;
        lab_expect(false, "a connection", "returned %d, which is not connected",
                   unconnected);
    }
    expect_bytes_pass(fd, server);
    lab_close(server);
    lab_close(fd);
    lab_close(listener);
    leave_folder();
}

LAB_TEST(
    local_connect, connects, .points = 2, .task = 3, .read = "A socket that is a file",
    .man = "2 connect",
    .likely =
        "socket() with SOCK_STREAM | SOCK_CLOEXEC, connect() to what local_address() wrote")
{
    connects_to_a_path(local_connect, SOCK_STREAM, "a stream socket");
}

LAB_TEST(local_connect, connects_to_an_abstract_name, .points = 1, .task = 3,
         .needs = "local_connect/connects, local_address/writes_an_abstract_name",
         .read = "Abstract names", .man = "7 unix",
         .likely = "give connect() the length that local_address() gave you")
{
    char path[48], name[48];
    snprintf(path, sizeof path, "@lab@%d@%llx@", getpid(),
             (unsigned long long)lab_random());
    size_t n = strlen(path);
    for (size_t i = 0; i <= n; i++)
        name[i] = path[i] == '@' ? '\0' : path[i];
    int listener = bound(SOCK_STREAM, name, n);
    if (listen(listener, 5) != 0)
        lab_error("listen");
    lab_peer("listens at %s, each @ a NUL", path);
    int fd = local_connect(path);
    expect_descriptor(fd, "a connection");
    lab_close(fd);
    lab_close(listener);
}

LAB_TEST(
    local_connect, tells_no_file_from_no_server, .points = 2, .task = 3,
    .needs = "local_connect/connects", .read = "When connect() fails", .man = "2 connect",
    .likely =
        "connect()'s result is ignored, or its errno lost: close the socket, keep errno, return -1")
{
    enter_folder();
    lab_peer("x.sock does not exist");
    expect_failure(local_connect("x.sock"), ENOENT);
    dead_server_at(SOCK_STREAM, "dead.sock");
    lab_peer("dead.sock is there, but its server is dead");
    expect_failure(local_connect("dead.sock"), ECONNREFUSED);
    int fd = bound_at(SOCK_STREAM, "deaf.sock");
    lab_peer("deaf.sock is bound and does not listen");
    expect_failure(local_connect("deaf.sock"), ECONNREFUSED);
    lab_close(fd);
    fd = server_at(SOCK_SEQPACKET, "other.sock", 5);
    lab_peer("other.sock is for packets");
    expect_failure(local_connect("other.sock"), EPROTOTYPE);
    lab_close(fd);
    leave_folder();
}

LAB_TEST(
    local_connect, reports_that_it_may_not, .points = 1, .task = 3,
    .needs = "local_connect/connects", .read = "Who may connect", .man = "7 unix",
    .likely = "connect() says EACCES where the file may not be written to: pass it on")
{
    enter_folder();
    int listener = server_at(SOCK_STREAM, "x.sock", 5);
    if (chmod("x.sock", 0400) != 0)
        lab_error("chmod");
    lab_peer("listens at x.sock, which may be read, and not written to");
    without_privilege();
    int fd = local_connect("x.sock"), error = errno;
    as_before();
    errno = error;
    expect_failure(fd, EACCES);
    lab_close(listener);
    leave_folder();
}

LAB_TEST(
    local_connect, goes_on_after_a_signal, .points = 2, .task = 3,
    .needs = "local_connect/connects", .read = "A signal in the middle of connect()",
    .man = "7 signal",
    .likely =
        "after EINTR there is no connection to wait for, as there would be with TCP: call connect() again")
{
    goes_on_after_a_signal(local_connect, SOCK_STREAM);
}

LAB_TEST(
    local_connect, reports_each_failure, .points = 1, .task = 3,
    .needs = "local_connect/connects", .read = "When it fails", .man = "3 errno",
    .likely =
        "one of the calls fails unseen: look at the result of each, close the socket, return -1")
{
    enter_folder();
    lab_likely("a path that is too long is refused: look at local_address()'s result");
    expect_failure(local_connect(path_of(108, 'x')), ENAMETOOLONG);
    lab_likely("socket() fails unseen: look at its result, return -1");
    fault_once(CALLS_SOCKET, 1, (struct fault){.error = EMFILE});
    expect_failure(local_connect("x.sock"), EMFILE);
    lab_likely(CHECK_ERRNO);
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EIO, .after = true});
    expect_failure(local_connect("x.sock"), ENOENT);
    leave_folder();
}

LAB_TEST(local_connect_packets, connects, .points = 1, .task = 3,
         .read = "Messages that keep apart", .man = "7 unix",
         .likely = "as local_connect(), with SOCK_SEQPACKET in place of SOCK_STREAM")
{
    connects_to_a_path(local_connect_packets, SOCK_SEQPACKET, "a socket for packets");
}

LAB_TEST(
    local_connect_packets, fails_and_goes_on_as_local_connect_does, .points = 1,
    .task = 3, .needs = "local_connect_packets/connects", .read = "When it fails",
    .man = "2 connect",
    .likely =
        "as in local_connect(): EINTR means again, any other error closes the socket and is passed on")
{
    goes_on_after_a_signal(local_connect_packets, SOCK_SEQPACKET);
    enter_folder();
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EIO, .after = true});
    expect_failure(local_connect_packets("x.sock"), ENOENT);
    leave_folder();
}

/* local_bind_datagram */

LAB_TEST(
    local_bind_datagram, binds_to_the_path, .points = 1, .task = 4,
    .read = "Datagrams that come back", .man = "7 unix",
    .likely =
        "socket() with SOCK_DGRAM | SOCK_CLOEXEC, bind() to what local_address() wrote")
{
    enter_folder();
    int fd = local_bind_datagram("x.sock");
    expect_descriptor(fd, "a datagram socket");
    expect_type(fd, SOCK_DGRAM, "a datagram socket");
    expect_plain(fd);
    lab_expect(strcmp(name_of(fd), "x.sock") == 0, "x.sock", "returned a socket with %s",
               name_of(fd));
    int client = client_of(SOCK_DGRAM, "x.sock", 7);
    lab_expect(client != -1, "a socket that takes datagrams", "cannot be reached");
    expect_bytes_pass(client, fd);
    lab_close(client);
    lab_close(fd);
    leave_folder();
}

LAB_TEST(
    local_bind_datagram, lets_the_kernel_choose_a_name, .points = 2, .task = 4,
    .read = "Datagrams that come back", .man = "7 unix",
    .likely =
        "bind() to an address that is no longer than its family: the kernel then chooses a name")
{
    enter_folder();
    int fd = local_bind_datagram(NULL), other = local_bind_datagram(NULL);
    expect_descriptor(fd, "a datagram socket");
    expect_descriptor(other, "another one");
    char name[ROOM + 1];
    snprintf(name, sizeof name, "%s", name_of(fd));
    lab_expect(name[0] == '@' && name[1] != '\0' && name[1] != '@',
               "an abstract name that the kernel chose", "returned a socket with %s",
               name);
    lab_expect(strcmp(name, name_of(other)) != 0, "a name of its own for each",
               "gave both the name %s", name);
    expect_in_folder("nothing");
    size_t n = strlen(name);
    name[0] = '\0';
    int client = client_of(SOCK_DGRAM, name, n);
    lab_expect(client != -1, "a socket that can be answered", "cannot be reached");
    expect_bytes_pass(client, fd);
    lab_close(client);
    lab_close(other);
    lab_close(fd);
    leave_folder();
}

LAB_TEST(
    local_bind_datagram, reports_each_failure, .points = 1, .task = 4,
    .needs = "local_bind_datagram/binds_to_the_path", .read = "When it fails",
    .man = "2 bind",
    .likely =
        "one of the calls fails unseen: look at the result of each, close the socket, return -1")
{
    enter_folder();
    dead_server_at(SOCK_DGRAM, "dead.sock");
    lab_peer("dead.sock was left by a dead server");
    lab_likely("what is there is not this function's to remove");
    expect_failure(local_bind_datagram("dead.sock"), EADDRINUSE);
    lab_likely("a path that is too long is refused: look at local_address()'s result");
    expect_failure(local_bind_datagram(path_of(108, 'x')), ENAMETOOLONG);
    lab_likely("socket() fails unseen: look at its result, return -1");
    fault_once(CALLS_SOCKET, 1, (struct fault){.error = EMFILE});
    expect_failure(local_bind_datagram("x.sock"), EMFILE);
    lab_likely(CHECK_ERRNO);
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EIO, .after = true});
    expect_failure(local_bind_datagram("no/x.sock"), ENOENT);
    expect_in_folder("dead.sock");
    leave_folder();
}

/* local_unlink_stale */

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static const char *const type_names[] = {"stream", "datagram", "packet"};

LAB_TEST(
    local_unlink_stale, removes_a_dead_servers_file, .points = 2, .task = 5,
    .read = "The file that stays", .man = "2 connect",
    .likely =
        "connect() says ECONNREFUSED when the file is there and nobody is: then, and only then, unlink()")
{
    enter_folder();
    for (int i = 0; i < 3; i++) {
        dead_server_at(types[i], "x.sock");
        lab_peer("a dead %s server left x.sock", type_names[i]);
        expect_success(local_unlink_stale("x.sock"));
        expect_in_folder("nothing");
    }
    leave_folder();
}

static void expect_in_use(const char *path, const char *what)
{
    lab_peer("%s is %s", path, what);
    int result = local_unlink_stale(path), error = errno;
    lab_expect(S_ISSOCK(mode_of(path)), "the file of a living server left alone",
               "removed it, and cut the server off from its clients");
    errno = error;
    expect_failure(result, EADDRINUSE);
}

LAB_TEST(
    local_unlink_stale, leaves_a_running_servers_file, .points = 2, .task = 5,
    .read = "The file that stays", .man = "2 connect",
    .likely =
        "ask before you unlink(): connect() succeeds, or says EPROTOTYPE, where a server lives")
{
    enter_folder();
    int stream = server_at(SOCK_STREAM, "stream.sock", 5);
    int packets = server_at(SOCK_SEQPACKET, "packet.sock", 5);
    int datagrams = server_at(SOCK_DGRAM, "datagram.sock", 0);
    expect_in_use("stream.sock", "a running stream server's");
    lab_likely(
        "EPROTOTYPE says that somebody of another type is there: that is a running server too");
    expect_in_use("datagram.sock", "a running datagram server's");
    expect_in_use("packet.sock", "a running packet server's");
    lab_close(packets);
    lab_close(stream);
    int client = bound_at(SOCK_DGRAM, "client.sock");
    struct sockaddr_un address;
    if (connect(datagrams, (struct sockaddr *)&address,
                address_of(&address, "client.sock", 12)) != 0)
        lab_error("connect");
    lab_likely(
        "EPERM is what a datagram socket says that has another peer: somebody is there");
    expect_in_use("datagram.sock", "a datagram socket's that is connected to another");
    lab_close(client);
    lab_close(datagrams);
    leave_folder();
}

LAB_TEST(
    local_unlink_stale, waits_for_nothing, .points = 1, .task = 5,
    .needs = "local_unlink_stale/leaves_a_running_servers_file",
    .read = "The file that stays", .man = "2 connect",
    .likely =
        "connect() on a stream waits while the server's queue is full: ask with a non-blocking socket (EAGAIN: it lives), or with a datagram one (EPROTOTYPE)")
{
    enter_folder();
    int listener = server_at(SOCK_STREAM, "x.sock", 0);
    int client = client_of(SOCK_STREAM, "x.sock", 7);
    expect_in_use("x.sock", "a running server's, and its queue is full");
    lab_close(client);
    lab_close(listener);
    leave_folder();
}

LAB_TEST(
    local_unlink_stale, leaves_what_is_no_socket, .points = 2, .task = 5,
    .needs = "local_unlink_stale/removes_a_dead_servers_file",
    .read = "The file that stays", .man = "2 lstat",
    .likely =
        "connect() says ECONNREFUSED of a plain file as well: look with lstat() whether it is a socket")
{
    enter_folder();
    dead_server_at(SOCK_STREAM, "dead.sock");
    write_file("file", "mine");
    if (mkdir("folder", 0700) != 0 || symlink("dead.sock", "link") != 0)
        lab_error("symlink");
    const char *paths[] = {"file", "folder", "link"};
    for (int i = 0; i < 3; i++) {
        lab_peer("%s is no socket", paths[i]);
        int result = local_unlink_stale(paths[i]), error = errno;
        lab_expect(mode_of(paths[i]) != 0, "what is no socket left alone", "removed it");
        lab_expect(mode_of("dead.sock") != 0, "what a link leads to left alone",
                   "followed the link, and removed what is there");
        errno = error;
        expect_failure(result, ENOTSOCK);
    }
    leave_folder();
}

LAB_TEST(
    local_unlink_stale, is_content_with_nothing, .points = 1, .task = 5,
    .read = "The file that stays", .man = "2 lstat",
    .likely =
        "where nothing is, all is as it should be: 0. An abstract name has no file at all")
{
    enter_folder();
    lab_peer("x.sock does not exist");
    expect_success(local_unlink_stale("x.sock"));
    dead_server_at(SOCK_STREAM, "@lab");
    lab_peer("a file with the name @lab is there, but \"@lab\" is an abstract name");
    expect_success(local_unlink_stale("@lab"));
    expect_in_folder("@lab");
    leave_folder();
}

LAB_TEST(
    local_unlink_stale, leaves_what_it_cannot_tell, .points = 1, .task = 5,
    .needs = "local_unlink_stale/removes_a_dead_servers_file", .read = "When it fails",
    .man = "3 errno",
    .likely =
        "only ECONNREFUSED says that nobody is there: after any other error leave the file, and pass the error on")
{
    enter_folder();
    dead_server_at(SOCK_STREAM, "x.sock");
    lab_likely("a path that is too long is refused, never cut");
    expect_failure(local_unlink_stale(path_of(108, 'x')), ENAMETOOLONG);
    lab_likely("only ENOENT says that nothing is there");
    expect_failure(local_unlink_stale("x.sock/y"), ENOTDIR);
    if (chmod("x.sock", 0400) != 0)
        lab_error("chmod");
    lab_likely(NULL);
    lab_peer("x.sock may not be written to");
    without_privilege();
    int result = local_unlink_stale("x.sock"), error = errno;
    as_before();
    errno = error;
    expect_failure(result, EACCES);
    expect_in_folder("x.sock");
    if (mkdir("closed", 0700) != 0)
        lab_error("mkdir");
    dead_server_at(SOCK_STREAM, "closed/x.sock");
    if (chmod("closed/x.sock", 0777) != 0 || chmod("closed", 0555) != 0)
        lab_error("chmod");
    lab_peer("a dead server left closed/x.sock, in a folder that may not be written to");
    lab_likely("unlink() can fail too: its result is the function's");
    without_privilege();
    result = local_unlink_stale("closed/x.sock"), error = errno;
    as_before();
    chmod("closed", 0700);
    unlink("closed/x.sock");
    rmdir("closed");
    errno = error;
    expect_failure(result, EACCES);
    lab_likely(NULL);
    lab_peer("socket() finds no free descriptor");
    fault_once(CALLS_SOCKET, 1, (struct fault){.error = EMFILE});
    result = local_unlink_stale("x.sock");
    if (faults_taken() == 1) {
        expect_failure(result, EMFILE);
        expect_in_folder("x.sock");
    }
    leave_folder();
}

/* local_pair */

LAB_TEST(local_pair, connects_two_sockets, .points = 1, .task = 6,
         .read = "Without a name", .man = "2 socketpair",
         .likely = "socketpair() with AF_UNIX and SOCK_STREAM | SOCK_CLOEXEC")
{
    int fds[2] = {-1, -1};
    int result = local_pair(fds);
    expect_success(result);
    for (int i = 0; i < 2; i++) {
        expect_descriptor(fds[i], "two descriptors");
        expect_type(fds[i], SOCK_STREAM, "a stream socket");
        expect_plain(fds[i]);
        expect_bytes_pass(fds[i], fds[1 - i]);
    }
    lab_close(fds[0]);
    lab_close(fds[1]);
    fault_once(CALLS_SOCKET, 1, (struct fault){.error = EMFILE});
    fds[0] = -5, fds[1] = -6;
    lab_likely("socketpair() can fail: return -1, and leave fds as they were");
    expect_failure(local_pair(fds), EMFILE);
    lab_expect(fds[0] == -5 && fds[1] == -6, "fds as they were", "wrote %d and %d",
               fds[0], fds[1]);
}

/* peer_credentials */

static void expect_credentials(int fd, pid_t pid)
{
    pid_t its_pid = -5;
    uid_t uid = 12345;
    gid_t gid = 12345;
    char expected[80];
    snprintf(expected, sizeof expected, "process %d, user %u, group %u", pid, geteuid(),
             getegid());
    expect_success(peer_credentials(fd, &its_pid, &uid, &gid));
    lab_expect(its_pid == pid && uid == geteuid() && gid == getegid(), expected,
               "told of process %d, user %u, group %u", its_pid, uid, gid);
}

LAB_TEST(
    peer_credentials, tells_who_is_there, .points = 2, .task = 6, .read = "Who is there",
    .man = "7 unix",
    .likely =
        "getsockopt() with SOL_SOCKET, SO_PEERCRED, and a struct ucred; its size goes in by length")
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    lab_peer("is this process");
    expect_credentials(fds[0], getpid());
    lab_likely("NULL means that it is not asked for: do not write through it");
    expect_success(peer_credentials(fds[0], NULL, NULL, NULL));
    lab_close(fds[0]);
    lab_close(fds[1]);
    enter_folder();
    int listener = server_at(SOCK_STREAM, "x.sock", 5);
    pid_t child = fork();
    if (child == -1)
        lab_error("fork");
    if (child == 0)
        _exit(client_of(SOCK_STREAM, "x.sock", 7) == -1);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    waitpid(child, NULL, 0);
    lab_peer("is process %d, which connected and has ended", child);
    lab_likely("ask the socket who connected, not this process who it is");
    expect_credentials(fd, child);
    lab_close(fd);
    lab_close(listener);
    leave_folder();
}

LAB_TEST(
    peer_credentials, knows_when_there_is_nobody, .points = 1, .task = 6,
    .needs = "peer_credentials/tells_who_is_there", .read = "Who is there",
    .man = "7 unix",
    .likely =
        "of a socket without a local peer the kernel says, without an error, user -1: make it ENOTCONN")
{
    pid_t pid = 5;
    uid_t uid = 6;
    gid_t gid = 7;
    int fd = new_socket(SOCK_STREAM), tcp[2], pipes[2];
    lab_tcp_pair(tcp);
    if (pipe2(pipes, O_CLOEXEC) != 0)
        lab_error("pipe2");
    lab_peer("is not there: the socket is not connected");
    expect_failure(peer_credentials(fd, &pid, &uid, &gid), ENOTCONN);
    lab_peer("is at the other end of a TCP connection");
    expect_failure(peer_credentials(tcp[0], &pid, &uid, &gid), ENOTCONN);
    lab_likely("getsockopt() fails unseen: look at its result");
    lab_peer("is no peer: the descriptor is a pipe's, then -1");
    expect_failure(peer_credentials(pipes[0], &pid, &uid, &gid), ENOTSOCK);
    expect_failure(peer_credentials(-1, &pid, &uid, &gid), EBADF);
    lab_expect(pid == 5 && uid == 6 && gid == 7, "pid, uid and gid as they were",
               "failed, and wrote %d, %u, %u", pid, uid, gid);
    lab_close(fd);
    lab_close(tcp[0]);
    lab_close(tcp[1]);
    lab_close(pipes[0]);
    lab_close(pipes[1]);
}

/* fd_send, fd_receive */

static bool same_file(int a, int b)
{
    struct stat one, two;
    return fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino && fcntl(a, F_GETFL) == fcntl(b, F_GETFL);
}

enum { MOST = 16 };

static union {
    char bytes[CMSG_SPACE(MOST * sizeof(int))];
    struct cmsghdr head;
} control;

/* Receive as fd_receive() should, but all: the bytes (into data), the descriptors, and how many. Or -1. */
static ssize_t take(int fd, char data[8], int fds[MOST], int *n)
{
    struct iovec bytes = {.iov_base = data, .iov_len = 8};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    *n = 0;
    for (struct cmsghdr *head = got == -1 ? NULL : CMSG_FIRSTHDR(&message); head != NULL;
         head = CMSG_NXTHDR(&message, head))
        if (head->cmsg_type == SCM_RIGHTS) {
            *n = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(fds, CMSG_DATA(head), (size_t)*n * sizeof(int));
        }
    return got;
}

/* Send a byte (or, if text is NULL, none), and text after it, with n times the same descriptor. */
static ssize_t send_with(int fd, const char *text, int passed, int n)
{
    struct iovec bytes[] = {
        {.iov_base = "", .iov_len = text == NULL ? 0 : 1},
        {.iov_base = (void *)text, .iov_len = text == NULL ? 0 : strlen(text)}};
    struct msghdr message = {.msg_iov = bytes, .msg_iovlen = 2};
    memset(&control, 0, sizeof control);
    if (n > 0) {
        control.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                        .cmsg_type = SCM_RIGHTS,
                                        .cmsg_len = CMSG_LEN((size_t)n * sizeof(int))};
        for (int i = 0; i < n; i++)
            memcpy(CMSG_DATA(&control.head) + (size_t)i * sizeof(int), &passed,
                   sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static void give_with(int fd, const char *text, int passed, int n)
{
    if (send_with(fd, text, passed, n) == -1)
        lab_error("sendmsg");
}

static void give(int fd, int passed, int n)
{
    give_with(fd, "", passed, n);
}

/*
 * A thread that acts as soon as the test's own thread sleeps in a call of the student's: gives a descriptor, or
 * takes bytes. If the call does not wait, it acts when the call is over.
 */
struct helper {
    pthread_t thread;
    atomic_bool returned;
    bool waited;
    int fd, passed; /* passed -1: take bytes */
    size_t bytes;
};

static bool test_sleeps(void)
{
    char path[60], text[200] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    const char *state = n > 0 ? strrchr(text, ')') : NULL;
    return state != NULL && strncmp(state, ") S", 3) == 0;
}

static void *help(void *given)
{
    struct helper *helper = given;
    char page[4096];
    while (!helper->returned && !(helper->waited = test_sleeps()))
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    if (helper->passed != -1)
        send_with(helper->fd, "", helper->passed, 1);
    while (helper->bytes > 0) {
        ssize_t n = recv(helper->fd, page, sizeof page, 0);
        helper->bytes = n <= 0 ? 0 : helper->bytes - (size_t)n;
    }
    return NULL;
}

static void start_helper(struct helper *helper)
{
    if (pthread_create(&helper->thread, NULL, help, helper) != 0)
        lab_error("pthread_create");
}

/* The call is over. errno stays. */
static void join_helper(struct helper *helper)
{
    int error = errno;
    helper->returned = true;
    pthread_join(helper->thread, NULL);
    errno = error;
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += lab_is_open(fd);
    return n;
}

static void sends_a_descriptor(int fds[2])
{
    int pipes[2], got[MOST] = {-1}, n;
    char data[8] = "abcdefg";
    if (pipe2(pipes, O_CLOEXEC) != 0)
        lab_error("pipe2");
    expect_success(fd_send(fds[0], pipes[0]));
    ssize_t bytes = take(fds[1], data, got, &n);
    lab_expect(bytes == 1 && data[0] == 0, "one byte, 0", "sent %s",
               bytes > 0 ? lab_quote(data, (size_t)bytes) : "nothing");
    lab_expect(n == 1, "one descriptor", "sent %d", n);
    lab_expect(same_file(got[0], pipes[0]), "the descriptor that was given",
               "sent another one");
    lab_expect(lab_is_open(pipes[0]), "the descriptor still open here", "closed it");
    lab_close(got[0]);
    lab_close(pipes[0]);
    lab_close(pipes[1]);
}

static void waits_for_room(void)
{
    int fds[2];
    char page[4096] = "";
    pair(fds, SOCK_STREAM);
    struct helper helper = {.fd = fds[1], .passed = -1};
    for (ssize_t n; (n = send(fds[0], page, sizeof page, MSG_DONTWAIT)) > 0;)
        helper.bytes += (size_t)n;
    lab_peer("has not read, and the socket is full; it reads while fd_send() waits");
    lab_likely("a blocking socket stays one: without MSG_DONTWAIT, sendmsg() waits");
    start_helper(&helper);
    int result = fd_send(fds[0], fds[0]);
    join_helper(&helper);
    expect_success(result);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    fd_send, sends_a_descriptor, .points = 2, .task = 7,
    .read = "Descriptors that travel", .man = "3 cmsg",
    .likely =
        "one byte in msg_iov; in msg_control a cmsghdr with SOL_SOCKET, SCM_RIGHTS and CMSG_LEN(sizeof(int)), and the descriptor at CMSG_DATA")
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    sends_a_descriptor(fds);
    lab_likely("a signal (EINTR) is no failure: call sendmsg() again");
    fault_once(CALLS_SEND, 1, (struct fault){.error = EINTR});
    fault_once(CALLS_SEND, 2, (struct fault){.error = EINTR});
    sends_a_descriptor(fds);
    lab_close(fds[0]);
    lab_close(fds[1]);
    pair(fds, SOCK_SEQPACKET);
    sends_a_descriptor(fds);
    lab_close(fds[0]);
    lab_close(fds[1]);
    waits_for_room();
}

LAB_TEST(fd_send, reports_each_failure, .points = 1, .task = 7,
         .needs = "fd_send/sends_a_descriptor", .read = "When it fails",
         .man = "2 sendmsg", .likely = "sendmsg()'s result is ignored: pass its error on")
{
    int fds[2];
    pair(fds, SOCK_STREAM);
    expect_failure(fd_send(fds[0], -1), EBADF);
    expect_failure(fd_send(-1, fds[0]), EBADF);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    char page[4096] = "";
    while (send(fds[0], page, sizeof page, MSG_NOSIGNAL) > 0)
        continue;
    lab_peer("reads nothing, and the socket is full");
    lab_likely("EAGAIN is for the caller, who made the socket non-blocking");
    expect_failure(fd_send(fds[0], 0), EAGAIN);
    lab_close(fds[1]);
    lab_peer("has closed");
    lab_likely("without MSG_NOSIGNAL, SIGPIPE kills the process");
    expect_failure(fd_send(fds[0], 0), EPIPE);
    lab_close(fds[0]);
}

LAB_TEST(
    fd_receive, receives_a_descriptor, .points = 2, .task = 8,
    .read = "Descriptors that travel", .man = "3 cmsg",
    .likely =
        "recvmsg() with room for a control message; then the descriptor is at CMSG_DATA of CMSG_FIRSTHDR")
{
    int fds[2], pipes[2];
    pair(fds, SOCK_STREAM);
    if (pipe2(pipes, O_CLOEXEC) != 0)
        lab_error("pipe2");
    for (int i = 0; i < 2; i++) {
        give(fds[1], pipes[i], 1);
        lab_peer("sent a descriptor");
        int fd = fd_receive(fds[0]);
        expect_descriptor(fd, "a descriptor");
        lab_expect(fd != pipes[i] && same_file(fd, pipes[i]),
                   "a new descriptor of the same open file", "returned %d", fd);
        lab_likely("ask recvmsg() for MSG_CMSG_CLOEXEC");
        lab_expect((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "a close-on-exec descriptor",
                   "returned one that every program started from here inherits");
        lab_close(fd);
        lab_likely(
            "a signal (EINTR) is no failure: call recvmsg() again, with the structure as it was");
        fault_once(CALLS_RECEIVE, 1, (struct fault){.error = EINTR});
        fault_once(CALLS_RECEIVE, 2, (struct fault){.error = EINTR});
    }
    fault_none();
    struct helper helper = {.fd = fds[1], .passed = pipes[0]};
    lab_peer("sent a descriptor when fd_receive() had been called");
    lab_likely("a blocking socket stays one: without MSG_DONTWAIT, recvmsg() waits");
    start_helper(&helper);
    int fd = fd_receive(fds[0]);
    join_helper(&helper);
    expect_descriptor(fd, "a descriptor, after a wait");
    lab_close(fd);
    lab_close(pipes[0]);
    lab_close(pipes[1]);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(fd_receive, takes_one_byte_each, .points = 1, .task = 8,
         .needs = "fd_receive/receives_a_descriptor", .read = "Descriptors that travel",
         .man = "2 recvmsg",
         .likely = "ask for one byte: what comes after it belongs to whoever reads next")
{
    int fds[2], pipes[2];
    char text[8] = "";
    pair(fds, SOCK_STREAM);
    if (pipe2(pipes, O_CLOEXEC) != 0)
        lab_error("pipe2");
    give(fds[1], pipes[0], 1);
    give_with(fds[1], "hello", pipes[1], 1);
    lab_peer(
        "sent a descriptor with a byte, and another with 6 bytes, of which \"hello\" are the last");
    for (int i = 0; i < 2; i++) {
        int fd = fd_receive(fds[0]);
        expect_descriptor(fd, "a descriptor");
        lab_expect(same_file(fd, pipes[i]), "the descriptors in their order",
                   "returned another one");
        lab_close(fd);
    }
    ssize_t n = recv(fds[0], text, sizeof text, MSG_DONTWAIT);
    lab_expect(n == 5 && memcmp(text, "hello", 5) == 0, "\"hello\" left to be read",
               "left %s", n > 0 ? lab_quote(text, (size_t)n) : "nothing");
    lab_close(pipes[0]);
    lab_close(pipes[1]);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/* Credentials begin with the sender's process number. Who takes that for a descriptor closes what is none of his. */
static void refuses_credentials(void)
{
    int fds[2], pid = getpid();
    struct rlimit limit, wide;
    pair(fds, SOCK_STREAM);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        lab_error("getrlimit");
    wide = limit;
    if (wide.rlim_cur <= (rlim_t)pid)
        wide.rlim_cur = (rlim_t)pid + 1;
    if (pid < 65536 && wide.rlim_cur <= wide.rlim_max)
        setrlimit(RLIMIT_NOFILE, &wide);
    int numbered =
        pid < 65536 ? fcntl(fds[1], F_DUPFD_CLOEXEC, pid) : -1; /* or -1: without it */
    setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int));
    give(fds[1], -1, 0);
    lab_peer("sent a byte with its credentials");
    lab_likely(
        "a control message is not always descriptors: look at cmsg_level and cmsg_type");
    int fd = fd_receive(fds[0]), error = errno;
    lab_expect(numbered == -1 || lab_is_open(numbered), "-1, and nothing closed",
               "took the sender's process number, %d, for a descriptor, and closed it",
               pid);
    errno = error;
    expect_failure(fd, EBADMSG);
    if (numbered != -1)
        lab_close(numbered);
    setrlimit(RLIMIT_NOFILE, &limit);
    lab_close(fds[0]);
    lab_close(fds[1]);
    lab_likely(NULL);
}

LAB_TEST(
    fd_receive, refuses_a_byte_alone, .points = 1, .task = 8,
    .needs = "fd_receive/receives_a_descriptor", .read = "How many came",
    .man = "2 recvmsg",
    .likely =
        "no control message, or one of another type, brings no descriptor: EBADMSG. And recvmsg() returns 0 at the end of the stream: ENODATA")
{
    int fds[2];
    refuses_credentials();
    pair(fds, SOCK_STREAM);
    give(fds[1], -1, 0);
    lab_peer("sent a byte, and no descriptor");
    expect_failure(fd_receive(fds[0]), EBADMSG);
    if (setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) != 0)
        lab_error("setsockopt");
    give(fds[1], -1, 0);
    lab_peer("sent a byte with its credentials");
    expect_failure(fd_receive(fds[0]), EBADMSG);
    setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &(int){0}, sizeof(int));
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    lab_peer("sent nothing");
    lab_likely("EAGAIN is for the caller, who made the socket non-blocking");
    expect_failure(fd_receive(fds[0]), EAGAIN);
    lab_close(fds[1]);
    lab_peer("ended its stream");
    lab_likely("recvmsg() returns 0 at the end of the stream: ENODATA");
    expect_failure(fd_receive(fds[0]), ENODATA);
    lab_close(fds[0]);
}

LAB_TEST(
    fd_receive, keeps_none_of_several, .points = 2, .task = 8,
    .needs = "fd_receive/receives_a_descriptor", .read = "How many came",
    .man = "2 recvmsg",
    .likely =
        "whatever descriptors came are open here: close them all when there is more than one. CMSG_SPACE(sizeof(int)) has room for two")
{
    int fds[2], several[] = {2, 3, 4, MOST};
    pair(fds, SOCK_STREAM);
    for (int i = 0; i < 4; i++) {
        int before = open_descriptors();
        give(fds[1], fds[1], several[i]);
        lab_peer("sent %d descriptors at once", several[i]);
        int fd = fd_receive(fds[0]), error = errno;
        lab_expect(fd == -1, "-1 and errno EBADMSG", "returned %d", fd);
        lab_expect(open_descriptors() == before, "none of them left open",
                   "returned -1 and left %d of them open", open_descriptors() - before);
        errno = error;
        expect_failure(fd, EBADMSG);
    }
    give(fds[1], fds[1], 2);
    fault_once(CALLS_CLOSE, 1, (struct fault){.error = EIO, .after = true});
    lab_likely(CHECK_ERRNO);
    expect_failure(fd_receive(fds[0]), EBADMSG);
    lab_close(fds[0]);
    lab_close(fds[1]);
    fault_none();
    pair(fds, SOCK_SEQPACKET);
    lab_likely(
        "an empty packet is 0 bytes too, and can bring a descriptor: look at the control message and close it, then ENODATA");
    for (int n = 1; n <= 2; n++) {
        int before = open_descriptors();
        give_with(fds[1], NULL, fds[1], n);
        lab_peer("sent a packet of 0 bytes with %d descriptors", n);
        int fd = fd_receive(fds[0]), error = errno;
        lab_expect(open_descriptors() == before, "-1, and nothing left open",
                   "returned %d and left %d of them open", fd,
                   open_descriptors() - before);
        errno = error;
        expect_failure(fd, ENODATA);
    }
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(
    fd_receive, keeps_none_when_the_table_is_full, .points = 2, .task = 8,
    .needs = "fd_receive/keeps_none_of_several", .read = "How many came",
    .man = "2 recvmsg",
    .likely =
        "where no descriptor is free the kernel drops what came and sets MSG_CTRUNC in msg_flags: that is EBADMSG, whatever else came is closed")
{
    int fds[2];
    struct rlimit limit, tight;
    pair(fds, SOCK_STREAM);
    int free_one = dup(fds[0]);
    lab_close(free_one);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        lab_error("getrlimit");
    for (int room = 0; room < 2; room++) {
        int before = open_descriptors();
        tight = limit;
        tight.rlim_cur = (rlim_t)free_one + (rlim_t)room;
        give(fds[1], fds[1], 1 + room);
        lab_peer("sent %d, and this process may open %d more", 1 + room, room);
        setrlimit(RLIMIT_NOFILE, &tight);
        int fd = fd_receive(fds[0]), error = errno;
        setrlimit(RLIMIT_NOFILE, &limit);
        lab_expect(fd == -1, "-1 and errno EBADMSG", "returned %d", fd);
        lab_expect(open_descriptors() == before, "nothing left open", "left %d open",
                   open_descriptors() - before);
        errno = error;
        expect_failure(fd, EBADMSG);
    }
    lab_close(fds[0]);
    lab_close(fds[1]);
}

LAB_TEST(fd_receive, works_with_fd_send, .points = 1, .task = 8,
         .needs = "fd_receive/receives_a_descriptor, fd_send/sends_a_descriptor",
         .read = "Descriptors that travel", .man = "3 cmsg",
         .likely = "the two functions must agree on the byte and on the control message")
{
    int fds[2], pipes[2];
    char text[8] = "";
    pair(fds, SOCK_SEQPACKET);
    if (pipe2(pipes, O_CLOEXEC) != 0)
        lab_error("pipe2");
    expect_success(fd_send(fds[0], pipes[1]));
    int fd = fd_receive(fds[1]);
    expect_descriptor(fd, "the descriptor");
    ssize_t n = write(fd, "hello", 5);
    if (n == 5)
        n = read(pipes[0], text, sizeof text);
    lab_expect(n == 5, "a pipe that can be written to",
               "returned a descriptor that cannot");
    lab_close(fd);
    lab_close(pipes[0]);
    lab_close(pipes[1]);
    lab_close(fds[0]);
    lab_close(fds[1]);
}
