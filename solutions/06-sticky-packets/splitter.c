#include "splitter.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct splitter {
    struct splitter_rule rule;
    unsigned char *bytes; /* those from begin to end were fed and not yet taken out */
    size_t begin, end, capacity;
    size_t searched; /* so many bytes from begin on, no delimiter begins */
    bool lost;       /* a message was too long */
};

static bool makes_sense(const struct splitter_rule *rule)
{
    if (rule->max_length == 0)
        return false;
    switch (rule->mode) {
    case SPLIT_NONE: return true;
    case SPLIT_FIXED:
        return rule->fixed_length != 0 && rule->fixed_length <= rule->max_length;
    case SPLIT_DELIMITER:
        return rule->delimiter_length != 0 &&
               rule->delimiter_length <= SPLITTER_DELIMITER_MAX;
    }
    return false;
}

struct splitter *splitter_new(const struct splitter_rule *rule)
{
    if (!makes_sense(rule)) {
        errno = EINVAL;
        return NULL;
    }
    struct splitter *splitter = calloc(1, sizeof *splitter);
    if (splitter == NULL)
        return NULL;
    splitter->rule = *rule;
    if (rule->mode != SPLIT_DELIMITER)
        splitter->rule.delimiter_length = 0; /* nothing stands between two messages */
    return splitter;
}

/* Twice the room that is needed now: the next move then comes only after as many bytes as
   this one has moved, so that a byte is moved twice at most on average, however small the
   pieces. calloc() and not malloc(), as it knows when the product is too large. */
static bool make_room(struct splitter *splitter, size_t n)
{
    size_t kept = splitter->end - splitter->begin;
    unsigned char *bytes = calloc(kept + n, 2);
    if (bytes == NULL)
        return false;
    if (kept > 0)
        memcpy(bytes, splitter->bytes + splitter->begin, kept);
    free(splitter->bytes);
    splitter->bytes = bytes;
    splitter->begin = 0;
    splitter->end = kept;
    splitter->capacity = 2 * (kept + n);
    return true;
}

static int fail_as_lost(void)
{
    errno = EMSGSIZE;
    return -1;
}

int splitter_feed(struct splitter *splitter, const void *bytes, size_t n)
{
    if (splitter->lost)
        return fail_as_lost();
    if (n == 0)
        return 0;
    if (n > splitter->capacity - splitter->end && !make_room(splitter, n))
        return -1;
    memcpy(splitter->bytes + splitter->end, bytes, n);
    splitter->end += n;
    return 0;
}

/* Goes on where the last call stopped. A place is looked at only when as many bytes as the
   delimiter has are there: so one that was cut is found when the rest of it has come. */
static bool find_delimiter(struct splitter *splitter)
{
    const struct splitter_rule *rule = &splitter->rule;
    const unsigned char *message = splitter->bytes + splitter->begin;
    size_t there = splitter->end - splitter->begin;

    while (splitter->searched <= rule->max_length &&
           there - splitter->searched >= rule->delimiter_length) {
        if (memcmp(message + splitter->searched, rule->delimiter,
                   rule->delimiter_length) == 0)
            return true;
        splitter->searched++;
    }
    splitter->lost = splitter->searched > rule->max_length;
    return false;
}

static bool find_message(struct splitter *splitter, size_t *length)
{
    const struct splitter_rule *rule = &splitter->rule;
    size_t there = splitter->end - splitter->begin;

    if (there == 0)
        return false;
    switch (rule->mode) {
    case SPLIT_NONE:
        *length = there < rule->max_length ? there : rule->max_length;
        return true;
    case SPLIT_FIXED: *length = rule->fixed_length; return there >= rule->fixed_length;
    case SPLIT_DELIMITER: break;
    }
    bool found = find_delimiter(splitter);
    *length = splitter->searched;
    return found;
}

int splitter_next(struct splitter *splitter, const void **message, size_t *length)
{
    size_t found = 0;
    if (!splitter->lost && find_message(splitter, &found)) {
        *message = splitter->bytes + splitter->begin;
        *length = found;
        splitter->begin += found + splitter->rule.delimiter_length;
        splitter->searched = 0;
        return 1;
    }
    return splitter->lost ? fail_as_lost() : 0;
}

int splitter_end(struct splitter *splitter, const void **leftover, size_t *length)
{
    if (splitter->lost)
        return fail_as_lost();
    if (splitter->begin == splitter->end)
        return 0;
    *leftover = splitter->bytes + splitter->begin;
    *length = splitter->end - splitter->begin;
    return 1;
}

void splitter_free(struct splitter *splitter)
{
    if (splitter == NULL)
        return;
    free(splitter->bytes);
    free(splitter);
}
