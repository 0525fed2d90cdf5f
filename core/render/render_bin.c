/* render/render_bin.c -- frames, snapshots and definitions of the binary subprotocol: records packed out of
 * the log's ticks (tick/tick_bin.h) into the messages of wire/bin.h. Times, prices and sizes are copied as
 * they stand in the log: no digits are made. */
#include "base/assert.h"
#include "render/render_internal.h"
#include "tick/tick_bin.h"
#include "wire/bin.h"
#include "wire/ws.h"

_Static_assert(sizeof(struct bin_tick) + TICK_HEAD_MAX == BIN_TICK_HEAD_MAX, "what a tick by itself costs");
_Static_assert(sizeof(struct bin_ticks) + TICK_HEAD_MAX <= ENVELOPE_MAX, "a frame's head");
_Static_assert(sizeof(struct bin_covered) + TICK_HEAD_MAX <= COVERED_MAX, "a whole `covered`");
#define SHORT_HEAD 2u /* frame head of a message below 126 bytes */
_Static_assert(sizeof(struct bin_tick) + TICK_BIN_MAX < 126, "a tick by itself has a short frame head");
_Static_assert(FRAME_BYTES_MAX / TICK_BIN_MIN <= RENDER_KEEP_MAX, "a frame's records can all be kept");
_Static_assert(RENDER_SCAN_MAX <= TICK_BIN_BACK_MAX, "seqs of one frame fit `back`");

/* Quote, trade, status and one bar per interval with their seqs: a symbol is never split over two pieces. */
#define SYMBOL_BYTES_MAX ((3u + BAR_INTERVALS) * (8u + TICK_BIN_MAX))
_Static_assert(SYMBOL_BYTES_MAX + ENVELOPE_MAX < FRAME_BYTES_MAX,
               "all last values of one symbol fit a frame");

static void put_last_value(void *context, const struct tick *t);
static uint8_t *put_head_before(uint8_t *body, uint32_t body_bytes, const void *head, uint32_t head_bytes);

int emit_batch_bin(const struct render_in *in, struct render_scratch *s, uint32_t count, uint8_t *out,
                   struct render_out *result)
{
    uint8_t *body = out + RENDER_SLACK, *p = body;
    for (uint32_t i = 0; i < count; i++) {
        if (s->kept[i].size == 0) continue;
        int size = log_read_bin(in->log, s->kept[i].seq, (uint16_t)(result->to - s->kept[i].seq), p);
        if (size < 0) return size;
        p += size;
    }
    struct bin_ticks head = {
        .head = {.type = BIN_TICKS, .count = (uint16_t)(result->ticks + result->definitions)},
        .conflated = (uint32_t)result->conflated,
        .from = in->position,
        .to = result->to};
    uint8_t *start = put_head_before(body, (uint32_t)(p - body), &head, sizeof head);
    batch_done(result, out, start, p);
    return 0;
}

/* A message's head and its frame's head just before body. Returns the frame's first byte. */
static uint8_t *put_head_before(uint8_t *body, uint32_t body_bytes, const void *head, uint32_t head_bytes)
{
    memcpy(body - head_bytes, head, head_bytes);
    uint8_t *payload = body - head_bytes;
    return payload - ws_frame_head_before(payload, WS_BINARY, head_bytes + body_bytes);
}

int put_tick_bin(const struct render_in *in, const struct kept *k, uint8_t *p, bool *definition)
{
    uint8_t *record = p + SHORT_HEAD + sizeof(struct bin_tick);
    int size = log_read_bin(in->log, k->seq, 0, record);
    if (size < 0) return size;
    struct bin_tick head = {.head = {.type = BIN_TICK, .count = 1}, .seq = k->seq};
    uint32_t head_bytes = ws_frame_head(p, WS_BINARY, sizeof head + (uint32_t)size);
    TC_ASSERT(head_bytes == SHORT_HEAD);
    memcpy(p + SHORT_HEAD, &head, sizeof head);
    *definition = TICK_BIN_KIND(record[0]) == TICK_SYMBOL;
    return (int)(SHORT_HEAD + sizeof head) + size;
}

uint8_t *put_covered_bin(uint8_t *p, uint64_t from, uint64_t to, uint32_t conflated)
{
    struct bin_covered m = {.head = {.type = BIN_COVERED}, .conflated = conflated, .from = from, .to = to};
    p += ws_frame_head(p, WS_BINARY, sizeof m);
    memcpy(p, &m, sizeof m);
    return p + sizeof m;
}

/* ---- Snapshots and definitions. ---- */

struct piece {
    uint8_t *at;
    uint32_t ticks;
};

void snapshot_bin(const struct snapshot_in *in, uint8_t *out, struct snapshot_out *result)
{
    uint8_t *body = out + RENDER_SLACK, *end = body + FRAME_BYTES_MAX - ENVELOPE_MAX;
    struct piece p = {.at = body};
    uint32_t id = in->id_from;
    for (; id < in->id_end; id++) {
        uint32_t kinds = filter_kinds(in->filter, id);
        if (in->minus) kinds &= ~filter_kinds(in->minus, id);
        if (kinds == 0) continue;
        if ((size_t)(end - p.at) < SYMBOL_BYTES_MAX) break;
        last_value_each(in->last, id, kinds, in->since, UINT64_MAX, put_last_value, &p);
    }
    struct bin_snapshot head = {.head = {.type = BIN_SNAPSHOT, .count = (uint16_t)p.ticks},
                                .seq = in->position,
                                .since = in->since_told ? in->since : 0};
    head.head.flags = (uint8_t)((id < in->id_end ? BIN_MORE : 0) | (in->since_told ? BIN_SINCE : 0));
    uint8_t *start = put_head_before(body, (uint32_t)(p.at - body), &head, sizeof head);
    *result = (struct snapshot_out){
        .start = (uint32_t)(start - out), .bytes = (uint32_t)(p.at - start), .id_next = id, .ticks = p.ticks};
    TC_ASSERT(result->bytes <= FRAME_BYTES_MAX);
}

static void put_last_value(void *context, const struct tick *t)
{
    struct piece *p = context;
    store_le64(p->at, t->seq);
    p->at += 8 + tick_bin(p->at + 8, t, 0);
    p->ticks++;
}

void render_definitions(const struct snapshot_in *in, uint8_t *out, struct snapshot_out *result)
{
    uint8_t *body = out + RENDER_SLACK, *end = body + FRAME_BYTES_MAX - ENVELOPE_MAX, *p = body;
    uint32_t id = in->id_from, count = 0;
    for (; id < in->id_end; id++) {
        if (filter_kinds(in->filter, id) == 0 || (in->minus && filter_kinds(in->minus, id) != 0)) continue;
        if ((size_t)(end - p) < sizeof(struct tick_bin_symbol)) break;
        p += tick_bin_symbol(p, id, symbol_table_name(in->symbols, id), 0);
        count++;
    }
    *result = (struct snapshot_out){.id_next = id, .ticks = count};
    if (count == 0) return;
    struct bin_symbols head = {.head = {.type = BIN_SYMBOLS, .count = (uint16_t)count}};
    if (id < in->id_end) head.head.flags = BIN_MORE;
    uint8_t *start = put_head_before(body, (uint32_t)(p - body), &head, sizeof head);
    result->start = (uint32_t)(start - out);
    result->bytes = (uint32_t)(p - start);
    TC_ASSERT(result->bytes <= FRAME_BYTES_MAX);
}
