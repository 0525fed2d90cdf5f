/* bench/compare/load/publisher.c -- hands the ticks to a peer in the peer's own way, at a fixed rate (each
 * tick carries the time it was due) or in a closed loop (the next burst when deliveries made room in the
 * window). */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_MAX    256
#define MESSAGE_MAX 1024
#define BURST_MAX   256

static void open_session(const struct publisher *p, int fd);
static void at_rate(const struct publisher *p, int fd);
static void closed_loop(const struct publisher *p, int fd);
static bool wait_for_room(const struct publisher *p, uint64_t *granted);
static void publish(const struct publisher *p, int fd, uint32_t count, uint64_t due_ns);
static size_t message(const struct publisher *p, char *out, const char *tick, size_t size);
static void drop_answers(int fd);

void *publisher_main(void *context)
{
    const struct publisher *p = context;
    pin(p->o->publish_cpu);
    int fd = connect_loopback(p->o->publish_port, 0);
    open_session(p, fd);
    if (p->o->rate > 0)
        at_rate(p, fd);
    else
        closed_loop(p, fd);
    close(fd);
    return NULL;
}

static void open_session(const struct publisher *p, int fd)
{
    static const char nats[] = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
    static const char mqtt[] =
        "\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x03pub"; /* 3.1.1, clean, no keep-alive */
    if (p->o->publish == PUBLISH_NATS) write_all(fd, nats, sizeof nats - 1);
    if (p->o->publish == PUBLISH_MQTT) write_all(fd, mqtt, sizeof mqtt - 1);
}

static void at_rate(const struct publisher *p, int fd)
{
    uint64_t start = now_real_ns(), step = (uint64_t)(1e9 / p->o->rate);
    for (uint64_t i = 0; !atomic_load(&p->flow->stop); i++) {
        uint64_t due = start + i * step;
        struct timespec t = {.tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u)};
        while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
        publish(p, fd, 1, due);
    }
}

static void closed_loop(const struct publisher *p, int fd)
{
    uint64_t granted = 0; /* deliveries that are not waited for any more */
    while (wait_for_room(p, &granted)) publish(p, fd, (uint32_t)p->o->burst, now_real_ns());
}

/* False: stop. What a server dropped is not waited for longer than a second without any delivery: that is
 * counted as a stall. */
static bool wait_for_room(const struct publisher *p, uint64_t *granted)
{
    struct flow *flow = p->flow;
    uint64_t readers = (uint64_t)(p->o->connections - p->o->stuck);
    uint64_t window = readers * (uint64_t)(p->o->burst * p->o->window);
    for (;;) {
        if (atomic_load(&flow->stop)) return false;
        uint64_t all = flow->published * readers, delivered = atomic_load(&flow->delivered);
        uint64_t missing = all > delivered ? all - delivered : 0;
        if (*granted > missing) *granted = missing; /* late, not lost */
        uint64_t under_way = missing - *granted;
        if (under_way < window) return true;
        uint64_t wanted = delivered + under_way - window + 1;
        atomic_store(&flow->wanted, wanted);
        if (atomic_load(&flow->delivered) >= wanted) continue;
        struct pollfd credit = {.fd = flow->credit_fd, .events = POLLIN};
        int ready = poll(&credit, 1, 1000);
        uint64_t drained;
        if (ready > 0 && read(flow->credit_fd, &drained, sizeof drained) < 0) continue;
        if (ready == 0 && atomic_load(&flow->delivered) == delivered) {
            flow->stalls++;
            *granted += under_way;
        }
    }
}

/* The same ticks for everyone, in the form of tickcast's own. */
static void publish(const struct publisher *p, int fd, uint32_t count, uint64_t due_ns)
{
    static char batch[BURST_MAX * MESSAGE_MAX];
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        char tick[TICK_MAX];
        uint64_t seq = ++p->flow->published;
        int size = snprintf(tick, sizeof tick,
                            "{\"type\":\"trade\",\"seq\":%llu,\"symbol\":\"S%03llu\",\"price\":%llu.%02llu,"
                            "\"size\":%llu,\"ts\":%llu}",
                            (unsigned long long)seq, (unsigned long long)(seq * 7919 % 500),
                            (unsigned long long)(100 + seq % 400), (unsigned long long)(seq % 100),
                            (unsigned long long)(1 + seq % 900), (unsigned long long)(due_ns / 1000));
        used += message(p, batch + used, tick, (size_t)size);
    }
    write_all(fd, batch, used);
    drop_answers(fd);
}

static size_t message(const struct publisher *p, char *out, const char *tick, size_t size)
{
    switch (p->o->publish) {
    case PUBLISH_NATS: return (size_t)snprintf(out, MESSAGE_MAX, "PUB t %zu\r\n%s\r\n", size, tick);
    case PUBLISH_HTTP:
        return (size_t)snprintf(out, MESSAGE_MAX,
                                "POST /pub HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
                                size, tick);
    case PUBLISH_MQTT: { /* PUBLISH, QoS 0, topic "t" */
        size_t rest = 3 + size, at = 0;
        out[at++] = 0x30;
        for (; rest > 127; rest /= 128) out[at++] = (char)(128 | rest % 128);
        out[at++] = (char)rest;
        memcpy(out + at, "\0\1t", 3);
        memcpy(out + at + 3, tick, size);
        return at + 3 + size;
    }
    default: return (size_t)snprintf(out, MESSAGE_MAX, "%s\n", tick);
    }
}

static void drop_answers(int fd)
{
    char sink[65536];
    while (recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0) continue;
}
