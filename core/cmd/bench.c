#include "cmd/bench.h"

#include "cmd/bench_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define VERIFY_TICKS (UINT64_C(1) << 20) /* the reference's memory: four times the server's default log */
#define STEP_NS      (5 * NS_PER_MS)
#define SPARE_FDS    64u
#define BEGIN_NS     (10 * NS_PER_SECOND) /* for every thread to see that it measures */

static void put_out(const struct bench *b, const struct bench_result *r);
static int write_file(const char *path, const char *option, const struct bench *b,
                      const struct bench_result *r,
                      void (*print)(FILE *, const struct bench *, const struct bench_result *));
static int prepare(struct bench *b, struct fault *f);
static int choose_io(struct bench *b, struct fault *f);
static int raise_descriptors(const struct bench *b, struct fault *f);
static bool share_out(struct bench *b);
static void measure_stages(struct bench *b, struct bench_result *r);
static void release(struct bench *b);
static int start(struct bench *b, struct fault *f);
static void explain(const struct bench *b, const struct bench_result *r, struct fault *f);
static bool wait_open(struct bench *b);
static void measure(struct bench *b);
static bool wait_phase(struct bench *b, uint64_t ns, uint64_t verified_enough);
static bool step(struct bench *b);
static void stop(struct bench *b);

int cmd_bench(int argc, char **argv)
{
    struct fault f;
    struct bench *b = calloc(1, sizeof *b);
    if (!b) return 1;
    int r = bench_options_read(b, argc, argv, &f), status = 0;
    if (r < 0) {
        status = cli_fail("bench", &f);
    } else if (r == TC_OK && b->options.self_test) {
        status = bench_selftest(b);
    } else if (r == TC_OK) {
        struct bench_result *result = NULL;
        if (bench_run(b, &result, &f)) {
            put_out(b, result);
            status = result->failed ? 1 : 0;
            if (write_file(b->options.json, "--json", b, result, bench_json) < 0) status = 1;
            if (write_file(b->options.html, "--html", b, result, bench_html) < 0) status = 1;
        } else {
            status = cli_fail("bench", &f);
        }
        free(result);
    }
    free(b);
    return status;
}

static void put_out(const struct bench *b, const struct bench_result *r)
{
    if (b->options.json && strcmp(b->options.json, "-") == 0)
        bench_json(stdout, b, r);
    else
        bench_report(stdout, b, r);
    char warning[BENCH_WARNING_MAX];
    if (bench_warning(r, warning)) fprintf(stderr, "tickcast bench: warning: %s\n", warning);
}

/* 0, or -1 after a line on standard error. No path, or -: nothing to do. */
static int write_file(const char *path, const char *option, const struct bench *b,
                      const struct bench_result *r,
                      void (*print)(FILE *, const struct bench *, const struct bench_result *))
{
    if (!path || strcmp(path, "-") == 0) return 0;
    FILE *file = fopen(path, "we");
    bool ok = file != NULL;
    if (ok) print(file, b, r);
    ok = ok && !ferror(file);
    if (file && fclose(file) != 0) ok = false;
    if (ok) return 0;
    char words[96];
    fprintf(stderr, "tickcast bench: %s %s: %s; check the directory and the space\n", option, path,
            strerror_r(errno, words, sizeof words));
    return -1;
}

bool bench_run(struct bench *b, struct bench_result **result, struct fault *f)
{
    *result = calloc(1, sizeof **result);
    if (!*result) {
        fault_set(f, TC_ESYSTEM, "no memory for the result");
        return false;
    }
    bool went = prepare(b, f) == TC_OK && start(b, f) == TC_OK;
    if (went) {
        went = wait_open(b) && wait_phase(b, b->options.warmup_ns, UINT64_MAX);
        if (went) measure_stages(b, *result);
        stop(b);
        bench_gather(b, *result);
        if (!went) explain(b, *result, f);
    }
    release(b);
    return went;
}

/* The server's stages are asked for just outside of the measurement, so that it is not made longer. */
static void measure_stages(struct bench *b, struct bench_result *r)
{
    struct bench_stages first;
    bench_stages_get(b, &first);
    measure(b);
    atomic_store_explicit(&b->phase, PHASE_STOP, memory_order_release);
    bench_stages_since(b, &first, &r->stages);
}

static void release(struct bench *b)
{
    for (uint32_t i = 0; i < b->thread_count; i++) {
        free(b->threads[i].conns);
        free(b->threads[i].latency);
        free(b->threads[i].handshakes);
        free(b->threads[i].subscribes);
        free(b->threads[i].series);
    }
    bench_plan_free(b);
    verify_close(&b->verify);
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
    r = choose_io(b, f);
    if (r == TC_OK) r = bench_plan_lists(b, f);
    if (r < 0) return r;
    if ((o->verify && !verify_open(&b->verify, VERIFY_TICKS, b->lists, b->list_count, o->kinds)) ||
        !share_out(b))
        return fault_set(f, TC_ESYSTEM, "no memory for %u connections; use fewer", b->expected);
    return TC_OK;
}

static int choose_io(struct bench *b, struct fault *f)
{
    if (strcmp(b->options.io, "epoll") == 0) return TC_OK;
    struct io_probe probe;
    io_probe(&probe);
    b->uring = probe.uring;
    if (b->uring || strcmp(b->options.io, "auto") == 0) return TC_OK;
    return fault_set(f, TC_EUSAGE, "--io: io_uring is not to be had here: %s; use --io auto", probe.missing);
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

/* Why nothing was measured. */
static void explain(const struct bench *b, const struct bench_result *r, struct fault *f)
{
    const char *more = r->first.text[0] ? "; the first trouble: " : "";
    if (b->interrupted)
        fault_set(f, TC_ESYSTEM, "interrupted before the measurement");
    else if (r->open == b->expected)
        fault_set(f, TC_ESYSTEM, "all connections ended before the measurement%s%s", more, r->first.text);
    else
        fault_set(f, TC_ESYSTEM, "%u of %u connections were subscribed%s%s", r->open, b->expected, more,
                  r->first.text[0] ? r->first.text : " within --connect-timeout");
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

/* Its end is not looked for before every thread has its beginning: however soon there is enough, or the user
 * interrupts, there is a time to divide by. What was verified before is not counted as --enough. */
static void measure(struct bench *b)
{
    atomic_store_explicit(&b->phase, PHASE_MEASURE, memory_order_release);
    for (uint64_t end = clock_mono_ns() + BEGIN_NS; clock_mono_ns() < end;) {
        if (atomic_load(&b->measuring) == b->thread_count) break;
        step(b);
    }
    uint64_t enough = b->options.enough, before = atomic_load(&b->verified);
    wait_phase(b, b->options.duration_ns,
               enough ? before + min_u64(enough, UINT64_MAX - before) : UINT64_MAX);
}

/* False if all connections ended before the time. */
static bool wait_phase(struct bench *b, uint64_t ns, uint64_t verified_enough)
{
    for (uint64_t end = clock_mono_ns() + ns; clock_mono_ns() < end && !atomic_load(&b->enough);) {
        if (atomic_load(&b->ended) >= b->expected) return false;
        if (atomic_load(&b->verified) >= verified_enough) return true;
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
