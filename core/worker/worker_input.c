/* worker/worker_input.c -- bytes that arrived: handled at once, or held in their receive buffers while the
 * connection owes an answer (decision 8). */
#include "worker/worker_internal.h"

#include "base/assert.h"

static size_t consume(struct worker *w, struct conn *c, uint8_t *bytes, size_t size);
static void hold(struct worker *w, struct conn *c, uint32_t buffer, uint8_t *bytes, size_t size);
static void peer_ended(struct worker *w, struct conn *c, int32_t result);

void input_received(struct worker *w, struct conn *c, const struct io_event *e)
{
    if (e->result <= 0) {
        peer_ended(w, c, e->result);
        return;
    }
    if (!(c->flags & CF_PING_OUT)) c->alive_ms = w->now_ms;
    uint32_t size = (uint32_t)e->result, used = 0;
    uint32_t generation = c->generation;
    if (c->held_first == NO_BUFFER) used = (uint32_t)consume(w, c, e->bytes, size);
    if (c->generation != generation || c->state == CONN_FREE || used == size)
        w->io->ops->buffer_done(w->io, e->buffer);
    else
        hold(w, c, e->buffer, e->bytes + used, size - used);
}

/* Handles bytes until all are used, the connection is gone, or it must not be read on. Returns how many were
 * used. */
static size_t consume(struct worker *w, struct conn *c, uint8_t *bytes, size_t size)
{
    size_t used = 0;
    while (used < size && c->state != CONN_FREE && input_may_go_on(c)) {
        if (c->state == CONN_HTTP)
            used += http_input(w, c, bytes + used, size - used);
        else if (c->state == CONN_OPEN || c->state == CONN_CLOSING)
            used += ws_input(w, c, bytes + used, size - used);
        else
            return size; /* LINGER: dropped */
    }
    return used;
}

bool input_may_go_on(const struct conn *c)
{
    if (c->state == CONN_LINGER || c->state == CONN_CLOSING) return true;
    if (c->state == CONN_BODY || c->answer) return false;
    if (c->state == CONN_HTTP || (c->flags & CF_ECHO)) return c->rest_block == POOL_NONE;
    return true;
}

/* Keeps a buffer until the connection may be read on; buffers of one connection form a chain. */
static void hold(struct worker *w, struct conn *c, uint32_t buffer, uint8_t *bytes, size_t size)
{
    TC_ASSERT(buffer < RECEIVE_BUFFERS);
    w->buffer_next[buffer] = NO_BUFFER;
    w->buffer_at[buffer] = 0;
    w->buffer_size[buffer] = (uint16_t)size;
    w->buffer_bytes[buffer] = bytes;
    uint32_t *last = &c->held_first; /* few: from the second on the peer is paused */
    while (*last != NO_BUFFER) last = &w->buffer_next[*last];
    *last = buffer;
    /* One buffer in hand is what an answer in flight may cost; more, and the kernel's window stops the peer.
     */
    if (!(c->flags & CF_PAUSED) && ((c->flags & CF_FULL) || c->held_first != buffer)) {
        c->flags |= CF_PAUSED;
        w->io->ops->receive_pause(w->io, conn_slot(w, c));
    }
}

/* Handling a held buffer may end in a call from below (a close frame among the bytes makes the connection
 * linger, which goes on with its input): that one leaves the buffer to the first. */
void input_resume(struct worker *w, struct conn *c)
{
    if (c->flags & CF_RESUMING) return;
    uint32_t generation = c->generation;
    c->flags |= CF_RESUMING;
    while (c->held_first != NO_BUFFER && input_may_go_on(c)) {
        uint32_t buffer = c->held_first;
        size_t at = w->buffer_at[buffer];
        size_t used = consume(w, c, w->buffer_bytes[buffer] + at, w->buffer_size[buffer] - at);
        if (c->state == CONN_FREE || c->generation != generation)
            return; /* input_drop gave the buffers back */
        w->buffer_at[buffer] = (uint16_t)(at + used);
        if (w->buffer_at[buffer] < w->buffer_size[buffer]) break;
        c->held_first = w->buffer_next[buffer];
        w->io->ops->buffer_done(w->io, buffer);
    }
    c->flags &= ~(uint32_t)CF_RESUMING;
    if (c->held_first != NO_BUFFER || !input_may_go_on(c)) return;
    if (c->flags & CF_PAUSED) {
        c->flags &= ~(uint32_t)CF_PAUSED;
        w->io->ops->receive_resume(w->io, conn_slot(w, c));
    }
}

void input_drop(struct worker *w, struct conn *c)
{
    while (c->held_first != NO_BUFFER) {
        uint32_t buffer = c->held_first;
        c->held_first = w->buffer_next[buffer];
        w->io->ops->buffer_done(w->io, buffer);
    }
}

/* End of file or a dead socket. A peer that has only shut down its sending side can get nothing more of use
 * from a stream: RFC 6455 ends a connection with close frames, so an end of file without one ends it too. */
static void peer_ended(struct worker *w, struct conn *c, int32_t result)
{
    bool answering =
        result == 0 && (c->state == CONN_BODY || (c->state == CONN_HTTP && c->rest_block != POOL_NONE));
    if (answering) { /* HTTP: an answer under way is still wanted */
        c->flags &= ~(uint32_t)CF_KEEP_ALIVE;
        return;
    }
    conn_close(w, c, result < 0 ? IO_CLOSE_RESET : IO_CLOSE_FIN);
}
