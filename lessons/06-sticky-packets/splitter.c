#include "splitter.h"

#include <errno.h>
#include <stdlib.h>

/*
 * A proposal: the bytes lie in one piece of memory, and two numbers say which of them are
 * still to be given out. Change it as you like: nobody else looks into it. You may come to
 * want more: how far has been searched? is the stream lost?
 */
struct splitter {
    struct splitter_rule rule;
    unsigned char *bytes; /* those from begin to end were fed and not yet taken out */
    size_t begin, end, capacity;
};

struct splitter *splitter_new(const struct splitter_rule *rule)
{
    /* TODO 3, first: refuse a rule that makes no sense; make an empty splitter. */
    (void)rule; /* delete this line and the next two */
    errno = ENOSYS;
    return NULL;
}

int splitter_feed(struct splitter *splitter, const void *bytes, size_t n)
{
    /* TODO 4: put the n bytes behind those that are there. If there is no room, make it:
       how much, so that a million calls with one byte each do not move a million bytes
       each? */
    (void)splitter, (void)bytes, (void)n; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int splitter_next(struct splitter *splitter, const void **message, size_t *length)
{
    /*
     * TODO 5: is a whole message there? Begin with SPLIT_NONE, then SPLIT_FIXED, then
     * SPLIT_DELIMITER; then the maximum. Keep in mind how far you have searched: the next
     * call is to go on there.
     */
    (void)splitter, (void)message, (void)length; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

int splitter_end(struct splitter *splitter, const void **leftover, size_t *length)
{
    /* TODO 6: what is there and was not taken out, was left over. */
    (void)splitter, (void)leftover, (void)length; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

void splitter_free(struct splitter *splitter)
{
    /* TODO 3, second: give back all that splitter_new() and splitter_feed() have taken. */
    (void)splitter; /* delete this line */
}
