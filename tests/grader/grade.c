/*
 * grade: grades lessons. Run from the top of the course, by make, which has built what it
 * needs (see the Makefile).
 *
 * Exit status: 0 everything passed, 1 something failed, 2 something could not be checked.
 */
#define _GNU_SOURCE
#include "grade.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: grade [--submission=DIR | --solution] [--link=reference|mine] [--sandbox=namespaces|uid|limits]\n"
    "             [--seed=N] [--results=DIR] [--json=FILE] [--table] [--all] [--brief] [--quiet] [--hidden] [--strangers] [--only=TEST] LESSON...\n";

static uint64_t number_or_usage(const char *text)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-') {
        fprintf(stderr, "grade: \"%s\" is no number from 0 to 18446744073709551615\n%s",
                text, usage);
        exit(2);
    }
    return number;
}

static bool link_mine(const char *value)
{
    if (strcmp(value, "mine") != 0 && strcmp(value, "reference") != 0) {
        fprintf(stderr, "grade: LINK is \"mine\" or \"reference\", not \"%s\"\n%s", value,
                usage);
        exit(2);
    }
    return strcmp(value, "mine") == 0;
}

static struct options options_read(int argc, char *argv[])
{
    static const struct option known[] = {{"submission", required_argument, NULL, 's'},
                                          {"solution", no_argument, NULL, 'o'},
                                          {"link", required_argument, NULL, 'l'},
                                          {"sandbox", required_argument, NULL, 'x'},
                                          {"seed", required_argument, NULL, 'n'},
                                          {"results", required_argument, NULL, 'r'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"table", no_argument, NULL, 't'},
                                          {"all", no_argument, NULL, 'a'},
                                          {"brief", no_argument, NULL, 'b'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"hidden", no_argument, NULL, 'h'},
                                          {"strangers", no_argument, NULL, 'g'},
                                          {"only", required_argument, NULL, 'y'},
                                          {0}};
    struct options options = {0};
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed)
        fatal("getrandom");
    options.seed >>= 40; /* short enough to type */
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (c) {
        case 's': options.submission = optarg; break;
        case 'o': options.solution = true; break;
        case 'l': options.mine = link_mine(optarg); break;
        case 'x': options.sandbox = optarg; break;
        case 'n': options.seed = number_or_usage(optarg); break;
        case 'r': options.results = optarg; break;
        case 'j': options.json = optarg; break;
        case 't': options.table = true; break;
        case 'a': options.all = true; break;
        case 'b': options.brief = true; break;
        case 'q': options.quiet = true; break;
        case 'h': options.hidden = true; break;
        case 'g': options.strangers = true; break;
        case 'y': options.only = optarg; break;
        default: fputs(usage, stderr); exit(2);
        }
    if (optind == argc || (options.submission != NULL && options.solution)) {
        fputs(usage, stderr);
        exit(2);
    }
    return options;
}

static char *source_of(const struct options *options)
{
    char *source = text_copy(options->submission != NULL ? options->submission
                             : options->solution         ? "solutions"
                                                         : "lessons");
    while (strlen(source) > 1 && source[strlen(source) - 1] == '/')
        source[strlen(source) - 1] = '\0';
    return source;
}

/* ---- one grading ------------------------------------------------------------------- */

/*
 * The gradings happen in a child process. Its parent does nothing but wait, so that it
 * can tidy up whatever ends the child: a signal, a fatal error, a crash. They share the
 * name of the folder that is to be removed.
 */
static char *workspace_name; /* a shared page; empty: no folder */

void workspace_made(const char *workspace)
{
    snprintf(workspace_name, 4096, "%s", workspace);
}

static struct record *grade(struct lesson *lesson, const struct options *options)
{
    struct record *record = calloc(1, sizeof *record);
    double began = seconds_now();
    if (record == NULL)
        fatal("out of memory");
    *record = (struct record){
        .lesson = lesson, .seed = options->seed, .source = source_of(options)};
    char *workspace =
        workspace_make(lesson, options, record->source, &record->build_failure);
    struct sandbox sandbox = {.workspace = workspace};
    sandbox_choose(&sandbox, options->sandbox);
    if (options->strangers && options->sandbox == NULL && sandbox.level == LEVEL_LIMITS)
        fatal(
            "this machine has no sandbox that holds strangers' code, only limits. Grade as "
            "root or where users may make namespaces; or give SANDBOX=limits");
    record->level = sandbox.level;
    if (record->build_failure == NULL && build_all(&sandbox, lesson, options, record))
        supervise(&sandbox, lesson, record);
    sandbox_finish(&sandbox);
    workspace_remove(workspace);
    workspace_made("");
    record->seconds = seconds_now() - began;
    record_close(record);
    return record;
}

static void record_free(struct record *record)
{
    lesson_free(record->lesson);
    free(record->source);
    free(record->build_failure);
    free(record->warnings);
    free(record);
}

static void write_results(const struct record *const *records, size_t n,
                          const struct options *options)
{
    for (size_t i = 0; options->results != NULL && i < n; i++) {
        char *path = text_format("%s/lesson-%s.json", options->results,
                                 records[i]->lesson->number);
        view_json(&records[i], 1, path);
        free(path);
    }
    if (options->results != NULL && options->table) {
        char *json = text_format("%s/grade.json", options->results),
             *xml = text_format("%s/grade.xml", options->results);
        char *tap = text_format("%s/grade.tap", options->results);
        view_json(records, n, json);
        view_xml(records, n, xml);
        view_tap(records, n, tap);
        free(json), free(xml), free(tap);
    }
    if (options->json != NULL)
        view_json(records, n, options->json);
}

static int grade_all(char *const *lessons, size_t n, const struct options *options)
{
    struct record **records = calloc(n, sizeof *records);
    int status = 0;
    if (records == NULL)
        fatal("out of memory");
    for (size_t i = 0; i < n; i++) {
        struct lesson *lesson = lesson_load(lessons[i], options->hidden);
        if (options->only != NULL && !lesson_keep_only(lesson, options->only))
            fatal("%s has no test \"%s\"", lessons[i], options->only);
        records[i] = grade(lesson, options);
        if (!options->table && !options->quiet)
            view_text(records[i], options, stdout);
        fflush(stdout);
        if (records[i]->result != RESULT_PASS && status != 2)
            status = records[i]->result == RESULT_ERROR ? 2 : 1;
    }
    if (options->table && !options->quiet)
        view_table((const struct record *const *)records, n, stdout);
    write_results((const struct record *const *)records, n, options);
    for (size_t i = 0; i < n; i++)
        record_free(records[i]);
    free(records);
    return status;
}

/* ---- the parent -------------------------------------------------------------------- */

static sigset_t awaited_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return set;
}

/* As a subreaper this process inherits what the gradings leave behind: it ends that too.
 */
static void end_children(void)
{
    pid_t all[DIAGNOSE_MOST];
    for (size_t n; (n = descendants(getpid(), all, DIAGNOSE_MOST)) > 1;) {
        for (size_t i = 1; i < n; i++)
            kill(all[i], SIGKILL);
        while (waitpid(-1, NULL, 0) > 0)
            ;
    }
}

/* Waits for the child. Returns its exit status; 128 + number for a signal, its own or one
 * sent to this process. */
static int wait_for_child(pid_t pid, const sigset_t *awaited)
{
    int status = 0, number;
    do {
        number = sigwaitinfo(awaited, NULL);
        if (number == SIGCHLD && waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } while (number == SIGCHLD || number < 0);
    kill(pid, SIGKILL); /* its sandboxes die with it: see sandbox_start() */
    return 128 + number;
}

int main(int argc, char *argv[])
{
    struct options options = options_read(argc, argv);
    sigset_t awaited = awaited_signals();
    workspace_name =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (workspace_name == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        fatal("prepare");
    signal(SIGPIPE, SIG_IGN);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        fatal("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        if (getppid() != parent)
            return 2;
        return grade_all(argv + optind, (size_t)(argc - optind), &options);
    }
    int status = wait_for_child(pid, &awaited);
    end_children();
    if (*workspace_name != '\0')
        workspace_remove(text_copy(workspace_name));
    return status;
}
