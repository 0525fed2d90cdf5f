/* tests/unit/tick/kind_test.c -- goal: each wire word stands for one value and leads back to it; nothing else
 * is a word. */
#include "base/bytes.h"
#include "tick/tick.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void client_kinds_have_words_and_back(void **state)
{
    (void)state;
    static const char *const words[] = {"trade", "quote", "bar", "book", "status"};
    static const int kinds[] = {TICK_TRADE, TICK_QUOTE, TICK_BAR, TICK_BOOK, TICK_STATUS};
    for (int i = 0; i < 5; i++) {
        assert_string_equal(tick_kind_name((uint8_t)kinds[i]), words[i]);
        assert_int_equal(tick_kind_parse(words[i], strlen(words[i])), kinds[i]);
    }
}

static void other_words_are_no_kinds(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "feed", "symbol", "hole", "Trade", "trades", "trad", "quote "};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(tick_kind_parse(wrong[i], strlen(wrong[i])), -1);
    assert_null(tick_kind_name(0));
    assert_null(tick_kind_name(TICK_KINDS));
    assert_null(tick_kind_name(255));
}

static void intervals_have_words_lengths_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        uint64_t seconds;
    } want[BAR_INTERVALS] = {
        {"1s", 1},     {"5s", 5},      {"10s", 10},   {"15s", 15},   {"30s", 30},   {"1m", 60},
        {"2m", 120},   {"3m", 180},    {"5m", 300},   {"10m", 600},  {"15m", 900},  {"30m", 1800},
        {"1h", 3600},  {"2h", 7200},   {"4h", 14400}, {"6h", 21600}, {"8h", 28800}, {"12h", 43200},
        {"1d", 86400}, {"1w", 604800}, {"1M", 0},
    };
    for (uint8_t i = 0; i < BAR_INTERVALS; i++) {
        assert_string_equal(bar_interval_name(i), want[i].word);
        assert_int_equal(bar_interval_parse(want[i].word, strlen(want[i].word)), i);
        assert_true(bar_interval_ns(i) == want[i].seconds * UINT64_C(1000000000));
    }
    assert_null(bar_interval_name(BAR_INTERVALS));
    assert_true(bar_interval_ns(BAR_INTERVALS) == 0);
    assert_int_equal(bar_interval_parse("1S", 2), -1);
    assert_int_equal(bar_interval_parse("1", 1), -1);
    assert_int_equal(bar_interval_parse("", 0), -1);
    assert_int_equal(bar_interval_parse("1mo", 3), -1);
}

static void states_and_reasons_have_words(void **state)
{
    (void)state;
    assert_null(status_state_name(0));
    assert_string_equal(status_state_name(STATUS_HALTED), "halted");
    assert_string_equal(status_state_name(STATUS_PRE_OPEN), "pre_open");
    for (uint8_t i = 1; i < STATUS_STATES; i++) assert_non_null(status_state_name(i));
    assert_null(status_state_name(STATUS_STATES));
    assert_null(feed_state_name(0));
    assert_string_equal(feed_state_name(FEED_LOST), "lost");
    assert_string_equal(feed_state_name(FEED_RESUMED), "resumed");
    for (uint8_t i = 1; i < FEED_STATES; i++) assert_non_null(feed_state_name(i));
    assert_null(feed_state_name(FEED_STATES));
    assert_null(feed_reason_name(FEED_REASON_NONE));
    assert_string_equal(feed_reason_name(FEED_REASON_UPSTREAM), "upstream");
    for (uint8_t i = 1; i < FEED_REASONS; i++) assert_non_null(feed_reason_name(i));
    assert_null(feed_reason_name(FEED_REASONS));
}

static void state_and_event(void **state)
{
    (void)state;
    assert_true(tick_is_state(TICK_QUOTE, 0));
    assert_true(tick_is_state(TICK_BOOK, BOOK_ASK));
    assert_true(tick_is_state(TICK_BAR, BAR_1D << BAR_INTERVAL_SHIFT));
    assert_false(tick_is_state(TICK_BAR, BAR_FINAL));
    assert_false(tick_is_state(TICK_TRADE, 0));
    assert_false(tick_is_state(TICK_STATUS, 0));
    struct tick t = {.kind = TICK_BAR, .flags = BAR_FINAL | BAR_1MO << BAR_INTERVAL_SHIFT};
    assert_int_equal(tick_bar_interval(&t), BAR_1MO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_kinds_have_words_and_back),
        cmocka_unit_test(other_words_are_no_kinds),
        cmocka_unit_test(intervals_have_words_lengths_and_back),
        cmocka_unit_test(states_and_reasons_have_words),
        cmocka_unit_test(state_and_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
