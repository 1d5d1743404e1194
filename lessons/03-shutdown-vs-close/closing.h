/*
 * closing.h: end a stream, and know what the peer gets.
 *
 *     stream_end      "I have said all": the peer reads on to the end of the stream (FIN)
 *     stream_drain    "let me hear you out": read and throw away, up to the peer's end
 *     stream_close    both, then close: the peer gets every byte
 *     stream_abort    "not a word more": the peer gets an error (RST)
 *
 * A stream is a connected socket of type SOCK_STREAM: TCP, or AF_UNIX where the text says
 * so. Blocking and non-blocking sockets are treated alike. Nothing here raises SIGPIPE,
 * or keeps anything between two calls: safe in any thread.
 */
#ifndef CLOSING_H
#define CLOSING_H

#include <stddef.h>
#include <sys/types.h>

/*
 * stream_end: end the stream in our direction, and only in ours.
 *
 * The peer reads every byte that was sent before, and then the end of the stream. What
 * the peer sends can be read as before; fd stays open and is still the caller's to close.
 * The connection is ended, not the descriptor: whoever else holds it, by dup() or fork(),
 * cannot send any more either.
 * Returns 0, or -1 with errno set:
 *   ENOTCONN  fd is not connected, or no longer: the peer has reset the connection (TCP)
 *   ENOTSOCK  fd is no socket
 *   EBADF     fd is not open
 *
 * POSIX.1-2017: shutdown(). Linux: shutdown(2), tcp(7).
 */
int stream_end(int fd);

/*
 * stream_drain: read what the peer still sends, up to the end of its stream, and throw it
 * away.
 *
 * limit_bytes  the most that the peer may send. That many bytes and then the end are
 *              right; SIZE_MAX is no limit.
 * timeout_ms   milliseconds that the whole call may take (CLOCK_MONOTONIC: setting the
 *              time of day changes nothing), however often the peer sends something, and
 *              however often a signal comes
 *              0: waits for nothing, and reads until nothing is there; a peer that sends
 *              without a pause is then stopped by limit_bytes alone
 *              negative: waits for as long as it takes
 *
 * A peer that is too fast is stopped by limit_bytes, one that is too slow by timeout_ms.
 * Waiting is sleeping: it takes no processor time. fd stays open, blocking or non-blocking
 * as it was, with the options it had. Our own direction is untouched.
 * Returns the number of bytes thrown away, 0 if the end was all that came; or -1 with
 * errno set (how many bytes were thrown away until then is not told):
 *   EMSGSIZE    the peer sent more than limit_bytes
 *   ETIMEDOUT   the time is over, and the end of the stream has not come
 *   ECONNRESET  the peer has reset the connection
 *   EBADF       fd is not open (-1, for instance)
 *   or whatever else the system says of reading or waiting. EINTR and EAGAIN are no
 *   reasons to stop.
 *
 * For TCP and AF_UNIX. POSIX.1-2017: recv(), poll(), clock_gettime().
 */
ssize_t stream_drain(int fd, size_t limit_bytes, int timeout_ms);

/* What stream_close() grants a peer that goes on sending, or that does not end. */
enum { STREAM_CLOSE_LIMIT_BYTES = 128 * 1024, STREAM_CLOSE_TIMEOUT_MS = 250 };

/*
 * stream_close: end our stream, wait for the peer to end its own, then close fd.
 *
 * With 0 the peer gets every byte that we sent, and then the end of our stream: it has
 * sent its last byte, so nothing that we leave unread can make close() reset the
 * connection. (The kernel goes on delivering after the return, for as long as the peer
 * goes on reading.) As stream_end() does, it ends the stream for every duplicate of fd.
 * fd is closed in every case, and only once: an error of close() itself, EINTR included,
 * changes nothing about that and is not reported.
 * Returns 0, or -1 with the errno of what failed first:
 *   ENOTCONN, ENOTSOCK, EBADF  as stream_end(); nothing is waited for
 *   EMSGSIZE   the peer sent more than STREAM_CLOSE_LIMIT_BYTES that we had not read
 *   ETIMEDOUT  it did not end its stream within STREAM_CLOSE_TIMEOUT_MS
 *   or another error of stream_drain(). In these cases the peer may get everything, or
 *   not.
 *
 * For TCP and AF_UNIX. POSIX.1-2017: close(). Linux: close(2).
 */
int stream_close(int fd);

/*
 * stream_abort: throw the connection away, and close fd.
 *
 * What was sent and is not yet with the peer is lost. The peer's next calls fail with
 * ECONNRESET (or EPIPE) in place of the end of the stream. No trace of the connection
 * stays in this kernel, TIME_WAIT least of all. It needs fd to be the only descriptor of
 * the connection: with another one open, the reset waits for the last close().
 * AF_UNIX knows no reset: there it is an ordinary close(), and returns 0.
 * Returns 0, or -1 with errno set. fd is closed even then, unless it was not open:
 *   ENOTSOCK  fd is no socket
 *   EBADF     fd is not open
 *
 * Linux: socket(7), SO_LINGER. POSIX.1-2017: setsockopt(), close().
 */
int stream_abort(int fd);

#endif
