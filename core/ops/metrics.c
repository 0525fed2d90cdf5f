#include "ops/metrics.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define AGE_STAGES 4u

struct writer {
    char *at;
    uint32_t size, room;
};

static void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void one(struct writer *w, const char *name, const char *type, const char *what, uint64_t value);
static void limits(struct writer *w, const struct metrics_in *in);
static void ages(struct writer *w, const struct metrics_in *in);
static void age_rows(struct writer *w, const char *stage, const struct age_sum *s);
static uint64_t sum(const struct metrics_in *in, size_t offset, bool least);

uint32_t metrics_text(const struct metrics_in *in, char *out, uint32_t out_size)
{
    struct writer w = {.at = out, .room = out_size};
    put(&w,
        "# HELP tickcast_info The program's version.\n# TYPE tickcast_info "
        "gauge\ntickcast_info{version=\"%s\"} 1\n",
        in->version);
    one(&w, "head_seq", "gauge", "newest tick of the log", log_head(in->log));
    one(&w, "log_capacity_ticks", "gauge", "ticks the log holds", log_capacity(in->log));
    one(&w, "symbols", "gauge", "symbols known", symbol_table_count(log_symbols(in->log)));
    one(&w, "drained_ms", "gauge", "since 1970, when every feed was last found drained",
        log_drained(in->log) / NS_PER_MS);
    one(&w, "uptime_seconds", "gauge", "since the start",
        (in->real_ns - in->started_real_ns) / NS_PER_SECOND);
    one(&w, "workers", "gauge", "worker threads", in->count);
#define COUNTER_ROW(field, type, what)                                                                       \
    one(&w, #field, type, what,                                                                              \
        sum(in, offsetof(struct counters, field),                                                            \
            offsetof(struct counters, field) == offsetof(struct counters, read_seq)));
    TC_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
    limits(&w, in);
    ages(&w, in);
    return w.size;
}

static void limits(struct writer *w, const struct metrics_in *in)
{
    put(w, "# HELP tickcast_limit_total times a limit was met\n# TYPE tickcast_limit_total counter\n");
    for (uint32_t i = 0; i < LIMIT_COUNT; i++) {
        size_t offset = offsetof(struct counters, limits) + i * sizeof(_Atomic uint64_t);
        put(w, "tickcast_limit_total{limit=\"%s\"} %llu\n", limit_word((enum limit)i),
            (unsigned long long)sum(in, offset, false));
    }
}

/* By stage, in the order of a tick's way. */
static void ages(struct writer *w, const struct metrics_in *in)
{
    static const char *const names[AGE_STAGES] = {"log", "read", "render", "socket"};
    struct age_sum stages[AGE_STAGES] = {{.count = 0}};
    age_sum_add(&stages[0], log_ages(in->log));
    for (uint32_t i = 0; i < in->count; i++) {
        age_sum_add(&stages[1], &in->counters[i]->read_age);
        age_sum_add(&stages[2], &in->counters[i]->render_age);
        age_sum_add(&stages[3], &in->counters[i]->socket_age);
    }
    put(w,
        "# HELP tickcast_tick_age_seconds now less the time of the tick, at the end of a stage; of one tick "
        "in "
        "%u\n# TYPE tickcast_tick_age_seconds histogram\n",
        AGE_SAMPLE);
    for (uint32_t i = 0; i < AGE_STAGES; i++) age_rows(w, names[i], &stages[i]);
    put(w, "# HELP tickcast_tick_age_untimed_total of these, ticks whose time is not near now\n"
           "# TYPE tickcast_tick_age_untimed_total counter\n");
    for (uint32_t i = 0; i < AGE_STAGES; i++)
        put(w, "tickcast_tick_age_untimed_total{stage=\"%s\"} %llu\n", names[i],
            (unsigned long long)stages[i].untimed);
}

static void age_rows(struct writer *w, const char *stage, const struct age_sum *s)
{
    uint64_t below = 0;
    for (uint32_t i = 0; i + 1 < AGE_BUCKETS; i++) {
        below += s->buckets[i];
        put(w, "tickcast_tick_age_seconds_bucket{stage=\"%s\",le=\"%.9g\"} %llu\n", stage,
            (double)age_edge_ns(i) / 1e9, (unsigned long long)below);
    }
    put(w, "tickcast_tick_age_seconds_bucket{stage=\"%s\",le=\"+Inf\"} %llu\n", stage,
        (unsigned long long)s->count);
    put(w, "tickcast_tick_age_seconds_sum{stage=\"%s\"} %.9f\n", stage, s->sum);
    put(w, "tickcast_tick_age_seconds_count{stage=\"%s\"} %llu\n", stage, (unsigned long long)s->count);
}

static void one(struct writer *w, const char *name, const char *type, const char *what, uint64_t value)
{
    put(w, "# HELP tickcast_%s %s\n# TYPE tickcast_%s %s\ntickcast_%s %llu\n", name, what, name, type, name,
        (unsigned long long)value);
}

static uint64_t sum(const struct metrics_in *in, size_t offset, bool least)
{
    uint64_t total = least ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < in->count; i++) {
        uint64_t v = counter_get((const _Atomic uint64_t *)((const char *)in->counters[i] + offset));
        if (least)
            total = v < total ? v : total;
        else
            total += v;
    }
    return total;
}

static void put(struct writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->at + w->size, w->room - w->size, format, args);
    va_end(args);
    if (n > 0 && (uint32_t)n < w->room - w->size)
        w->size += (uint32_t)n; /* a row that does not fit is left out whole */
}
