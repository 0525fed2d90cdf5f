/* base/aligned.h -- one object of a type with cache lines of its own (_Alignas(TC_CACHE_LINE)), on the heap.
 */
#ifndef TC_BASE_ALIGNED_H
#define TC_BASE_ALIGNED_H

#include "base/bytes.h"

#include <stdlib.h>

/* Zeroed, beginning a cache line. Owner: the caller, to be given to free(). NULL: no memory. */
static inline void *aligned_zeroed(size_t bytes)
{
    size_t whole = (bytes + TC_CACHE_LINE - 1) / TC_CACHE_LINE * TC_CACHE_LINE;
    void *at = aligned_alloc(TC_CACHE_LINE, whole);
    return at ? memset(at, 0, whole) : NULL;
}

#endif
