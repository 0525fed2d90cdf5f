/* group/cohort.c -- members in step, and who is visited next. */
#include "base/assert.h"
#include "group/group_internal.h"

static void prefetch(struct groups *gs, uint32_t number);

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
    uint32_t number = c ? round_enter(&gs->round, c) : ROUND_NONE;
    if (number == ROUND_NONE) {
        heap_put(&gs->heap, c, sizeof *c);
        return NULL;
    }
    *c = (struct cohort){
        .group = g, .read = position, .covered = position, .number = number, .visit = UINT32_MAX};
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
    round_leave(&gs->round, c->number);
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
    if (round_waits(&gs->round, c->number)) return;
    if (c->cover_wanted) {
        round_put(&gs->round, c->number);
        return;
    }
    if (c->read >= group_maybe_seq(gs, c->group)) return;
    group_release(gs, c->group, now_ns);
    bool waits = c->group->interval_ns > 0 && c->read >= group_released(gs, c->group);
    if (!waits) round_put(&gs->round, c->number);
}

struct cohort *groups_next(struct groups *gs, uint64_t now_ns)
{
    struct timer *t;
    while ((t = timer_due(&gs->timers, now_ns)) != NULL) {
        struct group *g = (struct group *)((char *)t - offsetof(struct group, timer));
        group_release(gs, g, now_ns);
    }
    struct cohort *c = round_take(&gs->round);
    if (!c) return NULL;
    group_news(gs, c->group->number)->stirred_to = 0;
    prefetch(gs, c->number);
    return c;
}

/* With a list for everybody each visit is of a cohort and a group that were last touched a round ago, between
 * which the kernel sent thousands of packets. So the one after the next is asked for now, and of the next
 * one, asked for a visit before, what it leads to. */
static void prefetch(struct groups *gs, uint32_t number)
{
    uint32_t next = gs->ahead;
    if (next != number && next < gs->round.most && round_waits(&gs->round, next)) {
        const struct group *g = gs->round.at[next]->group;
        __builtin_prefetch(&g->filter);
        __builtin_prefetch(&g->key);
        number = next;
    }
    gs->ahead = round_after(&gs->round, number);
    if (gs->ahead == ROUND_NONE) return;
    const struct cohort *c = gs->round.at[gs->ahead];
    __builtin_prefetch(c);
    __builtin_prefetch(&c->bytes);
    __builtin_prefetch(c->slots);
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
