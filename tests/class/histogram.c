/* A distribution of points as a picture: eleven bars, with their counts in figures, so
 * that it is read without colours and on paper. */
#include "report.h"

enum {
    BARS = 11, /* 0 to 9, ..., 90 to 99, and 100 by itself */
    STEP = 34,
    WIDTH = BARS * STEP,
    TOP = 18,
    HEIGHT = 90,
    BASE = TOP + HEIGHT,
    BOTTOM = BASE + 20
};

static void draw_bar(FILE *page, int bar, size_t count, size_t most)
{
    int x = bar * STEP, height = most == 0 ? 0 : (int)((size_t)HEIGHT * count / most);
    height = count > 0 && height == 0 ? 1 : height;
    if (count > 0)
        html(page,
             "<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
             "<text x=\"%d\" y=\"%d\">%zu</text>\n",
             x + 2, BASE - height, STEP - 4, height, x + STEP / 2, BASE - height - 4,
             count);
    html(page, "<text class=\"foot\" x=\"%d\" y=\"%d\">%d</text>\n", x + STEP / 2,
         BASE + 14, bar * 10);
}

void histogram(FILE *page, const double *values, size_t n, const char *about)
{
    size_t counts[BARS] = {0}, most = 0;
    for (size_t i = 0; i < n; i++)
        counts[values[i] >= 100 ? BARS - 1 : values[i] < 0 ? 0 : (int)(values[i] / 10)]++;
    for (int bar = 0; bar < BARS; bar++)
        most = counts[bar] > most ? counts[bar] : most;
    html(page,
         "<svg class=\"histogram\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s:",
         WIDTH, BOTTOM, about);
    for (int bar = 0; bar < BARS - 1; bar++)
        html(page, " %d to %d: %zu;", bar * 10, bar * 10 + 9, counts[bar]);
    html(page, " 100: %zu", counts[BARS - 1]);
    html(page, "\">\n<path class=\"axis\" d=\"M0 %d.5H%d\"/>\n", BASE, WIDTH);
    for (int bar = 0; bar < BARS; bar++)
        draw_bar(page, bar, counts[bar], most);
    html(page, "</svg>\n");
}
