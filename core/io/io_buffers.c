#include "io/io_buffers.h"

#include "base/assert.h"
#include "base/memory.h"
#include "base/sanitize.h"

#include <stddef.h>

int io_buffers_init(struct io_buffers *b, uint32_t count, uint32_t bytes)
{
    *b = (struct io_buffers){.count = count, .bytes = bytes};
    b->memory = memory_reserve((size_t)count * bytes);
    b->lent = memory_reserve(count);
    b->free = memory_reserve(count * sizeof *b->free);
    if (!b->memory || !b->lent || !b->free) return -1;
    for (uint32_t i = count; i > 0; i--) b->free[b->free_count++] = i - 1;
    TC_POISON(b->memory, (size_t)count * bytes);
    return 0;
}

void io_buffers_destroy(struct io_buffers *b)
{
    if (b->memory) TC_UNPOISON(b->memory, (size_t)b->count * b->bytes);
    memory_release(b->memory, (size_t)b->count * b->bytes);
    memory_release(b->lent, b->count);
    memory_release(b->free, b->count * sizeof *b->free);
    *b = (struct io_buffers){.count = 0};
}

uint32_t io_buffers_get(struct io_buffers *b)
{
    if (b->free_count == 0) return IO_BUFFER_NONE;
    uint32_t buffer = b->free[--b->free_count];
    TC_ASSERT(!b->lent[buffer]);
    b->lent[buffer] = 1;
    TC_UNPOISON(io_buffers_at(b, buffer), b->bytes);
    return buffer;
}

uint8_t *io_buffers_at(const struct io_buffers *b, uint32_t buffer)
{
    TC_ASSERT(buffer < b->count);
    return b->memory + (size_t)buffer * b->bytes;
}

void io_buffers_put(struct io_buffers *b, uint32_t buffer)
{
    TC_ASSERT(buffer < b->count);
    TC_ASSERT(b->lent[buffer]); /* given back once */
    b->lent[buffer] = 0;
    TC_POISON(io_buffers_at(b, buffer), b->bytes);
    b->free[b->free_count++] = buffer;
}
