/* render/trail.h -- where the newest ticks of each symbol stand in the log: each leads to the one before it,
 * so that a short list of symbols finds its own ticks without a look at everybody else's.
 *
 * With 10 000 lists of 20 symbols a visit comes after some hundred ticks, of which one in 25 is the list's:
 * to look at the keys of all costs more than to copy what was found (docs/performance.md).
 *
 * Knows the last TRAIL_POSITIONS ticks of those noted without a hole. It says where to look, never what is
 * true: keys and ticks are read from the log. Thread: one worker owns it. */
#ifndef TC_RENDER_TRAIL_H
#define TC_RENDER_TRAIL_H

#include "log/log.h"
#include "tick/tick.h"

#define TRAIL_POSITIONS 16384u /* a power of two; a distance fits 16 bits */

struct trail {
    uint64_t *newest;  /* by symbol, its newest seq; at [symbols_max] that of the ticks of feeds. 0: none */
    uint16_t *back;    /* by seq: how far before it its symbol's tick before stands; 0: out of reach */
    uint64_t from, to; /* every tick of (from, to] was noted */
    uint32_t symbols_max; /* feeds' ticks have a chain of their own: they are everybody's (decision 10) */
};

int trail_init(struct trail *t, uint32_t symbols_max); /* 0 or TC_ESYSTEM */
void trail_destroy(struct trail *t);
size_t trail_bytes(uint32_t symbols_max);

/* The next tick; seq rises. After a jump what was known is forgotten. */
static inline void trail_note(struct trail *t, uint32_t key, uint64_t seq)
{
    if (seq != t->to + 1) t->from = seq - 1;
    uint32_t chain = log_key_kind(key) == TICK_FEED ? t->symbols_max : log_key_symbol(key);
    uint64_t distance = seq - t->newest[chain];
    t->back[seq & (TRAIL_POSITIONS - 1)] = distance < TRAIL_POSITIONS ? (uint16_t)distance : 0;
    t->newest[chain] = seq;
    t->to = seq;
}

/* True if all ticks of (from, end] can be followed. */
static inline bool trail_reaches(const struct trail *t, uint64_t from, uint64_t end)
{
    return from >= t->from && end <= t->to && t->to - from < TRAIL_POSITIONS;
}

/* Marks the chain's ticks of (from, end] in bits, of which bit 0 is from + 1. trail_reaches(t, from, end). */
static inline void trail_follow(const struct trail *t, uint32_t chain, uint64_t from, uint64_t end,
                                uint64_t *bits)
{
    for (uint64_t seq = t->newest[chain]; seq > from;) {
        uint64_t bit = seq - from - 1;
        if (seq <= end) bits[bit >> 6] |= UINT64_C(1) << (bit & 63);
        uint64_t distance = t->back[seq & (TRAIL_POSITIONS - 1)];
        if (distance == 0) break;
        seq -= distance;
    }
}

#endif
