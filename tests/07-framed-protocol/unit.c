/*
 * Unit tests of lesson 07: frames made, and found again however a stream is cut.
 *
 * What is expected comes from an encoder of the test's own, which is slow and plain. Each piece that
 * is fed lies in memory of its own size, and is gone when it may be: a byte read before or behind
 * it, or too late, is the sanitizer's to find. So it is with storage.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "frame.h"
#include "lab.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the story of a loop --------------------------------------------------------- */

/* One case of many: of these the verdict's "peer" names only the one that failed. */
static char this_case[400];

__attribute__((format(printf, 1, 2))) static void case_is(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(this_case, sizeof this_case, format, args);
    va_end(args);
}

static bool told(bool ok)
{
    if (!ok && this_case[0] != '\0')
        lab_peer("%s", this_case);
    return ok;
}

#define lab_expect(ok, ...) lab_expect(told(ok), __VA_ARGS__)

/* ---- what a right program makes -------------------------------------------------- */

enum { STREAM_MOST = 8192 };

struct stream {
    size_t n, frames;
    unsigned char bytes[STREAM_MOST];
};

static const struct frame_format length32le = {1 << 21, 4, 0, 4, FRAME_LITTLE_ENDIAN, 0};
static const struct frame_format length32be = {1 << 21, 4, 0, 4, FRAME_BIG_ENDIAN, 0};

/* The same with short frames: for a decoder in a loop, as it costs less than 2 MiB of storage for each. */
static const struct frame_format short32le = {64, 4, 0, 4, FRAME_LITTLE_ENDIAN, 0};
static const struct frame_format short32be = {64, 4, 0, 4, FRAME_BIG_ENDIAN, 0};

static void *memory(size_t n)
{
    void *bytes = malloc(n > 0 ? n : 1);
    if (bytes == NULL)
        lab_error("malloc()");
    return bytes;
}

static const char *format_text(const struct frame_format *f)
{
    static char text[2][160];
    static int turn;
    turn = !turn;
    snprintf(
        text[turn], sizeof text[turn],
        "{max_length %zu, body_offset %zu, length_field_offset %zu, length_field_bytes %d, "
        "byte_order %d, length_adjustment %d}",
        f->max_length, f->body_offset, f->length_field_offset, f->length_field_bytes,
        (int)f->byte_order, f->length_adjustment);
    return text[turn];
}

/* The length's bytes. Returns how many they are. */
static size_t put_value(const struct frame_format *f, uint64_t value, unsigned char *out)
{
    size_t n = (size_t)f->length_field_bytes;
    if (f->length_field_bytes == FRAME_VARINT) {
        for (n = 0; value > 127; value /= 128)
            out[n++] = (unsigned char)(128 + value % 128);
        out[n++] = (unsigned char)value;
        return n;
    }
    for (size_t i = 0; i < n; i++, value /= 256)
        out[f->byte_order == FRAME_LITTLE_ENDIAN ? i : n - 1 - i] =
            (unsigned char)(value % 256);
    return n;
}

/* A frame with this value in its length field, whatever it means; what else is in the head: filler. */
static void add_value(struct stream *s, const struct frame_format *f, uint64_t value,
                      const void *body, size_t n, unsigned char filler)
{
    unsigned char field[FRAME_VARINT];
    size_t size = put_value(f, value, field);
    size_t took = f->length_field_bytes == FRAME_VARINT ? 1 : size;
    size_t head = f->body_offset + size - took;
    if (s->n + head + n > STREAM_MOST)
        lab_error("a test's stream that is too long");
    memset(s->bytes + s->n, filler, head);
    memcpy(s->bytes + s->n + f->length_field_offset, field, size);
    if (n > 0)
        memcpy(s->bytes + s->n + head, body, n);
    s->n += head + n;
    s->frames++;
}

static void add_frame(struct stream *s, const struct frame_format *f, const void *body,
                      size_t n, unsigned char filler)
{
    add_value(s, f, (uint64_t)((int64_t)n - f->length_adjustment), body, n, filler);
}

/* ---- what the student's decoder finds -------------------------------------------- */

struct decoding {
    struct frame_decoder decoder;
    struct frame_format format;
    void *storage;
    size_t empty;      /* frames without a body */
    int result, error; /* of the last frame_decoder_next() */
    struct stream got; /* heads and bodies, as they were handed out */
};

static struct decoding *begin(const struct frame_format *format)
{
    struct decoding *d = memory(sizeof *d);
    memset(d, 0, offsetof(struct decoding, got.bytes));
    memset(&d->decoder, 0xa5, sizeof d->decoder);
    d->format = *format;
    d->storage = memory(format->max_length);
    int result = frame_decoder_init(&d->decoder, format, d->storage, format->max_length);
    lab_expect(result == 0, "0 from frame_decoder_init()", "returned %s",
               lab_result(result, errno));
    return d;
}

static void finished(struct decoding *d)
{
    free(d->storage);
    free(d);
}

/* One frame: is it what it says, and has it a place in what was fed? */
static void note(struct decoding *d, const struct frame *frame)
{
    size_t n = frame->head_size + frame->body_size;
    lab_expect(frame->head_size >= d->format.body_offset && n <= d->format.max_length,
               "a head, and behind it a body, of at most max_length bytes",
               "gave a frame with head_size %zu and body_size %zu", frame->head_size,
               frame->body_size);
    if (frame->body != frame->head + frame->head_size)
        lab_likely("body points behind the head, also with 0 bytes");
    lab_expect(frame->body == frame->head + frame->head_size,
               "a body that begins where the head ends",
               "gave a head of %zu bytes at %p, and a body of %zu at %p",
               frame->head_size, (const void *)frame->head, frame->body_size,
               (const void *)frame->body);
    lab_expect(d->got.n + n <= STREAM_MOST && d->got.frames < STREAM_MOST,
               "no more bytes than were fed", "gave frames without end");
    memcpy(d->got.bytes + d->got.n, frame->head, n);
    d->got.n += n;
    d->got.frames++;
    d->empty += frame->body_size == 0;
}

/* Take frames until there are none. */
static void take(struct decoding *d)
{
    struct frame frame;
    for (;;) {
        errno = 0;
        d->result = frame_decoder_next(&d->decoder, &frame);
        d->error = errno;
        if (d->result != 1)
            break;
        note(d, &frame);
    }
    lab_expect(d->result == 0 || d->result == -1, "1, 0 or -1", "returned %d", d->result);
}

/* Feed a piece and take its frames; the piece is gone when it may be. */
static void feed(struct decoding *d, const void *bytes, size_t n)
{
    unsigned char *piece = memory(n);
    memcpy(piece, bytes, n);
    int result = frame_decoder_feed(&d->decoder, piece, n);
    lab_expect(result == 0, "0 from frame_decoder_feed()", "returned %s",
               lab_result(result, errno));
    take(d);
    free(piece);
}

/* The same in pieces of that size, as long as no error comes. */
static void feed_pieces(struct decoding *d, const unsigned char *bytes, size_t n,
                        size_t piece)
{
    for (size_t at = 0; at < n && d->result != -1; at += piece)
        feed(d, bytes + at, piece < n - at ? piece : n - at);
}

static void expect_stream(const struct decoding *d, const struct stream *s)
{
    char expected[64];
    lab_expect(d->result == 0, "0 when no whole frame is left", "returned %s",
               lab_result(d->result, d->error));
    snprintf(expected, sizeof expected, "%zu frames", s->frames);
    lab_expect(d->got.frames == s->frames, expected, "gave %zu", d->got.frames);
    lab_expect(d->got.n == s->n && memcmp(d->got.bytes, s->bytes, s->n) == 0,
               lab_quote(s->bytes, s->n), "gave %s", lab_quote(d->got.bytes, d->got.n));
}

static void expect_over(struct decoding *d, size_t n)
{
    char expected[64];
    snprintf(expected, sizeof expected, "%zu bytes left over at the end", n);
    size_t over = frame_decoder_end(&d->decoder);
    lab_expect(over == n, expected, "returned %zu", over);
}

static void expect_error(const struct decoding *d, int error)
{
    char expected[64];
    snprintf(expected, sizeof expected, "-1 and errno %s", lab_errno(error));
    lab_expect(d->result == -1 && d->error == error, expected, "returned %s",
               lab_result(d->result, d->error));
}

/* Any valid format whose frames are small. */
static struct frame_format any_format(void)
{
    static const int fields[] = {1, 2, 4, 8, FRAME_VARINT};
    struct frame_format f = {.length_field_bytes = fields[lab_random_below(5)],
                             .byte_order = lab_random_below(2) ? FRAME_LITTLE_ENDIAN
                                                               : FRAME_BIG_ENDIAN};
    size_t field =
        f.length_field_bytes == FRAME_VARINT ? 1 : (size_t)f.length_field_bytes;
    f.length_field_offset = lab_random_below(4);
    f.body_offset = f.length_field_offset + field + lab_random_below(4);
    f.max_length = f.body_offset + 4 + lab_random_below(200);
    f.length_adjustment = (int)lab_random_below(5);
    if (lab_random_below(2))
        f.length_adjustment = -(int)lab_random_below((uint32_t)f.body_offset + 1);
    return f;
}

/* Some frames of that format, some of them empty where that can be said. */
static void some_frames(struct stream *s, const struct frame_format *f, unsigned frames)
{
    unsigned char body[256];
    size_t least = f->length_adjustment > 0 ? (size_t)f->length_adjustment : 0;
    size_t head = f->body_offset + (f->length_field_bytes == FRAME_VARINT);
    while (frames-- > 0) {
        size_t most = f->max_length - head, n = least;
        if (f->length_field_bytes == 1 && most > 255 - f->body_offset)
            most = 255 - f->body_offset;
        if (most > least && lab_random_below(4) > 0)
            n += lab_random_below((uint32_t)(most - least + 1));
        lab_random_bytes(body, sizeof body);
        add_frame(s, f, body, n, (unsigned char)lab_random());
    }
}

/* ---- frame_format_valid ---------------------------------------------------------- */

static void expect_valid(bool valid, struct frame_format format)
{
    case_is("the format is %s", format_text(&format));
    errno = 0;
    bool said = frame_format_valid(&format);
    lab_expect(said == valid, valid ? "true" : "false", "returned %s%s",
               said ? "true" : "false", errno == ENOSYS ? " and errno ENOSYS" : "");
}

LAB_TEST(frame_format_valid, accepts_what_can_be_used, .points = 2, .task = 1,
         .read = "A format in six numbers",
         .likely =
             "go through the list in frame.h: each limit itself is allowed, and a varint "
             "counts as one byte and needs no byte order")
{
    const int most = FRAME_MAX_LENGTH;
    expect_valid(true, length32le);
    for (int bytes = 1; bytes <= 8; bytes *= 2)
        expect_valid(true, (struct frame_format){10, 8, 0, bytes, FRAME_BIG_ENDIAN, 0});
    expect_valid(true, (struct frame_format){10, 8, 7, 1, FRAME_LITTLE_ENDIAN, 0});
    expect_valid(true,
                 (struct frame_format){10, 1, 0, FRAME_VARINT, FRAME_LITTLE_ENDIAN, 0});
    expect_valid(true, (struct frame_format){10, 4, 3, FRAME_VARINT, 0, 0});
    expect_valid(true, (struct frame_format){10, 10, 2, 8, FRAME_BIG_ENDIAN, 0});
    expect_valid(true, (struct frame_format){10, 4, 0, 4, FRAME_BIG_ENDIAN, -4});
    expect_valid(true, (struct frame_format){10, 4, 0, 4, FRAME_BIG_ENDIAN, 6});
    expect_valid(true, (struct frame_format){FRAME_MAX_LENGTH, 4, 0, 4, FRAME_BIG_ENDIAN,
                                             most - 4});
    expect_valid(true, (struct frame_format){FRAME_MAX_LENGTH, FRAME_MAX_LENGTH, 0, 4,
                                             FRAME_BIG_ENDIAN, -most});
}

LAB_TEST(frame_format_valid, refuses_what_makes_no_sense, .points = 3, .task = 1,
         .needs = "frame_format_valid/accepts_what_can_be_used",
         .read = "A format in six numbers",
         .likely =
             "go through the list in frame.h, one condition after the other; and compare "
             "without adding: a sum of two great numbers is a small one")
{
    const int bad_fields[] = {0, 3, 5, 6, 7, 9, 11, 16, -1, -4};
    for (size_t i = 0; i < sizeof bad_fields / sizeof *bad_fields; i++)
        expect_valid(
            false, (struct frame_format){64, 32, 0, bad_fields[i], FRAME_BIG_ENDIAN, 0});
    expect_valid(false, (struct frame_format){64, 4, 0, 4, 0, 0});
    expect_valid(false, (struct frame_format){64, 4, 0, 4, 3, 0});
    for (int bytes = 1; bytes <= 8; bytes *= 2)
        expect_valid(false, (struct frame_format){64, 8, (size_t)(9 - bytes), bytes,
                                                  FRAME_BIG_ENDIAN, 0});
    expect_valid(false,
                 (struct frame_format){64, 4, 4, FRAME_VARINT, FRAME_BIG_ENDIAN, 0});
    expect_valid(false,
                 (struct frame_format){64, 4, 5, FRAME_VARINT, FRAME_BIG_ENDIAN, 0});
    expect_valid(false, (struct frame_format){3, 4, 0, 4, FRAME_BIG_ENDIAN, 0});
    expect_valid(false, (struct frame_format){FRAME_MAX_LENGTH + 1ul, 4, 0, 4,
                                              FRAME_BIG_ENDIAN, 0});
    expect_valid(false, (struct frame_format){SIZE_MAX, 4, 0, 4, FRAME_BIG_ENDIAN, 0});
    expect_valid(false, (struct frame_format){10, 4, 0, 4, FRAME_BIG_ENDIAN, -5});
    expect_valid(false, (struct frame_format){10, 4, 0, 4, FRAME_BIG_ENDIAN, 7});
    expect_valid(false, (struct frame_format){10, 4, 0, 4, FRAME_BIG_ENDIAN, INT32_MIN});
    expect_valid(false, (struct frame_format){10, 4, 0, 4, FRAME_BIG_ENDIAN, INT32_MAX});
    expect_valid(false, (struct frame_format){64, 4, SIZE_MAX, 4, FRAME_BIG_ENDIAN, 0});
    expect_valid(false,
                 (struct frame_format){64, 4, SIZE_MAX - 3, 4, FRAME_BIG_ENDIAN, 0});
    expect_valid(false, (struct frame_format){64, SIZE_MAX, 0, 4, FRAME_BIG_ENDIAN, 0});
    expect_valid(false, (struct frame_format){SIZE_MAX, SIZE_MAX, SIZE_MAX, 4,
                                              FRAME_BIG_ENDIAN, 0});
}

/* ---- frame_format_named ---------------------------------------------------------- */

static void expect_named(const char *name, const struct frame_format *right)
{
    errno = 0;
    const struct frame_format *got = frame_format_named(name);
    case_is("the name is \"%s\"", name);
    if (right == NULL) {
        lab_likely(
            "only the two names in frame.h are known, letter by letter: NULL for others");
        lab_expect(got == NULL, "NULL", "returned a format");
        lab_likely(NULL);
        return;
    }
    lab_expect(got != NULL, "a format", "returned NULL%s",
               errno == ENOSYS ? " and errno ENOSYS" : "");
    if (got == NULL)
        return; /* not reached: for static analysis */
    lab_expect(got->max_length == right->max_length &&
                   got->body_offset == right->body_offset &&
                   got->length_field_offset == right->length_field_offset &&
                   got->length_field_bytes == right->length_field_bytes &&
                   got->byte_order == right->byte_order &&
                   got->length_adjustment == right->length_adjustment,
               format_text(right), "gave %s", format_text(got));
}

LAB_TEST(frame_format_named, knows_the_two_formats, .points = 2, .task = 1,
         .read = "A format in six numbers", .man = "3 strcmp",
         .likely =
             "frame.h says what each name stands for: 4 bytes of length, the body behind "
             "them, 2097152 bytes at most with the head; no adjustment")
{
    expect_named("length32le", &length32le);
    expect_named("length32be", &length32be);
    expect_named("length32", NULL);
    expect_named("length32lee", NULL);
    expect_named("length32bee", NULL);
    expect_named("LENGTH32BE", NULL);
    expect_named("", NULL);
}

/* ---- frame_encode ---------------------------------------------------------------- */

/* Encode into exactly `size` bytes, and compare with the frame of the test's own. */
static void expect_frame(const struct frame_format *f, const void *body, size_t n)
{
    struct stream s = {0};
    char expected[64];
    add_frame(&s, f, body, n, 0);
    unsigned char *out = memory(s.n);
    memset(out, 0xee, s.n);
    ssize_t result = frame_encode(f, body, n, out, s.n);
    snprintf(expected, sizeof expected, "%zu", s.n);
    lab_expect(result == (ssize_t)s.n, expected, "returned %s",
               lab_result(result, errno));
    lab_expect(memcmp(out, s.bytes, s.n) == 0, lab_quote(s.bytes, s.n), "made %s",
               lab_quote(out, s.n));
    free(out);
}

static void expect_refusal(const struct frame_format *f, size_t n, size_t size, int error)
{
    enum { BEHIND = 16 };
    static unsigned char body[1 << 17];
    unsigned char *out = memory(size + BEHIND);
    char expected[64];
    memset(out, 0xee, size + BEHIND);
    snprintf(expected, sizeof expected, "-1 and errno %s", lab_errno(error));
    ssize_t result = frame_encode(f, body, n, out, size);
    lab_expect(result == -1 && errno == error, expected, "returned %s",
               lab_result(result, errno));
    for (size_t i = 0; i < size + BEHIND; i++)
        lab_expect(out[i] == 0xee, "out as it was", "changed byte %zu of it", i);
    free(out);
}

LAB_TEST(
    frame_encode, puts_the_length_in_front, .points = 3, .task = 2,
    .read = "A length in front", .man = "3 endian",
    .likely =
        "length32le has the byte of least weight first, length32be last: put each byte "
        "where it belongs, by shifting, and the body behind them")
{
    lab_peer("the message is \"Hello\", the format length32be");
    expect_frame(&length32be, "Hello", 5);
    lab_peer("then length32le");
    expect_frame(&length32le, "Hello", 5);
    lab_peer("then a body of 0x010203 bytes");
    unsigned char *body = calloc(2, 0x10300);
    if (body == NULL)
        lab_error("calloc()");
    ssize_t n = frame_encode(&length32be, body + 0x10300, 0x010203, body, 0x10300);
    lab_expect(n == 0x010207 && memcmp(body, "\0\1\2\3", 4) == 0,
               "\"\\0\\1\\2\\3\" in front", "returned %s and %s", lab_result(n, errno),
               lab_quote(body, 4));
    free(body);
}

LAB_TEST(frame_encode, knows_every_kind_of_head, .points = 3, .task = 2,
         .needs = "frame_encode/puts_the_length_in_front",
         .read = "A format in six numbers",
         .likely =
             "the length has length_field_bytes bytes at length_field_offset and holds n "
             "less length_adjustment; the body begins at body_offset; all between is 0")
{
    unsigned char body[256];
    lab_random_bytes(body, sizeof body);
    for (int bytes = 1; bytes <= 8; bytes *= 2)
        for (int order = FRAME_LITTLE_ENDIAN; order <= FRAME_BIG_ENDIAN; order++) {
            struct frame_format f = {300, 14, 3, bytes, (enum frame_byte_order)order, 0};
            lab_likely(NULL);
            case_is("the format is %s", format_text(&f));
            expect_frame(&f, body, 200);
            lab_likely(
                "the value of the length is n - length_adjustment: with an adjustment of "
                "-body_offset it counts the head too");
            f.length_adjustment = -14;
            expect_frame(&f, body, 100);
            f.length_adjustment = 20;
            expect_frame(&f, body, 256);
        }
}

LAB_TEST(frame_encode, writes_a_varint_as_short_as_it_can, .points = 2, .task = 2,
         .needs = "frame_encode/puts_the_length_in_front",
         .read = "A length of one to ten bytes",
         .likely =
             "7 bits a byte, the least significant first, the top bit set where another "
             "follows; a longer length moves the body on")
{
    struct frame_format f = {20000, 4, 2, FRAME_VARINT, FRAME_LITTLE_ENDIAN, 0};
    static unsigned char body[5000];
    const size_t sizes[] = {1, 127, 128, 300, 5000};
    lab_random_bytes(body, sizeof body);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        lab_peer("a body of %zu bytes", sizes[i]);
        expect_frame(&f, body, sizes[i]);
    }
    f.length_adjustment = -3;
    lab_peer("and one of 125, with an adjustment of -3");
    expect_frame(&f, body, 125);
    struct frame_format big = {FRAME_MAX_LENGTH, 20000, 0, FRAME_VARINT,
                               FRAME_BIG_ENDIAN, -20000};
    unsigned char out[20002];
    lab_peer("and an empty one whose length counts a head of 20000 bytes: a0 9c 01");
    ssize_t n = frame_encode(&big, NULL, 0, out, sizeof out);
    lab_expect(n == 20002 && memcmp(out, "\xa0\x9c\x01", 4) == 0,
               "20002 and \"\\240\\234\\1\\0\"", "returned %s and %s",
               lab_result(n, errno), lab_quote(out, 4));
}

LAB_TEST(frame_encode, takes_an_empty_body, .points = 1, .task = 2,
         .needs = "frame_encode/puts_the_length_in_front", .read = "A length in front",
         .likely =
             "a message of 0 bytes is a message: its frame is the head alone, and body "
             "(NULL, perhaps) is not looked at")
{
    lab_peer("the message has 0 bytes");
    expect_frame(&length32be, NULL, 0);
    const struct frame_format whole = {9, 9, 1, 2, FRAME_BIG_ENDIAN, -9};
    lab_peer("and fills max_length with its head");
    expect_frame(&whole, NULL, 0);
}

LAB_TEST(
    frame_encode, refuses_what_the_format_cannot_say, .points = 3, .task = 2,
    .needs = "frame_encode/puts_the_length_in_front", .read = "A format in six numbers",
    .likely =
        "EMSGSIZE where the frame is longer than max_length, its head included, or the "
        "length too great for its field; before anything is written")
{
    static const struct frame_format
        one = {1000, 3, 0, 1, FRAME_BIG_ENDIAN, 0},
        two = {1 << 20, 3, 0, 2, FRAME_LITTLE_ENDIAN, 0},
        limit = {100, 4, 0, 4, FRAME_BIG_ENDIAN, 0},
        varint = {131, 1, 0, FRAME_VARINT, FRAME_BIG_ENDIAN, 0},
        more = {100, 4, 0, 4, FRAME_BIG_ENDIAN, 10},
        eight = {100, 8, 0, 8, FRAME_BIG_ENDIAN, 0},
        short_varint = {100, 1, 0, FRAME_VARINT, FRAME_BIG_ENDIAN, 0},
        counts_head = {100, 4, 0, 4, FRAME_BIG_ENDIAN, -4},
        none = {100, 4, 0, 3, FRAME_BIG_ENDIAN, 0};
    expect_frame(&one, (unsigned char[255]){1}, 255);
    lab_peer("256 bytes, and a length of one byte");
    expect_refusal(&one, 256, 2000, EMSGSIZE);
    lab_peer("65536 bytes, and a length of two");
    expect_refusal(&two, 65536, 70000, EMSGSIZE);
    expect_frame(&limit, (unsigned char[96]){1}, 96);
    lab_peer("a head of 4 and a body of 97 bytes, where max_length is 100");
    expect_refusal(&limit, 97, 200, EMSGSIZE);
    lab_likely(
        "compare n with max_length before you compute with it: the sum of SIZE_MAX "
        "and a head of 8 is 7");
    const struct frame_format *const formats[] = {&limit, &eight, &short_varint,
                                                  &counts_head};
    const size_t absurd[] = {SIZE_MAX, SIZE_MAX - 3, (size_t)1 << 32};
    for (size_t i = 0; i < 12; i++) {
        case_is("a body of %zu bytes, in the format %s", absurd[i % 3],
                format_text(formats[i / 3]));
        expect_refusal(formats[i / 3], absurd[i % 3], 200, EMSGSIZE);
    }
    this_case[0] = '\0';
    lab_likely(NULL);
    lab_peer("a varint of two bytes, where it makes the frame one too long");
    expect_refusal(&varint, 130, 200, EMSGSIZE);
    lab_peer("9 bytes, where length_adjustment is 10: the length would be -1");
    lab_likely(
        "a length below 0 cannot be said: EMSGSIZE where n is less than the adjustment");
    expect_frame(&more, "0123456789", 10);
    expect_refusal(&more, 9, 200, EMSGSIZE);
    lab_likely("EINVAL where frame_format_valid() says false");
    lab_peer("a format that is not valid");
    expect_refusal(&none, 3, 200, EINVAL);
}

LAB_TEST(
    frame_encode, writes_no_byte_too_many, .points = 2, .task = 2,
    .needs = "frame_encode/puts_the_length_in_front", .read = "A length in front",
    .likely = "compare head and body with size before the first byte is written: ENOSPC")
{
    static const struct frame_format limit = {100, 4, 0, 4, FRAME_BIG_ENDIAN, 0};
    for (size_t size = 0; size < 9; size++) {
        case_is("a frame of 9 bytes, room for %zu", size);
        expect_refusal(&length32be, 5, size, ENOSPC);
    }
    case_is("101 bytes of frame, which no format of 100 has, with room for 50");
    lab_likely("ENOSPC is for frames that the format allows: EMSGSIZE comes first");
    expect_refusal(&limit, 97, 50, EMSGSIZE);
}

/* ---- frame_decoder_init ---------------------------------------------------------- */

LAB_TEST(
    frame_decoder_init, wants_room_for_a_whole_frame, .points = 2, .task = 3,
    .read = "What the decoder remembers",
    .likely = "size must be at least max_length, and the format valid: EINVAL otherwise")
{
    unsigned char storage[100];
    struct frame_decoder decoder;
    struct frame_format f = {100, 4, 0, 4, FRAME_BIG_ENDIAN, 0};
    for (size_t size = 0; size <= 101; size++) {
        errno = 0;
        int result = frame_decoder_init(&decoder, &f, storage, size);
        case_is("max_length is 100, size %zu", size);
        lab_expect(result == (size < 100 ? -1 : 0) && (size >= 100 || errno == EINVAL),
                   size < 100 ? "-1 and errno EINVAL" : "0", "returned %s",
                   lab_result(result, errno));
    }
    f.length_field_bytes = 3;
    errno = 0;
    int result = frame_decoder_init(&decoder, &f, storage, sizeof storage);
    case_is("a length field of 3 bytes");
    lab_expect(result == -1 && errno == EINVAL, "-1 and errno EINVAL", "returned %s",
               lab_result(result, errno));
}

/* ---- frame_decoder_feed ---------------------------------------------------------- */

LAB_TEST(
    frame_decoder_feed, refuses_while_bytes_are_lent, .points = 2, .task = 3,
    .needs = "frame_decoder_init", .read = "What the decoder remembers",
    .likely =
        "the last bytes are still lent, until frame_decoder_next() has returned 0: EBUSY, "
        "and nothing changes")
{
    const unsigned char bytes[] = "\0\0\0\1a\0\0\0\1b";
    struct decoding *d = begin(&length32be);
    int first = frame_decoder_feed(&d->decoder, bytes, 0);
    lab_peer("0 bytes were fed");
    lab_expect(first == 0, "0", "returned %s", lab_result(first, errno));
    for (int again = 0; again < 2; again++) {
        errno = 0;
        int second = frame_decoder_feed(&d->decoder, bytes, 10);
        lab_peer("and then 10, before frame_decoder_next() was called");
        lab_expect(second == -1 && errno == EBUSY, "-1 and errno EBUSY", "returned %s",
                   lab_result(second, errno));
    }
    finished(d);
}

LAB_TEST(
    frame_decoder_feed, is_ready_again_after_0, .points = 1, .task = 4,
    .needs = "frame_decoder_init, frame_decoder_next/finds_a_frame",
    .read = "What the decoder remembers",
    .likely =
        "when frame_decoder_next() returns 0 nothing is lent any more, and not before")
{
    const unsigned char bytes[] = "\0\0\0\1a\0\0\0\1b";
    struct decoding *d = begin(&length32be);
    struct frame frame;
    lab_peer("two frames were fed, and one taken");
    frame_decoder_feed(&d->decoder, bytes, 10);
    frame_decoder_next(&d->decoder, &frame);
    errno = 0;
    int result = frame_decoder_feed(&d->decoder, "\0\0\0\1c", 5);
    lab_expect(result == -1 && errno == EBUSY, "-1 and errno EBUSY", "returned %s",
               lab_result(result, errno));
    take(d);
    lab_peer("then the other, and 0 came");
    lab_expect(d->got.frames == 1 && d->got.bytes[4] == 'b', "the second frame, unharmed",
               "gave %s", lab_quote(d->got.bytes, d->got.n));
    feed(d, "\0\0\0\1c", 5);
    lab_expect(d->got.frames == 2, "the third", "gave %zu frames", d->got.frames + 1);
    finished(d);
}

/* ---- frame_decoder_next ---------------------------------------------------------- */

LAB_TEST(
    frame_decoder_next, finds_a_frame, .points = 2, .task = 4,
    .needs = "frame_decoder_init, frame_decoder_feed/refuses_while_bytes_are_lent",
    .read = "Bytes in, messages out",
    .likely =
        "when the head is there, the length says how many bytes of body follow; when "
        "those are there too it is a frame: 1, and its two parts")
{
    struct stream s = {0};
    struct decoding *d = begin(&length32be);
    take(d);
    lab_peer("nothing was fed yet");
    lab_expect(d->result == 0 && d->got.frames == 0, "0", "returned %s",
               lab_result(d->result, d->error));
    lab_peer("then \"\\0\\0\\0\\5Hello\"");
    add_frame(&s, &length32be, "Hello", 5, 0);
    feed(d, s.bytes, s.n);
    expect_stream(d, &s);
    finished(d);
    struct decoding *little = begin(&length32le);
    lab_peer("then \"\\5\\0\\0\\0Hello\", as length32le");
    lab_likely(
        "the byte order is the format's: here the byte of least weight comes first");
    feed(little, "\5\0\0\0Hello", 9);
    lab_expect(little->got.frames == 1, "1 frame", "gave %zu", little->got.frames);
    finished(little);
}

LAB_TEST(
    frame_decoder_next, finds_all_frames_of_one_piece, .points = 2, .task = 4,
    .needs = "frame_decoder_next/finds_a_frame", .read = "Bytes in, messages out",
    .likely =
        "what is behind a frame is the next one: take that frame off, no more, and look "
        "again at the next call")
{
    struct stream s = {0};
    struct decoding *d = begin(&length32be);
    for (int i = 0; i < 20; i++)
        add_frame(&s, &length32be, "abcdefghijklmnopqrst", (size_t)i, 0);
    lab_peer("20 frames, of 0 to 19 bytes, in one piece");
    feed(d, s.bytes, s.n);
    if (d->empty == 0)
        lab_likely("a frame of 0 bytes is a frame: 1, with a body_size of 0");
    expect_stream(d, &s);
    finished(d);
}

LAB_TEST(
    frame_decoder_next, finds_frames_cut_anywhere, .points = 5, .task = 4,
    .needs = "frame_decoder_next/finds_all_frames_of_one_piece", .read = "A cut anywhere",
    .likely =
        "what a read has cut, in the body or within the four bytes of the length, must be "
        "kept: copy it into storage before you return 0")
{
    struct stream s = {0};
    add_frame(&s, &short32le, "first", 5, 0);
    add_frame(&s, &short32le, "", 0, 0);
    add_frame(&s, &short32le, "the last one", 12, 0);
    for (size_t cut = 0; cut <= s.n; cut++)
        for (size_t again = cut; again <= s.n; again += 3) {
            struct decoding *d = begin(&short32le);
            case_is("%zu bytes of frames, cut behind byte %zu and byte %zu", s.n, cut,
                    again);
            feed(d, s.bytes, cut);
            feed(d, s.bytes + cut, again - cut);
            feed(d, s.bytes + again, s.n - again);
            expect_stream(d, &s);
            finished(d);
        }
}

LAB_TEST(
    frame_decoder_next, reads_every_kind_of_head, .points = 3, .task = 4,
    .needs = "frame_decoder_next/finds_all_frames_of_one_piece",
    .read = "A format in six numbers",
    .likely =
        "the length has length_field_bytes bytes at length_field_offset; the body begins "
        "at body_offset and has length_adjustment bytes more than the length says")
{
    unsigned char body[300];
    lab_random_bytes(body, sizeof body);
    for (int bytes = 1; bytes <= 8; bytes *= 2)
        for (int order = FRAME_LITTLE_ENDIAN; order <= FRAME_BIG_ENDIAN; order++)
            for (int adjustment = -14; adjustment <= 20; adjustment += 17) {
                struct frame_format f = {
                    300, 14, 3, bytes, (enum frame_byte_order)order, adjustment};
                struct stream s = {0};
                add_frame(&s, &f, body, 20, 0xff);
                add_frame(&s, &f, body, bytes == 1 ? 210 : 286, 'h');
                struct decoding *d = begin(&f);
                case_is("the format is %s", format_text(&f));
                feed(d, s.bytes, s.n);
                expect_stream(d, &s);
                finished(d);
            }
}

LAB_TEST(
    frame_decoder_next, reads_a_varint, .points = 3, .task = 4,
    .needs = "frame_decoder_next/finds_all_frames_of_one_piece",
    .read = "A length of one to ten bytes",
    .likely =
        "7 bits a byte, the least significant first, until one whose top bit is not set; "
        "the body begins so many bytes later")
{
    struct frame_format f = {600, 3, 1, FRAME_VARINT, 0, 0};
    struct stream s = {0};
    unsigned char body[590];
    lab_random_bytes(body, sizeof body);
    const size_t sizes[] = {0, 1, 127, 128, 300, 590};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        add_frame(&s, &f, body, sizes[i], 0x80 + (unsigned char)i);
    struct decoding *d = begin(&f);
    lab_peer("frames of 0, 1, 127, 128, 300 and 590 bytes");
    feed(d, s.bytes, s.n);
    expect_stream(d, &s);
    lab_peer(
        "then one of 2 bytes, whose length takes ten: 82 80 80 80 80 80 80 80 80 00");
    lab_likely("a varint may take more bytes than it needs: up to ten");
    feed(d, "h\x82\x80\x80\x80\x80\x80\x80\x80\x80\0tab", 14);
    lab_expect(d->got.frames == s.frames + 1, "a frame", "returned %s",
               lab_result(d->result, d->error));
    lab_expect(memcmp(d->got.bytes + d->got.n - 3, "tab", 3) == 0, "\"ab\" in it",
               "gave another body");
    finished(d);
}

LAB_TEST(
    frame_decoder_next, any_cut_of_any_format, .points = 5, .task = 4,
    .needs =
        "frame_decoder_next/finds_frames_cut_anywhere, "
        "frame_decoder_next/reads_every_kind_of_head, frame_decoder_next/reads_a_varint, "
        "frame_decoder_end",
    .read = "A cut anywhere",
    .likely =
        "the frames must be the same however the bytes are cut: in the head, in a varint, "
        "between two frames, byte by byte")
{
    for (int round = 0; round < 150; round++) {
        struct frame_format f = any_format();
        struct stream s = {0};
        some_frames(&s, &f, 1 + lab_random_below(6));
        struct decoding *d = begin(&f);
        uint32_t most = 1 + lab_random_below(40); /* 1: byte by byte */
        case_is("the format is %s, the stream %s, in pieces of up to %u bytes",
                format_text(&f), lab_quote(s.bytes, s.n), most);
        for (size_t at = 0, n; at < s.n; at += n) {
            n = lab_random_below(most) + (most == 1 || lab_random_below(4) > 0);
            n = n < s.n - at ? n : s.n - at;
            feed(d, s.bytes + at, n);
        }
        expect_stream(d, &s);
        expect_over(d, 0);
        finished(d);
    }
}

LAB_TEST(
    frame_decoder_next, a_frame_as_long_as_it_may_be, .points = 3, .task = 4,
    .needs = "frame_decoder_next/finds_a_frame", .read = "Never trust a length",
    .likely =
        "max_length counts the head too, and is itself allowed; a byte more is EMSGSIZE, "
        "told when the length is there, not when the body has come")
{
    static const struct {
        struct frame_format format;
        size_t most; /* bytes in a body */
    } cases[] = {{{50, 4, 0, 4, FRAME_BIG_ENDIAN, 0}, 46},
                 {{50, 6, 1, 2, FRAME_LITTLE_ENDIAN, -6}, 44},
                 {{50, 6, 0, 1, FRAME_BIG_ENDIAN, 7}, 44},
                 {{50, 2, 1, FRAME_VARINT, FRAME_LITTLE_ENDIAN, 0}, 48},
                 {{9, 9, 1, 2, FRAME_BIG_ENDIAN, 0}, 0},
                 {{130, 2, 0, FRAME_VARINT, FRAME_LITTLE_ENDIAN, 0},
                  127}}; /* 128: a byte more of length */
    static const unsigned char body[128];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t piece = 1; piece <= 200; piece += 199) {
            const struct frame_format *f = &cases[i].format;
            struct stream s = {0}, too_long = {0};
            struct decoding *d = begin(f);
            add_frame(&s, f, body, cases[i].most, 0);
            add_frame(&too_long, f, body, cases[i].most + 1, 0);
            case_is("the format is %s, the frame as long as it may be", format_text(f));
            feed_pieces(d, s.bytes, s.n, piece);
            expect_stream(d, &s);
            case_is(
                "the format is %s; a frame as long as it may be, and then the head of "
                "one that is longer",
                format_text(f));
            feed_pieces(d, too_long.bytes, too_long.n - cases[i].most - 1, piece);
            expect_error(d, EMSGSIZE);
            finished(d);
        }
}

LAB_TEST(
    frame_decoder_next, an_absurd_length_does_no_harm, .points = 4, .task = 4,
    .needs = "frame_decoder_next/a_frame_as_long_as_it_may_be",
    .read = "Never trust a length",
    .likely =
        "compare the length with what max_length leaves before anything is added to it: "
        "ff ff ff ff and a head of 4 is 3 in 32 bits")
{
    const uint64_t lengths[] = {UINT64_MAX,     UINT64_MAX - 1,  UINT64_MAX - 3,
                                UINT64_MAX - 9, UINT64_MAX - 13, (uint64_t)INT64_MAX + 1,
                                INT64_MAX,      INT64_MAX - 12u, (uint64_t)1 << 32,
                                UINT32_MAX,     UINT32_MAX - 9u, (uint64_t)INT32_MAX + 1,
                                INT32_MAX,      INT32_MAX - 13u};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int kind = 0; kind < 9; kind++) {
            struct frame_format f = {64,
                                     10,
                                     1,
                                     kind % 3 == 0   ? FRAME_VARINT
                                     : kind % 3 == 1 ? 4
                                                     : 8,
                                     FRAME_BIG_ENDIAN,
                                     kind / 3 == 0   ? 0
                                     : kind / 3 == 1 ? -10
                                                     : 14};
            if (f.length_field_bytes == 4 && lengths[i] > UINT32_MAX)
                continue;
            struct stream s = {0};
            struct decoding *d = begin(&f);
            add_value(&s, &f, lengths[i], "abc", 3, 0);
            case_is("the format is %s, the length %llu", format_text(&f),
                    (unsigned long long)lengths[i]);
            feed(d, s.bytes, s.n);
            expect_error(d, EMSGSIZE);
            finished(d);
        }
    const struct frame_format full = {100, 1, 0, FRAME_VARINT, FRAME_BIG_ENDIAN, 99};
    struct stream s = {0};
    struct decoding *d = begin(&full);
    add_value(&s, &full, UINT64_MAX - 8, "", 0, 0);
    case_is("the format is %s, the length 2^64 - 9: with a head of 10, 100 in 64 bits",
            format_text(&full));
    feed(d, s.bytes, s.n);
    expect_error(d, EMSGSIZE);
    finished(d);
    this_case[0] = '\0';
    lab_likely("nothing is allocated here: storage is all the decoder needs");
    lab_expect(calls_made(CALLS_ALLOCATE) == 0, "no allocation",
               "called malloc() or its kin");
}

/* A varint that takes more than max_length leaves room for, byte by byte: into storage and not beyond. */
static void expect_no_overflow(size_t body_offset, const unsigned char *bytes, size_t n)
{
    const struct frame_format f = {5, body_offset, 0, FRAME_VARINT, 0, 0};
    struct decoding *d = begin(&f);
    lab_peer("the format is %s, and %s came byte by byte", format_text(&f),
             lab_quote(bytes, n));
    lab_likely(
        "storage has max_length bytes: EMSGSIZE where the head would have more, or "
        "where max_length bytes are there and the varint has no end");
    feed_pieces(d, bytes, n, 1);
    lab_expect(d->result == -1 && (d->error == EMSGSIZE || d->error == EBADMSG),
               "-1 and errno EMSGSIZE (or EBADMSG)", "returned %s",
               lab_result(d->result, d->error));
    finished(d);
}

LAB_TEST(frame_decoder_next, refuses_what_is_no_length, .points = 3, .task = 4,
         .needs = "frame_decoder_next/finds_frames_cut_anywhere",
         .read = "Never trust a length",
         .likely =
             "EBADMSG: a length that counts the head cannot be less than the head, and a "
             "varint has 64 bits in ten bytes at most")
{
    const struct frame_format counts_head = {64, 6, 0, 2, FRAME_BIG_ENDIAN, -6},
                              varint = {64, 3, 1, FRAME_VARINT, FRAME_BIG_ENDIAN, -2};
    for (unsigned length = 0; length < 7; length++) {
        struct stream s = {0};
        struct decoding *d = begin(&counts_head);
        add_value(&s, &counts_head, length, "", 0, 0);
        case_is("the length counts a head of 6 bytes, and is %u", length);
        feed(d, s.bytes, 2);
        if (length == 6)
            feed(d, s.bytes + 2, 4);
        if (length < 6)
            expect_error(d, EBADMSG);
        else
            expect_stream(d, &s);
        finished(d);
    }
    for (int tenth = 0; tenth < 3; tenth++) {
        const unsigned char bytes[] = {'h',
                                       0xff,
                                       0xff,
                                       0xff,
                                       0xff,
                                       0xff,
                                       0xff,
                                       0xff,
                                       0xff,
                                       0xff,
                                       (unsigned char[]){1, 2, 0x80}[tenth]};
        struct decoding *d = begin(&varint);
        case_is("a varint of nine bytes ff and a tenth, %02x", bytes[10]);
        for (size_t i = 0; i < sizeof bytes; i++) {
            lab_expect(d->result == 0, "0, while the varint is not whole", "returned %s",
                       lab_result(d->result, d->error));
            feed(d, bytes + i, 1);
        }
        if (tenth == 0 ||
            d->error != EMSGSIZE) /* both can be said of what is too great */
            expect_error(d, tenth == 0 ? EMSGSIZE : EBADMSG);
        finished(d);
    }
    struct decoding *d = begin(&varint);
    case_is("the varint 1, where the adjustment is -2");
    feed(d, "h\1", 2);
    expect_error(d, EBADMSG);
    finished(d);
    this_case[0] = '\0';
    expect_no_overflow(
        1, (const unsigned char *)"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 10);
    expect_no_overflow(2, (const unsigned char *)"\x80\x80\x80\x80\0", 5);
}

LAB_TEST(
    frame_decoder_next, gives_the_frames_before_an_error, .points = 2, .task = 4,
    .needs = "frame_decoder_next/a_frame_as_long_as_it_may_be",
    .read = "Never trust a length",
    .likely =
        "frame after frame, in their order: what is before the bad one is good. And an "
        "error stays: no byte behind it can be trusted")
{
    const struct frame_format f = {50, 4, 0, 4, FRAME_BIG_ENDIAN, 0};
    struct frame frame;
    for (size_t cut = 0; cut <= 18; cut += 6) {
        struct decoding *d = begin(&f);
        const unsigned char bytes[] = "\0\0\0\3one\0\0\0\3two\0\0\0\57\0\0\0\5three";
        case_is("two good frames, a length of 47, and a good frame; cut behind byte %zu",
                cut);
        frame_decoder_feed(&d->decoder, bytes,
                           cut); /* lent to the end: nothing is freed */
        take(d);
        frame_decoder_feed(&d->decoder, bytes + cut, sizeof bytes - 1 - cut);
        take(d);
        lab_expect(d->got.frames == 2, "two frames", "gave %zu", d->got.frames);
        expect_error(d, EMSGSIZE);
        for (int again = 0; again < 2; again++) {
            errno = 0;
            int result = frame_decoder_next(&d->decoder, &frame);
            lab_expect(result == -1 && errno == EMSGSIZE, "-1 and errno EMSGSIZE, again",
                       "returned %s", lab_result(result, errno));
        }
        finished(d);
    }
}

LAB_TEST(
    frame_decoder_next, two_streams_do_not_mix, .points = 2, .task = 4,
    .needs = "frame_decoder_next/finds_frames_cut_anywhere",
    .read = "What the decoder remembers",
    .likely =
        "what is remembered between two calls belongs to the decoder, and not to a static "
        "variable; and the format is copied")
{
    struct frame_format changing = length32le;
    struct stream s = {0}, t = {0};
    add_frame(&s, &length32le, "from the first stream", 21, 0);
    add_frame(&t, &length32be, "from the second", 15, 0);
    struct decoding *a = begin(&changing), *b = begin(&length32be);
    changing = (struct frame_format){1, 1, 0, 1, FRAME_BIG_ENDIAN, 0};
    lab_peer("two streams, byte by byte, in turns");
    for (size_t i = 0; i < s.n; i++) {
        feed(a, s.bytes + i, 1);
        if (i < t.n)
            feed(b, t.bytes + i, 1);
    }
    expect_stream(a, &s);
    expect_stream(b, &t);
    finished(a);
    finished(b);
}

/*
 * A right program needs 20 ms of the processor, or so, for all of this; one that moves or reads everything again
 * with each call, seconds. Looked at now and then, so that the test says so and does not hang.
 */
enum { ENOUGH_MS = 500, LOOK_EVERY = 64 };

static double processor_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static void expect_quick(double start, size_t done, size_t all)
{
    if (done % LOOK_EVERY == 0 && processor_ms() - start > ENOUGH_MS)
        lab_expect(false, "a time proportional to the bytes: some 20 ms for all of them",
                   "needed more than %d ms for %zu of %zu calls", ENOUGH_MS, done, all);
}

LAB_TEST(
    frame_decoder_next, costs_no_more_for_small_pieces, .points = 3, .task = 4,
    .needs = "frame_decoder_next/any_cut_of_any_format", .read = "Each byte once",
    .likely =
        "each byte is copied once: append what is new to storage, and never move what is "
        "there, or go through it again")
{
    enum { PIECE = 250, PIECES = 12 * 1000, ALL = PIECE * PIECES, BODY = ALL - 4 };
    const struct frame_format f = {ALL, 4, 0, 4, FRAME_BIG_ENDIAN, 0};
    unsigned char *bytes = calloc(1, ALL), *storage = memory(ALL);
    struct frame_decoder decoder;
    struct frame frame = {0};
    if (bytes == NULL)
        lab_error("calloc()");
    bytes[1] = BODY >> 16, bytes[2] = BODY >> 8 & 0xff, bytes[3] = BODY & 0xff;
    frame_decoder_init(&decoder, &f, storage, ALL);
    lab_peer("one frame of %d bytes, in pieces of %d", ALL, PIECE);
    int result = 0;
    double start = processor_ms();
    for (size_t i = 0; i < PIECES && result == 0; i++) {
        frame_decoder_feed(&decoder, bytes + i * PIECE, PIECE);
        result = frame_decoder_next(&decoder, &frame);
        expect_quick(start, i, PIECES);
    }
    lab_expect(result == 1 && frame.body_size == BODY, "the frame", "returned %d",
               result);
    frame_decoder_next(&decoder, &frame);
    lab_peer("then %d frames of %d bytes, in one piece", PIECES, PIECE);
    bytes[1] = bytes[2] = bytes[3] = 0;
    for (size_t i = 0; i < PIECES; i++)
        bytes[i * PIECE + 3] = PIECE - 4;
    size_t frames = 0;
    start = processor_ms();
    frame_decoder_feed(&decoder, bytes, ALL);
    while (frames <= PIECES && frame_decoder_next(&decoder, &frame) == 1)
        expect_quick(start, ++frames, PIECES);
    lab_expect(frames == PIECES, "all of them", "gave %zu", frames);
    free(bytes);
    free(storage);
}

/* ---- frame_decoder_end ----------------------------------------------------------- */

LAB_TEST(frame_decoder_end, tells_a_cut_frame_from_a_clean_end, .points = 2, .task = 4,
         .needs = "frame_decoder_next/finds_all_frames_of_one_piece",
         .read = "The end of the stream",
         .likely =
             "what is left over are the bytes in storage and those that are lent and not "
             "taken yet")
{
    struct stream s = {0};
    add_frame(&s, &short32be, "one", 3, 0);
    add_frame(&s, &short32be, "two", 3, 0);
    for (size_t n = 0; n <= s.n; n++)
        for (size_t cut = 0; cut <= n; cut += 5) {
            struct decoding *d = begin(&short32be);
            case_is("two frames of 7 bytes, of which %zu bytes came, cut behind byte %zu",
                    n, cut);
            feed(d, s.bytes, cut);
            feed(d, s.bytes + cut, n - cut);
            expect_over(d, n % 7);
            finished(d);
        }
    struct decoding *d = begin(&short32be);
    case_is("14 bytes were fed, in two pieces, and one frame of 7 taken");
    feed(d, s.bytes, 2);
    struct frame frame;
    frame_decoder_feed(&d->decoder, s.bytes + 2, 12);
    frame_decoder_next(&d->decoder, &frame);
    expect_over(d, 7);
    case_is(
        "3 bytes were fed and kept, then 2 more, and frame_decoder_next() not called");
    feed(d, s.bytes, 3);
    frame_decoder_feed(&d->decoder, s.bytes + 3, 2);
    expect_over(d, 5);
    finished(d);
}

LAB_TEST(
    frame_decoder_end, is_a_new_beginning, .points = 1, .task = 4,
    .needs = "frame_decoder_end/tells_a_cut_frame_from_a_clean_end",
    .read = "The end of the stream",
    .likely =
        "afterwards nothing is kept and nothing is lent, as after frame_decoder_init()")
{
    const struct frame_format f = {50, 4, 0, 4, FRAME_BIG_ENDIAN, 0};
    struct stream s = {0};
    struct decoding *d = begin(&f);
    add_frame(&s, &f, "again", 5, 0);
    lab_peer("a stream was cut within a frame");
    feed(d, s.bytes, 7);
    expect_over(d, 7);
    lab_peer("the next one was bad");
    feed(d, "\xff\xff\xff\xffxyz", 7);
    expect_error(d, EMSGSIZE);
    expect_over(d, 7);
    lab_peer("the third ended while bytes were lent");
    frame_decoder_feed(&d->decoder, s.bytes, 5);
    expect_over(d, 5);
    lab_peer("the fourth is good");
    feed(d, s.bytes, s.n);
    expect_stream(d, &s);
    expect_over(d, 0);
    finished(d);
}
