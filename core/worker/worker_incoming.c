/* worker/worker_incoming.c -- a client's message between its first byte and its last.
 *
 * It has --message-timeout from its first byte (conn_timer_set), whatever arrives meanwhile: who sends a byte
 * now and then would otherwise stay for ever, and nearly always such a peer means harm. A message in pieces
 * holds an assembly besides. There are few: where all are taken, the one held for longest goes to the next
 * that asks, once MESSAGE_GRACE_MS are over, which is more than an honest message needs between two segments.
 */
#include "worker/worker_internal.h"

#include "base/assert.h"

_Static_assert(sizeof(struct incoming) <= 64, "a head cut by a read costs one small block of the heap");

static struct assembly_head *head_at(const struct worker *w, uint32_t block);
static bool take_from_longest(struct worker *w);
static void chain(struct worker *w, struct conn *c);
static void unchain(struct worker *w, uint32_t block);

bool incoming_keep(struct worker *w, struct conn *c, const struct ws_reader *reader)
{
    if (ws_reader_idle(reader)) {
        heap_put(&w->groups.heap, c->incoming, sizeof *c->incoming);
        c->incoming = NULL;
        return true;
    }
    if (c->incoming) return true;
    c->incoming = heap_get(&w->groups.heap, sizeof *c->incoming);
    if (!c->incoming) return false;
    *c->incoming = (struct incoming){.reader = *reader, .begun_ms = w->now_ms};
    conn_timer_set(w, c);
    return true;
}

bool incoming_hold(struct worker *w, struct conn *c)
{
    TC_ASSERT(c->block == POOL_NONE);
    c->block = pool_get(&w->assemblies);
    if (c->block == POOL_NONE && take_from_longest(w)) c->block = pool_get(&w->assemblies);
    if (c->block == POOL_NONE) return false;
    chain(w, c);
    return true;
}

/* The chain is in order of age: its first is the one. */
static bool take_from_longest(struct worker *w)
{
    if (w->assembly_oldest == POOL_NONE) return false;
    const struct assembly_head *longest = head_at(w, w->assembly_oldest);
    if (ms_since(w->now_ms, longest->since_ms) < MESSAGE_GRACE_MS) return false;
    incoming_end(w, conn_at(w, longest->slot), LIMIT_MESSAGE_MEMORY);
    return true;
}

void incoming_end(struct worker *w, struct conn *c, enum limit which)
{
    incoming_drop(w, c);
    if (c->state == CONN_CLOSING) { /* it would not have finished its close frame either */
        conn_linger(w, c);
        return;
    }
    c->flags |= CF_FAILED | CF_DEAF;
    limit_close(w, c, which, WS_POLICY, limit_word(which));
}

void incoming_drop(struct worker *w, struct conn *c)
{
    incoming_give_back(w, c);
    heap_put(&w->groups.heap, c->incoming, sizeof *c->incoming);
    c->incoming = NULL;
}

/* ---- Assemblies. ---- */

static struct assembly_head *head_at(const struct worker *w, uint32_t block)
{
    return (struct assembly_head *)(void *)pool_at(&w->assemblies, block);
}

struct ws_assembly *incoming_assembly(struct worker *w, struct conn *c)
{
    if (c->block == POOL_NONE) return NULL;
    return (struct ws_assembly *)(head_at(w, c->block) + 1);
}

void incoming_outbound(struct worker *w, struct conn *c)
{
    unchain(w, c->block);
}

void incoming_give_back(struct worker *w, struct conn *c)
{
    if (c->block == POOL_NONE) return;
    unchain(w, c->block);
    pool_put(&w->assemblies, c->block);
    c->block = POOL_NONE;
}

static void chain(struct worker *w, struct conn *c)
{
    *head_at(w, c->block) = (struct assembly_head){
        .slot = conn_slot(w, c), .older = w->assembly_newest, .newer = POOL_NONE, .since_ms = w->now_ms};
    if (w->assembly_newest == POOL_NONE)
        w->assembly_oldest = c->block;
    else
        head_at(w, w->assembly_newest)->newer = c->block;
    w->assembly_newest = c->block;
}

static void unchain(struct worker *w, uint32_t block)
{
    struct assembly_head *h = head_at(w, block);
    if (h->slot == UINT32_MAX) return;
    h->slot = UINT32_MAX;
    if (h->older == POOL_NONE)
        w->assembly_oldest = h->newer;
    else
        head_at(w, h->older)->newer = h->newer;
    if (h->newer == POOL_NONE)
        w->assembly_newest = h->older;
    else
        head_at(w, h->newer)->older = h->older;
}

void incoming_check(const struct worker *w)
{
    uint32_t held = 0, outbound = 0, older = POOL_NONE;
    for (uint32_t slot = 0; slot < w->conn_touched; slot++) {
        const struct conn *c = &w->conns[slot];
        if (c->state == CONN_FREE || !(c->flags & CF_UPGRADED) || c->block == POOL_NONE) continue;
        held++;
        outbound += c->rest_block == REST_IN_ASSEMBLY;
    }
    TC_ASSERT(held == w->assemblies.in_use);
    for (uint32_t at = w->assembly_oldest; at != POOL_NONE; at = head_at(w, at)->newer) {
        const struct assembly_head *h = head_at(w, at);
        TC_ASSERT(h->older == older);
        TC_ASSERT(h->slot < w->conn_touched);
        TC_ASSERT(w->conns[h->slot].block == at);
        TC_ASSERT(w->conns[h->slot].incoming != NULL);
        TC_ASSERT(older == POOL_NONE || (int32_t)(h->since_ms - head_at(w, older)->since_ms) >= 0);
        older = at;
        TC_ASSERT(held-- > outbound); /* ends, and leaves out what is on its way out */
    }
    TC_ASSERT(older == w->assembly_newest);
    TC_ASSERT(held == outbound);
}
