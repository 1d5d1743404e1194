/* The scores of this run against those of the run before (last.json): which are others,
 * and because of what. Where neither files nor tests nor options changed, nothing may. */
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOLD = 5 }; /* tests named for one score */

enum cause { SUBMITTED, TESTS, OPTIONS, FLAKY, LATENESS, UNKNOWN, CAUSES };

struct comparison {
    const json_t *old, *now; /* whole */
    struct text *lines;
    size_t scores, totals, by[CAUSES];
    size_t unstable; /* graded otherwise for no reason, though the score stayed */
};

/* One student's score of one lesson, then and now. */
struct pair {
    const json_t *old, *now;             /* NULL: not there */
    const json_t *old_tests, *now_tests; /* ids, in the order of "results" */
};

/* ---- this run, to be kept ---------------------------------------------------------- */

static json_t *text_member(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *number_or_error(bool known, double number)
{
    return known ? json_real(number) : json_string("ERROR");
}

static json_t *attempts_kept(const struct student *student, size_t topic)
{
    json_t *attempts = json_object();
    for (size_t i = 0; i < student->count; i++) {
        const struct graded *graded = &student->attempts[i].graded[topic];
        if (!graded->there)
            continue;
        json_t *kept =
            json_pack("{s:o, s:f, s:f, s:i, s:o, s:o, s:o, s:s}", "raw",
                      number_or_error(graded->most <= graded->raw, graded->raw), "points",
                      graded->points, "most", graded->points_most, "days", graded->days,
                      "submission", text_member(graded->submission), "tests",
                      text_member(graded->tests), "options", text_member(graded->options),
                      "results", graded->results != NULL ? graded->results : "");
        json_object_set_new(attempts, student->attempts[i].id, kept);
    }
    return attempts;
}

static json_t *student_kept(const struct roll *roll, const struct student *student)
{
    json_t *lessons = json_object();
    for (size_t i = 0; i < roll->topic_count; i++) {
        const struct score *score = &student->scores[i];
        json_object_set_new(
            lessons, roll->topics[i].name,
            json_pack("{s:o, s:s, s:o, s:o}", "score",
                      number_or_error(score->status != STATUS_ERROR, score->points),
                      "status", status_name(score->status), "attempt",
                      text_member(score->attempt != NULL ? score->attempt->id : NULL),
                      "attempts", attempts_kept(student, i)));
    }
    return json_pack("{s:s, s:o, s:o}", "name", student->name, "total",
                     number_or_error(student->known, student->total), "lessons", lessons);
}

static json_t *topic_kept(const struct topic *topic)
{
    json_t *tests = json_array();
    for (size_t i = 0; i < topic->column_count; i++)
        json_array_append_new(tests, json_string(topic->columns[i].id));
    return json_pack("{s:f, s:o, s:o, s:o}", "weight", topic->weight, "due",
                     topic->has_due ? json_integer(topic->due) : json_null(), "late",
                     text_member(topic->late), "tests", tests);
}

static json_t *roll_kept(const struct roll *roll)
{
    json_t *topics = json_object(), *students = json_object();
    for (size_t i = 0; i < roll->topic_count; i++)
        json_object_set_new(topics, roll->topics[i].name, topic_kept(&roll->topics[i]));
    for (size_t i = 0; i < roll->count; i++)
        json_object_set_new(students, roll->students[i].key,
                            student_kept(roll, &roll->students[i]));
    return json_pack("{s:o, s:o}", "lessons", topics, "students", students);
}

/* ---- because of what --------------------------------------------------------------- */

static bool same(const json_t *a, const json_t *b, const char *key)
{
    return json_equal(json_object_get(a, key), json_object_get(b, key));
}

/* The attempt that was made from the same files, or NULL. */
static const json_t *twin_of(const json_t *lesson, const json_t *attempt)
{
    const char *key, *sum = member_text(attempt, "submission", NULL);
    json_t *other, *attempts = json_object_get(lesson, "attempts");
    if (sum != NULL)
        json_object_foreach(attempts, key,
                            other) if (strcmp(member_text(other, "submission", ""),
                                              sum) == 0) return other;
    return NULL;
}

static const json_t *counted(const json_t *lesson)
{
    return json_object_get(json_object_get(lesson, "attempts"),
                           member_text(lesson, "attempt", ""));
}

/* What test id gave: a word, or "not there". */
static const char *outcome(const json_t *tests, const char *results, const char *id)
{
    static const char *const words[] = {"not run", "pass", "FAIL", "skip", "ERROR"};
    size_t length = strlen(results);
    for (size_t i = 0; i < json_array_size(tests) && i < length; i++)
        if (strcmp(json_string_value(json_array_get(tests, i)), id) == 0)
            return words[(results[i] - '0') % 5];
    return "not there";
}

/* Adds the tests among ids that have another result now than then; those that were told
 * before, as they are also among others, are left out. Returns how many. */
static size_t add_tests(struct text *why, const struct pair *pair, const json_t *then,
                        const json_t *now, const json_t *ids, const json_t *others,
                        size_t told)
{
    const char *before = member_text(then, "results", ""),
               *after = member_text(now, "results", "");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        const char *was = outcome(pair->old_tests, before, id),
                   *is = outcome(pair->now_tests, after, id);
        if (strcmp(was, is) == 0 ||
            (others != NULL && strcmp(outcome(others, before, id), "not there") != 0))
            continue;
        if (told++ < TOLD)
            text_print(why, "\n        %s: %s, was %s", id, is, was);
    }
    return told;
}

static void add_changed_tests(struct text *why, const struct pair *pair,
                              const json_t *then, const json_t *now)
{
    size_t told = add_tests(why, pair, then, now, pair->now_tests, NULL, 0);
    told = add_tests(why, pair, then, now, pair->old_tests, pair->now_tests, told);
    if (told > TOLD)
        text_print(why, "\n        and %zu more", told - TOLD);
}

static bool is_unknown(const json_t *attempt)
{
    return !json_is_number(json_object_get(attempt, "raw"));
}

/* Files and what they were graded with are the same: did anything else come out? */
static bool is_flaky(const json_t *then, const json_t *now)
{
    return same(then, now, "submission") && same(then, now, "tests") &&
           same(then, now, "options") && member_text(now, "tests", NULL) != NULL &&
           !is_unknown(then) && !is_unknown(now) &&
           (!same(then, now, "raw") || !same(then, now, "results"));
}

/* Why the same files have other points now. Returns CAUSES, and adds nothing, if they do
 * not. */
static enum cause explain(struct text *why, const struct pair *pair, const json_t *then,
                          const json_t *now)
{
    long long days = json_integer_value(json_object_get(now, "days")),
              before = json_integer_value(json_object_get(then, "days"));
    bool flaky = is_flaky(then, now);
    if (is_unknown(now) != is_unknown(then)) {
        text_print(why, "it could not be checked %s", is_unknown(now) ? "now" : "then");
        return UNKNOWN;
    }
    if (flaky || !same(then, now, "tests")) {
        text_print(why, flaky
                            ? "the same files and the same tests: this grading is flaky, "
                              "which must never be"
                            : "the tests changed");
        add_changed_tests(why, pair, then, now);
        return flaky ? FLAKY : TESTS;
    }
    if (!same(then, now, "options")) {
        text_print(why, "graded with other options: %s, before %s",
                   member_text(now, "options", "none"),
                   member_text(then, "options", "none"));
        return OPTIONS;
    }
    if (same(then, now, "points"))
        return CAUSES;
    if (days != before)
        text_print(why, "lateness: %lld days, before %lld", days, before);
    else
        text_print(why, "what lateness costs was changed");
    return LATENESS;
}

/* Looks from both ends: at what counts now, and at what counted then. */
static enum cause because(struct text *why, const struct pair *pair)
{
    const json_t *now = counted(pair->now), *then = counted(pair->old);
    const json_t *before = twin_of(pair->old, now), *after = twin_of(pair->now, then);
    enum cause cause = CAUSES;
    if (before != NULL)
        cause = explain(why, pair, before, now);
    if (cause == CAUSES && after != NULL)
        cause = explain(why, pair, then, after);
    if (cause != CAUSES)
        return cause;
    bool listed = (now == NULL || member_text(now, "submission", NULL) != NULL) &&
                  (then == NULL || member_text(then, "submission", NULL) != NULL);
    if (listed && now != NULL && before == NULL)
        text_print(why, "a new submission (attempt %s)",
                   member_text(pair->now, "attempt", ""));
    else if (listed && then != NULL && after == NULL)
        text_print(why, "what counted then is no longer handed in");
    else
        text_print(why, "it is not on record why: what was graded is not known");
    return listed ? SUBMITTED : UNKNOWN;
}

/* ---- what changed ------------------------------------------------------------------ */

static void add_score(struct text *lines, const json_t *score)
{
    if (json_is_number(score))
        text_print(lines, "%.2f", json_number_value(score));
    else
        text_print(lines, "%s", score == NULL ? "nothing" : "ERROR");
}

static void compare_score(struct comparison *comparison, const struct pair *pair,
                          const char *name, const char *lesson)
{
    const json_t *was = json_object_get(pair->old, "score"),
                 *is = json_object_get(pair->now, "score");
    if (json_equal(was, is))
        return;
    struct text why = {0};
    comparison->scores++;
    comparison->by[because(&why, pair)]++;
    text_print(comparison->lines, "%s, %s: ", name, lesson);
    add_score(comparison->lines, is);
    text_print(comparison->lines, ", was ");
    add_score(comparison->lines, was);
    text_print(comparison->lines, "\n    %s\n", why.bytes);
    text_free(&why);
}

/* A grading that came out otherwise for no reason is told though it changed no score. */
static void look_for_flaky(struct comparison *comparison, const struct pair *pair,
                           const char *name, const char *lesson)
{
    const char *id;
    json_t *now, *attempts = json_object_get(pair->now, "attempts");
    if (!same(pair->old, pair->now, "score"))
        return;
    json_object_foreach(attempts, id, now)
    {
        const json_t *then = twin_of(pair->old, now);
        if (then == NULL || !is_flaky(then, now))
            continue;
        struct text why = {0};
        explain(&why, pair, then, now);
        text_print(comparison->lines, "%s, %s, attempt %s: the score stayed\n    %s\n",
                   name, lesson, id, why.bytes);
        text_free(&why);
        comparison->unstable++;
    }
}

static void compare_student(struct comparison *comparison, const json_t *old,
                            const json_t *now)
{
    const char *lesson, *name = member_text(now, "name", "");
    json_t *score, *lessons = json_object_get(now, "lessons");
    size_t before = comparison->scores;
    json_object_foreach(lessons, lesson, score)
    {
        struct pair pair = {
            .old = json_object_get(json_object_get(old, "lessons"), lesson),
            .now = score,
            .old_tests = json_object_get(
                json_object_get(json_object_get(comparison->old, "lessons"), lesson),
                "tests"),
            .now_tests = json_object_get(
                json_object_get(json_object_get(comparison->now, "lessons"), lesson),
                "tests")};
        if (pair.old == NULL)
            continue; /* a lesson that was not asked for then: told once, for all */
        compare_score(comparison, &pair, name, lesson);
        look_for_flaky(comparison, &pair, name, lesson);
    }
    comparison->totals +=
        comparison->scores == before && old != NULL && !same(old, now, "total");
}

static void compare_lessons(struct comparison *comparison)
{
    const char *name;
    json_t *lesson, *now = json_object_get(comparison->now, "lessons"),
                    *old = json_object_get(comparison->old, "lessons");
    json_object_foreach(now, name, lesson)
    {
        const json_t *before = json_object_get(old, name);
        if (before == NULL)
            text_print(comparison->lines, "%s is new in the class\n", name);
        else if (!same(before, lesson, "weight"))
            text_print(comparison->lines, "%s: weight %g, was %g\n", name,
                       json_number_value(json_object_get(lesson, "weight")),
                       json_number_value(json_object_get(before, "weight")));
        if (before != NULL && !same(before, lesson, "due"))
            text_print(comparison->lines, "%s: it is due at another time\n", name);
        if (before != NULL && !same(before, lesson, "late"))
            text_print(comparison->lines, "%s: lateness costs %s, before %s\n", name,
                       member_text(lesson, "late", "nothing"),
                       member_text(before, "late", "nothing"));
    }
    json_object_foreach(old, name, lesson) if (json_object_get(now, name) == NULL)
        text_print(comparison->lines, "%s is no longer in the class\n", name);
}

static void compare_class(struct comparison *comparison, const struct roll *roll)
{
    const char *key;
    json_t *student, *old = json_object_get(comparison->old, "students"),
                     *now = json_object_get(comparison->now, "students");
    compare_lessons(comparison);
    for (size_t i = 0; i < roll->count; i++) {
        student = json_object_get(now, roll->students[i].key);
        if (json_object_get(old, roll->students[i].key) == NULL)
            text_print(comparison->lines, "%s is new in the class\n",
                       roll->students[i].name);
        else
            compare_student(comparison, json_object_get(old, roll->students[i].key),
                            student);
    }
    json_object_foreach(old, key, student) if (json_object_get(now, key) == NULL)
        text_print(comparison->lines, "%s is no longer in the class\n",
                   member_text(student, "name", key));
}

/* ---- the whole --------------------------------------------------------------------- */

static char *summary_of(const struct comparison *comparison)
{
    static const char *const causes[] = {
        "a new submission", "changed tests",
        "other options",    "A FLAKY GRADING (same files, same tests)",
        "lateness",         "what could not be checked, or is not on record"};
    struct text text = {0};
    size_t n = comparison->scores;
    if (n == 0)
        text_print(&text, "No score changed since the run before");
    else
        text_print(&text, "%zu score%s changed since the run before", n,
                   n == 1 ? "" : "s");
    const char *mark = ", because of ";
    for (int cause = 0; cause < CAUSES; cause++)
        if (comparison->by[cause] > 0) {
            text_print(&text, "%s%s (%zu)", mark, causes[cause], comparison->by[cause]);
            mark = ", ";
        }
    if (comparison->totals > 0)
        text_print(&text, "; %zu total%s changed by weights alone", comparison->totals,
                   comparison->totals == 1 ? "" : "s");
    if (comparison->unstable > 0)
        text_print(&text, "; %zu GRADED OTHERWISE with the same files and tests",
                   comparison->unstable);
    return text.bytes;
}

/* The record of the run before; NULL if there is none that can be read. */
static json_t *last_read(const char *path, char **why)
{
    json_error_t error;
    *why = NULL;
    if (access(path, F_OK) != 0)
        return NULL;
    json_t *last = json_load_file(path, 0, &error);
    if (last == NULL || !json_is_object(json_object_get(last, "students"))) {
        *why = text_format("Nothing to compare with: %s cannot be read", path);
        json_decref(last);
        return NULL;
    }
    return last;
}

void compare_begin(struct changes *changes, const struct roll *roll)
{
    char *path = text_format("%s/last.json", roll->out), *why = NULL;
    json_t *old = last_read(path, &why);
    *changes = (struct changes){.first = old == NULL, .kept = roll_kept(roll)};
    if (changes->kept == NULL)
        fatal("out of memory");
    text_add(&changes->lines, "", 0);
    if (old == NULL) {
        changes->summary =
            why != NULL ? why : text_copy("No run before this one to compare with");
    } else {
        struct comparison comparison = {
            .old = old, .now = changes->kept, .lines = &changes->lines};
        compare_class(&comparison, roll);
        changes->summary = summary_of(&comparison);
    }
    json_decref(old);
    free(path);
}

void compare_end(struct changes *changes, const char *out)
{
    char *path = text_format("%s/last.json", out);
    json_write(path, changes->kept);
    json_decref(changes->kept);
    text_free(&changes->lines);
    free(changes->summary);
    free(path);
}
