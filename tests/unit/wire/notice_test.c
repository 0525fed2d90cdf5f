/* tests/unit/wire/notice_test.c -- goal: the server's own messages say what was meant, to the digit. */
#include "wire/notice.h"

#include "tick/tick.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static void expect_rate(double asked, const char *told)
{
    struct notice_rule rule = {TEXT("*"), KINDS_CLIENT};
    struct notice_set set = {.rules = &rule,
                             .rule_count = 1,
                             .rate_interval_ns = asked > 0 ? (uint64_t)(1e9 / asked + 0.5) : 0,
                             .seq = 7};
    char out[4096], expected[64];
    assert_true(notice_set_bytes(&set) <= sizeof out);
    out[notice_set(out, &set)] = 0;
    snprintf(expected, sizeof expected, "\"rate\":%s,", told);
    if (!strstr(out, expected)) fail_msg("%s: not %s", out, expected);
}

/* A client is told the rate it asked for, not what is left of it after a division. */
static void test_rate_as_asked(void **state)
{
    (void)state;
    expect_rate(0, "0");
    expect_rate(1, "1");
    expect_rate(20, "20");
    expect_rate(24, "24"); /* once told as 23.9999998 */
    expect_rate(60, "60");
    expect_rate(1000, "1000");
    expect_rate(0.5, "0.5");
    expect_rate(0.001, "0.001");
    expect_rate(29.97, "29.97");
    for (int rate = 1; rate <= 1000; rate++) {
        char text[16];
        snprintf(text, sizeof text, "%d", rate);
        expect_rate(rate, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rate_as_asked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
