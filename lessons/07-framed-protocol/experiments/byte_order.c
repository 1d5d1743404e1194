/*
 * claim: 4 bytes are 4 bytes: a length needs no byte order.
 * predict: One program sends the length 16 as it lies in its memory; the other reads it as "network
 *   byte order" with ntohl(). What length does it see? And what if both are little-endian in
 *   mind, and one of them runs on a big-endian machine?
 * why: A number is several bytes, and there are two ways to put them in a row. Each format must say
 *   which (length32le, length32be), and each program must do that, whatever machine it runs on:
 *   shifting gives the same bytes everywhere, memcpy() gives this machine's.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void show(const char *name, const unsigned char bytes[4])
{
    printf("%s %02x %02x %02x %02x\n", name, bytes[0], bytes[1], bytes[2], bytes[3]);
}

int main(void)
{
    const uint32_t length = 16;
    unsigned char memory[4], little[4], big[4];
    memcpy(memory, &length, 4);
    for (int i = 0; i < 4; i++) {
        little[i] = (unsigned char)(length >> (8 * i));
        big[i] = (unsigned char)(length >> (8 * (3 - i)));
    }
    show("as it lies in memory:  ", memory);
    show("least weight first:    ", little);
    show("greatest weight first: ", big);

    uint32_t wrong;
    memcpy(&wrong, little, 4);
    wrong = ntohl(wrong);
    if (memcmp(memory, big, 4) == 0)
        wrong = __builtin_bswap32(wrong);
    printf("16, read in the other order: %u\n", wrong);
    printf("so: this machine is %s-endian, and the wrong order makes 16 into %u\n",
           memcmp(memory, little, 4) == 0 ? "little" : "big", wrong);
    return 0;
}
