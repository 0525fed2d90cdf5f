#include "tests/sim/world.h"

#include "base/aligned.h"
#include "base/assert.h"
#include "worker/worker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAP_TICKS    1600u /* more than the log holds */
#define SETTLE_STEPS 8000u
#define END_BOUND_NS (20 * NS_PER_SECOND)

static void step(struct world *w);
static void pass_time(struct world *w, uint32_t most_ms);
static void lap(struct world *w);
static void feed(struct world *w);
static void stampede(struct world *w);
static void step_client(struct world *w, struct client *c);
static void begin_end(struct world *w);
static void watch_end(struct world *w);
static void reopen(struct world *w);
static void turn_all(struct world *w);
static void turn(struct world *w, uint32_t n);
static void settle(struct world *w);
static void settle_client(struct world *w, struct client *c);
static void leave(struct world *w);

static uint32_t step_now;

uint32_t world_step_now(void)
{
    return step_now;
}

uint64_t world_run(uint64_t seed, struct happened *happened, bool verbose)
{
    struct world *w = aligned_zeroed(sizeof *w);
    TC_ASSERT(w != NULL);
    w->happened = happened;
    w->verbose = verbose;
    world_open(w, seed);
    for (w->step = 1; w->step <= WORLD_STEPS || w->ending != END_NOT; w->step++) step(w);
    settle(w);
    leave(w);
    world_close(w);
    uint64_t digest = w->digest;
    free(w);
    return digest;
}

static void step(struct world *w)
{
    step_now = w->step;
    pass_time(w, w->ending == END_NOT ? 5 : 50);
    feed(w);
    if (world_any(w, 120) == 0) stampede(w);
    for (uint32_t i = 0; i < CLIENTS; i++) step_client(w, &w->clients[i]);
    for (uint32_t i = 0; i < STRANGERS; i++) stranger_step(w, &w->strangers[i]);
    if (w->kill_chance && world_any(w, w->kill_chance) == 0) {
        if (w->verbose) fprintf(stderr, "step %u: the process is killed\n", w->step);
        reopen(w);
        w->happened->restarts++;
    }
    if (w->ending == END_NOT && w->end_chance && w->step < WORLD_STEPS && world_any(w, w->end_chance) == 0)
        begin_end(w);
    turn_all(w);
    if (w->ending != END_NOT) watch_end(w);
}

/* ---- time: it passes, the wall clock jumps, a worker may not be run for long ---- */

static void pass_time(struct world *w, uint32_t most_ms)
{
    w->now_ns += 1 + random_below(&w->random, most_ms * NS_PER_MS);
    if (world_any(w, 250) == 0) {
        w->wall_ns += ((int64_t)world_any(w, 7200) - 6000) * (int64_t)NS_PER_SECOND;
        w->happened->wall_jumps++;
    }
    if (world_any(w, 250)) return;
    w->now_ns += (200 + world_any(w, 3000)) * NS_PER_MS; /* nobody was run */
    w->happened->pauses++;
    if (world_any(w, 2)) lap(w);
}

/* More than the log holds, unless the feeds have ended. */
static void lap(struct world *w)
{
    if (w->ending != END_EXIT) truth_append(w->truth, &w->random, LAP_TICKS, world_real_ns(w));
}

static void feed(struct world *w)
{
    if (w->ending == END_EXIT) return;
    if (world_any(w, 3))
        truth_append(w->truth, &w->random, 1 + world_any(w, world_any(w, 20) ? 8 : LOG_BATCH_MAX),
                     world_real_ns(w));
    if (world_any(w, 400) == 0) lap(w);
    if (world_any(w, 2)) {
        log_set_drained(w->log, world_real_ns(w));
        w->truth->drained_ns = max_u64(w->truth->drained_ns, world_real_ns(w));
    }
    if (w->paced && world_any(w, 8) == 0) { /* pace=complete is held: who is it that takes nothing? */
        atomic_store(&w->server.stalled_seq, w->truth->head);
        atomic_fetch_add(&w->server.stalled_looks, 1);
    }
}

/* Many sockets fill up together and stay so for a while: the clients' host paused. */
static void stampede(struct world *w)
{
    uint32_t turns = 5 + world_any(w, 60);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct client *c = &w->clients[i];
        if (!c->sim || world_any(w, 4) == 0) continue;
        c->shut_turns = turns;
        sim_peer_window(c->sim, c->peer, 0);
    }
}

/* ---- the clients ---- */

static void connect_client(struct world *w, struct client *c)
{
    uint32_t n = world_any(w, w->node_count);
    client_connect(c, w->nodes[n].sim, n, w->window_max);
}

static void step_client(struct world *w, struct client *c)
{
    if (!c->sim) {
        if (world_any(w, 20) == 0) connect_client(w, c);
        return;
    }
    if (c->shut_turns > 0) {
        if (--c->shut_turns == 0) sim_peer_window(c->sim, c->peer, c->window);
    } else {
        uint32_t appetite = (c->number * 7 + (uint32_t)(w->now_ns >> 30)) % 5; /* who is slow changes */
        if (appetite > 1 || (appetite == 0 && world_any(w, 50) == 0)) client_read(c, 1 << 16);
        if (appetite == 1) client_read(c, world_any(w, 200));
    }
    if (c->ended || world_any(w, 500) == 0 ||
        (c->snapshot.due && c->snapshot.begun && world_any(w, 20) == 0) ||
        (c->close_sent && world_any(w, 20) == 0)) {
        client_go(c, world_any(w, 2));
        return;
    }
    uint32_t r = world_any(w, 6000);
    if (r < 150) client_ask(c);
    if (r >= 150 && r < 170) client_ping(c);
    if (r >= 170 && r < 175) client_close(c);
    if (r == 175) client_garbage(c);
    if (r == 176) /* a flood */
        for (uint32_t i = 0; i < ASKED_MAX; i++) client_ask(c);
}

/* ---- the workers ---- */

static void turn_all(struct world *w)
{
    uint32_t first = world_any(w, w->node_count);
    for (uint32_t i = 0; i < w->node_count; i++) turn(w, (first + i) % w->node_count);
}

/* As the worker's own thread does it: while there is work, a turn; else it sleeps in its network until that,
 * a timer or the log's writer wakes it. A sleep that nothing ends is found by settle. */
static void turn(struct world *w, uint32_t n)
{
    struct node *node = &w->nodes[n];
    struct sleeper *sleeper = &log_reader_at(w->log, node->reader)->sleeper;
    if (node->asleep) {
        bool woken = atomic_load(&sleeper->asleep) == 0;
        if (!woken && sim_next_ns(node->sim) > w->now_ns) return;
        w->happened->sleeps++;
        sleeper_cancel(sleeper);
        node->asleep = false;
    }
    sim_advance_to(node->sim, w->now_ns);
    w->real_most_ns = max_u64(w->real_most_ns, world_real_ns(w));
    uint32_t work = worker_turn(node->worker, w->now_ns, world_real_ns(w), 0);
    worker_check(node->worker);
    uint64_t left = counter_get(&worker_counters(node->worker)->left_step_total);
    if (left - node->left_step >= 4) w->happened->stampedes++;
    node->left_step = left;
    if (work > 0) return;
    sleeper_prepare(sleeper);
    uint64_t wait_ns = worker_wait_ns(node->worker, w->now_ns);
    worker_turn(node->worker, w->now_ns, world_real_ns(w), wait_ns);
    node->asleep = sim_sleep_until_ns(node->sim) > 0;
    if (!node->asleep) sleeper_cancel(sleeper);
}

/* ---- the end of a process, and its successor on the same log ---- */

static void begin_end(struct world *w)
{
    w->ending = world_any(w, 3) ? END_DRAIN : END_EXIT;
    w->ending_since_ns = w->now_ns;
    if (w->verbose) fprintf(stderr, "step %u: %s\n", w->step, w->ending == END_DRAIN ? "drain" : "exit");
    if (w->ending == END_DRAIN)
        atomic_store(&w->server.draining, true);
    else
        atomic_store(&w->server.ended, true);
    for (uint32_t n = 0; n < w->node_count; n++) worker_wake(w->nodes[n].worker);
}

static void watch_end(struct world *w)
{
    TC_ASSERT(w->now_ns - w->ending_since_ns < END_BOUND_NS); /* whatever its peers do */
    for (uint32_t n = 0; n < w->node_count; n++)
        if (!worker_drained(w->nodes[n].worker)) return;
    w->happened->drains++;
    w->ending = END_NOT;
    w->ending_since_ns = 0;
    w->end_chance = 0;
    atomic_store(&w->server.draining, false);
    atomic_store(&w->server.ended, false);
    for (uint32_t n = 0; n < w->node_count; n++)
        TC_ASSERT(counter_get(&worker_counters(w->nodes[n].worker)->connections) == 0);
    reopen(w);
}

/* The log, its epoch and its numbers live on; clients resume. */
static void reopen(struct world *w)
{
    for (uint32_t n = 0; n < w->node_count; n++) node_close(w, n);
    memset(&w->server.admission, 0, sizeof w->server.admission); /* closed with the last worker */
    for (uint32_t n = 0; n < w->node_count; n++) node_open(w, n);
}

/* ---- faults off: everyone must be at the head, in bounded virtual time ---- */

static void settle(struct world *w)
{
    w->calm = true;
    for (uint32_t n = 0; n < w->node_count; n++) sim_heal(w->nodes[n].sim);
    for (uint32_t i = 0; i < STRANGERS; i++)
        if (w->strangers[i].sim) stranger_go(w, &w->strangers[i]);
    for (uint32_t i = 0; i < SETTLE_STEPS; i++) {
        bool all = true;
        step_now = w->step + i;
        w->now_ns += 1 + random_below(&w->random, 10 * NS_PER_MS);
        for (uint32_t k = 0; k < CLIENTS; k++) {
            settle_client(w, &w->clients[k]);
            all = all && client_is_done(&w->clients[k]);
        }
        if (all) return;
        turn_all(w);
    }
    for (uint32_t k = 0; k < CLIENTS; k++) {
        struct client *c = &w->clients[k];
        if (client_is_done(c)) continue;
        fprintf(stderr,
                "client %u: connected %d subscribed %d policy %u frame %u rate %llu, position %llu heartbeat "
                "%llu of "
                "%llu, asked %u, snapshot due %d, untold %u\n",
                k, c->sim != NULL, c->subscribed, c->set.policy, c->set.framing,
                (unsigned long long)c->set.rate, (unsigned long long)c->position,
                (unsigned long long)c->heartbeat, (unsigned long long)w->truth->head, c->asked_count,
                c->snapshot.due, c->untold_count);
    }
    TC_ASSERT(!"everyone is at the head");
}

static void settle_client(struct world *w, struct client *c)
{
    c->mute = false;
    if (!c->sim) {
        connect_client(w, c);
        return;
    }
    if (c->shut_turns > 0) sim_peer_window(c->sim, c->peer, c->window);
    c->shut_turns = 0;
    client_read(c, sizeof c->in);
    bool refused = c->upgraded && c->messages > 0 && !c->subscribed && c->asked_count == 0;
    if (c->ended || c->close_sent || refused) client_go(c, false);
}

/* Lists of groups by symbol keep their room; all else in the heap belongs to somebody. */
static uint64_t lists_bytes(const struct worker *worker)
{
    const struct groups *gs = &worker->groups;
    uint64_t bytes = gs->every.room * sizeof(void *);
    for (uint32_t id = 0; id < gs->symbol_count; id++) bytes += gs->by_symbol[id].room * sizeof(void *);
    return bytes;
}

/* All go. Nothing may be left of them: no connection, no rest, no rule, no filter, no buffer. */
static void leave(struct world *w)
{
    for (uint32_t i = 0; i < CLIENTS; i++) client_go(&w->clients[i], world_any(w, 2));
    uint64_t left = 1;
    for (uint32_t i = 0; i < SETTLE_STEPS && left > 0; i++) {
        w->now_ns += 10 * NS_PER_MS;
        turn_all(w);
        left = 0;
        for (uint32_t n = 0; n < w->node_count; n++)
            left += counter_get(&worker_counters(w->nodes[n].worker)->connections);
    }
    TC_ASSERT(left == 0);
    TC_ASSERT(w->server.admission.connections == 0 && w->server.admission.unupgraded == 0);
    for (uint32_t n = 0; n < w->node_count; n++) {
        const struct counters *k = worker_counters(w->nodes[n].worker);
        TC_ASSERT(counter_get(&k->subscribers) == 0 && counter_get(&k->behind) == 0);
        TC_ASSERT(counter_get(&k->groups) == 0 && counter_get(&k->cohorts) == 0);
        TC_ASSERT(counter_get(&k->rest_bytes) == 0 && counter_get(&k->input_bytes) == 0);
        TC_ASSERT(counter_get(&k->filter_bytes) == lists_bytes(w->nodes[n].worker));
        TC_ASSERT(sim_buffers_lent(w->nodes[n].sim) == 0);
    }
}
