/* The verdict as a person reads it: see README.md for one. The words carry the meaning;
 * colour only underlines it. */
#define _GNU_SOURCE
#include "grade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    DETAILED = 5
}; /* if more fail, only the first of each group is told whole; ALL=1 tells all */

static int points_of(const struct test *test)
{
    return test->excused ? 0 : test->points;
}

static int total_points(const struct record *record)
{
    int total = 0;
    for (size_t i = 0; i < record->lesson->count; i++)
        total += points_of(&record->lesson->tests[i]);
    return total > 0 ? total : 1;
}

double record_worth(const struct record *record, const struct test *test)
{
    return 100.0 * points_of(test) / total_points(record);
}

void record_close(struct record *record)
{
    int earned = 0;
    bool needed_skips = false;
    for (size_t i = 0; i < record->lesson->count; i++) {
        const struct test *test = &record->lesson->tests[i];
        record->passed += test->result == RESULT_PASS;
        record->failed += test->result == RESULT_FAIL;
        record->skipped += test->result == RESULT_SKIP;
        needed_skips |= test->result == RESULT_SKIP && !test->excused;
        record->errors += test->result == RESULT_ERROR || test->result == RESULT_NONE;
        earned += test->result == RESULT_PASS ? test->points : 0;
    }
    record->score =
        record->build_failure != NULL ? 0 : 100.0 * earned / total_points(record);
    record->result = record->build_failure != NULL || record->failed > 0 || needed_skips
                         ? RESULT_FAIL
                     : record->errors > 0 ? RESULT_ERROR
                                          : RESULT_PASS;
}

int view_first_task(const struct record *record)
{
    int first = 0;
    for (size_t i = 0; i < record->lesson->count; i++) {
        const struct test *test = &record->lesson->tests[i];
        bool open = test->result == RESULT_FAIL || test->result == RESULT_NONE;
        if (open && test->task > 0 && (first == 0 || test->task < first))
            first = test->task;
    }
    return first;
}

/* ---- one test ---------------------------------------------------------------------- */

/* Adds text under a label, wrapped: continuation lines begin where the text began. */
/* Where to break a line of text that has room for so many bytes: at a space, in a list behind a comma if there is one. */
static size_t break_at(const char *text, size_t room, bool list)
{
    size_t space = 0, comma = 0;
    for (size_t i = room; i > room / 2 && (space == 0 || (list && comma == 0)); i--)
        if (text[i] == ' ') {
            space = space > 0 ? space : i;
            comma = comma == 0 && text[i - 1] == ',' ? i : comma;
        }
    return list && comma > 0 ? comma : space > 0 ? space : room;
}

static void add_labelled(struct text *made, const char *indent, const char *label,
                         const char *text, int columns)
{
    enum { LABEL = 11 };
    int room = columns - (int)strlen(indent) - LABEL;
    room = room < 20 ? 20 : room;
    for (bool first = true; first || *text != '\0'; first = false) {
        size_t line = strcspn(text, "\n"), n = line;
        if (n > (size_t)room)
            n = break_at(text, (size_t)room, strcmp(label, "calls") == 0);
        while (n < line && (text[n] & 0xc0) == 0x80)
            n++; /* never within a UTF-8 character */
        text_print(made, "%s%-*s%.*s\n", indent, LABEL, first ? label : "", (int)n, text);
        text += n;
        text += *text == '\n' || *text == ' ';
    }
}

static void add_if(struct text *made, const char *indent, const char *label,
                   const char *text, int columns)
{
    if (text != NULL && *text != '\0')
        add_labelled(made, indent, label, text, columns);
}

char *view_story(const struct test *test, const char *indent, int columns)
{
    struct text made = {0};
    const char *likely = test->said != NULL ? test->said : test->likely;
    text_add(&made, "", 0);
    add_if(&made, indent, "the peer", test->peer, columns);
    add_if(&made, indent, "you", test->you, columns);
    add_if(&made, indent, "expected", test->expected, columns);
    add_if(&made, indent, "calls", test->calls, columns);
    add_if(&made, indent, "output", test->output, columns);
    if (test->result != RESULT_FAIL)
        return made.bytes;
    add_if(&made, indent, "likely", likely, columns);
    if (test->read != NULL) {
        char *read = text_format("README.md, \"%s\"%s%s", test->read,
                                 test->man != NULL ? "    man " : "",
                                 test->man != NULL ? test->man : "");
        add_labelled(&made, indent, "read", read, columns + 12);
        free(read);
    }
    return made.bytes;
}

/* ---- the whole --------------------------------------------------------------------- */

struct style {
    const char *pass, *fail, *skip, *error, *bold, *dim, *plain;
};

static const struct style *style_of(FILE *out)
{
    static const struct style colours = {"\033[32m",   "\033[1;31m", "\033[33m",
                                         "\033[1;35m", "\033[1m",    "\033[2m",
                                         "\033[0m"};
    static const struct style none = {"", "", "", "", "", "", ""};
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool wanted = isatty(fileno(out)) && (no_colour == NULL || *no_colour == '\0') &&
                  terminal != NULL && strcmp(terminal, "dumb") != 0;
    return wanted ? &colours : &none;
}

static int columns_of(FILE *out)
{
    struct winsize size;
    int columns = 80;
    if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 &&
        size.ws_col >= 60)
        columns = size.ws_col < 100 ? size.ws_col : 100;
    return columns;
}

static void print_head(const struct record *record, const struct style *style,
                       int columns, FILE *out)
{
    char *path = text_format("%s/%s/", record->source, record->lesson->name);
    char *title = text_format("%s %s", record->lesson->number, record->lesson->title);
    int gap = columns - (int)strlen(title) - (int)strlen(path);
    fprintf(out, "%s%s%s%*s%s%s%s\n", style->bold, title, style->plain, gap > 2 ? gap : 2,
            "", style->dim, path, style->plain);
    free(path);
    free(title);
}

static void print_block(const char *text, FILE *out)
{
    char *copy = text_copy(text);
    for (char *line, *rest = copy; (line = strsep(&rest, "\n")) != NULL;)
        if (*line != '\0' || rest != NULL)
            fprintf(out, "  %s\n", line);
    free(copy);
}

static const char *word_of(enum result result, const struct style *style,
                           const char **colour)
{
    *colour = result == RESULT_PASS   ? style->pass
              : result == RESULT_FAIL ? style->fail
              : result == RESULT_SKIP ? style->skip
                                      : style->error;
    return result == RESULT_PASS   ? "pass "
           : result == RESULT_FAIL ? "FAIL "
           : result == RESULT_SKIP ? "skip "
                                   : "ERROR";
}

static void print_test(const struct test *test, bool whole, const struct style *style,
                       int columns, FILE *out)
{
    const char *colour, *word = word_of(test->result, style, &colour);
    const char *mark = test->hidden ? " (hidden)" : "";
    fprintf(out, "    %s%s%s %s%s", colour, word, style->plain, test->name, mark);
    bool told = test->result == RESULT_SKIP && test->you != NULL;
    int used = 10 + (int)strlen(test->name) + (int)strlen(mark),
        gap = used < 55 ? 55 - used : 2;
    if (told && used + gap + (int)strlen(test->you) <= columns)
        fprintf(out, "%*s%s", gap, "", test->you);
    else if (told)
        fprintf(out, "\n            %s", test->you);
    fputc('\n', out);
    if (test->result == RESULT_PASS || told || !whole)
        return;
    char *story = view_story(test, "            ", columns);
    fputs(story, out);
    free(story);
}

/* A group in one line; below the first in which something failed, what failed, the first of it told whole. Returns true from
 * there on. */
static bool print_group(const struct record *record, size_t first, bool told,
                        const struct style *style, int columns, FILE *out)
{
    const struct lesson *lesson = record->lesson;
    size_t end = first;
    int count[RESULT_ERROR + 1] = {0};
    for (; end < lesson->count &&
           strcmp(lesson->tests[end].group, lesson->tests[first].group) == 0;
         end++)
        count[lesson->tests[end].result]++;
    fprintf(out, "  %-36s", lesson->tests[first].group);
    const char *comma = "";
    for (int result = RESULT_PASS; result <= RESULT_ERROR; result++)
        if (count[result] > 0) {
            const char *colour, *word = word_of((enum result)result, style, &colour);
            fprintf(out, "%s%s%d %.*s%s", comma, colour, count[result],
                    (int)strcspn(word, " "), word, style->plain);
            comma = ", ";
        }
    fputc('\n', out);
    bool here = false;
    for (size_t i = first; i < end && !told; i++) {
        const struct test *test = &lesson->tests[i];
        if (test->result == RESULT_PASS || test->result == RESULT_SKIP)
            continue;
        print_test(test, !here, style, columns, out);
        here = true;
    }
    return told || here;
}

/* All of it on as few lines as can be, for a screen that is drawn anew at each save. */
static void print_brief(const struct record *record, const struct style *style,
                        int columns, FILE *out)
{
    const struct lesson *lesson = record->lesson;
    bool told = false;
    fputc('\n', out);
    for (size_t i = 0; i < lesson->count; i++)
        if (i == 0 || strcmp(lesson->tests[i].group, lesson->tests[i - 1].group) != 0)
            told = print_group(record, i, told, style, columns, out);
}

/* Returns how many failures were not told whole. */
static int print_tests(const struct record *record, bool all, const struct style *style,
                       int columns, FILE *out)
{
    const char *group = "", *told = "";
    int untold = 0;
    for (size_t i = 0; i < record->lesson->count; i++) {
        const struct test *test = &record->lesson->tests[i];
        if (strcmp(group, test->group) != 0)
            fprintf(out, "\n  %s%s%s\n", style->bold, test->group, style->plain);
        group = test->group;
        bool failed = test->result == RESULT_FAIL;
        bool whole =
            !failed || all || record->failed <= DETAILED || strcmp(told, group) != 0;
        told = failed ? group : told;
        untold += !whole;
        print_test(test, whole, style, columns, out);
    }
    return untold;
}

static void print_counts(const struct record *record, const struct style *style,
                         FILE *out)
{
    const char *colour = record->result == RESULT_PASS   ? style->pass
                         : record->result == RESULT_FAIL ? style->fail
                                                         : style->error;
    /* Rounded down, so that only a lesson that passes whole shows 100. */
    fprintf(out, "\n  %s%d of %zu passed%s", colour, record->passed,
            record->lesson->count, style->plain);
    if (record->skipped > 0)
        fprintf(out, ", %d skipped", record->skipped);
    if (record->errors > 0)
        fprintf(out, ", %d could not be checked", record->errors);
    fprintf(out, "   %d/100 points   %.1f s   %ssandbox: %s%s\n", (int)record->score,
            record->seconds, style->dim, sandbox_level_name(record->level), style->plain);
}

static void print_next(const struct record *record, const struct options *options,
                       int untold, FILE *out)
{
    const char *number = record->lesson->number;
    if (untold > 0)
        fprintf(out, "  %d more told whole with ALL=1\n", untold);
    bool solution =
        access("solutions", F_OK) == 0; /* a class may have the course without them */
    errno = 0;
    if (record->result == RESULT_PASS && solution && options->submission == NULL &&
        !options->solution)
        fprintf(out, "  make diff-%s to compare with the solution · make experiment-%s\n",
                number, number);
    else if (record->result == RESULT_FAIL && options->submission == NULL &&
             !options->solution)
        fprintf(out, "  make hint-%s for a hint · make wire-%s to see the packets\n",
                number, number);
    if (record->result != RESULT_PASS && !options->brief)
        fprintf(out, "  SEED=%llu repeats this run's random data\n",
                (unsigned long long)record->seed);
}

void view_text(const struct record *record, const struct options *options, FILE *out)
{
    const struct style *style = style_of(out);
    int columns = columns_of(out);
    print_head(record, style, columns, out);
    if (record->warnings != NULL) {
        fprintf(out, "\n  %swarnings of the compiler%s\n", style->skip, style->plain);
        print_block(record->warnings, out);
    }
    if (record->build_failure != NULL) {
        fprintf(out, "\n  %sFAIL%s  it does not compile\n\n", style->fail, style->plain);
        print_block(record->build_failure, out);
        fprintf(
            out,
            "\n  0 of %zu passed   0/100 points   %.1f s\n  No test was run. Mend the first error first: the others often follow from it.\n",
            record->lesson->count, record->seconds);
        return;
    }
    int untold = 0;
    if (options->brief)
        print_brief(record, style, columns, out);
    else
        untold = print_tests(record, options->all, style, columns, out);
    print_counts(record, style, out);
    print_next(record, options, untold, out);
}

void view_table(const struct record *const *records, size_t n, FILE *out)
{
    const struct style *style = style_of(out);
    double score = 0, seconds = 0;
    fprintf(
        out,
        "%s  lesson                        passed  failed  skipped  points   time%s\n",
        style->bold, style->plain);
    for (size_t i = 0; i < n; i++) {
        const struct record *r = records[i];
        const char *colour = r->result == RESULT_PASS   ? style->pass
                             : r->result == RESULT_FAIL ? style->fail
                                                        : style->error;
        char *title = text_format("%s %s", r->lesson->number, r->lesson->title);
        fprintf(out, "  %s%-28.28s%s  %3d/%-3zu %6d  %7d  %6d  %4.1f s%s\n", colour,
                title, style->plain, r->passed, r->lesson->count, r->failed, r->skipped,
                (int)r->score, r->seconds,
                r->build_failure != NULL ? "  does not compile"
                : r->errors > 0          ? "  could not be checked"
                                         : "");
        score += r->score;
        seconds += r->seconds;
        free(title);
    }
    fprintf(out, "  %-28s  %24s  %6d  %4.1f s\n", "mean", "",
            n > 0 ? (int)(score / (double)n) : 0, seconds);
}
