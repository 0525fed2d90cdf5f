#include "cmd/server.h"

#include <stdio.h>

static const char *scaled(char *out, size_t size, double v)
{
    const char *units[] = {"", "k", "M", "G"};
    int u = 0;
    for (; v >= 10000 && u < 3; u++) v /= 1000;
    snprintf(out, size, "%.0f%s", v, units[u]);
    return out;
}

void figures_print(struct figures *f, const struct server *s, const struct feed_thread_stats *feeds,
                   bool terminal)
{
    uint64_t now = clock_mono_ns(), head = log_head(s->log), ticks = 0, bytes = 0, subscribers = 0,
             behind = 0, gaps = 0;
    for (uint32_t i = 0; i < s->worker_count; i++) {
        const struct counters *c = worker_counters(s->workers[i]);
        ticks += counter_get(&c->ticks_total);
        bytes += counter_get(&c->sent_bytes_total);
        subscribers += counter_get(&c->subscribers);
        behind += counter_get(&c->behind);
        gaps += counter_get(&c->gaps_total);
    }
    double seconds = f->at_ns ? (double)(now - f->at_ns) / 1e9 : 0;
    char in[16], out[16], mb[16], progress[48] = "";
    if (feeds->waiting)
        snprintf(progress, sizeof progress, "  waiting for a subscriber");
    else if (feeds->progress_permille <= 1000 && feeds->seconds_left != UINT32_MAX)
        snprintf(progress, sizeof progress, "  %u.%u %%, %u:%02u left", feeds->progress_permille / 10,
                 feeds->progress_permille % 10, feeds->seconds_left / 60, feeds->seconds_left % 60);
    if (seconds > 0)
        fprintf(stderr,
                "%s%s ticks/s in  %s delivered/s  %s kB/s  %llu subscribers  %llu behind  %llu gaps  seq "
                "%llu%s%s",
                terminal ? "\r\033[K" : "", scaled(in, sizeof in, (double)(head - f->head) / seconds),
                scaled(out, sizeof out, (double)(ticks - f->ticks) / seconds),
                scaled(mb, sizeof mb, (double)(bytes - f->bytes) / 1000 / seconds),
                (unsigned long long)subscribers, (unsigned long long)behind, (unsigned long long)gaps,
                (unsigned long long)head, progress, terminal ? "" : "\n");
    *f = (struct figures){.at_ns = now, .head = head, .ticks = ticks, .bytes = bytes, .on_line = terminal};
}
