/* render/render.c -- frames out of selected ticks. See render.h. */
#include "render/render.h"

#include "base/assert.h"
#include "render/render_internal.h"
#include "wire/ws.h"

static int emit_batch(const struct render_in *in, struct render_scratch *s, uint32_t count, uint8_t *out,
                      struct render_out *result);
static int emit_ticks(const struct render_in *in, struct render_scratch *s, uint32_t count, uint8_t *out,
                      struct render_out *result);
static void map_samples(const struct render_in *in, const struct kept *kept, uint32_t count,
                        struct render_out *result);
static int put_tick(const struct render_in *in, const struct kept *k, uint8_t *p);
static uint8_t *put_covered(uint8_t *p, uint64_t from, uint64_t to, uint32_t conflated);

int render(const struct render_in *in, struct render_scratch *s, uint8_t *out, struct render_out *result)
{
    TC_ASSERT(in->position <= in->from);
    TC_ASSERT(in->from <= in->to);
    result->to = in->from;
    result->start = result->bytes = result->frames = result->ticks = result->definitions = 0;
    result->sampled = 0;
    result->conflated = 0;
    result->more = false;
    int count = select_ticks(in, s, result);
    if (count < 0) return count;
    if (result->ticks + result->definitions == 0 && !(in->force && in->position < result->to)) return 0;
    if (age_sampled(in->from, result->to)) map_samples(in, s->kept, (uint32_t)count, result);
    if (in->framing == FRAME_TICK) return emit_ticks(in, s, (uint32_t)count, out, result);
    return (in->encoding == ENCODING_BINARY ? emit_batch_bin : emit_batch)(in, s, (uint32_t)count, out,
                                                                           result);
}

/* Which of the ticks that whoever counts ages looks at are in this output: not filtered out, not conflated
 * away. Where nothing was left out their places are known; else all that was kept is looked through, which a
 * list makes short. */
__attribute__((noinline)) static void map_samples(const struct render_in *in, const struct kept *kept,
                                                  uint32_t count, struct render_out *result)
{
    result->sample_first = age_sample_after(in->from);
    memset(result->sample_map, 0, sizeof result->sample_map);
    bool dense = count > 0 && kept[count - 1].seq - kept[0].seq == count - 1;
    uint64_t first =
        dense ? max_u64(result->sample_first, age_sample_after(kept[0].seq - 1)) - kept[0].seq : 0;
    for (uint64_t i = first; i < count; i += dense ? AGE_SAMPLE : 1) {
        if (kept[i].seq % AGE_SAMPLE != 0 || kept[i].size == 0) continue;
        uint64_t bit = (kept[i].seq - result->sample_first) / AGE_SAMPLE;
        TC_ASSERT(bit < RENDER_SAMPLES);
        result->sample_map[bit / 64] |= UINT64_C(1) << bit % 64;
        result->sampled++;
    }
}

static int emit_batch(const struct render_in *in, struct render_scratch *s, uint32_t count, uint8_t *out,
                      struct render_out *result)
{
    uint8_t *body = out + RENDER_SLACK, *p = body;
    for (uint32_t i = 0; i < count; i++) {
        if (s->kept[i].size == 0) continue;
        int size = log_read_json(in->log, s->kept[i].seq, (char *)p);
        if (size < 0) return size;
        p += size;
        *p++ = ',';
    }
    if (p > body) p--; /* the last comma */
    *p++ = ']';
    *p++ = '}';

    uint8_t range[ENVELOPE_MAX], *r = range;
    r = put_literal(r, TEXT("{\"type\":\"ticks\",\"from\":"));
    r = put_u64(r, in->position);
    r = put_literal(r, TEXT(",\"to\":"));
    r = put_u64(r, result->to);
    if (result->conflated > 0) {
        r = put_literal(r, TEXT(",\"conflated\":"));
        r = put_u64(r, result->conflated);
    }
    uint8_t *start =
        put_batch_prefix(body, (uint32_t)(p - body), (struct text){(char *)range, (size_t)(r - range)});
    batch_done(result, out, start, p);
    return 0;
}

void batch_done(struct render_out *result, const uint8_t *out, const uint8_t *start, const uint8_t *end)
{
    TC_ASSERT(end - start <= (int64_t)FRAME_BYTES_MAX);
    result->start = (uint32_t)(start - out);
    result->bytes = (uint32_t)(end - start);
    batch_ended(result);
}

uint8_t *put_batch_prefix(uint8_t *body, uint32_t body_bytes, struct text type_and_range)
{
    struct text opening = TEXT(",\"ticks\":[");
    uint8_t *p = body - opening.size;
    memcpy(p, opening.at, opening.size);
    p -= type_and_range.size;
    memcpy(p, type_and_range.at, type_and_range.size);
    return p - ws_frame_head_before(p, WS_TEXT, body_bytes + opening.size + type_and_range.size);
}

static int emit_ticks(const struct render_in *in, struct render_scratch *s, uint32_t count, uint8_t *out,
                      struct render_out *result)
{
    bool binary = in->encoding == ENCODING_BINARY;
    uint8_t *p = out;
    uint32_t conflated = in->conflated_before;
    for (uint32_t i = 0; i < count; i++) {
        conflated += s->kept[i].dropped + (s->kept[i].size == 0);
        if (s->kept[i].size == 0) continue;
        struct frame_end *end = &result->ends[result->frames++];
        *end = (struct frame_end){.position = s->kept[i].seq, .conflated = conflated};
        int size = binary ? put_tick_bin(in, &s->kept[i], p, &end->definition) : put_tick(in, &s->kept[i], p);
        if (size < 0) return size;
        p += size;
        end->offset = (uint32_t)(p - out);
    }
    if (conflated > 0 || (in->force && in->position < result->to)) {
        result->conflated = conflated;
        p = (binary ? put_covered_bin : put_covered)(p, in->position, result->to, conflated);
        result->ends[result->frames++] =
            (struct frame_end){.offset = (uint32_t)(p - out), .position = result->to, .covered = true};
    }
    result->bytes = (uint32_t)(p - out);
    return 0;
}

/* Returns the bytes of the frame, or TC_LAPPED. */
static int put_tick(const struct render_in *in, const struct kept *k, uint8_t *p)
{
    uint32_t head = ws_frame_head(p, WS_TEXT, k->size);
    int size = log_read_json(in->log, k->seq, (char *)p + head);
    if (size < 0) return size;
    TC_ASSERT((uint32_t)size == k->size);
    return (int)head + size;
}

static uint8_t *put_covered(uint8_t *p, uint64_t from, uint64_t to, uint32_t conflated)
{
    uint8_t text[COVERED_MAX], *r = text;
    r = put_literal(r, TEXT("{\"type\":\"covered\",\"from\":"));
    r = put_u64(r, from);
    r = put_literal(r, TEXT(",\"to\":"));
    r = put_u64(r, to);
    if (conflated > 0) {
        r = put_literal(r, TEXT(",\"conflated\":"));
        r = put_u64(r, conflated);
    }
    *r++ = '}';
    uint32_t size = (uint32_t)(r - text);
    p += ws_frame_head(p, WS_TEXT, size);
    memcpy(p, text, size);
    return p + size;
}
