/* io/io_sim_wait.c -- what the simulated network shows the worker. Two steps as in a ring: what is visible
 * becomes events in hand (sim_collect), and those are handed out, perhaps later and in another order; what
 * was detached meanwhile is dropped at that last moment. */
#include "io/io_sim_inner.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/sanitize.h"
#include "io/io_socket.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_PER_CONN 3 /* most that one connection adds in one collection */

static void close_detached(struct sim *sim);
static void collect_wake(struct sim *sim);
static void collect_conn(struct sim *sim, struct sim_conn *c);
static void collect_accept(struct sim *sim, struct sim_conn *c);
static void collect_receive(struct sim *sim, struct sim_conn *c);
static void receive_bytes(struct sim *sim, struct sim_conn *c);
static void collect_writable(struct sim *sim, struct sim_conn *c);
static void add(struct sim *sim, struct io_event event);
static uint32_t pick(struct sim *sim);
static bool is_stale(const struct sim *sim, const struct io_event *event);

uint32_t sim_wait(struct io *io, struct io_event *out, uint32_t count_max, uint64_t wait_ns)
{
    struct sim *sim = (struct sim *)io;
    TC_ASSERT(sim->send_count == 0); /* what was offered is flushed in the same turn */
    io->counters.enters++;
    close_detached(sim);
    sim_collect(sim);
    uint32_t count = 0;
    if (sim->event_count > 0 && sim_roll(sim, sim->sim_options.faults.queue_ppm)) {
        uint32_t room = 1 + (uint32_t)random_below(&sim->random, 3);
        sim->seen.queues += room < sim->event_count;
        count_max = min_u32(count_max, room);
    }
    while (count < count_max && sim->event_count > 0) {
        uint32_t at = pick(sim);
        out[count] = sim->events[at];
        sim->event_count--;
        memmove(&sim->events[at], &sim->events[at + 1], (sim->event_count - at) * sizeof sim->events[0]);
        if (!is_stale(sim, &out[count])) {
            count++;
            continue;
        }
        sim->seen.stale++;
        if (out[count].op == IO_RECEIVED && out[count].result > 0) sim_buffer_done(io, out[count].buffer);
    }
    sim->sleep_until_ns =
        count == 0 && wait_ns > 0 ? sim->now_ns + min_u64(wait_ns, UINT64_MAX - sim->now_ns) : 0;
    return count;
}

static void close_detached(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conns_high; i++)
        if (sim->conns[i].side == SIM_CLOSING) sim_side_close(sim, &sim->conns[i], sim->conns[i].closing_how);
}

/* Starts at a random connection, so that none is always first. */
void sim_collect(struct sim *sim)
{
    collect_wake(sim);
    uint32_t high = sim->conns_high;
    uint32_t start = high > 0 ? (uint32_t)random_below(&sim->random, high) : 0;
    for (uint32_t i = 0; i < high; i++) {
        if (sim->event_count + EVENTS_PER_CONN > sim->events_max) return; /* the rest at the next wait */
        collect_conn(sim, &sim->conns[(start + i) % high]);
    }
}

static void collect_wake(struct sim *sim)
{
    uint64_t count;
    if (sim->options.wake_fd >= 0 &&
        read(sim->options.wake_fd, &count, sizeof count) == (ssize_t)sizeof count)
        sim->wakes++;
    if (sim->wakes == 0 || sim->event_count + EVENTS_PER_CONN > sim->events_max) return;
    sim->wakes = 0;
    add(sim, (struct io_event){.op = IO_WOKEN});
}

static void collect_conn(struct sim *sim, struct sim_conn *c)
{
    if (c->side == SIM_BACKLOG) collect_accept(sim, c);
    if (c->side != SIM_ATTACHED) return;
    if (c->wanted && sim->now_ns >= c->receive_at_ns) collect_receive(sim, c);
    if (c->polled) collect_writable(sim, c);
}

static void collect_accept(struct sim *sim, struct sim_conn *c)
{
    struct sim_listener *l = &sim->listeners[c->listener];
    if (!l->on || sim->now_ns < l->rest_until_ns || sim->now_ns < c->accept_at_ns) return;
    if (sim_roll(sim, sim->sim_options.faults.accept_error_ppm)) {
        sim->seen.accept_errors++;
        sim->io.counters.accept_errors++;
        l->rest_until_ns = sim->now_ns + IO_ACCEPT_REST_NS;
        add(sim, (struct io_event){.op = IO_ACCEPTED, .result = -EMFILE, .listener = c->listener});
        return;
    }
    c->side = SIM_ACCEPTED;
    sim->io.counters.accepts++;
    add(sim,
        (struct io_event){.op = IO_ACCEPTED, .result = (int32_t)(c - sim->conns), .listener = c->listener});
}

static void collect_receive(struct sim *sim, struct sim_conn *c)
{
    const struct sim_faults *f = &sim->sim_options.faults;
    if (c->ended_told) return;
    if (!c->reset && c->in.count > 0 && sim_roll(sim, f->reset_ppm)) {
        sim->seen.resets++;
        sim_reset(sim, c);
    }
    if (c->in.count > 0) {
        receive_bytes(sim, c);
    } else if (c->reset || c->in_ended) {
        c->ended_told = true;
        add(sim, (struct io_event){.op = IO_RECEIVED,
                                   .slot = c->slot,
                                   .generation = c->generation,
                                   .result = c->reset ? -ECONNRESET : 0});
    }
}

static void receive_bytes(struct sim *sim, struct sim_conn *c)
{
    bool refused = sim_roll(sim, sim->sim_options.faults.no_buffer_ppm);
    uint32_t buffer = refused ? IO_BUFFER_NONE : io_buffers_get(&sim->buffers);
    if (buffer == IO_BUFFER_NONE) {
        sim->seen.no_buffers += refused;
        sim->io.counters.receive_no_buffer++;
        if (refused) c->receive_at_ns = sim_delayed(sim);
        return;
    }
    uint32_t size = min_u32(c->in.count, sim->buffers.bytes);
    if (sim_roll(sim, sim->sim_options.faults.short_ppm))
        size = 1 + (uint32_t)random_below(&sim->random, size);
    uint8_t *bytes = io_buffers_at(&sim->buffers, buffer);
    sim_pipe_get(&c->in, bytes, size);
    TC_POISON(bytes + size, sim->buffers.bytes - size);
    sim->io.counters.receives++;
    sim->io.counters.received_bytes += size;
    add(sim, (struct io_event){.op = IO_RECEIVED,
                               .slot = c->slot,
                               .generation = c->generation,
                               .result = (int32_t)size,
                               .buffer = buffer,
                               .bytes = bytes});
}

static void collect_writable(struct sim *sim, struct sim_conn *c)
{
    bool half = c->in_ended && !c->half_told;
    bool due = sim->now_ns >= c->writable_at_ns && (c->reset || half || c->peer_closed || sim_room(c) > 0);
    if (!due && sim_roll(sim, sim->sim_options.faults.writable_ppm)) {
        sim->seen.spurious++;
        due = true;
    }
    if (!due) return;
    if (half) c->half_told = true;
    c->polled = false;
    add(sim, (struct io_event){.op = IO_WRITABLE, .slot = c->slot, .generation = c->generation});
}

static void add(struct sim *sim, struct io_event event)
{
    TC_ASSERT(sim->event_count < sim->events_max);
    sim->events[sim->event_count++] = event;
}

/* The next event to hand out: the first, or by fault any; but the bytes of one connection keep their order.
 */
static uint32_t pick(struct sim *sim)
{
    if (sim->event_count < 2 || !sim_roll(sim, sim->sim_options.faults.reorder_ppm)) return 0;
    uint32_t at = (uint32_t)random_below(&sim->random, sim->event_count);
    const struct io_event *e = &sim->events[at];
    for (uint32_t i = 0; e->op == IO_RECEIVED && i < at; i++)
        if (sim->events[i].op == IO_RECEIVED && sim->events[i].slot == e->slot) at = i;
    sim->seen.reorders += at != 0;
    return at;
}

static bool is_stale(const struct sim *sim, const struct io_event *event)
{
    if (event->op == IO_ACCEPTED || event->op == IO_WOKEN) return false;
    const struct sim_slot *s = &sim->slots[event->slot];
    return s->conn == SIM_NONE || s->generation != event->generation;
}
