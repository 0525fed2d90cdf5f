/* ops/latency.h -- a histogram of times with a bounded relative error, of a fixed size: log-linear buckets,
 * 128 to each power of two (after HdrHistogram's idea). A percentile is never below the true one and at most
 * 1/128 above. Thread: one owner; merge copies for a reader. Units: any; ns here. */
#ifndef TC_OPS_LATENCY_H
#define TC_OPS_LATENCY_H

#include <stdint.h>

#define LATENCY_SUB_BITS 7u
#define LATENCY_BUCKETS  ((64u - LATENCY_SUB_BITS + 1u) << LATENCY_SUB_BITS)

struct latency {
    uint64_t count, least, most, sum; /* sum wraps after 584 years of ns */
    uint64_t buckets[LATENCY_BUCKETS];
};

void latency_reset(struct latency *l);
void latency_record(struct latency *l, uint64_t value);
void latency_merge(struct latency *into, const struct latency *from);
/* The value that `percent` (0 to 100) of the recorded ones do not exceed; 0 if there are none. 100: the
 * greatest. */
uint64_t latency_percentile(const struct latency *l, double percent);
uint64_t latency_mean(const struct latency *l);

/* For tests: a value's bucket, and the greatest value of a bucket. */
uint32_t latency_bucket(uint64_t value);
uint64_t latency_bucket_most(uint32_t bucket);

#endif
