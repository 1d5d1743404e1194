/*
 * order.c: the events in order of time; or in the order that follows from causes alone.
 *
 * Two programs on two cores do not do what is independent in the same order each time. The
 * second order is the same whenever the same happened: each process's own order; a packet
 * after the call that sent it; a call that receives after what it received; nothing before
 * what the scenario waited for. Where that leaves a choice, packets come first, then the
 * side that has just been sent something.
 */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORTH_DRAWING = 15000,
    LONG = 20000000
}; /* ns that a call waited, of the kind that waits, and of others: being traced takes time */

/* ---- by time ------------------------------------------------------------------------- */

static bool visible(const struct event *event, bool acks)
{
    return !event->hidden && (event->what != SENT || !event->bare || acks);
}

static void add_step(struct steps *steps, int event, enum part part, int64_t t)
{
    *PUSH(steps->step, steps->count, steps->room) =
        (struct step){.event = event, .part = part, .t = t};
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static size_t first_after(const int64_t *times, size_t count, int64_t t)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times[middle] <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Did anything happen while the call was going on? */
static bool waited(const struct event *event, const int64_t *times, size_t count)
{
    int64_t took = event->end - event->t;
    bool can = event->call.waits && !event->call.hurries &&
               (took >= WORTH_DRAWING || event->call.doing == CONNECT);
    if (event->what != CALLED || event->call.doing == EXIT || (!can && took < LONG))
        return false;
    size_t next = first_after(times, count, event->t);
    return next < count && times[next] < event->end;
}

static int by_step_time(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->event != y->event ? (x->event < y->event ? -1 : 1)
                                : (int)x->part - (int)y->part;
}

void order_by_time(const struct run *run, struct steps *steps, bool acks)
{
    int64_t *times = calloc(run->events + 1, sizeof *times);
    size_t count = 0;
    for (size_t i = 0; times != NULL && i < run->events; i++)
        if (visible(&run->event[i], acks))
            times[count++] = run->event[i].t;
    if (times != NULL)
        qsort(times, count, sizeof *times, compare_times);
    for (size_t i = 0; i < run->events; i++) {
        const struct event *event = &run->event[i];
        if (!visible(event, acks))
            continue;
        if (event->what == CALLED && event->end == NEVER && event->call.doing != EXIT) {
            add_step(steps, (int)i, BEGIN, event->t);
        } else if (waited(event, times, count)) {
            add_step(steps, (int)i, BEGIN, event->t);
            add_step(steps, (int)i, RETURN, event->end);
        } else {
            add_step(steps, (int)i, WHOLE, event->t);
        }
    }
    if (steps->count > 0)
        qsort(steps->step, steps->count, sizeof *steps->step, by_step_time);
    free(times);
}

/* ---- by cause ------------------------------------------------------------------------ */

struct edge {
    int to, next; /* next edge of the same step, or -1 */
};

struct graph {
    const struct run *run;
    struct steps *steps;
    int *first_edge, *needs, *era;
    size_t first_room, needs_room, era_room;
    struct edge *edge;
    size_t edges, edge_room;
    int *latest; /* by process: its last step */
    int *sender; /* by flow: the last step that could send on it */
    int *sent;   /* by flow: the last packet */
    int *cursor; /* by flow: the packet that was last received, or its first */
    int *after;  /* by step: the packet after it in its flow, or -1 */
    size_t after_room;
};

/* Room for step n in the arrays that are by step. */
static void room_for(struct graph *graph, size_t n)
{
    graph->first_edge = grown(graph->first_edge, n, &graph->first_room, sizeof(int));
    graph->needs = grown(graph->needs, n, &graph->needs_room, sizeof(int));
    graph->era = grown(graph->era, n, &graph->era_room, sizeof(int));
    graph->after = grown(graph->after, n, &graph->after_room, sizeof(int));
}

static int node(struct graph *graph, int event, enum part part)
{
    struct steps *steps = graph->steps;
    size_t n = steps->count;
    add_step(steps, event, part, graph->run->event[event].t);
    room_for(graph, n);
    graph->first_edge[n] = graph->after[n] = -1;
    graph->needs[n] = 0;
    graph->era[n] = graph->run->event[event].era;
    return (int)n;
}

static void edge(struct graph *graph, int from, int to)
{
    if (from < 0 || to < 0 || from == to)
        return;
    int number = (int)graph->edges;
    *PUSH(graph->edge, graph->edges, graph->edge_room) =
        (struct edge){to, graph->first_edge[from]};
    graph->first_edge[from] = number;
    graph->needs[to]++;
}

static bool sends(const struct call *call)
{
    return call->doing == CONNECT || call->doing == SEND || call->doing == SHUTDOWN ||
           call->doing == CLOSE;
}

/* A connection attempt is two steps: the packets lie between them. */
static bool in_two(const struct event *event)
{
    return event->call.doing == CONNECT && event->call.fd.transport == TCP &&
           event->end != NEVER && strcmp(event->call.error, "EINPROGRESS") != 0;
}

static const struct event *event_of(const struct graph *graph, int step)
{
    return &graph->run->event[graph->steps->step[step].event];
}

static int event_number(const struct graph *graph, const struct event *event)
{
    return (int)(event - graph->run->event);
}

static void add_call(struct graph *graph, const struct event *event)
{
    bool never =
        event->what == CALLED && event->end == NEVER && event->call.doing != EXIT;
    bool two = event->what == CALLED && in_two(event);
    int begin = node(graph, event_number(graph, event), two || never ? BEGIN : WHOLE);
    edge(graph, graph->latest[event->process], begin);
    graph->latest[event->process] = begin;
    if (event->what == CALLED && event->flow >= 0 && sends(&event->call))
        graph->sender[event->flow] = begin;
    if (!two)
        return;
    for (size_t i = 0; i < graph->run->marks && graph->run->mark[i] <= event->t; i++)
        graph->era[begin] = (int)i + 1;
    int end = node(graph, event_number(graph, event), RETURN);
    edge(graph, begin, end);
    graph->latest[event->process] = end;
}

/* The end of a process sends what its descriptors leave to be sent. */
static void after_exit(struct graph *graph, const struct event *event, int packet)
{
    int last = event->process >= 0 ? graph->latest[event->process] : -1;
    if (last >= 0 && (event->packet.flags & (FIN | RST) || event->packet.label != NULL) &&
        (event_of(graph, last)->what == ENDED ||
         event_of(graph, last)->what == SIGNALLED ||
         event_of(graph, last)->call.doing == EXIT))
        edge(graph, last, packet);
}

static void add_packet(struct graph *graph, const struct event *event)
{
    int packet = node(graph, event_number(graph, event), WHOLE);
    unsigned flags = event->packet.flags;
    after_exit(graph, event, packet);
    if (event->flow < 0)
        return;
    edge(graph, graph->sender[event->flow], packet);
    edge(graph, graph->sent[event->flow], packet);
    if (event->packet.transport == ICMP ||
        (event->packet.transport == TCP && ((flags & SYN && flags & ACK) || flags & RST)))
        edge(graph, graph->sent[event->back], packet);
    if (graph->sent[event->flow] >= 0)
        graph->after[graph->sent[event->flow]] = packet;
    else
        graph->cursor[event->flow] = packet;
    graph->sent[event->flow] = packet;
}

/* The last packet that had come, and that the call was waiting for. */
static int received(struct graph *graph, const struct event *call)
{
    int found = -1;
    for (int p = graph->cursor[call->back]; p >= 0; p = graph->after[p]) {
        const struct event *packet = event_of(graph, p);
        bool beyond = packet->packet.length > 0 && packet->from >= call->to;
        if (packet->t > call->end ||
            (call->call.doing == RECEIVE && call->call.value > 0 && beyond))
            break;
        if (answers(packet, call))
            found = p;
    }
    if (found >= 0)
        graph->cursor[call->back] = found;
    return found;
}

static void receive(struct graph *graph, int step, int poll)
{
    const struct event *event = event_of(graph, step);
    if (event->what != CALLED || event->back < 0 || event->end == NEVER ||
        graph->steps->step[step].part == BEGIN || !event->call.waits)
        return;
    int packet = received(graph, event);
    edge(graph, packet, step);
    edge(graph, packet, poll);
}

/* A poll() that said "ready" has seen what the next call takes. */
static void add_receivers(struct graph *graph)
{
    int *poll = calloc(graph->run->processes + 1, sizeof *poll);
    for (size_t i = 0; poll != NULL && i < graph->steps->count; i++) {
        const struct event *event = event_of(graph, (int)i);
        if (event->what == SENT || event->process < 0)
            continue;
        bool ready =
            event->what == CALLED && event->call.doing == POLL && event->call.value > 0;
        receive(graph, (int)i, poll[event->process] - 1);
        poll[event->process] = ready ? (int)i + 1 : 0;
    }
    free(poll);
}

/* A smaller number goes first. */
static int rank(const struct graph *graph, int step, enum side turn)
{
    const struct event *event = event_of(graph, step);
    const struct run *run = graph->run;
    enum side side = event->what == SENT
                         ? event->side
                         : run->program[run->process[event->process].program].side;
    int lane = event->process < 0 ? (int)run->processes : event->process;
    int group = event->what == SENT ? 0 : side == turn ? 1 : 2;
    return group * 1000000 + lane;
}

static bool goes_before(const struct graph *graph, int a, int b, enum side turn)
{
    int x = rank(graph, a, turn), y = rank(graph, b, turn);
    if (graph->era[a] != graph->era[b])
        return graph->era[a] < graph->era[b];
    return x != y ? x < y : a < b;
}

/* The place of the best of those that are ready, of the earliest era. */
static size_t choose(const struct graph *graph, const int *ready, size_t count,
                     enum side turn)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (goes_before(graph, ready[i], ready[best], turn))
            best = i;
    return best;
}

static void schedule(struct graph *graph)
{
    size_t count = graph->steps->count, ready_count = 0, out = 0;
    int *ready = or_end(calloc(count + 1, sizeof *ready));
    struct step *order = or_end(calloc(count + 1, sizeof *order));
    enum side turn = LEFT;
    for (size_t i = 0; i < count; i++)
        if (graph->needs[i] == 0)
            ready[ready_count++] = (int)i;
    while (ready_count > 0) {
        size_t at = choose(graph, ready, ready_count, turn);
        int step = ready[at];
        const struct event *event = event_of(graph, step);
        ready[at] = ready[--ready_count];
        order[out++] = graph->steps->step[step];
        if (event->what == SENT && event->side != NOBODY)
            turn = event->side == LEFT ? RIGHT : LEFT;
        for (int e = graph->first_edge[step]; e >= 0; e = graph->edge[e].next)
            if (--graph->needs[graph->edge[e].to] == 0)
                ready[ready_count++] = graph->edge[e].to;
    }
    if (order != NULL && out == count)
        memcpy(graph->steps->step, order, count * sizeof *order);
    free(ready);
    free(order);
}

static int *minus_ones(size_t count)
{
    int *array = or_end(malloc((count + 1) * sizeof *array));
    for (size_t i = 0; i <= count; i++)
        array[i] = -1;
    return array;
}

void order_by_cause(const struct run *run, struct steps *steps, bool acks)
{
    struct graph graph = {.run = run,
                          .steps = steps,
                          .latest = minus_ones(run->processes),
                          .sender = minus_ones(run->flows.count),
                          .sent = minus_ones(run->flows.count),
                          .cursor = minus_ones(run->flows.count)};
    room_for(&graph, 0);
    for (size_t i = 0; i < run->events; i++) {
        const struct event *event = &run->event[i];
        if (event->what == SENT && visible(event, acks))
            add_packet(&graph, event);
        else if (event->what != SENT && event->process >= 0 && visible(event, acks))
            add_call(&graph, event);
    }
    add_receivers(&graph);
    schedule(&graph);
    free(graph.first_edge);
    free(graph.needs);
    free(graph.era);
    free(graph.edge);
    free(graph.after);
    free(graph.cursor);
    free(graph.latest);
    free(graph.sender);
    free(graph.sent);
}
