/* tests/unit/ops/latency_test.c -- goal: percentiles are those of the sorted values, never below and at most
 * 1/128 above; merging two histograms is recording all values in one. */
#include "ops/latency.h"

#include "base/bytes.h"
#include "base/random.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <math.h>
#include <stdlib.h>
#include <cmocka.h>

#define VALUES 20000

static int ascending(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

/* The definition itself: the smallest value that at least `percent` of them do not exceed. */
static uint64_t reference(const uint64_t *sorted, uint64_t count, double percent)
{
    uint64_t rank = (uint64_t)ceil(percent / 100 * (double)count);
    return sorted[rank > 0 ? rank - 1 : 0];
}

static void buckets_are_a_partition(void **state)
{
    (void)state;
    uint64_t least = 0;
    for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
        uint64_t most = latency_bucket_most(i);
        assert_true(most >= least);
        assert_int_equal(latency_bucket(least), i);
        assert_int_equal(latency_bucket(most), i);
        assert_true(most - least <= least / 128);
        least = most + 1;
    }
    assert_true(least == 0); /* the last bucket ends at UINT64_MAX */
}

static void percentiles_match_sorted_values(void **state)
{
    (void)state;
    static const double percents[] = {0, 0.01, 1, 25, 50, 90, 99, 99.9, 99.99, 100};
    static uint64_t values[VALUES];
    static struct latency l;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct random r;
        random_seed(&r, seed);
        latency_reset(&l);
        for (int i = 0; i < VALUES; i++) { /* spread over all magnitudes up to 2^50 */
            values[i] = random_u64(&r) >> (14 + random_below(&r, 50));
            latency_record(&l, values[i]);
        }
        qsort(values, VALUES, sizeof values[0], ascending);
        for (size_t p = 0; p < sizeof percents / sizeof percents[0]; p++) {
            uint64_t exact = reference(values, VALUES, percents[p]),
                     got = latency_percentile(&l, percents[p]);
            if (got < exact || got - exact > exact / 128)
                fail_msg("seed %llu, p%g: %llu, sorted %llu", (unsigned long long)seed, percents[p],
                         (unsigned long long)got, (unsigned long long)exact);
        }
        assert_true(l.least == values[0]);
        assert_true(l.most == values[VALUES - 1]);
    }
}

static void merging_is_recording_all(void **state)
{
    (void)state;
    static struct latency all, a, b;
    struct random r;
    random_seed(&r, 7);
    latency_reset(&all);
    latency_reset(&a);
    latency_reset(&b);
    for (int i = 0; i < VALUES; i++) {
        uint64_t value = random_u64(&r) >> 30;
        latency_record(&all, value);
        latency_record(i % 3 ? &a : &b, value);
    }
    latency_merge(&a, &b);
    assert_memory_equal(&a, &all, sizeof a);
}

static void nothing_recorded_is_zero(void **state)
{
    (void)state;
    static struct latency l, other;
    latency_reset(&l);
    latency_reset(&other);
    assert_int_equal(latency_percentile(&l, 99), 0);
    assert_int_equal(latency_mean(&l), 0);
    latency_record(&other, 5);
    latency_merge(&l, &other);
    assert_int_equal(latency_percentile(&l, 0), 5);
    assert_int_equal(latency_percentile(&l, 100), 5);
    assert_int_equal(latency_mean(&l), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_a_partition),
        cmocka_unit_test(percentiles_match_sorted_values),
        cmocka_unit_test(merging_is_recording_all),
        cmocka_unit_test(nothing_recorded_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
