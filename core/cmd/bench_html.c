/* cmd/bench_html.c -- the report as one page: the text report and three plots as SVG, nothing from elsewhere.
 * It follows the reader's light or dark scheme. */
#include "cmd/bench_internal.h"

#include <math.h>
#include <stdlib.h>

#define WIDTH  880.0
#define HEIGHT 260.0
#define LEFT   70.0
#define RIGHT  16.0
#define TOP    16.0
#define BOTTOM 40.0
#define CURVE  120 /* points of the percentile curve */

struct axes {
    double x_most, y_most; /* from 0 */
};

static void warning_line(FILE *out, const struct bench_result *r);
static void text_part(FILE *out, const struct bench *b, const struct bench_result *r);
static void escaped(FILE *out, const char *text, size_t size);
static void plot_begin(FILE *out, const char *title, const char *y_name);
static void plot_end(FILE *out, const char *x_name);
static struct axes time_plot_begin(FILE *out, const char *title, const char *y_name, double seconds,
                                   double y_most);
static void y_axis(FILE *out, const struct axes *a);
static void x_seconds(FILE *out, const struct axes *a);
static void named_line_begin(FILE *out, char letter, const char *name, double right);
static void point(FILE *out, const struct axes *a, double x, double y, bool first);
static void curve_plot(FILE *out, const struct latency *l);
static void latency_plot(FILE *out, const struct bench_series *s, double seconds);
static void throughput_plot(FILE *out, const struct bench_series *s, double seconds, bool any);
static void bytes_plot(FILE *out, const struct bench_series *s, double seconds);
static double round_up(double most);

static const char style[] =
    ":root{color-scheme:light dark;--line:#1666b0;--second:#b3430b;--third:#5f6b76;--grid:#8885}"
    "@media(prefers-color-scheme:dark){:root{--line:#62b0f4;--second:#f0955a;--third:#a9b4bf}}"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:920px;margin:24px auto;padding:0 16px}"
    ".warning{border-left:4px solid var(--second);padding-left:12px}"
    "pre{font:13px/1.4 ui-monospace,monospace;overflow-x:auto}"
    "svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:currentColor}"
    "path{fill:none;stroke-width:1.6}.grid{stroke:var(--grid);stroke-width:1}"
    ".a{stroke:var(--line)}.b{stroke:var(--second)}.c{stroke:var(--third)}"
    "text.a{fill:var(--line);stroke:none}text.b{fill:var(--second);stroke:none}"
    "text.c{fill:var(--third);stroke:none}";

void bench_html(FILE *out, const struct bench *b, const struct bench_result *r)
{
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>tickcast bench</title>"
            "<meta name=\"viewport\" content=\"width=device-width\"><style>%s</style></head>\n<body>"
            "<h1>tickcast bench</h1>\n",
            style);
    warning_line(out, r);
    text_part(out, b, r);
    bool timed = r->seconds > 0; /* else there is nothing over time */
    if (r->latency.count && timed) {
        curve_plot(out, &r->latency);
        latency_plot(out, &r->series, r->seconds);
    }
    if (timed) throughput_plot(out, &r->series, r->seconds, b->options.any);
    if (timed && b->options.deflate) bytes_plot(out, &r->series, r->seconds);
    bench_stages_html(out, b, r);
    fputs("</body></html>\n", out);
}

/* Above the figures that it casts doubt on. */
static void warning_line(FILE *out, const struct bench_result *r)
{
    char warning[BENCH_WARNING_MAX];
    if (!bench_warning(r, warning)) return;
    fputs("<p class=\"warning\">Warning: ", out);
    escaped(out, warning, strlen(warning));
    fputs("</p>\n", out);
}

static void text_part(FILE *out, const struct bench *b, const struct bench_result *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory) return;
    bench_report(memory, b, r);
    fclose(memory);
    fputs("<pre>", out);
    escaped(out, text, size);
    fputs("</pre>\n", out);
    free(text);
}

static void escaped(FILE *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '<')
            fputs("&lt;", out);
        else if (text[i] == '&')
            fputs("&amp;", out);
        else
            fputc(text[i], out);
    }
}

/* Latency by percentile, the way to 100 % drawn by powers of ten: one part in 10, in 100, ... */
static void curve_plot(FILE *out, const struct latency *l)
{
    double decades = fmin(6, fmax(1, ceil(log10((double)l->count))));
    struct axes a = {.x_most = decades, .y_most = round_up((double)l->most / 1e6)};
    plot_begin(out, "Latency by percentile", "ms");
    y_axis(out, &a);
    for (int d = 0; d <= (int)decades; d++) {
        static const char *const names[] = {"0 %",     "90 %",     "99 %",     "99.9 %",
                                            "99.99 %", "99.999 %", "99.9999 %"};
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
                LEFT + (WIDTH - LEFT - RIGHT) * d / decades, HEIGHT - BOTTOM + 18,
                d == (int)decades ? "end" : "middle", names[d]);
    }
    fputs("<path class=\"a\" d=\"", out);
    for (int i = 0; i <= CURVE; i++) {
        double x = decades * i / CURVE, percent = 100 * (1 - pow(10, -x));
        point(out, &a, x, (double)latency_percentile(l, percent) / 1e6, i == 0);
    }
    point(out, &a, decades, (double)l->most / 1e6, false);
    fputs("\"/>", out);
    plot_end(out, "percentile");
}

static void latency_plot(FILE *out, const struct bench_series *s, double seconds)
{
    static const struct {
        double percent;
        char letter;
        const char *name;
    } lines[] = {{50, 'a', "p50"}, {99, 'b', "p99"}, {100, 'c', "max"}};
    double most = 0;
    for (uint32_t i = 0; i < s->count; i++)
        most = fmax(most, (double)series_percentile(&s->at[i], 100) / 1e6);
    struct axes a = time_plot_begin(out, "Latency over time", "ms", seconds, most);
    for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++) {
        bool first = true;
        named_line_begin(out, lines[k].letter, lines[k].name, 60.0 * (double)k);
        for (uint32_t i = 0; i < s->count; i++) {
            double at = ((double)i + 0.5) * (double)s->step_ns / 1e9;
            if (s->at[i].samples == 0 || at > seconds) continue; /* no sample: no point, not zero */
            point(out, &a, at, (double)series_percentile(&s->at[i], lines[k].percent) / 1e6, first);
            first = false;
        }
        fputs("\"/>", out);
    }
    plot_end(out, "seconds");
}

static void throughput_plot(FILE *out, const struct bench_series *s, double seconds, bool any)
{
    double step = (double)s->step_ns / 1e9;
    double most = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t n = any ? s->at[i].messages : s->at[i].ticks;
        most = fmax(most, (double)n / step);
    }
    const char *title = any ? "Messages a second over time" : "Ticks a second over time";
    struct axes a = time_plot_begin(out, title, "1/s", seconds, most);
    bool first = true;
    fputs("<path class=\"a\" d=\"", out);
    for (uint32_t i = 0; i < s->count; i++) {
        double at = ((double)i + 0.5) * step;
        if (((double)i + 1) * step > seconds + 1e-3) break; /* the last one is not whole */
        point(out, &a, at, (double)(any ? s->at[i].messages : s->at[i].ticks) / step, first);
        first = false;
    }
    fputs("\"/>", out);
    plot_end(out, "seconds");
}

/* What packing saves, over time. */
static void bytes_plot(FILE *out, const struct bench_series *s, double seconds)
{
    static const struct {
        char letter;
        const char *name;
    } lines[] = {{'a', "on the wire"}, {'b', "unpacked"}};
    double step = (double)s->step_ns / 1e9;
    double most = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t bytes = max_u64(s->at[i].bytes, series_unpacked(&s->at[i]));
        most = fmax(most, (double)bytes / step / 1e6);
    }
    struct axes a = time_plot_begin(out, "Bytes over time", "MB/s", seconds, most);
    for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++) {
        bool first = true;
        named_line_begin(out, lines[k].letter, lines[k].name, 90.0 * (double)k);
        for (uint32_t i = 0; i < s->count; i++) {
            if (((double)i + 1) * step > seconds + 1e-3) break; /* the last one is not whole */
            uint64_t bytes = k == 0 ? s->at[i].bytes : series_unpacked(&s->at[i]);
            point(out, &a, ((double)i + 0.5) * step, (double)bytes / step / 1e6, first);
            first = false;
        }
        fputs("\"/>", out);
    }
    plot_end(out, "seconds");
}

static void plot_begin(FILE *out, const char *title, const char *y_name)
{
    fprintf(out, "<h2>%s</h2>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">", title, WIDTH,
            HEIGHT, title);
    fprintf(out, "<text x=\"4\" y=\"12\">%s</text>", y_name);
}

/* Over the seconds of the measurement; y_most: the highest value there is. */
static struct axes time_plot_begin(FILE *out, const char *title, const char *y_name, double seconds,
                                   double y_most)
{
    struct axes a = {.x_most = seconds, .y_most = round_up(y_most)};
    plot_begin(out, title, y_name);
    y_axis(out, &a);
    x_seconds(out, &a);
    return a;
}

/* Its name stands above the plot, so far to the right; its path is left open. */
static void named_line_begin(FILE *out, char letter, const char *name, double right)
{
    fprintf(out, "<text class=\"%c\" x=\"%.1f\" y=\"12\">%s</text><path class=\"%c\" d=\"", letter,
            LEFT + right, name, letter);
}

static void plot_end(FILE *out, const char *x_name)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text></svg>\n", WIDTH - RIGHT,
            HEIGHT - 4, x_name);
}

static void y_axis(FILE *out, const struct axes *a)
{
    for (int i = 0; i <= 4; i++) {
        double y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * i / 4;
        fprintf(out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
                WIDTH - RIGHT, y, y);
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>", LEFT - 6, y + 4,
                a->y_most * i / 4);
    }
}

static void x_seconds(FILE *out, const struct axes *a)
{
    for (int i = 0; i <= 5; i++)
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.4g</text>",
                LEFT + (WIDTH - LEFT - RIGHT) * i / 5, HEIGHT - BOTTOM + 18, a->x_most * i / 5);
}

static void point(FILE *out, const struct axes *a, double x, double y, bool first)
{
    double px = LEFT + (WIDTH - LEFT - RIGHT) * fmin(1, x / a->x_most);
    double py = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * fmin(1, y / a->y_most);
    fprintf(out, "%c%.1f %.1f", first ? 'M' : 'L', px, py);
}

/* To 1, 2, 4 or 8 times a power of ten: four equal steps are round numbers. */
static double round_up(double most)
{
    if (!(most > 0)) return 1;
    double power = pow(10, floor(log10(most)));
    for (int lead = 1; lead <= 8; lead *= 2)
        if (lead * power >= most) return lead * power;
    return 10 * power;
}
