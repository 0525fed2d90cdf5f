/* worker/worker.h -- one core's share of the subscribers: a thread with one io, sharing nothing but the log,
 * its counters (one writer each) and the flags here. */
#ifndef TC_WORKER_WORKER_H
#define TC_WORKER_WORKER_H

#include "base/bytes.h"
#include "base/fault.h"
#include "config/settings.h"
#include "log/log.h"
#include "ops/counters.h"
#include "worker/admission.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

struct io;
struct sleeper;
struct worker;

/* What all workers see. Set up by main before they start, then constant; what changes while they run stands
 * apart on cache lines of its own, by who writes it. */
struct server {
    const struct settings *settings;
    const char *version;
    struct log *log;
    struct worker *workers[WORKERS_MAX];
    uint32_t worker_count;
    uint64_t started_real_ns;
    bool loopback;           /* every listener is a loopback one: Host rules apply (decision 26) */
    struct sleeper *admin;   /* of the administration thread; NULL: there is none */
    const char *admin_token; /* what the public port takes for administration; NULL: nothing */

    /* Writer: main, hardly ever. Readers: all workers, each turn. */
    _Alignas(TC_CACHE_LINE) _Atomic bool draining; /* on SIGTERM: /readyz fails, new connections get 503 */
    _Atomic bool feed_running;                     /* there is a feed that has not ended or failed */
    _Atomic bool ended; /* replay --at-end exit: what is in the log is delivered, then 1000 */

    /* pace=complete is held: set by the feed thread, seq first, each time that workers shall look who is owed
     * a tick up to stalled_seq and takes nothing. */
    _Alignas(TC_CACHE_LINE) _Atomic uint64_t stalled_seq;
    _Atomic uint32_t stalled_looks;

    struct admission admission; /* opened by the first worker */
};

/* No line that a thread writes while it runs is read for anything else. */
_Static_assert(offsetof(struct server, draining) % TC_CACHE_LINE == 0, "main's flags begin a line");
_Static_assert(offsetof(struct server, ended) / TC_CACHE_LINE ==
                   offsetof(struct server, draining) / TC_CACHE_LINE,
               "and share it");
_Static_assert(offsetof(struct server, stalled_seq) % TC_CACHE_LINE == 0, "the feed thread's line begins");
_Static_assert(offsetof(struct server, admission) >= offsetof(struct server, stalled_seq) + TC_CACHE_LINE,
               "and nothing else is on it");

struct worker_options {
    struct server *server;
    uint32_t index;
    int cpu; /* pinned to; -1: not */
    uint64_t spin_ns;
    /* Opens the io in the worker's thread. */
    struct io *(*io_open)(void *context, int wake_fd, struct fault *fault);
    void *io_context;
    const int *listen_fds;
    uint32_t listen_count;
    uint64_t (*stamp_ns)(void); /* CLOCK_REALTIME ns, for the ages of ticks; NULL: the turn's real_ns */
    uint64_t seed;              /* for jitter; 0: draw one */
};

/* The most memory that a server with these settings can ever use, in bytes, by what it is for; all workers
 * together (docs/operations.md, Sizing, has the formula). The kernel's memory for sockets is not in it. */
struct memory_budget {
    size_t log;         /* ticks, their JSON and keys, symbols, last values */
    size_t connections; /* a place for each of --max-connections in each worker and its io */
    size_t rests;       /* --rest-memory, or one for each connection */
    size_t requests;    /* heads of HTTP requests that arrive in pieces */
    size_t inputs;      /* what clients send while an answer to them waits */
    size_t messages;    /* clients' messages that arrive in pieces */
    size_t filters;     /* --filter-memory */
    size_t workers;     /* what each worker has, whoever connects */
    size_t admin;       /* the administration thread */
    size_t total;
};
void memory_budget(const struct settings *s, size_t log_bytes, size_t admin_bytes, struct memory_budget *out);
/* What a worker asks of its io (wake_fd: -1). */
struct io_options worker_io_options(const struct settings *s);
/* TC_EUSAGE if it is over --max-memory, with what to lower. */
int memory_check(const struct settings *s, const struct memory_budget *b, struct fault *fault);

/* Reserves a worker's memory and registers it as a reader of the log. Thread: main. */
int worker_create(struct worker **out, const struct worker_options *o, struct fault *fault);
void worker_destroy(struct worker *w);

/* Runs it in a thread of its own until it has drained. worker_start returns once its io is open and it
 * listens, or with the fault. */
int worker_start(struct worker *w, struct fault *fault);
/* Asks it to drain (server->draining or ->ended is set first), then to end. Thread: main. */
void worker_wake(struct worker *w);
/* True once every connection is gone after draining began. */
bool worker_drained(const struct worker *w);
/* Ends at once (open connections are reset) and joins. */
void worker_stop(struct worker *w);

/* ---- worker_server.c: for every HTTP listener of the program. Thread: any. ---- */
struct http_request;
/* A loopback listener answers only to loopback names and --host: a page that rebinds its own name to
 * 127.0.0.1 gets nothing (decision 26); else 421. */
bool server_host_ok(const struct server *s, bool loopback, const struct http_request *r);
/* Why /readyz is 503, as a line; NULL: it is ready. */
const char *server_not_ready(const struct server *s);
/* /metrics. Returns the bytes written, at most out_size - 1. */
uint32_t server_metrics(const struct server *s, uint64_t real_ns, char *out, uint32_t out_size);

const struct counters *worker_counters(const struct worker *w);

/* ---- For tests on the simulated network: the same worker, driven by hand in the calling thread. ---- */
int worker_open_io(struct worker *w, struct fault *fault);
/* Sets the origin of its time; before the first turn. */
void worker_clock(struct worker *w, uint64_t now_ns);
/* One turn at a time that does not move in it: takes events (waits for them at most wait_ns), reads ticks,
 * visits cohorts, serves single connections, fires timers. Returns the work done; 0: the caller may sleep. */
uint32_t worker_turn(struct worker *w, uint64_t now_ns, uint64_t real_ns, uint64_t wait_ns);
/* How long the next turn may wait: until the next timer, at most 1 s. */
uint64_t worker_wait_ns(const struct worker *w, uint64_t now_ns);
/* Walks every structure and asserts what must hold. */
void worker_check(const struct worker *w);

#endif
