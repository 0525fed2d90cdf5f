/* feeds/reader_symbols.h -- the symbols of one reader: name to index, in order of appearance. Thread: one
 * owner. */
#ifndef TC_FEEDS_READER_SYMBOLS_H
#define TC_FEEDS_READER_SYMBOLS_H

#include "base/bytes.h"
#include "tick/tick.h"

#define READER_SYMBOLS_MAX 262144u /* of one file */

struct reader_symbol;

/* All zero: empty. */
struct reader_symbols {
    struct reader_symbol **blocks; /* names never move */
    uint32_t *slots;               /* index + 1 by hash; 0: free */
    uint32_t count, slot_count;    /* slot_count: a power of two, at least twice count */
};

void reader_symbols_free(struct reader_symbols *s);
/* The index, a new one for a new name; TC_EINPUT: not a legal name; TC_ELIMIT: READER_SYMBOLS_MAX;
 * TC_ESYSTEM: memory. */
int64_t reader_symbols_add(struct reader_symbols *s, struct text name);
/* index < count. Valid until reader_symbols_free. */
struct text reader_symbols_name(const struct reader_symbols *s, uint32_t index);

#endif
