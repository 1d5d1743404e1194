/* judge.c: from what is left of a test's process to its result and the words for it. */
#define _GNU_SOURCE
#include "judge.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_SHOWN 6

const char *result_word(enum result result)
{
    static const char *const words[] = {"pass", "fail", "skip", "error", "crash"};

    return words[result];
}

__attribute__((format(printf, 5, 6))) static void
decide(struct outcome *to, enum result result, const char *expected, const char *likely,
       const char *you, ...)
{
    va_list args;

    va_start(args, you);
    vsnprintf(to->you, sizeof(to->you), you, args);
    va_end(args);
    to->result = result;
    lab_copy(to->expected, sizeof(to->expected), expected);
    if (likely)
        lab_copy(to->likely, sizeof(to->likely), likely);
}

/* ---- sanitizers' reports -------------------------------------------------------------------------- */

struct place {
    char text[160];
};

static size_t word(const char *at, const char *stops)
{
    return strcspn(at, stops);
}

static bool is_ours(const char *function)
{
    static const char *const ours[] = {"lab_call_",   "__interceptor", "__asan",
                                       "__sanitizer", "__ubsan",       "__lsan"};

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (strncmp(function, ours[i], strlen(ours[i])) == 0)
            return true;
    return false;
}

/* The first frame of a report that is a place in somebody's source: "    #1 0x55.. in read_exact /x/stream.c:12" */
static struct place find_place(const char *report)
{
    struct place place = {""};

    for (const char *at = report; (at = strstr(at, " in ")); at += 4) {
        const char *name = at + 4;
        size_t n = word(name, " \n");
        const char *file = name[n] == ' ' ? name + n + 1 : "";
        const char *base;
        size_t end;

        if (*file != '/' || is_ours(name) || strncmp(file, "/usr/", 5) == 0)
            continue;
        base = memrchr(file, '/', word(file, " \n"));
        if (memmem(file, word(file, "\n"), "libsanitizer", 12))
            continue;
        base++;
        end = word(base, ":\n");
        if (base[end] == ':') /* and the line's number, but not clang's column */
            end += 1 + strspn(base + end + 1, "0123456789");
        snprintf(place.text, sizeof(place.text), " in %.*s (%.*s)", (int)n, name,
                 (int)end, base);
        break;
    }
    return place;
}

static const char *likely_of_memory(const char *kind)
{
    if (strstr(kind, "overflow") || strstr(kind, "underflow"))
        return "a count or an index goes past the end of the buffer: check what each n counts";
    if (strstr(kind, "use-after"))
        return "the memory was given back, or its function has returned, before this use";
    if (strstr(kind, "free"))
        return "free() wants each pointer that malloc() returned, and each of them once";
    return "see the report below: its first lines say where";
}

static bool judge_address(const struct remains *remains, struct outcome *to)
{
    static const char head[] = "ERROR: AddressSanitizer: ";
    const char *report = strstr(remains->output, head);
    struct place place;
    char kind[80];

    if (!report)
        return false;
    place = find_place(report);
    report += strlen(head);
    if (strncmp(report, "attempting ", 11) == 0)
        report += 11;
    snprintf(kind, sizeof(kind), "%.*s", (int)word(report, " :\n"), report);
    if (strcmp(kind, "SEGV") == 0 || strcmp(kind, "BUS") == 0 || strcmp(kind, "FPE") == 0)
        decide(to, RESULT_CRASH, "", "a pointer was used that points to nothing of yours",
               "died of SIG%s%s", kind, place.text);
    else
        decide(to, RESULT_CRASH, "", likely_of_memory(kind), "%s%s", kind, place.text);
    return true;
}

static const char *likely_of_undefined(const char *report)
{
    if (strstr(report, "insufficient space") || strstr(report, "out of bounds"))
        return likely_of_memory("overflow");
    if (strstr(report, "null pointer"))
        return "a pointer was used that points to nothing of yours";
    return "the C standard does not say what this does: see the line named";
}

static bool judge_undefined(const struct remains *remains, struct outcome *to)
{
    static const char head[] = ": runtime error: ";
    const char *report = strstr(remains->output, head);
    const char *line = report, *base;

    if (!report)
        return false;
    while (line > remains->output && line[-1] != '\n')
        line--;
    base = memrchr(line, '/', (size_t)(report - line));
    base = base ? base + 1 : line;
    report += strlen(head);
    decide(to, RESULT_FAIL, "", likely_of_undefined(report),
           "undefined behaviour: %.*s (%.*s)", (int)word(report, "\n"), report,
           (int)word(base, ":") + 1 + (int)word(base + word(base, ":") + 1, ":"), base);
    return true;
}

static void judge_lost(const struct remains *remains, struct outcome *to)
{
    const char *summary = strstr(remains->output, "SUMMARY: ");
    const char *report = strstr(remains->output, "LeakSanitizer: detected memory leaks");
    const char *bytes = summary ? strpbrk(summary, "0123456789") : NULL;
    struct place place = find_place(report ? report : "");
    long n = bytes ? strtol(bytes, NULL, 10) : 0;

    if (n > 0)
        decide(
            to, RESULT_FAIL, "all memory freed",
            "a way out of the function, often the one after an error, misses its free()",
            "lost %ld bytes that it had allocated%s", n, place.text);
    else
        decide(to, RESULT_FAIL, "all memory freed",
               "a way out of the function misses its free()",
               "lost memory that it had allocated");
}

bool judge_leak_check_failed(const struct remains *remains)
{
    return remains->page->stage == STAGE_LEAKS && !remains->page->verdict &&
           strstr(remains->output, "LeakSanitizer has encountered a fatal error");
}

/* ---- how a process ended --------------------------------------------------------------------------- */

static void judge_exit(const struct remains *remains, struct outcome *to)
{
    const char *call = calls_exit_name(remains->page->exit_call);

    if (call && strcmp(call, "abort") == 0)
        decide(to, RESULT_FAIL, "returns to its caller",
               "a library function returns; only main decides to abort",
               "called abort()");
    else if (call)
        decide(to, RESULT_FAIL, "returns to its caller",
               "a library function returns; only main decides to exit", "called %s(%d)",
               call, remains->page->exit_status);
    else
        decide(to, RESULT_FAIL, "returns to its caller",
               "a library function returns; only main decides to exit",
               "the test's process ended with status %d before the test was over",
               remains->status);
}

static void judge_hang(const struct remains *remains, struct outcome *to)
{
    const char *blocked = calls_blocked();
    const char *waits = remains->page->waits;

    if (blocked)
        decide(to, RESULT_CRASH, "", NULL,
               "did not come to an end: stopped after %.1f s in %s", remains->seconds,
               blocked);
    else if (*waits)
        decide(to, RESULT_CRASH, "", NULL,
               "did not come to an end: stopped after %.1f s, while the peer waited %s",
               remains->seconds, waits);
    else
        decide(
            to, RESULT_CRASH, "", NULL,
            "did not come to an end: stopped after %.1f s, not in any call to the kernel",
            remains->seconds);
}

static void judge_signal(const struct remains *remains, struct outcome *to)
{
    const char *name = sigabbrev_np(remains->signal);
    const char *likely = NULL;

    if (remains->late || remains->signal == SIGKILL) {
        judge_hang(remains, to);
        return;
    }
    if (remains->page->exit_call && remains->signal == SIGABRT) {
        judge_exit(remains, to);
        return;
    }
    if (remains->signal == SIGPIPE)
        likely = "a write to a connection whose reader is gone raises SIGPIPE: "
                 "send with MSG_NOSIGNAL";
    else if (remains->signal == SIGSEGV || remains->signal == SIGBUS)
        likely = "a pointer was used that points to nothing of yours";
    else if (remains->signal == SIGABRT)
        likely = "an assert() failed, or the C library found its memory damaged";
    decide(to, RESULT_CRASH, "", likely, "died of SIG%s", name ? name : "?");
}

/* ---- the result ---------------------------------------------------------------------------------- */

static void judge_verdict(const struct remains *remains, struct outcome *to)
{
    const struct lab_page *page = remains->page;

    lab_copy(to->you, sizeof(to->you), page->you);
    lab_copy(to->expected, sizeof(to->expected), page->expected);
    switch (page->verdict) {
    case VERDICT_SKIP: to->result = RESULT_SKIP; break;
    case VERDICT_ERROR: to->result = RESULT_ERROR; break;
    case VERDICT_LOST: judge_lost(remains, to); break;
    default: to->result = RESULT_FAIL; break;
    }
}

static void judge_end(const struct remains *remains, struct outcome *to)
{
    const struct lab_page *page = remains->page;
    bool marked = page->mark == page->wanted && remains->expected_exit && !page->verdict;

    if (judge_address(remains, to) || judge_undefined(remains, to))
        return;
    if (page->verdict)
        judge_verdict(remains, to);
    else if (remains->signal || remains->late)
        judge_signal(remains, to);
    else if (!marked)
        judge_exit(remains, to);
    else if (remains->left_over)
        decide(to, RESULT_FAIL, "no process but its own",
               "wait for each child, and see that it waits for its own",
               "left a process running");
    else
        to->result = RESULT_PASS;
}

void judge(const struct remains *remains, struct outcome *to)
{
    const char *blocked;

    *to = (struct outcome){.result = RESULT_ERROR};
    calls_of(&remains->page->calls);
    lab_copy(to->peer, sizeof(to->peer), remains->page->peer);
    lab_copy(to->likely, sizeof(to->likely),
             *remains->page->likely ? remains->page->likely : remains->test->likely);
    judge_end(remains, to);
    lab_copy(to->calls, sizeof(to->calls), calls_text(CALLS_SHOWN));
    blocked = calls_blocked();
    lab_copy(to->blocked, sizeof(to->blocked), blocked);
}
