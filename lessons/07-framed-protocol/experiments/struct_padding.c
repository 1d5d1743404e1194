/*
 * claim: a struct can be sent as it lies in memory.
 * predict: struct message {uint32_t length; struct {long age; double score;} body;}. Its members
 *   have 4, 8 and 8 bytes. How many bytes has the struct, and where does `age` begin?
 * why: A member begins where its type may (alignment), and the gaps travel with the rest. How
 *   wide `long` is and where a double may begin is each platform's choice: a compiler for 32-bit
 *   x86 lays the same source out in 16 bytes, a packed struct in 20. So two programs that send
 *   "the struct" agree only by luck. Encode field by field: then the bytes are what you wrote.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct message {
    uint32_t length;
    struct {
        long age;
        double score;
    } body;
};

struct __attribute__((packed)) packed {
    uint32_t length;
    int64_t age;
    double score;
};

/* As i386 has it: long is 4 bytes wide, and nothing is aligned to more than 4. */
struct __attribute__((packed)) as_on_i386 {
    uint32_t length;
    int32_t age;
    double score;
};

int main(void)
{
    printf("here:    length at %zu, age at %zu, score at %zu: sizeof = %zu\n",
           offsetof(struct message, length), offsetof(struct message, body.age),
           offsetof(struct message, body.score), sizeof(struct message));
    printf("packed:  length at %zu, age at %zu, score at %zu: sizeof = %zu\n",
           offsetof(struct packed, length), offsetof(struct packed, age),
           offsetof(struct packed, score), sizeof(struct packed));
    printf("on i386: length at %zu, age at %zu, score at %zu: sizeof = %zu\n",
           offsetof(struct as_on_i386, length), offsetof(struct as_on_i386, age),
           offsetof(struct as_on_i386, score), sizeof(struct as_on_i386));
    size_t members = sizeof(uint32_t) + sizeof(long) + sizeof(double);
    printf("so: the members have %zu bytes, the struct here has %zu: %zu are padding\n",
           members, sizeof(struct message), sizeof(struct message) - members);
    return 0;
}
