/* cmd/bench_selftest.c -- does the report show a stall? A server in a thread of its own sends ticks at a
 * fixed rate and twice stops in the middle, then sends what was due meanwhile: each tick carries the time at
 * which it should have gone out. It records how late it sent each one. As every tick arrives after it was
 * sent, each percentile that is measured must be at least the one that was injected; a tool that measures
 * from the sending, or that stops sending while it waits, shows next to nothing instead. */
#include "cmd/bench_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 4u
#define TICKS       2000u
#define STEP_NS     NS_PER_MS
#define WAIT_MS     20000 /* for the client's next word */

/* Before tick `at` the server does nothing for so long. */
static const struct {
    uint32_t at;
    uint64_t ns;
} stalls[] = {{400, 300 * NS_PER_MS}, {1200, 150 * NS_PER_MS}};

struct stalling {
    struct bench *bench;
    int listener, fds[CONNECTIONS];
    uint16_t port;
    pthread_t id;
    struct latency injected; /* written by the server's thread; read after it has ended */
    struct fault fault;
};

static int server_open(struct stalling *s);
static void *server_main(void *server);
static bool server_accept(struct stalling *s, int *fd);
static bool server_send(struct stalling *s);
static bool send_tick(struct stalling *s, uint32_t seq, uint64_t ts_ns);
static bool wait_pong(int fd);
static bool say(int fd, enum ws_opcode opcode, const char *text);
static void sleep_until(uint64_t mono_ns);
static int compare(const struct latency *injected, const struct latency *measured);

int bench_selftest(struct bench *b)
{
    struct bench_result *r = NULL;
    struct fault f;
    struct stalling *s = calloc(1, sizeof *s);
    if (!s) return 1;
    s->bench = b;
    latency_reset(&s->injected);
    int status = 1;
    if (server_open(s) == 0) {
        char url[64];
        snprintf(url, sizeof url, "ws://127.0.0.1:%u/v1/ws", s->port);
        client_url_parse(url, "--self-test", &b->url, &f);
        b->options.url = url;
        b->options.connections = CONNECTIONS;
        b->options.slow = b->options.stuck = 0;
        b->options.threads = b->options.sample = 1;
        b->options.warmup_ns = 0;
        b->options.duration_ns = WAIT_MS * NS_PER_MS; /* the server ends it */
        bool went = bench_run(b, &r, &f);
        shutdown(s->listener, SHUT_RDWR); /* one that still waits for a client ends */
        pthread_join(s->id, NULL);
        if (!went || s->fault.text[0] || r->failed)
            fprintf(stderr, "tickcast bench: --self-test: %s\n",
                    !went              ? f.text
                    : s->fault.text[0] ? s->fault.text
                                       : r->first.text);
        else
            status = compare(&s->injected, &r->latency);
        close(s->listener);
    } else {
        fprintf(stderr, "tickcast bench: --self-test: %s\n", s->fault.text);
    }
    free(r);
    free(s);
    return status;
}

static int server_open(struct stalling *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(s->listener, CONNECTIONS) < 0 ||
        getsockname(s->listener, (struct sockaddr *)&address, &size) < 0)
        return fault_errno(&s->fault, "its server cannot listen on 127.0.0.1");
    s->port = ntohs(address.sin_port);
    for (uint32_t i = 0; i < CONNECTIONS; i++) s->fds[i] = -1;
    errno = pthread_create(&s->id, NULL, server_main, s);
    return errno ? fault_errno(&s->fault, "its server's thread") : TC_OK;
}

static void *server_main(void *server)
{
    struct stalling *s = server;
    bool ok = true;
    for (uint32_t i = 0; ok && i < CONNECTIONS; i++) ok = server_accept(s, &s->fds[i]);
    while (ok && atomic_load(&s->bench->measuring) == 0 && atomic_load(&s->bench->phase) < PHASE_STOP)
        sleep_until(clock_mono_ns() + NS_PER_MS);
    ok = ok && server_send(s);
    /* A pong comes when everything before its ping was taken. */
    for (uint32_t i = 0; ok && i < CONNECTIONS; i++)
        ok = say(s->fds[i], WS_PING, "end") && wait_pong(s->fds[i]);
    if (!ok) fault_errno(&s->fault, "its server lost a client");
    atomic_store(&s->bench->enough, true);
    for (uint32_t i = 0; i < CONNECTIONS; i++)
        if (s->fds[i] >= 0) {
            char rest[256];
            while (ok && recv(s->fds[i], rest, sizeof rest, 0) > 0) continue; /* the client closes first */
            close(s->fds[i]);
        }
    return NULL;
}

/* The handshake, and what tickcast says before the first tick. */
static bool server_accept(struct stalling *s, int *fd)
{
    static const char field[] = "Sec-WebSocket-Key: ";
    char request[4096], accept[28], reply[256];
    size_t size = 0;
    struct timeval patience = {.tv_sec = WAIT_MS / 1000};
    *fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    if (*fd < 0) return false;
    setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (size < sizeof request && !memmem(request, size, "\r\n\r\n", 4)) {
        ssize_t n = recv(*fd, request + size, sizeof request - size, 0);
        if (n <= 0) return false;
        size += (size_t)n;
    }
    const char *key = memmem(request, size, field, sizeof field - 1);
    if (!key || (size_t)(request + size - key) < sizeof field + CLIENT_KEY_BYTES) return false;
    ws_accept_value((struct text){.at = key + sizeof field - 1, .size = CLIENT_KEY_BYTES}, accept);
    int n = snprintf(reply, sizeof reply,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %.28s\r\nSec-WebSocket-Protocol: tickcast.v1.json\r\n\r\n",
                     accept);
    return send(*fd, reply, (size_t)n, MSG_NOSIGNAL) == n &&
           say(*fd, WS_TEXT, "{\"type\":\"hello\",\"version\":1,\"epoch\":\"00000000000000aa\",\"seq\":0}") &&
           say(*fd, WS_TEXT, "{\"type\":\"subscribed\",\"seq\":0}");
}

static bool server_send(struct stalling *s)
{
    uint64_t mono = clock_mono_ns(), real = clock_real_ns();
    for (uint32_t i = 0; i < TICKS; i++) {
        uint64_t due = STEP_NS * i;
        for (size_t k = 0; k < sizeof stalls / sizeof stalls[0]; k++)
            if (stalls[k].at == i) sleep_until(clock_mono_ns() + stalls[k].ns);
        sleep_until(mono + due);
        if (!send_tick(s, i + 1, real + due)) return false;
    }
    return true;
}

static bool send_tick(struct stalling *s, uint32_t seq, uint64_t ts_ns)
{
    char text[160];
    snprintf(text, sizeof text,
             "{\"type\":\"trade\",\"seq\":%u,\"symbol\":\"STALL\",\"price\":1,\"size\":1,\"ts\":%llu}", seq,
             (unsigned long long)ts_ns);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        uint64_t now = clock_real_ns();
        latency_record(&s->injected, now > ts_ns ? now - ts_ns : 0);
        if (!say(s->fds[i], WS_TEXT, text)) return false;
    }
    return true;
}

/* The only thing that a client of this server says. */
static bool wait_pong(int fd)
{
    uint8_t first = 0;
    return recv(fd, &first, 1, 0) == 1 && first == (0x80 | WS_PONG);
}

static bool say(int fd, enum ws_opcode opcode, const char *text)
{
    uint8_t frame[256];
    struct text payload = text_of(text);
    size_t whole = ws_frame_head(frame, opcode, (uint32_t)payload.size);
    memcpy(frame + whole, payload.at, payload.size);
    whole += payload.size;
    return send(fd, frame, whole, MSG_NOSIGNAL) == (ssize_t)whole;
}

static void sleep_until(uint64_t mono_ns)
{
    struct timespec t = {.tv_sec = (time_t)(mono_ns / NS_PER_SECOND),
                         .tv_nsec = (long)(mono_ns % NS_PER_SECOND)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

/* The exit status. */
static int compare(const struct latency *injected, const struct latency *measured)
{
    bool ok = injected->count == measured->count;
    printf("a server that stalls for 300 and 150 ms; ms    injected  measured\n");
    for (size_t i = 0; i < BENCH_PERCENTS; i++) {
        uint64_t in = latency_percentile(injected, bench_percents[i]);
        uint64_t out = latency_percentile(measured, bench_percents[i]);
        if (out < in) ok = false;
        printf("%-42s %12.3f %9.3f%s\n", bench_percent_names[i], (double)in / 1e6, (double)out / 1e6,
               out < in ? "  HIDDEN" : "");
    }
    printf("%-42s %12llu %9llu\nself-test %s\n", "ticks", (unsigned long long)injected->count,
           (unsigned long long)measured->count, ok ? "ok: the stalls are in the percentiles" : "FAILED");
    return ok ? 0 : 1;
}
