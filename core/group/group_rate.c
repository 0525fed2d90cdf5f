/* group/group_rate.c -- rates: the log is released to a group at most so often, and its members get what is
 * released as fast as they take it (decision 15).
 *
 * One moment for the whole group, not one for each member: cohorts and those behind read up to the same
 * position, so that all stand there afterwards and share frames, whenever they joined. A release that finds
 * nothing new does not take place: the next news are then released at once.
 *
 * A group without an interval has all that was read, always. */
#include "base/assert.h"
#include "group/group_internal.h"

static void release_now(struct groups *gs, struct group *g, uint64_t now_ns);
static uint64_t next_due(const struct group *g, uint64_t now_ns);

void group_release(struct groups *gs, struct group *g, uint64_t now_ns)
{
    if (g->interval_ns == 0) return;
    uint64_t maybe_seq = group_maybe_seq(gs, g);
    if (maybe_seq <= g->released_seq) return;
    bool far = maybe_seq - g->released_seq > group_far(gs);
    if (now_ns >= g->release_due_ns || far || gs->hurry)
        release_now(gs, g, now_ns);
    else if (!timer_is_set(&g->timer))
        timer_set(&gs->timers, &g->timer, g->release_due_ns);
}

static void release_now(struct groups *gs, struct group *g, uint64_t now_ns)
{
    uint64_t maybe_seq = group_maybe_seq(gs, g);
    timer_cancel(&gs->timers, &g->timer);
    g->released_before = g->released_seq;
    g->released_seq = max_u64(gs->seq_read, maybe_seq);
    g->release_due_ns = next_due(g, now_ns);
    group_news(gs, g->number)->stirred_to = 0; /* the next news must set the timer */
    for (struct cohort *c = g->cohorts; c; c = c->next) {
        bool visited = c->visit != UINT32_MAX; /* looks for itself when its visit is over */
        if (!visited && c->read < maybe_seq) round_put(&gs->round, c->number);
    }
}

/* The timer comes up to a grain late. That is made good, or a rate of 100 would be one of 80: two releases
 * may stand closer by it, but not on average. */
static uint64_t next_due(const struct group *g, uint64_t now_ns)
{
    if (now_ns < g->release_due_ns) return now_ns + g->interval_ns;
    uint64_t late_max = min_u64(TIMER_GRAIN_NS, g->interval_ns / 2);
    return max_u64(g->release_due_ns, now_ns - min_u64(late_max, now_ns)) + g->interval_ns;
}

void group_release_quiet(struct groups *gs, struct group *g)
{
    if (group_maybe_seq(gs, g) <= g->released_seq) g->released_seq = max_u64(g->released_seq, gs->seq_marked);
}

uint64_t group_expected(const struct groups *gs, const struct group *g, uint64_t now_ns)
{
    if (g->interval_ns == 0 || gs->hurry || now_ns >= g->release_due_ns) return gs->seq_read;
    return g->released_before;
}

void groups_hurry(struct groups *gs, uint64_t now_ns)
{
    gs->hurry = true;
    for (struct group *g = gs->all; g; g = g->next) group_release(gs, g, now_ns);
}
