/*
 * Each source is compiled in a sandbox of its own, all at once; its object is inspected;
 * then everything is linked. Of an object's symbols only the contract's stay visible, so
 * that a helper that the student named "read" replaces nothing. For the unit tests its
 * calls are renamed (calls.syms), so that they, and only they, pass the harness.
 */
#define _GNU_SOURCE
#include "grade.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLAGS                                                                                                                                 \
    "-std=gnu17 -g -O0 -ftrivial-auto-var-init=pattern -fno-omit-frame-pointer -fsanitize=address,undefined -U_FORTIFY_SOURCE -Wall -Wextra " \
    "-fdiagnostics-color=never -fmax-errors=20 -fno-common "

/* What AddressSanitizer wants done before main() is done in the process of each test (runner.c): a program may be made so
 * that this runs code of the student's, and before main() it would run in the runner. */
#define CONSTRUCTORS                                                        \
    "--rename-section .init_array.00099=lab_init,alloc,load,data,contents " \
    "--rename-section .init_array=lab_init,alloc,load,data,contents "       \
    "--remove-section '.fini_array*' --remove-section '.rela.fini_array*' "

enum { STEPS = 24, OUTPUT_LIMIT = 64 << 10, BUILD_SECONDS = 30 };

/* One sandboxed shell script, and what it printed. */
struct step {
    char *object; /* name of what it makes, without folder */
    char *script;
    pid_t pid;
    int printed; /* memfd */
    int status;
};

static void step_start(const struct sandbox *sandbox, struct step *step)
{
    const char *const argv[] = {"sh", "-c", step->script, NULL};
    step->printed = memfd_create("build", MFD_CLOEXEC);
    if (step->printed < 0)
        fatal("memfd_create");
    struct command command = {
        .argv = argv,
        .builds = true,
        .limits = {.cpu_seconds = 10, .file_mib = 64, .space_mib = 1024},
        .in = -1,
        .out = step->printed,
        .err = step->printed,
        .extra = -1};
    step->pid = sandbox_start(sandbox, &command);
}

/* Waits for the step; one that outlives the deadline is killed and has status -1. */
static void step_wait(const struct sandbox *sandbox, struct step *step, double deadline)
{
    int fd = (int)syscall(SYS_pidfd_open, step->pid, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    double left = deadline - seconds_now();
    int ready = fd < 0 ? 1 : poll(&wait, 1, left > 0 ? (int)(left * 1000) : 0);
    if (fd >= 0)
        close(fd);
    if (ready == 0) {
        sandbox_kill(sandbox, step->pid);
        step->status = -1;
        return;
    }
    while (waitpid(step->pid, &step->status, 0) < 0 && errno == EINTR)
        ;
}

static char *step_output(const struct step *step)
{
    char *bytes = malloc(OUTPUT_LIMIT);
    if (bytes == NULL)
        fatal("out of memory");
    ssize_t n = pread(step->printed, bytes, OUTPUT_LIMIT, 0);
    char *printable = text_printable(bytes, n > 0 ? (size_t)n : 0);
    free(bytes);
    return printable;
}

static void step_free(struct step *step)
{
    close(step->printed);
    free(step->object);
    free(step->script);
}

/* Names in the compiler's words as the student knows them: dir/06-topic/x.c and not
 * lessons/06-topic/x.c. */
static char *as_student_knows(const char *text, const char *source)
{
    struct text made = {0};
    text_add(&made, "", 0);
    for (const char *found; (found = strstr(text, "lessons/")) != NULL;
         text = found + 8) {
        text_add(&made, text, (size_t)(found - text));
        text_print(&made, "%s/", source);
    }
    text_print(&made, "%s", text);
    return made.bytes;
}

static char *include_flags(const struct sandbox *sandbox)
{
    struct text flags = {0};
    char *pattern = text_format("%s/tree/lessons/*", sandbox->workspace);
    glob_t found;
    text_add(&flags, "", 0);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            text_print(&flags, "-Ilessons/%s ", strrchr(found.gl_pathv[i], '/') + 1);
        globfree(&found);
    }
    free(pattern);
    return flags.bytes;
}

static char *stem(const char *file)
{
    return text_format("%.*s", (int)strlen(file) - 2, file);
}

/* What is being built: steps in a row, the list of the modules' objects for the links. */
struct build {
    const struct sandbox *sandbox;
    struct record *record;
    struct step steps[STEPS];
    size_t n;
    char *includes;
    struct text objects, unit_objects;
    const char *linker;
};

static struct step *step_add(struct build *build, char *object, char *script)
{
    if (build->n == STEPS)
        fatal("%s: more files than %d", build->record->lesson->name, STEPS);
    struct step *step = &build->steps[build->n++];
    *step = (struct step){.object = object, .script = script};
    step_start(build->sandbox, step);
    return step;
}

static void compile(struct build *build, const char *lesson, const char *file,
                    bool is_module)
{
    char *name = stem(file);
    const char *keep =
        is_module ? "--keep-global-symbols=pristine/keep" : "--keep-global-symbol=main";
    struct text script = {0};
    text_print(&script,
               "gcc " FLAGS "%s -MD -MF out/%s.d -c lessons/%s/%s -o out/%s.raw.o",
               build->includes, name, lesson, file, name);
    text_print(&script, " && objcopy %s out/%s.raw.o out/%s.o", keep, name, name);
    if (is_module) {
        text_print(&script,
                   " && objcopy --redefine-syms=pristine/calls.syms " CONSTRUCTORS
                   "out/%s.o out/%s.unit.o",
                   name, name);
        text_print(&build->objects, " out/%s.o", name);
        text_print(&build->unit_objects, " out/%s.unit.o", name);
    }
    step_add(build, name, script.bytes);
}

/* The sanitizers' reports and the tests are all that may be included; -MD tells what was.
 */
static char *foreign_include(const char *dependencies)
{
    char *copy = text_copy(dependencies), *foreign = NULL;
    for (char *word, *rest = copy;
         foreign == NULL && (word = strsep(&rest, " \\\n\t")) != NULL;) {
        bool known = *word == '\0' || word[strlen(word) - 1] == ':' ||
                     strncmp(word, "/usr/", 5) == 0 || strncmp(word, "/lib", 4) == 0 ||
                     strncmp(word, "lessons/", 8) == 0;
        if (!known || strstr(word, "..") != NULL)
            foreign = strncmp(word, "/usr/", 5) == 0 || strncmp(word, "/lib", 4) == 0
                          ? NULL
                          : text_copy(word);
    }
    free(copy);
    return foreign;
}

static char *refuse(const struct build *build, const char *name)
{
    char *object = text_format("%s/tree/out/%s.raw.o", build->sandbox->workspace, name);
    char *list = text_format("%s/tree/out/%s.d", build->sandbox->workspace, name);
    char *dependencies = file_read(list, 1 << 20), *foreign = NULL, *refusal = NULL;
    char *harness =
        text_format("%s/tree/pristine/libharness.a", build->sandbox->workspace);
    char *why = inspect_object(object, harness);
    errno = 0;
    if (dependencies != NULL && (foreign = foreign_include(dependencies)) != NULL)
        refusal = text_format(
            "%s.c includes %s, which is no header of the system or the lesson", name,
            foreign);
    else if (why != NULL)
        refusal = text_format("%s.c is refused: %s", name, why);
    free(object), free(list), free(dependencies), free(foreign), free(harness), free(why);
    return refusal;
}

static void fail_build(struct record *record, char *why)
{
    if (record->build_failure == NULL)
        record->build_failure = why;
    else
        free(why);
}

static void add_warnings(struct record *record, const char *text)
{
    char *all =
        text_format("%s%s", record->warnings == NULL ? "" : record->warnings, text);
    free(record->warnings);
    record->warnings = all;
}

/* Collects the steps from `first` on. */
static void compiled(struct build *build, size_t first)
{
    double deadline = seconds_now() + BUILD_SECONDS;
    struct text failures = {0};
    for (size_t i = first; i < build->n; i++) {
        struct step *step = &build->steps[i];
        step_wait(build->sandbox, step, deadline);
        char *printed = step_output(step),
             *shown = as_student_knows(printed, build->record->source), *refusal = NULL;
        bool ok = WIFEXITED(step->status) && WEXITSTATUS(step->status) == 0;
        if (step->status == -1)
            text_print(&failures, "%s.c: the compiler did not end within %d seconds\n",
                       step->object, BUILD_SECONDS);
        else if (!ok)
            text_print(
                &failures, "%s",
                *shown != '\0'
                    ? shown
                    : "the compiler was killed: it used too much memory or time\n");
        else if ((refusal = refuse(build, step->object)) != NULL)
            text_print(&failures, "%s\n", refusal);
        else if (*shown != '\0')
            add_warnings(build->record, shown);
        free(printed), free(shown), free(refusal);
    }
    if (failures.bytes != NULL)
        fail_build(build->record, failures.bytes);
}

static void link_program(struct build *build, const char *file)
{
    char *name = stem(file);
    char *script = text_format("gcc " FLAGS "%s out/%s.o%s -pthread -o out/bin/%s",
                               build->linker, name, build->objects.bytes, name);
    step_add(build, name, script);
}

static bool exists(const char *pattern)
{
    glob_t found;
    bool any = glob(pattern, 0, NULL, &found) == 0;
    if (any)
        globfree(&found);
    return any;
}

/* program: unit, of pristine/unit.o; or hidden, of out/hidden.o, which is there for this alone. */
static void link_unit(struct build *build, const char *program, const char *tests)
{
    bool subunit = exists("/usr/lib/*/libsubunit.*") || exists("/usr/lib/libsubunit.*") ||
                   exists("/usr/lib64/libsubunit.*");
    char *script = text_format(
        "gcc " FLAGS
        "%s %s%s pristine/libharness.a -lcheck %s -lrt -lm -pthread -o out/%s",
        build->linker, tests, build->unit_objects.bytes, subunit ? "-lsubunit" : "",
        program);
    step_add(build, text_copy(program), script);
}

/* What a function's absence looks like depends on the linker; the name in quotes after
 * "undefined reference" does not. */
static char *missing_functions(const char *printed)
{
    struct text missing = {0};
    for (const char *found = printed;
         (found = strstr(found, "undefined reference to")) != NULL; found++) {
        const char *name = found + strcspn(found, "`'") + 1;
        size_t n = strcspn(name, "'\n");
        char *line = text_format("not defined: %.*s()\n", (int)n, name);
        if (missing.bytes == NULL || strstr(missing.bytes, line) == NULL)
            text_print(&missing, "%s", line);
        free(line);
    }
    return missing.bytes;
}

static void linked(struct build *build, size_t first)
{
    double deadline = seconds_now() + BUILD_SECONDS;
    for (size_t i = first; i < build->n; i++) {
        struct step *step = &build->steps[i];
        step_wait(build->sandbox, step, deadline);
        if (WIFEXITED(step->status) && WEXITSTATUS(step->status) == 0 &&
            step->status != -1)
            continue;
        char *printed = step_output(step), *missing = missing_functions(printed);
        fail_build(build->record, missing != NULL
                                      ? missing
                                      : text_format("%s could not be linked\n%s",
                                                    step->object, printed));
        free(printed);
    }
}

static void compile_program(struct build *build, const char *file)
{
    compile(build, build->record->lesson->name, file, false);
}

/* The student's programs and those given; only end-to-end tests need them. */
static void each_program(struct build *build, const struct lesson *lesson,
                         void (*make)(struct build *, const char *))
{
    char **const lists[] = {lesson->programs, lesson->given};
    bool any = lesson_has(lesson, true, false) || lesson_has(lesson, true, true);
    for (size_t i = 0; i < 2 && any; i++)
        for (char **file = lists[i]; file != NULL && *file != NULL; file++)
            make(build, *file);
}

static void compile_all(struct build *build, const struct lesson *lesson,
                        const struct options *options)
{
    for (char **file = lesson->modules; *file != NULL; file++)
        compile(build, lesson->name, *file, true);
    for (char **uses = lesson->uses; uses != NULL && *uses != NULL; uses++) {
        char *used = text_copy(*uses), *file = strchr(used, ' ') + 1;
        file[-1] = '\0';
        file += strspn(file, " ");
        char *name = stem(file);
        if (options->mine)
            compile(build, used, file, true);
        else {
            text_print(&build->objects, " pristine/%s.o", name);
            text_print(&build->unit_objects, " pristine/%s.o", name);
        }
        free(name);
        free(used);
    }
    each_program(build, lesson, compile_program);
    compiled(build, 0);
}

static void link_all(struct build *build, const struct lesson *lesson)
{
    const char *workspace = build->sandbox->workspace;
    size_t first = build->n;
    bool hidden = lesson_has(lesson, false, true);
    if (lesson_has(lesson, false, false))
        link_unit(build, "unit", "pristine/unit.o");
    if (hidden) { /* now that nothing is compiled any more: a source could have included it */
        workspace_show_hidden(workspace, "hidden.o");
        link_unit(build, "hidden", "out/hidden.o");
    }
    each_program(build, lesson, link_program);
    linked(build, first);
    if (hidden)
        workspace_hide_hidden(workspace, "hidden.o");
    if (build->record->build_failure != NULL)
        return;
    sandbox_seal(build->sandbox);
    if (hidden)
        workspace_hide_hidden(workspace, "hidden");
}

bool build_all(const struct sandbox *sandbox, const struct lesson *lesson,
               const struct options *options, struct record *record)
{
    struct build build = {
        .sandbox = sandbox, .record = record, .includes = include_flags(sandbox)};
    build.linker = access("/usr/bin/ld.gold", X_OK) == 0 ? "-fuse-ld=gold" : "";
    errno = 0;
    compile_all(&build, lesson, options);
    if (record->build_failure == NULL)
        link_all(&build, lesson);
    for (size_t i = 0; i < build.n; i++)
        step_free(&build.steps[i]);
    text_free(&build.objects);
    text_free(&build.unit_objects);
    free(build.includes);
    return record->build_failure == NULL;
}
