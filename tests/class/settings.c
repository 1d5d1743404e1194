#define _GNU_SOURCE
#include "class.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_MOST ((size_t)64 << 20) /* a metadata file holds all results, too */

/* One of the instructor's files, line by line. */
struct settings {
    const char *name;
    char *text, *rest, *line;
    int number;
};

/* Is the file there? Reads its first megabytes. */
static bool settings_open(struct settings *settings, const char *folder, const char *name)
{
    char *path = text_format("%s/%s", folder, name);
    *settings = (struct settings){.name = name, .text = file_read(path, SETTINGS_MOST)};
    if (settings->text == NULL && errno != ENOENT)
        fatal("%s", path);
    free(path);
    settings->rest = settings->text;
    if (settings->rest != NULL && strncmp(settings->rest, "\xef\xbb\xbf", 3) == 0)
        settings->rest += 3;
    return settings->text != NULL;
}

/* The next line, without its end. */
static bool settings_next(struct settings *settings)
{
    settings->line = strsep(&settings->rest, "\n");
    settings->number++;
    if (settings->line == NULL)
        return false;
    size_t n = strlen(settings->line);
    while (n > 0 && strchr(" \t\r", settings->line[n - 1]) != NULL)
        settings->line[--n] = '\0';
    return true;
}

__attribute__((format(printf, 2, 3))) static bool
settings_wrong(const struct settings *settings, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "class: %s, line %d: ", settings->name, settings->number);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    return false;
}

/* strptime() takes more than it should: the signs of numbers, single digits, blanks. */
static bool shaped(const char *text, const char *shape)
{
    for (; *shape != '\0'; text++, shape++)
        if (*shape == '9' ? *text < '0' || *text > '9' : *text != *shape)
            return false;
    return true;
}

time_t time_read(const char *text, const char **rest)
{
    struct tm when = {.tm_isdst = -1};
    if (!shaped(text, "9999-99-99 99:99"))
        return -1;
    const char *end = strptime(text, "%Y-%m-%d %H:%M", &when);
    int day = when.tm_mday;
    time_t time = end == NULL ? -1 : mktime(&when);
    if (time < 0 || when.tm_mday != day) /* 31 February is another day */
        return -1;
    *rest = end;
    return time;
}

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

/* "10%/day" or "0" */
static bool late_valid(const char *text)
{
    char *end = NULL;
    double loss = strtod(text, &end);
    bool digit = *text >= '0' && *text <= '9';
    return strcmp(text, "0") == 0 ||
           (digit && strcmp(end, "%/day") == 0 && loss > 0 && loss <= 100);
}

/* What follows the lesson: 10 [2026-11-20 23:59 [10%/day]]. */
static json_t *weight_read(const struct settings *settings, const char *s)
{
    char *end = NULL;
    double weight = strtod(s, &end);
    if (*s < '0' || *s > '9' || end == s || !isfinite(weight) || weight > 1e6 ||
        (*end != '\0' && *end != ' ' && *end != '\t')) {
        settings_wrong(settings, "the weight is a number from 0, not \"%s\"", s);
        return NULL;
    }
    const char *rest = skip_blanks(end);
    json_t *number = weight == floor(weight) ? json_integer((json_int_t)weight)
                                             : json_real(weight),
           *made = json_pack("{s:o, s:n, s:n}", "weight", number, "due", "late");
    if (*rest == '\0')
        return made;
    time_t due = time_read(rest, &rest);
    if (due < 0 || (*rest != '\0' && *rest != ' ' && *rest != '\t')) {
        settings_wrong(settings, "due is a time as 2026-11-20 23:59, not \"%s\"",
                       skip_blanks(end));
        json_decref(made);
        return NULL;
    }
    rest = skip_blanks(rest);
    json_object_set_new(made, "due", json_integer(due));
    if (*rest != '\0' && !late_valid(rest)) {
        settings_wrong(settings,
                       "what a late submission loses is as 10%%/day, or 0 for no "
                       "points, not \"%s\"",
                       rest);
        json_decref(made);
        return NULL;
    }
    if (*rest != '\0')
        json_object_set_new(made, "late", json_string(rest));
    return made;
}

static bool weights_line(const struct settings *settings, const struct course *course,
                         json_t *weights)
{
    const char *s = skip_blanks(settings->line);
    size_t word = strcspn(s, " \t");
    if (*s == '\0' || *s == '#')
        return true;
    const struct unit *unit = course_find(course, s, word);
    if (unit == NULL)
        return settings_wrong(settings, "there is no lesson \"%.*s\"", (int)word, s);
    if (json_object_get(weights, unit->name) != NULL)
        return settings_wrong(settings, "lesson %.2s was there before", unit->name);
    json_t *weight = weight_read(settings, skip_blanks(s + word));
    return weight != NULL && json_object_set_new(weights, unit->name, weight) == 0;
}

json_t *weights_read(const char *folder, const struct course *course)
{
    struct settings settings;
    json_t *weights = json_object();
    bool valid = true;
    if (settings_open(&settings, folder, "weights"))
        while (valid && settings_next(&settings))
            valid = weights_line(&settings, course, weights);
    free(settings.text);
    if (!valid)
        json_decref(weights);
    return valid ? weights : NULL;
}

static bool times_line(struct settings *settings, json_t *times)
{
    char *line = settings->line;
    if (*line == '\0' || *line == '#')
        return true;
    char *tab = strrchr(line, '\t');
    if (tab == NULL || tab == line)
        return settings_wrong(settings, "a line is a name, a tab and a time");
    const char *rest = "";
    time_t time = time_read(tab + 1, &rest);
    if (time < 0 || *rest != '\0')
        return settings_wrong(settings, "a time is as 2026-11-20 23:59, not \"%s\"",
                              tab + 1);
    *tab = '\0';
    char *name = shown(line);
    bool before = json_object_get(times, name) != NULL;
    json_object_set_new(times, name, json_integer(time));
    if (before)
        settings_wrong(settings, "\"%s\" was there before", name);
    free(name);
    return !before;
}

json_t *times_read(const char *folder)
{
    struct settings settings;
    json_t *times = json_object();
    bool valid = true;
    if (settings_open(&settings, folder, "times"))
        while (valid && settings_next(&settings))
            valid = times_line(&settings, times);
    free(settings.text);
    if (!valid)
        json_decref(times);
    return valid ? times : NULL;
}

/* A YAML value on one line: plain, 'quoted' or "quoted". */
static char *yaml_value(const char *s)
{
    struct text text = {0};
    s = skip_blanks(s);
    char quote = *s == '\'' || *s == '"' ? *s++ : '\0';
    text_add(&text, "", 0);
    for (; *s != '\0'; s++) {
        if (quote != '\0' && *s == quote && s[1] != quote)
            break;
        bool escaped = (quote == '\'' && *s == quote) || (quote == '"' && *s == '\\');
        if (escaped && s[1] != '\0')
            s++;
        text_add(&text, s, 1);
    }
    return text.bytes;
}

/* The value if the line, past its blanks and a list's dash, has this key; or NULL. */
static char *yaml_key(const char *line, const char *key)
{
    line += strspn(line, " -");
    return strncmp(line, key, strlen(key)) == 0 ? yaml_value(line + strlen(key)) : NULL;
}

/* ":created_at: 2026-11-20 10:11:12.000000000 Z", or with +01:00 at its end */
static time_t gradescope_time(const char *text)
{
    struct tm when = {0};
    const char *rest = strptime(text, "%Y-%m-%d %H:%M:%S", &when);
    if (rest == NULL)
        return -1;
    rest += strspn(rest, ".0123456789 ");
    long hours = 0, minutes = 0;
    if (shaped(rest + (*rest != '\0'), "99:99") &&
        sscanf(rest, "%ld:%ld", &hours, &minutes) == 2)
        minutes = *rest == '-' ? -minutes : minutes;
    return timegm(&when) - hours * 3600 - minutes * 60;
}

/* One more person who handed in together with the others. */
static void gradescope_person(json_t *submission, const char *name)
{
    const char *before = json_string_value(json_object_get(submission, "name"));
    char *person = shown(name);
    char *all =
        before == NULL ? text_copy(person) : text_format("%s and %s", before, person);
    json_object_set_new(submission, "name", json_string(all));
    free(all);
    free(person);
}

static void gradescope_line(const char *line, json_t *submission, bool *people)
{
    if (strncmp(line, "  :", 3) == 0)
        *people = strncmp(line, "  :submitters:", 14) == 0;
    char *name = *people ? yaml_key(line, ":name:") : NULL;
    char *email = *people ? yaml_key(line, ":email:") : NULL;
    char *time = strncmp(line, "  :created_at:", 14) == 0 ? yaml_value(line + 14) : NULL;
    if (name != NULL)
        gradescope_person(submission, name);
    if (email != NULL && json_object_get(submission, "identity") == NULL) {
        char *identity = text_format("gradescope:%s", email);
        char *clean = shown(identity);
        json_object_set_new(submission, "identity", json_string(clean));
        free(clean);
        free(identity);
    }
    if (time != NULL)
        json_object_set_new(submission, "time", json_integer(gradescope_time(time)));
    free(name);
    free(email);
    free(time);
}

json_t *gradescope_read(const char *folder)
{
    struct settings settings;
    json_t *all = json_object(), *submission = NULL;
    bool people = false;
    if (settings_open(&settings, folder, "submission_metadata.yml"))
        while (settings_next(&settings)) {
            char *line = settings.line;
            size_t word = strcspn(line, ":");
            if (strncmp(line, "submission_", 11) == 0 && line[word] == ':') {
                line[word] = '\0';
                char *name = shown(line);
                submission = json_object();
                json_object_set_new(all, name, submission);
                free(name);
                people = false;
            } else if (submission != NULL) {
                gradescope_line(line, submission, &people);
            }
        }
    free(settings.text);
    return all;
}
