/*
 * echo.h: what the echo servers of the comparison share: how they are called, and how
 * frames are found in bytes.
 *
 * usage: SERVER [--frames] HOST PORT | PATH        says "listening on ..." as the lab's do
 *
 * Without --frames bytes go back as they come, one write for each read. With --frames
 * (4 bytes of length, big-endian, then the body) each frame goes back by a write of its
 * own, as a program does that answers messages with its library's write function.
 */
#ifndef ECHO_H
#define ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arguments {
    bool frames;
    const char *host, *service; /* or host is a path, and service NULL */
};

/* Ends the program with its usage where argv is wrong. */
struct arguments arguments_of(int argc, char *argv[]);

/* A non-blocking listener, which has been announced on standard output; ends the program
   if there can be none. */
int listener_of(const struct arguments *arguments);

/* How many bytes the first frame has; 0: it is not whole. Ends the program if it has more
   than `most`. */
size_t frame_of(const unsigned char *bytes, size_t size, size_t most);

#endif
