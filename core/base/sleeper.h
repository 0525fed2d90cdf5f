/* base/sleeper.h -- sleep without lost wake-ups (decision 24).
 * The sleeper: sleeper_prepare(), then looks at everything that could give it work once more, then waits on
 * the eventfd (or calls sleeper_cancel() if it found work). Who gives it work: publishes the work with a
 * seq_cst store or exchange, then sleeper_wake(). All four accesses are seq_cst, so one of the two sees the
 * other. Whoever swaps the flag to 0 writes the eventfd: one write per sleep. */
#ifndef TC_BASE_SLEEPER_H
#define TC_BASE_SLEEPER_H

#include "base/bytes.h"

#include <stdatomic.h>

struct sleeper {
    _Alignas(TC_CACHE_LINE) _Atomic uint32_t asleep; /* written by the sleeper and its wakers */
    int event_fd;                                    /* set once by sleeper_open */
};

int sleeper_open(struct sleeper *s); /* 0 or -errno */
void sleeper_close(struct sleeper *s);

static inline void sleeper_prepare(struct sleeper *s)
{
    atomic_store_explicit(&s->asleep, 1, memory_order_seq_cst);
}

static inline void sleeper_cancel(struct sleeper *s)
{
    atomic_store_explicit(&s->asleep, 0, memory_order_seq_cst);
}

/* Thread: any. Never blocks. A load where nobody sleeps: a few ns. */
void sleeper_wake_slow(struct sleeper *s);
static inline void sleeper_wake(struct sleeper *s)
{
    if (atomic_load_explicit(&s->asleep, memory_order_seq_cst)) sleeper_wake_slow(s);
}

/* Thread: the sleeper's own, for one without a ring: blocks until woken or for at most wait_ns. */
void sleeper_wait(struct sleeper *s, uint64_t wait_ns);

/* The same, and at most until one of fds[1] to fds[count - 1] is ready (poll(2): `events` are waited for,
 * `revents` say what came). fds[0] is the sleeper's own. */
struct pollfd;
void sleeper_wait_with(struct sleeper *s, struct pollfd *fds, uint32_t count, uint64_t wait_ns);

#endif
