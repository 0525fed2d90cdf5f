/* base/ring.h -- a bounded single-producer, single-consumer ring of pointers: ck_ring, and the only file that
 * includes it. Its accesses are inline assembly, invisible to the thread sanitizer; the marks here tell it
 * the truth (correct use: no report; a planted race: reported). */
#ifndef TC_BASE_RING_H
#define TC_BASE_RING_H

#include "base/sanitize.h"

#include <ck_ring.h>
#include <stdbool.h>
#include <stdint.h>

struct ring {
    ck_ring_t ring;
    ck_ring_buffer_t *slots; /* owner: whoever made it; `capacity` entries */
};

/* capacity is a power of two; capacity - 1 pointers fit. */
static inline void ring_init(struct ring *r, ck_ring_buffer_t *slots, uint32_t capacity)
{
    ck_ring_init(&r->ring, capacity);
    r->slots = slots;
}

/* Thread: the producer. False: full. What `item` points to is the consumer's from now on. */
static inline bool ring_put(struct ring *r, void *item)
{
#ifdef TC_TSAN
    __tsan_release(r);
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
    bool put = ck_ring_enqueue_spsc(&r->ring, r->slots, item);
#ifdef TC_TSAN
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
    return put;
}

/* Thread: the consumer. False: empty. */
static inline bool ring_get(struct ring *r, void **item)
{
#ifdef TC_TSAN
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
    bool got = ck_ring_dequeue_spsc(&r->ring, r->slots, item);
#ifdef TC_TSAN
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    if (got) __tsan_acquire(r);
#endif
    return got;
}

/* Thread: either; a snapshot. */
static inline uint32_t ring_count(const struct ring *r)
{
    return ck_ring_size(&r->ring);
}

#endif
