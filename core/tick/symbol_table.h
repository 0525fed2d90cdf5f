/* tick/symbol_table.h -- names of symbol ids: append-only, in memory that may be shared between processes.
 * One writer (the feed thread) adds; any thread looks up. An entry is published (count, hash slot: release)
 * before the symbol's first tick enters the log, and never changes. */
#ifndef TC_TICK_SYMBOL_TABLE_H
#define TC_TICK_SYMBOL_TABLE_H

#include "base/bytes.h"
#include "tick/tick.h"

#define SYMBOLS_MAX 65536u

struct symbol_table;

/* Reserves for `capacity` symbols (at most SYMBOLS_MAX), touched on use. NULL: out of memory. */
struct symbol_table *symbol_table_create(uint32_t capacity);
size_t symbol_table_bytes(const struct symbol_table *t); /* reserved */
void symbol_table_destroy(struct symbol_table *t);

/* Thread: the writer. Returns the id (ids count from 0, in order of adding; a known name keeps its own),
 * TC_EINPUT for an illegal name, or TC_ELIMIT when full. *added tells a new one. */
int64_t symbol_table_add(struct symbol_table *t, struct text name, bool *added);

/* Thread: any. The id, or TC_ENOTFOUND. */
int64_t symbol_table_find(const struct symbol_table *t, struct text name);

/* Thread: any. How many ids exist; acquire, so that all below it can be read. */
uint32_t symbol_table_count(const struct symbol_table *t);

/* Thread: any. id < count. Valid as long as the table. */
struct text symbol_table_name(const struct symbol_table *t, uint32_t id);
/* The same with quotes and backslashes escaped for JSON (at most 64 bytes), without the enclosing quotes. */
struct text symbol_table_json(const struct symbol_table *t, uint32_t id);

#endif
