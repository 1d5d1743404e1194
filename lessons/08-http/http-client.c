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

/* TODO 6: the status line behind "[+] Response: ", each field in a line, and an empty line. */
static void print_head(const struct http_head *head)
{
    (void)head; /* delete this line */
}

/*
 * TODO 6, second: take event by event, and print. 1: that was the whole response; 0: more is needed;
 * -1: this is no HTTP. Responses from 100 to 199 are not the one that was asked for.
 */
static int print_events(struct http_parser *parser, struct http_bytes input)
{
    (void)parser, (void)input, (void)print_head; /* delete this line */
    return -1;
}

/*
 * TODO 6, third: read and print_events() until that is 1. At the end of the stream http_parser_end()
 * knows whether the response is whole. False, with errno set (EBADMSG if no call has set it): it is not.
 */
static bool receive(int server, enum http_kind kind)
{
    (void)server, (void)kind, (void)print_events; /* delete this line and the next */
    errno = ENOSYS;
    return false;
}

/* TODO 6, fourth: send the request, all of it; receive() the response; print a newline; flush. */
static bool converse(int server, const struct http_request *request)
{
    char bytes[REQUEST_MAX];
    (void)server, (void)request, (void)bytes; /* delete this line */
    return receive(-1, HTTP_RESPONSE);
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
