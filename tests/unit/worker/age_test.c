/* tests/unit/worker/age_test.c -- goal: each stage of a worker counts what it must: read once a tick, render
 * and socket once a delivery, whatever the socket did on the way; and a delay shows in the stage in which it
 * arose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/worker_rig.h"

#define START UINT64_C(1700000000000000000)
#define MANY  6u

/* A clock for stamps alone: each look at it is a millisecond later. */
static uint64_t stamp_now;
static uint64_t stamp(void)
{
    return stamp_now += NS_PER_MS;
}

static struct rig rig;
static struct client clients[MANY];
static uint32_t symbol;

static void begin(uint32_t cohort_members, const char *query, uint32_t count)
{
    stamp_now = START;
    rig_open(&rig, &(struct rig_options){.connections = 64,
                                         .log_capacity = 4096,
                                         .symbols = 8,
                                         .cohort_members = cohort_members,
                                         .stamp_ns = stamp});
    symbol = rig_symbol(&rig, "A"); /* seq 1 */
    for (uint32_t i = 0; i < count; i++) client_subscribe(&rig, &clients[i], query);
}

static void end(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) client_close(&clients[i]);
    rig_close(&rig);
}

/* Trades and quotes that are due now. */
static void push(uint32_t count, uint8_t kind)
{
    for (uint32_t i = 0; i < count; i++) {
        struct tick t = {.kind = kind, .symbol = symbol, .event_ns = (int64_t)stamp_now, .ingest_ns = 1};
        if (kind == TICK_TRADE)
            t.trade = (struct tick_trade){.price = i + 1, .size = 1};
        else
            t.quote = (struct tick_quote){.bid = i + 1, .bid_size = 1, .ask = i + 2, .ask_size = 1};
        log_append(rig.server.log, &t, 1);
    }
}

static struct age_sum sum(const struct ages *a)
{
    struct age_sum s = {.count = 0};
    age_sum_add(&s, a);
    return s;
}
#define AGES(name) sum(&worker_counters(rig.worker)->name)

static void check_counts(uint64_t read, uint64_t delivered)
{
    assert_int_equal(AGES(read_age).count, read);
    assert_int_equal(AGES(render_age).count, delivered);
    assert_int_equal(AGES(socket_age).count, delivered);
    assert_int_equal(AGES(read_age).untimed + AGES(render_age).untimed + AGES(socket_age).untimed, 0);
}

static void read_counts_ticks_and_the_others_deliveries(void **state)
{
    (void)state;
    begin(4, "symbols=*&snapshot=0", MANY); /* a cohort of four and one of two */
    for (int i = 0; i < 64; i++) {
        push(10, TICK_TRADE); /* seqs 2 to 641 */
        rig_turn(&rig);
    }
    rig_turns(&rig, 2);
    check_counts(10, 10 * MANY);
    assert_int_equal(sum(log_ages(rig.server.log)).count, 10);
    end(MANY);
}

static void stages_follow_each_other(void **state)
{
    (void)state;
    begin(0, "symbols=*&snapshot=0", 1);
    push(63, TICK_TRADE); /* to 64: the last is sampled */
    rig_turns(&rig, 2);
    check_counts(1, 1);
    /* The stamp clock is looked at once in each stage. */
    assert_true(sum(log_ages(rig.server.log)).sum == 0.001);
    assert_true(AGES(read_age).sum == 0.002);
    assert_true(AGES(render_age).sum == 0.003);
    assert_true(AGES(socket_age).sum == 0.004);
    end(1);
}

/* What was conflated away, or is not asked for, is delivered to nobody. */
static void only_what_is_in_the_frame_counts(void **state)
{
    (void)state;
    begin(0, "symbols=*&snapshot=0&policy=conflate&rate=10", 1);
    push(63, TICK_QUOTE); /* 64 is the newest: kept */
    rig_turn_after(&rig, NS_PER_SECOND);
    rig_turn_after(&rig, NS_PER_SECOND);
    check_counts(1, 1);
    push(100, TICK_QUOTE); /* 128 gives way to 164 */
    rig_turn_after(&rig, NS_PER_SECOND);
    rig_turn_after(&rig, NS_PER_SECOND);
    check_counts(2, 1);
    client_subscribe(&rig, &clients[1], "symbols=B&snapshot=0");
    push(64, TICK_TRADE); /* 192 is not for the second */
    rig_turn_after(&rig, NS_PER_SECOND);
    rig_turn_after(&rig, NS_PER_SECOND);
    check_counts(3, 2);
    end(2);
}

static void other_kinds_are_not_timed(void **state)
{
    (void)state;
    begin(0, "symbols=*&snapshot=0", 1);
    push(62, TICK_TRADE);
    rig_feed(&rig, FEED_STARTED, false, 0); /* 64 */
    rig_turns(&rig, 2);
    check_counts(0, 0);
    end(1);
}

static void far_times_are_told_apart(void **state)
{
    (void)state;
    begin(0, "symbols=*&snapshot=0", 2);
    for (int i = 0; i < 64; i++) rig_trade(&rig, symbol, 1); /* of 1970 */
    rig_turns(&rig, 2);
    assert_int_equal(AGES(read_age).untimed, 1);
    assert_int_equal(AGES(render_age).untimed, 2);
    assert_int_equal(AGES(socket_age).untimed, 2);
    assert_int_equal(AGES(read_age).count + AGES(render_age).count + AGES(socket_age).count, 0);
    end(2);
}

/* One that takes nothing for a while, in step with others, is counted when it is served: from its own
 * position, and older. */
static void check_stalled(const char *query)
{
    begin(0, query, 3);
    sim_peer_window(rig.sim, clients[0].peer, 200); /* a rest, then nothing */
    for (int i = 0; i < 20; i++) {
        push(32, TICK_TRADE); /* 640: ten sampled */
        rig_turn(&rig);
    }
    assert_int_equal(AGES(read_age).count, 10);
    uint64_t before = AGES(socket_age).count;
    assert_true(before >= 20 && before < 30); /* the two that read have all */
    assert_true(AGES(render_age).count == before);
    double mean_before = AGES(socket_age).sum / (double)before;
    stamp_now += NS_PER_SECOND;
    sim_peer_window(rig.sim, clients[0].peer, 4 << 20);
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < 3; k++) client_until(&clients[k], "nothing");
        rig_turn(&rig);
    }
    check_counts(10, 30);
    assert_int_equal(rig_counter(&rig, ticks_total), 3 * 640); /* what was taken in part, too */
    double late = (AGES(render_age).sum - mean_before * (double)before) / (double)(30 - before);
    assert_true(late > 0.9); /* it waited before its frame was made, not in it */
    for (int k = 0; k < 3; k++) assert_true(clients[k].position == log_head(rig.server.log));
    end(3);
}

static void a_full_socket_counts_once(void **state)
{
    (void)state;
    check_stalled("symbols=*&snapshot=0&policy=complete");
    check_stalled("symbols=*&snapshot=0&policy=complete&frame=tick");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_counts_ticks_and_the_others_deliveries),
        cmocka_unit_test(stages_follow_each_other),
        cmocka_unit_test(only_what_is_in_the_frame_counts),
        cmocka_unit_test(other_kinds_are_not_timed),
        cmocka_unit_test(far_times_are_told_apart),
        cmocka_unit_test(a_full_socket_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
