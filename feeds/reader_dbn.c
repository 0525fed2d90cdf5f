/* feeds/reader_dbn.c -- the DBN format as a reader: steps over records by their lengths. */
#include "base/assert.h"
#include "feeds/dbn.h"
#include "feeds/reader.h"

#include <inttypes.h>
#include <stdlib.h>

struct dbn_reader {
    struct reader base;
    struct source *source;
    struct dbn dbn;
    uint32_t bad_bytes; /* length of the bad record at the source's place */
};

static int record_next(struct dbn_reader *r, struct tick *t, bool *fatal, struct fault *f);

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
    uint32_t count = 0;
    while (count < count_max) {
        int rc = record_next(r, &out[count], fatal, count == 0 ? f : NULL);
        if (rc == 0) break;
        if (rc > 0) {
            count += rc == 1;
            continue;
        }
        if (count > 0) break; /* what was read comes first; the record was not passed: it is met again */
        if (!*fatal) source_skip(r->source, r->bad_bytes);
        return rc;
    }
    return (int)count;
}

/* 1: a tick; 2: a record that makes none; 0: the end; or an error. A bad record is not passed here. */
static int record_next(struct dbn_reader *r, struct tick *t, bool *fatal, struct fault *f)
{
    const uint8_t *at;
    size_t size;
    int rc = source_view(r->source, 1024, &at, &size, f); /* a record has at most 1020 bytes */
    if (rc < 0) {
        *fatal = true;
        return rc;
    }
    if (size == 0) return 0;
    uint32_t length = 4u * at[0];
    uint64_t offset = source_offset(r->source);
    if (length < 16 || length > size) {
        *fatal = true; /* records are found by the lengths before them */
        return fault_set(f, TC_EINPUT, "%s: byte %" PRIu64 ": %s", source_name(r->source), offset,
                         length < 16
                             ? "a record's length is less than its header's 16 bytes: the file is damaged"
                             : "the file ends within a record: it was cut");
    }
    struct fault inner = {.code = TC_OK};
    rc = dbn_record(&r->dbn, at, length, t, &inner);
    if (rc < 0) {
        r->bad_bytes = length;
        return fault_set(f, (enum tc_err)rc, "%s: byte %" PRIu64 ": %s", source_name(r->source), offset,
                         inner.text);
    }
    source_skip(r->source, length);
    return rc == 1 ? 1 : 2;
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
