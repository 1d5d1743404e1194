/*
 * test_student.h: a student's code as the harness's own tests need it: some of it right, most of it wrong.
 *
 * test_student.c is compiled and its calls are renamed as those of a student's file are.
 */
#ifndef TEST_STUDENT_H
#define TEST_STUDENT_H

#include <stddef.h>
#include <sys/types.h>

/* Plain calls, made from the student's side. */
ssize_t student_read(int fd, void *buf, size_t n);
ssize_t student_recv(int fd, void *buf, size_t n, int flags);
ssize_t student_recvmsg(int fd, void *buf, size_t n, int flags);
ssize_t student_readv(int fd, void *one, size_t n_one, void *two, size_t n_two);
ssize_t student_write(int fd, const void *buf, size_t n);
ssize_t student_writev(int fd, const void *one, size_t n_one, const void *two,
                       size_t n_two);
int student_accept(int fd);
int student_connect(int fd, int port);
int student_close(int fd);
int student_poll(int fd, int timeout);
int student_socket(void);
int student_fcntl_flags(int fd);
long student_syscall_read(int fd, void *buf, size_t n);
void *student_malloc(size_t n);
char *student_strdup(const char *text);
void student_free(void *memory);
int student_lock_rightly(void); /* 0: all was as it should be */

/* Wrong ones. */
void student_exit(int status);
void student_underscore_exit(int status);
void student_quick_exit(int status);
void student_exit_group(int status);
void student_bare_exit(
    void); /* the instruction itself: no function that could be renamed */
void student_pthread_exit(void);
void student_abort(void);
void student_segfault(void);
void student_leak(size_t n);
void student_leak_descriptor(int fd);
void student_leave_child(void);
void student_leave_orphan(void);
void student_overflow(size_t n);
int student_overflow_int(int n);
void student_ignore_sigpipe(void);
void student_block_sigint(void);
void student_write_to_gone_reader(int fd);
void student_loop(void);
void student_write_everywhere(const char *text);
void student_print_for_ever(void);
void student_close_everything(void);
int student_kill_runner(void);
int student_trace_runner(void);
int student_open_runner(const char *file);
void student_unlock_unlocked(void);
void student_lock_twice(void);
void student_wait_unlocked(void);

#endif
