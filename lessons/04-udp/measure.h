/*
 * measure.h: a question and its answer, as 16 bytes that are the same on every machine.
 *
 *     request_encode,  request_decode       a number and a raw value
 *     response_encode, response_decode      the same number, and the value processed
 *
 * Both lie on the wire like this, with the byte of least weight first (little-endian):
 *
 *     byte   0  1  2  3   4  5  6  7   8  9 10 11 12 13 14 15
 *            id           padding      value
 *
 *     id 100 and value 10.1:
 *            64 00 00 00  00 00 00 00  33 33 33 33 33 33 24 40
 *
 *     id       32 bits, two's complement
 *     padding  4 bytes: zero when they are written, ignored when they are read
 *     value    64 bits, IEEE 754 binary64
 *
 * That is how a compiler for x86-64 lays out the two structs below in memory. Other machines do it
 * otherwise, so the bytes are written one field at a time and never as a struct. Nothing here knows
 * of sockets, and no pointer to bytes needs to be aligned.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>
#include <stdint.h>

struct request {
    int32_t id;
    double raw_value;
};

struct response {
    int32_t id;
    double processed_value;
};

/* The bytes of a request, and of a response. */
enum { MEASURE_SIZE = 16 };

/* request_encode: write all MEASURE_SIZE bytes of request, the padding as zeros. Any value is
 * carried bit by bit: -0.0, infinities and NaN too. */
void request_encode(const struct request *request, unsigned char bytes[MEASURE_SIZE]);

/*
 * request_decode: read the size bytes of a datagram.
 *
 * bytes    as they came from the network, from anybody; never read beyond size
 * request  where the result goes; left alone when it fails
 *
 * Returns 0, or -1 with errno set:
 *   EBADMSG  size is not MEASURE_SIZE: shorter or longer is no request
 */
int request_decode(const unsigned char *bytes, size_t size, struct request *request);

/* response_encode, response_decode: the same for a response. */
void response_encode(const struct response *response, unsigned char bytes[MEASURE_SIZE]);
int response_decode(const unsigned char *bytes, size_t size, struct response *response);

#endif
