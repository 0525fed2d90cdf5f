/* tick/tick_json.c -- a tick as JSON, written forward in one pass without looking back.
 * The constant pieces are copied by size known to the compiler (a few moves each), numbers by digits.h, so
 * bytes past the end are touched; the sums below prove that all stays within TICK_JSON_MAX. */
#include "tick/tick_json.h"

#include "base/assert.h"
#include "tick/decimal.h"
#include "tick/digits.h"

/* The longest form of each part; sizeof of a literal counts its terminator, LENGTH does not. */
#define LENGTH(literal) (sizeof(literal) - 1)
#define U64_MAX_TEXT    20u /* 18446744073709551615 */
#define I64_MAX_TEXT    20u /* -9223372036854775808 */
#define SYMBOL_JSON_MAX (2u * SYMBOL_NAME_MAX)
#define FEED_JSON_MAX   (2u * FEED_NAME_MAX)
#define COPY_SLACK      DIGITS_SLACK /* whatever was written last */

#define TYPE_MAX   LENGTH("{\"type\":\"status\"")
#define SEQ_MAX    (LENGTH(",\"seq\":") + U64_MAX_TEXT)
#define SYMBOL_MAX (LENGTH(",\"symbol\":\"\"") + SYMBOL_JSON_MAX)
#define END_MAX    (LENGTH(",\"ts\":}") + I64_MAX_TEXT)
#define COMMON_MAX (TYPE_MAX + SEQ_MAX + SYMBOL_MAX + END_MAX + COPY_SLACK)
#define NUMBERS(n) ((n) * (size_t)DECIMAL_TEXT_MAX)

#define BAR_JSON_MAX                                                                                         \
    (COMMON_MAX + LENGTH(",\"interval\":\"10s\",\"open\":,\"high\":,\"low\":,\"close\":,\"volume\":") +      \
     NUMBERS(5) + LENGTH(",\"final\":false"))
#define QUOTE_JSON_MAX (COMMON_MAX + LENGTH(",\"bid\":,\"bid_size\":,\"ask\":,\"ask_size\":") + NUMBERS(4))
#define TRADE_JSON_MAX                                                                                       \
    (COMMON_MAX + LENGTH(",\"price\":,\"size\":,\"side\":\"sell\",\"id\":") + NUMBERS(2) + U64_MAX_TEXT)
#define BOOK_JSON_MAX   (COMMON_MAX + LENGTH(",\"side\":\"bid\",\"price\":,\"size\":") + NUMBERS(2))
#define STATUS_JSON_MAX (COMMON_MAX + LENGTH(",\"state\":\"pre_open\""))
#define FEED_TICK_MAX                                                                                        \
    (TYPE_MAX + SEQ_MAX + END_MAX + COPY_SLACK + LENGTH(",\"feed\":\"\",\"state\":\"restarted\"") +          \
     FEED_JSON_MAX + LENGTH(",\"lost\":") + U64_MAX_TEXT +                                                   \
     LENGTH(",\"reason\":\"upstream\",\"reset\":true"))

_Static_assert(BAR_JSON_MAX <= TICK_JSON_MAX, "a bar fits");
_Static_assert(QUOTE_JSON_MAX <= TICK_JSON_MAX, "a quote fits");
_Static_assert(TRADE_JSON_MAX <= TICK_JSON_MAX, "a trade fits");
_Static_assert(BOOK_JSON_MAX <= TICK_JSON_MAX, "a book level fits");
_Static_assert(STATUS_JSON_MAX <= TICK_JSON_MAX, "a status fits");
_Static_assert(FEED_TICK_MAX <= TICK_JSON_MAX, "a feed's state fits");

#define PUT(p, literal) put((p), (literal), LENGTH(literal))
static inline char *put(char *p, const char *literal, size_t size);
static inline char *put_short(char *p, struct text t);
static char *put_word(char *p, const char *word);
static inline char *put_symbol(char *p, struct text symbol);
static inline char *put_trade(char *p, const struct tick *t, struct text symbol);
static inline char *put_quote(char *p, const struct tick *t, struct text symbol);
static char *put_bar(char *p, const struct tick *t, struct text symbol);
static char *put_book(char *p, const struct tick *t, struct text symbol);
static char *put_status(char *p, const struct tick *t, struct text symbol);
static char *put_feed(char *p, const struct tick *t);

uint32_t tick_json(char *out, const struct tick *t, struct text json_symbol)
{
    TC_ASSERT(json_symbol.size <= SYMBOL_JSON_MAX);
    char *p = out;
    switch (t->kind) {
    case TICK_TRADE: p = put_trade(p, t, json_symbol); break;
    case TICK_QUOTE: p = put_quote(p, t, json_symbol); break;
    case TICK_BAR: p = put_bar(p, t, json_symbol); break;
    case TICK_BOOK: p = put_book(p, t, json_symbol); break;
    case TICK_STATUS: p = put_status(p, t, json_symbol); break;
    case TICK_FEED: p = put_feed(p, t); break;
    default: return 0;
    }
    p = PUT(p, ",\"ts\":");
    p = digits_i64(p, t->event_ns);
    *p++ = '}';
    return (uint32_t)(p - out);
}

static inline __attribute__((always_inline)) char *put(char *p, const char *literal, size_t size)
{
    memcpy(p, literal, size);
    return p + size;
}

/* At most 64 bytes, most often under 8: two copies that overlap, instead of a call. */
static inline char *put_short(char *p, struct text t)
{
    if (t.size >= 8) {
        for (size_t i = 0; i + 8 < t.size; i += 8) memcpy(p + i, t.at + i, 8);
        memcpy(p + t.size - 8, t.at + t.size - 8, 8);
    } else if (t.size >= 4) {
        memcpy(p, t.at, 4);
        memcpy(p + t.size - 4, t.at + t.size - 4, 4);
    } else {
        for (size_t i = 0; i < t.size; i++) p[i] = t.at[i];
    }
    return p + t.size;
}

static char *put_word(char *p, const char *word)
{
    TC_ASSERT(word); /* the tick is legal: tick_check */
    return put_short(p, text_of(word));
}

/* After the comma and "seq": that each kind's own first piece ends with. */
static inline char *put_symbol(char *p, struct text symbol)
{
    p = PUT(p, ",\"symbol\":\"");
    return put_short(p, symbol);
}

static inline char *put_trade(char *p, const struct tick *t, struct text symbol)
{
    p = PUT(p, "{\"type\":\"trade\",\"seq\":");
    p = put_symbol(digits_u64(p, t->seq), symbol);
    p = PUT(p, "\",\"price\":");
    p = digits_decimal(p, t->trade.price, (unsigned)-t->price_exp);
    p = PUT(p, ",\"size\":");
    p = digits_decimal(p, t->trade.size, (unsigned)-t->size_exp);
    if (t->flags & TRADE_BUY) p = PUT(p, ",\"side\":\"buy\"");
    if (t->flags & TRADE_SELL) p = PUT(p, ",\"side\":\"sell\"");
    if (t->trade.id) p = digits_u64(PUT(p, ",\"id\":"), t->trade.id);
    return p;
}

static inline char *put_quote(char *p, const struct tick *t, struct text symbol)
{
    const struct tick_quote *q = &t->quote;
    unsigned decimals = (unsigned)-t->price_exp, size_decimals = (unsigned)-t->size_exp;
    p = PUT(p, "{\"type\":\"quote\",\"seq\":");
    p = put_symbol(digits_u64(p, t->seq), symbol);
    p = PUT(p, "\",\"bid\":");
    p = t->flags & QUOTE_NO_BID ? PUT(p, "null") : digits_decimal(p, q->bid, decimals);
    p = PUT(p, ",\"bid_size\":");
    p = t->flags & QUOTE_NO_BID ? PUT(p, "0") : digits_decimal(p, q->bid_size, size_decimals);
    p = PUT(p, ",\"ask\":");
    p = t->flags & QUOTE_NO_ASK ? PUT(p, "null") : digits_decimal(p, q->ask, decimals);
    p = PUT(p, ",\"ask_size\":");
    return t->flags & QUOTE_NO_ASK ? PUT(p, "0") : digits_decimal(p, q->ask_size, size_decimals);
}

static char *put_bar(char *p, const struct tick *t, struct text symbol)
{
    const struct tick_bar *b = &t->bar;
    unsigned decimals = (unsigned)-t->price_exp;
    p = PUT(p, "{\"type\":\"bar\",\"seq\":");
    p = put_symbol(digits_u64(p, t->seq), symbol);
    p = PUT(p, "\",\"interval\":\"");
    p = put_word(p, bar_interval_name((uint8_t)tick_bar_interval(t)));
    p = digits_decimal(PUT(p, "\",\"open\":"), b->open, decimals);
    p = digits_decimal(PUT(p, ",\"high\":"), b->high, decimals);
    p = digits_decimal(PUT(p, ",\"low\":"), b->low, decimals);
    p = digits_decimal(PUT(p, ",\"close\":"), b->close, decimals);
    p = digits_decimal(PUT(p, ",\"volume\":"), b->volume, (unsigned)-t->size_exp);
    return t->flags & BAR_FINAL ? PUT(p, ",\"final\":true") : PUT(p, ",\"final\":false");
}

static char *put_book(char *p, const struct tick *t, struct text symbol)
{
    p = PUT(p, "{\"type\":\"book\",\"seq\":");
    p = put_symbol(digits_u64(p, t->seq), symbol);
    p = t->flags & BOOK_ASK ? PUT(p, "\",\"side\":\"ask\",\"price\":")
                            : PUT(p, "\",\"side\":\"bid\",\"price\":");
    p = digits_decimal(p, t->book.price, (unsigned)-t->price_exp);
    return digits_decimal(PUT(p, ",\"size\":"), t->book.size, (unsigned)-t->size_exp);
}

static char *put_status(char *p, const struct tick *t, struct text symbol)
{
    p = PUT(p, "{\"type\":\"status\",\"seq\":");
    p = put_symbol(digits_u64(p, t->seq), symbol);
    p = put_word(PUT(p, "\",\"state\":\""), status_state_name(t->status.state));
    *p++ = '"';
    return p;
}

static char *put_feed(char *p, const struct tick *t)
{
    const struct tick_feed *f = &t->feed;
    p = PUT(p, "{\"type\":\"feed\",\"feed\":\"");
    for (uint32_t i = 0; i < FEED_NAME_MAX && f->name[i]; i++) {
        if (f->name[i] == '"' || f->name[i] == '\\') *p++ = '\\';
        *p++ = f->name[i];
    }
    p = put_word(PUT(p, "\",\"state\":\""), feed_state_name(f->state));
    *p++ = '"';
    if (f->state == FEED_LOST) {
        p = PUT(p, ",\"lost\":");
        p = f->lost == FEED_LOST_UNKNOWN ? PUT(p, "null") : digits_u64(p, f->lost);
    }
    if (f->reason != FEED_REASON_NONE) {
        p = put_word(PUT(p, ",\"reason\":\""), feed_reason_name(f->reason));
        *p++ = '"';
    }
    if (t->flags & FEED_RESET) p = PUT(p, ",\"reset\":true");
    return digits_u64(PUT(p, ",\"seq\":"), t->seq);
}
