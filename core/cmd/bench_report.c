#include "cmd/bench_internal.h"

#define CPU_TOO_BUSY 0.9

static void text_report(FILE *out, const struct bench *b, const struct bench_result *r);
static void json_report(FILE *out, const struct bench *b, const struct bench_result *r);
static void json_counts(FILE *out, const char *name, uint64_t connections, const struct bench_counts *n,
                        double seconds);
static void text_role(FILE *out, const char *name, uint64_t connections, const struct bench_counts *n,
                      double seconds);
static void latency_line(FILE *out, const struct latency *l);
static void verify_lines(FILE *out, const struct bench *b, const struct bench_result *r);
static void json_text(FILE *out, const char *text);

static const double percents[] = {50, 90, 99, 99.9, 100};
static const char *const percent_names[] = {"p50", "p90", "p99", "p99.9", "max"};
#define PERCENTS (sizeof percents / sizeof percents[0])

void bench_report(FILE *out, const struct bench *b, const struct bench_result *r)
{
    if (b->options.json)
        json_report(out, b, r);
    else
        text_report(out, b, r);
    if (r->cpu_most >= CPU_TOO_BUSY)
        fprintf(stderr,
                "tickcast bench: warning: a thread of bench itself used %.0f %% of a processor, so these are"
                " its limits, not the server's; use more --threads, fewer --connections or another machine\n",
                r->cpu_most * 100);
}

static void text_report(FILE *out, const struct bench *b, const struct bench_result *r)
{
    const struct bench_options *o = &b->options;
    fprintf(out, "%u connections to %s%s\n", b->expected, b->url.authority, b->url.target);
    fprintf(out, "measured for %.2f s, busiest thread of bench %.0f %%\n\n", r->seconds, r->cpu_most * 100);
    if (o->connections) text_role(out, "readers", o->connections, &r->counts[ROLE_READER], r->seconds);
    if (o->slow) text_role(out, "slow", o->slow, &r->counts[ROLE_SLOW], r->seconds);
    if (o->stuck) text_role(out, "stuck", o->stuck, &r->counts[ROLE_STUCK], r->seconds);
    latency_line(out, &r->latency);
    if (r->counts[ROLE_READER].untimed)
        fprintf(
            out,
            "  %llu sampled ticks have an event time far from now (a replayed file?): no latency of them\n",
            (unsigned long long)r->counts[ROLE_READER].untimed);
    verify_lines(out, b, r);
    uint64_t broken = 0, lost = 0;
    for (int i = 0; i < ROLES; i++) broken += r->counts[i].broken, lost += r->counts[i].lost;
    fprintf(out, "continuity  %s: %llu connections broken, %llu lost\n", r->failed ? "BROKEN" : "ok",
            (unsigned long long)broken, (unsigned long long)lost);
    if (r->first.text[0]) fprintf(out, "  first: %s\n", r->first.text);
}

static void text_role(FILE *out, const char *name, uint64_t connections, const struct bench_counts *n,
                      double seconds)
{
    fprintf(out, "%-11s %llu: %.0f ticks/s, %.0f messages/s, %.2f MB/s; %.1f ticks a message\n", name,
            (unsigned long long)connections, (double)n->ticks / seconds, (double)n->frames / seconds,
            (double)n->bytes / seconds / 1e6, n->frames ? (double)n->ticks / (double)n->frames : 0.0);
    fprintf(
        out,
        "            %llu ticks, %llu conflated, %llu gaps over %llu positions, %llu lag notices, %llu closed"
        " as slow\n",
        (unsigned long long)n->ticks, (unsigned long long)n->conflated, (unsigned long long)n->gaps,
        (unsigned long long)n->gap_positions, (unsigned long long)n->lags,
        (unsigned long long)n->closed_slow);
}

static void latency_line(FILE *out, const struct latency *l)
{
    if (l->count == 0) return;
    fprintf(out, "latency    ");
    for (size_t i = 0; i < PERCENTS; i++)
        fprintf(out, " %s %.3f", percent_names[i], (double)latency_percentile(l, percents[i]) / 1e6);
    fprintf(out, " ms, from the tick's time; %llu samples\n", (unsigned long long)l->count);
}

static void verify_lines(FILE *out, const struct bench *b, const struct bench_result *r)
{
    const struct verify_counts *v = &r->verified;
    if (!b->options.verify) return;
    fprintf(out,
            "verified    %llu frames with %llu ticks and %llu conflated, %llu snapshot ticks; %llu lies\n",
            (unsigned long long)v->frames, (unsigned long long)v->ticks, (unsigned long long)v->conflated,
            (unsigned long long)v->snapshot_ticks, (unsigned long long)v->lies);
    if (v->unverified)
        fprintf(out,
                "  %llu frames could not be verified: the reference itself had gaps (%llu), or no longer "
                "held them\n",
                (unsigned long long)v->unverified, (unsigned long long)r->counts[ROLE_REFERENCE].gaps);
}

static void json_report(FILE *out, const struct bench *b, const struct bench_result *r)
{
    const struct bench_options *o = &b->options;
    fprintf(out, "{\"url\":");
    json_text(out, o->url);
    fprintf(out,
            ",\"connections\":%llu,\"policy\":\"%s\",\"frame\":\"%s\",\"seconds\":%.3f,\"cpu\":%.3f,"
            "\"failed\":%s",
            (unsigned long long)o->connections, o->policy, o->frame, r->seconds, r->cpu_most,
            r->failed ? "true" : "false");
    json_counts(out, "readers", o->connections, &r->counts[ROLE_READER], r->seconds);
    json_counts(out, "slow", o->slow, &r->counts[ROLE_SLOW], r->seconds);
    json_counts(out, "stuck", o->stuck, &r->counts[ROLE_STUCK], r->seconds);
    fprintf(out, ",\"latency_ns\":{\"samples\":%llu", (unsigned long long)r->latency.count);
    for (size_t i = 0; i < PERCENTS && r->latency.count; i++)
        fprintf(out, ",\"%s\":%llu", percent_names[i],
                (unsigned long long)latency_percentile(&r->latency, percents[i]));
    fprintf(out, "}");
    if (o->verify)
        fprintf(out,
                ",\"verified\":{\"frames\":%llu,\"ticks\":%llu,\"conflated\":%llu,\"snapshot_ticks\":%llu,"
                "\"unverified\":%llu,\"lies\":%llu}",
                (unsigned long long)r->verified.frames, (unsigned long long)r->verified.ticks,
                (unsigned long long)r->verified.conflated, (unsigned long long)r->verified.snapshot_ticks,
                (unsigned long long)r->verified.unverified, (unsigned long long)r->verified.lies);
    if (r->first.text[0]) {
        fprintf(out, ",\"first\":");
        json_text(out, r->first.text);
    }
    fprintf(out, "}\n");
}

static void json_counts(FILE *out, const char *name, uint64_t connections, const struct bench_counts *n,
                        double seconds)
{
    fprintf(out,
            ",\"%s\":{\"connections\":%llu,\"ticks\":%llu,\"ticks_per_second\":%.1f,\"messages\":%llu,"
            "\"messages_per_second\":%.1f,\"bytes\":%llu,\"bytes_per_second\":%.1f",
            name, (unsigned long long)connections, (unsigned long long)n->ticks, (double)n->ticks / seconds,
            (unsigned long long)n->frames, (double)n->frames / seconds, (unsigned long long)n->bytes,
            (double)n->bytes / seconds);
    fprintf(out,
            ",\"conflated\":%llu,\"gaps\":%llu,\"gap_positions\":%llu,\"lags\":%llu,\"heartbeats\":%llu,"
            "\"closed_slow\":%llu,\"broken\":%llu,\"lost\":%llu}",
            (unsigned long long)n->conflated, (unsigned long long)n->gaps,
            (unsigned long long)n->gap_positions, (unsigned long long)n->lags,
            (unsigned long long)n->heartbeats, (unsigned long long)n->closed_slow,
            (unsigned long long)n->broken, (unsigned long long)n->lost);
}

static void json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ')
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}
