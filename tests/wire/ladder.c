/*
 * ladder.c: events as rows: who is on which side, what it says, who waits meanwhile.
 */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT = 600 };

/* What it carries; and how many bytes that is, if not all of them fit. */
static void add_data(struct text *text, const struct packet *packet, size_t columns)
{
    struct text before = *text;
    size_t count = packet->kept, total = packet->length;
    text_quote(text, packet->data, count, total, columns);
    if (text->length < before.length + 4 ||
        strcmp(text->at + text->length - 3, "...") != 0)
        return;
    *text = before;
    text_quote(text, packet->data, count, total, columns > 12 ? columns - 6 : 6);
    text_add(text, " %zu", total);
}

void packet_label(const struct event *event, struct text *text, size_t columns)
{
    static const struct {
        unsigned flag;
        const char *name;
    } flags[] = {{SYN, "SYN"}, {FIN, "FIN"}, {RST, "RST"}};
    const struct packet *packet = &event->packet;
    char buffer[64];
    struct text after = text_in(buffer, sizeof buffer);
    for (size_t i = 0; packet->transport == TCP && i < 3; i++)
        if (packet->flags & flags[i].flag)
            text_add(&after, "%s%s", after.length > 0 ? " " : "", flags[i].name);
    if (packet->transport == TCP && packet->flags & ACK && packet->flags & SYN)
        text_add(&after, " ACK");
    if (packet->carries_fd)
        text_add(&after, "+ fd %d", packet->passed);
    size_t taken = after.length > 0 ? after.length + 1 : 0;
    if (event->letter != '\0') {
        text_add(text, "%c ", event->letter);
        taken += 2;
    }
    if (packet->label != NULL)
        text_add(text, "%s", packet->label);
    else if (event->bare)
        text_add(text, "ACK");
    else if (packet->length > 0 || packet->transport != TCP) {
        add_data(text, packet, columns > taken + 6 ? columns - taken : 6);
        text_add(text, after.length > 0 ? " " : "");
    }
    text_add(text, "%s", buffer);
}

/* "199 ms" as 200 ms: what is left of a time limit differs from run to run. */
static long rounded(long ms)
{
    long unit = 1;
    while (ms / unit >= 10)
        unit *= 10;
    return (ms + unit / 2) / unit * unit;
}

/* What a plain ladder has for what stands between two PORT_MARKs: for a port P1, P2 ... as they
   appear; for a name that the kernel has chosen N1, N2 ...; a time in one digit. */
static void add_marked(struct text *text, const char *marked, struct names *ports)
{
    bool name = text->length > 0 && text->at[text->length - 1] == '@';
    if (!name && strstr(marked, " ms") != NULL)
        text_add(text, "%ld ms", rounded(strtol(marked, NULL, 10)));
    else
        text_add(text, "%c%d", name ? 'N' : 'P', name_find(ports, marked, true) + 1);
}

static char *without_marks(const char *from, struct names *ports, bool plain)
{
    char buffer[TEXT], marked[16];
    struct text text = text_in(buffer, sizeof buffer);
    for (; *from != '\0'; from++) {
        if (*from != PORT_MARK) {
            text_add(&text, "%c", *from);
            continue;
        }
        size_t n = strcspn(from + 1, "\1");
        snprintf(marked, sizeof marked, "%.*s", (int)n, from + 1);
        if (plain)
            add_marked(&text, marked, ports);
        else
            text_add(&text, "%s", marked);
        from += n + (from[1 + n] != '\0');
    }
    return copied(buffer, text.length);
}

static bool is_bad(const struct event *event)
{
    if (event->what == SENT)
        return event->packet.transport == ICMP ||
               (event->packet.transport == TCP && event->packet.flags & RST);
    if (event->what == CALLED)
        return event->call.error[0] != '\0' && event->end != NEVER;
    return strncmp(event->text, "exited", 6) != 0;
}

static char *text_of(const struct run *run, const struct event *event, enum part part,
                     struct names *ports, bool plain)
{
    char buffer[TEXT];
    struct text text = text_in(buffer, sizeof buffer);
    if (event->process >= 0 && run->process[event->process].letter != '\0')
        text_add(&text, "%c ", run->process[event->process].letter);
    if (event->what != CALLED)
        text_add(&text, "%s", event->text);
    else if (part == BEGIN)
        text_add(&text, "%s waits", event->call.begun);
    else
        text_add(&text, "%s", event->call.text);
    return without_marks(buffer, ports, plain);
}

/* Which of the two sides has a process that waits, row by row. */
struct waiting {
    bool *process;
    int count[2];
};

static void note_waiting(struct waiting *waiting, const struct run *run,
                         const struct event *event, enum part part)
{
    if (event->process < 0 || event->what == SENT || event->what == SIGNALLED)
        return;
    enum side side = run->program[run->process[event->process].program].side;
    bool *now = &waiting->process[event->process];
    bool then = part == BEGIN;
    if (*now != then)
        waiting->count[side] += then ? 1 : -1;
    *now = then;
}

/* The letters of all processes of a side that run the program of that name. */
static void add_letters(struct text *text, const struct run *run,
                        const struct program *like)
{
    const char *comma = "";
    for (size_t i = 0; i < run->processes; i++) {
        const struct program *program = &run->program[run->process[i].program];
        if (program->side != like->side || strcmp(program->name, like->name) != 0 ||
            run->process[i].letter == '\0')
            continue;
        text_add(text, "%s%c", comma, run->process[i].letter);
        comma = ", ";
    }
    text_add(text, *comma != '\0' ? " " : "");
}

static bool named_before(const struct run *run, size_t p)
{
    for (size_t i = 0; i < p; i++)
        if (run->program[i].side == run->program[p].side &&
            strcmp(run->program[i].name, run->program[p].name) == 0)
            return true;
    return false;
}

static char *head_of(const struct run *run, enum side side)
{
    char buffer[TEXT];
    struct text text = text_in(buffer, sizeof buffer);
    for (size_t p = 0; p < run->programs; p++) {
        const struct program *program = &run->program[p];
        if (program->side != side || named_before(run, p))
            continue;
        text_add(&text, text.length > 0 ? "; " : "");
        add_letters(&text, run, program);
        text_plain(&text, program->name, strlen(program->name));
    }
    return copied(buffer, text.length);
}

static void add_row(struct ladder *ladder, const struct run *run, const struct step *step,
                    struct names *ports, const struct look *look)
{
    const struct event *event = &run->event[step->event];
    struct row *row = PUSH(ladder->row, ladder->rows, ladder->room);
    row->event = event;
    row->part = step->part;
    row->t = step->t;
    row->bad = is_bad(event) && step->part != BEGIN;
    row->side = NOBODY;
    row->arrow_right = event->side == LEFT;
    if (event->what == SENT)
        return;
    row->side = run->program[run->process[event->process].program].side;
    row->text = text_of(run, event, step->part, ports, look->plain);
}

/* ---- a part of it ---------------------------------------------------------------------- */

/* Is the call's name one of those between commas? */
static bool is_named(const struct event *event, const char *names)
{
    if (event->what != CALLED || event->call.text == NULL)
        return false;
    size_t length = strcspn(event->call.text, "(");
    for (size_t n; *names != '\0'; names += n + (names[n] == ',')) {
        n = strcspn(names, ",");
        if (n == length && memcmp(names, event->call.text, n) == 0)
            return true;
    }
    return false;
}

/* The steps from `from` to `to`: which they are, [*first, *end). */
static void find_part(const struct run *run, const struct look *look,
                      const struct steps *steps, size_t *first, size_t *end)
{
    *first = 0;
    *end = steps->count;
    while (look->from != NULL && *first < steps->count &&
           !is_named(&run->event[steps->step[*first].event], look->from))
        ++*first;
    while (look->to != NULL && *end > 0 &&
           !is_named(&run->event[steps->step[*end - 1].event], look->to))
        --*end;
    while (look->to != NULL && *end < steps->count &&
           run->event[steps->step[*end].event].what == SENT)
        ++*end;
}

/* A call that was still waiting when the part began is shown from its beginning. */
static bool goes_on(const struct steps *steps, size_t at, size_t first)
{
    if (steps->step[at].part != BEGIN)
        return false;
    for (size_t i = first; i < steps->count; i++)
        if (steps->step[i].event == steps->step[at].event)
            return true;
    return false;
}

void ladder_build(struct ladder *ladder, const struct run *run, const struct look *look)
{
    struct steps steps = {0};
    struct names ports = {0};
    struct waiting waiting = {.process = calloc(run->processes + 1, sizeof(bool))};
    *ladder = (struct ladder){.head = {head_of(run, LEFT), head_of(run, RIGHT)}};
    if (look->plain)
        order_by_cause(run, &steps, look->acks);
    else
        order_by_time(run, &steps, look->acks);
    size_t first, end;
    find_part(run, look, &steps, &first, &end);
    for (size_t i = 0; waiting.process != NULL && i < end; i++) {
        const struct step *step = &steps.step[i];
        bool left_out = i < first && !goes_on(&steps, i, first);
        if (left_out ||
            (look->hide != NULL && is_named(&run->event[step->event], look->hide)))
            continue;
        if (!look->plain)
            note_waiting(&waiting, run, &run->event[step->event], step->part);
        add_row(ladder, run, step, &ports, look);
        struct row *row = &ladder->row[ladder->rows - 1];
        row->waiting[LEFT] = waiting.count[LEFT] > 0;
        row->waiting[RIGHT] = waiting.count[RIGHT] > 0;
        if (ladder->rows == 1 || row->t < ladder->start)
            ladder->start = row->t;
    }
    free(waiting.process);
    free(steps.step);
    names_free(&ports);
}

void ladder_free(struct ladder *ladder)
{
    for (size_t i = 0; i < ladder->rows; i++)
        free(ladder->row[i].text);
    free(ladder->row);
    free(ladder->head[LEFT]);
    free(ladder->head[RIGHT]);
}
