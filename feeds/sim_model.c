#include "feeds/sim_model.h"

#include "base/assert.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 u128;

/* Deviation per root of a second, Q40. Together some 0.017 % a root of a second: livelier than a real day, so
 * that a minute's chart shows something. */
#define MARKET_SIGMA INT64_C(131941395)  /* 0.00012 */
#define SECTOR_SIGMA INT64_C(76965814)   /* 0.00007 */
#define OWN_SIGMA    INT64_C(109951163)  /* 0.0001 */
#define SIGMA_MAX    INT64_C(5497558139) /* 0.005: a symbol that trades once an hour makes no leaps */
#define OWN_SHIFT    20
#define LOG_MAX      (INT64_C(1) << 40)

static void symbol_init(struct sim_symbol *s, const struct sim_model_options *o, uint32_t index,
                        uint64_t weight_total);
static int64_t per_tick(int64_t sigma, uint64_t rate_q20, uint32_t volatility);
static uint32_t slow_shift(uint64_t ticks);
static int64_t clamp(int64_t x, int64_t most);

int sim_model_open(struct sim_model *m, const struct sim_model_options *o)
{
    TC_ASSERT(o->count > 0);
    TC_ASSERT(o->rate > 0);
    *m = (struct sim_model){.count = o->count};
    m->symbols = calloc(o->count, sizeof *m->symbols);
    if (!m->symbols) return -1;
    uint64_t weight_total = 0, rate_q20 = o->rate << 20;
    for (uint32_t i = 0; i < o->count; i++) weight_total += o->weights[i];
    for (uint32_t i = 0; i < o->count; i++) symbol_init(&m->symbols[i], o, i, weight_total);
    m->market_sigma = per_tick(MARKET_SIGMA, rate_q20, o->volatility);
    m->sector_sigma = per_tick(SECTOR_SIGMA, rate_q20 / SIM_SECTORS, o->volatility);
    m->market_shift = slow_shift(o->rate * 3600);
    m->sector_shift = slow_shift(o->rate * 3600 / SIM_SECTORS);
    return 0;
}

void sim_model_close(struct sim_model *m)
{
    free(m->symbols);
    *m = (struct sim_model){0};
}

static void symbol_init(struct sim_symbol *s, const struct sim_model_options *o, uint32_t index,
                        uint64_t weight_total)
{
    uint64_t rate_q20 = (uint64_t)(((u128)o->rate << 20) * o->weights[index] / weight_total);
    uint32_t mix = (index * 2654435761u) >> 16; /* differs from symbol to symbol, the same in every run */
    s->start_cents = (int64_t)o->tickers[index].dollars * 100 + (int64_t)(mix % 100);
    s->sector = o->tickers[index].sector;
    s->beta_q8 = (int32_t)(179 + mix % 205); /* 0.7 to 1.5 */
    s->own_sigma =
        per_tick(OWN_SIGMA * (int64_t)(70 + mix % 90) / 100, rate_q20 > 0 ? rate_q20 : 1, o->volatility);
    s->half_min = s->start_cents * 1024 / 50000; /* 0.2 basis points, at least a quarter of a cent */
    if (s->half_min < 256) s->half_min = 256;
    s->fair_q10 = s->start_cents << 10;
    sim_model_quote(s);
}

/* A walk of so many steps a second with this deviation per root of a second. */
static int64_t per_tick(int64_t sigma, uint64_t rate_q20, uint32_t volatility)
{
    uint64_t root_q10 = sim_sqrt(rate_q20);
    int64_t step = (sigma << 10) / (int64_t)(root_q10 > 0 ? root_q10 : 1) * volatility / 100;
    return sim_sigma(step > SIGMA_MAX ? SIGMA_MAX : step);
}

static uint32_t slow_shift(uint64_t ticks)
{
    uint32_t shift = 6;
    while (shift < 38 && UINT64_C(1) << shift < ticks) shift++;
    return shift;
}

void sim_model_step(struct sim_model *m, struct random *r, bool rough)
{
    m->market_q40 +=
        sim_normal(random_u64(r), m->market_sigma) * (rough ? 2 : 1) - (m->market_q40 >> m->market_shift);
    m->market_q40 = clamp(m->market_q40, LOG_MAX / 4);
    int64_t *sector = &m->sector_q40[m->sector_next];
    *sector += sim_normal(random_u64(r), m->sector_sigma) * (rough ? 2 : 1) - (*sector >> m->sector_shift);
    *sector = clamp(*sector, LOG_MAX / 4);
    m->sector_next = m->sector_next + 1 == SIM_SECTORS ? 0 : m->sector_next + 1;
}

void sim_model_move(struct sim_model *m, struct sim_symbol *s, uint64_t random, bool rough)
{
    s->own_q40 += sim_normal(random, s->own_sigma) * (rough ? 2 : 1) - (s->own_q40 >> OWN_SHIFT);
    s->own_q40 = clamp(s->own_q40, LOG_MAX / 4);
    int64_t log_q40 = (m->market_q40 * s->beta_q8 >> 8) + m->sector_q40[s->sector] + s->own_q40;
    int64_t exp_q30 = sim_exp_q30(clamp(log_q40, LOG_MAX) >> 10);
    int64_t fair_q10 = s->start_cents * exp_q30 >> 20;
    int64_t moved = fair_q10 > s->fair_q10 ? fair_q10 - s->fair_q10 : s->fair_q10 - fair_q10;
    s->moved_q10 += (moved - s->moved_q10) / 16;
    s->fair_q10 = fair_q10;
}

void sim_model_quote(struct sim_symbol *s)
{
    int64_t half_q10 = s->half_min + s->moved_q10 / 2;
    s->bid = (s->fair_q10 - half_q10) >> 10;
    s->ask = (s->fair_q10 + half_q10 + 1023) >> 10;
    if (s->bid < 1) s->bid = 1;
    if (s->ask <= s->bid) s->ask = s->bid + 1;
}

void sim_model_impact(struct sim_symbol *s, bool buy)
{
    int64_t step = s->own_sigma / 8;
    s->own_q40 += buy ? step : -step;
}

static int64_t clamp(int64_t x, int64_t most)
{
    if (x > most) return most;
    return x < -most ? -most : x;
}
