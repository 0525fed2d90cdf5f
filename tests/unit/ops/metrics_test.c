/* tests/unit/ops/metrics_test.c -- goal: the text is whole whatever the figures are; ages are a histogram as
 * Prometheus wants it, summed over the workers, with the log's beside them. */
#include "ops/metrics.h"

#include "base/bytes.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define NOW UINT64_C(1700000000000000000)

static struct counters workers[2];
static const struct counters *const all[] = {&workers[0], &workers[1]};
static char text[METRICS_BYTES_MAX];

static uint64_t stamp(void)
{
    return NOW + 3000;
}

static struct log *open_log(void)
{
    struct log_options o = {
        .capacity = 1024, .symbols_max = 4, .bars_max = 4, .small_pages = true, .stamp_ns = stamp};
    struct log *l = log_create(&o, NULL);
    assert_non_null(l);
    memset(workers, 0, sizeof workers);
    return l;
}

static void write_text(const struct log *l)
{
    struct metrics_in in = {.counters = all, .count = 2, .log = l, .version = "0.0.0-test", .real_ns = NOW};
    uint32_t size = metrics_text(&in, text, sizeof text);
    assert_true(size < sizeof text);
    assert_int_equal(strlen(text), size);
}

/* The number behind a row's name; fails where there is no such row. */
static double row(const char *name)
{
    char begin[128];
    snprintf(begin, sizeof begin, "\n%s ", name);
    const char *at = strstr(text, begin);
    if (!at) fail_msg("no row %s", name);
    assert_null(strstr(at + 1, begin));
    return at ? strtod(at + strlen(begin), NULL) : 0;
}

static void the_largest_figures_fit(void **state)
{
    (void)state;
    struct log *l = open_log();
    for (size_t i = 0; i < 2; i++) { /* every number of 20 digits, sums included */
        _Atomic uint64_t *n = (_Atomic uint64_t *)&workers[i];
        for (size_t k = 0; k < offsetof(struct counters, read_age) / sizeof *n; k++) n[k] = UINT64_MAX / 2;
        struct ages *ages[] = {&workers[i].read_age, &workers[i].render_age, &workers[i].socket_age};
        for (size_t a = 0; a < 3; a++) {
            ages[a]->untimed = UINT64_MAX / 2;
            ages[a]->sum = 1e22;
            ages[a]->buckets[0] = UINT64_MAX / 2; /* cumulative: in every row */
        }
    }
    write_text(l);
    assert_string_equal(strrchr(text, '{'),
                        "{stage=\"socket\"} 18446744073709551614\n"); /* the last row is there */
    log_destroy(l);
}

static void ages_are_a_cumulative_histogram(void **state)
{
    (void)state;
    struct log *l = open_log();
    ages_record(&workers[0].read_age, NOW + 1000, NOW, 1);
    ages_record(&workers[1].read_age, NOW + 1001, NOW, 1);
    ages_record(&workers[1].socket_age, NOW + 500 * NS_PER_SECOND, NOW, 7);
    ages_record(&workers[1].socket_age, NOW, NOW + 1, 4);
    write_text(l);
#define AGE "tickcast_tick_age_seconds"
    assert_true(row(AGE "_bucket{stage=\"read\",le=\"1e-06\"}") == 1);
    assert_true(row(AGE "_bucket{stage=\"read\",le=\"1.25e-06\"}") == 2);
    assert_true(row(AGE "_bucket{stage=\"read\",le=\"16.777216\"}") == 2);
    assert_true(row(AGE "_bucket{stage=\"read\",le=\"+Inf\"}") == 2);
    assert_true(row(AGE "_count{stage=\"read\"}") == 2);
    assert_true(row(AGE "_sum{stage=\"read\"}") == 0.000002001);
    assert_true(row(AGE "_bucket{stage=\"socket\",le=\"16.777216\"}") == 0);
    assert_true(row(AGE "_bucket{stage=\"socket\",le=\"+Inf\"}") == 7);
    assert_true(row(AGE "_sum{stage=\"socket\"}") == 3500);
    assert_true(row("tickcast_tick_age_untimed_total{stage=\"socket\"}") == 4);
    assert_true(row(AGE "_count{stage=\"render\"}") == 0);
    log_destroy(l);
}

/* One tick in AGE_SAMPLE, of the kinds whose time is that of their making; at the moment of the append. */
static void the_log_counts_what_it_publishes(void **state)
{
    (void)state;
    struct log *l = open_log();
    assert_int_equal(log_symbol(l, TEXT("A"), NOW), 0); /* seq 1 */
    struct tick batch[LOG_BATCH_MAX];
    for (uint32_t i = 0; i < LOG_BATCH_MAX; i++)
        batch[i] = (struct tick){.kind = TICK_TRADE, .event_ns = NOW, .ingest_ns = NOW};
    log_append(l, batch, 62); /* to 63 */
    write_text(l);
    assert_true(row(AGE "_count{stage=\"log\"}") == 0);
    log_append(l, batch, 1);
    batch[63].event_ns = NOW + 3001; /* 128: a little ahead */
    batch[127].kind = TICK_STATUS;   /* 192: not timed */
    batch[127].status.state = STATUS_HALTED;
    log_append(l, batch, LOG_BATCH_MAX); /* 65 to 320 */
    write_text(l);
    assert_true(row(AGE "_count{stage=\"log\"}") == 3); /* 64, 256, 320 */
    assert_true(row(AGE "_sum{stage=\"log\"}") == 0.000009);
    assert_true(row(AGE "_bucket{stage=\"log\",le=\"2.5e-06\"}") == 0);
    assert_true(row(AGE "_bucket{stage=\"log\",le=\"3e-06\"}") == 3);
    assert_true(row("tickcast_tick_age_untimed_total{stage=\"log\"}") == 1);
    log_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_figures_fit),
        cmocka_unit_test(ages_are_a_cumulative_histogram),
        cmocka_unit_test(the_log_counts_what_it_publishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
