/* worker/worker.c -- one core's turn. Start reading tickcast here. Thread: the worker's own.
 *
 * Stages run one after the other, each bounded, so that none can hold up the rest: events, new ticks, cohorts
 * with news, single connections, timers. Nobody recurses from a completion; a stage returns the work it has
 * done. */
#include "worker/worker.h"

#include "worker/worker_internal.h"

#include "base/affinity.h"
#include "base/assert.h"

#include <errno.h>
#include <signal.h>

#define DRAIN_CLOSES 256u   /* connections that a turn sends away */
#define DRAIN_LOOKS  16384u /* slots that it looks at for them */

static uint32_t turn(struct worker *w, uint64_t now_ns, uint64_t real_ns, const struct io_event *events,
                     uint32_t count);
static void take_event(struct worker *w, const struct io_event *e); /* -> worker_conn.c, worker_input.c */
static uint32_t turn_timers(struct worker *w);
static uint32_t turn_drain(struct worker *w);
static void drain_begin(struct worker *w, bool ended);
static void drain_conn(struct worker *w, struct conn *c, bool ended);
static bool is_owed(const struct worker *w, const struct conn *c);
static void completions_lost(struct worker *w);
static void publish(struct worker *w);
static void *run(void *context);
static int pin(const struct worker *w, struct fault *fault);
static uint32_t turn_now(struct worker *w, const struct io_event *events, uint32_t count);
static void idle(struct worker *w);
static bool has_news(const struct worker *w);

uint32_t worker_turn(struct worker *w, uint64_t now_ns, uint64_t real_ns, uint64_t wait_ns)
{
    struct io_event events[EVENTS_MAX];
    uint32_t count = w->io->ops->wait(w->io, events, EVENTS_MAX, wait_ns);
    return turn(w, now_ns, real_ns, events, count);
}

static uint32_t turn(struct worker *w, uint64_t now_ns, uint64_t real_ns, const struct io_event *events,
                     uint32_t count)
{
    w->now_ns = now_ns; /* the only clock in this turn */
    w->real_ns = real_ns;
    w->now_ms = (uint32_t)((now_ns - w->start_ns) / NS_PER_MS);
    for (uint32_t i = 0; i < count; i++) take_event(w, &events[i]);
    uint32_t work = count + fold_turn(w);
    work += fan_turn(w);
    work += single_turn(w);
    work += turn_timers(w);
    work += admin_turn(w);
    work += turn_drain(w);
    work += pace_turn(w);
    completions_lost(w);
    publish(w);
    pace_publish(w);
    TC_ASSERT(w->conn_count <= w->conns_max);
#ifdef TC_ASSERT_SLOW_ON
    worker_check(w);
#endif
    return work;
}

static void take_event(struct worker *w, const struct io_event *e)
{
    if (e->op == IO_ACCEPTED) conn_accept(w, e);
    if (e->op == IO_ACCEPTED || e->op == IO_WOKEN) return;
    /* An earlier event of this batch may have ended the connection. */
    struct conn *c = e->slot < w->conn_touched ? &w->conns[e->slot] : NULL;
    bool gone = !c || c->state == CONN_FREE || c->generation != e->generation;
    if (e->op == IO_RECEIVED && gone) {
        if (e->result > 0) w->io->ops->buffer_done(w->io, e->buffer);
    } else if (!gone && e->op == IO_RECEIVED) {
        input_received(w, c, e);
    } else if (!gone) {
        conn_writable(w, c);
    }
}

static uint32_t turn_timers(struct worker *w)
{
    uint32_t fired = 0;
    struct timer *t;
    while (fired < 1024 && (t = timer_due(&w->timers, w->now_ns)) != NULL) {
        conn_timer_fired(w, (struct conn *)((char *)t - offsetof(struct conn, timer)));
        fired++;
    }
    return fired;
}

/* SIGTERM: new connections are refused (conn_accept); those open are told and closed, spread over
 * --drain-seconds (0: all at once, with 1001). The end of a replay: what is in the log is delivered first,
 * then 1000 (decision 17). */
static uint32_t turn_drain(struct worker *w)
{
    bool ended = atomic_load_explicit(&w->server->ended, memory_order_acquire);
    if (!w->draining) {
        if (!ended && !atomic_load_explicit(&w->server->draining, memory_order_acquire)) return 0;
        drain_begin(w, ended);
    }
    if (ended && w->read_seq < log_head(w->log)) return 1; /* what was read last is not all */
    uint64_t spread = ended ? 0 : w->settings->drain_ns;
    uint64_t gone_ns = w->now_ns - w->drain_start_ns;
    /* Spread over the connections that were there, not over slots: of a large crowd that has left, few may
     * remain, and all in the lowest ones. */
    uint64_t due = gone_ns >= spread ? UINT64_MAX : w->drain_count * gone_ns / spread;
    uint32_t done = 0;
    for (uint32_t looks = 0; w->drain_next < w->conn_touched && looks < DRAIN_LOOKS; looks++) {
        struct conn *c = &w->conns[w->drain_next];
        if (c->state != CONN_FREE) {
            if (w->drain_done >= due || done == DRAIN_CLOSES) break;
            if (ended && gone_ns < w->settings->close_timeout_ns && is_owed(w, c)) break;
            drain_conn(w, c, ended);
            w->drain_done++;
            done++;
        }
        w->drain_next++;
    }
    bool over = w->drain_next >= w->conn_touched && w->conn_count == 0;
    if (over && !atomic_load_explicit(&w->drained, memory_order_relaxed)) {
        w->io->ops->listen_stop(w->io); /* not before: who comes while others go is told when to come back */
        atomic_store_explicit(&w->drained, true, memory_order_release);
    }
    return done;
}

static void drain_conn(struct worker *w, struct conn *c, bool ended)
{
    if (c->state == CONN_HTTP && c->rest_block == POOL_NONE) conn_linger(w, c);
    if (c->state != CONN_OPEN) return;
    bool spread = !ended && w->settings->drain_ns > 0;
    bool closing = c->flags & (CF_CLOSE | CF_CLOSE_SENT); /* for another reason: no word of a drain */
    if (spread && !closing) c->flags |= CF_DRAIN;
    uint16_t code = ended ? WS_NORMAL : spread ? WS_RESTART : WS_GOING_AWAY;
    conn_want_close(w, c, code, ended ? "ended" : "drain");
}

static void drain_begin(struct worker *w, bool ended)
{
    w->draining = true;
    w->drain_start_ns = w->now_ns;
    w->drain_next = 0;
    w->drain_done = 0;
    w->drain_count = w->conn_count;
    if (!ended) return;
    groups_hurry(&w->groups, w->now_ns);
}

/* A tick that matches, or the told position after it, has not been sent yet. */
static bool is_owed(const struct worker *w, const struct conn *c)
{
    if (c->state != CONN_OPEN || !c->group) return false;
    return !c->cohort || c->cohort->read < group_maybe_seq(&w->groups, c->group);
}

/* The kernel had no room for completions (decision 29). Any of them may have told of a send that was cut: no
 * stream of this worker is known to be whole any more, and each client is better off with a resume. */
static void completions_lost(struct worker *w)
{
    uint64_t lost = w->io->counters.cq_overflow - counter_get(&w->counters.cq_overflow_total);
    if (lost == 0) return;
    diag(DIAG_ERROR, "completions_lost", D_NUM("worker", w->options.index), D_NUM("count", lost),
         D_NUM("reset", w->conn_count), D_TEXT("remedy", "free memory on this machine, or use --io epoll"));
    for (uint32_t slot = 0; slot < w->conn_touched; slot++)
        if (w->conns[slot].state != CONN_FREE) conn_close(w, &w->conns[slot], IO_CLOSE_RESET);
}

/* What others may know of this worker. Everything here has one writer: this thread. */
static void publish(struct worker *w)
{
    struct counters *n = &w->counters;
    const struct io_counters *io = &w->io->counters;
    counter_set(&n->connections, w->conn_count);
    counter_set(&n->subscribers, w->subscriber_count);
    counter_set(&n->behind, w->behind_count);
    counter_set(&n->groups, w->groups.group_count);
    counter_set(&n->cohorts, w->groups.cohort_count);
    counter_set(&n->rest_bytes, (uint64_t)w->rests.in_use * w->rests.block_bytes);
    counter_set(&n->input_bytes, (uint64_t)w->inputs.in_use * RECEIVE_BUFFER_BYTES);
    counter_set(&n->filter_bytes, w->groups.heap.live);
    counter_set(&n->sends_total, io->sends);
    counter_set(&n->sent_bytes_total, io->sent_bytes);
    counter_set(&n->sends_full_total, io->sends_full);
    counter_set(&n->sends_part_total, io->sends_part);
    counter_set(&n->received_bytes_total, io->received_bytes);
    counter_set(&n->receive_no_buffer_total, io->receive_no_buffer);
    counter_set(&n->cq_overflow_total, io->cq_overflow);
    counter_set(&n->enters_total, io->enters);
}

/* ---- The thread. ---- */

int worker_start(struct worker *w, struct fault *fault)
{
    int error = pthread_create(&w->thread, NULL, run, w);
    if (error != 0) {
        errno = error;
        return fault_errno(fault, "cannot start worker %u", w->options.index);
    }
    w->thread_started = true;
    while (!atomic_load_explicit(&w->opened, memory_order_acquire)) sched_yield();
    if (w->start_result < 0 && fault) *fault = w->start_fault;
    return w->start_result;
}

static void *run(void *context)
{
    struct worker *w = context;
    sigset_t all;
    sigfillset(&all); /* signals are main's */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    char name[16]; /* as top -H and ps -L show it */
    snprintf(name, sizeof name, "worker %u", w->options.index);
    pthread_setname_np(pthread_self(), name);
    worker_clock(w, clock_mono_ns());
    w->start_result = pin(w, &w->start_fault);
    if (w->start_result == 0) w->start_result = worker_open_io(w, &w->start_fault);
    int result = w->start_result;
    atomic_store_explicit(&w->opened, true, memory_order_release);
    if (result < 0) return NULL;
    struct io_event events[EVENTS_MAX];
    while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
        uint32_t count = w->io->ops->wait(w->io, events, EVENTS_MAX, 0);
        if (turn_now(w, events, count) == 0) idle(w);
    }
    return NULL;
}

static int pin(const struct worker *w, struct fault *fault)
{
    int cpu = w->options.cpu, rc = cpu >= 0 ? affinity_pin(cpu) : 0;
    if (rc == 0) return TC_OK;
    return fault_set(fault, TC_EUSAGE,
                     "worker %u cannot be pinned to processor %d (%s); see `nproc` and --cpus",
                     w->options.index, cpu, strerror(-rc));
}

/* What came is answered at the time it came: the clock is read after the wait, however short that was to be:
 * it sends what stands in the ring, and others have the processor in between. */
static uint32_t turn_now(struct worker *w, const struct io_event *events, uint32_t count)
{
    return turn(w, clock_mono_ns(), clock_real_ns(), events, count);
}

/* Spins a little, then sleeps in the io until somebody wakes it, a timer is due, or 1 s is over. */
static void idle(struct worker *w)
{
    uint64_t until = w->now_ns + w->options.spin_ns;
    while (w->options.spin_ns > 0 && clock_mono_ns() < until)
        if (has_news(w)) return;
    struct io_event events[EVENTS_MAX];
    struct sleeper *s = &w->reader->sleeper;
    sleeper_prepare(s);
    uint64_t wait_ns = has_news(w) ? 0 : worker_wait_ns(w, clock_mono_ns());
    if (wait_ns > 0) counter_add(&w->counters.sleeps_total, 1);
    uint32_t count = w->io->ops->wait(w->io, events, EVENTS_MAX, wait_ns);
    sleeper_cancel(s);
    turn_now(w, events, count);
}

/* seq_cst where it matters: after sleeper_prepare, before sleeping. */
static bool has_news(const struct worker *w)
{
    return log_head(w->log) != w->read_seq || atomic_load_explicit(&w->stop, memory_order_seq_cst) ||
           atomic_load_explicit(&w->admin.asked, memory_order_seq_cst) != w->admin.taken ||
           (!w->draining && (atomic_load_explicit(&w->server->draining, memory_order_seq_cst) ||
                             atomic_load_explicit(&w->server->ended, memory_order_seq_cst)));
}

uint64_t worker_wait_ns(const struct worker *w, uint64_t now_ns)
{
    if (w->ready_count > 0) return w->groups.round.count ? 0 : NS_PER_MS;
    if (w->groups.round.count > 0) return 0;
    uint64_t most = w->draining ? 10 * NS_PER_MS : NS_PER_SECOND;
    return min_u64(timer_wait_ns(&w->timers, now_ns, most), timer_wait_ns(&w->groups.timers, now_ns, most));
}

void worker_wake(struct worker *w)
{
    sleeper_wake_slow(&w->reader->sleeper);
}

bool worker_drained(const struct worker *w)
{
    return atomic_load_explicit(&w->drained, memory_order_acquire);
}

void worker_stop(struct worker *w)
{
    if (!w->thread_started) return;
    atomic_store_explicit(&w->stop, true, memory_order_seq_cst);
    worker_wake(w);
    pthread_join(w->thread, NULL);
    w->thread_started = false;
}

const struct counters *worker_counters(const struct worker *w)
{
    return &w->counters;
}
