/* bench/tick_mix.h -- the ticks of benchmarks and instruction counts: two trades to three quotes, symbols in
 * no order, prices of five digits. */
#ifndef TC_BENCH_TICK_MIX_H
#define TC_BENCH_TICK_MIX_H

#include "tick/tick.h"

/* The n-th, of one of so many symbols. */
static inline struct tick tick_mix(uint64_t n, uint32_t symbols)
{
    struct tick t = {.event_ns = (int64_t)(UINT64_C(1700000000000000000) + n * 1000),
                     .symbol = (uint32_t)(n * 7919 % symbols),
                     .kind = n % 5 < 2 ? TICK_TRADE : TICK_QUOTE,
                     .price_exp = -2};
    int64_t price = 18900 + (int64_t)(n % 1000);
    if (t.kind == TICK_TRADE)
        t.trade = (struct tick_trade){.price = price, .size = 100};
    else
        t.quote = (struct tick_quote){.bid = price, .bid_size = 300, .ask = price + 2, .ask_size = 200};
    return t;
}

#endif
