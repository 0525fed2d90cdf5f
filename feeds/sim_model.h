/* feeds/sim_model.h -- what the simulator's prices do. A symbol's logarithm of price is the sum of a market
 * factor (times its beta), the factor of its sector and noise of its own, each drawn back to 0 slowly; so
 * symbols are correlated, and a price never wanders off over days. Around the fair price stands a quote whose
 * spread widens with the symbol's recent moves. Integers only. Prices are cents; logarithms Q40. Thread: one
 * owner. */
#ifndef TC_FEEDS_SIM_MODEL_H
#define TC_FEEDS_SIM_MODEL_H

#include "feeds/sim_math.h"
#include "feeds/sim_tickers.h"

#include <stdbool.h>

struct sim_symbol {
    /* Set once. */
    int64_t start_cents;
    int64_t own_sigma; /* per tick of this symbol, prepared */
    int64_t half_min;  /* half spread in quiet times, cents Q10 */
    int32_t beta_q8;
    uint8_t sector;
    /* Move. */
    bool halted;
    bool bought; /* the last aggressor: the next is likely the same */
    int64_t own_q40;
    int64_t fair_q10;  /* cents */
    int64_t moved_q10; /* recent size of moves, cents */
    int64_t bid, ask;  /* the quote that stands, cents: 1 <= bid < ask */
};

struct sim_model {
    uint32_t count;
    struct sim_symbol *symbols; /* owned */
    int64_t market_q40, sector_q40[SIM_SECTORS];
    int64_t market_sigma, sector_sigma;  /* per tick, prepared */
    uint32_t market_shift, sector_shift; /* how slowly they are drawn back */
    uint32_t sector_next;                /* one sector a tick moves, in turn */
};

struct sim_model_options {
    uint32_t count;
    const struct sim_ticker *tickers;
    const uint64_t *weights; /* activity */
    uint64_t rate;           /* ticks a second of all symbols together */
    uint32_t volatility;     /* per cent of the usual */
};

int sim_model_open(struct sim_model *m, const struct sim_model_options *o); /* 0, or -1: no memory */
void sim_model_close(struct sim_model *m);

/* One tick's time goes by: market and one sector move. rough: in a cluster, moves are twice as large. */
void sim_model_step(struct sim_model *m, struct random *r, bool rough);
/* The symbol itself moves and its fair price is worked out. */
void sim_model_move(struct sim_model *m, struct sim_symbol *s, uint64_t random, bool rough);
/* Puts the quote around the fair price. */
void sim_model_quote(struct sim_symbol *s);
/* A trade took a side: the fair price gives way a little. */
void sim_model_impact(struct sim_symbol *s, bool buy);

#endif
