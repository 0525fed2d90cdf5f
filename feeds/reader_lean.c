/* feeds/reader_lean.c -- QuantConnect LEAN tick files (CSV members of a zip): trades and quotes of equities,
 * futures, crypto. trades  ms,price,quantity,exchange,condition,suspicious quotes
 * ms,bid,bid_size,ask,ask_size,exchange,condition,suspicious Times are ms since midnight on the exchange's
 * wall clock; date, symbol and type are in the member's name only: 20131007_aig_Trade_Tick.csv,
 * 20131007_gc_tick_trade_201312.csv (a contract month: symbol GC201312). Equity prices are in 1/10,000
 * dollar, all others plain decimals. An equity quote row tells one side (the other is 0,0), and the book is
 * one per exchange: each row becomes the quote of its exchange, made of the last bid and the last ask it
 * told. So the quotes of one symbol change from exchange to exchange; they are not a national best bid and
 * offer. Spec: "LEAN Data Formats / Equity". */
#include "feeds/reader_csv.h"
#include "feeds/reader_name.h"

#include <stdio.h>
#include <stdlib.h>

#define EXCHANGES_MAX  64u
#define EXCHANGE_BYTES 8u

struct lean_book {
    char exchange[EXCHANGE_BYTES]; /* zero-padded */
    struct decimal price[2], size[2];
    bool known[2];
};

struct lean {
    bool is_quote, is_scaled;
    uint32_t book_count;
    struct lean_book books[EXCHANGES_MAX];
};

static int symbol_of_name(struct csv *c, const struct reader_options *o, struct lean *s, struct fault *f);
static int zone_of_path(struct csv *c, const struct reader_options *o, struct fault *f);
static int trade_row(struct csv *c, const struct lean *s, struct tick *t, struct fault *f);
static int quote_row(struct csv *c, struct lean *s, struct tick *t, struct fault *f);
static int book_of(struct csv *c, struct lean *s, struct text exchange, struct lean_book **out,
                   struct fault *f);
static int lean_price(struct csv *c, const struct lean *s, const char *name, struct text at,
                      struct decimal *out, struct fault *f);

static int lean_start(struct csv *c, const struct reader_options *o, struct fault *f)
{
    struct lean *s = c->state = calloc(1, sizeof *s);
    if (!s) return csv_fault(c, f, "out of memory");
    int rc = symbol_of_name(c, o, s, f);
    if (rc == 0) rc = name_date_of(o, &c->day, f);
    if (rc == 0) rc = zone_of_path(c, o, f);
    c->fields_least = s->is_quote ? 6 : 3;
    return rc;
}

/* DATE_SYMBOL_Trade_Tick or DATE_SYMBOL_tick_trade_EXPIRY; a file of another name by its number of fields. */
static int symbol_of_name(struct csv *c, const struct reader_options *o, struct lean *s, struct fault *f)
{
    struct text stem = name_stem(o), symbol = name_part(stem, 1), expiry = name_part(stem, 4);
    struct text type = name_part(stem, 2);
    char upper[NAME_UPPER_MAX], whole[2 * NAME_UPPER_MAX];
    bool is_future = text_same(type, "tick");
    if (is_future) type = name_part(stem, 3);
    s->is_quote = text_same(type, "quote");
    if (!s->is_quote && !text_same(type, "trade")) {
        if (c->field_count != 6 && c->field_count != 8)
            return csv_fault(c, f, "the row is neither a trade nor a quote");
        s->is_quote = c->field_count == 8;
        struct name_date date;
        symbol =
            name_date_find(stem, &date) && date.at > 0 ? name_part_before(stem, date.at) : name_part(stem, 0);
    }
    bool is_plain = is_future || name_in_folder(o->path, "crypto") || name_in_folder(o->path, "future") ||
                    name_in_folder(o->path, "forex") || name_in_folder(o->path, "cfd");
    s->is_scaled = !is_plain;
    struct text name = name_upper(symbol, upper);
    if (is_future && expiry.size > 0) {
        int used = snprintf(whole, sizeof whole, "%.*s%.*s", (int)name.size, name.at,
                            (int)min_u64(expiry.size, 40), expiry.at);
        name = (struct text){.at = whole, .size = (size_t)used};
    }
    return csv_one_symbol(c, o, name, f);
}

static int zone_of_path(struct csv *c, const struct reader_options *o, struct fault *f)
{
    static const char *const chicago[] = {"cme", "cbot", "cfe"}, *const utc[] = {"crypto", "forex", "cfd"};
    c->zone = ZONE_NEW_YORK;
    for (uint32_t i = 0; i < 3; i++) {
        if (name_in_folder(o->path, chicago[i])) c->zone = ZONE_CHICAGO;
        if (name_in_folder(o->path, utc[i])) c->zone = ZONE_UTC;
    }
    if (o->timezone.size == 0 || time_zone_parse(o->timezone, &c->zone) == 0) return 0;
    return csv_bad(c, f, "timezone", o->timezone,
                   "is not known; UTC, America/New_York and America/Chicago are");
}

static int lean_row(struct csv *c, struct tick *t, struct fault *f)
{
    struct lean *s = c->state;
    int64_t of_day;
    int rc = csv_time(c, "time", c->fields[0], TIME_MS, &of_day, f);
    if (rc < 0) return rc;
    if (of_day < 0 || of_day >= 2 * DAY_NS) {
        return csv_bad(c, f, "time", c->fields[0], "is not ms since midnight");
    }
    t->event_ns = time_local_ns(c->zone, c->day, of_day);
    return s->is_quote ? quote_row(c, s, t, f) : trade_row(c, s, t, f);
}

static int trade_row(struct csv *c, const struct lean *s, struct tick *t, struct fault *f)
{
    struct decimal price, size;
    int rc = lean_price(c, s, "price", c->fields[1], &price, f);
    if (rc == 0) rc = csv_decimal(c, "quantity", c->fields[2], &size, f);
    if (rc < 0) return rc;
    t->kind = TICK_TRADE;
    t->price_exp = price.exponent;
    t->size_exp = size.exponent;
    t->trade.price = price.mantissa;
    t->trade.size = size.mantissa;
    return 1;
}

static int quote_row(struct csv *c, struct lean *s, struct tick *t, struct fault *f)
{
    struct lean_book *book = NULL, next;
    struct decimal price[2], size[2];
    int rc = book_of(c, s, c->fields[5], &book, f);
    for (uint32_t i = 0; rc == 0 && i < 2; i++) {
        rc = lean_price(c, s, i == 0 ? "bid" : "ask", c->fields[1 + 2 * i], &price[i], f);
        if (rc == 0) rc = csv_decimal(c, i == 0 ? "bid_size" : "ask_size", c->fields[2 + 2 * i], &size[i], f);
    }
    if (rc < 0) return rc;
    next = *book;
    bool both_empty = price[0].mantissa == 0 && price[1].mantissa == 0;
    for (uint32_t i = 0; i < 2; i++) {
        bool told = price[i].mantissa != 0;
        if (!told && !both_empty) continue; /* 0,0: this row says nothing about this side */
        next.known[i] = told;
        next.price[i] = price[i];
        next.size[i] = size[i];
    }
    *book = next;
    if (decimal_align(next.price, 2) != 0 || decimal_align(next.size, 2) != 0) {
        return csv_fault(c, f, "bid and ask cannot be held exactly with the same number of decimals");
    }
    t->kind = TICK_QUOTE;
    t->flags = (uint8_t)((next.known[0] ? 0 : QUOTE_NO_BID) | (next.known[1] ? 0 : QUOTE_NO_ASK));
    t->price_exp = next.price[0].exponent;
    t->size_exp = next.size[0].exponent;
    t->quote = (struct tick_quote){.bid = next.price[0].mantissa,
                                   .bid_size = next.size[0].mantissa,
                                   .ask = next.price[1].mantissa,
                                   .ask_size = next.size[1].mantissa};
    return 1;
}

static int book_of(struct csv *c, struct lean *s, struct text exchange, struct lean_book **out,
                   struct fault *f)
{
    char padded[EXCHANGE_BYTES] = {0};
    if (exchange.size > EXCHANGE_BYTES)
        return csv_bad(c, f, "exchange", exchange, "is longer than 8 characters");
    memcpy(padded, exchange.at, exchange.size);
    for (uint32_t i = 0; i < s->book_count; i++) {
        *out = &s->books[i];
        if (memcmp(s->books[i].exchange, padded, sizeof padded) == 0) return 0;
    }
    if (s->book_count == EXCHANGES_MAX)
        return csv_bad(c, f, "exchange", exchange, "is one too many; 64 are held");
    *out = &s->books[s->book_count++];
    memcpy((*out)->exchange, padded, sizeof padded);
    return 0;
}

static int lean_price(struct csv *c, const struct lean *s, const char *name, struct text at,
                      struct decimal *out, struct fault *f)
{
    int rc = csv_decimal(c, name, at, out, f);
    if (rc < 0 || !s->is_scaled || out->mantissa == 0) return rc;
    if (out->exponent < DECIMAL_EXP_MIN + 4) return csv_bad(c, f, name, at, "has too many decimals");
    out->exponent = (int8_t)(out->exponent - 4);
    *out = decimal_trim(*out);
    return 0;
}

static const struct csv_preset preset = {.ops = &reader_lean, .start = lean_start, .row = lean_row};

static int lean_probe(const char *path, const uint8_t *first, size_t size)
{
    struct text at[9], stem = name_stem(&(struct reader_options){.path = path});
    uint32_t count = csv_probe_fields(first, size, at, 9);
    struct name_date date;
    int64_t ns;
    if (count != 6 && count != 8) return 0;
    if (time_parse(at[0], TIME_MS, &ns) != 0 || ns < 0 || ns >= 2 * DAY_NS) return 0;
    if (!text_same(at[count - 1], "0") && !text_same(at[count - 1], "1")) return 0;
    bool named = name_date_find(stem, &date) && date.at == 0;
    return named ? 90 : 40;
}

static int lean_open(struct reader **out, struct source *s, const struct reader_options *o, struct fault *f)
{
    return csv_open(out, &preset, s, o, f);
}

const struct reader_ops reader_lean = {
    .format = "lean",
    .what = "QuantConnect LEAN ticks in a zip: trades and quotes of equities and futures",
    .probe = lean_probe,
    .open = lean_open,
    .next = csv_next,
    .symbol = csv_symbol_name,
    .close = csv_close,
};
