/*
 * svg.c: the ladder as a picture: text that can be selected, colours that follow the
 * reader's preference for light or dark, nothing fetched from anywhere. What it shows is
 * repeated in <desc> as the plain ladder, for readers who cannot see it, and to tell
 * whether a picture is up to date.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROW = 23, /* height of a row, and of a line of text */
    LINE = 20,
    MARGIN = 16,
    SIDE =
        270, /* width of a side, and of the middle: 15 px letters are read on a slide */
    MIDDLE = 230,
    TIME = 76,
    LABEL = 23, /* characters on an arrow */
    WRAP = 28,  /* characters in a side's line, and of a sentence */
    WHY = 88,
    DIGIT = 9, /* width of one */
    BASE = 5,  /* from the middle of a row down to the letters' base */
};

static const char STYLE[] =
    "<style>"
    "text{font:15px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1d2329;white-space:pre}"
    ".bg{fill:#fdfcf9}.dim{fill:#59636e}.bold{font-weight:bold}.bad{fill:#b3261e}"
    ".life{stroke:#8c959f;stroke-width:1}.wait{stroke:#8c959f;stroke-width:5}"
    ".arrow{stroke:#0a5cad;stroke-width:1.5}.label{fill:#0a5cad}.head{fill:#0a5cad}"
    ".arrow.bad{stroke:#b3261e}"
    ".why{fill:#59636e;paint-order:stroke;stroke:#fdfcf9;stroke-width:6px}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bg{fill:#14181c}.dim{fill:#9aa4af}"
    ".bad{fill:#ff8a80}.life,.wait{stroke:#6e7681}.arrow{stroke:#79c0ff}.label,.head{fill:#79c0ff}"
    ".arrow.bad{stroke:#ff8a80}.why{fill:#9aa4af;stroke:#14181c}}"
    "</style>\n";

static const int LEFT_LINE = TIME + SIDE, RIGHT_LINE = TIME + SIDE + MIDDLE,
                 WIDTH = TIME + 2 * SIDE + MIDDLE + MARGIN;

static void put_escaped(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length && text[i] != '\0'; i++) {
        if (text[i] == '<')
            fputs("&lt;", out);
        else if (text[i] == '>')
            fputs("&gt;", out);
        else if (text[i] == '&')
            fputs("&amp;", out);
        else if (text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'))
            fputc(text[i], out);
    }
}

static void put_text(FILE *out, int x, int y, const char *class, const char *anchor,
                     const char *text, size_t length)
{
    fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"%s\" text-anchor=\"%s\">", x, y, class,
            anchor);
    put_escaped(out, text, length);
    fputs("</text>\n", out);
}

/* How much of text fits on a line. */
static size_t fitting(const char *text, size_t columns)
{
    size_t n = strlen(text);
    if (n <= columns)
        return n;
    for (n = columns; n > columns / 4 && (text[n] != ' ' || text[n - 1] == '=');)
        n--;
    return n > columns / 4 ? n : columns;
}

static int lines_of(const char *text, size_t columns)
{
    int lines = 0;
    for (; text != NULL && *text != '\0'; lines++) {
        text += fitting(text, columns);
        text += strspn(text, " ");
    }
    return lines > 0 ? lines : 1;
}

static int height_of(const struct row *row, bool explained)
{
    int height = ROW + (lines_of(row->text, WRAP) - 1) * LINE;
    if (explained && row->part != BEGIN && row->event->why != NULL)
        height += lines_of(row->event->why, WHY) * LINE + 4;
    return height;
}

static void put_arrow(FILE *out, const struct row *row, int y)
{
    const struct event *event = row->event;
    const char *bad = row->bad ? " bad" : "";
    const char *dash = event->packet.transport == TCP ? "" : " stroke-dasharray=\"7 4\"";
    int from = event->side == RIGHT ? RIGHT_LINE : LEFT_LINE;
    int to = event->side == RIGHT ? LEFT_LINE : RIGHT_LINE;
    int back = event->side == RIGHT ? 9 : -9;
    char label[200];
    struct text text = text_in(label, sizeof label);
    packet_label(event, &text, LABEL);
    fprintf(out, "<line class=\"arrow%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"%s/>\n",
            bad, from, y + 7, to, y + 7, dash);
    if (event->side != NOBODY)
        fprintf(out, "<path class=\"%s\" d=\"M%d %dl%d -5v10z\"/>\n",
                row->bad ? "bad" : "head", to, y + 7, back);
    put_text(out, (from + to) / 2, y + 2, row->bad ? "bad" : "label", "middle", label,
             text.length);
}

static void put_call(FILE *out, const struct row *row, int y)
{
    const char *class = row->bad ? "bad" : row->part == BEGIN ? "dim" : "";
    int x = row->side == LEFT ? LEFT_LINE - 12 : RIGHT_LINE + 12;
    const char *text = row->text;
    while (*text != '\0') {
        size_t n = fitting(text, WRAP);
        put_text(out, x, y + BASE, class, row->side == LEFT ? "end" : "start", text, n);
        text += n;
        text += strspn(text, " ");
        y += LINE;
    }
}

static void put_why(FILE *out, const char *why, int y)
{
    char text[512];
    struct text plain = text_in(text, sizeof text);
    for (; *why != '\0'; why++)
        if (*why != PORT_MARK)
            text_add(&plain, "%c", *why);
    const char *at = text;
    while (*at != '\0') {
        size_t n = fitting(at, WHY);
        put_text(out, (LEFT_LINE + RIGHT_LINE) / 2, y + BASE, "why", "middle", at, n);
        at += n;
        at += strspn(at, " ");
        y += LINE;
    }
}

static void put_row(FILE *out, const struct ladder *ladder, const struct row *row,
                    int top, bool explained)
{
    int y = top + ROW / 2, height = height_of(row, explained);
    char time[24];
    int n =
        snprintf(time, sizeof time, "%lld", (long long)(row->t - ladder->start) / 1000);
    put_text(out, TIME - 24, y + BASE, "dim", "end", time, (size_t)n);
    for (int side = LEFT; side <= RIGHT; side++)
        if (row->waiting[side])
            fprintf(out,
                    "<line class=\"wait\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
                    side == LEFT ? LEFT_LINE : RIGHT_LINE, top,
                    side == LEFT ? LEFT_LINE : RIGHT_LINE, top + height);
    if (row->event->what == SENT)
        put_arrow(out, row, y);
    else
        put_call(out, row, y);
    if (explained && row->part != BEGIN && row->event->why != NULL)
        put_why(out, row->event->why, y + lines_of(row->text, WRAP) * LINE + 2);
}

/* The plain ladder, as text_draw() writes it. */
static void put_description(FILE *out, const struct run *run, const struct look *look)
{
    struct look plain = *look;
    plain.width = 80;
    plain.plain = true;
    plain.explain = plain.colour = false;
    struct ladder ladder;
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        return;
    ladder_build(&ladder, run, &plain);
    text_draw(memory, &ladder, run, &plain);
    ladder_free(&ladder);
    if (fclose(memory) == 0) {
        fputs("<desc>\n", out);
        put_escaped(out, text, size);
        fputs("</desc>\n", out);
    }
    free(text);
}

/* How much wider the picture is, to the left, than for times of five digits. */
static int wider_by(const struct ladder *ladder)
{
    int64_t last = ladder->rows == 0 ? 0 : ladder->row[ladder->rows - 1].t;
    int wider = 0;
    for (int64_t us = (last - ladder->start) / 1000; us >= 100000; us /= 10)
        wider += DIGIT;
    return wider;
}

static void put_head(FILE *out, const struct ladder *ladder, const struct run *run,
                     const struct look *look, int height)
{
    int wider = wider_by(ladder);
    const char *title = look->title != NULL ? look->title : "system calls and packets";
    const char *left = ladder->head[LEFT], *right = ladder->head[RIGHT];
    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"%d 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n<title>",
        -wider, WIDTH + wider, height, WIDTH + wider, height);
    put_escaped(out, title, strlen(title));
    fputs("</title>\n", out);
    put_description(out, run, look);
    fputs(STYLE, out);
    fprintf(out, "<rect class=\"bg\" x=\"%d\" width=\"%d\" height=\"%d\"/>\n", -wider,
            WIDTH + wider, height);
    put_text(out, TIME - 24, MARGIN + 14, "dim", "end", "us", 2);
    put_text(out, LEFT_LINE - 12, MARGIN + 14, "bold", "end", left, strlen(left));
    put_text(out, RIGHT_LINE + 12, MARGIN + 14, "bold", "start", right, strlen(right));
    for (int side = LEFT; side <= RIGHT; side++)
        fprintf(out, "<line class=\"life\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
                side == LEFT ? LEFT_LINE : RIGHT_LINE, MARGIN + ROW,
                side == LEFT ? LEFT_LINE : RIGHT_LINE, height - MARGIN);
}

bool svg_draw(const char *file, const struct ladder *ladder, const struct run *run,
              const struct look *look)
{
    int height = 2 * MARGIN + ROW + 8, top = MARGIN + ROW + 4;
    FILE *out = fopen(file, "we");
    if (out == NULL)
        return false;
    for (size_t i = 0; i < ladder->rows; i++)
        height += height_of(&ladder->row[i], look->explain);
    put_head(out, ladder, run, look, height);
    for (size_t i = 0; i < ladder->rows; i++) {
        put_row(out, ladder, &ladder->row[i], top, look->explain);
        top += height_of(&ladder->row[i], look->explain);
    }
    fputs("</svg>\n", out);
    return fclose(out) == 0;
}
