/* The failing tests of a class, by what their "likely" line says was wrong. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

static struct mistake *mistake_called(struct topic *topic, const char *likely)
{
    for (size_t i = 0; i < topic->mistake_count; i++)
        if (strcmp(topic->mistakes[i].likely, likely) == 0)
            return &topic->mistakes[i];
    topic->mistakes =
        array_grown(topic->mistakes, topic->mistake_count, sizeof *topic->mistakes);
    struct mistake *mistake = &topic->mistakes[topic->mistake_count++];
    *mistake = (struct mistake){
        .likely = likely,
        .starter = strstr(likely, "this is the starter's answer") == likely,
        .columns = calloc(topic->column_count, sizeof(bool))};
    if (mistake->columns == NULL)
        fatal("out of memory");
    return mistake;
}

/* Students come one after the other, so whoever was counted before was counted last. */
static void count_failure(struct topic *topic, const struct student *student,
                          const struct failure *failure)
{
    const char *likely = failure->likely != NULL && *failure->likely != '\0'
                             ? failure->likely
                             : topic->columns[failure->column].name;
    struct mistake *mistake = mistake_called(topic, likely);
    mistake->columns[failure->column] = true;
    if (mistake->count > 0 && mistake->students[mistake->count - 1] == student)
        return;
    mistake->students =
        array_grown(mistake->students, mistake->count, sizeof *mistake->students);
    mistake->students[mistake->count++] = student;
}

static int by_count(const void *a, const void *b)
{
    const struct mistake *one = a, *other = b;
    if (one->starter != other->starter)
        return one->starter - other->starter;
    if (one->count != other->count)
        return one->count < other->count ? 1 : -1;
    return strcmp(one->likely, other->likely);
}

void mistakes_find(const struct roll *roll, struct topic *topic, size_t number)
{
    for (size_t i = 0; i < roll->count; i++) {
        const struct graded *graded = roll->students[i].scores[number].graded;
        for (size_t j = 0; graded != NULL && j < graded->failure_count; j++)
            count_failure(topic, &roll->students[i], &graded->failures[j]);
    }
    if (topic->mistake_count > 0)
        qsort(topic->mistakes, topic->mistake_count, sizeof *topic->mistakes, by_count);
}

void mistakes_free(struct topic *topic)
{
    for (size_t i = 0; i < topic->mistake_count; i++)
        free(topic->mistakes[i].columns), free(topic->mistakes[i].students);
    free(topic->mistakes);
}
