/* worker/worker_conn.c -- the life of a connection: accepted, timed, closed. States: see conn.h. */
#include "worker/worker_internal.h"

#include "base/assert.h"
#include "wire/http_reply.h"

static void accept_failed(struct worker *w, int err);
static void refuse(struct worker *w, int32_t handle, const char *why);
static uint32_t slot_take(struct worker *w);
static const char *peer_of(struct worker *w, int32_t handle, char out[ADDRESS_TEXT_BYTES]);
static void block_drop(struct worker *w, struct conn *c);
static void open_timers(struct worker *w, struct conn *c);
static void timed_out(struct worker *w, struct conn *c);

struct conn *conn_at(struct worker *w, uint32_t slot)
{
    TC_ASSERT(slot < w->conn_touched);
    return &w->conns[slot];
}

uint32_t conn_slot(const struct worker *w, const struct conn *c)
{
    return (uint32_t)(c - w->conns);
}

void conn_accept(struct worker *w, const struct io_event *e)
{
    if (e->result < 0) {
        accept_failed(w, -e->result);
        return;
    }
    if (w->draining) {
        refuse(w, e->result, "draining");
        return;
    }
    uint32_t address;
    char peer[ADDRESS_TEXT_BYTES];
    enum limit met = admission_take(&w->server->admission, peer_of(w, e->result, peer), w->now_ns, &address);
    if (met != LIMIT_COUNT) {
        limit_met(w, met);
        refuse(w, e->result, limit_word(met));
        return;
    }
    TC_ASSERT(w->conn_count < w->conns_max);
    uint32_t slot = slot_take(w);
    struct conn *c = &w->conns[slot];
    uint32_t generation = c->generation + 1;
    uint32_t in_line = c->flags & CF_READY; /* the one before went while it stood there: once is enough */
    *c = (struct conn){.generation = generation,
                       .state = CONN_HTTP,
                       .flags = CF_KEEP_ALIVE | in_line,
                       .unit = NO_UNIT,
                       .rest_block = POOL_NONE,
                       .held_first = POOL_NONE,
                       .block = POOL_NONE,
                       .address = address,
                       .opened_ms = w->now_ms,
                       .heartbeat_ms = ns_to_ms(w->settings->heartbeat_ns),
                       .deadline_ms = w->now_ms + ns_to_ms(w->settings->handshake_timeout_ns)};
    w->conn_count++;
    w->conn_handshaking++;
    if (w->io->ops->attach(w->io, slot, generation, e->result) < 0) { /* the descriptor is closed there */
        counter_add(&w->counters.accept_errors_total, 1);
        conn_release(w, c);
        return;
    }
    counter_add(&w->counters.accepted_total, 1);
    conn_timer_set(w, c);
}

/* The kernel had no descriptor, no memory ...: those that wait stay in the backlog until there is room. */
static void accept_failed(struct worker *w, int err)
{
    counter_add(&w->counters.accept_errors_total, 1);
    uint32_t suppressed;
    if (diag_may(&w->accept_rate, w->now_ns, 1, &suppressed))
        diag(DIAG_WARN, "accept_failed", D_NUM("worker", w->options.index), D_TEXT("why", strerror(err)),
             D_NUM("connections", w->conn_count), D_NUM("suppressed", suppressed));
}

static void refuse(struct worker *w, int32_t handle, const char *why)
{
    char reply[512];
    struct http_reply base = {.date = worker_date(w),
                              .retry_after_s = 2 + (uint32_t)random_below(&w->random, 4),
                              .version_minor = 1};
    int size = http_reply_error(reply, sizeof reply, 503, why, &base);
    TC_ASSERT(size > 0);
    w->io->ops->refuse(w->io, handle, reply, (uint32_t)size);
    counter_add(&w->counters.refused_total, 1);
}

static uint32_t slot_take(struct worker *w)
{
    if (w->free_count > 0) return w->free_slots[--w->free_count];
    TC_ASSERT(w->conn_touched < w->conns_max);
    return w->conn_touched++;
}

/* Its address, where it counts: peers on a unix socket have none. NULL: does not count. */
static const char *peer_of(struct worker *w, int32_t handle, char out[ADDRESS_TEXT_BYTES])
{
    if (w->settings->connections_per_ip_max == 0) return NULL;
    w->io->ops->peer(w->io, handle, out, ADDRESS_TEXT_BYTES);
    return strcmp(out, "unix") == 0 ? NULL : out;
}

void conn_close(struct worker *w, struct conn *c, int how)
{
    TC_ASSERT(c->state != CONN_FREE);
    w->io->ops->detach(w->io, conn_slot(w, c), how);
    conn_release(w, c);
}

void conn_release(struct worker *w, struct conn *c)
{
    stream_drop(w, c);
    input_drop(w, c);
    rest_drop(w, c);
    body_drop(w, c);
    block_drop(w, c);
    if (c->flags & CF_UPGRADED) {
        incoming_drop(w, c);
        heap_put(&w->groups.heap, c->pong, WS_CONTROL_BYTES_MAX + 1);
        c->pong = NULL;
    }
    timer_cancel(&w->timers, &c->timer);
    admission_give(&w->server->admission, c->flags & CF_UPGRADED, c->address);
    if (!(c->flags & CF_UPGRADED)) w->conn_handshaking--;
    c->state = CONN_FREE;
    w->conn_count--;
    w->free_slots[w->free_count++] = conn_slot(w, c);
}

static void block_drop(struct worker *w, struct conn *c)
{
    if (c->flags & CF_UPGRADED) {
        incoming_give_back(w, c);
        return;
    }
    if (c->block != POOL_NONE) pool_put(&w->http_blocks, c->block);
    c->block = POOL_NONE;
}

void conn_want_close(struct worker *w, struct conn *c, uint16_t code, const char *reason)
{
    if (!conn_live(c)) return;
    c->flags |= CF_CLOSE;
    c->close_code = code;
    c->close_reason = reason;
    c->deadline_ms = w->now_ms + ns_to_ms(w->settings->close_timeout_ns);
    conn_timer_set(w, c);
    conn_ready(w, c);
}

uint64_t conn_reconnect_ms(struct worker *w)
{
    return random_below(&w->random, 1000 + w->settings->drain_ns / NS_PER_MS);
}

void conn_closed_our_side(struct worker *w, struct conn *c)
{
    if (c->flags & (CF_CLOSE_REPLY | CF_FAILED)) {
        conn_linger(w, c);
        return;
    }
    c->state = CONN_CLOSING;
    c->deadline_ms = w->now_ms + ns_to_ms(w->settings->close_timeout_ns);
    conn_timer_set(w, c);
    input_resume(w, c);
}

void conn_linger(struct worker *w, struct conn *c)
{
    stream_drop(w, c);
    block_drop(w, c);
    c->state = CONN_LINGER;
    c->deadline_ms = w->now_ms + LINGER_MS;
    w->io->ops->shutdown_write(w->io, conn_slot(w, c));
    conn_timer_set(w, c);
    input_resume(w, c);
}

void conn_ready(struct worker *w, struct conn *c)
{
    if (c->flags & CF_READY) return;
    c->flags |= CF_READY;
    TC_ASSERT(w->ready_count < w->conns_max);
    uint32_t last = w->ready_first + w->ready_count++;
    w->ready[last >= w->conns_max ? last - w->conns_max : last] = conn_slot(w, c);
}

void conn_writable(struct worker *w, struct conn *c)
{
    c->flags &= ~(uint32_t)(CF_FULL | CF_STALL_SEEN | CF_LET_GO);
    conn_ready(w, c);
}

/* ---- Timers: one node a connection, set to the nearest of its deadlines. ---- */

static uint32_t nearer(uint32_t now_ms, uint32_t a, uint32_t b)
{
    return (int32_t)(a - now_ms) < (int32_t)(b - now_ms) ? a : b;
}

void conn_timer_set(struct worker *w, struct conn *c)
{
    uint32_t due = c->deadline_ms;
    if (conn_live(c)) {
        const struct settings *s = w->settings;
        due = c->alive_ms + ns_to_ms(c->flags & CF_PING_OUT ? s->pong_timeout_ns : s->ping_interval_ns);
        if (c->incoming)
            due = nearer(w->now_ms, due, c->incoming->begun_ms + ns_to_ms(s->message_timeout_ns));
        if (c->group) due = nearer(w->now_ms, due, c->heartbeat_next_ms);
        if ((c->flags & (CF_FULL | CF_SLOW_NOW)) == CF_FULL)
            due = nearer(w->now_ms, due, c->full_ms + ns_to_ms(s->slow_after_ns));
        if (c->group && !c->cohort && c->read > w->read_seq) due = nearer(w->now_ms, due, w->now_ms + 10);
    }
    int32_t wait_ms = (int32_t)(due - w->now_ms);
    timer_set(&w->timers, &c->timer, w->now_ns + (wait_ms > 0 ? (uint64_t)wait_ms : 0) * NS_PER_MS);
}

void conn_timer_fired(struct worker *w, struct conn *c)
{
    if (conn_live(c))
        open_timers(w, c);
    else if ((int32_t)(c->deadline_ms - w->now_ms) <= 0)
        timed_out(w, c);
    if (c->state != CONN_FREE && !timer_is_set(&c->timer)) conn_timer_set(w, c);
}

static bool passed(const struct worker *w, uint32_t since_ms, uint64_t ns)
{
    return (int32_t)(w->now_ms - since_ms) >= (int32_t)ns_to_ms(ns);
}

/* A full socket whose queue moves: our ping stands in line behind data, and the peer reads (decision 14).
 * Looked at when the time is over, for a slow reader may take longer than that to make the queue short enough
 * to be writable. */
static bool drains(struct worker *w, struct conn *c)
{
    if (!(c->flags & CF_FULL)) return false;
    int64_t unsent = w->io->ops->unsent(w->io, conn_slot(w, c));
    if (unsent < 0 || (uint32_t)unsent == c->unsent_seen) return false;
    c->unsent_seen = (uint32_t)unsent;
    c->alive_ms = w->now_ms;
    return true;
}

static void open_timers(struct worker *w, struct conn *c)
{
    const struct settings *s = w->settings;
    if (c->incoming && passed(w, c->incoming->begun_ms, s->message_timeout_ns)) {
        incoming_end(w, c, LIMIT_MESSAGE_TIME);
        return;
    }
    if (c->flags & CF_PING_OUT) {
        if (passed(w, c->alive_ms, s->pong_timeout_ns) && !drains(w, c)) {
            timed_out(w, c);
            return;
        }
    } else if (passed(w, c->alive_ms, s->ping_interval_ns)) {
        c->flags |= CF_PING | CF_PING_OUT;
        c->alive_ms = w->now_ms;
        conn_ready(w, c);
    }
    if ((c->flags & (CF_FULL | CF_SLOW_NOW)) == CF_FULL && passed(w, c->full_ms, s->slow_after_ns)) {
        c->flags |= CF_SLOW_NOW;
        if (c->group && c->policy == POLICY_CLOSE) {
            limit_close(w, c, LIMIT_SLOW, WS_TOO_SLOW, "too_slow");
            return;
        }
    }
    if (c->group && (int32_t)(c->heartbeat_next_ms - w->now_ms) <= 0) {
        c->flags |= CF_HEARTBEAT;
        c->heartbeat_next_ms += c->heartbeat_ms;
        if ((int32_t)(c->heartbeat_next_ms - w->now_ms) <= 0)
            c->heartbeat_next_ms = w->now_ms + c->heartbeat_ms;
        conn_ready(w, c);
    }
    if (c->group && !c->cohort && c->read >= w->read_seq) conn_ready(w, c);
}

/* The end of patience, by state. */
static void timed_out(struct worker *w, struct conn *c)
{
    counter_add(&w->counters.closed_timeout_total, 1);
    bool request_begun = c->state == CONN_HTTP && !(c->flags & CF_FULL) && c->rest_block == POOL_NONE;
    if (request_begun &&
        (c->block_size > 0 || c->opened_ms + ns_to_ms(w->settings->handshake_timeout_ns) == c->deadline_ms)) {
        limit_met(w, LIMIT_HANDSHAKE_TIME);
        char reply[512];
        struct http_reply base = {.date = worker_date(w), .version_minor = 1};
        int size = http_reply_error(reply, sizeof reply, 408, "the request did not arrive in time", &base);
        c->flags &= ~(uint32_t)CF_KEEP_ALIVE;
        conn_send_now(w, c, (uint8_t *)reply, (uint32_t)size);
        if (c->state != CONN_FREE && c->rest_block == POOL_NONE) conn_linger(w, c);
        return;
    }
    if (c->state == CONN_OPEN && (c->flags & CF_PING_OUT)) limit_met(w, LIMIT_PONG);
    if (conn_live(c) && (c->flags & (CF_PING_OUT | CF_FULL)) == CF_PING_OUT) {
        conn_want_close(w, c, WS_GOING_AWAY, "ping_timeout");
        return;
    }
    /* Stuck, or it never answered: what it did not take is of no use to it. */
    conn_close(w, c, c->state == CONN_OPEN ? IO_CLOSE_RESET : IO_CLOSE_FIN);
}
