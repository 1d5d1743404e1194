/* The load generator's figures, from times that are known. Silent when all is right. */
#define main load_main
#include "load.c" // NOLINT(bugprone-suspicious-include): what is tested is static
#undef main

static int failures;

static void check_near(const char *what, double got, double expected, double parts)
{
    if (got >= expected && got <= expected + expected * parts)
        return;
    fprintf(stderr, "%s: %f, expected %f\n", what, got, expected);
    failures++;
}

/* Every time goes to a place whose value is at most a part in PARTS larger. */
static void test_places(void)
{
    for (uint64_t value = 1; value < (uint64_t)1 << 60; value += value / 3 + 1)
        check_near("place", (double)value_of(bucket_of(value)), (double)value,
                   1.0 / PARTS);
}

/* 1, 2 ... 1000 us: half of them are not above 500, 99 of 100 not above 990. */
static void test_percentiles(void)
{
    static struct histogram times;
    check_near("of nothing", percentile(&times, 0.5), 0, 0);
    for (int us = 1000; us >= 1; us--)
        note(&times, (int64_t)us * 1000);
    check_near("p0", percentile(&times, 0), 1, 1.0 / PARTS);
    check_near("p50", percentile(&times, 0.5), 500, 1.0 / PARTS);
    check_near("p99", percentile(&times, 0.99), 990, 1.0 / PARTS);
    check_near("p999", percentile(&times, 0.999), 999, 1.0 / PARTS);
    check_near("p100", percentile(&times, 1), 1000, 0);
}

/* 99 quick ones and a slow one: it is the most, and no more than the last in a hundred. */
static void test_outlier(void)
{
    static struct histogram times;
    for (int i = 0; i < 99; i++)
        note(&times, 10000);
    note(&times, SECOND);
    check_near("p50", percentile(&times, 0.5), 10, 1.0 / PARTS);
    check_near("p99", percentile(&times, 0.99), 10, 1.0 / PARTS);
    check_near("p999", percentile(&times, 0.999), 1e6, 0);
}

int main(void)
{
    test_places();
    test_percentiles();
    test_outlier();
    return failures == 0 ? 0 : 1;
}
