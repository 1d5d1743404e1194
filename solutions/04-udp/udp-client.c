/*
 * udp-client: ask a udp-server ten questions, and print its answers.
 *
 * usage: udp-client HOST PORT [TIMEOUT_MS [TRIES]]
 *
 * The ids are 0, 100, ... 900, the values 0, 10.1, ... i times 10.1. One line an answer, as "%g"
 * prints the two values: "id 100: 10.1 -> 101". Each question is sent up to TRIES times (4), the
 * first with TIMEOUT_MS (250) of patience, and then with twice as much each time: as udp_request()
 * takes them, which refuses a time of 0.
 *
 * Exit status: 0 when all ten were answered and printed; 1, with a line on standard error, when one
 * was not: the rest is not asked then; 2 when called wrongly.
 */
#include "measure.h"
#include "udp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUESTIONS = 10, TIMEOUT_MS = 250, TRIES = 4 };

/* Ask, and print the answer. False: there was none, or it cannot be printed. */
static bool ask(int fd, const struct request *request, int timeout_ms, int tries)
{
    unsigned char question[MEASURE_SIZE], answer[MEASURE_SIZE];
    struct response response;
    request_encode(request, question);
    ssize_t n = udp_request(fd, question, sizeof question, answer, sizeof answer,
                            timeout_ms, tries);
    if (n < 0 || response_decode(answer, (size_t)n, &response) != 0)
        return false;
    printf("id %" PRId32 ": %g -> %g\n", request->id, request->raw_value,
           response.processed_value);
    return fflush(stdout) == 0;
}

int main(int argc, char *argv[])
{
    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: udp-client HOST PORT [TIMEOUT_MS [TRIES]]\n");
        return 2;
    }
    int timeout_ms = argc > 3 ? atoi(argv[3]) : TIMEOUT_MS;
    int tries = argc > 4 ? atoi(argv[4]) : TRIES;
    int fd = udp_connect(argv[1], argv[2]);
    bool answered = fd >= 0;
    for (int i = 0; i < QUESTIONS && answered; i++) {
        struct request request = {.id = i * 100, .raw_value = i * 10.1};
        answered = ask(fd, &request, timeout_ms, tries);
    }
    if (!answered)
        perror("udp-client");
    return answered ? 0 : 1;
}
