#include "ops/latency.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <math.h>

#define SUB (1u << LATENCY_SUB_BITS)

void latency_reset(struct latency *l)
{
    memset(l, 0, sizeof *l);
    l->least = UINT64_MAX;
}

void latency_record(struct latency *l, uint64_t value)
{
    l->buckets[latency_bucket(value)]++;
    l->count++;
    l->sum += value;
    l->least = min_u64(l->least, value);
    l->most = max_u64(l->most, value);
}

void latency_merge(struct latency *into, const struct latency *from)
{
    for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) into->buckets[i] += from->buckets[i];
    into->count += from->count;
    into->sum += from->sum;
    into->least = min_u64(into->least, from->least);
    into->most = max_u64(into->most, from->most);
}

uint64_t latency_percentile(const struct latency *l, double percent)
{
    TC_ASSERT(percent >= 0);
    TC_ASSERT(percent <= 100);
    if (l->count == 0) return 0;
    uint64_t rank = max_u64(1, (uint64_t)ceil(percent / 100 * (double)l->count)), seen = 0;
    for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += l->buckets[i];
        if (seen >= rank) return min_u64(latency_bucket_most(i), l->most);
    }
    return l->most; /* rank rounded up past the count */
}

uint64_t latency_mean(const struct latency *l)
{
    return l->count ? l->sum / l->count : 0;
}

/* Below 128 each value has its own bucket; above, the leading 8 bits choose one. */
uint32_t latency_bucket(uint64_t value)
{
    if (value < SUB) return (uint32_t)value;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - LATENCY_SUB_BITS;
    return (shift << LATENCY_SUB_BITS) + (uint32_t)(value >> shift);
}

uint64_t latency_bucket_most(uint32_t bucket)
{
    TC_ASSERT(bucket < LATENCY_BUCKETS);
    if (bucket < SUB) return bucket;
    uint32_t shift = (bucket >> LATENCY_SUB_BITS) - 1;
    uint64_t lead = (bucket & (SUB - 1)) + SUB;
    return ((lead + 1) << shift) - 1;
}
