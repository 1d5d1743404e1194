/* students/KEY.html: all that was handed in, every lesson, every test with its story, and
 * how the points came about. It has no script. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* ---- what was handed in ------------------------------------------------------------ */

static void add_attempt(FILE *page, const struct attempt *attempt)
{
    char *time = time_text(attempt->time);
    const char *from =
        strcmp(attempt->time_from, "name") == 0    ? ", as its name says"
        : strcmp(attempt->time_from, "times") == 0 ? ", as the file times says"
        : strcmp(attempt->time_from, "files") == 0 ? ", the time of its newest file"
                                                   : "";
    bool numbered = strspn(attempt->id, "0123456789") == strlen(attempt->id);
    html(page, "<li value=\"%s\"><bdi>%s</bdi><br>handed in: %s%s%s",
         numbered ? attempt->id : "1", attempt->source, time, from,
         attempt->said_late ? "; marked late" : "");
    if (attempt->problem != NULL)
        html(page, "<p class=\"alarm\">Could not be opened: <bdi>%s</bdi></p>",
             attempt->problem);
    if (json_array_size(attempt->notes) > 0)
        html(page, "<ul>\n");
    for (size_t i = 0; i < json_array_size(attempt->notes); i++) {
        const char *note = json_string_value(json_array_get(attempt->notes, i));
        html(page, "<li><bdi>%s</bdi></li>\n", note != NULL ? note : "");
    }
    if (json_array_size(attempt->notes) > 0)
        html(page, "</ul>\n");
    html(page, "</li>\n");
    free(time);
}

static void add_attempts(FILE *page, const struct student *student)
{
    html(page,
         "<section aria-labelledby=\"attempts\">\n<h2 id=\"attempts\">Attempts</h2>\n"
         "<ol class=\"attempts\">\n");
    for (size_t i = 0; i < student->count; i++)
        add_attempt(page, &student->attempts[i]);
    html(page, "</ol>\n</section>\n");
}

/* ---- points ------------------------------------------------------------------------ */

static void add_points(FILE *page, const struct topic *topic, const struct score *score)
{
    html(page, "<tr><th scope=\"row\"><a href=\"#l%s\">%s %s</a>", topic->number,
         topic->number, topic->title);
    if (score->status == STATUS_ERROR)
        html(page, "<td class=\"e\">ERROR");
    else
        html(page, "<td>%.2f", score->points);
    html(page, "<td>%s", status_name(score->status));
    if (score->attempt != NULL)
        html(page, "<td>%d<td>%s", score->graded->days, score->attempt->id);
    else
        html(page, "<td><td>");
    html(page, "<td>%.2f\n", topic->weight);
}

static void add_summary(FILE *page, const struct roll *roll,
                        const struct student *student)
{
    html(page, "<section aria-labelledby=\"points\">\n<h2 id=\"points\">Points</h2>\n"
               "<div class=\"scroll\" role=\"region\" aria-labelledby=\"points\" "
               "tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">Lesson<th "
               "scope=\"col\">Points<th scope=\"col\">Status<th scope=\"col\">Days "
               "late<th scope=\"col\">Attempt<th scope=\"col\">Weight</tr></thead>\n"
               "<tbody>\n");
    for (size_t i = 0; i < roll->topic_count; i++)
        add_points(page, &roll->topics[i], &student->scores[i]);
    html(page, "</tbody><tfoot><tr><th scope=\"row\">Total");
    if (student->known)
        html(page, "<td>%.2f<td colspan=\"4\">the mean by weight", student->total);
    else
        html(page,
             "<td class=\"e\">ERROR<td colspan=\"4\">%.2f to %.2f, by what could not be "
             "checked",
             student->total, student->total_most);
    html(page, "</tfoot></table></div>\n</section>\n");
}

/* ---- tests ------------------------------------------------------------------------- */

static const char *const marks[] = {"", "\342\234\223 pass", "\342\234\227 FAIL",
                                    "\342\200\223 skip", "! ERROR"};
static const char *const classes[] = {"", "p", "f", "s", "e"};

static void add_test(FILE *page, const json_t *test, enum result result)
{
    const char *story = member_text(test, "output", "");
    html(page, "<tr><td class=\"%s\">%s", classes[result], marks[result]);
    html(page, "<td>%s", member_text(test, "name", ""));
    if (result != RESULT_PASS && *story != '\0')
        html(page, "<pre>%s</pre>", story);
    html(page, "<td>%.2f<td>%.2f\n", json_number_value(json_object_get(test, "score")),
         json_number_value(json_object_get(test, "max_score")));
}

static void add_tests(FILE *page, const struct topic *topic, const struct graded *graded,
                      const json_t *record)
{
    const json_t *tests = json_object_get(record, "tests");
    html(
        page,
        "<div class=\"scroll\" role=\"region\" aria-label=\"%s: tests\" tabindex=\"0\">\n"
        "<table class=\"tests\">\n<thead><tr><th scope=\"col\">Result<th "
        "scope=\"col\">Test<th scope=\"col\">Points<th scope=\"col\">of</tr></thead>\n"
        "<tbody>\n",
        topic->title);
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i);
        const char *id = member_text(json_object_get(test, "extra_data"), "id", "");
        for (size_t j = 0; j < topic->column_count; j++)
            if (strcmp(topic->columns[j].id, id) == 0)
                add_test(page, test, graded_result(graded, j));
    }
    html(page, "</tbody></table></div>\n");
}

static void add_record(FILE *page, const struct roll *roll, const struct student *student,
                       const struct attempt *attempt, size_t number)
{
    const struct topic *topic = &roll->topics[number];
    const struct graded *graded = &attempt->graded[number];
    if (graded->unknown != NULL) {
        html(page, "<p class=\"alarm\">ERROR: %s.</p>\n", graded->unknown);
        return;
    }
    char *path = result_path(roll, student, attempt, topic),
         *json = text_format("%s.json", path);
    json_error_t error;
    json_t *record = json_load_file(json, 0, &error);
    if (!graded->compiles)
        html(page, "<p>No test was run: it does not compile.</p>\n<pre>%s</pre>\n",
             member_text(record, "output", ""));
    else
        add_tests(page, topic, graded, record);
    json_decref(record);
    free(path), free(json);
}

/* ---- lessons ----------------------------------------------------------------------- */

static void add_files(FILE *page, const struct attempt *attempt, const char *lesson,
                      const char *list, const char *label)
{
    for (size_t i = 0; i < json_array_size(attempt->lessons); i++) {
        const json_t *object = json_array_get(attempt->lessons, i),
                     *files = json_object_get(object, list);
        if (strcmp(member_text(object, "name", ""), lesson) != 0 ||
            json_array_size(files) == 0)
            continue;
        html(page, "%s", label);
        for (size_t j = 0; j < json_array_size(files); j++) {
            const char *file = json_string_value(json_array_get(files, j));
            html(page, "%s<code>%s</code>", j > 0 ? ", " : " ", file != NULL ? file : "");
        }
    }
}

static void add_arithmetic(FILE *page, const struct topic *topic,
                           const struct attempt *attempt, const struct graded *graded)
{
    char *arithmetic = lateness_text(topic, graded), *due = time_text(topic->due),
         *time = time_text(attempt->time);
    if (graded->unknown == NULL)
        html(page, "<p>%.2f points for the tests", graded->raw);
    else
        html(page, "<p>No points are known");
    if (graded->days > 0 && topic->has_due)
        html(page, "; due %s, handed in %s: %d day%s late", due, time, graded->days,
             graded->days == 1 ? "" : "s");
    else if (graded->days > 0)
        html(page, "; marked late");
    if (arithmetic != NULL)
        html(page, ", %s", arithmetic);
    html(page, ".");
    add_files(page, attempt, topic->name, "handed_in", " Handed in:");
    add_files(page, attempt, topic->name, "from_starter", "; the starter's:");
    html(page, "</p>\n");
    free(arithmetic), free(due), free(time);
}

static void add_graded(FILE *page, const struct roll *roll, const struct student *student,
                       const struct attempt *attempt, size_t number)
{
    const struct graded *graded = &attempt->graded[number];
    bool counts = student->scores[number].attempt == attempt;
    if (counts) {
        html(page, "<h3>Attempt %s, which counts</h3>\n", attempt->id);
    } else {
        html(page, "<details><summary><h3>Attempt %s</h3> ", attempt->id);
        if (graded->unknown != NULL)
            html(page, "ERROR");
        else
            html(page, "%.2f points", graded->points);
        html(page, "</summary>\n");
    }
    add_arithmetic(page, &roll->topics[number], attempt, graded);
    add_record(page, roll, student, attempt, number);
    if (!counts)
        html(page, "</details>\n");
}

static void add_lesson(FILE *page, const struct roll *roll, const struct student *student,
                       size_t number)
{
    const struct topic *topic = &roll->topics[number];
    const struct score *score = &student->scores[number];
    html(page, "<section aria-labelledby=\"l%s\">\n<h2 id=\"l%s\">%s %s: ", topic->number,
         topic->number, topic->number, topic->title);
    if (score->status == STATUS_ERROR)
        html(page, "ERROR");
    else
        html(page, "%.2f", score->points);
    html(page, "</h2>\n");
    if (score->attempt == NULL)
        html(page, "<p>0 points: %s.</p>\n", status_name(score->status));
    else
        add_graded(page, roll, student, score->attempt, number);
    for (size_t i = 0; i < student->count; i++)
        if (&student->attempts[i] != score->attempt &&
            student->attempts[i].graded[number].there)
            add_graded(page, roll, student, &student->attempts[i], number);
    html(page, "</section>\n");
}

void page_student(FILE *page, const struct roll *roll, const struct student *student)
{
    char *title = text_format("%s, %s", student->name, roll->name);
    html_begin(page, title, false);
    html(page,
         "<main id=\"main\">\n<p><a href=\"../report.html\">The class</a></p>\n"
         "<h1><bdi>%s</bdi></h1>\n",
         student->name);
    add_summary(page, roll, student);
    add_attempts(page, student);
    for (size_t i = 0; i < roll->topic_count; i++)
        add_lesson(page, roll, student, i);
    html_end(page, false);
    free(title);
}
