#include "cmd/bench_internal.h"

static bool fast(struct bench_thread *t, struct bench_conn *c, struct client_bin_message *m,
                 uint64_t now_real_ns);
static void count_tick(struct bench_thread *t, const struct bench_conn *c, const struct client_bin_tick *tick,
                       uint64_t now_real_ns);

static const char odd[] = "a binary message is not what the protocol says";

bool bench_binary(struct bench_thread *t, struct bench_conn *c, const struct client_message *message,
                  uint64_t now_real_ns)
{
    struct client_bin_message m;
    struct text json;
    bool verify = t->bench->options.verify;
    if (verify && client_bin_json(&c->bin, message->payload, message->size, &json) == 0)
        return json.size == 0 || bench_message(t, c, json, now_real_ns);
    if (!verify && client_bin_open(message->payload, message->size, &m) == 0)
        return fast(t, c, &m, now_real_ns);
    bench_broken(t, c, odd, c->at.position);
    return false;
}

/* Without a look at prices and names. */
static bool fast(struct bench_thread *t, struct bench_conn *c, struct client_bin_message *m,
                 uint64_t now_real_ns)
{
    struct scan_message *s = &m->scan;
    if (s->type == SCAN_OTHER) return true; /* definitions, or of a later version */
    bool first = s->type == SCAN_SUBSCRIBED && !c->at.subscribed, alone = scan_is_tick(s->type);
    const char *broken = continuity_begin(&c->at, s);
    struct client_bin_tick tick;
    int r = 0;
    while (!broken && (r = client_bin_next(m, &tick)) > 0) {
        if (tick.type == SCAN_OTHER) continue;
        if (!alone) broken = continuity_tick(&c->at, s, tick.seq);
        if (s->type != SCAN_SNAPSHOT) count_tick(t, c, &tick, now_real_ns);
    }
    if (!broken && r < 0) broken = odd;
    return bench_message_end(t, c, s, first, broken);
}

/* Trades, quotes and book levels carry the time at which they should have gone out. */
static void count_tick(struct bench_thread *t, const struct bench_conn *c, const struct client_bin_tick *tick,
                       uint64_t now_real_ns)
{
    if (!bench_measuring(t)) return;
    t->counts[c->role].ticks++;
    if (c->role != ROLE_READER || --t->sample_left > 0) return;
    t->sample_left = t->bench->options.sample;
    if (tick->type != SCAN_TRADE && tick->type != SCAN_QUOTE && tick->type != SCAN_BOOK) return;
    int64_t ts = client_bin_ts(tick);
    bench_latency(t, ts > 0 ? (uint64_t)ts : 0, now_real_ns);
}
