/* render/render_internal.h -- what the two halves of render share: selecting ticks, and encoding what was
 * selected. For render/ only. */
#ifndef TC_RENDER_RENDER_INTERNAL_H
#define TC_RENDER_RENDER_INTERNAL_H

#include "render/render.h"
#include "tick/digits.h"

/* What one frame costs beside its ticks. */
#define ENVELOPE_MAX      160u /* head, and everything of a batch frame that is not a tick; put_u64's slack */
#define COVERED_MAX       160u /* a whole `covered` frame; the slack too */
#define TICK_HEAD_MAX     4u   /* frame head of a tick by itself */
#define BIN_TICK_HEAD_MAX 20u  /* the same in binary, with the message's own head */
_Static_assert(sizeof "{'type':'snapshot','seq':,'since':,'more':true,'conflated':" + 3 * 20 + DIGITS_SLACK <=
                   ENVELOPE_MAX,
               "three numbers and more words than any head of a frame has");
_Static_assert(ENVELOPE_MAX <= COVERED_MAX, "a `covered` has no more of either");
_Static_assert(ENVELOPE_MAX + TICK_JSON_MAX <= RENDER_SLACK + FRAME_BYTES_MAX, "a frame holds any one tick");
_Static_assert(TICK_JSON_MAX + 16 <= RENDER_SLACK + COVERED_MAX, "copies in words may run over a tick's end");

/* Log positions that a call looks at, at most. */
static inline uint32_t scan_limit(const struct render_in *in)
{
    return in->scan_max ? min_u32(in->scan_max, RENDER_SCAN_MAX) : RENDER_SCAN_MAX;
}

/* Fills s->kept[0..] with the matching ticks of (from, to], oldest first (size 0: conflated away), and sets
 * to, ticks, conflated, more. Returns the entries in kept, or TC_LAPPED. */
int select_ticks(const struct render_in *in, struct render_scratch *s, struct render_out *result);

/* As their JSON twins of render.c (see there). */
int emit_batch_bin(const struct render_in *in, struct render_scratch *s, uint32_t count, uint8_t *out,
                   struct render_out *result);
int put_tick_bin(const struct render_in *in, const struct kept *k, uint8_t *p, bool *definition);
uint8_t *put_covered_bin(uint8_t *p, uint64_t from, uint64_t to, uint32_t conflated);
/* The output ends with a batch frame, which covers up to result->to; everything else in result includes it.
 */
static inline void batch_ended(struct render_out *result)
{
    result->ends[result->frames++] = (struct frame_end){.position = result->to,
                                                        .offset = result->bytes,
                                                        .conflated = (uint32_t)result->conflated,
                                                        .ticks = result->ticks};
}
/* The output is one batch frame, from start to end. result->frames is 0 before. */
void batch_done(struct render_out *result, const uint8_t *out, const uint8_t *start, const uint8_t *end);
void snapshot_bin(const struct snapshot_in *in, uint8_t *out, struct snapshot_out *result);

/* Decimal digits of v at p; returns past the last. Writes up to DIGITS_SLACK bytes more. */
static inline uint8_t *put_u64(uint8_t *p, uint64_t v)
{
    return (uint8_t *)digits_u64((char *)p, v);
}
static inline uint8_t *put_literal(uint8_t *p, struct text t)
{
    memcpy(p, t.at, t.size);
    return p + t.size;
}
/* Puts the prefix of a batch frame (`{"type":"ticks",...,"ticks":[`) and its WebSocket head just before body,
 * whose bytes (closing brackets included) follow. Returns the frame's first byte. */
uint8_t *put_batch_prefix(uint8_t *body, uint32_t body_bytes, struct text type_and_range);

#endif
