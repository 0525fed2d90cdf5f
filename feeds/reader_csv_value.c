/* feeds/reader_csv_value.c -- fields of a row as prices, sizes, times, symbols, and the ticks they make. */
#include "feeds/reader_csv.h"

#include "base/assert.h"

static const char *decimal_reason(struct text at, int rc);

int csv_decimal(const struct csv *c, const char *name, struct text at, struct decimal *out, struct fault *f)
{
    struct decimal d;
    int rc = decimal_parse(at.at, at.size, &d);
    if (rc == TC_EINPUT) rc = decimal_parse_e(at.at, at.size, &d); /* some tools write 1e-05 */
    if (rc != 0) return csv_bad(c, f, name, at, decimal_reason(at, rc));
    *out = d.exponent < 0 && d.mantissa % 10 == 0 ? decimal_trim(d) : d; /* 90.070000 is 90.07 */
    return 0;
}

static const char *decimal_reason(struct text at, int rc)
{
    if (at.size == 0) return "is empty; every row needs one";
    if (rc == TC_ELIMIT)
        return "needs more digits than can be held exactly; at most 18 decimals and 18 digits in all";
    if (memchr(at.at, ',', at.size)) return "is not a decimal; use \".\"";
    return "is not a decimal; write it like 18.20";
}

int csv_time(const struct csv *c, const char *name, struct text at, enum time_unit unit, int64_t *ns,
             struct fault *f)
{
    static const char *const reasons[] = {
        [TIME_NS] = "is not a time; whole ns since 1970 or RFC 3339 text are read",
        [TIME_US] = "is not a time in us since 1970, or is too large",
        [TIME_MS] = "is not a time in ms since 1970, or is too large",
        [TIME_S] = "is not a time in seconds, or is too large",
        [TIME_TEXT] = "is not a time; write it like 2023-02-02T09:20:00Z",
    };
    if (time_parse(at, unit, ns) == 0) return 0;
    return csv_bad(c, f, name, at, reasons[unit]);
}

int csv_symbol(struct csv *c, struct text name, uint32_t *out, struct fault *f)
{
    int64_t index = reader_symbols_add(&c->symbols, name);
    if (index >= 0) {
        *out = (uint32_t)index;
        return 0;
    }
    if (index == TC_ELIMIT || index == TC_ESYSTEM) {
        csv_bad(c, f, "symbol", name,
                index == TC_ELIMIT ? "is one too many; a file may hold 262144, split it"
                                   : "has no room: out of memory");
        if (f) f->code = (int)index;
        return (int)index; /* no bad row: the file ends here, even with on-error=skip */
    }
    return csv_bad(c, f, "symbol", name,
                   "is not a name; 1 to 32 printable ASCII characters, no space at either end");
}

uint64_t csv_id(struct text at)
{
    uint64_t id = 0;
    if (at.size == 0 || at.size > 20) return 0;
    for (size_t i = 0; i < at.size; i++) {
        uint8_t digit = (uint8_t)(at.at[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(id, 10u, &id) || __builtin_add_overflow(id, digit, &id))
            return 0;
    }
    return id;
}

int csv_trade(const struct csv *c, struct tick *t, struct text price, struct text size, char side,
              struct fault *f)
{
    struct decimal p, q;
    int rc = csv_decimal(c, "price", price, &p, f);
    if (rc == 0) rc = csv_decimal(c, "size", size, &q, f);
    if (rc < 0) return rc;
    t->kind = TICK_TRADE;
    t->flags = side == 'b' ? TRADE_BUY : side == 's' ? TRADE_SELL : 0;
    t->price_exp = p.exponent;
    t->size_exp = q.exponent;
    t->trade.price = p.mantissa;
    t->trade.size = q.mantissa;
    return 0;
}

int csv_quote(const struct csv *c, struct tick *t, struct csv_side bid, struct csv_side ask, struct fault *f)
{
    struct decimal price[2] = {{0, 0}, {0, 0}}, size[2] = {{0, 0}, {0, 0}};
    const struct csv_side sides[2] = {bid, ask};
    static const char *const names[2][2] = {{"bid", "bid_size"}, {"ask", "ask_size"}};
    t->kind = TICK_QUOTE;
    t->flags = 0;
    for (uint32_t i = 0; i < 2; i++) {
        if (sides[i].price.size == 0) {
            t->flags |= (uint8_t)(i == 0 ? QUOTE_NO_BID : QUOTE_NO_ASK);
            continue;
        }
        int rc = csv_decimal(c, names[i][0], sides[i].price, &price[i], f);
        if (rc == 0 && sides[i].size.size > 0) rc = csv_decimal(c, names[i][1], sides[i].size, &size[i], f);
        if (rc < 0) return rc;
    }
    if (decimal_align(price, 2) != 0 || decimal_align(size, 2) != 0) {
        return csv_fault(c, f, "bid and ask cannot be held exactly with the same number of decimals");
    }
    t->price_exp = price[0].exponent;
    t->size_exp = size[0].exponent;
    t->quote = (struct tick_quote){.bid = price[0].mantissa,
                                   .bid_size = size[0].mantissa,
                                   .ask = price[1].mantissa,
                                   .ask_size = size[1].mantissa};
    return 0;
}

char csv_side_of(struct text at)
{
    if (text_same(at, "buy") || text_same(at, "b")) return 'b';
    if (text_same(at, "sell") || text_same(at, "s")) return 's';
    return 0;
}

int csv_one_symbol(struct csv *c, const struct reader_options *o, struct text derived, struct fault *f)
{
    struct text name = o->symbol.size > 0 ? o->symbol : derived;
    int64_t index = reader_symbols_add(&c->symbols, name);
    if (index >= 0) {
        c->symbol = (uint32_t)index;
        return 0;
    }
    return csv_bad(c, f, "symbol", name, "(from the file's name) is not a name; give one with --symbol NAME");
}
