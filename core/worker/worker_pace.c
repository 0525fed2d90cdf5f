/* worker/worker_pace.c -- what feeds that wait for their readers want to know (decision 17), and what becomes
 * of those that make them wait too long.
 *
 * Published only once some feed waits (log_paced): the look at cohorts and at everyone behind is not for
 * free. The feed thread reads it in feeds/pace.c. */
#include "worker/worker_internal.h"

#include "base/assert.h"

/* In step, what is owed is looked for among all cohorts only once it may be as old as this share of the log
 * (a feed is held at half of it), and while there is work not more often than this: with 10 000 groups a look
 * costs as much as hundreds of sends. */
#define OWED_LOOK_SHARE 8u
#define OWED_LOOK_NS    NS_PER_MS

static uint64_t owed_least(struct worker *w);
static uint64_t owed_in_step(struct worker *w);
static bool waited_for(const struct worker *w, const struct conn *c);
static bool all_handed(const struct worker *w, uint32_t *taking);
static bool takes_nothing(struct worker *w, struct conn *c);

/* ---- Who is behind. ---- */

void behind_add(struct worker *w, struct conn *c)
{
    TC_ASSERT(w->behind_count < w->conns_max);
    c->behind_index = w->behind_count;
    w->behind[w->behind_count++] = conn_slot(w, c);
}

void behind_remove(struct worker *w, struct conn *c)
{
    TC_ASSERT(w->behind_count > 0);
    TC_ASSERT(w->behind[c->behind_index] == conn_slot(w, c));
    uint32_t last = w->behind[--w->behind_count];
    w->behind[c->behind_index] = last;
    conn_at(w, last)->behind_index = c->behind_index;
}

/* ---- Publishing. ---- */

/* seq_cst, as every source of work for a sleeper: the feed thread may be about to sleep on this (decision
 * 24). The order is log_reader's. */
void pace_publish(struct worker *w)
{
    struct log_reader *r = w->reader;
    atomic_store_explicit(&r->members, w->subscriber_count, memory_order_seq_cst);
    if (!log_paced(w->log)) return;
    uint32_t taking = w->subscriber_count - w->behind_count;
    bool handed = all_handed(w, &taking);
    atomic_store_explicit(&r->taking, taking, memory_order_seq_cst);
    uint64_t owed = owed_least(w);
    bool news = false;
    if (owed != atomic_load_explicit(&r->owed, memory_order_relaxed)) {
        atomic_store_explicit(&r->owed, owed, memory_order_seq_cst);
        news = true;
    }
    if (w->read_seq != atomic_load_explicit(&r->read, memory_order_relaxed)) {
        atomic_store_explicit(&r->read, w->read_seq, memory_order_seq_cst);
        news = true;
    }
    if (handed && w->read_seq != atomic_load_explicit(&r->handed, memory_order_relaxed)) {
        atomic_store_explicit(&r->handed, w->read_seq, memory_order_seq_cst);
        news = true;
    }
    if (news) log_reader_progress(w->log);
}

/* pace=workers: a full member counts as served, one that is behind and takes bytes does not. Nobody but full
 * ones: nothing can be handed to anybody. Adds those behind that take to *taking. */
static bool all_handed(const struct worker *w, uint32_t *taking)
{
    bool served = w->groups.round.count == 0;
    for (uint32_t i = 0; i < w->behind_count; i++) {
        const struct conn *c = &w->conns[w->behind[i]];
        if (!conn_live(c) || (c->flags & CF_FULL)) continue;
        ++*taking;
        served = served && c->read >= group_maybe_seq(&w->groups, c->group);
    }
    return served && (*taking > 0 || w->subscriber_count == 0);
}

/* The oldest tick that may be owed to a complete or conflate subscriber: for pace=complete. */
static uint64_t owed_least(struct worker *w)
{
    uint64_t least = owed_in_step(w);
    for (uint32_t i = 0; i < w->behind_count; i++) {
        const struct conn *c = &w->conns[w->behind[i]];
        if (waited_for(w, c)) least = min_u64(least, c->read + 1);
    }
    return least;
}

/* Members in step are owed by this worker, not by themselves: whatever their policy, their turn comes. Too
 * old rather than too new: the floor stands in where that holds no feed, or where the next turn follows at
 * once. */
static uint64_t owed_in_step(struct worker *w)
{
    struct groups *gs = &w->groups;
    if (groups_read_all(gs)) return UINT64_MAX;
    bool recent = w->read_seq - gs->read_floor < log_capacity(w->log) / OWED_LOOK_SHARE;
    bool again = gs->round.count > 0 && w->now_ns - w->owed_looked_ns < OWED_LOOK_NS;
    if (recent || again) return gs->read_floor + 1;
    w->owed_looked_ns = w->now_ns;
    w->owed_looks++;
    uint64_t least = groups_read_least(gs);
    return least == UINT64_MAX ? UINT64_MAX : least + 1;
}

/* Behind, and a feed with pace=complete waits for it. */
static bool waited_for(const struct worker *w, const struct conn *c)
{
    if (!conn_live(c) || (c->flags & CF_LET_GO)) return false;
    if (c->policy != POLICY_COMPLETE && c->policy != POLICY_CONFLATE) return false;
    return c->read < group_maybe_seq(&w->groups, c->group);
}

/* ---- Those that take nothing. ---- */

/* The feed thread looks again and again while it is held; who is judged is judged here, by the bytes that its
 * socket holds: a reader that is slow but reads makes the replay slow, and is not cut. Who asked for
 * everything is closed, for it can no longer have it; who conflates is let go, and is told its gap when it
 * reads again. */
uint32_t pace_turn(struct worker *w)
{
    uint32_t looks = atomic_load_explicit(&w->server->stalled_looks, memory_order_seq_cst);
    if (looks == w->stalled_seen) return 0;
    w->stalled_seen = looks;
    uint64_t seq = atomic_load_explicit(&w->server->stalled_seq, memory_order_seq_cst);
    uint32_t gone = 0;
    for (uint32_t i = 0; i < w->behind_count; i++) {
        struct conn *c = &w->conns[w->behind[i]];
        if (!waited_for(w, c) || c->read >= seq || !takes_nothing(w, c)) continue;
        counter_add(&w->counters.let_go_total, 1);
        gone++;
        if (c->policy == POLICY_COMPLETE) {
            limit_close(w, c, LIMIT_STALL, WS_TOO_SLOW, "stalled");
        } else {
            limit_met(w, LIMIT_STALL);
            c->flags |= CF_LET_GO;
        }
    }
    return gone;
}

/* Full, and not a byte left its send queue for stall-bound, as far as was looked. */
static bool takes_nothing(struct worker *w, struct conn *c)
{
    if (!(c->flags & CF_FULL)) return false; /* this worker's debt, not its own */
    uint32_t unsent = (uint32_t)w->io->ops->unsent(w->io, conn_slot(w, c));
    if (!(c->flags & CF_STALL_SEEN) || unsent != c->stall_unsent) {
        c->flags |= CF_STALL_SEEN;
        c->stall_unsent = unsent;
        c->stall_ms = w->now_ms;
        return false;
    }
    return ms_since(w->now_ms, c->stall_ms) >= ns_to_ms(w->settings->stall_bound_ns);
}
