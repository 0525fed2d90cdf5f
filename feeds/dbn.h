/* feeds/dbn.h -- Databento Binary Encoding, versions 1 to 3: the metadata's symbols, and records as ticks.
 * Source: "Databento Binary Encoding" (Databento documentation, Standards and conventions). All numbers
 * little-endian. Thread: one owner. */
#ifndef TC_FEEDS_DBN_H
#define TC_FEEDS_DBN_H

#include "base/fault.h"
#include "feeds/reader_symbols.h"
#include "feeds/reader.h"
#include "feeds/source.h"

#define DBN_METADATA_BYTES_MAX (SOURCE_WANT_MAX - 8u)
#define DBN_MAPPINGS_MAX       262144u
#define DBN_SYMBOL_BYTES_MAX   256u

/* An instrument's name during [start, end) as days, YYYYMMDD; 0 and UINT32_MAX where there is no bound. */
struct dbn_mapping {
    uint32_t instrument, symbol, day_start, day_end;
};

struct dbn {
    uint8_t version;
    bool ts_out;           /* 8 more bytes end every record */
    uint16_t symbol_bytes; /* of a symbol field */
    struct dbn_mapping *mappings;
    uint32_t mapping_count, mapping_room;
    uint32_t cached_instrument, cached_day, cached_symbol; /* the last answer of dbn_symbol */
    struct reader_symbols symbols;
};

/* Reads "DBN", version and metadata. TC_EINPUT with the byte offset and the field. */
int dbn_header_read(struct dbn *d, struct source *s, struct fault *f);
/* One more mapping (a 0x16 record of a live stream, a definition): in force from now on. */
int dbn_mapping_add(struct dbn *d, uint32_t instrument, struct text name, uint32_t day_start,
                    uint32_t day_end, struct fault *f);
/* The reader's symbol of an instrument on the day of a time; its number as text where nothing names it. Or a
 * negative tc_err. */
int64_t dbn_symbol(struct dbn *d, uint32_t instrument, uint64_t time_ns, struct fault *f);
void dbn_free(struct dbn *d);

/* Takes one whole record of size bytes (its length field times 4). Returns 1: *t is a tick; 0: no tick comes
 * of it; TC_EINPUT: fault names the field. Mapping and definition records add to the mappings. dbn_records.c
 */
int dbn_record(struct dbn *d, const uint8_t *record, uint32_t size, struct tick *t, struct fault *f);

/* The format (reader_dbn.c), for the list of formats. */
extern const struct reader_ops reader_dbn;

#endif
