#include "cmd/bench.h"

#include "cmd/bench_internal.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define VERIFY_TICKS (UINT64_C(1) << 20) /* the reference's memory: four times the server's default log */
#define STEP_NS      (5 * NS_PER_MS)
#define SPARE_FDS    64u

static int prepare(struct bench *b, struct fault *f);
static int raise_descriptors(const struct bench *b, struct fault *f);
static bool share_out(struct bench *b);
static int start(struct bench *b, struct fault *f);
static int run(struct bench *b, struct fault *f);
static void explain(const struct bench *b, const struct bench_result *r);
static bool wait_open(struct bench *b);
static bool wait_phase(struct bench *b, uint64_t ns);
static bool step(struct bench *b);
static void stop(struct bench *b);
static void gather(const struct bench *b, struct bench_result *r);
static void add_counts(struct bench_counts *into, const struct bench_counts *from);

int cmd_bench(int argc, char **argv)
{
    struct fault f;
    struct bench *b = calloc(1, sizeof *b);
    if (!b) return 1;
    int r = bench_options_read(b, argc, argv, &f);
    int status = r == CLI_HELPED ? 0 : 2;
    if (r == TC_OK && (r = prepare(b, &f)) == TC_OK) status = run(b, &f);
    if (r < 0) status = cli_fail("bench", &f);
    for (uint32_t i = 0; i < b->thread_count; i++) {
        free(b->threads[i].conns);
        free(b->threads[i].latency);
    }
    verify_close(&b->verify);
    free(b);
    return status;
}

static int prepare(struct bench *b, struct fault *f)
{
    const struct bench_options *o = &b->options;
    struct client_address addresses[CLIENT_ADDRESSES_MAX];
    b->expected = (uint32_t)(o->connections + o->slow + o->stuck) + (o->verify ? 1 : 0);
    int r = raise_descriptors(b, f);
    if (r == TC_OK) r = client_resolve(&b->url, addresses, f);
    if (r < 0) return r;
    b->address = addresses[0];
    const char *symbols = strcmp(o->symbols, "*") == 0 ? NULL : o->symbols;
    if ((o->verify && !verify_open(&b->verify, VERIFY_TICKS, symbols, o->kinds)) || !share_out(b))
        return fault_set(f, TC_ESYSTEM, "no memory for %u connections; use fewer", b->expected);
    return TC_OK;
}

static int raise_descriptors(const struct bench *b, struct fault *f)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return fault_errno(f, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= b->expected + SPARE_FDS) return TC_OK;
    return fault_set(f, TC_EUSAGE,
                     "--connections: %u are more than this process may open; use at most %llu, or raise"
                     " the limit (ulimit -n)",
                     b->expected, (unsigned long long)(limit.rlim_max - SPARE_FDS));
}

/* Connections of each role in turn to the threads, so that all threads have the same mixture. */
static bool share_out(struct bench *b)
{
    const struct bench_options *o = &b->options;
    uint32_t checked = (uint32_t)(o->connections + o->slow + o->stuck), threads = (uint32_t)o->threads;
    b->thread_count = threads + (o->verify ? 1 : 0);
    for (uint32_t i = 0; i < b->thread_count; i++) {
        struct bench_thread *t = &b->threads[i];
        t->bench = b;
        t->number = i;
        t->reference = i == threads;
        t->conn_count = t->reference ? 1 : checked / threads + (i < checked % threads ? 1 : 0);
        t->conns = calloc(t->conn_count, sizeof *t->conns);
        if (!t->conns) return false;
        for (uint32_t k = 0; k < t->conn_count; k++) {
            uint32_t index = t->reference ? checked : k * threads + i;
            t->conns[k] = (struct bench_conn){.fd = -1, .index = index, .verify = {.open_at = UINT32_MAX}};
            t->conns[k].role = t->reference                       ? ROLE_REFERENCE
                               : index < o->connections           ? ROLE_READER
                               : index < o->connections + o->slow ? ROLE_SLOW
                                                                  : ROLE_STUCK;
        }
    }
    return true;
}

static int run(struct bench *b, struct fault *f)
{
    int r = start(b, f);
    if (r < 0) return cli_fail("bench", f);
    bool went = wait_open(b);
    if (went) went = wait_phase(b, b->options.warmup_ns);
    if (went) {
        atomic_store_explicit(&b->phase, PHASE_MEASURE, memory_order_release);
        wait_phase(b, b->options.duration_ns);
    }
    stop(b);
    struct bench_result *result = calloc(1, sizeof *result);
    if (!result) return 1;
    gather(b, result);
    if (went)
        bench_report(stdout, b, result);
    else
        explain(b, result);
    int status = went && !result->failed ? 0 : 1;
    free(result);
    return status;
}

/* Why nothing was measured. */
static void explain(const struct bench *b, const struct bench_result *r)
{
    const char *more = r->first.text[0] ? "; the first trouble: " : "";
    if (b->interrupted)
        fputs("tickcast bench: interrupted before the measurement\n", stderr);
    else if (r->open == b->expected)
        fprintf(stderr, "tickcast bench: all connections ended before the measurement%s%s\n", more,
                r->first.text);
    else
        fprintf(stderr, "tickcast bench: %u of %u connections were subscribed%s%s\n", r->open, b->expected,
                more, r->first.text[0] ? r->first.text : " within --connect-timeout");
}

static int start(struct bench *b, struct fault *f)
{
    sigemptyset(&b->interrupts);
    sigaddset(&b->interrupts, SIGINT);
    sigaddset(&b->interrupts, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &b->interrupts, NULL);
    for (uint32_t i = 0; i < b->thread_count; i++) {
        int err = pthread_create(&b->threads[i].id, NULL, bench_thread_main, &b->threads[i]);
        if (err == 0) continue;
        uint32_t all = b->thread_count;
        b->thread_count = i; /* end those that run */
        stop(b);
        b->thread_count = all;
        return fault_set(f, TC_ESYSTEM, "--threads: thread %u could not be started; use fewer", i);
    }
    return TC_OK;
}

/* True if every connection is subscribed. One that fails ends the wait. */
static bool wait_open(struct bench *b)
{
    uint64_t end = clock_mono_ns() + b->options.connect_timeout_ns;
    while (clock_mono_ns() < end) {
        if (atomic_load(&b->ended) > 0) return false;
        if (atomic_load(&b->open) == b->expected) return true;
        if (step(b)) return false;
    }
    return false;
}

/* False if all connections ended before the time. */
static bool wait_phase(struct bench *b, uint64_t ns)
{
    for (uint64_t end = clock_mono_ns() + ns; clock_mono_ns() < end;) {
        if (atomic_load(&b->ended) >= b->expected) return false;
        if (step(b)) return false;
    }
    return true;
}

/* A short wait. True once the user has interrupted: the report then tells what there is. */
static bool step(struct bench *b)
{
    struct timespec wait = {.tv_nsec = (long)STEP_NS};
    if (sigtimedwait(&b->interrupts, NULL, &wait) > 0) b->interrupted = true;
    return b->interrupted;
}

/* The reference reads on until the others have held their last frames against it. */
static void stop(struct bench *b)
{
    atomic_store_explicit(&b->phase, PHASE_STOP, memory_order_release);
    for (uint32_t i = 0; i < b->thread_count; i++)
        if (!b->threads[i].reference) pthread_join(b->threads[i].id, NULL);
    atomic_store_explicit(&b->phase, PHASE_DONE, memory_order_release);
    for (uint32_t i = 0; i < b->thread_count; i++)
        if (b->threads[i].reference) pthread_join(b->threads[i].id, NULL);
}

static void gather(const struct bench *b, struct bench_result *r)
{
    latency_reset(&r->latency);
    r->open = atomic_load(&b->open);
    for (uint32_t i = 0; i < b->thread_count; i++) {
        const struct bench_thread *t = &b->threads[i];
        for (int role = 0; role < ROLES; role++) add_counts(&r->counts[role], &t->counts[role]);
        uint64_t *into = (uint64_t *)&r->verified;
        const uint64_t *from = (const uint64_t *)&t->verified;
        for (size_t k = 0; k < sizeof r->verified / sizeof *into; k++) into[k] += from[k];
        if (t->latency) latency_merge(&r->latency, t->latency);
        if (!r->first.text[0]) r->first = t->first;
        double seconds = (double)(t->end_ns - t->begin_ns) / 1e9;
        if (t->reference || seconds <= 0) continue;
        r->seconds = seconds > r->seconds ? seconds : r->seconds;
        double cpu = (double)(t->cpu_end_ns - t->cpu_begin_ns) / 1e9 / seconds;
        r->cpu_most = cpu > r->cpu_most ? cpu : r->cpu_most;
    }
    for (int role = 0; role < ROLES; role++) r->failed |= r->counts[role].broken || r->counts[role].lost;
    r->failed |= r->verified.lies > 0;
}

static void add_counts(struct bench_counts *into, const struct bench_counts *from)
{
    uint64_t *a = (uint64_t *)into;
    const uint64_t *b = (const uint64_t *)from;
    for (size_t i = 0; i < sizeof *into / sizeof *a; i++) a[i] += b[i];
}
