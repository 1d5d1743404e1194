/*
 * measure.c: a question and its answer, as 16 bytes that are the same on every machine.
 */
#include "measure.h"

#include <errno.h>
#include <string.h>

/* Where each field begins. */
enum { ID_AT = 0, PADDING_AT = 4, VALUE_AT = 8 };

/* Shifts speak of the number, not of how this machine keeps it: the byte order is ours. */
static void put(unsigned char *bytes, size_t n, uint64_t number)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
}

static uint64_t get(const unsigned char *bytes, size_t n)
{
    uint64_t number = 0;
    for (size_t i = 0; i < n; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

static void encode(int32_t id, double value, unsigned char bytes[MEASURE_SIZE])
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits); /* the same 64 bits, called a number */
    put(bytes + ID_AT, sizeof id, (uint32_t)id);
    put(bytes + PADDING_AT, VALUE_AT - PADDING_AT, 0);
    put(bytes + VALUE_AT, sizeof bits, bits);
}

static int decode(const unsigned char *bytes, size_t size, int32_t *id, double *value)
{
    if (size != MEASURE_SIZE) {
        errno = EBADMSG;
        return -1;
    }
    uint64_t bits = get(bytes + VALUE_AT, sizeof bits);
    *id = (int32_t)get(bytes + ID_AT, sizeof *id);
    memcpy(value, &bits, sizeof bits);
    return 0;
}

void request_encode(const struct request *request, unsigned char bytes[MEASURE_SIZE])
{
    encode(request->id, request->raw_value, bytes);
}

int request_decode(const unsigned char *bytes, size_t size, struct request *request)
{
    return decode(bytes, size, &request->id, &request->raw_value);
}

void response_encode(const struct response *response, unsigned char bytes[MEASURE_SIZE])
{
    encode(response->id, response->processed_value, bytes);
}

int response_decode(const unsigned char *bytes, size_t size, struct response *response)
{
    return decode(bytes, size, &response->id, &response->processed_value);
}
