/* group/group_index.c -- from symbols to the groups that want them, and the marking of what has news.
 * Groups with a "*" rule stand in one list of their own, not in every symbol's (decision 30). */
#include "base/assert.h"
#include "group/group_internal.h"

static int list_add(struct groups *gs, struct symbol_groups *list, struct group *g);
static void list_remove(struct symbol_groups *list, const struct group *g);

int index_add_group(struct groups *gs, struct group *g)
{
    if (g->filter.kinds_all && list_add(gs, &gs->every, g) < 0) return TC_ELIMIT;
    for (uint32_t id = 0; id < gs->symbol_count; id++) {
        if (!filter_has_id(&g->filter, id)) continue;
        if (list_add(gs, &gs->by_symbol[id], g) < 0) {
            index_remove_group(gs, g);
            return TC_ELIMIT;
        }
    }
    return 0;
}

void index_remove_group(struct groups *gs, struct group *g)
{
    if (g->filter.kinds_all) list_remove(&gs->every, g);
    for (uint32_t id = 0; id < gs->symbol_count; id++)
        if (filter_has_id(&g->filter, id)) list_remove(&gs->by_symbol[id], g);
}

static int list_add(struct groups *gs, struct symbol_groups *list, struct group *g)
{
    if (list->count == list->room) {
        uint32_t room = list->room ? 2 * list->room : 4;
        struct group **at = heap_get(&gs->heap, room * sizeof *at);
        if (!at) return TC_ELIMIT;
        if (list->count > 0) memcpy(at, list->at, list->count * sizeof *at);
        heap_put(&gs->heap, list->at, list->room * sizeof *at);
        list->at = at;
        list->room = room;
    }
    list->at[list->count++] = g;
    return 0;
}

static void list_remove(struct symbol_groups *list, const struct group *g)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->at[i] == g) {
            list->at[i] = list->at[--list->count];
            return;
        }
}

int groups_add_symbol(struct groups *gs, uint32_t id, struct text name, struct group **full)
{
    TC_ASSERT(id == gs->symbol_count ||
              id + 1 == gs->symbol_count); /* the latter: called again after *full */
    for (struct group *g = gs->all; g; g = g->next) {
        if (filter_has_id(&g->filter, id)) continue;
        int kinds = filter_add_symbol(&g->filter, &gs->heap, id, name);
        if (kinds == 0) continue;
        if (kinds < 0 || list_add(gs, &gs->by_symbol[id], g) < 0) {
            *full = g;
            return TC_ELIMIT;
        }
    }
    gs->symbol_count = id + 1;
    return 0;
}

void groups_mark(struct groups *gs, uint64_t now_ns)
{
    for (uint32_t i = 0; i < gs->every.count; i++)
        if (gs->every.at[i]->filter.kinds_all & gs->kinds_noted)
            group_mark(gs, gs->every.at[i], gs->seq_noted, now_ns);
    for (uint32_t i = 0; i < gs->noted_count; i++) {
        uint32_t id = gs->noted[i];
        struct note *n = &gs->notes[id];
        struct symbol_groups *list = &gs->by_symbol[id];
        for (uint32_t k = 0; k < list->count; k++)
            if (filter_kinds(&list->at[k]->filter, id) & n->kinds)
                group_mark(gs, list->at[k], n->seq, now_ns);
        *n = (struct note){.seq = 0};
    }
    if (gs->seq_feed > 0) /* feed ticks are everybody's (decision 10) */
        for (struct group *g = gs->all; g; g = g->next) group_mark(gs, g, gs->seq_feed, now_ns);
    gs->noted_count = 0;
    gs->kinds_noted = 0;
    gs->seq_feed = 0;
    gs->seq_marked = gs->seq_read;
}

void group_mark(struct groups *gs, struct group *g, uint64_t seq, uint64_t now_ns)
{
    uint64_t maybe_before = g->maybe_seq;
    g->maybe_seq = max_u64(maybe_before, seq);
    for (struct cohort *c = g->cohorts; c; c = c->next) {
        if (c->read >= maybe_before) c->read = max_u64(c->read, gs->seq_marked);
        cohort_schedule(gs, c, now_ns);
    }
}

void groups_check(const struct groups *gs)
{
    uint32_t group_count = 0, cohort_count = 0, queued = 0;
    for (const struct group *g = gs->all; g; g = g->next) {
        group_count++;
        TC_ASSERT(g->reference_count > 0);
        uint32_t members = 0, cohorts = 0;
        for (const struct cohort *c = g->cohorts; c; c = c->next) {
            TC_ASSERT(c->group == g);
            TC_ASSERT(c->covered <= c->read);
            TC_ASSERT(c->member_count <= gs->members_max);
            if (c->read < g->maybe_seq)
                TC_ASSERT(c->queue_next != NULL || timer_is_set(&c->timer) || c->visit != UINT32_MAX);
            queued += c->queue_next != NULL;
            members += c->member_count;
            cohorts++;
        }
        TC_ASSERT(members <= g->reference_count);
        TC_ASSERT(cohorts == g->cohort_count);
        cohort_count += cohorts;
    }
    TC_ASSERT(group_count == gs->group_count);
    TC_ASSERT(cohort_count == gs->cohort_count);
    TC_ASSERT(queued == gs->queued_count);
}
