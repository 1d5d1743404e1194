/*
 * Unit tests of lesson 08: heads and bodies written, and found again however a stream is cut.
 *
 * What a parser tells is written down as text, and compared: "[GET] [/] 1.1 keep Host=x; end; ". Each piece that is
 * fed lies in memory of its own size, and is gone when it may be: a byte read before or behind it, or too late, is
 * the sanitizer's to find.
 */
#define _GNU_SOURCE
#include "http.h"
#include "lab.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *memory(size_t n)
{
    void *bytes = malloc(n > 0 ? n : 1);
    if (bytes == NULL)
        lab_error("malloc()");
    return bytes;
}

static void *copy_of(const void *bytes, size_t n)
{
    void *copy = memory(n);
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

/* ---- one case of many: the story names only the one that fails ------------------- */

static char this_case[400];

__attribute__((format(printf, 1, 2))) static void case_is(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(this_case, sizeof this_case, format, args);
    va_end(args);
}

static bool told(bool ok)
{
    if (!ok && this_case[0] != '\0')
        lab_peer("%s", this_case);
    return ok;
}

#define lab_expect(ok, ...) lab_expect(told(ok), __VA_ARGS__)

/* Up to 300 bytes as they look in C. */
static const char *shown(const char *bytes, size_t n)
{
    static char text[400];
    size_t used = 0;
    if (n > 300)
        return lab_quote(bytes, n);
    for (size_t i = 0; i < n && used < 300; i++) {
        unsigned char c = (unsigned char)bytes[i];
        const char *form = c == '\r'             ? "\\r"
                           : c == '\n'           ? "\\n"
                           : c < ' ' || c >= 127 ? "\\x%02x"
                                                 : "%c";
        used += (size_t)snprintf(text + used, sizeof text - used, form, c);
    }
    text[used] = '\0';
    return text;
}

/* ---- what a parser tells --------------------------------------------------------- */

enum { TOLD_MOST = 16384 };

struct telling {
    struct http_parser *parser;
    enum http_event event;    /* the last one */
    bool in_body, keep_alive; /* of the last head, when it was told */
    size_t n;
    char text[TOLD_MOST];
};

__attribute__((format(printf, 2, 3))) static void tell(struct telling *t,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->text + t->n, TOLD_MOST - t->n, format, args);
    va_end(args);
    t->n += (size_t)n;
    lab_expect(t->n < TOLD_MOST, "no more than was fed", "told events without end");
}

static struct telling *begin(enum http_kind kind)
{
    struct telling *t = memory(sizeof *t);
    memset(t, 0, offsetof(struct telling, text) + 1);
    t->parser = memory(sizeof *t->parser);
    memset(t->parser, 0xa5, sizeof *t->parser);
    http_parser_init(t->parser, kind);
    return t;
}

static void finished(struct telling *t)
{
    free(t->parser);
    free(t);
}

static void tell_head(struct telling *t)
{
    const struct http_head *head = &t->parser->head;
    t->keep_alive = head->keep_alive;
    if (head->method != NULL)
        tell(t, "[%s] [%s]", head->method, head->target ? head->target : "NULL");
    else
        tell(t, "[%d] [%s]", head->status, head->reason ? head->reason : "NULL");
    tell(t, " 1.%d %s", head->minor_version, head->keep_alive ? "keep" : "close");
    lab_expect(head->field_count <= HTTP_FIELDS_MAX, "at most HTTP_FIELDS_MAX fields",
               "set field_count to %zu", head->field_count);
    for (size_t i = 0; i < head->field_count; i++)
        tell(t, " %s=%s", head->fields[i].name, head->fields[i].value);
    tell(t, "; ");
}

static void tell_body(struct telling *t, const struct http_bytes *body, const char *piece,
                      size_t n)
{
    lab_expect(body->n > 0 && body->bytes >= piece && body->bytes + body->n <= piece + n,
               "with HTTP_BODY 1 byte or more that lie in the input",
               "gave %zu bytes at %p", body->n, (const void *)body->bytes);
    tell(t, "%s", t->in_body ? "" : "body ");
    for (size_t i = 0; i < body->n; i++)
        tell(t, body->bytes[i] == '\0' ? "\\0" : "%c", body->bytes[i]);
}

/* Feed a piece and write down what is told, up to HTTP_MORE or HTTP_BAD. */
static void feed(struct telling *t, const char *bytes, size_t n)
{
    char *piece = copy_of(bytes, n);
    struct http_bytes input = {piece, n}, body = {NULL, 0};
    do {
        size_t left = input.n;
        t->event = http_parser_next(t->parser, &input, &body);
        lab_expect(input.n <= left && input.bytes == piece + n - input.n,
                   "an input that is moved on by what was taken",
                   "left %zu bytes of %zu at place %td", input.n, left,
                   input.bytes - piece);
        if (t->in_body && t->event != HTTP_BODY && t->event != HTTP_MORE)
            tell(t, "; ");
        switch (t->event) {
        case HTTP_MORE:
            lab_expect(input.n == 0, "HTTP_MORE when all bytes have been taken",
                       "returned HTTP_MORE with %zu bytes left", input.n);
            break;
        case HTTP_HEAD: tell_head(t); break;
        case HTTP_BODY: tell_body(t, &body, piece, n); break;
        case HTTP_END: tell(t, "end; "); break;
        case HTTP_BAD: tell(t, "bad %d; ", t->parser->bad); break;
        default:
            lab_expect(false, "one of the five events", "returned %d%s", (int)t->event,
                       errno == ENOSYS ? " and errno ENOSYS" : "");
        }
        if (t->event != HTTP_MORE)
            t->in_body = t->event == HTTP_BODY;
    } while (t->event != HTTP_MORE && t->event != HTTP_BAD);
    free(piece);
}

static void expect_told(const struct telling *t, const char *events)
{
    lab_expect(strcmp(t->text, events) == 0, *events == '\0' ? "nothing yet" : events,
               "told: %.300s", *t->text == '\0' ? "nothing" : t->text);
}

/* The stream, whole. */
static void expect_whole(enum http_kind kind, const char *bytes, size_t n,
                         const char *events)
{
    struct telling *t = begin(kind);
    case_is("\"%s\", at once", shown(bytes, n));
    errno = 0;
    feed(t, bytes, n);
    expect_told(t, events);
    finished(t);
}

/* In pieces of that size; nothing follows an error. */
static void expect_pieces(enum http_kind kind, const char *bytes, size_t n, size_t size,
                          const char *events)
{
    struct telling *t = begin(kind);
    case_is("\"%s\", in pieces of %zu", shown(bytes, n), size);
    for (size_t at = 0; at < n && t->event != HTTP_BAD; at += size)
        feed(t, bytes + at, size < n - at ? size : n - at);
    expect_told(t, events);
    finished(t);
}

/* Whole, byte by byte, and in two pieces, cut anywhere. */
static void expect_cut(enum http_kind kind, const char *bytes, size_t n,
                       const char *events)
{
    expect_whole(kind, bytes, n, events);
    expect_pieces(kind, bytes, n, 1, events);
    for (size_t at = 1; at < n; at++) {
        struct telling *t = begin(kind);
        case_is("\"%s\", cut after byte %zu", shown(bytes, n), at);
        feed(t, bytes, at);
        if (t->event != HTTP_BAD)
            feed(t, bytes + at, n - at);
        expect_told(t, events);
        finished(t);
    }
}

/* The usual way: whole and byte by byte. TEXT is a literal, and may hold NULs. */
#define EXPECT(kind, text, events)                              \
    do {                                                        \
        expect_whole(kind, text, sizeof(text) - 1, events);     \
        expect_pieces(kind, text, sizeof(text) - 1, 1, events); \
    } while (0)

#define GET "GET / HTTP/1.1\r\nHost: x\r\n"
#define GOT "[GET] [/] 1.1 keep Host=x"

/* ---- http_reason ----------------------------------------------------------------- */

LAB_TEST(http_reason, knows_the_words, .points = 1, .task = 1, .read = "A message",
         .likely = "the table is in http.h, letter by letter; \"\" for any other")
{
    static const struct {
        int status;
        const char *reason;
    } known[] = {{200, "OK"},
                 {400, "Bad Request"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {408, "Request Timeout"},
                 {431, "Request Header Fields Too Large"},
                 {501, "Not Implemented"},
                 {505, "HTTP Version Not Supported"},
                 {299, ""},
                 {0, ""},
                 {-1, ""}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        case_is("the status is %d", known[i].status);
        errno = 0;
        const char *reason = http_reason(known[i].status);
        lab_expect(reason != NULL, "a text", "returned NULL%s",
                   errno == ENOSYS ? " and errno ENOSYS" : "");
        lab_expect(reason != NULL && strcmp(reason, known[i].reason) == 0,
                   lab_quote(known[i].reason, strlen(known[i].reason)), "returned \"%s\"",
                   reason);
    }
}

/* ---- writing --------------------------------------------------------------------- */

enum { LINES_MOST = 12 };

/* The bytes are this start line, these lines in any order, an empty line, and this body. */
static void expect_message(const char *bytes, size_t n, const char *const lines[],
                           const void *body, size_t body_n)
{
    bool seen[LINES_MOST] = {false};
    size_t at = 0, count = 0, found = 0;
    while (lines[count] != NULL)
        count++;
    for (;;) {
        const char *end = memmem(bytes + at, n - at, "\r\n", 2);
        if (end == NULL)
            lab_likely("each line ends with \"\\r\\n\", and an empty one ends the head");
        lab_expect(end != NULL, "lines that end with \\r\\n, the last of them empty",
                   "wrote %s", shown(bytes, n));
        const char *line = bytes + at;
        size_t size = (size_t)(end - line), i = found == 0 ? 0 : 1;
        at += size + 2;
        if (size == 0)
            break;
        while (i < count &&
               (seen[i] || strlen(lines[i]) != size || memcmp(lines[i], line, size) != 0))
            i++;
        lab_expect(i < (found == 0 ? 1 : count),
                   found == 0 ? lines[0] : "the lines that http.h names, each once",
                   "wrote the line \"%s\"", shown(line, size));
        seen[i] = true;
        found++;
    }
    for (size_t i = 0; i < count; i++)
        lab_expect(seen[i], lines[i], "wrote no such line: %s", shown(bytes, n));
    lab_expect(n - at == body_n && (body_n == 0 || memcmp(bytes + at, body, body_n) == 0),
               body_n == 0 ? "no body" : lab_quote(body, body_n), "wrote the body %s",
               lab_quote(bytes + at, n - at));
}

typedef ssize_t written(const void *message, void *out, size_t size);

static ssize_t write_response(const void *message, void *out, size_t size)
{
    return http_response_write(message, out, size);
}

static ssize_t write_request(const void *message, void *out, size_t size)
{
    return http_request_write(message, out, size);
}

/* What is written into memory that is large, exactly large enough, and a byte too small. */
static void expect_written(written *write, const void *message, const char *const lines[],
                           const void *body, size_t body_n)
{
    char *out = memory(2000);
    errno = 0;
    ssize_t n = write(message, out, 2000);
    lab_expect(n > 0 && n <= 2000, "a number of bytes", "returned %s",
               lab_result(n, errno));
    expect_message(out, (size_t)n, lines, body, body_n);
    char *exact = memory((size_t)n);
    case_is("there is room for %zd bytes, just enough", n);
    ssize_t again = write(message, exact, (size_t)n);
    lab_expect(again == n && memcmp(out, exact, (size_t)n) == 0, "the same bytes",
               "returned %s", lab_result(again, errno));
    free(exact);
    lab_likely(
        "compare before you write: size bytes are there and not one more; no NUL is added");
    for (size_t size = 0; size < (size_t)n; size += size < (size_t)n - 9 ? 7 : 1) {
        exact = memory(size);
        case_is("there is room for %zu bytes, and the message has %zd", size, n);
        errno = 0;
        again = write(message, exact, size);
        lab_expect(again == -1 && errno == ENOSPC, "-1 and errno ENOSPC", "returned %s",
                   lab_result(again, errno));
        free(exact);
    }
    lab_likely(NULL);
    this_case[0] = '\0';
    free(out);
}

LAB_TEST(http_response_write, writes_head_and_body, .points = 3, .task = 1,
         .read = "A message", .needs = "http_reason",
         .likely =
             "the status line, three fields, an empty line, the body; each line ends "
             "with \\r\\n, and Content-Length counts the body alone")
{
    const struct http_response running = {
        .status = 200, .content_type = "text/plain", .body = "running", .body_size = 7};
    expect_written(write_response, &running,
                   (const char *const[]){"HTTP/1.1 200 OK", "Content-Type: text/plain",
                                         "Content-Length: 7", "Connection: close", NULL},
                   "running", 7);
    const struct http_response bytes = {.status = 299,
                                        .keep_alive = true,
                                        .content_type = "application/octet-stream",
                                        .body = "\0\r\n\r\n\0\xff%s-",
                                        .body_size = 10};
    lab_likely("a body is any bytes: count them by body_size, and copy with memcpy()");
    expect_written(
        write_response, &bytes,
        (const char *const[]){"HTTP/1.1 299 ", "Content-Type: application/octet-stream",
                              "Content-Length: 10", "Connection: keep-alive", NULL},
        "\0\r\n\r\n\0\xff%s-", 10);
    const struct http_response empty = {.status = 404, .content_type = "a\tb"};
    lab_likely(
        "a body of 0 bytes has a Content-Length, too: without one the client waits for the end of the stream");
    expect_written(write_response, &empty,
                   (const char *const[]){"HTTP/1.1 404 Not Found", "Content-Type: a\tb",
                                         "Content-Length: 0", "Connection: close", NULL},
                   NULL, 0);
}

LAB_TEST(
    http_response_write, adds_fields_and_leaves_out_the_body_for_head, .points = 2,
    .task = 1, .read = "A message", .needs = "http_response_write/writes_head_and_body",
    .likely = "head_only: Content-Length stays that of the body, and the body is left "
              "out; further fields: field_count of them")
{
    const struct http_field fields[] = {
        {"Allow", "GET, HEAD"}, {"X-1", ""}, {"No", "no"}};
    const struct http_response response = {.status = 405,
                                           .content_type = "text/plain",
                                           .body = "Method not allowed",
                                           .body_size = 18,
                                           .head_only = true,
                                           .fields = fields,
                                           .field_count = 2};
    expect_written(write_response, &response,
                   (const char *const[]){"HTTP/1.1 405 Method Not Allowed",
                                         "Content-Type: text/plain", "Content-Length: 18",
                                         "Connection: close", "Allow: GET, HEAD",
                                         "X-1: ", NULL},
                   NULL, 0);
}

static void expect_refused(written *write, const void *message)
{
    char out[1000];
    errno = 0;
    ssize_t n = write(message, out, sizeof out);
    lab_expect(n == -1 && errno == EINVAL, "-1 and errno EINVAL", "returned %s",
               lab_result(n, errno));
    errno = 0;
    n = write(message, out, 10);
    case_is("the same, and room for 10 bytes only");
    lab_expect(n == -1 && errno == EINVAL, "-1 and errno EINVAL", "returned %s",
               lab_result(n, errno));
}

static const char *const broken_values[] = {
    "a\r\nSet-Cookie: b", "a\n", "\r", "\x01", "\x1f", "\x7f"};
static const char *const broken_names[] = {"",         "A B", "A:", "A\r\nB",
                                           "\xc3\xa4", "A(",  "A\t"};

LAB_TEST(http_response_write, refuses_what_breaks_the_head, .points = 2, .task = 1,
         .read = "A line too many", .needs = "http_response_write/writes_head_and_body",
         .likely =
             "look at each text before you write it: a value with \\r or \\n in it is "
             "a line of its own, and a name must be a token")
{
    static const int statuses[] = {-1, 0, 100, 199, 204, 304, 600, 1200};
    struct http_response response = {.content_type = "text/plain"};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        case_is("the status is %d", response.status = statuses[i]);
        lab_likely(
            "200 to 599 can be answered with, but for 204 and 304, which have no body");
        expect_refused(write_response, &response);
    }
    lab_likely(NULL);
    response.status = 599;
    for (size_t i = 0; i < sizeof broken_values / sizeof *broken_values; i++) {
        case_is("content_type is %s",
                lab_quote(broken_values[i], strlen(broken_values[i])));
        response.content_type = broken_values[i];
        expect_refused(write_response, &response);
        struct http_field field[] = {{"Good", "good"}, {"A", broken_values[i]}};
        case_is("a field's value is %s",
                lab_quote(broken_values[i], strlen(broken_values[i])));
        response = (struct http_response){
            .status = 200, .content_type = "", .fields = field, .field_count = 2};
        expect_refused(write_response, &response);
    }
    for (size_t i = 0; i < sizeof broken_names / sizeof *broken_names; i++) {
        struct http_field field = {broken_names[i], "a"};
        case_is("a field's name is %s",
                lab_quote(broken_names[i], strlen(broken_names[i])));
        response = (struct http_response){
            .status = 200, .content_type = "", .fields = &field, .field_count = 1};
        expect_refused(write_response, &response);
    }
    const struct http_field unusual = {"!#$%&'*+-.^_`|~09azAZ", "\t\xe4 ~!"};
    lab_likely(
        "a value may hold tabs and bytes above 127, a name any of the signs in http.h");
    case_is("the last status, and a field of unusual but allowed bytes");
    response = (struct http_response){
        .status = 599, .content_type = "", .fields = &unusual, .field_count = 1};
    char out[400];
    ssize_t n = write_response(&response, out, sizeof out);
    lab_expect(n > 0, "a number of bytes", "returned %s", lab_result(n, errno));
    response.status = 200;
    n = write_response(&response, out, sizeof out);
    lab_expect(n > 0, "a number of bytes", "returned %s", lab_result(n, errno));
}

LAB_TEST(
    http_request_write, writes_a_request, .points = 2, .task = 1, .read = "A message",
    .likely = "the request line, Host, Connection, the further fields, and an empty line")
{
    const struct http_field fields[] = {{"Accept", "*/*"}, {"A", "b"}, {"No", "no"}};
    struct http_request request = {.method = "GET",
                                   .target = "/",
                                   .host = "localhost:8080",
                                   .fields = fields,
                                   .field_count = 2};
    expect_written(write_request, &request,
                   (const char *const[]){"GET / HTTP/1.1", "Host: localhost:8080",
                                         "Connection: close", "Accept: */*", "A: b",
                                         NULL},
                   NULL, 0);
    request = (struct http_request){
        .method = "M-SEARCH", .target = "!~", .host = "", .keep_alive = true};
    expect_written(write_request, &request,
                   (const char *const[]){"M-SEARCH !~ HTTP/1.1",
                                         "Host: ", "Connection: keep-alive", NULL},
                   NULL, 0);
}

LAB_TEST(http_request_write, refuses_what_breaks_the_head, .points = 1, .task = 1,
         .read = "A line too many", .needs = "http_request_write/writes_a_request",
         .likely =
             "look at method, target, host and fields before you write them: what came "
             "from somewhere else may hold a line end")
{
    static const char *const targets[] = {"",      "/a b",      "/\r\nHost: evil",
                                          "/\x7f", "/\xc3\xa4", " "};
    struct http_request request;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        case_is("the target is %s", lab_quote(targets[i], strlen(targets[i])));
        request =
            (struct http_request){.method = "GET", .target = targets[i], .host = "x"};
        expect_refused(write_request, &request);
    }
    for (size_t i = 0; i < sizeof broken_names / sizeof *broken_names; i++) {
        struct http_field field = {broken_names[i], "a"};
        case_is("the method is %s", lab_quote(broken_names[i], strlen(broken_names[i])));
        request =
            (struct http_request){.method = broken_names[i], .target = "/", .host = "x"};
        expect_refused(write_request, &request);
        case_is("a field's name is %s",
                lab_quote(broken_names[i], strlen(broken_names[i])));
        request = (struct http_request){.method = "GET",
                                        .target = "/",
                                        .host = "x",
                                        .fields = &field,
                                        .field_count = 1};
        expect_refused(write_request, &request);
    }
    for (size_t i = 0; i < sizeof broken_values / sizeof *broken_values; i++) {
        case_is("the host is %s", lab_quote(broken_values[i], strlen(broken_values[i])));
        request = (struct http_request){
            .method = "GET", .target = "/", .host = broken_values[i]};
        expect_refused(write_request, &request);
    }
}

/* ---- http_parser_init ------------------------------------------------------------ */

LAB_TEST(http_parser_init, begins_anew, .points = 1, .task = 2,
         .read = "Bytes in, events out", .needs = "http_parser_next/finds_a_request",
         .likely =
             "what a parser remembers is begun again by http_parser_init(), and by each "
             "new message: nothing of the old one is left, not even an error")
{
    struct telling *t = begin(HTTP_RESPONSE);
    case_is(
        "half a head; then http_parser_init(), and a request; init, and what is none; init, and a request");
    feed(t, "HTTP/1.1 200 OK\r\nA: b\r\nC", 24);
    http_parser_init(t->parser, HTTP_REQUEST);
    feed(t, GET "\r\n", sizeof GET + 1);
    feed(t, "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n", 30);
    http_parser_init(t->parser, HTTP_REQUEST);
    feed(t, "GET / HTTP/1.0\r\n\r\n", 18);
    expect_told(t, GOT "; end; bad 400; [GET] [/] 1.0 close; end; ");
    finished(t);
}

/* ---- http_parser_next: heads ----------------------------------------------------- */

LAB_TEST(http_parser_next, finds_a_request, .points = 3, .task = 2,
         .read = "Bytes in, events out",
         .likely =
             "for each message HTTP_HEAD, then HTTP_END, then HTTP_MORE when nothing is "
             "left; method, target, names and values are texts that end with a NUL")
{
    static const char request[] = "GET /a?b=c HTTP/1.1\r\nHost: localhost:8080\r\n"
                                  "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
    expect_whole(HTTP_REQUEST, request, sizeof request - 1,
                 "[GET] [/a?b=c] 1.1 keep Host=localhost:8080 User-Agent=curl/7.88.1 "
                 "Accept=*/*; end; ");
    struct telling *t = begin(HTTP_REQUEST);
    case_is("a request; a call without bytes; and a look at the head");
    struct http_bytes input = {request, sizeof request - 1}, body;
    lab_expect(http_parser_next(t->parser, &input, &body) == HTTP_HEAD, "HTTP_HEAD",
               "returned another event");
    lab_expect(http_parser_next(t->parser, &input, &body) == HTTP_END, "HTTP_END",
               "returned another event");
    const struct http_head *head = &t->parser->head;
    lab_expect(head->status == 0 && head->reason == NULL,
               "status 0 and no reason in a request", "set status %d", head->status);
    lab_likely(
        "after HTTP_END the head is still there, until the next call: the caller answers now");
    lab_expect(head->field_count == 3 && strcmp(head->method, "GET") == 0 &&
                   strcmp(head->fields[2].value, "*/*") == 0,
               "the head, still there after HTTP_END", "lost it");
    lab_expect(http_parser_next(t->parser, &input, &body) == HTTP_MORE, "HTTP_MORE",
               "returned another event");
    finished(t);
}

LAB_TEST(
    http_parser_next, finds_a_request_cut_anywhere, .points = 4, .task = 2,
    .read = "One read is not one request", .needs = "http_parser_next/finds_a_request",
    .likely = "keep what has come of a line, and go on there with the next bytes: a cut "
              "may be between \\r and \\n, too")
{
    static const char stream[] =
        "POST /x HTTP/1.0\r\nHost: ab\r\nConnection: keep-alive\r\n\r\n"
        "\r\n\r\n" GET "\r\n";
    expect_cut(HTTP_REQUEST, stream, sizeof stream - 1,
               "[POST] [/x] 1.0 keep Host=ab Connection=keep-alive; end; " GOT "; end; ");
    expect_pieces(HTTP_REQUEST, stream, sizeof stream - 1, 3,
                  "[POST] [/x] 1.0 keep Host=ab Connection=keep-alive; end; " GOT
                  "; end; ");
    static const char half[] = GET "A: b\r\n";
    expect_cut(HTTP_REQUEST, half, sizeof half - 1, "");
}

LAB_TEST(http_parser_next, finds_requests_that_follow_each_other, .points = 3, .task = 2,
         .read = "Two requests in one read", .needs = "http_parser_next/finds_a_request",
         .likely =
             "at HTTP_END take no byte of what follows: the next call begins there; and "
             "nothing of the old head is in the new one")
{
    static const char three[] = GET "A: 1\r\nB: 2\r\n\r\n" GET
                                    "Connection: close\r\n\r\nPUT * HTTP/1.0\r\n\r\n" GET;
    static const char told_of[] = GOT " A=1 B=2; end; [GET] [/] 1.1 close Host=x "
                                      "Connection=close; end; [PUT] [*] 1.0 close; end; ";
    expect_whole(HTTP_REQUEST, three, sizeof three - 1, told_of);
    expect_pieces(HTTP_REQUEST, three, sizeof three - 1, 5, told_of);
    struct telling *t = begin(HTTP_REQUEST);
    struct http_bytes input = {three, sizeof three - 1}, body;
    case_is("three requests, and a part of a fourth, at once");
    for (int i = 0; i < 2; i++)
        http_parser_next(t->parser, &input, &body);
    lab_expect(input.bytes == three + sizeof GET + 13,
               "all behind the first request still in the input", "took %td bytes of it",
               input.bytes - three);
    finished(t);
    enum { MANY = 350 };
    char *stream = memory(MANY * (sizeof GET + 1) + 1);
    char *events = memory(MANY * sizeof(GOT "; end; ") + 1);
    size_t n = 0, m = 0;
    for (int i = 0; i < MANY; i++) {
        n += (size_t)sprintf(stream + n, GET "\r\n");
        m += (size_t)sprintf(events + m, GOT "; end; ");
    }
    lab_likely(
        "the limits are those of one head: begin to count again with each message");
    expect_pieces(HTTP_REQUEST, stream, MANY * (sizeof GET + 1), 1000, events);
    free(stream);
    free(events);
}

LAB_TEST(
    http_parser_next, reads_lines_as_they_are_written, .points = 3, .task = 2,
    .read = "A message", .needs = "http_parser_next/finds_a_request",
    .likely =
        "go through \"A head\" in http.h: spaces and tabs are taken off both ends of "
        "a value and nowhere else, a colon may be in it, and it may be empty")
{
    EXPECT(
        HTTP_REQUEST,
        "GET / HTTP/1.1\r\nHost:x\r\nA: \t b c\t d\t \r\nB:\r\nC:  \t\r\nD: http://e:1/\r\n"
        "E: \xc3\xa4\xff\r\na: B\r\n\r\n",
        GOT " A=b c\t d B= C= D=http://e:1/ E=\xc3\xa4\xff a=B; end; ");
    EXPECT(HTTP_REQUEST,
           "get http://h:80/?q=%20&r={}#~ HTTP/1.0\r\n!#$%&'*+-.^_`|~09azAZ: v\r\n\r\n",
           "[get] [http://h:80/?q=%20&r={}#~] 1.0 close !#$%&'*+-.^_`|~09azAZ=v; end; ");
    lab_likely(
        "HTTP/1.2 to 1.9 are read as 1.1: a server of 1.1 understands what is new enough to be ignored");
    EXPECT(HTTP_REQUEST, "M-X ! HTTP/1.2\r\nHost:\r\n\r\n",
           "[M-X] [!] 1.1 keep Host=; end; ");
    EXPECT(HTTP_REQUEST, "GETGET * HTTP/1.9\r\nHOST: x\r\n\r\n",
           "[GETGET] [*] 1.1 keep HOST=x; end; ");
}

LAB_TEST(
    http_parser_next, knows_whether_the_connection_goes_on, .points = 3, .task = 2,
    .read = "Once more, or the last time", .needs = "http_parser_next/finds_a_request",
    .likely =
        "Connection is a list with commas, in letters of any case, and may stand on several lines: "
        "1.1 goes on unless it has \"close\", 1.0 ends unless it has \"keep-alive\"")
{
    static const struct {
        const char *lines;
        bool in_1_0, in_1_1;
    } cases[] = {
        {"", false, true},
        {"Connection: close\r\n", false, false},
        {"Connection: keep-alive\r\n", true, true},
        {"connection: CLOSE\r\n", false, false},
        {"CONNECTION: Keep-Alive\r\n", true, true},
        {"Connection: Upgrade, close\r\n", false, false},
        {"Connection: te ,\tkeep-alive\r\n", true, true},
        {"Connection: keep-alive, close\r\n", false, false},
        {"Connection: close,keep-alive\r\n", false, false},
        {"Connection: closed, disclose\r\n", false, true},
        {"Connection: keep-alive;close\r\n", false, true},
        {"Connection: keep-alives, keep\r\n", false, true},
        {"Connection: ,,\r\nConnection: close\r\n", false, false},
        {"Connection: keep-alive\r\nConnection: close\r\n", false, false},
        {"Connection: Upgrade\r\nConnection: keep-alive\r\n", true, true},
        {"Keep-Alive: keep-alive\r\nProxy-Connection: close\r\n", false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int minor = 0; minor < 2; minor++) {
            char request[200];
            int n =
                snprintf(request, sizeof request, "GET / HTTP/1.%d\r\nHost: x\r\n%s\r\n",
                         minor, cases[i].lines);
            struct telling *t = begin(HTTP_REQUEST);
            case_is("\"%s\"", shown(request, (size_t)n));
            feed(t, request, (size_t)n);
            bool right = minor ? cases[i].in_1_1 : cases[i].in_1_0;
            lab_expect(t->n > 0 && t->event == HTTP_MORE, "HTTP_HEAD and HTTP_END",
                       "told: %s", t->text);
            lab_expect(t->keep_alive == right,
                       right ? "keep_alive true" : "keep_alive false", "told: %.300s",
                       t->text);
            finished(t);
        }
}

LAB_TEST(http_parser_next, refuses_what_is_no_request, .points = 4, .task = 2,
         .read = "Strict is kind", .needs = "http_parser_next/finds_a_request",
         .likely =
             "go through \"A head\" in http.h, rule by rule: what is not as there is 400")
{
    EXPECT(HTTP_REQUEST, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, " GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET /\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET HTTP/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "/ HTTP/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "hello\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / x HTTP/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "G(T / HTTP/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    lab_likely(
        "a version is \"HTTP/\" in capitals, a digit, a dot, a digit, and nothing else: else 400");
    EXPECT(HTTP_REQUEST, "GET / http/1.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.10\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1,1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.x\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/x.1\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP\r\nHost: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / \r\nHost: x\r\n\r\n", "bad 400; ");
    lab_likely(
        "a field is NAME: VALUE, and NAME a token, right before the colon: no line may begin with a space, be without a colon, or have a space in front of it");
    EXPECT(HTTP_REQUEST, GET "A : b\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET " A: b\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "A: b\r\n c\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "A\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET ": b\r\n\r\n", "bad 400; ");
    lab_likely(
        "a line holds no byte below 32 but tabs, nor 127: NUL and a CR in the middle are the tools of attacks");
    EXPECT(HTTP_REQUEST, GET "A: b\0c\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "A\0: b\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "A: b\rc\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "A: b\r\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "A: b\x1f\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "A: b\x7f\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.1\0\r\nHost: x\r\n\r\n", "bad 400; ");
    lab_likely("HTTP/1.1 needs Host, HTTP/1.0 does not, and twice it may be in neither");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.1\r\nA: b\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.1\r\nXHost: b\r\nHos: t\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "host: x\r\n\r\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", "bad 400; ");
    lab_likely(
        "after HTTP_BAD nothing can be trusted: the same again at each later call");
    struct telling *t = begin(HTTP_REQUEST);
    case_is("\"hello\\r\\n\\r\\n\", and then a good request");
    feed(t, "hello\r\n\r\n", 9);
    feed(t, GET "\r\n", sizeof GET + 1);
    feed(t, "", 0);
    expect_told(t, "bad 400; bad 400; bad 400; ");
    finished(t);
}

LAB_TEST(http_parser_next, refuses_a_bare_lf_at_once, .points = 2, .task = 2,
         .read = "Strict is kind", .needs = "http_parser_next/finds_a_request",
         .likely =
             "look at the byte in front of each \\n as soon as that has come: if it is "
             "no \\r the answer is 400, and a client that waits for one gets it")
{
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.1\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "A: b\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, "\n", "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "\r\n\n", GOT "; end; bad 400; ");
}

LAB_TEST(http_parser_next, tells_other_versions_apart, .points = 1, .task = 2,
         .read = "Strict is kind", .needs = "http_parser_next/finds_a_request",
         .likely =
             "a version whose first digit is not 1 is 505; one that is no version is 400")
{
    EXPECT(HTTP_REQUEST, "PRI * HTTP/2.0\r\n\r\n", "bad 505; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/0.9\r\nHost: x\r\n\r\n", "bad 505; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/3.1\r\nHost: x\r\n\r\n", "bad 505; ");
}

/* A head of that many bytes: GET, empty lines, and one field. */
static size_t long_head(char *out, size_t n)
{
    size_t used = (size_t)sprintf(out, "\r\n\r\n" GET "A: ");
    memset(out + used, 'a', n - used - 4);
    memcpy(out + n - 4, "\r\n\r\n", 4);
    return n;
}

LAB_TEST(
    http_parser_next, limits_the_head, .points = 3, .task = 2,
    .read = "Never trust a length", .needs = "http_parser_next/finds_a_request",
    .likely =
        "count the bytes of the head, empty lines in front and behind too, before "
        "you keep them: with the byte that is one too many it is 431; the same with fields")
{
    static char bytes[2 * HTTP_HEAD_MAX + 1], events[HTTP_HEAD_MAX + 100];
    long_head(bytes, HTTP_HEAD_MAX);
    size_t n = (size_t)sprintf(events, GOT " A=");
    memset(events + n, 'a', HTTP_HEAD_MAX - 4 - sizeof GET + 1 - 3 - 4);
    memcpy(events + n + HTTP_HEAD_MAX - 4 - sizeof GET + 1 - 3 - 4, "; end; ", 8);
    expect_whole(HTTP_REQUEST, bytes, HTTP_HEAD_MAX, events);
    expect_pieces(HTTP_REQUEST, bytes, HTTP_HEAD_MAX, 1000, events);
    expect_pieces(HTTP_REQUEST, bytes, HTTP_HEAD_MAX, 1, events);
    long_head(bytes, HTTP_HEAD_MAX + 1);
    expect_whole(HTTP_REQUEST, bytes, HTTP_HEAD_MAX + 1, "bad 431; ");
    expect_pieces(HTTP_REQUEST, bytes, HTTP_HEAD_MAX + 1, 1000, "bad 431; ");
    expect_pieces(HTTP_REQUEST, bytes, HTTP_HEAD_MAX + 1, 1, "bad 431; ");
    memset(bytes, 'G', sizeof bytes);
    expect_whole(HTTP_REQUEST, bytes, sizeof bytes, "bad 431; ");
    expect_pieces(HTTP_REQUEST, bytes, HTTP_HEAD_MAX + 1, 512, "bad 431; ");
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i % 2 ? '\n' : '\r';
    expect_pieces(HTTP_REQUEST, bytes, HTTP_HEAD_MAX, 512, "");
    expect_pieces(HTTP_REQUEST, bytes, HTTP_HEAD_MAX + 2, 512, "bad 431; ");
    n = (size_t)sprintf(bytes, GET);
    size_t m = (size_t)sprintf(events, GOT);
    for (int i = 1; i < HTTP_FIELDS_MAX; i++) {
        n += (size_t)sprintf(bytes + n, "f%d:%d\r\n", i, i);
        m += (size_t)sprintf(events + m, " f%d=%d", i, i);
    }
    memcpy(events + m, "; end; ", 8);
    memcpy(bytes + n, "\r\n", 2);
    expect_whole(HTTP_REQUEST, bytes, n + 2, events);
    memcpy(bytes + n, "f:\r\n\r\n", 6);
    expect_whole(HTTP_REQUEST, bytes, n + 6, "bad 431; ");
    memset(bytes, 'a', sizeof bytes);
    memcpy(bytes, "HTTP/1.1 200 ", 13);
    expect_whole(HTTP_RESPONSE, bytes, sizeof bytes, "bad 431; ");
    expect_pieces(HTTP_RESPONSE, bytes, HTTP_HEAD_MAX + 1, 512, "bad 431; ");
}

/* ---- http_field_value ------------------------------------------------------------ */

static void expect_value(const struct http_head *head, const char *name,
                         const char *value)
{
    case_is("Host=x, Host-2=y, HOST=z, Empty=; the name asked for is \"%s\"", name);
    errno = 0;
    const char *got = http_field_value(head, name);
    if (value == NULL) {
        lab_expect(got == NULL, "NULL", "returned \"%s\"", got);
        return;
    }
    lab_expect(got != NULL && strcmp(got, value) == 0, lab_quote(value, strlen(value)),
               "returned %s%s", got == NULL ? "NULL" : lab_quote(got, strlen(got)),
               errno == ENOSYS ? " and errno ENOSYS" : "");
}

LAB_TEST(
    http_field_value, finds_the_first_in_any_case, .points = 2, .task = 2,
    .read = "A message", .man = "3 strcasecmp",
    .likely =
        "compare whole names, without regard to case, from the first field to the last that is there")
{
    static struct http_head head = {.fields = {{"Host-2", "y"},
                                               {"Host", "x"},
                                               {"HOST", "z"},
                                               {"Empty", ""},
                                               {"Past", "p"}},
                                    .field_count = 4};
    expect_value(&head, "Host", "x");
    expect_value(&head, "hOST", "x");
    expect_value(&head, "host-2", "y");
    expect_value(&head, "empty", "");
    expect_value(&head, "Hos", NULL);
    expect_value(&head, "Past", NULL);
    expect_value(&head, "Host-22", NULL);
    head.field_count = 0;
    expect_value(&head, "Host-2", NULL);
}

/* ---- http_parser_next: bodies ---------------------------------------------------- */

LAB_TEST(http_parser_next, takes_a_body_of_a_known_length, .points = 3, .task = 3,
         .read = "Where a body ends",
         .needs = "http_parser_next/finds_a_request_cut_anywhere",
         .likely =
             "count the body's bytes down, however they come: HTTP_BODY for what is "
             "there, HTTP_END when none is left, and no byte of the next request with it")
{
    static const char two[] = "POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 11\r\n\r\n"
                              "\0GET / \r\n\r\n" GET "\r\n";
    expect_cut(
        HTTP_REQUEST, two, sizeof two - 1,
        "[POST] [/] 1.1 keep Host=x content-LENGTH=11; body \\0GET / \r\n\r\n; end; " GOT
        "; end; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n" GET "\r\n",
           "[GET] [/] 1.0 close Content-Length=0; end; " GOT "; end; ");
    EXPECT(HTTP_REQUEST, GET "Content-Length: 0005\r\n\r\nhello" GET "\r\n",
           GOT " Content-Length=0005; body hello; end; " GOT "; end; ");
    EXPECT(HTTP_REQUEST, GET "Content-Length: 9\r\n\r\nhello",
           GOT " Content-Length=9; body hello");
    EXPECT(HTTP_REQUEST, GET "Content-Length: 9223372036854775807\r\n\r\nhello",
           GOT " Content-Length=9223372036854775807; body hello");
    enum { LARGE = 1000000 };
    char *large = memory(LARGE);
    size_t head = (size_t)sprintf(large, GET "Content-Length: %d\r\n\r\n", LARGE),
           got = 0;
    memset(large + head, 'b', LARGE - head);
    struct http_parser *parser = memory(sizeof *parser);
    struct http_bytes input = {large, LARGE}, body = {NULL, 0};
    case_is("a body of 1000000 bytes, of which %zu have come", LARGE - head);
    http_parser_init(parser, HTTP_REQUEST);
    http_parser_next(parser, &input, &body);
    while (input.n > 0 && got < LARGE) {
        lab_expect(http_parser_next(parser, &input, &body) == HTTP_BODY, "HTTP_BODY",
                   "returned another event");
        got += body.n;
    }
    lab_expect(got == LARGE - head, "all of them in pieces of the body", "gave %zu", got);
    free(large);
    free(parser);
}

#define CHUNKED GET "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKS  GOT " Transfer-Encoding=chunked; "

LAB_TEST(
    http_parser_next, takes_a_body_in_chunks, .points = 4, .task = 3,
    .read = "Where a body ends",
    .needs = "http_parser_next/takes_a_body_of_a_known_length",
    .likely =
        "a line with the size in hexadecimal, so many bytes, CRLF; the chunk of size 0 "
        "has no bytes and no CRLF of its own: trailers, if any, and an empty line follow")
{
    static const char stream[] =
        CHUNKED "5\r\nhello\r\n00A ;x=\"y\"\r\n\r\n \0world\r\r\n1\t;\r\n!\r\n0\r\n"
                "T: u\r\n\r\n" GET "\r\n";
    expect_cut(HTTP_REQUEST, stream, sizeof stream - 1,
               CHUNKS "body hello\r\n \\0world\r!; end; " GOT "; end; ");
    EXPECT(HTTP_REQUEST, CHUNKED "000;\r\n\r\n" GET "\r\n", CHUNKS "end; " GOT "; end; ");
    EXPECT(HTTP_REQUEST, CHUNKED "0\r\nT: u\r\n", CHUNKS);
    EXPECT(HTTP_REQUEST, CHUNKED "aB\r\nhello", CHUNKS "body hello");
    EXPECT(HTTP_REQUEST, CHUNKED "0000000000000000000005\r\nhello", CHUNKS "body hello");
    EXPECT(HTTP_REQUEST, CHUNKED "7fffffffffffffff\r\nhello", CHUNKS "body hello");
    EXPECT(
        HTTP_REQUEST,
        "PUT / HTTP/1.1\r\nHost: x\r\ntransfer-encoding: \tCHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "[PUT] [/] 1.1 keep Host=x transfer-encoding=CHUNKED; body a; end; ");
    static const char digits[] = "0123456789abcdefABCDEF";
    for (size_t i = 1; i < sizeof digits - 1; i++) {
        char sized[200], events[200];
        int size = i < 16 ? (int)i : (int)i - 6;
        int n = sprintf(sized, CHUNKED "%c\r\n%.*s\r\n0\r\n\r\n", digits[i], size,
                        "123456789abcdef");
        sprintf(events, CHUNKS "body %.*s; end; ", size, "123456789abcdef");
        expect_whole(HTTP_REQUEST, sized, (size_t)n, events);
    }
}

LAB_TEST(
    http_parser_next, refuses_doubtful_lengths, .points = 3, .task = 3,
    .read = "Where a body ends", .needs = "http_parser_next/takes_a_body_in_chunks",
    .likely =
        "a length that two programs could read in two ways is 400: it must be digits "
        "alone, once, without Transfer-Encoding beside it, and no sum may overflow")
{
    static const char *const bad[] = {"+5",
                                      "-1",
                                      "",
                                      "5 5",
                                      "5,5",
                                      "0x5",
                                      "5a",
                                      "a",
                                      "9223372036854775808",
                                      "18446744073709551621",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char request[200];
        int n = sprintf(request, GET "Content-Length: %s\r\n\r\n", bad[i]);
        expect_whole(HTTP_REQUEST, request, (size_t)n, "bad 400; ");
    }
    EXPECT(HTTP_REQUEST, GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
           "bad 400; ");
    EXPECT(HTTP_REQUEST, GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
           "bad 400; ");
    EXPECT(HTTP_REQUEST, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
           "bad 400; ");
    lab_likely(
        "a Transfer-Encoding that is not \"chunked\" alone, once, cannot be understood here: 501");
    EXPECT(HTTP_REQUEST, GET "Transfer-Encoding: gzip\r\n\r\n", "bad 501; ");
    EXPECT(HTTP_REQUEST, GET "Transfer-Encoding: gzip, chunked\r\n\r\n", "bad 501; ");
    EXPECT(HTTP_REQUEST, GET "Transfer-Encoding:\r\n\r\n", "bad 501; ");
    EXPECT(HTTP_REQUEST, GET "Transfer-Encoding: chunkedx\r\n\r\n", "bad 501; ");
    EXPECT(HTTP_REQUEST,
           GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
           "bad 501; ");
    EXPECT(
        HTTP_RESPONSE,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "bad 501; ");
}

LAB_TEST(http_parser_next, refuses_broken_chunks, .points = 3, .task = 3,
         .read = "Where a body ends", .needs = "http_parser_next/takes_a_body_in_chunks",
         .likely =
             "a chunk's line is hexadecimal digits, then at most spaces, tabs and what "
             "follows a \";\"; behind its data comes CRLF and nothing else")
{
    static const char *const bad[] = {"",
                                      ";x",
                                      " 5",
                                      "g",
                                      "5g",
                                      "5 5",
                                      "-5",
                                      "0x5",
                                      "+5",
                                      "5:",
                                      "8000000000000000",
                                      "10000000000000005"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char request[200];
        int n = sprintf(request, CHUNKED "%s\r\n", bad[i]);
        expect_whole(HTTP_REQUEST, request, (size_t)n, CHUNKS "bad 400; ");
    }
    EXPECT(HTTP_REQUEST, CHUNKED "5\n", CHUNKS "bad 400; ");
    EXPECT(HTTP_REQUEST, CHUNKED "2\r\nhello\r\n", CHUNKS "body he; bad 400; ");
    EXPECT(HTTP_REQUEST, CHUNKED "5\r\nhello\n", CHUNKS "body hello; bad 400; ");
    EXPECT(HTTP_REQUEST, CHUNKED "5;x\n", CHUNKS "bad 400; ");
    EXPECT(HTTP_REQUEST, CHUNKED "5;\x1f\r\n", CHUNKS "bad 400; ");
    lab_likely(
        "a trailer is a line and a field as in a head, and the empty line behind them is CRLF, too: look at all lines in one place");
    EXPECT(HTTP_REQUEST, CHUNKED "0\r\nT: u\n", CHUNKS "bad 400; ");
    EXPECT(HTTP_REQUEST, CHUNKED "0\r\n\n", CHUNKS "bad 400; ");
    EXPECT(HTTP_REQUEST, CHUNKED "0\r\nT: u\x1f\r\n\r\n", CHUNKS "bad 400; ");
    EXPECT(HTTP_REQUEST, CHUNKED "0\r\nT u\r\n\r\n", CHUNKS "bad 400; ");
    EXPECT(HTTP_REQUEST, CHUNKED "0\r\n: u\r\n\r\n", CHUNKS "bad 400; ");
    lab_likely(
        "a line of a chunk has at most HTTP_LINE_MAX bytes, CRLF included, and there are at most HTTP_FIELDS_MAX trailers: more is 431");
    char line[HTTP_LINE_MAX + 1];
    memset(line, 'x', HTTP_LINE_MAX);
    memcpy(line, "0;", 2);
    memcpy(line + HTTP_LINE_MAX - 2, "\r\n", 2);
    for (int trailers = 0; trailers <= 1; trailers++)
        for (int over = 0; over <= 1; over++) {
            struct telling *t = begin(HTTP_REQUEST);
            case_is("a chunked body with a %s of %d bytes",
                    trailers ? "trailer" : "chunk's line", HTTP_LINE_MAX + over);
            feed(t, CHUNKED, sizeof CHUNKED - 1);
            if (trailers)
                feed(t, "0\r\n", 3);
            feed(t, trailers ? "T:" : "0;", 2);
            feed(t, over ? "xx" : "x", (size_t)over + 1);
            feed(t, line + 3, HTTP_LINE_MAX - 3);
            if (!over)
                feed(t, "\r\n", 2);
            expect_told(t, over ? CHUNKS "bad 431; " : CHUNKS "end; ");
            finished(t);
        }
    for (int over = 0; over <= 1; over++) {
        struct telling *t = begin(HTTP_REQUEST);
        case_is("a chunked body with %d trailers", HTTP_FIELDS_MAX + over);
        feed(t, CHUNKED "1\r\nx\r\n0\r\n", sizeof CHUNKED + 8);
        for (int i = 0; i < HTTP_FIELDS_MAX + over; i++)
            feed(t, "T: u\r\n", 6);
        if (t->event != HTTP_BAD) /* which may be told now, or have been */
            feed(t, "\r\n", 2);
        expect_told(t, over ? CHUNKS "body x; bad 431; " : CHUNKS "body x; end; ");
        finished(t);
    }
    lab_likely(
        "the limit of a chunk's line is for each of them: a body may have any number of chunks");
    struct telling *t = begin(HTTP_REQUEST);
    case_is("a body of 9000 chunks");
    feed(t, CHUNKED, sizeof CHUNKED - 1);
    for (int i = 0; i < 9000; i++)
        feed(t, "1\r\nx\r\n", 6);
    lab_expect(t->event == HTTP_MORE, "HTTP_MORE", "told bad %d", t->parser->bad);
    finished(t);
    static char full[HTTP_HEAD_MAX];
    lab_likely(
        "a chunk's line has room of its own, also behind a head that has filled HTTP_HEAD_MAX bytes");
    size_t n = (size_t)sprintf(full, GET "Transfer-Encoding: chunked\r\nA: ");
    memset(full + n, 'a', sizeof full - n - 4);
    memcpy(full + sizeof full - 4, "\r\n\r\n", 4);
    t = begin(HTTP_REQUEST);
    case_is("a head of HTTP_HEAD_MAX bytes, and a chunk's line of HTTP_LINE_MAX");
    feed(t, full, sizeof full);
    feed(t, line, HTTP_LINE_MAX);
    feed(t, "\r\n", 2);
    lab_expect(t->event == HTTP_MORE && strcmp(t->text + t->n - 5, "end; ") == 0,
               "HTTP_END", "told bad %d", t->parser->bad);
    finished(t);
}

/* ---- http_parser_next: responses ------------------------------------------------- */

LAB_TEST(
    http_parser_next, reads_responses, .points = 3, .task = 3,
    .read = "The other direction", .needs = "http_parser_next/takes_a_body_in_chunks",
    .likely =
        "the status line has the version first; 1xx, 204, 304 and the answer to HEAD "
        "have no body, and one without a length goes on to the end of the stream")
{
    static const char two[] = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nrunning"
                              "HTTP/1.0 404 Not  here\r\nTransfer: x\r\n\r\na\r\n\r\nb";
    expect_cut(HTTP_RESPONSE, two, sizeof two - 1,
               "[200] [OK] 1.1 keep Content-Length=7; body running; end; "
               "[404] [Not  here] 1.0 close Transfer=x; body a\r\n\r\nb");
    EXPECT(
        HTTP_RESPONSE,
        "\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 \r\n\r\nHTTP/1.1 204\r\nContent-Length: 5\r\n\r\n"
        "HTTP/1.1 304 -\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.9 599 \xc3\xa4\t \r\n\r\nHTTP",
        "[100] [Continue] 1.1 keep; end; [199] [] 1.1 keep; end; "
        "[204] [] 1.1 keep Content-Length=5; end; [304] [-] 1.1 keep Transfer-Encoding=chunked; end; "
        "[599] [\xc3\xa4\t ] 1.1 close; body HTTP");
    EXPECT(
        HTTP_RESPONSE,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 205 R\r\n"
        "Connection: close\r\nContent-Length: 0\r\n\r\n",
        "[200] [OK] 1.1 keep Transfer-Encoding=chunked; body abc; end; "
        "[205] [R] 1.1 close Connection=close Content-Length=0; end; ");
    EXPECT(HTTP_RESPONSE, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nx",
           "[200] [OK] 1.1 close Connection=keep-alive; body x");
    lab_likely("the answer to HEAD has no body, whatever its fields say of one");
    EXPECT(HTTP_RESPONSE_TO_HEAD,
           "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 ",
           "[200] [OK] 1.1 keep Content-Length=7; end; [200] [OK] 1.1 keep; end; "
           "[200] [OK] 1.1 keep Transfer-Encoding=chunked; end; ");
}

LAB_TEST(
    http_parser_next, refuses_what_is_no_response, .points = 1, .task = 3,
    .read = "The other direction", .needs = "http_parser_next/reads_responses",
    .likely =
        "HTTP/, the version, a space, three digits from 100 to 599, and a reason behind one more space, if there is one")
{
    static const char *const bad[] = {
        "GET / HTTP/1.1",   "HTTP/1.1",         "HTTP/1.1 ",        "HTTP/1.1  200 OK",
        "HTTP/1.1 20 OK",   "HTTP/1.1 2000 OK", "HTTP/1.1 2x0 OK",  "HTTP/1.1 20x OK",
        "HTTP/1.1 099 OK",  "HTTP/1.1 600 OK",  "HTTP/1.1 200\tOK", "HTTP/11 200 OK",
        "HTTP/1.11 200 OK", "HTTP 200 OK",      " HTTP/1.1 200 OK", "HTTP/1.1 2/0 OK",
        "HTTP/1.1 20/ OK",  "HTTP/1.1 2:0 OK",  "HTTP/1.1 20: OK"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char response[100];
        int n = sprintf(response, "%s\r\n\r\n", bad[i]);
        expect_whole(HTTP_RESPONSE, response, (size_t)n, "bad 400; ");
    }
    EXPECT(HTTP_RESPONSE, "HTTP/2.0 200 OK\r\n\r\n", "bad 505; ");
    EXPECT(HTTP_RESPONSE, "HTTP/1.1 200 OK\r\nTransfer-Encoding: br\r\n\r\n",
           "bad 501; ");
    EXPECT(HTTP_RESPONSE, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "bad 400; ");
}

/* ---- http_parser_end ------------------------------------------------------------- */

static void expect_end(enum http_kind kind, const char *stream, int right)
{
    struct telling *t = begin(kind);
    case_is("\"%s\", and the end of the stream", shown(stream, strlen(stream)));
    if (*stream != '\0')
        feed(t, stream, strlen(stream));
    errno = 0;
    int end = http_parser_end(t->parser);
    lab_expect(end == right && (end != -1 || errno == EBADMSG),
               right == -1 ? "-1 and errno EBADMSG"
               : right     ? "1"
                           : "0",
               "returned %s", lab_result(end, errno));
    case_is(
        "\"%s\", the end of the stream, and \"HTTP/1.0 200\", or \"A / HTTP/1.0\", of another",
        shown(stream, strlen(stream)));
    lab_likely("after the end the parser is ready for another stream of the same kind");
    t->text[t->n = 0] = '\0';
    t->in_body = false;
    feed(t, kind == HTTP_REQUEST ? "A / HTTP/1.0\r\n\r\n" : "HTTP/1.0 200\r\n\r\n", 16);
    expect_told(t, kind == HTTP_REQUEST    ? "[A] [/] 1.0 close; end; "
                   : kind == HTTP_RESPONSE ? "[200] [] 1.0 close; "
                                           : "[200] [] 1.0 close; end; ");
    lab_likely(NULL);
    finished(t);
}

LAB_TEST(
    http_parser_end, tells_a_cut_from_an_end, .points = 3, .task = 3,
    .read = "Where a body ends", .needs = "http_parser_next/reads_responses",
    .likely =
        "between two messages it is 0, in a body without a length 1, and anywhere else a message was cut: -1")
{
    static const char *const between[] = {"",
                                          "\r\n\r\n",
                                          GET "\r\n",
                                          GET "\r\n\r\n",
                                          GET "Content-Length: 1\r\n\r\na",
                                          CHUNKED "0\r\n\r\n"};
    static const char *const cut[] = {"G",
                                      "GET / HTTP/1.1\r\n",
                                      GET,
                                      GET "\r\n\r\nG",
                                      GET "Content-Length: 2\r\n\r\na",
                                      GET "Content-Length: 2\r\n\r\n",
                                      CHUNKED,
                                      CHUNKED "1",
                                      CHUNKED "2\r\na",
                                      CHUNKED "1\r\na",
                                      CHUNKED "1\r\na\r\n",
                                      CHUNKED "0\r\n",
                                      CHUNKED "0\r\nT: u\r\n",
                                      "\n",
                                      "hello\r\n\r\n"};
    for (size_t i = 0; i < sizeof between / sizeof *between; i++)
        expect_end(HTTP_REQUEST, between[i], 0);
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++)
        expect_end(HTTP_REQUEST, cut[i], -1);
    expect_end(HTTP_RESPONSE, "HTTP/1.0 200 OK\r\n\r\nrunn", 1);
    expect_end(HTTP_RESPONSE, "HTTP/1.1 200 OK\r\n\r\n", 1);
    expect_end(HTTP_RESPONSE, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nrunn", -1);
    expect_end(HTTP_RESPONSE, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrunn", 0);
    expect_end(HTTP_RESPONSE, "HTTP/1.1 200 OK\r\n", -1);
    expect_end(HTTP_RESPONSE_TO_HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 0);
}
