/* tests/unit/base/random_test.c -- goal: a seed gives the sequence the generator's paper gives, on any
 * processor, and bounded numbers are in bounds and even. */
#include "base/random.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

/* Written from the paper's definition by other operations than random.c's: 128-bit products, shifts apart. */
static uint64_t reference_next(uint64_t s[4])
{
    uint64_t five = (uint64_t)((unsigned __int128)s[1] * 5), seven = (five << 7) + (five >> 57);
    uint64_t result = (seven << 3) + seven, t = s[1] * 131072;
    uint64_t a = s[0], b = s[1], c = s[2] ^ a, d = s[3] ^ b;
    s[1] = b ^ c;
    s[0] = a ^ d;
    s[2] = c ^ t;
    s[3] = (d << 45) + (d >> 19);
    return result;
}

static void the_sequence_is_xoshiro(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 0);
    /* splitmix64 of seed 0: the values its authors publish. */
    assert_true(r.s[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(r.s[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(r.s[2] == UINT64_C(0x06c45d188009454f));
    assert_true(r.s[3] == UINT64_C(0xf88bb8a8724c81ec));
    uint64_t s[4];
    memcpy(s, r.s, sizeof s);
    for (int i = 0; i < 1000; i++) assert_true(random_u64(&r) == reference_next(s));
    r = (struct random){{1, 2, 3, 4}}; /* xoshiro256** from the state 1, 2, 3, 4 */
    assert_true(random_u64(&r) == 11520);
    assert_true(random_u64(&r) == 0);
    assert_true(random_u64(&r) == 1509978240);
}

static void seeds_differ_and_repeat(void **state)
{
    (void)state;
    struct random a, b, c;
    random_seed(&a, 7);
    random_seed(&b, 7);
    random_seed(&c, 8);
    int same = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t x = random_u64(&a);
        assert_true(x == random_u64(&b));
        same += x == random_u64(&c);
    }
    assert_int_equal(same, 0);
}

static void bounded_numbers_are_even(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, 1);
    uint32_t count[10] = {0};
    for (int i = 0; i < 100000; i++) {
        uint64_t x = random_below(&r, 10);
        assert_true(x < 10);
        count[x]++;
    }
    for (int i = 0; i < 10; i++) assert_in_range(count[i], 9500, 10500); /* five standard deviations */
    for (int i = 0; i < 100; i++) assert_int_equal(random_below(&r, 1), 0);
    /* A bound where without rejection the lower third would come twice as often as the rest. */
    uint64_t bound = UINT64_C(3) << 62;
    uint32_t low = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t x = random_below(&r, bound);
        assert_true(x < bound);
        low += x < bound / 3;
    }
    assert_in_range(low, 9500, 10500); /* 15000 with the bias */
}

static void secrets_differ(void **state)
{
    (void)state;
    uint8_t a[256], b[256];
    random_secret(a, sizeof a);
    random_secret(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_is_xoshiro),
        cmocka_unit_test(seeds_differ_and_repeat),
        cmocka_unit_test(bounded_numbers_are_even),
        cmocka_unit_test(secrets_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
