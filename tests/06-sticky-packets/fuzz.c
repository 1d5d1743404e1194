/*
 * Fuzz target of the splitter, for libFuzzer. An input is
 *   byte 0   mode (low 2 bits; 3 is no mode) and the delimiter's length - 1 (next 3 bits)
 *   byte 1   max_length; 255: no limit
 *   byte 2   fixed_length
 *   then     the delimiter, the length of the pieces (0: the length changes with each), and
 *            the stream
 * It aborts when splitter.h's promises are broken: the bytes that come out are those that
 * went in, in their order; no message is too long, holds its delimiter, or depends on how
 * the stream was cut.
 */
#define _GNU_SOURCE /* memmem() */
#include "splitter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void insist(bool promise)
{
    if (!promise)
        abort();
}

struct outcome {
    size_t messages, taken, leftover; /* counts of messages, and of bytes */
    bool lost;
};

/* Takes out what is there: each message must be what the stream has at this place. */
static int take_out(struct splitter *splitter, const struct splitter_rule *rule,
                    const uint8_t *stream, size_t fed, struct outcome *outcome)
{
    const void *message = NULL;
    size_t length = 0, d = rule->mode == SPLIT_DELIMITER ? rule->delimiter_length : 0;
    int result = 0;

    while ((result = splitter_next(splitter, &message, &length)) == 1) {
        insist(length <= rule->max_length);
        insist(rule->mode == SPLIT_DELIMITER || length > 0);
        insist(rule->mode != SPLIT_FIXED || length == rule->fixed_length);
        insist(outcome->taken + length + d <= fed);
        insist(length == 0 || memcmp(message, stream + outcome->taken, length) == 0);
        insist(d == 0 || memmem(stream + outcome->taken, length + d, rule->delimiter,
                                d) == stream + outcome->taken + length);
        outcome->taken += length + d;
        outcome->messages++;
    }
    if (result == -1)
        insist(errno == EMSGSIZE && rule->mode == SPLIT_DELIMITER);
    outcome->lost = result == -1;
    return result;
}

static struct outcome split(const struct splitter_rule *rule, const uint8_t *stream,
                            size_t n, size_t piece)
{
    struct outcome outcome = {0};
    const void *leftover = NULL;
    struct splitter *splitter = splitter_new(rule);
    insist(splitter != NULL);
    for (size_t fed = 0, size; fed < n && !outcome.lost; fed += size) {
        size = piece != 0 ? piece : stream[fed] % 7;
        size = size < n - fed ? size : n - fed;
        insist(splitter_feed(splitter, stream + fed, size) == 0);
        take_out(splitter, rule, stream, fed + size, &outcome);
        if (size == 0) { /* that was to be seen, too: 0 bytes add nothing */
            size = 1;
            insist(outcome.lost || splitter_feed(splitter, stream + fed, size) == 0);
        }
    }
    if (!outcome.lost)
        take_out(splitter, rule, stream, n, &outcome);
    int end = splitter_end(splitter, &leftover, &outcome.leftover);
    insist(end == (outcome.lost ? -1 : outcome.taken < n));
    if (end == 1)
        insist(outcome.taken + outcome.leftover == n &&
               memcmp(leftover, stream + outcome.taken, outcome.leftover) == 0);
    if (outcome.lost)
        insist(splitter_feed(splitter, stream, n) == -1 && errno == EMSGSIZE);
    splitter_free(splitter);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t d = size > 0 ? 1 + (data[0] >> 2) % SPLITTER_DELIMITER_MAX : 0;
    if (size < 3 + d + 1)
        return 0;
    struct splitter_rule rule = {.mode = (enum splitter_mode)(data[0] & 3),
                                 .max_length = data[1] == 255 ? SIZE_MAX : data[1],
                                 .fixed_length = data[2],
                                 .delimiter_length = d};
    memcpy(rule.delimiter, data + 3, d);
    bool makes_sense = rule.mode <= SPLIT_DELIMITER && rule.max_length > 0 &&
                       (rule.mode != SPLIT_FIXED ||
                        (rule.fixed_length > 0 && rule.fixed_length <= rule.max_length));
    if (!makes_sense) {
        insist(splitter_new(&rule) == NULL && errno == EINVAL);
        return 0;
    }
    size_t piece = data[3 + d], n = size - 3 - d - 1;
    const uint8_t *stream = data + size - n;
    struct outcome cut = split(&rule, stream, n, piece);
    struct outcome whole = split(&rule, stream, n, n + 1);
    if (rule.mode == SPLIT_NONE)
        insist(cut.taken == n && whole.taken == n);
    else
        insist(cut.messages == whole.messages && cut.taken == whole.taken &&
               cut.lost == whole.lost && cut.leftover == whole.leftover);
    return 0;
}
