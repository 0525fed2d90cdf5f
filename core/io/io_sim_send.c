/* io/io_sim_send.c -- the simulated network takes sends: whole, in part, or not at all. */
#include "io/io_sim_inner.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <errno.h>

static bool send_one(struct sim *sim, const struct sim_send *s, struct io_sent *sent);
static void free_room(struct sim *sim, struct sim_conn *c);
static uint32_t take(struct sim *sim, struct sim_conn *c, const struct sim_send *s);

void sim_send_add(struct io *io, uint32_t slot, const void *bytes, uint32_t size)
{
    struct sim *sim = (struct sim *)io;
    struct sim_conn *c = sim_attached(sim, slot);
    TC_ASSERT(size > 0);
    TC_ASSERT(sim->send_count < sim->options.sends_max);
    TC_ASSERT(!c->offered); /* at most one send per slot between two flushes: decision 2 */
    c->offered = true;
    sim->sends[sim->send_count++] =
        (struct sim_send){.bytes = bytes, .conn = (uint32_t)(c - sim->conns), .size = size};
}

uint32_t sim_send_flush(struct io *io, struct io_sent *failed)
{
    struct sim *sim = (struct sim *)io;
    uint32_t failed_count = 0;
    io->counters.enters++;
    for (uint32_t i = 0; i < sim->send_count; i++)
        if (!send_one(sim, &sim->sends[i], &failed[failed_count])) failed_count++;
    io->counters.sends += sim->send_count;
    sim->send_count = 0;
    if (sim_roll(sim, sim->sim_options.faults.early_ppm)) {
        sim->seen.earlies++;
        sim_collect(sim);
    }
    return failed_count;
}

static bool send_one(struct sim *sim, const struct sim_send *s, struct io_sent *sent)
{
    struct sim_conn *c = &sim->conns[s->conn];
    struct io_counters *count = &sim->io.counters;
    c->offered = false;
    *sent = (struct io_sent){.slot = c->slot};
    if (sim_roll(sim, sim->sim_options.faults.reset_ppm) && !c->reset) {
        sim->seen.resets++;
        sim_reset(sim, c);
    }
    if (c->reset || c->out_ended) {
        sent->error = c->out_ended || c->ended_told ? -EPIPE : -ECONNRESET;
        count->sends_dead++;
        return false;
    }
    free_room(sim, c);
    sent->taken = take(sim, c, s);
    count->sent_bytes += sent->taken;
    if (sent->taken == s->size) return true;
    c->cuts++;
    if (sent->taken > 0)
        count->sends_part++;
    else
        count->sends_full++;
    return false;
}

/* Between two sends of one flush an acknowledgement may come in and make room: the network moved bytes on to
 * the peer's machine, which holds another window's worth. */
static void free_room(struct sim *sim, struct sim_conn *c)
{
    if (c->half_open || c->unacked == 0 || !sim_roll(sim, sim->sim_options.faults.room_ppm)) return;
    uint32_t beyond = c->out.count - c->unacked;
    uint32_t most = min_u32(c->unacked, sim->sim_options.window_max - beyond);
    if (most == 0) return;
    sim->seen.rooms++;
    c->unacked -= 1 + (uint32_t)random_below(&sim->random, most);
}

static uint32_t take(struct sim *sim, struct sim_conn *c, const struct sim_send *s)
{
    const struct sim_faults *f = &sim->sim_options.faults;
    if (c->peer_closed) { /* the bytes go out; what comes back is a reset */
        sim_reset(sim, c);
        return s->size;
    }
    uint32_t taken = min_u32(sim_room(c), s->size);
    if (taken > 0 && sim_roll(sim, f->full_ppm)) {
        sim->seen.fulls++;
        taken = 0;
    } else if (taken > 0 && sim_roll(sim, f->short_ppm)) {
        sim->seen.shorts++;
        taken = (uint32_t)random_below(&sim->random, taken);
    }
    sim_out(sim, c, s->bytes, taken);
    return taken;
}
