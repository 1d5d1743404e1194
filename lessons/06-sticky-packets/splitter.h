/*
 * splitter.h: a stream of bytes in, messages out.
 *
 *     splitter_new      agree on how messages are told apart
 *     splitter_feed     here are the bytes of another read
 *     splitter_next     the next whole message, if it is there
 *     splitter_end      the stream is over: what was left over?
 *     splitter_free     done
 *
 * It is pure: bytes in, messages out. Sockets, and when to read from them, are the caller's:
 *
 *     while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) {
 *         splitter_feed(splitter, bytes, (size_t)n);
 *         while (splitter_next(splitter, &message, &length) == 1)
 *             ... one message ...
 *     }
 *     splitter_end(splitter, &message, &length) ...
 *
 * The same bytes give the same messages, wherever the reads have cut them: with one byte a
 * read, with all in one read, with a cut in the middle of a delimiter. (SPLIT_NONE apart,
 * which is there to show what happens without.) The time for a whole stream is proportional
 * to its bytes, the maximum and the cuts make no difference to that. Memory follows what was
 * fed and not yet given out, never max_length: a splitter without a byte in it, or with one,
 * holds 64 KiB at most. It comes from malloc(), calloc() or realloc(), so that a lack of it
 * can be told.
 *
 * Each splitter stands for itself: one for each connection. Two may be used in two threads,
 * one in a thread at a time.
 */
#ifndef SPLITTER_H
#define SPLITTER_H

#include <stddef.h>

enum splitter_mode {
    SPLIT_NONE,     /* no messages: what has been fed, as it lies there */
    SPLIT_FIXED,    /* every message is fixed_length bytes long */
    SPLIT_DELIMITER /* every message ends with the delimiter, which is not part of it */
};

enum { SPLITTER_DELIMITER_MAX = 8 };

struct splitter_rule {
    enum splitter_mode mode;
    size_t max_length;       /* bytes a message may have, 1 or more; SIZE_MAX: no limit */
    size_t fixed_length;     /* SPLIT_FIXED: 1 to max_length */
    size_t delimiter_length; /* SPLIT_DELIMITER: 1 to SPLITTER_DELIMITER_MAX */
    unsigned char delimiter[SPLITTER_DELIMITER_MAX]; /* any bytes, NUL included */
};

/* What is in it is the business of splitter.c alone. */
struct splitter;

/*
 * splitter_new: make a splitter, with nothing in it.
 *
 * rule  is copied. Fields that its mode has no use for may hold anything.
 *
 * Returns a splitter that the caller hands to splitter_free(); or NULL with errno set:
 *   EINVAL  there is no such mode; or max_length, fixed_length or delimiter_length is not in
 *           its range
 *   ENOMEM  no memory
 */
struct splitter *splitter_new(const struct splitter_rule *rule);

/*
 * splitter_feed: add the next n bytes of the stream.
 *
 * bytes  is copied and stays the caller's; not memory of this splitter's own
 * n      any number; 0 adds nothing, and bytes may then be NULL
 *
 * May be called again before the messages are taken out: they wait, in their order.
 * Returns 0; or -1 with errno set, and then has taken none of the n bytes:
 *   ENOMEM    no memory; the splitter is as it was, and the call may be repeated
 *   EMSGSIZE  splitter_next() has said so before: this stream makes no sense any more
 */
int splitter_feed(struct splitter *splitter, const void *bytes, size_t n);

/*
 * splitter_next: take out the next message.
 *
 * message  where to put a pointer to its bytes. They are the splitter's: not to be changed
 *          or freed, and valid until the next call with this splitter, whichever it is.
 *          There is no NUL behind them, and there may be one among them.
 * length   where to put how many there are
 *
 * SPLIT_NONE       all that was fed and not yet given out, or its first max_length bytes: a
 *                  length of 1 or more
 * SPLIT_FIXED      the next fixed_length bytes
 * SPLIT_DELIMITER  the bytes before the first delimiter, of the leftmost in the bytes that
 *                  follow the last message's: "aaab" with the delimiter "aab" is "a", and
 *                  "aa" with the delimiter "a" is two messages. Nothing before a delimiter is
 *                  a message too, an empty one: length 0.
 *
 * Returns 1 with a message; 0 if there is none before more is fed; or -1 with errno set:
 *   EMSGSIZE  (SPLIT_DELIMITER) the next message is longer than max_length. It is told at
 *             the latest when max_length + delimiter_length bytes of it are there, and all
 *             messages before it have been taken out. From then on this and the other calls,
 *             splitter_free() apart, fail in the same way: behind a message without an end
 *             nobody knows where the next one begins.
 * *message and *length are set only together with 1.
 */
int splitter_next(struct splitter *splitter, const void **message, size_t *length);

/*
 * splitter_end: the stream has ended: was it in the middle of a message?
 *
 * Call it when splitter_next() has returned 0. What is left over are the bytes behind the
 * last message: they lack an end. Whether that is a cut message or, say, a last line
 * without its newline is for the caller to judge.
 *
 * leftover, length  where to put the bytes and their count, as splitter_next() does. They are
 *                   still the splitter's.
 *
 * Returns 1 with what is left over, a length of 1 or more; 0 if the stream ended between two
 * messages; or -1 with errno set:
 *   EMSGSIZE  splitter_next() has said so before
 * *leftover and *length are set only together with 1. Nothing is taken out: a second call
 * gives the same.
 */
int splitter_end(struct splitter *splitter, const void **leftover, size_t *length);

/* splitter_free: give back all that the splitter holds. NULL is nothing, and is done. */
void splitter_free(struct splitter *splitter);

#endif
