/*
 * report.h: the parts of `class report`, file by file.
 *
 * Reads what collect and grade left (manifest.json, results/) into one roll, scores it,
 * and writes every view of it. The same roll gives the same bytes, whenever and in
 * whatever order it was graded.
 *
 *   report.c        from OUT to OUT, and the summary
 *   roll.c          manifest and results, read and checked
 *   scores.c        lateness, the best attempt, totals
 *   mistakes.c      failing tests by what was likely wrong
 *   compare.c       against the scores of the run before
 *   csv.c           grades.csv
 *   html.c          HTML that escapes; the head and foot of a page
 *   assets.c        report.css and report.js
 *   histogram.c     a distribution as a picture
 *   page_class.c    report.html; page_lesson.c: one lesson of it
 *   page_student.c  students/KEY.html
 */
#ifndef REPORT_H
#define REPORT_H

#include "class.h"

/* ---- the roll ---------------------------------------------------------------------- */

struct column { /* a test of a lesson */
    char *id, *group, *name;
    size_t count[RESULT_ERROR + 1]; /* by enum result, of the results that count */
};

struct topic { /* a lesson, as far as it is reported on */
    char *name, *title, number[3];
    double weight;
    bool has_due;
    long long due;
    char *late;  /* as the instructor wrote it, or NULL */
    double lost; /* share of the points that a day costs, 0 to 1 */
    struct column *columns;
    size_t column_count;
    struct mistake *mistakes; /* the most frequent first */
    size_t mistake_count;
    size_t handed_in, compiled; /* students */
};

struct failure {
    size_t column;
    char *likely; /* or NULL */
};

struct graded {    /* one lesson of one attempt */
    bool there;    /* was it handed in? */
    char *unknown; /* why there is no result to believe; NULL: there is one */
    bool compiles;
    double raw, most; /* points, and what they may be once every test could be checked */
    int days;         /* late, begun */
    double points, points_most; /* both after lateness */
    char *results;              /* enum result + '0', one a column */
    size_t length;
    struct failure *failures;
    size_t failure_count;
    char *submission, *tests, *options; /* what it was made from, or NULL */
};

struct attempt {
    const char *id, *source, *problem, *time_from; /* problem may be NULL */
    long long time;                                /* -1: not known */
    bool said_late;                                /* by the LMS */
    json_t *notes, *lessons;
    struct graded *graded; /* by topic */
};

enum status {
    STATUS_OK,
    STATUS_ABSENT,
    STATUS_UNREADABLE,
    STATUS_LATE,
    STATUS_BROKEN,
    STATUS_ERROR
};

struct score {
    enum status status;
    double points, most;           /* most is more than points when it is STATUS_ERROR */
    const struct attempt *attempt; /* that counts; NULL: none */
    const struct graded *graded;
};

struct student {
    const char *key;
    char *name;
    struct attempt *attempts;
    size_t count;
    struct score *scores; /* by topic */
    double total, total_most;
    bool known; /* false: some score is not known, so the total is not */
};

struct roll {
    const char *out;
    json_t *manifest; /* owns the strings */
    const char *name;
    struct topic *topics;
    size_t topic_count;
    struct student *students; /* by name */
    size_t count;
};

/* What came about since the run before. */
struct changes {
    bool first;        /* there was none before */
    struct text lines; /* one by one, with what belongs to it indented below */
    char *summary;     /* of all, in one line */
    json_t *kept;      /* this run, for the next one */
};

/* ---- roll.c ------------------------------------------------------------------------ */

/* Fills the roll; returns false after saying on standard error why it cannot. */
bool roll_read(struct roll *roll, const char *out);
void roll_free(struct roll *roll);

/* The file of a result, without its ending. The caller frees. */
char *result_path(const struct roll *roll, const struct student *student,
                  const struct attempt *attempt, const struct topic *topic);

/* The result of a test as graded, RESULT_NONE where it has none. */
enum result graded_result(const struct graded *graded, size_t column);

/* An array that has room for count + 1; new places are zero. */
void *array_grown(void *array, size_t count, size_t size)
    __attribute__((returns_nonnull));

/* A member that is a string, or otherwise. */
const char *member_text(const json_t *object, const char *key, const char *otherwise);

/* Local time, as YYYY-MM-DD HH:MM. The caller frees. */
char *time_text(long long time);

/* ---- scores.c ---------------------------------------------------------------------- */

void scores_count(struct roll *roll);
const char *status_name(enum status status);

/* How lateness made the score: "85.00 - 2 x 10% of 85.00 = 68.00". NULL if it did not.
 * The caller frees. */
char *lateness_text(const struct topic *topic, const struct graded *graded);

/* ---- mistakes.c -------------------------------------------------------------------- */

struct mistake {
    const char *likely; /* or the name of the one test, where it has no such line */
    bool starter;       /* nothing was written yet: not counted among mistakes */
    bool *columns;      /* which tests, by column */
    const struct student **students;
    size_t count;
};

void mistakes_find(const struct roll *roll, struct topic *topic, size_t number);
void mistakes_free(struct topic *topic);

/* ---- compare.c --------------------------------------------------------------------- */

/* What is otherwise than in OUT/last.json. */
void compare_begin(struct changes *changes, const struct roll *roll);

/* Writes OUT/last.json anew, when all else is written: whoever was stopped before that has
 * lost no comparison. Frees changes. */
void compare_end(struct changes *changes, const char *out);

/* ---- views ------------------------------------------------------------------------- */

void csv_write(const struct roll *roll);
void page_class(FILE *page, const struct roll *roll, const struct changes *changes);
void page_lesson(FILE *page, const struct roll *roll, size_t topic);
void page_student(FILE *page, const struct roll *roll, const struct student *student);

/* What the instructor must look at: which submissions and lessons have no certain score.
 * Returns how many of both kinds there are. */
struct doubts {
    size_t unknown, unreadable;
};
struct doubts doubts_count(const struct roll *roll);

/* Over the students whose score is known, in order. values has room for all of them.
 * topic: a lesson's number, or topic_count for the totals. Returns how many. */
size_t values_sorted(const struct roll *roll, size_t topic, double *values);
double mean_of(const double *values, size_t n);
double median_of(const double *values, size_t n);

/* values: 0 to 100. about: what the picture shows, for those who do not see it. */
void histogram(FILE *page, const double *values, size_t n, const char *about);

/* ---- html.c ------------------------------------------------------------------------ */

/*
 * html: as fprintf, but what %s names is escaped, always: it can be neither element nor
 * attribute, in text and between double quotes. Characters that control, or turn the
 * order of what follows, are shown by number. Knows %s, %d, %zu, %.Nf and %% alone.
 */
void html(FILE *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* scripted: has the page a script? Nothing but the style and script of assets.c can act in
 * it. */
void html_begin(FILE *page, const char *title, bool scripted);
void html_end(FILE *page, bool scripted);

/* ---- assets.c ---------------------------------------------------------------------- */

/* The pages' style and script, and the SHA-256 of each in base64, by which a browser tells them
 * from others. */
extern const char asset_style[], asset_script[], style_hash[], script_hash[];

#endif
