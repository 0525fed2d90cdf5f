/* feeds/reader_kraken.c -- Kraken's downloadable time and sales: "time,price,volume" without header, time in
 * seconds since 1970 (some rows with decimals), the pair only in the file's name. Side and number are not
 * given. Equal neighbours are separate trades. Spec: Kraken support, "Downloadable historical market data
 * (time and sales)". */
#include "feeds/reader_csv.h"
#include "feeds/reader_name.h"

static int kraken_start(struct csv *c, const struct reader_options *o, struct fault *f)
{
    int64_t ns;
    int rc = csv_one_symbol(c, o, name_stem(o), f);
    if (rc < 0) return rc;
    return time_parse(c->fields[0], TIME_S, &ns) != 0; /* a header that somebody put there */
}

static int kraken_row(struct csv *c, struct tick *t, struct fault *f)
{
    int rc = csv_time(c, "time", c->fields[0], TIME_S, &t->event_ns, f);
    if (rc == 0) rc = csv_trade(c, t, c->fields[1], c->fields[2], 0, f);
    return rc < 0 ? rc : 1;
}

static const struct csv_preset preset = {
    .ops = &reader_kraken, .start = kraken_start, .row = kraken_row, .fields_least = 3};

static int kraken_probe(const char *path, const uint8_t *first, size_t size)
{
    struct text at[4];
    struct decimal d;
    int64_t ns;
    (void)path;
    if (csv_probe_fields(first, size, at, 4) != 3) return 0;
    if (at[0].size < 9 || at[0].size > 21 || time_parse(at[0], TIME_S, &ns) != 0) return 0;
    if (ns < 0 || memchr(at[0].at, '.', at[0].size) == at[0].at + 13) return 0;
    if (decimal_parse(at[1].at, at[1].size, &d) != 0 || decimal_parse(at[2].at, at[2].size, &d) != 0)
        return 0;
    return 60;
}

static int kraken_open(struct reader **out, struct source *s, const struct reader_options *o, struct fault *f)
{
    return csv_open(out, &preset, s, o, f);
}

const struct reader_ops reader_kraken = {
    .format = "kraken",
    .what = "Kraken time and sales: time,price,volume in seconds; the pair from the file's name or --symbol",
    .probe = kraken_probe,
    .open = kraken_open,
    .next = csv_next,
    .symbol = csv_symbol_name,
    .close = csv_close,
};
