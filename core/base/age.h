/* base/age.h -- how old ticks are at the end of a stage: a histogram of fixed size, in log-scale buckets. The
 * one rule of which ticks are looked at, and of the buckets.
 *
 * A tick's age is now less its own time, both CLOCK_REALTIME. Bucket i holds ages up to and including its
 * edge: 1 us, then four equal steps to each power of two: 1.25, 1.5, 1.75, 2, 2.5, ... 2^24 us (16.8 s), and
 * the last bucket all above. An age below 0 or over AGE_FAR_NS says that the tick's time is not that of its
 * making (a file replayed, a foreign clock): it is counted as untimed and in no bucket.
 *
 * Thread: one writer each; any may read (relaxed: a little old, never torn). */
#ifndef TC_BASE_AGE_H
#define TC_BASE_AGE_H

#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define AGE_SAMPLE  64u /* ticks whose seq is a multiple of it are looked at; a power of two */
#define AGE_FAR_NS  (600 * NS_PER_SECOND)
#define AGE_BUCKETS 98u /* the last one has no edge */

/* The ages at one stage, as its thread counts them. Zeroed: nothing yet. */
struct ages {
    _Atomic uint64_t untimed;
    _Atomic double sum; /* seconds; as uint64_t ns it could wrap within hours of a late feed to many */
    _Atomic uint64_t buckets[AGE_BUCKETS];
};

/* Ages of several writers together, for a reader; or what has come between two looks. */
struct age_sum {
    uint64_t untimed, count; /* count: of the timed ones */
    double sum;              /* seconds */
    uint64_t buckets[AGE_BUCKETS];
};

/* True if a multiple of AGE_SAMPLE is in (from, to]: the compare that is all the hot path pays. */
static inline bool age_sampled(uint64_t from, uint64_t to)
{
    return from / AGE_SAMPLE != to / AGE_SAMPLE;
}
/* The first multiple of AGE_SAMPLE after from. */
static inline uint64_t age_sample_after(uint64_t from)
{
    return (from / AGE_SAMPLE + 1) * AGE_SAMPLE;
}

/* A tick of event_ns, seen at now_ns, `weight` times. Thread: the one writer. */
void ages_record(struct ages *a, uint64_t now_ns, int64_t event_ns, uint64_t weight);
/* Adds what is in from now. Thread: any. */
void age_sum_add(struct age_sum *into, const struct ages *from);
/* The age that `percent` (0 to 100) of the timed do not exceed, in ns, by a straight line through its bucket:
 * the true one is in the same bucket, so at most a quarter off (below 2 us: 1 us). 0: there are none;
 * UINT64_MAX: it is over the last edge. */
uint64_t age_percentile(const struct age_sum *s, double percent);

/* The bucket of an age, and the edge of a bucket, in ns (UINT64_MAX: the last one). */
uint32_t age_bucket(uint64_t ns);
uint64_t age_edge_ns(uint32_t bucket);

#endif
