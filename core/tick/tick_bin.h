/* tick/tick_bin.h -- a tick as a packed record of the binary subprotocol (docs/protocol-binary.md).
 *
 * Little-endian, every field at its natural alignment, the size a multiple of 8 bytes that the record's first
 * byte tells: a reader steps over kinds that it does not know. A record does not hold its own seq but how far
 * it is back from the end of its frame; who needs more (snapshots, ticks by themselves) writes the seq before
 * the record. */
#ifndef TC_TICK_TICK_BIN_H
#define TC_TICK_TICK_BIN_H

#include "base/bytes.h"
#include "tick/tick.h"

/* First byte: kind in the low half, size in 8-byte words in the high half. */
#define TICK_BIN_HEAD(kind, words) ((uint8_t)((kind) | (words) << 4))
#define TICK_BIN_KIND(head)        ((head)&15u)
#define TICK_BIN_BYTES(head)       (((uint32_t)(head) >> 4) * 8u)

#define TICK_BIN_MAX      56u    /* the longest record: a bar */
#define TICK_BIN_MIN      16u    /* the shortest: a status, a symbol of up to 8 characters */
#define TICK_BIN_BACK_MAX 65535u /* seqs that one frame spans */

/* flags as in tick.h; decimals: of the mantissas, 0 to 18. */
struct tick_bin_head {
    uint8_t head, flags, price_decimals, size_decimals;
    uint16_t symbol, back; /* back: the frame's `to` minus this tick's seq; 0 outside of frames */
};
struct tick_bin_trade {
    struct tick_bin_head head;
    int64_t ts, price, size;
    uint64_t id; /* there only if the record has 5 words; else 0 */
};
struct tick_bin_quote {
    struct tick_bin_head head;
    int64_t ts, bid, bid_size, ask, ask_size;
};
struct tick_bin_bar {
    struct tick_bin_head head;
    int64_t ts, open, high, low, close, volume;
};
struct tick_bin_book {
    struct tick_bin_head head;
    int64_t ts, price, size;
};
struct tick_bin_status { /* head.flags: enum status_state */
    struct tick_bin_head head;
    int64_t ts;
};
struct tick_bin_feed { /* head.price_decimals: enum feed_state; head.size_decimals: enum feed_reason */
    struct tick_bin_head head;
    int64_t ts;
    uint64_t lost;            /* FEED_LOST_UNKNOWN: not known */
    char name[FEED_NAME_MAX]; /* zero-padded */
};
struct tick_bin_symbol { /* defines head.symbol */
    struct tick_bin_head head;
    char name[SYMBOL_NAME_MAX]; /* zero-padded to the record's end: 8, 16, 24 or 32 bytes */
};

#define TICK_BIN_AT(type, field, offset)                                                                     \
    TC_STATIC_ASSERT(offsetof(struct type, field) == (offset), "layout: docs/protocol-binary.md")
TICK_BIN_AT(tick_bin_head, head, 0);
TICK_BIN_AT(tick_bin_head, flags, 1);
TICK_BIN_AT(tick_bin_head, price_decimals, 2);
TICK_BIN_AT(tick_bin_head, size_decimals, 3);
TICK_BIN_AT(tick_bin_head, symbol, 4);
TICK_BIN_AT(tick_bin_head, back, 6);
TICK_BIN_AT(tick_bin_trade, ts, 8);
TICK_BIN_AT(tick_bin_trade, price, 16);
TICK_BIN_AT(tick_bin_trade, size, 24);
TICK_BIN_AT(tick_bin_trade, id, 32);
TICK_BIN_AT(tick_bin_quote, ts, 8);
TICK_BIN_AT(tick_bin_quote, bid, 16);
TICK_BIN_AT(tick_bin_quote, bid_size, 24);
TICK_BIN_AT(tick_bin_quote, ask, 32);
TICK_BIN_AT(tick_bin_quote, ask_size, 40);
TICK_BIN_AT(tick_bin_bar, ts, 8);
TICK_BIN_AT(tick_bin_bar, open, 16);
TICK_BIN_AT(tick_bin_bar, high, 24);
TICK_BIN_AT(tick_bin_bar, low, 32);
TICK_BIN_AT(tick_bin_bar, close, 40);
TICK_BIN_AT(tick_bin_bar, volume, 48);
TICK_BIN_AT(tick_bin_book, ts, 8);
TICK_BIN_AT(tick_bin_book, price, 16);
TICK_BIN_AT(tick_bin_book, size, 24);
TICK_BIN_AT(tick_bin_status, ts, 8);
TICK_BIN_AT(tick_bin_feed, ts, 8);
TICK_BIN_AT(tick_bin_feed, lost, 16);
TICK_BIN_AT(tick_bin_feed, name, 24);
TICK_BIN_AT(tick_bin_symbol, name, 8);
TC_STATIC_ASSERT(sizeof(struct tick_bin_trade) == 40, "32 bytes, 40 with the venue's id");
TC_STATIC_ASSERT(sizeof(struct tick_bin_quote) == 48, "layout: docs/protocol-binary.md");
TC_STATIC_ASSERT(sizeof(struct tick_bin_bar) == TICK_BIN_MAX, "layout: docs/protocol-binary.md");
TC_STATIC_ASSERT(sizeof(struct tick_bin_book) == 32, "layout: docs/protocol-binary.md");
TC_STATIC_ASSERT(sizeof(struct tick_bin_status) == TICK_BIN_MIN, "layout: docs/protocol-binary.md");
TC_STATIC_ASSERT(sizeof(struct tick_bin_feed) == 40, "layout: docs/protocol-binary.md");
TC_STATIC_ASSERT(sizeof(struct tick_bin_symbol) == 40, "layout: docs/protocol-binary.md");

/* The most bytes that a record of a kind takes; 0 for a kind without one (hole). */
static inline uint32_t tick_bin_bytes_max(uint8_t kind)
{
    static const uint8_t bytes[16] = {
        [TICK_TRADE] = sizeof(struct tick_bin_trade),   [TICK_QUOTE] = sizeof(struct tick_bin_quote),
        [TICK_BAR] = sizeof(struct tick_bin_bar),       [TICK_BOOK] = sizeof(struct tick_bin_book),
        [TICK_STATUS] = sizeof(struct tick_bin_status), [TICK_FEED] = sizeof(struct tick_bin_feed),
        [TICK_SYMBOL] = sizeof(struct tick_bin_symbol),
    };
    return bytes[kind & 15];
}

/* Writes the record of t into out (TICK_BIN_MAX bytes; those past the record's end may be overwritten) and
 * returns its bytes; 0 for a hole. Thread: any. Blocks: never. */
uint32_t tick_bin(uint8_t *out, const struct tick *t, uint16_t back);
/* The definition of a symbol. name: legal, not JSON-escaped. */
uint32_t tick_bin_symbol(uint8_t *out, uint32_t symbol, struct text name, uint16_t back);

/* Reads one record, whatever its bytes are. *bytes: its size. Returns 0; TC_EINPUT: cut, or a field is out of
 * range; TC_ENOTFOUND: a kind that is not known here: step over it. *t: seq is 0; ingest times and reserved
 * fields are 0. A symbol's name is in t->name, checked to be legal. */
int tick_bin_read(const uint8_t *at, size_t size, struct tick *t, uint32_t *bytes);

#endif
