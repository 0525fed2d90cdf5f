/* render/filter.h -- which ticks a subscription wants: a set of rules (pattern, kinds), compiled to one test
 * per tick key. A tick matches if any rule matches; ticks of kind feed always do (decisions 3, 10, 22).
 * Owner: a group. Memory comes from the worker's heap. Thread: the worker's own. */
#ifndef TC_RENDER_FILTER_H
#define TC_RENDER_FILTER_H

#include "base/bytes.h"
#include "base/fault.h"
#include "base/heap.h"
#include "log/log.h"
#include "tick/tick.h"

/* A pattern without its final '*' and what it says. Prefix with size 0: every symbol. */
struct rule {
    uint8_t kinds; /* KIND_BIT set of KINDS_CLIENT; fits, for those are bits 1 to 5 */
    uint8_t size;
    bool prefix;
    char name[SYMBOL_NAME_MAX];
};

/* pattern: as pattern_ok (wire/command.h) allows. */
struct rule rule_make(struct text pattern, uint32_t kinds);
/* The pattern as it was, into out[SYMBOL_NAME_MAX + 1]; returns its size. */
uint32_t rule_pattern(const struct rule *r, char *out);
bool rule_matches_name(const struct rule *r, struct text name);
/* Canonical order of a rule set: by kinds, then pattern as text. */
int rule_compare(const struct rule *a, const struct rule *b);

struct filter {
    /* What filter_match reads: one cache line. */
    uint32_t kinds_all;   /* wanted of every symbol */
    uint32_t kinds_named; /* wanted of the symbols in `ids`, unless `by_id` says it more exactly */
    uint32_t kinds_union; /* of all rules */
    uint32_t id_count;    /* bits in ids; a multiple of 64 */
    uint64_t *ids;        /* symbols that a rule other than "*" names */
    uint8_t *by_id;       /* their kinds, where rules differ in kinds; else NULL */
    const struct rule
        *rules; /* canonical: sorted, one per pattern; owned by the group, outlives the filter */
    uint32_t rule_count;
    uint32_t kinds_extra; /* wanted of every symbol that any rule matches, whatever its kinds */
    uint32_t named_count; /* symbols known so far that a named rule matches */
};

/* Compiles rules against the first symbol_count symbols. TC_ELIMIT: the heap is used up (nothing is kept). */
int filter_init(struct filter *f, struct heap *h, const struct rule *rules, uint32_t rule_count,
                const struct symbol_table *symbols, uint32_t symbol_count);
/* As filter_init, and of each symbol that a rule matches kinds_extra is wanted too: KIND_BIT(TICK_SYMBOL)
 * where the stream itself defines its symbols (decision 27). */
int filter_init_with(struct filter *f, struct heap *h, const struct rule *rules, uint32_t rule_count,
                     const struct symbol_table *symbols, uint32_t symbol_count, uint32_t kinds_extra);
void filter_free(struct filter *f, struct heap *h);
/* A symbol appeared (ids in order). Returns its kinds by named rules (0: none names it), or TC_ELIMIT. */
int filter_add_symbol(struct filter *f, struct heap *h, uint32_t id, struct text name);
/* The same, where it is known which kinds its named rules want (or some of them: kinds add up). 0 or
 * TC_ELIMIT.
 */
int filter_add_kinds(struct filter *f, struct heap *h, uint32_t id, uint32_t kinds);

static inline bool filter_has_id(const struct filter *f, uint32_t id)
{
    return id < f->id_count && (f->ids[id >> 6] >> (id & 63) & 1);
}

/* Kinds wanted of symbol id. */
static inline uint32_t filter_kinds(const struct filter *f, uint32_t id)
{
    if (!filter_has_id(f, id)) return f->kinds_all;
    return f->kinds_all | (f->by_id ? f->by_id[id] : f->kinds_named);
}

static inline bool filter_match(const struct filter *f, uint32_t key)
{
    uint8_t kind = log_key_kind(key);
    uint32_t wanted = filter_kinds(f, log_key_symbol(key)) | KIND_BIT(TICK_FEED);
    return wanted >> kind & 1;
}

#endif
