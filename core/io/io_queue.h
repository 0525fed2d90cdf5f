/* io/io_queue.h -- events on their way from the kernel to the worker: met now, handed out by the next wait.
 * First in, first out. Storage is reserved at open for the most that can be under way, and touched on use; it
 * starts again at its beginning whenever it is empty, so that a quiet worker touches one page.
 * Thread: the io's own. */
#ifndef TC_IO_IO_QUEUE_H
#define TC_IO_IO_QUEUE_H

#include "io/io.h"

#include <stdbool.h>
#include <stdint.h>

struct io_queue {
    struct io_event *at;
    uint32_t first, count, capacity;
};

/* 0, or -1: out of address space. */
int io_queue_init(struct io_queue *q, uint32_t capacity);
void io_queue_destroy(struct io_queue *q);
static inline bool io_queue_full(const struct io_queue *q)
{
    return q->count == q->capacity;
}
/* Asserts that there is room: the capacity is a proven bound. */
void io_queue_put(struct io_queue *q, const struct io_event *event);
/* False: empty. */
bool io_queue_get(struct io_queue *q, struct io_event *out);

/* Slots in line for something, each at most once (the caller keeps that bit). First in, first out. */
struct io_line {
    uint32_t *slots;
    uint32_t first, count, capacity;
};
int io_line_init(struct io_line *l, uint32_t capacity);
void io_line_destroy(struct io_line *l);
void io_line_put(struct io_line *l, uint32_t slot);
uint32_t io_line_get(struct io_line *l); /* asserts count > 0 */

#endif
