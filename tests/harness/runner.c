/*
 * runner.c: the main program of every lesson's unit tests.
 *
 *     unit                      run all tests, print what happened
 *     unit --only GROUP/NAME    run that one, or all of GROUP
 *     unit --list               one line a test, its fields between tabs
 *     unit --control FD         be run by the grader: orders on standard input, records on FD
 *
 * Each test runs in a process of its own, forked by Check, that leaves with an exit status drawn at random; only
 * a process that came to the end of the test knows to set the mark, drawn as well, and to leave so.
 */
#define _GNU_SOURCE
#include "census.h"
#include "guard.h"
#include "judge.h"
#include "lab.h"
#include "page.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BYTES          65536 /* of what a test prints; the rest is refused */
#define ORDERS_BYTES          65536
#define LIMIT_SECONDS         2  /* for a person */
#define LIMIT_SECONDS_CONTROL 60 /* the grader's own limit comes first */

/* The tests that LAB_TEST() put into their linker section. */
extern const struct lab_test *const __start_lab_tests[] __attribute__((weak));
extern const struct lab_test *const __stop_lab_tests[] __attribute__((weak));

/* What the student's objects want done before main(): see the grader's build.c. */
typedef void (*initializer)(void);
extern const initializer __start_lab_init[] __attribute__((weak));
extern const initializer __stop_lab_init[] __attribute__((weak));

/* Absent in a build without the sanitizer. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
    return "leak_check_at_exit=0:allocator_may_return_null=1:detect_stack_use_after_return=0";
}

const char *__ubsan_default_options(void)
{
    return "halt_on_error=1";
}

static const struct lab_test **tests; /* in the order of the source */
static enum result *results;          /* RESULT_NONE: not run */
static size_t test_count;
static const enum result not_run = (enum result) - 1;

static const struct lab_test *current;
static uint64_t seed;
static double limit = LIMIT_SECONDS;
static bool leak_checks = true;
static int output_fd = -1;

/* ---- the tests ----------------------------------------------------------------------------------- */

static int by_place(const void *left, const void *right)
{
    const struct lab_test *a = *(const struct lab_test *const *)left;
    const struct lab_test *b = *(const struct lab_test *const *)right;
    int order = strcmp(a->check->file, b->check->file);

    return order ? order : a->check->line - b->check->line;
}

static void find_tests(void)
{
    test_count =
        ((uintptr_t)__stop_lab_tests - (uintptr_t)__start_lab_tests) / sizeof(*tests);
    tests = calloc(test_count + 1, sizeof(*tests));
    results = calloc(test_count + 1, sizeof(*results));
    if (!tests || !results)
        exit(2);
    for (size_t i = 0; i < test_count; i++) {
        tests[i] = __start_lab_tests[i];
        results[i] = not_run;
    }
    qsort(tests, test_count, sizeof(*tests), by_place);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void list_tests(void)
{
    for (size_t i = 0; i < test_count; i++) {
        const struct lab_test *t = tests[i];

        printf("%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", t->group, t->name, t->points,
               t->task, or_empty(t->needs), or_empty(t->read), or_empty(t->man),
               or_empty(t->likely), or_empty(t->requires));
    }
}

/* Does name, "group" or "group/name" of length n, mean this test? */
static bool is_called(const struct lab_test *test, const char *name, size_t n)
{
    size_t group = strlen(test->group);

    if (n < group || strncmp(name, test->group, group) != 0)
        return false;
    if (n == group)
        return true;
    return name[group] == '/' && strlen(test->name) == n - group - 1 &&
           strncmp(name + group + 1, test->name, n - group - 1) == 0;
}

/* ---- in the test's process -------------------------------------------------------------------------- */

static const int watched[] = {SIGPIPE, SIGINT, SIGTERM, SIGCHLD, SIGALRM};

#define WATCHED (sizeof(watched) / sizeof(watched[0]))

struct before {
    struct census census;
    size_t allocated;
};

static size_t allocated(void)
{
    return __sanitizer_get_current_allocated_bytes
               ? __sanitizer_get_current_allocated_bytes()
               : 0;
}

static void check_descriptors(const struct before *before)
{
    struct census now;
    const char *difference;

    census_take(&now);
    difference = census_difference(&before->census, &now);
    if (!difference)
        return;
    if (strncmp(difference, "closed", 6) == 0)
        lab_fail("no descriptor of the caller's closed",
                 "close() only what you opened, and once: numbers are given out again",
                 difference);
    if (strstr(difference, "child"))
        lab_fail("no child process left", "each fork() wants its waitpid()", difference);
    lab_fail(
        "nothing left open",
        "a way out of the function, often the one after an error, misses its close()",
        difference);
}

static void check_signals(void)
{
    sigset_t mask;
    char text[LAB_TEXT];

    for (size_t i = 0; i < WATCHED; i++) {
        struct sigaction now;

        if (sigaction(watched[i], NULL, &now) == -1 || now.sa_handler == SIG_DFL)
            continue;
        snprintf(text, sizeof(text), "changed what SIG%s does", sigabbrev_np(watched[i]));
        lab_fail(
            "every signal as it was",
            "what a signal does is the whole program's business: only main decides it",
            text);
    }
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < SIGRTMIN; number++)
        if (sigismember(&mask, number) == 1) {
            snprintf(text, sizeof(text), "left SIG%s blocked", sigabbrev_np(number));
            lab_fail(
                "every signal as it was",
                "a signal mask that a function changes, it puts back on every way out",
                text);
        }
}

static void check_memory(const struct before *before)
{
    lab_page->stage = STAGE_LEAKS;
    if (!leak_checks || !__lsan_do_recoverable_leak_check)
        return;
    /* The look through all memory takes longer than most tests: only if bytes are missing at all. */
    if (__sanitizer_get_current_allocated_bytes && allocated() <= before->allocated)
        return;
    if (__lsan_do_recoverable_leak_check())
        lab_end(VERDICT_LOST);
}

static void check_peers(void)
{
    if (peers_running() == 0)
        return;
    errno = EBUSY;
    lab_error("a peer was started and not joined");
}

static void initialize(void)
{
    for (const initializer *one = __start_lab_init; one != __stop_lab_init; one++)
        (*one)();
}

/*
 * What Check runs. It never returns: Check's own way out would write to descriptors that are closed here, and the
 * exit status is the sign of a test that came to its end.
 */
static void test_process(int loop_index)
{
    static char buffer[4096]; /* not from malloc(): standard output is nobody's leak */
    static struct before before;

    (void)loop_index;
    guard_test(output_fd);
    initialize();
    setvbuf(stdout, buffer, _IOLBF, sizeof(buffer));
    lab_page->pid = getpid();
    calls_share(&lab_page->calls); /* the runner looked at a copy since */
    lab_begin(current->group, current->name, seed, current->likely);
    fault_none();
    census_take(&before.census);
    before.allocated = allocated();
    lab_page->stage = STAGE_BODY;
    current->check->fn(0);
    lab_page->stage = STAGE_AFTER;
    fault_none();
    check_peers();
    check_descriptors(&before);
    check_signals();
    check_memory(&before);
    fflush(stdout);
    lab_page->mark = lab_page->wanted;
    _exit(lab_page->status);
}

/* ---- in the runner ------------------------------------------------------------------------------- */

static uint64_t draw(void)
{
    uint64_t bits;

    if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) {
        perror("getrandom");
        _exit(2);
    }
    return bits;
}

static void share_page(void)
{
    void *page = mmap(NULL, sizeof(struct lab_page), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED) {
        perror("mmap");
        _exit(2);
    }
    lab_page = page;
    calls_share(&lab_page->calls);
}

static void fresh_page(void)
{
    memset(lab_page, 0, sizeof(*lab_page));
    lab_page->wanted = draw() | 1; /* never 0, which is what a fresh page holds */
    lab_page->status = (int)(2 + draw() % 249);
}

/* A file in memory that cannot grow: a test may print for ever and fill nothing. */
static int fresh_output(void)
{
    int fd = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd == -1 || ftruncate(fd, OUTPUT_BYTES) == -1 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == -1) {
        perror("memfd_create");
        _exit(2);
    }
    return fd;
}

static const char *read_output(void)
{
    static char text[OUTPUT_BYTES + 1];
    off_t n =
        lseek(output_fd, 0, SEEK_CUR); /* shared with the test's: as far as it wrote */
    ssize_t got =
        pread(output_fd, text, n > OUTPUT_BYTES || n < 0 ? OUTPUT_BYTES : (size_t)n, 0);

    text[got > 0 ? got : 0] = '\0';
    for (ssize_t i = 0; i < got; i++)
        if (text[i] ==
            '\0') /* a hole, or bytes of the student's: the text goes on behind it */
            text[i] = ' ';
    return text;
}

static void copy_page(struct lab_page *copy)
{
    memcpy(copy, lab_page, sizeof(*copy));
    copy->peer[LAB_TEXT - 1] = copy->you[LAB_TEXT - 1] = copy->expected[LAB_TEXT - 1] =
        '\0';
    copy->likely[LAB_TEXT - 1] = copy->waits[LAB_TEXT - 1] = '\0';
}

static void started(pid_t pid)
{
    report_begin(current->group, current->name, pid);
}

/* Check tells in words how a process ended. */
static void read_ending(SRunner *runner, struct remains *remains)
{
    TestResult **all = srunner_results(runner);
    const char *text = tr_msg(all[0]);
    const char *at;

    remains->expected_exit = srunner_ntests_failed(runner) == 0;
    remains->late = strstr(text, "timeout") != NULL;
    if ((at = strstr(text, "signal ")))
        remains->signal = atoi(at + strlen("signal "));
    if ((at = strstr(text, "return value ")))
        remains->status = atoi(at + strlen("return value "));
    free(all);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_process(struct remains *remains, struct lab_page *copy)
{
    const TTest test = {current->check->name, test_process, current->check->file,
                        current->check->line};
    Suite *suite = suite_create(current->group);
    TCase *tcase = tcase_create(current->name);
    SRunner *runner = srunner_create(suite);
    double start;

    fresh_page();
    output_fd = fresh_output();
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, limit);
    _tcase_add_test(tcase, &test, 0, lab_page->status, 0, 1);
    srunner_set_fork_status(runner, CK_FORK);
    guard_watch_fork(started);
    start = now();
    srunner_run_all(runner, CK_SILENT);
    remains->seconds = now() - start;
    remains->left_over = guard_sweep();
    read_ending(runner, remains);
    srunner_free(runner);
    copy_page(copy);
    remains->page = copy;
    remains->output = read_output();
    close(output_fd);
}

static double run_test(struct outcome *outcome, const char **output)
{
    static struct lab_page copy;
    struct remains remains = {.test = current};

    run_process(&remains, &copy);
    if (leak_checks && judge_leak_check_failed(&remains)) {
        leak_checks = false; /* a machine without ptrace: the rest still counts */
        remains = (struct remains){.test = current};
        run_process(&remains, &copy);
    }
    judge(&remains, outcome);
    *output = remains.output;
    return remains.seconds;
}

/* ---- tests that are not run ----------------------------------------------------------------------- */

/* The first thing needed that was tried in this run and did not pass. */
static bool unmet(const char *needs, struct outcome *outcome)
{
    for (size_t n; *(needs += strspn(needs, " ,")); needs += n) {
        n = strcspn(needs, " ,");
        for (size_t i = 0; i < test_count; i++)
            if (tests[i] != current && results[i] != not_run &&
                results[i] != RESULT_PASS && is_called(tests[i], needs, n)) {
                snprintf(outcome->you, LAB_TEXT, "needs %.*s", (int)n, needs);
                return true;
            }
    }
    return false;
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd != -1 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd != -1)
        close(fd);
    return has;
}

static bool has_sctp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);

    if (fd != -1)
        close(fd);
    return fd != -1;
}

static const char *lacking(const char *requires)
{
    if (strcmp(requires, "ipv6") == 0)
        return has_ipv6() ? NULL : "this machine has no IPv6 on loopback";
    if (strcmp(requires, "sctp") == 0)
        return has_sctp() ? NULL : "this kernel has no SCTP";
    if (strcmp(requires, "root") == 0)
        return geteuid() == 0 ? NULL : "needs to be run as root";
    if (strcmp(requires, "not root") == 0)
        return geteuid() != 0 ? NULL : "cannot be run as root";
    return "requires what this harness does not know";
}

static bool left_out(struct outcome *outcome)
{
    const char *lack = current->requires ? lacking(current->requires) : NULL;

    *outcome = (struct outcome){.result = RESULT_SKIP};
    if (lack)
        lab_copy(outcome->you, LAB_TEXT, lack);
    return lack || (current->needs && unmet(current->needs, outcome));
}

static void take(size_t i)
{
    struct outcome outcome;
    const char *output = "";
    double seconds = 0;

    current = tests[i];
    if (left_out(&outcome))
        report_begin(current->group, current->name, 0);
    else
        seconds = run_test(&outcome, &output);
    results[i] = outcome.result;
    report_end(current, &outcome, output, seconds);
}

static void take_called(const char *name)
{
    bool found = false;

    for (size_t i = 0; i < test_count; i++)
        if (is_called(tests[i], name, strlen(name))) {
            found = true;
            take(i);
        }
    if (!found)
        report_unknown(name);
}

static void take_all(void)
{
    for (size_t i = 0; i < test_count; i++)
        take(i);
}

/* ---- orders --------------------------------------------------------------------------------------- */

/* The orders are read into memory that no test inherits, and used in place: the nonce is in them. */
static char *read_orders(void)
{
    char *orders = guard_secret(ORDERS_BYTES);
    size_t used = 0;
    ssize_t n;

    if (!orders) {
        fprintf(stderr, "no memory that a fork does not inherit (MADV_WIPEONFORK)\n");
        _exit(2);
    }
    while (used < ORDERS_BYTES - 1 &&
           ((n = read(STDIN_FILENO, orders + used, ORDERS_BYTES - 1 - used)) > 0 ||
            (n == -1 && errno == EINTR)))
        used += n > 0 ? (size_t)n : 0;
    orders[used] = '\0';
    return orders;
}

static const char *value(const char *order, const char *key)
{
    size_t n = strlen(key);

    return strncmp(order, key, n) == 0 && order[n] == ' ' ? order + n + 1 : NULL;
}

static void take_settings(char *orders, int control)
{
    bool has_nonce = false;

    for (char *at = orders; *at; at += strlen(at) + 1) {
        const char *text;

        at[strcspn(at, "\n")] = '\0';
        if ((text = value(at, "nonce"))) {
            report_to_grader(control, text, strlen(text));
            has_nonce = true;
        } else if ((text = value(at, "seed"))) {
            seed = strtoull(text, NULL, 10);
        } else if ((text = value(at, "limit"))) {
            limit = strtod(text, NULL) > 0 ? strtod(text, NULL) : limit;
        }
    }
    if (!has_nonce) {
        fprintf(stderr, "no nonce on standard input\n");
        _exit(2);
    }
}

static void obey(int control)
{
    char *orders = read_orders();
    bool named = false;

    limit = LIMIT_SECONDS_CONTROL;
    take_settings(orders, control); /* ends each line with a 0 */
    for (char *at = orders; *at; at += strlen(at) + 1)
        if (value(at, "run")) {
            named = true;
            take_called(value(at, "run"));
        }
    if (!named)
        take_all();
}

/* ---- main ---------------------------------------------------------------------------------------- */

/* Check lets its environment leave tests out, or run them in its own process. */
static void forget_environment(void)
{
    static const char *const names[] = {"CK_RUN_SUITE",
                                        "CK_RUN_CASE",
                                        "CK_INCLUDE_TAGS",
                                        "CK_EXCLUDE_TAGS",
                                        "CK_FORK",
                                        "CK_VERBOSITY",
                                        "CK_DEFAULT_TIMEOUT",
                                        "CK_TIMEOUT_MULTIPLIER",
                                        "CK_XML_LOG_FILE_NAME",
                                        "CK_TAP_LOG_FILE_NAME",
                                        "CK_LOG_FILE_NAME",
                                        "CK_MAX_MSG_SIZE"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
}

static void usage(void)
{
    fprintf(stderr, "usage: unit [--list | --only GROUP[/NAME] | --control FD]\n");
    _exit(2);
}

static void seed_of_person(void)
{
    const char *text = getenv("SEED");

    seed = text ? strtoull(text, NULL, 10) : draw() % 1000000;
}

int main(int argc, char **argv)
{
    bool only = argc == 3 && strcmp(argv[1], "--only") == 0;
    bool control = argc == 3 && strcmp(argv[1], "--control") == 0;
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;

    if (argc > 1 && !only && !control && !list)
        usage();
    find_tests();
    forget_environment();
    if (list) {
        list_tests();
        fflush(stdout);
        _exit(0);
    }
    guard_runner(control ? atoi(argv[2]) : -1);
    share_page();
    seed_of_person();
    if (control)
        obey(atoi(argv[2]));
    else if (only)
        take_called(argv[2]);
    else
        take_all();
    report_done(seed);
}
