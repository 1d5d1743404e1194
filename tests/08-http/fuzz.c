/*
 * What must hold for every stream, however it is cut (libFuzzer).
 *
 * The first byte of the input chooses the kind, the next four the cuts, the rest is the stream. Aborts when a promise
 * of http.h is broken; the sanitizers see to the memory: each piece lies in memory of its own size and is freed as
 * soon as it may be.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -Ilessons/08-http -o build/fuzz-http \
 *         tests/08-http/fuzz.c solutions/08-http/http.c
 *     build/fuzz-http -max_total_time=60 tests/08-http/corpus
 */
#include "http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 5, MOST = 16384, LOG = 1 << 20 };

/* What was told: events and texts, one behind the other; the pieces of a body are one. */
struct log {
    size_t n;
    bool in_body;
    int end;
    unsigned char bytes[LOG];
};

static void must(int holds)
{
    if (!holds)
        abort();
}

static void note(struct log *log, const void *bytes, size_t n)
{
    must(n <= LOG - log->n);
    if (n > 0)
        memcpy(log->bytes + log->n, bytes, n);
    log->n += n;
}

/* A text that lies in the parser, ends there, and is fit to be written again. */
static void note_text(struct log *log, const struct http_parser *parser, const char *text)
{
    const char *first = (const char *)parser, *last = first + sizeof *parser;
    must(*text == '\0' || (text >= first && text < last));
    for (const char *at = text; *at != '\0'; at++)
        must(((unsigned char)*at >= ' ' && *at != 127) || *at == '\t');
    note(log, text, strlen(text) + 1);
}

/* What a request's head says can be written, and read again: the same. */
static void write_again(const struct http_head *head)
{
    static char bytes[4 * HTTP_HEAD_MAX];
    struct http_parser *again = malloc(sizeof *again);
    struct http_request request = {.method = head->method,
                                   .target = head->target,
                                   .host = "a",
                                   .keep_alive = head->keep_alive};
    ssize_t n = http_request_write(&request, bytes, sizeof bytes);
    struct http_bytes input = {bytes, (size_t)n}, body;
    must(n > 0 && http_request_write(&request, bytes, (size_t)n) == n);
    http_parser_init(again, HTTP_REQUEST);
    must(http_parser_next(again, &input, &body) == HTTP_HEAD);
    must(strcmp(again->head.method, head->method) == 0);
    must(strcmp(again->head.target, head->target) == 0);
    must(again->head.keep_alive == head->keep_alive);
    must(http_parser_next(again, &input, &body) == HTTP_END && input.n == 0);
    must(http_parser_end(again) == 0);
    free(again);
}

static void note_head(struct log *log, const struct http_parser *parser)
{
    const struct http_head *head = &parser->head;
    must(head->field_count <= HTTP_FIELDS_MAX);
    must((head->method != NULL) == (parser->kind == HTTP_REQUEST));
    must((head->method != NULL) == (head->target != NULL));
    must((head->reason != NULL) == (parser->kind != HTTP_REQUEST));
    must(head->minor_version == 0 || head->minor_version == 1);
    if (head->method != NULL) {
        note_text(log, parser, head->method);
        note_text(log, parser, head->target);
        write_again(head);
    } else {
        must(head->status >= 100 && head->status <= 599);
        note_text(log, parser, head->reason);
    }
    for (size_t i = 0; i < head->field_count; i++) {
        note_text(log, parser, head->fields[i].name);
        note_text(log, parser, head->fields[i].value);
        must(http_field_value(head, head->fields[i].name) != NULL);
    }
    note(log, (const unsigned char[]){head->keep_alive, head->status & 0xff}, 2);
}

/* Feed one piece. Returns the last event. */
static enum http_event feed(struct log *log, struct http_parser *parser,
                            const uint8_t *stream, size_t n)
{
    char *piece = malloc(n > 0 ? n : 1);
    struct http_bytes input = {piece, n}, body = {NULL, 0};
    enum http_event event;
    if (n > 0)
        memcpy(piece, stream, n);
    do {
        event = http_parser_next(parser, &input, &body);
        must(input.n <= n && input.bytes == piece + n - input.n);
        if (event == HTTP_BODY) {
            must(body.n > 0 && body.bytes >= piece && body.bytes + body.n <= piece + n);
            note(log, body.bytes, body.n);
            log->in_body = true;
        } else if (event != HTTP_MORE) {
            unsigned char mark[] = {0xff, log->in_body, (unsigned char)event};
            note(log, mark, sizeof mark);
            log->in_body = false;
        }
        if (event == HTTP_HEAD)
            note_head(log, parser);
    } while (event != HTTP_MORE && event != HTTP_BAD);
    must(event == HTTP_BAD || input.n == 0);
    free(piece);
    return event;
}

static void parse(struct log *log, enum http_kind kind, const uint8_t *stream,
                  size_t size, const uint8_t *cuts, size_t cut_count)
{
    struct http_parser *parser = malloc(sizeof *parser);
    enum http_event event = HTTP_MORE;
    size_t fed = 0;
    log->n = 0;
    log->in_body = false;
    memset(parser, 0xa5, sizeof *parser);
    http_parser_init(parser, kind);
    for (size_t turn = 0; fed < size && event != HTTP_BAD; turn++) {
        size_t n = cut_count == 0 ? size : cuts[turn % cut_count];
        n = n == 0 ? 1 : n;
        n = n < size - fed ? n : size - fed;
        event = feed(log, parser, stream + fed, n);
        fed += n;
    }
    if (event == HTTP_BAD) {
        int bad = parser->bad;
        must(bad == 400 || bad == 431 || bad == 501 || bad == 505);
        must(feed(log, parser, stream, size) == HTTP_BAD && parser->bad == bad);
        note(log, &bad, sizeof bad);
    }
    errno = 0;
    log->end = http_parser_end(parser);
    must(log->end == -1 ? errno == EBADMSG : event != HTTP_BAD && log->end <= 1);
    must(http_parser_end(parser) == 0);
    free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct log whole, cut;
    static const uint8_t one[] = {1};
    if (size < HEAD || size > MOST)
        return 0;
    enum http_kind kind = (enum http_kind)(HTTP_REQUEST + data[0] % 3);
    parse(&whole, kind, data + HEAD, size - HEAD, NULL, 0);
    for (int i = 0; i < 2; i++) {
        parse(&cut, kind, data + HEAD, size - HEAD, i == 0 ? one : data + 1,
              i == 0 ? 1 : 4);
        must(cut.n == whole.n && cut.in_body == whole.in_body && cut.end == whole.end);
        must(memcmp(cut.bytes, whole.bytes, whole.n) == 0);
    }
    return 0;
}
