/* The way into the log: batches, stamps, losses told once a second, symbols forgotten at a reset. */
#include "base/clock.h"
#include "feeds/feed_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct log *log;
    struct feed_writer *writer;
    uint64_t read; /* seq */
};

static struct feed_clock at(uint64_t mono_ns)
{
    return (struct feed_clock){.mono_ns = mono_ns, .real_ns = mono_ns + 77};
}

static void set_clock(struct rig *r, uint64_t mono_ns)
{
    struct feed_clock clock = at(mono_ns);
    feed_writer_clock(r->writer, &clock);
}

static struct rig open_rig(uint32_t symbols_max)
{
    struct fault f;
    struct rig r = {
        .log = log_create(&(struct log_options){.capacity = 1024, .symbols_max = symbols_max, .bars_max = 16},
                          &f)};
    assert_non_null(r.log);
    r.writer = feed_writer_open(r.log, "a-name-that-is-long");
    assert_non_null(r.writer);
    set_clock(&r, NS_PER_SECOND);
    return r;
}

static void close_rig(struct rig *r)
{
    feed_writer_close(r->writer);
    log_destroy(r->log);
}

static struct tick next(struct rig *r)
{
    struct tick t;
    assert_int_equal(log_read(r->log, r->read, &t, 1), 1);
    r->read++;
    return t;
}

static void push_trade(struct rig *r, uint32_t symbol)
{
    struct tick t = {.event_ns = 5, .symbol = symbol, .kind = TICK_TRADE, .price_exp = -2};
    t.trade.price = 100;
    feed_push(r->writer, &t);
}

static void ticks_are_gathered_and_stamped(void **state)
{
    (void)state;
    struct rig r = open_rig(4);
    int64_t id = feed_symbol(r.writer, TEXT("AAPL"));
    assert_int_equal(id, 0);
    for (uint32_t i = 0; i < LOG_BATCH_MAX - 1; i++) push_trade(&r, 0);
    assert_int_equal(log_head(r.log), 1); /* the symbol alone */
    push_trade(&r, 0);
    assert_int_equal(log_head(r.log), 1 + LOG_BATCH_MAX);
    struct tick bar = {.event_ns = 6,
                       .kind = TICK_BAR,
                       .price_exp = -2,
                       .bar = {.open = 1, .high = 2, .low = 1, .close = 2}};
    feed_push(r.writer, &bar);
    feed_flush(r.writer);
    assert_int_equal(next(&r).kind, TICK_SYMBOL);
    for (uint32_t i = 0; i < LOG_BATCH_MAX; i++) {
        struct tick t = next(&r);
        assert_int_equal(t.ingest_ns, NS_PER_SECOND + 77);
        assert_int_equal(t.event_ns, 5);
    }
    assert_int_equal(next(&r).bar.open, 1); /* a bar has no ingest time */
    assert_int_equal(feed_writer_ticks(r.writer), LOG_BATCH_MAX + 1);
    close_rig(&r);
}

static void assert_lost(struct tick t, enum feed_reason reason, uint64_t lost)
{
    assert_int_equal(t.kind, TICK_FEED);
    assert_int_equal(t.feed.state, FEED_LOST);
    assert_int_equal(t.feed.reason, reason);
    assert_true(t.feed.lost == lost);
    assert_memory_equal(t.feed.name, "a-name-that-is-long", FEED_NAME_MAX);
}

static void decision_10_losses_are_gathered_to_one_a_second(void **state)
{
    (void)state;
    struct rig r = open_rig(4);
    assert_true(feed_writer_losses_due_ns(r.writer) == FEED_NEVER);
    feed_lost(r.writer, FEED_REASON_LINE, 3);
    assert_int_equal(feed_writer_losses_due_ns(r.writer), 0); /* the first at once */
    feed_writer_tell_losses(r.writer);
    assert_lost(next(&r), FEED_REASON_LINE, 3);
    for (uint64_t ms = 1; ms < 1000; ms++) {
        set_clock(&r, NS_PER_SECOND + ms * NS_PER_MS);
        feed_lost(r.writer, FEED_REASON_LINE, 2);
        feed_writer_tell_losses(r.writer);
    }
    assert_int_equal(log_head(r.log), 1);
    assert_int_equal(feed_writer_losses_due_ns(r.writer), 2 * NS_PER_SECOND);
    set_clock(&r, 2 * NS_PER_SECOND);
    feed_writer_tell_losses(r.writer);
    assert_lost(next(&r), FEED_REASON_LINE, 1998);
    assert_true(feed_writer_losses_due_ns(r.writer) == FEED_NEVER);
    assert_int_equal(feed_writer_lost(r.writer), 2001);
    close_rig(&r);
}

static void reasons_stand_apart_and_unknown_stays_unknown(void **state)
{
    (void)state;
    struct rig r = open_rig(4);
    feed_symbol(r.writer, TEXT("A"));
    push_trade(&r, 0);
    feed_lost(r.writer, FEED_REASON_UPSTREAM, 5);
    feed_lost(r.writer, FEED_REASON_UPSTREAM, FEED_LOST_UNKNOWN);
    feed_lost(r.writer, FEED_REASON_RING, 1);
    feed_lost(r.writer, FEED_REASON_SKIPPED, 0); /* nothing */
    feed_state(r.writer, FEED_ENDED, false);     /* tells what there is, due or not */
    assert_int_equal(next(&r).kind, TICK_SYMBOL);
    assert_int_equal(next(&r).kind, TICK_TRADE);
    assert_lost(next(&r), FEED_REASON_RING, 1);
    assert_lost(next(&r), FEED_REASON_UPSTREAM, FEED_LOST_UNKNOWN);
    struct tick ended = next(&r);
    assert_int_equal(ended.feed.state, FEED_ENDED);
    assert_int_equal(ended.flags, 0);
    assert_int_equal(ended.event_ns, NS_PER_SECOND + 77);
    assert_int_equal(log_head(r.log), r.read);
    close_rig(&r);
}

static void a_full_table_is_a_loss(void **state)
{
    (void)state;
    struct rig r = open_rig(1);
    assert_int_equal(feed_symbol(r.writer, TEXT("A")), 0);
    assert_int_equal(feed_symbol(r.writer, TEXT("B")), TC_ELIMIT);
    assert_int_equal(feed_symbol(r.writer, TEXT(" B")), TC_EINPUT); /* not a loss of the table's */
    assert_int_equal(feed_symbol(r.writer, TEXT("A")), 0);
    feed_writer_tell_losses(r.writer);
    next(&r);
    assert_lost(next(&r), FEED_REASON_SYMBOLS, 1);
    close_rig(&r);
}

static void count_entries(void *context, const struct tick *t)
{
    (void)t;
    ++*(uint32_t *)context;
}

static uint32_t entries(const struct rig *r, uint32_t symbol)
{
    uint32_t count = 0;
    last_value_each(log_last_value(r->log), symbol, KINDS_CLIENT, 0, UINT64_MAX, count_entries, &count);
    return count;
}

static void decision_11_a_reset_forgets_this_feeds_symbols_alone(void **state)
{
    (void)state;
    struct rig r = open_rig(300);
    assert_int_equal(log_symbol(r.log, TEXT("OTHER"), 1), 0);
    for (uint32_t i = 0; i < 200; i++) {
        char name[2] = {(char)('A' + i / 20), (char)('A' + i % 20)};
        assert_int_equal(feed_symbol(r.writer, (struct text){.at = name, .size = 2}), i + 1);
    }
    push_trade(&r, 0);
    push_trade(&r, 64);
    push_trade(&r, 200);
    feed_state(r.writer, FEED_RESTARTED, false);
    assert_int_equal(entries(&r, 64), 1);
    feed_state(r.writer, FEED_LOOPED, true);
    assert_int_equal(entries(&r, 0), 1);
    assert_int_equal(entries(&r, 64), 0);
    assert_int_equal(entries(&r, 200), 0);
    r.read = log_head(r.log) - 1;
    struct tick looped = next(&r);
    assert_int_equal(looped.feed.state, FEED_LOOPED);
    assert_int_equal(looped.flags, FEED_RESET);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_gathered_and_stamped),
        cmocka_unit_test(decision_10_losses_are_gathered_to_one_a_second),
        cmocka_unit_test(reasons_stand_apart_and_unknown_stays_unknown),
        cmocka_unit_test(a_full_table_is_a_loss),
        cmocka_unit_test(decision_11_a_reset_forgets_this_feeds_symbols_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
