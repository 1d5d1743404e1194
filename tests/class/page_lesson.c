/* One lesson in report.html: its mistakes, every student by every test, and the tests. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* ---- mistakes ---------------------------------------------------------------------- */

static void add_mistake(FILE *page, const struct topic *topic, size_t number)
{
    const struct mistake *mistake = &topic->mistakes[number];
    html(page, "<li id=\"m%s-%zu\"><strong>%zu of %zu</strong> %s", topic->number,
         number + 1, mistake->count, topic->compiled,
         mistake->starter ? "(not begun) " : "");
    html(page, "%s\n<details><summary>Which tests, and who</summary>\n<p>",
         mistake->likely);
    const char *mark = "";
    for (size_t i = 0; i < topic->column_count; i++)
        if (mistake->columns[i]) {
            html(page, "%s%s: %s", mark, topic->columns[i].group, topic->columns[i].name);
            mark = "; ";
        }
    html(page, "</p>\n<p>");
    for (size_t i = 0; i < mistake->count; i++)
        html(page, "%s<a href=\"students/%s.html#l%s\"><bdi>%s</bdi></a>",
             i > 0 ? ", " : "", mistake->students[i]->key, topic->number,
             mistake->students[i]->name);
    html(page, "</p></details></li>\n");
}

static void add_mistakes(FILE *page, const struct topic *topic)
{
    html(page, "<h4>Mistakes</h4>\n");
    if (topic->mistake_count == 0)
        html(page, "<p>No test failed.</p>\n");
    else
        html(page, "<ol class=\"mistakes\">\n");
    for (size_t i = 0; i < topic->mistake_count; i++)
        add_mistake(page, topic, i);
    if (topic->mistake_count > 0)
        html(page, "</ol>\n");
}

/* ---- the matrix -------------------------------------------------------------------- */

/* The end of the run of columns that have the group of the first one. */
static size_t group_end(const struct topic *topic, size_t first)
{
    size_t end = first;
    while (end < topic->column_count &&
           strcmp(topic->columns[end].group, topic->columns[first].group) == 0)
        end++;
    return end;
}

static void add_head(FILE *page, const struct topic *topic)
{
    html(page,
         "<thead><tr><th scope=\"col\" rowspan=\"2\" aria-sort=\"ascending\">"
         "<button data-sort=\"0\">Student</button></th><th scope=\"col\" rowspan=\"2\">"
         "<button data-sort=\"1\">Points</button></th>");
    for (size_t i = 0, end; i < topic->column_count; i = end) {
        end = group_end(topic, i);
        html(
            page,
            "<th class=\"group\" scope=\"colgroup\" colspan=\"%zu\" title=\"%s\">%s</th>",
            end - i, topic->columns[i].group, topic->columns[i].group);
    }
    html(page, "</tr>\n<tr>");
    for (size_t i = 0; i < topic->column_count; i++)
        html(page, "<th scope=\"col\" title=\"%s: %s\">%zu</th>", topic->columns[i].group,
             topic->columns[i].name, i + 1);
    html(page, "</tr></thead>\n");
}

/* As short as can be: a class has a hundred thousand of them. What passed has no class;
 * the script gives each the name of its test when the pointer comes. */
static void add_results(FILE *page, const struct topic *topic,
                        const struct graded *graded)
{
    static const char *const cells[] = {"<td>", "<td>\342\234\223",
                                        "<td class=f>\342\234\227",
                                        "<td class=s>\342\200\223", "<td class=e>!"};
    for (size_t i = 0; i < topic->column_count; i++)
        fputs(cells[graded_result(graded, i)], page);
}

static void add_row(FILE *page, const struct topic *topic, const struct student *student,
                    const struct score *score)
{
    html(page, "<tr><th scope=row><a href=\"students/%s.html#l%s\"><bdi>%s</bdi></a>",
         student->key, topic->number, student->name);
    if (score->status == STATUS_ERROR)
        html(page, "<td class=e>ERROR");
    else
        html(page, "<td>%d", (int)score->points);
    bool tested = score->graded != NULL && score->graded->unknown == NULL &&
                  score->graded->compiles;
    if (tested)
        add_results(page, topic, score->graded);
    else if (topic->column_count > 0)
        html(page, "<td class=\"none\" colspan=\"%zu\"><span>%s</span>",
             topic->column_count,
             score->status == STATUS_ERROR ? "could not be checked"
                                           : status_name(score->status));
    html(page, "\n");
}

static void add_matrix(FILE *page, const struct roll *roll, size_t number)
{
    const struct topic *topic = &roll->topics[number];
    html(
        page,
        "<h4 id=\"t%s\">Students by tests</h4>\n"
        "<div class=\"scroll bounded\" role=\"region\" aria-label=\"%s: students by tests\" "
        "tabindex=\"0\">\n<table class=\"matrix\" data-rows>\n",
        topic->number, topic->title);
    add_head(page, topic);
    html(page, "<tbody>\n");
    for (size_t i = 0; i < roll->count; i++)
        add_row(page, topic, &roll->students[i], &roll->students[i].scores[number]);
    html(page, "</tbody></table></div>\n");
}

static void add_tests(FILE *page, const struct topic *topic)
{
    html(
        page,
        "<details><summary>The tests by number</summary>\n<div class=\"scroll\" "
        "role=\"region\" aria-label=\"%s: tests\" tabindex=\"0\"><table class=\"tests\">\n"
        "<thead><tr><th scope=\"col\">No.</th><th scope=\"col\">Test</th>"
        "<th scope=\"col\">\342\234\223 pass</th><th scope=\"col\">\342\234\227 fail</th>"
        "<th scope=\"col\">\342\200\223 skip</th><th scope=\"col\">! error</th></tr></thead>\n"
        "<tbody>\n",
        topic->title);
    for (size_t i = 0; i < topic->column_count; i++) {
        const struct column *column = &topic->columns[i];
        html(page, "<tr><td>%zu<th scope=\"row\">%s: %s<td>%zu<td>%zu<td>%zu<td>%zu\n",
             i + 1, column->group, column->name, column->count[RESULT_PASS],
             column->count[RESULT_FAIL], column->count[RESULT_SKIP],
             column->count[RESULT_ERROR]);
    }
    html(page, "</tbody></table></div></details>\n");
}

/* ---- the whole --------------------------------------------------------------------- */

void page_lesson(FILE *page, const struct roll *roll, size_t number)
{
    const struct topic *topic = &roll->topics[number];
    html(page,
         "<details class=\"lesson\" id=\"l%s\"><summary><h3>%s %s</h3> %zu of %zu handed "
         "in",
         topic->number, topic->number, topic->title, topic->handed_in, roll->count);
    if (topic->handed_in > topic->compiled)
        html(page, ", %zu without a run of the tests",
             topic->handed_in - topic->compiled);
    html(page, "</summary>\n");
    if (topic->has_due) {
        char *due = time_text(topic->due);
        html(page, "<p>Due %s; lateness costs %s.</p>\n", due,
             topic->late == NULL             ? "nothing"
             : strcmp(topic->late, "0") == 0 ? "all points"
                                             : topic->late);
        free(due);
    }
    add_mistakes(page, topic);
    add_matrix(page, roll, number);
    add_tests(page, topic);
    html(page, "</details>\n");
}
