/* feeds/sim_market.h -- the simulated market: an endless sequence of ticks that a seed decides wholly:
 * symbols, kinds, prices, sizes and times from the start. No clock, no log. Thread: one owner. C and C++. */
#ifndef TC_FEEDS_SIM_MARKET_H
#define TC_FEEDS_SIM_MARKET_H

#include "tick/tick.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SIM_RATE_MAX UINT64_C(100000000)
#define SIM_RATE_MODEL                                                                                       \
    UINT64_C(20000) /* what prices and halts assume where ticks have no time of their own (rate 0) */
#define SIM_BURST_MAX 4096u
#define SIM_KINDS                                                                                            \
    (KIND_BIT(TICK_TRADE) | KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_BAR) | KIND_BIT(TICK_BOOK) |                \
     KIND_BIT(TICK_STATUS))

struct sim_market_options {
    uint64_t seed;
    uint32_t symbols;    /* 1 to SYMBOLS_MAX */
    uint32_t burst;      /* ticks with the same time: 1 to SIM_BURST_MAX */
    uint64_t rate;       /* ticks a second: 1 to SIM_RATE_MAX */
    uint32_t kinds;      /* bits of SIM_KINDS, at least one other than status */
    uint32_t volatility; /* per cent of the usual: 0 to 1000 */
    bool even;           /* all gaps between bursts alike; else they cluster */
    uint64_t session_ns; /* a trading session, busy at both ends; 0: even. At least a second */
    uint64_t halt_ns; /* mean time between halts of some symbol (only with status among the kinds); 0: none */
};

struct sim_market;

struct sim_market *sim_market_open(const struct sim_market_options *o); /* NULL: no memory */
void sim_market_close(struct sim_market *m);

/* The next tick: event_ns counts from the start and never goes back, symbol is an index below `symbols`, seq
 * and ingest_ns are 0. */
void sim_market_next(struct sim_market *m, struct tick *out);

/* Zero-terminated; lives as long as the market. */
const char *sim_market_symbol(const struct sim_market *m, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
