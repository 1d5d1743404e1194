/*
 * class: a whole class, from what its learning management system gives to grades.
 *
 * The order is: collect; grade each of the jobs; report. grade-class does it all.
 */
#define _GNU_SOURCE
#include "class.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int usage(void)
{
    fputs(
        "usage: class collect [--lessons=NN,NN] [--student=NAME] CLASS OUT\n"
        "       class jobs OUT\n"
        "       class report OUT\n"
        "       class one [--lesson=NN,NN] SOURCE DEST\n"
        "\n"
        "collect  find, open and normalise the submissions below CLASS\n"
        "jobs     one line each: KEY, ATTEMPT and lesson, with tabs\n"
        "report   grades.csv, report.html and a page for each student\n"
        "one      normalise one folder or archive into DEST/NN-topic/*.c; status 1 if it\n"
        "         cannot be graded\n",
        stderr);
    return 2;
}

/* ---- jobs --------------------------------------------------------------------------- */

static bool holds(const json_t *list, const json_t *value)
{
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        if (json_equal(item, value))
            return true;
    }
    return false;
}

static void jobs_of(const json_t *student)
{
    size_t i = 0, j = 0;
    json_t *attempt = NULL, *lesson = NULL;
    const char *key = json_string_value(json_object_get(student, "key"));
    json_array_foreach(json_object_get(student, "attempts"), i, attempt)
    {
        const char *id = json_string_value(json_object_get(attempt, "id"));
        json_array_foreach(json_object_get(attempt, "lessons"), j, lesson)
        {
            const char *name = json_string_value(json_object_get(lesson, "name"));
            printf("%s\t%s\t%s\n", key, id, name);
        }
    }
}

static int jobs(const char *out)
{
    json_t *manifest = manifest_read(out), *student = NULL;
    if (manifest == NULL)
        return 2;
    json_t *only = json_object_get(manifest, "only");
    size_t i = 0;
    json_array_foreach(json_object_get(manifest, "students"), i, student)
    {
        if (!json_is_array(only) || holds(only, json_object_get(student, "key")))
            jobs_of(student);
    }
    json_decref(manifest);
    return 0;
}

/* ---- one ---------------------------------------------------------------------------- */

/* The lesson's files stand in dest when it is whole, and only then. */
static void deliver(const json_t *lessons, const char *from, const char *dest)
{
    size_t i = 0;
    json_t *lesson = NULL;
    json_array_foreach(lessons, i, lesson)
    {
        const char *name = json_string_value(json_object_get(lesson, "name"));
        char *made = text_format("%s/%s", from, name);
        char *path = text_format("%s/%s", dest, name);
        folder_replace(made, path);
        free(made);
        free(path);
    }
}

static void say_starters(const json_t *lessons)
{
    size_t i = 0, j = 0;
    json_t *lesson = NULL, *file = NULL;
    json_array_foreach(lessons, i, lesson)
    {
        json_array_foreach(json_object_get(lesson, "from_starter"), j, file)
        {
            printf("%s was not handed in: the starter's is graded\n",
                   json_string_value(file));
        }
    }
}

/* Says what was found. Returns the exit status. */
static int say_one(const json_t *made)
{
    size_t i = 0;
    json_t *note = NULL;
    json_t *lessons = json_object_get(made, "lessons");
    json_t *problem = json_object_get(made, "problem");
    json_array_foreach(json_object_get(made, "notes"), i, note)
    {
        puts(json_string_value(note));
    }
    say_starters(lessons);
    if (json_is_string(problem))
        printf("The submission cannot be graded: %s.\n", json_string_value(problem));
    else if (json_array_size(lessons) == 0)
        puts(
            "The submission cannot be graded: it holds nothing of the lesson asked for.");
    return json_array_size(lessons) > 0 ? 0 : 1;
}

static int one_into(struct course *course, const char *source, const char *dest)
{
    char *path = realpath(source, NULL);
    if (path == NULL || strcmp(path, "/") == 0) {
        fprintf(stderr, "class: %s: %s\n", source, path == NULL ? strerror(errno) : "no");
        free(path);
        return 2;
    }
    folder_make(dest);
    char *work = text_format("%s/.one.XXXXXX", dest);
    if (mkdtemp(work) == NULL || chmod(work, 0755) < 0)
        fatal("%s", work);
    char *name = strrchr(path, '/');
    *name++ = '\0';
    bool lone = ends_with(name, ".c");
    struct place place = {.name = name, .file = lone ? name : NULL};
    json_t *made = open_submission(course, *path == '\0' ? "/" : path, &place, 1, work);
    deliver(json_object_get(made, "lessons"), work, dest);
    int status = say_one(made);
    folder_remove(work);
    json_decref(made);
    free(work);
    free(path);
    return status;
}

static int one(const char *lessons, const char *source, const char *dest)
{
    struct course *course = course_load();
    bool good = lessons == NULL || course_want(course, lessons);
    int status = good ? one_into(course, source, dest) : 2;
    course_free(course);
    return status;
}

/* ---- main --------------------------------------------------------------------------- */

/* The value if the argument is that option; or NULL. */
static const char *option(const char *argument, const char *name)
{
    size_t n = strlen(name);
    return strncmp(argument, name, n) == 0 ? argument + n : NULL;
}

/* Takes options off the arguments. Returns false if one is unknown, or given to a command
 * that does not know it. */
static bool options_read(char ***argv, bool collecting, struct collect_options *options)
{
    for (; **argv != NULL && strncmp(**argv, "--", 2) == 0; ++*argv) {
        if (strcmp(**argv, "--") == 0)
            return ++*argv, true;
        const char *lessons = option(**argv, collecting ? "--lessons=" : "--lesson=");
        const char *student = collecting ? option(**argv, "--student=") : NULL;
        if (lessons == NULL && (student == NULL || *student == '\0'))
            return false;
        options->lessons = lessons != NULL ? lessons : options->lessons;
        options->student = student != NULL ? student : options->student;
    }
    return true;
}

static int command(char **argv)
{
    const char *word = argv[0];
    bool collecting = strcmp(word, "collect") == 0;
    bool single = strcmp(word, "one") == 0;
    struct collect_options options = {0};
    argv++;
    if ((collecting || single) && !options_read(&argv, collecting, &options))
        return usage();
    int n = 0;
    while (argv[n] != NULL)
        n++;
    if ((strcmp(word, "jobs") == 0 || strcmp(word, "report") == 0) && n == 1)
        return word[0] == 'j' ? jobs(argv[0]) : report(argv[0]);
    if (n != 2 || !(collecting || single))
        return usage();
    if (single)
        return one(options.lessons, argv[0], argv[1]);
    options.class_ = argv[0];
    options.out = argv[1];
    return collect(&options);
}

int main(int argc, char **argv)
{
    /* Names in archives are UTF-8 on every machine; everything else is as in C. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        setlocale(LC_CTYPE, "");
    int status = argc < 2 ? usage() : command(argv + 1);
    return fflush(stdout) == 0 ? status : 2;
}
