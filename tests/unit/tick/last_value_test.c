/* tests/unit/tick/last_value_test.c -- goal: what is kept, what is not, in which order it is shown, by
 * example. */
#include "base/fault.h"
#include "tick/last_value.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define ALL (KINDS_CLIENT | KIND_BIT(TICK_FEED))

struct seen {
    uint32_t count;
    struct tick ticks[64];
};

static void note(void *context, const struct tick *t)
{
    struct seen *s = context;
    assert_true(s->count < 64);
    s->ticks[s->count++] = *t;
}

static struct seen each(const struct last_value *v, uint32_t symbol, uint32_t kinds, uint64_t after,
                        uint64_t up_to)
{
    struct seen s = {0};
    last_value_each(v, symbol, kinds, after, up_to, note, &s);
    return s;
}

static void fold(struct last_value *v, uint64_t seq, uint32_t symbol, uint8_t kind, uint8_t flags)
{
    last_value_fold(v, &(struct tick){.seq = seq,
                                      .symbol = symbol,
                                      .kind = kind,
                                      .flags = flags,
                                      .event_ns = (int64_t)seq * 10,
                                      .bar = {(int64_t)seq, 2, 3, 4, -(int64_t)seq}});
}

static uint8_t bar_flags(enum bar_interval i, bool final)
{
    return (uint8_t)((unsigned)i << BAR_INTERVAL_SHIFT | (final ? BAR_FINAL : 0));
}

static void the_newest_of_each_kind_in_order(void **state)
{
    (void)state;
    struct last_value *v = last_value_create(8, 8);
    fold(v, 1, 3, TICK_STATUS, 0);
    fold(v, 2, 3, TICK_BAR, bar_flags(BAR_1D, false));
    fold(v, 3, 3, TICK_BAR, bar_flags(BAR_1S, true));
    fold(v, 4, 3, TICK_QUOTE, QUOTE_NO_ASK);
    fold(v, 5, 3, TICK_TRADE, TRADE_BUY);
    fold(v, 6, 3, TICK_BAR, bar_flags(BAR_1M, false));
    fold(v, 7, 3, TICK_QUOTE, 0);
    fold(v, 8, 3, TICK_BAR, bar_flags(BAR_1D, true));
    struct seen s = each(v, 3, ALL, 0, UINT64_MAX);
    static const uint64_t want[] = {5, 7, 3, 6, 8, 1}; /* trade, quote, bars by interval, status */
    assert_int_equal(s.count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(s.ticks[i].seq, want[i]);
        assert_int_equal(s.ticks[i].symbol, 3);
        assert_int_equal(s.ticks[i].event_ns, want[i] * 10);
        assert_int_equal(s.ticks[i].bar.open, want[i]);
        assert_int_equal(s.ticks[i].bar.volume, -(int64_t)want[i]);
    }
    assert_int_equal(s.ticks[0].flags, TRADE_BUY);
    assert_int_equal(s.ticks[1].flags, 0);
    assert_int_equal(s.ticks[4].flags, bar_flags(BAR_1D, true));
    assert_int_equal(each(v, 2, ALL, 0, UINT64_MAX).count, 0);
    last_value_destroy(v);
}

static void kinds_and_range_select(void **state)
{
    (void)state;
    struct last_value *v = last_value_create(1, 2);
    fold(v, 1, 0, TICK_STATUS, 0);
    fold(v, 2, 0, TICK_TRADE, 0);
    fold(v, 3, 0, TICK_BAR, 0);
    fold(v, 4, 0, TICK_QUOTE, 0);
    assert_int_equal(each(v, 0, KIND_BIT(TICK_BAR), 0, UINT64_MAX).ticks[0].seq, 3);
    assert_int_equal(each(v, 0, KIND_BIT(TICK_BAR) | KIND_BIT(TICK_QUOTE), 0, UINT64_MAX).count, 2);
    assert_int_equal(each(v, 0, KIND_BIT(TICK_BOOK), 0, UINT64_MAX).count, 0);
    struct seen s = each(v, 0, ALL, 1, 3); /* (1, 3] */
    assert_int_equal(s.count, 2);
    assert_int_equal(s.ticks[0].seq, 2);
    assert_int_equal(s.ticks[1].seq, 3);
    assert_int_equal(each(v, 0, ALL, 4, UINT64_MAX).count, 0);
    last_value_destroy(v);
}

static void other_kinds_and_older_ticks_are_ignored(void **state)
{
    (void)state;
    struct last_value *v = last_value_create(4, 4);
    fold(v, 5, 1, TICK_QUOTE, 0);
    fold(v, 4, 1, TICK_QUOTE, 1);
    fold(v, 5, 1, TICK_QUOTE, 2);
    fold(v, 6, 1, TICK_BOOK, 0);
    fold(v, 7, 0, TICK_FEED, 0);
    fold(v, 8, 1, TICK_SYMBOL, 0);
    fold(v, 9, 0, TICK_HOLE, 0);
    struct seen s = each(v, 1, ALL, 0, UINT64_MAX);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.ticks[0].flags, 0);
    assert_int_equal(each(v, 0, ALL, 0, UINT64_MAX).count, 0);
    last_value_destroy(v);
}

static void bars_beyond_the_pool_are_counted(void **state)
{
    (void)state;
    struct last_value *v = last_value_create(2, 2);
    fold(v, 1, 0, TICK_BAR, bar_flags(BAR_5M, false));
    fold(v, 2, 1, TICK_BAR, bar_flags(BAR_5M, false));
    fold(v, 3, 0, TICK_BAR, bar_flags(BAR_1S, false));
    fold(v, 4, 1, TICK_BAR, bar_flags(BAR_1H, false));
    fold(v, 5, 1, TICK_BAR, bar_flags(BAR_5M, false)); /* known ones go on */
    assert_int_equal(last_value_refused(v), 2);
    assert_int_equal(each(v, 0, ALL, 0, UINT64_MAX).count, 1);
    assert_int_equal(each(v, 1, ALL, 0, UINT64_MAX).ticks[0].seq, 5);
    last_value_destroy(v);
}

static void forgetting_one_symbol(void **state)
{
    (void)state;
    struct last_value *v = last_value_create(2, 2);
    for (uint32_t symbol = 0; symbol < 2; symbol++) {
        fold(v, 1, symbol, TICK_TRADE, 0);
        fold(v, 2, symbol, TICK_QUOTE, 0);
        fold(v, 3, symbol, TICK_STATUS, 0);
        fold(v, 4, symbol, TICK_BAR, bar_flags(BAR_1M, false));
    }
    last_value_forget(v, 0);
    last_value_forget(v, 0);
    assert_int_equal(each(v, 0, ALL, 0, UINT64_MAX).count, 0);
    assert_int_equal(each(v, 1, ALL, 0, UINT64_MAX).count, 4);
    fold(v, 5, 0, TICK_BAR, bar_flags(BAR_1M, true)); /* its place in the pool was kept */
    assert_int_equal(each(v, 0, ALL, 0, UINT64_MAX).ticks[0].seq, 5);
    assert_int_equal(last_value_refused(v), 0);
    last_value_destroy(v);
}

static void a_copy_replaces_all(void **state)
{
    (void)state;
    struct last_value *from = last_value_create(4, 8), *into = last_value_create(4, 8);
    fold(from, 3, 1, TICK_QUOTE, 0);
    fold(from, 9, 2, TICK_BAR, bar_flags(BAR_1M, false));
    fold(from, 4, 2, TICK_BAR, bar_flags(BAR_1S, false));
    fold(into, 1, 0, TICK_TRADE, 0);                      /* not in from: gone after it */
    fold(into, 2, 2, TICK_BAR, bar_flags(BAR_1D, false)); /* too */
    fold(into, 1, 1, TICK_QUOTE, 0);
    assert_int_equal(last_value_copy(into, from, 4), 9);
    assert_int_equal(each(into, 0, ALL, 0, UINT64_MAX).count, 0);
    assert_int_equal(each(into, 1, ALL, 0, UINT64_MAX).ticks[0].seq, 3);
    struct seen s = each(into, 2, ALL, 0, UINT64_MAX);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.ticks[0].seq, 4);
    assert_int_equal(s.ticks[1].seq, 9);
    fold(into, 8, 2, TICK_BAR, bar_flags(BAR_1M, true)); /* the copy is newer */
    assert_int_equal(each(into, 2, ALL, 0, UINT64_MAX).ticks[1].seq, 9);
    struct last_value *empty = last_value_create(4, 0);
    assert_int_equal(last_value_copy(into, empty, 4), 0);
    for (uint32_t symbol = 0; symbol < 4; symbol++)
        assert_int_equal(each(into, symbol, ALL, 0, UINT64_MAX).count, 0);
    last_value_destroy(empty);
    last_value_destroy(from);
    last_value_destroy(into);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_each_kind_in_order),
        cmocka_unit_test(kinds_and_range_select),
        cmocka_unit_test(other_kinds_and_older_ticks_are_ignored),
        cmocka_unit_test(bars_beyond_the_pool_are_counted),
        cmocka_unit_test(forgetting_one_symbol),
        cmocka_unit_test(a_copy_replaces_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
