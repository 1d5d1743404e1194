/*
 * results.json as Gradescope reads it (Autograder Specifications, "Output Format"):
 * https://gradescope-autograders.readthedocs.io/en/latest/specs/ What it has no place for
 * stands in extra_data.
 */
#include "grade.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *result_name(enum result result)
{
    static const char *const names[] = {"error", "pass", "fail", "skip", "error"};
    return names[result];
}

/* To three places, and 100 as 100: not every reader takes 100.0 for the same. */
static json_t *json_number(double value)
{
    long thousandths = (long)(value * 1000 + 0.5);
    return thousandths % 1000 == 0 ? json_integer(thousandths / 1000)
                                   : json_real((double)thousandths / 1000);
}

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *test_extra(const struct test *test)
{
    return json_pack("{s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "id", test->id,
                     "result", result_name(test->result), "hidden", test->hidden, "task",
                     test->task, "peer", text_or_null(test->peer), "you",
                     text_or_null(test->you), "expected", text_or_null(test->expected),
                     "likely",
                     text_or_null(test->said != NULL ? test->said : test->likely), "read",
                     text_or_null(test->read), "seconds", json_number(test->seconds));
}

static json_t *test_object(const struct record *record, const struct test *test,
                           size_t number)
{
    double worth = record_worth(record, test);
    bool built = record->build_failure == NULL,
         passed = built && test->result == RESULT_PASS;
    char *name = text_format("%s: %s", test->group, test->name);
    char *story = built ? view_story(test, "", 100)
                        : text_copy("not run: the code does not compile");
    char *place = text_format("%s.%zu", record->lesson->number, number);
    json_t *object =
        json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:[s,s], s:s, s:o}", "score",
                  json_number(passed ? worth : 0), "max_score", json_number(worth),
                  "status", passed || test->excused ? "passed" : "failed", "name", name,
                  "name_format", "text", "number", place, "output", story,
                  "output_format", "text", "tags", test->group, record->lesson->name,
                  "visibility", "visible", "extra_data", test_extra(test));
    free(name);
    free(story);
    free(place);
    return object;
}

static json_t *extra(const struct record *record)
{
    char *seed = text_format("%llu", (unsigned long long)record->seed);
    json_t *object = json_pack(
        "{s:s, s:b, s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:i, s:o}", "lesson",
        record->lesson->name, "compiles", record->build_failure == NULL, "result",
        result_name(record->result), "passed", record->passed, "failed", record->failed,
        "skipped", record->skipped, "errors", record->errors, "seed", seed, "sandbox",
        sandbox_level_name(record->level), "first_failing_task", view_first_task(record),
        "seconds", json_number(record->seconds));
    free(seed);
    return object;
}

/* Written beside and renamed: whoever reads never sees half a file, and of two gradings
 * the last one stands whole. */
static void dump(json_t *object, const char *path)
{
    char *beside = text_format("%s.%d", path, (int)getpid());
    if (object == NULL ||
        json_dump_file(object, beside, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) < 0 ||
        rename(beside, path) < 0)
        fatal("write %s", path);
    free(beside);
    json_decref(object);
}

void view_json(const struct record *const *records, size_t n, const char *path)
{
    json_t *tests = json_array(), *lessons = json_array();
    double score = 0, seconds = 0;
    struct text output = {0};
    text_add(&output, "", 0);
    for (size_t i = 0; i < n; i++) {
        const struct record *record = records[i];
        for (size_t j = 0; j < record->lesson->count; j++)
            json_array_append_new(tests,
                                  test_object(record, &record->lesson->tests[j], j + 1));
        json_array_append_new(lessons, extra(record));
        score += record->score / (double)n;
        seconds += record->seconds;
        if (record->build_failure != NULL)
            text_print(&output, "%s does not compile:\n%s", record->lesson->name,
                       record->build_failure);
    }
    json_t *top =
        json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:o}", "score", json_number(score),
                  "execution_time", json_number(seconds), "output", output.bytes,
                  "output_format", "text", "visibility", "visible", "stdout_visibility",
                  "hidden", "tests", tests, "extra_data",
                  n == 1 ? json_incref(json_array_get(lessons, 0))
                         : json_pack("{s:O}", "lessons", lessons));
    json_decref(lessons);
    text_free(&output);
    dump(top, path);
}
