/* worker/worker_admin.c -- the worker's side of administration: rows about its connections, one of them
 * closed, one of them handed over. Thread: the worker's, but for worker_ask and worker_handed. */
#include "worker/worker_admin.h"

#include "worker/worker_internal.h"

#include "base/assert.h"

#include <stdio.h>
#include <unistd.h>

static void list(struct worker *w, struct admin_ask *ask);
static void row_fill(struct worker *w, const struct conn *c, struct admin_row *row);
static bool closing(const struct conn *c);
static void row_stream(struct worker *w, const struct conn *c, struct admin_row *row);
static void row_patterns(const struct group *g, struct admin_row *row);
static enum admin_result kick(struct worker *w, const struct admin_ask *ask);
static const char *reason_keep(struct worker *w, struct conn *c, const char *reason);

void admin_door_init(struct admin_door *d, struct admin_handed *handed)
{
    ring_init(&d->asks, d->ask_slots, ADMIN_ASKS);
    ring_init(&d->handed, d->handed_slots, ADMIN_HANDED);
    d->handed_at = handed;
    atomic_init(&d->asked, 0);
}

uint32_t admin_turn(struct worker *w)
{
    struct admin_door *d = &w->admin;
    if (atomic_load_explicit(&d->asked, memory_order_acquire) == d->taken) return 0;
    void *item;
    bool got = ring_get(&d->asks, &item);
    TC_ASSERT(got); /* put before it was counted */
    d->taken++;
    struct admin_ask *ask = item;
    uint32_t state = ADMIN_ASKED;
    if (!atomic_compare_exchange_strong(&ask->state, &state, ADMIN_TAKEN)) {
        TC_ASSERT(state == ADMIN_DROPPED);
        atomic_store(&ask->state, ADMIN_FREE);
        return 1;
    }
    if (ask->op == ADMIN_LIST)
        list(w, ask);
    else
        ask->result = kick(w, ask);
    atomic_store(&ask->state, ADMIN_ANSWERED); /* seq_cst: the asker may be about to sleep (decision 24) */
    sleeper_wake(w->server->admin);
    return 1;
}

static void list(struct worker *w, struct admin_ask *ask)
{
    uint32_t slot = ask->slot;
    uint32_t end = min_u32(w->conn_touched, slot > w->conn_touched ? slot : slot + ADMIN_SCAN);
    ask->result = ADMIN_DONE;
    ask->count = 0;
    for (; slot < end && ask->count < ADMIN_ROWS; slot++)
        if (w->conns[slot].state != CONN_FREE) row_fill(w, &w->conns[slot], &ask->rows[ask->count++]);
    ask->slot_next = slot < w->conn_touched ? slot : UINT32_MAX;
}

static void row_fill(struct worker *w, const struct conn *c, struct admin_row *row)
{
    uint32_t slot = conn_slot(w, c);
    int64_t unsent = w->io->ops->unsent(w->io, slot);
    bool full = (c->flags & CF_FULL) != 0;
    *row = (struct admin_row){.worker = w->options.index,
                              .slot = slot,
                              .generation = c->generation,
                              .age_ms = ms_since(w->now_ms, c->opened_ms),
                              .full = full,
                              .full_ms = full ? ms_since(w->now_ms, c->full_ms) : 0,
                              .sent_bytes = c->sent_bytes,
                              .unsent_bytes = unsent > 0 ? (uint64_t)unsent : 0,
                              .rest_bytes = c->rest_block != POOL_NONE ? c->rest_size : 0,
                              .state = c->state,
                              .echo = (c->flags & CF_ECHO) != 0,
                              .closing = closing(c)};
    w->io->ops->slot_peer(w->io, slot, row->peer, sizeof row->peer);
    row_stream(w, c, row);
}

/* Its end is decided. */
static bool closing(const struct conn *c)
{
    return c->state == CONN_CLOSING || c->state == CONN_LINGER || (c->flags & (CF_CLOSE | CF_CLOSE_SENT));
}

static void row_stream(struct worker *w, const struct conn *c, struct admin_row *row)
{
    row->ticks = c->ticks;
    row->conflated = c->conflated;
    row->gaps = c->gaps;
    row->position = c->position;
    if (!c->group) return;
    uint64_t read = c->read;
    if (c->cohort) { /* its own share of the cohort's sums was taken off when it joined */
        row->sent_bytes += c->cohort->bytes;
        row->ticks += c->cohort->ticks;
        row->conflated += c->cohort->conflated;
        row->position = c->cohort->covered;
        read = c->cohort->read;
    }
    bool owed = read < group_maybe_seq(&w->groups, c->group);
    row->subscribed = true;
    row->in_step = c->cohort != NULL;
    row->policy = c->policy;
    row->framing = (uint8_t)c->group->key.framing;
    row->encoding = (uint8_t)c->group->key.encoding;
    row->rate_ns = c->group->key.rate_ns;
    row->lag_ticks = owed ? log_head(w->log) - row->position : 0;
    row->lag_ms = owed ? stream_owed_ms(w, c->group, read) : 0;
    row->slow = owed && ((c->flags & CF_SLOW_NOW) || stream_far(w, c->group, row->position));
    row_patterns(c->group, row);
}

static void row_patterns(const struct group *g, struct admin_row *row)
{
    row->rule_count = g->key.rule_count;
    row->pattern_count = (uint8_t)min_u32(g->key.rule_count, ADMIN_PATTERNS);
    for (uint32_t i = 0; i < row->pattern_count; i++) {
        uint32_t size = rule_pattern(&g->key.rules[i], row->patterns[i]);
        TC_ASSERT(size < ADMIN_PATTERN_MAX);
        row->patterns[i][size] = 0;
    }
}

/* One that reads gets a close frame with code and reason; one that does not is reset after --close-timeout.
 */
static enum admin_result kick(struct worker *w, const struct admin_ask *ask)
{
    struct conn *c = ask->slot < w->conn_touched ? &w->conns[ask->slot] : NULL;
    if (!c || c->state == CONN_FREE || c->generation != ask->generation) return ADMIN_GONE;
    if (closing(c)) return ADMIN_CLOSING;
    counter_add(&w->counters.kicked_total, 1);
    if (c->state == CONN_OPEN)
        conn_want_close(w, c, ask->code, reason_keep(w, c, ask->reason));
    else
        conn_close(w, c, IO_CLOSE_FIN);
    return ADMIN_DONE;
}

/* The text lives as long as the connection: in the place of a pong, which is not sent any more. */
static const char *reason_keep(struct worker *w, struct conn *c, const char *reason)
{
    size_t size = strlen(reason);
    TC_ASSERT(size <= ADMIN_REASON_MAX);
    if (!c->pong) c->pong = heap_get(&w->groups.heap, WS_CONTROL_BYTES_MAX + 1);
    if (!c->pong) return "kicked";
    c->flags &= ~(uint32_t)CF_PONG;
    memcpy(c->pong, reason, size + 1);
    return (const char *)c->pong;
}

bool admin_hand_over(struct worker *w, struct conn *c, const char *head, size_t size)
{
    struct admin_door *d = &w->admin;
    struct admin_handed *h = NULL;
    for (uint32_t i = 0; i < ADMIN_HANDED && !h; i++)
        if (!atomic_load_explicit(&d->handed_at[i].in_use, memory_order_acquire)) h = &d->handed_at[i];
    if (!h || size > sizeof h->head) return false;
    int fd = w->io->ops->slot_dup(w->io, conn_slot(w, c));
    if (fd < 0) return false;
    atomic_store_explicit(&h->in_use, true, memory_order_relaxed);
    h->fd = fd;
    h->size = (uint32_t)size;
    memcpy(h->head, head, size);
    if (!ring_put(&d->handed, h)) {
        atomic_store_explicit(&h->in_use, false, memory_order_relaxed);
        close(fd);
        return false;
    }
    atomic_fetch_add(&d->handed_count, 1); /* seq_cst, then the wake */
    sleeper_wake(w->server->admin);
    conn_close(w, c, IO_CLOSE_FIN);
    return true;
}

/* ---- Thread: the administration's. ---- */

bool worker_ask(struct worker *w, struct admin_ask *ask)
{
    TC_ASSERT(atomic_load(&ask->state) == ADMIN_FREE);
    atomic_store(&ask->state, ADMIN_ASKED);
    if (!ring_put(&w->admin.asks, ask)) {
        atomic_store(&ask->state, ADMIN_FREE);
        return false;
    }
    atomic_fetch_add(&w->admin.asked, 1); /* seq_cst, then the wake (decision 24) */
    sleeper_wake(&w->reader->sleeper);
    return true;
}

struct admin_handed *worker_handed(struct worker *w)
{
    struct admin_door *d = &w->admin;
    if (!worker_has_handed(w)) return NULL;
    void *item;
    bool got = ring_get(&d->handed, &item);
    TC_ASSERT(got);
    d->handed_taken++;
    return item;
}

bool worker_has_handed(const struct worker *w)
{
    return atomic_load(&w->admin.handed_count) != w->admin.handed_taken;
}
