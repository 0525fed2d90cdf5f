/* io/io_uring.c -- the io_uring back end: making it, the life of a connection, and waiting. Start reading in
 * uring_wait. Sending, receiving and accepting have their own files. Thread: the one that opened it. */
#include "io/io_uring_inner.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/memory.h"
#include "io/io_socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENTER_TRIES_MAX 10000  /* of an enter that the kernel refuses for want of memory */
#define ACCEPTED_MAX    65536u /* accepted and not yet handed out: more than any backlog */

static int open_all(struct uring *u, struct fault *fault);
static uint64_t events_max(const struct io_options *o);
static int ring_make(struct uring *u, struct fault *fault);
static int uring_attach(struct io *io, uint32_t slot, uint32_t generation, int32_t handle);
static void uring_refuse(struct io *io, int32_t handle, const void *bytes, uint32_t size);
static void uring_detach(struct io *io, uint32_t slot, int how);
static void uring_shutdown_write(struct io *io, uint32_t slot);
static void uring_writable_arm(struct io *io, uint32_t slot);
static uint32_t uring_wait(struct io *io, struct io_event *out, uint32_t count_max, uint64_t wait_ns);
static int64_t uring_unsent(struct io *io, uint32_t slot);
static void uring_peer(struct io *io, int32_t handle, char *out, size_t size);
static void uring_slot_peer(struct io *io, uint32_t slot, char *out, size_t size);
static int uring_slot_dup(struct io *io, uint32_t slot);
static void uring_close(struct io *io);

static const struct io_ops ops = {
    .name = "io_uring",
    .listen = uring_listen,
    .listen_stop = uring_listen_stop,
    .attach = uring_attach,
    .refuse = uring_refuse,
    .receive_pause = uring_receive_pause,
    .receive_resume = uring_receive_resume,
    .buffer_done = uring_buffer_done,
    .writable_arm = uring_writable_arm,
    .detach = uring_detach,
    .shutdown_write = uring_shutdown_write,
    .send_add = uring_send_add,
    .send_flush = uring_send_flush,
    .wait = uring_wait,
    .unsent = uring_unsent,
    .peer = uring_peer,
    .slot_peer = uring_slot_peer,
    .slot_dup = uring_slot_dup,
    .close = uring_close,
};

struct io *io_uring_open(const struct io_options *options, struct fault *fault)
{
    TC_ASSERT(options->slots > 0 && options->slots <= TAG_SLOTS_MAX);
    TC_ASSERT(options->sends_max > 0 && options->sends_max <= TAG_SLOTS_MAX);
    TC_ASSERT(options->buffers > 0 && options->buffers <= 32768);
    TC_ASSERT((options->buffers & (options->buffers - 1)) == 0);
    TC_ASSERT(options->buffer_bytes > 0);
    struct uring *u = memory_reserve(sizeof *u);
    if (!u) {
        fault_errno(fault, "io: no address space");
        return NULL;
    }
    u->io.ops = &ops;
    u->options = *options;
    if (open_all(u, fault) != 0) {
        uring_close(&u->io);
        return NULL;
    }
    return &u->io;
}

static int open_all(struct uring *u, struct fault *fault)
{
    const struct io_options *o = &u->options;
    int err = ring_make(u, fault);
    if (err != 0) return err;
    uint64_t events = events_max(o);
    u->closing_max = o->slots;
    u->conns = memory_reserve(o->slots * sizeof *u->conns);
    u->sends = memory_reserve(o->sends_max * sizeof *u->sends);
    u->closing = memory_reserve(u->closing_max * sizeof *u->closing);
    if (!u->conns || !u->sends || !u->closing || io_queue_init(&u->events, (uint32_t)events) != 0 ||
        io_queue_init(&u->accepted, ACCEPTED_MAX) != 0)
        return fault_errno(fault, "io: no address space for %u connections", o->slots);
    return uring_buffers_open(u, fault);
}

/* Under way between two waits at most: a receive per buffer; per slot the end of a receive and a poll, of
 * this life and of the one before; what the completion queue holds beside. */
static uint64_t events_max(const struct io_options *o)
{
    return (uint64_t)o->buffers + 4 * (uint64_t)o->slots + 2 * URING_CQ_PER_SQ * URING_SQ_ENTRIES;
}

size_t io_uring_bytes(const struct io_options *o)
{
    const struct uring *u;
    return sizeof *u + (events_max(o) + ACCEPTED_MAX) * sizeof *u->events.at +
           o->sends_max * sizeof *u->sends +
           o->slots * (sizeof *u->conns + sizeof *u->closing + sizeof *u->starved.slots) +
           o->buffers * (o->buffer_bytes + sizeof *u->buffer_lent + sizeof(struct io_uring_buf));
}

/* Without the right to lock memory all rings of a user are charged to one limit, given back with a delay: a
 * smaller ring may pass where the wanted one does not. */
static int ring_make(struct uring *u, struct fault *fault)
{
    int err = -ENOMEM;
    for (uint32_t entries = URING_SQ_ENTRIES; entries >= URING_SQ_ENTRIES_MIN && err == -ENOMEM;
         entries /= 2) {
        struct io_uring_params p = {.flags = URING_SETUP_FLAGS, .cq_entries = entries * URING_CQ_PER_SQ};
        err = io_uring_queue_init_params(entries, &u->ring, &p);
    }
    if (err != 0)
        return fault_set(fault, err == -EINVAL ? TC_EABSENT : TC_ESYSTEM,
                         "io_uring: the kernel refused a ring: %s; %s", strerror(-err), uring_remedy(-err));
    u->ring_made = true;
    io_uring_register_ring_fd(
        &u->ring); /* saves a descriptor look-up per enter; does without where refused */
    return 0;
}

static void uring_close(struct io *io)
{
    struct uring *u = (struct uring *)io;
    struct io_event event;
    while (u->accepted.at && io_queue_get(&u->accepted, &event))
        if (event.result >= 0) close(event.result);
    for (uint32_t i = 0; u->conns && i < u->options.slots; i++)
        if (u->conns[i].flags & URING_OPEN) close(u->conns[i].fd);
    for (uint32_t i = 0; i < u->closing_count; i++) io_socket_close(u->closing[i].fd, u->closing[i].how);
    uring_buffers_close(u);
    if (u->ring_made) io_uring_queue_exit(&u->ring);
    io_queue_destroy(&u->events);
    io_queue_destroy(&u->accepted);
    memory_release(u->conns, u->options.slots * sizeof *u->conns);
    memory_release(u->sends, u->options.sends_max * sizeof *u->sends);
    memory_release(u->closing, u->closing_max * sizeof *u->closing);
    memory_release(u, sizeof *u);
}

/* ---- waiting ---- */

static void close_detached(struct uring *u);
static void wake_arm(struct uring *u);
static void enter_wait(struct uring *u, uint64_t wait_ns);
static bool enter_needed(struct uring *u);
static bool take(struct uring *u, struct io_uring_cqe *out);
static void complete(struct uring *u, const struct io_uring_cqe *cqe);
static void wake_complete(struct uring *u, int32_t result, uint32_t cqe_flags);
static void writable_complete(struct uring *u, struct tag tag, int32_t result, uint32_t cqe_flags);
static uint32_t hand_out(struct uring *u, struct io_event *out, uint32_t count_max);
static bool is_stale(const struct uring *u, const struct io_event *event);

static uint32_t uring_wait(struct io *io, struct io_event *out, uint32_t count_max, uint64_t wait_ns)
{
    struct uring *u = (struct uring *)io;
    TC_ASSERT(u->send_count == 0); /* what was offered is flushed in the same turn */
    if (!u->wake_armed && u->options.wake_fd >= 0) wake_arm(u);
    wait_ns = uring_accept_rest(u, wait_ns);
    uring_receive_starved(u);
    close_detached(u);
    uring_reap(u);
    if (u->events.count + u->accepted.count > 0) wait_ns = 0;
    if (wait_ns > 0)
        enter_wait(u, wait_ns);
    else if (enter_needed(u))
        uring_enter_events(u);
    uring_reap(u);
    return hand_out(u, out, count_max);
}

/* Every request that may name these descriptors was made before; the enter hands them all to the kernel and
 * runs the cancels, so that the close is the last hold on the socket and the peer sees it now. */
static void close_detached(struct uring *u)
{
    if (u->closing_count == 0) return;
    uring_enter_events(u);
    for (uint32_t i = 0; i < u->closing_count; i++) io_socket_close(u->closing[i].fd, u->closing[i].how);
    u->closing_count = 0;
}

static void wake_arm(struct uring *u)
{
    struct io_uring_sqe *sqe = uring_sqe(u);
    io_uring_prep_poll_multishot(sqe, u->options.wake_fd, POLLIN);
    sqe->user_data = tag_pack(TAG_WAKE, 0, 0);
    u->wake_armed = true;
}

/* Sleeps in the ring: nothing else wakes reliably where task work is deferred. */
static void enter_wait(struct uring *u, uint64_t wait_ns)
{
    struct __kernel_timespec t = {.tv_sec = (int64_t)(wait_ns / NS_PER_SECOND),
                                  .tv_nsec = (long long)(wait_ns % NS_PER_SECOND)};
    struct io_uring_cqe *first;
    u->io.counters.enters++;
    /* -ETIME, -EINTR: nothing came, which is no error. -EAGAIN, -EBUSY: the next enter submits the rest. */
    int err = io_uring_submit_and_wait_timeout(&u->ring, &first, 1, &t, NULL);
    TC_ASSERT(err >= 0 || err == -ETIME || err == -EINTR || err == -EAGAIN || err == -EBUSY ||
              err == -ENOMEM || err == -EBADR); /* -EBADR: completions were lost; uring_reap counts them */
}

/* A worker that spins asks very often: without a request to submit or work waiting in the kernel it costs no
 * call. */
static bool enter_needed(struct uring *u)
{
    return io_uring_sq_ready(&u->ring) > 0 ||
           (IO_URING_READ_ONCE(*u->ring.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

void uring_enter_events(struct uring *u)
{
    for (int tries = 0;; tries++) {
        u->io.counters.enters++;
        int err = io_uring_submit_and_get_events(&u->ring);
        TC_ASSERT(err >= 0 || err == -EINTR || err == -EAGAIN || err == -EBUSY || err == -ENOMEM ||
                  err == -EBADR);
        if (io_uring_sq_ready(&u->ring) == 0) return;
        TC_ASSERT(tries < ENTER_TRIES_MAX); /* the kernel has no memory for requests, and it does not pass */
        if (err == -EBUSY) uring_reap(u);   /* it wants its completions taken first */
    }
}

struct io_uring_sqe *uring_sqe(struct uring *u)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    if (!sqe) {
        uring_enter_events(u);
        sqe = io_uring_get_sqe(&u->ring);
    }
    TC_ASSERT(sqe);
    return sqe;
}

void uring_cancel(struct uring *u, uint64_t tag)
{
    struct io_uring_sqe *sqe = uring_sqe(u);
    io_uring_prep_cancel64(sqe, tag, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = tag_pack(TAG_CANCEL, 0, 0);
}

void uring_reap(struct uring *u)
{
    for (;;) {
        struct io_uring_cqe cqe;
        while (take(u, &cqe)) complete(u, &cqe);
        if (!(IO_URING_READ_ONCE(*u->ring.sq.kflags) & IORING_SQ_CQ_OVERFLOW)) break;
        u->io.counters.enters++;
        if (io_uring_get_events(&u->ring) < 0) break; /* the kernel keeps them for the next one */
    }
    uint32_t overflow = IO_URING_READ_ONCE(*u->ring.cq.koverflow);
    u->io.counters.cq_overflow += overflow - u->overflow_seen; /* completions that are lost: decision 29 */
    u->overflow_seen = overflow;
}

/* Taken before it is handled, since handling one may enter, and an enter may reap. */
static bool take(struct uring *u, struct io_uring_cqe *out)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    io_uring_for_each_cqe(&u->ring, head, cqe)
    {
        *out = *cqe;
        io_uring_cq_advance(&u->ring, 1);
        return true;
    }
    return false;
}

static void complete(struct uring *u, const struct io_uring_cqe *cqe)
{
    struct tag tag = tag_unpack(cqe->user_data);
    switch (tag.op) {
    case TAG_SEND: uring_send_complete(u, tag, cqe->res); break;
    case TAG_RECEIVE: uring_receive_complete(u, tag, cqe->res, cqe->flags); break;
    case TAG_WRITABLE: writable_complete(u, tag, cqe->res, cqe->flags); break;
    case TAG_ACCEPT: uring_accept_complete(u, tag, cqe->res, cqe->flags); break;
    case TAG_WAKE: wake_complete(u, cqe->res, cqe->flags); break;
    case TAG_CANCEL:
        break; /* only failures come: the request had ended by itself, and its completion says so */
    case TAG_CONN: TC_ASSERT(tag.op != TAG_CONN); break;
    }
}

static void wake_complete(struct uring *u, int32_t result, uint32_t cqe_flags)
{
    if (!(cqe_flags & IORING_CQE_F_MORE)) u->wake_armed = false;
    if (result < 0) return;
    uint64_t count;
    if (read(u->options.wake_fd, &count, sizeof count) != (ssize_t)sizeof count) return; /* met already */
    io_queue_put(&u->events, &(struct io_event){.op = IO_WOKEN});
}

/* A ring's poll always reports POLLRDHUP, asked for or not. Of a peer that has closed its side that is told
 * once; from then on the poll is multishot (it answers per change, not at once again), and only room or death
 * counts. */
static void writable_complete(struct uring *u, struct tag tag, int32_t result, uint32_t cqe_flags)
{
    struct uring_conn *c = &u->conns[tag.slot];
    if (!(c->flags & URING_OPEN) || c->generation != tag.generation) return;
    if (!(c->flags & URING_POLLED) || result == -ECANCELED)
        return; /* rests of one that was told and cancelled */
    bool more = (cqe_flags & IORING_CQE_F_MORE) != 0;
    bool tells = result < 0 || (result & (POLLOUT | POLLERR | POLLHUP)) || !(c->flags & URING_HALF);
    if (result > 0 && (result & POLLRDHUP)) c->flags |= URING_HALF;
    if (!tells && more) return;
    c->flags &= (uint16_t)~URING_POLLED;
    if (!tells) {
        uring_writable_arm(&u->io, tag.slot);
        return;
    }
    if (more) uring_cancel(u, tag_pack(TAG_WRITABLE, tag.slot, tag.generation));
    io_queue_put(&u->events,
                 &(struct io_event){.op = IO_WRITABLE, .slot = tag.slot, .generation = tag.generation});
}

static uint32_t hand_out(struct uring *u, struct io_event *out, uint32_t count_max)
{
    TC_ASSERT(count_max >= 2); /* events and accepts both go on */
    uint32_t accepts = min_u32(min_u32(u->accepted.count, io_accepts_max(&u->options)), count_max / 2);
    uint32_t count = 0;
    while (count < count_max - accepts && io_queue_get(&u->events, &out[count])) {
        if (!is_stale(u, &out[count]))
            count++;
        else if (out[count].op == IO_RECEIVED && out[count].result > 0)
            uring_buffer_done(&u->io, out[count].buffer);
    }
    while (accepts-- > 0) io_queue_get(&u->accepted, &out[count++]);
    return count;
}

static bool is_stale(const struct uring *u, const struct io_event *event)
{
    if (event->op == IO_WOKEN) return false;
    const struct uring_conn *c = &u->conns[event->slot];
    return !(c->flags & URING_OPEN) || c->generation != event->generation;
}

/* ---- a connection ---- */

static struct uring_conn *conn_of(struct uring *u, uint32_t slot)
{
    TC_ASSERT(slot < u->options.slots);
    TC_ASSERT(u->conns[slot].flags & URING_OPEN);
    return &u->conns[slot];
}

static int uring_attach(struct io *io, uint32_t slot, uint32_t generation, int32_t handle)
{
    struct uring *u = (struct uring *)io;
    TC_ASSERT(slot < u->options.slots);
    TC_ASSERT(handle >= 0);
    struct uring_conn *c = &u->conns[slot];
    TC_ASSERT(!(c->flags & URING_OPEN));
    c->fd = handle;
    c->generation = generation;
    c->flags = (uint16_t)((c->flags & URING_LISTED) | URING_OPEN | URING_WANTED);
    uring_receive_arm(u, slot);
    return 0;
}

static void uring_refuse(struct io *io, int32_t handle, const void *bytes, uint32_t size)
{
    (void)io;
    io_socket_refuse(handle, bytes, size);
}

static void uring_writable_arm(struct io *io, uint32_t slot)
{
    struct uring *u = (struct uring *)io;
    struct uring_conn *c = conn_of(u, slot);
    if (c->flags & URING_POLLED) return;
    struct io_uring_sqe *sqe = uring_sqe(u);
    if (c->flags & URING_HALF) /* see writable_complete */
        io_uring_prep_poll_multishot(sqe, c->fd, POLLOUT | POLLERR);
    else
        io_uring_prep_poll_add(sqe, c->fd, POLLOUT | POLLRDHUP | POLLERR);
    sqe->user_data = tag_pack(TAG_WRITABLE, slot, c->generation);
    c->flags |= URING_POLLED;
}

static void uring_detach(struct io *io, uint32_t slot, int how)
{
    struct uring *u = (struct uring *)io;
    struct uring_conn *c = conn_of(u, slot);
    TC_ASSERT(!(c->flags & URING_OFFERED)); /* its bytes would go to whoever gets the descriptor next */
    if ((c->flags & (URING_ARMED | URING_CANCELLING)) == URING_ARMED)
        uring_cancel(u, tag_pack(TAG_RECEIVE, slot, c->generation));
    if (c->flags & URING_POLLED) uring_cancel(u, tag_pack(TAG_WRITABLE, slot, c->generation));
    if (u->closing_count == u->closing_max) close_detached(u);
    u->closing[u->closing_count++] = (struct uring_closing){.fd = c->fd, .how = how};
    c->fd = -1;
    c->flags &= URING_LISTED;
}

static void uring_shutdown_write(struct io *io, uint32_t slot)
{
    shutdown(conn_of((struct uring *)io, slot)->fd, SHUT_WR);
}

static int64_t uring_unsent(struct io *io, uint32_t slot)
{
    return io_socket_unsent(conn_of((struct uring *)io, slot)->fd);
}

static void uring_peer(struct io *io, int32_t handle, char *out, size_t size)
{
    (void)io;
    io_socket_peer(handle, out, size);
}

static void uring_slot_peer(struct io *io, uint32_t slot, char *out, size_t size)
{
    io_socket_peer_port(conn_of((struct uring *)io, slot)->fd, out, size);
}

static int uring_slot_dup(struct io *io, uint32_t slot)
{
    return io_socket_dup(conn_of((struct uring *)io, slot)->fd);
}
