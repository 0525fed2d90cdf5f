/* base/pool.h -- equal blocks reserved at start, touched on use, named by index. Thread: one owner. */
#ifndef TC_BASE_POOL_H
#define TC_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_NONE UINT32_MAX

struct pool {
    uint8_t *base;
    uint32_t *free; /* stack of indexes that were given back */
    uint32_t free_count, touched, count, in_use;
    size_t block_bytes;
};

int pool_init(struct pool *p, uint32_t count, size_t block_bytes); /* 0 or -1 */
void pool_destroy(struct pool *p);
uint32_t
pool_get(struct pool *p); /* index, or POOL_NONE; last given back first: warm, and the rest stays untouched */
void pool_put(struct pool *p, uint32_t index);
static inline uint8_t *pool_at(const struct pool *p, uint32_t index)
{
    return p->base + (size_t)index * p->block_bytes;
}

#endif
