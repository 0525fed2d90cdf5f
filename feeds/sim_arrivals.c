/* feeds/sim_arrivals.c -- see sim_arrivals.h.
 *
 * Gaps are exponential; in a cluster they are a quarter as long and a cluster is likely to go on, which gives
 * the bunching of self-exciting arrivals. What the clusters take, the quiet times give back: 3 ticks in 10
 * are in clusters, so 0.3 * 0.25 + 0.7 * 1.3214 = 1. A slow spring to even spacing holds the average exactly
 * over long times. */
#include "feeds/sim_arrivals.h"

#include "base/assert.h"

__extension__ typedef unsigned __int128 u128;

#define CLUSTER_GAP_Q16 16384u /* a quarter */
#define QUIET_GAP_Q16   86601u /* 1.3214 */
#define CLUSTER_BEGIN   1404u  /* of 65536, per burst: so that 3 in 10 are in clusters ... */
#define CLUSTER_END     3277u  /* ... of 20 on the average */

static void session_init(struct sim_arrivals *a);
static uint64_t session_time(struct sim_arrivals *a);
static void advance(uint64_t *ns, uint32_t *fraction_q16, uint64_t gap_q16);
static int64_t spring_q16(const struct sim_arrivals *a);

void sim_arrivals_init(struct sim_arrivals *a, uint64_t rate, uint32_t burst, uint64_t session_ns)
{
    TC_ASSERT(rate > 0);
    TC_ASSERT(burst > 0);
    *a = (struct sim_arrivals){.session_ns = session_ns};
    sim_log_table_fill(&a->ln);
    a->gap_q16 = (uint64_t)(((u128)UINT64_C(1000000000) * burst << 16) / rate);
    if (a->gap_q16 == 0) a->gap_q16 = 1;
    uint64_t window_ns = (a->gap_q16 >> 16) * 64; /* at least 64 gaps, at least a second */
    a->window_shift = 30;
    while (a->window_shift < 62 && UINT64_C(1) << a->window_shift < window_ns) a->window_shift++;
    if (session_ns > 0) session_init(a);
}

uint64_t sim_arrivals_next(struct sim_arrivals *a, uint64_t random, uint32_t chance)
{
    a->burst = a->burst ? chance >= CLUSTER_END : chance < CLUSTER_BEGIN;
    uint64_t gap_q24 =
        sim_exponential_q24(&a->ln, random) * (a->burst ? CLUSTER_GAP_Q16 : QUIET_GAP_Q16) >> 16;
    gap_q24 = gap_q24 * (uint64_t)(SIM_ONE_Q16 - spring_q16(a)) >> 16;
    uint64_t gap_q16 = (uint64_t)((u128)gap_q24 * a->gap_q16 >> 24);
    if (a->even) gap_q16 = a->gap_q16;
    advance(&a->time_ns, &a->time_q16, gap_q16);
    advance(&a->target_ns, &a->target_q16, a->gap_q16);
    return a->session_ns > 0 ? session_time(a) : a->time_ns;
}

/* How far ahead of even spacing time is, as a part of the window: shorter gaps then. */
static int64_t spring_q16(const struct sim_arrivals *a)
{
    int64_t ahead_ns = (int64_t)(a->time_ns - a->target_ns);
    int64_t spring = ahead_ns >> (a->window_shift - 16);
    if (spring > SIM_ONE_Q16 / 2) return SIM_ONE_Q16 / 2;
    return spring < -SIM_ONE_Q16 ? -SIM_ONE_Q16 : spring;
}

static void advance(uint64_t *ns, uint32_t *fraction_q16, uint64_t gap_q16)
{
    uint64_t sum = *fraction_q16 + (gap_q16 & 0xffff);
    *ns += (gap_q16 >> 16) + (sum >> 16);
    *fraction_q16 = (uint32_t)sum & 0xffff;
}

/* Weights of the steps: four times as busy at the opening, falling off fast; thrice at the close. */
static void session_init(struct sim_arrivals *a)
{
    uint32_t weights[SIM_SESSION_STEPS], total = 0;
    for (uint32_t i = 0; i < SIM_SESSION_STEPS; i++) {
        uint32_t from_end = SIM_SESSION_STEPS - 1 - i;
        weights[i] =
            100 + (i < 12 ? (12 - i) * (12 - i) * 300 / 144 : 0) + (from_end < 8 ? (8 - from_end) * 25 : 0);
        total += weights[i];
    }
    uint64_t before = 0;
    for (uint32_t i = 0; i < SIM_SESSION_STEPS; i++) {
        a->even_ns[i] = (uint64_t)((u128)a->session_ns * before / total);
        before += weights[i];
    }
    a->even_ns[SIM_SESSION_STEPS] = a->session_ns;
}

/* Even time to session time: step i takes a 64th of the session, however many ticks are in it. */
static uint64_t session_time(struct sim_arrivals *a)
{
    while (a->time_ns - a->session_start_ns >= a->session_ns) {
        a->session_start_ns += a->session_ns;
        a->step = 0;
    }
    uint64_t even = a->time_ns - a->session_start_ns;
    while (even >= a->even_ns[a->step + 1]) a->step++;
    uint64_t begin = (uint64_t)((u128)a->session_ns * a->step / SIM_SESSION_STEPS);
    uint64_t end = (uint64_t)((u128)a->session_ns * (a->step + 1) / SIM_SESSION_STEPS);
    uint64_t width = a->even_ns[a->step + 1] - a->even_ns[a->step];
    return a->session_start_ns + begin +
           (uint64_t)((u128)(even - a->even_ns[a->step]) * (end - begin) / width);
}
