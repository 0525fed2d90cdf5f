/* The whole worker on the simulated network: goal: no fault may make a hole that was not told.
 *
 * Some thirty clients of every policy, framing and appetite subscribe, stall, trickle, are killed and come
 * back with resume, while the log is appended to and laps them. Each checks its chain at every message; at
 * the end the faults stop, everyone drains, and each must be at the head with every tick it wanted delivered,
 * told as lost, or counted as conflated.
 *
 * worker_sim [--seeds N] [--seed S]: the seed is the bug report. */
#include "base/assert.h"
#include "tests/sim/client.h"
#include "worker/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS 24u
#define SYMBOLS 5u

struct world {
    struct settings settings;
    struct server server;
    struct simnet *net;
    struct worker *worker;
    struct random random;
    struct faults faults;
    struct truth truth;
    struct client clients[CLIENTS];
    uint64_t now_ns;
};

static uint64_t current_seed;

static void on_abort(int signal)
{
    (void)signal;
    fprintf(stderr, "worker_sim: failed with seed %llu\nrerun: worker_sim --seed %llu\n",
            (unsigned long long)current_seed, (unsigned long long)current_seed);
}

static struct io *open_io(void *context, int wake_fd, struct fault *f)
{
    (void)wake_fd;
    (void)f;
    return simnet_io(context);
}

static uint32_t any(struct world *w, uint32_t bound)
{
    return (uint32_t)random_below(&w->random, bound);
}

static void remember(struct world *w, const struct tick *t)
{
    w->truth.head = t->seq;
    w->truth.kind[t->seq] = t->kind;
    w->truth.state[t->seq] = tick_is_state(t->kind, t->flags);
    w->truth.symbol[t->seq] = t->symbol;
}

static void append(struct world *w, uint32_t count)
{
    struct tick batch[LOG_BATCH_MAX];
    for (uint32_t i = 0; i < count; i++) {
        struct tick *t = &batch[i];
        *t = (struct tick){
            .event_ns = (int64_t)w->now_ns, .ingest_ns = (int64_t)w->now_ns, .symbol = any(w, SYMBOLS)};
        uint32_t r = any(w, 100);
        t->kind = r < 40   ? TICK_TRADE
                  : r < 80 ? TICK_QUOTE
                  : r < 92 ? TICK_BOOK
                  : r < 99 ? TICK_BAR
                           : TICK_FEED;
        if (t->kind == TICK_TRADE) t->trade.price = any(w, 100);
        if (t->kind == TICK_QUOTE) t->quote = (struct tick_quote){any(w, 100), 1, any(w, 100), 1};
        if (t->kind == TICK_BOOK) t->book.price = any(w, 4);
        if (t->kind == TICK_BAR) {
            t->bar = (struct tick_bar){1, 2, 1, 2, 3};
            t->flags = (uint8_t)any(w, 2);
        }
        if (t->kind == TICK_FEED) {
            t->symbol = 0;
            t->feed.state = FEED_STALLED;
            memcpy(t->feed.name, "sim", 3);
        }
    }
    log_append(w->server.log, batch, count);
    for (uint32_t i = 0; i < count; i++) remember(w, &batch[i]);
}

static void client_make(struct world *w, struct client *c)
{
    static const char *const kinds[] = {"", "&kinds=trade", "&kinds=quote,book"};
    static const uint32_t kind_bits[] = {KINDS_CLIENT, KIND_BIT(TICK_TRADE),
                                         KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_BOOK)};
    c->net = w->net;
    c->truth = &w->truth;
    uint32_t k = any(w, 3);
    c->kinds = kind_bits[k];
    c->policy = (enum policy)any(w, 3);
    c->framing = (enum framing)any(w, 2);
    c->prefix = any(w, 3) ? 0 : (char)('A' + any(w, SYMBOLS));
    char symbols[8] = "*", rate[16] = "";
    if (c->prefix) snprintf(symbols, sizeof symbols, "%cX", c->prefix);
    if (any(w, 5) == 0) snprintf(rate, sizeof rate, "&rate=%u", 1 + any(w, 50));
    snprintf(c->query, sizeof c->query, "symbols=%s%s&policy=%s&frame=%s&snapshot=%u&heartbeat=0.5%s",
             symbols, kinds[k], policy_names[c->policy], framing_names[c->framing], any(w, 2), rate);
    client_connect(c, 2000 + any(w, 60000));
}

static void turn(struct world *w)
{
    w->now_ns += 1 + any(w, 5 * 1000 * 1000);
    worker_turn(w->worker, w->now_ns, w->now_ns, 0);
    worker_check(w->worker);
}

static void world_open(struct world *w, uint64_t seed)
{
    random_seed(&w->random, seed);
    settings_default(&w->settings);
    w->settings.connections_max = 256;
    w->settings.log_capacity = 1024;
    w->settings.filter_bytes = 16 << 20;
    w->settings.symbols_max = 64;
    w->settings.cohort_members_max = 1 + any(w, 8);
    w->settings.ping_interval_ns = 3600 * NS_PER_SECOND; /* clients here do not answer pings */
    uint32_t *f[] = {&w->faults.short_ppm, &w->faults.full_ppm, &w->faults.delay_ppm,
                     &w->faults.no_buffer_ppm, &w->faults.accept_error_ppm};
    for (uint32_t i = 0; i < 5; i++)
        *f[i] = any(w, 2) ? any(w, 300000) : 0; /* swarm: whole kinds of fault on or off */
    w->faults.reset_ppm = any(w, 3) == 0 ? any(w, 2000) : 0;
    struct log_options lo = {.capacity = 1024, .symbols_max = 64, .bars_max = 64};
    w->server = (struct server){.settings = &w->settings, .version = "sim", .log = log_create(&lo, NULL)};
    struct io_options io = {
        .slots = 256, .buffers = 1024, .buffer_bytes = 4096, .sends_max = 128, .wake_fd = -1};
    w->net = simnet_open(seed, &w->faults, &io);
    int fd = -1;
    struct worker_options o = {.server = &w->server,
                               .cpu = -1,
                               .io_open = open_io,
                               .io_context = w->net,
                               .listen_fds = &fd,
                               .listen_count = 1,
                               .seed = seed};
    TC_ASSERT(worker_create(&w->worker, &o, NULL) == 0);
    w->server.workers[w->server.worker_count++] = w->worker;
    w->now_ns = NS_PER_SECOND;
    worker_clock(w->worker, w->now_ns);
    TC_ASSERT(worker_open_io(w->worker, NULL) == 0);
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        char name[3] = {(char)('A' + i), 'X', 0};
        log_symbol(w->server.log, text_of(name), 1);
        remember(w, &(struct tick){.seq = i + 1, .kind = TICK_SYMBOL, .symbol = i});
    }
}

static void step(struct world *w)
{
    if (w->truth.head + 300 < TRUTH_MAX && any(w, 3)) append(w, 1 + any(w, any(w, 20) ? 8 : LOG_BATCH_MAX));
    if (any(w, 400) == 0 && w->truth.head + 3000 < TRUTH_MAX) /* a worker that was not run: lapped itself */
        for (int i = 0; i < 6; i++) append(w, LOG_BATCH_MAX);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct client *c = &w->clients[i];
        if (!c->peer) {
            if (any(w, 20) == 0) client_make(w, c);
            continue;
        }
        uint32_t appetite = (i * 7 + (uint32_t)(w->now_ns >> 30)) % 5; /* who is slow changes with time */
        if (appetite > 0 || any(w, 50) == 0) client_read(c, appetite == 1 ? any(w, 200) : 1 << 16);
        if (c->closed || peer_closed(c->peer) || any(w, 700) == 0) { /* killed: what is on the way is lost */
            peer_free(c->peer);
            c->kills++;
            client_connect(c, 2000 + any(w, 60000));
        }
        if (any(w, 400) == 0) client_command(c, "{\"op\":\"ping\",\"id\":1}");
        if (any(w, 900) == 0) client_command(c, "{\"op\":\"subscribe\",\"symbols\":[\"NOBODY\"]}");
    }
    turn(w);
}

/* Faults off: everyone must be at the head in bounded time. */
static void settle(struct world *w)
{
    simnet_heal(w->net);
    for (int i = 0; i < 4000; i++) {
        bool all = true;
        for (uint32_t k = 0; k < CLIENTS; k++) {
            struct client *c = &w->clients[k];
            if (!c->peer) continue;
            client_read(c, 1 << 17);
            if (c->closed || peer_closed(c->peer)) client_connect(c, 60000);
            all = all && c->positioned && max_u64(c->position, c->heartbeat) >= w->truth.head;
        }
        if (all) return;
        turn(w);
    }
    for (uint32_t k = 0; k < CLIENTS; k++)
        fprintf(stderr, "client %u (%s): position %llu of %llu\n", k, w->clients[k].query,
                (unsigned long long)w->clients[k].position, (unsigned long long)w->truth.head);
    TC_ASSERT(!"everyone is at the head");
}

static void run(uint64_t seed, bool talk)
{
    current_seed = seed;
    struct world *w = calloc(1, sizeof *w);
    TC_ASSERT(w != NULL);
    world_open(w, seed);
    for (int i = 0; i < 700; i++) step(w);
    settle(w);
    uint32_t gaps = 0, kills = 0;
    uint64_t conflated = 0;
    for (uint32_t i = 0; i < CLIENTS; i++) {
        if (w->clients[i].peer) client_check(&w->clients[i]);
        gaps += w->clients[i].gaps;
        kills += w->clients[i].kills;
        conflated += w->clients[i].conflated;
    }
    if (talk)
        printf("seed %llu: %llu ticks, %u gaps, %u kills, %llu conflated\n", (unsigned long long)seed,
               (unsigned long long)w->truth.head, gaps, kills, (unsigned long long)conflated);
    worker_destroy(w->worker);
    log_destroy(w->server.log);
    settings_free(&w->settings);
    free(w);
}

int main(int argc, char **argv)
{
    signal(SIGABRT, on_abort);
    uint64_t count = 50, first = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seeds") == 0) count = strtoull(argv[i + 1], NULL, 0);
        if (strcmp(argv[i], "--seed") == 0) {
            first = strtoull(argv[i + 1], NULL, 0);
            count = 1;
        }
    }
    for (uint64_t seed = first; seed < first + count; seed++) run(seed, count < 10 || seed % 50 == 0);
    printf("worker_sim: %llu seeds passed\n", (unsigned long long)count);
    return 0;
}
