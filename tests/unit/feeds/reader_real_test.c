/* tests/unit/feeds/reader_real_test.c -- goal: real recorded files give the counts, first and last records
 * and exact sums that were counted from their bytes independently. The folder is named by TICKCAST_REAL_DATA;
 * without it everything is skipped. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feeds/real_data.h"

static struct read_all read_rows(const char *name, const char *format)
{
    struct read_all a = read_real(name, format);
    assert_true(a.count > 0);
    return a;
}

/* Sums over trades with sizes at size_exp and prices at price_exp: never rounded. */
struct sums {
    __int128 size, notional;
    uint32_t trades, zero_sizes, buys;
};

static struct sums sums_of(const struct read_all *a, int8_t price_exp, int8_t size_exp)
{
    struct sums s = {0};
    for (uint32_t i = 0; i < a->count; i++) {
        const struct tick *t = &a->ticks[i];
        if (t->kind != TICK_TRADE) continue;
        int64_t price, size;
        assert_int_equal(decimal_at((struct decimal){t->trade.price, t->price_exp}, price_exp, &price), 0);
        assert_int_equal(decimal_at((struct decimal){t->trade.size, t->size_exp}, size_exp, &size), 0);
        s.size += size;
        s.notional += (__int128)price * size;
        s.trades++;
        s.zero_sizes += size == 0;
        s.buys += t->flags == TRADE_BUY;
    }
    return s;
}

static uint32_t steps_back(const struct read_all *a)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < a->count; i++) n += a->ticks[i].event_ns < a->ticks[i - 1].event_ns;
    return n;
}

static void kraken(void **state)
{
    (void)state;
    struct read_all a = read_rows("kraken-trades-bcheur-2023q1.csv", "kraken");
    assert_int_equal(a.count, 486);
    struct sums s = sums_of(&a, -2, -8);
    assert_true(s.size == INT64_C(103524613227));
    assert_true(s.notional == INT64_C(962251799270848)); /* at 10 decimals */
    assert_int_equal(steps_back(&a), 0);
    assert_string_equal(LINE(a, 0), "kraken-trades-bcheur-2023q1 trade 0 1672620536000000000 90.07 1.1");
    assert_string_equal(LINE(a, 485),
                        "kraken-trades-bcheur-2023q1 trade 0 1672701423000000000 93.19 0.44235389");
    read_all_free(&a);
}

static void ccxt(void **state)
{
    (void)state;
    struct read_all a = read_rows("ccxt-trades-20230202.csv", "ccxt");
    assert_int_equal(a.count, 1000);
    struct sums s = sums_of(&a, -2, -3);
    assert_int_equal(s.buys, 527);
    assert_true(s.size == 6567968);
    assert_true(s.notional == INT64_C(1094780664309));
    for (uint32_t i = 0; i < a.count; i++) assert_int_equal(a.ticks[i].trade.id, UINT64_C(1206419187) + i);
    assert_string_equal(LINE(a, 0),
                        "ccxt-trades-20230202 trade 1 1675329600138000000 1666.8 26.062 id 1206419187");
    assert_string_equal(LINE(a, 999),
                        "ccxt-trades-20230202 trade 1 1675329807493000000 1667.3 0.018 id 1206420186");
    read_all_free(&a);
}

static void tardis(void **state)
{
    (void)state;
    struct read_all a = read_rows("tardis-csv/bitmex-trades-xbtusd.csv", "tardis");
    assert_int_equal(a.count, 10);
    struct sums s = sums_of(&a, -1, 0);
    assert_true(s.size == 2161);
    assert_true(s.notional == INT64_C(85315) * 2161);
    assert_string_equal(LINE(a, 0), "XBTUSD trade 2 1583020803145000000 8531.5 2152");
    read_all_free(&a);
    a = read_rows("tardis-csv/huobi-dm-swap-quotes-btc-usd.csv", "tardis");
    assert_int_equal(a.count, 10);
    int64_t bids = 0;
    for (uint32_t i = 0; i < a.count; i++) bids += a.ticks[i].quote.bid_size;
    assert_int_equal(bids, 8302);
    assert_string_equal(LINE(a, 0), "BTC-USD quote 0 1588291201099000000 8629.2 806 8629.3 5494");
    read_all_free(&a);
    a = read_rows("tardis-csv/deribit-incremental_book_L2-btc-perpetual.csv", "tardis");
    assert_int_equal(a.count, 15);
    int64_t amounts = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        assert_int_equal(a.ticks[i].kind, TICK_BOOK);
        assert_int_equal(a.ticks[i].flags, BOOK_ASK);
        amounts += a.ticks[i].book.size;
    }
    assert_int_equal(amounts, 317490);
    assert_string_equal(LINE(a, 14), "BTC-PERPETUAL book 1 1585699200245000000 6428.5 39950");
    read_all_free(&a);
}

static void lean_trades(void **state)
{
    (void)state;
    struct read_all a = read_rows("lean-equity-tick-trade-aig-20131007.zip", "lean");
    assert_int_equal(a.count, 25351);
    struct sums s = sums_of(&a, -4, 0);
    assert_true(s.size == 5300449);
    assert_true(s.notional == INT64_C(2593247566700));
    assert_string_equal(LINE(a, 0), "AIG trade 0 1381132800688000000 49.18 300");
    assert_string_equal(LINE(a, 25350), "AIG trade 0 1381190397520000000 48.79 200");
    read_all_free(&a);
}

static void lean_quotes(void **state)
{
    (void)state;
    struct read_all a = read_rows("lean-equity-tick-quote-ibm-20131007.zip", "lean");
    assert_int_equal(a.count, 109067);
    assert_string_equal(LINE(a, 0), "IBM quote 1 1381132800054000000 0.00 0 183.63 100");
    assert_int_equal(a.ticks[109066].event_ns, INT64_C(1381190400122000000));
    int64_t ask;
    const struct tick *last = &a.ticks[109066];
    assert_int_equal(decimal_at((struct decimal){last->quote.ask, last->price_exp}, -4, &ask), 0);
    assert_int_equal(ask, 1860000);
    assert_int_equal(last->quote.ask_size, 100);
    assert_int_equal(last->flags & QUOTE_NO_ASK, 0);
    read_all_free(&a);
}

static void lean_futures(void **state)
{
    (void)state;
    struct read_all a = read_rows("lean-future-tick-trade-gc-20131007.zip", "lean");
    assert_int_equal(a.count, 40192);
    struct sums s = sums_of(&a, -1, 0);
    assert_true(s.size == 53044);
    assert_int_equal(s.zero_sizes, 147);
    assert_int_equal(steps_back(&a), 0); /* merged by time */
    static const struct {
        const char *symbol;
        uint32_t rows;
    } months[] = {{"GC201310", 69},  {"GC201311", 83}, {"GC201312", 39702}, {"GC201402", 213},
                  {"GC201404", 101}, {"GC201406", 11}, {"GC201408", 3},     {"GC201410", 2},
                  {"GC201412", 5},   {"GC201512", 3}};
    for (uint32_t m = 0; m < 10; m++) {
        uint32_t rows = 0;
        int64_t quantity = 0;
        for (uint32_t i = 0; i < a.count; i++) {
            struct text name = a.reader->ops->symbol(a.reader, a.ticks[i].symbol);
            if (!text_equal(name, text_of(months[m].symbol))) continue;
            rows++;
            quantity += a.ticks[i].trade.size;
        }
        assert_int_equal(rows, months[m].rows);
        if (m == 2) assert_int_equal(quantity, 51866);
    }
    read_all_free(&a);
}

static void lobster(void **state)
{
    (void)state;
    struct read_all a = read_rows("lobster-aapl-20120621-message50-0930-1030.csv", "lobster");
    assert_int_equal(a.count, 4067 + 2201);
    struct sums s = sums_of(&a, -4, 0);
    assert_true(s.size == 350494 + 183135);
    assert_true(s.notional == INT64_C(2053777664200) + INT64_C(1073143631900));
    assert_int_equal(steps_back(&a), 0);
    assert_string_equal(LINE(a, 0), "AAPL trade 1 1340285400275016159 585.74 40");
    assert_int_equal(a.ticks[a.count - 1].event_ns / 1000000000, 1340288998);
    read_all_free(&a);
}

static void lobster_book_is_no_tick_file(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/lobster-aapl-20120621-orderbook1.csv", real_data_folder());
    struct read_all a = read_all(path, NULL, NULL, 100);
    assert_int_equal(a.opened, TC_EINPUT);
    assert_non_null(strstr(a.fault.text, "not a known format"));
    read_all_free(&a);
}

int main(void)
{
    if (!real_data_folder()) return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kraken),      cmocka_unit_test(ccxt),
        cmocka_unit_test(tardis),      cmocka_unit_test(lean_trades),
        cmocka_unit_test(lean_quotes), cmocka_unit_test(lean_futures),
        cmocka_unit_test(lobster),     cmocka_unit_test(lobster_book_is_no_tick_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
