#include "cmd/bench_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define SMALL_RCVBUF 16384u /* of slow and stuck ones: the server meets their slowness soon */

static void connected(struct bench_thread *t, struct bench_conn *c);
static ssize_t fill(struct bench_thread *t, struct bench_conn *c, size_t most, size_t *size);
static size_t shake(struct bench_thread *t, struct bench_conn *c, size_t size);
static size_t messages(struct bench_thread *t, struct bench_conn *c, size_t at, size_t size);
static bool keep_rest(struct bench_conn *c, const uint8_t *bytes, size_t size);
static void pong(struct bench_thread *t, struct bench_conn *c, const struct client_message *m);
static void closed(struct bench_thread *t, struct bench_conn *c, const struct client_message *m);

void bench_conn_begin(struct bench_thread *t, struct bench_conn *c)
{
    struct fault f;
    bool small = c->role == ROLE_SLOW || c->role == ROLE_STUCK;
    c->state = CONN_CONNECTING;
    t->shaking++;
    c->fd = client_connect_begin(&t->bench->address, small ? SMALL_RCVBUF : 0, &f);
    struct epoll_event e = {.events = EPOLLOUT, .data.ptr = c};
    if (c->fd < 0)
        bench_conn_end(t, c, f.text);
    else if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
        bench_conn_end(t, c, "epoll_ctl failed");
}

void bench_conn_event(struct bench_thread *t, struct bench_conn *c, uint32_t events)
{
    if (c->state == CONN_CONNECTING)
        connected(t, c);
    else if (c->state != CONN_ENDED && (c->reading || (events & (EPOLLERR | EPOLLHUP))))
        bench_conn_read(t, c, BENCH_READ_BYTES);
}

static void connected(struct bench_thread *t, struct bench_conn *c)
{
    int err = 0;
    socklen_t size = sizeof err;
    char words[96];
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &size);
    if (err) {
        bench_conn_end(t, c, strerror_r(err, words, sizeof words));
        return;
    }
    ssize_t n = send(c->fd, t->handshake.request, t->handshake.request_bytes, MSG_NOSIGNAL);
    if (n != (ssize_t)t->handshake.request_bytes) { /* a fresh socket takes a request whole */
        bench_conn_end(t, c, "the handshake could not be sent");
        return;
    }
    c->state = CONN_SHAKING;
    bench_conn_watch(t, c, true);
}

void bench_conn_watch(struct bench_thread *t, struct bench_conn *c, bool reading)
{
    c->reading = reading;
    struct epoll_event e = {.events = reading ? EPOLLIN : 0, .data.ptr = c};
    epoll_ctl(t->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

void bench_conn_read(struct bench_thread *t, struct bench_conn *c, size_t most)
{
    size_t size = 0, at = 0;
    ssize_t n = fill(t, c, most, &size);
    if (n == -EAGAIN || n == -EINTR) return;
    if (n <= 0) {
        bench_conn_end(t, c, n == 0 ? "the server closed without a close frame" : "the connection was reset");
        return;
    }
    if (bench_measuring(t)) {
        t->counts[c->role].bytes += (uint64_t)n;
        t->counts[c->role].reads++;
    }
    if (c->state == CONN_SHAKING) at = shake(t, c, size);
    if (c->state == CONN_OPEN) at = messages(t, c, at, size);
    if (c->state != CONN_ENDED && !keep_rest(c, t->buffer + at, size - at))
        bench_conn_end(t, c, "no memory for a part of a message");
}

/* The rest of before, then new bytes, in the thread's buffer. */
static ssize_t fill(struct bench_thread *t, struct bench_conn *c, size_t most, size_t *size)
{
    ssize_t n = recv(c->fd, t->buffer + c->rest_size, min_u64(most, BENCH_READ_BYTES), 0);
    if (n < 0) return -errno;
    if (c->rest_size) memcpy(t->buffer, c->rest, c->rest_size);
    *size = c->rest_size + (size_t)n;
    return n;
}

/* Bytes used; 0 while the answer is not whole. */
static size_t shake(struct bench_thread *t, struct bench_conn *c, size_t size)
{
    struct fault f;
    int r = client_handshake_check(&t->handshake, "tickcast.v1.json", (const char *)t->buffer, size, &f);
    if (r < 0) bench_conn_end(t, c, f.text);
    if (r <= 0) return 0;
    c->state = CONN_OPEN;
    t->shaking--;
    if (t->bench->options.idle) atomic_fetch_add_explicit(&t->bench->open, 1, memory_order_relaxed);
    return (size_t)r;
}

/* Takes every whole message; returns where the rest begins. */
static size_t messages(struct bench_thread *t, struct bench_conn *c, size_t at, size_t size)
{
    uint64_t now = clock_real_ns();
    while (c->state == CONN_OPEN) {
        struct client_message m;
        size_t used;
        enum client_event event = client_read(&c->reader, t->buffer + at, size - at, &used, &m);
        at += used;
        if (event == CLIENT_MORE) return at;
        if (event == CLIENT_TEXT) {
            struct text json = {.at = (const char *)m.payload, .size = m.size};
            if (!bench_message(t, c, json, now) && c->state == CONN_OPEN) bench_conn_end(t, c, NULL);
        } else if (event == CLIENT_PING) {
            pong(t, c, &m);
        } else if (event == CLIENT_CLOSE) {
            closed(t, c, &m);
        } else if (event == CLIENT_BAD) {
            bench_broken(t, c, m.fail, c->at.position);
            bench_conn_end(t, c, NULL);
        }
        /* Enough to subscribe is enough for one that shall not read. */
        if (c->role == ROLE_STUCK && c->at.subscribed) break;
    }
    return at;
}

static bool keep_rest(struct bench_conn *c, const uint8_t *bytes, size_t size)
{
    if (size > c->rest_room) {
        uint8_t *grown = size <= CLIENT_MESSAGE_MAX + BENCH_READ_BYTES ? realloc(c->rest, size) : NULL;
        if (!grown) return false;
        c->rest = grown;
        c->rest_room = (uint32_t)size;
    }
    if (size) memcpy(c->rest, bytes, size);
    c->rest_size = (uint32_t)size;
    return true;
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
    if (m->close_code == WS_NORMAL || m->close_code == WS_TOO_SLOW) {
        bench_conn_end(t, c, NULL);
        return;
    }
    char text[200];
    snprintf(text, sizeof text, "closed by the server with %u %.*s", m->close_code,
             (int)min_u64(m->size, 123), (const char *)m->payload);
    bench_conn_end(t, c, text);
}

void bench_conn_end(struct bench_thread *t, struct bench_conn *c, const char *why)
{
    if (c->state == CONN_ENDED) return;
    if (why) {
        t->counts[c->role].lost++;
        if (!t->first.text[0]) fault_set(&t->first, TC_ESYSTEM, "connection %u: %s", c->index, why);
    }
    if (c->state != CONN_OPEN) t->shaking--;
    c->state = CONN_ENDED;
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    client_reader_free(&c->reader);
    free(c->rest);
    c->rest = NULL;
    c->rest_size = c->rest_room = 0;
    atomic_fetch_add_explicit(&t->bench->ended, 1, memory_order_relaxed);
}
