/* io/io_uring_accept.c -- accepting: one multishot accept per listener, into plain descriptors (decision 23).
 * An accept that fails for want of descriptors or memory is told once, rests, and goes on by itself. */
#include "io/io_uring_inner.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "io/io_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void accept_arm(struct uring *u, uint32_t listener);
static void accept_ended(struct uring *u, uint32_t listener, int32_t result);

int uring_listen(struct io *io, int listen_fd, uint32_t listener, struct fault *fault)
{
    struct uring *u = (struct uring *)io;
    if (listener >= LISTENERS_MAX)
        return fault_set(fault, TC_ELIMIT, "io: at most %u addresses to listen on; listen on fewer",
                         LISTENERS_MAX);
    TC_ASSERT(!u->listeners[listener].on);
    u->listeners[listener] = (struct uring_listener){.fd = listen_fd, .on = true};
    accept_arm(u, listener);
    return 0;
}

void uring_listen_stop(struct io *io)
{
    struct uring *u = (struct uring *)io;
    for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
        if (u->listeners[i].armed) uring_cancel(u, tag_pack(TAG_ACCEPT, i, u->listener_epoch));
        u->listeners[i] = (struct uring_listener){.fd = -1};
    }
    /* At once: until the kernel's request is gone it holds the listening socket open. */
    uring_enter_events(u);
    uring_reap(u);
    u->listener_epoch++;
}

static void accept_arm(struct uring *u, uint32_t listener)
{
    struct io_uring_sqe *sqe = uring_sqe(u);
    /* Not SOCK_NONBLOCK: a receive on such a descriptor would end with -EAGAIN instead of waiting. */
    io_uring_prep_multishot_accept(sqe, u->listeners[listener].fd, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = tag_pack(TAG_ACCEPT, listener, u->listener_epoch);
    u->listeners[listener].armed = true;
}

void uring_accept_complete(struct uring *u, struct tag tag, int32_t result, uint32_t cqe_flags)
{
    if (result >= 0) {
        if (io_queue_full(&u->accepted)) { /* far more than a backlog came since the last waits */
            close(result);
            u->io.counters.accept_errors++;
        } else {
            u->io.counters.accepts++;
            io_queue_put(&u->accepted,
                         &(struct io_event){.op = IO_ACCEPTED, .result = result, .listener = tag.slot});
        }
    }
    if (cqe_flags & IORING_CQE_F_MORE) return;
    if (tag.generation != u->listener_epoch || !u->listeners[tag.slot].on) return; /* stopped */
    u->listeners[tag.slot].armed = false;
    accept_ended(u, tag.slot, result);
}

static void accept_ended(struct uring *u, uint32_t listener, int32_t result)
{
    struct uring_listener *l = &u->listeners[listener];
    if (result >= 0 || io_socket_accept_passes(-result)) {
        accept_arm(u, listener);
        return;
    }
    u->io.counters.accept_errors++;
    if (io_socket_accept_rests(-result))
        l->rest_until_ns = clock_mono_ns() + IO_ACCEPT_REST_NS;
    else
        l->on = false; /* the listening socket itself is unusable: told, not tried for ever */
    if (!io_queue_full(&u->accepted))
        io_queue_put(&u->accepted,
                     &(struct io_event){.op = IO_ACCEPTED, .result = result, .listener = listener});
}

uint64_t uring_accept_rest(struct uring *u, uint64_t wait_ns)
{
    uint64_t now_ns = 0;
    for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
        struct uring_listener *l = &u->listeners[i];
        if (!l->on || l->rest_until_ns == 0) continue;
        if (now_ns == 0) now_ns = clock_mono_ns();
        if (l->rest_until_ns <= now_ns) {
            l->rest_until_ns = 0;
            accept_arm(u, i);
        } else {
            wait_ns = min_u64(wait_ns, l->rest_until_ns - now_ns);
        }
    }
    return wait_ns;
}
