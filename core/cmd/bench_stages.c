/* cmd/bench_stages.c -- where the age of a tick comes from: the server's own stamps (base/age.h), read from
 * its /metrics before and after the measurement, as differences. */
#include "cmd/bench_internal.h"

#include "cmd/client_http.h"
#include "wire/notice.h"

#include <inttypes.h>
#include <stdlib.h>

#define TIMEOUT_MS 5000u /* a server that stands still is measured; its stages are not waited for */
#define ROWS       (BENCH_STAGES + 1u)

/* A line of the report: the server's stages, then what the readers measured. */
struct row {
    const char *name;
    uint64_t samples, p50, p99, mean;
    int64_t grown; /* of p50, from the row before; where both are known */
    bool known, has_grown;
};

static const char *const names[BENCH_STAGES] = {"log", "read", "render", "socket"};

static bool wanted(const struct bench *b);
static bool take_stage(const char *body, const char *stage, struct age_sum *out);
static bool take_number(const char *body, const char *row, double *out);
static bool subtract(struct age_sum *from, const struct age_sum *first);
static void rows_make(const struct bench_result *r, struct row rows[ROWS]);
static uint64_t mean_ns(const struct age_sum *s);
static void cell(FILE *out, uint64_t ns);
static void json_ns(FILE *out, const char *name, uint64_t ns);

void bench_stages_get(const struct bench *b, struct bench_stages *out)
{
    *out = (struct bench_stages){.known = false};
    if (!wanted(b)) return;
    struct client_body body;
    struct client_url url = b->url;
    struct fault f = {.code = TC_OK};
    snprintf(url.target, sizeof url.target, "/metrics");
    if (client_http_get(&url, b->fields, TIMEOUT_MS, &body, &f) < 0) {
        snprintf(out->absent, sizeof out->absent, "%.*s", (int)sizeof out->absent - 1, f.text);
        return;
    }
    body.at[body.size] = 0; /* there is room: a body of CLIENT_BODY_MAX is refused */
    out->known = true;
    for (int i = 0; i < BENCH_STAGES; i++)
        out->known = out->known && take_stage(body.at, names[i], &out->at[i]);
    client_body_free(&body);
    if (!out->known)
        snprintf(out->absent, sizeof out->absent,
                 "%.80s/metrics has no stages, or others; is it tickcast of this version?", url.authority);
}

static bool wanted(const struct bench *b)
{
    return !b->options.any && !b->options.self_test;
}

void bench_stages_since(const struct bench *b, const struct bench_stages *first, struct bench_stages *out)
{
    bench_stages_get(b, out);
    if (!out->known) return;
    if (!first->known) {
        *out = *first;
        return;
    }
    for (int i = 0; i < BENCH_STAGES; i++)
        if (!subtract(&out->at[i], &first->at[i])) out->known = false;
    if (!out->known)
        snprintf(out->absent, sizeof out->absent, "the server was started anew during the measurement");
}

static bool subtract(struct age_sum *from, const struct age_sum *first)
{
    if (from->untimed < first->untimed || from->count < first->count) return false;
    from->untimed -= first->untimed;
    from->count -= first->count;
    from->sum -= first->sum;
    for (uint32_t i = 0; i < AGE_BUCKETS; i++) {
        if (from->buckets[i] < first->buckets[i]) return false;
        from->buckets[i] -= first->buckets[i];
    }
    return true;
}

/* False: a row is missing, so the buckets are not ours. */
static bool take_stage(const char *body, const char *stage, struct age_sum *out)
{
    char row[128];
    double below = 0, n;
    for (uint32_t i = 0; i < AGE_BUCKETS; i++) {
        char edge[24] = "+Inf";
        if (i + 1 < AGE_BUCKETS) snprintf(edge, sizeof edge, "%.9g", (double)age_edge_ns(i) / 1e9);
        snprintf(row, sizeof row, "\ntickcast_tick_age_seconds_bucket{stage=\"%s\",le=\"%s\"} ", stage, edge);
        if (!take_number(body, row, &n) || n < below) return false;
        out->buckets[i] = (uint64_t)(n - below);
        out->count += out->buckets[i];
        below = n;
    }
    snprintf(row, sizeof row, "\ntickcast_tick_age_seconds_sum{stage=\"%s\"} ", stage);
    if (!take_number(body, row, &out->sum)) return false;
    snprintf(row, sizeof row, "\ntickcast_tick_age_untimed_total{stage=\"%s\"} ", stage);
    bool found = take_number(body, row, &n);
    out->untimed = found ? (uint64_t)n : 0;
    return found;
}

/* A double holds every count below 2^53. False: there is no such row, or no number that counts. */
static bool take_number(const char *body, const char *row, double *out)
{
    const char *at = strstr(body, row);
    if (!at) return false;
    char *end;
    *out = strtod(at + strlen(row), &end);
    return *end == '\n' && *out >= 0 && *out < 0x1p53;
}

/* ---- What is said. ---- */

static void rows_make(const struct bench_result *r, struct row rows[ROWS])
{
    for (int i = 0; i < BENCH_STAGES; i++) {
        const struct age_sum *s = &r->stages.at[i];
        rows[i] = (struct row){.name = names[i], .samples = s->count, .known = s->count > 0};
        if (s->count == 0) continue;
        rows[i].p50 = age_percentile(s, 50);
        rows[i].p99 = age_percentile(s, 99);
        rows[i].mean = mean_ns(s);
    }
    rows[BENCH_STAGES] = (struct row){.name = "client",
                                      .samples = r->latency.count,
                                      .p50 = latency_percentile(&r->latency, 50),
                                      .p99 = latency_percentile(&r->latency, 99),
                                      .mean = latency_mean(&r->latency),
                                      .known = r->latency.count > 0};
    for (uint32_t i = 1; i < ROWS; i++) {
        rows[i].has_grown =
            rows[i].known && rows[i - 1].known && rows[i].p50 != UINT64_MAX && rows[i - 1].p50 != UINT64_MAX;
        rows[i].grown = (int64_t)(rows[i].p50 - rows[i - 1].p50);
    }
}

/* 0: the sum is none that ages have (a server may say anything). */
static uint64_t mean_ns(const struct age_sum *s)
{
    double ns = s->sum / (double)s->count * 1e9;
    return ns > 0 && ns < 0x1p63 ? (uint64_t)ns : 0;
}

void bench_stages_text(FILE *out, const struct bench *b, const struct bench_result *r)
{
    if (!wanted(b)) return;
    if (!r->stages.known) {
        fprintf(out, "stages      left out: %s\n", r->stages.absent);
        return;
    }
    struct row rows[ROWS];
    rows_make(r, rows);
    fprintf(out, "%-11s %9s %9s %9s %9s %11s\n", "age, ms", "p50", "p99", "mean", "p50 grew", "samples");
    for (uint32_t i = 0; i < ROWS; i++) {
        fprintf(out, "%-11s", rows[i].name);
        if (rows[i].known) {
            cell(out, rows[i].p50);
            cell(out, rows[i].p99);
            cell(out, rows[i].mean);
        } else {
            fprintf(out, " %9s %9s %9s", "-", "-", "-");
        }
        if (rows[i].has_grown)
            fprintf(out, " %+9.3f", (double)rows[i].grown / 1e6);
        else
            fprintf(out, " %9s", "");
        fprintf(out, " %11" PRIu64 "\n", rows[i].samples);
    }
    fprintf(
        out,
        "age: of a tick when that stage is done; log to socket: the server's own stamps of one tick in %u,"
        " to all its clients\n",
        AGE_SAMPLE);
    uint64_t untimed = r->stages.at[0].untimed;
    if (untimed) fprintf(out, "  %" PRIu64 " of these had an event time far from now, or ahead\n", untimed);
    fputc('\n', out);
}

static void cell(FILE *out, uint64_t ns)
{
    if (ns == UINT64_MAX)
        fprintf(out, " %9s", ">16777");
    else
        fprintf(out, " %9.3f", (double)ns / 1e6);
}

void bench_stages_json(FILE *out, const struct bench *b, const struct bench_result *r)
{
    if (!wanted(b)) return;
    if (!r->stages.known) {
        char why[6 * sizeof r->stages.absent];
        uint32_t size = json_escape(why, text_of(r->stages.absent));
        fprintf(out, ",\"stages_absent\":\"%.*s\"", (int)size, why);
        return;
    }
    struct row rows[ROWS];
    rows_make(r, rows);
    fprintf(out, ",\"stages\":{\"sample\":%u", AGE_SAMPLE);
    for (uint32_t i = 0; i < ROWS; i++) {
        fprintf(out, ",\"%s\":{\"samples\":%" PRIu64, rows[i].name, rows[i].samples);
        if (i < BENCH_STAGES) fprintf(out, ",\"untimed\":%" PRIu64, r->stages.at[i].untimed);
        if (rows[i].known) {
            json_ns(out, "mean", rows[i].mean);
            json_ns(out, "p50", rows[i].p50);
            json_ns(out, "p99", rows[i].p99);
        }
        if (rows[i].has_grown) fprintf(out, ",\"p50_grown\":%" PRId64, rows[i].grown);
        fputc('}', out);
    }
    fputc('}', out);
}

static void json_ns(FILE *out, const char *name, uint64_t ns)
{
    if (ns == UINT64_MAX)
        fprintf(out, ",\"%s\":null", name);
    else
        fprintf(out, ",\"%s\":%" PRIu64, name, ns);
}

/* A bar for each stage, to its median, and a thin one to its p99. */
void bench_stages_html(FILE *out, const struct bench *b, const struct bench_result *r)
{
    enum { LEFT = 70, WIDTH = 700, STEP = 26 }; /* in units of the picture; right of the bars: p50 and p99 */
    if (!wanted(b) || !r->stages.known) return;
    struct row rows[ROWS];
    rows_make(r, rows);
    double most = 1;
    for (uint32_t i = 0; i < ROWS; i++)
        if (rows[i].known && rows[i].p99 != UINT64_MAX && (double)rows[i].p99 > most)
            most = (double)rows[i].p99;
    fprintf(out,
            "<h2>Age by stage: median and p99</h2>\n<svg viewBox=\"0 0 880 %u\" role=\"img\""
            " aria-label=\"Age by stage\">",
            ROWS * STEP + 8);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t y = i * STEP + STEP / 2;
        fprintf(out, "<text x=\"4\" y=\"%u\">%s</text>", y + 4, rows[i].name);
        if (!rows[i].known || rows[i].p99 == UINT64_MAX) continue;
        double p50 = LEFT + WIDTH * (double)rows[i].p50 / most,
               p99 = LEFT + WIDTH * (double)rows[i].p99 / most;
        fprintf(out,
                "<path class=\"b\" d=\"M%d %uL%.1f %u\"/><path class=\"a\" style=\"stroke-width:10\""
                " d=\"M%d %uL%.1f %u\"/>",
                LEFT, y, p99, y, LEFT, y, p50, y);
        fprintf(out, "<text x=\"%d\" y=\"%u\">%.3f, %.3f ms</text>", LEFT + WIDTH + 6, y + 4,
                (double)rows[i].p50 / 1e6, (double)rows[i].p99 / 1e6);
    }
    fputs("</svg>\n", out);
}
