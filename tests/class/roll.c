/* The manifest and the results, read into a roll. Both were written by our own programs,
 * and are checked as if they were not: they may be old, cut, or edited. */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void *array_grown(void *array, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return array; /* room doubles at each power of two */
    size_t room = count == 0 ? 1 : 2 * count;
    char *grown = reallocarray(array, room, size);
    if (grown == NULL)
        fatal("out of memory");
    memset(grown + count * size, 0, (room - count) * size);
    return grown;
}

static void *zeroed(size_t count, size_t size)
{
    void *made = calloc(count + 1, size);
    if (made == NULL)
        fatal("out of memory");
    return made;
}

const char *member_text(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : otherwise;
}

char *time_text(long long time)
{
    char text[32] = "";
    time_t seconds = (time_t)time;
    struct tm parts;
    if (time < 0 || localtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts) == 0)
        return text_copy("not known");
    return text_copy(text);
}

/* Is it a name that we gave: one that can be part of a path and of a link as it is? */
static bool is_plain(const char *name)
{
    return name != NULL && *name != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

char *result_path(const struct roll *roll, const struct student *student,
                  const struct attempt *attempt, const struct topic *topic)
{
    return text_format("%s/results/%s/%s/lesson-%s", roll->out, student->key, attempt->id,
                       topic->number);
}

enum result graded_result(const struct graded *graded, size_t column)
{
    return column < graded->length ? (enum result)(graded->results[column] - '0')
                                   : RESULT_NONE;
}

/* ---- one result -------------------------------------------------------------------- */

static enum result result_named(const char *name)
{
    static const char *const names[] = {"", "pass", "fail", "skip", "error"};
    for (int result = RESULT_PASS; result <= RESULT_ERROR; result++)
        if (strcmp(name, names[result]) == 0)
            return (enum result)result;
    return RESULT_NONE;
}

/* The test's column, a new one if no result before had this test. likely: where to begin
 * to look. */
static size_t column_of(struct topic *topic, const json_t *test, const char *id,
                        size_t likely)
{
    if (likely < topic->column_count && strcmp(topic->columns[likely].id, id) == 0)
        return likely;
    for (size_t i = 0; i < topic->column_count; i++)
        if (strcmp(topic->columns[i].id, id) == 0)
            return i;
    topic->columns =
        array_grown(topic->columns, topic->column_count, sizeof *topic->columns);
    struct column *column = &topic->columns[topic->column_count];
    const char *whole = member_text(test, "name", id), *colon = strstr(whole, ": ");
    size_t group = colon == NULL ? 0 : (size_t)(colon - whole);
    *column = (struct column){.id = text_copy(id),
                              .group = text_format("%.*s", (int)group, whole),
                              .name = text_copy(colon == NULL ? whole : colon + 2)};
    return topic->column_count++;
}

static void set_result(struct graded *graded, size_t column, enum result result)
{
    if (column >= graded->length) {
        graded->results = realloc(graded->results, column + 2);
        if (graded->results == NULL)
            fatal("out of memory");
        memset(graded->results + graded->length, '0', column + 1 - graded->length);
        graded->length = column + 1;
        graded->results[graded->length] = '\0';
    }
    graded->results[column] = (char)('0' + (int)result);
}

static void read_test(struct topic *topic, struct graded *graded, const json_t *test,
                      size_t number)
{
    const json_t *extra = json_object_get(test, "extra_data");
    const char *id = member_text(extra, "id", NULL);
    if (id == NULL)
        return;
    enum result result = result_named(member_text(extra, "result", ""));
    size_t column = column_of(topic, test, id, number);
    if (graded->compiles)
        set_result(graded, column, result);
    if (result == RESULT_ERROR)
        graded->most += json_number_value(json_object_get(test, "max_score"));
    if (result != RESULT_FAIL || !graded->compiles)
        return;
    graded->failures =
        array_grown(graded->failures, graded->failure_count, sizeof *graded->failures);
    graded->failures[graded->failure_count++] = (struct failure){
        .column = column, .likely = text_copy(member_text(extra, "likely", NULL))};
}

/* Returns why it cannot be believed, or NULL. */
static const char *read_record(struct topic *topic, struct graded *graded,
                               const json_t *record)
{
    const json_t *extra = json_object_get(record, "extra_data"),
                 *tests = json_object_get(record, "tests"),
                 *score = json_object_get(record, "score");
    const json_t *compiles = json_object_get(extra, "compiles");
    if (strcmp(member_text(extra, "lesson", ""), topic->name) != 0)
        return "the result is not one of this lesson";
    if (!json_is_number(score) || !json_is_boolean(compiles) ||
        json_array_size(tests) == 0 || !(json_number_value(score) >= 0) ||
        json_number_value(score) > 100)
        return "the result is not whole";
    graded->compiles = json_is_true(compiles);
    graded->raw = graded->most = json_number_value(score);
    for (size_t i = 0; i < json_array_size(tests); i++)
        read_test(topic, graded, json_array_get(tests, i), i);
    if (!graded->compiles)
        graded->most = graded->raw;
    graded->most = graded->most > 100 ? 100 : graded->most;
    return NULL;
}

/* submission HEX, tests HEX, options TEXT */
static void read_sums(struct graded *graded, const char *path)
{
    char *text = file_read(path, 1 << 16), *rest = text;
    for (char *line; text != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        char **place = strncmp(line, "submission ", 11) == 0 ? &graded->submission
                       : strncmp(line, "tests ", 6) == 0     ? &graded->tests
                       : strncmp(line, "options ", 8) == 0   ? &graded->options
                                                             : NULL;
        if (place != NULL && *place == NULL)
            *place = text_printable(strchr(line, ' ') + 1, strlen(strchr(line, ' ') + 1));
    }
    free(text);
}

static void read_result(const struct roll *roll, const struct student *student,
                        const struct attempt *attempt, size_t topic)
{
    struct graded *graded = &attempt->graded[topic];
    char *path = result_path(roll, student, attempt, &roll->topics[topic]);
    char *json = text_format("%s.json", path), *sums = text_format("%s.sums", path);
    json_error_t error;
    errno = 0;
    json_t *record = json_load_file(json, 0, &error);
    const char *why = record != NULL ? read_record(&roll->topics[topic], graded, record)
                      : errno == ENOENT ? "there is no result: it was not graded, or the "
                                          "grader could not check it"
                                        : "the result cannot be read";
    graded->unknown = text_copy(why);
    if (why != NULL)
        graded->raw = 0, graded->most = 100;
    read_sums(graded, sums);
    json_decref(record);
    free(path), free(json), free(sums);
}

/* ---- the manifest ------------------------------------------------------------------ */

static size_t topic_named(const struct roll *roll, const char *name)
{
    for (size_t i = 0; i < roll->topic_count; i++) {
        const char *known = roll->topics[i].name;
        if (known != NULL && strcmp(known, name) == 0)
            return i;
    }
    return roll->topic_count;
}

static bool is_list(const struct roll *roll, const char *name, const json_t *member)
{
    if (!json_is_array(member))
        fprintf(stderr, "class: %s/manifest.json has no list of %s\n", roll->out, name);
    return json_is_array(member);
}

/* "10%/day" is a share of the points for each day; "0" all of them. */
static bool read_late(struct topic *topic, const char *text)
{
    char *end = NULL;
    double percent = strtod(text, &end);
    topic->late = text_copy(text);
    topic->lost = strcmp(text, "0") == 0 ? 1 : percent / 100;
    return strcmp(text, "0") == 0 ||
           (end != text && strcmp(end, "%/day") == 0 && percent >= 0 && percent <= 100);
}

static bool read_topic(struct topic *topic, const json_t *name, const json_t *weights)
{
    const char *text = json_string_value(name);
    if (!is_plain(text) || strspn(text, "0123456789") != 2 || text[2] != '-')
        return false;
    const json_t *weight = json_object_get(weights, text),
                 *value = json_object_get(weight, "weight"),
                 *due = json_object_get(weight, "due");
    topic->name = text_copy(text);
    topic->title = text_copy(text + 3);
    for (char *s = topic->title; *s != '\0'; s++)
        *s = *s == '-' ? ' ' : *s;
    memcpy(topic->number, text, 2);
    /* Where some lessons have a weight, one without counts nothing; where none has, all
     * count the same. */
    topic->weight =
        json_is_number(value) ? json_number_value(value) : json_object_size(weights) == 0;
    topic->has_due = json_is_integer(due);
    topic->due = json_integer_value(due);
    const char *late = member_text(weight, "late", NULL);
    return (late == NULL || read_late(topic, late)) && isfinite(topic->weight) &&
           topic->weight >= 0;
}

static bool read_topics(struct roll *roll)
{
    const json_t *lessons = json_object_get(roll->manifest, "lessons"),
                 *weights = json_object_get(roll->manifest, "weights");
    roll->topics = zeroed(json_array_size(lessons), sizeof *roll->topics);
    for (size_t i = 0; i < json_array_size(lessons); i++)
        if (!read_topic(&roll->topics[roll->topic_count++], json_array_get(lessons, i),
                        weights)) {
            fprintf(stderr,
                    "class: %s/manifest.json: lesson %zu of \"lessons\", or its "
                    "member of \"weights\", is not as collect writes it\n",
                    roll->out, i + 1);
            return false;
        }
    return is_list(roll, "lessons", lessons);
}

static bool read_attempt(const struct roll *roll, struct attempt *attempt,
                         const json_t *object)
{
    const json_t *time = json_object_get(object, "time");
    *attempt =
        (struct attempt){.id = member_text(object, "id", NULL),
                         .source = member_text(object, "source", ""),
                         .problem = member_text(object, "problem", NULL),
                         .time_from = member_text(object, "time_from", ""),
                         .time = json_is_integer(time) ? json_integer_value(time) : -1,
                         .said_late = json_is_true(json_object_get(object, "late")),
                         .notes = json_object_get(object, "notes"),
                         .lessons = json_object_get(object, "lessons")};
    attempt->graded = zeroed(roll->topic_count, sizeof *attempt->graded);
    for (size_t i = 0; i < json_array_size(attempt->lessons); i++) {
        const json_t *lesson = json_array_get(attempt->lessons, i);
        size_t topic = topic_named(roll, member_text(lesson, "name", ""));
        if (topic < roll->topic_count)
            attempt->graded[topic].there = true;
    }
    return is_plain(attempt->id);
}

static bool read_student(const struct roll *roll, struct student *student,
                         const json_t *object)
{
    const json_t *attempts = json_object_get(object, "attempts");
    *student = (struct student){.key = member_text(object, "key", NULL),
                                .name = shown(member_text(object, "name", ""))};
    student->attempts = zeroed(json_array_size(attempts), sizeof *student->attempts);
    student->scores = zeroed(roll->topic_count, sizeof *student->scores);
    for (size_t i = 0; i < json_array_size(attempts); i++)
        if (!read_attempt(roll, &student->attempts[student->count++],
                          json_array_get(attempts, i)))
            return false;
    return is_plain(student->key);
}

static int by_name(const void *a, const void *b)
{
    const struct student *one = a, *other = b;
    int order = strcasecmp(one->name, other->name);
    return order != 0 ? order : strcmp(one->key, other->key);
}

static bool read_students(struct roll *roll)
{
    const json_t *students = json_object_get(roll->manifest, "students");
    roll->students = zeroed(json_array_size(students), sizeof *roll->students);
    for (size_t i = 0; i < json_array_size(students); i++)
        if (!read_student(roll, &roll->students[roll->count++],
                          json_array_get(students, i))) {
            fprintf(stderr,
                    "class: %s/manifest.json: student %zu of \"students\" is not as "
                    "collect writes it\n",
                    roll->out, i + 1);
            return false;
        }
    qsort(roll->students, roll->count, sizeof *roll->students, by_name);
    return is_list(roll, "students", students);
}

bool roll_read(struct roll *roll, const char *out)
{
    *roll = (struct roll){.out = out, .manifest = manifest_read(out)};
    if (roll->manifest == NULL)
        return false;
    roll->name = member_text(roll->manifest, "class", "");
    if (!read_topics(roll) || !read_students(roll))
        return false;
    if (roll->count == 0)
        fprintf(stderr, "class: %s/manifest.json names no student\n", out);
    for (size_t i = 0; i < roll->count; i++)
        for (size_t j = 0; j < roll->students[i].count; j++)
            for (size_t topic = 0; topic < roll->topic_count; topic++)
                if (roll->students[i].attempts[j].graded[topic].there)
                    read_result(roll, &roll->students[i], &roll->students[i].attempts[j],
                                topic);
    return roll->count > 0;
}

/* ---- the end ----------------------------------------------------------------------- */

static void graded_free(struct graded *graded)
{
    for (size_t i = 0; i < graded->failure_count; i++)
        free(graded->failures[i].likely);
    free(graded->failures);
    free(graded->results);
    free(graded->unknown);
    free(graded->submission), free(graded->tests), free(graded->options);
}

static void topic_free(struct topic *topic)
{
    mistakes_free(topic);
    for (size_t i = 0; i < topic->column_count; i++)
        free(topic->columns[i].id), free(topic->columns[i].group),
            free(topic->columns[i].name);
    free(topic->columns);
    free(topic->name), free(topic->title), free(topic->late);
}

void roll_free(struct roll *roll)
{
    for (size_t i = 0; i < roll->count; i++) {
        struct student *student = &roll->students[i];
        for (size_t j = 0; j < student->count; j++) {
            for (size_t topic = 0; topic < roll->topic_count; topic++)
                graded_free(&student->attempts[j].graded[topic]);
            free(student->attempts[j].graded);
        }
        free(student->name), free(student->attempts), free(student->scores);
    }
    for (size_t i = 0; i < roll->topic_count; i++)
        topic_free(&roll->topics[i]);
    free(roll->topics), free(roll->students);
    json_decref(roll->manifest);
}
