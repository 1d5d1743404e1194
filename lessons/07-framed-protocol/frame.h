/*
 * frame.h: messages with a length in front, on any stream of bytes.
 *
 *     frame_format_valid     can a format be used at all?
 *     frame_format_named     the two formats of this lesson's programs
 *     frame_encode           one message -> the bytes of its frame
 *     frame_decoder_init     bytes in, whole messages out: begin,
 *     frame_decoder_feed       lend it the bytes that a read gave,
 *     frame_decoder_next       take one frame after another,
 *     frame_decoder_end        and at the end of the stream: is something left over?
 *
 * Pure: nothing here reads, writes, allocates, waits or prints. Bytes are the caller's affair.
 *
 * A frame is a head and a body. The head holds the length field, and possibly more:
 *
 *     0           length_field_offset                       body_offset
 *     | anything  | length_field_bytes | anything           | body ...           |
 *     |<------------------------ at most max_length bytes ---------------------->|
 *
 *     bytes in the body = value of the length field + length_adjustment
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum frame_byte_order { FRAME_LITTLE_ENDIAN = 1, FRAME_BIG_ENDIAN };

/*
 * A length_field_bytes: the length takes 1 to 10 bytes, as in protocol buffers. Each carries
 * 7 bits, the least significant first, and has its top bit set if another follows: 300 is
 * ac 02. body_offset is where the body begins if the length takes one byte; each byte more
 * moves the body on by one.
 */
enum { FRAME_VARINT = 10 };

/* No format can have a greater max_length: 1 GiB. */
enum { FRAME_MAX_LENGTH = 1 << 30 };

struct frame_format {
    size_t max_length;                /* the most bytes of a frame, head and body */
    size_t body_offset;               /* where the body begins: the bytes of the head */
    size_t length_field_offset;       /* where the length begins */
    int length_field_bytes;           /* 1, 2, 4, 8, or FRAME_VARINT */
    enum frame_byte_order byte_order; /* of the length (a varint has one of its own) */
    int length_adjustment; /* bytes in the body less the length's value. 0: the length counts
                              the body; -body_offset: it counts the head too */
};

/*
 * frame_format_valid: can frames of this format be made and read?
 *
 * Returns true if all of this holds, else false:
 *   length_field_bytes is 1, 2, 4, 8 or FRAME_VARINT
 *   byte_order is one of the two; for a varint it may hold anything
 *   the length field ends at body_offset or before it (a varint counts as one byte)
 *   body_offset <= max_length <= FRAME_MAX_LENGTH: an empty body fits
 *   -body_offset <= length_adjustment <= max_length - body_offset
 * Any values may come, the greatest size_t too.
 */
bool frame_format_valid(const struct frame_format *format);

/*
 * frame_format_named: the format of that name.
 *
 *   "length32le"  4 bytes of length, little-endian, that count the body; then the body. A frame
 *                 of at most 2 MiB (2097152 bytes), head included.
 *   "length32be"  the same, big-endian
 *
 * Returns a pointer to a constant that is always there, or NULL if the name is another.
 */
const struct frame_format *frame_format_named(const char *name);

/*
 * frame_encode: make the frame of one message.
 *
 * body, n    the message; n may be 0, and body is then not looked at
 * out, size  where the frame goes, and the bytes there are for it; apart from body
 *
 * What the head has besides the length is set to 0: the caller fills it in afterwards. A varint
 * takes as few bytes as the length's value can be written in.
 * Returns the bytes of the frame, or -1 with errno set; whatever failed, no byte of out has
 * been changed:
 *   EINVAL    the format is not valid
 *   EMSGSIZE  the frame would have more than max_length bytes; or no length field of this
 *             format can say n: it is too great for the field, or less than length_adjustment
 *   ENOSPC    the frame does not fit into size bytes (and otherwise all is well)
 */
ssize_t frame_encode(const struct frame_format *format, const void *body, size_t n,
                     void *out, size_t size);

/* One frame, as frame_decoder_next() found it. The two parts lie together: head, then body. */
struct frame {
    const unsigned char
        *head; /* the length field and what else is in front of the body */
    size_t head_size;
    const unsigned char *body;
    size_t body_size; /* may be 0: body points behind the head all the same */
};

/*
 * What a decoder remembers between two reads of one stream; its members are for frame.c alone.
 * One for each stream, and for each direction of it. There is nothing to be freed.
 */
struct frame_decoder {
    struct frame_format format;
    unsigned char *storage; /* the caller's: the start of a frame that a read has cut */
    size_t kept;            /* bytes in storage */
    const unsigned char *input; /* what was lent, */
    size_t left;                /* so many bytes of it not taken yet, */
    bool lent;                  /* and next() has not returned 0 since */
};

/*
 * frame_decoder_init: begin to decode a stream.
 *
 * format   copied: it need not stay
 * storage  memory for one frame, which stays the caller's: as long as the decoder is used
 *          nobody else touches it
 * size     bytes there: at least the format's max_length
 *
 * Whatever arrives, the decoder has no need of more: a length from the wire is compared with
 * max_length before anything is done with it.
 * Returns 0, or -1 with errno set:
 *   EINVAL  the format is not valid, or size is too small
 */
int frame_decoder_init(struct frame_decoder *decoder, const struct frame_format *format,
                       void *storage, size_t size);

/*
 * frame_decoder_feed: lend the decoder the next n bytes of the stream.
 *
 * The stream may be cut anywhere, into pieces of any size, 0 too: the frames are the same. The
 * bytes must stay where they are, unchanged, until frame_decoder_next() has returned 0 (or the
 * decoder is not used any more): then all of them have been taken, and the buffer is free for
 * the next read.
 * Returns 0, or -1 with errno set:
 *   EBUSY  frame_decoder_next() has not returned 0 since the last successful feed. Nothing has
 *          changed: n bytes are still to be fed.
 */
int frame_decoder_feed(struct frame_decoder *decoder, const void *bytes, size_t n);

/*
 * frame_decoder_next: the next whole frame.
 *
 * frame  set if there is one. What it points to lies in the fed bytes or in storage, and is
 *        valid until the next call with this decoder.
 *
 * Each byte of the stream is copied once at most, into storage, and need not be copied at all
 * where a frame was fed whole. So the cost grows with the bytes of the stream, however they are
 * cut, and never with the square of a frame's size.
 * Returns 1 and sets *frame; or
 *   0   no whole frame is left: feed more. (Before the first feed, too.)
 *   -1  with errno set: the stream is not of this format, and nothing that follows can be
 *       trusted. It is told as soon as the length field is whole, without waiting for more;
 *       frames before it have been returned. The same again at each later call.
 *         EMSGSIZE  the frame would have more than max_length bytes, by whatever number
 *         EBADMSG   the length's value is less than -length_adjustment, so that the body would
 *                   have less than 0 bytes; or a varint is no number of 64 bits: a tenth byte
 *                   above 01
 *       (Where both can be said, as of a varint that has no end within max_length bytes, it
 *       is either.)
 * A varint that takes more bytes than it needs, as 80 00 for 0, is taken for its value.
 */
int frame_decoder_next(struct frame_decoder *decoder, struct frame *frame);

/*
 * frame_decoder_end: the stream is at its end. Was that between two frames?
 *
 * Returns how many bytes were fed that belong to no frame which frame_decoder_next() returned:
 * 0 if the stream ended where a frame did, more if it was cut short (or if frame_decoder_next()
 * was not called until it returned 0). The decoder is then as frame_decoder_init() left it, ready
 * for another stream, after an error too.
 */
size_t frame_decoder_end(struct frame_decoder *decoder);

#endif
