/* feeds/dbn_header.c -- the metadata of a DBN stream and its symbol mappings. */
#include "feeds/dbn.h"

#include "base/assert.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A bounded walk over the metadata. at moves on; short: a field did not fit. */
struct walk {
    const uint8_t *start, *at, *end;
    bool is_short;
};

static int read_fixed(struct dbn *d, struct walk *w, const struct source *s, struct fault *f);
static int read_mappings(struct dbn *d, struct walk *w, const struct source *s, struct fault *f);
static const uint8_t *take(struct walk *w, uint64_t size);
static uint32_t take_u32(struct walk *w);
static struct text take_symbol(struct walk *w, uint32_t size);
static int bad(struct fault *f, const struct source *s, uint64_t offset, const char *what);

int dbn_header_read(struct dbn *d, struct source *s, struct fault *f)
{
    const uint8_t *at;
    size_t size;
    int rc = source_view(s, 8, &at, &size, f);
    if (rc < 0) return rc;
    if (size < 8 || memcmp(at, "DBN", 3) != 0)
        return bad(f, s, 0, "does not begin with \"DBN\": it is no DBN file");
    d->version = at[3];
    if (d->version < 1 || d->version > 3)
        return bad(f, s, 3, "version is not 1, 2 or 3; convert the file with a newer dbn tool");
    uint32_t length = load_le32(at + 4);
    if (length < 100 || length > DBN_METADATA_BYTES_MAX)
        return bad(f, s, 4, "metadata length is out of range: the header is damaged");
    rc = source_view(s, 8 + (size_t)length, &at, &size, f);
    if (rc < 0) return rc;
    if (size < 8 + (size_t)length) return bad(f, s, size, "the file ends within its metadata: it was cut");
    struct walk w = {.start = at, .at = at + 8, .end = at + 8 + length};
    if ((rc = read_fixed(d, &w, s, f)) < 0 || (rc = read_mappings(d, &w, s, f)) < 0) return rc;
    source_skip(s, 8 + (size_t)length); /* the length field counts, not the sum of what was parsed */
    return 0;
}

static int read_fixed(struct dbn *d, struct walk *w, const struct source *s, struct fault *f)
{
    const uint8_t *at = w->start;
    d->ts_out = d->version == 1 ? at[60] != 0 : at[52] != 0;
    d->symbol_bytes = d->version == 1 ? 22 : load_le16(at + 53);
    if (d->symbol_bytes == 0 || d->symbol_bytes > DBN_SYMBOL_BYTES_MAX)
        return bad(f, s, 53, "symbol length is out of range");
    w->at = w->start + 108;
    take(w, take_u32(w));                  /* a schema definition, so far always empty */
    for (int list = 0; list < 3; list++) { /* symbols, partial, not found: names that the mappings repeat */
        uint64_t count = take_u32(w);
        take(w, count * d->symbol_bytes);
    }
    return w->is_short
               ? bad(f, s, (uint64_t)(w->at - w->start), "symbol lists run over the end of the metadata")
               : 0;
}

static int read_mappings(struct dbn *d, struct walk *w, const struct source *s, struct fault *f)
{
    uint32_t count = take_u32(w);
    for (uint32_t i = 0; i < count && !w->is_short; i++) {
        struct text name = take_symbol(w, d->symbol_bytes);
        uint32_t intervals = take_u32(w);
        for (uint32_t k = 0; k < intervals && !w->is_short; k++) {
            uint32_t start = take_u32(w), end = take_u32(w);
            struct text number = take_symbol(w, d->symbol_bytes);
            if (w->is_short || name.size == 0 || number.size == 0) continue;
            char digits[16] = "", *rest;
            memcpy(digits, number.at, min_u64(number.size, sizeof digits - 1));
            unsigned long id = strtoul(digits, &rest, 10);
            if (*rest != 0 || id > UINT32_MAX) continue; /* mapped to something else than an instrument id */
            int rc = dbn_mapping_add(d, (uint32_t)id, name, start, end ? end : UINT32_MAX, f);
            if (rc < 0)
                return fault_within(f, "%s: byte %" PRIu64, source_name(s), (uint64_t)(w->at - w->start));
        }
    }
    return w->is_short ? bad(f, s, (uint64_t)(w->at - w->start), "mappings run over the end of the metadata")
                       : 0;
}

static const uint8_t *take(struct walk *w, uint64_t size)
{
    if ((uint64_t)(w->end - w->at) < size) {
        w->is_short = true;
        return NULL;
    }
    const uint8_t *at = w->at;
    w->at += size;
    return at;
}

static uint32_t take_u32(struct walk *w)
{
    const uint8_t *at = take(w, 4);
    return at ? load_le32(at) : 0;
}

static struct text take_symbol(struct walk *w, uint32_t size)
{
    const uint8_t *at = take(w, size);
    return at ? (struct text){(const char *)at, strnlen((const char *)at, size)} : (struct text){.size = 0};
}

static int bad(struct fault *f, const struct source *s, uint64_t offset, const char *what)
{
    return fault_set(f, TC_EINPUT, "%s: byte %" PRIu64 ": %s", source_name(s), offset, what);
}

int dbn_mapping_add(struct dbn *d, uint32_t instrument, struct text name, uint32_t day_start,
                    uint32_t day_end, struct fault *f)
{
    int64_t symbol = reader_symbols_add(&d->symbols, name);
    if (symbol < 0)
        return fault_set(f, (enum tc_err)symbol,
                         "symbol \"%.*s\" is not a legal name (1 to 32 printable characters)",
                         (int)min_u64(name.size, 64), name.at);
    if (d->mapping_count == d->mapping_room) {
        uint32_t room = d->mapping_room ? 2 * d->mapping_room : 64;
        if (room > DBN_MAPPINGS_MAX)
            return fault_set(f, TC_ELIMIT, "more than %u symbol mappings", DBN_MAPPINGS_MAX);
        struct dbn_mapping *more = realloc(d->mappings, room * sizeof *more);
        if (!more) return fault_set(f, TC_ESYSTEM, "no memory for symbol mappings");
        d->mappings = more;
        d->mapping_room = room;
    }
    d->mappings[d->mapping_count++] = (struct dbn_mapping){instrument, (uint32_t)symbol, day_start, day_end};
    d->cached_day = 0;
    return 0;
}

/* The day of a time in UTC as YYYYMMDD. */
static uint32_t day_of(uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm t;
    if (!gmtime_r(&seconds, &t)) return 1;
    return (uint32_t)((t.tm_year + 1900) * 10000 + (t.tm_mon + 1) * 100 + t.tm_mday);
}

int64_t dbn_symbol(struct dbn *d, uint32_t instrument, uint64_t time_ns, struct fault *f)
{
    uint64_t day_ns = 86400 * NS_PER_SECOND;
    uint32_t day_number = (uint32_t)(time_ns / day_ns) + 1; /* cheap; never 0 */
    if (d->cached_day == day_number && d->cached_instrument == instrument) return d->cached_symbol;
    uint32_t day = day_of(time_ns);
    int64_t found = -1;
    for (uint32_t i = d->mapping_count; i > 0 && found < 0; i--) { /* the newest first */
        const struct dbn_mapping *m = &d->mappings[i - 1];
        if (m->instrument == instrument && day >= m->day_start && day < m->day_end) found = m->symbol;
    }
    if (found < 0) {
        char number[16];
        int n = snprintf(number, sizeof number, "%" PRIu32, instrument);
        found = reader_symbols_add(&d->symbols, (struct text){number, (size_t)n});
        if (found < 0) return fault_set(f, (enum tc_err)found, "more symbols than a file may have");
    }
    d->cached_day = day_number;
    d->cached_instrument = instrument;
    d->cached_symbol = (uint32_t)found;
    return found;
}

void dbn_free(struct dbn *d)
{
    free(d->mappings);
    reader_symbols_free(&d->symbols);
    *d = (struct dbn){.version = 0};
}
