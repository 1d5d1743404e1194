#define _GNU_SOURCE
#include "class.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a student handed in at once. */
struct attempt {
    struct named named;
    char **entries; /* names below CLASS */
    char **files;   /* of each that is a lone file: what the student called it, or NULL */
    size_t count;
    char *source;   /* the entries, as they are shown */
    char *opened;   /* the folder of its normalised files */
    json_t *result; /* of open_submission() */
    time_t time, when_modified;
    const char *time_from;
};

struct class_ {
    const struct collect_options *options;
    struct course *course;
    struct attempt *attempts;
    size_t count;
    json_t *times, *weights, *gradescope, *ignored, *students, *only;
    char *work; /* a folder that becomes OUT/submissions */
    int lock;   /* a descriptor of OUT; 0: none yet */
};

static void *grown(void *array, size_t n, size_t size)
{
    void *more = reallocarray(array, n, size);
    if (more == NULL)
        fatal("out of memory");
    return more;
}

/* ---- who, from the names ------------------------------------------------------------- */

static bool is_setting(const char *name)
{
    return file_is_litter(name) || strcmp(name, "weights") == 0 ||
           strcmp(name, "times") == 0 || strncasecmp(name, "README", 6) == 0 ||
           strcmp(name, "submission_metadata.yml") == 0;
}

/* The class's results may well be kept in the class's folder. */
static bool is_out(const struct class_ *class, const struct stat *status)
{
    struct stat out;
    return stat(class->options->out, &out) == 0 && out.st_dev == status->st_dev &&
           out.st_ino == status->st_ino;
}

static struct attempt *attempt_of(struct class_ *class, const struct named *named)
{
    for (size_t i = 0; named->group != NULL && i < class->count; i++) {
        const struct named *other = &class->attempts[i].named;
        if (other->group != NULL && strcmp(other->group, named->group) == 0 &&
            strcmp(other->identity, named->identity) == 0)
            return &class->attempts[i];
    }
    return NULL;
}

/* One more entry of the class, of which name and metadata have been read; takes named. */
static void add_entry(struct class_ *class, const char *entry, struct named *named,
                      const struct stat *status)
{
    struct attempt *attempt = attempt_of(class, named);
    bool lone = S_ISREG(status->st_mode) && archive_extension(entry) == 0;
    char *file = lone ? text_copy(named->file) : NULL;
    if (attempt == NULL) {
        class->attempts = grown(class->attempts, class->count + 1, sizeof *attempt);
        attempt = &class->attempts[class->count++];
        *attempt = (struct attempt){.named = *named, .time = -1};
    } else {
        name_free(named);
    }
    size_t n = attempt->count++;
    attempt->entries = grown(attempt->entries, n + 1, sizeof *attempt->entries);
    attempt->files = grown(attempt->files, n + 1, sizeof *attempt->files);
    attempt->entries[n] = text_copy(entry);
    attempt->files[n] = file;
    if (n == 0 || status->st_mtime > attempt->when_modified)
        attempt->when_modified = status->st_mtime;
    char *name = shown(entry);
    char *source =
        n == 0 ? text_copy(name) : text_format("%s, %s", attempt->source, name);
    free(attempt->source);
    attempt->source = source;
    free(name);
}

/* What Gradescope's metadata say of this entry. */
static void name_from_metadata(const struct class_ *class, const char *entry,
                               struct named *named)
{
    char *key = shown(entry);
    json_t *said = json_object_get(class->gradescope, key);
    const char *name = json_string_value(json_object_get(said, "name"));
    const char *identity = json_string_value(json_object_get(said, "identity"));
    json_t *time = json_object_get(said, "time");
    if (name != NULL)
        name_set_student(named, name);
    if (identity != NULL) {
        free(named->identity);
        named->identity = text_copy(identity);
    }
    if (json_is_integer(time))
        named->time = (time_t)json_integer_value(time);
    free(key);
}

static void read_entry(struct class_ *class, const char *entry)
{
    char *path = text_format("%s/%s", class->options->class_, entry),
         *name = shown(entry);
    struct stat status;
    bool there = lstat(path, &status) == 0;
    bool folder = there && S_ISDIR(status.st_mode) && !is_out(class, &status);
    bool file = there && S_ISREG(status.st_mode) &&
                (archive_extension(entry) > 0 || ends_with(entry, ".c"));
    if (folder || file) {
        struct named named;
        name_read(&named, entry, folder, class->course);
        name_from_metadata(class, entry, &named);
        add_entry(class, entry, &named, &status);
    } else if (there && !S_ISDIR(status.st_mode)) {
        json_array_append_new(class->ignored, json_string(name));
    }
    free(path);
    free(name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool read_class(struct class_ *class)
{
    struct dirent **entries = NULL;
    int n = scandir(class->options->class_, &entries, NULL, by_name);
    if (n < 0)
        fprintf(stderr, "class: %s: %s\n", class->options->class_, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (!is_setting(entries[i]->d_name))
            read_entry(class, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (n >= 0 && class->count == 0)
        fprintf(stderr, "class: %s holds no submission: no folder, archive or .c file.\n",
                class->options->class_);
    return class->count > 0;
}

/* ---- what they handed in ------------------------------------------------------------- */

static void open_attempt(struct class_ *class, struct attempt *attempt, size_t number)
{
    struct place *places = grown(NULL, attempt->count, sizeof *places);
    for (size_t i = 0; i < attempt->count; i++)
        places[i] = (struct place){attempt->entries[i], attempt->files[i]};
    attempt->opened = text_format("%s/.%zu", class->work, number);
    attempt->result = open_submission(class->course, class->options->class_, places,
                                      attempt->count, attempt->opened);
    free(places);
    json_int_t newest = json_integer_value(json_object_get(attempt->result, "newest"));
    attempt->time = attempt->named.time;
    attempt->time_from = "name";
    if (attempt->time < 0) {
        attempt->time = newest >= 0 ? (time_t)newest : attempt->when_modified;
        attempt->time_from = "files";
    }
}

static void open_all(struct class_ *class)
{
    bool terminal = isatty(STDERR_FILENO);
    for (size_t i = 0; i < class->count; i++) {
        if (terminal)
            fprintf(stderr, "\ropening %zu of %zu", i + 1, class->count);
        open_attempt(class, &class->attempts[i], i);
    }
    if (terminal)
        fputs("\r\033[K", stderr);
}

static bool same_student(const struct attempt *a, const struct attempt *b)
{
    return strcmp(a->named.identity, b->named.identity) == 0;
}

static bool share_a_lesson(const struct attempt *a, const struct attempt *b)
{
    size_t i = 0, j = 0;
    json_t *one = NULL, *other = NULL;
    json_array_foreach(json_object_get(a->result, "lessons"), i, one)
    {
        json_array_foreach(json_object_get(b->result, "lessons"), j, other)
        {
            if (json_equal(json_object_get(one, "name"), json_object_get(other, "name")))
                return true;
        }
    }
    return false;
}

/*
 * Moodle's number is another one for each student and each assignment. So one name with
 * two numbers is one student with two assignments, or two students of one name: these
 * hand in the same lesson under different numbers.
 */
static bool is_namesake(const struct class_ *class, const struct attempt *attempt)
{
    for (size_t i = 0; i < class->count; i++) {
        const struct attempt *a = &class->attempts[i];
        if (a->named.person == NULL || !same_student(a, attempt))
            continue;
        for (size_t j = 0; j < i; j++) {
            const struct attempt *b = &class->attempts[j];
            if (same_student(b, attempt) && b->named.person != NULL &&
                strcmp(a->named.person, b->named.person) != 0 && share_a_lesson(a, b))
                return true;
        }
    }
    return false;
}

static void part_namesakes(struct class_ *class)
{
    bool *namesake = grown(NULL, class->count, sizeof *namesake);
    for (size_t i = 0; i < class->count; i++)
        namesake[i] = class->attempts[i].named.person != NULL &&
                      is_namesake(class, &class->attempts[i]);
    for (size_t i = 0; i < class->count; i++) {
        struct named *named = &class->attempts[i].named;
        if (!namesake[i])
            continue;
        char *identity = text_format("%s moodle:%s", named->identity, named->person);
        free(named->identity);
        named->identity = identity;
        char *note =
            text_format("another student is called %s, too: this is the one with "
                        "Moodle's number %s",
                        named->student, named->person);
        json_array_append_new(json_object_get(class->attempts[i].result, "notes"),
                              json_string(note));
        free(note);
    }
    free(namesake);
}

/* ---- students ------------------------------------------------------------------------ */

static int by_student_and_time(const void *a, const void *b)
{
    const struct attempt *one = a, *other = b;
    int order = strcmp(one->named.identity, other->named.identity);
    if (order == 0)
        order = (one->time > other->time) - (one->time < other->time);
    return order != 0 ? order : strcmp(one->source, other->source);
}

static bool key_taken(const json_t *keys, const char *key)
{
    const char *identity = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)keys, identity, value)
    {
        if (strcmp(json_string_value(value), key) == 0)
            return true;
    }
    return false;
}

/* Keys of students that the run before knew: a newcomer takes nobody's. */
static json_t *keys_before(const char *out)
{
    json_t *keys = json_object(), *student = NULL;
    char *path = text_format("%s/manifest.json", out);
    json_t *manifest = json_load_file(path, 0, NULL);
    size_t i = 0;
    json_array_foreach(json_object_get(manifest, "students"), i, student)
    {
        json_t *identity = json_object_get(student, "identity");
        const char *key = json_string_value(json_object_get(student, "key"));
        char *plain = key == NULL ? NULL : name_key(key, "");
        if (json_is_string(identity) && plain != NULL && strcmp(plain, key) == 0 &&
            *key != '\0' && !key_taken(keys, key))
            json_object_set_new(keys, json_string_value(identity), json_string(key));
        free(plain);
    }
    json_decref(manifest);
    free(path);
    return keys;
}

static const char *key_for(json_t *keys, const struct named *named)
{
    if (json_object_get(keys, named->identity) == NULL) {
        char *fallback = text_format("student%s%s", named->person != NULL ? "-" : "",
                                     named->person != NULL ? named->person : "");
        char *plain = name_key(named->student, fallback), *key = text_copy(plain);
        for (int n = 2; key_taken(keys, key); n++) {
            free(key);
            key = text_format("%s-%d", plain, n);
        }
        json_object_set_new(keys, named->identity, json_string(key));
        free(key);
        free(plain);
        free(fallback);
    }
    return json_string_value(json_object_get(keys, named->identity));
}

/* The instructor's word on when this came; names the line as used. */
static void time_from_file(const struct class_ *class, struct attempt *attempt,
                           const char *name, json_t *used)
{
    json_t *time = name == NULL ? NULL : json_object_get(class->times, name);
    if (time == NULL)
        return;
    attempt->time = (time_t)json_integer_value(time);
    attempt->time_from = "times";
    json_int_t before = json_integer_value(json_object_get(used, name));
    json_object_set_new(used, name, json_integer(before + 1));
}

/* Each line of `times` names one submission: by the name of its file or folder or, of a
 * student who has one only, by the student's. */
static bool apply_times(struct class_ *class)
{
    json_t *used = json_object(), *value = NULL;
    const char *name = NULL;
    bool valid = true;
    for (size_t i = 0; i < class->count; i++) {
        struct attempt *attempt = &class->attempts[i];
        time_from_file(class, attempt, attempt->named.student, used);
        for (size_t j = 0; j < attempt->count; j++) {
            char *entry = shown(attempt->entries[j]);
            if (strcmp(entry, attempt->named.student) != 0)
                time_from_file(class, attempt, entry, used);
            free(entry);
        }
    }
    json_object_foreach(class->times, name, value)
    {
        json_int_t uses = json_integer_value(json_object_get(used, name));
        if (uses == 0)
            fprintf(stderr, "class: times: there is no submission \"%s\".\n", name);
        else if (uses > 1)
            fprintf(stderr,
                    "class: times: \"%s\" has %d submissions: name the file or folder.\n",
                    name, (int)uses);
        valid = valid && uses == 1;
    }
    json_decref(used);
    return valid;
}

static json_t *attempt_json(const struct class_ *class, const struct attempt *attempt,
                            const char *key, size_t number)
{
    char *id = text_format("%zu", number);
    char *folder = text_format("%s/%s", class->work, key);
    char *path = text_format("%s/%s", folder, id);
    folder_make(folder);
    if (rename(attempt->opened, path) < 0)
        fatal("%s", path);
    const json_t *result = attempt->result;
    json_t *late =
        attempt->named.late < 0 ? json_null() : json_boolean(attempt->named.late);
    json_t *made = json_pack(
        "{s:s, s:s, s:I, s:s, s:o, s:O, s:O, s:O}", "id", id, "source", attempt->source,
        "time", (json_int_t)attempt->time, "time_from", attempt->time_from, "late", late,
        "lessons", json_object_get(result, "lessons"), "notes",
        json_object_get(result, "notes"), "problem", json_object_get(result, "problem"));
    if (made == NULL)
        fatal("the manifest cannot be made");
    free(path);
    free(folder);
    free(id);
    return made;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "key")),
                  json_string_value(json_object_get(*(json_t *const *)b, "key")));
}

static json_t *sorted_by_key(json_t *students)
{
    size_t n = json_array_size(students);
    json_t **list = grown(NULL, n, sizeof(json_t *));
    for (size_t i = 0; i < n; i++)
        list[i] = json_array_get(students, i);
    qsort(list, n, sizeof(json_t *), by_key);
    json_t *sorted = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append(sorted, list[i]);
    free(list);
    json_decref(students);
    return sorted;
}

static void make_students(struct class_ *class)
{
    json_t *keys = keys_before(class->options->out), *students = json_array();
    json_t *attempts = NULL;
    qsort(class->attempts, class->count, sizeof *class->attempts, by_student_and_time);
    for (size_t i = 0; i < class->count; i++) {
        const struct attempt *attempt = &class->attempts[i];
        const char *key = key_for(keys, &attempt->named);
        if (i == 0 || !same_student(attempt - 1, attempt)) {
            attempts = json_array();
            json_array_append_new(students, json_pack("{s:s, s:s, s:s, s:o}", "key", key,
                                                      "name", attempt->named.student,
                                                      "identity", attempt->named.identity,
                                                      "attempts", attempts));
        }
        size_t number = json_array_size(attempts) + 1;
        json_array_append_new(attempts, attempt_json(class, attempt, key, number));
    }
    json_decref(keys);
    class->students = sorted_by_key(students);
}

/* Whom --student means; NULL after saying that there is nobody. */
static json_t *choose_students(const struct class_ *class)
{
    json_t *only = json_array(), *student = NULL;
    size_t i = 0;
    json_array_foreach(class->students, i, student)
    {
        json_t *key = json_object_get(student, "key");
        const char *name = json_string_value(json_object_get(student, "name"));
        if (strcasestr(json_string_value(key), class->options->student) != NULL ||
            strcasestr(name, class->options->student) != NULL)
            json_array_append(only, key);
    }
    if (json_array_size(only) > 0)
        return only;
    fprintf(stderr, "class: no student of this class is called \"%s\".\n",
            class->options->student);
    json_decref(only);
    return NULL;
}

/* ---- lessons ------------------------------------------------------------------------- */

/* Those of --lessons; or those that have a weight; or all. */
static bool want_lessons(struct class_ *class)
{
    const char *list = class->options->lessons;
    if (list != NULL && !course_want(class->course, list))
        return false;
    for (size_t i = 0; json_object_size(class->weights) > 0 && i < class->course->count;
         i++) {
        struct unit *unit = &class->course->units[i];
        bool weighed = json_object_get(class->weights, unit->name) != NULL;
        if (list != NULL && unit->wanted && !weighed) {
            fprintf(stderr, "class: weights has no line for lesson %.2s.\n", unit->name);
            return false;
        }
        unit->wanted = unit->wanted && weighed;
    }
    return true;
}

/* How many attempts have the lesson, in that member of what was found? */
static size_t attempts_with(const struct class_ *class, const char *member,
                            const char *lesson)
{
    size_t n = 0;
    for (size_t i = 0; i < class->count; i++) {
        size_t j = 0;
        json_t *item = NULL;
        json_array_foreach(json_object_get(class->attempts[i].result, member), j, item)
        {
            json_t *name = json_is_string(item) ? item : json_object_get(item, "name");
            n += strcmp(json_string_value(name), lesson) == 0;
        }
    }
    return n;
}

static json_t *lessons_json(const struct class_ *class)
{
    json_t *lessons = json_array();
    for (size_t i = 0; i < class->course->count; i++) {
        const struct unit *unit = &class->course->units[i];
        if (unit->wanted && (class->options->lessons != NULL ||
                             attempts_with(class, "lessons", unit->name) > 0))
            json_array_append_new(lessons, json_string(unit->name));
    }
    return lessons;
}

/* A line for each lesson of the manifest; without the instructor's, all count alike. */
static json_t *weights_json(const struct class_ *class, const json_t *lessons)
{
    json_t *weights = json_object(), *lesson = NULL;
    size_t i = 0;
    json_array_foreach(lessons, i, lesson)
    {
        const char *name = json_string_value(lesson);
        json_t *weight = json_object_get(class->weights, name);
        if (weight != NULL)
            json_object_set(weights, name, weight);
        else
            json_object_set_new(weights, name,
                                json_pack("{s:i, s:n, s:n}", "weight", 1, "due", "late"));
    }
    return weights;
}

/* ---- all of it ----------------------------------------------------------------------- */

static char *class_name(const char *folder)
{
    char *path = realpath(folder, NULL);
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    char *name = shown(slash == NULL ? folder : slash + 1);
    free(path);
    return name;
}

static json_t *manifest_json(const struct class_ *class)
{
    json_t *lessons = lessons_json(class);
    char *name = class_name(class->options->class_);
    json_t *manifest =
        json_pack("{s:s, s:o, s:o, s:O?, s:O, s:O}", "class", name, "lessons", lessons,
                  "weights", weights_json(class, lessons), "only", class->only, "ignored",
                  class->ignored, "students", class->students);
    if (manifest == NULL)
        fatal("the manifest cannot be made");
    free(name);
    return manifest;
}

static void say_lessons(const struct class_ *class, const json_t *manifest)
{
    size_t i = 0;
    json_t *lesson = NULL;
    json_array_foreach(json_object_get(manifest, "lessons"), i, lesson)
    {
        printf("%s%.2s", i == 0 ? ", lessons " : " ", json_string_value(lesson));
    }
    puts("");
    for (i = 0; i < class->course->count; i++) {
        const struct unit *unit = &class->course->units[i];
        size_t n = attempts_with(class, "others", unit->name);
        if (n > 0 && class->options->lessons == NULL)
            printf("not graded: %s, handed in %zu times: weights has no line for it\n",
                   unit->name, n);
    }
}

static void say(const struct class_ *class, const json_t *manifest)
{
    size_t students = json_array_size(class->students);
    printf("%zu submission%s of %zu student%s", class->count,
           class->count == 1 ? "" : "s", students, students == 1 ? "" : "s");
    say_lessons(class, manifest);
    for (size_t i = 0; i < class->count; i++) {
        const struct attempt *attempt = &class->attempts[i];
        json_t *problem = json_object_get(attempt->result, "problem");
        if (json_is_string(problem))
            printf("not gradable: %s: %s\n", attempt->named.student,
                   json_string_value(problem));
    }
    size_t i = 0;
    json_t *name = NULL;
    json_array_foreach(class->ignored, i, name)
    {
        printf("no submission: %s\n", json_string_value(name));
    }
}

static void finish(const struct class_ *class)
{
    json_t *manifest = manifest_json(class);
    char *submissions = text_format("%s/submissions", class->options->out);
    char *path = text_format("%s/manifest.json", class->options->out);
    folder_replace(class->work, submissions);
    json_write(path, manifest);
    say(class, manifest);
    json_decref(manifest);
    free(submissions);
    free(path);
}

/* What an interrupted collect left. */
static void remove_left(const char *out)
{
    struct dirent **entries = NULL;
    int n = scandir(out, &entries, NULL, NULL);
    for (int i = 0; i < n; i++) {
        char *path = text_format("%s/%s", out, entries[i]->d_name);
        if (strncmp(entries[i]->d_name, ".submissions.", 13) == 0)
            folder_remove(path);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

/* One collect at a time in one folder: the others wait. */
static void begin(struct class_ *class)
{
    const char *out = class->options->out;
    folder_make(out);
    class->lock = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (class->lock < 0 || flock(class->lock, LOCK_EX) < 0)
        fatal("%s", out);
    remove_left(out);
    class->work = text_format("%s/.submissions.XXXXXX", out);
    if (mkdtemp(class->work) == NULL || chmod(class->work, 0755) < 0)
        fatal("%s", class->work);
}

static bool collect_into(struct class_ *class)
{
    const char *folder = class->options->class_;
    class->weights = weights_read(folder, class->course);
    class->times = class->weights == NULL ? NULL : times_read(folder);
    if (class->times == NULL || !want_lessons(class))
        return false;
    class->gradescope = gradescope_read(folder);
    if (!read_class(class))
        return false;
    begin(class);
    open_all(class);
    if (!apply_times(class))
        return false;
    part_namesakes(class);
    make_students(class);
    if (class->options->student != NULL)
        class->only = choose_students(class);
    return class->options->student == NULL || class->only != NULL;
}

static void class_free(struct class_ *class)
{
    for (size_t i = 0; i < class->count; i++) {
        struct attempt *attempt = &class->attempts[i];
        for (size_t j = 0; j < attempt->count; j++) {
            free(attempt->entries[j]);
            free(attempt->files[j]);
        }
        name_free(&attempt->named);
        free(attempt->entries);
        free(attempt->files);
        free(attempt->source);
        free(attempt->opened);
        json_decref(attempt->result);
    }
    free(class->attempts);
    json_decref(class->times);
    json_decref(class->weights);
    json_decref(class->gradescope);
    json_decref(class->ignored);
    json_decref(class->students);
    json_decref(class->only);
    course_free(class->course);
    free(class->work);
    if (class->lock > 0)
        close(class->lock);
}

int collect(const struct collect_options *options)
{
    struct class_ class = {
        .options = options, .course = course_load(), .ignored = json_array()};
    bool good = collect_into(&class);
    if (good)
        finish(&class);
    else if (class.work != NULL)
        folder_remove(class.work);
    class_free(&class);
    return good ? 0 : 2;
}
