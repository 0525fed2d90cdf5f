/* Timer wheel, heap and pool: against the obvious. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/heap.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/timer.h"

#include <string.h>

/* Random sets, moves and cancels over a long time: each fires once, never early, at most a grain late. */
static void timers_fire_once_and_in_time(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct random r;
        random_seed(&r, seed);
        static struct timer_wheel w;
        struct timer t[COUNT] = {{0}};
        uint64_t due[COUNT] = {0}, now = random_below(&r, UINT64_C(1) << 40);
        timer_wheel_init(&w, now);
        for (int step = 0; step < 4000; step++) {
            uint32_t i = (uint32_t)random_below(&r, COUNT);
            switch (random_below(&r, 4)) {
            case 0:
                due[i] = now + random_below(&r, UINT64_C(12000000000)); /* several rounds */
                timer_set(&w, &t[i], due[i]);
                break;
            case 1:
                timer_cancel(&w, &t[i]);
                due[i] = 0;
                break;
            default: {
                uint64_t wait = timer_wait_ns(&w, now, 1000000000);
                for (uint32_t k = 0; k < COUNT; k++)
                    if (due[k])
                        assert_true(due[k] + TIMER_GRAIN_NS >= now &&
                                    due[k] + 2 * TIMER_GRAIN_NS >= now + wait);
                now +=
                    random_below(&r, 3) ? random_below(&r, 30000000) : random_below(&r, UINT64_C(9000000000));
                struct timer *fired;
                while ((fired = timer_due(&w, now)) != NULL) {
                    uint32_t k = (uint32_t)(fired - t);
                    assert_true(due[k] != 0 && due[k] <= now);
                    due[k] = 0;
                }
                for (uint32_t k = 0; k < COUNT; k++)
                    assert_true(due[k] == 0 || due[k] + TIMER_GRAIN_NS * 2 > now);
            }
            }
            for (uint32_t k = 0; k < COUNT; k++) assert_int_equal(timer_is_set(&t[k]), due[k] != 0);
        }
    }
}

static void heap_is_bounded_and_gives_back(void **state)
{
    (void)state;
    struct heap h;
    assert_int_equal(heap_init(&h, 1 << 16), 0);
    void *at[2048];
    uint32_t n = 0;
    while ((at[n] = heap_get(&h, 100)) != NULL) memset(at[n++], 0xab, 100);
    assert_int_equal(n, (1 << 16) / 128);
    for (uint32_t i = 0; i < n; i++) heap_put(&h, at[i], 100);
    assert_int_equal(h.live, 0);
    for (uint32_t i = 0; i < n; i++) assert_non_null(heap_get(&h, 128));
    assert_null(heap_get(&h, 1));
    heap_put(&h, NULL, 5);
    heap_destroy(&h);
}

static void pool_gives_each_block_once(void **state)
{
    (void)state;
    struct pool p;
    assert_int_equal(pool_init(&p, 10, 64), 0);
    uint8_t seen[10] = {0};
    for (int i = 0; i < 10; i++) seen[pool_get(&p)]++;
    for (int i = 0; i < 10; i++) assert_int_equal(seen[i], 1);
    assert_int_equal(pool_get(&p), POOL_NONE);
    pool_put(&p, 3);
    assert_int_equal(pool_get(&p), 3);
    pool_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_once_and_in_time),
        cmocka_unit_test(heap_is_bounded_and_gives_back),
        cmocka_unit_test(pool_gives_each_block_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
