/* tick/tick_bin.c -- ticks to packed records and back. */
#include "tick/tick_bin.h"

#include "base/assert.h"
#include "base/fault.h"

#define HEAD_OF(kind, record) TICK_BIN_HEAD(kind, sizeof(struct record) / 8)
#define TRADE_WORDS           4u /* without the venue's id */

static uint32_t put_feed(uint8_t *out, const struct tick *t, struct tick_bin_head head);
static int read_payload(const uint8_t *at, struct tick *t, uint32_t bytes);
static int read_symbol(const uint8_t *at, struct tick *t, uint32_t bytes);
static int read_feed(const uint8_t *at, struct tick *t);

uint32_t tick_bin(uint8_t *out, const struct tick *t, uint16_t back)
{
    struct tick_bin_head head = {.flags = t->flags,
                                 .price_decimals = (uint8_t)-t->price_exp,
                                 .size_decimals = (uint8_t)-t->size_exp,
                                 .symbol = (uint16_t)t->symbol,
                                 .back = back};
    uint32_t bytes;
    switch (t->kind) {
    case TICK_TRADE:
        bytes = t->trade.id ? sizeof(struct tick_bin_trade) : TRADE_WORDS * 8;
        head.head = TICK_BIN_HEAD(TICK_TRADE, bytes / 8);
        memcpy(out + offsetof(struct tick_bin_trade, price), &t->trade, 24); /* price, size, id */
        break;
    case TICK_QUOTE:
        bytes = sizeof(struct tick_bin_quote);
        head.head = HEAD_OF(TICK_QUOTE, tick_bin_quote);
        memcpy(out + offsetof(struct tick_bin_quote, bid), &t->quote, sizeof t->quote);
        break;
    case TICK_BAR:
        bytes = sizeof(struct tick_bin_bar);
        head.head = HEAD_OF(TICK_BAR, tick_bin_bar);
        memcpy(out + offsetof(struct tick_bin_bar, open), &t->bar, sizeof t->bar);
        break;
    case TICK_BOOK:
        bytes = sizeof(struct tick_bin_book);
        head.head = HEAD_OF(TICK_BOOK, tick_bin_book);
        memcpy(out + offsetof(struct tick_bin_book, price), &t->book, 16);
        break;
    case TICK_STATUS:
        bytes = sizeof(struct tick_bin_status);
        head.head = HEAD_OF(TICK_STATUS, tick_bin_status);
        head.flags = t->status.state;
        break;
    case TICK_FEED: return put_feed(out, t, head);
    case TICK_SYMBOL:
        return tick_bin_symbol(out, t->symbol,
                               (struct text){t->name.name, strnlen(t->name.name, SYMBOL_NAME_MAX)}, back);
    default: return 0;
    }
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, &t->event_ns, sizeof t->event_ns);
    return bytes;
}
TC_STATIC_ASSERT(offsetof(struct tick_trade, size) == 8 && offsetof(struct tick_trade, id) == 16,
                 "a trade's numbers stand in the record's order");
TC_STATIC_ASSERT(sizeof(struct tick_quote) == 32 && sizeof(struct tick_bar) == 40,
                 "so do a quote's and a bar's");
TC_STATIC_ASSERT(offsetof(struct tick_book, size) == 8, "so do a level's");
TC_STATIC_ASSERT(TRADE_BUY == 1 && TRADE_SELL == 2 && QUOTE_NO_BID == 1 && QUOTE_NO_ASK == 2 &&
                     BAR_FINAL == 1 && BAR_INTERVAL_SHIFT == 1 && BOOK_ASK == 1 && FEED_RESET == 1,
                 "flags go out as they are: docs/protocol-binary.md");

static uint32_t put_feed(uint8_t *out, const struct tick *t, struct tick_bin_head head)
{
    struct tick_bin_feed feed = {.head = head, .ts = t->event_ns, .lost = t->feed.lost};
    feed.head.head = HEAD_OF(TICK_FEED, tick_bin_feed);
    feed.head.price_decimals = t->feed.state;
    feed.head.size_decimals = t->feed.reason;
    memcpy(feed.name, t->feed.name, sizeof feed.name);
    memcpy(out, &feed, sizeof feed);
    return sizeof feed;
}

uint32_t tick_bin_symbol(uint8_t *out, uint32_t symbol, struct text name, uint16_t back)
{
    TC_ASSERT(name.size >= 1);
    TC_ASSERT(name.size <= SYMBOL_NAME_MAX);
    uint32_t bytes = (uint32_t)(sizeof(struct tick_bin_head) + (name.size + 7) / 8 * 8);
    struct tick_bin_head head = {
        .head = TICK_BIN_HEAD(TICK_SYMBOL, bytes / 8), .symbol = (uint16_t)symbol, .back = back};
    memcpy(out, &head, sizeof head);
    memset(out + bytes - 8, 0, 8);
    memcpy(out + sizeof head, name.at, name.size);
    return bytes;
}

/* ---- Back. ---- */

int tick_bin_read(const uint8_t *at, size_t size, struct tick *t, uint32_t *bytes)
{
    static const uint8_t least[16] = {
        [TICK_TRADE] = TRADE_WORDS * 8,
        [TICK_QUOTE] = sizeof(struct tick_bin_quote),
        [TICK_BAR] = sizeof(struct tick_bin_bar),
        [TICK_BOOK] = sizeof(struct tick_bin_book),
        [TICK_STATUS] = sizeof(struct tick_bin_status),
        [TICK_FEED] = sizeof(struct tick_bin_feed),
        [TICK_SYMBOL] = TICK_BIN_MIN,
    };
    struct tick_bin_head head;
    if (size < sizeof head) return TC_EINPUT;
    memcpy(&head, at, sizeof head);
    *bytes = TICK_BIN_BYTES(head.head);
    if (*bytes < sizeof head || *bytes > size) return TC_EINPUT;
    uint8_t kind = TICK_BIN_KIND(head.head);
    if (least[kind] == 0) return TC_ENOTFOUND;
    if (*bytes < least[kind]) return TC_EINPUT;
    memset(t, 0, sizeof *t);
    t->kind = kind;
    t->symbol = head.symbol;
    if (kind == TICK_SYMBOL) return read_symbol(at, t, *bytes);
    memcpy(&t->event_ns, at + sizeof head, sizeof t->event_ns);
    if (kind == TICK_STATUS) {
        t->status.state = head.flags;
        return status_state_name(t->status.state) ? 0 : TC_EINPUT;
    }
    t->flags = head.flags;
    if (kind == TICK_FEED) return read_feed(at, t);
    if (head.price_decimals > 18 || head.size_decimals > 18) return TC_EINPUT;
    t->price_exp = (int8_t)-head.price_decimals;
    t->size_exp = (int8_t)-head.size_decimals;
    return read_payload(at, t, *bytes);
}

static int read_payload(const uint8_t *at, struct tick *t, uint32_t bytes)
{
    const uint8_t *p = at + offsetof(struct tick_bin_trade, price);
    switch (t->kind) {
    case TICK_TRADE: memcpy(&t->trade, p, bytes >= sizeof(struct tick_bin_trade) ? 24 : 16); return 0;
    case TICK_QUOTE: memcpy(&t->quote, p, sizeof t->quote); return 0;
    case TICK_BOOK: memcpy(&t->book, p, 16); return 0;
    default:
        memcpy(&t->bar, p, sizeof t->bar);
        return bar_interval_name((uint8_t)tick_bar_interval(t)) ? 0 : TC_EINPUT;
    }
}

static int read_symbol(const uint8_t *at, struct tick *t, uint32_t bytes)
{
    size_t room = bytes - sizeof(struct tick_bin_head);
    const char *name = (const char *)at + sizeof(struct tick_bin_head);
    size_t size = strnlen(name, room);
    if (size > SYMBOL_NAME_MAX || !symbol_name_ok(name, size)) return TC_EINPUT;
    memcpy(t->name.name, name, size);
    return 0;
}

static int read_feed(const uint8_t *at, struct tick *t)
{
    struct tick_bin_feed feed;
    memcpy(&feed, at, sizeof feed);
    t->feed.state = feed.head.price_decimals;
    t->feed.reason = feed.head.size_decimals;
    t->feed.lost = feed.lost;
    memcpy(t->feed.name, feed.name, sizeof t->feed.name);
    if (!feed_state_name(t->feed.state) || t->feed.reason >= FEED_REASONS) return TC_EINPUT;
    for (uint32_t i = 0; i < FEED_NAME_MAX && feed.name[i]; i++) /* as symbol_name_ok's characters */
        if (feed.name[i] < 0x20 || feed.name[i] > 0x7e) return TC_EINPUT;
    return 0;
}
