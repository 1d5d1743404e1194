#define _GNU_SOURCE
#include "class.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MOST 50

void take_begin(struct taking *taking, const struct course *course)
{
    *taking = (struct taking){.course = course, .notes = json_array()};
    taking->found = calloc(course->count, sizeof *taking->found);
    for (size_t i = 0; taking->found != NULL && i < course->count; i++)
        taking->found[i] = calloc(course->units[i].count + 1, sizeof **taking->found);
    for (size_t i = 0; i < course->count; i++)
        if (taking->found == NULL || taking->found[i] == NULL)
            fatal("out of memory");
}

void take_end(struct taking *taking)
{
    for (size_t i = 0; i < taking->course->count; i++) {
        for (size_t j = 0; j < taking->course->units[i].count; j++) {
            free(taking->found[i][j].path);
            free(taking->found[i][j].bytes);
        }
        free(taking->found[i]);
    }
    free(taking->found);
    json_decref(taking->notes);
    free(taking->problem);
}

static char *format_list(const char *format, va_list arguments)
{
    char *made = NULL;
    if (vasprintf(&made, format, arguments) < 0)
        fatal("out of memory");
    return made;
}

void take_note(struct taking *taking, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *note = format_list(format, arguments);
    va_end(arguments);
    size_t n = json_array_size(taking->notes);
    if (n < NOTES_MOST)
        json_array_append_new(taking->notes, json_string(note));
    else if (n == NOTES_MOST)
        json_array_append_new(taking->notes, json_string("and more of this kind"));
    free(note);
}

void take_problem(struct taking *taking, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (taking->problem == NULL)
        taking->problem = format_list(format, arguments);
    va_end(arguments);
}

bool take_count(struct taking *taking, uint64_t size)
{
    taking->entries++;
    taking->unpacked += size > UNPACK_MOST ? UNPACK_MOST + 1 : size;
    if (taking->entries > ENTRIES_MOST)
        take_problem(taking, "it holds more than %d files and folders", ENTRIES_MOST);
    if (taking->unpacked > UNPACK_MOST)
        take_problem(taking, "it holds more than %d MiB, unpacked",
                     (int)(UNPACK_MOST >> 20));
    return taking->problem == NULL;
}

/* ---- which files -------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Calls each folder of the path by its place and length. */
static bool next_folder(const char **folder, size_t *length)
{
    *folder += *length;
    *folder += strspn(*folder, "/");
    *length = strcspn(*folder, "/");
    return (*folder)[*length] == '/';
}

/* Is it something that a system or a tool put there? */
static bool in_litter(const char *path)
{
    const char *folder = path;
    size_t length = 0;
    while (next_folder(&folder, &length)) {
        bool up = strspn(folder, ".") == length && length <= 2;
        bool macos = length == 8 && strncasecmp(folder, "__MACOSX", 8) == 0;
        if ((*folder == '.' && !up) || macos)
            return true;
    }
    /* Where the course itself keeps its starters. */
    return file_is_litter(base_name(path)) || strstr(path, "build/starters/") != NULL;
}

/* The lesson whose folder, called by its whole name, the file is in; or NULL. */
static const struct unit *lesson_of(const struct course *course, const char *path)
{
    const struct unit *unit = NULL;
    const char *folder = path;
    size_t length = 0;
    while (next_folder(&folder, &length)) {
        const struct unit *named =
            length > 2 ? course_find(course, folder, length) : NULL;
        unit = named != NULL ? named : unit;
    }
    return unit;
}

/* A place that the file could have. Begin with lesson = 0; each call goes on after it. */
static bool next_place(const struct course *course, const char *path, size_t *lesson,
                       size_t *file)
{
    const struct unit *only = lesson_of(course, path);
    for (; *lesson < course->count; ++*lesson) {
        const struct unit *unit = &course->units[*lesson];
        *file = unit_file(unit, base_name(path));
        if ((only == NULL || only == unit) && *file < unit->count)
            return true;
    }
    return false;
}

static bool leads_out(const char *path)
{
    const char *folder = path;
    size_t length = 0;
    while (next_folder(&folder, &length))
        if (length == 2 && strncmp(folder, "..", 2) == 0)
            return true;
    return path[0] == '/';
}

static int folders_above(const char *path)
{
    int folders = 0;
    size_t length = 0;
    while (next_folder(&path, &length))
        folders += !(length <= 2 && strspn(path, ".") == length); /* . and .. */
    return folders;
}

bool take_wants(struct taking *taking, const struct candidate *candidate)
{
    size_t lesson = 0, file = 0;
    if (in_litter(candidate->path) ||
        !next_place(taking->course, candidate->path, &lesson, &file))
        return false;
    char *path = shown(candidate->path);
    const char *why = !candidate->regular           ? "is no regular file"
                      : candidate->size > FILE_MOST ? "is larger than 1 MiB"
                      : folders_above(candidate->path) > DEPTH_MOST
                          ? "is more than 8 folders deep"
                          : NULL;
    if (why != NULL)
        take_note(taking, "%s %s: not taken", path, why);
    else if (leads_out(candidate->path))
        take_note(taking, "%s: only the end of that name was used", path);
    free(path);
    return why == NULL;
}

/* Is a to be taken rather than b? *because: what decides. */
static bool better(const struct found *a, const struct found *b, const char **because)
{
    *because = "the newest";
    if (a->time != b->time)
        return a->time > b->time;
    *because = "the one in the fewest folders";
    if (a->depth != b->depth)
        return a->depth < b->depth;
    *because = "the first by name";
    int order = strcmp(a->path, b->path);
    if (order == 0)
        *because = "the last of that name";
    return order <= 0;
}

static void place(struct found *found, const struct found *one)
{
    if (found->path == NULL) {
        *found = *one;
        return;
    }
    const char *because = found->because, *now = NULL;
    bool same = found->length == one->length &&
                memcmp(found->bytes, one->bytes, one->length) == 0;
    size_t others = found->others + !same;
    bool replaces = better(one, found, &now);
    struct found loser = replaces ? *found : *one;
    if (replaces)
        *found = *one;
    found->others = others;
    found->because = same ? because : now;
    free(loser.path);
    free(loser.bytes);
}

void take_content(struct taking *taking, const struct candidate *candidate,
                  const char *bytes, size_t n)
{
    size_t lesson = 0, file = 0;
    for (; next_place(taking->course, candidate->path, &lesson, &file); lesson++) {
        struct text copy = {0};
        text_add(&copy, bytes, n);
        struct found one = {.path = text_copy(candidate->path),
                            .bytes = copy.bytes,
                            .length = n,
                            .depth = folders_above(candidate->path),
                            .time = candidate->time};
        place(&taking->found[lesson][file], &one);
    }
}

bool take_any(const struct taking *taking)
{
    for (size_t i = 0; i < taking->course->count; i++)
        for (size_t j = 0; j < taking->course->units[i].count; j++)
            if (taking->found[i][j].path != NULL)
                return true;
    return false;
}

/* ---- as plain text ------------------------------------------------------------------ */

static void add_character(struct text *text, uint32_t c)
{
    char utf8[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6)
        utf8[i] = (char)(0x80 | (c & 0x3f));
    utf8[0] = (char)(first[n] | c);
    text_add(text, utf8, n);
}

static bool within(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

/* text begins with a byte order mark. A half of a pair by itself becomes U+FFFD. */
static void from_utf16(struct text *text)
{
    const unsigned char *s = (const unsigned char *)text->bytes;
    struct text made = {0};
    size_t high = s[0] == 0xfe ? 0 : 1;
    text_add(&made, "", 0);
    for (size_t i = 2; i + 1 < text->length; i += 2) {
        uint32_t c = (uint32_t)s[i + high] << 8 | s[i + 1 - high];
        uint32_t low =
            i + 3 < text->length ? (uint32_t)s[i + 2 + high] << 8 | s[i + 3 - high] : 0;
        if (within(c, 0xd800, 0xdbff) && within(low, 0xdc00, 0xdfff)) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        } else if (within(c, 0xd800, 0xdfff)) {
            c = 0xfffd;
        }
        add_character(&made, c);
    }
    text_free(text);
    *text = made;
}

static void add_change(struct text *changes, const char *change)
{
    text_print(changes, "%s%s", changes->length > 0 ? ", " : "", change);
}

/* CR before LF goes; where there is no LF at all, CR is one. */
static void unix_lines(struct text *text, struct text *changes)
{
    char *s = text->bytes;
    bool lf = memchr(s, '\n', text->length) != NULL, changed = false;
    size_t n = 0;
    for (size_t i = 0; i < text->length; i++) {
        bool drop = s[i] == '\r' && i + 1 < text->length && s[i + 1] == '\n';
        bool end = s[i] == '\r' && !lf;
        changed = changed || drop || end;
        if (!drop)
            s[n++] = (char)(end ? '\n' : s[i]);
    }
    text->length = n;
    s[n] = '\0';
    if (changed)
        add_change(changes, lf ? "its line ends (CR LF) are now LF"
                               : "its line ends (CR) are now LF");
}

void text_normalise(struct text *text, struct text *changes)
{
    const char *s = text->bytes;
    if (text->length >= 2 &&
        (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0)) {
        from_utf16(text);
        add_change(changes, "UTF-16 is now UTF-8");
    } else if (text->length >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
        text->length -= 3;
        memmove(text->bytes, s + 3, text->length + 1);
        add_change(changes, "its byte order mark was taken off");
    }
    unix_lines(text, changes);
}

/* What there is to say about how this file was chosen and changed. */
static void found_notes(struct taking *taking, const char *file,
                        const struct found *found, const char *changes)
{
    char *path = shown(found->path);
    if (found->others > 0)
        take_note(taking, "%s is there %zu times: took %s, %s", file, found->others + 1,
                  path, found->because);
    if (strcmp(base_name(found->path), file) != 0)
        take_note(taking, "%s was taken for %s", path, file);
    if (changes != NULL)
        take_note(taking, "%s: %s", file, changes);
    free(path);
}

static bool found_write(struct taking *taking, const char *folder, const char *file,
                        struct found *found)
{
    struct text text = {0}, changes = {0};
    text_add(&text, found->bytes, found->length);
    text_normalise(&text, &changes);
    found_notes(taking, file, found, changes.bytes);
    bool fits = text.length <= FILE_MOST;
    if (fits) {
        char *path = text_format("%s/%s", folder, file);
        folder_make(folder);
        file_write(path, text.bytes, text.length);
        free(path);
    } else {
        take_note(taking, "%s is larger than 1 MiB: not taken", file);
    }
    text_free(&text);
    text_free(&changes);
    return fits;
}

json_t *take_write(struct taking *taking, const char *folder)
{
    json_t *lessons = json_object();
    for (size_t i = 0; i < taking->course->count; i++) {
        const struct unit *unit = &taking->course->units[i];
        char *into = text_format("%s/%s", folder, unit->name);
        json_t *files = json_array();
        for (size_t j = 0; unit->wanted && j < unit->count; j++)
            if (taking->found[i][j].path != NULL &&
                found_write(taking, into, unit->files[j], &taking->found[i][j]))
                json_array_append_new(files, json_string(unit->files[j]));
        if (json_array_size(files) > 0)
            json_object_set(lessons, unit->name, files);
        json_decref(files);
        free(into);
    }
    return lessons;
}
