/*
 * http.h: messages of HTTP/1.0 and HTTP/1.1, read from bytes and written to bytes.
 *
 *     http_reason            200 -> "OK"
 *     http_response_write    an answer -> its bytes
 *     http_request_write     a question -> its bytes
 *     http_parser_init       bytes in, messages out: begin,
 *     http_parser_next         give it what a read gave, and take one event after another,
 *     http_parser_end          and at the end of the stream: was a message cut?
 *     http_field_value       a field of a head that was read, by its name
 *
 * Pure: nothing here reads, writes, allocates, waits or prints. Bytes are the caller's affair.
 *
 *     GET / HTTP/1.1 CRLF            start line      a head: at most HTTP_HEAD_MAX bytes,
 *     Host: localhost CRLF           fields            its empty line included
 *     Content-Length: 5 CRLF
 *     CRLF                           empty line
 *     hello                          body            as many bytes as the head says
 *
 * RFC 9112 (HTTP/1.1), RFC 9110 (what the fields and the statuses mean).
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HTTP_HEAD_MAX = 8192, HTTP_FIELDS_MAX = 64, HTTP_LINE_MAX = 256 };

/* "Host: localhost". Both end with a NUL. */
struct http_field {
    const char *name, *value;
};

/*
 * http_reason: the words that go with a status.
 *
 *   200 "OK"                     408 "Request Timeout"
 *   400 "Bad Request"            431 "Request Header Fields Too Large"
 *   404 "Not Found"              501 "Not Implemented"
 *   405 "Method Not Allowed"     505 "HTTP Version Not Supported"
 *
 * Returns them, or "" for any other number: people read the words, programs the number.
 */
const char *http_reason(int status);

struct http_response {
    int status;
    bool keep_alive; /* may another request come on this connection? */
    const char *content_type;
    const void *body; /* any bytes; not looked at if body_size is 0 */
    size_t body_size;
    bool head_only; /* the answer to HEAD: all that the answer to GET has, but the body */
    const struct http_field *fields; /* further ones, field_count of them */
    size_t field_count;
};

/*
 * http_response_write: the bytes of a response.
 *
 *     HTTP/1.1 200 OK                      the status and http_reason(); a space even if that is ""
 *     Content-Type: text/plain             content_type
 *     Content-Length: 7                    body_size, with head_only too
 *     Connection: close                    or keep-alive
 *     ...                                  the further fields
 *
 *     running                              the body, if not head_only
 *
 * Each line ends with CRLF; the fields stand in any order, each once, and no others. It is
 * HTTP/1.1 even for a client that speaks HTTP/1.0: a server says what it can do itself.
 * out, size  where the bytes go, and the bytes there are for them; no NUL is added
 * Returns how many bytes they are, or -1 with errno set (what out then holds is not defined):
 *   EINVAL  status is not in 200 to 599, or is 204 or 304, which never have a body; or a field
 *           (Content-Type too) would break the head: its name is no token (see below), or its
 *           value holds a byte from 0 to 31 other than a tab, or 127
 *   ENOSPC  they do not fit into size bytes (and otherwise all is well)
 */
ssize_t http_response_write(const struct http_response *response, void *out, size_t size);

struct http_request {
    const char *method, *target;
    const char *host; /* of the server, as "localhost:8080" or "[::1]:8080" */
    bool keep_alive;
    const struct http_field *fields; /* further ones, field_count of them */
    size_t field_count;
};

/*
 * http_request_write: the bytes of a request, which has no body: "GET / HTTP/1.1", and in any order
 * Host, Connection ("keep-alive" or "close") and the further fields; then an empty line.
 *
 * Returns how many bytes they are, or -1 with errno set, as http_response_write():
 *   EINVAL  method is no token; target is empty, or holds a byte that is not in '!' to '~'; host,
 *           or a field, would break the head
 *   ENOSPC  they do not fit into size bytes (and otherwise all is well)
 */
ssize_t http_request_write(const struct http_request *request, void *out, size_t size);

/* What a head says. The texts lie in the parser, and are there until HTTP_END has been returned and
   http_parser_next() is called again. */
struct http_head {
    const char *method, *target; /* of a request; NULL in a response */
    int status;                  /* of a response: 100 to 599; 0 in a request */
    const char *reason;          /* of a response: "" if it has none; NULL in a request */
    int minor_version; /* 0: HTTP/1.0. 1: HTTP/1.1, and HTTP/1.2 to 1.9, which are read as 1.1 */
    bool keep_alive; /* see http_parser_next() */
    struct http_field
        fields[HTTP_FIELDS_MAX]; /* in their order; names as they were sent */
    size_t field_count;
};

enum http_kind {
    HTTP_REQUEST = 1,
    HTTP_RESPONSE,
    HTTP_RESPONSE_TO_HEAD /* it has no body, whatever its Content-Length */
};

enum http_event {
    HTTP_MORE = 1, /* all bytes have been taken, and more are needed */
    HTTP_HEAD,     /* a head is whole: see parser.head */
    HTTP_BODY,     /* a piece of the body */
    HTTP_END,      /* the message is whole. What follows it has not been taken. */
    HTTP_BAD /* this is no HTTP: see parser.bad. Nothing that follows can be trusted. */
};

/* Bytes that are somebody else's. */
struct http_bytes {
    const char *bytes;
    size_t n;
};

/*
 * What a parser remembers between two reads of one stream. One for each stream. The caller may look
 * at head and bad; the rest is for http.c alone, which need not use all of it.
 */
struct http_parser {
    struct http_head head;
    int bad; /* the status that a server answers with after HTTP_BAD */
    enum http_kind kind;
    int state;        /* what is to come next */
    uint64_t left;    /* bytes of the body, or of the chunk, that are to come */
    size_t used;      /* bytes in text, */
    size_t line;      /* where in it the line begins that is being read, */
    size_t head_used; /* and how many of them belong to the head */
    size_t trailers;  /* lines behind the last chunk */
    char text[HTTP_HEAD_MAX + HTTP_LINE_MAX + 1];
};

/*
 * http_parser_init: begin to parse a stream of requests, or of responses. There is nothing to be
 * freed.
 */
void http_parser_init(struct http_parser *parser, enum http_kind kind);

/*
 * http_parser_next: take bytes from the front of input, until something can be said.
 *
 * input  what has been read and not yet been taken: it is moved on. n may be 0, and bytes then
 *        anything. Neither the cut between two calls nor the size of the pieces changes what is
 *        told (pieces of a body apart), and no byte is needed twice.
 * body   set with HTTP_BODY: 1 byte or more, which lie in the input's memory
 *
 * For each message HTTP_HEAD is returned once, then HTTP_BODY any number of times, then HTTP_END;
 * the next call begins the next message. HTTP_MORE is returned, with input->n 0, whenever the bytes
 * have come to their end and there is nothing to tell. So:
 *
 *     while ((event = http_parser_next(&parser, &input, &body)) != HTTP_MORE)
 *         ... one event; after HTTP_BAD, break ...
 *
 * A head
 *   Empty lines (CRLF) in front of it are skipped; they count as bytes of it. A line ends with CRLF
 *   and holds no byte from 0 to 31 other than tabs, nor 127. A token is one or more letters, digits
 *   or any of !#$%&'*+-.^_`|~
 *   request line:  METHOD TARGET HTTP/1.1    with one space each: METHOD is a token, TARGET one or
 *                  more bytes from '!' to '~'
 *   status line:   HTTP/1.1 200 REASON       REASON may be empty, and its space then missing
 *   field line:    NAME: VALUE               NAME is a token, right before the colon; spaces and
 *                  tabs around VALUE are not part of it; VALUE may be empty
 *   A version is "HTTP/", a digit, ".", a digit.
 *
 * head.keep_alive: the connection may go on after this message
 *   Connection is a list: "keep-alive, Upgrade"; letters of any case; several lines are one list.
 *   HTTP/1.1: true, unless "close" is in it. HTTP/1.0: false, unless "keep-alive" is in it, and
 *   "close" is not. A response whose body is only ended by the end of the stream: false.
 *
 * The body
 *   HTTP_RESPONSE_TO_HEAD, statuses 100 to 199, 204 and 304: none
 *   Transfer-Encoding: chunked (letters of any case): chunks, of which HTTP_BODY gives the data:
 *     "5" CRLF "hello" CRLF "0" CRLF CRLF. A size is one or more hexadecimal digits, zeros in front
 *     too; behind it, and behind spaces and tabs, may be ";" and what a line may hold, which is
 *     skipped. (Spaces or tabs and no ";": taken or 400, as you like.) Field lines behind the last
 *     chunk (trailers), in front of the empty line, are skipped, too. All of these are lines as in a
 *     head.
 *   Content-Length: N: so many bytes
 *   neither: none in a request; in a response all that comes, until the end of the stream
 *
 * HTTP_BAD, and parser.bad:
 *   400  anything that is not as above. A line that ends with LF alone is told as soon as that has
 *        come. And: a request of HTTP/1.1 without Host, or any request with two; Content-Length
 *        twice, or not digits alone, or above INT64_MAX; a chunk's size above INT64_MAX;
 *        Content-Length with Transfer-Encoding; Transfer-Encoding in HTTP/1.0. A status not in 100
 *        to 599.
 *   431  a head of more than HTTP_HEAD_MAX bytes, or more than HTTP_FIELDS_MAX fields; a line that
 *        tells a chunk's size, or a trailer, of more than HTTP_LINE_MAX bytes, CRLF included; more
 *        than HTTP_FIELDS_MAX trailers
 *   501  a Transfer-Encoding other than "chunked", or Transfer-Encoding twice
 *   505  the version's first digit is not 1
 * Where two of these can be said, it is either. It is told, at the latest, when the head (or the
 * chunk's line, or the trailers) would be whole, or with the first byte that is one too many. The
 * same again at each later call.
 */
enum http_event http_parser_next(struct http_parser *parser, struct http_bytes *input,
                                 struct http_bytes *body);

/*
 * http_parser_end: the stream is at its end, and http_parser_next() has returned HTTP_MORE, HTTP_END
 * or HTTP_BAD. What does that mean?
 *
 * Returns
 *   0   nothing had come of a message after the last HTTP_END; at most empty lines
 *   1   this end is that of a response whose body goes on to the end of the stream: all is well
 *   -1  with errno EBADMSG: a message was cut short; or HTTP_BAD had been told
 * The parser is then as http_parser_init() left it.
 */
int http_parser_end(struct http_parser *parser);

/*
 * http_field_value: the value of the first field of that name, letters of any case, or NULL if
 * there is none.
 */
const char *http_field_value(const struct http_head *head, const char *name);

#endif
