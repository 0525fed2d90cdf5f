/* tick/last_value.c -- the newest tick of each key, one cache line each.
 *
 * A cell is the tick itself as eight words; its first word, the seq, is the version: it never comes back, 0
 * means nothing known, and its top bit is set while the other words change. Proof for a reader in another
 * thread: words are stored by release, after the mark. If the reader's acquire load of a word saw a newer
 * tick's, it also sees that mark (or something later) when it looks at the seq again, and takes the copy
 * anew. If it sees the seq it began with, all words are of that tick: the seq was stored by release after
 * them.
 *
 * Bars: a pool of cells, and for each symbol a chain of them by interval. A link is complete before it is
 * published and never goes away again (a forgotten bar keeps its cell, empty), so a reader can walk it any
 * time. */
#include "tick/last_value.h"

#include "base/assert.h"
#include "base/memory.h"

#include <sched.h>
#include <stdatomic.h>

#define WORDS      8u
#define BUSY       (UINT64_C(1) << 63)
#define TRIES_SPIN 64u /* then the writer was descheduled in the middle: let it run */

struct cell {
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t word[WORDS];
};
_Static_assert(sizeof(struct cell) == sizeof(struct tick), "a cell is a tick");
_Static_assert(offsetof(struct tick, seq) == 0, "the first word is the seq");

struct bar_link {
    _Atomic uint32_t next; /* bar number + 1; 0 at the end */
    uint32_t interval;     /* set before the link is published */
};

struct last_value {
    /* Set once by last_value_create. */
    size_t bytes;
    uint32_t symbols_max, bars_max;
    struct cell *trades, *quotes, *statuses; /* by symbol */
    _Atomic uint32_t *bar_first;             /* by symbol: bar number + 1; pairs with chain_next */
    struct cell *bars;                       /* by bar number */
    struct bar_link *links;
    /* Owner: the thread that folds. */
    uint32_t bars_used;
    _Atomic uint64_t refused;
};

static void cell_set(struct cell *c, const struct tick *t);
static void cell_clear(struct cell *c);
static uint64_t cell_seq(const struct cell *c);
static uint64_t cell_copy(struct cell *into, const struct cell *from);
static void cell_visit(const struct cell *c, uint64_t after, uint64_t up_to, last_value_visit *visit,
                       void *context);
static struct cell *bar_cell(struct last_value *v, uint32_t symbol, uint32_t interval);
static void bars_clear(struct last_value *v, uint32_t symbol);
static uint64_t bars_copy(struct last_value *into, const struct last_value *from, uint32_t symbol);

static inline uint32_t chain_next(const _Atomic uint32_t *link)
{
    return atomic_load_explicit(link, memory_order_acquire); /* pairs with bar_cell */
}

#define HEAD_BYTES ((sizeof(struct last_value) + TC_CACHE_LINE - 1) / TC_CACHE_LINE * TC_CACHE_LINE)

size_t last_value_bytes(uint32_t symbols_max, uint32_t bars_max)
{
    return HEAD_BYTES + (3 * (size_t)symbols_max + bars_max) * sizeof(struct cell) +
           bars_max * sizeof(struct bar_link) + symbols_max * sizeof(_Atomic uint32_t);
}

struct last_value *last_value_create(uint32_t symbols_max, uint32_t bars_max)
{
    TC_ASSERT(symbols_max >= 1);
    TC_ASSERT(symbols_max <= SYMBOLS_MAX);
    TC_ASSERT(bars_max <= SYMBOLS_MAX * BAR_INTERVALS);
    size_t head = HEAD_BYTES;
    size_t cells = (3 * (size_t)symbols_max + bars_max) * sizeof(struct cell);
    size_t links = bars_max * sizeof(struct bar_link);
    size_t bytes = last_value_bytes(symbols_max, bars_max);
    struct last_value *v = memory_reserve(bytes);
    if (!v) return NULL;
    v->bytes = bytes;
    v->symbols_max = symbols_max;
    v->bars_max = bars_max;
    v->trades = (struct cell *)(void *)((char *)v + head);
    v->quotes = v->trades + symbols_max;
    v->statuses = v->quotes + symbols_max;
    v->bars = v->statuses + symbols_max;
    v->links = (struct bar_link *)(void *)((char *)v + head + cells);
    v->bar_first = (_Atomic uint32_t *)(void *)((char *)v + head + cells + links);
    return v;
}

void last_value_destroy(struct last_value *v)
{
    if (v) memory_release(v, v->bytes);
}

void last_value_fold(struct last_value *v, const struct tick *t)
{
    struct cell *c;
    if (t->kind == TICK_BOOK || t->kind >= TICK_FEED) return;
    TC_ASSERT(t->symbol < v->symbols_max);
    switch (t->kind) {
    case TICK_QUOTE: c = &v->quotes[t->symbol]; break;
    case TICK_TRADE: c = &v->trades[t->symbol]; break;
    case TICK_STATUS: c = &v->statuses[t->symbol]; break;
    case TICK_BAR:
        c = bar_cell(v, t->symbol, tick_bar_interval(t));
        if (!c) return;
        break;
    default: return;
    }
    if (t->seq > cell_seq(c)) cell_set(c, t);
}

static void cell_set(struct cell *c, const struct tick *t)
{
    TC_ASSERT(t->seq < BUSY);
    uint64_t words[WORDS];
    memcpy(words, t, sizeof words);
    atomic_store_explicit(&c->word[0], t->seq | BUSY,
                          memory_order_relaxed); /* the next stores carry it along */
    for (uint32_t i = 1; i < WORDS; i++)
        atomic_store_explicit(&c->word[i], words[i], memory_order_release); /* pairs with cell_copy */
    atomic_store_explicit(&c->word[0], t->seq, memory_order_release);       /* pairs with cell_copy */
}

/* The other words stay: who is copying them sees the seq gone. Memory never touched stays so. */
static void cell_clear(struct cell *c)
{
    if (cell_seq(c) != 0) atomic_store_explicit(&c->word[0], 0, memory_order_release);
}

/* Thread: the owner, who never sees its own mark. */
static uint64_t cell_seq(const struct cell *c)
{
    return atomic_load_explicit(&c->word[0], memory_order_relaxed);
}

/* Thread: the owner of `into`. Returns the seq copied, 0 if there is nothing. */
static uint64_t cell_copy(struct cell *into, const struct cell *from)
{
    union {
        uint64_t word[WORDS];
        struct tick tick;
    } copy;
    for (uint32_t tries = 0;; tries++) {
        uint64_t seq = atomic_load_explicit(&from->word[0], memory_order_acquire); /* pairs with cell_set */
        if (seq == 0) {
            cell_clear(into);
            return 0;
        }
        if (!(seq & BUSY)) {
            copy.word[0] = seq;
            for (uint32_t i = 1; i < WORDS; i++)
                copy.word[i] = atomic_load_explicit(&from->word[i], memory_order_acquire); /* as above */
            if (atomic_load_explicit(&from->word[0], memory_order_relaxed) == seq) break;
        }
        if (tries >= TRIES_SPIN) sched_yield();
    }
    cell_set(into, &copy.tick);
    return copy.tick.seq;
}

/* The chain's cell of this interval, made if there is room. Thread: the owner. NULL: refused. */
static struct cell *bar_cell(struct last_value *v, uint32_t symbol, uint32_t interval)
{
    TC_ASSERT(interval < BAR_INTERVALS);
    _Atomic uint32_t *link = &v->bar_first[symbol];
    uint32_t next;
    while ((next = atomic_load_explicit(link, memory_order_relaxed)) != 0) {
        struct bar_link *l = &v->links[next - 1];
        if (l->interval == interval) return &v->bars[next - 1];
        if (l->interval > interval) break;
        link = &l->next;
    }
    if (v->bars_used == v->bars_max) {
        uint64_t refused = atomic_load_explicit(&v->refused, memory_order_relaxed); /* ours */
        atomic_store_explicit(&v->refused, refused + 1, memory_order_relaxed);
        return NULL;
    }
    uint32_t bar = v->bars_used++;
    v->links[bar].interval = interval;
    atomic_store_explicit(&v->links[bar].next, next, memory_order_relaxed);
    atomic_store_explicit(link, bar + 1, memory_order_release); /* pairs with chain_next */
    return &v->bars[bar];
}

void last_value_forget(struct last_value *v, uint32_t symbol)
{
    TC_ASSERT(symbol < v->symbols_max);
    cell_clear(&v->trades[symbol]);
    cell_clear(&v->quotes[symbol]);
    cell_clear(&v->statuses[symbol]);
    bars_clear(v, symbol);
}

static void bars_clear(struct last_value *v, uint32_t symbol)
{
    for (uint32_t n = chain_next(&v->bar_first[symbol]); n; n = chain_next(&v->links[n - 1].next))
        cell_clear(&v->bars[n - 1]);
}

void last_value_each(const struct last_value *v, uint32_t symbol, uint32_t kinds, uint64_t after,
                     uint64_t up_to, last_value_visit *visit, void *context)
{
    TC_ASSERT(symbol < v->symbols_max);
    if (kinds & KIND_BIT(TICK_TRADE)) cell_visit(&v->trades[symbol], after, up_to, visit, context);
    if (kinds & KIND_BIT(TICK_QUOTE)) cell_visit(&v->quotes[symbol], after, up_to, visit, context);
    if (kinds & KIND_BIT(TICK_BAR))
        for (uint32_t n = chain_next(&v->bar_first[symbol]); n; n = chain_next(&v->links[n - 1].next))
            cell_visit(&v->bars[n - 1], after, up_to, visit, context);
    if (kinds & KIND_BIT(TICK_STATUS)) cell_visit(&v->statuses[symbol], after, up_to, visit, context);
}

static void cell_visit(const struct cell *c, uint64_t after, uint64_t up_to, last_value_visit *visit,
                       void *context)
{
    uint64_t seq = cell_seq(c);
    if (seq == 0 || seq <= after || seq > up_to) return;
    union {
        uint64_t word[WORDS];
        struct tick tick;
    } copy;
    for (uint32_t i = 0; i < WORDS; i++)
        copy.word[i] = atomic_load_explicit(&c->word[i], memory_order_relaxed);
    visit(context, &copy.tick);
}

uint64_t last_value_copy(struct last_value *into, const struct last_value *from, uint32_t symbol_count)
{
    TC_ASSERT(symbol_count <= into->symbols_max);
    TC_ASSERT(symbol_count <= from->symbols_max);
    uint64_t newest = 0;
    for (uint32_t s = 0; s < symbol_count; s++) {
        newest = max_u64(newest, cell_copy(&into->trades[s], &from->trades[s]));
        newest = max_u64(newest, cell_copy(&into->quotes[s], &from->quotes[s]));
        newest = max_u64(newest, cell_copy(&into->statuses[s], &from->statuses[s]));
        newest = max_u64(newest, bars_copy(into, from, s));
    }
    return newest;
}

static uint64_t bars_copy(struct last_value *into, const struct last_value *from, uint32_t symbol)
{
    uint64_t newest = 0;
    bars_clear(into, symbol);
    for (uint32_t n = chain_next(&from->bar_first[symbol]); n; n = chain_next(&from->links[n - 1].next)) {
        const struct cell *source = &from->bars[n - 1];
        if (atomic_load_explicit(&source->word[0], memory_order_relaxed) == 0) continue; /* forgotten */
        struct cell *c = bar_cell(into, symbol, from->links[n - 1].interval);
        if (c) newest = max_u64(newest, cell_copy(c, source));
    }
    return newest;
}

uint64_t last_value_refused(const struct last_value *v)
{
    return atomic_load_explicit(&v->refused, memory_order_relaxed);
}
