/* cmd/bench_json.c -- the report as one JSON object; docs/bench.md has its fields. Times in ns. */
#include "cmd/bench_internal.h"

#include "wire/notice.h"

#include <stdlib.h>

static void counts(FILE *out, const char *name, uint64_t connections, const struct bench_counts *n,
                   double seconds);
static void number(FILE *out, const char *name, uint64_t value);
static void connects(FILE *out, const struct bench_connects *n, double seconds);
static void histogram(FILE *out, const char *name, const struct latency *l);
static void series(FILE *out, const struct bench_series *s, double seconds);
static void deflate(FILE *out, const struct bench_result *r);
static void verified(FILE *out, const struct verify_counts *v);
static void warnings(FILE *out, const struct bench_result *r);
static void string(FILE *out, const char *text);

void bench_json(FILE *out, const struct bench *b, const struct bench_result *r)
{
    const struct bench_options *o = &b->options;
    fprintf(out, "{\"url\":");
    string(out, o->url);
    fprintf(out, ",\"connections\":%llu,\"policy\":\"%s\",\"frame\":\"%s\",\"io\":\"%s\",\"threads\":%u",
            (unsigned long long)o->connections, o->mix ? "mix" : o->policy, o->mix ? "mix" : o->frame,
            b->uring ? "uring" : "epoll", b->thread_count);
    fprintf(out, ",\"seconds\":%.3f,\"cpu\":%.3f,\"cpu_all\":%.3f,\"failed\":%s", r->seconds, r->cpu_most,
            r->cpu_all, r->failed ? "true" : "false");
    warnings(out, r);
    counts(out, "readers", o->connections, &r->counts[ROLE_READER], r->seconds);
    counts(out, "slow", o->slow, &r->counts[ROLE_SLOW], r->seconds);
    counts(out, "stuck", o->stuck, &r->counts[ROLE_STUCK], r->seconds);
    connects(out, &r->connects, r->seconds);
    histogram(out, "latency_ns", &r->latency);
    histogram(out, "handshake_ns", &r->handshakes);
    histogram(out, "subscribed_ns", &r->subscribes);
    bench_stages_json(out, b, r);
    series(out, &r->series, r->seconds);
    if (o->deflate) deflate(out, r);
    if (o->verify) verified(out, &r->verified);
    if (r->first.text[0]) {
        fprintf(out, ",\"first\":");
        string(out, r->first.text);
    }
    fprintf(out, "}\n");
}

static void counts(FILE *out, const char *name, uint64_t connections, const struct bench_counts *n,
                   double seconds)
{
    fprintf(out,
            ",\"%s\":{\"connections\":%llu,\"ticks_per_second\":%.1f,\"messages_per_second\":%.1f,"
            "\"bytes_per_second\":%.1f",
            name, (unsigned long long)connections, bench_rate(n->ticks, seconds),
            bench_rate(n->frames, seconds), bench_rate(n->bytes, seconds));
    number(out, "ticks", n->ticks);
    number(out, "messages", n->frames);
    number(out, "bytes", n->bytes);
    number(out, "packed", n->packed);
    number(out, "unpacked_bytes", bench_unpacked_bytes(n));
    number(out, "reads", n->reads);
    number(out, "conflated", n->conflated);
    number(out, "gaps", n->gaps);
    number(out, "gap_positions", n->gap_positions);
    number(out, "lags", n->lags);
    number(out, "snapshots", n->snapshots);
    number(out, "heartbeats", n->heartbeats);
    number(out, "holes", n->holes);
    number(out, "untimed", n->untimed);
    number(out, "silence_ns", n->silence_ns);
    number(out, "kills", n->kills);
    number(out, "churns", n->churns);
    number(out, "stalls", n->stalls);
    number(out, "resumes", n->resumes);
    number(out, "resume_gaps", n->resume_gaps);
    number(out, "closed_slow", n->closed_slow);
    number(out, "broken", n->broken);
    number(out, "lost", n->lost);
    fputc('}', out);
}

static void number(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void connects(FILE *out, const struct bench_connects *n, double seconds)
{
    double ramp_seconds = bench_ramp_seconds(n);
    fprintf(out,
            ",\"connects\":{\"ramp\":%llu,\"ramp_seconds\":%.3f,\"ramp_per_second\":%.1f,"
            "\"measured\":%llu,\"per_second\":%.1f}",
            (unsigned long long)n->ramp, ramp_seconds, bench_rate(n->ramp, ramp_seconds),
            (unsigned long long)n->measured, bench_rate(n->measured, seconds));
}

static void histogram(FILE *out, const char *name, const struct latency *l)
{
    fprintf(out, ",\"%s\":{\"samples\":%llu", name, (unsigned long long)l->count);
    if (l->count) {
        number(out, "min", l->least);
        number(out, "mean", latency_mean(l));
        for (size_t i = 0; i < BENCH_PERCENTS; i++)
            number(out, bench_percent_names[i], latency_percentile(l, bench_percents[i]));
    }
    fputc('}', out);
}

static void series(FILE *out, const struct bench_series *s, double seconds)
{
    fprintf(out, ",\"series\":{\"step_ns\":%llu,\"intervals\":[", (unsigned long long)s->step_ns);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct series_interval *at = &s->at[i];
        if ((double)(i * s->step_ns) / 1e9 >= seconds && at->messages == 0) break;
        fprintf(out, "%s{\"ticks\":%llu,\"messages\":%llu,\"bytes\":%llu,\"samples\":%u", i ? "," : "",
                (unsigned long long)at->ticks, (unsigned long long)at->messages,
                (unsigned long long)at->bytes, at->samples);
        number(out, "unpacked_bytes", series_unpacked(at));
        number(out, "p50", series_percentile(at, 50));
        number(out, "p99", series_percentile(at, 99));
        number(out, "max", series_percentile(at, 100));
        fputc('}', out);
    }
    fputs("]}", out);
}

/* Of all connections that were asked to pack; the bytes are the readers'. */
static void deflate(FILE *out, const struct bench_result *r)
{
    struct bench_deflated d = bench_deflated(r);
    fprintf(out, ",\"deflate\":{\"agreed\":%llu", (unsigned long long)d.agreed);
    number(out, "takeover", d.takeover);
    number(out, "refused", d.refused);
    fprintf(out, ",\"ratio\":%.3f}", d.ratio);
}

static void verified(FILE *out, const struct verify_counts *v)
{
    fprintf(out, ",\"verified\":{\"frames\":%llu", (unsigned long long)v->frames);
    number(out, "ticks", v->ticks);
    number(out, "conflated", v->conflated);
    number(out, "snapshot_ticks", v->snapshot_ticks);
    number(out, "unverified", v->unverified);
    number(out, "lies", v->lies);
    fputc('}', out);
}

/* Always there, so that who reads the report need not ask whether this bench tells any. */
static void warnings(FILE *out, const struct bench_result *r)
{
    char warning[BENCH_WARNING_MAX];
    fputs(",\"warnings\":[", out);
    if (bench_warning(r, warning)) string(out, warning);
    fputc(']', out);
}

static void string(FILE *out, const char *text)
{
    char *inside = malloc(6 * strlen(text) + 1);
    uint32_t size = inside ? json_escape(inside, text_of(text)) : 0;
    fprintf(out, "\"%.*s\"", (int)size, inside ? inside : "");
    free(inside);
}
