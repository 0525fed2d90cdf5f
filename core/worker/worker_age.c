/* worker/worker_age.c -- how old ticks are at the end of each of this worker's stages: read, render, socket.
 *
 * Render and socket count once per delivery, when it has come to one: what a socket refused is rendered and
 * offered again, and counts then. */
#include "worker/worker_internal.h"

#include "base/assert.h"

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
        if (tick_is_timed(t->kind)) ages_record(&w->counters.read_age, now_ns, t->event_ns, 1);
    }
}

uint64_t age_rendered(struct worker *w, const struct render_out *out)
{
    if (out->sampled == 0) return 0;
    w->any_sampled = true;
    return age_now(w);
}

void age_offered(struct worker *w)
{
    if (!w->any_sampled) return;
    w->any_sampled = false;
    w->offered_real_ns = age_now(w);
}

void age_delivered(struct worker *w, const struct render_out *out, uint64_t rendered_ns, uint64_t read,
                   uint32_t deliveries)
{
    uint32_t left = deliveries > 0 ? out->sampled : 0;
    for (uint32_t i = 0; left > 0; i++) {
        TC_ASSERT(i < RENDER_SAMPLES);
        if (!(out->sample_map[i / 64] >> i % 64 & 1)) continue;
        left--;
        uint64_t seq = out->sample_first + (uint64_t)i * AGE_SAMPLE;
        if (seq > read) return; /* of single ticks those that the socket took */
        struct tick t;
        bool held = log_read(w->log, seq - 1, &t, 1) == 1;
        if (held && !tick_is_timed(t.kind)) continue;
        int64_t event_ns = held ? t.event_ns : 0; /* overwritten since it was rendered: untimed */
        ages_record(&w->counters.render_age, rendered_ns, event_ns, deliveries);
        ages_record(&w->counters.socket_age, w->offered_real_ns, event_ns, deliveries);
    }
}
