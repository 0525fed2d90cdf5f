/* Copies of the last values while they change all the time: every entry is one whole tick, of its own key,
 * and never older than in the copy before, except where the writer forgot it in between. Run at full speed in
 * release builds and under the thread sanitizer. */
#include "base/sanitize.h"
#include "tick/last_value.h"

#include <stdarg.h>
#include <setjmp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <cmocka.h>

#define READERS   2u
#define SYMBOLS   4u
#define INTERVALS 3u /* 1s, 5s, 10s */
#define KEYS      (3u + INTERVALS)
#if defined(TC_TSAN) || defined(TC_ASAN)
#define ROUNDS_MIN 3000u
#else
#define ROUNDS_MIN 100000u
#endif

struct load {
    struct last_value *from;
    _Atomic uint32_t running; /* readers not done: the writer goes on until there is none */
    _Atomic uint64_t wrong, copied, changed;
};

struct check {
    struct load *load;
    uint32_t symbol;
    uint64_t newest; /* of this copy */
    uint64_t seen[SYMBOLS][KEYS];
};

static int64_t word_of(uint64_t seq, uint32_t word)
{
    return (int64_t)((seq * 8 + word) * UINT64_C(0x9e3779b97f4a7c15));
}

static struct tick tick_of(uint64_t seq)
{
    struct tick t = {.seq = seq, .event_ns = word_of(seq, 1), .symbol = (uint32_t)(seq / 7 % SYMBOLS)};
    uint32_t key = (uint32_t)(seq % KEYS);
    t.kind = (uint8_t)(key == 0 ? TICK_TRADE : key == 1 ? TICK_QUOTE : key == 2 ? TICK_STATUS : TICK_BAR);
    if (key > 2) t.flags = (uint8_t)((key - 3) << BAR_INTERVAL_SHIFT);
    t.bar = (struct tick_bar){word_of(seq, 2), word_of(seq, 3), word_of(seq, 4), word_of(seq, 5),
                              word_of(seq, 6)};
    return t;
}

static void *write_all(void *context)
{
    struct load *x = context;
    for (uint64_t seq = 1; atomic_load_explicit(&x->running, memory_order_relaxed) > 0; seq++) {
        struct tick t = tick_of(seq);
        last_value_fold(x->from, &t);
        if (seq % 5000 == 0) last_value_forget(x->from, (uint32_t)(seq / 5000 % SYMBOLS));
    }
    return NULL;
}

static void check_entry(void *context, const struct tick *t)
{
    struct check *c = context;
    struct tick want = tick_of(t->seq);
    uint32_t key = (uint32_t)(t->seq % KEYS);
    bool wrong = memcmp(t, &want, sizeof want) != 0 || t->symbol != c->symbol || t->seq > c->newest ||
                 t->seq < c->seen[c->symbol][key];
    atomic_fetch_add_explicit(&c->load->wrong, wrong, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->load->changed, t->seq > c->seen[c->symbol][key], memory_order_relaxed);
    atomic_fetch_add_explicit(&c->load->copied, 1, memory_order_relaxed);
    c->seen[c->symbol][key] = t->seq;
}

static void *copy_all(void *context)
{
    struct load *x = context;
    struct last_value *into = last_value_create(SYMBOLS, SYMBOLS * INTERVALS);
    struct check c = {.load = x};
    for (uint32_t round = 0; round < ROUNDS_MIN || atomic_load(&x->changed) < 1000; round++) {
        c.newest = last_value_copy(into, x->from, SYMBOLS);
        for (c.symbol = 0; c.symbol < SYMBOLS; c.symbol++)
            last_value_each(into, c.symbol, KINDS_CLIENT, 0, UINT64_MAX, check_entry, &c);
    }
    atomic_fetch_add(&x->wrong, last_value_refused(into));
    last_value_destroy(into);
    atomic_fetch_sub(&x->running, 1);
    return NULL;
}

static void decision_04_every_copied_entry_is_whole(void **state)
{
    (void)state;
    struct load x = {.from = last_value_create(SYMBOLS, SYMBOLS * INTERVALS), .running = READERS};
    assert_non_null(x.from);
    pthread_t writer, readers[READERS];
    assert_int_equal(pthread_create(&writer, NULL, write_all, &x), 0);
    for (uint32_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, copy_all, &x), 0);
    for (uint32_t i = 0; i < READERS; i++) pthread_join(readers[i], NULL);
    pthread_join(writer, NULL);
    printf("%llu entries copied, %llu of them changed since the copy before\n",
           (unsigned long long)atomic_load(&x.copied), (unsigned long long)atomic_load(&x.changed));
    assert_int_equal(atomic_load(&x.wrong), 0);
    assert_int_equal(last_value_refused(x.from), 0);
    last_value_destroy(x.from);
}

/* One quote, changed without a pause: the copier meets it half written as often as can be. */
static void *write_one(void *context)
{
    struct load *x = context;
    struct tick t = {.kind = TICK_QUOTE};
    for (uint64_t seq = 1; atomic_load_explicit(&x->running, memory_order_relaxed) > 0; seq++) {
        t.seq = seq;
        t.event_ns = (int64_t)seq;
        t.quote = (struct tick_quote){(int64_t)seq, (int64_t)seq, (int64_t)seq, (int64_t)seq};
        last_value_fold(x->from, &t);
    }
    return NULL;
}

static void check_one(void *context, const struct tick *t)
{
    struct check *c = context;
    const int64_t n = (int64_t)t->seq;
    bool wrong = t->event_ns != n || t->quote.bid != n || t->quote.bid_size != n || t->quote.ask != n ||
                 t->quote.ask_size != n || t->seq < c->seen[0][0];
    c->load->wrong += wrong; /* only the copier's thread, and main after it */
    c->load->changed += t->seq > c->seen[0][0];
    c->seen[0][0] = t->seq;
}

static void one_entry_under_fire(void **state)
{
    (void)state;
    struct load x = {.from = last_value_create(1, 0), .running = 1};
    struct last_value *into = last_value_create(1, 0);
    struct check c = {.load = &x};
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_one, &x), 0);
    for (uint32_t round = 0; round < 30 * ROUNDS_MIN || atomic_load(&x.changed) < 50; round++) {
        last_value_copy(into, x.from, 1);
        last_value_each(into, 0, KIND_BIT(TICK_QUOTE), 0, UINT64_MAX, check_one, &c);
    }
    atomic_store(&x.running, 0);
    pthread_join(writer, NULL);
    printf("%llu values seen\n", (unsigned long long)atomic_load(&x.changed));
    assert_int_equal(atomic_load(&x.wrong), 0);
    last_value_destroy(into);
    last_value_destroy(x.from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decision_04_every_copied_entry_is_whole),
                                       cmocka_unit_test(one_entry_under_fire)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
