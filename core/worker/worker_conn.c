/* worker/worker_conn.c -- the life of a connection: accepted, timed, closed. States: see conn.h. */
#include "worker/worker_internal.h"

#include "base/assert.h"
#include "wire/http_reply.h"

static void refuse(struct worker *w, int32_t handle, const char *why);
static uint32_t slot_take(struct worker *w);
static uint32_t address_take(struct worker *w, int32_t handle, bool *over);
static void address_drop(struct worker *w, uint32_t index);
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
        counter_add(&w->counters.accept_errors_total, 1);
        return;
    }
    const char *why = NULL;
    uint64_t second = w->now_ns / NS_PER_SECOND;
    if (w->handshake_second != second) {
        w->handshake_second = second;
        w->handshake_count = 0;
    }
    uint64_t rate = w->settings->handshakes_per_second_max;
    if (w->draining)
        why = "draining";
    else if (w->conn_count >= w->conns_max)
        why = "max-connections";
    else if (w->conn_handshaking >= w->conns_max / 4 + 1) /* decision 29 */
        why = "handshakes";
    else if (rate > 0 && w->handshake_count >= rate)
        why = "max-handshakes";
    bool over = false;
    uint32_t address = why ? UINT32_MAX : address_take(w, e->result, &over);
    if (over) why = "max-connections-per-ip";
    if (why) {
        refuse(w, e->result, why);
        return;
    }
    w->handshake_count++;
    uint32_t slot = slot_take(w);
    struct conn *c = &w->conns[slot];
    uint32_t generation = c->generation + 1;
    *c = (struct conn){.generation = generation,
                       .state = CONN_HTTP,
                       .flags = CF_KEEP_ALIVE,
                       .listener = (uint8_t)e->listener,
                       .unit = NO_UNIT,
                       .rest_block = POOL_NONE,
                       .held_first = NO_BUFFER,
                       .held_last = NO_BUFFER,
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

static void refuse(struct worker *w, int32_t handle, const char *why)
{
    char reply[512];
    struct http_reply base = {.retry_after_s = 2 + (uint32_t)random_below(&w->random, 4), .version_minor = 1};
    int size = http_reply_error(reply, sizeof reply, 503, why, &base);
    TC_ASSERT(size > 0);
    w->io->ops->refuse(w->io, handle, reply, (uint32_t)size);
    counter_add(&w->counters.refused_total, 1);
    uint32_t suppressed;
    if (diag_may(&w->refuse_rate, w->now_ns, 1, &suppressed))
        diag(DIAG_WARN, "refused", D_NUM("worker", w->options.index), D_TEXT("limit", why),
             D_NUM("connections", w->conn_count), D_NUM("suppressed", suppressed));
}

static uint32_t slot_take(struct worker *w)
{
    if (w->free_count > 0) return w->free_slots[--w->free_count];
    TC_ASSERT(w->conn_touched < w->conns_max);
    return w->conn_touched++;
}

/* Counts one more connection of the peer's address. UINT32_MAX: not counted (no limit is set). */
static uint32_t address_take(struct worker *w, int32_t handle, bool *over)
{
    uint64_t most = w->settings->connections_per_ip_max;
    if (most == 0) return UINT32_MAX;
    char text[46] = "";
    w->io->ops->peer(w->io, handle, text, sizeof text);
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *p = text; *p; p++) hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
    uint32_t free_at = UINT32_MAX;
    for (uint32_t i = 0; i <= w->addresses_mask; i++) {
        uint32_t at = (uint32_t)(hash + i) & w->addresses_mask;
        struct address *a = &w->addresses[at];
        if (a->text[0] == 0 || a->count == 0) { /* count 0: was used; goes on looking for its own */
            if (free_at == UINT32_MAX) free_at = at;
            if (a->text[0] == 0) break;
            continue;
        }
        if (strcmp(a->text, text) != 0) continue;
        if (a->count >= most) {
            *over = true;
            return UINT32_MAX;
        }
        a->count++;
        return at;
    }
    TC_ASSERT(free_at != UINT32_MAX); /* twice as many entries as connections */
    memcpy(w->addresses[free_at].text, text, sizeof text);
    w->addresses[free_at].count = 1;
    return free_at;
}

static void address_drop(struct worker *w, uint32_t index)
{
    if (index != UINT32_MAX) w->addresses[index].count--;
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
    if (c->block != POOL_NONE) pool_put(c->state == CONN_HTTP ? &w->http_blocks : &w->assemblies, c->block);
    c->block = POOL_NONE;
    heap_put(&w->groups.heap, c->pong, WS_CONTROL_BYTES_MAX + 1);
    c->pong = NULL;
    timer_cancel(&w->timers, &c->timer);
    address_drop(w, c->address);
    if (!(c->flags & CF_UPGRADED)) w->conn_handshaking--;
    c->state = CONN_FREE;
    w->conn_count--;
    w->free_slots[w->free_count++] = conn_slot(w, c);
}

void conn_want_close(struct worker *w, struct conn *c, uint16_t code, const char *reason)
{
    if (c->state != CONN_OPEN || (c->flags & (CF_CLOSE | CF_CLOSE_SENT))) return;
    c->flags |= CF_CLOSE;
    c->close_code = code;
    c->close_reason = reason;
    c->deadline_ms = w->now_ms + ns_to_ms(w->settings->close_timeout_ns);
    conn_timer_set(w, c);
    conn_ready(w, c);
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
    if (c->block != POOL_NONE) pool_put(c->state == CONN_HTTP ? &w->http_blocks : &w->assemblies, c->block);
    c->block = POOL_NONE;
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
    TC_ASSERT(w->ready_tail - w->ready_head <= w->ready_mask);
    w->ready[w->ready_tail++ & w->ready_mask] = conn_slot(w, c);
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
    if (c->state == CONN_OPEN && !(c->flags & (CF_CLOSE | CF_CLOSE_SENT))) {
        const struct settings *s = w->settings;
        due = c->flags & CF_PING_OUT ? c->ping_ms + ns_to_ms(s->pong_timeout_ns)
                                     : c->heard_ms + ns_to_ms(s->ping_interval_ns);
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
    if (c->state == CONN_OPEN && !(c->flags & (CF_CLOSE | CF_CLOSE_SENT)))
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
    c->ping_ms = w->now_ms;
    return true;
}

static void open_timers(struct worker *w, struct conn *c)
{
    const struct settings *s = w->settings;
    if (c->flags & CF_PING_OUT) {
        if (passed(w, c->ping_ms, s->pong_timeout_ns) && !drains(w, c)) {
            timed_out(w, c);
            return;
        }
    } else if (passed(w, c->heard_ms, s->ping_interval_ns)) {
        c->flags |= CF_PING | CF_PING_OUT;
        c->ping_ms = w->now_ms;
        conn_ready(w, c);
    }
    if ((c->flags & (CF_FULL | CF_SLOW_NOW)) == CF_FULL && passed(w, c->full_ms, s->slow_after_ns)) {
        c->flags |= CF_SLOW_NOW;
        if (c->group && c->policy == POLICY_CLOSE) {
            counter_add(&w->counters.closed_slow_total, 1);
            conn_want_close(w, c, WS_TOO_SLOW, "too_slow");
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
        char reply[512];
        struct http_reply base = {.version_minor = 1};
        int size = http_reply_error(reply, sizeof reply, 408, "the request did not arrive in time", &base);
        c->flags &= ~(uint32_t)CF_KEEP_ALIVE;
        conn_send_now(w, c, (uint8_t *)reply, (uint32_t)size);
        if (c->state != CONN_FREE && c->rest_block == POOL_NONE) conn_linger(w, c);
        return;
    }
    if (c->state == CONN_OPEN && (c->flags & CF_PING_OUT) &&
        !(c->flags & (CF_FULL | CF_CLOSE | CF_CLOSE_SENT))) {
        conn_want_close(w, c, WS_GOING_AWAY, "ping_timeout");
        return;
    }
    /* Stuck, or it never answered: what it did not take is of no use to it. */
    conn_close(w, c, c->state == CONN_OPEN ? IO_CLOSE_RESET : IO_CLOSE_FIN);
}
