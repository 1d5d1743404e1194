/*
 * report.h: how the runner tells results: to a grader (records on a descriptor) or to a person (text).
 */
#ifndef REPORT_H
#define REPORT_H

#include "judge.h"

/* One of the two, before anything else. The nonce is not copied: it stays in its secret memory. */
void report_to_grader(int fd, const char *nonce, size_t nonce_bytes);
void report_to_person(void);

void report_begin(const char *group, const char *name, pid_t pid);
void report_end(const struct lab_test *test, const struct outcome *outcome,
                const char *output, double seconds);

/* A test that was asked for and does not exist. */
void report_unknown(const char *name);

/* The end of the run. */
void report_done(uint64_t seed);

#endif
