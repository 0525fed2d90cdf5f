/* Who is no subscriber: other requests, half requests, no request, bytes that are nothing, a frame byte by
 * byte. */
#include "tests/sim/world.h"

#include "base/assert.h"

#include <string.h>

static const char *const requests[] = {
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v1/symbols HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "GET /v1/ws?symbols= HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "GET /nothing HTTP/1.0\r\n\r\n",
    "GET /v1/ws HTTP/1.1\r\nHost: loc",
    "\x16\x03\x01\x02\x01",
    "",
};

static const char upgrade[] =
    "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/* Slow loris: a text frame, and never the end of it. */
static void dribble(struct world *w, struct stranger *s)
{
    static const uint8_t head[] = {0x81, 0xfe, 0x0f, 0xff, 0, 0, 0, 0};
    uint8_t byte = s->dribbled < sizeof head ? head[s->dribbled] : ' ';
    if (s->dribbled < 4000 && world_any(w, 8) == 0) s->dribbled += sim_peer_send(s->sim, s->peer, &byte, 1);
}

void stranger_step(struct world *w, struct stranger *s)
{
    if (!s->sim) {
        if (world_any(w, 40)) return;
        s->node = world_any(w, w->node_count);
        s->seen = 0;
        s->peer = sim_connect_from(w->nodes[s->node].sim, 0, "198.51.100.7");
        if (s->peer == SIM_REFUSED) return;
        s->sim = w->nodes[s->node].sim;
        s->dribbles = world_any(w, 4) == 0;
        s->dribbled = 0;
        const char *text =
            s->dribbles ? upgrade : requests[world_any(w, sizeof requests / sizeof requests[0])];
        sim_peer_send(s->sim, s->peer, text, (uint32_t)strlen(text));
        return;
    }
    uint8_t bytes[2048];
    uint32_t n = sim_peer_read(s->sim, s->peer, bytes, 1 + world_any(w, sizeof bytes));
    static const char status[] = "HTTP/1.";
    for (uint32_t i = 0; i < n && s->seen + i < 7; i++) TC_ASSERT(bytes[i] == (uint8_t)status[s->seen + i]);
    s->seen += n;
    if (s->dribbles) dribble(w, s);
    if (sim_peer_end(s->sim, s->peer) != SIM_OPEN || world_any(w, s->dribbles ? 1000 : 100) == 0)
        stranger_go(w, s);
}

void stranger_go(struct world *w, struct stranger *s)
{
    sim_peer_close(s->sim, s->peer, world_any(w, 2) ? IO_CLOSE_FIN : IO_CLOSE_RESET);
    sim_peer_free(s->sim, s->peer);
    s->sim = NULL;
}
