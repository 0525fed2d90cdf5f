#include "base/pool.h"

#include "base/assert.h"
#include "base/memory.h"

int pool_init(struct pool *p, uint32_t count, size_t block_bytes)
{
    *p = (struct pool){.count = count, .block_bytes = block_bytes};
    p->base = memory_reserve(count * block_bytes, 0);
    p->free = memory_reserve(count * sizeof *p->free, 0);
    return p->base && p->free ? 0 : -1;
}

void pool_destroy(struct pool *p)
{
    memory_release(p->base, p->count * p->block_bytes);
    memory_release(p->free, p->count * sizeof *p->free);
    *p = (struct pool){.count = 0};
}

uint32_t pool_get(struct pool *p)
{
    uint32_t index;
    if (p->free_count > 0)
        index = p->free[--p->free_count];
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
    p->in_use--;
    p->free[p->free_count++] = index;
}
