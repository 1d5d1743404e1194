/*
 * grades.csv: RFC 4180, with the mark by which spreadsheets know UTF-8. What a student is
 * called stands in the first column alone, where a spreadsheet that takes ";" for the
 * separator still reads it as one quoted cell.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* Would a spreadsheet take it for a formula? Also behind quotes and blanks, which some
 * drop, and in the wide letters that some take for the narrow ones. */
static bool is_formula(const char *text)
{
    static const char *const wide[] = {"\357\274\235", "\357\274\213", "\357\274\215",
                                       "\357\274\240"};
    text += strspn(text, "\"' ");
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strncmp(text, wide[i], strlen(wide[i])) == 0)
            return true;
    return *text != '\0' && strchr("=+-@\t\r\n", *text) != NULL;
}

static void add_cell(struct text *csv, const char *text)
{
    bool quoted = strpbrk(text, ",;\"\t\r\n") != NULL;
    char *safe = text_format("%s%s", is_formula(text) ? "'" : "", text);
    if (!quoted) {
        text_print(csv, "%s", safe);
    } else {
        text_add(csv, "\"", 1);
        for (const char *s = safe; *s != '\0'; s++)
            text_add(csv, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
        text_add(csv, "\"", 1);
    }
    free(safe);
}

static void add_head(struct text *csv, const struct roll *roll)
{
    text_print(csv, "\357\273\277student,key,total");
    for (size_t i = 0; i < roll->topic_count; i++) {
        const char *name = roll->topics[i].name;
        text_print(csv, ",%s score,%s late (days),%s attempt,%s status", name, name, name,
                   name);
    }
    text_print(csv, "\r\n");
}

static void add_score(struct text *csv, const struct score *score)
{
    if (score->status == STATUS_ERROR)
        text_print(csv, ",ERROR,");
    else
        text_print(csv, ",%.2f,", score->points);
    if (score->attempt != NULL)
        text_print(csv, "%d,%s", score->graded->days, score->attempt->id);
    else
        text_print(csv, ",");
    text_print(csv, ",%s", status_name(score->status));
}

void csv_write(const struct roll *roll)
{
    struct text csv = {0};
    add_head(&csv, roll);
    for (size_t i = 0; i < roll->count; i++) {
        const struct student *student = &roll->students[i];
        add_cell(&csv, student->name);
        text_print(&csv, ",");
        add_cell(&csv, student->key);
        if (student->known)
            text_print(&csv, ",%.2f", student->total);
        else
            text_print(&csv, ",ERROR");
        for (size_t topic = 0; topic < roll->topic_count; topic++)
            add_score(&csv, &student->scores[topic]);
        text_print(&csv, "\r\n");
    }
    char *path = text_format("%s/grades.csv", roll->out);
    file_write(path, csv.bytes, csv.length);
    free(path);
    text_free(&csv);
}
