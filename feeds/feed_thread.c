/* feeds/feed_thread.c -- the sequencer's life: opened, let go, one round after another, stopped. Start
 * reading in run_round. What one feed goes through is in feed_slot.c.
 *
 * The thread sleeps on the log's writer sleeper: workers wake it when they made progress, go and stop wake it
 * too. */
#include "feeds/feed_thread.h"

#include "base/affinity.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/promptness.h"
#include "config/limits.h"
#include "feeds/feed_slot.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_NS                                                                                              \
    (100 * NS_PER_MS) /* how old the "drained" time may grow while nothing happens (decision 13) */
#define WAIT_MEMBERS_NS (5 * NS_PER_MS)  /* how often --wait looks for its connections */
#define SPIN_NS         (20 * NS_PER_US) /* before sleeping for workers, where a processor is to spare */

enum phase { PHASE_OPENING, PHASE_READY, PHASE_FAILED };

struct feed_thread {
    /* Set once by main, before the thread starts. */
    struct feed_thread_options options;
    char **uris; /* owned copies */
    pthread_t thread;
    bool has_thread;

    /* The feed thread's own. */
    struct feed_slot slots[FEEDS_MAX];
    uint32_t slot_count;
    uint64_t spin_ns;

    /* Main writes, the feed thread reads; seq_cst, for the sleeper. */
    _Atomic bool go, stop;

    /* Under the mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    enum phase phase;
    struct fault open_fault;
    struct feed_thread_stats stats; /* written by the feed thread, after each round */
};

static int copy_uris(struct feed_thread *t, struct fault *f);
static int wait_opened(struct feed_thread *t, struct fault *f);
static void free_thread(struct feed_thread *t);
static void *thread_main(void *argument);
static int open_all(struct feed_thread *t, struct fault *f);
static void name_feed(struct feed_thread *t, struct feed_slot *slot);
static void set_phase(struct feed_thread *t, enum phase phase, const struct fault *fault);
static bool wait_go(struct feed_thread *t);
static uint32_t members(const struct feed_thread *t);
static uint64_t run_round(struct feed_thread *t);
static void rest(struct feed_thread *t, uint64_t until_ns);
static void look_at_descriptors(struct feed_thread *t);
static void wait_descriptors(struct feed_thread *t, struct sleeper *sleeper, uint64_t wait_ns);
static uint32_t descriptors(struct feed_thread *t, struct pollfd *fds, struct feed_slot **slots);
static bool pace_changed(struct feed_thread *t);
static bool stopping(const struct feed_thread *t);
static struct feed_clock read_clock(void);
static void publish_stats(struct feed_thread *t, bool waiting);

/* ---- Main's side. ---- */

int feed_thread_start(struct feed_thread **out, const struct feed_thread_options *o, struct fault *f)
{
    if (o->uri_count > FEEDS_MAX)
        return fault_set(f, TC_EUSAGE, "%u feeds; at most %u are possible", o->uri_count, FEEDS_MAX);
    struct feed_thread *t = calloc(1, sizeof *t);
    if (!t) return fault_set(f, TC_ESYSTEM, "no memory for the feed thread");
    t->options = *o;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->opened, NULL);
    atomic_init(&t->go, false);
    atomic_init(&t->stop, false);
    int rc = copy_uris(t, f);
    if (rc == 0) {
        t->has_thread = pthread_create(&t->thread, NULL, thread_main, t) == 0;
        rc =
            t->has_thread ? wait_opened(t, f) : fault_set(f, TC_ESYSTEM, "the feed thread cannot be created");
    }
    if (rc < 0) {
        free_thread(t);
        return rc;
    }
    *out = t;
    return 0;
}

static int copy_uris(struct feed_thread *t, struct fault *f)
{
    t->uris = calloc(t->options.uri_count + 1, sizeof *t->uris);
    for (uint32_t i = 0; t->uris && i < t->options.uri_count; i++) {
        t->uris[i] = strdup(t->options.uris[i]);
        if (!t->uris[i]) return fault_set(f, TC_ESYSTEM, "no memory for the feeds' URIs");
    }
    t->options.uris = NULL; /* the caller's: not ours to look at later */
    return t->uris ? 0 : fault_set(f, TC_ESYSTEM, "no memory for the feeds' URIs");
}

static int wait_opened(struct feed_thread *t, struct fault *f)
{
    pthread_mutex_lock(&t->mutex);
    while (t->phase == PHASE_OPENING) pthread_cond_wait(&t->opened, &t->mutex);
    int rc = t->phase == PHASE_READY ? 0 : (int)t->open_fault.code;
    if (rc < 0 && f) *f = t->open_fault;
    pthread_mutex_unlock(&t->mutex);
    return rc;
}

static void free_thread(struct feed_thread *t)
{
    if (t->has_thread) pthread_join(t->thread, NULL);
    for (uint32_t i = 0; t->uris && i < t->options.uri_count; i++) free(t->uris[i]);
    free(t->uris);
    pthread_cond_destroy(&t->opened);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

void feed_thread_go(struct feed_thread *t)
{
    atomic_store_explicit(&t->go, true, memory_order_seq_cst); /* pairs with wait_go */
    sleeper_wake(log_writer_sleeper(t->options.log));
}

void feed_thread_stop(struct feed_thread *t)
{
    if (!t) return;
    atomic_store_explicit(&t->stop, true, memory_order_seq_cst); /* pairs with stopping */
    sleeper_wake(log_writer_sleeper(t->options.log));
    free_thread(t);
}

void feed_thread_stats(struct feed_thread *t, struct feed_thread_stats *out)
{
    pthread_mutex_lock(&t->mutex);
    *out = t->stats;
    pthread_mutex_unlock(&t->mutex);
}

/* ---- The feed thread's side. ---- */

static void *thread_main(void *argument)
{
    struct feed_thread *t = argument;
    pthread_setname_np(pthread_self(), "feeds");
    promptness_ask(); /* what it brings is late for everybody while it waits for a worker's slice to end */
    struct fault fault = {0};
    int rc = open_all(t, &fault);
    if (rc == 0) publish_stats(t, true);
    set_phase(t, rc < 0 ? PHASE_FAILED : PHASE_READY, &fault);
    if (rc == 0 && wait_go(t)) {
        struct feed_clock clock = read_clock();
        for (uint32_t i = 0; i < t->slot_count; i++) feed_slot_begin(&t->slots[i], &clock);
        while (!stopping(t)) {
            uint64_t until_ns = run_round(t);
            publish_stats(t, false);
            rest(t, until_ns);
        }
    }
    for (uint32_t i = 0; i < t->slot_count; i++) feed_slot_close(&t->slots[i]);
    return NULL;
}

static int open_all(struct feed_thread *t, struct fault *f)
{
    /* One processor for each worker, one for this thread, and one to spare for whom the workers serve.
     * Counted before this thread is pinned to one. */
    bool spare = affinity_count() > log_reader_count(t->options.log) + 1;
    t->spin_ns = spare ? SPIN_NS : 0;
    if (t->options.cpu >= 0) {
        int rc = affinity_pin(t->options.cpu);
        if (rc < 0)
            return fault_set(f, TC_EUSAGE,
                             "the feed thread cannot be pinned to processor %d (%s); see `nproc` and --cpus",
                             t->options.cpu, strerror(-rc));
    }
    for (uint32_t i = 0; i < t->options.uri_count; i++) {
        struct feed_slot *slot = &t->slots[t->slot_count];
        int rc = feed_slot_open(slot, t->options.log, t->uris[i], f);
        if (rc < 0) return rc;
        t->slot_count++;
        name_feed(t, slot);
    }
    return 0;
}

/* Names tell feeds apart: the second `sim` is `sim2`. */
static void name_feed(struct feed_thread *t, struct feed_slot *slot)
{
    char base[FEED_NAME_MAX + 1], name[FEED_NAME_MAX + 1];
    memcpy(base, slot->feed->name, sizeof base);
    memcpy(name, base, sizeof name);
    uint32_t number = 1;
    for (uint32_t i = 0; i + 1 < t->slot_count;) {
        if (strcmp(t->slots[i].feed->name, name) != 0) {
            i++;
            continue;
        }
        number++; /* taken: the next one, from the first feed on again */
        int digits = number < 10 ? 1 : 2;
        snprintf(name, sizeof name, "%.*s%u", (int)FEED_NAME_MAX - digits, base, number);
        i = 0;
    }
    memcpy(slot->feed->name, name, sizeof name);
}

static void set_phase(struct feed_thread *t, enum phase phase, const struct fault *fault)
{
    pthread_mutex_lock(&t->mutex);
    t->phase = phase;
    t->open_fault = *fault;
    pthread_cond_signal(&t->opened);
    pthread_mutex_unlock(&t->mutex);
}

/* Until feed_thread_go, and until --wait has its connections. False: stopped before. */
static bool wait_go(struct feed_thread *t)
{
    struct sleeper *sleeper = log_writer_sleeper(t->options.log);
    while (!stopping(t)) {
        bool go = atomic_load_explicit(&t->go, memory_order_seq_cst);
        if (go && members(t) >= t->options.wait_members) return true;
        log_set_drained(t->options.log, clock_real_ns()); /* nothing has come: nothing is missing */
        sleeper_prepare(sleeper);
        if (stopping(t) || atomic_load_explicit(&t->go, memory_order_seq_cst) != go)
            sleeper_cancel(sleeper);
        else
            sleeper_wait(sleeper, go ? WAIT_MEMBERS_NS : IDLE_NS);
    }
    return false;
}

static uint32_t members(const struct feed_thread *t)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < log_reader_count(t->options.log); i++)
        sum += atomic_load_explicit(&log_reader_at(t->options.log, i)->members, memory_order_acquire);
    return sum;
}

/* Every feed that is due and not held gets one poll. Returns the monotonic time to rest until (0: go on at
 * once). */
static uint64_t run_round(struct feed_thread *t)
{
    struct feed_clock round = read_clock(), clock = round;
    bool drained = true;
    uint64_t until_ns = round.mono_ns + IDLE_NS;
    look_at_descriptors(t);
    for (uint32_t i = 0; i < t->slot_count; i++) {
        struct feed_slot *slot = &t->slots[i];
        if (i > 0 && slot->state == SLOT_RUNNING) clock = read_clock(); /* the poll before took its time */
        uint64_t next_ns = feed_slot_turn(slot, &t->options, &clock);
        until_ns = min_u64(until_ns, next_ns);
        drained = drained && feed_slot_drained(slot, round.mono_ns);
    }
    if (drained) log_set_drained(t->options.log, round.real_ns);
    return until_ns;
}

/* Spins a little where there is room, then sleeps until the time has come or somebody wakes us. */
static void rest(struct feed_thread *t, uint64_t until_ns)
{
    uint64_t now_ns = clock_mono_ns();
    if (until_ns <= now_ns) return;
    bool held = false;
    for (uint32_t i = 0; i < t->slot_count; i++) held = held || t->slots[i].held;
    if (held && t->spin_ns > 0) {
        uint64_t end_ns = min_u64(until_ns, now_ns + t->spin_ns);
        while (clock_mono_ns() < end_ns)
            if (pace_changed(t)) return;
    }
    struct sleeper *sleeper = log_writer_sleeper(t->options.log);
    sleeper_prepare(sleeper);
    if (stopping(t) ||
        (held && pace_changed(t))) { /* looked at again after saying that we sleep: no lost wake-up */
        sleeper_cancel(sleeper);
        return;
    }
    now_ns = clock_mono_ns();
    if (until_ns > now_ns)
        wait_descriptors(t, sleeper, until_ns - now_ns);
    else
        sleeper_cancel(sleeper);
}

/* After the round's time was read, for what is told as drained at that time; and in every round, for beside a
 * feed that is always due there is no sleep that would look. */
static void look_at_descriptors(struct feed_thread *t)
{
    struct pollfd fds[1 + FEEDS_MAX];
    struct feed_slot *slots[1 + FEEDS_MAX];
    uint32_t count = descriptors(t, fds, slots);
    if (count == 1 || poll(fds + 1, count - 1, 0) <= 0) return;
    for (uint32_t i = 1; i < count; i++) slots[i]->ready = fds[i].revents != 0;
}

/* Sleeps, and on the descriptors as well. */
static void wait_descriptors(struct feed_thread *t, struct sleeper *sleeper, uint64_t wait_ns)
{
    struct pollfd fds[1 + FEEDS_MAX];
    struct feed_slot *slots[1 + FEEDS_MAX];
    uint32_t count = descriptors(t, fds, slots);
    sleeper_wait_with(sleeper, fds, count, wait_ns);
    for (uint32_t i = 1; i < count; i++) slots[i]->ready = fds[i].revents != 0;
}

/* From fds[1] on, those that are not known to be ready, of feeds that are not held back: a held one would end
 * a sleep without being asked. Returns the count, fds[0] included. */
static uint32_t descriptors(struct feed_thread *t, struct pollfd *fds, struct feed_slot **slots)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < t->slot_count; i++) {
        struct feed_slot *slot = &t->slots[i];
        if (slot->state != SLOT_RUNNING || slot->held || slot->ready || !slot->feed->has_fd) continue;
        slots[count] = slot;
        fds[count++] = (struct pollfd){.fd = slot->feed->fd, .events = POLLIN};
    }
    return count;
}

/* A held feed may go on. */
static bool pace_changed(struct feed_thread *t)
{
    uint64_t now_ns = clock_mono_ns();
    for (uint32_t i = 0; i < t->slot_count; i++)
        if (t->slots[i].held && !feed_slot_held(&t->slots[i], &t->options, now_ns)) return true;
    return false;
}

static bool stopping(const struct feed_thread *t)
{
    return atomic_load_explicit(&t->stop, memory_order_seq_cst);
}

static struct feed_clock read_clock(void)
{
    struct feed_clock clock;
    for (int tries = 0; tries < 16; tries++) { /* preempted in between: once more */
        clock.mono_ns = clock_mono_ns();
        clock.real_ns = clock_real_ns();
        if (clock_mono_ns() - clock.mono_ns <= FEED_CLOCK_PAIR_NS) break;
    }
    return clock;
}

static void publish_stats(struct feed_thread *t, bool waiting)
{
    struct feed_thread_stats s = {.feeds = t->slot_count,
                                  .waiting = waiting,
                                  .progress_permille = UINT32_MAX,
                                  .seconds_left = UINT32_MAX};
    const struct feed_slot *failed = NULL;
    for (uint32_t i = t->slot_count;
         i-- > 0;) { /* backwards: of what only one can say, the first feed's stays */
        const struct feed_slot *slot = &t->slots[i];
        s.ticks += feed_writer_ticks(slot->writer);
        s.lost += feed_writer_lost(slot->writer);
        s.running += slot->state == SLOT_RUNNING;
        s.ended += slot->state == SLOT_ENDED;
        s.failed += slot->state == SLOT_FAILED;
        if (slot->state == SLOT_FAILED) failed = slot;
        if (slot->feed->progress_permille != UINT32_MAX) s.progress_permille = slot->feed->progress_permille;
        if (slot->feed->seconds_left != UINT32_MAX) s.seconds_left = slot->feed->seconds_left;
    }
    s.all_done = s.ended + s.failed == s.feeds;
    if (failed) memcpy(s.fault_text, failed->fault.text, sizeof s.fault_text);
    pthread_mutex_lock(&t->mutex);
    t->stats = s;
    pthread_mutex_unlock(&t->mutex);
}
