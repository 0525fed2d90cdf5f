/* The simulator as a feed, on a clock passed in: whatever the pattern of polls, the log holds the same ticks
 * at the same intended times; none comes before its time, none that is due is missing. */
#include "base/clock.h"
#include "base/random.h"
#include "feeds/feed_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define START_NS UINT64_C(1700000000000000000)
#define MONO_NS  UINT64_C(5000000000)

struct rig {
    struct log *log;
    struct feed_writer *writer;
    struct feed *feed;
};

static struct rig open_rig(const char *text, uint32_t symbols_max)
{
    struct fault f;
    struct rig r = {
        .log = log_create(
            &(struct log_options){.capacity = 1u << 16, .symbols_max = symbols_max, .bars_max = 4096}, &f)};
    assert_non_null(r.log);
    r.writer = feed_writer_open(r.log, "sim");
    assert_non_null(r.writer);
    struct feed_uri uri;
    assert_int_equal(feed_uri_parse(&uri, text, &f), 0);
    if (feed_sim.open(&r.feed, &uri, &f) != 0) fail_msg("%s: %s", text, f.text);
    return r;
}

static void close_rig(struct rig *r)
{
    r->feed->ops->close(r->feed);
    feed_writer_close(r->writer);
    log_destroy(r->log);
}

static int poll_at(struct rig *r, uint64_t mono_ns, uint32_t ticks_max)
{
    struct feed_clock clock = {.mono_ns = mono_ns, .real_ns = START_NS + mono_ns};
    struct fault f;
    feed_writer_clock(r->writer, &clock);
    int rc = r->feed->ops->poll(r->feed, r->writer, &clock, ticks_max, &f);
    feed_flush(r->writer);
    return rc;
}

/* Everything in the log as one number; ingest times, which are the polls', left out. */
static uint64_t hash_log(const struct log *l)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint64_t seq = 0; seq < log_head(l); seq++) {
        struct tick t;
        assert_int_equal(log_read(l, seq, &t, 1), 1);
        if (t.kind == TICK_SYMBOL) t.event_ns = 0;
        if (t.kind != TICK_BAR) t.ingest_ns = 0;
        const unsigned char *bytes = (const unsigned char *)&t;
        for (size_t i = 0; i < sizeof t; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Polls at random moments with random bounds until two virtual seconds are over and all that is due has come.
 */
static uint64_t run_random(uint64_t seed, const char *text)
{
    struct random r;
    random_seed(&r, seed);
    struct rig rig = open_rig(text, 500);
    uint64_t now_ns = MONO_NS, end_ns = MONO_NS + 2 * NS_PER_SECOND;
    poll_at(&rig, now_ns, 1); /* starts its clock */
    while (now_ns < end_ns) {
        now_ns = min_u64(end_ns, now_ns + 1 + random_below(&r, UINT64_C(1) << random_below(&r, 28)));
        uint32_t most = 1 + (uint32_t)random_below(&r, 5000);
        int pushed = poll_at(&rig, now_ns, most);
        assert_true(pushed >= 0 && (uint32_t)pushed <= most);
    }
    while (rig.feed->ops->due_ns(rig.feed) <= end_ns) assert_true(poll_at(&rig, end_ns, 4096) > 0);
    assert_int_equal(poll_at(&rig, end_ns, 4096), 0);
    uint64_t hash = hash_log(rig.log);
    close_rig(&rig);
    return hash;
}

static void polls_do_not_change_the_ticks(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "sim:?rate=9000&start=1700000000000000000",
        "sim:?rate=20000&start=1700000000000000000&seed=9&burst=7&session=1&halts=1&kinds=trade,quote,bar,"
        "book,status",
        "sim:?rate=300&start=1700000000000000000&symbols=3",
    };
    const char *from = getenv("TICKCAST_SEED");
    uint64_t first = from ? strtoull(from, NULL, 0) : 1;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t wanted = run_random(0, texts[i]);
        for (uint64_t seed = first; seed < first + 8; seed++) {
            if (run_random(seed, texts[i]) == wanted) continue;
            print_message("%s; rerun: TICKCAST_SEED=%llu\n", texts[i], (unsigned long long)seed);
            fail();
        }
    }
}

static void a_tick_comes_when_due_with_its_intended_time(void **state)
{
    (void)state;
    struct rig r = open_rig("sim:?rate=1000&symbols=10", 500);
    poll_at(&r, MONO_NS, 4096);
    uint64_t seq = log_head(r.log);
    for (uint32_t i = 0; i < 3000; i++) {
        uint64_t due_ns = r.feed->ops->due_ns(r.feed);
        assert_int_equal(poll_at(&r, due_ns - 1, 4096), 0);
        assert_true(poll_at(&r, due_ns + 333, 4096) >=
                    1); /* a little late: the time told is the intended one */
        struct tick t;
        assert_int_equal(log_read(r.log, seq, &t, 1), 1);
        assert_true((uint64_t)t.event_ns == START_NS + due_ns);
        assert_true((uint64_t)t.ingest_ns == START_NS + due_ns + 333);
        seq = log_head(r.log);
    }
    close_rig(&r);
}

static void a_late_poll_catches_up_in_bounded_steps(void **state)
{
    (void)state;
    struct rig r = open_rig("sim:?rate=20000", 500);
    poll_at(&r, MONO_NS, 4096);
    uint64_t head = log_head(r.log), now_ns = MONO_NS + NS_PER_SECOND;
    int sum = 0, pushed;
    while ((pushed = poll_at(&r, now_ns, 1000)) > 0) {
        /* Who asks while something due is missing is told so: "drained" must not lie. */
        if (pushed == 1000) assert_true(r.feed->ops->due_ns(r.feed) <= now_ns || poll_at(&r, now_ns, 1) == 0);
        assert_in_range(pushed, 1, 1000);
        sum += pushed;
    }
    assert_in_range(sum, 18000, 22000);
    int64_t last_ns = 0;
    for (uint64_t seq = head; seq < log_head(r.log); seq++) {
        struct tick t;
        assert_int_equal(log_read(r.log, seq, &t, 1), 1);
        assert_true(t.event_ns >= last_ns && (uint64_t)t.event_ns <= START_NS + now_ns);
        last_ns = t.event_ns;
    }
    close_rig(&r);
}

static void a_closed_loop_gives_a_burst_a_poll(void **state)
{
    (void)state;
    struct rig r = open_rig("sim:?rate=0&burst=16&pace=workers&kinds=trade", 500);
    assert_int_equal(r.feed->pace, FEED_PACE_WORKERS);
    uint64_t seq = 500;
    for (uint64_t now_ns = MONO_NS; now_ns < MONO_NS + 100; now_ns++) {
        assert_true(r.feed->ops->due_ns(r.feed) <= now_ns);
        assert_int_equal(poll_at(&r, now_ns, 4096), 16);
        for (uint32_t i = 0; i < 16; i++) {
            struct tick t;
            assert_int_equal(log_read(r.log, seq++, &t, 1), 1);
            assert_int_equal(t.kind, TICK_TRADE);
            assert_true((uint64_t)t.event_ns == START_NS + now_ns);
        }
    }
    close_rig(&r);
    r = open_rig("sim:?rate=0", 500);
    assert_int_equal(poll_at(&r, MONO_NS, 4096), 4096);
    close_rig(&r);
}

static void a_count_ends_it(void **state)
{
    (void)state;
    struct rig r = open_rig("sim:?rate=0&count=5000&symbols=2", 500);
    assert_int_equal(poll_at(&r, MONO_NS, 4096), 4096);
    assert_int_equal(poll_at(&r, MONO_NS, 4096), 904);
    assert_int_equal(poll_at(&r, MONO_NS, 4096), FEED_DONE);
    assert_int_equal(log_head(r.log), 2 + 5000);
    close_rig(&r);
}

static void symbols_beyond_the_table_are_lost_and_counted(void **state)
{
    (void)state;
    struct rig r = open_rig("sim:?rate=0&count=1000&symbols=20&halts=0", 10);
    assert_int_equal(poll_at(&r, MONO_NS, 1000), 1000);
    /* Ten names, and each tick of theirs. */
    assert_int_equal(feed_writer_lost(r.writer), 10 + 1000 - feed_writer_ticks(r.writer));
    assert_in_range(feed_writer_ticks(r.writer), 500, 990);
    close_rig(&r);
}

static void wrong_parameters_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"sim:?symbols=0", "symbols"},
        {"sim:?symbols=65537", "from 1 to 65536"},
        {"sim:?rate=-1", "rate"},
        {"sim:?rate=200M", "100000000"},
        {"sim:?burst=0", "burst"},
        {"sim:?arrivals=odd", "`odd` is neither clustered nor even"},
        {"sim:?kinds=trade,candle", "`candle` is none of"},
        {"sim:?kinds=status", "kinds"},
        {"sim:?kinds=", "kinds"},
        {"sim:?pace=slow", "free, workers"},
        {"sim:?rat=1", "unknown parameter `rat`"},
        {"sim:x", "no path"},
        {"sim:?volatility=1001", "volatility"},
        {"sim:?session=86401", "session"},
        {"sim:?start=x", "start"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feed_uri uri;
        struct fault f = {0};
        struct feed *feed = NULL;
        assert_int_equal(feed_uri_parse(&uri, cases[i].text, &f), 0);
        assert_int_equal(feed_sim.open(&feed, &uri, &f), TC_EUSAGE);
        if (!strstr(f.text, cases[i].words)) print_message("%s: %s\n", cases[i].text, f.text);
        assert_non_null(strstr(f.text, cases[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_do_not_change_the_ticks),
        cmocka_unit_test(a_tick_comes_when_due_with_its_intended_time),
        cmocka_unit_test(a_late_poll_catches_up_in_bounded_steps),
        cmocka_unit_test(a_closed_loop_gives_a_burst_a_poll),
        cmocka_unit_test(a_count_ends_it),
        cmocka_unit_test(symbols_beyond_the_table_are_lost_and_counted),
        cmocka_unit_test(wrong_parameters_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
