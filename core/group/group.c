/* group/group.c -- groups: made on first use of a key, freed with their last connection. */
#include "group/group.h"

#include "base/assert.h"
#include "base/memory.h"
#include "base/random.h"
#include "group/group_internal.h"

#include <stdlib.h>

static uint32_t groups_most(size_t heap_bytes);
static uint32_t cohorts_most(size_t heap_bytes);
static uint64_t key_hash(const struct group_key *k);
static bool key_equal(const struct group_key *a, const struct group_key *b);
static struct group *group_make(struct groups *gs, const struct group_key *key, uint64_t hash);
static void group_unlink(struct groups *gs, struct group *g);

#define BUCKETS 16384u

int groups_init(struct groups *gs, const struct groups_options *o)
{
    *gs = (struct groups){.log = o->log,
                          .symbols_max = o->symbols_max,
                          .members_max = o->members_max,
                          .interval_ns_least = o->interval_ns_least,
                          .bucket_count = BUCKETS};
    TC_ASSERT(o->members_max >= 1);
    TC_ASSERT(o->members_max <= COHORT_MEMBERS_MAX);
    random_secret(&gs->pattern_secret, sizeof gs->pattern_secret);
    timer_wheel_init(&gs->timers, o->now_ns);
    if (heap_init(&gs->heap, o->heap_bytes) < 0) return TC_ESYSTEM;
    if (pool_init(&gs->news, groups_most(o->heap_bytes), sizeof(struct group_news)) < 0) return TC_ESYSTEM;
    if (round_init(&gs->round, cohorts_most(o->heap_bytes)) < 0) return TC_ESYSTEM;
    gs->buckets = memory_reserve(BUCKETS * sizeof(struct group *));
    gs->by_symbol = memory_reserve(o->symbols_max * sizeof *gs->by_symbol);
    gs->patterns = memory_reserve(GROUP_PATTERN_BUCKETS * sizeof(struct pattern *));
    gs->notes = memory_reserve(o->symbols_max * sizeof *gs->notes);
    gs->noted = memory_reserve(o->symbols_max * sizeof *gs->noted);
    return gs->buckets && gs->by_symbol && gs->patterns && gs->notes && gs->noted ? 0 : TC_ESYSTEM;
}

/* Each has taken its share of the heap. */
static uint32_t groups_most(size_t heap_bytes)
{
    return (uint32_t)min_u64(heap_bytes / sizeof(struct group), GROUPS_MOST);
}

static uint32_t cohorts_most(size_t heap_bytes)
{
    return (uint32_t)min_u64(heap_bytes / sizeof(struct cohort), UINT32_MAX - 1);
}

size_t groups_table_bytes(uint32_t symbols_max, size_t heap_bytes)
{
    struct groups *gs;
    return groups_most(heap_bytes) * (sizeof(struct group_news) + sizeof(uint32_t)) +
           round_bytes(cohorts_most(heap_bytes)) + BUCKETS * sizeof *gs->buckets +
           GROUP_PATTERN_BUCKETS * sizeof *gs->patterns +
           symbols_max * (sizeof *gs->by_symbol + sizeof *gs->notes + sizeof *gs->noted);
}

void groups_destroy(struct groups *gs)
{
    memory_release(gs->buckets, BUCKETS * sizeof(struct group *));
    memory_release(gs->by_symbol, gs->symbols_max * sizeof *gs->by_symbol);
    memory_release(gs->patterns, GROUP_PATTERN_BUCKETS * sizeof(struct pattern *));
    memory_release(gs->notes, gs->symbols_max * sizeof *gs->notes);
    memory_release(gs->noted, gs->symbols_max * sizeof *gs->noted);
    pool_destroy(&gs->news);
    round_destroy(&gs->round);
    heap_destroy(&gs->heap);
}

static int rule_order(const void *a, const void *b)
{
    return rule_compare(a, b);
}

static int rule_name_order(const void *a, const void *b)
{
    struct rule x = *(const struct rule *)a, y = *(const struct rule *)b;
    x.kinds = y.kinds = 0;
    return rule_compare(&x, &y);
}

uint32_t group_rules_sort(struct rule *rules, uint32_t count)
{
    if (count == 0) return 0;
    qsort(rules, count, sizeof *rules, rule_name_order);
    uint32_t last = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (rule_name_order(&rules[last], &rules[i]) == 0)
            rules[last].kinds |= rules[i].kinds;
        else
            rules[++last] = rules[i];
    }
    qsort(rules, last + 1, sizeof *rules, rule_order);
    return last + 1;
}

struct group *group_get(struct groups *gs, const struct group_key *key)
{
    uint64_t hash = key_hash(key);
    struct group *g = gs->buckets[hash % gs->bucket_count];
    while (g && !(g->hash == hash && key_equal(&g->key, key))) g = g->hash_next;
    if (!g) g = group_make(gs, key, hash);
    if (g) g->reference_count++;
    return g;
}

static struct group *group_make(struct groups *gs, const struct group_key *key, uint64_t hash)
{
    struct group *g = heap_get(&gs->heap, sizeof *g);
    struct rule *rules = heap_get(&gs->heap, key->rule_count * sizeof *rules);
    uint32_t number = pool_get(&gs->news);
    if (!g || !rules || number == POOL_NONE) goto full;
    memcpy(rules, key->rules, key->rule_count * sizeof *rules);
    /* What was read before the group existed was not noted for it, and may match: a member that resumes there
     * and is lapped before it has read on must be told its gap. */
    *g = (struct group){.key = *key,
                        .hash = hash,
                        .born = ++gs->groups_born,
                        .number = number,
                        .interval_ns = max_u64(key->rate_ns, gs->interval_ns_least),
                        .released_seq = gs->seq_read,
                        .released_before = gs->seq_read};
    *group_news(gs, number) = (struct group_news){.maybe_seq = gs->seq_read};
    g->key.rules = rules;
    uint32_t extra = key->encoding == ENCODING_BINARY ? KIND_BIT(TICK_SYMBOL) : 0;
    if (filter_init_with(&g->filter, &gs->heap, rules, key->rule_count, log_symbols(gs->log),
                         gs->symbol_count, extra) < 0)
        goto full;
    if (index_add_group(gs, g) < 0) {
        filter_free(&g->filter, &gs->heap);
        goto full;
    }
    struct group **bucket = &gs->buckets[hash % gs->bucket_count];
    g->hash_next = *bucket;
    *bucket = g;
    g->next = gs->all;
    if (gs->all) gs->all->prev = g;
    gs->all = g;
    gs->group_count++;
    gs->list_count += g->filter.kinds_all == 0;
    return g;
full:
    if (number != POOL_NONE) pool_put(&gs->news, number);
    heap_put(&gs->heap, rules, key->rule_count * sizeof *rules);
    heap_put(&gs->heap, g, sizeof *g);
    return NULL;
}

void group_put(struct groups *gs, struct group *g)
{
    TC_ASSERT(g->reference_count > 0);
    if (--g->reference_count > 0) return;
    while (g->cohorts) {
        TC_ASSERT(g->cohorts->member_count == 0);
        cohort_free(gs, g->cohorts);
    }
    index_remove_group(gs, g);
    group_unlink(gs, g);
    gs->list_count -= g->filter.kinds_all == 0;
    timer_cancel(&gs->timers, &g->timer);
    filter_free(&g->filter, &gs->heap);
    heap_put(&gs->heap, (void *)g->key.rules, g->key.rule_count * sizeof(struct rule));
    pool_put(&gs->news, g->number);
    heap_put(&gs->heap, g, sizeof *g);
    gs->group_count--;
}

static void group_unlink(struct groups *gs, struct group *g)
{
    struct group **at = &gs->buckets[g->hash % gs->bucket_count];
    while (*at != g) at = &(*at)->hash_next;
    *at = g->hash_next;
    if (g->next) g->next->prev = g->prev;
    if (g->prev)
        g->prev->next = g->next;
    else
        gs->all = g->next;
}

bool group_conflates(const struct group *g)
{
    return g->key.rate_ns > 0 && (g->key.policy == POLICY_CONFLATE || g->key.policy == POLICY_LATEST);
}

static uint64_t key_hash(const struct group_key *k)
{
    uint64_t hash =
        mix(k->rule_count, (uint64_t)k->framing | (uint64_t)k->encoding << 8 | (uint64_t)k->deflate << 16);
    hash = mix(hash, k->rate_ns);
    if (k->rate_ns > 0) hash = mix(hash, k->policy);
    for (uint32_t i = 0; i < k->rule_count; i++) {
        const struct rule *r = &k->rules[i];
        hash = mix(hash, (uint64_t)r->kinds | (uint64_t)r->size << 8 | (uint64_t)r->prefix << 16);
        for (uint32_t w = 0; w < r->size; w += 8) hash = mix(hash, load_le64(r->name + w)); /* zero-padded */
    }
    return hash;
}

static bool key_equal(const struct group_key *a, const struct group_key *b)
{
    if (a->rule_count != b->rule_count || a->framing != b->framing || a->encoding != b->encoding ||
        a->deflate != b->deflate || a->rate_ns != b->rate_ns || (a->rate_ns > 0 && a->policy != b->policy))
        return false;
    return a->rule_count == 0 || memcmp(a->rules, b->rules, a->rule_count * sizeof *a->rules) == 0;
}
_Static_assert(sizeof(struct rule) == 3 + SYMBOL_NAME_MAX, "no padding: rules are compared as bytes");
