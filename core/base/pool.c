#include "base/pool.h"

#include "base/assert.h"
#include "base/memory.h"

#include <stdbool.h>

int pool_init(struct pool *p, uint32_t count, size_t block_bytes)
{
    bool small = block_bytes < memory_pages(1); /* several on a page: none can be given back alone */
    *p = (struct pool){.count = count,
                       .block_bytes = small ? block_bytes : memory_pages(block_bytes),
                       .hot_max = small ? count : pool_hot_blocks(block_bytes)};
    p->base = memory_reserve(count * p->block_bytes);
    p->free = memory_reserve(count * sizeof *p->free);
    if (!p->base || !p->free) return -1;
    if (!small) memory_small_pages(p->base, count * p->block_bytes);
    return 0;
}

void pool_destroy(struct pool *p)
{
    memory_release(p->base, p->count * p->block_bytes);
    memory_release(p->free, p->count * sizeof *p->free);
    *p = (struct pool){.count = 0};
}

uint32_t pool_hot_blocks(size_t block_bytes)
{
    size_t fit = POOL_HOT_BYTES / memory_pages(block_bytes);
    return fit > 0 ? (uint32_t)fit : 1;
}

uint32_t pool_get(struct pool *p)
{
    uint32_t index;
    if (p->hot_count > 0)
        index = p->free[--p->hot_count];
    else if (p->cold_count > 0)
        index = p->free[p->count - p->cold_count--];
    else if (p->touched < p->count)
        index = p->touched++;
    else
        return POOL_NONE;
    p->in_use++;
    return index;
}

void pool_put(struct pool *p, uint32_t index)
{
    TC_ASSERT(index < p->touched);
    TC_ASSERT(p->in_use > 0);
    TC_ASSERT(p->in_use + p->hot_count + p->cold_count == p->touched);
    p->in_use--;
    if (p->hot_count < p->hot_max) {
        p->free[p->hot_count++] = index;
        return;
    }
    memory_give_back(pool_at(p, index), p->block_bytes);
    p->free[p->count - ++p->cold_count] = index;
}
