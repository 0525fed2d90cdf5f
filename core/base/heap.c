#include "base/heap.h"

#include "base/assert.h"
#include "base/memory.h"

#include <string.h>

static uint32_t class_of(size_t size)
{
    uint32_t bits = HEAP_LEAST_BITS;
    while (((size_t)1 << bits) < size) bits++;
    return bits;
}

int heap_init(struct heap *h, size_t bytes)
{
    *h = (struct heap){.bytes = bytes};
    h->base = memory_reserve(bytes);
    return h->base ? 0 : -1;
}

void heap_destroy(struct heap *h)
{
    memory_release(h->base, h->bytes);
    *h = (struct heap){.bytes = 0};
}

void *heap_get(struct heap *h, size_t size)
{
    uint32_t bits = class_of(size);
    if (bits > HEAP_MOST_BITS) return NULL;
    size_t whole = (size_t)1 << bits;
    void *at = h->free[bits];
    if (at) {
        memcpy(&h->free[bits], at, sizeof(void *)); /* the free list runs through the blocks */
    } else {
        if (h->bytes - h->used < whole) return NULL;
        at = h->base + h->used;
        h->used += whole;
    }
    h->live += whole;
    return at;
}

void *heap_resize(struct heap *h, void *at, size_t size, size_t new_size)
{
    void *fresh = heap_get(h, new_size);
    if (!fresh) return NULL;
    if (at) memcpy(fresh, at, size < new_size ? size : new_size);
    heap_put(h, at, size);
    return fresh;
}

void heap_put(struct heap *h, void *at, size_t size)
{
    if (!at) return;
    uint32_t bits = class_of(size);
    TC_ASSERT(h->live >= (size_t)1 << bits);
    h->live -= (size_t)1 << bits;
    memcpy(at, &h->free[bits], sizeof(void *));
    h->free[bits] = at;
}
