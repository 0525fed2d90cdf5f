/* group/group_index.c -- from symbols to the groups that want them, and the marking of what has news.
 * Groups with a "*" rule stand in one list of their own, not in every symbol's (decision 30).
 *
 * Lists and groups point at each other: an entry knows its place in its group, a place knows its entry in the
 * list. So a group leaves with as many steps as it has places, however many others want the same symbols. */
#include "base/assert.h"
#include "group/group_internal.h"

static int places_reserve(struct groups *gs, struct group *g, uint32_t count);
static int link_symbols(struct groups *gs, struct group *g);
static uint32_t kinds_here(const struct groups *gs, const struct index_list *list, const struct group *g);
static void note_news(struct groups *gs, const struct index_entry *e, uint64_t seq, uint64_t now_ns);
static void stir(struct groups *gs, struct group *g, struct group_news *n, uint64_t seq, uint64_t now_ns);
static bool cohort_stirred(const struct groups *gs, const struct cohort *c, const struct group_news *n);
static uint64_t waits_to(const struct groups *gs, const struct group *g);

int index_add_group(struct groups *gs, struct group *g)
{
    int result = places_reserve(gs, g, g->filter.named_count + (g->filter.kinds_all != 0));
    if (result == 0 && g->filter.kinds_all) result = list_link(gs, &gs->every, g, 0);
    if (result == 0) result = link_symbols(gs, g);
    if (result == 0) result = patterns_add_group(gs, g);
    if (result < 0) index_remove_group(gs, g);
    return result;
}

/* The symbols known so far, by the bits of the filter. */
static int link_symbols(struct groups *gs, struct group *g)
{
    for (uint32_t word = 0; word < g->filter.id_count / 64; word++)
        for (uint64_t bits = g->filter.ids[word]; bits != 0; bits &= bits - 1) {
            uint32_t id = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (list_link(gs, &gs->by_symbol[id], g, 0) < 0) return TC_ELIMIT;
        }
    return 0;
}

void index_remove_group(struct groups *gs, struct group *g)
{
    while (g->place_count > 0) list_unlink(gs, g, g->place_count - 1);
    heap_put(&gs->heap, g->places, g->place_room * sizeof *g->places);
    g->places = NULL;
    g->place_room = 0;
}

int list_reserve(struct groups *gs, struct index_list *list)
{
    if (list->count < list->room) return 0;
    uint32_t room = list->room ? 2 * list->room : 4;
    struct index_entry *at = heap_resize(&gs->heap, list->at, list->room * sizeof *at, room * sizeof *at);
    if (!at) return TC_ELIMIT;
    list->at = at;
    list->room = room;
    return 0;
}

/* Room for count places in all. */
static int places_reserve(struct groups *gs, struct group *g, uint32_t count)
{
    if (count <= g->place_room) return 0;
    uint32_t room = g->place_room ? g->place_room : 4;
    while (room < count) room *= 2;
    struct index_place *places =
        heap_resize(&gs->heap, g->places, g->place_room * sizeof *places, room * sizeof *places);
    if (!places) return TC_ELIMIT;
    g->places = places;
    g->place_room = room;
    return 0;
}

int list_link(struct groups *gs, struct index_list *list, struct group *g, uint8_t kinds)
{
    if (places_reserve(gs, g, g->place_count + 1) < 0 || list_reserve(gs, list) < 0) return TC_ELIMIT;
    g->places[g->place_count] = (struct index_place){list, list->count, kinds};
    list->at[list->count++] = (struct index_entry){.group = g,
                                                   .place = g->place_count++,
                                                   .number = g->number & (GROUPS_MOST - 1),
                                                   .kinds = (uint8_t)kinds_here(gs, list, g)};
    return 0;
}

/* Of a symbol's list where all named rules want the same, and of `every`: kinds that never change. */
static uint32_t kinds_here(const struct groups *gs, const struct index_list *list, const struct group *g)
{
    if (list == &gs->every) return g->filter.kinds_all;
    return g->filter.by_id ? 0 : g->filter.kinds_all | g->filter.kinds_named;
}

void list_unlink(struct groups *gs, struct group *g, uint32_t place)
{
    TC_ASSERT(place < g->place_count);
    struct index_place gone = g->places[place];
    struct index_list *list = gone.list;
    TC_ASSERT(list->at[gone.at].group == g);
    struct index_entry last = list->at[--list->count];
    list->at[gone.at] = last; /* takes its place; itself, if it was the last */
    last.group->places[last.place].at = gone.at;
    struct index_place moved = g->places[--g->place_count];
    g->places[place] = moved;
    if (place < g->place_count) moved.list->at[moved.at].place = place;
    list_trim(gs, list);
    if (list->count == 0 && gone.kinds > 0) patterns_drop(gs, list);
}

void list_trim(struct groups *gs, struct index_list *list)
{
    if (list->count > 0) return;
    heap_put(&gs->heap, list->at, list->room * sizeof *list->at);
    *list = (struct index_list){.at = NULL};
}

void groups_mark(struct groups *gs, uint64_t now_ns)
{
    for (uint32_t i = 0; i < gs->every.count; i++)
        if (gs->every.at[i].kinds & gs->kinds_noted) note_news(gs, &gs->every.at[i], gs->seq_noted, now_ns);
    for (uint32_t i = 0; i < gs->noted_count; i++) {
        uint32_t id = gs->noted[i];
        struct note *n = &gs->notes[id];
        const struct index_list *list = &gs->by_symbol[id];
        for (uint32_t k = 0; k < list->count; k++) {
            const struct index_entry *e = &list->at[k];
            uint32_t kinds = e->kinds ? e->kinds : filter_kinds(&e->group->filter, id);
            if (kinds & n->kinds) note_news(gs, e, n->seq, now_ns);
        }
        *n = (struct note){.seq = 0};
    }
    if (gs->seq_feed > 0) /* feed ticks are everybody's (decision 10) */
        for (struct group *g = gs->all; g; g = g->next) group_mark(gs, g, gs->seq_feed, now_ns);
    gs->noted_count = 0;
    gs->kinds_noted = 0;
    gs->seq_feed = 0;
    gs->seq_marked = gs->seq_read;
}

static void note_news(struct groups *gs, const struct index_entry *e, uint64_t seq, uint64_t now_ns)
{
    struct group_news *n = group_news(gs, e->number);
    if (seq <= n->stirred_to)
        n->maybe_seq = max_u64(n->maybe_seq, seq);
    else
        stir(gs, e->group, n, seq, now_ns);
}

void group_mark(struct groups *gs, struct group *g, uint64_t seq, uint64_t now_ns)
{
    stir(gs, g, group_news(gs, g->number), seq, now_ns);
}

static void stir(struct groups *gs, struct group *g, struct group_news *n, uint64_t seq, uint64_t now_ns)
{
    uint64_t maybe_before = n->maybe_seq;
    bool all = true;
    group_release_quiet(gs, g);
    n->maybe_seq = max_u64(maybe_before, seq);
    group_release(gs, g, now_ns); /* for those behind, too */
    for (struct cohort *c = g->cohorts; c; c = c->next) {
        if (c->read >= maybe_before) c->read = max_u64(c->read, gs->seq_marked);
        cohort_schedule(gs, c, now_ns);
        all = all && cohort_stirred(gs, c, n);
    }
    n->stirred_to = all ? waits_to(gs, g) : 0;
}

/* It has something to do and will be visited without being marked again. */
static bool cohort_stirred(const struct groups *gs, const struct cohort *c, const struct group_news *n)
{
    return c->read < n->maybe_seq && (round_waits(&gs->round, c->number) || timer_is_set(&c->group->timer));
}

/* News that change nothing for the release: they wait for its timer with those before. */
static uint64_t waits_to(const struct groups *gs, const struct group *g)
{
    if (g->interval_ns == 0) return UINT64_MAX;
    return timer_is_set(&g->timer) ? g->released_seq + group_far(gs) : 0;
}

/* Every place has its entry, and there is one for each symbol that the filter has. */
static void group_check_places(const struct groups *gs, const struct group *g)
{
    uint32_t symbols = 0;
    for (uint32_t i = 0; i < g->place_count; i++) {
        const struct index_place *p = &g->places[i];
        TC_ASSERT(p->at < p->list->count);
        TC_ASSERT(p->list->at[p->at].group == g);
        TC_ASSERT(p->list->at[p->at].place == i);
        if (p->kinds > 0 || p->list == &gs->every) continue;
        symbols++;
        TC_ASSERT(p->list >= gs->by_symbol);
        TC_ASSERT(filter_has_id(&g->filter, (uint32_t)(p->list - gs->by_symbol)));
    }
    TC_ASSERT(symbols == g->filter.named_count);
}

void groups_check(const struct groups *gs)
{
    uint32_t group_count = 0, list_count = 0, cohort_count = 0, queued = 0;
    for (const struct group *g = gs->all; g; g = g->next) {
        group_count++;
        list_count += g->filter.kinds_all == 0;
        TC_ASSERT(g->reference_count > 0);
        group_check_places(gs, g);
        const struct group_news *n = group_news(gs, g->number);
        uint32_t members = 0, cohorts = 0;
        for (const struct cohort *c = g->cohorts; c; c = c->next) {
            TC_ASSERT(c->group == g);
            TC_ASSERT(c->covered <= c->read);
            TC_ASSERT(c->member_count <= gs->members_max);
            if (n->stirred_to > 0) TC_ASSERT(cohort_stirred(gs, c, n));
            if (c->read < n->maybe_seq) {
                bool waits = timer_is_set(&g->timer) && c->read >= g->released_seq;
                TC_ASSERT(round_waits(&gs->round, c->number) || waits || c->visit != UINT32_MAX);
                TC_ASSERT(c->read >= gs->read_floor);
            }
            TC_ASSERT(gs->round.at[c->number] == c);
            queued += round_waits(&gs->round, c->number);
            members += c->member_count;
            cohorts++;
        }
        bool pending = g->interval_ns > 0 && n->maybe_seq > g->released_seq;
        TC_ASSERT(pending == timer_is_set(&g->timer));
        TC_ASSERT(members <= g->reference_count);
        TC_ASSERT(cohorts == g->cohort_count);
        cohort_count += cohorts;
    }
    TC_ASSERT(group_count == gs->group_count);
    TC_ASSERT(group_count == gs->news.in_use);
    TC_ASSERT(list_count == gs->list_count);
    TC_ASSERT(cohort_count == gs->cohort_count);
    TC_ASSERT(queued == gs->round.count);
}
