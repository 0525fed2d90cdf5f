/* bench/micro/sleeper_rig.h -- a thread that waits for work, asleep or spinning, and what it takes to wake
 * it; behind plain calls (see core_rig.h). Each of the two threads has a processor of its own where there are
 * two. */
#ifndef TC_BENCH_SLEEPER_RIG_H
#define TC_BENCH_SLEEPER_RIG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sleeper_rig sleeper_rig;

typedef struct sleeper_times {
    uint64_t producer_ns;   /* of giving the work: publishing it and waking */
    uint64_t until_runs_ns; /* from its publication until the other thread sees it */
} sleeper_times;

sleeper_rig *sleeper_rig_make(bool spins);
void sleeper_rig_free(sleeper_rig *r);
/* Waits until the other thread sleeps (in the kernel, as /proc says) or spins, and rest_ns more, then gives
 * it work: a processor that had nothing to do for longer takes longer to come back. */
sleeper_times sleeper_rig_wake(sleeper_rig *r, uint64_t rest_ns);

/* Without another thread: where nobody sleeps, and what a write to the eventfd would be in its place. */
void sleeper_rig_ask(sleeper_rig *r);
void sleeper_rig_write(sleeper_rig *r);

#endif
