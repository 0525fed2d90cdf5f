/* tests/unit/feeds/dbn_real_test.c -- goal: recorded DBN files of the three versions give the counts, first
 * and last records and exact sums that were counted from their bytes independently. The folder is named by
 * TICKCAST_REAL_DATA; without it everything is skipped. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feeds/real_data.h"

static struct read_all read_dbn(const char *name)
{
    struct read_all a = read_real(name, "dbn");
    for (uint32_t i = 0; i < a.count; i++) assert_null(tick_check(&a.ticks[i], UINT32_MAX));
    return a;
}

/* All of a small file. */
static void expect(const char *name, const char *const *lines)
{
    struct read_all a = read_dbn(name);
    uint32_t i = 0;
    for (; lines[i] && i < a.count; i++) assert_string_equal(LINE(a, i), lines[i]);
    assert_int_equal(a.count, i);
    assert_null(lines[i]);
    read_all_free(&a);
}

#define EXPECT(name, ...) expect(name, (const char *const[]){__VA_ARGS__, NULL})

/* Over trades, prices in 1e-9. */
struct sums {
    int64_t size;
    __int128 notional;
    int64_t low, high;
    uint32_t trades, quotes, buys, sells;
};

static struct sums sums_of(const struct read_all *a)
{
    struct sums s = {.low = INT64_MAX, .high = INT64_MIN};
    for (uint32_t i = 0; i < a->count; i++) {
        const struct tick *t = &a->ticks[i];
        s.quotes += t->kind == TICK_QUOTE;
        if (t->kind != TICK_TRADE) continue;
        int64_t price;
        assert_int_equal(decimal_at((struct decimal){t->trade.price, t->price_exp}, -9, &price), 0);
        assert_int_equal(t->size_exp, 0);
        s.trades++;
        s.size += t->trade.size;
        s.notional += (__int128)price * t->trade.size;
        s.buys += t->flags == TRADE_BUY;
        s.sells += t->flags == TRADE_SELL;
        if (price < s.low) s.low = price;
        if (price > s.high) s.high = price;
    }
    return s;
}

static uint32_t steps_back(const struct read_all *a)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < a->count; i++) n += a->ticks[i].event_ns < a->ticks[i - 1].event_ns;
    return n;
}

static void check_esu4_trades(const struct read_all *a)
{
    struct sums s = sums_of(a);
    assert_int_equal(s.trades, 120);
    assert_int_equal(s.buys, 66);
    assert_int_equal(s.sells, 54);
    assert_int_equal(s.size, 253);
    assert_true(s.notional == INT64_C(1398845500000000));
    assert_int_equal(s.low, INT64_C(5528500000000));
    assert_int_equal(s.high, INT64_C(5529500000000));
    assert_int_equal(steps_back(a), 0);
}

static void trades(void **state)
{
    (void)state;
    struct read_all a = read_dbn("dbn-v1-trades-esu4-20240701.dbn.zst");
    assert_int_equal(a.count, 120);
    check_esu4_trades(&a);
    assert_string_equal(LINE(a, 0), "ESU4 trade 1 1719878281218218853 5528.75 2");
    assert_string_equal(LINE(a, 119), "ESU4 trade 2 1719878512813445903 5529.25 1");
    read_all_free(&a);
}

/* The same trades, one by one, among the quotes. */
static void mbp_1(void **state)
{
    (void)state;
    struct read_all a = read_dbn("dbn-v1-mbp1-esu4-20240701.dbn.zst");
    assert_int_equal(a.count, 2288);
    check_esu4_trades(&a);
    assert_int_equal(sums_of(&a).quotes, 2168);
    assert_string_equal(LINE(a, 0), "ESU4 trade 1 1719878281218218853 5528.75 2");
    assert_string_equal(LINE(a, 2287), "ESU4 quote 0 1719878519824330531 5529.00 24 5529.25 6");
    struct read_all b = read_dbn("dbn-v1-trades-esu4-20240701.dbn.zst");
    uint32_t k = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        if (a.ticks[i].kind != TICK_TRADE) continue;
        assert_memory_equal(&a.ticks[i], &b.ticks[k], sizeof a.ticks[i]);
        k++;
    }
    assert_int_equal(k, b.count);
    read_all_free(&a);
    read_all_free(&b);
}

static void mbo(void **state)
{
    (void)state;
    struct read_all a = read_dbn("dbn-v1-mbo-esm4-20240508.dbn.zst");
    assert_int_equal(a.count, 5); /* not 10: each T is followed by its F */
    struct sums s = sums_of(&a);
    assert_int_equal(s.trades, 5);
    assert_int_equal(s.size, 6);
    assert_int_equal(s.low, INT64_C(5214250000000));
    assert_int_equal(s.high, INT64_C(5214250000000));
    assert_string_equal(LINE(a, 0), "ESM4 trade 1 1715126401488989583 5214.25 1");
    assert_string_equal(LINE(a, 4), "ESM4 trade 1 1715126401489769837 5214.25 2");
    read_all_free(&a);
}

static void small_trades(void **state)
{
    (void)state;
    static const char *const names[] = {"v1-trades-esh1", "v2-trades-esh1", "v3-trades-esh1"};
    for (uint32_t i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "dbn-small/%s.dbn.zst", names[i]);
        EXPECT(name, "ESH1 trade 2 1609160400098821953 3720.25 5",
               "ESH1 trade 2 1609160400107665963 3720.25 21");
    }
    struct read_all a = read_dbn("dbn-small/v1-tbbo-esh1.dbn.zst"); /* mbp-1 records that are trades */
    struct sums s = sums_of(&a);
    assert_int_equal(a.count, 2);
    assert_int_equal(s.trades, 2);
    assert_int_equal(s.size, 26);
    read_all_free(&a);
    a = read_dbn("dbn-small/v3-trades-brent.dbn.zst");
    s = sums_of(&a);
    assert_int_equal(a.count, 4);
    assert_int_equal(s.size, 10);
    assert_int_equal(s.low, INT64_C(77610000000));
    assert_int_equal(s.high, INT64_C(77610000000));
    assert_int_equal(s.buys + s.sells, 0);
    assert_int_equal(steps_back(&a), 1);
    assert_true(text_equal(a.reader->ops->symbol(a.reader, a.ticks[0].symbol), TEXT("BRN FMJ0024!")));
    read_all_free(&a);
}

static void small_bars(void **state)
{
    (void)state;
    struct read_all a = read_dbn("dbn-small/v1-ohlcv-1m-es-nq-20240701.dbn.zst");
    assert_int_equal(a.count, 60);
    int64_t volume = 0;
    uint32_t first = 0, last = 0;
    for (uint32_t i = 0; i < 60; i++) {
        volume += a.ticks[i].bar.volume;
        assert_int_equal(a.ticks[i].kind, TICK_BAR);
        if (a.ticks[i].symbol == a.ticks[0].symbol) last = i;
        first += a.ticks[i].symbol == a.ticks[0].symbol;
    }
    assert_int_equal(volume, 2742);
    assert_int_equal(first, 30);
    const char *line = strchr(LINE(a, 0), ' ');
    assert_string_equal(line, " bar 11 1719877200000000000 5527.25 5527.50 5527.00 5527.50 180");
    line = strchr(LINE(a, last), ' ');
    assert_string_equal(line, " bar 11 1719878940000000000 5528.50 5528.75 5528.50 5528.50 60");
    read_all_free(&a);
    EXPECT("dbn-small/v2-ohlcv-1s-esh1.dbn.zst", /* a hundred times the traded price: the file is that way */
           "ESH1 bar 1 1609160400000000000 372025 372050 372025 372050 57",
           "ESH1 bar 1 1609160401000000000 372050 372050 372050 372050 13");
}

static void small_quotes(void **state)
{
    (void)state;
    struct read_all a = read_dbn("dbn-small/v3-mbp-10-esh1.dbn.zst");
    assert_int_equal(a.count, 4);
    assert_non_null(strstr(LINE(a, 0), "ESH1 quote 0 "));
    assert_non_null(strstr(LINE(a, 0), " 3702.25 19 3702.75 13"));
    read_all_free(&a);
    a = read_dbn("dbn-small/v3-mbp-1-nvda.dbn.zst");
    assert_int_equal(a.count, 4);
    assert_int_equal(a.ticks[0].flags, QUOTE_NO_ASK);
    assert_int_equal(a.ticks[1].flags, QUOTE_NO_ASK);
    assert_non_null(strstr(LINE(a, 3), " 519.75 1 539.00 17"));
    read_all_free(&a);
    a = read_dbn("dbn-small/v3-mbp-1-qqq.dbn.zst");
    assert_int_equal(a.count, 4);
    assert_int_equal(a.ticks[0].flags, QUOTE_NO_BID | QUOTE_NO_ASK);
    assert_non_null(strstr(LINE(a, 3), " 307.89 1500 307.94 600"));
    read_all_free(&a);
    a = read_dbn("dbn-small/v3-bbo-1s-esh1.dbn.zst");
    assert_int_equal(a.count, 4);
    assert_string_equal(LINE(a, 0), "ESH1 quote 0 1609113600000000000 3702.25 18 3702.75 13");
    read_all_free(&a);
    a = read_dbn("dbn-small/v3-cmbp-1-esh1.dbn.zst");
    assert_int_equal(a.count, 2);
    read_all_free(&a);
    a = read_dbn("dbn-small/v3-cbbo-1s-aapl-opt.dbn.zst"); /* the first ts_event is undefined */
    assert_int_equal(a.count, 4);
    assert_true(a.ticks[0].event_ns > 0);
    struct text name = a.reader->ops->symbol(a.reader, a.ticks[0].symbol);
    assert_true(text_begins(name, TEXT("AAPL  "))); /* two inner spaces */
    read_all_free(&a);
}

static void small_without_ticks(void **state)
{
    (void)state;
    static const char *const names[] = {"v1-definition.dbn.zst", "v2-definition.dbn.zst",
                                        "v3-definition.dbn.zst", "v3-mbo-esh1.dbn"};
    for (uint32_t i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "dbn-small/%s", names[i]);
        expect(name, (const char *const[]){NULL});
    }
}

/* Names come from the stream's own mappings; two trades stand there twice, as trades and within mbp-1. */
static void mixed_live(void **state)
{
    (void)state;
    struct read_all a = read_dbn("dbn-small/v3-mixed-live.dbn.zst");
    struct sums s = sums_of(&a);
    uint32_t bars = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        bars += a.ticks[i].kind == TICK_BAR;
        struct text name = a.reader->ops->symbol(a.reader, a.ticks[i].symbol);
        if (!text_equal(name, TEXT("ESZ4"))) fail_msg("tick %u is of %.*s", i, (int)name.size, name.at);
    }
    assert_int_equal(bars, 4);
    assert_int_equal(s.trades, 4);
    assert_int_equal(s.quotes, 2);
    assert_int_equal(a.count, 10);
    read_all_free(&a);
}

int main(void)
{
    if (!real_data_folder()) return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trades),     cmocka_unit_test(mbp_1),
        cmocka_unit_test(mbo),        cmocka_unit_test(small_trades),
        cmocka_unit_test(small_bars), cmocka_unit_test(small_quotes),
        cmocka_unit_test(mixed_live), cmocka_unit_test(small_without_ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
