/* worker/worker_age.c -- how old ticks are at the end of each of this worker's stages: read, render, socket.
 *
 * Render and socket count once per delivery, when it has come to one: what a socket refused is rendered and
 * offered again, and counts then. */
#include "worker/worker_internal.h"

#include "base/assert.h"

static struct sampled look_up(const struct worker *w, uint64_t seq);

uint64_t age_now(const struct worker *w)
{
    return w->options.stamp_ns ? w->options.stamp_ns() : w->real_ns;
}

void age_read(struct worker *w, uint64_t from, const struct tick *ticks, uint32_t count)
{
    uint64_t now_ns = age_now(w);
    for (uint64_t seq = age_sample_after(from); seq <= from + count; seq += AGE_SAMPLE) {
        const struct tick *t = &ticks[seq - from - 1];
        TC_ASSERT(t->seq == seq);
        struct sampled one = {.seq = seq, .event_ns = t->event_ns, .timed = tick_is_timed(t->kind)};
        w->sampled[seq / AGE_SAMPLE % SAMPLED] = one;
        if (one.timed) ages_record(&w->counters.read_age, now_ns, one.event_ns, 1);
    }
}

/* Of who is in step it was read a moment ago; else out of the log. One that the log has overwritten since it
 * was rendered has the time 0: it is untimed. */
static struct sampled look_up(const struct worker *w, uint64_t seq)
{
    const struct sampled *s = &w->sampled[seq / AGE_SAMPLE % SAMPLED];
    if (s->seq == seq) return *s;
    struct tick t;
    if (log_read(w->log, seq - 1, &t, 1) != 1) return (struct sampled){.seq = seq, .timed = true};
    return (struct sampled){.seq = seq, .event_ns = t.event_ns, .timed = tick_is_timed(t.kind)};
}

void age_count(struct worker *w, const struct render_out *out, uint64_t rendered_ns, uint64_t read,
               uint32_t deliveries)
{
    uint32_t left = out->sampled;
    for (uint32_t i = 0; left > 0; i++) {
        TC_ASSERT(i < RENDER_SAMPLES);
        if (!(out->sample_map[i / 64] >> i % 64 & 1)) continue;
        left--;
        uint64_t seq = out->sample_first + (uint64_t)i * AGE_SAMPLE;
        if (seq > read) return; /* of single ticks those that the socket took */
        struct sampled t = look_up(w, seq);
        if (!t.timed) continue;
        ages_record(&w->counters.render_age, rendered_ns, t.event_ns, deliveries);
        ages_record(&w->counters.socket_age, w->offered_real_ns, t.event_ns, deliveries);
    }
}
