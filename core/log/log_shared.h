/* log/log_shared.h -- the tick log in memory. For log_*.c only (it has _Atomic members).
 *
 * Proof of the lapped case. The writer raises `claimed` before it changes a slot, and changes a slot only by
 * release stores of 8-byte words. A reader loads the words of a slot by acquire loads and then looks at
 * `claimed`. (Keys are 4-byte words and stored in the same way. What was decided by words that were not
 * checked each is dropped with them: one look at `claimed` after the last of them does for all.) If any word
 * it saw was of a newer lap, that word's release store is ordered after the raise of `claimed`, so the reader
 * sees the raised value and drops what it copied. If it sees claimed <= from + capacity, every word is of the
 * lap it wanted. */
#ifndef TC_LOG_LOG_SHARED_H
#define TC_LOG_LOG_SHARED_H

#include "log/log.h"

#include <stdatomic.h>
#include <stddef.h>

#define TICK_WORDS 8u
#define JSON_WORDS (TICK_JSON_MAX / 8u)

struct log_tick_slot {
    _Atomic uint64_t word[TICK_WORDS];
};

/* The tick's JSON, encoded once. A fixed slot: `claimed` guards it together with the tick (decision 20). */
struct log_json_slot {
    _Atomic uint64_t head; /* low half: bytes; high half: low half of seq */
    _Atomic uint64_t word[JSON_WORDS];
};
_Static_assert(TICK_JSON_MAX % 8 == 0, "JSON is copied in words");
_Static_assert(sizeof(struct log_json_slot) % TC_CACHE_LINE == 0, "a slot starts a cache line");

struct log {
    /* Set once by log_create. */
    uint64_t epoch;
    uint32_t capacity, mask;
    size_t bytes;
    const char *huge_pages;      /* see log_huge_pages */
    struct log_tick_slot *ticks; /* capacity of each */
    struct log_json_slot *jsons;
    _Atomic uint32_t *keys;
    struct symbol_table *symbols;
    struct last_value *last;    /* the writer's own fold, from which lapped workers recover (decision 4) */
    struct log_reader *readers; /* LOG_READERS_MAX */
    uint32_t reader_count;      /* main, before the threads start */
    uint64_t (*stamp_ns)(void); /* NULL: ages are not counted */
    struct sleeper writer_sleeper;
    _Atomic bool paced; /* written before a feed that waits begins; pairs with log_paced */

    /* Writer: the feed thread. Readers: all workers. One line on purpose: a reader always wants both. */
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t head; /* seq <= head is complete; pairs with log_head */
    _Atomic uint64_t claimed;                      /* seq <= claimed may be in change; head <= claimed */
    _Atomic uint64_t drained_ns;                   /* every feed was found drained at this time */

    /* Writer: the feed thread, now and then. Readers: whoever asks for metrics. */
    _Alignas(TC_CACHE_LINE) struct ages ages;
};

/* No line that one thread writes while it runs is read for anything else: what is set once, what the writer
 * publishes, and each reader's own are apart. */
_Static_assert(offsetof(struct log, head) % TC_CACHE_LINE == 0, "the writer's line begins");
_Static_assert(offsetof(struct log, ages) == offsetof(struct log, head) + TC_CACHE_LINE,
               "and nothing else is on it");
_Static_assert(offsetof(struct log, drained_ns) < offsetof(struct log, head) + TC_CACHE_LINE, "one line");
_Static_assert(sizeof(struct log_reader) % TC_CACHE_LINE == 0, "each reader has lines of its own");
_Static_assert(offsetof(struct log_reader, sleeper) % TC_CACHE_LINE == 0,
               "wakers do not touch what it publishes");
_Static_assert(sizeof(struct sleeper) == TC_CACHE_LINE, "a sleeper's flag is alone on its line");

/* True if a copy of the slots of (from, ...] made before this call is what it seems. */
static inline bool log_still_holds(const struct log *l, uint64_t from)
{
    return atomic_load_explicit(&l->claimed, memory_order_relaxed) <= from + l->capacity;
}

#endif
