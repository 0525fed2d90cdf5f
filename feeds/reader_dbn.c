/* feeds/reader_dbn.c -- the DBN format as a reader: steps over records by their lengths. */
#include "feeds/dbn.h"
#include "feeds/reader.h"

#include <inttypes.h>
#include <stdlib.h>

struct dbn_reader {
    struct reader base;
    struct source *source;
    struct dbn dbn;
};

#define RECORD_BYTES_MIN 16u
#define RECORD_BYTES_MAX 1020u /* four times what a length byte holds */

static int view(struct dbn_reader *r, const uint8_t **at, size_t *size, struct fault *f);
static int decode(struct dbn_reader *r, const uint8_t *at, size_t size, size_t *taken, struct tick *out,
                  uint32_t count_max, uint32_t *count, struct fault *f);
static int bad_record(struct dbn_reader *r, const uint8_t *at, size_t size, int rc, bool *fatal,
                      struct fault *f);

static int probe(const char *path, const uint8_t *first, size_t size)
{
    (void)path;
    return size >= 4 && memcmp(first, "DBN", 3) == 0 && first[3] >= 1 && first[3] <= 3 ? 100 : 0;
}

static void close_reader(struct reader *base)
{
    struct dbn_reader *r = (struct dbn_reader *)base;
    dbn_free(&r->dbn);
    free(r);
}

static int open_reader(struct reader **out, struct source *source, const struct reader_options *o,
                       struct fault *f)
{
    (void)o; /* symbols and dates are in the file */
    struct dbn_reader *r = calloc(1, sizeof *r);
    if (!r) return fault_set(f, TC_ESYSTEM, "no memory for a reader");
    r->base.ops = &reader_dbn;
    r->source = source;
    int rc = dbn_header_read(&r->dbn, source, f);
    if (rc < 0) {
        close_reader(&r->base);
        return rc;
    }
    *out = &r->base;
    return 0;
}

static int next(struct reader *base, struct tick *out, uint32_t count_max, bool *fatal, struct fault *f)
{
    struct dbn_reader *r = (struct dbn_reader *)base;
    *fatal = false;
    for (;;) {
        const uint8_t *at;
        size_t size;
        int rc = view(r, &at, &size, f);
        if (rc < 0) *fatal = true;
        if (rc <= 0) return rc;
        size_t taken;
        uint32_t count = 0;
        rc = decode(r, at, size, &taken, out, count_max, &count, f);
        source_skip(r->source, taken);
        if (count > 0) return (int)count; /* what was read comes first; a bad record behind is met again */
        if (rc < 0) return bad_record(r, at + taken, size - taken, rc, fatal, f);
    }
}

/* 1: at least one whole record lies in the view, or a bad one; 0: the end; or an error of the source. Where
 * the packing breaks, what was unpacked before is read first. */
static int view(struct dbn_reader *r, const uint8_t **at, size_t *size, struct fault *f)
{
    int rc = source_view(r->source, RECORD_BYTES_MAX, at, size, f);
    if (rc < 0) {
        const uint8_t *left;
        size_t left_size;
        if (source_view(r->source, 1, &left, &left_size, NULL) < 0) return rc;
        if (left_size < 4u * left[0]) return rc;
        *at = left;
        *size = left_size;
    }
    return *size > 0;
}

/* Whole records of the view, up to count_max ticks. 0, or an error at at[*taken], which is not passed. */
static int decode(struct dbn_reader *r, const uint8_t *at, size_t size, size_t *taken, struct tick *out,
                  uint32_t count_max, uint32_t *count, struct fault *f)
{
    size_t used = 0;
    int rc = 0;
    while (used < size && *count < count_max) {
        uint32_t length = 4u * at[used];
        if (length < RECORD_BYTES_MIN || length > size - used) {
            if (used == 0)
                rc = TC_EINPUT; /* else the next view begins here and tells a cut file from a rest */
            break;
        }
        rc = dbn_record(&r->dbn, at + used, length, &out[*count], f);
        if (rc < 0) break;
        *count += (uint32_t)rc;
        used += length;
    }
    *taken = used;
    return rc < 0 ? rc : 0;
}

/* The text of an error at the source's place, and the step over it where there is one. */
static int bad_record(struct dbn_reader *r, const uint8_t *at, size_t size, int rc, bool *fatal,
                      struct fault *f)
{
    uint32_t length = 4u * at[0];
    uint64_t offset = source_offset(r->source);
    if (length >= RECORD_BYTES_MIN && length <= size) {
        source_skip(r->source, length);
        (void)fault_within(f, "%s: byte %" PRIu64, source_name(r->source), offset);
        return rc;
    }
    *fatal = true; /* records are found by the lengths before them */
    return fault_set(
        f, TC_EINPUT, "%s: byte %" PRIu64 ": %s", source_name(r->source), offset,
        length < RECORD_BYTES_MIN
            ? "a record's length is less than its header's 16 bytes: the file is damaged; fetch it "
              "again"
            : "the file ends within a record: it was cut; fetch it again");
}

static struct text symbol(const struct reader *base, uint32_t index)
{
    return reader_symbols_name(&((const struct dbn_reader *)base)->dbn.symbols, index);
}

const struct reader_ops reader_dbn = {
    .format = "dbn",
    .what = "Databento Binary Encoding, versions 1 to 3 (.dbn, .dbn.zst): trades, mbp-1, tbbo, mbp-10, bbo, "
            "cbbo, ohlcv, mbo",
    .probe = probe,
    .open = open_reader,
    .next = next,
    .symbol = symbol,
    .close = close_reader,
};
