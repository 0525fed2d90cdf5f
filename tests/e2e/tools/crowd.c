/* tests/e2e/tools/crowd.c -- a crowd of WebSocket clients in one process and one thread, cheap enough for
 * 15 000 of them, for tests that need many: they read and check every frame's position, or read a little now
 * and then, or connect, subscribe and never read again.
 *
 *     crowd PORT PATH COUNT read|hold|trickle [RCVBUF]
 *
 * One JSON line on standard output when all are in place ({"ready":N}); then it answers lines on standard
 * input: `report` with one JSON line of counts, `wake` makes those that hold read from now on, `reset` closes
 * all with RST. End of input ends it. Loopback only. */
#include "base/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES  40000u /* more than one frame of the server: 16 KiB and a head */
#define SHAKING_MAX   128u   /* handshakes at the same time */
#define TRICKLE_BYTES 1024u  /* per connection ... */
#define TRICKLE_NS    500000000u
#define LATENCY_STEPS 400u /* 1.05^n us: up to 5 minutes */
#define CLOSES_MAX    16384u
#define STDIN_MARK    UINT32_MAX
#define NS_PER_SECOND UINT64_C(1000000000)

enum mode { READ, HOLD, TRICKLE };
enum stage { CONNECTING, SHAKING, READING, HOLDING, GONE };

struct client {
    int fd;
    enum stage stage;
    bool positioned;
    uint64_t position;
    uint8_t *buffer; /* while it reads */
    uint32_t size;
};

struct closed {
    uint32_t ms;
    uint16_t code;
    int32_t reconnect_ms; /* of the drain notice; -1: none */
};

struct crowd {
    struct sockaddr_in to;
    const char *path;
    enum mode mode;
    int rcvbuf, epoll;
    bool subscribes; /* in place when `subscribed` came, else with hello */
    struct client *clients;
    uint32_t count, begun, shaking, in_place, gone;
    uint64_t start_ns, trickle_ns;
    uint64_t frames, bytes, ticks_frames, gaps, lags, heartbeats, stalled, snapshots, pings, broken, refused;
    uint64_t conflated_frames, gap_resume, newest;
    uint64_t latency[LATENCY_STEPS];
    struct closed *closes;
    uint32_t close_count;
    int32_t *reconnect_ms;
    char broken_text[200];
};

static void begin(struct crowd *c);
static void on_event(struct crowd *c, uint32_t index, uint32_t events);
static void take(struct crowd *c, uint32_t index, uint32_t most);
static bool shaken(struct crowd *c, struct client *k);
static void frames(struct crowd *c, uint32_t index);
static void on_text(struct crowd *c, uint32_t index, const char *text, uint32_t size);
static void in_place(struct crowd *c, uint32_t index);
static void gone(struct crowd *c, uint32_t index, uint16_t code);
static bool on_line(struct crowd *c);
static void report(struct crowd *c);

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint32_t number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || end == text || n > 1000000) fail(text);
    return (uint32_t)n;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: crowd PORT PATH COUNT read|hold|trickle [RCVBUF]\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    static struct crowd c;
    c.to = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)number(argv[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c.path = argv[2];
    c.count = number(argv[3]);
    c.mode = argv[4][0] == 'h' ? HOLD : argv[4][0] == 't' ? TRICKLE : READ;
    c.rcvbuf = argc > 5 ? (int)number(argv[5]) : 0;
    c.subscribes = strstr(c.path, "symbols=") || strstr(c.path, "resume=");
    c.clients = calloc(c.count, sizeof *c.clients);
    c.closes = calloc(CLOSES_MAX, sizeof *c.closes);
    c.reconnect_ms = calloc(c.count, sizeof *c.reconnect_ms);
    if (!c.clients || !c.closes || !c.reconnect_ms) fail("memory");
    c.start_ns = now_ns(CLOCK_MONOTONIC);
    c.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event lines = {.events = EPOLLIN, .data.u32 = STDIN_MARK};
    if (c.epoll < 0 || epoll_ctl(c.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &lines) < 0) fail("epoll");
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool told = false, on = true;
    while (on) {
        while (c.begun < c.count && c.shaking < SHAKING_MAX) begin(&c);
        if (!told && c.in_place + c.gone >= c.count) {
            told = true;
            printf("{\"ready\":%u}\n", c.in_place);
        }
        struct epoll_event events[256];
        int n = epoll_wait(c.epoll, events, 256, 50);
        for (int i = 0; i < n && on; i++) {
            if (events[i].data.u32 == STDIN_MARK)
                on = on_line(&c);
            else
                on_event(&c, events[i].data.u32, events[i].events);
        }
        if (c.mode != TRICKLE || now_ns(CLOCK_MONOTONIC) < c.trickle_ns) continue;
        c.trickle_ns = now_ns(CLOCK_MONOTONIC) + TRICKLE_NS;
        for (uint32_t i = 0; i < c.begun; i++)
            if (c.clients[i].stage == HOLDING) take(&c, i, TRICKLE_BYTES);
    }
    return 0;
}

static void watch(struct crowd *c, uint32_t index, int op, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.u32 = index};
    if (epoll_ctl(c->epoll, op, c->clients[index].fd, &e) < 0) fail("epoll_ctl");
}

static void begin(struct crowd *c)
{
    uint32_t index = c->begun++;
    struct client *k = &c->clients[index];
    *k = (struct client){.stage = CONNECTING, .buffer = malloc(BUFFER_BYTES)};
    c->reconnect_ms[index] = -1;
    k->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (k->fd < 0 || !k->buffer) fail("socket");
    if (c->rcvbuf > 0) setsockopt(k->fd, SOL_SOCKET, SO_RCVBUF, &c->rcvbuf, sizeof c->rcvbuf);
    c->shaking++;
    if (connect(k->fd, (struct sockaddr *)&c->to, sizeof c->to) < 0 && errno != EINPROGRESS) fail("connect");
    watch(c, index, EPOLL_CTL_ADD, EPOLLOUT);
}

static void on_event(struct crowd *c, uint32_t index, uint32_t events)
{
    struct client *k = &c->clients[index];
    if (k->stage == GONE) return;
    if (k->stage == CONNECTING) {
        char request[1024];
        int n = snprintf(request, sizeof request,
                         "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                         c->path);
        if (send(k->fd, request, (size_t)n, MSG_NOSIGNAL) != n) {
            gone(c, index, 1006);
            return;
        }
        k->stage = SHAKING;
        watch(c, index, EPOLL_CTL_MOD, EPOLLIN);
    } else if (k->stage == HOLDING) {
        if (events & (EPOLLERR | EPOLLHUP)) gone(c, index, 1006);
    } else {
        take(c, index, BUFFER_BYTES);
    }
}

static void take(struct crowd *c, uint32_t index, uint32_t most)
{
    struct client *k = &c->clients[index];
    uint32_t room = BUFFER_BYTES - k->size;
    ssize_t n = recv(k->fd, k->buffer + k->size, most < room ? most : room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        gone(c, index, 1006);
        return;
    }
    k->size += (uint32_t)n;
    c->bytes += (uint64_t)n;
    if (k->stage == SHAKING && !shaken(c, k)) {
        if (k->stage == GONE) gone(c, index, 1006);
        return;
    }
    frames(c, index);
}

/* The answer's head is whole: takes it away. */
static bool shaken(struct crowd *c, struct client *k)
{
    uint8_t *end = memmem(k->buffer, k->size, "\r\n\r\n", 4);
    if (!end) return false;
    if (k->size < 12 || memcmp(k->buffer + 9, "101", 3) != 0) {
        c->refused++;
        k->stage = GONE;
        return false;
    }
    uint32_t head = (uint32_t)(end - k->buffer) + 4;
    memmove(k->buffer, k->buffer + head, k->size - head);
    k->size -= head;
    k->stage = READING;
    c->shaking--;
    return true;
}

static void pong(struct client *k, const uint8_t *payload, uint32_t size)
{
    uint8_t frame[6 + 125] = {0x8A, (uint8_t)(0x80 | size)}; /* mask 0 */
    memcpy(frame + 6, payload, size);
    (void)!send(k->fd, frame, 6 + size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void frames(struct crowd *c, uint32_t index)
{
    struct client *k = &c->clients[index];
    uint32_t at = 0;
    while (k->stage != GONE && k->buffer && k->size - at >= 2) {
        const uint8_t *f = k->buffer + at;
        uint32_t size = f[1], head = 2;
        if (size == 126) {
            if (k->size - at < 4) break;
            size = (uint32_t)f[2] << 8 | f[3];
            head = 4;
        }
        if (k->size - at < head + size) break;
        at += head + size;
        uint32_t opcode = f[0] & 15;
        if (opcode == 1) {
            on_text(c, index, (const char *)f + head, size);
        } else if (opcode == 9) {
            c->pings++;
            pong(k, f + head, size);
        } else if (opcode == 8) {
            const uint8_t reply[8] = {0x88, 0x82, 0, 0, 0, 0, f[head], f[head + 1]};
            (void)!send(k->fd, reply, sizeof reply, MSG_NOSIGNAL | MSG_DONTWAIT);
            gone(c, index, size >= 2 ? load_be16(f + head) : (uint16_t)1005);
            return;
        }
    }
    if (k->stage == GONE || !k->buffer) return;
    memmove(k->buffer, k->buffer + at, k->size - at);
    k->size -= at;
}

static uint64_t number_after(const char *text, uint32_t size, const char *key)
{
    const char *at = memmem(text, size, key, strlen(key));
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static bool is(const char *text, const char *type)
{
    return strncmp(text + 9, type, strlen(type)) == 0 && text[9 + strlen(type)] == '"';
}

static void broken(struct crowd *c, const struct client *k, const char *text, uint32_t size)
{
    c->broken++;
    if (c->broken_text[0]) return;
    snprintf(c->broken_text, sizeof c->broken_text, "at %llu: %.*s", (unsigned long long)k->position,
             (int)(size < 100 ? size : 100), text);
    for (char *p = c->broken_text; *p; p++)
        if (*p == '"' || *p == '\\') *p = '\'';
}

/* How late the frame's oldest tick is. */
static void latency(struct crowd *c, const char *text, uint32_t size)
{
    uint64_t ts = number_after(text, size, "\"ts\":"), now = now_ns(CLOCK_REALTIME);
    if (ts == 0) return;
    double us = now > ts ? (double)(now - ts) / 1000 : 1;
    double step = us > 1 ? log(us) / log(1.05) : 0;
    c->latency[step < LATENCY_STEPS ? (uint32_t)step : LATENCY_STEPS - 1]++;
}

static void on_text(struct crowd *c, uint32_t index, const char *text, uint32_t size)
{
    struct client *k = &c->clients[index];
    if (size < 20 || memcmp(text, "{\"type\":\"", 9) != 0) {
        broken(c, k, text, size);
        return;
    }
    c->frames++;
    if (is(text, "ticks") || is(text, "gap")) {
        bool gap = is(text, "gap");
        uint64_t from = number_after(text, size, "\"from\":"), to = number_after(text, size, "\"to\":");
        if (!k->positioned || from != k->position || to <= from) broken(c, k, text, size);
        k->position = to;
        if (to > c->newest) c->newest = to;
        c->gaps += gap;
        c->gap_resume += gap && memmem(text, size, "\"reason\":\"resume\"", 17);
        c->ticks_frames += !gap;
        if (!gap && memmem(text, size < 200 ? size : 200, "\"conflated\":", 12)) c->conflated_frames++;
        if (!gap) latency(c, text, size);
    } else if (is(text, "subscribed")) {
        k->position = number_after(text, size, "\"seq\":");
        k->positioned = true;
        if (k->stage == READING) in_place(c, index);
    } else if (is(text, "hello")) {
        if (!c->subscribes) in_place(c, index);
    } else if (is(text, "heartbeat")) {
        c->heartbeats++;
        c->stalled += memmem(text, size, "\"stalled\":true", 14) != NULL;
        if (k->positioned && number_after(text, size, "\"seq\":") < k->position) broken(c, k, text, size);
    } else if (is(text, "lag")) {
        c->lags++;
    } else if (is(text, "snapshot")) {
        c->snapshots++;
    } else if (is(text, "drain")) {
        c->reconnect_ms[index] = (int32_t)number_after(text, size, "\"reconnect_after_ms\":");
    } else if (is(text, "error")) {
        broken(c, k, text, size);
    }
}

static void in_place(struct crowd *c, uint32_t index)
{
    struct client *k = &c->clients[index];
    c->in_place++;
    if (c->mode == READ) return;
    k->stage = HOLDING;
    watch(c, index, EPOLL_CTL_MOD, 0);
    if (c->mode == TRICKLE) return;
    free(k->buffer); /* what came with the answer is lost: it is never read */
    k->buffer = NULL;
}

static void gone(struct crowd *c, uint32_t index, uint16_t code)
{
    struct client *k = &c->clients[index];
    if (k->stage == CONNECTING || k->stage == SHAKING || (k->stage == GONE && k->fd >= 0 && !k->positioned))
        c->shaking--;
    if (c->close_count < CLOSES_MAX)
        c->closes[c->close_count++] =
            (struct closed){.ms = (uint32_t)((now_ns(CLOCK_MONOTONIC) - c->start_ns) / 1000000),
                            .code = code,
                            .reconnect_ms = c->reconnect_ms[index]};
    close(k->fd);
    free(k->buffer);
    *k = (struct client){.fd = -1, .stage = GONE};
    c->gone++;
}

/* ---- Standard input. ---- */

static void wake(struct crowd *c)
{
    c->mode = READ;
    for (uint32_t i = 0; i < c->begun; i++) {
        struct client *k = &c->clients[i];
        if (k->stage != HOLDING) continue;
        if (!k->buffer && !(k->buffer = malloc(BUFFER_BYTES))) fail("memory");
        k->stage = READING;
        watch(c, i, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void reset(struct crowd *c)
{
    for (uint32_t i = 0; i < c->begun; i++) {
        struct client *k = &c->clients[i];
        if (k->stage == GONE) continue;
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(k->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        gone(c, i, 0);
    }
}

/* Words come in lines; one read may hold several, none is longer than the room. */
static bool on_line(struct crowd *c)
{
    static char lines[256];
    static uint32_t size;
    ssize_t n = read(STDIN_FILENO, lines + size, sizeof lines - size);
    if (n <= 0) return false;
    size += (uint32_t)n;
    char *end;
    while ((end = memchr(lines, '\n', size)) != NULL) {
        *end = 0;
        if (strcmp(lines, "report") == 0) report(c);
        if (strcmp(lines, "wake") == 0) wake(c);
        if (strcmp(lines, "reset") == 0) reset(c);
        size -= (uint32_t)(end + 1 - lines);
        memmove(lines, end + 1, size);
    }
    return true;
}

static uint64_t quantile_us(const struct crowd *c, double q)
{
    uint64_t total = 0, seen = 0;
    for (uint32_t i = 0; i < LATENCY_STEPS; i++) total += c->latency[i];
    for (uint32_t i = 0; i < LATENCY_STEPS; i++) {
        seen += c->latency[i];
        if (total > 0 && (double)seen >= q * (double)total) return (uint64_t)pow(1.05, i + 1);
    }
    return 0;
}

/* Latencies are those since the last report. */
static void report(struct crowd *c)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < c->begun; i++)
        if (c->clients[i].stage == READING && c->clients[i].position < least) least = c->clients[i].position;
    printf(
        "{\"in_place\":%u,\"gone\":%u,\"refused\":%llu,\"frames\":%llu,\"ticks_frames\":%llu,\"bytes\":%llu,"
        "\"gaps\":%llu,\"gap_resume\":%llu,\"conflated_frames\":%llu,\"lags\":%llu,\"heartbeats\":%llu,"
        "\"stalled\":%llu,\"snapshots\":%llu,\"pings\":%llu,\"broken\":%llu,\"broken_text\":\"%s\","
        "\"position_least\":%llu,\"newest\":%llu,\"p50_us\":%llu,\"p99_us\":%llu,\"closes\":[",
        c->in_place, c->gone, (unsigned long long)c->refused, (unsigned long long)c->frames,
        (unsigned long long)c->ticks_frames, (unsigned long long)c->bytes, (unsigned long long)c->gaps,
        (unsigned long long)c->gap_resume, (unsigned long long)c->conflated_frames,
        (unsigned long long)c->lags, (unsigned long long)c->heartbeats, (unsigned long long)c->stalled,
        (unsigned long long)c->snapshots, (unsigned long long)c->pings, (unsigned long long)c->broken,
        c->broken_text, (unsigned long long)(least == UINT64_MAX ? 0 : least), (unsigned long long)c->newest,
        (unsigned long long)quantile_us(c, 0.5), (unsigned long long)quantile_us(c, 0.99));
    for (uint32_t i = 0; i < c->close_count; i++)
        printf("%s[%u,%u,%d]", i ? "," : "", c->closes[i].ms, c->closes[i].code, c->closes[i].reconnect_ms);
    printf("]}\n");
    fflush(stdout);
    memset(c->latency, 0, sizeof c->latency);
}
