/* support/worker_rig.h -- one worker on the simulated network and a virtual clock, driven turn by turn; the
 * test is the feed and the subscribers. Everything a subscriber reads is checked: whole frames, and one chain
 * of positions. For cmocka programs: include cmocka.h before. */
#ifndef TC_TESTS_SUPPORT_WORKER_RIG_H
#define TC_TESTS_SUPPORT_WORKER_RIG_H

#include "base/clock.h"
#include "io/io_sim.h"
#include "worker/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rig {
    struct settings settings;
    struct server server;
    struct sim *sim;
    struct worker *worker;
    int listen_fd; /* none: a number for options that the worker keeps a pointer to */
};

struct rig_options {
    uint32_t connections, log_capacity, symbols;
    uint32_t cohort_members; /* 0: the default */
    uint32_t batch_us;
    uint32_t deflate_level, deflate_bytes_least, deflate_members_least; /* 0: the default */
    uint64_t (*stamp_ns)(void); /* of log and worker; NULL: the log counts no ages */
    uint32_t window_max;        /* of a peer, and reserved for each; 0: 4 MiB */
    struct sim_faults faults;
};

/* A subscriber. Text messages come out of client_next one by one; position as docs/protocol.md has it. */
struct client {
    struct rig *rig;
    int32_t peer;
    uint8_t *bytes; /* read, not yet taken as frames */
    uint32_t size, room;
    uint32_t pongs; /* pong frames seen */
    bool open, positioned;
    uint64_t position;
    char *message; /* the last one, with a terminator */
};

static inline struct io *rig_io(void *context, int wake_fd, struct fault *f)
{
    (void)wake_fd;
    (void)f;
    return sim_io(context);
}

/* Returns what worker_turn returns: 0, and its thread would sleep. */
static inline uint32_t rig_turn_after(struct rig *r, uint64_t ns)
{
    uint64_t now_ns = sim_now_ns(r->sim) + ns;
    sim_advance_to(r->sim, now_ns);
    uint32_t work = worker_turn(r->worker, now_ns, now_ns, 0);
    worker_check(r->worker);
    return work;
}

/* One turn, a millisecond later. */
static inline uint32_t rig_turn(struct rig *r)
{
    return rig_turn_after(r, NS_PER_MS);
}

static inline void rig_turns(struct rig *r, uint32_t count)
{
    while (count-- > 0) rig_turn(r);
}

static inline void rig_open(struct rig *r, const struct rig_options *o)
{
    *r = (struct rig){0};
    settings_default(&r->settings);
    r->settings.connections_max = o->connections;
    r->settings.log_capacity = o->log_capacity;
    r->settings.symbols_max = o->symbols;
    r->settings.filter_bytes = 64 << 20;
    r->settings.commands_per_second_max = 0;
    if (o->cohort_members > 0) r->settings.cohort_members_max = o->cohort_members;
    r->settings.batch_us = o->batch_us;
    if (o->deflate_level > 0) r->settings.deflate_level = o->deflate_level;
    if (o->deflate_bytes_least > 0) r->settings.deflate_bytes_least = o->deflate_bytes_least;
    if (o->deflate_members_least > 0) r->settings.deflate_members_least = o->deflate_members_least;
    r->settings.ping_interval_ns = 3600 * NS_PER_SECOND; /* nobody here answers pings */
    struct log_options lo = {.capacity = o->log_capacity,
                             .symbols_max = o->symbols,
                             .bars_max = 64,
                             .small_pages = true,
                             .stamp_ns = o->stamp_ns};
    r->server = (struct server){.settings = &r->settings, .version = "sim", .log = log_create(&lo, NULL)};
    assert_non_null(r->server.log);
    struct io_options io = worker_io_options(&r->settings);
    struct sim_options so = {.faults = o->faults,
                             .peers_max = o->connections,
                             .window_max = o->window_max ? o->window_max : 4 << 20,
                             .start_ns = NS_PER_SECOND};
    r->sim = sim_open(&io, &so, NULL);
    assert_non_null(r->sim);
    struct worker_options wo = {.server = &r->server,
                                .cpu = -1,
                                .io_open = rig_io,
                                .io_context = r->sim,
                                .listen_fds = &r->listen_fd,
                                .listen_count = 1,
                                .stamp_ns = o->stamp_ns,
                                .seed = 1};
    assert_int_equal(worker_create(&r->worker, &wo, NULL), 0);
    r->server.workers[r->server.worker_count++] = r->worker;
    worker_clock(r->worker, sim_now_ns(r->sim));
    assert_int_equal(worker_open_io(r->worker, NULL), 0);
    rig_turn(r);
}

static inline void rig_close(struct rig *r)
{
    worker_destroy(r->worker);
    log_destroy(r->server.log);
    settings_free(&r->settings);
}

#define rig_counter(r, name) counter_get(&worker_counters((r)->worker)->name)

/* ---- The feed. ---- */

static inline uint32_t rig_symbol(struct rig *r, const char *name)
{
    int64_t id = log_symbol(r->server.log, text_of(name), 1);
    assert_true(id >= 0);
    return (uint32_t)id;
}

static inline uint64_t rig_trade(struct rig *r, uint32_t symbol, int64_t price)
{
    struct tick t = {.kind = TICK_TRADE, .symbol = symbol, .event_ns = 1, .ingest_ns = 1};
    t.trade = (struct tick_trade){.price = price, .size = 1};
    return log_append(r->server.log, &t, 1);
}

static inline uint64_t rig_quote(struct rig *r, uint32_t symbol, int64_t bid)
{
    struct tick t = {.kind = TICK_QUOTE, .symbol = symbol, .event_ns = 1, .ingest_ns = 1};
    t.quote = (struct tick_quote){.bid = bid, .bid_size = 1, .ask = bid + 1, .ask_size = 1};
    return log_append(r->server.log, &t, 1);
}

static inline uint64_t rig_feed(struct rig *r, enum feed_state state, bool reset, uint64_t lost)
{
    struct tick t = {.kind = TICK_FEED, .event_ns = 1, .ingest_ns = 1, .flags = reset ? FEED_RESET : 0};
    t.feed.state = (uint8_t)state;
    t.feed.lost = lost;
    if (state == FEED_LOST) t.feed.reason = FEED_REASON_RING;
    memcpy(t.feed.name, "sim", 3);
    return log_append(r->server.log, &t, 1);
}

/* ---- Messages: enough JSON for what the server writes. ---- */

/* The number after the first "key": or UINT64_MAX if there is none. */
static inline uint64_t json_number(const char *json, const char *key)
{
    char name[48];
    snprintf(name, sizeof name, "\"%s\":", key);
    const char *at = json ? strstr(json, name) : NULL;
    return at ? strtoull(at + strlen(name), NULL, 10) : UINT64_MAX;
}

static inline bool message_is(const char *json, const char *type)
{
    char begin[48];
    int size = snprintf(begin, sizeof begin, "{\"type\":\"%s\"", type);
    return strncmp(json, begin, (size_t)size) == 0;
}

/* Steps through the ticks of a message: the next object of kind and symbol, or NULL. symbol NULL: any. */
static inline const char *json_tick(const char *at, const char *kind, const char *symbol)
{
    char begin[48], name[48];
    snprintf(begin, sizeof begin, "{\"type\":\"%s\"", kind);
    snprintf(name, sizeof name, "\"symbol\":\"%s\"", symbol ? symbol : "");
    while ((at = strstr(at + 1, begin)) != NULL) {
        const char *end = strchr(at, '}'), *found = strstr(at, name);
        if (!symbol || (found && found < end)) return at;
    }
    return NULL;
}

/* ---- A subscriber. ---- */

static inline void client_check(struct client *c)
{
    const char *m = c->message;
    if (message_is(m, "subscribed") || message_is(m, "unsubscribed")) {
        const char *seq = strstr(m, "\"rate\":"); /* ids may hold anything: look behind them */
        uint64_t told = json_number(seq, "seq");
        if (c->positioned) assert_true(told == c->position);
        c->position = told;
        c->positioned = true;
    } else if (message_is(m, "ticks") || message_is(m, "gap") || message_is(m, "covered")) {
        assert_true(json_number(m, "from") == c->position);
        assert_true(json_number(m, "to") > c->position);
        c->position = json_number(m, "to");
    } else if (message_is(m, "snapshot")) { /* exact at its own seq: nothing newer is in it */
        assert_true(json_number(m, "seq") == c->position);
        for (const char *at = m; (at = strstr(at + 1, "\"seq\":")) != NULL;)
            assert_true(json_number(at, "seq") <= c->position);
    } else if (message_is(m, "heartbeat")) {
        assert_true(json_number(m, "seq") >= c->position);
    }
}

static inline void client_read(struct client *c, uint32_t most)
{
    while (most > 0) {
        if (c->room - c->size < 65536) {
            c->room = c->room * 2 + (1 << 18);
            c->bytes = realloc(c->bytes, c->room);
            assert_non_null(c->bytes);
        }
        uint32_t got = sim_peer_read(c->rig->sim, c->peer, c->bytes + c->size, min_u32(most, 65536));
        c->size += got;
        most -= got;
        if (got == 0) return;
    }
}

static inline void client_drop(struct client *c, uint32_t bytes)
{
    c->size -= bytes;
    memmove(c->bytes, c->bytes + bytes, c->size);
}

/* The next text message among the bytes read, checked, or NULL. */
static inline const char *client_next(struct client *c)
{
    while (c->size >= 2) {
        uint32_t head = 2, size = c->bytes[1], opcode = c->bytes[0] & 15;
        assert_int_equal(c->bytes[0] & 0xF0, 0x80);
        assert_true(size < 127); /* nothing here is longer than a frame of 64 KiB */
        if (size == 126) {
            head = 4;
            if (c->size < head) return NULL;
            size = load_be16(c->bytes + 2);
        }
        if (c->size < head + size) return NULL;
        free(c->message);
        c->message = calloc(1, size + 1);
        assert_non_null(c->message);
        memcpy(c->message, c->bytes + head, size);
        client_drop(c, head + size);
        c->pongs += opcode == 10;
        if (opcode == 8) c->open = false;
        if (opcode != 1) continue;
        client_check(c);
        return c->message;
    }
    return NULL;
}

/* Reads all there is and takes messages up to the first of that type; NULL: there was none. */
static inline const char *client_until(struct client *c, const char *type)
{
    const char *m;
    client_read(c, UINT32_MAX);
    while ((m = client_next(c)) != NULL)
        if (message_is(m, type)) return m;
    return NULL;
}

static inline void client_frame(struct client *c, uint8_t opcode, const char *text)
{
    uint8_t frame[512];
    size_t size = strlen(text), head = size < 126 ? 2 : 4;
    assert_true(size + 8 <= sizeof frame);
    frame[0] = (uint8_t)(0x80 | opcode);
    frame[1] = (uint8_t)(0x80 | (size < 126 ? size : 126));
    if (head == 4) store_be16(frame + 2, (uint16_t)size);
    memset(frame + head, 0, 4); /* a mask of zeros */
    memcpy(frame + head + 4, text, size);
    uint32_t all = (uint32_t)(head + 4 + size);
    assert_int_equal(sim_peer_send(c->rig->sim, c->peer, frame, all), all);
}

static inline void client_command(struct client *c, const char *json)
{
    client_frame(c, 1, json);
}

/* Connects and upgrades; the query as in a URL; fields: more lines of the request, each with its end. The
 * answer comes with the next turns. */
static inline void client_connect_with(struct rig *r, struct client *c, const char *query, const char *fields)
{
    *c = (struct client){.rig = r, .peer = sim_connect(r->sim, 0), .open = true};
    assert_true(c->peer >= 0);
    char text[512];
    int size = snprintf(text, sizeof text,
                        "GET /v1/ws?%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n",
                        query, fields);
    assert_int_equal(sim_peer_send(r->sim, c->peer, text, (uint32_t)size), (uint32_t)size);
}

static inline void client_connect(struct rig *r, struct client *c, const char *query)
{
    client_connect_with(r, c, query, "");
}

/* Takes the answer to the handshake off. False: it is not there yet. */
static inline bool client_upgraded(struct client *c)
{
    client_read(c, UINT32_MAX);
    const uint8_t *end = c->size ? memmem(c->bytes, c->size, "\r\n\r\n", 4) : NULL;
    if (!end) return false;
    assert_memory_equal(c->bytes, "HTTP/1.1 101 ", 13);
    client_drop(c, (uint32_t)(end - c->bytes) + 4);
    return true;
}

/* As client_connect, up to `subscribed`. */
static inline void client_subscribe(struct rig *r, struct client *c, const char *query)
{
    client_connect(r, c, query);
    rig_turns(r, 4);
    assert_true(client_upgraded(c));
    assert_non_null(client_until(c, "subscribed"));
}

static inline void client_close(struct client *c)
{
    free(c->bytes);
    free(c->message);
}

#endif
