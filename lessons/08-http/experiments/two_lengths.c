/*
 * claim: two fields that say how long a body is do no harm.
 * predict: A request has "Content-Length: 6" and "Transfer-Encoding: chunked". Behind the head come
 *   "0 CRLF CRLF G". A proxy in front believes the first field, the server behind it the second.
 *   Where does the next request begin for each of them?
 * why: The proxy takes six bytes and sends them on as the body. For the server the chunk of size 0
 *   ends the body after five, and "G" begins the next request, in front of whatever comes next on
 *   that connection: the request of somebody else ("request smuggling"). RFC 9112, 6.1 and 11.2:
 *   who gets both may refuse, and must not pass both on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char stream[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"
                             "0\r\n\r\nG"
                             "GET /account HTTP/1.1\r\nHost: a\r\n\r\n";

/* How many bytes of body does the head announce, for who believes the one field, or the other? */
static size_t by_length(const char *head, const char *body)
{
    (void)body;
    return strtoul(strstr(head, "Content-Length: ") + strlen("Content-Length: "), NULL,
                   10);
}

static size_t by_chunks(const char *head, const char *body)
{
    const char *at = body;
    size_t size;
    (void)head;
    do { /* the size, CRLF, so many bytes, CRLF */
        size = strtoul(at, NULL, 16);
        at = strstr(at, "\r\n") + 2 + size + 2;
    } while (size > 0);
    return (size_t)(at - body);
}

static int next_request(const char *name, size_t believe(const char *, const char *))
{
    const char *body = strstr(stream, "\r\n\r\n") + 4;
    size_t n = believe(stream, body);
    const char *next = body + n;
    printf("%s: a body of %zu bytes, and the next request is \"%.*s\"\n", name, n,
           (int)strcspn(next, "\r"), next);
    return (int)(next - stream);
}

int main(void)
{
    int proxy = next_request("the proxy ", by_length);
    int server = next_request("the server", by_chunks);
    printf("so: the two %s\n",
           proxy == server ? "agree" : "disagree where the request ends: refuse it");
    return 0;
}
