#define _GNU_SOURCE
#include "grade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void text_add(struct text *text, const char *bytes, size_t n)
{
    char *grown = realloc(text->bytes, text->length + n + 1);
    if (grown == NULL)
        fatal("out of memory");
    memcpy(grown + text->length, bytes, n);
    text->bytes = grown;
    text->length += n;
    grown[text->length] = '\0';
}

static char *format_list(const char *format, va_list arguments)
{
    char *made = NULL;
    if (vasprintf(&made, format, arguments) < 0)
        fatal("out of memory");
    return made;
}

void text_print(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *made = format_list(format, arguments);
    va_end(arguments);
    text_add(text, made, strlen(made));
    free(made);
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *made = format_list(format, arguments);
    va_end(arguments);
    return made;
}

char *text_copy(const char *s)
{
    return s == NULL ? NULL : text_format("%s", s);
}

char *file_read(const char *path, size_t limit)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct text text = {0};
    char buf[16384];
    ssize_t n = 0;
    text_add(&text, "", 0);
    while (text.length < limit && (n = read(fd, buf, sizeof buf)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        text_add(&text, buf, (size_t)n);
    }
    int error = errno;
    close(fd);
    if (n < 0) {
        text_free(&text);
        errno = error;
    }
    return text.bytes;
}

/* The length of the valid UTF-8 sequence at s (n bytes there), or 0. C1 control
 * characters do not count as valid. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t length = s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                    : s[0] >= 0xe0              ? 3
                    : s[0] >= 0xc2              ? 2
                                                : 0;
    if (s[0] >= 0xf5 || length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool surrogate = s[0] == 0xed && s[1] >= 0xa0,
         overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool too_large = s[0] == 0xf4 && s[1] >= 0x90, control = s[0] == 0xc2 && s[1] < 0xa0;
    return surrogate || overlong || too_large || control ? 0 : length;
}

char *text_printable(const char *bytes, size_t n)
{
    struct text text = {0};
    const unsigned char *s = (const unsigned char *)bytes;
    text_add(&text, "", 0);
    for (size_t i = 0; i < n;) {
        size_t length = s[i] == '\n' || s[i] == '\t' || (s[i] >= 0x20 && s[i] < 0x7f)
                            ? 1
                            : utf8_length(s + i, n - i);
        if (length > 0)
            text_add(&text, bytes + i, length);
        else
            text_print(&text, "\\x%02x", s[i]);
        i += length > 0 ? length : 1;
    }
    return text.bytes;
}

void fatal(const char *format, ...)
{
    int error = errno;
    va_list arguments;
    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, error != 0 ? ": %s\n" : "\n", strerror(error));
    exit(2);
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
