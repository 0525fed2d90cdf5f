/* tests/unit/tick/tick_check_test.c -- goal: a legal tick of each kind passes, and one wrong field is named.
 */
#include "base/bytes.h"
#include "tick/tick.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define SYMBOLS 10u

static const struct tick trade = {
    .seq = 1, .symbol = 9, .kind = TICK_TRADE, .flags = TRADE_SELL, .price_exp = -18, .trade = {-5, 0, 7, 0}};
static const struct tick quote = {
    .symbol = 0, .kind = TICK_QUOTE, .price_exp = -2, .quote = {18922, 3, 18924, 2}};
static const struct tick bar = {
    .kind = TICK_BAR, .flags = BAR_FINAL | BAR_1MO << BAR_INTERVAL_SHIFT, .bar = {1, 0, 2, 3, 0}};
static const struct tick book = {.kind = TICK_BOOK, .flags = BOOK_ASK, .size_exp = -18, .book = {.price = 1}};
static const struct tick status = {.kind = TICK_STATUS, .status = {.state = STATUS_AUCTION}};
static const struct tick feed = {
    .kind = TICK_FEED, .flags = FEED_RESET, .feed = {.state = FEED_LOOPED, .name = "sim"}};
static const struct tick lost = {
    .kind = TICK_FEED, .feed = {FEED_LOST, FEED_REASON_RING, {0}, FEED_LOST_UNKNOWN, "sixteen chars ok"}};
static const struct tick symbol = {.symbol = 9, .kind = TICK_SYMBOL, .name = {"BRK B"}};
static const struct tick hole = {.seq = 5, .kind = TICK_HOLE, .hole = {.seq_last = 5}};

static void assert_ok(struct tick t)
{
    assert_null(tick_check(&t, SYMBOLS));
}

/* The sentence begins with the field. */
static void assert_wrong(struct tick t, const char *field)
{
    const char *text = tick_check(&t, SYMBOLS);
    assert_non_null(text);
    if (!text_begins(text_of(text), text_of(field))) fail_msg("wanted %s, got: %s", field, text);
}

#define WRONG(base, field, change)                                                                           \
    do {                                                                                                     \
        struct tick t = (base);                                                                              \
        t.change;                                                                                            \
        assert_wrong(t, field);                                                                              \
    } while (0)

static void legal_ticks_pass(void **state)
{
    (void)state;
    assert_ok(trade);
    assert_ok(quote);
    assert_ok(bar);
    assert_ok(book);
    assert_ok(status);
    assert_ok(feed);
    assert_ok(lost);
    assert_ok(symbol);
    assert_ok(hole);
    struct tick t = quote;
    t.flags = QUOTE_NO_BID | QUOTE_NO_ASK;
    t.quote = (struct tick_quote){0};
    assert_ok(t);
    t = symbol;
    memset(t.name.name, '~', SYMBOL_NAME_MAX); /* uses all of the field */
    assert_ok(t);
}

static void head_fields(void **state)
{
    (void)state;
    WRONG(trade, "kind", kind = 0);
    WRONG(trade, "kind", kind = TICK_KINDS);
    WRONG(trade, "symbol", symbol = SYMBOLS);
    WRONG(symbol, "symbol", symbol = SYMBOLS);
    WRONG(feed, "symbol", symbol = 1);
    WRONG(hole, "symbol", symbol = 1);
    WRONG(trade, "price_exp", price_exp = 1);
    WRONG(trade, "price_exp", price_exp = -19);
    WRONG(trade, "size_exp", size_exp = 1);
    WRONG(trade, "size_exp", size_exp = -19);
}

static void market_data_fields(void **state)
{
    (void)state;
    WRONG(trade, "flags", flags = TRADE_BUY | TRADE_SELL);
    WRONG(trade, "flags", flags = 4);
    WRONG(trade, "size", trade.size = -1);
    WRONG(trade, "reserved", trade.reserved = 1);
    WRONG(quote, "flags", flags = 4);
    WRONG(quote, "bid", flags = QUOTE_NO_BID);
    WRONG(quote, "ask", flags = QUOTE_NO_ASK);
    WRONG(quote, "bid_size", quote.bid_size = -1);
    WRONG(quote, "ask_size", quote.ask_size = INT64_MIN);
    WRONG(bar, "interval", flags = BAR_INTERVALS << BAR_INTERVAL_SHIFT);
    WRONG(bar, "interval", flags = 126);
    WRONG(bar, "flags", flags = 128);
    WRONG(bar, "volume", bar.volume = -1);
    WRONG(book, "flags", flags = 2);
    WRONG(book, "size", book.size = -1);
    WRONG(book, "reserved", book.reserved[1] = 1);
}

static void state_fields(void **state)
{
    (void)state;
    WRONG(status, "flags", flags = 1);
    WRONG(status, "state", status.state = 0);
    WRONG(status, "state", status.state = STATUS_STATES);
    WRONG(status, "reserved", status.reserved8[0] = 1);
    WRONG(status, "reserved", status.reserved[2] = 1);
    WRONG(feed, "flags", flags = 2);
    WRONG(feed, "state", feed.state = FEED_STATES);
    WRONG(feed, "reason", feed.reason = FEED_REASONS);
    WRONG(feed, "lost", feed.lost = 1);
    WRONG(lost, "reason", feed.reason = FEED_REASON_NONE);
    WRONG(feed, "reserved", feed.reserved[5] = 1);
    WRONG(feed, "name", feed.name[0] = 0);
    WRONG(feed, "name", feed.name[15] = 'x');
    WRONG(feed, "name", feed.name[1] = 0x7F);
    WRONG(feed, "name", feed.name[1] = (char)0xC3);
    WRONG(symbol, "flags", flags = 1);
    WRONG(symbol, "name", name.name[0] = ' ');
    WRONG(symbol, "name", name.name[5] = ' ');
    WRONG(symbol, "name", name.name[31] = 'x');
    WRONG(symbol, "name", name.name[0] = 0);
    WRONG(symbol, "name", name.name[1] = '\n');
    WRONG(hole, "seq_last", seq = 6);
    WRONG(hole, "flags", flags = 1);
    WRONG(hole, "reserved", hole.reserved[0] = 1);
}

static void names(void **state)
{
    (void)state;
    char longest[SYMBOL_NAME_MAX + 1];
    memset(longest, '"', sizeof longest);
    assert_true(symbol_name_ok("A", 1));
    assert_true(symbol_name_ok("A B", 3));
    assert_true(symbol_name_ok("ZVZZT*", 6));
    assert_true(symbol_name_ok(longest, SYMBOL_NAME_MAX));
    assert_false(symbol_name_ok(longest, SYMBOL_NAME_MAX + 1));
    assert_false(symbol_name_ok("", 0));
    assert_false(symbol_name_ok(" A", 2));
    assert_false(symbol_name_ok("A ", 2));
    assert_false(symbol_name_ok("A\tB", 3));
    assert_false(symbol_name_ok("\xC3\xA4", 2));
    assert_false(symbol_name_ok("A\0B", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legal_ticks_pass),
        cmocka_unit_test(head_fields),
        cmocka_unit_test(market_data_fields),
        cmocka_unit_test(state_fields),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
