/* group/group_pattern.c -- from the name of a symbol that appears to the groups that wait for it: a table of
 * the patterns that may still match something new, each with its groups. A new symbol costs one look-up for
 * its exact name, one for each length that some prefix pattern has, and a step for each group that takes it;
 * groups that do not want it are not looked at.
 *
 * An exact pattern stands here until its symbol appears; a prefix pattern for as long as a group has it. "*"
 * does not stand here: it is wanted whatever its symbol's name. */
#include "base/assert.h"
#include "group/group_internal.h"

#include <stddef.h>

struct pattern {
    struct index_list list; /* first: patterns_drop knows it by its list */
    struct pattern *next;   /* in its bucket */
    uint8_t size;
    bool prefix;
    char name[SYMBOL_NAME_MAX]; /* zero-padded */
};
_Static_assert(offsetof(struct pattern, list) == 0, "a pattern is found by its list");

static struct pattern **find(struct groups *gs, struct text name, bool prefix);
static bool all_known(const struct group *g);
static struct pattern *make(struct groups *gs, const struct rule *r);
static uint64_t pattern_hash(const struct groups *gs, const struct pattern *p);
static int take_exact(struct groups *gs, uint32_t id, struct text name, struct group **full);
static int take_prefix(struct groups *gs, uint32_t id, struct text prefix, struct group **full);

/* ---- Groups come and go. ---- */

int patterns_add_group(struct groups *gs, struct group *g)
{
    if (all_known(g)) return 0;
    for (uint32_t i = 0; i < g->key.rule_count; i++) {
        const struct rule *r = &g->key.rules[i];
        struct text name = {r->name, r->size};
        if (r->size == 0) continue;
        if (!r->prefix) { /* a symbol that is known does not appear again */
            int64_t id = symbol_table_find(log_symbols(gs->log), name);
            if (id >= 0 && id < gs->symbol_count) continue;
        }
        struct pattern *p = *find(gs, name, r->prefix);
        if (!p) p = make(gs, r);
        if (!p) return TC_ELIMIT;
        if (list_link(gs, &p->list, g, r->kinds) < 0) {
            if (p->list.count == 0) patterns_drop(gs, &p->list);
            return TC_ELIMIT;
        }
    }
    return 0;
}

/* A list of names that are symbols already, the common case: nothing more will match. */
static bool all_known(const struct group *g)
{
    uint32_t exact = 0;
    for (uint32_t i = 0; i < g->key.rule_count; i++) {
        if (g->key.rules[i].size == 0) continue;
        if (g->key.rules[i].prefix) return false;
        exact++;
    }
    return g->filter.named_count == exact;
}

static struct pattern *make(struct groups *gs, const struct rule *r)
{
    struct pattern *p = heap_get(&gs->heap, sizeof *p);
    if (!p) return NULL;
    *p = (struct pattern){.size = r->size, .prefix = r->prefix};
    memcpy(p->name, r->name, r->size);
    struct pattern **bucket = &gs->patterns[pattern_hash(gs, p) % GROUP_PATTERN_BUCKETS];
    p->next = *bucket;
    *bucket = p;
    if (r->prefix && gs->prefix_counts[r->size]++ == 0) gs->prefix_sizes |= UINT64_C(1) << r->size;
    return p;
}

void patterns_drop(struct groups *gs, struct index_list *list)
{
    struct pattern *p = (struct pattern *)list;
    TC_ASSERT(list->count == 0);
    list_trim(gs, list);
    struct pattern **at = find(gs, (struct text){p->name, p->size}, p->prefix);
    TC_ASSERT(*at == p);
    *at = p->next;
    if (p->prefix && --gs->prefix_counts[p->size] == 0) gs->prefix_sizes &= ~(UINT64_C(1) << p->size);
    heap_put(&gs->heap, p, sizeof *p);
}

/* Where it is linked, or where it would be (then *result is NULL). */
static struct pattern **find(struct groups *gs, struct text name, bool prefix)
{
    struct pattern wanted = {.size = (uint8_t)name.size, .prefix = prefix};
    memcpy(wanted.name, name.at, name.size);
    struct pattern **at = &gs->patterns[pattern_hash(gs, &wanted) % GROUP_PATTERN_BUCKETS];
    while (*at && !((*at)->size == wanted.size && (*at)->prefix == prefix &&
                    memcmp((*at)->name, wanted.name, sizeof wanted.name) == 0))
        at = &(*at)->next;
    return at;
}

/* With a secret, for clients choose the names. */
static uint64_t pattern_hash(const struct groups *gs, const struct pattern *p)
{
    uint64_t hash = gs->pattern_secret ^ ((uint64_t)p->size << 1 | p->prefix);
    for (uint32_t w = 0; w < p->size; w += 8) hash = mix(hash, load_le64(p->name + w));
    return hash;
}

/* ---- Symbols come. ---- */

int groups_add_symbol(struct groups *gs, uint32_t id, struct text name, struct group **full)
{
    TC_ASSERT(id == gs->symbol_count ||
              id + 1 == gs->symbol_count); /* the latter: called again after *full */
    if (take_exact(gs, id, name, full) < 0) return TC_ELIMIT;
    for (uint64_t sizes = gs->prefix_sizes; sizes != 0; sizes &= sizes - 1) {
        uint32_t size = (uint32_t)__builtin_ctzll(sizes);
        if (size > name.size) break;
        if (take_prefix(gs, id, (struct text){name.at, size}, full) < 0) return TC_ELIMIT;
    }
    gs->symbol_count = id + 1;
    return 0;
}

/* Everybody who waits for this very name goes over to the symbol's own list; the pattern goes with the last.
 */
static int take_exact(struct groups *gs, uint32_t id, struct text name, struct group **full)
{
    struct index_list *own = &gs->by_symbol[id];
    struct pattern *p = *find(gs, name, false);
    for (uint32_t left = p ? p->list.count : 0; left > 0; left--) {
        struct index_entry e = p->list.at[left - 1];
        uint8_t kinds = e.group->places[e.place].kinds;
        bool had = filter_has_id(&e.group->filter, id); /* by a prefix, before a call that met *full */
        if (list_reserve(gs, own) < 0 || filter_add_kinds(&e.group->filter, &gs->heap, id, kinds) < 0) {
            list_trim(gs, own);
            *full = e.group;
            return TC_ELIMIT;
        }
        list_unlink(gs, e.group, e.place);
        if (had) continue;
        int linked = list_link(gs, own, e.group, 0); /* there is room: one place and one entry came free */
        TC_ASSERT(linked == 0);
    }
    return 0;
}

static int take_prefix(struct groups *gs, uint32_t id, struct text prefix, struct group **full)
{
    const struct pattern *p = *find(gs, prefix, true);
    for (uint32_t i = 0; p && i < p->list.count; i++) {
        struct index_entry e = p->list.at[i];
        bool had = filter_has_id(&e.group->filter, id);
        uint8_t kinds = e.group->places[e.place].kinds;
        if (!had && list_link(gs, &gs->by_symbol[id], e.group, 0) < 0) {
            *full = e.group;
            return TC_ELIMIT;
        }
        if (filter_add_kinds(&e.group->filter, &gs->heap, id, kinds) < 0) {
            if (!had) list_unlink(gs, e.group, e.group->place_count - 1);
            *full = e.group;
            return TC_ELIMIT;
        }
    }
    return 0;
}
