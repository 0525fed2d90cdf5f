/* feeds/reader_lobster.c -- LOBSTER message files: "time,type,order,size,price,direction" without header;
 * seconds since New York midnight as a printed double (rounded to ns), price in 1/10,000 dollar. Date and
 * symbol are in the file's name only. Types 4 and 5 (an execution of a visible, a hidden order) are trades;
 * the direction is that of the resting order, so the aggressor is the opposite. Type 7 is a status: price -1
 * halted, 0 quoting again, 1 trading again. The others (orders added, cut, taken away, auction crosses) are
 * not ticks of ours. Spec: "LOBSTER Sample Files Readme". */
#include "feeds/reader_csv.h"
#include "feeds/reader_name.h"

enum { AT_TIME, AT_TYPE, AT_ORDER, AT_SIZE, AT_PRICE, AT_DIRECTION, LOBSTER_FIELDS };

static int status_row(struct csv *c, struct tick *t, struct fault *f);
static int price_scaled(struct csv *c, struct tick *t, struct fault *f);

static int lobster_start(struct csv *c, const struct reader_options *o, struct fault *f)
{
    struct text stem = name_stem(o), derived = name_part(stem, 0);
    struct name_date date;
    char upper[NAME_UPPER_MAX];
    if (name_date_find(stem, &date) && date.at > 0) derived = name_part_before(stem, date.at);
    int rc = csv_one_symbol(c, o, name_upper(derived, upper), f);
    if (rc == 0) rc = name_date_of(o, &c->day, f);
    c->zone = ZONE_NEW_YORK;
    if (rc == 0 && o->timezone.size > 0 && time_zone_parse(o->timezone, &c->zone) != 0) {
        rc = csv_bad(c, f, "timezone", o->timezone,
                     "is not known; UTC, America/New_York and America/Chicago are");
    }
    return rc < 0 ? rc : 0;
}

static int lobster_row(struct csv *c, struct tick *t, struct fault *f)
{
    struct text type = c->fields[AT_TYPE];
    if (type.size != 1 || type.at[0] < '1' || type.at[0] > '7')
        return csv_bad(c, f, "type", type, "is not 1 to 7");
    if (type.at[0] != '4' && type.at[0] != '5' && type.at[0] != '7') return 0;
    int64_t of_day;
    int rc = csv_time(c, "time", c->fields[AT_TIME], TIME_S, &of_day, f);
    if (rc < 0) return rc;
    if (of_day < 0 || of_day >= 2 * DAY_NS) {
        return csv_bad(c, f, "time", c->fields[AT_TIME], "is not seconds since midnight");
    }
    t->event_ns = time_local_ns(c->zone, c->day, of_day);
    if (type.at[0] == '7') return status_row(c, t, f);
    struct text direction = c->fields[AT_DIRECTION];
    bool resting_sells = text_same(direction, "-1");
    if (!resting_sells && !text_same(direction, "1"))
        return csv_bad(c, f, "direction", direction, "is not 1 or -1");
    rc = csv_trade(c, t, c->fields[AT_PRICE], c->fields[AT_SIZE], resting_sells ? 'b' : 's', f);
    return rc < 0 ? rc : price_scaled(c, t, f);
}

static int status_row(struct csv *c, struct tick *t, struct fault *f)
{
    static const struct {
        const char *price;
        enum status_state state;
    } states[] = {{"-1", STATUS_HALTED}, {"0", STATUS_QUOTING}, {"1", STATUS_TRADING}};
    for (uint32_t i = 0; i < 3; i++) {
        if (!text_same(c->fields[AT_PRICE], states[i].price)) continue;
        t->kind = TICK_STATUS;
        t->status.state = (uint8_t)states[i].state;
        return 1;
    }
    return csv_bad(c, f, "price", c->fields[AT_PRICE], "of a halt is not -1, 0 or 1");
}

static int price_scaled(struct csv *c, struct tick *t, struct fault *f)
{
    struct decimal price = {.mantissa = t->trade.price, .exponent = t->price_exp};
    if (price.exponent < DECIMAL_EXP_MIN + 4)
        return csv_bad(c, f, "price", c->fields[AT_PRICE], "has too many decimals");
    price.exponent = (int8_t)(price.exponent - 4);
    price = decimal_trim(price);
    t->trade.price = price.mantissa;
    t->price_exp = price.exponent;
    return 1;
}

static const struct csv_preset preset = {
    .ops = &reader_lobster, .start = lobster_start, .row = lobster_row, .fields_least = LOBSTER_FIELDS};

static int lobster_probe(const char *path, const uint8_t *first, size_t size)
{
    struct text at[LOBSTER_FIELDS + 2];
    uint32_t count = csv_probe_fields(first, size, at, LOBSTER_FIELDS + 2);
    int64_t ns;
    struct decimal d;
    (void)path;
    if (count != LOBSTER_FIELDS && count != LOBSTER_FIELDS + 1)
        return 0; /* later files name the participant too */
    if (time_parse(at[AT_TIME], TIME_S, &ns) != 0 || ns < 0 || ns >= 2 * DAY_NS) return 0;
    if (at[AT_TYPE].size != 1 || at[AT_TYPE].at[0] < '1' || at[AT_TYPE].at[0] > '7') return 0;
    if (!text_same(at[AT_DIRECTION], "1") && !text_same(at[AT_DIRECTION], "-1")) return 0;
    return decimal_parse(at[AT_PRICE].at, at[AT_PRICE].size, &d) == 0 ? 70 : 0;
}

static int lobster_open(struct reader **out, struct source *s, const struct reader_options *o,
                        struct fault *f)
{
    return csv_open(out, &preset, s, o, f);
}

const struct reader_ops reader_lobster = {
    .format = "lobster",
    .what =
        "LOBSTER message file: executions as trades, halts as status; symbol and date from the file's name",
    .probe = lobster_probe,
    .open = lobster_open,
    .next = csv_next,
    .symbol = csv_symbol_name,
    .close = csv_close,
};
