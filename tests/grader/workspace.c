/*
 * The workspace is all that a sandbox sees of the course: no solutions, no mutants, no
 * results.
 *
 *   tree/lessons/NN-topic/   every lesson's headers; of the graded lesson also the
 *                            student's files
 *   tree/tests/              the bats file, its helpers
 *   tree/pristine/           harness, unit.o, reference objects
 *   tree/bin/                the programs by name: links to confine, which starts
 *                            out/bin/NAME
 *   tree/out/                what the build makes; read-only afterwards
 *   tmp/                     private files of a test where there is no private /tmp
 *   aside/                   the hidden tests, while no sandbox may see them
 */
#define _GNU_SOURCE
#include "grade.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STUDENT_FILE_LIMIT = 1 << 20 };

static void make_folder(const char *workspace, const char *name)
{
    char *path = text_format("%s/%s", workspace, name);
    for (char *slash = path + strlen(workspace) + 1; slash != NULL;) {
        slash = strchr(slash, '/');
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            fatal("mkdir %s", path);
        if (slash != NULL)
            *slash++ = '/';
    }
    errno = 0;
    free(path);
}

static bool copy_bytes(int from, int to)
{
    ssize_t n;
    while ((n = sendfile(to, from, NULL, 1 << 20)) != 0)
        if (n < 0 && errno != EINTR)
            return false;
    return true;
}

/* Copies what is open as `from` to workspace/folder/name. */
static void put(const char *workspace, const char *folder, const char *name, int from)
{
    make_folder(workspace, folder);
    char *path = text_format("%s/%s/%s", workspace, folder, name);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (to < 0 || !copy_bytes(from, to) || close(to) < 0)
        fatal("write %s", path);
    close(from);
    free(path);
}

/* Copies a file of the course itself. Returns false if there is none. */
static bool put_pristine(const char *workspace, const char *folder, const char *path)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return errno = 0, false;
    put(workspace, folder, basename((char *)path), from);
    return true;
}

static void put_pristine_all(const char *workspace, const char *folder,
                             const char *pattern)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            put_pristine(workspace, folder, found.gl_pathv[i]);
        globfree(&found);
    }
    errno = 0;
}

static const char *refusal(int fd, int error)
{
    struct stat status;
    if (fd < 0 && error == ENOENT)
        return "is missing";
    if (fd < 0 && (error == ELOOP || error == EMLINK))
        return "is a symbolic link; only a regular file is graded";
    if (fd < 0 || fstat(fd, &status) < 0)
        return "cannot be read";
    if (!S_ISREG(status.st_mode))
        return "is not a regular file";
    if (status.st_size > STUDENT_FILE_LIMIT)
        return "is larger than 1 MiB";
    return NULL;
}

/* Copies one file of the student's. Says in *failure what is wrong with it, if anything.
 */
static void put_student(const char *workspace, const char *lesson, const char *file,
                        const char *source, char **failure)
{
    char *path = text_format("%s/%s", source, lesson);
    /* Nor may its folder be a link, which could lead to the solution. */
    int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
        linked = folder < 0 && errno == ENOTDIR ? ELOOP : errno;
    int fd = folder < 0
                 ? -1
                 : openat(folder, file,
                          O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    const char *why = refusal(fd, folder < 0 ? linked : errno);
    if (folder >= 0)
        close(folder);
    errno = 0;
    if (why != NULL) {
        if (*failure == NULL)
            *failure = text_format("%s/%s/%s %s", source, lesson, file, why);
        if (fd >= 0)
            close(fd);
    } else {
        char *to = text_format("tree/lessons/%s", lesson);
        put(workspace, to, file, fd);
        free(to);
    }
    free(path);
}

static void put_headers(const char *workspace)
{
    glob_t found;
    if (glob("lessons/[0-9][0-9]-*/*.h", 0, NULL, &found) != 0)
        fatal("no lessons/NN-topic/*.h here: run from the top of the course");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *folder = text_format("tree/%s", found.gl_pathv[i]);
        put_pristine(workspace, dirname(folder), found.gl_pathv[i]);
        free(folder);
    }
    globfree(&found);
}

/* A module of an earlier lesson: the reference's object, or with LINK=mine the student's
 * source. */
static void put_used(const char *workspace, const struct options *options,
                     const char *source, const char *uses, char **failure)
{
    char *lesson = text_copy(uses), *file = strchr(lesson, ' ');
    *file++ = '\0';
    file += strspn(file, " ");
    if (options->mine) {
        put_student(workspace, lesson, file, source, failure);
    } else {
        char *object = text_format("build/lessons/%s/reference/%.*s.o", lesson,
                                   (int)strlen(file) - 2, file);
        if (!put_pristine(workspace, "tree/pristine", object))
            fatal(
                "LINK=mine is needed here: this copy of the course has no reference for %s of lesson %.2s on this kind of machine",
                file, lesson);
        free(object);
    }
    free(lesson);
}

/* May every user pass through this folder and all above it? */
static bool open_to_all(const char *folder)
{
    char *path = text_copy(folder);
    bool open = true;
    struct stat status;
    for (char *slash; open && *path != '\0'; *slash = '\0') {
        open = stat(path, &status) == 0 && (status.st_mode & S_IXOTH) != 0;
        slash = strrchr(path, '/');
        if (slash == NULL)
            break;
    }
    free(path);
    errno = 0;
    return open;
}

/* In $TMPDIR, if the users that a grading by root gives to its sandboxes can reach it; or in /tmp. */
static char *workspace_folder(void)
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || *parent != '/' || (getuid() == 0 && !open_to_all(parent)))
        parent = "/tmp";
    char *path = text_format("%s/lab-XXXXXX", parent);
    if (mkdtemp(path) == NULL || chmod(path, 0755) < 0)
        fatal("mkdtemp %s", path);
    return path;
}

static void make_executable(const char *workspace, const char *name)
{
    char *path = text_format("%s/%s", workspace, name);
    if (chmod(path, 0755) < 0)
        fatal("chmod %s", path);
    free(path);
}

/* What the student's objects may define for others to see; everything else they define
 * becomes local to them. */
static void put_symbols(const char *workspace, const struct lesson *lesson,
                        const struct options *options)
{
    char *path = text_format("%s/tree/pristine/keep", workspace);
    FILE *keep = fopen(path, "wex");
    if (keep == NULL)
        fatal("write %s", path);
    for (char **function = lesson->functions; *function != NULL; function++)
        fprintf(keep, "%s\n", *function);
    for (char **uses = lesson->uses; options->mine && uses != NULL && *uses != NULL;
         uses++) {
        char *name = text_format("%.*s", (int)strcspn(*uses, " "), *uses);
        struct lesson *used = lesson_promised(name);
        for (char **function = used->functions; *function != NULL; function++)
            fprintf(keep, "%s\n", *function);
        lesson_free(used);
        free(name);
    }
    if (fclose(keep) != 0)
        fatal("write %s", path);
    free(path);
}

static void put_programs(const char *workspace, char *const *programs)
{
    for (char *const *program = programs; program != NULL && *program != NULL;
         program++) {
        char *path = text_format("%s/tree/bin/%.*s", workspace, (int)strlen(*program) - 2,
                                 *program);
        if (symlink("../pristine/confine", path) < 0)
            fatal("symlink %s", path);
        free(path);
    }
}

static void make_private(const char *workspace, const char *folder)
{
    char *path = text_format("%s/%s", workspace, folder);
    if (mkdir(path, 0700) < 0)
        fatal("mkdir %s", path);
    free(path);
}

/* Not into the tree: what a submission can read it can also print. */
static void put_hidden(const char *workspace, const struct lesson *lesson)
{
    if (!lesson_has(lesson, false, true))
        return;
    char *object = text_format("build/lessons/%s/hidden.o", lesson->name);
    make_private(workspace, "aside");
    if (!put_pristine(workspace, "aside", object))
        fatal("%s is missing: run make", object);
    free(object);
}

static void move_hidden(const char *workspace, const char *from, const char *to,
                        const char *name)
{
    char *old = text_format("%s/%s/%s", workspace, from, name),
         *new = text_format("%s/%s/%s", workspace, to, name);
    if (rename(old, new) < 0)
        fatal("move %s", old);
    free(old), free(new);
}

void workspace_show_hidden(const char *workspace, const char *name)
{
    move_hidden(workspace, "aside", "tree/out", name);
}

void workspace_hide_hidden(const char *workspace, const char *name)
{
    move_hidden(workspace, "tree/out", "aside", name);
}

char *workspace_make(const struct lesson *lesson, const struct options *options,
                     const char *source, char **failure)
{
    char *workspace = workspace_folder();
    workspace_made(workspace);
    char *folder = text_format("tree/lessons/%s", lesson->name);
    char *unit = text_format("build/lessons/%s/unit.o", lesson->name);
    char *bats = text_format("tests/%s/e2e.bats", lesson->name);
    char *tests = text_format("tree/tests/%s", lesson->name);
    make_folder(workspace, "tree/out/bin");
    make_folder(workspace, "tree/bin");
    make_folder(workspace, "tmp");
    make_folder(workspace, folder);
    put_headers(workspace);
    for (char **file = lesson->modules; *file != NULL; file++)
        put_student(workspace, lesson->name, *file, source, failure);
    for (char **file = lesson->programs; file != NULL && *file != NULL; file++)
        put_student(workspace, lesson->name, *file, source, failure);
    for (char **file = lesson->given; file != NULL && *file != NULL; file++) {
        char *path = text_format("lessons/%s/%s", lesson->name, *file);
        if (!put_pristine(workspace, folder, path))
            fatal("%s is missing", path);
        free(path);
    }
    for (char **uses = lesson->uses; uses != NULL && *uses != NULL; uses++)
        put_used(workspace, options, source, *uses, failure);
    if (!put_pristine(workspace, "tree/pristine", unit) ||
        !put_pristine(workspace, "tree/pristine", "build/harness/libharness.a") ||
        !put_pristine(workspace, "tree/pristine", "build/bin/confine") ||
        !put_pristine(workspace, "tree/pristine", "tests/harness/calls.syms"))
        fatal("the tests are not built: run make");
    make_executable(workspace, "tree/pristine/confine");
    put_symbols(workspace, lesson, options);
    put_programs(workspace, lesson->programs);
    put_programs(workspace, lesson->given);
    put_pristine(workspace, tests, bats);
    put_hidden(workspace, lesson);
    put_pristine_all(workspace, "tree/tests/lib", "tests/lib/*.bash");
    put_pristine(workspace, "tree/tests/lib", "build/harness/assert.bash");
    free(folder), free(unit), free(bats), free(tests);
    return workspace;
}

static int remove_one(const char *path, const struct stat *status, int type,
                      struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    remove(path); /* best effort: what is left is a private folder below /tmp */
    return 0;
}

/* Folders that a submission made unreadable are opened up first, so that they can be
 * emptied. */
static int open_up(const char *path, const struct stat *status, int type,
                   struct FTW *walk)
{
    (void)walk;
    if (type == FTW_DNR || (type == FTW_D && (status->st_mode & S_IRWXU) != S_IRWXU))
        chmod(path, S_IRWXU);
    return 0;
}

static void run(char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO); /* best effort, as above */
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid > 0)
        sandbox_wait(pid);
}

void workspace_remove(char *workspace)
{
    nftw(workspace, open_up, 32, FTW_PHYS);
    nftw(workspace, remove_one, 32, FTW_PHYS | FTW_DEPTH);
    if (access(workspace, F_OK) == 0) { /* too deep for any path */
        run((char *[]){"chmod", "-R", "--", "u+rwX", workspace, NULL});
        run((char *[]){"rm", "-rf", "--", workspace, NULL});
    }
    errno = 0;
    free(workspace);
}
