/* feeds/dbn_symbols.c -- which name an instrument of a DBN stream has on a day. Chains by hash, the newest
 * mapping first: a stream that names all of a market, its instruments mixed, costs no more than one of one.
 */
#include "base/clock.h"
#include "feeds/dbn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DAY_NS ((int64_t)(86400 * NS_PER_SECOND))

static int append(struct dbn *d, struct dbn_mapping m, struct fault *f);
static int grow(struct dbn *d, struct fault *f);
static const struct dbn_mapping *find(const struct dbn *d, uint32_t instrument, uint32_t day);
static int64_t number_add(struct dbn *d, uint32_t instrument, struct fault *f);
static int symbol_fault(int rc, struct fault *f);

static uint32_t *slot_of(const struct dbn *d, uint32_t instrument)
{
    uint64_t h = instrument * UINT64_C(0x9e3779b97f4a7c15);
    return &d->slots[(h >> 32) & (d->mapping_room - 1)];
}

int dbn_mapping_add(struct dbn *d, uint32_t instrument, struct text name, uint32_t day_start,
                    uint32_t day_end, struct fault *f)
{
    int64_t symbol = reader_symbols_add(&d->symbols, name);
    if (symbol == TC_EINPUT) symbol = DBN_NAMELESS;
    if (symbol < 0) return symbol_fault((int)symbol, f);
    struct dbn_mapping m = {
        .instrument = instrument, .symbol = (uint32_t)symbol, .day_start = day_start, .day_end = day_end};
    d->cached_day_number = 0;
    for (uint32_t i = d->slots ? *slot_of(d, instrument) : 0; i > 0; i = d->mappings[i - 1].older) {
        const struct dbn_mapping *newest = &d->mappings[i - 1];
        if (newest->instrument != instrument || newest->is_number) continue;
        if (newest->symbol == m.symbol && newest->day_start == day_start && newest->day_end == day_end)
            return 0; /* told again, as live streams do */
        break;
    }
    return append(d, m, f);
}

static int append(struct dbn *d, struct dbn_mapping m, struct fault *f)
{
    int rc = d->mapping_count == d->mapping_room ? grow(d, f) : 0;
    if (rc < 0) return rc;
    uint32_t *slot = slot_of(d, m.instrument);
    m.older = *slot;
    d->mappings[d->mapping_count++] = m;
    *slot = d->mapping_count;
    return 0;
}

static int grow(struct dbn *d, struct fault *f)
{
    uint32_t room = d->mapping_room ? 2 * d->mapping_room : 64;
    if (room > DBN_MAPPINGS_MAX)
        return fault_set(f, TC_ELIMIT, "more than %u symbol mappings; split the file", DBN_MAPPINGS_MAX);
    struct dbn_mapping *more = realloc(d->mappings, room * sizeof *more);
    if (more) d->mappings = more;
    uint32_t *slots = more ? calloc(room, sizeof *slots) : NULL;
    if (!slots) return fault_set(f, TC_ESYSTEM, "no memory for symbol mappings");
    free(d->slots);
    d->slots = slots;
    d->mapping_room = room;
    for (uint32_t i = 0; i < d->mapping_count; i++) { /* in order of age: chains begin with the newest */
        uint32_t *slot = slot_of(d, more[i].instrument);
        more[i].older = *slot;
        *slot = i + 1;
    }
    return 0;
}

/* The day of a time in UTC as YYYYMMDD; number: days since 1970. */
static uint32_t day_of(int64_t number)
{
    time_t seconds = (time_t)(number * 86400);
    struct tm t;
    if (!gmtime_r(&seconds, &t)) return 1;
    return (uint32_t)((t.tm_year + 1900) * 10000 + (t.tm_mon + 1) * 100 + t.tm_mday);
}

int64_t dbn_symbol(struct dbn *d, uint32_t instrument, int64_t time_ns, struct fault *f)
{
    uint32_t number = (uint32_t)(time_ns / DAY_NS) + 1; /* cheap; never 0, for times are not negative */
    if (d->cached_day_number == number && d->cached_instrument == instrument) return d->cached_symbol;
    if (d->day_number != number) {
        d->day_number = number;
        d->day = day_of(time_ns / DAY_NS);
    }
    const struct dbn_mapping *m = find(d, instrument, d->day);
    int64_t symbol = m ? m->symbol : number_add(d, instrument, f);
    if (symbol < 0) return symbol;
    if (symbol == DBN_NAMELESS)
        return fault_set(f, TC_EINPUT,
                         "the name of instrument %" PRIu32
                         " is not 1 to 32 printable characters; leave it out "
                         "with on-error=skip",
                         instrument);
    d->cached_day_number = number;
    d->cached_instrument = instrument;
    d->cached_symbol = (uint32_t)symbol;
    return symbol;
}

static const struct dbn_mapping *find(const struct dbn *d, uint32_t instrument, uint32_t day)
{
    const struct dbn_mapping *number = NULL;
    for (uint32_t i = d->slots ? *slot_of(d, instrument) : 0; i > 0; i = d->mappings[i - 1].older) {
        const struct dbn_mapping *m = &d->mappings[i - 1];
        if (m->instrument != instrument) continue;
        if (m->is_number)
            number = m;
        else if (day >= m->day_start && day < m->day_end)
            return m;
    }
    return number;
}

static int64_t number_add(struct dbn *d, uint32_t instrument, struct fault *f)
{
    char number[16];
    int n = snprintf(number, sizeof number, "%" PRIu32, instrument);
    int64_t symbol = reader_symbols_add(&d->symbols, (struct text){number, (size_t)n});
    if (symbol < 0) return symbol_fault((int)symbol, f);
    struct dbn_mapping m = {.instrument = instrument, .symbol = (uint32_t)symbol, .is_number = true};
    int rc = append(d, m, f);
    return rc < 0 ? rc : symbol;
}

static int symbol_fault(int rc, struct fault *f)
{
    if (rc == TC_ELIMIT)
        return fault_set(f, TC_ELIMIT, "more than %u symbols; split the file", READER_SYMBOLS_MAX);
    return fault_set(f, (enum tc_err)rc, "no memory for symbols");
}

void dbn_free(struct dbn *d)
{
    free(d->mappings);
    free(d->slots);
    reader_symbols_free(&d->symbols);
    *d = (struct dbn){.version = 0};
}
