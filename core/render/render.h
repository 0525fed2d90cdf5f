/* render/render.h -- the pure heart: frames made out of the log.
 *
 *     render(filter, encoding, framing, conflate, (from, to], limits) -> bytes
 *
 * No state, no I/O: the same arguments and the same log give the same bytes. Live batch, catch-up of a slow
 * reader, conflation, resume: calls with other arguments. The property test holds it against a reference
 * filter written the obvious way (tests/property/render). Thread: any; the scratch belongs to the caller. */
#ifndef TC_RENDER_RENDER_H
#define TC_RENDER_RENDER_H

#include "base/age.h"
#include "config/limits.h"
#include "config/subscription.h"
#include "render/filter.h"
#include "render/trail.h"

#define RENDER_FRAMES_MAX 256u                   /* WebSocket frames of one call */
#define RENDER_SCAN_MAX   16384u                 /* log positions looked at by one call (decision 19) */
#define RENDER_BYTES_MAX  (4u * FRAME_BYTES_MAX) /* bytes of one call */
#define RENDER_KEEP_MAX   1024u                  /* ticks of one frame: none is shorter than 16 bytes */
#define RENDER_SAMPLES    (RENDER_SCAN_MAX / AGE_SAMPLE) /* multiples of AGE_SAMPLE in one call's range */

/* Where a frame of the output ends, and the position of a client that has it whole. */
struct frame_end {
    uint64_t
        position; /* for FRAME_BATCH (and `covered`): what was covered; for a tick frame: the tick's seq */
    uint32_t offset;
    uint32_t conflated; /* FRAME_BATCH: told by the frames up to this one; FRAME_TICK: left out before it */
    uint32_t ticks;     /* FRAME_BATCH: in the frames up to this one */
    bool covered;       /* FRAME_TICK: this is the `covered` frame */
    bool definition;    /* FRAME_TICK, binary: it defines a symbol; no tick */
};

/* Reused from call to call; contents mean nothing between calls. Owner: the worker. */
struct render_scratch {
    uint32_t keys[512];
    uint64_t wanted[RENDER_SCAN_MAX / 64]; /* a bit for each position of a short list's ticks */
    struct kept {
        uint64_t seq;
        uint32_t size;    /* bytes it may take; 0: conflated away */
        uint32_t dropped; /* entries conflated away just before this one and no longer in the list */
        uint32_t moved_to;
    } kept[RENDER_KEEP_MAX];
    struct seen { /* conflation: the newest entry of each key; of this call if it has its stamp */
        uint64_t a, b;
        uint32_t index, stamp;
    } seen[2 * RENDER_KEEP_MAX];
    uint32_t stamp;
};

struct render_in {
    const struct log *log;
    const struct filter *filter;
    const struct trail *trail; /* or NULL: makes short lists cheaper, changes no byte */
    uint64_t from, to;         /* (from, to]; to <= head */
    uint64_t position; /* what the envelope says as "from": <= from; nothing in (position, from] matches */
    uint32_t scan_max; /* at most so many log positions, and RENDER_SCAN_MAX; 0: that */
    uint32_t
        conflated_before; /* FRAME_TICK: left out before and not yet told: counted in this call's `covered` */
    uint32_t bytes_max;   /* at most RENDER_BYTES_MAX */
    enum framing framing;
    enum encoding encoding;
    bool conflate;
    bool force; /* a batch frame even if nothing matches: it moves the position */
};

struct render_out {
    uint64_t to;           /* how far the log was read: all matching ticks up to it are in the bytes */
    uint32_t start, bytes; /* the frames are at out + start */
    uint32_t frames, ticks;
    uint32_t definitions; /* binary: symbols defined among the ticks, and not counted in them */
    uint64_t conflated;
    bool more;                                /* stopped by a limit before `to` */
    uint32_t sampled;                         /* ticks in the bytes whose seq is a multiple of AGE_SAMPLE */
    uint64_t sample_first;                    /* if there are any: bit i of the map is the seq */
    uint64_t sample_map[RENDER_SAMPLES / 64]; /* sample_first + i * AGE_SAMPLE */
    struct frame_end ends[RENDER_FRAMES_MAX]; /* offsets from start */
};

/* Copies what is used of a result: the ends of its frames, most of its 6 KB, only as far as there are frames.
 */
static inline void render_out_copy(struct render_out *to, const struct render_out *from)
{
    memcpy(to, from, offsetof(struct render_out, ends) + from->frames * sizeof from->ends[0]);
}

/* out: RENDER_BYTES_MAX + RENDER_SLACK bytes. Returns 0, or TC_LAPPED: (from, ...] is not wholly in the log
 * any more; nothing of the output counts then. With 0 frames nothing matched up to out->to. */
#define RENDER_SLACK 512u
int render(const struct render_in *in, struct render_scratch *scratch, uint8_t *out,
           struct render_out *result);

/* Further frames behind those in result, which stopped at a limit. For render_run. */
void render_more(const struct render_in *in, struct render_scratch *scratch, uint8_t *out,
                 struct render_out *result);

/* As render, and with FRAME_BATCH further frames behind the first while bytes_max and `out` have room for one
 * of FRAME_BYTES_MAX (RENDER_BYTES_MAX: three full ones, four where they end a little early): what render()
 * gives when it is called again from where it stopped. A send costs the kernel the same whatever it carries,
 * so who is owed more than a frame gets them in one. out->to is what the last frame covers. */
static inline int render_run(const struct render_in *in, struct render_scratch *scratch, uint8_t *out,
                             struct render_out *result)
{
    int r = render(in, scratch, out, result);
    bool whole = r < 0 || !result->more || result->frames == 0 || in->framing != FRAME_BATCH;
    if (!whole) render_more(in, scratch, out, result);
    return r;
}

/* ---- Snapshots (decisions 5, 7). ---- */

struct snapshot_in {
    const struct last_value *last;
    const struct symbol_table *symbols;
    const struct filter *filter;
    enum encoding encoding;
    const struct filter
        *minus;        /* what the client already holds, or NULL: the snapshot of what is new (decision 8) */
    uint64_t position; /* "seq": last values as of it */
    uint64_t since;    /* only values newer than it; 0: all */
    bool since_told;   /* "since" stands in the message (after a gap) */
    uint32_t id_from;  /* first symbol of this piece */
    uint32_t id_end;   /* symbols known to the worker */
};
struct snapshot_out {
    uint32_t start, bytes; /* one whole frame at out + start */
    uint32_t id_next;      /* first symbol of the next piece; == id_end: this was the last */
    uint32_t ticks;        /* or definitions */
};
/* One piece, at most FRAME_BYTES_MAX. Thread: last's owner. out as for render. */
void render_snapshot(const struct snapshot_in *in, uint8_t *out, struct snapshot_out *result);

/* One piece of the definitions that a binary client gets before snapshot and data (decision 27): symbols from
 * in->id_from on that the filter names and `minus` does not. `since` and `last` mean nothing here. bytes 0:
 * there are none. */
void render_definitions(const struct snapshot_in *in, uint8_t *out, struct snapshot_out *result);

#endif
