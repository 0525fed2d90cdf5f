/* Rows as JSON text. Names and units: docs/operations.md. */
#include "admin/admin_internal.h"

#include "base/assert.h"
#include "base/clock.h"
#include "log/log.h"
#include "ops/counters.h"
#include "wire/command.h"
#include "wire/notice.h"
#include "worker/conn.h"

#include <stdarg.h>
#include <stdio.h>

struct writer {
    char *at;
    uint32_t size, room;
};

static void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_stream(struct writer *w, const struct admin_row *row);
static void put_totals(struct writer *w, const struct admin *a, const struct admin_query *q);
static const char *state_name(const struct admin_row *row);
static const char *flag(bool on);

uint32_t admin_list_json(char *out, const struct admin *a, const struct admin_query *q, uint64_t real_ns)
{
    const struct server *s = a->options.server;
    const struct admin_found *f = &a->found;
    struct writer w = {.at = out, .room = ADMIN_ANSWER_MAX - ADMIN_HEAD_ROOM};
    char epoch[17] = "";
    epoch_print(epoch, log_epoch(s->log));
    put(&w, "{\"server\":\"tickcast/%s\",\"epoch\":\"%.16s\",\"head\":%llu,\"ts\":%llu,\"workers\":%u,",
        s->version, epoch, (unsigned long long)log_head(s->log), (unsigned long long)real_ns,
        s->worker_count);
    put_totals(&w, a, q);
    put(&w, "\"sort\":\"%s\",\"shown\":%u,\"more\":%s,\"connections\":[", admin_sort_names[q->sort], f->count,
        flag(f->more));
    for (uint32_t i = 0; i < f->count; i++) {
        put(&w, i ? ",\n" : "\n");
        w.size += admin_row_json(w.at + w.size, &f->rows[i]);
    }
    put(&w, "]}\n");
    return w.size;
}

/* Sums of the counters; full, slow, queue and rest of the connections that were looked at: all of them, but
 * for a page by id. */
static void put_totals(struct writer *w, const struct admin *a, const struct admin_query *q)
{
    const struct server *s = a->options.server;
    const struct admin_found *f = &a->found;
    uint64_t connections = 0, subscribers = 0, behind = 0, bytes = 0, ticks = 0, conflated = 0, gaps = 0;
    for (uint32_t i = 0; i < s->worker_count; i++) {
        const struct counters *n = worker_counters(s->workers[i]);
        connections += counter_get(&n->connections);
        subscribers += counter_get(&n->subscribers);
        behind += counter_get(&n->behind);
        bytes += counter_get(&n->sent_bytes_total);
        ticks += counter_get(&n->ticks_total);
        conflated += counter_get(&n->conflated_total);
        gaps += counter_get(&n->gaps_total);
    }
    put(w,
        "\"totals\":{\"connections\":%llu,\"subscribers\":%llu,\"behind\":%llu,\"sent_bytes\":%llu,"
        "\"ticks\":%llu,\"conflated\":%llu,\"gaps\":%llu",
        (unsigned long long)connections, (unsigned long long)subscribers, (unsigned long long)behind,
        (unsigned long long)bytes, (unsigned long long)ticks, (unsigned long long)conflated,
        (unsigned long long)gaps);
    if (q->sort != ADMIN_BY_ID)
        put(w, ",\"full\":%u,\"slow\":%u,\"queue_bytes\":%llu,\"rest_bytes\":%llu", f->full, f->slow,
            (unsigned long long)f->unsent_bytes, (unsigned long long)f->rest_bytes);
    put(w, "},");
}

uint32_t admin_row_json(char *out, const struct admin_row *row)
{
    struct writer w = {.at = out, .room = ADMIN_ROW_TEXT};
    char peer[6 * ADMIN_PEER_MAX];
    uint32_t peer_size = json_escape(peer, text_of(row->peer));
    put(&w, "{\"id\":\"%u-%u-%u\",\"peer\":\"%.*s\",\"age_ms\":%u,\"state\":\"%s\",", row->worker, row->slot,
        row->generation, (int)peer_size, peer, row->age_ms, state_name(row));
    if (row->subscribed) put_stream(&w, row);
    put(&w,
        "\"full\":%s,\"full_ms\":%u,\"queue_bytes\":%llu,\"rest_bytes\":%u,\"sent_bytes\":%llu,\"ticks\":%"
        "llu,"
        "\"conflated\":%llu,\"gaps\":%u}",
        flag(row->full), row->full_ms, (unsigned long long)row->unsent_bytes, row->rest_bytes,
        (unsigned long long)row->sent_bytes, (unsigned long long)row->ticks,
        (unsigned long long)row->conflated, row->gaps);
    return w.size;
}

static void put_stream(struct writer *w, const struct admin_row *row)
{
    put(w, "\"policy\":\"%s\",\"frame\":\"%s\",\"encoding\":\"%s\",\"rules\":%u,\"symbols\":[",
        policy_names[row->policy], framing_names[row->framing],
        row->encoding == ENCODING_BINARY ? "bin" : "json", row->rule_count);
    for (uint32_t i = 0; i < row->pattern_count; i++) {
        char text[6 * ADMIN_PATTERN_MAX];
        put(w, "%s\"%.*s\"", i ? "," : "", (int)json_escape(text, text_of(row->patterns[i])), text);
    }
    put(w, "],\"rate\":");
    if (row->rate_ns > 0)
        put(w, "%.6g", (double)NS_PER_SECOND / (double)row->rate_ns);
    else
        put(w, "null");
    put(w, ",\"in_step\":%s,\"slow\":%s,\"position\":%llu,\"lag\":%llu,\"lag_ms\":%llu,", flag(row->in_step),
        flag(row->slow), (unsigned long long)row->position, (unsigned long long)row->lag_ticks,
        (unsigned long long)row->lag_ms);
}

static const char *state_name(const struct admin_row *row)
{
    if (row->closing) return "closing";
    if (row->state == CONN_HTTP || row->state == CONN_BODY) return "http";
    return row->echo ? "echo" : row->subscribed ? "subscribed" : "open";
}

static const char *flag(bool on)
{
    return on ? "true" : "false";
}

static void put(struct writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->at + w->size, w->room - w->size, format, args);
    va_end(args);
    TC_ASSERT(n >= 0 && (uint32_t)n < w->room - w->size); /* room is for the longest: admin_internal.h */
    w->size += (uint32_t)n;
}
