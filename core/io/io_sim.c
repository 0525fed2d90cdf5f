/* io/io_sim.c -- the simulated network as a `struct io`: making it, and the life of a connection with the
 * worker. Sending, waiting, streams and the peers' side have their own files. */
#include "io/io_sim.h"

#include "base/assert.h"
#include "base/memory.h"
#include "io/io_sim_inner.h"

#include <errno.h>
#include <stdio.h>

static int open_all(struct sim *sim, struct fault *fault);
static int sim_listen(struct io *io, int listen_fd, uint32_t listener, struct fault *fault);
static void sim_listen_stop(struct io *io);
static int sim_attach(struct io *io, uint32_t slot, uint32_t generation, int32_t handle);
static void sim_refuse(struct io *io, int32_t handle, const void *bytes, uint32_t size);
static void sim_receive_pause(struct io *io, uint32_t slot);
static void sim_receive_resume(struct io *io, uint32_t slot);
static void sim_writable_arm(struct io *io, uint32_t slot);
static void sim_detach(struct io *io, uint32_t slot, int how);
static void sim_shutdown_write(struct io *io, uint32_t slot);
static int64_t sim_unsent(struct io *io, uint32_t slot);
static void sim_peer_name(struct io *io, int32_t handle, char *out, size_t size);
static void sim_slot_peer(struct io *io, uint32_t slot, char *out, size_t size);
static int sim_slot_dup(struct io *io, uint32_t slot);
static void sim_close(struct io *io);

static const struct io_ops ops = {
    .name = "sim",
    .listen = sim_listen,
    .listen_stop = sim_listen_stop,
    .attach = sim_attach,
    .refuse = sim_refuse,
    .receive_pause = sim_receive_pause,
    .receive_resume = sim_receive_resume,
    .buffer_done = sim_buffer_done,
    .writable_arm = sim_writable_arm,
    .detach = sim_detach,
    .shutdown_write = sim_shutdown_write,
    .send_add = sim_send_add,
    .send_flush = sim_send_flush,
    .wait = sim_wait,
    .unsent = sim_unsent,
    .peer = sim_peer_name,
    .slot_peer = sim_slot_peer,
    .slot_dup = sim_slot_dup,
    .close = sim_close,
};

struct sim *sim_open(const struct io_options *options, const struct sim_options *sim_options,
                     struct fault *fault)
{
    TC_ASSERT(options->slots > 0 && options->sends_max > 0 && options->buffers > 0 &&
              options->buffer_bytes > 0);
    TC_ASSERT(sim_options->peers_max > 0 && sim_options->window_max > 0);
    TC_ASSERT(sim_options->window_max <= UINT32_MAX / 2);
    struct sim *sim = memory_reserve(sizeof *sim);
    if (!sim) {
        fault_errno(fault, "sim: no address space");
        return NULL;
    }
    sim->io.ops = &ops;
    sim->options = *options;
    sim->sim_options = *sim_options;
    sim->now_ns = sim_options->start_ns;
    random_seed(&sim->random, sim_options->faults.seed);
    if (open_all(sim, fault) == 0) return sim;
    sim_close(&sim->io);
    return NULL;
}

/* Each peer has two windows' worth towards it (what is in its own machine, and what counts against its
 * window) and one from it. */
static size_t stream_bytes(const struct sim *sim)
{
    return (size_t)sim->sim_options.peers_max * sim->sim_options.window_max * 3;
}

static int open_all(struct sim *sim, struct fault *fault)
{
    const struct io_options *o = &sim->options;
    uint32_t peers = sim->sim_options.peers_max, window = sim->sim_options.window_max;
    sim->events_max = o->buffers + 4 * peers + 16;
    sim->conns = memory_reserve(peers * sizeof *sim->conns);
    sim->slots = memory_reserve(o->slots * sizeof *sim->slots);
    sim->sends = memory_reserve(o->sends_max * sizeof *sim->sends);
    sim->events = memory_reserve(sim->events_max * sizeof *sim->events);
    uint8_t *streams = memory_reserve(stream_bytes(sim));
    if (!sim->conns || !sim->slots || !sim->sends || !sim->events || !streams ||
        io_buffers_init(&sim->buffers, o->buffers, o->buffer_bytes) != 0)
        return fault_errno(fault, "sim: no address space for %u peers of %u bytes", peers, window);
    for (uint32_t i = 0; i < peers; i++) {
        uint8_t *at = streams + (size_t)i * window * 3;
        sim->conns[i].out = (struct sim_pipe){.at = at, .capacity = 2 * window};
        sim->conns[i].in = (struct sim_pipe){.at = at + (size_t)2 * window, .capacity = window};
    }
    for (uint32_t i = 0; i < o->slots; i++) sim->slots[i].conn = SIM_NONE;
    return 0;
}

static void sim_close(struct io *io)
{
    struct sim *sim = (struct sim *)io;
    if (sim->conns) memory_release(sim->conns[0].out.at, stream_bytes(sim));
    io_buffers_destroy(&sim->buffers);
    memory_release(sim->conns, sim->sim_options.peers_max * sizeof *sim->conns);
    memory_release(sim->slots, sim->options.slots * sizeof *sim->slots);
    memory_release(sim->sends, sim->options.sends_max * sizeof *sim->sends);
    memory_release(sim->events, sim->events_max * sizeof *sim->events);
    memory_release(sim, sizeof *sim);
}

struct io *sim_io(struct sim *sim)
{
    return &sim->io;
}

const struct sim_seen *sim_seen(const struct sim *sim)
{
    return &sim->seen;
}

uint32_t sim_buffers_lent(const struct sim *sim)
{
    return sim->buffers.count - sim->buffers.free_count;
}

uint64_t sim_digest(const struct sim *sim)
{
    return sim->digest;
}

/* ---- listening ---- */

static int sim_listen(struct io *io, int listen_fd, uint32_t listener, struct fault *fault)
{
    struct sim *sim = (struct sim *)io;
    (void)listen_fd; /* there is no descriptor here */
    if (listener >= LISTENERS_MAX)
        return fault_set(fault, TC_ELIMIT, "io: at most %u addresses to listen on; listen on fewer",
                         LISTENERS_MAX);
    TC_ASSERT(!sim->listeners[listener].on);
    sim->listeners[listener] = (struct sim_listener){.on = true};
    return 0;
}

static void sim_listen_stop(struct io *io)
{
    struct sim *sim = (struct sim *)io;
    for (uint32_t i = 0; i < LISTENERS_MAX; i++) sim->listeners[i].on = false;
    for (uint32_t i = 0; i < sim->conns_high; i++)
        if (sim->conns[i].side == SIM_BACKLOG) sim_side_close(sim, &sim->conns[i], IO_CLOSE_RESET);
}

static struct sim_conn *handle_of(struct sim *sim, int32_t handle)
{
    TC_ASSERT(handle >= 0 && (uint32_t)handle < sim->conns_high);
    struct sim_conn *c = &sim->conns[handle];
    TC_ASSERT(c->side == SIM_ACCEPTED); /* attached or refused once, and only what IO_ACCEPTED gave */
    return c;
}

static int sim_attach(struct io *io, uint32_t slot, uint32_t generation, int32_t handle)
{
    struct sim *sim = (struct sim *)io;
    struct sim_conn *c = handle_of(sim, handle);
    TC_ASSERT(slot < sim->options.slots);
    struct sim_slot *s = &sim->slots[slot];
    TC_ASSERT(s->conn == SIM_NONE);
    TC_ASSERT(!s->used ||
              s->generation != generation); /* late events of its last life would be taken for new */
    *s = (struct sim_slot){.conn = (uint32_t)handle, .generation = generation, .used = true};
    c->side = SIM_ATTACHED;
    c->slot = slot;
    c->generation = generation;
    c->wanted = true;
    if (sim_roll(sim, sim->sim_options.faults.reset_ppm)) {
        sim->seen.resets++;
        sim_reset(sim, c);
    }
    return 0;
}

static void sim_refuse(struct io *io, int32_t handle, const void *bytes, uint32_t size)
{
    struct sim *sim = (struct sim *)io;
    struct sim_conn *c = handle_of(sim, handle);
    uint32_t room = sim_room(c);
    if (!c->reset && !c->peer_closed) {
        uint32_t taken = size < room ? size : room;
        sim_out(sim, c, bytes, taken);
    }
    c->in.count = 0; /* drained, as a socket is: its request is no reason for a reset */
    sim_side_close(sim, c, IO_CLOSE_FIN);
}

static void sim_peer_name(struct io *io, int32_t handle, char *out, size_t size)
{
    snprintf(out, size, "%s", handle_of((struct sim *)io, handle)->address);
}

/* ---- an attached connection ---- */

struct sim_conn *sim_attached(struct sim *sim, uint32_t slot)
{
    TC_ASSERT(slot < sim->options.slots);
    TC_ASSERT(sim->slots[slot].conn != SIM_NONE); /* never attached, or used after detach */
    return &sim->conns[sim->slots[slot].conn];
}

static void sim_receive_pause(struct io *io, uint32_t slot)
{
    sim_attached((struct sim *)io, slot)->wanted = false;
}

static void sim_receive_resume(struct io *io, uint32_t slot)
{
    sim_attached((struct sim *)io, slot)->wanted = true;
}

void sim_buffer_done(struct io *io, uint32_t buffer)
{
    io_buffers_put(&((struct sim *)io)->buffers, buffer);
}

static void sim_writable_arm(struct io *io, uint32_t slot)
{
    struct sim *sim = (struct sim *)io;
    struct sim_conn *c = sim_attached(sim, slot);
    if (c->polled) return;
    c->polled = true;
    c->writable_at_ns = sim_delayed(sim);
}

static void sim_detach(struct io *io, uint32_t slot, int how)
{
    struct sim *sim = (struct sim *)io;
    struct sim_conn *c = sim_attached(sim, slot);
    TC_ASSERT(!c->offered); /* its bytes would go to whoever comes next */
    c->side = SIM_CLOSING;
    c->closing_how = how;
    c->wanted = c->polled = false;
    sim->slots[slot].conn = SIM_NONE;
}

static void sim_shutdown_write(struct io *io, uint32_t slot)
{
    sim_attached((struct sim *)io, slot)->out_ended = true;
}

static int64_t sim_unsent(struct io *io, uint32_t slot)
{
    return sim_attached((struct sim *)io, slot)->unacked;
}

static void sim_slot_peer(struct io *io, uint32_t slot, char *out, size_t size)
{
    struct sim *sim = (struct sim *)io;
    snprintf(out, size, "%s:%u", sim_attached(sim, slot)->address, sim->slots[slot].conn + 1);
}

/* A simulated connection has no descriptor that another thread could go on with. */
static int sim_slot_dup(struct io *io, uint32_t slot)
{
    sim_attached((struct sim *)io, slot);
    return -EOPNOTSUPP;
}

/* ---- checker ---- */

static void check_conn(const struct sim *sim, uint32_t index)
{
    const struct sim_conn *c = &sim->conns[index];
    TC_ASSERT(c->out.count <= c->out.capacity && c->in.count <= c->in.capacity);
    TC_ASSERT(c->unacked <= c->out.count);
    TC_ASSERT(c->out.count - c->unacked <= sim->sim_options.window_max);
    if (c->side == SIM_ATTACHED) TC_ASSERT(sim->slots[c->slot].conn == index);
    if (c->side != SIM_ATTACHED) TC_ASSERT(!c->wanted && !c->polled && !c->offered);
    if (c->reset) TC_ASSERT(c->in.count == 0);
}

void sim_check(const struct sim *sim)
{
    uint32_t attached = 0, slots = 0, lent = 0;
    for (uint32_t i = 0; i < sim->sim_options.peers_max; i++) {
        if (i >= sim->conns_high) TC_ASSERT(sim->conns[i].side == SIM_FREE);
        check_conn(sim, i);
        attached += sim->conns[i].side == SIM_ATTACHED;
    }
    for (uint32_t i = 0; i < sim->options.slots; i++) slots += sim->slots[i].conn != SIM_NONE;
    for (uint32_t i = 0; i < sim->buffers.count; i++) lent += sim->buffers.lent[i];
    TC_ASSERT(attached == slots);
    TC_ASSERT(lent + sim->buffers.free_count == sim->buffers.count);
    TC_ASSERT(sim->event_count <= sim->events_max);
}
