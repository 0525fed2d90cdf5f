/* render/snapshot.c -- one piece of a snapshot: last values of the filter's symbols, in ascending id. */
#include "base/assert.h"
#include "render/render.h"
#include "render/render_internal.h"

/* Quote, trade, status and one bar per interval at their longest: a symbol is never split over two pieces. */
#define SYMBOL_BYTES_MAX ((3u + BAR_INTERVALS) * (TICK_JSON_MAX + 1u))
_Static_assert(SYMBOL_BYTES_MAX + ENVELOPE_MAX < FRAME_BYTES_MAX,
               "all last values of one symbol fit a frame");

struct piece {
    const struct snapshot_in *in;
    uint8_t *at, *end;
    uint32_t ticks;
};

static void put_tick(void *context, const struct tick *t);

void render_snapshot(const struct snapshot_in *in, uint8_t *out, struct snapshot_out *result)
{
    if (in->encoding == ENCODING_BINARY) {
        snapshot_bin(in, out, result);
        return;
    }
    uint8_t *body = out + RENDER_SLACK;
    struct piece p = {.in = in, .at = body, .end = body + FRAME_BYTES_MAX - ENVELOPE_MAX};
    uint32_t id = in->id_from;
    for (; id < in->id_end; id++) {
        uint32_t kinds = filter_kinds(in->filter, id);
        if (in->minus) kinds &= ~filter_kinds(in->minus, id);
        if (kinds == 0) continue;
        if ((size_t)(p.end - p.at) < SYMBOL_BYTES_MAX) break;
        last_value_each(in->last, id, kinds, in->since, UINT64_MAX, put_tick, &p);
    }
    if (p.at > body) p.at--; /* the last comma */
    *p.at++ = ']';
    *p.at++ = '}';

    uint8_t range[ENVELOPE_MAX], *r = range;
    r = put_literal(r, TEXT("{\"type\":\"snapshot\",\"seq\":"));
    r = put_u64(r, in->position);
    if (in->since_told) {
        r = put_literal(r, TEXT(",\"since\":"));
        r = put_u64(r, in->since);
    }
    if (id < in->id_end) r = put_literal(r, TEXT(",\"more\":true"));
    uint8_t *start =
        put_batch_prefix(body, (uint32_t)(p.at - body), (struct text){(char *)range, (size_t)(r - range)});
    result->start = (uint32_t)(start - out);
    result->bytes = (uint32_t)(p.at - start);
    result->id_next = id;
    result->ticks = p.ticks;
    TC_ASSERT(result->bytes <= FRAME_BYTES_MAX);
}

static void put_tick(void *context, const struct tick *t)
{
    struct piece *p = context;
    p->at += tick_json((char *)p->at, t, symbol_table_json(p->in->symbols, t->symbol));
    *p->at++ = ',';
    p->ticks++;
}
