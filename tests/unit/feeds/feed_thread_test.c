/* The sequencer from end to end: a real log, a real thread, readers played by the test. */
#include "base/clock.h"
#include "feeds/feed_thread.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_NS (30 * NS_PER_SECOND)
#define LOG_LONG    (1u << 17) /* a minute of ticks: the first ones are there however late they are read */

struct rig {
    struct log *log;
    struct log_reader *reader;
    struct feed_thread *thread;
    struct feed_thread_options options;
    const char *uris[3];
    _Atomic uint64_t stalled_seq; /* written in the feed thread */
    _Atomic uint32_t stalled_count;
};

static void on_stalled(void *context, uint64_t seq)
{
    struct rig *r = context;
    atomic_store(&r->stalled_seq, seq);
    atomic_fetch_add(&r->stalled_count, 1);
}

static void prepare_log(struct rig *r, uint32_t capacity, const char *first, const char *second,
                        const char *third)
{
    struct fault f;
    *r = (struct rig){.uris = {first, second, third}};
    r->log = log_create(&(struct log_options){.capacity = capacity, .symbols_max = 600, .bars_max = 16}, &f);
    assert_non_null(r->log);
    r->reader = log_reader_add(r->log);
    assert_non_null(r->reader);
    r->options = (struct feed_thread_options){.log = r->log,
                                              .uris = r->uris,
                                              .uri_count = third    ? 3
                                                           : second ? 2
                                                                    : 1,
                                              .stall_bound_ns = NS_PER_SECOND / 20,
                                              .cpu = -1,
                                              .stalled = on_stalled,
                                              .context = r};
}

static void prepare(struct rig *r, const char *first, const char *second, const char *third)
{
    prepare_log(r, 4096, first, second, third);
}

static void start(struct rig *r)
{
    struct fault f = {0};
    int rc = feed_thread_start(&r->thread, &r->options, &f);
    if (rc != 0) fail_msg("%s", f.text);
}

static void stop(struct rig *r)
{
    feed_thread_stop(r->thread);
    log_destroy(r->log);
}

static struct feed_thread_stats stats(struct rig *r)
{
    struct feed_thread_stats s;
    feed_thread_stats(r->thread, &s);
    return s;
}

/* Waits for a condition that another thread brings about; a failure if it takes all the patience there is. */
#define WAIT_FOR(condition)                                                                                  \
    do {                                                                                                     \
        uint64_t end_ns = clock_mono_ns() + PATIENCE_NS;                                                     \
        while (!(condition)) {                                                                               \
            if (clock_mono_ns() > end_ns) fail_msg("never: %s", #condition);                                 \
            sched_yield();                                                                                   \
        }                                                                                                    \
    } while (0)

static struct tick tick_at(const struct rig *r, uint64_t seq)
{
    struct tick t;
    assert_int_equal(log_read(r->log, seq - 1, &t, 1), 1);
    return t;
}

static void assert_state(struct tick t, const char *name, enum feed_state state)
{
    assert_int_equal(t.kind, TICK_FEED);
    assert_int_equal(t.feed.state, state);
    assert_int_equal(strncmp(t.feed.name, name, FEED_NAME_MAX), 0);
}

static void a_feed_starts_ticks_and_ends(void **state)
{
    (void)state;
    struct rig r;
    prepare(&r, "sim:?rate=0&count=1000&symbols=2", NULL, NULL);
    start(&r);
    assert_true(stats(&r).waiting);
    assert_int_equal(log_head(r.log), 0); /* not before go */
    feed_thread_go(r.thread);
    WAIT_FOR(stats(&r).all_done);
    assert_int_equal(log_head(r.log), 1 + 2 + 1000 + 1);
    assert_state(tick_at(&r, 1), "sim", FEED_STARTED);
    assert_state(tick_at(&r, 1004), "sim", FEED_ENDED);
    struct feed_thread_stats s = stats(&r);
    assert_int_equal(s.ticks, 1000);
    assert_int_equal(s.ended, 1);
    assert_false(s.waiting);
    uint64_t drained = log_drained(r.log);
    WAIT_FOR(log_drained(r.log) > drained); /* the time goes on though nothing happens */
    stop(&r);
}

static void wrong_uris_are_told_before_anything_runs(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"gopher:x", "there is no feed `gopher:`"},
                                           {"sim", "scheme"},
                                           {"sim:?rat=1", "unknown parameter `rat`"},
                                           {"file:/nowhere/x.csv", "/nowhere/x.csv"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        prepare(&r, "sim:", cases[i][0], NULL);
        struct fault f = {0};
        assert_true(feed_thread_start(&r.thread, &r.options, &f) < 0);
        if (!strstr(f.text, cases[i][1])) print_message("%s\n", f.text);
        assert_non_null(strstr(f.text, cases[i][1]));
        log_destroy(r.log);
    }
}

static void it_waits_for_subscribers_once(void **state)
{
    (void)state;
    struct rig r;
    prepare(&r, "sim:?rate=100000", NULL, NULL);
    r.options.wait_members = 2;
    struct log_reader *second = log_reader_add(r.log);
    start(&r);
    feed_thread_go(r.thread);
    atomic_store(&r.reader->members, 1);
    uint64_t drained = log_drained(r.log);
    for (int looks = 0; looks < 3; looks++) { /* it looked, saw one member only, and did not begin */
        WAIT_FOR(log_drained(r.log) > drained);
        drained = log_drained(r.log);
    }
    assert_int_equal(log_head(r.log), 0);
    assert_true(stats(&r).waiting);
    atomic_store(&second->members, 1); /* on another worker: the sum counts */
    WAIT_FOR(log_head(r.log) > 600);
    atomic_store(&second->members, 0);
    uint64_t head = log_head(r.log);
    WAIT_FOR(log_head(r.log) > head + 1000); /* never stops again */
    stop(&r);
}

static void a_closed_loop_waits_for_each_burst(void **state)
{
    (void)state;
    struct rig r;
    prepare(&r, "sim:?rate=0&burst=16&pace=workers&symbols=2", NULL, NULL);
    atomic_store(&r.reader->members, 1);
    atomic_store(&r.reader->taking, 1);
    start(&r);
    feed_thread_go(r.thread);
    for (uint64_t round = 1; round <= 2000; round++) {
        uint64_t wanted = 1 + 2 + 16 * round;
        WAIT_FOR(log_head(r.log) >= wanted);
        assert_int_equal(log_head(r.log), wanted);
        atomic_store(&r.reader->handed, wanted);
        log_reader_progress(r.log);
    }
    stop(&r); /* while it is held */
}

static void a_complete_pace_never_laps_and_tells_a_stall(void **state)
{
    (void)state;
    struct rig r;
    prepare(&r, "sim:?rate=0&burst=4096&pace=complete&symbols=2", NULL, NULL);
    atomic_store(&r.reader->owed, 1);
    start(&r);
    feed_thread_go(r.thread);
    WAIT_FOR(atomic_load(&r.stalled_count) >= 2); /* held, and told once per bound */
    assert_int_equal(atomic_load(&r.stalled_seq), 1);
    assert_in_range(log_head(r.log), 2049, 4095);
    assert_true(log_holds(r.log, 0));
    uint64_t owed = 1;
    while (owed < 200000) { /* a slow one that takes a bit at a time is never lapped */
        uint64_t head = log_head(r.log);
        assert_true(log_holds(r.log, owed));
        if (owed + 1000 < head)
            atomic_store(&r.reader->owed, owed += 700);
        else
            sched_yield();
    }
    atomic_store(&r.reader->owed, UINT64_MAX);
    uint64_t head = log_head(r.log);
    WAIT_FOR(log_head(r.log) > head + 8192);
    stop(&r);
}

static void a_failing_feed_does_not_stop_the_others(void **state)
{
    (void)state;
    char path[] = "/tmp/tickcast-feed-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] =
        "ts,symbol,price,size\n1700000000000000000,AAA,1.5,100\n1700000000000000001,AAA,wrong,100\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    char uri[128];
    snprintf(uri, sizeof uri, "file:%s?speed=max&format=csv", path);
    struct rig r;
    prepare_log(&r, LOG_LONG, "sim:?rate=1000&symbols=2", uri, "sim:?rate=1000&symbols=2&seed=2");
    start(&r);
    feed_thread_go(r.thread);
    WAIT_FOR(stats(&r).failed == 1);
    struct feed_thread_stats s = stats(&r);
    assert_non_null(strstr(s.fault_text, "wrong"));
    assert_int_equal(s.running, 2);
    assert_false(s.all_done);
    uint64_t ticks = s.ticks;
    WAIT_FOR(stats(&r).ticks > ticks + 100);
    bool started[2] = {false}, failed = false;
    for (uint64_t seq = 1; seq <= log_head(r.log); seq++) {
        struct tick t = tick_at(&r, seq);
        if (t.kind != TICK_FEED) continue;
        if (t.feed.state == FEED_STARTED && strncmp(t.feed.name, "sim", FEED_NAME_MAX) == 0)
            started[0] = true;
        if (t.feed.state == FEED_STARTED && strncmp(t.feed.name, "sim2", FEED_NAME_MAX) == 0)
            started[1] = true;
        failed = failed || t.feed.state == FEED_FAILED;
    }
    assert_true(started[0] && started[1] && failed);
    stop(&r);
    unlink(path);
}

static void ticks_come_at_their_time(void **state)
{
    (void)state;
    struct rig r;
    prepare_log(&r, LOG_LONG, "sim:?rate=2000&symbols=4&halts=0", NULL, NULL);
    start(&r);
    feed_thread_go(r.thread);
    WAIT_FOR(stats(&r).ticks >= 1000);
    uint64_t early = 0;
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        struct tick t = tick_at(&r, seq);
        early += t.ingest_ns + (int64_t)FEED_CLOCK_PAIR_NS < t.event_ns;
    }
    assert_int_equal(early, 0);
    stop(&r);
}

static void it_can_be_stopped_at_any_time(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct rig r;
        prepare(&r, "sim:?rate=1", NULL, NULL);
        r.options.wait_members = kind == 2 ? 5 : 0;
        start(&r);
        if (kind > 0)
            feed_thread_go(r.thread); /* asleep until its next tick, a second away, or for members */
        uint64_t began_ns = clock_mono_ns();
        stop(&r);
        assert_true(clock_mono_ns() - began_ns < 5 * NS_PER_SECOND);
    }
}

static void it_can_be_pinned(void **state)
{
    (void)state;
    struct rig r;
    prepare(&r, "sim:?rate=1", NULL, NULL);
    cpu_set_t mine;
    assert_int_equal(sched_getaffinity(0, sizeof mine, &mine), 0);
    int cpu = 0;
    while (!CPU_ISSET((size_t)cpu, &mine)) cpu++;
    r.options.cpu = cpu;
    start(&r);
    feed_thread_stop(r.thread);
    r.options.cpu = 1023;
    struct fault f = {0};
    assert_int_equal(feed_thread_start(&r.thread, &r.options, &f), TC_EUSAGE);
    assert_non_null(strstr(f.text, "processor 1023"));
    log_destroy(r.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_feed_starts_ticks_and_ends),
        cmocka_unit_test(wrong_uris_are_told_before_anything_runs),
        cmocka_unit_test(it_waits_for_subscribers_once),
        cmocka_unit_test(a_closed_loop_waits_for_each_burst),
        cmocka_unit_test(a_complete_pace_never_laps_and_tells_a_stall),
        cmocka_unit_test(a_failing_feed_does_not_stop_the_others),
        cmocka_unit_test(ticks_come_at_their_time),
        cmocka_unit_test(it_can_be_stopped_at_any_time),
        cmocka_unit_test(it_can_be_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
