/* worker/worker_server.c -- what the public port and administration answer alike: whom a listener serves, is
 * it ready, the figures of all workers. Thread: any; reads what is constant, or atomic. */
#include "worker/worker.h"

#include "ops/metrics.h"
#include "wire/http_parse.h"

bool server_host_ok(const struct server *s, bool loopback, const struct http_request *r)
{
    if (!loopback || !r->has_host || http_host_is_loopback(r->host)) return true;
    for (uint32_t i = 0; i < s->settings->host.count; i++)
        if (http_host_name_is(r->host, text_of(s->settings->host.at[i]))) return true;
    return false;
}

const char *server_not_ready(const struct server *s)
{
    if (atomic_load(&s->draining)) return "draining\n";
    return atomic_load(&s->feed_running) ? NULL : "no feed is running\n";
}

uint32_t server_metrics(const struct server *s, uint64_t real_ns, char *out, uint32_t out_size)
{
    const struct counters *all[WORKERS_MAX];
    for (uint32_t i = 0; i < s->worker_count; i++) all[i] = worker_counters(s->workers[i]);
    struct metrics_in in = {.counters = all,
                            .count = s->worker_count,
                            .log = s->log,
                            .version = s->version,
                            .real_ns = real_ns,
                            .started_real_ns = s->started_real_ns};
    return metrics_text(&in, out, out_size);
}
