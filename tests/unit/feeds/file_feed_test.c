/* tests/unit/feeds/file_feed_test.c -- goal: a file is played at its own spacing, on a clock that is passed
 * in; window, loop, bad rows and the end are told in order with the ticks. */
#include "feeds/feed.h"

#include "base/clock.h"
#include "feeds/feed_writer.h"
#include "feeds/text_files.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SECOND NS_PER_SECOND

/* One feed on a log of its own. */
struct rig {
    struct log *log;
    struct feed_writer *writer;
    struct feed *feed;
    struct feed_clock clock;
    struct fault fault;
    uint64_t read; /* seq of the last tick looked at */
};

static int rig_open(struct rig *r, const char *path, const char *query)
{
    char text[1024];
    static struct feed_uri uri;
    *r = (struct rig){.clock = {.mono_ns = 100 * SECOND, .real_ns = 1000 * SECOND}};
    snprintf(text, sizeof text, "file:%s%s", path, query);
    assert_int_equal(feed_uri_parse(&uri, text, &r->fault), 0);
    int rc = feed_file.open(&r->feed, &uri, &r->fault);
    if (rc < 0) return rc;
    r->log = log_create(
        &(struct log_options){.capacity = 1024, .symbols_max = 64, .bars_max = 64, .epoch = 7}, &r->fault);
    assert_non_null(r->log);
    r->writer = feed_writer_open(r->log, "f");
    assert_non_null(r->writer);
    return 0;
}

static void rig_close(struct rig *r)
{
    r->feed->ops->close(r->feed);
    feed_flush(r->writer);
    feed_writer_close(r->writer);
    log_destroy(r->log);
}

static int rig_poll(struct rig *r, uint32_t ticks_max)
{
    feed_writer_clock(r->writer, &r->clock);
    int rc = r->feed->ops->poll(r->feed, r->writer, &r->clock, ticks_max, &r->fault);
    feed_flush(r->writer);
    feed_writer_tell_losses(r->writer);
    return rc;
}

/* Goes to the time at which something is due; returns the seconds passed since the rig's start in ms. */
static uint64_t rig_forward(struct rig *r)
{
    uint64_t due_ns = r->feed->ops->due_ns(r->feed);
    if (due_ns > r->clock.mono_ns) r->clock.mono_ns = due_ns;
    return (r->clock.mono_ns - 100 * SECOND) / NS_PER_MS;
}

/* The next tick in the log that is no symbol, or NULL. */
static const struct tick *rig_next(struct rig *r)
{
    static struct tick t;
    while (log_read(r->log, r->read, &t, 1) == 1) {
        r->read++;
        if (t.kind != TICK_SYMBOL) return &t;
    }
    return NULL;
}

static void expect_price(struct rig *r, int64_t price, int64_t event_ns)
{
    const struct tick *t = rig_next(r);
    assert_non_null(t);
    assert_int_equal(t->kind, TICK_TRADE);
    assert_int_equal(t->trade.price, price);
    assert_int_equal(t->event_ns, event_ns);
    assert_int_equal(t->ingest_ns, 1000 * SECOND);
}

static void expect_feed(struct rig *r, enum feed_state state, bool reset)
{
    const struct tick *t = rig_next(r);
    assert_non_null(t);
    assert_int_equal(t->kind, TICK_FEED);
    assert_int_equal(t->feed.state, state);
    assert_int_equal(t->flags & FEED_RESET, reset ? FEED_RESET : 0);
}

static const char *const four = "ts_ms,price,size\n10000,1,1\n10500,2,1\n10250,3,1\n12000,4,1\n";

static void original_spacing(void **state)
{
    (void)state;
    struct rig r;
    assert_int_equal(rig_open(&r, test_file_text("X.csv", four), ""), 0);
    assert_int_equal(r.feed->pace, FEED_PACE_FREE);
    assert_string_equal(r.feed->name, "X");
    assert_int_equal(rig_forward(&r), 0);
    assert_int_equal(rig_poll(&r, 100), 1);
    assert_int_equal(rig_forward(&r), 500);
    assert_int_equal(rig_poll(&r, 100), 2); /* the one that steps back is due at once */
    assert_int_equal(rig_forward(&r), 2000);
    r.clock.mono_ns--;
    assert_int_equal(rig_poll(&r, 100), 0); /* not a nanosecond too early */
    r.clock.mono_ns++;
    assert_int_equal(rig_poll(&r, 100), 1);
    assert_int_equal(rig_poll(&r, 100), FEED_DONE);
    assert_int_equal(r.feed->progress_permille, 1000);
    expect_price(&r, 1, INT64_C(10000000000));
    expect_price(&r, 2, INT64_C(10500000000));
    expect_price(&r, 3, INT64_C(10250000000));
    expect_price(&r, 4, INT64_C(12000000000));
    assert_null(rig_next(&r));
    rig_close(&r);
}

static void speed_and_gaps(void **state)
{
    (void)state;
    struct rig r;
    const char *path = test_file_text("X.csv", four);
    assert_int_equal(rig_open(&r, path, "?speed=2.5x&pace=workers"), 0);
    assert_int_equal(r.feed->pace, FEED_PACE_WORKERS);
    rig_poll(&r, 100);
    assert_int_equal(rig_forward(&r), 200);
    rig_poll(&r, 100);
    assert_int_equal(rig_forward(&r), 800);
    rig_close(&r);
    assert_int_equal(rig_open(&r, path, "?speed=max"), 0);
    assert_int_equal(r.feed->pace, FEED_PACE_COMPLETE);
    assert_int_equal(rig_poll(&r, 3), 3);
    assert_int_equal(r.feed->ops->due_ns(r.feed), 0);
    assert_int_equal(rig_poll(&r, 3), 1);
    assert_int_equal(rig_poll(&r, 3), FEED_DONE);
    rig_close(&r);
    path = test_file_text("N.csv", "ts_s,price,size\n1,1,1\n50001,2,1\n50002,3,1\n");
    assert_int_equal(rig_open(&r, path, "?gap-max=0.5"), 0);
    rig_poll(&r, 100);
    assert_int_equal(rig_forward(&r), 500);
    assert_int_equal(rig_poll(&r, 100), 1);
    assert_int_equal(rig_forward(&r), 1000);
    assert_int_equal(rig_poll(&r, 100), 1);
    expect_price(&r, 1, SECOND); /* event times are the file's own */
    expect_price(&r, 2, 50001 * SECOND);
    rig_close(&r);
}

static void windows(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        uint32_t count;
    } cases[] = {
        {"?speed=max&from=10250000000", 3},
        {"?speed=max&to=10500000000", 2},
        {"?speed=max&from=1970-01-01T00:00:10.25Z&to=1970-01-01T00:00:12Z", 2},
        {"?speed=max&from=00:00:10.5", 2},
        {"?speed=max&from=00:00:10.25&to=00:01", 3},
        {"?speed=max&from=00:02", 0},
    };
    const char *path = test_file_text("X.csv", four);
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        assert_int_equal(rig_open(&r, path, cases[i].query), 0);
        uint32_t count = 0;
        int rc;
        while ((rc = rig_poll(&r, 1)) >= 0) count += (uint32_t)rc;
        assert_int_equal(rc, FEED_DONE);
        assert_int_equal(count, cases[i].count);
        rig_close(&r);
    }
    /* The clock begins with the first tick that is played. */
    struct rig r;
    assert_int_equal(rig_open(&r, path, "?from=10500000000"), 0);
    assert_int_equal(rig_poll(&r, 10), 1);
    assert_int_equal(rig_forward(&r), 1500);
    rig_close(&r);
}

static void laps(void **state)
{
    (void)state;
    struct rig r;
    assert_int_equal(
        rig_open(&r, test_file_text("L.csv", "ts_ms,price,size\n1000,1,1\n1100,2,1\n"), "?loop=1"), 0);
    for (uint64_t lap = 0; lap < 3; lap++) {
        rig_poll(&r, 100);
        assert_int_equal(rig_forward(&r), 100 * (lap + 1));
    }
    expect_price(&r, 1, SECOND);
    expect_price(&r, 2, 1100 * NS_PER_MS);
    expect_feed(&r, FEED_LOOPED, true);
    expect_price(&r, 1, SECOND);
    expect_price(&r, 2, 1100 * NS_PER_MS);
    expect_feed(&r, FEED_LOOPED, true);
    expect_price(&r, 1, SECOND);
    assert_null(rig_next(&r));
    rig_close(&r);
    assert_int_equal(rig_open(&r, test_file_text("E.csv", "ts_ms,price,size\n1,1,1\n"), "?loop=1&to=1.5"),
                     TC_EUSAGE);
    assert_int_equal(rig_open(&r, test_path("E.csv"), "?loop=1"), 0);
    assert_int_equal(rig_poll(&r, 100), 1); /* a lap of no length: not without end at one moment */
    assert_int_equal(rig_forward(&r), 10);
    assert_int_equal(rig_poll(&r, 100), 1);
    rig_close(&r);
    assert_int_equal(rig_open(&r, test_path("E.csv"), "?loop=1&to=5"), 0);
    assert_int_equal(rig_poll(&r, 100), TC_EINPUT);
    assert_non_null(strstr(r.fault.text, "E.csv: there is no tick to loop over"));
    rig_close(&r);
}

static void bad_rows_stop_or_are_counted(void **state)
{
    (void)state;
    struct rig r;
    const char *path = test_file_text("B.csv", "ts,price,size\n1,1,1\n2,\"1,5\",1\n3,,1\n4,4,1\n");
    assert_int_equal(rig_open(&r, path, "?speed=max"), 0);
    assert_int_equal(rig_poll(&r, 100), TC_EINPUT);
    assert_non_null(strstr(r.fault.text, "B.csv:3: price \"1,5\" is not a decimal; use \".\""));
    expect_price(&r, 1, 1); /* what stood before it was played */
    assert_null(rig_next(&r));
    rig_close(&r);
    assert_int_equal(rig_open(&r, path, "?speed=max&on-error=skip"), 0);
    assert_int_equal(rig_poll(&r, 100), 2);
    assert_int_equal(feed_writer_lost(r.writer), 2);
    uint32_t trades = 0, lost = 0;
    for (const struct tick *t = rig_next(&r); t; t = rig_next(&r)) {
        trades += t->kind == TICK_TRADE;
        if (t->kind == TICK_FEED) assert_int_equal(t->feed.reason, FEED_REASON_SKIPPED);
        if (t->kind == TICK_FEED) lost += (uint32_t)t->feed.lost;
    }
    assert_int_equal(trades, 2);
    assert_int_equal(lost, 2);
    rig_close(&r);
}

/* A file that was cut is not a file with one bad row: on-error=skip plays what is there, and fails. */
static void skip_does_not_hide_a_cut_file(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    static char text[ROWS * 24];
    size_t size = (size_t)snprintf(text, sizeof text, "ts,price,size\n");
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t noise = i * 2654435761u % 1000003;
        size += (size_t)snprintf(text + size, sizeof text - size, "%u,%u,1\n", i + 1, noise + 1);
    }
    const char *paths[3];
    paths[0] = test_file_gzip("C.csv.gz", text, size, 1);
    paths[1] = test_file_zstd("C.csv.zst", text, size, 1);
    paths[2] = test_file_gzip("D.csv.gz", text, size, 1);
    test_file_cut(paths[0], 60000);
    test_file_cut(paths[1], 60000);
    test_file_flip(paths[2], 60000);
    static const char *const why[] = {"ends too early", "ends too early", "damaged"};
    for (int i = 0; i < 3; i++) {
        struct rig r;
        assert_int_equal(rig_open(&r, paths[i], "?speed=max&on-error=skip"), 0);
        int rc, polls = 0;
        do rc = rig_poll(&r, 1000);
        while (rc >= 0 && ++polls < 1000);
        assert_int_equal(rc, TC_EINPUT);
        if (!strstr(r.fault.text, why[i])) print_message("%s\n", r.fault.text);
        assert_non_null(strstr(r.fault.text, why[i]));
        if (i < 2)
            assert_int_equal(feed_writer_lost(r.writer), 0); /* damage may show as bad rows before it */
        rig_close(&r);
    }
}

static void skip_does_not_pass_a_limit(void **state)
{
    (void)state;
    enum { ROWS = 262144 + 2 };
    const size_t room = (size_t)ROWS * 20;
    char *text = malloc(room);
    assert_non_null(text);
    size_t size = (size_t)snprintf(text, room, "ts,symbol,price,size\n");
    for (uint32_t i = 0; i < ROWS; i++)
        size += (size_t)snprintf(text + size, room - size, "%u,S%u,1,1\n", i + 1, i);
    const char *path = test_file("L.csv", text, size);
    free(text);
    struct rig r;
    assert_int_equal(rig_open(&r, path, "?speed=max&on-error=skip"), 0);
    int rc, polls = 0;
    do rc = rig_poll(&r, 4096);
    while (rc >= 0 && ++polls < 10000);
    assert_int_equal(rc, TC_ELIMIT);
    assert_non_null(strstr(r.fault.text, "L.csv:262146: symbol \"S262144\" is one too many"));
    rig_close(&r);
}

static void a_book_that_begins_anew_is_a_reset(void **state)
{
    (void)state;
    struct rig r;
    const char *path =
        test_file_text("K.csv", "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
                                "d,B,1,1,false,bid,6421,1\nd,B,3,1,true,ask,6422,1\n");
    assert_int_equal(rig_open(&r, path, "?speed=max"), 0);
    rig_poll(&r, 100);
    assert_int_equal(rig_next(&r)->kind, TICK_BOOK);
    expect_feed(&r, FEED_RESTARTED, true);
    assert_int_equal(rig_next(&r)->kind, TICK_BOOK);
    rig_close(&r);
}

static void a_full_symbol_table_costs_ticks_not_the_feed(void **state)
{
    (void)state;
    struct rig r;
    char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "ts,symbol,price,size\n");
    for (uint32_t i = 0; i < 140; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%u,S%u,1,1\n", i, i % 70);
    }
    assert_int_equal(rig_open(&r, test_file_text("S.csv", text), "?speed=max"), 0);
    while (rig_poll(&r, 1000) >= 0) {
    }
    assert_int_equal(feed_writer_lost(r.writer), 12); /* 6 names too many, two ticks each */
    uint32_t trades = 0;
    for (const struct tick *t = rig_next(&r); t; t = rig_next(&r)) trades += t->kind == TICK_TRADE;
    assert_int_equal(trades, 128);
    rig_close(&r);
}

static void wrong_uris_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *query, *words;
    } cases[] = {
        {"?speed=0", "speed=0 is neither max nor a factor"},
        {"?speed=fast", "speed=fast is neither max"},
        {"?speed=-1", "speed=-1 is neither max"},
        {"?from=soon", "from=soon is not a time; write 2023-02-02T09:20:00Z"},
        {"?from=5&to=5", "from=5 is not before to=5"},
        {"?loop=2", "loop=2 is not a whole number from 0 to 1"},
        {"?on-error=ignore", "on-error=ignore is neither stop nor skip"},
        {"?pace=slow", "pace=slow is not free, workers or complete"},
        {"?gap-max=0", "gap-max=0 is not a number of seconds"},
        {"?format=xml", "format \"xml\" is not known; there are csv, kraken"},
        {"?sped=1", "unknown parameter `sped`; `file:` takes speed, from, to, loop"},
    };
    struct rig r;
    const char *path = test_file_text("X.csv", four);
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(rig_open(&r, path, cases[i].query) < 0);
        if (!strstr(r.fault.text, cases[i].words))
            fail_msg("\"%s\" is not in: %s", cases[i].words, r.fault.text);
    }
    assert_int_equal(rig_open(&r, "", ""), TC_EUSAGE);
    assert_int_equal(rig_open(&r, "/nonexistent.csv", ""), TC_ESYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original_spacing),
        cmocka_unit_test(speed_and_gaps),
        cmocka_unit_test(windows),
        cmocka_unit_test(laps),
        cmocka_unit_test(bad_rows_stop_or_are_counted),
        cmocka_unit_test(skip_does_not_hide_a_cut_file),
        cmocka_unit_test(skip_does_not_pass_a_limit),
        cmocka_unit_test(a_book_that_begins_anew_is_a_reset),
        cmocka_unit_test(a_full_symbol_table_costs_ticks_not_the_feed),
        cmocka_unit_test(wrong_uris_are_told),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_files_remove();
    return failed;
}
