/* feeds/sim_arrivals.h -- when the simulator's ticks happen: random gaps that cluster, around a rate that is
 * met on the average, shaped by a trading session. All times are ns from the start of the feed. Thread: one
 * owner. */
#ifndef TC_FEEDS_SIM_ARRIVALS_H
#define TC_FEEDS_SIM_ARRIVALS_H

#include "feeds/sim_math.h"

#include <stdbool.h>

#define SIM_SESSION_STEPS 64u

struct sim_arrivals {
    struct sim_log_table ln;
    uint64_t gap_q16;      /* mean ns between bursts */
    uint32_t window_shift; /* over 2^this ns the clock is drawn back to the asked rate */
    bool burst;            /* a cluster: ticks come thick, one draws the next */
    bool even;             /* all gaps are alike: for measuring; set after init */
    uint64_t time_ns,
        target_ns; /* of the next burst, without the session; where an even spacing would have it */
    uint32_t time_q16, target_q16; /* their fractions */
    /* The session: within each step, time is stretched or pressed together; over a session nothing is gained
     * or lost. */
    uint64_t session_ns; /* 0: none */
    uint64_t session_start_ns;
    uint64_t even_ns[SIM_SESSION_STEPS + 1]; /* where a step begins in even time; the last = session_ns */
    uint32_t step;
};

/* rate: ticks a second, at least 1; burst: ticks with one time. */
void sim_arrivals_init(struct sim_arrivals *a, uint64_t rate, uint32_t burst, uint64_t session_ns);

/* The time of the next burst: never less than the last one's. random: 64 fresh bits; chance: 16 more. */
uint64_t sim_arrivals_next(struct sim_arrivals *a, uint64_t random, uint32_t chance);

#endif
