#include "base/timer.h"

#include "base/assert.h"

#include <stddef.h>

static uint64_t grain_of(uint64_t ns)
{
    return ns / TIMER_GRAIN_NS;
}

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ns)
{
    for (uint32_t i = 0; i < TIMER_SLOTS; i++) w->slots[i] = (struct timer){&w->slots[i], &w->slots[i], 0};
    w->grain = grain_of(now_ns);
    w->count = 0;
}

void timer_set(struct timer_wheel *w, struct timer *t, uint64_t due_ns)
{
    timer_cancel(w, t);
    /* Never into a grain that was passed: it would wait a whole round. One grain up, so that it never fires
     * early. */
    uint64_t grain = grain_of(due_ns) + 1;
    if (grain < w->grain) grain = w->grain;
    struct timer *head = &w->slots[grain % TIMER_SLOTS];
    t->due_ns = due_ns;
    t->next = head;
    t->prev = head->prev;
    head->prev->next = t;
    head->prev = t;
    w->count++;
}

void timer_cancel(struct timer_wheel *w, struct timer *t)
{
    if (!t->next) return;
    t->next->prev = t->prev;
    t->prev->next = t->next;
    t->next = t->prev = NULL;
    TC_ASSERT(w->count > 0);
    w->count--;
}

struct timer *timer_due(struct timer_wheel *w, uint64_t now_ns)
{
    uint64_t now = grain_of(now_ns);
    if (w->count == 0) {
        if (w->grain < now) w->grain = now;
        return NULL;
    }
    if (now > w->grain + TIMER_SLOTS)
        w->grain = now - TIMER_SLOTS; /* a long sleep: each slot once is enough */
    for (; w->grain <= now; w->grain++) {
        struct timer *head = &w->slots[w->grain % TIMER_SLOTS];
        for (struct timer *t = head->next; t != head; t = t->next)
            if (t->due_ns <= now_ns) {
                timer_cancel(w, t);
                return t;
            }
        if (w->grain == now) break; /* this grain may still get timers */
    }
    return NULL;
}

uint64_t timer_wait_ns(const struct timer_wheel *w, uint64_t now_ns, uint64_t most)
{
    if (w->count == 0) return most;
    uint64_t last = grain_of(now_ns + most);
    for (uint64_t g = w->grain; g <= last && g < w->grain + TIMER_SLOTS; g++) {
        const struct timer *head = &w->slots[g % TIMER_SLOTS];
        if (head->next == head) continue;
        uint64_t at = g * TIMER_GRAIN_NS;
        uint64_t wait = at > now_ns ? at - now_ns : 0;
        return wait < most ? wait : most;
    }
    return most;
}
