#define _POSIX_C_SOURCE 200809L
#include "frame.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* A byte, and a byte of a varint: seven bits, and one that says "another follows". */
enum { BITS = 8, BYTE_MASK = 0xff, VARINT_BITS = 7, VARINT_MASK = 0x7f, MORE = 0x80 };

/* ---- formats --------------------------------------------------------------------- */

static bool is_varint(const struct frame_format *format)
{
    return format->length_field_bytes == FRAME_VARINT;
}

/* The bytes of the length that body_offset takes for granted. */
static size_t field_bytes(const struct frame_format *format)
{
    return is_varint(format) ? 1 : (size_t)format->length_field_bytes;
}

static bool field_valid(const struct frame_format *format)
{
    switch (format->length_field_bytes) {
    case FRAME_VARINT: return true;
    case 1:
    case 2:
    case 4:
    case 8:
        return format->byte_order == FRAME_LITTLE_ENDIAN ||
               format->byte_order == FRAME_BIG_ENDIAN;
    default: return false;
    }
}

/* Nothing is added that could overflow: each size is first compared with one known to be small. */
bool frame_format_valid(const struct frame_format *format)
{
    return field_valid(format) && format->max_length <= FRAME_MAX_LENGTH &&
           format->body_offset <= format->max_length &&
           format->length_field_offset <= format->body_offset &&
           field_bytes(format) <= format->body_offset - format->length_field_offset &&
           format->length_adjustment >= -(int)format->body_offset &&
           format->length_adjustment <= (int)(format->max_length - format->body_offset);
}

const struct frame_format *frame_format_named(const char *name)
{
    enum { LARGEST = 2 << 20 };
    static const struct frame_format little = {.max_length = LARGEST,
                                               .body_offset = 4,
                                               .length_field_bytes = 4,
                                               .byte_order = FRAME_LITTLE_ENDIAN};
    static const struct frame_format big = {.max_length = LARGEST,
                                            .body_offset = 4,
                                            .length_field_bytes = 4,
                                            .byte_order = FRAME_BIG_ENDIAN};
    if (strcmp(name, "length32le") == 0)
        return &little;
    return strcmp(name, "length32be") == 0 ? &big : NULL;
}

/* ---- the length's bytes ---------------------------------------------------------- */

/* How far to the left the byte at this place of a length of fixed size belongs. */
static size_t shift_at(const struct frame_format *format, size_t place)
{
    bool little = format->byte_order == FRAME_LITTLE_ENDIAN;
    return BITS * (little ? place : field_bytes(format) - 1 - place);
}

/* Write the length. Returns the bytes that it takes. */
static size_t put_varint(uint64_t length, unsigned char field[FRAME_VARINT])
{
    size_t n = 0;
    for (; length > VARINT_MASK; length >>= VARINT_BITS)
        field[n++] = (unsigned char)((length & VARINT_MASK) | MORE);
    field[n++] = (unsigned char)length;
    return n;
}

/* The same for one of fixed size; 0 if the length is too great for it. */
static size_t put_fixed(const struct frame_format *format, uint64_t length,
                        unsigned char field[FRAME_VARINT])
{
    size_t n = field_bytes(format);
    if (length >> (BITS * (n - 1)) > BYTE_MASK)
        return 0;
    for (size_t i = 0; i < n; i++)
        field[i] = (unsigned char)(length >> shift_at(format, i) & BYTE_MASK);
    return n;
}

/* Read the length from the n bytes that are there. Returns the bytes that it takes; 0 if more are
   needed to tell; -1 if this is no number. */
static int get_varint(const unsigned char *field, size_t n, uint64_t *length)
{
    *length = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == FRAME_VARINT - 1 && field[i] > 1)
            return -1; /* nine times seven bits: there is room for one more */
        *length |= (uint64_t)(field[i] & VARINT_MASK) << (VARINT_BITS * i);
        if (!(field[i] & MORE))
            return (int)i + 1;
    }
    return 0;
}

static int get_fixed(const struct frame_format *format, const unsigned char *field,
                     size_t n, uint64_t *length)
{
    if (n < field_bytes(format))
        return 0;
    *length = 0;
    for (size_t i = 0; i < field_bytes(format); i++)
        *length |= (uint64_t)field[i] << shift_at(format, i);
    return format->length_field_bytes;
}

/* ---- encoding -------------------------------------------------------------------- */

static int fail(int error)
{
    errno = error;
    return -1;
}

ssize_t frame_encode(const struct frame_format *format, const void *body, size_t n,
                     void *out, size_t size)
{
    if (!frame_format_valid(format))
        return fail(EINVAL);
    if (n > format->max_length || (int)n < format->length_adjustment)
        return fail(EMSGSIZE);
    uint64_t length = (uint64_t)((int64_t)n - format->length_adjustment);
    unsigned char field[FRAME_VARINT];
    size_t field_size =
        is_varint(format) ? put_varint(length, field) : put_fixed(format, length, field);
    size_t head_size = format->body_offset + field_size - field_bytes(format);
    if (field_size == 0 || head_size + n > format->max_length)
        return fail(EMSGSIZE);
    if (head_size + n > size)
        return fail(ENOSPC);
    unsigned char *head = out;
    memset(head, 0, head_size);
    memcpy(head + format->length_field_offset, field, field_size);
    if (n > 0)
        memcpy(head + head_size, body, n);
    return (ssize_t)(head_size + n);
}

/* ---- decoding -------------------------------------------------------------------- */

int frame_decoder_init(struct frame_decoder *decoder, const struct frame_format *format,
                       void *storage, size_t size)
{
    if (!frame_format_valid(format) || size < format->max_length)
        return fail(EINVAL);
    *decoder = (struct frame_decoder){.format = *format, .storage = storage};
    return 0;
}

int frame_decoder_feed(struct frame_decoder *decoder, const void *bytes, size_t n)
{
    if (decoder->lent)
        return fail(EBUSY);
    decoder->input = bytes;
    decoder->left = n;
    decoder->lent = true;
    return 0;
}

/* The sizes of a frame. While its length is not whole, all is one byte more than are there. */
struct extent {
    size_t head, all;
};

/* The length says: so many. Is that a frame? Compare first, add afterwards. */
static int extent_of(const struct frame_format *format, size_t head, uint64_t length,
                     struct extent *extent)
{
    int64_t least = -(int64_t)format->length_adjustment; /* "a body of 0 bytes" */
    int64_t most = least + (int64_t)format->max_length - (int64_t)head;
    if (least > 0 && length < (uint64_t)least)
        return fail(EBADMSG);
    if (most < 0 || length > (uint64_t)most)
        return fail(EMSGSIZE);
    *extent = (struct extent){head, head + (size_t)((int64_t)length - least)};
    return 0;
}

/* What do the n bytes say of the frame that they begin? */
static int measure(const struct frame_format *format, const unsigned char *bytes,
                   size_t n, struct extent *extent)
{
    size_t offset = format->length_field_offset;
    uint64_t length;
    int field_size = 0;
    if (n > offset)
        field_size = is_varint(format)
                         ? get_varint(bytes + offset, n - offset, &length)
                         : get_fixed(format, bytes + offset, n - offset, &length);
    if (field_size == -1)
        return fail(EBADMSG);
    if (field_size > 0)
        return extent_of(format,
                         format->body_offset + (size_t)field_size - field_bytes(format),
                         length, extent);
    if (n >= format->max_length)
        return fail(EMSGSIZE);
    *extent = (struct extent){.all = n + 1};
    return 0;
}

/* Move up to n bytes from the input to what is kept. */
static void keep(struct frame_decoder *decoder, size_t n)
{
    if (n > decoder->left)
        n = decoder->left;
    memcpy(decoder->storage + decoder->kept, decoder->input, n);
    decoder->kept += n;
    decoder->input += n;
    decoder->left -= n;
}

/* Hand out the frame that begins what is kept, or else the input. */
static void hand_out(struct frame_decoder *decoder, const struct extent *extent,
                     struct frame *frame)
{
    const unsigned char *head = decoder->storage;
    if (decoder->kept == 0) {
        head = decoder->input;
        decoder->input += extent->all;
        decoder->left -= extent->all;
    }
    decoder->kept = 0;
    *frame = (struct frame){head, extent->head, head + extent->head,
                            extent->all - extent->head};
}

int frame_decoder_next(struct frame_decoder *decoder, struct frame *frame)
{
    struct extent extent;
    for (;;) {
        bool cut = decoder->kept != 0;
        size_t n = cut ? decoder->kept : decoder->left;
        if (measure(&decoder->format, cut ? decoder->storage : decoder->input, n,
                    &extent) == -1)
            return -1;
        if (n >= extent.all) {
            hand_out(decoder, &extent, frame);
            return 1;
        }
        if (decoder->left == 0) {
            decoder->lent = false;
            return 0;
        }
        keep(decoder, extent.all - decoder->kept);
    }
}

size_t frame_decoder_end(struct frame_decoder *decoder)
{
    size_t over = decoder->kept + decoder->left;
    *decoder =
        (struct frame_decoder){.format = decoder->format, .storage = decoder->storage};
    return over;
}
