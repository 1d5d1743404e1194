/*
 * What must hold for every format and every stream, however it is cut (libFuzzer).
 *
 * The first bytes of the input choose a format and the cuts, the rest is the stream. Aborts when a promise of frame.h is
 * broken; the sanitizers see to the memory: each piece lies in memory of its own size and is freed as soon as it may be.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -Ilessons/07-framed-protocol -o build/fuzz-frame \
 *         tests/07-framed-protocol/fuzz.c solutions/07-framed-protocol/frame.c
 *     build/fuzz-frame -max_total_time=60 tests/07-framed-protocol/corpus
 */
#include "frame.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 12, MOST_FRAMES = 4096 };

struct outcome {
    size_t frames, sizes[MOST_FRAMES],
        bodies[MOST_FRAMES]; /* of whole frames, and of their bodies */
    size_t over;             /* bytes */
    int result, error;
};

static void must(int holds)
{
    if (!holds)
        abort();
}

/* A body that was found can be encoded and found again: the same head but for what is filled in, the same body. */
static void encode_again(const struct frame_format *format, const struct frame *frame)
{
    struct frame again;
    struct frame_decoder decoder;
    unsigned char *out = malloc(format->max_length),
                  *storage = malloc(format->max_length);
    ssize_t n =
        frame_encode(format, frame->body, frame->body_size, out, format->max_length);
    must(n != -1 && (size_t)n <= frame->head_size +
                                     frame->body_size); /* a varint may become shorter */
    must(frame_decoder_init(&decoder, format, storage, format->max_length) == 0);
    must(frame_decoder_feed(&decoder, out, (size_t)n) == 0);
    must(frame_decoder_next(&decoder, &again) == 1 &&
         again.body_size == frame->body_size);
    must(again.body_size == 0 || memcmp(again.body, frame->body, again.body_size) == 0);
    must(frame_decoder_next(&decoder, &again) == 0 && frame_decoder_end(&decoder) == 0);
    must(n == 0 ||
         (frame_encode(format, frame->body, frame->body_size, out, (size_t)n - 1) == -1 &&
          errno == ENOSPC));
    free(out);
    free(storage);
}

/* One frame: where it should be in the stream, and as it should be. */
static void note(struct outcome *outcome, const struct frame_format *format,
                 const struct frame *frame, const uint8_t *stream, size_t at)
{
    size_t size = frame->head_size + frame->body_size;
    must(frame->body == frame->head + frame->head_size);
    must(frame->head_size >= format->body_offset && size <= format->max_length);
    must(memcmp(frame->head, stream + at, size) == 0);
    must(outcome->frames < MOST_FRAMES);
    outcome->sizes[outcome->frames] = size;
    outcome->bodies[outcome->frames++] = frame->body_size;
    encode_again(format, frame);
}

/* Decode the stream in pieces: the sizes of the cuts, over and over. */
static void decode(struct outcome *outcome, const struct frame_format *format,
                   const uint8_t *stream, size_t size, const uint8_t *cuts,
                   size_t cut_count)
{
    struct frame_decoder decoder;
    struct frame frame;
    unsigned char *storage = malloc(format->max_length), *piece = NULL;
    size_t fed = 0, found = 0;
    *outcome = (struct outcome){0};
    must(frame_decoder_init(&decoder, format, storage, format->max_length) == 0);
    for (size_t turn = 0; fed < size && outcome->result == 0; turn++) {
        size_t n = cut_count == 0 ? size : cuts[turn % cut_count];
        n = n < size - fed ? n : size - fed;
        if (n == 0 && (cut_count == 0 || turn % cut_count == cut_count - 1))
            n = 1; /* or it would never end */
        free(piece);
        piece = malloc(n > 0 ? n : 1);
        memcpy(piece, stream + fed, n);
        must(frame_decoder_feed(&decoder, piece, n) == 0);
        must(frame_decoder_feed(&decoder, piece, n) == -1 && errno == EBUSY);
        fed += n;
        while ((outcome->result = frame_decoder_next(&decoder, &frame)) == 1) {
            note(outcome, format, &frame, stream, found);
            found += frame.head_size + frame.body_size;
        }
    }
    if (outcome->result == -1) {
        outcome->error = errno;
        must(outcome->error == EMSGSIZE || outcome->error == EBADMSG);
        must(frame_decoder_next(&decoder, &frame) == -1 && errno == outcome->error);
    }
    outcome->over = frame_decoder_end(&decoder);
    must(outcome->over == fed - found);
    free(piece);
    free(storage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int fields[] = {1, 2, 4, 8, FRAME_VARINT, 3, 0, -1};
    static struct outcome whole, cut, single;
    if (size < HEAD || size > MOST_FRAMES)
        return 0;
    struct frame_format format = {.max_length = (size_t)(data[0] | data[1] << 8),
                                  .body_offset = data[2],
                                  .length_field_offset = data[3],
                                  .length_field_bytes = fields[data[4] % 8],
                                  .byte_order = data[5] % 4,
                                  .length_adjustment = (int8_t)data[6]};
    unsigned char small[1];
    struct frame_decoder decoder;
    if (!frame_format_valid(&format)) {
        must(frame_decoder_init(&decoder, &format, small, SIZE_MAX) == -1 &&
             errno == EINVAL);
        must(frame_encode(&format, "", 0, small, 1) == -1 && errno == EINVAL);
        return 0;
    }
    decode(&whole, &format, data + HEAD, size - HEAD, NULL, 0);
    decode(&cut, &format, data + HEAD, size - HEAD, data + 7, HEAD - 7);
    decode(&single, &format, data + HEAD, size - HEAD, (const uint8_t[]){1}, 1);
    const struct outcome *others[] = {&cut, &single};
    for (size_t i = 0; i < 2; i++) {
        must(others[i]->frames == whole.frames && others[i]->result == whole.result);
        must(memcmp(others[i]->sizes, whole.sizes, sizeof whole.sizes) == 0);
        must(memcmp(others[i]->bodies, whole.bodies, sizeof whole.bodies) == 0);
        must(whole.result == -1 ||
             others[i]->over == whole.over); /* after an error not all may be fed */
    }
    return 0;
}
