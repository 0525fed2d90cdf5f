/* bench/compare/load/read.c -- what arrives: from who is waited for, at once; from the others, in sweeps. See
 * load.h. */
#include "load.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX  512
#define SWEEP_NS    UINT64_C(20000000) /* each of the swept is read once in so long */
#define SWEEP_SLICE 16                 /* at most so many in a row: those that are waited for are timed */

static int wait_ms(const struct load *l, uint64_t now, uint64_t end_ns);
static void sweep(struct load *l, uint64_t now);
static void readable(struct load *l, struct subscriber *s);
static void give_credit(struct load *l);

void read_until(struct load *l, uint64_t end_ns, const uint32_t *count, uint32_t enough)
{
    struct epoll_event events[EVENTS_MAX];
    for (uint64_t now = now_mono_ns(); now < end_ns && (!count || *count < enough); now = now_mono_ns()) {
        int n = epoll_wait(l->epoll, events, EVENTS_MAX, wait_ms(l, now, end_ns));
        for (int i = 0; i < n; i++) readable(l, events[i].data.ptr);
        if (l->swept > 0) sweep(l, now_mono_ns());
        give_credit(l);
    }
}

static int wait_ms(const struct load *l, uint64_t now, uint64_t end_ns)
{
    if (l->swept > 0) return l->sweep_due_ns > now;
    uint64_t ms = (end_ns - now) / 1000000;
    return ms < 1 ? 1 : ms > 100 ? 100 : (int)ms;
}

/* Who is due by now, in turn; a sweep that fell behind is not made up for. */
static void sweep(struct load *l, uint64_t now)
{
    uint64_t step = SWEEP_NS / l->swept;
    if (now > SWEEP_NS && l->sweep_due_ns < now - SWEEP_NS) l->sweep_due_ns = now - SWEEP_NS;
    for (int i = 0; i < SWEEP_SLICE && l->sweep_due_ns <= now; i++, l->sweep_due_ns += step) {
        struct subscriber *s;
        do {
            s = &l->subscribers[l->sweep_at];
            l->sweep_at = (l->sweep_at + 1) % l->o.connections;
        } while (!s->swept || !s->open);
        if (!s->over) readable(l, s);
    }
}

static void readable(struct load *l, struct subscriber *s)
{
    memcpy(l->buffer, s->carry, s->carry_size);
    ssize_t n = recv(s->fd, l->buffer + s->carry_size, READ_BYTES, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
        s->over = true;
        l->over++;
        if (!s->open) die("the server closed a connection during its handshake");
        return;
    }
    size_t size = s->carry_size + (size_t)n;
    if (!s->open) {
        connect_answer(l, s, l->buffer, size);
        return;
    }
    if (l->measuring) l->m.bytes += (uint64_t)n, l->m.reads++;
    bool first = s->seq_first == 0;
    uint64_t before = first ? 0 : s->ticks;
    stream_take(s, &l->m, &l->o, l->buffer, size, l->measuring);
    if (first && s->seq_first > 0) l->ticking++;
    l->delivered += s->ticks - before;
}

/* The publisher is woken when there is room for its next burst, not before. Pairs with wait_for_room: each
 * side writes its own word and then looks at the other's. */
static void give_credit(struct load *l)
{
    if (l->delivered == l->flow.delivered) return;
    atomic_store(&l->flow.delivered, l->delivered);
    if (l->delivered < atomic_load(&l->flow.wanted)) return;
    atomic_store(&l->flow.wanted, UINT64_MAX);
    uint64_t one = 1;
    if (write(l->flow.credit_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        die("eventfd: %s", strerror(errno));
}
