/*
 * claim: A struct can be sent as it lies in memory.
 * predict: struct message {uint32_t length; struct {long age; double score;} body;} has fields of 4, 8
 *   and 8 bytes. How many bytes is it here, and what is in those that no field fills?
 * why: The compiler puts each field at an address that its type likes, and fills up: that is padding,
 *   and holds whatever was there before. How much, the size of long and the order of the bytes are the
 *   machine's own affair: 24 bytes on 64-bit Linux, 16 on 32-bit x86. A message must not depend on it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct message {
    uint32_t length;
    struct {
        long age;
        double score;
    } body;
};

int main(void)
{
    unsigned char memory[sizeof(struct message)];
    memset(memory, 0x5E, sizeof memory); /* what an earlier function left: "secret" */
    struct message *message = (void *)memory;
    size_t fields =
        sizeof message->length + sizeof message->body.age + sizeof message->body.score;
    size_t body = offsetof(struct message, body);
    message->length = 16; /* each field, as one does */
    message->body.age = 100;
    message->body.score = 10.1;

    printf("the fields: %zu bytes; the struct: %zu\n", fields, sizeof *message);
    printf("length at %zu, age at %zu, score at %zu\n", offsetof(struct message, length),
           offsetof(struct message, body.age), offsetof(struct message, body.score));
    for (size_t i = 0; i < sizeof memory; i++)
        printf("%02x%s", memory[i], i % 8 == 7 ? "\n" : " ");
    int secrets = 0;
    for (size_t i = sizeof message->length; i < body; i++)
        secrets += memory[i] == 0x5E;
    printf(
        "so: %zu bytes of %zu are padding, %d of them with what the stack held; the byte of least weight comes %s\n",
        sizeof *message - fields, sizeof *message, secrets,
        memory[0] == 16 ? "first" : "last");
    return 0;
}
