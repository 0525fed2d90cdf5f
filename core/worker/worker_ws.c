/* worker/worker_ws.c -- frames of a client: commands, control frames, echoes. Spec: RFC 6455. */
#include "worker/worker_internal.h"

#include "base/assert.h"

static void no_memory(struct worker *w, struct conn *c, enum limit which);
static void handle(struct worker *w, struct conn *c, enum ws_event event, struct ws_message *m);
static bool within_rate(struct worker *w, struct conn *c);
static void on_message(struct worker *w, struct conn *c, const struct ws_message *m);
static void echo(struct worker *w, struct conn *c, const struct ws_message *m);
static void echo_long(struct worker *w, struct conn *c, const uint8_t *start, uint32_t size);
static void on_ping(struct worker *w, struct conn *c, const struct ws_message *m);
static void on_close(struct worker *w, struct conn *c, const struct ws_message *m);
static void on_fail(struct worker *w, struct conn *c, const struct ws_message *m);

size_t ws_input(struct worker *w, struct conn *c, uint8_t *bytes, size_t size)
{
    if (c->flags & CF_DEAF) return size;
    struct ws_reader between_frames = {.deflate = (c->flags & CF_DEFLATE) != 0};
    struct ws_reader *reader = c->incoming ? &c->incoming->reader : &between_frames;
    struct ws_message m = {.opcode = WS_TEXT};
    size_t used = 0;
    enum ws_event event = ws_read(reader, bytes, size, &used, incoming_assembly(w, c),
                                  (uint32_t)w->settings->message_bytes_max, &m);
    if (event == WS_EVENT_NEED_ASSEMBLY) {
        bool kept = incoming_keep(w, c, reader);
        if (kept && incoming_hold(w, c)) return used;
        no_memory(w, c, kept ? LIMIT_MESSAGE_MEMORY : LIMIT_FILTER_MEMORY);
        return size;
    }
    if (event != WS_EVENT_MORE) {
        if (!(c->flags & CF_PING_OUT)) c->alive_ms = w->now_ms;
        handle(w, c, event, &m);
    }
    if (c->state == CONN_FREE) return used;
    if (reader->closed) c->flags |= CF_DEAF;
    if (c->rest_block != REST_IN_ASSEMBLY && ws_reader_idle(reader)) incoming_give_back(w, c);
    if (!incoming_keep(w, c, reader)) no_memory(w, c, LIMIT_FILTER_MEMORY);
    return used;
}

static void no_memory(struct worker *w, struct conn *c, enum limit which)
{
    c->flags |= CF_FAILED | CF_DEAF;
    limit_close(w, c, which, WS_TRY_LATER, "memory");
}

static void handle(struct worker *w, struct conn *c, enum ws_event event, struct ws_message *m)
{
    if (c->state == CONN_CLOSING) { /* only the peer's close frame still matters */
        if (event == WS_EVENT_CLOSE || event == WS_EVENT_FAIL) conn_linger(w, c);
        return;
    }
    if (c->flags & CF_CLOSE_SENT) return;
    switch (event) {
    case WS_EVENT_MESSAGE:
        if (!(c->flags & CF_ECHO) && !within_rate(w, c)) return; /* before any work for it */
        if (m->packed && !deflate_unpack(w, m)) {
            c->flags |= CF_DEAF;
            on_fail(w, c, m);
            return;
        }
        if (c->flags & CF_ECHO)
            echo(w, c, m);
        else
            on_message(w, c, m);
        return;
    case WS_EVENT_PING:
        if ((c->flags & CF_ECHO) || within_rate(w, c)) on_ping(w, c, m);
        return;
    case WS_EVENT_PONG:
        c->flags &= ~(uint32_t)CF_PING_OUT;
        c->alive_ms = w->now_ms;
        return;
    case WS_EVENT_CLOSE: on_close(w, c, m); return;
    case WS_EVENT_FAIL: on_fail(w, c, m); return;
    default: return;
    }
}

static bool within_rate(struct worker *w, struct conn *c)
{
    uint64_t most = w->settings->commands_per_second_max;
    uint32_t second = w->now_ms / 1000;
    if (c->command_second != second) {
        c->command_second = second;
        c->command_count = 0;
    }
    if (c->command_count < UINT16_MAX) c->command_count++;
    if (most == 0 || c->command_count <= most) return true;
    limit_close(w, c, LIMIT_COMMANDS, WS_POLICY, "max-commands");
    return false;
}

static void on_message(struct worker *w, struct conn *c, const struct ws_message *m)
{
    struct command cmd;
    struct command_error err;
    if (command_parse((const char *)m->payload, m->size, &cmd, &err) == 0)
        command_run(w, c, &cmd);
    else
        command_reject(w, c, &err);
}

/* Sent back at once, packed where that was agreed and makes it smaller; what the socket does not take stays
 * where it is (a long message: in its assembly) or in a rest block (a short one), and input waits until it is
 * out. */
static void echo(struct worker *w, struct conn *c, const struct ws_message *m)
{
    bool small = m->size + WS_HEAD_MAX <= FRAME_BYTES_MAX;
    if (!small && c->block == POOL_NONE && !incoming_hold(w, c)) { /* it grew when it was unpacked */
        no_memory(w, c, LIMIT_MESSAGE_MEMORY);
        return;
    }
    uint8_t *room = w->arena + WS_HEAD_MAX; /* no submission is under way while input is handled */
    if (!small) room = incoming_assembly(w, c)->message;
    uint32_t packed = c->flags & CF_DEFLATE && m->payload != room ? deflate_echo(w, c, m, room) : 0;
    uint32_t size = packed ? packed : m->size;
    if (!packed && m->payload != room) memcpy(room, m->payload, size);
    uint32_t head = ws_frame_head_before(room, m->opcode, size);
    uint8_t *start = room - head;
    if (packed) start[0] |= WS_DEFLATE_RSV1;
    if (small)
        conn_send_now(w, c, start, head + size);
    else
        echo_long(w, c, start, head + size);
}

static void echo_long(struct worker *w, struct conn *c, const uint8_t *start, uint32_t size)
{
    w->io->ops->send_add(w->io, conn_slot(w, c), start, size);
    if (w->io->ops->send_flush(w->io, w->failed) == 0) return;
    if (w->failed[0].error) {
        conn_close(w, c, IO_CLOSE_RESET);
        return;
    }
    incoming_outbound(w, c);
    c->rest_block = REST_IN_ASSEMBLY;
    c->rest_at = (uint32_t)(start - pool_at(&w->assemblies, c->block)) + w->failed[0].taken;
    c->rest_size = size - w->failed[0].taken;
    conn_full(w, c);
}

static void on_ping(struct worker *w, struct conn *c, const struct ws_message *m)
{
    bool half_out = c->rest_block != POOL_NONE || (c->answer && c->answer->sent > 0);
    if (!half_out && !(c->flags & (CF_FULL | CF_PONG))) {
        uint8_t frame[WS_HEAD_MAX + WS_CONTROL_BYTES_MAX];
        uint32_t head = ws_frame_head(frame, WS_PONG, m->size);
        memcpy(frame + head, m->payload, m->size);
        conn_send_now(w, c, frame, head + m->size);
        return;
    }
    if (c->flags & CF_CLOSE) return; /* and the place of the pong may hold the reason of our close frame */
    if (!c->pong) c->pong = heap_get(&w->groups.heap, WS_CONTROL_BYTES_MAX + 1);
    if (!c->pong) return; /* no memory: the peer may ask again */
    c->pong[0] = (uint8_t)m->size;
    memcpy(c->pong + 1, m->payload, m->size);
    c->flags |= CF_PONG;
    conn_ready(w, c);
}

static void on_close(struct worker *w, struct conn *c, const struct ws_message *m)
{
    c->flags |= CF_CLOSE_REPLY;
    c->flags &= ~(uint32_t)(CF_CLOSE | CF_DRAIN);
    uint16_t code = m->close_code == WS_NO_CODE ? WS_NO_CODE : m->close_code;
    if (c->answer && c->answer->sent == 0) answer_drop(w, c); /* nobody waits for it; one begun is finished */
    conn_want_close(w, c, code, "");
}

static void on_fail(struct worker *w, struct conn *c, const struct ws_message *m)
{
    counter_add(&w->counters.closed_protocol_total, 1);
    if (m->close_code == WS_TOO_BIG) limit_met(w, LIMIT_MESSAGE);
    c->flags |= CF_FAILED;
    c->flags &= ~(uint32_t)(CF_CLOSE | CF_DRAIN);
    if (c->answer && c->answer->sent == 0) answer_drop(w, c);
    conn_want_close(w, c, m->close_code, m->fail);
}
