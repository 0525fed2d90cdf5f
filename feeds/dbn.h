/* feeds/dbn.h -- Databento Binary Encoding, versions 1 to 3: the metadata's symbols, and records as ticks.
 * Source: "Databento Binary Encoding" (Databento documentation, Standards and conventions). All numbers
 * little-endian. Thread: one owner. */
#ifndef TC_FEEDS_DBN_H
#define TC_FEEDS_DBN_H

#include "base/fault.h"
#include "feeds/reader_symbols.h"
#include "feeds/reader.h"
#include "feeds/source.h"

#define DBN_METADATA_BYTES_MAX (64u << 20) /* all of a market's instruments: some MB */
#define DBN_MAPPINGS_MAX       262144u
#define DBN_SYMBOL_BYTES_MAX   256u
#define DBN_NAMELESS           UINT32_MAX /* for struct dbn_mapping.symbol: no legal name */

/* An instrument's name during [start, end) as days, YYYYMMDD; 0 and UINT32_MAX where there is no bound. */
struct dbn_mapping {
    uint32_t instrument, symbol, day_start, day_end;
    uint32_t older; /* place + 1 in mappings of the one before in the same slot; 0: none */
    bool is_number; /* stands in where no name covers the day */
};

struct dbn {
    uint8_t version;
    bool ts_out;           /* 8 more bytes end every record */
    uint16_t symbol_bytes; /* of a symbol field */
    struct dbn_mapping *mappings;
    uint32_t *slots; /* by hash of the instrument: place + 1 of the newest mapping; mapping_room of them */
    uint32_t mapping_count, mapping_room;                         /* mapping_room: 0 or a power of two */
    uint32_t cached_instrument, cached_day_number, cached_symbol; /* the last answer of dbn_symbol */
    uint32_t day_number, day; /* of the last time looked up: days since 1970 + 1 (0: none), YYYYMMDD */
    struct reader_symbols symbols;
};

/* Reads "DBN", version and metadata. TC_EINPUT with the byte offset and the field. */
int dbn_header_read(struct dbn *d, struct source *s, struct fault *f);
/* One more mapping (of the metadata, a 0x16 record of a live stream, a definition): goes before those known
 * so far. A name that is not legal is kept as DBN_NAMELESS. TC_ELIMIT or TC_ESYSTEM. dbn_symbols.c, as
 * dbn_symbol and dbn_free */
int dbn_mapping_add(struct dbn *d, uint32_t instrument, struct text name, uint32_t day_start,
                    uint32_t day_end, struct fault *f);
/* The reader's symbol of an instrument on the day of a time; its number as text where nothing names it. Or
 * TC_EINPUT (its name is not legal), TC_ELIMIT, TC_ESYSTEM. */
int64_t dbn_symbol(struct dbn *d, uint32_t instrument, int64_t time_ns, struct fault *f);
void dbn_free(struct dbn *d);

/* Takes one whole record of size bytes (its length field times 4). Returns 1: *t is a tick; 0: no tick comes
 * of it; TC_EINPUT (fault names the field), TC_ELIMIT, TC_ESYSTEM. Mapping and definition records add to the
 * mappings. dbn_records.c
 */
int dbn_record(struct dbn *d, const uint8_t *record, uint32_t size, struct tick *t, struct fault *f);

/* The format (reader_dbn.c), for the list of formats. */
extern const struct reader_ops reader_dbn;

#endif
