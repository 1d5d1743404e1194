/*
 * census.h: which descriptors and child processes this process has.
 *
 * The runner takes a census before each test's body and one after it. A descriptor or a child that is there only
 * afterwards fails the test ("left open: 5 (TCP socket 127.0.0.1:40123, listening)"), so does one that is gone
 * ("closed 4, which is the caller's"). Tests of a single call can take their own.
 */
#ifndef CENSUS_H
#define CENSUS_H

#include <stdbool.h>
#include <sys/types.h>

#define CENSUS_FDS      1024
#define CENSUS_CHILDREN 64

struct census {
    unsigned char open[CENSUS_FDS / 8]; /* a bit a descriptor, 0 to 1023 */
    int fds;      /* how many are open in all, those above 1023 included */
    int children; /* child processes, running or not yet waited for */
    pid_t child[CENSUS_CHILDREN];
};

/* census_take: count now. Descriptors and children of the harness itself are not counted. */
void census_take(struct census *census);

/*
 * census_difference: what changed from before to after, as a sentence, or NULL if nothing did. Static buffer, valid
 * until the next call.
 */
const char *census_difference(const struct census *before, const struct census *after);

/* census_fd_text: what fd is: "TCP socket 127.0.0.1:40123, listening", "pipe", "file /tmp/x", "not open". Static buffer. */
const char *census_fd_text(int fd);

/* census_hide: the harness's own fd: leave it out from now on. */
void census_hide(int fd);

#endif
