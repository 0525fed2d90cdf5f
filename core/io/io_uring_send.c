/* io/io_uring_send.c -- sending: collected by send_add, made by send_flush in as many enters as the ring
 * needs. On return of send_flush nothing of them is in the kernel ring: every send went out whole (no
 * completion), or its completion was met and stands in failed. */
#include "io/io_uring_inner.h"

#include "base/assert.h"

#include <errno.h>

static void flush_round(struct uring *u);
static void count_failed(struct io_counters *c, const struct io_sent *sent);

void uring_send_add(struct io *io, uint32_t slot, const void *bytes, uint32_t size)
{
    struct uring *u = (struct uring *)io;
    TC_ASSERT(slot < u->options.slots);
    TC_ASSERT(size > 0);
    TC_ASSERT(u->send_count < u->options.sends_max);
    struct uring_conn *c = &u->conns[slot];
    TC_ASSERT(c->flags & URING_OPEN);
    TC_ASSERT(!(c->flags &
                URING_OFFERED)); /* two sends for one socket in one submission tear a frame: decision 2 */
    c->flags |= URING_OFFERED;
    u->sends[u->send_count++] = (struct uring_send){.bytes = bytes, .slot = slot, .size = size};
}

uint32_t uring_send_flush(struct io *io, struct io_sent *failed)
{
    struct uring *u = (struct uring *)io;
    u->failed = failed;
    u->failed_count = 0;
    u->flush_number++;
    for (uint32_t i = 0; i < u->send_count; i++) {
        const struct uring_send *s = &u->sends[i];
        struct uring_conn *c = &u->conns[s->slot];
        struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
        if (!sqe) {
            flush_round(u);
            sqe = uring_sqe(u);
        }
        io_uring_prep_send(sqe, c->fd, s->bytes, s->size, URING_SEND_FLAGS);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        sqe->user_data = tag_pack(TAG_SEND, i, u->flush_number);
        c->flags &= (uint16_t)~URING_OFFERED;
        io->counters.sent_bytes += s->size;
    }
    flush_round(u);
    io->counters.sends += u->send_count;
    u->send_count = 0;
    u->failed = NULL;
    return u->failed_count;
}

/* All failures of what was submitted are in the completion queue when enter returns, so it is emptied before
 * the next round: at most one submission queue of them at a time, in a completion queue four times as long.
 */
static void flush_round(struct uring *u)
{
    uring_enter_events(u);
    uring_reap(u);
}

void uring_send_complete(struct uring *u, struct tag tag, int32_t result)
{
    TC_ASSERT(u->failed); /* a send is never pending outside of its flush */
    TC_ASSERT(tag.generation == u->flush_number);
    TC_ASSERT(tag.slot < u->send_count);
    const struct uring_send *s = &u->sends[tag.slot];
    if (result >= 0 && (uint32_t)result >= s->size) return; /* whole after all */
    TC_ASSERT(u->failed_count < u->options.sends_max);
    struct io_sent *sent = &u->failed[u->failed_count++];
    *sent = (struct io_sent){.slot = s->slot};
    if (result >= 0)
        sent->taken = (uint32_t)result;
    else if (result != -EAGAIN)
        sent->error = result;
    u->io.counters.sent_bytes -= s->size - sent->taken;
    count_failed(&u->io.counters, sent);
}

static void count_failed(struct io_counters *c, const struct io_sent *sent)
{
    if (sent->error)
        c->sends_dead++;
    else if (sent->taken > 0)
        c->sends_part++;
    else
        c->sends_full++;
}
