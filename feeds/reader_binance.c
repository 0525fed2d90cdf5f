/* feeds/reader_binance.c -- Binance's published dumps, with or without header: trades, aggTrades, bookTicker.
 *   trades      id,price,qty,quote_qty,time,is_buyer_maker[,is_best_match]
 *   aggTrades   id,price,qty,first_id,last_id,time,is_buyer_maker[,is_best_match]
 *   bookTicker  update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time
 * Times are ms since 1970, in spot files since 2025 us; no row says which, but 13 digits and 16 digits cannot
 * be mixed up (ms of 16 digits are in the year 33658). The buyer was the maker: the aggressor sold. The
 * symbol begins the file's name. Spec: "Binance Public Data". */
#include "feeds/reader_csv.h"
#include "feeds/reader_name.h"

#include <stdlib.h>

struct binance {
    uint32_t time_at;
    bool is_quote;
};

static bool is_number(struct text at);
static bool is_flag(struct text at)
{
    return text_same(at, "true") || text_same(at, "false");
}
static bool layout_of(const struct text *at, uint32_t count, struct binance *out);
static bool layout_of_header(const struct text *at, uint32_t count, struct binance *out);

static int binance_start(struct csv *c, const struct reader_options *o, struct fault *f)
{
    struct binance *s = c->state = calloc(1, sizeof *s);
    if (!s) return csv_fault(c, f, "out of memory");
    bool is_header = !is_number(c->fields[0]);
    bool known =
        is_header ? layout_of_header(c->fields, c->field_count, s) : layout_of(c->fields, c->field_count, s);
    if (!known) return csv_fault(c, f, "the row is not of trades, aggTrades or bookTicker");
    c->fields_least = s->is_quote ? 6 : s->time_at + 2;
    int rc = csv_one_symbol(c, o, name_part(name_stem(o), 0), f);
    return rc < 0 ? rc : is_header;
}

static bool is_number(struct text at)
{
    if (at.size == 0) return false;
    for (size_t i = 0; i < at.size; i++) {
        if ((uint8_t)(at.at[i] - '0') > 9) return false;
    }
    return true;
}

static bool layout_of(const struct text *at, uint32_t count, struct binance *out)
{
    *out = (struct binance){0};
    if (count < 6 || count > 8 || !is_number(at[0])) return false;
    if (is_flag(at[5]))
        out->time_at = 4;
    else if (count >= 7 && is_flag(at[6]))
        out->time_at = 5;
    else if (count == 7 && is_number(at[6]))
        *out = (struct binance){.time_at = 5, .is_quote = true};
    else
        return false;
    return is_number(at[out->time_at]) && at[out->time_at].size >= 13;
}

static bool layout_of_header(const struct text *at, uint32_t count, struct binance *out)
{
    *out = (struct binance){0};
    if (count < 6 || count > 8) return false;
    if (text_same(at[4], "time") && text_same(at[5], "is_buyer_maker"))
        out->time_at = 4;
    else if (text_same(at[5], "transact_time"))
        out->time_at = 5;
    else if (text_same(at[5], "transaction_time"))
        *out = (struct binance){.time_at = 5, .is_quote = true};
    return out->time_at > 0;
}

static int binance_row(struct csv *c, struct tick *t, struct fault *f)
{
    const struct binance *s = c->state;
    const struct text *at = c->fields, time = at[s->time_at];
    int rc = csv_time(c, "time", time, time.size >= 16 ? TIME_US : TIME_MS, &t->event_ns, f);
    if (rc < 0) return rc;
    if (s->is_quote) {
        rc = csv_quote(c, t, (struct csv_side){at[1], at[2]}, (struct csv_side){at[3], at[4]}, f);
        return rc < 0 ? rc : 1;
    }
    struct text maker = at[s->time_at + 1];
    if (!is_flag(maker)) return csv_bad(c, f, "is_buyer_maker", maker, "is not true or false");
    rc = csv_trade(c, t, at[1], at[2], text_same(maker, "true") ? 's' : 'b', f);
    if (rc < 0) return rc;
    t->trade.id = csv_id(at[0]);
    return 1;
}

static const struct csv_preset preset = {.ops = &reader_binance, .start = binance_start, .row = binance_row};

static int binance_probe(const char *path, const uint8_t *first, size_t size)
{
    struct text at[9];
    struct binance layout;
    uint32_t count = csv_probe_fields(first, size, at, 9);
    (void)path;
    if (layout_of_header(at, count, &layout)) return 90;
    return layout_of(at, count, &layout) ? 75 : 0;
}

static int binance_open(struct reader **out, struct source *s, const struct reader_options *o,
                        struct fault *f)
{
    return csv_open(out, &preset, s, o, f);
}

const struct reader_ops reader_binance = {
    .format = "binance",
    .what =
        "Binance dumps: trades, aggTrades, bookTicker, with or without header; symbol from the file's name",
    .probe = binance_probe,
    .open = binance_open,
    .next = csv_next,
    .symbol = csv_symbol_name,
    .close = csv_close,
};
