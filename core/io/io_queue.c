#include "io/io_queue.h"

#include "base/assert.h"
#include "base/memory.h"

int io_queue_init(struct io_queue *q, uint32_t capacity)
{
    *q = (struct io_queue){.capacity = capacity, .at = memory_reserve(capacity * sizeof *q->at)};
    return q->at ? 0 : -1;
}

void io_queue_destroy(struct io_queue *q)
{
    memory_release(q->at, q->capacity * sizeof *q->at);
    *q = (struct io_queue){.capacity = 0};
}

void io_queue_put(struct io_queue *q, const struct io_event *event)
{
    TC_ASSERT(!io_queue_full(q));
    if (q->count == 0) q->first = 0;
    uint32_t last = q->first + q->count;
    if (last >= q->capacity) last -= q->capacity;
    q->at[last] = *event;
    q->count++;
}

bool io_queue_get(struct io_queue *q, struct io_event *out)
{
    if (q->count == 0) return false;
    *out = q->at[q->first];
    if (++q->first == q->capacity) q->first = 0;
    q->count--;
    return true;
}

int io_line_init(struct io_line *l, uint32_t capacity)
{
    *l = (struct io_line){.capacity = capacity, .slots = memory_reserve(capacity * sizeof *l->slots)};
    return l->slots ? 0 : -1;
}

void io_line_destroy(struct io_line *l)
{
    memory_release(l->slots, l->capacity * sizeof *l->slots);
    *l = (struct io_line){.capacity = 0};
}

void io_line_put(struct io_line *l, uint32_t slot)
{
    TC_ASSERT(l->count < l->capacity);
    if (l->count == 0) l->first = 0;
    uint32_t last = l->first + l->count;
    if (last >= l->capacity) last -= l->capacity;
    l->slots[last] = slot;
    l->count++;
}

uint32_t io_line_get(struct io_line *l)
{
    TC_ASSERT(l->count > 0);
    uint32_t slot = l->slots[l->first];
    if (++l->first == l->capacity) l->first = 0;
    l->count--;
    return slot;
}
