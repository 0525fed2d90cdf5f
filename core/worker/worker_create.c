/* worker/worker_create.c -- a worker's memory: all of it reserved at start, touched on use; how much:
 * worker_memory.c. Thread: main (worker_open_io: the worker's). */
#include "worker/worker_internal.h"

#include "base/aligned.h"
#include "base/assert.h"
#include "base/memory.h"

#include <stdlib.h>

static int reserve(struct worker *w, struct fault *fault);
static int reserve_packing(struct worker *w);
static void release_packing(struct worker *w);

int worker_create(struct worker **out, const struct worker_options *o, struct fault *fault)
{
    struct worker *w = aligned_zeroed(sizeof *w);
    if (!w) return fault_set(fault, TC_ESYSTEM, "no memory for a worker");
    w->options = *o;
    w->server = o->server;
    w->settings = o->server->settings;
    w->log = o->server->log;
    w->reader = log_reader_add(w->log);
    w->conns_max = (uint32_t)w->settings->connections_max;
    uint64_t seed = o->seed;
    while (seed == 0) random_secret(&seed, sizeof seed);
    random_seed(&w->random, seed);
    if (!w->reader || reserve(w, fault) < 0) {
        worker_destroy(w);
        return fault_set(fault, TC_ESYSTEM,
                         "no address space for worker %u; make --max-connections or --filter-memory smaller",
                         o->index);
    }
    *out = w;
    return 0;
}

static int reserve(struct worker *w, struct fault *fault)
{
    (void)fault;
    const struct settings *s = w->settings;
    w->admitted = true;
    if (admission_open(&w->server->admission, s) < 0) return TC_ESYSTEM;
    w->arena_bytes = memory_arena_bytes(s);
    w->conns = memory_reserve(w->conns_max * sizeof *w->conns);
    w->free_slots = memory_reserve(w->conns_max * sizeof *w->free_slots);
    w->behind = memory_reserve(w->conns_max * sizeof *w->behind);
    w->ready = memory_reserve(w->conns_max * sizeof *w->ready);
    w->arena = memory_reserve(w->arena_bytes);
    w->command_arena = memory_reserve(COMMAND_ARENA_BYTES);
    w->symbol_seqs = memory_reserve(s->symbols_max * sizeof *w->symbol_seqs);
    w->last = last_value_create((uint32_t)s->symbols_max, (uint32_t)s->symbols_max * 4);
    admin_door_init(&w->admin, memory_reserve(ADMIN_HANDED * sizeof *w->admin.handed_at));
    if (!w->admin.handed_at) return TC_ESYSTEM;
    if (!w->conns || !w->free_slots || !w->behind || !w->ready || !w->arena || !w->command_arena ||
        !w->symbol_seqs || !w->last)
        return TC_ESYSTEM;
    if (trail_init(&w->trail, (uint32_t)s->symbols_max) < 0) return TC_ESYSTEM;
    if (s->deflate && reserve_packing(w) < 0) return TC_ESYSTEM;
    if (pool_init(&w->rests, memory_rest_blocks(s), FRAME_BYTES_MAX) < 0) return TC_ESYSTEM;
    if (pool_init(&w->http_blocks, memory_http_blocks(s), HTTP_BLOCK_BYTES) < 0) return TC_ESYSTEM;
    if (pool_init(&w->inputs, (uint32_t)s->connections_max + memory_inputs_more(s),
                  sizeof(struct input_block)) < 0)
        return TC_ESYSTEM;
    if (pool_init(&w->assemblies, memory_assembly_blocks(s), memory_assembly_bytes(s)) < 0) return TC_ESYSTEM;
    w->assembly_oldest = w->assembly_newest = POOL_NONE;
    if (pool_init(&w->bodies, BODIES, METRICS_BYTES_MAX) < 0) return TC_ESYSTEM;
    struct groups_options o = {.log = w->log,
                               .heap_bytes = memory_filter_bytes(s),
                               .symbols_max = (uint32_t)s->symbols_max,
                               .members_max = (uint32_t)s->cohort_members_max,
                               .interval_ns_least = s->batch_us * NS_PER_US};
    return groups_init(&w->groups, &o);
}

static int reserve_packing(struct worker *w)
{
    w->packing = memory_reserve(sizeof *w->packing);
    if (!w->packing) return TC_ESYSTEM;
    w->packing->message = memory_reserve(w->settings->message_bytes_max + 1);
    w->packing->deflater = deflater_create((int)w->settings->deflate_level);
    return w->packing->message && w->packing->deflater ? 0 : TC_ESYSTEM;
}

static void release_packing(struct worker *w)
{
    if (!w->packing) return;
    deflater_destroy(w->packing->deflater);
    memory_release(w->packing->message, w->settings->message_bytes_max + 1);
    memory_release(w->packing, sizeof *w->packing);
}

int worker_open_io(struct worker *w, struct fault *fault)
{
    command_thread_init(w->command_arena, COMMAND_ARENA_BYTES);
    w->io = w->options.io_open(w->options.io_context, w->reader->sleeper.event_fd, fault);
    if (!w->io) return fault ? fault->code : TC_ESYSTEM;
    for (uint32_t i = 0; i < w->options.listen_count; i++) {
        int result = w->io->ops->listen(w->io, w->options.listen_fds[i], i, fault);
        if (result < 0) return result;
    }
    return 0;
}

void worker_clock(struct worker *w, uint64_t now_ns)
{
    w->start_ns = now_ns;
    timer_wheel_init(&w->timers, now_ns);
    timer_wheel_init(&w->groups.timers, now_ns);
}

void worker_destroy(struct worker *w)
{
    if (!w) return;
    worker_stop(w);
    if (w->io) w->io->ops->close(w->io);
    memory_release(w->conns, w->conns_max * sizeof *w->conns);
    memory_release(w->free_slots, w->conns_max * sizeof *w->free_slots);
    memory_release(w->behind, w->conns_max * sizeof *w->behind);
    memory_release(w->ready, w->conns_max * sizeof *w->ready);
    memory_release(w->arena, w->arena_bytes);
    memory_release(w->command_arena, COMMAND_ARENA_BYTES);
    memory_release(w->symbol_seqs, w->settings->symbols_max * sizeof *w->symbol_seqs);
    trail_destroy(&w->trail);
    release_packing(w);
    if (w->last) last_value_destroy(w->last);
    memory_release(w->admin.handed_at, ADMIN_HANDED * sizeof *w->admin.handed_at);
    pool_destroy(&w->rests);
    pool_destroy(&w->http_blocks);
    pool_destroy(&w->assemblies);
    pool_destroy(&w->inputs);
    pool_destroy(&w->bodies);
    groups_destroy(&w->groups);
    if (w->admitted) admission_close(&w->server->admission);
    free(w);
}

static void check_subscribers(const struct worker *w)
{
    uint32_t subscribers = 0;
    for (const struct group *g = w->groups.all; g; g = g->next) {
        TC_ASSERT(g->subscriber_count <= g->reference_count);
        for (const struct cohort *c = g->cohorts; c; c = c->next)
            TC_ASSERT(c->member_count <= g->subscriber_count);
        subscribers += g->subscriber_count;
    }
    TC_ASSERT(subscribers == w->subscriber_count);
}

void worker_check(const struct worker *w)
{
    groups_check(&w->groups);
    check_subscribers(w);
    incoming_check(w);
    uint32_t open = 0, behind = 0, subscribed = 0, handshaking = 0, ready = 0, holding = 0;
    for (uint32_t slot = 0; slot < w->conn_touched; slot++) {
        const struct conn *c = &w->conns[slot];
        ready += (c->flags & CF_READY) != 0; /* a slot that is free again may stand in line still */
        if (c->state == CONN_FREE) continue;
        open++;
        handshaking += !(c->flags & CF_UPGRADED);
        holding += c->held_first != POOL_NONE;
        subscribed += c->group != NULL;
        behind += c->group != NULL && c->cohort == NULL;
        if (c->group != NULL && c->cohort == NULL) TC_ASSERT(w->behind[c->behind_index] == slot);
        TC_ASSERT(c->unit == NO_UNIT);
        TC_ASSERT(timer_is_set(&c->timer));
        if (!c->cohort) continue;
        TC_ASSERT(c->cohort->group == c->group);
        TC_ASSERT(c->cohort->slots[c->member_index] == slot);
        TC_ASSERT(c->rest_block == POOL_NONE); /* in step: nothing is half sent */
        TC_ASSERT(!(c->flags & CF_FULL));
        TC_ASSERT(c->snapshot == NULL);
    }
    TC_ASSERT(open == w->conn_count);
    TC_ASSERT(ready == w->ready_count); /* nobody stands in line twice */
    TC_ASSERT(behind == w->behind_count);
    TC_ASSERT(subscribed == w->subscriber_count);
    TC_ASSERT(handshaking == w->conn_handshaking);
    TC_ASSERT(holding + w->inputs_more == w->inputs.in_use);
}
