/* A feed that is due only when its descriptor can be read: the feed thread sleeps until then, leaves it alone
 * while its pace holds it back, and looks at it though another feed lets it have no sleep. Linked in place of
 * feeds/feed_registry.c. */
#include "base/clock.h"
#include "feeds/feed_thread.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_NS (30 * NS_PER_SECOND)
#define LOOK_NS     (50 * NS_PER_MS)

static int given_fd;           /* main writes how many ticks are to come, the feed reads */
static _Atomic uint32_t polls; /* counted by the feed thread */
static enum feed_pace pace;

struct given_feed {
    struct feed feed;
    bool defined;
    uint32_t symbol;
};

static int given_open(struct feed **out, struct feed_uri *uri, struct fault *f)
{
    (void)uri;
    (void)f;
    struct given_feed *g = calloc(1, sizeof *g);
    assert_non_null(g);
    const struct feed_ops *ops = feed_find(TEXT("given"));
    g->feed = (struct feed){.ops = ops, .name = "given", .pace = pace, .has_fd = true, .fd = given_fd};
    *out = &g->feed;
    return 0;
}

static int given_poll(struct feed *feed, struct feed_writer *w, const struct feed_clock *clock,
                      uint32_t ticks_max, struct fault *f)
{
    (void)clock;
    (void)ticks_max;
    (void)f;
    struct given_feed *g = (struct given_feed *)feed;
    atomic_fetch_add(&polls, 1);
    if (!g->defined) g->symbol = (uint32_t)feed_symbol(w, TEXT("AAPL"));
    g->defined = true;
    uint64_t count = 0;
    if (read(given_fd, &count, sizeof count) < 0) return 0;
    for (uint64_t i = 0; i < count; i++)
        feed_push(w,
                  &(struct tick){.kind = TICK_TRADE, .symbol = g->symbol, .trade = {.price = 1, .size = 1}});
    return (int)count;
}

static uint64_t given_due_ns(const struct feed *feed)
{
    (void)feed;
    return FEED_NEVER;
}

static void given_close(struct feed *feed)
{
    free(feed);
}

/* Beside it: a feed without ticks that is due again by the time at which it was polled. */
struct busy_feed {
    struct feed feed;
    uint64_t due_ns;
};

static int busy_open(struct feed **out, struct feed_uri *uri, struct fault *f)
{
    (void)uri;
    (void)f;
    struct busy_feed *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->feed = (struct feed){.ops = feed_find(TEXT("busy")), .name = "busy"};
    *out = &b->feed;
    return 0;
}

static int busy_poll(struct feed *feed, struct feed_writer *w, const struct feed_clock *clock,
                     uint32_t ticks_max, struct fault *f)
{
    (void)w;
    (void)ticks_max;
    (void)f;
    ((struct busy_feed *)feed)->due_ns = clock->mono_ns + 1;
    return 0;
}

static uint64_t busy_due_ns(const struct feed *feed)
{
    return ((const struct busy_feed *)feed)->due_ns;
}

const struct feed_ops *feed_find(struct text scheme)
{
    static const struct feed_ops ops = {.scheme = "given",
                                        .help = "",
                                        .open = given_open,
                                        .poll = given_poll,
                                        .due_ns = given_due_ns,
                                        .close = given_close};
    static const struct feed_ops busy = {.scheme = "busy",
                                         .help = "",
                                         .open = busy_open,
                                         .poll = busy_poll,
                                         .due_ns = busy_due_ns,
                                         .close = given_close};
    return text_equal(scheme, TEXT("busy")) ? &busy : &ops;
}

struct rig {
    struct log *log;
    struct log_reader *reader;
    struct feed_thread *thread;
};

static void start(struct rig *r, enum feed_pace wanted, uint32_t feeds)
{
    static const char *const uris[] = {"busy:", "given:"};
    struct fault f = {0};
    pace = wanted;
    atomic_store(&polls, 0);
    given_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_true(given_fd >= 0);
    r->log = log_create(&(struct log_options){.capacity = 4096, .symbols_max = 64, .bars_max = 16}, &f);
    assert_non_null(r->log);
    r->reader = log_reader_add(r->log);
    struct feed_thread_options o = {.log = r->log,
                                    .uris = uris + 2 - feeds,
                                    .uri_count = feeds,
                                    .stall_bound_ns = 60 * NS_PER_SECOND,
                                    .cpu = -1};
    if (feed_thread_start(&r->thread, &o, &f) != 0) fail_msg("%s", f.text);
    feed_thread_go(r->thread);
}

static void stop(struct rig *r)
{
    feed_thread_stop(r->thread);
    log_destroy(r->log);
    close(given_fd);
}

static void give(uint64_t count)
{
    assert_int_equal(write(given_fd, &count, sizeof count), sizeof count);
}

static uint64_t ticks(struct rig *r)
{
    struct feed_thread_stats stats;
    feed_thread_stats(r->thread, &stats);
    return stats.ticks;
}

static uint64_t trades(struct log *log)
{
    uint64_t found = 0, head = log_head(log);
    struct tick t;
    for (uint64_t seq = 0; seq < head; seq++) {
        assert_int_equal(log_read(log, seq, &t, 1), 1);
        found += t.kind == TICK_TRADE;
    }
    return found;
}

static void wait_ticks(struct rig *r, uint64_t count)
{
    uint64_t begin_ns = clock_mono_ns();
    while (ticks(r) < count) {
        assert_true(clock_mono_ns() - begin_ns < PATIENCE_NS);
        sched_yield();
    }
    assert_int_equal(ticks(r), count);
}

static void what_can_be_read_is_polled_for(void **state)
{
    (void)state;
    struct rig r;
    start(&r, FEED_PACE_FREE, 1);
    for (uint64_t n = 1; n <= 100; n++) {
        give(1);
        wait_ticks(&r, n);
    }
    assert_true(atomic_load(&polls) <= 100); /* never for nothing */
    stop(&r);
}

/* Five ticks are in the log, which nobody was handed yet; five more wait for that. */
static void start_held(struct rig *r)
{
    start(r, FEED_PACE_WORKERS, 1);
    atomic_store(&r->reader->members, 1);
    atomic_store(&r->reader->taking, 1);
    give(5);
    wait_ticks(r, 5);
    give(5);
}

/* The descriptor stays readable meanwhile: a sleep on it would end at once, again and again. */
static void a_held_feed_is_left_alone(void **state)
{
    (void)state;
    struct rig r;
    start_held(&r);
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    uint64_t begin_ns = clock_mono_ns();
    while (clock_mono_ns() - begin_ns < LOOK_NS) {
        struct timespec pause = {.tv_nsec = 1000000};
        nanosleep(&pause, NULL);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    uint64_t used_ns = (uint64_t)(after.tv_sec - before.tv_sec) * NS_PER_SECOND + (uint64_t)after.tv_nsec -
                       (uint64_t)before.tv_nsec;
    assert_int_equal(ticks(&r), 5);
    assert_true(used_ns < LOOK_NS / 2); /* asleep, not going round */
    atomic_store(&r.reader->handed, log_head(r.log));
    log_reader_progress(r.log);
    wait_ticks(&r, 10);
    stop(&r);
}

/* Whoever held it back, what has come is not in the log: no time after it is told as complete. */
static void what_waits_while_it_is_held_is_not_drained(void **state)
{
    (void)state;
    struct rig r;
    start_held(&r);
    uint64_t given_ns = clock_real_ns(), begin_ns = clock_mono_ns();
    while (clock_mono_ns() - begin_ns < 5 * LOOK_NS) { /* several looks of a thread that has nothing to do */
        struct timespec pause = {.tv_nsec = 1000000};
        nanosleep(&pause, NULL);
        assert_true(log_drained(r.log) <= given_ns);
    }
    assert_int_equal(trades(r.log), 5);
    atomic_store(&r.reader->handed, log_head(r.log));
    log_reader_progress(r.log);
    wait_ticks(&r, 10);
    for (begin_ns = clock_mono_ns(); log_drained(r.log) <= given_ns;) {
        assert_true(clock_mono_ns() - begin_ns < PATIENCE_NS);
        sched_yield();
    }
    assert_int_equal(trades(r.log), 10);
    stop(&r);
}

/* Where the thread never sleeps, what can be read is read all the same, and no time is told as complete to
 * which it is missing. */
static void what_can_be_read_is_not_drained(void **state)
{
    (void)state;
    struct rig r;
    start(&r, FEED_PACE_FREE, 2);
    for (uint64_t n = 1; n <= 100; n++) {
        give(1);
        uint64_t given_ns = clock_real_ns(), begin_ns = clock_mono_ns();
        while (log_drained(r.log) <= given_ns) {
            assert_true(clock_mono_ns() - begin_ns < PATIENCE_NS);
            sched_yield();
        }
        assert_int_equal(trades(r.log), n);
    }
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_read_is_polled_for),
        cmocka_unit_test(a_held_feed_is_left_alone),
        cmocka_unit_test(what_waits_while_it_is_held_is_not_drained),
        cmocka_unit_test(what_can_be_read_is_not_drained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
