/* tests/unit/tick/decimal_test.c -- goal: what is a decimal, what is not, and what does not fit, by example.
 */
#include "base/bytes.h"
#include "base/fault.h"
#include "tick/decimal.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void assert_reads(const char *text, int64_t mantissa, int exponent)
{
    struct decimal plain = {99, -9}, with_e = {99, -9};
    if (!strpbrk(text, "eE")) {
        assert_int_equal(decimal_parse(text, strlen(text), &plain), 0);
        if (plain.mantissa != mantissa || plain.exponent != exponent)
            fail_msg("%s read as %lld, %d", text, (long long)plain.mantissa, plain.exponent);
    }
    assert_int_equal(decimal_parse_e(text, strlen(text), &with_e), 0);
    if (with_e.mantissa != mantissa || with_e.exponent != exponent)
        fail_msg("%s read as %lld, %d", text, (long long)with_e.mantissa, with_e.exponent);
}

static void assert_refused(const char *text, int rc)
{
    struct decimal d = {99, -9};
    if (!strpbrk(text, "eE") || rc == TC_EINPUT)
        if (decimal_parse(text, strlen(text), &d) != rc) fail_msg("%s is not refused with %d", text, rc);
    if (decimal_parse_e(text, strlen(text), &d) != rc) fail_msg("%s is not refused with %d", text, rc);
    assert_true(d.mantissa == 99 && d.exponent == -9); /* unchanged */
}

static void numbers_are_read_as_written(void **state)
{
    (void)state;
    assert_reads("0", 0, 0);
    assert_reads("189.23", 18923, -2);
    assert_reads("189.20", 18920, -2);
    assert_reads("+5", 5, 0);
    assert_reads("-0", 0, 0);
    assert_reads("-0.00", 0, -2);
    assert_reads(".5", 5, -1);
    assert_reads("5.", 5, 0);
    assert_reads("-.25", -25, -2);
    assert_reads("007", 7, 0);
    assert_reads("0.000000000000000001", 1, -18);
    assert_reads("9223372036854775807", INT64_MAX, 0);
    assert_reads("-9223372036854775808", INT64_MIN, 0);
    assert_reads("-9.223372036854775808", INT64_MIN, -18);
    assert_reads("000000000000000000000000000042", 42, 0);
}

static void zeros_at_the_end_do_not_count(void **state)
{
    (void)state;
    assert_reads("1.0000000000000000000", 1, 0); /* 19 decimals */
    assert_reads("1.5000000000000000000000", 15, -1);
    assert_reads("100.000000000000000000", 100, 0);                          /* 18 decimals, but 10^20 */
    assert_reads("1.000000000000000000", INT64_C(1000000000000000000), -18); /* fits as written */
    assert_reads("0.00000000000000000000", 0, -18);
    assert_reads("10000000000000000000e-1", INT64_C(1000000000000000000), 0);
}

static void exponents_are_folded_in(void **state)
{
    (void)state;
    assert_reads("1e-05", 1, -5);
    assert_reads("1E5", 100000, 0);
    assert_reads("1.50e2", 150, 0);
    assert_reads("1.50e1", 150, -1);
    assert_reads("-2.5e+3", -2500, 0);
    assert_reads("1000e-20", 1, -17);
    assert_reads("0e999999999999999999999", 0, 0);
    assert_reads("0e-999999999999999999999", 0, -18);
    assert_reads("9.223372036854775807e18", INT64_MAX, 0);
    struct decimal d;
    assert_int_equal(decimal_parse("1e5", 3, &d), TC_EINPUT); /* not where it is not allowed */
}

static void what_is_not_a_decimal(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "+",
        "-",
        ".",
        "-.",
        "1..2",
        "1.2.3",
        " 1",
        "1 ",
        "1,5",
        "--1",
        "+-1",
        "1e",
        "e5",
        "1e+",
        "1e5.",
        "1e5 ",
        "1e--5",
        ".e5",
        "0x10",
        "NaN",
        "inf",
        "1_0",
        "1'0",
        "\xEF\xBB\xBF\x31",
        "12345678901234567890123x",
        "1.2345678901234567890.",
        "/",
        ":",
        "1/",
        "1:",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_refused(wrong[i], TC_EINPUT);
    struct decimal d;
    assert_int_equal(decimal_parse("1\0", 2, &d), TC_EINPUT);
}

static void decision_21_what_does_not_fit(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "9223372036854775808",
        "-9223372036854775809",
        "10000000000000000000",
        "18446744073709551616",
        "9.2233720368547758080001",
        "0.0000000000000000001",
        "1.2345678901234567891",
        "1e19",
        "1e-19",
        "1e999999999999999999999",
        "1e-999999999999999999999",
        "123456789012345678901234567890.000",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_refused(wrong[i], TC_ELIMIT);
}

static void assert_prints(int64_t mantissa, int exponent, const char *want)
{
    char out[DECIMAL_TEXT_MAX + 2];
    memset(out, '#', sizeof out);
    uint32_t size = decimal_print(out, mantissa, (int8_t)exponent);
    assert_int_equal(size, strlen(want));
    assert_memory_equal(out, want, size);
    assert_int_equal(out[size], '#'); /* nothing past its end */
}

static void printing(void **state)
{
    (void)state;
    assert_prints(0, 0, "0");
    assert_prints(0, -2, "0.00");
    assert_prints(18920, -2, "189.20");
    assert_prints(-5, -1, "-0.5");
    assert_prints(1, -18, "0.000000000000000001");
    assert_prints(99999999, -7, "9.9999999");
    assert_prints(99999999, -8, "0.99999999");
    assert_prints(100000000, -8, "1.00000000");
    assert_prints(INT64_C(9999999999999999), -3, "9999999999999.999");
    assert_prints(INT64_C(10000000000000000), -17, "0.10000000000000000");
    assert_prints(INT64_MIN, 0, "-9223372036854775808");
    assert_prints(INT64_MIN, -18, "-9.223372036854775808");
    assert_prints(INT64_MIN, -1, "-922337203685477580.8");
    assert_prints(INT64_MAX, -9, "9223372036.854775807");
}

static void trimming(void **state)
{
    (void)state;
    struct decimal d = decimal_trim((struct decimal){18920, -2});
    assert_true(d.mantissa == 1892 && d.exponent == -1);
    d = decimal_trim((struct decimal){0, -18});
    assert_true(d.mantissa == 0 && d.exponent == 0);
    d = decimal_trim((struct decimal){1000, -2});
    assert_true(d.mantissa == 10 && d.exponent == 0);
    d = decimal_trim((struct decimal){-1200, 0});
    assert_true(d.mantissa == -1200 && d.exponent == 0);
}

static void decision_21_one_exponent_for_all(void **state)
{
    (void)state;
    struct decimal d[3] = {{1892, -1}, {18925, -2}, {-7, 0}};
    assert_int_equal(decimal_align(d, 3), 0);
    assert_true(d[0].mantissa == 18920 && d[1].mantissa == 18925 && d[2].mantissa == -700);
    assert_true(d[0].exponent == -2 && d[1].exponent == -2 && d[2].exponent == -2);

    struct decimal zeros[2] = {{INT64_MAX, 0}, {500, -2}}; /* fits without the zeros of 5.00 */
    assert_int_equal(decimal_align(zeros, 2), 0);
    assert_true(zeros[0].mantissa == INT64_MAX && zeros[1].mantissa == 5 && zeros[1].exponent == 0);

    struct decimal never[2] = {{INT64_MAX, 0}, {501, -2}};
    assert_int_equal(decimal_align(never, 2), TC_ELIMIT);
    assert_true(never[0].mantissa == INT64_MAX && never[1].mantissa == 501 && never[1].exponent == -2);
    assert_int_equal(decimal_align(NULL, 0), 0);

    int64_t m = 3;
    assert_int_equal(decimal_at((struct decimal){INT64_MAX, 0}, -1, &m), TC_ELIMIT);
    assert_true(m == 3);
    assert_int_equal(decimal_at((struct decimal){-5, -1}, -3, &m), 0);
    assert_true(m == -500);
}

static void comparing(void **state)
{
    (void)state;
    struct decimal one = {1, 0}, also_one = {INT64_C(1000000000000000000), -18}, big = {INT64_MAX, 0};
    struct decimal least = {INT64_MIN, 0}, tiny = {1, -18}, minus = {INT64_MIN, -18};
    assert_int_equal(decimal_compare(one, also_one), 0);
    assert_int_equal(decimal_compare(tiny, one), -1);
    assert_int_equal(decimal_compare(big, tiny), 1);
    assert_int_equal(decimal_compare(least, minus), -1);
    assert_int_equal(decimal_compare((struct decimal){0, 0}, (struct decimal){0, -18}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_as_written),
        cmocka_unit_test(zeros_at_the_end_do_not_count),
        cmocka_unit_test(exponents_are_folded_in),
        cmocka_unit_test(what_is_not_a_decimal),
        cmocka_unit_test(decision_21_what_does_not_fit),
        cmocka_unit_test(printing),
        cmocka_unit_test(trimming),
        cmocka_unit_test(decision_21_one_exponent_for_all),
        cmocka_unit_test(comparing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
