#include "cmd/bench_internal.h"

#include "base/affinity.h"

#include <stdlib.h>
#include <time.h>

#define EVENTS_MAX     512
#define SHAKING_MAX    128u /* handshakes under way at once: the server's backlog is no queue of ours */
#define WAIT_NS        (5 * NS_PER_MS)
#define VERIFY_WAIT_NS (5 * NS_PER_SECOND) /* for the reference to come up with the last frames */
#define RECEIVE_BYTES  (16u << 20)         /* receive buffers in all: few connections get large ones */
#define BUFFERS_LEAST  256u
#define BUFFERS_MOST   2048u

static bool prepare(struct bench_thread *t);
static struct io *open_io(const struct bench_thread *t, struct fault *f);
static void pin(const struct bench_thread *t);
static void see_phase(struct bench_thread *t, uint64_t now_ns);
static bool may_begin(const struct bench_thread *t);
static void begin_more(struct bench_thread *t, uint64_t now_ns);
static uint64_t wait_ns(const struct bench_thread *t);
static void settle(struct bench_thread *t, struct bench_conn *c, uint64_t now_ns);
static void settle_all(struct bench_thread *t, uint64_t now_ns);
static void finish(struct bench_thread *t);
static void finish_verify(struct bench_thread *t);
static void release(struct bench_thread *t);
static uint64_t cpu_ns(void);

void *bench_thread_main(void *thread)
{
    struct bench_thread *t = thread;
    pin(t);
    if (!prepare(t)) {
        atomic_fetch_add(&t->bench->ended, t->conn_count);
        release(t);
        return NULL;
    }
    enum bench_phase last = t->reference ? PHASE_DONE : PHASE_STOP;
    while (t->phase < last) {
        struct io_event events[EVENTS_MAX];
        uint32_t count = t->io->ops->wait(t->io, events, EVENTS_MAX, wait_ns(t));
        uint64_t now = clock_mono_ns();
        see_phase(t, now);
        for (uint32_t i = 0; i < count; i++) {
            if (t->phase < last) bench_conn_event(t, &events[i]);
            if (events[i].op == IO_RECEIVED && events[i].result > 0)
                t->io->ops->buffer_done(t->io, events[i].buffer);
            if (t->phase < last) settle(t, &t->conns[events[i].slot], now);
        }
        begin_more(t, now);
        bench_trouble(t, now);
        settle_all(t, now);
    }
    finish(t);
    return NULL;
}

static bool prepare(struct bench_thread *t)
{
    random_seed(&t->random, t->bench->options.seed * 1000003 + t->number);
    random_secret(t->secret, sizeof t->secret);
    random_secret(t->mask, sizeof t->mask);
    t->sample_left = t->bench->options.sample;
    t->next_again_ns = UINT64_MAX;
    for (uint32_t i = 0; i < t->conn_count; i++) bench_plan_draw(t, &t->conns[i]);
    struct latency **all[] = {&t->latency, &t->handshakes, &t->subscribes};
    bool ok = true;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        *all[i] = malloc(sizeof **all[i]);
        if (*all[i])
            latency_reset(*all[i]);
        else
            ok = false;
    }
    t->series = calloc(1, sizeof *t->series);
    t->buffer_room = CLIENT_MESSAGE_MAX + CLIENT_FRAME_HEAD_MAX + 2 * RECEIVE_BYTES / BUFFERS_LEAST;
    t->buffer = malloc(t->buffer_room);
    if (!bench_deflate_prepare(t)) ok = false;
    if (!ok || !t->series || !t->buffer)
        return fault_set(&t->first, TC_ESYSTEM, "thread %u: no memory; use fewer --threads", t->number),
               false;
    t->io = open_io(t, &t->first);
    return t->io != NULL;
}

static struct io *open_io(const struct bench_thread *t, struct fault *f)
{
    uint32_t buffers = BUFFERS_LEAST;
    while (buffers < BUFFERS_MOST && buffers < t->conn_count) buffers *= 2;
    struct io_options o = {.slots = t->conn_count,
                           .buffers = buffers,
                           .buffer_bytes = RECEIVE_BYTES / buffers,
                           .sends_max = 1, /* what it sends goes out by send(2): requests and pongs */
                           .wake_fd = -1};
    return t->bench->uring ? io_uring_open(&o, f) : io_epoll_open(&o, f);
}

static void pin(const struct bench_thread *t)
{
    uint32_t cpus[BENCH_THREADS_MAX];
    if (!t->bench->options.cpus) return;
    int count = affinity_parse_list(t->bench->options.cpus, cpus, BENCH_THREADS_MAX, NULL);
    if (count > 0) affinity_pin((int)cpus[t->number % (uint32_t)count]);
}

static void see_phase(struct bench_thread *t, uint64_t now_ns)
{
    enum bench_phase phase = (enum bench_phase)atomic_load_explicit(&t->bench->phase, memory_order_acquire);
    if (phase == t->phase) return;
    if (phase == PHASE_MEASURE) {
        t->begin_ns = now_ns;
        t->cpu_begin_ns = cpu_ns();
        series_begin(t->series, now_ns, t->bench->options.duration_ns);
        for (uint32_t i = 0; i < t->begun; i++) t->conns[i].heard_ns = now_ns;
        t->next_kill_ns = t->next_churn_ns = t->next_stall_ns = now_ns;
    } else if (t->phase == PHASE_MEASURE) {
        t->end_ns = now_ns;
        t->cpu_end_ns = cpu_ns();
        for (uint32_t i = 0; i < t->begun; i++) { /* a stall at the very end is one too */
            uint64_t *most = &t->counts[t->conns[i].role].silence_ns;
            if (t->conns[i].state == CONN_OPEN) *most = max_u64(*most, now_ns - t->conns[i].heard_ns);
        }
    }
    t->phase = phase;
    if (phase == PHASE_MEASURE) atomic_fetch_add(&t->bench->measuring, 1);
}

/* The reference comes first: what is checked must be in its record. */
static bool may_begin(const struct bench_thread *t)
{
    const struct bench *b = t->bench;
    bool must_wait = b->options.verify && !t->reference &&
                     atomic_load_explicit(&b->verify.first, memory_order_acquire) == 0;
    return !must_wait && t->begun < t->conn_count && t->shaking < SHAKING_MAX;
}

/* With --ramp each is due at a time of its own, whatever the ones before are waiting for. */
static void begin_more(struct bench_thread *t, uint64_t now_ns)
{
    const struct bench_options *o = &t->bench->options;
    uint64_t step_ns = o->ramp ? NS_PER_SECOND * o->threads / o->ramp : 0;
    while (may_begin(t) && now_ns >= t->next_begin_ns) {
        if (t->next_begin_ns == 0 || !o->ramp) t->next_begin_ns = now_ns;
        uint64_t due_ns = t->next_begin_ns;
        t->next_begin_ns += step_ns;
        bench_conn_begin(t, &t->conns[t->begun++], due_ns);
    }
}

/* Until the next connection is due, so that what is timed from then on is not our own lateness. */
static uint64_t wait_ns(const struct bench_thread *t)
{
    const struct bench_options *o = &t->bench->options;
    uint64_t due = t->next_again_ns, now = clock_mono_ns();
    if (o->ramp && may_begin(t)) due = min_u64(due, t->next_begin_ns);
    if (o->churn && bench_measuring(t) && t->readers) due = min_u64(due, t->next_churn_ns);
    return due > now ? min_u64(due - now, WAIT_NS) : 0;
}

/* After an event: the verifier's turn, and who may go on reading. */
static void settle(struct bench_thread *t, struct bench_conn *c, uint64_t now_ns)
{
    bool verify = t->bench->options.verify && !t->reference;
    if (verify && verify_conn_waiting(&c->verify)) {
        verify_conn_check(&c->verify, &t->bench->verify, &t->verified);
        if (c->verify.lie) bench_broken(t, c, c->verify.lie, c->verify.lie_seq);
    }
    if (c->state != CONN_OPEN || !c->attached) return;
    bool reading = c->stalled_until_ns <= now_ns;
    if (verify && verify_conn_waiting(&c->verify) >= VERIFY_QUEUE_WORDS) reading = false;
    bench_conn_watch(t, c, reading);
}

/* Frames that came before the reference had them; stalls that are over. */
static void settle_all(struct bench_thread *t, uint64_t now_ns)
{
    if (t->reference || (!t->bench->options.verify && !t->bench->options.stall)) return;
    for (uint32_t i = 0; i < t->begun; i++)
        if (verify_conn_waiting(&t->conns[i].verify) || !t->conns[i].reading) settle(t, &t->conns[i], now_ns);
    atomic_fetch_add(&t->bench->verified, t->verified.ticks - t->verified_told);
    t->verified_told = t->verified.ticks;
}

static void finish(struct bench_thread *t)
{
    if (t->bench->options.verify && !t->reference) finish_verify(t);
    for (uint32_t i = 0; i < t->conn_count; i++) {
        struct bench_conn *c = &t->conns[i];
        verify_conn_give_up(&c->verify, &t->verified);
        if (c->verify.lie) bench_broken(t, c, c->verify.lie, c->verify.lie_seq);
        verify_conn_free(&c->verify);
        if (i < t->begun) bench_conn_end(t, c, NULL);
    }
    release(t);
}

static void release(struct bench_thread *t)
{
    if (t->io) t->io->ops->close(t->io);
    free(t->buffer);
    inflater_destroy(t->inflater);
    free(t->plain);
}

static void finish_verify(struct bench_thread *t)
{
    uint64_t end = clock_mono_ns() + VERIFY_WAIT_NS;
    for (bool waiting = true; waiting && clock_mono_ns() < end;) {
        waiting = false;
        for (uint32_t i = 0; i < t->begun; i++)
            waiting |= !verify_conn_check(&t->conns[i].verify, &t->bench->verify, &t->verified);
        if (waiting) nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    }
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}
