/*
 * pcapng.c: the packets' file, as draft-ietf-opsawg-pcapng describes it: one section, one
 * interface, nanoseconds. Written and read in this machine's byte order.
 */
#include "wire.h"

#include <string.h>

enum {
    SECTION = 0x0A0D0D0A,
    INTERFACE = 1,
    ENHANCED = 6,
    MAGIC = 0x1A2B3C4D,
    TSRESOL = 9,
    NAME = 2,
    NANOSECONDS = 9,
    HEAD = 8,         /* type and length of a block */
    PACKET_HEAD = 20, /* interface, two halves of the time, kept, length */
};

static bool put(FILE *file, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, file) == size;
}

static bool put_block(FILE *file, uint32_t type, const void *head, size_t head_size,
                      const void *body, size_t body_size)
{
    static const unsigned char zero[4];
    size_t padding = (4 - body_size % 4) % 4;
    uint32_t length = (uint32_t)(HEAD + head_size + body_size + padding + 4);
    return put(file, &type, 4) && put(file, &length, 4) && put(file, head, head_size) &&
           put(file, body, body_size) && put(file, zero, padding) &&
           put(file, &length, 4);
}

bool pcapng_begin(FILE *file, unsigned link_type, unsigned snap_length)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        int64_t length;
    } section = {.magic = MAGIC, .major = 1, .length = -1};
    const struct {
        uint16_t link_type, reserved;
        uint32_t snap_length;
        uint16_t name, name_length;
        char lo[4];
        uint16_t resolution, resolution_length;
        uint8_t nanoseconds, padding[3];
        uint16_t end, end_length;
    } interface = {.link_type = (uint16_t)link_type,
                   .snap_length = snap_length,
                   .name = NAME,
                   .name_length = 2,
                   .lo = "lo",
                   .resolution = TSRESOL,
                   .resolution_length = 1,
                   .nanoseconds = NANOSECONDS};
    return put_block(file, SECTION, &section, sizeof section, "", 0) &&
           put_block(file, INTERFACE, &interface, sizeof interface, "", 0);
}

bool pcapng_packet(FILE *file, int64_t t, const unsigned char *bytes, size_t kept,
                   size_t length)
{
    uint32_t head[] = {0, (uint32_t)((uint64_t)t >> 32), (uint32_t)t, (uint32_t)kept,
                       (uint32_t)length};
    return put_block(file, ENHANCED, head, sizeof head, bytes, kept);
}

static uint32_t word(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

void pcapng_read(const unsigned char *bytes, size_t size, packet_seen *seen,
                 void *context)
{
    unsigned link_type = 1;
    for (size_t at = 0; size - at >= HEAD + 4;) {
        const unsigned char *block = bytes + at;
        size_t length = word(block + 4);
        if (length < HEAD + 4 || length % 4 != 0 || length > size - at)
            return;
        size_t body = length - HEAD - 4;
        if (word(block) == INTERFACE && body >= 8)
            link_type = word(block + HEAD) & 0xFFFF;
        if (word(block) == ENHANCED && body >= PACKET_HEAD) {
            uint64_t t = (uint64_t)word(block + HEAD + 4) << 32 | word(block + HEAD + 8);
            size_t kept = word(block + HEAD + 12);
            if (kept > body - PACKET_HEAD || t > INT64_MAX)
                return;
            seen(context, (int64_t)t, link_type, block + HEAD + PACKET_HEAD, kept,
                 word(block + HEAD + 16));
        }
        at += length;
    }
}
