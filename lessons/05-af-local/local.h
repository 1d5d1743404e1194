/*
 * local.h: sockets of the family AF_LOCAL (AF_UNIX), which never leave the machine.
 *
 *     local_address           a path as bind(), connect() and sendto() take it
 *     local_listen            a server's first socket, for streams
 *     local_listen_packets    the same, for connections that keep messages apart
 *     local_connect           a connection to local_listen()'s server
 *     local_connect_packets   a connection to local_listen_packets()'s server
 *     local_bind_datagram     a datagram socket with a name, so that it can be answered
 *     local_unlink_stale      take away the file that a dead server left
 *     local_pair              two sockets, connected to each other, without any name
 *     peer_credentials        who is at the other end
 *     fd_send                 hand an open descriptor to another process
 *     fd_receive              take it there
 *
 * A path is the name of a socket file, or "@name" for an abstract name (see local_address).
 * Wherever one is asked for, local_address() decides what it means, and its errors are errors here
 * too.
 *
 * Every descriptor returned is close-on-exec, blocking, and is the caller's to close. On failure
 * no descriptor is left open, no file is left that was not there before, and errno is that of the
 * call that failed. No function changes the umask or the working directory (they belong to every
 * thread of the process), or raises SIGPIPE.
 */
#ifndef LOCAL_H
#define LOCAL_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * local_address: write the address that a path stands for.
 *
 * path     "/run/x.sock", "x.sock": a file, absolute or from the working directory; 107 bytes at
 *          the most, so that a NUL ends it within sun_path
 *          "@name": an abstract name (Linux). No file: the name lives in the kernel, for as long
 *          as a socket has it. It begins with a NUL byte, and may hold more: here '@' stands for
 *          each, as address_text() of lesson 02 writes it. 108 bytes at the most, '@' included:
 *          the length says where it ends, and no NUL is added.
 * address  where the address goes (what it held before does not matter)
 * length   where its length goes, for bind() and its kin: exact for an abstract name, as each
 *          byte counted is a byte of the name; for a file no less than up to the path's last byte
 *
 * Returns 0, or -1 with errno set (what address and length then hold is not defined):
 *   ENAMETOOLONG  path is longer than that. It is never cut: a cut path is another file.
 *   ENOENT        path is "", the name of no file
 *
 * POSIX.1-2017: sys/un.h. Linux: unix(7), pathname and abstract addresses.
 */
int local_address(const char *path, struct sockaddr_un *address, socklen_t *length);

/*
 * local_listen: open a listening stream socket.
 *
 * path     where; a file is made, with the rights 0777 that the umask leaves
 * backlog  connections that may wait to be accepted
 *
 * A file that is there already is never touched: see local_unlink_stale(). Once it has listened,
 * the file is the caller's to remove.
 * Returns the listener, or -1 with errno set:
 *   EADDRINUSE  path exists, whatever it is; or another socket has that abstract name
 *   ENOENT      a folder of path does not exist
 *   EACCES      a folder of path may not be searched or written to
 *   others      what socket(), bind() or listen() reported
 *
 * POSIX.1-2017: socket(), bind(), listen(). Linux: unix(7).
 */
int local_listen(const char *path, int backlog);

/*
 * local_listen_packets: the same with SOCK_SEQPACKET: connections, order and no loss, as a stream
 * has them, and each message is received as it was sent, whole and alone.
 *
 * Linux: unix(7).
 */
int local_listen_packets(const char *path, int backlog);

/*
 * local_connect: open a stream connection to a server; wait while its queue is full.
 *
 * A signal interrupts the wait and, unlike TCP's, ends the attempt: after EINTR there is no
 * connection, nor will there be one, so it is asked for again, as often as a signal comes.
 * Returns the connection, or -1 with errno set:
 *   ENOENT        there is no such file
 *   ECONNREFUSED  there is, but nobody listens: its server is dead, or it is no socket at all; or
 *                 nobody has that abstract name
 *   EACCES        the file may not be written to, or a folder of path may not be searched
 *   EPROTOTYPE    the socket there is of another type
 *   others        what socket() or connect() reported
 *
 * POSIX.1-2017: connect(). Linux: unix(7), connect(2).
 */
int local_connect(const char *path);

/* local_connect_packets: the same with SOCK_SEQPACKET, for local_listen_packets(). */
int local_connect_packets(const char *path);

/*
 * local_bind_datagram: open a datagram socket that has a name.
 *
 * path  as for local_listen(). NULL lets the kernel choose a free abstract name ("autobind").
 *
 * A datagram goes out without a name, too, but who receives it then has no address to answer to.
 * Returns the socket, not connected, or -1 with errno set as local_listen().
 *
 * POSIX.1-2017: socket(), bind(). Linux: unix(7), autobind feature.
 */
int local_bind_datagram(const char *path);

/*
 * local_unlink_stale: remove the socket file of a server that is dead, and nothing else.
 *
 * path  of a socket of any type: stream, datagram or packets. The file is looked at itself: a
 *       symbolic link is no socket.
 *
 * Never waits: not even where the server's queue is full. (A server may see, at most, a
 * connection that ends at once.) For an abstract name there is never anything to do: it goes with
 * its server. Between the look and the removal another process may start: two servers that start
 * at one moment need a lock.
 * Returns 0 if nothing is at path now, or lstat() said so (ENOENT; any other error of lstat(),
 * ENOTDIR too, is reported). Or -1 with errno set, and all is as before:
 *   EADDRINUSE  a socket is bound there, and listens, or receives datagrams: from anybody, or
 *               only from a peer of its own (connect() says EPERM)
 *   ENOTSOCK    what is there is no socket: a file, a folder, a link
 *   EACCES      it cannot be told, as the file may not be written to; or it may not be removed
 *   others      what lstat(), socket(), connect() or unlink() reported
 *
 * POSIX.1-2017: lstat(), connect(), unlink().
 */
int local_unlink_stale(const char *path);

/*
 * local_pair: open two stream sockets, connected to each other, both ways.
 *
 * fds  where the two descriptors go; as they were, if it fails
 *
 * Returns 0, or -1 with errno set as socketpair() did.
 *
 * POSIX.1-2017: socketpair().
 */
int local_pair(int fds[2]);

/*
 * peer_credentials: who was at the other end when it connected, called listen(), or made the pair.
 *
 * fd             a connected local socket (stream or packets), or one of a pair
 * pid, uid, gid  where the process and its effective user and group go; NULL for what is not wanted
 *
 * The kernel vouches for it: the peer cannot lie, and need not take part. But a process can end,
 * and its number be given to another; decide by uid and gid.
 * Returns 0, or -1 with errno set (pid, uid and gid are then as they were):
 *   ENOTCONN  the kernel knows of no peer: fd is not connected, or is not local (TCP)
 *   ENOTSOCK  fd is no socket
 *   EBADF     fd is not open
 *
 * Linux: unix(7), SO_PEERCRED.
 */
int peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid);

/*
 * fd_send: send an open descriptor over a connected local socket.
 *
 * fd      the connection
 * passed  what to send: any open descriptor. It stays open here, still the caller's to close.
 *
 * With it goes one byte, 0: a stream cannot carry a descriptor without a byte to hang it on. A
 * signal (EINTR) is no failure.
 * Returns 0, or -1 with errno set:
 *   EBADF   fd or passed is not open
 *   EPIPE   nobody will receive it (no SIGPIPE is raised)
 *   EAGAIN  fd is non-blocking, and full
 *   others  what sendmsg() reported
 *
 * POSIX.1-2017: sendmsg(), SCM_RIGHTS. Linux: unix(7), cmsg(3).
 */
int fd_send(int fd, int passed);

/*
 * fd_receive: take one byte, and the descriptor that came with it.
 *
 * The descriptor is new, and refers to the same open file as the sender's, as dup()'s would. No
 * byte after that one is taken. A signal (EINTR) is no failure. Whatever else came with the byte
 * is closed: a sender cannot fill this process's table of descriptors.
 * Returns the descriptor, or -1 with errno set, and no descriptor is left from what came:
 *   ENODATA  the peer has ended its stream, or sent an empty packet (0 bytes; what came with them
 *            is closed)
 *   EBADMSG  the byte came with no descriptor, or with more than one, or the kernel could not
 *            hand over all that was sent (MSG_CTRUNC), as when this process may open no more
 *   EAGAIN   fd is non-blocking, and nothing is there
 *   others   what recvmsg() reported
 *
 * POSIX.1-2017: recvmsg(), SCM_RIGHTS. Linux: unix(7), recvmsg(2).
 */
int fd_receive(int fd);

#endif
