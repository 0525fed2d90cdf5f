/* feeds/sim_math.h -- chance for the simulator in integers alone, so that a seed gives the same ticks on
 * every processor: no floating point, no libm. Thread: one owner per state. */
#ifndef TC_FEEDS_SIM_MATH_H
#define TC_FEEDS_SIM_MATH_H

#include "base/random.h"

#include <stdint.h>

#define SIM_ONE_Q16 65536
#define SIM_LN2_Q24 11629080 /* ln 2 * 2^24 */

/* ln(1 + i / 256) * 2^24: what exponential gaps are interpolated from. */
struct sim_log_table {
    uint32_t at[257];
};
void sim_log_table_fill(struct sim_log_table *t);

/* Exponential with mean 1, in Q24; at most 64 ln 2. */
uint64_t sim_exponential_q24(const struct sim_log_table *t, uint64_t random);

/* Roughly normal (a sum of four uniforms), mean 0, standard deviation `sigma` as prepared by sim_sigma. */
int64_t sim_sigma(int64_t sigma);
static inline int64_t sim_normal(uint64_t random, int64_t sigma_prepared)
{
    int64_t sum = (int64_t)(random & 0xffff) + (int64_t)((random >> 16) & 0xffff) +
                  (int64_t)((random >> 32) & 0xffff) + (int64_t)(random >> 48) - 131070;
    return sum * sigma_prepared / SIM_ONE_Q16;
}

/* The root, rounded down. */
uint64_t sim_sqrt(uint64_t x);

/* e^x for x in Q30, |x| <= 1: Q30. Five terms: off by 0.2 % at the ends, by nothing that counts where prices
 * are. */
int64_t sim_exp_q30(int64_t x_q30);

/* Draws indexes with given weights in constant time (the alias method of Walker and Vose). */
struct sim_alias {
    uint32_t count;
    uint32_t *threshold; /* Q32: below it the column itself, else its alias */
    uint32_t *other;
};
int sim_alias_open(struct sim_alias *a, const uint64_t *weights, uint32_t count); /* 0, or -1: no memory */
void sim_alias_close(struct sim_alias *a);
static inline uint32_t sim_alias_draw(const struct sim_alias *a, uint64_t random)
{
    uint32_t column = (uint32_t)(((random >> 32) * a->count) >> 32);
    return (uint32_t)random < a->threshold[column] ? column : a->other[column];
}

#endif
