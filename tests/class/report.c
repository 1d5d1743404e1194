/* From the folder of a class to its grades and pages. */
#define _GNU_SOURCE
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A page is made in memory, and its file is written when it is whole. */
struct page {
    FILE *stream;
    char *bytes;
    size_t length;
};

static void page_open(struct page *page)
{
    page->stream = open_memstream(&page->bytes, &page->length);
    if (page->stream == NULL)
        fatal("out of memory");
}

static void page_write(struct page *page, const char *path)
{
    if (fclose(page->stream) != 0)
        fatal("out of memory");
    file_write(path, page->bytes, page->length);
    free(page->bytes);
}

/* The folder is made anew, so that nobody stays in it who is no longer in the class. */
static void write_students(const struct roll *roll)
{
    char *folder = text_format("%s/students", roll->out),
         *beside = text_format("%s.%d", folder, (int)getpid());
    folder_make(beside);
    for (size_t i = 0; i < roll->count; i++) {
        struct page page;
        char *path = text_format("%s/%s.html", beside, roll->students[i].key);
        page_open(&page);
        page_student(page.stream, roll, &roll->students[i]);
        page_write(&page, path);
        free(path);
    }
    folder_replace(beside, folder);
    free(folder), free(beside);
}

static void write_class(const struct roll *roll, const struct changes *changes)
{
    struct page page;
    char *path = text_format("%s/report.html", roll->out);
    page_open(&page);
    page_class(page.stream, roll, changes);
    page_write(&page, path);
    free(path);
}

static void write_changes(const struct roll *roll, const struct changes *changes)
{
    char *path = text_format("%s/changes.txt", roll->out);
    char *text = text_format("%s\n%s%s", changes->summary,
                             changes->lines.length > 0 ? "\n" : "", changes->lines.bytes);
    file_write(path, text, strlen(text));
    free(path), free(text);
}

/* ---- the summary ------------------------------------------------------------------- */

static void print_doubts(const struct roll *roll)
{
    struct doubts doubts = doubts_count(roll);
    if (doubts.unknown > 0)
        printf("  %zu score%s could not be found out: ERROR in grades.csv\n",
               doubts.unknown, doubts.unknown == 1 ? "" : "s");
    if (doubts.unreadable > 0)
        printf("  %zu submission%s could not be opened\n", doubts.unreadable,
               doubts.unreadable == 1 ? "" : "s");
}

static void print_summary(const struct roll *roll, const struct changes *changes)
{
    double *values = calloc(roll->count + 1, sizeof *values);
    if (values == NULL)
        fatal("out of memory");
    size_t n = values_sorted(roll, roll->topic_count, values);
    printf("  %zu student%s, %zu lesson%s: mean %.2f, median %.2f\n", roll->count,
           roll->count == 1 ? "" : "s", roll->topic_count,
           roll->topic_count == 1 ? "" : "s", mean_of(values, n), median_of(values, n));
    print_doubts(roll);
    printf("  %s\n  %s/report.html  %s/grades.csv\n", changes->summary, roll->out,
           roll->out);
    free(values);
}

int report(const char *out)
{
    struct roll roll;
    struct changes changes;
    bool read = roll_read(&roll, out);
    if (read) {
        scores_count(&roll);
        compare_begin(&changes, &roll);
        csv_write(&roll);
        write_students(&roll);
        write_class(&roll, &changes);
        write_changes(&roll, &changes);
        print_summary(&roll, &changes);
        compare_end(&changes, out);
    }
    roll_free(&roll);
    return read ? 0 : 2;
}
