/* bench/floor/floor_stream.c -- the frames; see floor.h. */
#include "base/clock.h"
#include "bench/floor/floor.h"
#include "tick/tick_bin.h"
#include "wire/bin.h"
#include "wire/ws.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MAX     160u
#define RING_TICKS   65536u
#define SEQ_FIRST    UINT64_C(1000000001) /* of ten digits for long, so that all ticks have one size */
#define HEAD_ROOM    WS_HEAD_MAX
#define MESSAGE_ROOM 96u /* around the ticks of a batch */

static uint32_t put_tick(uint8_t *out, uint64_t number, uint64_t ts_ns);
static uint32_t put_frame(uint8_t *out, enum ws_opcode opcode, const void *payload, uint32_t size);
static uint64_t put_batch(uint8_t *out, uint32_t ticks);
static uint64_t put_binary(uint8_t *out, uint32_t ticks);

void stream_open(struct floor_stream *s, const struct floor_options *o)
{
    uint64_t now = clock_real_ns(), room = (uint64_t)BURST_MAX * TICK_MAX + HEAD_ROOM + MESSAGE_ROOM;
    if (o->rate > 0) {
        uint8_t one[TICK_MAX];
        s->tick_bytes = put_tick(one, 0, now);
        s->size = room = s->tick_bytes * RING_TICKS;
    }
    s->bytes = malloc(room);
    if (!s->bytes) floor_die("no memory for %" PRIu64 " bytes of frames", room);
    if (o->rate > 0) return;
    if (o->frame == FLOOR_BATCH)
        s->size = put_batch(s->bytes, o->burst);
    else if (o->frame == FLOOR_BINARY)
        s->size = put_binary(s->bytes, o->burst);
    else
        for (uint32_t i = 0; i < o->burst; i++) s->size += put_tick(s->bytes + s->size, i, now);
}

/* As large as tickcast's own ticks are on average. */
static uint32_t tick_text(char *out, uint64_t number, uint64_t ts_ns)
{
    int n = snprintf(out, TICK_MAX,
                     "{\"type\":\"trade\",\"seq\":%" PRIu64 ",\"symbol\":\"SIM%03u\",\"price\":%u.%02u,"
                     "\"size\":%u,\"side\":\"sell\",\"ts\":%" PRIu64 "}",
                     SEQ_FIRST + number, (unsigned)(number * 7919 % 500), (unsigned)(1000 + number % 4000),
                     (unsigned)(number % 100), (unsigned)(1000 + number % 9000), ts_ns);
    if (n <= 0 || (uint32_t)n >= TICK_MAX) floor_die("a tick of %d bytes", n);
    return (uint32_t)n;
}

static uint32_t put_tick(uint8_t *out, uint64_t number, uint64_t ts_ns)
{
    char text[TICK_MAX];
    return put_frame(out, WS_TEXT, text, tick_text(text, number, ts_ns));
}

static uint32_t put_frame(uint8_t *out, enum ws_opcode opcode, const void *payload, uint32_t size)
{
    uint32_t head = ws_frame_head(out, opcode, size);
    memcpy(out + head, payload, size);
    return head + size;
}

static uint64_t put_batch(uint8_t *out, uint32_t ticks)
{
    static char text[BURST_MAX * TICK_MAX + MESSAGE_ROOM];
    uint64_t now = clock_real_ns();
    int n = snprintf(text, MESSAGE_ROOM,
                     "{\"type\":\"ticks\",\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"ticks\":[", SEQ_FIRST - 1,
                     SEQ_FIRST - 1 + ticks);
    uint32_t size = (uint32_t)n;
    for (uint32_t i = 0; i < ticks; i++) {
        if (i > 0) text[size++] = ',';
        size += tick_text(text + size, i, now);
    }
    text[size++] = ']';
    text[size++] = '}';
    return put_frame(out, WS_TEXT, text, size);
}

/* The same trades as tickcast.v1.bin packs them (wire/bin.h). */
static uint64_t put_binary(uint8_t *out, uint32_t ticks)
{
    static uint8_t message[sizeof(struct bin_ticks) + BURST_MAX * TICK_BIN_MAX];
    uint64_t now = clock_real_ns();
    struct bin_ticks head = {.head = {.type = BIN_TICKS, .count = (uint16_t)ticks},
                             .from = SEQ_FIRST - 1,
                             .to = SEQ_FIRST - 1 + ticks};
    memcpy(message, &head, sizeof head);
    uint32_t size = sizeof head;
    for (uint32_t i = 0; i < ticks; i++) {
        struct tick t = {.kind = TICK_TRADE,
                         .symbol = i * 7919 % 500,
                         .price_exp = -2,
                         .event_ns = (int64_t)now,
                         .trade = {.price = 100000 + i, .size = 1000 + i}};
        size += tick_bin(message + size, &t, (uint16_t)(ticks - 1 - i));
    }
    return put_frame(out, WS_BINARY, message, size);
}

void stream_publish(struct floor_stream *s, const struct floor_options *o)
{
    uint64_t now = clock_real_ns();
    if (s->start_ns == 0) s->start_ns = now;
    for (;;) {
        uint64_t due = s->start_ns + (uint64_t)((double)s->ticks / o->rate * 1e9);
        if (due > now) {
            s->next_mono_ns = clock_mono_ns() + (due - now);
            return;
        }
        put_tick(s->bytes + s->head % s->size, s->ticks, due);
        s->head += s->tick_bytes;
        s->ticks++;
    }
}

bool stream_range(const struct floor_stream *s, const struct floor_options *o, struct floor_client *c,
                  const uint8_t **bytes, uint64_t *size)
{
    if (s->head - c->at > s->size) {
        if (o->rate > 0) return false;
        if (c->at % s->size == 0) c->at = s->head - s->size;
    }
    uint64_t offset = c->at % s->size, here = s->size - offset, left = s->head - c->at;
    *bytes = s->bytes + offset;
    *size = left < here ? left : here;
    return true;
}
