/* HTML in which nothing from outside can become more than text: html() escapes each %s,
 * and a policy in the head lets nothing but our own style and script act. */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The number of a character that turns the order of what follows it (U+200E, U+200F,
 * U+202A to U+202E, U+2066 to U+2069), or 0. They are three bytes long. */
static unsigned turning(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] != 0xe2 || (s[1] != 0x80 && s[1] != 0x81))
        return 0;
    unsigned c = 0x2000u | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
    bool turns = c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
                 (c >= 0x2066 && c <= 0x2069);
    return turns ? c : 0;
}

static void add_escaped(FILE *page, const char *text)
{
    char *printable = text_printable(text, strlen(text));
    for (const char *s = printable; *s != '\0';) {
        size_t plain = strcspn(s, "&<>\"'\342");
        unsigned turns = turning(s + plain);
        fwrite(s, 1, plain, page);
        s += plain;
        if (turns != 0)
            fprintf(page, "\\u%04x", turns), s += 3;
        else if (*s == '\342')
            fputc(*s++, page);
        else if (*s != '\0')
            fprintf(page, "&#%d;", *s++);
    }
    free(printable);
}

void html(FILE *page, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    for (const char *s = format; *s != '\0';) {
        size_t plain = strcspn(s, "%");
        fwrite(s, 1, plain, page);
        s += plain;
        if (strncmp(s, "%s", 2) == 0)
            add_escaped(page, va_arg(values, const char *));
        else if (strncmp(s, "%d", 2) == 0)
            fprintf(page, "%d", va_arg(values, int));
        else if (strncmp(s, "%zu", 3) == 0)
            fprintf(page, "%zu", va_arg(values, size_t));
        else if (strncmp(s, "%.", 2) == 0)
            fprintf(page, "%.*f", s[2] - '0', va_arg(values, double));
        else if (strncmp(s, "%%", 2) == 0)
            fputc('%', page);
        s += *s == '\0' ? 0 : s[1] == '.' ? 4 : s[1] == 'z' ? 3 : 2;
    }
    va_end(values);
}

void html_begin(FILE *page, const char *title, bool scripted)
{
    fprintf(page,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "base-uri 'none'; form-action 'none'; style-src 'sha256-%s'",
            style_hash);
    if (scripted)
        fprintf(page, "; script-src 'sha256-%s'", script_hash);
    html(page,
         "\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>%s</title>\n",
         title);
    fprintf(page,
            "<style>%s</style>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the "
            "content</a>\n",
            asset_style);
}

void html_end(FILE *page, bool scripted)
{
    fputs("</main>\n", page);
    if (scripted)
        fprintf(page, "<script>%s</script>\n", asset_script);
    fputs("</body>\n</html>\n", page);
}
