#define _GNU_SOURCE
#include "class.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void *grown(void *array, size_t bytes)
{
    void *more = realloc(array, bytes);
    if (more == NULL)
        fatal("out of memory");
    return more;
}

static void unit_add(struct unit *unit, const char *file)
{
    unit->files = grown(unit->files, (unit->count + 1) * sizeof *unit->files);
    unit->starters = grown(unit->starters, (unit->count + 1) * sizeof *unit->starters);
    unit->files[unit->count] = text_copy(file);
    unit->starters[unit->count++] = NULL;
}

/* Only what names the student's files: the rest of a contract is the grader's. */
static void contract_read(struct unit *unit, const char *path)
{
    char *text = file_read(path, 65536);
    if (text == NULL)
        fatal("%s", path);
    for (char *line, *rest = text; (line = strsep(&rest, "\n")) != NULL;) {
        char file[64];
        if (sscanf(line, "module %63s", file) == 1 ||
            sscanf(line, "program %63s", file) == 1)
            unit_add(unit, file);
    }
    free(text);
}

struct course *course_load(void)
{
    glob_t found;
    if (glob("tests/[0-9][0-9]-*/contract", 0, NULL, &found) != 0) {
        errno = 0;
        fatal("there are no lessons here: class is run in the course's folder");
    }
    struct course *course = calloc(1, sizeof *course);
    struct unit *units = calloc(found.gl_pathc, sizeof *units);
    if (course == NULL || units == NULL)
        fatal("out of memory");
    *course = (struct course){units, found.gl_pathc};
    for (size_t i = 0; i < course->count; i++) {
        const char *name = found.gl_pathv[i] + strlen("tests/");
        course->units[i] = (struct unit){
            .name = text_format("%.*s", (int)strcspn(name, "/"), name), .wanted = true};
        contract_read(&course->units[i], found.gl_pathv[i]);
    }
    globfree(&found);
    return course;
}

void course_free(struct course *course)
{
    for (size_t i = 0; i < course->count; i++) {
        for (size_t j = 0; j < course->units[i].count; j++) {
            free(course->units[i].files[j]);
            free(course->units[i].starters[j]);
        }
        free(course->units[i].name);
        free(course->units[i].files);
        free(course->units[i].starters);
    }
    free(course->units);
    free(course);
}

struct unit *course_find(const struct course *course, const char *word, size_t length)
{
    if (length == 0)
        return NULL;
    for (size_t i = 0; i < course->count; i++) {
        const char *name = course->units[i].name;
        if (strncasecmp(name, word, length) == 0 && name[length] == '\0')
            return &course->units[i];
        bool number = strncmp(name, word, length) == 0 && length == 2;
        if (number || (length == 1 && name[0] == '0' && name[1] == word[0]))
            return &course->units[i];
    }
    return NULL;
}

bool course_want(struct course *course, const char *list)
{
    for (size_t i = 0; i < course->count; i++)
        course->units[i].wanted = false;
    for (const char *word = list;; word++) {
        size_t length = strcspn(word, ", ");
        struct unit *unit = course_find(course, word, length);
        if (unit == NULL) {
            fprintf(stderr, "class: there is no lesson \"%.*s\".\n", (int)length, word);
            return false;
        }
        unit->wanted = true;
        word += length;
        if (*word == '\0')
            return true;
    }
}

size_t unit_file(const struct unit *unit, const char *name)
{
    size_t i = 0;
    while (i < unit->count && strcasecmp(unit->files[i], name) != 0)
        i++;
    return i;
}

static char *starter_read(const char *lesson, const char *file)
{
    char *command = text_format("exec tests/class/starter '%s' '%s'", lesson, file);
    FILE *from = popen(command, "re");
    if (from == NULL)
        fatal("%s", command);
    struct text text = {0};
    char buf[16384];
    text_add(&text, "", 0);
    for (size_t n; (n = fread(buf, 1, sizeof buf, from)) > 0;)
        text_add(&text, buf, n);
    if (pclose(from) != 0) {
        errno = 0;
        fatal("there is no pristine starter of lessons/%s/%s here (no git history, no "
              "copy)",
              lesson, file);
    }
    free(command);
    return text.bytes;
}

const char *unit_starter(struct unit *unit, size_t file)
{
    if (unit->starters[file] == NULL)
        unit->starters[file] = starter_read(unit->name, unit->files[file]);
    return unit->starters[file];
}
