/*
 * server_loop.h: a third engine for the programs of lesson 09.
 *
 *     server_loop    one thread for all clients: loop.h
 *
 * It keeps the promises of server.h, every one. A program that was written for threads runs on it when
 * one line is another:
 *
 *     static const struct server_engine *const engine = &server_loop;
 *
 * Of two things that server.h leaves open this engine makes use: all callbacks come in one thread, and
 * settings.workers is ignored. A callback that waits holds up all clients.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include "server.h"

extern const struct server_engine server_loop;

#endif
