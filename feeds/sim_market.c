/* feeds/sim_market.c -- the simulated market: who trades when, and halts. Start reading in sim_market_next.
 *
 * Everything is drawn from one generator in the order of the ticks, so a seed decides the sequence wholly,
 * and nobody's polling can change it. Floating point appears nowhere. */
#include "feeds/sim_market.h"

#include "base/assert.h"
#include "base/clock.h"
#include "feeds/sim_arrivals.h"
#include "feeds/sim_bars.h"
#include "feeds/sim_model.h"
#include "tick/symbol_table.h"

#include <stdlib.h>

#define HALTS_MAX      8u
#define HALT_LEAST_NS  (5 * NS_PER_SECOND)
#define HALT_SPREAD_NS (25 * NS_PER_SECOND)
#define SYMBOL_TRIES   16u

struct sim_halt {
    uint32_t symbol;
    uint64_t until_ns;
};

struct sim_market {
    struct sim_market_options options;
    struct random random;
    struct sim_arrivals arrivals;
    struct sim_model model;
    struct sim_ticker *tickers;
    struct sim_alias activity;
    struct sim_bar *bars;           /* NULL: not among the kinds */
    struct sim_book *books;         /* NULL: not among the kinds */
    uint32_t kind_ends[TICK_KINDS]; /* a draw of 16 bits below its end, and no lower one, is that kind */
    uint64_t now_ns;
    uint32_t burst_left;
    bool has_final; /* a bar that is over: the next tick */
    struct tick final;
    uint32_t focus; /* the symbol that traded last, in a cluster: the next tick is likely its own */
    bool has_focus;
    uint64_t halt_next_ns;
    uint32_t halt_count, halt_most;
    struct sim_halt halts[HALTS_MAX];
};

static bool allocate(struct sim_market *m);
static void set_kinds(struct sim_market *m);
static void take_time(struct sim_market *m);
static bool take_halt(struct sim_market *m, struct tick *out);
static void take_status(struct sim_market *m, uint32_t symbol, bool halted, struct tick *out);
static uint32_t draw_symbol(struct sim_market *m);
static uint8_t draw_kind(const struct sim_market *m, uint32_t chance);
static void take_trade(struct sim_market *m, uint32_t symbol, uint64_t random, struct tick *out);
static void take_quote(struct sim_symbol *s, uint64_t random, struct tick *out);
static void take_bar(struct sim_market *m, uint32_t symbol, uint64_t random, struct tick *out);
static int64_t trade_size(uint64_t random);
static uint64_t halt_gap(struct sim_market *m);

struct sim_market *sim_market_open(const struct sim_market_options *o)
{
    TC_ASSERT(o->symbols >= 1 && o->symbols <= SYMBOLS_MAX);
    TC_ASSERT(o->burst >= 1 && o->burst <= SIM_BURST_MAX);
    TC_ASSERT(o->rate >= 1 && o->rate <= SIM_RATE_MAX);
    TC_ASSERT((o->kinds & ~SIM_KINDS) == 0);
    TC_ASSERT((o->kinds & ~KIND_BIT(TICK_STATUS)) != 0);
    struct sim_market *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->options = *o;
    random_seed(&m->random, o->seed);
    sim_arrivals_init(&m->arrivals, o->rate, o->burst, o->session_ns);
    m->arrivals.even = o->even;
    set_kinds(m);
    if (!allocate(m)) {
        sim_market_close(m);
        return NULL;
    }
    bool halts = o->halt_ns > 0 && (o->kinds & KIND_BIT(TICK_STATUS));
    m->halt_most = halts ? min_u32(HALTS_MAX, o->symbols / 2) : 0; /* somebody always trades */
    m->halt_next_ns = m->halt_most > 0 ? halt_gap(m) : UINT64_MAX;
    return m;
}

static bool allocate(struct sim_market *m)
{
    uint32_t count = m->options.symbols;
    m->tickers = calloc(count, sizeof *m->tickers);
    uint64_t *weights = calloc(count, sizeof *weights);
    bool ok = m->tickers && weights;
    if (ok) {
        sim_tickers_fill(m->tickers, count);
        for (uint32_t i = 0; i < count; i++) weights[i] = (UINT64_C(1) << 40) / (i + 3); /* Zipf-like */
        struct sim_model_options o = {.count = count,
                                      .tickers = m->tickers,
                                      .weights = weights,
                                      .rate = m->options.rate,
                                      .volatility = m->options.volatility};
        ok = sim_model_open(&m->model, &o) == 0 && sim_alias_open(&m->activity, weights, count) == 0;
    }
    free(weights);
    if (ok && (m->options.kinds & KIND_BIT(TICK_BAR)))
        ok = (m->bars = calloc(count, sizeof *m->bars)) != NULL;
    if (ok && (m->options.kinds & KIND_BIT(TICK_BOOK)))
        ok = (m->books = calloc(count, sizeof *m->books)) != NULL;
    return ok;
}

void sim_market_close(struct sim_market *m)
{
    if (!m) return;
    sim_model_close(&m->model);
    sim_alias_close(&m->activity);
    free(m->tickers);
    free(m->bars);
    free(m->books);
    free(m);
}

const char *sim_market_symbol(const struct sim_market *m, uint32_t index)
{
    TC_ASSERT(index < m->options.symbols);
    return m->tickers[index].name;
}

static void set_kinds(struct sim_market *m)
{
    static const uint32_t shares[TICK_KINDS] = {
        [TICK_TRADE] = 40, [TICK_QUOTE] = 60, [TICK_BOOK] = 60, [TICK_BAR] = 10};
    uint32_t total = 0, sum = 0;
    for (uint32_t kind = 0; kind < TICK_KINDS; kind++)
        if (m->options.kinds & KIND_BIT(kind)) total += shares[kind];
    for (uint32_t kind = 0; kind < TICK_KINDS; kind++) {
        if (m->options.kinds & KIND_BIT(kind)) sum += shares[kind];
        m->kind_ends[kind] = 65536 * sum / total;
    }
}

void sim_market_next(struct sim_market *m, struct tick *out)
{
    take_time(m);
    if (m->has_final) {
        m->has_final = false;
        *out = m->final;
    } else if (m->now_ns < m->halt_next_ns || !take_halt(m, out)) {
        bool rough = m->arrivals.burst;
        uint32_t symbol = draw_symbol(m);
        struct sim_symbol *s = &m->model.symbols[symbol];
        sim_model_step(&m->model, &m->random, rough);
        sim_model_move(&m->model, s, random_u64(&m->random), rough);
        if (!(m->options.kinds & KIND_BIT(TICK_QUOTE)))
            sim_model_quote(s); /* nobody sees it, all else follows it */
        uint64_t random = random_u64(&m->random);
        switch (draw_kind(m, (uint32_t)(random >> 48))) {
        case TICK_TRADE: take_trade(m, symbol, random, out); break;
        case TICK_QUOTE: take_quote(s, random, out); break;
        case TICK_BAR: take_bar(m, symbol, random, out); break;
        default: sim_book_change(&m->books[symbol], s->bid, s->ask, random, out); break;
        }
        out->symbol = symbol;
    }
    out->event_ns = (int64_t)m->now_ns;
}

static void take_time(struct sim_market *m)
{
    if (m->burst_left == 0) {
        uint64_t random = random_u64(&m->random);
        m->now_ns = sim_arrivals_next(&m->arrivals, random, (uint32_t)(random_u64(&m->random) >> 48));
        m->burst_left = m->options.burst;
    }
    m->burst_left--;
}

/* Of the symbols: the focus of a cluster every other time, else by activity; never a halted one. */
static uint32_t draw_symbol(struct sim_market *m)
{
    uint64_t random = random_u64(&m->random);
    uint32_t symbol = sim_alias_draw(&m->activity, random);
    if (m->arrivals.burst && m->has_focus && (random & 1)) symbol = m->focus;
    m->has_focus = m->has_focus && m->arrivals.burst;
    for (uint32_t tries = 0; m->model.symbols[symbol].halted && tries < SYMBOL_TRIES; tries++)
        symbol = sim_alias_draw(&m->activity, random_u64(&m->random));
    while (m->model.symbols[symbol].halted) symbol = (symbol + 1) % m->options.symbols; /* at most half are */
    return symbol;
}

static uint8_t draw_kind(const struct sim_market *m, uint32_t chance)
{
    uint8_t kind = TICK_TRADE;
    while (kind < TICK_BOOK && chance >= m->kind_ends[kind]) kind++;
    return kind;
}

/* ---- Halts. ---- */

/* A halt or a resumption whose time has come. False: none after all. */
static bool take_halt(struct sim_market *m, struct tick *out)
{
    for (uint32_t i = 0; i < m->halt_count; i++) {
        if (m->halts[i].until_ns > m->now_ns) continue;
        uint32_t symbol = m->halts[i].symbol;
        m->halts[i] = m->halts[--m->halt_count];
        take_status(m, symbol, false, out);
        return true; /* halt_next_ns is past still: others are looked for at the next tick */
    }
    uint64_t next_ns = UINT64_MAX;
    for (uint32_t i = 0; i < m->halt_count; i++) next_ns = min_u64(next_ns, m->halts[i].until_ns);
    bool begin = m->halt_count < m->halt_most;
    if (begin) {
        uint64_t until_ns = m->now_ns + HALT_LEAST_NS + random_below(&m->random, HALT_SPREAD_NS);
        uint32_t symbol = draw_symbol(m);
        m->halts[m->halt_count++] = (struct sim_halt){.symbol = symbol, .until_ns = until_ns};
        next_ns = min_u64(next_ns, until_ns);
        take_status(m, symbol, true, out);
    }
    m->halt_next_ns = min_u64(next_ns, m->now_ns + halt_gap(m));
    return begin;
}

static void take_status(struct sim_market *m, uint32_t symbol, bool halted, struct tick *out)
{
    m->model.symbols[symbol].halted = halted;
    if (m->focus == symbol) m->has_focus = false;
    *out = (struct tick){.kind = TICK_STATUS, .symbol = symbol};
    out->status.state = halted ? STATUS_HALTED : STATUS_TRADING;
}

static uint64_t halt_gap(struct sim_market *m)
{
    uint64_t gap_q24 = sim_exponential_q24(&m->arrivals.ln, random_u64(&m->random)); /* below 2^30 */
    return (m->options.halt_ns >> 12) * gap_q24 >> 12;
}

/* ---- Kinds. ---- */

static void take_trade(struct sim_market *m, uint32_t symbol, uint64_t random, struct tick *out)
{
    struct sim_symbol *s = &m->model.symbols[symbol];
    bool buy = (random & 7) < 5 ? s->bought : !s->bought; /* five in eight go the way of the last one */
    s->bought = buy;
    *out = (struct tick){.kind = TICK_TRADE, .flags = buy ? TRADE_BUY : TRADE_SELL, .price_exp = -2};
    out->trade = (struct tick_trade){.price = buy ? s->ask : s->bid, .size = trade_size(random >> 3)};
    sim_model_impact(s, buy);
    m->focus = symbol;
    m->has_focus = true;
    if (!m->bars) return;
    m->has_final = sim_bar_trade(&m->bars[symbol], m->now_ns / NS_PER_SECOND, &out->trade, &m->final);
    m->final.symbol = symbol;
}

/* Round lots mostly, of 100 above all; odd lots; blocks now and then. */
static int64_t trade_size(uint64_t random)
{
    static const uint16_t lots[16] = {100, 100, 100, 100, 100,  200,  200,  300,
                                      400, 500, 600, 800, 1000, 1500, 2000, 5000};
    uint64_t pick = random & 31;
    uint64_t more = (random >> 5) & 0x3fff;
    if (pick < 18) return lots[more & 15];
    if (pick < 29) return (int64_t)(1 + more % 99);
    return (int64_t)(101 + more % 899);
}

static void take_quote(struct sim_symbol *s, uint64_t random, struct tick *out)
{
    sim_model_quote(s);
    *out = (struct tick){.kind = TICK_QUOTE, .price_exp = -2};
    out->quote = (struct tick_quote){
        .bid = s->bid,
        .bid_size = (int64_t)(1 + (random & 0xff) * (random >> 8 & 0xff) / 4096) * 100,
        .ask = s->ask,
        .ask_size = (int64_t)(1 + (random >> 16 & 0xff) * (random >> 24 & 0xff) / 4096) * 100};
}

/* The bar in progress; a trade nobody is told of where only bars are wanted, or the second has none yet. */
static void take_bar(struct sim_market *m, uint32_t symbol, uint64_t random, struct tick *out)
{
    uint64_t second = m->now_ns / NS_PER_SECOND;
    bool stale = m->bars[symbol].second != second + 1;
    if (stale && (m->options.kinds & KIND_BIT(TICK_TRADE))) {
        take_trade(m, symbol, random, out);
        return;
    }
    struct tick unseen;
    if (!(m->options.kinds & KIND_BIT(TICK_TRADE))) take_trade(m, symbol, random, &unseen);
    if (m->has_final) { /* the old bar ends before the new one is shown */
        *out = m->final;
        sim_bar_tick(&m->bars[symbol], false, &m->final);
        m->final.symbol = symbol;
        return;
    }
    sim_bar_tick(&m->bars[symbol], false, out);
}
