#include "tests/sim/client.h"

#include "base/assert.h"
#include "tests/sim/encoding.h"
#include "wire/ws.h"
#include "wire/ws_deflate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void start(struct client *c);
static void draw_set(struct client *c, struct asked *a, bool small);
static void request(struct client *c, const char *query);
static void frame(struct client *c, enum ws_opcode opcode, const void *payload, size_t size);
static void flush(struct client *c);
static size_t read_answer(struct client *c, const uint8_t *at, size_t size);
static size_t read_frame(struct client *c, const uint8_t *at, size_t size);
static void read_message(struct client *c, uint8_t first, const uint8_t *payload, size_t size);
static void ask_json(struct client *c, const struct asked *a);

static uint32_t any(struct client *c, uint32_t bound)
{
    return (uint32_t)random_below(c->random, bound);
}

/* Text that grows; what does not fit is a mistake here. */
struct draft {
    char text[2048];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void put(struct draft *d, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(d->text + d->size, sizeof d->text - d->size, format, list);
    va_end(list);
    TC_ASSERT(n >= 0 && d->size + (size_t)n < sizeof d->text);
    d->size += (size_t)n;
}

/* ---- the connection ---- */

void client_connect(struct client *c, struct sim *sim, uint32_t worker, uint32_t window_max)
{
    TC_ASSERT(c->sim == NULL);
    char address[32];
    snprintf(address, sizeof address, "192.0.2.%u", 1 + c->number % 5);
    int32_t peer = sim_connect_from(sim, 0, address);
    if (peer == SIM_REFUSED) return;
    c->sim = sim;
    c->worker = worker;
    c->peer = peer;
    c->window = 2000 + any(c, window_max - 2000);
    c->shut_turns = 0;
    sim_peer_window(sim, peer, c->window);
    c->upgraded = c->close_sent = c->close_seen = c->ended = c->broke = false;
    c->mute = any(c, 12) == 0;
    c->in_at = c->in_size = c->out_size = 0;
    c->messages = c->asked_count = 0;
    model_connected(c);
    encoding_draw(c);
    start(c);
}

static void goes_inside_frame(struct client *c)
{
    c->happened->gone_frame++;
    c->happened->gone_frame_bin += c->binary;
    c->happened->gone_frame_deflate += c->deflate;
}

void client_go(struct client *c, bool reset)
{
    struct happened *h = c->happened;
    if (!c->upgraded)
        h->gone_handshake++;
    else if (c->close_sent || c->close_seen)
        h->gone_closing++;
    else if (c->in_size > c->in_at)
        goes_inside_frame(c);
    else if (c->snapshot.due && c->snapshot.begun)
        h->gone_snapshot++;
    else
        h->gone_open++;
    if (reset)
        h->gone_reset++;
    else
        h->gone_fin++;
    sim_peer_close(c->sim, c->peer, reset ? IO_CLOSE_RESET : IO_CLOSE_FIN);
    sim_peer_free(c->sim, c->peer);
    c->sim = NULL;
}

void client_lost(struct client *c)
{
    c->sim = NULL;
}

void client_free(struct client *c)
{
    client_bin_free(&c->bin);
}

/* How it comes back: by URL or by command; at now, where it was, in the past, ahead, from another epoch. */
static void start(struct client *c)
{
    struct asked a = {.what = ASK_SUBSCRIBE};
    draw_set(c, &a, true);
    a.has_policy = a.has_framing = any(c, 4) > 0;
    a.policy = (enum policy)any(c, POLICIES);
    a.framing = (enum framing)any(c, FRAMINGS);
    a.has_rate = any(c, 5) == 0;
    a.rate = 1 + any(c, 50);
    a.has_snapshot = any(c, 3) == 0;
    a.snapshot = any(c, 2);
    if (c->alike && any(c, 4) > 0) {
        a.has_policy = a.has_framing = false;
        a.has_rate = c->alike_rate > 0;
        a.rate = c->alike_rate;
        memset(a.kinds, 0, sizeof a.kinds);
        a.kinds[1 + any(c, 8) / 7] = KINDS_CLIENT; /* one that is quiet at times */
    }
    uint32_t r = any(c, 40);
    if (r < 30) {
        if (c->positioned) { /* the promise: what was told is not told again, and nothing is missing */
            a.start = STARTS_AT;
            a.seq = max_u64(c->position, c->heartbeat);
        }
    } else if (r < 32) {
        a.start = STARTS_AT; /* anywhere, also where it is gone, also ahead */
        a.seq = any(c, (uint32_t)c->truth->head + c->log_capacity - 8);
    } else if (r < 33) {
        a.start = STARTS_FAR_AHEAD;
        a.seq = c->truth->head + UINT64_C(1000000);
    } else if (r < 35) {
        a.start = STARTS_FOREIGN;
        a.seq = 1 + any(c, 1000);
    } else if (r < 37) {
        a.start = STARTS_SINCE;
        a.seq = any(c, 2 * c->log_capacity);
    }
    if (a.start == STARTS_AT || a.start == STARTS_FOREIGN || a.start == STARTS_FAR_AHEAD) a.what = ASK_RESUME;
    if (any(c, 3) == 0) {
        request(c, "");
        a.id = ++c->next_id;
        c->asked[c->asked_count++] = a;
        ask_json(c, &a);
        return;
    }
    struct draft d = {.size = 0};
    uint32_t kinds = 0;
    put(&d, "symbols=");
    for (uint32_t p = 0; p < PATTERNS; p++) {
        char text[8];
        if (!a.kinds[p]) continue;
        pattern_text(p, text);
        put(&d, "%s%s", kinds ? "," : "", text);
        kinds = a.kinds[p];
    }
    if (kinds != KINDS_CLIENT) {
        put(&d, "&kinds=");
        for (uint8_t k = 1, first = 1; k < TICK_FEED; k++) {
            if (!(kinds >> k & 1)) continue;
            put(&d, "%s%s", first ? "" : ",", tick_kind_name(k));
            first = 0;
        }
    }
    if (a.has_policy) put(&d, "&policy=%s&frame=%s", policy_names[a.policy], framing_names[a.framing]);
    if (a.has_rate) put(&d, "&rate=%llu", (unsigned long long)a.rate);
    if (a.has_snapshot) put(&d, "&snapshot=%d", a.snapshot);
    if (a.start == STARTS_SINCE) put(&d, "&since=%llu", (unsigned long long)a.seq);
    if (a.what == ASK_RESUME)
        put(&d, "&resume=%016llx-%llu", (unsigned long long)(a.start == STARTS_FOREIGN ? 77 : c->epoch),
            (unsigned long long)a.seq);
    c->asked[c->asked_count++] = a;
    request(c, d.text);
}

static void request(struct client *c, const char *query)
{
    char fields[ENCODING_FIELDS_MAX];
    encoding_fields(c, fields);
    int n = snprintf((char *)c->out, sizeof c->out,
                     "GET /v1/ws?heartbeat=0.5&%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Version: 13\r\n%s\r\n",
                     query, fields);
    TC_ASSERT(n > 0 && (size_t)n < sizeof c->out);
    c->out_size = (size_t)n;
    flush(c);
}

/* ---- reading ---- */

void client_read(struct client *c, size_t size)
{
    if (!c->sim) return;
    flush(c);
    if (c->in_at > 0) {
        c->in_size -= c->in_at;
        memmove(c->in, c->in + c->in_at, c->in_size);
        c->in_at = 0;
    }
    size_t room = sizeof c->in - c->in_size;
    c->in_size += sim_peer_read(c->sim, c->peer, c->in + c->in_size, (uint32_t)(size < room ? size : room));
    size_t used;
    while (!c->ended && (used = c->upgraded ? read_frame(c, c->in + c->in_at, c->in_size - c->in_at)
                                            : read_answer(c, c->in + c->in_at, c->in_size - c->in_at)) > 0)
        c->in_at += used;
    flush(c);
    if (sim_peer_end(c->sim, c->peer) != SIM_OPEN) c->ended = true;
}

/* The answer to the handshake. Returns its bytes, 0: not whole yet. */
static size_t read_answer(struct client *c, const uint8_t *at, size_t size)
{
    const uint8_t *end = memmem(at, size, "\r\n\r\n", 4);
    if (!end) return 0;
    c->upgraded = size > 12 && memcmp(at, "HTTP/1.1 101", 12) == 0;
    if (c->upgraded) {
        encoding_agreed(c, (struct text){(const char *)at, (size_t)(end + 2 - at)});
    } else {
        TC_ASSERT(memcmp(at, "HTTP/1.1 503", 12) == 0 || memcmp(at, "HTTP/1.1 408", 12) == 0);
        c->happened->refused++;
        c->ended = true;
    }
    return (size_t)(end + 4 - at);
}

/* One frame. Returns its bytes, 0: not whole yet. */
static size_t read_frame(struct client *c, const uint8_t *at, size_t size)
{
    if (size < 2) return 0;
    TC_ASSERT(!c->close_seen); /* nothing after a close frame */
    uint8_t opcode = at[0] & 15;
    size_t payload = at[1], head = 2;
    /* The server's frames are whole and not masked; control frames are of no extension. */
    TC_ASSERT((at[0] & 0xf0 & (opcode < WS_CLOSE ? ~WS_DEFLATE_RSV1 : 0xff)) == 0x80);
    TC_ASSERT(payload < 127);
    if (payload == 126) {
        if (size < 4) return 0;
        payload = load_be16(at + 2);
        head = 4;
        TC_ASSERT(payload >= 126);
    }
    if (size < head + payload) return 0;
    if (opcode < WS_CLOSE)
        read_message(c, at[0], at + head, payload);
    else if (c->verbose)
        fprintf(stderr, "  client %u: opcode %u\n", c->number, opcode);
    if (opcode == WS_CLOSE) {
        c->close_seen = true;
        c->close_code = payload >= 2 ? load_be16(at + head) : 0;
        model_closed(c, c->close_code);
        if (!c->close_sent && any(c, 4)) frame(c, WS_CLOSE, at + head, payload < 2 ? 0 : 2);
        c->close_sent = true;
    } else if (opcode == WS_PING) {
        c->happened->pings++;
        if (!c->mute && !c->close_sent) frame(c, WS_PONG, at + head, payload);
    } else {
        TC_ASSERT(opcode < WS_CLOSE || opcode == WS_PONG);
    }
    return head + payload;
}

static void read_message(struct client *c, uint8_t first, const uint8_t *payload, size_t size)
{
    struct text json = encoding_open(c, first, payload, size);
    if (c->verbose)
        fprintf(stderr, "  client %u:%s%s %.*s\n", c->number, c->binary ? " bin" : "",
                first & WS_DEFLATE_RSV1 ? " packed" : "", (int)json.size, json.at ? json.at : "");
    if (json.size == 0) return;
    if (!message_json(c->truth, json.at, json.size, &c->message)) {
        fprintf(stderr, "not a message: %.*s\n", (int)json.size, json.at);
        TC_ASSERT(!"a message of the protocol");
    }
    model_message(c, &c->message);
}

/* ---- writing ---- */

static bool has_room(const struct client *c, size_t size)
{
    size_t most = size + ENCODING_PACK_MORE + 8;
    return c->sim && c->upgraded && !c->close_sent && !c->ended && c->out_size + most <= sizeof c->out;
}

static void frame(struct client *c, enum ws_opcode opcode, const void *payload, size_t size)
{
    if (!has_room(c, size)) return;
    static const uint8_t key[4] = {1, 2, 3, 4};
    uint8_t *at = c->out + c->out_size, packed[sizeof c->out];
    bool pack = c->deflate && opcode < WS_CLOSE && any(c, 2);
    if (pack) {
        size = encoding_pack(payload, size, packed);
        payload = packed;
        c->happened->packed_commands++;
    }
    *at++ = (uint8_t)(0x80 | opcode | (pack ? WS_DEFLATE_RSV1 : 0));
    if (size < 126) {
        *at++ = (uint8_t)(0x80 | size);
    } else {
        *at++ = 0x80 | 126;
        store_be16(at, (uint16_t)size);
        at += 2;
    }
    memcpy(at, key, 4);
    memcpy(at + 4, payload, size);
    ws_mask(at + 4, size, key, 0);
    c->out_size = (size_t)(at + 4 + size - c->out);
}

static void flush(struct client *c)
{
    uint32_t taken = sim_peer_send(c->sim, c->peer, c->out, (uint32_t)c->out_size);
    c->out_size -= taken;
    memmove(c->out, c->out + taken, c->out_size);
}

/* ---- asking ---- */

/* One kinds set for all patterns (what a URL can say). */
static void draw_set(struct client *c, struct asked *a, bool small)
{
    static const uint32_t kinds[] = {KINDS_CLIENT,
                                     KINDS_CLIENT,
                                     KIND_BIT(TICK_TRADE),
                                     KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_BOOK),
                                     KIND_BIT(TICK_BAR) | KIND_BIT(TICK_STATUS),
                                     KIND_BIT(TICK_QUOTE) | KIND_BIT(TICK_STATUS)};
    uint8_t k = (uint8_t)kinds[any(c, sizeof kinds / sizeof kinds[0])];
    for (uint32_t i = 1 + any(c, small ? 3 : 4); i > 0; i--) {
        uint32_t r = any(c, 10);
        uint32_t p = r < 3   ? 0
                     : r < 6 ? 1 + any(c, PATTERN_NAMES - 1)
                     : r < 9 ? PATTERN_NAMES + any(c, c->truth->symbol_count)
                             : PATTERNS - 1;
        a->kinds[p] = k;
    }
}

void client_ask(struct client *c)
{
    if (c->asked_count == ASKED_MAX || c->asked_count > any(c, ASKED_MAX) || !has_room(c, 1500)) return;
    struct asked a = {.id = ++c->next_id};
    uint32_t r = any(c, 20);
    if (r < 3 || (c->alike && any(c, 8) > 0)) {
        a.what = ASK_PING;
    } else if (r < 12) {
        a.what = ASK_SUBSCRIBE;
        draw_set(c, &a, false);
        a.has_policy = any(c, 3) == 0;
        a.policy = (enum policy)any(c, POLICIES);
        a.has_framing = any(c, 4) == 0;
        a.framing = (enum framing)any(c, FRAMINGS);
        a.has_rate = any(c, 4) == 0;
        a.rate = 1 + any(c, 100);
        a.has_snapshot = any(c, 4) == 0;
        a.snapshot = any(c, 2);
    } else if (r < 17) {
        a.what = ASK_UNSUBSCRIBE;
        draw_set(c, &a, false);
        for (uint32_t p = 0; p < PATTERNS; p++) /* mostly of what it has */
            if (a.kinds[p] == 0 && c->set.kinds[p] && any(c, 2)) {
                memset(a.kinds, 0, sizeof a.kinds);
                a.kinds[p] = c->set.kinds[p];
                break;
            }
    } else if (r < 19) {
        a.what = ASK_NONSENSE;
        a.code = any(c, 2) ? "bad_op" : "bad_pattern";
    } else {
        a.what = ASK_RESUME;
        a.start = STARTS_AT;
        a.seq = c->position;
        draw_set(c, &a, true);
    }
    c->asked[c->asked_count++] = a;
    ask_json(c, &a);
}

void client_ping(struct client *c)
{
    frame(c, WS_PING, "are you there", any(c, 13));
}

static void ask_json(struct client *c, const struct asked *a)
{
    static const char *const ops[] = {"ping", "subscribe", "unsubscribe", "resume", "dance"};
    struct draft d = {.size = 0};
    uint32_t kinds = 0;
    put(&d, "{\"op\":\"%s\",\"id\":%llu", a->code && a->code[4] == 'p' ? "subscribe" : ops[a->what],
        (unsigned long long)a->id);
    if (a->code && a->code[4] == 'p') put(&d, ",\"symbols\":[\"\"]");
    for (uint32_t p = 0; p < PATTERNS; p++) {
        char text[8];
        if (!a->kinds[p]) continue;
        pattern_text(p, text);
        put(&d, "%s\"%s\"", kinds ? "," : ",\"symbols\":[", text);
        kinds = a->kinds[p];
    }
    if (kinds) put(&d, "]");
    if (kinds && kinds != KINDS_CLIENT) {
        put(&d, ",\"kinds\":[");
        for (uint8_t k = 1, first = 1; k < TICK_FEED; k++) {
            if (!(kinds >> k & 1)) continue;
            put(&d, "%s\"%s\"", first ? "" : ",", tick_kind_name(k));
            first = 0;
        }
        put(&d, "]");
    }
    if (a->has_policy) put(&d, ",\"policy\":\"%s\"", policy_names[a->policy]);
    if (a->has_framing) put(&d, ",\"frame\":\"%s\"", framing_names[a->framing]);
    if (a->has_rate) put(&d, ",\"rate\":%llu", (unsigned long long)a->rate);
    if (a->has_snapshot) put(&d, ",\"snapshot\":%s", a->snapshot ? "true" : "false");
    if (a->start == STARTS_SINCE) put(&d, ",\"since\":%llu", (unsigned long long)a->seq);
    if (a->what == ASK_RESUME)
        put(&d, ",\"epoch\":\"%016llx\",\"seq\":%llu",
            (unsigned long long)(a->start == STARTS_FOREIGN ? 77 : c->epoch), (unsigned long long)a->seq);
    put(&d, "}");
    bool before = !c->upgraded; /* sent behind the request, before its answer is there */
    c->upgraded = true;
    frame(c, any(c, 2) ? WS_TEXT : WS_BINARY, d.text, d.size);
    c->upgraded = !before;
}

void client_close(struct client *c)
{
    static const uint8_t code[2] = {0x03, 0xe8};
    if (!has_room(c, 2)) return;
    frame(c, WS_CLOSE, code, 2);
    c->close_sent = true;
}

void client_garbage(struct client *c)
{
    if (!has_room(c, 32)) return;
    static const uint8_t broken[][4] = {{0x81, 0x05, 'a', 'b'}, {0xf1, 0x80, 0, 0}, {0x8f, 0x80, 0, 0}};
    memcpy(c->out + c->out_size, broken[any(c, 3)], 4);
    c->out_size += 4;
    c->close_sent = c->broke = true; /* it says no more */
}

/* One that resumed ahead of the head waits there, and so do its commands: the old set reaches up to there. */
bool client_is_done(const struct client *c)
{
    if (!c->sim || c->ended || !c->subscribed) return false;
    if (c->position > c->truth->head) return true;
    return c->asked_count == 0 && !c->snapshot.due && c->gap != GAP_DUE && c->untold_count == 0 &&
           max_u64(c->position, c->heartbeat) >= c->truth->head;
}
