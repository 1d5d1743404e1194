/*
 * A run is one sandbox in which some of the tests are executed, one after another: the
 * unit program, or bats. Runs go on side by side. What a run says comes through a pipe
 * that the student's code does not have: from the unit program as records that begin with
 * a secret (see tests/harness/runner.c), from bats as TAP with a line when a test begins.
 *
 * A test counts only when its end was reported. One that reaches its limit is diagnosed
 * and killed, and costs no more than that: a new run takes up the tests that are left.
 * Was the machine too busy for the limit to be believed, the test is run once more at the
 * end, alone, with five times the limit.
 */
#define _GNU_SOURCE
#include "grade.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

static const double UNIT_LIMIT = 2, E2E_LIMIT = 5, START_LIMIT = 10, TICK = 0.1;
enum {
    SHARDS =
        2, /* of the unit tests, and of the end-to-end tests: they run side by side */
    RUNS = 2 * SHARDS,
    MEMORY_LIMIT_MIB = 1024,
    PROCESS_LIMIT = 100,
    CONFIRM = 5,
    STREAM_LIMIT = 8 << 20
};

struct run {
    bool e2e, hidden, active;
    pid_t pid;
    int from;            /* what it reports */
    int printed;         /* unit: memfd of what the runner itself printed */
    char nonce[33];      /* the secret that each record of the unit program begins with */
    struct test **tests; /* which it is to run */
    size_t count;
    struct test *current; /* begun and not ended */
    struct test *last;    /* bats: whose diagnostics come now */
    struct text stream;   /* reported and not yet read */
    struct text diagnostics;
    struct text fields[6]; /* of the record being received, in the order of field_names */
    double since;          /* when the current test began, or the last one ended */
    double factor;         /* of the limits: 1, or CONFIRM */
    struct load load;
    bool done;   /* the unit program said so */
    bool killed; /* the current test was killed by the grader, which knows why */
    int began;   /* how many tests began: no progress, no new run */
};

struct supervision {
    const struct sandbox *sandbox;
    struct lesson *lesson;
    const struct record *record;
    struct run runs[RUNS];
};

static const char *const field_names[] = {"peer",   "you",    "expected",
                                          "likely", "output", "calls"};
enum {
    FIELD_PEER,
    FIELD_YOU,
    FIELD_EXPECTED,
    FIELD_LIKELY,
    FIELD_OUTPUT,
    FIELD_CALLS,
    FIELDS
};

static void set(char **to, char *value)
{
    free(*to);
    *to = value;
}

static void judge(struct test *test, enum result result, char *you)
{
    test->result = result;
    if (you != NULL)
        set(&test->you, you);
}

/* What a test found without what it needs says nothing. */
static void skip(const struct lesson *lesson, struct test *test)
{
    judge(test, RESULT_SKIP, lesson_needs_text(lesson, test));
    test->unmet = true;
    set(&test->peer, NULL);
    set(&test->expected, NULL);
    set(&test->said, NULL);
    set(&test->calls, NULL);
    set(&test->output, NULL);
}

/* ---- starting a run ---------------------------------------------------------------- */

static void draw_nonce(char nonce[33])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        fatal("getrandom");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
}

/* The unit program's orders, written before it starts: they fit into the pipe. */
static int unit_orders(const struct supervision *s, struct run *run)
{
    int ends[2];
    struct text orders = {0};
    text_print(&orders, "nonce %s\nseed %llu\n", run->nonce,
               (unsigned long long)s->record->seed);
    for (size_t i = 0; i < run->count; i++)
        text_print(&orders, "run %s\n", run->tests[i]->id);
    if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[1], F_SETPIPE_SZ, 1 << 18) < 0 ||
        fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0 ||
        write(ends[1], orders.bytes, orders.length) != (ssize_t)orders.length)
        fatal("orders to the unit tests");
    close(ends[1]);
    text_free(&orders);
    return ends[0];
}

static void start_unit(const struct supervision *s, struct run *run, int to)
{
    char *number = text_format("%d", to);
    run->printed = memfd_create("unit", MFD_CLOEXEC);
    const char *const argv[] = {run->hidden ? "out/hidden" : "out/unit", "--control",
                                number, NULL};
    int orders = unit_orders(s, run);
    struct command command = {.argv = argv,
                              .limits = {.cpu_seconds = 60, .file_mib = 16},
                              .in = orders,
                              .out = run->printed,
                              .err = run->printed,
                              .extra = to,
                              .seed = s->record->seed};
    run->pid = sandbox_start(s->sandbox, &command);
    close(orders);
    free(number);
}

/* The test whose first line this is, if it is one of the run's. */
static const struct test *first_line_of(const struct run *run, const char *line)
{
    const char *quote = strrchr(line, '"');
    for (size_t i = 0; quote != NULL && i < run->count; i++) {
        const char *name = run->tests[i]->name;
        if (strlen(name) == (size_t)(quote - line - 7) &&
            strncmp(line + 7, name, strlen(name)) == 0)
            return run->tests[i];
    }
    return NULL;
}

/* e2e.bats, or hidden.bats, with the run's tests alone: bats reads each line of its file four times, in a shell. Returns the new file's
 * name; the caller frees. */
static char *bats_file(const struct supervision *s, const struct run *run)
{
    const char *kind = run->hidden ? "hidden" : "e2e";
    char *path = text_format("tests/%s/%s.bats", s->lesson->name, kind),
         *all = file_read(path, 1 << 20);
    char *name =
             text_format("tests/%s/%s-%td.bats", s->lesson->name, kind, run - s->runs),
         *place = text_format("%s/tree/%s", s->sandbox->workspace, name);
    FILE *file = all == NULL ? NULL : fopen(place, "we");
    bool test = false, wanted = true;
    for (char *line, *rest = all; file != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        if (!test && strncmp(line, "@test \"", 7) == 0) {
            test = true;
            wanted = first_line_of(run, line) != NULL;
        }
        if (wanted && (test || (*line != '\0' && strncmp(line, "# ", 2) != 0)))
            fprintf(file, "%s\n", line);
        if (test && strcmp(line, "}") == 0) {
            test = false;
            wanted = true;
        }
    }
    if (file == NULL || fclose(file) != 0)
        fatal("write %s", place);
    free(path);
    free(all);
    free(place);
    return name;
}

static void start_bats(const struct supervision *s, struct run *run, int to)
{
    char *file = bats_file(s, run);
    const char *const argv[] = {"bats", "--formatter", "cat", file, NULL};
    struct command command = {.argv = argv,
                              .limits = {.cpu_seconds = 60, .file_mib = 64},
                              .in = -1,
                              .out = to,
                              .err = to,
                              .extra = -1,
                              .seed = s->record->seed};
    run->pid = sandbox_start(s->sandbox, &command);
    free(file);
}

/* Why a sandbox here lacks what an end-to-end test requires: "ipv6", or a command. NULL: it has it, or that could not be
 * found out: then the test will tell. The caller frees. (What a unit test requires is asked by its runner.) */
static char *lacking(const struct sandbox *sandbox, const char *required)
{
    enum { LACKS = 7 };
    bool ipv6 = strcmp(required, "ipv6") == 0;
    const char *const argv[] = {
        "sh", "-c",
        ipv6 ? "grep -q '^0\\{31\\}1 ' /proc/net/if_inet6 || exit 7"
             : "command -v \"$0\" || exit 7",
        required, NULL};
    struct command command = {.argv = argv,
                              .limits = {.cpu_seconds = 10, .file_mib = 1},
                              .in = -1,
                              .out = -1,
                              .err = -1,
                              .extra = -1};
    int status = sandbox_wait(sandbox_start(sandbox, &command));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != LACKS)
        return NULL;
    return ipv6 ? text_copy("this machine has no IPv6 on loopback")
                : text_format("%s is not installed", required);
}

/* What was found to be lacking, by word: it is asked once. */
static void skip_for_want(struct supervision *s)
{
    for (size_t i = 0; i < s->lesson->count; i++) {
        struct test *test = &s->lesson->tests[i], *same = s->lesson->tests;
        if (!test->e2e || test->requires_ == NULL)
            continue;
        while (!same->e2e || same->requires_ == NULL ||
               strcmp(same->requires_, test->requires_) != 0)
            same++;
        char *want = same == test                  ? lacking(s->sandbox, test->requires_)
                     : same->result == RESULT_SKIP ? text_copy(same->you)
                                                   : NULL;
        if (want != NULL)
            judge(test, RESULT_SKIP, want);
    }
}

static bool may_run(const struct supervision *s, struct test *test)
{
    if (!lesson_needs_failed(s->lesson, test))
        return true;
    skip(s->lesson, test);
    return false;
}

/* Starts a run over those of the tests that are still to do. */
static void run_start(struct supervision *s, struct run *run, struct test **tests,
                      size_t count, bool e2e, double factor)
{
    *run = (struct run){.e2e = e2e, .factor = factor, .from = -1, .printed = -1};
    run->hidden = count > 0 && tests[0]->hidden;
    run->tests = calloc(count + 1, sizeof *run->tests);
    if (run->tests == NULL)
        fatal("out of memory");
    for (size_t i = 0; i < count; i++)
        if (tests[i]->result == RESULT_NONE && may_run(s, tests[i]))
            run->tests[run->count++] = tests[i];
    if (run->count == 0)
        return free(run->tests);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        fatal("pipe");
    int to = ends[1] >= 3 ? ends[1] : fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
    draw_nonce(run->nonce);
    if (e2e)
        start_bats(s, run, to);
    else
        start_unit(s, run, to);
    close(ends[1]);
    run->from = ends[0];
    fcntl(run->from, F_SETFL, O_NONBLOCK);
    run->active = true;
    run->since = seconds_now();
    run->load = load_now();
}

/* ---- what the unit program reports ------------------------------------------------- */

static void test_began(struct run *run, struct test *test)
{
    run->current = test;
    run->began++;
    run->since = seconds_now();
    run->load = load_now();
    run->killed = false;
    if (test != NULL)
        test->begun = true;
}

static char *take(struct text *text)
{
    char *printable =
        text->length == 0 ? NULL : text_printable(text->bytes, text->length);
    text_free(text);
    return printable;
}

static char *unit_output(const char *raw)
{
    char *trimmed = raw == NULL ? NULL : trim_sanitizer(raw);
    if (trimmed == NULL && raw != NULL)
        return trim_output(raw, 8);
    /* Undefined behaviour is told in one line, which the runner has made the test's "you" already. */
    bool told = trimmed != NULL && strncmp(trimmed, "UndefinedBehavior", 17) == 0 &&
                strchr(trimmed, '\n')[1] == '\0';
    if (told)
        set(&trimmed, NULL);
    return trimmed;
}

static void unit_ended(struct run *run, const char *result, double milliseconds)
{
    struct test *test = run->current;
    test->seconds = milliseconds / 1000;
    char *raw = take(&run->fields[FIELD_OUTPUT]);
    if (!run->killed) {
        test->result = strcmp(result, "pass") == 0    ? RESULT_PASS
                       : strcmp(result, "skip") == 0  ? RESULT_SKIP
                       : strcmp(result, "error") == 0 ? RESULT_ERROR
                                                      : RESULT_FAIL;
        set(&test->you, take(&run->fields[FIELD_YOU]));
        set(&test->said, take(&run->fields[FIELD_LIKELY]));
    }
    if (test->result != RESULT_PASS) {
        set(&test->peer, take(&run->fields[FIELD_PEER]));
        set(&test->calls, take(&run->fields[FIELD_CALLS]));
        set(&test->output, unit_output(raw));
        if (!run->killed)
            set(&test->expected, take(&run->fields[FIELD_EXPECTED]));
    }
    free(raw);
    run->current = NULL;
    run->since = seconds_now();
}

static bool in_run(const struct run *run, const struct test *test)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->tests[i] == test)
            return true;
    return false;
}

/* One line of the unit program's, without the secret. Returns the bytes of the field that
 * follows it, or 0. */
static size_t unit_line(struct supervision *s, struct run *run, char *line)
{
    char *word = strsep(&line, " ");
    char *last = line == NULL ? NULL : strrchr(line, ' ');
    if (strcmp(word, "done") == 0)
        run->done = true;
    if (last == NULL)
        return 0;
    *last++ = '\0';
    if (strcmp(word, "begin") == 0) {
        struct test *test = lesson_test(s->lesson, line, strlen(line));
        if (test != NULL && in_run(run, test) && test->result == RESULT_NONE)
            test_began(run, test);
        for (int i = 0; i < FIELDS; i++)
            text_free(&run->fields[i]);
    } else if (strcmp(word, "end") == 0 && run->current != NULL) {
        char *result = strrchr(line, ' ');
        if (result != NULL) {
            *result++ = '\0';
            if (strcmp(line, run->current->id) == 0)
                unit_ended(run, result, strtod(last, NULL));
        }
    } else if (strcmp(word, "field") == 0) {
        return strtoul(last, NULL, 10);
    }
    return 0;
}

static void keep_field(struct run *run, const char *name, const char *bytes, size_t n)
{
    for (int i = 0; i < FIELDS; i++)
        if (strcmp(name, field_names[i]) == 0) {
            text_free(&run->fields[i]);
            text_add(&run->fields[i], bytes, n);
        }
}

/* Reads one record from the stream's start. Returns how many bytes it took; 0: not all
 * there yet. */
static size_t unit_record(struct supervision *s, struct run *run, const char *bytes,
                          size_t length)
{
    const char *newline = memchr(bytes, '\n', length);
    if (newline == NULL)
        return 0;
    size_t n = (size_t)(newline - bytes), secret = strlen(run->nonce);
    if (n <= secret + 1 || memcmp(bytes, run->nonce, secret) != 0)
        return n + 1; /* whoever wrote this is not the runner */
    char *line = text_format("%.*s", (int)(n - secret - 1), bytes + secret + 1),
         *copy = text_copy(line);
    size_t body = strncmp(line, "field ", 6) == 0 ? unit_line(s, run, copy) : 0,
           taken = n + 1;
    if (strncmp(line, "field ", 6) != 0)
        unit_line(s, run, copy);
    else if (body > STREAM_LIMIT || length < n + 1 + body + 1)
        taken = body > STREAM_LIMIT ? n + 1 : 0;
    else {
        line[6 + strcspn(line + 6, " ")] = '\0';
        keep_field(run, line + 6, newline + 1, body);
        taken = n + 1 + body + 1;
    }
    free(line);
    free(copy);
    return taken;
}

/* ---- what bats reports ------------------------------------------------------------- */

static void stands(char **now, char *before)
{
    if (before != NULL)
        set(now, before);
}

/* Sets the story of the test that ended last, or was ended. What the grader saw itself stands. */
static void bats_diagnosed(struct run *run)
{
    struct test *test = run->killed ? run->current : run->last;
    if (test != NULL && test->result == RESULT_FAIL && run->diagnostics.bytes != NULL) {
        char *you = test->you, *expected = test->expected, *said = test->said;
        test->you = test->expected = test->said = NULL;
        trim_bats(test, run->diagnostics.bytes);
        stands(&test->you, you);
        stands(&test->expected, expected);
        stands(&test->said, said);
    }
    text_free(&run->diagnostics);
    run->last = NULL;
}

static void bats_ended(struct run *run, struct test *test, bool ok)
{
    test->seconds = seconds_now() - run->since;
    if (!run->killed)
        judge(test, ok ? RESULT_PASS : RESULT_FAIL, NULL);
    run->last = test;
    run->current = NULL;
    run->since = seconds_now();
}

static struct test *bats_test(struct supervision *s, struct run *run, const char *name)
{
    char *id = text_format("end to end/%s", name);
    struct test *test = lesson_test(s->lesson, id, strlen(id));
    free(id);
    return test != NULL && in_run(run, test) ? test : NULL;
}

/* "7 name" -> "name" */
static const char *after_number(const char *s)
{
    s += strspn(s, "0123456789");
    return *s == ' ' ? s + 1 : s;
}

static void bats_line(struct supervision *s, struct run *run, char *line)
{
    bool ok = strncmp(line, "ok ", 3) == 0;
    if (strncmp(line, "begin ", 6) == 0) {
        bats_diagnosed(run);
        struct test *test = bats_test(s, run, after_number(line + 6));
        if (test != NULL && test->result == RESULT_NONE)
            test_began(run, test);
    } else if ((ok || strncmp(line, "not ok ", 7) == 0) && run->current != NULL) {
        if (bats_test(s, run, after_number(line + (ok ? 3 : 7))) == run->current)
            bats_ended(run, run->current, ok);
    } else if (*line == '#' || run->current != NULL) {
        text_print(&run->diagnostics, "%s\n",
                   line + (strncmp(line, "# ", 2) == 0 ? 2 : *line == '#'));
    }
}

static size_t bats_record(struct supervision *s, struct run *run, const char *bytes,
                          size_t length)
{
    const char *newline = memchr(bytes, '\n', length);
    if (newline == NULL)
        return 0;
    char *line = text_printable(bytes, (size_t)(newline - bytes));
    bats_line(s, run, line);
    free(line);
    return (size_t)(newline - bytes) + 1;
}

/* ---- limits ------------------------------------------------------------------------ */

/* Its pipe ends with it: run_read() will come to the end of what it said. */
static void kill_run(struct supervision *s, struct run *run)
{
    sandbox_kill(s->sandbox, run->pid);
    run->pid = -1;
}

/* The student's own processes in this run: programs, or the test's process (the first is the runner). */
static size_t students(const struct run *run, const pid_t *pids, size_t n, pid_t *found)
{
    size_t count = 0;
    bool runner = run->e2e;
    for (size_t i = 0; i < n; i++) {
        if (!process_runs(pids[i], run->e2e      ? "/out/bin/"
                                   : run->hidden ? "/out/hidden"
                                                 : "/out/unit"))
            continue;
        if (runner)
            found[count++] = pids[i];
        runner = true;
    }
    return count;
}

/*
 * May a right program have hit this limit for want of a core? Not where everything sleeps, and nothing stirs; and not
 * where the student's code has had a quarter of the limit to itself: a right program needs a hundredth of that.
 */
static bool starved(const struct run *run, const pid_t *pids, size_t n, double limit)
{
    pid_t own[DIAGNOSE_MOST];
    size_t count = students(run, pids, n, own);
    return cpu_seconds(own, count) < limit / 4 && !all_asleep(pids, n);
}

/* Ends the test's process, so that the runner can report and go on; a crowd of processes is ended with the sandbox. */
static void kill_unit_test(struct supervision *s, struct run *run, const pid_t *pids,
                           size_t n)
{
    enum { FEW = 8 };
    pid_t own[DIAGNOSE_MOST];
    size_t count = students(run, pids, n, own);
    for (size_t i = 0; i < count && count <= FEW; i++)
        kill(own[i], SIGKILL);
    if (count == 0 || count > FEW)
        kill_run(s, run);
}

/* What the student's processes in this run were doing. NULL: none is alive. */
static char *what_they_do(const struct run *run, const pid_t *pids, size_t n,
                          double seconds)
{
    struct text made = {0};
    pid_t own[DIAGNOSE_MOST];
    size_t count = students(run, pids, n, own);
    for (size_t i = 0; i < count && i < 3; i++) {
        char *doing = diagnose(own[i]), *path = text_format("/proc/%d/comm", (int)own[i]);
        char *name = run->e2e ? file_read(path, 64) : NULL;
        text_print(&made, "%s", i > 0 ? "; " : "");
        if (name != NULL)
            text_print(&made, "%.*s ", (int)strcspn(name, "\n"), name);
        else if (i > 0)
            text_print(&made, "a process it started ");
        text_print(&made, "%s", doing);
        free(doing), free(path), free(name);
    }
    if (count > 0)
        text_print(&made, ", for %.1f s", seconds);
    if (count > 3)
        text_print(&made, "; it had %zu processes", count);
    errno = 0;
    return made.bytes;
}

/* The current test has gone too far: judge it, and end it. */
static void stop_test(struct supervision *s, struct run *run, char *why, bool unsure)
{
    pid_t pids[DIAGNOSE_MOST];
    struct test *test = run->current;
    size_t n = descendants(run->pid, pids, DIAGNOSE_MOST);
    char *doing = what_they_do(run, pids, n, seconds_now() - run->since);
    test->unsure = unsure;
    test->stopped = why != NULL ? STOPPED_GREEDY : STOPPED_LATE;
    test->seconds = seconds_now() - run->since;
    judge(
        test, RESULT_FAIL,
        why != NULL ? why
        : doing != NULL
            ? text_copy(doing)
            : text_copy(
                  "none of your programs was running, and the test still waited for one"));
    set(&test->expected,
        why != NULL ? NULL
                    : text_format("an end within %.0f s",
                                  (run->e2e ? E2E_LIMIT : UNIT_LIMIT) * run->factor));
    set(&test->said,
        why != NULL
            ? text_copy(
                  "nothing in this lesson needs so much: look for a loop that does not end, or a size that is wrong")
            : NULL);
    free(doing);
    run->killed = true;
    if (run->e2e)
        kill_run(s, run);
    else
        kill_unit_test(s, run, pids, n);
}

/* What no right program needs: gigabytes, or a crowd of processes. One that is at the end of its time has had less of it to take
 * memory in, where the machine is busy. */
static bool check_greed(struct supervision *s, struct run *run, bool late)
{
    pid_t pids[DIAGNOSE_MOST];
    size_t n = descendants(run->pid, pids, DIAGNOSE_MOST);
    size_t most = late ? MEMORY_LIMIT_MIB / 2 : MEMORY_LIMIT_MIB;
    if (n > PROCESS_LIMIT)
        stop_test(s, run, text_format("started %zu processes", n), false);
    else if (held_bytes(pids, n) >> 20 > most)
        stop_test(s, run,
                  text_format("used more than %zu MiB of memory%s", most,
                              late ? ", and had not ended" : ""),
                  false);
    else
        return false;
    return true;
}

static void check_limits(struct supervision *s, struct run *run)
{
    double spent = seconds_now() - run->since,
           limit = (run->e2e ? E2E_LIMIT : UNIT_LIMIT) * run->factor;
    if (run->pid < 0)
        return;
    if (run->current == NULL || run->killed) {
        if (spent > START_LIMIT * run->factor + (run->killed ? limit : 0))
            kill_run(s, run);
    } else if (run->e2e && spent > 3 * TICK &&
               lesson_needs_failed(s->lesson, run->current)) {
        skip(s->lesson, run->current);
        run->killed = true;
        kill_run(s, run);
    } else if (spent >= limit) {
        if (check_greed(s, run, true))
            return;
        pid_t pids[DIAGNOSE_MOST];
        size_t n = descendants(run->pid, pids, DIAGNOSE_MOST);
        bool unsure =
            run->factor == 1 && load_was_high(run->load) && starved(run, pids, n, limit);
        stop_test(s, run, NULL, unsure);
    } else if (spent > TICK) {
        check_greed(s, run, false);
    }
}

/* ---- the end of a run -------------------------------------------------------------- */

static void run_cut_short(struct run *run)
{
    struct test *test = run->current;
    if (test == NULL || run->killed)
        return;
    test->stopped = STOPPED_CUT;
    judge(test, RESULT_FAIL,
          text_copy(
              "the test run ended before this test did: something killed or stopped it"));
    set(&test->said,
        text_copy(
            "only the test's own process may be ended, and only by returning from the function"));
    if (run->diagnostics.bytes != NULL)
        set(&test->output, trim_output(run->diagnostics.bytes, 8));
}

/* Not one test began. Where a sandbox can run something else, it is the program: it asks for more than there is, say. */
static void not_started(const struct supervision *s, const struct run *run)
{
    bool programs_fault = !run->e2e && sandbox_works(s->sandbox);
    char printed[2000] = "";
    ssize_t n =
        run->printed < 0 ? 0 : pread(run->printed, printed, sizeof printed - 1, 0);
    if (run->diagnostics.length > 0)
        n = snprintf(printed, sizeof printed, "%s", run->diagnostics.bytes);
    char *printable =
        text_printable(printed, n > 0 ? strnlen(printed, sizeof printed - 1) : 0);
    for (size_t i = 0; i < run->count; i++)
        if (run->tests[i]->result == RESULT_NONE) {
            judge(run->tests[i], programs_fault ? RESULT_FAIL : RESULT_ERROR,
                  text_copy(programs_fault
                                ? "the tests could not be started with your code in them"
                                : "the tests could not be started"));
            if (programs_fault)
                set(&run->tests[i]->said,
                    text_copy("a variable that is larger than memory, or code that "
                              "changes how a program is loaded"));
            set(&run->tests[i]->output, trim_output(printable, 8));
        }
    free(printable);
}

/* The tests that this run did not come to, or ended without: a new run, unless this one
 * came to none. */
static void run_finish(struct supervision *s, struct run *run)
{
    if (run->pid > 0)
        sandbox_kill(s->sandbox, run->pid);
    close(run->from);
    run_cut_short(run);
    if (run->e2e)
        bats_diagnosed(run);
    for (int i = 0; i < FIELDS; i++)
        text_free(&run->fields[i]);
    struct run old = *run;
    run->active = false;
    if (old.began == 0)
        not_started(s, &old);
    if (old.printed >= 0)
        close(old.printed);
    run_start(s, run, old.tests, old.count, old.e2e, old.factor);
    text_free(&old.stream);
    text_free(&old.diagnostics);
    free(old.tests);
}

/* Reads what has come. Returns false at the end of the run's reports. */
static bool run_read(struct supervision *s, struct run *run)
{
    char buf[16384];
    ssize_t n = read(run->from, buf, sizeof buf);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return errno = 0, true;
    if (n <= 0 || run->stream.length > STREAM_LIMIT)
        return false;
    text_add(&run->stream, buf, (size_t)n);
    size_t taken = 0, one;
    while (taken < run->stream.length &&
           (one = (run->e2e ? bats_record : unit_record)(
                s, run, run->stream.bytes + taken, run->stream.length - taken)) > 0)
        taken += one;
    memmove(run->stream.bytes, run->stream.bytes + taken, run->stream.length - taken + 1);
    run->stream.length -= taken;
    return true;
}

static void run_all(struct supervision *s)
{
    for (;;) {
        struct pollfd wait[RUNS];
        struct run *runs[RUNS];
        nfds_t n = 0;
        for (int i = 0; i < RUNS; i++)
            if (s->runs[i].active) {
                runs[n] = &s->runs[i];
                wait[n++] = (struct pollfd){.fd = s->runs[i].from, .events = POLLIN};
            }
        if (n == 0)
            return;
        if (poll(wait, n, (int)(TICK * 1000)) < 0 && errno != EINTR)
            fatal("poll");
        for (nfds_t i = 0; i < n; i++) {
            if (wait[i].revents != 0 && !run_read(s, runs[i]))
                run_finish(s, runs[i]);
            else
                check_limits(s, runs[i]);
        }
    }
}

/* ---- all of it --------------------------------------------------------------------- */

/* Divides the tests of one kind: the longest of those left goes to the shard that has the least to do. (Of unit tests all are
 * taken to be as long.) */
static void share_out(struct lesson *lesson, bool e2e, bool hidden, int shards)
{
    int load[SHARDS] = {0};
    for (;;) {
        struct test *longest = NULL;
        for (size_t i = 0; i < lesson->count; i++) {
            struct test *test = &lesson->tests[i];
            if (test->e2e == e2e && test->hidden == hidden && test->shard < 0 &&
                (longest == NULL || test->lines > longest->lines))
                longest = test;
        }
        if (longest == NULL)
            return;
        longest->shard = 0;
        for (int shard = 1; shard < shards; shard++)
            if (load[shard] < load[longest->shard])
                longest->shard = shard;
        load[longest->shard] += longest->lines + 1;
    }
}

/* Starts the tests of one kind, in as many runs as there are cores for. */
static void start_kind(struct supervision *s, struct run *runs, bool e2e, bool hidden)
{
    struct test **tests = calloc(s->lesson->count + 1, sizeof *tests);
    if (tests == NULL)
        fatal("out of memory");
    int shards = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SHARDS : 1;
    share_out(s->lesson, e2e, hidden, shards);
    for (int shard = 0; shard < shards; shard++) {
        size_t n = 0;
        for (size_t i = 0; i < s->lesson->count; i++) {
            struct test *test = &s->lesson->tests[i];
            if (test->e2e == e2e && test->hidden == hidden && test->shard == shard)
                tests[n++] = test;
        }
        run_start(s, &runs[shard], tests, n, e2e, 1);
    }
    free(tests);
}

static void start_all(struct supervision *s, bool hidden)
{
    start_kind(s, s->runs + SHARDS, true, hidden);
    start_kind(s, s->runs, false, hidden);
}

/* Tests that were skipped for want of one that has passed since are to be done after all. */
static bool revive(struct lesson *lesson, bool hidden)
{
    bool any = false;
    for (size_t i = 0; i < lesson->count; i++) {
        struct test *test = &lesson->tests[i];
        if (!test->unmet || test->hidden != hidden || lesson_needs_failed(lesson, test))
            continue;
        test->unmet = false;
        test->result = RESULT_NONE;
        set(&test->you, NULL);
        any = true;
    }
    return any;
}

/* Runs again, with more time, what hit its limit on a busy machine; and what waited for it, until nothing waits. */
static void confirm(struct supervision *s, bool hidden)
{
    for (size_t i = 0; i < s->lesson->count; i++) {
        struct test *test = &s->lesson->tests[i];
        if (!test->unsure || test->hidden != hidden)
            continue;
        test->unsure = false;
        test->stopped = STOPPED_NOT;
        test->result = RESULT_NONE;
        set(&test->peer, NULL);
        set(&test->you, NULL);
        set(&test->expected, NULL);
        set(&test->said, NULL);
        run_start(s, &s->runs[0], &test, 1, test->e2e, CONFIRM);
        run_all(s);
    }
    if (revive(s->lesson, hidden)) {
        start_all(s, hidden);
        run_all(s);
        confirm(s, hidden);
    }
}

/* The hidden tests come last, when nothing runs any more that could look for them. */
static void run_hidden(struct supervision *s)
{
    bool units = lesson_has(s->lesson, false, true);
    if (!units && !lesson_has(s->lesson, true, true))
        return;
    sandbox_finish(s->sandbox);
    if (units)
        workspace_show_hidden(s->sandbox->workspace, "hidden");
    start_all(s, true);
    run_all(s);
    confirm(s, true);
}

void supervise(const struct sandbox *sandbox, struct lesson *lesson,
               const struct record *record)
{
    struct supervision s = {.sandbox = sandbox, .lesson = lesson, .record = record};
    skip_for_want(&s);
    start_all(&s, false);
    run_all(&s);
    confirm(&s, false);
    run_hidden(&s);
    sandbox_finish(sandbox);
    for (size_t i = 0; i < lesson->count; i++) {
        struct test *test = &lesson->tests[i];
        /* Even a pass means nothing without what it needs. */
        if (test->result != RESULT_ERROR && lesson_needs_failed(lesson, test))
            skip(lesson, test);
        else
            test->excused = test->result == RESULT_SKIP && !test->unmet;
        if (test->hidden)
            hidden_redact(lesson, test);
    }
}
