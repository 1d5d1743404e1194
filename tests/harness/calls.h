/*
 * calls.h: what the student's code asked the kernel, and faults put in its way.
 *
 * In unit tests the student's object is linked with its calls renamed (read becomes lab_call_read), so every call
 * of the student's passes through here, and none of the test's. The same layer, built as a shared object, is
 * loaded with LD_PRELOAD into whole programs (see FAULTS below).
 *
 * Tests speak of families, never of one function: a right program may use any member.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stddef.h>

enum call_family {
    CALLS_RECEIVE,  /* read readv recv recvfrom recvmsg */
    CALLS_SEND,     /* write writev send sendto sendmsg */
    CALLS_ACCEPT,   /* accept accept4 */
    CALLS_CONNECT,  /* connect */
    CALLS_WAIT,     /* poll ppoll select pselect epoll_wait epoll_pwait */
    CALLS_CLOSE,    /* close */
    CALLS_ALLOCATE, /* malloc calloc realloc */
    CALLS_SOCKET,   /* socket socketpair */
    CALLS_BIND,     /* bind */
    CALLS_LISTEN,   /* listen */
    CALLS_SHUTDOWN, /* shutdown */
    CALLS_OPTION,   /* getsockopt setsockopt */
    CALLS_NAME,     /* getsockname getpeername */
    CALLS_CONTROL,  /* fcntl ioctl dup dup2 dup3 */
    CALLS_FAMILIES
};

struct fault {
    int error; /* the call is not made: it returns -1 (NULL for CALLS_ALLOCATE) with this errno. 0: the call is made */
    size_t
        at_most; /* the call is made with at most this many bytes (receive and send families). 0: no limit.
                       MSG_WAITALL keeps its promise: such a receive is not shortened. */
    bool
        after; /* with error: make the call first and then report the error (connect with EINTR: the kernel
                       goes on connecting; close with EINTR: the descriptor is gone) */
};

/*
 * fault_once: the nth call from now (1: the next) that the student makes of this family gets the fault.
 * fault_each: every call from now of this family gets it, until fault_none().
 * Several may be pending; fault_once() goes before fault_each(). Faults end with the test.
 */
void fault_once(enum call_family family, unsigned nth, struct fault fault);
void fault_each(enum call_family family, struct fault fault);
void fault_none(void);

/* faults_taken: how many calls got a fault since the test began. 0 means that the student's code never made the call. */
unsigned faults_taken(void);

/* calls_made: how many calls of the family the student's code made since the test began, faults included. */
unsigned calls_made(enum call_family family);

/*
 * calls_text: the last calls made, oldest first, at most `most`, as "accept4(3) = -1 EINTR, accept4(3) = 5".
 * Returns a static buffer, valid until the next call.
 */
const char *calls_text(unsigned most);

/*
 * calls_blocked: the call in which the student's code now is, as "recv(4)", or NULL. Readable from another process
 * that shares the record (the runner, after it killed a test).
 */
const char *calls_blocked(void);

/*
 * Whole programs: LD_PRELOAD=liblabcalls.so with
 *   FAULTS="family:nth:error"    e.g. "accept:1:ECONNABORTED,receive:2:EINTR,send:each:max=1";
 *                                ":after" behind the error: the call is made first
 *   FAULTS_COUNT=FILE            at exit, write how many calls of each family were made ("accept 3" a line)
 * A FAULTS text that does not parse stops the program with status 125 and a line on standard error. For programs
 * built without AddressSanitizer, which wants to be the first library itself.
 */
#endif
