#include "cmd/client_stream.h"

#include "base/clock.h"
#include "base/random.h"
#include "cmd/client_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define ROOM_FIRST 65536u
#define ROOM_MOST  (CLIENT_MESSAGE_MAX + CLIENT_FRAME_HEAD_MAX)
#define SEND_MS    5000u

static int shake_hands(struct client_stream *s, const struct client_url *url, const char *subprotocol,
                       uint32_t timeout_ms, struct fault *f);
static ssize_t fill(struct client_stream *s, uint32_t timeout_ms);
static bool make_room(struct client_stream *s);
static int send_frame(struct client_stream *s, enum ws_opcode opcode, const void *payload, uint32_t size);

int client_stream_open(struct client_stream *s, const struct client_url *url, uint32_t timeout_ms,
                       struct fault *f)
{
    return client_stream_open_as(s, url, "tickcast.v1.json", timeout_ms, f);
}

int client_stream_open_as(struct client_stream *s, const struct client_url *url, const char *subprotocol,
                          uint32_t timeout_ms, struct fault *f)
{
    *s = (struct client_stream){.fd = -1, .room = ROOM_FIRST};
    s->buffer = malloc(s->room);
    if (!s->buffer) return fault_set(f, TC_ESYSTEM, "no memory for a receive buffer");
    random_secret(s->mask, sizeof s->mask);
    s->fd = client_connect(url, timeout_ms, f);
    int r = s->fd < 0 ? s->fd : shake_hands(s, url, subprotocol, timeout_ms, f);
    if (r < 0) client_stream_close(s);
    return r;
}

static int shake_hands(struct client_stream *s, const struct client_url *url, const char *subprotocol,
                       uint32_t timeout_ms, struct fault *f)
{
    struct client_handshake h;
    uint8_t secret[16];
    random_secret(secret, sizeof secret);
    client_handshake_make(&h, url, &(struct client_wishes){.subprotocol = subprotocol}, secret);
    int r = client_send_all(s->fd, h.request, h.request_bytes, timeout_ms, f);
    while (r == 0) {
        ssize_t n = fill(s, timeout_ms);
        if (n == 0) return fault_set(f, TC_ESYSTEM, "%s: closed without an answer", url->authority);
        if (n == -EAGAIN)
            return fault_set(f, TC_ESYSTEM, "%s: no answer within %u ms", url->authority, timeout_ms);
        if (n < 0) {
            errno = (int)-n;
            return fault_errno(f, "%s", url->authority);
        }
        r = client_handshake_check(&h, subprotocol, (const char *)s->buffer, s->used, NULL, f);
        if (r < 0) fault_within(f, "%s", url->authority);
    }
    if (r > 0) s->start = (size_t)r;
    return r < 0 ? r : TC_OK;
}

enum client_event client_stream_next(struct client_stream *s, uint32_t timeout_ms, struct client_message *out)
{
    for (;;) {
        size_t used;
        enum client_event event =
            client_read(&s->reader, s->buffer + s->start, s->used - s->start, &used, out);
        s->start += used;
        if (event == CLIENT_PING) {
            send_frame(s, WS_PONG, out->payload, (uint32_t)out->size);
            continue;
        }
        if (event != CLIENT_MORE) return event;
        ssize_t n = fill(s, timeout_ms);
        if (n > 0) continue;
        if (n == -EAGAIN) return CLIENT_MORE;
        *out = (struct client_message){.fail = n == 0           ? "the server closed the connection"
                                               : n == -EMSGSIZE ? "a message is larger than 4 MiB"
                                                                : "the connection broke"};
        return CLIENT_BAD;
    }
}

/* More bytes: their count, 0 at the end, -EAGAIN after the time, or another -errno. */
static ssize_t fill(struct client_stream *s, uint32_t timeout_ms)
{
    if (!make_room(s)) return -EMSGSIZE;
    uint64_t end = clock_mono_ns() + timeout_ms * NS_PER_MS;
    for (;;) {
        ssize_t n = recv(s->fd, s->buffer + s->used, s->room - s->used, 0);
        if (n >= 0) {
            s->used += (size_t)n;
            return n;
        }
        if (errno != EAGAIN && errno != EINTR) return -errno;
        uint64_t now = clock_mono_ns();
        if (now >= end) return -EAGAIN;
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        poll(&p, 1, (int)((end - now) / NS_PER_MS) + 1);
    }
}

static bool make_room(struct client_stream *s)
{
    if (s->start > 0) {
        memmove(s->buffer, s->buffer + s->start, s->used - s->start);
        s->used -= s->start;
        s->start = 0;
    }
    if (s->room - s->used >= ROOM_FIRST / 4) return true;
    size_t room = min_u64(s->room * 2, ROOM_MOST);
    uint8_t *grown = room > s->used ? realloc(s->buffer, room) : NULL;
    if (!grown) return false;
    s->buffer = grown;
    s->room = room;
    return true;
}

int client_stream_send(struct client_stream *s, const char *text, uint32_t size, struct fault *f)
{
    int r = send_frame(s, WS_TEXT, text, size);
    return r < 0 ? fault_errno(f, "send") : TC_OK;
}

static int send_frame(struct client_stream *s, enum ws_opcode opcode, const void *payload, uint32_t size)
{
    uint8_t *bytes = malloc(size + CLIENT_FRAME_HEAD_MAX);
    if (!bytes) return TC_ESYSTEM;
    uint32_t n = client_frame_make(bytes, opcode, payload, size, s->mask);
    int r = client_send_all(s->fd, bytes, n, SEND_MS, NULL);
    free(bytes);
    return r;
}

void client_stream_close(struct client_stream *s)
{
    if (s->fd >= 0) {
        send_frame(s, WS_CLOSE, "\x03\xe8", 2); /* 1000 */
        close(s->fd);
    }
    client_reader_free(&s->reader);
    free(s->buffer);
    *s = (struct client_stream){.fd = -1};
}
