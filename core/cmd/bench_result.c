#include "cmd/bench_internal.h"

static void gather_thread(struct bench_result *r, const struct bench_thread *t);
static void add_counts(struct bench_counts *into, const struct bench_counts *from);
static void add_connects(struct bench_connects *into, const struct bench_connects *from);

void bench_gather(const struct bench *b, struct bench_result *r)
{
    latency_reset(&r->latency);
    latency_reset(&r->handshakes);
    latency_reset(&r->subscribes);
    r->open = atomic_load(&b->open);
    for (uint32_t i = 0; i < b->thread_count; i++) gather_thread(r, &b->threads[i]);
    for (int role = 0; role < ROLES; role++) r->failed |= r->counts[role].broken || r->counts[role].lost;
    r->failed |= r->verified.lies > 0;
}

static void gather_thread(struct bench_result *r, const struct bench_thread *t)
{
    for (int role = 0; role < ROLES; role++) add_counts(&r->counts[role], &t->counts[role]);
    uint64_t *into = (uint64_t *)&r->verified;
    const uint64_t *from = (const uint64_t *)&t->verified;
    for (size_t k = 0; k < sizeof r->verified / sizeof *into; k++) into[k] += from[k];
    if (!r->first.text[0]) r->first = t->first;
    double seconds = (double)(t->end_ns - t->begin_ns) / 1e9;
    if (seconds <= 0) return;
    double cpu = (double)(t->cpu_end_ns - t->cpu_begin_ns) / 1e9 / seconds;
    r->cpu_all += cpu;
    r->cpu_most = cpu > r->cpu_most ? cpu : r->cpu_most; /* the reference's too: where it is late, all is */
    if (t->reference) return;
    latency_merge(&r->latency, t->latency);
    latency_merge(&r->handshakes, t->handshakes);
    latency_merge(&r->subscribes, t->subscribes);
    series_merge(&r->series, t->series);
    add_connects(&r->connects, &t->connects);
    r->seconds = seconds > r->seconds ? seconds : r->seconds;
}

static void add_counts(struct bench_counts *into, const struct bench_counts *from)
{
    uint64_t *a = (uint64_t *)into;
    const uint64_t *b = (const uint64_t *)from;
    uint64_t silence = max_u64(into->silence_ns, from->silence_ns);
    for (size_t i = 0; i < sizeof *into / sizeof *a; i++) a[i] += b[i];
    into->silence_ns = silence;
}

static void add_connects(struct bench_connects *into, const struct bench_connects *from)
{
    bool first = into->ramp == 0;
    if (from->ramp) {
        into->ramp_begin_ns = first ? from->ramp_begin_ns : min_u64(into->ramp_begin_ns, from->ramp_begin_ns);
        into->ramp_end_ns = max_u64(into->ramp_end_ns, from->ramp_end_ns);
    }
    into->ramp += from->ramp;
    into->measured += from->measured;
}

double bench_ramp_seconds(const struct bench_connects *n)
{
    return (double)(n->ramp_end_ns - n->ramp_begin_ns) / 1e9;
}

struct bench_deflated bench_deflated(const struct bench_result *r)
{
    struct bench_deflated d = {.ratio = 1};
    const struct bench_counts *readers = &r->counts[ROLE_READER];
    for (int role = 0; role < ROLES; role++) {
        d.agreed += r->counts[role].deflate_agreed;
        d.takeover += r->counts[role].deflate_takeover;
        d.refused += r->counts[role].deflate_refused;
    }
    if (readers->bytes) d.ratio = (double)bench_unpacked_bytes(readers) / (double)readers->bytes;
    return d;
}
