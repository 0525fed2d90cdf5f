/* ops/metrics.h -- counters as text in the Prometheus exposition format 0.0.4. Pure: values in, text out. */
#ifndef TC_OPS_METRICS_H
#define TC_OPS_METRICS_H

#include "log/log.h"
#include "ops/counters.h"

#define METRICS_BYTES_MAX 61440u /* all of it, whatever the figures; tests/unit/ops/metrics_test.c */

struct metrics_in {
    const struct counters *const *counters; /* one per worker; summed, but for read_seq: the least */
    uint32_t count;
    const struct log *log;
    const char *version;
    uint64_t real_ns, started_real_ns;
};

/* Returns the bytes written (no terminator counted), at most out_size - 1: with METRICS_BYTES_MAX everything.
 * Thread: any. */
uint32_t metrics_text(const struct metrics_in *in, char *out, uint32_t out_size);

#endif
