/*
 * http-client: send one HTTP request, over TCP or a UNIX socket, and print the response.
 *
 * usage: http-client --socket tcp [--host HOST] [--port PORT] [--method METHOD] [--target TARGET]
 *        http-client --socket unix [--path FILE] [--method METHOD] [--target TARGET]
 *
 *   --host    localhost if not given
 *   --port    8080 if not given
 *   --path    /tmp/local_server.sock if not given
 *   --method  GET if not given
 *   --target  / if not given
 *
 * The request has Host (HOST:PORT, or [::1]:PORT; localhost for a UNIX socket) and "Connection:
 * close". Interim responses (100 to 199) are passed over. The response is printed when its head is
 * there, its body as it comes, without the chunks' sizes; at its end a newline:
 *
 *     [+] Response: HTTP/1.1 200 OK
 *     Content-Type: text/plain
 *     Content-Length: 7
 *     Connection: close
 *
 *     running
 *
 * The version is the response's, the fields are in its order. The client ends when the response is
 * whole: it does not wait for the end of the stream unless that is how the response ends.
 *
 * Exit status: 0 when a response came whole, whatever its status; 1, with a line on standard error,
 * when something failed: nobody listens, or this is no HTTP, or the response was cut short; 2 when
 * called wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include "http.h"
#include "local.h"
#include "stream.h"
#include "tcp.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { CHUNK = 16 * 1024, REQUEST_MAX = 4096, HOST_MAX = 300 };

/* ---- the conversation ------------------------------------------------------------ */

static void print_head(const struct http_head *head)
{
    printf("[+] Response: HTTP/1.%d %d %s\n", head->minor_version, head->status,
           head->reason);
    for (size_t i = 0; i < head->field_count; i++)
        printf("%s: %s\n", head->fields[i].name, head->fields[i].value);
    puts("");
}

/* Print what is known now. Returns 1: that was the whole response; 0: more is needed; -1: this is no
   HTTP. */
static int print_events(struct http_parser *parser, struct http_bytes input)
{
    const struct http_head *head = &parser->head;
    struct http_bytes body;
    enum http_event event;
    while ((event = http_parser_next(parser, &input, &body)) != HTTP_MORE) {
        if (event == HTTP_BAD)
            return -1;
        if (event == HTTP_HEAD && head->status >= 200)
            print_head(head);
        if (event == HTTP_BODY)
            fwrite(body.bytes, 1, body.n, stdout);
        if (event == HTTP_END && head->status >= 200)
            return 1;
    }
    return 0;
}

/* Read a response, and print it. */
static bool receive(int server, enum http_kind kind)
{
    struct http_parser parser;
    char bytes[CHUNK];
    int result = 0;
    http_parser_init(&parser, kind);
    while (result == 0) {
        ssize_t n = recv(server, bytes, sizeof bytes, 0);
        if (n == -1)
            return false;
        errno = EBADMSG; /* if anything is wrong from here on, it is that */
        if (n == 0)
            return http_parser_end(&parser) == 1;
        result = print_events(&parser, (struct http_bytes){bytes, (size_t)n});
    }
    return result == 1;
}

static bool converse(int server, const struct http_request *request)
{
    char bytes[REQUEST_MAX];
    ssize_t n = http_request_write(request, bytes, sizeof bytes);
    bool head = strcmp(request->method, "HEAD") == 0;
    if (n == -1 || write_all(server, bytes, (size_t)n) == -1 ||
        !receive(server, head ? HTTP_RESPONSE_TO_HEAD : HTTP_RESPONSE))
        return false;
    puts("");
    return fflush(stdout) == 0;
}

/* ---- beginning ------------------------------------------------------------------- */

struct options {
    const char *socket, *host, *port, *path;
};

/* False: wrong arguments. */
static bool read_options(int argc, char *argv[], struct options *options,
                         struct http_request *request)
{
    static const struct option known[] = {{"socket", required_argument, NULL, 's'},
                                          {"host", required_argument, NULL, 'h'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"path", required_argument, NULL, 'f'},
                                          {"method", required_argument, NULL, 'm'},
                                          {"target", required_argument, NULL, 't'},
                                          {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (option) {
        case 's': options->socket = optarg; break;
        case 'h': options->host = optarg; break;
        case 'p': options->port = optarg; break;
        case 'f': options->path = optarg; break;
        case 'm': request->method = optarg; break;
        case 't': request->target = optarg; break;
        default: return false;
        }
    return optind == argc &&
           (strcmp(options->socket, "tcp") == 0 || strcmp(options->socket, "unix") == 0);
}

int main(int argc, char *argv[])
{
    struct options options = {"", "localhost", "8080", "/tmp/local_server.sock"};
    char host[HOST_MAX] = "localhost";
    struct http_request request = {.method = "GET", .target = "/", .host = host};
    if (!read_options(argc, argv, &options, &request)) {
        fprintf(stderr, "usage: http-client --socket tcp [--host HOST] [--port PORT] "
                        "[--method METHOD] [--target TARGET]\n"
                        "       http-client --socket unix [--path FILE] "
                        "[--method METHOD] [--target TARGET]\n");
        return 2;
    }
    int server;
    if (strcmp(options.socket, "unix") == 0) {
        server = local_connect(options.path);
    } else {
        const char *form = strchr(options.host, ':') == NULL ? "%s:%s" : "[%s]:%s";
        snprintf(host, sizeof host, form, options.host, options.port);
        server = tcp_connect(options.host, options.port);
    }
    if (server == -1 || !converse(server, &request)) {
        perror("http-client");
        return 1;
    }
    return 0;
}
