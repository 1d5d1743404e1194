/*
 * escape.c: bytes of strangers, as text that no terminal obeys.
 */
#include "wire.h"

#include <stdarg.h>
#include <string.h>

struct text text_in(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (struct text){.at = buffer, .size = size};
}

void text_add(struct text *text, const char *format, ...)
{
    size_t room = text->size - text->length;
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text->at + text->length, room, format, list);
    va_end(list);
    if (n > 0)
        text->length += (size_t)n < room ? (size_t)n : room - 1;
}

/* One byte as C writes it; next tells whether an octal escape could swallow a digit. */
static const char *escaped(unsigned char byte, unsigned char next, char *out, size_t size)
{
    static const char short_form[] = "abtnvfr";
    if (byte >= '\a' && byte <= '\r')
        snprintf(out, size, "\\%c", short_form[byte - '\a']);
    else if (byte == '"' || byte == '\\')
        snprintf(out, size, "\\%c", byte);
    else if (byte >= ' ' && byte <= '~')
        snprintf(out, size, "%c", byte);
    else if (byte == '\0' && !(next >= '0' && next <= '9'))
        snprintf(out, size, "\\0");
    else
        snprintf(out, size, "\\x%02x", byte);
    return out;
}

void text_quote(struct text *text, const unsigned char *bytes, size_t count, size_t total,
                size_t columns)
{
    char one[8], shown[4 * KEPT + 8];
    struct text all = text_in(shown, sizeof shown);
    size_t fits = 0, i;
    for (i = 0; i < count; i++) {
        escaped(bytes[i], i + 1 < count ? bytes[i + 1] : ' ', one, sizeof one);
        if (all.length + strlen(one) + 2 > columns)
            break;
        text_add(&all, "%s", one);
        if (all.length + 5 <= columns)
            fits = all.length; /* and "..." besides */
    }
    if (i == count && count == total)
        text_add(text, "\"%s\"", shown);
    else
        text_add(text, "\"%.*s\"...", (int)fits, shown);
}

void text_plain(struct text *text, const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)from[i];
        text_add(text, c >= ' ' && c <= '~' ? "%c" : "\\x%02x", c);
    }
}
