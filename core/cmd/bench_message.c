#include "cmd/bench_internal.h"

#include "base/shown.h"
#include "config/subscription.h"

#include <stdio.h>

#define NEAR_NS (600 * NS_PER_SECOND) /* an event time farther off than this is not the time of sending */

static bool single(struct bench_thread *t, struct bench_conn *c, const struct scan_message *m,
                   const struct scan_tick *tick, uint64_t now_real_ns);
static bool whole(struct bench_thread *t, struct bench_conn *c, struct scan_message *m, uint64_t now_real_ns);
static void subscribed(struct bench_thread *t, struct bench_conn *c);
static void count_message(struct bench_thread *t, const struct bench_conn *c, const struct scan_message *m);
static void take_tick(struct bench_thread *t, struct bench_conn *c, const struct scan_tick *tick,
                      uint64_t now_real_ns);
static void take_latency(struct bench_thread *t, const struct scan_tick *tick, uint64_t now_real_ns);
static bool record(struct bench_thread *t, struct bench_conn *c, const struct scan_message *m);
static void reference(struct bench_thread *t, struct bench_conn *c, const struct scan_message *m, bool first);

static const char odd[] = "a message is not what the protocol says";

bool bench_message(struct bench_thread *t, struct bench_conn *c, struct text json, uint64_t now_real_ns)
{
    struct scan_message m;
    struct scan_tick tick;
    if (scan_tick_usual(json, &tick)) {
        m = (struct scan_message){.type = tick.type, .seq = tick.seq, .has_seq = true};
        return single(t, c, &m, &tick, now_real_ns);
    }
    if (scan_message(json, &m) < 0) {
        bench_broken(t, c, odd, c->at.position);
        return false;
    }
    if (scan_is_tick(m.type)) {
        if (scan_tick(json, &tick) == 0) return single(t, c, &m, &tick, now_real_ns);
        bench_broken(t, c, odd, c->at.position);
        return false;
    }
    return whole(t, c, &m, now_real_ns);
}

/* A tick object by itself. */
static bool single(struct bench_thread *t, struct bench_conn *c, const struct scan_message *m,
                   const struct scan_tick *tick, uint64_t now_real_ns)
{
    const char *broken = continuity_begin(&c->at, m);
    if (broken) {
        bench_broken(t, c, broken, m->seq);
        return false;
    }
    if (bench_measuring(t)) count_message(t, c, m);
    take_tick(t, c, tick, now_real_ns);
    return true;
}

/* Any other message, with the ticks in it. */
static bool whole(struct bench_thread *t, struct bench_conn *c, struct scan_message *m, uint64_t now_real_ns)
{
    bool first = m->type == SCAN_SUBSCRIBED && !c->at.subscribed;
    const char *broken = continuity_begin(&c->at, m);
    struct scan_tick tick;
    int r = 0;
    while (!broken && (r = scan_tick_next(m, &tick)) > 0) {
        broken = continuity_tick(&c->at, m, tick.seq);
        if (m->type == SCAN_TICKS)
            take_tick(t, c, &tick, now_real_ns);
        else if (t->bench->options.verify && c->role != ROLE_REFERENCE)
            verify_conn_tick(&c->verify, &tick);
    }
    if (!broken && (r < 0 || scan_message_end(m) < 0)) broken = odd;
    return bench_message_end(t, c, m, first, broken);
}

bool bench_message_end(struct bench_thread *t, struct bench_conn *c, const struct scan_message *m, bool first,
                       const char *broken)
{
    if (!broken) broken = continuity_end(&c->at, m);
    if (broken) {
        bench_broken(t, c, broken, m->type == SCAN_TICKS || m->type == SCAN_GAP ? m->from : m->seq);
        return false;
    }
    if (bench_measuring(t)) count_message(t, c, m);
    if (m->type == SCAN_HELLO && m->epoch.size == sizeof c->epoch) {
        memcpy(c->epoch, m->epoch.at, sizeof c->epoch);
        c->has_epoch = true;
    }
    if (c->role == ROLE_REFERENCE) reference(t, c, m, first);
    if (first) subscribed(t, c);
    return record(t, c, m);
}

static void subscribed(struct bench_thread *t, struct bench_conn *c)
{
    if (c->attached) latency_record(t->subscribes, clock_mono_ns() - c->begin_ns);
    if (c->resuming) t->counts[c->role].resumes++;
    if (c->was_open) return;
    c->was_open = true;
    atomic_fetch_add_explicit(&t->bench->open, 1, memory_order_relaxed);
}

static void take_tick(struct bench_thread *t, struct bench_conn *c, const struct scan_tick *tick,
                      uint64_t now_real_ns)
{
    if (c->role == ROLE_REFERENCE)
        verify_reference_tick(&t->bench->verify, tick);
    else if (t->bench->options.verify)
        verify_conn_tick(&c->verify, tick);
    if (!bench_measuring(t)) return;
    t->counts[c->role].ticks++;
    if (c->role != ROLE_READER || --t->sample_left > 0) return;
    t->sample_left = t->bench->options.sample;
    take_latency(t, tick, now_real_ns);
}

/* Trades, quotes and book levels carry the time at which they should have gone out. */
static void take_latency(struct bench_thread *t, const struct scan_tick *tick, uint64_t now_real_ns)
{
    uint64_t ts;
    bool timed = tick->type == SCAN_TRADE || tick->type == SCAN_QUOTE || tick->type == SCAN_BOOK;
    if (!timed) return;
    if (scan_u64(tick->ts, &ts) < 0)
        t->counts[ROLE_READER].untimed++;
    else
        bench_latency(t, ts, now_real_ns);
}

void bench_latency(struct bench_thread *t, uint64_t ts_ns, uint64_t now_real_ns)
{
    if (ts_ns + NEAR_NS < now_real_ns || ts_ns > now_real_ns + NEAR_NS) {
        t->counts[ROLE_READER].untimed++;
        return;
    }
    uint64_t late = ts_ns < now_real_ns ? now_real_ns - ts_ns : 0;
    latency_record(t->latency, late);
    series_latency(series_now(t->series, clock_mono_ns()), late);
}

static void count_message(struct bench_thread *t, const struct bench_conn *c, const struct scan_message *m)
{
    struct bench_counts *n = &t->counts[c->role];
    n->frames++;
    n->conflated += m->conflated;
    switch (m->type) {
    case SCAN_GAP:
        n->gaps++;
        n->gap_positions += m->to - m->from;
        if (text_equal(m->reason, TEXT("resume"))) n->resume_gaps++;
        break;
    case SCAN_LAG: n->lags++; break;
    case SCAN_SNAPSHOT: n->snapshots++; break;
    case SCAN_HEARTBEAT: n->heartbeats++; break;
    default: break;
    }
}

static void reference(struct bench_thread *t, struct bench_conn *c, const struct scan_message *m, bool first)
{
    struct verify *v = &t->bench->verify;
    if (first) verify_reference_start(v, m->seq);
    if (m->type == SCAN_GAP) verify_reference_gap(v, m->to);
    if (m->type == SCAN_TICKS || m->type == SCAN_COVERED) verify_reference_reach(v, m->to);
    if (m->type == SCAN_HEARTBEAT && c->at.subscribed) verify_reference_reach(v, m->seq);
}

/* Closes the verifier's record of this message, and checks what can be checked. */
static bool record(struct bench_thread *t, struct bench_conn *c, const struct scan_message *m)
{
    if (m->type == SCAN_ERROR) {
        char text[240], code[61], message[151];
        snprintf(text, sizeof text, "the server says %s: %s", shown_copy(code, sizeof code, m->code),
                 shown_copy(message, sizeof message, m->message));
        bench_conn_end(t, c, text);
        return false;
    }
    if (!t->bench->options.verify || c->role == ROLE_REFERENCE) return true;
    bool ok = true;
    if (m->type == SCAN_TICKS)
        ok = verify_conn_frame(&c->verify, m->from, m->to, m->conflated);
    else if (m->type == SCAN_COVERED)
        ok = verify_conn_covered(&c->verify, m->from, m->to, m->conflated);
    else if (m->type == SCAN_SNAPSHOT)
        ok = verify_conn_snapshot(&c->verify, m->seq);
    if (!ok) bench_broken(t, c, "no memory to verify it", m->to);
    return ok;
}

void bench_broken(struct bench_thread *t, struct bench_conn *c, const char *what, uint64_t seq)
{
    if (c->was_broken) return;
    c->was_broken = true;
    t->counts[c->role].broken++;
    if (t->first.text[0]) return;
    char mix[64] = "";
    if (t->bench->options.mix && c->role != ROLE_REFERENCE)
        snprintf(mix, sizeof mix, " (policy %s, frame %s, rate %u)", policy_names[c->policy],
                 framing_names[c->frame], c->rate);
    fault_set(&t->first, TC_EINPUT, "connection %u%s, made %u times, at seq %llu (position %llu): %s",
              c->index, mix, c->generation, (unsigned long long)seq, (unsigned long long)c->at.position,
              what);
}
