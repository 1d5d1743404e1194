/*
 * engines: an echo server on lesson 09's interface, to compare the engines that keep it.
 *
 * usage: engines threads|pool|loop HOST PORT      says "listening on HOST:PORT"
 */
#include "server.h"
#include "server_loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct server_engine *engine;

static void echo(struct connection *connection, const void *message, size_t length)
{
    engine->send(connection, message, length); /* who is gone needs no answer */
}

static const struct server_engine *engine_named(const char *name)
{
    return strcmp(name, "threads") == 0 ? &server_threads
           : strcmp(name, "pool") == 0  ? &server_pool
           : strcmp(name, "loop") == 0  ? &server_loop
                                        : NULL;
}

int main(int argc, char *argv[])
{
    struct rlimit limit;
    const struct server_settings settings = {
        .host = argc == 4 ? argv[2] : NULL,
        .service = argc == 4 ? argv[3] : NULL,
        .max_connections = 10000,
        .max_output = 1 << 20,
        .workers = 4,
        .rule = {.mode = SPLIT_NONE, .max_length = 1 << 16},
        .on_message = echo,
    };
    engine = argc == 4 ? engine_named(argv[1]) : NULL;
    if (engine == NULL) {
        fprintf(stderr, "usage: %s threads|pool|loop HOST PORT\n", argv[0]);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct server *server = engine->start(&settings);
    if (server == NULL) {
        perror("engines");
        return 1;
    }
    printf("listening on %s\n", server->tcp);
    fflush(stdout);
    for (;;)
        pause(); /* until it is killed */
}
