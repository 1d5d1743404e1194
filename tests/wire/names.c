/*
 * names.c: memory that grows, and texts that are met again and again, by number.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <stdlib.h>
#include <string.h>

void *or_end(void *memory)
{
    if (memory == NULL) {
        fputs("wire: no memory is left\n", stderr);
        exit(2);
    }
    return memory;
}

void *grown(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room > 0 ? *room * 2 : 16;
    array = or_end(reallocarray(array, more, size));
    memset((char *)array + *room * size, 0, (more - *room) * size);
    *room = more;
    return array;
}

char *copied(const char *text, size_t length)
{
    char *copy = or_end(malloc(length + 1));
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* FNV-1a */
static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261U;
    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 16777619U;
    return h;
}

/* The slot where text is, or where it would go. */
static uint32_t *slot_of(const struct names *names, const char *text)
{
    size_t i = hash(text) % names->slots;
    while (names->slot[i] != 0 && strcmp(names->text[names->slot[i] - 1], text) != 0)
        i = (i + 1) % names->slots;
    return &names->slot[i];
}

static void more_slots(struct names *names)
{
    names->slots = names->slots > 0 ? names->slots * 2 : 64;
    free(names->slot);
    names->slot = or_end(calloc(names->slots, sizeof *names->slot));
    for (size_t i = 0; i < names->count; i++)
        *slot_of(names, names->text[i]) = (uint32_t)i + 1;
}

int name_find(struct names *names, const char *text, bool add)
{
    if (names->count * 2 >= names->slots)
        more_slots(names);
    uint32_t *slot = slot_of(names, text);
    if (*slot == 0) {
        if (!add)
            return -1;
        char *copy = copied(text, strlen(text));
        *PUSH(names->text, names->count, names->room) = copy;
        *slot = (uint32_t)names->count;
    }
    return (int)*slot - 1;
}

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->text[i]);
    free(names->text);
    free(names->slot);
    *names = (struct names){0};
}
