/*
 * wire: system calls and packets of one run, side by side.
 *
 * usage: wire up                 bring the loopback interface up
 *        wire capture FILE       its packets into FILE (pcapng), until SIGTERM; says "ready"
 *        wire draw OPTION...     the ladder of a run, on standard output
 *
 *     --client=NAME=PREFIX   a program of the left side: strace wrote to PREFIX.PID
 *     --server=NAME=PREFIX   a program of the right side
 *     --packets=FILE         what wire capture wrote
 *     --script=FILE          what the scenario left: "mark NS", "end NS", "note TEXT"
 *     --svg=FILE             the same ladder as a picture
 *     --title=TEXT           the picture's title
 *     --width=N              columns (80)
 *     --acks                 bare acknowledgements too
 *     --explain              a sentence where there is something to explain
 *     --output               what the programs of later options print, too
 *     --colour
 *     --hide=NAME,NAME       leave these calls out
 *     --from=NAME            begin with the first call of that name
 *     --to=NAME              end with the last one of that name
 *     --plain                for comparison: no times, ports by name, in the order that
 *                            follows from causes alone
 *
 * strace must have been told: -ff -ttt (or --absolute-timestamps=unix with any precision)
 * -T -yy -xx. Left out of calls, because they fill the column: SOCK_CLOEXEC, MSG_NOSIGNAL,
 * protocols, sizes that the result repeats.
 *
 * Exit status: 0; 2 when called wrongly or when nothing could be captured or written.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIENT = 256,
    SERVER,
    PACKETS,
    SCRIPT,
    SVG,
    TITLE,
    COLUMNS,
    ACKS,
    EXPLAIN,
    COLOUR,
    BARE,
    HIDE,
    FROM,
    TO,
    OUTPUT
};

static const struct option options[] = {
    {"client", required_argument, NULL, CLIENT},
    {"server", required_argument, NULL, SERVER},
    {"packets", required_argument, NULL, PACKETS},
    {"script", required_argument, NULL, SCRIPT},
    {"svg", required_argument, NULL, SVG},
    {"title", required_argument, NULL, TITLE},
    {"width", required_argument, NULL, COLUMNS},
    {"acks", no_argument, NULL, ACKS},
    {"explain", no_argument, NULL, EXPLAIN},
    {"colour", no_argument, NULL, COLOUR},
    {"plain", no_argument, NULL, BARE},
    {"hide", required_argument, NULL, HIDE},
    {"from", required_argument, NULL, FROM},
    {"to", required_argument, NULL, TO},
    {"output", no_argument, NULL, OUTPUT},
    {0},
};

struct order {
    struct look look;
    struct run run;
    const char *svg;
};

/* "NAME=PREFIX" */
static bool take_program(struct run *run, enum side side, const char *value)
{
    char name[128];
    const char *prefix = strchr(value, '=');
    if (prefix == NULL)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)(prefix - value), value);
    run_program(run, side, name, prefix + 1);
    return true;
}

static bool take_option(struct order *order, int option, const char *value)
{
    switch (option) {
    case CLIENT: return take_program(&order->run, LEFT, value);
    case SERVER: return take_program(&order->run, RIGHT, value);
    case PACKETS: run_packets(&order->run, value); return true;
    case SCRIPT: run_script(&order->run, value); return true;
    case SVG: order->svg = value; return true;
    case TITLE: order->look.title = value; return true;
    case COLUMNS: order->look.width = atoi(value); return true;
    case ACKS: return order->look.acks = true;
    case EXPLAIN: return order->look.explain = true;
    case COLOUR: return order->look.colour = true;
    case HIDE: order->look.hide = value; return true;
    case FROM: order->look.from = value; return true;
    case TO: order->look.to = value; return true;
    case OUTPUT: return order->run.output = true;
    case BARE: return order->look.plain = true;
    default: return false;
    }
}

static int draw_all(struct order *order)
{
    struct ladder ladder;
    int status = 0;
    run_join(&order->run);
    if (order->look.explain)
        explain(&order->run);
    ladder_build(&ladder, &order->run, &order->look);
    text_draw(stdout, &ladder, &order->run, &order->look);
    if (order->svg != NULL && !svg_draw(order->svg, &ladder, &order->run, &order->look)) {
        fprintf(stderr, "wire: %s: %s\n", order->svg, strerror(errno));
        status = 2;
    }
    ladder_free(&ladder);
    return fflush(stdout) == 0 ? status : 2;
}

/* Options count from where they stand: --script first, for its "end". */
static int draw(int argc, char *argv[])
{
    struct order order = {.look = {.width = 80}, .run = {.last = INT64_MAX}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_option(&order, option, optarg)) {
            run_free(&order.run);
            return 2;
        }
    int status = draw_all(&order);
    run_free(&order.run);
    return status;
}

int main(int argc, char *argv[])
{
    if (argc == 2 && strcmp(argv[1], "up") == 0) {
        if (loopback_up() == 0)
            return 0;
        perror("wire: the loopback interface");
        return 2;
    }
    if (argc == 3 && strcmp(argv[1], "capture") == 0)
        return capture(argv[2]);
    if (argc > 2 && strcmp(argv[1], "draw") == 0)
        return draw(argc - 1, argv + 1);
    fputs("usage: wire up | wire capture FILE | wire draw OPTION...  (see wire.c)\n",
          stderr);
    return 2;
}
