/* tests/property/tick/last_value_test.c -- goal: after any folds, forgets and copies, what is shown is what a
 * plain table by (symbol, kind, interval) holds. TICKCAST_SEED repeats a run. */
#include "base/random.h"
#include "tick/last_value.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#define SYMBOLS 24u
#define COLUMNS (3u + BAR_INTERVALS) /* trade, quote, bars, status: in the order of last_value_each */
#define STEPS   100000

static uint64_t seed = 1;

struct reference {
    struct tick newest[SYMBOLS][COLUMNS]; /* seq 0: none */
};

struct walk {
    const struct reference *reference;
    uint32_t symbol, column, kinds;
    uint64_t after, up_to;
    int step;
};

static uint32_t column_of(const struct tick *t)
{
    switch (t->kind) {
    case TICK_TRADE: return 0;
    case TICK_QUOTE: return 1;
    case TICK_BAR: return 2u + (uint32_t)tick_bar_interval(t);
    case TICK_STATUS: return 2u + BAR_INTERVALS;
    default: return COLUMNS;
    }
}

static bool selected(const struct walk *w, const struct tick *t)
{
    return t->seq > w->after && t->seq <= w->up_to && (w->kinds & KIND_BIT(t->kind));
}

static void skip_unselected(struct walk *w)
{
    while (w->column < COLUMNS && !selected(w, &w->reference->newest[w->symbol][w->column])) w->column++;
}

static void compare(void *context, const struct tick *t)
{
    struct walk *w = context;
    skip_unselected(w);
    if (w->column == COLUMNS || memcmp(t, &w->reference->newest[w->symbol][w->column], sizeof *t) != 0)
        fail_msg("step %d: symbol %u shows seq %llu wrongly; repeat with TICKCAST_SEED=%llu", w->step,
                 w->symbol, (unsigned long long)t->seq, (unsigned long long)seed);
    w->column++;
}

static void check(const struct last_value *v, const struct reference *r, struct walk w)
{
    w.reference = r;
    w.column = 0;
    last_value_each(v, w.symbol, w.kinds, w.after, w.up_to, compare, &w);
    skip_unselected(&w);
    if (w.column != COLUMNS)
        fail_msg("step %d: symbol %u lacks column %u; repeat with TICKCAST_SEED=%llu", w.step, w.symbol,
                 w.column, (unsigned long long)seed);
}

static struct tick any_tick(struct random *r, uint64_t seq)
{
    struct tick t = {.seq = seq, .kind = (uint8_t)(1 + random_below(r, TICK_KINDS - 1))};
    if (t.kind != TICK_FEED && t.kind != TICK_HOLE) t.symbol = (uint32_t)random_below(r, SYMBOLS);
    if (t.kind == TICK_BAR)
        t.flags = (uint8_t)(random_below(r, BAR_INTERVALS) << BAR_INTERVAL_SHIFT | random_below(r, 2));
    t.event_ns = (int64_t)random_u64(r);
    t.bar = (struct tick_bar){(int64_t)random_u64(r), (int64_t)random_u64(r), (int64_t)random_u64(r),
                              (int64_t)random_u64(r), (int64_t)random_u64(r)};
    return t;
}

static void fold_both(struct last_value *v, struct reference *r, const struct tick *t)
{
    last_value_fold(v, t);
    uint32_t column = column_of(t);
    if (column < COLUMNS && t->seq > r->newest[t->symbol][column].seq) r->newest[t->symbol][column] = *t;
}

static uint64_t newest_seq(const struct reference *r)
{
    uint64_t newest = 0;
    for (uint32_t s = 0; s < SYMBOLS; s++)
        for (uint32_t c = 0; c < COLUMNS; c++) newest = max_u64(newest, r->newest[s][c].seq);
    return newest;
}

static void equals_the_reference(void **state)
{
    (void)state;
    struct random r;
    random_seed(&r, seed);
    static struct reference writer_has, worker_has;
    struct last_value *writer = last_value_create(SYMBOLS, SYMBOLS * BAR_INTERVALS);
    struct last_value *worker = last_value_create(SYMBOLS, SYMBOLS * BAR_INTERVALS);
    uint64_t seq = 0;
    for (int step = 0; step < STEPS; step++) {
        bool old = random_below(&r, 8) == 0; /* a tick seen again, or one the copy already covers */
        struct tick t = any_tick(&r, old ? 1 + random_below(&r, seq + 1) : ++seq);
        fold_both(writer, &writer_has, &t);
        if (random_below(&r, 2)) fold_both(worker, &worker_has, &t);
        uint32_t forgotten = (uint32_t)random_below(&r, SYMBOLS * 50);
        if (forgotten < SYMBOLS) {
            last_value_forget(writer, forgotten);
            memset(writer_has.newest[forgotten], 0, sizeof writer_has.newest[forgotten]);
        }
        if (random_below(&r, 2000) == 0) {
            assert_int_equal(last_value_copy(worker, writer, SYMBOLS), newest_seq(&writer_has));
            worker_has = writer_has;
        }
        uint64_t after = random_below(&r, 2) ? 0 : random_below(&r, seq + 1);
        struct walk w = {.symbol = (uint32_t)random_below(&r, SYMBOLS),
                         .kinds = (uint32_t)random_below(&r, 1u << TICK_KINDS),
                         .after = after,
                         .up_to = random_below(&r, 2) ? UINT64_MAX : after + random_below(&r, seq + 1),
                         .step = step};
        check(writer, &writer_has, w);
        check(worker, &worker_has, w);
    }
    assert_int_equal(last_value_refused(writer), 0);
    last_value_destroy(writer);
    last_value_destroy(worker);
}

int main(void)
{
    if (getenv("TICKCAST_SEED")) seed = strtoull(getenv("TICKCAST_SEED"), NULL, 0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
