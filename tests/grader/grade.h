/*
 * grade.h: the parts of the grader, file by file.
 *
 * grade copies the student's files over a pristine tree, builds them in a sandbox, runs
 * the lesson's unit and end-to-end tests in sandboxes, and keeps one record of it all, of
 * which every report is a view.
 *
 *   lesson.c     what a lesson consists of: its contract and its tests
 *   workspace.c  a private folder with the pristine tree and the student's files
 *   sandbox.c    a process that can harm nothing, on three levels
 *   build.c      compile, inspect and link, in the sandbox
 *   inspect.c    what an object may contain
 *   supervise.c  run the tests, watch the limits, collect the results
 *   diagnose.c   where a process is blocked, read from /proc
 *   hidden.c     what may be told of a hidden test that failed
 *   trim.c       sanitizer reports and bats output, cut to what helps
 *   views.c      the record as text; view_json.c, view_xml.c, view_tap.c: as files
 *   text.c       strings that grow, and fatal errors of the grader itself
 */
#ifndef GRADE_H
#define GRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* ---- text.c ------------------------------------------------------------------------ */

/* A string that grows. Zero-initialise; bytes is NULL or NUL-terminated; free with
 * text_free(). */
struct text {
    char *bytes;
    size_t length;
};

void text_add(struct text *text, const char *bytes, size_t n);
void text_print(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_free(struct text *text);

/* As printf, into memory that the caller frees. Never NULL: out of memory is fatal(). */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_copy(const char *s); /* strdup that never fails; NULL gives NULL */

/* The whole file at path, at most limit bytes, NUL-terminated, or NULL with errno. The
 * caller frees. */
char *file_read(const char *path, size_t limit);

/* Text from outside made safe to print: valid UTF-8 kept, control characters but \n and
 * \t shown as \xNN. */
char *text_printable(const char *bytes, size_t n);

/* The grader cannot go on: say why on standard error and leave with status 2. errno is
 * added if not 0. */
_Noreturn void fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

double seconds_now(void); /* CLOCK_MONOTONIC */

/* ---- record ------------------------------------------------------------------------ */

enum result { RESULT_NONE, RESULT_PASS, RESULT_FAIL, RESULT_SKIP, RESULT_ERROR };

struct test {
    /* what the test says of itself */
    char *group, *name; /* name with spaces */
    char *id; /* "group/name_with_underscores" for unit tests, "end to end/name" */
    int points, task;
    char *needs, *read, *man, *likely, *requires_;
    bool e2e, hidden; /* hidden: its data are told to nobody; see hidden.c */
    int lines; /* of an end-to-end test: how long it is, and so about how long it takes */
    /* what came of it */
    enum result result;
    bool
        excused; /* skipped, for want of something on this machine: takes no points away */
    bool unmet;  /* skipped, for want of a test that it needs */
    char *peer, *you, *expected, *said, *calls,
        *output; /* the story; NULL: nothing to tell. said: likely */
    enum stopped {
        STOPPED_NOT,
        STOPPED_LATE,
        STOPPED_GREEDY,
        STOPPED_CUT
    } stopped; /* by the grader, or with its run */
    double seconds;
    /* how it is being run */
    int shard; /* of an end-to-end test */
    bool begun,
        unsure; /* unsure: hit its limit while the machine was busy; to be confirmed */
};

struct lesson {
    char *name;   /* "02-bind-listen-accept" */
    char *number; /* "02" */
    char *title;
    char **modules, **programs, **given, **uses,
        **functions; /* NULL-terminated; uses: "LESSON FILE" */
    struct test *tests;
    size_t count;
};

enum level { LEVEL_NAMESPACES, LEVEL_UID, LEVEL_LIMITS };

struct options {
    const char *submission; /* folder with NN-topic folders, or NULL */
    bool solution, mine, quiet, table, all, brief, hidden;
    bool strangers; /* not in the sandbox `limits`, unless that is asked for */
    const char *results, *json; /* folder and file to write, or NULL */
    const char *only;           /* id of the one test to run, or NULL */
    const char *sandbox;        /* forced level, or NULL */
    uint64_t seed;
};

struct record {
    struct lesson *lesson;
    enum level level;
    uint64_t seed;
    char *source;        /* folder of the student's files as the student knows it */
    char *build_failure; /* compiler's or linker's words; NULL: it was built */
    char *warnings;      /* NULL: none */
    double seconds;
    /* derived by record_close() */
    int passed, failed, skipped, errors;
    double score; /* of 100 */
    enum result result;
};

/* A test's share of the lesson's 100 points. */
double record_worth(const struct record *record, const struct test *test);

/* ---- lesson.c ---------------------------------------------------------------------- */

/* Reads tests/NAME/contract, build/lessons/NAME/unit.list and tests/NAME/e2e.bats; with hidden also what there is of
 * hidden.list and hidden.bats. fatal() where one is wrong. */
struct lesson *lesson_load(const char *name, bool hidden);

/* The contract alone: a lesson without tests, which need not be built. */
struct lesson *lesson_promised(const char *name);
void lesson_free(struct lesson *lesson);

/* Leaves the lesson with that one test. Returns false, and changes nothing, if there is no such test. */
bool lesson_keep_only(struct lesson *lesson, const char *id);

/* Has the lesson tests of this kind? */
bool lesson_has(const struct lesson *lesson, bool e2e, bool hidden);

/* The test with that id, or NULL. */
struct test *lesson_test(struct lesson *lesson, const char *id, size_t length);

/* Is what `needs` names (a group, or one test) known to have failed? */
bool lesson_needs_failed(const struct lesson *lesson, const struct test *test);

/* "needs tcp_listen, address_text and 1 more": the groups in which something that the test needs has failed. The caller frees. */
char *lesson_needs_text(const struct lesson *lesson, const struct test *test);

/* ---- workspace.c ------------------------------------------------------------------- */

/*
 * workspace_make: a new private folder with a tree of the pristine files and the
 * student's, and an empty out/. source: folder of the student's NN-topic folders. Returns
 * the folder (freed and removed by workspace_remove), or NULL with *failure set to what
 * is wrong with the student's files, for the student (caller frees).
 */
char *workspace_make(const struct lesson *lesson, const struct options *options,
                     const char *source, char **failure);
void workspace_remove(char *workspace);

/* Told by workspace_make() as soon as there is a folder to remove (in grade.c: it
 * outlives this process). */
void workspace_made(const char *workspace);

/* What holds the hidden tests stands aside, where no sandbox can read it, and in the tree only while the tests are linked
 * (their object) and while they run (their program). Each of these moves what is there. fatal() if it cannot. */
void workspace_show_hidden(const char *workspace, const char *name);
void workspace_hide_hidden(const char *workspace, const char *name);

/* ---- sandbox.c --------------------------------------------------------------------- */

struct sandbox {
    enum level level;
    uid_t uid;    /* the user that sandboxed processes run as; 0: the grader's own */
    bool unsized; /* this bubblewrap is too old to limit the size of /tmp */
    const char *workspace; /* as made by workspace_make */
};

/* Limits of one sandboxed command. */
struct limits {
    unsigned cpu_seconds;   /* per process */
    unsigned long file_mib; /* largest file written */
    unsigned long
        space_mib; /* address space; 0: not limited (sanitizers reserve terabytes) */
};

struct command {
    const char *const
        *argv;   /* paths are relative to the tree, which is the working directory */
    bool builds; /* out/ may be written */
    struct limits limits;
    int in, out, err; /* descriptors for 0, 1 and 2; -1: /dev/null */
    int extra;        /* passed on under its own number, or -1 */
    uint64_t seed;    /* of random data: LAB_SEED in its environment */
};

/* Chooses the level (forced: "namespaces", "uid", "limits", or NULL) by probing. fatal()
 * if a forced one cannot be had. */
void sandbox_choose(struct sandbox *sandbox, const char *forced);
const char *sandbox_level_name(enum level level);

/* Can a command be run in it? */
bool sandbox_works(const struct sandbox *sandbox);

/* Starts the command. Returns the process to wait for and to kill with sandbox_kill().
 * fatal() if it cannot fork. */
pid_t sandbox_start(const struct sandbox *sandbox, const struct command *command);

/* Waits for the end of a command of the grader's own. Returns its wait status. */
int sandbox_wait(pid_t pid);

/* Kills the command and every process that came of it, and waits for it. Returns its wait
 * status. */
int sandbox_kill(const struct sandbox *sandbox, pid_t pid);

/* What was built may not be written any more. To be called once, between building and
 * running. */
void sandbox_seal(const struct sandbox *sandbox);

/* The grading is over: ends whatever a submission might have left, as far as
 * sandbox_kill() could not. */
void sandbox_finish(const struct sandbox *sandbox);

/* ---- build.c, inspect.c ------------------------------------------------------------ */

/* Builds everything in the workspace. false: record->build_failure says why. Also sets
 * record->warnings. */
bool build_all(const struct sandbox *sandbox, const struct lesson *lesson,
               const struct options *options, struct record *record);

/* Looks into an object file. NULL if it is as it should be, or why it is refused (the
 * caller frees). harness: the library whose names are the tests' own. */
char *inspect_object(const char *path, const char *harness);

/* ---- supervise.c ------------------------------------------------------------------- */

/* Runs every test of the lesson; sets result and story of each. */
void supervise(const struct sandbox *sandbox, struct lesson *lesson,
               const struct record *record);

/* ---- diagnose.c -------------------------------------------------------------------- */

#define DIAGNOSE_MOST 512

/* All descendants of pid, pid itself first; at most `most`. Returns how many. */
size_t descendants(pid_t pid, pid_t *found, size_t most);

/* Does process pid run the program at this path (the end of it)? */
bool process_runs(pid_t pid, const char *end_of_path);

/* What the process is doing: "blocked in recv() on descriptor 4; the peer had closed its
 * end". The caller frees. */
char *diagnose(pid_t pid);

struct load {
    unsigned long long
        stalled_us; /* time in which some process of the machine waited for a core */
    double at;
};
struct load load_now(void);

/* Was the machine too busy since then for a limit to be believed? */
bool load_was_high(struct load since);

/* Are all of these processes asleep and do they stay so? A dead end, however busy the
 * machine. */
bool all_asleep(const pid_t *pids, size_t n);

/* The memory that processes hold: of their own, shared, and in files that have no name. */
size_t held_bytes(const pid_t *pids, size_t n);
double cpu_seconds(const pid_t *pids, size_t n);

/* ---- hidden.c ---------------------------------------------------------------------- */

/* Leaves of a hidden test's story the reason and nothing of the data. To be called when its result is final. */
void hidden_redact(const struct lesson *lesson, struct test *test);

/* ---- trim.c ------------------------------------------------------------------------ */

/* A sanitizer's report cut to its first line and the student's own lines; NULL if text
 * holds none. Caller frees. */
char *trim_sanitizer(const char *text);

/* The last lines of other output. NULL if there is none. Caller frees. */
char *trim_output(const char *text, int lines);

/* Sets the story of an end-to-end test from what bats printed for it. */
void trim_bats(struct test *test, const char *text);

/* ---- views ------------------------------------------------------------------------- */

void record_close(struct record *record); /* counts, score, result */
void view_text(const struct record *record, const struct options *options, FILE *out);
void view_table(const struct record *const *records, size_t n, FILE *out);
char *view_story(const struct test *test, const char *indent,
                 int columns);                    /* the lines under a FAIL */
int view_first_task(const struct record *record); /* first task that fails, or 0 */
void view_json(const struct record *const *records, size_t n, const char *path);
void view_xml(const struct record *const *records, size_t n, const char *path);
void view_tap(const struct record *const *records, size_t n, const char *path);

#endif
