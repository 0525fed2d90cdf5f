#include "cmd/bench_internal.h"

static void text_role(FILE *out, const struct bench *b, const char *name, uint64_t connections,
                      const struct bench_counts *n, double seconds);
static void connects_line(FILE *out, const struct bench_result *r);
static void latency_table(FILE *out, const struct bench_result *r);
static void latency_row(FILE *out, const char *name, const struct latency *l);
static void deflate_lines(FILE *out, const struct bench *b, const struct bench_result *r);
static void trouble_lines(FILE *out, const struct bench_counts *n);
static void verify_lines(FILE *out, const struct bench *b, const struct bench_result *r);

const double bench_percents[BENCH_PERCENTS] = {50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100};
const char *const bench_percent_names[BENCH_PERCENTS] = {"p50",   "p75",    "p90",     "p95", "p99",
                                                         "p99.9", "p99.99", "p99.999", "max"};
static const int table_columns[] = {0, 2, 4, 5, 6, 8}; /* of bench_percents, in the text report */
#define CPU_TOO_BUSY 0.9
#define COLUMNS      (sizeof table_columns / sizeof table_columns[0])

void bench_report(FILE *out, const struct bench *b, const struct bench_result *r)
{
    const struct bench_options *o = &b->options;
    fprintf(out, "%u connections to %s%s\n", b->expected, b->url.authority, b->url.target);
    fprintf(out,
            "measured for %.2f s by %u threads over %s; bench itself: busiest thread %.0f %%, together %.0f"
            " %% of a processor\n\n",
            r->seconds, b->thread_count, b->uring ? "io_uring" : "epoll", r->cpu_most * 100,
            r->cpu_all * 100);
    if (o->connections) text_role(out, b, "readers", o->connections, &r->counts[ROLE_READER], r->seconds);
    if (o->slow) text_role(out, b, "slow", o->slow, &r->counts[ROLE_SLOW], r->seconds);
    if (o->stuck) text_role(out, b, "stuck", o->stuck, &r->counts[ROLE_STUCK], r->seconds);
    connects_line(out, r);
    latency_table(out, r);
    if (r->counts[ROLE_READER].untimed)
        fprintf(out,
                "  %llu samples have an event time far from now (a replayed file?): no latency of them\n",
                (unsigned long long)r->counts[ROLE_READER].untimed);
    bench_stages_text(out, b, r);
    deflate_lines(out, b, r);
    trouble_lines(out, &r->counts[ROLE_READER]);
    verify_lines(out, b, r);
    uint64_t broken = 0, lost = 0;
    for (int i = 0; i < ROLES; i++) broken += r->counts[i].broken, lost += r->counts[i].lost;
    fprintf(out, "continuity  %s: %llu connections broken, %llu lost\n", r->failed ? "BROKEN" : "ok",
            (unsigned long long)broken, (unsigned long long)lost);
    if (r->first.text[0]) fprintf(out, "  first: %s\n", r->first.text);
}

bool bench_warning(const struct bench_result *r, char out[BENCH_WARNING_MAX])
{
    if (r->cpu_most < CPU_TOO_BUSY) return false;
    snprintf(
        out, BENCH_WARNING_MAX,
        "a thread of bench itself used %.0f %% of a processor, so these are its limits, not the server's;"
        " use more --threads, fewer --connections or another machine",
        r->cpu_most * 100);
    return true;
}

static void text_role(FILE *out, const struct bench *b, const char *name, uint64_t connections,
                      const struct bench_counts *n, double seconds)
{
    bool any = b->options.any;
    fprintf(out, "%-11s %llu: %.0f %s/s, %.0f messages/s, %.2f MB/s, %.0f reads/s; longest silence %.3f s\n",
            name, (unsigned long long)connections, bench_rate(n->ticks, seconds), any ? "numbers" : "ticks",
            bench_rate(n->frames, seconds), bench_rate(n->bytes, seconds) / 1e6,
            bench_rate(n->reads, seconds), (double)n->silence_ns / 1e9);
    if (any) {
        if (b->options.seq_key)
            fprintf(out, "            %llu numbers of \"%s\", %llu passed over\n",
                    (unsigned long long)n->ticks, b->options.seq_key, (unsigned long long)n->holes);
        return;
    }
    fprintf(out,
            "            %llu ticks, %llu conflated, %llu gaps over %llu positions, %llu lag notices, %llu "
            "closed as slow\n",
            (unsigned long long)n->ticks, (unsigned long long)n->conflated, (unsigned long long)n->gaps,
            (unsigned long long)n->gap_positions, (unsigned long long)n->lags,
            (unsigned long long)n->closed_slow);
}

static void connects_line(FILE *out, const struct bench_result *r)
{
    const struct bench_connects *n = &r->connects;
    double seconds = bench_ramp_seconds(n);
    fprintf(out, "connects    %llu in %.3f s: %.0f/s; while measuring %llu: %.0f/s\n",
            (unsigned long long)n->ramp, seconds, bench_rate(n->ramp, seconds),
            (unsigned long long)n->measured, bench_rate(n->measured, r->seconds));
}

static void latency_table(FILE *out, const struct bench_result *r)
{
    if (r->latency.count + r->handshakes.count + r->subscribes.count == 0) return;
    fprintf(out, "\n%-11s", "ms");
    for (size_t i = 0; i < COLUMNS; i++) fprintf(out, " %9s", bench_percent_names[table_columns[i]]);
    fprintf(out, "   samples\n");
    latency_row(out, "latency", &r->latency);
    latency_row(out, "handshake", &r->handshakes);
    latency_row(out, "subscribed", &r->subscribes);
    fputs("latency: from the tick's own time to here; handshake, subscribed: from when its connection was "
          "due\n\n",
          out);
}

static void latency_row(FILE *out, const char *name, const struct latency *l)
{
    if (l->count == 0) return;
    fprintf(out, "%-11s", name);
    for (size_t i = 0; i < COLUMNS; i++)
        fprintf(out, " %9.3f", (double)latency_percentile(l, bench_percents[table_columns[i]]) / 1e6);
    fprintf(out, " %9llu\n", (unsigned long long)l->count);
}

static void deflate_lines(FILE *out, const struct bench *b, const struct bench_result *r)
{
    if (!b->options.deflate) return;
    const struct bench_counts *n = &r->counts[ROLE_READER];
    struct bench_deflated d = bench_deflated(r);
    fprintf(
        out,
        "deflate     %.2f MB/s on the wire are %.2f MB/s unpacked: ratio %.2f; %llu of %llu messages were "
        "packed\n",
        bench_rate(n->bytes, r->seconds) / 1e6, bench_rate(bench_unpacked_bytes(n), r->seconds) / 1e6,
        d.ratio, (unsigned long long)n->packed, (unsigned long long)n->frames);
    const char *how = d.takeover == 0          ? "each message by itself"
                      : d.takeover == d.agreed ? "with context takeover"
                                               : "some with context takeover";
    fprintf(out, "            agreed in %llu handshakes%s%s", (unsigned long long)d.agreed,
            d.agreed ? ", " : "", d.agreed ? how : "");
    if (d.refused)
        fprintf(out, "; %llu were not taken: their messages came as they are", (unsigned long long)d.refused);
    fputc('\n', out);
}

static void trouble_lines(FILE *out, const struct bench_counts *n)
{
    if (n->kills + n->churns + n->stalls + n->resumes == 0) return;
    fprintf(
        out,
        "troubles    %llu killed, %llu opened anew, %llu stalled; %llu resumed, %llu of them with a gap\n",
        (unsigned long long)n->kills, (unsigned long long)n->churns, (unsigned long long)n->stalls,
        (unsigned long long)n->resumes, (unsigned long long)n->resume_gaps);
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
