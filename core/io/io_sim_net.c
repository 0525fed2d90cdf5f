/* io/io_sim_net.c -- the simulated network's streams: pipes, windows, resets, and the dice. */
#include "io/io_sim_inner.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <string.h>

bool sim_roll(struct sim *sim, uint32_t ppm)
{
    return ppm > 0 && random_below(&sim->random, 1000000) < ppm;
}

uint64_t sim_delayed(struct sim *sim)
{
    uint64_t most = sim->sim_options.faults.delay_ns_max;
    return sim->now_ns + (most > 0 ? random_below(&sim->random, most + 1) : 0);
}

void sim_pipe_put(struct sim_pipe *p, const uint8_t *bytes, uint32_t size)
{
    TC_ASSERT(size <= p->capacity - p->count);
    if (p->count == 0) p->first = 0;
    uint32_t at = (p->first + p->count) % p->capacity;
    uint32_t straight = min_u32(size, p->capacity - at);
    memcpy(p->at + at, bytes, straight);
    memcpy(p->at, bytes + straight, size - straight);
    p->count += size;
}

void sim_pipe_get(struct sim_pipe *p, uint8_t *out, uint32_t size)
{
    TC_ASSERT(size <= p->count);
    uint32_t straight = min_u32(size, p->capacity - p->first);
    if (out) {
        memcpy(out, p->at + p->first, straight);
        memcpy(out + straight, p->at, size - straight);
    }
    p->first = (p->first + size) % p->capacity;
    p->count -= size;
}

static uint64_t digest(uint64_t hash, const uint8_t *bytes, uint32_t size)
{
    for (; size >= 8; bytes += 8, size -= 8)
        hash = (hash ^ load_le64(bytes)) * UINT64_C(0x9e3779b97f4a7c15), hash ^= hash >> 29;
    for (; size > 0; bytes++, size--) hash = (hash ^ *bytes) * UINT64_C(0x100000001b3);
    return hash;
}

void sim_out(struct sim *sim, struct sim_conn *c, const uint8_t *bytes, uint32_t size)
{
    sim->digest = digest(sim->digest ^ ((uint64_t)(c - sim->conns) << 32 | size), bytes, size);
    sim_pipe_put(&c->out, bytes, size);
    c->unacked += size;
}

uint32_t sim_room(const struct sim_conn *c)
{
    return c->window > c->unacked ? c->window - c->unacked : 0;
}

/* Dead for both sides. Of what was under way to the peer a random first part survives, as in a real network.
 */
void sim_reset(struct sim *sim, struct sim_conn *c)
{
    if (c->reset) return;
    c->reset = true;
    c->in.count = 0;
    if (c->out.count > 0) c->out.count = (uint32_t)random_below(&sim->random, (uint64_t)c->out.count + 1);
    c->unacked = min_u32(c->unacked, c->out.count);
    c->receive_at_ns = c->writable_at_ns = sim->now_ns;
}

/* The worker's side closes. Unread bytes turn it into a reset, as the kernel does. */
void sim_side_close(struct sim *sim, struct sim_conn *c, int how)
{
    if (how == IO_CLOSE_RESET || c->in.count > 0) sim_reset(sim, c);
    c->out_ended = true;
    c->side = SIM_CLOSED;
    sim_conn_reclaim(sim, c);
}

void sim_conn_reclaim(struct sim *sim, struct sim_conn *c)
{
    if (c->side != SIM_CLOSED || !c->peer_freed) return;
    c->side = SIM_FREE;
    while (sim->conns_high > 0 && sim->conns[sim->conns_high - 1].side == SIM_FREE) sim->conns_high--;
}
