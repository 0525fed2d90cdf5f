/* The log under load: one writer, several readers, no lock. Each tick carries a value computed from its seq,
 * so that a reader knows a torn, stale or foreign copy when it sees one. Run at full speed in release builds
 * and under the thread sanitizer.
 *
 * decision_20_every_copy_is_whole: readers as fast as they can be; each is lapped now and then and must say
 * so. decision_20_lapped_readers_are_told: a log so small that the writer is in the reader's slot all the
 * time (the litmus of log_shared.h's proof). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/sanitize.h"
#include "log/log.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define READERS 3u
#define SYMBOLS                                                                                              \
    3u /* no divisor of a capacity: what overwrites a slot has another symbol, and so another key */

struct load {
    struct log *log;
    uint64_t ticks;
    _Atomic uint64_t read, lapped, wrong;
    _Atomic uint32_t begun; /* readers: the writer waits for all, or it may be done before one ran */
    _Atomic bool done;
};

static int64_t price_of(uint64_t seq)
{
    return (int64_t)(seq * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

static uint32_t symbol_of(uint64_t seq)
{
    return (uint32_t)(seq % SYMBOLS);
}

static void *write_all(void *context)
{
    struct load *x = context;
    struct tick batch[64];
    uint64_t seq = log_head(x->log);
    while (atomic_load(&x->begun) < READERS) sched_yield();
    for (uint64_t left = x->ticks; left > 0;) {
        uint32_t n = (uint32_t)min_u64(left, 1 + left % 64);
        for (uint32_t i = 0; i < n; i++) {
            seq++;
            batch[i] = (struct tick){.event_ns = (int64_t)seq, .symbol = symbol_of(seq), .kind = TICK_TRADE};
            batch[i].trade = (struct tick_trade){.price = price_of(seq), .size = price_of(seq + 1)};
        }
        log_append(x->log, batch, n);
        left -= n;
    }
    atomic_store(&x->done, true);
    return NULL;
}

static bool right(const struct tick *t, uint64_t seq)
{
    return t->seq == seq && t->symbol == symbol_of(seq) && t->event_ns == (int64_t)seq &&
           t->trade.price == price_of(seq) && t->trade.size == price_of(seq + 1);
}

static bool json_right(const char *text, int size, uint64_t seq)
{
    char want[64];
    int n = snprintf(want, sizeof want, "{\"type\":\"trade\",\"seq\":%llu,", (unsigned long long)seq);
    return size > n && memcmp(text, want, (size_t)n) == 0 && text[size - 1] == '}';
}

/* A reader that lost its processor: the writer goes a whole log ahead of it. */
static void rest(struct load *x, uint64_t at)
{
    while (!atomic_load(&x->done) && log_head(x->log) <= at + log_capacity(x->log)) sched_yield();
}

static void *read_on(struct load *x, uint64_t rest_every)
{
    struct tick ticks[64];
    uint32_t keys[64];
    char json[TICK_JSON_MAX];
    uint64_t at = log_head(x->log), read = 0, lapped = 0, wrong = 0, rest_at = rest_every;
    atomic_fetch_add(&x->begun, 1);
    for (;;) {
        if (rest_every > 0 && read >= rest_at) {
            rest(x, at);
            rest_at += rest_every;
        }
        bool done = atomic_load(&x->done);
        int n = log_read(x->log, at, ticks, 64);
        if (n == TC_LAPPED) {
            lapped++;
            at = log_after_lap(x->log);
            continue;
        }
        for (int i = 0; i < n; i++) wrong += !right(&ticks[i], at + 1 + (uint64_t)i);
        int k = n > 0 ? log_read_keys(x->log, at, keys, (uint32_t)n) : 0;
        for (int i = 0; i < k; i++)
            wrong += keys[i] != log_key(symbol_of(at + 1 + (uint64_t)i), TICK_TRADE, false);
        int size = n > 0 ? log_read_json(x->log, at + 1, json) : 0;
        if (size > 0) wrong += !json_right(json, size, at + 1);
        at += (uint64_t)n;
        read += (uint64_t)n;
        if (n == 0 && done) break;
    }
    atomic_fetch_add(&x->read, read);
    atomic_fetch_add(&x->lapped, lapped);
    atomic_fetch_add(&x->wrong, wrong);
    return NULL;
}

static void *read_all(void *context)
{
    return read_on(context, 0);
}

static void *read_resting(void *context)
{
    return read_on(context, 10000);
}

/* As read_all, but always at the oldest ticks there are: the writer is in these slots at this moment, so that
 * a copy that were not checked afterwards would be torn, or of another lap. */
static void *read_oldest(void *context)
{
    struct load *x = context;
    struct tick ticks[64];
    uint32_t keys[64];
    char json[TICK_JSON_MAX];
    uint64_t read = 0, lapped = 0, wrong = 0;
    atomic_fetch_add(&x->begun, 1);
    for (uint64_t turn = 0; !atomic_load(&x->done); turn++) {
        uint64_t head = log_head(x->log), oldest = head - log_capacity(x->log);
        if (head < log_capacity(x->log)) continue;
        uint64_t at = oldest + turn % 128;
        int n = log_read(x->log, at, ticks, 64);
        for (int i = 0; i < n; i++) wrong += !right(&ticks[i], at + 1 + (uint64_t)i);
        int k = log_read_keys(x->log, at, keys, 64);
        for (int i = 0; i < k; i++)
            wrong += keys[i] != log_key(symbol_of(at + 1 + (uint64_t)i), TICK_TRADE, false);
        int size = log_read_json(x->log, at + 1, json);
        if (size > 0) wrong += !json_right(json, size, at + 1);
        read += n > 0 ? (uint64_t)n : 0;
        lapped += n == TC_LAPPED || k == TC_LAPPED || size == TC_LAPPED;
    }
    atomic_fetch_add(&x->read, read);
    atomic_fetch_add(&x->lapped, lapped);
    atomic_fetch_add(&x->wrong, wrong);
    return NULL;
}

static void run(uint32_t capacity, uint64_t ticks, void *(*reader)(void *), uint64_t *lapped)
{
    struct log_options o = {.capacity = capacity, .symbols_max = 4, .bars_max = 4};
    struct load x = {.log = log_create(&o, NULL), .ticks = ticks};
    assert_non_null(x.log);
    static const char *const names[SYMBOLS] = {"AAPL", "MSFT", "TSLA"};
    for (uint32_t i = 0; i < SYMBOLS; i++) assert_int_equal(log_symbol(x.log, text_of(names[i]), 1), i);
    pthread_t writer, readers[READERS];
    for (uint32_t i = 0; i < READERS; i++) assert_int_equal(pthread_create(&readers[i], NULL, reader, &x), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_all, &x), 0);
    pthread_join(writer, NULL);
    for (uint32_t i = 0; i < READERS; i++) pthread_join(readers[i], NULL);
    printf("capacity %u: %llu ticks written, %llu copies, %llu laps\n", capacity, (unsigned long long)ticks,
           (unsigned long long)atomic_load(&x.read), (unsigned long long)atomic_load(&x.lapped));
    assert_int_equal(atomic_load(&x.wrong), 0);
    assert_int_equal(log_head(x.log), ticks + SYMBOLS);
    *lapped = atomic_load(&x.lapped);
    log_destroy(x.log);
}

static uint64_t scaled(uint64_t ticks)
{
#if defined(TC_TSAN) || defined(TC_ASAN) || defined(TC_ASSERT_SLOW_ON)
    return ticks / 50;
#else
    return ticks;
#endif
}

static void decision_20_every_copy_is_whole(void **state)
{
    (void)state;
    uint64_t lapped;
    run(1 << 18, scaled(100000000), read_all, &lapped); /* 10^8 in the release build */
}

static void decision_20_lapped_readers_are_told(void **state)
{
    (void)state;
    uint64_t lapped = 0;
    run(1024, scaled(5000000), read_resting, &lapped);
    assert_true(lapped > 0); /* the case was met, not only survived */
}

static void decision_20_a_copy_of_the_oldest_is_whole_or_refused(void **state)
{
    (void)state;
    uint64_t lapped = 0;
    for (int i = 0; i < 20 && lapped == 0; i++) run(1024, scaled(5000000), read_oldest, &lapped);
    assert_true(lapped > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decision_20_every_copy_is_whole),
        cmocka_unit_test(decision_20_lapped_readers_are_told),
        cmocka_unit_test(decision_20_a_copy_of_the_oldest_is_whole_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
