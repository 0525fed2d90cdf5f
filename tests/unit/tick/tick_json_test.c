/* tests/unit/tick/tick_json_test.c -- goal: each kind's object byte for byte, as docs/protocol.md shows it.
 */
#include "tick/tick_json.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static const int64_t noon_ns = INT64_C(1700000000000000000);

static void assert_json(struct tick t, const char *want)
{
    char out[TICK_JSON_MAX + 1];
    uint32_t size = tick_json(out, &t, TEXT("AAPL"));
    assert_true(size < sizeof out);
    out[size] = 0;
    assert_string_equal(out, want);
}

static void trades(void **state)
{
    (void)state;
    struct tick t = {.seq = 7,
                     .event_ns = noon_ns,
                     .kind = TICK_TRADE,
                     .price_exp = -2,
                     .trade = {.price = 18923, .size = 100}};
    assert_json(t, "{\"type\":\"trade\",\"seq\":7,\"symbol\":\"AAPL\",\"price\":189.23,\"size\":100,"
                   "\"ts\":1700000000000000000}");
    t.flags = TRADE_BUY;
    t.trade.id = 5512;
    assert_json(t, "{\"type\":\"trade\",\"seq\":7,\"symbol\":\"AAPL\",\"price\":189.23,\"size\":100,"
                   "\"side\":\"buy\",\"id\":5512,\"ts\":1700000000000000000}");
    t.flags = TRADE_SELL;
    t.trade = (struct tick_trade){.price = -5, .size = 0};
    t.event_ns = -1;
    assert_json(t, "{\"type\":\"trade\",\"seq\":7,\"symbol\":\"AAPL\",\"price\":-0.05,\"size\":0,"
                   "\"side\":\"sell\",\"ts\":-1}");
}

static void quotes(void **state)
{
    (void)state;
    struct tick t = {.seq = 8,
                     .event_ns = noon_ns,
                     .kind = TICK_QUOTE,
                     .price_exp = -2,
                     .size_exp = -1,
                     .quote = {18922, 3000, 18924, 2005}};
    assert_json(t, "{\"type\":\"quote\",\"seq\":8,\"symbol\":\"AAPL\",\"bid\":189.22,\"bid_size\":300.0,"
                   "\"ask\":189.24,\"ask_size\":200.5,\"ts\":1700000000000000000}");
    t.flags = QUOTE_NO_BID | QUOTE_NO_ASK;
    t.quote = (struct tick_quote){0};
    assert_json(t, "{\"type\":\"quote\",\"seq\":8,\"symbol\":\"AAPL\",\"bid\":null,\"bid_size\":0,"
                   "\"ask\":null,\"ask_size\":0,\"ts\":1700000000000000000}");
}

static void bars(void **state)
{
    (void)state;
    struct tick t = {.seq = 9,
                     .event_ns = noon_ns,
                     .kind = TICK_BAR,
                     .flags = BAR_15M << BAR_INTERVAL_SHIFT,
                     .price_exp = -1,
                     .bar = {1892, 1900, 1891, 1899, 123456789012}};
    assert_json(t, "{\"type\":\"bar\",\"seq\":9,\"symbol\":\"AAPL\",\"interval\":\"15m\",\"open\":189.2,"
                   "\"high\":190.0,\"low\":189.1,\"close\":189.9,\"volume\":123456789012,\"final\":false,"
                   "\"ts\":1700000000000000000}");
    t.flags |= BAR_FINAL;
    t.bar = (struct tick_bar){0, 0, 0, 0, 0};
    assert_json(t, "{\"type\":\"bar\",\"seq\":9,\"symbol\":\"AAPL\",\"interval\":\"15m\",\"open\":0.0,"
                   "\"high\":0.0,\"low\":0.0,\"close\":0.0,\"volume\":0,\"final\":true,"
                   "\"ts\":1700000000000000000}");
}

static void books_and_statuses(void **state)
{
    (void)state;
    struct tick t = {.seq = 10,
                     .event_ns = noon_ns,
                     .kind = TICK_BOOK,
                     .price_exp = -1,
                     .book = {.price = 1892, .size = 500}};
    assert_json(t, "{\"type\":\"book\",\"seq\":10,\"symbol\":\"AAPL\",\"side\":\"bid\",\"price\":189.2,"
                   "\"size\":500,\"ts\":1700000000000000000}");
    t.flags = BOOK_ASK;
    t.book.size = 0;
    assert_json(t, "{\"type\":\"book\",\"seq\":10,\"symbol\":\"AAPL\",\"side\":\"ask\",\"price\":189.2,"
                   "\"size\":0,\"ts\":1700000000000000000}");
    t = (struct tick){
        .seq = 11, .event_ns = noon_ns, .kind = TICK_STATUS, .status = {.state = STATUS_HALTED}};
    assert_json(t, "{\"type\":\"status\",\"seq\":11,\"symbol\":\"AAPL\",\"state\":\"halted\","
                   "\"ts\":1700000000000000000}");
}

static void feeds(void **state)
{
    (void)state;
    struct tick t = {
        .seq = 9, .event_ns = 0, .kind = TICK_FEED, .feed = {.state = FEED_STARTED, .name = "sim"}};
    assert_json(t, "{\"type\":\"feed\",\"feed\":\"sim\",\"state\":\"started\",\"seq\":9,\"ts\":0}");
    t.flags = FEED_RESET;
    t.feed.state = FEED_LOOPED;
    assert_json(
        t, "{\"type\":\"feed\",\"feed\":\"sim\",\"state\":\"looped\",\"reset\":true,\"seq\":9,\"ts\":0}");
    t.flags = 0;
    t.feed = (struct tick_feed){FEED_LOST, FEED_REASON_RING, {0}, 5, "sixteen chars \"\\"};
    assert_json(t, "{\"type\":\"feed\",\"feed\":\"sixteen chars \\\"\\\\\",\"state\":\"lost\",\"lost\":5,"
                   "\"reason\":\"ring\",\"seq\":9,\"ts\":0}");
    t.feed.lost = FEED_LOST_UNKNOWN;
    t.feed.reason = FEED_REASON_UPSTREAM;
    t.flags = FEED_RESET;
    assert_json(t, "{\"type\":\"feed\",\"feed\":\"sixteen chars \\\"\\\\\",\"state\":\"lost\",\"lost\":null,"
                   "\"reason\":\"upstream\",\"reset\":true,\"seq\":9,\"ts\":0}");
}

static void symbols_of_every_length(void **state)
{
    (void)state;
    char name[65], out[TICK_JSON_MAX];
    struct tick t = {.seq = 1, .kind = TICK_STATUS, .status = {.state = STATUS_OPEN}};
    for (size_t size = 1; size <= 64; size++) {
        for (size_t i = 0; i < size; i++) name[i] = (char)('0' + i);
        tick_json(out, &t, (struct text){name, size});
        assert_memory_equal(out + strlen("{\"type\":\"status\",\"seq\":1,\"symbol\":\""), name, size);
        assert_int_equal(out[strlen("{\"type\":\"status\",\"seq\":1,\"symbol\":\"") + size], '"');
    }
}

static void kinds_without_a_form(void **state)
{
    (void)state;
    char out[TICK_JSON_MAX];
    struct tick t = {.seq = 1, .kind = TICK_SYMBOL, .name = {"A"}};
    assert_int_equal(tick_json(out, &t, TEXT("A")), 0);
    t = (struct tick){.seq = 1, .kind = TICK_HOLE, .hole = {.seq_last = 5}};
    assert_int_equal(tick_json(out, &t, TEXT("A")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trades),
        cmocka_unit_test(quotes),
        cmocka_unit_test(bars),
        cmocka_unit_test(books_and_statuses),
        cmocka_unit_test(feeds),
        cmocka_unit_test(symbols_of_every_length),
        cmocka_unit_test(kinds_without_a_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
