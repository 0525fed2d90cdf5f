/* support/deflate_rig.h -- worker_rig.h for subscribers that have agreed on permessage-deflate: their frames
 * as they came, and unpacked. For cmocka programs: include cmocka.h before. */
#ifndef TC_TESTS_SUPPORT_DEFLATE_RIG_H
#define TC_TESTS_SUPPORT_DEFLATE_RIG_H

#include "support/worker_rig.h"
#include "wire/ws_deflate.h"

#define BYTES_LEAST 40u /* shorter than any frame with a tick: all are tried */
#define OFFER       "Sec-WebSocket-Extensions: permessage-deflate\r\n"
#define ALL_EASY    "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE" /* a name that packs well */

static struct rig r;
static struct inflater *inflater;

/* A data frame as it came. */
struct got {
    bool packed;
    uint32_t size, wire_size; /* of its payload: unpacked, and as it came */
    uint8_t plain[FRAME_BYTES_MAX + 1], wire[FRAME_BYTES_MAX];
};

static inline void open_rig_with(const struct rig_options *o)
{
    inflater = inflater_create(WS_DEFLATE_BITS, false);
    assert_non_null(inflater);
    rig_open(&r, o);
}

static inline void close_rig(void)
{
    rig_close(&r);
    inflater_destroy(inflater);
}

static inline void subscribe(struct client *c, const char *query)
{
    client_connect_with(&r, c, query, OFFER);
    rig_turns(&r, 4);
    assert_true(client_upgraded(c));
    assert_non_null(client_until(c, "subscribed")); /* notices are never packed: client_next would tell */
}

/* A trade that packs as badly as can be but for its name. */
static inline void trade(uint32_t symbol)
{
    struct tick t = {.kind = TICK_TRADE, .symbol = symbol, .event_ns = 72940618350277, .ingest_ns = 1};
    t.trade = (struct tick_trade){.price = 9182736405917283, .size = 6051948372615047};
    log_append(r.server.log, &t, 1);
}

/* The next frame, which has to be there. */
static inline void take(struct client *c, struct got *out)
{
    client_read(c, UINT32_MAX);
    assert_true(c->size >= 2);
    assert_int_equal(c->bytes[0] & ~WS_DEFLATE_RSV1, 0x81);
    uint32_t head = c->bytes[1] == 126 ? 4 : 2;
    assert_true(c->bytes[1] <= 126);
    out->packed = (c->bytes[0] & WS_DEFLATE_RSV1) != 0;
    out->wire_size = head == 4 ? load_be16(c->bytes + 2) : c->bytes[1];
    assert_true(out->wire_size <= sizeof out->wire && head + out->wire_size <= c->size);
    memcpy(out->wire, c->bytes + head, out->wire_size);
    out->size = out->wire_size;
    if (out->packed)
        assert_int_equal(
            inflater_unpack(inflater, out->wire, out->wire_size, out->plain, FRAME_BYTES_MAX, &out->size),
            DEFLATER_OK);
    else
        memcpy(out->plain, out->wire, out->size);
    out->plain[out->size] = 0;
    client_drop(c, head + out->wire_size);
}

#endif
