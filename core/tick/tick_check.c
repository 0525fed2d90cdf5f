/* tick/tick_check.c -- is a tick what tick.h says? Prices may be negative (spreads, futures); sizes may be 0
 * but not below. What a source claims about prices is not judged: a bar whose high is under its low is passed
 * on as it came. Bytes and flags that mean nothing yet must be 0, so that equal ticks are equal records. */
#include "tick/decimal.h"
#include "tick/symbol_table.h"

static const char *check_head(const struct tick *t, uint32_t symbol_count);
static const char *check_trade(const struct tick *t);
static const char *check_quote(const struct tick *t);
static const char *check_bar(const struct tick *t);
static const char *check_book(const struct tick *t);
static const char *check_status(const struct tick *t);
static const char *check_feed(const struct tick *t);
static const char *check_symbol(const struct tick *t);
static const char *check_hole(const struct tick *t);
static size_t padded_size(const char *at, size_t room);

const char *tick_check(const struct tick *t, uint32_t symbol_count)
{
    const char *wrong = check_head(t, symbol_count);
    if (wrong) return wrong;
    switch (t->kind) {
    case TICK_TRADE: return check_trade(t);
    case TICK_QUOTE: return check_quote(t);
    case TICK_BAR: return check_bar(t);
    case TICK_BOOK: return check_book(t);
    case TICK_STATUS: return check_status(t);
    case TICK_FEED: return check_feed(t);
    case TICK_SYMBOL: return check_symbol(t);
    case TICK_HOLE: return check_hole(t);
    default: return "kind: not one of 1 to 8";
    }
}

static const char *check_head(const struct tick *t, uint32_t symbol_count)
{
    if (t->price_exp > 0 || t->price_exp < DECIMAL_EXP_MIN) return "price_exp: not in -18 to 0";
    if (t->size_exp > 0 || t->size_exp < DECIMAL_EXP_MIN) return "size_exp: not in -18 to 0";
    if (t->kind == TICK_FEED || t->kind == TICK_HOLE)
        return t->symbol == 0 ? NULL : "symbol: not 0 in a feed or hole record";
    return t->symbol < symbol_count ? NULL : "symbol: no such id";
}

static const char *check_trade(const struct tick *t)
{
    if (t->flags & ~(TRADE_BUY | TRADE_SELL)) return "flags: a bit without meaning for a trade";
    if (t->flags == (TRADE_BUY | TRADE_SELL)) return "flags: a trade cannot be both buy and sell";
    if (t->trade.size < 0) return "size: below 0";
    return t->trade.reserved == 0 ? NULL : "reserved: not 0";
}

static const char *check_quote(const struct tick *t)
{
    const struct tick_quote *q = &t->quote;
    if (t->flags & ~(QUOTE_NO_BID | QUOTE_NO_ASK)) return "flags: a bit without meaning for a quote";
    if (q->bid_size < 0) return "bid_size: below 0";
    if (q->ask_size < 0) return "ask_size: below 0";
    if ((t->flags & QUOTE_NO_BID) && (q->bid != 0 || q->bid_size != 0))
        return "bid: not 0 though nobody bids";
    if ((t->flags & QUOTE_NO_ASK) && (q->ask != 0 || q->ask_size != 0))
        return "ask: not 0 though nobody asks";
    return NULL;
}

static const char *check_bar(const struct tick *t)
{
    if (tick_bar_interval(t) >= BAR_INTERVALS) return "interval: not in the table of intervals";
    if (t->flags >> (BAR_INTERVAL_SHIFT + 6)) return "flags: a bit without meaning for a bar";
    return t->bar.volume < 0 ? "volume: below 0" : NULL;
}

static const char *check_book(const struct tick *t)
{
    if (t->flags & ~BOOK_ASK) return "flags: a bit without meaning for a book level";
    if (t->book.size < 0) return "size: below 0";
    return t->book.reserved[0] == 0 && t->book.reserved[1] == 0 ? NULL : "reserved: not 0";
}

static const char *check_status(const struct tick *t)
{
    if (t->flags) return "flags: not 0 in a status";
    if (!status_state_name(t->status.state)) return "state: not a state of a symbol";
    uint64_t rest = t->payload[0] >> 8 | t->payload[1] | t->payload[2] | t->payload[3];
    return rest == 0 ? NULL : "reserved: not 0";
}

static const char *check_feed(const struct tick *t)
{
    const struct tick_feed *f = &t->feed;
    if (t->flags & ~FEED_RESET) return "flags: a bit without meaning for a feed record";
    if (!feed_state_name(f->state)) return "state: not a state of a feed";
    if (f->reason >= FEED_REASONS) return "reason: not in the table of reasons";
    if (f->state == FEED_LOST && f->reason == FEED_REASON_NONE) return "reason: missing in a loss";
    if (f->state != FEED_LOST && f->lost != 0) return "lost: not 0 in a record that is not of a loss";
    if (t->payload[0] >> 16) return "reserved: not 0";
    size_t size = padded_size(f->name, sizeof f->name);
    if (size == 0) return "name: empty, or not padded with zeros";
    for (size_t i = 0; i < size; i++)
        if (f->name[i] < 0x20 || f->name[i] > 0x7E) return "name: a character that is not printable ASCII";
    return NULL;
}

static const char *check_symbol(const struct tick *t)
{
    if (t->flags) return "flags: not 0 in a symbol's definition";
    size_t size = padded_size(t->name.name, sizeof t->name.name);
    if (size == 0) return "name: empty, or not padded with zeros";
    return symbol_name_ok(t->name.name, size) ? NULL
                                              : "name: not 1 to 32 printable characters without outer space";
}

static const char *check_hole(const struct tick *t)
{
    if (t->flags) return "flags: not 0 in a hole";
    if (t->hole.seq_last < t->seq) return "seq_last: before the hole's own number";
    return (t->hole.reserved[0] | t->hole.reserved[1] | t->hole.reserved[2]) == 0 ? NULL : "reserved: not 0";
}

/* Characters before the first zero; 0 if something follows it. */
static size_t padded_size(const char *at, size_t room)
{
    size_t size = strnlen(at, room);
    for (size_t i = size; i < room; i++)
        if (at[i]) return 0;
    return size;
}

bool symbol_name_ok(const char *at, size_t size)
{
    if (size == 0 || size > SYMBOL_NAME_MAX || at[0] == ' ' || at[size - 1] == ' ') return false;
    for (size_t i = 0; i < size; i++)
        if (at[i] < 0x20 || at[i] > 0x7E) return false;
    return true;
}
