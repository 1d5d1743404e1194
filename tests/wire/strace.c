/*
 * strace.c: one line of strace's, taken apart. Strings are in hex (-xx) and descriptors have
 * their sockets beside them (-yy):
 *
 *     1795273931.026092123 sendto(3<TCP:[127.0.0.1:4711->127.0.0.1:80]>, "\x6f\x6e", 2, 0,
 *         NULL, 0) = 2 <0.000109000>
 */
#include "wire.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SECOND = 1000000000;

/* "1795273931.026092123": seconds and nanoseconds, however many digits there are. */
static bool seconds_parse(const char **text, int64_t *t)
{
    const char *at = *text;
    int64_t whole = 0, part = 0, unit = SECOND;
    if (!isdigit((unsigned char)*at))
        return false;
    for (; isdigit((unsigned char)*at) && whole < INT64_MAX / SECOND / 10; at++)
        whole = whole * 10 + (*at - '0');
    if (*at != '.')
        return false;
    for (at++; isdigit((unsigned char)*at); at++) {
        unit /= 10;
        part += (*at - '0') * unit;
    }
    *t = whole * SECOND + part;
    *text = at;
    return true;
}

static char *after_string(char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++)
        if (*at == '\\' && at[1] != '\0')
            at++;
    return *at == '"' ? at + 1 : at;
}

/* Behind "<TCP:[a->b]>"; the '>' of an arrow does not end it. */
static char *after_name(char *at)
{
    char before = '\0';
    while (*at != '\0' && (*at != '>' || before == '-')) {
        before = *at;
        at = *at == '"' ? after_string(at) : at + 1;
    }
    return *at == '>' ? at + 1 : at;
}

/* The first character of stops at this level of brackets, or the end. */
static char *find(char *at, const char *stops)
{
    int depth = 0;
    while (*at != '\0') {
        if (depth == 0 && strchr(stops, *at) != NULL)
            return at;
        if (*at == '"') {
            at = after_string(at);
            continue;
        }
        if (*at == '<' && at[1] != '<' && at[1] != '.' && at[1] != ' ') {
            at = after_name(at);
            continue;
        }
        if (strchr("([{", *at) != NULL)
            depth++;
        if (strchr(")]}", *at) != NULL && depth > 0)
            depth--;
        at++;
    }
    return at;
}

static void take_arguments(struct line *line, char *at)
{
    while (*at != '\0' && line->arguments < ARGUMENTS) {
        while (*at == ' ')
            at++;
        char *end = find(at, ",");
        line->argument[line->arguments++] = at;
        if (*end == '\0')
            break;
        *end = '\0';
        at = end + 1;
    }
}

/* " = -1 ECONNRESET (Connection reset by peer) <0.000012>" */
static void take_result(struct line *line, char *at)
{
    at += strspn(at, " ");
    if (*at != '=')
        return;
    line->result = at + 1 + strspn(at + 1, " ");
    char *duration = strrchr(line->result, '<');
    int64_t t;
    const char *digits = duration != NULL ? duration + 1 : "";
    bool timed = duration != NULL && seconds_parse(&digits, &t) && *digits == '>';
    if (timed) {
        *duration = '\0';
        while (duration > line->result && duration[-1] == ' ')
            *--duration = '\0';
    }
    if (line->result[0] == '?' || !timed)
        return; /* it never returned */
    line->end = line->start + t;
    char *end;
    line->value = strtoll(line->result, &end, 0);
    if (line->value == -1 && *end == ' ' && end[1] == 'E') {
        line->error = end + 1;
        char *rest = line->error + strcspn(line->error, " ");
        *rest = '\0';
    }
}

static bool take_note(struct line *line, char *at)
{
    line->kind = at[0] == '-' ? LINE_SIGNAL : LINE_EXIT;
    line->name = at + 4;
    char *end = strstr(line->name, line->kind == LINE_SIGNAL ? " {" : " +++");
    if (strncmp(at, line->kind == LINE_SIGNAL ? "--- " : "+++ ", 4) != 0 || end == NULL)
        return false;
    *end = '\0';
    line->end = line->start;
    return true;
}

bool line_parse(struct line *line, char *text)
{
    static char none[] = "";
    *line = (struct line){.name = none, .result = none, .error = none, .end = NEVER};
    const char *at = text;
    if (!seconds_parse(&at, &line->start) || *at != ' ')
        return false;
    char *name = text + (at - text) + 1;
    if (*name == '-' || *name == '+')
        return take_note(line, name);
    line->kind = LINE_CALL;
    line->name = name;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (length == 0 || name[length] != '(')
        return false;
    char *arguments = name + length + 1, *end = find(arguments, ")");
    name[length] = '\0';
    char *unfinished = strstr(arguments, "<unfinished ...>");
    if (unfinished != NULL)
        *unfinished = '\0';
    if (*end == ')') {
        *end = '\0';
        take_result(line, end + 1);
    }
    take_arguments(line, arguments);
    return true;
}

static int digit(char c)
{
    const char *all = "0123456789abcdef", *at = c != '\0' ? strchr(all, c) : NULL;
    return at != NULL ? (int)(at - all) : -1;
}

size_t line_bytes(const char *argument, unsigned char *bytes, size_t size, bool *cut)
{
    size_t n = 0;
    const char *at = strchr(argument, '"');
    *cut = false;
    if (at == NULL)
        return 0;
    for (at++; *at != '"' && *at != '\0';) {
        int high = at[0] == '\\' && at[1] == 'x' ? digit(at[2]) : -1;
        int low = high >= 0 ? digit(at[3]) : -1;
        unsigned char byte = (unsigned char)(low >= 0 ? high * 16 + low : *at);
        at += low >= 0 ? 4 : 1;
        if (n < size)
            bytes[n++] = byte;
        else
            *cut = true;
    }
    if (*at == '"' && strncmp(at + 1, "...", 3) == 0)
        *cut = true;
    return n;
}

/* "127.0.0.1:80" or "[::1]:80" up to "->" or "]"; an IPv4 address in IPv6's clothes as IPv4. */
static const char *take_endpoint(char *out, const char *protocol, const char *at)
{
    const char *end = strstr(at, "->"), *close = strstr(at, "]>");
    if (close == NULL)
        return at + strlen(at);
    if (end == NULL || end > close)
        end = close;
    const char *mapped = "[::ffff:";
    int length = (int)(end - at);
    char text[ENDPOINT - 8];
    snprintf(text, sizeof text, "%.*s", length, at);
    char *bracket = strchr(text, ']');
    if (strncmp(text, mapped, strlen(mapped)) == 0 && strchr(text, '.') &&
        bracket != NULL)
        snprintf(out, ENDPOINT, "%s/%.*s%s", protocol, (int)(bracket - text - 8),
                 text + 8, bracket + 1);
    else
        snprintf(out, ENDPOINT, "%s/%s", protocol, text);
    return end;
}

static void take_internet(struct fd_name *name, const char *at)
{
    const char *protocol = name->transport == TCP ? "tcp" : "udp";
    if (at[strspn(at, "0123456789")] == ']') { /* no address yet: an inode alone */
        snprintf(name->inode, sizeof name->inode, "%.*s", (int)strspn(at, "0123456789"),
                 at);
        return;
    }
    const char *rest = take_endpoint(name->local, protocol, at);
    if (strncmp(rest, "->", 2) == 0)
        take_endpoint(name->remote, protocol, rest + 2);
}

/* "\x2e\x2f..." or @"...", which stands for an abstract name. */
static void take_path(struct fd_name *name, const char *at)
{
    char bytes[112];
    bool cut, abstract = *at == '@';
    size_t n = line_bytes(at, (unsigned char *)bytes, sizeof bytes, &cut);
    struct text text = text_in(name->path, sizeof name->path);
    text_add(&text, abstract ? "unix/@" : "unix/");
    text_plain(&text, bytes, n);
}

static void take_unix(struct fd_name *name, const char *at)
{
    size_t length = strspn(at, "0123456789");
    snprintf(name->inode, sizeof name->inode, "%.*s", (int)length, at);
    snprintf(name->local, ENDPOINT, "unix/%s", name->inode);
    at += length;
    if (strncmp(at, "->", 2) == 0) {
        at += 2;
        length = strspn(at, "0123456789");
        if (*at != '0') /* accepted already: before that it has no number */
            snprintf(name->remote, ENDPOINT, "unix/%.*s", (int)length, at);
        at += length;
    }
    if (*at == ',')
        take_path(name, at + 1);
}

bool fd_parse(struct fd_name *name, const char *text)
{
    static const struct {
        const char *start;
        enum transport transport;
        bool stream, seqpacket;
    } kinds[] = {
        {"TCP:[", TCP, true, false},          {"TCPv6:[", TCP, true, false},
        {"UDP:[", UDP, false, false},         {"UDPv6:[", UDP, false, false},
        {"UNIX:[", UNIX, true, false},        {"UNIX-STREAM:[", UNIX, true, false},
        {"UNIX-DGRAM:[", UNIX, false, false}, {"UNIX-SEQPACKET:[", UNIX, false, true}};
    *name = (struct fd_name){.fd = -1};
    char *end;
    long fd = strtol(text, &end, 10);
    if (end == text || fd < 0 || fd > 1 << 30)
        return false;
    name->fd = (int)fd;
    for (size_t i = 0; *end == '<' && i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].start);
        if (strncmp(end + 1, kinds[i].start, length) != 0)
            continue;
        name->socket = true;
        name->transport = kinds[i].transport;
        name->stream = kinds[i].stream;
        name->seqpacket = kinds[i].seqpacket;
        if (name->transport == UNIX)
            take_unix(name, end + 1 + length);
        else
            take_internet(name, end + 1 + length);
    }
    return true;
}

/* The string that follows key in an address. */
static size_t string_after(const char *argument, const char *key, char *out, size_t size)
{
    const char *at = strstr(argument, key);
    bool cut;
    size_t n = 0;
    if (at != NULL)
        n = line_bytes(at + strlen(key), (unsigned char *)out, size - 1, &cut);
    out[n] = '\0';
    return n;
}

bool address_parse(const char *argument, char *text, size_t size)
{
    char name[112];
    struct text out = text_in(text, size);
    const char *port = strstr(argument, "_port=htons(");
    long number = port != NULL ? strtol(port + 12, NULL, 10) : 0;
    if (strstr(argument, "sa_family=AF_INET6") != NULL) {
        string_after(argument, "inet_pton(AF_INET6, ", name, sizeof name);
        text_add(&out, "[");
        text_plain(&out, name, strlen(name));
        text_add(&out, "]:%ld", number);
    } else if (strstr(argument, "sa_family=AF_INET") != NULL) {
        string_after(argument, "inet_addr(", name, sizeof name);
        text_plain(&out, name, strlen(name));
        text_add(&out, ":%ld", number);
    } else if (strstr(argument, "sun_path=") != NULL) {
        size_t n = string_after(argument, "sun_path=", name, sizeof name);
        text_add(&out, strstr(argument, "sun_path=@") != NULL ? "@" : "");
        text_plain(&out, name, n);
    } else {
        return false;
    }
    return true;
}
