/* worker/worker_input.c -- bytes that arrived: handled at once, or held while the connection owes an answer
 * (decision 8).
 *
 * A receive buffer goes back before the next event is looked at: all connections of a worker share them, and
 * who does not read must not keep the others from being read. What has to wait is copied. The first block of
 * a connection is its own right; what a peer sends beyond it, before the receive is paused, comes out of room
 * that all share. */
#include "worker/worker_internal.h"

#include "base/assert.h"

static size_t consume(struct worker *w, struct conn *c, uint8_t *bytes, size_t size);
static void hold(struct worker *w, struct conn *c, const uint8_t *bytes, size_t size);
static struct input_block *block_at(struct worker *w, uint32_t block);
static struct input_block *block_add(struct worker *w, struct conn *c, struct input_block *last);
static void first_put(struct worker *w, struct conn *c);
static void no_room(struct worker *w, struct conn *c);
static void peer_ended(struct worker *w, struct conn *c, int32_t result);

void input_received(struct worker *w, struct conn *c, const struct io_event *e)
{
    if (e->result <= 0) {
        peer_ended(w, c, e->result);
        return;
    }
    size_t size = (size_t)e->result, used = 0;
    uint32_t generation = c->generation;
    if (c->held_first == POOL_NONE) used = consume(w, c, e->bytes, size);
    bool here = c->generation == generation && c->state != CONN_FREE;
    if (here && used < size) hold(w, c, e->bytes + used, size - used);
    w->io->ops->buffer_done(w->io, e->buffer);
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
    if (c->flags & CF_DEAF) return true;
    if (c->state == CONN_BODY || c->answer) return false;
    if (c->state == CONN_HTTP || (c->flags & CF_ECHO)) return c->rest_block == POOL_NONE;
    return true;
}

/* ---- What waits. ---- */

/* Keeps a copy until the connection may be read on. May close c. */
static void hold(struct worker *w, struct conn *c, const uint8_t *bytes, size_t size)
{
    bool first = c->held_first == POOL_NONE;
    struct input_block *last = first ? NULL : block_at(w, c->held_first);
    while (last && last->next != POOL_NONE) last = block_at(w, last->next); /* few: the peer is paused soon */
    while (size > 0) {
        if (!last || last->size == RECEIVE_BUFFER_BYTES) last = block_add(w, c, last);
        if (!last) {
            no_room(w, c);
            return;
        }
        size_t take = min_u64(size, RECEIVE_BUFFER_BYTES - last->size);
        memcpy(last->bytes + last->size, bytes, take);
        last->size = (uint16_t)(last->size + take);
        bytes += take;
        size -= take;
    }
    /* What one receive brought is what an answer in flight may cost; more, and the kernel's window stops the
     * peer. */
    if (!(c->flags & CF_PAUSED) && ((c->flags & CF_FULL) || !first)) {
        c->flags |= CF_PAUSED;
        w->io->ops->receive_pause(w->io, conn_slot(w, c));
    }
}

static struct input_block *block_at(struct worker *w, uint32_t block)
{
    TC_ASSERT(block < w->inputs.touched);
    return (struct input_block *)(void *)pool_at(&w->inputs, block);
}

/* One more behind last (NULL: the connection's first). NULL: what is shared is used up. */
static struct input_block *block_add(struct worker *w, struct conn *c, struct input_block *last)
{
    if (last && w->inputs_more == memory_inputs_more(w->settings)) return NULL;
    uint32_t block = pool_get(&w->inputs);
    TC_ASSERT(block != POOL_NONE); /* worker_create reserved both kinds */
    struct input_block *b = block_at(w, block);
    b->next = POOL_NONE;
    b->at = b->size = 0;
    if (last) {
        last->next = block;
        w->inputs_more++;
    } else {
        c->held_first = block;
    }
    return b;
}

static void first_put(struct worker *w, struct conn *c)
{
    uint32_t block = c->held_first;
    c->held_first = block_at(w, block)->next;
    if (c->held_first != POOL_NONE) {
        TC_ASSERT(w->inputs_more > 0);
        w->inputs_more--;
    }
    pool_put(&w->inputs, block);
}

/* What was held cannot be handled without what came behind it: nothing more is read. */
static void no_room(struct worker *w, struct conn *c)
{
    input_drop(w, c);
    if (c->flags & CF_UPGRADED) {
        c->flags |= CF_FAILED | CF_DEAF;
        limit_close(w, c, LIMIT_INPUT_MEMORY, WS_TRY_LATER, "memory");
        return;
    }
    limit_met(w, LIMIT_INPUT_MEMORY);
    counter_add(&w->counters.closed_limit_total, 1);
    conn_close(w, c, IO_CLOSE_RESET); /* inside an answer: nothing else can be said */
}

/* Handling what was held may end in a call from below (a close frame among the bytes makes the connection
 * linger, which goes on with its input): that one leaves it to the first. */
void input_resume(struct worker *w, struct conn *c)
{
    if (c->flags & CF_RESUMING) return;
    uint32_t generation = c->generation;
    c->flags |= CF_RESUMING;
    while (c->held_first != POOL_NONE && input_may_go_on(c)) {
        struct input_block *b = block_at(w, c->held_first);
        size_t used = consume(w, c, b->bytes + b->at, (size_t)b->size - b->at);
        if (c->state == CONN_FREE || c->generation != generation)
            return; /* input_drop gave the blocks back */
        b->at = (uint16_t)(b->at + used);
        if (b->at < b->size) break;
        first_put(w, c);
    }
    c->flags &= ~(uint32_t)CF_RESUMING;
    if (c->held_first != POOL_NONE || !input_may_go_on(c)) return;
    if (c->flags & CF_PAUSED) {
        c->flags &= ~(uint32_t)CF_PAUSED;
        w->io->ops->receive_resume(w->io, conn_slot(w, c));
    }
}

void input_drop(struct worker *w, struct conn *c)
{
    while (c->held_first != POOL_NONE) first_put(w, c);
}

/* ---- The end of it. ---- */

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
