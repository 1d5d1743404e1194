/* What each student gets for each lesson: the best attempt after lateness. A score that
 * could not be found out is never taken for 0. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 24 * 60 * 60 };

const char *status_name(enum status status)
{
    static const char *const names[] = {"ok",   "not handed in",    "cannot be opened",
                                        "late", "does not compile", "error"};
    return names[status];
}

/* ---- lateness ---------------------------------------------------------------------- */

/* Days begun since the lesson was due. Where the time is only that of the files, or no
 * time is set, whoever the LMS calls late was late by one day at least. */
static int days_late(const struct topic *topic, const struct attempt *attempt)
{
    enum { MOST = 9999 };
    bool timed = topic->has_due && attempt->time >= 0;
    long long late = timed ? attempt->time - topic->due : 0;
    long long days = late > 0 ? (late + DAY - 1) / DAY : 0;
    if (days == 0 && (!timed || strcmp(attempt->time_from, "files") == 0))
        days = attempt->said_late;
    return (int)(days < MOST ? days : MOST);
}

static double kept(const struct topic *topic, const struct graded *graded)
{
    double lost =
        graded->days > 0 && topic->late != NULL ? topic->lost * graded->days : 0;
    return lost < 1 ? 1 - lost : 0;
}

static double rounded(double points)
{
    return floor(points * 100 + 0.5) / 100;
}

char *lateness_text(const struct topic *topic, const struct graded *graded)
{
    if (graded->days == 0 || graded->unknown != NULL)
        return NULL;
    if (topic->late == NULL)
        return text_format("%.2f: lateness costs nothing here", graded->points);
    if (topic->lost >= 1)
        return text_format("%.2f, and late: 0 points", graded->raw);
    return text_format("%.2f \342\210\222 %d \303\227 %g%% of %.2f = %.2f%s", graded->raw,
                       graded->days, topic->lost * 100, graded->raw, graded->points,
                       topic->lost * graded->days > 1 ? " (never below 0)" : "");
}

/* ---- the best attempt -------------------------------------------------------------- */

static void after_lateness(const struct topic *topic, const struct attempt *attempt,
                           struct graded *graded)
{
    graded->days = days_late(topic, attempt);
    graded->points = rounded(graded->raw * kept(topic, graded));
    graded->points_most = rounded(graded->most * kept(topic, graded));
}

static enum status status_of(const struct score *score)
{
    return score->most > score->points ? STATUS_ERROR
           : !score->graded->compiles  ? STATUS_BROKEN
           : score->graded->days > 0   ? STATUS_LATE
                                       : STATUS_OK;
}

/* Of equal ones the first counts. One that could not be checked, and may be better than
 * all that could, leaves the score open. */
static void count_score(const struct topic *topic, const struct student *student,
                        size_t number)
{
    struct score *score = &student->scores[number];
    const struct attempt *open = NULL;
    for (size_t i = 0; i < student->count; i++) {
        const struct attempt *attempt = &student->attempts[i];
        struct graded *graded = &attempt->graded[number];
        if (attempt->problem != NULL && score->attempt == NULL)
            score->status = STATUS_UNREADABLE;
        if (!graded->there)
            continue;
        after_lateness(topic, attempt, graded);
        if (score->attempt == NULL || graded->points > score->points)
            score->attempt = attempt, score->points = graded->points;
        if (graded->points_most > score->most)
            score->most = graded->points_most, open = attempt;
    }
    if (score->attempt == NULL)
        return;
    if (score->most > score->points && open != NULL)
        score->attempt = open;
    score->graded = &score->attempt->graded[number];
    score->status = status_of(score);
}

/* ---- all of them ------------------------------------------------------------------- */

static void count_tests(struct topic *topic, const struct score *score)
{
    topic->handed_in += score->attempt != NULL;
    if (score->attempt == NULL || score->graded->unknown != NULL ||
        !score->graded->compiles)
        return;
    topic->compiled++;
    for (size_t i = 0; i < topic->column_count; i++)
        topic->columns[i].count[graded_result(score->graded, i)]++;
}

static void count_total(const struct roll *roll, struct student *student)
{
    double weights = 0;
    student->known = true;
    for (size_t i = 0; i < roll->topic_count; i++) {
        const struct score *score = &student->scores[i];
        weights += roll->topics[i].weight;
        student->total += score->points * roll->topics[i].weight;
        student->total_most += score->most * roll->topics[i].weight;
        student->known &= score->status != STATUS_ERROR || roll->topics[i].weight == 0;
    }
    student->total = weights > 0 ? rounded(student->total / weights) : 0;
    student->total_most = weights > 0 ? rounded(student->total_most / weights) : 0;
}

void scores_count(struct roll *roll)
{
    for (size_t i = 0; i < roll->count; i++) {
        struct student *student = &roll->students[i];
        for (size_t topic = 0; topic < roll->topic_count; topic++) {
            student->scores[topic].status = STATUS_ABSENT;
            count_score(&roll->topics[topic], student, topic);
            count_tests(&roll->topics[topic], &student->scores[topic]);
        }
        count_total(roll, student);
    }
    for (size_t topic = 0; topic < roll->topic_count; topic++)
        mistakes_find(roll, &roll->topics[topic], topic);
}

struct doubts doubts_count(const struct roll *roll)
{
    struct doubts doubts = {0};
    for (size_t i = 0; i < roll->count; i++) {
        const struct student *student = &roll->students[i];
        for (size_t topic = 0; topic < roll->topic_count; topic++)
            doubts.unknown += student->scores[topic].status == STATUS_ERROR;
        for (size_t j = 0; j < student->count; j++)
            doubts.unreadable += student->attempts[j].problem != NULL;
    }
    return doubts;
}

/* ---- the middle of them ------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

size_t values_sorted(const struct roll *roll, size_t topic, double *values)
{
    size_t n = 0;
    for (size_t i = 0; i < roll->count; i++) {
        const struct student *student = &roll->students[i];
        const struct score *score =
            topic < roll->topic_count ? &student->scores[topic] : NULL;
        if (score == NULL && student->known)
            values[n++] = student->total;
        if (score != NULL && score->attempt != NULL && score->status != STATUS_ERROR)
            values[n++] = score->points;
    }
    qsort(values, n, sizeof *values, by_value);
    return n;
}

double mean_of(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return n > 0 ? sum / (double)n : 0;
}

double median_of(const double *values, size_t n)
{
    return n == 0 ? 0 : (values[(n - 1) / 2] + values[n / 2]) / 2;
}
