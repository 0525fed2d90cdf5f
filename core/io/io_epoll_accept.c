/* io/io_epoll_accept.c -- accepting without a ring: a bounded number in a wait. Errors as in
 * io_uring_accept.c: want of descriptors or memory is told once, rests, and goes on by itself. */
#include "io/io_epoll_inner.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "io/io_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static int watch(struct epoll *e, uint32_t listener);
static void accept_failed(struct epoll *e, uint32_t listener, int err);

int epoll_listen(struct io *io, int listen_fd, uint32_t listener, struct fault *fault)
{
    struct epoll *e = (struct epoll *)io;
    if (listener >= LISTENERS_MAX)
        return fault_set(fault, TC_ELIMIT, "io: at most %u addresses to listen on; listen on fewer",
                         LISTENERS_MAX);
    TC_ASSERT(!e->listeners[listener].on);
    e->listeners[listener] = (struct epoll_listener){.fd = listen_fd, .on = true};
    int err = watch(e, listener);
    if (err == 0) return 0;
    e->listeners[listener].on = false;
    return fault_set(fault, TC_ESYSTEM,
                     "epoll: the listening socket was refused: %s; see fs.epoll.max_user_watches",
                     strerror(-err));
}

static int watch(struct epoll *e, uint32_t listener)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag_pack(TAG_ACCEPT, listener, 0)};
    return epoll_ctl(e->fd, EPOLL_CTL_ADD, e->listeners[listener].fd, &event) == 0 ? 0 : -errno;
}

static void unwatch(struct epoll *e, uint32_t listener)
{
    epoll_ctl(e->fd, EPOLL_CTL_DEL, e->listeners[listener].fd, NULL);
}

void epoll_listen_stop(struct io *io)
{
    struct epoll *e = (struct epoll *)io;
    for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
        if (e->listeners[i].on && e->listeners[i].rest_until_ns == 0) unwatch(e, i);
        e->listeners[i] = (struct epoll_listener){.fd = -1};
    }
}

void epoll_accept(struct epoll *e, uint32_t listener)
{
    struct epoll_listener *l = &e->listeners[listener];
    if (!l->on || l->rest_until_ns != 0) return;
    for (; e->accepts_left > 0; e->accepts_left--) {
        e->io.counters.enters++;
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            accept_failed(e, listener, errno);
            return;
        }
        e->io.counters.accepts++;
        io_queue_put(&e->events, &(struct io_event){.op = IO_ACCEPTED, .result = fd, .listener = listener});
    }
}

static void accept_failed(struct epoll *e, uint32_t listener, int err)
{
    struct epoll_listener *l = &e->listeners[listener];
    if (io_socket_accept_passes(err))
        return; /* nobody there, or somebody who has gone: the next wait looks again */
    e->io.counters.accept_errors++;
    unwatch(e, listener);
    if (io_socket_accept_rests(err))
        l->rest_until_ns = clock_mono_ns() + IO_ACCEPT_REST_NS;
    else
        l->on = false; /* the listening socket itself is unusable: told, not tried for ever */
    io_queue_put(&e->events, &(struct io_event){.op = IO_ACCEPTED, .result = -err, .listener = listener});
}

uint64_t epoll_accept_rest(struct epoll *e, uint64_t wait_ns)
{
    uint64_t now_ns = 0;
    for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
        struct epoll_listener *l = &e->listeners[i];
        if (!l->on || l->rest_until_ns == 0) continue;
        if (now_ns == 0) now_ns = clock_mono_ns();
        if (l->rest_until_ns > now_ns)
            wait_ns = min_u64(wait_ns, l->rest_until_ns - now_ns);
        else if (watch(e, i) == 0)
            l->rest_until_ns = 0;
        else
            l->rest_until_ns = now_ns + IO_ACCEPT_REST_NS; /* no memory for that either: later */
    }
    return wait_ns;
}
