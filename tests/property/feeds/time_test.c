/* tests/property/feeds/time_test.c -- goal: times as files write them are what the C library makes of them,
 * with its own zone tables where the machine has them; and what is no time is refused. Rerun one seed:
 * TICKCAST_SEED=N. */
#include "feeds/reader_time.h"

#include "base/fault.h"
#include "base/random.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t seed = 20240601;
static struct random chance;

#define ROUNDS 20000

static int64_t between(int64_t least, int64_t most)
{
    return least + (int64_t)random_below(&chance, (uint64_t)(most - least) + 1);
}

static int64_t parse(enum time_unit unit, const char *text)
{
    int64_t ns = INT64_MIN;
    if (time_parse(text_of(text), unit, &ns) != 0)
        fail_msg("seed %llu: %s is refused", (unsigned long long)seed, text);
    return ns;
}

static void rfc3339_is_the_librarys_time(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t second = between(-5000000000, 9000000000), ns = between(0, 999999999);
        time_t whole = second;
        struct tm tm;
        gmtime_r(&whole, &tm);
        char text[80];
        int offset = (int)between(-23 * 60, 23 * 60);
        snprintf(text, sizeof text, "%04d-%02d-%02d%c%02d:%02d:%02d.%09lld%c%02d:%02d", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, i % 2 ? 'T' : ' ', tm.tm_hour, tm.tm_min, tm.tm_sec,
                 (long long)ns, offset < 0 ? '-' : '+', abs(offset) / 60, abs(offset) % 60);
        int64_t expected = (second - offset * 60) * 1000000000 + ns;
        if (parse(TIME_TEXT, text) != expected) fail_msg("seed %llu: %s", (unsigned long long)seed, text);
    }
}

/* Any wall clock of any day that exists, against the zone tables. */
static void local_times_are_the_zone_tables(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum time_zone zone;
    } zones[] = {{"America/New_York", ZONE_NEW_YORK}, {"America/Chicago", ZONE_CHICAGO}};
    if (access("/usr/share/zoneinfo/America/Chicago", R_OK) != 0) {
        fprintf(stderr, "skipped: this machine has no zone tables\n");
        skip();
    }
    for (int z = 0; z < 2; z++) {
        setenv("TZ", zones[z].name, 1);
        tzset();
        for (int i = 0; i < ROUNDS; i++) {
            time_t utc =
                between(180000000,
                        4000000000); /* 1975-09 to 2096: by rule, without the exceptions of 1974 and 1975 */
            struct tm local;
            localtime_r(&utc, &local);
            struct tm again = local;
            again.tm_isdst = 1;
            time_t first = mktime(&again); /* of an hour that comes twice: the first */
            localtime_r(&first, &again);
            if (again.tm_hour != local.tm_hour || again.tm_min != local.tm_min) first = utc;
            int32_t day = time_day(local.tm_year + 1900, (uint32_t)local.tm_mon + 1, (uint32_t)local.tm_mday);
            int64_t of_day = ((int64_t)local.tm_hour * 60 + local.tm_min) * 60 + local.tm_sec;
            int64_t ns = time_local_ns(zones[z].zone, day, of_day * 1000000000);
            if (ns != (int64_t)first * 1000000000) {
                fail_msg("seed %llu: %s %lld: %lld instead of %lld", (unsigned long long)seed, zones[z].name,
                         (long long)utc, (long long)ns, (long long)first);
            }
        }
    }
    unsetenv("TZ");
}

static void units_are_exact(void **state)
{
    (void)state;
    static const int64_t scale[] = {
        [TIME_NS] = 1, [TIME_US] = 1000, [TIME_MS] = 1000000, [TIME_S] = 1000000000};
    static const int digits[] = {[TIME_NS] = 0, [TIME_US] = 3, [TIME_MS] = 6, [TIME_S] = 9};
    for (int i = 0; i < ROUNDS; i++) {
        enum time_unit unit = (enum time_unit)random_below(&chance, 4);
        int64_t ns = between(0, INT64_MAX / 2);
        char text[64];
        snprintf(text, sizeof text, "%lld.%0*lld", (long long)(ns / scale[unit]), digits[unit],
                 (long long)(ns % scale[unit]));
        if (unit == TIME_NS) snprintf(text, sizeof text, "%lld", (long long)ns);
        assert_int_equal(parse(unit, text), ns);
    }
    assert_int_equal(parse(TIME_S, "35821.088778456004"),
                     INT64_C(35821088778456)); /* a printed double: rounded to ns */
    assert_int_equal(parse(TIME_S, "1.9999999996"), 2000000000);
    assert_int_equal(parse(TIME_S, "1.00000000049999"), 1000000000);
    assert_int_equal(parse(TIME_NS, "9223372036854775807"), INT64_MAX);
    assert_int_equal(parse(TIME_MS, "-5"), -5000000);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "-",
                                        ".",
                                        "1.2.3",
                                        "1e5",
                                        " 1",
                                        "1 ",
                                        "0x10",
                                        "9223372036854775808",
                                        "99999999999999999999",
                                        "2023-02-29T00:00:00Z",
                                        "2023-13-01T00:00:00Z",
                                        "2023-00-01T00:00:00Z",
                                        "2023-01-01T24:00:00Z",
                                        "2023-01-01T00:60:00Z",
                                        "2023-01-01T00:00:60Z",
                                        "2023-01-01X00:00:00Z",
                                        "2023-01-01T00:00:00+1:00",
                                        "2023-01-01T00:00:00Zjunk",
                                        "2023-01-01",
                                        "2023-01-01T0000Z",
                                        "9999-01-01T00:00:00Z"};
    for (uint32_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t ns = 42;
        if (time_parse(text_of(wrong[i]), TIME_NS, &ns) == 0)
            fail_msg("\"%s\" was taken as %lld", wrong[i], (long long)ns);
        assert_int_equal(ns, 42);
    }
}

/* A day is of use only if all of its times, in any zone, can be told in ns since 1970. */
static void a_day_out_of_reach_is_none(void **state)
{
    (void)state;
    static const char *const days[] = {"0000-01-01", "16771231", "2262-01-01", "32010107", "9999-12-31"};
    int32_t day = 42;
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        if (time_date_parse(text_of(days[i]), &day) == 0) fail_msg("%s is taken", days[i]);
        assert_int_equal(day, 42);
    }
    const int64_t late = 2 * INT64_C(86400000000000) - 1;
    assert_int_equal(time_date_parse(TEXT("1678-01-01"), &day), 0);
    assert_true(time_local_ns(ZONE_UTC, day, 0) < INT64_C(-9200000000000000000));
    assert_int_equal(time_date_parse(TEXT("22611231"), &day), 0);
    assert_true(time_local_ns(ZONE_CHICAGO, day, late) > INT64_C(9200000000000000000));
}

int main(void)
{
    const char *given = getenv("TICKCAST_SEED");
    if (given) seed = strtoull(given, NULL, 0);
    printf("seed %llu\n", (unsigned long long)seed);
    random_seed(&chance, seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3339_is_the_librarys_time),
        cmocka_unit_test(local_times_are_the_zone_tables),
        cmocka_unit_test(units_are_exact),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_day_out_of_reach_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
