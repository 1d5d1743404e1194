/*
 * guard.h: what keeps a test's process away from the runner that judges it.
 *
 * A test's process runs the student's code with the runner's rights and as its child. What the runner knows and what
 * it reports with must be out of its reach.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * guard_secret: n bytes of memory that a fork does not inherit (the child reads zeros). NULL if there is none to be
 * had.
 */
void *guard_secret(size_t n);

/* guard_runner: once, in the runner. control is the descriptor of the control channel, or -1. */
void guard_runner(int control);

/*
 * guard_fork: called before a test's fork; afterwards guard_forked() is the number of the process. The child has
 * then already lost the control channel.
 */
void guard_watch_fork(void (*started)(pid_t pid));

/*
 * guard_test: in the test's process, before anything of the student's runs. output becomes standard output and
 * standard error, standard input is empty, every other descriptor is closed, signals are as in a new program.
 */
void guard_test(int output);

/*
 * guard_sweep: in the runner: end and wait for every process that a test left. Returns how many there were.
 */
int guard_sweep(void);

#endif
