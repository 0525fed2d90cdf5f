/* The 64-byte record (decision 1): where each field stands, byte by byte, and that nothing is cut to fit a
 * bar into it. The offsets are part of the recording and of the binary wire. */
#include "log/log.h"
#include "tick/tick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A little-endian number out of the record's bytes. */
static uint64_t number_at(const struct tick *t, size_t at, size_t size)
{
    uint8_t bytes[64];
    uint64_t n = 0;
    memcpy(bytes, t, sizeof bytes);
    while (size-- > 0) n = n << 8 | bytes[at + size];
    return n;
}

static void decision_01_fields_stand_where_they_are_said_to(void **state)
{
    (void)state;
    struct tick t = {.seq = 0x1112131415161718,
                     .event_ns = 0x2122232425262728,
                     .symbol = 0x31323334,
                     .kind = TICK_QUOTE,
                     .flags = 0x42,
                     .price_exp = -3,
                     .size_exp = -4,
                     .ingest_ns = 0x5152535455565758};
    t.quote = (struct tick_quote){.bid = 1, .bid_size = 2, .ask = 3, .ask_size = -4};
    assert_int_equal(sizeof t, 64);
    assert_true(number_at(&t, 0, 8) == 0x1112131415161718);
    assert_true(number_at(&t, 8, 8) == 0x2122232425262728);
    assert_true(number_at(&t, 16, 4) == 0x31323334);
    assert_int_equal(number_at(&t, 20, 1), TICK_QUOTE);
    assert_int_equal(number_at(&t, 21, 1), 0x42);
    assert_int_equal((int8_t)number_at(&t, 22, 1), -3);
    assert_int_equal((int8_t)number_at(&t, 23, 1), -4);
    assert_true(number_at(&t, 24, 8) == 0x5152535455565758);
    assert_true(number_at(&t, 32, 8) == 1 && number_at(&t, 40, 8) == 2 && number_at(&t, 48, 8) == 3);
    assert_true((int64_t)number_at(&t, 56, 8) == -4);
}

static void decision_01_a_name_of_32_characters_is_the_payload(void **state)
{
    (void)state;
    struct tick t = {.kind = TICK_SYMBOL};
    memcpy(t.name.name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", 32);
    assert_memory_equal((const char *)&t + 32, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", 32);
}

/* Five numbers of 64 bits, `final` and the interval go through the log and its JSON whole. */
static void decision_01_a_bar_keeps_every_bit(void **state)
{
    (void)state;
    struct fault fault;
    struct log *log =
        log_create(&(struct log_options){.capacity = 1024, .symbols_max = 4, .bars_max = 64}, &fault);
    assert_non_null(log);
    assert_int_equal(log_symbol(log, TEXT("AAPL"), 1), 0);
    for (uint8_t interval = 0; interval < BAR_INTERVALS; interval++) {
        for (uint8_t final = 0; final < 2; final++) {
            struct tick in = {.event_ns = INT64_MAX, .kind = TICK_BAR, .price_exp = -18};
            in.flags = (uint8_t)(interval << BAR_INTERVAL_SHIFT | (final ? BAR_FINAL : 0));
            in.bar = (struct tick_bar){INT64_MAX, INT64_MAX, INT64_MIN + 1, -1, INT64_MAX - 6};
            struct tick out, copy = in;
            uint64_t seq = log_append(log, &copy, 1);
            assert_int_equal(log_read(log, seq - 1, &out, 1), 1);
            assert_memory_equal((const char *)&out + 8, (const char *)&in + 8, 56);
            assert_true(number_at(&out, 24, 8) == INT64_MAX && number_at(&out, 56, 8) == INT64_MAX - 6);
            assert_int_equal(tick_bar_interval(&out), interval);
            char json[TICK_JSON_MAX + 1];
            int size = log_read_json(log, seq, json);
            assert_true(size > 0 && size <= (int)TICK_JSON_MAX);
            json[size] = 0;
            assert_non_null(strstr(json, "\"open\":9.223372036854775807,"));
            assert_non_null(strstr(json, "\"low\":-9.223372036854775807,"));
            assert_non_null(strstr(json, "\"close\":-0.000000000000000001,"));
            assert_non_null(strstr(json, "\"volume\":9223372036854775801,"));
            assert_non_null(strstr(json, final ? "\"final\":true" : "\"final\":false"));
            assert_non_null(strstr(json, bar_interval_name(interval)));
        }
    }
    log_destroy(log);
}

static void decision_01_other_intervals_are_an_input_error(void **state)
{
    (void)state;
    static const char *const others[] = {"", "7s", "1", "s", "1S", "61s", "1.5m", "2w", "01m", "1m "};
    for (uint32_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(bar_interval_parse(others[i], strlen(others[i])), -1);
    assert_int_equal(bar_interval_parse("1m", 2), BAR_1M);
    assert_int_equal(bar_interval_parse("1M", 2), BAR_1MO);
    struct tick t = {.kind = TICK_BAR, .flags = BAR_INTERVALS << BAR_INTERVAL_SHIFT};
    t.bar = (struct tick_bar){2, 3, 1, 2, 5};
    const char *why = tick_check(&t, 1);
    assert_non_null(why);
    assert_non_null(strstr(why, "interval"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decision_01_fields_stand_where_they_are_said_to),
        cmocka_unit_test(decision_01_a_name_of_32_characters_is_the_payload),
        cmocka_unit_test(decision_01_a_bar_keeps_every_bit),
        cmocka_unit_test(decision_01_other_intervals_are_an_input_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
