/*
 * page.h: what the harness's own files share, and what a test's process shares with the runner.
 *
 * Not for tests: those include lab.h, calls.h, peer.h and census.h.
 *
 * The page is one shared mapping. The test's process writes it, the runner reads a copy of it when that process has
 * ended, and believes nothing in it but numbers that it bounds and texts that it terminates: the student's code runs
 * beside it.
 */
#ifndef PAGE_H
#define PAGE_H

#include "calls.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LAB_TEXT   501 /* bytes of a story's line, the end included */
#define CALLS_KEPT 16  /* calls that the record keeps */
#define CALLS_LINE 512 /* bytes of a text about them */

enum call_state { CALL_EMPTY, CALL_RUNNING, CALL_DONE };

struct call_record {
    unsigned number; /* 1 is the first call of the test */
    pid_t thread;
    unsigned char call;
    unsigned char state;
    int fd; /* -1: the call is about no single descriptor */
    int error;
    long result;
};

struct calls_record {
    atomic_uint count;
    atomic_uint made[CALLS_FAMILIES];
    atomic_uint faulted;
    struct call_record ring[CALLS_KEPT];
};

enum lab_stage { STAGE_START, STAGE_BODY, STAGE_AFTER, STAGE_LEAKS };
enum lab_verdict {
    VERDICT_NONE,
    VERDICT_FAIL,
    VERDICT_LOST,
    VERDICT_SKIP,
    VERDICT_ERROR
};

struct lab_page {
    uint64_t wanted; /* drawn by the runner for each test ... */
    uint64_t mark;   /* ... and copied here as the last act of a test that passed */
    int status; /* the exit status, drawn as well, that a test's process leaves with */
    pid_t pid;  /* the test's process */
    int stage;
    int verdict;
    int exit_call; /* the first call of the exit family that the student's code made, as enum call; 0: none */
    int exit_status;
    char peer[LAB_TEXT];
    char you[LAB_TEXT];
    char expected[LAB_TEXT];
    char likely[LAB_TEXT];
    char waits[LAB_TEXT]; /* what a peer that the test joins still waits for */
    struct calls_record calls;
};

extern struct lab_page *lab_page;

/* lab.c */
void lab_begin(const char *group, const char *name, uint64_t seed, const char *likely);
bool lab_has_story(void); /* did the test tell lab_peer() anything? */
void lab_peer_told(const char *text);
_Noreturn void lab_end(enum lab_verdict verdict);
_Noreturn void lab_fail(const char *expected, const char *likely, const char *you);
void lab_copy(char *to, size_t size, const char *from);

/* calls.c */
void calls_share(struct calls_record *record);
void calls_of(
    const struct calls_record
        *record); /* calls_text() and calls_blocked() read that copy from now on */
const char *calls_exit_name(int call); /* "exit", or NULL */

/* peer.c */
int peers_running(void); /* started and not joined */

/* census.c: a descriptor of a peer's comes and goes while a census may be taken */
void census_lock(void);
void census_unlock(void);
void census_hide_locked(int fd, bool hidden);

#endif
