#define _GNU_SOURCE
#include "class.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN_MOST 160  /* bytes of a name that anybody wants to read */
#define LOOKED_AT  1024 /* at each end: names of 200 kB are no reason to work */

void folder_make(const char *path)
{
    char *copy = text_copy(path);
    for (char *slash = copy; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
        *slash = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            fatal("%s", copy);
    }
    struct stat status;
    if (mkdir(copy, 0777) < 0 &&
        (errno != EEXIST || stat(copy, &status) < 0 || !S_ISDIR(status.st_mode)))
        fatal("%s", copy);
    free(copy);
}

static void remove_at(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL)
        fatal("%s cannot be removed", name);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_at(fd, entry->d_name);
    closedir(entries);
    if (unlinkat(folder, name, AT_REMOVEDIR) < 0)
        fatal("%s cannot be removed", name);
}

void folder_remove(const char *path)
{
    remove_at(AT_FDCWD, path);
}

void folder_replace(const char *made, const char *path)
{
    if (renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        folder_remove(made);
        return;
    }
    /* Nothing there yet, or a file system that cannot exchange two names. */
    folder_remove(path);
    if (rename(made, path) < 0)
        fatal("%s", path);
}

void file_write(const char *path, const char *bytes, size_t n)
{
    char *beside = text_format("%s.XXXXXX", path);
    int fd = mkostemp(beside, O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        fatal("%s", beside);
    bool written = fwrite(bytes, 1, n, file) == n && fchmod(fd, 0644) == 0;
    int error = errno;
    if (fclose(file) != 0 || !written || rename(beside, path) < 0) {
        if (!written)
            errno = error;
        error = errno;
        unlink(beside);
        errno = error;
        fatal("%s", path);
    }
    free(beside);
}

void json_write(const char *path, const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(1) | JSON_SORT_KEYS);
    if (text == NULL)
        fatal("out of memory");
    struct text line = {0};
    text_print(&line, "%s\n", text);
    file_write(path, line.bytes, line.length);
    text_free(&line);
    free(text);
}

json_t *manifest_read(const char *out)
{
    char *path = text_format("%s/manifest.json", out);
    json_error_t error;
    json_t *manifest = json_load_file(path, 0, &error);
    if (manifest == NULL && access(path, R_OK) < 0)
        fprintf(stderr, "class: %s is not there: class collect writes it.\n", path);
    else if (manifest == NULL)
        fprintf(stderr, "class: %s, line %d: %s\n", path, error.line, error.text);
    free(path);
    return manifest;
}

bool file_is_litter(const char *name)
{
    return name[0] == '.' || strcasecmp(name, "__MACOSX") == 0 ||
           strcasecmp(name, "Thumbs.db") == 0 || strcasecmp(name, "desktop.ini") == 0;
}

bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcasecmp(s + n - m, end) == 0;
}

/* Marks that make what follows be shown in another order than it is written: U+200E,
 * U+200F, U+202A to U+202E, U+2066 to U+2069. */
static bool turns(const char *s)
{
    const unsigned char *c = (const unsigned char *)s;
    return c[0] == 0xe2 && ((c[1] == 0x80 && ((c[2] >= 0xaa && c[2] <= 0xae) ||
                                              c[2] == 0x8e || c[2] == 0x8f)) ||
                            (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* The middle of a long line gives way to dots; no character is cut in two. */
static char *cut_short(char *line)
{
    size_t n = strlen(line), head = SHOWN_MOST / 2, tail = n - SHOWN_MOST / 2;
    if (n <= SHOWN_MOST)
        return line;
    while ((line[head] & 0xc0) == 0x80)
        head--;
    while ((line[tail] & 0xc0) == 0x80)
        tail++;
    char *cut = text_format("%.*s...%s", (int)head, line, line + tail);
    free(line);
    return cut;
}

char *shown(const char *bytes)
{
    size_t n = strlen(bytes);
    char *ends = n <= (size_t)2 * LOOKED_AT
                     ? text_copy(bytes)
                     : text_format("%.*s...%s", LOOKED_AT, bytes, bytes + n - LOOKED_AT);
    char *text = text_printable(ends, strlen(ends));
    struct text line = {0};
    free(ends);
    text_add(&line, "", 0);
    for (const char *s = text; *s != '\0'; s++) {
        bool space = *s == ' ' || *s == '\n' || *s == '\t';
        if (turns(s))
            s += 2;
        else if (!space)
            text_add(&line, s, 1);
        else if (line.length > 0 && line.bytes[line.length - 1] != ' ')
            text_add(&line, " ", 1);
    }
    if (line.length > 0 && line.bytes[line.length - 1] == ' ')
        line.bytes[--line.length] = '\0';
    free(text);
    return cut_short(line.bytes);
}
