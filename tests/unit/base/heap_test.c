/* tests/unit/base/heap_test.c -- goal: what is resized keeps its bytes, and a heap that is used up changes
 * nothing. */
#include "base/heap.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void bytes_are_kept(void **state)
{
    (void)state;
    struct heap h;
    assert_int_equal(heap_init(&h, 1 << 20), 0);
    char *at = heap_resize(&h, NULL, 0, 100);
    assert_non_null(at);
    for (int i = 0; i < 100; i++) at[i] = (char)i;
    at = heap_resize(&h, at, 100, 5000);
    assert_non_null(at);
    for (int i = 0; i < 100; i++) assert_int_equal(at[i], i);
    at = heap_resize(&h, at, 5000, 40);
    for (int i = 0; i < 40; i++) assert_int_equal(at[i], i);
    heap_put(&h, at, 40);
    assert_int_equal(h.live, 0);
    heap_destroy(&h);
}

static void used_up_it_stays_as_it_was(void **state)
{
    (void)state;
    struct heap h;
    assert_int_equal(heap_init(&h, 4096), 0);
    char *at = heap_get(&h, 1000);
    memset(at, 7, 1000);
    size_t live = h.live;
    assert_null(heap_resize(&h, at, 1000, 4096));
    assert_int_equal(h.live, live);
    assert_int_equal(at[999], 7);
    heap_destroy(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_are_kept),
                                       cmocka_unit_test(used_up_it_stays_as_it_was)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
