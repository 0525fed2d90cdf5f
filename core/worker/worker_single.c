/* worker/worker_single.c -- connections served one by one: control frames, answers, and the data of those
 * behind.
 *
 * A connection with something owed stands in the ready ring. Each step makes one unit of bytes for it; up to
 * FLUSH_SENDS units of different connections go out in one submission (a phase of its own: decision 2). A
 * unit that a full socket refuses is made again later; of one that it takes in part, the rest of the frame
 * begun is kept and nothing else. */
#include "worker/worker_internal.h"

#include "base/assert.h"

static uint32_t gather(struct worker *w);
static struct conn *ready_next(struct worker *w);
static bool unit_next(struct worker *w, struct conn *c, struct unit *u);
static bool unit_control(struct worker *w, struct conn *c, struct unit *u);
static bool frame_unit(struct worker *w, struct unit *u, enum unit_kind kind, enum ws_opcode opcode,
                       struct text payload);
static void unit_done(struct worker *w, struct unit *u, const struct io_sent *failed);
static void unit_commit(struct worker *w, struct conn *c, const struct unit *u, enum outcome outcome,
                        uint32_t taken);
static void rest_full(struct worker *w);
static void reset_longest_stuck(struct worker *w, const struct conn *but);
static void conn_rest_done(struct worker *w, struct conn *c);

uint32_t single_turn(struct worker *w)
{
    uint32_t done = 0;
    w->turn_scan_left = TURN_SCAN;
    w->turn_packs_left = TURN_PACKS;
    while (done < TURN_UNITS && w->turn_scan_left > 0 && w->turn_packs_left > 0) {
        uint32_t count = gather(w);
        if (count == 0) break;
        uint32_t failed = w->io->ops->send_flush(w->io, w->failed);
        age_offered(w);
        for (uint32_t i = 0; i < failed; i++) {
            struct conn *c = conn_at(w, w->failed[i].slot);
            unit_done(w, &w->units[c->unit], &w->failed[i]);
        }
        for (uint32_t i = 0; i < count; i++)
            if (w->units[i].slot != UINT32_MAX) unit_done(w, &w->units[i], NULL);
        done += count;
    }
    return done > 0 ? done : w->turn_scan_left == 0; /* who only looked through the log has more to look at */
}

static uint32_t gather(struct worker *w)
{
    w->unit_count = w->arena_used = 0;
    uint32_t tries = w->ready_count; /* each ready connection once */
    while (tries-- > 0 && w->unit_count < FLUSH_SENDS && w->turn_scan_left > 0 && w->turn_packs_left > 0) {
        if (w->arena_bytes - w->arena_used < 4 * (RENDER_BYTES_MAX + RENDER_SLACK)) break;
        struct conn *c = ready_next(w);
        c->flags &= ~(uint32_t)CF_READY;
        if (c->state == CONN_FREE || (c->flags & CF_FULL)) continue; /* writable makes it ready again */
        struct unit *u = &w->units[w->unit_count];
        *u = (struct unit){.slot = conn_slot(w, c), .out = &w->outs[w->unit_count]};
        if (!unit_next(w, c, u)) continue;
        c->unit = (uint8_t)w->unit_count++;
        w->io->ops->send_add(w->io, u->slot, u->bytes, u->size);
    }
    return w->unit_count;
}

static struct conn *ready_next(struct worker *w)
{
    TC_ASSERT(w->ready_count > 0);
    struct conn *c = conn_at(w, w->ready[w->ready_first]);
    w->ready_first = w->ready_first + 1 == w->conns_max ? 0 : w->ready_first + 1;
    w->ready_count--;
    return c;
}

/* The next bytes for c, or false if nothing is owed now (or c was closed). The order is what the protocol
 * promises. */
static bool unit_next(struct worker *w, struct conn *c, struct unit *u)
{
    if (c->rest_block != POOL_NONE) {
        u->kind = UNIT_REST;
        uint8_t *at = c->rest_block == REST_IN_ASSEMBLY ? pool_at(&w->assemblies, c->block)
                                                        : pool_at(&w->rests, c->rest_block);
        u->bytes = at + c->rest_at;
        u->size = c->rest_size;
        return true;
    }
    if (c->state == CONN_BODY) {
        u->kind = UNIT_BODY;
        u->bytes = c->body;
        u->size = min_u32(c->body_left, 4 * FRAME_BYTES_MAX);
        return true;
    }
    if (c->state != CONN_OPEN || (c->flags & CF_CLOSE_SENT)) return false;
    if (c->answer && c->answer->sent > 0) return answer_unit(w, c, u); /* begun: nothing may come between */
    if (unit_control(w, c, u)) return true;
    if (c->answer && answer_is_due(w, c)) return answer_unit(w, c, u);
    if (c->group && !c->cohort && stream_unit(w, c, u)) return true;
    if (c->state == CONN_FREE) return false;
    if (c->flags & CF_HEARTBEAT) return stream_heartbeat_unit(w, c, u);
    return false;
}

/* Frames that do not wait behind data. */
static bool unit_control(struct worker *w, struct conn *c, struct unit *u)
{
    if (c->flags & CF_DRAIN) {
        char text[NOTICE_MAX];
        const struct notices *n = conn_notices(c);
        uint32_t size = n->drain(text, conn_reconnect_ms(w));
        return frame_unit(w, u, UNIT_DRAIN, n->opcode, (struct text){text, size});
    }
    if (c->flags & CF_CLOSE) {
        uint8_t *room = arena_room(w, 256);
        u->kind = UNIT_CLOSE;
        u->bytes = room;
        u->size = ws_close_frame(room, c->close_code, text_of(c->close_reason));
        return true;
    }
    if (c->flags & CF_PONG)
        return frame_unit(w, u, UNIT_PONG, WS_PONG, (struct text){(char *)c->pong + 1, c->pong[0]});
    if (c->flags & CF_PING) return frame_unit(w, u, UNIT_PING, WS_PING, TEXT("tickcast"));
    return false;
}

static bool frame_unit(struct worker *w, struct unit *u, enum unit_kind kind, enum ws_opcode opcode,
                       struct text payload)
{
    uint8_t *room = arena_room(w, (uint32_t)payload.size + WS_HEAD_MAX);
    TC_ASSERT(room != NULL);
    uint32_t head = ws_frame_head(room, opcode, payload.size);
    memcpy(room + head, payload.at, payload.size);
    u->kind = kind;
    u->bytes = room;
    u->size = head + (uint32_t)payload.size;
    return true;
}

static void unit_done(struct worker *w, struct unit *u, const struct io_sent *failed)
{
    struct conn *c = conn_at(w, u->slot);
    u->slot = UINT32_MAX; /* done */
    c->unit = NO_UNIT;
    enum outcome outcome = OUTCOME_WHOLE;
    uint32_t taken = u->size;
    if (failed) {
        taken = failed->taken;
        outcome = failed->error ? OUTCOME_DEAD : taken > 0 ? OUTCOME_PART : OUTCOME_NONE;
    }
    if (outcome == OUTCOME_DEAD) {
        conn_close(w, c, IO_CLOSE_RESET);
        return;
    }
    c->sent_bytes += taken;
    if (taken > 0 && (c->flags & CF_PING_OUT))
        c->alive_ms = w->now_ms; /* our ping stands in line (decision 14) */
    if (outcome != OUTCOME_WHOLE) {
        if (c->cohort) {
            fan_leave_whole(w, c);
            counter_add(&w->counters.left_step_total, 1);
        }
        conn_full(w, c);
    }
    unit_commit(w, c, u, outcome, taken);
    if (c->state != CONN_FREE && !(c->flags & CF_FULL)) conn_ready(w, c);
}

/* State changes of a unit that went out, or will (what is left of it is kept). */
static void unit_commit(struct worker *w, struct conn *c, const struct unit *u, enum outcome outcome,
                        uint32_t taken)
{
    switch (u->kind) {
    case UNIT_REST:
        c->rest_at += taken;
        c->rest_size -= taken;
        if (c->rest_size > 0) return;
        rest_drop(w, c);
        if (c->flags & CF_CLOSE_SENT)
            conn_closed_our_side(w, c);
        else
            conn_rest_done(w, c);
        return;
    case UNIT_BODY:
        c->body += taken;
        c->body_left -= taken;
        if (c->body_left > 0) return;
        body_drop(w, c);
        conn_rest_done(w, c);
        return;
    case UNIT_ANSWER: answer_done(w, c, u, outcome, taken); return;
    case UNIT_LAG:
    case UNIT_GAP:
    case UNIT_DEFINITIONS:
    case UNIT_SNAPSHOT:
    case UNIT_DATA: stream_done(w, c, u, outcome, taken); return;
    default: break;
    }
    if (outcome == OUTCOME_NONE) return; /* made again when the socket takes data */
    if (outcome == OUTCOME_PART && !rest_keep(w, c, u->bytes + taken, u->size - taken)) return;
    switch (u->kind) {
    case UNIT_DRAIN: c->flags &= ~(uint32_t)CF_DRAIN; break;
    case UNIT_PONG:
        c->flags &= ~(uint32_t)CF_PONG;
        heap_put(&w->groups.heap, c->pong, WS_CONTROL_BYTES_MAX + 1);
        c->pong = NULL;
        break;
    case UNIT_PING:
        c->flags &= ~(uint32_t)CF_PING;
        counter_add(&w->counters.pings_total, 1);
        break;
    case UNIT_HEARTBEAT: c->flags &= ~(uint32_t)CF_HEARTBEAT; break;
    case UNIT_CLOSE:
        c->flags &= ~(uint32_t)CF_CLOSE;
        c->flags |= CF_CLOSE_SENT;
        stream_drop(w, c);
        if (outcome == OUTCOME_PART) return; /* conn_writable goes on when the rest is out */
        conn_closed_our_side(w, c);
        break;
    default: TC_ASSERT(false);
    }
}

/* What a connection was held up by is out: an HTTP answer, a body, or the rest of a frame. */
static void conn_rest_done(struct worker *w, struct conn *c)
{
    if (c->state == CONN_BODY && c->body_left > 0) return;
    if (c->state == CONN_BODY || c->state == CONN_HTTP) {
        if (!(c->flags & CF_KEEP_ALIVE)) {
            conn_linger(w, c);
            return;
        }
        c->state = CONN_HTTP;
        c->scanned = c->block_size = 0;
        c->deadline_ms = w->now_ms + ns_to_ms(w->settings->keepalive_timeout_ns);
        conn_timer_set(w, c);
    }
    input_resume(w, c);
}

void conn_full(struct worker *w, struct conn *c)
{
    if (!(c->flags & CF_FULL)) {
        c->flags |= CF_FULL;
        c->full_ms = w->now_ms;
        if (c->group && c->policy == POLICY_LATEST) c->flags |= CF_LATEST_SKIP;
        if (c->state == CONN_OPEN) conn_timer_set(w, c);
    }
    w->io->ops->writable_arm(w->io, conn_slot(w, c));
    if (!input_may_go_on(c) && !(c->flags & CF_PAUSED)) {
        c->flags |= CF_PAUSED;
        w->io->ops->receive_pause(w->io, conn_slot(w, c));
    }
}

bool rest_keep(struct worker *w, struct conn *c, const uint8_t *bytes, uint32_t size)
{
    TC_ASSERT(c->rest_block == POOL_NONE);
    TC_ASSERT(size <= FRAME_BYTES_MAX);
    uint32_t block = pool_get(&w->rests);
    if (block == POOL_NONE) { /* only where --rest-memory was set smaller than needed */
        reset_longest_stuck(w, c);
        block = pool_get(&w->rests);
    }
    if (block == POOL_NONE) {
        rest_full(w);
        conn_close(w, c, IO_CLOSE_RESET);
        return false;
    }
    memcpy(pool_at(&w->rests, block), bytes, size);
    c->rest_block = block;
    c->rest_at = 0;
    c->rest_size = size;
    return true;
}

void rest_drop(struct worker *w, struct conn *c)
{
    if (c->rest_block == REST_IN_ASSEMBLY) {
        incoming_give_back(w, c);
    } else if (c->rest_block != POOL_NONE) {
        pool_put(&w->rests, c->rest_block);
    }
    c->rest_block = POOL_NONE;
    c->rest_size = 0;
}

static void rest_full(struct worker *w)
{
    limit_met(w, LIMIT_REST_MEMORY);
    counter_add(&w->counters.closed_rest_total, 1);
}

static void reset_longest_stuck(struct worker *w, const struct conn *but)
{
    struct conn *longest = NULL;
    for (uint32_t slot = 0; slot < w->conn_touched; slot++) {
        struct conn *c = &w->conns[slot];
        if (c == but || c->state == CONN_FREE || c->rest_block >= REST_IN_ASSEMBLY || c->unit != NO_UNIT)
            continue;
        if (!longest || ms_since(w->now_ms, c->full_ms) > ms_since(w->now_ms, longest->full_ms)) longest = c;
    }
    if (!longest) return;
    rest_full(w);
    conn_close(w, longest, IO_CLOSE_RESET);
}

void conn_send_now(struct worker *w, struct conn *c, const uint8_t *bytes, uint32_t size)
{
    TC_ASSERT(w->visit_count == 0);
    TC_ASSERT(c->rest_block == POOL_NONE);
    w->io->ops->send_add(w->io, conn_slot(w, c), bytes, size);
    if (w->io->ops->send_flush(w->io, w->failed) == 0) {
        c->sent_bytes += size;
        return;
    }
    if (w->failed[0].error) {
        conn_close(w, c, IO_CLOSE_RESET);
        return;
    }
    uint32_t taken = w->failed[0].taken;
    c->sent_bytes += taken;
    if (!rest_keep(w, c, bytes + taken, size - taken)) return;
    if (c->cohort) {
        fan_leave_whole(w, c);
        counter_add(&w->counters.left_step_total, 1);
    }
    conn_full(w, c);
}
