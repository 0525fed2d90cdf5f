#include "cmd/bench_internal.h"

#include "base/assert.h"
#include "base/shown.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define SMALL_RCVBUF 16384u /* of slow and stuck ones: the server meets their slowness soon */
#define CLOCK_BYTES  65536u /* of one that is read by the clock, before it is subscribed */

static uint32_t slot_of(const struct bench_thread *t, const struct bench_conn *c);
static void connected(struct bench_thread *t, struct bench_conn *c);
static void take(struct bench_thread *t, struct bench_conn *c, const uint8_t *bytes, size_t size);
static void heard(struct bench_thread *t, struct bench_conn *c, size_t size);
static size_t shake(struct bench_thread *t, struct bench_conn *c, const uint8_t *bytes, size_t size);
static void shaken(struct bench_thread *t, const struct bench_conn *c);
static size_t messages(struct bench_thread *t, struct bench_conn *c, const uint8_t *bytes, size_t at,
                       size_t size);
static void message(struct bench_thread *t, struct bench_conn *c, enum client_event event,
                    struct client_message *m, uint64_t now_real_ns);
static bool keep_rest(struct bench_conn *c, const uint8_t *bytes, size_t size);
static int send_first(struct bench_thread *t, struct bench_conn *c);
static void pong(struct bench_thread *t, struct bench_conn *c, const struct client_message *m);
static void closed(struct bench_thread *t, struct bench_conn *c, const struct client_message *m);
static void ended(struct bench_thread *t, struct bench_conn *c, int32_t result);
static void drop(struct bench_thread *t, struct bench_conn *c, bool reset);

void bench_conn_begin(struct bench_thread *t, struct bench_conn *c, uint64_t due_ns)
{
    struct fault f;
    bool by_clock = c->role == ROLE_SLOW || c->role == ROLE_STUCK;
    c->state = CONN_CONNECTING;
    c->begin_ns = due_ns;
    t->shaking++;
    if (c->generation++ == 0 && c->role == ROLE_READER) t->readers++;
    c->fd = client_connect_begin(&t->bench->address, by_clock ? SMALL_RCVBUF : 0, &f);
    if (c->fd < 0) {
        bench_conn_end(t, c, f.text);
        return;
    }
    if (by_clock) return;
    int err = t->io->ops->attach(t->io, slot_of(t, c), c->generation, c->fd);
    if (err < 0) {
        c->fd = -1; /* the io has closed it */
        bench_conn_end(t, c, "the io took no more connections; see fs.epoll.max_user_watches");
        return;
    }
    c->attached = c->reading = true;
    t->io->ops->writable_arm(t->io, slot_of(t, c));
}

static uint32_t slot_of(const struct bench_thread *t, const struct bench_conn *c)
{
    return (uint32_t)(c - t->conns);
}

void bench_conn_event(struct bench_thread *t, const struct io_event *e)
{
    struct bench_conn *c = &t->conns[e->slot];
    if (c->generation != e->generation || c->state >= CONN_AWAY) return;
    if (e->op == IO_WRITABLE && c->state == CONN_CONNECTING)
        connected(t, c);
    else if (e->op == IO_RECEIVED && e->result > 0)
        take(t, c, e->bytes, (size_t)e->result);
    else if (e->op == IO_RECEIVED)
        ended(t, c, e->result);
}

void bench_conn_by_clock(struct bench_thread *t, struct bench_conn *c, size_t most)
{
    if (c->state == CONN_CONNECTING) connected(t, c);
    if (c->state != CONN_OPEN && c->state != CONN_SHAKING) return;
    /* What comes before the stream itself is not rationed. */
    if (c->state == CONN_SHAKING || !c->at.subscribed) most = CLOCK_BYTES;
    uint8_t *room = t->buffer + t->buffer_room - CLOCK_BYTES; /* behind what a rest can take */
    ssize_t n = recv(c->fd, room, min_u64(most, CLOCK_BYTES), MSG_DONTWAIT);
    if (n > 0)
        take(t, c, room, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        ended(t, c, n == 0 ? 0 : -errno);
}

void bench_conn_watch(struct bench_thread *t, struct bench_conn *c, bool reading)
{
    if (!c->attached || reading == c->reading) return;
    c->reading = reading;
    if (reading)
        t->io->ops->receive_resume(t->io, slot_of(t, c));
    else
        t->io->ops->receive_pause(t->io, slot_of(t, c));
}

/* The handshake's request goes out; nothing of one that is still connecting. */
static void connected(struct bench_thread *t, struct bench_conn *c)
{
    int err = 0;
    socklen_t size = sizeof err;
    struct fault f;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &size);
    if (err) {
        ended(t, c, -err);
        return;
    }
    if (bench_plan_request(t, c, &f) < 0) {
        bench_conn_end(t, c, f.text);
        return;
    }
    ssize_t n = send(c->fd, t->handshake.request, t->handshake.request_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == ENOTCONN) && !c->attached) return; /* by the clock: not yet */
    if (n != (ssize_t)t->handshake.request_bytes) { /* a fresh socket takes a request whole */
        bench_conn_end(t, c, "the handshake could not be sent");
        return;
    }
    c->state = CONN_SHAKING;
}

/* New bytes: parsed where they lie, or behind the rest of before in the thread's buffer. */
static void take(struct bench_thread *t, struct bench_conn *c, const uint8_t *bytes, size_t size)
{
    size_t at = 0, rest = c->rest_size;
    heard(t, c, size);
    if (rest) {
        TC_ASSERT(rest + size <= t->buffer_room);
        memmove(t->buffer + rest, bytes, size);
        memcpy(t->buffer, c->rest, rest);
        bytes = t->buffer;
        size += rest;
    }
    uint64_t ticks = t->counts[ROLE_READER].ticks, frames = t->counts[ROLE_READER].frames;
    if (c->state == CONN_SHAKING) at = shake(t, c, bytes, size);
    if (c->state == CONN_OPEN) at = messages(t, c, bytes, at, size);
    if (bench_measuring(t) && t->counts[ROLE_READER].frames != frames) {
        struct series_interval *now = series_now(t->series, clock_mono_ns());
        now->ticks += t->counts[ROLE_READER].ticks - ticks;
        now->messages += t->counts[ROLE_READER].frames - frames;
    }
    bool over = c->state != CONN_OPEN && c->state != CONN_SHAKING;
    if (!over && !keep_rest(c, bytes + at, size - at))
        bench_conn_end(t, c, "no memory for a part of a message");
}

static void heard(struct bench_thread *t, struct bench_conn *c, size_t size)
{
    if (!bench_measuring(t)) return;
    struct bench_counts *n = &t->counts[c->role];
    uint64_t now = clock_mono_ns();
    n->bytes += size;
    n->reads++;
    if (c->state == CONN_OPEN && c->heard_ns) n->silence_ns = max_u64(n->silence_ns, now - c->heard_ns);
    c->heard_ns = now;
    if (c->role == ROLE_READER) series_now(t->series, now)->bytes += size;
}

/* Bytes used; 0 while the answer is not whole. */
static size_t shake(struct bench_thread *t, struct bench_conn *c, const uint8_t *bytes, size_t size)
{
    struct fault f;
    const struct bench_options *o = &t->bench->options;
    struct client_deflate deflate;
    int r = client_handshake_check(&t->handshake, bench_plan_subprotocol(t), (const char *)bytes, size,
                                   &deflate, &f);
    if (r < 0) bench_conn_end(t, c, f.text);
    if (r <= 0) return 0;
    c->state = CONN_OPEN;
    t->shaking--;
    shaken(t, c);
    const char *why = bench_deflate_agree(t, c, &deflate);
    if (why) {
        bench_conn_end(t, c, why);
        return 0;
    }
    if (o->send && send_first(t, c) < 0) {
        bench_conn_end(t, c, "--send: the message could not be sent");
        return 0;
    }
    if (!c->was_open && (o->idle || o->any)) {
        c->was_open = true;
        atomic_fetch_add_explicit(&t->bench->open, 1, memory_order_relaxed);
    }
    return (size_t)r;
}

/* Those that are served by the clock are counted, not timed: their time would be our own step. */
static void shaken(struct bench_thread *t, const struct bench_conn *c)
{
    uint64_t now = clock_mono_ns();
    struct bench_connects *n = &t->connects;
    if (c->attached) latency_record(t->handshakes, now - c->begin_ns);
    if (t->phase == PHASE_RAMP && c->generation == 1) {
        if (n->ramp == 0 || c->begin_ns < n->ramp_begin_ns) n->ramp_begin_ns = c->begin_ns;
        n->ramp++;
        n->ramp_end_ns = now;
    }
    n->measured += bench_measuring(t);
}

/* Takes every whole message; returns where the rest begins. */
static size_t messages(struct bench_thread *t, struct bench_conn *c, const uint8_t *bytes, size_t at,
                       size_t size)
{
    uint64_t now = clock_real_ns();
    while (c->state == CONN_OPEN) {
        struct client_message m;
        size_t used;
        enum client_event event = client_read(&c->reader, bytes + at, size - at, &used, &m);
        at += used;
        if (event == CLIENT_MORE) return at;
        message(t, c, event, &m, now);
        /* Enough to subscribe is enough for one that shall not read. */
        if (c->role == ROLE_STUCK && c->at.subscribed) break;
    }
    return at;
}

static void message(struct bench_thread *t, struct bench_conn *c, enum client_event event,
                    struct client_message *m, uint64_t now_real_ns)
{
    if (event != CLIENT_BAD && m->packed && !bench_deflate_unpack(t, c, m)) {
        bench_conn_end(t, c, NULL);
        return;
    }
    struct text json = {.at = (const char *)m->payload, .size = m->size};
    bool any = t->bench->options.any;
    switch (event) {
    case CLIENT_BINARY:
        if (any)
            bench_any(t, c, json, now_real_ns);
        else if (!bench_binary(t, c, m, now_real_ns) && c->state == CONN_OPEN)
            bench_conn_end(t, c, NULL);
        break;
    case CLIENT_TEXT:
        if (any)
            bench_any(t, c, json, now_real_ns);
        else if (!bench_message(t, c, json, now_real_ns) && c->state == CONN_OPEN)
            bench_conn_end(t, c, NULL);
        break;
    case CLIENT_PING: pong(t, c, m); break;
    case CLIENT_CLOSE: closed(t, c, m); break;
    case CLIENT_BAD:
        bench_broken(t, c, m->fail, c->at.position);
        bench_conn_end(t, c, NULL);
        break;
    case CLIENT_PONG:
    case CLIENT_MORE: break;
    }
}

static bool keep_rest(struct bench_conn *c, const uint8_t *bytes, size_t size)
{
    if (size > c->rest_room) {
        uint8_t *grown = size <= CLIENT_MESSAGE_MAX + CLIENT_FRAME_HEAD_MAX ? realloc(c->rest, size) : NULL;
        if (!grown) return false;
        c->rest = grown;
        c->rest_room = (uint32_t)size;
    }
    if (size) memcpy(c->rest, bytes, size);
    c->rest_size = (uint32_t)size;
    return true;
}

static int send_first(struct bench_thread *t, struct bench_conn *c)
{
    size_t size = strlen(t->bench->options.send);
    uint8_t *frame = malloc(size + CLIENT_FRAME_HEAD_MAX);
    if (!frame) return -1;
    uint32_t whole = client_frame_make(frame, WS_TEXT, t->bench->options.send, (uint32_t)size, t->mask);
    ssize_t n = send(c->fd, frame, whole, MSG_NOSIGNAL | MSG_DONTWAIT);
    free(frame);
    return n == (ssize_t)whole ? 0 : -1;
}

/* The server's pings are mostly alike: the masked answer to the last one is kept. */
static void pong(struct bench_thread *t, struct bench_conn *c, const struct client_message *m)
{
    if (!t->pong_size || m->size != t->ping_size || memcmp(m->payload, t->ping_seen, m->size) != 0) {
        if (m->size) memcpy(t->ping_seen, m->payload, m->size);
        t->ping_size = (uint32_t)m->size;
        t->pong_size = client_frame_make(t->pong, WS_PONG, m->payload, (uint32_t)m->size, t->mask);
    }
    ssize_t n = send(c->fd, t->pong, t->pong_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0 && n < (ssize_t)t->pong_size)
        bench_conn_end(t, c, "a pong went out in part: the server does not read");
}

static void closed(struct bench_thread *t, struct bench_conn *c, const struct client_message *m)
{
    if (m->close_code == WS_TOO_SLOW) t->counts[c->role].closed_slow++;
    if (m->close_code == WS_TOO_SLOW && c->role == ROLE_READER && bench_comes_back(&t->bench->options)) {
        bench_conn_again(t, c, c->at.subscribed && c->has_epoch, false, clock_mono_ns());
        return;
    }
    if (m->close_code == WS_NORMAL || m->close_code == WS_TOO_SLOW) {
        bench_conn_end(t, c, NULL);
        return;
    }
    char text[200], reason[124];
    snprintf(text, sizeof text, "closed by the server with %u %s", m->close_code,
             shown_copy(reason, sizeof reason, (struct text){(const char *)m->payload, m->size}));
    bench_conn_end(t, c, text);
}

/* The other side is gone: result 0, or -errno. */
static void ended(struct bench_thread *t, struct bench_conn *c, int32_t result)
{
    char words[96];
    if (result == 0)
        bench_conn_end(t, c, "the server closed without a close frame");
    else if (c->state == CONN_CONNECTING || result != -ECONNRESET)
        bench_conn_end(t, c, strerror_r(-result, words, sizeof words));
    else
        bench_conn_end(t, c, "the connection was reset");
}

void bench_conn_end(struct bench_thread *t, struct bench_conn *c, const char *why)
{
    if (c->state == CONN_ENDED) return;
    if (why) {
        t->counts[c->role].lost++;
        if (!t->first.text[0]) fault_set(&t->first, TC_ESYSTEM, "connection %u: %s", c->index, why);
    }
    drop(t, c, false);
    c->state = CONN_ENDED;
    atomic_fetch_add_explicit(&t->bench->ended, 1, memory_order_relaxed);
}

void bench_conn_again(struct bench_thread *t, struct bench_conn *c, bool resume, bool reset,
                      uint64_t again_ns)
{
    drop(t, c, reset);
    c->state = CONN_AWAY;
    c->again_ns = again_ns;
    t->next_again_ns = min_u64(t->next_again_ns, again_ns);
    c->stalled_until_ns = c->heard_ns = c->any_seq = 0;
    verify_conn_forget(&c->verify);
    c->resuming = resume;
    uint64_t position = c->at.position;
    if (resume)
        continuity_resume(&c->at);
    else
        c->at = (struct continuity){0};
    /* A heartbeat above the position says that nothing in between matches: that is held against it too. */
    if (resume && t->bench->options.verify && c->at.position > position)
        verify_conn_frame(&c->verify, position, c->at.position, 0);
}

static void drop(struct bench_thread *t, struct bench_conn *c, bool reset)
{
    if (c->state < CONN_OPEN) t->shaking--;
    if (c->attached)
        t->io->ops->detach(t->io, slot_of(t, c), reset ? IO_CLOSE_RESET : IO_CLOSE_FIN);
    else if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->attached = c->reading = false;
    client_reader_free(&c->reader);
    client_bin_free(&c->bin);
    inflater_destroy(c->inflater);
    c->inflater = NULL;
    free(c->rest);
    c->rest = NULL;
    c->rest_size = c->rest_room = 0;
}
