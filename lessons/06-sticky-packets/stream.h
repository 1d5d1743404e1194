/*
 * stream.h: all the bytes, or the reason why not.
 *
 *     read_exact    "give me n bytes": waits until all of them have come
 *     write_all     "take these n bytes": waits until the kernel has taken all of them
 *
 * recv() gives what is there, be it one byte; send() takes what there is room for. These
 * two keep at it. A stream is a connected socket of type SOCK_STREAM: TCP or AF_UNIX.
 * Blocking and non-blocking sockets are treated alike: a wait is a sleep in the kernel that
 * ends when the socket is ready, and takes no processor time. Nothing here raises SIGPIPE,
 * changes the descriptor, or keeps anything between two calls: safe in any thread.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>
#include <sys/types.h>

/*
 * read_exact: read n bytes, however many pieces they come in.
 *
 * fd   the stream; it is the caller's, and stays as it is
 * buf  room for n bytes. Nothing is written behind the last byte that came, no NUL either.
 * n    how many; at most SSIZE_MAX. With 0 nothing is read or waited for.
 *
 * Not a byte more than n is taken from the stream: the rest is there for the next call.
 * Returns n; or, only where the peer's stream ended before, the count of the bytes that had
 * come until then: 0 at an end between two messages, 1 to n - 1 at an end within one.
 * Or -1 with errno set; how many bytes had come is then not told:
 *   ECONNRESET  the peer has reset the connection
 *   EBADF       fd is not open (-1, for instance)
 *   or whatever else the system says of reading or waiting. EINTR and EAGAIN are no reasons
 *   to stop: neither a signal handler nor O_NONBLOCK is seen from outside.
 *
 * POSIX.1-2017: recv(), poll().
 */
ssize_t read_exact(int fd, void *buf, size_t n);

/*
 * write_all: write n bytes, however many pieces they leave in.
 *
 * fd   the stream; it is the caller's, and stays as it is
 * buf  the bytes, any bytes: a NUL is one of them
 * n    how many; at most SSIZE_MAX. With 0 nothing is sent or waited for.
 *
 * Waits for as long as the peer takes to make room: for ever, if it never reads.
 * Returns n: the kernel has all of them. (Not: the peer has them.)
 * Or -1 with errno set; how many bytes had been taken is then not told:
 *   EPIPE       the connection is over, by our own stream_end() or by the peer; no SIGPIPE
 *   ECONNRESET  the peer has reset the connection
 *   EBADF       fd is not open (-1, for instance)
 *   or whatever else the system says of writing or waiting. EINTR and EAGAIN are no reasons
 *   to stop.
 *
 * POSIX.1-2017: send(), MSG_NOSIGNAL, poll().
 */
ssize_t write_all(int fd, const void *buf, size_t n);

#endif
