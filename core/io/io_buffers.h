/* io/io_buffers.h -- receive buffers of the back ends without a ring (epoll, simulated): a stack of free
 * ones, the last used first, so that few are touched. A free buffer is poisoned. Thread: the io's own. */
#ifndef TC_IO_IO_BUFFERS_H
#define TC_IO_IO_BUFFERS_H

#include <stdint.h>

#define IO_BUFFER_NONE UINT32_MAX

struct io_buffers {
    uint8_t *memory; /* count x bytes */
    uint8_t *lent;   /* 1: not free */
    uint32_t *free;
    uint32_t count, bytes, free_count;
};

/* 0, or -1: out of address space. */
int io_buffers_init(struct io_buffers *b, uint32_t count, uint32_t bytes);
void io_buffers_destroy(struct io_buffers *b);
/* IO_BUFFER_NONE: all are lent. The whole buffer may be written. */
uint32_t io_buffers_get(struct io_buffers *b);
uint8_t *io_buffers_at(const struct io_buffers *b, uint32_t buffer);
/* Asserts that it is lent: a buffer comes back once. */
void io_buffers_put(struct io_buffers *b, uint32_t buffer);

#endif
