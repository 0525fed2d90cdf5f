/* feeds/reader_ticks.c -- tickcast's own CSV: a header row names the columns, in any order:
 *   ts,symbol,kind,price,size,bid,bid_size,ask,ask_size,open,high,low,close,volume,interval,side,id,state,
 *   final
 * ts is ns since 1970 or RFC 3339 text; ts_ns, ts_us, ts_ms, ts_s name a unit. Without a kind column the
 * columns tell: open makes bars, bid or ask quotes, price trades. Without a symbol column --symbol or the
 * file's name does. An empty bid or ask: nobody is on that side. side: buy or sell of a trade's aggressor,
 * bid or ask of a book level. Other columns are passed over.
 *
 * Foreign headers are mapped by columns=ROLE:COLUMN[:UNIT],... with UNIT ns, us, ms, s or rfc3339 (without it
 * the column's ending tells: time_ms); #3 for COLUMN is the third column of a file without header, and =1m a
 * value that every row has. */
#include "feeds/reader_csv.h"
#include "feeds/reader_name.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    COL_TS,
    COL_SYMBOL,
    COL_KIND,
    COL_PRICE,
    COL_SIZE,
    COL_BID,
    COL_BID_SIZE,
    COL_ASK,
    COL_ASK_SIZE,
    COL_OPEN,
    COL_HIGH,
    COL_LOW,
    COL_CLOSE,
    COL_VOLUME,
    COL_INTERVAL,
    COL_SIDE,
    COL_ID,
    COL_STATE,
    COL_FINAL,
    COLS
};
_Static_assert(COLS <= CSV_COLUMNS_MAX, "csv.column holds them");
static const char *const names[COLS] = {"ts",       "symbol",   "kind", "price", "size", "bid",   "bid_size",
                                        "ask",      "ask_size", "open", "high",  "low",  "close", "volume",
                                        "interval", "side",     "id",   "state", "final"};

#define CONSTANT_MAX 40u

struct ticks {
    char constant[COLS][CONSTANT_MAX]; /* of columns=role:=value; "": none */
    uint8_t kind;                      /* where no column says it */
    bool no_header;
};

static int map_columns(struct csv *c, struct ticks *s, struct text spec, struct fault *f);
static int map_one(struct csv *c, struct ticks *s, struct text one, struct fault *f);
static int map_ts(struct csv *c, struct fault *f);
static bool unit_of_ending(struct text column, enum time_unit *unit);
static int kind_of_columns(struct csv *c, struct ticks *s, struct fault *f);
static int row_kind(struct csv *c, const struct ticks *s, uint8_t *kind, struct fault *f);
static int bar_row(struct csv *c, const struct ticks *s, struct tick *t, struct fault *f);
static int book_row(struct csv *c, const struct ticks *s, struct tick *t, struct fault *f);
static int status_row(struct csv *c, const struct ticks *s, struct tick *t, struct fault *f);

static struct text field(const struct csv *c, const struct ticks *s, uint32_t role)
{
    return s->constant[role][0] ? text_of(s->constant[role]) : csv_field(c, role);
}

static bool given(const struct csv *c, const struct ticks *s, uint32_t role)
{
    return s->constant[role][0] || c->column[role] != CSV_NO_COLUMN;
}

static int ticks_start(struct csv *c, const struct reader_options *o, struct fault *f)
{
    struct ticks *s = c->state = calloc(1, sizeof *s);
    if (!s) return csv_fault(c, f, "out of memory");
    c->unit = TIME_NS;
    int rc = o->columns.size > 0 ? map_columns(c, s, o->columns, f) : 0;
    if (rc == 0 && !s->no_header)
        rc = csv_columns(c, names, COLS, 0, f); /* those not mapped, by their own names */
    if (rc == 0) rc = map_ts(c, f);
    if (rc == 0) rc = kind_of_columns(c, s, f);
    if (rc == 0 && !given(c, s, COL_SYMBOL)) rc = csv_one_symbol(c, o, name_stem(o), f);
    return rc < 0 ? rc : !s->no_header;
}

static int map_columns(struct csv *c, struct ticks *s, struct text spec, struct fault *f)
{
    while (spec.size > 0) {
        const char *comma = memchr(spec.at, ',', spec.size);
        size_t size = comma ? (size_t)(comma - spec.at) : spec.size;
        int rc = map_one(c, s, (struct text){spec.at, size}, f);
        if (rc < 0) return rc;
        size_t step = size + (comma != NULL);
        spec = (struct text){spec.at + step, spec.size - step};
    }
    return 0;
}

static int map_one(struct csv *c, struct ticks *s, struct text one, struct fault *f)
{
    const char *colon = memchr(one.at, ':', one.size);
    uint32_t role = 0;
    size_t name_size = colon ? (size_t)(colon - one.at) : 0;
    while (role < COLS && !text_same((struct text){one.at, name_size}, names[role])) role++;
    if (role == COLS) {
        return csv_bad(c, f, "columns:", one,
                       "is not ROLE:COLUMN with a role such as ts, symbol, price, size, bid, ask");
    }
    struct text column = {colon + 1, one.size - name_size - 1};
    const char *unit = role == COL_TS ? memrchr(column.at, ':', column.size) : NULL;
    if (unit) {
        struct text word = {unit + 1, column.size - (size_t)(unit + 1 - column.at)};
        if (time_unit_parse(word, &c->unit) != 0) {
            return csv_bad(c, f, "columns: unit", word, "is not ns, us, ms, s or rfc3339");
        }
        column.size = (size_t)(unit - column.at);
    } else if (role == COL_TS) {
        unit_of_ending(column, &c->unit);
    }
    if (column.size > 1 && column.at[0] == '=' && column.size <= CONSTANT_MAX) {
        memcpy(s->constant[role], column.at + 1, column.size - 1);
        return 0;
    }
    if (column.size > 1 && column.at[0] == '#') {
        uint64_t place = csv_id((struct text){column.at + 1, column.size - 1});
        if (place == 0 || place > c->field_count) {
            return csv_bad(c, f, "columns:", one, "names a column that the first row does not have");
        }
        c->column[role] = (uint8_t)(place - 1);
        s->no_header = true;
        return 0;
    }
    for (uint32_t i = 0; i < c->field_count; i++) {
        if (text_equal(c->fields[i], column)) c->column[role] = (uint8_t)i;
    }
    if (c->column[role] != CSV_NO_COLUMN) return 0;
    return csv_bad(c, f, "columns:", one, "names a column that the header does not have");
}

/* ts, or ts_ms and its like. */
static int map_ts(struct csv *c, struct fault *f)
{
    for (uint32_t i = 0; i < c->field_count && c->column[COL_TS] == CSV_NO_COLUMN; i++) {
        struct text at = c->fields[i];
        if (at.size >= 3 && text_same((struct text){at.at, 3}, "ts_") && unit_of_ending(at, &c->unit)) {
            c->column[COL_TS] = (uint8_t)i;
        }
    }
    if (c->column[COL_TS] != CSV_NO_COLUMN) {
        c->fields_least = c->column[COL_TS] + 1u;
        return 0;
    }
    return csv_fault(
        c, f,
        "the header has no column ts; name the columns with columns=ts:NAME:ms,price:NAME,size:NAME, "
        "or the format with --format");
}

static bool unit_of_ending(struct text column, enum time_unit *unit)
{
    const char *low = memrchr(column.at, '_', column.size);
    if (!low) return false;
    return time_unit_parse((struct text){low + 1, column.size - (size_t)(low + 1 - column.at)}, unit) == 0;
}

static int kind_of_columns(struct csv *c, struct ticks *s, struct fault *f)
{
    if (given(c, s, COL_OPEN))
        s->kind = TICK_BAR;
    else if (given(c, s, COL_BID) || given(c, s, COL_ASK))
        s->kind = TICK_QUOTE;
    else if (given(c, s, COL_PRICE))
        s->kind = TICK_TRADE;
    else if (given(c, s, COL_STATE))
        s->kind = TICK_STATUS;
    else
        return csv_fault(
            c, f,
            "the header has none of price, bid, ask, open, state; map them with columns=price:NAME,...");
    if (given(c, s, COL_KIND)) return 0;
    if (s->kind == TICK_TRADE && !given(c, s, COL_SIZE)) {
        return csv_fault(c, f, "the header has no column size; map it with columns=size:NAME");
    }
    if (s->kind == TICK_BAR && !given(c, s, COL_INTERVAL)) {
        return csv_fault(c, f, "the header has no column interval; give one with columns=interval:=1m");
    }
    return 0;
}

static int ticks_row(struct csv *c, struct tick *t, struct fault *f)
{
    const struct ticks *s = c->state;
    uint8_t kind = s->kind;
    int rc = csv_time(c, "ts", csv_field(c, COL_TS), c->unit, &t->event_ns, f);
    if (rc == 0 && given(c, s, COL_SYMBOL)) rc = csv_symbol(c, field(c, s, COL_SYMBOL), &t->symbol, f);
    if (rc == 0) rc = row_kind(c, s, &kind, f);
    if (rc < 0) return rc;
    if (kind == TICK_TRADE) {
        rc = csv_trade(c, t, field(c, s, COL_PRICE), field(c, s, COL_SIZE),
                       csv_side_of(field(c, s, COL_SIDE)), f);
        if (rc == 0) t->trade.id = csv_id(field(c, s, COL_ID));
    } else if (kind == TICK_QUOTE) {
        rc = csv_quote(c, t, (struct csv_side){field(c, s, COL_BID), field(c, s, COL_BID_SIZE)},
                       (struct csv_side){field(c, s, COL_ASK), field(c, s, COL_ASK_SIZE)}, f);
    } else if (kind == TICK_BAR) {
        rc = bar_row(c, s, t, f);
    } else {
        rc = kind == TICK_BOOK ? book_row(c, s, t, f) : status_row(c, s, t, f);
    }
    return rc < 0 ? rc : 1;
}

static int row_kind(struct csv *c, const struct ticks *s, uint8_t *kind, struct fault *f)
{
    struct text word = field(c, s, COL_KIND);
    if (word.size == 0) return 0;
    int found = tick_kind_parse(word.at, word.size);
    if (found < 0) return csv_bad(c, f, "kind", word, "is not trade, quote, bar, book or status");
    *kind = (uint8_t)found;
    return 0;
}

static int bar_row(struct csv *c, const struct ticks *s, struct tick *t, struct fault *f)
{
    struct decimal d[5];
    for (uint32_t i = 0; i < 5; i++) {
        int rc = csv_decimal(c, names[COL_OPEN + i], field(c, s, COL_OPEN + i), &d[i], f);
        if (rc < 0) return rc;
    }
    struct text interval = field(c, s, COL_INTERVAL), final = field(c, s, COL_FINAL);
    int code = bar_interval_parse(interval.at, interval.size);
    if (code < 0)
        return csv_bad(c, f, "interval", interval, "is not one of 1s, 5s, ... 1m, ... 1h, ... 1d, 1w, 1M");
    if (decimal_align(d, 4) != 0)
        return csv_fault(c, f, "the prices cannot be held exactly with the same number of decimals");
    bool open = text_same(final, "false") || text_same(final, "0");
    t->kind = TICK_BAR;
    t->flags = (uint8_t)((open ? 0 : BAR_FINAL) | (code << BAR_INTERVAL_SHIFT));
    t->price_exp = d[0].exponent;
    t->size_exp = d[4].exponent;
    t->bar = (struct tick_bar){d[0].mantissa, d[1].mantissa, d[2].mantissa, d[3].mantissa, d[4].mantissa};
    return 0;
}

static int book_row(struct csv *c, const struct ticks *s, struct tick *t, struct fault *f)
{
    struct text side = field(c, s, COL_SIDE);
    bool is_ask = text_same(side, "ask");
    if (!is_ask && !text_same(side, "bid")) return csv_bad(c, f, "side", side, "is not bid or ask");
    int rc = csv_trade(c, t, field(c, s, COL_PRICE), field(c, s, COL_SIZE), 0,
                       f); /* price and size lie in the same places */
    t->kind = TICK_BOOK;
    t->flags = is_ask ? BOOK_ASK : 0;
    return rc;
}
_Static_assert(offsetof(struct tick_book, price) == offsetof(struct tick_trade, price), "book_row");
_Static_assert(offsetof(struct tick_book, size) == offsetof(struct tick_trade, size), "book_row");

static int status_row(struct csv *c, const struct ticks *s, struct tick *t, struct fault *f)
{
    struct text state = field(c, s, COL_STATE);
    t->kind = TICK_STATUS;
    for (int i = 1; i < STATUS_STATES; i++) {
        if (!text_same(state, status_state_name((uint8_t)i))) continue;
        t->status.state = (uint8_t)i;
        return 0;
    }
    return csv_bad(c, f, "state", state, "is not a status such as trading, halted, paused, open, closed");
}

static const struct csv_preset preset = {.ops = &reader_ticks, .start = ticks_start, .row = ticks_row};

static int ticks_probe(const char *path, const uint8_t *first, size_t size)
{
    struct text at[CSV_FIELDS_MAX];
    uint32_t count = csv_probe_fields(first, size, at, CSV_FIELDS_MAX), values = 0;
    bool has_ts = false;
    (void)path;
    for (uint32_t i = 0; i < count; i++) {
        has_ts = has_ts || text_same(at[i], "ts") ||
                 (at[i].size > 3 && text_same((struct text){at[i].at, 3}, "ts_"));
        for (uint32_t k = COL_PRICE; k <= COL_OPEN; k++) values += text_same(at[i], names[k]);
        values += text_same(at[i], "state");
    }
    return has_ts && values > 0 ? 80 : 0;
}

static int ticks_open(struct reader **out, struct source *s, const struct reader_options *o, struct fault *f)
{
    return csv_open(out, &preset, s, o, f);
}

const struct reader_ops reader_ticks = {
    .format = "csv",
    .what = "CSV with a header: ts, symbol, kind, price, size, bid, ask, open ...; others by "
            "columns=ts:time_ms,price:px",
    .probe = ticks_probe,
    .open = ticks_open,
    .next = csv_next,
    .symbol = csv_symbol_name,
    .close = csv_close,
};
