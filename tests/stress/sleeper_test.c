/* No wake-up is lost (decision 24): a sleeper that waits without end for each item, and wakers that publish
 * one and then look at its flag. One lost wake-up and the sleeper stays asleep; a watch on the wait tells it
 * as one. */
#include "base/clock.h"
#include "base/sanitize.h"
#include "base/sleeper.h"

#include <stdarg.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdio.h>
#include <cmocka.h>

#define WAKERS 2u
#if defined(TC_TSAN) || defined(TC_ASAN)
#define ITEMS 5000u
#else
#define ITEMS 100000u
#endif
#define WAIT_NS (20 * NS_PER_SECOND) /* who waits this long was not woken, even on a busy machine */

struct load {
    struct sleeper sleeper;
    struct sleeper back[WAKERS]; /* the other way: a waker goes on when its last item was taken */
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t given[WAKERS];
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t taken[WAKERS];
    _Atomic uint64_t lost, slept;
};

struct waker {
    struct load *load;
    uint32_t index;
};

/* Sleeps until *counter is above `above` or the bound is over; true if it is. */
static bool wait_above(struct load *x, struct sleeper *s, const _Atomic uint64_t *counter, uint64_t above)
{
    uint64_t begin_ns = clock_mono_ns();
    while (atomic_load_explicit(counter, memory_order_seq_cst) <= above) {
        if (clock_mono_ns() - begin_ns > WAIT_NS) return false;
        sleeper_prepare(s);
        if (atomic_load_explicit(counter, memory_order_seq_cst) > above) {
            sleeper_cancel(s);
            break;
        }
        sleeper_wait(s, WAIT_NS);
        atomic_fetch_add_explicit(&x->slept, 1, memory_order_relaxed);
    }
    return clock_mono_ns() - begin_ns < WAIT_NS;
}

static void *give(void *context)
{
    struct waker *w = context;
    struct load *x = w->load;
    for (uint64_t n = 1; n <= ITEMS; n++) {
        atomic_store_explicit(&x->given[w->index], n, memory_order_seq_cst);
        sleeper_wake(&x->sleeper);
        if (!wait_above(x, &x->back[w->index], &x->taken[w->index], n - 1)) {
            atomic_fetch_add(&x->lost, 1);
            break;
        }
    }
    return NULL;
}

/* Takes what there is from all; returns how many of them are finished. */
static uint32_t take(struct load *x, uint64_t *work)
{
    uint32_t finished = 0;
    for (uint32_t i = 0; i < WAKERS; i++) {
        uint64_t given = atomic_load_explicit(&x->given[i], memory_order_seq_cst);
        finished += given == ITEMS;
        if (given == atomic_load_explicit(&x->taken[i], memory_order_relaxed)) continue;
        atomic_store_explicit(&x->taken[i], given, memory_order_seq_cst);
        sleeper_wake(&x->back[i]);
        ++*work;
    }
    return finished;
}

static void *take_all(void *context)
{
    struct load *x = context;
    for (;;) {
        uint64_t work = 0;
        if (take(x, &work) == WAKERS) return NULL;
        if (work > 0) continue;
        sleeper_prepare(&x->sleeper);
        uint32_t finished = take(x, &work);
        if (work > 0 || finished == WAKERS) {
            sleeper_cancel(&x->sleeper);
            continue;
        }
        uint64_t begin_ns = clock_mono_ns();
        sleeper_wait(&x->sleeper, WAIT_NS);
        atomic_fetch_add_explicit(&x->slept, 1, memory_order_relaxed);
        if (clock_mono_ns() - begin_ns >= WAIT_NS) {
            atomic_fetch_add(&x->lost, 1);
            return NULL;
        }
    }
}

static void decision_24_no_wake_up_is_lost(void **state)
{
    (void)state;
    static struct load x;
    struct waker wakers[WAKERS];
    pthread_t taker, givers[WAKERS];
    assert_int_equal(sleeper_open(&x.sleeper), 0);
    for (uint32_t i = 0; i < WAKERS; i++) assert_int_equal(sleeper_open(&x.back[i]), 0);
    assert_int_equal(pthread_create(&taker, NULL, take_all, &x), 0);
    for (uint32_t i = 0; i < WAKERS; i++) {
        wakers[i] = (struct waker){&x, i};
        assert_int_equal(pthread_create(&givers[i], NULL, give, &wakers[i]), 0);
    }
    for (uint32_t i = 0; i < WAKERS; i++) pthread_join(givers[i], NULL);
    pthread_join(taker, NULL);
    printf("%u items, %llu times asleep\n", WAKERS * ITEMS, (unsigned long long)atomic_load(&x.slept));
    assert_int_equal(atomic_load(&x.lost), 0);
    assert_true(atomic_load(&x.slept) > 0); /* the case was met, not only survived */
    for (uint32_t i = 0; i < WAKERS; i++) {
        assert_int_equal(atomic_load(&x.taken[i]), ITEMS);
        sleeper_close(&x.back[i]);
    }
    sleeper_close(&x.sleeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decision_24_no_wake_up_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
