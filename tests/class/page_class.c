/* report.html: what to look at first, how the class did, what it got wrong most, and the
 * grades; then each lesson (page_lesson.c) and what changed since the run before. */
#include "report.h"

#include <stdlib.h>

enum { TOP_MISTAKES = 10 };

/* ---- what to look at --------------------------------------------------------------- */

static void add_unknown(FILE *page, const struct roll *roll, size_t count)
{
    html(
        page,
        "<p><strong>%zu score%s could not be found out</strong> (ERROR, never counted as "
        "0):</p>\n<ul>\n",
        count, count == 1 ? "" : "s");
    for (size_t i = 0; i < roll->count; i++)
        for (size_t topic = 0; topic < roll->topic_count; topic++) {
            const struct student *student = &roll->students[i];
            const struct score *score = &student->scores[topic];
            if (score->status == STATUS_ERROR)
                html(
                    page,
                    "<li><a href=\"students/%s.html#l%s\"><bdi>%s</bdi></a>, %s %s: %s</li>\n",
                    student->key, roll->topics[topic].number, student->name,
                    roll->topics[topic].number, roll->topics[topic].title,
                    score->graded->unknown != NULL
                        ? score->graded->unknown
                        : "the grader could not check all tests");
        }
    html(page, "</ul>\n");
}

static void add_unreadable(FILE *page, const struct roll *roll, size_t count)
{
    html(page, "<p><strong>%zu submission%s could not be opened</strong>:</p>\n<ul>\n",
         count, count == 1 ? "" : "s");
    for (size_t i = 0; i < roll->count; i++)
        for (size_t j = 0; j < roll->students[i].count; j++) {
            const struct student *student = &roll->students[i];
            const struct attempt *attempt = &student->attempts[j];
            if (attempt->problem != NULL)
                html(page,
                     "<li><a href=\"students/%s.html\"><bdi>%s</bdi></a>, "
                     "<bdi>%s</bdi>: <bdi>%s</bdi></li>\n",
                     student->key, student->name, attempt->source, attempt->problem);
        }
    html(page, "</ul>\n");
}

static void add_doubts(FILE *page, const struct roll *roll)
{
    struct doubts doubts = doubts_count(roll);
    if (doubts.unknown + doubts.unreadable == 0)
        return;
    html(page, "<section class=\"alarm\" aria-labelledby=\"look\">\n"
               "<h2 id=\"look\">Look at these first</h2>\n");
    if (doubts.unknown > 0)
        add_unknown(page, roll, doubts.unknown);
    if (doubts.unreadable > 0)
        add_unreadable(page, roll, doubts.unreadable);
    html(page, "</section>\n");
}

/* ---- the class as a whole ---------------------------------------------------------- */

static double *values_room(const struct roll *roll)
{
    double *values = calloc(roll->count + 1, sizeof *values);
    if (values == NULL)
        fatal("out of memory");
    return values;
}

static void add_figures(FILE *page, const struct roll *roll, const double *totals,
                        size_t n)
{
    size_t handed_in = 0;
    for (size_t i = 0; i < roll->topic_count; i++)
        handed_in += roll->topics[i].handed_in;
    html(page, "<dl class=\"figures\">\n<div><dt>students</dt><dd>%zu</dd></div>\n",
         roll->count);
    html(page, "<div><dt>lessons</dt><dd>%zu</dd></div>\n", roll->topic_count);
    html(page, "<div><dt>handed in</dt><dd>%zu of %zu</dd></div>\n", handed_in,
         roll->count * roll->topic_count);
    html(page, "<div><dt>mean total</dt><dd>%.2f</dd></div>\n", mean_of(totals, n));
    html(page, "<div><dt>median total</dt><dd>%.2f</dd></div>\n</dl>\n",
         median_of(totals, n));
}

static void add_one_distribution(FILE *page, const struct roll *roll, size_t number,
                                 double *values)
{
    const struct topic *topic = &roll->topics[number];
    size_t n = values_sorted(roll, number, values);
    char *about = text_format("students by points in %s %s", topic->number, topic->title);
    html(page, "<figure>\n<figcaption><a href=\"#l%s\">%s %s</a><br>", topic->number,
         topic->number, topic->title);
    html(page, "%zu handed in, mean %.1f, median %.1f</figcaption>\n", topic->handed_in,
         mean_of(values, n), median_of(values, n));
    histogram(page, values, n, about);
    html(page, "</figure>\n");
    free(about);
}

static void add_distribution(FILE *page, const struct roll *roll)
{
    double *values = values_room(roll);
    size_t n = values_sorted(roll, roll->topic_count, values);
    add_figures(page, roll, values, n);
    html(page, "<section aria-labelledby=\"distribution\">\n<h2 id=\"distribution\">"
               "Distribution</h2>\n<figure class=\"wide\">\n<figcaption>Students by "
               "total");
    if (n < roll->count)
        html(page, ", without %zu that %s not known", roll->count - n,
             roll->count - n == 1 ? "is" : "are");
    html(page, "</figcaption>\n");
    histogram(page, values, n, "students by total");
    html(page, "</figure>\n<div class=\"small\">\n");
    for (size_t i = 0; i < roll->topic_count; i++)
        add_one_distribution(page, roll, i, values);
    html(page, "</div>\n</section>\n");
    free(values);
}

/* ---- mistakes ---------------------------------------------------------------------- */

struct ranked {
    const struct topic *topic;
    size_t number; /* of the mistake */
};

/* The most frequent mistake that was not told yet: the lists are sorted, so it is the
 * next one of some lesson. */
static struct ranked next_mistake(const struct roll *roll, size_t *told)
{
    struct ranked best = {NULL, 0};
    size_t lesson = 0;
    for (size_t i = 0; i < roll->topic_count; i++) {
        const struct topic *topic = &roll->topics[i];
        if (told[i] == topic->mistake_count || topic->mistakes[told[i]].starter)
            continue;
        size_t count = topic->mistakes[told[i]].count;
        if (best.topic == NULL || count > best.topic->mistakes[best.number].count)
            best = (struct ranked){topic, told[i]}, lesson = i;
    }
    if (best.topic != NULL)
        told[lesson]++;
    return best;
}

static void add_mistakes(FILE *page, const struct roll *roll)
{
    size_t *told = calloc(roll->topic_count + 1, sizeof *told);
    if (told == NULL)
        fatal("out of memory");
    html(page, "<section aria-labelledby=\"mistakes\">\n<h2 id=\"mistakes\">The mistakes "
               "made most</h2>\n<ol class=\"mistakes\">\n");
    struct ranked place = next_mistake(roll, told);
    if (place.topic == NULL)
        html(page, "<li>No test failed.</li>\n");
    for (int i = 0; i < TOP_MISTAKES && place.topic != NULL; i++) {
        const struct mistake *mistake = &place.topic->mistakes[place.number];
        html(page, "<li><a href=\"#m%s-%zu\"><strong>%zu of %zu</strong>",
             place.topic->number, place.number + 1, mistake->count,
             place.topic->compiled);
        html(page, " in %s %s</a>: %s</li>\n", place.topic->number, place.topic->title,
             mistake->likely);
        place = next_mistake(roll, told);
    }
    html(page, "</ol>\n</section>\n");
    free(told);
}

/* ---- grades ------------------------------------------------------------------------ */

static void add_grades_head(FILE *page, const struct roll *roll)
{
    html(
        page,
        "<div class=\"scroll bounded\" role=\"region\" aria-labelledby=\"grades\" tabindex=\"0\">\n"
        "<table class=\"grades\" data-rows>\n<thead><tr>"
        "<th scope=\"col\" aria-sort=\"ascending\"><button data-sort=\"0\">Student"
        "</button></th><th scope=\"col\"><button data-sort=\"1\">Total</button></th>");
    for (size_t i = 0; i < roll->topic_count; i++)
        html(page,
             "<th scope=\"col\" title=\"%s, weight %.2f\"><button data-sort=\"%zu\">%s"
             "</button></th>",
             roll->topics[i].name, roll->topics[i].weight, i + 2, roll->topics[i].number);
    html(page, "</tr></thead>\n<tbody>\n");
}

/* Rounded down, as in the verdict, so that only a lesson that passes whole shows 100. */
static void add_grade(FILE *page, const struct score *score)
{
    static const char *const marks[] = {"", "", "", " L", " C", ""};
    if (score->status == STATUS_ERROR)
        html(page, "<td class=\"e\">ERROR");
    else if (score->status == STATUS_ABSENT || score->status == STATUS_UNREADABLE)
        html(page, "<td class=\"n\">%s",
             score->status == STATUS_ABSENT ? "\342\200\223" : "?");
    else
        html(page, "<td class=\"%s\">%d%s",
             score->points >= 100  ? "p"
             : score->points >= 50 ? "h"
                                   : "f",
             (int)score->points, marks[score->status]);
}

static void add_grades(FILE *page, const struct roll *roll)
{
    html(
        page,
        "<section aria-labelledby=\"grades\">\n<h2 id=\"grades\">Grades</h2>\n"
        "<p>Whole points, after lateness; a total is the mean by weight. L late, C does "
        "not compile, \342\200\223 not handed in, ? cannot be opened, ERROR could not be "
        "checked. <a href=\"grades.csv\">grades.csv</a> has every figure.</p>\n"
        "<p class=\"tools\" hidden><label for=\"search\">Show students whose name has"
        "</label> <input id=\"search\" type=\"search\" autocomplete=\"off\"> "
        "<output for=\"search\" aria-live=\"polite\"></output></p>\n");
    add_grades_head(page, roll);
    for (size_t i = 0; i < roll->count; i++) {
        const struct student *student = &roll->students[i];
        html(page, "<tr><th scope=\"row\"><a href=\"students/%s.html\"><bdi>%s</bdi></a>",
             student->key, student->name);
        if (student->known)
            html(page, "<td>%.2f", student->total);
        else
            html(page, "<td class=\"e\">ERROR");
        for (size_t topic = 0; topic < roll->topic_count; topic++)
            add_grade(page, &student->scores[topic]);
        html(page, "\n");
    }
    html(page, "</tbody></table></div>\n</section>\n");
}

/* ---- the whole --------------------------------------------------------------------- */

static void add_changes(FILE *page, const struct changes *changes)
{
    html(page,
         "<section aria-labelledby=\"changes\">\n<h2 id=\"changes\">Since the run "
         "before</h2>\n<p>%s.</p>\n",
         changes->summary);
    if (changes->lines.length > 0)
        html(page,
             "<details><summary>Which, and why</summary>\n<pre>%s</pre></details>\n",
             changes->lines.bytes);
    html(page, "</section>\n");
}

void page_class(FILE *page, const struct roll *roll, const struct changes *changes)
{
    char *title = text_format("Class report: %s", roll->name);
    html_begin(page, title, true);
    html(page, "<main id=\"main\">\n<h1>%s</h1>\n", title);
    add_doubts(page, roll);
    add_distribution(page, roll);
    add_changes(page, changes);
    add_mistakes(page, roll);
    add_grades(page, roll);
    html(page, "<section aria-labelledby=\"lessons\">\n<h2 id=\"lessons\">Students by "
               "tests</h2>\n<p>One table a lesson, of the attempt that counts: "
               "\342\234\223 pass, \342\234\227 fail, \342\200\223 skip (it needs a test "
               "that failed), ! could not be checked.</p>\n");
    for (size_t i = 0; i < roll->topic_count; i++)
        page_lesson(page, roll, i);
    html(page, "</section>\n");
    html_end(page, true);
    free(title);
}
