/* tick/last_value.h -- the newest quote, trade, status and bar (per interval) of every symbol, folded from
 * ticks in order. What a snapshot is made of (no book: decision 5).
 *
 * Two uses of one structure (decision 4): the log's writer keeps one in shared memory, read by lapped workers
 * while it changes (each entry's seq is its version, marked while in change); each worker folds its own.
 * One thread folds; last_value_copy may run in another thread. Memory is reserved at start, touched on use.
 */
#ifndef TC_TICK_LAST_VALUE_H
#define TC_TICK_LAST_VALUE_H

#include "tick/symbol_table.h"
#include "tick/tick.h"

struct last_value;

/* bars_max: (symbol, interval) pairs that can be held; beyond it new pairs are not kept (and counted). */
struct last_value *last_value_create(uint32_t symbols_max, uint32_t bars_max);
size_t last_value_bytes(uint32_t symbols_max, uint32_t bars_max); /* what it reserves */
void last_value_destroy(struct last_value *v);

/* Thread: the owner. Takes quote, trade, status and bar ticks; others are ignored. A tick not newer (by seq)
 * than the entry is ignored. Which symbols a feed reset forgets is the caller's to know: last_value_forget.
 */
void last_value_fold(struct last_value *v, const struct tick *t);

/* Thread: the owner. Forgets the state of one symbol (a feed was reset, decision 11). */
void last_value_forget(struct last_value *v, uint32_t symbol);

/* Thread: the owner. Calls visit for the entries of `symbol` whose kind bit is in `kinds` and whose seq is in
 * (after, up_to], in ascending kind (trade, quote, bars by interval, status). */
typedef void last_value_visit(void *context, const struct tick *t);
void last_value_each(const struct last_value *v, uint32_t symbol, uint32_t kinds, uint64_t after,
                     uint64_t up_to, last_value_visit *visit, void *context);

/* Thread: any. Rebuilds `into` (owned by the caller) from `from` (being folded by another thread): each entry
 * is copied whole. Returns the newest seq among the entries copied; a snapshot is exact once the caller's
 * position has passed it. */
uint64_t last_value_copy(struct last_value *into, const struct last_value *from, uint32_t symbol_count);

/* Thread: any. How many bar entries did not fit. */
uint64_t last_value_refused(const struct last_value *v);

#endif
