/*
 * explain.c: a sentence for what can be explained.
 */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum { SENTENCE = 200 };

static bool is_exit(const struct event *event)
{
    return event->what == ENDED || (event->what == CALLED && event->call.doing == EXIT);
}

/* The last call before packet that ended its direction: shutdown(), close(), or the exit. */
static const struct event *what_ended(const struct run *run, const struct event *packet)
{
    const struct event *found = NULL;
    for (const struct event *event = run->event; event < packet; event++) {
        bool closes = event->what == CALLED && event->flow == packet->flow &&
                      (event->call.ends_writing || event->call.doing == CLOSE);
        if (closes || (is_exit(event) && packet->process >= 0 &&
                       event->process == packet->process && found == NULL))
            found = event;
    }
    return found;
}

static bool lingers_zero(const struct run *run, const struct event *packet)
{
    for (const struct event *event = run->event; event < packet; event++)
        if (event->what == CALLED && event->flow == packet->flow &&
            event->call.lingers_zero)
            return true;
    return false;
}

/* The bytes that had come before the packet's sender sent it and that no call had taken. */
static long long unread(const struct run *run, const struct event *packet)
{
    long long came = 0, taken = 0;
    for (const struct event *event = run->event; event < packet; event++) {
        if (event->what == SENT && event->flow == packet->back &&
            event->packet.length > 0 && event->to > came)
            came = event->to;
        if (event->what == CALLED && event->call.doing == RECEIVE &&
            event->back == packet->back && event->end != NEVER &&
            event->end <= packet->t && event->to > taken)
            taken = event->to;
    }
    return came - taken;
}

static const struct event *last_packet(const struct run *run, const struct event *before,
                                       int flow)
{
    for (const struct event *event = before; event-- > run->event;)
        if (event->what == SENT && event->flow == flow && !event->bare)
            return event;
    return NULL;
}

static void explain_reset(const struct run *run, const struct event *event,
                          struct text *why)
{
    const struct event *cause = last_packet(run, event, event->back);
    const struct event *end = what_ended(run, event);
    const char *when =
        end == NULL || is_exit(end) ? "the program ended" : "close() was called";
    const char *port = strrchr(event->packet.from, ':');
    long long bytes = unread(run, event);
    if (cause != NULL && cause->packet.flags & SYN && !(cause->packet.flags & ACK) &&
        last_packet(run, event, event->flow) == NULL)
        text_add(why, "RST, because nobody listens on port %c%s%c", PORT_MARK,
                 port != NULL ? port + 1 : "?", PORT_MARK);
    else if (lingers_zero(run, event))
        text_add(why, "RST, because SO_LINGER {1, 0} throws the connection away");
    else if (bytes > 0 && cause != NULL && end != NULL && cause->t > end->t)
        text_add(why, "RST, because bytes came for a socket that takes no more");
    else if (bytes > 0)
        text_add(why, "RST, because %lld byte%s unread when %s", bytes,
                 bytes == 1 ? " was" : "s were", when);
    else if (end != NULL)
        text_add(why, "RST, because something came for a socket that is closed");
}

static void explain_fin(const struct run *run, const struct event *event,
                        struct text *why)
{
    const struct event *end = what_ended(run, event);
    if (end == NULL)
        return;
    if (is_exit(end))
        text_add(why,
                 "FIN, because the kernel closes what a program leaves open at its end");
    else if (end->call.doing == CLOSE)
        text_add(why, "FIN, because close() gave up the socket and nothing was unread");
    else if (strstr(end->call.text, "SHUT_RDWR") != NULL)
        text_add(why, "FIN, because of shutdown(SHUT_RDWR), which ends both directions");
    else
        text_add(why,
                 "FIN, because of shutdown(): this direction is over, the other is not");
}

static void explain_packet(const struct run *run, const struct event *event,
                           struct text *why)
{
    unsigned flags = event->packet.flags;
    if (event->packet.transport == ICMP)
        text_add(why, strcmp(event->packet.label, "no such port") == 0
                          ? "ICMP, port unreachable: no socket has that port, and the "
                            "datagram is lost"
                          : "ICMP: the datagram could not be delivered");
    if (event->packet.transport != TCP)
        return;
    if (flags & RST)
        explain_reset(run, event, why);
    else if (flags & FIN)
        explain_fin(run, event, why);
    else if (flags & SYN && flags & ACK)
        text_add(why, "the kernel answers for the listener, before any accept()");
    else if (flags & SYN)
        text_add(why, "connect() asks for a connection");
}

static bool brought(const struct event *packet, const struct event *call)
{
    return packet->what == SENT && packet->flow == call->back && packet->t <= call->end &&
           packet->from < call->to && packet->to > call->from;
}

/* How many packets brought the bytes that the call took, and what it left of the last. */
static void explain_bytes(const struct run *run, const struct event *event,
                          struct text *why)
{
    const struct event *packet = event, *end = run->event + run->events;
    int packets = 0;
    long long left = 0;
    while (packet > run->event &&
           !(packet->what == SENT && packet->flow == event->back &&
             packet->to <= event->from && packet->packet.length > 0))
        packet--;
    for (; packet < end && packet->t <= event->end; packet++)
        if (brought(packet, event)) {
            packets++;
            left = packet->to - event->to;
        }
    if (packets > 1)
        text_add(why, "one call takes what %d %s brought: a stream has no packets",
                 packets, is_tcp(event) ? "segments" : "send()s");
    else if (left > 0)
        text_add(why, "%lld byte%s of it left for the next call", left,
                 left == 1 ? " is" : "s are");
}

static bool is_datagram(const struct call *call)
{
    return call->fd.socket && !call->fd.stream && !call->fd.seqpacket;
}

static void explain_refused(const struct call *call, struct text *why)
{
    if (call->fd.transport == UNIX && strncmp(call->peer, "unix/@", 6) == 0)
        text_add(why, "nobody has that name");
    else if (call->fd.transport == UNIX)
        text_add(why, "the file is there, but no socket %s it any more",
                 call->fd.stream ? "listens at" : "belongs to");
    else if (call->fd.transport == UDP)
        text_add(why, "so the ICMP message is told: at the next call on a connected "
                      "socket");
    else
        text_add(why, "the answer was that nobody is there");
}

static void explain_error(const struct event *event, struct text *why)
{
    static const char *const texts[][2] = {
        {"ECONNRESET", "the peer's RST has come: what was under way is lost"},
        {"EPIPE", "this direction is over: nothing can be sent any more"},
        {"ENOTCONN", "there is no connection, or no longer"},
        {"EAGAIN", "nothing was there, and the call was told not to wait"},
        {"EINTR", "a signal came first"},
        {"EBADF", "no such descriptor is open"},
        {"EADDRINUSE", "somebody has that address"},
        {"EINPROGRESS", "the connection is being made while the program goes on"},
    };
    if (strcmp(event->call.error, "ECONNREFUSED") == 0)
        explain_refused(&event->call, why);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(event->call.error, texts[i][0]) == 0)
            text_add(why, "%s", texts[i][1]);
}

/* ---- datagrams, descriptors, options ------------------------------------------------- */

static const struct event *datagram_taken(const struct run *run, const struct event *call)
{
    for (const struct event *event = run->event; event <= run->event + run->events - 1;
         event++)
        if (event->what == SENT && event->flow == call->back && event->flow >= 0 &&
            event->packet.label == NULL && event->from == call->from)
            return event;
    return NULL;
}

static void explain_datagram(const struct run *run, const struct event *event,
                             struct text *why)
{
    const struct event *packet = datagram_taken(run, event);
    long long room = event->call.value;
    if (packet != NULL && (long long)packet->packet.length > room)
        text_add(why,
                 "%zu bytes came, and there was room for %lld: the other %lld are lost",
                 packet->packet.length, room, (long long)packet->packet.length - room);
    else if (room == 0)
        text_add(why, "an empty datagram: 0 is not the end, as it is with a stream");
}

/* Has the process sent the same before, and received nothing since? */
static bool repeats(const struct run *run, const struct event *event)
{
    const struct call *call = &event->call;
    for (const struct event *before = event; before-- > run->event;) {
        if (before->what != CALLED || before->process != event->process)
            continue;
        if (before->call.doing == RECEIVE && before->call.error[0] == '\0')
            return false;
        if (before->call.doing == SEND && before->flow == event->flow)
            return before->call.kept == call->kept && before->call.value == call->value &&
                   memcmp(before->call.data, call->data, call->kept) == 0;
    }
    return false;
}

static void explain_passed(const struct run *run, const struct event *call,
                           struct text *why)
{
    for (size_t i = 0; i < run->events; i++) {
        const struct event *event = &run->event[i];
        if (event->what != CALLED || event->call.doing != SEND ||
            !event->call.passes_fd || event->flow < 0 || event->flow != call->back ||
            event->from != call->from)
            continue;
        text_add(why,
                 "descriptor %d here is descriptor %d there: two numbers for one open "
                 "socket or file",
                 call->call.passed, event->call.passed);
        return;
    }
}

/* Is the socket used after its close(), through another descriptor? */
static bool lives_on(const struct run *run, const struct event *close)
{
    for (const struct event *event = close + 1; event < run->event + run->events;
         event++) {
        if (event->flow != close->flow)
            continue;
        if (event->what == SENT && event->packet.flags & (FIN | RST))
            return false;
        if (event->what == CALLED)
            return event->call.fd.socket && event->call.doing != CONNECT;
    }
    return false;
}

static void explain_close(const struct run *run, const struct event *event,
                          struct text *why)
{
    const struct event *sent = last_packet(run, event, event->flow);
    bool ended = sent != NULL && sent->packet.flags & (FIN | RST);
    if (is_tcp(event) && event->flow >= 0 && !ended && lives_on(run, event))
        text_add(why, "another descriptor has the same socket: nothing is sent");
}

static void explain_option(const struct call *call, struct text *why)
{
    if (strstr(call->text, "TCP_NODELAY, [1]") != NULL)
        text_add(why, "from now on a small segment need not wait for the ACK of the one "
                      "before");
}

static void explain_poll(const struct call *call, struct text *why)
{
    const char *limit = strchr(call->text, PORT_MARK);
    long ms = limit != NULL ? strtol(limit + 1, NULL, 10) : 0;
    if (ms > 0)
        text_add(why, "nothing came within %ld ms", ms);
    else
        text_add(why, limit != NULL ? "nothing is there now" : "nothing came in time");
}

static void explain_name(const struct call *call, struct text *why)
{
    if (call->doing == BIND && strstr(call->text, "AF_UNIX)") != NULL)
        text_add(why, "a family and no name: the kernel chooses one");
    else if (call->doing == CONNECT && is_datagram(call))
        text_add(why, "nothing is sent: it only says whom the socket talks with");
    else if (call->doing == UNLINK)
        text_add(why,
                 "the path is free again: bind() would fail while the file is there");
    else if (call->doing == SOCKET && strncmp(call->text, "socketpair", 10) == 0)
        text_add(why, "two sockets, connected with each other from the start");
}

static void explain_success(const struct run *run, const struct event *event,
                            struct text *why)
{
    const struct call *call = &event->call;
    if (call->doing == SEND && call->fd.transport == UDP && repeats(run, event))
        text_add(why, "the same once more: UDP itself repeats nothing");
    else if (call->doing == RECEIVE && call->passes_fd)
        explain_passed(run, event, why);
    else if (call->doing == RECEIVE && is_datagram(call) && event->end != NEVER)
        explain_datagram(run, event, why);
    else if (call->doing == POLL && call->value == 0 && event->end != NEVER)
        explain_poll(call, why);
    else if (call->doing == CLOSE)
        explain_close(run, event, why);
    else if (call->doing == OPTION)
        explain_option(call, why);
    else
        explain_name(call, why);
}

static void explain_call(const struct run *run, const struct event *event,
                         struct text *why)
{
    const struct call *call = &event->call;
    if (call->error[0] != '\0')
        explain_error(event, why);
    else if (call->doing == RECEIVE && call->value == 0 && event->end != NEVER &&
             (call->fd.stream || call->fd.seqpacket))
        text_add(why, "0 is the end of the stream: the peer will send no more");
    else if (call->doing == RECEIVE && call->fd.stream && event->to > event->from)
        explain_bytes(run, event, why);
    if (call->error[0] == '\0' && why->length == 0)
        explain_success(run, event, why);
}

void explain(struct run *run)
{
    for (size_t i = 0; i < run->events; i++) {
        struct event *event = &run->event[i];
        char buffer[SENTENCE];
        struct text why = text_in(buffer, sizeof buffer);
        if (event->what == SENT)
            explain_packet(run, event, &why);
        else if (event->what == CALLED)
            explain_call(run, event, &why);
        else if (strcmp(event->text, "SIGPIPE") == 0)
            text_add(&why, "a write to what is gone, without MSG_NOSIGNAL");
        if (why.length > 0)
            event->why = copied(buffer, why.length);
    }
}
