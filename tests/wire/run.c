/*
 * run.c: the calls and packets of one run together: whose is which packet, and which bytes of
 * a stream each call and each packet moved.
 *
 * A packet belongs to the side whose descriptors had its address, as strace saw them. Only a
 * connection attempt that failed leaves no address in the calls: it is known by where it goes.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ------------------------------------------------------------------------- */

static struct event *new_event(struct run *run, enum what what, int64_t t)
{
    struct event *event = PUSH(run->event, run->events, run->event_room);
    *event =
        (struct event){.what = what, .t = t, .end = t, .process = -1, .side = NOBODY};
    event->next = INT64_MAX;
    event->client = -1;
    event->flow = event->back = -1;
    return event;
}

static bool is_dull(const char *signal)
{
    return strncmp(signal, "SIGCHLD", 7) == 0 || strncmp(signal, "SIGCONT", 7) == 0 ||
           strncmp(signal, "stopped", 7) == 0 || strncmp(signal, "SIGSTOP", 7) == 0;
}

static void take_note(struct run *run, const struct line *line, int process, bool *exited)
{
    char buffer[64];
    struct text text = text_in(buffer, sizeof buffer);
    if (line->kind == LINE_SIGNAL && is_dull(line->name))
        return;
    if (line->kind == LINE_EXIT && strncmp(line->name, "exited", 6) == 0 && *exited)
        return; /* the call has said so */
    struct event *event =
        new_event(run, line->kind == LINE_SIGNAL ? SIGNALLED : ENDED, line->start);
    event->process = process;
    text_plain(&text, line->name, strlen(line->name));
    event->text = copied(buffer, text.length);
}

static void take_line(struct run *run, char *text, int process, bool *exited)
{
    struct line line;
    if (!line_parse(&line, text) || line.start > run->last)
        return;
    struct event *before = run->events > 0 ? &run->event[run->events - 1] : NULL;
    if (before != NULL && before->process == process && line.start < before->next)
        before->next = line.start; /* of calls that are not shown, too */
    if (line.kind != LINE_CALL) {
        take_note(run, &line, process, exited);
        return;
    }
    struct call call;
    if (line.end != NEVER && line.end > run->last)
        line.end = NEVER;
    call_read(&call, &line);
    if (!call.shown && !(call.prints && run->output)) {
        free(call.text);
        free(call.begun);
        return;
    }
    struct event *event = new_event(run, CALLED, line.start);
    event->end = line.end;
    event->process = process;
    event->call = call;
    *exited |= call.doing == EXIT;
}

static void read_process(struct run *run, int program, const char *file)
{
    FILE *in = fopen(file, "re");
    if (in == NULL)
        return;
    char *text = NULL;
    size_t size = 0;
    bool exited = false;
    int process = (int)run->processes;
    PUSH(run->process, run->processes, run->process_room)->program = program;
    for (ssize_t n; (n = getline(&text, &size, in)) > 0;) {
        if (text[n - 1] == '\n')
            text[n - 1] = '\0';
        take_line(run, text, process, &exited);
    }
    free(text);
    fclose(in);
}

void run_program(struct run *run, enum side side, const char *name, const char *prefix)
{
    char pattern[4096];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s.[0-9]*", prefix);
    *PUSH(run->program, run->programs, run->program_room) =
        (struct program){.side = side, .name = copied(name, strlen(name))};
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        read_process(run, (int)run->programs - 1, found.gl_pathv[i]);
    globfree(&found);
}

static void take_packet(void *context, int64_t t, unsigned link_type,
                        const unsigned char *bytes, size_t kept, size_t length)
{
    struct run *run = context;
    struct packet packet;
    (void)length;
    if (t > run->last || !packet_parse(&packet, link_type, bytes, kept))
        return;
    packet.t = t;
    new_event(run, SENT, t)->packet = packet;
}

static char *read_whole(const char *name, size_t *size)
{
    FILE *in = fopen(name, "re");
    *size = 0;
    if (in == NULL)
        return NULL;
    fseek(in, 0, SEEK_END);
    long length = ftell(in);
    rewind(in);
    char *bytes = length >= 0 ? malloc((size_t)length + 1) : NULL;
    if (bytes != NULL) {
        *size = fread(bytes, 1, (size_t)length, in);
        bytes[*size] = '\0';
    }
    fclose(in);
    return bytes;
}

void run_packets(struct run *run, const char *file)
{
    size_t size;
    char *bytes = read_whole(file, &size);
    if (bytes == NULL)
        return;
    run->captured = true;
    pcapng_read((unsigned char *)bytes, size, take_packet, run);
    free(bytes);
}

/* What the scenario left: "mark TIME", "end TIME", "note TEXT"; times in nanoseconds. */
void run_script(struct run *run, const char *file)
{
    FILE *in = fopen(file, "re");
    char *text = NULL;
    size_t size = 0;
    if (in == NULL)
        return;
    while (getline(&text, &size, in) > 0) {
        text[strcspn(text, "\n")] = '\0';
        if (strncmp(text, "mark ", 5) == 0)
            *PUSH(run->mark, run->marks, run->mark_room) = strtoll(text + 5, NULL, 10);
        if (strncmp(text, "end ", 4) == 0)
            run->last = strtoll(text + 4, NULL, 10);
        if (strncmp(text, "note ", 5) == 0)
            *PUSH(run->note, run->notes, run->note_room) =
                copied(text + 5, strlen(text + 5));
    }
    free(text);
    fclose(in);
}

/* ---- joining ------------------------------------------------------------------------- */

bool is_tcp(const struct event *event)
{
    return event->what == SENT ? event->packet.transport == TCP
                               : event->call.fd.transport == TCP;
}

int flow_of(struct run *run, const char *from, const char *to, bool add)
{
    char text[2 * ENDPOINT];
    if (from[0] == '\0' || to[0] == '\0')
        return -1;
    snprintf(text, sizeof text, "%s>%s", from, to);
    return name_find(&run->flows, text, add);
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->what == y->what ? 0 : x->what < y->what ? -1 : 1;
}

/* What a socket calls about itself before strace could know its addresses: before
   connect(), or, of AF_UNIX, before the peer was accepted. */
static bool wants_names(const struct call *call)
{
    static const enum doing doing[] = {CONNECT, SEND, RECEIVE, SHUTDOWN, OPTION};
    bool lacks_peer = call->fd.remote[0] == '\0' &&
                      (call->doing == CONNECT || call->fd.stream || call->fd.seqpacket);
    for (size_t i = 0; i < sizeof doing / sizeof *doing; i++)
        if (call->doing == doing[i])
            return lacks_peer || call->fd.local[0] == '\0';
    return false;
}

/* An address that strace saw at a later call on the same descriptor was the socket's all
   along. Walks backwards, so that the later call is met first. */
static void fill_names(struct run *run, int process)
{
    struct fd_name known[256] = {0};
    for (size_t i = run->events; i-- > 0;) {
        struct event *event = &run->event[i];
        struct call *call = &event->call;
        if (event->process != process || event->what != CALLED)
            continue;
        if (call->made.fd >= 0 && call->made.fd < 256 && call->made.socket)
            known[call->made.fd] = (struct fd_name){0};
        if (!call->fd.socket || call->fd.fd >= 256)
            continue;
        struct fd_name *name = &known[call->fd.fd];
        if (call->doing == CLOSE && call->value == 0)
            *name = (struct fd_name){0};
        bool same = call->fd.inode[0] == '\0' || name->inode[0] == '\0' ||
                    strcmp(call->fd.inode, name->inode) == 0;
        if (name->local[0] != '\0' && same && wants_names(call)) {
            memcpy(call->fd.local, name->local, ENDPOINT);
            memcpy(call->fd.remote, name->remote, ENDPOINT);
        }
        if (call->fd.local[0] != '\0')
            *name = call->fd;
    }
}

static bool is_wild(const char *endpoint)
{
    return strstr(endpoint, "/0.0.0.0:") != NULL || strstr(endpoint, "/[::]:") != NULL;
}

/* Bound to every address, and speaking with a peer on this machine: the peer's address. */
static void narrow(char *out, const char *local, const char *peer)
{
    const char *port = strrchr(local, ':'), *end = strrchr(peer, ':');
    if (is_wild(local) && port != NULL && end != NULL)
        snprintf(out, ENDPOINT, "%.*s%s", (int)(end - peer), peer, port);
    else
        snprintf(out, ENDPOINT, "%s", local);
}

/* Who had bound the path of an AF_UNIX socket at that time, as "unix/INODE". */
static const char *bound_to(const struct run *run, const char *path, int64_t t)
{
    const char *found = path;
    for (size_t i = 0; i < run->events; i++) {
        const struct event *event = &run->event[i];
        const struct call *call = &event->call;
        if (event->what != CALLED || call->fd.local[0] == '\0' ||
            (event->t > t && found != path))
            continue;
        bool binds =
            call->doing == BIND && call->value == 0 && strcmp(call->peer, path) == 0;
        /* A name that the kernel has chosen is seen later; one that was accepted is not its own. */
        bool has = !call->fd.stream && !call->fd.seqpacket &&
                   call->fd.transport == UNIX && strcmp(call->fd.path, path) == 0;
        if (binds || has)
            found = call->fd.local;
    }
    return found;
}

/* What is known of AF_UNIX sockets by their numbers. */
struct local {
    bool stream, seqpacket;
    char peer[ENDPOINT];
};

struct locals {
    struct names names;
    struct local *known;
    size_t count, room;
};

static struct local *local_of(struct locals *locals, const char *endpoint)
{
    size_t name = (size_t)name_find(&locals->names, endpoint, true);
    while (locals->count <= name)
        *PUSH(locals->known, locals->count, locals->room) = (struct local){0};
    return &locals->known[name];
}

static bool is_local(const struct fd_name *fd)
{
    return fd->socket && fd->transport == UNIX && fd->local[0] != '\0';
}

/* Both ends know of each other from the connect() on, but strace names an end that was not
   accepted yet only on the other side, and later. */
static void note_pair(struct locals *locals, const struct fd_name *fd)
{
    if (is_local(fd) && fd->remote[0] != '\0')
        memcpy(local_of(locals, fd->remote)->peer, fd->local, ENDPOINT);
}

static void note_type(struct locals *locals, const struct fd_name *fd)
{
    if (!is_local(fd))
        return;
    struct local *local = local_of(locals, fd->local);
    local->stream = fd->stream;
    local->seqpacket = fd->seqpacket;
}

/* strace tells neither an AF_UNIX socket's type nor a datagram's peer: both were said before. */
static void know_local(const struct run *run, struct locals *locals, struct event *event)
{
    struct call *call = &event->call;
    if (is_local(&call->fd)) {
        struct local *local = local_of(locals, call->fd.local);
        bool datagram = !local->stream && !local->seqpacket;
        call->fd.stream = local->stream;
        call->fd.seqpacket = local->seqpacket;
        if (datagram && call->doing == CONNECT && call->value == 0)
            snprintf(local->peer, ENDPOINT, "%s", bound_to(run, call->peer, event->t));
        else if (call->fd.remote[0] == '\0' && (!datagram || call->peer[0] == '\0'))
            memcpy(call->fd.remote, local->peer, ENDPOINT);
    }
    if (call->doing == ACCEPT) {
        call->made.stream = call->fd.stream;
        call->made.seqpacket = call->fd.seqpacket;
    }
    note_type(locals, &call->made);
}

static void know_locals(struct run *run)
{
    struct locals locals = {0};
    for (size_t i = 0; i < run->events; i++) {
        const struct call *call = &run->event[i].call;
        note_pair(&locals, &call->fd);
        note_pair(&locals, &call->made);
        note_type(&locals, &call->fd); /* of a socketpair(), say: no socket() tells it */
    }
    for (size_t i = 0; i < run->events; i++)
        if (run->event[i].what == CALLED)
            know_local(run, &locals, &run->event[i]);
    names_free(&locals.names);
    free(locals.known);
}

static void find_flow(struct run *run, struct event *event)
{
    const struct call *call = &event->call;
    const struct fd_name *fd = call->doing == ACCEPT ? &call->made : &call->fd;
    const char *remote = fd->remote[0] != '\0' ? fd->remote : call->peer;
    char local[ENDPOINT];
    if (!fd->socket || call->doing == BIND)
        return;
    if (fd->transport == UNIX && fd->remote[0] == '\0' && call->peer[0] != '\0')
        remote = bound_to(run, call->peer, event->t);
    narrow(local, fd->local, remote);
    event->flow = flow_of(run, local, remote, true);
    event->back = flow_of(run, remote, local, true);
}

/* What is known of an endpoint or a flow: who it belongs to. */
struct owners {
    int *process;
    size_t count, room;
};

static void own(struct owners *owners, int name, int process)
{
    while (name >= 0 && owners->count <= (size_t)name)
        *PUSH(owners->process, owners->count, owners->room) = -1;
    if (name >= 0 && owners->process[name] == -1)
        owners->process[name] = process;
}

static int owner(const struct owners *owners, int name)
{
    return name >= 0 && (size_t)name < owners->count ? owners->process[name] : -1;
}

static void own_name(struct run *run, struct owners *ends, const struct fd_name *fd,
                     int process)
{
    char any[ENDPOINT];
    if (!fd->socket || fd->local[0] == '\0')
        return;
    own(ends, name_find(&run->endpoints, fd->local, true), process);
    if (!is_wild(fd->local))
        return;
    snprintf(any, sizeof any, "%.4s*%s", fd->local, strrchr(fd->local, ':'));
    own(ends, name_find(&run->endpoints, any, true), process);
}

static void find_owners(struct run *run, struct owners *ends, struct owners *flows)
{
    for (size_t i = 0; i < run->events; i++) {
        struct event *event = &run->event[i];
        if (event->what != CALLED)
            continue;
        find_flow(run, event);
        own(flows, event->flow, event->process);
        own_name(run, ends, &event->call.fd, event->process);
        own_name(run, ends, &event->call.made, event->process);
    }
}

static int owner_of_endpoint(struct run *run, const struct owners *ends, const char *text)
{
    char any[ENDPOINT];
    int process = owner(ends, name_find(&run->endpoints, text, false));
    const char *port = strrchr(text, ':');
    if (process != -1 || port == NULL)
        return process;
    snprintf(any, sizeof any, "%.4s*%s", text, port);
    return owner(ends, name_find(&run->endpoints, any, false));
}

/* A connect() to that address whose own address nobody saw: the one that was going on. */
static struct event *who_tried(struct run *run, const struct event *packet)
{
    struct event *found = NULL;
    for (size_t i = 0; i < run->events; i++) {
        struct event *event = &run->event[i];
        if (event->what != CALLED || event->call.doing != CONNECT || event->flow != -1 ||
            strcmp(event->call.peer, packet->packet.to) != 0)
            continue;
        bool during =
            event->t <= packet->t && (event->end == NEVER || packet->t <= event->end);
        if (found == NULL || during)
            found = event;
    }
    return found;
}

static enum side side_of(const struct run *run, int process)
{
    return process < 0 ? NOBODY : run->program[run->process[process].program].side;
}

static enum side opposite(enum side side)
{
    return side == NOBODY ? NOBODY : side == LEFT ? RIGHT : LEFT;
}

static void attribute(struct run *run, struct event *event, const struct owners *ends,
                      struct owners *flows)
{
    const struct packet *packet = &event->packet;
    event->flow = flow_of(run, packet->from, packet->to, true);
    event->back = flow_of(run, packet->to, packet->from, true);
    int from = owner(flows, event->flow), to = owner(flows, event->back);
    if (from == -1)
        from = owner_of_endpoint(run, ends, packet->from);
    if (to == -1)
        to = owner_of_endpoint(run, ends, packet->to);
    if (from == -1 && packet->transport == TCP && packet->flags & SYN &&
        !(packet->flags & ACK)) {
        struct event *call = who_tried(run, event);
        if (call != NULL) {
            from = call->process;
            call->flow = event->flow;
            call->back = event->back;
            own(flows, event->flow, from); /* and the answer goes the other way */
        }
    }
    event->process = from;
    event->client = side_of(run, from) == LEFT ? from
                    : side_of(run, to) == LEFT ? to
                                               : -1;
    event->side = from != -1 ? side_of(run, from) : opposite(side_of(run, to));
    if (from != -1 && to != -1 && side_of(run, from) == side_of(run, to))
        event->side = NOBODY; /* a program that talks to itself */
}

/* ---- what AF_UNIX sends, which no capture sees --------------------------------------- */

static void add_message(struct run *run, size_t cause, int64_t t, const char *label,
                        int to)
{
    struct event *message = new_event(run, SENT, t);
    const struct event *event = &run->event[cause];
    message->packet.transport = UNIX;
    message->packet.label = label;
    message->process = event->process;
    message->side = side_of(run, event->process);
    message->client = message->side == LEFT ? event->process : to;
    message->flow = event->flow;
    message->back = event->back;
    if (label != NULL)
        return;
    message->packet.length = (size_t)event->call.value;
    message->packet.kept = event->call.kept;
    if (message->packet.kept > message->packet.length)
        message->packet.kept = message->packet.length;
    memcpy(message->packet.data, event->call.data, message->packet.kept);
    message->packet.message = !event->call.fd.stream;
    message->packet.carries_fd = event->call.passes_fd;
    message->packet.passed = event->call.passed;
}

static bool is_connection(const struct event *event)
{
    return event->what == CALLED && event->call.fd.transport == UNIX &&
           event->flow >= 0 && (event->call.fd.stream || event->call.fd.seqpacket);
}

static bool within_a_side(const struct run *run, const struct event *event,
                          const struct owners *flows)
{
    int to = owner(flows, event->back);
    return to != -1 && side_of(run, to) == side_of(run, event->process);
}

/* After the last use of a connection the peer reads its end: at close(), or at the exit. */
static void add_ends(struct run *run, size_t count, const struct owners *flows)
{
    bool *ended = calloc(run->flows.count + 1, sizeof *ended);
    for (size_t i = 0; ended != NULL && i < count; i++) {
        const struct event *event = &run->event[i];
        if (!is_connection(event) || !event->call.ends_writing || ended[event->flow] ||
            within_a_side(run, event, flows))
            continue;
        ended[event->flow] = true;
        add_message(run, i, event->t + 1, "end", owner(flows, event->back));
    }
    for (size_t i = count; ended != NULL && i-- > 0;) {
        const struct event *event = &run->event[i];
        if (!is_connection(event) || event->call.fd.remote[0] == '\0' ||
            ended[event->flow] || within_a_side(run, event, flows))
            continue;
        int flow = event->flow, to = owner(flows, event->back);
        bool closes = event->call.doing == CLOSE || event->call.ends_writing;
        if (closes && event->call.value == 0)
            add_message(run, i, event->t + 1, "end", to);
        for (size_t k = i + 1; k < count && !closes; k++) {
            const struct event *end = &run->event[k];
            if (end->process != run->event[i].process ||
                !(end->what == ENDED || (end->what == CALLED && end->call.doing == EXIT)))
                continue;
            add_message(run, i, end->t + 1, "end", to);
            break;
        }
        ended[flow] = true;
    }
    free(ended);
}

static void add_messages(struct run *run, const struct owners *flows)
{
    size_t count = run->events;
    for (size_t i = 0; i < count; i++) {
        const struct event *event = &run->event[i];
        const struct call *call = &event->call;
        if (event->what != CALLED || call->fd.transport != UNIX || !call->fd.socket ||
            event->flow < 0 || within_a_side(run, event, flows) ||
            call->error[0] != '\0' || event->end == NEVER)
            continue;
        int to = owner(flows, event->back);
        if (call->doing == SEND)
            add_message(run, i, event->t + 1, NULL, to);
        else if (call->doing == CONNECT && (call->fd.stream || call->fd.seqpacket))
            add_message(run, i, event->t + 1, "connect", to);
    }
    add_ends(run, count, flows);
}

/* ---- streams ------------------------------------------------------------------------- */

struct stream {
    bool begun;
    uint32_t first;     /* the sequence number of byte 0 */
    long long seen;     /* bytes or datagrams that packets carried */
    long long put, got; /* what calls sent and received */
};

static void place_packet(struct event *event, struct stream *stream)
{
    struct packet *packet = &event->packet;
    long long n = (long long)packet->length;
    if (packet->transport != TCP) {
        bool counted = packet->label == NULL;
        event->from = stream->seen;
        bool bytes = packet->transport == UNIX && !packet->message;
        event->to = stream->seen += !counted ? 0 : bytes ? n : 1;
        return;
    }
    event->bare = n == 0 && !(packet->flags & (SYN | FIN | RST));
    if (!stream->begun || packet->flags & SYN)
        stream->first = packet->sequence + (packet->flags & SYN ? 1 : 0);
    stream->begun = true;
    int32_t ahead =
        (int32_t)(packet->sequence - (stream->first + (uint32_t)stream->seen));
    event->from = stream->seen + ahead;
    event->to = event->from + n;
    if (n > 0 && event->to > stream->seen)
        stream->seen = event->to;
}

static void place_call(struct event *event, struct stream *streams, bool returns)
{
    const struct call *call = &event->call;
    bool sends = call->doing == SEND && event->flow >= 0 && !returns;
    bool receives = call->doing == RECEIVE && event->back >= 0 && returns;
    if ((!sends && !receives) || call->error[0] != '\0' || event->end == NEVER)
        return;
    long long *moved = sends ? &streams[event->flow].put : &streams[event->back].got;
    event->from = *moved;
    *moved += call->fd.stream ? call->value : 1;
    event->to = *moved;
}

struct moment {
    int64_t t;
    size_t event;
    bool returns;
};

static int by_moment(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return x->event < y->event ? -1 : x->event > y->event;
}

/* Sends count from when they start, receives when they return. */
static void place(struct run *run)
{
    struct stream *streams = calloc(run->flows.count + 1, sizeof *streams);
    struct moment *moments = calloc(run->events + 1, sizeof *moments);
    for (size_t i = 0; moments != NULL && i < run->events; i++) {
        const struct event *event = &run->event[i];
        bool returns = event->what == CALLED && event->call.doing == RECEIVE;
        moments[i] = (struct moment){
            returns && event->end != NEVER ? event->end : event->t, i, returns};
    }
    if (moments != NULL)
        qsort(moments, run->events, sizeof *moments, by_moment);
    for (size_t i = 0; moments != NULL && streams != NULL && i < run->events; i++) {
        struct event *event = &run->event[moments[i].event];
        if (event->what == SENT && event->flow >= 0)
            place_packet(event, &streams[event->flow]);
        else if (event->what == CALLED)
            place_call(event, streams, moments[i].returns);
    }
    free(moments);
    free(streams);
}

/* ---- times --------------------------------------------------------------------------- */

/* Is the packet what the call was waiting for? */
bool answers(const struct event *packet, const struct event *event)
{
    const struct call *call = &event->call;
    unsigned flags = packet->packet.flags;
    bool tcp = packet->packet.transport == TCP;
    bool data = packet->packet.label == NULL && packet->to > packet->from;
    if (strcmp(call->error, "ECONNREFUSED") == 0)
        return packet->packet.transport == ICMP || (tcp && flags & RST);
    if (call->error[0] != '\0')
        return tcp && flags & RST;
    if (call->doing == CONNECT || call->doing == ACCEPT)
        return tcp ? (flags & SYN) != 0 : packet->packet.label != NULL;
    if (call->doing != RECEIVE)
        return false;
    if (call->value == 0 && (call->fd.stream || call->fd.seqpacket))
        return tcp ? (flags & FIN) != 0 : packet->packet.label != NULL && !data;
    return data && packet->from < event->to;
}

/* The call that the process made next, by event: its number, or -1. */
static int *next_calls(const struct run *run)
{
    int *next = or_end(calloc(run->events + 1, sizeof *next));
    int *latest = or_end(calloc(run->processes + 1, sizeof *latest));
    for (size_t p = 0; p < run->processes; p++)
        latest[p] = -1;
    for (size_t i = run->events; i-- > 0;) {
        const struct event *event = &run->event[i];
        next[i] = event->what == SENT || event->process < 0 ? -1 : latest[event->process];
        if (event->what != SENT && event->process >= 0)
            latest[event->process] = (int)i;
    }
    free(latest);
    return next;
}

/* When what the call took arrived, if that was after its end as strace tells it. */
static int64_t arrival(const struct run *run, const struct event *call,
                       const struct event *taker, int64_t until)
{
    int64_t t = call->end;
    for (const struct event *event = call + 1;
         event < run->event + run->events && event->t < until; event++)
        if (event->what == SENT && event->flow == taker->back && event->t > t &&
            answers(event, taker))
            t = event->t + 1;
    return t;
}

/* When the scenario found all at rest, the process was in the last call that it had begun. */
static int64_t past_marks(const struct run *run, const struct event *call)
{
    int64_t t = call->end;
    for (size_t i = 0; i < run->marks; i++)
        if (run->mark[i] > t && run->mark[i] < call->next && call->next != INT64_MAX)
            t = run->mark[i] + 1;
    return t;
}

/* strace notes the time, looks up what a descriptor is, which can take a millisecond, and
   then starts the call. So a call may end later than its start and duration say: after what
   it received had come, and before the process's next call. */
static void mend_ends(struct run *run)
{
    int *next = next_calls(run);
    for (size_t i = 0; i < run->events; i++) {
        struct event *event = &run->event[i];
        const struct event *taker = event;
        if (event->what != CALLED || !event->call.waits || event->end == NEVER)
            continue;
        if (event->call.doing == POLL && event->call.value > 0 && next[i] >= 0)
            taker = &run->event[next[i]];
        if (taker->what == CALLED && taker->back >= 0 && taker->end != NEVER)
            event->end = arrival(run, event, taker, event->next);
        event->end = past_marks(run, event);
    }
    free(next);
}

/* ---- names for processes, and the rest ----------------------------------------------- */

static void find_eras(struct run *run)
{
    for (size_t i = 0; i < run->events; i++) {
        struct event *event = &run->event[i];
        bool late = event->what == CALLED && event->call.waits && event->end != NEVER;
        int64_t t = late ? event->end : event->t;
        while ((size_t)event->era < run->marks && run->mark[event->era] <= t)
            event->era++;
    }
}

static bool only_ends(const struct event *event)
{
    return event->what == ENDED || (event->what == CALLED && event->call.doing == EXIT);
}

/* Shells and helpers that a program starts, and that have to do with no socket. */
static void hide_idle(struct run *run)
{
    for (size_t i = 0; i < run->events; i++)
        if (run->event[i].process >= 0 && run->event[i].what != SENT &&
            !only_ends(&run->event[i]))
            run->process[run->event[i].process].busy = true;
    for (size_t p = 0; p < run->processes; p++) {
        bool alone =
            true; /* its program has no process that is busy, nor one before it */
        for (size_t k = 0; k < run->processes; k++)
            if (k != p && run->process[k].program == run->process[p].program)
                alone = alone && !run->process[k].busy && k > p;
        run->process[p].busy |= alone;
    }
    for (size_t i = 0; i < run->events; i++)
        run->event[i].hidden = run->event[i].what != SENT && run->event[i].process >= 0 &&
                               !run->process[run->event[i].process].busy;
}

/* Where a side has several processes, each has a letter, in the order of their first calls. */
static void find_letters(struct run *run)
{
    int count[2] = {0};
    for (size_t i = 0; i < run->events; i++) {
        const struct event *event = &run->event[i];
        int process = event->what == SENT || event->hidden ? -1 : event->process;
        if (process >= 0 && !run->process[process].shown) {
            run->process[process].shown = true;
            run->program[run->process[process].program].processes++;
            count[side_of(run, process)]++;
        }
    }
    char letter[2] = {'a', 'a'};
    for (size_t p = 0; p < run->processes;
         p++) { /* programs in the order of their start */
        enum side side = side_of(run, (int)p);
        if (run->process[p].shown && count[side] > 1 && letter[side] <= 'z')
            run->process[p].letter = letter[side]++;
    }
    for (size_t i = 0; i < run->events; i++)
        if (run->event[i].what == SENT && run->event[i].client >= 0)
            run->event[i].letter = run->process[run->event[i].client].letter;
}

void run_join(struct run *run)
{
    struct owners ends = {0}, flows = {0};
    qsort(run->event, run->events, sizeof *run->event, by_time);
    know_locals(run);
    for (size_t p = 0; p < run->processes; p++)
        fill_names(run, (int)p);
    find_owners(run, &ends, &flows);
    for (size_t i = 0; i < run->events; i++)
        if (run->event[i].what == SENT)
            attribute(run, &run->event[i], &ends, &flows);
    add_messages(run, &flows);
    qsort(run->event, run->events, sizeof *run->event, by_time);
    place(run);
    mend_ends(run);
    find_eras(run);
    hide_idle(run);
    find_letters(run);
    free(ends.process);
    free(flows.process);
}

void run_free(struct run *run)
{
    for (size_t i = 0; i < run->events; i++) {
        free(run->event[i].text);
        free(run->event[i].why);
        free(run->event[i].call.text);
        free(run->event[i].call.begun);
    }
    for (size_t i = 0; i < run->programs; i++)
        free(run->program[i].name);
    for (size_t i = 0; i < run->notes; i++)
        free(run->note[i]);
    free(run->event);
    free(run->program);
    free(run->process);
    free(run->mark);
    free(run->note);
    names_free(&run->endpoints);
    names_free(&run->flows);
}
