/* io/io_epoll.c -- the epoll back end, for kernels and containers that forbid io_uring: making it, the life
 * of a connection, and waiting. Start reading in epoll_io_wait. Equal in behaviour to io_uring, one system
 * call per operation. Thread: the one that opened it. */
#include "io/io_epoll_inner.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/memory.h"
#include "io/io_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_all(struct epoll *e, struct fault *fault);
static int epoll_attach(struct io *io, uint32_t slot, uint32_t generation, int32_t handle);
static void epoll_refuse(struct io *io, int32_t handle, const void *bytes, uint32_t size);
static void epoll_detach(struct io *io, uint32_t slot, int how);
static void epoll_shutdown_write(struct io *io, uint32_t slot);
static void epoll_writable_arm(struct io *io, uint32_t slot);
static uint32_t epoll_io_wait(struct io *io, struct io_event *out, uint32_t count_max, uint64_t wait_ns);
static int64_t epoll_unsent(struct io *io, uint32_t slot);
static void epoll_peer(struct io *io, int32_t handle, char *out, size_t size);
static void epoll_slot_peer(struct io *io, uint32_t slot, char *out, size_t size);
static int epoll_slot_dup(struct io *io, uint32_t slot);
static void epoll_io_close(struct io *io);

static const struct io_ops ops = {
    .name = "epoll",
    .listen = epoll_listen,
    .listen_stop = epoll_listen_stop,
    .attach = epoll_attach,
    .refuse = epoll_refuse,
    .receive_pause = epoll_receive_pause,
    .receive_resume = epoll_receive_resume,
    .buffer_done = epoll_buffer_done,
    .writable_arm = epoll_writable_arm,
    .detach = epoll_detach,
    .shutdown_write = epoll_shutdown_write,
    .send_add = epoll_send_add,
    .send_flush = epoll_send_flush,
    .wait = epoll_io_wait,
    .unsent = epoll_unsent,
    .peer = epoll_peer,
    .slot_peer = epoll_slot_peer,
    .slot_dup = epoll_slot_dup,
    .close = epoll_io_close,
};

struct io *io_epoll_open(const struct io_options *options, struct fault *fault)
{
    TC_ASSERT(options->slots > 0 && options->slots <= TAG_SLOTS_MAX);
    TC_ASSERT(options->sends_max > 0 && options->buffers > 0 && options->buffer_bytes > 0);
    struct epoll *e = memory_reserve(sizeof *e);
    if (!e) {
        fault_errno(fault, "io: no address space");
        return NULL;
    }
    e->io.ops = &ops;
    e->options = *options;
    e->fd = -1;
    if (open_all(e, fault) != 0) {
        epoll_io_close(&e->io);
        return NULL;
    }
    return &e->io;
}

static int open_all(struct epoll *e, struct fault *fault)
{
    const struct io_options *o = &e->options;
    e->closing_max = o->slots;
    e->conns = memory_reserve(o->slots * sizeof *e->conns);
    e->sends = memory_reserve(o->sends_max * sizeof *e->sends);
    e->closing = memory_reserve(e->closing_max * sizeof *e->closing);
    if (!e->conns || !e->sends || !e->closing || io_queue_init(&e->events, EPOLL_EVENTS_MAX) != 0 ||
        io_line_init(&e->starved, o->slots) != 0 ||
        io_buffers_init(&e->buffers, o->buffers, o->buffer_bytes) != 0)
        return fault_errno(fault, "io: no address space for %u connections and %u buffers of %u bytes",
                           o->slots, o->buffers, o->buffer_bytes);
    e->fd = epoll_create1(EPOLL_CLOEXEC);
    if (e->fd < 0)
        return fault_errno(fault, "epoll: none to be had; raise the limit of open files (ulimit -n)");
    if (o->wake_fd < 0) return 0;
    struct epoll_event wake = {.events = EPOLLIN, .data.u64 = tag_pack(TAG_WAKE, 0, 0)};
    if (epoll_ctl(e->fd, EPOLL_CTL_ADD, o->wake_fd, &wake) == 0) return 0;
    return fault_errno(fault, "epoll: the wake descriptor was refused; see fs.epoll.max_user_watches");
}

size_t io_epoll_bytes(const struct io_options *o)
{
    const struct epoll *e;
    return sizeof *e + EPOLL_EVENTS_MAX * sizeof *e->events.at + o->sends_max * sizeof *e->sends +
           o->slots * (sizeof *e->conns + sizeof *e->closing + sizeof *e->starved.slots) +
           o->buffers * (o->buffer_bytes + sizeof *e->buffers.lent + sizeof *e->buffers.free);
}

static void epoll_io_close(struct io *io)
{
    struct epoll *e = (struct epoll *)io;
    struct io_event event;
    while (e->events.at && io_queue_get(&e->events, &event))
        if (event.op == IO_ACCEPTED && event.result >= 0) close(event.result);
    for (uint32_t i = 0; e->conns && i < e->options.slots; i++)
        if (e->conns[i].flags & EPOLL_OPEN) close(e->conns[i].fd);
    for (uint32_t i = 0; i < e->closing_count; i++) io_socket_close(e->closing[i].fd, e->closing[i].how);
    if (e->fd >= 0) close(e->fd);
    io_queue_destroy(&e->events);
    io_line_destroy(&e->starved);
    io_buffers_destroy(&e->buffers);
    memory_release(e->conns, e->options.slots * sizeof *e->conns);
    memory_release(e->sends, e->options.sends_max * sizeof *e->sends);
    memory_release(e->closing, e->closing_max * sizeof *e->closing);
    memory_release(e, sizeof *e);
}

/* ---- waiting ---- */

static void close_detached(struct epoll *e);
static int poll_ready(struct epoll *e, uint64_t wait_ns);
static void handle_all(struct epoll *e, int count);
static void handle_ready(struct epoll *e, const struct epoll_event *ready);
static void handle_conn(struct epoll *e, struct tag tag, uint32_t happened);
static void handle_wake(struct epoll *e);
static uint32_t hand_out(struct epoll *e, struct io_event *out, uint32_t count_max);
static bool is_stale(const struct epoll *e, const struct io_event *event);

static uint32_t epoll_io_wait(struct io *io, struct io_event *out, uint32_t count_max, uint64_t wait_ns)
{
    struct epoll *e = (struct epoll *)io;
    TC_ASSERT(e->send_count == 0); /* what was offered is flushed in the same turn */
    wait_ns = epoll_accept_rest(e, wait_ns);
    epoll_receive_starved(e);
    close_detached(e);
    if (e->events.count == 0) {
        handle_all(e, poll_ready(e, wait_ns));
    }
    return hand_out(e, out, count_max);
}

static void close_detached(struct epoll *e)
{
    for (uint32_t i = 0; i < e->closing_count; i++) io_socket_close(e->closing[i].fd, e->closing[i].how);
    e->closing_count = 0;
}

static int poll_ready(struct epoll *e, uint64_t wait_ns)
{
    int count = -1;
    e->io.counters.enters++;
    if (!e->no_pwait2) {
        struct timespec t = {.tv_sec = (time_t)(wait_ns / NS_PER_SECOND),
                             .tv_nsec = (long)(wait_ns % NS_PER_SECOND)};
        count = epoll_pwait2(e->fd, e->ready, (int)EPOLL_READY_MAX, &t, NULL);
        e->no_pwait2 =
            count < 0 && (errno == ENOSYS || errno == EPERM); /* EPERM: a sandbox that does not know it */
    }
    if (e->no_pwait2) {
        uint64_t wait_ms = (wait_ns + NS_PER_MS - 1) / NS_PER_MS;
        count =
            epoll_wait(e->fd, e->ready, (int)EPOLL_READY_MAX, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms);
    }
    TC_ASSERT(count >= 0 || errno == EINTR);
    return count;
}

/* Who is there already comes first: see accepts_max in io.h. */
static void handle_all(struct epoll *e, int count)
{
    e->accepts_left = io_accepts_max(&e->options);
    for (int i = 0; i < count; i++)
        if (tag_unpack(e->ready[i].data.u64).op != TAG_ACCEPT) handle_ready(e, &e->ready[i]);
    for (int i = 0; i < count; i++)
        if (tag_unpack(e->ready[i].data.u64).op == TAG_ACCEPT) handle_ready(e, &e->ready[i]);
}

static void handle_ready(struct epoll *e, const struct epoll_event *ready)
{
    struct tag tag = tag_unpack(ready->data.u64);
    switch (tag.op) {
    case TAG_CONN: handle_conn(e, tag, ready->events); break;
    case TAG_ACCEPT: epoll_accept(e, tag.slot); break;
    case TAG_WAKE: handle_wake(e); break;
    default: TC_ASSERT(tag.op == TAG_CONN); /* it has no other registrations: fails */
    }
}

static void handle_conn(struct epoll *e, struct tag tag, uint32_t happened)
{
    struct epoll_conn *c =
        epoll_conn_of(e, tag.slot); /* nothing detaches between the kernel's answer and here */
    TC_ASSERT(c->generation == tag.generation);
    bool dead = (happened & (EPOLLERR | EPOLLHUP)) != 0;
    if ((c->flags & EPOLL_POLLED) && (dead || (happened & (EPOLLOUT | EPOLLRDHUP)))) {
        c->flags &= ~(uint32_t)EPOLL_POLLED;
        if (happened & EPOLLRDHUP) c->flags |= EPOLL_HALF;
        io_queue_put(&e->events,
                     &(struct io_event){.op = IO_WRITABLE, .slot = tag.slot, .generation = tag.generation});
    }
    if ((c->mask & EPOLLIN) && (dead || (happened & EPOLLIN))) epoll_receive(e, tag.slot);
    epoll_apply(e, tag.slot);
}

static void handle_wake(struct epoll *e)
{
    uint64_t count;
    if (read(e->options.wake_fd, &count, sizeof count) != (ssize_t)sizeof count) return;
    io_queue_put(&e->events, &(struct io_event){.op = IO_WOKEN});
}

static uint32_t hand_out(struct epoll *e, struct io_event *out, uint32_t count_max)
{
    uint32_t count = 0;
    while (count < count_max && io_queue_get(&e->events, &out[count])) {
        if (!is_stale(e, &out[count]))
            count++;
        else if (out[count].op == IO_RECEIVED && out[count].result > 0)
            epoll_buffer_done(&e->io, out[count].buffer);
    }
    return count;
}

static bool is_stale(const struct epoll *e, const struct io_event *event)
{
    if (event->op == IO_ACCEPTED || event->op == IO_WOKEN) return false;
    const struct epoll_conn *c = &e->conns[event->slot];
    return !(c->flags & EPOLL_OPEN) || c->generation != event->generation;
}

/* ---- a connection ---- */

struct epoll_conn *epoll_conn_of(struct epoll *e, uint32_t slot)
{
    TC_ASSERT(slot < e->options.slots);
    TC_ASSERT(e->conns[slot].flags & EPOLL_OPEN);
    return &e->conns[slot];
}

static uint32_t wanted_mask(const struct epoll_conn *c)
{
    uint32_t mask = 0;
    if ((c->flags & (EPOLL_WANTED | EPOLL_ENDED | EPOLL_STARVED)) == EPOLL_WANTED) mask |= EPOLLIN;
    /* A peer that has closed its side is told once: asked again it would be ready at once, for ever. */
    if (c->flags & EPOLL_POLLED) mask |= c->flags & EPOLL_HALF ? EPOLLOUT : EPOLLOUT | EPOLLRDHUP;
    return mask != 0 ? mask : (uint32_t)EPOLLET;
}

void epoll_apply(struct epoll *e, uint32_t slot)
{
    struct epoll_conn *c = &e->conns[slot];
    uint32_t mask = wanted_mask(c);
    if (mask == c->mask) return;
    struct epoll_event event = {.events = mask, .data.u64 = tag_pack(TAG_CONN, slot, c->generation)};
    e->io.counters.enters++;
    int err = epoll_ctl(e->fd, EPOLL_CTL_MOD, c->fd, &event);
    TC_ASSERT(err == 0); /* it is registered, and a change takes no memory */
    c->mask = mask;
}

static int epoll_attach(struct io *io, uint32_t slot, uint32_t generation, int32_t handle)
{
    struct epoll *e = (struct epoll *)io;
    TC_ASSERT(slot < e->options.slots);
    TC_ASSERT(handle >= 0);
    struct epoll_conn *c = &e->conns[slot];
    TC_ASSERT(!(c->flags & EPOLL_OPEN));
    c->fd = handle;
    c->generation = generation;
    c->flags = (c->flags & EPOLL_LISTED) | EPOLL_OPEN | EPOLL_WANTED;
    c->mask = wanted_mask(c);
    struct epoll_event event = {.events = c->mask, .data.u64 = tag_pack(TAG_CONN, slot, generation)};
    if (epoll_ctl(e->fd, EPOLL_CTL_ADD, handle, &event) == 0) return 0;
    int err = -errno; /* fs.epoll.max_user_watches, or no memory */
    c->flags &= EPOLL_LISTED;
    close(handle);
    return err;
}

static void epoll_refuse(struct io *io, int32_t handle, const void *bytes, uint32_t size)
{
    (void)io;
    io_socket_refuse(handle, bytes, size);
}

static void epoll_writable_arm(struct io *io, uint32_t slot)
{
    struct epoll *e = (struct epoll *)io;
    epoll_conn_of(e, slot)->flags |= EPOLL_POLLED;
    epoll_apply(e, slot);
}

static void epoll_detach(struct io *io, uint32_t slot, int how)
{
    struct epoll *e = (struct epoll *)io;
    struct epoll_conn *c = epoll_conn_of(e, slot);
    TC_ASSERT(!(c->flags & EPOLL_OFFERED));
    epoll_ctl(e->fd, EPOLL_CTL_DEL, c->fd, NULL); /* now: nothing more of it may come out of the kernel */
    if (e->closing_count == e->closing_max) close_detached(e);
    e->closing[e->closing_count++] = (struct epoll_closing){.fd = c->fd, .how = how};
    c->fd = -1;
    c->flags &= EPOLL_LISTED;
}

static void epoll_shutdown_write(struct io *io, uint32_t slot)
{
    shutdown(epoll_conn_of((struct epoll *)io, slot)->fd, SHUT_WR);
}

static int64_t epoll_unsent(struct io *io, uint32_t slot)
{
    return io_socket_unsent(epoll_conn_of((struct epoll *)io, slot)->fd);
}

static void epoll_peer(struct io *io, int32_t handle, char *out, size_t size)
{
    (void)io;
    io_socket_peer(handle, out, size);
}

static void epoll_slot_peer(struct io *io, uint32_t slot, char *out, size_t size)
{
    io_socket_peer_port(epoll_conn_of((struct epoll *)io, slot)->fd, out, size);
}

static int epoll_slot_dup(struct io *io, uint32_t slot)
{
    return io_socket_dup(epoll_conn_of((struct epoll *)io, slot)->fd);
}
