/*
 * claim: if (head + length <= max) keeps bad lengths out.
 * predict: uint32_t head = 4, max = 64, and the length from the wire is ff ff ff ff. Does that
 *   test refuse it? How many bytes would the program then copy into its 64?
 * why: Unsigned numbers wrap: 4 + 4294967295 is 3 in 32 bits. Compare the number from the wire with
 *   what is left, before you add anything to it: length <= max - head, where both numbers are your
 *   own and small. This has been a hole in many real programs.
 */
#include <stdint.h>
#include <stdio.h>

int main(void)
{
    const uint32_t head = 4, max = 64;
    const uint32_t lengths[] = {16, 60, 61, 0x7fffffff, 0xfffffffb, 0xffffffff};
    int fooled = 0, wrong = 0;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint32_t length = lengths[i], sum = head + length;
        int adding = sum <= max, comparing = length <= max - head;
        printf("length %10u: head + length = %10u: %s;  length <= max - head: %s\n",
               length, sum, adding ? "accepted" : "refused",
               comparing ? "accepted" : "refused");
        fooled += adding && length > max;
        wrong += comparing != (length <= 60);
    }
    printf("so: the sum lets %d absurd length%s in, the difference %d\n", fooled,
           fooled == 1 ? "" : "s", wrong);
    return 0;
}
