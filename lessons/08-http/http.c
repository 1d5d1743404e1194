#define _POSIX_C_SOURCE 200809L
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- writing --------------------------------------------------------------------- */

/* TODO 1: the table in http.h. */
const char *http_reason(int status)
{
    (void)status; /* delete this line and the next two */
    errno = ENOSYS;
    return NULL;
}

/*
 * TODO 1, second: first look at everything that could break the head, then write piece after piece, and
 * see each time that it fits. A small struct that knows where the next byte goes, and how many there is
 * room for, with one function that adds bytes, keeps this short.
 */
ssize_t http_response_write(const struct http_response *response, void *out, size_t size)
{
    (void)response, (void)out, (void)size; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* TODO 1, third: the same pieces, with another first line. */
ssize_t http_request_write(const struct http_request *request, void *out, size_t size)
{
    (void)request, (void)out, (void)size; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* ---- reading --------------------------------------------------------------------- */

/*
 * TODO 2: begin. A parser is large, and a server begins a message many thousand times a second: set what
 * must be set, and leave the text as it is.
 */
void http_parser_init(struct http_parser *parser, enum http_kind kind)
{
    (void)parser, (void)kind; /* delete this line */
}

/*
 * TODO 2, second: heads. Collect bytes in parser->text until a line is whole, look at its end and at its
 * bytes, and then at what it says: by the state, that is a start line, a field, or the empty line that
 * ends the head. The texts that the head points to stay in parser->text. After the head of a request
 * without a body comes HTTP_END, and then the next message.
 *
 * TODO 3: bodies. When the head is whole, its fields say how the body ends: by a count, in chunks, at the
 * end of the stream, or there is none. The lines of chunks are lines as those of the head are: the same
 * function collects them. Responses differ in their first line, and in how the body ends.
 */
enum http_event http_parser_next(struct http_parser *parser, struct http_bytes *input,
                                 struct http_bytes *body)
{
    (void)parser, (void)input, (void)body; /* delete this line and the next two */
    errno = ENOSYS;
    return (enum http_event) - 1;
}

/* TODO 3, second: what the state says of the stream's end; and begin again. */
int http_parser_end(struct http_parser *parser)
{
    (void)parser; /* delete this line and the next two */
    errno = ENOSYS;
    return -1;
}

/* TODO 2, third: letters of any case, whole names. */
const char *http_field_value(const struct http_head *head, const char *name)
{
    (void)head, (void)name; /* delete this line and the next two */
    errno = ENOSYS;
    return NULL;
}
