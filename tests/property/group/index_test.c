/* tests/property/group/index_test.c -- goal: the index and the filters say what the rules say.
 *
 * Groups of random rules over few letters come and go while symbols appear; after each step every pair of
 * group and symbol is compared with rule_matches_name, in the filter and in the symbol's list. Rules differ
 * in kinds, overlap (an exact name under a prefix of it) and name symbols before they appear. A second run
 * has a heap so small that filters and lists meet its end all the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "group/group.h"

#include <string.h>

#define GROUPS_MAX  60u
#define SYMBOLS_ALL 600u
#define RULES_MOST  12u

struct rig {
    struct log *log;
    struct groups groups;
    struct random random;
    struct group *held[GROUPS_MAX];
    uint32_t held_count, full_count, refused_count;
};

static uint32_t any(struct rig *r, uint32_t bound)
{
    return (uint32_t)random_below(&r->random, bound);
}

static void rig_open(struct rig *r, uint64_t seed, size_t heap_bytes)
{
    *r = (struct rig){.log = NULL};
    random_seed(&r->random, seed);
    struct log_options lo = {.capacity = 1024, .symbols_max = SYMBOLS_ALL, .bars_max = 16};
    r->log = log_create(&lo, NULL);
    assert_non_null(r->log);
    struct groups_options o = {
        .log = r->log, .heap_bytes = heap_bytes, .symbols_max = SYMBOLS_ALL, .members_max = 4};
    assert_int_equal(groups_init(&r->groups, &o), 0);
}

/* One to four of three letters: most patterns match something, and many match the same. */
static uint32_t any_name(struct rig *r, char *out)
{
    uint32_t size = 1 + any(r, 4);
    for (uint32_t i = 0; i < size; i++) out[i] = "ABC"[any(r, 3)];
    out[size] = 0;
    return size;
}

static uint32_t any_kinds(struct rig *r)
{
    static const uint32_t kinds[] = {KINDS_CLIENT, KIND_BIT(TICK_TRADE),
                                     KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_BOOK)};
    return kinds[any(r, 3)];
}

static void come(struct rig *r)
{
    if (r->held_count == GROUPS_MAX) return;
    struct rule rules[RULES_MOST];
    uint32_t count = 1 + any(r, RULES_MOST);
    bool mixed = any(r, 2);
    uint32_t kinds = any_kinds(r);
    for (uint32_t i = 0; i < count; i++) {
        char pattern[8];
        uint32_t size = any_name(r, pattern);
        uint32_t what = any(r, 12);
        if (what == 0) size = 0; /* "*" */
        if (what < 5) pattern[size++] = '*';
        rules[i] = rule_make((struct text){pattern, size}, mixed ? any_kinds(r) : kinds);
    }
    struct group_key key = {.rules = rules, .rule_count = group_rules_sort(rules, count)};
    struct group *g = group_get(&r->groups, &key);
    if (g)
        r->held[r->held_count++] = g;
    else
        r->refused_count++;
}

static void go(struct rig *r, uint32_t at)
{
    struct group *g = r->held[at];
    r->held[at] = r->held[--r->held_count];
    group_put(&r->groups, g);
}

/* As a worker does: who meets the end of memory goes, and the symbol is offered again. */
static void appear(struct rig *r)
{
    char name[8];
    any_name(r, name);
    uint32_t before = symbol_table_count(log_symbols(r->log));
    int64_t id = log_symbol(r->log, text_of(name), 1);
    if (id < before) return; /* known */
    struct group *full = NULL;
    while (groups_add_symbol(&r->groups, (uint32_t)id, text_of(name), &full) < 0) {
        r->full_count++;
        uint32_t gone = 0;
        for (uint32_t i = r->held_count; i-- > 0;)
            if (r->held[i] == full) {
                go(r, i);
                gone++;
            }
        assert_true(gone > 0);
    }
}

/* The obvious way. */
static uint32_t kinds_by_rules(const struct group *g, struct text name)
{
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < g->key.rule_count; i++)
        if (rule_matches_name(&g->key.rules[i], name)) kinds |= g->key.rules[i].kinds;
    return kinds;
}

static bool named_by_rules(const struct group *g, struct text name)
{
    for (uint32_t i = 0; i < g->key.rule_count; i++)
        if (g->key.rules[i].size > 0 && rule_matches_name(&g->key.rules[i], name)) return true;
    return false;
}

static uint32_t count_in(const struct index_list *list, const struct group *g)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) count += list->at[i].group == g;
    return count;
}

static void compare(const struct rig *r)
{
    const struct groups *gs = &r->groups;
    groups_check(gs);
    uint64_t entries = 0, wanted = 0;
    for (uint32_t id = 0; id < gs->symbol_count; id++) {
        struct text name = symbol_table_name(log_symbols(r->log), id);
        entries += gs->by_symbol[id].count;
        for (const struct group *g = gs->all; g; g = g->next) {
            bool named = named_by_rules(g, name);
            wanted += named;
            assert_int_equal(filter_kinds(&g->filter, id), kinds_by_rules(g, name));
            assert_int_equal(filter_has_id(&g->filter, id), named);
            assert_int_equal(count_in(&gs->by_symbol[id], g), named);
        }
    }
    assert_int_equal(entries, wanted); /* nobody else stands there */
}

static void walk(struct rig *r, uint32_t steps)
{
    for (uint32_t step = 0; step < steps; step++) {
        switch (any(r, 5)) {
        case 0:
        case 1: come(r); break;
        case 2:
            if (r->held_count > 0) go(r, any(r, r->held_count));
            break;
        default: appear(r);
        }
        if (step % 8 == 0) compare(r);
    }
    compare(r);
}

static void close_all(struct rig *r)
{
    while (r->held_count > 0) go(r, any(r, r->held_count));
    compare(r);
    assert_int_equal(r->groups.heap.live, 0); /* every list, place and pattern was given back */
    assert_int_equal(r->groups.prefix_sizes, 0);
    groups_destroy(&r->groups);
    log_destroy(r->log);
}

static void the_index_says_what_the_rules_say(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rig r;
        rig_open(&r, seed, 8 << 20);
        walk(&r, 400);
        assert_int_equal(r.refused_count + r.full_count, 0);
        close_all(&r);
    }
}

static void also_where_memory_ends(void **state)
{
    (void)state;
    uint32_t full = 0, refused = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rig r;
        rig_open(&r, seed, 4096 + (size_t)seed % 12 * 4096);
        walk(&r, 400);
        full += r.full_count;
        refused += r.refused_count;
        close_all(&r);
    }
    assert_true(full > 20); /* both ways to meet the end came often */
    assert_true(refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_index_says_what_the_rules_say),
        cmocka_unit_test(also_where_memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
