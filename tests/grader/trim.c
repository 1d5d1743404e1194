/* Long reports, cut to the lines that help a student. */
#define _GNU_SOURCE
#include "grade.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool contains(const char *line, const char *what)
{
    return strstr(line, what) != NULL;
}

/* "==17==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x... at pc ..." ->
 * "AddressSanitizer: heap-buffer-overflow" */
static void add_headline(struct text *made, const char *line)
{
    const char *from = strstr(line, "AddressSanitizer: ");
    if (from == NULL)
        from = strstr(line, "LeakSanitizer: ");
    const char *to = from == NULL ? NULL : strstr(from, " on ");
    if (from != NULL)
        text_print(made, "%.*s\n", (int)(to != NULL ? to - from : (long)strlen(from)),
                   from);
}

/* "    #1 0x55d0 in tcp_listen lessons/02-x/tcp.c:42" -> "    in tcp_listen, tcp.c:42",
 * for the student's own lines only */
static void add_frame(struct text *made, const char *line)
{
    const char *in = strstr(line, " in "), *place = strstr(line, "lessons/");
    const char *file = place == NULL ? NULL : strrchr(place, '/');
    if (in == NULL || file == NULL || in > place)
        return;
    int name = (int)strcspn(in + 4, " ");
    /* file:line:column -> file:line */
    const char *colon = strchr(file, ':'),
               *end = colon == NULL ? NULL : strchr(colon + 1, ':');
    int length = (int)(end != NULL ? end - file - 1 : (long)strcspn(file + 1, " \n"));
    text_print(made, "    in %.*s(), %.*s\n", name, in + 4, length, file + 1);
}

static bool is_access(const char *line)
{
    return strncmp(line, "READ of size", 12) == 0 ||
           strncmp(line, "WRITE of size", 13) == 0;
}

char *trim_sanitizer(const char *text)
{
    struct text made = {0};
    char *copy = text_copy(text);
    bool report = false;
    for (char *line, *rest = copy;
         (line = strsep(&rest, "\n")) != NULL && made.length < 1500;) {
        const char *error = strstr(line, "runtime error: ");
        if (contains(line, "ERROR: AddressSanitizer") ||
            contains(line, "ERROR: LeakSanitizer")) {
            report = true;
            add_headline(&made, line);
        } else if (error != NULL) {
            const char *file =
                strstr(line, "lessons/") != NULL ? strrchr(line, '/') + 1 : line;
            text_print(&made, "UndefinedBehaviorSanitizer: %s (%.*s)\n", error + 15,
                       (int)strcspn(file, " "), file);
        } else if (report && is_access(line)) {
            text_print(&made, "  %.*s\n", (int)strcspn(line, "a"),
                       line); /* up to "at 0x..." */
        } else if (report &&
                   (contains(line, "Direct leak") || contains(line, "freed by") ||
                    contains(line, "allocated by"))) {
            text_print(&made, "  %s\n", line);
        } else if (report && contains(line, "    #")) {
            add_frame(&made, line);
        }
    }
    free(copy);
    return made.bytes;
}

char *trim_output(const char *text, int lines)
{
    size_t end = strlen(text);
    while (end > 0 && isspace((unsigned char)text[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && end - start < 2000 && (text[start - 1] != '\n' || --lines > 0))
        start--;
    start += strspn(text + start, " \n");
    return end == 0 ? NULL : text_format("%.*s", (int)(end - start), text + start);
}

/* ---- bats -------------------------------------------------------------------------- */

static void set(char **to, char *value)
{
    free(*to);
    *to = value;
}

/* "expected : hello" of bats-assert -> "hello"; NULL if the line is about something else
 */
static const char *asserted(const char *line, const char *key)
{
    size_t n = strlen(key);
    if (strncmp(line, key, n) != 0)
        return NULL;
    line += n + strspn(line + n, " ");
    if (*line == '(')
        line = strchr(line, ':') == NULL ? line
                                         : strchr(line, ':'); /* "expected (2 lines):" */
    return *line == ':' ? line + 1 + (line[1] == ' ') : NULL;
}

static void add_quoted(char **to, const char *what, const char *value)
{
    char *made = *to == NULL ? text_format("%s%s", what, value)
                             : text_format("%s; %s%s", *to, what, value);
    set(to, made);
}

static void bats_story_line(struct test *test, const char *line, struct text *other)
{
    const char *value;
    if (strncmp(line, "lab peer: ", 10) == 0)
        add_quoted(&test->peer, "", line + 10);
    else if (strncmp(line, "lab likely: ", 12) == 0)
        set(&test->said, text_copy(line + 12));
    else if (strncmp(line, "lab you: ", 9) == 0)
        set(&test->you, text_copy(line + 9));
    else if (strncmp(line, "lab expected: ", 14) == 0)
        set(&test->expected, text_copy(line + 14));
    else if (test->expected == NULL && (value = asserted(line, "expected")) != NULL)
        set(&test->expected, text_copy(value));
    else if (test->you == NULL && (value = asserted(line, "actual")) != NULL)
        set(&test->you, text_format("gave %s", *value == '\0' ? "nothing" : value));
    else if (strncmp(line, "(", 1) != 0 && strncmp(line, " in test file", 13) != 0 &&
             strncmp(line, "-- ", 3) != 0 && strcmp(line, "--") != 0 &&
             strncmp(line, "  in ", 5) != 0)
        text_print(other, "%s\n", line);
}

void trim_bats(struct test *test, const char *text)
{
    struct text other = {0};
    char *copy = text_copy(text), *report = trim_sanitizer(text);
    for (char *line, *rest = copy; (line = strsep(&rest, "\n")) != NULL;)
        if (*line != '\0')
            bats_story_line(test, line, &other);
    if (report == NULL && other.bytes != NULL)
        report = trim_output(other.bytes, 10);
    set(&test->output, report);
    text_free(&other);
    free(copy);
}
