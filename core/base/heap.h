/* base/heap.h -- a bounded allocator over memory reserved at start: power-of-two size classes with free
 * lists. For what differs in size per group (rules, filters): core calls no malloc once it serves. Thread:
 * one owner. Memory for a class is never given to another, so the bound is the reserve, never more. */
#ifndef TC_BASE_HEAP_H
#define TC_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#define HEAP_LEAST_BITS 5u  /* 32 bytes */
#define HEAP_MOST_BITS  26u /* 64 MiB */

struct heap {
    uint8_t *base;
    size_t bytes, used; /* reserved; handed out to classes so far */
    size_t live;        /* in use now, in class sizes */
    void *free[HEAP_MOST_BITS + 1];
};

int heap_init(struct heap *h, size_t bytes); /* 0 or -1: no address space */
void heap_destroy(struct heap *h);
/* NULL when the reserve is used up or size is over 64 MiB. Not zeroed. */
void *heap_get(struct heap *h, size_t size);
/* Another size for what begins in at (NULL and 0: nothing yet); as many bytes as fit both are kept. NULL: at
 * is as it was. */
void *heap_resize(struct heap *h, void *at, size_t size, size_t new_size);
/* size as it was asked for. at may be NULL. */
void heap_put(struct heap *h, void *at, size_t size);

#endif
