#include "bench/micro/group_rig.h"

#include "base/assert.h"
#include "base/random.h"
#include "group/group.h"

#include <stdio.h>
#include <stdlib.h>

#define SYMBOLS_ALL 65536u

struct group_rig {
    struct log *log;
    struct groups groups;
    struct rule *rules; /* lists x size, sorted within a list */
    uint32_t *counts;
    struct group **held;
    uint32_t lists, size;
};

static void draw(group_rig *r, struct random *random, uint32_t list, uint32_t symbols);

group_rig *group_rig_make(uint32_t lists, uint32_t size, uint32_t symbols)
{
    group_rig *r = calloc(1, sizeof *r);
    TC_ASSERT(r != NULL);
    struct log_options lo = {.capacity = 1024, .symbols_max = SYMBOLS_ALL, .bars_max = 16};
    r->log = log_create(&lo, NULL);
    struct groups_options o = {
        .log = r->log, .heap_bytes = (size_t)1 << 30, .symbols_max = SYMBOLS_ALL, .members_max = 64};
    TC_ASSERT(r->log && groups_init(&r->groups, &o) == 0);
    for (uint32_t i = 0; i < symbols; i++) {
        char name[16];
        snprintf(name, sizeof name, "S%u", i);
        struct group *full;
        TC_ASSERT(log_symbol(r->log, text_of(name), 1) == i);
        TC_ASSERT(groups_add_symbol(&r->groups, i, text_of(name), &full) == 0);
    }
    r->lists = lists;
    r->size = size;
    r->rules = calloc((size_t)lists * size, sizeof *r->rules);
    r->counts = calloc(lists, sizeof *r->counts);
    r->held = calloc(lists, sizeof *r->held);
    TC_ASSERT(r->rules && r->counts && r->held);
    struct random random;
    random_seed(&random, 1);
    for (uint32_t i = 0; i < lists; i++) draw(r, &random, i, symbols);
    return r;
}

static void draw(group_rig *r, struct random *random, uint32_t list, uint32_t symbols)
{
    struct rule *rules = &r->rules[(size_t)list * r->size];
    for (uint32_t i = 0; i < r->size; i++) {
        char name[16];
        snprintf(name, sizeof name, "S%u", (unsigned)random_below(random, symbols));
        rules[i] = rule_make(text_of(name), KINDS_CLIENT);
    }
    r->counts[list] = group_rules_sort(rules, r->size);
}

void group_rig_free(group_rig *r)
{
    for (uint32_t i = 0; i < r->lists; i++)
        if (r->held[i]) group_rig_remove(r, i);
    groups_destroy(&r->groups);
    log_destroy(r->log);
    free(r->rules);
    free(r->counts);
    free(r->held);
    free(r);
}

void group_rig_add(group_rig *r, uint32_t list)
{
    TC_ASSERT(r->held[list] == NULL);
    struct group_key key = {.rules = &r->rules[(size_t)list * r->size], .rule_count = r->counts[list]};
    r->held[list] = group_get(&r->groups, &key);
    TC_ASSERT(r->held[list] != NULL);
}

void group_rig_remove(group_rig *r, uint32_t list)
{
    group_put(&r->groups, r->held[list]);
    r->held[list] = NULL;
}

bool group_rig_symbol(group_rig *r)
{
    uint32_t id = symbol_table_count(log_symbols(r->log));
    if (id == SYMBOLS_ALL) return false;
    char name[16];
    snprintf(name, sizeof name, "N%u", id);
    struct group *full;
    TC_ASSERT(log_symbol(r->log, text_of(name), 1) == id);
    TC_ASSERT(groups_add_symbol(&r->groups, id, text_of(name), &full) == 0);
    return true;
}
