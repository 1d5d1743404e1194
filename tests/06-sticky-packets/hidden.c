/*
 * Hidden unit tests of lesson 06: what stream.h and splitter.h promise, with other data than unit.c's.
 */
#define _GNU_SOURCE
#include "lab.h"
#include "peer.h"
#include "splitter.h"
#include "stream.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void stream_pair(int family, int fds[2])
{
    if (family == AF_INET)
        lab_tcp_pair(fds);
    else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
        lab_error("socketpair()");
}

static void *memory(size_t n)
{
    void *bytes = malloc(n);
    if (bytes == NULL)
        lab_error("malloc()");
    return bytes;
}

/* ---- read_exact ------------------------------------------------------------------ */

static void reads_in_any_sizes(int family)
{
    enum { MOST = 9000 };
    static unsigned char stream[MOST];
    int fds[2];
    size_t n = 1 + lab_random_below(MOST), at = 0;
    stream_pair(family, fds);
    lab_random_bytes(stream, n);
    struct peer *peer =
        peer_start(fds[1], (struct peer_step[]){PEER_SEND(stream, n / 3),
                                                PEER_SEND(stream + n / 3, n - n / 3),
                                                PEER_END, PEER_STOP});
    for (size_t asked; at < n; at += asked) {
        asked = 1 + lab_random_below(2000);
        size_t due = asked < n - at ? asked : n - at;
        unsigned char *piece = memory(asked); /* exactly so much */
        ssize_t got = read_exact(fds[0], piece, asked);
        lab_expect(got == (ssize_t)due && memcmp(piece, stream + at, due) == 0,
                   "the next bytes of the stream", "returned %s where %zu were due",
                   lab_result(got, errno), due);
        free(piece);
    }
    ssize_t got = read_exact(fds[0], stream, 7);
    lab_expect(got == 0, "0 at the end", "returned %s", lab_result(got, errno));
    peer_join(peer);
    lab_close(fds[0]);
}

LAB_TEST(
    read_exact, gives_a_stream_in_any_sizes, .points = 2, .task = 1,
    .needs =
        "read_exact/takes_not_a_byte_more, read_exact/returns_the_count_at_an_end_within_the_bytes",
    .read = "One read is not one message", .man = "2 recv",
    .likely =
        "each call takes n bytes and no more, or those that came before the end: what is behind them is the next call's")
{
    for (int i = 0; i < 6; i++)
        reads_in_any_sizes(i % 2 == 0 ? AF_INET : AF_UNIX);
}

/* ---- write_all ------------------------------------------------------------------- */

static void writes_in_any_sizes(int family)
{
    enum { MOST = 60000 };
    static unsigned char stream[MOST];
    int fds[2];
    size_t n = MOST / 2 + lab_random_below(MOST / 2), at = 0;
    stream_pair(family, fds);
    lab_random_bytes(stream, n);
    struct peer *peer = peer_start(fds[1], (struct peer_step[]){PEER_DRAIN, PEER_STOP});
    for (size_t piece; at < n; at += piece) {
        piece = 1 + lab_random_below(12000);
        piece = piece < n - at ? piece : n - at;
        ssize_t wrote = write_all(fds[0], stream + at, piece);
        lab_expect(wrote == (ssize_t)piece, "all of them", "returned %s for %zu bytes",
                   lab_result(wrote, errno), piece);
    }
    lab_close(fds[0]);
    const struct peer_report *report = peer_join(peer);
    lab_expect(report->received == n && memcmp(report->bytes, stream, n) == 0,
               "the same bytes at the other end", "sent %zu of %zu bytes, or others",
               report->received, n);
}

LAB_TEST(write_all, sends_a_stream_in_any_sizes, .points = 2, .task = 2,
         .needs = "write_all/sends_more_than_the_kernel_holds",
         .read = "One write is not one message", .man = "2 send",
         .likely = "after a send() that took a part, go on behind that part")
{
    for (int i = 0; i < 4; i++)
        writes_in_any_sizes(i % 2 == 0 ? AF_INET : AF_UNIX);
}

/* ---- the splitter ---------------------------------------------------------------- */

static struct splitter *made(const struct splitter_rule *rule)
{
    struct splitter *splitter = splitter_new(rule);
    lab_expect(splitter != NULL, "a splitter", "splitter_new() returned NULL, errno %s",
               lab_errno(errno));
    return splitter;
}

static void feed(struct splitter *splitter, const void *bytes, size_t n)
{
    void *copy = memory(n + 1); /* as the bytes are the caller's, they may go at once */
    memcpy(copy, bytes, n);
    int result = splitter_feed(splitter, copy, n);
    lab_expect(result == 0, "0", "splitter_feed() returned %s",
               lab_result(result, errno));
    free(copy);
}

static void expect_message(struct splitter *splitter, const void *due, size_t n)
{
    const void *message = NULL;
    size_t length = 0;
    int result = splitter_next(splitter, &message, &length);
    lab_expect(result == 1 && length == n && memcmp(message, due, n) == 0,
               lab_quote(due, n), "returned %s, length %zu", lab_result(result, errno),
               length);
}

static void expect_none(struct splitter *splitter)
{
    const void *message = NULL;
    size_t length = 0;
    int result = splitter_next(splitter, &message, &length);
    lab_expect(result == 0, "0", "returned %s", lab_result(result, errno));
}

static void expect_rest(struct splitter *splitter, const void *due, size_t n)
{
    const void *rest = NULL;
    size_t length = 0;
    int result = splitter_end(splitter, &rest, &length);
    lab_expect(result == (n > 0), n > 0 ? "1" : "0", "splitter_end() returned %s",
               lab_result(result, errno));
    lab_expect(n == 0 || (length == n && memcmp(rest, due, n) == 0), "what is left over",
               "gave %zu bytes", length);
}

LAB_TEST(
    splitter_next, fixed_messages_of_any_length, .points = 2, .task = 5,
    .needs = "splitter_next/fixed_gives_so_many_bytes",
    .read = "Three ways to cut a stream", .man = "3 memcpy",
    .likely =
        "a read may bring many messages or a part of one: give out fixed_length bytes as often as they are there")
{
    enum { MOST = 20000 };
    static unsigned char stream[MOST];
    lab_random_bytes(stream, sizeof stream);
    for (int round = 0; round < 12; round++) {
        size_t length = 1 + lab_random_below(round % 2 == 0 ? 5 : 3000);
        struct splitter_rule rule = {.mode = SPLIT_FIXED,
                                     .max_length = round % 3 == 0 ? length : SIZE_MAX,
                                     .fixed_length = length};
        struct splitter *splitter = made(&rule);
        size_t n = lab_random_below(MOST), fed = 0, at = 0;
        while (fed < n) {
            size_t piece = 1 + lab_random_below(4000);
            piece = piece < n - fed ? piece : n - fed;
            feed(splitter, stream + fed, piece);
            for (fed += piece; fed - at >= length; at += length)
                expect_message(splitter, stream + at, length);
            expect_none(splitter);
        }
        expect_rest(splitter, stream + at, n - at);
        splitter_free(splitter);
    }
}

/* Bytes that no delimiter of NUL and 0x80 begins with, so that what is due is plain; or (with a delimiter of two bytes or
 * more) begins with and does not go on with. */
static size_t plain_bytes(unsigned char *to, size_t n, bool begins)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (unsigned char)(1 + lab_random_below(127));
        if (begins && i > 0 && (i == 1 || to[i - 2] != '\0') && lab_random_below(6) == 0)
            to[i - 1] = '\0';
    }
    return n;
}

static void delimited(size_t delimiter_length, size_t longest)
{
    enum { MESSAGES = 40 };
    struct splitter_rule rule = {.mode = SPLIT_DELIMITER,
                                 .max_length = longest,
                                 .delimiter_length = delimiter_length};
    static unsigned char stream[MESSAGES * 320];
    size_t lengths[MESSAGES], n = 0, fed = 0, whole = 0, at = 0;
    lab_random_bytes(rule.delimiter, delimiter_length);
    for (size_t i = 0; i < delimiter_length; i++)
        rule.delimiter[i] &=
            i == 0 && delimiter_length % 2 == 0 ? 0 : 0x80; /* often begins like itself */
    struct splitter *splitter = made(&rule);
    for (int i = 0; i < MESSAGES; i++) {
        lengths[i] =
            lab_random_below(4) == 0 ? longest : lab_random_below((uint32_t)longest + 1);
        n += plain_bytes(stream + n, lengths[i], delimiter_length > 1);
        memcpy(stream + n, rule.delimiter, delimiter_length);
        n += delimiter_length;
    }
    memset(rule.delimiter, 'x', sizeof rule.delimiter); /* it was copied */
    while (fed < n) {
        size_t piece = 1 + lab_random_below((uint32_t)(2 * longest));
        piece = piece < n - fed ? piece : n - fed;
        feed(splitter, stream + fed, piece);
        for (fed += piece;
             whole < MESSAGES && at + lengths[whole] + delimiter_length <= fed; whole++) {
            expect_message(splitter, stream + at, lengths[whole]);
            at += lengths[whole] + delimiter_length;
        }
        expect_none(splitter);
    }
    expect_rest(splitter, stream, 0);
    splitter_free(splitter);
}

LAB_TEST(
    splitter_next, delimiters_of_any_length_and_bytes, .points = 3, .task = 5,
    .needs =
        "splitter_next/any_bytes_will_do, splitter_next/takes_a_message_of_the_maximum",
    .read = "A delimiter in two pieces", .man = "3 memmem",
    .likely =
        "a delimiter has delimiter_length bytes, a NUL or one above 127 among them, and may be cut anywhere: memcmp(), not strcmp()")
{
    for (size_t length = 1; length <= SPLITTER_DELIMITER_MAX; length++) {
        delimited(length, 1 + lab_random_below(12));
        delimited(length, 100 + lab_random_below(200));
    }
}

LAB_TEST(
    splitter_next, refuses_any_message_past_the_maximum, .points = 2, .task = 5,
    .needs = "splitter_next/refuses_a_longer_message, splitter_next/stays_refused",
    .read = "A limit for a stranger", .man = "3 errno",
    .likely =
        "max_length bytes and the whole delimiter may be there, one byte more without it may not: count without the delimiter")
{
    for (int round = 0; round < 16; round++) {
        struct splitter_rule rule = {.mode = SPLIT_DELIMITER,
                                     .max_length = 1 + lab_random_below(300),
                                     .delimiter_length = 1 + (size_t)round % 8};
        memset(rule.delimiter, '\n', rule.delimiter_length);
        struct splitter *splitter = made(&rule);
        char bytes[320];
        const void *message = NULL;
        size_t length = 0;
        memset(bytes, 'm', sizeof bytes);
        feed(splitter, bytes, rule.max_length);
        expect_none(splitter);
        feed(splitter, rule.delimiter, rule.delimiter_length);
        expect_message(splitter, bytes, rule.max_length);
        feed(splitter, bytes, rule.max_length + rule.delimiter_length);
        int result = splitter_next(splitter, &message, &length);
        lab_expect(result == -1 && errno == EMSGSIZE, "-1 and errno EMSGSIZE",
                   "returned %s", lab_result(result, errno));
        splitter_free(splitter);
    }
}
