/* worker/worker_deflate.c -- permessage-deflate (RFC 7692): frames packed once for everybody in a group, and
 * a client's messages unpacked.
 *
 * Connections that agreed on it stand in groups of their own (group_key.deflate), so packing touches no
 * client structure: what is rendered for a cohort is packed as a whole, and its members get the same bytes. A
 * frame that is short (--deflate-min), is for few (--deflate-members) or hardly becomes smaller goes out as
 * it is; after one of the last the next ones of its group are not even tried. */
#include "worker/worker_internal.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "wire/ws_deflate.h"

#define HEAD_MAX     4u  /* of a frame of at most FRAME_BYTES_MAX */
#define PAYS_PERCENT 90u /* packed to more than this: sent as it is */
#define PAUSE_FRAMES 64u /* of the group that are not tried after that */

static struct packed_set *packed_of(struct packing *p, const struct group *g);
static struct packed_set *packed_of_new(struct packing *p, const struct group *g);
static void packed_keep(struct packed *k, const struct render_in *in, const uint8_t *bytes,
                        const struct render_out *out);
static bool packed_again(const struct packed *k, const struct render_in *in, uint8_t *room,
                         struct render_out *out);
static bool serves(const struct render_in *k, const struct render_in *in);
static void pack_frames(struct worker *w, struct group *g, const uint8_t *frames, struct render_out *out,
                        uint8_t *room);

int deflate_visit(struct worker *w, struct group *g, const struct render_in *in, uint8_t *room,
                  struct render_out *out)
{
    struct packed_set *k = packed_of(w->packing, g);
    if (k) {
        k->used = ++w->packing->uses;
        if (packed_again(&k->ahead, in, room, out) || packed_again(&k->apart, in, room, out)) return 0;
    }
    /* One that stands elsewhere than the rest comes to where they stand, and is in step from then on. */
    bool apart = k && in->from < k->ahead.out.to && k->ahead.out.to <= in->to;
    struct render_in to_ahead = *in;
    if (apart) to_ahead.to = k->ahead.out.to;
    int result = deflate_render(w, g, &to_ahead, room, out);
    if (result < 0 || out->frames == 0 || g->cohort_count < 2) {
        if (k && !apart) k->group_born = k->used = 0;
        return result;
    }
    if (!k) k = packed_of_new(w->packing, g);
    packed_keep(apart ? &k->apart : &k->ahead, &to_ahead, room, out);
    return 0;
}

/* The group's own, or NULL. */
static struct packed_set *packed_of(struct packing *p, const struct group *g)
{
    for (uint32_t i = 0; i < PACKED_KEPT; i++)
        if (p->kept[i].group_born == g->born) return &p->kept[i];
    return NULL;
}

/* In the place of the one that was not used for longest; free ones first. */
static struct packed_set *packed_of_new(struct packing *p, const struct group *g)
{
    struct packed_set *k = &p->kept[0];
    for (uint32_t i = 1; i < PACKED_KEPT; i++)
        if (p->kept[i].used < k->used) k = &p->kept[i];
    k->group_born = g->born;
    k->used = ++p->uses;
    k->apart.out.frames = 0;
    return k;
}

static void packed_keep(struct packed *k, const struct render_in *in, const uint8_t *bytes,
                        const struct render_out *out)
{
    k->in = *in;
    render_out_copy(&k->out, out);
    memcpy(k->bytes, bytes, out->bytes);
}

/* True: they are the same bytes again. */
static bool packed_again(const struct packed *k, const struct render_in *in, uint8_t *room,
                         struct render_out *out)
{
    if (k->out.frames == 0 || !serves(&k->in, in)) return false;
    render_out_copy(out, &k->out);
    memcpy(room, k->bytes, out->bytes);
    return true;
}

int deflate_render(struct worker *w, struct group *g, const struct render_in *in, uint8_t *room,
                   struct render_out *out)
{
    int result = render_run(in, &w->scratch, w->packing->plain, out);
    if (result == 0 && out->frames > 0) pack_frames(w, g, w->packing->plain + out->start, out, room);
    return result;
}

/* Though more has come since: who was in step stays in step, or each cohort would stand where no other does,
 * and be packed for alone from then on. The rest comes with its next visit. */
static bool serves(const struct render_in *k, const struct render_in *in)
{
    return k->from == in->from && k->to <= in->to && k->position == in->position && k->force == in->force &&
           k->conflate == in->conflate && k->scan_max == in->scan_max && k->bytes_max == in->bytes_max &&
           k->conflated_before == in->conflated_before;
}

/* The ends of frames move along with their bytes. */
static void pack_frames(struct worker *w, struct group *g, const uint8_t *frames, struct render_out *out,
                        uint8_t *room)
{
    uint32_t at = 0, from = 0;
    for (uint32_t i = 0; i < out->frames; i++) {
        uint32_t end = out->ends[i].offset;
        at += deflate_frame(w, g, frames + from, end - from, room + at);
        from = end;
        out->ends[i].offset = at;
    }
    TC_ASSERT(from == out->bytes);
    TC_ASSERT(at <= out->bytes);
    out->start = 0;
    out->bytes = at;
}

uint32_t deflate_frame(struct worker *w, struct group *g, const uint8_t *frame, uint32_t size, uint8_t *room)
{
    uint32_t head = frame[1] == 126 ? 4 : 2, payload = size - head;
    TC_ASSERT(frame[1] <= 126); /* a data frame's length fits 16 bits, and nothing is masked */
    bool try = payload >= w->settings->deflate_bytes_least &&
               g->subscriber_count >= w->settings->deflate_members_least;
    if (try && g->deflate_pause > 0) {
        g->deflate_pause--;
        try = false;
    }
    uint32_t packed = 0;
    if (try) {
        if (w->turn_packs_left > 0) w->turn_packs_left--; /* a visit that was begun is ended */
        packed = deflater_pack(w->packing->deflater, WS_DEFLATE_BITS, frame + head, payload, room + HEAD_MAX,
                               payload * PAYS_PERCENT / 100 + WS_DEFLATE_FLUSH);
        if (packed == 0) g->deflate_pause = PAUSE_FRAMES;
    }
    if (packed == 0) {
        counter_add(&w->counters.deflate_skipped_total, 1);
        memcpy(room, frame, size);
        return size;
    }
    uint8_t fresh[WS_HEAD_MAX];
    uint32_t fresh_head = ws_frame_head(fresh, (enum ws_opcode)(frame[0] & 0x0F), packed);
    TC_ASSERT(fresh_head <= head);
    memcpy(room, fresh, fresh_head);
    room[0] |= WS_DEFLATE_RSV1;
    if (fresh_head < HEAD_MAX) memmove(room + fresh_head, room + HEAD_MAX, packed);
    counter_add(&w->counters.deflate_frames_total, 1);
    counter_add(&w->counters.deflate_in_bytes_total, payload);
    counter_add(&w->counters.deflate_out_bytes_total, packed);
    return fresh_head + packed;
}

/* Into the worker's own buffer, which is good until the next message. On failure m says why, as ws_read
 * would. */
bool deflate_unpack(struct worker *w, struct ws_message *m)
{
    uint32_t most = (uint32_t)w->settings->message_bytes_max, size = 0;
    uint8_t *out = w->packing->message;
    enum deflater_result result =
        deflater_unpack(w->packing->deflater, m->payload, m->size, out, most, &size);
    bool text_ok = m->opcode != WS_TEXT || utf8_feed(UTF8_OK, out, size) == UTF8_OK;
    m->payload = out;
    m->size = size;
    m->packed = false;
    if (result == DEFLATER_OK && text_ok) return true;
    bool big = result == DEFLATER_TOO_BIG;
    m->close_code = big ? WS_TOO_BIG : WS_BAD_DATA;
    m->fail = big ? "message_too_big" : result == DEFLATER_BAD ? "bad_deflate" : "invalid_utf8";
    return false;
}

uint32_t deflate_echo(struct worker *w, const struct conn *c, const struct ws_message *m, uint8_t *out)
{
    uint8_t bits = (uint8_t)(8 + (c->flags >> CF_WINDOW_SHIFT & 7));
    return deflater_pack(w->packing->deflater, bits, m->payload, m->size, out, m->size);
}
