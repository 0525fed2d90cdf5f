/* io/io_uring_recv.c -- receiving: a multishot receive per connection, into one ring of buffers for all of
 * them. A buffer is the kernel's (and poisoned) until a completion names it, then the worker's until
 * buffer_done. */
#include "io/io_uring_inner.h"

#include "base/assert.h"
#include "base/memory.h"
#include "base/sanitize.h"

#include <errno.h>
#include <string.h>

#define BUFFER_GROUP 0

static void buffer_give(struct uring *u, uint32_t buffer);
static void receive_ended(struct uring *u, struct tag tag, int32_t result);
static void line_up(struct uring *u, uint32_t slot);

int uring_buffers_open(struct uring *u, struct fault *fault)
{
    const struct io_options *o = &u->options;
    u->buffer_memory = memory_reserve((size_t)o->buffers * o->buffer_bytes);
    u->buffer_lent = memory_reserve(o->buffers);
    u->buffer_ring = memory_reserve(o->buffers * sizeof(struct io_uring_buf));
    if (!u->buffer_memory || !u->buffer_lent || !u->buffer_ring || io_line_init(&u->starved, o->slots) != 0)
        return fault_errno(fault, "io: no address space for %u receive buffers of %u bytes", o->buffers,
                           o->buffer_bytes);
    struct io_uring_buf_reg reg = {
        .ring_addr = (uint64_t)(uintptr_t)u->buffer_ring, .ring_entries = o->buffers, .bgid = BUFFER_GROUP};
    int err = io_uring_register_buf_ring(&u->ring, &reg, 0);
    if (err != 0)
        return fault_set(fault, TC_ESYSTEM, "io_uring: a ring of %u receive buffers was refused: %s; %s",
                         o->buffers, strerror(-err), uring_remedy(-err));
    u->buffers_registered = true;
    io_uring_buf_ring_init(u->buffer_ring);
    for (uint32_t i = 0; i < o->buffers; i++) buffer_give(u, i);
    return 0;
}

void uring_buffers_close(struct uring *u)
{
    const struct io_options *o = &u->options;
    if (u->buffers_registered) io_uring_unregister_buf_ring(&u->ring, BUFFER_GROUP);
    if (u->buffer_memory) TC_UNPOISON(u->buffer_memory, (size_t)o->buffers * o->buffer_bytes);
    memory_release(u->buffer_memory, (size_t)o->buffers * o->buffer_bytes);
    memory_release(u->buffer_lent, o->buffers);
    memory_release(u->buffer_ring, o->buffers * sizeof(struct io_uring_buf));
    io_line_destroy(&u->starved);
}

static void buffer_give(struct uring *u, uint32_t buffer)
{
    uint8_t *at = u->buffer_memory + (size_t)buffer * u->options.buffer_bytes;
    TC_POISON(at, u->options.buffer_bytes);
    io_uring_buf_ring_add(u->buffer_ring, at, u->options.buffer_bytes, (unsigned short)buffer,
                          io_uring_buf_ring_mask(u->options.buffers), 0);
    io_uring_buf_ring_advance(u->buffer_ring, 1);
    u->buffers_in_ring++;
    TC_ASSERT(u->buffers_in_ring <= u->options.buffers);
}

void uring_buffer_done(struct io *io, uint32_t buffer)
{
    struct uring *u = (struct uring *)io;
    TC_ASSERT(buffer < u->options.buffers);
    TC_ASSERT(u->buffer_lent[buffer]); /* given back once */
    u->buffer_lent[buffer] = 0;
    buffer_give(u, buffer);
}

void uring_receive_arm(struct uring *u, uint32_t slot)
{
    struct uring_conn *c = &u->conns[slot];
    TC_ASSERT(!(c->flags & URING_ARMED));
    struct io_uring_sqe *sqe = uring_sqe(u);
    io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BUFFER_GROUP;
    sqe->user_data = tag_pack(TAG_RECEIVE, slot, c->generation);
    c->flags |= URING_ARMED;
}

void uring_receive_pause(struct io *io, uint32_t slot)
{
    struct uring *u = (struct uring *)io;
    TC_ASSERT(slot < u->options.slots);
    struct uring_conn *c = &u->conns[slot];
    TC_ASSERT(c->flags & URING_OPEN);
    c->flags &= (uint16_t)~URING_WANTED;
    if (!(c->flags & URING_ARMED) || (c->flags & URING_CANCELLING)) return;
    uring_cancel(u, tag_pack(TAG_RECEIVE, slot, c->generation));
    c->flags |= URING_CANCELLING;
}

void uring_receive_resume(struct io *io, uint32_t slot)
{
    struct uring *u = (struct uring *)io;
    TC_ASSERT(slot < u->options.slots);
    struct uring_conn *c = &u->conns[slot];
    TC_ASSERT(c->flags & URING_OPEN);
    c->flags |= URING_WANTED;
    /* One that is being cancelled is armed again when its last completion comes; one in line, when its turn
     * comes. */
    if (!(c->flags & (URING_ARMED | URING_ENDED | URING_LISTED))) uring_receive_arm(u, slot);
}

void uring_receive_complete(struct uring *u, struct tag tag, int32_t result, uint32_t cqe_flags)
{
    TC_ASSERT(tag.slot < u->options.slots);
    struct uring_conn *c = &u->conns[tag.slot];
    bool current = (c->flags & URING_OPEN) && c->generation == tag.generation;
    if (cqe_flags & IORING_CQE_F_BUFFER) {
        uint32_t buffer = cqe_flags >> IORING_CQE_BUFFER_SHIFT;
        TC_ASSERT(buffer < u->options.buffers);
        TC_ASSERT(!u->buffer_lent[buffer]);
        TC_ASSERT(u->buffers_in_ring > 0);
        u->buffers_in_ring--;
        if (current && result > 0) {
            uint8_t *bytes = u->buffer_memory + (size_t)buffer * u->options.buffer_bytes;
            TC_UNPOISON(bytes, (size_t)result);
            u->buffer_lent[buffer] = 1;
            u->io.counters.receives++;
            u->io.counters.received_bytes += (uint64_t)result;
            io_queue_put(&u->events, &(struct io_event){.op = IO_RECEIVED,
                                                        .slot = tag.slot,
                                                        .generation = tag.generation,
                                                        .result = result,
                                                        .buffer = buffer,
                                                        .bytes = bytes});
        } else {
            buffer_give(u, buffer); /* of a connection that is gone, or the end of one */
        }
    }
    if (!current || (cqe_flags & IORING_CQE_F_MORE)) return;
    c->flags &= (uint16_t) ~(URING_ARMED | URING_CANCELLING);
    receive_ended(u, tag, result);
}

/* The receive is over: for good (end of file, error), for want of a buffer, by our cancel, or just so. */
static void receive_ended(struct uring *u, struct tag tag, int32_t result)
{
    struct uring_conn *c = &u->conns[tag.slot];
    bool transient = result > 0 || result == -ECANCELED || result == -EAGAIN || result == -EINTR;
    if (result == -ENOBUFS) {
        u->io.counters.receive_no_buffer++;
        if (c->flags & URING_WANTED) line_up(u, tag.slot);
    } else if (!transient) {
        c->flags |= URING_ENDED;
        io_queue_put(&u->events, &(struct io_event){.op = IO_RECEIVED,
                                                    .slot = tag.slot,
                                                    .generation = tag.generation,
                                                    .result = result});
    } else if (c->flags & URING_WANTED) {
        uring_receive_arm(u, tag.slot);
    }
}

static void line_up(struct uring *u, uint32_t slot)
{
    if (u->conns[slot].flags & URING_LISTED) return;
    u->conns[slot].flags |= URING_LISTED;
    io_line_put(&u->starved, slot);
}

void uring_receive_starved(struct uring *u)
{
    uint32_t room = u->buffers_in_ring;
    for (uint32_t left = u->starved.count; left > 0 && room > 0; left--) {
        uint32_t slot = io_line_get(&u->starved);
        struct uring_conn *c = &u->conns[slot];
        c->flags &= (uint16_t)~URING_LISTED;
        bool wants = (c->flags & (URING_OPEN | URING_WANTED)) == (URING_OPEN | URING_WANTED);
        if (!wants || (c->flags & (URING_ARMED | URING_ENDED))) continue;
        uring_receive_arm(u, slot);
        room--;
    }
}
