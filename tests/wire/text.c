/*
 * text.c: the ladder as text: 80 columns, or as many as the terminal has.
 */
#include "wire.h"

#include <string.h>

enum { LINES = 12, LINE = 200, TIME = 9, NARROWEST = 60, WIDEST = 160 };

static const char RED[] = "\033[31m", CYAN[] = "\033[36m", DIM[] = "\033[2m",
                  BOLD[] = "\033[1m", PLAIN[] = "\033[0m";

struct page {
    FILE *out;
    const struct look *look;
    int time, side, middle;
};

struct cell {
    char line[LINES][LINE];
    int lines;
};

static struct page page_for(FILE *out, const struct look *look)
{
    struct page page = {.out = out, .look = look, .time = look->plain ? 0 : TIME};
    int width = look->width < NARROWEST ? NARROWEST : look->width;
    width = (width > WIDEST ? WIDEST : width) - page.time - 2;
    page.middle = width * 3 / 10;
    page.side = (width - page.middle) / 2;
    page.middle = width - 2 * page.side;
    return page;
}

/* Where to break: at the last space that fits, but not between '=' and the result; or else
   in mid-word. */
static int break_at(const char *text, int width)
{
    int at = width;
    if ((int)strlen(text) <= width)
        return (int)strlen(text);
    while (at > width / 4 && (text[at] != ' ' || text[at - 1] == '='))
        at--;
    return at > width / 4 ? at : width;
}

static void wrap(struct cell *cell, const char *text, int width)
{
    cell->lines = 0;
    while (*text != '\0' && cell->lines < LINES) {
        int indent = cell->lines > 0 ? 2 : 0;
        int n = break_at(text, width - indent);
        snprintf(cell->line[cell->lines++], LINE, "%*s%.*s", indent, "", n, text);
        text += n;
        text += strspn(text, " ");
    }
}

static const char *on(const struct page *page, const char *colour)
{
    return page->look->colour ? colour : "";
}

static const char *off(const struct page *page)
{
    return page->look->colour ? PLAIN : "";
}

/* The arrow of a packet, from lifeline to lifeline. */
static void draw_arrow(const struct row *row, char *out, int width)
{
    const struct event *event = row->event;
    char label[LINE], line = event->packet.transport == TCP    ? '-'
                             : event->packet.transport == UNIX ? '='
                                                               : '~';
    struct text text = text_in(label, sizeof label);
    packet_label(event, &text, (size_t)width - 6);
    int n = (int)text.length > width - 6 ? width - 6 : (int)text.length;
    memset(out, line, (size_t)width);
    out[width] = '\0';
    out[event->side == RIGHT ? 0 : width - 1] = event->side == RIGHT ? '<' : '>';
    if (event->side == NOBODY)
        out[0] = out[width - 1] = '?';
    out[2] = out[n + 3] = ' ';
    memcpy(out + 3, label, (size_t)n);
}

static void draw_middle(const struct row *row, int number, char *out, int width)
{
    if (row->event->what == SENT && number == 0) {
        draw_arrow(row, out, width);
        return;
    }
    snprintf(out, LINE, "|%*s|", width - 2, "");
}

/* One side's part of a line: its text, or the bar of a call that waits. */
static void print_side(const struct page *page, const struct row *row, enum side side,
                       const struct cell *cell, int number)
{
    const char *text = "", *colour = "";
    if (row->side == side && number < cell->lines) {
        text = cell->line[number];
        colour = row->bad ? RED : row->part == BEGIN ? DIM : "";
    } else if (row->waiting[side] && !(row->side == side && row->part == BEGIN)) {
        text = "  :";
        colour = DIM;
    }
    bool last = side == RIGHT;
    fprintf(page->out, "%s%.*s%s", on(page, colour), page->side, text,
            colour[0] != '\0' ? off(page) : "");
    int n = (int)strlen(text);
    if (!last)
        fprintf(page->out, "%*s ", n < page->side ? page->side - n : 0, "");
}

static bool side_is_empty(const struct row *row, const struct cell *cell, int number)
{
    return !(row->side == RIGHT && number < cell->lines) && !row->waiting[RIGHT];
}

static void print_line(const struct page *page, const struct ladder *ladder,
                       const struct row *row, const struct cell *cell, int number)
{
    char middle[LINE];
    const char *colour = row->event->what != SENT || number > 0 ? DIM
                         : row->bad                             ? RED
                                                                : CYAN;
    if (page->time > 0 && number == 0)
        fprintf(page->out, "%s%8lld%s ", on(page, DIM),
                (long long)(row->t - ladder->start) / 1000, off(page));
    else if (page->time > 0)
        fprintf(page->out, "%*s", page->time, "");
    print_side(page, row, LEFT, cell, number);
    draw_middle(row, number, middle, page->middle);
    fprintf(page->out, "%s%s%s", on(page, colour), middle, off(page));
    if (!side_is_empty(row, cell, number)) {
        fputc(' ', page->out);
        print_side(page, row, RIGHT, cell, number);
    }
    fputc('\n', page->out);
}

static void print_why(const struct page *page, const char *why)
{
    struct cell cell;
    char plain[LINE * 2];
    struct text text = text_in(plain, sizeof plain);
    for (; *why != '\0'; why++)
        if (*why != PORT_MARK)
            text_add(&text, "%c", *why);
    wrap(&cell, plain, page->time + 2 * page->side + page->middle - 10);
    for (int i = 0; i < cell.lines; i++)
        fprintf(page->out, "%*s%s%s %s%s\n", page->time, "", on(page, DIM),
                i == 0 ? "  ^" : "   ", cell.line[i] + (i > 0 ? 2 : 0), off(page));
}

static void print_head(const struct page *page, const struct ladder *ladder)
{
    struct cell left, right;
    wrap(&left, ladder->head[LEFT][0] ? ladder->head[LEFT] : "(no client)", page->side);
    wrap(&right, ladder->head[RIGHT][0] ? ladder->head[RIGHT] : "(no server)",
         page->side);
    for (int i = 0; i < left.lines || i < right.lines; i++) {
        fprintf(page->out, "%*s%s", page->time > 0 ? page->time - 1 : 0,
                page->time > 0 && i == 0 ? "us" : "", page->time > 0 ? " " : "");
        fprintf(page->out, "%s%-*s%s ", on(page, BOLD), page->side,
                i < left.lines ? left.line[i] : "", off(page));
        if (i < right.lines)
            fprintf(page->out, "%*s %s%s%s", page->middle, "", on(page, BOLD),
                    right.line[i], off(page));
        fputc('\n', page->out);
    }
}

void text_draw(FILE *out, const struct ladder *ladder, const struct run *run,
               const struct look *look)
{
    struct page page = page_for(out, look);
    static struct cell cell;
    print_head(&page, ladder);
    for (size_t i = 0; i < ladder->rows; i++) {
        const struct row *row = &ladder->row[i];
        wrap(&cell, row->text != NULL ? row->text : "", page.side);
        for (int n = 0; n < cell.lines || n == 0; n++)
            print_line(&page, ladder, row, &cell, n);
        if (look->explain && row->part != BEGIN && row->event->why != NULL)
            print_why(&page, row->event->why);
    }
    for (size_t i = 0; i < run->notes; i++) {
        struct text note = text_in(cell.line[0], LINE);
        text_plain(&note, run->note[i], strlen(run->note[i]));
        fprintf(out, "%s\n", cell.line[0]);
    }
}
