/* Whom a feed waits for, on a clock passed in and readers written by hand. */
#include "base/clock.h"
#include "feeds/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BOUND_NS (3 * NS_PER_SECOND)

struct rig {
    struct log *log;
    struct log_reader *a, *b;
    struct pace pace;
};

static void append(struct rig *r, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct tick t = {.kind = TICK_FEED};
        t.feed.state = FEED_RESUMED;
        t.feed.name[0] = 'x';
        t.event_ns = t.ingest_ns = 1;
        log_append(r->log, &t, 1);
    }
}

static struct rig open_rig(void)
{
    struct fault f;
    struct rig r = {
        .log = log_create(&(struct log_options){.capacity = 1024, .symbols_max = 4, .bars_max = 4}, &f)};
    assert_non_null(r.log);
    r.a = log_reader_add(r.log);
    r.b = log_reader_add(r.log);
    assert_true(r.a && r.b);
    return r;
}

static struct pace_answer look(struct rig *r, enum feed_pace pace, uint64_t now_ns)
{
    return pace_look(&r->pace, pace, r->log, now_ns, BOUND_NS);
}

static void free_waits_for_nobody(void **state)
{
    (void)state;
    struct rig r = open_rig();
    atomic_store(&r.a->members, 5);
    atomic_store(&r.a->owed, 1);
    append(&r, 900);
    pace_polled(&r.pace, FEED_PACE_FREE, r.log);
    assert_false(look(&r, FEED_PACE_FREE, 1).held);
    log_destroy(r.log);
}

static void workers_hand_out_before_the_next_burst(void **state)
{
    (void)state;
    struct rig r = open_rig();
    assert_false(look(&r, FEED_PACE_WORKERS, 1).held);
    append(&r, 16);
    pace_polled(&r.pace, FEED_PACE_WORKERS, r.log);
    assert_false(look(&r, FEED_PACE_WORKERS, 1).held); /* nobody is there */
    atomic_store(&r.b->members, 3);
    atomic_store(&r.b->taking, 2);
    assert_true(look(&r, FEED_PACE_WORKERS, 1).held);
    assert_true(
        look(&r, FEED_PACE_WORKERS, 99 * NS_PER_SECOND).held); /* with members in step, as long as it takes */
    atomic_store(&r.b->handed, 15);
    assert_true(look(&r, FEED_PACE_WORKERS, 100 * NS_PER_SECOND).held);
    append(&r, 7); /* another feed's: not what this one waits for */
    atomic_store(&r.b->handed, 16);
    assert_false(look(&r, FEED_PACE_WORKERS, 100 * NS_PER_SECOND).held);
    log_destroy(r.log);
}

static void a_worker_of_full_members_is_waited_for_one_second(void **state)
{
    (void)state;
    struct rig r = open_rig();
    append(&r, 16);
    pace_polled(&r.pace, FEED_PACE_WORKERS, r.log);
    atomic_store(&r.a->members, 3);
    uint64_t since_ns = 7 * NS_PER_SECOND;
    struct pace_answer answer = look(&r, FEED_PACE_WORKERS, since_ns);
    assert_true(answer.held);
    assert_int_equal(answer.look_ns, since_ns + NS_PER_SECOND);
    assert_true(look(&r, FEED_PACE_WORKERS, since_ns + NS_PER_SECOND - 1).held);
    assert_false(look(&r, FEED_PACE_WORKERS, since_ns + NS_PER_SECOND).held);
    append(&r, 16); /* the next burst has its own second */
    pace_polled(&r.pace, FEED_PACE_WORKERS, r.log);
    assert_true(look(&r, FEED_PACE_WORKERS, since_ns + NS_PER_SECOND + 1).held);
    log_destroy(r.log);
}

static void complete_keeps_half_the_log_for_whoever_is_owed(void **state)
{
    (void)state;
    struct rig r = open_rig();
    append(&r, 600);
    assert_false(look(&r, FEED_PACE_COMPLETE, 1).held); /* owed nothing */
    atomic_store(&r.b->owed, 600 - 512);
    assert_false(look(&r, FEED_PACE_COMPLETE, 1).held);
    append(&r, 1);
    assert_true(look(&r, FEED_PACE_COMPLETE, 1).held);
    atomic_store(&r.b->owed, UINT64_MAX);
    assert_false(look(&r, FEED_PACE_COMPLETE, 2).held);
    log_destroy(r.log);
}

static void workers_are_asked_who_takes_nothing(void **state)
{
    (void)state;
    const uint64_t part_ns = BOUND_NS / PACE_LOOKS_PER_BOUND;
    struct rig r = open_rig();
    append(&r, 900);
    atomic_store(&r.a->owed, 100);
    struct pace_answer answer = look(&r, FEED_PACE_COMPLETE, 1);
    assert_true(answer.held && !answer.stalled);
    assert_int_equal(answer.look_ns, 1 + PACE_OWED_LOOK_NS);
    atomic_store(&r.a->owed, 101); /* it took something: the wait starts anew */
    answer = look(&r, FEED_PACE_COMPLETE, part_ns);
    assert_true(answer.held && !answer.stalled);
    answer = look(&r, FEED_PACE_COMPLETE, 2 * part_ns - 1);
    assert_true(answer.held && !answer.stalled);
    for (uint64_t n = 2; n < 10; n++) { /* again and again, for as long as nothing moves */
        answer = look(&r, FEED_PACE_COMPLETE, n * part_ns);
        assert_true(answer.held && answer.stalled);
        assert_int_equal(answer.stalled_seq, 101);
        answer = look(&r, FEED_PACE_COMPLETE, n * part_ns + 1);
        assert_true(answer.held && !answer.stalled);
    }
    log_destroy(r.log);
}

/* Once a replay ran on over both halves of this: a worker with everybody behind was not waited for, and what
 * it owed was looked at before it had read the ticks that it came to owe. */
static void complete_waits_for_a_worker_that_has_not_read_yet(void **state)
{
    (void)state;
    struct rig r = open_rig();
    append(&r, 900);
    atomic_store(&r.a->members, 1); /* nobody takes: all are behind */
    atomic_store(&r.a->read, 100);
    struct pace_answer answer = look(&r, FEED_PACE_COMPLETE, 1);
    assert_true(answer.held);
    answer = look(&r, FEED_PACE_COMPLETE, 1 + BOUND_NS);
    assert_true(answer.held && !answer.stalled); /* a worker is not a subscriber to be cut */
    atomic_store(&r.a->handed, 900);             /* says nothing about what is owed */
    assert_true(look(&r, FEED_PACE_COMPLETE, 2 + BOUND_NS).held);
    atomic_store(&r.a->read, 800);
    assert_false(look(&r, FEED_PACE_COMPLETE, 3 + BOUND_NS).held);
    log_destroy(r.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_waits_for_nobody),
        cmocka_unit_test(workers_hand_out_before_the_next_burst),
        cmocka_unit_test(a_worker_of_full_members_is_waited_for_one_second),
        cmocka_unit_test(complete_keeps_half_the_log_for_whoever_is_owed),
        cmocka_unit_test(workers_are_asked_who_takes_nothing),
        cmocka_unit_test(complete_waits_for_a_worker_that_has_not_read_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
