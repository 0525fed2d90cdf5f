/* The simulated market: the same to the byte for a seed, at the asked rate, correlated, never crossed, quiet
 * while halted. */
#include "base/clock.h"
#include "feeds/sim_market.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH_PLAIN  UINT64_C(0x2751c744ba9d7c24)
#define HASH_ALL    UINT64_C(0xf9c108419c172e59)
#define KINDS_USUAL (KIND_BIT(TICK_TRADE) | KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_STATUS))

static struct sim_market_options usual(void)
{
    return (struct sim_market_options){.seed = 1,
                                       .symbols = 500,
                                       .burst = 1,
                                       .rate = 20000,
                                       .kinds = KINDS_USUAL,
                                       .volatility = 100,
                                       .halt_ns = 300 * NS_PER_SECOND};
}

static struct sim_market *open_market(const struct sim_market_options *o)
{
    struct sim_market *m = sim_market_open(o);
    assert_non_null(m);
    return m;
}

static uint64_t hash_ticks(const struct sim_market_options *o, uint32_t count)
{
    struct sim_market *m = open_market(o);
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a over the whole records */
    for (uint32_t i = 0; i < count; i++) {
        struct tick t;
        sim_market_next(m, &t);
        const unsigned char *bytes = (const unsigned char *)&t;
        for (size_t b = 0; b < sizeof t; b++) hash = (hash ^ bytes[b]) * UINT64_C(0x100000001b3);
    }
    sim_market_close(m);
    return hash;
}

/* Kept here so that a change of the sequence is a decision, and so that other processors and compilers are
 * held to it. */
static void the_sequence_of_a_seed_is_fixed(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    uint64_t plain = hash_ticks(&o, 100000);
    o.kinds = SIM_KINDS;
    o.session_ns = 4 * NS_PER_SECOND;
    o.burst = 3;
    o.halt_ns = NS_PER_SECOND;
    uint64_t all = hash_ticks(&o, 100000);
    if (plain != HASH_PLAIN || all != HASH_ALL)
        print_message("plain 0x%016llx all 0x%016llx\n", (unsigned long long)plain, (unsigned long long)all);
    assert_true(plain == HASH_PLAIN);
    assert_true(all == HASH_ALL);
}

static void another_seed_is_another_sequence(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    uint64_t one = hash_ticks(&o, 1000);
    assert_true(one == hash_ticks(&o, 1000));
    o.seed = 2;
    assert_true(one != hash_ticks(&o, 1000));
}

/* Time of tick number `count`: within a fraction of where the asked rate would have it. */
static void assert_rate(const struct sim_market_options *o, uint32_t count, uint32_t tolerance_permille)
{
    struct sim_market *m = open_market(o);
    struct tick t = {0};
    for (uint32_t i = 0; i < count; i++) sim_market_next(m, &t);
    uint64_t wanted_ns = (uint64_t)count * NS_PER_SECOND / o->rate, got_ns = (uint64_t)t.event_ns;
    uint64_t off_ns = got_ns > wanted_ns ? got_ns - wanted_ns : wanted_ns - got_ns;
    if (off_ns * 1000 > wanted_ns * tolerance_permille)
        print_message("rate %llu burst %u: %u ticks in %llu ns\n", (unsigned long long)o->rate, o->burst,
                      count, (unsigned long long)got_ns);
    assert_true(off_ns * 1000 <= wanted_ns * tolerance_permille);
    sim_market_close(m);
}

static void the_average_rate_is_the_asked_one(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    static const uint64_t rates[] = {1, 7, 250, 20000, 1000000, 7000000, 100000000};
    for (uint32_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        o.rate = rates[i];
        o.burst = 1;
        assert_rate(&o, 400000, i < 6 ? 10 : 60);
        o.burst = 16;
        assert_rate(&o, 400000, i < 6 ? 10 : 60);
    }
    o = usual();
    o.session_ns = 5 * NS_PER_SECOND;
    assert_rate(&o, 4 * 5 * 20000, 10);
}

/* To a nanosecond: a load generator's open loop. Without it gaps differ widely. */
static void even_arrivals_have_equal_gaps(void **state)
{
    (void)state;
    for (uint32_t even = 0; even < 2; even++) {
        struct sim_market_options o = usual();
        o.rate = 300;
        o.even = even;
        struct sim_market *m = open_market(&o);
        struct tick t;
        uint64_t before_ns = 0, least_ns = UINT64_MAX, most_ns = 0;
        for (uint32_t i = 0; i < 5000; i++) {
            sim_market_next(m, &t);
            uint64_t gap_ns = (uint64_t)t.event_ns - before_ns;
            before_ns = (uint64_t)t.event_ns;
            if (i == 0) continue;
            if (gap_ns < least_ns) least_ns = gap_ns;
            if (gap_ns > most_ns) most_ns = gap_ns;
        }
        uint64_t wanted_ns = NS_PER_SECOND / o.rate;
        assert_true(even == (least_ns >= wanted_ns && most_ns <= wanted_ns + 1));
        sim_market_close(m);
    }
}

static void a_session_is_busy_at_both_ends(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    o.session_ns = 60 * NS_PER_SECOND;
    uint32_t tenths[10] = {0};
    struct sim_market *m = open_market(&o);
    for (;;) {
        struct tick t;
        sim_market_next(m, &t);
        if ((uint64_t)t.event_ns >= o.session_ns) break;
        tenths[(uint64_t)t.event_ns / (6 * NS_PER_SECOND)]++;
    }
    assert_true(tenths[0] > 2 * tenths[4]);
    assert_true(tenths[9] * 10 > 15 * tenths[4]);
    sim_market_close(m);
}

static void times_never_go_back_and_bursts_share_theirs(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    o.burst = 16;
    o.session_ns = 3 * NS_PER_SECOND;
    struct sim_market *m = open_market(&o);
    int64_t last_ns = 0;
    for (uint32_t i = 0; i < 400000; i++) {
        struct tick t;
        sim_market_next(m, &t);
        assert_true(t.event_ns >= last_ns);
        if (i % 16 != 0) assert_true(t.event_ns == last_ns);
        last_ns = t.event_ns;
    }
    sim_market_close(m);
}

/* Arrivals in clusters: the count per interval varies more than that of a Poisson process would (variance =
 * mean). */
static void arrivals_cluster(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    o.rate = 1000;
    struct sim_market *m = open_market(&o);
    const uint64_t bin_ns = 20 * NS_PER_MS; /* 20 ticks on the average */
    uint64_t count = 0, bin = 0, bins = 0, sum = 0, squares = 0;
    while (bins < 20000) {
        struct tick t;
        sim_market_next(m, &t);
        for (; bin < (uint64_t)t.event_ns / bin_ns; bin++) {
            bins++;
            sum += count;
            squares += count * count;
            count = 0;
        }
        count++;
    }
    uint64_t mean_x1000 = sum * 1000 / bins,
             variance_x1000 = squares * 1000 / bins - mean_x1000 * mean_x1000 / 1000;
    assert_true(variance_x1000 > mean_x1000 * 3 / 2);
    sim_market_close(m);
}

static void trades_and_quotes_are_sound(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    o.halt_ns = 0;
    struct sim_market *m = open_market(&o);
    struct tick_quote *quotes = calloc(o.symbols, sizeof *quotes);
    uint32_t trades = 0, round_lots = 0, one_cent = 0, wide = 0, quote_count = 0;
    for (uint32_t i = 0; i < 2000000; i++) {
        struct tick t;
        sim_market_next(m, &t);
        assert_int_equal(t.price_exp, -2);
        struct tick_quote *q = &quotes[t.symbol];
        if (t.kind == TICK_QUOTE) {
            assert_true(t.quote.bid >= 1);
            assert_true(t.quote.bid < t.quote.ask);
            assert_true(t.quote.bid_size > 0 && t.quote.ask_size > 0);
            *q = t.quote;
            quote_count++;
            one_cent += t.quote.ask - t.quote.bid == 1;
            wide += t.quote.ask - t.quote.bid > 2;
            continue;
        }
        assert_int_equal(t.kind, TICK_TRADE);
        assert_true(t.flags == TRADE_BUY || t.flags == TRADE_SELL);
        assert_true(t.trade.size > 0);
        if (q->ask > 0) assert_true(t.trade.price == (t.flags == TRADE_BUY ? q->ask : q->bid));
        trades++;
        round_lots += t.trade.size % 100 == 0;
    }
    assert_in_range(trades, 780000, 820000); /* 40 in 100 */
    assert_true(round_lots > trades / 2);
    assert_true(one_cent > quote_count / 20); /* spreads narrow ... */
    assert_true(wide > quote_count / 20);     /* ... and widen */
    free(quotes);
    sim_market_close(m);
}

static void nothing_ticks_while_halted(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    o.symbols = 20;
    o.halt_ns = 2 * NS_PER_SECOND;
    o.rate = 5000;
    struct sim_market *m = open_market(&o);
    bool halted[20] = {false};
    uint32_t halts = 0, resumed = 0;
    for (uint32_t i = 0; i < 2000000; i++) {
        struct tick t;
        sim_market_next(m, &t);
        if (t.kind != TICK_STATUS) {
            assert_false(halted[t.symbol]);
            continue;
        }
        bool halt = t.status.state == STATUS_HALTED;
        assert_true(halt || t.status.state == STATUS_TRADING);
        assert_true(halted[t.symbol] != halt);
        halted[t.symbol] = halt;
        halts += halt;
        resumed += !halt;
    }
    assert_true(halts > 50); /* 400 s, at most 8 at a time */
    assert_true(resumed + 8 >= halts);
    sim_market_close(m);
}

/* The correlation of two symbols' moves over two seconds, in per mille. */
static int64_t correlation_permille(const struct sim_market_options *o, uint32_t a, uint32_t b)
{
    enum { MOVES = 1500 };
    struct sim_market *m = open_market(o);
    int64_t mid[500] = {0}, last_a = 0, last_b = 0, ab = 0, aa = 0, bb = 0;
    for (uint64_t move = 0; move < MOVES;) {
        struct tick t;
        sim_market_next(m, &t);
        if (t.kind == TICK_QUOTE) mid[t.symbol] = t.quote.bid + t.quote.ask;
        if ((uint64_t)t.event_ns < (move + 1) * 2 * NS_PER_SECOND) continue;
        int64_t da = mid[a] - last_a, db = mid[b] - last_b;
        last_a = mid[a];
        last_b = mid[b];
        if (move++ == 0) continue;
        ab += da * db;
        aa += da * da;
        bb += db * db;
    }
    sim_market_close(m);
    assert_true(aa > 0 && bb > 0);
    int64_t squared = ab * 1000 / aa * (ab * 1000 / bb); /* the sign is that of ab */
    int64_t root = 0;
    while ((root + 1) * (root + 1) <= squared) root++;
    return ab < 0 ? -root : root;
}

static void symbols_move_together(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    o.rate = 2000;
    int64_t apple_nvidia = correlation_permille(&o, 0, 1), apple_exxon = correlation_permille(&o, 0, 15);
    print_message("correlation: one sector 0.%03lld, two sectors 0.%03lld\n", (long long)apple_nvidia,
                  (long long)apple_exxon);
    assert_true(apple_nvidia > 400);
    assert_true(apple_exxon > 200);
    assert_true(apple_nvidia < 950);
    assert_true(apple_nvidia > apple_exxon);
}

static void activity_is_unequal(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    struct sim_market *m = open_market(&o);
    uint32_t counts[500] = {0};
    for (uint32_t i = 0; i < 500000; i++) {
        struct tick t;
        sim_market_next(m, &t);
        counts[t.symbol]++;
    }
    assert_true(counts[0] > 10 * counts[100]);
    assert_true(counts[499] > 0);
    sim_market_close(m);
}

static void names_are_legal_and_different(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    o.symbols = 65536;
    struct sim_market *m = open_market(&o);
    assert_string_equal(sim_market_symbol(m, 0), "AAPL");
    uint8_t *seen = calloc(1u << 25, 1); /* five letters or a point, five bits each */
    for (uint32_t i = 0; i < o.symbols; i++) {
        const char *name = sim_market_symbol(m, i);
        size_t size = strlen(name);
        assert_true(size >= 1 && size <= 5);
        uint32_t code = 0;
        for (size_t c = 0; c < size; c++) {
            assert_true((name[c] >= 'A' && name[c] <= 'Z') || name[c] == '.');
            code = code << 5 | (name[c] == '.' ? 27u : (uint32_t)(name[c] - 'A' + 1));
        }
        assert_false(seen[code]);
        seen[code] = 1;
    }
    free(seen);
    sim_market_close(m);
}

/* Books as their ticks tell them are never crossed; bars hold together and end once. */
static void books_and_bars_are_sound(void **state)
{
    (void)state;
    struct sim_market_options o = usual();
    o.symbols = 3;
    o.kinds = KIND_BIT(TICK_BOOK) | KIND_BIT(TICK_BAR);
    struct sim_market *m = open_market(&o);
    int64_t levels[3][2][64] = {{{0}}};
    uint32_t finals = 0, books = 0;
    bool open[3] = {false};
    for (uint32_t i = 0; i < 300000; i++) {
        struct tick t;
        sim_market_next(m, &t);
        if (t.kind == TICK_BAR) {
            assert_true(t.bar.low <= t.bar.open && t.bar.open <= t.bar.high);
            assert_true(t.bar.low <= t.bar.close && t.bar.close <= t.bar.high);
            assert_true(t.bar.volume > 0);
            assert_int_equal(tick_bar_interval(&t), BAR_1S);
            bool final = t.flags & BAR_FINAL;
            if (final) assert_true(open[t.symbol]);
            open[t.symbol] = !final;
            finals += final;
            continue;
        }
        assert_int_equal(t.kind, TICK_BOOK);
        books++;
        int64_t *side = levels[t.symbol][t.flags & BOOK_ASK];
        uint32_t at = 0;
        while (at < 64 && side[at] != t.book.price) at++;
        if (t.book.size == 0) {
            assert_true(at < 64); /* only what is there is removed */
            side[at] = 0;
        } else if (at == 64) {
            at = 0;
            while (side[at] != 0) at++;
            side[at] = t.book.price;
        }
        int64_t best_bid = 0, best_ask = INT64_MAX;
        for (uint32_t l = 0; l < 64; l++) {
            if (levels[t.symbol][0][l] > best_bid) best_bid = levels[t.symbol][0][l];
            if (levels[t.symbol][1][l] != 0 && levels[t.symbol][1][l] < best_ask)
                best_ask = levels[t.symbol][1][l];
        }
        assert_true(best_bid < best_ask);
    }
    assert_true(books > 200000);
    assert_in_range(finals, 3 * 13, 3 * 16); /* 15 s */
    sim_market_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_of_a_seed_is_fixed),
        cmocka_unit_test(another_seed_is_another_sequence),
        cmocka_unit_test(the_average_rate_is_the_asked_one),
        cmocka_unit_test(even_arrivals_have_equal_gaps),
        cmocka_unit_test(a_session_is_busy_at_both_ends),
        cmocka_unit_test(times_never_go_back_and_bursts_share_theirs),
        cmocka_unit_test(arrivals_cluster),
        cmocka_unit_test(trades_and_quotes_are_sound),
        cmocka_unit_test(nothing_ticks_while_halted),
        cmocka_unit_test(symbols_move_together),
        cmocka_unit_test(activity_is_unequal),
        cmocka_unit_test(names_are_legal_and_different),
        cmocka_unit_test(books_and_bars_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
