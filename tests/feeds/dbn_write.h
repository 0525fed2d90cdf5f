/* tests/feeds/dbn_write.h -- writes DBN streams for tests and measurements: metadata of each version, and
 * records with every field at the place that the format's description gives it (not by structs shared with
 * the reader). */
#ifndef TC_TESTS_DBN_WRITE_H
#define TC_TESTS_DBN_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DBN_PRICE_NONE INT64_MAX
#define DBN_TIME_NONE  UINT64_MAX

struct dbn_writer {
    uint8_t *bytes;
    size_t size, room;
    uint8_t version;
    bool ts_out;
};

/* size zeroed bytes at the end; valid until the next call. */
static inline uint8_t *dbn_write_room(struct dbn_writer *w, size_t size)
{
    if (w->size + size > w->room) {
        w->room = 2 * (w->size + size);
        w->bytes = (uint8_t *)realloc(w->bytes, w->room); /* cast: C++ includes this too */
        if (!w->bytes) abort();
    }
    uint8_t *at = w->bytes + w->size;
    memset(at, 0, size);
    w->size += size;
    return at;
}

static inline void dbn_put(uint8_t *at, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static inline void dbn_write_u32(struct dbn_writer *w, uint32_t value)
{
    dbn_put(dbn_write_room(w, 4), value, 4);
}

static inline void dbn_write_symbol(struct dbn_writer *w, const char *name)
{
    size_t size = w->version == 1 ? 22 : 71, used = strlen(name);
    memcpy(dbn_write_room(w, size), name, used < size ? used : size);
}

struct dbn_write_mapping {
    const char *asked, *given; /* raw symbol and instrument id, or as stype_in and stype_out say */
    uint32_t start, end;       /* YYYYMMDD */
};

/* Everything before the records; each mapping has one interval. stypes: in, out. */
static inline void dbn_write_metadata(struct dbn_writer *w, const struct dbn_write_mapping *mappings,
                                      uint32_t count, const uint8_t stypes[2])
{
    uint8_t *at = dbn_write_room(w, 108);
    memcpy(at, "DBN", 3);
    at[3] = w->version;
    memcpy(at + 8, "TEST.SET", 8);
    dbn_put(at + 24, 65535, 2);
    if (w->version == 1) dbn_put(at + 50, UINT64_MAX, 8);
    uint8_t *types = at + (w->version == 1 ? 58 : 50);
    types[0] = stypes[0];
    types[1] = stypes[1];
    types[2] = w->ts_out;
    if (w->version > 1) dbn_put(at + 53, 71, 2);
    dbn_write_u32(w, 0);
    dbn_write_u32(w, count);
    for (uint32_t i = 0; i < count; i++) dbn_write_symbol(w, mappings[i].asked);
    dbn_write_u32(w, 1); /* partial */
    dbn_write_symbol(w, "PART");
    dbn_write_u32(w, 0); /* not found */
    dbn_write_u32(w, count);
    for (uint32_t i = 0; i < count; i++) {
        dbn_write_symbol(w, mappings[i].asked);
        dbn_write_u32(w, 1);
        dbn_write_u32(w, mappings[i].start);
        dbn_write_u32(w, mappings[i].end);
        dbn_write_symbol(w, mappings[i].given);
    }
    while (w->version == 3 && w->size % 8 != 0) dbn_write_room(w, 1);
    dbn_put(w->bytes + 4, w->size - 8, 4);
}

/* The header; the rest of size bytes is zero, and the ts_out tail is added where the stream has one. */
static inline uint8_t *dbn_write_record(struct dbn_writer *w, uint8_t rtype, uint32_t size,
                                        uint32_t instrument, uint64_t ts_event)
{
    uint32_t tail = w->ts_out ? 8 : 0;
    uint8_t *at = dbn_write_room(w, size + tail);
    at[0] = (uint8_t)((size + tail) / 4);
    at[1] = rtype;
    dbn_put(at + 2, 1, 2);
    dbn_put(at + 4, instrument, 4);
    dbn_put(at + 8, ts_event, 8);
    if (tail) dbn_put(at + size, UINT64_C(0x1122334455667788), 8); /* must never be taken for a field */
    return at;
}

/* trades, mbp-1, mbp-10, cmbp-1, bbo and their like, up to the levels. */
static inline uint8_t *dbn_write_mbp(struct dbn_writer *w, uint8_t rtype, uint32_t instrument,
                                     uint64_t ts_event, char action, char side, int64_t price, uint32_t size)
{
    uint32_t bytes = rtype == 0x00 ? 48 : rtype == 0x0A ? 368 : 80;
    uint8_t *at = dbn_write_record(w, rtype, bytes, instrument, ts_event);
    dbn_put(at + 16, (uint64_t)price, 8);
    dbn_put(at + 24, size, 4);
    at[28] = (uint8_t)action;
    at[29] = (uint8_t)side;
    at[30] = 0x82;
    dbn_put(at + 32, ts_event + 1000, 8); /* ts_recv */
    dbn_put(at + 44, 7, 4);
    return at;
}

static inline void dbn_put_level(uint8_t *record, uint32_t level, int64_t bid, uint32_t bid_size, int64_t ask,
                                 uint32_t ask_size)
{
    uint8_t *at = record + 48 + 32 * level;
    dbn_put(at, (uint64_t)bid, 8);
    dbn_put(at + 8, (uint64_t)ask, 8);
    dbn_put(at + 16, bid_size, 4);
    dbn_put(at + 20, ask_size, 4);
    dbn_put(at + 24, 3, 4);
    dbn_put(at + 28, 4, 4);
}

static inline uint8_t *dbn_write_mbo(struct dbn_writer *w, uint32_t instrument, uint64_t ts_event,
                                     char action, char side, int64_t price, uint32_t size)
{
    uint8_t *at = dbn_write_record(w, 0xA0, 56, instrument, ts_event);
    dbn_put(at + 16, 99, 8);
    dbn_put(at + 24, (uint64_t)price, 8);
    dbn_put(at + 32, size, 4);
    at[38] = (uint8_t)action;
    at[39] = (uint8_t)side;
    dbn_put(at + 40, ts_event + 1000, 8);
    return at;
}

static inline uint8_t *dbn_write_bar(struct dbn_writer *w, uint8_t rtype, uint32_t instrument,
                                     uint64_t ts_event, const int64_t ohlc[4], uint64_t volume)
{
    uint8_t *at = dbn_write_record(w, rtype, 56, instrument, ts_event);
    for (uint32_t i = 0; i < 4; i++) dbn_put(at + 16 + 8 * i, (uint64_t)ohlc[i], 8);
    dbn_put(at + 48, volume, 8);
    return at;
}

/* A live stream's mapping: out is the name from now on. */
static inline void dbn_write_mapped(struct dbn_writer *w, uint32_t instrument, uint64_t ts_event,
                                    const char *in, const char *out)
{
    uint8_t *at = dbn_write_record(w, 0x16, w->version == 1 ? 80 : 176, instrument, ts_event);
    uint32_t places[2] = {w->version == 1 ? 16u : 17u, w->version == 1 ? 38u : 89u};
    memcpy(at + places[0], in, strlen(in));
    memcpy(at + places[1], out, strlen(out));
}

static inline void dbn_write_definition(struct dbn_writer *w, uint32_t instrument, uint64_t ts_event,
                                        const char *name)
{
    static const uint32_t sizes[] = {0, 360, 400, 520};
    uint8_t *at = dbn_write_record(w, 0x13, sizes[w->version], instrument, ts_event);
    memcpy(at + (w->version == 3 ? 238 : 200), name, strlen(name));
}

#endif
