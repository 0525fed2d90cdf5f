/* render/filter.c -- rules compiled to a bit per symbol (and a byte, where rules differ in kinds). */
#include "render/filter.h"

#include "base/assert.h"

static bool kinds_differ(const struct rule *rules, uint32_t rule_count);
static int grow(struct filter *f, struct heap *h, uint32_t id, bool by_id);
static uint32_t named_kinds(const struct filter *f, struct text name);

struct rule rule_make(struct text pattern, uint32_t kinds)
{
    TC_ASSERT(pattern.size >= 1);
    struct rule r = {.kinds = (uint8_t)kinds};
    r.prefix = pattern.at[pattern.size - 1] == '*';
    r.size = (uint8_t)(pattern.size - r.prefix);
    TC_ASSERT(r.size <= SYMBOL_NAME_MAX);
    memcpy(r.name, pattern.at, r.size);
    return r;
}

uint32_t rule_pattern(const struct rule *r, char *out)
{
    memcpy(out, r->name, r->size);
    if (r->prefix) out[r->size] = '*';
    return (uint32_t)r->size + r->prefix;
}

bool rule_matches_name(const struct rule *r, struct text name)
{
    struct text own = {r->name, r->size};
    return r->prefix ? text_begins(name, own) : text_equal(name, own);
}

int rule_compare(const struct rule *a, const struct rule *b)
{
    if (a->kinds != b->kinds) return a->kinds < b->kinds ? -1 : 1;
    /* As text with its '*': "A*" stands behind "A!". What reads a set (wire/notice.h) relies on it. */
    char x[SYMBOL_NAME_MAX + 1], y[SYMBOL_NAME_MAX + 1];
    uint32_t x_size = rule_pattern(a, x), y_size = rule_pattern(b, y);
    int order = memcmp(x, y, min_u32(x_size, y_size));
    return order != 0 ? order : (x_size > y_size) - (x_size < y_size);
}

int filter_init(struct filter *f, struct heap *h, const struct rule *rules, uint32_t rule_count,
                const struct symbol_table *symbols, uint32_t symbol_count)
{
    return filter_init_with(f, h, rules, rule_count, symbols, symbol_count, 0);
}

int filter_init_with(struct filter *f, struct heap *h, const struct rule *rules, uint32_t rule_count,
                     const struct symbol_table *symbols, uint32_t symbol_count, uint32_t kinds_extra)
{
    TC_ASSERT((kinds_extra & 0xff) == kinds_extra); /* fits by_id */
    *f = (struct filter){.rules = rules, .rule_count = rule_count, .kinds_extra = kinds_extra};
    for (uint32_t i = 0; i < rule_count; i++) {
        bool every = rules[i].prefix && rules[i].size == 0;
        f->kinds_union |= rules[i].kinds;
        if (every)
            f->kinds_all |= rules[i].kinds | kinds_extra;
        else
            f->kinds_named |= rules[i].kinds | kinds_extra;
    }
    if (f->kinds_named == 0) return 0; /* only "*": nothing per symbol */
    if (grow(f, h, symbol_count, kinds_differ(rules, rule_count)) < 0) goto full;
    for (uint32_t i = 0; i < rule_count;
         i++) { /* exact names by look-up: lists of names are the common case */
        if (rules[i].prefix) continue;
        int64_t id = symbol_table_find(symbols, (struct text){rules[i].name, rules[i].size});
        if (id < 0 || id >= symbol_count) continue;
        if (filter_add_kinds(f, h, (uint32_t)id, rules[i].kinds) < 0) goto full;
    }
    bool prefixes = false;
    for (uint32_t i = 0; i < rule_count; i++) prefixes |= rules[i].prefix && rules[i].size > 0;
    for (uint32_t id = 0; prefixes && id < symbol_count; id++)
        if (filter_add_symbol(f, h, id, symbol_table_name(symbols, id)) < 0) goto full;
    return 0;
full:
    filter_free(f, h);
    return TC_ELIMIT;
}

static bool kinds_differ(const struct rule *rules, uint32_t rule_count)
{
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < rule_count; i++) {
        if (rules[i].size == 0) continue;
        if (kinds != 0 && kinds != rules[i].kinds) return true;
        kinds = rules[i].kinds;
    }
    return false;
}

void filter_free(struct filter *f, struct heap *h)
{
    heap_put(h, f->ids, f->id_count / 8);
    heap_put(h, f->by_id, f->id_count);
    f->ids = NULL;
    f->by_id = NULL;
    f->id_count = 0;
}

int filter_add_symbol(struct filter *f, struct heap *h, uint32_t id, struct text name)
{
    uint32_t kinds = named_kinds(f, name);
    if (kinds == 0) return 0;
    return filter_add_kinds(f, h, id, kinds) < 0 ? TC_ELIMIT : (int)kinds;
}

int filter_add_kinds(struct filter *f, struct heap *h, uint32_t id, uint32_t kinds)
{
    if (id >= f->id_count && grow(f, h, id, f->by_id != NULL) < 0) return TC_ELIMIT;
    if (!filter_has_id(f, id)) f->named_count++;
    f->ids[id >> 6] |= UINT64_C(1) << (id & 63);
    if (f->by_id) f->by_id[id] |= (uint8_t)(kinds | f->kinds_extra);
    return 0;
}

static uint32_t named_kinds(const struct filter *f, struct text name)
{
    if (f->kinds_named == 0) return 0;
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < f->rule_count; i++)
        if (f->rules[i].size > 0 && rule_matches_name(&f->rules[i], name)) kinds |= f->rules[i].kinds;
    return kinds;
}

/* Room for id, doubling, so that symbols that appear one by one cost linear time in all. */
static int grow(struct filter *f, struct heap *h, uint32_t id, bool by_id)
{
    uint32_t count = f->id_count ? f->id_count : 256;
    while (count <= id) count *= 2;
    uint64_t *ids = heap_get(h, count / 8);
    uint8_t *kinds = by_id ? heap_get(h, count) : NULL;
    if (!ids || (by_id && !kinds)) {
        heap_put(h, ids, count / 8);
        heap_put(h, kinds, count);
        return TC_ELIMIT;
    }
    memset(ids, 0, count / 8);
    if (f->ids) memcpy(ids, f->ids, f->id_count / 8);
    if (kinds) memset(kinds, 0, count);
    if (kinds && f->by_id) memcpy(kinds, f->by_id, f->id_count);
    uint32_t named = f->named_count;
    filter_free(f, h);
    f->ids = ids;
    f->by_id = kinds;
    f->id_count = count;
    f->named_count = named;
    return 0;
}
