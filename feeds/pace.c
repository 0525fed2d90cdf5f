/* feeds/pace.c -- see pace.h. Reads what workers publish in their log_reader (seq_cst, because the feed
 * thread may be about to sleep on it: decision 24); writes nothing that is shared. */
#include "feeds/pace.h"

#include <stdatomic.h>

static struct pace_answer look_workers(struct pace *p, struct log *l, uint64_t now_ns);
static struct pace_answer look_complete(struct pace *p, struct log *l, uint64_t now_ns, uint64_t bound_ns);
static uint64_t oldest_unread(struct log *l);
static uint64_t oldest_owed(struct log *l);

void pace_polled(struct pace *p, enum feed_pace pace, const struct log *l)
{
    if (pace == FEED_PACE_WORKERS) p->wait_seq = log_head(l);
    p->held_since_ns = 0;
}

struct pace_answer pace_look(struct pace *p, enum feed_pace pace, struct log *l, uint64_t now_ns,
                             uint64_t bound_ns)
{
    switch (pace) {
    case FEED_PACE_WORKERS: return look_workers(p, l, now_ns);
    case FEED_PACE_COMPLETE: return look_complete(p, l, now_ns, bound_ns);
    case FEED_PACE_FREE: break;
    }
    return (struct pace_answer){0};
}

/* Held until every worker has handed the last burst to whoever takes it. Workers whose members are all full
 * hand nothing to anybody: they are waited for, but not for long. */
static struct pace_answer look_workers(struct pace *p, struct log *l, uint64_t now_ns)
{
    bool behind = false, only_full = true;
    for (uint32_t i = 0; i < log_reader_count(l); i++) {
        struct log_reader *r = log_reader_at(l, i);
        if (atomic_load_explicit(&r->handed, memory_order_seq_cst) >= p->wait_seq)
            continue; /* pairs with pace_publish */
        if (atomic_load_explicit(&r->members, memory_order_seq_cst) == 0)
            continue; /* done: nobody is there */
        behind = true;
        if (atomic_load_explicit(&r->taking, memory_order_seq_cst) > 0) only_full = false;
    }
    if (!behind) return (struct pace_answer){0};
    if (p->held_since_ns == 0) p->held_since_ns = now_ns;
    uint64_t until_ns = p->held_since_ns + PACE_FULL_WAIT_NS;
    if (only_full && now_ns >= until_ns) return (struct pace_answer){0};
    return (struct pace_answer){.held = true, .look_ns = only_full ? until_ns : FEED_NEVER};
}

static struct pace_answer look_complete(struct pace *p, struct log *l, uint64_t now_ns, uint64_t bound_ns)
{
    uint64_t head = log_head(l), room = log_capacity(l) / 2;
    uint64_t unread = oldest_unread(l); /* first: an `owed` seen after it speaks of at least these ticks */
    uint64_t owed = oldest_owed(l);
    uint64_t slowest = min_u64(owed, unread);
    if (slowest >= head || head - slowest <= room) {
        p->held_since_ns = 0;
        return (struct pace_answer){0};
    }
    if (p->held_since_ns == 0 || slowest != p->seen_seq) { /* progress: the wait starts anew */
        p->held_since_ns = now_ns;
        p->seen_seq = slowest;
    }
    uint64_t until_ns = p->held_since_ns + bound_ns / PACE_LOOKS_PER_BOUND;
    struct pace_answer answer = {.held = true, .look_ns = min_u64(until_ns, now_ns + PACE_OWED_LOOK_NS)};
    if (now_ns < until_ns) return answer;
    p->held_since_ns = now_ns;
    if (slowest == owed) {
        answer.stalled = true;
        answer.stalled_seq = owed;
    }
    return answer;
}

/* A worker that has not read new ticks yet cannot say what its members will be owed: how far it read counts,
 * whether they are in step or behind. */
static uint64_t oldest_unread(struct log *l)
{
    uint64_t oldest = UINT64_MAX;
    for (uint32_t i = 0; i < log_reader_count(l); i++) {
        struct log_reader *r = log_reader_at(l, i);
        uint64_t read = atomic_load_explicit(&r->read, memory_order_seq_cst); /* pairs with pace_publish */
        if (atomic_load_explicit(&r->members, memory_order_seq_cst) > 0) oldest = min_u64(oldest, read);
    }
    return oldest;
}

static uint64_t oldest_owed(struct log *l)
{
    uint64_t oldest = UINT64_MAX;
    for (uint32_t i = 0; i < log_reader_count(l); i++)
        oldest = min_u64(oldest, atomic_load_explicit(&log_reader_at(l, i)->owed, memory_order_seq_cst));
    return oldest;
}
