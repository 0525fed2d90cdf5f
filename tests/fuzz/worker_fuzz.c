/* tests/fuzz/worker_fuzz.c -- plan: a client's bytes, as they come, to a whole worker on the simulated
 * network, while ticks go on. The first byte says what the rest is: bits 0 and 1 one of the ways below, bit 2
 * a client that takes little, bit 3 one that ends its stream before it closes; the rest how many bytes come
 * at a time.
 *
 * Whatever comes: the worker's own checks hold after each turn, what it answers begins as HTTP, and behind an
 * upgrade without permessage-deflate it is whole frames in one chain of positions (worker_rig.h). When the
 * client is gone, nothing of it is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/fixed_random.h"
#include "support/worker_rig.h"

#include "base/assert.h"

/* WAY_FRAMES and WAY_PACKED: behind an upgrade without and with permessage-deflate. WAY_COMMANDS: behind an
 * upgrade; a byte of length before each payload of a text frame. */
enum { WAY_BYTES, WAY_FRAMES, WAY_PACKED, WAY_COMMANDS, WAYS, TAKES_LITTLE = 4, ENDS = 8, STEP_SHIFT = 4 };

#define TURNS_MAX  300u /* an input of single bytes is cut short */
#define FEW_BYTES  700u
#define SYMBOL_MAX 3u

struct subject {
    struct rig rig;
    struct client client;
    uint32_t symbols[SYMBOL_MAX], turns;
    bool upgraded,
        packed; /* the answer to the upgrade was taken off; packed: so is what comes, it is not read */
};

static void feed(struct subject *s)
{
    uint32_t turn = s->turns++;
    rig_trade(&s->rig, s->symbols[turn % SYMBOL_MAX], turn);
    rig_quote(&s->rig, s->symbols[0], turn);
    if (turn % 16 == 3) rig_feed(&s->rig, FEED_LOST, false, turn);
    if (turn % 32 == 9) rig_feed(&s->rig, FEED_LOOPED, true, 0);
}

/* Takes what there is, as a client would. */
static void take(struct subject *s, bool little)
{
    struct client *c = &s->client;
    client_read(c, little ? 64 : UINT32_MAX);
    if (!s->upgraded) {
        static const char begin[] = "HTTP/1.";
        TC_ASSERT(memcmp(c->bytes, begin, min_u32(c->size, sizeof begin - 1)) == 0);
        return;
    }
    if (s->packed)
        c->size = 0;
    else
        while (client_next(c) != NULL) continue;
}

static void turn(struct subject *s, bool little)
{
    feed(s);
    rig_turn(&s->rig);
    take(s, little);
}

static void send_bytes(struct subject *s, const uint8_t *bytes, size_t size, size_t step, bool little)
{
    for (size_t at = 0; at < size && s->turns < TURNS_MAX;) {
        size_t piece = min_u64(step, size - at);
        uint32_t sent = sim_peer_send(s->rig.sim, s->client.peer, bytes + at, (uint32_t)piece);
        at += piece;
        turn(s, little);
        if (sent < piece) return; /* it is over, or full */
    }
}

static void send_commands(struct subject *s, const uint8_t *bytes, size_t size, bool little)
{
    while (size > 0 && s->turns < TURNS_MAX) {
        size_t payload = min_u64(bytes[0], size - 1);
        uint8_t frame[8 + 255];
        uint32_t head = payload < 126 ? 2 : 4;
        frame[0] = 0x81;
        frame[1] = (uint8_t)(0x80 | (payload < 126 ? payload : 126));
        if (head == 4) store_be16(frame + 2, (uint16_t)payload);
        memset(frame + head, 0, 4); /* a mask of zeros */
        memcpy(frame + head + 4, bytes + 1, payload);
        sim_peer_send(s->rig.sim, s->client.peer, frame, head + 4 + (uint32_t)payload);
        bytes += 1 + payload;
        size -= 1 + payload;
        turn(s, little);
    }
}

static void open_subject(struct subject *s, uint32_t way)
{
    static const char *const names[SYMBOL_MAX] = {"A", "AB", "B"};
    struct rig_options o = {.connections = 4, .log_capacity = 1024, .symbols = 8, .window_max = 1 << 20};
    rig_open(&s->rig, &o);
    s->rig.settings.echo = true;
    for (uint32_t i = 0; i < SYMBOL_MAX; i++) s->symbols[i] = rig_symbol(&s->rig, names[i]);
    feed(s);
    if (way == WAY_BYTES) {
        s->client = (struct client){.rig = &s->rig, .peer = sim_connect(s->rig.sim, 0), .open = true};
        TC_ASSERT(s->client.peer >= 0);
        return;
    }
    client_connect_with(&s->rig, &s->client, "",
                        way == WAY_PACKED ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    rig_turns(&s->rig, 4);
    s->upgraded = client_upgraded(&s->client);
    TC_ASSERT(s->upgraded);
    s->packed = way == WAY_PACKED;
}

/* The client goes; what it held is given back. */
static void close_subject(struct subject *s, bool ends)
{
    if (ends) {
        sim_peer_shutdown(s->rig.sim, s->client.peer);
        for (int i = 0; i < 3; i++) turn(s, false);
    }
    sim_peer_free(s->rig.sim, s->client.peer);
    rig_turns(&s->rig, 8);
    TC_ASSERT(rig_counter(&s->rig, connections) == 0);
    TC_ASSERT(rig_counter(&s->rig, subscribers) == 0);
    TC_ASSERT(rig_counter(&s->rig, input_bytes) == 0);
    TC_ASSERT(rig_counter(&s->rig, rest_bytes) == 0);
    TC_ASSERT(sim_buffers_lent(s->rig.sim) == 0);
    client_close(&s->client);
    rig_close(&s->rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 1) return 0;
    uint8_t how = input[0];
    uint32_t way = how % WAYS, step = how >> STEP_SHIFT;
    bool little = how & TAKES_LITTLE;
    struct subject s = {0};
    open_subject(&s, way);
    if (little) sim_peer_window(s.rig.sim, s.client.peer, FEW_BYTES);
    if (way == WAY_COMMANDS)
        send_commands(&s, input + 1, size - 1, little);
    else
        send_bytes(&s, input + 1, size - 1, step ? step * step : size, little);
    for (int i = 0; i < 4; i++) turn(&s, little);
    if (little) sim_peer_window(s.rig.sim, s.client.peer, 1 << 20);
    for (int i = 0; i < 3; i++) turn(&s, false);
    close_subject(&s, how & ENDS);
    return 0;
}
