#include "base/age.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <math.h>

/* Edges are whole multiples of a quarter of a microsecond: 4 to 7 of them, then the same doubled. */
#define UNIT_NS 250u
#define STEPS   4u

static void add(_Atomic uint64_t *to, uint64_t n);

void ages_record(struct ages *a, uint64_t now_ns, int64_t event_ns, uint64_t weight)
{
    int64_t age = (int64_t)(now_ns - (uint64_t)event_ns); /* wraps as it should for any int64_t */
    if (age < 0 || age > (int64_t)AGE_FAR_NS) {
        add(&a->untimed, weight);
        return;
    }
    add(&a->buckets[age_bucket((uint64_t)age)], weight);
    double sum = atomic_load_explicit(&a->sum, memory_order_relaxed);
    atomic_store_explicit(&a->sum, sum + (double)age / 1e9 * (double)weight, memory_order_relaxed);
}

/* A plain load and store on x86-64, not a locked add: there is one writer. */
static void add(_Atomic uint64_t *to, uint64_t n)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + n, memory_order_relaxed);
}

void age_sum_add(struct age_sum *into, const struct ages *from)
{
    into->untimed += atomic_load_explicit(&from->untimed, memory_order_relaxed);
    into->sum += atomic_load_explicit(&from->sum, memory_order_relaxed);
    for (uint32_t i = 0; i < AGE_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&from->buckets[i], memory_order_relaxed);
        into->buckets[i] += n;
        into->count += n; /* of what was loaded: buckets and count always agree */
    }
}

uint64_t age_percentile(const struct age_sum *s, double percent)
{
    TC_ASSERT(percent >= 0);
    TC_ASSERT(percent <= 100);
    if (s->count == 0) return 0;
    double rank = fmax(1, ceil(percent / 100 * (double)s->count)), below = 0;
    uint32_t i = 0;
    while (i + 1 < AGE_BUCKETS && below + (double)s->buckets[i] < rank) below += (double)s->buckets[i++];
    if (i + 1 == AGE_BUCKETS) return UINT64_MAX;
    double least = i ? (double)age_edge_ns(i - 1) : 0, most = (double)age_edge_ns(i);
    return (uint64_t)ceil(least + (most - least) * (rank - below) / (double)s->buckets[i]);
}

uint32_t age_bucket(uint64_t ns)
{
    uint64_t units = (ns + UNIT_NS - 1) / UNIT_NS; /* up: an edge is a whole number of them */
    if (units <= STEPS) return 0;
    uint64_t v = units - 1; /* so that an edge itself falls below it */
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(v) - 2u;
    return (uint32_t)min_u64((uint64_t)shift * STEPS + (v >> shift) - STEPS + 1, AGE_BUCKETS - 1);
}

uint64_t age_edge_ns(uint32_t bucket)
{
    TC_ASSERT(bucket < AGE_BUCKETS);
    if (bucket == AGE_BUCKETS - 1) return UINT64_MAX;
    if (bucket == 0) return STEPS * UNIT_NS;
    uint32_t shift = (bucket - 1) / STEPS, step = (bucket - 1) % STEPS;
    return ((uint64_t)(STEPS + step + 1) << shift) * UNIT_NS;
}
