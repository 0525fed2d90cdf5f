/* ops/counters.h -- every counter of a worker in one table: /metrics, /v1/connections and tests read it.
 * Written by the worker's own thread alone, read by any (relaxed): a counter may be a little old, never torn.
 */
#ifndef TC_OPS_COUNTERS_H
#define TC_OPS_COUNTERS_H

#include "base/age.h"
#include "config/limit.h"

#include <stdatomic.h>
#include <stdint.h>

/* X(field, prometheus type, what) */
#define TC_COUNTERS(X)                                                                                       \
    X(connections, "gauge", "open connections")                                                              \
    X(subscribers, "gauge", "connections with a subscription")                                               \
    X(behind, "gauge", "subscribers that are not in step")                                                   \
    X(groups, "gauge", "groups: distinct sets of rules, framing and rate")                                   \
    X(cohorts, "gauge", "cohorts: members that share a cursor")                                              \
    X(read_seq, "gauge", "the log was read up to here")                                                      \
    X(accepted_total, "counter", "connections accepted")                                                     \
    X(accept_errors_total, "counter", "accepts that failed (EMFILE and the like)")                           \
    X(refused_total, "counter", "connections refused with 503: a limit or draining")                         \
    X(requests_total, "counter", "HTTP requests answered")                                                   \
    X(request_errors_total, "counter", "HTTP requests answered with 4xx or 5xx")                             \
    X(upgrades_total, "counter", "WebSocket handshakes completed")                                           \
    X(commands_total, "counter", "commands answered")                                                        \
    X(command_errors_total, "counter", "commands answered with an error")                                    \
    X(closed_protocol_total, "counter", "connections closed for a WebSocket protocol error")                 \
    X(closed_timeout_total, "counter", "connections closed by a timer")                                      \
    X(closed_limit_total, "counter", "connections closed with 1008 or 1013 for a limit")                     \
    X(closed_slow_total, "counter", "connections closed with 4000")                                          \
    X(let_go_total, "counter", "subscribers that a feed no longer waits for: they took nothing")             \
    X(kicked_total, "counter", "connections closed by administration")                                       \
    X(closed_rest_total, "counter", "connections reset because the memory for rests was used up")            \
    X(frames_total, "counter", "data frames sent")                                                           \
    X(ticks_total, "counter", "ticks delivered: each tick counts once per subscriber")                       \
    X(conflated_total, "counter", "state ticks replaced by newer ones, per subscriber")                      \
    X(gaps_total, "counter", "gaps told")                                                                    \
    X(lags_total, "counter", "lag notices sent")                                                             \
    X(left_step_total, "counter", "members that left their cohort: their socket was full")                   \
    X(rejoined_total, "counter", "members that came back in step")                                           \
    X(lapped_total, "counter", "times this worker was lapped by the log")                                    \
    X(pings_total, "counter", "pings sent")                                                                  \
    X(sends_total, "counter", "sends offered to the kernel")                                                 \
    X(sent_bytes_total, "counter", "bytes the kernel took")                                                  \
    X(sends_full_total, "counter", "sends that a full socket refused")                                       \
    X(sends_part_total, "counter", "sends that a socket took in part")                                       \
    X(received_bytes_total, "counter", "bytes received")                                                     \
    X(receive_no_buffer_total, "counter", "times the receive buffers were used up")                          \
    X(cq_overflow_total, "counter",                                                                          \
      "completions lost for want of memory; every connection of the worker is reset")                        \
    X(enters_total, "counter", "io_uring_enter (or epoll_wait) calls")                                       \
    X(sleeps_total, "counter", "times the worker slept")                                                     \
    X(renders_total, "counter", "frames rendered")                                                           \
    X(deflate_frames_total, "counter", "frames packed with permessage-deflate")                              \
    X(deflate_in_bytes_total, "counter", "their bytes before")                                               \
    X(deflate_out_bytes_total, "counter", "their bytes after")                                               \
    X(deflate_skipped_total, "counter", "frames that were short, or for which packing does not pay")         \
    X(rest_bytes, "gauge", "bytes held as rests of frames")                                                  \
    X(input_bytes, "gauge", "bytes of blocks for what clients sent while an answer to them waits")           \
    X(filter_bytes, "gauge", "bytes in rules, filters, groups and cohorts")

#define COUNTER_FIELD(field, type, what) _Atomic uint64_t field;
struct counters {
    TC_COUNTERS(COUNTER_FIELD)
    _Atomic uint64_t limits[LIMIT_COUNT];         /* times each was met */
    struct ages read_age, render_age, socket_age; /* of ticks, at the end of these stages */
};
#undef COUNTER_FIELD

/* Thread: the one writer. A plain load and store on x86-64, not a locked add. */
static inline void counter_add(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}
static inline void counter_set(_Atomic uint64_t *c, uint64_t n)
{
    atomic_store_explicit(c, n, memory_order_relaxed);
}
static inline uint64_t counter_get(const _Atomic uint64_t *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
