/* cmd/bench_trouble.c -- what happens to connections by the clock. Each thread does its share, with its own
 * random numbers: how often is exact, whom it meets is drawn. */
#include "cmd/bench_internal.h"

#define RATION_NS   (20 * NS_PER_MS) /* slow readers get their bytes in such steps */
#define AWAY_MAX_NS (200 * NS_PER_MS)
#define BURST_MAX   1000u /* of one kind at once, after a thread did not run for a while */

static void ration(struct bench_thread *t, uint64_t now_ns);
static void come_back(struct bench_thread *t, uint64_t now_ns);
static uint64_t step_of(const struct bench_thread *t, uint64_t per_second);
static uint32_t due(const struct bench_thread *t, uint64_t per_second, uint64_t *next_ns, uint64_t now_ns);
static struct bench_conn *victim(struct bench_thread *t);

bool bench_comes_back(const struct bench_options *o)
{
    return o->kill > 0 || o->churn > 0;
}

void bench_trouble(struct bench_thread *t, uint64_t now_ns)
{
    const struct bench_options *o = &t->bench->options;
    if (now_ns >= t->next_ration_ns) ration(t, now_ns);
    if (now_ns >= t->next_again_ns) come_back(t, now_ns);
    if (!bench_measuring(t) || t->readers == 0) return;
    for (uint32_t n = due(t, o->kill, &t->next_kill_ns, now_ns); n > 0; n--) {
        struct bench_conn *c = victim(t);
        if (!c) continue;
        t->counts[c->role].kills++;
        bench_conn_again(t, c, true, random_below(&t->random, 2) == 0,
                         now_ns + random_below(&t->random, AWAY_MAX_NS));
    }
    uint64_t churn_ns = t->next_churn_ns; /* a fresh connection is timed from when it was due */
    for (uint32_t n = due(t, o->churn, &t->next_churn_ns, now_ns); n > 0; n--) {
        uint64_t due_ns = churn_ns;
        churn_ns += step_of(t, o->churn);
        struct bench_conn *c = victim(t);
        if (!c) continue;
        t->counts[c->role].churns++;
        bench_conn_again(t, c, false, false, due_ns);
    }
    for (uint32_t n = due(t, o->stall, &t->next_stall_ns, now_ns); n > 0; n--) {
        struct bench_conn *c = victim(t);
        if (!c) continue;
        t->counts[c->role].stalls++;
        c->stalled_until_ns = now_ns + random_below(&t->random, o->stall_max_ns);
        bench_conn_watch(t, c, false);
    }
}

/* Those that the io does not know: connecting goes on, slow ones get their share, stuck ones none. */
static void ration(struct bench_thread *t, uint64_t now_ns)
{
    const struct bench_options *o = &t->bench->options;
    if (t->next_ration_ns < now_ns - min_u64(now_ns, NS_PER_SECOND)) t->next_ration_ns = now_ns;
    t->next_ration_ns += RATION_NS;
    uint64_t share = max_u64(1, o->slow_rate * RATION_NS / NS_PER_SECOND);
    for (uint32_t i = 0; i < t->begun; i++) {
        struct bench_conn *c = &t->conns[i];
        if (c->attached || c->state >= CONN_AWAY) continue;
        bool ready = c->state == CONN_OPEN && (c->at.subscribed || o->idle || o->any);
        if (ready && c->role == ROLE_STUCK) continue;
        if (ready && verify_conn_waiting(&c->verify) >= VERIFY_QUEUE_WORDS) continue;
        bench_conn_by_clock(t, c, share);
    }
}

static void come_back(struct bench_thread *t, uint64_t now_ns)
{
    t->next_again_ns = UINT64_MAX;
    for (uint32_t i = 0; i < t->begun; i++) {
        struct bench_conn *c = &t->conns[i];
        if (c->state != CONN_AWAY) continue;
        if (now_ns >= c->again_ns)
            bench_conn_begin(t, c, c->again_ns);
        else
            t->next_again_ns = min_u64(t->next_again_ns, c->again_ns);
    }
}

static uint64_t step_of(const struct bench_thread *t, uint64_t per_second)
{
    return max_u64(1, NS_PER_SECOND * t->bench->options.threads / per_second);
}

/* How many are due by now, of this thread's share. */
static uint32_t due(const struct bench_thread *t, uint64_t per_second, uint64_t *next_ns, uint64_t now_ns)
{
    if (per_second == 0) return 0;
    uint64_t step_ns = step_of(t, per_second);
    uint32_t n = 0;
    for (; *next_ns <= now_ns && n < BURST_MAX; n++) *next_ns += step_ns;
    if (n == BURST_MAX) *next_ns = now_ns + step_ns;
    return n;
}

/* A reader that is subscribed; NULL: a few draws met none. */
static struct bench_conn *victim(struct bench_thread *t)
{
    const struct bench_options *o = &t->bench->options;
    for (int i = 0; i < 8; i++) {
        struct bench_conn *c = &t->conns[random_below(&t->random, t->begun)];
        bool ready = c->at.subscribed || o->idle || o->any;
        if (c->role == ROLE_READER && c->state == CONN_OPEN && ready) return c;
    }
    return NULL;
}
