/* io/io_epoll_send.c -- sending without a ring: collected by send_add, one send(2) each in send_flush. */
#include "io/io_epoll_inner.h"

#include "base/assert.h"

#include <errno.h>
#include <sys/socket.h>

static bool send_one(struct epoll *e, const struct epoll_send *s, struct io_sent *sent);

void epoll_send_add(struct io *io, uint32_t slot, const void *bytes, uint32_t size)
{
    struct epoll *e = (struct epoll *)io;
    struct epoll_conn *c = epoll_conn_of(e, slot);
    TC_ASSERT(size > 0);
    TC_ASSERT(e->send_count < e->options.sends_max);
    TC_ASSERT(!(c->flags & EPOLL_OFFERED)); /* the seam's rule, whatever the back end: decision 2 */
    c->flags |= EPOLL_OFFERED;
    e->sends[e->send_count++] = (struct epoll_send){.bytes = bytes, .slot = slot, .size = size};
}

uint32_t epoll_send_flush(struct io *io, struct io_sent *failed)
{
    struct epoll *e = (struct epoll *)io;
    uint32_t failed_count = 0;
    for (uint32_t i = 0; i < e->send_count; i++)
        if (!send_one(e, &e->sends[i], &failed[failed_count])) failed_count++;
    io->counters.sends += e->send_count;
    e->send_count = 0;
    return failed_count;
}

/* True: it went out whole. */
static bool send_one(struct epoll *e, const struct epoll_send *s, struct io_sent *sent)
{
    struct epoll_conn *c = epoll_conn_of(e, s->slot);
    struct io_counters *count = &e->io.counters;
    c->flags &= ~(uint32_t)EPOLL_OFFERED;
    ssize_t taken = send(c->fd, s->bytes, s->size, MSG_DONTWAIT | MSG_NOSIGNAL);
    count->enters++;
    if (taken > 0) count->sent_bytes += (uint64_t)taken;
    if (taken == (ssize_t)s->size) return true;
    *sent = (struct io_sent){.slot = s->slot};
    if (taken > 0) {
        sent->taken = (uint32_t)taken;
        count->sends_part++;
    } else if (taken == 0 || errno == EAGAIN || errno == EINTR) {
        count->sends_full++;
    } else {
        sent->error = -errno;
        count->sends_dead++;
    }
    return false;
}
