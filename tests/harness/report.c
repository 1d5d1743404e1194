/* report.c: how the runner tells results. */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int grader = -1;
static const char *grader_nonce;
static size_t grader_nonce_bytes;
static unsigned counts[RESULT_CRASH + 1];

void report_to_grader(int fd, const char *nonce, size_t nonce_bytes)
{
    grader = fd;
    grader_nonce = nonce;
    grader_nonce_bytes = nonce_bytes;
}

void report_to_person(void)
{
    grader = -1;
}

/* ---- records -------------------------------------------------------------------------------------- */

static void put(struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t n = writev(grader, parts, count);

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            _exit(2); /* nobody listens any more */
        for (; count > 0 && (size_t)n >= parts->iov_len; parts++, count--)
            n -= (ssize_t)parts->iov_len;
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + n;
            parts->iov_len -= (size_t)n;
        }
    }
}

/* One line, and after it the bytes of a field, if any. The nonce is read from where it is, never copied. */
static void record(const char *line, const char *bytes, size_t n)
{
    struct iovec parts[] = {
        {(void *)grader_nonce, grader_nonce_bytes},
        {" ", 1},
        {(void *)line, strlen(line)},
        {"\n", 1},
        {(void *)bytes, n},
        {"\n", 1},
    };

    put(parts, bytes ? 6 : 4);
}

static void field_bytes(const char *key, const char *bytes, size_t n)
{
    char line[64];

    if (n == 0)
        return;
    snprintf(line, sizeof(line), "field %s %zu", key, n);
    record(line, bytes, n);
}

static void field(const char *key, const char *text)
{
    field_bytes(key, text, strlen(text));
}

static void records_end(const struct lab_test *test, const struct outcome *outcome,
                        const char *output, double seconds)
{
    char line[512];

    if (outcome->result != RESULT_PASS) {
        field("peer", outcome->peer);
        field("you", outcome->you);
        field("expected", outcome->expected);
        field("likely", outcome->likely);
        field("output", output);
        field("calls", outcome->calls);
        field("blocked", outcome->blocked);
    }
    snprintf(line, sizeof(line), "end %s/%s %s %.1f", test->group, test->name,
             result_word(outcome->result), seconds * 1000);
    record(line, NULL, 0);
}

/* ---- text ----------------------------------------------------------------------------------------- */

static void line(const char *label, const char *text)
{
    if (*text)
        printf("            %-10s %s\n", label, text);
}

static void print_words(const char *name)
{
    for (; *name; name++)
        putchar(*name == '_' ? ' ' : *name);
}

static void print_heading(const char *group)
{
    static const char *last = "";

    if (strcmp(group, last) != 0)
        printf("%s  %s\n", *last ? "\n" : "", group);
    last = group;
}

static void print_output(const char *output)
{
    size_t n = strlen(output);

    if (n > 4000)
        n = 4000;
    if (n)
        printf("            output\n%.*s%s", (int)n, output,
               output[n - 1] == '\n' ? "" : "\n");
}

static void print_end(const struct lab_test *test, const struct outcome *outcome,
                      const char *output)
{
    static const char *const words[] = {"pass", "FAIL", "skip", "ERROR", "FAIL"};

    print_heading(test->group);
    printf("    %-5s ", words[outcome->result]);
    print_words(test->name);
    putchar('\n');
    if (outcome->result == RESULT_PASS)
        return;
    line("the peer", outcome->peer);
    line("you", outcome->you);
    line("expected", outcome->expected);
    if (outcome->result == RESULT_SKIP)
        return;
    line("likely", outcome->likely);
    line("calls", outcome->calls);
    if (test->read)
        printf("            %-10s README.md, \"%s\"%s%s\n", "read", test->read,
               test->man ? "    man " : "", test->man ? test->man : "");
    print_output(output);
}

/* ---- both ----------------------------------------------------------------------------------------- */

void report_begin(const char *group, const char *name, pid_t pid)
{
    char text[512];

    if (grader == -1)
        return;
    snprintf(text, sizeof(text), "begin %s/%s %d", group, name, (int)pid);
    record(text, NULL, 0);
}

void report_end(const struct lab_test *test, const struct outcome *outcome,
                const char *output, double seconds)
{
    counts[outcome->result]++;
    if (grader == -1)
        print_end(test, outcome, output);
    else
        records_end(test, outcome, output, seconds);
    fflush(stdout);
}

void report_unknown(const char *name)
{
    char text[512];

    counts[RESULT_ERROR]++;
    if (grader == -1) {
        printf("no such test: %s\n", name);
        return;
    }
    snprintf(text, sizeof(text), "begin %.400s 0", name);
    record(text, NULL, 0);
    field("you", "there is no such test");
    snprintf(text, sizeof(text), "end %.400s error 0", name);
    record(text, NULL, 0);
}

static unsigned all(void)
{
    unsigned sum = 0;

    for (int i = 0; i <= RESULT_CRASH; i++)
        sum += counts[i];
    return sum;
}

void report_done(uint64_t seed)
{
    if (grader == -1) {
        printf("\n  %u of %u passed", counts[RESULT_PASS], all());
        if (counts[RESULT_SKIP])
            printf(", %u skipped", counts[RESULT_SKIP]);
        printf("   SEED=%llu\n", (unsigned long long)seed);
    } else {
        record("done", NULL, 0);
    }
    fflush(stdout);
    if (counts[RESULT_FAIL] || counts[RESULT_CRASH])
        _exit(1);
    _exit(counts[RESULT_ERROR] ? 2 : 0);
}
