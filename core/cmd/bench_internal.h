/* cmd/bench_internal.h -- the parts of `tickcast bench`, in the order of a run:
 *   bench_options.c   options and what they mean together
 *   bench.c           the run: threads, phases, the result
 *   bench_plan.c      what each connection asks of the server: its list, policy, rate, where it resumes
 *   bench_thread.c    one thread's loop over its io (io_uring, or epoll where that is forbidden)
 *   bench_conn.c      one connection: handshake, bytes, pongs, close
 *   bench_trouble.c   what is done to connections by the clock: kills, churn, stalls, slow reading
 *   bench_message.c   one message of tickcast: continuity, latency, counts, records for the verifier
 *   bench_binary.c    the same in the binary subprotocol
 *   bench_deflate.c   what was agreed on permessage-deflate; messages unpacked
 *   bench_any.c       one message of any other feed
 *   bench_series.c    figures over time
 *   bench_stages.c    the server's own ages by stage, out of its /metrics
 *   bench_result.c    the threads' figures put together
 *   bench_report.c    the figures as text; bench_json.c and bench_html.c as JSON and as a page
 *   bench_selftest.c  a server that stalls on purpose, and whether the report shows it */
#ifndef TC_CMD_BENCH_INTERNAL_H
#define TC_CMD_BENCH_INTERNAL_H

#include "base/age.h"
#include "base/clock.h"
#include "base/random.h"
#include "cmd/bench.h"
#include "cmd/bench_series.h"
#include "cmd/client_bin.h"
#include "cmd/client_socket.h"
#include "cmd/client_ws.h"
#include "cmd/continuity.h"
#include "cmd/verify.h"
#include "io/io.h"
#include "ops/latency.h"

#include <pthread.h>
#include <signal.h>

#define BENCH_THREADS_MAX 64u
#define BENCH_LISTS_MAX   65536u
#define BENCH_LIST_SIZE   200u /* symbols of a list, so that they fit a request */

struct bench_options {
    const char *url, *symbols, *kinds, *policy, *frame, *rate, *since, *cpus, *io;
    const char *json, *html, *ts_key, *ts_unit, *seq_key, *subprotocol, *send;
    uint64_t connections, slow, stuck, slow_rate, threads, ramp, sample, seed;
    uint64_t enough, kill, churn, stall, stall_max_ns, lists, list_size;
    uint64_t duration_ns, warmup_ns, connect_timeout_ns;
    struct setting_list headers;
    bool binary, deflate, verify, snapshot, idle, any, mix, self_test;
};

enum bench_phase { PHASE_RAMP, PHASE_MEASURE, PHASE_STOP, PHASE_DONE };
enum bench_role { ROLE_READER, ROLE_SLOW, ROLE_STUCK, ROLE_REFERENCE, ROLES };
/* AWAY: killed, or closed as slow; opened again at again_ns. */
enum bench_state { CONN_CONNECTING, CONN_SHAKING, CONN_OPEN, CONN_AWAY, CONN_ENDED };

/* Of one role in one thread; counted while measuring, but for what is said to be over the whole run. */
struct bench_counts {
    uint64_t ticks, frames, bytes, reads, conflated, gaps, gap_positions, lags, snapshots, heartbeats;
    uint64_t untimed;    /* sampled ticks whose ts is not near now: no latency */
    uint64_t holes;      /* any feed: numbers of --seq-key that were passed over */
    uint64_t silence_ns; /* the longest time in which a connection heard nothing; kept as the greatest */
    uint64_t packed, packed_bytes, plain_bytes; /* packed messages: payloads as they came, and unpacked */
    uint64_t deflate_agreed, deflate_takeover, deflate_refused; /* handshakes, over the whole run */
    uint64_t broken, lost, closed_slow;                         /* connections, over the whole run */
    uint64_t kills, churns, stalls, resumes, resume_gaps;
};

/* Connections made, by their handshakes: the first ones, from when the first was due; those while measuring.
 */
struct bench_connects {
    uint64_t ramp, ramp_begin_ns, ramp_end_ns, measured;
};

struct bench_conn {
    int fd; /* the io's, once attached; for sends */
    uint8_t role, state;
    uint8_t policy, frame; /* --mix: drawn; else as the options say */
    uint16_t rate;         /* --mix: frames a second; 0: none */
    bool attached;         /* its bytes come through the io; else they are fetched by the clock */
    bool reading;          /* the io receives for it */
    bool was_broken, was_open, has_epoch, resuming;
    uint32_t index;      /* over all threads, for texts */
    uint32_t generation; /* of the io's slot: counts connections made */
    uint32_t list;
    uint32_t rest_size, rest_room;
    uint8_t *rest; /* owned: the beginning of a message not yet here whole */
    char epoch[16];
    uint64_t begin_ns; /* when it was due, by --ramp, --churn or --kill; else when it was begun */
    uint64_t again_ns, stalled_until_ns, heard_ns, any_seq;
    struct client_reader reader;
    struct client_bin bin;     /* --binary with --verify: the symbols' names */
    struct inflater *inflater; /* owned: of a server whose messages refer to earlier ones; else NULL */
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
    uint32_t conn_count, begun, shaking, readers;
    struct io *io;   /* owned */
    uint8_t *buffer; /* owned: a rest and what was read behind it */
    uint32_t buffer_room;
    struct inflater *inflater;         /* owned; --deflate: of all connections without takeover */
    uint8_t *plain;                    /* owned; --deflate: a message unpacked */
    struct client_handshake handshake; /* of the connection being begun; the key is the same for all */
    struct client_url url;
    uint8_t secret[16];
    uint8_t mask[4], pong[WS_CONTROL_BYTES_MAX + CLIENT_FRAME_HEAD_MAX];
    uint8_t ping_seen[WS_CONTROL_BYTES_MAX];
    uint32_t pong_size, ping_size; /* the pong made for ping_seen: masked once, sent often */
    enum bench_phase phase;        /* as last seen */
    uint64_t sample_left, next_ration_ns, next_begin_ns, next_kill_ns, next_churn_ns, next_stall_ns;
    uint64_t next_again_ns; /* the first that comes back; UINT64_MAX: none is away */
    uint64_t begin_ns, end_ns, cpu_begin_ns, cpu_end_ns; /* of the measurement */
    struct random random;
    struct bench_counts counts[ROLES];
    struct bench_connects connects;
    struct verify_counts verified;
    uint64_t verified_told;                            /* of verified.ticks, added to bench.verified */
    struct latency *latency, *handshakes, *subscribes; /* owned */
    struct bench_series *series;                       /* owned */
    struct fault first; /* the first thing that went wrong, with the connection's number */
};

struct bench {
    struct bench_options options;
    struct client_url url, reference_url; /* without what bench_plan.c adds for each connection */
    struct client_address address;
    char fields[CLIENT_FIELDS_MAX]; /* --header, of every request: lines with their ends */
    const char **lists;             /* owned, and the texts: what connections subscribe to, in turn */
    uint32_t list_count;
    bool uring;
    struct verify verify;
    struct bench_thread threads[BENCH_THREADS_MAX + 1];
    uint32_t thread_count; /* the reference's included */
    uint32_t expected;     /* connections, the reference's included */
    sigset_t interrupts;   /* blocked in all threads; main waits for them */
    bool interrupted;
    _Atomic int phase;
    _Atomic uint32_t open, ended; /* open: subscribed at some time; ended: over, or never came to be */
    _Atomic uint32_t measuring;   /* threads that have seen PHASE_MEASURE */
    _Atomic bool enough;          /* the measurement is over before its time */
    _Atomic uint64_t verified;    /* ticks, by all threads, now and then */
};

/* ---- bench_options.c ---- */
/* Fills options, url, reference_url, fields. cli_parse's result. */
int bench_options_read(struct bench *b, int argc, char **argv, struct fault *f);

struct bench_result;

/* ---- bench.c ---- */
/* The whole run. r is set and true returned if there was a measurement; else the fault says why not. */
bool bench_run(struct bench *b, struct bench_result **r, struct fault *f);

/* ---- bench_plan.c ---- */
/* The lists that connections subscribe to; asks the server for its symbols where --lists wants that. */
int bench_plan_lists(struct bench *b, struct fault *f);
void bench_plan_free(struct bench *b);
/* Draws what the connection is to be, once. */
void bench_plan_draw(struct bench_thread *t, struct bench_conn *c);
/* The request of its next connection, in t->handshake. */
int bench_plan_request(struct bench_thread *t, struct bench_conn *c, struct fault *f);

/* The subprotocol that this thread's connections ask for; NULL: none. */
const char *bench_plan_subprotocol(const struct bench_thread *t);
/* Whether this thread's connections ask for permessage-deflate: the reference's stay plain, so that what was
 * packed is held against what was not. */
bool bench_plan_deflate(const struct bench_thread *t);

/* ---- bench_thread.c ---- */
void *bench_thread_main(void *thread);

/* ---- bench_conn.c ---- */
/* due_ns: from when on its handshake is timed. */
void bench_conn_begin(struct bench_thread *t, struct bench_conn *c, uint64_t due_ns);
void bench_conn_event(struct bench_thread *t, const struct io_event *e);
/* Of one that the io does not know: goes on with connecting, or reads up to most bytes. */
void bench_conn_by_clock(struct bench_thread *t, struct bench_conn *c, size_t most);
/* Whether the io receives for it: the answer to who may read now. */
void bench_conn_watch(struct bench_thread *t, struct bench_conn *c, bool reading);
/* The connection is over; why: NULL, or what went wrong (counted as lost). */
void bench_conn_end(struct bench_thread *t, struct bench_conn *c, const char *why);
/* The connection is closed and made again at again_ns: where it was (resume), or from nothing. */
void bench_conn_again(struct bench_thread *t, struct bench_conn *c, bool resume, bool reset,
                      uint64_t again_ns);

/* ---- bench_trouble.c ---- */
/* True if a lost connection is to come back. */
bool bench_comes_back(const struct bench_options *o);
void bench_trouble(struct bench_thread *t, uint64_t now_ns);

/* ---- bench_message.c ---- */
/* One text message that came at now_real_ns. False: it broke the protocol, and was told. */
bool bench_message(struct bench_thread *t, struct bench_conn *c, struct text json, uint64_t now_real_ns);
/* The end of a message whose ticks were taken: first: it is the connection's first `subscribed`; broken: what
 * was wrong with it so far, or NULL. */
bool bench_message_end(struct bench_thread *t, struct bench_conn *c, const struct scan_message *m, bool first,
                       const char *broken);
/* Counts a broken connection once and keeps the first text. */
void bench_broken(struct bench_thread *t, struct bench_conn *c, const char *what, uint64_t seq);
/* A latency measured, or 0 < now: from the intended time ts_ns. */
void bench_latency(struct bench_thread *t, uint64_t ts_ns, uint64_t now_real_ns);

/* ---- bench_binary.c ---- */
/* As bench_message, of tickcast.v1.bin. To be verified it is turned into the JSON that it stands for. */
bool bench_binary(struct bench_thread *t, struct bench_conn *c, const struct client_message *m,
                  uint64_t now_real_ns);

/* ---- bench_deflate.c ---- */
/* Reserves what the thread needs. False: no memory. */
bool bench_deflate_prepare(struct bench_thread *t);
/* Takes what a handshake has agreed on. NULL, or why the connection is over. */
const char *bench_deflate_agree(struct bench_thread *t, struct bench_conn *c, const struct client_deflate *d);
/* A packed message becomes the plain one, which lives until the next call. False: it is no deflate or too
 * large, and was told. */
bool bench_deflate_unpack(struct bench_thread *t, struct bench_conn *c, struct client_message *m);
/* Bytes as they would have been without packing. */
static inline uint64_t bench_unpacked_bytes(const struct bench_counts *n)
{
    return n->bytes + n->plain_bytes - n->packed_bytes;
}

/* ---- bench_any.c ---- */
void bench_any(struct bench_thread *t, struct bench_conn *c, struct text message, uint64_t now_real_ns);

/* ---- bench_stages.c ---- */
#define BENCH_STAGES 4 /* log, read, render, socket */
struct bench_stages {
    struct age_sum at[BENCH_STAGES];
    bool known;
    char absent[256]; /* why not */
};
/* What the server has counted so far. Blocks: seconds, where the server stands still. */
void bench_stages_get(const struct bench *b, struct bench_stages *out);
/* What has come since first. Blocks as well. */
void bench_stages_since(const struct bench *b, const struct bench_stages *first, struct bench_stages *out);
/* Each: nothing where no stages are asked for (--any, --self-test). */
void bench_stages_text(FILE *out, const struct bench *b, const struct bench_result *r);
void bench_stages_json(FILE *out, const struct bench *b, const struct bench_result *r);
void bench_stages_html(FILE *out, const struct bench *b, const struct bench_result *r);

/* ---- bench_result.c ---- */
struct bench_result {
    struct bench_counts counts[ROLES];
    struct verify_counts verified;
    struct bench_connects connects;
    struct latency latency, handshakes, subscribes;
    struct bench_series series;
    struct bench_stages stages;
    double seconds, cpu_most, cpu_all; /* cpu_most: share of the busiest thread; cpu_all: of them together */
    uint32_t open;
    struct fault first;
    bool failed;
};
void bench_gather(const struct bench *b, struct bench_result *r);
double bench_ramp_seconds(const struct bench_connects *n);
/* So many a second; 0 where no time was measured. */
static inline double bench_rate(uint64_t n, double seconds)
{
    return seconds > 0 ? (double)n / seconds : 0;
}

/* permessage-deflate over all roles but the reference: handshakes that agreed, of these with context
 * takeover, and that did not; ratio: the readers' bytes unpacked by those on the wire (1: nothing was
 * packed). */
struct bench_deflated {
    uint64_t agreed, takeover, refused;
    double ratio;
};
struct bench_deflated bench_deflated(const struct bench_result *r);

/* ---- bench_report.c, bench_json.c, bench_html.c ---- */
#define BENCH_PERCENTS 9
extern const double bench_percents[BENCH_PERCENTS];
extern const char *const bench_percent_names[BENCH_PERCENTS];
void bench_report(FILE *out, const struct bench *b, const struct bench_result *r);
#define BENCH_WARNING_MAX 256u
/* What casts doubt on the figures, in words: a thread of bench had hardly any time left, so that they are its
 * own limits. False: nothing does. */
bool bench_warning(const struct bench_result *r, char out[BENCH_WARNING_MAX]);
void bench_json(FILE *out, const struct bench *b, const struct bench_result *r);
void bench_html(FILE *out, const struct bench *b, const struct bench_result *r);

/* ---- bench_selftest.c ---- */
/* Runs bench against a server of its own that stalls. The exit status. */
int bench_selftest(struct bench *b);

static inline bool bench_measuring(const struct bench_thread *t)
{
    return t->phase == PHASE_MEASURE;
}

#endif
