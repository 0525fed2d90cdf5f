/* cmd/bench_any.c -- a feed of another kind: nothing is understood but the numbers behind two keys, wherever
 * they stand: {"T":1700000000000}, {"data":[{"ts":"1700000000.25"}]}. A number may stand in quotes and have a
 * fraction. */
#include "cmd/bench_internal.h"

static const char *key_find(struct text message, const char *p, const char *key);
static const char *number_read(const char *p, const char *end, uint64_t unit_ns, uint64_t *out);
static void take_ts(struct bench_thread *t, struct text message, uint64_t now_real_ns);
static void take_seq(struct bench_thread *t, struct bench_conn *c, struct text message);

void bench_any(struct bench_thread *t, struct bench_conn *c, struct text message, uint64_t now_real_ns)
{
    if (t->bench->options.seq_key) take_seq(t, c, message);
    if (!bench_measuring(t)) return;
    t->counts[c->role].frames++;
    if (c->role != ROLE_READER || !t->bench->options.ts_key || --t->sample_left > 0) return;
    t->sample_left = t->bench->options.sample;
    take_ts(t, message, now_real_ns);
}

/* Of a sampled message every time in it counts. */
static void take_ts(struct bench_thread *t, struct text message, uint64_t now_real_ns)
{
    const char *unit = t->bench->options.ts_unit, *end = message.at + message.size;
    uint64_t unit_ns = unit[0] == 's'   ? NS_PER_SECOND
                       : unit[0] == 'm' ? NS_PER_MS
                       : unit[0] == 'u' ? NS_PER_US
                                        : 1;
    for (const char *p = message.at; (p = key_find(message, p, t->bench->options.ts_key)) != NULL;) {
        uint64_t ts_ns;
        p = number_read(p, end, unit_ns, &ts_ns);
        if (p)
            bench_latency(t, ts_ns, now_real_ns);
        else
            t->counts[ROLE_READER].untimed++;
        if (!p) return;
    }
}

/* Every one, sampled or not. A feed that is filtered has holes by right; one that goes back does not. */
static void take_seq(struct bench_thread *t, struct bench_conn *c, struct text message)
{
    const char *end = message.at + message.size;
    for (const char *p = message.at; (p = key_find(message, p, t->bench->options.seq_key)) != NULL;) {
        uint64_t seq;
        p = number_read(p, end, 1, &seq);
        if (!p) return;
        if (c->any_seq && seq <= c->any_seq) {
            bench_broken(t, c, "the number of --seq-key did not rise", seq);
        } else if (bench_measuring(t)) {
            t->counts[c->role].ticks++;
            if (c->any_seq) t->counts[c->role].holes += seq - c->any_seq - 1;
        }
        c->any_seq = seq;
    }
}

/* Behind the colon of the next "key":, or NULL. */
static const char *key_find(struct text message, const char *p, const char *key)
{
    const char *end = message.at + message.size;
    size_t size = strlen(key);
    while (p < end) {
        const char *at = memmem(p, (size_t)(end - p), key, size);
        if (!at) return NULL;
        p = at + size;
        if (at == message.at || at[-1] != '"' || p >= end || *p != '"') continue;
        for (p++; p < end && *p == ' ';) p++;
        if (p < end && *p == ':') return p + 1;
    }
    return NULL;
}

/* Behind the number; NULL: there is none, or it is too large. */
static const char *number_read(const char *p, const char *end, uint64_t unit_ns, uint64_t *out)
{
    uint64_t n = 0, digits = 0;
    while (p < end && (*p == ' ' || *p == '"')) p++;
    for (; p < end && (uint8_t)(*p - '0') <= 9; p++, digits++)
        if (__builtin_mul_overflow(n, UINT64_C(10), &n) ||
            __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return NULL;
    if (digits == 0 || __builtin_mul_overflow(n, unit_ns, &n)) return NULL;
    if (p < end && *p == '.')
        for (p++; p < end && (uint8_t)(*p - '0') <= 9; p++) {
            unit_ns /= 10;
            n += (uint64_t)(*p - '0') * unit_ns;
        }
    *out = n;
    return p;
}
