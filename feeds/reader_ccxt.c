/* feeds/reader_ccxt.c -- trades as a ccxt client stores them: a header
 * ",timestamp,id,type,side,price,amount,cost,date" whose first, unnamed column is the row's index; times in
 * ms since 1970. The market is not in the file. */
#include "feeds/reader_csv.h"
#include "feeds/reader_name.h"

enum { COL_TIME, COL_PRICE, COL_AMOUNT, COL_SIDE, COL_ID, COL_SYMBOL, COLS };
static const char *const names[COLS] = {"timestamp", "price", "amount", "side", "id", "symbol"};

static int ccxt_start(struct csv *c, const struct reader_options *o, struct fault *f)
{
    int rc = csv_columns(c, names, COLS, COL_SIDE, f);
    if (rc == 0 && c->column[COL_SYMBOL] == CSV_NO_COLUMN) rc = csv_one_symbol(c, o, name_stem(o), f);
    return rc < 0 ? rc : 1;
}

static int ccxt_row(struct csv *c, struct tick *t, struct fault *f)
{
    int rc = csv_time(c, "timestamp", csv_field(c, COL_TIME), TIME_MS, &t->event_ns, f);
    if (rc == 0 && c->column[COL_SYMBOL] != CSV_NO_COLUMN)
        rc = csv_symbol(c, csv_field(c, COL_SYMBOL), &t->symbol, f);
    char side = csv_side_of(csv_field(c, COL_SIDE));
    if (rc == 0) rc = csv_trade(c, t, csv_field(c, COL_PRICE), csv_field(c, COL_AMOUNT), side, f);
    if (rc < 0) return rc;
    t->trade.id = csv_id(csv_field(c, COL_ID));
    return 1;
}

static const struct csv_preset preset = {.ops = &reader_ccxt, .start = ccxt_start, .row = ccxt_row};

static int ccxt_probe(const char *path, const uint8_t *first, size_t size)
{
    struct text at[CSV_FIELDS_MAX];
    uint32_t count = csv_probe_fields(first, size, at, CSV_FIELDS_MAX), found = 0;
    (void)path;
    for (uint32_t i = 0; i < count; i++) {
        if (text_same(at[i], "local_timestamp")) return 0;
        for (uint32_t k = 0; k <= COL_ID; k++) found += text_same(at[i], names[k]);
        found += text_same(at[i], "cost") || text_same(at[i], "type");
    }
    return found >= 6 ? 85 : 0;
}

static int ccxt_open(struct reader **out, struct source *s, const struct reader_options *o, struct fault *f)
{
    return csv_open(out, &preset, s, o, f);
}

const struct reader_ops reader_ccxt = {
    .format = "ccxt",
    .what = "trades stored by a ccxt client: header with timestamp (ms), side, price, amount",
    .probe = ccxt_probe,
    .open = ccxt_open,
    .next = csv_next,
    .symbol = csv_symbol_name,
    .close = csv_close,
};
