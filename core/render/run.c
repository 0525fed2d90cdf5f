/* render/run.c -- several batch frames in one output. See render_run in render.h. */
#include "base/assert.h"
#include "render/render_internal.h"

static bool has_room(const struct render_in *in, const struct render_out *run);
static int render_next(const struct render_in *in, struct render_scratch *s, uint8_t *at,
                       const struct render_out *run, struct render_out *next);
static void append(struct render_out *run, const struct render_out *next);
static void append_samples(struct render_out *run, const struct render_out *next);

void render_more(const struct render_in *in, struct render_scratch *s, uint8_t *out,
                 struct render_out *result)
{
    while (result->more && has_room(in, result)) {
        struct render_out next;
        uint8_t *end = out + result->start + result->bytes;
        if (render_next(in, s, end, result, &next) < 0) return; /* lapped since: what is there counts */
        if (next.frames == 0) return; /* nothing matched: looked at again when there is more */
        memmove(end, end + next.start, next.bytes);
        append(result, &next);
    }
}

static bool has_room(const struct render_in *in, const struct render_out *run)
{
    uint32_t bytes_max = min_u32(in->bytes_max, RENDER_BYTES_MAX);
    bool fits = bytes_max - run->bytes >= FRAME_BYTES_MAX &&
                run->start + run->bytes + FRAME_BYTES_MAX <= RENDER_BYTES_MAX; /* rendered behind its slack */
    return fits && run->to - in->from < scan_limit(in) && run->frames < RENDER_FRAMES_MAX;
}

/* From where the run ends, and looking no further from its beginning than one call may. */
static int render_next(const struct render_in *in, struct render_scratch *s, uint8_t *at,
                       const struct render_out *run, struct render_out *next)
{
    struct render_in then = *in;
    then.from = then.position = run->to;
    then.scan_max = scan_limit(in) - (uint32_t)(run->to - in->from);
    then.bytes_max = FRAME_BYTES_MAX;
    then.force = false;
    return render(&then, s, at, next);
}

static void append(struct render_out *run, const struct render_out *next)
{
    TC_ASSERT(next->frames == 1);
    append_samples(run, next);
    run->to = next->to;
    run->more = next->more;
    run->bytes += next->bytes;
    run->ticks += next->ticks;
    run->definitions += next->definitions;
    run->conflated += next->conflated;
    batch_ended(run);
}

static void append_samples(struct render_out *run, const struct render_out *next)
{
    if (next->sampled == 0) return;
    if (run->sampled == 0) {
        run->sample_first = next->sample_first;
        memset(run->sample_map, 0, sizeof run->sample_map);
    }
    run->sampled += next->sampled;
    uint64_t shift = (next->sample_first - run->sample_first) / AGE_SAMPLE;
    for (uint64_t word = 0; word < sizeof next->sample_map / sizeof next->sample_map[0]; word++)
        for (uint64_t bits = next->sample_map[word]; bits != 0; bits &= bits - 1) {
            uint64_t bit = shift + word * 64 + (uint64_t)__builtin_ctzll(bits);
            TC_ASSERT(bit < RENDER_SAMPLES);
            run->sample_map[bit / 64] |= UINT64_C(1) << bit % 64;
        }
}
