/* TAP version 13 (testanything.org): a line a test, its story as comment lines. */
#define _GNU_SOURCE
#include "grade.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* '#' would begin a directive within a description (TAP 13, "Directives"). */
static void print_escaped(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '#' || *text == '\\')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void print_story(const char *story, FILE *out)
{
    char *copy = text_copy(story);
    for (char *line, *rest = copy; (line = strsep(&rest, "\n")) != NULL;)
        if (*line != '\0')
            fprintf(out, "# %s\n", line);
    free(copy);
}

static void print_test(const struct record *record, const struct test *test,
                       size_t number, FILE *out)
{
    bool built = record->build_failure == NULL,
         skipped = built && test->result == RESULT_SKIP;
    bool needs_failed = skipped && lesson_needs_failed(record->lesson, test);
    bool ok = built && (test->result == RESULT_PASS || (skipped && !needs_failed));
    fprintf(out, "%s %zu - %s ", ok ? "ok" : "not ok", number, record->lesson->name);
    print_escaped(test->group, out);
    fputs(": ", out);
    print_escaped(test->name, out);
    if (skipped && !needs_failed) {
        fputs(" # SKIP ", out);
        print_escaped(test->you != NULL ? test->you : "", out);
    }
    fputc('\n', out);
    if (!ok) {
        char *story =
            built ? view_story(test, "", 100) : text_copy("it does not compile");
        print_story(story, out);
        free(story);
    }
}

void view_tap(const struct record *const *records, size_t n, const char *path)
{
    char *beside = text_format("%s.%d", path, (int)getpid());
    FILE *out = fopen(beside, "we");
    size_t total = 0, number = 0;
    if (out == NULL)
        fatal("write %s", path);
    for (size_t i = 0; i < n; i++)
        total += records[i]->lesson->count;
    fprintf(out, "TAP version 13\n1..%zu\n", total);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < records[i]->lesson->count; j++)
            print_test(records[i], &records[i]->lesson->tests[j], ++number, out);
    if (fclose(out) != 0 || rename(beside, path) < 0)
        fatal("write %s", path);
    free(beside);
}
