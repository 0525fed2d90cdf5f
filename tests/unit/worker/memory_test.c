/* tests/unit/worker/memory_test.c -- goal: the promised bound counts each worker's own, and what moves with
 * the connections once. */
#include "worker/worker_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct memory_budget budget(uint64_t workers, uint64_t connections, uint64_t rest_bytes)
{
    struct settings s;
    settings_default(&s);
    s.workers = workers;
    s.connections_max = connections;
    s.rest_bytes = rest_bytes;
    struct memory_budget b;
    memory_budget(&s, 1000, 10, &b);
    assert_int_equal(b.total, b.log + b.connections + b.rests + b.requests + b.inputs + b.messages +
                                  b.filters + b.workers + b.admin);
    settings_free(&s);
    return b;
}

static void each_worker_has_a_place_for_everybody(void **state)
{
    (void)state;
    const uint64_t connections = 16384;
    struct memory_budget one = budget(1, connections, 0), four = budget(4, connections, 0);
    assert_true(one.connections >= connections * CONN_BYTES);
    assert_true(four.connections >= 4 * connections * CONN_BYTES);
    assert_in_range(four.workers, 2 * one.workers,
                    4 * one.workers); /* part of it goes by their share of filters */
    /* Rests and requests: what all connections can have, and what each pool keeps warm. */
    assert_true(one.rests >= connections * FRAME_BYTES_MAX);
    assert_in_range(four.rests, connections * FRAME_BYTES_MAX + 3 * POOL_HOT_BYTES,
                    connections * FRAME_BYTES_MAX + 4 * (POOL_HOT_BYTES + connections * sizeof(uint32_t)));
    assert_true(four.requests < 2 * one.requests);
    assert_true(four.inputs < 2 * one.inputs);
}

static void no_pool_can_hold_more_than_it_has(void **state)
{
    (void)state;
    /* Ten connections: less than a pool would keep warm. */
    struct memory_budget b = budget(4, 10, 0);
    assert_true(b.rests <= 4 * 10 * (FRAME_BYTES_MAX + sizeof(uint32_t)));
    /* --rest-memory is for all workers together. */
    const uint64_t limit = 64u << 20;
    b = budget(4, 100000, limit);
    assert_in_range(b.rests, limit, limit + limit / FRAME_BYTES_MAX * sizeof(uint32_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_worker_has_a_place_for_everybody),
                                       cmocka_unit_test(no_pool_can_hold_more_than_it_has)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
