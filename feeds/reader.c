/* feeds/reader.c -- the formats, and which one a file is. */
#include "feeds/reader.h"

#include "base/assert.h"
#include "feeds/dbn.h"
#include "feeds/reader_csv.h"

#include <stdio.h>

#define PROBE_BYTES 4096u

const struct reader_ops *const reader_formats[] = {
    &reader_ticks,   &reader_kraken,  &reader_ccxt,    &reader_tardis, &reader_lean,
    &reader_lobster, &reader_binance, &reader_polygon, &reader_dbn,
};
const uint32_t reader_format_count = sizeof reader_formats / sizeof reader_formats[0];

static const struct reader_ops *by_name(struct text format);
static int by_probe(struct source *s, const struct reader_options *o, const struct reader_ops **out,
                    struct fault *f);
static const char *format_names(char *out, size_t size);

int reader_open(struct reader **out, struct text format, struct source *source,
                const struct reader_options *o, struct fault *f)
{
    char names[200];
    const struct reader_ops *ops = NULL;
    if (format.size > 0) {
        ops = by_name(format);
        if (!ops) {
            return fault_set(f, TC_EUSAGE, "format \"%.*s\" is not known; there are %s",
                             (int)min_u64(format.size, 40), format.at, format_names(names, sizeof names));
        }
    } else if (o->columns.size > 0) {
        ops = &reader_ticks; /* the only one that takes a mapping */
    } else {
        int rc = by_probe(source, o, &ops, f);
        if (rc < 0) return rc;
    }
    if (!ops) {
        return fault_set(
            f, TC_EINPUT,
            "%s: not a known format; name one with --format (%s) or the columns with columns=...",
            source_name(source), format_names(names, sizeof names));
    }
    int rc = ops->open(out, source, o, f);
    if (rc == 0) TC_ASSERT((*out)->ops == ops);
    return rc;
}

static const struct reader_ops *by_name(struct text format)
{
    for (uint32_t i = 0; i < reader_format_count; i++) {
        if (text_equal(format, text_of(reader_formats[i]->format))) return reader_formats[i];
    }
    return NULL;
}

/* The surest; among equals the first. */
static int by_probe(struct source *s, const struct reader_options *o, const struct reader_ops **out,
                    struct fault *f)
{
    const uint8_t *first;
    size_t size;
    int rc = source_view(s, PROBE_BYTES, &first, &size, NULL);
    if (rc < 0) rc = source_view(s, 1, &first, &size, f); /* a file damaged early: what there is */
    if (rc < 0) return rc;
    if (size == 0) return fault_set(f, TC_EINPUT, "%s: the file is empty", source_name(s));
    int best = 0;
    for (uint32_t i = 0; i < reader_format_count; i++) {
        int sure =
            reader_formats[i]->probe(o->member ? o->member : o->path, first, min_u64(size, PROBE_BYTES));
        if (sure <= best) continue;
        best = sure;
        *out = reader_formats[i];
    }
    return 0;
}

static const char *format_names(char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < reader_format_count && used + 24 < size; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%.20s", i > 0 ? ", " : "",
                                 reader_formats[i]->format);
    }
    return out;
}

void reader_reset_tick(struct tick *t)
{
    int64_t event_ns = t->event_ns;
    *t = (struct tick){.event_ns = event_ns, .kind = TICK_FEED, .flags = FEED_RESET};
    t->feed.state = FEED_RESTARTED;
    memcpy(t->feed.name, "file", 4); /* whoever plays it puts its own name there */
}
