/*
 * peer.h: the other end of a connection, acting out a script.
 *
 * A peer is a thread that owns one descriptor and runs a list of steps, each of which waits for an event and never
 * for time. What it saw is in its report, so that a test can tell FIN from RST from the peer's side:
 *
 *     struct peer *peer = peer_start(fds[1], (struct peer_step[]){
 *         PEER_EXPECT(5), PEER_SEND("hello", 5), PEER_END, PEER_DRAIN, PEER_STOP});
 *     ... student's code ...
 *     const struct peer_report *report = peer_join(peer);
 *     lab_expect(report->end == PEER_SAW_END, "the end of the stream (FIN)", "sent %s", peer_end_text(report));
 *
 * Use one only when the test needs two sides to act at once; mostly the kernel's buffers allow the plain order
 * "peer sends, student reads".
 */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <sys/types.h>

enum peer_action {
    PEER_ACTION_STOP, /* end of the script; the descriptor stays open until peer_join() */
    PEER_ACTION_SEND, /* send all n bytes */
    PEER_ACTION_EXPECT, /* receive exactly n bytes, or up to the end of the stream */
    PEER_ACTION_DRAIN,  /* receive until the end of the stream or an error */
    PEER_ACTION_END,    /* shutdown(SHUT_WR): the student sees the end of the stream */
    PEER_ACTION_CLOSE,  /* close the descriptor */
    PEER_ACTION_RESET,  /* close with SO_LINGER 0: an RST */
    PEER_ACTION_ACCEPT /* the descriptor is a listener: accept one connection and go on with that (it owns both) */
};

struct peer_step {
    enum peer_action action;
    const void *bytes;
    size_t n;
};

#define PEER_STOP                 \
    {                             \
        PEER_ACTION_STOP, NULL, 0 \
    }
#define PEER_SEND(bytes, n)        \
    {                              \
        PEER_ACTION_SEND, bytes, n \
    }
#define PEER_EXPECT(n)              \
    {                               \
        PEER_ACTION_EXPECT, NULL, n \
    }
#define PEER_DRAIN                 \
    {                              \
        PEER_ACTION_DRAIN, NULL, 0 \
    }
#define PEER_END                 \
    {                            \
        PEER_ACTION_END, NULL, 0 \
    }
#define PEER_CLOSE                 \
    {                              \
        PEER_ACTION_CLOSE, NULL, 0 \
    }
#define PEER_RESET                 \
    {                              \
        PEER_ACTION_RESET, NULL, 0 \
    }
#define PEER_ACCEPT                 \
    {                               \
        PEER_ACTION_ACCEPT, NULL, 0 \
    }

enum peer_end {
    PEER_SAW_NOTHING, /* it never read up to an end */
    PEER_SAW_END,     /* recv() returned 0: FIN */
    PEER_SAW_RESET,   /* ECONNRESET or EPIPE: RST */
    PEER_SAW_ERROR    /* another error, in report.error */
};

#define PEER_KEEPS \
    65536 /* bytes of what was received that a report keeps; the rest is only counted */

struct peer_report {
    enum peer_end end;
    int error;       /* errno of the step that failed, or 0 */
    size_t received; /* bytes received in all */
    size_t sent;     /* bytes the kernel took in all */
    char bytes[PEER_KEEPS];
};

struct peer; /* opaque */

/*
 * peer_start: run steps (copied, up to PEER_STOP; the bytes they point to are not) on fd in a thread. The peer owns
 * fd from now on. Each step is told to lab_peer() when it is done, unless the test told a story of its own before.
 * Never fails: if no thread can be had the test ends as "could not check".
 */
struct peer *peer_start(int fd, const struct peer_step *steps);

/*
 * peer_join: wait for the script's end, close the descriptor, free the peer. Returns the report by pointer to
 * storage that lives until the next peer_join() of the test.
 */
const struct peer_report *peer_join(struct peer *peer);

/* peer_end_text: "the end of the stream (FIN)", "a reset (RST)", "nothing yet", or the error's symbol. */
const char *peer_end_text(const struct peer_report *report);

/*
 * peer_observe: for tests without a thread: read fd up to its end here and now (the calling thread; it blocks until
 * the end comes) and report. fd stays open.
 */
const struct peer_report *peer_observe(int fd);

#endif
