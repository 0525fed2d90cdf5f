#include "cmd/bench_internal.h"

#include "base/affinity.h"
#include "base/random.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX     256
#define SHAKING_MAX    128u /* handshakes under way at once: the server's backlog is no queue of ours */
#define RATION_NS      (20 * NS_PER_MS) /* slow readers get their bytes in such steps */
#define WAIT_MS        10
#define VERIFY_WAIT_NS (3 * NS_PER_SECOND) /* for the reference to come up with the last frames */

static bool prepare(struct bench_thread *t);
static void pin(const struct bench_thread *t);
static void see_phase(struct bench_thread *t, uint64_t now_ns);
static void begin_more(struct bench_thread *t, uint64_t now_ns);
static void ration(struct bench_thread *t, uint64_t now_ns);
static void settle(struct bench_thread *t, struct bench_conn *c);
static void settle_all(struct bench_thread *t);
static void finish(struct bench_thread *t);
static uint64_t cpu_ns(void);

void *bench_thread_main(void *thread)
{
    struct bench_thread *t = thread;
    if (!prepare(t)) {
        fault_set(&t->first, TC_ESYSTEM, "thread %u: no memory or no epoll; use fewer connections",
                  t->number);
        atomic_fetch_add(&t->bench->ended, t->conn_count);
        return NULL;
    }
    pin(t);
    enum bench_phase last = t->reference ? PHASE_DONE : PHASE_STOP;
    for (uint64_t now = clock_mono_ns(); t->phase < last; now = clock_mono_ns()) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(t->epoll, events, EVENTS_MAX, WAIT_MS);
        see_phase(t, clock_mono_ns());
        for (int i = 0; i < count && t->phase < last; i++) {
            bench_conn_event(t, events[i].data.ptr, events[i].events);
            settle(t, events[i].data.ptr);
        }
        begin_more(t, now);
        ration(t, now);
        settle_all(t);
    }
    finish(t);
    return NULL;
}

static bool prepare(struct bench_thread *t)
{
    uint8_t secret[16];
    random_secret(secret, sizeof secret);
    random_secret(t->mask, sizeof t->mask);
    client_handshake_make(&t->handshake, t->reference ? &t->bench->reference_url : &t->bench->url,
                          "tickcast.v1.json", secret);
    t->sample_left = t->bench->options.sample;
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    t->buffer = malloc(CLIENT_MESSAGE_MAX + CLIENT_FRAME_HEAD_MAX + 2 * BENCH_READ_BYTES);
    t->latency = malloc(sizeof *t->latency);
    if (t->latency) latency_reset(t->latency);
    return t->epoll >= 0 && t->buffer && t->latency;
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
    } else if (t->phase == PHASE_MEASURE) {
        t->end_ns = now_ns;
        t->cpu_end_ns = cpu_ns();
    }
    t->phase = phase;
}

static void begin_more(struct bench_thread *t, uint64_t now_ns)
{
    const struct bench *b = t->bench;
    /* The reference comes first: what is checked must be in its record. */
    bool must_wait = b->options.verify && !t->reference &&
                     atomic_load_explicit(&b->verify.first, memory_order_acquire) == 0;
    uint64_t step_ns = b->options.ramp ? NS_PER_SECOND * b->options.threads / b->options.ramp : 0;
    while (!must_wait && t->begun < t->conn_count && t->shaking < SHAKING_MAX && now_ns >= t->next_begin_ns) {
        if (t->next_begin_ns == 0) t->next_begin_ns = now_ns;
        t->next_begin_ns += step_ns;
        bench_conn_begin(t, &t->conns[t->begun++]);
    }
}

/* Slow ones are not watched for bytes: they get their share by the clock. Stuck ones get none. */
static void ration(struct bench_thread *t, uint64_t now_ns)
{
    if (now_ns < t->next_ration_ns) return;
    if (t->next_ration_ns < now_ns - min_u64(now_ns, NS_PER_SECOND)) t->next_ration_ns = now_ns;
    t->next_ration_ns += RATION_NS;
    uint64_t share = max_u64(1, t->bench->options.slow_rate * RATION_NS / NS_PER_SECOND);
    for (uint32_t i = 0; i < t->begun; i++) {
        struct bench_conn *c = &t->conns[i];
        if (c->role != ROLE_SLOW || c->state != CONN_OPEN || c->reading) continue;
        if (verify_conn_waiting(&c->verify) < VERIFY_QUEUE_WORDS) bench_conn_read(t, c, share);
    }
}

/* After an event: the verifier's turn, and who may go on reading. */
static void settle(struct bench_thread *t, struct bench_conn *c)
{
    bool verify = t->bench->options.verify && !t->reference;
    if (verify && verify_conn_waiting(&c->verify)) {
        verify_conn_check(&c->verify, &t->bench->verify, &t->verified);
        if (c->verify.lie) bench_broken(t, c, c->verify.lie, c->verify.lie_seq);
    }
    if (c->state != CONN_OPEN) return;
    bool by_clock =
        (c->role == ROLE_SLOW || c->role == ROLE_STUCK) && (c->at.subscribed || t->bench->options.idle);
    bool reading = !by_clock && (!verify || verify_conn_waiting(&c->verify) < VERIFY_QUEUE_WORDS);
    if (reading != c->reading) bench_conn_watch(t, c, reading);
}

/* Frames that came before the reference had them. */
static void settle_all(struct bench_thread *t)
{
    if (!t->bench->options.verify || t->reference) return;
    for (uint32_t i = 0; i < t->begun; i++)
        if (verify_conn_waiting(&t->conns[i].verify)) settle(t, &t->conns[i]);
}

static void finish(struct bench_thread *t)
{
    uint64_t end = clock_mono_ns() + VERIFY_WAIT_NS;
    for (bool waiting = t->bench->options.verify && !t->reference; waiting && clock_mono_ns() < end;) {
        settle_all(t);
        waiting = false;
        for (uint32_t i = 0; i < t->begun; i++)
            waiting |= !verify_conn_check(&t->conns[i].verify, &t->bench->verify, &t->verified);
        if (waiting) nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    }
    for (uint32_t i = 0; i < t->conn_count; i++) {
        struct bench_conn *c = &t->conns[i];
        verify_conn_give_up(&c->verify, &t->verified);
        if (c->verify.lie) bench_broken(t, c, c->verify.lie, c->verify.lie_seq);
        verify_conn_free(&c->verify);
        if (i < t->begun) bench_conn_end(t, c, NULL);
    }
    if (t->epoll >= 0) close(t->epoll);
    free(t->buffer);
}

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}
