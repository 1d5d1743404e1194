#define _GNU_SOURCE
#include "class.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MOST 48

size_t archive_extension(const char *name)
{
    static const char *const extensions[] = {
        ".zip", ".tar.gz",  ".tgz",      ".tar",   ".tar.xz", ".txz", ".tar.bz2", ".tbz2",
        ".tbz", ".tar.zst", ".tar.lzma", ".tar.Z", ".7z",     ".rar", ".tzst",    ".tlz"};
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (ends_with(name, extensions[i]) && strlen(name) > strlen(extensions[i]))
            return strlen(extensions[i]);
    return 0;
}

static size_t digits(const char *s)
{
    return strspn(s, "0123456789");
}

/* Canvas: lovelaceada_12345_67890_hw.zip, lovelaceada_LATE_12345_67890_hw.zip: who, that
 * person's number, the file's number, and the file as the student called it. A person's
 * loose files are one submission: only the last one of each person is downloaded. */
static bool read_canvas(struct named *named, const char *name)
{
    size_t who = strcspn(name, "_");
    const char *s = name + who;
    bool late = strncmp(s, "_LATE_", 6) == 0;
    s += late ? 5 : 0;
    size_t person = *s == '_' ? digits(s + 1) : 0;
    const char *after = s + 1 + person;
    size_t number = person > 0 && *after == '_' ? digits(after + 1) : 0;
    if (who == 0 || number == 0 || after[1 + number] != '_')
        return false;
    named->student = text_format("%.*s", (int)who, name);
    named->person = text_format("%.*s", (int)person, s + 1);
    named->identity = text_format("canvas:%s", named->person);
    named->group = text_format("canvas:%s", named->person);
    named->file = text_copy(after + 1 + number + 1);
    named->late = late;
    return true;
}

/* Moodle: Ada Lovelace_12345_assignsubmission_file_, a folder, or with the file's name at
 * its end. The number is another one in each assignment. */
static bool read_moodle(struct named *named, const char *name)
{
    const char *mark = strstr(name, "_assignsubmission_");
    const char *number = mark;
    while (number != NULL && number > name && isdigit((unsigned char)number[-1]))
        number--;
    if (number == NULL || number == mark || number - name < 2 || number[-1] != '_')
        return false;
    named->student = text_format("%.*s", (int)(number - 1 - name), name);
    named->person = text_format("%.*s", (int)(mark - number), number);
    named->group = text_format("moodle:%s", named->person);
    const char *kind = mark + strlen("_assignsubmission_");
    kind += strcspn(kind, "_");
    named->file = text_copy(*kind == '_' ? kind + 1 : kind);
    return true;
}

/* Blackboard: Lesson 2_alovelace_attempt_2026-11-20-10-11-12_hw.zip */
static bool read_blackboard(struct named *named, const char *name)
{
    const char *mark = strstr(name, "_attempt_");
    struct tm when = {.tm_isdst = -1};
    const char *end =
        mark == NULL ? NULL
                     : strptime(mark + strlen("_attempt_"), "%Y-%m-%d-%H-%M-%S", &when);
    const char *who = mark;
    while (who != NULL && who > name && who[-1] != '_')
        who--;
    if (end == NULL || who == mark || (*end != '\0' && *end != '_' && *end != '.'))
        return false;
    named->student = text_format("%.*s", (int)(mark - who), who);
    named->group =
        text_format("blackboard:%s:%.*s", named->student, (int)(end - mark), mark);
    named->file = text_copy(*end == '_' ? end + 1 : end);
    named->time = mktime(&when);
    return true;
}

/* GitHub Classroom: the assignment and the account. "lesson-02-ada",
 * "02-bind-listen-accept-ada", "lesson-02-bind-listen-accept-ada". */
static bool read_classroom(struct named *named, const char *name,
                           const struct course *course)
{
    const char *s = name;
    bool prefix = strncasecmp(s, "lesson-", 7) == 0;
    s += prefix ? 7 : 0;
    const struct unit *unit = course_find(course, s, digits(s));
    if (unit == NULL)
        return false;
    size_t whole = strlen(unit->name);
    if (strncasecmp(s, unit->name, whole) == 0 && s[whole] == '-')
        s += whole;
    else if (prefix)
        s += digits(s);
    if (s[0] != '-' || s[1] == '\0')
        return false;
    named->student = text_copy(s + 1);
    return true;
}

/* "ada-tcp.c", "Ada Lovelace_tcp.c": a student, and a file that some lesson asks for. */
static bool read_lone_file(struct named *named, const char *name,
                           const struct course *course)
{
    for (size_t i = 0; i < course->count; i++)
        for (size_t j = 0; j < course->units[i].count; j++) {
            const char *file = course->units[i].files[j];
            size_t before = strlen(name) - strlen(file);
            if (!ends_with(name, file) || strlen(name) <= strlen(file) + 1 ||
                strchr("-_ .", name[before - 1]) == NULL)
                continue;
            while (before > 0 && strchr("-_ .", name[before - 1]) != NULL)
                before--;
            /* "chat-server.c" of one lesson is not server.c of somebody called chat. */
            if (before == 0 ||
                (named->file != NULL && strlen(named->file) >= strlen(file)))
                continue;
            free(named->student);
            free(named->file);
            named->student = text_format("%.*s", (int)before, name);
            named->file = text_copy(name + strlen(name) - strlen(file));
        }
    return named->student != NULL;
}

/* "hw (1)", as a browser calls a second download of the same name */
static size_t without_copy_number(const char *name, size_t length)
{
    size_t n = length;
    if (n < 4 || name[--n] != ')')
        return length;
    while (n > 0 && isdigit((unsigned char)name[n - 1]))
        n--;
    return n >= 3 && name[n] != ')' && name[n - 1] == '(' && name[n - 2] == ' ' ? n - 2
                                                                                : length;
}

static void read_plain(struct named *named, const char *name, bool folder)
{
    const char *dot = strrchr(name, '.');
    size_t extension = folder ? 0 : archive_extension(name);
    if (!folder && extension == 0 && dot != NULL && dot != name)
        extension = strlen(dot);
    size_t length = without_copy_number(name, strlen(name) - extension);
    named->student = text_format("%.*s", (int)length, name);
    named->file = text_copy(name);
}

/* What a system made of the second file of the same name: "tcp-1.c" (Canvas), "tcp (1).c".
 * Only where that, and not the name itself, is one that a lesson asks for. */
static void undo_numbering(struct named *named, const struct course *course)
{
    char *dot = strrchr(named->file, '.'), *end = dot;
    if (dot == NULL)
        return;
    for (size_t i = 0; i < course->count; i++)
        if (unit_file(&course->units[i], named->file) < course->units[i].count)
            return;
    end -= end > named->file && end[-1] == ')';
    while (end > named->file && isdigit((unsigned char)end[-1]))
        end--;
    end -= end > named->file && end[-1] == '(';
    if (end == dot || end == named->file || strchr(" -", end[-1]) == NULL)
        return;
    char *plain = text_format("%.*s%s", (int)(end - 1 - named->file), named->file, dot);
    for (size_t i = 0; i < course->count; i++)
        if (unit_file(&course->units[i], plain) < course->units[i].count) {
            free(named->file);
            named->file = text_copy(plain);
        }
    free(plain);
}

static void lower(char *s)
{
    for (; *s != '\0'; s++)
        *s = (char)(*s >= 'A' && *s <= 'Z' ? *s + 'a' - 'A' : *s);
}

void name_set_student(struct named *named, const char *student)
{
    char *name = shown(student);
    if (*name == '\0') {
        free(name);
        name = text_copy("nameless");
    }
    free(named->student);
    named->student = name;
    free(named->identity);
    named->identity = text_format("name:%s", name);
    lower(named->identity);
}

void name_read(struct named *named, const char *entry, bool folder,
               const struct course *course)
{
    *named = (struct named){.time = -1, .late = -1};
    if (!read_moodle(named, entry) && !read_blackboard(named, entry) &&
        !read_canvas(named, entry) && !(folder && read_classroom(named, entry, course)) &&
        !(ends_with(entry, ".c") && read_lone_file(named, entry, course)))
        read_plain(named, entry, folder);
    char *student = named->student, *identity = text_copy(named->identity);
    named->student = NULL;
    name_set_student(named, student);
    free(student);
    if (identity != NULL) {
        free(named->identity);
        named->identity = identity;
    }
    if (named->file != NULL)
        undo_numbering(named, course);
    if (named->group == NULL && named->file != NULL && ends_with(entry, ".c"))
        named->group = text_format("files:%s", named->identity);
}

void name_free(struct named *named)
{
    free(named->student);
    free(named->identity);
    free(named->person);
    free(named->group);
    free(named->file);
    *named = (struct named){0};
}

/* U+00C0 to U+017F without what is above and below the letters; '.': nothing that stands
 * for it. (Two letters, as in "ae" or "ss", are one here: it is a key, not a name.) */
static const unsigned char plain_letters[] = "aaaaaaaceeeeiiii"
                                             "dnooooo.ouuuuyts"
                                             "aaaaaaaceeeeiiii"
                                             "dnooooo.ouuuuyty"
                                             "aaaaaaccccccccdd"
                                             "ddeeeeeeeeeegggg"
                                             "gggghhhhiiiiiiii"
                                             "iiiijjkkklllllll"
                                             "lllnnnnnnnnnoooo"
                                             "oooorrrrrrssssss"
                                             "ssttttttuuuuuuuu"
                                             "uuuuwwyyyzzzzzzs";

char *name_key(const char *name, const char *fallback)
{
    char key[KEY_MOST + 1];
    size_t n = 0;
    bool gap = false;
    for (const unsigned char *s = (const unsigned char *)name; *s != '\0'; s++) {
        int c = tolower(*s);
        bool latin = s[0] >= 0xc3 && s[0] <= 0xc5 && (s[1] & 0xc0) == 0x80;
        if (latin)
            c = plain_letters[((s[0] & 0x1f) << 6 | (s[1] & 0x3f)) - 0xc0];
        s += latin;
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        /* Marks that are written behind their letter (macOS) part no words. */
        bool mark = s[0] == 0xcc || s[0] == 0xcd || (s[0] & 0xc0) == 0x80;
        if (letter && gap && n > 0 && n < KEY_MOST)
            key[n++] = '-';
        if (letter && n < KEY_MOST)
            key[n++] = (char)c;
        gap = !letter && (gap || (!mark && *s != '\''));
        gap = letter ? false : gap;
    }
    while (n > 0 && key[n - 1] == '-')
        n--;
    key[n] = '\0';
    return text_copy(n > 0 ? key : fallback);
}
