/* group/cohort.c -- members in step, and the queue of cohorts that have news. */
#include "base/assert.h"
#include "group/group_internal.h"

static void queue_remove(struct groups *gs, struct cohort *c);

struct cohort *cohort_find(struct groups *gs, struct group *g, uint64_t least, uint64_t most)
{
    struct cohort *best = NULL;
    for (struct cohort *c = g->cohorts; c; c = c->next) {
        if (c->member_count >= gs->members_max || c->covered < least || c->covered > most) continue;
        if (!best || c->member_count > best->member_count) best = c;
    }
    return best;
}

struct cohort *cohort_make(struct groups *gs, struct group *g, uint64_t position)
{
    struct cohort *c = heap_get(&gs->heap, sizeof *c);
    if (!c) return NULL;
    *c = (struct cohort){.group = g, .read = position, .covered = position, .visit = UINT32_MAX};
    c->next = g->cohorts;
    if (g->cohorts) g->cohorts->prev = c;
    g->cohorts = c;
    g->cohort_count++;
    gs->cohort_count++;
    group_news(gs, g->number)->stirred_to = 0; /* this one has nothing to do yet */
    if (position < group_maybe_seq(gs, g)) gs->read_floor = min_u64(gs->read_floor, position);
    return c;
}

uint32_t cohort_add(struct cohort *c, uint32_t slot)
{
    TC_ASSERT(c->member_count < COHORT_MEMBERS_MAX);
    c->slots[c->member_count] = slot;
    return c->member_count++;
}

uint32_t cohort_remove(struct cohort *c, uint32_t index)
{
    TC_ASSERT(index < c->member_count);
    uint32_t last = --c->member_count;
    if (index == last) return UINT32_MAX;
    c->slots[index] = c->slots[last];
    return c->slots[index];
}

void cohort_free(struct groups *gs, struct cohort *c)
{
    TC_ASSERT(c->member_count == 0);
    TC_ASSERT(c->visit == UINT32_MAX);
    if (c->queue_next) queue_remove(gs, c);
    if (c->next) c->next->prev = c->prev;
    if (c->prev)
        c->prev->next = c->next;
    else
        c->group->cohorts = c->next;
    c->group->cohort_count--;
    gs->cohort_count--;
    heap_put(&gs->heap, c, sizeof *c);
}

void cohort_schedule(struct groups *gs, struct cohort *c, uint64_t now_ns)
{
    if (c->queue_next) return;
    if (c->cover_wanted) {
        cohort_queue(gs, c);
        return;
    }
    if (c->read >= group_maybe_seq(gs, c->group)) return;
    group_release(gs, c->group, now_ns);
    bool waits = c->group->interval_ns > 0 && c->read >= group_released(gs, c->group);
    if (!waits && !c->queue_next) cohort_queue(gs, c);
}

struct cohort *groups_next(struct groups *gs, uint64_t now_ns)
{
    struct timer *t;
    while ((t = timer_due(&gs->timers, now_ns)) != NULL) {
        struct group *g = (struct group *)((char *)t - offsetof(struct group, timer));
        group_release(gs, g, now_ns);
    }
    struct cohort *c = gs->queue.queue_next;
    if (c == &gs->queue) return NULL;
    queue_remove(gs, c);
    group_news(gs, c->group->number)->stirred_to = 0;
    return c;
}

void cohort_queue(struct groups *gs, struct cohort *c)
{
    TC_ASSERT(c->queue_next == NULL);
    c->queue_next = &gs->queue;
    c->queue_prev = gs->queue.queue_prev;
    c->queue_prev->queue_next = c;
    gs->queue.queue_prev = c;
    gs->queued_count++;
}

static void queue_remove(struct groups *gs, struct cohort *c)
{
    c->queue_next->queue_prev = c->queue_prev;
    c->queue_prev->queue_next = c->queue_next;
    c->queue_next = c->queue_prev = NULL;
    gs->queued_count--;
}

/* Who gets something to do has read what was marked before (group_mark), so the floor only sinks with a
 * cohort that is made below it. */
uint64_t groups_read_least(struct groups *gs)
{
    uint64_t least = UINT64_MAX;
    for (const struct group *g = gs->all; g; g = g->next)
        for (const struct cohort *c = g->cohorts; c; c = c->next)
            if (c->read < group_maybe_seq(gs, g)) least = min_u64(least, c->read);
    gs->read_floor = min_u64(least, gs->seq_marked);
    return least;
}
