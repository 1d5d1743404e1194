/*
 * A hidden test's failure is told as a reason and nothing else: what the peer sent, what came back, what was expected and
 * what was printed would tell the test's data. Each of those may hold words of the submission's own, so nothing is copied
 * from them: they are searched for words that are known, and the known words are told. Of a place in a file only a line's
 * number is taken over, and only with the name of a file that the contract names.
 */
#define _GNU_SOURCE
#include "grade.h"

#include <stdlib.h>
#include <string.h>

struct reason {
    const char *sign, *told, *likely; /* likely NULL: the test's own */
};

static const char memory[] =
    "a count, an index or a pointer is wrong there: the line says where it showed";

/* In a sanitizer's report, by the words of the sanitizer. */
static const struct reason reports[] = {
    {"heap-buffer-overflow", "AddressSanitizer: heap-buffer-overflow", memory},
    {"stack-buffer-overflow", "AddressSanitizer: stack-buffer-overflow", memory},
    {"stack-buffer-underflow", "AddressSanitizer: stack-buffer-underflow", memory},
    {"global-buffer-overflow", "AddressSanitizer: global-buffer-overflow", memory},
    {"dynamic-stack-buffer-overflow", "AddressSanitizer: dynamic-stack-buffer-overflow",
     memory},
    {"heap-use-after-free", "AddressSanitizer: heap-use-after-free", memory},
    {"stack-use-after", "AddressSanitizer: stack-use-after-return or -scope", memory},
    {"double-free", "AddressSanitizer: double-free", memory},
    {"free on address which was not", "AddressSanitizer: bad-free", memory},
    {"bad-free", "AddressSanitizer: bad-free", memory},
    {"param-overlap", "AddressSanitizer: a copy whose source and target overlap", memory},
    {"negative-size-param", "AddressSanitizer: negative-size-param", memory},
    {"stack-overflow", "AddressSanitizer: stack-overflow", memory},
    {"AddressSanitizer: SEGV", "AddressSanitizer: SEGV", memory},
    {"AddressSanitizer: BUS", "AddressSanitizer: BUS", memory},
    {"AddressSanitizer: FPE", "AddressSanitizer: FPE", memory},
    {"AddressSanitizer: ", "a report of AddressSanitizer", memory},
    {"LeakSanitizer: ", "LeakSanitizer: memory leaks", NULL},
    {"signed integer overflow", "undefined behaviour: signed integer overflow", memory},
    {"out of bounds", "undefined behaviour: index out of bounds", memory},
    {"insufficient space", "undefined behaviour: an object that does not fit", memory},
    {"null pointer", "undefined behaviour: null pointer", memory},
    {"misaligned address", "undefined behaviour: misaligned address", memory},
    {"shift", "undefined behaviour: a shift too far", memory},
    {"division by zero", "undefined behaviour: division by zero", memory},
    {NULL, "undefined behaviour", memory}};

/* Said by the harness or by lab.bash of how a test ended (its "you"). */
static const struct reason endings[] = {
    {"did not come to an end", "did not come to an end in time", NULL},
    {"did not end within", "a program did not end in time", NULL},
    {"called abort()", "called abort()",
     "a library function returns; only main decides to abort"},
    {"called exit(", "ended the process",
     "a library function returns; only main decides to exit"},
    {"called _exit(", "ended the process",
     "a library function returns; only main decides to exit"},
    {"the test's process ended", "ended the process",
     "a library function returns; only main decides to exit"},
    {"died of SIGABRT", "died of SIGABRT",
     "an assert() failed, or the C library found its memory damaged"},
    {"died of SIGPIPE", "died of SIGPIPE",
     "a write to a connection whose reader is gone raises SIGPIPE: send with MSG_NOSIGNAL"},
    {"died of SIGSEGV", "died of SIGSEGV", memory},
    {"died of SIG", "was killed by a signal", NULL},
    {"left a process running", "left a process running", "wait for each child"},
    {"left a child process", "left a process running", "wait for each child"},
    {NULL, NULL, NULL}};

/* What the harness expected of every test (its "expected"). */
static const struct reason duties[] = {
    {"nothing left open", "left something open",
     "a way out of the function, often the one after an error, misses its close()"},
    {"no descriptor of the caller's closed", "closed a descriptor of the caller's",
     "close() only what you opened, and once: numbers are given out again"},
    {"no child process left", "left a child process", "each fork() wants its waitpid()"},
    {"every signal as it was", "changed what a signal does, or left one blocked",
     "what a signal does is the whole program's business: only main decides it"},
    {"all memory freed", "lost memory that it had allocated",
     "a way out of the function, often the one after an error, misses its free()"},
    {NULL, NULL, NULL}};

static const struct reason *found(const struct reason *reasons, const char *text)
{
    while (reasons->sign != NULL && (text == NULL || strstr(text, reasons->sign) == NULL))
        reasons++;
    return reasons;
}

static bool is_report(const char *text)
{
    return text != NULL && (strstr(text, "Sanitizer: ") != NULL ||
                            strstr(text, "undefined behaviour: ") != NULL);
}

/* "stream.c:12", of one of the student's files; NULL: no such place is named. The caller frees. */
static char *place_in(const char *text, char *const *files)
{
    enum { DIGITS = 5 };
    for (char *const *file = files; file != NULL && *file != NULL; file++)
        for (const char *at = text; (at = strstr(at, *file)) != NULL; at++) {
            const char *line = at + strlen(*file) + 1;
            int digits = (int)strspn(line[-1] == ':' ? line : "", "0123456789");
            if (digits > 0 && digits <= DIGITS)
                return text_format("%s:%.*s", *file, digits, line);
        }
    return NULL;
}

static char *add_place(const struct lesson *lesson, const char *told, const char *text)
{
    char *place = place_in(text, lesson->modules);
    if (place == NULL)
        place = place_in(text, lesson->programs);
    char *whole = text_format("%s%s%s", told, place != NULL ? ", at " : "",
                              place != NULL ? place : "");
    free(place);
    return whole;
}

static struct reason reason_of(const struct test *test)
{
    static const struct reason stopped[] = {
        [STOPPED_LATE] = {NULL, "did not come to an end in time", NULL},
        [STOPPED_GREEDY] =
            {NULL, "used more memory, or more processes, than anything here needs",
             "look for a loop that does not end, or a size that is wrong"},
        [STOPPED_CUT] = {
            NULL, "the test run ended before this test did",
            "only the test's own process may be ended, and only by returning from the function"}};
    const char *report = is_report(test->output) ? test->output : test->you;
    const struct reason *known = found(endings, test->you);
    if (test->stopped != STOPPED_NOT)
        return stopped[test->stopped];
    if (is_report(report))
        return *found(reports, report);
    if (known->told == NULL)
        known = found(duties, test->expected);
    return known->told != NULL
               ? *known
               : (struct reason){NULL, "something else happened than was promised", NULL};
}

static void set(char **to, char *value)
{
    free(*to);
    *to = value;
}

void hidden_redact(const struct lesson *lesson, struct test *test)
{
    struct reason reason = reason_of(test);
    const char *report = is_report(test->output) ? test->output
                         : test->you != NULL     ? test->you
                                                 : "";
    char *told = NULL;
    if (test->result == RESULT_FAIL)
        told = add_place(lesson, reason.told, report);
    else if (test->result == RESULT_SKIP && test->excused)
        told = text_copy("this machine lacks what it takes");
    else if (test->result == RESULT_SKIP)
        told = lesson_needs_text(lesson, test);
    else if (test->result != RESULT_PASS)
        told = text_copy("could not be checked");
    set(&test->you, told);
    set(&test->said, test->result == RESULT_FAIL ? text_copy(reason.likely) : NULL);
    set(&test->peer, NULL);
    set(&test->expected, NULL);
    set(&test->calls, NULL);
    set(&test->output, NULL);
}
