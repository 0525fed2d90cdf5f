/* tests/property/tick/decimal_test.c -- goal: over all mantissas and exponents, print and parse undo each
 * other, printing agrees with the C library, and comparing, aligning and folding exponents in agree with
 * 128-bit sums. TICKCAST_SEED repeats a run. */
#include "base/bytes.h"
#include "base/fault.h"
#include "base/random.h"
#include "tick/decimal.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROUNDS 200000

static uint64_t seed = 1;

#define HOLDS(r, condition)                                                                                  \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("round %d: %s; repeat with TICKCAST_SEED=%llu", (r), #condition,                        \
                     (unsigned long long)seed);                                                              \
    } while (0)

/* All magnitudes alike, and the edges often. */
static int64_t any_mantissa(struct random *r)
{
    static const int64_t edges[] = {0,        1,         -1,        9,         10,
                                    99999999, 100000000, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    if (random_below(r, 8) == 0) return edges[random_below(r, sizeof edges / sizeof edges[0])];
    uint64_t v = random_u64(r) >> random_below(r, 64);
    if (random_below(r, 4) == 0) {
        uint64_t power = 1; /* round numbers and their neighbours: where digit counts change */
        for (uint64_t n = random_below(r, 19); n > 0; n--) power *= 10;
        v = power - 1 + random_below(r, 3);
    }
    return (int64_t)v;
}

static struct decimal any_decimal(struct random *r)
{
    return (struct decimal){any_mantissa(r), (int8_t)(0 - (int)random_below(r, 19))};
}

static uint32_t reference_print(char *out, struct decimal d)
{
    char digits[48];
    uint64_t v = d.mantissa < 0 ? 0 - (uint64_t)d.mantissa : (uint64_t)d.mantissa;
    int decimals = -d.exponent;
    int size = snprintf(digits, sizeof digits, "%0*llu", decimals + 1, (unsigned long long)v);
    size = snprintf(out, 64, "%s%.*s%s%s", d.mantissa < 0 ? "-" : "", size - decimals, digits,
                    decimals ? "." : "", digits + size - decimals);
    return (uint32_t)size;
}

static void decision_21_print_and_parse(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, seed);
    for (int i = 0; i < ROUNDS; i++) {
        struct decimal d = any_decimal(&r), back = {0};
        char want[64], got[DECIMAL_TEXT_MAX];
        uint32_t size = decimal_print(got, d.mantissa, d.exponent);
        HOLDS(i, size == reference_print(want, d));
        HOLDS(i, memcmp(got, want, size) == 0);
        HOLDS(i, decimal_parse(got, size, &back) == 0);
        HOLDS(i, back.mantissa == d.mantissa && back.exponent == d.exponent);
        HOLDS(i, decimal_parse_e(got, size, &back) == 0);
        HOLDS(i, back.mantissa == d.mantissa && back.exponent == d.exponent);
    }
}

/* m e x, with x folded in, is m at that exponent; a reference in 128 bits says whether it fits. */
static void exponents_fold_in(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, seed + 1);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t m = any_mantissa(&r);
        int e = (int)random_below(&r, 50) - 30, shift = 0;
        char text[64];
        int size = snprintf(text, sizeof text, "%lld%c%d", (long long)m, random_below(&r, 2) ? 'e' : 'E', e);
        struct decimal got;
        int rc = decimal_parse_e(text, (size_t)size, &got);
        __int128 v = m; /* as an integer at exponent e, then moved into -18 to 0 */
        for (; e < -18 && v % 10 == 0 && v != 0; e++) v /= 10;
        for (; e > 0 && v <= INT64_MAX && v >= INT64_MIN; e--, shift++) v *= 10;
        bool fits = v == 0 || (e <= 0 && e >= -18 && v <= INT64_MAX && v >= INT64_MIN);
        HOLDS(i, rc == (fits ? 0 : TC_ELIMIT));
        if (!fits) continue;
        HOLDS(i, v == 0 ? got.mantissa == 0
                        : decimal_compare(got, (struct decimal){(int64_t)v, (int8_t)e}) == 0);
    }
}

/* As parse_any would: every short text over the alphabet of numbers is judged as a grammar by hand does. */
static bool reference_grammar(const char *at, size_t size)
{
    size_t i = size > 0 && (at[0] == '-' || at[0] == '+'), digits = 0, points = 0;
    for (; i < size; i++) {
        if (at[i] == '.')
            points++;
        else if (at[i] >= '0' && at[i] <= '9')
            digits++;
        else
            return false;
    }
    return digits > 0 && points <= 1;
}

static void all_short_texts(void **state)
{
    (void)state;
    static const char alphabet[] = "0159.+-e ";
    uint32_t letters = sizeof alphabet - 1, all = 1;
    for (size_t size = 0; size <= 5; size++, all *= letters)
        for (uint32_t n = 0; n < all; n++) {
            char text[8];
            uint32_t rest = n;
            for (size_t i = 0; i < size; i++, rest /= letters) text[i] = alphabet[rest % letters];
            struct decimal a = {0}, b = {0};
            int rc = decimal_parse(text, size, &a);
            if ((rc == 0) != reference_grammar(text, size)) fail_msg("\"%.*s\" gave %d", (int)size, text, rc);
            if (rc == 0) {
                assert_int_equal(decimal_parse_e(text, size, &b), 0);
                assert_true(a.mantissa == b.mantissa && a.exponent == b.exponent);
            }
        }
}

/* Zeros put in front and behind, long enough for the careful path, change nothing but the decimals. */
static void zeros_around(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, seed + 2);
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct decimal d = any_decimal(&r), back;
        char number[DECIMAL_TEXT_MAX], text[128];
        uint32_t size = decimal_print(number, d.mantissa, d.exponent);
        int sign = number[0] == '-', zeros = (int)random_below(&r, 40);
        int total = snprintf(text, sizeof text, "%s%0*d%.*s%s%.*s", sign ? "-" : "",
                             (int)random_below(&r, 20) + 1, 0, (int)size - sign, number + sign,
                             d.exponent < 0 ? "" : ".", zeros, "0000000000000000000000000000000000000000");
        HOLDS(i, decimal_parse(text, (size_t)total, &back) == 0);
        HOLDS(i, decimal_compare(back, d) == 0);
    }
}

static void compare_and_align(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, seed + 3);
    for (int i = 0; i < ROUNDS; i++) {
        struct decimal d[2] = {any_decimal(&r), any_decimal(&r)};
        if (random_below(&r, 4) == 0) d[1] = decimal_trim(d[0]);
        __int128 v[2];
        for (int k = 0; k < 2; k++) {
            v[k] = d[k].mantissa;
            for (int e = d[k].exponent; e > -18; e--) v[k] *= 10;
        }
        HOLDS(i, decimal_compare(d[0], d[1]) == (v[0] > v[1]) - (v[0] < v[1]));
        struct decimal trimmed = decimal_trim(d[0]);
        HOLDS(i,
              decimal_compare(trimmed, d[0]) == 0 && (trimmed.exponent == 0 || trimmed.mantissa % 10 != 0));
        struct decimal same[2] = {d[0], d[1]};
        int rc = decimal_align(same, 2);
        HOLDS(i, decimal_compare(same[0], d[0]) == 0 && decimal_compare(same[1], d[1]) == 0);
        if (rc == 0) HOLDS(i, same[0].exponent == same[1].exponent);
        if (rc != 0) { /* then the fewest decimals that would do are still too many */
            struct decimal t[2] = {decimal_trim(d[0]), decimal_trim(d[1])};
            int8_t least = t[0].exponent < t[1].exponent ? t[0].exponent : t[1].exponent;
            int64_t m;
            HOLDS(i, decimal_at(t[0], least, &m) == TC_ELIMIT || decimal_at(t[1], least, &m) == TC_ELIMIT);
        }
    }
}

int main(void)
{
    if (getenv("TICKCAST_SEED")) seed = strtoull(getenv("TICKCAST_SEED"), NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decision_21_print_and_parse),
        cmocka_unit_test(exponents_fold_in),
        cmocka_unit_test(all_short_texts),
        cmocka_unit_test(zeros_around),
        cmocka_unit_test(compare_and_align),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
