/* tests/property/tick/tick_json_test.c -- goal: of any legal tick, however extreme, the object is what printf
 * makes of it, is at most TICK_JSON_MAX long, and writes nothing past that. TICKCAST_SEED repeats a run. */
#include "base/random.h"
#include "tick/decimal.h"
#include "tick/tick_json.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROUNDS 200000

static uint64_t seed = 1;

static int64_t any_number(struct random *r, int64_t least)
{
    static const int64_t edges[] = {0, 1, -1, INT64_MAX, INT64_MIN, 99999999, 100000000};
    int64_t v = (int64_t)(random_u64(r) >> random_below(r, 64));
    if (random_below(r, 4) == 0) v = edges[random_below(r, sizeof edges / sizeof edges[0])];
    return v < least ? INT64_MAX : v;
}

static struct tick any_tick(struct random *r)
{
    struct tick t = {.seq = random_u64(r) >> random_below(r, 64),
                     .event_ns = any_number(r, INT64_MIN),
                     .kind = (uint8_t)(1 + random_below(r, TICK_FEED)),
                     .price_exp = (int8_t)(0 - (int)random_below(r, 19)),
                     .size_exp = (int8_t)(0 - (int)random_below(r, 19))};
    int64_t price = any_number(r, INT64_MIN), other = any_number(r, INT64_MIN);
    int64_t size = any_number(r, 0), other_size = any_number(r, 0);
    switch (t.kind) {
    case TICK_TRADE:
        t.flags = (uint8_t)random_below(r, 3);
        t.trade = (struct tick_trade){price, size,
                                      random_below(r, 2) ? random_u64(r) >> random_below(r, 64) : 0, 0};
        break;
    case TICK_QUOTE:
        t.flags = (uint8_t)random_below(r, 4);
        if (t.flags & QUOTE_NO_BID) price = size = 0;
        if (t.flags & QUOTE_NO_ASK) other = other_size = 0;
        t.quote = (struct tick_quote){price, size, other, other_size};
        break;
    case TICK_BAR:
        t.flags = (uint8_t)(random_below(r, BAR_INTERVALS) << BAR_INTERVAL_SHIFT | random_below(r, 2));
        t.bar = (struct tick_bar){price, other, any_number(r, INT64_MIN), any_number(r, INT64_MIN), size};
        break;
    case TICK_BOOK:
        t.flags = (uint8_t)random_below(r, 2);
        t.book = (struct tick_book){.price = price, .size = size};
        break;
    case TICK_STATUS: t.status.state = (uint8_t)(1 + random_below(r, STATUS_STATES - 1)); break;
    default:
        t.flags = (uint8_t)random_below(r, 2);
        t.feed.state = (uint8_t)(1 + random_below(r, FEED_STATES - 1));
        t.feed.reason = (uint8_t)random_below(r, FEED_REASONS);
        if (t.feed.state == FEED_LOST && t.feed.reason == FEED_REASON_NONE) t.feed.reason = FEED_REASON_LINE;
        if (t.feed.state == FEED_LOST) t.feed.lost = random_below(r, 2) ? FEED_LOST_UNKNOWN : random_u64(r);
        for (uint64_t i = 0, n = 1 + random_below(r, FEED_NAME_MAX); i < n; i++)
            t.feed.name[i] = "\"\\ab"[random_below(r, 4)];
    }
    return t;
}

struct out {
    char text[1024];
    int size;
};

static void say(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct out *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    o->size += vsnprintf(o->text + o->size, sizeof o->text - (size_t)o->size, format, args);
    va_end(args);
}

/* printf only; decimal_print would share its digits with what is tested. */
static void say_decimal(struct out *o, const char *key, int64_t mantissa, int8_t exponent)
{
    char digits[48];
    uint64_t v = mantissa < 0 ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
    int decimals = -exponent,
        size = snprintf(digits, sizeof digits, "%0*llu", decimals + 1, (unsigned long long)v);
    say(o, ",\"%s\":%s%.*s%s%s", key, mantissa < 0 ? "-" : "", size - decimals, digits, decimals ? "." : "",
        digits + size - decimals);
}

static void reference_feed(struct out *o, const struct tick *t)
{
    say(o, "{\"type\":\"feed\",\"feed\":\"");
    for (int i = 0; i < FEED_NAME_MAX && t->feed.name[i]; i++)
        say(o, t->feed.name[i] == '"' || t->feed.name[i] == '\\' ? "\\%c" : "%c", t->feed.name[i]);
    say(o, "\",\"state\":\"%s\"", feed_state_name(t->feed.state));
    if (t->feed.state == FEED_LOST && t->feed.lost == FEED_LOST_UNKNOWN)
        say(o, ",\"lost\":null");
    else if (t->feed.state == FEED_LOST)
        say(o, ",\"lost\":%llu", (unsigned long long)t->feed.lost);
    if (t->feed.reason) say(o, ",\"reason\":\"%s\"", feed_reason_name(t->feed.reason));
    if (t->flags & FEED_RESET) say(o, ",\"reset\":true");
    say(o, ",\"seq\":%llu", (unsigned long long)t->seq);
}

static void reference_symbol(struct out *o, const struct tick *t, struct text symbol)
{
    say(o, "{\"type\":\"%s\",\"seq\":%llu,\"symbol\":\"%.*s\"", tick_kind_name(t->kind),
        (unsigned long long)t->seq, (int)symbol.size, symbol.at);
    switch (t->kind) {
    case TICK_TRADE:
        say_decimal(o, "price", t->trade.price, t->price_exp);
        say_decimal(o, "size", t->trade.size, t->size_exp);
        if (t->flags) say(o, ",\"side\":\"%s\"", t->flags == TRADE_BUY ? "buy" : "sell");
        if (t->trade.id) say(o, ",\"id\":%llu", (unsigned long long)t->trade.id);
        break;
    case TICK_QUOTE:
        if (t->flags & QUOTE_NO_BID)
            say(o, ",\"bid\":null,\"bid_size\":0");
        else {
            say_decimal(o, "bid", t->quote.bid, t->price_exp);
            say_decimal(o, "bid_size", t->quote.bid_size, t->size_exp);
        }
        if (t->flags & QUOTE_NO_ASK)
            say(o, ",\"ask\":null,\"ask_size\":0");
        else {
            say_decimal(o, "ask", t->quote.ask, t->price_exp);
            say_decimal(o, "ask_size", t->quote.ask_size, t->size_exp);
        }
        break;
    case TICK_BAR:
        say(o, ",\"interval\":\"%s\"", bar_interval_name((uint8_t)tick_bar_interval(t)));
        say_decimal(o, "open", t->bar.open, t->price_exp);
        say_decimal(o, "high", t->bar.high, t->price_exp);
        say_decimal(o, "low", t->bar.low, t->price_exp);
        say_decimal(o, "close", t->bar.close, t->price_exp);
        say_decimal(o, "volume", t->bar.volume, t->size_exp);
        say(o, ",\"final\":%s", t->flags & BAR_FINAL ? "true" : "false");
        break;
    case TICK_BOOK:
        say(o, ",\"side\":\"%s\"", t->flags & BOOK_ASK ? "ask" : "bid");
        say_decimal(o, "price", t->book.price, t->price_exp);
        say_decimal(o, "size", t->book.size, t->size_exp);
        break;
    default: say(o, ",\"state\":\"%s\"", status_state_name(t->status.state));
    }
}

static uint32_t compare(const struct tick *t, struct text symbol, int round)
{
    assert_null(tick_check(t, 1));
    char out[TICK_JSON_MAX + 16];
    memset(out, '#', sizeof out);
    uint32_t size = tick_json(out, t, symbol);
    struct out want = {.size = 0};
    if (t->kind == TICK_FEED)
        reference_feed(&want, t);
    else
        reference_symbol(&want, t, symbol);
    say(&want, ",\"ts\":%lld}", (long long)t->event_ns);
    if (size != (uint32_t)want.size || memcmp(out, want.text, size) != 0)
        fail_msg("round %d:\n got %.*s\nwant %s\nrepeat with TICKCAST_SEED=%llu", round, (int)size, out,
                 want.text, (unsigned long long)seed);
    assert_true(size <= TICK_JSON_MAX);
    assert_memory_equal(out + TICK_JSON_MAX, "################", 16);
    return size;
}

static void is_what_printf_makes_of_it(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, seed);
    for (int i = 0; i < ROUNDS; i++) {
        struct tick t = any_tick(&r);
        char name[64];
        size_t size = 1 + random_below(&r, sizeof name);
        for (size_t k = 0; k < size; k++) name[k] = (char)('A' + random_below(&r, 26));
        compare(&t, (struct text){name, size}, i);
    }
}

/* The longest of each kind, by making every part its longest. */
static void decision_21_the_longest_fits(void **state)
{
    (void)state;
    char name[64];
    for (size_t i = 0; i < sizeof name; i++) name[i] = i % 2 ? '"' : '\\'; /* 32 quotes, escaped */
    struct text symbol = {name, sizeof name};
    struct tick t = {.seq = UINT64_MAX, .event_ns = INT64_MIN, .price_exp = -18, .size_exp = -18};
    t.kind = TICK_BAR;
    t.flags = BAR_10S << BAR_INTERVAL_SHIFT;
    t.bar = (struct tick_bar){INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MAX};
    uint32_t longest = compare(&t, symbol, -1);
    t.kind = TICK_QUOTE;
    t.flags = 0;
    t.quote = (struct tick_quote){INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX};
    t.ingest_ns = 0;
    assert_true(compare(&t, symbol, -2) <= longest);
    t.kind = TICK_TRADE;
    t.flags = TRADE_SELL;
    t.trade = (struct tick_trade){INT64_MIN, INT64_MAX, UINT64_MAX, 0};
    assert_true(compare(&t, symbol, -3) <= longest);
    t.kind = TICK_FEED;
    t.flags = FEED_RESET;
    t.feed = (struct tick_feed){
        FEED_LOST, FEED_REASON_UPSTREAM, {0}, UINT64_MAX - 1, "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""};
    t.feed.name[FEED_NAME_MAX - 1] = '"';
    assert_true(compare(&t, symbol, -4) <= longest);
}

int main(void)
{
    if (getenv("TICKCAST_SEED")) seed = strtoull(getenv("TICKCAST_SEED"), NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_printf_makes_of_it),
        cmocka_unit_test(decision_21_the_longest_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
