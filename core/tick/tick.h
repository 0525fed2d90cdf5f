/* tick/tick.h -- the tick: a fixed 64-byte little-endian record, the same in memory and in a recording.
 *
 * Prices and sizes are exact decimals: an int64 mantissa here, times ten to the tick's price_exp or size_exp
 * (each -18 to 0; all prices of one tick share one exponent). Times are ns since 1970-01-01 UTC.
 * A bar needs five numbers, so it has no ingest time: its open stands there (decision 1). */
#ifndef TC_TICK_TICK_H
#define TC_TICK_TICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tick_kind {
    TICK_TRADE = 1,
    TICK_QUOTE = 2,  /* best bid and offer */
    TICK_BAR = 3,    /* open, high, low, close, volume of one interval */
    TICK_BOOK = 4,   /* one price level */
    TICK_STATUS = 5, /* halt, resume, open, close */
    TICK_FEED = 6,   /* a feed's state, or what it lost */
    TICK_SYMBOL = 7, /* defines `symbol`; stands before the symbol's first tick */
    TICK_HOLE = 8,   /* the numbers from here to the next tick were lost (decision 28) */
    TICK_KINDS = 9
};

/* Sets of kinds: bit (1 << kind). */
#define KIND_BIT(kind) (1u << (kind))
#define KINDS_CLIENT   /* what a client may name in `kinds` */                                               \
    (KIND_BIT(TICK_TRADE) | KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_BAR) | KIND_BIT(TICK_BOOK) |                \
     KIND_BIT(TICK_STATUS))

enum {                   /* flags by kind */
       TRADE_BUY = 1,    /* the aggressor bought */
       TRADE_SELL = 2,   /* the aggressor sold; neither bit: not known */
       QUOTE_NO_BID = 1, /* nobody bids: bid and bid_size are 0 and printed as null */
       QUOTE_NO_ASK = 2,
       BAR_FINAL = 1,          /* the interval is over; a bar in progress is state, a final one an event */
       BAR_INTERVAL_SHIFT = 1, /* bits 1 to 6: enum bar_interval */
       BOOK_ASK = 1,           /* side; else bid. Size 0 removes the level */
       FEED_RESET = 1,         /* from here on all state of this feed's symbols is unknown (decision 11) */
};

enum bar_interval {
    BAR_1S,
    BAR_5S,
    BAR_10S,
    BAR_15S,
    BAR_30S,
    BAR_1M,
    BAR_2M,
    BAR_3M,
    BAR_5M,
    BAR_10M,
    BAR_15M,
    BAR_30M,
    BAR_1H,
    BAR_2H,
    BAR_4H,
    BAR_6H,
    BAR_8H,
    BAR_12H,
    BAR_1D,
    BAR_1W,
    BAR_1MO,
    BAR_INTERVALS
};

enum status_state {
    STATUS_TRADING = 1,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_QUOTING,
    STATUS_PRE_OPEN,
    STATUS_OPEN,
    STATUS_CLOSED,
    STATUS_AUCTION,
    STATUS_STATES
};

enum feed_state {
    FEED_STARTED = 1,
    FEED_ENDED,
    FEED_STALLED,
    FEED_FAILED,
    FEED_LOST,
    FEED_LOOPED,
    FEED_SEEKED,
    FEED_RESTARTED,
    FEED_RESUMED,
    FEED_STATES
};

enum feed_reason {
    FEED_REASON_NONE,
    FEED_REASON_RING,
    FEED_REASON_LINE,
    FEED_REASON_SYMBOLS,
    FEED_REASON_SKIPPED,
    FEED_REASON_UPSTREAM,
    FEED_REASONS
};

#define SYMBOL_NAME_MAX   32
#define FEED_NAME_MAX     16
#define FEED_LOST_UNKNOWN UINT64_MAX /* "lost":null */

struct tick_trade {
    int64_t price, size;
    uint64_t id, reserved;
}; /* id: the venue's, 0 if none */
struct tick_quote {
    int64_t bid, bid_size, ask, ask_size;
};
struct tick_book {
    int64_t price, size;
    uint64_t reserved[2];
};
struct tick_status {
    uint8_t state, reserved8[7];
    uint64_t reserved[3];
};
struct tick_feed {
    uint8_t state, reason, reserved[6];
    uint64_t lost;            /* FEED_LOST: how many, or FEED_LOST_UNKNOWN */
    char name[FEED_NAME_MAX]; /* zero-padded */
};
struct tick_symbol {
    char name[SYMBOL_NAME_MAX];
}; /* zero-padded; 32 characters use all of it */
struct tick_hole {
    uint64_t seq_last, reserved[3];
};
struct tick_bar {
    int64_t open, high, low, close, volume;
};

struct tick {
    uint64_t seq;     /* from 1 within an epoch; set by log_append */
    int64_t event_ns; /* the event's own time */
    uint32_t symbol;  /* id in the symbol table; 0 for kind feed */
    uint8_t kind, flags;
    int8_t price_exp, size_exp;
    union {
        struct {
            int64_t ingest_ns; /* when tickcast saw it */
            union {
                struct tick_trade trade;
                struct tick_quote quote;
                struct tick_book book;
                struct tick_status status;
                struct tick_feed feed;
                struct tick_symbol name;
                struct tick_hole hole;
                uint64_t payload[4];
            };
        };
        struct tick_bar bar;
    };
};

#ifdef __cplusplus
#define TC_STATIC_ASSERT static_assert
#else
#define TC_STATIC_ASSERT _Static_assert
#endif
TC_STATIC_ASSERT(sizeof(struct tick) == 64, "one tick, one cache line");
TC_STATIC_ASSERT(offsetof(struct tick, event_ns) == 8, "layout: decision 1");
TC_STATIC_ASSERT(offsetof(struct tick, symbol) == 16, "layout: decision 1");
TC_STATIC_ASSERT(offsetof(struct tick, kind) == 20, "layout: decision 1");
TC_STATIC_ASSERT(offsetof(struct tick, flags) == 21, "layout: decision 1");
TC_STATIC_ASSERT(offsetof(struct tick, price_exp) == 22, "layout: decision 1");
TC_STATIC_ASSERT(offsetof(struct tick, ingest_ns) == 24, "layout: decision 1");
TC_STATIC_ASSERT(offsetof(struct tick, trade) == 32, "layout: decision 1");
TC_STATIC_ASSERT(offsetof(struct tick, bar) == 24, "layout: decision 1");

static inline enum bar_interval tick_bar_interval(const struct tick *t)
{
    return (enum bar_interval)((t->flags >> BAR_INTERVAL_SHIFT) & 63u);
}

/* State (only the newest per key matters, may be conflated) or event (each one matters). */
static inline bool tick_is_state(uint8_t kind, uint8_t flags)
{
    return kind == TICK_QUOTE || kind == TICK_BOOK || (kind == TICK_BAR && !(flags & BAR_FINAL));
}

/* True if event_ns is the time at which it should have gone out, so that now less it is its age. A bar's is
 * the interval's, a symbol's and a feed's own are made here. */
static inline bool tick_is_timed(uint8_t kind)
{
    return kind == TICK_TRADE || kind == TICK_QUOTE || kind == TICK_BOOK;
}

/* Wire words, and back. NULL or -1 for what does not exist. Defined in tick/kind.c. */
const char *tick_kind_name(uint8_t kind);
int tick_kind_parse(const char *at, size_t size); /* only kinds of KINDS_CLIENT */
const char *bar_interval_name(uint8_t interval);  /* "1s" ... "1w", "1M" */
int bar_interval_parse(const char *at, size_t size);
uint64_t bar_interval_ns(uint8_t interval); /* 0 for "1M", which has no fixed length */
const char *status_state_name(uint8_t state);
const char *feed_state_name(uint8_t state);
const char *feed_reason_name(uint8_t reason);

/* NULL if every field is in range, else a sentence naming the field. Feeds call it on what they read;
 * log_append asserts it. symbol_count: ids below it exist. Defined in tick/tick_check.c. */
const char *tick_check(const struct tick *t, uint32_t symbol_count);

/* True if the name is legal: 1 to 32 characters 0x20 to 0x7E, no space at either end (decision 22). */
bool symbol_name_ok(const char *at, size_t size);

#endif
