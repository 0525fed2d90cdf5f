/* tests/unit/base/age_test.c -- goal: every age has one bucket, an edge belongs to the bucket below it;
 * figures read back are those that were recorded, and what is no age is counted apart. */
#include "base/age.h"

#include "base/bytes.h"
#include "base/random.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <math.h>
#include <stdlib.h>
#include <cmocka.h>

#define VALUES 20000
#define NOW    UINT64_C(1700000000000000000)

static void edges_are_four_steps_to_a_power_of_two(void **state)
{
    (void)state;
    static const uint64_t first[] = {1000, 1250, 1500, 1750, 2000, 2500, 3000, 3500, 4000, 5000};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        assert_true(age_edge_ns((uint32_t)i) == first[i]);
    for (uint32_t i = 0; i + 5 < AGE_BUCKETS; i++) assert_true(age_edge_ns(i + 4) == 2 * age_edge_ns(i));
    assert_true(age_edge_ns(AGE_BUCKETS - 2) == UINT64_C(16777216000));
    assert_true(age_edge_ns(AGE_BUCKETS - 1) == UINT64_MAX);
}

static void an_edge_belongs_to_the_bucket_below_it(void **state)
{
    (void)state;
    assert_int_equal(age_bucket(0), 0);
    assert_int_equal(age_bucket(1), 0);
    for (uint32_t i = 0; i + 1 < AGE_BUCKETS; i++) {
        assert_int_equal(age_bucket(age_edge_ns(i) - 1), i);
        assert_int_equal(age_bucket(age_edge_ns(i)), i);
        assert_int_equal(age_bucket(age_edge_ns(i) + 1), i + 1);
    }
    assert_int_equal(age_bucket(AGE_FAR_NS), AGE_BUCKETS - 1);
    assert_int_equal(age_bucket(UINT64_MAX / 2), AGE_BUCKETS - 1);
}

static void multiples_are_found_without_a_scan(void **state)
{
    (void)state;
    for (uint64_t from = 0; from < 3 * AGE_SAMPLE; from++)
        for (uint64_t to = from; to < from + 2 * AGE_SAMPLE; to++) {
            uint64_t seen = 0;
            for (uint64_t seq = from + 1; seq <= to && !seen; seq++)
                if (seq % AGE_SAMPLE == 0) seen = seq;
            assert_int_equal(age_sampled(from, to), seen != 0);
            if (seen) assert_true(age_sample_after(from) == seen);
        }
}

static void what_was_recorded_is_read_back(void **state)
{
    (void)state;
    static struct ages a, b;
    struct age_sum s = {.count = 0};
    ages_record(&a, NOW, NOW, 1); /* an age of 0 is one */
    ages_record(&a, NOW + 1250, NOW, 2);
    ages_record(&b, NOW + 1251, NOW, 5);
    ages_record(&b, NOW + AGE_FAR_NS, NOW, 1);
    age_sum_add(&s, &a);
    age_sum_add(&s, &b);
    assert_true(s.count == 9);
    assert_true(s.buckets[0] == 1 && s.buckets[1] == 2 && s.buckets[2] == 5);
    assert_true(s.buckets[AGE_BUCKETS - 1] == 1);
    assert_true(fabs(s.sum - (600 + (2 * 1250 + 5 * 1251) * 1e-9)) < 1e-12 * 600);
    assert_true(s.untimed == 0);
}

static void what_is_no_age_is_untimed(void **state)
{
    (void)state;
    static struct ages a;
    static const int64_t far[] = {(int64_t)(NOW + 1),              /* a little ahead */
                                  (int64_t)(NOW + AGE_FAR_NS),     /* far ahead */
                                  (int64_t)(NOW - AGE_FAR_NS) - 1, /* an old file */
                                  0,
                                  -1,
                                  INT64_MAX,
                                  INT64_MIN};
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) ages_record(&a, NOW, far[i], 3);
    struct age_sum s = {.count = 0};
    age_sum_add(&s, &a);
    assert_true(s.untimed == 3 * sizeof far / sizeof far[0]);
    assert_true(s.count == 0 && !(s.sum > 0));
    assert_true(age_percentile(&s, 50) == 0);
}

static int ascending(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static void a_percentile_is_in_the_true_ones_bucket(void **state)
{
    (void)state;
    static const double percents[] = {0, 1, 25, 50, 90, 99, 99.9, 100};
    static uint64_t values[VALUES];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct random r;
        random_seed(&r, seed);
        struct ages a = {.untimed = 0};
        for (int i = 0; i < VALUES; i++) {
            values[i] = random_u64(&r) >> (30 + random_below(&r, 24)); /* all magnitudes up to 17 s */
            ages_record(&a, NOW, (int64_t)(NOW - values[i]), 1);
        }
        qsort(values, VALUES, sizeof values[0], ascending);
        struct age_sum s = {.count = 0};
        age_sum_add(&s, &a);
        for (size_t p = 0; p < sizeof percents / sizeof percents[0]; p++) {
            uint64_t rank = (uint64_t)fmax(1, ceil(percents[p] / 100 * VALUES));
            uint64_t got = age_percentile(&s, percents[p]), exact = values[rank - 1];
            if (exact > age_edge_ns(AGE_BUCKETS - 2))
                assert_true(got == UINT64_MAX);
            else if (age_bucket(got) != age_bucket(exact))
                fail_msg("seed %llu, p%g: %llu, sorted %llu", (unsigned long long)seed, percents[p],
                         (unsigned long long)got, (unsigned long long)exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_are_four_steps_to_a_power_of_two),
        cmocka_unit_test(an_edge_belongs_to_the_bucket_below_it),
        cmocka_unit_test(multiples_are_found_without_a_scan),
        cmocka_unit_test(what_was_recorded_is_read_back),
        cmocka_unit_test(what_is_no_age_is_untimed),
        cmocka_unit_test(a_percentile_is_in_the_true_ones_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
