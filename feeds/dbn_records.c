/* feeds/dbn_records.c -- DBN records as ticks.
 *
 * Trades (0x00) and T records of mbo: trades. mbp-1, tbbo, mbp-10, cmbp-1, tcbbo: a T record is a trade (its
 * book is that before the trade, so no quote is made of it); any other is the quote of level 0. bbo and cbbo:
 * quotes. ohlcv: final bars. Symbol mappings and definitions name instruments. Everything else is passed over
 * by its length. A mixed stream that holds a trade twice (as 0x00 and within mbp-1) gives it twice: that is
 * what its bytes say. */
#include "base/assert.h"
#include "feeds/dbn.h"
#include "tick/decimal.h"

#define PRICE_NONE INT64_MAX
#define TIME_NONE  UINT64_MAX
#define SIZE_NONE  UINT32_MAX

static int trade(const uint8_t *r, struct tick *t, struct fault *f, uint32_t price_at, uint32_t size_at,
                 uint32_t side_at);
static int quote(const uint8_t *level, struct tick *t, struct fault *f);
static int bar(const uint8_t *r, uint8_t rtype, struct tick *t, struct fault *f);
static int learn(struct dbn *d, const uint8_t *r, struct fault *f);
static uint32_t least_bytes(uint8_t rtype, uint8_t version);
static bool makes_tick(const uint8_t *r, uint8_t rtype);
static uint64_t event_time(const uint8_t *r, uint8_t rtype);

int dbn_record(struct dbn *d, const uint8_t *r, uint32_t size, struct tick *t, struct fault *f)
{
    uint8_t rtype = r[1];
    uint32_t least = least_bytes(rtype, d->version);
    if (least == 0) return 0; /* a kind that makes no tick, or one not known */
    if (size < least + (d->ts_out ? 8u : 0u))
        return fault_set(f, TC_EINPUT, "record type 0x%02x has %u bytes, fewer than the %u of its kind",
                         rtype, size, least + (d->ts_out ? 8u : 0u));
    if (rtype == 0x16 || rtype == 0x13) return learn(d, r, f);
    if (!makes_tick(r, rtype)) return 0;
    uint64_t at_ns = event_time(r, rtype);
    if (at_ns > INT64_MAX) return fault_set(f, TC_EINPUT, "time of a record is undefined or out of range");
    int64_t symbol = dbn_symbol(d, load_le32(r + 4), (int64_t)at_ns, f);
    if (symbol < 0) return (int)symbol;
    *t = (struct tick){.event_ns = (int64_t)at_ns, .symbol = (uint32_t)symbol};
    switch (rtype) {
    case 0x00: return trade(r, t, f, 16, 24, 29);
    case 0xA0: return trade(r, t, f, 24, 32, 39);
    case 0x01:
    case 0x0A:
    case 0xB1:
    case 0xC2: return r[28] == 'T' ? trade(r, t, f, 16, 24, 29) : quote(r + 48, t, f);
    case 0xC0:
    case 0xC1:
    case 0xC3:
    case 0xC4: return quote(r + 48, t, f);
    default: return bar(r, rtype, t, f);
    }
}

/* Of the records of orders only T: an F repeats it from the resting side. */
static bool makes_tick(const uint8_t *r, uint8_t rtype)
{
    if (rtype == 0xA0) return r[38] == 'T';
    return rtype != 0x00 || r[28] == 'T';
}

/* ts_event. Of bbo and cbbo it is the time of the last sale, so ts_recv, the end of the interval, is taken;
 * as it is where ts_event is not defined. */
static uint64_t event_time(const uint8_t *r, uint8_t rtype)
{
    uint64_t event = load_le64(r + 8);
    if (rtype == 0xC0 || rtype == 0xC1 || rtype == 0xC3 || rtype == 0xC4) return load_le64(r + 32);
    if (event != TIME_NONE || (rtype >= 0x20 && rtype <= 0x24)) return event; /* a bar has no ts_recv */
    return load_le64(r + (rtype == 0xA0 ? 40 : 32));
}

/* Bytes that must be there; 0: the record is passed over. */
static uint32_t least_bytes(uint8_t rtype, uint8_t version)
{
    switch (rtype) {
    case 0x00: return 48;
    case 0x01:
    case 0xB1:
    case 0xC0:
    case 0xC1:
    case 0xC2:
    case 0xC3:
    case 0xC4: return 80;
    case 0x0A: return 368;
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23:
    case 0x24: return 56;
    case 0xA0: return 56;
    case 0x13: return version == 1 ? 360 : version == 2 ? 400 : 520;
    case 0x16: return version == 1 ? 80 : 176;
    default: return 0;
    }
}

static int trade(const uint8_t *r, struct tick *t, struct fault *f, uint32_t price_at, uint32_t size_at,
                 uint32_t side_at)
{
    int64_t price = (int64_t)load_le64(r + price_at);
    if (price == PRICE_NONE) return fault_set(f, TC_EINPUT, "price of a trade is undefined");
    uint32_t size = load_le32(r + size_at);
    if (size == SIZE_NONE) return fault_set(f, TC_EINPUT, "size of a trade is undefined");
    struct decimal p = decimal_trim((struct decimal){price, -9});
    t->kind = TICK_TRADE;
    t->flags = r[side_at] == 'B' ? TRADE_BUY : r[side_at] == 'A' ? TRADE_SELL : 0;
    t->price_exp = p.exponent;
    t->trade.price = p.mantissa;
    t->trade.size = size;
    return 1;
}

static int quote(const uint8_t *level, struct tick *t, struct fault *f)
{
    int64_t bid = (int64_t)load_le64(level), ask = (int64_t)load_le64(level + 8);
    uint32_t bid_size = bid == PRICE_NONE ? 0 : load_le32(level + 16);
    uint32_t ask_size = ask == PRICE_NONE ? 0 : load_le32(level + 20);
    if (bid_size == SIZE_NONE || ask_size == SIZE_NONE)
        return fault_set(f, TC_EINPUT, "size of a quote is undefined");
    t->kind = TICK_QUOTE;
    t->flags = (uint8_t)((bid == PRICE_NONE ? QUOTE_NO_BID : 0) | (ask == PRICE_NONE ? QUOTE_NO_ASK : 0));
    struct decimal p[2] = {{bid == PRICE_NONE ? 0 : bid, -9}, {ask == PRICE_NONE ? 0 : ask, -9}};
    p[0] = decimal_trim(p[0]);
    p[1] = decimal_trim(p[1]);
    int rc = decimal_align(p, 2); /* both fitted at -9: they fit at the longer of the two */
    TC_ASSERT(rc == 0);
    t->price_exp = p[0].exponent;
    t->quote.bid = p[0].mantissa;
    t->quote.ask = p[1].mantissa;
    t->quote.bid_size = bid_size;
    t->quote.ask_size = ask_size;
    return 1;
}

static int bar(const uint8_t *r, uint8_t rtype, struct tick *t, struct fault *f)
{
    static const uint8_t intervals[] = {BAR_1S, BAR_1M, BAR_1H, BAR_1D,
                                        BAR_1D}; /* 0x20 to 0x24; the last: end of day */
    struct decimal p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = decimal_trim((struct decimal){(int64_t)load_le64(r + 16 + 8 * i), -9});
        if (p[i].mantissa == PRICE_NONE) return fault_set(f, TC_EINPUT, "price of a bar is undefined");
    }
    if (decimal_align(p, 4) < 0) return fault_set(f, TC_EINPUT, "prices of a bar do not fit one exponent");
    uint64_t volume = load_le64(r + 48);
    if (volume > INT64_MAX) return fault_set(f, TC_EINPUT, "volume of a bar is out of range");
    t->kind = TICK_BAR;
    t->flags = (uint8_t)(BAR_FINAL | intervals[rtype - 0x20] << BAR_INTERVAL_SHIFT);
    t->price_exp = p[0].exponent;
    t->bar = (struct tick_bar){p[0].mantissa, p[1].mantissa, p[2].mantissa, p[3].mantissa, (int64_t)volume};
    return 1;
}

/* A live stream names its instruments in records: mappings (from now on), or definitions. */
static int learn(struct dbn *d, const uint8_t *r, struct fault *f)
{
    const char *at;
    size_t room;
    if (r[1] == 0x13) {
        at = (const char *)r + (d->version == 3 ? 238 : 200);
        room = d->version == 1 ? 22 : 71;
    } else {
        at = (const char *)r + (d->version == 1 ? 38 : 89);
        room = d->version == 1 ? 22 : 71;
    }
    struct text name = {at, strnlen(at, room)};
    if (name.size == 0) return 0;
    int rc = dbn_mapping_add(d, load_le32(r + 4), name, 0, UINT32_MAX, f);
    return rc < 0 ? rc : 0;
}
