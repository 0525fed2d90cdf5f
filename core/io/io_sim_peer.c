/* io/io_sim_peer.c -- the other side of the simulated network: what a test does as a peer, and the clock. */
#include "io/io_sim_inner.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <stdio.h>

static struct sim_conn *peer_of(const struct sim *sim, int32_t peer);
static uint64_t conn_next_ns(const struct sim *sim, const struct sim_conn *c);

int32_t sim_connect(struct sim *sim, uint32_t listener)
{
    return sim_connect_from(sim, listener, "192.0.2.1");
}

int32_t sim_connect_from(struct sim *sim, uint32_t listener, const char *address)
{
    if (listener >= LISTENERS_MAX || !sim->listeners[listener].on) return SIM_REFUSED;
    uint32_t at = 0;
    while (at < sim->sim_options.peers_max && sim->conns[at].side != SIM_FREE) at++;
    if (at == sim->sim_options.peers_max) return SIM_REFUSED;
    if (at >= sim->conns_high) sim->conns_high = at + 1;
    struct sim_conn *c = &sim->conns[at];
    struct sim_pipe out = c->out, in = c->in;
    out.count = in.count = 0;
    *c = (struct sim_conn){.side = SIM_BACKLOG, .listener = listener, .out = out, .in = in};
    c->window = sim->sim_options.window_max;
    c->accept_at_ns = sim_delayed(sim);
    c->half_open = sim_roll(sim, sim->sim_options.faults.half_open_ppm);
    sim->seen.half_opens += c->half_open;
    snprintf(c->address, sizeof c->address, "%s", address);
    return (int32_t)at;
}

static struct sim_conn *peer_of(const struct sim *sim, int32_t peer)
{
    TC_ASSERT(peer >= 0 && (uint32_t)peer < sim->conns_high);
    struct sim_conn *c = &sim->conns[peer];
    TC_ASSERT(c->side != SIM_FREE);
    TC_ASSERT(!c->peer_freed);
    return c;
}

uint32_t sim_peer_send(struct sim *sim, int32_t peer, const void *bytes, uint32_t size)
{
    struct sim_conn *c = peer_of(sim, peer);
    if (c->reset || c->in_ended || c->peer_closed) return 0;
    if (c->side == SIM_CLOSED) { /* nobody there: the answer is a reset */
        sim_reset(sim, c);
        return 0;
    }
    size = min_u32(size, c->in.capacity - c->in.count);
    if (size == 0) return 0;
    if (c->in.count == 0) c->receive_at_ns = max_u64(c->receive_at_ns, sim_delayed(sim));
    sim_pipe_put(&c->in, bytes, size);
    return size;
}

uint32_t sim_peer_cuts(const struct sim *sim, int32_t peer)
{
    return peer_of(sim, peer)->cuts;
}

uint32_t sim_peer_readable(const struct sim *sim, int32_t peer)
{
    const struct sim_conn *c = peer_of(sim, peer);
    return c->half_open || c->peer_closed ? 0 : c->out.count;
}

uint32_t sim_peer_read(struct sim *sim, int32_t peer, void *out, uint32_t size)
{
    struct sim_conn *c = peer_of(sim, peer);
    size = min_u32(size, sim_peer_readable(sim, peer));
    if (size == 0) return 0;
    bool was_full = sim_room(c) == 0;
    sim_pipe_get(&c->out, out, size);
    c->unacked = min_u32(c->unacked, c->out.count);
    if (was_full && sim_room(c) > 0) c->writable_at_ns = sim_delayed(sim);
    return size;
}

enum sim_end sim_peer_end(const struct sim *sim, int32_t peer)
{
    const struct sim_conn *c = peer_of(sim, peer);
    if (c->out.count > 0 && !c->half_open && !c->peer_closed) return SIM_OPEN;
    if (c->reset) return SIM_RESET;
    return c->out_ended && c->out.count == 0 ? SIM_EOF : SIM_OPEN;
}

void sim_peer_window(struct sim *sim, int32_t peer, uint32_t bytes)
{
    struct sim_conn *c = peer_of(sim, peer);
    TC_ASSERT(bytes <= sim->sim_options.window_max);
    bool was_full = sim_room(c) == 0;
    c->window = bytes;
    if (was_full && sim_room(c) > 0) c->writable_at_ns = sim_delayed(sim);
}

void sim_peer_shutdown(struct sim *sim, int32_t peer)
{
    struct sim_conn *c = peer_of(sim, peer);
    if (c->in_ended || c->reset) return;
    c->in_ended = true;
    if (c->in.count == 0) c->receive_at_ns = max_u64(c->receive_at_ns, sim_delayed(sim));
}

void sim_peer_close(struct sim *sim, int32_t peer, int how)
{
    struct sim_conn *c = peer_of(sim, peer);
    if (c->peer_closed) return;
    if (how == IO_CLOSE_RESET || c->out.count > 0)
        sim_reset(sim, c);
    else
        sim_peer_shutdown(sim, peer);
    c->peer_closed = true;
    c->out.count = c->unacked = 0;
}

void sim_peer_free(struct sim *sim, int32_t peer)
{
    sim_peer_close(sim, peer, IO_CLOSE_FIN);
    struct sim_conn *c = peer_of(sim, peer);
    c->peer_freed = true;
    sim_conn_reclaim(sim, c);
}

/* ---- clock ---- */

uint64_t sim_now_ns(const struct sim *sim)
{
    return sim->now_ns;
}

void sim_advance_to(struct sim *sim, uint64_t now_ns)
{
    TC_ASSERT(now_ns >= sim->now_ns);
    sim->now_ns = now_ns;
}

uint64_t sim_sleep_until_ns(const struct sim *sim)
{
    return sim->sleep_until_ns;
}

uint64_t sim_next_ns(const struct sim *sim)
{
    uint64_t next = sim->sleep_until_ns > 0 ? sim->sleep_until_ns : UINT64_MAX;
    if (sim->event_count > 0 || sim->wakes > 0) next = sim->now_ns;
    for (uint32_t i = 0; i < sim->conns_high; i++) next = min_u64(next, conn_next_ns(sim, &sim->conns[i]));
    return max_u64(next, sim->now_ns);
}

static uint64_t conn_next_ns(const struct sim *sim, const struct sim_conn *c)
{
    uint64_t next = UINT64_MAX;
    const struct sim_listener *l = &sim->listeners[c->listener];
    if (c->side == SIM_BACKLOG && l->on) return max_u64(c->accept_at_ns, l->rest_until_ns);
    if (c->side != SIM_ATTACHED) return c->side == SIM_CLOSING ? sim->now_ns : next;
    bool bytes = c->in.count > 0 && sim->buffers.free_count > 0;
    if (c->wanted && !c->ended_told && (bytes || (c->in.count == 0 && (c->reset || c->in_ended))))
        next = c->receive_at_ns;
    bool room = c->reset || c->peer_closed || sim_room(c) > 0 || (c->in_ended && !c->half_told);
    return c->polled && room ? min_u64(next, c->writable_at_ns) : next;
}

void sim_wake(struct sim *sim)
{
    sim->wakes++;
}

void sim_heal(struct sim *sim)
{
    sim->sim_options.faults = (struct sim_faults){.seed = sim->sim_options.faults.seed};
    for (uint32_t i = 0; i < sim->conns_high; i++) sim->conns[i].half_open = false;
}
