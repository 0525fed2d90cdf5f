/* bench/compare/load/connect.c -- from a socket to a subscriber: the handshake and what subscribes. See
 * load.h. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#define RCVBUF_STUCK 4096 /* so that a stuck reader's own kernel hides little */

static void shake_hands(struct load *l, struct subscriber *s);
static void say_hello(const struct options *o, int fd);
static bool is_swept(const struct options *o, int i);

/* 64 handshakes are under way at once; the first -k connections are those that will not read. */
void connect_up_to(struct load *l, int end)
{
    for (int i = (int)l->open; i < end; i++) {
        struct subscriber *s = &l->subscribers[i];
        s->stuck = i < l->o.stuck;
        s->swept = !s->stuck && is_swept(&l->o, i);
        s->fd = connect_loopback(l->o.port, s->stuck ? RCVBUF_STUCK : 0);
        shake_hands(l, s);
        uint32_t enough = i >= 64 ? (uint32_t)i - 63 : 0;
        if (i + 1 == end) enough = (uint32_t)i + 1;
        read_until(l, now_mono_ns() + READY_SECONDS * UINT64_C(1000000000), &l->open, enough);
        if (l->open < enough) die("%u of %d handshakes were answered", l->open, i + 1);
    }
}

/* The waited ones stand in the middle of each E, so that they are neither early nor late in what a server
 * does for all in turn. */
static bool is_swept(const struct options *o, int i)
{
    return i % o->waited != o->waited / 2;
}

static void shake_hands(struct load *l, struct subscriber *s)
{
    char request[2048];
    int size =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                 l->o.path, l->o.port, l->o.subprotocol ? "Sec-WebSocket-Protocol: " : "",
                 l->o.subprotocol ? l->o.subprotocol : "", l->o.subprotocol ? "\r\n" : "");
    write_all(s->fd, request, (size_t)size);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, s->fd, &e) < 0) die("epoll: %s", strerror(errno));
}

/* What subscribes, each in a frame of its own; the mask is of zeros (RFC 6455 5.3 wants one, not which). */
static void say_hello(const struct options *o, int fd)
{
    for (int i = 0; i < o->hello_count; i++) {
        uint8_t frame[8 + sizeof o->hellos[0].bytes] = {o->hello_binary ? 0x82 : 0x81};
        size_t size = o->hellos[i].size, head = size < 126 ? 6 : 8;
        frame[1] = (uint8_t)(0x80 | (size < 126 ? size : 126));
        if (size >= 126) frame[2] = (uint8_t)(size >> 8), frame[3] = (uint8_t)size;
        memcpy(frame + head, o->hellos[i].bytes, size);
        write_all(fd, frame, head + size);
    }
}

void connect_answer(struct load *l, struct subscriber *s, const char *bytes, size_t size)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end && size <= CARRY_MAX) {
        memcpy(s->carry, bytes, size);
        s->carry_size = (uint32_t)size;
        return;
    }
    if (!end || memcmp(bytes, "HTTP/1.1 101", 12) != 0) die("no WebSocket: %.60s", bytes);
    s->open = true;
    s->carry_size = s->from = 0;
    l->open++;
    say_hello(&l->o, s->fd);
    l->swept += s->swept;
    if (s->stuck || s->swept) epoll_ctl(l->epoll, EPOLL_CTL_DEL, s->fd, NULL);
    if (s->stuck) return;
    stream_take(s, &l->m, &l->o, end + 4, size - (size_t)(end + 4 - bytes), false);
    if (s->seq_first > 0) l->ticking++;
    l->delivered += s->ticks;
}
