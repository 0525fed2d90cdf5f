#include "tests/sim/client.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "wire/ws.h"

#include <stdio.h>
#include <stdlib.h>

static size_t read_frame(struct client *c);
static void on_message(struct client *c, const char *text, size_t size);
static void on_tick(struct client *c, const json_t *t, uint64_t from, uint64_t to);
static void on_gap(struct client *c, const json_t *m);

void client_connect(struct client *c, uint32_t window)
{
    c->peer = peer_connect(c->net, window);
    c->size = 0;
    c->closed = c->upgraded = false;
    /* With frame=tick, ticks after the last `covered` come once more: position is what a resume goes by. */
    for (uint64_t seq = c->position + 1; seq <= c->last_seq; seq++) c->seen[seq] = SEEN_NOT;
    c->last_seq = c->position < c->last_seq ? c->position : c->last_seq;
    char resume[64] = "", request[512];
    if (c->positioned)
        snprintf(resume, sizeof resume, "&resume=%s-%llu", c->epoch,
                 (unsigned long long)max_u64(c->position, c->heartbeat));
    int n = snprintf(
        request, sizeof request,
        "GET /v1/ws?%s%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        c->query, resume);
    peer_send(c->peer, request, (size_t)n);
    c->messages = 0;
}

void client_command(struct client *c, const char *json)
{
    uint8_t frame[1024];
    size_t size = strlen(json);
    TC_ASSERT(size < 900);
    frame[0] = 0x81;
    frame[1] = 0x80 | 126;
    store_be16(frame + 2, (uint16_t)size);
    uint8_t *payload = frame + 8;
    uint32_t head = size < 126 ? 6 : 8;
    if (size < 126) {
        frame[1] = (uint8_t)(0x80 | size);
        payload = frame + 6;
    }
    static const uint8_t key[4] = {1, 2, 3, 4};
    memcpy(payload - 4, key, 4);
    memcpy(payload, json, size);
    ws_mask(payload, size, key, 0);
    peer_send(c->peer, frame, head + size);
}

void client_read(struct client *c, size_t size)
{
    if (c->closed) return;
    size_t room = sizeof c->buffer - c->size;
    c->size += peer_take(c->peer, c->buffer + c->size, size < room ? size : room);
    size_t used;
    while ((used = read_frame(c)) > 0) {
        c->size -= used;
        memmove(c->buffer, c->buffer + used, c->size);
    }
}

/* One HTTP answer or frame from the front of the buffer. Returns its bytes, 0: not whole yet. */
static size_t read_frame(struct client *c)
{
    if (!c->upgraded) {
        const uint8_t *end = memmem(c->buffer, c->size, "\r\n\r\n", 4);
        if (!end) return 0;
        c->upgraded = memcmp(c->buffer, "HTTP/1.1 101", 12) == 0;
        c->closed = !c->upgraded;
        return c->upgraded ? (size_t)(end + 4 - c->buffer) : c->size;
    }
    if (c->size < 2) return 0;
    uint8_t opcode = c->buffer[0] & 15;
    size_t size = c->buffer[1], head = 2;
    TC_ASSERT(c->buffer[0] & 0x80); /* the server's frames are whole and not masked */
    TC_ASSERT(size < 127);
    if (size == 126) {
        if (c->size < 4) return 0;
        size = load_be16(c->buffer + 2);
        head = 4;
    }
    if (c->size < head + size) return 0;
    if (opcode == WS_CLOSE) {
        c->closed = true;
        c->close_code = size >= 2 ? load_be16(c->buffer + head) : 0;
    } else if (opcode == WS_TEXT) {
        on_message(c, (const char *)c->buffer + head, size);
    } else {
        TC_ASSERT(opcode == WS_PING || opcode == WS_PONG);
    }
    return head + size;
}

static uint64_t number(const json_t *m, const char *key)
{
    const json_t *v = json_object_get(m, key);
    TC_ASSERT(json_is_integer(v));
    return (uint64_t)json_integer_value(v);
}

static void moved(struct client *c, const json_t *m)
{
    TC_ASSERT(number(m, "from") == c->position);
    TC_ASSERT(number(m, "to") > c->position);
    c->position = number(m, "to");
    TC_ASSERT(c->position <= c->truth->head);
    const json_t *conflated = json_object_get(m, "conflated");
    if (conflated) c->conflated += (uint64_t)json_integer_value(conflated);
}

static void on_message(struct client *c, const char *text, size_t size)
{
    json_error_t error;
    json_t *m = json_loadb(text, size, 0, &error);
    TC_ASSERT(m != NULL);
    const char *type = json_string_value(json_object_get(m, "type"));
    TC_ASSERT(type != NULL);
    if (c->messages++ == 0) {
        TC_ASSERT(strcmp(type, "hello") == 0);
        snprintf(c->epoch, sizeof c->epoch, "%s", json_string_value(json_object_get(m, "epoch")));
    } else if (strcmp(type, "subscribed") == 0) {
        uint64_t seq = number(m, "seq");
        if (c->positioned)
            TC_ASSERT(seq >=
                      c->position); /* a resume may begin at the last heartbeat: nothing matched up to it */
        else
            c->first = seq;
        c->position = seq;
        c->positioned = true;
    } else if (strcmp(type, "ticks") == 0) {
        uint64_t from = c->position;
        moved(c, m);
        size_t i;
        json_t *t;
        json_array_foreach(json_object_get(m, "ticks"), i, t) on_tick(c, t, from, c->position);
    } else if (strcmp(type, "covered") == 0) {
        moved(c, m);
    } else if (strcmp(type, "gap") == 0) {
        on_gap(c, m);
    } else if (strcmp(type, "snapshot") == 0) {
        TC_ASSERT(number(m, "seq") == c->position);
    } else if (strcmp(type, "heartbeat") == 0) {
        TC_ASSERT(number(m, "seq") >= c->position);
        c->heartbeat = number(m, "seq");
    } else if (json_object_get(m, "seq")) {
        on_tick(c, m, c->position, UINT64_MAX);
    }
    json_decref(m);
}

static void on_tick(struct client *c, const json_t *t, uint64_t from, uint64_t to)
{
    uint64_t seq = number(t, "seq");
    TC_ASSERT(seq > from && seq <= to);
    TC_ASSERT(seq > c->last_seq);
    TC_ASSERT(seq <= c->truth->head);
    TC_ASSERT(client_wants(c, seq));
    TC_ASSERT(c->seen[seq] == SEEN_NOT);
    int kind = tick_kind_parse(json_string_value(json_object_get(t, "type")),
                               json_string_length(json_object_get(t, "type")));
    TC_ASSERT(kind == c->truth->kind[seq] || c->truth->kind[seq] == TICK_FEED);
    c->seen[seq] = SEEN_DELIVERED;
    c->last_seq = seq;
}

static void on_gap(struct client *c, const json_t *m)
{
    uint64_t from = c->position;
    moved(c, m);
    for (uint64_t seq = from + 1; seq <= c->position; seq++) {
        TC_ASSERT(c->seen[seq] == SEEN_NOT || seq <= c->last_seq);
        if (c->seen[seq] == SEEN_NOT) c->seen[seq] = SEEN_GAP;
    }
    c->gaps++;
}

bool client_wants(const struct client *c, uint64_t seq)
{
    uint8_t kind = c->truth->kind[seq];
    if (kind == TICK_FEED) return true;
    return (c->kinds >> kind & 1) && (c->prefix == 0 || c->truth->symbol[seq] == (uint32_t)(c->prefix - 'A'));
}

void client_check(const struct client *c)
{
    uint64_t missing = 0;
    for (uint64_t seq = c->first + 1; seq <= c->position; seq++) {
        if (!client_wants(c, seq) || c->seen[seq] != SEEN_NOT) continue;
        TC_ASSERT(c->truth->state[seq]); /* an event is never conflated */
        TC_ASSERT(c->policy == POLICY_CONFLATE || c->policy == POLICY_LATEST);
        missing++;
    }
    TC_ASSERT(missing == c->conflated);
}
