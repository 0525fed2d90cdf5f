/* cmd/bench_internal.h -- the parts of `tickcast bench`, in the order of a run:
 *   bench_options.c  options and what they ask of the server
 *   bench.c          the run: threads, phases, the result
 *   bench_thread.c   one thread's loop: opens connections, waits, rations slow readers
 *   bench_conn.c     one connection: handshake, bytes, pongs, close
 *   bench_message.c  one message: continuity, latency, counts, records for the verifier
 *   bench_report.c   the figures as text and as JSON */
#ifndef TC_CMD_BENCH_INTERNAL_H
#define TC_CMD_BENCH_INTERNAL_H

#include "base/clock.h"
#include "cmd/bench.h"
#include "cmd/client_socket.h"
#include "cmd/client_ws.h"
#include "cmd/continuity.h"
#include "cmd/verify.h"
#include "ops/latency.h"

#include <pthread.h>
#include <signal.h>

#define BENCH_THREADS_MAX 64u
#define BENCH_READ_BYTES  262144u /* taken from a socket at once */

struct bench_options {
    const char *url, *symbols, *kinds, *policy, *frame, *rate, *since, *cpus;
    uint64_t connections, slow, stuck, slow_rate, threads, ramp, sample, duration_ns, warmup_ns,
        connect_timeout_ns;
    bool verify, json, snapshot, idle;
};

enum bench_phase { PHASE_RAMP, PHASE_MEASURE, PHASE_STOP, PHASE_DONE };
enum bench_role { ROLE_READER, ROLE_SLOW, ROLE_STUCK, ROLE_REFERENCE, ROLES };
enum bench_state { CONN_CONNECTING, CONN_SHAKING, CONN_OPEN, CONN_ENDED };

/* Of one role in one thread; counted while measuring, but for the last three. */
struct bench_counts {
    uint64_t ticks, frames, bytes, reads, conflated, gaps, gap_positions, lags, snapshots, heartbeats;
    uint64_t untimed;                   /* sampled ticks whose ts is not near now: no latency */
    uint64_t broken, lost, closed_slow; /* connections, over the whole run */
};

struct bench_conn {
    int fd;
    uint8_t role, state;
    bool reading; /* EPOLLIN is asked for */
    bool was_broken;
    uint32_t index; /* over all threads, for texts */
    uint32_t rest_size, rest_room;
    uint8_t *rest; /* owned: the beginning of a message not yet here whole */
    struct client_reader reader;
    struct continuity at;
    struct verify_conn verify;
};

struct bench;

/* Thread: its own, but for what bench.c sets up before it starts and reads after it ended. */
struct bench_thread {
    struct bench *bench;
    pthread_t id;
    uint32_t number;
    bool reference;           /* this one has the reference connection only */
    struct bench_conn *conns; /* owned */
    uint32_t conn_count, begun, shaking;
    int epoll;
    uint8_t *buffer; /* owned: a rest and what was read behind it */
    struct client_handshake handshake;
    uint8_t mask[4], pong[WS_CONTROL_BYTES_MAX + CLIENT_FRAME_HEAD_MAX];
    uint8_t ping_seen[WS_CONTROL_BYTES_MAX];
    uint32_t pong_size, ping_size; /* the pong made for ping_seen: masked once, sent often */
    enum bench_phase phase;        /* as last seen */
    uint64_t sample_left, next_ration_ns, next_begin_ns;
    uint64_t begin_ns, end_ns, cpu_begin_ns, cpu_end_ns; /* of the measurement */
    struct bench_counts counts[ROLES];
    struct verify_counts verified;
    struct latency *latency; /* owned */
    struct fault first;      /* the first thing that went wrong, with the connection's number */
};

struct bench {
    struct bench_options options;
    struct client_url url, reference_url;
    struct client_address address;
    struct verify verify;
    struct bench_thread threads[BENCH_THREADS_MAX + 1];
    uint32_t thread_count; /* the reference's included */
    uint32_t expected;     /* connections, the reference's included */
    sigset_t interrupts;   /* blocked in all threads; main waits for them */
    bool interrupted;
    _Atomic int phase;
    _Atomic uint32_t open, ended; /* open: subscribed at some time; ended: over, or never came to be */
};

/* ---- bench_options.c ---- */
/* Fills options, url, reference_url. cli_parse's result. */
int bench_options_read(struct bench *b, int argc, char **argv, struct fault *f);

/* ---- bench_thread.c ---- */
void *bench_thread_main(void *thread);

/* ---- bench_conn.c ---- */
void bench_conn_begin(struct bench_thread *t, struct bench_conn *c);
void bench_conn_event(struct bench_thread *t, struct bench_conn *c, uint32_t events);
/* Reads up to most bytes and takes what they say. */
void bench_conn_read(struct bench_thread *t, struct bench_conn *c, size_t most);
/* With EPOLLIN, or without while it must not read. */
void bench_conn_watch(struct bench_thread *t, struct bench_conn *c, bool reading);
/* The connection is over; why: NULL, or what went wrong (counted as lost). */
void bench_conn_end(struct bench_thread *t, struct bench_conn *c, const char *why);

/* ---- bench_message.c ---- */
/* One text message that came at now_real_ns. False: it broke the protocol, and was told. */
bool bench_message(struct bench_thread *t, struct bench_conn *c, struct text json, uint64_t now_real_ns);
/* Counts a broken connection once and keeps the first text. */
void bench_broken(struct bench_thread *t, struct bench_conn *c, const char *what, uint64_t seq);

/* ---- bench_report.c ---- */
struct bench_result {
    struct bench_counts counts[ROLES];
    struct verify_counts verified;
    struct latency latency;
    double seconds, cpu_most; /* cpu_most: share of the busiest thread */
    uint32_t open;
    struct fault first;
    bool failed;
};
void bench_report(FILE *out, const struct bench *b, const struct bench_result *r);

static inline bool bench_measuring(const struct bench_thread *t)
{
    return t->phase == PHASE_MEASURE;
}

#endif
