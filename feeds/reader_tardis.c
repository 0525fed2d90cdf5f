/* feeds/reader_tardis.c -- tardis.dev CSV: trades, quotes and incremental_book_L2, told apart by the header.
 * Event time is the exchange's `timestamp` in us since 1970; the order of the file is that of arrival
 * (`local_timestamp`), so event times may step back. A snapshot that follows updates resets the book: told as
 * a feed tick with the reset flag before its first level. Spec: tardis.dev documentation, "Data types". */
#include "feeds/reader_csv.h"
#include "feeds/reader_name.h"

#include <stdlib.h>

enum {
    COL_TIME,
    COL_SYMBOL,
    COL_PRICE,
    COL_AMOUNT,
    COL_SIDE,
    COL_ID,
    COL_SNAPSHOT,
    COL_BID,
    COL_BID_AMOUNT,
    COL_ASK,
    COL_ASK_AMOUNT,
    COLS
};
static const char *const names[COLS] = {"timestamp",  "symbol",    "price",       "amount",
                                        "side",       "id",        "is_snapshot", "bid_price",
                                        "bid_amount", "ask_price", "ask_amount"};

struct tardis {
    enum { TRADES, QUOTES, BOOK } type;
    bool updated; /* BOOK: a row that was no snapshot has come */
};

static int book_row(struct csv *c, struct tardis *s, struct tick *t, struct fault *f);

static int tardis_start(struct csv *c, const struct reader_options *o, struct fault *f)
{
    (void)o;
    struct tardis *s = c->state = calloc(1, sizeof *s);
    if (!s) return csv_fault(c, f, "out of memory");
    int rc = csv_columns(c, names, COLS, COL_PRICE, f);
    if (rc < 0) return rc;
    bool quotes = c->column[COL_BID] != CSV_NO_COLUMN && c->column[COL_ASK] != CSV_NO_COLUMN;
    bool prices = c->column[COL_PRICE] != CSV_NO_COLUMN && c->column[COL_AMOUNT] != CSV_NO_COLUMN;
    if (!quotes && !prices) {
        return csv_fault(
            c, f, "the header is of no data type that is read; trades, quotes and incremental_book_L2 are");
    }
    s->type = quotes ? QUOTES : c->column[COL_SNAPSHOT] != CSV_NO_COLUMN ? BOOK : TRADES;
    return 1;
}

static int tardis_row(struct csv *c, struct tick *t, struct fault *f)
{
    struct tardis *s = c->state;
    int rc = csv_time(c, "timestamp", csv_field(c, COL_TIME), TIME_US, &t->event_ns, f);
    if (rc == 0) rc = csv_symbol(c, csv_field(c, COL_SYMBOL), &t->symbol, f);
    if (rc < 0) return rc;
    if (s->type == BOOK) return book_row(c, s, t, f);
    if (s->type == QUOTES) {
        rc = csv_quote(c, t, (struct csv_side){csv_field(c, COL_BID), csv_field(c, COL_BID_AMOUNT)},
                       (struct csv_side){csv_field(c, COL_ASK), csv_field(c, COL_ASK_AMOUNT)}, f);
        return rc < 0 ? rc : 1;
    }
    char side = csv_side_of(csv_field(c, COL_SIDE));
    rc = csv_trade(c, t, csv_field(c, COL_PRICE), csv_field(c, COL_AMOUNT), side, f);
    if (rc < 0) return rc;
    t->trade.id = csv_id(csv_field(c, COL_ID));
    return 1;
}

static int book_row(struct csv *c, struct tardis *s, struct tick *t, struct fault *f)
{
    struct text side = csv_field(c, COL_SIDE), snapshot = csv_field(c, COL_SNAPSHOT);
    struct decimal price, size;
    bool is_ask = text_same(side, "ask"), is_snapshot = text_same(snapshot, "true");
    if (!is_ask && !text_same(side, "bid")) return csv_bad(c, f, "side", side, "is not bid or ask");
    if (!is_snapshot && !text_same(snapshot, "false")) {
        return csv_bad(c, f, "is_snapshot", snapshot, "is not true or false");
    }
    int rc = csv_decimal(c, "price", csv_field(c, COL_PRICE), &price, f);
    if (rc == 0) rc = csv_decimal(c, "amount", csv_field(c, COL_AMOUNT), &size, f);
    if (rc < 0) return rc;
    if (is_snapshot && s->updated) {
        s->updated = false;
        csv_line_again(&c->lines);
        reader_reset_tick(t);
        return 1;
    }
    s->updated = s->updated || !is_snapshot;
    t->kind = TICK_BOOK;
    t->flags = is_ask ? BOOK_ASK : 0;
    t->price_exp = price.exponent;
    t->size_exp = size.exponent;
    t->book.price = price.mantissa;
    t->book.size = size.mantissa;
    return 1;
}

static const struct csv_preset preset = {.ops = &reader_tardis, .start = tardis_start, .row = tardis_row};

static int tardis_probe(const char *path, const uint8_t *first, size_t size)
{
    struct text at[CSV_FIELDS_MAX];
    uint32_t count = csv_probe_fields(first, size, at, CSV_FIELDS_MAX);
    (void)path;
    if (count < 6 || !text_same(at[0], "exchange") || !text_same(at[1], "symbol")) return 0;
    return text_same(at[2], "timestamp") && text_same(at[3], "local_timestamp") ? 95 : 0;
}

static int tardis_open(struct reader **out, struct source *s, const struct reader_options *o, struct fault *f)
{
    return csv_open(out, &preset, s, o, f);
}

const struct reader_ops reader_tardis = {
    .format = "tardis",
    .what = "tardis.dev CSV: trades, quotes, incremental_book_L2",
    .probe = tardis_probe,
    .open = tardis_open,
    .next = csv_next,
    .symbol = csv_symbol_name,
    .close = csv_close,
};
