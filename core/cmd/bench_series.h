/* cmd/bench_series.h -- figures over time, for plots: equal intervals from the beginning of the measurement,
 * each with its sums and a coarse histogram of latencies (four buckets to a power of two). Thread: one owner;
 * merged after it ended. */
#ifndef TC_CMD_BENCH_SERIES_H
#define TC_CMD_BENCH_SERIES_H

#include <stdint.h>

#define SERIES_INTERVALS 240u
#define SERIES_SUB_BITS  2u
#define SERIES_BUCKETS   ((64u - SERIES_SUB_BITS + 1u) << SERIES_SUB_BITS)

struct series_interval {
    uint64_t ticks, messages, bytes;
    int64_t saved_bytes; /* by packing */
    uint32_t samples, latency[SERIES_BUCKETS];
};

struct bench_series {
    uint64_t begin_ns, step_ns;
    uint32_t count; /* intervals begun */
    struct series_interval at[SERIES_INTERVALS];
};

/* For a measurement that lasts duration_ns: steps of at least 100 ms. */
void series_begin(struct bench_series *s, uint64_t begin_ns, uint64_t duration_ns);
/* The interval of now; the last one where the measurement lasts longer. */
struct series_interval *series_now(struct bench_series *s, uint64_t now_ns);
void series_latency(struct series_interval *i, uint64_t value_ns);
void series_merge(struct bench_series *into, const struct bench_series *from);
/* The interval's bytes as they would have been without packing. */
uint64_t series_unpacked(const struct series_interval *i);
/* The value that `percent` of the interval's samples do not exceed: at most a quarter above. 0: no sample. */
uint64_t series_percentile(const struct series_interval *i, double percent);

#endif
