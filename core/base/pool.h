/* base/pool.h -- equal blocks reserved at start, touched on use, named by index. Thread: one owner.
 *
 * The memory that a pool holds is what is in use and at most POOL_HOT_BYTES more: blocks that were given back
 * are kept warm up to there, last back first out, so that comings and goings cost no system call; the pages
 * of further ones go back to the kernel at once. Several pools that share one crowd (a worker each) thus hold
 * what the crowd needs once, however it moves between them. Blocks smaller than a page stand side by side
 * and stay: they are for what is small and looked at together. */
#ifndef TC_BASE_POOL_H
#define TC_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_NONE      UINT32_MAX
#define POOL_HOT_BYTES (2u << 20)

struct pool {
    uint8_t *base;
    uint32_t *free; /* given back: from the front up those with warm pages, from the end down those without */
    uint32_t hot_count, hot_max, cold_count, touched, count, in_use;
    size_t block_bytes; /* whole pages, unless smaller than one */
};

/* block_bytes of a page and more is rounded up to whole ones. 0 or -1: no address space. */
int pool_init(struct pool *p, uint32_t count, size_t block_bytes);
void pool_destroy(struct pool *p);
/* Index, or POOL_NONE: all are in use. What is in the block is of no meaning. */
uint32_t pool_get(struct pool *p);
void pool_put(struct pool *p, uint32_t index);
/* Blocks of this size, a page or more, that a pool keeps warm while nobody uses them; at least 1. */
uint32_t pool_hot_blocks(size_t block_bytes);
static inline uint8_t *pool_at(const struct pool *p, uint32_t index)
{
    return p->base + (size_t)index * p->block_bytes;
}

#endif
