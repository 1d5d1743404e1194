#define _GNU_SOURCE
#include "class.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPU_MOST    20                  /* seconds */
#define MEMORY_MOST ((rlim_t)1 << 30)   /* bytes */
#define SAID_MOST   ((size_t)256 << 10) /* bytes of what the process says in the end */
#define NO_TIME     ((time_t)315705600) /* 1980-01-03 */

/* One submission that is being looked into. */
struct opening {
    struct taking taking;
    char *failure; /* the first archive that could not be read, and why; or NULL */
};

/* ---- in the process of its own ------------------------------------------------------ */

static void look_into(struct opening *opening, int folder, const char *name,
                      const char *path, int depth);

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void look_into_folder(struct opening *opening, int fd, const char *path, int depth)
{
    struct dirent **entries = NULL;
    int n = depth > DEPTH_MOST ? 0 : scandirat(fd, ".", &entries, NULL, by_name);
    char *name = shown(path);
    if (depth > DEPTH_MOST)
        take_note(&opening->taking, "%s is more than 8 folders deep: not looked into",
                  name);
    else if (n < 0)
        take_note(&opening->taking, "%s cannot be read: %s", name, strerror(errno));
    free(name);
    for (int i = 0; i < n; i++) {
        const char *entry = entries[i]->d_name;
        char *below = text_format("%s%s%s", path, *path != '\0' ? "/" : "", entry);
        if (!file_is_litter(entry) && opening->taking.problem == NULL)
            look_into(opening, fd, entry, below, depth);
        free(below);
        free(entries[i]);
    }
    free(entries);
}

static void look_into_archive(struct opening *opening, int fd, const char *name,
                              const char *path)
{
    char *why = archive_take(&opening->taking, path, fd);
    char *called = shown(*path != '\0' ? path : name);
    if (why != NULL && opening->failure == NULL)
        opening->failure = text_format("%s %s", called, why);
    else if (why != NULL)
        take_note(&opening->taking, "%s %s: not taken", called, why);
    free(called);
    free(why);
}

static void read_file(struct opening *opening, int fd, const struct candidate *candidate)
{
    struct text text = {0};
    char buf[16384];
    ssize_t n = 0;
    text_add(&text, "", 0);
    while (text.length <= FILE_MOST && (n = read(fd, buf, sizeof buf)) > 0)
        text_add(&text, buf, (size_t)n);
    if (n < 0)
        take_note(&opening->taking, "%s cannot be read: %s", candidate->path,
                  strerror(errno));
    else if (text.length <= FILE_MOST)
        take_content(&opening->taking, candidate, text.bytes, text.length);
    text_free(&text);
}

/* A file or folder; name is in folder, path is how the submission calls it; depth is -1 for
 * the submission itself. */
static void look_into(struct opening *opening, int folder, const char *name,
                      const char *path, int depth)
{
    struct stat status;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* somebody removed it meanwhile */
    bool regular = S_ISREG(status.st_mode);
    bool packed = regular && (archive_extension(name) > 0 || *path == '\0');
    struct candidate candidate = {.path = path,
                                  .regular = regular,
                                  .size = (uint64_t)status.st_size,
                                  .time = status.st_mtime};
    bool count = take_count(&opening->taking, 0);
    bool wanted = count && !packed && !S_ISDIR(status.st_mode) &&
                  take_wants(&opening->taking, &candidate);
    if (!count || !(wanted || packed || S_ISDIR(status.st_mode)))
        return;
    /* Non-blocking, should it be something else by now. */
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        char *called = shown(path);
        take_note(&opening->taking, "%s cannot be read: %s", called, strerror(errno));
        free(called);
        return;
    }
    if (packed)
        look_into_archive(opening, fd, name, path);
    else if (wanted)
        read_file(opening, fd, &candidate);
    else
        look_into_folder(opening, fd, path, depth + 1);
    close(fd);
}

/* -1: there is none, or no file has a time. (Archives that know of none say 1970 or 1980.) */
static time_t newest_of(const struct taking *taking)
{
    time_t newest = NO_TIME;
    for (size_t i = 0; i < taking->course->count; i++)
        for (size_t j = 0; j < taking->course->units[i].count; j++)
            if (taking->found[i][j].path != NULL && taking->found[i][j].time > newest)
                newest = taking->found[i][j].time;
    return newest > NO_TIME ? newest : -1;
}

/* Lessons that were handed in and are not asked for. */
static json_t *others_of(const struct taking *taking)
{
    json_t *others = json_array();
    for (size_t i = 0; i < taking->course->count; i++) {
        const struct unit *unit = &taking->course->units[i];
        bool any = false;
        for (size_t j = 0; j < unit->count; j++)
            any = any || taking->found[i][j].path != NULL;
        if (any && !unit->wanted)
            json_array_append_new(others, json_string(unit->name));
    }
    return others;
}

/* What a submission is that holds nothing: not readable, or something else. */
static void conclude(struct opening *opening, const struct place *places, size_t count)
{
    bool alone =
        count == 1 && places[0].file == NULL && archive_extension(places[0].name) > 0;
    struct taking *taking = &opening->taking;
    if (opening->failure != NULL && (alone || !take_any(taking)))
        take_problem(taking, "%s", opening->failure);
    else if (opening->failure != NULL)
        take_note(taking, "%s: not taken", opening->failure);
    else if (!take_any(taking))
        take_problem(taking, "it holds none of the files that a lesson asks for");
}

static json_t *open_here(const struct course *course, const char *folder,
                         const struct place *places, size_t count, const char *into)
{
    struct opening opening = {0};
    take_begin(&opening.taking, course);
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fatal("%s", folder);
    for (size_t i = 0; i < count; i++) {
        const char *file = places[i].file == NULL ? "" : places[i].file;
        look_into(&opening, fd, places[i].name, file, -1);
    }
    close(fd);
    conclude(&opening, places, count);
    bool good = opening.taking.problem == NULL;
    json_t *lessons = good ? take_write(&opening.taking, into) : json_object();
    json_t *made = json_pack("{s:o, s:O, s:s?, s:I, s:o}", "lessons", lessons, "notes",
                             opening.taking.notes, "problem", opening.taking.problem,
                             "newest", (json_int_t)newest_of(&opening.taking), "others",
                             others_of(&opening.taking));
    take_end(&opening.taking);
    free(opening.failure);
    return made;
}

/* Not more than is allowed already. */
static void limit(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) < 0)
        fatal("getrlimit");
    if (now.rlim_cur > most)
        now.rlim_cur = most;
    if (now.rlim_max > most + 1) /* the end is told by SIGXCPU first */
        now.rlim_max = most + 1;
    if (setrlimit(resource, &now) < 0)
        fatal("setrlimit");
}

#ifdef __has_feature
#define SANITIZED_BY_CLANG __has_feature(address_sanitizer)
#else
#define SANITIZED_BY_CLANG 0
#endif

static void confine_self(void)
{
    limit(RLIMIT_CPU, CPU_MOST);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, FILE_MOST * 2);
/* A sanitizer reserves terabytes, and its reports are wanted. */
#if !defined __SANITIZE_ADDRESS__ && !SANITIZED_BY_CLANG
    limit(RLIMIT_AS, MEMORY_MOST);
    if (freopen("/dev/null", "w", stderr) ==
        NULL) /* the parent says what is to be said */
        exit(2);
#endif
}

/* ---- in the one that goes on --------------------------------------------------------- */

static char *said_by(int fd)
{
    struct text text = {0};
    char buf[16384];
    ssize_t n = 0;
    text_add(&text, "", 0);
    while ((n = read(fd, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0 && text.length < SAID_MOST)
            text_add(&text, buf, (size_t)n);
    return text.bytes;
}

/* What was said, as JSON, or what the process came to instead. */
static json_t *outcome(const char *said, int status)
{
    json_t *made = json_loads(said, 0, NULL);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && json_is_object(made))
        return made;
    json_decref(made);
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    char *why =
        signal == SIGXCPU
            ? text_format("it takes more than %d s of processor time to open", CPU_MOST)
        : signal != 0
            ? text_format("it cannot be opened: what reads it was ended by SIG%s",
                          sigabbrev_np(signal))
            : text_copy("it cannot be opened: that takes too much memory or room");
    made = json_pack("{s:{}, s:[], s:s, s:i, s:[]}", "lessons", "notes", "problem", why,
                     "newest", -1, "others");
    free(why);
    return made;
}

/* Runs open_here() in a process of its own. */
static json_t *open_apart(const struct course *course, const char *folder,
                          const struct place *places, size_t count, const char *into)
{
    int ends[2];
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) < 0)
        fatal("pipe");
    pid_t pid = fork();
    if (pid < 0)
        fatal("fork");
    if (pid == 0) {
        close(ends[0]);
        confine_self();
        json_t *made = open_here(course, folder, places, count, into);
        bool told = made != NULL && json_dumpfd(made, ends[1], 0) == 0;
        json_decref(made);
        exit(told ? 0 : 2);
    }
    close(ends[1]);
    char *said = said_by(ends[0]);
    close(ends[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    json_t *made = outcome(said, status);
    free(said);
    return made;
}

static bool listed(const json_t *files, const char *file)
{
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(files, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), file) == 0)
            return true;
    }
    return false;
}

/* Byte for byte: what follows a NUL counts, too. */
static bool file_is(const char *path, const char *text)
{
    struct stat status;
    char *there = file_read(path, FILE_MOST);
    bool same = there != NULL && stat(path, &status) == 0 &&
                (size_t)status.st_size == strlen(text) && strcmp(there, text) == 0;
    free(there);
    return same;
}

/* Is every file that was handed in the starter's? */
static bool only_starters(struct unit *unit, const json_t *files, const char *folder)
{
    for (size_t i = 0; i < unit->count; i++) {
        if (!listed(files, unit->files[i]))
            continue;
        char *path = text_format("%s/%s", folder, unit->files[i]);
        bool same = file_is(path, unit_starter(unit, i));
        free(path);
        if (!same)
            return false;
    }
    return true;
}

/* The lesson for the manifest, its missing files put there. */
static json_t *complete(struct unit *unit, const json_t *files, const char *folder)
{
    json_t *handed_in = json_array(), *from_starter = json_array();
    for (size_t i = 0; i < unit->count; i++) {
        bool given = listed(files, unit->files[i]);
        json_array_append_new(given ? handed_in : from_starter,
                              json_string(unit->files[i]));
        if (given)
            continue;
        const char *text = unit_starter(unit, i);
        char *path = text_format("%s/%s", folder, unit->files[i]);
        file_write(path, text, strlen(text));
        free(path);
    }
    return json_pack("{s:s, s:o, s:o}", "name", unit->name, "handed_in", handed_in,
                     "from_starter", from_starter);
}

/*
 * Who hands in the whole course (GitHub Classroom, an archive of all) hands in starters of
 * lessons not begun: these are no attempts. A lesson that comes by itself always is one.
 */
static json_t *lessons_of(struct course *course, const json_t *made, const char *into)
{
    json_t *files = json_object_get(made, "lessons"), *lessons = json_array();
    struct text untouched = {0};
    for (size_t i = 0; i < course->count; i++) {
        struct unit *unit = &course->units[i];
        json_t *of_lesson = json_object_get(files, unit->name);
        char *folder = text_format("%s/%s", into, unit->name);
        if (of_lesson != NULL && json_object_size(files) > 1 &&
            only_starters(unit, of_lesson, folder)) {
            text_print(&untouched, "%s%.2s", untouched.length > 0 ? ", " : "",
                       unit->name);
            folder_remove(folder);
        } else if (of_lesson != NULL) {
            json_array_append_new(lessons, complete(unit, of_lesson, folder));
        }
        free(folder);
    }
    if (untouched.length > 0) {
        char *note = text_format("nothing but the starter, and so not handed in: %s",
                                 untouched.bytes);
        json_array_append_new(json_object_get(made, "notes"), json_string(note));
        free(note);
    }
    text_free(&untouched);
    return lessons;
}

json_t *open_submission(struct course *course, const char *folder,
                        const struct place *places, size_t count, const char *into)
{
    folder_make(into);
    json_t *made = open_apart(course, folder, places, count, into);
    if (!json_is_null(json_object_get(made, "problem"))) {
        folder_remove(into);
        folder_make(into);
        json_object_set_new(made, "lessons", json_array());
    } else {
        json_object_set_new(made, "lessons", lessons_of(course, made, into));
    }
    return made;
}
