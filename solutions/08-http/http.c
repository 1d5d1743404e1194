#define _POSIX_C_SOURCE 200809L
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- what texts may hold --------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_token(const char *text)
{
    static const char bytes[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t n = strspn(text, bytes);
    return n > 0 && text[n] == '\0';
}

/* The target of a request: what can be seen. */
static bool is_target(const char *text)
{
    const char *at = text;
    while (*at >= '!' && *at <= '~')
        at++;
    return at > text && *at == '\0';
}

/* A line, or a part of one: no control characters. A CR, an LF or a NUL here is an attack. */
static bool is_printable(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 127)
            return false;
    }
    return true;
}

static bool is_value(const char *text)
{
    return is_printable(text, strlen(text));
}

/* ---- writing --------------------------------------------------------------------- */

const char *http_reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 505: return "HTTP Version Not Supported";
    default: return "";
    }
}

/* Where the next byte goes. What does not fit is counted, and not written. */
struct writer {
    char *out;
    size_t size, used;
};

static void put(struct writer *writer, const void *bytes, size_t n)
{
    if (n > 0 && writer->used <= writer->size && n <= writer->size - writer->used)
        memcpy(writer->out + writer->used, bytes, n);
    writer->used += n;
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_number(struct writer *writer, size_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", number);
    put_text(writer, text);
}

static void put_field(struct writer *writer, const char *name, const char *value)
{
    put_text(writer, name);
    put_text(writer, ": ");
    put_text(writer, value);
    put_text(writer, "\r\n");
}

/* The end of each head: who stays, what else there is to say, and an empty line. */
static void put_rest(struct writer *writer, bool keep_alive,
                     const struct http_field *fields, size_t count)
{
    put_field(writer, "Connection", keep_alive ? "keep-alive" : "close");
    for (size_t i = 0; i < count; i++)
        put_field(writer, fields[i].name, fields[i].value);
    put_text(writer, "\r\n");
}

static bool fields_valid(const struct http_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_token(fields[i].name) || !is_value(fields[i].value))
            return false;
    return true;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static ssize_t written(const struct writer *writer)
{
    return writer->used > writer->size ? fail(ENOSPC) : (ssize_t)writer->used;
}

ssize_t http_response_write(const struct http_response *response, void *out, size_t size)
{
    int status = response->status;
    if (status < 200 || status > 599 || status == 204 || status == 304 ||
        !is_value(response->content_type) ||
        !fields_valid(response->fields, response->field_count))
        return fail(EINVAL);
    struct writer writer = {.out = out, .size = size};
    put_text(&writer, "HTTP/1.1 ");
    put_number(&writer, (size_t)status);
    put_text(&writer, " ");
    put_text(&writer, http_reason(status));
    put_text(&writer, "\r\n");
    put_field(&writer, "Content-Type", response->content_type);
    put_text(&writer, "Content-Length: ");
    put_number(&writer, response->body_size);
    put_text(&writer, "\r\n");
    put_rest(&writer, response->keep_alive, response->fields, response->field_count);
    if (!response->head_only)
        put(&writer, response->body, response->body_size);
    return written(&writer);
}

ssize_t http_request_write(const struct http_request *request, void *out, size_t size)
{
    if (!is_token(request->method) || !is_target(request->target) ||
        !is_value(request->host) || !fields_valid(request->fields, request->field_count))
        return fail(EINVAL);
    struct writer writer = {.out = out, .size = size};
    put_text(&writer, request->method);
    put_text(&writer, " ");
    put_text(&writer, request->target);
    put_text(&writer, " HTTP/1.1\r\n");
    put_field(&writer, "Host", request->host);
    put_rest(&writer, request->keep_alive, request->fields, request->field_count);
    return written(&writer);
}

/* ---- a head, line by line -------------------------------------------------------- */

/* What is to come next. */
enum state {
    FRESH,      /* nothing yet: the next call begins a message */
    START_LINE, /* an empty line or a start line */
    FIELD_LINE, /* a field, or the end of the head */
    SIZED,      /* left bytes, and then the message is whole */
    UNTIL_END,  /* all that comes */
    CHUNK_LINE, /* the size of a chunk */
    CHUNK_DATA, /* left bytes of it, */
    CHUNK_CRLF, /* and the line end behind them */
    TRAILER,    /* a field behind the last chunk, or the end of the message */
    BROKEN
};

/* From here on a function that parses returns 0, or the status that says what is wrong. */
enum {
    FINE = 0,
    MALFORMED = 400,
    TOO_LARGE = 431,
    UNKNOWN_CODING = 501,
    UNKNOWN_VERSION = 505
};

static int parse_version(struct http_head *head, const char *text)
{
    if (strncmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
        !is_digit(text[7]))
        return MALFORMED;
    head->minor_version = text[7] != '0';
    return text[5] == '1' ? FINE : UNKNOWN_VERSION;
}

/* Cut a text at its first space. Returns what is behind it, or NULL. */
static char *cut(char *text)
{
    char *space = strchr(text, ' ');
    if (space == NULL)
        return NULL;
    *space = '\0';
    return space + 1;
}

static int parse_request_line(struct http_head *head, char *line)
{
    char *target = cut(line);
    char *version = target == NULL ? NULL : cut(target);
    if (version == NULL || !is_token(line) || !is_target(target) || strlen(version) != 8)
        return MALFORMED;
    head->method = line;
    head->target = target;
    return parse_version(head, version);
}

static int parse_status_line(struct http_head *head, char *line)
{
    char *status = cut(line);
    char *reason = status == NULL ? NULL : cut(status);
    if (status == NULL || strlen(line) != 8 || strlen(status) != 3 || status[0] < '1' ||
        status[0] > '5' || !is_digit(status[1]) || !is_digit(status[2]))
        return MALFORMED;
    head->status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
    head->reason = reason == NULL ? "" : reason;
    return parse_version(head, line);
}

static int parse_field(struct http_field *field, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL)
        return MALFORMED;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t n = strlen(value);
    while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        n--;
    value[n] = '\0';
    *field = (struct http_field){line, value};
    return is_token(line) ? FINE : MALFORMED;
}

static int add_field(struct http_head *head, char *line)
{
    if (head->field_count == HTTP_FIELDS_MAX)
        return TOO_LARGE;
    return parse_field(&head->fields[head->field_count++], line);
}

/* ---- what the fields say --------------------------------------------------------- */

const char *http_field_value(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (strcasecmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    return NULL;
}

static size_t count_fields(const struct http_head *head, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < head->field_count; i++)
        n += strcasecmp(head->fields[i].name, name) == 0;
    return n;
}

/* Is the word in a list such as "keep-alive, Upgrade"? */
static bool in_list(const char *list, const char *word)
{
    while (*list != '\0') {
        size_t n = strcspn(list, ", \t");
        if (n == strlen(word) && strncasecmp(list, word, n) == 0)
            return true;
        list += n;
        list += strspn(list, ", \t");
    }
    return false;
}

static bool connection_says(const struct http_head *head, const char *word)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (strcasecmp(head->fields[i].name, "Connection") == 0 &&
            in_list(head->fields[i].value, word))
            return true;
    return false;
}

/* A number in digits of that base, up to INT64_MAX. Returns the bytes that it takes; 0: it is none. */
static size_t parse_number(const char *text, unsigned base, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    size_t n = 0;
    *number = 0;
    for (; text[n] != '\0'; n++) {
        const char *digit = strchr(digits, text[n]);
        uint64_t value = digit == NULL ? base : (uint64_t)(digit - digits) % 16;
        if (value >= base)
            break;
        if (*number > (INT64_MAX - value) / base)
            return 0;
        *number = *number * base + value;
    }
    return n;
}

/* How does the body end? The answer is the parser's next state. */
static int frame_body(struct http_parser *parser)
{
    struct http_head *head = &parser->head;
    const char *length = http_field_value(head, "Content-Length");
    const char *coding = http_field_value(head, "Transfer-Encoding");
    bool request = parser->kind == HTTP_REQUEST;
    parser->left = 0;
    if (coding != NULL && (length != NULL || head->minor_version == 0))
        return MALFORMED; /* two opinions of where it ends: request smuggling */
    if (coding != NULL && (count_fields(head, "Transfer-Encoding") > 1 ||
                           strcasecmp(coding, "chunked") != 0))
        return UNKNOWN_CODING;
    if (length != NULL && (count_fields(head, "Content-Length") > 1 || *length == '\0' ||
                           length[parse_number(length, 10, &parser->left)] != '\0'))
        return MALFORMED;
    parser->state = SIZED;
    if (parser->kind == HTTP_RESPONSE_TO_HEAD ||
        (!request && (head->status < 200 || head->status == 204 || head->status == 304)))
        parser->left = 0;
    else if (coding != NULL)
        parser->state = CHUNK_LINE;
    else if (length == NULL && !request)
        parser->state = UNTIL_END;
    return FINE;
}

static int finish_head(struct http_parser *parser)
{
    struct http_head *head = &parser->head;
    size_t hosts = count_fields(head, "Host");
    if (parser->kind == HTTP_REQUEST &&
        (hosts > 1 || (hosts == 0 && head->minor_version > 0)))
        return MALFORMED;
    parser->head_used = parser->used;
    int status = frame_body(parser);
    head->keep_alive = parser->state != UNTIL_END && !connection_says(head, "close") &&
                       (head->minor_version > 0 || connection_says(head, "keep-alive"));
    return status;
}

/* ---- one line -------------------------------------------------------------------- */

static int parse_start_line(struct http_parser *parser, char *line)
{
    if (*line == '\0')
        return FINE; /* left over from the message before, as some clients do */
    parser->state = FIELD_LINE;
    return parser->kind == HTTP_REQUEST ? parse_request_line(&parser->head, line)
                                        : parse_status_line(&parser->head, line);
}

static int parse_chunk_line(struct http_parser *parser, const char *line)
{
    size_t n = parse_number(line, 16, &parser->left);
    const char *behind = line + n + strspn(line + n, " \t");
    if (n == 0 || (*behind != '\0' && *behind != ';'))
        return MALFORMED;
    parser->state = parser->left == 0 ? TRAILER : CHUNK_DATA;
    return FINE;
}

static int parse_trailer(struct http_parser *parser, char *line)
{
    struct http_field skipped;
    if (*line == '\0') {
        parser->state = SIZED; /* with nothing left */
        return FINE;
    }
    if (parser->trailers++ == HTTP_FIELDS_MAX)
        return TOO_LARGE;
    return parse_field(&skipped, line);
}

static int parse_line(struct http_parser *parser, char *line)
{
    switch (parser->state) {
    case START_LINE: return parse_start_line(parser, line);
    case FIELD_LINE:
        return *line == '\0' ? finish_head(parser) : add_field(&parser->head, line);
    case CHUNK_LINE: return parse_chunk_line(parser, line);
    case CHUNK_CRLF: parser->state = CHUNK_LINE; return *line == '\0' ? FINE : MALFORMED;
    default: return parse_trailer(parser, line);
    }
}

/*
 * Add bytes to the line that is being read, up to its end. Lines of the head stay in text, one behind
 * the other, as the head points to them; each later one lies behind the head.
 */
static int take_line(struct http_parser *parser, struct http_bytes *input, bool *whole)
{
    size_t most =
        parser->head_used == 0 ? HTTP_HEAD_MAX : parser->head_used + HTTP_LINE_MAX;
    const char *end = memchr(input->bytes, '\n', input->n);
    size_t n = end == NULL ? input->n : (size_t)(end + 1 - input->bytes);
    *whole = end != NULL;
    if (n > most - parser->used)
        return TOO_LARGE;
    memcpy(parser->text + parser->used, input->bytes, n);
    parser->used += n;
    input->bytes += n;
    input->n -= n;
    if (end == NULL)
        return FINE;
    n = parser->used - parser->line;
    char *line = parser->text + parser->line;
    if (n < 2 || line[n - 2] != '\r' || !is_printable(line, n - 2))
        return MALFORMED;
    line[n - 2] = '\0';
    return FINE;
}

/* ---- the parser ------------------------------------------------------------------ */

void http_parser_init(struct http_parser *parser, enum http_kind kind)
{
    parser->kind = kind;
    parser->bad = 0;
    parser->state = FRESH;
}

/* What the last message left is cleared; its 8 KiB of text need not be. */
static void begin_message(struct http_parser *parser)
{
    struct http_head *head = &parser->head;
    head->method = head->target = head->reason = NULL;
    head->status = 0;
    head->field_count = 0;
    parser->used = parser->line = parser->head_used = parser->trailers = 0;
    parser->state = START_LINE;
}

/* The next line, and what it tells: HTTP_HEAD, HTTP_BAD, HTTP_MORE, or 0, and it is to go on. */
static int next_line(struct http_parser *parser, struct http_bytes *input)
{
    bool whole, in_head = parser->head_used == 0;
    if (input->n == 0)
        return HTTP_MORE;
    int status = take_line(parser, input, &whole);
    if (status == FINE && !whole)
        return HTTP_MORE;
    if (status == FINE)
        status = parse_line(parser, parser->text + parser->line);
    if (status != FINE) {
        parser->bad = status;
        parser->state = BROKEN;
        return HTTP_BAD;
    }
    if (parser->head_used > 0)
        parser->used = parser->head_used;
    parser->line = parser->used;
    return in_head && parser->head_used > 0 ? HTTP_HEAD : 0;
}

/* A piece of the body, of at most so many bytes. */
static enum http_event next_piece(struct http_bytes *input, struct http_bytes *body,
                                  uint64_t most)
{
    size_t n = input->n < most ? input->n : (size_t)most;
    if (n == 0)
        return HTTP_MORE;
    *body = (struct http_bytes){input->bytes, n};
    input->bytes += n;
    input->n -= n;
    return HTTP_BODY;
}

static enum http_event next_counted(struct http_parser *parser, struct http_bytes *input,
                                    struct http_bytes *body)
{
    enum http_event event = next_piece(input, body, parser->left);
    if (event == HTTP_BODY)
        parser->left -= body->n;
    if (parser->left == 0 && parser->state == CHUNK_DATA)
        parser->state = CHUNK_CRLF;
    return event;
}

enum http_event http_parser_next(struct http_parser *parser, struct http_bytes *input,
                                 struct http_bytes *body)
{
    int event = 0;
    while (event == 0)
        switch (parser->state) {
        case FRESH: begin_message(parser); break;
        case SIZED:
            if (parser->left == 0) {
                parser->state = FRESH;
                return HTTP_END;
            }
            return next_counted(parser, input, body);
        case CHUNK_DATA: return next_counted(parser, input, body);
        case UNTIL_END: return next_piece(input, body, UINT64_MAX);
        case BROKEN: return HTTP_BAD;
        default: event = next_line(parser, input); break;
        }
    return (enum http_event)event;
}

int http_parser_end(struct http_parser *parser)
{
    int state = parser->state;
    bool between =
        state == FRESH || (state == START_LINE && parser->line == parser->used);
    http_parser_init(parser, parser->kind);
    if (state == UNTIL_END)
        return 1;
    return between ? 0 : fail(EBADMSG);
}
