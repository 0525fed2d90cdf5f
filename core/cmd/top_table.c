/* The server's JSON into rows, rows into lines. Everything from outside is bounded and cleaned for a
 * terminal. */
#include "cmd/top.h"

#include "base/shown.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void read_row(const json_t *json, struct top_row *row);
static void read_symbols(const json_t *json, struct top_row *row);
static void copy(char *out, size_t size, const json_t *object, const char *name);
static uint64_t number(const json_t *object, const char *name);
static const char *short_number(char out[12], uint64_t n);
static const char *short_time(char out[12], uint64_t ms);

int top_table_read(struct text json, struct top_table *out, struct fault *f)
{
    *out = (struct top_table){.count = 0};
    json_t *all = json_loadb(json.at, json.size, 0, NULL);
    const json_t *list = json_object_get(all, "connections"), *totals = json_object_get(all, "totals");
    size_t count = json_array_size(list);
    if (json_is_array(list) && json_is_object(totals))
        out->rows = calloc(count ? count : 1, sizeof *out->rows);
    if (!out->rows) {
        json_decref(all);
        return fault_set(f, TC_EINPUT,
                         "the answer is not a list of connections; is it a tickcast of this version?");
    }
    out->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) read_row(json_array_get(list, i), &out->rows[i]);
    copy(out->server, sizeof out->server, all, "server");
    out->head = number(all, "head");
    out->more = json_is_true(json_object_get(all, "more"));
    out->connections = number(totals, "connections");
    out->subscribers = number(totals, "subscribers");
    out->behind = number(totals, "behind");
    out->ticks = number(totals, "ticks");
    out->bytes = number(totals, "sent_bytes");
    json_decref(all);
    return TC_OK;
}

void top_table_free(struct top_table *t)
{
    free(t->rows);
    *t = (struct top_table){.count = 0};
}

static void read_row(const json_t *json, struct top_row *row)
{
    copy(row->id, sizeof row->id, json, "id");
    copy(row->peer, sizeof row->peer, json, "peer");
    copy(row->state, sizeof row->state, json, "state");
    copy(row->policy, sizeof row->policy, json, "policy");
    row->subscribed = row->policy[0] != 0;
    char frame[8], encoding[8];
    copy(frame, sizeof frame, json, "frame");
    copy(encoding, sizeof encoding, json, "encoding");
    snprintf(row->frame, sizeof row->frame, "%.5s%s%.4s", frame, frame[0] ? "/" : "", encoding);
    row->rate = json_number_value(json_object_get(json, "rate"));
    row->lag = number(json, "lag");
    row->lag_ms = number(json, "lag_ms");
    row->queue = number(json, "queue_bytes") + number(json, "rest_bytes");
    row->conflated = number(json, "conflated");
    row->gaps = number(json, "gaps");
    row->ticks = number(json, "ticks");
    row->bytes = number(json, "sent_bytes");
    row->age_ms = number(json, "age_ms");
    row->full = json_is_true(json_object_get(json, "full"));
    row->slow = json_is_true(json_object_get(json, "slow"));
    read_symbols(json, row);
}

static void read_symbols(const json_t *json, struct top_row *row)
{
    const json_t *list = json_object_get(json, "symbols");
    uint64_t rules = number(json, "rules");
    size_t count = json_array_size(list), used = 0;
    for (size_t i = 0; i < count && used + 1 < sizeof row->symbols; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        int n = snprintf(row->symbols + used, sizeof row->symbols - used, "%s%.32s", i ? "," : "",
                         name ? name : "?");
        used += n > 0 ? (size_t)n : 0;
    }
    if (rules > count && used + 1 < sizeof row->symbols)
        snprintf(row->symbols + used, sizeof row->symbols - used, ",+%llu",
                 (unsigned long long)(rules - count));
    shown_clean(row->symbols, strlen(row->symbols));
}

static void copy(char *out, size_t size, const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    shown_copy(out, size, text_of(value ? value : ""));
}

static uint64_t number(const json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));
    return n > 0 ? (uint64_t)n : 0;
}

void top_summary(const struct top_table *t, char *out, size_t size)
{
    char ticks[12], bytes[12];
    snprintf(out, size,
             "%s  head %llu  connections %llu  subscribers %llu  behind %llu  sent %s ticks, %s bytes",
             t->server, (unsigned long long)t->head, (unsigned long long)t->connections,
             (unsigned long long)t->subscribers, (unsigned long long)t->behind, short_number(ticks, t->ticks),
             short_number(bytes, t->bytes));
}

#define COLUMNS "%-12s %-22s %-10s %-8s %-10s %7s %7s %7s %7s %6s %6s %5s %7s %7s  %s"

void top_header(char *out, size_t size)
{
    snprintf(out, size, COLUMNS, "ID", "PEER", "STATE", "POLICY", "FRAME", "RATE", "LAG", "LAG-T", "QUEUE",
             "FULL", "CONFL", "GAPS", "TICKS", "BYTES", "AGE     SYMBOLS");
}

void top_line(const struct top_row *r, char *out, size_t size)
{
    char rate[16] = "-", lag[12] = "-", lag_ms[12] = "-", queue[12], conflated[12], gaps[12], ticks[12],
         bytes[12], age[12], last[64];
    if (r->rate > 0) snprintf(rate, sizeof rate, "%.4g", r->rate);
    if (r->subscribed) {
        short_number(lag, r->lag);
        short_time(lag_ms, r->lag_ms);
    }
    snprintf(last, sizeof last, "%-7s %s", short_time(age, r->age_ms), r->symbols);
    snprintf(out, size, COLUMNS, r->id, r->peer, r->state, r->policy, r->frame, rate, lag, lag_ms,
             short_number(queue, r->queue),
             r->slow   ? "slow"
             : r->full ? "full"
                       : "-",
             short_number(conflated, r->conflated), short_number(gaps, r->gaps),
             short_number(ticks, r->ticks), short_number(bytes, r->bytes), last);
}

/* Four digits at most: 9999, 12.3k, 456M. */
static const char *short_number(char out[12], uint64_t n)
{
    static const char units[] = "kMGTPE";
    double value = (double)n;
    int unit = -1;
    while (value >= (unit < 0 ? 10000 : 1000) && unit < 5) {
        value /= 1000;
        unit++;
    }
    if (unit < 0)
        snprintf(out, 12, "%llu", (unsigned long long)n);
    else
        snprintf(out, 12, value < 100 ? "%.1f%c" : "%.0f%c", value, units[unit]);
    return out;
}

static const char *short_time(char out[12], uint64_t ms)
{
    uint64_t s = ms / 1000;
    if (ms < 1000)
        snprintf(out, 12, "%ums", (unsigned)ms);
    else if (s < 100)
        snprintf(out, 12, "%.1fs", (double)ms / 1000);
    else if (s < 6000)
        snprintf(out, 12, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
    else
        snprintf(out, 12, "%uh%02um", (unsigned)min_u64(s / 3600, 99999), (unsigned)(s / 60 % 60));
    return out;
}
