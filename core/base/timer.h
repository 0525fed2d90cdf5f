/* base/timer.h -- a hashed timer wheel: O(1) to set and to cancel, one node per timer inside its owner's
 * structure. Thread: one owner. Time is handed in (ns, any origin), never read. A timer fires at or up to
 * TIMER_GRAIN_NS after its due time, in order of grains. Scheme: Varghese and Lauck, "Hashed and Hierarchical
 * Timing Wheels" (1987), scheme 6. */
#ifndef TC_BASE_TIMER_H
#define TC_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_GRAIN_NS (UINT64_C(1) << 22) /* 4.2 ms */
#define TIMER_SLOTS    1024u               /* 4.3 s a round; later ones wait for their round */

struct timer {
    struct timer *next, *prev; /* NULL: not set */
    uint64_t due_ns;
};

struct timer_wheel {
    struct timer slots[TIMER_SLOTS]; /* heads of rings */
    uint64_t grain;                  /* all grains before it have fired */
    uint32_t count;
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ns);
/* Sets or moves t. */
void timer_set(struct timer_wheel *w, struct timer *t, uint64_t due_ns);
void timer_cancel(struct timer_wheel *w, struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
    return t->next != 0;
}
/* Takes one due timer out of the wheel and returns it; NULL: none is due at now_ns. */
struct timer *timer_due(struct timer_wheel *w, uint64_t now_ns);
/* How long nothing can be due: 0 to `most`. A lower bound, found by looking at the slots ahead. */
uint64_t timer_wait_ns(const struct timer_wheel *w, uint64_t now_ns, uint64_t most);

#endif
