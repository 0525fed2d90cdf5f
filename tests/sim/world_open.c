#include "tests/sim/world.h"

#include "base/assert.h"

#include <stdlib.h>

#define SIM_EPOCH UINT64_C(0x5eed5eed5eed5eed)

static void draw_settings(struct world *w);
static void draw_faults(struct world *w);
static struct io *open_io(void *context, int wake_fd, struct fault *f);

uint32_t world_any(struct world *w, uint32_t bound)
{
    return (uint32_t)random_below(&w->random, bound);
}

uint64_t world_real_ns(const struct world *w)
{
    return (uint64_t)((int64_t)w->now_ns + w->wall_ns);
}

void world_open(struct world *w, uint64_t seed)
{
    w->seed = seed;
    random_seed(&w->random, seed);
    draw_settings(w);
    draw_faults(w);
    w->now_ns = NS_PER_SECOND;
    w->wall_ns = INT64_C(1700000000) * (int64_t)NS_PER_SECOND;
    struct log_options lo = {.capacity = 1024,
                             .symbols_max = TRUTH_SYMBOLS,
                             .bars_max = TRUTH_SYMBOLS * TRUTH_INTERVALS,
                             .epoch = SIM_EPOCH};
    w->log = log_create(&lo, NULL);
    w->truth = calloc(1, sizeof *w->truth);
    TC_ASSERT(w->log && w->truth);
    if (w->paced) log_set_paced(w->log);
    truth_init(w->truth, w->log, world_any(w, 3) ? 2 + world_any(w, 7) : TRUTH_SYMBOLS);
    w->server = (struct server){.settings = &w->settings,
                                .version = "sim",
                                .log = w->log,
                                .worker_count = w->node_count,
                                .started_real_ns = world_real_ns(w)};
    w->happened->two_workers += w->node_count == 2;
    for (uint32_t n = 0; n < w->node_count; n++) node_open(w, n);
    truth_append(w->truth, &w->random, 1 + world_any(w, 40), world_real_ns(w));
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct client *c = &w->clients[i];
        c->truth = w->truth;
        c->happened = w->happened;
        c->random = &w->random;
        c->number = i;
        c->rules_max = (uint32_t)w->settings.rules_max;
        c->alike = seed % 6 == 5; /* none of the regressions: they keep their meaning */
        c->alike_rate = seed % 12 == 5 ? 20 : 0;
        c->epoch = SIM_EPOCH;
        c->log_capacity = log_capacity(w->log);
        c->world = (struct client_world){.now_ns = &w->now_ns,
                                         .ending_since_ns = &w->ending_since_ns,
                                         .real_most_ns = &w->real_most_ns,
                                         .exit_ns = w->settings.close_timeout_ns,
                                         .paced = w->paced};
        c->verbose = w->verbose;
    }
}

static void draw_settings(struct world *w)
{
    struct settings *s = &w->settings;
    settings_default(s);
    s->connections_max = 64;
    s->log_capacity = 1024;
    s->filter_bytes = 16 << 20;
    s->symbols_max = TRUTH_SYMBOLS;
    s->cohort_members_max = 1 + world_any(w, 8);
    s->rules_max = world_any(w, 2) ? 6 : 1000;
    s->commands_per_second_max = world_any(w, 4) ? 100 : 3;
    s->rest_bytes = world_any(w, 3) ? 0 : FRAME_BYTES_MAX * (1 + world_any(w, 3));
    s->connections_per_ip_max = world_any(w, 4) ? 0 : 7;
    s->batch_us = world_any(w, 3) ? 0 : 2000;
    s->handshake_timeout_ns = NS_PER_SECOND;
    s->message_timeout_ns = world_any(w, 2) ? NS_PER_SECOND / 5 : NS_PER_SECOND;
    s->ping_interval_ns = world_any(w, 2) ? NS_PER_SECOND / 2 : 3600 * NS_PER_SECOND;
    s->pong_timeout_ns = NS_PER_SECOND / 2;
    s->close_timeout_ns = NS_PER_SECOND / 2;
    s->slow_after_ns = (100 + world_any(w, 900)) * NS_PER_MS;
    s->heartbeat_ns = NS_PER_SECOND / 2;
    s->deflate_bytes_least = world_any(w, 2) ? 16 : 256;
    s->deflate_members_least = world_any(w, 4) ? 1 : 3;
    s->drain_ns = world_any(w, 3) ? NS_PER_SECOND / 4 : 0;
    w->node_count = world_any(w, 4) ? 1 : 2;
    w->buffers = world_any(w, 4) ? 1024 : 4;
    w->window_max = 20000 + world_any(w, 45000);
    s->stall_bound_ns = NS_PER_SECOND / 5;
    w->paced = world_any(w, 2);
    w->end_chance = world_any(w, 5) ? 0 : 400;
    w->kill_chance = world_any(w, 6) ? 0 : 300;
}

/* Swarm: whole kinds of fault on or off, so that a rare pair is met without the others' noise. */
static void draw_faults(struct world *w)
{
    struct sim_faults *f = &w->faults;
    uint32_t *often[] = {&f->short_ppm,   &f->full_ppm,     &f->room_ppm,
                         &f->reorder_ppm, &f->early_ppm,    &f->no_buffer_ppm,
                         &f->queue_ppm,   &f->writable_ppm, &f->accept_error_ppm};
    for (uint32_t i = 0; i < sizeof often / sizeof often[0]; i++)
        *often[i] = world_any(w, 2) ? world_any(w, 300000) : 0;
    f->reset_ppm = world_any(w, 3) ? 0 : world_any(w, 2000);
    f->half_open_ppm = world_any(w, 4) ? 0 : 60000;
    f->delay_ns_max = world_any(w, 2) ? world_any(w, 30) * NS_PER_MS : 0;
}

void node_open(struct world *w, uint32_t n)
{
    struct node *node = &w->nodes[n];
    uint64_t seed = w->seed * 64 + n + 2 * w->incarnation++;
    struct io_options io = {
        .slots = 64, .buffers = w->buffers, .buffer_bytes = 4096, .sends_max = 128, .wake_fd = -1};
    struct sim_options so = {
        .faults = w->faults, .peers_max = 128, .window_max = w->window_max, .start_ns = w->now_ns};
    so.faults.seed = seed;
    if (w->calm) so.faults = (struct sim_faults){.seed = seed};
    node->sim = sim_open(&io, &so, NULL);
    TC_ASSERT(node->sim != NULL);
    int fd = -1;
    struct worker_options o = {.server = &w->server,
                               .index = n,
                               .cpu = -1,
                               .io_open = open_io,
                               .io_context = node->sim,
                               .listen_fds = &fd,
                               .listen_count = 1,
                               .seed = seed + 1};
    node->reader = log_reader_count(w->log);
    TC_ASSERT(worker_create(&node->worker, &o, NULL) == 0);
    w->server.workers[n] = node->worker;
    worker_clock(node->worker, w->now_ns);
    TC_ASSERT(worker_open_io(node->worker, NULL) == 0);
    node->asleep = false;
    node->left_step = 0;
    sim_advance_to(node->sim, w->now_ns);
    w->real_most_ns = max_u64(w->real_most_ns, world_real_ns(w));
    worker_turn(node->worker, w->now_ns, world_real_ns(w), 0);
}

static struct io *open_io(void *context, int wake_fd, struct fault *f)
{
    (void)wake_fd; /* the world looks at the sleeper itself */
    (void)f;
    return sim_io(context);
}

void node_close(struct world *w, uint32_t n)
{
    struct node *node = &w->nodes[n];
    const struct sim_seen *seen = sim_seen(node->sim);
    const struct io *io = sim_io(node->sim);
    const struct counters *k = worker_counters(node->worker);
    struct happened *h = w->happened;
    sim_check(node->sim);
    h->shorts += seen->shorts;
    h->fulls += seen->fulls;
    h->rooms += seen->rooms;
    h->resets += seen->resets;
    h->reorders += seen->reorders;
    h->earlies += seen->earlies;
    h->queues += seen->queues;
    h->accept_errors += seen->accept_errors;
    h->no_buffers += seen->no_buffers;
    h->half_opens += seen->half_opens;
    h->spurious += seen->spurious;
    h->stale += seen->stale;
    h->buffers_used_up += io->counters.receive_no_buffer - seen->no_buffers;
    h->lapped += counter_get(&k->lapped_total);
    h->rests_used_up += counter_get(&k->closed_rest_total);
    h->timeouts += counter_get(&k->closed_timeout_total);
    h->messages_late += counter_get(&k->limits[LIMIT_MESSAGE_TIME]);
    h->let_go += counter_get(&k->let_go_total);
    h->rejoined += counter_get(&k->rejoined_total);
    w->digest = (w->digest ^ sim_digest(node->sim)) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < CLIENTS; i++)
        if (w->clients[i].sim == node->sim) client_lost(&w->clients[i]);
    for (uint32_t i = 0; i < STRANGERS; i++)
        if (w->strangers[i].sim == node->sim) w->strangers[i].sim = NULL;
    worker_destroy(node->worker); /* closes its network */
    *node = (struct node){0};
}

void world_close(struct world *w)
{
    for (uint32_t n = 0; n < w->node_count; n++) node_close(w, n);
    w->happened->feed_resets += w->truth->reset;
    w->happened->feed_losses += w->truth->lost;
    for (uint32_t i = 0; i < CLIENTS; i++) client_free(&w->clients[i]);
    log_destroy(w->log);
    settings_free(&w->settings);
    free(w->truth);
}
