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

struct pace {
    uint64_t wait_seq;      /* workers: the last poll's ticks end here */
    uint64_t held_since_ns; /* 0: not held. Monotonic; of the last progress seen while held */
    uint64_t seen_seq;      /* where the slowest reader was then */
};

struct pace_answer {
    bool held;
    uint64_t look_ns;     /* while held: look again at this monotonic time at the latest (or when woken) */
    bool stalled;         /* complete: a subscriber took nothing for the bound; told once per bound */
    uint64_t stalled_seq; /* the oldest tick it is owed */
};

/* The feed has just appended up to the log's head. */
void pace_polled(struct pace *p, enum feed_pace pace, const struct log *l);

/* May it be polled? bound_ns: after which pace=complete calls a subscriber stalled. Never blocks. */
struct pace_answer pace_look(struct pace *p, enum feed_pace pace, struct log *l, uint64_t now_ns,
                             uint64_t bound_ns);

#endif
