/* feeds/sim_bars.h -- bars of one second and books of a few levels that the simulator keeps when asked for
 * those kinds. Thread: one owner. */
#ifndef TC_FEEDS_SIM_BARS_H
#define TC_FEEDS_SIM_BARS_H

#include "base/random.h"
#include "tick/tick.h"

struct sim_bar {
    int64_t open, high, low, close, volume; /* cents, shares */
    uint64_t second;                        /* since the start, plus 1; 0: no trade yet */
};

/* Takes a trade. True if a bar of an earlier second is over by it: *done is then its final tick (without
 * symbol and time). */
bool sim_bar_trade(struct sim_bar *bar, uint64_t second, const struct tick_trade *trade, struct tick *done);
/* The bar in progress as a tick (without symbol and time). The bar must have had a trade. */
void sim_bar_tick(const struct sim_bar *bar, bool final, struct tick *out);

#define SIM_LEVELS 8u
struct sim_book {
    int32_t bid[SIM_LEVELS], ask[SIM_LEVELS]; /* prices in cents, 0: no level; in no order */
};

/* One change of a level, as a tick (without symbol and time): a level that the quote has passed goes first,
 * so that a reader of these ticks never sees a crossed book. bid, ask: the quote that stands. */
void sim_book_change(struct sim_book *book, int64_t bid, int64_t ask, uint64_t random, struct tick *out);

#endif
