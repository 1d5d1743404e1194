/*
 * judge.h: from what is left of a test's process to its result and the words for it.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "lab.h"
#include "page.h"

enum result { RESULT_PASS, RESULT_FAIL, RESULT_SKIP, RESULT_ERROR, RESULT_CRASH };

/* What is known of a test's process once it has ended. */
struct remains {
    const struct lab_test *test;
    const struct lab_page *page; /* a copy, the texts terminated */
    bool expected_exit;          /* Check saw it leave with the status drawn for it */
    int signal;                  /* the signal that ended it, or 0 */
    int status;                  /* else its exit status */
    bool late;                   /* Check's time limit ended it */
    int left_over;               /* processes that outlived it */
    double seconds;
    const char *output; /* what it printed, terminated */
};

struct outcome {
    enum result result;
    char peer[LAB_TEXT];
    char you[LAB_TEXT];
    char expected[LAB_TEXT];
    char likely[LAB_TEXT];
    char calls[CALLS_LINE];
    char blocked[CALLS_LINE];
};

void judge(const struct remains *remains, struct outcome *outcome);

/* judge_leak_check_failed: LeakSanitizer could not do its work here (no ptrace), whatever the test did. */
bool judge_leak_check_failed(const struct remains *remains);

const char *result_word(enum result result);

#endif
