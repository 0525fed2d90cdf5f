/* feeds/pace.h -- whom a feed waits for before its next poll (decision 17). One per feed. Thread: the feed
 * thread. */
#ifndef TC_FEEDS_PACE_H
#define TC_FEEDS_PACE_H

#include "feeds/feed.h"

#include "base/clock.h"

/* How long pace=workers waits for a worker whose members are all full. */
#define PACE_FULL_WAIT_NS NS_PER_SECOND
/* How often pace=complete looks while it holds: what a slow subscriber is owed moves on without waking
 * anybody. */
#define PACE_OWED_LOOK_NS NS_PER_MS

/* While nothing moves, the workers are asked so many times per bound to look who takes nothing: who does is
 * let go when the bound is over, at most two looks later. */
#define PACE_LOOKS_PER_BOUND 4u

struct pace {
    uint64_t wait_seq; /* workers: the last poll's ticks end here */
    uint64_t
        held_since_ns; /* 0: not held. Monotonic; of the last progress seen, or look asked for, while held */
    uint64_t seen_seq; /* where the slowest reader was then */
};

struct pace_answer {
    bool held;
    uint64_t look_ns;     /* while held: look again at this monotonic time at the latest (or when woken) */
    bool stalled;         /* complete: nothing moved for a part of the bound: the workers shall look */
    uint64_t stalled_seq; /* the oldest tick owed */
};

/* The feed has just appended up to the log's head. */
void pace_polled(struct pace *p, enum feed_pace pace, const struct log *l);

/* May it be polled? bound_ns: after which the workers let go who takes nothing (pace=complete). Never blocks.
 */
struct pace_answer pace_look(struct pace *p, enum feed_pace pace, struct log *l, uint64_t now_ns,
                             uint64_t bound_ns);

#endif
