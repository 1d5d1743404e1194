#define _GNU_SOURCE
#include "grade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **list_add(char **list, const char *value)
{
    size_t n = 0;
    while (list != NULL && list[n] != NULL)
        n++;
    list = realloc(list, (n + 2) * sizeof *list);
    if (list == NULL)
        fatal("out of memory");
    list[n] = text_copy(value);
    list[n + 1] = NULL;
    return list;
}

static void list_free(char **list)
{
    for (char **item = list; item != NULL && *item != NULL; item++)
        free(*item);
    free(list);
}

static char *strip(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
        s[--n] = '\0';
    return s;
}

static void contract_line(struct lesson *lesson, const char *key, char *value)
{
    if (strcmp(key, "title") == 0)
        lesson->title = text_copy(value);
    else if (strcmp(key, "module") == 0)
        lesson->modules = list_add(lesson->modules, value);
    else if (strcmp(key, "program") == 0)
        lesson->programs = list_add(lesson->programs, value);
    else if (strcmp(key, "given") == 0)
        lesson->given = list_add(lesson->given, value);
    else if (strcmp(key, "uses") == 0)
        lesson->uses = list_add(lesson->uses, value);
    else if (strcmp(key, "functions") == 0)
        for (char *word, *rest = value; (word = strsep(&rest, " \t")) != NULL;) {
            if (*word != '\0')
                lesson->functions = list_add(lesson->functions, word);
        }
    else if (strcmp(key, "run") != 0) /* for tests/gate/faults */
        fatal("tests/%s/contract: unknown word \"%s\"", lesson->name, key);
}

static void contract_read(struct lesson *lesson)
{
    char *path = text_format("tests/%s/contract", lesson->name);
    char *contract = file_read(path, 1 << 20);
    if (contract == NULL)
        fatal("%s", path);
    errno = 0;
    for (char *line, *rest = contract; (line = strsep(&rest, "\n")) != NULL;) {
        line[strcspn(line, "#")] = '\0';
        char *value = strip(line), *key = strsep(&value, " \t");
        if (*key != '\0')
            contract_line(lesson, key, value == NULL ? "" : strip(value));
    }
    if (lesson->title == NULL || lesson->modules == NULL || lesson->functions == NULL)
        fatal("%s: title, module and functions are needed", path);
    free(contract);
    free(path);
}

static struct test *test_add(struct lesson *lesson)
{
    lesson->tests = realloc(lesson->tests, (lesson->count + 1) * sizeof *lesson->tests);
    if (lesson->tests == NULL)
        fatal("out of memory");
    struct test *test = &lesson->tests[lesson->count++];
    *test = (struct test){.points = 1, .shard = -1};
    return test;
}

static char *copy_if_any(const char *s)
{
    return s == NULL || *s == '\0' ? NULL : text_copy(s);
}

/* The order of the verdict is that of the contract's functions; tests of other groups
 * come after them. */
static int group_rank(const struct lesson *lesson, const struct test *test)
{
    int rank = 0;
    for (char **function = lesson->functions; *function != NULL; function++, rank++)
        if (strcmp(*function, test->group) == 0)
            return rank;
    return rank;
}

static void units_sort(struct lesson *lesson)
{
    for (size_t i = 1; i < lesson->count; i++) {
        struct test moved = lesson->tests[i];
        size_t j = i;
        for (; j > 0 &&
               group_rank(lesson, &lesson->tests[j - 1]) > group_rank(lesson, &moved);
             j--)
            lesson->tests[j] = lesson->tests[j - 1];
        lesson->tests[j] = moved;
    }
}

static void units_read(struct lesson *lesson, const char *kind)
{
    char *path = text_format("build/lessons/%s/%s.list", lesson->name, kind);
    char *list = file_read(path, 1 << 20);
    if (list == NULL)
        fatal("%s (made by make)", path);
    errno = 0;
    for (char *line, *rest = list; (line = strsep(&rest, "\n")) != NULL;) {
        char *field[9] = {0};
        size_t n = 0;
        for (char *tab = line; n < 9 && tab != NULL; n++)
            field[n] = strsep(&tab, "\t");
        if (*line == '\0')
            continue;
        if (n < 9)
            fatal("%s: a line with %zu fields", path, n);
        struct test *test = test_add(lesson);
        test->hidden = strcmp(kind, "hidden") == 0;
        test->group = text_copy(field[0]);
        test->id = text_format("%s/%s", field[0], field[1]);
        test->name = text_copy(field[1]);
        for (char *c = test->name; *c != '\0'; c++)
            if (*c == '_')
                *c = ' ';
        test->points = atoi(field[2]);
        test->task = atoi(field[3]);
        test->needs = copy_if_any(field[4]);
        test->read = copy_if_any(field[5]);
        test->man = copy_if_any(field[6]);
        test->likely = copy_if_any(field[7]);
        test->requires_ = copy_if_any(field[8]);
    }
    free(list);
    free(path);
}

/* One key=value or key="value" of a `# lab:` line; moves *at past it. Returns false at
 * the end of the line. */
static bool attribute(char **at, char **key, char **value)
{
    char *s = *at + strspn(*at, " \t");
    char *equals = strchr(s, '=');
    if (equals == NULL)
        return false;
    *key = s;
    *equals = '\0';
    *value = equals + 1;
    char *end = **value == '"' ? strchr(++*value, '"') : *value + strcspn(*value, " \t");
    if (end == NULL)
        return false;
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return true;
}

static void e2e_attributes(const char *path, struct test *test, char *line)
{
    for (char *key, *value; attribute(&line, &key, &value);) {
        if (strcmp(key, "points") == 0)
            test->points = atoi(value);
        else if (strcmp(key, "task") == 0)
            test->task = atoi(value);
        else if (strcmp(key, "needs") == 0)
            test->needs = copy_if_any(value);
        else if (strcmp(key, "read") == 0)
            test->read = copy_if_any(value);
        else if (strcmp(key, "man") == 0)
            test->man = copy_if_any(value);
        else if (strcmp(key, "likely") == 0)
            test->likely = copy_if_any(value);
        else if (strcmp(key, "requires") == 0)
            test->requires_ = copy_if_any(value);
        else
            fatal("%s: unknown attribute \"%s\"", path, key);
    }
}

static void e2e_read(struct lesson *lesson, const char *file, bool hidden)
{
    char *path = text_format("tests/%s/%s", lesson->name, file);
    char *text = file_read(path, 1 << 20), *attributes = NULL;
    errno = 0;
    for (char *line, *rest = text;
         text != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        char *quote = strncmp(line, "@test \"", 7) == 0 ? strrchr(line, '"') : NULL;
        if (lesson->count > 0 && lesson->tests[lesson->count - 1].e2e &&
            lesson->tests[lesson->count - 1].hidden == hidden)
            lesson->tests[lesson->count - 1].lines++;
        if (strncmp(line, "# lab:", 6) == 0)
            attributes = line + 6;
        if (quote == NULL || quote == line + 6)
            continue;
        *quote = '\0';
        struct test *test = test_add(lesson);
        test->e2e = true;
        test->hidden = hidden;
        test->group = text_copy("end to end");
        test->name = text_copy(line + 7);
        test->id = text_format("end to end/%s", test->name);
        if (attributes == NULL)
            fatal("%s: no \"# lab:\" line above \"%s\"", path, test->name);
        e2e_attributes(path, test, attributes);
        attributes = NULL;
    }
    free(text);
    free(path);
}

/* The length of the next name in needs. Names stand between spaces or commas; only "end to end/..." holds spaces. */
static size_t needs_next(const char **at)
{
    *at += strspn(*at, ", ");
    return strcspn(*at, strncmp(*at, "end to end", 10) == 0 ? "," : ", ");
}

static bool is_called(const struct test *test, const char *name, size_t n)
{
    return (strlen(test->id) == n && memcmp(name, test->id, n) == 0) ||
           (strlen(test->group) == n && memcmp(name, test->group, n) == 0);
}

/* Is this test, or its group, one of those that `of` needs? A hidden test stands in the way of hidden ones only: what a
 * student sees of the others is the same with and without them. */
static bool names(const struct test *of, const struct test *test)
{
    const char *needs = of->needs;
    if (test->hidden && !of->hidden)
        return false;
    for (size_t n; (n = needs_next(&needs)) > 0; needs += n)
        if (is_called(test, needs, n))
            return true;
    return false;
}

static void needs_check(const struct lesson *lesson, const struct test *test)
{
    const char *at = test->needs != NULL ? test->needs : "";
    for (size_t n; (n = needs_next(&at)) > 0; at += n) {
        bool known =
            false; /* a test that all may see must mean something without the hidden ones */
        for (size_t i = 0; i < lesson->count; i++)
            known |= is_called(&lesson->tests[i], at, n) &&
                     (test->hidden || !lesson->tests[i].hidden);
        if (!known)
            fatal("%s: \"%s\" needs \"%.*s\", which is no test", lesson->name, test->id,
                  (int)n, at);
    }
}

static void tests_check(const struct lesson *lesson)
{
    for (size_t i = 0; i < lesson->count; i++) {
        needs_check(lesson, &lesson->tests[i]);
        for (size_t j = i + 1; j < lesson->count; j++)
            if (strcmp(lesson->tests[i].id, lesson->tests[j].id) == 0)
                fatal("%s: two tests are called \"%s\"", lesson->name,
                      lesson->tests[i].id);
    }
    if (lesson->count == 0)
        fatal("%s has no tests", lesson->name);
}

static bool has_hidden_units(const char *name)
{
    char *path = text_format("tests/%s/hidden.c", name);
    bool has = access(path, F_OK) == 0;
    errno = 0;
    free(path);
    return has;
}

struct lesson *lesson_promised(const char *name)
{
    struct lesson *lesson = calloc(1, sizeof *lesson);
    if (lesson == NULL)
        fatal("out of memory");
    lesson->name = text_copy(name);
    lesson->number = text_format("%.2s", name);
    contract_read(lesson);
    return lesson;
}

struct lesson *lesson_load(const char *name, bool hidden)
{
    struct lesson *lesson = lesson_promised(name);
    units_read(lesson, "unit");
    if (hidden && has_hidden_units(name))
        units_read(lesson, "hidden");
    units_sort(lesson);
    e2e_read(lesson, "e2e.bats", false);
    if (hidden)
        e2e_read(lesson, "hidden.bats", true);
    tests_check(lesson);
    return lesson;
}

static void test_free(struct test *test)
{
    char *owned[] = {test->group, test->name,  test->id,       test->needs,
                     test->read,  test->man,   test->likely,   test->requires_,
                     test->peer,  test->you,   test->expected, test->said,
                     test->calls, test->output};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

void lesson_free(struct lesson *lesson)
{
    for (size_t i = 0; i < lesson->count; i++)
        test_free(&lesson->tests[i]);
    free(lesson->tests);
    list_free(lesson->modules);
    list_free(lesson->programs);
    list_free(lesson->given);
    list_free(lesson->uses);
    list_free(lesson->functions);
    free(lesson->name);
    free(lesson->number);
    free(lesson->title);
    free(lesson);
}

bool lesson_keep_only(struct lesson *lesson, const char *id)
{
    struct test *test = lesson_test(lesson, id, strlen(id));
    if (test == NULL)
        return false;
    for (size_t i = 0; i < lesson->count; i++)
        if (&lesson->tests[i] != test)
            test_free(&lesson->tests[i]);
    lesson->tests[0] = *test;
    lesson->count = 1;
    return true;
}

bool lesson_has(const struct lesson *lesson, bool e2e, bool hidden)
{
    for (size_t i = 0; i < lesson->count; i++)
        if (lesson->tests[i].e2e == e2e && lesson->tests[i].hidden == hidden)
            return true;
    return false;
}

struct test *lesson_test(struct lesson *lesson, const char *id, size_t length)
{
    for (size_t i = 0; i < lesson->count; i++)
        if (strlen(lesson->tests[i].id) == length &&
            memcmp(lesson->tests[i].id, id, length) == 0)
            return &lesson->tests[i];
    return NULL;
}

static bool test_unmet(const struct lesson *lesson, const struct test *needed, int depth);

/* depth bounds the walk along chains of needs, which a lesson's author could write as a ring. */
static bool needs_failed(const struct lesson *lesson, const struct test *test, int depth)
{
    for (size_t i = 0; test->needs != NULL && depth < 8 && i < lesson->count; i++)
        if (&lesson->tests[i] != test && names(test, &lesson->tests[i]) &&
            test_unmet(lesson, &lesson->tests[i], depth))
            return true;
    return false;
}

static bool test_unmet(const struct lesson *lesson, const struct test *needed, int depth)
{
    return needed->result == RESULT_FAIL ||
           (needed->result == RESULT_SKIP && needs_failed(lesson, needed, depth + 1));
}

bool lesson_needs_failed(const struct lesson *lesson, const struct test *test)
{
    return needs_failed(lesson, test, 0);
}

char *lesson_needs_text(const struct lesson *lesson, const struct test *test)
{
    struct text made = {0};
    const char *last = "";
    int groups = 0;
    text_print(&made, "needs");
    for (size_t i = 0; test->needs != NULL && i < lesson->count; i++) {
        const struct test *needed = &lesson->tests[i];
        if (needed == test || !names(test, needed) || !test_unmet(lesson, needed, 0) ||
            strcmp(last, needed->group) == 0)
            continue;
        last = needed->group;
        if (++groups > 2)
            continue;
        text_print(&made, groups > 1 ? ", " : " ");
        text_print(&made, needed->e2e ? "\"%s\"" : "%s",
                   needed->e2e ? needed->name : last);
    }
    if (groups > 2)
        text_print(&made, " and %d more", groups - 2);
    return made.bytes;
}
