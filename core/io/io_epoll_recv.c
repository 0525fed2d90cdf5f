/* io/io_epoll_recv.c -- receiving without a ring: a few buffers per ready descriptor and wait. Where all
 * buffers are lent, a connection waits for a buffer instead of for bytes: else it would be ready without end.
 */
#include "io/io_epoll_inner.h"

#include "base/assert.h"
#include "base/sanitize.h"

#include <errno.h>
#include <sys/socket.h>

static void starve(struct epoll *e, uint32_t slot);
static void end(struct epoll *e, uint32_t slot, int32_t result);

/* Takes what lies there, a bounded part. The caller applies. */
void epoll_receive(struct epoll *e, uint32_t slot)
{
    struct epoll_conn *c = epoll_conn_of(e, slot);
    for (uint32_t i = 0; i < EPOLL_RECEIVES_MAX; i++) {
        uint32_t buffer = io_buffers_get(&e->buffers);
        if (buffer == IO_BUFFER_NONE) {
            starve(e, slot);
            return;
        }
        uint8_t *bytes = io_buffers_at(&e->buffers, buffer);
        ssize_t size = recv(c->fd, bytes, e->buffers.bytes, MSG_DONTWAIT);
        int err = errno;
        e->io.counters.enters++;
        if (size <= 0) {
            io_buffers_put(&e->buffers, buffer);
            if (size == 0 || (err != EAGAIN && err != EINTR)) end(e, slot, size == 0 ? 0 : -err);
            return;
        }
        TC_POISON(bytes + size, e->buffers.bytes - (size_t)size);
        e->io.counters.receives++;
        e->io.counters.received_bytes += (uint64_t)size;
        io_queue_put(&e->events, &(struct io_event){.op = IO_RECEIVED,
                                                    .slot = slot,
                                                    .generation = c->generation,
                                                    .result = (int32_t)size,
                                                    .buffer = buffer,
                                                    .bytes = bytes});
        if ((size_t)size < e->buffers.bytes) return;
    }
}

static void end(struct epoll *e, uint32_t slot, int32_t result)
{
    struct epoll_conn *c = &e->conns[slot];
    c->flags |= EPOLL_ENDED;
    io_queue_put(
        &e->events,
        &(struct io_event){.op = IO_RECEIVED, .slot = slot, .generation = c->generation, .result = result});
}

static void starve(struct epoll *e, uint32_t slot)
{
    struct epoll_conn *c = &e->conns[slot];
    e->io.counters.receive_no_buffer++;
    c->flags |= EPOLL_STARVED;
    if (c->flags & EPOLL_LISTED) return;
    c->flags |= EPOLL_LISTED;
    io_line_put(&e->starved, slot);
}

void epoll_receive_starved(struct epoll *e)
{
    uint32_t room = e->buffers.free_count;
    for (uint32_t left = e->starved.count; left > 0 && room > 0; left--) {
        uint32_t slot = io_line_get(&e->starved);
        struct epoll_conn *c = &e->conns[slot];
        bool waits = (c->flags & (EPOLL_OPEN | EPOLL_STARVED)) == (EPOLL_OPEN | EPOLL_STARVED);
        c->flags &= ~(uint32_t)(EPOLL_LISTED | EPOLL_STARVED);
        if (!waits) continue; /* gone meanwhile, or another life of the slot */
        epoll_apply(e, slot);
        if (c->flags & EPOLL_WANTED) room--;
    }
}

void epoll_receive_pause(struct io *io, uint32_t slot)
{
    struct epoll *e = (struct epoll *)io;
    epoll_conn_of(e, slot)->flags &= ~(uint32_t)EPOLL_WANTED;
    epoll_apply(e, slot);
}

void epoll_receive_resume(struct io *io, uint32_t slot)
{
    struct epoll *e = (struct epoll *)io;
    epoll_conn_of(e, slot)->flags |= EPOLL_WANTED;
    epoll_apply(e, slot);
}

void epoll_buffer_done(struct io *io, uint32_t buffer)
{
    struct epoll *e = (struct epoll *)io;
    io_buffers_put(&e->buffers, buffer);
}
