/* feeds/reader_polygon.c -- Polygon (Massive) flat files: us_stocks_sip trades_v1 and quotes_v1, told apart
 * by the header. Event time is the tape's own `sip_timestamp` in ns (the participant's where that is empty):
 * trades reported late keep the time at which the market learnt of them. The files are sorted by ticker
 * first, so times step back at each new ticker. A quote side of price 0 and size 0 is empty. Spec: Polygon
 * documentation, "Flat files: stocks". */
#include "feeds/reader_csv.h"
#include "feeds/reader_name.h"

enum {
    COL_TICKER,
    COL_SIP,
    COL_PARTICIPANT,
    COL_PRICE,
    COL_SIZE,
    COL_ID,
    COL_BID,
    COL_BID_SIZE,
    COL_ASK,
    COL_ASK_SIZE,
    COLS
};
static const char *const names[COLS] = {
    "ticker",    "sip_timestamp", "participant_timestamp", "price", "size", "id", "bid_price", "bid_size",
    "ask_price", "ask_size"};

static struct csv_side side_of(const struct csv *c, uint32_t price, uint32_t size);

static int polygon_start(struct csv *c, const struct reader_options *o, struct fault *f)
{
    (void)o;
    int rc = csv_columns(c, names, COLS, COL_PARTICIPANT, f);
    if (rc < 0) return rc;
    bool trades = c->column[COL_PRICE] != CSV_NO_COLUMN && c->column[COL_SIZE] != CSV_NO_COLUMN;
    bool quotes = c->column[COL_BID] != CSV_NO_COLUMN && c->column[COL_ASK] != CSV_NO_COLUMN;
    if (!trades && !quotes)
        return csv_fault(c, f, "the header is neither that of trades_v1 nor of quotes_v1");
    return 1;
}

static int polygon_row(struct csv *c, struct tick *t, struct fault *f)
{
    struct text sip = csv_field(c, COL_SIP), time = sip.size > 0 ? sip : csv_field(c, COL_PARTICIPANT);
    int rc = csv_time(c, "sip_timestamp", time, TIME_NS, &t->event_ns, f);
    if (rc == 0) rc = csv_symbol(c, csv_field(c, COL_TICKER), &t->symbol, f);
    if (rc < 0) return rc;
    if (c->column[COL_BID] != CSV_NO_COLUMN) {
        rc = csv_quote(c, t, side_of(c, COL_BID, COL_BID_SIZE), side_of(c, COL_ASK, COL_ASK_SIZE), f);
        return rc < 0 ? rc : 1;
    }
    rc = csv_trade(c, t, csv_field(c, COL_PRICE), csv_field(c, COL_SIZE), 0, f);
    if (rc < 0) return rc;
    t->trade.id = csv_id(csv_field(c, COL_ID));
    return 1;
}

static bool is_zero(struct text at)
{
    struct decimal d;
    return at.size == 0 || (decimal_parse(at.at, at.size, &d) == 0 && d.mantissa == 0);
}

static struct csv_side side_of(const struct csv *c, uint32_t price, uint32_t size)
{
    struct csv_side side = {csv_field(c, price), csv_field(c, size)};
    if (is_zero(side.price) && is_zero(side.size)) side.price.size = 0;
    return side;
}

static const struct csv_preset preset = {.ops = &reader_polygon, .start = polygon_start, .row = polygon_row};

static int polygon_probe(const char *path, const uint8_t *first, size_t size)
{
    struct text at[CSV_FIELDS_MAX];
    uint32_t count = csv_probe_fields(first, size, at, CSV_FIELDS_MAX), found = 0;
    (void)path;
    for (uint32_t i = 0; i < count; i++) {
        found += text_same(at[i], names[COL_TICKER]) || text_same(at[i], names[COL_SIP]);
    }
    return found == 2 ? 95 : 0;
}

static int polygon_open(struct reader **out, struct source *s, const struct reader_options *o,
                        struct fault *f)
{
    return csv_open(out, &preset, s, o, f);
}

const struct reader_ops reader_polygon = {
    .format = "polygon",
    .what = "Polygon (Massive) flat files: us_stocks_sip trades_v1 and quotes_v1",
    .probe = polygon_probe,
    .open = polygon_open,
    .next = csv_next,
    .symbol = csv_symbol_name,
    .close = csv_close,
};
