/* feeds/dbn_header.c -- the metadata of a DBN stream and its symbol mappings. */
#include "feeds/dbn.h"

#include <inttypes.h>
#include <stdlib.h>

/* A bounded walk over the metadata. at moves on; short: a field did not fit. */
struct walk {
    const uint8_t *start, *at, *end;
    bool is_short;
    bool names_are_second; /* asked for by number: a mapping is from the number to the name */
};

#define HEAD_BYTES          8u   /* "DBN", version, length */
#define FIXED_BYTES         108u /* up to the lists */
#define STYPE_INSTRUMENT_ID 0u

static int read_whole(struct source *s, uint8_t *to, size_t size, struct fault *f);
static int read_fixed(struct dbn *d, struct walk *w, const struct source *s, struct fault *f);
static int read_mappings(struct dbn *d, struct walk *w, const struct source *s, struct fault *f);
static bool number_of(struct text digits, uint32_t *out);
static const uint8_t *take(struct walk *w, uint64_t size);
static uint32_t take_u32(struct walk *w);
static struct text take_symbol(struct walk *w, uint32_t size);
static int bad(struct fault *f, const struct source *s, uint64_t offset, const char *what);

int dbn_header_read(struct dbn *d, struct source *s, struct fault *f)
{
    const uint8_t *at;
    size_t size;
    int rc = source_view(s, HEAD_BYTES, &at, &size, f);
    if (rc < 0) return rc;
    if (size < HEAD_BYTES || memcmp(at, "DBN", 3) != 0)
        return bad(f, s, 0, "does not begin with \"DBN\", version and length: it is no whole DBN file");
    d->version = at[3];
    if (d->version < 1 || d->version > 3)
        return bad(f, s, 3, "version is not 1, 2 or 3; convert the file to one of them");
    uint32_t length = load_le32(at + 4);
    if (length < FIXED_BYTES - HEAD_BYTES || length > DBN_METADATA_BYTES_MAX)
        return bad(f, s, 4, "metadata length is out of range: the header is damaged; fetch the file again");
    uint8_t *metadata = malloc(HEAD_BYTES + (size_t)length);
    if (!metadata) return fault_set(f, TC_ESYSTEM, "%s: no memory for the metadata", source_name(s));
    rc = read_whole(s, metadata, HEAD_BYTES + (size_t)length, f); /* the length counts, not what is parsed */
    struct walk w = {.start = metadata, .at = metadata + HEAD_BYTES, .end = metadata + HEAD_BYTES + length};
    if (rc == 0) rc = read_fixed(d, &w, s, f);
    if (rc == 0) rc = read_mappings(d, &w, s, f);
    free(metadata);
    return rc;
}

static int read_whole(struct source *s, uint8_t *to, size_t size, struct fault *f)
{
    while (size > 0) {
        const uint8_t *at;
        size_t got;
        int rc = source_view(s, 1, &at, &got, f);
        if (rc < 0) return rc;
        if (got == 0)
            return bad(f, s, source_offset(s),
                       "the file ends within its metadata: it was cut; fetch it again");
        got = min_u64(got, size);
        memcpy(to, at, got);
        source_skip(s, got);
        to += got;
        size -= got;
    }
    return 0;
}

static int read_fixed(struct dbn *d, struct walk *w, const struct source *s, struct fault *f)
{
    const uint8_t *types = w->start + (d->version == 1 ? 58 : 50); /* stype in, stype out, ts_out */
    w->names_are_second = types[0] == STYPE_INSTRUMENT_ID && types[1] != STYPE_INSTRUMENT_ID;
    d->ts_out = types[2] != 0;
    d->symbol_bytes = d->version == 1 ? 22 : load_le16(w->start + 53);
    if (d->symbol_bytes == 0 || d->symbol_bytes > DBN_SYMBOL_BYTES_MAX)
        return bad(f, s, 53, "symbol length is out of range: the header is damaged; fetch the file again");
    w->at = w->start + FIXED_BYTES;
    take(w, take_u32(w));                  /* a schema definition, so far always empty */
    for (int list = 0; list < 3; list++) { /* symbols, partial, not found: names that the mappings repeat */
        uint64_t count = take_u32(w);
        take(w, count * d->symbol_bytes);
    }
    return w->is_short ? bad(f, s, (uint64_t)(w->at - w->start),
                             "symbol lists run over the end of the metadata: it is damaged; fetch it again")
                       : 0;
}

static int read_mappings(struct dbn *d, struct walk *w, const struct source *s, struct fault *f)
{
    uint32_t count = take_u32(w);
    for (uint32_t i = 0; i < count && !w->is_short; i++) {
        struct text asked = take_symbol(w, d->symbol_bytes);
        uint32_t intervals = take_u32(w);
        for (uint32_t k = 0; k < intervals && !w->is_short; k++) {
            uint32_t start = take_u32(w), end = take_u32(w), id;
            struct text given = take_symbol(w, d->symbol_bytes);
            if (w->is_short || asked.size == 0 || given.size == 0) continue;
            struct text name = w->names_are_second ? given : asked;
            if (!number_of(w->names_are_second ? asked : given, &id)) continue; /* no instrument's number */
            int rc = dbn_mapping_add(d, id, name, start, end ? end : UINT32_MAX, f);
            if (rc < 0)
                return fault_within(f, "%s: byte %" PRIu64, source_name(s), (uint64_t)(w->at - w->start));
        }
    }
    return w->is_short ? bad(f, s, (uint64_t)(w->at - w->start),
                             "mappings run over the end of the metadata: it is damaged; fetch it again")
                       : 0;
}

static bool number_of(struct text digits, uint32_t *out)
{
    uint64_t value = 0;
    if (digits.size == 0 || digits.size > 10) return false;
    for (size_t i = 0; i < digits.size; i++) {
        uint8_t digit = (uint8_t)(digits.at[i] - '0');
        if (digit > 9) return false;
        value = value * 10 + digit;
    }
    *out = (uint32_t)value;
    return value <= UINT32_MAX;
}

static const uint8_t *take(struct walk *w, uint64_t size)
{
    if (w->is_short || (uint64_t)(w->end - w->at) < size) { /* the first one stays the place of the fault */
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
