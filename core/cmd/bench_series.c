#include "cmd/bench_series.h"

#include "base/bytes.h"
#include "base/clock.h"

#define STEP_LEAST_NS (100 * NS_PER_MS)
#define SUB           (1u << SERIES_SUB_BITS)

static uint32_t bucket_of(uint64_t value);
static uint64_t bucket_most(uint32_t bucket);

void series_begin(struct bench_series *s, uint64_t begin_ns, uint64_t duration_ns)
{
    memset(s, 0, sizeof *s);
    s->begin_ns = begin_ns;
    s->step_ns = max_u64(STEP_LEAST_NS, duration_ns / (SERIES_INTERVALS - 1));
}

struct series_interval *series_now(struct bench_series *s, uint64_t now_ns)
{
    uint64_t i = now_ns > s->begin_ns ? (now_ns - s->begin_ns) / s->step_ns : 0;
    i = min_u64(i, SERIES_INTERVALS - 1);
    if (s->count <= i) s->count = (uint32_t)i + 1;
    return &s->at[i];
}

void series_latency(struct series_interval *i, uint64_t value_ns)
{
    i->latency[bucket_of(value_ns)]++;
    i->samples++;
}

void series_merge(struct bench_series *into, const struct bench_series *from)
{
    if (into->step_ns == 0) into->step_ns = from->step_ns;
    if (into->count < from->count) into->count = from->count;
    for (uint32_t i = 0; i < from->count; i++) {
        struct series_interval *a = &into->at[i];
        const struct series_interval *b = &from->at[i];
        a->ticks += b->ticks;
        a->messages += b->messages;
        a->bytes += b->bytes;
        a->saved_bytes += b->saved_bytes;
        a->samples += b->samples;
        for (uint32_t k = 0; k < SERIES_BUCKETS; k++) a->latency[k] += b->latency[k];
    }
}

/* A message may be counted in the interval after that of its bytes, and may grow by packing. */
uint64_t series_unpacked(const struct series_interval *i)
{
    int64_t bytes = (int64_t)i->bytes + i->saved_bytes;
    return bytes > 0 ? (uint64_t)bytes : 0;
}

uint64_t series_percentile(const struct series_interval *i, double percent)
{
    if (i->samples == 0) return 0;
    uint64_t rank = max_u64(1, (uint64_t)(percent / 100 * i->samples + 0.5)), seen = 0;
    for (uint32_t k = 0; k < SERIES_BUCKETS; k++) {
        seen += i->latency[k];
        if (seen >= rank) return bucket_most(k);
    }
    return bucket_most(SERIES_BUCKETS - 1);
}

static uint32_t bucket_of(uint64_t value)
{
    if (value < SUB) return (uint32_t)value;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - SERIES_SUB_BITS;
    return (shift << SERIES_SUB_BITS) + (uint32_t)(value >> shift);
}

static uint64_t bucket_most(uint32_t bucket)
{
    if (bucket < SUB) return bucket;
    uint32_t shift = (bucket >> SERIES_SUB_BITS) - 1;
    return (((uint64_t)(bucket & (SUB - 1)) + SUB + 1) << shift) - 1;
}
