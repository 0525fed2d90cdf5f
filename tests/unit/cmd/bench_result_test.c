/* tests/unit/cmd/bench_result_test.c -- goal: what a run's threads have counted becomes figures, whatever the
 * times are: a warning where a thread of bench was the limit, and no division by a time that was none. */
#include "cmd/bench_internal.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

struct run {
    struct bench *bench;
    struct bench_result *result;
    struct latency latency;
    struct bench_series series;
};

static struct run *run_open(uint32_t threads)
{
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->bench = calloc(1, sizeof *r->bench);
    r->result = calloc(1, sizeof *r->result);
    assert_non_null(r->bench);
    assert_non_null(r->result);
    r->bench->options = (struct bench_options){
        .url = "ws://127.0.0.1:1", .policy = "conflate", .frame = "batch", .connections = 2, .verify = true};
    r->bench->thread_count = threads;
    r->bench->expected = 2;
    latency_reset(&r->latency);
    series_begin(&r->series, 0, NS_PER_SECOND);
    for (uint32_t i = 0; i < threads; i++) {
        struct bench_thread *t = &r->bench->threads[i];
        t->bench = r->bench;
        t->number = i;
        t->latency = t->handshakes = t->subscribes = &r->latency;
        t->series = &r->series;
    }
    return r;
}

static void run_close(struct run *r)
{
    free(r->bench);
    free(r->result);
    free(r);
}

/* The thread has measured for a second and used so much of a processor. */
static void used(struct run *r, uint32_t thread, double share)
{
    r->bench->threads[thread].begin_ns = NS_PER_SECOND;
    r->bench->threads[thread].end_ns = 2 * NS_PER_SECOND;
    r->bench->threads[thread].cpu_end_ns = (uint64_t)(share * 1e9);
}

/* Not inlined: gcc 12 then takes what stands in `text` for its address, and calls it dangling. */
__attribute__((noinline)) static char *
text_of_run(const struct run *r, void (*print)(FILE *, const struct bench *, const struct bench_result *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out, r->bench, r->result);
    fclose(out);
    return text;
}

/* The JSON report's only warning, to be freed, or NULL. */
static char *warned(const struct run *r)
{
    char *json = text_of_run(r, bench_json);
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    const json_t *warnings = json_object_get(root, "warnings");
    assert_true(json_is_array(warnings) && json_array_size(warnings) <= 1);
    const char *text = json_string_value(json_array_get(warnings, 0));
    char *out = text ? strdup(text) : NULL;
    json_decref(root);
    free(json);
    return out;
}

/* In every report but the text, beside which standard error has it. */
static void a_busy_thread_is_warned_of(double first, double reference, const char *share)
{
    struct run *r = run_open(2);
    r->bench->threads[1].reference = true;
    used(r, 0, first);
    used(r, 1, reference);
    bench_gather(r->bench, r->result);
    char words[BENCH_WARNING_MAX] = "";
    assert_int_equal(bench_warning(r->result, words), share != NULL);
    assert_true(strlen(words) + 1 < sizeof words); /* not cut */
    char *text = warned(r), *page = text_of_run(r, bench_html);
    const char *line = strstr(page, "<p class=\"warning\">Warning: ");
    assert_int_equal(text != NULL, share != NULL);
    assert_int_equal(line != NULL, share != NULL);
    if (share) {
        assert_non_null(strstr(words, share));
        assert_string_equal(text, words);
        assert_non_null(strstr(line, words));
    }
    free(text);
    free(page);
    run_close(r);
}

static void warnings(void **state)
{
    (void)state;
    a_busy_thread_is_warned_of(0.5, 0.5, NULL);
    a_busy_thread_is_warned_of(0.89, 0.1, NULL);
    a_busy_thread_is_warned_of(0.91, 0.1, "used 91 %");
    a_busy_thread_is_warned_of(0.1, 0.97, "used 97 %"); /* the reference is late, and all with it */
}

static void no_time_is_no_rate(void **state)
{
    (void)state;
    struct run *r = run_open(1);
    r->bench->threads[0].counts[ROLE_READER] = (struct bench_counts){.ticks = 1000, .frames = 10};
    latency_record(&r->latency, 5);
    bench_gather(r->bench, r->result);
    char *json = text_of_run(r, bench_json), *text = text_of_run(r, bench_report);
    char *page = text_of_run(r, bench_html);
    json_error_t error;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(root);
    const json_t *readers = json_object_get(root, "readers");
    assert_true(json_real_value(json_object_get(readers, "ticks_per_second")) == 0.0);
    assert_int_equal(json_integer_value(json_object_get(readers, "ticks")), 1000);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf/"));
    assert_null(strstr(page, "nan"));
    json_decref(root);
    free(json);
    free(text);
    free(page);
    run_close(r);
}

/* From the first that was due, by any thread, to the last handshake. */
static void connects_of_all_threads(void **state)
{
    (void)state;
    struct run *r = run_open(3);
    for (uint32_t i = 0; i < 3; i++) used(r, i, 0.1);
    r->bench->threads[0].connects = (struct bench_connects){.ramp = 0, .measured = 7};
    r->bench->threads[1].connects = (struct bench_connects){30, 2 * NS_PER_SECOND, 3 * NS_PER_SECOND, 5};
    r->bench->threads[2].connects = (struct bench_connects){10, NS_PER_SECOND, 2 * NS_PER_SECOND, 0};
    bench_gather(r->bench, r->result);
    assert_int_equal(r->result->connects.ramp, 40);
    assert_int_equal(r->result->connects.measured, 12);
    assert_true(bench_ramp_seconds(&r->result->connects) == 2.0);
    char *text = text_of_run(r, bench_report), *json = text_of_run(r, bench_json);
    assert_non_null(strstr(text, "connects    40 in 2.000 s: 20/s; while measuring 12: 12/s"));
    assert_non_null(strstr(json, "\"ramp_per_second\":20.0,\"measured\":12,\"per_second\":12.0"));
    free(text);
    free(json);
    run_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(warnings), cmocka_unit_test(no_time_is_no_rate),
                                       cmocka_unit_test(connects_of_all_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
