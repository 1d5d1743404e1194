/*
 * calls.c: what a call is about: its socket, its bytes, and its text.
 *
 * The text leaves out what would only fill the column: SOCK_CLOEXEC, MSG_NOSIGNAL, sizes that
 * the result repeats, lengths of addresses, the protocol that goes without saying.
 */
#include "wire.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 512, QUOTED = 20 };

static const struct kind {
    const char *name;
    enum doing doing;
    bool waits;
} kinds[] = {
    {"socket", SOCKET, false},   {"socketpair", SOCKET, false},
    {"bind", BIND, false},       {"listen", LISTEN, false},
    {"accept", ACCEPT, true},    {"accept4", ACCEPT, true},
    {"connect", CONNECT, true},  {"send", SEND, false},
    {"sendto", SEND, false},     {"sendmsg", SEND, false},
    {"write", SEND, false},      {"writev", SEND, false},
    {"recv", RECEIVE, true},     {"recvfrom", RECEIVE, true},
    {"recvmsg", RECEIVE, true},  {"read", RECEIVE, true},
    {"readv", RECEIVE, true},    {"shutdown", SHUTDOWN, false},
    {"close", CLOSE, false},     {"poll", POLL, true},
    {"ppoll", POLL, true},       {"select", POLL, true},
    {"pselect6", POLL, true},    {"epoll_wait", POLL, true},
    {"epoll_pwait", POLL, true}, {"setsockopt", OPTION, false},
    {"dup", OTHER, false},       {"dup2", OTHER, false},
    {"dup3", OTHER, false},      {"epoll_ctl", OTHER, false},
    {"exit_group", EXIT, false}, {"sendfile", SEND, false},
    {"unlink", UNLINK, false},   {"unlinkat", UNLINK, false},
};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static const char *argument(const struct line *line, int i)
{
    return i < line->arguments ? line->argument[i] : "";
}

/* Behind what stands between '<' and '>'. */
static const char *after_angle(const char *from)
{
    const char *end = strstr(from, "]>");
    end = end != NULL ? end + 1 : strchr(from, '>');
    return end != NULL ? end + 1 : from + strlen(from);
}

/* A text of strace's without what is between '<' and '>', and without one of its flags. */
static void add_bare(struct text *text, const char *from, const char *without)
{
    size_t skip = strlen(without);
    for (; *from != '\0'; from++) {
        if (skip > 0 && strncmp(from, without, skip) == 0 && from[skip] != '_')
            from += skip;
        if (*from == '<' && from[1] != '<')
            from = after_angle(from);
        if (*from == '\0')
            break;
        text_plain(text, from, 1);
    }
}

/* "@1a2b3": five hexadecimal digits, which the kernel has chosen at random. */
static bool is_autobound(const char *address)
{
    return address[0] == '@' && strlen(address) == 6 &&
           strspn(address + 1, "0123456789abcdef") == 5;
}

/* "127.0.0.1:80", its port between marks. */
static void add_address(struct text *text, const char *address)
{
    const char *colon = strrchr(address, ':');
    if (is_autobound(address))
        text_add(text, "@%c%s%c", PORT_MARK, address + 1, PORT_MARK);
    else if (colon == NULL || colon[1 + strspn(colon + 1, "0123456789")] != '\0' ||
             strcmp(colon, ":0") == 0)
        text_add(text, "%s", address);
    else
        text_add(text, "%.*s:%c%s%c", (int)(colon - address), address, PORT_MARK,
                 colon + 1, PORT_MARK);
}

/* ", FLAGS" without MSG_NOSIGNAL, or nothing if none is left. */
static void add_flags(struct text *text, const char *flags)
{
    char left[128];
    struct text only = text_in(left, sizeof left);
    for (const char *at = flags; *at != '\0';) {
        size_t n = strcspn(at, "|");
        if (strncmp(at, "MSG_NOSIGNAL", n) != 0 &&
            strncmp(at, "MSG_CMSG_CLOEXEC", n) != 0) {
            text_add(&only, only.length > 0 ? "|" : "");
            text_plain(&only, at, n);
        }
        at += n + (at[n] == '|');
    }
    if (only.length > 0 && strcmp(left, "0") != 0)
        text_add(text, ", %s", left);
}

static void add_data(struct text *text, const struct call *call, long long total)
{
    size_t all = total > 0 ? (size_t)total : call->kept;
    text_add(text, ", ");
    text_quote(text, call->data, call->kept < all ? call->kept : all, all, QUOTED);
}

/* poll([{fd=4<...>, events=POLLIN}, ...], 2, -1) as "4:IN, 3:IN|OUT" */
static void add_polled(struct text *text, const char *list, const char *key)
{
    const char *at = list, *comma = "";
    while ((at = strstr(at, "{fd=")) != NULL) {
        long fd = strtol(at += 4, NULL, 10);
        const char *events = strstr(at, key), *end = strchr(at, '}');
        if (events == NULL || fd < 0)
            continue;
        if (end != NULL && events > end)
            continue;
        text_add(text, "%s%ld:", comma, fd);
        for (events += strlen(key);
             *events == '|' || *events == '_' || isupper((unsigned char)*events);) {
            if (strncmp(events, "POLL", 4) == 0)
                events += 4;
            else
                text_add(text, "%c", *events++);
        }
        comma = ", ";
    }
}

static void add_timeout(struct text *text, const char *ms)
{
    if (isdigit((unsigned char)*ms))
        text_add(text, ", %c%ld ms%c", PORT_MARK, strtol(ms, NULL, 10), PORT_MARK);
}

static void add_poll(struct text *text, const struct line *line)
{
    if (strstr(line->name, "poll") == line->name) {
        add_polled(text, argument(line, 0), ", events=");
        add_timeout(text, argument(line, 2));
    } else if (strncmp(line->name, "epoll", 5) == 0) {
        add_bare(text, argument(line, 0), "");
        add_timeout(text, argument(line, 3));
    } else {
        add_polled(text, argument(line, 0), ", events=");
        for (int i = 1; i <= 3 && strcmp(line->name, "ppoll") != 0; i++) {
            text_add(text, i > 1 ? ", " : "");
            add_bare(text, argument(line, i), "");
        }
    }
}

static void add_option(struct text *text, const struct line *line)
{
    const char *value = argument(line, 3), *on = strstr(value, "l_onoff=");
    const char *time = strstr(value, "l_linger=");
    text_add(text, ", ");
    add_bare(text, argument(line, 2), "");
    text_add(text, ", ");
    if (on != NULL && time != NULL)
        text_add(text, "{%ld, %ld}", strtol(on + 8, NULL, 10),
                 strtol(time + 9, NULL, 10));
    else
        add_bare(text, value, "");
}

/* "{events=EPOLLIN, data={u32=1, u64=1}}" as "EPOLLIN": the data is the program's own business. */
static void add_epoll_event(struct text *text, const char *event)
{
    const char *from = strstr(event, "events=");
    if (from == NULL)
        add_bare(text, event, "");
    else
        text_plain(text, from + 7, strcspn(from + 7, ",}"));
}

static void add_other(struct text *text, const struct line *line)
{
    for (int i = 0; i < line->arguments; i++) {
        text_add(text, i > 0 ? ", " : "");
        if (i == 3 && strcmp(line->name, "epoll_ctl") == 0)
            add_epoll_event(text, argument(line, i));
        else
            add_bare(text, argument(line, i), "|SOCK_CLOEXEC");
    }
}

/* The protocol that goes without saying is not said. */
static void add_socket(struct text *text, const struct line *line)
{
    const char *type = argument(line, 1), *protocol = argument(line, 2);
    bool usual =
        strcmp(protocol, "0") == 0 || strcmp(protocol, "IPPROTO_IP") == 0 ||
        (strncmp(type, "SOCK_STREAM", 11) == 0 && strcmp(protocol, "IPPROTO_TCP") == 0) ||
        (strncmp(type, "SOCK_DGRAM", 10) == 0 && strcmp(protocol, "IPPROTO_UDP") == 0);
    add_bare(text, argument(line, 0), "");
    for (int i = 1; i < line->arguments; i++) {
        if (i == 2 && usual)
            continue;
        text_add(text, ", ");
        add_bare(text, argument(line, i), "|SOCK_CLOEXEC");
    }
}

/* unlink("/path") and unlinkat(AT_FDCWD, "/path", 0) */
static void add_path(struct text *text, const struct line *line)
{
    unsigned char path[112];
    bool cut;
    const char *from = argument(line, strcmp(line->name, "unlink") == 0 ? 0 : 1);
    size_t n = line_bytes(from, path, sizeof path, &cut);
    text_plain(text, (const char *)path, n);
}

/* "[5, 6]": the descriptors of a control message. */
static void add_passed(struct text *text, const struct line *line)
{
    const char *at = strstr(argument(line, 1), "cmsg_data=["), *comma = "";
    text_add(text, ", SCM_RIGHTS [");
    for (at = at != NULL ? at + 11 : ""; isdigit((unsigned char)*at); comma = ", ") {
        char *end;
        text_add(text, "%s%ld", comma, strtol(at, &end, 10));
        while (*end != '\0' && !(strncmp(end, ", ", 2) == 0 || *end == ']'))
            end = *end == '<' ? (char *)after_angle(end) : end + 1;
        at = *end == ',' ? end + 2 : "";
    }
    text_add(text, "]");
}

/* Between the brackets. */
static void add_arguments(struct text *text, const struct call *call,
                          const struct line *line, bool whole)
{
    switch (call->doing) {
    case POLL: add_poll(text, line); return;
    case SOCKET: add_socket(text, line); return;
    case UNLINK: add_path(text, line); return;
    case OTHER:
    case EXIT: add_other(text, line); return;
    default: add_bare(text, argument(line, 0), "");
    }
    if (call->doing == BIND || call->doing == CONNECT) {
        text_add(text, ", ");
        add_address(text, strchr(call->peer, '/') ? strchr(call->peer, '/') + 1
                          : strstr(argument(line, 1), "AF_UNIX") ? "AF_UNIX"
                                                                 : "?");
    } else if (call->doing == LISTEN || call->doing == SHUTDOWN) {
        text_add(text, ", ");
        add_bare(text, argument(line, 1), "");
    } else if (call->doing == OPTION) {
        add_option(text, line);
    } else if ((call->doing == SEND && (whole || call->kept > 0)) ||
               (call->doing == RECEIVE && whole && call->value >= 0 && call->kept > 0)) {
        add_data(text, call, call->value);
    }
}

/* How many bytes a send was asked for, where the call says so. */
static long long asked(const struct line *line)
{
    bool plain = strcmp(line->name, "sendto") == 0 || strcmp(line->name, "write") == 0;
    return plain ? strtoll(argument(line, 2), NULL, 10) : 0;
}

static void add_rest(struct text *text, const struct call *call, const struct line *line)
{
    bool to = strcmp(line->name, "sendto") == 0,
         from = strcmp(line->name, "recvfrom") == 0;
    if (to && asked(line) > call->value)
        text_add(text, ", %lld", asked(line));
    if (to || from)
        add_flags(text, argument(line, 3));
    if (strcmp(line->name, "recvmsg") == 0 || strcmp(line->name, "sendmsg") == 0)
        add_flags(text, argument(line, 2));
    if (call->passes_fd)
        add_passed(text, line);
    if ((to || from) && call->peer[0] != '\0') {
        text_add(text, ", ");
        add_address(text, strchr(call->peer, '/') + 1);
    }
}

/* Not all of the datagram had room. */
static bool is_cut(const struct line *line)
{
    const char *flags = strstr(argument(line, 1), "msg_flags=");
    return strcmp(line->name, "recvmsg") == 0 && flags != NULL &&
           strstr(flags, "MSG_TRUNC") != NULL;
}

static void add_result(struct text *text, const struct call *call,
                       const struct line *line)
{
    text_add(text, " = %lld", line->value);
    if (call->error[0] != '\0') {
        text_add(text, " ");
        text_plain(text, call->error, strlen(call->error));
    } else if (call->doing == POLL && strstr(line->result, "revents=") != NULL) {
        text_add(text, " (");
        add_polled(text, line->result, ", revents=");
        text_add(text, ")");
    } else if (call->doing == RECEIVE && is_cut(line)) {
        text_add(text, " (MSG_TRUNC)");
    } else if (call->doing == POLL && line->value == 0) {
        text_add(text, " (time is up)");
    }
}

/* recvfrom() and sendto() without an address are what libc makes of recv() and send(). Of a
   call that never returned, strace may not have seen all arguments. */
static const char *name_shown(const struct call *call, const struct line *line)
{
    const char *name = line->name;
    bool cut = line->end == NEVER && line->arguments < 5 && call->fd.remote[0] != '\0';
    bool alone = cut || strcmp(argument(line, 4), "NULL") == 0;
    if (strcmp(name, "recvfrom") == 0 && alone)
        return "recv";
    if (strcmp(name, "sendto") == 0 && alone)
        return "send";
    if (strcmp(name, "pselect6") == 0)
        return "select";
    return strcmp(name, "exit_group") == 0 ? "exit" : name;
}

/* What it prints, its lines one behind the other. */
static void write_output(struct call *call)
{
    char buffer[TEXT];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "prints ");
    for (size_t i = 0; i < call->kept; i++)
        if (call->data[i] != '\n')
            text_plain(&text, (const char *)&call->data[i], 1);
        else if (i + 1 < call->kept)
            text_add(&text, "; ");
    if (call->value > (long long)call->kept)
        text_add(&text, "...");
    call->text = copied(buffer, text.length);
    call->begun = copied(buffer, text.length);
}

static void write_texts(struct call *call, const struct line *line)
{
    char buffer[TEXT];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%s(", name_shown(call, line));
    add_arguments(&text, call, line, false);
    text_add(&text, ")");
    call->begun = copied(buffer, text.length);
    text = text_in(buffer, sizeof buffer);
    text_add(&text, "%s(", name_shown(call, line));
    add_arguments(&text, call, line, true);
    add_rest(&text, call, line);
    text_add(&text, ")");
    if (line->end != NEVER && call->doing != EXIT)
        add_result(&text, call, line);
    call->text = copied(buffer, text.length);
}

static const char *protocol_of(const struct call *call, const char *address)
{
    if (strstr(address, "sa_family=AF_UNIX") != NULL)
        return "unix";
    return call->fd.transport == UDP ? "udp" : "tcp";
}

static void find_peer(struct call *call, const struct line *line)
{
    for (int i = 1; i < line->arguments; i++) {
        char address[ENDPOINT - 8];
        const char *at = strstr(argument(line, i), "{sa_family=");
        if (at == NULL || !address_parse(at, address, sizeof address))
            continue;
        snprintf(call->peer, sizeof call->peer, "%s/%s", protocol_of(call, at), address);
        return;
    }
}

static void find_data(struct call *call, const struct line *line)
{
    bool cut;
    const char *from = argument(line, 1), *vector = strstr(from, "iov_base=");
    if (line->name[0] != 'r' && line->name[0] != 's' && line->name[0] != 'w')
        return;
    if (vector != NULL)
        from = vector;
    else if (*from != '"')
        return;
    call->kept = line_bytes(from, call->data, KEPT, &cut);
    const char *passed = strstr(argument(line, 1), "SCM_RIGHTS, cmsg_data=[");
    call->passes_fd = passed != NULL;
    if (passed != NULL)
        call->passed = (int)strtol(strchr(passed, '[') + 1, NULL, 10);
}

static bool mentions_socket(const struct line *line)
{
    static const char *const kinds_of_socket[] = {"<TCP", "<UDP", "<UNIX"};
    for (int i = -1; i < line->arguments; i++)
        for (size_t k = 0; k < 3; k++)
            if (strstr(i < 0 ? line->result : argument(line, i), kinds_of_socket[k]))
                return true;
    return false;
}

/* The C library asks the name service cache, and the kernel about addresses: not the
   program's own doing. */
static bool of_the_library(const struct line *line)
{
    for (int i = 0; i < line->arguments; i++)
        if (strstr(argument(line, i), "AF_NETLINK") != NULL ||
            strstr(argument(line, i), "<NETLINK") != NULL)
            return true;
    return false;
}

static bool is_shown(const struct call *call, const struct line *line)
{
    if (of_the_library(line) || strstr(call->peer, "/nscd/socket") != NULL)
        return false;
    if (call->doing == EXIT || call->doing == SOCKET)
        return true;
    if (call->doing == UNLINK)
        return line->end != NEVER && line->value == 0;
    return mentions_socket(line) || strcmp(line->error, "EBADF") == 0 ||
           (call->doing == POLL && strncmp(line->name, "epoll", 5) == 0);
}

/* To standard output, if that is no socket; not what a server says at its start. */
static bool is_output(const struct call *call)
{
    static const char start[] = "listening on ";
    return call->doing == SEND && call->fd.fd == 1 && !call->fd.socket &&
           call->error[0] == '\0' && call->kept > 0 &&
           memcmp(call->data, start, sizeof start - 1) != 0;
}

static void find_type(struct fd_name *made, const struct line *line)
{
    const char *type = argument(line, 1);
    made->stream = strncmp(type, "SOCK_STREAM", 11) == 0;
    made->seqpacket = strncmp(type, "SOCK_SEQPACKET", 14) == 0;
}

/* MSG_DONTWAIT among the flags */
static bool told_not_to(const struct line *line)
{
    for (int i = 2; i < line->arguments; i++)
        if (strstr(line->argument[i], "MSG_DONTWAIT") != NULL)
            return true;
    return false;
}

void call_read(struct call *call, const struct line *line)
{
    const struct kind *kind = kind_of(line->name);
    *call = (struct call){.value = line->value};
    if (kind == NULL)
        return;
    call->doing = kind->doing;
    call->waits = kind->waits;
    call->hurries = told_not_to(line);
    snprintf(call->error, sizeof call->error, "%s", line->error);
    fd_parse(&call->fd, argument(line, 0));
    if (call->doing == ACCEPT || call->doing == SOCKET)
        fd_parse(&call->made, line->result);
    if (call->doing == SOCKET)
        find_type(&call->made, line);
    find_peer(call, line);
    if (call->doing == SEND || call->doing == RECEIVE)
        find_data(call, line);
    call->ends_writing = call->doing == SHUTDOWN && line->value == 0 &&
                         strstr(argument(line, 1), "SHUT_RD") != argument(line, 1);
    if (call->doing == SHUTDOWN && line->value == 0 &&
        strcmp(argument(line, 1), "SHUT_RDWR") == 0)
        call->ends_writing = true;
    call->lingers_zero = call->doing == OPTION && line->value == 0 &&
                         strstr(argument(line, 3), "l_onoff=1, l_linger=0") != NULL;
    call->shown = is_shown(call, line);
    call->prints = is_output(call);
    if (call->prints)
        call->doing = OTHER;
    if (call->prints)
        write_output(call);
    else
        write_texts(call, line);
}
